/* supervisor_family.c - the processes: started, connected with each other, watched, and started again. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/supervisor.h"

enum { MINUTE_MS = 60000, BACKOFF_FIRST_MS = 1000, PATIENCE_MS = 1000 };

const char *process_state_name(enum process_state state)
{
    static const char *const names[] = {"down", "opening", "ready", "waiting", "stopping"};
    static_assert(sizeof names / sizeof *names == PROCESS_STATES, "a state without a name");
    return names[state];
}

void process_set_state(struct process *p, enum process_state state)
{
    p->state = state;
    p->since_s = clock_unix_s();
}

bool process_is_alive(const struct process *p)
{
    return p->run.pidfd >= 0;
}

static void process_kill(struct process *p)
{
    if (process_is_alive(p))
        syscall(SYS_pidfd_send_signal, p->run.pidfd, SIGKILL, NULL, 0);
}

/* ------------------------------------------------------------------------------------------------------- connecting */

static fallible send_end(struct process *to, const struct process *peer, uint32_t epoch, int socket)
{
    struct ipc_msg m = {.type = MSG_PEER, .fd_count = 1, .fds = {socket}};
    m.u.peer = (struct msg_peer){.role = peer->role, .index = (uint16_t)peer->index, .epoch = epoch};
    return channel_send(to->channel, &m);
}

static fallible connect_pair(struct process *a, struct process *b)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return err_of_errno(errno);
    uint32_t epoch = ++a->s->epoch;
    enum err e = send_end(a, b, epoch, pair[0]);
    /* The other one may be dying just now; its successor gets a new pair. */
    IGNORE(send_end(b, a, epoch, pair[1]), "who dies needs no line");
    return e;
}

/* A line to every process there is that this one may talk to. Who starts later makes the line then. */
static fallible connect_all(struct process *p)
{
    struct supervisor *s = p->s;
    for (unsigned i = 0; i < s->process_count; i++) {
        struct process *q = &s->processes[i];
        if (q != p && q->channel && role_talks(p->role, q->role))
            TRY(connect_pair(p, q));
    }
    return OK;
}

/* --------------------------------------------------------------------------------------------------------- starting */

static void process_start(struct process *p);

static fallible send_doors(struct process *gate)
{
    struct supervisor *s = gate->s;
    for (size_t i = 0; i < s->door_count; i++) {
        struct ipc_msg m = {.type = MSG_LISTENER, .fd_count = 1};
        m.fds[0] = fcntl(s->doors[i].fd, F_DUPFD_CLOEXEC, 3);
        if (m.fds[0] < 0)
            return err_of_errno(errno);
        m.u.listener = (struct msg_listener){
            .service = s->doors[i].service,
            .tls_mode = s->doors[i].mode,
            .address = slice_str(s->doors[i].address)};
        TRY(channel_send(gate->channel, &m));
    }
    struct launch_problem problem;
    enum err e = reload_send_certificates(s, s->config, gate->channel, &problem);
    if (e != OK)
        log_event(
            LOG_ERROR, "certificate.unusable", LOG_STR("problem", problem.text),
            LOG_STR("remedy", problem.remedy));
    return e;
}

static fallible send_directory_files(struct process *directory)
{
    struct launch_problem problem;
    enum err e = reload_send_directory(directory->s, directory->s->config, directory->channel, &problem);
    if (e != OK)
        log_event(
            LOG_ERROR, "directory.unusable", LOG_STR("problem", problem.text),
            LOG_STR("remedy", problem.remedy));
    return e;
}

static fallible send_vault_keys(struct process *vault)
{
    struct launch_problem problem = {"", ""};
    enum err e = launch_keys(vault->channel, vault->s->dir_fd, vault->s->config, &problem);
    if (e != OK)
        log_event(
            LOG_ERROR, "vault.keys-unusable", LOG_STR("problem", problem.text),
            LOG_STR("remedy", problem.remedy));
    return e;
}

/* ------------------------------------------------------------------------------------------------- life and death */

/* The gates come last, so that nobody is let in before the others can serve. */
static void family_advance(struct supervisor *s)
{
    for (unsigned i = 0; i < s->process_count; i++)
        if (!s->processes[i].settled && (s->gates_started || s->processes[i].role != ROLE_GATE))
            return;
    if (!s->gates_started) {
        s->gates_started = true;
        for (unsigned i = 0; i < s->process_count; i++)
            if (s->processes[i].role == ROLE_GATE)
                process_start(&s->processes[i]);
    } else if (!s->announced) {
        s->announced = true;
        log_event(
            LOG_INFO, "server.ready", LOG_STR("dir", s->dir), LOG_NUM("processes", s->process_count),
            LOG_NUM("doors", s->door_count));
        notify_send(&s->notify, "READY=1", "Serving mail");
    }
}

static void process_settle(struct process *p)
{
    if (p->settled)
        return;
    p->settled = true;
    if (!p->s->stopping)
        family_advance(p->s);
}

static void on_ready(void *owner, enum err why, struct ipc_msg *answer)
{
    struct process *p = owner;
    if (why == ERR_TIMEOUT) {
        log_event(LOG_ERROR, "process.start-timeout", LOG_STR("name", p->name), LOG_NUM("pid", p->run.pid));
        process_kill(p);
    }
    if (why != OK || p->state != PROCESS_OPENING)
        return; /* its death, if it died, is seen at its descriptor */
    snprintf(p->sandbox, sizeof p->sandbox, SLICE_FMT, SLICE_ARG(answer->u.ready.sandbox));
    p->ready_at = loop_now(p->s->loop);
    process_set_state(p, PROCESS_READY);
    log_event(
        LOG_INFO, "process.ready", LOG_STR("name", p->name), LOG_NUM("pid", p->run.pid),
        LOG_STR("sandbox", p->sandbox));
    if (TAKE(p->reload_due, false))
        reload_process(p);
    process_settle(p);
}

static void on_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    if (m->type == MSG_STATUS_COLLECT)
        control_collect_status(owner, m->id);
}

static void on_patience_over(struct timer *t)
{
    process_kill(t->owner);
}

/* A process that breaks the rules of the schema is ended. One whose line has just ended is ending by itself, and its
 * death is seen at its descriptor; it is ended if it does not. */
static void on_closed(struct channel *ch, enum err why, void *owner)
{
    struct process *p = owner;
    channel_close(&p->channel);
    if (why == ERR_PROTOCOL) {
        log_event(LOG_ERROR, "process.broke-rules", LOG_STR("name", p->name), LOG_NUM("pid", p->run.pid));
        process_kill(p);
    } else if (p->state != PROCESS_STOPPING) {
        timer_init(&p->timer, p->s->loop, on_patience_over, p);
        timer_start(&p->timer, PATIENCE_MS);
    }
}

/* How long to wait before a process that has just died is started again: it is back at once unless it dies again and
 * again within LIMIT_BACKOFF_RESET of being ready. */
static uint64_t backoff_ms(struct process *p)
{
    uint64_t now = loop_now(p->s->loop);
    bool early = !p->ready_at || now - p->ready_at < LIMIT_BACKOFF_RESET;
    p->early_deaths = early ? p->early_deaths + 1 : 0;
    if (p->early_deaths <= 1)
        return 0;
    unsigned doublings = p->early_deaths - 2 < 6 ? p->early_deaths - 2 : 6;
    uint64_t wait = (uint64_t)BACKOFF_FIRST_MS << doublings;
    return wait < LIMIT_BACKOFF_MAX ? wait : LIMIT_BACKOFF_MAX;
}

/* One line when a process has died LIMIT_ALERT_DEATHS times within a minute; the next one a minute later at least. */
static void watch_for_crash_loop(struct process *p)
{
    uint64_t now = loop_now(p->s->loop);
    p->deaths[p->death_count++ % LIMIT_ALERT_DEATHS] = now;
    uint64_t oldest = p->deaths[p->death_count % LIMIT_ALERT_DEATHS];
    if (p->death_count < LIMIT_ALERT_DEATHS || now - oldest > MINUTE_MS || now < p->quiet_until)
        return;
    p->quiet_until = now + MINUTE_MS;
    log_event(
        LOG_ERROR, "alert.crash-loop", LOG_STR("name", p->name), LOG_NUM("deaths", LIMIT_ALERT_DEATHS),
        LOG_NUM("within_s", (now - oldest) / 1000));
    supervisor_audit(p->s, "process.crash-loop", slice_str(p->name), SLICE_EMPTY);
}

static void log_death(const struct process *p, const siginfo_t *info)
{
    bool by_signal = info->si_code == CLD_KILLED || info->si_code == CLD_DUMPED;
    /* The directory ends by itself to take new settings and files: it is started again with them. */
    bool expected =
        (p->state == PROCESS_STOPPING || p->role == ROLE_DIRECTORY) && !by_signal && info->si_status == 0;
    log_event(
        expected ? LOG_INFO : LOG_WARN, expected ? "process.ended" : "process.died", LOG_STR("name", p->name),
        LOG_NUM("pid", p->run.pid), LOG_NUM(by_signal ? "signal" : "status", info->si_status),
        LOG_STR("reason", by_signal && info->si_status == SIGSYS ? "a system call outside its list" : ""));
}

static void process_forget(struct process *p)
{
    watch_stop(&p->watch);
    timer_stop(&p->timer);
    channel_close(&p->channel);
    file_close(&p->run.pidfd);
}

static void on_wait_over(struct timer *t)
{
    process_start(t->owner);
}

static void process_restart_later(struct process *p)
{
    watch_for_crash_loop(p);
    uint64_t wait = backoff_ms(p);
    p->ready_at = 0;
    p->restarts++;
    process_set_state(p, PROCESS_WAITING);
    if (wait)
        log_event(LOG_WARN, "process.backoff", LOG_STR("name", p->name), LOG_NUM("wait_ms", wait));
    timer_init(&p->timer, p->s->loop, on_wait_over, p);
    timer_start(&p->timer, wait);
    process_settle(p);
}

static void on_death(struct watch *w, unsigned what)
{
    struct process *p = w->owner;
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)p->run.pidfd, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0)
        return;
    log_death(p, &info);
    process_forget(p);
    poison_look(p);
    if (p->s->stopping) {
        process_set_state(p, PROCESS_DOWN);
        stop_advance(p->s);
    } else {
        process_restart_later(p);
    }
}

static fallible process_introduce(struct process *p)
{
    struct supervisor *s = p->s;
    const struct launch_who who = {
        .role = p->role,
        .index = p->index,
        .gates = s->gates,
        .keepers = s->keepers,
        .as_root = s->as_root,
        .uid = launch_user(p->role, s->as_root, s->config),
        .folder_fd = s->folders[p->role],
        .config = s->config,
    };
    TRY(launch_introduce(p->channel, &who));
    if (p->role == ROLE_GATE)
        TRY(send_doors(p));
    if (p->role == ROLE_KEEPER)
        TRY(poison_introduce(p));
    if (p->role == ROLE_VAULT)
        TRY(send_vault_keys(p));
    if (p->role == ROLE_DIRECTORY)
        TRY(send_directory_files(p));
    TRY(connect_all(p));
    struct ipc_msg go = {.type = MSG_GO};
    return channel_request(p->channel, &go, LIMIT_START_TIME, on_ready, p, NULL);
}

static void process_start(struct process *p)
{
    static const struct channel_events events = {on_message, on_closed};
    struct supervisor *s = p->s;
    process_set_state(p, PROCESS_OPENING);
    p->reload_due = false;
    enum err e = launch_program(s->programs[p->role], p->name, &p->run);
    if (e != OK) {
        p->run.pidfd = -1;
        log_event(LOG_ERROR, "process.not-started", LOG_STR("name", p->name), LOG_ERR(e));
        process_restart_later(p);
        return;
    }
    watch_init(&p->watch, s->loop, p->run.pidfd, on_death, p);
    watch_set(&p->watch, WATCH_READ);
    p->channel =
        channel_new(s->loop, TAKE(p->run.channel, -1), ROLE_SUPERVISOR, p->role, p->index, &events, p);
    e = process_introduce(p);
    if (e != OK) {
        log_event(LOG_ERROR, "process.not-introduced", LOG_STR("name", p->name), LOG_ERR(e));
        process_kill(p);
    }
}

/* ------------------------------------------------------------------------------------------------------- the family */

static void add_process(struct supervisor *s, enum ipc_role role, unsigned index)
{
    struct process *p = &s->processes[s->process_count++];
    *p = (struct process){.s = s, .role = role, .index = index, .run.pidfd = -1, .poison_fd = -1};
    role_process_name(role, index, p->name);
    process_set_state(p, PROCESS_DOWN);
    if (role == ROLE_KEEPER && poison_page_new(p) != OK)
        log_fatal_errno("no memory for a poison page");
}

void family_init(struct supervisor *s)
{
    static const enum ipc_role order[] = {ROLE_SCRIBE, ROLE_VAULT, ROLE_DIRECTORY, ROLE_KEEPER,
                                          ROLE_SCAN,   ROLE_RELAY, ROLE_GATE};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        count += role_count(order[i], s->config, s->cores);
    s->processes = mem_alloc(count * sizeof *s->processes);
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        for (unsigned k = 0; k < role_count(order[i], s->config, s->cores); k++)
            add_process(s, order[i], k);
    s->gates = role_count(ROLE_GATE, s->config, s->cores);
    s->keepers = role_count(ROLE_KEEPER, s->config, s->cores);
}

void family_start(struct supervisor *s)
{
    for (unsigned i = 0; i < s->process_count; i++)
        if (s->processes[i].role != ROLE_GATE)
            process_start(&s->processes[i]);
}

void family_done(struct supervisor *s)
{
    for (unsigned i = 0; i < s->process_count; i++) {
        process_forget(&s->processes[i]);
        poison_page_free(&s->processes[i]);
    }
    mem_free(&s->processes);
    s->process_count = 0;
}

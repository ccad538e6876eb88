/* child.c - the opening of every role, its channels, and what the supervisor asks of all alike. */
#include "proc/child.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/launch.h"
#include "proc/peers.h"

enum { SUPERVISOR_FD = 3 };

struct child {
    struct proc p;
    bool logging; /* as the settings say */
    uid_t uid;
    gid_t gid;
    uint64_t go_id;         /* the supervisor waits for `ready` under this id */
    bool opening;           /* start messages are coming in */
    struct config *next;    /* settings of a reload that is coming in */
    struct config **former; /* those that reloads replaced */
    size_t former_count;
    struct buf problem;       /* of the certificates of that reload */
    struct ipc_msg *poisoned; /* told before the role could listen */
    size_t poisoned_count;
    struct role_jail jail;
    int status;
    bool stopping;
};

/* ------------------------------------------------------------------------------------------------- steps that fail */

static _Noreturn void fail_step(const char *step, enum err e)
{
    log_event(LOG_ERROR, "start.failed", LOG_STR("step", step), LOG_ERR(e));
    _exit(70);
}

static void must(const char *step, enum err e)
{
    if (e != OK)
        fail_step(step, e);
}

static _Noreturn void fail_jail(const struct jail_failure *failure)
{
    log_event(
        LOG_ERROR, "sandbox.failed", LOG_STR("step", failure->step),
        LOG_STR("errno", failure->error ? strerror(failure->error) : "the kernel did not do it"));
    _exit(70);
}

/* ---------------------------------------------------------------------------------------------------- stopping */

/* The supervisor has died (PR_SET_PDEATHSIG), or somebody wants just this process gone. If the loop is alive it sees
 * the end of its channel and stops in order; if it hangs, the alarm ends the process all the same. */
static void on_death_signal(int signal)
{
    alarm(LIMIT_STOP_TIME / 1000);
}

static void stop_begin(struct child *c, uint64_t within_ms)
{
    if (c->stopping)
        return;
    c->stopping = true;
    if (c->p.ops->stop && !c->opening)
        c->p.ops->stop(&c->p, within_ms);
    else
        proc_end(&c->p);
}

void proc_end(struct proc *p)
{
    loop_stop(p->loop);
}

/* ---------------------------------------------------------------------------------------------------- settings */

static enum log_level level_of(const struct config *config)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    uint64_t level = config_number(config, CONFIG_LOG_LEVEL);
    assert(level < sizeof levels / sizeof *levels);
    return levels[level];
}

/* When the last setting has come. */
static void start_log(struct child *c)
{
    const struct proc *p = &c->p;
    static const enum log_form forms[] = {LOG_FORM_AUTO, LOG_FORM_TEXT, LOG_FORM_JSON};
    uint64_t form = config_number(p->config, CONFIG_LOG_FORM);
    assert(form < sizeof forms / sizeof *forms);
    log_init(p->name, 2, forms[form], level_of(p->config));
    c->logging = true;
}

static void take_setting(struct child *c, const struct msg_setting *m)
{
    if (!c->opening && !c->next)
        c->next = config_new();
    struct config *to = c->opening ? c->p.config : c->next;
    enum err e = config_set_text(to, m->key, m->value);
    if (e != OK)
        log_event(LOG_ERROR, "setting.refused", LOG_TEXT("key", m->key), LOG_ERR(e));
    if (e != OK && c->opening)
        fail_step("settings", e);
}

/* Sessions go on with the texts they began with (effect "new sessions"), so a configuration that was replaced stays until
 * the process ends. One that says the same is not taken at all: a reload without a change costs nothing. */
static void replace_config(struct child *c)
{
    struct config_changes changes;
    config_compare(c->p.config, c->next, &changes);
    if (!changes.count[CONFIG_LIVE] && !changes.count[CONFIG_NEW_SESSIONS] &&
        !changes.count[CONFIG_RESTART]) {
        config_free(&c->next);
        return;
    }
    c->former = mem_resize(c->former, (c->former_count + 1) * sizeof(struct config *));
    c->former[c->former_count++] = c->p.config;
    c->p.config = TAKE(c->next, NULL);
}

static void answer_reload(struct child *c, uint64_t id)
{
    struct proc *p = &c->p;
    const struct config *before = p->config;
    if (c->next)
        replace_config(c);
    log_set_level(level_of(p->config));
    if (p->ops->reload)
        p->ops->reload(p, before, &c->problem);
    struct ipc_msg m = {.type = MSG_RELOADED};
    m.u.reloaded.problem = slice_sub(buf_slice(&c->problem), 0, 512);
    IGNORE(channel_answer(p->supervisor, id, &m), "a supervisor that is gone needs no answer");
    buf_clear(&c->problem);
}

static void take_certificate(struct child *c, const struct ipc_msg *m)
{
    struct slice name = m->u.certificate.name;
    if (!c->p.ops->certificate)
        return;
    enum err e =
        c->p.ops->certificate(&c->p, name, m->fds[MSG_CERTIFICATE_FD_CHAIN], m->fds[MSG_CERTIFICATE_FD_KEY]);
    if (e == OK)
        return;
    log_event(LOG_ERROR, "certificate.refused", LOG_TEXT("certificate", name), LOG_ERR(e));
    if (c->opening)
        fail_step("certificate", e);
    buf_printf(&c->problem, "certificate " SLICE_FMT ": %s; ", SLICE_ARG(name), err_text(e));
}

/* ------------------------------------------------------------------------------------------------------- status */

struct proc_status {
    struct child *child;
    uint64_t id;
    size_t lines;
    size_t dropped;
};

static bool status_send(
    struct proc_status *out, const char *subject, uint64_t id, const char *state, int64_t since_s,
    struct slice detail)
{
    struct proc *p = &out->child->p;
    struct ipc_msg m = {.type = MSG_STATUS_LINE};
    m.u.status_line = (struct msg_status_line){
        .process = slice_str(p->name),
        .subject = slice_str(subject),
        .id = id,
        .state = slice_str(state),
        .since_s = since_s,
        .detail = slice_sub(detail, 0, 512),
    };
    return channel_answer(p->supervisor, out->id, &m) == OK;
}

void proc_status_put(
    struct proc_status *out, const char *subject, uint64_t id, const char *state, int64_t since_s,
    struct slice detail)
{
    if (out->lines < LIMIT_STATUS_LINES && status_send(out, subject, id, state, since_s, detail))
        out->lines++;
    else
        out->dropped++;
}

static void answer_status(struct child *c, uint64_t id)
{
    struct proc *p = &c->p;
    struct proc_status out = {.child = c, .id = id};
    char detail[128];
    int n = snprintf(
        detail, sizeof detail, "%llu records lost, because the scribe did not take them",
        (unsigned long long)proc_peers_dropped(p->peers));
    if (proc_peers_dropped(p->peers))
        proc_status_put(&out, "journal", 0, "lossy", 0, slice_of(detail, (size_t)n));
    if (p->ops->status)
        p->ops->status(p, &out);
    if (out.dropped) {
        n = snprintf(detail, sizeof detail, "%zu more lines are not shown", out.dropped);
        (void)status_send(&out, "more", 0, "", 0, slice_of(detail, (size_t)n));
    }
    struct ipc_msg m = {.type = MSG_STATUS_END};
    IGNORE(channel_answer(p->supervisor, id, &m), "a supervisor that is gone needs no answer");
}

/* -------------------------------------------------------------------------------------- messages of the supervisor */

static void take_start(struct child *c, struct ipc_msg *m)
{
    const struct msg_start *s = &m->u.start;
    struct proc *p = &c->p;
    if (s->role != p->ops->role || c->p.folder_fd >= 0)
        fail_step("start message for another role", ERR_PROTOCOL);
    p->index = s->index;
    p->gates = s->gates;
    p->keepers = s->keepers;
    p->as_root = s->as_root;
    p->offline = s->offline;
    c->uid = (uid_t)s->uid;
    c->gid = (gid_t)s->gid;
    c->p.folder_fd = TAKE(m->fds[MSG_START_FD_FOLDER], -1);
    role_process_name(p->role, p->index, p->name);
    log_init(p->name, 2, LOG_FORM_AUTO, LOG_INFO);
}

static void take_listener(struct child *c, struct ipc_msg *m)
{
    const struct msg_listener *l = &m->u.listener;
    if (!c->opening || !c->p.ops->listener)
        return;
    int fd = TAKE(m->fds[MSG_LISTENER_FD_SOCKET], -1);
    must("listener", c->p.ops->listener(&c->p, l->service, l->tls_mode, l->address, fd));
}

static void take_poison_page(struct child *c, struct ipc_msg *m)
{
    void *page = mmap(
        NULL, sizeof(struct poison_page), PROT_READ | PROT_WRITE, MAP_SHARED,
        m->fds[MSG_POISON_PAGE_FD_MEMORY], 0);
    if (page == MAP_FAILED)
        fail_step("poison page", err_of_errno(errno));
    c->p.poison = page;
}

static void pass_on(struct child *c, struct ipc_msg *m)
{
    if (c->p.ops->message)
        c->p.ops->message(&c->p, c->p.supervisor, m);
}

/* What is poisoned must be known before the role serves, but it cannot be told before it has started. */
static void take_poisoned(struct child *c, struct ipc_msg *m)
{
    if (!c->opening) {
        pass_on(c, m);
    } else if (c->poisoned_count < LIMIT_POISON_ENTRIES) {
        c->poisoned = mem_resize(c->poisoned, (c->poisoned_count + 1) * sizeof *c->poisoned);
        c->poisoned[c->poisoned_count++] = *m;
    }
}

static void take_go(struct child *c, uint64_t id)
{
    if (!c->opening || c->p.folder_fd < 0)
        fail_step("go without a start message", ERR_PROTOCOL);
    c->go_id = id;
    loop_stop(c->p.loop);
}

static void on_supervisor_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct child *c = owner;
    if (!c->logging && m->type != MSG_START && m->type != MSG_SETTING)
        start_log(c);
    switch (m->type) {
    case MSG_START:
        take_start(c, m);
        break;
    case MSG_SETTING:
        take_setting(c, &m->u.setting);
        break;
    case MSG_LISTENER:
        take_listener(c, m);
        break;
    case MSG_CERTIFICATE:
        take_certificate(c, m);
        break;
    case MSG_PEER:
        proc_peers_add(c->p.peers, &m->u.peer, TAKE(m->fds[MSG_PEER_FD_SOCKET], -1));
        break;
    case MSG_POISON_PAGE:
        take_poison_page(c, m);
        break;
    case MSG_POISONED:
        take_poisoned(c, m);
        break;
    case MSG_GO:
        take_go(c, m->id);
        break;
    case MSG_RELOAD:
        answer_reload(c, m->id);
        break;
    case MSG_STATUS_ASK:
        answer_status(c, m->id);
        break;
    case MSG_STOP:
        stop_begin(c, m->u.stop.within_ms);
        break;
    default:
        pass_on(c, m);
    }
}

static void on_supervisor_closed(struct channel *ch, enum err why, void *owner)
{
    struct child *c = owner;
    channel_close(&c->p.supervisor);
    if (c->opening) {
        c->status = 70;
        loop_stop(c->p.loop);
        return;
    }
    if (!c->stopping && !c->p.offline)
        log_event(LOG_WARN, "supervisor.gone", LOG_ERR(why), LOG_NUM("stop_within_ms", LIMIT_STOP_TIME));
    alarm(LIMIT_STOP_TIME / 1000);
    stop_begin(c, LIMIT_STOP_TIME);
}

/* ------------------------------------------------------------------------------------------------------ the opening */

static void set_signals(void)
{
    static const int ignored[] = {SIGINT, SIGHUP, SIGPIPE};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, death = {.sa_handler = on_death_signal};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        sigaction(ignored[i], &ignore, NULL);
    sigaction(SIGTERM, &death, NULL);
}

/* Steps 1 and 2: until `go`. */
static void open_child(struct child *c, const struct child_ops *ops, enum ipc_role starter)
{
    struct proc *p = &c->p;
    log_init(role_row(ops->role)->program, 2, LOG_FORM_AUTO, LOG_INFO);
    const int keep[] = {SUPERVISOR_FD};
    must("descriptors", jail_close_others(SUPERVISOR_FD, keep, 1));
    set_signals();
    mem_share_heap();
    p->ops = ops;
    p->role = ops->role;
    p->started_s = clock_unix_s();
    p->config = config_new();
    p->loop = loop_new();
    p->peers = proc_peers_new(p);
    p->folder_fd = -1;
    c->opening = true;
    buf_init(&c->problem, 4096);
    static const struct channel_events events = {on_supervisor_message, on_supervisor_closed};
    p->supervisor = channel_new(p->loop, SUPERVISOR_FD, p->role, starter, 0, &events, c);
    must("loop", loop_run(p->loop));
}

static enum err last_act(void *owner)
{
    struct child *c = owner;
    return c->p.ops->last_act(&c->p);
}

/* Steps 3 to 6. */
static void enter_jail(struct child *c)
{
    struct proc *p = &c->p;
    const struct role_row *row = role_row(p->role);
    if (p->ops->prepare)
        must("prepare", p->ops->prepare(p));
    role_jail_init(
        &c->jail, p->role, p->index, p->keepers, c->p.folder_fd, p->as_root, c->uid, c->gid, false);
    if (p->ops->last_act) {
        c->jail.jail.last_act = last_act;
        c->jail.jail.last_act_owner = c;
    }
    struct jail_failure failure = {0};
    if (jail_enter(&c->jail.jail, &p->sandbox, &failure) != OK)
        fail_jail(&failure);
    /* A change of user clears it, so it comes after. A supervisor that died before is seen at its channel. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0)
        fail_step("parent death signal", err_of_errno(errno));
    if (row->threads)
        p->pool = pool_new(p->loop, row->threads, row->pool_queue);
    if (jail_seal(&c->jail.jail, &p->sandbox, &failure) != OK)
        fail_jail(&failure);
}

/* Steps 7 and 8. */
static void begin(struct child *c)
{
    struct proc *p = &c->p;
    proc_peers_connect(p->peers);
    if (p->ops->start)
        must("start", p->ops->start(p));
    c->opening = false;
    for (size_t i = 0; i < c->poisoned_count; i++)
        pass_on(c, &c->poisoned[i]);
    mem_free(&c->poisoned);
    proc_peers_announce(p->peers);
    struct ipc_msg m = {.type = MSG_READY};
    char sandbox[256];
    m.u.ready.sandbox = slice_str(jail_state_text(&p->sandbox, sandbox, sizeof sandbox));
    must("ready", channel_answer(p->supervisor, c->go_id, &m));
}

static void child_done(struct child *c)
{
    struct proc *p = &c->p;
    if (p->ops->end)
        p->ops->end(p);
    proc_peers_free(&p->peers);
    channel_close(&p->supervisor);
    pool_free(&p->pool);
    config_free(&p->config);
    config_free(&c->next);
    for (size_t i = 0; i < c->former_count; i++)
        config_free(&c->former[i]);
    mem_free(&c->former);
    buf_done(&c->problem);
    file_close(&c->p.folder_fd);
    loop_free(&p->loop);
}

int child_main(const struct child_ops *ops, int argc, char **argv)
{
    struct child *c = NEW(struct child);
    /* Who starts this program decides who it obeys; the other end of descriptor 3 is theirs either way. */
    bool by_command = argc > 1 && strcmp(argv[1], LAUNCH_OFFLINE) == 0;
    open_child(c, ops, by_command ? ROLE_CLI : ROLE_SUPERVISOR);
    if (c->p.supervisor && !c->stopping) {
        enter_jail(c);
        begin(c);
        must("loop", loop_run(c->p.loop));
    }
    int status = c->status;
    child_done(c);
    free(c);
    return status;
}

#ifdef SANITIZED
/* Leaks are looked for by a helper that a jail refuses; the unit tests look for them. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

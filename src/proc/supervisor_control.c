/* supervisor_control.c - DIR/control: who may command is decided here by the kernel's word, what they say is read by the
 * vault alone. And what `letterlock status` shows of everybody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/listen.h"
#include "proc/supervisor.h"

#define CONTROL_NAME "control"

/* ------------------------------------------------------------------------------------------------- the control socket */

/* In DIR, which is the working directory by then. */
fallible control_open(struct supervisor *s, struct launch_problem *problem)
{
    enum err e = net_listen_unix(CONTROL_NAME, &s->control_fd);
    if (e == OK && s->as_root && s->owner != 0 && lchown(CONTROL_NAME, s->owner, (gid_t)-1) != 0)
        e = err_of_errno(errno);
    if (e == OK)
        return OK;
    snprintf(problem->text, sizeof problem->text, "the control socket: %s", err_text(e));
    snprintf(problem->remedy, sizeof problem->remedy, "%s", net_listen_advice(e));
    return e;
}

static fallible pass_to_vault(struct supervisor *s, int fd, const struct net_peer *peer)
{
    int connection CLEANUP_FD = fd;
    for (unsigned i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->role != ROLE_VAULT || p->state != PROCESS_READY || !p->channel)
            continue;
        struct ipc_msg m = {.type = MSG_CONTROL, .fd_count = 1, .fds = {TAKE(connection, -1)}};
        m.u.control.uid = peer->uid;
        m.u.control.pid = (uint32_t)peer->pid;
        return channel_send(p->channel, &m);
    }
    return ERR_UNAVAILABLE;
}

static void on_connection(struct watch *w, unsigned what)
{
    struct supervisor *s = w->owner;
    struct net_peer peer;
    int fd = accept4(s->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    enum err e = net_peer_of(fd, &peer);
    if (e == OK && peer.uid != 0 && peer.uid != s->owner)
        e = ERR_DENIED;
    if (e != OK)
        file_close(&fd);
    else
        e = pass_to_vault(s, fd, &peer);
    if (e != OK)
        log_event(
            LOG_WARN, "control.refused", LOG_NUM("uid", e == ERR_DENIED ? (int64_t)peer.uid : -1),
            LOG_ERR(e));
}

void control_start(struct supervisor *s)
{
    watch_init(&s->control_watch, s->loop, s->control_fd, on_connection, s);
    watch_set(&s->control_watch, WATCH_READ);
}

void control_close(struct supervisor *s)
{
    if (s->control_fd < 0)
        return;
    watch_stop(&s->control_watch);
    file_close(&s->control_fd);
    /* Where DIR belongs to somebody else this may fail; the next start replaces what is left. */
    unlinkat(s->dir_fd, CONTROL_NAME, 0);
}

/* ------------------------------------------------------------------------------------------------------------ status */

/* One question of the vault, answered when everybody has answered or was waited for. */
struct collect {
    struct process *vault;
    struct channel *channel; /* the vault's when it asked */
    unsigned restarts;       /* as then: another number means that it has died since */
    uint64_t id;
    unsigned pending;
    size_t octets, dropped;
};

static bool asker_is_there(const struct collect *c)
{
    return c->vault->channel == c->channel && c->vault->restarts == c->restarts;
}

/* What would not fit into the line to the vault is counted instead: its last message must fit. */
static void put_line(struct collect *c, const struct msg_status_line *line)
{
    struct ipc_msg m = {.type = MSG_STATUS_LINE};
    m.u.status_line = *line;
    c->octets += 64 + line->process.n + line->subject.n + line->state.n + line->detail.n;
    if (c->octets > LIMIT_IPC_OUTBOX / 2 || !asker_is_there(c) || channel_answer(c->channel, c->id, &m) != OK)
        c->dropped++;
}

static void put_own(
    struct collect *c, const char *process, uint64_t pid, const char *state, int64_t since_s,
    const char *detail)
{
    const struct msg_status_line line = {
        .process = slice_str(process),
        .subject = S("process"),
        .id = pid,
        .state = slice_str(state),
        .since_s = since_s,
        .detail = slice_str(detail),
    };
    put_line(c, &line);
}

/* It has neither a user nor a root folder of its own, and as root keeps five capabilities: that is not missing, it is how
 * the others get theirs. */
static void put_supervisor(struct collect *c)
{
    const struct supervisor *s = c->vault->s;
    struct jail_state state = s->sandbox;
    state.own_user = state.own_root = state.no_capabilities = true;
    char sandbox[128], detail[256];
    snprintf(
        detail, sizeof detail, "restarts=0 sandbox=%s%s", jail_state_text(&state, sandbox, sizeof sandbox),
        s->as_root ? " keeps=bind,chroot,setuid,setgid,kill" : "");
    put_own(c, "supervisor", (uint64_t)getpid(), s->stopping ? "stopping" : "ready", s->started_s, detail);
}

static void put_process(struct collect *c, const struct process *p)
{
    char detail[400];
    snprintf(
        detail, sizeof detail, "restarts=%u sandbox=%s", p->restarts, p->sandbox[0] ? p->sandbox : "unknown");
    put_own(
        c, p->name, process_is_alive(p) ? (uint64_t)p->run.pid : 0, process_state_name(p->state), p->since_s,
        detail);
}

static void collect_finish(struct collect *c)
{
    if (asker_is_there(c) && c->dropped) {
        char detail[64];
        int n = snprintf(detail, sizeof detail, "%zu more lines are not shown", c->dropped);
        struct ipc_msg more = {.type = MSG_STATUS_LINE};
        more.u.status_line = (struct msg_status_line){
            .process = S("supervisor"), .subject = S("more"), .detail = slice_of(detail, (size_t)n)};
        IGNORE(channel_answer(c->channel, c->id, &more), "a vault that has died asks no more");
    }
    struct ipc_msg m = {.type = MSG_STATUS_END};
    if (asker_is_there(c))
        IGNORE(channel_answer(c->channel, c->id, &m), "a vault that has died asks no more");
    free(c);
}

static void on_status(void *owner, enum err why, struct ipc_msg *answer)
{
    struct collect *c = owner;
    if (why == OK && answer->type == MSG_STATUS_LINE) {
        put_line(c, &answer->u.status_line);
        return;
    }
    if (--c->pending == 0)
        collect_finish(c);
}

void control_collect_status(struct process *vault, uint64_t id)
{
    struct supervisor *s = vault->s;
    struct collect *c = NEW(struct collect);
    *c = (struct collect){
        .vault = vault, .channel = vault->channel, .restarts = vault->restarts, .id = id, .pending = 1};
    put_supervisor(c);
    for (unsigned i = 0; i < s->process_count; i++)
        put_process(c, &s->processes[i]);
    for (unsigned i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        struct ipc_msg ask = {.type = MSG_STATUS_ASK};
        if (p->state != PROCESS_READY || !p->channel)
            continue;
        c->pending++;
        if (channel_request(p->channel, &ask, LIMIT_STATUS_WAIT, on_status, c, NULL) != OK)
            c->pending--;
    }
    if (--c->pending == 0)
        collect_finish(c);
}

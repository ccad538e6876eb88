/* actor.c - plays any role for tests of the supervisor: it is jailed like the role, and behaves as the first label of the
 * configured hostname says.
 *
 *   plain     serves nothing, ends when told to
 *   deadly    keeper-0 touches a message that kills it, until it is told that the message is poisoned
 *   stubborn  does not end when told to
 *   broken    scan-0 ends with an error before it is ready
 *
 * The role is the end of the program's name: copied to letterlock-keeper it is a keeper. What happens to it stands in the
 * log as events that begin with "actor.".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/child.h"

static const struct account_id victim = {{0xab, 1, 2, 3}};
enum { DEADLY_MESSAGE = 7 };

struct actor {
    bool warned;
    struct timer timer;
};

static bool acts(const struct proc *p, const char *what)
{
    return slice_starts(config_text(p->config, CONFIG_HOSTNAME), slice_str(what));
}

static void touch_message(struct timer *t)
{
    struct proc *p = t->owner;
    struct actor *a = p->owner;
    if (a->warned) {
        log_event(LOG_INFO, "actor.opaque", LOG_NUM("message", DEADLY_MESSAGE));
        return;
    }
    poison_enter(p->poison, &victim, DEADLY_MESSAGE, "parse");
    _exit(99);
}

static enum err on_prepare(struct proc *p)
{
    p->owner = NEW(struct actor);
    return acts(p, "broken") && p->role == ROLE_SCAN && p->index == 0 ? ERR_IO : OK;
}

static enum err on_start(struct proc *p)
{
    struct actor *a = p->owner;
    timer_init(&a->timer, p->loop, touch_message, p);
    if (acts(p, "deadly") && p->role == ROLE_KEEPER && p->index == 0)
        timer_start(&a->timer, 1);
    return OK;
}

static enum err on_listener(
    struct proc *p, enum ipc_service service, enum ipc_tls_mode mode, struct slice address, int socket)
{
    log_event(
        LOG_INFO, "actor.door", LOG_STR("service", ipc_service_name(service)),
        LOG_STR("tls", ipc_tls_mode_name(mode)), LOG_TEXT("address", address));
    close(socket);
    return OK;
}

static enum err on_certificate(struct proc *p, struct slice name, int chain_fd, int key_fd)
{
    struct buf chain CLEANUP_BUF = BUF_INIT(65536);
    struct buf key CLEANUP_BUF = BUF_INIT(65536);
    TRY(file_read_all(chain_fd, &chain));
    TRY(file_read_all(key_fd, &key));
    log_event(
        LOG_INFO, "actor.certificate", LOG_TEXT("names", name), LOG_NUM("chain", chain.n),
        LOG_NUM("key", key.n));
    return slice_starts(buf_slice(&chain), S("-----BEGIN")) ? OK : ERR_SYNTAX;
}

static void on_status_line(void *owner, enum err why, struct ipc_msg *m)
{
    if (why != OK)
        log_event(LOG_WARN, "actor.status-failed", LOG_ERR(why));
    else if (m->type == MSG_STATUS_LINE)
        log_event(
            LOG_INFO, "actor.status", LOG_TEXT("name", m->u.status_line.process),
            LOG_TEXT("subject", m->u.status_line.subject), LOG_NUM("id", m->u.status_line.id),
            LOG_TEXT("state", m->u.status_line.state), LOG_TEXT("detail", m->u.status_line.detail));
    else
        log_event(LOG_INFO, "actor.status-end");
}

/* Whoever may command gets the status of everybody. */
static void on_control(struct proc *p, struct ipc_msg *m)
{
    log_event(LOG_INFO, "actor.control", LOG_NUM("uid", m->u.control.uid), LOG_NUM("pid", m->u.control.pid));
    struct ipc_msg ask = {.type = MSG_STATUS_COLLECT};
    if (channel_request(p->supervisor, &ask, 0, on_status_line, p, NULL) != OK)
        log_event(LOG_WARN, "actor.status-failed");
}

static void on_message(struct proc *p, struct channel *from, struct ipc_msg *m)
{
    struct actor *a = p->owner;
    if (m->type == MSG_CONTROL) {
        on_control(p, m);
    } else if (m->type == MSG_POISONED) {
        a->warned = m->u.poisoned.message == DEADLY_MESSAGE && account_id_eq(&m->u.poisoned.account, &victim);
        log_event(LOG_INFO, "actor.poisoned", LOG_NUM("message", m->u.poisoned.message));
    }
}

static void on_peer_up(struct proc *p, enum ipc_role role, unsigned index, struct channel *channel)
{
    char name[PROC_NAME_MAX];
    role_process_name(role, index, name);
    log_event(LOG_INFO, "actor.peer-up", LOG_STR("peer", name));
    if (role == ROLE_SCRIBE &&
        !proc_audit(p, S("actor.hello"), slice_str(p->name), S("everybody"), S("pid=1\nx=y\n")))
        log_event(LOG_WARN, "actor.audit-lost");
}

static void on_peer_down(struct proc *p, enum ipc_role role, unsigned index, enum err why)
{
    char name[PROC_NAME_MAX];
    role_process_name(role, index, name);
    log_event(LOG_INFO, "actor.peer-down", LOG_STR("peer", name));
}

static void on_reload(struct proc *p, const struct config *before, struct buf *problem)
{
    log_event(
        LOG_INFO, "actor.reload", LOG_TEXT("before", config_text(before, CONFIG_HOSTNAME)),
        LOG_TEXT("after", config_text(p->config, CONFIG_HOSTNAME)), LOG_TEXT("problem", buf_slice(problem)));
}

static void on_stop(struct proc *p, uint64_t within_ms)
{
    if (!acts(p, "stubborn"))
        proc_end(p);
}

static void on_end(struct proc *p)
{
    struct actor *a = p->owner;
    timer_stop(&a->timer);
    mem_free(&p->owner);
}

static void on_status(struct proc *p, struct proc_status *out)
{
    proc_status_put(out, "session", 42, "input", p->started_s, S("an actor's"));
}

int main(int argc, char **argv)
{
    static struct child_ops ops = {
        .prepare = on_prepare,
        .start = on_start,
        .listener = on_listener,
        .certificate = on_certificate,
        .message = on_message,
        .peer_up = on_peer_up,
        .peer_down = on_peer_down,
        .reload = on_reload,
        .stop = on_stop,
        .end = on_end,
        .status = on_status,
    };
    const char *dash = strrchr(argv[0], '-');
    for (unsigned role = ROLE_GATE; dash && role < ROLES; role++) {
        ops.role = (enum ipc_role)role;
        if (strcmp(dash + 1, role_row(ops.role)->name) == 0)
            return child_main(&ops, argc, argv);
    }
    fputs("actor: copy me to letterlock-ROLE\n", stderr);
    return 64;
}

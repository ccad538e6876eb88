/* keeper_main.c - the keeper: owns the mail of its slots' accounts (see keeper.h). */
#include "proc/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "keeper/poisoned.h"
#include "keeper/spending.h"
#include "mail/charset.h"

/* From the supervisor. The line comes once for each message and life of the keeper. */
static void on_poisoned(struct keeper *k, struct channel *from, struct ipc_msg *m)
{
    (void)from;
    const struct msg_poisoned *d = &m->u.poisoned;
    struct buf account CLEANUP_BUF = BUF_INIT(ID_HEX_LEN);
    hex_put(&account, slice_of(d->account.b, sizeof d->account.b));
    if (poisoned_add(k->env.poisoned, &d->account, d->message))
        log_event(
            LOG_ERROR, "message.opaque", LOG_TEXT("account", buf_slice(&account)),
            LOG_NUM("message", d->message),
            LOG_STR("remedy", "the mail stays readable as raw octets; keep a copy of it for a bug report"));
}

static const struct {
    enum ipc_type type;
    keeper_handler *run;
} handlers[] = {
    {MSG_GRANT, keeper_on_grant},
    {MSG_ATTACH, keeper_on_attach},
    {MSG_REVOKE, keeper_on_revoke},
    {MSG_RECIPIENT_CHECK, keeper_on_recipient_check},
    {MSG_SNAPSHOT, keeper_on_snapshot},
    {MSG_SNAPSHOT_TRANSIT, keeper_on_snapshot_transit},
    {MSG_ACCOUNT_REMOVED, keeper_on_account_removed},
    {MSG_POISONED, on_poisoned},
};

static void on_message(struct proc *p, struct channel *from, struct ipc_msg *m)
{
    struct keeper *k = p->owner;
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (handlers[i].type == m->type) {
            handlers[i].run(k, from, m);
            return;
        }
    }
    arrivals_message(k->arrivals, from, m);
}

/* At start the peers come before ops.start: then there is nothing to confirm yet. */
static void on_peer_up(struct proc *p, enum ipc_role role, unsigned index, struct channel *channel)
{
    struct keeper *k = p->owner;
    if (role == ROLE_KEEPER && index < LIMIT_KEEPERS)
        k->peers[index] = channel;
    if (role == ROLE_SCRIBE)
        k->env.scribe = channel;
    if (role == ROLE_VAULT) {
        k->env.vault = channel;
        if (k->env.sessions)
            keeper_confirm_credentials(k);
    }
}

static void on_peer_down(struct proc *p, enum ipc_role role, unsigned index, enum err why)
{
    struct keeper *k = p->owner;
    (void)why;
    if (role == ROLE_KEEPER && index < LIMIT_KEEPERS)
        k->peers[index] = NULL;
    if (role == ROLE_SCRIBE)
        k->env.scribe = NULL;
    if (role == ROLE_VAULT)
        k->env.vault = NULL;
    questions_forget(k, role, index);
    arrivals_peer_down(k->arrivals, role, index);
}

static void
on_store_event(void *owner, const struct account_id *id, const char *what, enum err why, struct slice text)
{
    (void)owner;
    char hex[ID_HEX_LEN + 1];
    hex_text(slice_of(id->b, sizeof id->b), hex);
    enum log_level level = why == OK ? LOG_DEBUG : why == ERR_CORRUPT ? LOG_ERROR : LOG_WARN;
    log_event(
        level, "store", LOG_STR("what", what), LOG_STR("account", hex), LOG_ERR(why), LOG_TEXT("text", text));
}

static fallible prepare(struct proc *p)
{
    struct keeper *k = NEW(struct keeper);
    p->owner = k;
    k->proc = p;
    list_init(&k->questions);
    crypto_init();
    store_init();
    const char *missing = NULL;
    enum err e = charsets_new(&k->charsets, &missing);
    if (e != OK)
        log_event(LOG_ERROR, "charset.missing", LOG_STR("charset", missing), LOG_ERR(e));
    return e;
}

static fallible start(struct proc *p)
{
    struct keeper *k = p->owner;
    k->root = p->folder_fd; /* "." itself is in none of the trees that the jail leaves open */
    struct accounts_options options = {
        .root = k->root,
        .open_max = (unsigned)config_number(p->config, CONFIG_OPEN_ACCOUNTS),
        .event = on_store_event,
        .owner = k,
    };
    k->env = (struct keeper_env){
        .vault = k->env.vault,
        .scribe = k->env.scribe,
        .loop = p->loop,
        .accounts = accounts_new(p->loop, p->pool, &options),
        .sessions = sessions_new(p->loop),
        .grants = grants_new(p->loop),
        .index = p->index,
        .keepers = p->keepers,
        .hostname = config_text(p->config, CONFIG_HOSTNAME),
        .message_limit = config_number(p->config, CONFIG_MESSAGE_SIZE),
        .charsets = k->charsets,
        .peers = k->peers,
        .poison = p->poison,
        .poisoned = poisoned_new(),
    };
    sessions_on_drop(k->env.sessions, session_spend_rest, &k->env);
    return arrivals_new(&k->env, p->pool, k->root, &k->arrivals);
}

/* ---- stopping: sessions say goodbye, then the databases close ---- */

static void on_stores_closed(void *owner)
{
    struct keeper *k = owner;
    timer_stop(&k->stop_timer);
    proc_end(k->proc);
}

static void on_stop_late(struct timer *t)
{
    struct keeper *k = t->owner;
    log_event(LOG_WARN, "stop.late", LOG_STR("reason", "databases were still closing"));
    proc_end(k->proc);
}

static void stop(struct proc *p, uint64_t within_ms)
{
    struct keeper *k = p->owner;
    if (k->env.stopping)
        return;
    k->env.stopping = true;
    sessions_end_all(k->env.sessions, END_STOPPING);
    arrivals_stop(k->arrivals);
    timer_init(&k->stop_timer, p->loop, on_stop_late, k);
    timer_start(&k->stop_timer, within_ms);
    accounts_stop(k->env.accounts, on_stores_closed, k);
}

/* ---- status ---- */

static void describe_session(const struct session *s, void *arg)
{
    struct buf text = BUF_INIT(512);
    char ip[IP_TEXT_MAX];
    buf_printf(
        &text, "%s %s from %s", s->grant.address, ipc_service_name(s->grant.service),
        ip_text(&s->client, ip));
    if (s->ops->describe) {
        buf_put_char(&text, ' ');
        s->ops->describe(s, &text);
    }
    proc_status_put(arg, "session", s->id, session_wait_name(s->wait), s->started_s, buf_slice(&text));
    buf_done(&text);
}

static void status(struct proc *p, struct proc_status *out)
{
    struct keeper *k = p->owner;
    struct accounts_status now = accounts_status(k->env.accounts);
    struct buf text = BUF_INIT(256);
    buf_printf(
        &text, "accounts: %zu known, %zu open, %zu waiting, %zu poisoned", now.known, now.open, now.waiting,
        now.poisoned);
    proc_status_put(out, "store", 0, now.poisoned ? "poisoned" : "ok", 0, buf_slice(&text));
    buf_done(&text);
    sessions_each(k->env.sessions, describe_session, out);
}

static void reload(struct proc *p, const struct config *before, struct buf *problem)
{
    struct keeper *k = p->owner;
    (void)before;
    (void)problem;
    k->env.hostname = config_text(p->config, CONFIG_HOSTNAME);
    k->env.message_limit = config_number(p->config, CONFIG_MESSAGE_SIZE);
}

int main(int argc, char **argv)
{
    static const struct child_ops ops = {
        .role = ROLE_KEEPER,
        .prepare = prepare,
        .start = start,
        .message = on_message,
        .peer_up = on_peer_up,
        .peer_down = on_peer_down,
        .reload = reload,
        .stop = stop,
        .status = status,
    };
    return child_main(&ops, argc, argv);
}

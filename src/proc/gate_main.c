/* gate_main.c - the gate: the only process that meets the network. TLS ends here; what people say before they have signed
 * in, and all of SMTP, is spoken here; everything else is copied to and from a keeper. It holds no stored secret, no mail at
 * rest, and opens nothing by name.
 */
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "gate/gate.h"
#include "imap/front/front.h"
#include "pop3/front/front.h"
#include "proc/child.h"
#include "smtp/front/front.h"

enum { SLAB = 256 * 1024, STOP_LOOK_MS = 50 };

/* What came with the start messages, before the gate itself could be made. */
struct waiting_listener {
    struct list link;
    enum ipc_service service;
    enum ipc_tls_mode mode;
    struct slice address;
    int socket;
    char text[256];
};

struct gate_process {
    struct proc *proc;
    struct gate gate;
    struct secret_slab *slab;
    struct tls_set *coming; /* certificates of a start or reload, complete when its last message came */
    struct list listeners;
    struct timer stopping;
    uint64_t stop_by;
    bool made;
};

static const struct front *const fronts[GATE_PROTOCOLS] = {
    [GATE_SMTP] = &smtp_front, [GATE_IMAP] = &imap_front, [GATE_POP3] = &pop3_front};

/* The first callback of the start makes it. */
static struct gate_process *self(struct proc *p)
{
    if (!p->owner) {
        struct gate_process *g = NEW(struct gate_process);
        g->proc = p;
        list_init(&g->listeners);
        p->owner = g;
    }
    return p->owner;
}

static fallible on_listener(
    struct proc *p, enum ipc_service service, enum ipc_tls_mode mode, struct slice address, int socket)
{
    struct waiting_listener *w = NEW(struct waiting_listener);
    *w = (struct waiting_listener){.service = service, .mode = mode, .socket = socket};
    address = slice_sub(address, 0, sizeof w->text);
    memcpy(w->text, address.p, address.n);
    w->address = slice_of(w->text, address.n);
    list_add(&self(p)->listeners, &w->link);
    return OK;
}

static void expect_certificates(struct gate_process *g)
{
    if (g->coming)
        return;
    unsigned count;
    const struct tls_kind *kinds = door_tls_kinds(&count);
    bool only_tls13 = slice_eq(config_text(g->proc->config, CONFIG_TLS_LEAST), S("1.3"));
    tls_library_start();
    g->coming = tls_set_new(kinds, count, only_tls13);
}

static fallible on_certificate(struct proc *p, struct slice name, int chain_fd, int key_fd)
{
    struct gate_process *g = self(p);
    expect_certificates(g);
    /* At start an expired pair is better than none: people can still reach the server and see what is wrong. */
    enum tls_fault fault = tls_set_add_files(g->coming, chain_fd, key_fd, name, !g->gate.tls);
    if (fault == TLS_FINE)
        return OK;
    log_event(
        LOG_ERROR, "certificate.bad", LOG_TEXT("names", name), LOG_STR("reason", tls_fault_text(fault)));
    return ERR_CORRUPT;
}

/* A file that is no good vouches for nobody: people sign in by their secrets, and the log says what is wrong. */
static void take_client_authority(struct gate_process *g, int fd)
{
    expect_certificates(g);
    enum tls_fault fault = tls_set_add_clients_file(g->coming, fd);
    if (fault != TLS_FINE)
        log_event(
            LOG_ERROR, "certificate.bad", LOG_STR("names", "client_certificates"),
            LOG_STR("reason", tls_fault_text(fault)));
}

static struct channel *keeper_of(uint8_t slot, void *arg)
{
    return proc_keeper_of(arg, slot);
}

static fallible prepare(struct proc *p)
{
    struct gate_process *g = self(p);
    crypto_init();
    tls_library_start();
    g->slab = secret_slab_new(SLAB);
    gate_init(&g->gate, p->loop, p->config, g->slab, fronts, keeper_of, p);
    g->made = true;
    return OK;
}

static fallible start(struct proc *p)
{
    struct gate_process *g = self(p);
    if (g->coming)
        gate_set_certificates(&g->gate, g->coming);
    tls_set_unref(&g->coming);
    LIST_EACH (&g->listeners, struct waiting_listener, link, w) {
        list_drop(&w->link);
        enum err e = gate_add_listener(&g->gate, w->service, w->mode, w->address, w->socket);
        free(w);
        TRY(e);
    }
    if (proc_vault(p))
        gate_vault_up(&g->gate, proc_vault(p));
    gate_start(&g->gate);
    return OK;
}

/* At start peers come before the gate serves: `start` looks for the vault itself. */
static void on_peer_up(struct proc *p, enum ipc_role role, unsigned index, struct channel *channel)
{
    (void)index;
    struct gate_process *g = self(p);
    if (role == ROLE_VAULT && g->made && g->gate.accepting)
        gate_vault_up(&g->gate, channel);
}

static void on_peer_down(struct proc *p, enum ipc_role role, unsigned index, enum err why)
{
    (void)index;
    (void)why;
    struct gate_process *g = self(p);
    if (role == ROLE_VAULT && g->made)
        gate_vault_down(&g->gate);
}

static void on_message(struct proc *p, struct channel *from, struct ipc_msg *m)
{
    if (m->type == MSG_CLIENT_AUTHORITY) {
        int fd CLEANUP_FD = TAKE(m->fds[MSG_CLIENT_AUTHORITY_FD_CONTENTS], -1);
        take_client_authority(self(p), fd);
        return;
    }
    if (m->type == MSG_MECHANISMS_CHANGED) {
        gate_offers_changed(&self(p)->gate);
        return;
    }
    if (m->type == MSG_RECIPIENTS_CHANGED) {
        recipients_forget(&self(p)->gate.recipients);
        return;
    }
    log_event(
        LOG_WARN, "message.unknown", LOG_STR("type", ipc_shape_of(m->type)->name),
        LOG_STR("from", ipc_role_name(channel_peer(from))));
}

static void reload(struct proc *p, const struct config *before, struct buf *problem)
{
    (void)before;
    (void)problem;
    struct gate_process *g = self(p);
    gate_reload(&g->gate, p->config);
    if (g->coming)
        gate_set_certificates(&g->gate, g->coming);
    tls_set_unref(&g->coming);
}

/* Signed-in sessions end when their keepers have said goodbye. */
static void on_stopping(struct timer *t)
{
    struct gate_process *g = t->owner;
    if (gate_signed_in(&g->gate) && loop_now(g->proc->loop) < g->stop_by) {
        timer_start(t, STOP_LOOK_MS);
        return;
    }
    gate_done(&g->gate);
    proc_end(g->proc);
}

static void stop(struct proc *p, uint64_t within_ms)
{
    struct gate_process *g = self(p);
    if (g->stop_by)
        return;
    g->stop_by = loop_now(p->loop) + within_ms;
    gate_stop(&g->gate);
    timer_init(&g->stopping, p->loop, on_stopping, g);
    timer_start(&g->stopping, STOP_LOOK_MS);
}

static void put_line(const struct gate_line *line, void *arg)
{
    proc_status_put(arg, line->subject, line->id, line->state, line->since_s, line->detail);
}

static void status(struct proc *p, struct proc_status *out)
{
    gate_each(&self(p)->gate, put_line, out);
}

int main(int argc, char **argv)
{
    static const struct child_ops ops = {
        .role = ROLE_GATE,
        .listener = on_listener,
        .certificate = on_certificate,
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

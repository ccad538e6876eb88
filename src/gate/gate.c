#include "gate/gate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/private.h"
#include "loop/incoming.h"

enum {
    ACCEPTS_A_TURN = 8,   /* so that several gates share a rush */
    ACCEPT_RETRY_MS = 200 /* after descriptors ran out */
};

struct listener {
    struct list link;
    struct gate *gate;
    const struct door_row *door;
    struct watch watch;
    int fd;
    int64_t since_s;
    char address[257];
};

const char *gate_end_name(enum gate_end why)
{
    static const char *const names[] = {"done", "gone", "timeout", "crowded", "stopping", "overflow"};
    static_assert(sizeof names / sizeof *names == GATE_ENDS, "an end without a name");
    return names[why];
}

/* Where people sign in. */
static const enum ipc_service signin_services[] = {SERVICE_SUBMISSION, SERVICE_IMAP, SERVICE_POP3};
enum { SIGNIN_SERVICES = sizeof signin_services / sizeof *signin_services };

static bool knows_offers(const struct gate *g)
{
    for (size_t i = 0; i < SIGNIN_SERVICES; i++)
        if (!g->offers[signin_services[i]].known)
            return false;
    return true;
}

static void listen_all(struct gate *g)
{
    bool open = g->accepting && knows_offers(g) && !g->stopping && !g->retry.armed &&
                g->count < config_number(g->config, CONFIG_SESSIONS);
    LIST_EACH (&g->listeners, struct listener, link, l) {
        if (open)
            watch_accept(&l->watch);
        else
            watch_set(&l->watch, 0);
    }
}

static void on_retry(struct timer *t)
{
    listen_all(t->owner);
}

void gate_init(
    struct gate *g, struct loop *loop, const struct config *config, struct secret_slab *secrets,
    const struct front *const fronts[GATE_PROTOCOLS], struct channel *(*keeper_of)(uint8_t slot, void *arg),
    void *keeper_arg)
{
    *g = (struct gate){.loop = loop, .secrets = secrets, .keeper_of = keeper_of, .keeper_arg = keeper_arg};
    recipients_init(&g->recipients);
    list_init(&g->listeners);
    list_init(&g->signed_in);
    for (int p = 0; p < GATE_PROTOCOLS; p++) {
        g->fronts[p] = fronts[p];
        list_init(&g->waiting[p]);
    }
    timer_init(&g->retry, loop, on_retry, g);
    gate_reload(g, config);
}

void gate_reload(struct gate *g, const struct config *config)
{
    g->config = config;
    g->hostname = config_text(config, CONFIG_HOSTNAME);
    /* No more networks than connections can be counted. */
    g->nets.limit = config_number(config, CONFIG_SESSIONS);
    listen_all(g);
}

static void end_waiting(struct gate *g, enum gate_end why)
{
    for (int p = 0; p < GATE_PROTOCOLS; p++)
        LIST_EACH (&g->waiting[p], struct connection, link, c)
            connection_end(c, why);
}

void gate_done(struct gate *g)
{
    g->stopping = true;
    end_waiting(g, GATE_END_GONE);
    LIST_EACH (&g->signed_in, struct connection, link, c)
        connection_end(c, GATE_END_GONE);
    LIST_EACH (&g->listeners, struct listener, link, l) {
        list_drop(&l->link);
        watch_stop(&l->watch);
        file_close(&l->fd);
        free(l);
    }
    timer_stop(&g->retry);
    gate_vault_down(g);
    tls_set_unref(&g->tls);
    map_done(&g->nets);
    recipients_forget(&g->recipients);
}

void gate_set_certificates(struct gate *g, struct tls_set *set)
{
    struct tls_set *former = g->tls;
    g->tls = tls_set_ref(set);
    tls_set_unref(&former);
}

/* -- accepting -- */

void gate_turn_away(struct gate *g, const struct door_row *door, int fd, enum gate_end why)
{
    if (door->tls_mode != TLS_MODE_IMPLICIT) {
        struct buf words CLEANUP_BUF = BUF_INIT(LIMIT_SMTP_COMMAND);
        g->fronts[door->protocol]->farewell(g, why, &words);
        ssize_t n = send(fd, words.p, words.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)n; /* a courtesy */
        shutdown(fd, SHUT_WR);
    }
    close(fd);
}

bool gate_make_room(struct gate *g, enum gate_protocol protocol)
{
    if (g->waiting_count[protocol] < config_number(g->config, CONFIG_CONNECTIONS_WAITING))
        return true;
    LIST_EACH (&g->waiting[protocol], struct connection, link, c) {
        if (!c->asking) {
            connection_end(c, GATE_END_CROWDED);
            return true;
        }
    }
    return false;
}

void gate_has_room(struct gate *g)
{
    if (g->count + 1 == config_number(g->config, CONFIG_SESSIONS))
        listen_all(g);
}

static void on_accept(struct watch *w, unsigned what)
{
    struct listener *l = w->owner;
    struct gate *g = l->gate;
    (void)what;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd;
        struct ip peer;
        uint16_t port;
        enum err e = incoming_accept(l->fd, &fd, &peer, &port);
        if (e == ERR_AGAIN)
            return;
        if (e != OK) {
            log_event(LOG_ERROR, "accept.failed", LOG_STR("door", l->door->name), LOG_ERRNO());
            timer_start(&g->retry, ACCEPT_RETRY_MS);
            listen_all(g);
            return;
        }
        connection_open(g, l->door, fd, &peer);
        if (g->count >= config_number(g->config, CONFIG_SESSIONS)) {
            log_event(LOG_WARN, "sessions.full", LOG_NUM("sessions", g->count));
            listen_all(g);
            return;
        }
    }
}

fallible gate_add_listener(
    struct gate *g, enum ipc_service service, enum ipc_tls_mode mode, struct slice address, int socket)
{
    const struct door_row *door = door_find(service, mode);
    if (!door || !g->fronts[door->protocol]) {
        close(socket);
        return ERR_UNSUPPORTED;
    }
    struct listener *l = NEW(struct listener);
    l->gate = g;
    l->door = door;
    l->fd = socket;
    l->since_s = clock_unix_s();
    address = slice_sub(address, 0, sizeof l->address - 1);
    memcpy(l->address, address.p, address.n);
    watch_init(&l->watch, g->loop, socket, on_accept, l);
    list_add(&g->listeners, &l->link);
    return OK;
}

void gate_start(struct gate *g)
{
    g->accepting = true;
    listen_all(g);
}

void gate_stop(struct gate *g)
{
    g->stopping = true;
    listen_all(g);
    end_waiting(g, GATE_END_STOPPING);
    /* Signed in, and still with its front (submission): there is no keeper to say goodbye. */
    LIST_EACH (&g->signed_in, struct connection, link, c) {
        if (c->state != CONNECTION_SPLICED)
            connection_end(c, GATE_END_STOPPING);
    }
}

size_t gate_signed_in(const struct gate *g)
{
    size_t n = 0;
    for (const struct list *l = g->signed_in.next; l != &g->signed_in; l = l->next)
        n++;
    return n;
}

/* -- the vault -- */

/* EXTERNAL (RFC 4422 A) is the one mechanism whose facts are the connection's own: without a certificate it is not named. */
static void keep_offer(struct gate_offer *offer, struct slice names)
{
    struct buf all CLEANUP_BUF = BUF_INIT(sizeof offer->mechanisms - 1),
                   without CLEANUP_BUF = BUF_INIT(sizeof offer->mechanisms - 1);
    struct slice name;
    while (slice_cut(&names, ' ', &name)) {
        buf_printf(&all, "%s" SLICE_FMT, all.n ? " " : "", SLICE_ARG(name));
        if (!slice_eq(name, SIGNIN_BY_CERTIFICATE))
            buf_printf(&without, "%s" SLICE_FMT, without.n ? " " : "", SLICE_ARG(name));
    }
    snprintf(offer->with_certificate, sizeof offer->with_certificate, SLICE_FMT, SLICE_ARG(buf_slice(&all)));
    snprintf(offer->mechanisms, sizeof offer->mechanisms, SLICE_FMT, SLICE_ARG(buf_slice(&without)));
}

static void on_mechanisms(void *owner, enum err why, struct ipc_msg *m)
{
    struct gate_offer *offer = owner;
    struct gate *g = offer->gate;
    offer->request = 0;
    if (why != OK)
        return; /* the next vault is asked again; what was offered so far stays */
    keep_offer(offer, m->u.mechanisms_result.names);
    if (!offer->known) {
        offer->known = true;
        listen_all(g);
    }
}

static void ask_mechanisms(struct gate *g, enum ipc_service service)
{
    struct gate_offer *offer = &g->offers[service];
    offer->gate = g;
    if (offer->request)
        channel_forget(g->vault, TAKE(offer->request, 0));
    struct ipc_msg m = {.type = MSG_MECHANISMS, .u.mechanisms = {.service = service, .tls = true}};
    if (channel_request(g->vault, &m, 0, on_mechanisms, offer, &offer->request) != OK)
        offer->request = 0;
}

void gate_offers_changed(struct gate *g)
{
    for (size_t i = 0; g->vault && i < SIGNIN_SERVICES; i++)
        ask_mechanisms(g, signin_services[i]);
}

void gate_vault_up(struct gate *g, struct channel *vault)
{
    g->vault = vault;
    gate_offers_changed(g);
}

void gate_vault_down(struct gate *g)
{
    for (int s = 0; s < SERVICE_N; s++)
        if (g->vault && g->offers[s].request)
            channel_forget(g->vault, TAKE(g->offers[s].request, 0));
    g->vault = NULL;
}

/* -- status -- */

static void
describe_listener(const struct listener *l, void (*line)(const struct gate_line *line, void *arg), void *arg)
{
    struct buf detail CLEANUP_BUF = BUF_INIT(LIMIT_LOG_FIELD * 2);
    buf_printf(&detail, "%s %s", l->door->name, l->address);
    const struct gate_line out = {
        .subject = "listener",
        .state = l->watch.on ? "accepting" : "full",
        .since_s = l->since_s,
        .detail = buf_slice(&detail),
    };
    line(&out, arg);
}

void gate_each(const struct gate *g, void (*line)(const struct gate_line *line, void *arg), void *arg)
{
    LIST_EACH (&g->listeners, struct listener, link, l)
        describe_listener(l, line, arg);
    for (int p = 0; p < GATE_PROTOCOLS; p++)
        LIST_EACH (&g->waiting[p], struct connection, link, c)
            connection_describe(c, line, arg);
    LIST_EACH (&g->signed_in, struct connection, link, c)
        connection_describe(c, line, arg);
}

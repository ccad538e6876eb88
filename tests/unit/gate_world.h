/* gate_world.h - a gate between a client on a socket and a scripted vault and keeper, all in one loop.
 *
 * The other processes are real ends of real channels; what they answer stands in `struct world`. The vault knows one
 * person, alice with "secret", by PLAIN (base64 of NUL alice NUL secret) and by LOGIN in two challenges; by SCRAM, where the
 * proof is "proof" and the yes comes after one more challenge; by XOAUTH2, where a wrong token gets one more challenge before
 * its no; and by the certificate of alice@ours.test.
 */
#ifndef UNIT_GATE_WORLD_H
#define UNIT_GATE_WORLD_H

#include "tls_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "crypto/random.h"
#include "gate/connection.h"
#include "ipc/channel.h"

struct world {
    struct loop *loop;
    struct gate gate;
    struct config *config;
    struct secret_slab *slab;
    struct channel *gate_vault, *vault, *gate_keeper, *keeper;
    /* what the vault does */
    enum { VAULT_JUDGES, VAULT_SAYS_LATER, VAULT_IS_SILENT } vault_mode;
    int starts, steps, cancels, right; /* what it was asked, and how often it said yes */
    uint64_t silent_request;
    char mechanism[65], program[257], tls[129];
    struct buf initial; /* of the last start or step */
    bool had_initial, has_exporter, has_end_point, has_certificate;
    char certificate_name[321];
    const struct test_issuer *client_shows; /* the certificate of clients opened from now on */
    int step;                               /* of the exchange, from 0 */
    char login_name[300];
    struct ip client;
    enum ipc_service service;
    const char *offers;
    /* what the keeper does */
    enum ipc_attach_outcome attach_outcome;
    bool keeper_is_silent, keeper_is_away;
    int attaches, keeper_fd;
    uint8_t slot_asked;
    char tag[65];
    struct slice ticket_seen; /* into ticket_octets */
    char ticket_octets[32];
    struct buf log; /* all log lines */
    int64_t ahead;  /* of the clock */
};

static inline void
world_answer(struct world *w, uint64_t id, enum ipc_signin_outcome outcome, const char *challenge)
{
    struct ipc_msg m = {
        .type = MSG_SIGNIN_RESULT,
        .u.signin_result = {.outcome = outcome, .challenge = slice_str(challenge)},
    };
    if (outcome == SIGNIN_OUTCOME_OK) {
        m.u.signin_result.ticket = S("0123456789abcdef0123456789abcdef");
        m.u.signin_result.slot = 77;
        m.u.signin_result.address = S("alice@ours.test");
        m.u.signin_result.credential = 9;
    }
    assert_ok(channel_answer(w->vault, id, &m));
}

static inline void world_judge(struct world *w, uint64_t id, bool right)
{
    if (w->vault_mode == VAULT_IS_SILENT)
        w->silent_request = id;
    else if (w->vault_mode == VAULT_SAYS_LATER)
        world_answer(w, id, SIGNIN_OUTCOME_LATER, "");
    else
        world_answer(w, id, right ? SIGNIN_OUTCOME_OK : SIGNIN_OUTCOME_NO, "");
    w->right += right && w->vault_mode == VAULT_JUDGES;
}

/* One message of a mechanism that says something after the proof. False: it is another mechanism. */
static inline bool world_speaks_last(struct world *w, uint64_t id, struct slice said)
{
    bool scram = strncmp(w->mechanism, "SCRAM", 5) == 0;
    if (!scram && strcmp(w->mechanism, "XOAUTH2"))
        return false;
    int step = w->step++;
    if (scram && step == 0)
        world_answer(w, id, SIGNIN_OUTCOME_CHALLENGE, "r=first");
    else if (scram && step == 1 && slice_eq(said, S("proof")))
        world_answer(w, id, SIGNIN_OUTCOME_CHALLENGE, "v=last");
    else if (scram)
        world_judge(w, id, step == 2 && said.n == 0);
    else if (step == 0 && !slice_eq(said, S("token")))
        world_answer(w, id, SIGNIN_OUTCOME_CHALLENGE, "{}");
    else
        world_judge(w, id, step == 0);
    return true;
}

static inline void world_start(struct world *w, uint64_t id, const struct msg_signin_start *s)
{
    w->starts++;
    w->client = s->client;
    w->service = s->service;
    w->had_initial = s->has_initial;
    w->has_exporter = s->exporter.n == 32;
    w->has_end_point = s->end_point.n == 32;
    snprintf(w->mechanism, sizeof w->mechanism, SLICE_FMT, SLICE_ARG(s->mechanism));
    snprintf(w->program, sizeof w->program, SLICE_FMT, SLICE_ARG(s->program));
    snprintf(w->tls, sizeof w->tls, SLICE_FMT, SLICE_ARG(s->tls));
    buf_clear(&w->initial);
    buf_put(&w->initial, s->initial);
    w->step = 0;
    w->has_certificate = s->certificate_hash.n == 32;
    snprintf(w->certificate_name, sizeof w->certificate_name, SLICE_FMT, SLICE_ARG(s->certificate_name));
    if (slice_eq_nocase(s->mechanism, S("LOGIN")) && !s->has_initial)
        world_answer(w, id, SIGNIN_OUTCOME_CHALLENGE, "Username:");
    else if (!s->has_initial)
        world_answer(w, id, SIGNIN_OUTCOME_CHALLENGE, "");
    else if (world_speaks_last(w, id, s->initial))
        return;
    else if (strcmp(w->mechanism, "EXTERNAL") == 0)
        world_judge(
            w, id,
            w->has_certificate && !s->initial.n && strcmp(w->certificate_name, "alice@ours.test") == 0);
    else if (!slice_has(s->initial, '\0'))
        world_answer(w, id, SIGNIN_OUTCOME_MALFORMED, "");
    else
        world_judge(w, id, slice_eq(s->initial, S("\0alice\0secret")));
}

static inline void world_step(struct world *w, uint64_t id, struct slice response)
{
    w->steps++;
    buf_clear(&w->initial);
    buf_put(&w->initial, response);
    if (world_speaks_last(w, id, response))
        return;
    if (!slice_eq_nocase(slice_str(w->mechanism), S("LOGIN"))) {
        world_judge(w, id, slice_eq(response, S("\0alice\0secret")));
    } else if (w->step++ == 0) {
        snprintf(w->login_name, sizeof w->login_name, SLICE_FMT, SLICE_ARG(response));
        world_answer(w, id, SIGNIN_OUTCOME_CHALLENGE, "Password:");
    } else {
        world_judge(w, id, strcmp(w->login_name, "alice") == 0 && slice_eq(response, S("secret")));
    }
}

static inline void world_on_vault(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct world *w = owner;
    (void)ch;
    if (m->type == MSG_MECHANISMS) {
        struct ipc_msg answer = {
            .type = MSG_MECHANISMS_RESULT, .u.mechanisms_result.names = slice_str(w->offers)};
        assert_ok(channel_answer(w->vault, m->id, &answer));
    } else if (m->type == MSG_SIGNIN_START) {
        world_start(w, m->id, &m->u.signin_start);
    } else if (m->type == MSG_SIGNIN_STEP) {
        world_step(w, m->id, m->u.signin_step.response);
    } else if (m->type == MSG_SIGNIN_CANCEL) {
        w->cancels++;
    }
}

static inline void world_on_keeper(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct world *w = owner;
    (void)ch;
    if (m->type != MSG_ATTACH)
        return;
    w->attaches++;
    snprintf(w->tag, sizeof w->tag, SLICE_FMT, SLICE_ARG(m->u.attach.tag));
    w->ticket_seen = slice_sub(m->u.attach.ticket, 0, sizeof w->ticket_octets);
    memcpy(w->ticket_octets, w->ticket_seen.p, w->ticket_seen.n);
    w->ticket_seen.p = w->ticket_octets;
    if (w->attach_outcome == ATTACH_OUTCOME_OK) {
        w->keeper_fd = TAKE(m->fds[0], -1);
        fcntl(w->keeper_fd, F_SETFL, O_NONBLOCK);
        char hello[100];
        int n = snprintf(hello, sizeof hello, "%s OK from the keeper\r\n", w->tag);
        assert_int_equal(write(w->keeper_fd, hello, (size_t)n), n);
    }
    if (w->keeper_is_silent)
        return;
    struct ipc_msg answer = {.type = MSG_ATTACH_RESULT, .u.attach_result.outcome = w->attach_outcome};
    assert_ok(channel_answer(w->keeper, m->id, &answer));
}

static inline void world_on_closed(struct channel *ch, enum err why, void *owner)
{
    (void)ch, (void)why, (void)owner;
}

static inline struct channel *world_keeper_of(uint8_t slot, void *arg)
{
    struct world *w = arg;
    w->slot_asked = slot;
    return w->keeper_is_away ? NULL : w->gate_keeper;
}

static inline void world_channels(
    struct world *w, enum ipc_role far, void (*on_message)(struct channel *, struct ipc_msg *, void *),
    struct channel **ret_near, struct channel **ret_far)
{
    static const struct channel_events quiet = {.message = world_on_keeper, .closed = world_on_closed};
    static struct channel_events events[2];
    struct channel_events *e = &events[far == ROLE_VAULT];
    *e = (struct channel_events){.message = on_message, .closed = world_on_closed};
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
    *ret_near = channel_new(w->loop, fd[0], ROLE_GATE, far, 0, &quiet, w);
    *ret_far = channel_new(w->loop, fd[1], far, ROLE_GATE, 0, e, w);
}

static inline void world_log(enum log_level level, struct slice line, void *arg)
{
    struct world *w = arg;
    (void)level;
    buf_put(&w->log, line);
    buf_put_char(&w->log, '\n');
}

static inline void world_turns(struct world *w, int n)
{
    while (n--)
        loop_turn(w->loop, 0);
}

static inline void world_pass(struct world *w, int64_t ms)
{
    clock_set_offset(w->ahead += ms);
    world_turns(w, 4);
}

static inline struct world *world_new(const struct front *front)
{
    struct world *w = NEW(struct world);
    const struct front *fronts[GATE_PROTOCOLS] = {
        [GATE_SMTP] = front, [GATE_IMAP] = front, [GATE_POP3] = front};
    signal(SIGPIPE, SIG_IGN); /* the client's writes; the gate's own raise none */
    clock_stand_still(true);  /* time passes by world_pass alone */
    w->loop = loop_new();
    w->config = config_new();
    w->keeper_fd = -1;
    w->offers = "PLAIN LOGIN";
    w->initial = BUF_INIT(20000);
    w->log = BUF_INIT(1000000);
    log_set_sink(world_log, w);
    log_set_level(LOG_DEBUG);
    assert_ok(config_set_text(w->config, S("hostname"), S("mx.test")));
    w->slab = secret_slab_new(65536);
    world_channels(w, ROLE_VAULT, world_on_vault, &w->gate_vault, &w->vault);
    world_channels(w, ROLE_KEEPER, world_on_keeper, &w->gate_keeper, &w->keeper);
    gate_init(&w->gate, w->loop, w->config, w->slab, fronts, world_keeper_of, w);
    unsigned kinds_n;
    const struct tls_kind *kinds = door_tls_kinds(&kinds_n);
    struct tls_set *set = tls_set_new(kinds, kinds_n, false);
    struct test_pair p = test_pair_new("DNS:mx.test", -1, 30);
    assert_int_equal(tls_set_add(set, buf_slice(&p.chain), buf_slice(&p.key), SLICE_EMPTY, false), TLS_FINE);
    test_pair_free(&p);
    gate_set_certificates(&w->gate, set);
    tls_set_unref(&set);
    gate_vault_up(&w->gate, w->gate_vault);
    world_turns(w, 4);
    return w;
}

static inline void world_free(struct world *w)
{
    gate_done(&w->gate);
    channel_close(&w->gate_vault);
    channel_close(&w->vault);
    channel_close(&w->gate_keeper);
    channel_close(&w->keeper);
    if (w->keeper_fd >= 0)
        close(w->keeper_fd);
    world_turns(w, 2);
    assert_int_equal(secret_slab_used(w->slab), 0); /* nothing secret is left behind */
    secret_slab_free(&w->slab);
    config_free(&w->config);
    buf_done(&w->initial);
    buf_done(&w->log);
    log_set_sink(NULL, NULL);
    loop_free(&w->loop);
    clock_set_offset(0);
    clock_stand_still(false);
    free(w);
}

/* For cmocka: the end of a test whose state is a world, and the beginning of a group of them. */
static inline int world_end(void **state)
{
    world_free(*state);
    return 0;
}

static inline int world_libraries(void **state)
{
    (void)state;
    crypto_init();
    tls_library_start();
    return 0;
}

/* -- the client -- */

#define PEER "192.0.2.1" /* where most clients come from */

struct client {
    struct world *w;
    int fd;
    bool tls;
    struct test_client t;
    struct buf got; /* all that was not yet expected */
    bool ended;     /* the server closed, or broke off */
};

static inline void client_read(struct client *c)
{
    char some[20000];
    for (int idle = 0; idle < 8; idle++) {
        world_turns(c->w, 1);
        ssize_t n = c->tls ? test_client_read(&c->t, some, sizeof some) : read(c->fd, some, sizeof some);
        if (n > 0) {
            buf_put(&c->got, slice_of(some, (size_t)n));
            idle = 0;
        } else if (c->tls ? n < 0 : n == 0) {
            c->ended = true;
        }
    }
}

static inline bool client_handshake(struct client *c)
{
    c->t.shows = c->w->client_shows;
    test_client_init(&c->t, c->fd, "mx.test");
    c->tls = true;
    for (int i = 0; i < 30; i++) {
        ERR_clear_error();
        int r = SSL_do_handshake(c->t.ssl);
        int e = SSL_get_error(c->t.ssl, r);
        world_turns(c->w, 2);
        if (r == 1)
            return true;
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return false;
    }
    return false;
}

/* Through the given door, from the given address; with TLS when the door begins with it. */
static inline struct client *client_open(struct world *w, enum config_door door, const char *from)
{
    struct client *c = NEW(struct client);
    int fd[2];
    struct ip peer;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    assert_ok(ip_parse(slice_str(from), &peer));
    c->w = w;
    c->fd = fd[1];
    c->got = BUF_INIT(10000000);
    connection_open(&w->gate, door_row(door), fd[0], &peer);
    world_turns(w, 2);
    if (door_row(door)->tls_mode == TLS_MODE_IMPLICIT && !client_handshake(c))
        c->ended = true;
    return c;
}

static inline void client_free(struct client *c)
{
    if (c->tls)
        test_client_free(&c->t);
    if (c->fd >= 0)
        close(c->fd);
    buf_done(&c->got);
    world_turns(c->w, 4);
    free(c);
}

static inline void client_send_octets(struct client *c, struct slice s)
{
    ERR_clear_error();
    ssize_t n = c->tls ? SSL_write(c->t.ssl, s.p, (int)s.n) : write(c->fd, s.p, s.n);
    (void)n; /* the server may have closed */
    world_turns(c->w, 3);
}

static inline void client_send(struct client *c, const char *text)
{
    client_send_octets(c, slice_str(text));
}

static inline void client_send_slowly(struct client *c, const char *text)
{
    for (; *text; text++)
        client_send_octets(c, slice_of(text, 1));
}

/* Exactly this comes next, and nothing behind it. */
static inline void client_expect_at(struct client *c, const char *wanted, const char *file, int line)
{
    client_read(c);
    if (!slice_eq(buf_slice(&c->got), slice_str(wanted))) {
        print_error(
            "%s:%d: wanted \"%s\"\n   got \"%.*s\"\n", file, line, wanted, SLICE_ARG(buf_slice(&c->got)));
        fail();
    }
    buf_clear(&c->got);
}
#define client_expect(c, wanted) client_expect_at((c), (wanted), __FILE__, __LINE__)

/* What comes next begins so; the rest is dropped. */
static inline void client_expect_start_at(struct client *c, const char *wanted, const char *file, int line)
{
    client_read(c);
    if (!slice_starts(buf_slice(&c->got), slice_str(wanted))) {
        print_error(
            "%s:%d: wanted \"%s...\"\n   got \"%.*s\"\n", file, line, wanted, SLICE_ARG(buf_slice(&c->got)));
        fail();
    }
    buf_clear(&c->got);
}
#define client_expect_start(c, wanted) client_expect_start_at((c), (wanted), __FILE__, __LINE__)

static inline void client_expect_end_at(struct client *c, const char *file, int line)
{
    client_read(c);
    if (!c->ended || c->got.n) {
        print_error("%s:%d: wanted the end, got \"%.*s\"\n", file, line, SLICE_ARG(buf_slice(&c->got)));
        fail();
    }
}
#define client_expect_end(c) client_expect_end_at((c), __FILE__, __LINE__)

/* Lines that are sent and expected by turns, up to NULL. */
static inline void client_converse_at(struct client *c, const char *const *lines, const char *file, int line)
{
    for (size_t i = 0; lines[i]; i++) {
        if (i % 2)
            client_expect_at(c, lines[i], file, line);
        else
            client_send(c, lines[i]);
    }
}
#define client_converse(c, lines) client_converse_at((c), (lines), __FILE__, __LINE__)

/* The vault names other mechanisms from now on. */
static inline void world_offer(struct world *w, const char *mechanisms)
{
    w->offers = mechanisms;
    gate_vault_up(&w->gate, w->gate_vault);
    world_turns(w, 4);
}

static inline bool world_log_has(const struct world *w, const char *text)
{
    return slice_search(buf_slice(&w->log), slice_str(text)) != SLICE_NPOS;
}

/* What the keeper's end of the stream has received. */
static inline struct slice world_keeper_read(struct world *w, char *out, size_t n)
{
    world_turns(w, 4);
    ssize_t got = read(w->keeper_fd, out, n);
    return slice_of(out, got > 0 ? (size_t)got : 0);
}

#endif

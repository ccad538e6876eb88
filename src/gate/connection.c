#include "gate/connection.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "gate/private.h"

enum { MAGIC = 0x434f4e4e, FINISH_MS = 5000 };

static void check(const struct connection *c)
{
    assert(c && c->magic == MAGIC);
}

/* -- the table of connections -- */

static bool counts_as_waiting(const struct connection *c)
{
    return c->state < CONNECTION_SIGNED_IN;
}

static void leave_waiting(struct connection *c)
{
    list_drop(&c->link);
    c->gate->waiting_count[c->door->protocol]--;
    net_count_drop(c->gate, &c->net);
}

/* The list's front is the connection that was silent longest. */
static void note_activity(struct connection *c)
{
    if (!counts_as_waiting(c))
        return;
    list_drop(&c->link);
    list_add(&c->gate->waiting[c->door->protocol], &c->link);
}

/* -- the end -- */

static void log_end(const struct connection *c, enum gate_end why)
{
    char peer[IP_TEXT_MAX];
    const char *failure = "";
    if (c->stream && transport_is_tls(stream_transport(c->stream)))
        failure = tls_failure(stream_transport(c->stream));
    log_event(
        c->address[0] ? LOG_INFO : LOG_DEBUG, "end", LOG_ID(c->id), LOG_STR("door", c->door->name),
        LOG_STR("peer", ip_text(&c->peer, peer)), LOG_STR("account", c->address),
        LOG_STR("why", gate_end_name(why)), LOG_STR("tls_failure", failure),
        LOG_NUM("seconds", clock_unix_s() - c->since_s));
}

static void close_front(struct connection *c)
{
    void *state = TAKE(c->front_state, NULL);
    if (state)
        c->front->close(c, state);
}

static bool can_hear_us(const struct connection *c, enum gate_end why)
{
    return why != GATE_END_GONE && (c->state == CONNECTION_TALKING || c->state == CONNECTION_SIGNED_IN);
}

static void close_stream(struct connection *c, enum gate_end why)
{
    if (!c->stream)
        return;
    if (!can_hear_us(c, why)) {
        stream_close(&c->stream);
        return;
    }
    if (why != GATE_END_DONE) {
        struct buf words CLEANUP_BUF = BUF_INIT(LIMIT_SMTP_COMMAND);
        c->front->farewell(c->gate, why, &words);
        stream_put(c->stream, buf_slice(&words));
    }
    stream_finish(&c->stream, FINISH_MS);
}

void connection_end(struct connection *c, enum gate_end why)
{
    check(c);
    struct gate *g = c->gate;
    log_end(c, why);
    close_front(c);
    close_stream(c, why);
    splice_close(&c->splice);
    task_stop(&c->tls_done);
    mem_free(&c->certificate);
    if (counts_as_waiting(c))
        leave_waiting(c);
    else
        list_drop(&c->link);
    c->magic = 0;
    free(c);
    g->count--;
    gate_has_room(g);
}

/* -- the stream's news -- */

static void on_input(struct stream *s, void *owner)
{
    struct connection *c = owner;
    (void)s;
    check(c);
    note_activity(c);
    if (!c->paused && (c->state == CONNECTION_TALKING || c->state == CONNECTION_SIGNED_IN))
        c->front->input(c, c->front_state);
}

static void begin_handshake(struct connection *c)
{
    struct transport *t =
        c->gate->tls
            ? tls_server_new(c->gate->tls, c->door->door, stream_fd(c->stream), c->gate->loop, &c->tls_done)
            : NULL;
    if (!t) {
        connection_end(c, GATE_END_GONE);
        return;
    }
    c->state = CONNECTION_HANDSHAKE;
    stream_set_transport(c->stream, t);
    stream_set_deadline(c->stream, LIMIT_TLS_HANDSHAKE);
}

static void on_drained(struct stream *s, void *owner)
{
    struct connection *c = owner;
    check(c);
    if (c->state == CONNECTION_FLUSHING) {
        if (stream_owed(s) == 0) {
            stream_forget_input(s); /* INV-30 */
            stream_pause(s, false);
            begin_handshake(c);
        }
    } else if (c->front_state) {
        stream_again(s); /* input that waited because we owed too much */
        if (c->front->drained)
            c->front->drained(c, c->front_state);
    }
}

static void on_closed(struct stream *s, enum err why, void *owner)
{
    struct connection *c = owner;
    (void)s;
    check(c);
    connection_end(
        c, why == ERR_TIMEOUT ? GATE_END_TIMEOUT
           : why == ERR_LIMIT ? GATE_END_OVERFLOW
                              : GATE_END_GONE);
}

static const struct stream_events events = {.input = on_input, .drained = on_drained, .closed = on_closed};

/* -- the beginning -- */

static void open_front(struct connection *c)
{
    c->state = CONNECTION_TALKING;
    uint64_t patience =
        config_number(c->gate->config, c->door->needs_signin ? CONFIG_TIMEOUT_SIGNIN : CONFIG_TIMEOUT_SMTP);
    if (c->door->needs_signin && !c->signin_by)
        c->signin_by = clock_mono_ms() + patience;
    connection_expect(c, patience);
    c->front_state = c->front->open(c);
}

/* Once a connection: what does not hold leaves a line, and nobody. */
static void look_at_certificate(struct connection *c)
{
    struct tls_client found;
    const char *why = "";
    enum err e = tls_client(stream_transport(c->stream), &found, &why);
    if (e == OK) {
        c->certificate = NEW(struct tls_client);
        *c->certificate = found;
    } else if (e == ERR_DENIED) {
        char peer[IP_TEXT_MAX];
        log_event(
            LOG_INFO, "certificate.refused", LOG_ID(c->id), LOG_STR("door", c->door->name),
            LOG_STR("peer", ip_text(&c->peer, peer)), LOG_STR("why", why));
    }
}

static void on_tls_done(struct task *t)
{
    struct connection *c = t->owner;
    check(c);
    if (c->state != CONNECTION_HANDSHAKE)
        return;
    c->tls = true;
    look_at_certificate(c);
    stream_again(
        c->stream); /* what came with the handshake's end; now, as the front may end the connection */
    if (!c->front_state) {
        open_front(c);
    } else {
        c->state = CONNECTION_TALKING;
        connection_expect(c, config_number(c->gate->config, CONFIG_TIMEOUT_SIGNIN));
        c->front->tls_on(c, c->front_state);
    }
}

static struct connection *connection_new(
    struct gate *g, const struct door_row *door, int fd, const struct ip *peer, struct net_count *net)
{
    struct connection *c = NEW(struct connection);
    c->magic = MAGIC;
    c->gate = g;
    c->door = door;
    c->front = g->fronts[door->protocol];
    c->id = random_id64();
    c->peer = *peer;
    c->net = net;
    c->since_s = clock_unix_s();
    task_init(&c->tls_done, on_tls_done, c);
    list_add(&g->waiting[door->protocol], &c->link);
    g->waiting_count[door->protocol]++;
    g->count++;
    c->stream = stream_new(g->loop, fd, &c->front->limits, &events, c);
    stream_set_secret(c->stream, true);
    return c;
}

void connection_open(struct gate *g, const struct door_row *door, int fd, const struct ip *peer)
{
    struct net_count *net = NULL;
    if (g->stopping || net_count_add(g, peer, &net) != OK) {
        gate_turn_away(g, door, fd, g->stopping ? GATE_END_STOPPING : GATE_END_CROWDED);
        return;
    }
    if (!gate_make_room(g, door->protocol)) {
        net_count_drop(g, &net);
        gate_turn_away(g, door, fd, GATE_END_CROWDED);
        return;
    }
    struct connection *c = connection_new(g, door, fd, peer, net);
    char text[IP_TEXT_MAX];
    log_event(
        LOG_DEBUG, "connect", LOG_ID(c->id), LOG_STR("door", door->name),
        LOG_STR("peer", ip_text(peer, text)));
    if (door->tls_mode == TLS_MODE_IMPLICIT)
        begin_handshake(c);
    else
        open_front(c);
}

/* -- for fronts -- */

void connection_pause(struct connection *c, bool paused)
{
    check(c);
    if (c->paused == paused)
        return;
    c->paused = paused;
    stream_pause(c->stream, paused);
    if (!paused)
        stream_again(c->stream);
}

bool connection_owes(const struct connection *c)
{
    return stream_owed(c->stream) > LIMIT_SESSION_OUTPUT;
}

bool connection_is_web(struct slice line)
{
    /* RFC 9112 3: method SP target SP "HTTP/" digit. */
    size_t blank = slice_rfind(line, ' ');
    return blank != SLICE_NPOS && slice_starts(slice_from(line, blank + 1), S("HTTP/"));
}

void connection_expect(struct connection *c, uint64_t ms)
{
    check(c);
    if (c->signin_by) {
        uint64_t now = clock_mono_ms();
        uint64_t left = c->signin_by > now ? c->signin_by - now : 1;
        ms = left < ms ? left : ms;
    }
    stream_set_deadline(c->stream, ms);
}

void connection_set_program(struct connection *c, struct slice text)
{
    struct buf clean CLEANUP_BUF = BUF_INIT(4 * CONNECTION_PROGRAM_MAX);
    utf8_put_repaired(&clean, slice_sub(text, 0, CONNECTION_PROGRAM_MAX));
    size_t n = 0;
    for (struct slice rest = buf_slice(&clean); rest.n;) {
        uint32_t code;
        size_t used = utf8_decode(rest, &code);
        if (used == 0 || n + used > CONNECTION_PROGRAM_MAX)
            break;
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        memcpy(c->program + n, control ? "?" : rest.p, control ? 1 : used);
        n += control ? 1 : used;
        rest = slice_from(rest, used);
    }
    c->program[n] = '\0';
}

bool connection_can_start_tls(const struct connection *c)
{
    return c->door->tls_mode == TLS_MODE_STARTTLS && !c->tls && c->gate->tls &&
           !tls_set_is_empty(c->gate->tls) && c->state == CONNECTION_TALKING;
}

void connection_start_tls(struct connection *c)
{
    check(c);
    assert(connection_can_start_tls(c));
    c->state = CONNECTION_FLUSHING;
    c->paused = false;
    stream_pause(c->stream, true);
    stream_forget_input(c->stream); /* INV-30 */
    stream_flush(c->stream);
}

bool connection_may_sign_in(const struct connection *c)
{
    return c->tls && c->door->needs_signin && c->state == CONNECTION_TALKING;
}

void connection_put_tls(const struct connection *c, struct buf *out)
{
    if (c->tls && c->stream)
        tls_put_description(stream_transport(c->stream), out);
}

void connection_signed_in(struct connection *c, struct slice address, uint64_t credential)
{
    check(c);
    assert(counts_as_waiting(c));
    address = slice_sub(address, 0, sizeof c->address - 1);
    if (address.n)
        memcpy(c->address, address.p, address.n);
    c->address[address.n] = '\0';
    c->credential = credential;
    leave_waiting(c);
    c->state = CONNECTION_SIGNED_IN;
    c->signin_by = 0;
    list_add(&c->gate->signed_in, &c->link);
}

static void on_spliced_end(struct splice *sp, enum err why, void *owner)
{
    (void)sp;
    connection_end(
        owner, why == ERR_CLOSED    ? GATE_END_DONE
               : why == ERR_TIMEOUT ? GATE_END_TIMEOUT
                                    : GATE_END_GONE);
}

void connection_splice(struct connection *c, struct stream *keeper)
{
    check(c);
    assert(c->state == CONNECTION_SIGNED_IN);
    close_front(c);
    c->state = CONNECTION_SPLICED;
    stream_set_secret(c->stream, false);
    struct stream *client = TAKE(c->stream, NULL);
    c->splice = splice_new(c->gate->loop, client, keeper, on_spliced_end, c);
}

/* -- status -- */

void connection_describe(
    const struct connection *c, void (*line)(const struct gate_line *line, void *arg), void *arg)
{
    static const char *const names[] = {"tls", "input", "output", "input", "session"};
    static_assert(sizeof names / sizeof *names == CONNECTION_STATES, "a state without a name");
    struct buf detail CLEANUP_BUF = BUF_INIT(1024);
    char peer[IP_TEXT_MAX];
    buf_printf(&detail, "%s %s %s ", c->door->name, ip_text(&c->peer, peer), c->address);
    connection_put_tls(c, &detail);
    const struct gate_line out = {
        .subject = "session",
        .id = c->id,
        .state = c->front_state && c->state != CONNECTION_HANDSHAKE && c->state != CONNECTION_FLUSHING
                     ? c->front->waits(c, c->front_state)
                     : names[c->state],
        .since_s = c->since_s,
        .detail = slice_trim(buf_slice(&detail)),
    };
    line(&out, arg);
}

#include "imap/front/front.h"

#include <assert.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "gate/handover.h"
#include "imap/wire/command.h"
#include "imap/wire/write.h"

enum { MECHANISMS_MAX = 16, ARENA = 16384 };

struct imap_talk {
    struct connection *c;
    struct imap_reader reader;
    struct arena arena; /* of one command */
    struct signin signin;
    struct handover handover;
    enum { TALK_COMMAND, TALK_RESPONSE } mode;
    bool by_login; /* the sign-in under way began with LOGIN */
    unsigned bad;
    char tag[LIMIT_IMAP_TAG + 1]; /* of the sign-in under way */
};

static struct slice tag_of(const struct imap_talk *t)
{
    return slice_str(t->tag);
}

static void keep_tag(struct imap_talk *t, struct slice tag)
{
    assert(tag.n < sizeof t->tag);
    memcpy(t->tag, tag.p, tag.n);
    t->tag[tag.n] = '\0';
}

/* -- replies -- */

static void put_capabilities(const struct imap_talk *t, struct buf *out)
{
    struct slice rest = signin_mechanisms(t->c), names[MECHANISMS_MAX];
    size_t n = 0;
    while (n < MECHANISMS_MAX && slice_cut(&rest, ' ', &names[n]))
        n += names[n].n > 0;
    unsigned which = IMAP_CAPS_PREAUTH;
    if (connection_can_start_tls(t->c))
        which |= IMAP_CAPS_STARTTLS;
    if (!signin_takes_passwords(t->c))
        which |= IMAP_CAPS_NO_LOGIN;
    imap_put_capabilities(out, which, names, n);
}

static void
reply(struct imap_talk *t, struct slice tag, enum imap_status status, enum imap_code code, const char *text)
{
    imap_put_tagged(connection_out(t->c), tag, status, code, text);
    connection_flush(t->c);
}

/* BYE, and the end of `t`. */
static void say_bye(struct imap_talk *t, enum imap_code code, const char *text)
{
    imap_put_untagged(connection_out(t->c), IMAP_BYE, code, text);
    connection_flush(t->c);
    connection_end(t->c, GATE_END_DONE);
}

/* One more thing the client did wrong. False: it was one too many, and `t` is gone. */
static bool count_bad(struct imap_talk *t)
{
    if (++t->bad < LIMIT_IMAP_BAD)
        return true;
    say_bye(t, IMAP_CODE_NONE, "too many errors");
    return false;
}

static bool refuse(struct imap_talk *t, struct slice tag, const char *text)
{
    reply(t, tag, IMAP_BAD, IMAP_CODE_NONE, text);
    return count_bad(t);
}

/* -- sign-in -- */

static void on_handover(struct handover *h, enum handover_outcome outcome, struct stream *keeper, void *owner)
{
    static const struct {
        enum imap_code code;
        const char *text;
    } words[] = {
        [HANDOVER_NO] = {IMAP_CODE_UNAVAILABLE, "the sign-in came too late, try again"},
        [HANDOVER_LATER] = {IMAP_CODE_UNAVAILABLE, "the mailbox cannot be opened now, try again later"},
    };
    struct imap_talk *t = owner;
    (void)h;
    if (outcome == HANDOVER_OK) {
        struct signin_who *who = &t->signin.who;
        connection_signed_in(t->c, slice_str(who->address), who->credential);
        connection_splice(t->c, keeper); /* `t` is gone; the keeper answers the tag */
        return;
    }
    reply(t, tag_of(t), IMAP_NO, words[outcome].code, words[outcome].text);
}

static void put_challenge(struct imap_talk *t, struct slice challenge)
{
    struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_SASL_RESPONSE);
    base64_put(&text, challenge);
    imap_put_continue(connection_out(t->c), buf_slice(&text));
    connection_flush(t->c);
    imap_reader_expect_line(&t->reader, LIMIT_SASL_RESPONSE);
    t->mode = TALK_RESPONSE;
}

/* RFC 3501 6.2.2, 6.2.3; codes: RFC 5530. The words to a wrong secret are the same whatever was wrong. */
static void refuse_signin(struct imap_talk *t, const struct signin_answer *answer)
{
    enum signin_outcome outcome = answer->outcome;
    if (outcome == SIGNIN_MALFORMED && t->by_login)
        outcome = SIGNIN_NO; /* LOGIN "" "" is no error of grammar */
    switch (outcome) {
    case SIGNIN_NO:
        reply(t, tag_of(t), IMAP_NO, IMAP_CODE_AUTHENTICATIONFAILED, "wrong name or password");
        break;
    case SIGNIN_MALFORMED:
        reply(t, tag_of(t), IMAP_BAD, IMAP_CODE_NONE, "the sign-in was cancelled or not understood");
        break;
    case SIGNIN_UNKNOWN:
        reply(t, tag_of(t), IMAP_NO, IMAP_CODE_CANNOT, "this way to sign in is not offered");
        break;
    default:
        reply(
            t, tag_of(t), IMAP_NO, IMAP_CODE_UNAVAILABLE, "signing in is not possible now, try again later");
        break;
    }
    if (answer->last)
        say_bye(t, IMAP_CODE_NONE, "too many failed sign-ins");
    else if (answer->outcome == SIGNIN_MALFORMED || answer->outcome == SIGNIN_UNKNOWN)
        (void)count_bad(t);
}

static void on_signin(struct signin *s, const struct signin_answer *answer, void *owner)
{
    struct imap_talk *t = owner;
    t->mode = TALK_COMMAND;
    if (answer->outcome == SIGNIN_OK)
        handover_start(&t->handover, &s->who, tag_of(t));
    else if (answer->outcome == SIGNIN_CHALLENGE)
        put_challenge(t, answer->challenge);
    else
        refuse_signin(t, answer);
}

/* -- commands: each returns false when `t` is gone -- */

static bool run_capability(struct imap_talk *t, const struct imap_command *c)
{
    struct buf *out = connection_out(t->c);
    buf_put(out, S("* "));
    put_capabilities(t, out);
    buf_put(out, S("\r\n"));
    reply(t, c->tag, IMAP_OK, IMAP_CODE_NONE, "CAPABILITY completed");
    return true;
}

static bool run_noop(struct imap_talk *t, const struct imap_command *c)
{
    reply(t, c->tag, IMAP_OK, IMAP_CODE_NONE, "NOOP completed");
    return true;
}

static bool run_logout(struct imap_talk *t, const struct imap_command *c)
{
    struct buf *out = connection_out(t->c);
    imap_put_untagged(out, IMAP_BYE, IMAP_CODE_NONE, "goodbye");
    imap_put_tagged(out, c->tag, IMAP_OK, IMAP_CODE_NONE, "LOGOUT completed");
    connection_flush(t->c);
    connection_end(t->c, GATE_END_DONE);
    return false;
}

/* RFC 2971: the name and version, for the log and the owner's list of programs. */
static bool run_id(struct imap_talk *t, const struct imap_command *c)
{
    struct buf text CLEANUP_BUF = BUF_INIT(4 * CONNECTION_PROGRAM_MAX);
    static const struct slice wanted[] = {{"name", 4}, {"version", 7}};
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
        for (size_t i = 0; i < c->id.n; i++) {
            if (slice_eq_nocase(c->id.pairs[i].field, wanted[w])) {
                buf_put_str(&text, text.n ? " " : "");
                buf_put(&text, slice_sub(c->id.pairs[i].value, 0, CONNECTION_PROGRAM_MAX));
            }
        }
    }
    connection_set_program(t->c, buf_slice(&text));
    buf_put(connection_out(t->c), S("* ID (\"name\" \"Letterlock\")\r\n"));
    reply(t, c->tag, IMAP_OK, IMAP_CODE_NONE, "ID completed");
    return true;
}

static bool run_starttls(struct imap_talk *t, const struct imap_command *c)
{
    if (!connection_can_start_tls(t->c))
        return refuse(t, c->tag, "STARTTLS is not offered now");
    reply(t, c->tag, IMAP_OK, IMAP_CODE_NONE, "begin TLS now");
    connection_start_tls(t->c);
    return true;
}

static bool run_authenticate(struct imap_talk *t, const struct imap_command *c)
{
    keep_tag(t, c->tag);
    t->by_login = false;
    struct slice initial = c->authenticate.initial;
    signin_start_base64(
        &t->signin, c->authenticate.mechanism, c->authenticate.has_initial, initial.n ? initial : S("="));
    return true;
}

static bool run_login(struct imap_talk *t, const struct imap_command *c)
{
    keep_tag(t, c->tag);
    t->by_login = true;
    signin_login(&t->signin, c->login.user, c->login.secret);
    return true;
}

static bool (*const runs[IMAP_VERBS])(struct imap_talk *, const struct imap_command *) = {
    [IMAP_VERB_CAPABILITY_ID] = run_capability,
    [IMAP_VERB_NOOP_ID] = run_noop,
    [IMAP_VERB_LOGOUT_ID] = run_logout,
    [IMAP_VERB_ID_ID] = run_id,
    [IMAP_VERB_STARTTLS_ID] = run_starttls,
    [IMAP_VERB_LOGIN_ID] = run_login,
    [IMAP_VERB_AUTHENTICATE_ID] = run_authenticate,
};

/* -- the dispatcher: enforces the columns of the table -- */

static bool run_command(struct imap_talk *t)
{
    struct imap_command c = {0};
    struct slice text = imap_reader_text(&t->reader);
    enum err e = imap_command_parse(text, t->reader.limits, false, &t->arena, &c);
    struct slice tag = c.tag.n ? c.tag : S("*");
    if (e != OK && connection_is_web(text)) {
        say_bye(t, IMAP_CODE_NONE, "this is a mail server");
        return false;
    }
    /* The state comes before the arguments: what is not for now is not looked at (T-158). */
    if (c.verb && !(c.verb->states & IMAP_STATE_OUT))
        return refuse(t, tag, "sign in first");
    if (c.verb && c.verb->flags & IMAP_VERB_NEEDS_TLS && !connection_may_sign_in(t->c)) {
        reply(t, tag, IMAP_NO, IMAP_CODE_PRIVACYREQUIRED, "use TLS first");
        return count_bad(t);
    }
    if (e != OK)
        return refuse(t, tag, c.problem ? c.problem : "unknown command");
    assert(c.verb && runs[c.verb->id]);
    return runs[c.verb->id](t, &c);
}

/* False: `t` is gone. */
static bool run_bad(struct imap_talk *t)
{
    struct imap_bad bad = t->reader.bad;
    struct slice tag = t->mode == TALK_RESPONSE ? tag_of(t) : imap_reader_tag(&t->reader);
    t->mode = TALK_COMMAND;
    imap_put_tagged(
        connection_out(t->c), tag, IMAP_BAD, bad.too_big ? IMAP_CODE_TOOBIG : IMAP_CODE_NONE, bad.text);
    if (bad.close) {
        say_bye(t, IMAP_CODE_NONE, bad.text);
        return false;
    }
    connection_flush(t->c);
    return count_bad(t);
}

static bool run_response(struct imap_talk *t)
{
    t->mode = TALK_COMMAND;
    signin_step_base64(&t->signin, imap_reader_text(&t->reader));
    return true;
}

/* A command or a response line is complete, or can't become one. */
static bool run_read(struct imap_talk *t, enum imap_read read)
{
    if (read == IMAP_READ_BAD && t->mode == TALK_RESPONSE)
        signin_cancel(&t->signin);
    bool lives = read == IMAP_READ_BAD      ? run_bad(t)
                 : t->mode == TALK_RESPONSE ? run_response(t)
                                            : run_command(t);
    if (!lives)
        return false;
    imap_reader_next(&t->reader); /* wipes what was read: it may be a password */
    arena_wipe(&t->arena);
    return true;
}

static void imap_input(struct connection *c, void *state)
{
    struct imap_talk *t = state;
    while (!c->paused && c->state == CONNECTION_TALKING && !connection_owes(c)) {
        struct slice in = connection_input(c);
        if (!in.n)
            return;
        size_t taken;
        enum imap_read read = imap_reader_feed(&t->reader, in, &taken);
        connection_take(c, taken);
        if (read == IMAP_READ_MORE)
            continue;
        if (read == IMAP_READ_CONTINUE) {
            imap_put_continue(connection_out(c), S("go on"));
            connection_flush(c);
            continue;
        }
        if (read == IMAP_READ_MESSAGE) { /* APPEND before sign-in: its octets must not become commands */
            reply(t, imap_reader_tag(&t->reader), IMAP_BAD, IMAP_CODE_NONE, "sign in first");
            say_bye(t, IMAP_CODE_NONE, "octets that are no command are on their way");
            return;
        }
        if (!run_read(t, read))
            return;
    }
}

/* -- for the gate -- */

static void *imap_open(struct connection *c)
{
    struct imap_talk *t = NEW(struct imap_talk);
    t->c = c;
    imap_reader_init(&t->reader, &imap_limits_preauth);
    arena_init(&t->arena, ARENA);
    signin_init(&t->signin, c, on_signin, t);
    handover_init(&t->handover, c, on_handover, t);
    struct buf *out = connection_out(c);
    buf_put(out, S("* OK ["));
    put_capabilities(t, out);
    buf_printf(out, "] " SLICE_FMT " is ready\r\n", SLICE_ARG(c->gate->hostname));
    connection_flush(c);
    return t;
}

static void imap_tls_on(struct connection *c, void *state)
{
    struct imap_talk *t = state;
    imap_reader_next(&t->reader);
    t->mode = TALK_COMMAND;
    connection_set_program(c, SLICE_EMPTY);
}

static void imap_farewell(const struct gate *g, enum gate_end why, struct buf *out)
{
    static const struct {
        enum imap_code code;
        const char *text;
    } words[GATE_ENDS] = {
        [GATE_END_TIMEOUT] = {IMAP_CODE_NONE, "too long without a sign-in"},
        [GATE_END_CROWDED] = {IMAP_CODE_UNAVAILABLE, "too many connections, try again later"},
        [GATE_END_STOPPING] = {IMAP_CODE_UNAVAILABLE, "the server is stopping, try again later"},
        [GATE_END_OVERFLOW] = {IMAP_CODE_NONE, "too many unread replies"},
    };
    (void)g;
    if (words[why].text)
        imap_put_untagged(out, IMAP_BYE, words[why].code, words[why].text);
}

static void imap_close(struct connection *c, void *state)
{
    struct imap_talk *t = state;
    (void)c;
    signin_done(&t->signin);
    handover_done(&t->handover);
    imap_reader_done(&t->reader);
    arena_wipe(&t->arena);
    arena_done(&t->arena);
    free(t);
}

static const char *imap_waits(const struct connection *c, const void *state)
{
    const struct imap_talk *t = state;
    if (t->handover.request)
        return "keeper";
    return c->asking ? "vault" : "input";
}

const struct front imap_front = {
    .name = "imap",
    .limits =
        {.input = LIMIT_STREAM_INPUT,
         .output_high = LIMIT_SESSION_OUTPUT,
         .output_max = 2 * LIMIT_SESSION_OUTPUT},
    .open = imap_open,
    .input = imap_input,
    .tls_on = imap_tls_on,
    .farewell = imap_farewell,
    .close = imap_close,
    .waits = imap_waits,
};

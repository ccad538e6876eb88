#include "pop3/front/front.h"

#include <assert.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/line.h"
#include "base/mem.h"
#include "gate/handover.h"
#include "pop3/wire/command.h"
#include "pop3/wire/reply.h"

struct pop3_talk {
    struct connection *c;
    struct signin signin;
    struct handover handover;
    enum { TALK_COMMAND, TALK_RESPONSE } mode;
    unsigned errors, junk;
    bool named;
    char name[LIMIT_POP3_COMMAND + 1]; /* of USER */
};

/* -- replies -- */

static void say_ok(struct pop3_talk *t, const char *text)
{
    pop3_put_ok(connection_out(t->c), text);
    connection_flush(t->c);
}

static void say_err(struct pop3_talk *t, enum pop3_code code, const char *text)
{
    pop3_put_err(connection_out(t->c), code, text);
    connection_flush(t->c);
}

/* The last line has been put; `t` is gone. */
static void end(struct pop3_talk *t)
{
    connection_end(t->c, GATE_END_DONE);
}

/* False: `t` is gone. */
static bool refuse(struct pop3_talk *t, const char *text)
{
    bool last = ++t->errors >= LIMIT_POP3_ERRORS;
    say_err(t, POP3_NO_CODE, last ? "too many errors" : text);
    if (last)
        end(t);
    return !last;
}

/* -- sign-in -- */

static void on_handover(struct handover *h, enum handover_outcome outcome, struct stream *keeper, void *owner)
{
    struct pop3_talk *t = owner;
    (void)h;
    if (outcome != HANDOVER_OK) {
        say_err(t, POP3_CODE_SYS_TEMP, "the maildrop cannot be opened now, try again later");
        return;
    }
    struct signin_who *who = &t->signin.who;
    connection_signed_in(t->c, slice_str(who->address), who->credential);
    connection_splice(t->c, keeper); /* `t` is gone; the keeper says +OK, or that the maildrop is in use */
}

static void put_challenge(struct pop3_talk *t, struct slice challenge)
{
    struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_SASL_RESPONSE);
    base64_put(&text, challenge);
    pop3_put_challenge(connection_out(t->c), buf_slice(&text));
    connection_flush(t->c);
    t->mode = TALK_RESPONSE;
}

/* The words to a wrong secret are the same whatever was wrong (RFC 3206 3). */
static void refuse_signin(struct pop3_talk *t, const struct signin_answer *answer)
{
    switch (answer->outcome) {
    case SIGNIN_NO:
        say_err(t, POP3_CODE_AUTH, "wrong name or password");
        if (answer->last)
            end(t);
        break;
    case SIGNIN_LATER:
        say_err(t, POP3_CODE_SYS_TEMP, "signing in is not possible now, try again later");
        break;
    case SIGNIN_UNKNOWN:
        (void)refuse(t, "this way to sign in is not offered");
        break;
    default:
        (void)refuse(t, "the sign-in was cancelled or not understood");
        break;
    }
}

static void on_signin(struct signin *s, const struct signin_answer *answer, void *owner)
{
    struct pop3_talk *t = owner;
    t->mode = TALK_COMMAND;
    if (answer->outcome == SIGNIN_OK)
        handover_start(&t->handover, &s->who, SLICE_EMPTY);
    else if (answer->outcome == SIGNIN_CHALLENGE)
        put_challenge(t, answer->challenge);
    else
        refuse_signin(t, answer);
}

/* -- commands: each returns false when `t` is gone -- */

static bool run_capa(struct pop3_talk *t, const struct pop3_command *c)
{
    (void)c;
    struct slice mechanisms = signin_mechanisms(t->c);
    const struct pop3_offer offer = {
        .stls = connection_can_start_tls(t->c),
        .secrets = signin_takes_passwords(t->c),
        .mechanisms = mechanisms,
    };
    pop3_put_capa(connection_out(t->c), &offer);
    connection_flush(t->c);
    return true;
}

/* RFC 1939 7: whether the name exists is not told. */
static bool run_user(struct pop3_talk *t, const struct pop3_command *c)
{
    assert(c->rest.n < sizeof t->name);
    if (slice_has(c->rest, '\0'))
        return refuse(t, "a name has no NUL");
    memcpy(t->name, c->rest.p, c->rest.n);
    t->name[c->rest.n] = '\0';
    t->named = true;
    say_ok(t, "now the password");
    return true;
}

static bool run_pass(struct pop3_talk *t, const struct pop3_command *c)
{
    if (!t->named)
        return refuse(t, "USER comes first");
    t->named = false;
    signin_login(&t->signin, slice_str(t->name), c->rest);
    return true;
}

static bool run_auth(struct pop3_talk *t, const struct pop3_command *c)
{
    if (c->rest.n) {
        signin_start_base64(&t->signin, c->rest, c->has_initial, c->initial);
        return true;
    }
    struct buf *out = connection_out(t->c);
    struct slice rest = signin_mechanisms(t->c), name;
    pop3_put_ok(out, "ways to sign in");
    while (slice_cut(&rest, ' ', &name)) {
        buf_put(out, name);
        buf_put(out, S("\r\n"));
    }
    pop3_put_end(out);
    connection_flush(t->c);
    return true;
}

static bool run_stls(struct pop3_talk *t, const struct pop3_command *c)
{
    (void)c;
    if (!connection_can_start_tls(t->c))
        return refuse(t, "STLS is not offered now");
    say_ok(t, "begin TLS now");
    connection_start_tls(t->c);
    return true;
}

/* RFC 6856 2.1. Messages are sent as they are with and without it, so there is nothing to remember. */
static bool run_utf8(struct pop3_talk *t, const struct pop3_command *c)
{
    (void)c;
    say_ok(t, "UTF-8 it is");
    return true;
}

static bool run_quit(struct pop3_talk *t, const struct pop3_command *c)
{
    (void)c;
    say_ok(t, "goodbye");
    end(t);
    return false;
}

static bool (*const runs[POP3_VERBS])(struct pop3_talk *, const struct pop3_command *) = {
    [POP3_CAPA] = run_capa, [POP3_USER] = run_user, [POP3_PASS] = run_pass, [POP3_AUTH] = run_auth,
    [POP3_STLS] = run_stls, [POP3_UTF8] = run_utf8, [POP3_QUIT] = run_quit,
};

/* -- the dispatcher: enforces the columns of the table -- */

static bool run_command(struct pop3_talk *t, struct slice line)
{
    const struct pop3_row *row = NULL;
    struct pop3_command c;
    enum err e = pop3_command_parse(line, &row, &c);
    if (e == ERR_NOT_FOUND && connection_is_web(line)) {
        say_err(t, POP3_NO_CODE, "this is a mail server");
        end(t);
        return false;
    }
    if (e == ERR_NOT_FOUND)
        return refuse(t, "unknown command");
    if (!(row->states & POP3_AUTHORIZATION))
        return refuse(t, "sign in first");
    if (row->flags & POP3_NEEDS_TLS && !connection_may_sign_in(t->c))
        return refuse(t, "use TLS first");
    if (row->flags & POP3_BEFORE_TLS && t->c->tls)
        return refuse(t, "TLS runs already");
    if (e != OK)
        return refuse(t, "wrong arguments");
    if (row->flags & POP3_JUNK && ++t->junk > LIMIT_POP3_JUNK)
        return refuse(t, "enough of that");
    if (row->verb != POP3_PASS)
        t->named = false;
    assert(runs[row->verb]);
    return runs[row->verb](t, &c);
}

static bool run_line(struct pop3_talk *t, const struct line *line)
{
    bool response = t->mode == TALK_RESPONSE;
    t->mode = TALK_COMMAND;
    if (line->bare || line->dirty) {
        if (response)
            signin_cancel(&t->signin);
        return refuse(t, "a line ends with CRLF and has no NUL");
    }
    if (!response)
        return run_command(t, line->text);
    signin_step_base64(&t->signin, line->text);
    return true;
}

static void pop3_input(struct connection *c, void *state)
{
    struct pop3_talk *t = state;
    while (!c->paused && c->state == CONNECTION_TALKING && !connection_owes(c)) {
        struct line line;
        struct slice input = connection_input(c);
        size_t most = t->mode == TALK_RESPONSE ? LIMIT_SASL_RESPONSE : pop3_line_most(input);
        enum err e = line_find(input, most, &line);
        if (e == ERR_AGAIN)
            return;
        if (e != OK) {
            say_err(t, POP3_NO_CODE, "the line is too long");
            end(t);
            return;
        }
        if (!run_line(t, &line))
            return;
        /* Taken now, as the words of the line point into the input; after STLS it is forgotten already. */
        if (c->state == CONNECTION_TALKING)
            connection_take(c, line.used);
    }
}

/* -- for the gate -- */

static void *pop3_open(struct connection *c)
{
    struct pop3_talk *t = NEW(struct pop3_talk);
    t->c = c;
    signin_init(&t->signin, c, on_signin, t);
    handover_init(&t->handover, c, on_handover, t);
    struct buf *out = connection_out(c);
    buf_printf(out, "+OK " SLICE_FMT " is ready\r\n", SLICE_ARG(c->gate->hostname));
    connection_flush(c);
    return t;
}

/* RFC 2595 4: what was known before TLS is discarded. */
static void pop3_tls_on(struct connection *c, void *state)
{
    struct pop3_talk *t = state;
    (void)c;
    t->mode = TALK_COMMAND;
    t->named = false;
}

static void pop3_farewell(const struct gate *g, enum gate_end why, struct buf *out)
{
    static const struct {
        enum pop3_code code;
        const char *text;
    } words[GATE_ENDS] = {
        [GATE_END_TIMEOUT] = {POP3_NO_CODE, "too long without a sign-in"},
        [GATE_END_CROWDED] = {POP3_CODE_SYS_TEMP, "too many connections, try again later"},
        [GATE_END_STOPPING] = {POP3_CODE_SYS_TEMP, "the server is stopping, try again later"},
        [GATE_END_OVERFLOW] = {POP3_NO_CODE, "too many unread replies"},
    };
    (void)g;
    if (words[why].text)
        pop3_put_err(out, words[why].code, words[why].text);
}

static void pop3_close(struct connection *c, void *state)
{
    struct pop3_talk *t = state;
    (void)c;
    signin_done(&t->signin);
    handover_done(&t->handover);
    free(t);
}

static const char *pop3_waits(const struct connection *c, const void *state)
{
    const struct pop3_talk *t = state;
    if (t->handover.request)
        return "keeper";
    return c->asking ? "vault" : "input";
}

const struct front pop3_front = {
    .name = "pop3",
    .limits =
        {.input = LIMIT_STREAM_INPUT,
         .output_high = LIMIT_SESSION_OUTPUT,
         .output_max = 2 * LIMIT_SESSION_OUTPUT},
    .open = pop3_open,
    .input = pop3_input,
    .tls_on = pop3_tls_on,
    .farewell = pop3_farewell,
    .close = pop3_close,
    .waits = pop3_waits,
};

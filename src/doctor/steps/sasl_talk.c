#include "doctor/steps/sasl_talk.h"

#include "base/encode.h"
#include "sasl/client.h"

struct exchange {
    struct talk *talk;
    struct arena *arena;
    const struct sasl_lines *lines;
    struct sasl_client *client;
    struct buf answer; /* the mechanism's next octets: wiped after each */
};

/* Empty, with all the room that it may ever need: a buffer that grows leaves its octets behind in freed memory. */
static void make_room(struct buf *b)
{
    buf_wipe(b);
    buf_reserve(b, b->limit);
}

/* One line to the server that may hold the secret. `head` goes before it as it is. */
static fallible put_line(struct exchange *x, struct slice head, bool encoded)
{
    struct buf line CLEANUP_BUF = BUF_INIT(head.n + 2 * x->answer.n + 8);
    make_room(&line);
    buf_put(&line, head);
    if (encoded)
        base64_put(&line, buf_slice(&x->answer));
    buf_put_str(&line, "\r\n");
    return talk_put_secret(x->talk, &line);
}

/* An empty first answer is told from none by "=" (RFC 4954 section 4, RFC 5034 section 4, RFC 4959 section 3). */
static fallible put_command(struct exchange *x, const char *mechanism, bool *ret_with_initial)
{
    struct buf head CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    bool has_initial = false;
    TRY(sasl_client_start(x->client, &x->answer, &has_initial));
    buf_put(&head, x->lines->command);
    buf_put_str(&head, mechanism);
    size_t whole = head.n + 1 + (x->answer.n + 2) / 3 * 4 + 2;
    bool with = has_initial && whole <= x->lines->initial_max;
    if (with)
        buf_put_str(&head, x->answer.n ? " " : " =");
    TRY(buf_check(&head));
    TRY(put_line(x, buf_slice(&head), with));
    *ret_with_initial = with || !has_initial;
    return OK;
}

/* "*" ends the exchange at the client's wish (RFC 9051 6.2.2, RFC 4954 and 5034 section 4). What the server says to it is the
 * reply of the whole. */
static fallible cancel(struct exchange *x, struct reply *reply)
{
    struct slice challenge;
    TRY(talk_put(x->talk, S("*\r\n")));
    TRY(x->lines->read(x->talk, x->arena, x->lines->owner, reply, &challenge));
    reply->kind = REPLY_BAD;
    return OK;
}

/* The answer to one challenge is in x->answer. ERR_DENIED and others: as sasl_client_step has them. */
static fallible take_challenge(struct exchange *x, struct slice challenge, bool initial_waits)
{
    struct buf octets CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    if (initial_waits)
        return OK; /* the server asks for it; what it says besides has no meaning (RFC 4422 section 3.3) */
    if (base64_get(challenge, &octets) != OK)
        return ERR_PROTOCOL;
    make_room(&x->answer);
    return sasl_client_step(x->client, buf_slice(&octets), &x->answer);
}

/* The exchange after the command, to the server's last word. */
static fallible converse(struct exchange *x, bool initial_waits, struct reply *reply)
{
    for (;;) {
        struct slice challenge = SLICE_EMPTY;
        TRY(x->lines->read(x->talk, x->arena, x->lines->owner, reply, &challenge));
        if (reply->kind != REPLY_MORE)
            return OK;
        enum err e = take_challenge(x, challenge, initial_waits);
        if (e == OK) {
            TRY(put_line(x, SLICE_EMPTY, true));
        } else {
            /* A complaint is the mechanism's way to refuse; anything else that is denied is a server without proof. */
            bool refused = sasl_client_complaint(x->client).n > 0;
            TRY(cancel(x, reply));
            if (refused)
                reply->kind = REPLY_NO;
            return e == ERR_DENIED && !refused ? ERR_DENIED : OK;
        }
        initial_waits = false;
    }
}

static fallible exchange(struct exchange *x, const struct credentials *who, struct reply *reply)
{
    bool with_initial = false;
    TRY(put_command(x, who->mechanism->name, &with_initial));
    TRY(converse(x, !with_initial, reply));
    if (reply->kind == REPLY_YES && sasl_client_end(x->client, NULL) != OK)
        return ERR_DENIED;
    return OK;
}

static struct sasl_identity identity_of(const struct credentials *who)
{
    struct sasl_identity identity = {.authcid = who->user, .secret = who->secret};
    if (who->mechanism->flags & SASL_BINDS_CHANNEL) {
        identity.exporter = who->exporter;
        identity.end_point = who->end_point;
    }
    return identity;
}

fallible sasl_talk(
    struct talk *t, struct arena *arena, const struct sasl_lines *lines, const struct credentials *who,
    struct reply *ret_reply, struct slice *ret_why)
{
    const struct sasl_identity identity = identity_of(who);
    struct exchange x = {.talk = t, .arena = arena, .lines = lines, .answer = BUF_INIT(LIMIT_SASL_RESPONSE)};
    struct reply reply = {.kind = REPLY_NO};
    if (sasl_client_new(who->mechanism, &identity, &x.client) != OK)
        return ERR_UNSUPPORTED;
    make_room(&x.answer);
    enum err e = exchange(&x, who, &reply);
    buf_wipe(&x.answer);
    struct slice why = arena_copy(arena, sasl_client_complaint(x.client));
    sasl_client_free(&x.client);
    if (e == OK || e == ERR_DENIED) {
        *ret_reply = reply;
        if (ret_why)
            *ret_why = why;
    }
    return e;
}

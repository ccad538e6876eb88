/* IMAP as a mail program speaks it (RFC 9051, 3501, 2595, 4959): up to the sign-in. */
#include "doctor/steps/imap.h"

#include "doctor/steps/sasl_talk.h"

enum {
    MECHANISMS_MAX = 64,  /* of one list: more are a joke */
    INITIAL_MAX = 8000,   /* octets of a command line; servers have 8192 at least (RFC 7162 4) */
    EXPLAINED_MAX = 2048, /* octets of untagged lines that explain an answer */
    QUOTED_MAX = 1000     /* octets of a quoted string; longer ones go as a literal */
};

/* --------------------------------------------------------------------------------------------------------- hearing */

static fallible next_response(struct talk *t, struct imap_responses *in, struct slice *ret_text)
{
    for (;;) {
        size_t taken;
        struct slice octets;
        TRY(talk_wait(t, talk_left_ms(t)));
        enum imap_response_read now = imap_responses_feed(in, talk_input(t), &taken);
        TRY(talk_octets(t, taken, &octets));
        if (now == IMAP_RESPONSE_BAD)
            return ERR_LIMIT;
        if (now == IMAP_RESPONSE_DONE) {
            talk_add_bare(t, in->bare);
            in->bare = 0;
            *ret_text = imap_responses_text(in);
            return OK;
        }
    }
}

struct hearing {
    struct talk *talk;
    struct arena *arena;
    const struct imap_waiting *waiting;
    struct imap_responses in;
    struct buf before; /* lines that explain the answer, each ended by LF */
    bool bye;
};

/* Untagged: kept when it may explain what comes, and told to who wants to hear it. */
static void hear_untagged(struct hearing *h, const struct imap_response *x, struct slice text)
{
    bool explains =
        x->kind == IMAP_SAYS_STATUS && (x->status == IMAP_NO || x->status == IMAP_BAD ||
                                        x->status == IMAP_BYE || slice_eq_nocase(x->code, S("ALERT")));
    if (explains && h->before.n + text.n < EXPLAINED_MAX) {
        buf_put(&h->before, text);
        buf_put_char(&h->before, '\n');
    }
    h->bye |= x->kind == IMAP_SAYS_STATUS && x->status == IMAP_BYE;
    if (h->waiting->hear)
        h->waiting->hear(h->waiting->owner, x, text);
}

/* The answer, with what stands in `before` in front of it. */
static fallible make_reply(struct hearing *h, int kind, struct slice text, struct reply *ret_reply)
{
    struct slice all =
        arena_printf(h->arena, SLICE_FMT SLICE_FMT, SLICE_ARG(buf_slice(&h->before)), SLICE_ARG(text));
    TRY(arena_check(h->arena));
    *ret_reply = (struct reply){.text = slice_trim(all)};
    ret_reply->kind = kind;
    return OK;
}

/* ERR_AGAIN: it was no answer yet. */
static fallible take_response(
    struct hearing *h, struct slice text, struct reply *ret_reply, struct slice *code,
    struct slice *challenge)
{
    struct imap_response x;
    if (imap_response_parse(text, &x) != OK)
        return make_reply(h, REPLY_BAD, text, ret_reply);
    if (x.kind == IMAP_SAYS_CONTINUE) {
        *challenge = arena_copy(h->arena, x.text);
        return make_reply(h, REPLY_MORE, text, ret_reply);
    }
    if (!x.tag.n) {
        hear_untagged(h, &x, text);
        return ERR_AGAIN;
    }
    if (!slice_eq(x.tag, slice_str(h->waiting->tag)))
        return make_reply(h, REPLY_BAD, text, ret_reply);
    *code = arena_copy(h->arena, x.code);
    if (h->waiting->hear)
        h->waiting->hear(h->waiting->owner, &x, text);
    return make_reply(
        h,
        x.status == IMAP_OK   ? REPLY_YES
        : x.status == IMAP_NO ? REPLY_NO
                              : REPLY_BAD,
        text, ret_reply);
}

static fallible
hear_all(struct hearing *h, struct reply *ret_reply, struct slice *ret_code, struct slice *ret_challenge)
{
    struct slice text, code = SLICE_EMPTY, challenge = SLICE_EMPTY;
    enum err e;
    do {
        e = next_response(h->talk, &h->in, &text);
        if (e != OK && h->bye)
            return make_reply(h, REPLY_NO, SLICE_EMPTY, ret_reply);
        TRY(e);
        e = take_response(h, text, ret_reply, &code, &challenge);
        imap_responses_next(&h->in);
    } while (e == ERR_AGAIN);
    TRY(e);
    if (ret_code)
        *ret_code = code;
    if (ret_challenge)
        *ret_challenge = challenge;
    return OK;
}

fallible imap_hear(
    struct talk *t, struct arena *arena, const struct imap_waiting *w, struct reply *ret_reply,
    struct slice *ret_code, struct slice *ret_challenge)
{
    struct hearing h = {.talk = t, .arena = arena, .waiting = w, .before = BUF_INIT(EXPLAINED_MAX + 1)};
    imap_responses_init(&h.in);
    enum err e = hear_all(&h, ret_reply, ret_code, ret_challenge);
    imap_responses_done(&h.in);
    buf_wipe(&h.before);
    return e;
}

fallible imap_command(
    struct talk *t, struct arena *arena, const struct imap_waiting *w, const char *words,
    struct reply *ret_reply, struct slice *ret_code)
{
    TRY(talk_printf(t, "%s %s\r\n", w->tag, words));
    TRY(imap_hear(t, arena, w, ret_reply, ret_code, NULL));
    if (ret_reply->kind == REPLY_MORE)
        ret_reply->kind = REPLY_BAD;
    return OK;
}

/* ------------------------------------------------------------------------------------------- greeting and offer */

/* What came, though it be none of IMAP. */
static struct reply whatever_came(struct arena *arena, struct slice text)
{
    return (struct reply){
        .kind = REPLY_BAD, .text = arena_copy(arena, slice_sub(text, 0, LIMIT_DOCTOR_PROOF))};
}

/* RFC 9051 7.1.4, 7.1.5: "OK", "PREAUTH" or "BYE", and nothing else. */
static fallible imap_greet(struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    struct imap_responses in;
    struct imap_response x;
    struct slice text;
    imap_responses_init(&in);
    enum err e = next_response(t, &in, &text);
    if (e == OK) {
        bool good = imap_response_parse(text, &x) == OK && x.kind == IMAP_SAYS_STATUS && !x.tag.n;
        *ret_reply = good ? (struct reply){.text = arena_copy(arena, text)} : whatever_came(arena, text);
        if (good)
            ret_reply->kind = x.status == IMAP_OK || x.status == IMAP_PREAUTH ? REPLY_YES : REPLY_NO;
        e = good ? OK : ERR_SYNTAX;
    } else if (in.text.n) {
        /* The line never ended; perhaps what stands there begins no greeting. */
        *ret_reply = whatever_came(arena, buf_slice(&in.text));
        if (e != ERR_TIMEOUT && !slice_starts(S("* "), slice_sub(buf_slice(&in.text), 0, 2)))
            e = ERR_SYNTAX;
    }
    imap_responses_done(&in);
    return e;
}

struct asked {
    struct arena *arena;
    struct offer offer;
    size_t mechanisms;
};

static void take_capability(struct asked *a, struct slice word)
{
    static const struct {
        const char *word;
        size_t at;
    } flags[] = {
        {"STARTTLS", offsetof(struct offer, starttls)},
        {"LOGINDISABLED", offsetof(struct offer, login_disabled)},
        {"ID", offsetof(struct offer, id)},
        {"IDLE", offsetof(struct offer, idle)},
        {"QUOTA", offsetof(struct offer, quota)},
        {"SASL-IR", offsetof(struct offer, sasl_ir)},
    };
    if (slice_starts_nocase(word, S("AUTH="))) {
        if (a->mechanisms++ < MECHANISMS_MAX)
            offer_put_mechanism(&a->offer, a->arena, slice_from(word, 5));
        return;
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (slice_eq_nocase(word, slice_str(flags[i].word)))
            *(bool *)((char *)&a->offer + flags[i].at) = true;
}

static void take_capabilities(struct asked *a, struct slice words, struct slice text)
{
    struct slice word;
    if (a->offer.asked)
        return; /* once is enough, whatever else it says */
    while (imap_response_word(&words, &word))
        take_capability(a, word);
    a->offer.asked = true;
    a->offer.text = arena_copy(a->arena, text);
}

/* The answer as data, or as a response code of the tagged line by servers that save a line. */
static void hear_capability(void *owner, const struct imap_response *x, struct slice text)
{
    struct asked *a = owner;
    if (x->kind == IMAP_SAYS_DATA && slice_eq_nocase(x->name, S("CAPABILITY")))
        take_capabilities(a, x->rest, text);
    else if (x->kind == IMAP_SAYS_STATUS && slice_eq_nocase(x->code, S("CAPABILITY")))
        take_capabilities(a, x->args, text);
}

fallible imap_ask(struct talk *t, struct arena *arena, struct offer *ret_offer)
{
    struct asked a = {.arena = arena};
    struct imap_waiting w = {.tag = "c1", .hear = hear_capability, .owner = &a};
    struct reply reply;
    TRY(imap_command(t, arena, &w, "CAPABILITY", &reply, NULL));
    if (!a.offer.asked)
        a.offer.text = reply.text;
    a.offer.login = !a.offer.login_disabled;
    *ret_offer = a.offer;
    return arena_check(arena);
}

static fallible imap_start_tls(struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    struct imap_waiting w = {.tag = "s1"};
    return imap_command(t, arena, &w, "STARTTLS", ret_reply, NULL);
}

/* -------------------------------------------------------------------------------------------------------- sign-in */

/* RFC 9051 4.3: what a quoted string may hold without asking whether the server knows UTF-8. */
static bool can_quote(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x7f || (unsigned char)s.p[i] < 0x20)
            return false;
    return s.n <= QUOTED_MAX;
}

static void put_quoted(struct buf *line, struct slice s)
{
    buf_put_char(line, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_put_char(line, '\\');
        buf_put_char(line, s.p[i]);
    }
    buf_put_char(line, '"');
}

/* The line's beginning goes, and the server lets the octets come, or does not (*ret_reply, not REPLY_MORE). */
static fallible announce(
    struct talk *t, struct arena *arena, const struct imap_waiting *w, struct buf *line, size_t n,
    struct reply *ret_reply)
{
    buf_printf(line, "{%zu}\r\n", n);
    TRY(talk_put_secret(t, line));
    return imap_hear(t, arena, w, ret_reply, NULL, NULL);
}

/* One string of the command at the end of `line`; *ret_reply stays REPLY_MORE unless the server refuses its literal. */
static fallible put_string(
    struct talk *t, struct arena *arena, const struct imap_waiting *w, struct buf *line, struct slice s,
    struct reply *ret_reply)
{
    if (can_quote(s)) {
        put_quoted(line, s);
        return OK;
    }
    TRY(announce(t, arena, w, line, s.n, ret_reply));
    if (ret_reply->kind != REPLY_MORE)
        return OK;
    if (!buf_reserve(line, line->limit)) /* talk_put_secret freed it */
        return ERR_LIMIT;
    buf_put(line, s);
    return OK;
}

/* LOGIN (RFC 9051 6.2.3), never where the server forbids it. */
static fallible
login(struct talk *t, struct arena *arena, const struct credentials *who, struct reply *ret_reply)
{
    static const struct imap_waiting w = {.tag = "l1"};
    struct slice secret = secret_reveal(who->secret);
    struct reply reply = {.kind = REPLY_MORE};
    struct buf line CLEANUP_BUF = BUF_INIT(2 * (who->user.n + secret.n) + 64);
    if (slice_has(who->user, '\0') || slice_has(secret, '\0') || !buf_reserve(&line, line.limit))
        return ERR_UNSUPPORTED;
    buf_put_str(&line, "l1 LOGIN ");
    TRY(put_string(t, arena, &w, &line, who->user, &reply));
    if (reply.kind == REPLY_MORE) {
        buf_put_char(&line, ' ');
        TRY(put_string(t, arena, &w, &line, secret, &reply));
    }
    if (reply.kind == REPLY_MORE) {
        buf_put_str(&line, "\r\n");
        TRY(talk_put_secret(t, &line));
        TRY(imap_hear(t, arena, &w, &reply, NULL, NULL));
        reply.kind = reply.kind == REPLY_MORE ? REPLY_BAD : reply.kind;
    }
    *ret_reply = reply;
    return OK;
}

static fallible read_challenge(
    struct talk *t, struct arena *arena, void *owner, struct reply *ret_reply, struct slice *ret_challenge)
{
    static const struct imap_waiting w = {.tag = "a1"};
    return imap_hear(t, arena, &w, ret_reply, NULL, ret_challenge);
}

static fallible imap_sign_in(
    struct talk *t, struct arena *arena, const struct offer *offer, const struct credentials *who,
    struct reply *ret_reply, struct slice *ret_why)
{
    struct sasl_lines lines = {
        .command = S("a1 AUTHENTICATE "),
        .initial_max = offer->sasl_ir ? INITIAL_MAX : 0,
        .read = read_challenge};
    if (who->mechanism)
        return sasl_talk(t, arena, &lines, who, ret_reply, ret_why);
    if (offer->login_disabled)
        return ERR_UNSUPPORTED;
    TRY(login(t, arena, who, ret_reply));
    if (ret_why)
        *ret_why = SLICE_EMPTY;
    return OK;
}

static void imap_leave(struct talk *t)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    struct imap_waiting w = {.tag = "z1"};
    struct reply reply;
    talk_within(t, LIMIT_DOCTOR_GOODBYE);
    IGNORE(imap_command(t, &arena, &w, "LOGOUT", &reply, NULL), "it was polite to wait");
}

const struct dialogue dialogue_imap = {
    .greet = imap_greet,
    .ask = imap_ask,
    .start_tls = imap_start_tls,
    .sign_in = imap_sign_in,
    .use = imap_use,
    .leave = imap_leave,
};

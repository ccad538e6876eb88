/* POP3 as a mail program speaks it (RFC 1939, 2449, 2595, 5034). */
#include "doctor/steps/reply_note.h"
#include "doctor/steps/sasl_talk.h"
#include "pop3/wire/answer.h"
#include "pop3/wire/reply.h"

/* RFC 2449 4: octets of a command line with its CRLF, which a first answer of SASL must fit in (RFC 5034 4). */
enum { COMMAND_MAX = 255 };

/* One reply line; what came is kept though it be none of POP3. */
static fallible
read_reply(struct talk *t, struct arena *arena, void *owner, struct reply *ret_reply, struct slice *ret_text)
{
    struct slice line;
    struct pop3_reply r;
    TRY(talk_line(t, &line));
    line = arena_copy(arena, line);
    *ret_reply = (struct reply){.kind = REPLY_BAD, .text = line};
    TRY(pop3_reply_parse(line, &r));
    ret_reply->kind = r.kind == POP3_REPLY_OK ? REPLY_YES : r.kind == POP3_REPLY_ERR ? REPLY_NO : REPLY_MORE;
    if (ret_text)
        *ret_text = r.text;
    return OK;
}

static fallible command(
    struct talk *t, struct arena *arena, struct slice line, struct reply *ret_reply, struct slice *ret_text)
{
    TRY(talk_put(t, line));
    return read_reply(t, arena, NULL, ret_reply, ret_text);
}

/* Lines behind a "+OK", each ended by LF, up to the lone dot. */
static fallible read_lines(struct talk *t, struct arena *arena, size_t most, struct slice *ret_lines)
{
    struct buf all CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LIST + LIMIT_DOCTOR_POP3_LISTED);
    struct pop3_lines l = {.most_lines = most, .most_octets = LIMIT_DOCTOR_LIST};
    struct slice line, content;
    for (;;) {
        TRY(talk_line(t, &line));
        enum err e = pop3_lines_feed(&l, line, &content);
        if (e == OK)
            break;
        if (e != ERR_AGAIN)
            return e;
        buf_put(&all, content);
        buf_put_char(&all, '\n');
    }
    *ret_lines = arena_copy(arena, buf_slice(&all));
    return OK;
}

static fallible pop3_greet(struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    TRY(read_reply(t, arena, NULL, ret_reply, NULL));
    return ret_reply->kind == REPLY_MORE ? ERR_SYNTAX : OK;
}

/* ------------------------------------------------------------------------------------------------------ offers */

static void read_offer(struct arena *arena, struct slice lines, struct offer *offer)
{
    struct pop3_capa capa;
    pop3_capa_read(lines, &capa);
    offer->asked = true;
    offer->text = slice_trim(lines);
    offer->starttls = capa.stls;
    offer->login = capa.user;
    for (size_t i = 0; i < capa.word_n; i++)
        offer_put_mechanism(offer, arena, capa.words[i]);
    offer->auth = capa.sasl;
}

/* A server that does not know CAPA knows USER and PASS, which RFC 1939 has from the beginning. */
static fallible pop3_ask(struct talk *t, struct arena *arena, struct offer *ret_offer)
{
    struct offer offer = {.asked = false};
    struct reply reply;
    struct slice lines;
    TRY(command(t, arena, S("CAPA\r\n"), &reply, NULL));
    if (reply.kind == REPLY_YES) {
        TRY(read_lines(t, arena, LIMIT_DOCTOR_CAPA_LINES, &lines));
        read_offer(arena, lines, &offer);
    } else {
        offer.login = true;
        offer.text = reply.text;
    }
    *ret_offer = offer;
    return OK;
}

static fallible pop3_start_tls(struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    return command(t, arena, S("STLS\r\n"), ret_reply, NULL);
}

/* ----------------------------------------------------------------------------------------------------- sign-in */

static bool is_one_line(struct slice s)
{
    return !slice_has(s, '\r') && !slice_has(s, '\n') && !slice_has(s, '\0');
}

/* RFC 1939 7: blanks in a password are part of it. */
static fallible
user_and_pass(struct talk *t, struct arena *arena, const struct credentials *who, struct reply *ret_reply)
{
    struct slice secret = secret_reveal(who->secret);
    struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    if (!is_one_line(who->user) || !is_one_line(secret) || !who->user.n)
        return ERR_UNSUPPORTED;
    TRY(talk_printf(t, "USER " SLICE_FMT "\r\n", SLICE_ARG(who->user)));
    TRY(read_reply(t, arena, NULL, ret_reply, NULL));
    if (ret_reply->kind != REPLY_YES)
        return OK;
    /* room at once: a buffer that grows leaves copies behind */
    if (!buf_reserve(&line, secret.n + sizeof "PASS \r\n"))
        return ERR_UNSUPPORTED;
    buf_put(&line, S("PASS "));
    buf_put(&line, secret);
    buf_put(&line, S("\r\n"));
    TRY(talk_put_secret(t, &line));
    return read_reply(t, arena, NULL, ret_reply, NULL);
}

static fallible pop3_sign_in(
    struct talk *t, struct arena *arena, const struct offer *offer, const struct credentials *who,
    struct reply *ret_reply, struct slice *ret_why)
{
    static const struct sasl_lines lines = {
        .command = {"AUTH ", 5}, .initial_max = COMMAND_MAX, .read = read_reply};
    if (who->mechanism)
        return sasl_talk(t, arena, &lines, who, ret_reply, ret_why);
    if (ret_why)
        *ret_why = SLICE_EMPTY;
    return user_and_pass(t, arena, who, ret_reply);
}

/* ----------------------------------------------------------------------------------------------- after sign-in */

struct drop {
    uint32_t count; /* messages by STAT */
    size_t listed;  /* by UIDL or LIST; only when all were asked for */
    bool whole;     /* all were asked for */
    bool has_ids;   /* UIDL works */
};

/* UIDL and LIST have the same form: of all messages when they are few, else of the first. */
static fallible
ask_list(struct talk *t, struct arena *arena, const char *verb, struct drop *drop, struct reply *ret_reply)
{
    struct slice lines, line, word;
    uint32_t number;
    drop->whole = drop->count <= LIMIT_DOCTOR_POP3_LISTED;
    TRY(talk_printf(t, "%s%s\r\n", verb, drop->whole ? "" : " 1"));
    TRY(read_reply(t, arena, NULL, ret_reply, &line));
    if (ret_reply->kind != REPLY_YES)
        return OK;
    if (!drop->whole)
        return pop3_listing_parse(line, &number, &word);
    TRY(read_lines(t, arena, LIMIT_DOCTOR_POP3_LISTED + 1, &lines));
    for (drop->listed = 0; slice_cut(&lines, '\n', &line) && line.n; drop->listed++)
        TRY(pop3_listing_parse(line, &number, &word));
    return OK;
}

/* What a mail program asks for first. On an error *ret_reply is what came last. */
static fallible look_at_drop(struct talk *t, struct arena *arena, struct drop *drop, struct reply *ret_reply)
{
    struct slice text;
    uint64_t octets;
    TRY(command(t, arena, S("STAT\r\n"), ret_reply, &text));
    if (ret_reply->kind != REPLY_YES)
        return OK;
    TRY(pop3_stat_parse(text, &drop->count, &octets));
    if (!drop->count)
        return OK;
    TRY(ask_list(t, arena, "UIDL", drop, ret_reply));
    drop->has_ids = ret_reply->kind == REPLY_YES;
    return drop->has_ids ? OK : ask_list(t, arena, "LIST", drop, ret_reply);
}

static void note_drop(struct visit *v, struct arena *arena, const struct drop *drop)
{
    notes_fact(
        v->notes, TONE_GOOD, FACT_INBOX, arena_printf(arena, "%u", drop->count), SLICE_EMPTY, SLICE_EMPTY);
    if (drop->count && !drop->has_ids)
        notes_observed(v->notes, TONE_NOTE, OBSERVED_AFTER_NO_UIDL, PROOF_NONE, SLICE_EMPTY);
    if (drop->whole && drop->listed != drop->count)
        notes_measured(
            v->notes, TONE_WARNING, OBSERVED_AFTER_LIST_DIFFERS, PROOF_MEASURED,
            wording_say(
                arena, PHRASE_LISTED, arena_printf(arena, "%u", drop->count),
                arena_printf(arena, "%zu", drop->listed), SLICE_EMPTY));
}

static void pop3_use(struct visit *v, struct talk *t, const struct offer *offer)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    struct drop drop = {.count = 0};
    struct reply reply = {.kind = REPLY_BAD};
    enum err e = look_at_drop(t, &arena, &drop, &reply);
    if (e == OK && reply.kind == REPLY_YES) {
        v->server->standing.works = true;
        note_drop(v, &arena, &drop);
    } else if (e == OK) {
        reply_note(v, TONE_FAULT, reply.text, OBSERVED_AFTER_INBOX_REFUSED);
    } else {
        reply_note_break(v, e, reply.text);
    }
}

static void pop3_leave(struct talk *t)
{
    struct slice line;
    talk_within(t, LIMIT_DOCTOR_GOODBYE);
    if (talk_put(t, S("QUIT\r\n")) == OK)
        IGNORE(talk_line(t, &line), "it was polite to wait");
}

const struct dialogue dialogue_pop3 = {
    .greet = pop3_greet,
    .ask = pop3_ask,
    .start_tls = pop3_start_tls,
    .sign_in = pop3_sign_in,
    .use = pop3_use,
    .leave = pop3_leave,
};

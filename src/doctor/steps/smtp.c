/* SMTP submission as a mail program speaks it (RFC 5321, 6409, 3207, 4954). */
#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "doctor/steps/reply_note.h"
#include "doctor/steps/sasl_talk.h"
#include "mail/address.h"
#include "mail/date.h"
#include "smtp/wire/data.h"
#include "smtp/wire/offer.h"
#include "smtp/wire/reply.h"

/* Octets of an AUTH line with its CRLF, which a first answer must fit in (RFC 4954 4, RFC 5321 4.5.3.1.4). */
enum { COMMAND_MAX = 512 };

/* ----------------------------------------------------------------------------------------------------- replies */

static int kind_of(unsigned code)
{
    if (code >= 400)
        return code >= 500 && code <= 504 ? REPLY_BAD : REPLY_NO;
    return code >= 300 ? REPLY_MORE : REPLY_YES;
}

/* All lines of one reply. `raw` has them with their codes, `r` the words. */
static fallible read_lines(struct talk *t, struct smtp_reply_reader *r, struct buf *raw)
{
    for (;;) {
        struct slice line;
        TRY(talk_line(t, &line));
        if (raw->n)
            buf_put_char(raw, '\n');
        buf_put(raw, line);
        enum err e = smtp_reply_reader_feed(r, line);
        if (e != ERR_AGAIN)
            return e;
        TRY(buf_check(raw));
    }
}

/* What came is kept, be it a reply or not. */
static fallible
read_reply(struct talk *t, struct arena *arena, void *owner, struct reply *ret_reply, struct slice *ret_text)
{
    struct buf raw = BUF_INIT(LIMIT_DOCTOR_REPLY);
    struct smtp_reply_reader r;
    smtp_reply_reader_init(&r);
    enum err e = read_lines(t, &r, &raw);
    *ret_reply =
        (struct reply){.kind = kind_of(r.code), .code = r.code, .text = arena_copy(arena, buf_slice(&raw))};
    if (e == OK && ret_text)
        *ret_text = arena_copy(arena, buf_slice(&r.text));
    buf_wipe(&raw); /* a server may say a secret back */
    buf_wipe(&r.text);
    return e;
}

static fallible command(
    struct talk *t, struct arena *arena, struct slice line, struct reply *ret_reply, struct slice *ret_text)
{
    TRY(talk_put(t, line));
    return read_reply(t, arena, NULL, ret_reply, ret_text);
}

static fallible smtp_greet(struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    TRY(read_reply(t, arena, NULL, ret_reply, NULL));
    return ret_reply->kind == REPLY_MORE ? ERR_SYNTAX : OK;
}

/* ------------------------------------------------------------------------------------------------------ offers */

/* RFC 5321 4.1.3, 4.1.4: who has no name of his own says his address. */
static struct slice own_literal(struct talk *t, struct arena *arena)
{
    struct ip ip;
    char text[IP_TEXT_MAX];
    if (talk_own_ip(t, &ip) != OK)
        return S("[127.0.0.1]");
    return arena_printf(arena, "[%s%s]", ip_is_v4(&ip) ? "" : "IPv6:", ip_text(&ip, text));
}

static void read_offer(struct arena *arena, struct slice words, struct offer *offer)
{
    struct smtp_offer o;
    smtp_offer_read(words, &o);
    offer->asked = true;
    offer->starttls = o.starttls;
    offer->size = o.size;
    offer->utf8 = o.utf8;
    offer->masked = o.masked;
    for (size_t i = 0; i < o.word_n; i++)
        offer_put_mechanism(offer, arena, o.words[i]);
    offer->auth = o.auth;
}

/* Servers that do not like an address are told a name that means nothing; those that know no EHLO offer nothing, and get
 * HELO so that the rest goes on. */
static fallible smtp_ask(struct talk *t, struct arena *arena, struct offer *ret_offer)
{
    const struct {
        const char *verb;
        struct slice name;
    } ways[] = {
        {"EHLO", own_literal(t, arena)},
        {"EHLO", S("localhost.localdomain")},
        {"HELO", S("localhost.localdomain")}};
    struct offer offer = {.asked = false};
    struct reply reply = {.kind = REPLY_NO};
    struct slice words;
    for (size_t i = 0; i < sizeof ways / sizeof *ways && reply.kind != REPLY_YES; i++) {
        if (reply.code == 421)
            return ERR_CLOSED;
        TRY(talk_printf(t, "%s " SLICE_FMT "\r\n", ways[i].verb, SLICE_ARG(ways[i].name)));
        TRY(read_reply(t, arena, NULL, &reply, &words));
        if (reply.kind == REPLY_YES && ways[i].verb[0] == 'E')
            read_offer(arena, words, &offer);
        if (!offer.text.n || offer.asked)
            offer.text = reply.text;
    }
    *ret_offer = offer;
    return OK;
}

static fallible smtp_start_tls(struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    return command(t, arena, S("STARTTLS\r\n"), ret_reply, NULL);
}

static fallible smtp_sign_in(
    struct talk *t, struct arena *arena, const struct offer *offer, const struct credentials *who,
    struct reply *ret_reply, struct slice *ret_why)
{
    static const struct sasl_lines lines = {
        .command = {"AUTH ", 5}, .initial_max = COMMAND_MAX, .read = read_reply};
    return who->mechanism ? sasl_talk(t, arena, &lines, who, ret_reply, ret_why) : ERR_UNSUPPORTED;
}

/* ----------------------------------------------------------------------------------------------- after sign-in */

/* One attempt to hand mail over, as far as it may go. */
struct handing {
    struct visit *visit;
    struct talk *talk;
    struct arena *arena;
    const struct offer *offer;
    struct address sender;
    struct slice path; /* as it is written, without <> */
    struct reply reply;
};

/* The person's address: whatever was given that is one. */
static bool find_sender(struct handing *h)
{
    const struct visit *v = h->visit;
    const struct slice given[] = {
        v->wishes->address, v->whole ? v->whole->address : SLICE_EMPTY, v->server->endpoint.user,
        v->wishes->user};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct buf path CLEANUP_BUF = BUF_INIT(2 * LIMIT_ADDRESS);
        if (address_parse(given[i], ADDRESS_ALLOW_UTF8, &h->sender) != OK)
            continue;
        address_put(&path, &h->sender);
        h->path = arena_copy(h->arena, buf_slice(&path));
        return h->path.n > 0;
    }
    return false;
}

/* For people in both languages; base64, because not every server takes eight bits. */
static const char test_text[] =
    "This message was sent by letterlock doctor to see whether sending works. It can be deleted.\r\n"
    "这封邮件由 letterlock doctor 发送，用于确认发信正常，可以删除。\r\n";

static void put_message(struct buf *out, const struct handing *h)
{
    enum { LINE = 57 }; /* octets that make a line of 76 signs (RFC 2045 6.8) */
    uint8_t id[16];
    random_bytes(id, sizeof id);
    buf_printf(
        out, "From: <" SLICE_FMT ">\r\nTo: <" SLICE_FMT ">\r\nDate: ", SLICE_ARG(h->path),
        SLICE_ARG(h->path));
    date_put(out, clock_unix_s(), 0);
    buf_put(out, S("\r\nMessage-ID: <"));
    hex_put(out, slice_of(id, sizeof id));
    buf_printf(out, "@" SLICE_FMT ">\r\n", SLICE_ARG(address_domain(&h->sender)));
    buf_put(
        out, S("Subject: letterlock doctor: a test of sending\r\nAuto-Submitted: auto-generated\r\n"
               "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: base64\r\n\r\n"));
    struct slice text = slice_str(test_text);
    for (size_t at = 0; at < text.n; at += LINE) {
        base64_put(out, slice_sub(text, at, LINE));
        buf_put(out, S("\r\n"));
    }
}

/* What a no means when the knowledge does not tell. */
struct meaning {
    enum observed later, never,
        relay; /* 4xx; 5xx; one that speaks of passing mail on, and not of this address */
};

static enum observed meaning_of(const struct reply *reply, const struct meaning *no)
{
    if (reply->code == 421)
        return OBSERVED_AFTER_CLOSED;
    if (reply->code < 500)
        return no->later;
    /* Servers that put their refusal of a network address off until the recipient is named. */
    if (slice_search_nocase(reply->text, S("client host")) != SLICE_NPOS)
        return OBSERVED_GREETING_REFUSED;
    /* RFC 3463 3.8: 5.7.1 is said of many things, but of relaying most often. */
    bool relay = slice_search_nocase(reply->text, S("relay")) != SLICE_NPOS ||
                 slice_search(reply->text, S(" 5.7.1 ")) != SLICE_NPOS;
    return relay ? no->relay : no->never;
}

/* Asks, and notes what a no means; false then. */
static bool say(struct handing *h, struct slice line, int want, const struct meaning *no)
{
    enum err e = command(h->talk, h->arena, line, &h->reply, NULL);
    if (e == OK && (int)h->reply.kind == want)
        return true;
    if (e != OK)
        reply_note_break(h->visit, e, h->reply.text);
    else
        reply_note(h->visit, TONE_FAULT, h->reply.text, meaning_of(&h->reply, no));
    return false;
}

/* MAIL FROM; RFC 1870 6 for SIZE, RFC 6531 3.4 for SMTPUTF8. */
static bool hand_sender(struct handing *h, size_t size)
{
    static const struct meaning no = {
        OBSERVED_AFTER_SENDER_LATER, OBSERVED_AFTER_SENDER_REFUSED, OBSERVED_AFTER_SENDER_REFUSED};
    struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_SMTP_COMMAND);
    bool ascii = ascii_is_all(h->path);
    if (!ascii && !h->offer->utf8) {
        notes_observed(h->visit->notes, TONE_FAULT, OBSERVED_AFTER_NO_SMTPUTF8, PROOF_SETTING, h->path);
        return false;
    }
    buf_printf(&line, "MAIL FROM:<" SLICE_FMT ">", SLICE_ARG(h->path));
    if (h->offer->size)
        buf_printf(&line, " SIZE=%zu", size);
    buf_put(&line, ascii ? S("\r\n") : S(" SMTPUTF8\r\n"));
    return say(h, buf_slice(&line), REPLY_YES, &no);
}

static bool hand_recipient(struct handing *h)
{
    static const struct meaning no = {
        OBSERVED_AFTER_RECIPIENT_LATER, OBSERVED_AFTER_RECIPIENT_REFUSED, OBSERVED_AFTER_RELAY_DENIED};
    struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_SMTP_COMMAND);
    buf_printf(&line, "RCPT TO:<" SLICE_FMT ">\r\n", SLICE_ARG(h->path));
    return say(h, buf_slice(&line), REPLY_YES, &no);
}

static bool hand_message(struct handing *h, struct slice message)
{
    static const struct meaning no = {
        OBSERVED_AFTER_MESSAGE_REFUSED, OBSERVED_AFTER_MESSAGE_REFUSED, OBSERVED_AFTER_MESSAGE_REFUSED};
    struct buf stuffed CLEANUP_BUF = BUF_INIT(2 * message.n + 16);
    struct smtp_stuffer s = {.inside = false};
    smtp_stuffer_feed(&s, message, &stuffed);
    smtp_stuffer_end(&s, &stuffed);
    return say(h, S("DATA\r\n"), REPLY_MORE, &no) && say(h, buf_slice(&stuffed), REPLY_YES, &no);
}

/* In MiB, with one digit behind the point where it is not 0. */
static void note_size(struct visit *v, struct arena *arena, uint64_t size)
{
    unsigned tenth = (unsigned)((size & 0xfffff) * 10 >> 20);
    struct slice mib = tenth ? arena_printf(arena, "%" PRIu64 ".%u", size >> 20, tenth)
                             : arena_printf(arena, "%" PRIu64, size >> 20);
    notes_fact(v->notes, TONE_GOOD, FACT_SIZE_LIMIT, mib, SLICE_EMPTY, SLICE_EMPTY);
}

static void smtp_use(struct visit *v, struct talk *t, const struct offer *offer)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    struct handing h = {.visit = v, .talk = t, .arena = &arena, .offer = offer};
    struct buf message CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    if (offer->size && offer->size != UINT64_MAX)
        note_size(v, &arena, offer->size);
    if (!find_sender(&h)) {
        v->server->standing.works = true; /* without an address there is nothing to ask for */
        return;
    }
    put_message(&message, &h);
    assert(buf_check(&message) == OK);
    if (!hand_sender(&h, message.n) || !hand_recipient(&h))
        return;
    notes_fact(v->notes, TONE_GOOD, FACT_SENDER, h.path, SLICE_EMPTY, SLICE_EMPTY);
    if (v->wishes->send_test) {
        if (!hand_message(&h, buf_slice(&message)))
            return;
        notes_fact(v->notes, TONE_GOOD, FACT_TEST_SENT, h.path, SLICE_EMPTY, SLICE_EMPTY);
    } else {
        IGNORE(
            command(t, &arena, S("RSET\r\n"), &h.reply, NULL), "it forgets the transaction at QUIT as well");
    }
    v->server->standing.works = true;
}

static void smtp_leave(struct talk *t)
{
    struct slice line;
    talk_within(t, LIMIT_DOCTOR_GOODBYE);
    if (talk_put(t, S("QUIT\r\n")) == OK)
        IGNORE(talk_line(t, &line), "it was polite to wait");
}

const struct dialogue dialogue_smtp = {
    .greet = smtp_greet,
    .ask = smtp_ask,
    .start_tls = smtp_start_tls,
    .sign_in = smtp_sign_in,
    .use = smtp_use,
    .leave = smtp_leave,
};

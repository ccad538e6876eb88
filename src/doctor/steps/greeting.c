#include "doctor/steps/greeting.h"

#include "doctor/steps/greeting_words.h"
#include "doctor/steps/imap.h"
#include "doctor/steps/reply_note.h"
#include "doctor/steps/tls_clock.h"
#include "smtp/wire/offer.h"

/* Octets of a greeting that are shown. */
enum { SHOWN = 200 };

static void
note(const struct visit *v, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof)
{
    notes_observed(v->notes, tone, what, kind, proof);
}

/* ----------------------------------------------------------------------------------------- when it did not greet */

/* What speaks only when spoken to, such as a web server or TLS, answers to a command of the protocol that was expected, even if
 * with a complaint. */
static struct slice poke(struct visit *v, struct opening *o)
{
    static const char *const words[SERVICE_N] = {
        [SERVICE_IMAP] = "a1 LOGOUT\r\n", [SERVICE_POP3] = "QUIT\r\n", [SERVICE_SMTP] = "QUIT\r\n"};
    uint64_t patience = v->wishes->patience_ms;
    talk_within(o->talk, patience < LIMIT_DOCTOR_POKE ? patience : LIMIT_DOCTOR_POKE);
    if (talk_put(o->talk, slice_str(words[v->server->endpoint.service])) != OK ||
        talk_wait(o->talk, LIMIT_DOCTOR_POKE) != OK)
        return SLICE_EMPTY;
    return talk_input(o->talk);
}

/* Another protocol than the one that was expected. */
static void note_other(const struct visit *v, enum greets greets, struct slice said)
{
    note(v, TONE_FAULT, greets_observed(greets), said.n ? PROOF_REPLY : PROOF_MEASURED, said);
}

static bool is_foreign(const struct visit *v, enum greets greets)
{
    return greets != GREETS_NOTHING && greets != greets_of_service(v->server->endpoint.service);
}

static void note_silence(struct visit *v, struct opening *o)
{
    struct slice said = o->greeting.text;
    if (said.n) {
        note(v, TONE_FAULT, OBSERVED_GREETING_UNFINISHED, PROOF_REPLY, said);
        return;
    }
    said = poke(v, o);
    if (is_foreign(v, greets_of(said)))
        note_other(v, greets_of(said), said);
    else
        note(v, TONE_FAULT, OBSERVED_GREETING_SILENT, said.n ? PROOF_REPLY : PROOF_MEASURED, said);
}

static void note_closed(const struct visit *v, struct slice said)
{
    enum observed what = v->server->endpoint.service == SERVICE_IMAP ? OBSERVED_IMAP_BYE_IMMEDIATELY
                                                                     : OBSERVED_GREETING_CLOSED_AT_ONCE;
    if (said.n)
        reply_note(v, TONE_FAULT, said, what);
    else
        note(v, TONE_FAULT, what, PROOF_MEASURED, SLICE_EMPTY);
}

/* The greeting itself is a no. */
static void note_refusal(const struct visit *v, const struct reply *greeting)
{
    enum observed what = v->server->endpoint.service == SERVICE_IMAP ? OBSERVED_IMAP_BYE_IMMEDIATELY
                         : greeting->code >= 500                     ? OBSERVED_GREETING_REFUSED
                                                                     : OBSERVED_GREETING_BUSY;
    reply_note(v, TONE_FAULT, greeting->text, what);
}

static void note_malformed(const struct visit *v, struct slice said)
{
    note(
        v, TONE_FAULT, slice_has(said, '\0') ? OBSERVED_GREETING_ZEROS : OBSERVED_GREETING_MALFORMED,
        PROOF_REPLY, said);
}

static void note_no_greeting(struct visit *v, struct opening *o, enum err e)
{
    struct slice said = o->greeting.text;
    enum greets greets = greets_of(said);
    if (greets == GREETS_OTHER)
        greets = greets_of(o->first); /* not all protocols have lines */
    if (is_foreign(v, greets) && (e != ERR_LIMIT || greets != GREETS_OTHER))
        note_other(v, greets, o->first.n ? o->first : said);
    else if (e == ERR_TIMEOUT)
        note_silence(v, o);
    else if (e == ERR_LIMIT)
        note(v, TONE_FAULT, OBSERVED_GREETING_FLOOD, PROOF_REPLY, said);
    else if (e == ERR_DENIED)
        note_refusal(v, &o->greeting);
    else if (e == ERR_SYNTAX)
        note_malformed(v, said);
    else
        note_closed(v, said);
}

/* It greeted, or encryption should begin, but then it went wrong. What the TLS step has told already is not told again. */
static void note_stop(struct visit *v, struct opening *o, enum err e)
{
    bool told = notes_worst(v->notes, STEP_TLS) == TONE_FAULT;
    if (o->at == OPENING_QUESTION)
        notes_measured(
            v->notes, TONE_FAULT, e == ERR_LIMIT ? OBSERVED_GREETING_FLOOD : OBSERVED_GREETING_QUESTION_FAILS,
            PROOF_MEASURED, wording_error(e));
    else if (o->at == OPENING_STARTTLS && !told && o->starttls.text.n)
        reply_note(v, TONE_FAULT, o->starttls.text, OBSERVED_GREETING_STARTTLS_REFUSED);
    else if (!told)
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_GREETING_CONNECTION_GONE, PROOF_MEASURED, wording_error(e));
}

/* ------------------------------------------------------------------------------------------------- what it offers */

/* Names of all ways to sign in, joined by blanks. */
static struct slice ways_of(struct arena *arena, enum service service, const struct offer *offer)
{
    static const char *const own[SERVICE_N] = {
        [SERVICE_IMAP] = "LOGIN (IMAP)", [SERVICE_POP3] = "USER (POP3)", [SERVICE_SMTP] = ""};
    struct buf names CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    for (size_t i = 0; i < count; i++)
        if (offer->mechanisms & ((uint32_t)1 << i))
            buf_printf(&names, "%s%s", names.n ? ", " : "", all[i].name);
    if (offer->others.n)
        buf_printf(&names, "%s" SLICE_FMT, names.n ? ", " : "", SLICE_ARG(offer->others));
    if (offer->login && own[service][0])
        buf_printf(&names, "%s%s", names.n ? ", " : "", own[service]);
    return arena_copy(arena, buf_slice(&names));
}

/* Is there a mechanism of these flags, and without those? */
static bool offers(const struct offer *offer, unsigned with, unsigned without)
{
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    for (size_t i = 0; i < count; i++)
        if (offer->mechanisms & ((uint32_t)1 << i) && (all[i].flags & with) == with &&
            !(all[i].flags & without))
            return true;
    return false;
}

static bool takes_password(enum service service, const struct offer *offer)
{
    return offers(offer, 0, SASL_TAKES_TOKEN | SASL_NEEDS_CERTIFICATE) ||
           (offer->login && service != SERVICE_SMTP);
}

/* Why no password can be given here: the first that fits. Nothing of it is said to those who have a token. */
static enum observed no_password_because(const struct visit *v, const struct opening *o)
{
    const struct offer *offer = &o->offer;
    bool encrypted = v->server->endpoint.security != SECURITY_NONE;
    bool smtp = v->server->endpoint.service == SERVICE_SMTP;
    if (!encrypted && (offer->starttls || offer->login_disabled))
        return OBSERVED_GREETING_AUTH_AFTER_TLS;
    if (offers(offer, SASL_TAKES_TOKEN, 0))
        return OBSERVED_CLIENT_ONLY_OAUTH_OFFERED;
    if (slice_search_nocase(offer->others, S("NTLM")) != SLICE_NPOS ||
        slice_search_nocase(offer->others, S("GSS")) != SLICE_NPOS)
        return OBSERVED_EXCHANGE_ONPREM_NTLM;
    return smtp && !offer->auth ? OBSERVED_SMTP_NO_AUTH_IN_EHLO : OBSERVED_GREETING_LOGIN_DISABLED;
}

static bool is_masked(const struct visit *v, const struct opening *o)
{
    return v->server->endpoint.service == SERVICE_SMTP &&
           (o->clear.masked || o->offer.masked || smtp_is_masked(o->greeting.text));
}

static void note_ways(struct visit *v, const struct opening *o, struct arena *arena)
{
    enum service service = v->server->endpoint.service;
    struct slice ways = ways_of(arena, service, &o->offer);
    bool token = v->wishes->secret && v->wishes->is_token;
    if (ways.n)
        notes_fact(v->notes, TONE_GOOD, FACT_MECHANISMS, ways, SLICE_EMPTY, SLICE_EMPTY);
    if (!o->offer.asked)
        return;
    if (token && !offers(&o->offer, SASL_TAKES_TOKEN, 0))
        note(v, TONE_FAULT, OBSERVED_CLIENT_OAUTH_PLAIN_MISMATCH, PROOF_REPLY, o->offer.text);
    else if (!token && !takes_password(service, &o->offer) && !is_masked(v, o))
        note(v, TONE_FAULT, no_password_because(v, o), PROOF_REPLY, o->offer.text);
}

/* ------------------------------------------------------------------------------------------- what else is noticed */

/* IMAP may speak unasked (RFC 9051 5.2); POP3 and SMTP may not. */
static void note_unasked(const struct visit *v, struct opening *o)
{
    if (v->server->endpoint.service != SERVICE_IMAP && talk_wait(o->talk, 0) == OK)
        note(
            v, TONE_WARNING, OBSERVED_GREETING_UNASKED, PROOF_REPLY,
            slice_sub(talk_input(o->talk), 0, LIMIT_DOCTOR_PROOF));
}

/* Before STARTTLS: does it take passwords all the same? */
static bool is_careless(const struct visit *v, const struct offer *clear)
{
    bool login = clear->login && v->server->endpoint.service != SERVICE_SMTP;
    return clear->asked && (login || offers(clear, SASL_SENDS_SECRET, SASL_TAKES_TOKEN));
}

static bool wants_id(const struct visit *v, const struct opening *o)
{
    const struct provider *p = v->whole ? v->whole->provider : NULL;
    return v->server->endpoint.service == SERVICE_IMAP && o->offer.id &&
           ((p && slice_eq(p->id, S("netease"))) ||
            slice_search_nocase(o->greeting.text, S("Coremail")) != SLICE_NPOS);
}

static void note_oddities(struct visit *v, struct opening *o, struct arena *arena)
{
    struct slice greeting = o->greeting.text, offer = o->offer.text;
    bool smtp = v->server->endpoint.service == SERVICE_SMTP;
    const struct {
        bool is;
        enum tone tone;
        enum observed what;
        struct slice proof;
    } rows[] = {
        {slice_starts_nocase(greeting, S("* PREAUTH")), TONE_WARNING, OBSERVED_GREETING_PREAUTH, greeting},
        {!o->offer.asked && smtp, TONE_FAULT, OBSERVED_GREETING_EHLO_REFUSED, offer},
        {!o->offer.asked && !smtp, TONE_NOTE, OBSERVED_GREETING_NO_OFFER, offer},
        {is_careless(v, &o->clear), TONE_NOTE, OBSERVED_GREETING_LOGIN_BEFORE_TLS, o->clear.text},
        {wants_id(v, o), TONE_NOTE, OBSERVED_GREETING_WANTS_ID, greeting},
        {talk_bare_lines(o->talk) > 0, TONE_NOTE, OBSERVED_GREETING_BARE_LINES, SLICE_EMPTY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].is)
            note(
                v, rows[i].tone, rows[i].what, rows[i].proof.n ? PROOF_REPLY : PROOF_MEASURED, rows[i].proof);
    if (o->greeting_ms > LIMIT_DOCTOR_SLOW)
        notes_measured(
            v->notes, TONE_WARNING, OBSERVED_NET_SLOW_GREETING, PROOF_MEASURED,
            wording_say(
                arena, PHRASE_SECONDS, arena_printf(arena, "%.1f", (double)o->greeting_ms / 1000),
                SLICE_EMPTY, SLICE_EMPTY));
    note_unasked(v, o);
}

/* ---------------------------------------------------------------------------------------- what it says of itself */

struct named {
    struct arena *arena;
    struct slice text;
};

static void hear_id(void *owner, const struct imap_response *said, struct slice text)
{
    struct named *n = owner;
    if (slice_starts_nocase(text, S("* ID ")))
        n->text = arena_copy(n->arena, text);
}

/* IMAP greetings seldom say it; whoever knows ID tells it when asked (RFC 2971 3.1, in any state), without our saying anything
 * of ourselves. A server that does not answer is not waited for long: the conversation is over otherwise. */
static struct slice ask_id(struct visit *v, struct opening *o, struct arena *arena)
{
    struct named named = {.arena = arena};
    struct imap_waiting w = {.tag = "n1", .hear = hear_id, .owner = &named};
    struct reply reply;
    if (v->server->endpoint.service != SERVICE_IMAP || !o->offer.id)
        return SLICE_EMPTY;
    talk_within(o->talk, LIMIT_DOCTOR_POKE);
    IGNORE(imap_command(o->talk, arena, &w, "ID NIL", &reply, NULL), "it was only a question");
    return named.text;
}

static void note_software(struct visit *v, struct opening *o, struct arena *arena)
{
    const char *name = greeting_software(o->greeting.text);
    if (!name)
        name = greeting_software(o->offer.text);
    if (!name && o->at == OPENING_DONE)
        name = greeting_software(ask_id(v, o, arena));
    if (!name)
        return;
    notes_fact(v->notes, TONE_GOOD, FACT_SOFTWARE, slice_str(name), SLICE_EMPTY, SLICE_EMPTY);
    v->server->standing.letterlock = slice_eq(slice_str(name), S("Letterlock"));
}

/* SMTP may tell the time by the way. */
static void note_time(const struct visit *v, struct slice greeting)
{
    int64_t told;
    if (v->server->endpoint.service == SERVICE_SMTP && greeting_time(greeting, &told) == OK)
        tls_clock_note(v->notes, v->server->endpoint.host, told);
}

static void note_masked(const struct visit *v, const struct opening *o)
{
    /* What was hidden may not have been needed. */
    enum tone tone = o->offer.auth ? TONE_WARNING : TONE_FAULT;
    if (is_masked(v, o) && !notes_have(v->notes, OBSERVED_GREETING_MASKED))
        note(
            v, tone, OBSERVED_GREETING_MASKED, PROOF_REPLY,
            o->clear.masked   ? o->clear.text
            : o->offer.masked ? o->offer.text
                              : o->greeting.text);
}

/* The protocol is the expected one: what it says of itself, however far it went from there. */
static void note_conversation(struct visit *v, struct opening *o, enum err e)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    notes_fact(
        v->notes, TONE_GOOD, FACT_GREETING, slice_sub(o->greeting.text, 0, SHOWN), SLICE_EMPTY, SLICE_EMPTY);
    note_software(v, o, &arena);
    note_time(v, o->greeting.text);
    note_masked(v, o);
    bool zeros = slice_has(o->greeting.text, '\0');
    if (zeros)
        note(v, e == OK ? TONE_WARNING : TONE_FAULT, OBSERVED_GREETING_ZEROS, PROOF_REPLY, o->greeting.text);
    if (e == OK) {
        v->server->standing.greeted = true;
        note_oddities(v, o, &arena);
        note_ways(v, o, &arena);
    } else if (!zeros) {
        note_stop(v, o, e);
    }
}

/* ------------------------------------------------------------------------------------------------------ the step */

void greeting_note(struct visit *v, struct opening *o, enum err e)
{
    bool greeted = o->at > OPENING_GREETING && o->greeting.text.n;
    bool asked =
        o->clear.asked || o->offer.asked; /* who knows our question is of our kind, whatever its name is */
    if (greeted && !asked && is_foreign(v, greets_of(o->greeting.text)))
        note_other(v, greets_of(o->greeting.text), o->greeting.text);
    else if (greeted)
        note_conversation(v, o, e);
    else if (o->at == OPENING_GREETING)
        note_no_greeting(v, o, e);
    else
        note_stop(v, o, e);
}

void greeting_look(struct visit *v)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(2 * LIMIT_DOCTOR_TALK);
    struct opening o;
    if (!v->server->standing.connected)
        return;
    /* Encryption was to begin at once, and did not: that was told, and whoever goes on would only repeat it. */
    if (v->server->endpoint.security == SECURITY_TLS && !v->server->standing.encrypted &&
        notes_worst(v->notes, STEP_TLS) == TONE_FAULT)
        return;
    enum err e = dialogue_begin(v, &arena, &o);
    greeting_note(v, &o, e);
    if (o.at == OPENING_DONE)
        dialogue_of(v->server->endpoint.service)->leave(o.talk);
    talk_close(&o.talk);
}

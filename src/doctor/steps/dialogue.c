#include "doctor/steps/dialogue.h"

#include <string.h>

#include "base/clock.h"
#include "doctor/steps/greeting_words.h"

/* A mechanism's name is at most 20 octets (RFC 4422 3.1); of longer ones we show this much. */
enum { NAME_SHOWN = 40 };

const struct dialogue *dialogue_of(enum service service)
{
    static const struct dialogue *const rows[SERVICE_N] = {
        [SERVICE_IMAP] = &dialogue_imap, [SERVICE_POP3] = &dialogue_pop3, [SERVICE_SMTP] = &dialogue_smtp};
    return rows[service];
}

/* ------------------------------------------------------------------------------------------------------ offers */

/* Whole words of `others`, which blanks part. */
static bool has_word(struct slice words, struct slice word)
{
    struct slice there;
    while (slice_cut(&words, ' ', &there))
        if (slice_eq_nocase(there, word))
            return true;
    return false;
}

void offer_put_mechanism(struct offer *o, struct arena *arena, struct slice name)
{
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count), *found = sasl_find(name);
    o->auth = true;
    if (found) {
        o->mechanisms |= (uint32_t)1 << (found - all);
        return;
    }
    name = slice_sub(name, 0, NAME_SHOWN);
    if (name.n && !has_word(o->others, name))
        o->others = arena_printf(
            arena, SLICE_FMT "%s" SLICE_FMT, SLICE_ARG(o->others), o->others.n ? " " : "", SLICE_ARG(name));
}

/* --------------------------------------------------------------------------------------------------- greetings */

fallible
dialogue_greet(const struct dialogue *d, struct talk *t, struct arena *arena, struct reply *ret_reply)
{
    TRY(talk_wait(t, talk_left_ms(t)));
    enum greets greets = greets_of(talk_input(t));
    bool lines = greets != GREETS_OTHER && greets != GREETS_TLS && greets != GREETS_DATABASE;
    if (!lines && talk_left_ms(t) > LIMIT_DOCTOR_AFTERTHOUGHT)
        talk_within(t, LIMIT_DOCTOR_AFTERTHOUGHT);
    return d->greet(t, arena, ret_reply);
}

/* ---------------------------------------------------------------------------------------------------- openings */

/* Waits apart from reading, so that a server that says nothing can still be spoken to. What came is kept whatever it is. */
static fallible greet(const struct dialogue *d, struct arena *arena, struct opening *o)
{
    uint64_t begun = clock_mono_ms();
    o->at = OPENING_GREETING;
    enum err e = talk_wait(o->talk, talk_left_ms(o->talk));
    o->first = arena_copy(arena, slice_sub(talk_input(o->talk), 0, LIMIT_DOCTOR_PROOF));
    if (e == OK)
        e = dialogue_greet(d, o->talk, arena, &o->greeting);
    o->greeting_ms = clock_mono_ms() - begun;
    if (e != OK && !o->greeting.text.n)
        o->greeting.text = arena_copy(arena, slice_sub(talk_input(o->talk), 0, LIMIT_DOCTOR_PROOF));
    if (e == OK && o->greeting.kind != REPLY_YES)
        return ERR_DENIED;
    return e;
}

static fallible ask(const struct dialogue *d, struct arena *arena, struct opening *o, struct offer *offer)
{
    o->at = OPENING_QUESTION;
    return d->ask(o->talk, arena, offer);
}

/* Greeting, question, STARTTLS: all in clear. */
static fallible say_starttls(const struct dialogue *d, struct arena *arena, struct opening *o)
{
    struct reply answer;
    TRY(greet(d, arena, o));
    TRY(ask(d, arena, o, &o->clear));
    o->at = OPENING_STARTTLS;
    TRY(d->start_tls(o->talk, arena, &answer));
    if (answer.kind == REPLY_YES)
        return OK;
    o->starttls = answer;
    return ERR_DENIED;
}

fallible dialogue_begin(const struct visit *v, struct arena *arena, struct opening *o)
{
    const struct endpoint *at = &v->server->endpoint;
    const struct dialogue *d = dialogue_of(at->service);
    *o = (struct opening){.at = OPENING_CONNECT};
    TRY(talk_open(v, &o->talk));
    if (at->security == SECURITY_STARTTLS)
        TRY(say_starttls(d, arena, o));
    if (at->security != SECURITY_NONE) {
        o->at = OPENING_TLS;
        TRY(talk_start_tls(o->talk, v->trust, at->host));
    }
    if (at->security != SECURITY_STARTTLS)
        TRY(greet(d, arena, o));
    TRY(ask(d, arena, o, &o->offer));
    o->at = OPENING_DONE;
    return OK;
}

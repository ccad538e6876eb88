#include "doctor/steps/dialogue.h"

#include <string.h>

const struct dialogue *dialogue_of(enum service service)
{
    static const struct dialogue *const rows[SERVICE_N] = {
        [SERVICE_IMAP] = &dialogue_imap, [SERVICE_POP3] = &dialogue_pop3, [SERVICE_SMTP] = &dialogue_smtp};
    return rows[service];
}

/* Greeting, question, STARTTLS: all in clear. */
static fallible say_starttls(
    const struct dialogue *d, struct talk *t, struct arena *arena, struct reply *reply, struct offer *offer)
{
    struct reply answer;
    TRY(d->greet(t, arena, reply));
    if (reply->kind != REPLY_YES)
        return ERR_DENIED;
    TRY(d->ask(t, arena, offer));
    TRY(d->start_tls(t, arena, &answer));
    if (answer.kind == REPLY_YES)
        return OK;
    *reply = answer;
    return ERR_DENIED;
}

fallible dialogue_to_tls(
    const struct visit *v, enum security security, struct arena *arena, struct talk **ret_talk,
    struct reply *ret_reply, struct offer *ret_offer)
{
    struct talk *t = NULL;
    struct reply reply = {.kind = REPLY_YES};
    struct offer offer = {.asked = false};
    TRY(talk_open(v, &t));
    enum err e = security == SECURITY_STARTTLS
                     ? say_starttls(dialogue_of(v->server->endpoint.service), t, arena, &reply, &offer)
                     : OK;
    if (ret_reply)
        *ret_reply = reply;
    if (ret_offer)
        *ret_offer = offer;
    if (e == OK)
        *ret_talk = t;
    else
        talk_close(&t);
    return e;
}

/* TLS, unless the server is spoken to in clear; then greeting and offer as they are from now on. */
static fallible settle(
    const struct visit *v, struct talk *t, struct arena *arena, struct reply *greeting, struct offer *offer)
{
    const struct endpoint *at = &v->server->endpoint;
    const struct dialogue *d = dialogue_of(at->service);
    if (at->security != SECURITY_NONE)
        TRY(talk_start_tls(t, v->trust, at->host));
    if (at->security != SECURITY_STARTTLS)
        TRY(d->greet(t, arena, greeting));
    return greeting->kind == REPLY_YES ? d->ask(t, arena, offer) : ERR_DENIED;
}

fallible dialogue_open(
    const struct visit *v, struct arena *arena, struct talk **ret_talk, struct reply *ret_greeting,
    struct offer *ret_offer)
{
    struct talk *t = NULL;
    struct reply greeting = {.kind = REPLY_YES};
    struct offer offer = {.asked = false};
    enum err e = dialogue_to_tls(v, v->server->endpoint.security, arena, &t, &greeting, &offer);
    if (e == OK)
        e = settle(v, t, arena, &greeting, &offer);
    if (ret_greeting)
        *ret_greeting = greeting;
    if (ret_offer)
        *ret_offer = offer;
    if (e == OK)
        *ret_talk = t;
    else
        talk_close(&t);
    return e;
}

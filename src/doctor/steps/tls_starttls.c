/* From clear text to TLS: the offer, the command, and what is wrong when it does not come to it. */

#include "doctor/steps/tls_parts.h"

/* Does the provider say that this very port does it? */
static bool provider_says_starttls(const struct looking *l)
{
    const struct endpoint *at = looking_endpoint(l);
    const struct provider *p = knowledge_provider_of(l->v->notes->knowledge, at->host);
    for (size_t i = 0; p && i < p->host_count; i++)
        if (p->hosts[i].starttls && p->hosts[i].port == at->port &&
            p->hosts[i].where == service_where(at->service))
            return true;
    return false;
}

/* Was it to be expected here? Published by who cannot be forged. */
static bool is_promised(const struct looking *l)
{
    const struct endpoint *at = looking_endpoint(l);
    bool published = at->source != SOURCE_GIVEN && at->source != SOURCE_GUESS && at->trusted;
    return published || provider_says_starttls(l);
}

static void note_not_offered(struct looking *l, const struct reply *answer)
{
    struct endpoint *at = looking_endpoint(l);
    struct slice proof = l->offer.text.n ? l->offer.text : answer->text;
    bool promised = is_promised(l);
    if (l->offer.masked) { /* whoever hides keywords hides this one */
        l->v->server->tls.starttls_stripped = true;
        looking_note(l, TONE_FAULT, OBSERVED_GREETING_MASKED, PROOF_REPLY, proof);
        return;
    }
    struct observation *o = looking_note(
        l, TONE_FAULT, promised ? OBSERVED_TLS_STARTTLS_MISSING : OBSERVED_TLS_STARTTLS_NOT_OFFERED,
        PROOF_REPLY, proof);
    l->v->server->tls.starttls_stripped = promised;
    if (at->source == SOURCE_GUESS)
        at->security = SECURITY_NONE;
    else if (!promised) /* from here nobody can tell */
        o->alternative = knowledge_find(l->v->notes->knowledge, S("tls-starttls-missing"));
}

/* After the server's yes. */
static void shake_after_starttls(struct looking *l, struct talk **t)
{
    bool hidden = l->offer.asked && !l->offer.starttls;
    enum err e = looking_shake(l, *t);
    if (e == OK) {
        if (hidden)
            looking_note(l, TONE_FAULT, OBSERVED_TLS_STARTTLS_HIDDEN, PROOF_REPLY, l->offer.text);
        l->v->server->tls.starttls_stripped = hidden;
        looking_at_session(l, *t);
        talk_close(t);
        looking_probe(l, true);
    } else if (e == ERR_DENIED) {
        l->v->server->tls.starttls_injected = true;
        looking_note(l, TONE_FAULT, OBSERVED_TLS_STARTTLS_INJECTION, PROOF_REPLY, looking_clear_text(l, *t));
    } else {
        looking_at_break(l, t, e);
    }
}

void looking_begin_tls(struct looking *l, struct talk **t)
{
    struct reply answer = {.kind = REPLY_NO};
    enum err e = l->dialogue->start_tls(*t, &l->arena, &answer);
    if (e == OK && answer.kind == REPLY_YES)
        shake_after_starttls(l, t);
    else if (!l->offer.starttls)
        note_not_offered(l, &answer);
    else if (e == OK)
        looking_note(l, TONE_FAULT, OBSERVED_TLS_STARTTLS_DECLINED, PROOF_REPLY, answer.text);
    else
        looking_at_break(l, t, e);
}

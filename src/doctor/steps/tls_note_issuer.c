/* Who vouches for the server, and whether anybody believes them. */

#include "doctor/interceptor.h"
#include "doctor/steps/tls_note_parts.h"

/* The organisation stands beside the name where it says something else. */
static struct wording proof_of_issuer(struct visit *v, const struct tls_seen *seen)
{
    struct arena *arena = &v->notes->arena;
    const struct tls_certificate *c = &seen->chain[0];
    struct wording issuer = wording_same(slice_sub(c->issuer, 0, TLS_NOTE_SHOWN));
    if (c->organisation.n && !slice_eq(c->organisation, c->issuer))
        issuer = wording_fill(
            arena, PHRASE_REMARK, issuer, wording_same(slice_sub(c->organisation, 0, TLS_NOTE_SHOWN)),
            wording_same(SLICE_EMPTY));
    return wording_fill(arena, PHRASE_ISSUED, issuer, tls_note_library(v, seen), wording_same(SLICE_EMPTY));
}

const char *tls_note_interceptor_in(const struct tls_seen *seen)
{
    const char *found = NULL;
    for (size_t i = 0; i < seen->chain_n && !found; i++) {
        found = interceptor_of(seen->chain[i].issuer);
        if (!found)
            found = interceptor_of(seen->chain[i].organisation);
    }
    return found;
}

bool tls_note_is_untrusted(const struct tls_seen *seen)
{
    return seen->verdict == TLS_VERDICT_SELF_SIGNED || seen->verdict == TLS_VERDICT_UNKNOWN_CA ||
           seen->verdict == TLS_VERDICT_CHAIN;
}

void tls_note_interceptor(struct visit *v, const struct tls_seen *seen, const char *product)
{
    bool good = seen->verdict == TLS_VERDICT_GOOD;
    struct wording proof = wording_fill(
        &v->notes->arena, PHRASE_PRODUCT, wording_same(slice_str(product)), proof_of_issuer(v, seen),
        wording_same(SLICE_EMPTY));
    struct observation *o = notes_measured(
        v->notes, good ? TONE_WARNING : TONE_FAULT,
        good ? OBSERVED_TLS_INTERCEPTED_TRUSTED : OBSERVED_TLS_INTERCEPTED, PROOF_CERTIFICATE, proof);
    if (tls_note_is_untrusted(
            seen)) { /* anybody can write that name into a certificate that nobody vouches for */
        o->sure = SURE_MEDIUM;
        o->alternative = tls_note_diagnosis(v, "tls-certificate-unknown-issuer");
    }
}

/* Nobody is trusted who vouches for it. A provider that everybody uses has certificates that everybody trusts. */
void tls_note_untrusted(struct visit *v, const struct tls_seen *seen)
{
    bool itself = seen->verdict == TLS_VERDICT_SELF_SIGNED;
    enum observed what =
        itself ? OBSERVED_TLS_CERTIFICATE_SELF_SIGNED : OBSERVED_TLS_CERTIFICATE_UNKNOWN_ISSUER;
    const struct provider *provider = knowledge_provider_of(v->notes->knowledge, v->server->endpoint.host);
    if (provider && provider->hosted)
        what = OBSERVED_TLS_ISSUER_NOT_PUBLIC;
    struct observation *o =
        notes_measured(v->notes, TONE_FAULT, what, PROOF_CERTIFICATE, proof_of_issuer(v, seen));
    if (what == OBSERVED_TLS_ISSUER_NOT_PUBLIC)
        o->alternative =
            tls_note_diagnosis(v, itself ? "tls-certificate-self-signed" : "tls-certificate-unknown-issuer");
    else if (!itself && seen->chain_n == 1) /* an issuer that was not sent may be known to others */
        o->alternative = tls_note_diagnosis(v, "tls-chain-incomplete");
}

void tls_note_chain(struct visit *v, const struct tls_seen *seen)
{
    struct observation *o = notes_measured(
        v->notes, TONE_FAULT, OBSERVED_TLS_CHAIN_INCOMPLETE, PROOF_CERTIFICATE, proof_of_issuer(v, seen));
    o->alternative = tls_note_diagnosis(v, "tls-certificate-unknown-issuer");
}

/* What is noted of a handshake: pure, on the model of the examination. */

#include "base/clock.h"
#include "doctor/steps/tls_note_parts.h"

enum { DAY_S = 86400, SOON_DAYS = 14 };

const struct diagnosis *tls_note_diagnosis(const struct visit *v, const char *id)
{
    return knowledge_find(v->notes->knowledge, slice_str(id));
}

struct wording tls_note_library(struct visit *v, const struct tls_seen *seen)
{
    return wording_known(&v->notes->arena, slice_str(seen->verdict_text));
}

/* ------------------------------------------------------------------------------------------------------- facts */

static bool is_weak_hash(struct slice signature)
{
    return slice_eq(signature, S("SHA-1")) || slice_starts_nocase(signature, S("MD")) ||
           slice_eq_nocase(signature, S("RSA-MD5"));
}

void tls_profile_fill(struct tls_profile *p, const struct tls_seen *seen)
{
    p->shaken = true;
    p->version = slice_str(seen->version);
    p->suite = slice_str(seen->cipher);
    p->group = seen->group;
    p->forward_secret = seen->forward_secret;
    p->verified = seen->verdict == TLS_VERDICT_GOOD;
    if (!seen->chain_n)
        return;
    const struct tls_certificate *c = &seen->chain[0];
    p->key = c->key;
    p->signature = c->signature;
    p->issuer = c->issuer;
    p->key_strength = c->key_strength;
    /* A root's own signature is believed by nobody, and that of a self-signed server neither. */
    p->weak_signature = is_weak_hash(c->signature);
    p->not_before_s = c->not_before_s;
    p->not_after_s = c->not_after_s;
    int64_t left = c->not_after_s - clock_unix_s();
    p->days_left = left >= 0 ? left / DAY_S : -((DAY_S - 1 - left) / DAY_S);
}

static struct slice put_day(struct arena *arena, int64_t unix_s)
{
    struct civil c = civil_of_unix(unix_s);
    return arena_printf(arena, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static void note_session(struct visit *v, const struct tls_seen *seen)
{
    struct arena *arena = &v->notes->arena;
    notes_fact(
        v->notes, TONE_GOOD, FACT_TLS_SESSION, slice_str(seen->version),
        seen->group.n ? arena_printf(arena, "%s, " SLICE_FMT, seen->cipher, SLICE_ARG(seen->group))
                      : slice_str(seen->cipher),
        SLICE_EMPTY);
    if (!seen->forward_secret)
        notes_observed(
            v->notes, TONE_WARNING, OBSERVED_TLS_NO_FORWARD_SECRECY, PROOF_MEASURED, slice_str(seen->cipher));
}

static void note_certificate(struct visit *v, const struct tls_seen *seen)
{
    const struct tls_certificate *c = &seen->chain[0];
    bool good = seen->verdict == TLS_VERDICT_GOOD;
    struct slice names = c->names.n ? c->names : c->subject;
    notes_fact(
        v->notes, good ? TONE_GOOD : TONE_NOTE, good ? FACT_CERTIFICATE_GOOD : FACT_CERTIFICATE,
        slice_sub(names, 0, TLS_NOTE_SHOWN), slice_sub(c->issuer, 0, TLS_NOTE_SHOWN),
        put_day(&v->notes->arena, c->not_after_s));
}

/* ------------------------------------------------------------------------------------------------------- proofs */

static struct wording proof_of_names(struct visit *v, const struct tls_certificate *c)
{
    struct slice names = slice_sub(c->names, 0, TLS_NOTE_SHOWN);
    return wording_say(
        &v->notes->arena, names.n ? PHRASE_NAMES : PHRASE_NO_NAMES, v->server->endpoint.host,
        names.n ? names : slice_sub(c->subject, 0, TLS_NOTE_SHOWN), SLICE_EMPTY);
}

static struct wording proof_of_key(struct visit *v, const struct tls_seen *seen)
{
    const struct tls_certificate *c = &seen->chain[0];
    return wording_fill(
        &v->notes->arena, PHRASE_THREE, wording_same(c->key), wording_same(c->signature),
        tls_note_library(v, seen));
}

/* ------------------------------------------------------------------------------------------------------ verdict */

static void note_name(struct visit *v, const struct tls_seen *seen, enum tone tone)
{
    notes_measured(
        v->notes, tone, OBSERVED_TLS_CERTIFICATE_NAME, PROOF_CERTIFICATE, proof_of_names(v, &seen->chain[0]));
}

static void note_verdict(struct visit *v, const struct tls_seen *seen, struct told_time told)
{
    switch (seen->verdict) {
    case TLS_VERDICT_GOOD:
        break;
    case TLS_VERDICT_NOT_YET:
    case TLS_VERDICT_EXPIRED:
        tls_note_dates(v, seen, told);
        break;
    case TLS_VERDICT_NAME:
        note_name(v, seen, TONE_FAULT);
        break;
    case TLS_VERDICT_SELF_SIGNED:
    case TLS_VERDICT_UNKNOWN_CA:
        tls_note_untrusted(v, seen);
        break;
    case TLS_VERDICT_CHAIN:
        tls_note_chain(v, seen);
        break;
    case TLS_VERDICT_WEAK:
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_WEAK, PROOF_CERTIFICATE, proof_of_key(v, seen));
        break;
    case TLS_VERDICT_PURPOSE:
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_PURPOSE, PROOF_CERTIFICATE,
            tls_note_library(v, seen));
        break;
    case TLS_VERDICT_REVOKED:
        tls_note_revoked(v, seen);
        break;
    case TLS_VERDICT_OTHER:
    case TLS_VERDICTS:
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_REFUSED, PROOF_CERTIFICATE,
            tls_note_library(v, seen));
    }
    if (seen->also_name)
        note_name(v, seen, TONE_WARNING);
}

static void note_soon(struct visit *v, const struct tls_seen *seen)
{
    const struct tls_certificate *c = &seen->chain[0];
    int64_t left = c->not_after_s - clock_unix_s();
    if (seen->verdict == TLS_VERDICT_GOOD && left < SOON_DAYS * DAY_S)
        notes_measured(
            v->notes, TONE_WARNING, OBSERVED_TLS_CERTIFICATE_EXPIRES_SOON, PROOF_CERTIFICATE,
            tls_note_validity(v, c->not_before_s, c->not_after_s));
}

void tls_note_seen(struct visit *v, const struct tls_seen *seen, struct told_time told)
{
    note_session(v, seen);
    if (!seen->chain_n) {
        note_verdict(v, seen, told);
        return;
    }
    const char *product = tls_note_interceptor_in(seen);
    note_certificate(v, seen);
    if (product)
        tls_note_interceptor(v, seen, product);
    if (!product || !tls_note_is_untrusted(seen))
        note_verdict(v, seen, told);
    tls_note_staple(v, seen, told);
    note_soon(v, seen);
}

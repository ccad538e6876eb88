/* What is noted of a handshake and of what probes found: pure, on the model of the examination. */

#include "base/clock.h"
#include "doctor/interceptor.h"
#include "doctor/steps/tls.h"

enum { DAY_S = 86400, SOON_DAYS = 14, SKEW_S = 300, SHOWN = 300 };

/* The first of November 2026: no clock that is right shows less while this program runs. */
static const int64_t written_s = 1793491200;

static const struct diagnosis *diagnosis_of(const struct visit *v, const char *id)
{
    return knowledge_find(v->notes->knowledge, slice_str(id));
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

/* "2026-11-22 19:25 UTC" */
static struct slice put_moment(struct arena *arena, int64_t unix_s)
{
    struct civil c = civil_of_unix(unix_s);
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d UTC", c.year, c.month, c.day, c.hour, c.minute);
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
        slice_sub(names, 0, SHOWN), slice_sub(c->issuer, 0, SHOWN),
        put_day(&v->notes->arena, c->not_after_s));
}

/* ------------------------------------------------------------------------------------------------------- proofs */

static struct wording proof_of_dates(struct visit *v, const struct tls_certificate *c)
{
    struct arena *arena = &v->notes->arena;
    return wording_say(
        arena, PHRASE_VALIDITY, put_moment(arena, c->not_before_s), put_moment(arena, c->not_after_s),
        put_moment(arena, clock_unix_s()));
}

static struct wording proof_of_names(struct visit *v, const struct tls_certificate *c)
{
    struct slice names = slice_sub(c->names, 0, SHOWN);
    return wording_say(
        &v->notes->arena, names.n ? PHRASE_NAMES : PHRASE_NO_NAMES, v->server->endpoint.host,
        names.n ? names : slice_sub(c->subject, 0, SHOWN), SLICE_EMPTY);
}

static struct wording library_words(struct visit *v, const struct tls_seen *seen)
{
    return wording_known(&v->notes->arena, slice_str(seen->verdict_text));
}

/* The organisation stands beside the name where it says something else. */
static struct wording proof_of_issuer(struct visit *v, const struct tls_seen *seen)
{
    struct arena *arena = &v->notes->arena;
    const struct tls_certificate *c = &seen->chain[0];
    struct wording issuer = wording_same(slice_sub(c->issuer, 0, SHOWN));
    if (c->organisation.n && !slice_eq(c->organisation, c->issuer))
        issuer = wording_fill(
            arena, PHRASE_REMARK, issuer, wording_same(slice_sub(c->organisation, 0, SHOWN)),
            wording_same(SLICE_EMPTY));
    return wording_fill(arena, PHRASE_ISSUED, issuer, library_words(v, seen), wording_same(SLICE_EMPTY));
}

static struct wording proof_of_key(struct visit *v, const struct tls_seen *seen)
{
    const struct tls_certificate *c = &seen->chain[0];
    return wording_fill(
        &v->notes->arena, PHRASE_THREE, wording_same(c->key), wording_same(c->signature),
        library_words(v, seen));
}

/* --------------------------------------------------------------------------------------------------- the clocks */

bool tls_dates_doubtful(const struct tls_seen *seen)
{
    return seen->chain_n && (seen->verdict == TLS_VERDICT_EXPIRED || seen->verdict == TLS_VERDICT_NOT_YET);
}

static bool is_valid_at(const struct tls_seen *seen, int64_t at_s)
{
    for (size_t i = 0; i < seen->chain_n; i++)
        if (at_s < seen->chain[i].not_before_s || at_s > seen->chain[i].not_after_s)
            return false;
    return true;
}

static void note_clock(struct visit *v, const struct tls_certificate *c, int64_t other_s)
{
    struct arena *arena = &v->notes->arena;
    struct wording dates = proof_of_dates(v, c);
    if (other_s)
        dates = wording_fill(
            arena, PHRASE_OTHER_CLOCK, dates, wording_same(put_moment(arena, other_s)),
            wording_same(SLICE_EMPTY));
    notes_measured(v->notes, TONE_FAULT, OBSERVED_TLS_CLOCK_SKEW, PROOF_CERTIFICATE, dates);
}

/* Certificate or clock? The server's own clock tells, or that the local one shows a time before this was written. Else both are
 * possible, and the certificate is blamed first. */
static void note_dates(struct visit *v, const struct tls_seen *seen, int64_t other_s)
{
    int64_t now = clock_unix_s(), apart = other_s - now;
    bool differ = other_s && (apart > SKEW_S || apart < -SKEW_S);
    if ((differ && is_valid_at(seen, other_s)) || now < written_s) {
        note_clock(v, &seen->chain[0], other_s);
        return;
    }
    struct observation *o = notes_measured(
        v->notes, TONE_FAULT,
        seen->verdict == TLS_VERDICT_EXPIRED ? OBSERVED_TLS_CERTIFICATE_EXPIRED
                                             : OBSERVED_TLS_CERTIFICATE_NOT_YET,
        PROOF_CERTIFICATE, proof_of_dates(v, &seen->chain[0]));
    if (!other_s) {
        o->alternative = diagnosis_of(v, "tls-clock-skew");
        o->sure = SURE_MEDIUM;
    }
}

/* -------------------------------------------------------------------------------------------------- the issuers */

static const char *interceptor_in(const struct tls_seen *seen)
{
    const char *found = NULL;
    for (size_t i = 0; i < seen->chain_n && !found; i++) {
        found = interceptor_of(seen->chain[i].issuer);
        if (!found)
            found = interceptor_of(seen->chain[i].organisation);
    }
    return found;
}

static void note_interceptor(struct visit *v, const struct tls_seen *seen, const char *product)
{
    bool good = seen->verdict == TLS_VERDICT_GOOD;
    struct wording proof = wording_fill(
        &v->notes->arena, PHRASE_PRODUCT, wording_same(slice_str(product)), proof_of_issuer(v, seen),
        wording_same(SLICE_EMPTY));
    notes_measured(
        v->notes, good ? TONE_WARNING : TONE_FAULT,
        good ? OBSERVED_TLS_INTERCEPTED_TRUSTED : OBSERVED_TLS_INTERCEPTED, PROOF_CERTIFICATE, proof);
}

/* Nobody is trusted who vouches for it. A provider that everybody uses has certificates that everybody trusts. */
static void note_untrusted(struct visit *v, const struct tls_seen *seen)
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
            diagnosis_of(v, itself ? "tls-certificate-self-signed" : "tls-certificate-unknown-issuer");
    else if (!itself && seen->chain_n == 1) /* an issuer that was not sent may be known to others */
        o->alternative = diagnosis_of(v, "tls-chain-incomplete");
}

static void note_chain(struct visit *v, const struct tls_seen *seen)
{
    struct observation *o = notes_measured(
        v->notes, TONE_FAULT, OBSERVED_TLS_CHAIN_INCOMPLETE, PROOF_CERTIFICATE, proof_of_issuer(v, seen));
    o->alternative = diagnosis_of(v, "tls-certificate-unknown-issuer");
}

/* ------------------------------------------------------------------------------------------------------ verdict */

static void note_name(struct visit *v, const struct tls_seen *seen, enum tone tone)
{
    notes_measured(
        v->notes, tone, OBSERVED_TLS_CERTIFICATE_NAME, PROOF_CERTIFICATE, proof_of_names(v, &seen->chain[0]));
}

static void note_verdict(struct visit *v, const struct tls_seen *seen, int64_t other_s)
{
    switch (seen->verdict) {
    case TLS_VERDICT_GOOD:
        break;
    case TLS_VERDICT_NOT_YET:
    case TLS_VERDICT_EXPIRED:
        note_dates(v, seen, other_s);
        break;
    case TLS_VERDICT_NAME:
        note_name(v, seen, TONE_FAULT);
        break;
    case TLS_VERDICT_SELF_SIGNED:
    case TLS_VERDICT_UNKNOWN_CA:
        note_untrusted(v, seen);
        break;
    case TLS_VERDICT_CHAIN:
        note_chain(v, seen);
        break;
    case TLS_VERDICT_WEAK:
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_WEAK, PROOF_CERTIFICATE, proof_of_key(v, seen));
        break;
    case TLS_VERDICT_PURPOSE:
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_PURPOSE, PROOF_CERTIFICATE,
            library_words(v, seen));
        break;
    case TLS_VERDICT_REVOKED:
    case TLS_VERDICT_OTHER:
    case TLS_VERDICTS:
        notes_measured(
            v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_REFUSED, PROOF_CERTIFICATE,
            library_words(v, seen));
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
            proof_of_dates(v, c));
}

void tls_note_seen(struct visit *v, const struct tls_seen *seen, int64_t other_clock_s)
{
    note_session(v, seen);
    if (!seen->chain_n) {
        note_verdict(v, seen, other_clock_s);
        return;
    }
    const char *product = interceptor_in(seen);
    bool untrusted = seen->verdict == TLS_VERDICT_SELF_SIGNED || seen->verdict == TLS_VERDICT_UNKNOWN_CA ||
                     seen->verdict == TLS_VERDICT_CHAIN;
    note_certificate(v, seen);
    if (product)
        note_interceptor(v, seen, product);
    if (!product || !untrusted)
        note_verdict(v, seen, other_clock_s);
    note_soon(v, seen);
}

/* ------------------------------------------------------------------------------------------------------- probes */

static void
note_bits(struct visit *v, enum fact fact, void (*put)(unsigned, enum lang, struct buf *), unsigned bits)
{
    struct buf text CLEANUP_BUF = BUF_INIT(SHOWN);
    put(bits, LANG_EN, &text); /* names: the same in every language */
    if (text.n)
        notes_fact(v->notes, TONE_GOOD, fact, buf_slice(&text), SLICE_EMPTY, SLICE_EMPTY);
}

static void
warn_bits(struct visit *v, enum observed what, void (*put)(unsigned, enum lang, struct buf *), unsigned bits)
{
    struct wording words;
    for (int l = 0; l < LANG_N; l++) {
        struct buf text CLEANUP_BUF = BUF_INIT(SHOWN);
        put(bits, (enum lang)l, &text);
        words.in[l] = arena_copy(&v->notes->arena, buf_slice(&text));
    }
    if (words.in[LANG_EN].n)
        notes_measured(v->notes, TONE_WARNING, what, PROOF_MEASURED, words);
}

void tls_note_probes(struct visit *v, bool works)
{
    const struct tls_profile *p = &v->server->tls;
    unsigned broken = TLS_WEAK_NULL | TLS_WEAK_EXPORT | TLS_WEAK_RC4 | TLS_WEAK_TRIPLE_DES;
    /* Postfix offers them as it comes, for servers that verify nobody; who verifies is never brought down to them. */
    if (v->server->endpoint.service != SERVICE_SMTP)
        broken |= TLS_WEAK_ANONYMOUS;
    note_bits(v, FACT_TLS_VERSIONS, tls_put_versions, p->versions);
    note_bits(v, FACT_TLS_GROUPS, tls_put_groups, p->groups);
    if (!works) /* then that is the trouble, and noted as such */
        return;
    warn_bits(v, OBSERVED_TLS_OLD_VERSIONS, tls_put_versions, p->versions & TLS_HAS_OLD);
    warn_bits(v, OBSERVED_TLS_WEAK_SUITES, tls_put_weak, p->weak & broken);
    warn_bits(v, OBSERVED_TLS_SMALL_GROUP, tls_put_weak, p->weak & TLS_WEAK_SMALL_GROUP);
    if (p->versions_asked & TLS_HAS_TLS13 && !(p->versions & TLS_HAS_TLS13))
        notes_observed(v->notes, TONE_NOTE, OBSERVED_TLS_NO_TLS13, PROOF_MEASURED, p->version);
}

/* Dates that do not fit: is it the certificate, or the clock of this device? */

#include "base/clock.h"
#include "doctor/steps/tls_clock.h"
#include "doctor/steps/tls_note_parts.h"

struct wording tls_note_validity(struct visit *v, int64_t from_s, int64_t until_s)
{
    struct arena *arena = &v->notes->arena;
    return wording_say(
        arena, PHRASE_VALIDITY, tls_clock_moment(arena, from_s), tls_clock_moment(arena, until_s),
        tls_clock_moment(arena, clock_unix_s()));
}

static bool has_dates(const struct tls_seen *seen)
{
    return seen->verdict == TLS_VERDICT_EXPIRED || seen->verdict == TLS_VERDICT_NOT_YET;
}

bool tls_dates_doubtful(const struct tls_seen *seen)
{
    bool staple = seen->verdict == TLS_VERDICT_GOOD &&
                  (seen->staple.kind == TLS_STAPLE_OVER || seen->staple.kind == TLS_STAPLE_EARLY);
    return seen->chain_n && (has_dates(seen) || staple);
}

static bool is_good_at(const struct tls_certificate *c, int64_t at_s)
{
    return at_s >= c->not_before_s && at_s <= c->not_after_s;
}

/* The first that does not fit this moment; all fit: the end. */
static size_t misfit_at(const struct tls_seen *seen, int64_t at_s)
{
    size_t i = 0;
    while (i < seen->chain_n && is_good_at(&seen->chain[i], at_s))
        i++;
    return i;
}

/* Whoever tells a time may lie: a server with a certificate of old says that it is still then. Only where that was proved, or
 * this device shows a time that cannot be, is the clock alone to blame. */
void tls_note_clock(
    struct visit *v, enum tone tone, struct wording proof, const char *else_id, struct told_time told)
{
    struct arena *arena = &v->notes->arena;
    if (told.unix_s)
        proof = wording_fill(
            arena, PHRASE_OTHER_CLOCK, proof, wording_same(tls_clock_moment(arena, told.unix_s)),
            wording_same(SLICE_EMPTY));
    struct observation *o = notes_measured(v->notes, tone, OBSERVED_TLS_CLOCK_SKEW, PROOF_CERTIFICATE, proof);
    if (told.proved || tls_clock_is_impossible())
        return;
    o->sure = SURE_MEDIUM;
    o->alternative = tls_note_diagnosis(v, else_id);
}

/* Certificate or clock? Another clock tells, or that the local one shows a time before this was written. Else both are possible,
 * and the certificate is blamed first. */
void tls_note_dates(struct visit *v, const struct tls_seen *seen, struct told_time told)
{
    bool over = seen->verdict == TLS_VERDICT_EXPIRED;
    size_t i = misfit_at(seen, clock_unix_s());
    const struct tls_certificate *c = &seen->chain[i < seen->chain_n ? i : 0];
    struct wording proof = tls_note_validity(v, c->not_before_s, c->not_after_s);
    bool fits = tls_clock_differs(told.unix_s) && misfit_at(seen, told.unix_s) == seen->chain_n;
    if (fits || tls_clock_is_impossible()) {
        tls_note_clock(
            v, TONE_FAULT, proof, over ? "tls-certificate-expired" : "tls-certificate-not-yet", told);
        return;
    }
    struct observation *o = notes_measured(
        v->notes, TONE_FAULT, over ? OBSERVED_TLS_CERTIFICATE_EXPIRED : OBSERVED_TLS_CERTIFICATE_NOT_YET,
        PROOF_CERTIFICATE, proof);
    if (!tls_clock_may_be(told.unix_s)) {
        o->alternative = tls_note_diagnosis(v, "tls-clock-skew");
        o->sure = SURE_MEDIUM;
    }
}

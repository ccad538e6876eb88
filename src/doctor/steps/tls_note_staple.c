/* What the server brought along about its certificate being revoked (OCSP), or did not. Nobody else is asked. */

#include "base/clock.h"
#include "doctor/steps/tls_clock.h"
#include "doctor/steps/tls_note_parts.h"

static struct wording words_of(struct visit *v, const struct tls_stapled *s)
{
    return wording_known(&v->notes->arena, slice_str(s->text));
}

void tls_note_revoked(struct visit *v, const struct tls_seen *seen)
{
    struct arena *arena = &v->notes->arena;
    notes_measured(
        v->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_REVOKED, PROOF_CERTIFICATE,
        wording_fill(
            arena, PHRASE_REVOKED, wording_same(tls_clock_moment(arena, seen->staple.revoked_s)),
            words_of(v, &seen->staple), wording_same(SLICE_EMPTY)));
}

/* Programs that do not look at it go on; a certificate that demands it is refused by those that do. */
static enum tone tone_of(const struct tls_stapled *s)
{
    return s->demanded ? TONE_FAULT : TONE_WARNING;
}

static bool is_good_at(const struct tls_stapled *s, int64_t at_s)
{
    return at_s >= s->from_s && (!s->until_s || at_s <= s->until_s);
}

static void note_dates(struct visit *v, const struct tls_stapled *s, struct told_time told)
{
    struct wording proof = tls_note_validity(v, s->from_s, s->until_s);
    if ((tls_clock_differs(told.unix_s) && is_good_at(s, told.unix_s)) || tls_clock_is_impossible()) {
        tls_note_clock(v, tone_of(s), proof, "tls-staple-expired", told);
        return;
    }
    struct observation *o =
        notes_measured(v->notes, tone_of(s), OBSERVED_TLS_STAPLE_EXPIRED, PROOF_CERTIFICATE, proof);
    if (!tls_clock_may_be(told.unix_s)) {
        o->alternative = tls_note_diagnosis(v, "tls-clock-skew");
        o->sure = SURE_MEDIUM;
    }
}

void tls_note_staple(struct visit *v, const struct tls_seen *seen, struct told_time told)
{
    const struct tls_stapled *s = &seen->staple;
    if (seen->verdict != TLS_VERDICT_GOOD) /* that goes first, and explains most of it */
        return;
    switch (s->kind) {
    case TLS_STAPLE_NONE:
        if (s->demanded)
            notes_measured(
                v->notes, TONE_FAULT, OBSERVED_TLS_STAPLE_MISSING, PROOF_CERTIFICATE,
                wording_bare(PHRASE_STAPLE_DEMANDED));
        break;
    case TLS_STAPLE_OVER:
    case TLS_STAPLE_EARLY:
        note_dates(v, s, told);
        break;
    case TLS_STAPLE_UNKNOWN:
    case TLS_STAPLE_REFUSED:
    case TLS_STAPLE_BROKEN:
        notes_measured(
            v->notes, tone_of(s), OBSERVED_TLS_STAPLE_BROKEN, PROOF_CERTIFICATE,
            wording_fill(
                &v->notes->arena, PHRASE_STAPLED, words_of(v, s), wording_same(SLICE_EMPTY),
                wording_same(SLICE_EMPTY)));
        break;
    case TLS_STAPLE_GOOD:
    case TLS_STAPLE_REVOKED: /* the verdict */
    case TLS_STAPLE_UNJUDGED:
        break;
    }
}

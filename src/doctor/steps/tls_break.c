/* A handshake broke: which of the ways it was. */

#include "doctor/steps/tls_parts.h"

static enum observed observed_of_break(const struct looking *l, enum tls_break kind, int alert)
{
    static const enum observed of[] = {
        [TLS_BREAK_NONE] = OBSERVED_TLS_CLOSED_EARLY,
        [TLS_BREAK_PLAIN] = OBSERVED_TLS_STARTTLS_BROKEN,
        [TLS_BREAK_VERSION] = OBSERVED_TLS_ONLY_OLD_VERSIONS,
        [TLS_BREAK_CIPHER] = OBSERVED_TLS_NO_COMMON_SUITE,
        [TLS_BREAK_ALERT] = OBSERVED_TLS_ALERT_RECEIVED,
        [TLS_BREAK_CLIENT_CERTIFICATE] = OBSERVED_TLS_CLIENT_CERTIFICATE,
        [TLS_BREAK_WEAK] = OBSERVED_TLS_WEAK_PARAMETERS,
        [TLS_BREAK_CLOSED] = OBSERVED_TLS_CLOSED_EARLY,
        [TLS_BREAK_OTHER] = OBSERVED_TLS_BROKEN_RECORDS,
    };
    const struct tls_profile *p = &l->v->server->tls;
    if (alert == ALERT_UNRECOGNIZED_NAME)
        return OBSERVED_TLS_NAME_UNKNOWN;
    /* Servers have many ways to say that they are too old; the probes have seen it. */
    bool old = p->versions && !(p->versions & ~(unsigned)TLS_HAS_OLD);
    if (old && kind != TLS_BREAK_CLIENT_CERTIFICATE && kind != TLS_BREAK_PLAIN)
        return OBSERVED_TLS_ONLY_OLD_VERSIONS;
    if (kind == TLS_BREAK_VERSION && p->versions)
        return OBSERVED_TLS_NO_COMMON_SUITE;
    return of[kind];
}

void looking_at_break(struct looking *l, struct talk **t, enum err e)
{
    const char *text = "";
    int alert = -1;
    enum tls_break kind = e == ERR_TIMEOUT ? TLS_BREAK_NONE : TLS_BREAK_CLOSED;
    if (talk_transport(*t))
        kind = talk_break(*t, &text, &alert);
    struct wording proof = *text ? wording_known(&l->arena, slice_str(text)) : wording_error(e);
    if (alert >= 0)
        proof = wording_fill(
            &l->arena, PHRASE_ALERT, wording_same(arena_printf(&l->arena, "%d", alert)), proof,
            wording_same(SLICE_EMPTY));
    talk_close(t);
    if (kind == TLS_BREAK_NONE && e == ERR_TIMEOUT) {
        notes_measured(l->v->notes, TONE_FAULT, OBSERVED_TLS_SILENT, PROOF_MEASURED, proof);
        return;
    }
    if (kind == TLS_BREAK_VERSION || kind == TLS_BREAK_CIPHER || kind == TLS_BREAK_WEAK ||
        kind == TLS_BREAK_CLOSED || (kind == TLS_BREAK_ALERT && alert != ALERT_UNRECOGNIZED_NAME))
        looking_probe(l, false);
    notes_measured(l->v->notes, TONE_FAULT, observed_of_break(l, kind, alert), PROOF_MEASURED, proof);
}

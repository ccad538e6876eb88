/* What probes found. */

#include "doctor/steps/tls_note_parts.h"

static void
note_bits(struct visit *v, enum fact fact, void (*put)(unsigned, enum lang, struct buf *), unsigned bits)
{
    struct buf text CLEANUP_BUF = BUF_INIT(TLS_NOTE_SHOWN);
    put(bits, LANG_EN, &text); /* names: the same in every language */
    if (text.n)
        notes_fact(v->notes, TONE_GOOD, fact, buf_slice(&text), SLICE_EMPTY, SLICE_EMPTY);
}

static void
warn_bits(struct visit *v, enum observed what, void (*put)(unsigned, enum lang, struct buf *), unsigned bits)
{
    struct wording words;
    for (int l = 0; l < LANG_N; l++) {
        struct buf text CLEANUP_BUF = BUF_INIT(TLS_NOTE_SHOWN);
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

#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "doctor/steps/network_parts.h"
#include "doctor/steps/proxy.h"
#include "doctor/steps/socks.h"

/* What the codes of RFC 1928 section 6 mean. */
static const enum observed code_means[] = {
    OBSERVED_PROXY_NOT_SOCKS,       OBSERVED_SOCKS_GENERAL_FAILURE,  OBSERVED_SOCKS_RULESET,
    OBSERVED_SOCKS_NET_UNREACHABLE, OBSERVED_SOCKS_HOST_UNREACHABLE, OBSERVED_SOCKS_REFUSED,
    OBSERVED_SOCKS_TTL_EXPIRED,     OBSERVED_SOCKS_CMD_UNSUPPORTED,  OBSERVED_SOCKS_CMD_UNSUPPORTED,
};

static void note_refusal(struct visit *v, unsigned code)
{
    bool known = code < sizeof code_means / sizeof *code_means;
    struct arena *arena = &v->notes->arena;
    notes_measured(
        v->notes, TONE_FAULT, known ? code_means[code] : OBSERVED_SOCKS_GENERAL_FAILURE, PROOF_REPLY,
        wording_fill(
            arena, PHRASE_SOCKS_REPLY, wording_same(arena_printf(arena, "0x%02x", code)),
            wording_known(arena, slice_str(socks_code_words(code))), wording_same(SLICE_EMPTY)));
}

static void note_trouble(struct visit *v, const struct proxy_outcome *o)
{
    static const enum observed means[] = {
        [PROXY_FINE] = OBSERVED_DNS_NAME_MALFORMED, /* it was not even asked: the server's name is none */
        [PROXY_NO_NAME] = OBSERVED_PROXY_NO_NAME,     [PROXY_UNREACHED] = OBSERVED_PROXY_UNREACHED,
        [PROXY_NOT_SOCKS] = OBSERVED_PROXY_NOT_SOCKS, [PROXY_WANTS_AUTH] = OBSERVED_SOCKS_NO_METHOD,
        [PROXY_SILENT] = OBSERVED_PROXY_SILENT,
    };
    const struct proxy *p = &v->wishes->proxy;
    struct slice said = slice_of(o->said, o->said_n);
    struct arena *arena = &v->notes->arena;
    enum observed what = slice_starts(said, S("HTTP/")) ? OBSERVED_SOCKS_IS_HTTP : means[o->trouble];
    if (said.n)
        notes_observed(v->notes, TONE_FAULT, what, PROOF_REPLY, said);
    else
        notes_measured(
            v->notes, TONE_FAULT, what, PROOF_MEASURED,
            wording_say(arena, PHRASE_PLACE, p->host, arena_printf(arena, "%u", p->port), SLICE_EMPTY));
}

void network_proxy(struct visit *v)
{
    const struct proxy *p = &v->wishes->proxy;
    uint64_t start = clock_mono_ms();
    struct proxy_outcome o;
    char ms[24], port[8];
    int fd CLEANUP_FD = -1;
    enum err e = proxy_try(v, start + v->wishes->patience_ms, &fd, &o);
    if (e == OK) {
        v->server->standing.connected = true;
        snprintf(ms, sizeof ms, "%llu", (unsigned long long)(clock_mono_ms() - start));
        snprintf(port, sizeof port, "%u", p->port);
        notes_fact(v->notes, TONE_GOOD, FACT_THROUGH_PROXY, p->host, slice_str(port), slice_str(ms));
    } else if (o.trouble == PROXY_REFUSES) {
        note_refusal(v, o.code);
    } else {
        note_trouble(v, &o);
    }
}

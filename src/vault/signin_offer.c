/* Which mechanisms a door offers: the table of sasl/ under the settings. */
#include <assert.h>

#include "base/limits.h"
#include "sasl/mechanism.h"
#include "vault/signin_private.h"

/* Bits by the place in the table of mechanisms. */
static unsigned bits_of_default(void)
{
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    unsigned bits = 0;
    assert(count <= 32);
    for (size_t i = 0; i < count; i++)
        if (!(all[i].flags & SASL_OFF_BY_DEFAULT))
            bits |= 1u << i;
    return bits;
}

struct signin_offer signin_offer_default(void)
{
    return (struct signin_offer){.mechanisms = bits_of_default()};
}

fallible signin_offer_add(struct signin_offer *offer, struct slice word)
{
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    const struct sasl_mechanism *one = sasl_find(word);
    if (slice_eq_nocase(word, S("default")))
        offer->mechanisms |= bits_of_default();
    else if (one)
        offer->mechanisms |= 1u << (one - all);
    else
        return ERR_NOT_FOUND;
    return OK;
}

bool signin_offers(const struct signin_offer *offer, const struct sasl_mechanism *mechanism, bool has_tls)
{
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    unsigned bound = SASL_SENDS_SECRET | SASL_BINDS_CHANNEL | SASL_NEEDS_TLS | SASL_NEEDS_CERTIFICATE;
    if (!(offer->mechanisms & 1u << (mechanism - all)))
        return false;
    if ((mechanism->flags & SASL_NEEDS_CERTIFICATE) && !offer->certificates)
        return false;
    return has_tls || !(mechanism->flags & bound);
}

/* Nothing without TLS, whatever could be spoken there: names are nobody's business either (T-007). */
void signin_mechanisms(const struct signins *s, enum vault_door door, bool has_tls, struct buf *out)
{
    assert((unsigned)door < VAULT_DOORS);
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    bool first = true;
    for (size_t i = 0; has_tls && i < count; i++) {
        if (!signin_offers(&s->offer, &all[i], has_tls))
            continue;
        buf_put_str(out, first ? "" : " ");
        buf_put_str(out, all[i].name);
        first = false;
    }
}

/* fuzz_factor_cbor - CBOR, COSE keys, authenticator data and attestation objects. What is read encloses only octets of the
 * document, reads the same again, and has no key twice. */
#include <assert.h>

#include "factor/authenticator.h"
#include "factor/cbor.h"
#include "factor/cose.h"
#include "factor/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(struct slice outer, struct slice inner)
{
    return !inner.n || (inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n);
}

static void check_map(const struct cbor_item *map)
{
    struct slice rest = map->inside;
    for (uint64_t i = 0; i < map->number; i++) {
        struct cbor_item key, value, found;
        enum err e = cbor_read_front(rest, &key);
        assert(e == OK);
        rest = slice_from(rest, key.whole.n);
        e = cbor_read_front(rest, &value);
        assert(e == OK);
        rest = slice_from(rest, value.whole.n);
        if (key.kind == CBOR_TEXT) {
            bool is = cbor_find_text(map, key.inside, &found);
            assert(is && found.whole.p == value.whole.p); /* the first is the only one */
        }
    }
    assert(!rest.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice octets = slice_of(data, size);
    struct cbor_item item, again;
    struct authenticator_data read;
    struct attestation made;
    struct cose_key key;
    if (cbor_read(octets, &item) == OK) {
        assert(item.whole.n == size && is_within(octets, item.inside));
        enum err e = cbor_read_front(item.whole, &again);
        assert(e == OK && again.whole.n == size);
        if (item.kind == CBOR_MAP)
            check_map(&item);
    }
    if (authenticator_data_read(octets, &read) == OK) {
        assert(is_within(octets, read.credential_id) && is_within(octets, read.cose));
        (void)cose_read(read.cose, &key);
    }
    if (attestation_read(octets, &made) == OK)
        assert(is_within(octets, made.authenticator_data) && is_within(octets, made.statement));
    if (cose_read(octets, &key) == FLAW_NONE)
        (void)verify_key(&key);
    return 0;
}

#include "factor/cose.h"

#include "crypto/sign.h"
#include "factor/cbor.h"

/* Labels of RFC 9052 7.1 and RFC 9053 7. */
enum { LABEL_TYPE = 1, LABEL_ALGORITHM = 3, LABEL_CURVE = -1, LABEL_X = -2, LABEL_Y = -3 };
enum { LABEL_MODULUS = -1, LABEL_EXPONENT = -2 };
enum { NO_CURVE = 0 };

static const struct cose_kind {
    enum cose_algorithm algorithm;
    int64_t type, curve;
    struct {
        int64_t label;
        size_t length;
    } parts[2];
    size_t part_count;
} kinds[] = {
    {COSE_ALG_ES256, 2, 1, {{LABEL_X, 32}, {LABEL_Y, 32}}, 2},
    {COSE_ALG_EDDSA, 1, 6, {{LABEL_X, 32}}, 1},
    {COSE_ALG_RS256, 3, NO_CURVE, {{LABEL_MODULUS, 256}, {LABEL_EXPONENT, 3}}, 2},
};

static const struct cose_kind *kind_of(const struct cbor_item *map)
{
    struct cbor_item algorithm;
    if (!cbor_find_int(map, LABEL_ALGORITHM, &algorithm))
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (cbor_is_number(&algorithm, kinds[i].algorithm))
            return &kinds[i];
    return NULL;
}

static bool has_int(const struct cbor_item *map, int64_t label, int64_t wanted)
{
    struct cbor_item value;
    return cbor_find_int(map, label, &value) && cbor_is_number(&value, wanted);
}

/* The values that no library refuses by itself: a modulus must be odd and of full length, an exponent the usual one, and an
 * Edwards point of full order (a small one verifies signatures that nobody made). */
static bool is_strong(const struct cose_key *key)
{
    const unsigned char *m = key->material;
    struct sign_public point;
    if (key->algorithm == COSE_ALG_RS256)
        return (m[0] & 0x80) && (m[255] & 1) && memcmp(m + 256, "\x01\x00\x01", 3) == 0;
    if (key->algorithm != COSE_ALG_EDDSA)
        return true;
    memcpy(point.b, m, sizeof point.b);
    return sign_public_is_good(&point);
}

enum flaw cose_read(struct slice octets, struct cose_key *ret_key)
{
    struct cbor_item map;
    if (cbor_read(octets, &map) != OK || map.kind != CBOR_MAP)
        return FLAW_KEY;
    const struct cose_kind *kind = kind_of(&map);
    if (!kind)
        return FLAW_ALGORITHM;
    struct cose_key key = {.algorithm = kind->algorithm};
    size_t members = 2 + (kind->curve != NO_CURVE) + kind->part_count;
    if (map.number != members || !has_int(&map, LABEL_TYPE, kind->type) ||
        (kind->curve != NO_CURVE && !has_int(&map, LABEL_CURVE, kind->curve)))
        return FLAW_KEY;
    for (size_t i = 0; i < kind->part_count; i++) {
        struct cbor_item part;
        if (!cbor_find_int(&map, kind->parts[i].label, &part) || part.kind != CBOR_BYTES ||
            part.inside.n != kind->parts[i].length)
            return FLAW_KEY;
        memcpy(key.material + key.length, part.inside.p, part.inside.n);
        key.length += part.inside.n;
    }
    if (!is_strong(&key))
        return FLAW_KEY;
    *ret_key = key;
    return FLAW_NONE;
}

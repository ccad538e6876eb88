/* cbor.h - a strict reader of CBOR (RFC 8949), as security keys write it.       room: factor   runs in: vault
 *
 * Takes what CTAP2's canonical form allows and nothing else: definite lengths, shortest numbers, integers, strings (text is
 * UTF-8), arrays, maps without a key twice (keys: integers or text), false, true, null. Tags, floats, indefinite lengths,
 * octets behind the end, more than LIMIT_CBOR_ITEMS values or LIMIT_CBOR_DEPTH levels are refused. The library that checks
 * signatures has a reader of its own; it only sees what passed here (T-235).
 *
 * Pure; nothing is copied: items point into the document.
 */
#ifndef FACTOR_CBOR_H
#define FACTOR_CBOR_H

#include "base/slice.h"

enum cbor_kind {
    CBOR_UNSIGNED,
    CBOR_NEGATIVE,
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_FALSE,
    CBOR_TRUE,
    CBOR_NULL,
};
struct cbor_item {
    enum cbor_kind kind;
    uint64_t number;     /* UNSIGNED: the value; NEGATIVE: -1 - value; ARRAY, MAP: how many values or pairs */
    struct slice inside; /* BYTES, TEXT: the octets; ARRAY, MAP: the encoded values */
    struct slice whole;  /* with its head */
};

/* One whole value at the front of `octets`; what follows is left to the caller. ERR_SYNTAX, ERR_LIMIT. */
fallible cbor_read_front(struct slice octets, struct cbor_item *ret_item);
/* The same where nothing may follow. */
fallible cbor_read(struct slice octets, struct cbor_item *ret_item);
/* The value of a key of a map that was read; false when there is none, or no map. */
bool cbor_find_text(const struct cbor_item *map, struct slice key, struct cbor_item *ret_value);
bool cbor_find_int(const struct cbor_item *map, int64_t key, struct cbor_item *ret_value);
/* Is it this integer? */
bool cbor_is_number(const struct cbor_item *item, int64_t value);

#endif

#include "factor/cbor.h"

#include "base/limits.h"
#include "base/utf8.h"

/* RFC 8949 3.1: major types. */
enum { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };
enum { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22, HEAD_MAX = 9 };

struct reading {
    unsigned items; /* so far, in the whole document */
};

/* The head's argument, in its shortest form (RFC 8949 4.2.1). */
static fallible read_head(struct slice octets, unsigned *ret_major, uint64_t *ret_number, size_t *ret_used)
{
    if (!octets.n)
        return ERR_SYNTAX;
    unsigned first = (unsigned char)octets.p[0], small = first & 31, major = first >> 5;
    uint64_t number = small;
    size_t extra = small < 24 ? 0 : small < 28 ? (size_t)1 << (small - 24) : HEAD_MAX;
    if (extra == HEAD_MAX || octets.n < 1 + extra)
        return ERR_SYNTAX; /* reserved, indefinite, or cut */
    if (extra) {
        number = 0;
        for (size_t i = 1; i <= extra; i++)
            number = number << 8 | (unsigned char)octets.p[i];
        uint64_t least = extra == 1 ? 24 : UINT64_C(1) << (extra * 4);
        if (number < least || major == SIMPLE)
            return ERR_SYNTAX;
    }
    *ret_major = major;
    *ret_number = number;
    *ret_used = 1 + extra;
    return OK;
}

static fallible read_simple(uint64_t number, struct cbor_item *ret_item)
{
    if (number < SIMPLE_FALSE || number > SIMPLE_NULL)
        return ERR_SYNTAX;
    ret_item->kind = (enum cbor_kind)(CBOR_FALSE + (number - SIMPLE_FALSE));
    return OK;
}

static fallible read_string(struct slice rest, bool is_text, struct cbor_item *item)
{
    if (item->number > rest.n)
        return ERR_SYNTAX;
    item->inside = slice_sub(rest, 0, (size_t)item->number);
    item->kind = is_text ? CBOR_TEXT : CBOR_BYTES;
    return is_text && !utf8_is_valid(item->inside) ? ERR_SYNTAX : OK;
}

/* Octets of the value at the front, which was read before: looks at heads only, so that looking for a key stays linear. */
static size_t skip(struct slice octets)
{
    struct slice rest = octets;
    for (uint64_t owed = 1; owed; owed--) {
        unsigned major;
        uint64_t number;
        size_t used;
        if (read_head(rest, &major, &number, &used) != OK)
            break;
        if (major == BYTES || major == TEXT)
            used += (size_t)number;
        else if (major == ARRAY || major == MAP)
            owed += number * (major == MAP ? 2 : 1);
        rest = slice_from(rest, used);
    }
    return octets.n - rest.n;
}

/* Shortest heads make two equal keys equal octets. */
static bool is_key_new(struct slice pairs, uint64_t before, struct slice key)
{
    for (uint64_t i = 0; i < before; i++) {
        struct slice old = slice_sub(pairs, 0, skip(pairs));
        if (slice_eq(old, key))
            return false;
        pairs = slice_from(pairs, old.n);
        pairs = slice_from(pairs, skip(pairs));
    }
    return true;
}

static fallible read_item(struct reading *r, struct slice octets, unsigned depth, struct cbor_item *ret_item);

static fallible read_list(struct reading *r, struct slice rest, unsigned depth, struct cbor_item *list)
{
    struct slice start = rest;
    unsigned width = list->kind == CBOR_MAP ? 2 : 1;
    if (depth >= LIMIT_CBOR_DEPTH || list->number > LIMIT_CBOR_ITEMS)
        return ERR_LIMIT;
    for (uint64_t i = 0; i < list->number; i++) {
        struct cbor_item item;
        for (unsigned part = 0; part < width; part++) {
            TRY(read_item(r, rest, depth + 1, &item));
            rest = slice_from(rest, item.whole.n);
            bool is_key = width == 2 && part == 0;
            if (is_key && item.kind != CBOR_UNSIGNED && item.kind != CBOR_NEGATIVE && item.kind != CBOR_TEXT)
                return ERR_SYNTAX;
            if (is_key && !is_key_new(start, i, item.whole))
                return ERR_SYNTAX;
        }
    }
    list->inside = slice_of(start.p, start.n - rest.n);
    return OK;
}

static fallible read_item(struct reading *r, struct slice octets, unsigned depth, struct cbor_item *ret_item)
{
    static const enum cbor_kind kinds[] = {
        [UNSIGNED] = CBOR_UNSIGNED, [NEGATIVE] = CBOR_NEGATIVE, [ARRAY] = CBOR_ARRAY, [MAP] = CBOR_MAP};
    unsigned major;
    size_t used;
    struct cbor_item item = {.inside = SLICE_EMPTY};
    if (++r->items > LIMIT_CBOR_ITEMS)
        return ERR_LIMIT;
    TRY(read_head(octets, &major, &item.number, &used));
    struct slice rest = slice_from(octets, used);
    if (major == TAG)
        return ERR_SYNTAX;
    if (major == SIMPLE) {
        TRY(read_simple(item.number, &item));
    } else if (major == BYTES || major == TEXT) {
        TRY(read_string(rest, major == TEXT, &item));
    } else {
        item.kind = kinds[major];
        if (major == ARRAY || major == MAP)
            TRY(read_list(r, rest, depth, &item));
    }
    item.whole = slice_sub(octets, 0, used + item.inside.n);
    *ret_item = item;
    return OK;
}

fallible cbor_read_front(struct slice octets, struct cbor_item *ret_item)
{
    struct reading r = {0};
    return read_item(&r, octets, 0, ret_item);
}

fallible cbor_read(struct slice octets, struct cbor_item *ret_item)
{
    struct cbor_item item;
    TRY(cbor_read_front(octets, &item));
    if (item.whole.n != octets.n)
        return ERR_SYNTAX;
    *ret_item = item;
    return OK;
}

bool cbor_is_number(const struct cbor_item *item, int64_t value)
{
    return value >= 0 ? item->kind == CBOR_UNSIGNED && item->number == (uint64_t)value
                      : item->kind == CBOR_NEGATIVE && item->number == (uint64_t)(-1 - value);
}

typedef bool is_wanted(const struct cbor_item *key, const void *wanted);

static bool find(const struct cbor_item *map, is_wanted *is, const void *wanted, struct cbor_item *ret_value)
{
    struct slice rest = map->inside;
    for (uint64_t i = 0; map->kind == CBOR_MAP && i < map->number; i++) {
        struct cbor_item key;
        if (cbor_read_front(rest, &key) != OK)
            return false;
        rest = slice_from(rest, key.whole.n);
        if (is(&key, wanted))
            return cbor_read_front(rest, ret_value) == OK;
        rest = slice_from(rest, skip(rest));
    }
    return false;
}

static bool is_text(const struct cbor_item *key, const void *wanted)
{
    return key->kind == CBOR_TEXT && slice_eq(key->inside, *(const struct slice *)wanted);
}

static bool is_int(const struct cbor_item *key, const void *wanted)
{
    return cbor_is_number(key, *(const int64_t *)wanted);
}

bool cbor_find_text(const struct cbor_item *map, struct slice key, struct cbor_item *ret_value)
{
    return find(map, is_text, &key, ret_value);
}

bool cbor_find_int(const struct cbor_item *map, int64_t key, struct cbor_item *ret_value)
{
    return find(map, is_int, &key, ret_value);
}

#include "breach/page.h"

#include <assert.h>

#include "crypto/sha1.h"

uint64_t breach_get_u64(const uint8_t *at)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

void breach_put_u64(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

uint64_t breach_value(struct slice password)
{
    uint8_t digest[SHA1_LEN];
    uint64_t value = 0;
    sha1(password, digest);
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | digest[i];
    return value;
}

/* ---- the header ---- */

void breach_header_put(const struct breach_header *h, uint8_t out[BREACH_PAGE])
{
    memset(out, 0, BREACH_PAGE);
    memcpy(out, BREACH_MARK, 8);
    out[8] = BREACH_VERSION;
    out[12] = h->bits;
    out[13] = BREACH_RICE;
    breach_put_u64(out + 16, h->count);
    breach_put_u64(out + 24, h->pages);
    breach_put_u64(out + 32, (uint64_t)h->built_s);
    memcpy(out + 40, h->index.b, sizeof h->index.b);
    struct hash check = hash_of(NULL, slice_of(out, BREACH_HEADER_HASHED));
    memcpy(out + BREACH_HEADER_HASHED, check.b, sizeof check.b);
}

fallible breach_header_read(const uint8_t page[BREACH_PAGE], struct breach_header *ret_header)
{
    struct hash check = hash_of(NULL, slice_of(page, BREACH_HEADER_HASHED));
    if (memcmp(page, BREACH_MARK, 8) != 0)
        return ERR_CORRUPT;
    uint32_t version = page[8] | (uint32_t)page[9] << 8 | (uint32_t)page[10] << 16 | (uint32_t)page[11] << 24;
    if (version > BREACH_VERSION)
        return ERR_UNSUPPORTED;
    if (version != BREACH_VERSION || memcmp(page + BREACH_HEADER_HASHED, check.b, sizeof check.b) != 0)
        return ERR_CORRUPT;
    struct breach_header h = {
        .bits = page[12],
        .count = breach_get_u64(page + 16),
        .pages = breach_get_u64(page + 24),
        .built_s = (int64_t)breach_get_u64(page + 32),
    };
    memcpy(h.index.b, page + 40, sizeof h.index.b);
    if (h.bits < BREACH_BITS_LEAST || h.bits > BREACH_BITS_MOST || page[13] != BREACH_RICE)
        return ERR_CORRUPT;
    *ret_header = h;
    return OK;
}

/* ---- pages ---- */

void breach_page_start(struct breach_page *p, uint64_t first)
{
    *p = (struct breach_page){.last = first};
    breach_put_u64(p->octets, first);
}

static void put_bit(struct breach_page *p, bool bit)
{
    if (bit)
        p->octets[BREACH_PAGE_BITS_AT + p->used / 8] |= (uint8_t)(1u << p->used % 8);
    p->used++;
}

bool breach_page_add(struct breach_page *p, uint64_t value)
{
    assert(value > p->last);
    uint64_t difference = value - p->last - 1, upper = difference >> BREACH_RICE;
    if (p->following == UINT16_MAX || upper > BREACH_PAGE_BITS ||
        p->used + upper + 1 + BREACH_RICE > BREACH_PAGE_BITS)
        return false;
    for (uint64_t i = 0; i < upper; i++)
        put_bit(p, true);
    put_bit(p, false);
    for (unsigned i = 0; i < BREACH_RICE; i++)
        put_bit(p, difference >> i & 1);
    p->following++;
    p->last = value;
    return true;
}

static struct hash page_check(const uint8_t *page, uint64_t number)
{
    uint8_t at[8];
    struct hash_state s;
    breach_put_u64(at, number);
    hash_start(&s, NULL);
    hash_add(&s, slice_of(at, sizeof at));
    hash_add(&s, slice_of(page, BREACH_PAGE_CHECK_AT));
    return hash_end(&s);
}

void breach_page_seal(struct breach_page *p, uint64_t number)
{
    p->octets[8] = (uint8_t)p->following;
    p->octets[9] = (uint8_t)(p->following >> 8);
    struct hash check = page_check(p->octets, number);
    memcpy(p->octets + BREACH_PAGE_CHECK_AT, check.b, BREACH_PAGE - BREACH_PAGE_CHECK_AT);
}

fallible breach_page_check(const uint8_t page[BREACH_PAGE], uint64_t number)
{
    struct hash check = page_check(page, number);
    return memcmp(page + BREACH_PAGE_CHECK_AT, check.b, BREACH_PAGE - BREACH_PAGE_CHECK_AT) == 0
               ? OK
               : ERR_CORRUPT;
}

struct bits {
    const uint8_t *octets;
    uint32_t at;
};

/* At least 56 bits from here on; behind the last ones stand the check octets, which are in the page, too. */
static uint64_t window(const struct bits *b)
{
    static_assert(BREACH_PAGE_CHECK_AT + 8 <= BREACH_PAGE, "a window at the last bit stays in the page");
    return breach_get_u64(b->octets + b->at / 8) >> b->at % 8;
}

/* ERR_CORRUPT: the page ends within it. */
static fallible next_difference(struct bits *b, uint64_t *ret_difference)
{
    uint64_t upper = 0;
    while (b->at < BREACH_PAGE_BITS && window(b) & 1) {
        upper++;
        b->at++;
    }
    if (b->at >= BREACH_PAGE_BITS || BREACH_PAGE_BITS - b->at - 1 < BREACH_RICE)
        return ERR_CORRUPT;
    b->at++;
    *ret_difference = upper << BREACH_RICE | (window(b) & ((1u << BREACH_RICE) - 1));
    b->at += BREACH_RICE;
    return OK;
}

fallible breach_page_find(const uint8_t page[BREACH_PAGE], uint64_t wanted, uint64_t *ret_entries)
{
    struct bits b = {.octets = page + BREACH_PAGE_BITS_AT};
    uint64_t value = breach_get_u64(page), following = page[8] | (uint64_t)page[9] << 8;
    bool found = value == wanted;
    for (uint64_t i = 0; i < following; i++) {
        uint64_t difference;
        TRY(next_difference(&b, &difference));
        if (difference >= UINT64_MAX - value)
            return ERR_CORRUPT;
        value += difference + 1;
        found = found || value == wanted;
    }
    *ret_entries = following + 1;
    return found ? OK : ERR_NOT_FOUND;
}

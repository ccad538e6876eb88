/* page.h - numbers, hashes and pages of the filter's file: what its reader and its maker share.   room: breach   runs in: vault cli */
#ifndef BREACH_PAGE_H
#define BREACH_PAGE_H

#include "base/slice.h"
#include "crypto/hash.h"

enum {
    BREACH_VERSION = 1,
    BREACH_PAGE = 4096,
    BREACH_PAGE_BITS_AT = 10, /* behind the first value and the count */
    BREACH_PAGE_CHECK_AT = 4080,
    BREACH_PAGE_BITS = (BREACH_PAGE_CHECK_AT - BREACH_PAGE_BITS_AT) * 8,
    BREACH_RICE = 20,
    BREACH_BITS_LEAST = BREACH_RICE + 1,
    BREACH_BITS_MOST = 60,
    BREACH_HEADER_HASHED = 96,
};
#define BREACH_MARK "LLBREACH"

struct breach_header {
    uint8_t bits;
    uint64_t count, pages;
    int64_t built_s;
    struct hash index;
};
void breach_header_put(const struct breach_header *header, uint8_t out[BREACH_PAGE]);
/* ERR_UNSUPPORTED, ERR_CORRUPT. */
fallible breach_header_read(const uint8_t page[BREACH_PAGE], struct breach_header *ret_header);

/* The first 64 bits of the SHA-1. */
uint64_t breach_value(struct slice password);
uint64_t breach_get_u64(const uint8_t *at);
void breach_put_u64(uint8_t *at, uint64_t value);

/* A page being written. */
struct breach_page {
    uint8_t octets[BREACH_PAGE];
    uint64_t last;
    uint32_t following, used; /* entries behind the first; bits */
};
void breach_page_start(struct breach_page *p, uint64_t first);
/* False: it does not fit any more. `value` is above the last one. */
bool breach_page_add(struct breach_page *p, uint64_t value);
void breach_page_seal(struct breach_page *p, uint64_t number);

/* ERR_CORRUPT: its check octets do not fit. */
fallible breach_page_check(const uint8_t page[BREACH_PAGE], uint64_t number);
/* Walks a page, whatever is in it. OK: `wanted` is there. ERR_NOT_FOUND. ERR_CORRUPT: not such a page. */
fallible breach_page_find(const uint8_t page[BREACH_PAGE], uint64_t wanted, uint64_t *ret_entries);

#endif

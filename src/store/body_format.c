#include "store/body_format.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/xxh64.h"

#define HEAD S("LLBODY1\n")
#define END S("LLBEND1\n")
enum { LEVEL = 1, IS_ZSTD = 31 };

static void put_number(struct buf *out, uint64_t value, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++)
        buf_put_char(out, (char)(value >> 8 * i));
}

static uint64_t number(const char *p, unsigned octets)
{
    uint64_t value = 0;
    for (unsigned i = octets; i-- > 0;)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

void body_put_head(struct buf *out)
{
    buf_put(out, HEAD);
}

void body_put_entry(struct buf *out, uint32_t stored, bool zstd, uint64_t hash)
{
    put_number(out, stored | (uint32_t)zstd << IS_ZSTD, 4);
    put_number(out, hash, 8);
}

void body_put_tail(struct buf *index, struct body_tail *tail)
{
    put_number(index, tail->size, 8);
    put_number(index, tail->chunk, 4);
    put_number(index, tail->count, 4);
    tail->hash = xxh64(buf_slice(index));
    put_number(index, tail->hash, 8);
    buf_put(index, END);
}

fallible body_tail_read(struct slice tail, uint64_t file_size, struct body_tail *ret_tail)
{
    if (tail.n != BODY_TAIL || !slice_ends(tail, END))
        return ERR_CORRUPT;
    struct body_tail t = {
        .size = number(tail.p, 8),
        .chunk = (uint32_t)number(tail.p + 8, 4),
        .count = (uint32_t)number(tail.p + 12, 4),
        .hash = number(tail.p + 16, 8),
    };
    if (t.size > BODY_MAX || t.chunk == 0 || t.chunk > BODY_CHUNK_MAX ||
        t.count != (t.size + t.chunk - 1) / t.chunk)
        return ERR_CORRUPT;
    if (file_size < BODY_HEAD + BODY_TAIL || (file_size - BODY_HEAD - BODY_TAIL) / BODY_ENTRY < t.count)
        return ERR_CORRUPT;
    *ret_tail = t;
    return OK;
}

static fallible
read_entries(struct slice index, const struct body_tail *tail, struct body_index *i, uint64_t end)
{
    uint64_t at = BODY_HEAD;
    for (uint32_t k = 0; k < i->count; k++) {
        const char *entry = index.p + (size_t)k * BODY_ENTRY;
        uint32_t stored = (uint32_t)number(entry, 4);
        struct body_chunk *c = &i->chunks[k];
        c->zstd = stored >> IS_ZSTD;
        c->stored = stored & ~(UINT32_C(1) << IS_ZSTD);
        c->hash = number(entry + 4, 8);
        c->at = at;
        if (c->stored == 0 || c->stored > tail->chunk || c->stored > end - at)
            return ERR_CORRUPT;
        at += c->stored;
    }
    return at == end ? OK : ERR_CORRUPT;
}

fallible body_index_read(
    struct slice covered, const struct body_tail *tail, uint64_t file_size, struct body_index *ret_index)
{
    size_t n = (size_t)tail->count * BODY_ENTRY;
    if (covered.n != n + BODY_SUMS || xxh64(covered) != tail->hash)
        return ERR_CORRUPT;
    struct body_index i = {
        .size = tail->size, .chunk = tail->chunk, .count = tail->count, .hash = tail->hash};
    i.chunks = mem_alloc((i.count + (size_t)1) * sizeof *i.chunks);
    enum err e = read_entries(covered, tail, &i, file_size - BODY_TAIL - n);
    if (e != OK) {
        body_index_done(&i);
        return e;
    }
    *ret_index = i;
    return OK;
}

void body_index_done(struct body_index *i)
{
    mem_free(&i->chunks);
}

bool body_compress(ZSTD_CCtx *c, struct slice plain, char *scratch, size_t room, struct slice *ret_stored)
{
    size_t n = ZSTD_compressCCtx(c, scratch, room, plain.p, plain.n, LEVEL);
    if (ZSTD_isError(n) || n > plain.n - plain.n / 8)
        return false;
    *ret_stored = slice_of(scratch, n);
    return true;
}

fallible body_expand(ZSTD_DCtx *d, struct slice stored, bool zstd, uint64_t hash, char *into, size_t n)
{
    if (!zstd) {
        if (stored.n != n)
            return ERR_CORRUPT;
        if (n)
            memcpy(into, stored.p, n);
    } else if (ZSTD_decompressDCtx(d, into, n, stored.p, stored.n) != n) {
        return ERR_CORRUPT;
    }
    return xxh64(slice_of(into, n)) == hash ? OK : ERR_CORRUPT;
}

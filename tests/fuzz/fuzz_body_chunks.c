/* Chunked bodies: any file gives its octets whole and unharmed, or ERR_CORRUPT; a good one survives the round trip.
 *
 * The hash in the tail would stop nearly every mutation, so the first octet of the input says whether it is made right first:
 * then the fuzzer reaches the lengths and the chunks behind it. */
#include <assert.h>
#include <stdlib.h>

#include "store/body_format.h"
#include "store/xxh64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes the hash that the index has into the tail. */
static void mend(char *file, size_t n)
{
    struct body_tail tail;
    if (n < BODY_TAIL || body_tail_read(slice_of(file + n - BODY_TAIL, BODY_TAIL), n, &tail) != OK)
        return;
    size_t covered = (size_t)tail.count * BODY_ENTRY + BODY_SUMS;
    char *at = file + n - BODY_TAIL + BODY_SUMS;
    uint64_t hash = xxh64(slice_of(at - covered, covered));
    for (int i = 0; i < 8; i++)
        at[i] = (char)(hash >> 8 * i);
}

static void expand_all(struct slice file, const struct body_index *index)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    char *plain = malloc(index->chunk);
    uint64_t total = 0, at = BODY_HEAD;
    for (uint32_t i = 0; i < index->count; i++) {
        const struct body_chunk *c = &index->chunks[i];
        uint64_t rest = index->size - total;
        size_t n = rest < index->chunk ? (size_t)rest : index->chunk;
        assert(c->at == at && c->at + c->stored <= file.n - BODY_TAIL);
        enum err e = body_expand(d, slice_of(file.p + c->at, c->stored), c->zstd, c->hash, plain, n);
        assert(e == OK || e == ERR_CORRUPT);
        total += n;
        at += c->stored;
    }
    assert(total == index->size);
    free(plain);
    ZSTD_freeDCtx(d);
}

static void read_hostile(char *file, size_t n)
{
    struct body_tail tail;
    struct body_index index;
    if (n < BODY_TAIL || body_tail_read(slice_of(file + n - BODY_TAIL, BODY_TAIL), n, &tail) != OK)
        return;
    size_t entries = (size_t)tail.count * BODY_ENTRY;
    struct slice covered = slice_of(file + n - BODY_TAIL - entries, entries + BODY_SUMS);
    if (body_index_read(covered, &tail, n, &index) != OK)
        return;
    expand_all(slice_of(file, n), &index);
    body_index_done(&index);
}

static void round_trip(struct slice plain)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_DCtx *d = ZSTD_createDCtx();
    size_t room = ZSTD_compressBound(plain.n);
    char *scratch = malloc(room), *back = malloc(plain.n + 1);
    struct slice stored = plain;
    bool zstd = plain.n && body_compress(c, plain, scratch, room, &stored);
    assert(body_expand(d, stored, zstd, xxh64(plain), back, plain.n) == OK);
    assert(slice_eq(slice_of(back, plain.n), plain));
    free(scratch);
    free(back);
    ZSTD_freeCCtx(c);
    ZSTD_freeDCtx(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char *file = malloc(size);
    memcpy(file, data + 1, size - 1);
    if (data[0] & 1)
        mend(file, size - 1);
    read_hostile(file, size - 1);
    round_trip(slice_of(file, size - 1));
    free(file);
    return 0;
}

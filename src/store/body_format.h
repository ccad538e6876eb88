/* body_format.h - what a stored body looks like.                               room: store   runs in: keeper
 *
 * body.format says how; readers of later releases know all of them for ever:
 *   0 BODY_PLAIN     body_data has the octets; hash: XXH64 of them
 *   1 BODY_ZSTD      body_data has one zstd frame; hash: XXH64 of the plain octets
 *   2 BODY_CHUNKED   body.data is the name of a file of large/; hash: the file's own (below)
 *
 * A chunked file, integers little-endian:
 *   0        8   "LLBODY1\n"
 *   8        *   chunks, one behind the other; each stands for `chunk` plain octets, the last for the rest
 *   *   12 * n   index: for each chunk u32 its stored length, bit 31 set when it is a zstd frame; u64 XXH64 of its plain octets
 *   end-32   8   u64 plain octets of all chunks
 *   end-24   4   u32 `chunk`
 *   end-20   4   u32 n
 *   end-16   8   u64 XXH64 of all from the index to here
 *   end-8    8   "LLBEND1\n"
 *
 * Reading trusts nothing in a file: lengths must add up exactly, and a chunk that does not give its octets is ERR_CORRUPT.
 */
#ifndef STORE_BODY_FORMAT_H
#define STORE_BODY_FORMAT_H

#include <zstd.h>

#include "base/buf.h"
#include "base/limits.h"

enum body_format { BODY_PLAIN = 0, BODY_ZSTD = 1, BODY_CHUNKED = 2 };
enum {
    BODY_HEAD = 8,
    BODY_ENTRY = 12,
    BODY_TAIL = 32,
    BODY_SUMS = 16, /* of the tail: size, chunk, n */
    BODY_CHUNK_MAX = 1 << 20,
    BODY_MAX = LIMIT_MESSAGE + 65536 /* with our own lines on top */
};

struct body_chunk {
    uint64_t at; /* in the file */
    uint32_t stored;
    bool zstd;
    uint64_t hash;
};
struct body_index {
    uint64_t size;
    uint32_t chunk, count;
    uint64_t hash;
    struct body_chunk *chunks; /* on the heap: body_index_done */
};
struct body_tail {
    uint64_t size;
    uint32_t chunk, count;
    uint64_t hash;
};

/* The last BODY_TAIL octets of a file. ERR_CORRUPT when they contradict themselves or the file's size. */
fallible body_tail_read(struct slice tail, uint64_t file_size, struct body_tail *ret_tail);
/* What the file's hash covers: BODY_ENTRY * count octets of index and the BODY_SUMS octets behind them. */
fallible body_index_read(
    struct slice covered, const struct body_tail *tail, uint64_t file_size, struct body_index *ret_index);
void body_index_done(struct body_index *i);

void body_put_head(struct buf *out);
void body_put_entry(struct buf *out, uint32_t stored, bool zstd, uint64_t hash);
/* Ends an index: what is in `index` so far are the entries. Sets tail->hash. */
void body_put_tail(struct buf *index, struct body_tail *tail);

/* Compresses into scratch (ZSTD_compressBound). True when it pays: then *ret_stored is less than 7/8 of the plain octets. */
bool body_compress(ZSTD_CCtx *c, struct slice plain, char *scratch, size_t room, struct slice *ret_stored);
/* Exactly n plain octets with that hash, or ERR_CORRUPT. */
fallible body_expand(ZSTD_DCtx *d, struct slice stored, bool zstd, uint64_t hash, char *into, size_t n);

#endif

#include "crypto/secret.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"

enum { BLOCK = 64, SLAB_MAGIC = 0x51ab5ec7 };

/* The slab is counted in blocks of 64 octets. `taken[i]` is set for every block in use; the bookkeeping lies
 * outside the locked pages, so that an overrun of a secret meets another secret or the guard page, never a
 * pointer. */
struct secret_slab {
    uint32_t magic;
    bool locked;
    unsigned char *mapping; /* guard page, pages, guard page */
    size_t mapping_size;
    unsigned char *pages;
    size_t blocks, used, hint;
    bool *taken;
};

struct secret_slab *secret_slab_new(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size = (size + page - 1) / page * page;
    assert(size > 0);
    struct secret_slab *slab = NEW(struct secret_slab);
    *slab =
        (struct secret_slab){.magic = SLAB_MAGIC, .mapping_size = size + 2 * page, .blocks = size / BLOCK};
    slab->mapping =
        mmap(NULL, slab->mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slab->mapping == MAP_FAILED || mprotect(slab->mapping + page, size, PROT_READ | PROT_WRITE) != 0)
        log_fatal_errno("no memory for secrets");
    slab->pages = slab->mapping + page;
    slab->locked = mlock(slab->pages, size) == 0;
    /* Kernels without these flags keep working: the jail forbids dumps and forks as well. */
    (void)madvise(slab->pages, size, MADV_DONTDUMP);
    (void)madvise(slab->pages, size, MADV_WIPEONFORK);
    slab->taken = mem_alloc(slab->blocks * sizeof *slab->taken);
    return slab;
}

void secret_slab_free(struct secret_slab **pslab)
{
    struct secret_slab *slab = *pslab;
    *pslab = NULL;
    if (!slab)
        return;
    assert(slab->magic == SLAB_MAGIC && slab->used == 0);
    secret_wipe(slab->pages, slab->blocks * BLOCK);
    munmap(slab->mapping, slab->mapping_size);
    free(slab->taken);
    slab->magic = 0;
    free(slab);
}

bool secret_slab_is_locked(const struct secret_slab *slab)
{
    return slab->locked;
}

size_t secret_slab_used(const struct secret_slab *slab)
{
    return slab->used * BLOCK;
}

static size_t blocks_of(size_t n)
{
    return n ? (n + BLOCK - 1) / BLOCK : 1;
}

/* First run of `want` free blocks within [from, to); SIZE_MAX when there is none. */
static size_t find_run(const struct secret_slab *slab, size_t from, size_t to, size_t want)
{
    size_t run = 0;
    for (size_t i = from; i < to; i++) {
        run = slab->taken[i] ? 0 : run + 1;
        if (run == want)
            return i + 1 - want;
    }
    return SIZE_MAX;
}

fallible secret_new(struct secret_slab *slab, size_t n, struct secret *ret_secret)
{
    assert(slab->magic == SLAB_MAGIC);
    if (n > slab->blocks * BLOCK)
        return ERR_LIMIT;
    size_t want = blocks_of(n);
    size_t at = find_run(slab, slab->hint, slab->blocks, want);
    if (at == SIZE_MAX)
        at = find_run(slab, 0, slab->blocks, want);
    if (at == SIZE_MAX)
        return ERR_LIMIT;
    memset(slab->taken + at, true, want * sizeof *slab->taken);
    slab->used += want;
    slab->hint = at + want;
    *ret_secret = (struct secret){.bytes = slab->pages + at * BLOCK, .n = n, .slab = slab};
    return OK;
}

fallible secret_copy(struct secret_slab *slab, struct slice data, struct secret *ret_secret)
{
    struct secret s;
    TRY(secret_new(slab, data.n, &s));
    if (data.n)
        memcpy(s.bytes, data.p, data.n);
    *ret_secret = s;
    return OK;
}

fallible secret_random(struct secret_slab *slab, size_t n, struct secret *ret_secret)
{
    struct secret s;
    TRY(secret_new(slab, n, &s));
    random_bytes(s.bytes, n);
    *ret_secret = s;
    return OK;
}

/* Gives back the blocks from the one with index `from` on. */
static void release_blocks(struct secret *s, size_t from)
{
    struct secret_slab *slab = s->slab;
    assert(slab->magic == SLAB_MAGIC && s->bytes >= slab->pages);
    size_t first = (size_t)(s->bytes - slab->pages) / BLOCK, count = blocks_of(s->n);
    assert(first + count <= slab->blocks && slab->taken[first]);
    memset(slab->taken + first + from, false, (count - from) * sizeof *slab->taken);
    slab->used -= count - from;
    if (first < slab->hint)
        slab->hint = first;
}

void secret_free(struct secret *s)
{
    if (s->bytes) {
        secret_wipe(s->bytes, s->n);
        release_blocks(s, 0);
    }
    *s = SECRET_NONE;
}

void secret_shorten(struct secret *s, size_t n)
{
    assert(s->bytes && n <= s->n);
    secret_wipe(s->bytes + n, s->n - n);
    if (blocks_of(n) < blocks_of(s->n))
        release_blocks(s, blocks_of(n));
    s->n = n;
}

struct slice secret_reveal(const struct secret *s)
{
    return slice_of(s->bytes, s->n);
}

bool secret_same(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || sodium_memcmp(a.p, b.p, a.n) == 0);
}

void secret_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}

#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/mem.h"

struct map_entry {
    struct slice key;
    uint64_t hash;
    void *value; /* NULL and key.n == 0: empty; TOMB: dropped */
};
static char tomb_mark;
#define TOMB ((void *)&tomb_mark)

static uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

/* SipHash-1-3 (Aumasson, Bernstein) keyed by process-wide random numbers. */
static void sip_round(uint64_t v[4])
{
    v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
    v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

static uint64_t hash_key(struct slice key)
{
    static uint64_t seed[2];
    if (!seed[0] && getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        abort();
    uint64_t v[4] = {
        seed[0] ^ 0x736f6d6570736575u, seed[1] ^ 0x646f72616e646f6du, seed[0] ^ 0x6c7967656e657261u,
        seed[1] ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)key.n << 56;
    size_t i = 0;
    for (; i + 8 <= key.n; i += 8) {
        uint64_t word;
        memcpy(&word, key.p + i, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (size_t shift = 0; i < key.n; i++, shift += 8)
        last |= (uint64_t)(unsigned char)key.p[i] << shift;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m, size_t limit)
{
    *m = MAP_INIT(limit);
}

void map_done(struct map *m)
{
    free(m->entries);
    *m = MAP_INIT(m->limit);
}

static struct map_entry *find_slot(const struct map *m, struct slice key, uint64_t hash, bool for_add)
{
    struct map_entry *reuse = NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_entry *e = &m->entries[i];
        if (!e->value)
            return for_add ? (reuse ? reuse : e) : NULL;
        if (e->value == TOMB) {
            if (!reuse)
                reuse = e;
        } else if (e->hash == hash && slice_eq(e->key, key)) {
            return e;
        }
    }
}

static void rebuild(struct map *m, size_t cap)
{
    struct map_entry *old = m->entries;
    size_t old_cap = m->cap;
    m->entries = mem_alloc(cap * sizeof *m->entries);
    m->cap = cap;
    m->tombs = 0;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].value && old[i].value != TOMB)
            *find_slot(m, old[i].key, old[i].hash, true) = old[i];
    free(old);
}

fallible map_add(struct map *m, struct slice key, void *value)
{
    assert(value && key.n);
    uint64_t hash = hash_key(key);
    if (m->cap && map_find(m, key))
        return ERR_EXISTS;
    if (m->count >= m->limit)
        return ERR_LIMIT;
    if ((m->count + m->tombs + 1) * 4 > m->cap * 3)
        rebuild(m, m->count * 2 < 8 ? 8 : (m->count * 2 >= m->cap ? m->cap * 2 : m->cap));
    struct map_entry *e = find_slot(m, key, hash, true);
    if (e->value == TOMB)
        m->tombs--;
    *e = (struct map_entry){.key = key, .hash = hash, .value = value};
    m->count++;
    return OK;
}

void *map_find(const struct map *m, struct slice key)
{
    struct map_entry *e = m->count ? find_slot(m, key, hash_key(key), false) : NULL;
    return e ? e->value : NULL;
}

void *map_drop(struct map *m, struct slice key)
{
    struct map_entry *e = m->count ? find_slot(m, key, hash_key(key), false) : NULL;
    if (!e)
        return NULL;
    void *value = e->value;
    *e = (struct map_entry){.value = TOMB};
    m->count--;
    m->tombs++;
    return value;
}

bool map_next(const struct map *m, size_t *at, void **ret_value)
{
    for (; *at < m->cap; ++*at) {
        void *value = m->entries[*at].value;
        if (value && value != TOMB) {
            ++*at;
            *ret_value = value;
            return true;
        }
    }
    return false;
}

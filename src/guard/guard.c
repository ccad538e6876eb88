#include "guard/guard.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "guard/table.h"

#define HOUR UINT64_C(3600000)
#define DAY (24 * HOUR)
enum { MAGIC = 0x60a2d001 };

const struct guard_limits guard_limits_default = {
    .strikes = 5, .window_ms = 15 * 60000, .pause_max_ms = 15 * 60000, .day = 100, .spray = 20};

/* Different things that went wrong, oldest first, and the pause they have earned. */
struct strikes {
    struct guard_entry head;
    uint64_t last;   /* when the newest was counted */
    uint64_t until;  /* wait until then */
    unsigned pauses; /* earned so far: each doubles the next */
    unsigned count, room;
    uint16_t *prints;
};
struct known {
    struct guard_entry head;
};
struct harvest {
    struct guard_entry head;
    uint64_t since;
    uint32_t unknown;
};

struct guard {
    uint32_t magic;
    const struct secret *key;
    struct guard_limits limits;
    struct guard_table pairs, networks, names, known, harvests;
};

static void strikes_done(struct guard_entry *e)
{
    free(CONTAINER_OF(e, struct strikes, head)->prints);
}

struct guard *guard_new(const struct secret *key, const struct guard_limits *limits)
{
    struct guard *g = NEW(struct guard);
    *g = (struct guard){.magic = MAGIC, .key = key, .limits = *limits};
    guard_table_init(&g->pairs, LIMIT_GUARD_ENTRIES, sizeof(struct strikes), strikes_done);
    guard_table_init(&g->networks, LIMIT_GUARD_ENTRIES, sizeof(struct strikes), strikes_done);
    guard_table_init(&g->names, LIMIT_GUARD_ENTRIES, sizeof(struct strikes), strikes_done);
    guard_table_init(&g->known, LIMIT_GUARD_ENTRIES, sizeof(struct known), NULL);
    guard_table_init(&g->harvests, LIMIT_GUARD_ENTRIES, sizeof(struct harvest), NULL);
    return g;
}

void guard_free(struct guard **guard)
{
    struct guard *g = *guard;
    *guard = NULL;
    if (!g)
        return;
    assert(g->magic == MAGIC);
    guard_table_done(&g->pairs);
    guard_table_done(&g->networks);
    guard_table_done(&g->names);
    guard_table_done(&g->known);
    guard_table_done(&g->harvests);
    g->magic = 0;
    free(g);
}

void guard_set_limits(struct guard *g, const struct guard_limits *limits)
{
    g->limits = *limits;
}

static struct hash keyed(const struct guard *g, struct slice a, struct slice b)
{
    struct hash_state s;
    hash_start(&s, g->key);
    hash_add_piece(&s, a);
    hash_add_piece(&s, b);
    return hash_end(&s);
}

static uint16_t print_of(const struct guard *g, struct slice name, struct slice secret)
{
    struct hash h = keyed(g, name, secret);
    return (uint16_t)(h.b[0] | h.b[1] << 8);
}

/* The keys of one question in all tables. */
struct keys {
    struct ip net;
    struct hash pair, name;
};
static struct keys keys_of(const struct guard *g, const struct guard_who *who)
{
    struct keys k = {.net = ip_limit_net(&who->client)};
    k.pair = keyed(g, who->name, slice_of(k.net.b, sizeof k.net.b));
    k.name = keyed(g, who->name, SLICE_EMPTY);
    return k;
}

static struct slice net_key(const struct ip *net)
{
    return slice_of(net->b, sizeof net->b);
}

static bool waits(const struct guard_table *t, uint64_t now, struct slice key)
{
    const struct strikes *s = guard_table_find(t, key);
    return s && now < s->until;
}

static bool has_print(const struct strikes *s, uint16_t print)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->prints[i] == print)
            return true;
    return false;
}

static void keep_print(struct strikes *s, uint16_t print, unsigned most)
{
    if (s->count >= most) { /* the limits were lowered, or a pause is over: the oldest make room */
        unsigned extra = s->count - most + 1;
        s->count -= extra;
        memmove(s->prints, s->prints + extra, s->count * sizeof *s->prints);
    }
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 4;
        s->prints = mem_resize(s->prints, s->room * sizeof *s->prints);
    }
    s->prints[s->count++] = print;
}

/* `allowed` different prints earn a pause, and so does each further one; each pause is twice as long as the last. */
static bool strike(
    const struct guard *g, struct guard_table *t, uint64_t now, struct slice key, uint16_t print,
    unsigned allowed, uint64_t window)
{
    struct strikes *s = guard_table_have(t, now, key);
    uint64_t quiet_since = s->until > s->last ? s->until : s->last; /* a pause is no part of the window */
    if (now >= quiet_since && now - quiet_since >= window) {
        s->count = 0;
        s->pauses = 0;
    }
    if (has_print(s, print))
        return false;
    s->last = now;
    keep_print(s, print, allowed);
    if (s->count >= allowed) {
        uint64_t pause = (uint64_t)LIMIT_GUARD_PAUSE << (s->pauses < 16 ? s->pauses : 16);
        s->until = now + (pause < g->limits.pause_max_ms ? pause : g->limits.pause_max_ms);
        s->pauses++;
    }
    return true;
}

static bool is_known(const struct guard *g, uint64_t now, const struct hash *pair)
{
    const struct known *k = guard_table_find(&g->known, hash_slice(pair));
    return k && now - k->head.touched < (uint64_t)LIMIT_GUARD_KNOWN * 1000;
}

bool guard_must_wait(struct guard *g, uint64_t now, const struct guard_who *who)
{
    assert(g->magic == MAGIC);
    struct keys k = keys_of(g, who);
    if (waits(&g->pairs, now, hash_slice(&k.pair)))
        return true;
    if (is_known(g, now, &k.pair))
        return false;
    return (!who->is_exempt && waits(&g->networks, now, net_key(&k.net))) ||
           waits(&g->names, now, hash_slice(&k.name));
}

bool guard_count_wrong(struct guard *g, uint64_t now, const struct guard_who *who, struct slice secret)
{
    assert(g->magic == MAGIC);
    guard_table_expire(&g->pairs, now, DAY);
    guard_table_expire(&g->networks, now, DAY);
    guard_table_expire(&g->names, now, DAY);
    struct keys k = keys_of(g, who);
    uint16_t print = print_of(g, who->name, secret);
    bool is_new =
        strike(g, &g->pairs, now, hash_slice(&k.pair), print, g->limits.strikes, g->limits.window_ms);
    if (!is_known(g, now, &k.pair))
        (void)strike(g, &g->names, now, hash_slice(&k.name), print, g->limits.day, DAY);
    if (!who->is_exempt)
        (void)strike(
            g, &g->networks, now, net_key(&k.net), (uint16_t)(k.name.b[0] | k.name.b[1] << 8),
            g->limits.spray, HOUR);
    return is_new;
}

void guard_count_right(struct guard *g, uint64_t now, const struct guard_who *who)
{
    assert(g->magic == MAGIC);
    struct keys k = keys_of(g, who);
    guard_table_drop(&g->pairs, hash_slice(&k.pair));
    guard_table_expire(&g->known, now, (uint64_t)LIMIT_GUARD_KNOWN * 1000);
    (void)guard_table_have(&g->known, now, hash_slice(&k.pair));
}

bool guard_is_harvesting(struct guard *g, uint64_t now, const struct ip *client)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    const struct harvest *h = guard_table_find(&g->harvests, net_key(&net));
    return h && now - h->since < HOUR && h->unknown >= LIMIT_RESOLVE_UNKNOWN;
}

/* The window of an hour begins with the first unknown recipient. */
void guard_count_unknown(struct guard *g, uint64_t now, const struct ip *client)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    struct harvest *h = guard_table_have(&g->harvests, now, net_key(&net));
    if (h->unknown == 0 || now - h->since >= HOUR) {
        h->since = now;
        h->unknown = 0;
    }
    h->unknown++;
}

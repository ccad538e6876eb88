#include "guard/guard.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "guard/table.h"

enum { HOUR = 3600 * 1000, DAY = 24 * HOUR, MAGIC = 0x60a2d001, PRINTS = 32 };
static_assert((int)LIMIT_GUARD_STRIKES <= PRINTS, "every strike of a pair is remembered");
static_assert((int)LIMIT_GUARD_NET_STRIKES <= PRINTS, "every strike of a network is remembered");

/* Different wrong secrets, newest last, and the pause they have earned. */
struct strikes {
    uint64_t since;  /* when the first of these was counted: all are forgotten a day later */
    uint64_t until;  /* wait until then */
    uint32_t pauses; /* earned so far: each doubles the next */
    uint16_t count;
    uint16_t prints[PRINTS];
};

struct pair {
    struct guard_entry head;
    struct strikes strikes;
    uint64_t right_at; /* last sign-in; 0: none */
};
struct network {
    struct guard_entry head;
    struct strikes strikes;
};
struct harvest {
    struct guard_entry head;
    uint64_t since;
    uint32_t unknown;
};

struct guard {
    uint32_t magic;
    const struct secret *key;
    struct guard_table pairs, networks, harvests;
};

struct guard *guard_new(const struct secret *key)
{
    struct guard *g = NEW(struct guard);
    *g = (struct guard){.magic = MAGIC, .key = key};
    guard_table_init(&g->pairs, LIMIT_GUARD_ENTRIES, sizeof(struct pair));
    guard_table_init(&g->networks, LIMIT_GUARD_ENTRIES, sizeof(struct network));
    guard_table_init(&g->harvests, LIMIT_GUARD_ENTRIES, sizeof(struct harvest));
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
    guard_table_done(&g->harvests);
    g->magic = 0;
    free(g);
}

static struct hash keyed(const struct guard *g, struct slice a, struct slice b)
{
    struct hash_state s;
    hash_start(&s, g->key);
    hash_add_piece(&s, a);
    hash_add_piece(&s, b);
    return hash_end(&s);
}

static struct hash pair_key(const struct guard *g, struct slice name, const struct ip *net)
{
    return keyed(g, name, slice_of(net->b, sizeof net->b));
}

static uint16_t print_of(const struct guard *g, struct slice name, struct slice secret)
{
    struct hash h = keyed(g, name, secret);
    return (uint16_t)(h.b[0] | h.b[1] << 8);
}

static void forget_old(struct strikes *s, uint64_t now)
{
    if (s->count && now - s->since >= DAY)
        *s = (struct strikes){0};
}

static bool waits(struct strikes *s, uint64_t now)
{
    forget_old(s, now);
    return now < s->until;
}

/* Every `allowed` different secrets earn a pause; each is twice as long as the one before. */
static bool strike(struct strikes *s, uint64_t now, uint16_t print, unsigned allowed)
{
    forget_old(s, now);
    for (unsigned i = 0; i < s->count; i++)
        if (s->prints[i] == print)
            return false;
    if (s->count == 0)
        s->since = now;
    if (s->count == allowed) /* the pause is over: the oldest makes room, and the next strike pauses again */
        memmove(s->prints, s->prints + 1, --s->count * sizeof *s->prints);
    s->prints[s->count++] = print;
    if (s->count == allowed) {
        uint64_t pause = (uint64_t)LIMIT_GUARD_PAUSE << (s->pauses < 10 ? s->pauses : 10);
        s->until = now + (pause < LIMIT_GUARD_PAUSE_MAX ? pause : LIMIT_GUARD_PAUSE_MAX);
        s->pauses++;
    }
    return true;
}

bool guard_must_wait(struct guard *g, uint64_t now, struct slice name, const struct ip *client)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    struct hash key = pair_key(g, name, &net);
    struct pair *pair = guard_table_find(&g->pairs, hash_slice(&key));
    if (pair && waits(&pair->strikes, now))
        return true;
    if (pair && pair->right_at && now - pair->right_at < (uint64_t)LIMIT_GUARD_KNOWN * 1000)
        return false;
    struct network *network = guard_table_find(&g->networks, slice_of(net.b, sizeof net.b));
    return network && waits(&network->strikes, now);
}

bool guard_count_wrong(
    struct guard *g, uint64_t now, struct slice name, const struct ip *client, struct slice secret)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    struct hash key = pair_key(g, name, &net);
    uint16_t print = print_of(g, name, secret);
    struct pair *pair = guard_table_have(&g->pairs, hash_slice(&key));
    struct network *network = guard_table_have(&g->networks, slice_of(net.b, sizeof net.b));
    bool is_new = strike(&pair->strikes, now, print, LIMIT_GUARD_STRIKES);
    (void)strike(&network->strikes, now, print, LIMIT_GUARD_NET_STRIKES);
    return is_new;
}

void guard_count_right(struct guard *g, uint64_t now, struct slice name, const struct ip *client)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    struct hash key = pair_key(g, name, &net);
    struct pair *pair = guard_table_have(&g->pairs, hash_slice(&key));
    pair->strikes = (struct strikes){0};
    pair->right_at = now ? now : 1;
}

/* The window of an hour begins with the first unknown recipient. */
static struct harvest *harvest_now(struct harvest *h, uint64_t now)
{
    if (h && now - h->since >= HOUR) {
        h->since = now;
        h->unknown = 0;
    }
    return h;
}

bool guard_is_harvesting(struct guard *g, uint64_t now, const struct ip *client)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    struct harvest *h = harvest_now(guard_table_find(&g->harvests, slice_of(net.b, sizeof net.b)), now);
    return h && h->unknown >= LIMIT_RESOLVE_UNKNOWN;
}

void guard_count_unknown(struct guard *g, uint64_t now, const struct ip *client)
{
    assert(g->magic == MAGIC);
    struct ip net = ip_limit_net(client);
    struct harvest *h = harvest_now(guard_table_have(&g->harvests, slice_of(net.b, sizeof net.b)), now);
    if (h->unknown == 0)
        h->since = now;
    if (h->unknown < UINT32_MAX)
        h->unknown++;
}

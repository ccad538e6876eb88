#include "guard/guard.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "guard/strikes.h"

#define HOUR UINT64_C(3600000)
#define DAY (24 * HOUR)
enum { MAGIC = 0x60a2d001 };

struct harvest {
    struct guard_entry head;
    uint64_t since;
    uint32_t unknown;
};

struct guard {
    uint32_t magic;
    const struct secret *key;
    struct guard_limits limits;
    struct guard_table pairs, networks, names, secrets, harvests;
    uint64_t tidied;
    uint64_t proofs; /* wrong ones so far that look like no other */
};

struct guard *guard_new(const struct secret *key, const struct guard_limits *limits)
{
    struct guard *g = NEW(struct guard);
    *g = (struct guard){.magic = MAGIC, .key = key, .limits = *limits};
    strikes_table_init(&g->pairs, LIMIT_GUARD_ENTRIES);
    strikes_table_init(&g->networks, LIMIT_GUARD_ENTRIES);
    strikes_table_init(&g->names, LIMIT_GUARD_ENTRIES);
    strikes_table_init(&g->secrets, LIMIT_GUARD_SECRETS);
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
    guard_table_done(&g->secrets);
    guard_table_done(&g->harvests);
    g->magic = 0;
    free(g);
}

void guard_set_limits(struct guard *g, const struct guard_limits *limits)
{
    g->limits = *limits;
}

/* ---- keys and prints ---- */

/* Everything that is kept of a name, a network or a secret comes out of here. */
static struct hash keyed(const struct guard *g, const char *purpose, struct slice a, struct slice b)
{
    struct hash_state s;
    hash_start(&s, g->key);
    hash_add_piece(&s, slice_str(purpose));
    hash_add_piece(&s, a);
    hash_add_piece(&s, b);
    return hash_end(&s);
}

static uint16_t print_of(const struct hash *h)
{
    return (uint16_t)(h->b[0] | h->b[1] << 8);
}

struct keys {
    struct ip net;
    struct hash pair, name;
};
static struct keys keys_of(const struct guard *g, const struct guard_who *who)
{
    struct keys k = {.net = ip_limit_net(&who->client)};
    bool is_device = who->device.n > 0;
    struct slice from = is_device ? who->device : slice_of(k.net.b, sizeof k.net.b);
    static const char *const pair[2][2] = {{"pair", "pair proof"}, {"device", "device proof"}};
    k.pair = keyed(g, pair[is_device][who->is_proof], who->name, from);
    k.name = keyed(g, who->is_proof ? "name proof" : "name", who->name, SLICE_EMPTY);
    return k;
}

static struct slice net_key(const struct ip *net)
{
    return slice_of(net->b, sizeof net->b);
}

/* Sixteen bits are the whole key: what is kept of a sprayed secret is no more than of any other. */
static uint16_t secret_key(const struct guard *g, struct slice secret)
{
    struct hash h = keyed(g, "secret", secret, SLICE_EMPTY);
    return print_of(&h);
}

static bool is_free(const struct guard_who *who)
{
    return who->is_known || who->device.n > 0;
}

/* ---- waiting ---- */

static bool is_sprayed(const struct guard *g, uint64_t now, const struct guard_who *who, struct slice secret)
{
    if (who->is_proof || !secret.n)
        return false;
    uint16_t key = secret_key(g, secret);
    return strikes_wait(&g->secrets, now, slice_of(&key, sizeof key));
}

bool guard_must_wait(struct guard *g, uint64_t now, const struct guard_who *who, struct slice secret)
{
    assert(g->magic == MAGIC);
    struct keys k = keys_of(g, who);
    if (strikes_wait(&g->pairs, now, hash_slice(&k.pair)))
        return true;
    if (is_free(who))
        return false;
    return (!who->is_exempt && strikes_wait(&g->networks, now, net_key(&k.net))) ||
           strikes_wait(&g->names, now, hash_slice(&k.name)) || is_sprayed(g, now, who, secret);
}

/* ---- counting ---- */

static void count_name_and_secret(
    struct guard *g, uint64_t now, const struct guard_who *who, const struct hash *name, uint16_t print,
    struct slice secret)
{
    const struct strikes_rule by_day = {
        .allowed = g->limits.day, .window_ms = DAY, .slides = true, .pause_max_ms = g->limits.pause_max_ms};
    const struct strikes_rule by_secret = {
        .allowed = LIMIT_GUARD_SPRAYED + 1,
        .window_ms = HOUR,
        .slides = true,
        .pause_max_ms = g->limits.pause_max_ms};
    (void)strikes_count(&g->names, &by_day, now, hash_slice(name), print);
    if (who->is_proof || !secret.n)
        return;
    uint16_t key = secret_key(g, secret);
    (void)strikes_count(&g->secrets, &by_secret, now, slice_of(&key, sizeof key), print_of(name));
}

bool guard_count_wrong(struct guard *g, uint64_t now, const struct guard_who *who, struct slice secret)
{
    assert(g->magic == MAGIC);
    guard_tidy(g, now);
    struct keys k = keys_of(g, who);
    struct slice what = secret;
    bool is_nameless = who->is_proof && !secret.n; /* nothing to compare it by: unlike all others */
    if (is_nameless) {
        g->proofs++;
        what = slice_of(&g->proofs, sizeof g->proofs);
    }
    struct hash h = keyed(g, is_nameless ? "print of nothing" : "print", who->name, what);
    uint16_t print = print_of(&h);
    const struct strikes_rule by_pair = {
        .allowed = g->limits.strikes,
        .window_ms = g->limits.window_ms,
        .pause_max_ms = g->limits.pause_max_ms};
    bool is_new = strikes_count(&g->pairs, &by_pair, now, hash_slice(&k.pair), print);
    if (!is_free(who))
        count_name_and_secret(g, now, who, &k.name, print, secret);
    if (!who->is_exempt && !who->device.n) {
        const struct strikes_rule by_network = {
            .allowed = g->limits.spray,
            .window_ms = HOUR,
            .slides = true,
            .pause_max_ms = g->limits.pause_max_ms};
        (void)strikes_count(&g->networks, &by_network, now, net_key(&k.net), print_of(&k.name));
    }
    return is_new;
}

void guard_count_right(struct guard *g, uint64_t now, const struct guard_who *who)
{
    assert(g->magic == MAGIC);
    (void)now;
    struct keys k = keys_of(g, who);
    guard_table_drop(&g->pairs, hash_slice(&k.pair));
}

void guard_tidy(struct guard *g, uint64_t now)
{
    assert(g->magic == MAGIC);
    if (now - g->tidied < LIMIT_GUARD_TIDY)
        return;
    g->tidied = now;
    struct guard_table *const tables[] = {&g->pairs, &g->networks, &g->names, &g->secrets};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        strikes_tidy(tables[i], now, DAY - LIMIT_GUARD_TIDY);
    guard_table_expire(&g->harvests, now, DAY);
}

/* ---- harvesting ---- */

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

#include "doctor/knowledge.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "doctor/diagnoses.h"
#include "doctor/knowledge_parts.h"

void *knowledge_number(size_t index)
{
    return (void *)(uintptr_t)(index + 1);
}

size_t knowledge_index(const struct map *m, struct slice key)
{
    void *found = map_find(m, key);
    return found ? (size_t)(uintptr_t)found - 1 : SLICE_NPOS;
}

/* -------------------------------------------------------------------------------------------------- the whole */

struct knowledge *knowledge_new(void)
{
    struct knowledge *k = NEW(struct knowledge);
    arena_init(&k->arena, LIMIT_EXPLAIN_MEMORY);
    k->diagnoses = mem_alloc(LIMIT_EXPLAIN_DIAGNOSES * sizeof *k->diagnoses);
    k->domains = mem_alloc(LIMIT_EXPLAIN_DOMAINS * sizeof *k->domains);
    k->providers = mem_alloc(LIMIT_EXPLAIN_PROVIDERS * sizeof *k->providers);
    map_init(&k->by_id, LIMIT_EXPLAIN_DIAGNOSES);
    map_init(&k->by_provider, LIMIT_EXPLAIN_PROVIDERS);
    map_init(&k->by_domain, LIMIT_EXPLAIN_DOMAINS);
    map_init(&k->by_mx, LIMIT_EXPLAIN_DOMAINS);
    return k;
}

struct knowledge *knowledge_built_in(void)
{
    struct knowledge *k = knowledge_new();
    struct knowledge_trouble trouble;
    enum err e = knowledge_read(k, slice_of(diagnoses_text, sizeof diagnoses_text - 1), &trouble);
    assert(e == OK); /* our own data, which the unit test reads as well */
    return k;
}

void knowledge_free(struct knowledge **k)
{
    if (!*k)
        return;
    map_done(&(*k)->by_id);
    map_done(&(*k)->by_provider);
    map_done(&(*k)->by_domain);
    map_done(&(*k)->by_mx);
    mem_free(&(*k)->diagnoses);
    mem_free(&(*k)->providers);
    mem_free(&(*k)->domains);
    arena_done(&(*k)->arena);
    mem_free(k);
}

size_t knowledge_count(const struct knowledge *k)
{
    return k->count;
}

const struct diagnosis *knowledge_at(const struct knowledge *k, size_t i)
{
    return i < k->count ? &k->diagnoses[i] : NULL;
}

const struct diagnosis *knowledge_find(const struct knowledge *k, struct slice id)
{
    size_t at = knowledge_index(&k->by_id, id);
    return at == SLICE_NPOS ? NULL : &k->diagnoses[at];
}

size_t knowledge_providers(const struct knowledge *k)
{
    return k->provider_count;
}

const struct provider *knowledge_provider_at(const struct knowledge *k, size_t i)
{
    return i < k->provider_count ? &k->providers[i] : NULL;
}

const struct provider *knowledge_provider(const struct knowledge *k, struct slice id)
{
    size_t at = knowledge_index(&k->by_provider, id);
    return at == SLICE_NPOS ? NULL : &k->providers[at];
}

/* The host itself, or the nearest domain above it that is there. */
static const struct provider *
provider_above(const struct knowledge *k, const struct map *m, struct slice host)
{
    while (host.n) {
        size_t at = knowledge_index(m, host), dot = slice_find(host, '.');
        if (at != SLICE_NPOS)
            return &k->providers[at];
        host = dot == SLICE_NPOS ? SLICE_EMPTY : slice_from(host, dot + 1);
    }
    return NULL;
}

const struct provider *knowledge_provider_of(const struct knowledge *k, struct slice host)
{
    return provider_above(k, &k->by_domain, host);
}

bool knowledge_domain_next(
    const struct knowledge *k, size_t *at, struct slice *ret_domain, const struct provider **ret_provider)
{
    if (*at >= k->by_domain.count)
        return false;
    *ret_domain = k->domains[(*at)++];
    *ret_provider = &k->providers[knowledge_index(&k->by_domain, *ret_domain)];
    return true;
}

const struct provider *knowledge_provider_of_mx(const struct knowledge *k, struct slice host)
{
    return provider_above(k, &k->by_mx, host);
}

struct slice provider_host_for(const struct provider_host *h, struct slice domain, struct arena *arena)
{
    size_t percent = slice_find(h->host, '%');
    if (percent == SLICE_NPOS)
        return arena_copy(arena, h->host);
    return arena_printf(
        arena, SLICE_FMT SLICE_FMT SLICE_FMT, SLICE_ARG(slice_sub(h->host, 0, percent)), SLICE_ARG(domain),
        SLICE_ARG(slice_from(h->host, percent + 2)));
}

const struct other_words *knowledge_other_words(const struct knowledge *k)
{
    return k->other_words;
}

size_t knowledge_expressions(const struct knowledge *k)
{
    return k->expressions;
}

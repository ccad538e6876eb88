#include "gate/recipients.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

enum { FAIR_SHARE = LIMIT_GATE_RECIPIENTS / 64 };

struct entry {
    struct list link;
    size_t octets; /* of all this, texts included */
    struct slice key;
    size_t count;
    struct recipient_target targets[]; /* the texts stand behind */
};

void recipients_init(struct recipients *r)
{
    *r = (struct recipients){.by_key = MAP_INIT(LIMIT_GATE_RECIPIENTS / sizeof(struct entry))};
    list_init(&r->oldest);
}

static void entry_free(struct recipients *r, struct entry *e)
{
    map_drop(&r->by_key, e->key);
    list_drop(&e->link);
    r->octets -= e->octets;
    free(e);
}

void recipients_forget(struct recipients *r)
{
    LIST_EACH (&r->oldest, struct entry, link, e)
        entry_free(r, e);
    map_done(&r->by_key);
}

void recipients_drop(struct recipients *r, struct slice key)
{
    struct entry *e = map_find(&r->by_key, key);
    if (e)
        entry_free(r, e);
}

static size_t octets_of(struct slice key, const struct recipient_target *targets, size_t count)
{
    size_t octets = sizeof(struct entry) + key.n + count * sizeof *targets;
    for (size_t i = 0; i < count; i++)
        octets += targets[i].address.n;
    return octets;
}

static struct slice move_text(char **at, struct slice text)
{
    char *begin = *at;
    if (text.n)
        memcpy(begin, text.p, text.n);
    *at += text.n;
    return slice_of(begin, text.n);
}

static struct entry *
entry_new(struct slice key, const struct recipient_target *targets, size_t count, size_t octets)
{
    struct entry *e = mem_alloc(octets);
    char *texts = (char *)&e->targets[count];
    e->octets = octets;
    e->count = count;
    e->key = move_text(&texts, key);
    for (size_t i = 0; i < count; i++) {
        e->targets[i] = targets[i];
        e->targets[i].address = move_text(&texts, targets[i].address);
    }
    return e;
}

void recipients_keep(
    struct recipients *r, struct slice key, const struct recipient_target *targets, size_t count)
{
    size_t octets = octets_of(key, targets, count);
    recipients_drop(r, key);
    if (octets > FAIR_SHARE)
        return;
    while (r->octets + octets > LIMIT_GATE_RECIPIENTS)
        entry_free(r, LIST_FIRST(&r->oldest, struct entry, link));
    struct entry *e = entry_new(key, targets, count, octets);
    if (map_add(&r->by_key, e->key, e) != OK) {
        free(e);
        return;
    }
    list_add(&r->oldest, &e->link);
    r->octets += octets;
}

const struct recipient_target *
recipients_find(const struct recipients *r, struct slice key, size_t *ret_count)
{
    const struct entry *e = map_find(&r->by_key, key);
    if (!e)
        return NULL;
    *ret_count = e->count;
    return e->targets;
}

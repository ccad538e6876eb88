#include "guard/strikes.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

enum { MINUTE = 60000, DOUBLINGS = 16 };

struct print {
    uint16_t value;
    uint16_t
        minute; /* of the caller's clock; ages are compared within 45 days, and none lives longer than one */
};
/* Oldest first. */
struct strikes {
    struct guard_entry head;
    uint64_t last;   /* when the newest was counted */
    uint64_t until;  /* wait until then */
    unsigned pauses; /* earned so far: each doubles the next */
    unsigned count, room;
    struct print *prints;
};

static void strikes_done(struct guard_entry *e)
{
    free(CONTAINER_OF(e, struct strikes, head)->prints);
}

void strikes_table_init(struct guard_table *t, size_t limit)
{
    guard_table_init(t, limit, sizeof(struct strikes), strikes_done);
}

bool strikes_wait(const struct guard_table *t, uint64_t now, struct slice key)
{
    const struct strikes *s = guard_table_find(t, key);
    return s && now < s->until;
}

static bool has_print(const struct strikes *s, uint16_t print)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->prints[i].value == print)
            return true;
    return false;
}

static void drop_oldest(struct strikes *s, unsigned n)
{
    s->count -= n;
    memmove(s->prints, s->prints + n, s->count * sizeof *s->prints);
}

static void drop_older(struct strikes *s, uint64_t now, uint64_t age)
{
    unsigned n = 0;
    while (n < s->count && (uint16_t)((uint16_t)(now / MINUTE) - s->prints[n].minute) >= age / MINUTE)
        n++;
    if (n)
        drop_oldest(s, n);
}

static void keep_print(struct strikes *s, uint64_t now, uint16_t print, unsigned most)
{
    if (s->count >= most) /* the limits were lowered, or a pause is over: the oldest make room */
        drop_oldest(s, s->count - most + 1);
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 4;
        s->prints = mem_resize(s->prints, s->room * sizeof *s->prints);
    }
    s->prints[s->count++] = (struct print){print, (uint16_t)(now / MINUTE)};
}

/* What no longer counts at this moment. A pause is no part of the window. */
static void settle(struct strikes *s, const struct strikes_rule *rule, uint64_t now)
{
    uint64_t quiet_since = s->until > s->last ? s->until : s->last;
    if (now >= quiet_since && now - quiet_since >= rule->window_ms) {
        s->count = 0;
        s->pauses = 0;
    }
    if (rule->slides)
        drop_older(s, now, rule->window_ms);
}

static void pause(struct strikes *s, const struct strikes_rule *rule, uint64_t now)
{
    uint64_t pause = (uint64_t)LIMIT_GUARD_PAUSE << (s->pauses < DOUBLINGS ? s->pauses : DOUBLINGS);
    s->until = now + (pause < rule->pause_max_ms ? pause : rule->pause_max_ms);
    s->pauses++;
}

bool strikes_count(
    struct guard_table *t, const struct strikes_rule *rule, uint64_t now, struct slice key, uint16_t print)
{
    struct strikes *s = guard_table_find(t, key);
    if (s) {
        settle(s, rule, now);
        if (has_print(s, print))
            return false;
    }
    s = guard_table_have(t, now, key);
    s->last = now;
    keep_print(s, now, print, rule->allowed);
    if (s->count >= rule->allowed)
        pause(s, rule, now);
    return true;
}

void strikes_tidy(struct guard_table *t, uint64_t now, uint64_t age)
{
    LIST_EACH (&t->used, struct guard_entry, used, e) {
        struct strikes *s = CONTAINER_OF(e, struct strikes, head);
        drop_older(s, now, age);
        if (!s->count && now >= s->until)
            guard_table_drop(t, slice_of(e->key, e->key_n));
    }
}

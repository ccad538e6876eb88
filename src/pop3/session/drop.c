#include "pop3/session/drop.h"

#include <assert.h>

#include "base/limits.h"
#include "store/message.h"

static_assert(sizeof(struct pop3_entry) == 8, "eight octets a message");
static_assert(LIMIT_MESSAGE < INT32_MAX / 2, "a size fits in 31 bits");

void pop3_drop_init(struct pop3_drop *d, struct sight *sight)
{
    *d = (struct pop3_drop){
        .sight = sight, .entries = BUF_INIT((size_t)LIMIT_MESSAGES_PER_MAILBOX * sizeof(struct pop3_entry))};
}

void pop3_drop_done(struct pop3_drop *d)
{
    buf_done(&d->entries);
}

static struct pop3_entry *entries(const struct pop3_drop *d)
{
    return (struct pop3_entry *)(void *)d->entries.p;
}

uint32_t pop3_drop_last(const struct pop3_drop *d)
{
    return (uint32_t)(d->entries.n / sizeof(struct pop3_entry));
}

fallible pop3_drop_start(struct pop3_drop *d, struct account *a)
{
    const struct mailbox *inbox;
    if (!sight_has_folder(d->sight, S("INBOX")))
        return ERR_DENIED;
    TRY(mailbox_find(a, S("INBOX"), &inbox));
    d->box = inbox->id;
    d->uidvalidity = inbox->uidvalidity;
    d->uidnext = inbox->uidnext;
    d->loaded = 1;
    return OK;
}

static fallible add(struct pop3_drop *d, struct account *a, struct message *m)
{
    d->loaded = m->uid.v + 1;
    if (!sight_has_arrival(d->sight, m->internal_date))
        return OK;
    if (d->sight->redacts)
        sight_look(d->sight, a, m);
    struct pop3_entry entry = {.uid = m->uid, .size = m->size > INT32_MAX ? INT32_MAX : (uint32_t)m->size};
    buf_put(&d->entries, slice_of(&entry, sizeof entry));
    d->count++;
    d->bytes += m->size;
    return buf_check(&d->entries);
}

fallible pop3_drop_load(struct pop3_drop *d, struct account *a, unsigned most)
{
    if (d->loaded >= d->uidnext)
        return OK;
    struct message_iter it;
    struct uid_range range = {d->loaded, d->uidnext - 1};
    TRY(message_iter_start(&it, a, d->box, range, d->sight->redacts ? MESSAGE_STRUCTURE : MESSAGE_ROW));
    enum err e = OK;
    for (unsigned i = 0; i < most && e == OK; i++) {
        struct message m;
        e = message_iter_next(&it, &m);
        if (e == OK)
            e = add(d, a, &m);
    }
    message_iter_stop(&it);
    if (e == OK)
        return ERR_AGAIN;
    if (e == ERR_NOT_FOUND)
        d->loaded = d->uidnext;
    return e == ERR_NOT_FOUND ? OK : e;
}

struct pop3_entry *pop3_drop_find(struct pop3_drop *d, uint32_t number)
{
    if (number == 0 || number > pop3_drop_last(d))
        return NULL;
    struct pop3_entry *entry = &entries(d)[number - 1];
    return entry->deleted ? NULL : entry;
}

void pop3_drop_delete(struct pop3_drop *d, struct pop3_entry *entry)
{
    assert(!entry->deleted);
    entry->deleted = 1;
    d->count--;
    d->bytes -= entry->size;
}

void pop3_drop_reset(struct pop3_drop *d)
{
    for (uint32_t i = 0; i < pop3_drop_last(d); i++) {
        struct pop3_entry *entry = &entries(d)[i];
        d->count += entry->deleted;
        d->bytes += entry->deleted ? entry->size : 0;
        entry->deleted = 0;
    }
}

bool pop3_drop_has_deleted(const struct pop3_drop *d)
{
    return d->count < pop3_drop_last(d);
}

/* Neighbours in the drop become one range: no other message has, or will ever have, a uid between theirs. Not so in a window,
 * where older mail may stand between. */
static fallible expunge_ranges(const struct pop3_drop *d, struct buf *ranges)
{
    bool open = false;
    for (uint32_t i = 0; i < pop3_drop_last(d); i++) {
        const struct pop3_entry *entry = &entries(d)[i];
        struct uid_range *before = open ? &((struct uid_range *)(void *)(ranges->p + ranges->n))[-1] : NULL;
        if (entry->deleted && before && (!sight_has_window(d->sight) || before->last + 1 == entry->uid.v)) {
            before->last = entry->uid.v;
        } else if (entry->deleted) {
            struct uid_range range = {entry->uid.v, entry->uid.v};
            buf_put(ranges, slice_of(&range, sizeof range));
        }
        open = entry->deleted;
    }
    return buf_check(ranges);
}

fallible pop3_drop_expunge(struct pop3_drop *d, struct account *a)
{
    struct buf ranges CLEANUP_BUF = BUF_INIT((size_t)LIMIT_MESSAGES_PER_MAILBOX * sizeof(struct uid_range));
    TRY(expunge_ranges(d, &ranges));
    return message_expunge(
        a, d->box, (const struct uid_range *)(const void *)ranges.p, ranges.n / sizeof(struct uid_range),
        false, NULL, NULL);
}

void pop3_drop_put_uid(const struct pop3_drop *d, const struct pop3_entry *entry, struct buf *out)
{
    buf_printf(out, "%08x%08x", (unsigned)d->uidvalidity, (unsigned)entry->uid.v);
}

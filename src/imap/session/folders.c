/* folders.c - which mailboxes there are for this session: those that its credential may see (keeper/sight.h). All that takes the
 * name of a mailbox asks here. */
#include "imap/session/private.h"

fallible imap_find(struct imap_session *s, const struct imap_mailbox *m, const struct mailbox **ret_box)
{
    const struct mailbox *box;
    if (!m->valid)
        return ERR_NOT_FOUND;
    TRY(mailbox_find(s->account, m->name, &box));
    if (!sight_has_folder(&s->sight, box->name))
        return ERR_NOT_FOUND;
    *ret_box = box;
    return OK;
}

/* Names that cannot be any are refused by the store, in the same words for everybody. */
bool imap_names_in_sight(struct imap_session *s, const struct imap_mailbox *m)
{
    struct slice name = m->name, canonical;
    if (sight_has_all_folders(&s->sight) || !m->valid)
        return true;
    if (name.n > 1 && name.p[name.n - 1] == '/')
        name.n--;
    return mailbox_name_check(name, &s->mem, &canonical) != OK || sight_has_folder(&s->sight, canonical);
}

bool imap_names_all_below(struct imap_session *s, const struct imap_mailbox *m)
{
    struct slice canonical;
    return sight_has_all_folders(&s->sight) || !m->valid ||
           mailbox_name_check(m->name, &s->mem, &canonical) != OK ||
           sight_has_all_below(&s->sight, canonical);
}

enum imap_step imap_refuse_target(struct imap_session *s, const struct imap_mailbox *m)
{
    bool may_create = (s->sight.scope->rights & SCOPE_MANAGE) && imap_names_in_sight(s, m);
    return imap_answer(
        s, IMAP_NO, may_create ? IMAP_CODE_TRYCREATE : IMAP_CODE_NONEXISTENT, "there is no such mailbox");
}

bool imap_selected_is_in_sight(struct imap_session *s)
{
    const struct mailbox *box;
    return sight_has_all_folders(&s->sight) || mailbox_by_id(s->account, s->view.box, &box) != OK ||
           sight_has_folder(&s->sight, box->name);
}

/* ---- lists ---- */

/* What is below a name stands right behind it. */
static bool has_box_below(const struct mailbox_entry *entries, size_t n, size_t i)
{
    struct slice above = entries[i].name;
    for (size_t k = i + 1; k < n; k++) {
        struct slice name = entries[k].name;
        if (name.n <= above.n || !slice_starts(name, above) || name.p[above.n] != '/')
            return false;
        if (entries[k].box)
            return true;
    }
    return false;
}

/* What is out of sight stays only as a name above what is in sight, as if it were no mailbox. */
void imap_list_in_sight(struct imap_session *s, struct mailbox_entry *entries, size_t *n)
{
    size_t kept = 0;
    if (sight_has_all_folders(&s->sight))
        return;
    for (size_t i = 0; i < *n; i++) {
        if (sight_has_folder(&s->sight, entries[i].name))
            continue;
        entries[i].box = NULL;
        entries[i].subscribed = false;
    }
    for (size_t i = 0; i < *n; i++) {
        struct mailbox_entry e = entries[i];
        e.has_children = has_box_below(entries, *n, i);
        if (e.box || e.subscribed || e.has_children)
            entries[kept++] = e;
    }
    *n = kept;
}

/* ---- counts of a window ---- */

enum { COUNT_ROWS = 10000 };

fallible imap_count_in_sight(struct imap_session *s, const struct mailbox *box)
{
    struct box_count *c = &s->count;
    struct message_iter it;
    struct message m;
    struct uid recent;
    struct mailbox_id id = box->id;
    size_t rows = 0;
    enum err e = OK;
    if (!sight_has_window(&s->sight))
        return OK;
    if (c->box.v != id.v || !c->next)
        *c = (struct box_count){.box = id, .next = 1};
    TRY(mailbox_recent(s->account, id, false, &recent));
    TRY(message_iter_start(&it, s->account, id, (struct uid_range){c->next, UINT32_MAX}, MESSAGE_ROW));
    for (; rows < COUNT_ROWS && (e = message_iter_next(&it, &m)) == OK; rows++) {
        c->next = m.uid.v + 1;
        if (!sight_has_arrival(&s->sight, m.internal_date))
            continue;
        c->messages++;
        c->unseen += !(m.flags.system & FLAG_SEEN);
        c->recent += m.uid.v >= recent.v;
    }
    message_iter_stop(&it);
    if (e == OK)
        return ERR_AGAIN;
    c->next = 0; /* the next one counts anew */
    return e == ERR_NOT_FOUND ? OK : e;
}

/* list.c - LIST and LSUB (RFC 3501 6.3.8, 6.3.9; RFC 5258, 5819, 6154). */
#include "imap/session/private.h"

#include <assert.h>

#include "base/limits.h"
#include "base/map.h"

enum { LIST_ROWS = 200 /* answers of one slice */ };

/* The list is made anew in each slice, since others may change it meanwhile; `after` is the name to go on behind. */
struct list_work {
    struct slice after;
    size_t at;
};

struct list_run {
    struct imap_session *s;
    struct list_work *w;
    struct arena mem;
    struct mailbox_entry *entries;
    size_t n;
    bool *below; /* RECURSIVEMATCH: something below is selected */
    size_t rows;
};

static const struct {
    enum special_use use;
    const char *name;
} uses[] = {
    {USE_ALL, "\\All"},   {USE_ARCHIVE, "\\Archive"}, {USE_DRAFTS, "\\Drafts"}, {USE_FLAGGED, "\\Flagged"},
    {USE_JUNK, "\\Junk"}, {USE_SENT, "\\Sent"},       {USE_TRASH, "\\Trash"},
};

/* ---- one answer ---- */

static void put_word(struct buf *out, const char *word)
{
    if (out->p[out->n - 1] != '(')
        buf_put_char(out, ' ');
    buf_put_str(out, word);
}

static void put_attributes(struct list_run *r, const struct mailbox_entry *e)
{
    struct buf *out = imap_out(r->s);
    const struct imap_command *c = r->s->cmd;
    unsigned wanted = c->list.select | c->list.give;
    if (!e->box)
        put_word(out, c->list.extended ? "\\NonExistent \\Noselect" : "\\Noselect");
    put_word(out, e->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (e->subscribed && (wanted & IMAP_LIST_SUBSCRIBED))
        put_word(out, "\\Subscribed");
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (e->box && (e->box->use & uses[i].use))
            put_word(out, uses[i].name);
}

static void put_name(struct buf *out, struct slice name)
{
    buf_put(out, S(") \"/\" "));
    imap_put_mailbox(out, name, false);
}

static bool is_selected(const struct list_run *r, const struct mailbox_entry *e)
{
    unsigned select = r->s->cmd->list.select;
    if ((select & IMAP_LIST_SUBSCRIBED) && !e->subscribed)
        return false;
    if ((select & IMAP_LIST_SPECIAL_USE) && !(e->box && e->box->use))
        return false;
    return (select & IMAP_LIST_SUBSCRIBED) || e->box || e->has_children;
}

/* RFC 5258 3.5: CHILDINFO tells that the criteria hold below. */
static void put_child_info(struct list_run *r, size_t i)
{
    struct buf *out = imap_out(r->s);
    unsigned select = r->s->cmd->list.select;
    if (!r->below || !r->below[i])
        return;
    buf_put(out, S(" (\"CHILDINFO\" ("));
    if (select & IMAP_LIST_SUBSCRIBED)
        buf_put(out, S("\"SUBSCRIBED\""));
    if (select & IMAP_LIST_SPECIAL_USE)
        buf_put(out, select & IMAP_LIST_SUBSCRIBED ? S(" \"SPECIAL-USE\"") : S("\"SPECIAL-USE\""));
    buf_put(out, S("))"));
}

static fallible put_entry(struct list_run *r, size_t i)
{
    const struct mailbox_entry *e = &r->entries[i];
    struct buf *out = imap_out(r->s);
    bool with_status = e->box && (r->s->cmd->list.give & IMAP_LIST_STATUS);
    if (with_status)
        TRY(imap_count_in_sight(r->s, e->box));
    buf_put(out, S("* LIST ("));
    put_attributes(r, e);
    put_name(out, e->name);
    put_child_info(r, i);
    buf_put(out, S("\r\n"));
    r->rows++;
    if (with_status)
        return imap_put_status(r->s, e->box, r->s->cmd->list.status_items);
    return OK;
}

/* ---- matching ---- */

static bool matches(const struct list_run *r, struct slice name)
{
    const struct imap_command *c = r->s->cmd;
    for (size_t i = 0; i < c->list.patterns_n; i++)
        if (c->list.patterns[i].valid && mailbox_name_matches(c->list.patterns[i].name, name))
            return true;
    return false;
}

/* RFC 3501 6.3.8: the reference is put in front of the pattern, unless that starts at the root. */
static fallible join_reference(struct imap_session *s)
{
    struct imap_command *c = s->cmd;
    for (size_t i = 0; i < c->list.patterns_n; i++) {
        struct imap_mailbox *p = &c->list.patterns[i];
        p->valid &= c->list.reference.valid;
        if (!c->list.reference.name.n || slice_starts(p->name, S("/")))
            continue;
        p->name = arena_printf(&s->mem, "%.*s%.*s", SLICE_ARG(c->list.reference.name), SLICE_ARG(p->name));
    }
    return arena_check(&s->mem);
}

/* Marks all that are above something selected. */
static void mark_above(struct list_run *r, const struct map *names, struct slice name)
{
    for (size_t slash; (slash = slice_rfind(name, '/')) != SLICE_NPOS;) {
        name.n = slash;
        struct mailbox_entry *above = map_find(names, name);
        if (above)
            r->below[above - r->entries] = true;
    }
}

static fallible mark_below(struct list_run *r)
{
    struct map names = MAP_INIT(r->n + 1);
    enum err e = OK;
    r->below = arena_array(&r->mem, r->n, sizeof *r->below);
    TRY(arena_check(&r->mem));
    for (size_t i = 0; i < r->n && e == OK; i++)
        e = map_add(&names, r->entries[i].name, &r->entries[i]);
    for (size_t i = 0; i < r->n && e == OK; i++)
        if (is_selected(r, &r->entries[i]))
            mark_above(r, &names, r->entries[i].name);
    map_done(&names);
    return e;
}

/* ---- LSUB: subscribed names; "%" also shows the levels above them (RFC 3501 6.3.9) ---- */

static void put_lsub(struct list_run *r, struct slice name, bool no_select)
{
    struct buf *out = imap_out(r->s);
    buf_put(out, no_select ? S("* LSUB (\\Noselect") : S("* LSUB ("));
    put_name(out, name);
    buf_put(out, S("\r\n"));
    r->rows++;
}

/* Levels above a subscribed name that match, when the name before did not show them: the list is sorted. */
static void put_lsub_parents(struct list_run *r, struct slice name, struct slice before)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] != '/')
            continue;
        struct slice parent = slice_sub(name, 0, i);
        bool shown = slice_starts(before, parent) && (before.n == i || before.p[i] == '/');
        if (!shown && matches(r, parent))
            put_lsub(r, parent, true);
    }
}

static void lsub_entry(struct list_run *r, size_t i)
{
    const struct mailbox_entry *e = &r->entries[i];
    struct slice before = S("");
    if (!e->subscribed)
        return;
    if (matches(r, e->name)) {
        put_lsub(r, e->name, !e->box);
        return;
    }
    for (size_t k = i; k-- > 0 && !before.n;)
        if (r->entries[k].subscribed)
            before = r->entries[k].name;
    put_lsub_parents(r, e->name, before);
}

/* ---- the run over all names ---- */

static fallible list_entry(struct list_run *r, size_t i)
{
    const struct mailbox_entry *e = &r->entries[i];
    if (r->s->cmd->verb->id == IMAP_VERB_LSUB_ID) {
        lsub_entry(r, i);
        return OK;
    }
    bool wanted = is_selected(r, e) || (r->below && r->below[i]);
    return wanted && matches(r, e->name) ? put_entry(r, i) : OK;
}

/* Where the last slice stopped: behind the name it ended with, or at its place when that name went. */
static size_t resume_at(const struct list_run *r)
{
    const struct list_work *w = r->w;
    for (size_t i = 0; w->after.p && i < r->n; i++)
        if (slice_eq(r->entries[i].name, w->after))
            return i + 1;
    return w->at < r->n ? w->at : r->n;
}

static fallible list_slice(struct list_run *r, bool *ret_more)
{
    TRY(mailbox_list(r->s->account, &r->mem, &r->entries, &r->n));
    imap_list_in_sight(r->s, r->entries, &r->n);
    if (r->s->cmd->list.select & IMAP_LIST_RECURSIVEMATCH)
        TRY(mark_below(r));
    size_t i = resume_at(r);
    enum err e = OK;
    for (; e == OK && i < r->n && r->rows < LIST_ROWS; i += e == OK)
        e = list_entry(r, i);
    if (e != OK && e != ERR_AGAIN)
        return e;
    *ret_more = i < r->n;
    if (*ret_more) {
        r->w->after = i ? arena_copy(&r->s->mem, r->entries[i - 1].name) : SLICE_EMPTY;
        r->w->at = i;
    }
    return OK;
}

/* LIST "" "" asks for the separator (RFC 3501 6.3.8). */
static bool asks_separator(const struct imap_command *c)
{
    return c->verb->id == IMAP_VERB_LIST_ID && !c->list.extended && c->list.patterns[0].valid &&
           !c->list.patterns[0].name.n;
}

enum imap_step imap_run_list(struct imap_session *s)
{
    struct list_run r = {.s = s, .w = s->work, .mem = ARENA_INIT(LIMIT_SESSION_MEMORY)};
    bool more = false;
    enum err e = OK;
    if (asks_separator(s->cmd)) {
        buf_put(imap_out(s), S("* LIST (\\Noselect) \"/\" \"\"\r\n"));
        return imap_ok(s, "the separator");
    }
    if (!r.w) {
        r.w = s->work = ARENA_NEW(&s->mem, struct list_work);
        assert(r.w);
        if (s->cmd->list.status_items & IMAP_STATUS_HIGHESTMODSEQ)
            imap_enable_condstore(s);
        e = join_reference(s);
    }
    if (e == OK)
        e = list_slice(&r, &more);
    arena_done(&r.mem);
    if (e != OK)
        return imap_refuse(s, e);
    return more ? imap_slice_end(s) : imap_ok(s, "these are all");
}

#include "imap/session/private.h"

#include "base/limits.h"

/* ---- flags, as they are written ---- */

void imap_keywords(struct imap_session *s, struct keyword_names *ret_names)
{
    uint64_t mask = mailbox_keywords(s->account, s->view.box);
    if (mask & ~s->view.told_keywords) {
        imap_put_flags_lines(s);
        s->view.told_keywords = mask;
    }
    ret_names->mask = mask;
    for (uint64_t left = mask; left; left &= left - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(left);
        ret_names->at[bit] = mailbox_keyword_name(s->account, s->view.box, bit);
    }
}

static void put_keywords(struct buf *out, const struct keyword_names *names, uint64_t keywords, bool any)
{
    for (uint64_t left = keywords & names->mask; left; left &= left - 1) {
        if (any)
            buf_put_char(out, ' ');
        buf_put(out, names->at[__builtin_ctzll(left)]);
        any = true;
    }
}

void imap_put_message_flags(
    struct buf *out, const struct view *v, const struct keyword_names *names, uint32_t uid,
    struct flags flags)
{
    unsigned recent = v->recent_n && view_is_recent(v, uid) ? IMAP_FLAG_RECENT : 0;
    buf_put(out, S("FLAGS ("));
    bool any = imap_put_flags(out, flags.system | recent);
    if (flags.keywords)
        put_keywords(out, names, flags.keywords, any);
    buf_put_char(out, ')');
}

/* FLAGS and PERMANENTFLAGS (RFC 3501 7.2.6, 7.1): at SELECT, and when a keyword came into being. */
void imap_put_flags_lines(struct imap_session *s)
{
    struct buf *out = imap_out(s);
    struct keyword_names names = {.mask = mailbox_keywords(s->account, s->view.box)};
    for (uint64_t left = names.mask; left; left &= left - 1) {
        unsigned bit = (unsigned)__builtin_ctzll(left);
        names.at[bit] = mailbox_keyword_name(s->account, s->view.box, bit);
    }
    unsigned can_set = s->sight.scope->rights & SCOPE_DELETE
                           ? IMAP_FLAG_SYSTEM
                           : IMAP_FLAG_SYSTEM & ~(unsigned)IMAP_FLAG_DELETED;
    buf_put(out, S("* FLAGS ("));
    put_keywords(out, &names, names.mask, imap_put_flags(out, IMAP_FLAG_SYSTEM));
    buf_put(out, S(")\r\n* OK [PERMANENTFLAGS ("));
    if (!s->view.readonly) {
        put_keywords(out, &names, names.mask, imap_put_flags(out, can_set));
        buf_put(out, __builtin_popcountll(names.mask) < LIMIT_KEYWORDS ? S(" \\*") : S(""));
    }
    buf_put(out, S(")] what can be set for ever\r\n"));
    s->view.told_keywords = names.mask;
}

fallible imap_flags_to_store(
    struct imap_session *s, struct mailbox_id box, const struct imap_flags *flags, bool make,
    struct flags *ret_flags)
{
    struct flags result = {.system = flags->system};
    for (size_t i = 0; i < flags->keywords_n; i++) {
        unsigned bit;
        enum err e = mailbox_keyword(s->account, box, flags->keywords[i], make, &bit);
        if (e == ERR_NOT_FOUND && !make)
            continue;
        TRY(e);
        result.keywords |= (uint64_t)1 << bit;
    }
    *ret_flags = result;
    return OK;
}

/* ---- expunges ---- */

/* What is gone of the view, at most LIMIT_IMAP_NEWS ranges at a time. */
struct gone_list {
    const struct view *view;
    struct imap_range *at;
    size_t n;
    bool full;
};

static void gone_add(struct gone_list *g, uint32_t first, uint32_t last)
{
    const struct view *v = g->view;
    size_t index = view_at_least(v, first);
    if (index == v->n || v->uids[index] > last)
        return; /* never told of */
    if (g->n == LIMIT_IMAP_NEWS)
        g->full = true;
    else
        g->at[g->n++] = (struct imap_range){first, last};
}

static void on_gone(void *owner, struct uid_range gone, uint64_t modseq)
{
    gone_add(owner, gone.first, gone.last);
}

/* So long ago that the store forgot: what is in the view and in no row is gone. */
static fallible compare_with_rows(struct imap_session *s, struct gone_list *g)
{
    const struct view *v = &s->view;
    struct message_iter it;
    struct message m;
    size_t at = 0;
    enum err e;
    g->n = 0;
    g->full = false;
    TRY(message_iter_start(&it, s->account, v->box, (struct uid_range){1, UINT32_MAX}, MESSAGE_ROW));
    while ((e = message_iter_next(&it, &m)) == OK) {
        for (; at < v->n && v->uids[at] < m.uid.v; at++)
            gone_add(g, v->uids[at], v->uids[at]);
        at += at < v->n && v->uids[at] == m.uid.v;
    }
    message_iter_stop(&it);
    for (; at < v->n; at++)
        gone_add(g, v->uids[at], v->uids[at]);
    return e == ERR_NOT_FOUND ? OK : e;
}

static void put_expunge(void *owner, uint32_t sequence)
{
    struct imap_session *s = owner;
    buf_put(imap_out(s), S("* "));
    buf_put_u64(imap_out(s), sequence);
    buf_put(imap_out(s), S(" EXPUNGE\r\n"));
}

/* Cuts a resolved set so that it names at most LIMIT_IMAP_NEWS messages of the view; says whether it did. */
static bool cut_portion(const struct view *v, struct imap_set *gone)
{
    size_t room = LIMIT_IMAP_NEWS;
    for (size_t i = 0; i < gone->n; i++) {
        struct imap_range *r = &gone->ranges[i];
        size_t first = view_at_least(v, r->first);
        size_t end = view_at_least(v, r->last) + (view_sequence(v, r->last) != 0);
        if (end - first > room) {
            r->last = room ? v->uids[first + room - 1] : r->last;
            gone->n = i + (room > 0);
            return true;
        }
        room -= end - first;
    }
    return false;
}

/* ---- the window moves on ---- */

static bool has_aged(const struct imap_session *s)
{
    const struct view *v = &s->view;
    return s->is_selected && v->is_window && v->n && !sight_has_arrival(&s->sight, v->oldest);
}

bool imap_has_news(const struct imap_session *s)
{
    return s->is_selected && (s->view.dirty || has_aged(s));
}

/* What went out of the window since the view was made leaves like what others expunged (RFC 3501 7.4.1). ERR_AGAIN: there is
 * more. */
static fallible put_aged(struct imap_session *s)
{
    struct view *v = &s->view;
    struct arena CLEANUP_ARENA mem = ARENA_INIT(LIMIT_SESSION_MEMORY);
    struct imap_set aged = {.ranges = arena_array(&mem, LIMIT_IMAP_NEWS, sizeof *aged.ranges)};
    int64_t oldest = INT64_MAX;
    if (!aged.ranges)
        return ERR_LIMIT;
    for (size_t i = 0; i < v->n; i++) {
        bool leaves = !sight_has_arrival(&s->sight, v->arrived[i]) && aged.n < LIMIT_IMAP_NEWS;
        if (leaves)
            aged.ranges[aged.n++] = (struct imap_range){v->uids[i], v->uids[i]};
        else if (v->arrived[i] < oldest)
            oldest = v->arrived[i];
    }
    v->oldest = oldest;
    /* view_remove wants resolved ranges, which neighbours would be one of; to hide they are taken one by one */
    view_remove(v, &aged, put_expunge, s);
    for (size_t i = 0; i < aged.n; i++)
        view_hide(v, aged.ranges[i].first);
    return has_aged(s) ? ERR_AGAIN : OK;
}

/* ERR_AGAIN: there is more. What was told of is out of the view, so that asking again goes on behind it. */
static fallible put_expunges(struct imap_session *s)
{
    struct view *v = &s->view;
    struct arena CLEANUP_ARENA mem = ARENA_INIT(LIMIT_SESSION_MEMORY);
    struct gone_list g = {.view = v, .at = arena_array(&mem, LIMIT_IMAP_NEWS, sizeof *g.at)};
    const struct change_visitor visitor = {.expunged = on_gone, .owner = &g};
    if (!g.at)
        return ERR_LIMIT;
    enum err e = changes_since(
        s->account, v->box, v->told_expunges, (struct uid_range){1, view_last_uid(v)}, &visitor);
    if (e == ERR_LIMIT)
        e = compare_with_rows(s, &g);
    if (e != OK || !g.n)
        return e;
    struct imap_set gone = {.ranges = g.at, .n = g.n};
    imap_set_resolve(&gone, UINT32_MAX);
    bool more = cut_portion(v, &gone) || g.full;
    view_remove(v, &gone, put_expunge, s);
    return more ? ERR_AGAIN : OK;
}

/* ---- arrivals and flags ---- */

struct changed_list {
    struct imap_session *s;
    struct keyword_names names;
    struct buf flags; /* FETCH answers, which follow EXISTS */
    uint32_t last;    /* the last uid that was told of before */
    size_t told, arrived;
    uint32_t next; /* where to go on, 0: it was all */
};

static void put_changed(struct changed_list *c, uint32_t sequence, const struct message *m)
{
    struct buf *out = &c->flags;
    buf_put(out, S("* "));
    buf_put_u64(out, sequence);
    buf_put(out, S(" FETCH ("));
    if (c->s->condstore) {
        buf_put(out, S("UID "));
        buf_put_u64(out, m->uid.v);
        buf_put(out, S(" MODSEQ ("));
        buf_put_u64(out, m->modseq);
        buf_put(out, S(") "));
    }
    imap_put_message_flags(out, &c->s->view, &c->names, m->uid.v, m->flags);
    buf_put(out, S(")\r\n"));
}

static void on_message(void *owner, const struct message *m)
{
    struct changed_list *c = owner;
    struct view *v = &c->s->view;
    if (m->uid.v > c->last) {
        if (c->next)
            return;
        if (!sight_has_arrival(&c->s->sight, m->internal_date)) {
            view_hide(v, m->uid.v);
            return;
        }
        view_add(v, m->uid.v, m->internal_date);
        c->arrived++;
        return;
    }
    uint32_t sequence = view_sequence(v, m->uid.v);
    if (!sequence || c->next)
        return;
    if (c->told == LIMIT_IMAP_NEWS) {
        c->next = m->uid.v;
        return;
    }
    c->told++;
    put_changed(c, sequence, m);
}

/* The messages nobody was told of as \Recent are this session's now. */
static fallible claim_recent(struct imap_session *s)
{
    struct uid first;
    TRY(mailbox_recent(s->account, s->view.box, !s->view.readonly, &first));
    view_add_recent(&s->view, first.v, view_last_uid(&s->view));
    return OK;
}

static fallible put_arrivals(struct imap_session *s)
{
    struct buf *out = imap_out(s);
    TRY(claim_recent(s));
    buf_put(out, S("* "));
    buf_put_u64(out, s->view.n);
    buf_put(out, S(" EXISTS\r\n* "));
    buf_put_u64(out, view_count_recent(&s->view));
    buf_put(out, S(" RECENT\r\n"));
    return OK;
}

/* ERR_AGAIN: there is more, from view.telling on. */
static fallible put_changes(struct imap_session *s)
{
    struct view *v = &s->view;
    struct changed_list c = {.s = s, .flags = BUF_INIT(LIMIT_SESSION_HELD), .last = view_last_uid(v)};
    const struct change_visitor visitor = {.message = on_message, .owner = &c};
    struct uid_range range = {v->telling ? v->telling : 1, UINT32_MAX};
    imap_keywords(s, &c.names);
    enum err e = changes_since(s->account, v->box, v->told_messages, range, &visitor);
    if (e == OK && c.arrived)
        e = put_arrivals(s);
    if (e == OK)
        buf_put(imap_out(s), buf_slice(&c.flags));
    buf_done(&c.flags);
    v->telling = c.next;
    return e == OK && c.next ? ERR_AGAIN : e;
}

static fallible highest(struct imap_session *s, uint64_t *ret_modseq)
{
    const struct mailbox *box;
    enum err e = mailbox_by_id(s->account, s->view.box, &box);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_GONE : e;
    if (!sight_has_folder(&s->sight, box->name))
        return ERR_GONE; /* renamed to where it is not seen */
    *ret_modseq = box->modseq;
    return OK;
}

fallible imap_put_news(struct imap_session *s, unsigned what)
{
    struct view *v = &s->view;
    uint64_t modseq;
    if ((what & NEWS_EXPUNGES) && has_aged(s))
        TRY(put_aged(s));
    if (!v->dirty)
        return OK;
    TRY(highest(s, &modseq));
    if ((what & NEWS_EXPUNGES) && v->told_expunges < modseq) {
        TRY(put_expunges(s));
        v->told_expunges = modseq;
    }
    if (v->told_messages < modseq) {
        /* A round that was cut into portions ends with the MODSEQ that it began with. */
        if (!v->telling)
            v->telling_upto = modseq;
        TRY(put_changes(s));
        v->told_messages = v->telling_upto;
    }
    v->dirty = v->told_expunges < modseq || v->told_messages < modseq;
    return v->told_messages < modseq ? ERR_AGAIN : OK;
}

fallible imap_skip_own_news(struct imap_session *s)
{
    struct view *v = &s->view;
    uint64_t modseq;
    bool no_expunges = v->told_expunges == v->told_messages;
    TRY(highest(s, &modseq));
    v->told_messages = modseq;
    if (no_expunges)
        v->told_expunges = modseq;
    v->dirty = !no_expunges;
    return OK;
}

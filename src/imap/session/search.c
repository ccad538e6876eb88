/* search.c - SEARCH (RFC 3501 6.4.4, RFC 7162 3.1.5), in slices; the answer leaves as it is found. */
#include "imap/session/private.h"

#include "base/clock.h"
#include "base/limits.h"
#include "imap/session/match.h"
#include "ipc/poison.h"

struct search_work {
    struct matcher matcher;
    uint32_t next; /* the uid to go on with */
    enum message_what what;
    enum { SEARCH_ROWS, SEARCH_HEADER, SEARCH_BODY } stage; /* of the message in the matcher */
    bool any;                                               /* "* SEARCH" was written */
    bool is_over;
    uint64_t highest; /* MODSEQ of what was found */
    size_t rows;      /* in this slice */
};

void imap_search_forget(void *work)
{
    struct search_work *w = work;
    matcher_done(&w->matcher);
}

static unsigned keyword_bit(void *owner, struct slice name)
{
    struct imap_session *s = owner;
    unsigned bit;
    return mailbox_keyword(s->account, s->view.box, name, false, &bit) == OK ? bit : LIMIT_KEYWORDS;
}

static void put_found(struct imap_session *s, struct search_work *w)
{
    struct buf *out = imap_out(s);
    const struct message *m = &w->matcher.m;
    if (!w->any)
        buf_put(out, S("* SEARCH"));
    w->any = s->in_response = true;
    buf_put_char(out, ' ');
    buf_put_u64(out, s->cmd->verb->flags & IMAP_VERB_BY_UID ? m->uid.v : w->matcher.sequence);
    if (m->modseq > w->highest)
        w->highest = m->modseq;
}

static void settle(struct imap_session *s, struct search_work *w, enum verdict verdict)
{
    if (verdict == VERDICT_YES)
        put_found(s, w);
    if (verdict != VERDICT_UNKNOWN) {
        w->stage = SEARCH_ROWS;
        body_close(&s->reading);
    }
}

/* Rows, until one needs a look into its message; that one stays in the matcher. */
static fallible search_rows(struct imap_session *s, struct search_work *w)
{
    const struct view *v = &s->view;
    struct message_iter it;
    struct message m;
    enum err e;
    size_t at = view_at_least(v, w->next);
    TRY(message_iter_start(&it, s->account, v->box, (struct uid_range){w->next, UINT32_MAX}, w->what));
    while (w->stage == SEARCH_ROWS && w->rows < SLICE_ROWS && (e = message_iter_next(&it, &m)) == OK) {
        w->rows++;
        while (at < v->n && v->uids[at] < m.uid.v)
            at++;
        if (at == v->n)
            break;
        w->next = m.uid.v + 1;
        if (v->uids[at] != m.uid.v)
            continue;
        if (w->what == MESSAGE_STRUCTURE)
            sight_look(&s->sight, s->account, &m);
        poison_enter(s->env->poison, &s->base.grant.account, m.email_id, "search row");
        enum verdict verdict = matcher_row(&w->matcher, &m, (uint32_t)at + 1);
        poison_leave(s->env->poison);
        settle(s, w, verdict);
        if (verdict == VERDICT_UNKNOWN) {
            arena_clear(&s->batch);
            m.structure = arena_copy(&s->batch, m.structure);
            w->stage = SEARCH_HEADER;
            matcher_row(&w->matcher, &m, (uint32_t)at + 1); /* the same again, over the copy */
        }
    }
    message_iter_stop(&it);
    w->is_over = w->stage == SEARCH_ROWS && (at == v->n || (w->rows < SLICE_ROWS && e == ERR_NOT_FOUND));
    if (w->stage == SEARCH_ROWS && !w->is_over && w->rows < SLICE_ROWS)
        return e;
    return arena_check(&s->batch);
}

static fallible search_header(struct imap_session *s, struct search_work *w)
{
    uint64_t start, end;
    TRY(body_open(s->account, w->matcher.m.body, &s->reading));
    TRY(matcher_header_range(&w->matcher, &start, &end));
    TRY(imap_read_range(s, start, end));
    w->stage = SEARCH_BODY;
    settle(s, w, matcher_header(&w->matcher, buf_slice(&s->scratch)));
    return OK;
}

static fallible search_body(struct imap_session *s, struct search_work *w)
{
    enum verdict verdict;
    TRY(matcher_body(&w->matcher, &s->sight, s->reading, SLICE_OCTETS / 4, &verdict));
    settle(s, w, verdict);
    return OK;
}

/* A message that cannot be read holds nothing that could be found. */
static fallible search_inside(struct imap_session *s, struct search_work *w)
{
    poison_enter(s->env->poison, &s->base.grant.account, w->matcher.m.email_id, "search");
    enum err e = w->stage == SEARCH_HEADER ? search_header(s, w) : search_body(s, w);
    poison_leave(s->env->poison);
    if (e == ERR_CORRUPT || e == ERR_NOT_FOUND || e == ERR_LIMIT || e == ERR_UNSUPPORTED) {
        settle(s, w, VERDICT_NO);
        e = OK;
    }
    return e;
}

static enum imap_step bad_charset(struct imap_session *s)
{
    struct buf CLEANUP_BUF code = BUF_INIT(4096);
    buf_put(&code, S("BADCHARSET ("));
    for (size_t i = 0; charset_at(s->env->charsets, i); i++)
        buf_printf(&code, i ? " %s" : "%s", charset_name(charset_at(s->env->charsets, i)));
    buf_put(&code, S(")"));
    return imap_answer_text(s, IMAP_NO, arena_copy(&s->mem, buf_slice(&code)), "this charset is not known");
}

/* As deep as the parser allowed (LIMIT_IMAP_NESTING). */
static bool asks_size(const struct imap_search_key *key)
{
    for (; key; key = key->next)
        if (key->key == IMAP_KEY_LARGER || key->key == IMAP_KEY_SMALLER || asks_size(key->children))
            return true;
    return false;
}

static enum imap_step search_start(struct imap_session *s)
{
    struct imap_search *search = &s->cmd->search;
    struct search_work *w = ARENA_NEW(&s->mem, struct search_work);
    if (!w)
        return imap_refuse(s, ERR_LIMIT);
    enum err e = matcher_init(&w->matcher, s->env->charsets, &s->view, search, &s->mem, keyword_bit, s);
    s->work = w;
    if (e == ERR_UNSUPPORTED)
        return bad_charset(s);
    if (e != OK)
        return imap_refuse(s, e);
    if (search->uses_modseq)
        imap_enable_condstore(s);
    bool looks_inside =
        search->uses_header || search->uses_body || (s->sight.redacts && asks_size(search->root));
    w->what = looks_inside ? MESSAGE_STRUCTURE : MESSAGE_ROW;
    w->next = s->view.n ? s->view.uids[0] : 1;
    return STEP_AGAIN;
}

static void put_end(struct imap_session *s, const struct search_work *w)
{
    struct buf *out = imap_out(s);
    if (!w->any)
        buf_put(out, S("* SEARCH"));
    else if (s->cmd->search.uses_modseq)
        output_printf(&s->out, " (MODSEQ %llu)", (unsigned long long)w->highest);
    buf_put(out, S("\r\n"));
    s->in_response = false;
}

/* One slice: rows and insides until the time or the rows of a slice are used up. */
static fallible search_slice(struct imap_session *s, struct search_work *w)
{
    uint64_t began = clock_mono_ms();
    uint64_t spent = 0;
    enum err e = OK;
    w->rows = 0;
    while (e == OK && !w->is_over && w->rows < SLICE_ROWS && spent < SLICE_MS) {
        e = w->stage == SEARCH_ROWS ? search_rows(s, w) : search_inside(s, w);
        spent = clock_mono_ms() - began;
    }
    s->worked_ms += spent;
    return e;
}

enum imap_step imap_run_search(struct imap_session *s)
{
    struct search_work *w = s->work;
    if (!w) {
        enum imap_step step = search_start(s);
        if (step == STEP_DONE)
            return step;
        w = s->work;
    }
    enum err e = search_slice(s, w);
    if (e == OK && !w->is_over && s->worked_ms < LIMIT_IMAP_SEARCH_TIME)
        return imap_slice_end(s);
    put_end(s, w);
    if (e != OK)
        return imap_refuse(s, e);
    if (!w->is_over)
        return imap_answer(s, IMAP_NO, IMAP_CODE_LIMIT, "the search took too long, ask for less");
    return imap_ok(s, "searched");
}

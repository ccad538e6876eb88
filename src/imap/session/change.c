/* change.c - STORE, COPY, MOVE, EXPUNGE: commands that change messages. */
#include "imap/session/private.h"

#include <assert.h>

#include "base/limits.h"

static bool by_uid(const struct imap_session *s)
{
    return s->cmd->verb->flags & IMAP_VERB_BY_UID;
}

static enum imap_step refuse_set(struct imap_session *s, enum err e)
{
    if (e == ERR_SYNTAX)
        return imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, "there is no message of that number");
    return imap_refuse(s, e);
}

/* RFC 7162 3.2.7: after an expunge the client of CONDSTORE learns where the mailbox stands. */
static enum imap_step ok_with_modseq(struct imap_session *s, const char *words)
{
    const struct mailbox *box;
    if (!s->condstore || mailbox_by_id(s->account, s->view.box, &box) != OK)
        return imap_ok(s, words);
    struct slice code = arena_printf(&s->mem, "HIGHESTMODSEQ %llu", (unsigned long long)box->modseq);
    return imap_answer_text(s, IMAP_OK, code, words);
}

/* ---- STORE (RFC 3501 6.4.6, RFC 7162 3.1.3), in slices ---- */

struct store_work {
    struct view_ranges ranges;
    uint32_t next;
    struct flags_change change;
    struct imap_set_writer modified; /* into s->scratch: numbers that had changed since */
    struct flags_result results[SLICE_ROWS];
    size_t results_n;
};

static void on_result(void *owner, const struct flags_result *r)
{
    struct store_work *w = owner;
    assert(w->results_n < SLICE_ROWS);
    w->results[w->results_n++] = *r;
}

static fallible store_start(struct imap_session *s)
{
    static const enum flags_how how[] = {
        [IMAP_STORE_SET] = FLAGS_REPLACE, [IMAP_STORE_ADD] = FLAGS_ADD, [IMAP_STORE_REMOVE] = FLAGS_REMOVE};
    const struct imap_command *c = s->cmd;
    struct store_work *w = ARENA_NEW(&s->mem, struct store_work);
    if (!w)
        return ERR_LIMIT;
    if (c->store.has_unchanged_since)
        imap_enable_condstore(s);
    w->change.how = how[c->store.how];
    w->change.unchanged_since = c->store.has_unchanged_since ? c->store.unchanged_since : MODSEQ_ANY;
    TRY(imap_flags_to_store(
        s, s->view.box, &c->store.flags, c->store.how != IMAP_STORE_REMOVE, &w->change.flags));
    buf_clear(&s->scratch);
    imap_set_writer_init(&w->modified, &s->scratch);
    s->work = w;
    return OK;
}

static void
put_stored(struct imap_session *s, const struct flags_result *r, const struct keyword_names *names)
{
    struct buf *out = imap_out(s);
    uint32_t sequence = view_sequence(&s->view, r->uid.v);
    bool silent = s->cmd->store.silent;
    if (!sequence || (silent && !(s->condstore && r->outcome == FLAGS_CHANGED)))
        return;
    buf_put(out, S("* "));
    buf_put_u64(out, sequence);
    buf_put(out, S(" FETCH ("));
    if (by_uid(s)) {
        buf_put(out, S("UID "));
        buf_put_u64(out, r->uid.v);
        buf_put_char(out, ' ');
    }
    if (!silent)
        imap_put_message_flags(out, &s->view, names, r->uid.v, r->flags);
    if (s->condstore) {
        buf_put(out, silent ? S("MODSEQ (") : S(" MODSEQ ("));
        buf_put_u64(out, r->modseq);
        buf_put_char(out, ')');
    }
    buf_put(out, S(")\r\n"));
}

static void put_results(struct imap_session *s, struct store_work *w)
{
    struct keyword_names names;
    imap_keywords(s, &names);
    for (size_t i = 0; i < w->results_n; i++) {
        const struct flags_result *r = &w->results[i];
        uint32_t number = by_uid(s) ? r->uid.v : view_sequence(&s->view, r->uid.v);
        if (r->outcome != FLAGS_MODIFIED)
            put_stored(s, r, &names);
        else if (number)
            imap_set_writer_add(&w->modified, number);
    }
}

/* One slice: what others did is told first, so that our own changes need not be told twice. */
static fallible store_slice(struct imap_session *s, struct store_work *w)
{
    struct arena CLEANUP_ARENA mem = ARENA_INIT(LIMIT_SESSION_MEMORY);
    struct view_ranges part;
    uint32_t next;
    TRY(view_portion(&s->view, &w->ranges, w->next, SLICE_ROWS, &mem, &part, &next));
    w->results_n = 0;
    bool told = imap_put_news(s, 0) == OK;
    if (part.n)
        TRY(message_store_flags(s->account, s->view.box, part.at, part.n, &w->change, on_result, w));
    put_results(s, w);
    if (told)
        TRY(imap_skip_own_news(s));
    w->next = next;
    return OK;
}

static enum imap_step store_end(struct imap_session *s, struct store_work *w)
{
    imap_set_writer_done(&w->modified);
    if (!s->scratch.n)
        return imap_ok(s, "stored");
    struct slice code = arena_printf(&s->mem, "MODIFIED %.*s", SLICE_ARG(buf_slice(&s->scratch)));
    return imap_answer_text(s, IMAP_OK, code, "these had changed and were left alone");
}

enum imap_step imap_run_store(struct imap_session *s)
{
    struct store_work *w = s->work;
    enum err e;
    if (!w) {
        struct view_ranges ranges;
        e = view_resolve(&s->view, &s->cmd->store.set, by_uid(s), &s->mem, &ranges);
        if (e != OK)
            return refuse_set(s, e);
        e = store_start(s);
        if (e != OK)
            return imap_refuse(s, e);
        w = s->work;
        w->ranges = ranges;
    }
    e = store_slice(s, w);
    if (e != OK)
        return imap_refuse(s, e);
    return w->next ? imap_slice_end(s) : store_end(s, w);
}

/* ---- COPY and MOVE (RFC 3501 6.4.7, RFC 4315, RFC 6851): one transaction ---- */

struct copied {
    struct imap_set_writer from, to;
    struct uid_range given; /* in the target */
};

static void on_copied(void *owner, struct uid from, struct uid to)
{
    struct copied *c = owner;
    imap_set_writer_add(&c->from, from.v);
    imap_set_writer_add(&c->to, to.v);
    c->given = (struct uid_range){c->given.first ? c->given.first : to.v, to.v};
}

/* A credential that may not delete makes no copies that wait to be expunged. */
static fallible copy_undeleted(
    struct imap_session *s, const struct view_ranges *ranges, struct mailbox_id to, struct copied *copied)
{
    static const struct flags_change undelete = {
        .how = FLAGS_REMOVE, .flags = {.system = FLAG_DELETED}, .unchanged_since = MODSEQ_ANY};
    TRY(account_begin(s->account));
    enum err e = message_copy(s->account, s->view.box, ranges->at, ranges->n, to, false, on_copied, copied);
    if (e == OK && copied->given.last)
        e = message_store_flags(s->account, to, &copied->given, 1, &undelete, NULL, NULL);
    if (e == OK)
        return account_commit(s->account);
    account_rollback(s->account);
    return e;
}

static fallible copy(
    struct imap_session *s, const struct view_ranges *ranges, struct mailbox_id to, bool move,
    struct copied *copied)
{
    if (!ranges->n)
        return OK;
    if (!(s->sight.scope->rights & SCOPE_DELETE))
        return copy_undeleted(s, ranges, to, copied);
    return message_copy(s->account, s->view.box, ranges->at, ranges->n, to, move, on_copied, copied);
}

static enum imap_step
copy_answer(struct imap_session *s, bool move, uint32_t uidvalidity, struct slice from, struct slice to)
{
    if (!from.n)
        return imap_ok(s, "no message was there");
    struct slice code =
        arena_printf(&s->mem, "COPYUID %u %.*s %.*s", uidvalidity, SLICE_ARG(from), SLICE_ARG(to));
    if (!code.n)
        return imap_ok(s, move ? "moved" : "copied"); /* UIDPLUS may stay silent */
    if (!move)
        return imap_answer_text(s, IMAP_OK, code, "copied");
    /* RFC 6851 4.3: before the expunges, so untagged */
    buf_put(imap_out(s), S("* OK ["));
    buf_put(imap_out(s), code);
    buf_put(imap_out(s), S("] the new UIDs\r\n"));
    return ok_with_modseq(s, "moved");
}

enum imap_step imap_run_copy(struct imap_session *s)
{
    const struct imap_mailbox *m = &s->cmd->copy.mailbox;
    bool move = s->cmd->verb->flags & IMAP_VERB_BREAKS_SEQ;
    struct buf CLEANUP_BUF from = BUF_INIT(LIMIT_SESSION_HELD / 4);
    struct buf CLEANUP_BUF to = BUF_INIT(LIMIT_SESSION_HELD / 4);
    struct view_ranges ranges;
    struct copied copied = {0};
    const struct mailbox *box;
    enum err e = view_resolve(&s->view, &s->cmd->copy.set, by_uid(s), &s->mem, &ranges);
    if (e != OK)
        return refuse_set(s, e);
    e = imap_find(s, m, &box);
    if (e == ERR_NOT_FOUND || e == ERR_SYNTAX)
        return imap_refuse_target(s, m);
    if (e != OK)
        return imap_refuse(s, e);
    uint32_t uidvalidity = box->uidvalidity;
    imap_set_writer_init(&copied.from, &from);
    imap_set_writer_init(&copied.to, &to);
    /* A copy may not live on the reserve, which is for those who make room (T-296); a MOVE needs none. */
    if (ranges.n && !move)
        e = accounts_has_room(s->env->accounts, 0);
    if (e == OK)
        e = copy(s, &ranges, box->id, move, &copied);
    if (e != OK)
        return imap_refuse(s, e);
    imap_set_writer_done(&copied.from);
    imap_set_writer_done(&copied.to);
    if (from.failed || to.failed)
        return imap_ok(s, move ? "moved" : "copied");
    return copy_answer(s, move, uidvalidity, buf_slice(&from), buf_slice(&to));
}

/* ---- EXPUNGE, UID EXPUNGE (RFC 3501 6.4.3, RFC 4315 2.1) ---- */

enum imap_step imap_run_expunge(struct imap_session *s)
{
    struct view_ranges ranges;
    enum err e = by_uid(s) ? view_resolve(&s->view, &s->cmd->set.set, true, &s->mem, &ranges)
                           : view_all(&s->view, &s->mem, &ranges);
    if (e == OK && ranges.n)
        e = message_expunge(s->account, s->view.box, ranges.at, ranges.n, true, NULL, NULL);
    return e == OK ? ok_with_modseq(s, "expunged") : refuse_set(s, e);
}

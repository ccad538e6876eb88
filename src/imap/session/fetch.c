/* fetch.c - FETCH (RFC 3501 6.4.5, RFC 7162 3.1.4).
 *
 * Without body sections rows are rendered as they are read, with no copy. With sections a batch of rows is copied first: it
 * is marked \Seen in one transaction, and then message after message is sent, in slices, as fast as the client reads. */
#include "imap/session/private.h"

#include "base/clock.h"
#include "base/limits.h"
#include "imap/wire/describe.h"
#include "ipc/poison.h"
#include "store/body.h"

enum {
    BATCH_ROWS = 32,
    BATCH_OCTETS = 262144,
    HAS_STRUCTURE = IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY | IMAP_FETCH_BODYSTRUCTURE
};

struct batch_row {
    struct message m;
    bool newly_seen;
};

struct fetch_work {
    struct view_ranges ranges;
    size_t range;  /* the one that is being read */
    uint32_t next; /* the uid to go on with */
    unsigned attributes;
    enum message_what what;
    bool is_missing; /* a message of the set was expunged by somebody else */
    bool is_damaged; /* a row or body could not be read */
    struct batch_row rows[BATCH_ROWS];
    size_t rows_n, row;
    size_t section; /* of the row that is being sent */
    bool row_started, section_started;
    struct section_work part;
};

/* ---- attributes ---- */

/* What a damaged structure row becomes: the client gets along, and the answer says that something is wrong. */
static void put_stub(struct buf *out, unsigned item, uint64_t size)
{
    if (item == IMAP_FETCH_ENVELOPE) {
        buf_put(out, S("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"));
        return;
    }
    buf_put(out, S("(\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" "));
    buf_put_u64(out, size);
    buf_put_char(out, ')');
}

static fallible put_item(struct buf *out, unsigned item, struct slice row)
{
    struct structure structure;
    TRY(structure_open(row, &structure));
    if (item == IMAP_FETCH_ENVELOPE)
        return imap_put_envelope(out, structure.envelope);
    return imap_put_bodystructure(out, &structure, item == IMAP_FETCH_BODYSTRUCTURE);
}

static void
put_structure(struct imap_session *s, struct fetch_work *w, unsigned item, const struct message *m)
{
    static const struct {
        unsigned item;
        const char *name;
    } names[] = {
        {IMAP_FETCH_ENVELOPE, " ENVELOPE "},
        {IMAP_FETCH_BODY, " BODY "},
        {IMAP_FETCH_BODYSTRUCTURE, " BODYSTRUCTURE "}};
    struct buf *out = imap_out(s);
    for (size_t i = 0; i < 3; i++)
        if (names[i].item == item)
            buf_put_str(out, names[i].name);
    size_t before = out->n;
    bool failed = out->failed;
    if (put_item(out, item, m->structure) == OK)
        return;
    out->n = before;
    out->failed = failed;
    w->is_damaged = true;
    put_stub(out, item, m->size);
}

static void
put_structures(struct imap_session *s, struct fetch_work *w, unsigned attributes, const struct message *m)
{
    poison_enter(s->env->poison, &s->base.grant.account, m->email_id, "fetch structure");
    for (unsigned item = IMAP_FETCH_ENVELOPE; item <= IMAP_FETCH_BODYSTRUCTURE; item <<= 1)
        if (attributes & item)
            put_structure(s, w, item, m);
    poison_leave(s->env->poison);
}

static void put_row(
    struct imap_session *s, struct fetch_work *w, const struct keyword_names *names, uint32_t sequence,
    const struct message *m, unsigned attributes)
{
    struct buf *out = imap_out(s);
    buf_put(out, S("* "));
    buf_put_u64(out, sequence);
    buf_put(out, S(" FETCH "));
    size_t start = out->n;
    /* Every item comes with a space in front; the first one's becomes the parenthesis. */
    if (attributes & IMAP_FETCH_UID) {
        buf_put(out, S(" UID "));
        buf_put_u64(out, m->uid.v);
    }
    if (attributes & IMAP_FETCH_FLAGS) {
        buf_put_char(out, ' ');
        imap_put_message_flags(out, &s->view, names, m->uid.v, m->flags);
    }
    if (attributes & IMAP_FETCH_MODSEQ) {
        buf_put(out, S(" MODSEQ ("));
        buf_put_u64(out, m->modseq);
        buf_put_char(out, ')');
    }
    if (attributes & IMAP_FETCH_INTERNALDATE) {
        buf_put(out, S(" INTERNALDATE "));
        imap_put_date_time(out, m->internal_date);
    }
    if (attributes & IMAP_FETCH_SIZE) {
        buf_put(out, S(" RFC822.SIZE "));
        buf_put_u64(out, m->size);
    }
    if (attributes & HAS_STRUCTURE)
        put_structures(s, w, attributes, m);
    if (out->n == start)
        buf_put_char(out, '(');
    else
        out->p[start] = '(';
}

/* ---- rows ---- */

/* Reads rows of the ranges from w->next on, until `row` says stop (false) or the set ends (w->range == n). */
static fallible read_rows(
    struct imap_session *s, struct fetch_work *w,
    bool (*row)(
        struct imap_session *s, struct fetch_work *w, uint32_t sequence, const struct message *m, void *arg),
    void *arg)
{
    const struct view *v = &s->view;
    bool on = true;
    for (; on && w->range < w->ranges.n; w->range += on) {
        struct uid_range range = w->ranges.at[w->range];
        struct message_iter it;
        struct message m;
        enum err e;
        if (range.first < w->next)
            range.first = w->next;
        if (range.first > range.last)
            continue;
        size_t at = view_at_least(v, range.first);
        TRY(message_iter_start(&it, s->account, v->box, range, w->what));
        while (on && (e = message_iter_next(&it, &m)) == OK) {
            for (; at < v->n && v->uids[at] < m.uid.v; at++)
                w->is_missing = true;
            if (at == v->n || v->uids[at] != m.uid.v)
                continue;
            at++;
            w->next = m.uid.v + 1;
            if (!s->cmd->fetch.what.has_changed_since || m.modseq > s->cmd->fetch.what.changed_since)
                on = row(s, w, (uint32_t)at, &m, arg);
        }
        message_iter_stop(&it);
        if (on && e != ERR_NOT_FOUND)
            return e;
        if (on)
            w->is_missing |= at < v->n && v->uids[at] <= range.last;
    }
    return OK;
}

/* ---- without sections ---- */

struct plain_slice {
    struct keyword_names names;
    size_t rows;
    uint64_t began;
};

static bool
plain_row(struct imap_session *s, struct fetch_work *w, uint32_t sequence, const struct message *m, void *arg)
{
    struct plain_slice *slice = arg;
    struct message seen;
    if (w->what == MESSAGE_STRUCTURE) {
        seen = *m;
        sight_look(&s->sight, s->account, &seen);
        m = &seen;
    }
    put_row(s, w, &slice->names, sequence, m, w->attributes);
    buf_put(imap_out(s), S(")\r\n"));
    slice->rows++;
    if (imap_out(s)->n > LIMIT_SESSION_OUTPUT)
        return false;
    return slice->rows % 64 != 0 || clock_mono_ms() - slice->began < SLICE_MS;
}

static fallible plain_step(struct imap_session *s, struct fetch_work *w)
{
    struct plain_slice slice = {.began = clock_mono_ms()};
    imap_keywords(s, &slice.names);
    return read_rows(s, w, plain_row, &slice);
}

/* ---- with sections ---- */

static bool
batch_row(struct imap_session *s, struct fetch_work *w, uint32_t sequence, const struct message *m, void *arg)
{
    struct batch_row *row = &w->rows[w->rows_n++];
    *row = (struct batch_row){.m = *m};
    row->m.structure = arena_copy(&s->batch, m->structure);
    return w->rows_n < BATCH_ROWS && s->batch.used < BATCH_OCTETS;
}

static void on_seen(void *owner, const struct flags_result *r)
{
    struct fetch_work *w = owner;
    for (size_t i = 0; i < w->rows_n; i++) {
        struct batch_row *row = &w->rows[i];
        if (row->m.uid.v != r->uid.v || r->outcome != FLAGS_CHANGED)
            continue;
        row->newly_seen = true;
        row->m.flags = r->flags;
        row->m.modseq = r->modseq;
    }
}

/* RFC 3501 6.4.5: fetching a section without PEEK sets \Seen, and the flags are told with it. */
static fallible mark_seen(struct imap_session *s, struct fetch_work *w)
{
    const struct flags_change change = {
        .how = FLAGS_ADD, .flags = {.system = FLAG_SEEN}, .unchanged_since = MODSEQ_ANY};
    struct uid_range unseen[BATCH_ROWS];
    size_t n = 0;
    for (size_t i = 0; i < w->rows_n; i++)
        if (!(w->rows[i].m.flags.system & FLAG_SEEN))
            unseen[n++] = (struct uid_range){w->rows[i].m.uid.v, w->rows[i].m.uid.v};
    if (!n || s->view.readonly || !s->cmd->fetch.what.sets_seen)
        return OK;
    bool told = imap_put_news(s, 0) == OK;
    TRY(message_store_flags(s->account, s->view.box, unseen, n, &change, on_seen, w));
    return told ? imap_skip_own_news(s) : OK;
}

static fallible next_batch(struct imap_session *s, struct fetch_work *w)
{
    arena_clear(&s->batch);
    w->rows_n = w->row = 0;
    TRY(read_rows(s, w, batch_row, NULL));
    TRY(arena_check(&s->batch));
    return mark_seen(s, w);
}

static fallible start_row(struct imap_session *s, struct fetch_work *w, struct batch_row *row)
{
    struct keyword_names names;
    unsigned attributes = w->attributes;
    if (row->newly_seen)
        attributes |= IMAP_FETCH_FLAGS | (s->condstore ? IMAP_FETCH_MODSEQ : 0);
    body_close(&s->reading);
    TRY(body_open(s->account, row->m.body, &s->reading));
    sight_look(&s->sight, s->account, &row->m);
    imap_keywords(s, &names);
    put_row(s, w, &names, view_sequence(&s->view, row->m.uid.v), &row->m, attributes);
    w->row_started = s->in_response = true;
    w->section = 0;
    return OK;
}

/* Between items; not behind the opening parenthesis. */
static void put_space(struct buf *out)
{
    if (!out->n || out->p[out->n - 1] != '(')
        buf_put_char(out, ' ');
}

/* One section, or as much of it as `*budget` allows. */
static fallible
send_section(struct imap_session *s, struct fetch_work *w, struct batch_row *row, size_t *budget)
{
    const struct imap_section *section = &s->cmd->fetch.what.sections[w->section];
    size_t before = imap_out(s)->n;
    if (!w->section_started) {
        put_space(imap_out(s));
        poison_enter(s->env->poison, &s->base.grant.account, row->m.email_id, "fetch");
        enum err e = imap_section_start(s, section, row->m.structure, &w->part);
        poison_leave(s->env->poison);
        if (e != OK) {
            w->is_damaged = true;
            w->part = (struct section_work){0};
            imap_out(s)->n = before;
            put_space(imap_out(s));
            imap_put_section(imap_out(s), section);
            buf_put(imap_out(s), S(" NIL"));
        }
        w->section_started = true;
    }
    TRY(imap_section_write(s, &w->part, *budget));
    size_t wrote = imap_out(s)->n - before;
    *budget -= wrote < *budget ? wrote : *budget;
    if (w->part.at == w->part.end) {
        w->section_started = false;
        w->section++;
    }
    return OK;
}

static fallible send_row(struct imap_session *s, struct fetch_work *w, size_t *budget)
{
    struct batch_row *row = &w->rows[w->row];
    if (!w->row_started && start_row(s, w, row) != OK) {
        w->is_damaged = true; /* nothing of it was written */
        w->row++;
        return OK;
    }
    while (w->section < s->cmd->fetch.what.sections_n && *budget)
        TRY(send_section(s, w, row, budget));
    if (w->section < s->cmd->fetch.what.sections_n)
        return OK;
    buf_put(imap_out(s), S(")\r\n"));
    body_close(&s->reading);
    w->row_started = s->in_response = false;
    w->row++;
    return OK;
}

/* Sends until the budget of a slice is used up or all is said. */
static fallible section_step(struct imap_session *s, struct fetch_work *w)
{
    size_t budget = SLICE_OCTETS;
    while (budget && imap_out(s)->n <= LIMIT_SESSION_OUTPUT) {
        if (w->row == w->rows_n) {
            if (w->range == w->ranges.n)
                return OK;
            TRY(next_batch(s, w));
            if (!w->rows_n)
                continue;
        }
        TRY(send_row(s, w, &budget));
    }
    return OK;
}

/* ---- the command ---- */

static enum imap_step fetch_start(struct imap_session *s)
{
    const struct imap_fetch *what = &s->cmd->fetch.what;
    struct fetch_work *w = ARENA_NEW(&s->mem, struct fetch_work);
    if (!w)
        return imap_refuse(s, ERR_LIMIT);
    enum err e = view_resolve(
        &s->view, &s->cmd->fetch.set, s->cmd->verb->flags & IMAP_VERB_BY_UID, &s->mem, &w->ranges);
    if (e == ERR_SYNTAX)
        return imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, "there is no message of that number");
    if (e != OK)
        return imap_refuse(s, e);
    w->attributes = what->attributes | (s->cmd->verb->flags & IMAP_VERB_BY_UID ? IMAP_FETCH_UID : 0);
    unsigned of_structure = HAS_STRUCTURE | (s->sight.redacts ? (unsigned)IMAP_FETCH_SIZE : 0);
    w->what = (what->attributes & of_structure) || what->sections_n ? MESSAGE_STRUCTURE : MESSAGE_ROW;
    s->is_spending = (what->attributes & HAS_STRUCTURE) || what->sections_n;
    if (what->attributes & IMAP_FETCH_MODSEQ)
        imap_enable_condstore(s);
    s->work = w;
    return STEP_AGAIN;
}

static enum imap_step fetch_end(struct imap_session *s, const struct fetch_work *w)
{
    if (w->is_damaged)
        return imap_answer(
            s, IMAP_NO, IMAP_CODE_CORRUPTION, "some of this cannot be read, the administrator must look");
    if (w->is_missing && !(s->cmd->verb->flags & IMAP_VERB_BY_UID))
        return imap_answer(s, IMAP_OK, IMAP_CODE_EXPUNGEISSUED, "some of these messages are gone");
    return imap_ok(s, "fetched");
}

enum imap_step imap_run_fetch(struct imap_session *s)
{
    struct fetch_work *w = s->work;
    if (!w) {
        enum imap_step step = fetch_start(s);
        if (step == STEP_DONE)
            return step;
        w = s->work;
    }
    size_t before = imap_out(s)->n;
    enum err e = s->cmd->fetch.what.sections_n ? section_step(s, w) : plain_step(s, w);
    if (s->is_spending)
        session_spend_octets(s->env, &s->base, imap_out(s)->n - before);
    if (e != OK)
        return s->in_response ? STEP_BROKEN : imap_refuse(s, e);
    if (w->range < w->ranges.n || w->row < w->rows_n)
        return imap_slice_end(s);
    return fetch_end(s, w);
}

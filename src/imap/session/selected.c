/* selected.c - opening and closing mailboxes. */
#include "imap/session/private.h"

#include <assert.h>

#include "base/log.h"

static void on_changed(struct change_watch *w)
{
    struct imap_session *s = w->owner;
    s->view.dirty = true;
    if (s->doing == IMAP_IDLING)
        loop_defer(s->env->loop, &s->again);
}

void imap_unselect(struct imap_session *s)
{
    view_done(&s->view);
    s->is_selected = false;
}

/* ---- SELECT and EXAMINE: the view is built in slices ---- */

struct select_work {
    uint32_t next;   /* the uid to go on with */
    uint32_t unseen; /* sequence number of the first message without \Seen, or 0 */
};

static fallible open_box(struct imap_session *s)
{
    const struct mailbox *box;
    enum err e = imap_find(s, &s->cmd->select.mailbox, &box);
    if (e != OK)
        return e == ERR_SYNTAX ? ERR_NOT_FOUND : e;
    s->view.box = box->id;
    s->view.readonly = s->cmd->verb->id == IMAP_VERB_EXAMINE_ID || !(s->sight.scope->rights & SCOPE_FLAG);
    s->view.is_window = sight_has_window(&s->sight);
    s->view.told_messages = s->view.told_expunges = box->modseq;
    s->view.watch.changed = on_changed;
    s->view.watch.owner = s;
    change_watch_start(&s->view.watch, s->account, box->id);
    return OK;
}

/* Adds the uids of one slice; *ret_more says whether there may be others. */
static fallible read_rows(struct imap_session *s, struct select_work *w, bool *ret_more)
{
    struct message_iter it;
    struct message m;
    size_t rows = 0;
    enum err e;
    TRY(message_iter_start(
        &it, s->account, s->view.box, (struct uid_range){w->next, UINT32_MAX}, MESSAGE_ROW));
    while (rows < 20 * SLICE_ROWS && (e = message_iter_next(&it, &m)) == OK) {
        w->next = m.uid.v + 1;
        rows++;
        if (!sight_has_arrival(&s->sight, m.internal_date)) {
            view_hide(&s->view, m.uid.v);
            continue;
        }
        view_add(&s->view, m.uid.v, m.internal_date);
        if (!w->unseen && !(m.flags.system & FLAG_SEEN))
            w->unseen = (uint32_t)s->view.n;
    }
    message_iter_stop(&it);
    *ret_more = rows == 20 * SLICE_ROWS && w->next != 0;
    return rows == 20 * SLICE_ROWS || e == ERR_NOT_FOUND ? OK : e;
}

static fallible put_selected(struct imap_session *s, const struct select_work *w)
{
    const struct mailbox *box;
    struct uid first;
    enum err e = mailbox_recent(s->account, s->view.box, !s->view.readonly, &first);
    if (e == ERR_DISK_FULL) /* nobody is told that he was the first; reading goes on (T-296) */
        e = mailbox_recent(s->account, s->view.box, false, &first);
    TRY(e);
    TRY(mailbox_by_id(s->account, s->view.box, &box));
    view_add_recent(&s->view, first.v, view_last_uid(&s->view));
    imap_put_flags_lines(s);
    output_printf(&s->out, "* %zu EXISTS\r\n", s->view.n);
    output_printf(&s->out, "* %zu RECENT\r\n", view_count_recent(&s->view));
    if (w->unseen)
        output_printf(&s->out, "* OK [UNSEEN %u] the first unseen message\r\n", w->unseen);
    output_printf(&s->out, "* OK [UIDVALIDITY %u] these UIDs stay\r\n", box->uidvalidity);
    output_printf(&s->out, "* OK [UIDNEXT %u] the next UID\r\n", box->uidnext);
    output_printf(
        &s->out, "* OK [HIGHESTMODSEQ %llu] of all changes so far\r\n",
        (unsigned long long)s->view.told_messages);
    return OK;
}

/* A SELECT that fails leaves nothing selected (RFC 3501 6.3.1). */
static enum imap_step select_failed(struct imap_session *s, enum err e)
{
    imap_unselect(s);
    return imap_refuse(s, e);
}

enum imap_step imap_run_select(struct imap_session *s)
{
    struct select_work *w = s->work;
    bool more;
    if (!w) {
        if (s->is_selected && s->condstore) /* RFC 7162 3.2.11 */
            imap_put_untagged(imap_out(s), IMAP_OK, IMAP_CODE_CLOSED, "the mailbox before is closed");
        imap_unselect(s);
        s->condstore |= s->cmd->select.condstore;
        enum err e = open_box(s);
        if (e != OK)
            return select_failed(s, e);
        w = s->work = ARENA_NEW(&s->mem, struct select_work);
        assert(w);
        w->next = 1;
    }
    enum err e = read_rows(s, w, &more);
    if (e == OK && more)
        return STEP_AGAIN;
    if (e == OK)
        e = put_selected(s, w);
    if (e != OK)
        return select_failed(s, e);
    s->is_selected = true;
    return imap_answer(
        s, IMAP_OK, s->view.readonly ? IMAP_CODE_READ_ONLY : IMAP_CODE_READ_WRITE,
        s->view.readonly ? "open for reading" : "open");
}

enum imap_step imap_run_unselect(struct imap_session *s)
{
    imap_unselect(s);
    return imap_ok(s, "closed, nothing was removed");
}

/* RFC 3501 6.4.2: what is \Deleted goes, and nobody is told. */
enum imap_step imap_run_close(struct imap_session *s)
{
    const struct mailbox *box;
    struct view_ranges known = {0};
    bool removes = !s->view.readonly && (s->sight.scope->rights & SCOPE_DELETE);
    enum err e = mailbox_by_id(s->account, s->view.box, &box);
    if (e == OK && removes && box->deleted)
        e = view_all(&s->view, &s->mem, &known);
    if (e == OK && known.n)
        e = message_expunge(s->account, s->view.box, known.at, known.n, true, NULL, NULL);
    imap_unselect(s);
    if (e == OK || e == ERR_NOT_FOUND || e == ERR_GONE)
        return imap_ok(s, "closed");
    return imap_refuse(s, e);
}

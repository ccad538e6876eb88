/* verbs.c - commands that change no message: of the session itself, and of mailboxes. */
#include "imap/session/private.h"

#include "base/limits.h"
#include "base/log.h"
#include "keeper/program.h"

/* ---- the session ---- */

enum imap_step imap_run_capability(struct imap_session *s)
{
    buf_put(imap_out(s), S("* "));
    imap_put_capabilities(imap_out(s), 0, NULL, 0);
    buf_put(imap_out(s), S("\r\n"));
    return imap_ok(s, "these are all");
}

enum imap_step imap_run_noop(struct imap_session *s)
{
    return imap_ok(s, "done");
}

/* RFC 3501 6.4.1: everything is on disk before it is answered anyway. */
enum imap_step imap_run_check(struct imap_session *s)
{
    return imap_ok(s, "everything is on disk");
}

enum imap_step imap_run_logout(struct imap_session *s)
{
    s->ends = true;
    imap_put_untagged(imap_out(s), IMAP_BYE, IMAP_CODE_NONE, "goodbye");
    return imap_ok(s, "signed out");
}

/* RFC 2971: what the program says of itself goes to the log, escaped there, and to the last use of its credential. */
enum imap_step imap_run_id(struct imap_session *s)
{
    static const struct slice wanted[] = {{"name", 4}, {"version", 7}};
    struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_PROGRAM_NAME + 1);
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
        for (size_t i = 0; i < s->cmd->id.n; i++) {
            if (slice_eq_nocase(s->cmd->id.pairs[i].field, wanted[w])) {
                buf_put_str(&text, text.n ? " " : "");
                buf_put(&text, slice_sub(s->cmd->id.pairs[i].value, 0, LIMIT_PROGRAM_NAME));
            }
        }
    }
    log_event(LOG_INFO, "imap.id", LOG_ID(s->base.id), LOG_TEXT("program", buf_slice(&text)));
    if (!s->is_introduced)
        session_tell_program(s->env, &s->base, buf_slice(&text));
    s->is_introduced = true;
    buf_put(imap_out(s), S("* ID (\"name\" \"Letterlock\")\r\n"));
    return imap_ok(s, "pleased to meet you");
}

void imap_enable_condstore(struct imap_session *s)
{
    if (s->condstore)
        return;
    s->condstore = true;
    if (s->is_selected)
        output_printf(
            &s->out, "* OK [HIGHESTMODSEQ %llu] MODSEQ is told from now on\r\n",
            (unsigned long long)s->view.told_messages);
}

/* RFC 5161 3.1: ENABLED names what was enabled now. */
enum imap_step imap_run_enable(struct imap_session *s)
{
    bool fresh = (s->cmd->enable.known & IMAP_ENABLE_CONDSTORE) && !s->condstore;
    buf_put(imap_out(s), fresh ? S("* ENABLED CONDSTORE\r\n") : S("* ENABLED\r\n"));
    if (fresh)
        imap_enable_condstore(s);
    return imap_ok(s, "enabled");
}

enum imap_step imap_run_namespace(struct imap_session *s)
{
    buf_put(imap_out(s), S("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"));
    return imap_ok(s, "one namespace, all yours");
}

/* ---- mailboxes ---- */

enum imap_step imap_run_create(struct imap_session *s)
{
    struct mailbox_id id;
    struct imap_mailbox *m = &s->cmd->mailbox;
    if (!imap_names_in_sight(s, m))
        return imap_answer(s, IMAP_NO, IMAP_CODE_NOPERM, "this password may not make a mailbox of this name");
    enum err e = m->valid ? mailbox_create(s->account, m->name, USE_NONE, &id) : ERR_SYNTAX;
    return e == OK ? imap_ok(s, "created") : imap_refuse(s, e);
}

/* The selected mailbox may be the one that goes: then nothing is selected any more. */
static void unselect_if(struct imap_session *s, struct mailbox_id gone)
{
    if (!s->is_selected || s->view.box.v != gone.v)
        return;
    imap_unselect(s);
    imap_put_untagged(imap_out(s), IMAP_OK, IMAP_CODE_CLOSED, "the selected mailbox is gone");
}

enum imap_step imap_run_delete(struct imap_session *s)
{
    struct imap_mailbox *m = &s->cmd->mailbox;
    const struct mailbox *box;
    enum err e = imap_find(s, m, &box);
    if (e == ERR_SYNTAX)
        e = ERR_NOT_FOUND; /* what cannot be a name does not exist */
    if (e != OK)
        return imap_refuse(s, e);
    struct mailbox_id id = box->id;
    e = mailbox_delete(s->account, m->name);
    if (e != OK)
        return imap_refuse(s, e);
    unselect_if(s, id);
    return imap_ok(s, "deleted");
}

enum imap_step imap_run_rename(struct imap_session *s)
{
    struct imap_mailbox *from = &s->cmd->rename.from, *to = &s->cmd->rename.to;
    if (!from->valid || !imap_names_in_sight(s, from))
        return imap_refuse(s, ERR_NOT_FOUND);
    /* What is below goes along, and may be neither taken out of sight nor brought into it; INBOX goes alone. */
    bool is_alone = slice_eq_nocase(from->name, S("INBOX"));
    if (!imap_names_in_sight(s, to) ||
        (!is_alone && !(imap_names_all_below(s, from) && imap_names_all_below(s, to))))
        return imap_answer(s, IMAP_NO, IMAP_CODE_NOPERM, "this password may not rename a mailbox so");
    enum err e = to->valid ? mailbox_rename(s->account, from->name, to->name) : ERR_SYNTAX;
    return e == OK ? imap_ok(s, "renamed") : imap_refuse(s, e);
}

enum imap_step imap_run_subscribe(struct imap_session *s)
{
    struct imap_mailbox *m = &s->cmd->mailbox;
    bool on = s->cmd->verb->id == IMAP_VERB_SUBSCRIBE_ID;
    if (!imap_names_in_sight(s, m))
        return imap_refuse(s, ERR_NOT_FOUND);
    enum err e = m->valid ? mailbox_subscribe(s->account, m->name, on) : ERR_SYNTAX;
    return e == OK ? imap_ok(s, on ? "subscribed" : "unsubscribed") : imap_refuse(s, e);
}

/* How many messages no session was told of. */
static fallible count_recent(struct imap_session *s, const struct mailbox *box, uint64_t *ret_n)
{
    struct uid first;
    struct message_iter it;
    struct message m;
    uint64_t n = 0;
    enum err e;
    struct mailbox_id id = box->id;
    uint32_t next = box->uidnext;
    TRY(mailbox_recent(s->account, id, false, &first));
    *ret_n = 0;
    if (first.v >= next)
        return OK;
    if (first.v <= 1) {
        *ret_n = box->messages;
        return OK;
    }
    TRY(message_iter_start(&it, s->account, id, (struct uid_range){first.v, next}, MESSAGE_ROW));
    while ((e = message_iter_next(&it, &m)) == OK)
        n++;
    message_iter_stop(&it);
    *ret_n = n;
    return e == ERR_NOT_FOUND ? OK : e;
}

fallible imap_put_status(struct imap_session *s, const struct mailbox *box, unsigned items)
{
    struct box_count in_sight = {.messages = box->messages, .unseen = box->unseen};
    if (sight_has_window(&s->sight))
        in_sight = s->count;
    else if (items & IMAP_STATUS_RECENT)
        TRY(count_recent(s, box, &in_sight.recent));
    const struct {
        unsigned item;
        const char *name;
        uint64_t value;
    } rows[] = {
        {IMAP_STATUS_MESSAGES, "MESSAGES", in_sight.messages},
        {IMAP_STATUS_RECENT, "RECENT", in_sight.recent},
        {IMAP_STATUS_UIDNEXT, "UIDNEXT", box->uidnext},
        {IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY", box->uidvalidity},
        {IMAP_STATUS_UNSEEN, "UNSEEN", in_sight.unseen},
        {IMAP_STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ", box->modseq},
    };
    struct buf *out = imap_out(s);
    buf_put(out, S("* STATUS "));
    imap_put_mailbox(out, box->name, false);
    char before = '(';
    buf_put_char(out, ' ');
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!(items & rows[i].item))
            continue;
        buf_put_char(out, before);
        buf_put_str(out, rows[i].name);
        buf_put_char(out, ' ');
        buf_put_u64(out, rows[i].value);
        before = ' ';
    }
    buf_put(out, S(")\r\n"));
    return OK;
}

enum imap_step imap_run_status(struct imap_session *s)
{
    const struct mailbox *box;
    enum err e = imap_find(s, &s->cmd->status.mailbox, &box);
    if (s->cmd->status.items & IMAP_STATUS_HIGHESTMODSEQ)
        imap_enable_condstore(s);
    if (e == OK)
        e = imap_count_in_sight(s, box);
    if (e == ERR_AGAIN)
        return STEP_AGAIN;
    if (e == OK)
        e = imap_put_status(s, box, s->cmd->status.items);
    return e == OK ? imap_ok(s, "these are its numbers")
                   : imap_refuse(s, e == ERR_SYNTAX ? ERR_NOT_FOUND : e);
}

/* append.c - APPEND: a message streams from the client into the store (RFC 3501 6.3.11, RFC 4315 3). */
#include "imap/session/private.h"

#include "base/clock.h"
#include "base/limits.h"
#include "ipc/poison.h"
#include "keeper/poisoned.h"
#include "mail/message.h"
#include "store/body.h"
#include "store/quota.h"

/* OPENING --accepted or to be thrown away--> OCTETS --all have come--> TAIL --line end--> CLOSING --on disk--> COMMITTING */
enum append_phase { APPEND_OPENING, APPEND_OCTETS, APPEND_TAIL, APPEND_CLOSING, APPEND_COMMITTING };

struct append_work {
    enum append_phase phase;
    uint64_t left;
    uint64_t mark; /* on the poison page */
    bool discard;  /* refused, and the answer stands; but its octets are on their way */
    bool has_nul;
    enum err failed; /* while its octets come */
    struct message_lines lines;
    struct mailbox_id box;
    struct flags flags;
};

static uint64_t message_limit(const struct imap_session *s)
{
    return s->env->message_limit ? s->env->message_limit : LIMIT_MESSAGE;
}

bool imap_append_wants_octets(const struct imap_session *s)
{
    const struct append_work *w = s->work;
    return s->cmd && s->cmd->verb && s->cmd->verb->id == IMAP_VERB_APPEND_ID && w &&
           w->phase == APPEND_OCTETS;
}

static void all_came(struct imap_session *s, struct append_work *w)
{
    w->phase = APPEND_TAIL;
    imap_reader_message_done(&s->reader);
}

size_t imap_append_feed(struct imap_session *s, struct slice input)
{
    struct append_work *w = s->work;
    struct slice piece = slice_sub(input, 0, w->left < input.n ? (size_t)w->left : input.n);
    w->left -= piece.n;
    if (!w->discard && w->failed == OK) {
        w->has_nul |= slice_has(piece, '\0');
        buf_clear(&s->scratch);
        poison_enter(s->env->poison, &s->base.grant.account, w->mark, "append");
        message_lines_feed(&w->lines, piece, &s->scratch);
        w->failed = body_feed(s->writing, buf_slice(&s->scratch));
        poison_leave(s->env->poison);
    }
    if (w->left == 0)
        all_came(s, w);
    return piece.n;
}

/* ---- before the message ---- */

static fallible append_prepare(struct imap_session *s, struct append_work *w)
{
    const struct imap_command *c = s->cmd;
    const struct mailbox *box;
    uint64_t size = s->reader.message.size;
    TRY(imap_find(s, &c->append.mailbox, &box));
    w->box = box->id;
    TRY(quota_check(s->account, size, 1));
    TRY(accounts_has_room(s->env->accounts, size));
    TRY(imap_flags_to_store(s, w->box, &c->append.flags, true, &w->flags));
    TRY(body_writer_new(s->account, size, &s->writing));
    w->mark = poisoned_mark_append(size);
    if (poisoned_has(s->env->poisoned, &s->base.grant.account, w->mark))
        body_writer_be_opaque(s->writing);
    return OK;
}

static enum imap_step refuse_append(struct imap_session *s, enum err e)
{
    if (e == ERR_NOT_FOUND || e == ERR_SYNTAX || e == ERR_GONE)
        return imap_refuse_target(s, &s->cmd->append.mailbox);
    return imap_refuse(s, e);
}

/* Refused; a message that comes unasked is read and thrown away, when it is not too large for that. */
static enum imap_step append_discard(struct imap_session *s, struct append_work *w)
{
    const struct imap_message *m = &s->reader.message;
    if (m->sync || m->size > message_limit(s))
        return STEP_DONE;
    w->discard = true;
    w->left = m->size;
    w->phase = APPEND_OCTETS;
    if (!w->left)
        all_came(s, w);
    return STEP_WAIT;
}

enum imap_step imap_append_discard(struct imap_session *s)
{
    struct append_work *w = ARENA_NEW(&s->mem, struct append_work);
    s->work = w;
    return w ? append_discard(s, w) : STEP_DONE;
}

static enum imap_step append_open(struct imap_session *s)
{
    const struct imap_message *m = &s->reader.message;
    struct append_work *w = ARENA_NEW(&s->mem, struct append_work);
    if (!w)
        return imap_refuse(s, ERR_LIMIT);
    s->work = w;
    if (m->binary)
        return imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, "binary literals are not offered");
    if (m->size > message_limit(s)) {
        imap_answer(s, IMAP_NO, IMAP_CODE_TOOBIG, "the message is too large");
        return append_discard(s, w);
    }
    if (!m->size) {
        imap_answer(s, IMAP_NO, IMAP_CODE_CANNOT, "the message is empty");
        return append_discard(s, w);
    }
    enum err e = append_prepare(s, w);
    if (e != OK) {
        refuse_append(s, e);
        return append_discard(s, w);
    }
    if (m->sync) {
        imap_put_continue(imap_out(s), S("send the message"));
        output_commit_free_of_state(&s->out);
    }
    message_lines_init(&w->lines);
    w->left = m->size;
    w->phase = APPEND_OCTETS;
    s->base.wait = WAIT_INPUT;
    return STEP_WAIT;
}

/* ---- behind it ---- */

static void on_body_ready(struct body_writer *b, enum err e, void *owner)
{
    struct imap_session *s = owner;
    struct append_work *w = s->work;
    w->failed = e;
    imap_advance(s);
}

static enum imap_step append_close(struct imap_session *s, struct append_work *w)
{
    w->phase = APPEND_CLOSING;
    if (w->discard)
        return STEP_DONE;
    if (w->failed == OK && w->has_nul)
        return imap_answer(s, IMAP_NO, IMAP_CODE_CANNOT, "a message without NUL octets was expected");
    poison_enter(s->env->poison, &s->base.grant.account, w->mark, "append");
    if (w->failed == OK) {
        buf_clear(&s->scratch);
        message_lines_finish(&w->lines, &s->scratch);
        w->failed = body_feed(s->writing, buf_slice(&s->scratch));
    }
    if (w->failed == OK)
        w->failed = body_finish(s->writing, on_body_ready, s);
    poison_leave(s->env->poison);
    if (w->failed == ERR_AGAIN) {
        w->phase = APPEND_COMMITTING;
        s->base.wait = WAIT_DISK;
        return STEP_WAIT;
    }
    w->phase = APPEND_COMMITTING;
    return STEP_AGAIN;
}

static fallible
append_commit(struct imap_session *s, struct append_work *w, struct uid *ret_uid, uint32_t *ret_validity)
{
    const struct imap_command *c = s->cmd;
    const struct mailbox *box;
    struct append what = {
        .body = s->writing,
        .flags = w->flags,
        .internal_date = c->append.has_date ? c->append.date : clock_unix_s()};
    TRY(w->failed);
    TRY(mailbox_by_id(s->account, w->box, &box));
    *ret_validity = box->uidvalidity;
    return message_append(s->account, w->box, &what, ret_uid);
}

static enum imap_step append_end(struct imap_session *s, struct append_work *w)
{
    struct uid uid;
    uint32_t uidvalidity;
    enum err e = append_commit(s, w, &uid, &uidvalidity);
    if (e == ERR_LIMIT && body_writer_size(s->writing) > message_limit(s))
        return imap_answer(s, IMAP_NO, IMAP_CODE_TOOBIG, "the message is too large");
    if (e != OK)
        return refuse_append(s, e);
    struct slice code = arena_printf(&s->mem, "APPENDUID %u %u", uidvalidity, uid.v);
    return imap_answer_text(s, IMAP_OK, code, "stored");
}

enum imap_step imap_run_append(struct imap_session *s)
{
    struct append_work *w = s->work;
    if (!w)
        return append_open(s);
    if (w->phase == APPEND_TAIL) {
        enum imap_step step = append_close(s, w);
        if (step != STEP_AGAIN)
            return step;
    }
    return append_end(s, w);
}

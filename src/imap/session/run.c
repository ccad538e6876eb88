/* run.c - one command: whether it may run, its steps, and its answer. */
#include "imap/session/private.h"

#include <assert.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

/* ---- answers ---- */

enum imap_step
imap_answer(struct imap_session *s, enum imap_status status, enum imap_code code, const char *words)
{
    s->answer = status;
    s->code = code;
    s->code_text = SLICE_EMPTY;
    s->words = words;
    return STEP_DONE;
}

enum imap_step imap_ok(struct imap_session *s, const char *words)
{
    return imap_answer(s, IMAP_OK, IMAP_CODE_NONE, words);
}

enum imap_step
imap_answer_text(struct imap_session *s, enum imap_status status, struct slice code, const char *words)
{
    imap_answer(s, status, IMAP_CODE_NONE, words);
    s->code_text = code;
    return STEP_DONE;
}

enum imap_step imap_refuse(struct imap_session *s, enum err e)
{
    static const struct {
        enum err e;
        enum imap_code code;
        const char *words;
    } refusals[] = {
        {ERR_NOT_FOUND, IMAP_CODE_NONEXISTENT, "there is no such mailbox"},
        {ERR_GONE, IMAP_CODE_NONEXISTENT, "the mailbox was deleted"},
        {ERR_EXISTS, IMAP_CODE_ALREADYEXISTS, "there is a mailbox of that name"},
        {ERR_SYNTAX, IMAP_CODE_CANNOT, "this cannot be the name of a mailbox or keyword"},
        {ERR_DENIED, IMAP_CODE_CANNOT, "this cannot be done with this mailbox"},
        {ERR_LIMIT, IMAP_CODE_LIMIT, "a limit of the server is reached"},
        {ERR_QUOTA, IMAP_CODE_OVERQUOTA, "the account has no room left"},
        {ERR_DISK_FULL, IMAP_CODE_OVERQUOTA, "the server has no room left, try again later"},
        {ERR_CORRUPT, IMAP_CODE_CORRUPTION, "this cannot be read, the administrator must look"},
    };
    if (e == ERR_CORRUPT || e == ERR_IO)
        log_event(
            LOG_ERROR, "imap.trouble", LOG_ID(s->base.id), LOG_STR("command", s->cmd->verb->name),
            LOG_ERR(e));
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].e == e)
            return imap_answer(s, IMAP_NO, refusals[i].code, refusals[i].words);
    return imap_answer(
        s, IMAP_NO, IMAP_CODE_UNAVAILABLE, "the mailbox is not available now, try again later");
}

enum imap_step imap_slice_end(struct imap_session *s)
{
    output_commit(&s->out);
    return output_is_high(&s->out) ? STEP_OUTPUT : STEP_AGAIN;
}

static void put_tagged(struct imap_session *s)
{
    struct buf *out = imap_out(s);
    if (!s->code_text.n) {
        imap_put_tagged(out, s->cmd->tag, s->answer, s->code, s->words);
        return;
    }
    buf_put(out, s->cmd->tag);
    buf_put_str(out, s->answer == IMAP_OK ? " OK [" : " NO [");
    buf_put(out, s->code_text);
    buf_put_str(out, "] ");
    buf_put_str(out, s->words);
    buf_put_str(out, "\r\n");
}

/* A refused message that is on its way anyway would be taken for commands (T-153). */
static bool octets_are_nobodys(const struct imap_session *s)
{
    const struct imap_reader *r = &s->reader;
    return r->state == IMAP_READER_MESSAGE && (!r->message.sync || stream_input(s->stream).n > 0);
}

/* The command is over, its answer written. */
static void end_command(struct imap_session *s, bool deleted)
{
    put_tagged(s);
    output_commit(&s->out);
    s->cut |= octets_are_nobodys(s);
    bool ends = s->ends;
    imap_forget_command(s);
    imap_reader_next(&s->reader);
    s->doing = IMAP_READY;
    s->base.wait = WAIT_INPUT;
    timer_start(&s->silence, LIMIT_IMAP_IDLE_TIME);
    if (ends)
        imap_end_when_said(s);
    else if (deleted)
        imap_say_bye(s, IMAP_CODE_NONE, "the selected mailbox was deleted");
    else if (s->cut)
        imap_say_bye(s, IMAP_CODE_NONE, "octets that are no command were sent");
}

static void pause_for(struct imap_session *s, enum imap_step step)
{
    s->paused = step;
    if (step == STEP_AGAIN) {
        s->base.wait = WAIT_WORK;
        loop_defer(s->env->loop, &s->again);
    } else if (step == STEP_OUTPUT) {
        s->base.wait = output_is_held(&s->out) ? WAIT_DISK : WAIT_OUTPUT;
    } else if (step == STEP_BROKEN) {
        log_event(LOG_ERROR, "imap.broken", LOG_ID(s->base.id), LOG_STR("command", s->cmd->verb->name));
        imap_let_go(s, "a response could not be completed");
    }
}

/* The answer stands; before it the client hears what it may hear. `entered`: the store may be asked for news. */
void imap_finish(struct imap_session *s, bool entered)
{
    enum err e = OK;
    if (entered && s->is_selected && !s->ends) {
        unsigned flags = s->cmd->verb ? s->cmd->verb->flags : 0;
        e = imap_put_news(s, flags & IMAP_VERB_NO_EXPUNGE ? 0 : NEWS_EXPUNGES);
    }
    s->telling = e == ERR_AGAIN;
    if (s->telling)
        pause_for(s, imap_slice_end(s));
    else
        end_command(s, e == ERR_GONE);
}

/* ---- running ---- */

static bool needs_store(const struct imap_session *s)
{
    return s->cmd->verb->scope == IMAP_SCOPE_RECEIVE || imap_has_news(s);
}

void imap_run_step(struct imap_session *s)
{
    bool entered = false;
    enum imap_step step;
    s->paused = STEP_DONE;
    if (needs_store(s)) {
        enum err e = imap_enter(s);
        s->base.wait = WAIT_STORE;
        if (e == ERR_AGAIN) {
            pause_for(s, STEP_STORE);
            return;
        }
        entered = e == OK;
        if (e != OK && s->cmd->verb->scope == IMAP_SCOPE_RECEIVE && !s->telling) {
            imap_refuse(s, e);
            imap_finish(s, false);
            return;
        }
    }
    s->base.wait = WAIT_WORK;
    if (entered && s->is_selected && !imap_selected_is_in_sight(s)) {
        imap_say_bye(s, IMAP_CODE_NONE, "the selected mailbox was deleted");
        return;
    }
    step = s->telling ? STEP_DONE : imap_verb_run[s->cmd->verb->id](s);
    if (step == STEP_DONE)
        imap_finish(s, entered);
    else
        pause_for(s, step);
}

static const char *wrong_state(const struct imap_verb *v)
{
    if (v->states & IMAP_STATE_OPEN)
        return "no mailbox is selected";
    return v->states & IMAP_STATE_AUTH ? "not while a mailbox is selected" : "not after signing in";
}

static_assert(
    IMAP_CAN_READ == (int)SCOPE_READ && IMAP_CAN_FLAG == (int)SCOPE_FLAG &&
        IMAP_CAN_APPEND == (int)SCOPE_APPEND && IMAP_CAN_DELETE == (int)SCOPE_DELETE &&
        IMAP_CAN_MANAGE == (int)SCOPE_MANAGE,
    "the table of commands speaks of the same rights");

/* What the credential must allow for this command, as it was written. */
static unsigned rights_needed(const struct imap_command *c)
{
    unsigned needed = c->verb->rights;
    unsigned flags = 0;
    if (c->verb->shape == IMAP_SHAPE_APPEND)
        flags = c->append.flags.system;
    else if (c->verb->shape == IMAP_SHAPE_STORE && c->store.how != IMAP_STORE_REMOVE)
        flags = c->store.flags.system;
    if (flags & IMAP_FLAG_DELETED)
        needed |= SCOPE_DELETE;
    if (c->verb->shape == IMAP_SHAPE_LIST && (c->list.give & IMAP_LIST_STATUS))
        needed |= SCOPE_READ;
    return needed;
}

/* Why the limits of the credential forbid it; NULL: they do not. */
static const char *forbidden(const struct imap_session *s)
{
    static const struct {
        unsigned right;
        const char *words;
    } refusals[] = {
        {SCOPE_READ, "this password may not read mail"},
        {SCOPE_APPEND, "this password may not add mail"},
        {SCOPE_DELETE, "this password may not delete mail"},
        {SCOPE_FLAG, "this password may not change flags"},
        {SCOPE_MANAGE, "this password may not change mailboxes"},
    };
    unsigned missing = rights_needed(s->cmd) & ~s->sight.scope->rights;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (missing & refusals[i].right)
            return refusals[i].words;
    /* Mail that is not seen would go with the mailbox. */
    bool is_whole = s->cmd->verb->id == IMAP_VERB_DELETE_ID || s->cmd->verb->id == IMAP_VERB_RENAME_ID;
    return is_whole && sight_has_window(&s->sight) ? "this password sees only the latest mail" : NULL;
}

/* The one place where a command's columns are enforced; commands contain no permission code. */
static bool may_run(struct imap_session *s)
{
    const struct imap_verb *v = s->cmd->verb;
    unsigned state = s->is_selected ? IMAP_STATE_OPEN : IMAP_STATE_AUTH;
    if (!(v->states & state)) {
        imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, wrong_state(v));
        return false;
    }
    if (v->scope == IMAP_SCOPE_RECEIVE && !s->base.grant.can_receive) {
        imap_answer(s, IMAP_NO, IMAP_CODE_NOPERM, "this password may not read mail");
        return false;
    }
    const char *why = forbidden(s);
    if (why) {
        imap_answer(s, IMAP_NO, IMAP_CODE_NOPERM, why);
        return false;
    }
    if ((v->flags & IMAP_VERB_WRITABLE) && s->view.readonly) {
        imap_answer(s, IMAP_NO, IMAP_CODE_READ_ONLY, "the mailbox is open for reading only");
        return false;
    }
    return true;
}

/* A whole command is in the reader, or an APPEND up to its message. */
void imap_begin(struct imap_session *s)
{
    enum err e;
    int64_t expires = s->base.grant.expires_s;
    if (expires && clock_unix_s() >= expires) {
        imap_say_bye(s, IMAP_CODE_EXPIRED, "this password has expired");
        return;
    }
    s->commands++;
    sight_tick(&s->sight);
    s->cmd = ARENA_NEW(&s->mem, struct imap_command);
    assert(s->cmd);
    e = imap_command_parse(imap_reader_text(&s->reader), &imap_limits_session, false, &s->mem, s->cmd);
    s->cmd->tag = arena_copy(&s->mem, s->cmd->tag);
    s->doing = IMAP_RUNNING;
    bool is_message = s->reader.state == IMAP_READER_MESSAGE;
    if (e != OK) {
        imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, s->cmd->problem);
        imap_finish(s, false);
    } else if ((s->cmd->verb->id == IMAP_VERB_APPEND_ID) != is_message) {
        imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, "APPEND takes a literal");
        imap_finish(s, false);
    } else if (!may_run(s)) {
        if (!is_message || imap_append_discard(s) != STEP_WAIT)
            imap_finish(s, false);
    } else {
        imap_run_step(s);
    }
}

imap_run *const imap_verb_run[IMAP_VERBS] = {
    [IMAP_VERB_APPEND_ID] = imap_run_append,
    [IMAP_VERB_CAPABILITY_ID] = imap_run_capability,
    [IMAP_VERB_CHECK_ID] = imap_run_check,
    [IMAP_VERB_CLOSE_ID] = imap_run_close,
    [IMAP_VERB_COPY_ID] = imap_run_copy,
    [IMAP_VERB_CREATE_ID] = imap_run_create,
    [IMAP_VERB_DELETE_ID] = imap_run_delete,
    [IMAP_VERB_ENABLE_ID] = imap_run_enable,
    [IMAP_VERB_EXAMINE_ID] = imap_run_select,
    [IMAP_VERB_EXPUNGE_ID] = imap_run_expunge,
    [IMAP_VERB_FETCH_ID] = imap_run_fetch,
    [IMAP_VERB_ID_ID] = imap_run_id,
    [IMAP_VERB_IDLE_ID] = imap_run_idle,
    [IMAP_VERB_LIST_ID] = imap_run_list,
    [IMAP_VERB_LOGOUT_ID] = imap_run_logout,
    [IMAP_VERB_LSUB_ID] = imap_run_list,
    [IMAP_VERB_MOVE_ID] = imap_run_copy,
    [IMAP_VERB_NAMESPACE_ID] = imap_run_namespace,
    [IMAP_VERB_NOOP_ID] = imap_run_noop,
    [IMAP_VERB_RENAME_ID] = imap_run_rename,
    [IMAP_VERB_SEARCH_ID] = imap_run_search,
    [IMAP_VERB_SELECT_ID] = imap_run_select,
    [IMAP_VERB_STATUS_ID] = imap_run_status,
    [IMAP_VERB_STORE_ID] = imap_run_store,
    [IMAP_VERB_SUBSCRIBE_ID] = imap_run_subscribe,
    [IMAP_VERB_UID_COPY_ID] = imap_run_copy,
    [IMAP_VERB_UID_EXPUNGE_ID] = imap_run_expunge,
    [IMAP_VERB_UID_FETCH_ID] = imap_run_fetch,
    [IMAP_VERB_UID_MOVE_ID] = imap_run_copy,
    [IMAP_VERB_UID_SEARCH_ID] = imap_run_search,
    [IMAP_VERB_UID_STORE_ID] = imap_run_store,
    [IMAP_VERB_UNSELECT_ID] = imap_run_unselect,
    [IMAP_VERB_UNSUBSCRIBE_ID] = imap_run_subscribe,
};

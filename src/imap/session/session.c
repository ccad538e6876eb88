/* session.c - the machine of an IMAP session; its states are drawn in private.h.
 *
 * pump reads input while the state allows it; imap_advance goes on with a command when what it waited for has come.
 * Both may end the session: then `doing` is IMAP_ENDING, and the memory goes at the end of the turn. */
#include "imap/session/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "imap/session/private.h"
#include "imap/wire/literal.h"
#include "store/body.h"
#include "store/quota.h"

#define MAGIC 0x494d4150u
enum { COMMANDS_A_TURN = 16, FAREWELL_MS = 10000, IDLE_LINE = 64, AGING_MS = 60000 };

static const char *const doing_name[] = {"greeting", "ready", "running", "idling", "ending"};
static_assert(sizeof doing_name / sizeof *doing_name == IMAP_DOINGS, "a state without a name");

static void pump(struct imap_session *s);

static struct imap_session *session_of(void *owner)
{
    struct imap_session *s = owner;
    assert(s->magic == MAGIC);
    return s;
}

/* ---- the end ---- */

void imap_forget_command(struct imap_session *s)
{
    if (s->work && s->cmd->verb->shape == IMAP_SHAPE_SEARCH)
        imap_search_forget(s->work);
    body_close(&s->reading);
    body_writer_free(&s->writing);
    buf_done(&s->scratch);
    arena_done(&s->mem);
    arena_done(&s->batch);
    sight_forget(&s->sight);
    s->is_spending = false;
    s->count.next = 0;
    s->in_response = false;
    s->cmd = NULL;
    s->work = NULL;
    s->worked_ms = 0;
}

static void on_freeing(struct task *t)
{
    struct imap_session *s = session_of(t->owner);
    s->magic = 0;
    free(s);
}

/* Lets everything go; the struct itself goes at the end of the turn, since callers up the stack may still look at it. */
void imap_let_go(struct imap_session *s, const char *why)
{
    log_event(
        LOG_INFO, "imap.end", LOG_ID(s->base.id), LOG_STR("why", why), LOG_NUM("commands", s->commands));
    s->doing = IMAP_ENDING;
    stream_close(&s->stream);
    sessions_drop(s->env->sessions, &s->base);
    imap_unselect(s);
    imap_forget_command(s);
    imap_reader_done(&s->reader);
    output_done(&s->out);
    sight_done(&s->sight);
    timer_stop(&s->silence);
    timer_stop(&s->aging);
    task_stop(&s->again);
    account_wait_stop(&s->entry);
    account_guest_drop(&s->guest);
    account_unref(&s->account);
    loop_defer(s->env->loop, &s->freeing);
}

/* Nothing more will be said; what was said may leave, once it is true for ever. */
void imap_end_when_said(struct imap_session *s)
{
    s->doing = IMAP_ENDING;
    if (output_is_held(&s->out))
        return; /* on_released comes back here */
    stream_finish(&s->stream, FAREWELL_MS);
    imap_let_go(s, "logout");
}

void imap_say_bye(struct imap_session *s, enum imap_code code, const char *words)
{
    imap_put_untagged(imap_out(s), IMAP_BYE, code, words);
    output_commit_free_of_state(&s->out);
    imap_end_when_said(s);
}

/* Ends now: what is held is not true yet, and will not be said. */
static void end_at_once(struct imap_session *s, enum imap_code code, const char *words)
{
    struct buf CLEANUP_BUF bye = BUF_INIT(512);
    if (s->stream && !s->in_response) {
        imap_put_untagged(&bye, IMAP_BYE, code, words);
        stream_put(s->stream, buf_slice(&bye));
        stream_finish(&s->stream, FAREWELL_MS);
    }
    imap_let_go(s, words);
}

static void on_registry_end(struct session *base, enum session_end_reason reason)
{
    struct imap_session *s = session_of(CONTAINER_OF(base, struct imap_session, base));
    static const enum imap_code codes[END_REASONS] = {
        [END_REVOKED] = IMAP_CODE_NONE,
        [END_STOPPING] = IMAP_CODE_UNAVAILABLE,
        [END_UNAVAILABLE] = IMAP_CODE_UNAVAILABLE,
        [END_REMOVED] = IMAP_CODE_NONE,
        [END_EXPIRED] = IMAP_CODE_EXPIRED,
    };
    end_at_once(s, codes[reason], session_end_text(reason));
}

static void on_guest_ended(struct account_guest *g, enum err why)
{
    struct imap_session *s = session_of(g->owner);
    on_registry_end(&s->base, why == ERR_GONE ? END_REMOVED : END_UNAVAILABLE);
}

static void describe(const struct session *base, struct buf *out)
{
    const struct imap_session *s = CONTAINER_OF(base, const struct imap_session, base);
    buf_put_str(out, s->cmd && s->cmd->verb ? s->cmd->verb->name : doing_name[s->doing]);
    if (s->is_selected)
        buf_printf(out, ", %zu messages selected", s->view.n);
}

static const struct session_ops registry_ops = {.end = on_registry_end, .describe = describe};

/* ERR_AGAIN: on_entry comes, once, whoever asked last. */
enum err imap_enter(struct imap_session *s)
{
    account_wait_stop(&s->entry);
    return account_enter(s->account, &s->entry);
}

static void resume(struct imap_session *s, enum imap_step from)
{
    if (s->doing == IMAP_RUNNING && s->paused == from)
        imap_run_step(s);
    pump(s);
}

void imap_advance(struct imap_session *s)
{
    resume(s, STEP_WAIT);
}

/* ---- idling (RFC 2177) ---- */

/* Tells at once what others did. */
static void push_news(struct imap_session *s)
{
    sight_tick(&s->sight);
    if (!imap_has_news(s) || output_is_high(&s->out))
        return;
    enum err e = imap_enter(s);
    if (e != OK)
        return; /* on_entry, or the end of the account, comes */
    e = imap_put_news(s, NEWS_EXPUNGES);
    output_commit(&s->out);
    if (e == ERR_GONE)
        imap_say_bye(s, IMAP_CODE_NONE, "the selected mailbox was deleted");
    else if (e == ERR_AGAIN && !output_is_high(&s->out))
        loop_defer(s->env->loop, &s->again);
}

/* IDLE lasts, and the window moves on: looked at as often as the clock of days is worth it. */
static void expect_aging(struct imap_session *s)
{
    if (s->is_selected && s->view.is_window)
        timer_start(&s->aging, AGING_MS);
}

static void on_aging(struct timer *t)
{
    struct imap_session *s = session_of(t->owner);
    if (s->doing != IMAP_IDLING)
        return;
    loop_defer(s->env->loop, &s->again);
    expect_aging(s);
}

enum imap_step imap_run_idle(struct imap_session *s)
{
    expect_aging(s);
    imap_put_continue(imap_out(s), S("idling"));
    output_commit_free_of_state(&s->out);
    imap_reader_next(&s->reader);
    imap_reader_expect_line(&s->reader, IDLE_LINE);
    s->doing = IMAP_IDLING;
    s->base.wait = WAIT_CHANGES;
    loop_defer(s->env->loop, &s->again);
    return STEP_WAIT;
}

static void end_idle(struct imap_session *s)
{
    s->doing = IMAP_RUNNING;
    if (slice_eq_nocase(imap_reader_text(&s->reader), S("DONE")))
        imap_ok(s, "IDLE is over");
    else
        imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, "DONE was expected");
    sight_tick(&s->sight);
    bool entered = imap_has_news(s) && imap_enter(s) == OK;
    account_wait_stop(&s->entry);
    imap_finish(s, entered);
}

/* ---- input ---- */

static void on_bad(struct imap_session *s)
{
    const struct imap_bad *bad = &s->reader.bad;
    struct slice tag = imap_reader_tag(&s->reader);
    if (bad->close)
        imap_put_untagged(imap_out(s), IMAP_BYE, bad->too_big ? IMAP_CODE_TOOBIG : IMAP_CODE_NONE, bad->text);
    else
        imap_put_tagged(
            imap_out(s), tag, IMAP_BAD, bad->too_big ? IMAP_CODE_TOOBIG : IMAP_CODE_NONE, bad->text);
    output_commit_free_of_state(&s->out);
    if (bad->close)
        imap_end_when_said(s);
    else
        imap_reader_next(&s->reader);
}

static void on_heard(struct imap_session *s, enum imap_read heard)
{
    switch (heard) {
    case IMAP_READ_MORE:
        return;
    case IMAP_READ_CONTINUE:
        imap_put_continue(imap_out(s), S("go on"));
        output_commit_free_of_state(&s->out);
        return;
    case IMAP_READ_BAD:
        on_bad(s);
        return;
    case IMAP_READ_DONE:
    case IMAP_READ_MESSAGE:
        if (s->doing == IMAP_IDLING)
            end_idle(s);
        else
            imap_begin(s);
    }
}

/* What comes behind an APPEND's message: the end of its line. */
static void on_tail(struct imap_session *s, enum imap_read heard)
{
    bool clean = heard == IMAP_READ_DONE && imap_reader_text(&s->reader).n == 0;
    if (heard == IMAP_READ_MORE)
        return;
    if (clean) {
        imap_run_step(s);
        return;
    }
    if (heard == IMAP_READ_BAD)
        s->cut |= s->reader.bad.close;
    imap_answer(s, IMAP_BAD, IMAP_CODE_NONE, "one message and a line end were expected");
    imap_finish(s, false);
}

static void feed_reader(struct imap_session *s, struct slice input)
{
    size_t taken;
    bool is_tail = s->doing == IMAP_RUNNING;
    enum imap_read heard = imap_reader_feed(&s->reader, input, &taken);
    stream_take(s->stream, taken);
    if (is_tail)
        on_tail(s, heard);
    else
        on_heard(s, heard);
}

/* Whether octets that have come belong to the running command. */
static bool command_reads(const struct imap_session *s)
{
    return imap_append_wants_octets(s) || (s->reader.had_message && s->reader.state == IMAP_READER_LINE);
}

static void pump(struct imap_session *s)
{
    while (s->doing == IMAP_READY || s->doing == IMAP_IDLING ||
           (s->doing == IMAP_RUNNING && command_reads(s))) {
        struct slice input = stream_input(s->stream);
        if (output_is_high(&s->out)) {
            s->base.wait = WAIT_OUTPUT;
            return;
        }
        if (!input.n) {
            s->base.wait = s->doing == IMAP_IDLING ? WAIT_CHANGES : WAIT_INPUT;
            return;
        }
        if (s->steps++ >= COMMANDS_A_TURN) {
            s->base.wait = WAIT_WORK;
            loop_defer(s->env->loop, &s->again);
            return;
        }
        if (s->doing == IMAP_RUNNING && imap_append_wants_octets(s))
            stream_take(s->stream, imap_append_feed(s, input));
        else
            feed_reader(s, input);
    }
}

/* ---- callbacks ---- */

static void on_again(struct task *t)
{
    struct imap_session *s = session_of(t->owner);
    s->steps = 0;
    if (s->doing == IMAP_IDLING)
        push_news(s);
    resume(s, STEP_AGAIN);
}

static void on_input(struct stream *stream, void *owner)
{
    struct imap_session *s = session_of(owner);
    if (s->doing == IMAP_READY || s->doing == IMAP_RUNNING)
        timer_start(&s->silence, LIMIT_IMAP_IDLE_TIME);
    s->steps = 0;
    pump(s);
}

/* There is room for output again. */
static void on_room(struct imap_session *s)
{
    if (s->doing == IMAP_ENDING) {
        if (s->stream)
            imap_end_when_said(s);
    } else if (s->doing == IMAP_IDLING) {
        push_news(s);
        pump(s);
    } else if (!output_is_high(&s->out)) {
        timer_start(&s->silence, LIMIT_IMAP_IDLE_TIME);
        resume(s, STEP_OUTPUT);
    }
}

static void on_drained(struct stream *stream, void *owner)
{
    on_room(session_of(owner));
}

static void on_released(struct output *o, void *owner)
{
    on_room(session_of(owner));
}

static void on_closed(struct stream *stream, enum err why, void *owner)
{
    imap_let_go(session_of(owner), err_name(why));
}

static void on_failed(struct output *o, enum err why, void *owner)
{
    end_at_once(session_of(owner), IMAP_CODE_UNAVAILABLE, "the mailbox is not available now");
}

static void on_silence(struct timer *t)
{
    end_at_once(session_of(t->owner), IMAP_CODE_NONE, "nothing was heard for too long");
}

static void greet(struct imap_session *s)
{
    struct slice tag = slice_of(s->tag, s->tag_n);
    enum err e = imap_enter(s);
    if (e == ERR_AGAIN)
        return;
    if (e == OK)
        e = quota_set(s->account, s->base.grant.quota_bytes, 0);
    if (e != OK) {
        imap_put_tagged(
            imap_out(s), tag, IMAP_NO, IMAP_CODE_UNAVAILABLE,
            "the mailbox is not available now, try again later");
        imap_say_bye(s, IMAP_CODE_UNAVAILABLE, "try again later");
        return;
    }
    buf_put(imap_out(s), tag);
    buf_put(imap_out(s), S(" OK ["));
    imap_put_capabilities(imap_out(s), 0, NULL, 0);
    buf_put(imap_out(s), S("] signed in\r\n"));
    output_commit(&s->out);
    s->doing = IMAP_READY;
    s->base.wait = WAIT_INPUT;
    timer_start(&s->silence, LIMIT_IMAP_IDLE_TIME);
    pump(s);
}

static void on_entry(struct account_wait *w)
{
    struct imap_session *s = session_of(w->owner);
    if (s->doing == IMAP_GREETING)
        greet(s);
    else if (s->doing == IMAP_IDLING)
        push_news(s);
    else
        resume(s, STEP_STORE);
}

static const struct stream_events stream_events = {
    .input = on_input, .drained = on_drained, .closed = on_closed};
static const struct output_events output_events = {.released = on_released, .failed = on_failed};
static const struct stream_limits stream_limits = {
    .input = LIMIT_STREAM_INPUT, .output_high = LIMIT_SESSION_OUTPUT, .output_max = 2 * LIMIT_SESSION_HELD};

static void
session_init(struct imap_session *s, struct keeper_env *env, const struct session_start *start, int fd)
{
    struct loop *loop = env->loop;
    s->magic = MAGIC;
    s->env = env;
    sight_init(&s->sight, env, &s->base.grant);
    s->stream = stream_new(loop, fd, &stream_limits, &stream_events, s);
    s->account = account_ref(env->accounts, &start->grant.account);
    output_init(&s->out, loop, s->stream, s->account, &output_events, s);
    s->entry.ready = on_entry;
    s->entry.owner = s;
    s->guest.ended = on_guest_ended;
    s->guest.owner = s;
    account_guest_add(s->account, &s->guest);
    timer_init(&s->silence, loop, on_silence, s);
    timer_init(&s->aging, loop, on_aging, s);
    task_init(&s->again, on_again, s);
    task_init(&s->freeing, on_freeing, s);
    imap_reader_init(&s->reader, &imap_limits_session);
    arena_init(&s->mem, LIMIT_SESSION_MEMORY);
    arena_init(&s->batch, LIMIT_SESSION_MEMORY);
    buf_init(&s->scratch, LIMIT_SESSION_MEMORY);
    s->tag_n = imap_is_tag(start->tag, sizeof s->tag) ? start->tag.n : 0;
    memcpy(s->tag, s->tag_n ? start->tag.p : "*", s->tag_n ? s->tag_n : 1);
    s->tag_n += s->tag_n == 0;
}

enum err imap_session_start(struct keeper_env *env, const struct session_start *start)
{
    int CLEANUP_FD fd = start->fd;
    struct imap_session *s = NEW(struct imap_session);
    s->base = (struct session){
        .ops = &registry_ops,
        .id = start->id,
        .grant = start->grant,
        .client = start->client,
        .started_s = clock_unix_s(),
        .wait = WAIT_STORE};
    enum err e = sessions_add(env->sessions, &s->base);
    if (e != OK) {
        free(s);
        return e;
    }
    session_init(s, env, start, TAKE(fd, -1));
    log_event(LOG_INFO, "imap.start", LOG_ID(s->base.id), LOG_STR("account", s->base.grant.address));
    greet(s);
    return OK;
}

/* session.c - the machine of a POP3 session (see session.h).
 *
 *   WAITING --no other session--> OPENING --drop read--> COMMANDS <--> LISTING (LIST, UIDL)
 *                                                           |  <-----> SENDING (RETR, TOP)
 *                                                           +--QUIT--> LEAVING --all said and synced--> gone
 *
 * pop3_pump runs the step of the present state until it says WAIT; whoever was waited for pumps again. Steps are short, and
 * after STEPS_A_TURN of them the session lets others go first. Only LEAVING deletes: a session that ends in any other
 * way, for whatever reason, has changed nothing (T-176).
 */
#include "pop3/session/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/line.h"
#include "base/log.h"
#include "base/mem.h"
#include "keeper/output.h"
#include "keeper/sight.h"
#include "keeper/spending.h"
#include "pop3/session/drop.h"
#include "pop3/session/top.h"
#include "pop3/wire/command.h"
#include "pop3/wire/reply.h"
#include "store/body.h"

#define MAGIC 0x504f5033u
#define STEPS_A_TURN 16
#define ROWS_A_STEP 2000
#define LOOKS_A_STEP 200
#define LINES_A_STEP 500
#define OCTETS_A_STEP 32768
#define FAREWELL_MS 10000

enum doing {
    POP3_WAITING,
    POP3_OPENING,
    POP3_COMMANDS,
    POP3_LISTING,
    POP3_SENDING,
    POP3_LEAVING,
    POP3_DOINGS
};
static const char *const doing_name[] = {"waiting", "opening", "ready", "listing", "sending", "leaving"};
static_assert(sizeof doing_name / sizeof *doing_name == POP3_DOINGS, "a state without a name");

enum step {
    STEP_ON,   /* there is more to do */
    STEP_WAIT, /* something will pump */
    STEP_END   /* the session must end now */
};

struct pop3_session {
    struct session base;
    unsigned magic;
    enum doing doing;
    struct keeper_env *env;
    struct stream *stream;
    struct account *account;
    struct account_guest guest;
    struct account_wait entry;
    struct output out;
    struct timer again;
    struct sight sight;
    struct pop3_drop drop;
    uint64_t turn_ends_ms; /* WAITING: when the drop is said to be in use */
    bool awaited;          /* another session of the account may be waiting for the end of this one */
    bool started;          /* the drop's INBOX was found */
    const struct pop3_row *listing;
    uint32_t next; /* LISTING: the next number */
    struct body_reader *body;
    uint64_t offset; /* SENDING: of the body */
    struct pop3_top top;
    struct pop3_stuffer stuffer;
    uint32_t deleted; /* LEAVING: how many, for the log */
};

static void pump(struct pop3_session *s);

/* ---- whose turn it is ---- */

/* The account's session that has the drop, or gets it next. */
static struct pop3_session *find_first(const struct keeper_env *env, const struct account_id *account)
{
    struct session *first = sessions_find_first(env->sessions, account, SERVICE_POP3);
    return first ? CONTAINER_OF(first, struct pop3_session, base) : NULL;
}

static void pass_turn(const struct keeper_env *env, const struct account_id *account)
{
    struct pop3_session *next = find_first(env, account);
    if (!next)
        return;
    next->awaited = true;
    timer_start(&next->again, 0);
}

/* ---- the end ---- */

static void let_go(struct pop3_session *s, const char *why)
{
    log_event(
        LOG_INFO, "pop3.end", LOG_ID(s->base.id), LOG_STR("why", why),
        LOG_NUM("messages", pop3_drop_last(&s->drop)), LOG_NUM("deleted", s->deleted));
    struct account_id account = s->base.grant.account;
    sessions_drop(s->env->sessions, &s->base);
    if (s->awaited)
        pass_turn(s->env, &account);
    body_close(&s->body);
    output_done(&s->out);
    timer_stop(&s->again);
    account_wait_stop(&s->entry);
    account_guest_drop(&s->guest);
    account_unref(&s->account);
    pop3_drop_done(&s->drop);
    sight_done(&s->sight);
    s->magic = 0;
    free(s);
}

/* Everything said may still leave; nothing more will be said. */
static void finish(struct pop3_session *s, const char *why)
{
    stream_finish(&s->stream, FAREWELL_MS);
    let_go(s, why);
}

static void cut(struct pop3_session *s, const char *why)
{
    stream_close(&s->stream);
    let_go(s, why);
}

/* ---- replies ---- */

static void say_ok(struct pop3_session *s, const char *text)
{
    pop3_put_ok(output_buf(&s->out), text);
}

static void say_err(struct pop3_session *s, enum pop3_code code, const char *text)
{
    pop3_put_err(output_buf(&s->out), code, text);
}

/* The account cannot be read now, or its data is damaged. */
static void say_trouble(struct pop3_session *s, enum err why)
{
    log_event(LOG_WARN, "pop3.trouble", LOG_ID(s->base.id), LOG_ERR(why));
    if (why == ERR_CORRUPT)
        say_err(s, POP3_CODE_SYS_PERM, "this cannot be read, the administrator must look");
    else
        say_err(s, POP3_CODE_SYS_TEMP, "the mailbox is not available now, try again later");
}

static struct pop3_entry *find_or_say(struct pop3_session *s, const struct pop3_command *c)
{
    struct pop3_entry *entry = pop3_drop_find(&s->drop, c->number);
    if (!entry)
        say_err(s, POP3_NO_CODE, "no such message");
    return entry;
}

/* ---- commands (RFC 1939 5 to 7). Each leaves its reply in the output; STEP_WAIT means: again when entered ---- */

static enum step run_capa(struct pop3_session *s, const struct pop3_command *c)
{
    pop3_put_capa(output_buf(&s->out), &(struct pop3_offer){.signed_in = true});
    return STEP_ON;
}

static enum step run_stat(struct pop3_session *s, const struct pop3_command *c)
{
    output_printf(&s->out, "+OK %u %llu\r\n", s->drop.count, (unsigned long long)s->drop.bytes);
    return STEP_ON;
}

static void
put_listed(struct pop3_session *s, const struct pop3_row *row, uint32_t number, const struct pop3_entry *e)
{
    output_printf(&s->out, "%u ", number);
    if (row->verb == POP3_UIDL)
        pop3_drop_put_uid(&s->drop, e, output_buf(&s->out));
    else
        output_printf(&s->out, "%u", e->size);
    buf_put(output_buf(&s->out), S("\r\n"));
}

static enum step run_list(struct pop3_session *s, const struct pop3_command *c)
{
    if (c->has_number) {
        struct pop3_entry *entry = find_or_say(s, c);
        if (entry) {
            buf_put(output_buf(&s->out), S("+OK "));
            put_listed(s, c->row, c->number, entry);
        }
        return STEP_ON;
    }
    output_printf(&s->out, "+OK %u messages\r\n", s->drop.count);
    s->listing = c->row;
    s->next = 1;
    s->doing = POP3_LISTING;
    return STEP_ON;
}

static enum step run_dele(struct pop3_session *s, const struct pop3_command *c)
{
    struct pop3_entry *entry = find_or_say(s, c);
    if (entry) {
        pop3_drop_delete(&s->drop, entry);
        say_ok(s, "marked to be deleted");
    }
    return STEP_ON;
}

static enum step run_noop(struct pop3_session *s, const struct pop3_command *c)
{
    say_ok(s, "nothing done");
    return STEP_ON;
}

static enum step run_rset(struct pop3_session *s, const struct pop3_command *c)
{
    pop3_drop_reset(&s->drop);
    output_printf(&s->out, "+OK %u messages\r\n", s->drop.count);
    return STEP_ON;
}

static fallible open_message(struct pop3_session *s, const struct pop3_entry *entry, uint64_t *ret_size)
{
    struct arena mem CLEANUP_ARENA = ARENA_INIT(LIMIT_MIME_ARENA);
    struct message m;
    TRY(account_enter(s->account, &s->entry));
    TRY(message_find(s->account, s->drop.box, entry->uid, s->sight.redacts ? &mem : NULL, &m));
    if (s->sight.redacts)
        sight_look(&s->sight, s->account, &m);
    *ret_size = m.size;
    return body_open(s->account, m.body, &s->body);
}

/* RETR and TOP. */
static enum step run_retr(struct pop3_session *s, const struct pop3_command *c)
{
    struct pop3_entry *entry = find_or_say(s, c);
    if (!entry)
        return STEP_ON;
    uint64_t size = 0;
    enum err e = open_message(s, entry, &size);
    if (e == ERR_AGAIN)
        return STEP_WAIT;
    if (e == ERR_NOT_FOUND || e == ERR_GONE) {
        say_err(s, POP3_NO_CODE, "another session has removed this message");
        return STEP_ON;
    }
    if (e != OK) {
        say_trouble(s, e);
        return STEP_ON;
    }
    bool top = c->row->verb == POP3_TOP;
    s->top = (struct pop3_top){.lines = top ? c->lines : UINT32_MAX};
    if (top)
        say_ok(s, "top of message follows");
    else
        output_printf(&s->out, "+OK %llu octets\r\n", (unsigned long long)size);
    s->listing = c->row;
    s->offset = 0;
    s->stuffer = (struct pop3_stuffer){0};
    s->doing = POP3_SENDING;
    return STEP_ON;
}

/* The one transaction of the session. Its +OK leaves when it is on disk (T-176). */
static enum step run_quit(struct pop3_session *s, const struct pop3_command *c)
{
    enum err e = OK;
    if (pop3_drop_has_deleted(&s->drop)) {
        e = account_enter(s->account, &s->entry);
        if (e == ERR_AGAIN)
            return STEP_WAIT;
        if (e == OK)
            e = pop3_drop_expunge(&s->drop, s->account);
    }
    s->doing = POP3_LEAVING;
    if (e != OK) {
        log_event(LOG_WARN, "pop3.quit", LOG_ID(s->base.id), LOG_ERR(e));
        say_err(s, POP3_CODE_SYS_TEMP, "the marked messages were not deleted");
        return STEP_ON;
    }
    s->deleted = pop3_drop_last(&s->drop) - s->drop.count;
    output_printf(&s->out, "+OK %u messages deleted, goodbye\r\n", s->deleted);
    return STEP_ON;
}

typedef enum step run_fn(struct pop3_session *s, const struct pop3_command *c);
static run_fn *const runs[POP3_VERBS] = {
    [POP3_CAPA] = run_capa, [POP3_STAT] = run_stat, [POP3_LIST] = run_list, [POP3_UIDL] = run_list,
    [POP3_RETR] = run_retr, [POP3_TOP] = run_retr,  [POP3_DELE] = run_dele, [POP3_NOOP] = run_noop,
    [POP3_RSET] = run_rset, [POP3_QUIT] = run_quit,
};

/* ---- steps ---- */

static_assert(
    POP3_CAN_READ == (int)SCOPE_READ && POP3_CAN_DELETE == (int)SCOPE_DELETE,
    "the table of commands speaks of the same rights");

static enum step dispatch(struct pop3_session *s, const struct line *line)
{
    const struct pop3_row *row = NULL;
    struct pop3_command c;
    enum err e = line->bare || line->dirty ? ERR_SYNTAX : pop3_command_parse(line->text, &row, &c);
    if (e == OK && (!(row->states & POP3_TRANSACTION) || !runs[row->verb]))
        e = ERR_STATE;
    if (e == OK && (row->rights & ~s->sight.scope->rights))
        e = ERR_DENIED;
    if (e == OK)
        return runs[row->verb](s, &c);
    say_err(
        s, POP3_NO_CODE,
        e == ERR_NOT_FOUND ? "unknown command"
        : e == ERR_DENIED  ? "this password may not do that"
        : e == ERR_STATE   ? "not now"
                           : "the command is malformed");
    return STEP_ON;
}

static enum step step_commands(struct pop3_session *s)
{
    struct line line;
    enum err e = line_find(stream_input(s->stream), LIMIT_POP3_COMMAND, &line);
    if (e == ERR_AGAIN) {
        s->base.wait = WAIT_INPUT;
        return STEP_WAIT;
    }
    if (e == ERR_LIMIT) {
        say_err(s, POP3_NO_CODE, "the line is too long");
        output_commit(&s->out);
        s->doing = POP3_LEAVING;
        return STEP_ON;
    }
    enum step step = dispatch(s, &line);
    if (step == STEP_WAIT) {
        s->base.wait = WAIT_STORE;
        return STEP_WAIT; /* the line stays and is run again */
    }
    stream_take(s->stream, line.used);
    output_commit(&s->out);
    return step;
}

/* POP3 is reading INBOX: whoever may not is told so where the password would be welcomed (RFC 3206 5). */
static fallible start_drop(struct pop3_session *s)
{
    return s->sight.scope->rights & SCOPE_READ ? pop3_drop_start(&s->drop, s->account) : ERR_DENIED;
}

static enum step step_waiting(struct pop3_session *s)
{
    struct pop3_session *first = find_first(s->env, &s->base.grant.account);
    uint64_t now_ms = clock_mono_ms();
    if (first == s) {
        s->doing = POP3_OPENING;
        return STEP_ON;
    }
    if (now_ms >= s->turn_ends_ms) {
        say_err(s, POP3_CODE_IN_USE, "the maildrop is in use by another session");
        output_commit(&s->out);
        s->doing = POP3_LEAVING;
        return STEP_ON;
    }
    first->awaited = true;
    timer_start(&s->again, s->turn_ends_ms - now_ms);
    s->base.wait = WAIT_CHANGES;
    return STEP_WAIT;
}

static enum step step_opening(struct pop3_session *s)
{
    s->base.wait = WAIT_STORE;
    enum err e = account_enter(s->account, &s->entry);
    if (e == ERR_AGAIN)
        return STEP_WAIT;
    if (e == OK && !s->started)
        e = start_drop(s);
    if (e == OK) {
        s->started = true;
        e = pop3_drop_load(&s->drop, s->account, s->sight.redacts ? LOOKS_A_STEP : ROWS_A_STEP);
        if (e == ERR_AGAIN)
            return STEP_ON;
    }
    if (e == OK) {
        output_printf(
            &s->out, "+OK signed in, %u messages, %llu octets\r\n", s->drop.count,
            (unsigned long long)s->drop.bytes);
        s->doing = POP3_COMMANDS;
    } else {
        if (e == ERR_DENIED)
            say_err(s, POP3_CODE_AUTH, "this password does not open INBOX");
        else
            say_trouble(s, e);
        s->doing = POP3_LEAVING;
    }
    output_commit(&s->out);
    return STEP_ON;
}

static enum step step_listing(struct pop3_session *s)
{
    uint32_t last = pop3_drop_last(&s->drop);
    for (unsigned i = 0; i < LINES_A_STEP && s->next <= last; i++, s->next++) {
        struct pop3_entry *entry = pop3_drop_find(&s->drop, s->next);
        if (entry)
            put_listed(s, s->listing, s->next, entry);
    }
    if (s->next > last) {
        pop3_put_end(output_buf(&s->out));
        s->doing = POP3_COMMANDS;
    }
    output_commit(&s->out);
    return STEP_ON;
}

static enum step step_sending(struct pop3_session *s)
{
    struct slice content = SLICE_EMPTY;
    enum err e = sight_read(&s->sight, s->body, s->offset, OCTETS_A_STEP, &content);
    if (e != OK) { /* in the middle of a message nothing can be said: a cut is the only honest end */
        log_event(LOG_WARN, "pop3.body", LOG_ID(s->base.id), LOG_ERR(e));
        return STEP_END;
    }
    bool end = content.n == 0;
    s->offset += content.n;
    if (s->listing->verb == POP3_TOP) {
        content = pop3_top_feed(&s->top, content);
        end = end || s->top.done;
    }
    pop3_stuffer_feed(&s->stuffer, content, output_buf(&s->out));
    session_spend_octets(s->env, &s->base, content.n);
    if (end) {
        pop3_stuffer_end(&s->stuffer, output_buf(&s->out));
        body_close(&s->body);
        sight_forget(&s->sight);
        s->doing = POP3_COMMANDS;
    }
    output_commit(&s->out);
    return STEP_ON;
}

static enum step step_leaving(struct pop3_session *s)
{
    if (!output_is_held(&s->out))
        return STEP_END;
    s->base.wait = WAIT_DISK;
    return STEP_WAIT;
}

static enum step (*const steps[POP3_DOINGS])(struct pop3_session *s) = {
    [POP3_WAITING] = step_waiting, [POP3_OPENING] = step_opening, [POP3_COMMANDS] = step_commands,
    [POP3_LISTING] = step_listing, [POP3_SENDING] = step_sending, [POP3_LEAVING] = step_leaving,
};

static void pump(struct pop3_session *s)
{
    assert(s->magic == MAGIC);
    enum step step = STEP_ON;
    for (unsigned i = 0; i < STEPS_A_TURN && step == STEP_ON; i++) {
        if (s->doing != POP3_LEAVING && output_is_high(&s->out)) {
            s->base.wait = output_is_held(&s->out) ? WAIT_DISK : WAIT_OUTPUT;
            return; /* drained or released will pump */
        }
        step = steps[s->doing](s);
    }
    if (step == STEP_ON)
        timer_start(&s->again, 0);
    if (step != STEP_END)
        return;
    if (s->doing == POP3_LEAVING)
        finish(s, "said goodbye");
    else
        cut(s, "a message could not be read");
}

/* ---- whoever was waited for ---- */

static void on_input(struct stream *stream, void *owner)
{
    struct pop3_session *s = owner;
    stream_set_deadline(stream, LIMIT_POP3_IDLE_TIME);
    if (s->doing == POP3_COMMANDS)
        pump(s);
}

static void on_drained(struct stream *stream, void *owner)
{
    stream_set_deadline(stream, LIMIT_POP3_IDLE_TIME);
    pump(owner);
}

static void on_closed(struct stream *stream, enum err why, void *owner)
{
    cut(owner, why == ERR_CLOSED ? "the client left" : err_text(why));
}

static void on_entered(struct account_wait *w)
{
    pump(w->owner);
}

static void on_again(struct timer *t)
{
    pump(t->owner);
}

static void on_released(struct output *o, void *owner)
{
    pump(owner);
}

static void on_failed(struct output *o, enum err why, void *owner)
{
    cut(owner, err_text(why));
}

static void on_account_ended(struct account_guest *g, enum err why)
{
    cut(g->owner, err_text(why));
}

/* Between two replies POP3 knows no word for this: the connection closes, and nothing was deleted. What was said before may
 * still leave, but not after a revocation. */
static void on_end(struct session *base, enum session_end_reason reason)
{
    struct pop3_session *s = CONTAINER_OF(base, struct pop3_session, base);
    if (reason == END_STOPPING)
        finish(s, session_end_text(reason));
    else
        cut(s, session_end_text(reason));
}

static void describe(const struct session *base, struct buf *out)
{
    const struct pop3_session *s = CONTAINER_OF(base, const struct pop3_session, base);
    buf_printf(out, "%s, %u messages", doing_name[s->doing], pop3_drop_last(&s->drop));
}

static const struct session_ops ops = {.end = on_end, .describe = describe};
static const struct stream_events stream_events = {
    .input = on_input, .drained = on_drained, .closed = on_closed};
static const struct output_events output_events = {.released = on_released, .failed = on_failed};
static const struct stream_limits stream_limits = {
    .input = LIMIT_STREAM_INPUT, .output_high = LIMIT_SESSION_OUTPUT, .output_max = 4 * LIMIT_SESSION_HELD};

enum err pop3_session_start(struct keeper_env *env, const struct session_start *start)
{
    int fd CLEANUP_FD = start->fd;
    if (!start->grant.can_receive)
        return ERR_DENIED;
    struct pop3_session *s = NEW(struct pop3_session);
    s->base = (struct session){
        .ops = &ops,
        .id = start->id,
        .grant = start->grant,
        .client = start->client,
        .started_s = clock_unix_s()};
    enum err e = sessions_add(env->sessions, &s->base);
    if (e != OK) {
        mem_free(&s);
        return e;
    }
    s->magic = MAGIC;
    s->env = env;
    s->turn_ends_ms = clock_mono_ms() + LIMIT_POP3_TURN;
    s->account = account_ref(env->accounts, &start->grant.account);
    s->guest = (struct account_guest){.ended = on_account_ended, .owner = s};
    account_guest_add(s->account, &s->guest);
    s->entry = (struct account_wait){.ready = on_entered, .owner = s};
    s->stream = stream_new(env->loop, TAKE(fd, -1), &stream_limits, &stream_events, s);
    stream_set_deadline(s->stream, LIMIT_POP3_IDLE_TIME);
    output_init(&s->out, env->loop, s->stream, s->account, &output_events, s);
    timer_init(&s->again, env->loop, on_again, s);
    timer_start(&s->again, 0); /* not from inside: the gate is to hear of the attach first */
    sight_init(&s->sight, env, &s->base.grant);
    pop3_drop_init(&s->drop, &s->sight);
    log_event(LOG_INFO, "pop3.start", LOG_ID(s->base.id), LOG_STR("account", s->base.grant.address));
    return OK;
}

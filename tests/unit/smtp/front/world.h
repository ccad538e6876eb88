/* world.h - a vault, keepers and TLS in one struct, for tests and the fuzzer of the SMTP dialogue. */
#ifndef TESTS_SMTP_WORLD_H
#define TESTS_SMTP_WORLD_H

#include <stdio.h>
#include <stdlib.h>

#include "smtp/front/dialogue.h"

enum { FAKE_STORED_MAX = 32, FAKE_LIMIT = 200000 };

struct fake {
    struct smtp_dialogue d;
    struct buf in, out; /* to the dialogue, and what it said, all of it */
    struct buf said;    /* the dialogue's output buffer */
    struct buf message; /* being received */
    bool holds;         /* between begin and end or drop */
    struct {
        struct buf octets;
        char from[400];
        unsigned targets;
    } stored[FAKE_STORED_MAX];
    unsigned stored_count, drops, begins, resolves, refusals;
    enum status refused; /* the last */
    /* knobs */
    bool late; /* answers come later, not from within */
    bool lag;  /* octets pile up now and then */
    bool vault_down;
    enum status verdict; /* of the keeper; STATUS_STORED by default */
    enum status begin_verdict;
    struct slice password; /* PLAIN: the whole response that signs in */
    struct slice mechanism;
    unsigned tries;
    unsigned challenges; /* before the answer */
    /* the question that is open */
    enum smtp_wait asked;
    struct address recipient;
    struct buf response;
    unsigned steps, lags;
    bool tls;
};

static void fake_target(struct smtp_target *t, unsigned id)
{
    *t = (struct smtp_target){.slot = (uint8_t)id, .address = S("box@ours.test"), .recipient = S("as typed")};
    memcpy(t->account.b, &id, sizeof id);
}

static bool fake_numbered(struct slice local, char letter, unsigned most, unsigned *ret_n)
{
    uint64_t n = 0;
    if (local.n < 2 || local.p[0] != letter || slice_to_u64(slice_from(local, 1), most - 1, &n) != OK)
        return false;
    *ret_n = (unsigned)n;
    return true;
}

/* alice, bob, carol, postmaster; team: alice and bob; a0..a99: bob; u0..u499: themselves; full; later. */
static void fake_resolve(struct fake *f)
{
    struct slice local = address_local(&f->recipient), domain = address_domain(&f->recipient);
    static const char *const names[] = {"", "alice", "bob", "carol", "postmaster"};
    struct smtp_target targets[2];
    unsigned n = 0;
    enum status s = STATUS_NO_SUCH_MAILBOX;
    if (f->vault_down)
        s = STATUS_UNAVAILABLE;
    else if (domain.n && !slice_eq(domain, S("ours.test")))
        s = STATUS_RELAY_DENIED;
    else if (slice_eq(local, S("full")))
        s = STATUS_MAILBOX_FULL;
    else if (slice_eq(local, S("later")))
        s = STATUS_UNAVAILABLE;
    else if (slice_eq(local, S("team"))) {
        fake_target(&targets[0], 1);
        fake_target(&targets[1], 2);
        smtp_dialogue_resolved(&f->d, STATUS_RECIPIENT_OK, targets, 2);
        return;
    }
    for (unsigned i = 1; i < 5 && s == STATUS_NO_SUCH_MAILBOX; i++)
        if (slice_eq_nocase(local, slice_str(names[i]))) {
            fake_target(&targets[0], i);
            s = STATUS_RECIPIENT_OK;
        }
    if (s == STATUS_NO_SUCH_MAILBOX && fake_numbered(local, 'a', 100, &n)) {
        fake_target(&targets[0], 2);
        s = STATUS_RECIPIENT_OK;
    }
    if (s == STATUS_NO_SUCH_MAILBOX && fake_numbered(local, 'u', 500, &n)) {
        fake_target(&targets[0], 100 + n);
        s = STATUS_RECIPIENT_OK;
    }
    smtp_dialogue_resolved(&f->d, s, targets, s == STATUS_RECIPIENT_OK);
}

static void fake_owns(struct fake *f)
{
    bool mine = slice_eq(address_local(&f->recipient), S("alice")) &&
                slice_eq(address_domain(&f->recipient), S("ours.test"));
    smtp_dialogue_owned(
        &f->d, f->vault_down ? STATUS_UNAVAILABLE
               : mine        ? STATUS_SENDER_OK
                             : STATUS_SENDER_NOT_YOURS);
}

static void fake_auth(struct fake *f)
{
    bool known = slice_eq_nocase(f->mechanism, S("PLAIN")) || slice_eq_nocase(f->mechanism, S("LOGIN"));
    enum smtp_auth outcome = SMTP_AUTH_NO;
    if (!known)
        outcome = SMTP_AUTH_UNKNOWN;
    else if (f->vault_down)
        outcome = SMTP_AUTH_LATER;
    else if (f->steps < f->challenges)
        outcome = SMTP_AUTH_CHALLENGE;
    else if (slice_eq(buf_slice(&f->response), f->password))
        outcome = SMTP_AUTH_OK;
    else if (++f->tries >= LIMIT_SIGNIN_TRIES)
        outcome = SMTP_AUTH_NO_MORE;
    smtp_dialogue_auth(&f->d, outcome, outcome == SMTP_AUTH_CHALLENGE ? S("Username:") : SLICE_EMPTY);
}

static void fake_store(struct fake *f)
{
    if (f->verdict == STATUS_STORED && f->stored_count < FAKE_STORED_MAX) {
        unsigned i = f->stored_count++;
        struct buf from = BUF_INIT(400);
        address_put(&from, &f->d.envelope.from);
        snprintf(f->stored[i].from, sizeof f->stored[i].from, "%s", buf_cstr(&from));
        buf_done(&from);
        f->stored[i].targets = f->d.envelope.target_count;
        f->stored[i].octets = f->message;
        f->message = BUF_INIT(FAKE_LIMIT * 4);
    }
    f->holds = false;
    smtp_dialogue_stored(&f->d, f->verdict, S("id-1"));
}

/* Answers what is open. */
static bool fake_answer(struct fake *f)
{
    enum smtp_wait asked = f->asked;
    f->asked = SMTP_WAIT_INPUT;
    switch (asked) {
    case SMTP_WAIT_RESOLVE:
        fake_resolve(f);
        return true;
    case SMTP_WAIT_OWNS:
        fake_owns(f);
        return true;
    case SMTP_WAIT_AUTH:
        fake_auth(f);
        return true;
    case SMTP_WAIT_TLS:
        f->tls = true;
        buf_clear(&f->in);
        smtp_dialogue_tls_on(&f->d);
        return true;
    case SMTP_WAIT_STORE:
        fake_store(f);
        return true;
    default:
        return false;
    }
}

static void fake_ask(struct fake *f, enum smtp_wait what)
{
    f->asked = what;
    if (!f->late && what != SMTP_WAIT_TLS)
        fake_answer(f);
}

static void world_resolve(void *owner, const struct address *recipient)
{
    struct fake *f = owner;
    f->recipient = *recipient;
    f->resolves++;
    fake_ask(f, SMTP_WAIT_RESOLVE);
}
static void world_owns(void *owner, const struct address *sender)
{
    struct fake *f = owner;
    f->recipient = *sender;
    fake_ask(f, SMTP_WAIT_OWNS);
}
static void world_auth_start(void *owner, struct slice mechanism, bool has_initial, struct slice initial)
{
    struct fake *f = owner;
    buf_clear(&f->response);
    buf_put(&f->response, initial);
    f->mechanism = slice_eq_nocase(mechanism, S("PLAIN"))   ? S("PLAIN")
                   : slice_eq_nocase(mechanism, S("LOGIN")) ? S("LOGIN")
                                                            : SLICE_EMPTY;
    f->steps = has_initial ? 1 : 0;
    fake_ask(f, SMTP_WAIT_AUTH);
}
static void world_auth_step(void *owner, struct slice response)
{
    struct fake *f = owner;
    buf_clear(&f->response);
    buf_put(&f->response, response);
    f->steps++;
    fake_ask(f, SMTP_WAIT_AUTH);
}
static struct slice world_mechanisms(void *owner)
{
    return S("PLAIN LOGIN");
}
static void world_auth_cancel(void *owner)
{
    struct fake *f = owner;
    f->asked = SMTP_WAIT_INPUT;
}
static void world_tls_start(void *owner)
{
    fake_ask(owner, SMTP_WAIT_TLS);
}
static enum status world_begin(void *owner, const struct smtp_envelope *envelope)
{
    struct fake *f = owner;
    if (f->holds || envelope->target_count == 0 || list_is_empty(&envelope->targets))
        abort();
    f->begins++;
    if (f->begin_verdict != STATUS_OK)
        return f->begin_verdict;
    f->holds = true;
    buf_clear(&f->message);
    return STATUS_OK;
}
static void world_put(void *owner, struct slice octets)
{
    struct fake *f = owner;
    if (!f->holds || octets.n == 0)
        abort();
    buf_put(&f->message, octets);
}
static bool world_is_full(void *owner)
{
    struct fake *f = owner;
    return f->lag && f->lags++ % 2 == 0;
}
static void world_end(void *owner)
{
    struct fake *f = owner;
    if (!f->holds)
        abort();
    fake_ask(f, SMTP_WAIT_STORE);
}
static void world_drop(void *owner)
{
    struct fake *f = owner;
    if (!f->holds)
        abort();
    f->holds = false;
    f->drops++;
}

static void world_refused(void *owner, enum status why, const struct address *about)
{
    struct fake *f = owner;
    (void)about;
    f->refusals++;
    f->refused = why;
}

static const struct smtp_world fake_world = {
    .refused = world_refused,
    .resolve = world_resolve,
    .owns = world_owns,
    .mechanisms = world_mechanisms,
    .auth_start = world_auth_start,
    .auth_step = world_auth_step,
    .auth_cancel = world_auth_cancel,
    .tls_start = world_tls_start,
    .begin = world_begin,
    .put = world_put,
    .is_full = world_is_full,
    .end = world_end,
    .drop = world_drop,
};

static void fake_start(struct fake *f, enum smtp_door door, bool tls)
{
    *f = (struct fake){
        .in = BUF_INIT(1 << 22),
        .out = BUF_INIT(1 << 22),
        .said = BUF_INIT(1 << 22),
        .message = BUF_INIT(FAKE_LIMIT * 4),
        .response = BUF_INIT(20000),
        .verdict = STATUS_STORED,
        .tls = tls,
        .begin_verdict = STATUS_OK,
        .password = S("\0alice\0good"),
        .challenges = 1};
    struct smtp_options options = {
        .door = door,
        .tls = tls,
        .tls_possible = true,
        .hostname = S("mx.test"),
        .message_limit = FAKE_LIMIT,
        .recipients = door == SMTP_DOOR_MX ? LIMIT_SMTP_RCPT_MX : LIMIT_SMTP_RCPT_SUBMISSION};
    smtp_dialogue_init(&f->d, &options, &fake_world, f, &f->said);
    smtp_dialogue_greet(&f->d, false);
}

static void fake_done(struct fake *f)
{
    smtp_dialogue_done(&f->d);
    if (f->holds && f->asked != SMTP_WAIT_STORE)
        abort(); /* a message was neither stored nor dropped */
    for (unsigned i = 0; i < f->stored_count; i++)
        buf_done(&f->stored[i].octets);
    buf_done(&f->in);
    buf_done(&f->out);
    buf_done(&f->said);
    buf_done(&f->message);
    buf_done(&f->response);
}

/* Lets everything happen that can, as the gate's loop would. */
static void fake_run(struct fake *f)
{
    for (bool more = true; more;) {
        struct slice in = buf_slice(&f->in);
        size_t before = in.n;
        smtp_dialogue_feed(&f->d, &in);
        buf_drop_front(&f->in, before - in.n);
        more = f->said.n > LIMIT_SESSION_OUTPUT; /* it stopped because of that */
        buf_put(&f->out, buf_slice(&f->said));
        buf_clear(&f->said);
        if (f->d.wait == SMTP_WAIT_ROOM) {
            smtp_dialogue_room(&f->d);
            more = true;
        }
        more = fake_answer(f) || more;
    }
    if (smtp_dialogue_is_closed(&f->d))
        buf_clear(&f->in);
}

/* Sends in pieces of `step` octets. */
static void fake_send(struct fake *f, struct slice octets, size_t step)
{
    for (size_t at = 0; at < octets.n && !smtp_dialogue_is_closed(&f->d); at += step) {
        buf_put(&f->in, slice_sub(octets, at, step));
        fake_run(f);
    }
}

#endif

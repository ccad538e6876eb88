#include "vault/signin.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "sasl/server.h"
#include "vault/policy.h"
#include "vault/signin_private.h"
#include "vault/tick.h"

static const char *const state_name[] = {"client", "hash", "keeper", "tick", "look", "last"};
static_assert(sizeof state_name / sizeof *state_name == SIGNIN_STATES, "a state without a name");

struct signins *signins_new(struct vault *v, struct guard *guard, const struct signin_ops *ops, void *owner)
{
    struct signins *s = NEW(struct signins);
    *s = (struct signins){.magic = SIGNIN_MAGIC, .vault = v, .guard = guard, .ops = ops, .owner = owner};
    s->offer = signin_offer_default();
    map_init(&s->by_key, LIMIT_SIGNINS);
    map_init(&s->by_id, LIMIT_SIGNINS);
    map_init(&s->tests, LIMIT_HASH_QUEUE);
    for (unsigned i = 0; i < SIGNIN_STATES; i++)
        list_init(&s->states[i]);
    return s;
}

void signins_set_offer(struct signins *s, const struct signin_offer *offer)
{
    s->offer = *offer;
}

static struct slice key_slice(const struct exchange *x)
{
    return slice_of(&x->key, sizeof x->key);
}

/* The client hears nothing more of it: its key is free for a new exchange. */
static void forget_client(struct signins *s, struct exchange *x)
{
    if (map_find(&s->by_key, key_slice(x)) == x)
        map_drop(&s->by_key, key_slice(x));
}

/* T-254: each gate has its share, so that one in the wrong hands neither guesses without end nor takes the others' places. */
static unsigned *share_of(struct signins *s, uint64_t gate)
{
    return &s->of_gate[gate % SIGNIN_GATES];
}

static void end(struct signins *s, struct exchange *x)
{
    forget_client(s, x);
    (*share_of(s, x->key.gate))--;
    if (map_find(&s->by_id, map_id(&x->id)) == x)
        map_drop(&s->by_id, map_id(&x->id));
    list_drop(&x->link);
    sasl_server_free(&x->sasl);
    signin_facts_done(&x->facts);
    buf_done(&x->program);
    buf_done(&x->tls);
    buf_wipe(&x->exporter);
    buf_wipe(&x->end_point);
    buf_done(&x->certificate_hash);
    buf_done(&x->certificate_name);
    secret_wipe(x->ticket, sizeof x->ticket);
    free(x);
}

void signins_free(struct signins **signins)
{
    struct signins *s = *signins;
    *signins = NULL;
    if (!s)
        return;
    assert(s->magic == SIGNIN_MAGIC);
    for (unsigned i = 0; i < SIGNIN_STATES; i++)
        LIST_EACH (&s->states[i], struct exchange, link, x)
            end(s, x);
    signin_trials_free(s);
    map_done(&s->by_key);
    map_done(&s->by_id);
    s->magic = 0;
    free(s);
}

size_t signins_count(const struct signins *s)
{
    return s->by_id.count;
}

void signins_describe(const struct signins *s, struct buf *out)
{
    for (unsigned i = 0; i < SIGNIN_STATES; i++) {
        unsigned n = 0;
        for (const struct list *l = s->states[i].next; l != &s->states[i]; l = l->next)
            n++;
        buf_printf(out, "%s%s=%u", i ? " " : "", state_name[i], n);
    }
}

/* ---- time ---- */

static uint64_t now_of(const struct signins *s)
{
    return s->ops->now_ms(s->owner);
}

static void wake(struct signins *s)
{
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < SIGNIN_STATES; i++) {
        const struct exchange *first = LIST_FIRST(&s->states[i], struct exchange, link);
        if (first && first->due < at)
            at = first->due;
    }
    s->ops->wake_at(s->owner, at);
}

/* The one place where the state changes. Lists are in the order of `due`; all of a list wait about equally long, so the place is
 * near its end. */
static void move(struct signins *s, struct exchange *x, enum signin_state state, uint64_t due)
{
    struct list *head = &s->states[state], *behind = head;
    x->state = state;
    x->due = due;
    list_drop(&x->link);
    while (behind->prev != head && CONTAINER_OF(behind->prev, struct exchange, link)->due > due)
        behind = behind->prev;
    list_add(behind, &x->link);
    wake(s);
}

/* ---- answering ---- */

static void answer(struct signins *s, struct exchange *x, enum signin_answer_kind kind, struct slice data)
{
    struct signin_answer a = {.kind = kind, .data = data};
    if (kind == SIGNIN_OK) {
        a.ticket = slice_of(x->ticket, sizeof x->ticket);
        a.account = x->facts.account.id;
        a.slot = x->facts.account.slot;
        a.address = slice_str(x->facts.account.address);
        a.credential = x->facts.client.id;
    }
    s->ops->answer(s->owner, (unsigned)x->key.gate, x->reply, &a);
}

static void answer_without(struct signins *s, unsigned gate, uint64_t reply, enum signin_answer_kind kind)
{
    struct signin_answer a = {.kind = kind};
    s->ops->answer(s->owner, gate, reply, &a);
}

static void tell_and_end(struct signins *s, struct exchange *x)
{
    signin_tell(s, x);
    end(s, x);
}

/* ---- deciding ---- */

static void grant(struct signins *s, struct exchange *x)
{
    struct signin_facts *f = &x->facts;
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    random_bytes(x->ticket, sizeof x->ticket);
    if (credential_is_made(x->question.kind)) {
        scope_write(&f->client.scopes.limits, &limits);
    } else {
        f->client.id = VAULT_MAILBOX_CREDENTIAL;
        f->client.version = f->account.version;
    }
    struct signin_grant g = {
        .ticket = slice_of(x->ticket, sizeof x->ticket),
        .account = f->account.id,
        .slot = f->account.slot,
        .credential = f->client.id,
        .version = f->client.version,
        .door = x->door,
        .can_receive = x->decision.can_receive,
        .can_send = x->decision.can_send,
        .expires_s = x->decision.expires_s,
        .limits = buf_slice(&limits),
        .address = slice_str(f->account.address),
        .language = slice_str(f->account.language),
        .program = buf_slice(&x->program),
        .quota_bytes = f->account.quota_bytes,
    };
    uint64_t id = x->id;
    move(s, x, SIGNIN_GRANTING, now_of(s) + LIMIT_GRANT_WAIT);
    s->ops->grant(s->owner, id, &g);
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* INV-S1: at a door where Argon2 may have to be computed, no refusal comes before it usually is, whether it was or not. */
static uint64_t floor_of(struct signins *s, const struct exchange *x)
{
    enum mailbox_policy widest = MAILBOX_NEVER;
    enum err e = vault_policy_mailbox_widest(s->vault, x->door, &widest);
    return x->arrived + (e == OK && widest != MAILBOX_NEVER ? LIMIT_SIGNIN_FLOOR : 0);
}

/* Holds the answer back until the tick. What was to be counted is counted at once: guesses that come together do not pass
 * together. */
static void hold(struct signins *s, struct exchange *x)
{
    uint64_t due = later_of(tick_after(x->arrived, now_of(s)), later_of(x->earliest, floor_of(s, x)));
    signin_count(s, x);
    move(s, x, SIGNIN_HELD, due);
}

static void hold_unavailable(struct signins *s, struct exchange *x)
{
    x->decision = (struct decision){.verdict = VERDICT_LATER, .reason = REASON_UNAVAILABLE};
    hold(s, x);
}

static void settle(struct signins *s, struct exchange *x)
{
    x->question.now_s = s->ops->now_s(s->owner);
    x->decision = decide(&x->question);
    if (x->decision.verdict == VERDICT_YES)
        grant(s, x);
    else
        hold(s, x);
}

static void judge(struct signins *s, struct exchange *x)
{
    bool must_hash = false;
    if (signin_judge(s, x, &must_hash) != OK) {
        hold_unavailable(s, x);
        return;
    }
    if (!must_hash) {
        settle(s, x);
        return;
    }
    move(s, x, SIGNIN_HASHING, x->arrived + LIMIT_HASH_WAIT);
    enum err e =
        signin_start_hash(s, x->id, &x->facts, x->question.policy, sasl_server_claim(x->sasl)->secret);
    if (e == ERR_SYNTAX)
        settle(s, x);
    else if (e != OK)
        hold_unavailable(s, x);
}

static void take_outcome(struct signins *s, struct exchange *x, enum sasl_outcome outcome, struct buf *out)
{
    switch (outcome) {
    case SASL_CHALLENGE:
        move(s, x, SIGNIN_WAITS, now_of(s) + LIMIT_SIGNIN_TIME);
        answer(s, x, SIGNIN_CHALLENGE, buf_slice(out));
        return;
    case SASL_CLAIM:
        judge(s, x);
        return;
    case SASL_DONE:
    case SASL_FAILED:
    case SASL_BAD:
        answer(s, x, x->is_blind ? SIGNIN_LATER : SIGNIN_MALFORMED, SLICE_EMPTY);
        end(s, x);
        wake(s);
        return;
    }
}

/* ---- what comes from the gate ---- */

static fallible salt_for(void *owner, struct slice name, struct buf *salt, uint32_t *ret_rounds)
{
    struct exchange *x = owner;
    uint8_t octets[SCRAM_SALT_LEN];
    enum err e = vault_scram_salt(x->vault, name, octets, ret_rounds);
    x->is_blind = e != OK;
    TRY(e);
    buf_put(salt, slice_of(octets, sizeof octets));
    return buf_check(salt);
}

static void keep(struct buf *kept, size_t most, struct slice text)
{
    buf_init(kept, most);
    buf_put(kept, slice_sub(text, 0, most));
}

static struct exchange *
exchange_new(struct signins *s, const struct signin_request *r, const struct sasl_mechanism *mechanism)
{
    struct exchange *x = NEW(struct exchange);
    x->id = ++s->last_id;
    x->vault = s->vault;
    x->key.gate = r->gate;
    x->key.session = r->session;
    x->reply = r->reply;
    x->arrived = now_of(s);
    x->door = r->door;
    x->client = r->client;
    x->has_tls = r->tls.n > 0;
    keep(&x->program, LIMIT_PROGRAM_NAME, r->program);
    keep(&x->tls, LIMIT_CLIENT_TLS, r->tls);
    keep(&x->exporter, 64, r->exporter);
    keep(&x->end_point, 64, r->end_point);
    keep(&x->certificate_hash, CLIENT_CERTIFICATE_HASH_LEN, r->certificate_hash);
    keep(&x->certificate_name, LIMIT_ADDRESS, r->certificate_name);
    struct sasl_env env = {
        .slab = s->vault->slab,
        .exporter = buf_slice(&x->exporter),
        .end_point = buf_slice(&x->end_point),
        .offers_plus = x->has_tls && signin_offers(&s->offer, sasl_find(S("SCRAM-SHA-256-PLUS")), true),
        .certificate_hash = buf_slice(&x->certificate_hash),
        .certificate_name = buf_slice(&x->certificate_name),
        .salt = salt_for,
        .owner = x,
    };
    x->sasl = sasl_server_new(mechanism, &env);
    list_init(&x->link);
    (*share_of(s, r->gate))++;
    return x;
}

static struct exchange *find(struct signins *s, unsigned gate, uint64_t session)
{
    struct exchange wanted = {.key = {.session = session, .gate = gate}};
    return map_find(&s->by_key, key_slice(&wanted));
}

void signin_start(struct signins *s, const struct signin_request *r)
{
    assert(s->magic == SIGNIN_MAGIC && (unsigned)r->door < VAULT_DOORS);
    const struct sasl_mechanism *mechanism = sasl_find(r->mechanism);
    struct exchange *before = find(s, r->gate, r->session);
    /* One at a time on a connection; and the gate offers only what there is. Without TLS the secret is on the wire already: it is
     * judged, so that its owner learns what happened. */
    if (before || !mechanism || !signin_offers(&s->offer, mechanism, true)) {
        answer_without(s, r->gate, r->reply, SIGNIN_MALFORMED);
        return;
    }
    if (*share_of(s, r->gate) >= LIMIT_SIGNINS_PER_GATE) {
        answer_without(s, r->gate, r->reply, SIGNIN_LATER);
        return;
    }
    struct exchange *x = exchange_new(s, r, mechanism);
    if (map_add(&s->by_id, map_id(&x->id), x) != OK || map_add(&s->by_key, key_slice(x), x) != OK) {
        answer_without(s, r->gate, r->reply, SIGNIN_LATER);
        end(s, x);
        return;
    }
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    take_outcome(s, x, sasl_server_start(x->sasl, r->initial, &out), &out);
}

/* The decision was taken before: after a no this is the word that OAUTHBEARER owes; after a yes SCRAM's client has believed us. */
static void take_last(struct signins *s, struct exchange *x, struct slice response)
{
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    enum sasl_outcome outcome = sasl_server_step(x->sasl, response, &out);
    if (x->decision.verdict != VERDICT_YES) {
        answer(s, x, SIGNIN_NO, SLICE_EMPTY);
        end(s, x);
    } else if (outcome == SASL_DONE) {
        answer(s, x, SIGNIN_OK, SLICE_EMPTY);
        tell_and_end(s, x);
    } else {
        x->decision = (struct decision){.verdict = VERDICT_NO, .reason = REASON_MALFORMED};
        answer(s, x, SIGNIN_MALFORMED, SLICE_EMPTY);
        tell_and_end(s, x);
    }
    wake(s);
}

void signin_step(struct signins *s, unsigned gate, uint64_t session, uint64_t reply, struct slice response)
{
    assert(s->magic == SIGNIN_MAGIC);
    struct exchange *x = find(s, gate, session);
    if (!x || (x->state != SIGNIN_WAITS && x->state != SIGNIN_LAST)) {
        answer_without(s, gate, reply, SIGNIN_MALFORMED);
        return;
    }
    x->reply = reply;
    if (x->state == SIGNIN_LAST) {
        take_last(s, x, response);
        return;
    }
    x->arrived = now_of(s);
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    take_outcome(s, x, sasl_server_step(x->sasl, response, &out), &out);
}

/* What was decided is told although nobody waits for the answer: hanging up hides nothing. */
static void abandon(struct signins *s, struct exchange *x)
{
    bool is_half_in =
        x->state == SIGNIN_GRANTING || (x->state == SIGNIN_LAST && x->decision.verdict == VERDICT_YES);
    if (x->state == SIGNIN_LOOKING)
        return;
    if (is_half_in)
        x->decision = (struct decision){.verdict = VERDICT_NO, .reason = REASON_ABANDONED};
    if (x->state == SIGNIN_HELD || is_half_in)
        signin_tell(s, x);
    end(s, x);
}

void signin_cancel(struct signins *s, unsigned gate, uint64_t session)
{
    struct exchange *x = find(s, gate, session);
    if (x)
        abandon(s, x);
    wake(s);
}

void signins_drop_gate(struct signins *s, unsigned gate)
{
    for (unsigned i = 0; i < SIGNIN_STATES; i++)
        LIST_EACH (&s->states[i], struct exchange, link, x)
            if (x->key.gate == gate)
                abandon(s, x);
    wake(s);
}

/* ---- what comes back ---- */

/* The keeper has the grant. SCRAM's server proves itself first; the ticket's life runs meanwhile. */
static void finish_yes(struct signins *s, struct exchange *x)
{
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    signin_count(s, x);
    if (credential_is_made(x->question.kind))
        vault_client_used(
            s->vault, x->facts.client.id, s->ops->now_s(s->owner), &x->client, buf_slice(&x->program),
            buf_slice(&x->tls));
    sasl_server_set_server_key(x->sasl, x->facts.server_key);
    enum sasl_outcome outcome = sasl_server_judged(x->sasl, true, &out);
    if (outcome == SASL_CHALLENGE) {
        move(s, x, SIGNIN_LAST, now_of(s) + LIMIT_TICKET_LIFE / 2);
        answer(s, x, SIGNIN_CHALLENGE, buf_slice(&out));
        return;
    }
    assert(outcome == SASL_DONE);
    answer(s, x, SIGNIN_OK, buf_slice(&out));
    tell_and_end(s, x);
    wake(s);
}

void signin_granted(struct signins *s, uint64_t id, bool accepted)
{
    struct exchange *x = map_find(&s->by_id, map_id(&id));
    if (!x || x->state != SIGNIN_GRANTING)
        return; /* the client went away meanwhile: the keeper forgets the grant by itself */
    if (accepted)
        finish_yes(s, x);
    else
        hold_unavailable(s, x);
}

/* The tick is fixed here, with room for a look at a code: whether there was one to look at must not show. The guard is asked
 * again: of guesses that were compared side by side no more pass than one after the other. */
static void settle_hashed(struct signins *s, struct exchange *x, enum err result)
{
    x->earliest = tick_after(x->arrived, now_of(s) + LIMIT_SIGNIN_MARGIN);
    signin_look_at_guard(s, x);
    enum err e = result == ERR_DENIED ? OK : result;
    if (e == OK)
        e = signin_judge_hashed(s, &x->facts, sasl_server_claim(x->sasl)->secret, result == OK, &x->question);
    if (e == OK)
        settle(s, x);
    else
        hold_unavailable(s, x);
}

void signin_hashed(struct signins *s, uint64_t id, enum err result)
{
    if (signin_trial_hashed(s, id, result))
        return;
    struct exchange *x = map_find(&s->by_id, map_id(&id));
    if (x && x->state == SIGNIN_HASHING) {
        settle_hashed(s, x, result);
    } else if (x && x->state == SIGNIN_LOOKING) {
        if (result == OK)
            x->decision.reason = REASON_MAILBOX_PASSWORD;
        tell_and_end(s, x);
        wake(s);
    }
}

/* INV-S3: the answer has gone; was it the mailbox password? Only a strike that is new is worth the work. */
static bool is_worth_a_look(struct signins *s, const struct exchange *x, uint64_t now)
{
    return x->facts.may_be_mailbox && x->facts.widest == MAILBOX_NEVER &&
           x->decision.reason == REASON_WRONG_SECRET && x->is_new_strike && x->facts.account.has_password &&
           s->looks_free < now + (uint64_t)LIMIT_SIGNIN_LOOKS * LIMIT_SIGNIN_LOOK_EVERY;
}

static bool start_look(struct signins *s, struct exchange *x, uint64_t now)
{
    if (!is_worth_a_look(s, x, now))
        return false;
    s->looks_free = (s->looks_free > now ? s->looks_free : now) + LIMIT_SIGNIN_LOOK_EVERY;
    move(s, x, SIGNIN_LOOKING, now + 2 * (uint64_t)LIMIT_HASH_WAIT);
    return signin_start_hash(s, x->id, &x->facts, MAILBOX_NEVER, sasl_server_claim(x->sasl)->secret) == OK;
}

/* OAUTHBEARER has a no of its own, in JSON, that the client acknowledges: it comes at the tick, the protocol's no after it. */
static void answer_no(struct signins *s, struct exchange *x, uint64_t now)
{
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    if (sasl_server_mechanism(x->sasl)->flags & SASL_TAKES_TOKEN &&
        sasl_server_judged(x->sasl, false, &out) == SASL_CHALLENGE) {
        move(s, x, SIGNIN_LAST, now + LIMIT_SIGNIN_TIME);
        answer(s, x, SIGNIN_CHALLENGE, buf_slice(&out));
        signin_tell(s, x);
        return;
    }
    answer(s, x, SIGNIN_NO, SLICE_EMPTY);
    forget_client(s, x);
    if (!start_look(s, x, now))
        tell_and_end(s, x);
}

static void answer_held(struct signins *s, struct exchange *x, uint64_t now)
{
    if (x->decision.verdict == VERDICT_NO) {
        answer_no(s, x, now);
        return;
    }
    answer(s, x, SIGNIN_LATER, SLICE_EMPTY);
    tell_and_end(s, x);
}

static void expire(struct signins *s, struct exchange *x, uint64_t now)
{
    switch (x->state) {
    case SIGNIN_WAITS: /* the gate ends such connections itself; this one has forgotten to tell */
        end(s, x);
        return;
    case SIGNIN_LAST:
        abandon(s, x);
        return;
    case SIGNIN_HASHING:
    case SIGNIN_GRANTING:
        hold_unavailable(s, x);
        return;
    case SIGNIN_HELD:
        answer_held(s, x, now);
        return;
    case SIGNIN_LOOKING:
        tell_and_end(s, x);
        return;
    case SIGNIN_STATES:
        return;
    }
}

void signin_tick(struct signins *s)
{
    assert(s->magic == SIGNIN_MAGIC);
    uint64_t now = now_of(s);
    for (unsigned i = 0; i < SIGNIN_STATES; i++) {
        struct exchange *x;
        while ((x = LIST_FIRST(&s->states[i], struct exchange, link)) && x->due <= now)
            expire(s, x, now);
    }
    wake(s);
}

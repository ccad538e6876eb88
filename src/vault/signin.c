#include "vault/signin.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "sasl/server.h"
#include "vault/accounts.h"
#include "vault/private.h"
#include "vault/why.h"

enum { MAGIC = 0x51691001, SALT_TEXT = 128 };

/* Every wait has a name, for `letterlock status`. */
enum state {
    STATE_WAITS,    /* for the client's next step */
    STATE_HASHING,  /* for the pool, before the decision */
    STATE_GRANTING, /* for the keeper */
    STATE_HELD,     /* decided no or later; answered at `due` */
    STATE_LOOKING,  /* answered; the pool looks whether it was the mailbox password */
    STATES
};
static const char *const state_name[] = {"client", "hash", "keeper", "tick", "look"};
static_assert(sizeof state_name / sizeof *state_name == STATES, "a state without a name");

struct exchange {
    struct list link; /* in its state's list; HELD ordered by `due` */
    uint64_t id;
    struct {
        uint64_t session;
        uint64_t gate;
    } key;
    enum state state;
    uint64_t reply;
    uint64_t arrived; /* when the step that is being judged came */
    uint64_t due;     /* WAITS, HASHING: too late then; HELD: answered then */
    struct sasl_server *sasl;
    enum vault_door door;
    struct ip client;
    bool has_tls;
    struct buf program, exporter, end_point;
    /* of the claim */
    bool has_account;
    struct vault_account account;
    struct vault_client found;
    struct decide_question question;
    struct decision decision;
    bool is_new_strike;
    uint8_t ticket[SIGNIN_TICKET_LEN];
};

struct signins {
    uint32_t magic;
    struct vault *vault;
    struct guard *guard;
    const struct signin_ops *ops;
    void *owner;
    struct map by_key, by_id;
    struct list states[STATES];
    uint64_t last_id;
    uint64_t looks_free; /* when all of LIMIT_SIGNIN_LOOKS are allowed again: each look moves it on */
};

struct signins *signins_new(struct vault *v, struct guard *guard, const struct signin_ops *ops, void *owner)
{
    struct signins *s = NEW(struct signins);
    *s = (struct signins){.magic = MAGIC, .vault = v, .guard = guard, .ops = ops, .owner = owner};
    map_init(&s->by_key, LIMIT_SIGNINS);
    map_init(&s->by_id, LIMIT_SIGNINS);
    for (unsigned i = 0; i < STATES; i++)
        list_init(&s->states[i]);
    return s;
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

static void end(struct signins *s, struct exchange *x)
{
    forget_client(s, x);
    map_drop(&s->by_id, map_id(&x->id));
    list_drop(&x->link);
    sasl_server_free(&x->sasl);
    buf_done(&x->program);
    buf_wipe(&x->exporter);
    buf_wipe(&x->end_point);
    secret_wipe(x->ticket, sizeof x->ticket);
    free(x);
}

void signins_free(struct signins **signins)
{
    struct signins *s = *signins;
    *signins = NULL;
    if (!s)
        return;
    assert(s->magic == MAGIC);
    for (unsigned i = 0; i < STATES; i++)
        LIST_EACH (&s->states[i], struct exchange, link, x)
            end(s, x);
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
    for (unsigned i = 0; i < STATES; i++) {
        unsigned n = 0;
        for (const struct list *l = s->states[i].next; l != &s->states[i]; l = l->next)
            n++;
        buf_printf(out, "%s%s=%u", i ? " " : "", state_name[i], n);
    }
}

/* ---- time ---- */

static void wake(struct signins *s)
{
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; i < STATES; i++) {
        const struct exchange *first = LIST_FIRST(&s->states[i], struct exchange, link);
        if (first && first->due < at)
            at = first->due;
    }
    s->ops->wake_at(s->owner, at);
}

/* The one place where the state changes. Lists are in the order of `due`, since all but HELD wait equally long. */
static void move(struct signins *s, struct exchange *x, enum state state, uint64_t due)
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

/* INV-S1. */
static uint64_t next_tick(const struct exchange *x, uint64_t now)
{
    return x->arrived + ((now - x->arrived) / LIMIT_SIGNIN_TICK + 1) * LIMIT_SIGNIN_TICK;
}

/* ---- telling ---- */

static const char *outcome_name(enum verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_NO] = "refused", [VERDICT_LATER] = "later", [VERDICT_YES] = "ok"};
    return names[verdict];
}

/* INV-S4: what was typed as a name is told in clear only when it is an account's. */
static void tell(struct signins *s, struct exchange *x, struct slice name)
{
    char ip[IP_TEXT_MAX], alias[WHY_ALIAS_LEN + 1];
    const struct decision *d = &x->decision;
    vault_name_alias(s->vault, name, alias);
    struct why_row row = {
        .time_s = s->ops->now_s(s->owner),
        .name = x->has_account ? slice_str(x->account.address) : name,
        .account = x->has_account ? &x->account.id : NULL,
        .door = slice_str(vault_door_name(x->door)),
        .outcome = slice_str(outcome_name(d->verdict)),
        .reason = slice_str(reason_name(d->reason)),
        .credential = x->found.id,
        .client = x->client,
        .program = buf_slice(&x->program),
    };
    vault_why_add(s->vault, &row);
    struct slice who = x->has_account ? slice_str(x->account.address) : slice_str(alias);
    log_event(
        d->verdict == VERDICT_YES ? LOG_INFO : LOG_WARN, "signin", LOG_ID(x->key.session),
        LOG_STR("door", vault_door_name(x->door)), LOG_STR("outcome", outcome_name(d->verdict)),
        LOG_STR("reason", reason_name(d->reason)), LOG_TEXT(x->has_account ? "account" : "name_hash", who),
        LOG_NUM("credential", x->found.id), LOG_STR("client", ip_text(&x->client, ip)),
        LOG_TEXT("program", buf_slice(&x->program)));
    struct buf body CLEANUP_BUF = BUF_INIT(1024);
    buf_printf(
        &body, "door=%s\nreason=%s\ncredential=%llu\nclient=%s\n", vault_door_name(x->door),
        reason_name(d->reason), (unsigned long long)x->found.id, ip);
    char kind[32];
    snprintf(kind, sizeof kind, "signin.%s", outcome_name(d->verdict));
    vault_audit(s->vault, kind, who, &body);
}

static void answer(struct signins *s, struct exchange *x, enum signin_answer_kind kind, struct slice data)
{
    struct signin_answer a = {.kind = kind, .data = data};
    if (kind == SIGNIN_OK) {
        a.ticket = slice_of(x->ticket, sizeof x->ticket);
        a.account = x->account.id;
        a.slot = x->account.slot;
        a.address = slice_str(x->account.address);
        a.credential = x->found.id;
    }
    s->ops->answer(s->owner, (unsigned)x->key.gate, x->reply, &a);
}

static void answer_without(struct signins *s, unsigned gate, uint64_t reply, enum signin_answer_kind kind)
{
    struct signin_answer a = {.kind = kind};
    s->ops->answer(s->owner, gate, reply, &a);
}

/* ---- judging a claim ---- */

static struct guard_who
guard_who_of(struct signins *s, const struct exchange *x, const struct address_key *key)
{
    return (struct guard_who){
        .name = address_key_text(key),
        .client = x->client,
        .is_exempt = s->ops->is_exempt(s->owner, &x->client),
    };
}

/* A name that is no address gets a key all the same, so that it is counted like any other. */
static void key_of_name(struct slice name, struct address_key *ret_key)
{
    struct address a;
    if (address_parse(name, ADDRESS_ALLOW_UTF8, &a) == OK && !a.is_literal && address_key(&a, ret_key) == OK)
        return;
    struct hash h = hash_of(NULL, name);
    *ret_key = (struct address_key){.n = sizeof h.b};
    memcpy(ret_key->text, h.b, sizeof h.b);
}

/* T-078: another spelling of the same account is the same person. */
static bool is_other(struct signins *s, const struct exchange *x, struct slice authzid)
{
    struct vault_account other;
    if (!authzid.n)
        return false;
    return !x->has_account || vault_account_find(s->vault, authzid, &other) != OK ||
           !account_id_eq(&other.id, &x->account.id);
}

/* The look-ups are the same for an unknown name: with an id nobody has. */
static fallible recognise(struct signins *s, struct exchange *x, const struct sasl_claim *claim)
{
    struct decide_question *q = &x->question;
    enum err e = vault_account_find(s->vault, claim->authcid, &x->account);
    x->has_account = e == OK;
    if (e != OK && e != ERR_NOT_FOUND && e != ERR_SYNTAX)
        return e;
    struct account_id nobody = {{0}};
    struct clientpw pw;
    enum clientpw_look look = clientpw_read(secret_reveal(claim->secret), &pw);
    q->kind = look == CLIENTPW_SLIP ? CREDENTIAL_SLIP : CREDENTIAL_NONE;
    if (look == CLIENTPW_GOOD) {
        e = vault_client_find(s->vault, x->has_account ? &x->account.id : &nobody, &pw, &x->found);
        secret_wipe(&pw, sizeof pw);
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        if (e == OK) {
            q->kind = CREDENTIAL_CLIENT;
            q->is_revoked = x->found.is_revoked;
            q->scopes = x->found.scopes;
        }
    }
    q->account = x->has_account ? x->account.status : ACCOUNT_UNKNOWN;
    q->as_other = is_other(s, x, claim->authzid);
    return OK;
}

static void grant(struct signins *s, struct exchange *x)
{
    random_bytes(x->ticket, sizeof x->ticket);
    bool is_mailbox = x->question.kind == CREDENTIAL_MAILBOX;
    if (is_mailbox) {
        x->found.id = VAULT_MAILBOX_CREDENTIAL;
        x->found.version = x->account.version;
    }
    struct signin_grant g = {
        .ticket = slice_of(x->ticket, sizeof x->ticket),
        .account = x->account.id,
        .slot = x->account.slot,
        .credential = x->found.id,
        .version = x->found.version,
        .door = x->door,
        .can_receive = x->decision.can_receive,
        .can_send = x->decision.can_send,
        .expires_s = x->decision.expires_s,
        .address = slice_str(x->account.address),
        .language = slice_str(x->account.language),
        .program = buf_slice(&x->program),
        .quota_bytes = x->account.quota_bytes,
    };
    uint64_t id = x->id;
    move(s, x, STATE_GRANTING, x->arrived + LIMIT_SIGNIN_ANSWER - LIMIT_SIGNIN_TICK);
    s->ops->grant(s->owner, id, &g);
}

/* Counts, tells, and holds the answer back until the tick. */
static void refuse(struct signins *s, struct exchange *x)
{
    const struct sasl_claim *claim = sasl_server_claim(x->sasl);
    if (reason_counts(x->decision.reason)) {
        struct address_key key;
        key_of_name(claim->authcid, &key);
        struct guard_who who = guard_who_of(s, x, &key);
        x->is_new_strike =
            guard_count_wrong(s->guard, s->ops->now_ms(s->owner), &who, secret_reveal(claim->secret));
    }
    move(s, x, STATE_HELD, next_tick(x, s->ops->now_ms(s->owner)));
}

static void settle(struct signins *s, struct exchange *x)
{
    x->question.now_s = s->ops->now_s(s->owner);
    x->decision = decide(&x->question);
    if (x->decision.verdict == VERDICT_YES)
        grant(s, x);
    else
        refuse(s, x);
}

static void settle_unavailable(struct signins *s, struct exchange *x)
{
    x->decision = (struct decision){.verdict = VERDICT_LATER, .reason = REASON_UNAVAILABLE};
    refuse(s, x);
}

/* The stored text of the account's mailbox password; for nobody, one that no password fits but that costs the same. */
static fallible stored_password(struct signins *s, const struct exchange *x, struct secret *ret_text)
{
    enum err e = x->has_account ? vault_account_password(s->vault, &x->account.id, ret_text) : ERR_NOT_FOUND;
    if (e != ERR_NOT_FOUND)
        return e;
    struct buf text CLEANUP_BUF = BUF_INIT(SALT_TEXT);
    buf_printf(
        &text,
        "$argon2id$v=19$m=%u,t=%u,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        s->vault->settings.cost.memory_kib, s->vault->settings.cost.passes);
    return secret_copy(s->vault->slab, buf_slice(&text), ret_text);
}

static fallible start_hash(struct signins *s, struct exchange *x)
{
    struct secret stored CLEANUP_SECRET = SECRET_NONE, password CLEANUP_SECRET = SECRET_NONE;
    TRY(stored_password(s, x, &stored));
    TRY(vault_password_normal(s->vault, sasl_server_claim(x->sasl)->secret, &password));
    TRY(s->ops->hash(s->owner, x->id, &stored, &password));
    stored = password = SECRET_NONE;
    return OK;
}

static void judge(struct signins *s, struct exchange *x)
{
    const struct sasl_claim *claim = sasl_server_claim(x->sasl);
    struct address_key key;
    key_of_name(claim->authcid, &key);
    struct guard_who who = guard_who_of(s, x, &key);
    x->question = (struct decide_question){
        .door = x->door,
        .has_tls = x->has_tls,
        .policy = s->ops->policy(s->owner, x->door),
        .must_wait = guard_must_wait(s->guard, s->ops->now_ms(s->owner), &who),
        .client = x->client,
    };
    if (recognise(s, x, claim) != OK) {
        settle_unavailable(s, x);
        return;
    }
    /* INV-S3: only where the mailbox password may open the door, and never for one who must wait anyway. */
    bool may_be_mailbox = x->question.kind == CREDENTIAL_NONE && x->question.policy == MAILBOX_ALLOWED;
    if (!may_be_mailbox || x->question.must_wait || !x->has_tls) {
        settle(s, x);
        return;
    }
    move(s, x, STATE_HASHING, x->arrived + LIMIT_HASH_WAIT);
    if (start_hash(s, x) != OK)
        settle_unavailable(s, x);
}

static void take_outcome(struct signins *s, struct exchange *x, enum sasl_outcome outcome, struct buf *out)
{
    switch (outcome) {
    case SASL_CHALLENGE:
        move(s, x, STATE_WAITS, s->ops->now_ms(s->owner) + LIMIT_SIGNIN_TIME);
        answer(s, x, SIGNIN_CHALLENGE, buf_slice(out));
        return;
    case SASL_CLAIM:
        judge(s, x);
        return;
    case SASL_DONE:
    case SASL_FAILED:
    case SASL_BAD:
        answer(s, x, SIGNIN_MALFORMED, SLICE_EMPTY);
        end(s, x);
        wake(s);
        return;
    }
}

/* ---- what comes from the gate ---- */

static fallible salt_for(void *owner, struct slice name, struct buf *salt, uint32_t *ret_rounds)
{
    struct signins *s = owner;
    uint8_t octets[SCRAM_SALT_LEN];
    TRY(vault_scram_salt(s->vault, name, octets, ret_rounds));
    buf_put(salt, slice_of(octets, sizeof octets));
    return buf_check(salt);
}

static struct exchange *
exchange_new(struct signins *s, const struct signin_request *r, const struct sasl_mechanism *mechanism)
{
    struct exchange *x = NEW(struct exchange);
    x->id = ++s->last_id;
    x->key.gate = r->gate;
    x->key.session = r->session;
    x->reply = r->reply;
    x->arrived = s->ops->now_ms(s->owner);
    x->door = r->door;
    x->client = r->client;
    x->has_tls = r->has_tls;
    buf_init(&x->program, LIMIT_PROGRAM_NAME);
    buf_init(&x->exporter, 64);
    buf_init(&x->end_point, 64);
    buf_put(&x->program, slice_sub(r->program, 0, LIMIT_PROGRAM_NAME));
    buf_put(&x->exporter, r->exporter);
    buf_put(&x->end_point, r->end_point);
    struct sasl_env env = {
        .slab = s->vault->slab,
        .exporter = buf_slice(&x->exporter),
        .end_point = buf_slice(&x->end_point),
        .salt = salt_for,
        .owner = s,
    };
    x->sasl = sasl_server_new(mechanism, &env);
    list_init(&x->link);
    return x;
}

static struct exchange *find(struct signins *s, unsigned gate, uint64_t session)
{
    struct exchange wanted = {.key = {.session = session, .gate = gate}};
    return map_find(&s->by_key, key_slice(&wanted));
}

void signin_start(struct signins *s, const struct signin_request *r)
{
    assert(s->magic == MAGIC && (unsigned)r->door < VAULT_DOORS);
    const struct sasl_mechanism *mechanism = sasl_find(r->mechanism);
    struct exchange *before = find(s, r->gate, r->session);
    if (before || !mechanism) { /* one at a time on a connection; the gate offers only what there is */
        answer_without(s, r->gate, r->reply, SIGNIN_MALFORMED);
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

void signin_step(struct signins *s, unsigned gate, uint64_t session, uint64_t reply, struct slice response)
{
    assert(s->magic == MAGIC);
    struct exchange *x = find(s, gate, session);
    if (!x || x->state != STATE_WAITS) {
        answer_without(s, gate, reply, SIGNIN_MALFORMED);
        return;
    }
    x->reply = reply;
    x->arrived = s->ops->now_ms(s->owner);
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    take_outcome(s, x, sasl_server_step(x->sasl, response, &out), &out);
}

/* A refusal that was decided is told although nobody waits for the answer: hanging up hides nothing. */
static void abandon(struct signins *s, struct exchange *x)
{
    if (x->state == STATE_LOOKING)
        return;
    if (x->state == STATE_HELD)
        tell(s, x, sasl_server_claim(x->sasl)->authcid);
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
    for (unsigned i = 0; i < STATES; i++)
        LIST_EACH (&s->states[i], struct exchange, link, x)
            if (x->key.gate == gate)
                abandon(s, x);
    wake(s);
}

/* ---- what comes back ---- */

static void finish_ok(struct signins *s, struct exchange *x)
{
    const struct sasl_claim *claim = sasl_server_claim(x->sasl);
    struct address_key key;
    key_of_name(claim->authcid, &key);
    struct guard_who who = guard_who_of(s, x, &key);
    guard_count_right(s->guard, s->ops->now_ms(s->owner), &who);
    if (x->found.id != VAULT_MAILBOX_CREDENTIAL)
        vault_client_used(s->vault, x->found.id, s->ops->now_s(s->owner), &x->client, buf_slice(&x->program));
    tell(s, x, claim->authcid);
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    if (sasl_server_judged(x->sasl, true, &out) == SASL_DONE)
        answer(s, x, SIGNIN_OK, buf_slice(&out));
    else
        answer(s, x, SIGNIN_LATER, SLICE_EMPTY);
    end(s, x);
    wake(s);
}

void signin_granted(struct signins *s, uint64_t id, bool accepted)
{
    struct exchange *x = map_find(&s->by_id, map_id(&id));
    if (!x || x->state != STATE_GRANTING)
        return; /* the client went away meanwhile: the keeper forgets the grant by itself */
    if (accepted)
        finish_ok(s, x);
    else
        settle_unavailable(s, x);
}

void signin_hashed(struct signins *s, uint64_t id, enum err result)
{
    struct exchange *x = map_find(&s->by_id, map_id(&id));
    if (!x)
        return;
    if (x->state == STATE_LOOKING) {
        if (result == OK)
            x->decision.reason = REASON_MAILBOX_PASSWORD;
        tell(s, x, sasl_server_claim(x->sasl)->authcid);
        end(s, x);
        wake(s);
    } else if (x->state == STATE_HASHING) {
        bool computed = result == OK || result == ERR_DENIED;
        if (result == OK)
            x->question.kind = CREDENTIAL_MAILBOX;
        if (computed)
            settle(s, x);
        else
            settle_unavailable(s, x);
    }
}

/* INV-S3: the answer has gone; was it the mailbox password? Only a strike that is new is worth the work. */
static bool is_worth_a_look(struct signins *s, const struct exchange *x, uint64_t now)
{
    return x->decision.reason == REASON_WRONG_SECRET && x->is_new_strike && x->account.has_password &&
           x->question.policy == MAILBOX_NEVER &&
           s->looks_free < now + (uint64_t)LIMIT_SIGNIN_LOOKS * LIMIT_SIGNIN_LOOK_EVERY;
}

static void answer_held(struct signins *s, struct exchange *x, uint64_t now)
{
    answer(s, x, x->decision.verdict == VERDICT_LATER ? SIGNIN_LATER : SIGNIN_NO, SLICE_EMPTY);
    forget_client(s, x);
    if (is_worth_a_look(s, x, now)) {
        s->looks_free = (s->looks_free > now ? s->looks_free : now) + LIMIT_SIGNIN_LOOK_EVERY;
        move(s, x, STATE_LOOKING, now + 2 * (uint64_t)LIMIT_HASH_WAIT);
        if (start_hash(s, x) == OK)
            return;
    }
    tell(s, x, sasl_server_claim(x->sasl)->authcid);
    end(s, x);
}

static void expire(struct signins *s, struct exchange *x, uint64_t now)
{
    switch (x->state) {
    case STATE_WAITS: /* the gate ends such connections itself; this one has forgotten to tell */
        end(s, x);
        return;
    case STATE_HASHING:
    case STATE_GRANTING:
        settle_unavailable(s, x);
        return;
    case STATE_HELD:
        answer_held(s, x, now);
        return;
    case STATE_LOOKING:
        tell(s, x, sasl_server_claim(x->sasl)->authcid);
        end(s, x);
        return;
    case STATES:
        return;
    }
}

void signin_tick(struct signins *s)
{
    assert(s->magic == MAGIC);
    uint64_t now = s->ops->now_ms(s->owner);
    for (unsigned i = 0; i < STATES; i++) {
        struct exchange *x;
        while ((x = LIST_FIRST(&s->states[i], struct exchange, link)) && x->due <= now)
            expire(s, x, now);
    }
    wake(s);
}

/* ---- without a client ---- */

void signin_mechanisms(enum vault_door door, bool has_tls, struct buf *out)
{
    (void)door; /* every door offers the same ones yet */
    size_t count;
    const struct sasl_mechanism *all = sasl_mechanisms(&count);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        /* Nothing in the clear; and only what is judged below: secrets as they were typed. */
        if (!has_tls || !(all[i].flags & SASL_SENDS_SECRET) || (all[i].flags & SASL_TAKES_TOKEN))
            continue;
        buf_put_str(out, first ? "" : " ");
        buf_put_str(out, all[i].name);
        first = false;
    }
}

static fallible is_mailbox_password(struct vault *v, const struct account_id *id, const struct secret *secret)
{
    struct secret stored CLEANUP_SECRET = SECRET_NONE, normal CLEANUP_SECRET = SECRET_NONE;
    TRY(vault_account_password(v, id, &stored));
    TRY(vault_password_normal(v, secret, &normal));
    return passhash_check(secret_reveal(&stored), secret_reveal(&normal));
}

fallible signin_test(
    struct vault *v, struct slice address, const struct secret *secret, enum vault_door door,
    enum mailbox_policy policy, struct decision *ret_decision, uint64_t *ret_credential)
{
    struct vault_account a;
    struct vault_client found = {.id = 0};
    struct clientpw pw;
    TRY(vault_account_find(v, address, &a));
    struct decide_question q = {
        .door = door, .has_tls = true, .account = a.status, .policy = policy, .now_s = clock_unix_s()};
    enum clientpw_look look = clientpw_read(secret_reveal(secret), &pw);
    q.kind = look == CLIENTPW_SLIP ? CREDENTIAL_SLIP : CREDENTIAL_NONE;
    enum err e = look == CLIENTPW_GOOD ? vault_client_find(v, &a.id, &pw, &found) : ERR_NOT_FOUND;
    secret_wipe(&pw, sizeof pw);
    if (e != OK && e != ERR_NOT_FOUND)
        return vault_failed(v, e);
    if (e == OK) {
        q.kind = CREDENTIAL_CLIENT;
        q.is_revoked = found.is_revoked;
        q.scopes = found.scopes;
        if (found.scopes.network_count) /* there is no client: any of its networks is as good */
            q.client = found.networks[0].ip;
    } else if (look == CLIENTPW_OTHER && is_mailbox_password(v, &a.id, secret) == OK) {
        q.kind = CREDENTIAL_MAILBOX;
    }
    *ret_decision = decide(&q);
    *ret_credential = found.id;
    return OK;
}

#include "vault/entry_private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/random.h"
#include "vault/known.h"
#include "vault/policy.h"
#include "vault/private.h"
#include "vault/tick.h"
#include "vault/why.h"

enum { MAGIC = 0x0e470001 };

/* Every wait has a name. */
static const char *const state_name[] = {"password", "hash", "factor", "enrol", "change", "work", "tick"};
static_assert(sizeof state_name / sizeof *state_name == STATES, "a state without a name");

/* INV-E2: what may be called in which state; the one place that says so. */
enum call {
    CALL_PASSWORD,
    CALL_CODE,
    CALL_DEVICE,
    CALL_ASK_KEY,
    CALL_KEY,
    CALL_ENROL,
    CALL_CONFIRM,
    CALL_ASK_NEW_KEY,
    CALL_NEW_KEY,
    CALL_CHANGE,
    CALL_CANCEL,
    CALLS
};
#define IN(state) (1u << (state))
static const unsigned allowed[] = {
    [CALL_PASSWORD] = IN(NAMED),
    [CALL_CODE] = IN(FACTOR),
    [CALL_DEVICE] = IN(FACTOR),
    [CALL_ASK_KEY] = IN(FACTOR),
    [CALL_KEY] = IN(FACTOR),
    [CALL_ENROL] = IN(ENROL),
    [CALL_CONFIRM] = IN(ENROL),
    [CALL_ASK_NEW_KEY] = IN(ENROL),
    [CALL_NEW_KEY] = IN(ENROL),
    [CALL_CHANGE] = IN(CHANGE),
    [CALL_CANCEL] = IN(NAMED) | IN(FACTOR) | IN(ENROL) | IN(CHANGE),
};
static_assert(sizeof allowed / sizeof *allowed == CALLS, "a call without a row");

struct entries *entries_new(struct vault *v, struct guard *guard, const struct entry_ops *ops, void *owner)
{
    struct entries *e = NEW(struct entries);
    *e = (struct entries){.magic = MAGIC, .vault = v, .guard = guard, .ops = ops, .owner = owner};
    map_init(&e->by_id, LIMIT_ENTRIES);
    map_init(&e->by_token, LIMIT_ENTRIES);
    list_init(&e->all);
    return e;
}

static struct slice token_of(const struct entry *x)
{
    return slice_of(x->token, sizeof x->token);
}

static void wake(struct entries *e)
{
    const struct entry *first = LIST_FIRST(&e->all, struct entry, link);
    e->ops->wake_at(e->owner, first ? first->due : UINT64_MAX);
}

static void end(struct entries *e, struct entry *x)
{
    if (map_find(&e->by_id, map_id(&x->id)) == x)
        map_drop(&e->by_id, map_id(&x->id));
    if (map_find(&e->by_token, token_of(x)) == x)
        map_drop(&e->by_token, token_of(x));
    list_drop(&x->link);
    secret_free(&x->password);
    secret_wipe(x->token, sizeof x->token);
    secret_wipe(x->device, sizeof x->device);
    buf_done(&x->name);
    buf_done(&x->program);
    free(x);
    wake(e);
}

void entries_free(struct entries **entries)
{
    struct entries *e = *entries;
    *entries = NULL;
    if (!e)
        return;
    assert(e->magic == MAGIC);
    LIST_EACH (&e->all, struct entry, link, x)
        end(e, x);
    map_done(&e->by_id);
    map_done(&e->by_token);
    e->magic = 0;
    free(e);
}

size_t entries_count(const struct entries *e)
{
    return e->by_id.count;
}

void entries_describe(const struct entries *e, struct buf *out)
{
    unsigned n[STATES] = {0};
    for (const struct list *l = e->all.next; l != &e->all; l = l->next)
        n[CONTAINER_OF(l, struct entry, link)->state]++;
    for (unsigned i = 0; i < STATES; i++)
        buf_printf(out, "%s%s=%u", i ? " " : "", state_name[i], n[i]);
}

/* ---- states ---- */

/* The one place where the state changes. */
static void move(struct entries *e, struct entry *x, enum state state, uint64_t due)
{
    struct list *behind = &e->all;
    x->state = state;
    x->due = due;
    list_drop(&x->link);
    while (behind->prev != &e->all && CONTAINER_OF(behind->prev, struct entry, link)->due > due)
        behind = behind->prev;
    list_add(behind, &x->link);
    wake(e);
}

/* Waits for the person. */
static void wait_in(struct entries *e, struct entry *x, enum state state)
{
    move(e, x, state, entries_now_ms(e) + LIMIT_ENTRY_TIME);
}

/* ---- telling ---- */

static void answer(struct entries *e, uint64_t reply, const struct entry_answer *a)
{
    e->ops->answer(e->owner, reply, a);
}

static void answer_plain(struct entries *e, uint64_t reply, enum entry_answer_kind kind)
{
    struct entry_answer a = {.kind = kind};
    answer(e, reply, &a);
}

/* ---- refusing ---- */

static void hold(struct entries *e, struct entry *x, enum state back, enum entry_answer_kind kind)
{
    uint64_t least = x->arrived + x->floor, ready = entries_now_ms(e) + LIMIT_SIGNIN_MARGIN;
    x->back = back;
    x->held = kind;
    move(e, x, HELD, tick_after(x->arrived, ready > least ? ready : least));
}

/* INV-E1. */
static void
refuse(struct entries *e, struct entry *x, enum state back, enum reason reason, struct slice secret)
{
    struct address_key key;
    struct guard_who who = entry_guard_view(e, x, &key);
    x->wrong++;
    if (reason_counts(reason) || reason == REASON_LOCKED)
        (void)guard_count_wrong(e->guard, entries_now_ms(e), &who, secret);
    entry_tell(e, x, "refused", reason);
    hold(e, x, back, ENTRY_NO);
}

static void later(struct entries *e, struct entry *x, enum state back, enum reason reason)
{
    entry_tell(e, x, "later", reason);
    hold(e, x, back, ENTRY_LATER);
}

static void release(struct entries *e, struct entry *x)
{
    uint64_t reply = x->reply;
    enum entry_answer_kind kind = x->held;
    if (x->wrong >= LIMIT_ENTRY_TRIES)
        end(e, x);
    else
        wait_in(e, x, x->back);
    answer_plain(e, reply, kind);
}

/* ---- going on ---- */

/* Last of all: a changed password forgets all devices. Without one the person is asked again, that is all. */
static void remember(struct entries *e, struct entry *x)
{
    uint64_t id;
    x->has_device =
        x->wants_device &&
        device_remember(e->vault, &x->account.id, buf_slice(&x->program), entries_now_s(e), x->device, &id) ==
            OK;
}

/* `from`: where to stay when it cannot be given. */
static void give_session(struct entries *e, struct entry *x, enum state from)
{
    uint8_t token[SESSION_TOKEN_LEN];
    struct address_key key;
    struct guard_who who = entry_guard_view(e, x, &key);
    enum err r = vault_account_get(e->vault, &x->account.id, &x->account);
    if (r == OK)
        r = x->is_step_up
                ? session_proved(e->vault, x->session, entries_now_s(e))
                : session_begin(
                      e->vault, &x->account, &x->client, buf_slice(&x->program), entries_now_s(e), token);
    if (r == ERR_NOT_FOUND) { /* the account, or the session that was to be proved */
        uint64_t reply = x->reply;
        end(e, x);
        answer_plain(e, reply, ENTRY_GONE);
        return;
    }
    if (r != OK) {
        later(e, x, from, REASON_UNAVAILABLE);
        return;
    }
    remember(e, x);
    guard_count_right(e->guard, entries_now_ms(e), &who);
    vault_known_note(e->vault, &x->account.id, &x->client, entries_now_s(e));
    entry_tell(e, x, "ok", REASON_FINE);
    struct entry_answer a = {.kind = x->is_step_up ? ENTRY_PROVED : ENTRY_SESSION};
    if (!x->is_step_up)
        a.session = slice_of(token, sizeof token);
    if (x->has_device)
        a.device = slice_of(x->device, sizeof x->device);
    answer(e, x->reply, &a);
    secret_wipe(token, sizeof token);
    end(e, x);
}

static bool has_demanded(int64_t required, const struct factors_have *have)
{
    return required == POLICY_FACTOR_NONE || (required == POLICY_FACTOR_KEY && have->keys) ||
           (required == POLICY_FACTOR_TOTP && have->totp) ||
           (required == POLICY_FACTOR_ANY && (have->keys || have->totp));
}

struct needs {
    struct factors_have have;
    bool factor, enrol, change;
};

static fallible look_at_needs(struct entries *e, const struct entry *x, struct needs *ret_needs)
{
    struct needs n = {.factor = false};
    int64_t required, ends;
    TRY(factors_count(e->vault, &x->account.id, &n.have));
    TRY(vault_policy_value(e->vault, &x->account, SLICE_EMPTY, POLICY_FACTOR_REQUIRED, &required, NULL));
    TRY(vault_password_ends(e->vault, &x->account, &ends));
    n.factor = !x->has_proved && (n.have.totp || n.have.keys);
    n.enrol = !x->is_step_up && !has_demanded(required, &n.have);
    n.change = !x->is_step_up && ends && entries_now_s(e) >= ends;
    *ret_needs = n;
    return OK;
}

static void ask(struct entries *e, struct entry *x, enum state state, const struct entry_answer *a)
{
    wait_in(e, x, state);
    answer(e, x->reply, a);
}

/* After each right step: what is still owed, in the order of the drawing. `from`: where to stay when nothing can be known. */
static void go_on(struct entries *e, struct entry *x, enum state from)
{
    struct needs n;
    if (look_at_needs(e, x, &n) != OK) {
        later(e, x, from, REASON_UNAVAILABLE);
    } else if (n.factor) {
        struct entry_answer a = {.kind = ENTRY_ASK_FACTOR, .has = n.have};
        ask(e, x, FACTOR, &a);
    } else if (n.enrol) {
        struct entry_answer a = {.kind = ENTRY_ASK_ENROL};
        ask(e, x, ENROL, &a);
    } else if (n.change) {
        struct entry_answer a = {.kind = ENTRY_ASK_CHANGE, .reason = PASSWORD_FINE};
        ask(e, x, CHANGE, &a);
    } else {
        give_session(e, x, from);
    }
}

/* ---- calls ---- */

static struct entry *
entry_new(struct entries *e, uint64_t reply, struct slice name, const struct entry_client *client)
{
    struct entry *x = NEW(struct entry);
    x->id = ++e->last_id;
    random_bytes(x->token, sizeof x->token);
    x->reply = reply;
    x->client = client->ip;
    buf_init(&x->name, LIMIT_SASL_NAME);
    buf_init(&x->program, LIMIT_PROGRAM_NAME);
    buf_put(&x->name, slice_sub(name, 0, LIMIT_SASL_NAME));
    buf_put(&x->program, slice_sub(client->program, 0, LIMIT_PROGRAM_NAME));
    list_init(&x->link);
    if (map_add(&e->by_id, map_id(&x->id), x) == OK && map_add(&e->by_token, token_of(x), x) == OK)
        return x;
    end(e, x);
    answer_plain(e, reply, ENTRY_LATER);
    return NULL;
}

/* The account is looked for when the password comes: the answer here is the same for every name. */
void entry_start(struct entries *e, uint64_t reply, struct slice name, const struct entry_client *client)
{
    assert(e->magic == MAGIC);
    struct entry *x = entry_new(e, reply, name, client);
    if (!x)
        return;
    struct entry_answer a = {.kind = ENTRY_ASK_PASSWORD, .token = token_of(x)};
    ask(e, x, NAMED, &a);
}

void entry_step_up(struct entries *e, uint64_t reply, struct slice session, const struct entry_client *client)
{
    struct session s;
    struct vault_account account;
    struct needs n = {.factor = false};
    enum err r = session_find(e->vault, session, entries_now_s(e), &s);
    if (r == OK)
        r = vault_account_get(e->vault, &s.account, &account);
    if (r != OK) {
        answer_plain(e, reply, r == ERR_DENIED || r == ERR_NOT_FOUND ? ENTRY_GONE : ENTRY_LATER);
        return;
    }
    struct entry *x = entry_new(e, reply, slice_str(account.address), client);
    if (!x)
        return;
    x->is_step_up = true;
    x->session = s.id;
    x->has_account = true;
    x->account = account;
    if (look_at_needs(e, x, &n) != OK) {
        end(e, x);
        answer_plain(e, reply, ENTRY_LATER);
        return;
    }
    struct entry_answer a = {
        .kind = n.factor ? ENTRY_ASK_FACTOR : ENTRY_ASK_PASSWORD, .has = n.have, .token = token_of(x)};
    ask(e, x, n.factor ? FACTOR : NAMED, &a);
}

/* INV-E5: behind the password. ERR_GONE: what it opened has ended. */
static fallible check_still_open(struct entries *e, const struct entry *x)
{
    struct vault_account now = x->account;
    if (x->state == NAMED)
        return OK;
    enum err r = vault_account_refresh(e->vault, &now);
    if (r == ERR_AGAIN || r == ERR_NOT_FOUND || (r == OK && now.status != ACCOUNT_ACTIVE))
        return ERR_GONE;
    return r;
}

/* The half-session, if it may do this now; else that is answered. */
static struct entry *called(struct entries *e, uint64_t reply, struct slice token, enum call call)
{
    assert(e->magic == MAGIC);
    struct entry *x = token.n == ENTRY_TOKEN_LEN ? map_find(&e->by_token, token) : NULL;
    if (!x || !(allowed[call] & IN(x->state))) {
        answer_plain(e, reply, ENTRY_GONE);
        return NULL;
    }
    enum err r = call == CALL_CANCEL ? OK : check_still_open(e, x);
    if (r != OK) {
        if (r == ERR_GONE)
            end(e, x);
        answer_plain(e, reply, r == ERR_GONE ? ENTRY_GONE : ENTRY_LATER);
        return NULL;
    }
    x->reply = reply;
    x->arrived = entries_now_ms(e);
    return x;
}

/* Unknown and known names do the same. */
static fallible start_hash(struct entries *e, struct entry *x)
{
    struct secret stored CLEANUP_SECRET = SECRET_NONE, normal CLEANUP_SECRET = SECRET_NONE;
    const struct account_id *id = x->has_account ? &x->account.id : NULL;
    enum err r = vault_password_normal(e->vault, &x->password, &normal);
    if (r == ERR_SYNTAX || r == ERR_LIMIT) /* no password of that form was ever set */
        return ERR_SYNTAX;
    TRY(r);
    TRY(vault_password_stored(e->vault, id, &stored));
    TRY(e->ops->hash(e->owner, x->id, id, &stored, &normal));
    stored = normal = SECRET_NONE;
    return OK;
}

static fallible find_account(struct entries *e, struct entry *x)
{
    struct vault_account a;
    enum err r = vault_account_find(e->vault, buf_slice(&x->name), &a);
    if (r != OK && r != ERR_NOT_FOUND && r != ERR_SYNTAX)
        return r;
    if (x->is_step_up && (r != OK || !account_id_eq(&a.id, &x->account.id)))
        return ERR_BUSY;
    x->has_account = r == OK;
    if (r == OK)
        x->account = a;
    return OK;
}

void entry_password(struct entries *e, uint64_t reply, struct slice token, struct slice password)
{
    struct entry *x = called(e, reply, token, CALL_PASSWORD);
    if (!x)
        return;
    secret_free(&x->password);
    x->floor = 0;
    if (password.n > LIMIT_PASSWORD_MAX) { /* T-242: not looked at */
        refuse(e, x, NAMED, REASON_WRONG_SECRET, slice_sub(password, 0, LIMIT_PASSWORD_MAX));
        return;
    }
    if (find_account(e, x) != OK || secret_copy(e->vault->slab, password, &x->password) != OK) {
        later(e, x, NAMED, REASON_UNAVAILABLE);
        return;
    }
    if (entry_must_wait(e, x, password)) {
        later(e, x, NAMED, REASON_WAIT);
        return;
    }
    move(e, x, HASHING, entries_now_ms(e) + LIMIT_HASH_WAIT);
    enum err r = start_hash(e, x);
    if (r == ERR_SYNTAX)
        entry_hashed(e, x->id, ERR_DENIED);
    else if (r != OK)
        later(e, x, NAMED, REASON_UNAVAILABLE);
}

static enum reason why_not(const struct entry *x, bool is_right)
{
    if (!x->has_account)
        return REASON_UNKNOWN_ACCOUNT;
    if (!is_right)
        return REASON_WRONG_SECRET;
    return x->account.status == ACCOUNT_LOCKED ? REASON_LOCKED : REASON_FINE;
}

/* What holds after the comparison counts. Fails when that cannot be known: it may not be its password any more. */
static fallible look_at_account_again(struct entries *e, struct entry *x, bool is_right)
{
    enum err r = x->has_account ? vault_account_refresh(e->vault, &x->account) : OK;
    if (r == ERR_NOT_FOUND)
        x->has_account = false;
    return r == ERR_NOT_FOUND || (r == ERR_AGAIN && !is_right) ? OK : r;
}

void entry_hashed(struct entries *e, uint64_t id, enum err result)
{
    struct entry *x = map_find(&e->by_id, map_id(&id));
    if (!x || x->state != HASHING)
        return;
    struct secret typed CLEANUP_SECRET = TAKE(x->password, SECRET_NONE);
    if (result != OK && result != ERR_DENIED) {
        later(e, x, NAMED, REASON_UNAVAILABLE);
        return;
    }
    x->floor = entries_now_ms(e) + LIMIT_SIGNIN_MARGIN - x->arrived;
    /* Of guesses that were compared side by side no more pass than one after the other. */
    if (entry_must_wait(e, x, secret_reveal(&typed))) {
        later(e, x, NAMED, REASON_WAIT);
        return;
    }
    if (look_at_account_again(e, x, result == OK) != OK) {
        later(e, x, NAMED, REASON_UNAVAILABLE);
        return;
    }
    enum reason reason = why_not(x, result == OK);
    if (reason != REASON_FINE) {
        refuse(e, x, NAMED, reason, secret_reveal(&typed));
        return;
    }
    if (x->is_step_up) /* only where there is no factor: then this is the proof */
        x->has_proved = true;
    go_on(e, x, NAMED);
}

/* ---- factors ---- */

static void settle_factor(
    struct entries *e, struct entry *x, enum err r, const struct factor_result *result, struct slice secret,
    bool is_remembered)
{
    if (r != OK && r != ERR_DENIED) {
        later(e, x, FACTOR, REASON_UNAVAILABLE);
    } else if (r == ERR_DENIED || result->verdict != FACTOR_YES) {
        refuse(e, x, FACTOR, REASON_WRONG_CODE, secret);
    } else {
        x->has_proved = true;
        x->wants_device = is_remembered && !x->is_step_up;
        go_on(e, x, FACTOR);
    }
}

void entry_code(
    struct entries *e, uint64_t reply, struct slice token, enum factor_kind kind, struct slice code,
    bool is_remembered)
{
    struct entry *x = called(e, reply, token, CALL_CODE);
    if (!x)
        return;
    struct factor_result result = {.verdict = FACTOR_WRONG};
    enum err r = ERR_DENIED;
    if (kind == FACTOR_TOTP || kind == FACTOR_RECOVERY)
        r = factors_check(e->vault, &x->account.id, kind, code, entries_now_s(e), &result);
    settle_factor(e, x, r, &result, code, is_remembered);
}

void entry_device(struct entries *e, uint64_t reply, struct slice token, struct slice device)
{
    struct entry *x = called(e, reply, token, CALL_DEVICE);
    if (!x)
        return;
    uint64_t id;
    struct factor_result result = {.verdict = FACTOR_YES};
    /* INV-E3: that the browser is known proves nothing about who sits there now */
    enum err r =
        x->is_step_up ? ERR_DENIED : device_check(e->vault, &x->account.id, device, entries_now_s(e), &id);
    settle_factor(e, x, r, &result, device, false);
}

static void ask_key(struct entries *e, struct entry *x, bool is_new)
{
    struct webauthn_asked asked;
    enum err r = is_new ? webauthn_register_start(e->vault, &x->account.id, x->id, entries_now_s(e), &asked)
                        : webauthn_check_start(e->vault, &x->account.id, x->id, entries_now_s(e), &asked);
    struct entry_answer a = {
        .kind = r == OK ? ENTRY_ASK_KEY : ENTRY_LATER, .challenge = r == OK ? &asked : NULL};
    ask(e, x, x->state, &a);
}

void entry_ask_key(struct entries *e, uint64_t reply, struct slice token)
{
    struct entry *x = called(e, reply, token, CALL_ASK_KEY);
    if (x)
        ask_key(e, x, false);
}

void entry_key(
    struct entries *e, uint64_t reply, struct slice token, const struct webauthn_site *site,
    const struct webauthn_assertion *assertion, bool is_remembered)
{
    struct entry *x = called(e, reply, token, CALL_KEY);
    if (!x)
        return;
    struct factor_result result = {.verdict = FACTOR_WRONG};
    enum err r =
        webauthn_check_finish(e->vault, &x->account.id, x->id, site, assertion, entries_now_s(e), &result);
    settle_factor(e, x, r, &result, assertion->signature, is_remembered);
}

/* ---- the first factor ---- */

static struct slice domain_of(const struct entry *x)
{
    struct slice address = slice_str(x->account.address);
    size_t at = slice_rfind(address, '@');
    return at == SLICE_NPOS ? address : slice_from(address, at + 1);
}

void entry_enrol(struct entries *e, uint64_t reply, struct slice token, struct slice label)
{
    struct entry *x = called(e, reply, token, CALL_ENROL);
    if (!x)
        return;
    struct factor_totp_new made = {.secret = SECRET_NONE, .uri = SECRET_NONE};
    enum err r = factors_enrol_totp(e->vault, &x->account.id, label, domain_of(x), entries_now_s(e), &made);
    struct entry_answer a = {.kind = ENTRY_LATER};
    if (r == OK) {
        x->enrolling = made.id;
        a = (struct entry_answer){.kind = ENTRY_ENROLLING, .enrolled = &made};
    }
    ask(e, x, ENROL, &a);
    secret_free(&made.secret);
    secret_free(&made.uri);
}

static void settle_enrolment(struct entries *e, struct entry *x, enum err r, struct slice secret)
{
    if (r == OK) {
        x->has_proved = true;
        go_on(e, x, ENROL);
    } else if (r == ERR_DENIED || r == ERR_NOT_FOUND || r == ERR_SYNTAX || r == ERR_EXISTS) {
        refuse(e, x, ENROL, REASON_WRONG_CODE, secret);
    } else {
        later(e, x, ENROL, REASON_UNAVAILABLE);
    }
}

void entry_confirm(struct entries *e, uint64_t reply, struct slice token, struct slice code)
{
    struct entry *x = called(e, reply, token, CALL_CONFIRM);
    if (!x)
        return;
    enum err r = factors_confirm(e->vault, &x->account.id, x->enrolling, code, entries_now_s(e));
    settle_enrolment(e, x, r, code);
}

void entry_ask_new_key(struct entries *e, uint64_t reply, struct slice token)
{
    struct entry *x = called(e, reply, token, CALL_ASK_NEW_KEY);
    if (x)
        ask_key(e, x, true);
}

void entry_new_key(
    struct entries *e, uint64_t reply, struct slice token, const struct webauthn_site *site,
    const struct webauthn_registration *registration, struct slice label)
{
    struct entry *x = called(e, reply, token, CALL_NEW_KEY);
    if (!x)
        return;
    uint64_t id;
    enum err r = webauthn_register_finish(
        e->vault, &x->account.id, x->id, site, registration, label, entries_now_s(e), &id);
    settle_enrolment(e, x, r, registration->attestation);
}

/* ---- changing ---- */

static void ask_again(struct entries *e, struct entry *x, enum password_reason reason, int64_t number)
{
    struct entry_answer a = {.kind = ENTRY_ASK_CHANGE, .reason = reason, .number = number};
    ask(e, x, CHANGE, &a);
}

void entry_change(struct entries *e, uint64_t reply, struct slice token, struct slice password)
{
    struct entry *x = called(e, reply, token, CALL_CHANGE);
    if (!x)
        return;
    struct secret typed CLEANUP_SECRET = SECRET_NONE;
    struct password_judgement j;
    struct password_work work;
    enum err r = password.n > LIMIT_PASSWORD_MAX ? ERR_SYNTAX : secret_copy(e->vault->slab, password, &typed);
    if (r == ERR_SYNTAX) {
        ask_again(e, x, PASSWORD_FORM, 0);
        return;
    }
    if (r == OK)
        r = vault_password_judge(e->vault, &x->account, &typed, &j);
    if (r == OK && !j.is_allowed) {
        ask_again(e, x, j.reason, j.number);
        return;
    }
    if (r == OK)
        r = vault_password_begin(
            e->vault, slice_str(x->account.address), PASSWORD_BY_ENTRY, NULL, &typed, entries_now_s(e),
            &work);
    if (r == OK) {
        move(e, x, WORKING, entries_now_ms(e) + 2 * (uint64_t)LIMIT_HASH_WAIT);
        r = e->ops->work(e->owner, x->id, &work);
        if (r != OK)
            password_work_done(&work);
    }
    if (r != OK)
        later(e, x, CHANGE, REASON_UNAVAILABLE);
}

void entry_worked(struct entries *e, uint64_t id, struct password_work *work)
{
    struct entry *x = map_find(&e->by_id, map_id(&id));
    if (x && x->state == WORKING) {
        enum err found = work->result;
        enum err r = vault_password_finish(e->vault, work, entries_now_s(e));
        if (r == OK)
            r = vault_account_get(e->vault, &x->account.id, &x->account);
        if (r == OK)
            go_on(e, x, CHANGE);
        else if (found == ERR_EXISTS)
            ask_again(e, x, PASSWORD_USED, 0);
        else
            later(e, x, CHANGE, REASON_UNAVAILABLE);
    }
    password_work_done(work);
}

void entry_cancel(struct entries *e, uint64_t reply, struct slice token)
{
    struct entry *x = called(e, reply, token, CALL_CANCEL);
    if (!x)
        return;
    end(e, x);
    answer_plain(e, reply, ENTRY_GONE);
}

/* ---- time ---- */

static void expire(struct entries *e, struct entry *x)
{
    if (x->state == HELD)
        release(e, x);
    else if (x->state == HASHING)
        later(e, x, NAMED, REASON_UNAVAILABLE);
    else if (x->state == WORKING)
        later(e, x, CHANGE, REASON_UNAVAILABLE);
    else
        end(e, x);
}

void entry_tick(struct entries *e)
{
    assert(e->magic == MAGIC);
    uint64_t now = entries_now_ms(e);
    struct entry *x;
    while ((x = LIST_FIRST(&e->all, struct entry, link)) && x->due <= now)
        expire(e, x);
    wake(e);
}

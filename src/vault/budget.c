#include "vault/budget.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "vault/clients_private.h"

/* A window of so many steps and one more: the oldest step counts until all of it has left the window. */
enum { SHORT_S = 300, SHORTS = 3600 / SHORT_S + 1, LONG_S = 3600, LONGS = 24 + 1, DAY_S = 86400 };

/* What one credential used, in steps of the hour and of the day. Step n of the clock lies at n modulo the count. */
struct usage {
    int64_t short_at, long_at; /* the newest step of either ring */
    uint32_t messages[SHORTS];
    struct {
        uint32_t messages, recipients;
        uint64_t octets;
    } hours[LONGS];
};

/* By credential; the key is inside. */
struct budget {
    uint64_t credential;
    struct account_id account;
    struct usage usage;
    bool is_dirty;
};

/* ---- the stored form: a format octet, then little-endian numbers in the order of the struct ---- */

#define LAST_STEP (INT64_MAX / 2) /* no clock gets there, and nothing overflows before it */
enum { FORMAT = 1, STATE_LEN = 1 + 8 + 8 + 4 * SHORTS + (4 + 4 + 8) * LONGS };

static void put_number(char **at, uint64_t value, unsigned octets)
{
    for (unsigned i = 0; i < octets; i++)
        *(*at)++ = (char)(value >> (8 * i));
}

static uint64_t take_number(const char **at, unsigned octets)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < octets; i++)
        value |= (uint64_t)(unsigned char)*(*at)++ << (8 * i);
    return value;
}

static void put_state(const struct usage *u, char out[STATE_LEN])
{
    char *at = out;
    put_number(&at, FORMAT, 1);
    put_number(&at, (uint64_t)u->short_at, 8);
    put_number(&at, (uint64_t)u->long_at, 8);
    for (size_t i = 0; i < SHORTS; i++)
        put_number(&at, u->messages[i], 4);
    for (size_t i = 0; i < LONGS; i++) {
        put_number(&at, u->hours[i].messages, 4);
        put_number(&at, u->hours[i].recipients, 4);
        put_number(&at, u->hours[i].octets, 8);
    }
}

static fallible take_state(struct slice state, struct usage *ret_usage)
{
    const char *at = state.p;
    struct usage u;
    if (state.n != STATE_LEN || take_number(&at, 1) != FORMAT)
        return ERR_CORRUPT;
    u.short_at = (int64_t)take_number(&at, 8);
    u.long_at = (int64_t)take_number(&at, 8);
    if (u.short_at < 0 || u.short_at > LAST_STEP || u.long_at < 0 || u.long_at > LAST_STEP)
        return ERR_CORRUPT;
    for (size_t i = 0; i < SHORTS; i++)
        u.messages[i] = (uint32_t)take_number(&at, 4);
    for (size_t i = 0; i < LONGS; i++) {
        u.hours[i].messages = (uint32_t)take_number(&at, 4);
        u.hours[i].recipients = (uint32_t)take_number(&at, 4);
        u.hours[i].octets = take_number(&at, 8);
    }
    *ret_usage = u;
    return OK;
}

/* ---- windows ---- */

/* Empties the steps that have left. A clock that went back counts into the newest step: nothing is forgotten by it. */
static void move_to(struct usage *u, int64_t now_s)
{
    int64_t step = now_s / SHORT_S, hour = now_s / LONG_S;
    for (int64_t i = u->short_at + 1; i <= step && i <= u->short_at + SHORTS; i++)
        u->messages[i % SHORTS] = 0;
    for (int64_t i = u->long_at + 1; i <= hour && i <= u->long_at + LONGS; i++)
        memset(&u->hours[i % LONGS], 0, sizeof u->hours[0]);
    if (step > u->short_at && step - u->short_at > SHORTS)
        memset(u->messages, 0, sizeof u->messages);
    if (hour > u->long_at && hour - u->long_at > LONGS)
        memset(u->hours, 0, sizeof u->hours);
    u->short_at = step > u->short_at ? step : u->short_at;
    u->long_at = hour > u->long_at ? hour : u->long_at;
}

static struct vault_spent sum_of(const struct usage *u)
{
    struct vault_spent sum = {0};
    for (size_t i = 0; i < SHORTS; i++)
        sum.messages_hour += u->messages[i];
    for (size_t i = 0; i < LONGS; i++) {
        sum.messages_day += u->hours[i].messages;
        sum.recipients_day += u->hours[i].recipients;
        sum.octets_day += u->hours[i].octets;
    }
    return sum;
}

static void count(struct usage *u, uint32_t messages, uint32_t recipients, uint64_t octets)
{
    u->messages[u->short_at % SHORTS] += messages;
    u->hours[u->long_at % LONGS].messages += messages;
    u->hours[u->long_at % LONGS].recipients += recipients;
    u->hours[u->long_at % LONGS].octets += octets;
}

/* ---- in memory and on disk ---- */

static fallible load(struct vault *v, uint64_t credential, struct usage *ret_usage)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_SPENT_GET);
    stmt_bind(st, "i", (int64_t)credential);
    enum err e = stmt_step(st);
    if (e == ERR_NOT_FOUND) {
        *ret_usage = (struct usage){.short_at = 0};
        return OK;
    }
    TRY(e);
    return take_state(stmt_col(st, 0), ret_usage);
}

static fallible store(struct vault *v, uint64_t credential, const struct usage *u)
{
    char state[STATE_LEN];
    put_state(u, state);
    struct stmt *st = db_stmt(clients_db(v), C_SPENT_PUT);
    stmt_bind(st, "ib", (int64_t)credential, slice_of(state, sizeof state));
    return stmt_run(st);
}

static void drop(struct vault *v, struct budget *b)
{
    map_drop(&v->budgets, map_id(&b->credential));
    free(b);
}

/* Room for one more: what was written already can be read again. ERR_LIMIT: everything waits to be written. */
static fallible make_room(struct vault *v)
{
    size_t at = 0;
    void *value;
    if (v->budgets.count < LIMIT_BUDGETS)
        return OK;
    while (map_next(&v->budgets, &at, &value)) {
        struct budget *b = value;
        if (!b->is_dirty) {
            drop(v, b);
            return OK;
        }
    }
    return ERR_LIMIT;
}

static fallible
budget_of(struct vault *v, const struct account_id *account, uint64_t credential, struct budget **ret_budget)
{
    struct budget *b = map_find(&v->budgets, map_id(&credential));
    if (!b) {
        struct usage usage;
        if (make_room(v) != OK)
            TRY(vault_flush(v));
        TRY(make_room(v));
        TRY(load(v, credential, &usage));
        b = NEW(struct budget);
        *b = (struct budget){.credential = credential, .account = *account, .usage = usage};
        enum err e = map_add(&v->budgets, map_id(&b->credential), b);
        if (e != OK) {
            free(b);
            return e;
        }
    }
    *ret_budget = b;
    return OK;
}

/* ---- recipients ---- */

enum { WHO_LEN = 16 };

/* Not yet written; the key is inside: account and recipient. */
struct pending_recipient {
    struct {
        uint8_t account[sizeof(struct account_id)];
        uint8_t who[WHO_LEN];
    } key;
    int64_t when_s;
};

static struct slice recipient_key(const struct pending_recipient *r)
{
    return slice_of(&r->key, sizeof r->key);
}

/* Keyed, so that the stored hashes cannot be tried against address books (INV-V1). */
static struct pending_recipient
recipient_of(struct vault *v, const struct account_id *account, struct slice hash, int64_t now_s)
{
    struct pending_recipient r = {.when_s = now_s};
    struct hash_state s;
    hash_start(&s, &v->recipient_names);
    hash_add_piece(&s, id_slice(account));
    hash_add_piece(&s, hash);
    struct hash h = hash_end(&s);
    memcpy(r.key.account, account->b, sizeof r.key.account);
    memcpy(r.key.who, h.b, WHO_LEN);
    return r;
}

static fallible is_known(struct vault *v, const struct pending_recipient *r, bool *ret_known)
{
    int64_t since_s = r->when_s - (int64_t)LIMIT_RECIPIENT_KNOWN;
    const struct pending_recipient *pending = map_find(&v->recipients, recipient_key(r));
    if (pending) {
        *ret_known = pending->when_s > since_s;
        return OK;
    }
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_RECIPIENT_FIND);
    stmt_bind(
        st, "bb", slice_of(r->key.account, sizeof r->key.account), slice_of(r->key.who, sizeof r->key.who));
    enum err e = stmt_step(st);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    *ret_known = e == OK && stmt_col_int(st, 0) > since_s;
    return OK;
}

static fallible count_new(
    struct vault *v, const struct account_id *account, struct slice hashes, int64_t now_s, uint32_t *ret_new)
{
    uint32_t new_ones = 0;
    for (size_t i = 0; i < hashes.n; i += LIMIT_SPEND_RECIPIENT) {
        struct slice hash = slice_sub(hashes, i, LIMIT_SPEND_RECIPIENT);
        struct pending_recipient r = recipient_of(v, account, hash, now_s);
        bool known, is_repeat = slice_search(slice_sub(hashes, 0, i), hash) != SLICE_NPOS;
        TRY(is_known(v, &r, &known));
        new_ones += !known && !is_repeat;
    }
    *ret_new = new_ones;
    return OK;
}

/* When as many wait as may, they are written now. */
static fallible note_recipient(struct vault *v, const struct pending_recipient *r)
{
    struct pending_recipient *known = map_find(&v->recipients, recipient_key(r));
    if (known) {
        known->when_s = r->when_s;
        return OK;
    }
    if (v->recipients.count >= LIMIT_RECIPIENTS_PENDING)
        TRY(vault_flush(v));
    struct pending_recipient *copy = NEW(struct pending_recipient);
    *copy = *r;
    enum err e = map_add(&v->recipients, recipient_key(copy), copy);
    if (e != OK)
        free(copy);
    return e;
}

static fallible
note_recipients(struct vault *v, const struct account_id *account, struct slice hashes, int64_t now_s)
{
    for (size_t i = 0; i < hashes.n; i += LIMIT_SPEND_RECIPIENT) {
        struct pending_recipient r =
            recipient_of(v, account, slice_sub(hashes, i, LIMIT_SPEND_RECIPIENT), now_s);
        TRY(note_recipient(v, &r));
    }
    return OK;
}

static fallible write_recipient(struct vault *v, const struct pending_recipient *r)
{
    struct slice account = slice_of(r->key.account, sizeof r->key.account);
    struct stmt *st = db_stmt(clients_db(v), C_RECIPIENT_PUT);
    stmt_bind(st, "bbi", account, slice_of(r->key.who, sizeof r->key.who), r->when_s);
    TRY(stmt_run(st));
    st = db_stmt(clients_db(v), C_RECIPIENT_TRIM);
    stmt_bind(
        st, "bii", account, r->when_s - (int64_t)LIMIT_RECIPIENT_KNOWN, (int64_t)LIMIT_RECIPIENTS_KNOWN);
    return stmt_run(st);
}

/* ---- with the rest of what is pending ---- */

bool vault_has_spent(const struct vault *v)
{
    return v->budgets_dirty || v->recipients.count;
}

fallible vault_flush_spent(struct vault *v)
{
    size_t at = 0;
    void *value;
    while (map_next(&v->budgets, &at, &value)) {
        const struct budget *b = value;
        if (b->is_dirty)
            TRY(store(v, b->credential, &b->usage));
    }
    at = 0;
    while (map_next(&v->recipients, &at, &value))
        TRY(write_recipient(v, value));
    return OK;
}

void vault_spent_written(struct vault *v)
{
    size_t at = 0;
    void *value;
    while (map_next(&v->budgets, &at, &value))
        ((struct budget *)value)->is_dirty = false;
    v->budgets_dirty = false;
    at = 0;
    while (map_next(&v->recipients, &at, &value))
        free(value);
    map_done(&v->recipients);
}

void vault_forget_spent(struct vault *v)
{
    size_t at = 0;
    void *value;
    vault_spent_written(v);
    while (map_next(&v->budgets, &at, &value))
        free(value);
    map_done(&v->budgets);
}

void budget_forget_account(struct vault *v, const struct account_id *account)
{
    size_t at = 0;
    void *value;
    while (map_next(&v->budgets, &at, &value)) {
        struct budget *b = value;
        if (account_id_eq(&b->account, account)) {
            drop(v, b);
            at = 0; /* the map may have moved its entries */
        }
    }
}

fallible budget_copy(struct vault *v, uint64_t from, uint64_t to)
{
    const struct budget *b = map_find(&v->budgets, map_id(&from));
    struct usage usage;
    if (b)
        usage = b->usage;
    else
        TRY(load(v, from, &usage));
    return store(v, to, &usage);
}

fallible budget_reset(struct vault *v, uint64_t credential)
{
    struct budget *b = map_find(&v->budgets, map_id(&credential));
    if (b)
        drop(v, b);
    struct stmt *st = db_stmt(clients_db(v), C_SPENT_REMOVE);
    stmt_bind(st, "i", (int64_t)credential);
    return stmt_run(st);
}

/* ---- spending ---- */

static bool exceeds(uint64_t used, uint64_t more, uint64_t limit)
{
    return limit && more && (used > limit || more > limit - used);
}

/* Which limit would be exceeded; NULL: none. */
static const char *exceeded(
    const struct scope *limits, const struct vault_spent *used, const struct vault_spending *s,
    uint32_t new_recipients)
{
    const struct {
        enum scope_kind kind;
        uint64_t used, more, limit;
    } rows[] = {
        {SCOPE_MESSAGES_HOUR, used->messages_hour, s->messages, limits->messages_hour},
        {SCOPE_MESSAGES_DAY, used->messages_day, s->messages, limits->messages_day},
        {SCOPE_RECIPIENTS_DAY, used->recipients_day, new_recipients, limits->recipients_day},
        {SCOPE_BYTES_DAY, used->octets_day, s->octets, limits->bytes_day},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (exceeds(rows[i].used, rows[i].more, rows[i].limit))
            return scope_kind_by_number((int64_t)rows[i].kind)->name;
    return NULL;
}

static fallible write_frozen(
    struct vault *v, const struct vault_client *c, struct slice limit, int64_t now_s, struct slice facts)
{
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_FREEZE);
    stmt_bind(st, "iit", (int64_t)c->id, now_s, limit);
    TRY(stmt_run(st));
    return vault_notice_add(v, VAULT_CLIENTS, &c->account, NOTICE_CLIENT_FROZEN, facts);
}

static fallible freeze(struct vault *v, const struct vault_client *c, const char *limit, int64_t now_s)
{
    struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS), more CLEANUP_BUF = BUF_INIT(64);
    notice_fact(&more, "limit", slice_str(limit));
    client_facts(v, c, &facts);
    buf_put(&facts, buf_slice(&more));
    TRY(db_begin(clients_db(v)));
    enum err e = write_frozen(v, c, slice_str(limit), now_s, buf_slice(&facts));
    if (e != OK) {
        db_rollback(clients_db(v));
        return e;
    }
    TRY(db_commit(clients_db(v)));
    client_tell_revoked(v, &c->account, c->id, c->version + 1);
    client_audit(v, "client.frozen", c, buf_slice(&more));
    return OK;
}

static fallible spend(
    struct vault *v, const struct vault_client *c, const struct vault_spending *s, int64_t now_s,
    enum spend_verdict *ret_verdict)
{
    struct budget *b;
    uint32_t new_recipients = 0;
    TRY(budget_of(v, &c->account, c->id, &b));
    TRY(count_new(v, &c->account, s->recipients, now_s, &new_recipients));
    move_to(&b->usage, now_s);
    struct vault_spent used = sum_of(&b->usage);
    const char *limit = exceeded(&c->scopes.limits, &used, s, new_recipients);
    if (limit) {
        TRY(freeze(v, c, limit, now_s));
        *ret_verdict = SPEND_FROZEN;
        return OK;
    }
    TRY(note_recipients(v, &c->account, s->recipients, now_s));
    count(&b->usage, s->messages, new_recipients, s->octets);
    b->is_dirty = v->budgets_dirty = true;
    *ret_verdict = SPEND_OK;
    return OK;
}

fallible vault_spend(
    struct vault *v, const struct account_id *account, uint64_t credential, const struct vault_spending *s,
    int64_t now_s, enum spend_verdict *ret_verdict)
{
    if (s->recipients.n % LIMIT_SPEND_RECIPIENT)
        return ERR_SYNTAX;
    if (credential == VAULT_MAILBOX_CREDENTIAL) {
        *ret_verdict = SPEND_OK;
        return OK;
    }
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    enum err e = vault_client_get(v, account, credential, &c);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    if (e == ERR_NOT_FOUND || c.is_revoked || c.scopes.is_frozen || c.scopes.has_unknown_limit) {
        *ret_verdict = SPEND_FROZEN;
        return OK;
    }
    return spend(v, &c, s, now_s, ret_verdict);
}

fallible vault_spent(struct vault *v, uint64_t credential, int64_t now_s, struct vault_spent *ret_spent)
{
    const struct budget *b = map_find(&v->budgets, map_id(&credential));
    struct usage usage;
    if (b)
        usage = b->usage;
    else
        TRY(load(v, credential, &usage));
    move_to(&usage, now_s);
    *ret_spent = sum_of(&usage);
    return OK;
}

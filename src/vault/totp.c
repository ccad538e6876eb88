/* totp.c - authenticators in the store: enrolling, confirming, checking (vault/factors.h; the arithmetic is factor/totp.h). */
#include "factor/totp.h"

#include "crypto/random.h"
#include "crypto/symbols.h"
#include "vault/accounts.h"
#include "vault/factors_private.h"

enum { STEP_LEN = 8, URI_MAX = 1024, TEXT_MAX = 64, LIVE_MAX = LIMIT_TOTP_PER_ACCOUNT };

struct authenticator {
    uint64_t id;
    int64_t created_s;
    enum factor_status status;
    struct totp_state state;
    struct secret secret;
};

static void forget(struct authenticator *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        secret_free(&a[i].secret);
}

/* ---- rows ---- */

static fallible read_state(struct stmt *st, struct totp_state *s)
{
    struct slice used = stmt_col(st, 10);
    if (used.n % STEP_LEN || used.n / STEP_LEN > LIMIT_TOTP_USED)
        return ERR_CORRUPT;
    int64_t drift = stmt_col_int(st, 9);
    if (drift < -LIMIT_TOTP_DRIFT || drift > LIMIT_TOTP_DRIFT)
        return ERR_CORRUPT;
    *s = (struct totp_state){
        .last = stmt_col_int(st, 5), .drift = (int32_t)drift, .used_count = used.n / STEP_LEN};
    for (size_t i = 0; i < s->used_count; i++) {
        uint64_t step = 0;
        for (unsigned k = STEP_LEN; k--;)
            step = step << 8 | (unsigned char)used.p[i * STEP_LEN + k];
        s->used[i] = (int64_t)step;
    }
    return OK;
}

static fallible read_row(struct vault *v, struct stmt *st, struct authenticator *ret_a)
{
    struct authenticator a = {
        .id = (uint64_t)stmt_col_int(st, 0),
        .created_s = stmt_col_int(st, 6),
        .status = (enum factor_status)stmt_col_int(st, 8),
    };
    TRY(read_state(st, &a.state));
    TRY(factor_unseal(v, a.id, stmt_col(st, 4), &a.secret));
    *ret_a = a;
    return OK;
}

static fallible load_live(
    struct vault *v, const struct account_id *account, struct authenticator out[LIVE_MAX], size_t *ret_n)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_LIST);
    stmt_bind(st, "bi", account_slice(account), (int64_t)FACTOR_TOTP);
    size_t n = 0;
    enum err e;
    while (n < LIVE_MAX && (e = stmt_step(st)) == OK) {
        if (stmt_col_int(st, 8) != FACTOR_LIVE)
            continue;
        e = read_row(v, st, &out[n]);
        if (e != OK)
            break;
        n++;
    }
    if (n < LIVE_MAX && e != ERR_NOT_FOUND) {
        forget(out, n);
        return e;
    }
    *ret_n = n;
    return OK;
}

static fallible store_state(struct vault *v, uint64_t id, const struct totp_state *s)
{
    char used[LIMIT_TOTP_USED * STEP_LEN];
    for (size_t i = 0; i < s->used_count; i++)
        for (unsigned k = 0; k < STEP_LEN; k++)
            used[i * STEP_LEN + k] = (char)((uint64_t)s->used[i] >> (8 * k));
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_STEPS);
    stmt_bind(st, "iiib", (int64_t)id, s->last, (int64_t)s->drift, slice_of(used, s->used_count * STEP_LEN));
    return stmt_run(st);
}

static fallible note_used(struct vault *v, const struct authenticator *a, int64_t now_s)
{
    TRY(store_state(v, a->id, &a->state));
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_USED);
    stmt_bind(st, "iii", (int64_t)a->id, a->state.last, now_s);
    return stmt_run(st);
}

/* ---- checking ---- */

/* Six digits as typed; false: not the form of a code, which is wrong but no guess. */
static bool read_code(struct slice typed, char code[TOTP_DIGITS])
{
    size_t n = 0;
    if (!symbols_read(typed, code, TOTP_DIGITS, &n) || n != TOTP_DIGITS)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!ascii_is_digit(code[i]))
            return false;
    return true;
}

static fallible try_all(
    struct vault *v, struct authenticator *a, size_t n, struct slice code, int64_t now_s,
    uint64_t *ret_factor)
{
    for (size_t i = 0; i < n; i++) {
        bool changed = totp_settle(&a[i].state, now_s);
        if (!*ret_factor && totp_accept(&a[i].state, secret_reveal(&a[i].secret), code, now_s)) {
            TRY(note_used(v, &a[i], now_s));
            *ret_factor = a[i].id;
        } else if (changed) {
            TRY(store_state(v, a[i].id, &a[i].state));
        }
    }
    return OK;
}

static fallible judge(
    struct vault *v, const struct account_id *account, struct authenticator *a, size_t n, struct slice typed,
    int64_t now_s, struct factor_result *result)
{
    struct tries t;
    bool changed;
    char code[TOTP_DIGITS];
    TRY(tries_get(v, account, FACTOR_TOTP, now_s, &t, &changed));
    result->wait_until_s = tries_wait_totp(&t, now_s);
    result->verdict = result->wait_until_s ? FACTOR_WAIT : FACTOR_WRONG;
    if (result->verdict == FACTOR_WRONG && read_code(typed, code)) {
        enum err e = try_all(v, a, n, slice_of(code, sizeof code), now_s, &result->factor);
        secret_wipe(code, sizeof code);
        TRY(e);
        result->verdict = result->factor ? FACTOR_YES : FACTOR_WRONG;
        tries_note(&t, now_s, result->factor != 0);
        result->wait_until_s = tries_wait_totp(&t, now_s);
        changed = true;
        if (t.wrong == LIMIT_FACTOR_TRIES)
            TRY(factor_tell_guessed(v, account, FACTOR_TOTP, now_s));
    }
    return changed ? tries_put(v, account, FACTOR_TOTP, &t) : OK;
}

enum err totp_check_code(
    struct vault *v, const struct account_id *account, struct slice code, int64_t now_s,
    struct factor_result *ret_result)
{
    struct authenticator a[LIVE_MAX];
    size_t n = 0;
    TRY(load_live(v, account, a, &n));
    struct factor_result result = {.verdict = FACTOR_NONE};
    enum err e = n ? judge(v, account, a, n, code, now_s, &result) : OK;
    forget(a, n);
    if (e == OK)
        *ret_result = result;
    return e;
}

/* ---- enrolling ---- */

static fallible show(
    struct vault *v, const struct vault_account *account, struct slice issuer, const struct secret *secret,
    struct factor_totp_new *ret_new)
{
    struct buf uri = BUF_INIT(URI_MAX), text = BUF_INIT(TEXT_MAX);
    totp_uri_put(&uri, issuer, slice_str(account->address), secret_reveal(secret));
    base32_put(&text, secret_reveal(secret));
    struct factor_totp_new n = {.secret = SECRET_NONE, .uri = SECRET_NONE};
    enum err e = buf_check(&uri);
    if (e == OK)
        e = secret_copy(v->slab, buf_slice(&text), &n.secret);
    if (e == OK)
        e = secret_copy(v->slab, buf_slice(&uri), &n.uri);
    buf_wipe(&uri);
    buf_wipe(&text);
    if (e != OK)
        secret_free(&n.secret);
    else
        *ret_new = n;
    return e;
}

static fallible enrol_in(
    struct vault *v, const struct account_id *account, struct slice label, const struct secret *secret,
    int64_t now_s, uint64_t *ret_id)
{
    struct factor_row row = {
        .kind = FACTOR_TOTP,
        .status = FACTOR_PENDING,
        .label = label,
        .secret = secret_reveal(secret),
        .now_s = now_s,
    };
    TRY(factor_remove_kind(v, account, FACTOR_TOTP, FACTOR_PENDING));
    return factor_row_add(v, account, &row, ret_id);
}

fallible factors_enrol_totp(
    struct vault *v, const struct account_id *account, struct slice label, struct slice issuer, int64_t now_s,
    struct factor_totp_new *ret_new)
{
    struct vault_account a;
    struct secret secret CLEANUP_SECRET = SECRET_NONE;
    struct factor_totp_new made;
    vault_forget_problem(v);
    TRY(factor_check_new(v, account, FACTOR_TOTP, label));
    TRY(vault_account_get(v, account, &a));
    if (!issuer.n || !vault_text_is_good(issuer, LIMIT_DOMAIN))
        return vault_refuse(v, ERR_SYNTAX, "an issuer is a name without control characters");
    TRY(secret_random(v->slab, TOTP_SECRET, &secret));
    enum err e = show(v, &a, issuer, &secret, &made);
    if (e != OK)
        return vault_failed(v, e);
    e = db_begin(accounts_db(v));
    if (e == OK)
        e = factor_end(v, enrol_in(v, account, label, &secret, now_s, &made.id));
    if (e != OK) {
        secret_free(&made.secret);
        secret_free(&made.uri);
        return vault_failed(v, e);
    }
    *ret_new = made;
    factor_audit(v, "factor.enrolled", account, FACTOR_TOTP, made.id);
    return OK;
}

/* ---- confirming ---- */

static fallible get_pending(
    struct vault *v, const struct account_id *account, uint64_t id, int64_t now_s,
    struct authenticator *ret_a)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_GET);
    stmt_bind(st, "ib", (int64_t)id, account_slice(account));
    enum err e = stmt_step(st);
    bool pending = e == OK && stmt_col_int(st, 2) == FACTOR_TOTP && stmt_col_int(st, 8) == FACTOR_PENDING &&
                   now_s - stmt_col_int(st, 6) <= LIMIT_FACTOR_PENDING;
    if (e == ERR_NOT_FOUND || (e == OK && !pending))
        return vault_refuse(v, ERR_NOT_FOUND, "no authenticator of this number waits for its first code");
    TRY(e);
    return read_row(v, st, ret_a);
}

static fallible confirm_in(
    struct vault *v, const struct account_id *account, struct authenticator *a, struct slice code,
    int64_t now_s)
{
    struct tries none = {.wrong = 0};
    if (!totp_accept(&a->state, secret_reveal(&a->secret), code, now_s))
        return vault_refuse(
            v, ERR_DENIED, "this is not the code it shows now: is the clock of the authenticator right?");
    TRY(store_state(v, a->id, &a->state));
    TRY(tries_put(v, account, FACTOR_TOTP, &none));
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_CONFIRM);
    stmt_bind(st, "i", (int64_t)a->id);
    TRY(stmt_run(st));
    return factor_tell(v, account, FACTOR_TOTP, "added", now_s);
}

fallible factors_confirm(
    struct vault *v, const struct account_id *account, uint64_t id, struct slice code, int64_t now_s)
{
    struct authenticator a = {.secret = SECRET_NONE};
    char digits[TOTP_DIGITS];
    vault_forget_problem(v);
    if (!read_code(code, digits))
        return vault_refuse(v, ERR_DENIED, "a code has six digits");
    enum err e = db_begin(accounts_db(v));
    if (e != OK)
        return vault_failed(v, e);
    e = get_pending(v, account, id, now_s, &a);
    if (e == OK)
        e = confirm_in(v, account, &a, slice_of(digits, sizeof digits), now_s);
    e = factor_end(v, e);
    secret_free(&a.secret);
    secret_wipe(digits, sizeof digits);
    TRY(e);
    factor_audit(v, "factor.confirmed", account, FACTOR_TOTP, id);
    return OK;
}

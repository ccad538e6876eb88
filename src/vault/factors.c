#include "vault/factors.h"

#include <assert.h>
#include <stdio.h>

#include "vault/accounts.h"
#include "vault/devices.h"
#include "vault/factors_private.h"
#include "vault/notices.h"
#include "vault/policy.h"

enum { ROW_TEXT = 24 };

static const char *const kind_names[] = {
    [FACTOR_TOTP] = "totp", [FACTOR_KEY] = "key", [FACTOR_RECOVERY] = "recovery"};
static const char *const status_names[] = {"pending", "live", "suspect"};
static_assert((int)FACTOR_TOTP == STORED_TOTP && (int)FACTOR_KEY == STORED_KEY, "as stored");
static_assert((int)FACTOR_RECOVERY == STORED_RECOVERY && (int)FACTOR_PENDING == STORED_PENDING, "as stored");
static_assert((int)FACTOR_LIVE == STORED_IN_USE && (int)FACTOR_SUSPECT == STORED_SUSPECT, "as stored");

const char *factor_kind_name(enum factor_kind kind)
{
    return kind_names[kind];
}

const char *factor_status_name(enum factor_status status)
{
    return status_names[status];
}

/* ---- rows ---- */

static struct vault_place place_of(uint64_t id, char row[ROW_TEXT])
{
    int n = snprintf(row, ROW_TEXT, "%llu", (unsigned long long)id);
    return (struct vault_place){VAULT_ACCOUNTS, "factor", "secret", slice_of(row, (size_t)n)};
}

static fallible set_secret(struct vault *v, uint64_t id, struct slice secret)
{
    char row[ROW_TEXT];
    struct vault_place place = place_of(id, row);
    struct buf sealed CLEANUP_BUF = BUF_INIT(FACTOR_SEALED_MAX);
    vault_seal(v, &place, secret, &sealed);
    TRY(buf_check(&sealed));
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_SET_SECRET);
    stmt_bind(st, "ib", (int64_t)id, buf_slice(&sealed));
    return stmt_run(st);
}

fallible factor_row_add(
    struct vault *v, const struct account_id *account, const struct factor_row *row, uint64_t *ret_id)
{
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_ADD);
    stmt_bind(
        st, row->lookup.n ? "bitiiib" : "bitiiin", account_slice(account), (int64_t)row->kind, row->label,
        row->counter, row->now_s, (int64_t)row->status, row->lookup);
    TRY(stmt_run(st));
    uint64_t id = (uint64_t)db_last_id(accounts_db(v));
    if (row->secret.n)
        TRY(set_secret(v, id, row->secret));
    *ret_id = id;
    return OK;
}

fallible factor_unseal(struct vault *v, uint64_t id, struct slice sealed, struct secret *ret_secret)
{
    char row[ROW_TEXT];
    struct vault_place place = place_of(id, row);
    return vault_unseal(v, &place, sealed, ret_secret);
}

struct hash
factor_lookup(struct vault *v, const char *purpose, const struct account_id *account, struct slice secret)
{
    struct hash_state s;
    hash_start(&s, &v->factors);
    hash_add_piece(&s, slice_str(purpose));
    hash_add_piece(&s, account ? account_slice(account) : SLICE_EMPTY);
    hash_add_piece(&s, secret);
    return hash_end(&s);
}

fallible factor_remove_kind(
    struct vault *v, const struct account_id *account, enum factor_kind kind, enum factor_status status)
{
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_REMOVE_KIND);
    stmt_bind(st, "bii", account_slice(account), (int64_t)kind, (int64_t)status);
    return stmt_run(st);
}

fallible factor_end(struct vault *v, enum err e)
{
    if (e == OK)
        e = db_commit(accounts_db(v));
    else
        db_rollback(accounts_db(v));
    if (e == OK || vault_problem(v).n)
        return e;
    return vault_failed(v, e);
}

void factor_audit(
    struct vault *v, const char *event, const struct account_id *account, enum factor_kind kind, uint64_t id)
{
    struct vault_account a;
    if (vault_account_get(v, account, &a) != OK)
        return;
    struct buf body CLEANUP_BUF = BUF_INIT(128);
    buf_printf(&body, "kind=%s\n", factor_kind_name(kind));
    if (id)
        buf_printf(&body, "factor=%llu\n", (unsigned long long)id);
    vault_audit(v, event, slice_str(a.address), &body);
}

static fallible tell(
    struct vault *v, const struct account_id *account, enum notice_kind notice, enum factor_kind kind,
    const char *what, int64_t now_s)
{
    struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS), text CLEANUP_BUF = BUF_INIT(64);
    buf_printf(&text, "%s %s", factor_kind_name(kind), what);
    notice_fact(&facts, "what", buf_slice(&text));
    notice_fact(&facts, "by", buf_slice(&v->actor));
    notice_fact_int(&facts, "when_s", now_s);
    return vault_notice_add(v, VAULT_ACCOUNTS, account, notice, buf_slice(&facts));
}

fallible factor_tell(
    struct vault *v, const struct account_id *account, enum factor_kind kind, const char *what, int64_t now_s)
{
    return tell(v, account, NOTICE_FACTOR_CHANGED, kind, what, now_s);
}

fallible
factor_tell_guessed(struct vault *v, const struct account_id *account, enum factor_kind kind, int64_t now_s)
{
    return tell(v, account, NOTICE_FACTOR_GUESSED, kind, "guessed", now_s);
}

/* ---- counting ---- */

struct counts {
    struct factors_have have;
    uint32_t all; /* rows */
};

static fallible count(struct vault *v, const struct account_id *account, struct counts *ret_counts)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_COUNT);
    stmt_bind(st, "b", account_slice(account));
    TRY(stmt_step(st));
    *ret_counts = (struct counts){
        .have =
            {.totp = (uint32_t)stmt_col_int(st, 0),
             .keys = (uint32_t)stmt_col_int(st, 1),
             .recovery = (uint32_t)stmt_col_int(st, 2)},
        .all = (uint32_t)stmt_col_int(st, 3)};
    return OK;
}

fallible factors_count(struct vault *v, const struct account_id *account, struct factors_have *ret_have)
{
    struct counts c;
    enum err e = count(v, account, &c);
    if (e != OK)
        return vault_failed(v, e);
    *ret_have = c.have;
    return OK;
}

fallible
factor_check_new(struct vault *v, const struct account_id *account, enum factor_kind kind, struct slice label)
{
    struct vault_account a;
    struct counts c;
    TRY(vault_account_get(v, account, &a));
    if (!label.n || !vault_text_is_good(label, LIMIT_FACTOR_LABEL))
        return vault_refuse(v, ERR_SYNTAX, "a label is UTF-8 text without control characters, not empty");
    enum err e = count(v, account, &c);
    if (e != OK)
        return vault_failed(v, e);
    if (c.all - c.have.recovery >= LIMIT_FACTORS_PER_ACCOUNT)
        return vault_refuse(
            v, ERR_LIMIT, "the account has %d second factors already", (int)LIMIT_FACTORS_PER_ACCOUNT);
    if (kind == FACTOR_TOTP && c.have.totp >= LIMIT_TOTP_PER_ACCOUNT)
        return vault_refuse(
            v, ERR_LIMIT, "the account has %d authenticators already: remove one",
            (int)LIMIT_TOTP_PER_ACCOUNT);
    return OK;
}

/* ---- listing ---- */

static fallible read_factor(struct stmt *st, struct factor *ret_factor)
{
    int64_t kind = stmt_col_int(st, 2), status = stmt_col_int(st, 8);
    if (kind < FACTOR_TOTP || kind > FACTOR_RECOVERY || status < FACTOR_PENDING || status > FACTOR_SUSPECT ||
        stmt_col(st, 3).n > LIMIT_FACTOR_LABEL)
        return ERR_CORRUPT;
    struct factor f = {
        .id = (uint64_t)stmt_col_int(st, 0),
        .kind = (enum factor_kind)kind,
        .status = (enum factor_status)status,
        .created_s = stmt_col_int(st, 6),
        .last_used_s = stmt_col_int(st, 7),
    };
    vault_copy_text(f.label, sizeof f.label, stmt_col(st, 3));
    *ret_factor = f;
    return OK;
}

static bool is_forgotten(const struct factor *f, int64_t now_s)
{
    return f->status == FACTOR_PENDING && now_s - f->created_s > LIMIT_FACTOR_PENDING;
}

fallible
factors_list(struct vault *v, const struct account_id *account, int64_t now_s, factor_fn *fn, void *owner)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_LIST);
    stmt_bind(st, "bi", account_slice(account), (int64_t)0);
    struct factor f, codes = {.left = 0};
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        e = read_factor(st, &f);
        if (e != OK)
            break;
        if (f.kind == FACTOR_RECOVERY) {
            uint32_t left = codes.left;
            codes = left ? codes : f;
            codes.left = left + 1;
        } else if (!is_forgotten(&f, now_s)) {
            fn(owner, &f);
        }
    }
    if (e != ERR_NOT_FOUND)
        return vault_failed(v, e);
    if (codes.left)
        fn(owner, &codes);
    return OK;
}

/* ---- removing ---- */

static fallible get(struct vault *v, const struct account_id *account, uint64_t id, struct factor *ret_factor)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_GET);
    stmt_bind(st, "ib", (int64_t)id, account_slice(account));
    enum err e = stmt_step(st);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "the account has no second factor of this number");
    TRY(e);
    return read_factor(st, ret_factor);
}

/* With the last factor go what stood in for it. */
static fallible remove_stand_ins(struct vault *v, const struct account_id *account)
{
    TRY(factor_remove_kind(v, account, FACTOR_RECOVERY, FACTOR_LIVE));
    struct stmt *st = db_stmt(accounts_db(v), A_DEVICE_REMOVE_ALL);
    stmt_bind(st, "b", account_slice(account));
    return stmt_run(st);
}

/* Is what would be left enough for the account's policy? */
static fallible check_left(struct vault *v, const struct account_id *account, const struct factors_have *left)
{
    struct vault_account a;
    int64_t needed;
    TRY(vault_account_get(v, account, &a));
    TRY(vault_policy_value(v, &a, SLICE_EMPTY, POLICY_FACTOR_REQUIRED, &needed, NULL));
    const bool enough[] = {
        [POLICY_FACTOR_KEY] = left->keys > 0,
        [POLICY_FACTOR_TOTP] = left->totp > 0,
        [POLICY_FACTOR_ANY] = left->keys + left->totp > 0,
        [POLICY_FACTOR_NONE] = true,
    };
    if (needed >= POLICY_FACTOR_KEY && needed <= POLICY_FACTOR_NONE && enough[needed])
        return OK;
    return vault_refuse(
        v, ERR_STATE,
        "policy demands a second factor of this kind, and this is the last one: add another first");
}

static fallible
remove_in(struct vault *v, const struct account_id *account, const struct factor *f, bool must_keep)
{
    struct counts c;
    if (f->kind == FACTOR_RECOVERY)
        return factor_remove_kind(v, account, FACTOR_RECOVERY, FACTOR_LIVE);
    TRY(count(v, account, &c));
    bool is_live = f->status == FACTOR_LIVE;
    c.have.totp -= is_live && f->kind == FACTOR_TOTP;
    c.have.keys -= is_live && f->kind == FACTOR_KEY;
    if (must_keep && is_live)
        TRY(check_left(v, account, &c.have));
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_REMOVE);
    stmt_bind(st, "ib", (int64_t)f->id, account_slice(account));
    TRY(stmt_run(st));
    return is_live && c.have.totp + c.have.keys == 0 ? remove_stand_ins(v, account) : OK;
}

fallible
factors_remove(struct vault *v, const struct account_id *account, uint64_t id, bool must_keep, int64_t now_s)
{
    struct factor f;
    vault_forget_problem(v);
    enum err e = db_begin(accounts_db(v));
    if (e != OK)
        return vault_failed(v, e);
    e = get(v, account, id, &f);
    if (e == OK)
        e = remove_in(v, account, &f, must_keep);
    if (e == OK)
        e = factor_tell(v, account, f.kind, "removed", now_s);
    TRY(factor_end(v, e));
    factor_audit(v, "factor.removed", account, f.kind, id);
    return OK;
}

/* ---- checking ---- */

static const struct {
    factor_check_fn *check;
} checks[] = {[FACTOR_TOTP] = {totp_check_code}, [FACTOR_RECOVERY] = {recovery_check_code}};

fallible factors_check(
    struct vault *v, const struct account_id *account, enum factor_kind kind, struct slice code,
    int64_t now_s, struct factor_result *ret_result)
{
    struct factor_result result = {.verdict = FACTOR_NONE};
    assert(kind == FACTOR_TOTP || kind == FACTOR_RECOVERY);
    vault_forget_problem(v);
    enum err e = db_begin(accounts_db(v));
    if (e != OK)
        return vault_failed(v, e);
    /* INV-F1, INV-F2: what this try has changed is on disk before its outcome is told. */
    TRY(factor_end(v, checks[kind].check(v, account, code, now_s, &result)));
    if (result.verdict == FACTOR_YES && kind == FACTOR_RECOVERY)
        factor_audit(v, "factor.recovery_used", account, kind, result.factor);
    if (result.verdict == FACTOR_WRONG && result.wait_until_s)
        factor_audit(v, "factor.paused", account, kind, 0);
    *ret_result = result;
    return OK;
}

fallible factors_check_totp(
    struct vault *v, const struct account_id *account, struct slice code, int64_t now_s,
    struct factor_result *ret_result)
{
    return factors_check(v, account, FACTOR_TOTP, code, now_s, ret_result);
}

bool factors_split_code(struct slice typed, struct slice *ret_password, struct slice *ret_code)
{
    if (typed.n <= TOTP_DIGITS)
        return false;
    struct slice code = slice_from(typed, typed.n - TOTP_DIGITS);
    for (size_t i = 0; i < code.n; i++)
        if (!ascii_is_digit(code.p[i]))
            return false;
    *ret_password = slice_sub(typed, 0, typed.n - TOTP_DIGITS);
    *ret_code = code;
    return true;
}

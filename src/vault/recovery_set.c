/* recovery_set.c - recovery codes in the store: a new set, and one code used up (vault/factors.h). */
#include "crypto/secret.h"
#include "vault/factors_private.h"

static struct hash
lookup_of(struct vault *v, const struct account_id *account, const struct recovery_code *code)
{
    return factor_lookup(v, "recovery", account, recovery_slice(code));
}

/* ---- a new set ---- */

static fallible insert_all(
    struct vault *v, const struct account_id *account, const struct recovery_code *codes, int64_t now_s)
{
    TRY(factor_remove_kind(v, account, FACTOR_RECOVERY, FACTOR_LIVE));
    for (size_t i = 0; i < LIMIT_RECOVERY_CODES; i++) {
        struct hash lookup = lookup_of(v, account, &codes[i]);
        struct factor_row row = {
            .kind = FACTOR_RECOVERY, .status = FACTOR_LIVE, .lookup = hash_slice(&lookup), .now_s = now_s};
        uint64_t id;
        TRY(factor_row_add(v, account, &row, &id));
    }
    return factor_tell(v, account, FACTOR_RECOVERY, "codes made", now_s);
}

fallible factors_new_recovery(
    struct vault *v, const struct account_id *account, int64_t now_s,
    struct recovery_code ret_codes[LIMIT_RECOVERY_CODES])
{
    struct factors_have have;
    struct recovery_code codes[LIMIT_RECOVERY_CODES];
    vault_forget_problem(v);
    TRY(factors_count(v, account, &have));
    if (have.totp + have.keys == 0)
        return vault_refuse(
            v, ERR_STATE, "recovery codes stand in for a second factor: add an authenticator or a key first");
    for (size_t i = 0; i < LIMIT_RECOVERY_CODES; i++)
        recovery_make(&codes[i]);
    enum err e = db_begin(accounts_db(v));
    if (e == OK)
        e = factor_end(v, insert_all(v, account, codes, now_s));
    if (e == OK)
        memcpy(ret_codes, codes, sizeof codes);
    secret_wipe(codes, sizeof codes);
    if (e != OK)
        return vault_failed(v, e);
    factor_audit(v, "factor.recovery_made", account, FACTOR_RECOVERY, 0);
    return OK;
}

/* ---- checking ---- */

/* Finds and removes in one transaction: the second of two tries with the same code finds nothing. */
static fallible use_up(
    struct vault *v, const struct account_id *account, const struct recovery_code *code, uint64_t *ret_factor)
{
    struct hash lookup = lookup_of(v, account, code);
    struct stmt *find CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_FIND);
    stmt_bind(find, "bbi", hash_slice(&lookup), account_slice(account), (int64_t)FACTOR_RECOVERY);
    enum err e = stmt_step(find);
    if (e == ERR_NOT_FOUND)
        return OK;
    TRY(e);
    uint64_t id = (uint64_t)stmt_col_int(find, 0);
    stmt_reset(find);
    struct stmt *st = db_stmt(accounts_db(v), A_FACTOR_REMOVE);
    stmt_bind(st, "ib", (int64_t)id, account_slice(account));
    TRY(stmt_run(st));
    *ret_factor = id;
    return OK;
}

static fallible judge(
    struct vault *v, const struct account_id *account, const struct recovery_code *code, struct tries *t,
    int64_t now_s, struct factor_result *result)
{
    TRY(use_up(v, account, code, &result->factor));
    tries_note(t, now_s, result->factor != 0);
    TRY(tries_put(v, account, FACTOR_RECOVERY, t));
    if (result->factor)
        TRY(factor_tell(v, account, FACTOR_RECOVERY, "code used", now_s));
    result->verdict = result->factor ? FACTOR_YES : FACTOR_WRONG;
    result->wait_until_s = result->factor ? 0 : tries_wait_recovery(t, now_s);
    return OK;
}

enum err recovery_check_code(
    struct vault *v, const struct account_id *account, struct slice code, int64_t now_s,
    struct factor_result *ret_result)
{
    struct factors_have have;
    struct tries t;
    bool changed;
    struct recovery_code read;
    struct factor_result result = {.verdict = FACTOR_NONE};
    TRY(factors_count(v, account, &have));
    TRY(tries_get(v, account, FACTOR_RECOVERY, now_s, &t, &changed));
    if (changed)
        TRY(tries_put(v, account, FACTOR_RECOVERY, &t));
    if (have.recovery) {
        result.wait_until_s = tries_wait_recovery(&t, now_s);
        result.verdict = result.wait_until_s ? FACTOR_WAIT : FACTOR_WRONG;
    }
    if (result.verdict == FACTOR_WRONG && recovery_read(code, &read)) {
        enum err e = judge(v, account, &read, &t, now_s, &result);
        secret_wipe(&read, sizeof read);
        TRY(e);
    }
    result.left = have.recovery - (result.verdict == FACTOR_YES);
    *ret_result = result;
    return OK;
}

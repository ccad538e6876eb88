/* resting.c - addresses that were somebody's lately are nobody's for a while (vault/accounts.h, T-261). */
#include "base/clock.h"
#include "mail/name_rule.h"
#include "vault/accounts.h"
#include "vault/private.h"
#include "vault/resolve.h"

enum { OWNERS_MAX = LIMIT_ALIAS_TARGETS * (int)sizeof(struct account_id) };

/* What was given up at this moment or before rests no more. */
static int64_t over_since(const struct vault *v, int64_t now_s)
{
    return now_s - (int64_t)v->settings.address_rest_s;
}

/* ---- beginning and ending ---- */

void vault_resting_put_owners(struct buf *out, const struct vault_target *targets, size_t count)
{
    buf_init(out, OWNERS_MAX);
    for (size_t i = 0; i < count; i++)
        buf_put(out, slice_of(targets[i].account.b, sizeof targets[i].account.b));
}

fallible vault_resting_put(struct vault *v, struct slice key, struct slice owners)
{
    int64_t now_s = clock_unix_s();
    struct stmt *st = db_stmt(accounts_db(v), A_RESTING_TRIM);
    stmt_bind(st, "i", over_since(v, now_s));
    TRY(stmt_run(st));
    st = db_stmt(accounts_db(v), A_RESTING_PUT);
    stmt_bind(st, "tbi", key, owners.n ? owners : S(""), now_s);
    return stmt_run(st);
}

fallible vault_resting_forget(struct vault *v, const struct address_key *key)
{
    struct stmt *st = db_stmt(accounts_db(v), A_RESTING_REMOVE);
    stmt_bind(st, "t", address_key_text(key));
    return stmt_run(st);
}

/* ---- may it be given away? ---- */

static bool is_owner(struct slice owners, const struct account_id *id)
{
    struct slice wanted = slice_of(id->b, sizeof id->b);
    for (size_t i = 0; i + wanted.n <= owners.n; i += wanted.n)
        if (slice_eq(slice_sub(owners, i, wanted.n), wanted))
            return true;
    return false;
}

/* An alias may come back to those whom it led to: nobody gets anything that was not theirs. */
static bool were_all_owners(struct slice owners, const struct vault_target *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_owner(owners, &to[i].account))
            return false;
    return count > 0;
}

static enum err refuse(struct vault *v, struct slice shown, int64_t left_s)
{
    struct civil since = civil_of_unix(left_s);
    struct civil until = civil_of_unix(left_s + (int64_t)v->settings.address_rest_s);
    return vault_refuse(
        v, ERR_GONE,
        SLICE_FMT " was somebody's until %04d-%02d-%02d and rests until %04d-%02d-%02d (letterlock address "
                  "release)",
        SLICE_ARG(shown), since.year, since.month, since.day, until.year, until.month, until.day);
}

fallible vault_resting_check(
    struct vault *v, const struct address_key *key, const struct vault_target *to, size_t count)
{
    struct buf skeleton CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 4);
    vault_name_skeleton(key, &skeleton);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_RESTING_FIND);
    stmt_bind(st, "tti", address_key_text(key), buf_slice(&skeleton), over_since(v, clock_unix_s()));
    enum err e;
    while ((e = stmt_step(st)) == OK)
        if (!were_all_owners(stmt_col(st, 1), to, count))
            return refuse(v, stmt_col(st, 0), stmt_col_int(st, 2));
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

/* ---- for administrators ---- */

fallible vault_resting_list(struct vault *v, struct slice domain, vault_resting_fn *fn, void *owner)
{
    struct domain d;
    struct slice name = SLICE_EMPTY;
    if (domain.n && domain_parse(domain, &d) != OK)
        return vault_refuse(v, ERR_SYNTAX, "this is not a domain name");
    if (domain.n)
        name = domain_text(&d);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_RESTING_LIST);
    stmt_bind(st, "i", over_since(v, clock_unix_s()));
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct slice key = stmt_col(st, 0);
        size_t at = slice_rfind(key, '@');
        if (!name.n || (at != SLICE_NPOS && slice_eq(slice_from(key, at + 1), name)))
            fn(owner, stmt_col(st, 1), stmt_col_int(st, 2),
               stmt_col_int(st, 2) + (int64_t)v->settings.address_rest_s);
    }
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

fallible vault_resting_release(struct vault *v, struct slice address)
{
    struct address a;
    struct address_key key;
    TRY(vault_name(v, address, &a, &key));
    enum err e = vault_resting_forget(v, &key);
    if (e != OK)
        return vault_failed(v, e);
    if (db_changes(accounts_db(v)) == 0)
        return vault_refuse(v, ERR_NOT_FOUND, "this address does not rest");
    vault_audit(v, "address.released", address_key_text(&key), NULL);
    return OK;
}

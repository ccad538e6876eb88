#include "vault/reset.h"

#include "vault/directory.h"
#include "vault/mailbox.h"
#include "vault/notices.h"
#include "vault/policy.h"
#include "vault/private.h"

static struct slice id_of(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

static struct hash lookup_of(struct vault *v, const struct account_id *account, const struct clientpw *code)
{
    struct hash_state s;
    hash_start(&s, &v->factors);
    hash_add_piece(&s, S("reset"));
    hash_add_piece(&s, id_of(account));
    hash_add_piece(&s, clientpw_slice(code));
    return hash_end(&s);
}

static fallible
put(struct vault *v, const struct vault_account *a, const struct hash *lookup, int64_t now_s,
    int64_t expires_s)
{
    struct stmt *st = db_stmt(accounts_db(v), A_RESET_PUT);
    stmt_bind(st, "bbiit", id_of(&a->id), hash_slice(lookup), now_s, expires_s, buf_slice(&v->actor));
    TRY(stmt_run(st));
    struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS);
    notice_fact(&facts, "account", slice_str(a->address));
    notice_fact(&facts, "by", buf_slice(&v->actor));
    notice_fact_int(&facts, "when_s", now_s);
    notice_fact_int(&facts, "due_s", expires_s);
    return vault_notice_add(v, VAULT_ACCOUNTS, &a->id, NOTICE_MAILBOX_RESET, buf_slice(&facts));
}

static fallible store(
    struct vault *v, const struct vault_account *a, const struct hash *lookup, int64_t now_s,
    int64_t expires_s)
{
    enum err e = db_begin(accounts_db(v));
    if (e == OK) {
        e = put(v, a, lookup, now_s, expires_s);
        if (e == OK)
            e = db_commit(accounts_db(v));
        else
            db_rollback(accounts_db(v));
    }
    return e == OK ? OK : vault_failed(v, e);
}

fallible vault_reset_make(
    struct vault *v, struct slice address, uint32_t life_s, int64_t now_s, struct clientpw *ret_code,
    int64_t *ret_expires_s)
{
    struct vault_account a;
    struct clientpw code;
    int64_t most;
    TRY(vault_account_find(v, address, &a));
    TRY(vault_directory_refuse(v, &a.id));
    TRY(vault_policy_value(v, &a, SLICE_EMPTY, POLICY_RESET_LIFE, &most, NULL));
    if (life_s > (uint64_t)most)
        return vault_refuse(
            v, ERR_SYNTAX, "the policy reset_life lets a code live for %lld seconds at most",
            (long long)most);
    int64_t expires_s = now_s + (life_s ? (int64_t)life_s : most);
    clientpw_make(&code);
    struct hash lookup = lookup_of(v, &a.id, &code);
    enum err e = store(v, &a, &lookup, now_s, expires_s);
    if (e == OK) {
        struct buf body CLEANUP_BUF = BUF_INIT(64);
        buf_printf(&body, "expires_s=%lld\n", (long long)expires_s);
        vault_audit(v, "account.reset", slice_str(a.address), &body);
        *ret_code = code;
        *ret_expires_s = expires_s;
    }
    secret_wipe(&code, sizeof code);
    return e;
}

fallible vault_reset_check(
    struct vault *v, const struct account_id *account, struct slice typed, int64_t now_s,
    struct hash *ret_lookup)
{
    struct clientpw code;
    if (clientpw_read(typed, &code) != CLIENTPW_GOOD)
        return ERR_DENIED;
    struct hash lookup = lookup_of(v, account, &code);
    secret_wipe(&code, sizeof code);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_RESET_GET);
    stmt_bind(st, "b", id_of(account));
    enum err e = stmt_step(st);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_DENIED : e;
    bool is_same = secret_same(stmt_col(st, 0), hash_slice(&lookup));
    int64_t created_s = stmt_col_int(st, 1), expires_s = stmt_col_int(st, 2);
    if (!is_same || now_s < created_s ||
        now_s >= expires_s) /* a clock that goes back makes no code young again */
        return ERR_DENIED;
    *ret_lookup = lookup;
    return OK;
}

fallible
vault_reset_use(struct vault *v, const struct account_id *account, const struct hash *lookup, int64_t now_s)
{
    struct stmt *st = db_stmt(accounts_db(v), A_RESET_USE);
    stmt_bind(st, "bbi", id_of(account), hash_slice(lookup), now_s);
    TRY(stmt_run(st));
    return db_changes(accounts_db(v)) == 1 ? OK : ERR_DENIED;
}

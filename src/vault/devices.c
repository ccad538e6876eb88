#include "vault/devices.h"

#include "base/encode.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "vault/accounts.h"
#include "vault/factors_private.h"
#include "vault/policy.h"

enum { TOKEN_OCTETS = DEVICE_TOKEN / 2 };

static struct hash
lookup_of(struct vault *v, const struct account_id *account, const uint8_t token[TOKEN_OCTETS])
{
    return factor_lookup(v, "device", account, slice_of(token, TOKEN_OCTETS));
}

static void audit_device(struct vault *v, const char *event, const struct account_id *account, uint64_t id)
{
    struct vault_account a;
    if (vault_account_get(v, account, &a) != OK)
        return;
    struct buf body CLEANUP_BUF = BUF_INIT(64);
    if (id)
        buf_printf(&body, "device=%llu\n", (unsigned long long)id);
    vault_audit(v, event, slice_str(a.address), &body);
}

/* Seconds a device is remembered by the account's policy; 0: none is. */
static fallible life_of(struct vault *v, const struct account_id *account, int64_t *ret_life_s)
{
    struct vault_account a;
    TRY(vault_account_get(v, account, &a));
    return vault_policy_value(v, &a, SLICE_EMPTY, POLICY_REMEMBERED_DEVICES, ret_life_s, NULL);
}

/* ---- remembering ---- */

/* What a browser calls itself is for its owner's eyes; it must not keep a person out. */
static struct slice good_label(struct slice label, struct buf *out)
{
    while (label.n) {
        uint32_t c;
        size_t used = utf8_decode(label, &c);
        if (used && !utf8_is_unsafe(c) && out->n + used <= LIMIT_FACTOR_LABEL)
            buf_put(out, slice_sub(label, 0, used));
        label = slice_from(label, used ? used : 1);
    }
    return out->n ? buf_slice(out) : S("?");
}

static fallible insert(
    struct vault *v, const struct account_id *account, struct slice label, const struct hash *lookup,
    int64_t now_s, int64_t life_s, uint64_t *ret_id)
{
    struct stmt *trim = db_stmt(accounts_db(v), A_DEVICE_TRIM);
    stmt_bind(trim, "bii", account_slice(account), now_s, (int64_t)LIMIT_DEVICES_PER_ACCOUNT - 1);
    TRY(stmt_run(trim));
    struct stmt *st = db_stmt(accounts_db(v), A_DEVICE_ADD);
    stmt_bind(st, "bbtii", account_slice(account), hash_slice(lookup), label, now_s, now_s + life_s);
    TRY(stmt_run(st));
    *ret_id = (uint64_t)db_last_id(accounts_db(v));
    return OK;
}

fallible device_remember(
    struct vault *v, const struct account_id *account, struct slice label, int64_t now_s,
    char ret_token[DEVICE_TOKEN], uint64_t *ret_id)
{
    uint8_t token[TOKEN_OCTETS];
    char text[DEVICE_TOKEN + 1];
    uint64_t id = 0;
    int64_t life_s;
    struct buf name CLEANUP_BUF = BUF_INIT(LIMIT_FACTOR_LABEL);
    vault_forget_problem(v);
    TRY(life_of(v, account, &life_s));
    if (!life_s)
        return vault_refuse(v, ERR_STATE, "policy remembers no devices");
    label = good_label(label, &name);
    random_bytes(token, sizeof token);
    struct hash lookup = lookup_of(v, account, token);
    enum err e = db_begin(accounts_db(v));
    if (e == OK)
        e = factor_end(v, insert(v, account, label, &lookup, now_s, life_s, &id));
    if (e == OK) {
        hex_text(slice_of(token, sizeof token), text);
        memcpy(ret_token, text, DEVICE_TOKEN);
        *ret_id = id;
        audit_device(v, "device.remembered", account, id);
    }
    secret_wipe(token, sizeof token);
    secret_wipe(text, sizeof text);
    return e == OK ? OK : vault_failed(v, e);
}

/* ---- checking ---- */

/* A policy that became shorter holds for tokens of before, too. */
static fallible find(
    struct vault *v, const struct account_id *account, const struct hash *lookup, int64_t life_s,
    int64_t now_s, uint64_t *ret_id)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DEVICE_FIND);
    stmt_bind(st, "bb", hash_slice(lookup), account_slice(account));
    enum err e = stmt_step(st);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(e);
    if (stmt_col_int(st, 2) <= now_s || stmt_col_int(st, 1) + life_s <= now_s)
        return ERR_DENIED;
    *ret_id = (uint64_t)stmt_col_int(st, 0);
    return OK;
}

fallible device_check(
    struct vault *v, const struct account_id *account, struct slice token, int64_t now_s, uint64_t *ret_id)
{
    uint8_t octets[TOKEN_OCTETS];
    uint64_t id;
    int64_t life_s;
    if (token.n != DEVICE_TOKEN || hex_get(token, octets, sizeof octets) != OK)
        return ERR_DENIED;
    struct hash lookup = lookup_of(v, account, octets);
    secret_wipe(octets, sizeof octets);
    enum err e = life_of(v, account, &life_s);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    if (e == OK)
        e = find(v, account, &lookup, life_s, now_s, &id);
    if (e == ERR_DENIED)
        return e;
    if (e == OK) {
        struct stmt *st = db_stmt(accounts_db(v), A_DEVICE_USED);
        stmt_bind(st, "ii", (int64_t)id, now_s);
        e = stmt_run(st);
    }
    if (e != OK)
        return vault_failed(v, e);
    *ret_id = id;
    return OK;
}

/* ---- listing, forgetting ---- */

fallible
device_list(struct vault *v, const struct account_id *account, int64_t now_s, device_fn *fn, void *owner)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DEVICE_LIST);
    stmt_bind(st, "b", account_slice(account));
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct device d = {
            .id = (uint64_t)stmt_col_int(st, 0),
            .created_s = stmt_col_int(st, 2),
            .expires_s = stmt_col_int(st, 3),
            .last_used_s = stmt_col_int(st, 4),
        };
        if (stmt_col(st, 1).n > LIMIT_FACTOR_LABEL)
            return vault_failed(v, ERR_CORRUPT);
        vault_copy_text(d.label, sizeof d.label, stmt_col(st, 1));
        if (d.expires_s > now_s)
            fn(owner, &d);
    }
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

fallible device_forget(struct vault *v, const struct account_id *account, uint64_t id)
{
    struct stmt *st = db_stmt(accounts_db(v), A_DEVICE_REMOVE);
    stmt_bind(st, "ib", (int64_t)id, account_slice(account));
    enum err e = stmt_run(st);
    if (e != OK)
        return vault_failed(v, e);
    if (!db_changes(accounts_db(v)))
        return vault_refuse(v, ERR_NOT_FOUND, "the account has no remembered device of this number");
    audit_device(v, "device.forgotten", account, id);
    return OK;
}

fallible device_forget_all(struct vault *v, const struct account_id *account)
{
    struct stmt *st = db_stmt(accounts_db(v), A_DEVICE_REMOVE_ALL);
    stmt_bind(st, "b", account_slice(account));
    enum err e = stmt_run(st);
    if (e != OK)
        return vault_failed(v, e);
    if (db_changes(accounts_db(v)))
        audit_device(v, "device.forgotten", account, 0);
    return OK;
}

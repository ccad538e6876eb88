#include "vault/accounts.h"

#include <assert.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "mail/precis.h"
#include "vault/clients.h"
#include "vault/directory.h"
#include "vault/private.h"

static struct slice id_slice(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

static fallible read_account(struct vault *v, struct stmt *st, struct vault_account *ret_account)
{
    struct slice id = stmt_col(st, 0);
    if (id.n != sizeof(struct account_id) || stmt_col(st, 1).n > LIMIT_ADDRESS ||
        stmt_col(st, 2).n > LIMIT_DISPLAY_NAME || stmt_col(st, 3).n > LIMIT_LANGUAGE ||
        stmt_col(st, 9).n > LIMIT_GROUP)
        return ERR_CORRUPT;
    struct vault_account a = {
        .quota_bytes = (uint64_t)stmt_col_int(st, 4),
        .status = stmt_col_int(st, 5) == STORED_ACTIVE ? ACCOUNT_ACTIVE : ACCOUNT_LOCKED,
        .version = (uint32_t)stmt_col_int(st, 6),
        .has_password = stmt_col_int(st, 7) != 0,
        .created_s = stmt_col_int(st, 8),
        .password_s = stmt_col_int(st, 10),
        .must_change = stmt_col_int(st, 11) != 0,
    };
    memcpy(a.id.b, id.p, id.n);
    a.slot = slot_of(&a.id);
    vault_copy_text(a.address, sizeof a.address, stmt_col(st, 1));
    vault_copy_text(a.name, sizeof a.name, stmt_col(st, 2));
    vault_copy_text(a.language, sizeof a.language, stmt_col(st, 3));
    vault_copy_text(a.group, sizeof a.group, stmt_col(st, 9));
    if (!a.quota_bytes)
        a.quota_bytes = v->settings.quota_default;
    *ret_account = a;
    return OK;
}

fallible vault_account_find(struct vault *v, struct slice address, struct vault_account *ret_account)
{
    struct address a;
    struct address_key key;
    TRY(vault_name(v, address, &a, &key));
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ACCOUNT_BY_KEY);
    stmt_bind(st, "t", address_key_text(&key));
    enum err e = stmt_step(st);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "there is no such account");
    if (e == OK)
        e = read_account(v, st, ret_account);
    return e == OK ? OK : vault_failed(v, e);
}

fallible vault_account_get(struct vault *v, const struct account_id *id, struct vault_account *ret_account)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ACCOUNT_BY_ID);
    stmt_bind(st, "b", id_slice(id));
    enum err e = stmt_step(st);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "there is no such account");
    if (e == OK)
        e = read_account(v, st, ret_account);
    return e == OK ? OK : vault_failed(v, e);
}

fallible vault_account_refresh(struct vault *v, struct vault_account *account)
{
    struct vault_account now;
    TRY(vault_account_get(v, &account->id, &now));
    if (now.version != account->version && now.status == ACCOUNT_ACTIVE)
        return ERR_AGAIN;
    *account = now;
    return OK;
}

fallible vault_account_list(struct vault *v, struct slice domain, vault_account_fn *fn, void *owner)
{
    int64_t row = 0;
    if (domain.n) {
        struct domain d;
        if (domain_parse(domain, &d) != OK || vault_domain_row(v, domain_text(&d), &row) != OK)
            return vault_refuse(v, ERR_NOT_FOUND, "there is no such domain");
    }
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ACCOUNT_LIST);
    stmt_bind(st, "i", row);
    struct vault_account a;
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        e = read_account(v, st, &a);
        if (e != OK)
            break;
        fn(owner, &a);
    }
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

/* ---- making ---- */

static bool language_is_good(struct slice language)
{
    for (size_t i = 0; i < language.n; i++)
        if (!ascii_is_alpha(language.p[i]) && !ascii_is_digit(language.p[i]) && language.p[i] != '-')
            return false;
    return language.n >= 2 && language.n <= LIMIT_LANGUAGE;
}

fallible vault_password_normal(struct vault *v, const struct secret *typed, struct secret *ret_normal)
{
    struct buf text = BUF_INIT(LIMIT_PASSWORD_MAX);
    enum err e = precis_opaque(secret_reveal(typed), &text);
    if (e == OK)
        e = secret_copy(v->slab, buf_slice(&text), ret_normal);
    buf_wipe(&text);
    return e;
}

static fallible store_password(struct vault *v, const struct account_id *id, struct slice hash)
{
    struct vault_place place = {VAULT_ACCOUNTS, "account", "password", id_slice(id)};
    struct buf sealed CLEANUP_BUF = BUF_INIT(PASSHASH_TEXT_MAX * 2);
    vault_seal(v, &place, hash, &sealed);
    TRY(buf_check(&sealed));
    struct stmt *st = db_stmt(accounts_db(v), A_ACCOUNT_SET_PASSWORD);
    stmt_bind(st, "bbi", id_slice(id), buf_slice(&sealed), clock_unix_s());
    return stmt_run(st);
}

struct checked {
    struct address address;
    struct address_key key;
    struct buf shown;
    struct account_id id;
    int64_t domain;
};

static fallible insert_account(struct vault *v, const struct vault_account_new *n, const struct checked *c)
{
    struct stmt *st = db_stmt(accounts_db(v), A_ADDRESS_ADD);
    stmt_bind(
        st, "ttibi", address_key_text(&c->key), buf_slice(&c->shown), c->domain, id_slice(&c->id),
        clock_unix_s());
    TRY(stmt_run(st));
    TRY(vault_name_keep(v, &c->key));
    TRY(vault_resting_forget(v, &c->key));
    st = db_stmt(accounts_db(v), A_ACCOUNT_ADD);
    stmt_bind(
        st, "bitttii", id_slice(&c->id), c->domain, buf_slice(&c->shown), n->name,
        n->language.n ? n->language : S("en"), (int64_t)n->quota_bytes, clock_unix_s());
    return stmt_run(st);
}

static fallible check_new(struct vault *v, const struct vault_account_new *n, struct checked *c)
{
    TRY(vault_name(v, n->address, &c->address, &c->key));
    address_put(&c->shown, &c->address);
    if (buf_check(&c->shown) != OK)
        return vault_refuse(v, ERR_SYNTAX, "this address is too long");
    if (!vault_text_is_good(n->name, LIMIT_DISPLAY_NAME))
        return vault_refuse(v, ERR_SYNTAX, "a display name is UTF-8 text without control characters");
    if (n->language.n && !language_is_good(n->language))
        return vault_refuse(v, ERR_SYNTAX, "a language is written as en or zh-CN");
    if (n->quota_bytes > INT64_MAX)
        return vault_refuse(v, ERR_SYNTAX, "this quota is too large");
    if (vault_domain_row(v, address_key_domain(&c->key), &c->domain) != OK)
        return vault_refuse(v, ERR_NOT_FOUND, "the domain is not one of ours: letterlock domain add");
    struct slice base, tag;
    if (v->settings.plus_separator &&
        address_split_tag(address_key_local(&c->key), v->settings.plus_separator, &base, &tag))
        return vault_refuse(
            v, ERR_SYNTAX,
            "\"%c\" separates a name from a tag here: an account cannot have it in its address",
            v->settings.plus_separator);
    TRY(vault_name_claim(v, &c->key));
    return vault_resting_check(v, &c->key, NULL, 0);
}

static enum err refuse_used(struct vault *v)
{
    return vault_refuse(v, ERR_EXISTS, "the address is in use already, by an account or an alias");
}

static fallible add_checked(struct vault *v, const struct vault_account_new *n, struct checked *c)
{
    TRY(check_new(v, n, c));
    c->id = random_account_id();
    TRY(db_begin(accounts_db(v)));
    enum err e = insert_account(v, n, c);
    if (e == OK && n->password_hash.n)
        e = store_password(v, &c->id, n->password_hash);
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return e == ERR_EXISTS ? refuse_used(v) : vault_failed(v, e);
}

fallible vault_account_may_add(struct vault *v, const struct vault_account_new *n)
{
    struct checked c = {.shown = BUF_INIT(LIMIT_ADDRESS)};
    enum err e = check_new(v, n, &c);
    buf_done(&c.shown);
    TRY(e);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ADDRESS_FIND);
    stmt_bind(st, "t", address_key_text(&c.key));
    e = stmt_step(st);
    if (e == OK)
        return refuse_used(v);
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

fallible
vault_account_add(struct vault *v, const struct vault_account_new *n, struct vault_account *ret_account)
{
    struct checked c = {.shown = BUF_INIT(LIMIT_ADDRESS)};
    enum err e = add_checked(v, n, &c);
    if (e == OK)
        vault_audit(v, "account.added", buf_slice(&c.shown), NULL);
    buf_done(&c.shown);
    TRY(e);
    return vault_account_get(v, &c.id, ret_account);
}

/* ---- changing ---- */

static void tell_revoked(struct vault *v, const struct account_id *id)
{
    if (v->events && v->events->revoked)
        v->events->revoked(v->owner, id, 0, UINT32_MAX);
}

fallible vault_account_set_status(struct vault *v, struct slice address, enum account_status status)
{
    assert(status == ACCOUNT_ACTIVE || status == ACCOUNT_LOCKED);
    struct vault_account a;
    TRY(vault_account_find(v, address, &a));
    if (a.status == status)
        return OK;
    struct stmt *st = db_stmt(accounts_db(v), A_ACCOUNT_SET_STATUS);
    stmt_bind(st, "bi", id_slice(&a.id), (int64_t)(status == ACCOUNT_LOCKED ? STORED_LOCKED : STORED_ACTIVE));
    enum err e = stmt_run(st);
    if (e != OK)
        return vault_failed(v, e);
    if (status == ACCOUNT_LOCKED)
        tell_revoked(v, &a.id);
    vault_audit(
        v, status == ACCOUNT_LOCKED ? "account.locked" : "account.unlocked", slice_str(a.address), NULL);
    return OK;
}

fallible vault_account_password(struct vault *v, const struct account_id *id, struct secret *ret_text)
{
    enum err e = vault_directory_stored(v, id, ret_text);
    if (e != ERR_NOT_FOUND)
        return e; /* its password is another server's: what is stored says whom to ask */
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ACCOUNT_PASSWORD);
    stmt_bind(st, "b", id_slice(id));
    TRY(stmt_step(st));
    struct vault_place place = {VAULT_ACCOUNTS, "account", "password", id_slice(id)};
    return vault_unseal(v, &place, stmt_col(st, 0), ret_text);
}

static fallible run_with(struct vault *v, unsigned sql, struct slice id)
{
    struct stmt *st = db_stmt(accounts_db(v), sql);
    stmt_bind(st, "b", id);
    return stmt_run(st);
}

static fallible delete_rows(struct vault *v, const struct vault_account *a)
{
    static const unsigned by_id[] = {
        A_FACTORS_REMOVE,
        A_TRIES_REMOVE,
        A_DEVICE_REMOVE_ALL,
        A_DIRECTORY_REMOVE,
        A_DOMAIN_FORGET_ADMINISTRATOR,
        A_ADDRESS_REMOVE_OF_ACCOUNT,
        A_NOTICE_REMOVE_OF_ACCOUNT,
        A_ACCOUNT_REMOVE};
    struct address address;
    struct address_key key;
    TRY(vault_name(v, slice_str(a->address), &address, &key));
    TRY(vault_resting_put(v, address_key_text(&key), SLICE_EMPTY));
    for (size_t i = 0; i < sizeof by_id / sizeof *by_id; i++)
        TRY(run_with(v, by_id[i], id_slice(&a->id)));
    TRY(vault_aliases_forget(v, &key, SLICE_EMPTY));
    struct stmt *st = db_stmt(accounts_db(v), A_REMOVED_TRIM);
    stmt_bind(st, "i", clock_unix_s() - (int64_t)LIMIT_REMOVED_KEPT);
    TRY(stmt_run(st));
    st = db_stmt(accounts_db(v), A_REMOVED_ADD);
    stmt_bind(st, "bi", id_slice(&a->id), clock_unix_s());
    return stmt_run(st);
}

/* Credentials go first: after a crash in between, the account is still there, nobody can sign in, and the command can be
 * given again. */
fallible vault_account_remove(struct vault *v, struct slice address)
{
    struct vault_account a;
    TRY(vault_account_find(v, address, &a));
    IGNORE(vault_flush(v), "what waits to be written of it is then trimmed by its age");
    TRY(vault_clients_remove_all(v, &a.id));
    TRY(db_begin(accounts_db(v)));
    enum err e = delete_rows(v, &a);
    if (e != OK)
        db_rollback(accounts_db(v));
    else
        e = db_commit(accounts_db(v));
    if (e != OK)
        return vault_failed(v, e);
    tell_revoked(v, &a.id);
    if (v->events && v->events->account_removed)
        v->events->account_removed(v->owner, &a.id);
    vault_audit(v, "account.removed", slice_str(a.address), NULL);
    return OK;
}

fallible vault_account_removed_list(struct vault *v, vault_removed_fn *fn, void *owner)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_REMOVED_LIST);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct account_id id;
        if (stmt_col(st, 0).n != sizeof id.b)
            return vault_failed(v, ERR_CORRUPT);
        memcpy(id.b, stmt_col(st, 0).p, sizeof id.b);
        fn(owner, &id);
    }
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

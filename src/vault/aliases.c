#include "base/clock.h"
#include "vault/accounts.h"
#include "vault/private.h"
#include "vault/resolve.h"

enum { WALK_MEMORY = 4 * 1024 * 1024 };

struct alias_change {
    struct address address, target_address;
    struct address_key key, target;
    struct buf shown, target_shown;
    int64_t domain;
    bool is_new;
};

static fallible read_name(
    struct vault *v, struct slice typed, struct address *ret_address, struct address_key *ret_key,
    struct buf *shown)
{
    TRY(vault_name(v, typed, ret_address, ret_key));
    address_put(shown, ret_address);
    return buf_check(shown) == OK ? OK : vault_refuse(v, ERR_SYNTAX, "this address is too long");
}

/* ERR_NOT_FOUND: nobody has this address; ERR_EXISTS: an account has it. */
static fallible find_alias(struct vault *v, const struct address_key *key)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ADDRESS_FIND);
    stmt_bind(st, "t", address_key_text(key));
    TRY(stmt_step(st));
    return stmt_col_is_null(st, 0) ? OK : ERR_EXISTS;
}

static fallible check_target(struct vault *v, const struct alias_change *c)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(WALK_MEMORY);
    const struct vault_target *targets;
    size_t count;
    if (slice_eq(address_key_text(&c->key), address_key_text(&c->target)))
        return vault_refuse(v, ERR_BUSY, "an alias cannot lead to itself");
    enum err e = vault_resolve(v, buf_slice(&c->target_shown), &arena, &targets, &count);
    if (e == ERR_UNSUPPORTED)
        return vault_refuse(
            v, e, "the target is not in a domain of ours: mail to other domains cannot be passed on yet");
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "the target does not exist here");
    TRY(e);
    return c->is_new ? vault_resting_check(v, &c->key, targets, count) : OK;
}

static fallible insert(struct vault *v, const struct alias_change *c)
{
    if (c->is_new) {
        TRY(vault_name_claim(v, &c->key));
        struct stmt *st = db_stmt(accounts_db(v), A_ADDRESS_ADD);
        stmt_bind(st, "ttini", address_key_text(&c->key), buf_slice(&c->shown), c->domain, clock_unix_s());
        TRY(stmt_run(st));
        TRY(vault_name_keep(v, &c->key));
        TRY(vault_resting_forget(v, &c->key));
    }
    struct stmt *st = db_stmt(accounts_db(v), A_TARGET_ADD);
    stmt_bind(
        st, "ttt", address_key_text(&c->key), address_key_text(&c->target), buf_slice(&c->target_shown));
    return stmt_run(st);
}

/* With the new row in place: does anything that comes through here go too deep, or round in a circle? */
static fallible check_walk(struct vault *v, const struct alias_change *c)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(WALK_MEMORY);
    const struct vault_target *targets;
    size_t count;
    enum err e = vault_resolve(v, buf_slice(&c->shown), &arena, &targets, &count);
    if (e == ERR_LIMIT)
        return vault_refuse(
            v, e, "an alias leads to at most %d addresses, through at most %d levels",
            (int)LIMIT_ALIAS_TARGETS, (int)LIMIT_ALIAS_DEPTH);
    return e;
}

static fallible
add_checked(struct vault *v, struct slice address, struct slice target, struct alias_change *c)
{
    TRY(read_name(v, address, &c->address, &c->key, &c->shown));
    TRY(read_name(v, target, &c->target_address, &c->target, &c->target_shown));
    if (vault_domain_row(v, address_key_domain(&c->key), &c->domain) != OK)
        return vault_refuse(v, ERR_NOT_FOUND, "the domain is not one of ours: letterlock domain add");
    enum err e = find_alias(v, &c->key);
    if (e == ERR_EXISTS)
        return vault_refuse(v, e, "the address is an account's: an account cannot be an alias as well");
    if (e != OK && e != ERR_NOT_FOUND)
        return vault_failed(v, e);
    c->is_new = e == ERR_NOT_FOUND;
    TRY(check_target(v, c));
    TRY(db_begin(accounts_db(v)));
    e = insert(v, c);
    if (e == ERR_EXISTS)
        e = vault_refuse(v, e, "the alias leads there already");
    else if (e == OK)
        e = check_walk(v, c);
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return vault_problem(v).n ? e : vault_failed(v, e);
}

fallible vault_alias_add(struct vault *v, struct slice address, struct slice target)
{
    struct alias_change c = {.shown = BUF_INIT(LIMIT_ADDRESS), .target_shown = BUF_INIT(LIMIT_ADDRESS)};
    buf_clear(&v->problem);
    enum err e = add_checked(v, address, target, &c);
    if (e == OK) {
        struct buf body CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS + 16);
        buf_printf(&body, "target=" SLICE_FMT "\n", SLICE_ARG(buf_slice(&c.target_shown)));
        vault_audit(v, "alias.added", buf_slice(&c.shown), &body);
    }
    buf_done(&c.shown);
    buf_done(&c.target_shown);
    return e;
}

/* ---- removing ---- */

/* Targets that are this address, with a tag or without. */
static fallible delete_leading_to(struct vault *v, const struct address_key *key)
{
    struct buf before_tag CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS + 1);
    struct buf domain CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS + 1);
    if (v->settings.plus_separator) {
        buf_put(&before_tag, address_key_local(key));
        buf_put_char(&before_tag, v->settings.plus_separator);
    }
    buf_put_char(&domain, '@');
    buf_put(&domain, address_key_domain(key));
    struct stmt *st = db_stmt(accounts_db(v), A_TARGET_REMOVE_LEADING_TO);
    stmt_bind(st, "ttt", address_key_text(key), buf_slice(&before_tag), buf_slice(&domain));
    return stmt_run(st);
}

/* ERR_NOT_FOUND: each alias leads somewhere. */
static fallible find_empty(struct vault *v, struct address_key *ret_key)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ALIAS_EMPTY);
    TRY(stmt_step(st));
    struct slice text = stmt_col(st, 0);
    size_t at = slice_rfind(text, '@');
    if (at == SLICE_NPOS || text.n >= sizeof ret_key->text)
        return ERR_CORRUPT;
    *ret_key = (struct address_key){.n = (uint16_t)text.n, .local_n = (uint16_t)at};
    memcpy(ret_key->text, text.p, text.n);
    return OK;
}

fallible vault_aliases_forget(struct vault *v, const struct address_key *gone, struct slice owners)
{
    struct address_key key;
    enum err e;
    if (gone)
        TRY(delete_leading_to(v, gone));
    while ((e = find_empty(v, &key)) == OK) {
        TRY(vault_resting_put(v, address_key_text(&key), owners));
        struct stmt *st = db_stmt(accounts_db(v), A_ADDRESS_REMOVE);
        stmt_bind(st, "t", address_key_text(&key));
        TRY(stmt_run(st));
        TRY(delete_leading_to(v, &key));
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible delete_targets(
    struct vault *v, const struct address_key *key, const struct address_key *target, struct slice owners)
{
    struct stmt *st = db_stmt(accounts_db(v), target ? A_TARGET_REMOVE : A_TARGET_REMOVE_ALL);
    stmt_text(st, 1, address_key_text(key));
    if (target)
        stmt_text(st, 2, address_key_text(target));
    TRY(stmt_run(st));
    if (db_changes(accounts_db(v)) == 0)
        return ERR_NOT_FOUND;
    return vault_aliases_forget(v, NULL, owners);
}

static fallible remove_checked(
    struct vault *v, struct slice address, const struct address_key *key, const struct address_key *target)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(WALK_MEMORY);
    const struct vault_target *targets = NULL;
    size_t count = 0;
    struct buf owners CLEANUP_BUF = BUF_INIT(0);
    IGNORE(vault_resolve(v, address, &arena, &targets, &count), "then nobody may have it back");
    vault_resting_put_owners(&owners, targets, count);
    TRY(db_begin(accounts_db(v)));
    enum err e = delete_targets(v, key, target, buf_slice(&owners));
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return e;
}

fallible vault_alias_remove(struct vault *v, struct slice address, struct slice target)
{
    struct address a;
    struct address_key key, target_key;
    TRY(vault_name(v, address, &a, &key));
    if (target.n)
        TRY(vault_name(v, target, &a, &target_key));
    if (find_alias(v, &key) != OK)
        return vault_refuse(v, ERR_NOT_FOUND, "there is no such alias");
    enum err e = remove_checked(v, address, &key, target.n ? &target_key : NULL);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "the alias does not lead there");
    if (e != OK)
        return vault_failed(v, e);
    vault_audit(v, "alias.removed", address_key_text(&key), NULL);
    return OK;
}

fallible vault_alias_list(struct vault *v, struct slice domain, vault_alias_fn *fn, void *owner)
{
    int64_t row = 0;
    if (domain.n) {
        struct domain d;
        if (domain_parse(domain, &d) != OK || vault_domain_row(v, domain_text(&d), &row) != OK)
            return vault_refuse(v, ERR_NOT_FOUND, "there is no such domain");
    }
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ALIAS_LIST);
    stmt_bind(st, "i", row);
    enum err e;
    while ((e = stmt_step(st)) == OK)
        fn(owner, stmt_col(st, 0), stmt_col(st, 1));
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

#include "vault/accounts.h"

#include <assert.h>

#include "base/clock.h"
#include "vault/policy_private.h"
#include "vault/private.h"

static fallible read_domain(struct vault *v, struct slice name, struct domain *ret_domain)
{
    if (domain_parse(name, ret_domain) != OK)
        return vault_refuse(v, ERR_SYNTAX, "this is not a domain name");
    return OK;
}

fallible vault_domain_add(struct vault *v, struct slice name)
{
    struct domain d;
    TRY(read_domain(v, name, &d));
    if (!slice_has(domain_text(&d), '.'))
        return vault_refuse(v, ERR_SYNTAX, "a mail domain has at least two labels, as in example.org");
    struct stmt *st = db_stmt(accounts_db(v), A_DOMAIN_ADD);
    stmt_bind(st, "ti", domain_text(&d), clock_unix_s());
    enum err e = stmt_run(st);
    if (e == ERR_EXISTS)
        return vault_refuse(v, e, "the domain exists already");
    if (e != OK)
        return vault_failed(v, e);
    vault_audit(v, "domain.added", domain_text(&d), NULL);
    return OK;
}

static fallible count_in_domain(struct vault *v, struct slice name, int64_t *ret_count)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DOMAIN_LIST);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        if (slice_eq(stmt_col(st, 0), name)) {
            *ret_count = stmt_col_int(st, 1) + stmt_col_int(st, 2);
            return OK;
        }
    }
    return e;
}

/* With its policies: one that was widened years ago must not hold for a domain that is added anew. */
static fallible delete_domain(struct vault *v, const struct domain *d, int64_t row)
{
    struct policy_chain of;
    struct stmt *domain = db_stmt(accounts_db(v), A_DOMAIN_REMOVE);
    struct stmt *policies = db_stmt(accounts_db(v), A_POLICY_REMOVE_SUBJECT);
    TRY(db_begin(accounts_db(v)));
    policy_chain_start(&of, domain_text(d), SLICE_EMPTY);
    stmt_bind(domain, "i", row);
    stmt_bind(policies, "t", buf_slice(&of.domain));
    assert(!of.domain.failed); /* it has room for every domain */
    enum err e = stmt_run(domain);
    if (e == OK)
        e = stmt_run(policies);
    policy_chain_done(&of);
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return e;
}

fallible vault_domain_remove(struct vault *v, struct slice name)
{
    struct domain d;
    TRY(read_domain(v, name, &d));
    int64_t row, count = 0;
    enum err e = vault_domain_row(v, domain_text(&d), &row);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "there is no such domain");
    if (e == OK)
        e = count_in_domain(v, domain_text(&d), &count);
    if (e != OK)
        return vault_failed(v, e);
    if (count)
        return vault_refuse(
            v, ERR_STATE,
            "the domain still has accounts or aliases: remove those first (letterlock account list)");
    e = delete_domain(v, &d, row);
    if (e != OK)
        return vault_failed(v, e);
    vault_audit(v, "domain.removed", domain_text(&d), NULL);
    return OK;
}

fallible vault_domain_list(struct vault *v, vault_domain_fn *fn, void *owner)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DOMAIN_LIST);
    enum err e;
    while ((e = stmt_step(st)) == OK)
        fn(owner, stmt_col(st, 0), (uint32_t)stmt_col_int(st, 1), (uint32_t)stmt_col_int(st, 2));
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

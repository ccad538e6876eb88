/* Names that are given to somebody: the rule (mail/name_rule.h), and no two that look alike in one domain. */
#include "mail/name_rule.h"
#include "vault/private.h"

void vault_name_skeleton(const struct address_key *key, struct buf *out)
{
    name_skeleton_put(address_key_local(key), out);
    buf_put_char(out, '@');
    buf_put(out, address_key_domain(key));
}

fallible vault_name_claim(struct vault *v, const struct address_key *key)
{
    struct buf skeleton CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 4);
    enum name_flaw flaw = name_flaw_of(address_key_local(key));
    if (flaw != NAME_FINE)
        return vault_refuse(v, ERR_SYNTAX, "%s", name_flaw_text(flaw));
    vault_name_skeleton(key, &skeleton);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_SKELETON_FIND);
    stmt_bind(st, "tt", buf_slice(&skeleton), address_key_text(key));
    enum err e = stmt_step(st);
    if (e == OK)
        return vault_refuse(v, ERR_EXISTS, "there is an address already that people would take for this one");
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

fallible vault_name_keep(struct vault *v, const struct address_key *key)
{
    struct buf skeleton CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 4);
    vault_name_skeleton(key, &skeleton);
    struct stmt *st = db_stmt(accounts_db(v), A_SKELETON_SET);
    stmt_bind(st, "tt", address_key_text(key), buf_slice(&skeleton));
    return stmt_run(st);
}

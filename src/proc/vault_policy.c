/* vault_policy.c - `letterlock policy` and the groups of accounts (src/vault/policy.h). */
#include "proc/vault.h"
#include "vault/policy.h"

enum err vault_do_account_set_group(struct asked *a, struct ipc_msg *m)
{
    return vault_account_set_group(
        a->vp->vault, m->u.account_set_group.address, m->u.account_set_group.group);
}

enum err vault_do_policy_set(struct asked *a, struct ipc_msg *m)
{
    const struct msg_policy_set *s = &m->u.policy_set;
    return vault_policy_set(a->vp->vault, s->subject, s->key, s->value);
}

static void put_policy(void *owner, const struct policy_item *item)
{
    const struct policy_row *row = policy_row(item->key);
    struct ipc_msg m = {.type = MSG_POLICY_ITEM};
    m.u.policy_item = (struct msg_policy_item){
        .key = slice_str(row->name),
        .value = item->value,
        .source = item->source,
        .help = slice_str(row->help[0]),
    };
    asked_item(owner, &m);
}

enum err vault_do_policy_show(struct asked *a, struct ipc_msg *m)
{
    return vault_policy_show(a->vp->vault, m->u.policy_show.subject, put_policy, a);
}

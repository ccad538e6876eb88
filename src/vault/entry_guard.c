#include "vault/entry_private.h"

#include <stdio.h>

#include "vault/guarded.h"
#include "vault/private.h"
#include "vault/why.h"

void entry_tell(struct entries *e, struct entry *x, const char *outcome, enum reason reason)
{
    char alias[WHY_ALIAS_LEN + 1], ip[IP_TEXT_MAX], kind[32];
    vault_name_alias(e->vault, buf_slice(&x->name), alias);
    struct why_row row = {
        .time_s = entries_now_s(e),
        .name = x->has_account ? slice_str(x->account.address) : buf_slice(&x->name),
        .account = x->has_account ? &x->account.id : NULL,
        .door = S("portal"),
        .outcome = slice_str(outcome),
        .reason = slice_str(reason_name(reason)),
        .client = x->client,
        .program = buf_slice(&x->program),
    };
    vault_why_add(e->vault, &row);
    struct buf body CLEANUP_BUF = BUF_INIT(512);
    buf_printf(
        &body, "door=portal\nreason=%s\nclient=%s\nstep-up=%s\n", reason_name(reason),
        ip_text(&x->client, ip), x->is_step_up ? "yes" : "no");
    snprintf(kind, sizeof kind, "signin.%s", outcome);
    vault_audit(e->vault, kind, x->has_account ? slice_str(x->account.address) : slice_str(alias), &body);
}

/* ---- the guard ---- */

struct guard_who entry_guard_view(struct entries *e, const struct entry *x, struct address_key *key)
{
    struct guard_who who = vault_guarded(
        e->vault, buf_slice(&x->name), x->has_account ? &x->account.id : NULL, &x->client, entries_now_s(e),
        key);
    who.is_exempt = e->ops->is_exempt(e->owner, &x->client);
    return who;
}

bool entry_must_wait(struct entries *e, const struct entry *x, struct slice secret)
{
    struct address_key key;
    struct guard_who who = entry_guard_view(e, x, &key);
    return guard_must_wait(e->guard, entries_now_ms(e), &who, secret);
}

#include "vault/entry_private.h"

#include <stdio.h>

#include "vault/known.h"
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

/* A name that is no address is counted like any other. */
static void key_of_name(struct slice name, struct address_key *ret_key)
{
    struct address a;
    if (address_parse(name, ADDRESS_ALLOW_UTF8, &a) == OK && !a.is_literal && address_key(&a, ret_key) == OK)
        return;
    struct hash h = hash_of(NULL, name);
    *ret_key = (struct address_key){.n = sizeof h.b};
    memcpy(ret_key->text, h.b, sizeof h.b);
}

struct guard_who entry_guard_view(struct entries *e, const struct entry *x, struct address_key *key)
{
    static const struct account_id nobody;
    key_of_name(buf_slice(&x->name), key);
    return (struct guard_who){
        .name = address_key_text(key),
        .client = x->client,
        .is_known =
            vault_is_known(e->vault, x->has_account ? &x->account.id : &nobody, &x->client, entries_now_s(e)),
        .is_exempt = e->ops->is_exempt(e->owner, &x->client),
    };
}

bool entry_must_wait(struct entries *e, const struct entry *x, struct slice secret)
{
    struct address_key key;
    struct guard_who who = entry_guard_view(e, x, &key);
    return guard_must_wait(e->guard, entries_now_ms(e), &who, secret);
}

#include "vault/guarded.h"

#include <string.h>

#include "vault/known.h"
#include "vault/private.h"

static void key_of_name(struct slice name, struct address_key *ret_key)
{
    struct address a;
    if (address_parse(name, ADDRESS_ALLOW_UTF8, &a) == OK && !a.is_literal && address_key(&a, ret_key) == OK)
        return;
    struct hash h = hash_of(NULL, name);
    *ret_key = (struct address_key){.n = sizeof h.b};
    memcpy(ret_key->text, h.b, sizeof h.b);
}

struct guard_who vault_guarded(
    struct vault *v, struct slice name, const struct account_id *account, const struct ip *client,
    int64_t now_s, struct address_key *ret_key)
{
    static const struct account_id nobody;
    key_of_name(name, ret_key);
    return (struct guard_who){
        .name = address_key_text(ret_key),
        .client = *client,
        .is_known = vault_is_known(v, account ? account : &nobody, client, now_s),
    };
}

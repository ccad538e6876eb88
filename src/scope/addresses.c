/* addresses.c - whom a credential may send as, and to: addresses and whole domains. */
#include "mail/address.h"
#include "scope/private.h"

fallible scope_address_normal(struct slice value, struct buf *out)
{
    if (slice_starts(value, S("@"))) {
        struct domain domain;
        TRY(domain_parse(slice_from(value, 1), &domain));
        buf_put_char(out, '@');
        buf_put(out, domain_text(&domain));
        return OK;
    }
    struct address address;
    struct address_key key;
    TRY(address_parse(value, ADDRESS_ALLOW_UTF8, &address));
    TRY(address_key(&address, &key));
    address_put(out, &address);
    return OK;
}

static fallible key_of(struct slice text, struct address_key *ret_key)
{
    struct address address;
    TRY(address_parse(text, ADDRESS_ALLOW_UTF8 | ADDRESS_ALLOW_LITERAL, &address));
    return address_key(&address, ret_key);
}

bool scope_address_covers(struct slice wide, struct slice narrow)
{
    struct address_key w, n;
    if (slice_starts(narrow, S("@")))
        return slice_eq(wide, narrow);
    if (key_of(narrow, &n) != OK)
        return false;
    if (slice_starts(wide, S("@")))
        return slice_eq(slice_from(wide, 1), address_key_domain(&n));
    return key_of(wide, &w) == OK && slice_eq(address_key_text(&w), address_key_text(&n));
}

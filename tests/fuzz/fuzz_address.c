/* Addresses: paths that are accepted print and read back as themselves; lists never hold a mailbox without local part,
 * and what is written of them is one line. */
#include <assert.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ALL = ADDRESS_ALLOW_UTF8 | ADDRESS_ALLOW_NULL | ADDRESS_ALLOW_POSTMASTER | ADDRESS_ALLOW_LITERAL };

static void path(struct slice input)
{
    struct address a, again;
    struct address_key key, same;
    struct slice rest = input;
    if (address_take_path(&rest, ALL, &a) != OK)
        return;
    assert(rest.n < input.n && !slice_has(address_local(&a), '\0') && !slice_has(address_domain(&a), '\0'));
    CLEANUP_BUF struct buf out = BUF_INIT(2000);
    buf_put_char(&out, '<');
    address_put(&out, &a);
    buf_put_char(&out, '>');
    rest = buf_slice(&out);
    assert(address_take_path(&rest, ALL, &again) == OK && rest.n == 0);
    assert(
        slice_eq(address_local(&a), address_local(&again)) &&
        slice_eq(address_domain(&a), address_domain(&again)));
    if (a.domain_n == 0 || address_key(&a, &key) != OK)
        return;
    assert(address_key(&again, &same) == OK && slice_eq(address_key_text(&key), address_key_text(&same)));
    if (address_make(address_key_local(&key), address_key_domain(&key), ALL, &again) == OK)
        assert(address_key(&again, &same) == OK && slice_eq(address_key_text(&key), address_key_text(&same)));
}

static void domain(struct slice input)
{
    struct domain d, again;
    if (domain_parse(input, &d) != OK)
        return;
    assert(domain_parse(domain_text(&d), &again) == OK && slice_eq(domain_text(&d), domain_text(&again)));
    CLEANUP_BUF struct buf shown = BUF_INIT(4000);
    domain_put_unicode(&shown, &d);
    assert(domain_parse(buf_slice(&shown), &again) == OK && slice_eq(domain_text(&d), domain_text(&again)));
}

static void list(struct slice input)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    struct address_list l;
    address_list_parse(input, &arena, &l);
    size_t open = 0, mailboxes = 0;
    for (size_t i = 0; i < l.count; i++) {
        const struct address_item *item = &l.items[i];
        open += item->kind == ADDRESS_GROUP_START;
        open -= item->kind == ADDRESS_GROUP_END;
        assert(open <= 1);
        mailboxes += item->kind == ADDRESS_MAILBOX;
        assert(item->kind != ADDRESS_MAILBOX || item->local.p);
    }
    assert(mailboxes == l.mailboxes && (open == 0 || l.truncated));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    path(input);
    domain(input);
    list(input);
    return 0;
}

/* address.c - mailboxes of envelopes (RFC 5321 4.1.2, RFC 6531 3.3) and their keys. */
#include "mail/address.h"

#include <utf8proc.h>

#include "base/ip.h"
#include "base/utf8.h"

/* RFC 5322 3.2.3, octets above 0x7f for RFC 6532. */
static bool is_atext(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c > 0x7f ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_string(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' ? i == 0 || i + 1 == s.n || s.p[i - 1] == '.' : !is_atext(s.p[i]))
            return false;
    }
    return s.n > 0;
}

/* What may stand in a local part at all: no controls, whole UTF-8. */
static fallible local_check(struct slice local, unsigned allow)
{
    if (local.n == 0)
        return ERR_SYNTAX;
    if (local.n > LIMIT_LOCAL_PART)
        return ERR_LIMIT;
    for (struct slice s = local; s.n;) {
        uint32_t code = 0;
        size_t used = utf8_decode(s, &code);
        if (!used || code < 0x20 || (code >= 0x7f && code < 0xa0))
            return ERR_SYNTAX;
        if (code > 0x7f && !(allow & ADDRESS_ALLOW_UTF8))
            return ERR_UNSUPPORTED;
        s = slice_from(s, used);
    }
    return OK;
}

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]"; the general form of RFC 5321 4.1.3 has no registered tag. */
static fallible literal_check(struct slice text)
{
    if (text.n < 2 || text.p[0] != '[' || text.p[text.n - 1] != ']')
        return ERR_SYNTAX;
    struct ip ip;
    struct slice inner = slice_sub(text, 1, text.n - 2);
    if (slice_starts_nocase(inner, S("IPv6:"))) {
        inner = slice_from(inner, 5);
        return slice_has(inner, ':') ? ip_parse(inner, &ip) : ERR_SYNTAX;
    }
    return slice_has(inner, ':') ? ERR_SYNTAX : ip_parse(inner, &ip);
}

static fallible put_domain(struct address *a, struct slice domain, unsigned allow)
{
    struct domain canonical;
    if (domain.n && domain.p[0] == '[') {
        if (!(allow & ADDRESS_ALLOW_LITERAL))
            return ERR_UNSUPPORTED;
        TRY(literal_check(domain));
        canonical.n = (uint16_t)domain.n;
        for (size_t i = 0; i < domain.n; i++)
            canonical.text[i] = ascii_lower(domain.p[i]);
        a->is_literal = true;
    } else {
        if (!ascii_is_all(domain)) {
            if (!(allow & ADDRESS_ALLOW_UTF8))
                return ERR_UNSUPPORTED;
            a->is_utf8 = true;
        }
        if (domain.n && domain.p[domain.n - 1] == '.')
            return ERR_SYNTAX;
        TRY(domain_parse(domain, &canonical));
    }
    memcpy(a->text + a->local_n, canonical.text, canonical.n);
    a->domain_n = (uint8_t)canonical.n;
    return OK;
}

fallible address_make(struct slice local, struct slice domain, unsigned allow, struct address *ret_address)
{
    TRY(local_check(local, allow));
    struct address a = {.local_n = (uint8_t)local.n, .is_utf8 = !ascii_is_all(local)};
    memcpy(a.text, local.p, local.n);
    if (domain.n)
        TRY(put_domain(&a, domain, allow));
    else if (!(allow & ADDRESS_ALLOW_POSTMASTER) || !slice_eq_nocase(local, S("postmaster")))
        return ERR_SYNTAX;
    *ret_address = a;
    return OK;
}

/* Takes a local part in its wire form; without quoting into out[LIMIT_LOCAL_PART]. */
static fallible take_local(struct slice *rest, char *out, size_t *ret_n)
{
    size_t n = 0, i = 0;
    if (rest->n && rest->p[0] == '"') {
        for (i = 1; i < rest->n && rest->p[i] != '"'; i++) {
            if (rest->p[i] == '\\' && ++i == rest->n)
                return ERR_SYNTAX;
            if (n == LIMIT_LOCAL_PART)
                return ERR_LIMIT;
            out[n++] = rest->p[i];
        }
        if (i == rest->n)
            return ERR_SYNTAX;
        i++;
    } else {
        while (i < rest->n && (is_atext(rest->p[i]) || rest->p[i] == '.'))
            i++;
        if (i > LIMIT_LOCAL_PART)
            return ERR_LIMIT;
        if (!is_dot_string(slice_sub(*rest, 0, i)))
            return ERR_SYNTAX;
        memcpy(out, rest->p, n = i);
    }
    *rest = slice_from(*rest, i);
    *ret_n = n;
    return OK;
}

/* "local@domain" up to `end`, which is not taken; SLICE's end when `end` is NUL. */
static fallible take_mailbox(struct slice *rest, char end, unsigned allow, struct address *ret_address)
{
    char local[LIMIT_LOCAL_PART];
    size_t local_n = 0;
    TRY(take_local(rest, local, &local_n));
    struct slice domain = SLICE_EMPTY;
    if (rest->n && rest->p[0] == '@') {
        *rest = slice_from(*rest, 1);
        size_t n = end ? slice_find(*rest, end) : rest->n;
        if (n == SLICE_NPOS || n == 0)
            return ERR_SYNTAX;
        domain = slice_sub(*rest, 0, n);
        *rest = slice_from(*rest, n);
    }
    return address_make(slice_of(local, local_n), domain, allow, ret_address);
}

fallible address_take_path(struct slice *rest, unsigned allow, struct address *ret_address)
{
    struct slice s = *rest;
    struct address a = {.local_n = 0};
    if (s.n == 0 || s.p[0] != '<')
        return ERR_SYNTAX;
    s = slice_from(s, 1);
    if (s.n && s.p[0] == '@')
        return ERR_UNSUPPORTED;
    if (s.n && s.p[0] == '>') {
        if (!(allow & ADDRESS_ALLOW_NULL))
            return ERR_SYNTAX;
    } else
        TRY(take_mailbox(&s, '>', allow, &a));
    if (s.n == 0 || s.p[0] != '>')
        return ERR_SYNTAX;
    *rest = slice_from(s, 1);
    *ret_address = a;
    return OK;
}

fallible address_parse(struct slice text, unsigned allow, struct address *ret_address)
{
    struct address a;
    TRY(take_mailbox(&text, '\0', allow, &a));
    if (text.n)
        return ERR_SYNTAX;
    *ret_address = a;
    return OK;
}

static void put_local(struct buf *out, struct slice local)
{
    if (is_dot_string(local)) {
        buf_put(out, local);
        return;
    }
    buf_put_char(out, '"');
    for (size_t i = 0; i < local.n; i++) {
        if (local.p[i] == '"' || local.p[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, local.p[i]);
    }
    buf_put_char(out, '"');
}

void address_put(struct buf *out, const struct address *a)
{
    if (address_is_null(a))
        return;
    put_local(out, address_local(a));
    if (a->domain_n == 0)
        return;
    buf_put_char(out, '@');
    buf_put(out, address_domain(a));
}

/* ---- keys ---- */

static fallible fold_local(struct slice local, struct buf *out)
{
    if (ascii_is_all(local)) {
        for (size_t i = 0; i < local.n; i++)
            buf_put_char(out, ascii_lower(local.p[i]));
        return buf_check(out);
    }
    if (!utf8_is_valid(local))
        return ERR_SYNTAX;
    if (local.n > LIMIT_LOCAL_PART)
        return ERR_LIMIT;
    /* a code point decomposes into at most 4, each of which folds to at most 3 */
    utf8proc_int32_t codes[LIMIT_LOCAL_PART * 12 + 1];
    const utf8proc_ssize_t room = sizeof codes / sizeof *codes - 1;
    utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD;
    utf8proc_ssize_t n =
        utf8proc_decompose((const utf8proc_uint8_t *)local.p, (utf8proc_ssize_t)local.n, codes, room, how);
    if (n < 0 || n > room)
        return n < 0 ? ERR_SYNTAX : ERR_LIMIT;
    n = utf8proc_reencode(codes, n, how);
    if (n < 0)
        return ERR_SYNTAX;
    buf_put(out, slice_of(codes, (size_t)n));
    return buf_check(out);
}

fallible address_key(const struct address *a, struct address_key *ret_key)
{
    if (a->domain_n == 0)
        return ERR_SYNTAX;
    CLEANUP_BUF struct buf local = BUF_INIT(LIMIT_LOCAL_PART * 4);
    TRY(fold_local(address_local(a), &local));
    struct address_key k = {.local_n = (uint16_t)local.n};
    k.n = (uint16_t)(local.n + 1 + a->domain_n);
    memcpy(k.text, local.p, local.n);
    k.text[local.n] = '@';
    memcpy(k.text + local.n + 1, a->text + a->local_n, a->domain_n);
    *ret_key = k;
    return OK;
}

bool address_split_tag(struct slice local, char separator, struct slice *ret_base, struct slice *ret_tag)
{
    size_t at = slice_find(local, separator);
    if (at == SLICE_NPOS || at == 0)
        return false;
    *ret_base = slice_sub(local, 0, at);
    *ret_tag = slice_from(local, at + 1);
    return true;
}

/* domain.c - domains: one canonical spelling. The only user of libidn2. */
#include <idn2.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/address.h"

enum { LABEL = 63 };

static void cleanup_idn(uint8_t **p)
{
    idn2_free(*p);
}
#define CLEANUP_IDN __attribute__((cleanup(cleanup_idn)))

/* Letters, digits and inner hyphens (RFC 1035 2.3.1, RFC 1123 2.1). */
static bool labels_are_valid(struct slice text)
{
    size_t label = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.') {
            if (label == 0 || text.p[i - 1] == '-')
                return false;
            label = 0;
            continue;
        }
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && (c != '-' || label == 0))
            return false;
        if (++label > LABEL)
            return false;
    }
    return label > 0 && text.p[text.n - 1] != '-';
}

static fallible domain_from_ascii(struct slice text, struct domain *ret_domain)
{
    if (text.n > LIMIT_DOMAIN)
        return ERR_LIMIT;
    if (!labels_are_valid(text))
        return ERR_SYNTAX;
    struct domain d = {.n = (uint16_t)text.n};
    for (size_t i = 0; i < text.n; i++)
        d.text[i] = ascii_lower(text.p[i]);
    *ret_domain = d;
    return OK;
}

fallible domain_parse(struct slice text, struct domain *ret_domain)
{
    if (text.n && text.p[text.n - 1] == '.')
        text.n--;
    if (text.n == 0 || slice_has(text, '\0'))
        return ERR_SYNTAX;
    if (ascii_is_all(text))
        return domain_from_ascii(text, ret_domain);
    if (text.n > 4 * LIMIT_DOMAIN)
        return ERR_LIMIT;
    if (!utf8_is_valid(text))
        return ERR_SYNTAX;
    char given[4 * LIMIT_DOMAIN + 1];
    memcpy(given, text.p, text.n);
    given[text.n] = '\0';
    CLEANUP_IDN uint8_t *ascii = NULL;
    int rc = idn2_lookup_u8((const uint8_t *)given, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc == IDN2_TOO_BIG_DOMAIN || rc == IDN2_TOO_BIG_LABEL)
        return ERR_LIMIT;
    if (rc != IDN2_OK)
        return ERR_SYNTAX;
    struct slice found = slice_str((const char *)ascii);
    if (found.n && found.p[found.n - 1] == '.') /* of a full stop in another script */
        found.n--;
    return domain_from_ascii(found, ret_domain);
}

void domain_put_unicode(struct buf *out, const struct domain *d)
{
    struct domain again;
    CLEANUP_IDN uint8_t *text = NULL;
    /* shown only where it leads back to the same name, so that no two domains look alike by a decoder's whim */
    bool same = slice_search(domain_text(d), S("xn--")) != SLICE_NPOS &&
                idn2_to_unicode_8z8z(d->text, (char **)&text, 0) == IDN2_OK &&
                domain_parse(slice_str((const char *)text), &again) == OK &&
                slice_eq(domain_text(&again), domain_text(d));
    buf_put(out, same ? slice_str((const char *)text) : domain_text(d));
}

bool domain_is_within(struct slice name, struct slice parent)
{
    if (parent.n == 0 || !slice_ends(name, parent))
        return false;
    return name.n == parent.n || name.p[name.n - parent.n - 1] == '.';
}

#include "mail/precis.h"

#include <utf8proc.h>

#include "base/limits.h"
#include "base/utf8.h"

/* A code point needs at least one octet for itself and becomes at most 18 (U+FDFA, three octets). */
enum { CODES = LIMIT_PASSWORD_MAX * 6 + 1 };

static bool is_refused(utf8proc_category_t category)
{
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CN ||
           category == UTF8PROC_CATEGORY_CS || category == UTF8PROC_CATEGORY_CO;
}

static bool is_allowed(struct slice typed)
{
    if (!typed.n)
        return false;
    while (typed.n) {
        uint32_t c;
        size_t used = utf8_decode(typed, &c);
        if (!used || is_refused(utf8proc_category((utf8proc_int32_t)c)))
            return false;
        typed = slice_from(typed, used);
    }
    return true;
}

/* RFC 8265 4.2.2: every blank becomes U+0020. */
static utf8proc_int32_t map_blank(utf8proc_int32_t code, void *unused)
{
    (void)unused;
    return utf8proc_category(code) == UTF8PROC_CATEGORY_ZS ? ' ' : code;
}

fallible precis_opaque(struct slice typed, struct buf *out)
{
    if (typed.n > LIMIT_PASSWORD_MAX)
        return ERR_LIMIT;
    if (!is_allowed(typed))
        return ERR_SYNTAX;
    const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    utf8proc_int32_t codes[CODES];
    utf8proc_ssize_t n = utf8proc_decompose_custom(
        (const utf8proc_uint8_t *)typed.p, (utf8proc_ssize_t)typed.n, codes, CODES - 1, how, map_blank, NULL);
    enum err e = n < 0 ? ERR_SYNTAX : n >= CODES ? ERR_LIMIT : OK;
    if (e == OK) {
        n = utf8proc_reencode(codes, n, how);
        buf_put(out, n > 0 ? slice_of(codes, (size_t)n) : SLICE_EMPTY);
        e = n <= 0 ? ERR_SYNTAX : buf_check(out);
    }
    explicit_bzero(codes, sizeof codes);
    return e;
}

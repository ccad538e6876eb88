/* name.c - names of mailboxes: one canonical form, and the patterns of LIST. */
#include "base/utf8.h"
#include "mail/charset.h"
#include "store/private.h"

bool name_is_inbox(struct slice canonical)
{
    return slice_eq(canonical, S("INBOX"));
}

bool name_is_below(struct slice name, struct slice parent)
{
    return name.n > parent.n + 1 && slice_starts(name, parent) && name.p[parent.n] == '/';
}

/* Controls would break lines and logs, '%' and '*' are LIST's wildcards (RFC 3501 5.1). Format characters such as U+202E are
 * kept as they are: whoever shows them escapes them (T-262). */
static fallible check_characters(struct slice name)
{
    for (struct slice rest = name; rest.n;) {
        uint32_t code;
        size_t n = utf8_decode(rest, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0) || code == '%' || code == '*' ||
            code == 0x2028 || code == 0x2029)
            return ERR_SYNTAX;
        rest = slice_from(rest, n);
    }
    return OK;
}

static fallible check_levels(struct slice name)
{
    struct slice rest = name, level;
    unsigned levels = 0;
    if (!name.n || name.p[name.n - 1] == '/')
        return ERR_SYNTAX;
    while (slice_cut(&rest, '/', &level)) {
        if (!level.n)
            return ERR_SYNTAX;
        levels++;
    }
    return levels > LIMIT_MAILBOX_LEVELS ? ERR_LIMIT : OK;
}

static fallible compose(struct slice from, struct name *ret_name)
{
    struct buf form CLEANUP_BUF = BUF_INIT(LIMIT_MAILBOX_NAME);
    TRY(text_nfc_put(&form, from));
    memcpy(ret_name->text, form.p, form.n);
    ret_name->n = form.n;
    return OK;
}

fallible name_make(struct slice from, struct name *ret_name)
{
    if (from.n > LIMIT_MAILBOX_NAME)
        return ERR_LIMIT;
    TRY(check_characters(from));
    TRY(check_levels(from));
    if (ascii_is_all(from)) {
        memcpy(ret_name->text, from.p, from.n);
        ret_name->n = from.n;
    } else {
        TRY(compose(from, ret_name));
    }
    struct slice first = name_slice(ret_name);
    first = slice_sub(first, 0, slice_find(first, '/'));
    if (slice_eq_nocase(first, S("INBOX")))
        memcpy(ret_name->text, "INBOX", 5);
    return OK;
}

fallible mailbox_name_check(struct slice name, struct arena *a, struct slice *ret_name)
{
    struct name n;
    TRY(name_make(name, &n));
    struct slice copy = arena_copy(a, name_slice(&n));
    if (!copy.p)
        return ERR_LIMIT;
    *ret_name = copy;
    return OK;
}

int name_cmp(struct slice a, struct slice b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    bool inbox_a = name_is_inbox(slice_sub(a, 0, slice_find(a, '/')));
    bool inbox_b = name_is_inbox(slice_sub(b, 0, slice_find(b, '/')));
    if (inbox_a != inbox_b)
        return inbox_a ? -1 : 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (x != y)
            return x == '/' ? -1 : y == '/' ? 1 : x < y ? -1 : 1;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

/* With two marks to go back to, the last '*' and the last '%' behind it: any earlier wildcard never has to take more. */
bool mailbox_name_matches(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, star = SLICE_NPOS, star_n = 0, percent = SLICE_NPOS, percent_n = 0;
    for (;;) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = ++p;
            star_n = n;
            percent = SLICE_NPOS;
        } else if (p < pattern.n && pattern.p[p] == '%') {
            percent = ++p;
            percent_n = n;
        } else if (p < pattern.n && n < name.n && pattern.p[p] == name.p[n]) {
            p++;
            n++;
        } else if (p == pattern.n && n == name.n) {
            return true;
        } else if (percent != SLICE_NPOS && percent_n < name.n && name.p[percent_n] != '/') {
            p = percent;
            n = ++percent_n;
        } else if (star != SLICE_NPOS && star_n < name.n) {
            p = star;
            n = ++star_n;
            percent = SLICE_NPOS;
        } else {
            return false;
        }
    }
}

#include "directory/filter.h"

#include "base/limits.h"

static bool is_harmless(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || slice_has(S("@.-_+= ,"), c);
}

void directory_escape(struct slice value, struct buf *out)
{
    for (size_t i = 0; i < value.n; i++) {
        if (is_harmless(value.p[i]))
            buf_put_char(out, value.p[i]);
        else
            buf_printf(out, "\\%02x", (unsigned char)value.p[i]);
    }
}

/* `address` without octets: an asterisk, unescaped, in both places. */
static fallible fill(struct slice template, struct slice address, struct slice local, struct buf *out)
{
    static const struct {
        struct slice name;
        bool local;
    } places[] = {{{"{address}", 9}, false}, {{"{local}", 7}, true}};
    while (template.n) {
        size_t place = 0;
        while (place < 2 && !slice_starts(template, places[place].name))
            place++;
        if (place == 2) {
            buf_put_char(out, template.p[0]);
            template = slice_from(template, 1);
            continue;
        }
        if (address.n)
            directory_escape(places[place].local ? local : address, out);
        else
            buf_put_char(out, '*');
        template = slice_from(template, places[place].name.n);
    }
    return buf_check(out);
}

fallible directory_filter_put(struct slice template, struct slice address, struct buf *out)
{
    size_t at = slice_rfind(address, '@');
    if (at == SLICE_NPOS || at == 0 || at + 1 == address.n || address.n > LIMIT_ADDRESS)
        return ERR_SYNTAX;
    return fill(template, address, slice_sub(address, 0, at), out);
}

fallible directory_filter_all(struct slice template, struct buf *out)
{
    return fill(template, SLICE_EMPTY, SLICE_EMPTY, out);
}

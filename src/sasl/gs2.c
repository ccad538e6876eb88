#include "sasl/gs2.h"

/* cb-name = 1*(ALPHA / DIGIT / "." / "-"), RFC 5801 section 4. */
static bool is_binding_name(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && name.p[i] != '.' && name.p[i] != '-')
            return false;
    return name.n > 0;
}

static bool read_flag(struct slice word, struct sasl_gs2 *head)
{
    head->flag = word.n ? word.p[0] : '\0';
    if (slice_starts(word, S("p="))) {
        head->binding = slice_from(word, 2);
        return is_binding_name(head->binding);
    }
    return slice_eq(word, S("n")) || slice_eq(word, S("y"));
}

bool sasl_gs2_take(struct slice *rest, struct sasl_gs2 *ret_head)
{
    struct sasl_gs2 head = {.flag = '\0'};
    struct slice left = *rest, flag, authzid;
    if (!slice_cut(&left, ',', &flag) || !slice_cut(&left, ',', &authzid) || !left.p ||
        !read_flag(flag, &head))
        return false;
    if (authzid.n) {
        if (!slice_starts(authzid, S("a=")) || authzid.n == 2)
            return false;
        head.authzid = slice_from(authzid, 2);
    }
    head.header = slice_sub(*rest, 0, (size_t)(left.p - rest->p));
    *rest = left;
    *ret_head = head;
    return true;
}

bool sasl_name_unescape(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ',')
            return false;
        if (text.p[i] != '=') {
            buf_put_char(out, text.p[i]);
            continue;
        }
        struct slice code = slice_sub(text, i + 1, 2);
        if (!slice_eq(code, S("2C")) && !slice_eq(code, S("3D")))
            return false;
        buf_put_char(out, code.p[0] == '2' ? ',' : '=');
        i += 2;
    }
    return buf_check(out) == OK;
}

void sasl_name_escape(struct buf *out, struct slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',' || name.p[i] == '=')
            buf_put(out, name.p[i] == ',' ? S("=2C") : S("=3D"));
        else
            buf_put_char(out, name.p[i]);
    }
}

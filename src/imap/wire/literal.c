#include "imap/wire/literal.h"

bool imap_is_atom_char(char c)
{
    switch (c) {
    case '(':
    case ')':
    case '{':
    case ' ':
    case '%':
    case '*':
    case '"':
    case '\\':
    case ']':
        return false;
    default:
        return c > 0x20 && c < 0x7f;
    }
}

bool imap_is_astring_char(char c)
{
    return c == ']' || imap_is_atom_char(c);
}

bool imap_is_list_char(char c)
{
    return c == '%' || c == '*' || imap_is_astring_char(c);
}

bool imap_is_tag(struct slice tag, size_t max)
{
    for (size_t i = 0; i < tag.n; i++)
        if (tag.p[i] == '+' || !imap_is_astring_char(tag.p[i]))
            return false;
    return tag.n > 0 && tag.n <= max;
}

/* The digits between the braces: no sign, no leading zeros. What does not fit is as large as can be. */
static bool literal_size(struct slice digits, uint64_t *ret_size)
{
    uint64_t size = 0;
    enum err e = slice_to_u64(digits, INT64_MAX, &size);
    if (e == ERR_SYNTAX || (digits.n > 1 && digits.p[0] == '0'))
        return false;
    *ret_size = e == OK ? size : UINT64_MAX;
    return true;
}

void imap_literal_find(struct slice words, struct imap_literal *ret_literal)
{
    struct imap_literal l = {.kind = IMAP_LITERAL_NONE};
    size_t open = slice_rfind(words, '{');
    *ret_literal = l;
    if (!slice_ends(words, S("}")) || open == SLICE_NPOS)
        return;
    struct slice inside = slice_sub(words, open + 1, words.n - open - 2);
    if (slice_has(inside, ' ') || slice_has(inside, '"'))
        return; /* the brace belongs to an earlier quoted string */
    l.plus = slice_ends(inside, S("+"));
    if (l.plus)
        inside.n--;
    l.binary = open > 0 && words.p[open - 1] == '~';
    l.at = open - l.binary;
    /* A literal is a word: it follows a space or a parenthesis. */
    bool in_place = l.at > 0 && (words.p[l.at - 1] == ' ' || words.p[l.at - 1] == '(');
    l.kind = in_place && literal_size(inside, &l.size) ? IMAP_LITERAL_WHOLE : IMAP_LITERAL_BROKEN;
    *ret_literal = l;
}

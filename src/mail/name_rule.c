#include "mail/name_rule.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"

enum script {
    COMMON = 0,
    LATIN = 1 << 0,
    GREEK = 1 << 1,
    CYRILLIC = 1 << 2,
    ARMENIAN = 1 << 3,
    HEBREW = 1 << 4,
    ARABIC = 1 << 5,
    DEVANAGARI = 1 << 6,
    BENGALI = 1 << 7,
    TAMIL = 1 << 8,
    THAI = 1 << 9,
    GEORGIAN = 1 << 10,
    HANGUL = 1 << 11,
    KANA = 1 << 12,
    BOPOMOFO = 1 << 13,
    HAN = 1 << 14,
    UNKNOWN = 1 << 15,
};
enum { MARKS_MOST = 2, EAST_ASIA = LATIN | HANGUL | KANA | BOPOMOFO | HAN };

static const struct {
    uint32_t first, last;
    enum script script;
} ranges[] = {
    {0x0041, 0x007a, LATIN},    {0x00aa, 0x024f, LATIN},      {0x0250, 0x02af, LATIN},
    {0x0300, 0x036f, COMMON},   {0x0370, 0x03ff, GREEK},      {0x0400, 0x052f, CYRILLIC},
    {0x0531, 0x058a, ARMENIAN}, {0x0591, 0x05f4, HEBREW},     {0x0600, 0x06ff, ARABIC},
    {0x0750, 0x077f, ARABIC},   {0x0900, 0x097f, DEVANAGARI}, {0x0980, 0x09ff, BENGALI},
    {0x0b80, 0x0bff, TAMIL},    {0x0e00, 0x0e7f, THAI},       {0x10a0, 0x10ff, GEORGIAN},
    {0x1100, 0x11ff, HANGUL},   {0x1e00, 0x1eff, LATIN},      {0x1f00, 0x1fff, GREEK},
    {0x3005, 0x3007, HAN},      {0x3041, 0x309f, KANA},       {0x30a1, 0x30ff, KANA},
    {0x3105, 0x312f, BOPOMOFO}, {0x3400, 0x4dbf, HAN},        {0x4e00, 0x9fff, HAN},
    {0xac00, 0xd7a3, HANGUL},   {0x20000, 0x323af, HAN},
};

static enum script script_of(uint32_t code)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return ranges[i].script;
    return UNKNOWN;
}

/* Lower case only: names are folded. */
static const struct {
    uint32_t code;
    char like;
} alike[] = {
    {0x0131, 'i'}, {0x0251, 'a'}, {0x0261, 'g'}, {0x026a, 'i'}, {0x0269, 'i'}, {0x03b1, 'a'}, {0x03b3, 'y'},
    {0x03b9, 'i'}, {0x03ba, 'k'}, {0x03bd, 'v'}, {0x03bf, 'o'}, {0x03c1, 'p'}, {0x03c3, 'o'}, {0x03c5, 'u'},
    {0x03c7, 'x'}, {0x0430, 'a'}, {0x0435, 'e'}, {0x043a, 'k'}, {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'},
    {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'}, {0x0458, 'j'}, {0x04bb, 'h'}, {0x04cf, 'l'},
    {0x0501, 'd'}, {0x051b, 'q'}, {0x051d, 'w'}, {0x0563, 'q'}, {0x0566, 'q'}, {0x0570, 'h'}, {0x0578, 'n'},
    {0x057d, 'u'}, {0x0581, 'g'}, {0x0585, 'o'}, {0x05d5, 'l'}, {0x05df, 'l'}, {0x0e4f, 'o'}, {0x10ff, 'o'},
};

struct looking {
    unsigned scripts;
    uint32_t digits; /* the zero of the digits seen; 0: none yet */
    unsigned marks;
};

static enum name_flaw look_at_digit(struct looking *l, uint32_t code)
{
    uint32_t zero = code;
    while (zero && utf8proc_category((utf8proc_int32_t)(zero - 1)) == UTF8PROC_CATEGORY_ND && code - zero < 9)
        zero--;
    if (l->digits && l->digits != zero)
        return NAME_DIGITS;
    l->digits = zero;
    if (code > 0x7f)
        l->scripts |= script_of(code);
    return NAME_FINE;
}

static enum name_flaw look_at(struct looking *l, uint32_t code)
{
    if (code < 0x80 && !ascii_is_alpha((char)code) && !ascii_is_digit((char)code)) {
        l->marks = 0;
        return code > ' ' && code != 0x7f ? NAME_FINE : NAME_CHARACTER;
    }
    const utf8proc_property_t *p = utf8proc_get_property((utf8proc_int32_t)code);
    if (p->ignorable)
        return NAME_CHARACTER;
    switch (p->category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        l->marks = 0;
        l->scripts |= script_of(code);
        return NAME_FINE;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
        l->scripts |= script_of(code);
        return ++l->marks > MARKS_MOST ? NAME_MARKS : NAME_FINE;
    case UTF8PROC_CATEGORY_ND:
        l->marks = 0;
        return look_at_digit(l, code);
    default:
        return NAME_CHARACTER;
    }
}

/* Does compatibility mapping change it? */
static bool is_variant(struct slice folded)
{
    utf8proc_uint8_t *form = NULL;
    utf8proc_ssize_t n = utf8proc_map(
        (const utf8proc_uint8_t *)folded.p, (utf8proc_ssize_t)folded.n, &form,
        (utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD));
    bool same = n >= 0 && slice_eq(slice_of(form, (size_t)n), folded);
    free(form);
    return !same;
}

enum name_flaw name_flaw_of(struct slice folded)
{
    struct looking l = {.scripts = 0};
    for (struct slice rest = folded; rest.n;) {
        uint32_t code;
        size_t used = utf8_decode(rest, &code);
        enum name_flaw flaw = used ? look_at(&l, code) : NAME_CHARACTER;
        if (flaw != NAME_FINE)
            return flaw;
        rest = slice_from(rest, used);
    }
    if (is_variant(folded))
        return NAME_VARIANT;
    if (l.scripts & UNKNOWN)
        return NAME_CHARACTER;
    bool is_one = (l.scripts & (l.scripts - 1)) == 0;
    return is_one || (l.scripts & ~(unsigned)EAST_ASIA) == 0 ? NAME_FINE : NAME_SCRIPTS;
}

const char *name_flaw_text(enum name_flaw flaw)
{
    static const char *const texts[] = {
        [NAME_FINE] = "",
        [NAME_CHARACTER] =
            ("a name is made of letters and digits: this one has a character that is invisible, a sign, or "
             "of a script that is not known here"),
        [NAME_VARIANT] =
            "this name has a full-width, joined or decorated form of a letter: write the plain letter",
        [NAME_SCRIPTS] = "this name mixes letters of several scripts: people would take it for another one",
        [NAME_DIGITS] = "this name mixes digits of several scripts",
        [NAME_MARKS] = "this name has too many marks on one letter",
    };
    return (unsigned)flaw < NAME_FLAWS ? texts[flaw] : "";
}

void name_skeleton_put(struct slice folded, struct buf *out)
{
    while (folded.n) {
        uint32_t code;
        size_t used = utf8_decode(folded, &code), i = 0;
        if (!used)
            used = 1;
        while (i < sizeof alike / sizeof *alike && alike[i].code != code)
            i++;
        if (used > 1 && i < sizeof alike / sizeof *alike)
            buf_put_char(out, alike[i].like);
        else
            buf_put(out, slice_sub(folded, 0, used));
        folded = slice_from(folded, used);
    }
}

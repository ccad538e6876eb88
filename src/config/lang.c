#include "config/lang.h"

#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"

static const char *const names[] = {"en", "zh"};
static_assert(sizeof names / sizeof *names == LANG_N, "a language without a name");

fallible lang_parse(struct slice name, enum lang *ret_lang)
{
    for (int i = 0; i < LANG_N; i++) {
        struct slice tail = slice_from(name, 2);
        if (!slice_starts_nocase(name, slice_str(names[i])))
            continue;
        if (tail.n && !slice_has(slice_of("-_.@", 4), tail.p[0]))
            continue;
        *ret_lang = (enum lang)i;
        return OK;
    }
    return ERR_NOT_FOUND;
}

enum lang lang_of_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    enum lang lang = LANG_EN;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        struct slice value = slice_str(getenv(variables[i]));
        if (value.n) {
            IGNORE(lang_parse(value, &lang), "a language that we do not speak: English");
            break;
        }
    }
    return lang;
}

const char *lang_name(enum lang lang)
{
    return names[lang];
}

unsigned lang_columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xfe30, 0xfe4f},
                {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i].first && c <= wide[i].last)
            return 2;
    return 1;
}

size_t lang_columns(struct slice text)
{
    size_t columns = 0;
    while (text.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(text, &c);
        columns += used ? lang_columns_of(c) : 1;
        text = slice_from(text, used ? used : 1);
    }
    return columns;
}

#include "config/lang.h"

#include <assert.h>
#include <stdlib.h>

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

#include "cli/say.h"

#include <assert.h>

static const struct lang_text table[] = {
#define SAY(id, en, zh) [SAY_##id] = {{en, zh}},
#include "cli/say.def"
#undef SAY
};
static_assert(sizeof table / sizeof *table == SAY_N, "a sentence without words");

const char *say_text(enum lang lang, enum say_id id)
{
    assert(id < SAY_N);
    return table[id].in[lang];
}

void say_put(
    struct buf *out, enum lang lang, enum say_id id, struct slice one, struct slice two, struct slice three)
{
    const struct slice filled[] = {one, two, three};
    struct slice rest = slice_str(say_text(lang, id));
    while (rest.n) {
        if (rest.n >= 3 && rest.p[0] == '{' && rest.p[2] == '}' && rest.p[1] >= '1' && rest.p[1] <= '3') {
            buf_put(out, filled[rest.p[1] - '1']);
            rest = slice_from(rest, 3);
        } else {
            buf_put_char(out, rest.p[0]);
            rest = slice_from(rest, 1);
        }
    }
}

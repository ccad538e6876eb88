/* say.h - the command's sentences, each in English and in Chinese.                  room: cli   runs in: cli
 *
 * {1}, {2} and {3} in a sentence are filled with texts, which the caller has made safe for terminals (utf8_put_safe).
 */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "base/buf.h"
#include "config/lang.h"

enum say_id {
#define SAY(id, en, zh) SAY_##id,
#include "cli/say.def"
#undef SAY
    SAY_N
};

/* The sentence as it stands in the table. */
const char *say_text(enum lang lang, enum say_id id);
void say_put(
    struct buf *out, enum lang lang, enum say_id id, struct slice one, struct slice two, struct slice three);

#endif

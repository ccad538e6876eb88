/* lang.h - the languages in which Letterlock speaks to people.                  room: config   runs in: cli supervisor
 *
 * Every text for people exists in English and in Simplified Chinese, as a `struct lang_text`. Logs, replies on the wire and
 * --json are English always. The environment decides the default; setlocale is never called.
 */
#ifndef CONFIG_LANG_H
#define CONFIG_LANG_H

#include "base/slice.h"

enum lang { LANG_EN, LANG_ZH, LANG_N };

struct lang_text {
    const char *in[LANG_N];
};
/* A text in both languages: LANG_TEXT("open", "打开"). */
#define LANG_TEXT(en_, zh_) ((struct lang_text){{(en_), (zh_)}})

/* "en", "zh", "zh-CN", "zh_CN.UTF-8", "C", "en_GB"...: ERR_NOT_FOUND for a language that we do not speak. */
fallible lang_parse(struct slice name, enum lang *ret_lang);
/* What LC_ALL, LC_MESSAGES and LANG ask for (the first that is set and not empty decides); English otherwise. */
enum lang lang_of_environment(void);
/* "en", "zh": for --lang and for tests. */
const char *lang_name(enum lang lang);
/* What err_text says, for people; never NULL. */
const char *lang_error(enum err e, enum lang lang);
/* Columns on a terminal: wide signs (CJK, full-width forms) take two. */
unsigned lang_columns_of(uint32_t code);
size_t lang_columns(struct slice text);

#endif

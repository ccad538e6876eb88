/* args.h - the command line, read by the table.                                  room: cli   runs in: cli
 *
 * Every value is checked by its kind before a command runs. What is wrong is told in one sentence with a remedy; a value
 * that was typed where a secret may have been meant is never repeated.
 *
 * Owns: texts live in the arena. Fails: ERR_SYNTAX with `trouble` filled in.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "cli/command.h"

struct value {
    const struct flag *flag;       /* or */
    const struct operand *operand; /* which it is for */
    struct slice text;
    uint64_t number; /* VALUE_NUMBER, VALUE_SIZE, VALUE_MOMENT */
};

enum { VALUES_MAX = 64 };

struct args {
    const struct command *command; /* NULL: none was named */
    struct slice group;            /* a first word without a second */
    bool help, version;
    struct value values[VALUES_MAX];
    size_t count;
};

struct args_trouble {
    struct buf says, remedy; /* in the language asked for */
};

/* Reads argv without its first word. `lang` is that of the environment; a --lang among the words takes its place in
 * *ret_lang, also when there is trouble. `now_s` is for times from now. */
fallible args_parse(
    int count, char *const *words, enum lang lang, int64_t now_s, struct arena *arena, struct args *ret_args,
    enum lang *ret_lang, struct args_trouble *trouble);

/* A flag or an operand by its name in the table; asking for one that the command has not is a bug. */
bool args_has(const struct args *a, const char *name);
struct slice args_text(const struct args *a, const char *name); /* empty when not given */
uint64_t args_number(const struct args *a, const char *name, uint64_t preset);
/* The i-th value of an operand or flag that may be given several times; false at the end. */
bool args_next(const struct args *a, const char *name, size_t i, struct slice *ret_text);

/* "90 d" from now, or a date to come. ERR_SYNTAX. */
fallible args_moment(struct slice text, int64_t now_s, int64_t *ret_s);

/* "a network such as 192.0.2.0/24": what a value of this kind looks like. */
void args_put_wanted(enum value_kind kind, const char *choices, enum lang lang, struct buf *out);

#endif

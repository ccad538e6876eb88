/* view.h - items of an answer as a table for people, or as JSON objects for programs.     room: cli   runs in: cli
 *
 * Works on any message by its description (ipc_shape): which columns a table shows is said by the caller, headings and the
 * forms of times, sizes and states are here. JSON objects hold all fields but hidden ones, times as unix seconds.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "cli/cli.h"
#include "ipc/message.h"

enum { VIEW_COLUMNS_MAX = 24 };

struct view {
    struct cli *c;
    enum ipc_type type;
    const struct ipc_field *columns[VIEW_COLUMNS_MAX];
    size_t column_count;
    struct slice *cells; /* row by row, in the cli's arena */
    size_t rows, cap;
};

/* `columns` are names of fields, separated by blanks. `key` names the JSON array. */
void view_start(struct view *v, struct cli *c, enum ipc_type type, const char *key, const char *columns);
/* Takes a copy of what it shows. */
void view_add(struct view *v, const struct ipc_msg *m);
/* Prints the table, or a sentence when there is nothing in it. */
void view_end(struct view *v);

/* One item as lines "Name: value". */
void view_record(struct cli *c, const struct ipc_msg *m, const char *columns);
/* The members of the object for an item, into the open object. */
void view_json_members(struct json *j, const struct ipc_msg *m);
/* A row of headings and rows of texts with the columns aligned; `cells` has rows * columns texts, safe already. */
void view_table(
    struct cli *c, const struct slice *headings, size_t columns, const struct slice *cells, size_t rows);
/* "2027-01-31 14:05" (UTC), or "-" for 0. */
struct slice view_time(struct arena *arena, int64_t unix_s);
/* The word of a state ("revoked") in the language; the word itself when it is none of ours. */
struct slice view_word(enum lang lang, struct slice word);

#endif

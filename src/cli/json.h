/* json.h - writing JSON (RFC 8259) for programs.                                    room: cli   runs in: cli
 *
 * Values are put one after the other; commas and escapes come by themselves. Text that is not UTF-8 is repaired.
 * Nesting deeper than LIMIT_JSON_DEPTH is a bug. Sticky errors are those of the buffer.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "base/buf.h"
#include "base/limits.h"

struct json {
    struct buf *out;
    unsigned depth;
    bool started[LIMIT_JSON_DEPTH]; /* something stands on this level already */
    bool after_key;
};

void json_start(struct json *j, struct buf *out);
void json_open(struct json *j, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);
void json_key(struct json *j, const char *key);
void json_text(struct json *j, struct slice text);
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
void json_bool(struct json *j, bool value);

#endif

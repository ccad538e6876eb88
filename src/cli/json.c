#include "cli/json.h"

#include <assert.h>

#include "base/utf8.h"

void json_start(struct json *j, struct buf *out)
{
    *j = (struct json){.out = out};
}

/* What stands between this value and the one before. */
static void lead(struct json *j)
{
    if (!j->after_key && j->started[j->depth])
        buf_put_char(j->out, ',');
    j->started[j->depth] = true;
    j->after_key = false;
}

void json_open(struct json *j, char bracket)
{
    lead(j);
    buf_put_char(j->out, bracket);
    assert(j->depth + 1 < LIMIT_JSON_DEPTH);
    j->started[++j->depth] = false;
}

void json_close(struct json *j, char bracket)
{
    assert(j->depth > 0 && !j->after_key);
    j->depth--;
    buf_put_char(j->out, bracket);
}

static void put_string(struct buf *out, struct slice s)
{
    buf_put_char(out, '"');
    while (s.n) {
        uint32_t c = 0xfffd;
        size_t used = utf8_decode(s, &c);
        if (used == 0)
            buf_put_str(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            buf_put_str(out, "\\n");
        else if (utf8_is_unsafe(c))
            buf_printf(out, "\\u%04x", (unsigned)c);
        else
            buf_put(out, slice_sub(s, 0, used));
        s = slice_from(s, used ? used : 1);
    }
    buf_put_char(out, '"');
}

void json_key(struct json *j, const char *key)
{
    lead(j);
    put_string(j->out, slice_str(key));
    buf_put_char(j->out, ':');
    j->after_key = true;
}

void json_text(struct json *j, struct slice text)
{
    lead(j);
    put_string(j->out, text);
}

void json_u64(struct json *j, uint64_t value)
{
    lead(j);
    buf_put_u64(j->out, value);
}

void json_i64(struct json *j, int64_t value)
{
    lead(j);
    buf_printf(j->out, "%lld", (long long)value);
}

void json_bool(struct json *j, bool value)
{
    lead(j);
    buf_put_str(j->out, value ? "true" : "false");
}

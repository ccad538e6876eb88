#include "audit/journal.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/limits.h"
#include "base/utf8.h"

/* The end of every line has a fixed length, so that it is found without reading JSON. */
#define PREV ",\"prev\":\""
#define HASH "\",\"hash\":\""
#define HEAD "{\"n\":"
#define END "\"}"
enum {
    HEX = 2 * HASH_LEN,
    HASH_PART = sizeof HASH - 1 - 1 + HEX + sizeof END - 1, /* without the quote that ends `prev` */
    TAIL = sizeof PREV - 1 + HEX + sizeof HASH - 1 + HEX + sizeof END - 1,
};

static struct hash chained(const struct hash *last, struct slice covered)
{
    struct hash_state s;
    hash_start(&s, NULL);
    hash_add(&s, hash_slice(last));
    hash_add(&s, covered);
    return hash_end(&s);
}

static void put_escaped(struct buf *out, struct slice text)
{
    while (text.n) {
        uint32_t c = 0xfffd;
        size_t used = utf8_decode(text, &c);
        if (used == 0)
            buf_put(out, S("\xef\xbf\xbd"));
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", (char)c);
        else if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029)
            buf_printf(out, "\\u%04x", c);
        else
            buf_put(out, slice_sub(text, 0, used));
        text = slice_from(text, used ? used : 1);
    }
}

static void put_member(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, ",\"%s\":\"", name);
    put_escaped(out, value);
    buf_put_char(out, '"');
}

static void put_time(struct buf *out, int64_t ms)
{
    int64_t seconds = ms >= 0 ? ms / 1000 : -((999 - ms) / 1000);
    struct civil c = civil_of_unix(seconds);
    buf_printf(
        out, ",\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", c.year, c.month, c.day, c.hour, c.minute,
        c.second, (int)(ms - seconds * 1000));
}

static void put_fields(struct buf *out, struct slice body)
{
    buf_put(out, S(",\"fields\":{"));
    struct slice line;
    bool first = true;
    while (slice_cut(&body, '\n', &line)) {
        if (!line.n)
            continue;
        size_t at = slice_find(line, '=');
        buf_put_str(out, first ? "\"" : ",\"");
        first = false;
        put_escaped(out, at == SLICE_NPOS ? S("text") : slice_sub(line, 0, at));
        buf_put(out, S("\":\""));
        put_escaped(out, at == SLICE_NPOS ? line : slice_from(line, at + 1));
        buf_put_char(out, '"');
    }
    buf_put_char(out, '}');
}

fallible audit_encode(struct audit_chain *chain, const struct audit_record *record, struct buf *out)
{
    struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_AUDIT_LINE - HASH_PART - 1);
    buf_put(&line, S(HEAD));
    buf_put_u64(&line, chain->next);
    put_time(&line, record->time_ms);
    put_member(&line, "kind", record->kind);
    put_member(&line, "process", record->process);
    put_member(&line, "actor", record->actor);
    put_member(&line, "subject", record->subject);
    put_fields(&line, record->body);
    buf_put(&line, S(PREV));
    hex_put(&line, hash_slice(&chain->last));
    buf_put_char(&line, '"');
    TRY(buf_check(&line));
    struct hash hash = chained(&chain->last, buf_slice(&line));
    if (!buf_reserve(out, line.n + HASH_PART + 1))
        return ERR_LIMIT;
    buf_put(out, buf_slice(&line));
    buf_put(out, slice_from(S(HASH), 1));
    hex_put(out, hash_slice(&hash));
    buf_put(out, S(END "\n"));
    chain->last = hash;
    chain->next++;
    return OK;
}

struct parts {
    uint64_t n;
    struct hash prev, hash;
    struct slice covered;
};

static fallible split(struct slice line, struct parts *ret_parts)
{
    if (line.n > LIMIT_AUDIT_LINE || line.n < sizeof HEAD - 1 + TAIL || !slice_starts(line, S(HEAD)))
        return ERR_CORRUPT;
    struct parts p;
    struct slice tail = slice_from(line, line.n - TAIL);
    struct slice digits = slice_from(line, sizeof HEAD - 1);
    digits = slice_sub(digits, 0, slice_find(digits, ','));
    size_t hash_at = sizeof PREV - 1 + HEX;
    if (slice_to_u64(digits, UINT64_MAX, &p.n) != OK || !slice_starts(tail, S(PREV)) ||
        !slice_starts(slice_from(tail, hash_at), S(HASH)) || !slice_ends(tail, S(END)))
        return ERR_CORRUPT;
    if (hex_get(slice_sub(tail, sizeof PREV - 1, HEX), p.prev.b, HASH_LEN) != OK ||
        hex_get(slice_sub(tail, hash_at + sizeof HASH - 1, HEX), p.hash.b, HASH_LEN) != OK)
        return ERR_CORRUPT;
    p.covered = slice_sub(line, 0, line.n - HASH_PART);
    *ret_parts = p;
    return OK;
}

fallible audit_resume(struct slice line, struct audit_chain *ret_chain)
{
    struct parts p;
    TRY(split(line, &p));
    struct hash expected = chained(&p.prev, p.covered);
    if (!secret_same(hash_slice(&expected), hash_slice(&p.hash)) || p.n == UINT64_MAX)
        return ERR_CORRUPT;
    *ret_chain = (struct audit_chain){.last = p.hash, .next = p.n + 1};
    return OK;
}

fallible audit_verify(struct audit_chain *chain, struct slice line)
{
    struct parts p;
    struct audit_chain behind;
    TRY(split(line, &p));
    TRY(audit_resume(line, &behind));
    if (p.n != chain->next || !secret_same(hash_slice(&p.prev), hash_slice(&chain->last)))
        return ERR_CORRUPT;
    *chain = behind;
    return OK;
}

fallible audit_verify_all(struct audit_chain *chain, struct slice text, uint64_t *ret_line)
{
    for (uint64_t number = 1; text.n; number++) {
        size_t end = slice_find(text, '\n');
        if (end == SLICE_NPOS || audit_verify(chain, slice_sub(text, 0, end)) != OK) {
            if (ret_line)
                *ret_line = number;
            return ERR_CORRUPT;
        }
        text = slice_from(text, end + 1);
    }
    return OK;
}

size_t audit_whole_lines(struct slice text)
{
    size_t last = slice_rfind(text, '\n');
    return last == SLICE_NPOS ? 0 : last + 1;
}

struct slice audit_last_line(struct slice text)
{
    size_t n = audit_whole_lines(text);
    if (n == 0)
        return SLICE_EMPTY;
    struct slice line = slice_sub(text, 0, n - 1);
    size_t before = slice_rfind(line, '\n');
    return before == SLICE_NPOS ? line : slice_from(line, before + 1);
}

void audit_segment_name(int64_t time_ms, char out[AUDIT_NAME_LEN + 1])
{
    struct civil c = civil_of_unix(time_ms / 1000);
    char name[64];
    snprintf(name, sizeof name, "%04d-%02d-%02d.journal", c.year % 10000, c.month, c.day);
    memcpy(out, name, AUDIT_NAME_LEN);
    out[AUDIT_NAME_LEN] = '\0';
}

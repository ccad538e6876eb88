#include "smtp/wire/reply.h"

#include <assert.h>

#include "base/limits.h"

#define QUOTED_MAX 128

static void put_own(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        assert(text.p[i] >= ' ' && text.p[i] <= '~');
    buf_put(out, text);
}

/* All lines but the end of the last. */
static void put_lines(struct buf *out, enum status status, struct slice rest)
{
    const struct status_info *info = status_info(status);
    struct slice text;
    while (slice_cut(&rest, '\n', &text)) {
        buf_put_u64(out, info->basic);
        buf_put_char(out, rest.p ? '-' : ' ');
        buf_put_str(out, info->enhanced);
        if (info->enhanced[0])
            buf_put_char(out, ' ');
        put_own(out, text);
        if (rest.p)
            buf_put(out, S("\r\n"));
    }
}

void smtp_put(struct buf *out, enum status status)
{
    smtp_put_text(out, status, slice_str(status_info(status)->words));
}

void smtp_put_text(struct buf *out, enum status status, struct slice text)
{
    put_lines(out, status, text);
    buf_put(out, S("\r\n"));
}

void smtp_put_quoted(struct buf *out, enum status status, struct slice foreign)
{
    put_lines(out, status, slice_str(status_info(status)->words));
    buf_put(out, S(" ("));
    foreign = slice_sub(foreign, 0, QUOTED_MAX);
    for (size_t i = 0; i < foreign.n; i++)
        buf_put_char(out, foreign.p[i] >= ' ' && foreign.p[i] <= '~' ? foreign.p[i] : '?');
    buf_put(out, S(")\r\n"));
}

void smtp_put_challenge(struct buf *out, struct slice base64)
{
    buf_put(out, S("334 "));
    put_own(out, base64);
    buf_put(out, S("\r\n"));
}

void smtp_reply_reader_init(struct smtp_reply_reader *r)
{
    *r = (struct smtp_reply_reader){.text = BUF_INIT(LIMIT_SMTP_REPLY)};
}

static size_t read_status_number(struct slice s, uint8_t *ret_number)
{
    unsigned value = 0;
    size_t n = 0;
    while (n < s.n && n < 3 && ascii_is_digit(s.p[n]))
        value = value * 10 + (unsigned)(s.p[n++] - '0');
    *ret_number = value > 255 ? 255 : (uint8_t)value;
    return n;
}

/* "5.1.1 text": the octets of the status with its blank, 0 when there is none that agrees with the code. */
static size_t read_status(struct slice text, unsigned code, uint8_t status[3])
{
    uint8_t got[3];
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        size_t n = read_status_number(slice_from(text, at), &got[i]);
        if (n == 0 || (i == 0 && n != 1))
            return 0;
        at += n;
        if (i < 2 && (at >= text.n || text.p[at++] != '.'))
            return 0;
    }
    if (got[0] != code / 100 || (at < text.n && text.p[at] != ' '))
        return 0;
    memcpy(status, got, 3);
    return at < text.n ? at + 1 : at;
}

/* RFC 5321 4.2: three digits, the first 2 to 5. The second should be at most 5, but servers say 571 and 590, and a client goes
 * by the first digit of what it does not know (4.2.1). */
static unsigned read_code(struct slice line)
{
    if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5' || !ascii_is_digit(line.p[1]) ||
        !ascii_is_digit(line.p[2]))
        return 0;
    return (unsigned)(line.p[0] - '0') * 100 + (unsigned)(line.p[1] - '0') * 10 + (unsigned)(line.p[2] - '0');
}

fallible smtp_reply_reader_feed(struct smtp_reply_reader *r, struct slice line)
{
    unsigned code = read_code(line);
    bool more = line.n > 3 && line.p[3] == '-';
    if (!code || (r->code && r->code != code) || r->last || (line.n > 3 && line.p[3] != ' ' && !more) ||
        slice_has(line, '\0') || slice_has(line, '\r') || slice_has(line, '\n'))
        return ERR_SYNTAX;
    struct slice text = slice_from(line, 4);
    size_t status = read_status(text, code, r->status);
    if (r->lines)
        buf_put_char(&r->text, '\n');
    buf_put(&r->text, slice_from(text, status));
    r->code = code;
    r->lines++;
    r->last = !more;
    TRY(buf_check(&r->text));
    /* an endless run of empty lines counts as well */
    if (r->lines > LIMIT_SMTP_REPLY_LINES)
        return ERR_LIMIT;
    return more ? ERR_AGAIN : OK;
}

/* DATA's end against an independent slow reference of the rule, cut at places the input chooses; then chunks, the stuffer
 * and the content marks. */
#include <stdlib.h>

#include "smtp/wire/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 65536

/* RFC 5321 4.1.1.4 and 4.5.2 by the letter, on the whole input: the command's CRLF counts as the first. */
static bool reference(struct slice input, struct buf *out, size_t *ret_left)
{
    struct buf all CLEANUP_BUF = BUF_INIT(MOST + 2);
    buf_put(&all, S("\r\n"));
    buf_put(&all, input);
    struct slice s = buf_slice(&all);
    size_t end = slice_search(s, S("\r\n.\r\n"));
    *ret_left = end == SLICE_NPOS ? 0 : s.n - end - 5;
    for (size_t i = 2; i < (end == SLICE_NPOS ? s.n : end + 2); i++)
        if (s.p[i] != '.' || s.p[i - 1] != '\n' || s.p[i - 2] != '\r')
            buf_put_char(out, s.p[i]);
    return end != SLICE_NPOS;
}

static unsigned reference_flags(struct slice s)
{
    unsigned flags = 0;
    for (size_t i = 0; i < s.n; i++) {
        flags |= s.p[i] == '\0' ? SMTP_NUL : 0;
        flags |= s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n') ? SMTP_BARE_CR : 0;
        flags |= s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r') ? SMTP_BARE_LF : 0;
    }
    return flags;
}

static void check_data(struct slice input, size_t step)
{
    struct smtp_data d = {0};
    struct smtp_content c = {0};
    struct buf got CLEANUP_BUF = BUF_INIT(MOST), want CLEANUP_BUF = BUF_INIT(MOST);
    size_t left = 0, want_left = 0;
    for (size_t at = 0; at < input.n && !smtp_data_is_done(&d); at += step) {
        struct slice in = slice_sub(input, at, step), piece;
        while (smtp_data_feed(&d, &in, &piece)) {
            smtp_content_feed(&c, piece);
            buf_put(&got, piece);
        }
        if (in.n && !smtp_data_is_done(&d))
            abort();
        left = input.n - (at + step < input.n ? at + step : input.n) + in.n;
    }
    bool done = reference(input, &want, &want_left);
    if (done != smtp_data_is_done(&d) || (done && left != want_left))
        abort();
    /* without an end the reference still shows a CR or a dot that the machine may hold back */
    if (done ? !slice_eq(buf_slice(&got), buf_slice(&want))
             : !slice_starts(buf_slice(&want), buf_slice(&got)))
        abort();
    if (want.n - got.n > 1 ||
        (smtp_content_end(&c) & ~(unsigned)SMTP_LINE_LONG) != reference_flags(buf_slice(&got)))
        abort();
}

static void check_stuffer(struct slice content, size_t step)
{
    struct smtp_stuffer st = {0};
    struct buf sent CLEANUP_BUF = BUF_INIT(2 * MOST), back CLEANUP_BUF = BUF_INIT(MOST);
    for (size_t at = 0; at < content.n; at += step)
        smtp_stuffer_feed(&st, slice_sub(content, at, step), &sent);
    smtp_stuffer_end(&st, &sent);
    struct smtp_data d = {0};
    struct slice in = buf_slice(&sent), piece;
    while (smtp_data_feed(&d, &in, &piece))
        buf_put(&back, piece);
    if (!smtp_data_is_done(&d) || in.n || !slice_starts(buf_slice(&back), content) || back.n - content.n > 2)
        abort();
}

static void check_chunks(struct slice input, uint64_t length)
{
    struct smtp_bdat b = {.left = length};
    struct slice piece;
    size_t n = input.n, taken = 0;
    while (smtp_bdat_feed(&b, &input, &piece))
        taken += piece.n;
    if (taken != (length < n ? length : n) || b.left != length - taken || input.n != n - taken)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > MOST / 2)
        return 0;
    struct slice input = slice_of(data + 2, size - 2);
    check_data(input, 1 + data[0] % 16);
    check_data(input, MOST);
    check_stuffer(input, 1 + data[1] % 16);
    check_chunks(input, data[1]);
    return 0;
}

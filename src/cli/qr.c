#include "cli/qr.h"

#include <qrencode.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/limits.h"
#include "crypto/secret.h"

enum { QUIET = 4 };

static bool is_dark(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width)
        return false;
    return (code->data[y * code->width + x] & 1) != 0;
}

static void put_line(const QRcode *code, int y, bool coloured, struct buf *out)
{
    /* by (upper is dark, lower is dark) */
    static const char *const blocks[2][2] = {{" ", "\xe2\x96\x84"}, {"\xe2\x96\x80", "\xe2\x96\x88"}};
    buf_put_str(out, coloured ? "\033[38;5;16;48;5;231m" : "");
    for (int x = -QUIET; x < code->width + QUIET; x++)
        buf_put_str(out, blocks[is_dark(code, x, y)][is_dark(code, x, y + 1)]);
    buf_put_str(out, coloured ? "\033[0m\n" : "\n");
}

static void code_free(QRcode **code)
{
    if (!*code)
        return;
    secret_wipe((*code)->data, (size_t)(*code)->width * (size_t)(*code)->width);
    QRcode_free(*code);
    *code = NULL;
}

/* Columns of the terminal; 0: none, or it does not say. */
static size_t columns_of(const struct cli *c)
{
    struct winsize size = {0};
    return c->terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int qr_show(struct cli *c, struct slice text)
{
    QRcode *code __attribute__((cleanup(code_free))) =
        text.n == 0 || text.n > LIMIT_QR_TEXT
            ? NULL
            : QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
    if (!code)
        return cli_fail(c, CLI_FAILED, SAY_NO_QR, SAY_NO_QR_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    size_t there = columns_of(c), needed = (size_t)(code->width + 2 * QUIET);
    if (there && there < needed) {
        cli_note(
            c, SAY_QR_NARROW, arena_printf(&c->arena, "%zu", needed), arena_printf(&c->arena, "%zu", there),
            SLICE_EMPTY);
        return CLI_OK;
    }
    for (int y = -QUIET; y < code->width + QUIET; y += 2)
        put_line(code, y, c->terminal, &c->out);
    return CLI_OK;
}

#include "cli/qr.h"

#include <qrencode.h>

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

fallible qr_put(struct slice text, bool coloured, struct buf *out)
{
    if (text.n == 0 || text.n > LIMIT_QR_TEXT)
        return ERR_LIMIT;
    QRcode *code __attribute__((cleanup(code_free))) =
        QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
    if (!code)
        return ERR_LIMIT;
    for (int y = -QUIET; y < code->width + QUIET; y += 2)
        put_line(code, y, coloured, out);
    return OK;
}

/* qr.h - a QR code on a terminal, in half blocks.                                  room: cli   runs in: cli
 *
 * Two rows of modules make one row of text, with the quiet zone of four modules around (ISO/IEC 18004). `coloured`: with
 * escapes that make dark modules black and light ones white whatever the terminal's own colours are; else dark modules are
 * drawn and light ones are left blank, which is right on paper and on a light background.
 *
 * Fails: ERR_LIMIT, when the text is longer than a QR code can hold.
 */
#ifndef CLI_QR_H
#define CLI_QR_H

#include "base/buf.h"

fallible qr_put(struct slice text, bool coloured, struct buf *out);

#endif

/* qr.h - a QR code on a terminal, in half blocks.                                  room: cli   runs in: cli
 *
 * Two rows of modules make one row of text, with the quiet zone of four modules around (ISO/IEC 18004). On a terminal with
 * escapes that make dark modules black and light ones white whatever the terminal's own colours are; else dark modules are
 * drawn and light ones are left blank, which is right on paper and on a light background.
 *
 * A code that is wider than the terminal would be broken over its lines and could not be scanned: it is left out, and said.
 */
#ifndef CLI_QR_H
#define CLI_QR_H

#include "cli/cli.h"

/* Puts the code on what is shown. Returns an exit code; a text too long for any code has been told. */
int qr_show(struct cli *c, struct slice text);

#endif

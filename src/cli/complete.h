/* complete.h - completion scripts for shells, made from the table.                    room: cli   runs in: cli */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/buf.h"

/* "bash", "zsh" or "fish". */
void complete_put(struct slice shell, struct buf *out);

#endif

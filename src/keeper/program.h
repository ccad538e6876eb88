/* program.h - what a mail program calls itself after it has signed in.                  room: keeper   runs in: keeper
 *
 * Most programs introduce themselves (IMAP ID) only then; the vault notes it with the last use of their credential. What cannot be
 * told at once is not told: the next session says it again.
 */
#ifndef KEEPER_PROGRAM_H
#define KEEPER_PROGRAM_H

#include "keeper/env.h"
#include "keeper/session.h"

/* `program`: foreign text; what is longer than LIMIT_PROGRAM_NAME is cut. Once a session. */
void session_tell_program(struct keeper_env *env, const struct session *s, struct slice program);

#endif

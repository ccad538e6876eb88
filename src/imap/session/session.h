/* session.h - an IMAP session after sign-in.                                  room: imap/session   runs in: keeper
 *
 * Takes the gate's stream, greets with the tagged OK of the command that signed in once the account can be entered, and
 * serves until LOGOUT, the end of the stream, or the end of its grant. Ends itself; the registry (keeper/session.h) can end
 * it too.
 */
#ifndef IMAP_SESSION_SESSION_H
#define IMAP_SESSION_SESSION_H

#include "keeper/env.h"
#include "keeper/session.h"

/* See session_start_fn in keeper/session.h. */
enum err imap_session_start(struct keeper_env *env, const struct session_start *start);

#endif

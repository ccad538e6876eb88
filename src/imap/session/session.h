/* session.h - an IMAP session after sign-in.                             room: imap/session   runs in: keeper
 *
 * Takes the gate's stream, greets with the tagged OK of the command that signed in, and serves the authenticated and
 * selected states until LOGOUT, the peer's end, or the registry's. Answers of imap_session_start: session_start_fn in
 * keeper/session.h.
 */
#ifndef IMAP_SESSION_SESSION_H
#define IMAP_SESSION_SESSION_H

#include "keeper/env.h"
#include "keeper/session.h"

enum err imap_session_start(struct keeper_env *env, const struct session_start *start);

#endif

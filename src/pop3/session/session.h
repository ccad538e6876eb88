/* session.h - a POP3 session after sign-in.                                   room: pop3/session   runs in: keeper
 *
 * Takes the gate's stream, answers the sign-in with +OK once the maildrop is read, and serves TRANSACTION and UPDATE.
 * A maildrop is one session's at a time (RFC 1939 4): further ones wait for LIMIT_POP3_TURN in the order of their coming, for
 * a program that comes back at once finds its last session still ending; then they are told [IN-USE].
 */
#ifndef POP3_SESSION_SESSION_H
#define POP3_SESSION_SESSION_H

#include "keeper/env.h"
#include "keeper/session.h"

/* See session_start_fn in keeper/session.h. */
enum err pop3_session_start(struct keeper_env *env, const struct session_start *start);

#endif

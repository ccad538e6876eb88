/* submission.h - a signed-in submission session on the keeper's side.         room: smtp/session   runs in: keeper
 *
 * Its stream carries no octets: while it is open the grant holds, and when the credential is revoked the keeper closes it,
 * so that the gate says 421. Messages name the session in arrive_begin; their senders are checked against its account.
 */
#ifndef SMTP_SESSION_SUBMISSION_H
#define SMTP_SESSION_SUBMISSION_H

#include "keeper/env.h"
#include "keeper/session.h"

/* See session_start_fn in keeper/session.h. */
enum err submission_session_start(struct keeper_env *env, const struct session_start *start);

#endif

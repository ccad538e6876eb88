/* totp.h - codes of an authenticator (RFC 6238, HMAC-SHA-1), and which of them may still be used.      room: factor   runs in: vault
 *
 * A code belongs to a step of 30 s. The state of one authenticator is the last step that was accepted, how far its clock is
 * off, and the steps accepted lately. totp_accept looks one step to each side of the learnt drift (RFC 6238 5.2, 6), and takes
 * no step that is not above the last one. When the clock was set back, the last step is brought down to the next one, so that
 * nobody is locked out, and the remembered steps still refuse what was used before.
 *
 * The caller keeps the state and stores it before it says yes. Comparing takes the same time for every wrong code.
 */
#ifndef FACTOR_TOTP_H
#define FACTOR_TOTP_H

#include "base/buf.h"
#include "base/limits.h"

enum { TOTP_STEP_S = 30, TOTP_DIGITS = 6, TOTP_DIGITS_MAX = 8, TOTP_SECRET = 20 };

/* The code of one step; digits 6 to TOTP_DIGITS_MAX. No NUL behind. */
void totp_code(struct slice secret, uint64_t step, unsigned digits, char out[TOTP_DIGITS_MAX]);

struct totp_state {
    int64_t last;  /* nothing up to this step is accepted; 0: none yet */
    int32_t drift; /* of the authenticator's clock, in steps, at most LIMIT_TOTP_DRIFT either way */
    size_t used_count;
    int64_t used[LIMIT_TOTP_USED]; /* oldest first */
};
/* For a clock that went back: true when the state changed and is to be stored. Before totp_accept. */
bool totp_settle(struct totp_state *s, int64_t now_s);
/* True: this code opens, and the state has taken it in. Six digits, nothing else, else false. */
bool totp_accept(struct totp_state *s, struct slice secret, struct slice code, int64_t now_s);

/* RFC 4648 base32, upper case, without padding: as people type a secret into an authenticator. */
void base32_put(struct buf *out, struct slice data);
/* otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=...: everything but RFC 3986's unreserved characters is escaped. */
void totp_uri_put(struct buf *out, struct slice issuer, struct slice account, struct slice secret);

#endif

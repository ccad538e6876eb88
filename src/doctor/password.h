/* password.h - the password and the name as typed, looked at before anything is sent.    room: doctor   runs in: cli
 *
 * Finds what people cannot see in a field of dots: a blank or a line end that was copied along, full-width and look-alike
 * letters, invisible signs, typographic quotes, caps lock, a one-time code, the web password where the provider wants a code of
 * its own, a mistyped Letterlock client password. What surely breaks a sign-in is a warning; what only may is a note. A slip
 * never is a fault: whether it was one, the server's reply tells (verdict.h).
 *
 * The octets are read where they are. Not one of them, not their number and no copy gets into a note: the notes say which
 * condition was met and nothing else. Never fails. Pure.
 */
#ifndef DOCTOR_PASSWORD_H
#define DOCTOR_PASSWORD_H

#include "doctor/examination.h"

/* Notes go into `general`, as STEP_PASSWORD. `provider`: whose password it is, as far as known; or NULL. True: it has the form of the
 * client passwords that a Letterlock makes, slips included. */
bool password_look(
    struct slice secret, bool is_token, const struct provider *provider, struct notes *general);
/* Does it mix Latin letters with foreign ones that look the same, and with no others of these? For names of hosts, in U-labels. */
bool name_is_look_alike(struct slice name);
/* The address or user name as typed; what is shown as proof is the name itself. */
void name_look(struct slice name, struct notes *general);

#endif

/* settings.h - the right settings for a mail program, from the servers that work or were found.   room: doctor   runs in: cli
 *
 * Exact file texts for neomutt, mbsync and msmtp, a list to type from for Thunderbird. No password stands in any of them: the
 * programs ask for it, and a comment says how a command may give it. Apple's profile is made by cli/handout.h from the same
 * servers. Of several servers the one that did most is taken: mail was read, signed in, greeted, answered, merely found.
 *
 * Borrows the examination. Fails: ERR_NOT_FOUND (no server of a kind that the program needs), ERR_UNSUPPORTED (a user name
 * that cannot be written into such a file). Pure.
 */
#ifndef DOCTOR_SETTINGS_H
#define DOCTOR_SETTINGS_H

#include "base/buf.h"
#include "doctor/examination.h"

enum program {
    PROGRAM_THUNDERBIRD,
    PROGRAM_NEOMUTT,
    PROGRAM_MBSYNC,
    PROGRAM_MSMTP,
    PROGRAM_APPLE,
    PROGRAM_N
};
fallible program_parse(struct slice name, enum program *ret_program); /* ERR_NOT_FOUND */

/* Which servers a program is to use, and the name at each. */
struct program_servers {
    const struct checked *in, *out; /* NULL: none */
    struct slice in_user, out_user; /* empty: not known */
};
void program_servers_of(const struct examination *x, struct program_servers *ret_servers);

enum { PROGRAM_TEXT_MAX = 65536 };
/* `authority`: the path of a certificate authority's file that the program must be told of; empty: none. PROGRAM_APPLE is a
 * bug. */
fallible program_settings_put(
    enum program program, const struct examination *x, struct slice authority, enum lang lang,
    struct buf *out);

#endif

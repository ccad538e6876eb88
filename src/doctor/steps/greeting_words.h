/* greeting_words.h - what a greeting tells by its words: which protocol, which software, what time.
 *                                                                                room: doctor/steps   runs in: cli
 *
 * Tables of what servers are known to say. Foreign text in, small words out. Pure: no socket, no memory. Never fails.
 */
#ifndef DOCTOR_STEPS_GREETING_WORDS_H
#define DOCTOR_STEPS_GREETING_WORDS_H

#include "doctor/examination.h"

enum greets {
    GREETS_NOTHING, /* no octets */
    GREETS_OTHER,   /* none of these */
    GREETS_IMAP,
    GREETS_POP3,
    GREETS_SMTP,
    GREETS_LMTP,
    GREETS_WEB,
    GREETS_SSH,
    GREETS_FTP,
    GREETS_DATABASE,
    GREETS_SIEVE,
    GREETS_TLS, /* a record of TLS: it was spoken to in clear */
    GREETS_N
};
/* By the first octets of what a server said, in answer to nothing or to a command that it did not understand; be it that less
 * came than the shortest greeting. */
enum greets greets_of(struct slice said);
enum greets greets_of_service(enum service service);
/* The condition that another protocol than the expected one answers: OBSERVED_GREETING_IS_... */
enum observed greets_observed(enum greets greets);

/* The program's name as people know it: "Dovecot"; NULL: not told. */
const char *greeting_software(struct slice text);
/* A date as mail has it (RFC 5322 3.3) in the greeting of an SMTP server: seconds since 1970. ERR_NOT_FOUND. */
fallible greeting_time(struct slice text, int64_t *ret_unix_s);

#endif

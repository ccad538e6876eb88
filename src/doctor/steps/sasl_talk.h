/* sasl_talk.h - one SASL exchange over the lines of IMAP, POP3 or SMTP.                 room: doctor/steps   runs in: cli
 *
 * AUTHENTICATE (RFC 9051 6.2.2), AUTH (RFC 5034) and AUTH (RFC 4954) differ in how the command begins, in how a continuation
 * and the end look, and in whether a first answer may go with the command; the rest is the same and stands here. What holds the
 * secret leaves through talk_put_secret.
 */
#ifndef DOCTOR_STEPS_SASL_TALK_H
#define DOCTOR_STEPS_SASL_TALK_H

#include "doctor/steps/dialogue.h"

struct sasl_lines {
    struct slice command; /* what stands before the mechanism's name: "a4 AUTHENTICATE ", "AUTH " */
    /* Octets of the command line with its CRLF, when the first answer may go with it; longer ones wait for the server's empty
     * challenge. 0: it may not. */
    size_t initial_max;
    /* Reads one reply. REPLY_MORE: `*ret_challenge` is what stands behind "+ " or "334 ", still in base64; it lives in the arena
     * or until the next reading. */
    fallible (*read)(
        struct talk *t, struct arena *arena, void *owner, struct reply *ret_reply,
        struct slice *ret_challenge);
    void *owner;
};

/* Outputs and errors are those of dialogue.sign_in: ERR_UNSUPPORTED: the mechanism cannot carry this name or secret, nothing was
 * sent. ERR_DENIED: the server did not prove itself, whatever it said; it is not to be believed. */
fallible sasl_talk(
    struct talk *t, struct arena *arena, const struct sasl_lines *lines, const struct credentials *who,
    struct reply *ret_reply, struct slice *ret_why);

#endif

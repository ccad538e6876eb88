/* imap.h - commands to an IMAP server and their answers, for the files of the IMAP dialogue.  room: doctor/steps
 *                                                                                          runs in: cli
 *
 * imap.c greets and signs in, imap_use.c does what a mail program does afterwards. Each command has a tag of its own kind; one
 * that is said again has it again, which every server must accept (RFC 9051 2.2.1), since the one before was answered.
 */
#ifndef DOCTOR_STEPS_IMAP_H
#define DOCTOR_STEPS_IMAP_H

#include "doctor/steps/dialogue.h"
#include "imap/wire/response.h"

/* What is waited for, and who hears what comes before. */
struct imap_waiting {
    const char *tag;
    /* Untagged data and status responses; may be NULL. What it is given is good until it returns. */
    void (*hear)(void *owner, const struct imap_response *said, struct slice text);
    void *owner;
};
/* Reads to the answer with the tag, or to a continuation (REPLY_MORE). The reply's text is that line, after those that explain
 * it: untagged NO, BAD, and what carries [ALERT]. A server that says BYE and closes has said no; an answer with a tag that was
 * not given is none to anything and is told as REPLY_BAD. `*ret_code` (may be NULL) is the answer's response code,
 * `*ret_challenge` (may be NULL) the continuation's text. Outputs are in the arena. */
fallible imap_hear(
    struct talk *t, struct arena *arena, const struct imap_waiting *w, struct reply *ret_reply,
    struct slice *ret_code, struct slice *ret_challenge);
/* Sends "TAG words" and hears the answer; a continuation is none and is told as REPLY_BAD. */
fallible imap_command(
    struct talk *t, struct arena *arena, const struct imap_waiting *w, const char *words,
    struct reply *ret_reply, struct slice *ret_code);

fallible imap_ask(struct talk *t, struct arena *arena, struct offer *ret_offer);
void imap_use(struct visit *v, struct talk *t, const struct offer *offer);

#endif

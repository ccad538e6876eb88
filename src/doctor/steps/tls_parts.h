/* tls_parts.h - what the files of the step of encryption share.                         room: doctor/steps   runs in: cli
 *
 * Private to the step. tls.c begins it and chooses the kind of encryption, tls_starttls.c goes from clear text to TLS,
 * tls_session.c looks at a handshake that was made and tls_break.c at one that broke, tls_ask.c asks what else the server would
 * agree to. The notes on what was seen are made by tls_note*.c, which speak to nobody.
 */
#ifndef DOCTOR_STEPS_TLS_PARTS_H
#define DOCTOR_STEPS_TLS_PARTS_H

#include "doctor/steps/dialogue.h"

enum { ALERT_UNRECOGNIZED_NAME = 112 };

/* The step while it is taken. */
struct looking {
    struct visit *v;
    const struct dialogue *dialogue;
    struct arena arena; /* what is said in clear */
    uint64_t until_ms;  /* of the whole step */
    uint64_t probes_until_ms;
    struct reply greeting; /* in clear, or in TLS where it was read */
    struct offer offer;    /* in clear */
};

struct endpoint *looking_endpoint(const struct looking *l);
uint64_t looking_left(uint64_t until_ms); /* ms from now */
uint64_t looking_least(uint64_t a, uint64_t b);
struct observation *looking_note(
    const struct looking *l, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof);

/* A connection for at most so long, and no longer than the step. */
fallible looking_open(const struct looking *l, uint64_t ms, struct talk **ret_talk);
fallible looking_shake(const struct looking *l, struct talk *t);
/* Greeting and question, in clear. ERR_DENIED: the greeting is a no. */
fallible looking_ask_in_clear(struct looking *l, struct talk *t);
/* What came in clear where TLS was to begin; empty: it was TLS, or nothing. */
struct slice looking_clear_text(struct looking *l, const struct talk *t);

/* A handshake was made. */
void looking_at_session(struct looking *l, struct talk *t);
/* The server speaks TLS, or should, and it did not come to a session: the probes tell what it would have agreed to. Closes *t. */
void looking_at_break(struct looking *l, struct talk **t, enum err e);
/* The greeting was read, and the offer. */
void looking_begin_tls(struct looking *l, struct talk **t);
/* What else would it agree to? `works`: a handshake was made. */
void looking_probe(struct looking *l, bool works);

#endif

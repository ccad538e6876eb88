/* handover.h - from a sign-in to the account's keeper.                                     room: gate   runs in: gate
 *
 * Makes a socket pair, sends one end with the ticket to the keeper that owns the account (INV-32), and waits for its
 * word. IMAP and POP3 then join the client with it (connection_splice), and the keeper speaks; submission keeps the
 * stream, on which nothing is said: its end means that the credential was revoked or the keeper is gone.
 */
#ifndef GATE_HANDOVER_H
#define GATE_HANDOVER_H

#include "gate/signin.h"

enum handover_outcome {
    HANDOVER_OK,    /* keeper: a stream, now the callee's */
    HANDOVER_NO,    /* the ticket is not good (any more) */
    HANDOVER_LATER, /* the keeper is away, busy or full */
};

struct handover;
/* Never from within handover_start. May end the connection, and so free `h`. */
typedef void
handover_answered_fn(struct handover *h, enum handover_outcome outcome, struct stream *keeper, void *owner);

struct handover {
    struct connection *c;
    handover_answered_fn *answered;
    void *owner;
    struct channel *asked;
    uint64_t request;
    int fd; /* our end while the keeper is asked */
    struct task late;
};
void handover_init(struct handover *h, struct connection *c, handover_answered_fn *answered, void *owner);
/* Wipes the ticket of `who`. `tag` is IMAP's, else empty. */
void handover_start(struct handover *h, struct signin_who *who, struct slice tag);
void handover_done(struct handover *h);

#endif

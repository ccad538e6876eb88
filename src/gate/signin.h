/* signin.h - a SASL exchange between a client and the vault, carried by the gate.         room: gate   runs in: gate
 *
 * The gate knows no mechanism: it carries octets, with the facts of the connection (client, TLS, channel bindings) that
 * only it can state. Which mechanisms there are the vault says (signin_mechanisms). Secrets lie in secret memory while
 * they are here, and are wiped when the vault has them.
 *
 * Each question is answered once by `answered`, never from within the call that asks. While it is asked the connection
 * is paused. Failed tries are counted here: after CONFIG_SIGNIN_TRIES of them SIGNIN_NO comes with `last`. Logs
 * signin.ok and signin.failed (info).
 */
#ifndef GATE_SIGNIN_H
#define GATE_SIGNIN_H

#include "gate/connection.h"

enum signin_outcome {
    SIGNIN_CHALLENGE, /* send the challenge, come back with signin_step or signin_cancel */
    SIGNIN_OK,        /* `who` is set; go on with handover.h */
    SIGNIN_NO,        /* wrong, whatever it was; the words for it are the same always */
    SIGNIN_LATER,     /* the server can't decide now */
    SIGNIN_MALFORMED, /* base64 or the mechanism's grammar; no try was counted */
    SIGNIN_UNKNOWN    /* no such mechanism here; no try was counted */
};

/* Who signed in, until the ticket is quoted. */
struct signin_who {
    struct secret ticket;
    struct account_id account;
    uint8_t slot;
    uint64_t credential;
    char address[321];
};

struct signin;
struct signin_answer {
    enum signin_outcome outcome;
    struct slice challenge; /* SIGNIN_CHALLENGE: octets, not base64; good during the call */
    bool last;              /* SIGNIN_NO: the connection must end after the reply */
};
/* May end the connection, and so free `s`. */
typedef void signin_answered_fn(struct signin *s, const struct signin_answer *answer, void *owner);

struct signin {
    struct connection *c;
    signin_answered_fn *answered;
    void *owner;
    struct channel *asked; /* where the request is */
    uint64_t request;      /* 0: none */
    bool going_on;         /* the vault waits for our step */
    struct signin_who who;
    struct task late; /* an answer known at once, told from the loop */
    enum signin_outcome late_outcome;
};

void signin_init(struct signin *s, struct connection *c, signin_answered_fn *answered, void *owner);
/* Forgets what is asked, tells the vault, wipes. */
void signin_done(struct signin *s);

/* Names separated by blanks; empty while nothing may be offered (in the clear, the vault is away). */
struct slice signin_mechanisms(const struct connection *c);

/* May a name and a password be given as they are (PLAIN is offered): LOGIN; USER and PASS. */
bool signin_takes_passwords(const struct connection *c);

/* Octets, decoded already. */
void signin_start(struct signin *s, struct slice mechanism, bool has_initial, struct slice initial);
void signin_step(struct signin *s, struct slice response);
/* The same in base64, as IMAP and POP3 carry them: "=" is the empty initial response (RFC 4959, RFC 5034), "*" cancels:
 * answered with SIGNIN_MALFORMED. */
void signin_start_base64(struct signin *s, struct slice mechanism, bool has_initial, struct slice initial);
void signin_step_base64(struct signin *s, struct slice line);
/* A name and a password given in the protocol's own words (LOGIN; USER and PASS): travels as PLAIN (RFC 4616). */
void signin_login(struct signin *s, struct slice name, struct slice secret);
/* The client gave up. No answer comes. */
void signin_cancel(struct signin *s);

#endif

/* attempts.h - which sign-in may be tried next, so that looking does no harm.            room: doctor   runs in: cli
 *
 * The doctor tries what a server offers, from strong to weak and at last the protocol's own command, for as long as it
 * succeeds; a success costs nothing. A refusal costs one of LIMIT_DOCTOR_FAILURES, which are for the account and the whole
 * run. What it means decides what is left:
 *
 *     the secret is wrong, the account is locked or ended, or nobody knows the words   nothing, at no server
 *     the mechanism, or a command that was not understood                              another mechanism
 *     the form of the name, or an unknown user                                         the other form of the name, once
 *     the protocol is switched off                                                     other protocols
 *     encryption is wanted, the server is in trouble, a limit, a rule                  other servers
 *
 * Where others on the way may read along, a way that shows the secret is not tried for completeness' sake behind one that succeeded
 * without showing it. A server that claims to know the secret and does not prove it may be anybody, and so may the next one: nothing
 * more is sent then, to nobody.
 *
 * A secret that was accepted at this server a moment ago is not wrong: when another mechanism is refused with such words, only
 * this server's turn ends. EXTERNAL is never tried, a mechanism with channel binding only where there is a channel to bind to,
 * one that takes a token only with a token, the others only with a password.
 *
 * `struct attempts` is the run's, `struct turn` one server's; both live where the caller puts them and own nothing. Pure; for
 * one thread. Never fails.
 */
#ifndef DOCTOR_ATTEMPTS_H
#define DOCTOR_ATTEMPTS_H

#include "doctor/examination.h"
#include "sasl/mechanism.h"

struct attempts {
    bool is_token;
    const struct sasl_mechanism *only; /* what the person chose, and nothing else; NULL: all */
    bool only_own;                     /* the same for the protocols' own commands */
    unsigned failures;                 /* refusals so far */
    bool ended;                        /* nothing more with this secret, anywhere */
    bool off[SERVICE_N];
};
void attempts_init(struct attempts *a, bool is_token);
/* Nothing more may be tried by this protocol. */
bool attempts_over(const struct attempts *a, enum service service);

/* One sign-in that may be tried now. */
struct attempt {
    const struct sasl_mechanism *mechanism; /* NULL: the protocol's own, LOGIN or USER */
    struct slice user;
};

/* What a server has to offer. */
struct attempts_offer {
    uint32_t mechanisms; /* bit i: row i of sasl_mechanisms() */
    bool own;            /* the protocol's own command may be used */
    bool can_bind;       /* there are channel binding data */
    bool exposed;        /* others on the way may read along: the person agreed */
};
struct turn {
    struct attempts *all;
    enum service service;
    uint32_t left;
    bool own_left, exposed;
    struct slice names[2]; /* borrowed; the second is empty when there is no other form */
    bool other_name;       /* the second is being tried */
    bool succeeded, ended;
};
/* `name` is tried first; `other` (may be empty, or the same) when a refusal speaks of the name. */
void turn_init(
    struct turn *t, struct attempts *a, enum service service, const struct attempts_offer *offer,
    struct slice name, struct slice other);
/* What to try now; the same again until its outcome is told. False: nothing. */
bool turn_next(const struct turn *t, struct attempt *ret_attempt);
/* Is there anything that fits the secret, whatever may still be tried? */
bool attempts_fit(const struct attempts *a, const struct attempts_offer *offer);

/* The outcome of what turn_next gave: exactly one of these. */
void turn_succeeded(struct turn *t);
/* A refusal in these words. `misunderstood`: it was answered as an error of the protocol (BAD, 500 to 504), which speaks of the
 * way and not of the secret where the words say nothing else. */
void turn_refused(struct turn *t, const struct explanation *x, bool misunderstood);
/* The connection ended, or the answer did not come, after the try had begun: it may have counted there. */
void turn_broke(struct turn *t);
/* Nothing was sent: this mechanism cannot carry the name or the secret. */
void turn_skipped(struct turn *t);
/* The server did not prove itself: nobody gets this secret any more. */
void turn_distrusted(struct turn *t);

/* What a refusal by this cause leaves. */
enum consequence {
    CONSEQUENCE_ALL,
    CONSEQUENCE_PROTOCOL,
    CONSEQUENCE_SERVER,
    CONSEQUENCE_MECHANISM,
    CONSEQUENCE_NAME
};
enum consequence cause_consequence(enum cause cause);

#endif

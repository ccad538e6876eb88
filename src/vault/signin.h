/* signin.h - sign-ins from the first SASL step to the ticket.                        room: vault   runs in: vault
 *
 * One exchange is one SASL dialogue of one client connection, known by (gate, session). The engine runs the mechanism, finds
 * the credential, asks decide(), and answers. It knows no process and no clock: time, the keeper and the hash pool are
 * reached by callbacks, so that a test scripts them.
 *
 *                     .-> CHALLENGE answered, waits for the next step
 *   start, step -----{--> MALFORMED answered (the mechanism's rules were broken)
 *                     '-> a claim -> [hashing the mailbox password, only where a door allows it] -> decided
 *                             yes:        grant to the keeper -> acknowledged -> OK answered with the ticket;
 *                                         SCRAM: CHALLENGE with the server's proof first, OK after the client's last word
 *                             no, later:  held until the next multiple of LIMIT_SIGNIN_TICK after the secret arrived;
 *                                         OAUTHBEARER, XOAUTH2: CHALLENGE with the error then, NO after the client's last word
 *
 * INV-S1  Every wrong sign-in gets the same answer, NO, at arrival + k * LIMIT_SIGNIN_TICK with the least k that its work allows,
 *         whatever the cause; at a door that anybody's mailbox password may open, not before LIMIT_SIGNIN_FLOOR, so that the
 *         work of every refusal fits before its answer. Which work is done depends on the door and on what was typed, never on whose name it is or on how
 *         much of it was right. What was wrong goes to `why`, the journal and the log, never to the gate.
 * INV-S2  OK is answered only after the account's keeper has taken the grant; the ticket is 256 random bits and is told to
 *         the keeper and the gate alone (T-330).
 * INV-S3  No door that keeps everybody's mailbox password out waits for Argon2, and nobody waits for it who sends a secret of a
 *         form that the server makes. Whether a wrong secret was the mailbox password is looked at after the answer, at most
 *         LIMIT_SIGNIN_LOOKS in a row, to tell its owner why.
 * INV-S4  No name that is not an account's, and no secret, is logged or stored (T-315).
 * INV-S5  What is overloaded or away (pool, keeper, disk, directory) is LATER, never NO, and no strike (T-243, T-250).
 *
 * Owns: the exchanges and their secrets. Limits: LIMIT_SIGNINS, LIMIT_SIGNINS_PER_GATE, LIMIT_SIGNIN_TIME, LIMIT_HASH_WAIT.
 */
#ifndef VAULT_SIGNIN_H
#define VAULT_SIGNIN_H

#include "guard/guard.h"
#include "vault/clients.h"
#include "vault/decide.h"
#include "vault/vault.h"

enum { SIGNIN_TICKET_LEN = 32 };

enum signin_answer_kind {
    SIGNIN_CHALLENGE, /* the client owes a response to `data` */
    SIGNIN_OK,
    SIGNIN_NO,
    SIGNIN_LATER,
    SIGNIN_MALFORMED,
};
struct signin_answer {
    enum signin_answer_kind kind;
    struct slice data; /* challenge, or what goes with the success */
    /* Of SIGNIN_OK: */
    struct slice ticket;
    struct account_id account;
    uint8_t slot;
    struct slice address;
    uint64_t credential;
};

struct signin_grant {
    struct slice ticket;
    struct account_id account;
    uint8_t slot;
    uint64_t credential;
    uint32_t version;
    enum vault_door door;
    bool can_receive, can_send;
    int64_t expires_s;
    struct slice limits; /* of the credential: lines "name=value" (scope/scope.h) */
    struct slice address, language, program;
    uint64_t quota_bytes;
};

struct signin_ops {
    uint64_t (*now_ms)(void *owner); /* monotonic */
    int64_t (*now_s)(void *owner);   /* unix time */
    /* Call signin_tick no later than at this time; UINT64_MAX: nothing to wait for. */
    void (*wake_at)(void *owner, uint64_t at_ms);
    /* The answer to the step that carried `reply`. */
    void (*answer)(void *owner, unsigned gate, uint64_t reply, const struct signin_answer *answer);
    /* Hands the grant to the account's keeper; signin_granted follows, now or later. */
    void (*grant)(void *owner, uint64_t exchange, const struct signin_grant *grant);
    /* Compares off the loop; takes both secrets; signin_hashed follows later. What is stored may say that somebody else has to
     * be asked (vault/directory.h). `account`: whose it is, NULL for nobody's. ERR_LIMIT: the queue is full (then both stay the
     * caller's). */
    fallible (*hash)(
        void *owner, uint64_t exchange, const struct account_id *account, struct secret *stored,
        struct secret *password);
    /* Is this client network exempt from limits by network? */
    bool (*is_exempt)(void *owner, const struct ip *client);
};

/* Which mechanisms there are, by the settings. */
struct signin_offer {
    unsigned mechanisms; /* bits by the place in sasl's table */
    bool certificates;   /* clients are asked for certificates: EXTERNAL */
};
/* All but the weak ones; no certificates. */
struct signin_offer signin_offer_default(void);
/* A mechanism's name, or "default" for all but the weak ones. ERR_NOT_FOUND. */
fallible signin_offer_add(struct signin_offer *offer, struct slice word);

struct signins;
struct signins *signins_new(struct vault *v, struct guard *guard, const struct signin_ops *ops, void *owner);
void signins_free(struct signins **s);
/* From the next exchange on. */
void signins_set_offer(struct signins *s, const struct signin_offer *offer);
size_t signins_count(const struct signins *s);
/* How many wait for what: "client=2 hash=0 keeper=1 tick=4 look=0". */
void signins_describe(const struct signins *s, struct buf *out);

struct signin_request {
    unsigned gate;
    uint64_t session; /* unique for this gate */
    uint64_t reply;   /* comes back with the answer */
    enum vault_door door;
    struct slice mechanism;
    const struct slice *initial; /* NULL: none */
    struct ip client;
    struct slice tls;                 /* version and suite; empty: the connection is not encrypted */
    struct slice exporter, end_point; /* channel binding */
    struct slice certificate_hash;    /* SHA-256 of the client certificate that was verified; empty: none */
    struct slice certificate_name;    /* its one rfc822Name */
    struct slice program;
};
void signin_start(struct signins *s, const struct signin_request *request);
void signin_step(struct signins *s, unsigned gate, uint64_t session, uint64_t reply, struct slice response);
/* The client has gone: nothing is answered any more. */
void signin_cancel(struct signins *s, unsigned gate, uint64_t session);
/* The gate has gone, with all its sessions. */
void signins_drop_gate(struct signins *s, unsigned gate);

void signin_granted(struct signins *s, uint64_t exchange, bool accepted);
/* OK: it is the mailbox password; ERR_DENIED: it is not; anything else: could not be computed. */
void signin_hashed(struct signins *s, uint64_t exchange, enum err result);
/* Answers what is due, ends what took too long. */
void signin_tick(struct signins *s);

struct sasl_mechanism;
bool signin_offers(const struct signin_offer *offer, const struct sasl_mechanism *mechanism, bool has_tls);
/* Which mechanisms a door offers, separated by blanks: "SCRAM-SHA-256 PLAIN"; nothing without TLS. EXTERNAL is for connections
 * that brought a certificate: the gate leaves it out elsewhere. */
void signin_mechanisms(const struct signins *s, enum vault_door door, bool has_tls, struct buf *out);

/* ---- without a client ---- */

/* e: OK, or why it could not be found out (then nothing else is set). */
typedef void signin_tested(void *owner, enum err e, const struct decision *decision, uint64_t credential);
/* What would happen with this secret (of any kind but a certificate) at this door? Counts as nothing, changes nothing: a code of
 * an authenticator is not looked at. `fn` is called once, maybe before this returns; not when it fails. ERR_NOT_FOUND: no such
 * account; ERR_LIMIT: too many at once. */
fallible signin_test(
    struct signins *s, struct slice address, struct slice secret, enum vault_door door, signin_tested *fn,
    void *owner);

#endif

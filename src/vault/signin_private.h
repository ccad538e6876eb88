/* signin_private.h - one exchange, as the files of the engine share it.              room: vault   runs in: vault
 *
 *   signin.c        states and time; what comes from the gate, the keeper and the pool, and the answers
 *   signin_judge.c  from a claim to a decision
 *   signin_proof.c  recognising what came: passwords, tokens, certificates, proofs of SCRAM and CRAM-MD5
 *   signin_tell.c   `why`, the journal, the log
 *   signin_offer.c  which mechanisms there are
 *   signin_test.c   the same judgement without a client
 */
#ifndef VAULT_SIGNIN_PRIVATE_H
#define VAULT_SIGNIN_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "sasl/server.h"
#include "vault/accounts.h"
#include "vault/private.h"
#include "vault/signin.h"

enum { SIGNIN_MAGIC = 0x51691001, SIGNIN_GATES = 64 /* keys.def */ };

/* Every wait has a name, for `letterlock status`. */
enum signin_state {
    SIGNIN_WAITS,    /* for the client's next step */
    SIGNIN_HASHING,  /* for the pool, before the decision */
    SIGNIN_GRANTING, /* for the keeper */
    SIGNIN_HELD,     /* decided no or later; answered at `due` */
    SIGNIN_LOOKING,  /* answered; the pool looks whether it was the mailbox password */
    SIGNIN_LAST,     /* decided, but the mechanism has the client say one more, empty word */
    SIGNIN_STATES
};

/* What the stored mailbox password is compared with. */
enum signin_typed {
    SIGNIN_WHOLE,       /* all that was typed */
    SIGNIN_BEFORE_CODE, /* what stands before the last six digits */
};

/* What is known of a claim. signin_facts_done ends it. */
struct signin_facts {
    struct slice name; /* whose secret: as typed, or as the certificate says; may be empty */
    bool has_account;
    struct vault_account account;
    bool has_client;
    struct vault_client client; /* the credential it was recognised as */
    bool is_proof;              /* it proves knowledge, the secret itself did not come */
    char recognised[80];        /* of a proof: as what the guard counts it; empty: as nothing seen before */
    uint8_t server_key[SASL_KEY_LEN]; /* SCRAM */
    bool may_be_mailbox; /* typed, and no client password or token: depends on what was typed alone */
    bool is_slip;        /* of nearly the form of a client password, as long sentences with digits are, too */
    enum mailbox_policy widest; /* what anybody may do at this door; known where may_be_mailbox */
    enum signin_typed typed;
};
void signin_facts_done(struct signin_facts *f);

struct exchange {
    struct list link; /* in its state's list, ordered by `due` */
    uint64_t id;
    struct {
        uint64_t session;
        uint64_t gate;
    } key;
    enum signin_state state;
    uint64_t reply;
    uint64_t arrived;  /* when the step that is being judged came */
    uint64_t earliest; /* no refusal before: fixed before work whose length could tell something */
    uint64_t due;      /* HELD: answered then; all others: too late then */
    struct vault *vault;
    struct sasl_server *sasl;
    bool is_blind; /* what the mechanism needed of the vault could not be read: later, not malformed */
    enum vault_door door;
    struct ip client;
    bool has_tls;
    struct buf program, tls, exporter, end_point, certificate_hash, certificate_name;
    struct signin_facts facts;
    struct decide_question question;
    struct decision decision;
    bool is_new_strike;
    uint8_t ticket[SIGNIN_TICKET_LEN];
};

struct signins {
    uint32_t magic;
    struct vault *vault;
    struct guard *guard;
    const struct signin_ops *ops;
    void *owner;
    struct signin_offer offer;
    struct map by_key, by_id; /* of struct exchange */
    struct map tests;         /* of struct signin_trial, by id */
    struct list states[SIGNIN_STATES];
    unsigned of_gate[SIGNIN_GATES]; /* exchanges of each gate */
    uint64_t last_id;               /* of exchanges and trials */
    uint64_t looks_free; /* when all of LIMIT_SIGNIN_LOOKS are allowed again: each look moves it on */
};

/* ---- signin_proof.c ---- */

/* Whose is it, and what is it? Fills the facts, and kind, is_revoked, scopes and account of the question. An unknown name costs
 * the same look-ups, with an id that nobody has. Fails when something cannot be read. */
fallible signin_recognise(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *facts,
    struct decide_question *q);
/* T-078: another spelling of the same account is the same person. */
bool signin_is_other(struct vault *v, const struct signin_facts *facts, struct slice authzid);

/* ---- signin_judge.c ---- */

/* All that can be known without computing Argon2; ret_must_hash: it has to be. Fails: unavailable. */
fallible signin_judge(struct signins *s, struct exchange *x, bool *ret_must_hash);
/* Must this one wait, now? */
void signin_look_at_guard(struct signins *s, struct exchange *x);
/* Has the pool compare, under this id. ERR_SYNTAX: nothing that a mailbox password could be. ERR_LIMIT: the queue is full. */
fallible signin_start_hash(
    struct signins *s, uint64_t id, struct signin_facts *facts, enum mailbox_policy policy,
    const struct secret *typed);
/* The pool has compared. Fails: unavailable. */
fallible signin_judge_hashed(
    struct signins *s, struct signin_facts *facts, const struct secret *typed, bool is_right,
    struct decide_question *q);
/* After a decision: what the guard learns from it. */
void signin_count(struct signins *s, struct exchange *x);

/* ---- signin_tell.c ---- */

/* Once for each exchange that was decided: `why`, the journal, the log, the last use. */
void signin_tell(struct signins *s, struct exchange *x);

/* ---- signin_test.c ---- */

/* True: the id was a trial's. */
bool signin_trial_hashed(struct signins *s, uint64_t id, enum err result);
void signin_trials_free(struct signins *s);

#endif

/* entry.h - people signing in: password, second factor or remembered device, session. One machine, for the portal.   room: vault
 * runs in: vault
 *
 * An entry is one person's sign-in from the name to the session, known by a token of 256 random bits (a half-session). What may
 * be called when stands in one table (entry.c); everything else is ENTRY_GONE, as for a token that nobody knows.
 *
 *   start(name) -> NAMED --password--> HASHING -+- wrong, locked, unknown, must wait --> HELD -> NAMED
 *                                               |
 *                   right: <--------------------'
 *     the account has factors --> FACTOR --code, key, device--> wrong: HELD -> FACTOR
 *                                    |  '--ask key--> FACTOR
 *                                    v right
 *     policy demands a factor that it has not --> ENROL --enrol, confirm, register--> wrong: HELD -> ENROL
 *                                    v
 *     the password has ended --> CHANGE --change--> WORKING -> not good enough: CHANGE
 *                                    v
 *                                 SESSION answered; the entry ends
 *   step_up(session) -> FACTOR, or NAMED where the account has no factor -> right: the session's proof is fresh; the entry ends
 *
 *   cancel is allowed in each; ENTRY_TIME without a step, or ENTRY_TRIES wrong ones, end it.
 *
 * INV-E1  Every way of being wrong has the same answer, ENTRY_NO with nothing in it, at a tick after the secret came
 *         (tick.h): unknown name, wrong password, locked account, and after a right password a wrong, used or unknown
 *         factor, at no earlier tick than the password before it. What was wrong goes to `why` and the journal.
 * INV-E2  A half-session can only go on or cancel: no call of it reads or changes anything of the account but its own password
 *         in CHANGE and the first factor in ENROL (T-230).
 * INV-E4  A factor is asked for only after the password was right, and a changed password only after the factor, so that no
 *         stranger makes the owner wait and no old password sets a new one.
 *
 * INV-E5  What a password opened half ends with it: after it was changed, or the account locked or removed, a half-session
 *         behind it is ENTRY_GONE, and so is a step-up when its session has ended. Of guesses that are compared side by side no
 *         more pass than one after the other.
 *
 * No process serves this yet: the portal will, as the gate does signin.h. Until then it is reached by its tests.
 *
 * What is overloaded or away is ENTRY_LATER and no strike. Attempts are counted by the guard, codes by factors.h as well.
 * Owns: the entries. Pure of processes: time, the pool and answers are reached by callbacks. Limits: LIMIT_ENTRIES,
 * LIMIT_ENTRY_TIME, LIMIT_ENTRY_TRIES.
 */
#ifndef VAULT_ENTRY_H
#define VAULT_ENTRY_H

#include "guard/guard.h"
#include "vault/devices.h"
#include "vault/mailbox.h"
#include "vault/session.h"
#include "vault/webauthn.h"

enum { ENTRY_TOKEN_LEN = 32 };

enum entry_answer_kind {
    ENTRY_ASK_PASSWORD, /* token: of the half-session, with the answer to start and step_up alone */
    ENTRY_ASK_FACTOR,   /* has: what can be asked for; token: with the answer to step_up */
    ENTRY_ASK_KEY,      /* challenge: for the browser */
    ENTRY_ASK_ENROL,    /* a factor must be enrolled first */
    ENTRY_ENROLLING,    /* enrolled: secret and uri, shown once */
    ENTRY_ASK_CHANGE, /* the password must be changed; reason: why the last one was not taken (FINE: none was given) */
    ENTRY_SESSION, /* session, and device where it was asked for */
    ENTRY_PROVED,  /* step_up: the session's proof is fresh */
    ENTRY_NO,      /* wrong */
    ENTRY_LATER,   /* something is overloaded or away, or there were too many guesses: try again later */
    ENTRY_GONE,    /* no such half-session, or nothing that it may do now */
};
struct entry_answer {
    enum entry_answer_kind kind;
    struct slice token, session, device;
    struct factors_have has;
    const struct webauthn_asked *challenge;
    const struct factor_totp_new *enrolled;
    enum password_reason reason;
    int64_t number;
};

struct entry_ops {
    uint64_t (*now_ms)(void *owner); /* monotonic */
    int64_t (*now_s)(void *owner);   /* unix time */
    /* Call entry_tick no later than at this time; UINT64_MAX: nothing to wait for. */
    void (*wake_at)(void *owner, uint64_t at_ms);
    /* The answer to the call that carried `reply`; its slices are good during the call. */
    void (*answer)(void *owner, uint64_t reply, const struct entry_answer *answer);
    /* As signin_ops.hash; entry_hashed follows. */
    fallible (*hash)(
        void *owner, uint64_t entry, const struct account_id *account, struct secret *stored,
        struct secret *password);
    /* password_work_run off the loop; takes what is in *work; entry_worked follows. */
    fallible (*work)(void *owner, uint64_t entry, struct password_work *work);
    bool (*is_exempt)(void *owner, const struct ip *client);
};

struct entries;
struct entries *entries_new(struct vault *v, struct guard *guard, const struct entry_ops *ops, void *owner);
void entries_free(struct entries **e);
size_t entries_count(const struct entries *e);
/* How many wait for what: "password=1 hash=0 factor=2 ...". */
void entries_describe(const struct entries *e, struct buf *out);

struct entry_client {
    struct ip ip;
    struct slice program; /* what the browser calls itself */
};
void entry_start(struct entries *e, uint64_t reply, struct slice name, const struct entry_client *client);
/* A fresh proof for a session (session_may said ERR_AGAIN). */
void entry_step_up(
    struct entries *e, uint64_t reply, struct slice session, const struct entry_client *client);

void entry_password(struct entries *e, uint64_t reply, struct slice token, struct slice password);
/* kind: FACTOR_TOTP or FACTOR_RECOVERY. remember: the browser needs no factor for a while. */
void entry_code(
    struct entries *e, uint64_t reply, struct slice token, enum factor_kind kind, struct slice code,
    bool remember);
/* The token of a remembered browser in place of a factor. */
void entry_device(struct entries *e, uint64_t reply, struct slice token, struct slice device);
void entry_ask_key(struct entries *e, uint64_t reply, struct slice token);
void entry_key(
    struct entries *e, uint64_t reply, struct slice token, const struct webauthn_site *site,
    const struct webauthn_assertion *assertion, bool remember);
void entry_enrol(struct entries *e, uint64_t reply, struct slice token, struct slice label);
void entry_confirm(struct entries *e, uint64_t reply, struct slice token, struct slice code);
void entry_ask_new_key(struct entries *e, uint64_t reply, struct slice token);
void entry_new_key(
    struct entries *e, uint64_t reply, struct slice token, const struct webauthn_site *site,
    const struct webauthn_registration *registration, struct slice label);
void entry_change(struct entries *e, uint64_t reply, struct slice token, struct slice password);
void entry_cancel(struct entries *e, uint64_t reply, struct slice token);

/* OK: it is the password; ERR_DENIED: it is not; else: could not be computed. */
void entry_hashed(struct entries *e, uint64_t entry, enum err result);
/* The work is taken back and wiped. */
void entry_worked(struct entries *e, uint64_t entry, struct password_work *work);
void entry_tick(struct entries *e);

#endif

/* webauthn.h - the vault's side of security keys: registration and assertion (WebAuthn L2, 7.1 and 7.2).  room: vault   runs in: vault
 *
 * A ceremony is a challenge of 32 random octets, kept in memory with the sign-in session, the account and what it is for. It
 * is good for LIMIT_CEREMONY_TIME and for one answer: it is taken away before the answer is looked at, and a restart forgets
 * them all, so nothing can be answered twice (T-233). What is expected never comes from the request.
 *
 * An answer is checked by factor/ (client data, authenticator data, public key, signature). Here stands what needs the store:
 * the credential id must be of this account, no id is registered twice, and a signature counter that goes back makes the key
 * suspect for good (T-236, T-237). Attestation is not asked for; what comes is checked when it is "none" or self-made
 * ("packed"), and refused else.
 *
 * Fails: ERR_DENIED for every answer that does not hold, whatever the reason (vault_problem has the words for the owner's
 * `why`); ERR_LIMIT, ERR_EXISTS (registered already), and what db/ fails with. Changes are told to the journal.
 */
#ifndef VAULT_WEBAUTHN_H
#define VAULT_WEBAUTHN_H

#include "vault/factors.h"

/* The site as the configuration has it. */
struct webauthn_site {
    struct slice rp_id;          /* "mail.example.org" */
    const struct slice *origins; /* "https://mail.example.org", compared octet by octet */
    size_t origin_count;
    bool needs_verified; /* the user must have been verified (PIN, finger), not only be present */
    bool needs_bound;    /* keys that can be copied to other devices (passkeys in a cloud) are refused */
};

enum { WEBAUTHN_CHALLENGE = 32, WEBAUTHN_HANDLE = 32 };
/* What the browser is told, besides the site. */
struct webauthn_asked {
    uint8_t challenge[WEBAUTHN_CHALLENGE];
    uint8_t handle[WEBAUTHN_HANDLE]; /* user.id of the account: no person can be read from it */
};

/* The account's credential ids: to be excluded at registration, to be allowed at sign-in. */
typedef void webauthn_id_fn(void *owner, struct slice credential_id);
fallible webauthn_ids(struct vault *v, const struct account_id *account, webauthn_id_fn *fn, void *owner);

/* `session`: of the caller; a new ceremony of the same session ends the former one. */
fallible webauthn_register_start(
    struct vault *v, const struct account_id *account, uint64_t session, int64_t now_s,
    struct webauthn_asked *ret_asked);

struct webauthn_registration {
    struct slice client_data; /* octets of clientDataJSON */
    struct slice attestation; /* octets of attestationObject */
};
fallible webauthn_register_finish(
    struct vault *v, const struct account_id *account, uint64_t session, const struct webauthn_site *site,
    const struct webauthn_registration *answer, struct slice label, int64_t now_s, uint64_t *ret_factor);

fallible webauthn_check_start(
    struct vault *v, const struct account_id *account, uint64_t session, int64_t now_s,
    struct webauthn_asked *ret_asked);

struct webauthn_assertion {
    struct slice credential_id, client_data, authenticator_data, signature;
    struct slice user_handle; /* empty: the browser gave none */
};
/* With OK: FACTOR_YES, FACTOR_WRONG, FACTOR_ANOTHER or FACTOR_NONE; ERR_DENIED: no challenge waits for this session. The new counter is on disk before the yes. */
fallible webauthn_check_finish(
    struct vault *v, const struct account_id *account, uint64_t session, const struct webauthn_site *site,
    const struct webauthn_assertion *answer, int64_t now_s, struct factor_result *ret_result);

#endif

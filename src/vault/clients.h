/* clients.h - client passwords, tokens and certificates: making, finding, changing, revoking.       room: vault   runs in: vault
 *
 * A client password or token is made here, shown once, and kept as a keyed hash: to find it is one look-up, and the row is of
 * no use under another account or without the key (INV-V1, INV-V2). With a client password SCRAM-SHA-256 verifiers are made
 * (they cannot be derived later), in two spellings, under the salt that all client passwords of the account share; the secret
 * itself is kept, sealed, only for one that was made for CRAM-MD5. A certificate is known by the SHA-256 of its DER. All three
 * are "credentials" with one set of limits (scope/scope.h) and one life:
 *
 *   live --(budget exceeded)--> frozen --(thaw)--> live;   live --(expiry)--> expired;   any --(revoke)--> revoked
 *   live --(rotate)--> the new one lives under the same limits, the old one expires at the end of its grace
 *
 * Every change raises the version, is on disk when the function returns, ends the live sessions of lower versions (events),
 * and is told to the journal; the owner of the account gets a notice (notices.h).
 *
 * Fails: ERR_NOT_FOUND, ERR_SYNTAX, ERR_EXISTS (a certificate that stands there already), ERR_LIMIT (LIMIT_CLIENTS_PER_ACCOUNT
 * live ones), ERR_STATE (a revoked one is not changed), and what db/ fails with. vault_problem has the words.
 */
#ifndef VAULT_CLIENTS_H
#define VAULT_CLIENTS_H

#include "base/limits.h"
#include "crypto/clientpw.h"
#include "vault/decide.h"
#include "vault/tokens.h"
#include "vault/vault.h"

/* The number under which sessions of the mailbox password run; no credential ever has it. */
#define VAULT_MAILBOX_CREDENTIAL ((uint64_t)INT64_MAX)

enum vault_client_kind { CLIENT_PASSWORD = 1, CLIENT_TOKEN = 2, CLIENT_CERTIFICATE = 3 };
/* "password", "token", "certificate"; never NULL. */
const char *vault_client_kind_name(enum vault_client_kind kind);
/* Empty: a password. ERR_SYNTAX. */
fallible vault_client_kind_parse(struct slice name, enum vault_client_kind *ret_kind);
/* For decide(). */
enum credential_kind vault_client_credential(enum vault_client_kind kind);

enum { CLIENT_CERTIFICATE_HASH_LEN = 32, CLIENT_FROZEN_WHY = 32 };

struct vault_client {
    uint64_t id;
    uint32_t version;
    struct account_id account;
    enum vault_client_kind kind;
    char label[LIMIT_CLIENT_LABEL + 1];
    bool is_revoked;
    bool has_cram_md5;
    struct scopes scopes; /* its texts lie in `arena` */
    struct arena arena;
    int64_t frozen_s;                       /* 0: not frozen */
    char frozen_why[CLIENT_FROZEN_WHY + 1]; /* the limit that was exceeded: "messages-hour" */
    uint64_t rotated_to;                    /* the credential that took its place; 0: none */
    int64_t created_s;
    char created_by[LIMIT_ADDRESS + 1];
    int64_t last_used_s; /* 0: never */
    struct ip last_from;
    char last_program[LIMIT_PROGRAM_NAME + 1];
    char last_tls[LIMIT_CLIENT_TLS + 1];
    unsigned told; /* which notices went out (notices.h) */
};
/* Frees what its scopes point to; a zeroed one is fine. A copy of the struct is a move. */
void vault_client_done(struct vault_client *c);
#define CLEANUP_CLIENT __attribute__((cleanup(vault_client_done)))
/* "live", "revoked", "expired", "frozen", "rotate" (too old: a new secret is needed), "canary". */
const char *vault_client_status(const struct vault_client *c, int64_t now_s);
/* Doors as they are written: "imap pop3 smtp api". */
void vault_doors_put(unsigned doors, struct buf *out);
/* Empty: 0. ERR_SYNTAX with words. */
fallible vault_doors_parse(struct vault *v, struct slice text, unsigned *ret_doors);

/* ---- making ---- */

struct vault_client_new {
    struct slice label;
    unsigned doors; /* VAULT_DOOR_BIT...; 0: the mail doors. The API only by its name */
    bool can_receive, can_send;
    int64_t expires_s;   /* 0: never */
    struct slice limits; /* lines "name=value" (scope/scope.h) */
    bool cram_md5;       /* a password: keep what CRAM-MD5 needs */
};
/* ret_pw is the secret: show it, wipe it. */
fallible vault_client_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *new_client,
    struct clientpw *ret_pw, uint64_t *ret_id);
/* The same for a bearer token. */
fallible vault_token_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *new_client,
    struct token *ret_token, uint64_t *ret_id);
/* `hash`: CLIENT_CERTIFICATE_HASH_LEN octets, SHA-256 of the certificate's DER. One certificate stands under one account once;
 * a revoked one can be added again after it was removed. */
fallible vault_certificate_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *new_client,
    struct slice hash, uint64_t *ret_id);

/* ---- finding ---- */

/* By what was typed. ERR_NOT_FOUND: no client password of this account. vault_client_done ends all of these. */
fallible vault_client_find(
    struct vault *v, const struct account_id *account, const struct clientpw *pw,
    struct vault_client *ret_client);
/* By a token alone: ret_client->account says whose it is; whoever knows a name compares. ERR_NOT_FOUND. */
fallible vault_token_find(struct vault *v, const struct token *token, struct vault_client *ret_client);
fallible vault_certificate_find(
    struct vault *v, const struct account_id *account, struct slice hash, struct vault_client *ret_client);
fallible vault_client_get(
    struct vault *v, const struct account_id *account, uint64_t id, struct vault_client *ret_client);
typedef void vault_client_fn(void *owner, const struct vault_client *client);
fallible
vault_client_list(struct vault *v, const struct account_id *account, vault_client_fn *fn, void *owner);
/* Live ones of every kind. */
fallible vault_client_count(struct vault *v, const struct account_id *account, uint32_t *ret_count);

/* ---- changing ---- */

struct vault_client_change {
    struct slice label; /* empty: as it was */
    unsigned doors;     /* 0: the mail doors */
    bool can_receive, can_send;
    int64_t expires_s;
    struct slice limits; /* all of them: in place of the old ones */
};
fallible vault_client_change(
    struct vault *v, const struct account_id *account, uint64_t id, const struct vault_client_change *change);

/* What is shown once. A certificate has no secret to show: it cannot be rotated here (ERR_UNSUPPORTED). */
struct vault_shown {
    char text[64]; /* no NUL behind; wipe it */
    size_t n;
};
/* A new secret under the same limits, as a credential of its own; the old one expires after `grace_s` (0: revoked now). Used
 * budgets go along. */
fallible vault_client_rotate(
    struct vault *v, const struct account_id *account, uint64_t id, uint32_t grace_s,
    struct vault_shown *ret_shown, uint64_t *ret_id);
/* A frozen credential opens again; its budgets begin anew. One that is not frozen: OK. */
fallible vault_client_thaw(struct vault *v, const struct account_id *account, uint64_t id);
/* It opens nothing any more; its live sessions end (events). Revoking twice is fine. */
fallible vault_client_revoke(struct vault *v, const struct account_id *account, uint64_t id);
/* Revokes and forgets it. */
fallible vault_client_remove(struct vault *v, const struct account_id *account, uint64_t id);
fallible vault_clients_remove_all(struct vault *v, const struct account_id *account);

/* ---- use ---- */

/* Noted now, written by vault_flush. `tls`: version and suite, may be empty. */
void vault_client_used(
    struct vault *v, uint64_t id, int64_t now_s, const struct ip *from, struct slice program,
    struct slice tls);
/* It called itself so after its last use. */
void vault_client_program(struct vault *v, const struct vault_client *client, struct slice program);
/* After decide() said REASON_CANARY: the journal, a notice to the owner and to the domain's administrator (at most one a day
 * and canary), and OK when this was news. The caller writes the alert into the log. ERR_EXISTS: told lately. */
fallible vault_canary_used(
    struct vault *v, const struct vault_client *c, enum vault_door door, const struct ip *from,
    struct slice program, int64_t now_s);
/* After a channel was made anew: may sessions of this credential at this version go on? Also for
 * VAULT_MAILBOX_CREDENTIAL. ERR_DENIED. */
fallible vault_client_is_live(
    struct vault *v, const struct account_id *account, uint64_t id, uint32_t version, int64_t now_s);

/* ---- SCRAM (RFC 5802, RFC 7677) and CRAM-MD5 (RFC 2195) ---- */

enum { SCRAM_KEY_LEN = 32, SCRAM_SALT_LEN = 16 };
struct scram_keys {
    uint8_t stored_key[SCRAM_KEY_LEN], server_key[SCRAM_KEY_LEN];
};
/* Of any secret; pure. */
struct scram_keys scram_make(struct slice secret, struct slice salt, uint32_t rounds);
/* Salt and iteration count of a name, known or not: unknown names get an invented salt that stays the same. */
fallible
vault_scram_salt(struct vault *v, struct slice name, uint8_t ret_salt[SCRAM_SALT_LEN], uint32_t *ret_rounds);

/* True: this is the one, look no further. */
typedef bool vault_scram_try_fn(void *owner, uint64_t credential, const struct scram_keys *keys);
typedef bool vault_cram_try_fn(void *owner, uint64_t credential, struct slice secret);
/* Every verifier of the account's client passwords that are not revoked, at most LIMIT_CLIENTS_PER_ACCOUNT passwords, those that
 * have not expired first. *ret_id: which one `fn` took, 0: none. The caller reads it with vault_client_get and asks decide(). */
fallible vault_scram_try(
    struct vault *v, const struct account_id *account, int64_t now_s, vault_scram_try_fn *fn, void *owner,
    uint64_t *ret_id);
/* The same for those revoked within LIMIT_REVOKED_TRIED, the last LIMIT_REVOKED_TRIES of them: so that a program that goes on
 * with a revoked password is told from a guesser. */
fallible vault_scram_try_revoked(
    struct vault *v, const struct account_id *account, int64_t now_s, vault_scram_try_fn *fn, void *owner,
    uint64_t *ret_id);
/* The same for secrets kept for CRAM-MD5, each in both spellings. */
fallible vault_cram_try(
    struct vault *v, const struct account_id *account, int64_t now_s, vault_cram_try_fn *fn, void *owner,
    uint64_t *ret_id);

#endif

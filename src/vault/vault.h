/* vault.h - the vault as a whole: two containers, their keys, what everybody here shares.       room: vault   runs in: vault
 *
 * accounts.db holds domains, accounts, addresses, mailbox passwords and second factors; clients.db holds client passwords
 * and what was decided about sign-ins. Each has a key of its own. Every secret value is sealed (crypto/aead.h) under its
 * container's key and bound to its table, row and column; what must be found is kept as a keyed hash.
 *
 * INV-V1  A file without its key is of no use to a thief: no column of it can be checked against a guess.
 * INV-V2  A value copied to another row, column or container does not open.
 * INV-V4  A change that was answered OK is on disk (DB_SYNC_COMMIT). Exception: when and from where a credential was last
 *         used, what its budgets have used, and the decisions for `why`, are written within LIMIT_VAULT_FLUSH.
 * INV-V5  A missing or wrong key, or a missing container, is refused: no new empty vault is ever made in its place (T-255).
 * INV-V6  On a full disk a credential can still be revoked (db.h: DB_SYNC_COMMIT sets room aside).
 *
 * Owns: both databases and the derived keys. Fails: as each function says; ERR_IO, ERR_DISK_FULL, ERR_CORRUPT, ERR_BUSY
 * from db/. After a failure vault_problem says it in words for the administrator. Logs nothing; tells through the events.
 */
#ifndef VAULT_VAULT_H
#define VAULT_VAULT_H

#include "base/buf.h"
#include "base/ids.h"
#include "crypto/passhash.h"
#include "crypto/secret.h"
#include "vault/decide.h"

struct vault;

/* Called within the function that changed something, after the commit. */
struct vault_events {
    /* A record for the journal; body is "key=value" lines. */
    void (*audit)(
        void *owner, struct slice kind, struct slice actor, struct slice subject, struct slice body);
    /* Live sessions of this credential below this version must end; credential 0: all of the account's. */
    void (*revoked)(void *owner, const struct account_id *account, uint64_t credential, uint32_t version);
    /* The account is gone: its mail is to be deleted. */
    void (*account_removed)(void *owner, const struct account_id *account);
};

/* What the configuration may change at any time. */
struct vault_settings {
    char plus_separator;                               /* 0: none */
    uint64_t quota_default;                            /* octets, of accounts without a quota of their own */
    bool notices;                                      /* owners are told by mail; baits always are */
    uint64_t why_retention_s;                          /* how long decisions are remembered */
    uint64_t address_rest_s;                           /* how long an address that was given up is nobody's */
    struct passhash_cost cost;                         /* of new mailbox passwords */
    enum mailbox_policy mailbox_password[VAULT_DOORS]; /* the presets of these policies (policy.h) */
};
extern const struct vault_settings vault_settings_default;

struct vault_options {
    int dirfd;          /* the vault's folder; stays the caller's, open as long as the vault */
    const int *key_fds; /* by container: files that the service manager brought; NULL: keys/ in the folder */
    struct secret_slab *slab;
    struct vault_settings settings;
    const struct vault_events *events;
    void *owner;
};

/* A new vault in an empty folder. ERR_EXISTS: the folder is not empty. `problem` (may be NULL) gets the words. */
fallible vault_create(const struct vault_options *options, struct buf *problem);
/* ERR_NOT_FOUND: there is no vault here, or a part is missing; ERR_DENIED: a key file that others may read, or cannot be
 * read; ERR_CORRUPT: a key does not fit, or a file is damaged; ERR_BUSY: another process has it open. */
fallible vault_open(const struct vault_options *options, struct vault **ret_vault, struct buf *problem);
/* True when the folder holds nothing of a vault at all: a first start. */
bool vault_is_absent(int dirfd);
/* Writes what is pending. *vault becomes NULL whatever happens. */
fallible vault_close(struct vault **vault);
void vault_set(struct vault *v, const struct vault_settings *settings);
const struct vault_settings *vault_settings_of(const struct vault *v);
struct secret_slab *vault_slab(struct vault *v);

/* Who is acting, for the journal: "uid 0" of the control socket, an address later. Kept until the next call. */
void vault_set_actor(struct vault *v, struct slice actor);
/* Words for the last failure of a function of this room, in English; empty when it has none. */
struct slice vault_problem(const struct vault *v);
void vault_forget_problem(struct vault *v);

/* Writes last uses and decisions that are pending: every LIMIT_VAULT_FLUSH, and before closing. */
fallible vault_flush(struct vault *v);

/* The files a backup needs besides the keys; copied while in use (db_copy). */
enum vault_container { VAULT_ACCOUNTS, VAULT_CLIENTS, VAULT_CONTAINERS };
struct db;
const char *vault_container_file(enum vault_container c); /* "accounts.db" */
const char *vault_container_name(enum vault_container c); /* "accounts" */
struct db *vault_container_db(struct vault *v, enum vault_container c);

#endif

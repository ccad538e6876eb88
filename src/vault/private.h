/* private.h - what the files of this room share: the inside of a vault.                room: vault   runs in: vault */
#ifndef VAULT_PRIVATE_H
#define VAULT_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "crypto/hash.h"
#include "db/db.h"
#include "mail/address.h"
#include "vault/schema.h"
#include "vault/vault.h"

enum { VAULT_MAGIC = 0x7a017001 };

struct vault {
    uint32_t magic;
    struct secret_slab *slab;
    struct vault_settings settings;
    const struct vault_events *events;
    void *owner;
    int dirfd;             /* the caller's */
    bool has_foreign_keys; /* the service manager brought them */
    struct db *db[VAULT_CONTAINERS];
    struct secret seal[VAULT_CONTAINERS]; /* keys of sealed columns */
    struct secret lookup;                 /* of client passwords' hashes (clients) */
    struct secret names;                  /* of names in decisions (clients) */
    struct secret recipient_names;        /* of the recipients that an account knows (clients) */
    struct secret salts;                  /* of invented salts (accounts) */
    struct secret factors; /* of what finds a recovery code, a security key, a device (accounts) */
    struct buf problem, actor;
    struct map uses;       /* of struct pending_use by id, to be written */
    struct map known;      /* of struct pending_known by account and network, to be written */
    struct map budgets;    /* of struct budget by credential: read, or to be written */
    struct map recipients; /* of struct pending_recipient, to be written */
    bool budgets_dirty;
    struct list decisions; /* of struct pending_decision, oldest first */
    size_t decision_count;
    struct list ceremonies; /* of struct open_ceremony (webauthn.c), oldest first */
    size_t ceremony_count;
    struct breach *breach; /* breached passwords; NULL: no filter */
};

static inline struct db *accounts_db(struct vault *v)
{
    return v->db[VAULT_ACCOUNTS];
}
static inline struct db *clients_db(struct vault *v)
{
    return v->db[VAULT_CLIENTS];
}

/* Keeps the words and gives back the error: return vault_refuse(v, ERR_EXISTS, "... %s", ...). */
enum err vault_refuse(struct vault *v, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));
/* For an error of a lower room without words of its own. */
enum err vault_failed(struct vault *v, enum err e) __attribute__((warn_unused_result));

/* Where a sealed value belongs: "table NUL row NUL column". Every sealed column stands in rotate.c's table. */
struct vault_place {
    enum vault_container container;
    const char *table, *column;
    struct slice row;
};
void vault_seal(struct vault *v, const struct vault_place *place, struct slice plain, struct buf *out);
fallible
vault_unseal(struct vault *v, const struct vault_place *place, struct slice sealed, struct secret *ret_plain);

void vault_audit(struct vault *v, const char *kind, struct slice subject, const struct buf *body);

/* "alice@example.org" to its key. ERR_SYNTAX with words. */
fallible
vault_name(struct vault *v, struct slice typed, struct address *ret_address, struct address_key *ret_key);
/* May this become the name of an account or an alias (T-257)? ERR_SYNTAX, ERR_EXISTS with words. */
fallible vault_name_claim(struct vault *v, const struct address_key *key);
/* What it looks like, with its domain (mail/name_rule.h). */
void vault_name_skeleton(const struct address_key *key, struct buf *out);
/* After its row was inserted: what it looks like is kept. */
fallible vault_name_keep(struct vault *v, const struct address_key *key);
/* resting.c: may those whom it will lead to have this address (none: a new account), or does it, or one that looks like it, rest?
 * ERR_GONE with words. */
struct vault_target;
fallible vault_resting_check(
    struct vault *v, const struct address_key *key, const struct vault_target *to, size_t count);
/* Of an address that is there still, before its row goes. owners: who may have it back, by vault_resting_put_owners. */
fallible vault_resting_put(struct vault *v, struct slice key, struct slice owners);
/* Initialises `out`. */
void vault_resting_put_owners(struct buf *out, const struct vault_target *targets, size_t count);
/* It was given to somebody. */
fallible vault_resting_forget(struct vault *v, const struct address_key *key);
/* aliases.c: within a transaction: what led to an address that has gone (NULL: none) goes, too, and every alias that leads
 * nowhere then. Each of them begins to rest. */
fallible vault_aliases_forget(struct vault *v, const struct address_key *gone, struct slice owners);
/* Text that people gave (names, labels): UTF-8 without control characters, at most `most` octets. */
bool vault_text_is_good(struct slice text, size_t most);
/* ERR_NOT_FOUND: not one of ours. */
fallible vault_domain_row(struct vault *v, struct slice name, int64_t *ret_row);

/* Copies into a field with a NUL behind; what is too long is a bug here, because it was checked when stored. */
void vault_copy_text(char *out, size_t room, struct slice text);

/* why.c, clients.c, known.c: what is pending is written, or freed without being written. */
void vault_forget_uses(struct vault *v);
void vault_forget_pending(struct vault *v);
fallible vault_flush_uses(struct vault *v);
fallible vault_flush_known(struct vault *v);
void vault_forget_known(struct vault *v);
fallible vault_flush_decisions(struct vault *v);

/* budget.c: the same for what was spent; after the commit it is written. */
bool vault_has_spent(const struct vault *v);
fallible vault_flush_spent(struct vault *v);
void vault_spent_written(struct vault *v);
void vault_forget_spent(struct vault *v);

/* webauthn.c: security keys being asked; nothing of them is kept. */
void vault_forget_ceremonies(struct vault *v);

#endif

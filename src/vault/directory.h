/* directory.h - accounts that come from an LDAP server: made, renamed, moved, locked.       room: vault   runs in: vault
 *
 * INV-D3  An account belongs to an id that the directory never gives away, not to an address; nothing is deleted because of
 *         what the directory says.
 *
 * The server says who is there; who that is, is said by an id that it never gives to anybody else. An account is bound to
 * that id: an address that was given to another person is another account's or a conflict, never the old account under a
 * new master (T-226, T-261). Nothing is ever deleted because of what the server says: who is missing is locked, and
 * unlocked when they are back. An address that changes stays behind as an alias, so that no mail is lost and nobody else
 * gets it. What an administrator made by hand (an account of the same address, a lock, a group where the server names
 * none) is left alone.
 *
 * A run (begin, one person after the other, finish) is one list of the server, complete. Every person is one transaction,
 * so that a run that is cut off has done what it has done, and the next one goes on.
 *
 * Fails: what db/ fails with. Limits: LIMIT_DIRECTORY_ENTRIES.
 */
#ifndef VAULT_DIRECTORY_H
#define VAULT_DIRECTORY_H

#include "base/map.h"
#include "vault/accounts.h"

struct vault_directory_person {
    struct slice id, address, others, name, group; /* others: further addresses between blanks */
    uint64_t quota_bytes;                          /* 0: the default */
};

/* What was done, or with dry_run what would be: made renamed moved group quota locked unlocked conflict skipped. */
typedef void vault_directory_fn(void *owner, const char *action, struct slice address, struct slice detail);

struct vault_directory_run {
    struct vault *v;
    bool dry_run;
    struct slice domains[LIMIT_DIRECTORY_DOMAINS]; /* whose people count; kept by the caller during the run */
    size_t domain_count;                           /* 0: all of ours */
    vault_directory_fn *tell;
    void *owner;
    struct map seen; /* ids in this run */
    struct arena arena;
    size_t people, changes;
};
void vault_directory_begin(struct vault_directory_run *run);
fallible vault_directory_take(struct vault_directory_run *run, const struct vault_directory_person *person);
/* Locks who was not in the list. More than half of all, and more than LIMIT_DIRECTORY_LOCKS: that is rather a mistake in a
 * setting than the truth, and without `force` nobody is locked: ERR_DENIED. */
fallible vault_directory_finish(struct vault_directory_run *run, bool force);
/* May follow each of the above. */
void vault_directory_end(struct vault_directory_run *run);

/* The id of the person whose account this is; ERR_NOT_FOUND: the account does not come from there. */
fallible
vault_directory_id(struct vault *v, const struct account_id *account, char ret_id[LIMIT_DIRECTORY_ID + 1]);

/* Before a mailbox password is set here: ERR_UNSUPPORTED with words for people when it is the directory's. */
fallible vault_directory_refuse(struct vault *v, const struct account_id *account);

/* What stands in for the stored mailbox password of such an account (vault_account_password): whom to ask about. */
fallible vault_directory_stored(struct vault *v, const struct account_id *account, struct secret *ret_text);
/* False: it is a password's hash. The slices point into `stored`. */
bool vault_directory_read_stored(struct slice stored, struct slice *ret_id, struct slice *ret_address);

#endif

/* policy.h - what holds for whom: one table of policies, set for everybody, a domain or a group.       room: vault   runs in: vault
 *
 * The table is policy.def. A value can be set for everybody, for a domain, and for a group of accounts. The most specific one
 * holds, whole and alone: group over domain over everybody over the preset. Nothing is mixed and no "stricter of two" is
 * looked for, so that an administrator can read what holds from one line, and can make an exception in either direction. An
 * account is in one group or in none (vault_account_set_group).
 *
 * INV-P1  A stored value that this release does not understand (of a later one, or damaged) means the strictest one: of a
 *         choice its first word; of a count and a duration the preset.
 * INV-P2  What narrows a mail door of the mailbox password (never < with-totp < allowed), by whatever way, ends the live
 *         sessions that the mailbox password opened of the accounts it is about, before the change is answered.
 * INV-P3  Every change is told to the journal (policy.changed, account.group) with the old and the new value.
 *
 * Fails: ERR_NOT_FOUND (no such key, domain, account), ERR_SYNTAX (value, subject, group), ERR_LIMIT (LIMIT_POLICY_ROWS), and
 * what db/ fails with; vault_problem has the words.
 */
#ifndef VAULT_POLICY_H
#define VAULT_POLICY_H

#include "base/buf.h"
#include "vault/accounts.h"

enum policy_key {
#define POLICY(id, ...) POLICY_##id,
#include "vault/policy.def"
#undef POLICY
    POLICY_N
};

enum policy_type {
    POLICY_COUNT,    /* a number */
    POLICY_DURATION, /* seconds; written "90 d", "24 h" (a bare number is days); 0 is written "never" */
    POLICY_LIFE,     /* a duration that cannot be "never" */
    POLICY_CHOICE,   /* index into the row's words */
};
struct policy_row {
    const char *name; /* "password_least" */
    enum policy_type type;
    const char *preset;  /* as it would be written */
    int64_t least, most; /* of counts and durations (other than "never") */
    const char *choices; /* separated by blanks, from the strictest to the widest */
    const char *help[2]; /* English, Chinese */
};
const struct policy_row *policy_row(enum policy_key key);
/* ERR_NOT_FOUND. */
fallible policy_key_find(struct slice name, enum policy_key *ret_key);
/* Reads a value as people write it. ERR_SYNTAX: not of the row's type or range. */
fallible policy_value_read(enum policy_key key, struct slice text, int64_t *ret_value);
/* Writes it in its canonical form. */
void policy_value_put(enum policy_key key, int64_t value, struct buf *out);

/* Indexes into the words of the choices. */
enum policy_strength { POLICY_GREEN, POLICY_YELLOW, POLICY_RED };
enum policy_factor { POLICY_FACTOR_KEY, POLICY_FACTOR_TOTP, POLICY_FACTOR_ANY, POLICY_FACTOR_NONE };
/* mailbox_password_*: enum mailbox_policy (decide.h). */

/* ---- what holds ---- */

enum policy_source { POLICY_OF_PRESET, POLICY_OF_EVERYBODY, POLICY_OF_DOMAIN, POLICY_OF_GROUP };
/* "preset", "everybody", "domain", "group". */
const char *policy_source_name(enum policy_source source);

/* One value for an account. `account` NULL: nobody's; then `name`, as typed, says the domain whose policy is asked, so that an
 * unknown name is treated like the accounts beside it. ret_source may be NULL. Fails only with what db/ fails with: then
 * *ret_value is untouched, and the caller must not guess. */
fallible vault_policy_value(
    struct vault *v, const struct vault_account *account, struct slice name, enum policy_key key,
    int64_t *ret_value, enum policy_source *ret_source);
/* May the mailbox password open this door? A door without such a key (the API): never. */
fallible vault_policy_mailbox(
    struct vault *v, const struct vault_account *account, struct slice name, enum vault_door door,
    enum mailbox_policy *ret_policy);
/* The widest that anybody here may do at this door: where it is never, no sign-in at all computes Argon2. */
fallible vault_policy_mailbox_widest(struct vault *v, enum vault_door door, enum mailbox_policy *ret_policy);

/* ---- setting ---- */

/* subject: empty (everybody), "domain example.org", "group staff". value: as people write it; empty: as inherited. OK also when
 * nothing changes. */
fallible vault_policy_set(struct vault *v, struct slice subject, struct slice key, struct slice value);

struct policy_item {
    enum policy_key key;
    struct slice value;  /* canonical */
    struct slice source; /* "preset", "everybody", "domain example.org", "group staff" */
};
typedef void vault_policy_fn(void *owner, const struct policy_item *item);
/* All keys in the order of the table, as they hold for this subject: as above, or an account's address. */
fallible vault_policy_show(struct vault *v, struct slice subject, vault_policy_fn *fn, void *owner);

/* The presets of the mailbox_password_* keys change: a reload of letterlock.conf. Before vault_set. */
fallible vault_policy_set_presets(struct vault *v, const enum mailbox_policy presets[VAULT_DOORS]);

/* group: empty for none, else a name of at most LIMIT_GROUP octets without blanks; letters count without case. A group exists
 * as soon as somebody is in it or a policy is set for it. OK also when nothing changes. */
fallible vault_account_set_group(struct vault *v, struct slice address, struct slice group);

#endif

#include "vault/schema.h"

#include <assert.h>

/* Tables of version 2 that both containers have. */
#define COMMON_2                                                                                                                                                                                         \
    /* Keys that must outlive the container's key, because what they hashed cannot be hashed again: sealed. */                                                                                           \
    "CREATE TABLE derived_key(name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;" /* Mails to owners, written with the change that they tell of, gone when a keeper has stored them. */ \
    "CREATE TABLE notice(id INTEGER PRIMARY KEY AUTOINCREMENT, account BLOB NOT NULL, delivery BLOB NOT "                                                                                                \
    "NULL, kind TEXT NOT NULL, facts TEXT NOT NULL, created_s INTEGER NOT NULL) STRICT;"                                                                                                                 \
    "CREATE INDEX notice_account ON notice(account);" /* Rows of `letterlock batch` that were done, with the sealed result, so that nothing is done twice. */                                            \
    "CREATE TABLE operation(id BLOB PRIMARY KEY CHECK(length(id) = 16), result BLOB NOT NULL, done_s "                                                                                                   \
    "INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

static const char *const accounts_migrations[] = {
    /* 1 */
    /* A known text sealed under the container's key: opening it tells a wrong key before anything else is read. */
    "CREATE TABLE container(id INTEGER PRIMARY KEY CHECK(id = 1), mark BLOB NOT NULL, created_s INTEGER NOT "
    "NULL) STRICT;"
    /* name in A-labels. administrator: the account that gets postmaster's and abuse's mail; NULL: the oldest account. */
    "CREATE TABLE domain(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, administrator BLOB,"
    " created_s INTEGER NOT NULL) STRICT;"
    /* id: 16 random octets, for ever. version grows when sessions of the mailbox password must end. quota_bytes 0: the
     * default. password: sealed Argon2id text, NULL when none was set. */
    "CREATE TABLE account(number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE CHECK(length(id) "
    "= 16),"
    " domain INTEGER NOT NULL REFERENCES domain(id), address TEXT NOT NULL, name TEXT NOT NULL, language "
    "TEXT NOT NULL,"
    " quota_bytes INTEGER NOT NULL, status INTEGER NOT NULL, version INTEGER NOT NULL, password BLOB, "
    "password_s INTEGER,"
    " created_s INTEGER NOT NULL) STRICT;"
    "CREATE INDEX account_domain ON account(domain);"
    /* Removed accounts: a keeper that was away deletes their mail when it is back. */
    "CREATE TABLE removed(account BLOB PRIMARY KEY, removed_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* Every address we know, by its key (mail/address.h): an account's own, or an alias (account NULL). */
    "CREATE TABLE address(key TEXT PRIMARY KEY, shown TEXT NOT NULL, domain INTEGER NOT NULL REFERENCES "
    "domain(id),"
    " account BLOB, created_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX address_account ON address(account);"
    "CREATE INDEX address_domain ON address(domain);"
    "CREATE TABLE alias_target(alias TEXT NOT NULL REFERENCES address(key), key TEXT NOT NULL, shown TEXT "
    "NOT NULL,"
    " PRIMARY KEY(alias, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX alias_target_key ON alias_target(key);"
    /* Second factors of the mailbox password. kind 1: TOTP, 2: security key, 3: recovery code. secret is sealed. counter:
     * the last TOTP step or signature counter used, so that nothing can be replayed. */
    "CREATE TABLE factor(id INTEGER PRIMARY KEY AUTOINCREMENT, account BLOB NOT NULL, kind INTEGER NOT NULL,"
    " label TEXT NOT NULL, secret BLOB NOT NULL, counter INTEGER NOT NULL, created_s INTEGER NOT NULL,"
    " last_used_s INTEGER) STRICT;"
    "CREATE INDEX factor_account ON factor(account);",
    /* 2 */
    /* status 0: a TOTP secret of which no code was typed yet, 1: live, 2: a security key whose counter went back. drift: TOTP,
     * in steps, learnt. used: TOTP, the last accepted steps, eight octets each, little-endian, oldest first. lookup: keyed hash
     * of a recovery code or of a security key's credential id; a recovery code has an empty secret. */
    "ALTER TABLE factor ADD COLUMN status INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE factor ADD COLUMN drift INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE factor ADD COLUMN used BLOB;"
    "ALTER TABLE factor ADD COLUMN lookup BLOB;"
    "CREATE UNIQUE INDEX factor_lookup ON factor(lookup) WHERE lookup IS NOT NULL;"
    /* Wrong codes by account and kind of factor. wrong: in a row. tries: unix times of the last tries, as used above. */
    "CREATE TABLE factor_tries(account BLOB NOT NULL, kind INTEGER NOT NULL, wrong INTEGER NOT NULL,"
    " last_s INTEGER NOT NULL, tries BLOB NOT NULL, PRIMARY KEY(account, kind)) STRICT, WITHOUT ROWID;"
    /* Browsers that need no second factor for a while. lookup: keyed hash over account and token. */
    "CREATE TABLE device(id INTEGER PRIMARY KEY AUTOINCREMENT, account BLOB NOT NULL, lookup BLOB NOT NULL "
    "UNIQUE,"
    " label TEXT NOT NULL, created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL, last_used_s INTEGER) "
    "STRICT;"
    "CREATE INDEX device_account ON device(account);"
    /* policy_group: '' when in none. must_change: the mailbox password opens nothing but its own change. warned_s: when its
     * owner was told that it expires. */
    "ALTER TABLE account ADD COLUMN policy_group TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE account ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE account ADD COLUMN warned_s INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX account_group ON account(policy_group);"
    /* subject: '' (everybody), 'domain NAME', 'group NAME'. Keys and values as vault/policy.def writes them. */
    "CREATE TABLE policy(subject TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(subject, key)) STRICT, WITHOUT ROWID;"
    /* Former mailbox passwords: sealed Argon2id texts. */
    "CREATE TABLE password_old(id INTEGER PRIMARY KEY AUTOINCREMENT, account BLOB NOT NULL, password BLOB "
    "NOT "
    "NULL,"
    " replaced_s INTEGER NOT NULL) STRICT;"
    "CREATE INDEX password_old_account ON password_old(account);"
    /* A single-use code with which the owner sets a new mailbox password. lookup: keyed hash over account and code. */
    "CREATE TABLE reset(account BLOB PRIMARY KEY, lookup BLOB NOT NULL, created_s INTEGER NOT NULL, "
    "expires_s "
    "INTEGER NOT NULL,"
    " created_by TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    /* People who are signed in to the portal. lookup: keyed hash of the token. proof_s: the last proof by a second factor (by
     * the password, of an account that has none). version: of the account when it began. client: 16 octets. */
    "CREATE TABLE session(id INTEGER PRIMARY KEY AUTOINCREMENT, account BLOB NOT NULL, lookup BLOB NOT NULL "
    "UNIQUE,"
    " version INTEGER NOT NULL, created_s INTEGER NOT NULL, used_s INTEGER NOT NULL, proof_s INTEGER NOT "
    "NULL,"
    " client BLOB NOT NULL, program TEXT NOT NULL) STRICT;"
    "CREATE INDEX session_account ON session(account);"
    "CREATE TRIGGER account_left AFTER DELETE ON account BEGIN"
    " DELETE FROM password_old WHERE account = old.id; DELETE FROM reset WHERE account = old.id;"
    " DELETE FROM session WHERE account = old.id; END;"
    /* Accounts that come from an LDAP server. id: what names the person there for ever. policy_group: the last one that it
     * said. locked 1: because it did not know the person any more; what an administrator locks is not unlocked by it. */
    "CREATE TABLE directory_person(account BLOB PRIMARY KEY, id TEXT NOT NULL UNIQUE, policy_group TEXT NOT "
    "NULL, locked INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* What a name looks like (mail/name_rule.h), with its domain: no two alike are given away. */
    "ALTER TABLE address ADD COLUMN skeleton TEXT; UPDATE address SET skeleton = key;"
    "CREATE INDEX address_skeleton ON address(skeleton);" COMMON_2,
    /* 3 */
    /* Addresses that somebody had until left_s, as in address. owners: accounts that an alias led to, by their 16 octets, who
     * may have it back. */
    "CREATE TABLE resting(key TEXT PRIMARY KEY, shown TEXT NOT NULL, skeleton TEXT NOT NULL, owners BLOB NOT "
    "NULL, left_s INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX resting_skeleton ON resting(skeleton);",
};

static const char *const clients_migrations[] = {
    /* 1 */
    "CREATE TABLE container(id INTEGER PRIMARY KEY CHECK(id = 1), mark BLOB NOT NULL, created_s INTEGER NOT "
    "NULL) STRICT;"
    /* One salt and iteration count for all client passwords of an account: SCRAM tells them before the proof comes. */
    "CREATE TABLE scram(account BLOB PRIMARY KEY, salt BLOB NOT NULL, rounds INTEGER NOT NULL) STRICT, "
    "WITHOUT ROWID;"
    /* kind 1: client password. lookup: keyed hash over account and secret. version grows when it is narrowed or revoked.
     * doors: bits of enum vault_door. status 0: live, 1: revoked. last_from: 16 octets. */
    "CREATE TABLE credential(id INTEGER PRIMARY KEY AUTOINCREMENT, account BLOB NOT NULL, kind INTEGER NOT "
    "NULL,"
    " version INTEGER NOT NULL, label TEXT NOT NULL, lookup BLOB NOT NULL UNIQUE, doors INTEGER NOT NULL,"
    " can_receive INTEGER NOT NULL, can_send INTEGER NOT NULL, expires_s INTEGER NOT NULL, status INTEGER "
    "NOT NULL,"
    " created_s INTEGER NOT NULL, created_by TEXT NOT NULL, revoked_s INTEGER, last_used_s INTEGER, "
    "last_from BLOB,"
    " last_program TEXT) STRICT;"
    "CREATE INDEX credential_account ON credential(account);"
    /* Limits that may stand several times. kind 1: a network it may be used from, as text. A kind that a release does not
     * know makes the credential useless there (INV-V3); folders, senders, recipients, hours, budgets come as kinds. */
    "CREATE TABLE credential_limit(credential INTEGER NOT NULL REFERENCES credential(id), kind INTEGER NOT "
    "NULL,"
    " value TEXT NOT NULL, PRIMARY KEY(credential, kind, value)) STRICT, WITHOUT ROWID;"
    /* SCRAM-SHA-256 (RFC 7677), made when the password is made. spelling 1: as shown, 2: without separators; the client
     * hashes what was typed. Both keys are sealed. */
    "CREATE TABLE credential_verifier(credential INTEGER NOT NULL REFERENCES credential(id), spelling "
    "INTEGER NOT NULL,"
    " stored_key BLOB NOT NULL, server_key BLOB NOT NULL, PRIMARY KEY(credential, spelling)) STRICT, WITHOUT "
    "ROWID;"
    /* What was decided, for `why`. who: keyed hash of the name's key, because people type passwords as names. */
    "CREATE TABLE decision(id INTEGER PRIMARY KEY, time_s INTEGER NOT NULL, who BLOB NOT NULL, account BLOB,"
    " door TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, credential INTEGER NOT NULL, client "
    "BLOB NOT NULL,"
    " program TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX decision_who ON decision(who);"
    "CREATE INDEX decision_account ON decision(account);",
    /* 2 */
    /* Client networks (IPv4, or an IPv6 /64) that an account signed in from lately. */
    "CREATE TABLE known(account BLOB NOT NULL, network BLOB NOT NULL, last_s INTEGER NOT NULL,"
    " PRIMARY KEY(account, network)) STRICT, WITHOUT ROWID;"
    /* credential.kind 1: client password, 2: token, 3: certificate. A token's lookup is over the token alone, because it comes
     * without a name; bound: keyed hash over account and token, so that the row is of no use under another account. frozen_s:
     * when a budget was exceeded, frozen_why: which (scope.h). rotated_to: the credential that took its place; the old one
     * expires. told: which notices of its end went out (notices.c). */
    /* Version 1 gave every credential the door of an API that it did not have: nobody meant that. */
    "UPDATE credential SET doors = doors & 7;"
    "ALTER TABLE credential ADD COLUMN bound BLOB;"
    "ALTER TABLE credential ADD COLUMN frozen_s INTEGER;"
    "ALTER TABLE credential ADD COLUMN frozen_why TEXT;"
    "ALTER TABLE credential ADD COLUMN rotated_to INTEGER;"
    "ALTER TABLE credential ADD COLUMN last_tls TEXT;"
    "ALTER TABLE credential ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
    /* The secret of a client password that was made for CRAM-MD5, sealed: that mechanism needs it. */
    "CREATE TABLE credential_cram(credential INTEGER PRIMARY KEY REFERENCES credential(id), secret BLOB NOT "
    "NULL) STRICT;"
    /* What a credential with a budget has used lately (budget.c writes and reads it). */
    "CREATE TABLE spent(credential INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;"
    /* Whom an account has written to: 16 octets of a keyed hash of the recipient. */
    "CREATE TABLE recipient(account BLOB NOT NULL, who BLOB NOT NULL, last_s INTEGER NOT NULL,"
    " PRIMARY KEY(account, who)) STRICT, WITHOUT ROWID;" COMMON_2,
};

#define ACCOUNT_COLUMNS                                                                                      \
    "account.id, account.address, account.name, account.language, account.quota_bytes, account.status,"      \
    " account.version, account.password IS NOT NULL, account.created_s, account.policy_group,"               \
    " account.password_s, account.must_change"

#define FACTOR_COLUMNS                                                                                       \
    "id, account, kind, label, secret, counter, created_s, last_used_s, status, drift, used"

/* Statements over the tables that both containers have. */
#define COMMON_STATEMENTS(X)                                                                                 \
    [X##_DERIVED_GET] = "SELECT sealed FROM derived_key WHERE name = ?",                                     \
    [X##_DERIVED_CLEAR] = "DELETE FROM derived_key",                                                         \
    [X##_DERIVED_PUT] = "INSERT INTO derived_key(name, sealed) VALUES(?, ?)",                                \
    [X##_NOTICE_ADD] =                                                                                       \
        "INSERT INTO notice(account, delivery, kind, facts, created_s) VALUES(?, ?, ?, ?, ?)",               \
    [X##_NOTICE_COUNT] = "SELECT count(*) FROM notice WHERE account = ?",                                    \
    [X##_NOTICE_AFTER] = "SELECT id, account, delivery, kind, facts, created_s FROM notice WHERE id > ?"     \
                         " ORDER BY id LIMIT 1",                                                             \
    [X##_NOTICE_REMOVE] = "DELETE FROM notice WHERE id = ?",                                                 \
    [X##_NOTICE_REMOVE_OF_ACCOUNT] = "DELETE FROM notice WHERE account = ?",                                 \
    [X##_OPERATION_FIND] = "SELECT result FROM operation WHERE id = ?",                                      \
    [X##_OPERATION_PUT] = "INSERT INTO operation(id, result, done_s) VALUES(?, ?, ?)",                       \
    [X##_OPERATION_TRIM] = "DELETE FROM operation WHERE done_s <= ?"

static const char *const accounts_statements[] = {
    COMMON_STATEMENTS(A),
    [A_MARK_PUT] = "INSERT INTO container(id, mark, created_s) VALUES(1, ?, ?)"
                   " ON CONFLICT(id) DO UPDATE SET mark = excluded.mark",
    [A_MARK] = "SELECT mark FROM container WHERE id = 1",
    [A_DOMAIN_ADD] = "INSERT INTO domain(name, created_s) VALUES(?, ?)",
    [A_DOMAIN_FIND] = "SELECT id FROM domain WHERE name = ?",
    [A_DOMAIN_REMOVE] = "DELETE FROM domain WHERE id = ?",
    [A_DOMAIN_LIST] = "SELECT name, (SELECT count(*) FROM account WHERE domain = domain.id),"
                      " (SELECT count(*) FROM address WHERE domain = domain.id AND account IS NULL)"
                      " FROM domain ORDER BY name",
    [A_DOMAIN_ADMINISTRATOR] =
        "SELECT coalesce(domain.administrator, (SELECT id FROM account WHERE account.domain = domain.id"
        " ORDER BY number LIMIT 1)) FROM domain WHERE domain.id = ?",
    [A_ACCOUNT_ADD] =
        "INSERT INTO account(id, domain, address, name, language, quota_bytes, status, version, created_s)"
        " VALUES(?, ?, ?, ?, ?, ?, 0, 1, ?)",
    [A_ACCOUNT_BY_KEY] = "SELECT " ACCOUNT_COLUMNS
                         " FROM address JOIN account ON account.id = address.account WHERE address.key = ?",
    [A_ACCOUNT_BY_ID] = "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?",
    [A_ACCOUNT_LIST] = "SELECT " ACCOUNT_COLUMNS " FROM account WHERE ?1 = 0 OR domain = ?1 ORDER BY address",
    [A_ACCOUNT_OLDEST] = "SELECT id FROM account ORDER BY number LIMIT 1",
    [A_ACCOUNT_SET_STATUS] = "UPDATE account SET status = ?2, version = version + 1 WHERE id = ?1",
    [A_ACCOUNT_SET_PASSWORD] =
        "UPDATE account SET password = ?2, password_s = ?3, version = version + 1 WHERE id = ?1",
    [A_ACCOUNT_PASSWORD] = "SELECT password FROM account WHERE id = ? AND password IS NOT NULL",
    [A_ACCOUNT_REMOVE] = "DELETE FROM account WHERE id = ?",
    [A_ACCOUNT_SET_GROUP] = "UPDATE account SET policy_group = ?2 WHERE id = ?1",
    [A_ACCOUNT_RAISE] = "UPDATE account SET version = version + 1 WHERE id = ?",
    [A_PASSWORD_CHANGE] = "UPDATE account SET password = ?2, password_s = ?3, must_change = ?4, warned_s = 0,"
                          " version = version + 1 WHERE id = ?1 AND version = ?5",
    [A_PASSWORD_REHASH] = "UPDATE account SET password = ?2 WHERE id = ?1",
    [A_PASSWORD_MUST_CHANGE] = "UPDATE account SET must_change = 1, version = version + 1 WHERE id = ?",
    [A_PASSWORD_WARNED] = "UPDATE account SET warned_s = ?2 WHERE id = ?1",
    [A_PASSWORD_UNWARNED] = "SELECT number, id FROM account WHERE number > ? AND password IS NOT NULL"
                            " AND warned_s = 0 ORDER BY number LIMIT 1",
    [A_FORMER_ADD] = "INSERT INTO password_old(account, password, replaced_s) VALUES(?, ?, ?)",
    [A_FORMER_LIST] = "SELECT password FROM password_old WHERE account = ? ORDER BY id DESC LIMIT ?",
    [A_FORMER_TRIM] = "DELETE FROM password_old WHERE account = ?1 AND id NOT IN (SELECT id FROM password_old"
                      " WHERE account = ?1 ORDER BY id DESC LIMIT ?2)",
    [A_RESET_PUT] =
        "INSERT INTO reset(account, lookup, created_s, expires_s, created_by) VALUES(?, ?, ?, ?, ?)"
        " ON CONFLICT(account) DO UPDATE SET lookup = excluded.lookup, created_s = excluded.created_s,"
        " expires_s = excluded.expires_s, created_by = excluded.created_by",
    [A_RESET_GET] = "SELECT lookup, created_s, expires_s FROM reset WHERE account = ?",
    [A_RESET_USE] = "DELETE FROM reset WHERE account = ? AND lookup = ? AND expires_s > ?",
    [A_RESET_REMOVE] = "DELETE FROM reset WHERE account = ?",
    [A_SESSION_ADD] =
        "INSERT INTO session(account, lookup, version, created_s, used_s, proof_s, client, program)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
    [A_SESSION_FIND] =
        "SELECT id, account, version, created_s, used_s, proof_s FROM session WHERE lookup = ?",
    [A_SESSION_USED] = "UPDATE session SET used_s = ?2 WHERE id = ?1",
    [A_SESSION_PROVED] = "UPDATE session SET proof_s = ?2, used_s = ?2 WHERE id = ?1",
    [A_SESSION_REMOVE] = "DELETE FROM session WHERE id = ?",
    [A_SESSION_REMOVE_OF_ACCOUNT] = "DELETE FROM session WHERE account = ?",
    [A_SESSION_TRIM] =
        "DELETE FROM session WHERE account = ?1 AND (used_s <= ?2 OR created_s <= ?3 OR id <= (SELECT id FROM"
        " session WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?4))",
    [A_POLICY_GET] = "SELECT value FROM policy WHERE subject = ? AND key = ?",
    [A_POLICY_PUT] = "INSERT INTO policy(subject, key, value) VALUES(?, ?, ?)"
                     " ON CONFLICT(subject, key) DO UPDATE SET value = excluded.value",
    [A_POLICY_REMOVE] = "DELETE FROM policy WHERE subject = ? AND key = ?",
    [A_POLICY_REMOVE_SUBJECT] = "DELETE FROM policy WHERE subject = ?",
    [A_POLICY_COUNT] = "SELECT count(*) FROM policy",
    [A_POLICY_VALUES] = "SELECT DISTINCT value FROM policy WHERE key = ?",
    /* What holds for everybody, in a fixed order; NULL: the preset. */
    [A_POLICY_EFFECTIVE] =
        "SELECT id, version, coalesce((SELECT value FROM policy WHERE policy_group <> '' AND key = ?1"
        " AND subject = 'group ' || policy_group),"
        " (SELECT value FROM policy WHERE key = ?1 AND subject = 'domain ' || (SELECT name FROM domain"
        " WHERE domain.id = account.domain)),"
        " (SELECT value FROM policy WHERE key = ?1 AND subject = '')) FROM account ORDER BY number",
    [A_DOMAIN_FORGET_ADMINISTRATOR] = "UPDATE domain SET administrator = NULL WHERE administrator = ?",
    [A_REMOVED_ADD] = "INSERT INTO removed(account, removed_s) VALUES(?, ?)",
    [A_REMOVED_LIST] = "SELECT account FROM removed",
    [A_REMOVED_TRIM] = "DELETE FROM removed WHERE removed_s < ?",
    [A_FACTORS_REMOVE] = "DELETE FROM factor WHERE account = ?",
    [A_FACTOR_ADD] = "INSERT INTO factor(account, kind, label, secret, counter, created_s, status, lookup)"
                     " VALUES(?, ?, ?, x'', ?, ?, ?, ?)",
    [A_FACTOR_SET_SECRET] = "UPDATE factor SET secret = ?2 WHERE id = ?1",
    [A_FACTOR_GET] = "SELECT " FACTOR_COLUMNS " FROM factor WHERE id = ? AND account = ?",
    [A_FACTOR_LIST] = "SELECT " FACTOR_COLUMNS " FROM factor WHERE account = ?1 AND (?2 = 0 OR kind = ?2)"
                      " ORDER BY kind, id",
    [A_FACTOR_FIND] = "SELECT " FACTOR_COLUMNS " FROM factor WHERE lookup = ? AND account = ? AND kind = ?",
    [A_FACTOR_COUNT] = "SELECT count(*) FILTER (WHERE kind = 1 AND status = 1),"
                       " count(*) FILTER (WHERE kind = 2 AND status = 1),"
                       " count(*) FILTER (WHERE kind = 3), count(*) FROM factor WHERE account = ?",
    [A_FACTOR_CONFIRM] = "UPDATE factor SET status = 1 WHERE id = ?",
    [A_FACTOR_SUSPECT] = "UPDATE factor SET status = 2 WHERE id = ?",
    [A_FACTOR_STEPS] = "UPDATE factor SET counter = ?2, drift = ?3, used = ?4 WHERE id = ?1",
    [A_FACTOR_USED] = "UPDATE factor SET counter = ?2, last_used_s = ?3 WHERE id = ?1",
    [A_FACTOR_REMOVE] = "DELETE FROM factor WHERE id = ? AND account = ?",
    [A_FACTOR_REMOVE_KIND] = "DELETE FROM factor WHERE account = ? AND kind = ? AND status = ?",
    [A_TRIES_GET] = "SELECT wrong, last_s, tries FROM factor_tries WHERE account = ? AND kind = ?",
    [A_TRIES_PUT] =
        "INSERT INTO factor_tries(account, kind, wrong, last_s, tries) VALUES(?, ?, ?, ?, ?)"
        " ON CONFLICT(account, kind) DO UPDATE SET wrong = excluded.wrong, last_s = excluded.last_s,"
        " tries = excluded.tries",
    [A_TRIES_REMOVE] = "DELETE FROM factor_tries WHERE account = ?",
    [A_DEVICE_ADD] = "INSERT INTO device(account, lookup, label, created_s, expires_s) VALUES(?, ?, ?, ?, ?)",
    [A_DEVICE_FIND] = "SELECT id, created_s, expires_s FROM device WHERE lookup = ? AND account = ?",
    [A_DEVICE_LIST] = "SELECT id, label, created_s, expires_s, last_used_s FROM device WHERE account = ?"
                      " ORDER BY id",
    [A_DEVICE_USED] = "UPDATE device SET last_used_s = ?2 WHERE id = ?1",
    [A_DEVICE_REMOVE] = "DELETE FROM device WHERE id = ? AND account = ?",
    [A_DEVICE_REMOVE_ALL] = "DELETE FROM device WHERE account = ?",
    [A_DEVICE_TRIM] =
        "DELETE FROM device WHERE account = ?1 AND (expires_s <= ?2 OR id <= (SELECT id FROM device"
        " WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?3))",
    [A_ADDRESS_ADD] = "INSERT INTO address(key, shown, domain, account, created_s) VALUES(?, ?, ?, ?, ?)",
    [A_SKELETON_FIND] = "SELECT 1 FROM address WHERE skeleton = ? AND key <> ?",
    [A_SKELETON_SET] = "UPDATE address SET skeleton = ?2 WHERE key = ?1",
    [A_ADDRESS_FIND] = "SELECT account FROM address WHERE key = ?",
    [A_ADDRESS_REMOVE] = "DELETE FROM address WHERE key = ?",
    [A_ADDRESS_REMOVE_OF_ACCOUNT] = "DELETE FROM address WHERE account = ?",
    [A_ALIAS_LIST] = "SELECT address.shown, alias_target.shown FROM alias_target JOIN address"
                     " ON address.key = alias_target.alias WHERE ?1 = 0 OR address.domain = ?1"
                     " ORDER BY address.shown, alias_target.shown",
    [A_TARGET_ADD] = "INSERT INTO alias_target(alias, key, shown) VALUES(?, ?, ?)",
    [A_TARGET_LIST] = "SELECT shown FROM alias_target WHERE alias = ? ORDER BY key",
    [A_TARGET_REMOVE] = "DELETE FROM alias_target WHERE alias = ? AND key = ?",
    [A_TARGET_REMOVE_ALL] = "DELETE FROM alias_target WHERE alias = ?",
    /* ?1, and ?2, which it begins with before its tag, at the domain ?3 */
    [A_TARGET_REMOVE_LEADING_TO] =
        "DELETE FROM alias_target WHERE key = ?1 OR (?2 <> '' AND substr(key, 1, length(?2)) = ?2"
        " AND substr(key, -length(?3)) = ?3 AND NOT EXISTS (SELECT 1 FROM address WHERE address.key ="
        " alias_target.key))",
    [A_ALIAS_EMPTY] = "SELECT key FROM address WHERE account IS NULL AND NOT EXISTS"
                      " (SELECT 1 FROM alias_target WHERE alias = address.key) LIMIT 1",
    [A_RESTING_PUT] = "INSERT OR REPLACE INTO resting(key, shown, skeleton, owners, left_s)"
                      " SELECT key, shown, coalesce(skeleton, key), ?2, ?3 FROM address WHERE key = ?1",
    [A_RESTING_FIND] =
        "SELECT shown, owners, left_s FROM resting WHERE (key = ?1 OR skeleton = ?2) AND left_s > ?3"
        " ORDER BY key <> ?1",
    [A_RESTING_LIST] = "SELECT key, shown, left_s FROM resting WHERE left_s > ? ORDER BY left_s, key",
    [A_RESTING_REMOVE] = "DELETE FROM resting WHERE key = ?",
    [A_RESTING_TRIM] = "DELETE FROM resting WHERE left_s <= ?",
    [A_DIRECTORY_GET] = "SELECT id, policy_group, locked FROM directory_person WHERE account = ?",
    [A_DIRECTORY_FIND] = "SELECT account, policy_group, locked FROM directory_person WHERE id = ?",
    [A_DIRECTORY_ADD] = "INSERT INTO directory_person(account, id, policy_group, locked) VALUES(?, ?, '', 0)",
    [A_DIRECTORY_SET] = "UPDATE directory_person SET policy_group = ?2, locked = ?3 WHERE account = ?1",
    [A_DIRECTORY_REMOVE] = "DELETE FROM directory_person WHERE account = ?",
    [A_DIRECTORY_LIST] = "SELECT account, id FROM directory_person ORDER BY id",
    [A_DIRECTORY_NAME] = "UPDATE account SET name = ?2, quota_bytes = CASE WHEN ?3 = 0 THEN quota_bytes"
                         " ELSE ?3 END WHERE id = ?1",
    [A_DIRECTORY_MOVE] = "UPDATE account SET address = ?2, domain = ?3, version = version + 1 WHERE id = ?1",
    [A_ADDRESS_MAKE_ALIAS] = "UPDATE address SET account = NULL WHERE key = ?",
};
static_assert(sizeof accounts_statements / sizeof *accounts_statements == A_SQL_N, "a statement without SQL");

#define CREDENTIAL_COLUMNS                                                                                   \
    "id, account, version, label, doors, can_receive, can_send, expires_s, status, created_s, last_used_s,"  \
    " last_from, last_program, kind, created_by, frozen_s, frozen_why, rotated_to, last_tls, told, bound,"   \
    " EXISTS(SELECT 1 FROM credential_cram WHERE credential = credential.id)"
#define OF_ACCOUNT "(SELECT id FROM credential WHERE account = ?)"

static const char *const clients_statements[] = {
    COMMON_STATEMENTS(C),
    [C_MARK_PUT] = "INSERT INTO container(id, mark, created_s) VALUES(1, ?, ?)"
                   " ON CONFLICT(id) DO UPDATE SET mark = excluded.mark",
    [C_MARK] = "SELECT mark FROM container WHERE id = 1",
    [C_SCRAM_ADD] = "INSERT INTO scram(account, salt, rounds) VALUES(?, ?, ?)",
    [C_SCRAM] = "SELECT salt, rounds FROM scram WHERE account = ?",
    [C_CREDENTIAL_ADD] =
        "INSERT INTO credential(account, kind, version, label, lookup, bound, doors, can_receive, can_send,"
        " expires_s, status, created_s, created_by) VALUES(?, ?, 1, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
    [C_CREDENTIAL_FIND] =
        "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE lookup = ?1 AND account = ?2 AND kind = ?3",
    [C_CREDENTIAL_FIND_TOKEN] = "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE lookup = ? AND kind = 2",
    [C_CREDENTIAL_CHANGE] =
        "UPDATE credential SET label = ?3, doors = ?4, can_receive = ?5, can_send = ?6, expires_s = ?7,"
        " told = 0, version = version + 1 WHERE id = ?1 AND account = ?2",
    [C_CREDENTIAL_REPLACE] =
        "UPDATE credential SET rotated_to = ?2, expires_s = ?3, version = version + 1 WHERE id = ?1",
    [C_CREDENTIAL_FREEZE] =
        "UPDATE credential SET frozen_s = ?2, frozen_why = ?3, version = version + 1 WHERE id = ?1",
    [C_CREDENTIAL_THAW] =
        "UPDATE credential SET frozen_s = NULL, frozen_why = NULL, version = version + 1 WHERE id = ?1",
    [C_CREDENTIAL_TOLD] = "UPDATE credential SET told = ?2 WHERE id = ?1",
    /* Behind ?1, those that may have an end between ?2 and ?3: by expiry, or by rotation age (limit 9 of scope.h). */
    [C_CREDENTIAL_ENDING_AFTER] =
        "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE id > ?1 AND status = 0 AND"
        " ((expires_s > ?2 AND expires_s <= ?3) OR EXISTS(SELECT 1 FROM credential_limit"
        " WHERE credential = credential.id AND kind = 9)) ORDER BY id LIMIT 1",
    [C_CREDENTIAL_GET] = "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE id = ? AND account = ?",
    [C_CREDENTIAL_LIST] = "SELECT " CREDENTIAL_COLUMNS " FROM credential WHERE account = ? ORDER BY id",
    [C_CREDENTIAL_COUNT] = "SELECT count(*) FROM credential WHERE account = ?1 AND status = 0 AND (expires_s "
                           "= 0 OR expires_s > ?2)",
    [C_CREDENTIAL_REVOKE] = "UPDATE credential SET status = 1, version = version + 1, revoked_s = ?3"
                            " WHERE id = ?1 AND account = ?2 AND status = 0",
    [C_CREDENTIAL_REMOVE] = "DELETE FROM credential WHERE id = ? AND account = ?",
    [C_CREDENTIAL_USED] = "UPDATE credential SET last_used_s = ?2, last_from = ?3, last_program = ?4, "
                          "last_tls = ?5 WHERE id = ?1",
    [C_CREDENTIAL_REMOVE_OF_ACCOUNT] = "DELETE FROM credential WHERE account = ?",
    [C_LIMIT_ADD] = "INSERT INTO credential_limit(credential, kind, value) VALUES(?, ?, ?)",
    [C_LIMIT_LIST] = "SELECT kind, value FROM credential_limit WHERE credential = ? ORDER BY kind, value",
    [C_LIMIT_REMOVE] = "DELETE FROM credential_limit WHERE credential = ?",
    [C_VERIFIER_ADD] =
        "INSERT INTO credential_verifier(credential, spelling, stored_key, server_key) VALUES(?, ?, ?, ?)",
    /* Those that may open something first; which were used lately before the rest. CROSS keeps the planner from looking at
     * every verifier for each credential. */
    [C_VERIFIER_CANDIDATES] =
        "SELECT one.id, spelling, stored_key, server_key FROM (SELECT id FROM credential WHERE account = ?1"
        " AND status = 0 AND kind = 1 ORDER BY expires_s <> 0 AND expires_s <= ?2, last_used_s DESC, id DESC"
        " LIMIT ?3) AS one CROSS JOIN credential_verifier ON credential_verifier.credential = one.id",
    /* Those revoked last. */
    [C_VERIFIER_REVOKED] =
        "SELECT one.id, spelling, stored_key, server_key FROM (SELECT id FROM credential WHERE account = ?1"
        " AND status = 1 AND kind = 1 AND revoked_s > ?2 ORDER BY revoked_s DESC, id DESC LIMIT ?3) AS one"
        " CROSS JOIN credential_verifier ON credential_verifier.credential = one.id",
    [C_CRAM_ADD] = "INSERT INTO credential_cram(credential, secret) VALUES(?, ?)",
    [C_CRAM_CANDIDATES] =
        "SELECT id, secret FROM credential JOIN credential_cram ON credential_cram.credential = id"
        " WHERE account = ?1 AND status = 0 ORDER BY expires_s <> 0 AND expires_s <= ?2, last_used_s DESC,"
        " id DESC LIMIT ?3",
    [C_CRAM_REMOVE] = "DELETE FROM credential_cram WHERE credential = ?",
    [C_CRAM_REMOVE_OF_ACCOUNT] = "DELETE FROM credential_cram WHERE credential IN " OF_ACCOUNT,
    [C_SPENT_GET] = "SELECT state FROM spent WHERE credential = ?",
    [C_SPENT_PUT] = "INSERT INTO spent(credential, state) VALUES(?, ?)"
                    " ON CONFLICT(credential) DO UPDATE SET state = excluded.state",
    [C_SPENT_REMOVE] = "DELETE FROM spent WHERE credential = ?",
    [C_SPENT_REMOVE_OF_ACCOUNT] = "DELETE FROM spent WHERE credential IN " OF_ACCOUNT,
    [C_RECIPIENT_FIND] = "SELECT last_s FROM recipient WHERE account = ? AND who = ?",
    [C_RECIPIENT_PUT] = "INSERT INTO recipient(account, who, last_s) VALUES(?, ?, ?)"
                        " ON CONFLICT(account, who) DO UPDATE SET last_s = excluded.last_s",
    [C_RECIPIENT_TRIM] =
        "DELETE FROM recipient WHERE account = ?1 AND (last_s <= ?2 OR last_s < (SELECT last_s FROM recipient"
        " WHERE account = ?1 ORDER BY last_s DESC LIMIT 1 OFFSET ?3))",
    [C_RECIPIENT_REMOVE_OF_ACCOUNT] = "DELETE FROM recipient WHERE account = ?",
    [C_VERIFIER_REMOVE] = "DELETE FROM credential_verifier WHERE credential = ?",
    [C_SCRAM_REMOVE] = "DELETE FROM scram WHERE account = ?",
    [C_LIMIT_REMOVE_OF_ACCOUNT] = "DELETE FROM credential_limit WHERE credential IN " OF_ACCOUNT,
    [C_VERIFIER_REMOVE_OF_ACCOUNT] = "DELETE FROM credential_verifier WHERE credential IN " OF_ACCOUNT,
    [C_DECISION_ADD] =
        "INSERT INTO decision(time_s, who, account, door, outcome, reason, credential, client, program,"
        " detail) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    /* ?2 NULL: a name that is no account's. An account that is there since ?4 learns nothing of whoever had its name before. */
    [C_DECISION_LIST] =
        "SELECT time_s, door, outcome, reason, credential, client, program, detail FROM decision"
        " WHERE account = ?2 OR (who = ?1 AND (?2 IS NULL OR (account IS NULL AND time_s >= ?4)))"
        " ORDER BY id DESC LIMIT ?3",
    [C_DECISION_TRIM_AGE] = "DELETE FROM decision WHERE time_s < ?",
    [C_DECISION_TRIM_COUNT] = "DELETE FROM decision WHERE id <= (SELECT max(id) FROM decision) - ?",
    [C_DECISION_REMOVE_OF_ACCOUNT] = "DELETE FROM decision WHERE account = ?",
    [C_KNOWN_FIND] = "SELECT last_s FROM known WHERE account = ? AND network = ?",
    [C_KNOWN_PUT] = "INSERT INTO known(account, network, last_s) VALUES(?, ?, ?)"
                    " ON CONFLICT(account, network) DO UPDATE SET last_s = excluded.last_s",
    [C_KNOWN_TRIM] =
        "DELETE FROM known WHERE account = ?1 AND (last_s <= ?2 OR last_s < (SELECT last_s FROM known"
        " WHERE account = ?1 ORDER BY last_s DESC LIMIT 1 OFFSET ?3 - 1))",
    [C_KNOWN_REMOVE_OF_ACCOUNT] = "DELETE FROM known WHERE account = ?",
};
static_assert(sizeof clients_statements / sizeof *clients_statements == C_SQL_N, "a statement without SQL");

const struct db_schema vault_accounts_schema = {
    .kind = 0x4c4c5641, /* "LLVA" */
    .migrations = accounts_migrations,
    .versions = sizeof accounts_migrations / sizeof *accounts_migrations,
    .statements = accounts_statements,
    .statement_count = A_SQL_N,
};
const struct db_schema vault_clients_schema = {
    .kind = 0x4c4c5643, /* "LLVC" */
    .migrations = clients_migrations,
    .versions = sizeof clients_migrations / sizeof *clients_migrations,
    .statements = clients_statements,
    .statement_count = C_SQL_N,
};

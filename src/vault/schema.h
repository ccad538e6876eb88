/* schema.h - the tables of both containers and the statements over them.               room: vault   runs in: vault
 *
 * The SQL itself stands in schema.c, which is the documentation of the format. Ids: accounts and domains by 16 random
 * octets and a row number; credentials by a number that is never used again.
 */
#ifndef VAULT_SCHEMA_H
#define VAULT_SCHEMA_H

#include "db/db.h"

extern const struct db_schema vault_accounts_schema, vault_clients_schema;

/* Stored values of enum-like columns; they never change their meaning. */
enum { STORED_ACTIVE = 0, STORED_LOCKED = 1 }; /* account.status */
enum { STORED_LIVE = 0, STORED_REVOKED = 1 };  /* credential.status */
/* credential.kind */
enum { STORED_CLIENT_PASSWORD = 1, STORED_TOKEN = 2, STORED_CERTIFICATE = 3 };
enum { STORED_TOTP = 1, STORED_KEY = 2, STORED_RECOVERY = 3 };      /* factor.kind */
enum { STORED_PENDING = 0, STORED_IN_USE = 1, STORED_SUSPECT = 2 }; /* factor.status */
enum { STORED_AS_SHOWN = 1, STORED_WITHOUT_SEPARATORS = 2 };        /* credential_verifier.spelling */

/* Of the tables that both containers have. */
#define COMMON_SQL(X)                                                                                        \
    X##_DERIVED_GET, X##_DERIVED_PUT, X##_NOTICE_ADD, X##_NOTICE_COUNT, X##_NOTICE_AFTER, X##_NOTICE_REMOVE, \
        X##_NOTICE_REMOVE_OF_ACCOUNT, X##_OPERATION_FIND, X##_OPERATION_PUT, X##_OPERATION_TRIM

/* SQL(NAME, "text") in the order of schema.c. */
enum accounts_sql {
    COMMON_SQL(A),
    A_MARK_PUT,
    A_MARK,
    A_DOMAIN_ADD,
    A_DOMAIN_FIND,
    A_DOMAIN_REMOVE,
    A_DOMAIN_LIST,
    A_DOMAIN_ADMINISTRATOR,
    A_ACCOUNT_ADD,
    A_ACCOUNT_BY_KEY,
    A_ACCOUNT_BY_ID,
    A_ACCOUNT_LIST,
    A_ACCOUNT_OLDEST,
    A_ACCOUNT_SET_STATUS,
    A_ACCOUNT_SET_PASSWORD,
    A_ACCOUNT_PASSWORD,
    A_ACCOUNT_REMOVE,
    A_ACCOUNT_SET_GROUP,
    A_ACCOUNT_RAISE,
    A_POLICY_GET,
    A_POLICY_PUT,
    A_POLICY_REMOVE,
    A_POLICY_REMOVE_SUBJECT,
    A_POLICY_COUNT,
    A_POLICY_VALUES,
    A_POLICY_EFFECTIVE,
    A_DOMAIN_FORGET_ADMINISTRATOR,
    A_REMOVED_ADD,
    A_REMOVED_LIST,
    A_REMOVED_TRIM,
    A_FACTORS_REMOVE,
    A_FACTOR_ADD,
    A_FACTOR_SET_SECRET,
    A_FACTOR_GET,
    A_FACTOR_LIST,
    A_FACTOR_FIND,
    A_FACTOR_COUNT,
    A_FACTOR_CONFIRM,
    A_FACTOR_SUSPECT,
    A_FACTOR_STEPS,
    A_FACTOR_USED,
    A_FACTOR_REMOVE,
    A_FACTOR_REMOVE_KIND,
    A_TRIES_GET,
    A_TRIES_PUT,
    A_TRIES_REMOVE,
    A_DEVICE_ADD,
    A_DEVICE_FIND,
    A_DEVICE_LIST,
    A_DEVICE_USED,
    A_DEVICE_REMOVE,
    A_DEVICE_REMOVE_ALL,
    A_DEVICE_TRIM,
    A_ADDRESS_ADD,
    A_ADDRESS_FIND,
    A_ADDRESS_REMOVE,
    A_ADDRESS_REMOVE_OF_ACCOUNT,
    A_ALIAS_LIST,
    A_TARGET_ADD,
    A_TARGET_LIST,
    A_TARGET_REMOVE,
    A_TARGET_REMOVE_ALL,
    A_TARGET_REMOVE_LEADING_TO,
    A_ALIAS_REMOVE_EMPTY,
    A_DIRECTORY_GET,
    A_DIRECTORY_FIND,
    A_DIRECTORY_ADD,
    A_DIRECTORY_SET,
    A_DIRECTORY_LIST,
    A_DIRECTORY_NAME,
    A_DIRECTORY_MOVE,
    A_ADDRESS_MAKE_ALIAS,
    A_SQL_N
};
enum clients_sql {
    COMMON_SQL(C),
    C_MARK_PUT,
    C_MARK,
    C_SCRAM_ADD,
    C_SCRAM,
    C_CREDENTIAL_ADD,
    C_CREDENTIAL_FIND,
    C_CREDENTIAL_FIND_TOKEN,
    C_CREDENTIAL_CHANGE,
    C_CREDENTIAL_REPLACE,
    C_CREDENTIAL_FREEZE,
    C_CREDENTIAL_THAW,
    C_CREDENTIAL_TOLD,
    C_CREDENTIAL_LIVE_AFTER,
    C_CREDENTIAL_GET,
    C_CREDENTIAL_LIST,
    C_CREDENTIAL_COUNT,
    C_CREDENTIAL_REVOKE,
    C_CREDENTIAL_REMOVE,
    C_CREDENTIAL_USED,
    C_CREDENTIAL_REMOVE_OF_ACCOUNT,
    C_LIMIT_ADD,
    C_LIMIT_LIST,
    C_LIMIT_REMOVE,
    C_VERIFIER_ADD,
    C_VERIFIER_LIST,
    C_VERIFIER_CANDIDATES,
    C_VERIFIER_REVOKED,
    C_CRAM_ADD,
    C_CRAM_CANDIDATES,
    C_CRAM_REMOVE,
    C_CRAM_REMOVE_OF_ACCOUNT,
    C_SPENT_GET,
    C_SPENT_PUT,
    C_SPENT_REMOVE,
    C_SPENT_REMOVE_OF_ACCOUNT,
    C_RECIPIENT_FIND,
    C_RECIPIENT_PUT,
    C_RECIPIENT_TRIM,
    C_RECIPIENT_REMOVE_OF_ACCOUNT,
    C_VERIFIER_REMOVE,
    C_SCRAM_REMOVE,
    C_LIMIT_REMOVE_OF_ACCOUNT,
    C_VERIFIER_REMOVE_OF_ACCOUNT,
    C_DECISION_ADD,
    C_DECISION_LIST,
    C_DECISION_TRIM_AGE,
    C_DECISION_TRIM_COUNT,
    C_DECISION_REMOVE_OF_ACCOUNT,
    C_KNOWN_FIND,
    C_KNOWN_PUT,
    C_KNOWN_TRIM,
    C_KNOWN_REMOVE_OF_ACCOUNT,
    C_SQL_N
};

#endif

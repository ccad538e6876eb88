/* schema.c - the tables of mail.db and all SQL of the store.
 *
 * One account a file. What changes often is small and apart from what never changes: a message row has about 70 octets, its
 * octets and structure hang on a body that copies share. Ids given to others (mailbox, uid, body) are never used again.
 *
 *   account       one row: identity, ceilings, what the next mailbox gets; modseq: a floor, kept when mailboxes go
 *   mailbox       counters as of the last commit (INV-15 to INV-17)
 *   message       by (mailbox, uid); message_modseq finds what changed (INV-23)
 *   expunged      ranges of uids that went, by modseq; mailbox.floor: what is forgotten
 *   body          one for each different stored message: id = (mailbox << 32 | uid) of its first row; format, data: see
 *                 body_format.h; structure: mail/structure.h's row
 *   body_data     octets of bodies up to inline_max; ids may come again, nobody but body.data knows them
 *   file          files of large/ that bodies name
 *   grave         mailboxes that were deleted and whose messages are still to be removed, some at a time
 *   delivery      ids seen; octets: not NULL while unconfirmed
 *   unconfirmed   the same by hash of the octets
 *
 * Migrations are only ever added. A search index (FTS5) comes as tables of its own keyed by body.id.
 */
#include "store/private.h"

static const char *const migrations[] = {
    "CREATE TABLE account("
    " one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL, modseq INTEGER NOT NULL, next_mailbox "
    "INTEGER NOT NULL,"
    " next_uidvalidity INTEGER NOT NULL, bytes_max INTEGER NOT NULL, messages_max INTEGER NOT NULL);"
    "CREATE TABLE mailbox("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, uidvalidity INTEGER NOT NULL, object_id INTEGER NOT "
    "NULL,"
    " use INTEGER NOT NULL, uidnext INTEGER NOT NULL, modseq INTEGER NOT NULL, messages INTEGER NOT NULL,"
    " unseen INTEGER NOT NULL, deleted INTEGER NOT NULL, bytes INTEGER NOT NULL, recent INTEGER NOT NULL,"
    " floor INTEGER NOT NULL);"
    "CREATE TABLE keyword("
    " mailbox INTEGER NOT NULL, bit INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (mailbox, bit)) "
    "WITHOUT ROWID;"
    "CREATE TABLE subscription(name TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;"
    "CREATE TABLE message("
    " mailbox INTEGER NOT NULL, uid INTEGER NOT NULL, modseq INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " keywords INTEGER NOT NULL, internal_date INTEGER NOT NULL, sent_date INTEGER NOT NULL, size INTEGER "
    "NOT NULL,"
    " body INTEGER NOT NULL, email_id INTEGER NOT NULL, thread_id INTEGER NOT NULL,"
    " PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;"
    "CREATE INDEX message_modseq ON message(mailbox, modseq);"
    "CREATE TABLE expunged("
    " mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY (mailbox, modseq, first)) WITHOUT ROWID;"
    "CREATE TABLE body("
    " id INTEGER PRIMARY KEY, refs INTEGER NOT NULL, size INTEGER NOT NULL, format INTEGER NOT NULL, hash "
    "INTEGER NOT NULL,"
    " data INTEGER NOT NULL, structure BLOB NOT NULL);"
    "CREATE TABLE body_data(id INTEGER PRIMARY KEY, octets BLOB NOT NULL);"
    "CREATE TABLE file(name INTEGER PRIMARY KEY, body INTEGER NOT NULL);"
    "CREATE TABLE grave(mailbox INTEGER PRIMARY KEY);"
    "CREATE TABLE delivery(id BLOB NOT NULL PRIMARY KEY, at INTEGER NOT NULL, octets BLOB) WITHOUT ROWID;"
    "CREATE TABLE unconfirmed("
    " octets BLOB NOT NULL PRIMARY KEY, delivery BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;",
};

#define MESSAGE_COLUMNS                                                                                      \
    "m.uid, m.modseq, m.flags, m.keywords, m.internal_date, m.sent_date, m.size, m.body, m.email_id, "       \
    "m.thread_id"

static const char *const statements[STORE_STATEMENTS] = {
    [SQL_ACCOUNT_LOAD] =
        "SELECT modseq, next_mailbox, next_uidvalidity, bytes_max, messages_max, id FROM account",
    [SQL_ACCOUNT_SAVE] =
        "INSERT OR REPLACE INTO account(one, modseq, next_mailbox, next_uidvalidity, bytes_max,"
        " messages_max, id) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_BOX_LOAD] = "SELECT id, name, uidvalidity, object_id, use, uidnext, modseq, messages, unseen, "
                     "deleted, bytes, recent,"
                     " floor FROM mailbox",
    [SQL_BOX_ADD] = "INSERT INTO mailbox(id, name, uidvalidity, object_id, use, uidnext, modseq, messages, "
                    "unseen, deleted,"
                    " bytes, recent, floor) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, 0, 0, 0, 0, 1, 0)",
    [SQL_BOX_SAVE] =
        "UPDATE mailbox SET uidnext = ?2, modseq = ?3, messages = ?4, unseen = ?5, deleted = ?6, bytes = ?7,"
        " recent = ?8, floor = ?9 WHERE id = ?1",
    [SQL_BOX_RENAME] = "UPDATE mailbox SET name = ?2 WHERE id = ?1",
    [SQL_BOX_DROP] = "DELETE FROM mailbox WHERE id = ?1",
    [SQL_KEYWORD_LOAD] = "SELECT mailbox, bit, name FROM keyword",
    [SQL_KEYWORD_ADD] = "INSERT INTO keyword(mailbox, bit, name) VALUES (?1, ?2, ?3)",
    [SQL_KEYWORD_COPY] =
        "INSERT INTO keyword(mailbox, bit, name) SELECT ?2, bit, name FROM keyword WHERE mailbox = ?1",
    [SQL_KEYWORD_DROP_ALL] = "DELETE FROM keyword WHERE mailbox = ?1",
    [SQL_SUBSCRIPTION_LOAD] = "SELECT name FROM subscription ORDER BY name",
    [SQL_SUBSCRIPTION_FIND] = "SELECT 1 FROM subscription WHERE name = ?1",
    [SQL_SUBSCRIPTION_ADD] = "INSERT OR IGNORE INTO subscription(name) VALUES (?1)",
    [SQL_SUBSCRIPTION_DROP] = "DELETE FROM subscription WHERE name = ?1",
    [SQL_MESSAGE_ADD] =
        "INSERT INTO message(mailbox, uid, modseq, flags, keywords, internal_date, sent_date, size, body,"
        " email_id, thread_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [SQL_MESSAGE_ROWS] =
        "SELECT " MESSAGE_COLUMNS " FROM message m WHERE m.mailbox = ?1 AND m.uid BETWEEN ?2 AND ?3"
        " ORDER BY m.uid",
    [SQL_MESSAGE_ROWS_STRUCTURE] =
        "SELECT " MESSAGE_COLUMNS ", b.structure FROM message m CROSS JOIN body b ON b.id = m.body"
        " WHERE m.mailbox = ?1 AND m.uid BETWEEN ?2 AND ?3 ORDER BY m.uid",
    [SQL_MESSAGE_FLAGS] =
        "UPDATE message SET modseq = ?3, flags = ?4, keywords = ?5 WHERE mailbox = ?1 AND uid = ?2",
    [SQL_MESSAGE_DROP] = "DELETE FROM message WHERE mailbox = ?1 AND uid = ?2",
    [SQL_MESSAGE_SOME] = "SELECT uid, body FROM message WHERE mailbox = ?1 ORDER BY uid LIMIT ?2",
    [SQL_MESSAGE_MOVE_ALL] = "UPDATE message SET mailbox = ?2, modseq = ?3 WHERE mailbox = ?1",
    [SQL_MESSAGE_SINCE] =
        "SELECT " MESSAGE_COLUMNS " FROM message m INDEXED BY message_modseq"
        " WHERE m.mailbox = ?1 AND m.modseq > ?2 AND m.uid BETWEEN ?3 AND ?4 ORDER BY m.uid",
    [SQL_EXPUNGED_ADD] = "INSERT INTO expunged(mailbox, modseq, first, last) VALUES (?1, ?2, ?3, ?4)",
    [SQL_EXPUNGED_SINCE] =
        "SELECT first, last, modseq FROM expunged WHERE mailbox = ?1 AND modseq > ?2 AND first <= ?4"
        " AND last >= ?3 ORDER BY modseq, first",
    [SQL_EXPUNGED_COUNT] = "SELECT count(*) FROM expunged WHERE mailbox = ?1",
    [SQL_EXPUNGED_OLD] = "SELECT modseq FROM expunged WHERE mailbox = ?1 ORDER BY modseq LIMIT 1 OFFSET ?2",
    [SQL_EXPUNGED_FORGET] = "DELETE FROM expunged WHERE mailbox = ?1 AND modseq <= ?2",
    [SQL_EXPUNGED_DROP_ALL] = "DELETE FROM expunged WHERE mailbox = ?1",
    [SQL_BODY_ADD] =
        "INSERT INTO body(id, refs, size, format, hash, data, structure) VALUES (?1, 1, ?2, ?3, ?4, ?5, ?6)",
    [SQL_BODY_GET] = "SELECT refs, size, format, hash, data FROM body WHERE id = ?1",
    [SQL_BODY_REF] = "UPDATE body SET refs = refs + ?2 WHERE id = ?1",
    [SQL_BODY_DROP] = "DELETE FROM body WHERE id = ?1",
    [SQL_DATA_ADD] = "INSERT INTO body_data(octets) VALUES (?1)",
    [SQL_DATA_GET] = "SELECT octets FROM body_data WHERE id = ?1",
    [SQL_DATA_DROP] = "DELETE FROM body_data WHERE id = ?1",
    [SQL_FILE_ADD] = "INSERT INTO file(name, body) VALUES (?1, ?2)",
    [SQL_FILE_FIND] = "SELECT body FROM file WHERE name = ?1",
    [SQL_FILE_DROP] = "DELETE FROM file WHERE name = ?1",
    [SQL_FILE_LIST] = "SELECT name FROM file WHERE name > ?1 ORDER BY name LIMIT 1",
    [SQL_GRAVE_ADD] = "INSERT INTO grave(mailbox) VALUES (?1)",
    [SQL_GRAVE_FIRST] = "SELECT mailbox FROM grave ORDER BY mailbox LIMIT 1",
    [SQL_GRAVE_DROP] = "DELETE FROM grave WHERE mailbox = ?1",
    [SQL_DELIVERY_FIND] = "SELECT octets FROM delivery WHERE id = ?1",
    [SQL_DELIVERY_ADD] = "INSERT INTO delivery(id, at, octets) VALUES (?1, ?2, ?3)",
    [SQL_DELIVERY_CONFIRM] = "UPDATE delivery SET octets = NULL WHERE id = ?1",
    [SQL_DELIVERY_FORGET] = "DELETE FROM delivery WHERE at < ?1",
    [SQL_UNCONFIRMED_FIND] = "SELECT delivery FROM unconfirmed WHERE octets = ?1",
    [SQL_UNCONFIRMED_ADD] = "INSERT OR REPLACE INTO unconfirmed(octets, delivery, at) VALUES (?1, ?2, ?3)",
    [SQL_UNCONFIRMED_DROP] = "DELETE FROM unconfirmed WHERE octets = ?1",
    [SQL_UNCONFIRMED_FORGET] = "DELETE FROM unconfirmed WHERE at < ?1",
};

const struct db_schema store_schema = {
    .kind = 0x4c4c4d31, /* "LLM1" */
    .migrations = migrations,
    .versions = sizeof migrations / sizeof *migrations,
    .statements = statements,
    .statement_count = STORE_STATEMENTS,
};

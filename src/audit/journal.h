/* journal.h - the audit journal's format.                                      room: audit   runs in: scribe
 *
 * One record is one line of JSON, so that people and other programs can read it:
 *
 *   {"n":17,"time":"2026-11-22T13:04:05.678Z","kind":"client.revoked","process":"vault","actor":"root","subject":
 *   "alice@example.test","fields":{"credential":"3"},"prev":"<64 hex>","hash":"<64 hex>"}
 *
 * INV-A1  `hash` is BLAKE2b-256 over the hash before it and the line's octets up to `,"hash"`; `prev` repeats the hash
 * before. Changing, dropping, adding or moving a line breaks the chain at that line.
 * INV-A2  `n` grows by one. The first record of a segment continues the chain of the segment before it: a segment that
 * is missing is noticed.
 *
 * The chain of a new journal begins with 32 zero octets and n 1. Segments are daily files named by audit_segment_name.
 * A line cut short by a power failure is no record: audit_whole_lines says where the good part ends; the rest is set
 * aside by the scribe, never deleted. Text is repaired to UTF-8 and cut at the record's limit; unknown kinds are fine.
 *
 * Limits: LIMIT_AUDIT_LINE. Never logs.
 */
#ifndef AUDIT_JOURNAL_H
#define AUDIT_JOURNAL_H

#include "base/buf.h"
#include "crypto/hash.h"

struct audit_chain {
    struct hash last;
    uint64_t next; /* number of the next record */
};
#define AUDIT_CHAIN_START ((struct audit_chain){.next = 1})

struct audit_record {
    int64_t time_ms; /* unix time */
    struct slice kind, process, actor, subject;
    struct slice body; /* "key=value" lines; what has no '=' is kept under the key "text" */
};

/* Appends the line with its LF and moves the chain on. ERR_LIMIT: the record is too long, or out is full; the chain
 * stays where it was and out is as long as before. */
fallible audit_encode(struct audit_chain *chain, const struct audit_record *record, struct buf *out);
/* Checks one line (without its LF) and moves the chain on. ERR_CORRUPT: it does not continue the chain. */
fallible audit_verify(struct audit_chain *chain, struct slice line);
/* All lines of a segment. ret_line (may be NULL) is set to the number of the first bad line, counted from 1. */
fallible audit_verify_all(struct audit_chain *chain, struct slice text, uint64_t *ret_line);
/* Takes up the chain behind this line without checking what came before: how the scribe starts. ERR_CORRUPT: the line
 * is no record, or its own hash is wrong. */
fallible audit_resume(struct slice line, struct audit_chain *ret_chain);
/* Octets of text that are whole lines. */
size_t audit_whole_lines(struct slice text);
/* The last whole line without its LF, empty when there is none. */
struct slice audit_last_line(struct slice text);

enum { AUDIT_NAME_LEN = 18 };
/* "2026-11-22.journal", UTC. */
void audit_segment_name(int64_t time_ms, char out[AUDIT_NAME_LEN + 1]);

#endif

/* body.h - the octets of messages: written once, never changed, read by range.    room: store   runs in: keeper
 *
 * A body starts in memory and, beyond inline_max, goes on into a file of large/, in chunks of BODY_CHUNK octets that are
 * compressed one by one and listed in an index at the end, so that any range is read without holding the whole (T-042:
 * nothing exists for others before message_append commits). Compression (zstd) is kept where it pays; each stored piece
 * says its format and carries an XXH64 of its plain octets, checked at each read. While it is written the octets also pass the MIME parser (mail/), whose
 * structure blob and date are stored with the body.
 *
 * INV-21  A file of large/ is complete and synced before a row names it, and is removed only after the commit that
 *         dropped its last row is synced. Files that no row names are swept when the account opens.
 * INV-22  A body has as many references as message rows; with the last one it goes.
 *
 * Owns:   a writer holds its memory or file until freed; a reader its chunk.
 * Fails:  ERR_DISK_FULL, ERR_LIMIT (LIMIT_MESSAGE), ERR_CORRUPT (checksum, index), ERR_IO. Never logs.
 */
#ifndef STORE_BODY_H
#define STORE_BODY_H

#include "store/message.h"

enum { BODY_CHUNK = 65536 };

struct body_writer;
/* `expected`: octets to come if known, else 0; the reserve of the disk is checked with it. The account must have been
 * entered. */
fallible body_writer_new(struct account *a, uint64_t expected, struct body_writer **ret_writer);
/* Before the first octet: nobody looks into the message; its structure is that of an opaque blob. */
void body_writer_be_opaque(struct body_writer *w);
/* Needs no entering. Sticky: after an error all later calls answer it. */
fallible body_feed(struct body_writer *w, struct slice octets);
/* The next at most `n` octets of a descriptor at `offset` (pread), for messages that arrived in a file. Returns in *ret_n how
 * many were fed; 0 at the end of the file. Feed 64 KiB or so a turn. */
fallible body_feed_fd(struct body_writer *w, int fd, uint64_t offset, size_t n, size_t *ret_n);
uint64_t body_writer_size(const struct body_writer *w);
/* No more octets. OK: ready for message_append now. ERR_AGAIN: a file is being synced, `ready` will be called once. */
fallible body_finish(
    struct body_writer *w, void (*ready)(struct body_writer *w, enum err e, void *owner), void *owner);
/* Drops what was not appended. Sets to NULL; NULL is fine; no callback comes after it. */
void body_writer_free(struct body_writer **w);

struct body_reader;
/* Call with the account entered; afterwards the reader needs no entering and outlives an expunge. */
fallible body_open(struct account *a, struct body_id id, struct body_reader **ret_reader);
uint64_t body_size(const struct body_reader *r);
/* From `offset` on, at least 1 and at most `n` octets (at the end: 0), good until the next call. */
fallible body_read(struct body_reader *r, uint64_t offset, size_t n, struct slice *ret_octets);
void body_close(struct body_reader **r);

#endif

/* drop.h - a maildrop: what a POP3 session sees of INBOX, fixed at sign-in.          room: pop3/session   runs in: keeper
 *
 * The messages of the moment of sign-in, numbered from 1, with their sizes and which were marked by DELE. New mail is not
 * seen (RFC 1939 3); mail that an IMAP session expunges meanwhile keeps its number and its marks, and is missed when it is
 * read. Nothing is deleted before pop3_drop_expunge. Of a credential that sees a window of days or no attachments, the drop
 * holds what was in sight at sign-in, in the sizes that are seen (keeper/sight.h).
 *
 * Owns:   eight octets a message. Limits: LIMIT_MESSAGES_PER_MAILBOX.
 * Fails:  as store/message.h. Call start, load and expunge with the account entered.
 */
#ifndef POP3_SESSION_DROP_H
#define POP3_SESSION_DROP_H

#include "keeper/sight.h"
#include "store/mailbox.h"

struct pop3_entry {
    struct uid uid;
    uint32_t size : 31;
    uint32_t deleted : 1;
};

struct pop3_drop {
    struct sight *sight; /* borrowed */
    struct mailbox_id box;
    uint32_t uidvalidity;
    uint32_t uidnext;   /* nothing from here on is seen */
    uint32_t loaded;    /* uids below were read */
    struct buf entries; /* of struct pop3_entry */
    uint32_t count;     /* not deleted */
    uint64_t bytes;     /* of those */
};

void pop3_drop_init(struct pop3_drop *d, struct sight *sight);
void pop3_drop_done(struct pop3_drop *d);
/* Finds INBOX. ERR_DENIED: it is not in sight. */
fallible pop3_drop_start(struct pop3_drop *d, struct account *a);
/* Reads at most `most` messages more. ERR_AGAIN: there are more. */
fallible pop3_drop_load(struct pop3_drop *d, struct account *a, unsigned most);
/* Highest message number. */
uint32_t pop3_drop_last(const struct pop3_drop *d);
/* NULL for a number that is none, or that is marked deleted. */
struct pop3_entry *pop3_drop_find(struct pop3_drop *d, uint32_t number);
void pop3_drop_delete(struct pop3_drop *d, struct pop3_entry *entry);
/* RSET: no mark is left. */
void pop3_drop_reset(struct pop3_drop *d);
bool pop3_drop_has_deleted(const struct pop3_drop *d);
/* All that is marked, in one transaction (T-176). */
fallible pop3_drop_expunge(struct pop3_drop *d, struct account *a);
/* The unique-id (RFC 1939 7): UIDVALIDITY and UID, which together are never used twice for another message (INV-14, INV-15)
 * and never change. 16 octets. */
void pop3_drop_put_uid(const struct pop3_drop *d, const struct pop3_entry *entry, struct buf *out);

#endif

/* delivery.h - one copy of an arriving message, exactly once.                   room: store   runs in: keeper
 *
 * The coordinating keeper gives every arriving message an id; an account stores at most one copy of it (INV-24), however
 * often it is handed over. While not all recipients are stored, copies are marked unconfirmed with the hash of the octets
 * as received: when the sender, who was told 451, tries again with the same octets, the new delivery finds the mark and is
 * already there. The 250 confirms, and the mark goes: the same octets sent again later are another message.
 *
 * INV-24  At most one message per delivery id and account; none of an unconfirmed copy's octets a second time.
 *
 * Call with the account entered. Fails as message_append does.
 */
#ifndef STORE_DELIVERY_H
#define STORE_DELIVERY_H

#include "crypto/hash.h"
#include "store/message.h"

struct delivery {
    struct delivery_id id;
    struct hash octets; /* BLAKE2b-256 of what the sender sent, without our prefix */
    bool unconfirmed;
};
/* Is it here already? Then *ret_stored, and an unconfirmed copy now belongs to this id; the answer counts once it is
 * synced. Ask before the body is copied. */
fallible delivery_find(struct account *a, const struct delivery *d, bool *ret_stored);
/* Asks again, then appends to `box` (usually INBOX). *ret_uid is 0 when it was here already. */
fallible delivery_store(
    struct account *a, const struct delivery *d, struct mailbox_id box, const struct append *what,
    struct uid *ret_uid);
/* The 250 was decided. OK also when the id is unknown (confirmed before, expired). */
fallible delivery_confirm(struct account *a, const struct delivery_id *id);

#endif

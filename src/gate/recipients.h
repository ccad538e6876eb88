/* recipients.h - where mail to a recipient went, for as long as the vault is away.       room: gate   runs in: gate
 *
 * Who an address leads to is the vault's to say, and while it answers nobody reads here: its words are kept as they pass. When it
 * is away (a key that is missing, T-255; an end and a new start), mail to recipients that were asked about before goes on; to
 * all others the answer is "later". So it is to everybody while a vault is there and silent, which may have changes to tell. The
 * vault says when anything about addresses has changed; then all is forgotten, so what is found here is what the vault would have
 * said when it went away.
 *
 * Owns:   a copy of what is kept. Limits: LIMIT_GATE_RECIPIENTS; the one kept longest ago goes first.
 */
#ifndef GATE_RECIPIENTS_H
#define GATE_RECIPIENTS_H

#include "base/ids.h"
#include "base/list.h"
#include "base/map.h"

struct recipient_target {
    struct account_id account;
    uint8_t slot;
    uint64_t quota_bytes;
    struct slice address; /* the account's primary address */
};

struct recipients {
    struct map by_key;
    struct list oldest; /* first */
    size_t octets;
};

void recipients_init(struct recipients *r);
/* Forgets all; may be used again. */
void recipients_forget(struct recipients *r);
/* `key` is an address key (mail/address.h). In the place of what was kept for it. More targets than a fair share of the room: it
 * is not kept. */
void recipients_keep(
    struct recipients *r, struct slice key, const struct recipient_target *targets, size_t count);
/* There is no such recipient any more. */
void recipients_drop(struct recipients *r, struct slice key);
/* Borrowed until the next call. NULL: not known. */
const struct recipient_target *
recipients_find(const struct recipients *r, struct slice key, size_t *ret_count);

#endif

/* envelope.h - who sends and who gets the message of one SMTP transaction.       room: smtp/front   runs in: gate
 *
 * Targets are accounts, not recipients as typed: one account is in here once, however many recipients led to it (T-034).
 *
 * Owns:   an arena, empty between transactions. Limits: LIMIT_SMTP_ENVELOPE, LIMIT_RECIPIENTS.
 */
#ifndef SMTP_FRONT_ENVELOPE_H
#define SMTP_FRONT_ENVELOPE_H

#include "base/arena.h"
#include "base/ids.h"
#include "base/list.h"
#include "mail/address.h"
#include "smtp/wire/command.h"

struct smtp_target {
    struct list link;
    struct account_id account;
    uint8_t slot;
    uint64_t quota_bytes;
    struct slice address;   /* the account's primary address */
    struct slice recipient; /* as named in RCPT */
};

struct smtp_envelope {
    struct address from;
    bool smtputf8;
    enum smtp_body body;
    uint64_t size;       /* as declared, 0 when not */
    unsigned recipients; /* RCPT commands that were accepted */
    unsigned refused;    /* and those that were not */
    struct list targets; /* of struct smtp_target */
    unsigned target_count;
    struct arena memory;
};

void smtp_envelope_init(struct smtp_envelope *e);
/* Forgets the transaction and gives its memory back. */
void smtp_envelope_reset(struct smtp_envelope *e);
/* Adds a copy, or nothing when the account is here already. ERR_LIMIT. */
fallible smtp_envelope_add(struct smtp_envelope *e, const struct smtp_target *target);

#endif

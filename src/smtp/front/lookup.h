/* lookup.h - what the gate asks others about an envelope: recipients and senders.      room: smtp/front   runs in: gate
 *
 * A recipient goes to the vault, which names accounts, and then to the keeper of each: is there room? An alias of several
 * is taken when at least one of them has room: what an alias leads to is not the sender's business, and refusing for one
 * full box would keep the mail from all. One question at a time.
 *
 * INV-44 While the vault is away, mail from strangers is taken for recipients that it told of before, as it told
 *        (gate/recipients.h); to all else the answer is "later".
 *
 * Owns:   the targets found, until the next question. Limits: LIMIT_ALIAS_TARGETS, LIMIT_SMTP_ENVELOPE.
 */
#ifndef SMTP_FRONT_LOOKUP_H
#define SMTP_FRONT_LOOKUP_H

#include "gate/gate.h"
#include "mail/status.h"
#include "smtp/front/envelope.h"

struct lookup;
struct lookup_events {
    /* STATUS_RECIPIENT_OK with targets, or the refusal. Never from within lookup_recipient. */
    void (*resolved)(struct lookup *l, enum status verdict, const struct smtp_target *targets, size_t count);
    void (*owned)(struct lookup *l, enum status verdict);
};

struct lookup_check;
struct lookup {
    struct gate *gate;
    const struct lookup_events *events;
    void *owner;
    struct channel *asked; /* the vault's, while it is asked */
    uint64_t request;
    struct task late; /* an answer known at once */
    struct slice
        key; /* of the recipient of mail from strangers; empty: what the vault says of it is not kept */
    enum status late_verdict;
    bool late_owned;
    struct arena memory;
    struct list found; /* of struct lookup_check */
    unsigned waiting;  /* keepers that have not answered */
    uint64_t size;     /* declared */
    bool asking_keepers;
};

void lookup_init(struct lookup *l, struct gate *gate, const struct lookup_events *events, void *owner);
/* Forgets what is being asked. */
void lookup_done(struct lookup *l);

struct lookup_who {
    uint64_t session;
    struct ip client;
    enum ipc_service service;
    struct account_id account; /* submission: who sends */
    uint64_t credential;
};
void lookup_recipient(
    struct lookup *l, const struct lookup_who *who, const struct address *recipient, uint64_t size);
void lookup_sender(struct lookup *l, const struct lookup_who *who, const struct address *sender);

#endif

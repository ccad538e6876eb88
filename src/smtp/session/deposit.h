/* deposit.h - one copy of an arriving message into one of our accounts.        room: smtp/session   runs in: keeper
 *
 * Waits for the account, asks whether this delivery is here already, feeds prefix and octets to a body in slices, stores it,
 * and waits until that is on disk; only then `done` is called. Works through the loop; nothing blocks.
 *
 * Owns:   itself until `done` was called; a reference to the octets and the account.
 * Fails:  by the outcome. Never logs.
 */
#ifndef SMTP_SESSION_DEPOSIT_H
#define SMTP_SESSION_DEPOSIT_H

#include "keeper/env.h"
#include "smtp/session/octets.h"
#include "store/delivery.h"

struct deposit;
typedef void deposit_done_fn(void *owner, enum ipc_deliver_outcome outcome);

struct deposit_what {
    struct account_id account;
    struct delivery delivery;
    struct octets *octets; /* sealed; a reference is taken */
    struct slice prefix;   /* copied: Return-Path and Delivered-To */
    int64_t received_ms;
    uint64_t quota_bytes;
};
/* `done` comes later, never from inside. */
struct deposit *
deposit_start(struct keeper_env *env, const struct deposit_what *what, deposit_done_fn *done, void *owner);
/* The asker has gone; what is stored stays. NULL is fine. */
void deposit_cancel(struct deposit **d);

/* The 250 was decided: the mark goes. Nobody waits for it. */
void deposit_confirm(struct keeper_env *env, const struct account_id *account, const struct delivery_id *id);

#endif

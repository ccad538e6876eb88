/* notices.h - what owners must be told by mail: written with the change, sent when a keeper takes it.   room: vault   runs in: vault
 *
 * An outbox in each container: a notice is written in the transaction of the change it tells of, so that neither is ever there
 * without the other. Whoever sends (proc/vault_keeper.c) walks it in order and drops what a keeper has stored; the delivery id
 * makes repeats harmless. Facts are lines "key=value", already cleaned of line breaks; the keeper makes the words in the
 * account's language.
 *
 * Where the administrator turned notices off (vault_settings) only baits are told of.
 *
 * Limits: LIMIT_NOTICES_PER_ACCOUNT wait for one account; further ones are only in the journal. Fails: as db/ does.
 */
#ifndef VAULT_NOTICES_H
#define VAULT_NOTICES_H

#include "base/buf.h"
#include "base/limits.h"
#include "vault/vault.h"

/* NOTICE(NAME, "stable-name"): facts that go with it.
 * client-*: credential, label, kind, doors, by (who did it), when_s; frozen: limit; expiring, rotate-due: due_s; canary: from,
 * program, door, account (whose it is), label; factor-*: what, by, when_s. */
#define NOTICES(NOTICE)                                                                                      \
    NOTICE(CLIENT_ADDED, "client-added")                                                                     \
    NOTICE(CLIENT_CHANGED, "client-changed")                                                                 \
    NOTICE(CLIENT_ROTATED, "client-rotated")                                                                 \
    NOTICE(CLIENT_REVOKED, "client-revoked")                                                                 \
    NOTICE(CLIENT_FROZEN, "client-frozen")                                                                   \
    NOTICE(CLIENT_EXPIRING, "client-expiring")                                                               \
    NOTICE(CLIENT_ROTATE_DUE, "client-rotate-due")                                                           \
    NOTICE(CANARY, "canary")                                                                                 \
    NOTICE(MAILBOX_RESET, "mailbox-reset")                                                                   \
    NOTICE(MAILBOX_CHANGED, "mailbox-changed")                                                               \
    NOTICE(MAILBOX_EXPIRING, "mailbox-expiring")                                                             \
    NOTICE(FACTOR_CHANGED, "factor-changed")                                                                 \
    NOTICE(FACTOR_GUESSED, "factor-guessed")

enum notice_kind {
#define NOTICE(name, text) NOTICE_##name,
    NOTICES(NOTICE)
#undef NOTICE
        NOTICE_KINDS
};

/* Within the caller's transaction in that container, or in one of its own. */
fallible vault_notice_add(
    struct vault *v, enum vault_container container, const struct account_id *account, enum notice_kind kind,
    struct slice facts);
/* One fact: the value loses what would break the line. */
void notice_fact(struct buf *facts, const char *key, struct slice value);
void notice_fact_int(struct buf *facts, const char *key, int64_t value);
/* To the account that administers the domain of `about` (clients.db); the owner's own is another notice. Without one: OK. */
fallible vault_notice_administrator(
    struct vault *v, const struct account_id *about, enum notice_kind kind, struct slice facts);

struct notice {
    uint64_t id;
    struct account_id account;
    struct delivery_id delivery;
    char kind[33];
    char facts[LIMIT_NOTICE_FACTS + 1];
    int64_t created_s;
};
/* The first with a greater id; begin with 0. ERR_NOT_FOUND: no more. */
fallible vault_notice_next(struct vault *v, uint64_t after, struct notice *ret_notice);
/* It is stored, or can never be (the account is gone). */
fallible vault_notice_done(struct vault *v, uint64_t id);

/* Called now and then (LIMIT_EXPIRY_LOOK): notices for credentials that expire, or must be rotated, within 7 days and within
 * one; each once. */
fallible vault_expiring(struct vault *v, int64_t now_s);

#endif

/* clients_audit.h - what could each secret do if it leaked?                         room: vault   runs in: vault
 *
 * For `letterlock client audit`: the reach of every credential that still opens something, in stable words, with a risk from 0
 * to 100 that is the sum of the weights beside the words, and what an administrator may want to look at. Only for people: no
 * door asks it (that is decide.h).
 *
 * Risk counts what the holder could reach, not how likely a leak is. A canary, a frozen credential and one that may neither
 * receive nor send reach nothing: 0. Revoked and expired ones are not told of.
 */
#ifndef VAULT_CLIENTS_AUDIT_H
#define VAULT_CLIENTS_AUDIT_H

#include "vault/clients.h"

/* REACH(word, weight, "what it means"). The weights are 100 in all. */
#define CLIENT_REACHES(REACH)                                                                                \
    REACH("imap-read", 10, "reads mail by IMAP")                                                             \
    REACH("pop3-read", 10, "reads mail by POP3; counts only where imap-read does not")                       \
    REACH("whole-mailbox", 15, "every folder, however old the mail is")                                      \
    REACH("attachments", 5, "whole attachments")                                                             \
    REACH("imap-write", 5, "puts mail into the mailbox or changes flags")                                    \
    REACH("delete", 10, "deletes mail for good")                                                             \
    REACH("send", 5, "sends mail in the owner's name")                                                       \
    REACH("send-as-any", 5, "as every address of the account")                                               \
    REACH("send-anywhere", 10, "to everybody")                                                               \
    REACH("unlimited-messages", 10, "as many messages as it likes in a day")                                 \
    REACH("from-anywhere", 10, "from every network")                                                         \
    REACH("for-ever", 15, "neither an expiry nor a rotation age")

/* In `findings`: wide (risk CLIENT_AUDIT_WIDE or more), stale (not used for 90 days), never-used (for 30 days since it was made),
 * over-age (past its rotation age, or older than 365 days), expiring (within 7 days), canary, frozen. */
enum { CLIENT_AUDIT_WIDE = 80 };

struct client_audit {
    const struct vault_client *client;
    struct slice address; /* of the account */
    uint8_t risk;
    struct slice reach, findings; /* words separated by blanks */
};
/* During the call only. */
typedef void client_audit_fn(void *owner, const struct client_audit *found);
/* Of one account (its address), of a domain, or of everybody (both empty). ERR_NOT_FOUND. */
fallible vault_clients_audit(
    struct vault *v, struct slice domain, struct slice account, int64_t now_s, client_audit_fn *fn,
    void *owner);

#endif

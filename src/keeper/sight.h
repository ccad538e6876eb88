/* sight.h - what a session sees of its account's mail, by the limits of its credential.       room: keeper   runs in: keeper
 *
 * Both protocols ask here, so that a limit means the same in both: which mailboxes exist, which messages exist (a window of
 * days, by arrival), and what a message is, octet for octet, when attachments are limited (mail/redact.h). What is not in
 * sight does not exist: no answer may tell it from what never was, and no session changes it (INV-38).
 *
 * Without limits nothing is looked at and nothing costs anything.
 *
 * Owns:   the virtual message looked at last. Fails: sight_read as body_read. Call sight_look with the account entered.
 */
#ifndef KEEPER_SIGHT_H
#define KEEPER_SIGHT_H

#include "keeper/env.h"
#include "keeper/grants.h"
#include "mail/redact.h"
#include "store/body.h"

struct sight {
    struct keeper_env *env;
    const struct grant *grant;
    const struct scope *scope;
    enum redact_language language;
    bool redacts;  /* attachments are limited: sizes and structures are those of sight_look */
    bool is_blind; /* the message looked at last cannot be shown */
    int64_t now_s; /* the moment that the window counts from */
    struct redaction redaction;
    struct buf octets; /* of the original, read while looking */
    struct buf opaque; /* the row of a message that nobody looks into */
};
/* The grant must outlive it. */
void sight_init(struct sight *v, struct keeper_env *env, const struct grant *grant);
void sight_done(struct sight *v);

/* ---- which mailboxes and messages ---- */

static inline bool sight_has_all_folders(const struct sight *v)
{
    return v->scope->folder_count == 0;
}
/* A mailbox by its canonical name. */
static inline bool sight_has_folder(const struct sight *v, struct slice name)
{
    return sight_has_all_folders(v) || scope_allows_folder(v->scope, name);
}
/* Are all names below this one in sight, whether or not there is such a mailbox? */
bool sight_has_all_below(const struct sight *v, struct slice name);

static inline bool sight_has_window(const struct sight *v)
{
    return v->scope->window_days != 0;
}
/* The window moves with the clock; between two calls it stands. */
void sight_tick(struct sight *v);
static inline bool sight_has_arrival(const struct sight *v, int64_t arrived_s)
{
    return !sight_has_window(v) || scope_allows_arrival(v->scope, arrived_s, v->now_s);
}

/* ---- what a message is ---- */

/* Puts the size and the structure of the message as it is seen into *m; good until the next look: an opaque blob when it is
 * poisoned, and without what the credential may not see. What cannot be judged has no size, a structure that cannot be read, and no
 * octets. Rows come with their structure to be looked at; without `redacts` others are left as they are. */
void sight_look(struct sight *v, struct account *a, struct message *m);
/* body_read of the message looked at last. */
fallible
sight_read(struct sight *v, struct body_reader *r, uint64_t offset, size_t n, struct slice *ret_octets);
/* Memory of the virtual message goes: between commands. */
void sight_forget(struct sight *v);

#endif

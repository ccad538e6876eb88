/* output.h - a session's replies, which leave when what they tell is on disk.              room: keeper   runs in: keeper
 *
 * Protocol code is plain and synchronous: it changes the store, appends its reply to output_buf, and calls output_commit at
 * the end of the command, slice or push. What was appended then carries the account's `committed` of that moment and goes
 * to the stream when `synced` has reached it (docs/architecture.md, Output commit): at once when nothing is being synced, without
 * waiting otherwise. The order of replies is kept.
 *
 * INV-35  No octet that was written after looking at a commit reaches the stream before that commit is synced.
 *
 * Owns:   the held octets; the stream and the account are borrowed and must outlive it.
 * Fails:  `failed` is called once, later, when a sync failed or LIMIT_SESSION_HELD was passed: what is held is dropped, the
 *         session must end without saying anything more of the account. Never logs.
 */
#ifndef KEEPER_OUTPUT_H
#define KEEPER_OUTPUT_H

#include "loop/stream.h"
#include "store/accounts.h"

enum { OUTPUT_MARKS = 16 };

struct output;
struct output_events {
    /* Held replies went on to the stream: a session that paused because it owed too much may go on. May be NULL. */
    void (*released)(struct output *o, void *owner);
    /* ERR_UNAVAILABLE (sync failed) or ERR_LIMIT. The owner ends the session. */
    void (*failed)(struct output *o, enum err why, void *owner);
};

struct output {
    struct loop *loop;
    struct stream *stream;
    struct account *account;
    const struct output_events *events;
    void *owner;
    struct buf text; /* appended, and not committed yet */
    struct buf held; /* committed, waiting for the disk */
    struct {
        size_t end;    /* of held */
        uint64_t upto; /* the account's committed when it was written */
    } marks[OUTPUT_MARKS];
    unsigned mark_count;
    struct synced_wait wait;
    struct task failure;
    enum err why;
};

void output_init(
    struct output *o, struct loop *loop, struct stream *stream, struct account *account,
    const struct output_events *events, void *owner);
/* Drops what is held. */
void output_done(struct output *o);
/* Append here; sticky errors; at most LIMIT_SESSION_HELD until the next output_commit. */
struct buf *output_buf(struct output *o);
void output_printf(struct output *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The reply, or a part of it, stands: it may leave as soon as it is true for ever. */
void output_commit(struct output *o);
/* For what says nothing of the account's state ("+ idling", a continuation): the same, named so that readers see why. */
void output_commit_free_of_state(struct output *o);
/* Octets not yet taken by the peer, held ones included, are above LIMIT_SESSION_OUTPUT: write no more until `drained` of the
 * stream or `released`. */
bool output_is_high(const struct output *o);
bool output_is_held(const struct output *o);

#endif

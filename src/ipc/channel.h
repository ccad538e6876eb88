/* channel.h - one end of the line to another process: bounded, non-blocking, checked.        room: ipc   runs
 * in: all
 *
 * A channel is a SEQPACKET socket whose other end's role is known from who made it, never from what it says.
 * Every message received is checked against the schema's permits before it is decoded; a frame that breaks a
 * rule (unknown type, wrong sender, trailing octets, missing or extra descriptors, an answer nobody asked
 * for) closes this channel with ERR_PROTOCOL and nothing else. Sends never block: what the socket does not
 * take waits in a bounded outbox; when that is full, or the peer is dead, the caller gets ERR_UNAVAILABLE.
 *
 * Owns: the socket, the outbox, descriptors that came with a message until the handler takes them
 * (TAKE(m->fds[i], -1)). Limits: LIMIT_IPC_OUTBOX, LIMIT_IPC_PENDING, LIMIT_IPC_DEADLINE. Never logs.
 */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "ipc/message.h"
#include "loop/loop.h"

struct channel;

struct channel_events {
    /* Everything that is not a reply. A request (m->id != 0) must be answered, now or later, by
     * channel_answer with that id. Slices in m are good until the handler returns. */
    void (*message)(struct channel *ch, struct ipc_msg *m, void *owner);
    /* The other side died or broke a rule. Pending requests have been failed already. The owner calls
     * channel_close. */
    void (*closed)(struct channel *ch, enum err why, void *owner);
};

/* Takes fd. `peer` and `peer_index` come from whoever made the pair. */
struct channel *channel_new(
    struct loop *loop, int fd, enum ipc_role self, enum ipc_role peer, unsigned peer_index,
    const struct channel_events *events, void *owner);
/* Fails what is pending with ERR_CLOSED and frees; may be called from the channel's own callbacks. NULL is
 * fine. */
void channel_close(struct channel **ch);
enum ipc_role channel_peer(const struct channel *ch);
unsigned channel_peer_index(const struct channel *ch);

/* Sends a message that wants no answer. Takes the descriptors of m whatever happens. ERR_UNAVAILABLE,
 * ERR_LIMIT. */
fallible channel_send(struct channel *ch, struct ipc_msg *m);

/* Called for each item (why OK, answer->type is the item's), then once for the answer (why OK) or the failure
 * (ERR_TIMEOUT, ERR_CLOSED; answer NULL). */
typedef void channel_answer_fn(void *owner, enum err why, struct ipc_msg *answer);

/* Sends a request. deadline_ms 0 means LIMIT_IPC_DEADLINE. On failure fn is not called. *ret_request (may be
 * NULL) can be given to channel_forget. */
fallible channel_request(
    struct channel *ch, struct ipc_msg *m, uint64_t deadline_ms, channel_answer_fn *fn, void *owner,
    uint64_t *ret_request);
/* The asker goes away: the answer will be dropped. Fine when it is answered already or ch is NULL. */
void channel_forget(struct channel *ch, uint64_t request);

/* Answers request `id` (or sends an item of it). Takes the descriptors of m. */
fallible channel_answer(struct channel *ch, uint64_t id, struct ipc_msg *m);

#endif

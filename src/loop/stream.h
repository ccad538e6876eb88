/* stream.h - a buffered, bounded byte stream over a descriptor one was given.   room: loop   runs in: gate keeper cli
 *
 * Read mode and write mode: while the peer owes us reading (output above `output_high`), nothing more is read
 * from it. The bytes move through a `transport`, so that TLS (tls/) or a plain socket look the same; STARTTLS
 * replaces the transport of a live stream. Idle streams hold no buffers: both are released when empty.
 *
 * Owns: the descriptor and the transport. Fails: by the `closed` callback, once, with the reason; then the
 * owner calls stream_close. Never logs.
 */
#ifndef LOOP_STREAM_H
#define LOOP_STREAM_H

#include <sys/types.h>

#include "base/buf.h"
#include "loop/loop.h"

/* What moves bytes. read/write return > 0 octets, 0 for "not now" (*want says which readiness), or a negative
 * err: ERR_CLOSED at a clean end. The functions never block. */
struct transport;
struct transport_ops {
    const char *name;
    ssize_t (*read)(struct transport *t, void *into, size_t n, unsigned *want);
    ssize_t (*write)(struct transport *t, const void *from, size_t n, unsigned *want);
    /* Octets that are decrypted and waiting inside (readable without the descriptor being ready). */
    bool (*pending)(struct transport *t);
    /* Says goodbye (close_notify) as far as possible without blocking. */
    void (*shutdown)(struct transport *t);
    void (*free)(struct transport *t);
};
struct transport {
    const struct transport_ops *ops;
    int fd;
};

struct stream;
struct stream_events {
    /* There is new input. Look with stream_input, take with stream_take. Called again only when more arrives
     * or stream_again is called. */
    void (*input)(struct stream *s, void *owner);
    /* All output has left, or fell below output_high after being above. May be NULL. */
    void (*drained)(struct stream *s, void *owner);
    /* The stream has ended: ERR_CLOSED (the peer, cleanly), ERR_TIMEOUT, ERR_IO, ERR_LIMIT... The owner must
     * call stream_close, now or later. */
    void (*closed)(struct stream *s, enum err why, void *owner);
};
struct stream_limits {
    size_t input;       /* most octets of unread input held (LIMIT_STREAM_INPUT or more for a waiting line) */
    size_t output_high; /* stop reading while more is owed */
    size_t output_max;  /* more than this is refused: the stream closes with ERR_LIMIT */
};

/* Takes the descriptor (set non-blocking here). */
struct stream *stream_new(
    struct loop *loop, int fd, const struct stream_limits *limits, const struct stream_events *events,
    void *owner);
/* Ends without flushing; sets *s to NULL; NULL is fine. May be called from the stream's own callbacks. */
void stream_close(struct stream **s);
/* Flushes what is owed, at most `within_ms`, says goodbye on the transport, and frees itself. *s becomes
 * NULL. No more callbacks come. */
void stream_finish(struct stream **s, uint64_t within_ms);
/* New owner and callbacks, for handing a connection from one module to the next; unread input stays. */
void stream_set_events(struct stream *s, const struct stream_events *events, void *owner);

/* The unread input, contiguous, good until the next stream call. */
struct slice stream_input(const struct stream *s);
void stream_take(struct stream *s, size_t n);
/* Calls `input` again soon, though nothing new arrived (the owner stopped half-way through what is there). */
void stream_again(struct stream *s);
/* Stops (resumes) reading from the peer. */
void stream_pause(struct stream *s, bool paused);
/* Throws away unread input: STARTTLS (T-001 to T-003). */
void stream_forget_input(struct stream *s);

/* Copies to the output; leaves at the end of the turn or at once when large. After `closed` with ERR_TIMEOUT one may
 * still put a last word in front of stream_finish; after any other end it goes nowhere. */
void stream_put(struct stream *s, struct slice bytes);
/* Writes what can be written now, without a copy, and returns how many octets that was: 0 while anything is owed. When
 * less than all went, `drained` is called once more can go, and the caller must then go on with the same octets before
 * it puts anything else (a TLS record may be under way). */
size_t stream_put_some(struct stream *s, struct slice bytes);
/* The output buffer to append to directly (sticky errors); call stream_flush afterwards. */
struct buf *stream_output(struct stream *s);
void stream_flush(struct stream *s);
size_t stream_owed(const struct stream *s);

/* While on, octets of this stream are wiped when their memory is given back or moved: before sign-in. */
void stream_set_secret(struct stream *s, bool secret);

/* Replaces the transport (handshake done or going on inside it). The old one is freed without shutdown. */
void stream_set_transport(struct stream *s, struct transport *t);
struct transport *stream_transport(struct stream *s);
int stream_fd(const struct stream *s);

/* `closed` is called with ERR_TIMEOUT unless this is called again within ms; 0 turns it off. */
void stream_set_deadline(struct stream *s, uint64_t ms);

/* The plain transport over a socket; what stream_new starts with. */
struct transport *transport_plain_new(int fd);

/* Two streams joined: what one receives the other sends, with back-pressure, until either ends; then both end
 * and `ended` is called once. Used by the gate after sign-in. Unread input of both is forwarded first. Takes
 * both. */
struct splice;
struct splice *splice_new(
    struct loop *loop, struct stream *a, struct stream *b,
    void (*ended)(struct splice *, enum err why, void *owner), void *owner);
/* Ends both streams (flushing what is owed to a), frees, sets to NULL. */
void splice_close(struct splice **sp);

#endif

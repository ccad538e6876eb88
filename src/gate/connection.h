/* connection.h - one client's connection, from accept to its end.                        room: gate   runs in: gate
 *
 *   HANDSHAKE --tls done--> TALKING --connection_start_tls--> FLUSHING --reply sent--> HANDSHAKE
 *      (implicit TLS)         |  ^---------------------------------tls done-----------------'
 *                             +--connection_signed_in--> SIGNED_IN --connection_splice--> SPLICED (SMTP stays with its front)
 *   any --connection_end or the client's end--> freed
 *
 * The connection owns the stream; a front writes to connection_out and takes input by connection_input. It logs
 * "connect" (debug) and "end" (info, when somebody had signed in; else debug) with the session's id.
 */
#ifndef GATE_CONNECTION_H
#define GATE_CONNECTION_H

#include "base/ip.h"
#include "gate/gate.h"
#include "tls/client.h"
#include "tls/session.h"

enum connection_state {
    CONNECTION_HANDSHAKE,
    CONNECTION_TALKING,
    CONNECTION_FLUSHING,
    CONNECTION_SIGNED_IN,
    CONNECTION_SPLICED,
    CONNECTION_STATES
};

/* What the log and the vault hear of the client's program: EHLO name, IMAP ID. */
enum { CONNECTION_PROGRAM_MAX = 256 };

struct net_count;
struct connection {
    unsigned magic;
    struct list link; /* gate.waiting or gate.signed_in */
    struct gate *gate;
    const struct door_row *door;
    const struct front *front;
    void *front_state; /* NULL before open and after close */
    enum connection_state state;
    uint64_t id; /* the session's, in all logs */
    struct ip peer;
    struct net_count *net; /* NULL when it does not count */
    struct stream *stream; /* NULL once spliced */
    struct splice *splice;
    struct task tls_done;
    bool tls;
    struct tls_client *certificate; /* the client's, looked at when TLS began; NULL: none that holds */
    bool paused;
    bool asking;        /* the vault or a keeper is being asked: not dropped to make room */
    uint64_t signin_by; /* monotonic: signed in until then, or closed; 0: this door has no such rule */
    int64_t since_s;
    unsigned failed_signins;
    char program[CONNECTION_PROGRAM_MAX + 1];
    char address[321]; /* who signed in; "" before */
    uint64_t credential;
};

/* Accepting (gate's own): takes fd. */
void connection_open(struct gate *g, const struct door_row *door, int fd, const struct ip *peer);

/* Ends it: the front's state is closed, its farewell said, what is owed is flushed. The connection is gone afterwards. */
void connection_end(struct connection *c, enum gate_end why);

static inline struct slice connection_input(const struct connection *c)
{
    return stream_input(c->stream);
}
static inline void connection_take(struct connection *c, size_t n)
{
    stream_take(c->stream, n);
}
/* The output; connection_flush afterwards (once, at the end of what is written now). */
static inline struct buf *connection_out(struct connection *c)
{
    return stream_output(c->stream);
}
static inline void connection_flush(struct connection *c)
{
    stream_flush(c->stream);
}
/* While paused (a question is under way) input is not read and `input` is not called. Resuming calls it again. */
void connection_pause(struct connection *c, bool paused);
/* The client owes us reading: leave its input alone; `input` is called again when replies have left. */
bool connection_owes(const struct connection *c);
/* A request line of HTTP: a browser that somebody made talk to a mail port. Close, and repeat nothing of it (T-011). */
bool connection_is_web(struct slice line);
/* Ends with GATE_END_TIMEOUT unless called again within ms. Before sign-in CONFIG_TIMEOUT_SIGNIN, counted from the
 * beginning, holds all the same. */
void connection_expect(struct connection *c, uint64_t ms);
/* Cleaned for logs: control characters become '?'. */
void connection_set_program(struct connection *c, struct slice text);

/* May STARTTLS be offered or done now? */
bool connection_can_start_tls(const struct connection *c);
/* The reply that announces it is in the output. Forgets all unread input (INV-30), sends the reply, shakes hands, and
 * calls the front's tls_on. */
void connection_start_tls(struct connection *c);
/* Is a secret allowed on this connection (INV-31)? */
bool connection_may_sign_in(const struct connection *c);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or nothing in the clear. */
void connection_put_tls(const struct connection *c, struct buf *out);

/* The vault said yes, and the keeper took the ticket: counts as signed in from here on, is under no deadline but the front's, and is
 * logged. */
void connection_signed_in(struct connection *c, struct slice address, uint64_t credential);
/* Joins the client with its keeper's stream for good; the front's state is closed. Unread input goes first. */
void connection_splice(struct connection *c, struct stream *keeper);

#endif

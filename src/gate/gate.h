/* gate.h - what all fronts of a gate share: listeners, limits, certificates, who the other processes are.
 *                                                                                          room: gate   runs in: gate
 * The role's main makes one, gives it the fronts, the listeners, certificates and channels, and takes it down. A front
 * sees connections (connection.h), signs people in (signin.h) and hands them over to their keeper (handover.h); it
 * never accepts, counts or logs connections itself.
 *
 * Limits (T-036), each from the configuration: connections of one client network that have not signed in
 * (connections_per_network, networks of connections_exempt excepted): the newest is turned away; connections of one
 * protocol that have not signed in (connections_waiting): the one that has been silent longest makes room, never one
 * that the vault is being asked about; sessions in all (sessions): nothing more is accepted until one ends.
 *
 * INV-30 Octets that came before TLS never act after it (T-001 to T-004): connection_start_tls forgets them.
 * INV-31 No secret is taken in the clear: fronts ask connection_may_sign_in before they look at one (T-007).
 * INV-32 A ticket is quoted once, to the keeper that owns the account's slot, and wiped.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include "base/list.h"
#include "base/map.h"
#include "config/config.h"
#include "crypto/secret.h"
#include "gate/door.h"
#include "gate/recipients.h"
#include "ipc/channel.h"
#include "loop/stream.h"

struct connection;
struct gate;

/* Why the gate ends a connection by itself. */
enum gate_end {
    GATE_END_DONE,     /* the front has said its last words already */
    GATE_END_GONE,     /* the client went away, or broke TLS: nobody listens */
    GATE_END_TIMEOUT,  /* silent for too long, or not signed in in time */
    GATE_END_CROWDED,  /* too many connections: of its network, or of all */
    GATE_END_STOPPING, /* the server is being stopped */
    GATE_END_OVERFLOW, /* it owes too much reading */
    GATE_ENDS
};
const char *gate_end_name(enum gate_end why); /* for logs: "timeout" */

/* A protocol's front. One static const instance each. */
struct front {
    const char *name;
    struct stream_limits limits;
    /* Begins: makes the protocol's state (never NULL), greets. With implicit TLS after the handshake. May not end the
     * connection. */
    void *(*open)(struct connection *c);
    /* The stream has unread input (connection_input); not called while paused. */
    void (*input)(struct connection *c, void *state);
    /* Replies have left; unread input is offered again by `input` without more ado. May be NULL. */
    void (*drained)(struct connection *c, void *state);
    /* STARTTLS is complete: forget what was said in the clear. */
    void (*tls_on)(struct connection *c, void *state);
    /* The last words for a connection that the gate ends, whole lines, or nothing. Depends on no state, for it is also
     * said to clients turned away at the door. */
    void (*farewell)(const struct gate *g, enum gate_end why, struct buf *out);
    /* Drops the protocol's state; questions to others are forgotten. The connection ends, or was handed over. */
    void (*close)(struct connection *c, void *state);
    /* One or two words for `letterlock status`: what it waits for. */
    const char *(*waits)(const struct connection *c, const void *state);
};

struct gate {
    struct loop *loop;
    const struct config *config; /* the main replaces it on reload */
    struct slice hostname;       /* in greetings; borrowed from the configuration */
    struct secret_slab *secrets;
    const struct front *fronts[GATE_PROTOCOLS];
    /* The channel to the owner of a slot, NULL while it is away. */
    struct channel *(*keeper_of)(uint8_t slot, void *arg);
    void *keeper_arg;
    struct channel *vault; /* gate_vault_up, gate_vault_down */
    struct tls_set *tls;   /* new handshakes use it; NULL: none yet */
    /* What the vault says may be offered, by service; empty while unknown. */
    struct gate_offer {
        struct gate *gate;
        uint64_t request;           /* under way, or 0 */
        bool known;                 /* it was answered once: nothing is accepted before all are */
        char mechanisms[257];       /* on a connection whose client has shown no certificate that holds */
        char with_certificate[257]; /* on one whose client has */
    } offers[SERVICE_N];
    struct recipients
        recipients; /* as the vault told; fronts keep what passes, and read it when the vault is away */
    struct list listeners;
    struct list waiting[GATE_PROTOCOLS]; /* connections not signed in, silent longest first */
    size_t waiting_count[GATE_PROTOCOLS];
    struct list signed_in;
    size_t count;    /* of all connections */
    struct map nets; /* struct net_count by ip_limit_net */
    bool accepting, stopping;
    struct timer retry; /* listening again after descriptors ran out */
};

/* `fronts` by enum gate_protocol; NULL: that protocol's listeners are closed unserved. */
void gate_init(
    struct gate *g, struct loop *loop, const struct config *config, struct secret_slab *secrets,
    const struct front *const fronts[GATE_PROTOCOLS], struct channel *(*keeper_of)(uint8_t slot, void *arg),
    void *keeper_arg);
/* Ends all connections without further words. */
void gate_done(struct gate *g);

/* Takes the socket. ERR_UNSUPPORTED: no such door. */
fallible gate_add_listener(
    struct gate *g, enum ipc_service service, enum ipc_tls_mode mode, struct slice address, int socket);
/* Takes a reference; the former set goes on with its sessions. */
void gate_set_certificates(struct gate *g, struct tls_set *set);
/* After the configuration changed: limits and names count from now on. */
void gate_reload(struct gate *g, const struct config *config);
/* A channel to the vault exists (again): asks what may be offered. */
void gate_vault_up(struct gate *g, struct channel *vault);
/* The vault offers something else from now on: asks again. */
void gate_offers_changed(struct gate *g);
void gate_vault_down(struct gate *g);

/* Begins to accept, as soon as the vault has said what may be offered; after the jail is shut. */
void gate_start(struct gate *g);
/* Stops accepting, says goodbye to all who have not signed in; signed-in sessions end when their keepers say so. */
void gate_stop(struct gate *g);
/* Signed-in sessions that go on; the main waits for 0 or its deadline. */
size_t gate_signed_in(const struct gate *g);

/* One line of the status table. */
struct gate_line {
    const char *subject; /* "session", "listener" */
    uint64_t id;
    const char *state;
    int64_t since_s;
    struct slice detail; /* "imaps 192.0.2.1 TLSv1.3 ..." */
};
void gate_each(const struct gate *g, void (*line)(const struct gate_line *line, void *arg), void *arg);

#endif

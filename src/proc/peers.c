#include "proc/peers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

/* Indexes come from the supervisor and are below the most of their key (config/keys.def). */
enum { INDEX_MAX = 128 };

struct peer {
    struct proc_peers *peers;
    enum ipc_role role;
    unsigned index;
    uint32_t epoch;
    int socket; /* not connected yet */
    struct channel *channel;
    bool announced;
};

struct proc_peers {
    struct proc *p;
    bool connected, announced;
    struct peer *by_role[ROLES][INDEX_MAX];
    uint64_t dropped; /* records for the journal */
};

struct proc_peers *proc_peers_new(struct proc *p)
{
    struct proc_peers *peers = NEW(struct proc_peers);
    peers->p = p;
    return peers;
}

static void peer_free(struct peer **peer)
{
    if (!*peer)
        return;
    channel_close(&(*peer)->channel);
    file_close(&(*peer)->socket);
    mem_free(peer);
}

void proc_peers_free(struct proc_peers **peers)
{
    if (!*peers)
        return;
    for (unsigned r = 0; r < ROLES; r++)
        for (unsigned i = 0; i < INDEX_MAX; i++)
            peer_free(&(*peers)->by_role[r][i]);
    mem_free(peers);
}

static void on_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct peer *peer = owner;
    struct proc *p = peer->peers->p;
    if (p->ops->message)
        p->ops->message(p, ch, m);
}

static void peer_drop_channel(struct peer *peer, enum err why)
{
    struct proc *p = peer->peers->p;
    channel_close(&peer->channel);
    if (peer->announced && p->ops->peer_down)
        p->ops->peer_down(p, peer->role, peer->index, why);
    peer->announced = false;
}

static void on_closed(struct channel *ch, enum err why, void *owner)
{
    struct peer *peer = owner;
    if (why == ERR_PROTOCOL)
        log_event(
            LOG_ERROR, "peer.broke-rules", LOG_STR("role", role_row(peer->role)->name),
            LOG_NUM("index", peer->index));
    peer_drop_channel(peer, why);
}

static void peer_announce(struct peer *peer)
{
    struct proc *p = peer->peers->p;
    peer->announced = true;
    if (p->ops->peer_up)
        p->ops->peer_up(p, peer->role, peer->index, peer->channel);
}

static void peer_connect(struct peer *peer)
{
    static const struct channel_events events = {on_message, on_closed};
    struct proc *p = peer->peers->p;
    peer->channel =
        channel_new(p->loop, TAKE(peer->socket, -1), p->role, peer->role, peer->index, &events, peer);
    if (peer->peers->announced)
        peer_announce(peer);
}

static struct peer *peer_of(struct proc_peers *peers, enum ipc_role role, unsigned index)
{
    struct peer **at = &peers->by_role[role][index];
    if (!*at) {
        *at = NEW(struct peer);
        **at = (struct peer){.peers = peers, .role = role, .index = index, .socket = -1};
    }
    return *at;
}

void proc_peers_add(struct proc_peers *peers, const struct msg_peer *m, int socket)
{
    int fd CLEANUP_FD = socket;
    if ((unsigned)m->role >= ROLES || m->index >= INDEX_MAX || !role_talks(peers->p->role, m->role))
        return;
    struct peer *peer = peer_of(peers, m->role, m->index);
    if (m->epoch <= peer->epoch)
        return;
    peer->epoch = m->epoch;
    if (peer->channel)
        peer_drop_channel(peer, ERR_CLOSED);
    file_close(&peer->socket);
    peer->socket = TAKE(fd, -1);
    if (peers->connected)
        peer_connect(peer);
}

void proc_peers_connect(struct proc_peers *peers)
{
    peers->connected = true;
    for (unsigned r = 0; r < ROLES; r++)
        for (unsigned i = 0; i < INDEX_MAX; i++)
            if (peers->by_role[r][i] && peers->by_role[r][i]->socket >= 0)
                peer_connect(peers->by_role[r][i]);
}

void proc_peers_announce(struct proc_peers *peers)
{
    peers->announced = true;
    for (unsigned r = 0; r < ROLES; r++)
        for (unsigned i = 0; i < INDEX_MAX; i++)
            if (peers->by_role[r][i] && peers->by_role[r][i]->channel)
                peer_announce(peers->by_role[r][i]);
}

uint64_t proc_peers_dropped(const struct proc_peers *peers)
{
    return peers->dropped;
}

struct channel *proc_peer(const struct proc *p, enum ipc_role role, unsigned index)
{
    assert((unsigned)role < ROLES);
    const struct peer *peer = index < INDEX_MAX ? p->peers->by_role[role][index] : NULL;
    return peer ? peer->channel : NULL;
}

struct channel *proc_vault(const struct proc *p)
{
    return proc_peer(p, ROLE_VAULT, 0);
}

struct channel *proc_keeper_of(const struct proc *p, uint8_t slot)
{
    return p->keepers ? proc_peer(p, ROLE_KEEPER, slot_owner(slot, p->keepers)) : NULL;
}

bool proc_audit(
    struct proc *p, struct slice kind, struct slice actor, struct slice subject, struct slice key_value_lines)
{
    struct channel *scribe = proc_peer(p, ROLE_SCRIBE, 0);
    struct ipc_msg m = {.type = MSG_AUDIT};
    m.u.audit = (struct msg_audit){
        .time_ms = clock_unix_ms(),
        .kind = kind,
        .actor = actor,
        .subject = subject,
        .body = key_value_lines};
    bool sent = scribe && channel_send(scribe, &m) == OK;
    p->peers->dropped += !sent;
    return sent;
}

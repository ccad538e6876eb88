/* child.h - what every role's main calls: the same opening in the same order, then a loop.   room: proc
 *                                                             runs in: gate vault keeper scan relay scribe directory
 *
 * A main is short: it fills a `struct child_ops` and returns child_main(&ops, argc, argv). The opening
 * (docs/architecture.md, Starting):
 *
 *   1. descriptors: 0, 1, 2 and 3 (the channel to the supervisor) are kept, all others are closed; signals
 * are set
 *   2. start messages are read from 3: who we are, settings (p->config), listeners, certificates, peers,
 * poison page
 *      -> ops.listener and ops.certificate are called as they come
 *   3. ops.prepare: libraries that open files by name do so now, and never later
 *   4. jail_enter: no_new_privs, limits, own root and user, no capabilities, Landlock; the folder is "." from
 * here on
 *   5. pool threads (p->pool, when the table gives the role any)
 *   6. jail_seal: the system-call filter
 *   7. ops.start: open what the role keeps, begin to serve; p->peers are connected
 *   8. `ready` goes to the supervisor, and the loop runs until proc_end
 *
 * A step that fails is logged with its reason, and the process exits with a status other than 0; the
 * supervisor restarts it. When the supervisor goes away the process stops as if told to, within
 * LIMIT_STOP_TIME, and is killed by its own alarm if it hangs. SIGINT, SIGHUP and SIGPIPE are ignored: they
 * are the supervisor's business.
 */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include "config/config.h"
#include "ipc/channel.h"
#include "ipc/poison.h"
#include "loop/loop.h"
#include "loop/pool.h"
#include "proc/table.h"

struct proc;
struct proc_status;

struct child_ops {
    enum ipc_role role;
    /* All callbacks may be NULL. Those that return an error at start end the process. */

    /* Step 2, gate only: the listening socket is the callee's from now on. */
    fallible (*listener)(
        struct proc *p, enum ipc_service service, enum ipc_tls_mode mode, struct slice address, int socket);
    /* Step 2, and again before each reload: a chain and a key to be read from the descriptors, which stay the
     * caller's. On reload the whole new set comes, and takes effect in ops.reload, or is dropped when that is
     * never called. */
    fallible (*certificate)(struct proc *p, struct slice name, int chain_fd, int key_fd);
    /* Step 3, before the jail. */
    fallible (*prepare)(struct proc *p);
    /* In step 4, as the role's own user and in its folder, before its paths close: the last time that it can
     * do what the jail forbids it for good (the scribe sets a line aside that a power failure cut short). */
    fallible (*last_act)(struct proc *p);
    /* Step 7, in the jail. */
    fallible (*start)(struct proc *p);

    /* A message from a peer or the supervisor that is none of the lifecycle's. m->id != 0: a request, to be
     * answered on `from` now or later. MSG_POISONED (keeper) and MSG_CONTROL, MSG_CLI traffic (vault) come
     * here too. */
    void (*message)(struct proc *p, struct channel *from, struct ipc_msg *m);
    /* A channel to a peer exists. At start proc_peer answers before ops.start, and peer_up is called for each peer after
     * it. After a restart of the peer, peer_down then peer_up come. The channel is gone when peer_down is called, and
     * its pending requests have been failed; answers of the old one cannot arrive on the new one. */
    void (*peer_up)(struct proc *p, enum ipc_role role, unsigned index, struct channel *channel);
    void (*peer_down)(struct proc *p, enum ipc_role role, unsigned index, enum err why);

    /* The configuration is new (p->config), `before` is what it was: the same pointer when nothing changed. What goes wrong is written to `problem`,
     * for the administrator; the role goes on with what it can. */
    void (*reload)(struct proc *p, const struct config *before, struct buf *problem);
    /* Stop serving: finish or drop what is going on within that time, then call proc_end. NULL: ends at once.
     */
    void (*stop)(struct proc *p, uint64_t within_ms);
    /* After the loop has ended, before loop, pool and channels go: free what p->owner holds. */
    void (*end)(struct proc *p);
    /* One proc_status_put for each session, listener or store worth a line. The process itself is there
     * already. */
    void (*status)(struct proc *p, struct proc_status *out);
};

struct proc_peers; /* channels by role and index */

struct proc {
    const struct child_ops *ops;
    enum ipc_role role;
    unsigned index;           /* among its role */
    unsigned gates, keepers;  /* how many there are */
    char name[PROC_NAME_MAX]; /* "keeper-1" */
    bool offline; /* a vault alone, started by a command: no peers, no supervisor but that command */
    bool as_root;
    int folder_fd; /* the role's folder, opened before the jail: what the jail leaves open below it is reached with openat */
    struct loop *loop;
    struct pool *pool; /* NULL when the table gives none */
    /* Its share; a reload puts a new one here, and the former one lives on for sessions that began under it. */
    struct config *config;
    struct channel *supervisor; /* NULL once it is gone */
    struct proc_peers *peers;
    struct poison_page *poison; /* keeper: shared with the supervisor; else NULL */
    struct jail_state sandbox;
    int64_t started_s; /* unix time */
    void *owner;       /* the role's own state: set it in prepare or start */
};

/* Does not return before the process is done; its value is the exit status. */
int child_main(const struct child_ops *ops, int argc, char **argv);

/* The channel to a peer, NULL while there is none (it died, or does not exist): then the part is UNAVAILABLE.
 */
struct channel *proc_peer(const struct proc *p, enum ipc_role role, unsigned index);
struct channel *proc_vault(const struct proc *p);
struct channel *proc_keeper_of(const struct proc *p, uint8_t slot);
/* One record for the journal; never waits. False when it was dropped, which is counted and shown by status.
 */
bool proc_audit(
    struct proc *p, struct slice kind, struct slice actor, struct slice subject,
    struct slice key_value_lines);
/* Ends the loop; child_main cleans up and returns 0. */
void proc_end(struct proc *p);

/* One line of `letterlock status`: subject "session", "listener"...; state: what it waits for; since_s 0:
 * unknown. */
void proc_status_put(
    struct proc_status *out, const char *subject, uint64_t id, const char *state, int64_t since_s,
    struct slice detail);

#endif

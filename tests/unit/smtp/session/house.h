/* house.h - two keepers with real stores on one loop; the gate and the vault are the other ends of real channels. */
#ifndef TESTS_SMTP_HOUSE_H
#define TESTS_SMTP_HOUSE_H

#include "store/harness.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "cases.h"
#include "keeper/env.h"
#include "keeper/grants.h"
#include "keeper/session.h"
#include "smtp/session/arrivals.h"
#include "smtp/session/submission.h"

enum { KEEPERS = 2, ACCOUNTS = 48 };

struct house;
struct keeper {
    struct house *house;
    struct keeper_env env;
    struct scratch dir;
    struct arrivals *arrivals;
    struct channel *peers[KEEPERS]; /* as this keeper sees them */
    struct channel *gate, *vault;
};

struct house {
    struct loop *loop;
    struct pool *pool;
    struct keeper keeper[KEEPERS];
    struct channel *gate[KEEPERS], *vault[KEEPERS]; /* the other ends */
    struct account_id id[ACCOUNTS];
    bool vault_silent, peers_silent;
    unsigned asked, delivers;
    uint64_t next;
    /* the message being sent */
    int octets;
    bool answered;
    enum ipc_arrive_outcome outcome;
    uint64_t end_request;
};

/* ---- the other processes ---- */

static inline void on_keeper_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct keeper *k = owner;
    k->house->delivers += m->type == MSG_DELIVER;
    if (k->house->peers_silent && channel_peer(ch) == ROLE_KEEPER)
        return;
    arrivals_message(k->arrivals, ch, m);
}
static inline void on_keeper_closed(struct channel *ch, enum err why, void *owner)
{
    fail_msg("a channel of a keeper closed: %s", err_name(why));
}
static inline void on_vault_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
    struct house *h = owner;
    assert_int_equal(m->type, MSG_OWNS);
    h->asked++;
    if (h->vault_silent)
        return;
    bool mine = slice_eq(m->u.owns.address, S("alice@ours.test")) ||
                slice_eq(m->u.owns.address, S("a.lias@ours.test"));
    struct ipc_msg answer = {
        .type = MSG_OWNS_RESULT, .u.owns_result = {.outcome = mine ? OWNS_OUTCOME_YES : OWNS_OUTCOME_NO}};
    assert_ok(channel_answer(ch, m->id, &answer));
}
static inline void on_other_message(struct channel *ch, struct ipc_msg *m, void *owner)
{
}
static inline void on_other_closed(struct channel *ch, enum err why, void *owner)
{
}
static const struct channel_events keeper_events = {.message = on_keeper_message, .closed = on_keeper_closed};
static const struct channel_events vault_events = {.message = on_vault_message, .closed = on_other_closed};
static const struct channel_events gate_events = {.message = on_other_message, .closed = on_other_closed};

static inline void join(
    struct house *h, struct channel **a, enum ipc_role a_role, unsigned a_index,
    const struct channel_events *a_events, void *a_owner, struct channel **b, enum ipc_role b_role,
    unsigned b_index, const struct channel_events *b_events, void *b_owner)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    *a = channel_new(h->loop, pair[0], a_role, b_role, b_index, a_events, a_owner);
    *b = channel_new(h->loop, pair[1], b_role, a_role, a_index, b_events, b_owner);
}

static inline void join_keepers(struct house *h)
{
    struct keeper *k = h->keeper;
    join(
        h, &k[0].peers[1], ROLE_KEEPER, 0, &keeper_events, &k[0], &k[1].peers[0], ROLE_KEEPER, 1,
        &keeper_events, &k[1]);
}

static inline void part_keepers(struct house *h)
{
    channel_close(&h->keeper[0].peers[1]);
    channel_close(&h->keeper[1].peers[0]);
    arrivals_peer_down(h->keeper[0].arrivals, ROLE_KEEPER, 1);
    arrivals_peer_down(h->keeper[1].arrivals, ROLE_KEEPER, 0);
}

/* Account i belongs to keeper i % 2. */
static inline void make_ids(struct house *h)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < ACCOUNTS; i++)
        do {
            n++;
            memcpy(h->id[i].b, &n, sizeof n);
        } while (slot_owner(slot_of(&h->id[i]), KEEPERS) != i % 2);
}

static inline struct house *house_new(void)
{
    struct house *h = NEW(struct house);
    crypto_init();
    store_init();
    h->loop = loop_new();
    h->pool = pool_new(h->loop, 2, 4096);
    h->octets = -1;
    make_ids(h);
    for (unsigned i = 0; i < KEEPERS; i++) {
        struct keeper *k = &h->keeper[i];
        k->house = h;
        k->dir = scratch_new();
        struct accounts_options options = {.root = k->dir.fd};
        k->env = (struct keeper_env){
            .loop = h->loop,
            .accounts = accounts_new(h->loop, h->pool, &options),
            .sessions = sessions_new(h->loop),
            .index = i,
            .keepers = KEEPERS,
            .hostname = S("mx.test"),
            .message_limit = 1 << 20,
            .peers = k->peers};
        join(h, &h->gate[i], ROLE_GATE, 0, &gate_events, h, &k->gate, ROLE_KEEPER, i, &keeper_events, k);
        join(h, &h->vault[i], ROLE_VAULT, 0, &vault_events, h, &k->vault, ROLE_KEEPER, i, &keeper_events, k);
        k->env.vault = k->vault;
    }
    join_keepers(h);
    for (unsigned i = 0; i < KEEPERS; i++)
        assert_ok(arrivals_new(&h->keeper[i].env, h->pool, h->keeper[i].dir.fd, &h->keeper[i].arrivals));
    return h;
}

static inline void turns(struct house *h, int n)
{
    for (int i = 0; i < n; i++)
        loop_turn(h->loop, 1);
}

static inline void house_free(struct house *h)
{
    turns(h, 5);
    if (h->octets >= 0)
        close(h->octets);
    for (unsigned i = 0; i < KEEPERS; i++) {
        struct keeper *k = &h->keeper[i];
        bool stopped = false;
        sessions_end_all(k->env.sessions, END_STOPPING);
        arrivals_stop(k->arrivals);
        accounts_stop(k->env.accounts, store_stopped, &stopped);
        TURN_UNTIL(h->loop, stopped);
    }
    for (unsigned i = 0; i < KEEPERS; i++) {
        struct keeper *k = &h->keeper[i];
        arrivals_free(&k->arrivals);
        channel_close(&k->gate);
        channel_close(&k->vault);
        channel_close(&k->peers[1 - i]);
        channel_close(&h->gate[i]);
        channel_close(&h->vault[i]);
        accounts_free(&k->env.accounts);
        sessions_free(&k->env.sessions);
        scratch_free(&k->dir);
    }
    pool_free(&h->pool);
    loop_free(&h->loop);
    mem_free(&h);
}

/* ---- a gate's doings ---- */

struct letter {
    const char *from;  /* "" */
    unsigned first, n; /* recipients: accounts first, first + 1, ... */
    unsigned step;     /* every `step`-th */
    uint64_t session;  /* submission */
};

static inline void begin(struct house *h, const struct letter *l)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    h->octets = pair[0];
    h->answered = false;
    h->next++;
    struct ipc_msg m = {
        .type = MSG_ARRIVE_BEGIN,
        .fd_count = 1,
        .fds = {pair[1]},
        .u.arrive_begin = {
            .arrival = h->next,
            .session = l->session,
            .service = l->session ? SERVICE_SUBMISSION : SERVICE_MX,
            .reverse_path = slice_str(l->from),
            .recipients = (uint16_t)l->n,
            .trace = S("Received: by mx.test\r\n")}};
    assert_ok(channel_send(h->gate[0], &m));
    for (unsigned i = 0; i < l->n; i++) {
        unsigned to = l->first + i * (l->step ? l->step : 1);
        char address[32];
        snprintf(address, sizeof address, "u%u@ours.test", to);
        m = (struct ipc_msg){
            .type = MSG_ARRIVE_RCPT,
            .u.arrive_rcpt = {
                .arrival = h->next,
                .account = h->id[to],
                .slot = slot_of(&h->id[to]),
                .address = slice_str(address),
                .recipient = slice_str(address)}};
        assert_ok(channel_send(h->gate[0], &m));
    }
    turns(h, 1);
}

static inline void put_all(struct house *h, const void *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t done = send(h->octets, (const char *)p + at, n - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done > 0)
            at += (size_t)done;
        else if (errno == EAGAIN)
            turns(h, 1);
        else
            return; /* the keeper wants no more */
    }
}

static inline void put(struct house *h, struct slice octets, size_t piece)
{
    for (size_t at = 0; at < octets.n; at += piece) {
        struct slice part = slice_sub(octets, at, piece);
        uint32_t length = htole32((uint32_t)part.n);
        put_all(h, &length, sizeof length);
        put_all(h, part.p, part.n);
    }
}

static inline void on_result(void *owner, enum err why, struct ipc_msg *m)
{
    struct house *h = owner;
    h->answered = true;
    h->outcome = why == OK ? m->u.arrive_result.outcome : ARRIVE_OUTCOME_N;
}

static inline void ask(struct house *h)
{
    struct ipc_msg m = {.type = MSG_ARRIVE_END, .u.arrive_end = {.arrival = h->next}};
    assert_ok(channel_request(h->gate[0], &m, 0, on_result, h, &h->end_request));
}

static inline void cancel(struct house *h)
{
    struct ipc_msg m = {.type = MSG_ARRIVE_CANCEL, .u.arrive_cancel = {.arrival = h->next}};
    assert_ok(channel_send(h->gate[0], &m));
}

static inline void wait_for_answer(struct house *h)
{
    TURN_UNTIL(h->loop, h->answered);
    close(TAKE(h->octets, -1));
}

static inline enum ipc_arrive_outcome post(struct house *h, const struct letter *l, struct slice octets)
{
    uint32_t end = 0;
    begin(h, l);
    put(h, octets, 20000);
    put_all(h, &end, sizeof end);
    ask(h);
    wait_for_answer(h);
    return h->outcome;
}

/* ---- what lies in an account ---- */

static inline struct account *enter(struct house *h, unsigned i)
{
    struct store view = {.loop = h->loop};
    struct account *a = account_ref(h->keeper[i % 2].env.accounts, &h->id[i]);
    assert_ok(store_enter(&view, a));
    return a;
}

static inline unsigned copies(struct house *h, unsigned i)
{
    struct account *a = enter(h, i);
    const struct mailbox *box = NULL;
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    unsigned n = box->messages;
    account_unref(&a);
    return n;
}

/* The newest message of account i; good until the next one is read. */
static inline struct slice newest_whole(struct house *h, unsigned i)
{
    static struct buf got = {.limit = 4 << 20};
    buf_clear(&got);
    struct account *a = enter(h, i);
    struct mailbox_id inbox = store_box(a, "INBOX");
    const struct mailbox *box = NULL;
    assert_ok(mailbox_by_id(a, inbox, &box));
    struct message m;
    struct body_reader *r = NULL;
    assert_ok(message_find(a, inbox, (struct uid){box->uidnext - 1}, NULL, &m));
    assert_ok(body_open(a, m.body, &r));
    for (struct slice piece; body_read(r, got.n, 65536, &piece) == OK && piece.n;)
        buf_put(&got, piece);
    body_close(&r);
    account_unref(&a);
    return buf_slice(&got);
}

/* Octet for octet, with what this server put on top. */
static inline bool newest_is(struct house *h, unsigned i, const char *from, struct slice octets)
{
    struct buf want CLEANUP_BUF = BUF_INIT(4 << 20);
    buf_printf(
        &want, "Return-Path: <%s>\r\nDelivered-To: u%u@ours.test\r\nReceived: by mx.test\r\n", from, i);
    buf_put(&want, octets);
    return slice_eq(buf_slice(&want), newest_whole(h, i));
}

/* The newest message without what this server put on top. */
static inline struct slice newest(struct house *h, unsigned i)
{
    struct slice s = newest_whole(h, i);
    return slice_from(s, slice_search(s, S("Received: by mx.test\r\n")) + 22);
}

static inline unsigned files_in_tmp(const struct house *h)
{
    unsigned n = 0;
    for (unsigned k = 0; k < KEEPERS; k++)
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            char path[16];
            snprintf(path, sizeof path, "%02x/tmp", slot);
            int fd = openat(h->keeper[k].dir.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            DIR *d = fd < 0 ? NULL : fdopendir(fd);
            for (struct dirent *e; d && (e = readdir(d));)
                n += e->d_name[0] != '.';
            if (d)
                closedir(d);
        }
    return n;
}

static inline struct slice big_message(struct buf *b, size_t n)
{
    buf_put(b, S("Subject: big\r\n\r\n"));
    for (unsigned i = 0; b->n < n; i++)
        buf_printf(b, "line %u of a long message\r\n", i);
    return buf_slice(b);
}

#endif

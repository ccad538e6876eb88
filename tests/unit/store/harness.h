/* harness.h - a store for a test: loop, pool, a scratch folder, and waiting for what comes later. Every close checks the
 * account's invariants. */
#ifndef UNIT_STORE_HARNESS_H
#define UNIT_STORE_HARNESS_H

#include "test.h"

#include "scratch.h"
#include "turning.h"

#include "base/mem.h"
#include "crypto/random.h"
#include "db/disk.h"
#include "store/body.h"
#include "store/change.h"
#include "store/check.h"
#include "store/delivery.h"
#include "store/quota.h"

struct store {
    struct scratch dir;
    struct loop *loop;
    struct pool *pool;
    struct accounts *all;
    struct accounts_options options;
    char last_event[32];
    unsigned made, opened, healed, poisoned, closed, checkpointed, damaged;
};

static inline void
store_event(void *owner, const struct account_id *id, const char *what, enum err why, struct slice text)
{
    struct store *s = owner;
    (void)id;
    (void)why;
    (void)text;
    s->made += strcmp(what, "made") == 0;
    s->opened += strcmp(what, "opened") == 0;
    s->healed += strcmp(what, "healed") == 0;
    s->poisoned += strcmp(what, "poisoned") == 0;
    s->closed += strcmp(what, "closed") == 0;
    s->checkpointed += strcmp(what, "checkpointed") == 0;
    s->damaged += strcmp(what, "damaged") == 0;
}

static inline void store_start(struct store *s)
{
    crypto_init();
    store_init();
    s->loop = loop_new();
    s->pool = pool_new(s->loop, 2, 1024);
    s->options.root = s->dir.fd;
    s->options.event = store_event;
    s->options.owner = s;
    s->all = accounts_new(s->loop, s->pool, &s->options);
}

static inline void store_stopped(void *owner)
{
    *(bool *)owner = true;
}

static inline void store_stop(struct store *s)
{
    bool stopped = false;
    accounts_stop(s->all, store_stopped, &stopped);
    TURN_UNTIL(s->loop, stopped);
    accounts_free(&s->all);
    pool_free(&s->pool);
    loop_free(&s->loop);
}

static inline void store_ready(struct account_wait *w)
{
    *(bool *)w->owner = true;
}

/* Waits until the account can be used, or will not be. */
static inline enum err store_enter(struct store *s, struct account *a)
{
    for (;;) {
        bool ready = false;
        struct account_wait w = {.ready = store_ready, .owner = &ready};
        enum err e = account_enter(a, &w);
        if (e != ERR_AGAIN)
            return e;
        TURN_UNTIL(s->loop, ready);
        account_wait_stop(&w);
    }
}

struct synced_flag {
    struct synced_wait wait;
    bool called;
    enum err e;
};
static inline void store_synced(struct synced_wait *w, enum err e)
{
    struct synced_flag *f = w->owner;
    f->called = true;
    f->e = e;
}

/* Waits until everything committed so far is synced, or lost. */
static inline enum err store_sync(struct store *s, struct account *a)
{
    struct synced_flag f = {.wait = {.synced = store_synced}};
    f.wait.owner = &f;
    synced_wait_start(&f.wait, a, account_committed(a));
    TURN_UNTIL(s->loop, f.called);
    return f.e;
}

static inline void store_check_now(struct store *s, struct account *a)
{
    struct buf lines CLEANUP_BUF = BUF_INIT(65536);
    assert_ok(store_enter(s, a));
    enum err e = store_check(a, true, &lines);
    if (e != OK)
        fail_msg("%s: %.*s", err_name(e), SLICE_ARG(buf_slice(&lines)));
}

static inline struct account *store_account(struct store *s, uint8_t n)
{
    struct account_id id = {{n, 1, 2, 3}};
    struct account *a = account_ref(s->all, &id);
    assert_ok(store_enter(s, a));
    return a;
}

static inline void store_finished(struct body_writer *w, enum err e, void *owner)
{
    (void)w;
    *(enum err *)owner = e;
}

/* A finished body of these octets. */
static inline enum err
store_body(struct store *s, struct account *a, struct slice octets, struct body_writer **ret_writer)
{
    struct body_writer *w = NULL;
    enum err finished = ERR_AGAIN;
    TRY(body_writer_new(a, octets.n, &w));
    enum err e = body_feed(w, octets);
    if (e == OK)
        e = body_finish(w, store_finished, &finished);
    if (e == ERR_AGAIN) {
        TURN_UNTIL(s->loop, finished != ERR_AGAIN);
        e = finished;
    }
    if (e != OK)
        body_writer_free(&w);
    else
        *ret_writer = w;
    return e;
}

static inline enum err store_append(
    struct store *s, struct account *a, struct mailbox_id box, struct slice octets, uint32_t flags,
    struct uid *ret_uid)
{
    struct body_writer *w = NULL;
    TRY(store_body(s, a, octets, &w));
    TRY(store_enter(s, a));
    struct append what = {.body = w, .flags = {.system = flags}, .internal_date = 1700000000};
    enum err e = message_append(a, box, &what, ret_uid);
    body_writer_free(&w);
    return e;
}

static inline struct mailbox_id store_box(struct account *a, const char *name)
{
    const struct mailbox *box = NULL;
    assert_ok(mailbox_find(a, slice_str(name), &box));
    return box->id;
}

/* Is the body of this message exactly these octets? */
static inline void
store_assert_body(struct account *a, struct mailbox_id box, struct uid uid, struct slice wanted)
{
    struct message m;
    struct body_reader *r = NULL;
    struct slice piece = SLICE_EMPTY;
    assert_ok(message_find(a, box, uid, NULL, &m));
    assert_int_equal(m.size, wanted.n);
    assert_ok(body_open(a, m.body, &r));
    for (uint64_t at = 0; at < wanted.n; at += piece.n) {
        assert_ok(body_read(r, at, SIZE_MAX, &piece));
        assert_true(piece.n > 0 && piece.n <= wanted.n - at);
        assert_memory_equal(piece.p, wanted.p + at, piece.n);
    }
    assert_ok(body_read(r, wanted.n, 1, &piece));
    assert_int_equal(piece.n, 0);
    body_close(&r);
}

static inline int store_set_up(void **state)
{
    struct store *s = NEW(struct store);
    s->dir = scratch_new();
    store_start(s);
    *state = s;
    return 0;
}

static inline int store_tear_down(void **state)
{
    struct store *s = *state;
    store_stop(s);
    scratch_free(&s->dir);
    mem_free(&s);
    return 0;
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, store_set_up, store_tear_down)

#endif

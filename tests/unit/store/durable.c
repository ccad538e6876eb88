/* Output commit: order of write, sync and word; failed syncs; checkpoints; who is open; removal; snapshots; transit. */
#include "harness.h"

#include "crashdisk.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store/snapshot.h"
#include "store/transit.h"

static struct crash_disk *record(void)
{
    struct crash_image empty = crash_image_new();
    struct crash_disk *d = crash_start(&empty);
    crash_image_done(&empty);
    return d;
}

static void forget(struct crash_disk *d)
{
    crash_stop();
    crash_free(&d);
}

struct ack {
    struct synced_wait wait;
    struct crash_disk *disk;
    int number;
    bool called;
    enum err e;
};

static void on_ack(struct synced_wait *w, enum err e)
{
    struct ack *k = w->owner;
    k->called = true;
    k->e = e;
    if (e == OK)
        crash_mark(k->disk, k->number);
}

static void ask(struct ack *k, struct account *a, struct crash_disk *d, int number)
{
    *k = (struct ack){.wait = {.synced = on_ack, .owner = k}, .disk = d, .number = number};
    synced_wait_start(&k->wait, a, account_committed(a));
}

static int last_before(const struct crash_disk *d, int from, enum crash_kind kind, int inode)
{
    for (int i = from - 1; i >= 0; i--)
        if (d->ops[i].kind == kind && (inode < 0 || d->ops[i].inode == inode))
            return i;
    return -1;
}

/* T-265, INV-10: for each word, the last write of the log before its commit < beginning of a sync < the word. */
static void the_word_comes_after_the_sync(void **state)
{
    struct store *s = *state;
    enum { N = 1000 };
    struct crash_disk *d = record();
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct ack *acks = mem_alloc(N * sizeof *acks);
    int *written = mem_alloc(N * sizeof *written);
    struct uid uid;
    for (int i = 0; i < N; i++) {
        if (i % 3)
            assert_ok(store_append(s, a, inbox, S("A: b\r\n\r\nbody"), 0, &uid));
        else {
            struct flags_change c = {
                .how = i % 2 ? FLAGS_ADD : FLAGS_REMOVE,
                .flags = {FLAG_SEEN, 0},
                .unchanged_since = MODSEQ_ANY};
            assert_ok(store_enter(s, a));
            assert_ok(message_store_flags(a, inbox, &(struct uid_range){1, 5}, 1, &c, NULL, NULL));
        }
        written[i] = last_before(d, d->count, CRASH_WRITE, -1);
        ask(&acks[i], a, d, i);
        assert_false(acks[i].called);
        if (i % 7 == 0)
            loop_turn(s->loop, 1);
    }
    assert_ok(store_sync(s, a));
    for (int k = 0; k < d->count; k++) {
        if (d->ops[k].kind != CRASH_MARK)
            continue;
        int i = d->ops[k].covers, log = d->ops[written[i]].inode, sync = k;
        do
            sync = last_before(d, sync, CRASH_SYNC, log);
        while (sync >= 0 && d->ops[sync].covers <= written[i]);
        assert_true(sync >= 0 && sync < k);
    }
    for (int i = 0; i < N; i++)
        assert_true(acks[i].called && acks[i].e == OK);
    account_unref(&a);
    forget(d);
    free(acks);
    free(written);
    report_threat("T-265", N);
}

struct ending {
    struct account_guest guest;
    int count;
    enum err why;
};
static void on_ended(struct account_guest *g, enum err why)
{
    struct ending *e = g->owner;
    e->count++;
    e->why = why;
}

/* T-265, INV-11: the k-th sync fails. Nothing of that account is acknowledged after it, other accounts are, and the account
 * serves again once its log was written, synced and checkpointed. */
static void one_round_with_a_failing_sync(int k)
{
    struct store s = {.dir = scratch_new()};
    struct crash_disk *d = record();
    store_start(&s);
    struct account *a = store_account(&s, 1), *b = store_account(&s, 2);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct ending ended = {.guest = {.ended = on_ended, .owner = &ended}};
    account_guest_add(a, &ended.guest);
    d->fault_op = DISK_SYNC;
    d->fault_errno = EIO;
    d->fault_seen = 0;
    d->fault_at = k;
    enum { N = 60 };
    struct ack acks[N];
    struct uid uid;
    int given = 0, acked = 0;
    for (int i = 0; i < N && ended.count == 0; i++, given++) {
        if (store_append(&s, a, inbox, S("A: b\r\n\r\nbody"), 0, &uid) != OK)
            break;
        ask(&acks[i], a, d, i);
        if (i % 3 == 2)
            TURN_UNTIL(s.loop, acks[i].called);
    }
    for (int i = 0; i < given; i++)
        TURN_UNTIL(s.loop, acks[i].called);
    for (int i = 0; i < 20; i++)
        loop_turn(s.loop, 1);
    bool lost = false;
    for (int i = 0; i < given; i++) {
        lost = lost || acks[i].e != OK;
        assert_true(!lost || acks[i].e == ERR_UNAVAILABLE); /* never a word after the failure */
        acked += acks[i].e == OK;
    }
    assert_int_equal(lost, s.poisoned > 0);
    assert_int_equal(ended.count, s.poisoned > 0);
    if (ended.count)
        assert_int_equal(ended.why, ERR_UNAVAILABLE);
    /* The other account is served. */
    assert_ok(store_append(&s, b, store_box(b, "INBOX"), S("A: b\r\n\r\n"), 0, &uid));
    assert_ok(store_sync(&s, b));
    /* And so is this one again. */
    assert_ok(store_enter(&s, a));
    assert_int_equal(s.healed, s.poisoned);
    const struct mailbox *box = NULL;
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    assert_true((int)box->messages >= acked && (int)box->messages <= given);
    assert_ok(store_append(&s, a, box->id, S("A: b\r\n\r\nafter"), 0, &uid));
    assert_ok(store_sync(&s, a));
    store_check_now(&s, a);
    account_guest_drop(&ended.guest);
    account_unref(&a);
    account_unref(&b);
    crash_stop();
    crash_free(&d);
    store_stop(&s);
    scratch_free(&s.dir);
}

static void a_failed_sync_acknowledges_nothing(void **state)
{
    (void)state;
    enum { ROUNDS = 12 };
    for (int k = 1; k <= ROUNDS; k++)
        one_round_with_a_failing_sync(k);
    report_threat("T-265", ROUNDS);
}

struct late {
    struct account_wait wait;
    int count;
};
static void on_late(struct account_wait *w)
{
    ++((struct late *)w->owner)->count;
}

/* INV-12, and a checkpoint that makes nobody else wait. */
static void during_a_checkpoint_that_account_waits(void **state)
{
    struct store *s = *state;
    store_stop(s);
    s->options.checkpoint_size = 100000;
    store_start(s);
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct late late = {.wait = {.ready = on_late, .owner = &late}};
    struct uid uid;
    int waited = 0;
    for (int i = 0; i < 200; i++) {
        enum err e = account_enter(a, &late.wait);
        if (e == ERR_AGAIN) {
            waited++;
            TURN_UNTIL(s->loop, (e = account_enter(a, &late.wait)) != ERR_AGAIN);
        }
        assert_ok(e);
        struct body_writer *w = NULL;
        assert_ok(body_writer_new(a, 0, &w));
        assert_ok(body_feed(w, S("A: b\r\n\r\nbody")));
        assert_ok(body_finish(w, NULL, NULL));
        struct append what = {.body = w};
        assert_ok(message_append(a, inbox, &what, &uid));
        body_writer_free(&w);
        loop_turn(s->loop, 0);
    }
    account_wait_stop(&late.wait);
    assert_true(s->checkpointed > 0);
    assert_true(waited > 0);
    store_check_now(s, a);
    account_unref(&a);
}

/* INV-13. */
static void few_are_open_and_all_are_served(void **state)
{
    struct store *s = *state;
    store_stop(s);
    s->options.open_max = 3;
    store_start(s);
    struct account *all[10];
    struct uid uid;
    for (int i = 0; i < 10; i++)
        all[i] = store_account(s, (uint8_t)(i + 1));
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 10; i++) {
            assert_ok(store_enter(s, all[i]));
            assert_ok(store_append(s, all[i], store_box(all[i], "INBOX"), S("A: b\r\n\r\n"), 0, &uid));
            assert_int_equal(uid.v, round + 1);
            TURN_UNTIL(s->loop, accounts_status(s->all).open <= 3);
        }
    assert_true(s->closed >= 20);
    for (int i = 0; i < 10; i++) {
        store_check_now(s, all[i]);
        account_unref(&all[i]);
    }
    assert_int_equal(s->poisoned, 0);
}

/* T-264: another keeper must not have the same account. */
static void on_change(struct change_watch *w)
{
    ++*(int *)w->owner;
}

/* Whoever only waits keeps no database open, and hears of the next change all the same. */
static void nobody_keeps_an_idle_account_open(void **state)
{
    struct store *s = *state;
    store_stop(s);
    s->options.idle_ms = 60000;
    store_start(s);
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    struct uid uid;
    assert_ok(store_append(s, a, inbox, S("A: b\r\n\r\n"), 0, &uid));
    int changes = 0;
    struct change_watch watch = {.changed = on_change, .owner = &changes};
    change_watch_start(&watch, a, inbox);
    /* Somebody who looks in again and again keeps it open. */
    int64_t later = 0;
    for (int i = 0; i < 20; i++) {
        clock_set_offset(later += 10000);
        loop_turn(s->loop, 5);
        assert_ok(store_enter(s, a));
    }
    assert_int_equal(s->closed, 0);
    clock_set_offset(later += 1000000);
    TURN_UNTIL(s->loop, accounts_status(s->all).open == 0);
    assert_int_equal(s->closed, 1);
    assert_true(s->checkpointed >= 1);
    assert_true(account_synced(a) >= account_committed(a));
    assert_ok(store_enter(s, a));
    assert_ok(store_append(s, a, inbox, S("A: c\r\n\r\n"), 0, &uid));
    assert_int_equal(uid.v, 2);
    assert_int_equal(changes, 1);
    change_watch_stop(&watch);
    store_check_now(s, a);
    account_unref(&a);
    assert_int_equal(s->poisoned, 0);
}

static void another_process_is_refused(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    pid_t child = fork();
    if (child == 0) {
        struct store other = {.dir = s->dir};
        store_start(&other);
        struct account_id id = *account_id(a);
        struct account *b = account_ref(other.all, &id);
        struct late late = {.wait = {.ready = on_late, .owner = &late}};
        enum err e = account_enter(b, &late.wait);
        if (e == ERR_AGAIN)
            TURN_UNTIL(other.loop, (e = account_enter(b, &late.wait)) != ERR_AGAIN);
        _exit(e == ERR_UNAVAILABLE ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    struct uid uid;
    assert_ok(store_append(s, a, store_box(a, "INBOX"), S("A: b\r\n\r\n"), 0, &uid));
    store_check_now(s, a);
    account_unref(&a);
    report_threat("T-264", 1);
}

static void write_path(struct store *s, struct account *a, const char *below, char out[160])
{
    const struct account_id *id = account_id(a);
    int n = snprintf(out, 160, "%s/%02x/", s->dir.path, slot_of(id));
    for (int i = 0; i < 16; i++)
        n += snprintf(out + n, (size_t)(160 - n), "%02x", id->b[i]);
    snprintf(out + n, (size_t)(160 - n), "/%s", below);
}

/* A folder without its database, and a database of another account, are damage and never a new mailbox. */
static void a_missing_or_foreign_file_is_damage(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1), *b = store_account(s, 2);
    char mine[160], other[160], kept[170];
    write_path(s, a, "mail.db", mine);
    write_path(s, b, "mail.db", other);
    account_unref(&a);
    account_unref(&b);
    store_stop(s);
    snprintf(kept, sizeof kept, "%s.kept", mine);
    assert_int_equal(rename(mine, kept), 0);
    store_start(s);
    a = account_ref(s->all, &(struct account_id){{1, 1, 2, 3}});
    assert_err(ERR_CORRUPT, store_enter(s, a));
    assert_err(ERR_CORRUPT, store_enter(s, a));
    account_unref(&a);
    assert_int_equal(rename(other, mine), 0);
    a = account_ref(s->all, &(struct account_id){{1, 1, 2, 3}});
    assert_err(ERR_CORRUPT, store_enter(s, a));
    account_unref(&a);
    assert_int_equal(rename(kept, mine), 0);
    a = store_account(s, 1);
    assert_int_equal(s->damaged, 2);
    account_unref(&a);
}

static void a_removed_account_is_gone(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct ending ended = {.guest = {.ended = on_ended, .owner = &ended}};
    char big[200000], path[160];
    struct uid uid;
    memset(big, 'x', sizeof big);
    assert_ok(store_append(s, a, store_box(a, "INBOX"), slice_of(big, sizeof big), 0, &uid));
    account_guest_add(a, &ended.guest);
    write_path(s, a, "", path);
    account_remove(a);
    struct late late = {.wait = {.ready = on_late, .owner = &late}};
    assert_err(ERR_GONE, account_enter(a, &late.wait));
    TURN_UNTIL(s->loop, ended.count);
    assert_int_equal(ended.why, ERR_GONE);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_err(ERR_GONE, account_enter(a, &late.wait));
    account_unref(&a);
}

/* ---------------------------------------------------------------------------------------------------- snapshots */

struct shot {
    bool done;
    enum err e;
};
static void on_shot(struct snapshot *s, enum err e, void *owner)
{
    (void)s;
    *(struct shot *)owner = (struct shot){true, e};
}

static void copy_to(int fd, uint64_t size, const char *path)
{
    int out = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(out >= 0);
    char *p = mem_alloc(size);
    assert_int_equal(pread(fd, p, size, 0), (ssize_t)size);
    assert_int_equal(write(out, p, size), (ssize_t)size);
    free(p);
    close(out);
    close(fd);
}

/* Its files in another store are a good account. */
static void restore_and_look(struct snapshot *snap, const struct account_id *id)
{
    struct store other = {.dir = scratch_new()};
    store_start(&other);
    struct account *b = account_ref(other.all, id);
    char folder[160], path[200];
    struct slice name;
    uint64_t size;
    int fd, files = 0;
    snprintf(folder, sizeof folder, "%s/%02x", other.dir.path, slot_of(id));
    assert_int_equal(mkdir(folder, 0700), 0);
    write_path(&other, b, "large", folder);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(path, sizeof path, "%s/large", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    while (snapshot_next(snap, &name, &size, &fd) == OK) {
        snprintf(path, sizeof path, "%s/%.*s", folder, SLICE_ARG(name));
        copy_to(fd, size, path);
        files++;
    }
    assert_int_equal(files, 1 + 3);
    store_check_now(&other, b);
    const struct mailbox *box = NULL;
    assert_ok(mailbox_find(b, S("INBOX"), &box));
    assert_true(box->messages >= 60);
    account_unref(&b);
    store_stop(&other);
    scratch_free(&other.dir);
}

static void a_snapshot_is_of_one_moment(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    char *big = mem_alloc(200000);
    memset(big, 'x', 200000);
    struct uid uid;
    uint64_t x = 7;
    for (int i = 0; i < 60; i++) {
        for (int k = 0; k < 90000; k += 8) {
            uint64_t r = crash_random(&x);
            memcpy(big + k, &r, 8);
        }
        assert_ok(store_append(s, a, inbox, slice_of(big, i % 20 ? 90000 : 200000), 0, &uid));
    }
    struct shot shot = {0};
    struct snapshot *snap = snapshot_new(a, on_shot, &shot);
    int during = 0;
    for (int i = 0; i < 5000 && !shot.done; i++) {
        loop_turn(s->loop, 1);
        if (!shot.done && store_append(s, a, inbox, S("A: b\r\n\r\nmeanwhile"), 0, &uid) == OK)
            during++;
    }
    assert_true(shot.done);
    assert_ok(shot.e);
    assert_true(during > 0);
    /* What goes now is still in the snapshot. */
    assert_ok(store_enter(s, a));
    assert_ok(message_expunge(a, inbox, &(struct uid_range){1, 60}, 1, false, NULL, NULL));
    assert_ok(store_sync(s, a));
    assert_ok(store_append(s, a, inbox, S("A: b\r\n\r\n"), 0, &uid));
    assert_ok(store_sync(s, a));
    restore_and_look(snap, account_id(a));
    snapshot_free(&snap);
    account_unref(&a);
    free(big);
}

static void a_snapshot_may_be_given_up(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    for (int turns = 0; turns < 4; turns++) {
        struct shot shot = {0};
        struct snapshot *snap = snapshot_new(a, on_shot, &shot);
        for (int i = 0; i < turns; i++)
            loop_turn(s->loop, 0);
        snapshot_free(&snap);
        for (int i = 0; i < 20; i++)
            loop_turn(s->loop, 1);
        assert_true(turns >= 2 || !shot.done);
    }
    store_check_now(s, a);
    account_unref(&a);
}

/* ------------------------------------------------------------------------------------------------------ transit */

struct answer {
    bool done;
    enum err e;
    struct transit_item items[8];
    char meta[8][64];
    size_t count;
    int fd;
};
static void on_plain(void *owner, enum err e)
{
    struct answer *x = owner;
    x->done = true;
    x->e = e;
}
static void on_items(void *owner, enum err e, const struct transit_item *items, size_t count)
{
    struct answer *x = owner;
    on_plain(owner, e);
    x->count = count;
    for (size_t i = 0; i < count; i++) {
        x->items[i] = items[i];
        snprintf(x->meta[i], sizeof x->meta[i], "%.*s", SLICE_ARG(items[i].meta));
    }
}
static void on_fd(void *owner, enum err e, int fd)
{
    on_plain(owner, e);
    ((struct answer *)owner)->fd = fd;
}
static void await(struct store *s, struct answer *x)
{
    TURN_UNTIL(s->loop, x->done);
    assert_ok(x->e);
    x->done = false;
}

static int arrived(struct store *s, char *octets, size_t n)
{
    char path[100];
    uint64_t x = 5;
    for (size_t i = 0; i < n; i++)
        octets[i] = (char)crash_random(&x);
    snprintf(path, sizeof path, "%s/arrived", s->dir.path);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, octets, n), (ssize_t)n);
    return fd;
}

static void check_second(const struct answer *got, uint64_t size)
{
    assert_int_equal(got->count, 2);
    assert_string_equal(got->meta[1], "two!");
    assert_true(
        got->items[1].account.b[0] == 4 && got->items[1].size == size && got->items[1].octets.b[0] == 3);
}

static void hand_overs_survive(void **state)
{
    struct store *s = *state;
    enum { N = 600000 };
    char *octets = mem_alloc(N), *back = mem_alloc(N);
    int fd = arrived(s, octets, N);
    struct transit *t = transit_new(s->pool, s->dir.fd, 0x2a);
    struct transit_item items[2] = {
        {.delivery = {{1}},
         .account = {{2}},
         .octets = {{3}},
         .received_ms = 99,
         .meta = S("one"),
         .next_try_ms = 10},
        {.delivery = {{1}},
         .account = {{4}},
         .octets = {{3}},
         .received_ms = 99,
         .meta = S("two!"),
         .next_try_ms = 20},
    };
    struct answer got = {0};
    transit_put(t, fd, items, 2, on_plain, &got);
    await(s, &got);
    close(fd);
    transit_due(t, 15, 8, on_items, &got);
    await(s, &got);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.meta[0], "one");
    /* A new keeper finds them. */
    transit_free(&t);
    t = transit_new(s->pool, s->dir.fd, 0x2a);
    transit_due(t, 100, 8, on_items, &got);
    await(s, &got);
    check_second(&got, N);
    uint64_t first = got.items[0].id, second = got.items[1].id;
    transit_later(t, first, 5000, on_plain, &got);
    await(s, &got);
    transit_due(t, 100, 8, on_items, &got);
    await(s, &got);
    assert_true(got.count == 1 && got.items[0].id == second);
    transit_done(t, second, on_plain, &got);
    await(s, &got);
    transit_octets(t, first, on_fd, &got);
    await(s, &got);
    assert_int_equal(pread(got.fd, back, N, 0), N);
    assert_memory_equal(back, octets, N);
    assert_int_equal(fcntl(got.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    close(got.fd);
    transit_due(t, 6000, 8, on_items, &got);
    await(s, &got);
    assert_true(got.count == 1 && got.items[0].tries == 1);
    transit_done(t, first, on_plain, &got);
    await(s, &got);
    transit_done(t, first, on_plain, &got); /* twice is fine */
    await(s, &got);
    transit_due(t, INT64_MAX, 8, on_items, &got);
    await(s, &got);
    assert_int_equal(got.count, 0);
    transit_free(&t);
    free(octets);
    free(back);
}

/* A copy taken while hand-overs wait is a transit.db of its own, with all that was acknowledged. */
static void hand_overs_are_copied(void **state)
{
    struct store *s = *state;
    enum { N = 600000 };
    char *octets = mem_alloc(N), *back = mem_alloc(N + 65536);
    int fd = arrived(s, octets, N);
    struct transit *t = transit_new(s->pool, s->dir.fd, 0x2a);
    struct transit_item item = {.delivery = {{1}}, .account = {{2}}, .octets = {{3}}, .meta = S("one")};
    struct answer got = {0};
    transit_put(t, fd, &item, 1, on_plain, &got);
    await(s, &got);
    close(fd);
    transit_snapshot(t, on_fd, &got);
    await(s, &got);
    int copy = got.fd;
    assert_int_equal(fcntl(copy, F_GETFL) & O_ACCMODE, O_RDONLY);
    transit_due(t, 100, 8, on_items, &got);
    await(s, &got);
    transit_done(t, got.items[0].id, on_plain, &got); /* later than the copy */
    await(s, &got);
    transit_free(&t);
    /* restored in another place */
    struct scratch other = scratch_new();
    assert_int_equal(mkdirat(other.fd, "2a", 0700), 0);
    int to = openat(other.fd, "2a/transit.db", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t n;
    for (off_t at = 0; (n = pread(copy, back, 65536, at)) > 0; at += n)
        assert_int_equal(pwrite(to, back, (size_t)n, at), n);
    close(to);
    close(copy);
    t = transit_new(s->pool, other.fd, 0x2a);
    transit_due(t, 100, 8, on_items, &got);
    await(s, &got);
    assert_int_equal(got.count, 1);
    assert_string_equal(got.meta[0], "one");
    transit_octets(t, got.items[0].id, on_fd, &got);
    await(s, &got);
    assert_int_equal(pread(got.fd, back, N + 1, 0), N);
    assert_memory_equal(back, octets, N);
    close(got.fd);
    transit_free(&t);
    scratch_free(&other);
    free(octets);
    free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(during_a_checkpoint_that_account_waits),
        STORE_TEST(few_are_open_and_all_are_served),
        STORE_TEST(nobody_keeps_an_idle_account_open),
        STORE_TEST(another_process_is_refused),
        STORE_TEST(a_missing_or_foreign_file_is_damage),
        STORE_TEST(a_removed_account_is_gone),
        STORE_TEST(a_snapshot_is_of_one_moment),
        STORE_TEST(a_snapshot_may_be_given_up),
        STORE_TEST(hand_overs_survive),
        STORE_TEST(hand_overs_are_copied),
        STORE_TEST(the_word_comes_after_the_sync),
        cmocka_unit_test(a_failed_sync_acknowledges_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

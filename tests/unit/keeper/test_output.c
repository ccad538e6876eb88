/* INV-35: no reply leaves before the commit it speaks of is synced; a failed sync says nothing, ever. */
#include "store/harness.h"

#include <errno.h>
#include <sys/socket.h>

#include "keeper/output.h"

struct fixture {
    struct store store;
    struct account *account;
    struct stream *stream;
    struct output out;
    int client;
    int released, failed;
    enum err why;
};

static void on_input(struct stream *s, void *owner)
{
    (void)s;
    (void)owner;
}
static void on_closed(struct stream *s, enum err why, void *owner)
{
    (void)s;
    (void)why;
    (void)owner;
}
static void on_released(struct output *o, void *owner)
{
    (void)o;
    ((struct fixture *)owner)->released++;
}
static void on_failed(struct output *o, enum err why, void *owner)
{
    (void)o;
    ((struct fixture *)owner)->failed++;
    ((struct fixture *)owner)->why = why;
}

static struct fixture *fixture_new(void)
{
    static const struct stream_events events = {.input = on_input, .closed = on_closed};
    static const struct stream_limits limits = {.input = 100, .output_high = 65536, .output_max = 10000000};
    static const struct output_events output_events = {.released = on_released, .failed = on_failed};
    struct fixture *f = NEW(struct fixture);
    f->store.dir = scratch_new();
    store_start(&f->store);
    f->account = account_ref(f->store.all, &(struct account_id){.b = {0x42}});
    assert_ok(store_enter(&f->store, f->account));
    int fds[2];
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds));
    f->client = fds[1];
    f->stream = stream_new(f->store.loop, fds[0], &limits, &events, f);
    output_init(&f->out, f->store.loop, f->stream, f->account, &output_events, f);
    return f;
}

static void fixture_free(struct fixture *f)
{
    output_done(&f->out);
    stream_close(&f->stream);
    close(f->client);
    account_unref(&f->account);
    store_stop(&f->store);
    scratch_free(&f->store.dir);
    free(f);
}

/* What the client has got by now. */
static struct slice got(struct fixture *f)
{
    static char text[4096];
    static size_t n;
    n = 0;
    ssize_t more = read(f->client, text, sizeof text);
    if (more > 0)
        n = (size_t)more;
    return slice_of(text, n);
}

static void settle(struct fixture *f)
{
    TURN_UNTIL(
        f->store.loop,
        !output_is_held(&f->out) && account_synced(f->account) >= account_committed(f->account));
    loop_turn(f->store.loop, 1);
}

static void reply_waits_for_its_commit(void **unused)
{
    (void)unused;
    struct fixture *f = fixture_new();
    settle(f);
    output_printf(&f->out, "first\n");
    output_commit(&f->out);
    assert_false(output_is_held(&f->out)); /* nothing is being synced: it may leave */
    assert_ok(store_enter(&f->store, f->account));
    assert_ok(mailbox_subscribe(f->account, S("news"), true));
    output_printf(&f->out, "second\n");
    output_commit(&f->out);
    assert_true(output_is_held(&f->out));
    output_printf(&f->out, "third\n"); /* looked at nothing, but the order is kept */
    output_commit_free_of_state(&f->out);
    assert_slice("second\nthird\n", buf_slice(&f->out.held));
    settle(f);
    assert_slice("first\nsecond\nthird\n", got(f));
    assert_int_equal(1, f->released);
    fixture_free(f);
}

static int fail_sync(struct disk_hook *h, const struct disk_call *call)
{
    (void)h;
    return call->op == DISK_SYNC ? EIO : 0;
}

static void ignore_after(struct disk_hook *h, const struct disk_call *call)
{
    (void)h;
    (void)call;
}

static void failed_sync_says_nothing(void **unused)
{
    (void)unused;
    struct fixture *f = fixture_new();
    settle(f);
    struct disk_hook hook = {.before = fail_sync, .after = ignore_after};
    assert_ok(store_enter(&f->store, f->account));
    assert_ok(mailbox_subscribe(f->account, S("news"), true));
    output_printf(&f->out, "OK done\n");
    output_commit(&f->out);
    disk_set_hook(&hook);
    TURN_UNTIL(f->store.loop, f->failed);
    disk_set_hook(NULL);
    assert_int_equal(1, f->failed);
    assert_int_equal(ERR_UNAVAILABLE, f->why);
    output_printf(&f->out, "later\n");
    output_commit(&f->out);
    loop_turn(f->store.loop, 5);
    assert_int_equal(0, got(f).n);
    report_threat("T-266", 1);
    fixture_free(f);
}

static void many_commits_many_marks(void **unused)
{
    (void)unused;
    struct fixture *f = fixture_new();
    settle(f);
    char wanted[4096];
    size_t n = 0;
    for (int i = 0; i < 200; i++) {
        assert_ok(store_enter(&f->store, f->account));
        assert_ok(mailbox_subscribe(f->account, S("news"), i % 2 == 0));
        output_printf(&f->out, "reply %d\n", i);
        output_commit(&f->out);
        n += (size_t)sprintf(wanted + n, "reply %d\n", i);
        if (i % 50 == 0)
            loop_turn(f->store.loop, 0);
    }
    settle(f);
    assert_true(slice_eq(got(f), slice_of(wanted, n)));
    fixture_free(f);
}

static void held_has_a_ceiling(void **unused)
{
    (void)unused;
    struct fixture *f = fixture_new();
    settle(f);
    static char big[300000];
    assert_ok(store_enter(&f->store, f->account));
    assert_ok(mailbox_subscribe(f->account, S("news"), true));
    for (int i = 0; i < 6; i++) {
        buf_put(output_buf(&f->out), slice_of(big, sizeof big));
        output_commit(&f->out);
    }
    TURN_UNTIL(f->store.loop, f->failed);
    assert_int_equal(ERR_LIMIT, f->why);
    settle(f);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_waits_for_its_commit),
        cmocka_unit_test(failed_sync_says_nothing),
        cmocka_unit_test(many_commits_many_marks),
        cmocka_unit_test(held_has_a_ceiling),
    };
    return cmocka_run_group_tests_name("keeper/output", tests, NULL, NULL);
}

/* The pool: jobs run off the loop, report on it, and are bounded. */
#include "test.h"

#include <pthread.h>
#include <string.h>

#include "loop/pool.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    int inside;
};

struct work {
    struct job job;
    struct gate *gate;
    pthread_t worked_on, done_on;
    bool worked, done;
    int value;
};

static void work_at_gate(struct job *j)
{
    struct work *w = j->owner;
    pthread_mutex_lock(&w->gate->lock);
    w->gate->inside++;
    pthread_cond_broadcast(&w->gate->changed);
    while (!w->gate->open)
        pthread_cond_wait(&w->gate->changed, &w->gate->lock);
    pthread_mutex_unlock(&w->gate->lock);
    w->value *= 2;
    w->worked_on = pthread_self();
    w->worked = true;
}

static void on_done(struct job *j)
{
    struct work *w = j->owner;
    w->done_on = pthread_self();
    w->done = true;
}

static void open_gate(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->open = true;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void wait_inside(struct gate *g, int n)
{
    pthread_mutex_lock(&g->lock);
    while (g->inside < n)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static struct work new_work(struct gate *g, int value)
{
    return (struct work){.job = {.work = work_at_gate, .done = on_done}, .gate = g, .value = value};
}

static void test_queue_is_bounded_and_done_is_on_the_loop(void **state)
{
    (void)state;
    struct gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};
    struct loop *loop = loop_new();
    struct pool *pool = pool_new(loop, 2, 3);
    assert_non_null(pool);
    struct work w[6];
    for (int i = 0; i < 6; i++) {
        w[i] = new_work(&g, i);
        w[i].job.owner = &w[i];
    }
    assert_ok(pool_submit(pool, &w[0].job));
    assert_ok(pool_submit(pool, &w[1].job));
    wait_inside(&g, 2);
    for (int i = 2; i < 5; i++)
        assert_ok(pool_submit(pool, &w[i].job));
    assert_err(ERR_LIMIT, pool_submit(pool, &w[5].job));
    open_gate(&g);
    while (!(w[0].done && w[1].done && w[2].done && w[3].done && w[4].done))
        loop_turn(loop, 1000);
    for (int i = 0; i < 6; i++) {
        bool ran = i != 5;
        assert_int_equal(w[i].worked, ran);
        assert_int_equal(w[i].done, ran);
        if (!ran)
            continue;
        assert_int_equal(w[i].value, 2 * i);
        assert_true(pthread_equal(w[i].done_on, pthread_self()));
        assert_false(pthread_equal(w[i].worked_on, pthread_self()));
    }
    pool_free(&pool);
    assert_null(pool);
    pool_free(&pool);
    loop_free(&loop);
}

static void *open_soon(void *arg)
{
    wait_inside(arg, 1);
    open_gate(arg);
    return NULL;
}

static void test_free_waits_for_the_running_and_drops_the_waiting(void **state)
{
    (void)state;
    struct gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};
    struct loop *loop = loop_new();
    struct pool *pool = pool_new(loop, 1, 10);
    struct work w[3];
    for (int i = 0; i < 3; i++) {
        w[i] = new_work(&g, i);
        w[i].job.owner = &w[i];
        assert_ok(pool_submit(pool, &w[i].job));
        if (i == 0)
            wait_inside(&g, 1);
    }
    pthread_t opener;
    assert_int_equal(pthread_create(&opener, NULL, open_soon, &g), 0);
    pool_free(&pool);
    pthread_join(opener, NULL);
    assert_true(w[0].worked && w[0].done);
    assert_int_equal(w[1].worked, w[1].done);
    assert_int_equal(w[2].worked, w[2].done);
    loop_free(&loop);
}

struct repeat {
    struct job job;
    struct pool *pool;
    int left;
};

static void do_nothing(struct job *j)
{
    (void)j;
}

static void submit_again(struct job *j)
{
    struct repeat *r = j->owner;
    if (r->left-- > 0)
        assert_ok(pool_submit(r->pool, j));
}

static void test_done_may_submit_the_same_job(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct pool *pool = pool_new(loop, 2, 4);
    struct repeat r = {.job = {.work = do_nothing, .done = submit_again}, .pool = pool, .left = 1000};
    r.job.owner = &r;
    assert_ok(pool_submit(pool, &r.job));
    while (r.left >= 0)
        loop_turn(loop, 1000);
    pool_free(&pool);
    loop_free(&loop);
}

enum { PIECES = 100 };
struct table {
    int worked[PIECES], done[PIECES];
    pthread_t here;
    bool all_here; /* every piece was worked on here */
};

static void work_piece(void *owner, size_t i)
{
    struct table *t = owner;
    t->worked[i]++;
    if (!pthread_equal(pthread_self(), t->here))
        __atomic_store_n(&t->all_here, false, __ATOMIC_RELAXED);
}

static void done_piece(void *owner, size_t i)
{
    struct table *t = owner;
    assert_true(pthread_equal(pthread_self(), t->here));
    assert_int_equal(t->worked[i], 1);
    t->done[i]++;
}

static void test_pieces_are_all_done_once(void **state)
{
    static const struct {
        size_t count;
        unsigned threads;
        bool here;
    } cases[] = {{0, 4, true}, {1, 4, true}, {PIECES, 1, true}, {PIECES, 4, false}, {3, 8, false}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct table t = {.here = pthread_self(), .all_here = true};
        const struct pieces pieces = {work_piece, done_piece, &t}, silent = {work_piece, NULL, &t};
        assert_ok(pool_run_pieces(&pieces, cases[c].count, cases[c].threads));
        for (size_t i = 0; i < PIECES; i++)
            assert_int_equal(t.done[i], i < cases[c].count);
        assert_int_equal(t.all_here, cases[c].here);
        assert_ok(pool_run_pieces(&silent, cases[c].count, cases[c].threads));
        for (size_t i = 0; i < PIECES; i++)
            assert_int_equal(t.worked[i], 2 * (i < cases[c].count));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_is_bounded_and_done_is_on_the_loop),
        cmocka_unit_test(test_free_waits_for_the_running_and_drops_the_waiting),
        cmocka_unit_test(test_done_may_submit_the_same_job),
        cmocka_unit_test(test_pieces_are_all_done_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

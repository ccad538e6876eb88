#include "loop/pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct pool {
    struct loop *loop;
    struct watch wakes; /* of the eventfd: jobs are done */
    int eventfd;
    size_t queue_max;
    unsigned thread_count;
    pthread_t *threads;
    /* Below here: under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t work; /* a job waits, or the pool ends */
    struct list waiting;
    size_t waiting_count;
    unsigned idle; /* threads that wait for a job */
    struct list done;
    bool ending;
};

static void lock(struct pool *pool)
{
    int e = pthread_mutex_lock(&pool->lock);
    assert(e == 0);
}

static void unlock(struct pool *pool)
{
    int e = pthread_mutex_unlock(&pool->lock);
    assert(e == 0);
}

static void tell_loop(struct pool *pool)
{
    uint64_t one = 1;
    ssize_t n = write(pool->eventfd, &one, sizeof one);
    (void)n; /* fails only when the counter is full: then the loop is told already */
}

/* Called and returns with the lock held. */
static void run_job(struct pool *pool, struct job *j)
{
    list_drop(&j->link);
    pool->waiting_count--;
    unlock(pool);
    j->work(j);
    lock(pool);
    bool first = list_is_empty(&pool->done);
    list_add(&pool->done, &j->link); /* once the lock is free the job may be gone */
    if (!first)
        return; /* who was first tells it */
    unlock(pool);
    tell_loop(pool); /* without the lock, for which the loop would only wait */
    lock(pool);
}

static void *work(void *arg)
{
    struct pool *pool = arg;
    lock(pool);
    while (!pool->ending) {
        struct job *j = LIST_FIRST(&pool->waiting, struct job, link);
        if (j) {
            run_job(pool, j);
            continue;
        }
        pool->idle++;
        pthread_cond_wait(&pool->work, &pool->lock);
        pool->idle--;
    }
    unlock(pool);
    return NULL;
}

static void on_done(struct watch *w, unsigned what)
{
    struct pool *pool = w->owner;
    uint64_t count;
    (void)what;
    ssize_t n = read(pool->eventfd, &count, sizeof count);
    (void)n;
    /* What is done by now, and no more: jobs submitted by `done` callbacks wake the loop again. */
    struct list done;
    list_init(&done);
    lock(pool);
    LIST_EACH (&pool->done, struct job, link, j) {
        list_drop(&j->link);
        list_add(&done, &j->link);
    }
    unlock(pool);
    struct job *j;
    while ((j = LIST_FIRST(&done, struct job, link))) {
        list_drop(&j->link);
        j->done(j);
    }
}

/* Signals belong to the loop thread. */
static bool start_threads(struct pool *pool, unsigned wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; pool->thread_count < wanted; pool->thread_count++)
        if (pthread_create(&pool->threads[pool->thread_count], NULL, work, pool) != 0)
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool->thread_count == wanted;
}

struct pool *pool_new(struct loop *loop, unsigned threads, size_t queue_max)
{
    assert(threads > 0);
    struct pool *pool = NEW(struct pool);
    pool->loop = loop;
    pool->queue_max = queue_max;
    pool->threads = mem_alloc(threads * sizeof *pool->threads);
    list_init(&pool->waiting);
    list_init(&pool->done);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch_init(&pool->wakes, loop, pool->eventfd, on_done, pool);
    if (pool->eventfd >= 0)
        watch_set(&pool->wakes, WATCH_READ);
    if (pool->eventfd < 0 || !start_threads(pool, threads))
        pool_free(&pool);
    return pool;
}

void pool_free(struct pool **pool_at)
{
    struct pool *pool = *pool_at;
    if (!pool)
        return;
    lock(pool);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    unlock(pool);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    LIST_EACH (&pool->waiting, struct job, link, j)
        list_drop(&j->link);
    watch_stop(&pool->wakes);
    struct job *j;
    while ((j = LIST_FIRST(&pool->done, struct job, link))) {
        list_drop(&j->link);
        j->done(j);
    }
    file_close(&pool->eventfd);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    mem_free(pool_at);
}

fallible pool_submit(struct pool *pool, struct job *job)
{
    lock(pool);
    /* An idle thread takes a job at once: it does not count as waiting. */
    bool full = pool->waiting_count >= pool->queue_max + pool->idle || pool->ending;
    if (!full) {
        list_add(&pool->waiting, &job->link);
        pool->waiting_count++;
    }
    unlock(pool);
    if (!full)
        pthread_cond_signal(&pool->work); /* without the lock, for which the thread would only wait */
    return full ? ERR_LIMIT : OK;
}

/* ---------------------------------------------------------------------------------------- many pieces, and no more */

struct piece {
    struct job job;
    struct running *running;
    size_t i;
};
struct running {
    const struct pieces *pieces;
    struct loop *loop;
    size_t left; /* pieces whose `done` has not come yet */
};

static void work_piece(struct job *j)
{
    struct piece *p = j->owner;
    p->running->pieces->work(p->running->pieces->owner, p->i);
}

static void tell_piece(const struct pieces *pieces, size_t i)
{
    if (pieces->done)
        pieces->done(pieces->owner, i);
}

static void done_piece(struct job *j)
{
    struct piece *p = j->owner;
    tell_piece(p->running->pieces, p->i);
    if (--p->running->left == 0)
        loop_stop(p->running->loop);
}

static fallible run_in(struct pool *pool, struct running *r, size_t count)
{
    struct piece *all = mem_alloc(count * sizeof *all);
    enum err e = OK;
    for (size_t i = 0; e == OK && i < count; i++) {
        all[i] = (struct piece){{.work = work_piece, .done = done_piece, .owner = &all[i]}, r, i};
        e = pool_submit(pool, &all[i].job);
        r->left += e == OK;
    }
    if (r->left) {
        enum err ran = loop_run(r->loop);
        e = e == OK ? ran : e;
    }
    pool_free(&pool); /* before the pieces: a job may still be running when the loop has failed */
    mem_free(&all);
    return e;
}

fallible pool_run_pieces(const struct pieces *pieces, size_t count, unsigned threads)
{
    if (threads <= 1 || count <= 1) {
        for (size_t i = 0; i < count; i++) {
            pieces->work(pieces->owner, i);
            tell_piece(pieces, i);
        }
        return OK;
    }
    struct running r = {.pieces = pieces, .loop = loop_new()};
    struct pool *pool = pool_new(r.loop, count < threads ? (unsigned)count : threads, count);
    enum err e = pool ? run_in(pool, &r, count) : ERR_LIMIT;
    loop_free(&r.loop);
    return e;
}

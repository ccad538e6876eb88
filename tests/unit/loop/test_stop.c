#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/stop.h"

enum { LONG_MS = 60000 };

static struct stop *started(void)
{
    struct stop *s = NULL;
    assert_ok(stop_start(&s));
    return s;
}

/* Until the first signal has arrived at whoever waits. */
static void wait_for_stop(const struct stop *s)
{
    assert_int_equal(stop_poll(s, NULL, 0, LONG_MS), -1);
    assert_int_equal(errno, ECANCELED);
}

static void each_signal_is_told_and_wakes_everybody(void **state)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct stop *s = started();
        assert_int_equal(stop_signal(s), 0);
        assert_int_equal(stop_poll(s, NULL, 0, 0), 0);
        assert_int_equal(kill(getpid(), numbers[i]), 0);
        wait_for_stop(s);
        assert_int_equal(stop_signal(s), numbers[i]);
        wait_for_stop(s); /* once and for all */
        struct pollfd p = {.fd = stop_fd(s), .events = POLLIN};
        assert_int_equal(poll(&p, 1, LONG_MS), 1);
        stop_end(&s);
        assert_null(s);
    }
}

static void *wait_elsewhere(void *owner)
{
    int nobody[2];
    if (pipe(nobody) != 0)
        return owner;
    struct pollfd p = {.fd = nobody[0], .events = POLLIN};
    int n = stop_poll(owner, &p, 1, LONG_MS);
    int why = errno;
    close(nobody[0]);
    close(nobody[1]);
    return n == -1 && why == ECANCELED ? NULL : owner; /* anything but NULL: it was not woken */
}

static void threads_that_wait_are_woken(void **state)
{
    struct stop *s = started();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_elsewhere, s), 0);
    assert_int_equal(kill(getpid(), SIGINT), 0);
    for (size_t i = 0; i < 4; i++) {
        void *said = NULL;
        assert_int_equal(pthread_join(threads[i], &said), 0);
        assert_null(said);
    }
    stop_end(&s);
}

static void descriptors_are_waited_for_as_ever(void **state)
{
    int ends[2];
    struct stop *s = started();
    assert_int_equal(pipe(ends), 0);
    struct pollfd p = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(stop_poll(s, &p, 1, 0), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(stop_poll(s, &p, 1, LONG_MS), 1);
    assert_true(p.revents & POLLIN);
    assert_int_equal(stop_poll(NULL, &p, 1, LONG_MS), 1);
    assert_int_equal(stop_signal(NULL), 0);
    assert_int_equal(stop_fd(NULL), -1);
    close(ends[0]);
    close(ends[1]);
    stop_end(&s);
    stop_end(&s);
}

/* In a process of its own; what it came to its end by. */
static int status_of(void (*play)(void))
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        play();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void play_twice(void)
{
    struct stop *s = NULL;
    if (stop_start(&s) != OK)
        _exit(1);
    kill(getpid(), SIGINT);
    (void)stop_poll(s, NULL, 0, LONG_MS);
    kill(getpid(), SIGTERM);
    pause(); /* of no use: nothing comes back from here */
    pause();
    _exit(2);
}

static void play_ignored(void)
{
    struct stop *s = NULL;
    signal(SIGHUP, SIG_IGN);
    if (stop_start(&s) != OK)
        _exit(1);
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGTERM);
    (void)stop_poll(s, NULL, 0, LONG_MS);
    _exit(stop_signal(s) == SIGTERM ? 0 : 3);
}

static void play_after(void)
{
    struct stop *s = NULL;
    if (stop_start(&s) != OK)
        _exit(1);
    stop_end(&s);
    kill(getpid(), SIGINT);
    pause();
    _exit(2);
}

static void the_second_signal_ends_the_process_by_itself(void **state)
{
    int status = status_of(play_twice);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void ignored_signals_stay_ignored(void **state)
{
    int status = status_of(play_ignored);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void afterwards_signals_are_as_before(void **state)
{
    int status = status_of(play_after);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_signal_is_told_and_wakes_everybody),
        cmocka_unit_test(threads_that_wait_are_woken),
        cmocka_unit_test(descriptors_are_waited_for_as_ever),
        cmocka_unit_test(the_second_signal_ends_the_process_by_itself),
        cmocka_unit_test(ignored_signals_stay_ignored),
        cmocka_unit_test(afterwards_signals_are_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

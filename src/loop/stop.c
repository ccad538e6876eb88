#include "loop/stop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

struct stop {
    atomic_int signal; /* the first; 0: none */
    int came, over;    /* eventfds: a signal came; stop_end was called */
    int signals;       /* signalfd of `taken` */
    sigset_t taken, before;
    pthread_t thread;
};

static void tell(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* fails only when the counter is full: then it is told already */
}

/* By the signal itself, so that whoever started the command sees what ended it. */
static void end_process(int number)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    raise(number);
    _exit(128 + number); /* somebody handles it, and came back */
}

static void take(struct stop *s)
{
    struct signalfd_siginfo info;
    if (read(s->signals, &info, sizeof info) != sizeof info)
        return;
    if (atomic_load(&s->signal))
        end_process((int)info.ssi_signo);
    atomic_store(&s->signal, (int)info.ssi_signo);
    tell(s->came);
}

static void *watch_signals(void *arg)
{
    struct stop *s = arg;
    struct pollfd p[] = {{.fd = s->signals, .events = POLLIN}, {.fd = s->over, .events = POLLIN}};
    for (;;) {
        if (poll(p, 2, -1) < 0)
            continue; /* EINTR: nothing else can be wrong with these two */
        if (p[1].revents)
            return NULL;
        if (p[0].revents)
            take(s);
    }
}

/* Without those that somebody wants to be ignored: a blocked signal would be queued all the same. */
static void choose_signals(sigset_t *set)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        struct sigaction now;
        if (sigaction(stops[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(set, stops[i]);
    }
}

fallible stop_start(struct stop **ret_stop)
{
    struct stop *s = NEW(struct stop);
    choose_signals(&s->taken);
    s->came = eventfd(0, EFD_CLOEXEC);
    s->over = eventfd(0, EFD_CLOEXEC);
    s->signals = signalfd(-1, &s->taken, SFD_CLOEXEC | SFD_NONBLOCK);
    bool good = s->came >= 0 && s->over >= 0 && s->signals >= 0 &&
                pthread_sigmask(SIG_BLOCK, &s->taken, &s->before) == 0;
    if (good && pthread_create(&s->thread, NULL, watch_signals, s) == 0) {
        *ret_stop = s;
        return OK;
    }
    if (good)
        pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    file_close(&s->came);
    file_close(&s->over);
    file_close(&s->signals);
    mem_free(&s);
    return ERR_IO;
}

void stop_end(struct stop **stop)
{
    struct stop *s = *stop;
    if (!s)
        return;
    tell(s->over);
    pthread_join(s->thread, NULL);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    file_close(&s->came);
    file_close(&s->over);
    file_close(&s->signals);
    mem_free(stop);
}

int stop_signal(const struct stop *stop)
{
    return stop ? atomic_load(&stop->signal) : 0;
}

int stop_fd(const struct stop *stop)
{
    return stop ? stop->came : -1;
}

int stop_poll(const struct stop *stop, struct pollfd *fds, nfds_t count, int within_ms)
{
    struct pollfd all[STOP_POLL_MOST + 1];
    assert(count <= STOP_POLL_MOST);
    if (count)
        memcpy(all, fds, count * sizeof *fds);
    all[count] = (struct pollfd){.fd = stop_fd(stop), .events = POLLIN};
    int n = poll(all, count + 1, within_ms);
    if (n > 0 && all[count].revents) {
        errno = ECANCELED;
        return -1;
    }
    if (count)
        memcpy(fds, all, count * sizeof *fds);
    return n;
}

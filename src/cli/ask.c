#include "cli/ask.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "loop/stop.h"

enum { SECRET_LEAST = 8, CTRL_C = 3 };

bool ask_is_possible(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static void put_prompt(struct cli *c, enum say_id prompt, struct slice one)
{
    struct buf line CLEANUP_BUF = BUF_INIT(8192);
    struct buf safe CLEANUP_BUF = BUF_INIT(8192);
    utf8_put_safe(&safe, one);
    say_put(&line, c->lang, prompt, buf_slice(&safe), SLICE_EMPTY, SLICE_EMPTY);
    buf_put_str(&line, " ");
    IGNORE(file_write_all(STDERR_FILENO, buf_slice(&line)), "a prompt that nobody sees");
}

/* One line without its end, octet by octet: what follows belongs to others. ERR_CLOSED at once at the end of input, or when the
 * stop comes; ERR_LIMIT when longer than max. */
static fallible read_line(const struct stop *stop, char *into, size_t max, size_t *ret_n)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    size_t n = 0;
    for (;;) {
        char one;
        if (stop_poll(stop, &p, 1, -1) < 0) {
            if (errno == EINTR)
                continue;
            return errno == ECANCELED ? ERR_CLOSED : ERR_IO;
        }
        ssize_t got = read(STDIN_FILENO, &one, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_IO;
        if (got == 0 && n == 0)
            return ERR_CLOSED;
        if (got == 0 || one == '\n')
            break;
        if (n == max)
            return ERR_LIMIT;
        into[n++] = one;
    }
    if (n && into[n - 1] == '\r')
        n--;
    *ret_n = n;
    return OK;
}

/* The terminal as it was before echo was turned off. */
struct quiet {
    struct termios before;
    sigset_t mask;
    bool on;
};

/* Signals that halt the command, or end it with a core, wait until the echo is on again. Ctrl-C is a signal where somebody waits for
 * it (`by_keys`), else an octet, which is seen when the line is complete. */
static void quiet_start(struct quiet *q, bool by_keys)
{
    struct termios t;
    sigset_t stops;
    q->on = tcgetattr(STDIN_FILENO, &q->before) == 0;
    if (!q->on)
        return;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTSTP);
    sigaddset(&stops, SIGQUIT);
    pthread_sigmask(SIG_BLOCK, &stops, &q->mask);
    t = q->before;
    t.c_lflag &= ~(tcflag_t)(by_keys ? ECHO : ECHO | ISIG);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
}

static void quiet_stop(struct quiet *q)
{
    if (!q->on)
        return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &q->before);
    IGNORE(file_write_all(STDERR_FILENO, S("\n")), "only the look");
    pthread_sigmask(SIG_SETMASK, &q->mask, NULL);
}

/* With the echo off, and with the stop that whoever asks has, or with one of its own, which then ends the command. */
static fallible
read_quietly(struct cli *c, enum say_id prompt, struct slice one, struct secret *line, size_t *ret_n)
{
    struct stop *own = NULL;
    struct quiet quiet = {.on = false};
    if (!c->stop)
        TRY(stop_start(&own));
    quiet_start(&quiet, c->stop != NULL); /* first, so that not even the quickest answer is shown */
    put_prompt(c, prompt, one);
    enum err e = read_line(own ? own : c->stop, (char *)line->bytes, LIMIT_PASSWORD_MAX, ret_n);
    quiet_stop(&quiet);
    int number = stop_signal(own);
    stop_end(&own);
    if (number) {
        secret_free(line);
        raise(number);
    }
    return e == OK && !c->stop && memchr(line->bytes, CTRL_C, *ret_n) ? ERR_CLOSED : e;
}

static fallible read_secret(
    struct cli *c, struct secret_slab *slab, enum say_id prompt, struct slice one, bool prompted,
    struct secret *ret_secret)
{
    struct secret line CLEANUP_SECRET = SECRET_NONE;
    size_t n = 0;
    TRY(secret_new(slab, LIMIT_PASSWORD_MAX + 1, &line));
    if (prompted)
        TRY(read_quietly(c, prompt, one, &line, &n));
    else
        TRY(read_line(c->stop, (char *)line.bytes, LIMIT_PASSWORD_MAX, &n));
    secret_shorten(&line, n);
    *ret_secret = line;
    line = SECRET_NONE;
    return OK;
}

static int secret_trouble(struct cli *c, enum err e)
{
    if (e == ERR_CLOSED)
        return cli_fail(c, CLI_USAGE, SAY_NO_SECRET, SAY_NO_SECRET_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (e == ERR_LIMIT)
        return cli_fail(c, CLI_DATA, SAY_SECRET_LONG, SAY_SECRET_LONG_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return cli_fail(c, CLI_IO, SAY_SECRET_UNREAD, SAY_NO_SECRET_REMEDY, cli_error(c, e), SLICE_EMPTY);
}

int ask_secret(
    struct cli *c, struct secret_slab *slab, enum say_id prompt, bool twice, struct secret *ret_secret)
{
    struct secret first CLEANUP_SECRET = SECRET_NONE, second CLEANUP_SECRET = SECRET_NONE;
    bool prompted = ask_is_possible();
    enum err e = read_secret(c, slab, prompt, SLICE_EMPTY, prompted, &first);
    if (e != OK)
        return secret_trouble(c, e);
    if (twice && secret_reveal(&first).n < SECRET_LEAST)
        return cli_fail(c, CLI_DATA, SAY_SECRET_SHORT, SAY_SECRET_SHORT_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (twice && prompted) {
        e = read_secret(c, slab, SAY_PROMPT_AGAIN, SLICE_EMPTY, true, &second);
        if (e != OK)
            return secret_trouble(c, e);
        if (!secret_same(secret_reveal(&first), secret_reveal(&second)))
            return cli_fail(
                c, CLI_DATA, SAY_SECRETS_DIFFER, SAY_SECRETS_DIFFER_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    }
    *ret_secret = first;
    first = SECRET_NONE;
    return CLI_OK;
}

int ask_secret_of(
    struct cli *c, struct secret_slab *slab, enum say_id prompt, struct slice one, struct secret *ret_secret)
{
    enum err e = read_secret(c, slab, prompt, one, ask_is_possible(), ret_secret);
    return e == OK || stop_signal(c->stop) ? CLI_OK : secret_trouble(c, e);
}

bool ask_line(struct cli *c, enum say_id prompt, struct slice preset, struct slice *ret_text)
{
    char line[1024];
    size_t n = 0;
    put_prompt(c, prompt, preset);
    if (read_line(c->stop, line, sizeof line, &n) != OK)
        return false;
    struct slice text = slice_trim(slice_of(line, n));
    *ret_text = text.n ? arena_copy(&c->arena, text) : preset;
    return true;
}

bool ask_yes(struct cli *c, enum say_id prompt, struct slice one)
{
    static const char *const yes[] = {"y", "yes", "是", "是的"};
    char line[64];
    size_t n = 0;
    put_prompt(c, prompt, one);
    if (read_line(c->stop, line, sizeof line, &n) != OK)
        return false;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (slice_eq_nocase(slice_trim(slice_of(line, n)), slice_str(yes[i])))
            return true;
    return false;
}

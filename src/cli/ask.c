#include "cli/ask.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"

enum { SECRET_LEAST = 8 };

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

/* One line without its end, octet by octet: what follows belongs to others. ERR_CLOSED at once at the end of input;
 * ERR_LIMIT when longer than max. */
static fallible read_line(char *into, size_t max, size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        char one;
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

/* Signals wait while the echo is off, so that no Ctrl-C leaves the terminal dumb; Ctrl-C is then read as a signal again
 * when it is over. */
static void quiet_start(struct quiet *q)
{
    struct termios t;
    sigset_t stops;
    q->on = tcgetattr(STDIN_FILENO, &q->before) == 0;
    if (!q->on)
        return;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTSTP);
    sigprocmask(SIG_BLOCK, &stops, &q->mask);
    t = q->before;
    t.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
}

static void quiet_stop(struct quiet *q)
{
    if (!q->on)
        return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &q->before);
    sigprocmask(SIG_SETMASK, &q->mask, NULL);
    IGNORE(file_write_all(STDERR_FILENO, S("\n")), "only the look");
}

static fallible read_secret(
    struct cli *c, struct secret_slab *slab, enum say_id prompt, struct slice one, bool prompted,
    struct secret *ret_secret)
{
    struct secret line CLEANUP_SECRET = SECRET_NONE;
    struct quiet quiet = {.on = false};
    size_t n = 0;
    TRY(secret_new(slab, LIMIT_PASSWORD_MAX + 1, &line));
    if (prompted) {
        quiet_start(&quiet); /* first, so that not even the quickest answer is shown */
        put_prompt(c, prompt, one);
    }
    enum err e = read_line((char *)line.bytes, LIMIT_PASSWORD_MAX, &n);
    if (prompted)
        quiet_stop(&quiet);
    if (e == OK && memchr(line.bytes, 3, n)) /* Ctrl-C, while signals were off */
        e = ERR_CLOSED;
    if (e != OK)
        return e;
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
    return e == OK ? CLI_OK : secret_trouble(c, e);
}

bool ask_line(struct cli *c, enum say_id prompt, struct slice preset, struct slice *ret_text)
{
    char line[1024];
    size_t n = 0;
    put_prompt(c, prompt, preset);
    if (read_line(line, sizeof line, &n) != OK)
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
    if (read_line(line, sizeof line, &n) != OK)
        return false;
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (slice_eq_nocase(slice_trim(slice_of(line, n)), slice_str(yes[i])))
            return true;
    return false;
}

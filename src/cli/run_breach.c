/* run_breach.c - `letterlock breach`: the local filter of breached passwords, made from lists and looked at. No server is
 * needed, and nobody is asked. */
#include "breach/build.h"
#include "breach/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "cli/view.h"
#include "mail/precis.h"

enum { SLAB = 65536, PIECE = 1 << 20 };

static fallible open_vault_folder(struct cli *c, int *ret_fd)
{
    int fd = openat(c->dir_fd, "vault", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    *ret_fd = fd;
    return OK;
}

static struct slice number_text(struct cli *c, uint64_t number)
{
    return arena_printf(&c->arena, "%llu", (unsigned long long)number);
}

/* ---- build ---- */

struct building {
    struct cli *c;
    struct breach_build *build;
    struct progress progress;
    uint64_t read, total; /* octets of all lists; total 0: not known */
};

static int open_list(struct building *b, struct slice path, int *ret_fd)
{
    int fd = slice_eq(path, S("-")) ? dup(STDIN_FILENO)
                                    : open(arena_cstr(&b->c->arena, path), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        *ret_fd = fd;
        return CLI_OK;
    }
    return cli_fail(
        b->c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path, cli_error(b->c, err_of_errno(errno)));
}

static int build_trouble(struct building *b, enum err e)
{
    if (e == ERR_DISK_FULL)
        return cli_fail(
            b->c, CLI_IO, SAY_BREACH_FULL, SAY_BREACH_FULL_REMEDY, slice_str(b->c->dir), SLICE_EMPTY);
    if (e == ERR_LIMIT)
        return cli_fail(b->c, CLI_DATA, SAY_BREACH_LONG, SAY_BREACH_LONG_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return cli_fail(
        b->c, CLI_IO, SAY_BREACH_UNWRITTEN, SAY_BREACH_UNWRITTEN_REMEDY, slice_str(b->c->dir),
        cli_error(b->c, e));
}

static int read_list(struct building *b, struct slice path)
{
    int fd CLEANUP_FD = -1;
    int code = open_list(b, path, &fd);
    char *piece = code == CLI_OK ? arena_alloc(&b->c->arena, PIECE) : NULL;
    while (code == CLI_OK && piece) {
        ssize_t got = read(fd, piece, PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return cli_fail(
                b->c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path,
                cli_error(b->c, err_of_errno(errno)));
        enum err e = got ? breach_build_feed(b->build, slice_of(piece, (size_t)got))
                         : breach_build_file_ends(b->build);
        if (e != OK)
            return build_trouble(b, e);
        if (!got)
            return CLI_OK;
        b->read += (uint64_t)got;
        progress_show(&b->progress, b->read, b->total);
    }
    return code != CLI_OK ? code : build_trouble(b, ERR_MEMORY);
}

/* How much there is to read; a pipe does not say. */
static void weigh_lists(struct building *b)
{
    struct slice path;
    struct stat st;
    for (size_t i = 0; args_next(&b->c->args, "FILE", i, &path); i++)
        if (stat(arena_cstr(&b->c->arena, path), &st) == 0 && S_ISREG(st.st_mode))
            b->total += (uint64_t)st.st_size;
}

static void show_merging(void *owner, uint64_t done, uint64_t total)
{
    struct building *b = owner;
    progress_show(&b->progress, done, total);
}

static void say_built(struct cli *c, const struct breach_built *built)
{
    cli_say(
        c, SAY_BREACH_BUILT, number_text(c, built->count), number_text(c, built->lines),
        number_text(c, built->octets));
    if (built->skipped)
        cli_say(c, SAY_BREACH_SKIPPED, number_text(c, built->skipped), SLICE_EMPTY, SLICE_EMPTY);
    cli_say(c, SAY_BREACH_NEXT, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    if (!c->json)
        return;
    json_key(&c->j, "passwords");
    json_u64(&c->j, built->count);
    json_key(&c->j, "lines");
    json_u64(&c->j, built->lines);
    json_key(&c->j, "skipped");
    json_u64(&c->j, built->skipped);
    json_key(&c->j, "octets");
    json_u64(&c->j, built->octets);
}

static int build_from_lists(struct building *b)
{
    struct slice path;
    struct breach_built built;
    weigh_lists(b);
    progress_start(&b->progress, b->c);
    for (size_t i = 0; args_next(&b->c->args, "FILE", i, &path); i++) {
        int code = read_list(b, path);
        if (code != CLI_OK)
            return code;
    }
    enum err e = breach_build_finish(b->build, BREACH_FILE, clock_unix_s(), show_merging, b, &built);
    progress_end(&b->progress);
    if (e != OK)
        return build_trouble(b, e);
    say_built(b->c, &built);
    return CLI_OK;
}

int run_breach_build(struct cli *c)
{
    int folder CLEANUP_FD = -1;
    struct building b = {.c = c};
    int code = cli_folder(c);
    if (code != CLI_OK)
        return code;
    enum err e = open_vault_folder(c, &folder);
    if (e != OK)
        return build_trouble(&b, e);
    b.build = breach_build_new(folder, LIMIT_BREACH_BATCH);
    code = build_from_lists(&b);
    progress_end(&b.progress);
    breach_build_free(&b.build);
    return code;
}

/* ---- check ---- */

static int say_checked(struct cli *c, const struct breach *filter)
{
    cli_say(
        c, SAY_BREACH_GOOD, number_text(c, breach_count(filter)),
        view_time(&c->arena, breach_built_s(filter)), SLICE_EMPTY);
    if (c->json) {
        json_key(&c->j, "passwords");
        json_u64(&c->j, breach_count(filter));
        json_key(&c->j, "built_s");
        json_i64(&c->j, breach_built_s(filter));
    }
    return CLI_OK;
}

static int filter_trouble(struct cli *c, enum err e, struct slice problem)
{
    if (e == ERR_NOT_FOUND)
        return cli_fail(c, CLI_NOT_FOUND, SAY_BREACH_NONE, SAY_BREACH_NONE_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return cli_fail(c, CLI_DATA, SAY_BREACH_BAD, SAY_BREACH_BAD_REMEDY, problem, SLICE_EMPTY);
}

/* In the form in which passwords are compared; what has none cannot be set, and is looked for as it is. */
static int look_up(struct cli *c, const struct breach *filter, const struct secret *typed)
{
    struct buf normal = BUF_INIT(LIMIT_PASSWORD_MAX);
    enum err e = precis_opaque(secret_reveal(typed), &normal);
    e = breach_find(filter, e == OK ? buf_slice(&normal) : secret_reveal(typed));
    buf_wipe(&normal);
    if (e != OK && e != ERR_NOT_FOUND)
        return filter_trouble(c, e, cli_error(c, e));
    cli_say(c, e == OK ? SAY_BREACH_LISTED : SAY_BREACH_UNLISTED, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    if (c->json) {
        json_key(&c->j, "listed");
        json_bool(&c->j, e == OK);
    }
    return e == OK ? cli_no(c) : CLI_OK;
}

static int ask_and_look_up(struct cli *c, const struct breach *filter)
{
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret typed = SECRET_NONE;
    int code = ask_secret(c, slab, SAY_PROMPT_JUDGED, false, &typed);
    if (code == CLI_OK)
        code = look_up(c, filter, &typed);
    secret_free(&typed);
    secret_slab_free(&slab);
    return code;
}

int run_breach_check(struct cli *c)
{
    int folder CLEANUP_FD = -1;
    struct breach *filter = NULL;
    struct buf problem CLEANUP_BUF = BUF_INIT(256);
    int code = cli_folder(c);
    if (code != CLI_OK)
        return code;
    enum err e = open_vault_folder(c, &folder);
    if (e == OK)
        e = breach_open(folder, BREACH_FILE, &filter, &problem);
    if (e == OK && !args_has(&c->args, "password"))
        e = breach_verify(filter);
    if (e != OK)
        code = filter_trouble(c, e, problem.n ? buf_slice(&problem) : cli_error(c, e));
    else
        code = args_has(&c->args, "password") ? ask_and_look_up(c, filter) : say_checked(c, filter);
    breach_close(&filter);
    return code;
}

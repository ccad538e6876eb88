/* doctor_report.c - `letterlock doctor --report FILE.html`: the report on disk, whole or not at all, for its owner alone. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/doctor.h"
#include "cli/files.h"
#include "cli/version.h"
#include "doctor/report.h"

/* Where it goes: the folder, and the name in it. */
struct spot {
    int folder; /* -1: not open */
    const char *name;
};

static fallible spot_open(struct cli *c, struct slice path, struct spot *ret_spot)
{
    size_t slash = slice_rfind(path, '/');
    struct slice folder = slash == SLICE_NPOS ? S(".") : slice_sub(path, 0, slash ? slash : 1);
    struct slice name = slash == SLICE_NPOS ? path : slice_from(path, slash + 1);
    int fd = open(arena_cstr(&c->arena, folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    *ret_spot = (struct spot){fd, arena_cstr(&c->arena, name)};
    return OK;
}

/* Nothing, or an older report: only that may be replaced. */
static bool may_replace(const struct spot *p)
{
    char head[REPORT_HEAD];
    struct stat st;
    int fd CLEANUP_FD = openat(p->folder, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    ssize_t n = read(fd, head, sizeof head);
    return n >= 0 && report_is_one(slice_of(head, (size_t)n));
}

static int spot_trouble(struct cli *c, struct slice path, enum err e)
{
    return cli_fail(
        c,
        e == ERR_NOT_FOUND ? CLI_NOT_FOUND
        : e == ERR_DENIED  ? CLI_DENIED
                           : CLI_IO,
        SAY_DOCTOR_REPORT, SAY_DOCTOR_REPORT_REMEDY, path, cli_error(c, e));
}

int doctor_report_check(struct cli *c)
{
    struct slice path = args_text(&c->args, "report");
    struct spot spot = {.folder = -1};
    if (!path.n)
        return CLI_OK;
    enum err e = spot_open(c, path, &spot);
    bool is_free = e == OK && spot.name[0] && may_replace(&spot);
    file_close(&spot.folder);
    if (e != OK)
        return spot_trouble(c, path, e);
    return is_free ? CLI_OK
                   : cli_fail(
                         c, CLI_CANNOT_CREATE, SAY_DOCTOR_REPORT_OTHER, SAY_DOCTOR_REPORT_OTHER_REMEDY, path,
                         SLICE_EMPTY);
}

/* A new file beside it, which then takes its name. */
static fallible replace(struct cli *c, const struct spot *p, struct slice contents)
{
    struct slice beside = arena_printf(&c->arena, ".%s.%ld", p->name, (long)getpid());
    const char *name = arena_cstr(&c->arena, beside);
    TRY(files_create(p->folder, name, 0600, contents));
    if (!may_replace(p) || renameat(p->folder, name, p->folder, p->name) != 0) {
        unlinkat(p->folder, name, 0);
        return ERR_IO;
    }
    return fsync(p->folder) == 0 ? OK : err_of_errno(errno);
}

int doctor_report_write(
    struct cli *c, const struct examination *x, const struct verdict *v, const struct grading *g)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_REPORT);
    struct slice path = args_text(&c->args, "report");
    struct spot spot = {.folder = -1};
    if (!path.n)
        return CLI_OK;
    struct civil t = civil_of_unix(clock_unix_s());
    const struct report report = {
        .examination = x,
        .verdict = v,
        .grading = g,
        .lang = c->lang,
        .when =
            arena_printf(&c->arena, "%04d-%02d-%02d %02d:%02d UTC", t.year, t.month, t.day, t.hour, t.minute),
        .program = S("letterlock " CLI_VERSION)};
    report_put(&report, &text);
    enum err e = buf_check(&text);
    if (e == OK)
        e = spot_open(c, path, &spot);
    if (e == OK)
        e = replace(c, &spot, buf_slice(&text));
    file_close(&spot.folder);
    return e == OK ? CLI_OK : spot_trouble(c, path, e);
}

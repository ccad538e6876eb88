/* supervisor_check.c - who may change what we believe: owners and modes of DIR and of the files letterlock.conf names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "proc/supervisor.h"

static enum err
refuse(struct launch_problem *problem, enum err e, struct slice path, const char *what, const char *remedy)
{
    snprintf(problem->text, sizeof problem->text, SLICE_FMT ": %s", SLICE_ARG(slice_sub(path, 0, 250)), what);
    snprintf(problem->remedy, sizeof problem->remedy, "%s", remedy);
    return e;
}

static enum err refuse_errno(struct launch_problem *problem, struct slice path, const char *remedy)
{
    int e = errno;
    return refuse(problem, err_of_errno(e), path, strerror(e), remedy);
}

static bool is_trusted(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

static fallible check_mode(
    const struct stat *st, struct slice path, bool trusted, bool secret, struct launch_problem *problem)
{
    char what[100];
    snprintf(what, sizeof what, "belongs to user %u", st->st_uid);
    if (!trusted)
        return refuse(
            problem, ERR_DENIED, path, what,
            "Give it to root, or to the user that runs the server, with chown.");
    snprintf(what, sizeof what, "others may write to it (mode %04o)", st->st_mode & 07777);
    if (st->st_mode & 022)
        return refuse(problem, ERR_DENIED, path, what, "Take that away: chmod go-w.");
    snprintf(what, sizeof what, "is a secret that others may read (mode %04o)", st->st_mode & 07777);
    if (secret && st->st_mode & 077)
        return refuse(problem, ERR_DENIED, path, what, "Take that away: chmod 600.");
    return OK;
}

fallible check_dir(struct supervisor *s, struct launch_problem *problem)
{
    struct slice path = slice_str(s->dir);
    int fd CLEANUP_FD = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refuse_errno(problem, path, "Make it with `letterlock init`.");
    struct stat st;
    if (fstat(fd, &st) != 0)
        return refuse_errno(problem, path, "Look at its file system.");
    /* As root the folder may be anybody's who is meant to command this server; it must be nobody else's. */
    bool trusted = s->as_root || st.st_uid == geteuid();
    TRY(check_mode(&st, path, trusted, false, problem));
    s->owner = st.st_uid;
    s->dir_fd = TAKE(fd, -1);
    return OK;
}

fallible check_open(
    const struct supervisor *s, struct slice path, bool secret, struct launch_problem *problem, int *ret_fd)
{
    char name[LAUNCH_PATH_MAX];
    if (path.n >= sizeof name)
        return refuse(problem, ERR_LIMIT, path, "the path is too long", "Use a shorter path.");
    memcpy(name, path.p, path.n);
    name[path.n] = '\0';
    /* Without blocking on a pipe that somebody put there. */
    int fd CLEANUP_FD = openat(s->dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return refuse_errno(problem, path, "Put the file there, readable for the user that runs the server.");
    struct stat st;
    if (fstat(fd, &st) != 0)
        return refuse_errno(problem, path, "Look at its file system.");
    if (!S_ISREG(st.st_mode))
        return refuse(problem, ERR_SYNTAX, path, "is not a file", "Name a regular file.");
    TRY(check_mode(&st, path, is_trusted(st.st_uid) || st.st_uid == s->owner, secret, problem));
    *ret_fd = TAKE(fd, -1);
    return OK;
}

/* folder.c - the folders of the roles: made, handed over, checked, locked. Part of launch.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "proc/launch.h"

enum { FOLDER_DEPTH = 8 }; /* accounts/AB/ACCOUNT/large/XX and some room */

static enum err problem_put(struct launch_problem *problem, enum err e, const char *text, const char *remedy)
{
    snprintf(problem->text, sizeof problem->text, "%s", text);
    snprintf(problem->remedy, sizeof problem->remedy, "%s", remedy);
    return e;
}

static enum err problem_errno(struct launch_problem *problem, const char *what, const char *folder)
{
    enum err e = err_of_errno(errno);
    char text[400];
    snprintf(text, sizeof text, "%s %.250s: %s", what, folder, strerror(errno));
    return problem_put(
        problem, e, text, "Look at the folder, its owner and the free space of its file system.");
}

static fallible open_folder(int at, const char *name, int *ret_fd)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    *ret_fd = fd;
    return OK;
}

static fallible hand_over(int folder, uid_t uid, unsigned depth);

static fallible hand_over_entry(int folder, const struct dirent *entry, uid_t uid, unsigned depth)
{
    struct stat st;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return OK;
    if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return err_of_errno(errno);
    if (S_ISREG(st.st_mode) && st.st_nlink > 1)
        return ERR_DENIED; /* another name of this file may stand anywhere */
    if (!S_ISDIR(st.st_mode))
        return fchownat(folder, entry->d_name, uid, uid, AT_SYMLINK_NOFOLLOW) == 0 ? OK : err_of_errno(errno);
    int fd CLEANUP_FD = -1;
    TRY(open_folder(folder, entry->d_name, &fd));
    return hand_over(fd, uid, depth + 1);
}

/* Gives a folder of root's, and all in it, to the role; itself last, so that nobody else is in it meanwhile, and so that
 * an interrupted hand-over starts again. */
static fallible hand_over(int folder, uid_t uid, unsigned depth)
{
    if (depth > FOLDER_DEPTH)
        return ERR_LIMIT;
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir)
        return err_of_errno(errno);
    enum err e = OK;
    for (const struct dirent *entry; e == OK && (entry = readdir(dir));)
        e = hand_over_entry(folder, entry, uid, depth);
    closedir(dir);
    if (e == OK && fchown(folder, uid, uid) != 0)
        e = err_of_errno(errno);
    return e;
}

static fallible
check_owner(int folder, const char *name, bool as_root, uid_t uid, struct launch_problem *problem)
{
    struct stat st;
    char text[300], remedy[300];
    if (fstat(folder, &st) != 0)
        return problem_errno(problem, "look at", name);
    if (as_root && st.st_uid == 0 && hand_over(folder, uid, 0) != OK)
        return problem_errno(problem, "hand over", name);
    if (fstat(folder, &st) != 0)
        return problem_errno(problem, "look at", name);
    if (st.st_uid != uid) {
        snprintf(
            text, sizeof text, "the folder %s belongs to user %u and must belong to user %u", name, st.st_uid,
            uid);
        snprintf(remedy, sizeof remedy, "As root: chown -R %u:%u %s", uid, uid, name);
        return problem_put(problem, ERR_DENIED, text, remedy);
    }
    if (st.st_mode & 077) {
        snprintf(text, sizeof text, "the folder %s is open to others (mode %04o)", name, st.st_mode & 07777);
        snprintf(remedy, sizeof remedy, "chmod 700 %s", name);
        return problem_put(problem, ERR_DENIED, text, remedy);
    }
    return OK;
}

static fallible check_closed(int folder, const char *name, unsigned depth, struct launch_problem *problem);

static fallible check_closed_entry(
    int folder, const char *name, const struct dirent *entry, unsigned depth, struct launch_problem *problem)
{
    struct stat st;
    char path[300], text[400], remedy[300];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return OK;
    snprintf(path, sizeof path, "%.40s/%s", name, entry->d_name);
    if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return problem_errno(problem, "look at", path);
    if (st.st_mode & 077) {
        snprintf(text, sizeof text, "%s is open to others (mode %04o)", path, st.st_mode & 07777);
        snprintf(remedy, sizeof remedy, "chmod go= %.250s", path);
        return problem_put(problem, ERR_DENIED, text, remedy);
    }
    int fd CLEANUP_FD = -1;
    if (!S_ISDIR(st.st_mode))
        return OK;
    if (open_folder(folder, entry->d_name, &fd) != OK)
        return problem_errno(problem, "open", path);
    return check_closed(fd, path, depth + 1, problem);
}

/* Everything in it is closed to others (T-320): their folder is, too, but a mode is the first thing that a copy loses. */
static fallible check_closed(int folder, const char *name, unsigned depth, struct launch_problem *problem)
{
    int copy = depth > FOLDER_DEPTH ? -1 : fcntl(folder, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (!dir)
        return problem_errno(problem, "read", name);
    enum err e = OK;
    for (const struct dirent *entry; e == OK && (entry = readdir(dir));)
        e = check_closed_entry(folder, name, entry, depth, problem);
    closedir(dir);
    return e;
}

static fallible make_folder(int at, const char *name, bool as_root, uid_t uid)
{
    if (mkdirat(at, name, 0700) != 0)
        return errno == EEXIST ? OK : err_of_errno(errno);
    return !as_root || fchownat(at, name, uid, uid, AT_SYMLINK_NOFOLLOW) == 0 ? OK : err_of_errno(errno);
}

/* A keeper's Landlock rules name its slots, so they exist before it starts. */
static fallible make_slots(int folder, bool as_root, uid_t uid)
{
    for (unsigned slot = 0; slot < SLOTS; slot++)
        TRY(make_folder(folder, slot_name(slot), as_root, uid));
    /* keepers cannot sync it: their jail begins at the slots */
    return fsync(folder) == 0 ? OK : err_of_errno(errno);
}

/* Without a name nothing can be made in it, by nobody. */
static fallible empty_folder(int dir_fd, bool as_root, uid_t uid, struct launch_problem *problem, int *ret_fd)
{
    static const char name[] = ".empty";
    if (mkdirat(dir_fd, name, 0500) != 0 && errno != EEXIST)
        return problem_errno(problem, "make", name);
    int fd CLEANUP_FD = -1;
    if (open_folder(dir_fd, name, &fd) != OK || (as_root && fchown(fd, uid, uid) != 0) ||
        unlinkat(dir_fd, name, AT_REMOVEDIR) != 0)
        return problem_errno(problem, "make", name);
    *ret_fd = TAKE(fd, -1);
    return OK;
}

fallible launch_folder(
    int dir_fd, enum ipc_role role, bool as_root, uid_t uid, struct launch_problem *problem, int *ret_fd)
{
    const struct role_row *row = role_row(role);
    if (!row->folder)
        return empty_folder(dir_fd, as_root, uid, problem, ret_fd);
    if (make_folder(dir_fd, row->folder, as_root, uid) != OK)
        return problem_errno(problem, "make", row->folder);
    int fd CLEANUP_FD = -1;
    if (open_folder(dir_fd, row->folder, &fd) != OK)
        return problem_errno(problem, "open", row->folder);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return problem_put(
            problem, ERR_BUSY, "another server, or an offline command, is using this folder",
            "Stop it first, or let it do the work: commands reach a running server by themselves.");
    TRY(check_owner(fd, row->folder, as_root, uid, problem));
    if (row->closed)
        TRY(check_closed(fd, row->folder, 0, problem));
    if (row->slot_trees && make_slots(fd, as_root, uid) != OK)
        return problem_errno(problem, "make slots in", row->folder);
    *ret_fd = TAKE(fd, -1);
    return OK;
}

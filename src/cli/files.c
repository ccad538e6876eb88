#include "cli/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { NAME_MAX_HERE = 1024, DEPTH_MAX = 32 };

fallible files_create(int dir_fd, const char *name, mode_t mode, struct slice contents)
{
    int fd CLEANUP_FD = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return err_of_errno(errno);
    enum err e = fchmod(fd, mode) == 0 ? OK : err_of_errno(errno); /* whatever the umask was */
    if (e == OK)
        e = file_write_all(fd, contents);
    if (e == OK && fsync(fd) != 0)
        e = err_of_errno(errno);
    if (e != OK)
        unlinkat(dir_fd, name, 0); /* half a file is worse than none */
    return e;
}

fallible files_folder(int dir_fd, const char *name, mode_t mode)
{
    if (mkdirat(dir_fd, name, mode) == 0)
        return OK;
    struct stat st;
    int e = errno;
    if (e == EEXIST && fstatat(dir_fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode))
        return OK;
    return err_of_errno(e);
}

fallible files_way(int dir_fd, const char *name)
{
    char path[NAME_MAX_HERE];
    size_t n = strlen(name);
    if (n >= sizeof path)
        return ERR_LIMIT;
    memcpy(path, name, n + 1);
    for (char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
        *p = '\0';
        TRY(files_folder(dir_fd, path, 0700));
        *p = '/';
    }
    return OK;
}

bool files_has(int dir_fd, const char *name)
{
    struct stat st;
    return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool files_is_plain(struct slice name)
{
    struct slice rest = name, part;
    if (name.n == 0 || name.n >= NAME_MAX_HERE || slice_has(name, '\0'))
        return false;
    while (slice_cut(&rest, '/', &part))
        if (part.n == 0 || slice_eq(part, S(".")) || slice_eq(part, S("..")))
            return false;
    return true;
}

static fallible remove_below(int dir_fd, const char *name, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return ERR_LIMIT;
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return OK;
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return err_of_errno(errno);
    enum err e = OK;
    for (const struct dirent *entry; e == OK && (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            e = remove_below(dirfd(dir), entry->d_name, depth + 1);
    closedir(dir);
    if (e == OK && unlinkat(dir_fd, name, AT_REMOVEDIR) != 0)
        e = err_of_errno(errno);
    return e;
}

fallible files_remove(int dir_fd, const char *name)
{
    return remove_below(dir_fd, name, 0);
}

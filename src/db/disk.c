#include "db/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/limits.h"

static struct disk_hook *hook;

void disk_set_hook(struct disk_hook *h)
{
    hook = h;
}

/* True: the call goes on. False: errno says why not. */
static bool may(const struct disk_call *call)
{
    int refused = hook ? hook->before(hook, call) : 0;
    if (refused)
        errno = refused;
    return !refused;
}

static void happened(const struct disk_call *call)
{
    if (hook)
        hook->after(hook, call);
}

static fallible failed(void)
{
    return err_of_errno(errno);
}

int disk_open(int dirfd, const char *path, int flags, mode_t mode)
{
    assert(!(flags & O_CREAT) || (flags & (O_EXCL | __O_TMPFILE)));
    struct disk_call call = {
        .op = DISK_OPEN,
        .dirfd = dirfd,
        .fd = -1,
        .path = path,
        .flags = flags,
        .made = (flags & O_CREAT) != 0};
    if (!may(&call))
        return failed();
    int fd;
    do
        fd = openat(dirfd, path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return failed();
    call.fd = fd;
    happened(&call);
    return fd;
}

void disk_close(int *fd)
{
    if (*fd >= 0) {
        struct disk_call call = {.op = DISK_CLOSE, .fd = *fd};
        happened(&call);
    }
    file_close(fd);
}

ssize_t disk_read(int fd, void *into, size_t n, uint64_t offset)
{
    struct disk_call call = {.op = DISK_READ, .fd = fd, .offset = offset};
    if (!may(&call))
        return failed();
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, (char *)into + got, n - got, (off_t)(offset + got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return failed();
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

fallible disk_write(int fd, struct slice data, uint64_t offset)
{
    struct disk_call call = {.op = DISK_WRITE, .fd = fd, .data = data, .offset = offset};
    if (!may(&call))
        return failed();
    for (struct slice rest = data; rest.n;) {
        ssize_t w = pwrite(fd, rest.p, rest.n, (off_t)(offset + (data.n - rest.n)));
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return failed(); /* a front part may be in the file: readers tell by checksums */
        rest = slice_from(rest, (size_t)w);
    }
    happened(&call);
    return OK;
}

fallible disk_truncate(int fd, uint64_t size)
{
    struct disk_call call = {.op = DISK_TRUNCATE, .fd = fd, .offset = size};
    if (!may(&call))
        return failed();
    while (ftruncate(fd, (off_t)size) < 0)
        if (errno != EINTR)
            return failed();
    happened(&call);
    return OK;
}

fallible disk_size(int fd, uint64_t *ret_size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return failed();
    *ret_size = (uint64_t)st.st_size;
    return OK;
}

fallible disk_sync(int fd)
{
    struct disk_call call = {.op = DISK_SYNC, .fd = fd};
    if (!may(&call) || fdatasync(fd) < 0)
        return ERR_IO; /* also for ENOSPC: what was written before is not there, which is more than "no room" */
    happened(&call);
    return OK;
}

fallible disk_sync_dir(int dirfd, const char *path)
{
    struct disk_call call = {.op = DISK_SYNC_DIR, .dirfd = dirfd, .fd = -1, .path = path};
    if (!may(&call))
        return failed();
    /* A jail may leave open what is below the folder, but not the folder itself: then the descriptor is all we have. */
    int fd CLEANUP_FD = strcmp(path, ".") == 0
                            ? fcntl(dirfd, F_DUPFD_CLOEXEC, 3)
                            : openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return failed();
    if (fsync(fd) < 0)
        return ERR_IO;
    happened(&call);
    return OK;
}

fallible disk_mkdir(int dirfd, const char *path, mode_t mode)
{
    struct disk_call call = {.op = DISK_MKDIR, .dirfd = dirfd, .fd = -1, .path = path};
    if (!may(&call))
        return failed();
    if (mkdirat(dirfd, path, mode) < 0)
        return failed();
    happened(&call);
    return OK;
}

fallible disk_rename(int dirfd, const char *from, const char *to)
{
    struct disk_call call = {.op = DISK_RENAME, .dirfd = dirfd, .fd = -1, .path = from, .to = to};
    if (!may(&call))
        return failed();
    if (renameat(dirfd, from, dirfd, to) < 0)
        return failed();
    happened(&call);
    return OK;
}

static fallible remove_entry(int dirfd, const char *path, int flags)
{
    struct disk_call call = {.op = DISK_UNLINK, .dirfd = dirfd, .fd = -1, .path = path, .flags = flags};
    if (!may(&call))
        return failed();
    if (unlinkat(dirfd, path, flags) < 0)
        return failed();
    happened(&call);
    return OK;
}

fallible disk_unlink(int dirfd, const char *path)
{
    return remove_entry(dirfd, path, 0);
}

fallible disk_rmdir(int dirfd, const char *path)
{
    return remove_entry(dirfd, path, AT_REMOVEDIR);
}

void disk_set_aside(int fd, uint64_t octets)
{
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)octets) < 0)
        return; /* writes find out */
}

fallible disk_has_room(int dirfd, uint64_t want)
{
    struct disk_call call = {.op = DISK_ROOM, .dirfd = dirfd, .fd = -1, .offset = want};
    if (!may(&call))
        return failed();
    struct statfs s;
    if (fstatfs(dirfd, &s) < 0)
        return failed();
    uint64_t room = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
    return room < LIMIT_DISK_RESERVE || room - LIMIT_DISK_RESERVE < want ? ERR_DISK_FULL : OK;
}

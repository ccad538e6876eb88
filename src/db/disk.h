/* disk.h - the system calls that durability depends on, in one place.          room: db   runs in: keeper vault
 *
 * The VFS (vfs.h) and everyone who writes files that must outlive a power cut (large bodies, the spool) go
 * through here, so that tests can refuse any of the calls (EIO, ENOSPC) and record all of them to replay
 * power cuts. Without a hook each function is its system call with EINTR and short transfers handled. Paths
 * are relative to a descriptor.
 *
 * Fails:   as err_of_errno says; errno is kept. Never logs.
 */
#ifndef DB_DISK_H
#define DB_DISK_H

#include <sys/types.h>

#include "base/slice.h"

/* O_CLOEXEC and O_NOFOLLOW are added. Returns the descriptor, or a negative err. */
int disk_open(int dirfd, const char *path, int flags, mode_t mode);
/* Closes and sets to -1. */
void disk_close(int *fd);
/* All n octets, fewer only at the end of the file. Returns how many, or a negative err. */
ssize_t disk_read(int fd, void *into, size_t n, uint64_t offset);
fallible disk_write(int fd, struct slice data, uint64_t offset);
fallible disk_truncate(int fd, uint64_t size);
fallible disk_size(int fd, uint64_t *ret_size);
/* fdatasync; fails with ERR_IO only. After a failure nothing is known about what was written: never call again and believe it. */
fallible disk_sync(int fd);
/* fsync of the directory `path` (or dirfd itself for "."). */
fallible disk_sync_dir(int dirfd, const char *path);
fallible disk_mkdir(int dirfd, const char *path, mode_t mode);
fallible disk_rename(int dirfd, const char *from, const char *to);
fallible disk_unlink(int dirfd, const char *path);
fallible disk_rmdir(int dirfd, const char *path); /* an empty one */
/* Room for the first `octets` of the file is set aside; its size stays. Where there is no room, or the file system knows no such thing,
 * it stays as it was. */
void disk_set_aside(int fd, uint64_t octets);
/* Octets that may still be written before LIMIT_DISK_RESERVE is touched: ERR_DISK_FULL when `want` is more.
 */
fallible disk_has_room(int dirfd, uint64_t want);

/* For tests. */
enum disk_op {
    DISK_OPEN,
    DISK_CLOSE,
    DISK_READ,
    DISK_WRITE,
    DISK_TRUNCATE,
    DISK_SYNC,
    DISK_SYNC_DIR,
    DISK_MKDIR,
    DISK_RENAME,
    DISK_UNLINK,
    DISK_ROOM
};
struct disk_call {
    enum disk_op op;
    int dirfd, fd;         /* fd: of an open only in `after` */
    const char *path, *to; /* open, sync_dir, mkdir, rename, unlink */
    int flags;             /* open */
    struct slice data;     /* write */
    uint64_t offset;       /* write, truncate (the new size), room */
    bool made;             /* open, in `after`: the call created the file */
};
struct disk_hook {
    /* 0: go on; an errno: the call fails with it and nothing has happened. On any thread. */
    int (*before)(struct disk_hook *h, const struct disk_call *call);
    /* The call has succeeded. On any thread. */
    void (*after)(struct disk_hook *h, const struct disk_call *call);
};
/* Before any use; NULL ends it. */
void disk_set_hook(struct disk_hook *hook);

#endif

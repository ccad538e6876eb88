#include "db/vfs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "db/disk.h"

/* SQLite's lock bytes (fileformat2 1.3, "lock-byte page"): all of them, so that every other opener is refused. */
enum { LOCK_START = 0x40000000, LOCK_LEN = 512, LOG_HEADER = 32, HEAL_CHUNK = 65536 };

struct vfs_file {
    sqlite3_file base;
    int fd, log_fd, dirfd;
    const char *path; /* inside the name that SQLite keeps as long as the file is open */
    bool is_log, made, dir_synced, persistent;
    bool fresh;    /* a log that was empty on disk when opened and has not begun anew since */
    bool was_left; /* a log that had contents when opened */
    uint64_t end;  /* of what was written since the log began */
    int level;     /* what SQLite believes to have locked */
};

static struct vfs_file *file_of(sqlite3_file *f)
{
    return (struct vfs_file *)f;
}

static int code_of(enum err e, int otherwise)
{
    return e == OK ? SQLITE_OK : e == ERR_DISK_FULL ? SQLITE_FULL : otherwise;
}

/* -------------------------------------------------------------------------------------------------- an open file */

static int file_shut(sqlite3_file *base)
{
    struct vfs_file *f = file_of(base);
    disk_close(&f->log_fd);
    disk_close(&f->fd);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *into, int n, sqlite3_int64 offset)
{
    ssize_t got = disk_read(file_of(base)->fd, into, (size_t)n, (uint64_t)offset);
    if (got < 0)
        return SQLITE_IOERR_READ;
    if (got == n)
        return SQLITE_OK;
    memset((char *)into + got, 0, (size_t)(n - got));
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *from, int n, sqlite3_int64 offset)
{
    struct vfs_file *f = file_of(base);
    enum err e = disk_write(f->fd, slice_of(from, (size_t)n), (uint64_t)offset);
    if (e != OK)
        return code_of(e, SQLITE_IOERR_WRITE);
    uint64_t end = (uint64_t)offset + (uint64_t)n;
    if (f->is_log && offset == 0) {
        f->fresh = f->fresh && f->end == 0;
        f->end = end;
    } else if (end > f->end) {
        f->end = end;
    }
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct vfs_file *f = file_of(base);
    (void)flags;
    /* SQLite syncs a log's new header so that no frame of the old log is taken for one of the new. Where the log was
     * empty on disk there is no old frame, and the owner's sync of the commit covers header and frames. */
    if (f->is_log && f->fresh && f->end <= LOG_HEADER)
        return SQLITE_OK;
    enum err e = disk_sync(f->fd);
    if (e == OK && f->made && !f->dir_synced) {
        char folder[VFS_NAME_MAX];
        struct slice path = slice_str(f->path);
        size_t cut = slice_rfind(path, '/');
        snprintf(
            folder, sizeof folder, "%.*s", cut == SLICE_NPOS ? 1 : (int)cut,
            cut == SLICE_NPOS ? "." : f->path);
        e = disk_sync_dir(f->dirfd, folder);
        f->dir_synced = e == OK;
    }
    return e == OK ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct vfs_file *f = file_of(base);
    enum err e = disk_truncate(f->fd, (uint64_t)size);
    /* What was cut off a log must not come back by a power cut under the frames of the next log. */
    if (e == OK && f->is_log) {
        e = disk_sync(f->fd);
        if (f->end > (uint64_t)size)
            f->end = (uint64_t)size;
    }
    return code_of(e, SQLITE_IOERR_TRUNCATE);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
    uint64_t size;
    if (disk_size(file_of(base)->fd, &size) != OK)
        return SQLITE_IOERR_FSTAT;
    *ret_size = (sqlite3_int64)size;
    return SQLITE_OK;
}

/* The file is locked from open to close (INV-1); what SQLite asks for meanwhile it has already. */
static int file_lock(sqlite3_file *base, int level)
{
    if (file_of(base)->level < level)
        file_of(base)->level = level;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *base, int level)
{
    file_of(base)->level = level;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *base, int *ret_is)
{
    *ret_is = file_of(base)->level >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int what, void *arg)
{
    struct vfs_file *f = file_of(base);
    if (what == SQLITE_FCNTL_PERSIST_WAL) {
        int *value = arg;
        if (*value >= 0)
            f->persistent = *value != 0;
        *value = f->persistent;
        return SQLITE_OK;
    }
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
    (void)base;
    return 4096;
}

static int file_traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1: no shared memory and no memory maps, so no second connection (INV-1). */
static const sqlite3_io_methods file_methods = {
    .iVersion = 1,
    .xClose = file_shut,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
};

int vfs_log_fd(sqlite3_file *log)
{
    return log && log->pMethods == &file_methods ? file_of(log)->log_fd : -1;
}

uint64_t vfs_log_size(sqlite3_file *log)
{
    return log && log->pMethods == &file_methods ? file_of(log)->end : 0;
}

bool vfs_log_was_left(sqlite3_file *log)
{
    return log && log->pMethods == &file_methods && file_of(log)->was_left;
}

int vfs_file_fd(sqlite3_file *file)
{
    return file && file->pMethods == &file_methods ? file_of(file)->fd : -1;
}

/* ------------------------------------------------------------------------------------------------------- opening */

fallible vfs_name(int dirfd, const char *path, char out[VFS_NAME_MAX])
{
    int n = snprintf(out, VFS_NAME_MAX, "%d:%s", dirfd, path);
    return n < 0 || n >= VFS_NAME_MAX - 16 ? ERR_LIMIT : OK; /* room for "-journal" */
}

static bool split_name(const char *name, int *ret_dirfd, const char **ret_path)
{
    char *end;
    long dirfd = strtol(name, &end, 10);
    if (end == name || *end != ':')
        return false;
    *ret_dirfd = (int)dirfd;
    *ret_path = end + 1;
    return true;
}

static bool lock_whole(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_START, .l_len = LOCK_LEN};
    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* A log left behind may hold commits whose sync failed: the kernel then calls its pages clean and the next sync a success.
 * Written again they are dirty again, and this sync means what it says (INV-3). */
static enum err log_rewrite(int fd, uint64_t size)
{
    char *chunk = malloc(HEAL_CHUNK);
    enum err e = chunk ? OK : ERR_MEMORY;
    for (uint64_t at = 0; e == OK && at < size;) {
        ssize_t n = disk_read(fd, chunk, HEAL_CHUNK, at);
        if (n <= 0) {
            e = n < 0 ? (enum err)n : ERR_IO;
            break;
        }
        e = disk_write(fd, slice_of(chunk, (size_t)n), at);
        at += (uint64_t)n;
    }
    free(chunk);
    return e == OK ? disk_sync(fd) : e;
}

static int log_opened(struct vfs_file *f)
{
    f->log_fd = disk_open(f->dirfd, f->path, O_RDONLY, 0);
    if (f->log_fd < 0)
        return SQLITE_CANTOPEN;
    if (disk_size(f->fd, &f->end) != OK)
        return SQLITE_IOERR_FSTAT;
    f->fresh = f->end == 0;
    f->was_left = f->end > 0;
    return f->was_left ? code_of(log_rewrite(f->fd, f->end), SQLITE_IOERR_WRITE) : SQLITE_OK;
}

static int open_fd(struct vfs_file *f, int flags)
{
    int access = flags & SQLITE_OPEN_READONLY ? O_RDONLY : O_RDWR;
    if (!(flags & SQLITE_OPEN_EXCLUSIVE))
        f->fd = disk_open(f->dirfd, f->path, access, 0);
    if (f->fd < 0 && (flags & SQLITE_OPEN_CREATE) && (f->fd == -1 || f->fd == ERR_NOT_FOUND)) {
        f->fd = disk_open(f->dirfd, f->path, access | O_CREAT | O_EXCL, 0600);
        f->made = f->fd >= 0;
    }
    return f->fd >= 0 ? SQLITE_OK : f->fd == ERR_DISK_FULL ? SQLITE_FULL : SQLITE_CANTOPEN;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
    (void)vfs;
    struct vfs_file *f = file_of(base);
    *f = (struct vfs_file){.fd = -1, .log_fd = -1};
    /* Nameless files would be temporary ones, which live in memory (temp_store). */
    if (!name || !split_name(name, &f->dirfd, &f->path))
        return SQLITE_CANTOPEN;
    int code = open_fd(f, flags);
    if (code != SQLITE_OK)
        return code;
    f->is_log = flags & SQLITE_OPEN_WAL;
    if ((flags & SQLITE_OPEN_MAIN_DB) && !lock_whole(f->fd))
        code = errno == EAGAIN || errno == EACCES ? SQLITE_BUSY : SQLITE_IOERR_LOCK;
    if (code == SQLITE_OK && f->is_log)
        code = log_opened(f);
    if (code != SQLITE_OK) {
        file_shut(base);
        return code;
    }
    f->base.pMethods = &file_methods;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    int dirfd;
    const char *path;
    if (!split_name(name, &dirfd, &path))
        return SQLITE_IOERR_DELETE;
    enum err e = disk_unlink(dirfd, path);
    if (e == ERR_NOT_FOUND)
        return SQLITE_IOERR_DELETE_NOENT;
    if (e == OK && sync_folder) {
        char folder[VFS_NAME_MAX];
        const char *slash = strrchr(path, '/');
        snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
        if (disk_sync_dir(dirfd, folder) != OK)
            return SQLITE_IOERR_DIR_FSYNC;
    }
    return e == OK ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int what, int *ret_is)
{
    (void)vfs;
    int dirfd;
    const char *path;
    struct stat st;
    if (!split_name(name, &dirfd, &path))
        return SQLITE_IOERR_ACCESS;
    bool there = fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there && errno != ENOENT)
        return SQLITE_IOERR_ACCESS;
    /* As SQLite's own VFS: an empty journal is none. */
    *ret_is = there && (what == SQLITE_ACCESS_EXISTS ? st.st_size > 0 : true);
    return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)n, "%s", name) < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    if (getrandom(out, (size_t)n, 0) != n)
        abort(); /* no fallback to time or pid (T-311) */
    return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    (void)microseconds;
    return 0; /* nobody else can hold a lock of ours, so nothing is worth waiting for */
}

static int vfs_now_ms(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
    (void)vfs;
    *ret_ms = clock_unix_ms() + INT64_C(210866760000000); /* since noon of the first Julian day */
    return SQLITE_OK;
}

static int vfs_now(sqlite3_vfs *vfs, double *ret_days)
{
    sqlite3_int64 ms = 0;
    vfs_now_ms(vfs, &ms);
    *ret_days = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    (void)n;
    (void)out;
    return errno;
}

void vfs_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = VFS_NAME_MAX,
        .zName = VFS_NAME,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_name,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_now,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_now_ms,
    };
    int code = sqlite3_vfs_register(&vfs, 1);
    assert(code == SQLITE_OK);
    (void)code;
}

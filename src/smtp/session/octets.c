#include "smtp/session/octets.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "crypto/random.h"

#define PREFIX "arriving-"

struct octets {
    unsigned refs;
    int root;
    uint8_t slot;
    bool sealed;
    enum err why;
    uint64_t size;
    struct buf memory;
    int writer, reader;
    char path[64]; /* of the writer's file while it has a name */
};

struct octets *octets_new(int root, uint8_t slot)
{
    struct octets *o = NEW(struct octets);
    *o = (struct octets){.refs = 1, .root = root, .slot = slot, .writer = -1, .reader = -1};
    buf_init(&o->memory, LIMIT_INLINE_MAX);
    return o;
}

fallible octets_of_fd(int fd, uint64_t size, struct octets **ret_octets)
{
    struct stat st;
    int flags = fcntl(fd, F_GETFL);
    bool fine = flags >= 0 && (flags & O_ACCMODE) == O_RDONLY && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
                (uint64_t)st.st_size == size;
    if (!fine) {
        close(fd);
        return ERR_PROTOCOL;
    }
    struct octets *o = octets_new(-1, 0);
    o->reader = fd;
    o->size = size;
    o->sealed = true;
    *ret_octets = o;
    return OK;
}

struct octets *octets_ref(struct octets *o)
{
    o->refs++;
    return o;
}

static void drop_name(struct octets *o)
{
    if (o->path[0])
        unlinkat(o->root, o->path, 0);
    o->path[0] = '\0';
}

void octets_unref(struct octets **o_ptr)
{
    struct octets *o = *o_ptr;
    *o_ptr = NULL;
    if (!o || --o->refs)
        return;
    drop_name(o);
    file_close(&o->writer);
    file_close(&o->reader);
    buf_done(&o->memory);
    free(o);
}

static fallible fail(struct octets *o, enum err e)
{
    if (o->why == OK)
        o->why = e;
    return o->why;
}

static fallible make_folder(int root, const char *path)
{
    return mkdirat(root, path, 0700) == 0 || errno == EEXIST ? OK : err_of_errno(errno);
}

static fallible open_writer(struct octets *o)
{
    char folder[16];
    snprintf(folder, sizeof folder, "%02x", o->slot); /* no account of this slot may have had mail yet */
    TRY(make_folder(o->root, folder));
    snprintf(folder, sizeof folder, "%02x/tmp", o->slot);
    TRY(make_folder(o->root, folder));
    snprintf(o->path, sizeof o->path, "%s/" PREFIX "%016llx", folder, (unsigned long long)random_id64());
    o->writer = openat(o->root, o->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (o->writer >= 0)
        return OK;
    o->path[0] = '\0';
    return err_of_errno(errno);
}

/* From memory into a file. */
static fallible spill(struct octets *o)
{
    TRY(open_writer(o));
    TRY(file_write_all(o->writer, buf_slice(&o->memory)));
    buf_done(&o->memory);
    return OK;
}

fallible octets_put(struct octets *o, struct slice s)
{
    assert(!o->sealed);
    if (o->why != OK)
        return o->why;
    enum err e = OK;
    if (o->writer < 0 && o->size + s.n > LIMIT_INLINE_MAX)
        e = spill(o);
    if (e == OK && o->writer >= 0)
        e = file_write_all(o->writer, s);
    else if (e == OK)
        buf_put(&o->memory, s);
    o->size += s.n;
    return e == OK ? OK : fail(o, e);
}

/* The file we wrote, opened anew for reading only; then it has no name and no writer any more. */
static fallible turn_round(struct octets *o)
{
    struct stat written, opened;
    o->reader = openat(o->root, o->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (o->reader < 0 || fstat(o->writer, &written) != 0 || fstat(o->reader, &opened) != 0)
        return err_of_errno(errno);
    drop_name(o);
    file_close(&o->writer);
    bool same = written.st_dev == opened.st_dev && written.st_ino == opened.st_ino &&
                (uint64_t)opened.st_size == o->size;
    return same ? OK : ERR_CORRUPT;
}

fallible octets_seal(struct octets *o)
{
    assert(!o->sealed);
    if (o->why != OK)
        return o->why;
    o->sealed = true;
    if (o->writer < 0)
        return OK;
    enum err e = turn_round(o);
    return e == OK ? OK : fail(o, e);
}

uint64_t octets_size(const struct octets *o)
{
    return o->size;
}

struct slice octets_memory(const struct octets *o)
{
    assert(o->sealed);
    return o->reader >= 0 && !o->memory.p ? SLICE_EMPTY
                                          : slice_of(o->memory.p ? o->memory.p : "", o->memory.n);
}

fallible octets_fd(struct octets *o, int *ret_fd)
{
    assert(o->sealed);
    if (o->why != OK)
        return o->why;
    if (o->reader < 0) {
        enum err e = open_writer(o);
        if (e == OK)
            e = file_write_all(o->writer, buf_slice(&o->memory));
        if (e == OK)
            e = turn_round(o);
        if (e != OK)
            return fail(o, e);
    }
    *ret_fd = o->reader;
    return OK;
}

void octets_sweep(int root, uint8_t slot)
{
    char folder[16];
    snprintf(folder, sizeof folder, "%02x/tmp", slot);
    int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        file_close(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

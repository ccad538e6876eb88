/* crashdisk.h - a disk that can lose power at any moment: records the calls of disk.h, and makes what may be left after any
 * prefix of them.
 *
 * The model is harsher than any file system: what a sync has not covered may be lost call by call and sector by sector, in
 * any combination, also truncations, creations, renames and removals (each until its directory was synced). A sync covers
 * what had happened when it began. A test says crash_mark when something was promised to the outside; what is left after
 * a cut must hold everything promised before it.
 *
 * One recording at a time; files live in memory as images, and in a real folder while the code under test uses them.
 */
#ifndef UNIT_CRASHDISK_H
#define UNIT_CRASHDISK_H

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "db/disk.h"

enum { CRASH_NAME = 64, CRASH_FDS = 4096, CRASH_SECTOR = 512 };

struct crash_inode {
    bool is_dir;
    char *octets; /* as of the start of the recording */
    size_t n;
};
struct crash_entry {
    int dir, inode;
    char name[CRASH_NAME];
};
/* A tree of files; inode 0 is the root. */
struct crash_image {
    struct crash_inode *inodes;
    struct crash_entry *entries;
    int inode_count, entry_count;
};

enum crash_kind {
    CRASH_WRITE,
    CRASH_TRUNCATE,
    CRASH_SYNC,
    CRASH_CREATE,
    CRASH_RENAME,
    CRASH_REMOVE,
    CRASH_MARK
};
struct crash_op {
    enum crash_kind kind;
    int inode; /* file, or directory of the entry */
    int target;
    char name[CRASH_NAME], to[CRASH_NAME];
    uint64_t offset;
    char *data;
    size_t n;
    int covers; /* sync: calls before this one are on disk; mark: the user's number */
};

struct crash_disk {
    struct disk_hook hook;
    pthread_mutex_t lock;
    struct crash_image base, live;
    struct crash_op *ops;
    int count, cap;
    int fds[CRASH_FDS]; /* inode + 1 */
    /* Faults: the k-th call (from 1) of this kind fails with `fault_errno`. */
    enum disk_op fault_op;
    int fault_at, fault_errno, fault_seen;
};

/* ---- random numbers of a seed ---- */

static inline uint64_t crash_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
static inline unsigned crash_below(uint64_t *seed, unsigned bound)
{
    return (unsigned)(crash_random(seed) % bound);
}

/* ---- images ---- */

static inline int crash_add_inode(struct crash_image *i, bool is_dir)
{
    i->inodes = mem_resize(i->inodes, (size_t)(i->inode_count + 1) * sizeof *i->inodes);
    i->inodes[i->inode_count] = (struct crash_inode){.is_dir = is_dir};
    return i->inode_count++;
}

static inline struct crash_image crash_image_new(void)
{
    struct crash_image i = {0};
    crash_add_inode(&i, true);
    return i;
}

static inline void crash_image_done(struct crash_image *i)
{
    for (int k = 0; k < i->inode_count; k++)
        free(i->inodes[k].octets);
    free(i->inodes);
    free(i->entries);
    *i = (struct crash_image){0};
}

static inline int crash_find(const struct crash_image *i, int dir, const char *name, size_t n)
{
    for (int k = 0; k < i->entry_count; k++)
        if (i->entries[k].dir == dir && strlen(i->entries[k].name) == n &&
            memcmp(i->entries[k].name, name, n) == 0)
            return k;
    return -1;
}

static inline void crash_unlink(struct crash_image *i, int dir, const char *name)
{
    int k = crash_find(i, dir, name, strlen(name));
    if (k >= 0)
        i->entries[k] = i->entries[--i->entry_count];
}

static inline void crash_link(struct crash_image *i, int dir, const char *name, int inode)
{
    crash_unlink(i, dir, name);
    i->entries = mem_resize(i->entries, (size_t)(i->entry_count + 1) * sizeof *i->entries);
    struct crash_entry *e = &i->entries[i->entry_count++];
    *e = (struct crash_entry){.dir = dir, .inode = inode};
    snprintf(e->name, sizeof e->name, "%s", name);
}

static inline struct crash_image crash_image_copy(const struct crash_image *from)
{
    struct crash_image i = {.inode_count = from->inode_count, .entry_count = from->entry_count};
    i.inodes = mem_alloc((size_t)(i.inode_count + 1) * sizeof *i.inodes);
    i.entries = mem_alloc((size_t)(i.entry_count + 1) * sizeof *i.entries);
    if (i.entry_count)
        memcpy(i.entries, from->entries, (size_t)i.entry_count * sizeof *i.entries);
    for (int k = 0; k < i.inode_count; k++) {
        i.inodes[k] = from->inodes[k];
        i.inodes[k].octets = mem_alloc(from->inodes[k].n + 1);
        if (from->inodes[k].n)
            memcpy(i.inodes[k].octets, from->inodes[k].octets, from->inodes[k].n);
    }
    return i;
}

static inline void crash_image_write_below(const struct crash_image *i, int dir, int fd)
{
    for (int k = 0; k < i->entry_count; k++) {
        const struct crash_entry *e = &i->entries[k];
        if (e->dir != dir)
            continue;
        const struct crash_inode *node = &i->inodes[e->inode];
        if (node->is_dir) {
            if (mkdirat(fd, e->name, 0700) < 0)
                abort();
            int below = openat(fd, e->name, O_RDONLY | O_DIRECTORY);
            crash_image_write_below(i, e->inode, below);
            close(below);
        } else {
            int file = openat(fd, e->name, O_WRONLY | O_CREAT | O_EXCL, 0600);
            if (file < 0 || (node->n && write(file, node->octets, node->n) != (ssize_t)node->n))
                abort();
            close(file);
        }
    }
}

/* Into an empty folder. */
static inline void crash_image_write(const struct crash_image *i, int dirfd)
{
    crash_image_write_below(i, 0, dirfd);
}

/* ---- recording ---- */

/* The directory inode and the last part's name of a path that is relative to the root. */
static inline int crash_walk(const struct crash_image *i, const char *path, const char **ret_last)
{
    int dir = 0;
    for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
        int k = crash_find(i, dir, path, (size_t)(slash - path));
        if (k < 0)
            return -1;
        dir = i->entries[k].inode;
    }
    *ret_last = path;
    return dir;
}

static inline int crash_resolve(const struct crash_image *i, const char *path)
{
    const char *last = NULL;
    if (strcmp(path, ".") == 0)
        return 0;
    int dir = crash_walk(i, path, &last);
    int k = dir < 0 ? -1 : crash_find(i, dir, last, strlen(last));
    return k < 0 ? -1 : i->entries[k].inode;
}

static inline struct crash_op *crash_log(struct crash_disk *d, enum crash_kind kind, int inode)
{
    if (d->count == d->cap) {
        d->cap = d->cap ? d->cap * 2 : 1024;
        d->ops = mem_resize(d->ops, (size_t)d->cap * sizeof *d->ops);
    }
    struct crash_op *op = &d->ops[d->count++];
    *op = (struct crash_op){.kind = kind, .inode = inode};
    return op;
}

static inline struct crash_op *
crash_log_entry(struct crash_disk *d, enum crash_kind kind, const char *path, int target)
{
    const char *last = NULL;
    int dir = crash_walk(&d->live, path, &last);
    assert(dir >= 0);
    struct crash_op *op = crash_log(d, kind, dir);
    snprintf(op->name, sizeof op->name, "%s", last);
    op->target = target;
    return op;
}

static _Thread_local int crash_sync_began;

static inline int crash_before(struct disk_hook *h, const struct disk_call *call)
{
    struct crash_disk *d = (struct crash_disk *)h;
    pthread_mutex_lock(&d->lock);
    crash_sync_began = d->count;
    bool hit = d->fault_at && call->op == d->fault_op && ++d->fault_seen == d->fault_at;
    pthread_mutex_unlock(&d->lock);
    return hit ? d->fault_errno : 0;
}

static inline void crash_note_open(struct crash_disk *d, const struct disk_call *call)
{
    assert(call->fd < CRASH_FDS);
    int inode;
    if (call->made) {
        inode = crash_add_inode(&d->live, false);
        struct crash_op *op = crash_log_entry(d, CRASH_CREATE, call->path, inode);
        crash_link(&d->live, op->inode, op->name, inode);
    } else {
        inode = crash_resolve(&d->live, call->path);
        assert(inode >= 0);
    }
    d->fds[call->fd] = inode + 1;
}

static inline void crash_note_names(struct crash_disk *d, const struct disk_call *call)
{
    const char *last = NULL;
    struct crash_op *op;
    int target = crash_resolve(&d->live, call->path);
    if (call->op == DISK_MKDIR) {
        op = crash_log_entry(d, CRASH_CREATE, call->path, crash_add_inode(&d->live, true));
        crash_link(&d->live, op->inode, op->name, op->target);
    } else if (call->op == DISK_UNLINK) {
        op = crash_log_entry(d, CRASH_REMOVE, call->path, target);
        crash_unlink(&d->live, op->inode, op->name);
    } else {
        op = crash_log_entry(d, CRASH_RENAME, call->path, target);
        int dir = crash_walk(&d->live, call->to, &last);
        assert(dir == op->inode); /* all our renames stay in their folder */
        snprintf(op->to, sizeof op->to, "%s", last);
        crash_unlink(&d->live, dir, op->name);
        crash_link(&d->live, dir, op->to, target);
    }
}

static inline void crash_after(struct disk_hook *h, const struct disk_call *call)
{
    struct crash_disk *d = (struct crash_disk *)h;
    struct crash_op *op;
    pthread_mutex_lock(&d->lock);
    int inode = call->fd >= 0 && call->fd < CRASH_FDS ? d->fds[call->fd] - 1 : -1;
    switch (call->op) {
    case DISK_OPEN:
        crash_note_open(d, call);
        break;
    case DISK_CLOSE:
        d->fds[call->fd] = 0;
        break;
    case DISK_WRITE:
        assert(inode >= 0);
        op = crash_log(d, CRASH_WRITE, inode);
        op->offset = call->offset;
        op->n = call->data.n;
        op->data = mem_alloc(op->n);
        memcpy(op->data, call->data.p, op->n);
        break;
    case DISK_TRUNCATE:
        crash_log(d, CRASH_TRUNCATE, inode)->offset = call->offset;
        break;
    case DISK_SYNC:
        crash_log(d, CRASH_SYNC, inode)->covers = crash_sync_began;
        break;
    case DISK_SYNC_DIR:
        crash_log(d, CRASH_SYNC, crash_resolve(&d->live, call->path))->covers = crash_sync_began;
        break;
    case DISK_MKDIR:
    case DISK_RENAME:
    case DISK_UNLINK:
        crash_note_names(d, call);
        break;
    default:
        break;
    }
    pthread_mutex_unlock(&d->lock);
}

/* Starts recording; the folder that is used must hold just this image, which is copied. */
static inline struct crash_disk *crash_start(const struct crash_image *base)
{
    struct crash_disk *d = NEW(struct crash_disk);
    d->hook = (struct disk_hook){.before = crash_before, .after = crash_after};
    pthread_mutex_init(&d->lock, NULL);
    d->base = crash_image_copy(base);
    d->live = crash_image_copy(base);
    disk_set_hook(&d->hook);
    return d;
}

static inline void crash_mark(struct crash_disk *d, int number)
{
    pthread_mutex_lock(&d->lock);
    crash_log(d, CRASH_MARK, -1)->covers = number;
    pthread_mutex_unlock(&d->lock);
}

static inline void crash_stop(void)
{
    disk_set_hook(NULL);
}

static inline void crash_free(struct crash_disk **at)
{
    struct crash_disk *d = TAKE(*at, NULL);
    for (int i = 0; i < d->count; i++)
        free(d->ops[i].data);
    free(d->ops);
    crash_image_done(&d->base);
    crash_image_done(&d->live);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

/* ---- cutting the power ---- */

/* How much of what no sync covered survives: nothing, everything, a front part, or each call by itself. */
enum crash_mood { CRASH_NOTHING, CRASH_ALL, CRASH_FRONT, CRASH_MOST, CRASH_SOME, CRASH_FEW, CRASH_MOODS };

struct crash_cut {
    int at; /* calls before this one happened */
    enum crash_mood mood;
    int front;
    uint64_t seed;
};

static inline struct crash_cut crash_cut_random(const struct crash_disk *d, uint64_t *seed)
{
    struct crash_cut c = {.at = (int)crash_below(seed, (unsigned)d->count + 1)};
    c.mood = (enum crash_mood)crash_below(seed, CRASH_MOODS);
    c.front = c.at ? (int)crash_below(seed, (unsigned)c.at + 1) : 0;
    c.seed = crash_random(seed);
    return c;
}

static inline bool crash_survives(struct crash_cut *c, int call)
{
    static const unsigned of_ten[CRASH_MOODS] = {[CRASH_MOST] = 9, [CRASH_SOME] = 5, [CRASH_FEW] = 1};
    switch (c->mood) {
    case CRASH_NOTHING:
        return false;
    case CRASH_ALL:
        return true;
    case CRASH_FRONT:
        return call < c->front;
    default:
        return crash_below(&c->seed, 10) < of_ten[c->mood];
    }
}

static inline void crash_grow(struct crash_inode *f, size_t n)
{
    f->octets = mem_resize(f->octets, n + 1);
    if (n > f->n)
        memset(f->octets + f->n, 0, n - f->n);
    f->n = n;
}

static inline void crash_apply_write(struct crash_inode *f, const struct crash_op *op, struct crash_cut *torn)
{
    bool whole = !torn || torn->mood == CRASH_ALL || torn->mood == CRASH_FRONT || crash_below(&torn->seed, 3);
    for (size_t at = 0; at < op->n;) {
        size_t to_edge = CRASH_SECTOR - (op->offset + at) % CRASH_SECTOR;
        size_t n = op->n - at < to_edge ? op->n - at : to_edge;
        if (whole || crash_below(&torn->seed, 2)) {
            if (op->offset + at + n > f->n)
                crash_grow(f, op->offset + at + n);
            memcpy(f->octets + op->offset + at, op->data + at, n);
        }
        at += n;
    }
}

static inline void crash_apply_name(struct crash_image *i, const struct crash_op *op)
{
    if (op->kind == CRASH_CREATE) {
        crash_link(i, op->inode, op->name, op->target);
    } else {
        crash_unlink(i, op->inode, op->name);
        if (op->kind == CRASH_RENAME)
            crash_link(i, op->inode, op->to, op->target);
    }
}

/* What the disk holds after the cut. *ret_mark: the highest mark before it, -1: none. */
static inline struct crash_image crash_make(const struct crash_disk *d, struct crash_cut c, int *ret_mark)
{
    struct crash_image i = crash_image_copy(&d->base);
    while (i.inode_count < d->live.inode_count)
        crash_add_inode(&i, d->live.inodes[i.inode_count].is_dir);
    int *covered = mem_alloc((size_t)i.inode_count * sizeof *covered);
    bool *safe = mem_alloc((size_t)c.at + 1);
    *ret_mark = -1;
    for (int k = c.at - 1; k >= 0; k--) {
        const struct crash_op *op = &d->ops[k];
        if (op->kind == CRASH_MARK) {
            if (op->covers > *ret_mark)
                *ret_mark = op->covers;
        } else if (op->kind == CRASH_SYNC) {
            if (op->covers > covered[op->inode])
                covered[op->inode] = op->covers;
        } else {
            safe[k] = k < covered[op->inode];
        }
    }
    for (int k = 0; k < c.at; k++) {
        const struct crash_op *op = &d->ops[k];
        if (op->kind == CRASH_SYNC || op->kind == CRASH_MARK || (!safe[k] && !crash_survives(&c, k)))
            continue;
        if (op->kind == CRASH_WRITE)
            crash_apply_write(&i.inodes[op->inode], op, safe[k] ? NULL : &c);
        else if (op->kind == CRASH_TRUNCATE)
            crash_grow(&i.inodes[op->inode], op->offset);
        else
            crash_apply_name(&i, op);
    }
    free(covered);
    free(safe);
    return i;
}

#endif

/* snapshot.c - stands in the account's line of jobs with JOB_COPY, one step at a time, until the copy is whole. */
#include "store/snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "crypto/random.h"
#include "db/disk.h"
#include "store/private.h"

struct snapshot {
    struct list link; /* in account.snapshots while it wants JOB_COPY */
    struct account *account;
    struct db_copy *copy;
    struct account_wait wait;
    enum err state; /* the loop's: ERR_AGAIN: copying; else how it ended */
    enum err step;  /* the job's: how its last step went */
    bool abandoned, pinned;
    char path[ACCOUNT_PATH_MAX];
    int fd; /* of the copy */
    uint64_t *names;
    size_t name_count, name_cap, next;
    bool gave_db;
    char name[32];
    void (*done)(struct snapshot *s, enum err e, void *owner);
    void *owner;
};

struct snapshot *snapshot_waiting(const struct account *a)
{
    return LIST_FIRST(&a->snapshots, struct snapshot, link);
}

/* ------------------------------------------------------------------------------------------- on a pool thread */

static fallible begin(struct snapshot *s)
{
    struct account *a = s->account;
    int root = a->all->options.root;
    char tmp[16];
    snprintf(tmp, sizeof tmp, "%.2s/tmp", a->path);
    enum err e = disk_mkdir(root, tmp, 0700);
    if (e != OK && e != ERR_EXISTS)
        return e;
    TRY(accounts_has_room(a->all, db_size(a->db)));
    snprintf(s->path, sizeof s->path, "%s/snapshot-%016llx", tmp, (unsigned long long)random_id64());
    TRY(db_copy_new(a->db, root, s->path, &s->copy));
    s->fd = disk_open(root, s->path, O_RDONLY, 0);
    enum err unlinked = disk_unlink(root, s->path);
    return s->fd < 0 ? (enum err)TAKE(s->fd, -1) : unlinked;
}

/* The large files that the finished copy names: those of this moment, since nothing was committed after it. */
static fallible list_files(struct snapshot *s)
{
    int64_t last = -1;
    enum err e;
    for (;;) {
        struct stmt *st = db_stmt(s->account->db, SQL_FILE_LIST);
        stmt_bind(st, "i", last);
        e = stmt_step(st);
        if (e == OK)
            last = stmt_col_int(st, 0);
        stmt_reset(st);
        if (e != OK)
            break;
        if (s->name_count == s->name_cap) {
            s->name_cap = s->name_cap ? s->name_cap * 2 : 16;
            s->names = mem_resize(s->names, s->name_cap * sizeof *s->names);
        }
        s->names[s->name_count++] = (uint64_t)last;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

void snapshot_step(struct snapshot *s)
{
    enum err e = s->copy ? OK : begin(s);
    if (e == OK)
        e = db_copy_step(s->copy, LIMIT_SNAPSHOT_STEP);
    if (e == OK)
        e = list_files(s);
    s->step = e;
    if (e != ERR_AGAIN)
        db_copy_free(&s->copy);
}

/* -------------------------------------------------------------------------------------------------- on the loop */

static void unpin(struct snapshot *s)
{
    if (s->pinned) {
        s->account->pins--;
        account_attend(s->account);
    }
    s->pinned = false;
}

static void release(struct snapshot *s)
{
    list_drop(&s->link);
    account_wait_stop(&s->wait);
    unpin(s);
    db_copy_free(&s->copy);
    disk_close(&s->fd);
    free(s->names);
    account_unref(&s->account);
    free(s);
}

static void end(struct snapshot *s, enum err e)
{
    list_drop(&s->link);
    s->state = e;
    if (e != OK)
        unpin(s);
    if (s->abandoned)
        release(s);
    else
        s->done(s, e, s->owner);
}

void snapshot_stepped(struct snapshot *s)
{
    if (s->abandoned || s->step != ERR_AGAIN)
        end(s, s->step);
}

/* The connection is closed already, and a copy must end before its source: db_copy_free comes first in account_poison. */
void snapshot_fail(struct account *a, enum err why)
{
    struct snapshot *s;
    while ((s = snapshot_waiting(a)))
        end(s, why);
}

void snapshot_stop_copies(struct account *a)
{
    LIST_EACH (&a->snapshots, struct snapshot, link, s)
        db_copy_free(&s->copy);
}

static void enter(struct account_wait *w)
{
    struct snapshot *s = w->owner;
    struct account *a = s->account;
    enum err e = account_enter(a, w);
    if (e == ERR_AGAIN)
        return;
    if (e != OK) {
        end(s, e);
        return;
    }
    a->pins++;
    s->pinned = true;
    list_add(&a->snapshots, &s->link);
    account_attend(a);
}

struct snapshot *
snapshot_new(struct account *a, void (*done)(struct snapshot *s, enum err e, void *owner), void *owner)
{
    struct snapshot *s = NEW(struct snapshot);
    s->account = a;
    a->refs++;
    s->state = ERR_AGAIN;
    s->fd = -1;
    s->done = done;
    s->owner = owner;
    s->wait = (struct account_wait){.ready = enter, .owner = s};
    list_init(&s->link);
    /* Entering may fail at once; the caller has no pointer yet, so that is said by `done` too. */
    account_wait_later(a, &s->wait);
    return s;
}

fallible snapshot_next(struct snapshot *s, struct slice *ret_name, uint64_t *ret_size, int *ret_fd)
{
    assert(s->state == OK);
    int fd;
    if (!s->gave_db) {
        snprintf(s->name, sizeof s->name, "mail.db");
        fd = TAKE(s->fd, -1);
    } else if (s->next < s->name_count) {
        char path[ACCOUNT_PATH_MAX];
        large_path(s->account, s->names[s->next], path);
        snprintf(s->name, sizeof s->name, "large/%016llx", (unsigned long long)s->names[s->next]);
        fd = disk_open(s->account->all->options.root, path, O_RDONLY, 0);
        if (fd < 0)
            return (enum err)fd;
        s->next++;
    } else {
        return ERR_NOT_FOUND;
    }
    s->gave_db = true;
    uint64_t size;
    enum err e = disk_size(fd, &size);
    if (e != OK) {
        disk_close(&fd);
        return e;
    }
    *ret_name = slice_str(s->name);
    *ret_size = size;
    *ret_fd = fd;
    return OK;
}

void snapshot_free(struct snapshot **at)
{
    struct snapshot *s = TAKE(*at, NULL);
    if (!s)
        return;
    /* A step may be running, or may be over without the loop having heard: snapshot_stepped ends it. */
    if (s->account->job_kind == JOB_COPY && snapshot_waiting(s->account) == s)
        s->abandoned = true;
    else
        release(s);
}

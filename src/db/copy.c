#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "db/disk.h"
#include "db/private.h"
#include "db/vfs.h"

struct db_copy {
    sqlite3 *to;
    sqlite3_backup *backup;
    int fd; /* of the new file */
};

static int fd_of(sqlite3 *handle)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return vfs_file_fd(file);
}

static fallible open_target(struct db_copy *c, int dirfd, const char *path)
{
    char name[VFS_NAME_MAX];
    TRY(vfs_name(dirfd, path, name));
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE | SQLITE_OPEN_NOMUTEX;
    TRY(db_err_of(c->to, sqlite3_open_v2(name, &c->to, flags | SQLITE_OPEN_EXRESCODE, VFS_NAME)));
    /* A copy that is cut short is thrown away whole, so it needs no journal. */
    int code = sqlite3_exec(
        c->to, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL,
        NULL);
    return db_err_of(c->to, code);
}

fallible db_copy_new(struct db *from, int dirfd, const char *path, struct db_copy **ret_copy)
{
    struct db_copy *c = NEW(struct db_copy);
    enum err e = open_target(c, dirfd, path);
    if (e == OK) {
        c->fd = fd_of(c->to);
        c->backup = sqlite3_backup_init(c->to, "main", from->handle, "main");
        if (!c->backup)
            e = db_err_of(c->to, sqlite3_extended_errcode(c->to));
    }
    if (e != OK)
        db_copy_free(&c);
    else
        *ret_copy = c;
    return e;
}

fallible db_copy_step(struct db_copy *c, unsigned pages)
{
    int code = sqlite3_backup_step(c->backup, (int)pages);
    if (code == SQLITE_OK)
        return ERR_AGAIN;
    if (code != SQLITE_DONE)
        return db_err_of(c->to, code);
    return disk_sync(c->fd);
}

void db_copy_free(struct db_copy **c)
{
    if (*c) {
        sqlite3_backup_finish((*c)->backup);
        sqlite3_close((*c)->to);
    }
    mem_free(c);
}

/* folder.c - an account's folder: made whole or not at all, swept of files without rows, removed whole. Pool threads only.
 *
 * Making: everything is written and synced in AB/ACCOUNT.new, which then gets its name by one rename. So a folder with the
 * account's name and without a good mail.db is damage, never a new account (T-269).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/encode.h"
#include "base/file.h"
#include "db/disk.h"
#include "store/private.h"

enum { NAME_LEN = 16 };

void large_path(const struct account *a, uint64_t name, char out[ACCOUNT_PATH_MAX])
{
    snprintf(out, ACCOUNT_PATH_MAX, "%s/large/%016llx", a->path, (unsigned long long)name);
}

static bool name_of_large(const char *text, uint64_t *ret_name)
{
    uint8_t b[8];
    if (strlen(text) != NAME_LEN || hex_get(slice_str(text), b, sizeof b) != OK)
        return false;
    *ret_name = 0;
    for (size_t i = 0; i < sizeof b; i++)
        *ret_name = *ret_name << 8 | b[i];
    return true;
}

/* Calls `each` for the entries of a folder; a missing folder has none. */
static fallible each_entry(
    const struct account *a, const char *path, enum err (*each)(void *arg, const char *name), void *arg)
{
    int fd = openat(a->all->options.root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? OK : err_of_errno(errno);
    DIR *d = fdopendir(fd);
    if (!d) {
        close(fd);
        return ERR_IO;
    }
    enum err e = OK;
    struct dirent *entry;
    while (e == OK && (entry = readdir(d)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            e = each(arg, entry->d_name);
    closedir(d);
    return e;
}

struct folder {
    const struct account *a;
    char path[ACCOUNT_PATH_MAX];
};

static enum err remove_file(void *arg, const char *name)
{
    const struct folder *f = arg;
    char path[ACCOUNT_PATH_MAX + 256];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    enum err e = strcmp(name, "large") == 0 ? OK : disk_unlink(f->a->all->options.root, path);
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible remove_folder(const struct account *a, const char *path)
{
    struct folder f = {.a = a};
    int root = a->all->options.root;
    snprintf(f.path, sizeof f.path, "%s/large", path);
    TRY(each_entry(a, f.path, remove_file, &f));
    enum err e = disk_rmdir(root, f.path);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    snprintf(f.path, sizeof f.path, "%s", path);
    TRY(each_entry(a, f.path, remove_file, &f));
    e = disk_rmdir(root, path);
    return e == ERR_NOT_FOUND ? OK : e;
}

static void slot_path(const struct account *a, char out[4])
{
    snprintf(out, 4, "%.2s", a->path);
}

fallible folder_delete(struct account *a)
{
    char gone[ACCOUNT_PATH_MAX], slot[4];
    snprintf(gone, sizeof gone, "%s.gone", a->path);
    slot_path(a, slot);
    TRY(remove_folder(a, gone));
    enum err e = disk_rename(a->all->options.root, a->path, gone);
    if (e == ERR_NOT_FOUND)
        return OK;
    TRY(e);
    TRY(disk_sync_dir(a->all->options.root, slot));
    return remove_folder(a, gone);
}

/* ------------------------------------------------------------------------------------------------------- making */

static fallible open_db(struct account *a, const char *folder, bool create)
{
    char path[ACCOUNT_PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/mail.db", folder);
    struct db_options options = {.schema = &store_schema, .sync = DB_SYNC_LATER, .create = create};
    return db_open(a->all->options.root, path, &options, &a->db);
}

static fallible fill(struct account *a, const char *folder)
{
    char large[ACCOUNT_PATH_MAX + 8];
    snprintf(large, sizeof large, "%s/large", folder);
    TRY(disk_mkdir(a->all->options.root, large, 0700));
    TRY(open_db(a, folder, true));
    enum err e = account_make_rows(a);
    if (e != OK) {
        db_abandon(&a->db);
        return e;
    }
    TRY(db_close(&a->db));
    return disk_sync_dir(a->all->options.root, folder);
}

/* The entries of the slots. A jailed keeper cannot open the root itself; then the slots were made and synced before it
 * started (proc/launch.h). */
fallible store_sync_slots(int root)
{
    enum err e = disk_sync_dir(root, ".");
    return e == ERR_DENIED ? OK : e;
}

static fallible make(struct account *a)
{
    int root = a->all->options.root;
    char fresh[ACCOUNT_PATH_MAX], slot[4];
    snprintf(fresh, sizeof fresh, "%s.new", a->path);
    slot_path(a, slot);
    TRY(accounts_has_room(a->all, 0));
    enum err e = disk_mkdir(root, slot, 0700);
    if (e != OK && e != ERR_EXISTS)
        return e;
    TRY(remove_folder(a, fresh)); /* what a power cut left of an earlier try */
    TRY(disk_mkdir(root, fresh, 0700));
    TRY(fill(a, fresh));
    a->made = true;
    return disk_rename(root, fresh, a->path);
}

/* ------------------------------------------------------------------------------------------------------ opening */

static enum err sweep_one(void *arg, const char *name)
{
    struct account *a = arg;
    uint64_t file;
    if (!name_of_large(name, &file))
        return OK;
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_FILE_FIND);
    stmt_bind(st, "i", (int64_t)file);
    enum err e = stmt_step(st);
    if (e != ERR_NOT_FOUND)
        return e;
    char path[ACCOUNT_PATH_MAX];
    large_path(a, file, path);
    e = disk_unlink(a->all->options.root, path);
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Once for a handle: later there may be writers, whose files have no rows yet. */
static fallible sweep(struct account *a)
{
    char path[ACCOUNT_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/large", a->path);
    return a->swept ? OK : each_entry(a, path, sweep_one, a);
}

fallible folder_open(struct account *a)
{
    struct stat st;
    a->made = false;
    if (fstatat(a->all->options.root, a->path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            return err_of_errno(errno);
        TRY(make(a));
    }
    if (!a->swept) { /* who made the folder may have died, or failed, before its entry was synced */
        char slot[4];
        slot_path(a, slot);
        TRY(disk_sync_dir(a->all->options.root, slot));
        TRY(store_sync_slots(a->all->options.root));
    }
    enum err e = open_db(a, a->path, false);
    if (e == ERR_NOT_FOUND)
        e = ERR_CORRUPT; /* a folder without its database */
    TRY(e);
    e = sweep(a);
    if (e != OK)
        db_abandon(&a->db);
    return e;
}

/* run_backup.c - a consistent copy while the server runs.
 *
 * The vault lists the accounts and gives copies of its containers; for each account the vault asks its keeper for a
 * snapshot. Only descriptors of finished copies come here; no live file is ever opened. All goes into DEST.partial, each
 * file synced and read back against the hash of what was received; the folder gets its name only at the very end.
 *
 * INV-B1  DEST exists only when all of it is on disk and was read back.
 * INV-B2  An account that the copied vault knows, and that had mail when the backup began, has its mail in the backup: the
 *         vault is copied first. One that was removed meanwhile is left out.
 * INV-B3  A message that was acknowledged when the backup began is in the backup, in its account or on the way there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/files.h"
#include "cli/link.h"
#include "cli/run.h"
#include "crypto/hash.h"

enum { CHUNK = 1 << 17, MANIFEST_MAX = 256 << 20 };

struct account {
    struct account_id id;
    uint8_t slot;
};
struct backup {
    struct cli *c;
    struct link *link;
    const char *dest, *partial;
    int dest_fd; /* of the partial folder */
    struct account *accounts;
    size_t account_count, account_cap;
    struct buf manifest; /* "hash  size  name" lines */
    size_t files;
    uint64_t octets;
    enum err failed; /* of an item: the answer that follows cannot say it */
    char chunk[CHUNK];
};

/* ------------------------------------------------------------------------------------------------------- one file */

static fallible copy_octets(struct backup *b, int from, int to, uint64_t size, struct hash *ret_hash)
{
    struct hash_state state;
    uint64_t at = 0;
    hash_start(&state, NULL);
    while (at < size) {
        size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
        ssize_t n = pread(from, b->chunk, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? ERR_CORRUPT : err_of_errno(errno); /* shorter than its owner said */
        hash_add(&state, slice_of(b->chunk, (size_t)n));
        if (to >= 0)
            TRY(file_write_all(to, slice_of(b->chunk, (size_t)n)));
        at += (uint64_t)n;
    }
    *ret_hash = hash_end(&state);
    return OK;
}

/* Written, synced, and read back. */
static fallible copy_file(struct backup *b, int from, uint64_t size, const char *name)
{
    struct hash sent, stored;
    TRY(files_way(b->dest_fd, name));
    int to CLEANUP_FD = openat(b->dest_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0)
        return err_of_errno(errno);
    TRY(copy_octets(b, from, to, size, &sent));
    if (fsync(to) != 0)
        return err_of_errno(errno);
    TRY(copy_octets(b, to, -1, size, &stored));
    if (memcmp(&sent, &stored, sizeof sent) != 0)
        return ERR_CORRUPT;
    hex_put(&b->manifest, hash_slice(&sent));
    buf_printf(&b->manifest, "  %llu  %s\n", (unsigned long long)size, name);
    b->files++;
    b->octets += size;
    return buf_check(&b->manifest);
}

static void take_file(struct ipc_msg *m, void *owner)
{
    struct backup *b = owner;
    if (m->type != MSG_BACKUP_FILE || b->failed != OK)
        return;
    struct slice name = m->u.backup_file.name;
    b->failed = files_is_plain(name) ? copy_file(
                                           b, m->fds[MSG_BACKUP_FILE_FD_CONTENTS], m->u.backup_file.size,
                                           arena_cstr(&b->c->arena, name))
                                     : ERR_PROTOCOL;
}

/* ------------------------------------------------------------------------------------------- from the processes */

static int file_trouble(struct backup *b, struct slice name)
{
    enum cli_exit code = b->failed == ERR_DENIED ? CLI_DENIED : CLI_IO;
    return cli_fail(b->c, code, SAY_BACKUP_FILE, SAY_BACKUP_FILE_REMEDY, name, cli_error(b->c, b->failed));
}

static void take_account(struct ipc_msg *m, void *owner)
{
    struct backup *b = owner;
    if (m->type != MSG_ACCOUNT_ITEM)
        return;
    if (b->account_count == b->account_cap) {
        b->account_cap = b->account_cap ? b->account_cap * 2 : 256;
        b->accounts = mem_resize(b->accounts, b->account_cap * sizeof *b->accounts);
    }
    b->accounts[b->account_count++] =
        (struct account){.id = m->u.account_item.account, .slot = m->u.account_item.slot};
}

static int copy_vault(struct backup *b)
{
    struct ipc_msg m = {.type = MSG_BACKUP_VAULT}, all = {.type = MSG_ACCOUNT_LIST};
    int code = link_do(b->link, &m, take_file, b);
    if (b->failed != OK)
        return file_trouble(b, S("vault"));
    return code == CLI_OK ? link_do(b->link, &all, take_account, b) : code;
}

/* Before the accounts: what is handed over meanwhile is then in both, and known again by its delivery; the other way round
 * it could be in neither. */
static int copy_transit(struct backup *b)
{
    int code = CLI_OK;
    for (unsigned slot = 0; code == CLI_OK && slot < SLOTS; slot++) {
        struct ipc_msg m = {.type = MSG_BACKUP_TRANSIT, .u.backup_transit.slot = (uint8_t)slot};
        code = link_do(b->link, &m, take_file, b);
        if (b->failed != OK)
            return file_trouble(b, S("transit"));
    }
    return code;
}

static void progress(struct backup *b, size_t done)
{
    enum { CELLS = 30 };
    if (!isatty(STDERR_FILENO) || b->c->json)
        return;
    char bar[CELLS + 1];
    size_t filled = b->account_count ? done * CELLS / b->account_count : CELLS;
    memset(bar, '#', filled);
    memset(bar + filled, '.', CELLS - filled);
    bar[CELLS] = '\0';
    dprintf(
        STDERR_FILENO, "\r[%s] %zu/%zu  %llu MiB%s", bar, done, b->account_count,
        (unsigned long long)(b->octets >> 20), done == b->account_count ? "\n" : "");
}

/* An account that is gone by now has no place in the backup. */
static int copy_account(struct backup *b, const struct account *account)
{
    struct ipc_msg m = {.type = MSG_BACKUP_ACCOUNT};
    struct link_answer answer;
    m.u.backup_account.account = account->id;
    m.u.backup_account.slot = account->slot;
    int code = link_ask(b->link, &m, take_file, b, &answer);
    if (b->failed != OK)
        return file_trouble(b, S("accounts"));
    if (code == CLI_OK && answer.outcome != ADMIN_OUTCOME_NOT_FOUND)
        code = link_outcome(&answer);
    return code;
}

static int copy_accounts(struct backup *b)
{
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && i < b->account_count; i++) {
        code = copy_account(b, &b->accounts[i]);
        if (code == CLI_OK)
            progress(b, i + 1);
    }
    return code;
}

/* ------------------------------------------------------------------------- what changes only by an administrator */

static fallible copy_path(struct backup *b, const char *name)
{
    struct stat st;
    int fd CLEANUP_FD = openat(b->c->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    if (fstat(fd, &st) != 0)
        return err_of_errno(errno);
    return S_ISREG(st.st_mode) ? copy_file(b, fd, (uint64_t)st.st_size, name) : OK;
}

/* The files of a folder, not what is below. */
static fallible copy_folder(struct backup *b, const char *folder)
{
    int fd = openat(b->c->dir_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return errno == ENOENT ? OK : err_of_errno(errno);
    enum err e = OK;
    for (const struct dirent *entry; e == OK && (entry = readdir(dir));)
        if (entry->d_name[0] != '.') {
            struct slice name = arena_printf(&b->c->arena, "%s/%s", folder, entry->d_name);
            e = copy_path(b, arena_cstr(&b->c->arena, name));
        }
    closedir(dir);
    return e;
}

/* Those that the service manager brings are its own to keep. */
static bool takes_keys(const struct backup *b)
{
    return !args_has(&b->c->args, "no-keys") && !config_text(b->c->config, CONFIG_VAULT_KEYS).n;
}

static int copy_rest(struct backup *b)
{
    const char *at = "letterlock.conf";
    b->failed = copy_path(b, at);
    if (b->failed == OK)
        b->failed = copy_folder(b, at = "tls");
    if (b->failed == OK)
        b->failed = copy_folder(b, at = "audit"); /* append-only: what is there is whole lines */
    if (b->failed == OK && takes_keys(b))
        b->failed = copy_folder(b, at = "vault/keys");
    return b->failed == OK ? CLI_OK : file_trouble(b, slice_str(at));
}

/* ---------------------------------------------------------------------------------------------------- the folder */

static int start_folder(struct backup *b)
{
    struct cli *c = b->c;
    struct slice dest = args_text(&c->args, "DEST");
    while (dest.n > 1 && dest.p[dest.n - 1] == '/')
        dest.n--;
    b->dest = arena_cstr(&c->arena, dest);
    b->partial = arena_cstr(&c->arena, arena_printf(&c->arena, "%s.partial", b->dest));
    if (files_has(AT_FDCWD, b->dest))
        return cli_fail(c, CLI_CANNOT_CREATE, SAY_BACKUP_EXISTS, SAY_BACKUP_EXISTS_REMEDY, dest, SLICE_EMPTY);
    if (mkdir(b->partial, 0700) != 0) {
        enum err e = err_of_errno(errno);
        return cli_fail(
            c, e == ERR_EXISTS ? CLI_CANNOT_CREATE : CLI_IO, SAY_CANNOT_MAKE,
            e == ERR_EXISTS ? SAY_BACKUP_EXISTS_REMEDY : SAY_CANNOT_MAKE_REMEDY, slice_str(b->partial),
            cli_error(b->c, e));
    }
    b->dest_fd = open(b->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return b->dest_fd >= 0 ? CLI_OK
                           : cli_fail(
                                 c, CLI_IO, SAY_CANNOT_MAKE, SAY_CANNOT_MAKE_REMEDY, slice_str(b->partial),
                                 slice_str(strerror(errno)));
}

/* Every folder, from the innermost on: a file is found after a power cut only when its folder was synced, too. */
static fallible sync_tree(int at, const char *name, unsigned depth)
{
    if (depth > 8)
        return ERR_LIMIT;
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return err_of_errno(errno);
    enum err e = OK;
    for (const struct dirent *entry; e == OK && (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            e = sync_tree(dirfd(dir), entry->d_name, depth + 1);
    if (e == OK && fsync(dirfd(dir)) != 0)
        e = err_of_errno(errno);
    closedir(dir);
    return e;
}

static fallible sync_parent(struct backup *b)
{
    struct slice dest = slice_str(b->dest);
    size_t slash = slice_rfind(dest, '/');
    struct slice parent = slash == SLICE_NPOS ? S(".") : slash == 0 ? S("/") : slice_sub(dest, 0, slash);
    int fd CLEANUP_FD = open(arena_cstr(&b->c->arena, parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fsync(fd) == 0 ? OK : err_of_errno(errno);
}

static fallible name_folder(struct backup *b)
{
    TRY(files_create(b->dest_fd, "MANIFEST", 0600, buf_slice(&b->manifest)));
    TRY(sync_tree(b->dest_fd, ".", 0));
    if (renameat2(AT_FDCWD, b->partial, AT_FDCWD, b->dest, RENAME_NOREPLACE) != 0)
        return err_of_errno(errno);
    /* Others see DEST from here on; only its being there after a power cut is still open. */
    return sync_parent(b);
}

static int finish(struct backup *b, int code)
{
    struct cli *c = b->c;
    if (code == CLI_OK && (b->failed = name_folder(b)) != OK)
        code = file_trouble(b, slice_str(b->dest));
    if (code != CLI_OK && b->dest_fd >= 0)
        IGNORE(files_remove(AT_FDCWD, b->partial), "an unfinished copy stays under its partial name");
    if (code == CLI_OK && c->json) {
        json_key(&c->j, "files");
        json_u64(&c->j, b->files);
        json_key(&c->j, "octets");
        json_u64(&c->j, b->octets);
        json_key(&c->j, "accounts");
        json_u64(&c->j, b->account_count);
    }
    struct slice accounts = arena_printf(&c->arena, "%zu", b->account_count),
                 mib =
                     arena_printf(&c->arena, "%llu", (unsigned long long)((b->octets + (1 << 20) - 1) >> 20));
    if (code == CLI_OK)
        cli_say(c, SAY_BACKUP_DONE, slice_str(b->dest), accounts, mib);
    if (code == CLI_OK)
        cli_say(
            c, takes_keys(b) ? SAY_BACKUP_KEYS : SAY_BACKUP_NO_KEYS, slice_str(c->dir), SLICE_EMPTY,
            SLICE_EMPTY);
    return code;
}

int run_backup(struct cli *c)
{
    struct backup *b = NEW(struct backup);
    b->c = c;
    b->dest_fd = -1;
    buf_init(&b->manifest, MANIFEST_MAX);
    int code = link_open(c, true, &b->link);
    if (code == CLI_OK)
        code = start_folder(b);
    if (code == CLI_OK)
        code = copy_vault(b);
    if (code == CLI_OK)
        code = copy_transit(b);
    if (code == CLI_OK)
        code = copy_accounts(b);
    if (code == CLI_OK)
        code = copy_rest(b);
    link_close(&b->link);
    code = finish(b, code);
    file_close(&b->dest_fd);
    buf_done(&b->manifest);
    mem_free(&b->accounts);
    mem_free(&b);
    return code;
}

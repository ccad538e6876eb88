#include "vault/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "crypto/aead.h"
#include "db/disk.h"

enum { FILE_MAX = 256, NAME_MAX_ = 64 };

static void file_name(const char *name, enum key_age age, char out[NAME_MAX_])
{
    snprintf(out, NAME_MAX_, "%s.key%s", name, age == KEY_NEXT ? ".new" : "");
}

static void head_of(const char *name, struct buf *out)
{
    buf_printf(out, "letterlock-key 1 %s ", name);
}

fallible vault_key_make(
    int dirfd, const char *name, enum key_age age, struct secret_slab *slab, struct secret *ret_key)
{
    char path[NAME_MAX_];
    file_name(name, age, path);
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    TRY(secret_random(slab, AEAD_KEY_LEN, &key));
    struct buf text = BUF_INIT(FILE_MAX);
    head_of(name, &text);
    hex_put(&text, secret_reveal(&key));
    buf_put_char(&text, '\n');
    int fd CLEANUP_FD = disk_open(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    enum err e = fd < 0 ? (enum err)fd : disk_write(fd, buf_slice(&text), 0);
    buf_wipe(&text);
    TRY(e);
    TRY(disk_sync(fd));
    TRY(disk_sync_dir(dirfd, "."));
    *ret_key = key;
    key = SECRET_NONE;
    return OK;
}

static fallible parse(struct slice text, const char *name, struct secret_slab *slab, struct secret *ret_key)
{
    struct buf head CLEANUP_BUF = BUF_INIT(FILE_MAX);
    head_of(name, &head);
    text = slice_trim(text);
    if (!slice_starts(text, buf_slice(&head)))
        return ERR_SYNTAX;
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    TRY(secret_new(slab, AEAD_KEY_LEN, &key));
    TRY(hex_get(slice_from(text, head.n), key.bytes, AEAD_KEY_LEN));
    *ret_key = key;
    key = SECRET_NONE;
    return OK;
}

fallible vault_key_take(int fd, const char *name, struct secret_slab *slab, struct secret *ret_key)
{
    char text[FILE_MAX];
    ssize_t n = disk_read(fd, text, sizeof text, 0);
    enum err e = n < 0 ? (enum err)n : parse(slice_of(text, (size_t)n), name, slab, ret_key);
    secret_wipe(text, sizeof text);
    return e;
}

fallible vault_key_read(
    int dirfd, const char *name, enum key_age age, struct secret_slab *slab, struct secret *ret_key)
{
    char path[NAME_MAX_];
    file_name(name, age, path);
    int fd CLEANUP_FD = disk_open(dirfd, path, O_RDONLY, 0);
    if (fd < 0)
        return (enum err)fd;
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    if ((st.st_mode & 077) != 0 || st.st_uid != geteuid())
        return ERR_DENIED;
    return vault_key_take(fd, name, slab, ret_key);
}

fallible vault_key_adopt(int dirfd, const char *name)
{
    char from[NAME_MAX_], to[NAME_MAX_];
    file_name(name, KEY_NEXT, from);
    file_name(name, KEY_PRESENT, to);
    TRY(disk_rename(dirfd, from, to));
    return disk_sync_dir(dirfd, ".");
}

fallible vault_key_drop_next(int dirfd, const char *name)
{
    char path[NAME_MAX_];
    file_name(name, KEY_NEXT, path);
    enum err e = disk_unlink(dirfd, path);
    if (e == ERR_NOT_FOUND)
        return OK;
    TRY(e);
    return disk_sync_dir(dirfd, ".");
}

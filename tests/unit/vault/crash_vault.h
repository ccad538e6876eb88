/* crash_vault.h - a vault's folder as an image for the recorder of power cuts.    room: tests */
#ifndef TESTS_VAULT_CRASH_VAULT_H
#define TESTS_VAULT_CRASH_VAULT_H

#include "fixture.h"

#include "../crashdisk.h"

static inline int
crash_vault_file(struct crash_image *image, const struct fixture *f, int dir, const char *path)
{
    struct buf text CLEANUP_BUF = BUF_INIT(16 << 20);
    if (!fixture_read(f, path, &text))
        return -1;
    int inode = crash_add_inode(image, false);
    image->inodes[inode].octets = mem_alloc(text.n + 1);
    image->inodes[inode].n = text.n;
    if (text.n)
        memcpy(image->inodes[inode].octets, text.p, text.n);
    const char *slash = strrchr(path, '/');
    crash_link(image, dir, slash ? slash + 1 : path, inode);
    return inode;
}

/* The vault is closed. */
static inline struct crash_image crash_vault_image(const struct fixture *f)
{
    struct crash_image image = crash_image_new();
    int keys = crash_add_inode(&image, true);
    crash_link(&image, 0, "keys", keys);
    for (size_t i = 0; i < FIXTURE_FILES; i++)
        crash_vault_file(&image, f, 0, fixture_files[i]);
    /* Also at the top: the keys are opened below their own folder, and the recorder knows one root. */
    crash_link(&image, 0, "accounts.key", crash_vault_file(&image, f, keys, "keys/accounts.key"));
    crash_link(&image, 0, "clients.key", crash_vault_file(&image, f, keys, "keys/clients.key"));
    return image;
}

#endif

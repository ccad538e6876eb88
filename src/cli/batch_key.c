/* batch_key.c - key files of batches: the public half in the clear, the secret one sealed under a passphrase. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/batch.h"
#include "cli/files.h"
#include "cli/run.h"
#include "crypto/aead.h"
#include "crypto/passhash.h"
#include "crypto/random.h"

/* "letterlock-batch-key 1", then lines "name value". The key file has all of them, FILE.pub the first alone. */
static const char magic[] = "letterlock-batch-key 1";
enum { SLAB = 65536, SECRET_HALF = 32 };

void batch_key_text(const struct box_public *key, struct buf *out)
{
    base64_put(out, slice_of(key->b, sizeof key->b));
}

fallible batch_key_read(struct slice text, struct box_public *ret_key)
{
    struct buf octets CLEANUP_BUF = BUF_INIT(256);
    TRY(base64_get(text, &octets));
    if (octets.n != sizeof ret_key->b)
        return ERR_SYNTAX;
    memcpy(ret_key->b, octets.p, octets.n);
    return OK;
}

/* The value of the line that begins with `name`; empty: none. */
static struct slice value_of(struct slice text, const char *name)
{
    struct slice line;
    while (slice_cut(&text, '\n', &line)) {
        size_t blank = slice_find(line, ' ');
        if (blank != SLICE_NPOS && slice_eq(slice_sub(line, 0, blank), slice_str(name)))
            return slice_trim(slice_from(line, blank + 1));
    }
    return SLICE_EMPTY;
}

static int bad_key(struct cli *c, struct slice path)
{
    return cli_fail(c, CLI_DATA, SAY_BATCH_KEY_BAD, SAY_BATCH_KEY_BAD_REMEDY, path, SLICE_EMPTY);
}

static int read_key(struct cli *c, struct slice path, struct slice *ret_text, struct box_public *ret_public)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_BATCH_KEY_FILE);
    enum err e = file_read_path(arena_cstr(&c->arena, path), &text);
    if (e != OK && e != ERR_LIMIT)
        return cli_fail(c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path, cli_error(c, e));
    if (e != OK || !slice_starts(buf_slice(&text), slice_str(magic)) ||
        batch_key_read(value_of(buf_slice(&text), "public"), ret_public) != OK)
        return bad_key(c, path);
    *ret_text = arena_copy(&c->arena, buf_slice(&text));
    return CLI_OK;
}

int batch_key_public(struct cli *c, struct slice path, struct box_public *ret_public)
{
    struct slice text;
    return read_key(c, path, &text, ret_public);
}

/* ------------------------------------------------------------------------------------------------------------ opening */

struct sealed_half {
    uint8_t salt[PASSHASH_SALT_LEN];
    struct passhash_cost cost;
    struct slice sealed;
};

static fallible read_half(struct cli *c, struct slice text, struct sealed_half *ret_half)
{
    struct buf salt CLEANUP_BUF = BUF_INIT(256), sealed CLEANUP_BUF = BUF_INIT(1024);
    uint64_t memory, passes;
    TRY(base64_get(value_of(text, "salt"), &salt));
    TRY(base64_get(value_of(text, "sealed"), &sealed));
    TRY(slice_to_u64(value_of(text, "memory-kib"), PASSHASH_MEMORY_MAX_KIB, &memory));
    TRY(slice_to_u64(value_of(text, "passes"), PASSHASH_PASSES_MAX, &passes));
    if (salt.n != PASSHASH_SALT_LEN)
        return ERR_SYNTAX;
    memcpy(ret_half->salt, salt.p, salt.n);
    ret_half->cost = (struct passhash_cost){(uint32_t)memory, (uint32_t)passes};
    ret_half->sealed = arena_copy(&c->arena, buf_slice(&sealed));
    return OK;
}

int batch_key_secret(
    struct cli *c, struct slice path, struct secret_slab *slab, struct box_public *ret_public,
    struct secret *ret_key)
{
    struct slice text;
    struct sealed_half half;
    struct secret phrase CLEANUP_SECRET = SECRET_NONE, key CLEANUP_SECRET = SECRET_NONE;
    int code = read_key(c, path, &text, ret_public);
    if (code != CLI_OK)
        return code;
    if (!value_of(text, "sealed").n)
        return cli_fail(c, CLI_DATA, SAY_BATCH_KEY_HALF, SAY_BATCH_KEY_HALF_REMEDY, path, SLICE_EMPTY);
    if (read_half(c, text, &half) != OK)
        return bad_key(c, path);
    code = ask_secret(c, slab, SAY_PROMPT_PHRASE, false, &phrase);
    if (code != CLI_OK)
        return code;
    enum err e = passhash_derive_key(slab, secret_reveal(&phrase), half.salt, half.cost, &key);
    if (e == OK)
        e = aead_open(&key, slice_of(ret_public->b, sizeof ret_public->b), half.sealed, slab, ret_key);
    if (e == OK && ret_key->n != SECRET_HALF)
        e = ERR_CORRUPT;
    if (e == ERR_CORRUPT)
        return cli_fail(c, CLI_DENIED, SAY_PHRASE_WRONG, SAY_PHRASE_WRONG_REMEDY, path, SLICE_EMPTY);
    if (e != OK)
        return cli_fail(c, CLI_FAILED, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path, cli_error(c, e));
    return CLI_OK;
}

/* ------------------------------------------------------------------------------------------------------------- making */

/* The public half is the associated data: halves of two files do not go together. */
static fallible seal_half(
    struct secret_slab *slab, const struct secret *phrase, const struct box_public *public,
    const struct secret *half, struct buf *out)
{
    uint8_t salt[PASSHASH_SALT_LEN];
    const struct passhash_cost cost = passhash_cost_default;
    struct secret key CLEANUP_SECRET = SECRET_NONE;
    struct buf sealed CLEANUP_BUF = BUF_INIT(1024);
    random_bytes(salt, sizeof salt);
    TRY(passhash_derive_key(slab, secret_reveal(phrase), salt, cost, &key));
    aead_seal(&key, slice_of(public->b, sizeof public->b), secret_reveal(half), &sealed);
    buf_printf(out, "memory-kib %u\npasses %u\nsalt ", cost.memory_kib, cost.passes);
    base64_put(out, slice_of(salt, sizeof salt));
    buf_put_str(out, "\nsealed ");
    base64_put(out, buf_slice(&sealed));
    buf_put_str(out, "\n");
    return buf_check(out);
}

static fallible
make_files(struct secret_slab *slab, const struct secret *phrase, const char *path, const char *public_path)
{
    struct box_public public;
    struct secret half CLEANUP_SECRET = SECRET_NONE;
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_BATCH_KEY_FILE), open CLEANUP_BUF = BUF_INIT(1024);
    TRY(box_pair_make(slab, &public, &half));
    buf_printf(&open, "%s\npublic ", magic);
    batch_key_text(&public, &open);
    buf_put_str(&open, "\n");
    buf_put(&text, buf_slice(&open));
    TRY(seal_half(slab, phrase, &public, &half, &text));
    TRY(files_create(AT_FDCWD, path, 0600, buf_slice(&text)));
    return files_create(AT_FDCWD, public_path, 0644, buf_slice(&open));
}

int run_batch_key(struct cli *c)
{
    struct slice path = args_text(&c->args, "FILE");
    struct slice public_path = arena_printf(&c->arena, SLICE_FMT ".pub", SLICE_ARG(path));
    const char *file = arena_cstr(&c->arena, path), *public_file = arena_cstr(&c->arena, public_path);
    if (files_has(AT_FDCWD, file) || files_has(AT_FDCWD, public_file))
        return cli_fail(c, CLI_CANNOT_CREATE, SAY_FILE_EXISTS, SAY_FILE_EXISTS_REMEDY, path, SLICE_EMPTY);
    struct secret_slab *slab = secret_slab_new(SLAB);
    struct secret phrase = SECRET_NONE;
    crypto_init();
    int code = ask_secret(c, slab, SAY_PROMPT_NEW_PHRASE, true, &phrase);
    enum err e = code == CLI_OK ? make_files(slab, &phrase, file, public_file) : OK;
    secret_free(&phrase);
    secret_slab_free(&slab);
    if (code != CLI_OK)
        return code;
    if (e != OK)
        return cli_fail(c, CLI_IO, SAY_CANNOT_MAKE, SAY_CANNOT_MAKE_REMEDY, path, cli_error(c, e));
    cli_say(c, SAY_BATCH_KEY_MADE, path, public_path, SLICE_EMPTY);
    if (c->json) {
        json_key(&c->j, "key");
        json_text(&c->j, path);
        json_key(&c->j, "public");
        json_text(&c->j, public_path);
    }
    return CLI_OK;
}

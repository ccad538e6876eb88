/* body_write.c - a body on its way in: memory first, then a file of chunks. */
#include "store/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "crypto/random.h"
#include "db/disk.h"
#include "mail/date.h"
#include "mail/structure.h"
#include "store/body_format.h"
#include "store/private.h"
#include "store/xxh64.h"

enum { FIRST_ROOM = 8192, FEED_PIECE = 65536 };
enum writer_state { WRITER_FEEDING, WRITER_SYNCING, WRITER_READY, WRITER_APPENDED };

struct body_writer {
    struct account *account;
    enum writer_state state;
    enum err error; /* sticky */
    uint64_t size;
    struct mime_parser *mime; /* NULL: opaque, and after the end */
    struct buf structure;
    bool has_date;
    int64_t date;
    /* What is not in the file yet; all of it while there is no file. */
    char *octets;
    size_t held, room;
    /* The file. */
    int fd;
    uint64_t name, file_size;
    struct buf index;
    uint32_t chunks;
    uint64_t hash; /* of the file */
    struct job job;
    enum err job_error;
    bool abandoned; /* body_writer_free came while the job ran */
    void (*ready)(struct body_writer *w, enum err e, void *owner);
    void *owner;
};

fallible body_writer_new(struct account *a, uint64_t expected, struct body_writer **ret_writer)
{
    if (expected > BODY_MAX)
        return ERR_LIMIT;
    TRY(accounts_has_room(a->all, expected));
    struct body_writer *w = NEW(struct body_writer);
    w->account = a;
    a->refs++;
    w->fd = -1;
    w->mime = mime_new();
    buf_init(&w->structure, LIMIT_MIME_ARENA / 2);
    buf_init(&w->index, (BODY_MAX / BODY_CHUNK + 1) * BODY_ENTRY + BODY_TAIL);
    *ret_writer = w;
    return OK;
}

void body_writer_be_opaque(struct body_writer *w)
{
    assert(w->state == WRITER_FEEDING && w->size == 0);
    mime_free(&w->mime);
}

uint64_t body_writer_size(const struct body_writer *w)
{
    return w->size;
}

int64_t body_writer_sent_date(const struct body_writer *w, int64_t otherwise)
{
    return w->has_date ? w->date : otherwise;
}

static fallible fail(struct body_writer *w, enum err e)
{
    w->error = e;
    return e;
}

/* ----------------------------------------------------------------------------------------------------- the file */

static fallible put(struct body_writer *w, struct slice octets)
{
    enum err e = disk_write(w->fd, octets, w->file_size);
    w->file_size += octets.n;
    return e;
}

static fallible begin_file(struct body_writer *w)
{
    char path[ACCOUNT_PATH_MAX];
    w->name = random_id64() >> 1;
    large_path(w->account, w->name, path);
    TRY(accounts_has_room(w->account->all, w->held));
    w->fd = disk_open(w->account->all->options.root, path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (w->fd < 0)
        return (enum err)TAKE(w->fd, -1);
    struct buf head CLEANUP_BUF = BUF_INIT(BODY_HEAD);
    body_put_head(&head);
    return put(w, buf_slice(&head));
}

static fallible put_chunk(struct body_writer *w, struct slice plain)
{
    struct accounts *as = w->account->all;
    struct slice stored = plain;
    bool zstd = body_compress(as->compress, plain, as->scratch, as->scratch_room, &stored);
    body_put_entry(&w->index, (uint32_t)stored.n, zstd, xxh64(plain));
    w->chunks++;
    return put(w, stored);
}

/* Whole chunks go to the file; with `all` the rest as well. */
static fallible spill(struct body_writer *w, bool all)
{
    size_t done = 0;
    while (w->held - done >= BODY_CHUNK || (all && w->held > done)) {
        size_t n = w->held - done < BODY_CHUNK ? w->held - done : BODY_CHUNK;
        TRY(put_chunk(w, slice_of(w->octets + done, n)));
        done += n;
    }
    if (done && done < w->held)
        memmove(w->octets, w->octets + done, w->held - done);
    w->held -= done;
    return OK;
}

/* ------------------------------------------------------------------------------------------------------ feeding */

static void hold(struct body_writer *w, struct slice octets)
{
    size_t need = w->held + octets.n;
    if (need > w->room) {
        size_t room = w->room ? w->room : FIRST_ROOM;
        while (room < need)
            room *= 2;
        w->octets = mem_resize(w->octets, room);
        w->room = room;
    }
    memcpy(w->octets + w->held, octets.p, octets.n);
    w->held += octets.n;
}

static fallible feed_piece(struct body_writer *w, struct slice octets)
{
    if (w->size + octets.n > BODY_MAX)
        return ERR_LIMIT;
    if (w->mime)
        mime_feed(w->mime, octets);
    hold(w, octets);
    w->size += octets.n;
    if (w->fd < 0 && w->held <= w->account->all->options.inline_max)
        return OK;
    if (w->fd < 0)
        TRY(begin_file(w));
    return spill(w, false);
}

fallible body_feed(struct body_writer *w, struct slice octets)
{
    assert(w->state == WRITER_FEEDING);
    while (w->error == OK && octets.n) {
        struct slice piece = slice_sub(octets, 0, FEED_PIECE);
        octets = slice_from(octets, piece.n);
        w->error = feed_piece(w, piece);
    }
    return w->error;
}

fallible body_feed_fd(struct body_writer *w, int fd, uint64_t offset, size_t n, size_t *ret_n)
{
    char piece[16384];
    size_t fed = 0;
    while (fed < n) {
        ssize_t got = disk_read(fd, piece, n - fed < sizeof piece ? n - fed : sizeof piece, offset + fed);
        if (got < 0)
            return fail(w, (enum err)got);
        if (got == 0)
            break;
        TRY(body_feed(w, slice_of(piece, (size_t)got)));
        fed += (size_t)got;
    }
    *ret_n = fed;
    return OK;
}

/* ---------------------------------------------------------------------------------------------------- finishing */

static fallible keep_structure(struct body_writer *w)
{
    if (!w->mime)
        return structure_put_opaque(&w->structure, w->size);
    const struct mime_tree *tree = mime_finish(w->mime);
    enum err e = structure_put(&w->structure, tree);
    struct mail_date date;
    if (e == OK && tree->envelope && tree->envelope->raw[ENVELOPE_DATE].p &&
        date_parse(tree->envelope->raw[ENVELOPE_DATE], &date) == OK) {
        w->has_date = true;
        w->date = date.unix_s;
    }
    mime_free(&w->mime);
    return e;
}

static fallible end_file(struct body_writer *w)
{
    TRY(spill(w, true));
    struct body_tail tail = {.size = w->size, .chunk = BODY_CHUNK, .count = w->chunks};
    body_put_tail(&w->index, &tail);
    w->hash = tail.hash;
    TRY(buf_check(&w->index));
    TRY(put(w, buf_slice(&w->index)));
    buf_done(&w->index);
    mem_free(&w->octets);
    w->room = 0;
    return OK;
}

static void sync_work(struct job *j)
{
    struct body_writer *w = j->owner;
    char path[ACCOUNT_PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/large", w->account->path);
    w->job_error = disk_sync(w->fd);
    if (w->job_error == OK)
        w->job_error = disk_sync_dir(w->account->all->options.root, path);
}

static void sync_done(struct job *j)
{
    struct body_writer *w = j->owner;
    w->account->all->jobs--;
    if (w->account->all->stopping)
        account_attend(w->account);
    w->state = WRITER_READY;
    w->error = w->job_error;
    if (w->abandoned)
        body_writer_free(&w);
    else
        w->ready(w, w->error, w->owner);
}

fallible
body_finish(struct body_writer *w, void (*ready)(struct body_writer *w, enum err e, void *owner), void *owner)
{
    assert(w->state == WRITER_FEEDING);
    if (w->error == OK)
        w->error = keep_structure(w);
    if (w->error == OK && w->fd >= 0)
        w->error = end_file(w);
    if (w->error != OK)
        return w->error;
    if (w->fd < 0) {
        w->state = WRITER_READY;
        return OK;
    }
    w->ready = ready;
    w->owner = owner;
    w->job = (struct job){.work = sync_work, .done = sync_done, .owner = w};
    if (pool_submit(w->account->all->pool, &w->job) != OK)
        return fail(w, ERR_UNAVAILABLE);
    w->account->all->jobs++;
    w->state = WRITER_SYNCING;
    return ERR_AGAIN;
}

void body_writer_free(struct body_writer **at)
{
    struct body_writer *w = TAKE(*at, NULL);
    if (!w)
        return;
    if (w->state == WRITER_SYNCING) {
        w->abandoned = true;
        return;
    }
    bool had_file = w->fd >= 0;
    disk_close(&w->fd);
    if (had_file && w->state != WRITER_APPENDED) {
        char path[ACCOUNT_PATH_MAX];
        large_path(w->account, w->name, path);
        IGNORE(disk_unlink(w->account->all->options.root, path), "the sweep at the next opening removes it");
    }
    mime_free(&w->mime);
    buf_done(&w->structure);
    buf_done(&w->index);
    free(w->octets);
    account_unref(&w->account);
    free(w);
}

/* --------------------------------------------------------------------------------------------------------- rows */

static fallible
insert_inline(struct body_writer *w, enum body_format *ret_format, uint64_t *ret_hash, int64_t *ret_data)
{
    struct accounts *as = w->account->all;
    struct slice plain = slice_of(w->octets, w->held), stored = plain;
    bool zstd = plain.n && body_compress(as->compress, plain, as->scratch, as->scratch_room, &stored);
    struct stmt *st = db_stmt(w->account->db, SQL_DATA_ADD);
    stmt_bind(st, "b", stored);
    TRY(stmt_run(st));
    *ret_format = zstd ? BODY_ZSTD : BODY_PLAIN;
    *ret_hash = xxh64(plain);
    *ret_data = db_last_id(w->account->db);
    return OK;
}

static fallible insert_file(struct body_writer *w, struct body_id id)
{
    struct stmt *st = db_stmt(w->account->db, SQL_FILE_ADD);
    stmt_bind(st, "ii", (int64_t)w->name, id.v);
    return stmt_run(st);
}

fallible body_insert(struct account *a, struct body_writer *w, struct body_id id)
{
    assert(w->state == WRITER_READY && w->error == OK && w->account == a);
    enum body_format format = BODY_CHUNKED;
    uint64_t hash = w->hash;
    int64_t data = (int64_t)w->name;
    TRY(w->fd >= 0 ? insert_file(w, id) : insert_inline(w, &format, &hash, &data));
    struct stmt *st = db_stmt(a->db, SQL_BODY_ADD);
    stmt_bind(
        st, "iiiiib", id.v, (int64_t)w->size, (int64_t)format, (int64_t)hash, data, buf_slice(&w->structure));
    TRY(stmt_run(st));
    /* A rollback of an outer transaction leaves a file without rows, which the next sweep removes; never a row without
     * its file. */
    w->state = WRITER_APPENDED;
    return OK;
}

void body_writer_rolled_back(struct body_writer *w)
{
    if (w->state == WRITER_APPENDED)
        w->state = WRITER_READY;
}

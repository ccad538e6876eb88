/* body_read.c - reading a body by range; references, and the end of a body. */
#include <fcntl.h>
#include <stdlib.h>

#include "db/disk.h"
#include "store/body_format.h"
#include "store/private.h"

struct body_reader {
    struct account *account;
    uint64_t size;
    char *octets;      /* all of an inline body, or the chunk */
    uint32_t chunk_no; /* that `octets` holds, if has_chunk */
    bool has_chunk;
    int fd; /* -1: inline */
    struct body_index index;
};

struct body_row {
    int64_t refs;
    uint64_t size;
    enum body_format format;
    uint64_t hash;
    int64_t data;
};

static fallible read_row(struct account *a, struct body_id id, struct body_row *ret_row)
{
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_BODY_GET);
    stmt_bind(st, "i", id.v);
    enum err e = stmt_step(st);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_GONE : e;
    struct body_row row = {
        .refs = stmt_col_int(st, 0),
        .size = (uint64_t)stmt_col_int(st, 1),
        .format = (enum body_format)stmt_col_int(st, 2),
        .hash = (uint64_t)stmt_col_int(st, 3),
        .data = stmt_col_int(st, 4),
    };
    if (row.size > BODY_MAX || row.format > BODY_CHUNKED || row.refs < 1)
        return ERR_CORRUPT;
    *ret_row = row;
    return OK;
}

/* ------------------------------------------------------------------------------------------------------ opening */

static fallible open_inline(struct body_reader *r, const struct body_row *row)
{
    struct account *a = r->account;
    struct stmt *st CLEANUP_STMT = db_stmt(a->db, SQL_DATA_GET);
    stmt_bind(st, "i", row->data);
    enum err e = stmt_step(st);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    r->octets = mem_alloc(row->size);
    return body_expand(
        a->all->expand, stmt_col(st, 0), row->format == BODY_ZSTD, row->hash, r->octets, (size_t)row->size);
}

static fallible read_part(int fd, uint64_t at, size_t n, char *into)
{
    ssize_t got = disk_read(fd, into, n, at);
    return got < 0 ? (enum err)got : (size_t)got == n ? OK : ERR_CORRUPT;
}

static fallible read_index(struct body_reader *r, const struct body_row *row)
{
    uint64_t file_size;
    char tail[BODY_TAIL];
    struct body_tail t;
    TRY(disk_size(r->fd, &file_size));
    if (file_size < BODY_TAIL)
        return ERR_CORRUPT;
    TRY(read_part(r->fd, file_size - BODY_TAIL, BODY_TAIL, tail));
    TRY(body_tail_read(slice_of(tail, BODY_TAIL), file_size, &t));
    if (t.size != row->size || t.hash != row->hash)
        return ERR_CORRUPT;
    size_t n = (size_t)t.count * BODY_ENTRY;
    char *entries = mem_alloc(n + BODY_SUMS);
    enum err e = read_part(r->fd, file_size - BODY_TAIL - n, n + BODY_SUMS, entries);
    if (e == OK)
        e = body_index_read(slice_of(entries, n + BODY_SUMS), &t, file_size, &r->index);
    free(entries);
    return e;
}

static fallible open_file(struct body_reader *r, const struct body_row *row)
{
    char path[ACCOUNT_PATH_MAX];
    large_path(r->account, (uint64_t)row->data, path);
    r->fd = disk_open(r->account->all->options.root, path, O_RDONLY, 0);
    if (r->fd < 0) {
        enum err e = (enum err)TAKE(r->fd, -1);
        return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
    }
    return read_index(r, row);
}

fallible body_open(struct account *a, struct body_id id, struct body_reader **ret_reader)
{
    account_assert_usable(a);
    struct body_row row;
    TRY(read_row(a, id, &row));
    struct body_reader *r = NEW(struct body_reader);
    r->account = a;
    a->refs++;
    r->fd = -1;
    r->size = row.size;
    enum err e = row.format == BODY_CHUNKED ? open_file(r, &row) : open_inline(r, &row);
    if (e != OK)
        body_close(&r);
    else
        *ret_reader = r;
    return e;
}

void body_close(struct body_reader **at)
{
    struct body_reader *r = TAKE(*at, NULL);
    if (!r)
        return;
    disk_close(&r->fd);
    body_index_done(&r->index);
    free(r->octets);
    account_unref(&r->account);
    free(r);
}

/* ------------------------------------------------------------------------------------------------------ reading */

uint64_t body_size(const struct body_reader *r)
{
    return r->size;
}

static size_t plain_size(const struct body_reader *r, uint32_t no)
{
    uint64_t rest = r->size - (uint64_t)no * r->index.chunk;
    return rest < r->index.chunk ? (size_t)rest : r->index.chunk;
}

static fallible load_chunk(struct body_reader *r, uint32_t no)
{
    const struct body_chunk *c = &r->index.chunks[no];
    struct accounts *as = r->account->all;
    size_t n = plain_size(r, no);
    if (!r->octets)
        r->octets = mem_alloc(r->index.chunk);
    r->has_chunk = false;
    char *stored = mem_alloc(c->stored);
    enum err e = read_part(r->fd, c->at, c->stored, stored);
    if (e == OK)
        e = body_expand(as->expand, slice_of(stored, c->stored), c->zstd, c->hash, r->octets, n);
    free(stored);
    r->chunk_no = no;
    r->has_chunk = e == OK;
    return e;
}

fallible body_read(struct body_reader *r, uint64_t offset, size_t n, struct slice *ret_octets)
{
    if (offset >= r->size) {
        *ret_octets = slice_of("", 0);
        return OK;
    }
    if (r->fd < 0) {
        *ret_octets = slice_sub(slice_of(r->octets, (size_t)r->size), (size_t)offset, n);
        return OK;
    }
    uint32_t no = (uint32_t)(offset / r->index.chunk);
    if (!r->has_chunk || r->chunk_no != no)
        TRY(load_chunk(r, no));
    *ret_octets = slice_sub(slice_of(r->octets, plain_size(r, no)), (size_t)(offset % r->index.chunk), n);
    return OK;
}

/* --------------------------------------------------------------------------------------------------- references */

static fallible add_refs(struct account *a, struct body_id id, int64_t by)
{
    struct stmt *st = db_stmt(a->db, SQL_BODY_REF);
    stmt_bind(st, "ii", id.v, by);
    return stmt_run(st);
}

fallible body_ref(struct account *a, struct body_id id)
{
    TRY(add_refs(a, id, 1));
    return db_changes(a->db) == 1 ? OK : ERR_CORRUPT;
}

static fallible run_on(struct account *a, unsigned statement, int64_t id)
{
    struct stmt *st = db_stmt(a->db, statement);
    stmt_bind(st, "i", id);
    return stmt_run(st);
}

fallible body_unref(struct account *a, struct body_id id)
{
    struct body_row row;
    enum err e = read_row(a, id, &row);
    if (e != OK)
        return e == ERR_GONE ? ERR_CORRUPT : e;
    if (row.refs > 1)
        return add_refs(a, id, -1);
    if (row.format == BODY_CHUNKED) {
        TRY(run_on(a, SQL_FILE_DROP, row.data));
        account_remove_later(a, (uint64_t)row.data);
    } else {
        TRY(run_on(a, SQL_DATA_DROP, row.data));
    }
    return run_on(a, SQL_BODY_DROP, id.v);
}

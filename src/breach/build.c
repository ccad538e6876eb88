#include "breach/build.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "breach/page.h"
#include "mail/precis.h"

enum { HEX = 40, NAME_ROOM = 64, RUN_BUFFER = 2048, OUT_PAGES = 64 };

struct breach_build {
    int dirfd;
    uint64_t *batch;
    size_t in_batch, batch_max;
    int runs[LIMIT_BREACH_RUNS];
    uint64_t run_count[LIMIT_BREACH_RUNS];
    unsigned run_n;
    uint64_t hashes;
    struct buf line;
    struct breach_built built;
};

struct breach_build *breach_build_new(int dirfd, size_t batch)
{
    assert(batch > 0 && batch <= LIMIT_BREACH_BATCH);
    struct breach_build *b = NEW(struct breach_build);
    b->dirfd = dirfd;
    b->batch_max = batch;
    b->batch = mem_alloc(LIMIT_BREACH_BATCH * sizeof *b->batch);
    buf_init(&b->line, LIMIT_PASSWORD_MAX);
    return b;
}

void breach_build_free(struct breach_build **build)
{
    struct breach_build *b = *build;
    *build = NULL;
    if (!b)
        return;
    for (unsigned i = 0; i < b->run_n; i++)
        file_close(&b->runs[i]);
    buf_done(&b->line);
    free(b->batch);
    free(b);
}

/* ---- batches ---- */

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static fallible nameless_file(int dirfd, int *ret_fd)
{
    int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) { /* a file system without */
        static const char name[] = "breached.part";
        fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0)
            (void)unlinkat(dirfd, name, 0);
    }
    if (fd < 0)
        return err_of_errno(errno);
    *ret_fd = fd;
    return OK;
}

static size_t drop_doubles(uint64_t *values, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!kept || values[kept - 1] != values[i])
            values[kept++] = values[i];
    return kept;
}

static fallible end_batch(struct breach_build *b)
{
    if (!b->in_batch)
        return OK;
    if (b->run_n == LIMIT_BREACH_RUNS)
        return ERR_LIMIT;
    qsort(b->batch, b->in_batch, sizeof *b->batch, compare_u64);
    size_t n = drop_doubles(b->batch, b->in_batch);
    int fd CLEANUP_FD = -1;
    TRY(nameless_file(b->dirfd, &fd));
    TRY(file_write_all(fd, slice_of(b->batch, n * sizeof *b->batch)));
    b->run_count[b->run_n] = n;
    b->runs[b->run_n++] = TAKE(fd, -1);
    b->hashes += n;
    b->in_batch = 0;
    return OK;
}

static fallible add(struct breach_build *b, uint64_t value)
{
    if (b->in_batch == b->batch_max)
        TRY(end_batch(b));
    b->batch[b->in_batch++] = value;
    return OK;
}

/* ---- lines ---- */

static int hex_digit(char c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 40 hex digits, alone or with ":COUNT" behind. */
static bool read_sum(struct slice line, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (line.n < HEX || (line.n > HEX && line.p[HEX] != ':'))
        return false;
    for (size_t i = 0; i < HEX; i++) {
        int digit = hex_digit(line.p[i]);
        if (digit < 0)
            return false;
        if (i < 16)
            value = value << 4 | (uint64_t)digit;
    }
    *ret_value = value;
    return true;
}

static fallible add_word(struct breach_build *b, struct slice word)
{
    struct buf normal CLEANUP_BUF = BUF_INIT(LIMIT_PASSWORD_MAX);
    TRY(add(b, breach_value(word)));
    if (precis_opaque(word, &normal) == OK && !slice_eq(buf_slice(&normal), word))
        return add(b, breach_value(buf_slice(&normal)));
    return OK;
}

static fallible end_line(struct breach_build *b)
{
    struct slice line = buf_slice(&b->line);
    uint64_t value;
    enum err e = OK;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    b->built.lines += line.n || b->line.failed;
    if (b->line.failed)
        b->built.skipped++;
    else if (line.n)
        e = read_sum(line, &value) ? add(b, value) : add_word(b, line);
    buf_clear(&b->line);
    return e;
}

fallible breach_build_feed(struct breach_build *b, struct slice octets)
{
    while (octets.n) {
        size_t end = slice_find(octets, '\n');
        buf_put(&b->line, slice_sub(octets, 0, end == SLICE_NPOS ? octets.n : end));
        if (end == SLICE_NPOS)
            return OK;
        TRY(end_line(b));
        octets = slice_from(octets, end + 1);
    }
    return OK;
}

fallible breach_build_file_ends(struct breach_build *b)
{
    return end_line(b);
}

/* ---- merging ---- */

struct run {
    int fd;
    uint64_t left;                      /* in the file */
    uint64_t values[RUN_BUFFER], value; /* value: the front one */
    size_t at, n;
};

/* ERR_NOT_FOUND: no more. */
static fallible run_next(struct run *r)
{
    if (r->at == r->n) {
        if (!r->left)
            return ERR_NOT_FOUND;
        size_t want = r->left < RUN_BUFFER ? (size_t)r->left : RUN_BUFFER, done = 0;
        while (done < want * sizeof *r->values) {
            ssize_t got = read(r->fd, (char *)r->values + done, want * sizeof *r->values - done);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                return ERR_IO;
            done += (size_t)got;
        }
        r->n = want;
        r->at = 0;
        r->left -= want;
    }
    r->value = r->values[r->at++];
    return OK;
}

/* A heap of runs, the smallest value on top. */
struct merge {
    struct run *all;
    unsigned heap[LIMIT_BREACH_RUNS], n;
};

static void sink(struct merge *m, unsigned at)
{
    for (;;) {
        unsigned least = at;
        for (unsigned child = 2 * at + 1; child <= 2 * at + 2 && child < m->n; child++)
            if (m->all[m->heap[child]].value < m->all[m->heap[least]].value)
                least = child;
        if (least == at)
            return;
        unsigned other = m->heap[at];
        m->heap[at] = m->heap[least];
        m->heap[least] = other;
        at = least;
    }
}

static fallible merge_start(struct breach_build *b, struct merge *m)
{
    m->n = 0;
    m->all = mem_alloc((b->run_n ? b->run_n : 1) * sizeof *m->all);
    for (unsigned i = 0; i < b->run_n; i++) {
        m->all[i].fd = b->runs[i];
        m->all[i].left = b->run_count[i];
        if (lseek(b->runs[i], 0, SEEK_SET) != 0)
            return ERR_IO;
        TRY(run_next(&m->all[i]));
        m->heap[m->n++] = i;
    }
    for (unsigned i = m->n; i-- > 0;)
        sink(m, i);
    return OK;
}

/* ERR_NOT_FOUND: no more. */
static fallible merge_next(struct merge *m, uint64_t *ret_value)
{
    if (!m->n)
        return ERR_NOT_FOUND;
    struct run *top = &m->all[m->heap[0]];
    uint64_t value = top->value;
    enum err e = run_next(top);
    if (e == ERR_NOT_FOUND)
        m->heap[0] = m->heap[--m->n];
    else if (e != OK)
        return e;
    sink(m, 0);
    *ret_value = value;
    return OK;
}

/* ---- writing ---- */

struct writer {
    int fd;
    struct breach_header header;
    struct breach_page page;
    bool any;
    struct buf out;
    uint64_t *index;
    size_t index_room;
};

static fallible flush_out(struct writer *w)
{
    TRY(file_write_all(w->fd, buf_slice(&w->out)));
    buf_clear(&w->out);
    return OK;
}

static fallible end_page(struct writer *w)
{
    uint64_t number = w->header.pages;
    if (number == LIMIT_BREACH_PAGES)
        return ERR_LIMIT;
    breach_page_seal(&w->page, number);
    buf_put(&w->out, slice_of(w->page.octets, BREACH_PAGE));
    if (number == w->index_room) {
        w->index_room = w->index_room ? 2 * w->index_room : 1024;
        w->index = mem_resize(w->index, w->index_room * sizeof *w->index);
    }
    breach_put_u64((uint8_t *)&w->index[number], breach_get_u64(w->page.octets));
    w->header.pages++;
    return w->out.n >= (size_t)OUT_PAGES * BREACH_PAGE ? flush_out(w) : OK;
}

static fallible put_value(struct writer *w, uint64_t value)
{
    if (w->any && value == w->page.last)
        return OK;
    w->header.count++;
    if (w->any && breach_page_add(&w->page, value))
        return OK;
    if (w->any)
        TRY(end_page(w));
    breach_page_start(&w->page, value);
    w->any = true;
    return OK;
}

static fallible
put_all(struct breach_build *b, struct merge *m, struct writer *w, breach_progress_fn *progress, void *owner)
{
    uint64_t value, done = 0, step = b->hashes / 100 + 1;
    enum err e;
    while ((e = merge_next(m, &value)) == OK) {
        TRY(put_value(w, value >> (64 - w->header.bits)));
        if (++done % step == 0 && progress)
            progress(owner, done, b->hashes);
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (w->any)
        TRY(end_page(w));
    if (progress)
        progress(owner, b->hashes, b->hashes);
    return OK;
}

/* 20 bits more than the number of hashes needs: one mistake in a million. */
static uint8_t bits_for(uint64_t hashes)
{
    uint8_t bits = 1;
    while (bits < BREACH_BITS_MOST - BREACH_RICE && hashes >> bits)
        bits++;
    return (uint8_t)(bits + BREACH_RICE);
}

static fallible write_file(
    struct breach_build *b, struct merge *m, struct writer *w, breach_progress_fn *progress, void *owner)
{
    uint8_t header[BREACH_PAGE] = {0};
    TRY(file_write_all(
        w->fd, slice_of(header, sizeof header))); /* its place; a filter without it is refused */
    TRY(put_all(b, m, w, progress, owner));
    TRY(flush_out(w));
    size_t n = (size_t)w->header.pages * sizeof *w->index;
    struct slice index = slice_of(n ? (const void *)w->index : "", n);
    TRY(file_write_all(w->fd, index));
    w->header.index = hash_of(NULL, index);
    breach_header_put(&w->header, header);
    if (lseek(w->fd, 0, SEEK_SET) != 0)
        return ERR_IO;
    TRY(file_write_all(w->fd, slice_of(header, sizeof header)));
    return fsync(w->fd) == 0 ? OK : err_of_errno(errno);
}

/* The vault reads it: it belongs to whom the folder belongs to. */
static fallible give_to_folder_owner(int dirfd, int fd)
{
    struct stat st;
    if (fstat(dirfd, &st) != 0)
        return err_of_errno(errno);
    if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
        return err_of_errno(errno);
    return OK;
}

static fallible write_named(
    struct breach_build *b, struct writer *w, const char *name, breach_progress_fn *progress, void *owner)
{
    char making[NAME_ROOM];
    int length = snprintf(making, sizeof making, "%s.new", name);
    assert(length > 0 && (size_t)length < sizeof making);
    int fd CLEANUP_FD = openat(b->dirfd, making, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_of_errno(errno);
    w->fd = fd;
    struct merge m = {.all = NULL};
    enum err e = give_to_folder_owner(b->dirfd, fd);
    if (e == OK)
        e = merge_start(b, &m);
    if (e == OK)
        e = write_file(b, &m, w, progress, owner);
    free(m.all);
    if (e == OK && renameat(b->dirfd, making, b->dirfd, name) != 0)
        e = err_of_errno(errno);
    if (e != OK)
        (void)unlinkat(b->dirfd, making, 0);
    else if (fsync(b->dirfd) != 0)
        e = err_of_errno(errno);
    return e;
}

fallible breach_build_finish(
    struct breach_build *b, const char *name, int64_t now_s, breach_progress_fn *progress, void *owner,
    struct breach_built *ret_built)
{
    TRY(end_line(b));
    TRY(end_batch(b));
    struct writer w = {.header = {.bits = bits_for(b->hashes), .built_s = now_s}};
    buf_init(&w.out, (size_t)(OUT_PAGES + 1) * BREACH_PAGE);
    enum err e = write_named(b, &w, name, progress, owner);
    b->built.count = w.header.count;
    b->built.octets = BREACH_PAGE + w.header.pages * (BREACH_PAGE + sizeof(uint64_t));
    buf_done(&w.out);
    free(w.index);
    TRY(e);
    *ret_built = b->built;
    return OK;
}

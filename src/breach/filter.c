#include "breach/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "breach/page.h"

struct breach {
    int fd;
    struct breach_header header;
    uint64_t *index;
};

static fallible read_at(int fd, void *out, size_t n, uint64_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = pread(fd, (char *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_IO;
        if (got == 0)
            return ERR_CORRUPT; /* shorter than it was */
        done += (size_t)got;
    }
    return OK;
}

static fallible read_page(const struct breach *f, uint64_t number, uint8_t page[BREACH_PAGE])
{
    TRY(read_at(f->fd, page, BREACH_PAGE, (number + 1) * BREACH_PAGE));
    TRY(breach_page_check(page, number));
    return breach_get_u64(page) == f->index[number] ? OK : ERR_CORRUPT;
}

/* ---- opening ---- */

static fallible read_index(struct breach *f)
{
    uint64_t pages = f->header.pages, before = 0;
    size_t n = (size_t)pages * sizeof(uint64_t);
    f->index = mem_alloc(n ? n : 1);
    TRY(read_at(f->fd, f->index, n, (pages + 1) * BREACH_PAGE));
    struct hash check = hash_of(NULL, slice_of(f->index, n));
    if (memcmp(check.b, f->header.index.b, sizeof check.b) != 0)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < pages; i++) {
        f->index[i] = breach_get_u64((const uint8_t *)&f->index[i]);
        if (i && f->index[i] <= before)
            return ERR_CORRUPT;
        before = f->index[i];
    }
    return OK;
}

static fallible read_whole(struct breach *f, struct buf *problem)
{
    uint8_t page[BREACH_PAGE];
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return err_of_errno(errno);
    enum err e = S_ISREG(st.st_mode) ? read_at(f->fd, page, sizeof page, 0) : ERR_CORRUPT;
    if (e == OK)
        e = breach_header_read(page, &f->header);
    if (e == OK && f->header.pages > LIMIT_BREACH_PAGES)
        e = ERR_LIMIT;
    uint64_t size = BREACH_PAGE + f->header.pages * (BREACH_PAGE + sizeof(uint64_t));
    if (e == OK && (uint64_t)st.st_size != size)
        e = ERR_CORRUPT;
    if (e == OK)
        e = read_index(f);
    if (problem && e != OK)
        buf_put_str(
            problem, e == ERR_UNSUPPORTED ? "was made by a later release: make it anew"
                     : e == ERR_CORRUPT
                         ? "is damaged or no such filter: make it anew with `letterlock breach build`"
                     : e == ERR_LIMIT ? "is larger than this release can use"
                                      : err_text(e));
    return e == ERR_LIMIT ? ERR_UNSUPPORTED : e;
}

fallible breach_take(int fd, struct breach **ret_filter, struct buf *problem)
{
    struct breach *f = NEW(struct breach);
    f->fd = fd;
    enum err e = read_whole(f, problem);
    if (e != OK) {
        breach_close(&f);
        return e;
    }
    *ret_filter = f;
    return OK;
}

fallible breach_open(int dirfd, const char *name, struct breach **ret_filter, struct buf *problem)
{
    /* O_NONBLOCK: a named pipe in its place must not stop us. */
    int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        return breach_take(fd, ret_filter, problem);
    enum err e = err_of_errno(errno);
    if (problem)
        buf_put_str(problem, err_text(e));
    return e;
}

void breach_close(struct breach **filter)
{
    struct breach *f = *filter;
    *filter = NULL;
    if (!f)
        return;
    file_close(&f->fd);
    free(f->index);
    free(f);
}

uint64_t breach_count(const struct breach *f)
{
    return f->header.count;
}

int64_t breach_built_s(const struct breach *f)
{
    return f->header.built_s;
}

/* ---- asking ---- */

/* The last page that begins at or below the value. ERR_NOT_FOUND: it is below all. */
static fallible page_of(const struct breach *f, uint64_t value, uint64_t *ret_page)
{
    uint64_t from = 0, until = f->header.pages; /* index[from] <= value < index[until], if from is any */
    if (until == 0 || f->index[0] > value)
        return ERR_NOT_FOUND;
    while (until - from > 1) {
        uint64_t middle = from + (until - from) / 2;
        if (f->index[middle] <= value)
            from = middle;
        else
            until = middle;
    }
    *ret_page = from;
    return OK;
}

fallible breach_find(const struct breach *f, struct slice password)
{
    uint8_t page[BREACH_PAGE];
    uint64_t value = breach_value(password) >> (64 - f->header.bits), number, entries;
    TRY(page_of(f, value, &number));
    TRY(read_page(f, number, page));
    return breach_page_find(page, value, &entries);
}

fallible breach_verify(const struct breach *f)
{
    uint8_t page[BREACH_PAGE];
    uint64_t all = 0, entries;
    for (uint64_t i = 0; i < f->header.pages; i++) {
        TRY(read_page(f, i, page));
        enum err e = breach_page_find(page, UINT64_MAX, &entries);
        if (e != ERR_NOT_FOUND)
            return ERR_CORRUPT; /* no value has so many bits */
        all += entries;
    }
    return all == f->header.count ? OK : ERR_CORRUPT;
}

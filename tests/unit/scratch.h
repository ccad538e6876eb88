/* scratch.h - a folder of its own for a test, removed afterwards. */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

struct scratch {
    char path[64];
    int fd;
};

/* In memory where there is /dev/shm: these tests count system calls, not seconds of a disk. */
static inline struct scratch scratch_new(void)
{
    struct scratch s = {.path = "/dev/shm/letterlock-test-XXXXXX"};
    if (!mkdtemp(s.path)) {
        strcpy(s.path, "/tmp/letterlock-test-XXXXXX");
        if (!mkdtemp(s.path))
            abort();
    }
    s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void scratch_free(struct scratch *s)
{
    close(s->fd);
    nftw(s->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif

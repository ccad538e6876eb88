#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

void file_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void file_cleanup(int *fd)
{
    int saved = errno;
    file_close(fd);
    errno = saved;
}

enum err err_of_errno(int e)
{
    switch (e) {
    case ENOSPC:
    case EDQUOT:
        return ERR_DISK_FULL;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case EEXIST:
        return ERR_EXISTS;
    case EAGAIN:
        return ERR_AGAIN;
    case EPIPE:
    case ECONNRESET:
        return ERR_CLOSED;
    default:
        return ERR_IO;
    }
}

fallible file_write_all(int fd, struct slice s)
{
    while (s.n) {
        ssize_t n = write(fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_of_errno(errno);
        s = slice_from(s, (size_t)n);
    }
    return OK;
}

fallible file_read_all(int fd, struct buf *out)
{
    for (;;) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_of_errno(errno);
        if (n == 0)
            return buf_check(out);
        buf_put(out, slice_of(chunk, (size_t)n));
        if (out->failed)
            return ERR_LIMIT;
    }
}

fallible file_read_path(const char *path, struct buf *out)
{
    int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    return file_read_all(fd, out);
}

bool file_is_stream_socket(int fd)
{
    int type = 0;
    socklen_t n = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
}

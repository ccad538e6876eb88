/* file.h - descriptors that end with their scope, and whole reads and writes.   room: base   runs in: all */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <unistd.h>

#include "base/buf.h"

/* int fd CLEANUP_FD = -1; hand over with TAKE(fd, -1). */
#define CLEANUP_FD __attribute__((cleanup(file_cleanup)))
void file_cleanup(int *fd);
/* Closes and sets to -1; -1 is left alone. */
void file_close(int *fd);
/* All of `s`, or ERR_DISK_FULL (ENOSPC, EDQUOT) or ERR_IO. */
fallible file_write_all(int fd, struct slice s);
/* From the current position to the end, up to out's limit. */
fallible file_read_all(int fd, struct buf *out);
fallible file_read_path(const char *path, struct buf *out);
/* A stream socket. What another process passes may be of any kind, and one that cannot be waited on would end the loop
 * (T-329). */
bool file_is_stream_socket(int fd);
/* ERR_DISK_FULL, ERR_NOT_FOUND, ERR_DENIED, ERR_EXISTS or ERR_IO for the current errno. */
enum err err_of_errno(int e);

#endif

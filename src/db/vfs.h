/* vfs.h - SQLite's view of the disk: files below a descriptor, one opener, a second descriptor for each log.
 *                                                                             room: db   runs in: keeper
 * vault Used by db.c only. A VFS of our own rather than a wrapper of SQLite's unix one, because it opens
 * below a directory descriptor (openat), locks with OFD locks (which conflict with SQLite's own POSIX locks
 * in other processes, conflict within our process, and are not dropped when any descriptor of the file
 * closes: T-264, T-267), and because it has no shared memory and no memory maps: a file in WAL mode can only
 * be opened with locking_mode=EXCLUSIVE. All its system calls are those of disk.h.
 *
 * A name is "DIRFD:path"; vfs_name makes it.
 */
#ifndef DB_VFS_H
#define DB_VFS_H

#include "base/slice.h"

#define VFS_NAME "letterlock"
#define VFS_NAME_MAX 512

struct sqlite3_file;
void vfs_register(void);
/* ERR_LIMIT when it does not fit. */
fallible vfs_name(int dirfd, const char *path, char out[VFS_NAME_MAX]);
/* Of a log: the second descriptor, and the end of what was written since the log began anew. A log that had contents
 * when it was opened was rewritten and synced then (INV-3): vfs_log_was_left. */
int vfs_log_fd(struct sqlite3_file *log);
uint64_t vfs_log_size(struct sqlite3_file *log);
bool vfs_log_was_left(struct sqlite3_file *log);
/* Of the database's own file. */
int vfs_file_fd(struct sqlite3_file *file);

#endif

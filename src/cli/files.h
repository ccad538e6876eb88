/* files.h - files that the command makes: whole or not at all, on disk when it says so.    room: cli   runs in: cli
 *
 * Names are relative to a folder's descriptor. Troubles are returned; errno stays set for ERR_IO.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <sys/types.h>

#include "base/buf.h"

/* Writes a new file of that mode, synced. ERR_EXISTS: there is one, left alone. */
fallible files_create(int dir_fd, const char *name, mode_t mode, struct slice contents);
/* Makes a folder; there is nothing wrong with one that is there. */
fallible files_folder(int dir_fd, const char *name, mode_t mode);
/* Makes the folders on the way to a relative name (0700). */
fallible files_way(int dir_fd, const char *name);
bool files_has(int dir_fd, const char *name);
/* True for a relative path without "..", "." and empty parts: what another process may name. */
bool files_is_plain(struct slice name);
/* Removes what is below and the thing itself; follows no link. */
fallible files_remove(int dir_fd, const char *name);

#endif

/* build.h - makes the filter (filter.h) from lists of passwords.                       room: breach   runs in: cli
 *
 * Lines are plain words, or SHA-1 sums as 40 hex digits with an optional ":COUNT" behind, as the well-known lists are; both may
 * be mixed. A word counts as written and in the form in which passwords are hashed. Empty lines, and lines longer than a
 * password can be, are left out and counted.
 *
 * Memory stays the same however long the lists are: hashes are sorted in batches of LIMIT_BREACH_BATCH into nameless files
 * in the folder, and merged at the end. The folder needs room for 8 octets a line and the filter. The new filter takes the
 * name of the old one when it is whole and on disk; a kill before leaves the old one.
 *
 * Fails: ERR_LIMIT (more than LIMIT_BREACH_RUNS batches), ERR_DISK_FULL, ERR_IO, ERR_DENIED.
 */
#ifndef BREACH_BUILD_H
#define BREACH_BUILD_H

#include "base/slice.h"

struct breach_build;
/* dirfd: where the filter goes; stays the caller's. batch: hashes that are held in memory at once, 1 to LIMIT_BREACH_BATCH. */
struct breach_build *breach_build_new(int dirfd, size_t batch);
void breach_build_free(struct breach_build **build);

/* Any piece of a list; lines may be cut anywhere. */
fallible breach_build_feed(struct breach_build *b, struct slice octets);
/* The end of one list: a last line may lack its line break. */
fallible breach_build_file_ends(struct breach_build *b);

struct breach_built {
    uint64_t lines, skipped; /* skipped: too long */
    uint64_t count;          /* different passwords in the filter */
    uint64_t octets;         /* of the file */
};
/* `done` and `total` count sorted hashes; called about a hundred times. May be NULL. */
typedef void breach_progress_fn(void *owner, uint64_t done, uint64_t total);
/* Writes `name` (through `name`.new). Once; then only breach_build_free. */
fallible breach_build_finish(
    struct breach_build *b, const char *name, int64_t now_s, breach_progress_fn *progress, void *owner,
    struct breach_built *ret_built);

#endif

/* filter.h - is this password in a list of breached ones? Asked of a local file; nobody else hears of it.   room: breach
 * runs in: vault cli
 *
 * The filter holds the first BITS bits of the SHA-1 of each listed password, sorted, as Rice-coded differences: less
 * than three octets a password. BITS is 20 more than the list's length needs, so a password that is not in the list is taken for a listed
 * one once in a million times, however long the list is. It says nothing about passwords that nobody listed.
 *
 *   offset 0     header, 4096 octets, zeros where nothing stands; numbers are little-endian
 *                0 "LLBREACH" | 8 u32 version (1) | 12 u8 BITS (21 .. 60) | 13 u8 Rice parameter (20) | 16 u64 passwords
 *                24 u64 pages | 32 i64 built (unix time) | 40 BLAKE2b-256 of the index | 96 BLAKE2b-256 of octets 0 .. 95
 *   offset 4096  pages of 4096 octets: u64 first value | u16 how many follow | bits, low bit first: for each difference to the
 *                value before, less one: its upper part in ones and a zero, then the lower 20 bits | at 4080 16 octets of
 *                BLAKE2b over the page's number (u64) and octets 0 .. 4079
 *   behind them  the index: the first value of each page, u64, rising
 *
 * The file is opened once and read by pread, a page a question: a file that is cut or changed underneath is an error, never a
 * signal. Everything in it is doubted: the header, the size, the index when it is opened, and each page when it is read.
 *
 * Owns: the descriptor and the index (8 octets for 4096 of the file). Fails: ERR_NOT_FOUND (no such file), ERR_DENIED,
 * ERR_UNSUPPORTED (of a later release), ERR_CORRUPT, ERR_IO. Limits: LIMIT_BREACH_PAGES. Never logs.
 */
#ifndef BREACH_FILTER_H
#define BREACH_FILTER_H

#include "base/buf.h"

/* Its name in DIR/vault. */
#define BREACH_FILE "breached.filter"

struct breach;
/* `name` relative to dirfd. `problem` (may be NULL) gets the words for an administrator. */
fallible breach_open(int dirfd, const char *name, struct breach **ret_filter, struct buf *problem);
/* The same of a descriptor, which it takes whatever happens. */
fallible breach_take(int fd, struct breach **ret_filter, struct buf *problem);
void breach_close(struct breach **filter);
uint64_t breach_count(const struct breach *filter);
int64_t breach_built_s(const struct breach *filter);

/* OK: it is listed (or is one in a million). ERR_NOT_FOUND: it is not. Else: nothing is known, ERR_CORRUPT or ERR_IO. The
 * password in the form in which it is hashed (vault_password_normal). One page is read: some 30 microseconds. */
fallible breach_find(const struct breach *filter, struct slice password);
/* Reads all pages: `letterlock breach check` without a password. */
fallible breach_verify(const struct breach *filter);

#endif

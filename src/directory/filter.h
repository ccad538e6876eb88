/* filter.h - the search for one person: an address put into the template of directory_filter.
 *                                                                        room: directory   runs in: directory
 *
 * What stands for {address} or {local} is text of others and never becomes syntax: every octet but letters, digits and a
 * few harmless signs is written as \xx (RFC 4515 section 3; what must be escaped are NUL, brackets, asterisk and backslash).
 *
 * Fails: ERR_SYNTAX (no address), ERR_LIMIT. Owns nothing.
 */
#ifndef DIRECTORY_FILTER_H
#define DIRECTORY_FILTER_H

#include "base/buf.h"

/* The value of an assertion, escaped. */
void directory_escape(struct slice value, struct buf *out);
/* `template` is one that config accepted. Appends to out. */
fallible directory_filter_put(struct slice template, struct slice address, struct buf *out);
/* The search for everybody: both places become "*". */
fallible directory_filter_all(struct slice template, struct buf *out);

#endif

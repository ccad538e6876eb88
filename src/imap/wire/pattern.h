/* pattern.h - LIST's wildcards (RFC 3501 6.3.8).                      room: imap/wire   runs in: keeper
 * fuzzers
 *
 * "*" matches anything, "%" anything but the hierarchy separator "/". The matcher's work is linear in name
 * times pattern, whatever the pattern (T-161): it keeps the set of places reached, no backtracking.
 */
#ifndef IMAP_WIRE_PATTERN_H
#define IMAP_WIRE_PATTERN_H

#include "base/slice.h"

enum imap_match {
    IMAP_MATCH_NO,    /* neither the name nor anything below it */
    IMAP_MATCH_BELOW, /* not the name, but names below it may match */
    IMAP_MATCH_YES
};
enum { IMAP_PATTERN_MAX = 1024 };
/* A pattern longer than IMAP_PATTERN_MAX matches nothing. Octet-wise, and so right for UTF-8. INBOX is no
 * special case here: the parser has put it into capitals on both sides. */
enum imap_match imap_pattern_match(struct slice pattern, struct slice name);

#endif

/* precis.h - passwords that people choose, in one form.                              room: mail   runs in: vault cli
 *
 * The same password typed with another input method must be the same octets: RFC 8265's OpaqueString profile (every blank
 * becomes U+0020, control characters are refused, never empty, case stays), with NFKC instead of NFC, so that full-width
 * letters and digits count as plain ones.
 */
#ifndef MAIL_PRECIS_H
#define MAIL_PRECIS_H

#include "base/buf.h"

/* Appends the form to out. ERR_SYNTAX: not UTF-8, a control or unassigned character, or empty; ERR_LIMIT: longer than out
 * takes. The caller wipes out (buf_wipe). */
fallible precis_opaque(struct slice typed, struct buf *out);

#endif

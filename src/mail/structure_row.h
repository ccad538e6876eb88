/* structure_row.h - the row of structure.h, octet by octet, for those who write and read it.   room: mail   runs in: keeper cli
 *
 * Private to structure.c and structure_write.c.
 */
#ifndef MAIL_STRUCTURE_ROW_H
#define MAIL_STRUCTURE_ROW_H

#include "mail/structure.h"

enum { STRUCTURE_MAGIC = 0xd5 };

/* The texts of a part that may be missing, in this order, are id, description, encoding, md5 and location: their bits come
 * first. */
enum { OPTIONAL_TEXTS = 5, HAS_DISPOSITION = 32, HAS_LANGUAGES = 64 };

/* Bits of an address item, above its kind. */
enum { KIND_MASK = 3, HAS_NAME = 4, HAS_ROUTE = 8, HAS_LOCAL = 16, HAS_DOMAIN = 32 };

/* What a part's record begins with, of a mime_part or a structure_part. */
enum { NUMBERS = 9 };
#define NUMBERS_OF(part)                                                                                     \
    {                                                                                                        \
        (part)->depth, (part)->kind, (part)->encoding, (part)->flags, (part)->children,                      \
            (part)->header_start, (part)->body_start - (part)->header_start,                                 \
            (part)->body_end - (part)->body_start, (part)->body_lines                                        \
    }

/* What stands behind the numbers in the record of a part that was read from `s`. ERR_CORRUPT. */
fallible structure_behind_numbers(
    const struct structure *s, const struct structure_part *part, struct slice *ret_rest);

#endif

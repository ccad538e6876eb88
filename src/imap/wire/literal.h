/* literal.h - the announcement of a literal, and the shape of tags: what reader and scanner must agree on.
 *                                                                      room: imap/wire   runs in: gate keeper */
#ifndef IMAP_WIRE_LITERAL_H
#define IMAP_WIRE_LITERAL_H

#include "base/slice.h"

struct imap_literal {
    enum {
        IMAP_LITERAL_NONE,  /* the words do not end with one */
        IMAP_LITERAL_WHOLE, /* "{12}", "{12+}", "~{12}" at the end, in a place where a literal may stand */
        IMAP_LITERAL_BROKEN /* something in braces at the end that is no announcement, or in a wrong place */
    } kind;
    size_t at; /* where it begins, "~" included */
    uint64_t size;
    bool plus;   /* does not wait for "+" (RFC 7888); set for broken ones too when they end with "+}" */
    bool binary; /* literal8 (RFC 3516) */
};

/* Looks at the end of a line without its CRLF. Always fills *ret_literal. */
void imap_literal_find(struct slice words, struct imap_literal *ret_literal);
/* RFC 3501 9: astring octets without "+"; 1 to `max` of them. */
bool imap_is_tag(struct slice tag, size_t max);

/* Classes of octets, RFC 3501 9. */
bool imap_is_atom_char(char c);
bool imap_is_astring_char(char c); /* atom or "]" */
bool imap_is_list_char(char c);    /* astring or "%" and "*" */

#endif

/* subject.h - a pasted text, made comparable: what expressions are held against.          room: doctor   runs in: cli
 *
 * People paste replies with line breaks, typographic quotes, tabs and prefixes of their program. The subject is the same text
 * with every run of blanks as one, control characters as blanks, "\n" and "\r\n" written out as in program logs taken for
 * line ends, typographic quotes as plain ones, and as a blank the hyphen of an SMTP reply that goes on ("535-5.7.8") and what
 * programming languages put behind the code of a refusal ("(535, b'5.7.8"). It is held twice, with ASCII letters as they are
 * and in lower case, and each octet knows where it comes from, so that the proof can be quoted as it was pasted.
 *
 * Owns: its memory (subject_done). Limits: LIMIT_EXPLAIN_TEXT; what is longer is cut there, and `cut` says so.
 */
#ifndef DOCTOR_SUBJECT_H
#define DOCTOR_SUBJECT_H

#include "base/slice.h"

enum { SUBJECT_MARKS = 1 << 16 };

struct subject {
    struct slice pasted; /* borrowed */
    char *cased, *lower; /* n octets each; lines end with LF */
    char *joined;        /* lower, with a blank for each LF */
    uint32_t *from;      /* where in `pasted` each octet begins; n + 1 of them */
    size_t n;
    bool cut;
    uint8_t marks[SUBJECT_MARKS / 8]; /* which three octets in a row occur in `joined` (hashed) */
};

void subject_init(struct subject *s, struct slice pasted);
void subject_done(struct subject *s);
/* False: these octets, in lower case, are surely nowhere in it. */
bool subject_may_have(const struct subject *s, struct slice lower);
/* Makes these octets blank: nothing is found there any more. */
void subject_blank(struct subject *s, size_t from, size_t n);
/* What was pasted there. */
struct slice subject_pasted(const struct subject *s, size_t from, size_t to);

#endif

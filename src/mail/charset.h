/* charset.h - text of any listed charset to UTF-8, and text folded for search.   room: mail   runs in: keeper cli
 *
 * Tables of every listed charset are made once, at start, with the C library's converters; afterwards only
 * those tables are used. So nothing is loaded later (seccomp), no foreign converter ever sees foreign octets
 * (CVE-2024-2961), and no two decoders share state. Malformed input becomes U+FFFD and never stops anything;
 * output is at most 4 times the input's octets. Octets of a charset nobody knows are kept readable: valid
 * UTF-8 as it is, other octets as ISO-8859-1.
 *
 * Owns: struct charsets the tables (about 1 MiB a process). A decoder is a value without memory.
 */
#ifndef MAIL_CHARSET_H
#define MAIL_CHARSET_H

#include "base/buf.h"

struct charsets;
struct charset;

/* Makes all tables: at start, before the jail is closed. ERR_UNAVAILABLE when the C library lacks a converter
 * (its modules are missing); ret_missing, when not NULL, then names it. */
fallible charsets_new(struct charsets **ret_charsets, const char **ret_missing);
void charsets_free(struct charsets **charsets);

/* By any of its names, case and surrounding blanks ignored, an RFC 2231 language behind '*' too. NULL when
 * unknown; with `charsets` NULL only UTF-8, US-ASCII, ISO-8859-1, UTF-7, UTF-16 and UTF-32 are known. */
const struct charset *charset_find(const struct charsets *charsets, struct slice name);
/* Its preferred MIME name ("GB18030"); "unknown" for NULL. For SEARCH's BADCHARSET: the list of all. */
const char *charset_name(const struct charset *charset);
/* Iterates the listed charsets: NULL behind the last. */
const struct charset *charset_at(const struct charsets *charsets, size_t index);

struct charset_decoder {
    const struct charset *charset; /* NULL: unknown */
    unsigned char held[8];         /* octets of an unfinished character */
    uint8_t held_n;
    uint8_t mode;   /* shift state of ISO-2022, HZ, UTF-7; byte order of UTF-16 and 32 */
    uint8_t bits;   /* UTF-7 */
    uint32_t store; /* UTF-7 bits, a high surrogate */
    bool malformed; /* at least one U+FFFD was written */
};
void charset_decoder_init(struct charset_decoder *d, const struct charset *charset);
/* Any cut of the input gives the same output. */
void charset_decoder_feed(struct charset_decoder *d, struct slice in, struct buf *out);
void charset_decoder_finish(struct charset_decoder *d, struct buf *out);
/* All at once, by name. True when the charset was known and nothing was malformed. */
bool charset_put_utf8(const struct charsets *charsets, struct slice name, struct slice in, struct buf *out);

/* Folds UTF-8 for comparing: NFKC, case folded, default-ignorable code points gone (soft hyphens, zero
 * width). Fold the needle and the text, then compare octets. Streaming; any cut gives the same output. */
struct text_fold {
    char held[256];
    size_t held_n;
    char part[8]; /* of a character that is not complete */
    size_t part_n;
};
void text_fold_init(struct text_fold *f);
void text_fold_feed(struct text_fold *f, struct slice utf8, struct buf *out);
void text_fold_finish(struct text_fold *f, struct buf *out);
void text_fold_put(struct buf *out, struct slice utf8);
/* Appends the NFC form (stable: unassigned code points stay as they are). ERR_SYNTAX: not UTF-8; ERR_LIMIT from out. */
fallible text_nfc_put(struct buf *out, struct slice utf8);

#endif

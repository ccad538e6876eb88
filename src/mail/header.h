/* header.h - header sections: finding their end, their fields, their words and parameters.   room: mail   runs in: all
 *
 * One reading for the whole house. A header section is a run of fields; it ends behind an empty line, or
 * before the first line that is neither a field nor a continuation (as Postfix and most mail transports read
 * it; marked `unclean`). A field is a name of 1 to 998 printable ASCII octets without colon, blanks
 * (obsolete, RFC 5322 4.5), and a colon. A line that starts with a blank continues the field before. Skipped
 * inside a section: a first line "From " or ">From " (mbox), a continuation of nothing, a line that starts
 * with a colon. Lines end with CRLF or LF; a lone CR is an octet like NUL is: kept, never a line end.
 *
 * Owns:   struct header_reader a buffer (header_reader_done); all else are slices of what was passed.
 * Fails:  ERR_LIMIT at LIMIT_HEADER_FIELDS, _FIELD, _SECTION. Decoders of words never fail: bad words stay as
 * they are.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

struct charsets;

/* ---- fields of a complete section ---- */

struct header_field {
    struct slice name;  /* without blanks and colon */
    struct slice value; /* behind the colon up to the last line end, which is not included; still folded */
    struct slice raw;   /* all octets of the field, its line ends included */
};

/* Gives the field at *at and moves *at behind it; false at the end of the section (*at then stands behind the
 * empty line, or before the line that ended it). Start with *at = 0. */
bool header_next(struct slice section, size_t *at, struct header_field *ret_field);
/* How many fields have that name (ASCII case ignored). */
size_t header_count(struct slice section, struct slice name);
/* Octets of the section at the front of `message`, the empty line included; the whole slice when it does not
 * end. */
size_t header_length(struct slice message);
/* Unfolded (RFC 5322 2.2.3: line ends go, the blanks stay) and trimmed at both ends; no copy when it is one
 * line. The empty slice with arena->failed at the ceiling. */
struct slice header_unfold(struct slice value, struct arena *arena);

/* ---- a section that arrives in pieces ---- */

struct header_reader {
    struct buf raw; /* the section so far; behind `end` what was read too far */
    size_t end;     /* octets of the section, once done */
    size_t line;    /* where the line being read starts */
    size_t field;   /* where the field being read starts */
    uint32_t fields;
    uint8_t state;
    bool done;
    bool unclean; /* ended by a line that is no field, or junk lines were skipped */
};
void header_reader_init(struct header_reader *r);
void header_reader_done(struct header_reader *r);
/* Takes octets until the section ends; *ret_used says how many of `data` were taken. OK: more is wanted, or
 * r->done. ERR_LIMIT: over a limit (SMTP says 552 5.3.4). */
fallible header_reader_feed(struct header_reader *r, struct slice data, size_t *ret_used);
/* The message ends here: a section without an empty line is complete too. */
void header_reader_finish(struct header_reader *r);
/* The section, once done. */
struct slice header_reader_section(const struct header_reader *r);
/* Octets of the body that were taken while deciding whether they are a field; mostly empty. */
struct slice header_reader_rest(const struct header_reader *r);

/* What a line is, told by its first HEADER_NAME_MAX + 1 octets, for readers that keep their own lines; `line` comes
 * without its end. `first`: it is the first of its section. */
enum header_line {
    HEADER_LINE_FIELD,
    HEADER_LINE_CONTINUATION,
    HEADER_LINE_SKIP,
    HEADER_LINE_EMPTY,
    HEADER_LINE_BODY
};
#define HEADER_NAME_MAX 998
enum header_line header_line_kind(struct slice line, bool first);

/* ---- words (RFC 2047) ---- */

/* An unstructured value (Subject) or a display name as UTF-8: encoded-words decoded, blanks between adjacent
 * words gone, words that are split inside a character joined when charset and encoding are the same, raw
 * octets taken as UTF-8, malformed ones as U+FFFD, folding undone. CR, LF, NUL and other controls that came
 * out of a word become a blank (T-124). `charsets` may be NULL: then UTF-8, US-ASCII and ISO-8859-1 are
 * known. Linear. */
void header_decode_text(struct charsets *charsets, struct slice value, struct buf *out);

/* UTF-8 for one line of display: each control (C0, DEL, C1), U+2028 and U+2029 becomes a blank, malformed octets
 * U+FFFD. */
void header_put_clean(struct buf *out, struct slice utf8);

/* ---- parameters (RFC 2045 5.1, RFC 2231, RFC 2183) ---- */

struct header_param {
    struct slice name; /* as written, without the '*' signs */
    struct slice
        value; /* unquoted, segments joined (RFC 2231 3); when `extended` still charset'language'%xx text */
    bool extended; /* IMAP shows the name with a '*' behind it */
};
struct header_params {
    struct slice type; /* "text" of "text/plain; ...", "attachment" of a disposition; p NULL when malformed */
    struct slice subtype; /* "plain"; p NULL for fields without one */
    const struct header_param *items;
    size_t count;
    bool ambiguous; /* doubled names, gaps in segments, junk, a comment or control where readers differ */
    bool truncated; /* LIMIT_MIME_PARAMETERS, LIMIT_MIME_SEGMENTS or the arena's ceiling */
};
/* Reads "token[/token] *(; name=value)", comments skipped. The first of equal names counts, joined segments
 * before a plain value. Never fails; ret_params is always set. Linear. */
void header_params_parse(struct slice value, struct arena *arena, struct header_params *ret_params);
/* NULL when missing; an extended one is preferred to a plain one (RFC 5987 4.2). */
const struct header_param *header_param_find(const struct header_params *params, struct slice name);
/* The value as UTF-8: charset converted, %xx undone, encoded-words (wrong here, but seen) decoded. */
void header_param_put_text(struct charsets *charsets, const struct header_param *param, struct buf *out);

/* ---- writing ---- */

/* "Name: value" CRLF, folded at blanks below 78 columns where they are; CR, LF and NUL in the value become
 * blanks, so that no value can make a field of its own. */
void header_put_field(struct buf *out, struct slice name, struct slice value);
/* The same for UTF-8 text: encoded-words (RFC 2047, UTF-8, base64) where it is not ASCII. */
void header_put_text_field(struct buf *out, struct slice name, struct slice text);
/* ";" CRLF SP "name=value": token, quoted-string or RFC 2231 segments, as the value (UTF-8) needs. Controls become
 * blanks. */
void header_put_param(struct buf *out, struct slice name, struct slice value);

#endif

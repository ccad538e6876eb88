/* answer.h - the client's side of answers of many lines: lists, and CAPA.              room: pop3/wire   runs in: cli
 *
 * Behind the first line (pop3_reply_parse) of an answer of many lines come lines up to a lone dot (RFC 1939 3). The reader
 * takes them one by one, removes the dot that stuffing added, and stops at its ceilings: a server that never ends is left. A
 * capability list (RFC 2449 5) is read as a whole, from its lines joined by LF; what is not known in it is passed over.
 *
 * Owns: nothing; slices point into what was fed. Fails: ERR_LIMIT, ERR_SYNTAX. Pure.
 */
#ifndef POP3_WIRE_ANSWER_H
#define POP3_WIRE_ANSWER_H

#include "base/slice.h"

struct pop3_lines {
    size_t lines, octets;           /* of content so far */
    size_t most_lines, most_octets; /* ceilings */
};
/* One line without its end. ERR_AGAIN: *ret_line is a line of content, and more follow. OK: this was the end, *ret_line is
 * untouched. ERR_LIMIT: a ceiling was met; the rest of the connection is of no use. */
fallible pop3_lines_feed(struct pop3_lines *l, struct slice line, struct slice *ret_line);

enum { POP3_CAPA_WORDS = 32 }; /* mechanisms that are kept; further ones are dropped */
struct pop3_capa {
    bool user, stls, top, uidl, pipelining, resp_codes, auth_resp_code, utf8;
    bool sasl;                           /* the capability is there, with or without words */
    struct slice words[POP3_CAPA_WORDS]; /* mechanisms, as written */
    size_t word_n;
    struct slice implementation;
    struct slice expire; /* "30", "NEVER", "0 USER": how long messages are kept (RFC 2449 6.7) */
};
/* Names in any case; blanks before and behind words are forgiven. */
void pop3_capa_read(struct slice lines, struct pop3_capa *ret_capa);

/* "1 whqtswO00WBw418f9t5JxYwZ" of UIDL or "1 120" of LIST (RFC 1939 5, 7): number and the word behind it. ERR_SYNTAX. */
fallible pop3_listing_parse(struct slice line, uint32_t *ret_number, struct slice *ret_word);
/* What stands behind "+OK " of STAT: "2 320". Octets above any limit stay UINT64_MAX. ERR_SYNTAX. */
fallible pop3_stat_parse(struct slice text, uint32_t *ret_count, uint64_t *ret_octets);

#endif

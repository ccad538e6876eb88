/* offer.h - the client's side of EHLO: what a server says that it can do.      room: smtp/wire   runs in: cli
 *
 * Read from the text of a whole reply as smtp_reply_reader leaves it: lines joined by LF, the first being the server's name
 * and its words. Keywords in any case (RFC 5321 4.1.1.1); what is not known is passed over. AUTH counts in both spellings,
 * "AUTH PLAIN" (RFC 4954) and "AUTH=PLAIN" of old, and on several lines.
 *
 * Owns: nothing; slices point into the text. Never fails. Pure.
 */
#ifndef SMTP_WIRE_OFFER_H
#define SMTP_WIRE_OFFER_H

#include "base/slice.h"

enum { SMTP_OFFER_WORDS = 32 }; /* mechanisms that are kept; further ones are dropped */
struct smtp_offer {
    struct slice name; /* the first word of the first line */
    bool starttls, pipelining, eightbit, utf8, chunking, statuses, dsn;
    bool auth;     /* the keyword is there, in either spelling */
    bool auth_old; /* "AUTH=" of old is among them */
    bool masked;   /* a keyword was written over on its way */
    struct slice words[SMTP_OFFER_WORDS];
    size_t word_n;
    bool size_said;
    uint64_t size; /* RFC 1870; 0: no fixed limit, or none said; above any limit UINT64_MAX */
};
void smtp_offer_read(struct slice text, struct smtp_offer *ret_offer);

/* Was this word, or part of this greeting, written over by a firewall that hides what it does not know? Runs of at least
 * four "*", or a word of at least three "X" and at most one other letter behind them: "XXXXXXXA". */
bool smtp_is_masked(struct slice text);

#endif

/* search.h - a SEARCH as a tree of keys (RFC 3501 6.4.4, RFC 7162 3.1.5).      room: imap/wire   runs in: keeper
 *
 * The many words of the grammar are reduced to few kinds of key: UNSEEN is NOT of a flag, FROM is HEADER
 * "From", NEW is RECENT and NOT seen. The tree's depth is at most the command's nesting limit, NOT and OR
 * counted, so that walking it by recursion is safe; the count of its keys is limited too.
 */
#ifndef IMAP_WIRE_SEARCH_H
#define IMAP_WIRE_SEARCH_H

#include "imap/wire/set.h"

enum imap_key {
    IMAP_KEY_ALL,
    IMAP_KEY_AND,      /* every one of `children` (at least one) */
    IMAP_KEY_OR,       /* one of `children` */
    IMAP_KEY_NOT,      /* not the one child */
    IMAP_KEY_SEQUENCE, /* set: sequence numbers */
    IMAP_KEY_UID,      /* set: UIDs */
    IMAP_KEY_FLAG,     /* number: a bit of flags.h */
    IMAP_KEY_KEYWORD,  /* text */
    IMAP_KEY_RECENT,
    IMAP_KEY_LARGER,  /* number, octets: strictly more */
    IMAP_KEY_SMALLER, /* strictly less */
    IMAP_KEY_BEFORE,  /* date: internal date before that day (UTC) */
    IMAP_KEY_ON,
    IMAP_KEY_SINCE,       /* that day or later */
    IMAP_KEY_SENT_BEFORE, /* date: the Date field's day as written, its zone disregarded */
    IMAP_KEY_SENT_ON,
    IMAP_KEY_SENT_SINCE,
    IMAP_KEY_HEADER, /* field, text: some field of that name contains text; empty text: the field exists */
    IMAP_KEY_BODY,   /* text: the body contains it */
    IMAP_KEY_TEXT,   /* text: header or body contains it */
    IMAP_KEY_MODSEQ, /* number: MODSEQ at least that */
    IMAP_KEY_N
};

struct imap_search_key {
    enum imap_key key;
    struct imap_search_key *children; /* first child; the others by `next` */
    struct imap_search_key *next;
    struct imap_set set;
    uint64_t number;
    int64_t date; /* days since 1970-01-01 */
    struct slice field, text;
    unsigned slot; /* for whoever evaluates the tree */
};

struct imap_search {
    struct slice charset; /* as written; empty when not given */
    struct imap_search_key *root;
    size_t keys;      /* in the whole tree */
    bool uses_modseq; /* MODSEQ occurs: the answer carries the highest MODSEQ (RFC 7162 3.1.5) */
    bool uses_header; /* a key needs header fields (HEADER, SENT*, TEXT) */
    bool uses_body;   /* a key needs the body (BODY, TEXT) */
};

#endif

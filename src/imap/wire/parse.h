/* parse.h - the parsers of the larger arguments; called by command.c only.   room: imap/wire   runs in: gate keeper */
#ifndef IMAP_WIRE_PARSE_H
#define IMAP_WIRE_PARSE_H

#include "imap/wire/command.h"
#include "imap/wire/scan.h"

/* Each begins behind the space in front of its argument and takes all of it, not beyond. */
fallible parse_mailbox(struct imap_scan *s, struct imap_mailbox *ret_mailbox);
fallible parse_set(struct imap_scan *s, struct imap_set *ret_set);
fallible parse_flag_list(struct imap_scan *s, struct imap_flags *ret_flags); /* in parentheses */
fallible parse_status_items(struct imap_scan *s, unsigned *ret_items);       /* in parentheses */
fallible parse_modseq(struct imap_scan *s, bool zero_allowed, uint64_t *ret_modseq);
/* Decodes a name or pattern; valid is false for wrong modified UTF-7. */
fallible parse_name(struct imap_scan *s, struct slice wire, struct imap_mailbox *ret_mailbox);

fallible parse_fetch(struct imap_scan *s, struct imap_command *c);
fallible parse_search(struct imap_scan *s, struct imap_command *c);
fallible parse_list(struct imap_scan *s, struct imap_command *c);
fallible parse_lsub(struct imap_scan *s, struct imap_command *c);
fallible parse_store(struct imap_scan *s, struct imap_command *c);

/* A word of a table and its bit. */
struct parse_word {
    const char *name;
    unsigned bit;
};
/* Takes a keyword of the table; ERR_SYNTAX for any other. */
fallible parse_word(
    struct imap_scan *s, const struct parse_word *words, size_t n, const char *problem, unsigned *ret_bit);

#endif

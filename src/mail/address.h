/* address.h - mail addresses: of envelopes, of header fields, and their domains.   room: mail   runs in: all
 *
 * Three nouns. `struct domain` is a host or mail domain in its one canonical form: lower-case A-labels, no
 * trailing dot. `struct address` is one mailbox of an envelope, held by value (no memory to free). `struct
 * address_list` is what a From, To or Cc field says, hostile input included: the parser never fails for what
 * a peer wrote, it marks the list `invalid` and gives what it could read.
 *
 * Not here: SMTP's parameters behind a path, aliases, whether a mailbox exists.
 * Owns:     struct address and struct domain own their bytes; list items point into the arena that was
 * passed. Fails:    ERR_SYNTAX, ERR_LIMIT (too long), ERR_UNSUPPORTED (a source route; UTF-8 where it is not
 * allowed). Limits:   LIMIT_LOCAL_PART, LIMIT_DOMAIN, LIMIT_ADDRESS, LIMIT_ENVELOPE_ADDRESSES.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"

/* ---- domains ---- */

struct domain {
    uint16_t n;
    char text[LIMIT_DOMAIN + 1]; /* a NUL is kept behind */
};

static inline struct slice domain_text(const struct domain *d)
{
    return slice_of(d->text, d->n);
}

/* Any spelling to the canonical one: U-labels (UTF-8) become A-labels (IDNA 2008, UTS 46 mapping,
 * non-transitional), letters lower case, one trailing dot goes. Labels are letters, digits and inner hyphens,
 * 1 to 63 octets (RFC 5321 4.1.2, RFC 1035 2.3.4). Not for address literals. ERR_SYNTAX, ERR_LIMIT. */
fallible domain_parse(struct slice text, struct domain *ret_domain);
/* For people: A-labels that decode to what encodes back are shown as U-labels, all else as it is. */
void domain_put_unicode(struct buf *out, const struct domain *d);
/* Is `name` equal to `parent` or below it? Both canonical. */
bool domain_is_within(struct slice name, struct slice parent);

/* ---- mailboxes of envelopes (RFC 5321 4.1.2, RFC 6531 3.3) ---- */

enum address_allow {
    ADDRESS_ALLOW_UTF8 = 1,       /* SMTPUTF8 was given: UTF-8 in the local part and U-labels */
    ADDRESS_ALLOW_NULL = 2,       /* <> : the reverse path of bounces */
    ADDRESS_ALLOW_POSTMASTER = 4, /* <Postmaster> without a domain: RCPT only */
    ADDRESS_ALLOW_LITERAL = 8,    /* user@[192.0.2.1], user@[IPv6:2001:db8::1] */
};

struct address {
    uint8_t local_n; /* both 0: the null path; domain_n 0 alone: <Postmaster> */
    uint8_t domain_n;
    bool is_literal; /* the domain is an address literal, brackets included */
    bool is_utf8;    /* the local part is not all ASCII, or the domain was given with U-labels */
    char
        text[LIMIT_LOCAL_PART + LIMIT_DOMAIN + 2]; /* local part without quoting, then the canonical domain */
};

/* The local part as meant: quotes and backslashes removed; case and Unicode form as given. */
static inline struct slice address_local(const struct address *a)
{
    return slice_of(a->text, a->local_n);
}
/* Canonical (see domain_parse), or the literal as given in lower case. */
static inline struct slice address_domain(const struct address *a)
{
    return slice_of(a->text + a->local_n, a->domain_n);
}
static inline bool address_is_null(const struct address *a)
{
    return a->local_n == 0 && a->domain_n == 0;
}

/* Takes "<mailbox>" off the front of *rest (the SMTP paths of MAIL and RCPT). `allow` is of enum
 * address_allow. *rest and the result are untouched on failure. ERR_UNSUPPORTED for a source route
 * "<@a,@b:c@d>" (RFC 5321 appendix F.2: may be refused), and for UTF-8 without ADDRESS_ALLOW_UTF8 (is told
 * apart by text: slice has octets above 0x7f). */
fallible address_take_path(struct slice *rest, unsigned allow, struct address *ret_address);
/* A bare mailbox "local@domain", the whole slice: configuration, the command line, the vault, AUTH=. */
fallible address_parse(struct slice text, unsigned allow, struct address *ret_address);
/* From parts that were unquoted elsewhere (an item of a list). The domain may be any spelling. */
fallible address_make(struct slice local, struct slice domain, unsigned allow, struct address *ret_address);
/* "local@domain" with quotes where the local part needs them; nothing for the null path. */
void address_put(struct buf *out, const struct address *a);

/* What look-ups and comparisons use: NFC and case-folded local part (as one operation, stable), '@',
 * canonical domain. The last '@' separates. Two addresses are the same mailbox here exactly when their keys
 * are equal. */
struct address_key {
    uint16_t n;
    uint16_t local_n;
    char text[LIMIT_LOCAL_PART * 4 + 1 + LIMIT_DOMAIN + 1]; /* a NUL is kept behind */
};
static inline struct slice address_key_text(const struct address_key *k)
{
    return slice_of(k->text, k->n);
}
static inline struct slice address_key_local(const struct address_key *k)
{
    return slice_of(k->text, k->local_n);
}
static inline struct slice address_key_domain(const struct address_key *k)
{
    return slice_of(k->text + k->local_n + 1, (size_t)(k->n - k->local_n - 1));
}
/* ERR_SYNTAX when the local part is not UTF-8 or the address has no domain. */
fallible address_key(const struct address *a, struct address_key *ret_key);
/* "user+tag" -> "user", "tag"; false when there is no tag (no separator, or nothing before it). */
bool address_split_tag(struct slice local, char separator, struct slice *ret_base, struct slice *ret_tag);

/* ---- address lists of header fields (RFC 5322 3.4 and 4.4, RFC 6532) ---- */

enum address_item_kind {
    ADDRESS_MAILBOX,
    ADDRESS_GROUP_START, /* name is the group's; IMAP writes it in the mailbox place (RFC 3501 7.4.2) */
    ADDRESS_GROUP_END,
};

/* All slices have quoting and comments removed, may hold any octet, NUL included, and point into the value or the
 * arena; p is NULL when absent.
 */
struct address_item {
    enum address_item_kind kind;
    struct slice name;  /* display name (encoded-words as they are), or the comment of "user@host (Name)" */
    struct slice route; /* "@a,@b" of an obsolete route */
    struct slice local;
    struct slice domain; /* as written, comments and blanks removed; literals with brackets; absent if there
                            was none */
};

struct address_list {
    struct address_item *items;
    size_t count;     /* items, group marks included */
    size_t mailboxes; /* of kind ADDRESS_MAILBOX */
    bool invalid; /* something did not follow RFC 5322, obsolete forms allowed: submission refuses such a From
                   */
    bool truncated; /* a limit was reached: what is here is not all */
};

/* Reads a field's value, folded or unfolded. Linear in its length, no recursion. Never fails for what is
 * written in it; at the arena's ceiling the list ends there, `truncated`. `ret_list` is always set. */
void address_list_parse(struct slice value, struct arena *arena, struct address_list *ret_list);

#endif

/* private.h - what the files of this room share.                                   room: scope   runs in: vault keeper cli */
#ifndef SCOPE_PRIVATE_H
#define SCOPE_PRIVATE_H

#include "scope/scope.h"

/* Keeps words for people, when somebody wants them, and gives back the error. */
enum err scope_refuse(struct buf *problem, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

/* ---- value.c: canonical values to what the questions need; they cannot fail, because scope_value_normal made them ---- */

struct ip_net scope_net_of(struct slice normal);
uint64_t scope_number_of(struct slice normal);
/* 0 when it is none of the words. */
unsigned scope_rights_of(struct slice normal);
/* NULL for all rights. */
const char *scope_rights_word(unsigned rights);
void scope_net_put(const struct ip_net *net, struct buf *out);
/* Does `wide` hold every address of `narrow`? */
bool scope_net_is_within(const struct ip_net *narrow, const struct ip_net *wide);

/* ---- hours.c ---- */

/* ERR_SYNTAX. Blanks around and between the parts are allowed. */
fallible scope_hours_parse(struct slice text, struct scope_hours *ret_hours);
void scope_hours_put(const struct scope_hours *hours, struct buf *out);

/* ---- pattern.c ---- */

/* Canonical: NFC, INBOX in capitals. ERR_SYNTAX, ERR_LIMIT. */
fallible scope_pattern_normal(struct slice value, struct buf *out);
bool scope_pattern_matches(struct slice pattern, struct slice mailbox);
/* False when it is not certain. */
bool scope_pattern_is_within(struct slice narrow, struct slice wide);
/* "image/png" by "image/png" or by "image/" and an asterisk; both lower case. */
bool scope_type_matches(struct slice pattern, struct slice type);

/* ---- addresses.c: "alice@example.org" or "@example.org" ---- */

fallible scope_address_normal(struct slice value, struct buf *out);
/* Both may be whole domains; a domain is only covered by itself. */
bool scope_address_covers(struct slice wide, struct slice narrow);

#endif

/* notice_text.h - what the server writes to its own people about their credentials.    room: smtp/session   runs in: keeper
 *
 * The vault says what happened, as a kind and facts; the mail is written here, in the account's language (Chinese for zh,
 * else English), from the table notices.def. Facts are lines "name=value"; those that people can read are listed under the text.
 * A name that ends in _s is a time: unix seconds. Values come from people and programs: they cannot break the header, because
 * it is encoded (mail/header.h), nor the body, because it is text.
 *
 * Pure. Limits: LIMIT_NOTICE octets. Fails: ERR_LIMIT.
 */
#ifndef SMTP_SESSION_NOTICE_TEXT_H
#define SMTP_SESSION_NOTICE_TEXT_H

#include "base/buf.h"

struct notice {
    struct slice kind, facts;
    struct slice address, language; /* of the account */
    struct slice hostname;          /* who writes */
    struct slice random; /* of the Message-ID: the delivery id, so that a repeat is the same message */
    int64_t now_s;
};
/* The whole message, header and body, with CRLF. */
fallible notice_write(const struct notice *n, struct buf *out);

#endif

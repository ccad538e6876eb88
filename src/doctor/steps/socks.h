/* socks.h - what is said to a SOCKS5 proxy, and its answers (RFC 1928).               room: doctor/steps   runs in: cli
 *
 * Pure: octets in, meaning out. A parser is given all that came so far; ERR_AGAIN says how many octets more are wanted, so that
 * nothing of what the server behind the proxy says is read with the answer.
 */
#ifndef DOCTOR_STEPS_SOCKS_H
#define DOCTOR_STEPS_SOCKS_H

#include "base/buf.h"

/* "No authentication" is all that is offered (section 3). */
void socks_put_hello(struct buf *out);
/* CONNECT to a name, or to an address literal (section 4). ERR_LIMIT: the name is longer than 255 octets. */
fallible socks_put_connect(struct slice host, uint16_t port, struct buf *out);

enum { SOCKS_METHOD_NONE = 0x00, SOCKS_METHOD_REFUSED = 0xff, SOCKS_REPLY_MAX = 4 + 1 + 255 + 2 };
/* ERR_SYNTAX: this is no SOCKS5. */
fallible socks_read_choice(struct slice in, size_t *ret_more, unsigned *ret_method);
/* `*ret_code` 0: connected (section 6). A refusal counts from its code on: some proxies leave the rest out. */
fallible socks_read_reply(struct slice in, size_t *ret_more, unsigned *ret_code);
/* The code's words, of our own. */
const char *socks_code_words(unsigned code);

#endif

/* talk.h - one connection to a server, spoken line by line, and waiting for answers.   room: doctor/steps   runs in: cli
 *
 * Opens a TCP connection (through a proxy when one is wished), turns it into TLS, sends commands, and reads lines and octets.
 * Waiting has one end for all: `until_ms` of the monotonic clock, which a caller may move; a server that drips one octet a
 * second gains nothing. At most LIMIT_DOCTOR_TALK octets are read, a line has at most LIMIT_DOCTOR_LINE. What was sent is kept
 * nowhere; what may hold the secret is wiped after it was sent.
 *
 * Owns: the descriptor and the transport. Fails: ERR_TIMEOUT, ERR_CLOSED, ERR_LIMIT (too much, or a line without end),
 * ERR_SYNTAX (TLS broke: talk_break), ERR_IO; after that the talk is of no use but to be closed.
 */
#ifndef DOCTOR_STEPS_TALK_H
#define DOCTOR_STEPS_TALK_H

#include "doctor/steps/visit.h"

struct talk;
/* To the first address of the visit that answers, or through its proxy; plain so far. */
fallible talk_open(const struct visit *v, struct talk **ret_talk);
/* Over a transport: for tests and fuzzers. Takes it; a transport that has nothing now is at its end. */
struct talk *talk_over(struct transport *t);
void talk_close(struct talk **t);

/* From now on, at most ms. talk_open gives the wishes' patience. */
void talk_within(struct talk *t, uint64_t ms);
uint64_t talk_left_ms(const struct talk *t);

/* TLS from here on, to the name asked for; the handshake is done when this returns OK. ERR_SYNTAX: see talk_break. What was
 * received before it, in clear, is refused: ERR_DENIED, with talk_input still holding it (STARTTLS injection). */
fallible talk_start_tls(struct talk *t, const struct tls_trust *trust, struct slice host);
const struct transport *talk_transport(const struct talk *t); /* for tls/outgoing.h; NULL: plain */
enum tls_break talk_break(const struct talk *t, const char **ret_text, int *ret_alert);

/* Sends all of it. */
fallible talk_put(struct talk *t, struct slice octets);
fallible talk_printf(struct talk *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sends and wipes the buffer: it holds the secret. */
fallible talk_put_secret(struct talk *t, struct buf *octets);
/* The next line without its end, good until the next call. A line ended by LF alone is taken, and counted. */
fallible talk_line(struct talk *t, struct slice *ret_line);
/* Exactly n octets, or as many as come before the end; good until the next call. For literals and TLS records. */
fallible talk_octets(struct talk *t, size_t n, struct slice *ret_octets);
/* Waits for anything to read, takes nothing: ERR_TIMEOUT when nothing came within ms. */
fallible talk_wait(struct talk *t, uint64_t ms);
struct slice talk_input(const struct talk *t); /* read, but not taken yet */
size_t talk_bare_lines(const struct talk *t);
/* Counts lines that were ended by LF alone and read by talk_octets. */
void talk_add_bare(struct talk *t, size_t lines);
/* The address of our own side. ERR_NOT_FOUND: over a transport without a socket. */
fallible talk_own_ip(const struct talk *t, struct ip *ret_ip);

#endif

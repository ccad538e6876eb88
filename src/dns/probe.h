/* probe.h - one plain question to one server, for what it says itself.                   room: dns   runs in: cli
 *
 * Private to the room. The library retries and reports every failure as SERVFAIL; which of them it was, the server's own first
 * answer tells. One datagram, one answer, of which only the header counts (RFC 1035 4.1.1).
 */
#ifndef DNS_PROBE_H
#define DNS_PROBE_H

#include "base/buf.h"
#include "dns/record.h"
#include "loop/stop.h"

enum { DNS_RCODE_NONE = 0, DNS_RCODE_SERVFAIL = 2, DNS_RCODE_NXDOMAIN = 3, DNS_RCODE_REFUSED = 5 };

/* A question with "recursion desired"; `unchecked`: and "checking disabled" (RFC 4035 3.2.2). */
void probe_question(struct slice name, int type, uint16_t id, bool unchecked, struct buf *out);
/* The response code. ERR_SYNTAX: not an answer to that question. */
fallible probe_answer(struct slice answer, struct slice question, unsigned *ret_rcode);
/* ERR_TIMEOUT (also when the stop comes); ERR_DENIED: nothing listens there; ERR_NOT_FOUND: no way there; ERR_IO. */
fallible probe_ask(
    const struct dns_server *server, struct slice name, int type, bool unchecked, uint64_t until_ms,
    const struct stop *stop, unsigned *ret_rcode);

#endif

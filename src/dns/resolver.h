/* resolver.h - libunbound, asked by several threads at once.                           room: dns   runs in: cli
 *
 * Private to the room. One context of the library works in a thread of its own; whoever waits for an answer and finds nobody
 * looking after the answers does that meanwhile, for all. A question that nobody waits for any more stays until its answer
 * comes or the resolver ends.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include <unbound.h>

#include "dns/record.h"
#include "loop/stop.h"

struct resolver;
/* `server` empty: those of `resolv_conf`, a file. `anchor` NULL: nothing is proved. ERR_SYNTAX (the anchor), ERR_NOT_FOUND,
 * ERR_MEMORY, ERR_IO. */
fallible resolver_new(
    const struct dns_server *servers, size_t server_count, const char *anchor, const struct stop *stop,
    struct resolver **ret_resolver);
void resolver_free(struct resolver **r);
/* `type` as on the wire. The result is the caller's: ub_resolve_free. ERR_TIMEOUT (also when the stop comes), ERR_MEMORY,
 * ERR_IO. */
fallible resolver_ask(
    struct resolver *r, const char *name, int type, uint64_t until_ms, struct ub_result **ret_result);

#endif

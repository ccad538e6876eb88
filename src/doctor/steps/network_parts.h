/* network_parts.h - the parts of the network step.                                    room: doctor/steps   runs in: cli
 *
 * Private to the step. The patience of a visit is divided: two fifths at most for the first question to the name servers, one
 * for the second, the rest for connecting, of which a sixth of the whole is kept for a look at other ports.
 */
#ifndef DOCTOR_STEPS_NETWORK_PARTS_H
#define DOCTOR_STEPS_NETWORK_PARTS_H

#include "doctor/steps/network.h"

struct found {
    struct ip ips[LIMIT_DOCTOR_ADDRESSES];
    size_t count;
    bool literal; /* an address was given, no name asked for */
};
/* The addresses of the server's name; false when there is no use in going on, which is noted. */
bool network_names(struct visit *v, struct found *ret_found);
/* Connects to them, and notes what comes of it; sets standing.connected and the visit's addresses. */
void network_connect(struct visit *v, const struct found *found, uint64_t until_ms);
/* The same through the wishes' proxy. */
void network_proxy(struct visit *v);

/* What an address that should be a public one is. */
enum address_kind { ADDRESS_PUBLIC, ADDRESS_PRIVATE, ADDRESS_LOOPBACK, ADDRESS_NOTHING, ADDRESS_FAKE };
enum address_kind address_kind(const struct ip *ip);

#endif

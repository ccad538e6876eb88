#include "base/clock.h"
#include "doctor/steps/network_parts.h"

void network_look(struct visit *v)
{
    uint64_t until = clock_mono_ms() + v->wishes->patience_ms;
    struct found found;
    if (v->wishes->proxy.host.n)
        network_proxy(v);
    else if (network_names(v, &found))
        network_connect(v, &found, until);
}

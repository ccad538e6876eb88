#include <stdlib.h>

#include "base/mem.h"
#include "gate/private.h"

static struct slice key_of(const struct ip *net)
{
    return slice_of(net->b, sizeof net->b);
}

fallible net_count_add(struct gate *g, const struct ip *peer, struct net_count **ret_net)
{
    if (config_networks_have(g->config, CONFIG_CONNECTIONS_EXEMPT, peer)) {
        *ret_net = NULL;
        return OK;
    }
    struct ip net = ip_limit_net(peer);
    struct net_count *count = map_find(&g->nets, key_of(&net));
    if (!count) {
        count = NEW(struct net_count);
        count->net = net;
        if (map_add(&g->nets, key_of(&count->net), count) != OK) {
            free(count);
            return ERR_LIMIT;
        }
    }
    if (count->n >= config_number(g->config, CONFIG_CONNECTIONS_PER_NETWORK))
        return ERR_LIMIT;
    count->n++;
    *ret_net = count;
    return OK;
}

void net_count_drop(struct gate *g, struct net_count **net)
{
    struct net_count *count = TAKE(*net, NULL);
    if (!count || --count->n)
        return;
    map_drop(&g->nets, key_of(&count->net));
    free(count);
}

/* private.h - what the files of this room tell each other.                               room: gate   runs in: gate */
#ifndef GATE_PRIVATE_H
#define GATE_PRIVATE_H

#include "gate/connection.h"

#define SIGNIN_BY_CERTIFICATE S("EXTERNAL")

/* Connections of one client network that have not signed in. */
struct net_count {
    struct ip net;
    unsigned n;
};
/* Counts one more; NULL in *ret_net for exempt networks. ERR_LIMIT: that network has enough. */
fallible net_count_add(struct gate *g, const struct ip *peer, struct net_count **ret_net);
/* Sets *net to NULL. */
void net_count_drop(struct gate *g, struct net_count **net);

/* A new connection of this protocol may wait for sign-in, after another made room for it if need be. */
bool gate_make_room(struct gate *g, enum gate_protocol protocol);
/* A connection has gone: listen again if that was stopped. */
void gate_has_room(struct gate *g);
/* Says why and closes. Takes fd. */
void gate_turn_away(struct gate *g, const struct door_row *door, int fd, enum gate_end why);

/* The line of one connection in the status table. */
void connection_describe(
    const struct connection *c, void (*line)(const struct gate_line *line, void *arg), void *arg);

#endif

/* dial.h - opening a connection to somebody else, without waiting for it.            room: net   runs in: relay cli
 *
 * One address, one try; who has several addresses dials them one after the other. Owns: the socket until `done`.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/ip.h"
#include "loop/loop.h"

struct dial;
/* Called once, from the loop. OK: fd is connected and now the owner's. Otherwise fd is -1: ERR_TIMEOUT; ERR_DENIED
 * (refused by the peer or by a firewall); ERR_NOT_FOUND (no route); ERR_LIMIT; ERR_IO. */
typedef void dial_done_fn(struct dial *d, enum err e, int fd, void *owner);
struct dial *dial_new(
    struct loop *loop, const struct ip *ip, uint16_t port, uint64_t within_ms, dial_done_fn *done,
    void *owner);
/* Needed after `done` as well as to give up before; may be called from `done`. */
void dial_free(struct dial **d);

#endif

/* dial.h - a connected socket, by a deadline, on a thread that may wait.     room: directory   runs in: directory
 *
 * net/dial.h does the same for a loop; a pool thread has none. Fails: ERR_TIMEOUT, ERR_DENIED (refused), ERR_NOT_FOUND (no
 * way there), ERR_IO. The socket is non-blocking and the caller's.
 */
#ifndef DIRECTORY_DIAL_H
#define DIRECTORY_DIAL_H

#include "base/ip.h"

/* A socket of this kind whose connect has begun (stream) or is done (datagram). */
fallible directory_socket(const struct ip *ip, uint16_t port, int kind, int *ret_fd);
fallible directory_dial(const struct ip *ip, uint16_t port, uint64_t until_ms, int *ret_fd);

#endif

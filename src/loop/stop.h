/* stop.h - an orderly end of a command that waits for others: Ctrl-C and its kin.            room: loop   runs in: cli
 *
 * From stop_start on, SIGINT, SIGTERM and SIGHUP end nothing: they are blocked in the calling thread and in all that it starts
 * afterwards, and a thread of its own takes them. The first one is remembered and wakes whoever waits by stop_poll, at any
 * thread and from then on at once; the caller closes what is open and says what it has. The second one ends the process by that
 * signal, without delay. No signal handler runs. A signal that was ignored when the command began (nohup) stays ignored.
 *
 * Owns: the thread and two descriptors. Start it before other threads, on the thread that ends it. Every function but stop_start takes
 * NULL: nothing ever stops then.
 */
#ifndef LOOP_STOP_H
#define LOOP_STOP_H

#include <poll.h>

#include "base/err.h"

struct stop;
/* ERR_IO: no thread, or no descriptors; signals are as they were. */
fallible stop_start(struct stop **ret_stop);
/* Signals are as they were before. */
void stop_end(struct stop **stop);
/* The signal that came first; 0: none so far. From any thread. */
int stop_signal(const struct stop *stop);
/* As poll(2), which wakes up for the stop as well: -1 with ECANCELED then, whatever else there is. At most STOP_POLL_MOST. */
enum { STOP_POLL_MOST = 40 };
int stop_poll(const struct stop *stop, struct pollfd *fds, nfds_t count, int within_ms);
/* For those who wait in another library: readable from the first signal on; -1: never. Not to be read. */
int stop_fd(const struct stop *stop);

#endif

/* calls.h - the system calls of each role after start: data, found by tracing the release build.   room: proc
 *                                                                                          runs in: all
 *
 * A list is names with optional conditions (jail/filter.c knows them), NULL-ended. What a list does not open kills the
 * process; opening calls are refused with EACCES. A library that wants a new call shows up as a death by SIGSYS in the
 * tests; the list is extended only after looking at what the call is for.
 */
#ifndef PROC_CALLS_H
#define PROC_CALLS_H

extern const char *const calls_gate[];
extern const char *const calls_vault[];
extern const char *const calls_keeper[];
extern const char *const calls_scan[];
extern const char *const calls_relay[];
extern const char *const calls_scribe[];
extern const char *const calls_directory[];
/* The filter of the supervisor is inherited by every process it starts, so it opens the start of a program and all
 * that any role is allowed: what it holds back is what none of them may ever do. */
extern const char *const calls_supervisor[];

#endif

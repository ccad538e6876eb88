/* tls_clock.h - what time others say that it is, against the clock of this device.      room: doctor/steps   runs in: cli
 *
 * Servers tell the time by the way: SMTP in its greeting, the web in a header. It is compared wherever it comes without asking.
 * A difference alone is a fact; a diagnosis is made by those who find something that it explains. Nobody proves what he tells: it
 * counts for the clock of this device, and for nothing that is believed. Pure, but for the clock.
 */
#ifndef DOCTOR_STEPS_TLS_CLOCK_H
#define DOCTOR_STEPS_TLS_CLOCK_H

#include "doctor/examination.h"

/* Does this device show a time before this program was written? Then its clock is wrong, whoever else says what. */
bool tls_clock_is_impossible(void);
/* Could it be that time while this program runs? 0 is none. */
bool tls_clock_may_be(int64_t told_s);
/* It could, and is more than five minutes away from this device's. */
bool tls_clock_differs(int64_t told_s);
/* The fact, where it differs and was not noted in this step. */
void tls_clock_note(struct notes *n, struct slice who, int64_t told_s);
/* "2026-11-22 19:25 UTC" */
struct slice tls_clock_moment(struct arena *arena, int64_t unix_s);

#endif

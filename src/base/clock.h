/* clock.h - what time it is.                                                   room: base   runs in: all
 *
 * Deadlines count on the monotonic clock in milliseconds; dates are UTC seconds or milliseconds since 1970.
 * Tests move both forward with clock_set_offset. Time zones are never loaded.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_mono_ms(void);
int64_t clock_unix_s(void);
int64_t clock_unix_ms(void);
/* For tests: added to every reading. */
void clock_set_offset(int64_t ms);
/* For tests: from now on time passes by clock_set_offset alone, until it is let go on; so that a slow machine is not late. */
void clock_stand_still(bool still);

struct civil {
    int year, month /* 1-12 */, day /* 1-31 */, hour, minute, second, weekday /* 0 = Sunday */;
};
/* UTC, proleptic Gregorian, any year; no locale, no leap seconds. */
struct civil civil_of_unix(int64_t seconds);
int64_t civil_to_unix(const struct civil *c);

#endif

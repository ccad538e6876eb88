/* test.h - what every unit test includes: cmocka in the order it wants, and a few asserts in our own words.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"

#define assert_ok(expression) assert_int_equal((expression), OK)
#define assert_err(wanted, expression) assert_int_equal((expression), (wanted))
#define assert_slice(wanted_literal, actual)                                                                 \
    do {                                                                                                     \
        struct slice actual_ = (actual), wanted_ = S(wanted_literal);                                        \
        if (!slice_eq(actual_, wanted_))                                                                     \
            fail_msg("wanted \"%.*s\", got \"%.*s\"", SLICE_ARG(wanted_), SLICE_ARG(actual_));               \
    } while (0)
/* Shall the test run the numbers that its row states, rather than a sample of them? */
static inline bool test_in_full(void)
{
    const char *full = getenv("LETTERLOCK_FULL");
    return full && *full;
}

/* The line that docs/threats.md counts. */
#define report_threat(id, cases) print_message("%s cases=%d passed=%d\n", (id), (int)(cases), (int)(cases))

#endif

/* cases.h - counts the cases of one row of the threats and prints them at the end of its test. */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include "test.h"

struct cases {
    const char *id;
    unsigned run, passed;
};

/* Counts one case; a failed one is named, and fails the test in cases_end. */
static inline void cases_check(struct cases *c, int good, const char *what)
{
    c->run++;
    c->passed += good ? 1 : 0;
    if (!good)
        print_message("%s FAILED: %s\n", c->id, what);
}

static inline void cases_end(const struct cases *c, unsigned least)
{
    print_message("%s cases=%u passed=%u\n", c->id, c->run, c->passed);
    assert_int_equal(c->run, c->passed);
    assert_true(c->run >= least);
}

#endif

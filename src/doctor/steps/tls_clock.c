#include "doctor/steps/tls_clock.h"

#include "base/clock.h"

enum { SKEW_S = 300 };

/* The first of November 2026: no clock that is right shows less while this program runs. */
static const int64_t written_s = 1793491200;

bool tls_clock_is_impossible(void)
{
    return !tls_clock_may_be(clock_unix_s());
}

bool tls_clock_may_be(int64_t told_s)
{
    return told_s >= written_s;
}

bool tls_clock_differs(int64_t told_s)
{
    int64_t now = clock_unix_s();
    return tls_clock_may_be(told_s) && (told_s > now + SKEW_S || told_s < now - SKEW_S);
}

struct slice tls_clock_moment(struct arena *arena, int64_t unix_s)
{
    struct civil c = civil_of_unix(unix_s);
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d UTC", c.year, c.month, c.day, c.hour, c.minute);
}

static bool is_noted(const struct notes *n)
{
    for (size_t i = 0; i < n->count; i++)
        if (!n->rows[i].diagnosis && n->rows[i].fact == FACT_CLOCK_DIFFERS && n->rows[i].step == n->step)
            return true;
    return false;
}

void tls_clock_note(struct notes *n, struct slice who, int64_t told_s)
{
    if (!tls_clock_differs(told_s) || is_noted(n))
        return;
    notes_fact(
        n, TONE_NOTE, FACT_CLOCK_DIFFERS, who, tls_clock_moment(&n->arena, told_s),
        tls_clock_moment(&n->arena, clock_unix_s()));
}

#include "base/clock.h"

#include <time.h>

static int64_t offset_ms;
static struct {
    bool is_still;
    int64_t mono_ms, unix_ms;
} moment;

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_set_offset(int64_t ms)
{
    offset_ms = ms;
}

void clock_stand_still(bool still)
{
    moment.mono_ms = read_clock(CLOCK_MONOTONIC);
    moment.unix_ms = read_clock(CLOCK_REALTIME);
    moment.is_still = still;
}

uint64_t clock_mono_ms(void)
{
    return (uint64_t)(offset_ms + (moment.is_still ? moment.mono_ms : read_clock(CLOCK_MONOTONIC)));
}

int64_t clock_unix_ms(void)
{
    return offset_ms + (moment.is_still ? moment.unix_ms : read_clock(CLOCK_REALTIME));
}

int64_t clock_unix_s(void)
{
    return clock_unix_ms() / 1000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days are counted from 0000-03-01 in eras of 400 years, so that the leap day is the last of its year. */
struct civil civil_of_unix(int64_t seconds)
{
    int64_t days = floor_div(seconds, 86400), rest = seconds - days * 86400;
    int64_t shifted = days + 719468, era = floor_div(shifted, 146097), doe = shifted - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct civil){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
}

int64_t civil_to_unix(const struct civil *c)
{
    int64_t year = c->year - (c->month <= 2), era = floor_div(year, 400), yoe = year - era * 400;
    int64_t doy = (153 * (c->month + (c->month > 2 ? -3 : 9)) + 2) / 5 + c->day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (era * 146097 + doe - 719468) * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
}

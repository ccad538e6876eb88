/* hours.c - "mon-fri 08:00-18:00 +08:00": times of the week. */
#include "scope/private.h"

enum { DAY = 1440, WEEK_DAYS = 7, OFFSET_MAX = 14 * 60, DAY_S = 86400 };

static const char *const day_names[WEEK_DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* ---- reading ---- */

static fallible take_day(struct slice *rest, unsigned *ret_day)
{
    for (unsigned i = 0; i < WEEK_DAYS; i++) {
        if (slice_starts_nocase(*rest, slice_str(day_names[i]))) {
            *rest = slice_from(*rest, 3);
            *ret_day = i;
            return OK;
        }
    }
    return ERR_SYNTAX;
}

static bool take_char(struct slice *rest, char c)
{
    if (!rest->n || rest->p[0] != c)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

/* "mon", "mon-fri", "sat,sun", "fri-mon". */
static fallible take_days(struct slice *rest, uint8_t *ret_days)
{
    uint8_t days = 0;
    do {
        unsigned first, last;
        TRY(take_day(rest, &first));
        last = first;
        if (take_char(rest, '-'))
            TRY(take_day(rest, &last));
        for (unsigned day = first;; day = (day + 1) % WEEK_DAYS) {
            days |= (uint8_t)(1u << day);
            if (day == last)
                break;
        }
    } while (take_char(rest, ','));
    *ret_days = days;
    return OK;
}

/* "08:30", also "8:30". */
static fallible take_time(struct slice *rest, unsigned *ret_minutes)
{
    size_t n = 0;
    uint64_t hour, minute;
    while (n < rest->n && ascii_is_digit(rest->p[n]))
        n++;
    if (n < 1 || n > 2)
        return ERR_SYNTAX;
    TRY(slice_to_u64(slice_sub(*rest, 0, n), 24, &hour));
    *rest = slice_from(*rest, n);
    if (!take_char(rest, ':') || rest->n < 2 || !ascii_is_digit(rest->p[0]) || !ascii_is_digit(rest->p[1]))
        return ERR_SYNTAX;
    minute = (uint64_t)(rest->p[0] - '0') * 10 + (uint64_t)(rest->p[1] - '0');
    *rest = slice_from(*rest, 2);
    if (minute > 59 || hour * 60 + minute > DAY)
        return ERR_SYNTAX;
    *ret_minutes = (unsigned)(hour * 60 + minute);
    return OK;
}

/* Nothing, "Z" or "UTC": 0. */
static fallible take_offset(struct slice *rest, int16_t *ret_offset)
{
    unsigned minutes = 0;
    bool is_west = rest->n && rest->p[0] == '-';
    if (!rest->n || slice_eq_nocase(*rest, S("z")) || slice_eq_nocase(*rest, S("utc"))) {
        *rest = SLICE_EMPTY;
    } else {
        if (!take_char(rest, is_west ? '-' : '+'))
            return ERR_SYNTAX;
        TRY(take_time(rest, &minutes));
    }
    if (rest->n || minutes > OFFSET_MAX)
        return ERR_SYNTAX;
    *ret_offset = (int16_t)(is_west ? -(int)minutes : (int)minutes);
    return OK;
}

fallible scope_hours_parse(struct slice text, struct scope_hours *ret_hours)
{
    struct scope_hours hours;
    unsigned from, until;
    text = slice_trim(text);
    TRY(take_days(&text, &hours.days));
    if (!text.n || text.p[0] != ' ')
        return ERR_SYNTAX;
    text = slice_trim(text);
    TRY(take_time(&text, &from));
    if (!take_char(&text, '-'))
        return ERR_SYNTAX;
    TRY(take_time(&text, &until));
    if (text.n && text.p[0] != ' ')
        return ERR_SYNTAX;
    text = slice_trim(text);
    TRY(take_offset(&text, &hours.offset));
    if (until == 0)
        until = DAY; /* "22:00-00:00" ends at the end of the day */
    if (from == until || from == DAY)
        return ERR_SYNTAX;
    hours.from = (uint16_t)from;
    hours.until = (uint16_t)until;
    *ret_hours = hours;
    return OK;
}

/* ---- writing ---- */

static void put_days(unsigned days, struct buf *out)
{
    bool is_first = true;
    for (unsigned day = 0; day < WEEK_DAYS; day++) {
        unsigned last = day;
        if (!(days >> day & 1))
            continue;
        while (last + 1 < WEEK_DAYS && days >> (last + 1) & 1)
            last++;
        buf_printf(out, "%s%s", is_first ? "" : ",", day_names[day]);
        if (last != day)
            buf_printf(out, "-%s", day_names[last]);
        is_first = false;
        day = last;
    }
}

void scope_hours_put(const struct scope_hours *h, struct buf *out)
{
    unsigned offset = (unsigned)(h->offset < 0 ? -h->offset : h->offset);
    put_days(h->days, out);
    buf_printf(
        out, " %02u:%02u-%02u:%02u %c%02u:%02u", h->from / 60u, h->from % 60u, h->until / 60u, h->until % 60u,
        h->offset < 0 ? '-' : '+', offset / 60, offset % 60);
}

/* ---- asking ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The span that began on this day of the offset's calendar (days since 1970-01-01, a Thursday), in unix time. False: none. */
static bool span_of(const struct scope_hours *h, int64_t day, int64_t *ret_from, int64_t *ret_until)
{
    unsigned weekday = (unsigned)(((day + 3) % WEEK_DAYS + WEEK_DAYS) % WEEK_DAYS);
    if (!(h->days >> weekday & 1))
        return false;
    int64_t midnight = day * DAY_S - h->offset * 60;
    *ret_from = midnight + h->from * 60;
    *ret_until = midnight + (h->until + (h->until < h->from ? DAY : 0)) * 60;
    return true;
}

#define NO_SPAN INT64_MIN

/* The end of the latest span that holds this moment, or NO_SPAN. */
static int64_t end_of_span(const struct scope *s, int64_t at_s)
{
    int64_t end = NO_SPAN, from, until;
    for (size_t i = 0; i < s->hour_count; i++) {
        int64_t today = floor_div(at_s + s->hours[i].offset * 60, DAY_S);
        for (int64_t day = today - 1; day <= today; day++)
            if (span_of(&s->hours[i], day, &from, &until) && from <= at_s && at_s < until && until > end)
                end = until;
    }
    return end;
}

/* The beginning of the first span after this moment. There is one within eight days. */
static int64_t next_span(const struct scope *s, int64_t at_s)
{
    int64_t first = INT64_MAX, from, until;
    for (size_t i = 0; i < s->hour_count; i++) {
        int64_t today = floor_div(at_s + s->hours[i].offset * 60, DAY_S);
        for (int64_t day = today; day <= today + WEEK_DAYS; day++)
            if (span_of(&s->hours[i], day, &from, &until) && from > at_s && from < first)
                first = from;
    }
    return first;
}

bool scope_allows_time(const struct scope *s, int64_t now_s)
{
    return s->hour_count == 0 || end_of_span(s, now_s) != NO_SPAN;
}

int64_t scope_time_ends(const struct scope *s, int64_t now_s)
{
    if (s->hour_count == 0)
        return 0;
    int64_t at = now_s, end = end_of_span(s, at);
    if (end == NO_SPAN)
        at = next_span(s, at);
    /* Spans that touch or overlap go on; more than a week of them never ends. */
    while ((end = end_of_span(s, at)) != NO_SPAN) {
        at = end;
        if (at - now_s > (2 * WEEK_DAYS + 1) * DAY_S)
            return 0;
    }
    return at;
}

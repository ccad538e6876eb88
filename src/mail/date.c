#include "mail/date.h"

#include "base/clock.h"

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

/* RFC 5322 4.3; anything else by letters is -0000. */
static const struct {
    const char *name;
    int hours;
} zones[] = {{"UT", 0},   {"UTC", 0},  {"GMT", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4},
             {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};

struct reader {
    struct slice s;
    size_t at;
};

/* Blanks, line ends and comments (nested, escaped). */
static void skip_blanks(struct reader *r)
{
    size_t depth = 0;
    for (; r->at < r->s.n; r->at++) {
        char c = r->s.p[r->at];
        if (c == '\\' && depth)
            r->at++;
        else if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return;
    }
    if (r->at > r->s.n)
        r->at = r->s.n;
}

static bool take_char(struct reader *r, char c)
{
    if (r->at >= r->s.n || r->s.p[r->at] != c)
        return false;
    r->at++;
    return true;
}

static struct slice take_letters(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->s.n && ascii_is_alpha(r->s.p[r->at]))
        r->at++;
    return slice_of(r->s.p + start, r->at - start);
}

/* Between `least` and `most` digits. */
static bool take_number(struct reader *r, size_t least, size_t most, int *ret_value, size_t *ret_digits)
{
    size_t n = 0;
    int value = 0;
    for (; n < most && r->at < r->s.n && ascii_is_digit(r->s.p[r->at]); n++)
        value = value * 10 + (r->s.p[r->at++] - '0');
    if (n < least || (r->at < r->s.n && ascii_is_digit(r->s.p[r->at])))
        return false;
    *ret_value = value;
    if (ret_digits)
        *ret_digits = n;
    return true;
}

static bool month_of(struct slice name, int *ret_month)
{
    for (int i = 0; i < 12; i++)
        if (slice_eq_nocase(slice_sub(name, 0, 3), slice_str(months[i])) && name.n >= 3) {
            *ret_month = i + 1;
            return true;
        }
    return false;
}

static bool is_civil(const struct civil *c)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    return c->year >= 1 && c->year <= 9999 && c->day >= 1 &&
           c->day <= days[c->month - 1] + (leap && c->month == 2) && c->hour <= 23 && c->minute <= 59 &&
           c->second <= 60;
}

static struct mail_date date_of(const struct civil *c, int zone, bool known)
{
    struct civil at = *c;
    if (at.second == 60) /* a leap second is the second before it */
        at.second = 59;
    return (struct mail_date){civil_to_unix(&at) - (int64_t)zone * 60, (int16_t)zone, known};
}

/* "+hhmm" at the sign. */
static bool take_offset(struct reader *r, int *ret_zone, bool *ret_known)
{
    int value;
    bool west = r->s.p[r->at++] == '-';
    if (!take_number(r, 4, 4, &value, NULL) || value % 100 > 59 || value / 100 > 23)
        return false;
    *ret_zone = (value / 100 * 60 + value % 100) * (west ? -1 : 1);
    *ret_known = !(west && value == 0);
    return true;
}

static bool take_zone(struct reader *r, int *ret_zone, bool *ret_known)
{
    skip_blanks(r);
    *ret_zone = 0;
    *ret_known = false;
    if (r->at < r->s.n && (r->s.p[r->at] == '+' || r->s.p[r->at] == '-'))
        return take_offset(r, ret_zone, ret_known);
    struct slice name = take_letters(r);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (slice_eq_nocase(name, slice_str(zones[i].name))) {
            *ret_zone = zones[i].hours * 60;
            *ret_known = true;
        }
    return true;
}

static bool take_time(struct reader *r, struct civil *c)
{
    skip_blanks(r);
    if (!take_number(r, 1, 2, &c->hour, NULL))
        return false;
    skip_blanks(r);
    if (!take_char(r, ':'))
        return false;
    skip_blanks(r);
    if (!take_number(r, 1, 2, &c->minute, NULL))
        return false;
    skip_blanks(r);
    if (!take_char(r, ':'))
        return true;
    skip_blanks(r);
    return take_number(r, 1, 2, &c->second, NULL);
}

/* RFC 5322 4.3: two digits mean 1950 to 2049, three count from 1900. */
static int full_year(int year, size_t digits)
{
    if (digits == 2)
        return year < 50 ? year + 2000 : year + 1900;
    return digits == 3 ? year + 1900 : year;
}

fallible date_parse(struct slice text, struct mail_date *ret_date)
{
    struct reader r = {.s = text.p ? text : S("")};
    struct civil c = {.year = 0};
    size_t digits = 0;
    int zone;
    bool known;
    skip_blanks(&r);
    if (take_letters(&r).n) {
        skip_blanks(&r);
        (void)take_char(&r, ',');
        skip_blanks(&r);
    }
    if (!take_number(&r, 1, 2, &c.day, NULL))
        return ERR_SYNTAX;
    skip_blanks(&r);
    (void)take_char(&r, '-'); /* seen in old mail: 17-Jul-1996 */
    if (!month_of(take_letters(&r), &c.month))
        return ERR_SYNTAX;
    (void)take_char(&r, '-');
    skip_blanks(&r);
    if (!take_number(&r, 2, 4, &c.year, &digits))
        return ERR_SYNTAX;
    c.year = full_year(c.year, digits);
    if (!take_time(&r, &c) || !is_civil(&c) || !take_zone(&r, &zone, &known))
        return ERR_SYNTAX;
    *ret_date = date_of(&c, zone, known);
    return OK;
}

/* The instant as seen in the zone, within what four digits can say. */
static struct civil civil_in_zone(int64_t unix_s, int zone_minutes)
{
    const int64_t first = -2208902400, last = 253402214399; /* 1900-01-02, 9999-12-30 */
    unix_s = unix_s < first ? first : unix_s > last ? last : unix_s;
    return civil_of_unix(unix_s + (int64_t)zone_minutes * 60);
}

static int clamp_zone(int minutes)
{
    return minutes < -1439 ? -1439 : minutes > 1439 ? 1439 : minutes;
}

static void put_zone(struct buf *out, int zone)
{
    int minutes = zone < 0 ? -zone : zone;
    buf_printf(out, "%c%02d%02d", zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void date_put(struct buf *out, int64_t unix_s, int zone_minutes)
{
    int zone = clamp_zone(zone_minutes);
    struct civil c = civil_in_zone(unix_s, zone);
    buf_printf(
        out, "%s, %02d %s %04d %02d:%02d:%02d ", weekdays[c.weekday], c.day, months[c.month - 1], c.year,
        c.hour, c.minute, c.second);
    put_zone(out, zone);
}

void date_put_internal(struct buf *out, int64_t unix_s, int zone_minutes)
{
    int zone = clamp_zone(zone_minutes);
    struct civil c = civil_in_zone(unix_s, zone);
    buf_printf(
        out, "%2d-%s-%04d %02d:%02d:%02d ", c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
    put_zone(out, zone);
}

/* "1-Feb-1994"; a blank or zero may stand before a single digit of the day. */
static bool take_day(struct reader *r, struct civil *c)
{
    size_t digits = 0;
    return take_number(r, 1, 2, &c->day, NULL) && take_char(r, '-') && month_of(take_letters(r), &c->month) &&
           r->s.p[r->at - 4] == '-' && take_char(r, '-') && take_number(r, 4, 4, &c->year, &digits);
}

fallible date_parse_internal(struct slice text, struct mail_date *ret_date)
{
    struct reader r = {.s = text.p ? text : S("")};
    struct civil c = {.year = 0};
    int zone;
    bool known;
    bool blank = take_char(&r, ' ');
    size_t start = r.at;
    if (!take_day(&r, &c) || r.s.p[start + (blank ? 1 : 2)] != '-' || !take_char(&r, ' '))
        return ERR_SYNTAX;
    bool time = take_number(&r, 2, 2, &c.hour, NULL) && take_char(&r, ':') &&
                take_number(&r, 2, 2, &c.minute, NULL) && take_char(&r, ':') &&
                take_number(&r, 2, 2, &c.second, NULL) && take_char(&r, ' ');
    if (!time || r.at >= r.s.n || (r.s.p[r.at] != '+' && r.s.p[r.at] != '-') ||
        !take_offset(&r, &zone, &known))
        return ERR_SYNTAX;
    if (r.at != r.s.n || !is_civil(&c))
        return ERR_SYNTAX;
    *ret_date = date_of(&c, zone, known);
    return OK;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

fallible date_parse_day(struct slice text, int64_t *ret_day)
{
    struct reader r = {.s = text.p ? text : S("")};
    struct civil c = {.year = 0};
    if (!take_day(&r, &c) || r.at != r.s.n || !is_civil(&c))
        return ERR_SYNTAX;
    *ret_day = floor_div(civil_to_unix(&c), 86400);
    return OK;
}

int64_t date_day(int64_t unix_s, int zone_minutes)
{
    return floor_div(unix_s + (int64_t)zone_minutes * 60, 86400);
}

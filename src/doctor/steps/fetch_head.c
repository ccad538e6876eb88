#include "doctor/steps/fetch_head.h"

#include "mail/date.h"

/* RFC 9110 section 5.6.7: the form that everybody sends, and that of RFC 850; mail's dates are both. The zone is always GMT. C's
 * asctime(), the third, is not read: who still sends it has no clock to go by. */
static int64_t time_of(struct slice text)
{
    struct mail_date date;
    if (date_parse(text, &date) != OK || !date.zone_is_known || date.zone != 0 || date.unix_s < 0)
        return 0;
    return date.unix_s;
}

void fetch_head_line(struct fetch_head *h, struct slice line)
{
    static const struct slice name = {"date:", 5};
    line = slice_trim(line);
    if (slice_starts_nocase(line, S("http/")))
        *h = (struct fetch_head){.over = false};
    else if (!line.n)
        h->over = true;
    else if (!h->over && slice_starts_nocase(line, name))
        /* told twice, nobody knows which is meant (section 5.3) */
        h->date_s = h->dates++ ? 0 : time_of(slice_from(line, name.n));
}

/* fetch_head.h - what the header of an answer from the web tells.                     room: doctor/steps   runs in: cli
 *
 * Of all that a web server says there, the doctor itself reads its time alone; status, length and where a redirect leads are
 * libcurl's to read. Fed line by line, in order, with those of interim answers (RFC 9110 section 15.2) and of trailers, as they come.
 * Owns nothing; pure; never fails: what makes no sense is not told.
 */
#ifndef DOCTOR_STEPS_FETCH_HEAD_H
#define DOCTOR_STEPS_FETCH_HEAD_H

#include "base/slice.h"

struct fetch_head {
    bool over;      /* the empty line was there: what follows is no header of this answer */
    unsigned dates; /* so many were told */
    int64_t date_s; /* UTC; 0: none, or none that makes sense */
};
/* One line, with or without its end. The status line of an answer forgets the one before. */
void fetch_head_line(struct fetch_head *h, struct slice line);

#endif

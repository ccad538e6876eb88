/* report.h - the whole examination as one HTML file, to be read, printed and passed on.  room: doctor   runs in: cli
 *
 * Self-contained: the style is in the file, there is no script, no picture from elsewhere and no link; its content security
 * policy allows that one style (by its SHA-256) and nothing else. Light and dark as the reader's system is, and printable.
 *
 * What servers, files and records say is foreign: signs of HTML are escaped, controls and what hides or turns text are shown as
 * \u200B (utf8_put_safe). Nothing of a secret is in an examination, so none is in the report. Borrows all it is given. Never
 * fails; a full buffer shows in buf_check. Limit: LIMIT_DOCTOR_REPORT. Pure.
 */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include "base/buf.h"
#include "doctor/grade.h"
#include "doctor/verdict.h"

struct report {
    const struct examination *examination;
    const struct verdict *verdict;
    const struct grading *grading;
    enum lang lang;
    struct slice when;    /* "2026-11-22 19:59 UTC"; may be empty */
    struct slice program; /* "letterlock 1.0"; may be empty */
};
/* Give it BUF_INIT(LIMIT_DOCTOR_REPORT). */
void report_put(const struct report *r, struct buf *out);
/* Are these the first octets, at most REPORT_HEAD, of a report that was made here? Then a new one may take its place. */
enum { REPORT_HEAD = 512 };
bool report_is_one(struct slice head);

#endif

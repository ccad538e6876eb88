/* portal.h - a page that everybody knows, and what it means when another one comes.   room: doctor/steps   runs in: cli
 *
 * Networks that want a sign-in on the web first (captive portals) answer any plain HTTP request themselves. So a page whose
 * content is known is asked for; RFC 8910 describes portals that would say so, which few do. Pure.
 */
#ifndef DOCTOR_STEPS_PORTAL_H
#define DOCTOR_STEPS_PORTAL_H

#include "base/buf.h"

struct portal_page {
    const char *host, *path;
    unsigned status;
    const char *word; /* that the page holds */
};
enum { PORTAL_PAGES = 3, PORTAL_ANSWER_MAX = 4096 };
extern const struct portal_page portal_pages[PORTAL_PAGES];

enum portal {
    PORTAL_CLEAR,  /* the page came */
    PORTAL_CAUGHT, /* another one */
    PORTAL_UNCLEAR /* neither can be said */
};
void portal_put_request(const struct portal_page *page, struct buf *out);
/* `*ret_proof`: a part of the answer: where it leads, or its first line. */
enum portal portal_read(const struct portal_page *page, struct slice answer, struct slice *ret_proof);

#endif

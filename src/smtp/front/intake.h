/* intake.h - one message as it comes in by DATA or BDAT: what passes on, and the verdict.     room: smtp/front
 *                                                                                            runs in: gate
 * Stacks the machines of smtp/wire/data.h with the header watch and counts. A verdict other than STATUS_OK stays; from then
 * on nothing passes, but the octets are read on to the real end, where the verdict is said once (T-020).
 */
#ifndef SMTP_FRONT_INTAKE_H
#define SMTP_FRONT_INTAKE_H

#include "smtp/front/header_watch.h"
#include "smtp/wire/data.h"

struct smtp_intake {
    struct smtp_data data;
    struct smtp_bdat chunk;
    struct smtp_content content;
    struct header_watch header;
    uint64_t limit; /* octets */
    enum status verdict;
};

void smtp_intake_init(struct smtp_intake *in, uint64_t limit);
/* Judges a piece of content; true when it is to be passed on. */
bool smtp_intake_take(struct smtp_intake *in, struct slice piece);
/* The message is complete. */
enum status smtp_intake_end(struct smtp_intake *in);
/* A verdict that shows disagreement about where lines or messages end: whatever comes behind cannot be trusted. */
bool smtp_intake_is_smuggling(enum status verdict);

#endif

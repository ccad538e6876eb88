/* cause.h - the fixed set of causes, and the other small words of a diagnosis.          room: doctor   runs in: cli
 *
 * A diagnosis says much; a script wants one word. That word is the cause (cause.def). Where a text is said and how sure its
 * meaning is are of fixed sets as well. Pure.
 */
#ifndef DOCTOR_CAUSE_H
#define DOCTOR_CAUSE_H

#include "config/lang.h"

enum cause {
#define CAUSE(id, name, en, zh) CAUSE_##id,
#include "doctor/cause.def"
#undef CAUSE
    CAUSE_N
};
const char *cause_name(enum cause cause); /* "wrong-password" */
const char *cause_words(enum cause cause, enum lang lang);
fallible cause_parse(struct slice name, enum cause *ret_cause); /* ERR_NOT_FOUND */

/* Where the text comes from. */
enum where { WHERE_ANY, WHERE_IMAP, WHERE_POP3, WHERE_SMTP, WHERE_TLS, WHERE_PROGRAM, WHERE_N };
const char *where_name(enum where where);
const char *where_words(enum where where, enum lang lang);
fallible where_parse(struct slice name, enum where *ret_where); /* ERR_NOT_FOUND */

enum sure { SURE_LOW, SURE_MEDIUM, SURE_HIGH, SURE_N };
const char *sure_name(enum sure sure);
const char *sure_words(enum sure sure, enum lang lang);
fallible sure_parse(struct slice name, enum sure *ret_sure); /* ERR_NOT_FOUND */

#endif

/* name_rule.h - which local parts may become somebody's name here, and which look alike.          room: mail   runs in: vault
 *
 * Mail is taken for whatever key an address has (address.h); this is asked only when a name is given to somebody. A name is
 * of one script (or of those that are written together in East Asia, with Latin), made of letters, marks and digits besides
 * ASCII; nothing invisible, nothing that is a variant of another character, digits of one script, few marks on one letter.
 * Names of one script may still look like another one's ("сосо" and "coco"): those have the same skeleton. In the spirit of
 * UTS 39, with a table of letters that are the same shape in common fonts.
 *
 * Pure. All functions take a local part as address_key gives it.
 */
#ifndef MAIL_NAME_RULE_H
#define MAIL_NAME_RULE_H

#include "base/buf.h"

enum name_flaw {
    NAME_FINE,
    NAME_CHARACTER, /* invisible, a sign, or of a script that we do not know */
    NAME_VARIANT,   /* full-width, a ligature, a mathematical letter, ... */
    NAME_SCRIPTS,   /* letters of several scripts */
    NAME_DIGITS,    /* digits of several scripts */
    NAME_MARKS,     /* too many marks on one letter */
    NAME_FLAWS
};
enum name_flaw name_flaw_of(struct slice folded);
/* For people; empty for NAME_FINE. */
const char *name_flaw_text(enum name_flaw flaw);
/* What it looks like: equal for names that people would take for each other. */
void name_skeleton_put(struct slice folded, struct buf *out);

#endif

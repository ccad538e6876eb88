/* address_slips.h - what was meant by a mail address as people type and paste it.        room: doctor   runs in: cli
 *
 * Takes out what can be meant in one way only (a full-width ＠, blanks, invisible signs, "mailto:", a name around it, a comma
 * for a dot), so that the search for servers goes on, and tells which well-known domain may be meant by an unknown one. What is
 * wrong with the single characters of a name is password.h's to tell (name_look); here it is only taken out. Pure.
 */
#ifndef DOCTOR_ADDRESS_SLIPS_H
#define DOCTOR_ADDRESS_SLIPS_H

#include "doctor/examination.h"

struct address_read {
    struct slice address; /* local@domain without slips, the domain canonical; empty: it is none */
    struct slice domain;  /* lower case, A-labels; empty: it is no address, or has an address literal */
    struct slice meant;   /* the well-known domain that may be meant; empty: none */
    enum observed doubt;  /* when `meant` is there: INPUT_DOMAIN_TYPO or INPUT_WRONG_DOMAIN */
};
/* A domain without anybody: only what there is to doubt about it. */
void domain_slips_look(struct slice domain, const struct notes *n, struct address_read *ret_read);
/* Notes the slips of the form; what there is to doubt about the domain the caller notes, when the DNS was asked. Texts are in the
 * arena of the notes. */
void address_slips_look(struct slice typed, struct notes *n, struct address_read *ret_read);
/* A name to sign in with, against what is known of the provider (NULL: nothing) and the address. */
void user_slips_look(
    struct slice user, struct slice address, const struct provider *provider, struct notes *n);
/* One letter too many, one too few, another one, or two in the wrong order (*ret_swapped, may be NULL). Equal is none. */
bool slips_are_one(struct slice a, struct slice b, bool *ret_swapped);
/* Is the label the name of one provider in the whole world, whatever stands behind it ("gmail")? */
bool slips_is_name_of_one(struct slice label);

#endif

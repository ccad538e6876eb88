/* tls_note_parts.h - what the notes on encryption share.                                room: doctor/steps   runs in: cli
 *
 * Private to tls_note*.c: one file each for dates and clock, for who vouches, for what was stapled, for what probes found. Pure.
 */
#ifndef DOCTOR_STEPS_TLS_NOTE_PARTS_H
#define DOCTOR_STEPS_TLS_NOTE_PARTS_H

#include "doctor/steps/tls.h"

enum { TLS_NOTE_SHOWN = 300 /* octets of a foreign text */ };

const struct diagnosis *tls_note_diagnosis(const struct visit *v, const char *id);
/* The library's words on the verdict. */
struct wording tls_note_library(struct visit *v, const struct tls_seen *seen);
/* From when to when it is good, and what this device's clock says. */
struct wording tls_note_validity(struct visit *v, int64_t from_s, int64_t until_s);

/* The verdict is about the dates: certificate or clock? */
void tls_note_dates(struct visit *v, const struct tls_seen *seen, struct told_time told);
/* What would fit another clock is blamed on ours. `proof` is about what seems to be wrong. */
void tls_note_clock(
    struct visit *v, enum tone tone, struct wording proof, const char *else_id, struct told_time told);

/* A product that is known to stand in between, by the names of the issuers; NULL: none. */
const char *tls_note_interceptor_in(const struct tls_seen *seen);
void tls_note_interceptor(struct visit *v, const struct tls_seen *seen, const char *product);
/* Nobody whom this device trusts vouches for it. */
bool tls_note_is_untrusted(const struct tls_seen *seen);
void tls_note_untrusted(struct visit *v, const struct tls_seen *seen);
void tls_note_chain(struct visit *v, const struct tls_seen *seen);

void tls_note_revoked(struct visit *v, const struct tls_seen *seen);
void tls_note_staple(struct visit *v, const struct tls_seen *seen, struct told_time told);

#endif

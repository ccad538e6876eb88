/* tls.h - the step of encryption: which kind is spoken, what it shows, and whether to believe it.  room: doctor/steps   runs in: cli
 *
 * tls_look (visit.h) finds out what a port speaks when nobody said; makes one real handshake, as a mail program does; proves a
 * mistake in the kind of encryption by trying the other kind; and asks, on a bounded number of further connections, what else
 * the server would agree to. All within the wishes' patience, probes within half of it. It sends no secret.
 *
 * Sets endpoint.security, standing.encrypted, standing.private_, and the profile. Below: the parts that speak to nobody.
 */
#ifndef DOCTOR_STEPS_TLS_H
#define DOCTOR_STEPS_TLS_H

#include "doctor/steps/visit.h"

/* Into the profile: session and certificate. The texts must live as long as the notes. */
void tls_profile_fill(struct tls_profile *profile, const struct tls_seen *seen);
/* What time it is as somebody else says. */
struct told_time {
    int64_t unix_s; /* 0: nobody says */
    bool proved;    /* by a certificate that is good */
};
/* Notes on session and certificate. */
void tls_note_seen(struct visit *v, const struct tls_seen *seen, struct told_time told);
/* Do the dates of the certificate, or of what is stapled to it, look wrong, so that another clock would help? */
bool tls_dates_doubtful(const struct tls_seen *seen);
/* Notes on what the probes found; `works`: a handshake was made. */
void tls_note_probes(struct visit *v, bool works);

#endif

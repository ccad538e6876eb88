/* interceptor.h - programs and devices that open encrypted connections, by the names that they issue certificates under.
 *                                                                                       room: doctor   runs in: cli
 *
 * A table of issuer names: antivirus, company proxies, tools for looking into one's own traffic. Pure. Never fails.
 */
#ifndef DOCTOR_INTERCEPTOR_H
#define DOCTOR_INTERCEPTOR_H

#include <stddef.h>

#include "base/slice.h"

/* The product whose certificate this is, by common name or organisation of the issuer: "Kaspersky"; NULL: none that is known. */
const char *interceptor_of(struct slice issuer);
/* All rows: for tests. */
size_t interceptor_count(void);

#endif

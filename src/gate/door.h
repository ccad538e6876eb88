/* door.h - the doors: which protocol stands behind a listener, and under which rules.      room: gate   runs in: gate
 *
 * One row a door of the configuration. Everything that differs between doors is a column here; a front asks the row and
 * has no list of its own.
 */
#ifndef GATE_DOOR_H
#define GATE_DOOR_H

#include "config/config.h"
#include "ipc/messages.h"
#include "tls/certificates.h"

enum gate_protocol { GATE_SMTP, GATE_IMAP, GATE_POP3, GATE_PROTOCOLS };

struct door_row {
    const char *name; /* as in the configuration: "imaps" */
    enum config_door door;
    enum gate_protocol protocol;
    enum ipc_service service;
    enum ipc_tls_mode tls_mode;
    bool needs_signin; /* within CONFIG_TIMEOUT_SIGNIN */
};

const struct door_row *door_row(enum config_door door);
/* The door of a listener's message; NULL when there is none like it. */
const struct door_row *door_find(enum ipc_service service, enum ipc_tls_mode mode);
/* For tls_set_new: a ticket is good for one door only; a kind's number is its enum config_door. */
const struct tls_kind *door_tls_kinds(unsigned *ret_count);

#endif

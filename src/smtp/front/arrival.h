/* arrival.h - the gate's end of an arriving message: the envelope and the octets on their way to a keeper.
 *                                                                                   room: smtp/front   runs in: gate
 * The envelope travels as messages, the octets through a socket pair in pieces: u32 length, little-endian, then as many
 * octets; length 0 says that the message is complete. A stream that ends without it is an aborted message, so that a gate
 * that dies half-way stores nothing (T-022, T-042). What is said of the fate of a message comes from arrive_result alone.
 *
 * Owns:   our end of the pair. Limits: ARRIVAL_HIGH octets wait in the gate; then arrival_is_full.
 */
#ifndef SMTP_FRONT_ARRIVAL_H
#define SMTP_FRONT_ARRIVAL_H

#include "gate/gate.h"
#include "mail/status.h"
#include "smtp/front/envelope.h"

enum { ARRIVAL_HIGH = 131072 };

struct arrival;
struct arrival_events {
    /* Octets have left after arrival_is_full. Never from within arrival_put. */
    void (*room)(struct arrival *a);
    /* STATUS_STORED or why not; `id` is what the log and the sender may know the message by. Never from within arrival_end. */
    void (*stored)(struct arrival *a, enum status verdict, struct slice id);
};

struct arrival {
    struct gate *gate;
    const struct arrival_events *events;
    void *owner;
    struct stream *octets; /* NULL: no message, or the keeper closed it */
    uint64_t id;           /* 0: no message */
    uint8_t slot;          /* of the coordinating keeper */
    struct channel *asked;
    uint64_t request;
    struct task late;
};

void arrival_init(struct arrival *a, struct gate *gate, const struct arrival_events *events, void *owner);
/* Cancels what is not complete; what is complete goes on without us. */
void arrival_done(struct arrival *a);

struct arrival_facts {
    uint64_t session; /* of the sign-in on the submission door; 0 on the MX door */
    enum ipc_service service;
    uint8_t slot; /* whose keeper coordinates */
    struct ip client;
    struct slice trace; /* the Received field */
};
/* STATUS_OK, or STATUS_UNAVAILABLE. */
enum status
arrival_begin(struct arrival *a, const struct arrival_facts *facts, const struct smtp_envelope *envelope);
void arrival_put(struct arrival *a, struct slice octets);
bool arrival_is_full(const struct arrival *a);
void arrival_end(struct arrival *a);
void arrival_drop(struct arrival *a);

#endif

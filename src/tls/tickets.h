/* tickets.h - the keys of session tickets: two, the older only for reading.            room: tls   runs in: gate */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "tls/openssl.h"

struct tls_ticket_key {
    uint8_t name[16];
    uint8_t cipher[32];
    uint8_t mac[32];
    int64_t born_s; /* 0: none */
};
struct tls_tickets {
    struct tls_ticket_key current, former;
};
/* Wipes. */
void tls_tickets_done(struct tls_tickets *t);
/* Makes `ctx` use the keys of the session's kind. */
void tls_tickets_install(SSL_CTX *ctx);

#endif

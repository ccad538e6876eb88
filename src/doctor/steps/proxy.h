/* proxy.h - through a SOCKS5 proxy (RFC 1928) to the server.                          room: doctor/steps   runs in: cli */
#ifndef DOCTOR_STEPS_PROXY_H
#define DOCTOR_STEPS_PROXY_H

#include "doctor/steps/visit.h"

/* How far it went, for the network step's note. */
enum proxy_trouble {
    PROXY_FINE,
    PROXY_NO_NAME,    /* the proxy's own name has no address */
    PROXY_UNREACHED,  /* nothing answers there */
    PROXY_NOT_SOCKS,  /* something else answers: `said` */
    PROXY_WANTS_AUTH, /* a user name, which we do not give */
    PROXY_REFUSES,    /* the code of RFC 1928 section 6 is `code` */
    PROXY_SILENT
};
struct proxy_outcome {
    enum proxy_trouble trouble;
    unsigned code;
    char said[64];
    size_t said_n;
};

/* A connection to the visit's endpoint by name; the descriptor is the caller's. The same errors as connect_wait. */
fallible proxy_connect(const struct visit *v, uint64_t until_ms, int *ret_fd);
/* The same, telling what happened. */
fallible proxy_try(const struct visit *v, uint64_t until_ms, int *ret_fd, struct proxy_outcome *ret_outcome);

#endif

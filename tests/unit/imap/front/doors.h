/* doors.h - what the tests of IMAP before sign-in share: a gate that speaks it, and clients at its two doors. */
#ifndef UNIT_IMAP_FRONT_DOORS_H
#define UNIT_IMAP_FRONT_DOORS_H

#include "gate_world.h"

#include "imap/front/front.h"

#define CAPS_TLS                                                                                             \
    "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN] mx.test is ready\r\n"
#define CAPS_CLEAR                                                                                           \
    "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE STARTTLS LOGINDISABLED] mx.test is "         \
    "ready\r\n"

static inline int imap_start(void **state)
{
    *state = world_new(&imap_front);
    return 0;
}
#define IMAP_TEST(name) cmocka_unit_test_setup_teardown(name, imap_start, world_end)

static inline struct client *imaps(struct world *w)
{
    struct client *c = client_open(w, DOOR_IMAPS, PEER);
    client_expect(c, CAPS_TLS);
    return c;
}

static inline struct client *imap(struct world *w)
{
    struct client *c = client_open(w, DOOR_IMAP, PEER);
    client_expect(c, CAPS_CLEAR);
    return c;
}

#endif

/* POP3 before sign-in, in every state: see front_harness.h. */
#include "pop3/front/front.h"

#define FUZZ_FRONT pop3_front
#define FUZZ_DOOR DOOR_POP3
#define FUZZ_DOOR_TLS DOOR_POP3S
#include "front_harness.h"

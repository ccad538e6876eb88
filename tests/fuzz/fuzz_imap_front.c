/* IMAP before sign-in, in every state: see front_harness.h. */
#include "imap/front/front.h"

#define FUZZ_FRONT imap_front
#define FUZZ_DOOR DOOR_IMAP
#define FUZZ_DOOR_TLS DOOR_IMAPS
#include "front_harness.h"

/* fuzz_sasl_external - EXTERNAL: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "EXTERNAL"
#include "sasl_harness.h"

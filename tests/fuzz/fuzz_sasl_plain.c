/* fuzz_sasl_plain - PLAIN: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "PLAIN"
#include "sasl_harness.h"

/* fuzz_sasl_scram - SCRAM-SHA-256 and SCRAM-SHA-256-PLUS: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "SCRAM-SHA-256"
#define FUZZ_PLUS "SCRAM-SHA-256-PLUS"
#include "sasl_harness.h"

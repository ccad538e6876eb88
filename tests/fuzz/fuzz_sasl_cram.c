/* fuzz_sasl_cram - CRAM-MD5: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "CRAM-MD5"
#include "sasl_harness.h"

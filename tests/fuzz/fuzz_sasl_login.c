/* fuzz_sasl_login - LOGIN: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "LOGIN"
#include "sasl_harness.h"

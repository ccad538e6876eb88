/* fuzz_sasl_oauthbearer - OAUTHBEARER: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "OAUTHBEARER"
#include "sasl_harness.h"

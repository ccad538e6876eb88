/* fuzz_sasl_xoauth2 - XOAUTH2: any client against our server, any server against our client. */
#define FUZZ_MECHANISM "XOAUTH2"
#include "sasl_harness.h"

/* The doctor's SMTP dialogue with a server that says anything. */
#include "doctor_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return doctor_fuzz(SERVICE_SMTP, data, n);
}

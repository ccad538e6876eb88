#include "crypto/sha1.h"

#include "base/log.h"
#include "crypto/evp.h"

void sha1(struct slice data, uint8_t out[SHA1_LEN])
{
    size_t n = 0;
    if (!EVP_Q_digest(NULL, "SHA1", NULL, data.n ? data.p : "", data.n, out, &n) || n != SHA1_LEN)
        log_fatal("libcrypto does not hash");
}

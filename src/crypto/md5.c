#include "crypto/md5.h"

#include "base/log.h"
#include "crypto/evp.h"

void hmac_md5(struct slice key, struct slice data, uint8_t out[MD5_LEN])
{
    size_t n = 0;
    if (!EVP_Q_mac(
            NULL, "HMAC", NULL, "MD5", NULL, key.n ? key.p : "", key.n, (const unsigned char *)data.p, data.n,
            out, MD5_LEN, &n) ||
        n != MD5_LEN)
        log_fatal("libcrypto does not hash");
}

#include "tls/tickets.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "tls/private.h"

void tls_tickets_done(struct tls_tickets *t)
{
    OPENSSL_cleanse(t, sizeof *t);
}

/* A new key when there is none or the present one is old; false when there is no randomness. */
static bool renew(struct tls_tickets *t)
{
    int64_t now = clock_unix_s();
    int64_t age = now - t->current.born_s;
    if (t->current.born_s && age >= 0 && age < LIMIT_TICKET_KEY_LIFE)
        return true;
    struct tls_ticket_key key = {.born_s = now};
    if (RAND_bytes(key.name, sizeof key.name) != 1 || RAND_bytes(key.cipher, sizeof key.cipher) != 1 ||
        RAND_bytes(key.mac, sizeof key.mac) != 1)
        return false;
    /* A former key is good as long again, and no longer. */
    if (t->current.born_s && age >= 0 && age < 2 * LIMIT_TICKET_KEY_LIFE)
        t->former = t->current;
    else
        OPENSSL_cleanse(&t->former, sizeof t->former);
    t->current = key;
    OPENSSL_cleanse(&key, sizeof key);
    return true;
}

static bool
use(const struct tls_ticket_key *key, const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
    int encrypt)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, encrypt) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 use, 2 use and renew the ticket, 0 no such key, -1 failure. */
static int on_ticket(
    SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int encrypt)
{
    const struct tls_hello *hello = SSL_get_app_data(ssl);
    struct tls_tickets *t = tls_set_tickets(hello->set, hello->kind);
    if (!renew(t))
        return -1;
    if (encrypt && hello->shows_certificate)
        return 0; /* none for this one */
    if (encrypt) {
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
            return -1;
        memcpy(name, t->current.name, sizeof t->current.name);
        return use(&t->current, iv, cipher, mac, 1) ? 1 : -1;
    }
    if (memcmp(name, t->current.name, sizeof t->current.name) == 0)
        return use(&t->current, iv, cipher, mac, 0) ? 1 : -1;
    if (t->former.born_s && memcmp(name, t->former.name, sizeof t->former.name) == 0)
        return use(&t->former, iv, cipher, mac, 0) ? 2 : -1;
    return 0;
}

void tls_tickets_install(SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

/* What a client's hello says of the program behind it: which suites, extensions, groups and signatures it knows. Two programs
 * on the same library may look alike, and a program may lie; for its owner it is one more hint which device it was. */
#include <stdlib.h>

#include "tls/private.h"

/* GREASE (RFC 8701) is there to be different each time. */
static bool is_grease(unsigned value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* What depends on the server, the session or the length of the rest, not on the program: server_name, ALPN, padding,
 * pre_shared_key, early_data, cookie. */
static bool is_passing(int type)
{
    static const int types[] = {0, 16, 21, 41, 42, 44};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (type == types[i])
            return true;
    return is_grease((unsigned)type);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void add_number(EVP_MD_CTX *md, unsigned value)
{
    const unsigned char octets[2] = {(unsigned char)(value >> 8), (unsigned char)value};
    EVP_DigestUpdate(md, octets, sizeof octets);
}

static void add_list(EVP_MD_CTX *md, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        unsigned value = (unsigned)p[i] << 8 | p[i + 1];
        if (!is_grease(value))
            add_number(md, value);
    }
    add_number(md, 0);
}

/* In the order of their numbers: programs shuffle them. */
static void add_extensions(EVP_MD_CTX *md, SSL *ssl)
{
    int *types = NULL;
    size_t n = 0;
    if (SSL_client_hello_get1_extensions_present(ssl, &types, &n) != 1)
        return;
    if (n)
        qsort(types, n, sizeof *types, by_number);
    for (size_t i = 0; i < n; i++)
        if (!is_passing(types[i]))
            add_number(md, (unsigned)types[i]);
    OPENSSL_free(types);
}

static void add_contents(EVP_MD_CTX *md, SSL *ssl, unsigned type)
{
    const unsigned char *p;
    size_t n;
    if (SSL_client_hello_get0_ext(ssl, type, &p, &n) == 1 && n >= 2)
        add_list(md, p + 2, n - 2);
}

void tls_hello_keep_fingerprint(SSL *ssl, struct tls_hello *hello)
{
    const unsigned char *suites = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1) {
        size_t n = SSL_client_hello_get0_ciphers(ssl, &suites);
        add_number(md, SSL_client_hello_get0_legacy_version(ssl));
        add_list(md, suites, n);
        add_extensions(md, ssl);
        add_contents(md, ssl, TLSEXT_TYPE_supported_groups);
        add_contents(md, ssl, TLSEXT_TYPE_signature_algorithms);
        if (EVP_DigestFinal_ex(md, digest, NULL) == 1)
            memcpy(hello->fingerprint, digest, sizeof hello->fingerprint);
    }
    EVP_MD_CTX_free(md);
}

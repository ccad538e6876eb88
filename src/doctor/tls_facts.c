#include "doctor/tls_facts.h"

#include <stddef.h>

struct bit_name {
    unsigned bit;
    const char *name;
};

static void put_bits(struct buf *out, unsigned bits, const struct bit_name *rows, size_t n)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (!(bits & rows[i].bit))
            continue;
        buf_printf(out, "%s%s", first ? "" : ", ", rows[i].name);
        first = false;
    }
}

void tls_put_versions(unsigned bits, struct buf *out)
{
    static const struct bit_name rows[] = {
        {TLS_HAS_TLS13, "TLS 1.3"}, {TLS_HAS_TLS12, "TLS 1.2"}, {TLS_HAS_TLS11, "TLS 1.1"},
        {TLS_HAS_TLS10, "TLS 1.0"}, {TLS_HAS_SSL30, "SSL 3.0"},
    };
    put_bits(out, bits, rows, sizeof rows / sizeof *rows);
}

void tls_put_groups(unsigned bits, struct buf *out)
{
    static const struct bit_name rows[] = {
        {TLS_GROUP_HYBRID, "X25519MLKEM768"},
        {TLS_GROUP_X25519, "X25519"},
        {TLS_GROUP_P256, "P-256"},
        {TLS_GROUP_P384, "P-384"},
        {TLS_GROUP_P521, "P-521"},
        {TLS_GROUP_FFDHE, "FFDHE"},
    };
    put_bits(out, bits, rows, sizeof rows / sizeof *rows);
}

void tls_put_weak(unsigned bits, struct buf *out)
{
    static const struct bit_name rows[] = {
        {TLS_WEAK_NULL, "NULL"}, {TLS_WEAK_ANONYMOUS, "anonymous"},   {TLS_WEAK_EXPORT, "EXPORT/DES"},
        {TLS_WEAK_RC4, "RC4"},   {TLS_WEAK_TRIPLE_DES, "3DES"},       {TLS_WEAK_STATIC, "RSA key exchange"},
        {TLS_WEAK_CBC, "CBC"},   {TLS_WEAK_SMALL_GROUP, "DH < 2048"},
    };
    put_bits(out, bits, rows, sizeof rows / sizeof *rows);
}

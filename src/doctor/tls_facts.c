#include "doctor/tls_facts.h"

#include <stddef.h>

struct bit_name {
    unsigned bit;
    const char *name;
    const char *zh; /* NULL: a name that is the same in every language */
};

static void put_bits(struct buf *out, unsigned bits, enum lang lang, const struct bit_name *rows, size_t n)
{
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (!(bits & rows[i].bit))
            continue;
        buf_put_str(out, first ? "" : ", ");
        buf_put_str(out, lang == LANG_ZH && rows[i].zh ? rows[i].zh : rows[i].name);
        first = false;
    }
}

void tls_put_versions(unsigned bits, enum lang lang, struct buf *out)
{
    static const struct bit_name rows[] = {
        {TLS_HAS_TLS13, "TLS 1.3", NULL}, {TLS_HAS_TLS12, "TLS 1.2", NULL}, {TLS_HAS_TLS11, "TLS 1.1", NULL},
        {TLS_HAS_TLS10, "TLS 1.0", NULL}, {TLS_HAS_SSL30, "SSL 3.0", NULL},
    };
    put_bits(out, bits, lang, rows, sizeof rows / sizeof *rows);
}

void tls_put_groups(unsigned bits, enum lang lang, struct buf *out)
{
    static const struct bit_name rows[] = {
        {TLS_GROUP_HYBRID, "X25519MLKEM768", NULL},
        {TLS_GROUP_X25519, "X25519", NULL},
        {TLS_GROUP_P256, "P-256", NULL},
        {TLS_GROUP_P384, "P-384", NULL},
        {TLS_GROUP_P521, "P-521", NULL},
        {TLS_GROUP_FFDHE, "FFDHE", NULL},
    };
    put_bits(out, bits, lang, rows, sizeof rows / sizeof *rows);
}

void tls_put_weak(unsigned bits, enum lang lang, struct buf *out)
{
    static const struct bit_name rows[] = {
        {TLS_WEAK_NULL, "NULL", NULL},         {TLS_WEAK_ANONYMOUS, "anonymous", "匿名"},
        {TLS_WEAK_EXPORT, "EXPORT/DES", NULL}, {TLS_WEAK_RC4, "RC4", NULL},
        {TLS_WEAK_TRIPLE_DES, "3DES", NULL},   {TLS_WEAK_STATIC, "RSA key exchange", "RSA 密钥交换"},
        {TLS_WEAK_CBC, "CBC", NULL},           {TLS_WEAK_SMALL_GROUP, "DH < 2048", NULL},
    };
    put_bits(out, bits, lang, rows, sizeof rows / sizeof *rows);
}

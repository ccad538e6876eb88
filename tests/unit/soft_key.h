/* soft_key.h - a security key in software, for tests: makes client data, attestations and assertions as a browser and a key
 * would, and anything a test wants to be wrong about them. Keys of the three algorithms come from OpenSSL. */
#ifndef UNIT_SOFT_KEY_H
#define UNIT_SOFT_KEY_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#undef ERR_STATE

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/random.h"
#include "crypto/sha256.h"

enum { SOFT_ES256 = -7, SOFT_EDDSA = -8, SOFT_RS256 = -257 };
enum { SOFT_UP = 1, SOFT_UV = 4, SOFT_BE = 8, SOFT_BS = 16, SOFT_AT = 64, SOFT_ED = 128 };
enum { SOFT_ID = 32, SOFT_MOST = 65536 };

struct soft_key {
    int algorithm;
    EVP_PKEY *pkey;
    uint8_t id[SOFT_ID];
    uint32_t counter;
};

/* ---- CBOR ---- */

static inline void soft_head(struct buf *b, unsigned major, uint64_t n)
{
    unsigned extra = n < 24 ? 0 : n < 256 ? 1 : n < 65536 ? 2 : n <= UINT32_MAX ? 4 : 8;
    unsigned small = extra == 0 ? (unsigned)n : extra == 1 ? 24 : extra == 2 ? 25 : extra == 4 ? 26 : 27;
    buf_put_char(b, (char)(major << 5 | small));
    for (unsigned i = extra; i--;)
        buf_put_char(b, (char)(n >> (8 * i)));
}
static inline void soft_int(struct buf *b, int64_t n)
{
    soft_head(b, n < 0, n < 0 ? (uint64_t)(-1 - n) : (uint64_t)n);
}
static inline void soft_bytes(struct buf *b, struct slice s)
{
    soft_head(b, 2, s.n);
    buf_put(b, s);
}
static inline void soft_text(struct buf *b, struct slice s)
{
    soft_head(b, 3, s.n);
    buf_put(b, s);
}

/* ---- keys ---- */

static inline struct soft_key soft_key_new(int algorithm)
{
    struct soft_key k = {.algorithm = algorithm, .counter = 1};
    k.pkey = algorithm == SOFT_ES256   ? EVP_EC_gen("P-256")
             : algorithm == SOFT_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                                       : EVP_RSA_gen(2048);
    assert(k.pkey);
    random_bytes(k.id, sizeof k.id);
    return k;
}
static inline void soft_key_free(struct soft_key *k)
{
    EVP_PKEY_free(k->pkey);
    k->pkey = NULL;
}

static inline void soft_number(const EVP_PKEY *pkey, const char *name, size_t n, uint8_t *out)
{
    BIGNUM *number = NULL;
    int got = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 && BN_bn2binpad(number, out, (int)n) == (int)n;
    assert(got);
    (void)got;
    BN_free(number);
}

static inline void soft_cose_ec(struct buf *b, const uint8_t x[32], const uint8_t y[32])
{
    soft_head(b, 5, 5);
    soft_int(b, 1), soft_int(b, 2);
    soft_int(b, 3), soft_int(b, SOFT_ES256);
    soft_int(b, -1), soft_int(b, 1);
    soft_int(b, -2), soft_bytes(b, slice_of(x, 32));
    soft_int(b, -3), soft_bytes(b, slice_of(y, 32));
}
static inline void soft_cose_ed(struct buf *b, const uint8_t x[32])
{
    soft_head(b, 5, 4);
    soft_int(b, 1), soft_int(b, 1);
    soft_int(b, 3), soft_int(b, SOFT_EDDSA);
    soft_int(b, -1), soft_int(b, 6);
    soft_int(b, -2), soft_bytes(b, slice_of(x, 32));
}
static inline void soft_cose_rsa(struct buf *b, const uint8_t n[256], const uint8_t *e, size_t e_n)
{
    soft_head(b, 5, 4);
    soft_int(b, 1), soft_int(b, 3);
    soft_int(b, 3), soft_int(b, SOFT_RS256);
    soft_int(b, -1), soft_bytes(b, slice_of(n, 256));
    soft_int(b, -2), soft_bytes(b, slice_of(e, e_n));
}
static inline void soft_cose(const struct soft_key *k, struct buf *b)
{
    uint8_t x[256], y[32];
    size_t n = sizeof x;
    if (k->algorithm == SOFT_ES256) {
        soft_number(k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32, x);
        soft_number(k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32, y);
        soft_cose_ec(b, x, y);
    } else if (k->algorithm == SOFT_EDDSA) {
        int got = EVP_PKEY_get_raw_public_key(k->pkey, x, &n);
        assert(got == 1 && n == 32);
        (void)got;
        soft_cose_ed(b, x);
    } else {
        soft_number(k->pkey, OSSL_PKEY_PARAM_RSA_N, 256, x);
        soft_cose_rsa(b, x, (const uint8_t *)"\x01\x00\x01", 3);
    }
}

static inline void soft_sign(const struct soft_key *k, struct slice data, struct buf *out)
{
    size_t n = 512;
    uint8_t sig[512];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = k->algorithm == SOFT_EDDSA ? NULL : EVP_sha256();
    int got = EVP_DigestSignInit(ctx, NULL, md, NULL, k->pkey) == 1 &&
              EVP_DigestSign(ctx, sig, &n, (const unsigned char *)data.p, data.n) == 1;
    assert(got);
    (void)got;
    EVP_MD_CTX_free(ctx);
    buf_put(out, slice_of(sig, n));
}

/* ---- what a browser and a key say ---- */

static inline void soft_base64url(struct buf *out, struct slice data)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned held = 0, bits = 0;
    for (size_t i = 0; i < data.n; i++) {
        held = (held << 8 | (unsigned char)data.p[i]) & 0xffff;
        for (bits += 8; bits >= 6; bits -= 6)
            buf_put_char(out, digits[held >> (bits - 6) & 63]);
    }
    if (bits)
        buf_put_char(out, digits[held << (6 - bits) & 63]);
}

/* `more`: further members, ",\"crossOrigin\":false", or "". */
static inline void soft_client_data(
    struct buf *out, const char *type, struct slice challenge, const char *origin, const char *more)
{
    buf_printf(out, "{\"type\":\"%s\",\"challenge\":\"", type);
    soft_base64url(out, challenge);
    buf_printf(out, "\",\"origin\":\"%s\"%s}", origin, more);
}

/* `cose` NULL: without attested credential. `tail`: encoded extensions, or whatever. */
static inline void soft_authenticator_data(
    const struct soft_key *k, const char *rp_id, unsigned flags, const struct buf *cose, struct slice tail,
    struct buf *out)
{
    uint8_t hash[SHA256_LEN];
    sha256_of(slice_str(rp_id), hash);
    buf_put(out, slice_of(hash, sizeof hash));
    buf_put_char(out, (char)flags);
    for (int i = 3; i >= 0; i--)
        buf_put_char(out, (char)(k->counter >> (8 * i)));
    if (cose) {
        for (int i = 0; i < 16; i++)
            buf_put_char(out, 0);
        buf_put_char(out, 0);
        buf_put_char(out, SOFT_ID);
        buf_put(out, slice_of(k->id, SOFT_ID));
        buf_put(out, buf_slice(cose));
    }
    buf_put(out, tail);
}

static inline void soft_signed_data(struct slice data, struct slice client_data, struct buf *out)
{
    uint8_t hash[SHA256_LEN];
    sha256_of(client_data, hash);
    buf_put(out, data);
    buf_put(out, slice_of(hash, sizeof hash));
}

/* `format` "none" or "packed" (signed by the key itself). */
static inline void soft_attestation(
    const struct soft_key *k, const char *format, struct slice data, struct slice client_data,
    struct buf *out)
{
    soft_head(out, 5, 3);
    soft_text(out, S("fmt")), soft_text(out, slice_str(format));
    soft_text(out, S("attStmt"));
    if (strcmp(format, "packed") == 0) {
        struct buf to_sign CLEANUP_BUF = BUF_INIT(SOFT_MOST), sig CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        soft_signed_data(data, client_data, &to_sign);
        soft_sign(k, buf_slice(&to_sign), &sig);
        soft_head(out, 5, 2);
        soft_text(out, S("alg")), soft_int(out, k->algorithm);
        soft_text(out, S("sig")), soft_bytes(out, buf_slice(&sig));
    } else {
        soft_head(out, 5, 0);
    }
    soft_text(out, S("authData")), soft_bytes(out, data);
}

/* The usual registration and assertion. */
static inline void soft_register(
    const struct soft_key *k, const char *rp_id, unsigned flags, const char *format, struct slice client_data,
    struct buf *out)
{
    struct buf cose CLEANUP_BUF = BUF_INIT(SOFT_MOST), data CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    soft_cose(k, &cose);
    soft_authenticator_data(k, rp_id, flags | SOFT_AT, &cose, SLICE_EMPTY, &data);
    soft_attestation(k, format, buf_slice(&data), client_data, out);
}
static inline void soft_assert(
    const struct soft_key *k, const char *rp_id, unsigned flags, struct slice client_data, struct buf *data,
    struct buf *sig)
{
    struct buf to_sign CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    soft_authenticator_data(k, rp_id, flags, NULL, SLICE_EMPTY, data);
    soft_signed_data(buf_slice(data), client_data, &to_sign);
    soft_sign(k, buf_slice(&to_sign), sig);
}

#endif

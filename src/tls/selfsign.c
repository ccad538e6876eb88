#include "tls/selfsign.h"

#include "base/ip.h"
#include "base/mem.h"
#include "tls/openssl.h"

enum { PEM_MAX = 65536, DAY_S = 86400, AUTHORITY_DAYS_MAX = 7300 };

static void key_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}
static void cert_free(X509 **cert)
{
    X509_free(*cert);
}
static void bio_free(BIO **bio)
{
    BIO_free(*bio);
}
#define CLEANUP_KEY __attribute__((cleanup(key_free)))
#define CLEANUP_CERT __attribute__((cleanup(cert_free)))
#define CLEANUP_BIO __attribute__((cleanup(bio_free)))

/* A PEM writer's result, moved to the buffer; its memory is wiped, for it may be a key. */
static fallible bio_take(BIO *bio, struct buf *out)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    if (n <= 0)
        return ERR_IO;
    buf_put(out, slice_of(p, (size_t)n));
    OPENSSL_cleanse(p, (size_t)n);
    return buf_check(out);
}

static fallible put_cert(X509 *cert, struct buf *out)
{
    BIO *bio CLEANUP_BIO = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_X509(bio, cert) != 1)
        return ERR_IO;
    return bio_take(bio, out);
}

static fallible put_key(EVP_PKEY *key, struct buf *out)
{
    BIO *bio CLEANUP_BIO = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return ERR_IO;
    return bio_take(bio, out);
}

/* What both certificates have: version 3, a random serial of 127 bits (CA/Browser baseline 7.1), times, the key. */
static fallible cert_start(X509 *cert, EVP_PKEY *key, int64_t now_s, unsigned days)
{
    unsigned char serial[16];
    if (RAND_bytes(serial, sizeof serial) != 1)
        return ERR_IO;
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    good = good && X509_set_version(cert, X509_VERSION_3) == 1;
    good = good && ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now_s - DAY_S)) != NULL;
    good = good && ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now_s + (int64_t)days * DAY_S)) != NULL;
    good = good && X509_set_pubkey(cert, key) == 1;
    return good ? OK : ERR_IO;
}

/* RFC 5280 upper bound of a common name: 64 characters. */
static fallible name_add(X509_NAME *name, struct slice text)
{
    if (text.n > 64)
        text.n = 64;
    return X509_NAME_add_entry_by_txt(
               name, "CN", MBSTRING_UTF8, (const unsigned char *)text.p, (int)text.n, -1, 0) == 1
               ? OK
               : ERR_IO;
}

static fallible extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool good = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good ? OK : ERR_IO;
}

/* Letters, digits, hyphens, dots: the value language of extensions has commas and colons of its own. */
static bool is_dns_name(struct slice name)
{
    if (name.n == 0 || name.n > 253)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) && name.p[i] != '-' && name.p[i] != '.')
            return false;
    return true;
}

/* "DNS:mail.example.org,IP:192.0.2.1"; with a prefix and full masks for name constraints. */
static fallible names_put(const struct selfsign_order *order, bool constraints, struct buf *out)
{
    for (size_t i = 0; i < order->name_count; i++) {
        struct ip ip;
        bool address = ip_parse(order->names[i], &ip) == OK;
        if (!address && !is_dns_name(order->names[i]))
            return ERR_SYNTAX;
        buf_printf(out, "%s%s%s:", i ? "," : "", constraints ? "permitted;" : "", address ? "IP" : "DNS");
        if (address) {
            char text[IP_TEXT_MAX];
            buf_put_str(out, ip_text(&ip, text));
            if (constraints)
                buf_put_str(
                    out, ip_is_v4(&ip) ? "/255.255.255.255" : "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        } else {
            buf_put(out, order->names[i]);
        }
    }
    return buf_check(out);
}

static fallible authority_make(const struct selfsign_order *order, EVP_PKEY *key, X509 *cert)
{
    struct buf limits CLEANUP_BUF = BUF_INIT(16384);
    X509_NAME *name = X509_get_subject_name(cert);
    TRY(names_put(order, true, &limits));
    TRY(cert_start(cert, key, order->now_s, order->authority_days));
    TRY(name_add(name, order->title));
    if (X509_set_issuer_name(cert, name) != 1)
        return ERR_IO;
    TRY(extension_add(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
    TRY(extension_add(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign"));
    TRY(extension_add(cert, cert, NID_subject_key_identifier, "hash"));
    TRY(extension_add(cert, cert, NID_name_constraints, buf_cstr(&limits)));
    return X509_sign(cert, key, EVP_sha256()) > 0 ? OK : ERR_IO;
}

static fallible server_make(
    const struct selfsign_order *order, EVP_PKEY *key, X509 *authority, EVP_PKEY *authority_key, X509 *cert)
{
    struct buf names CLEANUP_BUF = BUF_INIT(16384);
    TRY(names_put(order, false, &names));
    TRY(cert_start(cert, key, order->now_s, order->server_days));
    TRY(name_add(X509_get_subject_name(cert), order->names[0]));
    if (X509_set_issuer_name(cert, X509_get_subject_name(authority)) != 1)
        return ERR_IO;
    TRY(extension_add(cert, authority, NID_basic_constraints, "critical,CA:FALSE"));
    TRY(extension_add(cert, authority, NID_key_usage, "critical,digitalSignature"));
    TRY(extension_add(cert, authority, NID_ext_key_usage, "serverAuth"));
    TRY(extension_add(cert, authority, NID_subject_key_identifier, "hash"));
    TRY(extension_add(cert, authority, NID_authority_key_identifier, "keyid"));
    TRY(extension_add(cert, authority, NID_subject_alt_name, buf_cstr(&names)));
    return X509_sign(cert, authority_key, EVP_sha256()) > 0 ? OK : ERR_IO;
}

static fallible order_check(const struct selfsign_order *order)
{
    if (order->name_count == 0 || order->title.n == 0)
        return ERR_SYNTAX;
    if (order->name_count > SELFSIGN_NAMES_MAX || order->authority_days > AUTHORITY_DAYS_MAX ||
        order->server_days > order->authority_days)
        return ERR_LIMIT;
    return OK;
}

fallible selfsign_make(const struct selfsign_order *order, struct selfsign *ret_made)
{
    TRY(order_check(order));
    EVP_PKEY *authority_key CLEANUP_KEY = EVP_EC_gen("P-256"), *key CLEANUP_KEY = EVP_EC_gen("P-256");
    X509 *authority CLEANUP_CERT = X509_new(), *cert CLEANUP_CERT = X509_new();
    if (!authority_key || !key || !authority || !cert)
        return ERR_IO;
    TRY(authority_make(order, authority_key, authority));
    TRY(server_make(order, key, authority, authority_key, cert));
    struct selfsign made __attribute__((cleanup(selfsign_done))) = {
        BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX), BUF_INIT(PEM_MAX), {0}};
    TRY(put_cert(authority, &made.authority));
    TRY(put_key(authority_key, &made.authority_key));
    TRY(put_cert(cert, &made.chain));
    TRY(put_cert(authority, &made.chain));
    TRY(put_key(key, &made.key));
    if (X509_digest(authority, EVP_sha256(), made.fingerprint, NULL) != 1)
        return ERR_IO;
    *ret_made = TAKE(made, (struct selfsign){0});
    return OK;
}

void selfsign_done(struct selfsign *made)
{
    buf_wipe(&made->authority);
    buf_wipe(&made->authority_key);
    buf_wipe(&made->chain);
    buf_wipe(&made->key);
}

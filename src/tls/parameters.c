/* The parameters of all contexts, and the two choices a client hello decides: certificate and protocol. */

#include "base/limits.h"
#include "base/log.h"
#include "tls/private.h"

void tls_library_start(void)
{
    /* No openssl.cnf: the parameters of this house stand here. */
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        log_fatal("the TLS library does not start");
    /* The first context fetches all algorithms; the first random octets open what the generator needs. */
    SSL_CTX *warm = tls_parameters_new(false);
    unsigned char seed[16];
    if (!warm || RAND_bytes(seed, sizeof seed) != 1)
        log_fatal("the TLS library lacks an algorithm or random numbers");
    SSL_CTX_free(warm);
}

/* RFC 6066 3: a list of (type, name); one host_name is used. The library checks the form again and refuses what is
 * malformed, so here anything odd is just "no name". */
static struct slice asked_name(SSL *ssl)
{
    const unsigned char *p;
    size_t n;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) != 1 || n < 5)
        return SLICE_EMPTY;
    size_t list = (size_t)p[0] << 8 | p[1];
    size_t name = (size_t)p[3] << 8 | p[4];
    if (list != n - 2 || p[2] != TLSEXT_NAMETYPE_host_name || name != n - 5)
        return SLICE_EMPTY;
    return slice_of(p + 5, name);
}

bool tls_hello_bind(SSL *ssl, const struct tls_hello *hello)
{
    /* At most 32 octets: a hash of kind and name. */
    unsigned char text[LIMIT_DOMAIN + 64], id[32];
    const char *kind = tls_set_kind(hello->set, hello->kind)->name;
    size_t n = strlen(kind) + 1;
    memcpy(text, kind, n);
    if (hello->name.n)
        memcpy(text + n, hello->name.p, hello->name.n);
    size_t id_n = sizeof id;
    return EVP_Q_digest(NULL, "SHA256", NULL, text, n + hello->name.n, id, &id_n) == 1 &&
           SSL_set_session_id_context(ssl, id, (unsigned)id_n) == 1;
}

/* Runs before anything of the hello is used, resumption included: so a ticket meets the context of its own name. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls_hello *hello = SSL_get_app_data(ssl);
    struct slice asked = asked_name(ssl);
    char lower[LIMIT_DOMAIN];
    (void)arg;
    tls_hello_keep_fingerprint(ssl, hello);
    if (asked.n && asked.p[asked.n - 1] == '.')
        asked.n--;
    if (asked.n == 0 || asked.n > sizeof lower)
        return SSL_CLIENT_HELLO_SUCCESS;
    for (size_t i = 0; i < asked.n; i++)
        lower[i] = ascii_lower(asked.p[i]);
    SSL_CTX *ctx = tls_set_find(hello->set, slice_of(lower, asked.n), &hello->name);
    if (!ctx)
        return SSL_CLIENT_HELLO_SUCCESS;
    if (SSL_set_SSL_CTX(ssl, ctx) != ctx || !tls_hello_bind(ssl, hello)) {
        *alert = SSL_AD_INTERNAL_ERROR;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static bool
is_offered(const unsigned char *list, unsigned n, const char *wanted, const unsigned char **ret_at)
{
    size_t wanted_n = strlen(wanted);
    for (unsigned at = 0; at < n; at += 1u + list[at]) {
        if (list[at] == wanted_n && at + 1 + wanted_n <= n && memcmp(list + at + 1, wanted, wanted_n) == 0) {
            *ret_at = list + at + 1;
            return true;
        }
    }
    return false;
}

/* T-011: protocols were named; none of them is ours: fatal no_application_protocol. */
static int on_protocols(
    SSL *ssl, const unsigned char **out, unsigned char *out_n, const unsigned char *in, unsigned n, void *arg)
{
    const struct tls_hello *hello = SSL_get_app_data(ssl);
    const char *const *ours = tls_set_kind(hello->set, hello->kind)->protocols;
    (void)arg;
    for (; ours && *ours; ours++) {
        if (is_offered(in, n, *ours, out)) {
            *out_n = (unsigned char)strlen(*ours);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

SSL_CTX *tls_parameters_new(bool only_tls13)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_options(
        ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_CLEANSE_PLAINTEXT);
    SSL_CTX_set_mode(
        ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets only */
    SSL_CTX_set_timeout(ctx, LIMIT_TICKET_KEY_LIFE);
    SSL_CTX_set_max_early_data(ctx, 0);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_max_cert_list(ctx, LIMIT_CLIENT_CHAIN);
    tls_client_install(ctx);
    bool good = SSL_CTX_set_min_proto_version(ctx, only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
                SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
                SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
                SSL_CTX_set_ciphersuites(
                    ctx, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256") == 1 &&
                SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
                SSL_CTX_set_num_tickets(ctx, 1) == 1;
    if (!good) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, on_protocols, NULL);
    tls_tickets_install(ctx);
    return ctx;
}

#include "tls/client.h"

#include <assert.h>

#include "base/clock.h"
#include "tls/private.h"

/* ---- asking ---- */

/* In place of the library's verification, which would end the handshake: nothing is believed here, nothing is refused.
 * TLS 1.3 sends its tickets afterwards; the tickets of 1.2 are left out in tickets.c. */
static int on_shown(X509_STORE_CTX *shown, void *arg)
{
    (void)arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(shown, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_hello *hello = SSL_get_app_data(ssl);
    hello->shows_certificate = true;
    return SSL_set_num_tickets(ssl, 0) == 1;
}

void tls_client_install(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_verify_callback(ctx, on_shown, NULL);
}

/* The names of the authorities go with the question, so that a program offers the right certificate. */
static bool name_authorities(SSL *ssl, X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
        X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
        if (authority && SSL_add1_to_CA_list(ssl, authority) != 1)
            return false;
    }
    return true;
}

bool tls_client_ask(SSL *ssl, const struct tls_hello *hello)
{
    X509_STORE *store = tls_set_clients(hello->set);
    if (!store || !tls_set_kind(hello->set, hello->kind)->asks_clients)
        return true;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    return name_authorities(ssl, store);
}

bool tls_client_was_asked(const struct transport *t)
{
    return SSL_get_verify_mode(tls_session_ssl(t)) & SSL_VERIFY_PEER;
}

/* ---- believing ---- */

static bool set_terms(X509_STORE_CTX *ctx)
{
    X509_VERIFY_PARAM *terms = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_depth(terms, LIMIT_CLIENT_CHAIN_DEPTH);
    X509_VERIFY_PARAM_set_auth_level(terms, 2); /* as for our own: RSA 2048, SHA-256 */
    X509_VERIFY_PARAM_set_time(terms, clock_unix_s());
    return X509_STORE_CTX_set_default(ctx, "ssl_client") == 1;
}

static fallible verify(SSL *ssl, X509_STORE *store, X509 *leaf, const char **ret_why)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    assert(ctx);
    bool good = X509_STORE_CTX_init(ctx, store, leaf, SSL_get_peer_cert_chain(ssl)) == 1 && set_terms(ctx) &&
                X509_verify_cert(ctx) == 1;
    if (!good && ret_why)
        *ret_why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return good ? OK : ERR_DENIED;
}

static bool is_address(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < 0x21 || name.p[i] > 0x7e || (name.p[i] >= 'A' && name.p[i] <= 'Z'))
            return false;
    return name.n && name.n <= LIMIT_ADDRESS && slice_has(name, '@');
}

/* An address may also stand in an otherName (RFC 8398): it counts as a second one, and is never taken. */
static bool is_of_a_mailbox(const GENERAL_NAME *name)
{
    return name->type == GEN_EMAIL || (name->type == GEN_OTHERNAME &&
                                       OBJ_obj2nid(name->d.otherName->type_id) == NID_id_on_SmtpUTF8Mailbox);
}

static void read_name(X509 *leaf, struct tls_client *client)
{
    /* NULL also when the extension stands there twice. */
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    const GENERAL_NAME *found = NULL;
    int mailboxes = 0;
    for (int i = 0; all && i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);
        mailboxes += is_of_a_mailbox(name);
        if (name->type == GEN_EMAIL)
            found = name;
    }
    if (mailboxes == 1 && found) {
        const ASN1_IA5STRING *text = found->d.rfc822Name;
        struct slice name = slice_of(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
        if (is_address(name)) {
            memcpy(client->name, name.p, name.n);
            client->name_n = name.n;
        }
    }
    GENERAL_NAMES_free(all);
    ERR_clear_error();
}

fallible tls_client(const struct transport *t, struct tls_client *ret_client, const char **ret_why)
{
    SSL *ssl = tls_session_ssl(t);
    X509_STORE *store = tls_set_clients(tls_session_set(t));
    X509 *leaf = SSL_is_init_finished(ssl) ? SSL_get0_peer_certificate(ssl) : NULL;
    if (!leaf || !store || !tls_client_was_asked(t))
        return ERR_NOT_FOUND;
    TRY(verify(ssl, store, leaf, ret_why));
    struct tls_client client = {.name_n = 0};
    unsigned n = 0;
    if (X509_digest(leaf, EVP_sha256(), client.hash, &n) != 1 || n != sizeof client.hash)
        return ERR_DENIED;
    read_name(leaf, &client);
    *ret_client = client;
    return OK;
}

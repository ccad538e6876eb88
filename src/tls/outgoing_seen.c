/* What a finished handshake shows of the server. */

#include "base/clock.h"
#include "base/limits.h"
#include "tls/outgoing.h"
#include "tls/private.h"

enum { NAMES_SHOWN = 2000 }; /* octets: some certificates are for thousands of names */

/* ------------------------------------------------------------------------------------------------ a certificate */

static struct slice entry_text(const X509_NAME *name, int nid, struct arena *arena)
{
    int at = X509_NAME_get_index_by_NID((X509_NAME *)name, nid, -1);
    unsigned char *utf8 = NULL;
    int n = at < 0 ? -1 : ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    struct slice text = n > 0 ? arena_copy(arena, slice_of(utf8, (size_t)n)) : SLICE_EMPTY;
    OPENSSL_free(utf8);
    ERR_clear_error();
    return text;
}

/* In one line, as RFC 2253 writes it. */
static struct slice whole_name(const X509_NAME *name, struct arena *arena)
{
    struct slice text = SLICE_EMPTY;
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        long n = BIO_get_mem_data(bio, &p);
        text = n > 0 ? arena_copy(arena, slice_sub(slice_of(p, (size_t)n), 0, NAMES_SHOWN)) : SLICE_EMPTY;
    }
    BIO_free(bio);
    ERR_clear_error();
    return text;
}

static struct slice short_name(const X509_NAME *name, struct arena *arena)
{
    struct slice text = entry_text(name, NID_commonName, arena);
    if (!text.n)
        text = entry_text(name, NID_organizationName, arena);
    return text.n ? text : whole_name(name, arena);
}

static struct slice names_text(const X509 *x, struct arena *arena)
{
    struct buf all CLEANUP_BUF = BUF_INIT(NAMES_SHOWN);
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && all.n < NAMES_SHOWN / 2; i++) {
        struct slice one = tls_name_text(sk_GENERAL_NAME_value(names, i), arena);
        if (one.n && one.n <= LIMIT_DOMAIN)
            buf_printf(&all, "%s" SLICE_FMT, all.n ? ", " : "", SLICE_ARG(one));
    }
    GENERAL_NAMES_free(names);
    ERR_clear_error();
    return arena_copy(arena, buf_slice(&all));
}

/* The usual spelling of what the library calls by older names. */
static const char *usual_name(const char *name)
{
    static const char *const rows[][2] = {
        {"prime256v1", "P-256"}, {"secp384r1", "P-384"}, {"secp521r1", "P-521"}, {"SHA1", "SHA-1"},
        {"SHA224", "SHA-224"},   {"SHA256", "SHA-256"},  {"SHA384", "SHA-384"},  {"SHA512", "SHA-512"},
        {"ED25519", "Ed25519"},  {"ED448", "Ed448"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i][0], name) == 0)
            return rows[i][1];
    return name;
}

/* "RSA 2048", "ECDSA P-256", "X25519", "DH 2048". */
static struct slice key_text(EVP_PKEY *key, const char *elliptic, struct arena *arena)
{
    char curve[64] = "";
    const char *type = key ? EVP_PKEY_get0_type_name(key) : NULL;
    if (!type)
        return SLICE_EMPTY;
    if (EVP_PKEY_is_a(key, "EC")) {
        if (EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL) != 1)
            return slice_str("EC");
        return arena_printf(arena, "%s%s%s", elliptic, *elliptic ? " " : "", usual_name(curve));
    }
    if (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "DH") || EVP_PKEY_is_a(key, "DSA"))
        return arena_printf(arena, "%s %d", type, EVP_PKEY_get_bits(key));
    return arena_copy(arena, slice_str(usual_name(type)));
}

static struct slice signature_text(X509 *x, struct arena *arena)
{
    int hash = NID_undef, key = NID_undef;
    if (X509_get_signature_info(x, &hash, &key, NULL, NULL) != 1 || (hash == NID_undef && key == NID_undef))
        return slice_str("unknown");
    const char *name = OBJ_nid2sn(hash != NID_undef ? hash : key);
    return arena_copy(arena, slice_str(usual_name(name ? name : "unknown")));
}

void tls_read_certificate(X509 *x, struct arena *arena, struct tls_certificate *c)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    unsigned n = 0;
    c->subject = short_name(X509_get_subject_name(x), arena);
    c->issuer = short_name(X509_get_issuer_name(x), arena);
    c->organisation = entry_text(X509_get_issuer_name(x), NID_organizationName, arena);
    c->names = names_text(x, arena);
    c->not_before_s = tls_unix_time(X509_get0_notBefore(x));
    c->not_after_s = tls_unix_time(X509_get0_notAfter(x));
    c->key = key_text(key, "ECDSA", arena);
    c->key_strength =
        key && EVP_PKEY_get_security_bits(key) > 0 ? (unsigned)EVP_PKEY_get_security_bits(key) : 0;
    c->signature = signature_text(x, arena);
    c->self_signed = X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
    (void)X509_digest(x, EVP_sha256(), c->sha256, &n);
    ERR_clear_error();
}

/* -------------------------------------------------------------------------------------------------- the verdict */

/* Does an authority that is known bear the organisation of this one's issuer? */
static bool is_of_known(const struct tls_outgoing *o, X509 *top, struct arena *arena)
{
    bool known = false;
    struct slice wanted = entry_text(X509_get_issuer_name(top), NID_organizationName, arena);
    STACK_OF(X509) *all = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(SSL_get_SSL_CTX(o->ssl)));
    for (int i = 0; wanted.n && !known && i < sk_X509_num(all); i++) {
        char have[256];
        int n = X509_NAME_get_text_by_NID(
            X509_get_subject_name(sk_X509_value(all, i)), NID_organizationName, have, sizeof have);
        known = n > 0 && slice_eq(slice_of(have, (size_t)n), wanted);
    }
    sk_X509_pop_free(all, X509_free);
    ERR_clear_error();
    return known;
}

/* RFC 5280 4.2.2.1: where the issuer's own certificate is to be had. */
static bool says_where(X509 *x)
{
    bool says = false;
    AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    for (int i = 0; all && i < sk_ACCESS_DESCRIPTION_num(all); i++)
        says |= OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(all, i)->method) == NID_ad_ca_issuers;
    AUTHORITY_INFO_ACCESS_free(all);
    ERR_clear_error();
    return says;
}

/* From outside, a missing issuer and an unknown one look alike; these are the signs. Servers do not send their root, so the
 * address of an issuer says something in the server's own certificate only. */
static bool is_missing(const struct tls_outgoing *o, STACK_OF(X509) * path, struct arena *arena)
{
    int n = sk_X509_num(path);
    X509 *top = n > 0 ? sk_X509_value(path, n - 1) : NULL;
    return o->no_issuer && top && ((n == 1 && says_where(top)) || is_of_known(o, top, arena));
}

/* The library's number of a trouble; what the staple says is one like the others. */
static int code_of(const struct tls_outgoing *o, enum tls_verdict verdict, const struct tls_seen *seen)
{
    if (verdict == TLS_VERDICT_REVOKED)
        return seen->staple.kind == TLS_STAPLE_REVOKED ? X509_V_ERR_CERT_REVOKED : 0;
    return o->code[verdict];
}

static void
judge(const struct tls_outgoing *o, STACK_OF(X509) * path, struct arena *arena, struct tls_seen *seen)
{
    static const enum tls_verdict order[] = {
        TLS_VERDICT_NOT_YET,    TLS_VERDICT_EXPIRED, TLS_VERDICT_SELF_SIGNED,
        TLS_VERDICT_UNKNOWN_CA, TLS_VERDICT_REVOKED, TLS_VERDICT_NAME,
        TLS_VERDICT_WEAK,       TLS_VERDICT_PURPOSE, TLS_VERDICT_OTHER};
    size_t i = 0, n = sizeof order / sizeof *order;
    while (i < n && !code_of(o, order[i], seen))
        i++;
    seen->verdict = i < n ? order[i] : TLS_VERDICT_GOOD;
    seen->verdict_text = X509_verify_cert_error_string(i < n ? code_of(o, order[i], seen) : X509_V_OK);
    if (!sk_X509_num(path)) { /* an anonymous suite: there is nothing to believe */
        seen->verdict = TLS_VERDICT_OTHER;
        seen->verdict_text = "no certificate";
    }
    if (seen->verdict == TLS_VERDICT_UNKNOWN_CA && is_missing(o, path, arena))
        seen->verdict = TLS_VERDICT_CHAIN;
    seen->also_name = seen->verdict != TLS_VERDICT_NAME && o->code[TLS_VERDICT_NAME];
}

/* ------------------------------------------------------------------------------------------------- the session */

static struct slice group_text(SSL *ssl, struct arena *arena)
{
    EVP_PKEY *key = NULL;
    if (SSL_get_peer_tmp_key(ssl, &key) != 1)
        return SLICE_EMPTY;
    struct slice text = key_text(key, "", arena);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return text;
}

/* As verification found them; what else was sent is left out. Empty: an anonymous suite. To be freed. */
static STACK_OF(X509) * path_of(SSL *ssl)
{
    STACK_OF(X509) *found = SSL_get0_verified_chain(ssl), *path = sk_X509_new_null();
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    for (int i = 0; path && i < sk_X509_num(found); i++)
        sk_X509_push(path, sk_X509_value(found, i));
    if (path && leaf && !sk_X509_num(path))
        sk_X509_push(path, leaf);
    return path;
}

static void look_at_staple(SSL *ssl, STACK_OF(X509) * path, struct tls_seen *seen)
{
    unsigned char *der = NULL;
    long n = SSL_get_tlsext_status_ocsp_resp(ssl, &der);
    X509_STORE *store = SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl));
    tls_staple_read(slice_of(der, n > 0 ? (size_t)n : 0), path, store, clock_unix_s(), &seen->staple);
    if (sk_X509_num(path))
        seen->staple.demanded = tls_staple_is_demanded(sk_X509_value(path, 0));
}

static bool is_forward_secret(const SSL_CIPHER *cipher)
{
    int exchange = SSL_CIPHER_get_kx_nid(cipher);
    return exchange == NID_kx_any || exchange == NID_kx_ecdhe || exchange == NID_kx_dhe;
}

fallible tls_outgoing_seen(const struct transport *t, struct arena *arena, struct tls_seen *ret_seen)
{
    const struct tls_outgoing *o = tls_outgoing_of(t);
    const SSL_CIPHER *cipher = SSL_get_current_cipher(o->ssl);
    struct tls_seen seen = {.asks_certificate = o->asked};
    if (!o->ready || !cipher)
        return ERR_STATE;
    seen.version = SSL_get_version(o->ssl);
    seen.cipher = SSL_CIPHER_standard_name(cipher);
    seen.group = group_text(o->ssl, arena);
    seen.forward_secret = is_forward_secret(cipher);
    STACK_OF(X509) *path = path_of(o->ssl);
    for (int i = 0; i < sk_X509_num(path) && seen.chain_n < TLS_CHAIN_MAX; i++)
        tls_read_certificate(sk_X509_value(path, i), arena, &seen.chain[seen.chain_n++]);
    look_at_staple(o->ssl, path, &seen);
    judge(o, path, arena, &seen);
    sk_X509_free(path);
    TRY(arena_check(arena));
    *ret_seen = seen;
    return OK;
}

fallible tls_outgoing_exporter(const struct transport *t, uint8_t out[32])
{
    const struct tls_outgoing *o = tls_outgoing_of(t);
    return o->ready ? tls_ssl_exporter(o->ssl, out) : ERR_STATE;
}

fallible tls_outgoing_end_point(const struct transport *t, struct buf *out)
{
    const struct tls_outgoing *o = tls_outgoing_of(t);
    return o->ready ? tls_certificate_end_point(SSL_get0_peer_certificate(o->ssl), out) : ERR_STATE;
}

#include "tls/certificates.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "tls/private.h"

/* A name that a pair serves. */
struct served {
    struct slice name; /* lower case; "*.example.test" */
    SSL_CTX *ctx;
};

struct tls_set {
    unsigned refs;
    const struct tls_kind *kinds;
    unsigned kind_count;
    bool only_tls13;
    BIO_METHOD *socket;
    struct tls_tickets *tickets; /* one a kind */
    SSL_CTX *pairs[LIMIT_CERTIFICATES];
    unsigned pair_count;
    X509_STORE *clients; /* who may vouch for clients; NULL: they are not asked */
    struct map names;    /* of struct served */
    struct arena memory;
};

struct tls_set *tls_set_new(const struct tls_kind *kinds, unsigned kind_count, bool only_tls13)
{
    struct tls_set *set = NEW(struct tls_set);
    set->refs = 1;
    set->kinds = kinds;
    set->kind_count = kind_count;
    set->only_tls13 = only_tls13;
    set->socket = tls_socket_method_new();
    set->tickets = mem_alloc(kind_count * sizeof *set->tickets);
    map_init(&set->names, LIMIT_CERTIFICATE_NAMES);
    arena_init(&set->memory, LIMIT_CERTIFICATE_NAMES * (LIMIT_DOMAIN + sizeof(struct served) + 32));
    return set;
}

struct tls_set *tls_set_ref(struct tls_set *set)
{
    set->refs++;
    return set;
}

void tls_set_unref(struct tls_set **set_at)
{
    struct tls_set *set = TAKE(*set_at, NULL);
    if (!set || --set->refs)
        return;
    for (unsigned i = 0; i < set->pair_count; i++)
        SSL_CTX_free(set->pairs[i]);
    for (unsigned i = 0; i < set->kind_count; i++)
        tls_tickets_done(&set->tickets[i]);
    free(set->tickets);
    X509_STORE_free(set->clients);
    BIO_meth_free(set->socket);
    map_done(&set->names);
    arena_done(&set->memory);
    free(set);
}

bool tls_set_is_empty(const struct tls_set *set)
{
    return set->pair_count == 0;
}

SSL_CTX *tls_set_context(struct tls_set *set, unsigned kind)
{
    assert(set->pair_count && kind < set->kind_count);
    return set->pairs[0];
}

const struct tls_kind *tls_set_kind(const struct tls_set *set, unsigned kind)
{
    return &set->kinds[kind];
}

const BIO_METHOD *tls_set_socket_method(const struct tls_set *set)
{
    return set->socket;
}

struct tls_tickets *tls_set_tickets(struct tls_set *set, unsigned kind)
{
    return &set->tickets[kind];
}

X509_STORE *tls_set_clients(const struct tls_set *set)
{
    return set->clients;
}

SSL_CTX *tls_set_find(const struct tls_set *set, struct slice name, struct slice *ret_name)
{
    struct served *s = map_find(&set->names, name);
    if (!s) {
        char wild[LIMIT_DOMAIN + 2];
        size_t dot = slice_find(name, '.');
        if (dot == SLICE_NPOS || dot == 0)
            return NULL;
        struct slice rest = slice_from(name, dot);
        wild[0] = '*';
        memcpy(wild + 1, rest.p, rest.n);
        s = map_find(&set->names, slice_of(wild, rest.n + 1));
    }
    if (!s)
        return NULL;
    *ret_name = s->name;
    return s->ctx;
}

/* -- one pair -- */

struct pair {
    X509 *leaf;
    STACK_OF(X509) * others;
    EVP_PKEY *key;
    SSL_CTX *ctx;
};

static void pair_done(struct pair *p)
{
    X509_free(p->leaf);
    sk_X509_pop_free(p->others, X509_free);
    EVP_PKEY_free(p->key);
    SSL_CTX_free(p->ctx);
    ERR_clear_error();
}

static int no_pass_phrase(char *into, int n, int writing, void *asked)
{
    (void)into, (void)n, (void)writing;
    *(bool *)asked = true;
    return -1;
}

STACK_OF(X509) * tls_read_certificates(struct slice pem, enum tls_fault *ret_fault)
{
    BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
    STACK_OF(X509) *all = sk_X509_new_null();
    bool asked = false;
    assert(bio && all);
    X509 *x;
    while ((x = PEM_read_bio_X509(bio, NULL, no_pass_phrase, &asked)))
        sk_X509_push(all, x);
    unsigned long e = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    *ret_fault = !at_end ? TLS_BAD_CERTIFICATE : sk_X509_num(all) ? TLS_FINE : TLS_NO_CERTIFICATE;
    if (*ret_fault == TLS_FINE)
        return all;
    sk_X509_pop_free(all, X509_free);
    return NULL;
}

static enum tls_fault read_chain(struct slice pem, struct pair *p)
{
    enum tls_fault fault;
    p->others = tls_read_certificates(pem, &fault);
    if (p->others)
        p->leaf = sk_X509_shift(p->others);
    return fault;
}

static enum tls_fault read_key(struct slice pem, struct pair *p)
{
    BIO *bio = BIO_new_mem_buf(pem.n ? pem.p : "", (int)pem.n);
    bool asked = false;
    assert(bio);
    p->key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, &asked);
    ERR_clear_error();
    BIO_free(bio);
    if (asked)
        return TLS_ENCRYPTED_KEY;
    return p->key ? TLS_FINE : TLS_NO_KEY;
}

static enum tls_fault check_dates(const struct pair *p)
{
    int64_t now = clock_unix_s();
    if (tls_unix_time(X509_get0_notAfter(p->leaf)) <= now)
        return TLS_EXPIRED;
    return tls_unix_time(X509_get0_notBefore(p->leaf)) > now ? TLS_NOT_YET : TLS_FINE;
}

static enum tls_fault make_context(struct pair *p, bool only_tls13)
{
    if (X509_check_private_key(p->leaf, p->key) != 1)
        return TLS_MISMATCH;
    p->ctx = tls_parameters_new(only_tls13);
    assert(p->ctx);
    /* The security level refuses weak keys and hashes here. */
    if (SSL_CTX_use_cert_and_key(p->ctx, p->leaf, p->key, p->others, 1) != 1)
        return TLS_BAD_CERTIFICATE;
    return TLS_FINE;
}

/* -- names -- */

static enum tls_fault add_name(struct tls_set *set, SSL_CTX *ctx, struct slice name)
{
    if (name.n == 0 || name.n > LIMIT_DOMAIN || slice_has(name, '\0'))
        return TLS_FINE; /* nobody can ask for it */
    struct served *s = ARENA_NEW(&set->memory, struct served);
    char *lower = arena_alloc(&set->memory, name.n);
    if (!s || !lower)
        return TLS_TOO_MANY;
    for (size_t i = 0; i < name.n; i++)
        lower[i] = ascii_lower(name.p[i]);
    *s = (struct served){.name = slice_of(lower, name.n), .ctx = ctx};
    return map_add(&set->names, s->name, s) == ERR_LIMIT ? TLS_TOO_MANY : TLS_FINE;
}

static enum tls_fault add_given_names(struct tls_set *set, SSL_CTX *ctx, struct slice names)
{
    struct slice name;
    while (slice_cut(&names, ' ', &name)) {
        enum tls_fault fault = add_name(set, ctx, name);
        if (fault != TLS_FINE)
            return fault;
    }
    return TLS_FINE;
}

static enum tls_fault add_own_names(struct tls_set *set, const struct pair *p)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(p->leaf, NID_subject_alt_name, NULL, NULL);
    if (!all)
        return TLS_NO_NAMES;
    enum tls_fault fault = TLS_FINE;
    bool any = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(all) && fault == TLS_FINE; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        any |= g->type == GEN_DNS || g->type == GEN_IPADD;
        if (g->type == GEN_DNS)
            fault = add_name(
                set, p->ctx,
                slice_of(ASN1_STRING_get0_data(g->d.dNSName), (size_t)ASN1_STRING_length(g->d.dNSName)));
    }
    GENERAL_NAMES_free(all);
    return fault == TLS_FINE && !any ? TLS_NO_NAMES : fault;
}

enum tls_fault tls_set_add(
    struct tls_set *set, struct slice chain_pem, struct slice key_pem, struct slice names, bool even_expired)
{
    if (set->pair_count == LIMIT_CERTIFICATES)
        return TLS_TOO_MANY;
    if (chain_pem.n > LIMIT_PEM_FILE || key_pem.n > LIMIT_PEM_FILE)
        return TLS_TOO_LARGE;
    ERR_clear_error();
    struct pair p = {0};
    enum tls_fault fault = read_chain(chain_pem, &p);
    if (fault == TLS_FINE)
        fault = read_key(key_pem, &p);
    if (fault == TLS_FINE)
        fault = make_context(&p, set->only_tls13);
    if (fault == TLS_FINE && !even_expired)
        fault = check_dates(&p);
    if (fault == TLS_FINE)
        fault = slice_trim(names).n ? add_given_names(set, p.ctx, names) : add_own_names(set, &p);
    if (fault == TLS_FINE || fault == TLS_TOO_MANY) {
        /* Names may point at it already: it stays with the set. */
        set->pairs[set->pair_count++] = TAKE(p.ctx, NULL);
    }
    pair_done(&p);
    return fault;
}

/* The whole file from its beginning; memory is taken once, so that growing leaves no copies of a key. */
static enum tls_fault read_file(int fd, struct buf *out)
{
    char *into = buf_reserve(out, LIMIT_PEM_FILE + 1);
    size_t n = 0;
    ssize_t got;
    while (n <= LIMIT_PEM_FILE && (got = pread(fd, into + n, LIMIT_PEM_FILE + 1 - n, (off_t)n)) != 0) {
        if (got < 0)
            return TLS_UNREADABLE;
        n += (size_t)got;
    }
    buf_added(out, n);
    return n > LIMIT_PEM_FILE ? TLS_TOO_LARGE : TLS_FINE;
}

enum tls_fault
tls_set_add_files(struct tls_set *set, int chain_fd, int key_fd, struct slice names, bool even_expired)
{
    struct buf chain = BUF_INIT(LIMIT_PEM_FILE + 1), key = BUF_INIT(LIMIT_PEM_FILE + 1);
    enum tls_fault fault = read_file(chain_fd, &chain);
    if (fault == TLS_FINE)
        fault = read_file(key_fd, &key);
    if (fault == TLS_FINE)
        fault = tls_set_add(set, buf_slice(&chain), buf_slice(&key), names, even_expired);
    buf_done(&chain);
    buf_wipe(&key);
    return fault;
}

static enum tls_fault fill_store(X509_STORE *store, STACK_OF(X509) * all)
{
    if (sk_X509_num(all) > LIMIT_CLIENT_AUTHORITIES)
        return TLS_TOO_MANY;
    for (int i = 0; i < sk_X509_num(all); i++)
        if (X509_check_ca(sk_X509_value(all, i)) == 0 ||
            X509_STORE_add_cert(store, sk_X509_value(all, i)) != 1)
            return TLS_BAD_CERTIFICATE;
    return TLS_FINE;
}

enum tls_fault tls_set_add_clients(struct tls_set *set, struct slice pem)
{
    assert(!set->clients);
    if (pem.n > LIMIT_PEM_FILE)
        return TLS_TOO_LARGE;
    ERR_clear_error();
    enum tls_fault fault;
    STACK_OF(X509) *all = tls_read_certificates(pem, &fault);
    if (!all)
        return fault;
    X509_STORE *store = X509_STORE_new();
    assert(store);
    fault = fill_store(store, all);
    sk_X509_pop_free(all, X509_free);
    ERR_clear_error();
    if (fault == TLS_FINE)
        set->clients = store;
    else
        X509_STORE_free(store);
    return fault;
}

enum tls_fault tls_set_add_clients_file(struct tls_set *set, int fd)
{
    struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PEM_FILE + 1);
    enum tls_fault fault = read_file(fd, &pem);
    return fault == TLS_FINE ? tls_set_add_clients(set, buf_slice(&pem)) : fault;
}

const char *tls_fault_text(enum tls_fault fault)
{
    static const char *const text[] = {
        [TLS_FINE] = "",
        [TLS_UNREADABLE] = "the file can't be read: is it a file, and may this process read it?",
        [TLS_TOO_LARGE] = "the file is far too large for certificates or a key: is it the right one?",
        [TLS_NO_CERTIFICATE] =
            "there is no certificate in the file: it must be PEM, the server's own certificate first",
        [TLS_BAD_CERTIFICATE] =
            "a certificate is damaged or too weak (RSA below 2048 bits, SHA-1): get a new one",
        [TLS_NO_KEY] = "there is no usable private key in the file: it must be PEM, whole and unencrypted",
        [TLS_ENCRYPTED_KEY] =
            "the private key is encrypted: store it without a pass phrase, readable by its owner only",
        [TLS_MISMATCH] = "the private key does not belong to the first certificate of the chain",
        [TLS_EXPIRED] = "the certificate has expired: renew it",
        [TLS_NOT_YET] = "the certificate is not valid yet: check this machine's clock",
        [TLS_NO_NAMES] = "the certificate names no host (subjectAltName): name the hosts behind the files",
        [TLS_TOO_MANY] = "too many certificates or names: see \"letterlock limits\"",
    };
    static_assert(sizeof text / sizeof *text == TLS_FAULTS, "a fault without words");
    return text[fault];
}

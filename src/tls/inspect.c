#include "tls/inspect.h"

#include "base/clock.h"
#include "base/ip.h"
#include "tls/private.h"

enum { CHAIN_MAX = 16, NAMES_MAX = 256 };

struct chain {
    X509 *certs[CHAIN_MAX];
    size_t count;
};

static void chain_free(struct chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        X509_free(chain->certs[i]);
}

static void chain_read(struct slice pem, struct chain *chain)
{
    BIO *bio = BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n);
    while (bio && chain->count < CHAIN_MAX) {
        X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!cert)
            break;
        chain->certs[chain->count++] = cert;
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the file is one, too */
}

int64_t tls_unix_time(const ASN1_TIME *time)
{
    struct tm tm = {0};
    if (ASN1_TIME_to_tm(time, &tm) != 1)
        return 0;
    return civil_to_unix(&(struct civil){
        .year = tm.tm_year + 1900,
        .month = tm.tm_mon + 1,
        .day = tm.tm_mday,
        .hour = tm.tm_hour,
        .minute = tm.tm_min,
        .second = tm.tm_sec});
}

struct slice tls_name_text(const GENERAL_NAME *general, struct arena *arena)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(general, &type);
    struct slice octets = SLICE_EMPTY;
    if (type == GEN_DNS || type == GEN_IPADD)
        octets = slice_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    if (type == GEN_DNS)
        return arena_copy(arena, octets);
    struct ip ip = {.b = {[10] = 0xff, [11] = 0xff}};
    char text[IP_TEXT_MAX];
    if (type != GEN_IPADD || (octets.n != 4 && octets.n != 16))
        return SLICE_EMPTY;
    memcpy(ip.b + 16 - octets.n, octets.p, octets.n);
    return arena_copy(arena, slice_str(ip_text(&ip, text)));
}

static void names_read(X509 *cert, struct arena *arena, struct inspect_facts *facts)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    struct slice *names = arena_array(arena, NAMES_MAX, sizeof *names);
    int count = all ? sk_GENERAL_NAME_num(all) : 0;
    for (int i = 0; names && i < count && facts->name_count < NAMES_MAX; i++) {
        struct slice text = tls_name_text(sk_GENERAL_NAME_value(all, i), arena);
        if (text.n)
            names[facts->name_count++] = text;
    }
    facts->names = names;
    GENERAL_NAMES_free(all);
}

/* Called for a passphrase: remembers that one would be needed, and has none. */
static int no_passphrase(char *into, int size, int writing, void *asked)
{
    (void)into, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static enum inspect_trouble key_check(struct slice pem, X509 *cert)
{
    bool asked = false;
    BIO *bio = BIO_new_mem_buf(pem.p ? pem.p : "", (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
    enum inspect_trouble trouble = INSPECT_FINE;
    if (!key)
        trouble = asked ? INSPECT_KEY_ENCRYPTED : INSPECT_KEY_UNREADABLE;
    else if (X509_check_private_key(cert, key) != 1)
        trouble = INSPECT_KEY_MISMATCH;
    else if (EVP_PKEY_get_security_bits(key) < 112) /* NIST SP 800-57: RSA 2048, EC 224 */
        trouble = INSPECT_KEY_WEAK;
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return trouble;
}

enum inspect_trouble inspect_pair(
    struct slice chain_pem, struct slice key_pem, struct arena *arena, struct inspect_facts *ret_facts)
{
    struct chain chain __attribute__((cleanup(chain_free))) = {.count = 0};
    struct inspect_facts facts = {.certificates = 0};
    chain_read(chain_pem, &chain);
    if (chain.count == 0)
        return INSPECT_CHAIN_UNREADABLE;
    X509 *cert = chain.certs[0];
    facts.certificates = chain.count;
    facts.not_before_s = tls_unix_time(X509_get0_notBefore(cert));
    facts.not_after_s = tls_unix_time(X509_get0_notAfter(cert));
    facts.self_signed = X509_check_issued(cert, cert) == X509_V_OK;
    names_read(cert, arena, &facts);
    *ret_facts = facts;
    for (size_t i = 1; i < chain.count; i++)
        if (X509_check_issued(chain.certs[i], chain.certs[i - 1]) != X509_V_OK)
            return INSPECT_CHAIN_BROKEN;
    return key_check(key_pem, cert);
}

bool inspect_covers(const struct inspect_facts *facts, struct slice name)
{
    size_t dot = slice_find(name, '.');
    for (size_t i = 0; i < facts->name_count; i++) {
        struct slice have = facts->names[i];
        if (slice_eq_nocase(have, name))
            return true;
        if (dot != SLICE_NPOS && slice_starts(have, S("*.")) &&
            slice_eq_nocase(slice_from(have, 1), slice_from(name, dot)))
            return true;
    }
    return false;
}

bool inspect_authorities(struct slice pem)
{
    struct tls_set *set = tls_set_new(NULL, 0, false);
    bool good = tls_set_add_clients(set, pem) == TLS_FINE;
    tls_set_unref(&set);
    return good;
}

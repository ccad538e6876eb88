/* Probes: what they write is a hello that servers answer, and what they read is what RFC 8448 and recorded servers said. */
#include "tls_peer.h"

#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "tls/probe.h"

/* ------------------------------------------------------------------------------------------------- the tables */

static unsigned kinds_by_name(const char *name)
{
    static const struct {
        const char *part;
        unsigned kinds;
    } rows[] = {
        {"TLS_ECDHE_", SUITE_FORWARD | SUITE_ELLIPTIC},
        {"TLS_DHE_", SUITE_FORWARD | SUITE_FINITE},
        {"TLS_ECDH_anon_", SUITE_ANONYMOUS | SUITE_ELLIPTIC},
        {"TLS_DH_anon_", SUITE_ANONYMOUS | SUITE_FINITE},
        {"TLS_RSA_", SUITE_STATIC},
        {"_NULL_", SUITE_NULL},
        {"_EXPORT_", SUITE_EXPORT},
        {"_WITH_DES_", SUITE_EXPORT},
        {"_RC4_", SUITE_RC4},
        {"_3DES_", SUITE_TRIPLE_DES},
        {"_CBC_", SUITE_CBC},
        {"_GCM_", SUITE_AEAD},
        {"_CCM", SUITE_AEAD},
        {"_CHACHA20_", SUITE_AEAD},
    };
    unsigned kinds = strstr(name, "_WITH_") ? 0 : SUITE_TLS13 | SUITE_FORWARD;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strstr(name, rows[i].part))
            kinds |= rows[i].kinds;
    return kinds;
}

static void suites_are_what_their_names_say(void **state)
{
    size_t n;
    const struct probe_suite *s = probe_suites(&n);
    assert_true(n > 90);
    for (size_t i = 0; i < n; i++) {
        if (s[i].kinds != kinds_by_name(s[i].name))
            fail_msg("%s", s[i].name);
        assert_true(i == 0 || s[i].id > s[i - 1].id);
        assert_ptr_equal(probe_suite(s[i].id), &s[i]);
    }
    assert_null(probe_suite(0x5600));
    assert_string_equal(probe_suite(0xc030)->name, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
}

/* The library knows some of them, by the same numbers. */
static void suites_agree_with_the_library(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"), 1);
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
    int known = 0;
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
        const struct probe_suite *ours = probe_suite(SSL_CIPHER_get_protocol_id(c));
        if (ours)
            assert_string_equal(ours->name, SSL_CIPHER_standard_name(c));
        known += ours != NULL;
    }
    assert_true(known > 60);
    SSL_CTX_free(ctx);
}

static void numbers_have_names(void **state)
{
    assert_string_equal(probe_group_name(0x11ec), "X25519MLKEM768");
    assert_string_equal(probe_group_name(0x0017), "P-256");
    assert_null(probe_group_name(0));
}

/* ---------------------------------------------------------------------------------------------------- answers */

static struct buf of_hex(const char *hex)
{
    struct buf out = BUF_INIT(100000);
    unsigned value;
    int used;
    while (sscanf(hex, "%2x%n", &value, &used) == 1) {
        buf_put_char(&out, (char)value);
        hex += used;
    }
    return out;
}

/* Nothing may be said before the end, and nothing else after it; then what was read. */
static enum err reads(struct slice octets, bool exchange, struct probe_answer *answer)
{
    enum err whole = probe_read(octets, exchange, answer);
    for (size_t n = 0; n < octets.n; n++) {
        struct probe_answer early;
        char *copy = malloc(n + 1); /* so that a read behind the end is seen */
        memcpy(copy, octets.p, n);
        enum err e = probe_read(slice_of(copy, n), exchange, &early);
        free(copy);
        assert_true(e == ERR_AGAIN || e == whole);
        if (e == OK)
            assert_int_equal(early.kind, answer->kind);
    }
    return whole;
}

static enum err reads_hex(const char *hex, bool exchange, struct probe_answer *answer)
{
    struct buf octets CLEANUP_BUF = of_hex(hex);
    return reads(buf_slice(&octets), exchange, answer);
}

/* RFC 8448 section 3. */
static const char hello_1rtt[] = "160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac1557"
                                 "72ed3e2692800130100002e00330024001d0020c9"
                                 "828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";
/* RFC 8448 section 5. */
static const char hello_retry[] = "16030300b0020000ac0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e"
                                  "09e2c8a8339c001301000084003300020017002c00"
                                  "7400727"
                                  "1dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4ed"
                                  "f625636e5f21bb2e23fcc654b1b5b40318d"
                                  "10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9"
                                  "e7841dd9e4c0342267e8ca0caf571fb2b7cff0f934"
                                  "b0002b00020304";

static void examples_of_rfc_8448(void **state)
{
    struct probe_answer a;
    assert_int_equal(reads_hex(hello_1rtt, true, &a), OK);
    assert_int_equal(a.kind, PROBE_HELLO);
    assert_int_equal(a.version, PROBE_TLS13);
    assert_int_equal(a.suite, 0x1301);
    assert_int_equal(a.group, GROUP_X25519);
    assert_int_equal(reads_hex(hello_retry, false, &a), OK);
    assert_int_equal(a.kind, PROBE_RETRY);
    assert_int_equal(a.version, PROBE_TLS13);
    assert_int_equal(a.suite, 0x1301);
    assert_int_equal(a.group, GROUP_P256);
}

/* As a server says it that knows post-quantum key exchange. */
static void a_retry_for_the_hybrid_group(void **state)
{
    struct probe_answer a;
    assert_int_equal(
        reads_hex(
            "1603030038020000340303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c0013020000"
            "0c"
            "002b00020304003300021"
            "1ec",
            false, &a),
        OK);
    assert_int_equal(a.kind, PROBE_RETRY);
    assert_int_equal(a.suite, 0x1302);
    assert_int_equal(a.group, GROUP_X25519MLKEM768);
}

static void alerts_and_plain_text(void **state)
{
    struct probe_answer a;
    assert_int_equal(reads_hex("15030100020246", false, &a), OK);
    assert_int_equal(a.kind, PROBE_ALERT);
    assert_int_equal(a.alert, 70);
    assert_int_equal(reads_hex("15030000020228", false, &a), OK);
    assert_int_equal(a.alert, 40);
    assert_int_equal(reads_hex("15030300020100", false, &a), OK);
    assert_int_equal(a.kind, PROBE_ALERT);
    assert_int_equal(a.alert, 0);
    assert_int_equal(reads_hex("150303000202", false, &a), ERR_AGAIN);
    assert_int_equal(reads_hex("1503030001ff", false, &a), ERR_SYNTAX);
    assert_int_equal(reads(S("* OK ready\r\n"), false, &a), OK);
    assert_int_equal(a.kind, PROBE_PLAIN);
    assert_int_equal(reads(S("2"), false, &a), OK);
    assert_int_equal(a.kind, PROBE_PLAIN);
    assert_int_equal(reads(S("\x16\x02\x00"), false, &a), OK);
    assert_int_equal(a.kind, PROBE_PLAIN);
    assert_int_equal(probe_read(SLICE_EMPTY, false, &a), ERR_AGAIN);
    /* The name is not known here: a warning, and the hello follows. */
    struct buf both CLEANUP_BUF = of_hex("15030300020170");
    struct buf hello CLEANUP_BUF = of_hex(hello_1rtt);
    buf_put(&both, buf_slice(&hello));
    assert_int_equal(reads(buf_slice(&both), false, &a), OK);
    assert_int_equal(a.kind, PROBE_HELLO);
}

/* ServerHello of TLS 1.2, certificate of a few octets, and the beginning of the server's key exchange. */
static void key_exchanges_are_read(void **state)
{
    static const char random[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    char hex[4096];
    struct probe_answer a;
    /* DHE_RSA with a prime of 1024 bits, behind a leading zero */
    snprintf(
        hex, sizeof hex,
        "1603030031"
        "0200002d0303%s00009e000005ff01000100"
        "160303000a0b000006000003000000"
        "16030300870c0000830081"
        "00ff",
        random);
    struct buf octets CLEANUP_BUF = of_hex(hex);
    for (int i = 0; i < 127; i++)
        buf_put_char(&octets, 'p');
    assert_int_equal(reads(buf_slice(&octets), true, &a), OK);
    assert_int_equal(a.kind, PROBE_HELLO);
    assert_int_equal(a.version, PROBE_TLS12);
    assert_int_equal(a.suite, 0x009e);
    assert_int_equal(a.prime_bits, 1024);
    assert_true(a.secure_renegotiation && !a.compression);
    assert_int_equal(reads(buf_slice(&octets), false, &a), OK);
    assert_int_equal(a.prime_bits, 0);
    /* ECDHE: the named curve; and a prime that is not there */
    snprintf(
        hex, sizeof hex,
        "160301002a"
        "020000260301%s00c01400"
        "160301000a"
        "0c000006030017024"
        "1ff",
        random);
    assert_int_equal(reads_hex(hex, true, &a), OK);
    assert_int_equal(a.version, PROBE_TLS10);
    assert_int_equal(a.group, GROUP_P256);
    snprintf(
        hex, sizeof hex,
        "160303002a"
        "020000260303%s00009e00"
        "160303000a"
        "0c00000600810102030"
        "4",
        random);
    assert_int_equal(reads_hex(hex, true, &a), ERR_SYNTAX);
}

static void what_breaks_the_rules(void **state)
{
    static const char *const bad[] = {
        "1603030004"
        "0b000000",     /* another message first */
        "1603030000",   /* an empty record */
        "170303000161", /* data before the handshake */
        "140303000101", /* a change of ciphers before the hello */
        "160303ffff",   /* longer than any record */
        "1603030006"
        "02000002"
        "0303" /* a hello that ends */,
        "160303002a"
        "020000260403"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "00009e00", /* version 4 */
        "160303002a"
        "020000260303"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "21009e00", /* session id */
        "160303002b"
        "020000270303"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "00009e00"
        "00",
        "160303002d"
        "020000290303"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "00009e00"
        "0002ff", /* short */
        /* supported_versions that chooses an old version, a share without it, both twice, a retry without */
        "1603030032"
        "0200002e0303"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "00130100"
        "0006002b00020303",
        "1603030032"
        "0200002e0303"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "00130100"
        "000600330002001d",
        "1603030038"
        "020000340303"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        "00130100"
        "000c002b00020304002b00020304",
        "160303002a"
        "020000260303"
        "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
        "00130100",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct probe_answer a = {.alert = 7777};
        if (reads_hex(bad[i], true, &a) != ERR_SYNTAX)
            fail_msg("%zu: %s", i, bad[i]);
        assert_int_equal(a.alert, 7777);
    }
    struct probe_answer a;
    assert_int_equal(
        reads_hex(
            "1603030004"
            "02ffffff",
            false, &a),
        ERR_LIMIT);
}

/* A hello in pieces: a record for each octet. */
static void a_hello_in_many_records(void **state)
{
    struct buf whole CLEANUP_BUF = of_hex(hello_1rtt), pieces CLEANUP_BUF = BUF_INIT(10000);
    for (size_t i = 5; i < whole.n; i++) {
        buf_put(&pieces, slice_of("\x16\x03\x03\x00\x01", 5));
        buf_put_char(&pieces, whole.p[i]);
    }
    struct probe_answer a;
    assert_int_equal(reads(buf_slice(&pieces), false, &a), OK);
    assert_int_equal(a.group, GROUP_X25519);
}

/* ------------------------------------------------------------------------------- real servers of the library */

struct server {
    int version; /* the only one */
    const char *ciphers, *groups;
    bool has_dh;
    const char *name; /* that it expects to be asked for; NULL: none */
};

static struct test_issuer rsa, ec;

static int setup(void **state)
{
    struct test_spec s = {.san = "DNS:mx.test", .from_days = -1, .to_days = 30};
    ec = test_issue(NULL, &s);
    s.weak_bits = 2048;
    rsa = test_issue(NULL, &s);
    return 0;
}

static int teardown(void **state)
{
    test_issuer_free(&rsa);
    test_issuer_free(&ec);
    return 0;
}

static SSL *open_server(const struct server *as, SSL_CTX **ret_ctx, int fd)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_use_certificate(ctx, rsa.certificate);
    SSL_CTX_use_PrivateKey(ctx, rsa.key);
    SSL_CTX_use_certificate(ctx, ec.certificate);
    SSL_CTX_use_PrivateKey(ctx, ec.key);
    SSL_CTX_set_min_proto_version(ctx, as->version);
    SSL_CTX_set_max_proto_version(ctx, as->version);
    SSL_CTX_set_dh_auto(ctx, as->has_dh);
    if (as->ciphers)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, as->ciphers), 1);
    if (as->groups)
        assert_int_equal(SSL_CTX_set1_groups_list(ctx, as->groups), 1);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    SSL_set_accept_state(ssl);
    *ret_ctx = ctx;
    return ssl;
}

/* Asks a server of the library, and reads what it answers. */
static enum err
asks(const struct server *as, const struct probe_ask *ask, bool exchange, struct probe_answer *answer)
{
    int fd[2];
    SSL_CTX *ctx;
    struct buf hello CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_HELLO),
                     reply CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_ANSWER);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    SSL *ssl = open_server(as, &ctx, fd[1]);
    probe_put(ask, &hello);
    assert_int_equal(buf_check(&hello), OK);
    assert_int_equal(write(fd[0], hello.p, hello.n), hello.n);
    SSL_do_handshake(ssl);
    ERR_clear_error();
    if (as->name) {
        assert_non_null(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
        assert_string_equal(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), as->name);
    }
    ssize_t n = read(fd[0], buf_reserve(&reply, 32768), 32768);
    assert_true(n > 0);
    buf_added(&reply, (size_t)n);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd[0]);
    close(fd[1]);
    return reads(buf_slice(&reply), exchange, answer);
}

static size_t all_suites(uint16_t *ids, unsigned with, unsigned without)
{
    size_t n, taken = 0;
    const struct probe_suite *s = probe_suites(&n);
    for (size_t i = 0; i < n; i++)
        if (s[i].kinds & with && !(s[i].kinds & without))
            ids[taken++] = s[i].id;
    return taken;
}

static const uint16_t usual_groups[] = {
    GROUP_X25519MLKEM768, GROUP_X25519, GROUP_P256, GROUP_P384, GROUP_P521};

static struct probe_ask ask_for(uint16_t version, uint16_t *ids, unsigned with, unsigned without)
{
    return (struct probe_ask){
        .version = version,
        .suites = ids,
        .suite_n = all_suites(ids, with, without),
        .groups = usual_groups,
        .group_n = 5,
        .host = S("mx.test"),
        .random = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"};
}

static void servers_of_each_version_answer(void **state)
{
    static const struct {
        uint16_t asked;
        int serves;
        bool agrees;
    } cases[] = {
        {PROBE_TLS10, TLS1_VERSION, true},    {PROBE_TLS11, TLS1_VERSION, true},
        {PROBE_TLS11, TLS1_1_VERSION, true},  {PROBE_TLS12, TLS1_1_VERSION, true},
        {PROBE_TLS12, TLS1_2_VERSION, true},  {PROBE_TLS11, TLS1_2_VERSION, false},
        {PROBE_SSL30, TLS1_2_VERSION, false}, {PROBE_TLS13, TLS1_2_VERSION, false},
        {PROBE_TLS12, TLS1_3_VERSION, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t ids[128];
        struct server as = {.version = cases[i].serves, .ciphers = "ALL:@SECLEVEL=0", .has_dh = true};
        as.name = cases[i].agrees ? "mx.test" : NULL;
        struct probe_ask ask =
            ask_for(cases[i].asked, ids, ~0U, cases[i].asked == PROBE_TLS13 ? 0 : SUITE_TLS13);
        struct probe_answer a;
        assert_int_equal(asks(&as, &ask, false, &a), OK);
        if ((a.kind == PROBE_HELLO) != cases[i].agrees)
            fail_msg("case %zu: kind %d alert %u", i, (int)a.kind, a.alert);
        if (cases[i].agrees)
            assert_int_equal(a.version, cases[i].serves);
        else
            /* SSL 3.0 knows no alert 70. */
            assert_int_equal(a.alert, cases[i].asked == PROBE_SSL30 ? 40 : 70);
    }
}

static void a_server_of_tls13_names_its_group(void **state)
{
    static const struct {
        const char *groups;
        uint16_t group;
    } cases[] = {{"X25519:P-256", GROUP_X25519}, {"P-256", GROUP_P256}, {"P-521", GROUP_P521}, {"X448", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t ids[128];
        struct server as = {.version = TLS1_3_VERSION, .groups = cases[i].groups};
        struct probe_ask ask = ask_for(PROBE_TLS13, ids, SUITE_TLS13, 0);
        struct probe_answer a;
        assert_int_equal(asks(&as, &ask, false, &a), OK);
        assert_int_equal(a.kind, cases[i].group ? PROBE_RETRY : PROBE_ALERT);
        assert_int_equal(a.kind == PROBE_RETRY ? a.group : 0, cases[i].group);
        assert_true(a.kind == PROBE_RETRY || a.alert == 40);
    }
}

static void suites_are_chosen_by_kind(void **state)
{
    static const struct {
        const char *serves;
        unsigned asked;
        bool agrees;
    } cases[] = {
        {"AES128-SHA", SUITE_STATIC, true},
        {"AES128-SHA", SUITE_FORWARD, false},
        {"AES128-SHA", SUITE_CBC, true},
        {"NULL-SHA256:@SECLEVEL=0", SUITE_NULL, true},
        {"ADH-AES128-SHA256:@SECLEVEL=0", SUITE_ANONYMOUS, true},
        {"ECDHE-RSA-AES128-GCM-SHA256", SUITE_FORWARD, true},
        {"ECDHE-RSA-AES128-GCM-SHA256", SUITE_CBC, false},
        {"ECDHE-RSA-AES128-GCM-SHA256", SUITE_RC4 | SUITE_EXPORT | SUITE_TRIPLE_DES | SUITE_NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t ids[128];
        struct server as = {.version = TLS1_2_VERSION, .ciphers = cases[i].serves, .has_dh = true};
        struct probe_ask ask = ask_for(PROBE_TLS12, ids, cases[i].asked, SUITE_TLS13);
        struct probe_answer a;
        assert_int_equal(asks(&as, &ask, false, &a), OK);
        if ((a.kind == PROBE_HELLO) != cases[i].agrees)
            fail_msg("case %zu: kind %d alert %u", i, (int)a.kind, a.alert);
        if (a.kind == PROBE_HELLO)
            assert_true(probe_suite(a.suite)->kinds & cases[i].asked);
        else
            assert_int_equal(a.alert, 40);
    }
}

static void a_real_key_exchange_is_read(void **state)
{
    uint16_t ids[128];
    struct server as = {
        .version = TLS1_2_VERSION, .ciphers = "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", .has_dh = true};
    struct probe_ask ask = ask_for(PROBE_TLS12, ids, SUITE_FINITE, 0);
    struct probe_answer a;
    assert_int_equal(asks(&as, &ask, true, &a), OK);
    assert_true(a.prime_bits >= 1024);
    as = (struct server){.version = TLS1_2_VERSION, .groups = "P-384"};
    ask = ask_for(PROBE_TLS12, ids, SUITE_ELLIPTIC, SUITE_ANONYMOUS);
    assert_int_equal(asks(&as, &ask, true, &a), OK);
    assert_int_equal(a.group, GROUP_P384);
}

/* ------------------------------------------------------------------------------------------------ what is sent */

static void hellos_have_good_sizes(void **state)
{
    uint16_t ids[128];
    char name[253];
    memset(name, 'n', sizeof name);
    for (uint16_t version = PROBE_SSL30; version <= PROBE_TLS13; version++) {
        for (size_t suites = 1; suites <= 90; suites++) {
            struct buf hello CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_HELLO);
            struct probe_ask ask = ask_for(version, ids, ~0U, 0);
            ask.suite_n = suites;
            ask.host = slice_of(name, suites % 2 ? sizeof name : 0);
            probe_put(&ask, &hello);
            assert_int_equal(buf_check(&hello), OK);
            const unsigned char *p = (const unsigned char *)hello.p;
            size_t record = (size_t)p[3] << 8 | p[4], message = (size_t)p[7] << 8 | p[8];
            assert_int_equal(record + 5, hello.n);
            assert_int_equal(message + 9, hello.n);
            assert_true(version == PROBE_SSL30 || record < 256 || record >= 512);
            assert_int_equal(p[2], version == PROBE_SSL30 ? 0 : 1);
            /* SSL 3.0 knows no extensions: the hello ends with its compression methods. */
            if (version == PROBE_SSL30)
                assert_int_equal(hello.n, 5 + 4 + 2 + 32 + 1 + 2 + 2 * suites + 2);
        }
    }
    struct buf small CLEANUP_BUF = BUF_INIT(40);
    struct probe_ask ask = ask_for(PROBE_TLS13, ids, ~0U, 0);
    probe_put(&ask, &small);
    assert_int_equal(buf_check(&small), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suites_are_what_their_names_say),
        cmocka_unit_test(suites_agree_with_the_library),
        cmocka_unit_test(numbers_have_names),
        cmocka_unit_test(examples_of_rfc_8448),
        cmocka_unit_test(a_retry_for_the_hybrid_group),
        cmocka_unit_test(alerts_and_plain_text),
        cmocka_unit_test(key_exchanges_are_read),
        cmocka_unit_test(what_breaks_the_rules),
        cmocka_unit_test(a_hello_in_many_records),
        cmocka_unit_test(servers_of_each_version_answer),
        cmocka_unit_test(a_server_of_tls13_names_its_group),
        cmocka_unit_test(suites_are_chosen_by_kind),
        cmocka_unit_test(a_real_key_exchange_is_read),
        cmocka_unit_test(hellos_have_good_sizes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

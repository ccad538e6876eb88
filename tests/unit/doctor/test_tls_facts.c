/* Interceptors by the names that they issue certificates under, and bits in words. */
#include "test.h"

#include "base/buf.h"
#include "doctor/interceptor.h"
#include "doctor/tls_facts.h"

static void interceptors_are_known_by_their_issuers(void **state)
{
    static const char *const cases[][2] = {
        {"avast! Web/Mail Shield Root", "Avast"},
        {"AVG Web/Mail Shield Root", "AVG"},
        {"Kaspersky Anti-Virus Personal Root Certificate", "Kaspersky"},
        {"ESET SSL Filter CA", "ESET"},
        {"Bitdefender Personal CA.Net-Defender", "Bitdefender"},
        {"Zscaler Intermediate Root CA (zscalertwo.net)", "Zscaler"},
        {"FortiGate CA", "Fortinet"},
        {"Fortinet", "Fortinet"},
        {"Sophos SSL CA_C11A1", "Sophos"},
        {"Blue Coat ProxySG SSL", "Blue Coat"},
        {"mitmproxy", "mitmproxy"},
        {"Charles Proxy CA (1 Jan 2026, laptop)", "Charles"},
        {"DO_NOT_TRUST_FiddlerRoot", "Fiddler"},
        {"squid-ca", "Squid"},
        {"Gateway CA - Cloudflare Managed G1 3d02", "Cloudflare Gateway"},
        {"Cisco Umbrella Root CA", "Cisco Umbrella"},
        {"ZSCALER", "Zscaler"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *product = interceptor_of(slice_str(cases[i][0]));
        if (!product)
            fail_msg("%s", cases[i][0]);
        assert_string_equal(product, cases[i][1]);
    }
}

/* Authorities of today must not look like somebody in between. */
static void public_authorities_are_no_interceptors(void **state)
{
    static const char *const names[] = {
        "R11",
        "E6",
        "Let's Encrypt",
        "WE1",
        "WR2",
        "Google Trust Services",
        "DigiCert Inc",
        "DigiCert Global G2 TLS RSA SHA256 2020 CA1",
        "GeoTrust TLS RSA CA G1",
        "Sectigo Limited",
        "Sectigo RSA Domain Validation Secure Server CA",
        "ZeroSSL RSA Domain Secure Site CA",
        "GlobalSign nv-sa",
        "GlobalSign RSA OV SSL CA 2018",
        "Entrust, Inc.",
        "Amazon RSA 2048 M02",
        "Microsoft Azure RSA TLS Issuing CA 03",
        "Symantec Class 3 Secure Server CA - G4",
        "Trend Micro CA",
        "Cisco Systems",
        "GoDaddy.com, Inc.",
        "Starfield Technologies, Inc.",
        "Actalis S.p.A.",
        "Buypass AS-983163327",
        "HARICA",
        "TWCA",
        "CFCA EV OCA",
        "WoTrus CA Limited",
        "TrustAsia Technologies, Inc.",
        "vTrus DV SSL CA",
        "SwissSign AG",
        "T-TeleSec GlobalRoot Class 2",
        "Cloudflare Inc ECC CA-3",
        "Letterlock mail.example.org",
        "",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (interceptor_of(slice_str(names[i])))
            fail_msg("%s", names[i]);
    assert_true(interceptor_count() > 60);
}

static void bits_have_words(void **state)
{
    struct buf out CLEANUP_BUF = BUF_INIT(1000);
    tls_put_versions(TLS_HAS_TLS13 | TLS_HAS_TLS12 | TLS_HAS_SSL30, LANG_EN, &out);
    assert_slice("TLS 1.3, TLS 1.2, SSL 3.0", buf_slice(&out));
    buf_clear(&out);
    tls_put_groups(TLS_GROUP_HYBRID | TLS_GROUP_FFDHE, LANG_EN, &out);
    assert_slice("X25519MLKEM768, FFDHE", buf_slice(&out));
    buf_clear(&out);
    tls_put_weak(TLS_WEAK_RC4 | TLS_WEAK_TRIPLE_DES, LANG_EN, &out);
    assert_slice("RC4, 3DES", buf_slice(&out));
    buf_clear(&out);
    tls_put_versions(0, LANG_EN, &out);
    assert_int_equal(out.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interceptors_are_known_by_their_issuers),
        cmocka_unit_test(public_authorities_are_no_interceptors),
        cmocka_unit_test(bits_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Ceremonies with a security key in software, right and wrong in every part: rows T-234 and T-235; T-237's attestations. */
#include "../test.h"

#include "../cases.h"
#include "../soft_key.h"
#include "base/encode.h"
#include "factor/ceremony.h"
#include "factor/cose.h"
#include "factor/verify.h"

static const char rp_id[] = "mail.ours.test";
static const char origin[] = "https://mail.ours.test";
static const uint8_t challenge[32] = {1, 2, 3, 0xff, 0xfe, 0xfb};
static const int algorithms[] = {SOFT_ES256, SOFT_EDDSA, SOFT_RS256};
static struct soft_key keys[3];

static struct ceremony expected_for(bool is_registration)
{
    static struct slice origins[2];
    origins[0] = S("https://portal.ours.test");
    origins[1] = slice_str(origin);
    return (struct ceremony){
        .is_registration = is_registration,
        .challenge = slice_of(challenge, sizeof challenge),
        .rp_id = slice_str(rp_id),
        .origins = origins,
        .origin_count = 2,
    };
}

/* What a case changes of a good ceremony. */
struct change {
    const char *type, *origin, *more, *rp_id;
    struct slice challenge;
    unsigned toggled;        /* flags besides, or without, SOFT_UP */
    const char *client_data; /* whole */
    bool needs_verified, needs_bound;
};
#define GOOD_CHANGE(...) ((struct change){__VA_ARGS__})

static const char *or_else(const char *text, const char *usual)
{
    return text ? text : usual;
}

static void client_data_of(const struct change *c, bool is_registration, struct buf *out)
{
    if (c->client_data) {
        buf_put_str(out, c->client_data);
        return;
    }
    const char *type = c->type ? c->type : is_registration ? "webauthn.create" : "webauthn.get";
    struct slice asked = c->challenge.p ? c->challenge : slice_of(challenge, sizeof challenge);
    soft_client_data(out, type, asked, or_else(c->origin, origin), or_else(c->more, ""));
}

static enum flaw assertion(const struct soft_key *key, const struct change *c)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), data CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct buf sig CLEANUP_BUF = BUF_INIT(SOFT_MOST), cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(false);
    expected.needs_verified = c->needs_verified;
    expected.needs_bound = c->needs_bound;
    uint32_t counter = 0;
    client_data_of(c, false, &client);
    soft_cose(key, &cose);
    soft_assert(key, or_else(c->rp_id, rp_id), SOFT_UP ^ c->toggled, buf_slice(&client), &data, &sig);
    struct ceremony_assertion answer = {buf_slice(&client), buf_slice(&data), buf_slice(&sig)};
    enum flaw flaw = ceremony_assert(&expected, buf_slice(&cose), &answer, &counter);
    assert_int_equal(counter, flaw == FLAW_NONE ? key->counter : 0);
    return flaw;
}

static enum flaw registration(const struct soft_key *key, const struct change *c, const char *format)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), made CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(true);
    expected.needs_verified = c->needs_verified;
    expected.needs_bound = c->needs_bound;
    struct ceremony_credential credential;
    client_data_of(c, true, &client);
    soft_register(key, or_else(c->rp_id, rp_id), SOFT_UP ^ c->toggled, format, buf_slice(&client), &made);
    enum flaw flaw = ceremony_register(&expected, buf_slice(&client), buf_slice(&made), &credential);
    if (flaw == FLAW_NONE) {
        struct buf cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        soft_cose(key, &cose);
        assert_true(slice_eq(credential.id, slice_of(key->id, SOFT_ID)));
        assert_true(slice_eq(credential.cose, buf_slice(&cose)));
    }
    return flaw;
}

static void right_answers_are_right(void **state)
{
    for (int i = 0; i < 3; i++) {
        assert_int_equal(registration(&keys[i], &GOOD_CHANGE(), "none"), FLAW_NONE);
        assert_int_equal(registration(&keys[i], &GOOD_CHANGE(), "packed"), FLAW_NONE);
        assert_int_equal(assertion(&keys[i], &GOOD_CHANGE()), FLAW_NONE);
        for (int k = 0; k < 3; k++) { /* another key's signature */
            if (k == i)
                continue;
            struct soft_key swapped = keys[k];
            swapped.algorithm = keys[k].algorithm;
            struct buf cose CLEANUP_BUF = BUF_INIT(SOFT_MOST), client CLEANUP_BUF = BUF_INIT(SOFT_MOST);
            struct buf data CLEANUP_BUF = BUF_INIT(SOFT_MOST), sig CLEANUP_BUF = BUF_INIT(SOFT_MOST);
            struct ceremony expected = expected_for(false);
            uint32_t counter;
            soft_cose(&keys[i], &cose);
            client_data_of(&GOOD_CHANGE(), false, &client);
            soft_assert(&swapped, rp_id, SOFT_UP, buf_slice(&client), &data, &sig);
            struct ceremony_assertion answer = {buf_slice(&client), buf_slice(&data), buf_slice(&sig)};
            assert_int_equal(ceremony_assert(&expected, buf_slice(&cose), &answer, &counter), FLAW_SIGNATURE);
        }
    }
}

/* ---- T-234 ---- */

static void origin_type_and_flags(void **state)
{
    struct cases cases = {.id = "T-234"};
    static const char *const origins[] = {
        "https://evil.test",
        "https://mail.ours.test.evil.test",
        "http://mail.ours.test",
        "https://mail.ours.test:8443",
        "https://mail.ours.test.",
        "https://MAIL.ours.test",
        "HTTPS://mail.ours.test",
        "https://mail.ours.test/",
        ("https://\xd0\xbc"
         "ail.ours.test"),
        "https://xn--ail-2cd.ours.test",
        "mail.ours.test",
        "",
        "null",
        "https://ours.test",
        "https://mail.ours.test\\u0000",
        "https://mail.ours.tes",
    };
    struct {
        struct change change;
        enum flaw wanted;
        const char *what;
    } others[] = {
        {GOOD_CHANGE(), FLAW_NONE, "as it should be"},
        {GOOD_CHANGE(.origin = "https://portal.ours.test"), FLAW_NONE, "another of our origins"},
        {GOOD_CHANGE(.more = ",\"crossOrigin\":false"), FLAW_NONE, "crossOrigin false"},
        {GOOD_CHANGE(.more = ",\"later\":{\"a\":[1,2.5,null]}"), FLAW_NONE, "members of a later level"},
        {GOOD_CHANGE(.more = ",\"tokenBinding\":{\"status\":\"supported\"}"), FLAW_NONE,
         "token binding possible"},
        {GOOD_CHANGE(.more = ",\"crossOrigin\":true"), FLAW_CROSS_ORIGIN, "crossOrigin true"},
        {GOOD_CHANGE(.more = ",\"crossOrigin\":\"false\""), FLAW_CROSS_ORIGIN, "crossOrigin a text"},
        {GOOD_CHANGE(.more = ",\"crossOrigin\":null"), FLAW_CROSS_ORIGIN, "crossOrigin null"},
        {GOOD_CHANGE(.more = ",\"topOrigin\":\"https://evil.test\""), FLAW_CROSS_ORIGIN, "topOrigin"},
        {GOOD_CHANGE(.more = ",\"tokenBinding\":{\"status\":\"present\",\"id\":\"AA\"}"), FLAW_TOKEN_BINDING,
         "token binding present"},
        {GOOD_CHANGE(.more = ",\"tokenBinding\":\"supported\""), FLAW_TOKEN_BINDING, "token binding a text"},
        {GOOD_CHANGE(.more = ",\"tokenBinding\":{}"), FLAW_TOKEN_BINDING, "token binding empty"},
        {GOOD_CHANGE(.type = "webauthn.GET"), FLAW_TYPE, "type in capitals"},
        {GOOD_CHANGE(.type = "payment.get"), FLAW_TYPE, "type of payments"},
        {GOOD_CHANGE(.type = ""), FLAW_TYPE, "no type"},
        {GOOD_CHANGE(.challenge = S("another")), FLAW_CHALLENGE, "another challenge"},
        {GOOD_CHANGE(.challenge = slice_of(challenge, 31)), FLAW_CHALLENGE, "a shorter challenge"},
        {GOOD_CHANGE(.challenge = slice_of("", 0)), FLAW_CHALLENGE, "an empty challenge"},
        {GOOD_CHANGE(.rp_id = "ours.test"), FLAW_RP_ID, "the parent domain's key"},
        {GOOD_CHANGE(.rp_id = "evil.test"), FLAW_RP_ID, "another site's key"},
        {GOOD_CHANGE(.toggled = SOFT_UP), FLAW_NOT_PRESENT, "flags 00"},
        {GOOD_CHANGE(.toggled = SOFT_UP | SOFT_UV), FLAW_NOT_PRESENT, "flags 04"},
        {GOOD_CHANGE(.toggled = 0, .needs_verified = true), FLAW_NOT_VERIFIED,
         "flags 01, policy wants a PIN"},
        {GOOD_CHANGE(.toggled = SOFT_UV, .needs_verified = true), FLAW_NONE, "flags 05, policy wants a PIN"},
        {GOOD_CHANGE(.toggled = SOFT_UV), FLAW_NONE, "flags 05"},
        {GOOD_CHANGE(.toggled = SOFT_BE), FLAW_NONE, "eligible for backup"},
        {GOOD_CHANGE(.toggled = SOFT_BE | SOFT_BS), FLAW_NONE, "backed up"},
        {GOOD_CHANGE(.toggled = SOFT_BS), FLAW_BACKUP, "backed up without being eligible"},
        {GOOD_CHANGE(.toggled = SOFT_BE, .needs_bound = true), FLAW_BACKUP, "policy wants bound keys"},
        {GOOD_CHANGE(.toggled = 0, .needs_bound = true), FLAW_NONE, "a bound key"},
        {GOOD_CHANGE(.client_data = "{}"), FLAW_CLIENT_DATA, "an empty object"},
        {GOOD_CHANGE(.client_data = "[]"), FLAW_CLIENT_DATA, "a list"},
        {GOOD_CHANGE(.client_data = ""), FLAW_CLIENT_DATA, "nothing"},
        {GOOD_CHANGE(.client_data = "\"webauthn.get\""), FLAW_CLIENT_DATA, "a text"},
        {GOOD_CHANGE(.client_data = "{\"type\":1,\"challenge\":2,\"origin\":3}"), FLAW_CLIENT_DATA,
         "numbers"},
        {GOOD_CHANGE(.more = ",\"origin\":\"https://mail.ours.test\""), FLAW_CLIENT_DATA, "origin twice"},
        {GOOD_CHANGE(.more = ",\"type\":\"webauthn.get\""), FLAW_CLIENT_DATA, "type twice"},
        {GOOD_CHANGE(.more = "}{"), FLAW_CLIENT_DATA, "two objects"},
        {GOOD_CHANGE(.more = ",\"x\":\"\xff\""), FLAW_CLIENT_DATA, "not UTF-8"},
        {GOOD_CHANGE(.more = ",\"x\":NaN"), FLAW_CLIENT_DATA, "no JSON"},
    };
    /* In both ceremonies: what one refuses, the other does. */
    for (int r = 0; r < 2; r++) {
        for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
            struct change c = GOOD_CHANGE(.origin = origins[i]);
            enum flaw flaw = r ? registration(&keys[0], &c, "none") : assertion(&keys[0], &c);
            bool has_nul = strstr(origins[i], "u0000") != NULL;
            cases_check(&cases, flaw == (has_nul ? FLAW_CLIENT_DATA : FLAW_ORIGIN), origins[i]);
        }
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            const struct change *c = &others[i].change;
            enum flaw flaw = r ? registration(&keys[0], c, "packed") : assertion(&keys[0], c);
            enum flaw wanted = others[i].wanted;
            if (r && c->more && strstr(c->more, "webauthn.get"))
                wanted = FLAW_CLIENT_DATA;
            if (flaw != wanted)
                print_message("%s: %s, not %s\n", others[i].what, flaw_name(flaw), flaw_name(wanted));
            cases_check(&cases, flaw == wanted, others[i].what);
        }
        struct change swapped = GOOD_CHANGE(.type = r ? "webauthn.get" : "webauthn.create");
        enum flaw flaw = r ? registration(&keys[0], &swapped, "none") : assertion(&keys[0], &swapped);
        cases_check(&cases, flaw == FLAW_TYPE, "the other ceremony's type");
    }
    /* rpIdHash: each bit. */
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    client_data_of(&GOOD_CHANGE(), false, &client);
    soft_cose(&keys[0], &cose);
    for (unsigned bit = 0; bit < 256; bit += 17) {
        struct buf data CLEANUP_BUF = BUF_INIT(SOFT_MOST), sig CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        struct buf to_sign CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        struct ceremony expected = expected_for(false);
        uint32_t counter;
        soft_authenticator_data(&keys[0], rp_id, SOFT_UP, NULL, SLICE_EMPTY, &data);
        data.p[bit / 8] ^= (char)(1 << bit % 8);
        soft_signed_data(buf_slice(&data), buf_slice(&client), &to_sign);
        soft_sign(&keys[0], buf_slice(&to_sign), &sig);
        struct ceremony_assertion answer = {buf_slice(&client), buf_slice(&data), buf_slice(&sig)};
        enum flaw flaw = ceremony_assert(&expected, buf_slice(&cose), &answer, &counter);
        cases_check(&cases, flaw == FLAW_RP_ID, "one bit of the rp id's hash");
    }
    cases_end(&cases, 60);
}

/* ---- T-235 ---- */

static enum flaw with_signature(const struct soft_key *key, struct slice sig)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), data CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct buf own CLEANUP_BUF = BUF_INIT(SOFT_MOST), cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(false);
    uint32_t counter;
    client_data_of(&GOOD_CHANGE(), false, &client);
    soft_cose(key, &cose);
    soft_assert(key, rp_id, SOFT_UP, buf_slice(&client), &data, &own);
    struct ceremony_assertion answer = {buf_slice(&client), buf_slice(&data), sig};
    return ceremony_assert(&expected, buf_slice(&cose), &answer, &counter);
}

static const char order_of_p256[] = "022100ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static void bad_signatures(struct cases *cases)
{
    static const char *const ders[] = {
        "",
        "3006020100020100",   /* r = s = 0 */
        "3006020101020100",   /* s = 0 */
        "3006020100020101",   /* r = 0 */
        "3006020101020101",   /* r = s = 1 */
        "30060201ff0201ff",   /* negative */
        "308106020101020101", /* long form of a short length */
        "30800201010201010000",
        "3007020101020101",
        "300602010102010100",
        "3005020101020101",
        "30",
        "00000000",
        "31060201010201010",
        "300602010102",
    };
    unsigned char octets[200];
    for (size_t i = 0; i < sizeof ders / sizeof *ders; i++) {
        size_t n = strlen(ders[i]) / 2;
        assert_int_equal(hex_get(slice_sub(slice_str(ders[i]), 0, n * 2), octets, n), OK);
        for (int k = 0; k < 3; k++)
            cases_check(cases, with_signature(&keys[k], slice_of(octets, n)) == FLAW_SIGNATURE, ders[i]);
    }
    /* r = n. */
    char r_is_n[160];
    snprintf(r_is_n, sizeof r_is_n, "3026%s020101", order_of_p256);
    size_t n = strlen(r_is_n) / 2;
    assert_int_equal(hex_get(slice_str(r_is_n), octets, n), OK);
    cases_check(cases, with_signature(&keys[0], slice_of(octets, n)) == FLAW_SIGNATURE, "r = n");
    /* Zeros of every length up to a whole RSA signature. */
    unsigned char zeros[257] = {0};
    for (size_t length = 0; length <= sizeof zeros; length += 16)
        for (int k = 0; k < 3; k++)
            cases_check(cases, with_signature(&keys[k], slice_of(zeros, length)) == FLAW_SIGNATURE, "zeros");
}

static void bad_key(struct cases *cases, const struct buf *cose, enum flaw wanted, const char *what)
{
    struct cose_key key;
    enum flaw flaw = cose_read(buf_slice(cose), &key);
    if (flaw == FLAW_NONE && !verify_key(&key))
        flaw = FLAW_KEY;
    if (flaw != wanted)
        print_message("%s: %s\n", what, flaw_name(flaw));
    cases_check(cases, flaw == wanted, what);
}

static void put_hex(struct buf *b, const char *hex)
{
    unsigned char octets[600];
    size_t n = strlen(hex) / 2;
    assert_int_equal(hex_get(slice_str(hex), octets, n), OK);
    buf_put(b, slice_of(octets, n));
}

static void bad_keys(struct cases *cases)
{
    uint8_t x[256] = {0}, y[32] = {0};
    struct buf b CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    soft_number(keys[0].pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32, x);
    soft_number(keys[0].pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32, y);
    soft_cose_ec(&b, x, y);
    bad_key(cases, &b, FLAW_NONE, "a point on the curve");
    y[31] ^= 1;
    buf_clear(&b), soft_cose_ec(&b, x, y);
    bad_key(cases, &b, FLAW_KEY, "a point not on the curve");
    memset(x, 0, 32), memset(y, 0, 32);
    buf_clear(&b), soft_cose_ec(&b, x, y);
    bad_key(cases, &b, FLAW_KEY, "the point 0, 0");
    memset(x, 0xff, 32);
    buf_clear(&b), soft_cose_ec(&b, x, y);
    bad_key(cases, &b, FLAW_KEY, "a coordinate above the field");
    /* Points of small order, with which signatures that nobody made would verify. */
    static const char *const small[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0100000000000000000000000000000000000000000000000000000000000080",
    };
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        assert_int_equal(hex_get(slice_str(small[i]), x, 32), OK);
        buf_clear(&b), soft_cose_ed(&b, x);
        bad_key(cases, &b, FLAW_KEY, small[i]);
    }
    soft_number(keys[2].pkey, OSSL_PKEY_PARAM_RSA_N, 256, x);
    static const struct {
        const char *e;
        size_t n;
        enum flaw wanted;
    } exponents[] = {{"\x01\x00\x01", 3, FLAW_NONE}, {"\x01", 1, FLAW_KEY},
                     {"\x03", 1, FLAW_KEY},          {"\x00\x00\x01", 3, FLAW_KEY},
                     {"\x01\x00\x00", 3, FLAW_KEY},  {"\x00\x01\x00\x01", 4, FLAW_KEY}};
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        buf_clear(&b), soft_cose_rsa(&b, x, (const uint8_t *)exponents[i].e, exponents[i].n);
        bad_key(cases, &b, exponents[i].wanted, "an RSA exponent");
    }
    x[255] &= 0xfe;
    buf_clear(&b), soft_cose_rsa(&b, x, (const uint8_t *)"\x01\x00\x01", 3);
    bad_key(cases, &b, FLAW_KEY, "an even modulus");
    memset(x, 0, 256), x[255] = 1;
    buf_clear(&b), soft_cose_rsa(&b, x, (const uint8_t *)"\x01\x00\x01", 3);
    bad_key(cases, &b, FLAW_KEY, "a modulus of one");
    static const struct {
        const char *hex, *what;
        enum flaw wanted;
    } shapes[] = {
        {"a0", "an empty map", FLAW_ALGORITHM},
        {"80", "a list", FLAW_KEY},
        {"a10326", "an algorithm alone", FLAW_KEY},
        {"a2010203381f", "an unknown algorithm", FLAW_ALGORITHM},
        {"a201020300", "algorithm 0", FLAW_ALGORITHM},
        {"a201020326", "no curve", FLAW_KEY},
        {"a2010203646e6f6e65", "a text for an algorithm", FLAW_ALGORITHM},
        {"bf01020326ff", "indefinite", FLAW_KEY},
        {"a201020126", "a label twice", FLAW_KEY},
        {"a301020326200120", "octets behind", FLAW_KEY},
        {"", "nothing", FLAW_KEY},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        buf_clear(&b), put_hex(&b, shapes[i].hex);
        bad_key(cases, &b, shapes[i].wanted, shapes[i].what);
    }
    /* A text for the octets of x, another curve, another type, a sixth member. */
    for (int what = 0; what < 4; what++) {
        uint8_t gx[32], gy[32];
        soft_number(keys[0].pkey, OSSL_PKEY_PARAM_EC_PUB_X, 32, gx);
        soft_number(keys[0].pkey, OSSL_PKEY_PARAM_EC_PUB_Y, 32, gy);
        buf_clear(&b);
        soft_head(&b, 5, what == 3 ? 6 : 5);
        soft_int(&b, 1), soft_int(&b, what == 2 ? 1 : 2);
        soft_int(&b, 3), soft_int(&b, SOFT_ES256);
        soft_int(&b, -1), soft_int(&b, what == 1 ? 2 : 1);
        soft_int(&b, -2);
        if (what == 0)
            soft_text(&b, S("01234567890123456789012345678901"));
        else
            soft_bytes(&b, slice_of(gx, 32));
        soft_int(&b, -3), soft_bytes(&b, slice_of(gy, 32));
        if (what == 3)
            soft_int(&b, 4), soft_int(&b, 1);
        bad_key(cases, &b, FLAW_KEY, "a member changed");
    }
}

/* Authenticator data and attestation objects of wrong shape. */
static void bad_shapes(struct cases *cases)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(true);
    client_data_of(&GOOD_CHANGE(), true, &client);
    soft_cose(&keys[0], &cose);
    static const struct {
        unsigned flags;
        bool with_cose;
        const char *tail;
        enum flaw wanted;
    } shapes[] = {
        {SOFT_UP | SOFT_AT, true, "", FLAW_NONE},
        {SOFT_UP | SOFT_AT, true, "00", FLAW_AUTHENTICATOR},         /* octets behind */
        {SOFT_UP | SOFT_AT | SOFT_ED, true, "", FLAW_AUTHENTICATOR}, /* no extensions */
        {SOFT_UP | SOFT_AT | SOFT_ED, true, "a0", FLAW_NONE},
        {SOFT_UP | SOFT_AT | SOFT_ED, true, "a000", FLAW_AUTHENTICATOR},
        {SOFT_UP | SOFT_AT | SOFT_ED, true, "80", FLAW_AUTHENTICATOR},
        {SOFT_UP | SOFT_AT | SOFT_ED, true, "bfff", FLAW_AUTHENTICATOR},
        {SOFT_UP | SOFT_AT, false, "", FLAW_AUTHENTICATOR},
        {SOFT_UP, true, "", FLAW_AUTHENTICATOR},
        {SOFT_UP, false, "", FLAW_AUTHENTICATOR},
        {SOFT_UP | SOFT_AT, false, "00000000000000000000000000000000ffff", FLAW_AUTHENTICATOR},
        {SOFT_UP | SOFT_AT, false, "000000000000000000000000000000000000a0", FLAW_AUTHENTICATOR}, /* no id */
        {SOFT_UP | SOFT_AT, false, "0000000000000000000000000000000000010180", FLAW_AUTHENTICATOR},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct buf tail CLEANUP_BUF = BUF_INIT(100), data CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        struct buf made CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        struct ceremony_credential credential;
        put_hex(&tail, shapes[i].tail);
        soft_authenticator_data(
            &keys[0], rp_id, shapes[i].flags, shapes[i].with_cose ? &cose : NULL, buf_slice(&tail), &data);
        soft_attestation(&keys[0], "none", buf_slice(&data), buf_slice(&client), &made);
        enum flaw flaw = ceremony_register(&expected, buf_slice(&client), buf_slice(&made), &credential);
        if (flaw != shapes[i].wanted)
            print_message("shape %zu: %s\n", i, flaw_name(flaw));
        cases_check(cases, flaw == shapes[i].wanted, "authenticator data");
    }
    /* Every cut of a good attestation, and one octet more. */
    struct buf good CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony_credential credential;
    soft_register(&keys[0], rp_id, SOFT_UP, "packed", buf_slice(&client), &good);
    for (size_t n = 0; n < good.n; n++)
        cases_check(
            cases,
            ceremony_register(&expected, buf_slice(&client), slice_of(good.p, n), &credential) != FLAW_NONE,
            "a cut attestation");
    buf_put_char(&good, 0);
    cases_check(
        cases,
        ceremony_register(&expected, buf_slice(&client), buf_slice(&good), &credential) == FLAW_ATTESTATION,
        "an octet behind");
}

static void mutate(struct slice from, struct buf *out, uint64_t *seed)
{
    buf_clear(out);
    buf_put(out, from);
    for (unsigned changes = 1 + (unsigned)(*seed >> 40) % 3; changes; changes--) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t at = (size_t)(*seed >> 33) % out->n;
        switch (*seed >> 30 & 7) {
        case 0:
            out->n = at ? at : 1;
            break;
        case 1:
            buf_put(out, slice_of(from.p, from.n - at));
            break;
        case 2:
            memmove(out->p + at, out->p + at + 1, out->n - at - 1);
            out->n -= out->n > 1;
            break;
        default:
            out->p[at] = (char)(out->p[at] ^ (1 << (*seed >> 20 & 7)));
        }
    }
}

static bool starts_as_known(const struct buf *changed, const struct buf *good)
{
    return slice_eq(buf_slice(changed), buf_slice(good));
}

/* No change of a signed registration or assertion is accepted: each octet is signed or has one right value. */
static void mutations(struct cases *cases)
{
    bool full = test_in_full();
    unsigned rounds = full ? 1000000 : 20000;
    uint64_t seed = 235;
    for (int k = 0; k < 3; k++) {
        struct buf client[2], good[2], sig CLEANUP_BUF = BUF_INIT(SOFT_MOST),
                                           cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        struct buf changed CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        for (int r = 0; r < 2; r++) {
            buf_init(&client[r], SOFT_MOST), buf_init(&good[r], SOFT_MOST);
            client_data_of(&GOOD_CHANGE(), r, &client[r]);
        }
        soft_cose(&keys[k], &cose);
        soft_assert(&keys[k], rp_id, SOFT_UP, buf_slice(&client[0]), &good[0], &sig);
        soft_register(&keys[k], rp_id, SOFT_UP, "packed", buf_slice(&client[1]), &good[1]);
        struct ceremony sign_in = expected_for(false), enrol = expected_for(true);
        for (unsigned i = 0; i < rounds / 3 + 1; i++) {
            struct ceremony_credential credential;
            struct ceremony_assertion answer = {buf_slice(&client[0]), buf_slice(&good[0]), buf_slice(&sig)};
            uint32_t counter;
            enum flaw flaw;
            struct buf *of = i % 2 ? &good[1] : i % 4 ? &good[0] : &sig;
            mutate(buf_slice(of), &changed, &seed);
            if (i % 2)
                flaw = ceremony_register(&enrol, buf_slice(&client[1]), buf_slice(&changed), &credential);
            else if (of == &sig)
                answer.signature = buf_slice(&changed),
                flaw = ceremony_assert(&sign_in, buf_slice(&cose), &answer, &counter);
            else
                answer.authenticator_data = buf_slice(&changed),
                flaw = ceremony_assert(&sign_in, buf_slice(&cose), &answer, &counter);
            cases_check(cases, flaw != FLAW_NONE || starts_as_known(&changed, of), "a mutation was taken");
        }
        for (int r = 0; r < 2; r++)
            buf_done(&client[r]), buf_done(&good[r]);
    }
}

static void hostile_encodings(void **state)
{
    struct cases cases = {.id = "T-235"};
    bad_signatures(&cases);
    bad_keys(&cases);
    bad_shapes(&cases);
    mutations(&cases);
    cases_end(&cases, 20000);
}

/* ---- T-237: attestation is not asked for, and its parser never falls ---- */

static void attestations_of_every_format(void **state)
{
    struct cases cases = {.id = "T-237"};
    static const struct {
        const char *format, *statement;
    } made[] = {
        {"none", "a16178"
                 "01"},
        {"packed", "a0"},
        {"packed", "a263616c672663736967"
                   "40"},
        {"packed", "a363616c67266373696740637835638140"},
        {"packed", "a363616c672663736967406a65636461614b657949644100"},
        {"tpm", "a56376657263322e3063616c6739fffe637369674063766572"
                "63322e30"
                "6770756241726561"
                "40"},
        {"tpm", "a0"},
        {"android-key", "a363616c67266373696740637835638140"},
        {"android-safetynet", "a2637665726131"
                              "68726573706f6e736540"},
        {"fido-u2f", "a2637369674063783563"
                     "8140"},
        {"apple", "a163783563"
                  "8140"},
        {"compound", "80"},
        {"", "a0"},
        {"NONE", "a0"},
    };
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(true);
    struct ceremony_credential credential;
    client_data_of(&GOOD_CHANGE(), true, &client);
    soft_cose(&keys[0], &cose);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        struct buf data CLEANUP_BUF = BUF_INIT(SOFT_MOST), object CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        soft_authenticator_data(&keys[0], rp_id, SOFT_UP | SOFT_AT, &cose, SLICE_EMPTY, &data);
        soft_head(&object, 5, 3);
        soft_text(&object, S("fmt")), soft_text(&object, slice_str(made[i].format));
        soft_text(&object, S("attStmt")), put_hex(&object, made[i].statement);
        soft_text(&object, S("authData")), soft_bytes(&object, buf_slice(&data));
        enum flaw flaw = ceremony_register(&expected, buf_slice(&client), buf_slice(&object), &credential);
        bool has_form = i == 2; /* an empty signature, else as it should be */
        cases_check(&cases, flaw == (has_form ? FLAW_SIGNATURE : FLAW_ATTESTATION), made[i].format);
    }
    /* "packed" by another key than the one it brings. */
    for (int k = 1; k < 3; k++) {
        struct buf data CLEANUP_BUF = BUF_INIT(SOFT_MOST), object CLEANUP_BUF = BUF_INIT(SOFT_MOST);
        struct soft_key liar = keys[k];
        soft_authenticator_data(&keys[0], rp_id, SOFT_UP | SOFT_AT, &cose, SLICE_EMPTY, &data);
        soft_attestation(&liar, "packed", buf_slice(&data), buf_slice(&client), &object);
        cases_check(
            &cases,
            ceremony_register(&expected, buf_slice(&client), buf_slice(&object), &credential) ==
                FLAW_ATTESTATION,
            "signed with another algorithm");
    }
    struct soft_key other = soft_key_new(SOFT_ES256);
    struct buf data CLEANUP_BUF = BUF_INIT(SOFT_MOST), object CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    soft_authenticator_data(&keys[0], rp_id, SOFT_UP | SOFT_AT, &cose, SLICE_EMPTY, &data);
    soft_attestation(&other, "packed", buf_slice(&data), buf_slice(&client), &object);
    cases_check(
        &cases,
        ceremony_register(&expected, buf_slice(&client), buf_slice(&object), &credential) == FLAW_SIGNATURE,
        "signed by another key");
    soft_key_free(&other);
    cases_end(&cases, 16);
}

int main(void)
{
    crypto_init();
    factor_init();
    for (int i = 0; i < 3; i++)
        keys[i] = soft_key_new(algorithms[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_answers_are_right),
        cmocka_unit_test(origin_type_and_flags),
        cmocka_unit_test(hostile_encodings),
        cmocka_unit_test(attestations_of_every_format),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < 3; i++)
        soft_key_free(&keys[i]);
    return failed;
}

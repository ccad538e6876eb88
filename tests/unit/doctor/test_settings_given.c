#include "test.h"

#include "doctor/settings_given.h"

struct look {
    struct knowledge *k;
    struct examination x;
    struct checked *c;
};

static void look_init(struct look *l, const char *domain, const struct endpoint *e)
{
    l->k = knowledge_built_in();
    examination_init(&l->x, l->k);
    l->x.domain = slice_str(domain);
    l->x.provider = knowledge_provider_of(l->k, l->x.domain);
    l->c = examination_add(&l->x, e);
    assert_non_null(l->c);
}

static void look_done(struct look *l)
{
    examination_done(&l->x);
    knowledge_free(&l->k);
}

/* `wanted`: the one note, or OBSERVED_N: none. */
static void check_as(
    const char *domain, const char *provider, enum service service, const char *host, uint16_t port,
    enum security security, enum observed wanted)
{
    struct look l;
    look_init(
        &l, domain,
        &(struct endpoint){.service = service, .host = slice_str(host), .port = port, .security = security});
    if (provider)
        l.x.provider = knowledge_provider(l.k, slice_str(provider));
    settings_given_look(&l.x, l.c);
    const struct notes *n = &l.c->notes;
    if (n->count != (wanted != OBSERVED_N) || (wanted != OBSERVED_N && !notes_have(n, wanted)))
        fail_msg(
            "%s at %s:%u: %zu notes, first %.*s", domain, host, port, n->count,
            SLICE_ARG(n->count ? n->rows[0].diagnosis->id : SLICE_EMPTY));
    if (n->count) {
        assert_int_equal(n->rows[0].step, STEP_FIND);
        assert_int_equal(n->rows[0].tone, TONE_WARNING);
    }
    look_done(&l);
}

static void check(const char *domain, enum service service, const char *host, enum observed wanted)
{
    check_as(domain, NULL, service, host, port_of(service, SECURITY_TLS), SECURITY_TLS, wanted);
}

static void check_mode(enum service service, uint16_t port, enum security security, enum observed wanted)
{
    check_as("example.org", NULL, service, "a.example.org", port, security, wanted);
}

static void right_settings_have_no_note(void **state)
{
    check("example.org", SERVICE_IMAP, "imap.example.org", OBSERVED_N);
    check("example.org", SERVICE_SMTP, "192.0.2.1", OBSERVED_N);
    check("example.org", SERVICE_IMAP, "mail", OBSERVED_N);
    check("gmail.com", SERVICE_IMAP, "imap.gmail.com", OBSERVED_N);
    check("mail.de", SERVICE_IMAP, "imap.mail.de", OBSERVED_N);
    check("example.org", SERVICE_IMAP, "imap.mail.de", OBSERVED_N);
    check("vip.163.com", SERVICE_IMAP, "imap.vip.163.com", OBSERVED_N);
    check("163.com", SERVICE_SMTP, "smtp.163.com", OBSERVED_N);
    check("rogers.com", SERVICE_IMAP, "imap.mail.yahoo.com", OBSERVED_N);
    check("cox.net", SERVICE_IMAP, "imap.mail.yahoo.com", OBSERVED_N);
    check("freenet.de", SERVICE_SMTP, "mx.freenet.de", OBSERVED_N);
    check("ukr.net", SERVICE_POP3, "pop.ukr.net", OBSERVED_N);
    check("pm.me", SERVICE_IMAP, "127.0.0.1", OBSERVED_N);
    check("pm.me", SERVICE_IMAP, "localhost", OBSERVED_N);
}

static void ports_and_modes(void **state)
{
    check_mode(SERVICE_IMAP, 993, SECURITY_STARTTLS, OBSERVED_PORT_993_STARTTLS);
    check_mode(SERVICE_IMAP, 993, SECURITY_NONE, OBSERVED_PORT_993_STARTTLS);
    check_mode(SERVICE_POP3, 995, SECURITY_STARTTLS, OBSERVED_PORT_995_STARTTLS);
    check_mode(SERVICE_SMTP, 465, SECURITY_NONE, OBSERVED_PORT_465_STARTTLS);
    check_mode(SERVICE_IMAP, 143, SECURITY_TLS, OBSERVED_PORT_143_SSL);
    check_mode(SERVICE_POP3, 110, SECURITY_TLS, OBSERVED_PORT_110_SSL);
    check_mode(SERVICE_SMTP, 587, SECURITY_TLS, OBSERVED_PORT_587_SSL);
    check_mode(SERVICE_IMAP, 993, SECURITY_UNKNOWN, OBSERVED_N);
    check_mode(SERVICE_IMAP, 143, SECURITY_STARTTLS, OBSERVED_N);
    check_mode(SERVICE_IMAP, 143, SECURITY_NONE, OBSERVED_N);
    check_mode(SERVICE_IMAP, 10993, SECURITY_TLS, OBSERVED_N);
    check_mode(SERVICE_IMAP, 995, SECURITY_TLS, OBSERVED_PORT_OF_OTHER_SERVICE);
    check_mode(SERVICE_POP3, 143, SECURITY_STARTTLS, OBSERVED_PORT_OF_OTHER_SERVICE);
    check_mode(SERVICE_SMTP, 993, SECURITY_TLS, OBSERVED_PORT_OF_OTHER_SERVICE);
    check_mode(SERVICE_IMAP, 587, SECURITY_STARTTLS, OBSERVED_PORT_OF_OTHER_SERVICE);
    check_mode(SERVICE_SMTP, 25, SECURITY_STARTTLS, OBSERVED_PORT_25_SUBMISSION);
    check_as("126.com", NULL, SERVICE_SMTP, "smtp.126.com", 25, SECURITY_STARTTLS, OBSERVED_PORT_994_NETEASE);
    check_as("126.com", NULL, SERVICE_SMTP, "smtp.126.com", 994, SECURITY_TLS, OBSERVED_N);
}

static void names_of_hosts(void **state)
{
    check("example.org", SERVICE_IMAP, "smtp.example.org", OBSERVED_HOST_MIXED_UP);
    check("example.org", SERVICE_SMTP, "imap.example.org", OBSERVED_HOST_MIXED_UP);
    check("example.org", SERVICE_SMTP, "pop3.example.org", OBSERVED_HOST_MIXED_UP);
    check("163.com", SERVICE_IMAP, "mail.163.com", OBSERVED_HOST_IS_WEBMAIL);
    check("example.org", SERVICE_IMAP, "webmail.example.org", OBSERVED_HOST_IS_WEBMAIL);
    check("qq.com", SERVICE_IMAP, "imap.qq.cn", OBSERVED_HOST_WRONG_SUFFIX);
    check("yeah.net", SERVICE_SMTP, "smtp.yeah.com", OBSERVED_HOST_WRONG_SUFFIX);
    check("example.org", SERVICE_IMAP, "imap.gmail.cn", OBSERVED_HOST_WRONG_SUFFIX);
    check("gmail.com", SERVICE_IMAP, "imap.gmial.com", OBSERVED_HOST_TYPO);
    check("example.org", SERVICE_IMAP, "imap.gmial.com", OBSERVED_HOST_TYPO);
    check("web.de", SERVICE_SMTP, "smpt.web.de", OBSERVED_HOST_TYPO);
}

static void hosts_of_others(void **state)
{
    check("qq.com", SERVICE_IMAP, "imap.exmail.qq.com", OBSERVED_EXMAIL_WRONG_HOST);
    check_as(
        "example.org", "tencent-exmail", SERVICE_IMAP, "imap.qq.com", 993, SECURITY_TLS,
        OBSERVED_EXMAIL_WRONG_HOST);
    check("gmx.com", SERVICE_IMAP, "imap.gmx.net", OBSERVED_GMX_COM_VS_NET);
    check("gmx.de", SERVICE_IMAP, "imap.gmx.com", OBSERVED_GMX_COM_VS_NET);
    check_as(
        "example.org", "zoho-custom-domain", SERVICE_IMAP, "imap.zoho.com", 993, SECURITY_TLS,
        OBSERVED_ZOHO_CUSTOM_DOMAIN_HOST);
    check("verizon.net", SERVICE_IMAP, "incoming.verizon.net", OBSERVED_VERIZON_MOVED_TO_AOL);
    check("gmail.com", SERVICE_IMAP, "imap.qq.com", OBSERVED_HOST_OTHER_PROVIDER);
    check("126.com", SERVICE_IMAP, "imap.163.com", OBSERVED_N);
    check("icloud.com", SERVICE_POP3, "pop.mail.me.com", OBSERVED_ICLOUD_NO_POP);
    check("pm.me", SERVICE_IMAP, "imap.protonmail.com", OBSERVED_PROTON_NO_DIRECT_IMAP);
    check("hey.com", SERVICE_SMTP, "smtp.hey.com", OBSERVED_PROVIDER_WITHOUT_IMAP);
}

static void the_field_as_typed(void **state)
{
    static const struct {
        const char *typed;
        bool odd;
    } cases[] = {{"imap.example.org", false},  {"imap.example.org:993", false},
                 {"[2001:db8::1]:993", false}, {"imaps://imap.example.org", true},
                 {"imap.example.org/", true},  {"alice@imap.example.org", true},
                 {" imap.example.org", true},  {"imap.example.org 993", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct look l;
        look_init(
            &l, "example.org",
            &(struct endpoint){.service = SERVICE_IMAP, .host = S("imap.example.org"), .port = 993});
        settings_typed_look(slice_str(cases[i].typed), l.c);
        if (notes_have(&l.c->notes, OBSERVED_HOST_HAS_SCHEME) != cases[i].odd)
            fail_msg("%s", cases[i].typed);
        look_done(&l);
    }
}

static void what_the_domain_publishes(void **state)
{
    const struct endpoint published[] = {
        {.service = SERVICE_SMTP, .host = S("out.example.org"), .port = 465, .source = SOURCE_SRV},
        {.service = SERVICE_IMAP, .host = S("in.example.org"), .port = 993, .source = SOURCE_SRV},
        {.service = SERVICE_IMAP, .host = S("in.example.org"), .port = 143, .source = SOURCE_SRV}};
    struct look l;
    look_init(
        &l, "example.org",
        &(struct endpoint){.service = SERVICE_IMAP, .host = S("in.example.org"), .port = 143});
    settings_published_look(l.c, published, 3);
    assert_int_equal(l.c->notes.count, 0);
    l.c->endpoint.port = 144;
    settings_published_look(l.c, published, 1);
    assert_int_equal(l.c->notes.count, 0);
    settings_published_look(l.c, published, 3);
    assert_int_equal(l.c->notes.count, 1);
    assert_int_equal(l.c->notes.rows[0].fact, FACT_PUBLISHED);
    assert_slice("in.example.org:993", l.c->notes.rows[0].args[1]);
    look_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_settings_have_no_note),
        cmocka_unit_test(ports_and_modes),
        cmocka_unit_test(names_of_hosts),
        cmocka_unit_test(hosts_of_others),
        cmocka_unit_test(the_field_as_typed),
        cmocka_unit_test(what_the_domain_publishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Which server's settings are given, and what is written for each program. */
#include "test.h"

#include "doctor/settings.h"
#include "doctor_knowledge.h"

static struct checked *
add(struct examination *x, enum service service, const char *host, uint16_t port, enum security security)
{
    const struct endpoint e = {
        .service = service,
        .host = slice_str(host),
        .port = port,
        .security = security,
        .source = SOURCE_SRV};
    struct checked *s = examination_add(x, &e);
    assert_non_null(s);
    return s;
}

static void set_up(struct examination *x)
{
    examination_init(x, k);
    x->address = S("alice@example.org");
    x->domain = S("example.org");
}

static void the_server_that_did_most_is_taken(void **state)
{
    struct examination x;
    struct program_servers p;
    set_up(&x);
    program_servers_of(&x, &p);
    assert_null(p.in);
    assert_null(p.out);
    struct checked *dead = add(&x, SERVICE_IMAP, "typo.example.org", 993, SECURITY_TLS);
    dead->endpoint.source = SOURCE_GIVEN;
    struct checked *plain = add(&x, SERVICE_IMAP, "imap.example.org", 143, SECURITY_STARTTLS);
    struct checked *pop = add(&x, SERVICE_POP3, "pop.example.org", 995, SECURITY_TLS);
    struct checked *smtp = add(&x, SERVICE_SMTP, "smtp.example.org", 465, SECURITY_TLS);
    program_servers_of(&x, &p);
    assert_ptr_equal(p.in, dead); /* nothing answers: what the person named */
    assert_ptr_equal(p.out, smtp);
    plain->standing = (struct standing){.connected = true, .greeted = true, .private_ = true};
    program_servers_of(&x, &p);
    assert_ptr_equal(p.in, plain);
    pop->standing = plain->standing;
    program_servers_of(&x, &p);
    assert_ptr_equal(p.in, plain); /* IMAP before POP3 */
    pop->standing.signed_in = true;
    program_servers_of(&x, &p);
    assert_ptr_equal(p.in, pop);
    plain->standing.works = plain->standing.signed_in = true;
    struct checked *tls = add(&x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS);
    tls->standing = plain->standing;
    program_servers_of(&x, &p);
    assert_ptr_equal(p.in, tls); /* TLS at once before STARTTLS */
    assert_slice("alice@example.org", p.in_user);
    tls->endpoint.user = S("alice");
    tls->notes.step = STEP_SIGN_IN;
    program_servers_of(&x, &p);
    assert_slice("alice", p.in_user);
    notes_fact(&tls->notes, TONE_GOOD, FACT_SIGNED_IN, S("PLAIN"), S("EXAMPLE\\alice"), SLICE_EMPTY);
    program_servers_of(&x, &p);
    assert_slice("EXAMPLE\\alice", p.in_user);
    struct buf out CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
    assert_err(ERR_UNSUPPORTED, program_settings_put(PROGRAM_MBSYNC, &x, SLICE_EMPTY, LANG_EN, &out));
    assert_ok(program_settings_put(PROGRAM_THUNDERBIRD, &x, SLICE_EMPTY, LANG_EN, &out));
    assert_true(slice_search(buf_slice(&out), S("EXAMPLE\\alice")) != SLICE_NPOS);
    examination_done(&x);
}

static void assert_lines(struct slice text, const char *const *lines)
{
    for (; *lines; lines++) {
        char line[300];
        int n = snprintf(line, sizeof line, "\n%s\n", *lines);
        if (slice_search(text, slice_of(line, (size_t)n)) == SLICE_NPOS)
            fail_msg("no line \"%s\" in:\n" SLICE_FMT, *lines, SLICE_ARG(text));
    }
}

static void files_are_exact(void **state)
{
    static const struct {
        enum program program;
        const char *lines[14];
    } rows[] = {
        {PROGRAM_MBSYNC,
         {"Host \"imap.example.org\"", "Port 993", "User \"alice@example.org\"", "SSLType IMAPS",
          "CertificateFile \"/etc/ca file.pem\"", "Far \":example.org-server:\"",
          "Inbox \"~/Mail/alice@example.org/INBOX\"", NULL}},
        {PROGRAM_MSMTP,
         {"account example.org", "host 2001:db8::1", "port 587", "tls on", "tls_starttls on", "auth on",
          "user \"alice@example.org\"", "from \"alice@example.org\"", "account default : example.org",
          "tls_trust_file \"/etc/ca file.pem\"", NULL}},
        {PROGRAM_NEOMUTT,
         {"set from = 'alice@example.org'", "set ssl_force_tls = yes", "set ssl_starttls = yes",
          "set folder = 'imaps://imap.example.org:993/'", "set imap_user = 'alice@example.org'",
          "set smtp_url = 'smtp://alice%40example.org@[2001:db8::1]:587/'", "set spool_file = '+INBOX'",
          NULL}},
        {PROGRAM_THUNDERBIRD,
         {"Incoming server", "  Protocol              IMAP", "  Hostname              imap.example.org",
          "  Port                  993", "  Connection security   SSL/TLS", "Outgoing server",
          "  Connection security   STARTTLS", "  Authentication method Normal password", NULL}},
    };
    struct examination x;
    set_up(&x);
    add(&x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS);
    add(&x, SERVICE_SMTP, "2001:db8::1", 587, SECURITY_STARTTLS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf en CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX), zh CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
        assert_ok(program_settings_put(rows[i].program, &x, S("/etc/ca file.pem"), LANG_EN, &en));
        assert_ok(program_settings_put(rows[i].program, &x, SLICE_EMPTY, LANG_ZH, &zh));
        assert_lines(buf_slice(&en), rows[i].lines);
        assert_true(slice_search(buf_slice(&zh), S("/etc/ca")) == SLICE_NPOS);
        assert_true(slice_search_nocase(buf_slice(&en), S("\npass")) == SLICE_NPOS);
    }
    examination_done(&x);
}

static void what_is_in_clear_says_so(void **state)
{
    struct examination x;
    set_up(&x);
    add(&x, SERVICE_IMAP, "imap.example.org", 143, SECURITY_NONE);
    add(&x, SERVICE_SMTP, "smtp.example.org", 25, SECURITY_NONE);
    for (int p = 0; p < PROGRAM_APPLE; p++) {
        struct buf out CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
        assert_ok(program_settings_put((enum program)p, &x, SLICE_EMPTY, LANG_EN, &out));
        assert_true(slice_search(buf_slice(&out), S("thers")) != SLICE_NPOS);
    }
    examination_done(&x);
}

static void names_that_would_break_a_file_are_refused(void **state)
{
    static const char *const names[] = {"a\"b@example.org",  "a'b@example.org",          "a\\b@example.org",
                                        "a`id`@example.org", "a\nPassCmd x@example.org", "\xff@example.org"};
    struct examination x;
    set_up(&x);
    add(&x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS);
    add(&x, SERVICE_SMTP, "smtp.example.org", 465, SECURITY_TLS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int p = PROGRAM_NEOMUTT; p <= PROGRAM_MSMTP; p++) {
            struct buf out CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
            x.address = slice_str(names[i]);
            assert_err(
                ERR_UNSUPPORTED, program_settings_put((enum program)p, &x, SLICE_EMPTY, LANG_EN, &out));
            assert_int_equal(out.n, 0);
        }
    examination_done(&x);
}

static void programs_without_their_servers(void **state)
{
    struct examination x;
    struct buf out CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
    enum program p;
    set_up(&x);
    for (int i = 0; i < PROGRAM_APPLE; i++)
        assert_err(ERR_NOT_FOUND, program_settings_put((enum program)i, &x, SLICE_EMPTY, LANG_EN, &out));
    add(&x, SERVICE_POP3, "pop.example.org", 995, SECURITY_TLS);
    assert_err(ERR_NOT_FOUND, program_settings_put(PROGRAM_MBSYNC, &x, SLICE_EMPTY, LANG_EN, &out));
    assert_ok(program_settings_put(PROGRAM_NEOMUTT, &x, SLICE_EMPTY, LANG_EN, &out));
    assert_true(
        slice_search(buf_slice(&out), S("'pops://alice%40example.org@pop.example.org:995/'")) != SLICE_NPOS);
    assert_ok(program_parse(S("apple"), &p));
    assert_int_equal(p, PROGRAM_APPLE);
    assert_err(ERR_NOT_FOUND, program_parse(S("outlook"), &p));
    examination_done(&x);
}

static void neomutt_is_kept_from_channel_binding(void **state)
{
    struct examination x;
    struct buf out CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
    set_up(&x);
    struct checked *in = add(&x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS);
    struct checked *smtp = add(&x, SERVICE_SMTP, "smtp.example.org", 465, SECURITY_TLS);
    notes_fact(
        &in->notes, TONE_GOOD, FACT_MECHANISMS, S("SCRAM-SHA-256-PLUS PLAIN LOGIN"), SLICE_EMPTY,
        SLICE_EMPTY);
    notes_fact(&smtp->notes, TONE_GOOD, FACT_MECHANISMS, S("SCRAM-SHA-256 PLAIN"), SLICE_EMPTY, SLICE_EMPTY);
    assert_ok(program_settings_put(PROGRAM_NEOMUTT, &x, SLICE_EMPTY, LANG_EN, &out));
    assert_true(slice_search(buf_slice(&out), S("set imap_authenticators = 'plain:login'\n")) != SLICE_NPOS);
    assert_true(slice_search(buf_slice(&out), S("smtp_authenticators")) == SLICE_NPOS);
    examination_done(&x);
}

static void who_takes_codes_is_told(void **state)
{
    struct examination x;
    struct buf out CLEANUP_BUF = BUF_INIT(PROGRAM_TEXT_MAX);
    set_up(&x);
    x.provider = knowledge_provider(k, S("qq"));
    add(&x, SERVICE_IMAP, "imap.qq.com", 993, SECURITY_TLS);
    assert_ok(program_settings_put(PROGRAM_THUNDERBIRD, &x, SLICE_EMPTY, LANG_ZH, &out));
    assert_true(slice_search(buf_slice(&out), S("授权码")) != SLICE_NPOS);
    examination_done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_that_did_most_is_taken),
        cmocka_unit_test(files_are_exact),
        cmocka_unit_test(what_is_in_clear_says_so),
        cmocka_unit_test(names_that_would_break_a_file_are_refused),
        cmocka_unit_test(programs_without_their_servers),
        cmocka_unit_test(neomutt_is_kept_from_channel_binding),
        cmocka_unit_test(who_takes_codes_is_told),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}

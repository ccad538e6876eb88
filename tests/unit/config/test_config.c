/* Values by key: defaults, texts and back, a role's share, comparing, the commented file. */
#include "test.h"

#include "base/limits.h"
#include "config/config.h"
#include "config/nearest.h"

#define HEAD "hostname = mail.ours.test\nlisten = imaps *:993\ncertificate = tls/a.pem tls/a.key\n"

static struct config *parse_ok(const char *text)
{
    struct config_errors *errors = config_errors_new();
    struct config *c = NULL;
    enum err e = config_parse(slice_str(text), errors, &c);
    for (size_t i = 0; i < config_error_count(errors); i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(4096);
        config_error_put(config_error(errors, i), LANG_EN, &out);
        print_message("line %u: %s\n", config_error(errors, i)->line, buf_cstr(&out));
    }
    assert_ok(e);
    config_errors_free(&errors);
    assert_null(errors);
    return c;
}

static void test_defaults(void **state)
{
    struct config *c = parse_ok(HEAD);
    assert_slice("mail.ours.test", config_text(c, CONFIG_HOSTNAME));
    assert_int_equal(config_number(c, CONFIG_MESSAGE_SIZE), LIMIT_MESSAGE);
    assert_int_equal(config_number(c, CONFIG_RECIPIENTS), LIMIT_SMTP_RCPT_MX);
    assert_int_equal(config_number(c, CONFIG_SUBMISSION_RECIPIENTS), LIMIT_SMTP_RCPT_SUBMISSION);
    assert_int_equal(config_number(c, CONFIG_SIGNIN_TRIES), LIMIT_SIGNIN_TRIES);
    assert_int_equal(config_number(c, CONFIG_CONNECTIONS_PER_NETWORK), LIMIT_PREAUTH_PER_NET);
    assert_int_equal(config_number(c, CONFIG_CONNECTIONS_WAITING), LIMIT_PREAUTH_CONNECTIONS);
    assert_int_equal(config_number(c, CONFIG_TIMEOUT_SIGNIN), LIMIT_PREAUTH_TIME);
    assert_int_equal(config_number(c, CONFIG_TIMEOUT_SMTP), LIMIT_COMMAND_WAIT);
    assert_int_equal(config_number(c, CONFIG_OPEN_ACCOUNTS), LIMIT_OPEN_ACCOUNTS);
    assert_int_equal(config_number(c, CONFIG_SESSIONS), LIMIT_SESSIONS);
    assert_int_equal(config_number(c, CONFIG_MAILBOX_PASSWORD_IMAP), CONFIG_NEVER);
    assert_int_equal(config_number(c, CONFIG_MAILBOX_PASSWORD_POP3), CONFIG_NEVER);
    assert_int_equal(config_number(c, CONFIG_MAILBOX_PASSWORD_SUBMISSION), CONFIG_NEVER);
    assert_true(config_is(c, CONFIG_HIDE_CLIENT_ADDRESS));
    assert_int_equal(config_plus_separator(c), '+');
    assert_false(config_is_set(c, CONFIG_GATES));
    assert_true(config_is_set(c, CONFIG_LISTEN));
    size_t count = 1;
    config_networks(c, CONFIG_CONNECTIONS_EXEMPT, &count);
    assert_int_equal(count, 0);
    config_free(&c);
    assert_null(c);
    config_free(&c);
}

static void test_every_row(void **state)
{
    for (int i = 0; i < CONFIG_KEYS; i++) {
        const struct config_row *row = config_row((enum config_key)i);
        enum config_key found;
        assert_ok(config_key_find(slice_str(row->name), &found));
        assert_int_equal(found, i);
        assert_true(row->help.in[LANG_EN][0] && row->help.in[LANG_ZH][0]);
        /* what is neither required nor preset has no value: some files, and what the directory wants */
        bool may_be_none = i == CONFIG_CLIENT_CERTIFICATES || i == CONFIG_VAULT_KEYS ||
                           (i >= CONFIG_DIRECTORY && i <= CONFIG_DIRECTORY_REFRESH);
        assert_true(row->required == (row->preset == NULL) || (may_be_none && !row->required));
        assert_true(row->roles != 0);
        if (row->most)
            assert_true(row->least >= 1 && row->least <= row->most);
    }
    enum config_key found;
    assert_err(ERR_NOT_FOUND, config_key_find(S("hostnam"), &found));
    assert_err(ERR_NOT_FOUND, config_key_find(S(""), &found));
}

static void test_measures(void **state)
{
    static const struct {
        const char *text;
        enum config_key key;
        uint64_t wanted;
        const char *written;
    } cases[] = {
        {"message_size = 65536 B\n", CONFIG_MESSAGE_SIZE, 65536, "64 KiB"},
        {"message_size = 100MiB\n", CONFIG_MESSAGE_SIZE, 104857600, "100 MiB"},
        {"message_size=65537B", CONFIG_MESSAGE_SIZE, 65537, "65537 B"},
        {"quota_default = 1 TiB\n", CONFIG_QUOTA_DEFAULT, 1ull << 40, "1 TiB"},
        {"why_retention = 48 h\n", CONFIG_WHY_RETENTION, 172800000, "2 d"},
        {"failures_delay = 1500 ms\n", CONFIG_FAILURES_DELAY, 1500, "1500 ms"},
        {"  failures_window\t=\t2min # a comment\n", CONFIG_FAILURES_WINDOW, 120000, "2 min"},
        {"signin_tries = 1", CONFIG_SIGNIN_TRIES, 1, "1"},
        {"signin_tries = \"10\"\n", CONFIG_SIGNIN_TRIES, 10, "10"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[500];
        snprintf(text, sizeof text, "%s%s", HEAD, cases[i].text);
        struct config *c = parse_ok(text);
        struct buf out CLEANUP_BUF = BUF_INIT(100);
        assert_int_equal(config_number(c, cases[i].key), cases[i].wanted);
        config_put_value(c, cases[i].key, 0, &out);
        assert_string_equal(buf_cstr(&out), cases[i].written);
        config_free(&c);
    }
}

static void test_processes(void **state)
{
    struct config *c = parse_ok(HEAD);
    assert_int_equal(config_processes(c, CONFIG_GATES, 4), 4);
    assert_int_equal(config_processes(c, CONFIG_KEEPERS, 4), 8);
    assert_int_equal(config_processes(c, CONFIG_KEEPERS, 1), 2);
    assert_int_equal(config_processes(c, CONFIG_GATES, 1000), 64);
    config_free(&c);
    c = parse_ok(HEAD "gates = 3\nkeepers = 5\n");
    assert_int_equal(config_processes(c, CONFIG_GATES, 16), 3);
    assert_int_equal(config_processes(c, CONFIG_KEEPERS, 16), 5);
    config_free(&c);
}

static void test_listeners_and_certificates(void **state)
{
    struct config *c = parse_ok(
        "hostname = Mail.Ours.TEST\n"
        "listen = smtp 0.0.0.0:25\nlisten = smtp [::]:25\nlisten = imaps [2001:db8::1]:993\n"
        "listen = submission 127.0.0.1:587\nlisten = submissions 127.0.0.2:587\nlisten = pop3s *:995\n"
        "certificate = \"my certs/a \\\"b\\\\.pem\" tls/a.key one.ours.test TWO.ours.test\n"
        "certificate = /etc/b.pem /etc/b.key\n");
    assert_slice("mail.ours.test", config_text(c, CONFIG_HOSTNAME));
    assert_int_equal(config_listeners(c), 6);
    assert_int_equal(config_listener(c, 0)->door, DOOR_SMTP);
    assert_int_equal(config_listener(c, 0)->port, 25);
    assert_true(ip_is_v4(&config_listener(c, 0)->ip));
    assert_false(config_listener(c, 1)->every);
    assert_true(config_listener(c, 5)->every);
    assert_int_equal(config_certificates(c), 2);
    const struct config_certificate *cert = config_certificate(c, 0);
    assert_slice("my certs/a \"b\\.pem", cert->chain);
    assert_slice("tls/a.key", cert->key);
    assert_int_equal(cert->name_count, 2);
    assert_slice("two.ours.test", cert->names[1]);
    assert_int_equal(config_certificate(c, 1)->name_count, 0);
    config_free(&c);
}

static void test_networks(void **state)
{
    struct config *c = parse_ok(HEAD "connections_exempt = 192.0.2.0/24 2001:db8::/32 203.0.113.7\n");
    struct ip in, out;
    assert_ok(ip_parse(S("192.0.2.200"), &in));
    assert_ok(ip_parse(S("192.0.3.1"), &out));
    assert_true(config_networks_have(c, CONFIG_CONNECTIONS_EXEMPT, &in));
    assert_false(config_networks_have(c, CONFIG_CONNECTIONS_EXEMPT, &out));
    struct buf text CLEANUP_BUF = BUF_INIT(200);
    config_put_value(c, CONFIG_CONNECTIONS_EXEMPT, 0, &text);
    assert_string_equal(buf_cstr(&text), "192.0.2.0/24 2001:db8::/32 203.0.113.7/32");
    config_free(&c);
}

/* A role's share, fed to a new config. */
static enum err feed(struct slice key, struct slice value, void *arg)
{
    return config_set_text(arg, key, value);
}

static const char full[] =
    "hostname = mail.ours.test\nlisten = smtp *:25\nlisten = imaps [::1]:993\n"
    "certificate = \"a b.pem\" a.key x.ours.test\ncertificate = b.pem \"#b.key\"\n"
    "gates = 2\nlog_level = debug\nmessage_size = 10 MiB\nplus_separator = none\nhide_client_address = no\n"
    "mailbox_password_imap = allowed\nconnections_exempt = 10.0.0.0/8 ::1\nwhy_retention = 90 min\n";

static void test_share(void **state)
{
    struct config *c = parse_ok(full), *all = config_new(), *vault = config_new();
    struct config_changes changes;
    assert_ok(config_each(c, CONFIG_FOR_ALL, feed, all));
    config_compare(c, all, &changes);
    for (int i = 0; i < CONFIG_KEYS; i++)
        if (changes.changed[i])
            fail_msg("%s differs", config_row((enum config_key)i)->name);
    assert_ok(config_each(c, CONFIG_FOR_VAULT, feed, vault));
    assert_int_equal(config_number(vault, CONFIG_MAILBOX_PASSWORD_IMAP), CONFIG_ALLOWED);
    assert_int_equal(config_plus_separator(vault), 0);
    assert_int_equal(config_certificates(vault), 0);
    assert_int_equal(config_listeners(vault), 0);
    assert_int_equal(
        config_number(vault, CONFIG_MESSAGE_SIZE), LIMIT_MESSAGE); /* not its share: the default */
    assert_err(ERR_EXISTS, config_set_text(vault, S("why_retention"), S("2 d")));
    assert_int_equal(config_number(vault, CONFIG_WHY_RETENTION), 5400000);
    assert_err(ERR_NOT_FOUND, config_set_text(vault, S("Why_retention"), S("2 d")));
    assert_err(ERR_SYNTAX, config_set_text(vault, S("gates"), S("0")));
    assert_int_equal(config_processes(vault, CONFIG_GATES, 7), 7);
    assert_err(ERR_EXISTS, config_set_text(all, S("listen"), S("imap *:25")));
    config_free(&c);
    config_free(&all);
    config_free(&vault);
}

static void test_compare(void **state)
{
    struct config *a = parse_ok(HEAD "gates = 2\nlog_level = info\nwhy_retention = 1 d\n");
    struct config *b =
        parse_ok(HEAD "gates = 3\nlog_level = debug\nwhy_retention = 24 h\nlisten = smtp *:25\n");
    struct config_changes changes;
    config_compare(a, b, &changes);
    assert_true(changes.changed[CONFIG_GATES]);
    assert_true(changes.changed[CONFIG_LOG_LEVEL]);
    assert_true(changes.changed[CONFIG_LISTEN]);
    assert_false(changes.changed[CONFIG_WHY_RETENTION]);
    assert_false(changes.changed[CONFIG_HOSTNAME]);
    assert_int_equal(changes.count[CONFIG_LIVE], 1);
    assert_int_equal(changes.count[CONFIG_RESTART], 2);
    assert_int_equal(changes.count[CONFIG_NEW_SESSIONS], 0);
    config_free(&a);
    config_free(&b);
}

/* The commented file reads back as the same configuration, in both languages; lines stay narrow. */
static void test_commented_file(void **state)
{
    for (int lang = 0; lang < LANG_N; lang++) {
        struct config *c = parse_ok(full);
        struct buf file CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE);
        config_put_file(c, (enum lang)lang, &file);
        assert_ok(buf_check(&file));
        struct config *again = parse_ok(buf_cstr(&file));
        struct config_changes changes;
        config_compare(c, again, &changes);
        for (int i = 0; i < CONFIG_KEYS; i++) {
            assert_false(changes.changed[i]);
            assert_int_equal(config_is_set(c, (enum config_key)i), config_is_set(again, (enum config_key)i));
        }
        struct slice rest = buf_slice(&file), line;
        while (slice_cut(&rest, '\n', &line))
            assert_true(line.n <= 160);
        config_free(&c);
        config_free(&again);
    }
}

static void test_languages(void **state)
{
    static const struct {
        const char *name;
        enum err e;
        enum lang lang;
    } cases[] = {{"en", OK, LANG_EN},           {"en_GB.UTF-8", OK, LANG_EN}, {"zh", OK, LANG_ZH},
                 {"zh-CN", OK, LANG_ZH},        {"ZH_cn", OK, LANG_ZH},       {"zha", ERR_NOT_FOUND, LANG_EN},
                 {"C", ERR_NOT_FOUND, LANG_EN}, {"", ERR_NOT_FOUND, LANG_EN}, {"z", ERR_NOT_FOUND, LANG_EN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum lang lang = LANG_EN;
        assert_err(cases[i].e, lang_parse(slice_str(cases[i].name), &lang));
        assert_int_equal(lang, cases[i].lang);
    }
    setenv("LANG", "zh_CN.UTF-8", 1);
    setenv("LC_ALL", "", 1);
    unsetenv("LC_MESSAGES");
    assert_int_equal(lang_of_environment(), LANG_ZH);
    setenv("LC_ALL", "C", 1);
    assert_int_equal(lang_of_environment(), LANG_EN);
    unsetenv("LC_ALL");
    unsetenv("LANG");
    assert_int_equal(lang_of_environment(), LANG_EN);
}

static void test_nearest(void **state)
{
    assert_int_equal(nearest_distance(S("account"), S("account")), 0);
    assert_int_equal(nearest_distance(S("acount"), S("account")), 1);
    assert_int_equal(nearest_distance(S("acocunt"), S("account")), 1);
    assert_int_equal(nearest_distance(S("ACCOUNT-X"), S("account_x")), 0);
    assert_int_equal(nearest_distance(S(""), S("why")), 3);
    assert_true(nearest_is_close(S("lsit"), S("list")));
    assert_false(nearest_is_close(S("remove"), S("list")));
    char far[100];
    memset(far, 'a', sizeof far);
    assert_false(nearest_is_close(slice_of(far, sizeof far), S("list")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_listeners_and_certificates),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_commented_file),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

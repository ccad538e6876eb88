/* What is wrong with a file is said with line, column, name and remedy. T-349: every key, mutated. */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cases.h"
#include "config/config.h"

#define HEAD "hostname = mail.ours.test\nlisten = imaps *:993\ncertificate = tls/a.pem tls/a.key\n"

/* The whole text with its errors, freed together. */
struct tried {
    struct config_errors *errors;
    struct config *config;
    enum err result;
};

static struct tried try_text(struct slice text)
{
    struct tried t = {.errors = config_errors_new()};
    t.result = config_parse(text, t.errors, &t.config);
    return t;
}

static void tried_free(struct tried *t)
{
    config_errors_free(&t->errors);
    config_free(&t->config);
}

static void test_faults_by_name(void **state)
{
    static const struct {
        const char *text, *name;
        unsigned line, column;
    } cases[] = {
        {HEAD "colour = blue\n", "unknown-key", 4, 1},
        {HEAD "Gates = 2\n", "unknown-key", 4, 1},
        {HEAD "message-size = 1 MiB\n", "unknown-key", 4, 1},
        {HEAD "gates = 2\ngates = 2\n", "doubled", 5, 1},
        {HEAD "gates = two\ngates = 2\n", "not-a-number", 4, 9},
        {HEAD "gates = 0\n", "zero", 4, 9},
        {HEAD "gates = -1\n", "negative", 4, 9},
        {HEAD "gates = 010\n", "leading-zero", 4, 9},
        {HEAD "gates = 0x10\n", "not-a-number", 4, 9},
        {HEAD "gates = 1.5\n", "not-a-number", 4, 9},
        {HEAD "gates = +3\n", "not-a-number", 4, 9},
        {HEAD "gates = unlimited\n", "not-a-number", 4, 9},
        {HEAD "gates = 65\n", "too-large", 4, 9},
        {HEAD "gates = 1000000000000000000000000000000\n", "too-large", 4, 9},
        {HEAD "keepers = 1\n", "too-small", 4, 11},
        {HEAD "gates = 2 3\n", "too-many-words", 4, 9},
        {HEAD "gates =\n", "empty", 4, 8},
        {HEAD "gates = \"\"\n", "empty", 4, 9},
        {HEAD "gates = # two\n", "empty", 4, 9},
        {HEAD "gates 2\n", "no-equals", 4, 1},
        {HEAD "[gates]\n", "no-equals", 4, 1},
        {HEAD "gates \xef\xbc\x9d 2\n", "full-width", 4, 1},
        {HEAD "include /etc/more.conf\n", "include", 4, 1},
        {HEAD "include = letterlock.conf\n", "include", 4, 1},
        {HEAD "message_size = 50\n", "no-unit", 4, 16},
        {HEAD "message_size = 50 MB\n", "bad-unit", 4, 16},
        {HEAD "message_size = 50 mib\n", "bad-unit", 4, 16},
        {HEAD "message_size = 0 MiB\n", "zero", 4, 16},
        {HEAD "message_size = 1.5 MiB\n", "not-a-number", 4, 16},
        {HEAD "message_size = 1 B\n", "too-small", 4, 16},
        {HEAD "message_size = 99999999999 TiB\n", "too-large", 4, 16},
        {HEAD "message_size = 18446744073709551615 TiB\n", "too-large", 4, 16},
        {HEAD "why_retention = 30 m\n", "bad-unit", 4, 17},
        {HEAD "why_retention = forever\n", "not-a-number", 4, 17},
        {HEAD "log_level = verbose\n", "bad-choice", 4, 13},
        {HEAD "log_level = Info\n", "bad-choice", 4, 13},
        {HEAD "hide_client_address = true\n", "bad-choice", 4, 23},
        {HEAD "connections_exempt = 10.0.0.1/8\n", "bad-network", 4, 22},
        {HEAD "connections_exempt = 10.0.0.0/8 10.0.0.0/08\n", "bad-network", 4, 33},
        {HEAD "connections_exempt = 010.0.0.1\n", "bad-network", 4, 22},
        {HEAD "connections_exempt = 10.0.0.0/8 none\n", "bad-network", 4, 33},
        {HEAD "listen = imaps *:993\n", "doubled", 4, 10},
        {HEAD "listen = smtp 10.0.0.1:993\n", "doubled", 4, 10},
        {HEAD "listen = imaps\n", "bad-listener", 4, 10},
        {HEAD "listen = http *:80\n", "bad-door", 4, 10},
        {HEAD "listen = smtp *:0\n", "bad-port", 4, 15},
        {HEAD "listen = smtp *:65536\n", "bad-port", 4, 15},
        {HEAD "listen = smtp *:025\n", "bad-port", 4, 15},
        {HEAD "listen = smtp ::1:25\n", "bad-address", 4, 15},
        {HEAD "listen = smtp [10.0.0.1]:25\n", "bad-address", 4, 15},
        {HEAD "listen = smtp localhost:25\n", "bad-address", 4, 15},
        {HEAD "listen = smtp 25\n", "bad-address", 4, 15},
        {HEAD "listen = smtp []:25\n", "bad-address", 4, 15},
        {HEAD "certificate = a.pem\n", "bad-certificate", 4, 15},
        {HEAD "certificate = tls/a.pem other.key\n", "doubled", 4, 1},
        {HEAD "certificate = ~/a.pem a.key\n", "expansion", 4, 15},
        {HEAD "certificate = a.pem ${HOME}/a.key\n", "expansion", 4, 21},
        {HEAD "certificate = a.pem a.key *.ours.test\n", "bad-hostname", 4, 27},
        {HEAD "certificate = \"a.pem a.key\n", "bad-quote", 4, 15},
        {HEAD "certificate = \"a\\n.pem\" a.key\n", "bad-quote", 4, 15},
        {HEAD "certificate = \"a.pem\"x a.key\n", "bad-quote", 4, 15},
        {HEAD "gates = 2\x01\n", "control-character", 4, 10},
        {HEAD "# a \xe2\x80\xae comment\n", "control-character", 4, 5},
        {HEAD "gates = 2\xff\n", "not-utf8", 4, 10},
        {"hostname = localhost\n", "bad-hostname", 1, 12},
        {"hostname = 192.0.2.1\n", "bad-hostname", 1, 12},
        {"hostname = mail..ours.test\n", "bad-hostname", 1, 12},
        {"hostname = -a.ours.test\n", "bad-hostname", 1, 12},
        {"hostname = mail.ours.test.\n", "bad-hostname", 1, 12},
        {"hostname = \xe9\x82\xae\xe4\xbb\xb6.\xe4\xbe\x8b\xe5\xad\x90\n", "bad-hostname", 1, 12},
        {"hostname = mail.ours.test\r\n", "carriage-return", 1, 26},
        {"\xef\xbb\xbfhostname = mail.ours.test\n", "bom", 1, 1},
        {"", "missing", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tried t = try_text(slice_str(cases[i].text));
        assert_err(ERR_SYNTAX, t.result);
        assert_null(t.config);
        const struct config_error *e = config_error(t.errors, 0);
        if (strcmp(config_error_name(e), cases[i].name) != 0 || e->line != cases[i].line ||
            e->column != cases[i].column)
            fail_msg(
                "case %zu (%s): got %s %u:%u", i, cases[i].name, config_error_name(e), e->line, e->column);
        tried_free(&t);
    }
}

static void assert_says(const struct config_error *e, enum lang lang, const char *says, const char *remedy)
{
    struct buf out CLEANUP_BUF = BUF_INIT(4096);
    config_error_put(e, lang, &out);
    assert_string_equal(buf_cstr(&out), says);
    buf_clear(&out);
    config_error_put_remedy(e, lang, &out);
    assert_string_equal(buf_cstr(&out), remedy);
}

static void test_words(void **state)
{
    struct tried t =
        try_text(S(HEAD "mesage_size = 1 MiB\ngates = 0\nlog_level = loud\x1b\nlog_level = loud\n"));
    assert_int_equal(config_error_count(t.errors), 4);
    assert_says(
        config_error(t.errors, 0), LANG_EN, "there is no key \"mesage_size\"", "did you mean message_size?");
    assert_says(
        config_error(t.errors, 1), LANG_EN, "gates cannot be 0",
        "give auto, or a number from 1 to 64; 0 is never \"no limit\"");
    assert_says(
        config_error(t.errors, 2), LANG_EN, "the line contains an invisible control character: \"\\u001b\"",
        "delete that character, or type the line anew");
    assert_says(
        config_error(t.errors, 3), LANG_ZH, "log_level 不能是“loud”", "请填写debug、info、warning 或 error");
    tried_free(&t);
}

/* All errors are told at once, up to the ceiling. */
static void test_collected(void **state)
{
    struct buf text CLEANUP_BUF = BUF_INIT(100000);
    for (int i = 0; i < LIMIT_CONFIG_ERRORS + 50; i++)
        buf_printf(&text, "nokey%d = 1\n", i);
    struct tried t = try_text(buf_slice(&text));
    assert_err(ERR_SYNTAX, t.result);
    assert_int_equal(config_error_count(t.errors), LIMIT_CONFIG_ERRORS);
    assert_int_equal(config_errors_dropped(t.errors), 50 + 3); /* and three missing keys */
    tried_free(&t);
    t = try_text(S("gates = 0\nkeepers = 1\n"));
    assert_int_equal(config_error_count(t.errors), 5);
    tried_free(&t);
}

static void write_file(const char *path, size_t size)
{
    int fd CLEANUP_FD = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_ok(file_write_all(fd, S(HEAD)));
    if (size)
        assert_int_equal(ftruncate(fd, (off_t)size), 0);
}

static void test_load(void **state)
{
    char folder[] = "/tmp/letterlock-config-XXXXXX", path[64];
    struct config *c = NULL;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/letterlock.conf", folder);
    struct config_errors *errors = config_errors_new();
    assert_err(ERR_NOT_FOUND, config_load(path, errors, &c));
    write_file(path, 0);
    assert_ok(config_load(path, errors, &c));
    config_free(&c);
    write_file(path, 10u << 20);
    assert_err(ERR_SYNTAX, config_load(path, errors, &c));
    assert_string_equal(config_error_name(config_error(errors, 0)), "file-too-large");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_err(ERR_SYNTAX, config_load(path, errors, &c));
    assert_string_equal(config_error_name(config_error(errors, 1)), "not-a-file");
    assert_err(ERR_SYNTAX, config_load(folder, errors, &c));
    unlink(path);
    rmdir(folder);
    config_errors_free(&errors);
}

/* ---------------------------------------------------------------------------------------------------------- T-349 */

/* A good value for the key; hosts of the mutations below. */
static void put_good(enum config_key key, struct buf *out)
{
    static const char *const required[] = {
        [CONFIG_HOSTNAME] = "mail.ours.test",
        [CONFIG_LISTEN] = "imaps *:993",
        [CONFIG_CERTIFICATE] = "a.pem a.key"};
    const struct config_row *row = config_row(key);
    buf_put_str(out, row->preset ? row->preset : required[key]);
}

struct mutation {
    const char *what;
    const char *value; /* instead of the good one; %s: the good one */
    bool files;        /* two words that could name the files of a certificate */
};
/* Never right for any key. */
static const struct mutation wrong_values[] = {
    {"empty", ""},
    {"blanks", "   \t "},
    {"only a comment", "# %s"},
    {"empty in quotes", "\"\""},
    {"zero", "0"},
    {"zero with unit", "0 s", true},
    {"zero octets", "0 B", true},
    {"minus one", "-1"},
    {"minus one with unit", "-1 MiB", true},
    {"10^30", "1000000000000000000000000000000"},
    {"10^30 with unit", "1000000000000000000000000000000 s", true},
    {"10^30 octets", "1000000000000000000000000000000 GiB", true},
    {"2^64", "18446744073709551616"},
    {"octal", "010"},
    {"octal with unit", "010 MiB", true},
    {"hexadecimal", "0x10"},
    {"exponent", "1e3"},
    {"fraction", "1.5"},
    {"plus", "+5"},
    {"unlimited", "unlimited"},
    {"none at all", "null"},
    {"infinite", "inf"},
    {"off", "off"},
    {"default", "default"},
    {"wrong unit", "5 parsecs", true},
    {"two units", "5 s s"},
    {"glued units", "5sMiB"},
    {"expansion", "${HOME}"},
    {"command", "$(id)"},
    {"home", "~"},
    {"two values", "%s zzz"},
    {"comma", "%s,%s"},
    {"semicolon", "%s;"},
    {"single quotes", "'%s'"},
    {"open quote", "\"%s"},
    {"late quote", "%s\""},
    {"bad escape", "\"\\x41\""},
    {"continued", "%s \\"},
    {"equals", "= %s"},
    {"bell", "%s\x07"},
    {"escape sequence", "\x1b[2J%s"},
    {"vertical tab", "%s\x0b"},
    {"DEL", "%s\x7f"},
    {"C1", "%s\xc2\x9b"},
    {"right-to-left override", "\xe2\x80\xae%s"},
    {"zero-width space", "%s\xe2\x80\x8b"},
    {"byte order mark inside", "\xef\xbb\xbf%s"},
    {"line separator", "%s\xe2\x80\xa8"},
    {"overlong", "%s\xc0\xaf"},
    {"surrogate", "%s\xed\xa0\x80"},
    {"latin-1", "%s\xe4"},
    {"full-width digit", "\xef\xbc\x95"},
    {"carriage return", "%s\r"},
    {"carriage return inside", "\r%s"},
};

/* Adds the lines of all required keys but `except`. */
static void put_others(enum config_key except, struct buf *out)
{
    for (int i = 0; i < CONFIG_KEYS; i++)
        if (config_row((enum config_key)i)->required && i != (int)except) {
            buf_printf(out, "%s = ", config_row((enum config_key)i)->name);
            put_good((enum config_key)i, out);
            buf_put_char(out, '\n');
        }
}

static void put_mutated(const char *pattern, enum config_key key, struct buf *out)
{
    struct slice rest = slice_str(pattern);
    while (rest.n) {
        bool good = slice_starts(rest, S("%s"));
        if (good)
            put_good(key, out);
        else
            buf_put_char(out, rest.p[0]);
        rest = slice_from(rest, good ? 2 : 1);
    }
}

/* A place that was not filled in, or a character that reached the terminal. */
static bool is_raw(struct slice s)
{
    return slice_search(s, S("{it}")) != SLICE_NPOS || slice_search(s, S("{key}")) != SLICE_NPOS ||
           slice_search(s, S("{wanted}")) != SLICE_NPOS || slice_has(s, '\x1b');
}

/* Refused, with the line, a name and a remedy in both languages. */
static bool refused(struct slice text, unsigned line)
{
    struct tried t = try_text(text);
    bool good = t.result == ERR_SYNTAX && !t.config && config_error_count(t.errors) > 0;
    for (size_t i = 0; good && i < config_error_count(t.errors); i++) {
        const struct config_error *e = config_error(t.errors, i);
        for (int lang = 0; lang < LANG_N; lang++) {
            struct buf out CLEANUP_BUF = BUF_INIT(8192);
            config_error_put(e, (enum lang)lang, &out);
            good = good && out.n > 5 && !is_raw(buf_slice(&out));
            size_t said = out.n;
            config_error_put_remedy(e, (enum lang)lang, &out);
            good = good && out.n > said && buf_check(&out) == OK;
        }
        good = good && (i > 0 || e->line == line);
    }
    tried_free(&t);
    return good;
}

static void note(struct cases *c, enum config_key key, const char *what, bool good)
{
    char name[120];
    snprintf(name, sizeof name, "%s: %s", config_row(key)->name, what);
    cases_check(c, good, name);
}

static void mutate_values(struct cases *c, enum config_key key)
{
    for (size_t i = 0; i < sizeof wrong_values / sizeof *wrong_values; i++) {
        struct buf text CLEANUP_BUF = BUF_INIT(10000);
        put_others(key, &text);
        unsigned line = config_row(key)->required ? 3 : 4;
        buf_printf(&text, "%s = ", config_row(key)->name);
        put_mutated(wrong_values[i].value, key, &text);
        buf_put_char(&text, '\n');
        bool right = (wrong_values[i].files && key == CONFIG_CERTIFICATE) ||
                     (strcmp(wrong_values[i].value, "default") == 0 && key == CONFIG_MECHANISMS);
        note(c, key, wrong_values[i].what, refused(buf_slice(&text), line) == !right);
    }
}

/* What is wrong with the name or the form of the line; %k: the key, %K: in upper case, %v: the good value. */
static const struct mutation wrong_lines[] = {
    {"doubled", "%k = %v\n%k = %v\n"},
    {"upper case", "%K = %v\n"},
    {"a letter more", "%kx = %v\n"},
    {"no equals", "%k %v\n"},
    {"colon", "%k: %v\n"},
    {"no value, no equals", "%k\n"},
    {"quoted key", "\"%k\" = %v\n"},
    {"blank inside", "%k %k = %v\n"},
    {"nothing before", " = %v\n"},
    {"exported", "export %k=%v\n"},
    {"section", "[%k]\n"},
    {"full-width equals", "%k \xef\xbc\x9d %v\n"},
    {"NUL in key", "%k%0 = %v\n"},
    {"NUL in value", "%k = %v%0\n"},
    {"CRLF", "%k = %v\r\n"},
};

static void put_line(const char *pattern, enum config_key key, struct buf *out)
{
    for (const char *p = pattern; *p; p++) {
        const char *name = config_row(key)->name;
        if (*p != '%')
            buf_put_char(out, *p);
        else if (*++p == 'k')
            buf_put_str(out, name);
        else if (*p == 'v')
            put_good(key, out);
        else if (*p == '0')
            buf_put_char(out, '\0');
        else
            for (; *name; name++)
                buf_put_char(out, ascii_upper(*name));
    }
}

static void mutate_lines(struct cases *c, enum config_key key)
{
    unsigned first = config_row(key)->required ? 3 : 4;
    for (size_t i = 0; i < sizeof wrong_lines / sizeof *wrong_lines; i++) {
        struct buf text CLEANUP_BUF = BUF_INIT(10000);
        put_others(key, &text);
        put_line(wrong_lines[i].value, key, &text);
        note(c, key, wrong_lines[i].what, refused(buf_slice(&text), first + (i == 0)));
    }
}

/* What is wrong with the whole file, and what is not wrong: the good value in other dress. */
static void mutate_file(struct cases *c, enum config_key key)
{
    static const struct mutation good[] = {
        {"no last newline", "%k = %v"},
        {"no blanks", "%k=%v\n"},
        {"many blanks", " \t%k \t = \t%v \t\n"},
        {"comment behind", "%k = %v # note\n"},
        {"among comments", "# a\n\n%k = %v\n\n# z\n"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct buf text CLEANUP_BUF = BUF_INIT(10000);
        put_others(key, &text);
        put_line(good[i].value, key, &text);
        struct tried t = try_text(buf_slice(&text));
        note(c, key, good[i].what, t.result == OK && config_is_set(t.config, key));
        tried_free(&t);
    }
    struct buf text CLEANUP_BUF = BUF_INIT(11u << 20);
    buf_put_str(&text, "\xef\xbb\xbf");
    put_others(CONFIG_KEYS, &text);
    note(c, key, "byte order mark", refused(buf_slice(&text), 1));
    buf_clear(&text);
    put_others(key, &text);
    buf_printf(&text, "%s = ", config_row(key)->name);
    while (text.n < LIMIT_CONFIG_LINE + 200)
        buf_put_char(&text, '9');
    note(c, key, "endless value", refused(buf_slice(&text), config_row(key)->required ? 3 : 4));
    while (text.n < 10u << 20)
        buf_put_str(&text, "\n# padding padding padding padding padding padding padding padding");
    note(c, key, "10 MiB", refused(buf_slice(&text), 0));
    buf_clear(&text);
    put_others(key, &text);
    struct tried t = try_text(buf_slice(&text));
    note(c, key, "missing", config_row(key)->required ? t.result == ERR_SYNTAX : t.result == OK);
    tried_free(&t);
}

static void test_t349(void **state)
{
    struct cases c = {.id = "T-349"};
    for (int i = 0; i < CONFIG_KEYS; i++) {
        if (i >= CONFIG_DIRECTORY && i <= CONFIG_DIRECTORY_REFRESH)
            continue; /* good only together: test_directory */
        if (config_row((enum config_key)i)->type == CONFIG_TYPE_PATH)
            continue; /* any word may be a file's name; whether there is one the supervisor sees */
        mutate_values(&c, (enum config_key)i);
        mutate_lines(&c, (enum config_key)i);
        mutate_file(&c, (enum config_key)i);
    }
    cases_end(&c, 2000);
}

#define DIR "directory = ldaps://ldap.ours.test\ndirectory_ca = ca.pem\ndirectory_base = \"dc=ours\"\n"

static void test_directory(void **state)
{
    static const char *const good[] = {
        DIR,
        DIR "directory_bind = cn=reader,dc=ours\ndirectory_secret = directory/secret\n",
        DIR "directory_group = \"cn=the staff,ou=groups,dc=ours\" staff\ndirectory_group = pupils pupil\n",
        DIR "directory_filter = (&(objectClass=person)(|(uid={local})(mail={address})))\n",
        "directory = ldap://[::1]:1389\ndirectory_tls = none\ndirectory_base = dc=ours\n",
        "directory = ldap://127.0.0.1\ndirectory_tls = none\ndirectory_base = dc=ours\n",
        "directory = ldap://192.0.2.1:3389\ndirectory_base = dc=ours\ndirectory_ca = /etc/ca.pem\n",
        DIR "directory_quota = mailQuota\ndirectory_groups = none\ndirectory_members = uniqueMember\n",
    };
    static const struct {
        const char *lines, *fault;
    } bad[] = {
        {"directory_base = dc=ours\n", "no-directory"},
        {"directory_refresh = 5 min\n", "no-directory"},
        {"directory = ldap.ours.test\n", "bad-directory"},
        {"directory = http://ldap.ours.test\n", "bad-directory"},
        {"directory = ldapi:///var/run/ldapi\n", "bad-directory"},
        {"directory = ldaps://ldap.ours.test/dc=ours\n", "bad-directory"},
        {"directory = ldaps://user@ldap.ours.test\n", "bad-directory"},
        {"directory = ldaps://ldap.ours.test:0\n", "bad-directory"},
        {"directory = ldaps://ldap.ours.test:65536\n", "bad-directory"},
        {"directory = ldaps://::1\n", "bad-directory"},
        {"directory = ldaps://[::1\n", "bad-directory"},
        {"directory = ldaps://[ldap.ours.test]\n", "bad-directory"},
        {"directory = ldaps://\n", "bad-directory"},
        {"directory = ldaps://ldap\n", "bad-directory"},
        {"directory = ldaps://ldap.ours.test ldaps://two.ours.test\n", "too-many-words"},
        {"directory = ldaps://ldap.ours.test\ndirectory_ca = a\n", "missing"},
        {"directory = ldaps://ldap.ours.test\ndirectory_base = dc=a\n", "missing"},
        {DIR "directory_bind = cn=reader\n", "missing"},
        {DIR "directory_secret = file\n", "missing"},
        {"directory = ldap://192.0.2.1\ndirectory_tls = none\ndirectory_base = dc=a\n", "clear-text"},
        {"directory = ldap://ldap.ours.test\ndirectory_tls = none\ndirectory_base = dc=a\n", "clear-text"},
        {"directory = ldap://localhost.ours.test\ndirectory_tls = none\ndirectory_base = dc=a\n",
         "clear-text"},
        {DIR "directory_tls = off\n", "bad-choice"},
        {DIR "directory_filter = (mail=*)\n", "bad-filter"},
        {DIR "directory_filter = (mail={address}\n", "bad-filter"},
        {DIR "directory_filter = mail={address}\n", "bad-filter"},
        {DIR "directory_filter = (mail={address}))\n", "bad-filter"},
        {DIR "directory_filter = (mail={address})(a=b)\n", "bad-filter"},
        {DIR "directory_filter = (mail={mail})\n", "bad-filter"},
        {DIR "directory_filter = (mail={{address}})\n", "bad-filter"},
        {DIR "directory_address = mail;lang-en\n", "bad-attribute"},
        {DIR "directory_address = (mail\n", "bad-attribute"},
        {DIR "directory_address = 2mail\n", "bad-attribute"},
        {DIR "directory_address = none\n", "word-count"},
        {DIR "directory_id = none\n", "word-count"},
        {DIR "directory_name = a b c d e f g h i\n", "too-many"},
        {DIR "directory_group = staff\n", "word-count"},
        {DIR "directory_group = a b c\n", "word-count"},
        {DIR "directory_group = a 12345678901234567890123456789012345678901234567890123456789012345\n",
         "too-large"},
        {DIR "directory_secret = ~/secret\ndirectory_bind = cn=a\n", "expansion"},
        {DIR "directory_refresh = 1 s\n", "too-small"},
        {DIR DIR, "doubled"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[1000];
        snprintf(text, sizeof text, "%s%s", HEAD, good[i]);
        struct tried t = try_text(slice_str(text));
        if (t.result != OK)
            fail_msg("%s: %s", good[i], config_error_name(config_error(t.errors, 0)));
        assert_non_null(config_directory(t.config));
        tried_free(&t);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[1000];
        snprintf(text, sizeof text, "%s%s", HEAD, bad[i].lines);
        struct tried t = try_text(slice_str(text));
        if (t.result == OK || strcmp(config_error_name(config_error(t.errors, 0)), bad[i].fault) != 0)
            fail_msg(
                "%s: %s", bad[i].lines,
                t.result == OK ? "accepted" : config_error_name(config_error(t.errors, 0)));
        tried_free(&t);
    }
}

/* What a role is sent reads as what the file said. */
static void test_directory_travels(void **state)
{
    struct tried t =
        try_text(S(HEAD DIR "directory_group = \"cn=the staff,ou=groups\" staff\ndirectory_name = cn sn\n"
                            "directory_filter = \"(&(a=b c)(mail={address}))\"\n"));
    assert_int_equal(t.result, OK);
    struct config *copy = config_new();
    for (int key = CONFIG_DIRECTORY; key <= CONFIG_DIRECTORY_REFRESH; key++)
        for (size_t at = 0; config_is_set(t.config, (enum config_key)key) &&
                            at < config_values(t.config, (enum config_key)key);
             at++) {
            struct buf text CLEANUP_BUF = BUF_INIT(4096);
            config_put_value(t.config, (enum config_key)key, at, &text);
            assert_ok(
                config_set_text(copy, slice_str(config_row((enum config_key)key)->name), buf_slice(&text)));
        }
    size_t count;
    const struct slice *words = config_words(copy, CONFIG_DIRECTORY_GROUP, 0, &count);
    assert_int_equal(count, 2);
    assert_true(slice_eq(words[0], S("cn=the staff,ou=groups")));
    assert_true(slice_eq(config_text(copy, CONFIG_DIRECTORY_FILTER), S("(&(a=b c)(mail={address}))")));
    assert_int_equal(config_directory(copy)->port, 636);
    assert_true(config_directory(copy)->tls_first);
    assert_true(slice_eq(config_directory(copy)->host, S("ldap.ours.test")));
    config_words(copy, CONFIG_DIRECTORY_NAME, 0, &count);
    assert_int_equal(count, 2);
    config_words(copy, CONFIG_DIRECTORY_MEMBERS, 0, &count);
    assert_int_equal(count, 0);
    config_free(&copy);
    tried_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_by_name),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_collected),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_t349),
        cmocka_unit_test(test_directory),
        cmocka_unit_test(test_directory_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

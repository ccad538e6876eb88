/* Mailbox passwords: policies, judging, changing, resetting, growing old. Rows T-238, T-242, T-256. */
#include "crash_vault.h"

#include "../cases.h"
#include "breach/build.h"
#include "breach/filter.h"
#include "factor/ceremony.h"
#include "mail/precis.h"
#include "vault/devices.h"
#include "vault/factors.h"
#include "vault/mailbox.h"
#include "vault/notices.h"
#include "vault/policy.h"
#include "vault/reset.h"
#include "vault/session.h"

#define assert_ok(expression) assert_int_equal((expression), OK)
#define assert_err(wanted, expression) assert_int_equal((expression), (wanted))
#define FIRST "grey gravel otter 77"
enum { NOW = 1700000000, DAY = 86400 };

static struct fixture *f;
static struct vault_account alice;

static int setup(void **state)
{
    f = fixture_new();
    factor_init();
    assert_ok(vault_domain_add(f->v, S("example.test")));
    alice = fixture_account_with(f, "alice@example.test", FIRST);
    memset(&f->told, 0, sizeof f->told);
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static bool is_full(void)
{
    return getenv("LETTERLOCK_FULL") && *getenv("LETTERLOCK_FULL");
}

static bool opens_in(struct vault *v, const struct account_id *id, struct slice password)
{
    struct secret typed CLEANUP_SECRET = SECRET_NONE, normal CLEANUP_SECRET = SECRET_NONE;
    struct secret stored CLEANUP_SECRET = SECRET_NONE;
    assert_ok(secret_copy(vault_slab(v), password, &typed));
    if (vault_password_normal(v, &typed, &normal) != OK)
        return false;
    assert_ok(vault_password_stored(v, id, &stored));
    return passhash_check(secret_reveal(&stored), secret_reveal(&normal)) == OK;
}

static bool opens(const char *password)
{
    return opens_in(f->v, &alice.id, slice_str(password));
}

static enum err begin(
    enum password_by by, const char *address, struct slice proof, struct slice password, int64_t now,
    struct password_work *work)
{
    struct secret old CLEANUP_SECRET = SECRET_NONE, typed CLEANUP_SECRET = SECRET_NONE;
    bool has_proof = by == PASSWORD_BY_OWNER || by == PASSWORD_BY_RESET;
    assert_ok(secret_copy(f->slab, proof, &old));
    assert_ok(secret_copy(f->slab, password, &typed));
    return vault_password_begin(f->v, slice_str(address), by, has_proof ? &old : NULL, &typed, now, work);
}

static enum err
change_as(enum password_by by, const char *address, struct slice proof, struct slice password, int64_t now)
{
    struct password_work work;
    TRY(begin(by, address, proof, password, now, &work));
    password_work_run(&work);
    enum err e = vault_password_finish(f->v, &work, now);
    password_work_done(&work);
    return e;
}

static enum err change(const char *old, const char *password)
{
    return change_as(PASSWORD_BY_OWNER, "alice@example.test", slice_str(old), slice_str(password), NOW);
}

static struct vault_account alice_now(void)
{
    struct vault_account a;
    assert_ok(vault_account_get(f->v, &alice.id, &a));
    return a;
}

static void policy(const char *subject, const char *key, const char *value)
{
    assert_ok(vault_policy_set(f->v, slice_str(subject), slice_str(key), slice_str(value)));
}

static int64_t value_of(enum policy_key key)
{
    struct vault_account a = alice_now();
    int64_t value;
    assert_ok(vault_policy_value(f->v, &a, SLICE_EMPTY, key, &value, NULL));
    return value;
}

/* ---- policies ---- */

static void the_table_of_policies_reads_and_writes_itself(void **state)
{
    for (unsigned i = 0; i < POLICY_N; i++) {
        enum policy_key key, wanted = (enum policy_key)i;
        const struct policy_row *row = policy_row(wanted);
        int64_t value, again;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POLICY_VALUE);
        assert_ok(policy_key_find(slice_str(row->name), &key));
        assert_int_equal(key, wanted);
        assert_ok(policy_value_read(key, slice_str(row->preset), &value));
        policy_value_put(key, value, &text);
        assert_ok(policy_value_read(key, buf_slice(&text), &again));
        assert_int_equal(value, again);
        assert_true(strlen(row->help[0]) > 10 && strlen(row->help[1]) > 5);
    }
}

static void values_are_read_strictly(void **state)
{
    static const struct {
        enum policy_key key;
        const char *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {POLICY_PASSWORD_LEAST, "8", 8},
        {POLICY_PASSWORD_LEAST, "128", 128},
        {POLICY_PASSWORD_LEAST, "7", -1},
        {POLICY_PASSWORD_LEAST, "129", -1},
        {POLICY_PASSWORD_LEAST, "012", -1},
        {POLICY_PASSWORD_LEAST, "+12", -1},
        {POLICY_PASSWORD_LEAST, "12 ", -1},
        {POLICY_PASSWORD_LEAST, "99999999999999999999", -1},
        {POLICY_PASSWORD_CLASSES, "0", 0},
        {POLICY_PASSWORD_CLASSES, "5", -1},
        {POLICY_PASSWORD_AGE, "90", 90 * DAY},
        {POLICY_PASSWORD_AGE, "90 d", 90 * DAY},
        {POLICY_PASSWORD_AGE, "never", 0},
        {POLICY_PASSWORD_AGE, "0", 0},
        {POLICY_PASSWORD_AGE, "1 h", -1},
        {POLICY_PASSWORD_AGE, "1500 ms", -1},
        {POLICY_PASSWORD_AGE, "99999 d", -1},
        {POLICY_RESET_LIFE, "30 min", 1800},
        {POLICY_RESET_LIFE, "never", -1},
        {POLICY_RESET_LIFE, "0", -1},
        {POLICY_RESET_LIFE, "8 d", -1},
        {POLICY_PASSWORD_STRENGTH, "green", POLICY_GREEN},
        {POLICY_PASSWORD_STRENGTH, "gree", -1},
        {POLICY_PASSWORD_STRENGTH, "Green", -1},
        {POLICY_PASSWORD_STRENGTH, "", -1},
        {POLICY_MAILBOX_PASSWORD_IMAP, "with-totp", MAILBOX_WITH_TOTP},
        {POLICY_MAILBOX_PASSWORD_IMAP, "allowed", MAILBOX_ALLOWED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t value = -1;
        enum err e = policy_value_read(rows[i].key, slice_str(rows[i].text), &value);
        if ((rows[i].value < 0) != (e != OK) || value != rows[i].value)
            fail_msg("%s = %s", policy_row(rows[i].key)->name, rows[i].text);
    }
}

static void the_most_specific_value_holds(void **state)
{
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 12);
    policy("", "password_least", "14");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 14);
    policy("domain EXAMPLE.test", "password_least", "10");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 10);
    policy("group Staff", "password_least", "20");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 10);
    assert_ok(vault_account_set_group(f->v, S("alice@example.test"), S("staff")));
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 20);
    policy("group staff", "password_least", "");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 10);
    policy("domain example.test", "password_least", "");
    policy("", "password_least", "");
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 12);
    assert_string_equal(f->told.last_kind, "policy.changed");
    assert_err(ERR_NOT_FOUND, vault_policy_set(f->v, S("domain other.test"), S("password_least"), S("9")));
    assert_err(ERR_NOT_FOUND, vault_policy_set(f->v, SLICE_EMPTY, S("password_most"), S("9")));
    assert_err(ERR_SYNTAX, vault_policy_set(f->v, S("everyone"), S("password_least"), S("9")));
    assert_err(ERR_SYNTAX, vault_policy_set(f->v, S("group a b"), S("password_least"), S("9")));
    assert_err(ERR_SYNTAX, vault_policy_set(f->v, SLICE_EMPTY, S("password_least"), S("nine")));
}

/* INV-P1 */
static void what_is_not_understood_is_strict(void **state)
{
    struct vault_account a = alice_now();
    enum mailbox_policy found;
    policy("", "mailbox_password_imap", "allowed");
    assert_ok(db_exec(
        vault_container_db(f->v, VAULT_ACCOUNTS),
        "UPDATE policy SET value = 'with-face'; INSERT INTO policy VALUES('', 'password_least', '4')"));
    assert_ok(vault_policy_mailbox(f->v, &a, SLICE_EMPTY, VAULT_IMAP, &found));
    assert_int_equal(found, MAILBOX_NEVER);
    assert_int_equal(value_of(POLICY_PASSWORD_LEAST), 12);
}

/* INV-P2: narrowing in any way ends the sessions of whom it is about, and of nobody else. */
static void narrowing_a_door_ends_its_sessions(void **state)
{
    uint32_t version = alice_now().version;
    struct vault_account bob;
    assert_ok(vault_domain_add(f->v, S("other.test")));
    bob = fixture_account_with(f, "bob@other.test", FIRST);
    policy("", "mailbox_password_imap", "allowed");
    assert_int_equal(f->told.revokes, 0);
    policy("domain example.test", "mailbox_password_imap", "with-totp");
    assert_int_equal(f->told.revokes, 1);
    assert_true(account_id_eq(&f->told.account, &alice.id));
    assert_int_equal(f->told.credential, VAULT_MAILBOX_CREDENTIAL);
    assert_int_equal(f->told.version, version + 1);
    assert_int_equal(alice_now().version, version + 1);
    policy("", "mailbox_password_imap", "never"); /* bob alone: alice has her domain's */
    assert_int_equal(f->told.revokes, 2);
    assert_true(account_id_eq(&f->told.account, &bob.id));
    policy("domain example.test", "mailbox_password_imap", "allowed"); /* wider */
    policy("group closed", "mailbox_password_imap", "never");
    assert_int_equal(f->told.revokes, 2);
    assert_ok(vault_account_set_group(f->v, S("alice@example.test"), S("closed")));
    assert_int_equal(f->told.revokes, 3);
    assert_int_equal(alice_now().version, version + 2);
    assert_ok(vault_account_set_group(f->v, S("alice@example.test"), SLICE_EMPTY));
    assert_int_equal(f->told.revokes, 3);
    enum mailbox_policy presets[VAULT_DOORS] = {MAILBOX_NEVER};
    presets[VAULT_POP3] = MAILBOX_ALLOWED;
    assert_ok(vault_policy_set_presets(f->v, presets));
    assert_int_equal(f->told.revokes, 3);
    presets[VAULT_POP3] = MAILBOX_WITH_TOTP;
    assert_ok(vault_policy_set_presets(f->v, presets));
    assert_int_equal(f->told.revokes, 5);
}

static void nobody_has_the_policy_of_the_domain(void **state)
{
    enum mailbox_policy found;
    policy("domain example.test", "mailbox_password_pop3", "allowed");
    assert_ok(vault_policy_mailbox(f->v, NULL, S("Nobody@EXAMPLE.test"), VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_ALLOWED);
    assert_ok(vault_policy_mailbox(f->v, NULL, S("nobody@else.test"), VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_NEVER);
    assert_ok(vault_policy_mailbox(f->v, NULL, S("not an address"), VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_NEVER);
    assert_ok(vault_policy_mailbox_widest(f->v, VAULT_POP3, &found));
    assert_int_equal(found, MAILBOX_ALLOWED);
    assert_ok(vault_policy_mailbox_widest(f->v, VAULT_IMAP, &found));
    assert_int_equal(found, MAILBOX_NEVER);
}

/* ---- judging ---- */

static struct password_judgement judge(struct slice password)
{
    struct vault_account a = alice_now();
    struct secret typed CLEANUP_SECRET = SECRET_NONE;
    struct password_judgement j;
    assert_ok(secret_copy(f->slab, password, &typed));
    assert_ok(vault_password_judge(f->v, &a, &typed, &j));
    return j;
}

static void strength_names_what_is_weak(void **state)
{
    static const struct {
        const char *password;
        enum strength_colour colour;
        enum password_reason reason;
    } rows[] = {
        {"password1234", STRENGTH_RED, PASSWORD_COMMON},
        {"alice.example", STRENGTH_RED, PASSWORD_PERSONAL},
        {"aaaaaaaaaaaaaaaa", STRENGTH_RED, PASSWORD_REPEATS},
        {"abcdefghijklmnop", STRENGTH_RED, PASSWORD_SEQUENCE},
        {"short", STRENGTH_RED, PASSWORD_SHORT},
        {"grey gravel otter 77", STRENGTH_GREEN, PASSWORD_FINE},
        {"\xe6\x88\x91\xe7\x9a\x84\xe7\x8c\xab\xe5\x96\x9c\xe6\xac\xa2\xe5\x9c\xa8\xe5\xb1\x8b\xe9\xa1\xb6"
         "\xe4\xb8\x8a\xe7\x9d\xa1\xe8\xa7\x89\xe5\x91\x80",
         STRENGTH_GREEN, PASSWORD_FINE}, /* twelve Chinese characters */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct password_judgement j = judge(slice_str(rows[i].password));
        if (j.colour != rows[i].colour || j.reason != rows[i].reason)
            fail_msg(
                "%s: %s %s", rows[i].password, strength_colour_name(j.colour),
                password_reason_name(j.reason));
        assert_int_equal(j.is_allowed, rows[i].colour != STRENGTH_RED);
    }
    struct buf words CLEANUP_BUF = BUF_INIT(512);
    password_reason_put(PASSWORD_SHORT, S("zh-CN"), 12, &words);
    assert_true(slice_search(buf_slice(&words), S("12")) != SLICE_NPOS && (unsigned char)words.p[0] > 0x7f);
    words.n = 0;
    password_refusal_put(PASSWORD_SHORT, S("zh"), 12, &words);
    assert_true(slice_search(buf_slice(&words), S("password")) == SLICE_NPOS);
    assert_true(slice_search(buf_slice(&words), S("12")) != SLICE_NPOS);
    words.n = 0;
    password_refusal_put(PASSWORD_SHORT, SLICE_EMPTY, 12, &words);
    assert_true(slice_starts(buf_slice(&words), S("this mailbox password is not good enough. ")));
}

static void the_policy_of_the_account_counts(void **state)
{
    assert_true(judge(S("grey gravel otter 77")).is_allowed);
    policy("domain example.test", "password_classes", "4");
    struct password_judgement j = judge(S("grey gravel otter 77"));
    assert_true(!j.is_allowed && j.reason == PASSWORD_KINDS && j.number == 4);
    assert_true(judge(S("Grey gravel otter 77")).is_allowed);
    policy("domain example.test", "password_classes", "0");
    policy("domain example.test", "password_strength", "red");
    policy("domain example.test", "password_least", "8");
    assert_true(judge(S("password")).is_allowed);
    policy("domain example.test", "password_strength", "green");
    assert_false(judge(S("password")).is_allowed);
    /* No door would take it for a mailbox password. */
    struct clientpw pw;
    char shown[CLIENTPW_SHOWN];
    clientpw_make(&pw);
    clientpw_show(&pw, shown);
    assert_int_equal(judge(slice_of(shown, sizeof shown)).reason, PASSWORD_CLIENT);
}

static void make_filter(const char *list)
{
    struct breach_built built;
    struct breach_build *b = breach_build_new(f->dirfd);
    assert_ok(breach_build_feed(b, slice_str(list)));
    assert_ok(breach_build_finish(b, BREACH_FILE, NOW, NULL, NULL, &built));
    breach_build_free(&b);
}

static void breached_ones_are_refused_without_asking_anyone(void **state)
{
    struct buf problem CLEANUP_BUF = BUF_INIT(256);
    assert_err(ERR_NOT_FOUND, vault_breach_load(f->v, f->dirfd, &problem));
    assert_true(judge(S("wooden lamp 99 Fjord")).is_allowed);
    make_filter("wooden lamp 99 Fjord\nother\n");
    assert_ok(vault_breach_load(f->v, f->dirfd, NULL));
    assert_int_equal(vault_breach_count(f->v), 2);
    assert_int_equal(judge(S("wooden lamp 99 Fjord")).reason, PASSWORD_BREACHED);
    assert_int_equal(
        judge(S("wooden\xe3\x80\x80lamp 99 Fjord")).reason, PASSWORD_BREACHED); /* another blank */
    assert_err(ERR_SYNTAX, change(FIRST, "wooden lamp 99 Fjord"));
    assert_true(opens(FIRST));
    /* A damaged one is refused with words; the one in use stays. */
    int fd = openat(f->dirfd, BREACH_FILE, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "X", 1, 20), 1);
    close(fd);
    buf_clear(&problem);
    assert_err(ERR_CORRUPT, vault_breach_load(f->v, f->dirfd, &problem));
    assert_true(problem.n > 10);
    assert_int_equal(vault_breach_count(f->v), 2);
    unlinkat(f->dirfd, BREACH_FILE, 0);
    assert_err(ERR_NOT_FOUND, vault_breach_load(f->v, f->dirfd, NULL));
    assert_int_equal(vault_breach_count(f->v), 0);
}

/* ---- changing ---- */

static void a_change_takes_the_old_one_and_ends_its_sessions(void **state)
{
    uint32_t version = alice_now().version;
    assert_err(ERR_DENIED, change("not the old one 1", "wooden lamp 99 Fjord"));
    assert_string_equal(f->told.last_kind, "account.password-refused");
    assert_true(opens(FIRST));
    assert_int_equal(f->told.revokes, 0);
    assert_ok(change(FIRST, "wooden lamp 99 Fjord"));
    assert_true(opens("wooden lamp 99 Fjord") && !opens(FIRST));
    assert_int_equal(f->told.version, version + 1);
    assert_int_equal(f->told.credential, VAULT_MAILBOX_CREDENTIAL);
    assert_string_equal(f->told.last_kind, "account.password");
    struct notice n;
    assert_ok(vault_notice_next(f->v, 0, &n));
    assert_string_equal(n.kind, "mailbox-changed");
}

/* INV-M4 */
static void no_administrator_sets_one_over_another(void **state)
{
    struct vault_account bob = fixture_account(f, "bob@example.test"), a;
    assert_err(
        ERR_DENIED,
        change_as(PASSWORD_BY_ADMIN, "alice@example.test", SLICE_EMPTY, S("wooden lamp 99 Fjord"), NOW));
    assert_true(opens(FIRST));
    assert_ok(change_as(PASSWORD_BY_ADMIN, "bob@example.test", SLICE_EMPTY, S("wooden lamp 99 Fjord"), NOW));
    assert_ok(vault_account_get(f->v, &bob.id, &a));
    assert_true(a.has_password && a.must_change);
    int64_t ends;
    assert_ok(vault_password_ends(f->v, &a, &ends));
    assert_true(ends > 0 && ends < NOW);
    assert_ok(change_as(
        PASSWORD_BY_OWNER, "bob@example.test", S("wooden lamp 99 Fjord"), S("violet kettle Ohm 3"), NOW));
    assert_ok(vault_account_get(f->v, &bob.id, &a));
    assert_false(a.must_change);
}

static const char *nth(int i)
{
    static char text[64];
    snprintf(text, sizeof text, "violet kettle Ohm no. %d!", i);
    return text;
}

static void the_last_ones_cannot_be_used_again(void **state)
{
    char old[64];
    snprintf(old, sizeof old, "%s", FIRST);
    for (int i = 0; i < 7; i++) {
        assert_ok(change(old, nth(i)));
        snprintf(old, sizeof old, "%s", nth(i));
    }
    for (int i = 2; i <= 6; i++) /* the present one and the four before it */
        assert_err(ERR_SYNTAX, change(old, nth(i)));
    assert_true(slice_search(vault_problem(f->v), S("before")) != SLICE_NPOS);
    assert_ok(change(old, nth(1)));
    int64_t kept = 0;
    assert_ok(
        db_query_int(vault_container_db(f->v, VAULT_ACCOUNTS), "SELECT count(*) FROM password_old", &kept));
    assert_int_equal(kept, 4);
    policy("", "password_history", "0");
    assert_ok(change(nth(1), nth(1)));
    assert_ok(
        db_query_int(vault_container_db(f->v, VAULT_ACCOUNTS), "SELECT count(*) FROM password_old", &kept));
    assert_int_equal(kept, 0);
    assert_ok(vault_account_remove(f->v, S("alice@example.test")));
}

static void age_warns_and_ends(void **state)
{
    int64_t ends, cursor = 0, set = alice_now().password_s;
    struct vault_account a = alice_now();
    struct notice n;
    assert_ok(vault_password_ends(f->v, &a, &ends));
    assert_int_equal(ends, 0);
    policy("", "password_age", "90 d");
    assert_ok(vault_password_ends(f->v, &a, &ends));
    assert_int_equal(ends, set + 90 * DAY);
    assert_ok(vault_passwords_warn(f->v, set + 75 * DAY, 10, &cursor));
    assert_err(ERR_NOT_FOUND, vault_notice_next(f->v, 0, &n));
    for (int i = 0; i < 3; i++) {
        cursor = 0;
        assert_ok(vault_passwords_warn(f->v, set + 76 * DAY + i, 10, &cursor));
        assert_int_equal(cursor, 0);
    }
    assert_ok(vault_notice_next(f->v, 0, &n));
    assert_string_equal(n.kind, "mailbox-expiring");
    assert_err(ERR_NOT_FOUND, vault_notice_next(f->v, n.id, &n));
    assert_ok(vault_password_must_change(f->v, S("alice@example.test")));
    a = alice_now();
    assert_ok(vault_password_ends(f->v, &a, &ends));
    assert_int_equal(ends, 1);
    assert_ok(change(FIRST, "wooden lamp 99 Fjord"));
    a = alice_now();
    assert_ok(vault_password_ends(f->v, &a, &ends));
    assert_int_equal(ends, NOW + 90 * DAY);
}

/* ---- T-242 ---- */

static struct slice repeated(struct buf *out, const char *text, size_t times, const char *last)
{
    for (size_t i = 0; i < times; i++)
        buf_put_str(out, text);
    buf_put_str(out, last);
    return buf_slice(out);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Of a megabyte: refused before anything is hashed. */
static void huge(struct cases *cases)
{
    struct buf text CLEANUP_BUF = BUF_INIT(4 << 20);
    static const char *const pieces[] = {"a", "\xc3\xa9", "\xef\xbc\xa1", "e\xcc\x81", " "};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PASSWORD_MAX);
        buf_clear(&text);
        struct slice password = repeated(&text, pieces[i], (1 << 20) / strlen(pieces[i]), "");
        uint64_t least = UINT64_MAX;
        for (int turn = 0; turn < 5; turn++) {
            uint64_t start = now_us();
            cases_check(cases, precis_opaque(password, &out) != OK, "a megabyte");
            uint64_t took = now_us() - start;
            least = took < least ? took : least;
            buf_clear(&out);
            out.failed = false;
        }
#ifndef SANITIZED
        cases_check(cases, least <= 1000, "a megabyte within a millisecond");
#else
        cases_check(cases, least <= 20000, "a megabyte quickly");
#endif
    }
}

/* Sets one, and tries another. */
static void pair(struct cases *cases, struct slice set, struct slice tried, bool fits, const char *what)
{
    char hash[PASSHASH_TEXT_MAX];
    struct buf a CLEANUP_BUF = BUF_INIT(LIMIT_PASSWORD_MAX), b CLEANUP_BUF = BUF_INIT(LIMIT_PASSWORD_MAX);
    bool is_set = precis_opaque(set, &a) == OK;
    cases_check(cases, is_set, what);
    if (!is_set)
        return;
    assert_ok(passhash_make(buf_slice(&a), f->options.settings.cost, hash));
    bool fitted = precis_opaque(tried, &b) == OK && passhash_check(slice_str(hash), buf_slice(&b)) == OK;
    cases_check(cases, fitted == fits, what);
}

static void shapes(struct cases *cases)
{
    struct buf one CLEANUP_BUF = BUF_INIT(2048), two CLEANUP_BUF = BUF_INIT(2048);
    for (size_t n = 8; n <= 1016; n += 72) { /* all octets count, wherever a library might stop */
        buf_clear(&one);
        buf_clear(&two);
        pair(cases, repeated(&one, "a", n, "X"), repeated(&two, "a", n, "Y"), false, "the last octet counts");
    }
    buf_clear(&one);
    buf_clear(&two);
    pair(cases, repeated(&one, "a", 1023, "X"), repeated(&two, "a", 1023, "X"), true, "1024 octets");
    buf_clear(&one);
    cases_check(cases, judge(repeated(&one, "ab1 ", 256, "c")).reason == PASSWORD_FORM, "1025 octets");
    pair(cases, S(" lead and trail "), S("lead and trail"), false, "blanks at the ends");
    pair(cases, S("caf\xc3\xa9 au lait 12"), S("cafe\xcc\x81 au lait 12"), true, "NFC and NFD");
    pair(
        cases, S("pin \xef\xbc\x91\xef\xbc\x92\xef\xbc\x93 of mine"), S("pin 123 of mine"), true,
        "full-width digits");
    pair(
        cases,
        S("a\xe3\x80\x80"
          "b"),
        S("a b"), true, "an ideographic space");
    pair(cases, S("Case Counts"), S("case counts"), false, "case");
    pair(cases, S("x"), S("x"), true, "one character of old data");
    pair(cases, S("x"), S("xx"), false, "one character of old data");
    static const struct slice refused[] = {
        {"abc\0defghijklm", 14},
        {"", 0},
        {"tab\there it is", 14},
        {"\xff\xfe no text at", 12},
        {"\xed\xa0\x80 surrogate..", 15},
        {"line\nbreak in it", 16},
        {"\x7f"
         "delete delete",
         14}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct password_work work;
        cases_check(
            cases,
            judge(refused[i]).reason == PASSWORD_FORM &&
                begin(PASSWORD_BY_OWNER, "alice@example.test", S(FIRST), refused[i], NOW, &work) ==
                    ERR_SYNTAX,
            "no password");
    }
    cases_check(
        cases, !opens_in(f->v, &alice.id, (struct slice){"grey gravel otter 77\0x", 22}), "NUL ends nothing");
    cases_check(
        cases, judge(S("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa9\xc3\xa8\xc3\xaa")).reason == PASSWORD_SHORT,
        "characters are counted, not octets");
    static const char *const common[] = {"password1234", "qwertyuiop12",  "123456789012", "iloveyou1234",
                                         "letmein12345", "administrator", "1qaz2wsx3edc", "Passw0rd1234"};
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        cases_check(cases, !judge(slice_str(common[i])).is_allowed, common[i]);
}

static void password_shapes(void **state)
{
    struct cases cases = {.id = "T-242"};
    huge(&cases);
    shapes(&cases);
    cases_end(&cases, 60);
}

/* RFC 8265 4.3's examples (with NFKC instead of NFC: the last row differs from the standard's on purpose). */
static void examples_of_rfc_8265(void **state)
{
    static const struct {
        struct slice typed, form;
    } rows[] = {
        {{"correct horse battery staple", 28}, {"correct horse battery staple", 28}},
        {{"Correct Horse Battery Staple", 28}, {"Correct Horse Battery Staple", 28}},
        {{"\xcf\x80\xc3\x9f\xc3\xa5", 6}, {"\xcf\x80\xc3\x9f\xc3\xa5", 6}},
        {{"Jack of \xe2\x99\xa6s", 12}, {"Jack of \xe2\x99\xa6s", 12}},
        {{"foo\xe1\x9a\x80"
          "bar",
          9},
         {"foo bar", 7}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out CLEANUP_BUF = BUF_INIT(256);
        assert_ok(precis_opaque(rows[i].typed, &out));
        assert_true(slice_eq(buf_slice(&out), rows[i].form));
    }
    struct buf out CLEANUP_BUF = BUF_INIT(256);
    assert_err(ERR_SYNTAX, precis_opaque(SLICE_EMPTY, &out)); /* example 6: empty */
    assert_err(ERR_SYNTAX, precis_opaque(S("my cat is a \x09 by"), &out));
}

/* ---- T-238 ---- */

struct code {
    char shown[CLIENTPW_SHOWN];
};
static struct slice code_slice(const struct code *c)
{
    return slice_of(c->shown, sizeof c->shown);
}

static struct code make_code(const char *address, uint32_t life_s, int64_t now, int64_t *ret_expires_s)
{
    struct clientpw pw;
    struct code c;
    assert_ok(vault_reset_make(f->v, slice_str(address), life_s, now, &pw, ret_expires_s));
    clientpw_show(&pw, c.shown);
    return c;
}

static int serial;
static enum err use(const char *address, struct slice code, int64_t now)
{
    char password[64];
    snprintf(password, sizeof password, "violet kettle Ohm no. %d!", 1000 + serial++);
    return change_as(PASSWORD_BY_RESET, address, code, slice_str(password), now);
}

static void wrong_codes(struct cases *cases, const struct code *good, int64_t now)
{
    static const char *const others[] = {
        "",
        "x",
        "0",
        "aaaaaaa-aaaaaaa-aaaaaaa-aaaaaaa",
        "' OR 1=1 --",
        "vp798ab-zstthuu-qbw7yau-m6292ns",
        "\xff\xff",
        "[\"a\",\"b\"]",
        "%00",
        FIRST};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cases_check(cases, use("alice@example.test", slice_str(others[i]), now) == ERR_DENIED, others[i]);
    for (size_t i = 0; i < sizeof good->shown; i += 3) { /* one symbol is another */
        struct code c = *good;
        if (c.shown[i] == '-')
            continue;
        c.shown[i] = c.shown[i] == 'a' ? 'b' : 'a';
        cases_check(cases, use("alice@example.test", code_slice(&c), now) == ERR_DENIED, "a typing slip");
    }
    static const char *const names[] = {
        "bob@example.test", "nobody@example.test", "m\xc4\xb1ke@example.test", "a@b@c",
        "alice@example.test,bob@example.test"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cases_check(cases, use(names[i], code_slice(good), now) != OK, names[i]);
}

static void codes_die(struct cases *cases)
{
    int64_t expires;
    struct code old = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(cases, expires == NOW + DAY, "lives as the policy says");
    cases_check(cases, use("alice@example.test", code_slice(&old), NOW + DAY) == ERR_DENIED, "too old");
    cases_check(
        cases, use("alice@example.test", code_slice(&old), NOW - 1) == ERR_DENIED, "before it was made");
    struct code now = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(cases, use("alice@example.test", code_slice(&old), NOW) == ERR_DENIED, "voided by a new one");
    cases_check(cases, use("alice@example.test", code_slice(&now), NOW) == OK, "the new one");
    cases_check(cases, use("alice@example.test", code_slice(&now), NOW) == ERR_DENIED, "used");
    struct code brief = make_code("alice@example.test", 600, NOW, &expires);
    cases_check(cases, expires == NOW + 600, "shorter on request");
    cases_check(
        cases, use("alice@example.test", code_slice(&brief), NOW + 600) == ERR_DENIED, "after its time");
    struct clientpw pw;
    cases_check(
        cases, vault_reset_make(f->v, S("alice@example.test"), DAY + 1, NOW, &pw, &expires) == ERR_SYNTAX,
        "never longer than the policy");
    policy("", "reset_life", "30 min");
    struct code half = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(
        cases, use("alice@example.test", code_slice(&half), NOW + 31 * 60) == ERR_DENIED, "after 31 minutes");
    policy("", "reset_life", "");
    struct code other = make_code("alice@example.test", 0, NOW, &expires);
    assert_ok(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_LOCKED));
    cases_check(cases, use("alice@example.test", code_slice(&other), NOW) == ERR_DENIED, "a locked account");
    assert_ok(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_ACTIVE));
    cases_check(cases, use("alice@example.test", code_slice(&other), NOW) == OK, "unlocked");
    other = make_code("alice@example.test", 0, NOW, &expires);
    assert_ok(
        change_as(PASSWORD_BY_ENTRY, "alice@example.test", SLICE_EMPTY, S("Quiet harbour 12 bells"), NOW));
    cases_check(
        cases, use("alice@example.test", code_slice(&other), NOW) == ERR_DENIED, "voided by a change");
}

static void typed_forms(struct cases *cases)
{
    int64_t expires;
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    char typed[2 * CLIENTPW_SHOWN];
    for (size_t i = 0; i < sizeof c.shown; i++)
        typed[i] = c.shown[i] == '-' ? ' ' : ascii_upper(c.shown[i]);
    cases_check(
        cases, use("Alice@EXAMPLE.test", slice_of(typed, sizeof c.shown), NOW) == OK, "capitals and blanks");
}

/* Two at the same time with one code: one is used. */
static void parallel(struct cases *cases)
{
    int64_t expires;
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    struct password_work a, b;
    assert_ok(
        begin(PASSWORD_BY_RESET, "alice@example.test", code_slice(&c), S("Silver bridge 4 moons"), NOW, &a));
    assert_ok(
        begin(PASSWORD_BY_RESET, "alice@example.test", code_slice(&c), S("Copper tunnel 5 suns"), NOW, &b));
    password_work_run(&a);
    password_work_run(&b);
    cases_check(cases, vault_password_finish(f->v, &b, NOW) == OK, "the first to finish");
    cases_check(cases, vault_password_finish(f->v, &a, NOW) == ERR_BUSY, "the second");
    cases_check(cases, opens("Copper tunnel 5 suns") && !opens("Silver bridge 4 moons"), "one is in force");
    password_work_done(&a);
    password_work_done(&b);
}

static void what_it_ends(struct cases *cases)
{
    struct factor_totp_new made;
    struct factors_have have;
    char device[DEVICE_TOKEN];
    uint8_t token[SESSION_TOKEN_LEN];
    uint64_t id;
    int64_t expires;
    struct vault_account a = alice_now();
    struct session s;
    assert_ok(factors_enrol_totp(f->v, &alice.id, S("phone"), S("x"), NOW, &made));
    secret_free(&made.secret);
    secret_free(&made.uri);
    assert_ok(db_exec(vault_container_db(f->v, VAULT_ACCOUNTS), "UPDATE factor SET status = 1"));
    assert_ok(device_remember(f->v, &alice.id, S("browser"), NOW, device, &id));
    assert_ok(session_begin(f->v, &a, &(struct ip){{0}}, S("browser"), NOW, token));
    assert_ok(session_find(f->v, slice_of(token, sizeof token), NOW, &s));
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(
        cases, session_find(f->v, slice_of(token, sizeof token), NOW, &s) == OK, "a code alone ends nothing");
    unsigned revokes = f->told.revokes;
    cases_check(cases, use("alice@example.test", code_slice(&c), NOW) == OK, "the code is used");
    cases_check(cases, f->told.revokes == revokes + 1 && f->told.version == a.version + 1, "sessions end");
    cases_check(
        cases, session_find(f->v, slice_of(token, sizeof token), NOW, &s) == ERR_DENIED, "the portal's, too");
    cases_check(
        cases, device_check(f->v, &alice.id, slice_of(device, sizeof device), NOW, &id) == ERR_DENIED,
        "no device is remembered");
    assert_ok(factors_count(f->v, &alice.id, &have));
    cases_check(cases, have.totp == 1, "the second factor stays");
}

/* INV-V1: the file holds no code, in no spelling. */
static void the_file_holds_none(struct cases *cases)
{
    int64_t expires;
    struct code c = make_code("alice@example.test", 0, NOW, &expires);
    cases_check(cases, !fixture_stores(f, slice_of(c.shown, CLIENTPW_GROUP)), "a code in the files");
}

static void codes_to_reset(void **state)
{
    struct cases cases = {.id = "T-238"};
    int64_t expires;
    fixture_account_with(f, "bob@example.test", FIRST);
    struct code good = make_code("alice@example.test", 0, NOW, &expires);
    wrong_codes(&cases, &good, NOW);
    cases_check(&cases, opens(FIRST), "wrong ones change nothing");
    cases_check(&cases, use("alice@example.test", code_slice(&good), NOW) == OK, "wrong ones void nothing");
    cases_check(&cases, !opens(FIRST), "the old one opens nothing");
    codes_die(&cases);
    typed_forms(&cases);
    parallel(&cases);
    what_it_ends(&cases);
    the_file_holds_none(&cases);
    cases_end(&cases, 50);
}

/* ---- T-256 ---- */

enum { CHANGES = 8 };

static void present(int i, char out[64])
{
    snprintf(out, 64, "%s", i ? nth(i) : FIRST);
}

/* A sign-in at another cost: the hash is made anew. */
static void rehash_now(struct vault *v, int i)
{
    char hash[PASSHASH_TEXT_MAX], password[64];
    struct secret stored CLEANUP_SECRET = SECRET_NONE;
    const struct passhash_cost dearer = {.memory_kib = 128, .passes = 1};
    present(i, password);
    assert_ok(vault_account_password(v, &alice.id, &stored));
    assert_ok(passhash_make(slice_str(password), dearer, hash));
    assert_ok(vault_password_rehash(v, &alice.id, secret_reveal(&stored), slice_str(hash)));
}

/* After the cut: exactly one of them opens, not an older one than was promised, and the version is that one's. */
static bool holds_after(const struct crash_image *left, int mark, uint32_t first_version)
{
    struct fixture *g = fixture_folder();
    struct vault *v = NULL;
    struct vault_options options = g->options;
    struct vault_account a;
    int fits = 0, which = -1;
    crash_image_write(left, g->dirfd);
    assert_ok(vault_open(&options, &v, NULL));
    for (int i = 0; i <= CHANGES; i++) {
        char password[64];
        present(i, password);
        if (opens_in(v, &alice.id, slice_str(password))) {
            fits++;
            which = i;
        }
    }
    assert_ok(vault_account_get(v, &alice.id, &a));
    assert_ok(vault_close(&v));
    fixture_free(g);
    return fits == 1 && which >= mark && which <= mark + 1 && a.version == first_version + (uint32_t)which;
}

static void cuts(struct cases *cases)
{
    uint64_t seed = 256;
    uint32_t version = alice_now().version;
    assert_ok(vault_close(&f->v));
    struct crash_image base = crash_vault_image(f);
    struct crash_disk *disk = crash_start(&base);
    assert_ok(vault_open(&f->options, &f->v, NULL));
    crash_mark(disk, 0);
    for (int i = 0; i < CHANGES; i++) {
        char old[64];
        present(i, old);
        rehash_now(f->v, i);
        assert_ok(change(old, nth(i + 1)));
        crash_mark(disk, i + 1);
    }
    crash_stop();
    for (int i = 0; i < (is_full() ? 500 : 60); i++) {
        int mark = -1;
        struct crash_image left = crash_make(disk, crash_cut_random(disk, &seed), &mark);
        cases_check(cases, holds_after(&left, mark < 0 ? 0 : mark, version), "a cut");
        crash_image_done(&left);
    }
    crash_image_done(&base);
    crash_free(&disk);
}

static void two_at_once(struct cases *cases)
{
    struct password_work a, b;
    uint32_t version = alice_now().version;
    char old[64];
    present(CHANGES, old);
    assert_ok(
        begin(PASSWORD_BY_OWNER, "alice@example.test", slice_str(old), S("Silver bridge 4 moons"), NOW, &a));
    assert_ok(
        begin(PASSWORD_BY_OWNER, "alice@example.test", slice_str(old), S("Copper tunnel 5 suns"), NOW, &b));
    password_work_run(&a);
    password_work_run(&b);
    cases_check(cases, vault_password_finish(f->v, &a, NOW) == OK, "one wins");
    cases_check(cases, vault_password_finish(f->v, &b, NOW) == ERR_BUSY, "the other is refused");
    cases_check(
        cases, opens("Silver bridge 4 moons") && !opens("Copper tunnel 5 suns"), "the winner's is in force");
    cases_check(cases, alice_now().version == version + 1, "once");
    password_work_done(&a);
    password_work_done(&b);
}

static void rehashing(struct cases *cases)
{
    char hash[PASSHASH_TEXT_MAX];
    struct secret stored CLEANUP_SECRET = SECRET_NONE, text CLEANUP_SECRET = SECRET_NONE;
    const struct passhash_cost dearer = {.memory_kib = 256, .passes = 2};
    struct vault_account before = alice_now();
    assert_ok(vault_account_password(f->v, &alice.id, &stored));
    cases_check(cases, !vault_password_is_stale(f->v, secret_reveal(&stored)), "made at the present cost");
    struct vault_settings settings = f->options.settings;
    settings.cost = dearer;
    vault_set(f->v, &settings);
    cases_check(cases, vault_password_is_stale(f->v, secret_reveal(&stored)), "stale at another");
    assert_ok(passhash_make(S("Silver bridge 4 moons"), dearer, hash));
    cases_check(
        cases, vault_password_rehash(f->v, &alice.id, secret_reveal(&stored), slice_str(hash)) == OK,
        "made anew");
    cases_check(cases, opens("Silver bridge 4 moons"), "still opens");
    struct vault_account after = alice_now();
    cases_check(
        cases, after.version == before.version && after.password_s == before.password_s, "ends nothing");
    assert_ok(vault_account_password(f->v, &alice.id, &text));
    cases_check(cases, !vault_password_is_stale(f->v, secret_reveal(&text)), "at the present cost");
    /* What was compared is not there any more: it must not come back. */
    assert_ok(
        change_as(PASSWORD_BY_ENTRY, "alice@example.test", SLICE_EMPTY, S("Copper tunnel 6 suns"), NOW));
    cases_check(
        cases, vault_password_rehash(f->v, &alice.id, secret_reveal(&text), slice_str(hash)) == OK,
        "too late");
    cases_check(
        cases, opens("Copper tunnel 6 suns") && !opens("Silver bridge 4 moons"),
        "a late one changes nothing");
}

static void changes_hold_through_crashes(void **state)
{
    struct cases cases = {.id = "T-256"};
    policy("", "password_history", "10");
    cuts(&cases);
    two_at_once(&cases);
    rehashing(&cases);
    cases_end(&cases, 70);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_table_of_policies_reads_and_writes_itself),
        TEST(values_are_read_strictly),
        TEST(the_most_specific_value_holds),
        TEST(what_is_not_understood_is_strict),
        TEST(narrowing_a_door_ends_its_sessions),
        TEST(nobody_has_the_policy_of_the_domain),
        TEST(strength_names_what_is_weak),
        TEST(the_policy_of_the_account_counts),
        TEST(breached_ones_are_refused_without_asking_anyone),
        TEST(a_change_takes_the_old_one_and_ends_its_sessions),
        TEST(no_administrator_sets_one_over_another),
        TEST(the_last_ones_cannot_be_used_again),
        TEST(age_warns_and_ends),
        TEST(password_shapes),
        TEST(examples_of_rfc_8265),
        TEST(codes_to_reset),
        TEST(changes_hold_through_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

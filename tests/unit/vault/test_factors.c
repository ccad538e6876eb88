/* Authenticators and recovery codes in the store: rows T-227, T-228, T-229, T-232, and what else factors.h promises. */
#include "crash_vault.h"

#include <errno.h>

#include "../cases.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "db/disk.h"
#include "factor/ceremony.h"
#include "factor/totp.h"
#include "vault/devices.h"
#include "vault/factors.h"
#include "vault/notices.h"
#include "vault/policy.h"

enum { NOW = 1700000010, STEP_S = TOTP_STEP_S };
enum { YEARS_10 = 10 * 365 * 86400 };

static struct fixture *f;
static struct vault_account alice;

static int setup(void **state)
{
    f = fixture_new();
    factor_init();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account(f, "alice@example.test");
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

/* ---- an authenticator, as a person has one ---- */

struct app {
    uint64_t id;
    uint8_t secret[TOTP_SECRET];
};

static struct app enrol(const struct account_id *account, int64_t now)
{
    struct factor_totp_new made;
    struct app app;
    assert_int_equal(factors_enrol_totp(f->v, account, S("phone"), S("example.test"), now, &made), OK);
    app.id = made.id;
    fixture_unbase32(secret_reveal(&made.secret), app.secret, TOTP_SECRET);
    secret_free(&made.secret);
    secret_free(&made.uri);
    return app;
}

struct code {
    char text[TOTP_DIGITS_MAX];
};
static struct code code_at(const struct app *app, int64_t now)
{
    struct code c;
    totp_code(slice_of(app->secret, TOTP_SECRET), (uint64_t)(now / STEP_S), TOTP_DIGITS, c.text);
    return c;
}
static struct slice code_slice(const struct code *c)
{
    return slice_of(c->text, TOTP_DIGITS);
}
/* Surely wrong at this time: another digit than any of the codes around. */
static struct code wrong_code(const struct app *app, int64_t now, unsigned salt)
{
    struct code wrong;
    for (;; salt++) {
        snprintf(wrong.text, sizeof wrong.text, "%06u", salt % 1000000);
        bool right = false;
        for (int64_t s = -6; s <= 6; s++) {
            struct code c = code_at(app, now + s * STEP_S);
            right |= memcmp(c.text, wrong.text, TOTP_DIGITS) == 0;
        }
        if (!right)
            return wrong;
    }
}

static struct app enrolled(const struct account_id *account)
{
    struct app app = enrol(account, NOW - 600);
    struct code c = code_at(&app, NOW - 600);
    assert_int_equal(factors_confirm(f->v, account, app.id, code_slice(&c), NOW - 600), OK);
    return app;
}

static enum factor_verdict
check(const struct account_id *account, enum factor_kind kind, struct slice code, int64_t now)
{
    struct factor_result r;
    assert_int_equal(factors_check(f->v, account, kind, code, now, &r), OK);
    return r.verdict;
}
static enum factor_verdict check_app(const struct app *app, int64_t code_time, int64_t now)
{
    struct code c = code_at(app, code_time);
    return check(&alice.id, FACTOR_TOTP, code_slice(&c), now);
}

/* ---- T-227 ---- */

static void cut_between_check_and_commit(struct cases *cases, const struct app *app);
static void power_cuts(struct cases *cases, const struct app *app);

static void a_code_opens_once(void **state)
{
    struct cases cases = {.id = "T-227"};
    struct app app = enrol(&alice.id, NOW);
    /* The code of the enrolment opens nothing, nor does a pending authenticator. */
    cases_check(&cases, check_app(&app, NOW, NOW) == FACTOR_NONE, "a pending authenticator");
    struct code first = code_at(&app, NOW);
    assert_int_equal(factors_confirm(f->v, &alice.id, app.id, code_slice(&first), NOW), OK);
    cases_check(&cases, check_app(&app, NOW, NOW) == FACTOR_WRONG, "the code of the enrolment");
    cases_check(&cases, check_app(&app, NOW, NOW + STEP_S) == FACTOR_WRONG, "the same a step later");
    int64_t now = NOW + 3600;
    cases_check(&cases, check_app(&app, now, now) == FACTOR_YES, "a new code");
    cases_check(&cases, check_app(&app, now, now + 1) == FACTOR_WRONG, "again within a second");
    cases_check(&cases, check_app(&app, now, now + STEP_S) == FACTOR_WRONG, "again in the next step");
    cases_check(&cases, check_app(&app, now - STEP_S, now) == FACTOR_WRONG, "one before it");
    fixture_reopen(f);
    cases_check(&cases, check_app(&app, now, now) == FACTOR_WRONG, "again after a restart");
    /* Twenty at a time: one opens. The vault has one thread, so that they come one after the other in any order. */
    now += 86400;
    unsigned yes = 0;
    for (int i = 0; i < 20; i++)
        yes += check_app(&app, now, now) == FACTOR_YES;
    for (int i = 0; i < 20; i++)
        cases_check(&cases, yes == 1, "one of twenty");
    cut_between_check_and_commit(&cases, &app);
    power_cuts(&cases, &app);
    cases_end(&cases, 60);
}

/* Every system call of a check fails in turn; and the process dies at every one of them, which a copy of the folder as it was
 * at that call shows. */
struct cutting {
    struct disk_hook hook;
    int at, seen; /* the call that fails, from 1; 0: none */
};
static bool is_change(const struct disk_call *call)
{
    return call->op == DISK_WRITE || call->op == DISK_SYNC || call->op == DISK_TRUNCATE;
}
static int cut_before(struct disk_hook *h, const struct disk_call *call)
{
    struct cutting *c = (struct cutting *)h;
    if (!is_change(call))
        return 0;
    c->seen++;
    return c->at && c->seen >= c->at
               ? EIO
               : 0; /* from here on nothing reaches the disk: the process is as good as dead */
}
static void cut_after(struct disk_hook *h, const struct disk_call *call)
{
    (void)h;
    (void)call;
}

/* INV-F1: whenever the check says yes, the use is on disk; when the disk takes nothing any more, it never says yes. */
static void cut_between_check_and_commit(struct cases *cases, const struct app *app)
{
    int64_t now = NOW + 10 * 86400;
    for (int at = 1; at <= 40; at++, now += 86400) {
        struct cutting c = {.hook = {cut_before, cut_after}, .at = at};
        struct factor_result r = {.verdict = FACTOR_NONE};
        struct code code = code_at(app, now);
        disk_set_hook(&c.hook);
        enum err e = factors_check(f->v, &alice.id, FACTOR_TOTP, code_slice(&code), now, &r);
        bool reached = c.seen >= at;
        struct vault *dead = f->v;
        f->v = NULL;
        IGNORE(vault_close(&dead), "it is as if killed: nothing is written");
        disk_set_hook(NULL);
        assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
        bool said_yes = e == OK && r.verdict == FACTOR_YES;
        struct factor_result again;
        assert_int_equal(factors_check(f->v, &alice.id, FACTOR_TOTP, code_slice(&code), now, &again), OK);
        cases_check(cases, !(said_yes && again.verdict == FACTOR_YES), "a yes whose use is not on disk");
        cases_check(
            cases, said_yes || e != OK || r.verdict == FACTOR_YES, "a right code is never called wrong");
        if (!reached)
            break;
    }
}

/* The power goes, or the process dies, at any moment of 24 sign-ins: a code that was answered yes is refused afterwards. */
enum { CUT_SIGN_INS = 24 };
static int64_t cut_time(int i)
{
    return NOW + 100 * 86400 + (int64_t)i * 3600;
}

static bool is_refused_after(const struct crash_image *left, const struct app *app, int mark)
{
    struct fixture *g = fixture_folder();
    struct vault_options options = g->options;
    struct vault *v = NULL;
    struct factor_result r = {.verdict = FACTOR_WRONG};
    struct code code = code_at(app, cut_time(mark));
    crash_image_write(left, g->dirfd);
    assert_int_equal(vault_open(&options, &v, NULL), OK);
    enum err e = factors_check(v, &alice.id, FACTOR_TOTP, code_slice(&code), cut_time(mark), &r);
    assert_int_equal(vault_close(&v), OK);
    fixture_free(g);
    return e == OK && r.verdict == FACTOR_WRONG;
}

static void power_cuts(struct cases *cases, const struct app *app)
{
    bool full = test_in_full();
    uint64_t seed = 227;
    assert_int_equal(vault_close(&f->v), OK);
    struct crash_image base = crash_vault_image(f);
    struct crash_disk *disk = crash_start(&base);
    assert_int_equal(vault_open(&f->options, &f->v, NULL), OK);
    for (int i = 0; i < CUT_SIGN_INS; i++) {
        assert_int_equal(check_app(app, cut_time(i), cut_time(i)), FACTOR_YES);
        crash_mark(disk, i);
    }
    crash_stop();
    for (int i = 0; i < (full ? 2000 : 100); i++) {
        int mark = -1;
        struct crash_image left = crash_make(disk, crash_cut_random(disk, &seed), &mark);
        cases_check(
            cases, mark < 0 || is_refused_after(&left, app, mark), "a code that was used before the cut");
        crash_image_done(&left);
    }
    crash_image_done(&base);
    crash_free(&disk);
}

/* ---- T-228 ---- */

static void guessing_is_slow(void **state)
{
    struct cases cases = {.id = "T-228"};
    bool full = test_in_full();
    int guesses = full ? 10000 : 2000;
    struct app app = enrolled(&alice.id);
    unsigned evaluated = 0, waits = 0;
    for (int i = 0; i < guesses; i++) {
        int64_t now = NOW + (int64_t)i * 86400 / guesses;
        struct code wrong = wrong_code(&app, now, (unsigned)i * 7);
        if (i % 20 == 0) { /* a right mailbox password, a new session: neither is known to the counter */
            struct vault_account a;
            assert_int_equal(vault_account_get(f->v, &alice.id, &a), OK);
            if (i % 400 == 0)
                fixture_reopen(f);
        }
        enum factor_verdict verdict = check(&alice.id, FACTOR_TOTP, code_slice(&wrong), now);
        evaluated += verdict == FACTOR_WRONG;
        waits += verdict == FACTOR_WAIT;
        cases_check(&cases, verdict == FACTOR_WRONG || verdict == FACTOR_WAIT, "a guess");
    }
    print_message("%u of %d guesses in a day were looked at\n", evaluated, guesses);
    assert_true(evaluated >= 5 && evaluated <= 20);
    assert_int_equal(evaluated + waits, guesses);
    cases_end(&cases, (unsigned)guesses);
}

/* Mails that wait for alice. */
static unsigned notices(const char *kind)
{
    struct notice n = {.id = 0};
    unsigned count = 0;
    while (vault_notice_next(f->v, n.id, &n) == OK)
        count += strcmp(n.kind, kind) == 0 && account_id_eq(&n.account, &alice.id);
    return count;
}

static void the_wait_doubles_and_ends(void **state)
{
    struct app app = enrolled(&alice.id);
    struct factor_result r;
    int64_t now = NOW, pause = 900;
    for (int i = 0; i < 4; i++) {
        struct code wrong = wrong_code(&app, now, (unsigned)i);
        assert_int_equal(factors_check(f->v, &alice.id, FACTOR_TOTP, code_slice(&wrong), now, &r), OK);
        assert_int_equal(r.verdict, FACTOR_WRONG);
        assert_int_equal(r.wait_until_s, 0);
    }
    for (int i = 0; i < 12; i++) {
        struct code wrong = wrong_code(&app, now, (unsigned)i);
        assert_int_equal(factors_check(f->v, &alice.id, FACTOR_TOTP, code_slice(&wrong), now, &r), OK);
        assert_int_equal(r.verdict, FACTOR_WRONG);
        assert_int_equal(r.wait_until_s, now + pause);
        assert_string_equal(f->told.last_kind, "factor.paused");
        assert_int_equal(check_app(&app, now, now), FACTOR_WAIT); /* also the right one is not looked at */
        assert_int_equal(check_app(&app, now + pause - 1, now + pause - 1), FACTOR_WAIT);
        now += pause;
        pause = pause * 2 > 86400 ? 86400 : pause * 2;
    }
    assert_int_equal(notices("factor-guessed"), 1); /* the owner is told once, not for every guess */
    assert_int_equal(check_app(&app, now, now), FACTOR_YES);
    /* The right code has cleared the count. */
    now += 60;
    for (int i = 0; i < 4; i++) {
        struct code wrong = wrong_code(&app, now, (unsigned)i);
        assert_int_equal(check(&alice.id, FACTOR_TOTP, code_slice(&wrong), now), FACTOR_WRONG);
    }
    assert_int_equal(check_app(&app, now, now), FACTOR_YES);
    /* What has not the form of a code is no guess. */
    now += 60;
    for (int i = 0; i < 20; i++)
        assert_int_equal(check(&alice.id, FACTOR_TOTP, S("12345"), now), FACTOR_WRONG);
    assert_int_equal(check_app(&app, now, now), FACTOR_YES);
}

/* ---- T-229 ---- */

static void the_clock_may_jump(void **state)
{
    struct cases cases = {.id = "T-229"};
    static const int64_t jumps[] = {STEP_S, 3600, YEARS_10};
    int64_t now = NOW;
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        struct vault_account who = alice;
        struct app app = enrolled(&who.id);
        assert_int_equal(check_app(&app, now, now), FACTOR_YES);
        cases_check(
            &cases, check_app(&app, now, now - jumps[i]) != FACTOR_YES, "an old code, the clock back");
        /* Ahead, used there, and back: at most a step later the owner is in again. */
        int64_t ahead = now + 300 + jumps[i];
        cases_check(&cases, check_app(&app, ahead, ahead) == FACTOR_YES, "a code ahead");
        now += 600;
        (void)check_app(&app, now, now);
        now += 2 * STEP_S;
        enum factor_verdict verdict = check_app(&app, now, now);
        bool soon = verdict == FACTOR_YES;
        for (int step = 0; !soon && step < 6; step++, now += STEP_S)
            soon = check_app(&app, now, now) == FACTOR_YES;
        cases_check(&cases, soon, "the owner after a jump ahead and back");
        cases_check(
            &cases, check_app(&app, ahead, ahead) != FACTOR_YES, "the code used ahead, when its time comes");
        assert_int_equal(factors_remove(f->v, &alice.id, app.id, false, now), OK);
        now += 7200;
    }
    /* A pause that was counted in the future ends as any other. */
    struct app app = enrolled(&alice.id);
    for (int i = 0; i < 5; i++) {
        struct code wrong = wrong_code(&app, now + YEARS_10, (unsigned)i);
        (void)check(&alice.id, FACTOR_TOTP, code_slice(&wrong), now + YEARS_10);
    }
    cases_check(&cases, check_app(&app, now, now) == FACTOR_WAIT, "a pause from the future");
    cases_check(&cases, check_app(&app, now + 901, now + 901) == FACTOR_YES, "ends");
    cases_end(&cases, 10);
}

/* ---- T-232 ---- */

static void full_width(const char *plain, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        char c[4];
        size_t used = utf8_encode((uint32_t)plain[i] - 0x21 + 0xff01, c);
        buf_put(out, slice_of(c, used));
    }
}

static void recovery_codes(void **state)
{
    struct cases cases = {.id = "T-232"};
    struct recovery_code codes[LIMIT_RECOVERY_CODES], old[LIMIT_RECOVERY_CODES];
    char shown[RECOVERY_SHOWN];
    int64_t now = NOW;
    cases_check(&cases, RECOVERY_SYMBOLS * 5 >= 60, "at least 60 bits");
    cases_check(
        &cases, factors_new_recovery(f->v, &alice.id, now, codes) == ERR_STATE, "no factor to stand in for");
    enrolled(&alice.id);
    assert_int_equal(factors_new_recovery(f->v, &alice.id, now, codes), OK);
    for (int i = 0; i < LIMIT_RECOVERY_CODES; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(codes[i].symbols, codes[k].symbols, RECOVERY_SYMBOLS);
    /* Each once, in every way people type. */
    struct buf typed[5];
    for (int i = 0; i < 5; i++)
        buf_init(&typed[i], 200);
    recovery_show(&codes[0], shown);
    buf_put(&typed[0], slice_of(shown, sizeof shown));
    buf_put(&typed[1], recovery_slice(&codes[1]));
    for (size_t i = 0; i < RECOVERY_SYMBOLS; i++)
        buf_put_char(&typed[2], ascii_upper(codes[2].symbols[i]));
    full_width(codes[3].symbols, RECOVERY_SYMBOLS, &typed[3]);
    for (size_t i = 0; i < RECOVERY_SYMBOLS; i++)
        buf_printf(&typed[4], " %c\xe3\x80\x80", codes[4].symbols[i]);
    for (int i = 0; i < 5; i++) {
        struct factor_result r;
        now += 3600;
        assert_int_equal(factors_check(f->v, &alice.id, FACTOR_RECOVERY, buf_slice(&typed[i]), now, &r), OK);
        cases_check(&cases, r.verdict == FACTOR_YES && r.left == 9 - (uint32_t)i, "as people type it");
        assert_string_equal(f->told.last_kind, "factor.recovery_used");
        cases_check(
            &cases, check(&alice.id, FACTOR_RECOVERY, buf_slice(&typed[i]), now) == FACTOR_WRONG,
            "a second time");
        fixture_reopen(f);
        cases_check(
            &cases, check(&alice.id, FACTOR_RECOVERY, buf_slice(&typed[i]), now) == FACTOR_WRONG,
            "after a restart");
        buf_done(&typed[i]);
    }
    /* In parallel: one. */
    now += 3600;
    unsigned yes = 0;
    for (int i = 0; i < 5; i++)
        yes += check(&alice.id, FACTOR_RECOVERY, recovery_slice(&codes[5]), now) == FACTOR_YES;
    cases_check(&cases, yes == 1, "one of five");
    /* Five tries an hour, whatever they are; the sixth is not looked at. */
    cases_check(
        &cases, check(&alice.id, FACTOR_RECOVERY, recovery_slice(&codes[6]), now) == FACTOR_WAIT,
        "a sixth try");
    cases_check(
        &cases, check(&alice.id, FACTOR_RECOVERY, recovery_slice(&codes[6]), now + 3599) == FACTOR_WAIT,
        "59:59");
    /* SQL and other shapes. */
    now += 3600;
    static const char *const shapes[] = {"%", "______________", "' OR 1=1 --", "**************",
                                         "",  "\xff\xfe"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        cases_check(
            &cases, check(&alice.id, FACTOR_RECOVERY, slice_str(shapes[i]), now) == FACTOR_WRONG, shapes[i]);
    /* Another account's, and a new set. */
    struct vault_account bob = fixture_account(f, "bob@example.test");
    enrolled(&bob.id);
    cases_check(
        &cases, check(&bob.id, FACTOR_RECOVERY, recovery_slice(&codes[6]), now) == FACTOR_NONE,
        "of an account without");
    memcpy(old, codes, sizeof old);
    assert_int_equal(factors_new_recovery(f->v, &bob.id, now, codes), OK);
    cases_check(
        &cases, check(&bob.id, FACTOR_RECOVERY, recovery_slice(&old[6]), now) == FACTOR_WRONG,
        "another account's");
    assert_int_equal(factors_new_recovery(f->v, &alice.id, now, codes), OK);
    cases_check(
        &cases, check(&alice.id, FACTOR_RECOVERY, recovery_slice(&old[6]), now) == FACTOR_WRONG,
        "the old set");
    cases_check(
        &cases, check(&alice.id, FACTOR_RECOVERY, recovery_slice(&codes[0]), now) == FACTOR_YES,
        "the new set");
    cases_end(&cases, 30);
}

/* INV-V1: nothing in the files is a code, a secret, or an unkeyed hash of one. */
static void a_stolen_database_holds_no_factor(void **state)
{
    struct recovery_code codes[LIMIT_RECOVERY_CODES];
    char token[DEVICE_TOKEN];
    uint8_t octets[DEVICE_TOKEN / 2];
    uint64_t id;
    struct app app = enrolled(&alice.id);
    assert_int_equal(factors_new_recovery(f->v, &alice.id, NOW, codes), OK);
    assert_int_equal(device_remember(f->v, &alice.id, S("browser"), NOW, token, &id), OK);
    assert_int_equal(hex_get(slice_of(token, sizeof token), octets, sizeof octets), OK);
    fixture_reopen(f);
    struct hash plain = hash_of(NULL, recovery_slice(&codes[0]));
    assert_false(fixture_stores(f, slice_of(app.secret, TOTP_SECRET)));
    assert_false(fixture_stores(f, recovery_slice(&codes[0])));
    assert_false(fixture_stores(f, hash_slice(&plain)));
    assert_false(fixture_stores(f, slice_of(octets, sizeof octets)));
    assert_false(fixture_stores(f, slice_of(token, sizeof token)));
}

/* ---- the rest of factors.h ---- */

struct listed {
    struct factor factors[24];
    unsigned n;
};
static void take(void *owner, const struct factor *factor)
{
    struct listed *l = owner;
    l->factors[l->n++] = *factor;
}
static struct listed list(int64_t now)
{
    struct listed l = {.n = 0};
    assert_int_equal(factors_list(f->v, &alice.id, now, take, &l), OK);
    return l;
}

static void enrolling_and_listing(void **state)
{
    struct factor_totp_new made;
    struct factors_have have;
    assert_int_equal(factors_enrol_totp(f->v, &alice.id, S("my phone"), S("Ex: A"), NOW, &made), OK);
    assert_int_equal(secret_reveal(&made.secret).n, 32);
    assert_true(
        slice_starts(secret_reveal(&made.uri), S("otpauth://totp/Ex%3A%20A:alice%40example.test?secret=")));
    assert_true(slice_search(secret_reveal(&made.uri), secret_reveal(&made.secret)) != SLICE_NPOS);
    secret_free(&made.secret);
    secret_free(&made.uri);
    struct listed l = list(NOW);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.factors[0].status, FACTOR_PENDING);
    assert_string_equal(l.factors[0].label, "my phone");
    assert_int_equal(factors_count(f->v, &alice.id, &have), OK);
    assert_int_equal(have.totp, 0);
    assert_int_equal(list(NOW + LIMIT_FACTOR_PENDING + 1).n, 0);
    struct app app = enrol(&alice.id, NOW); /* in place of the pending one */
    assert_int_equal(list(NOW).n, 1);
    struct code wrong = wrong_code(&app, NOW, 3), right = code_at(&app, NOW);
    struct code late = code_at(&app, NOW + LIMIT_FACTOR_PENDING + 1);
    assert_int_equal(factors_confirm(f->v, &alice.id, app.id, code_slice(&wrong), NOW), ERR_DENIED);
    assert_int_equal(factors_confirm(f->v, &alice.id, app.id, S("12"), NOW), ERR_DENIED);
    assert_int_equal(factors_confirm(f->v, &alice.id, app.id + 1, code_slice(&right), NOW), ERR_NOT_FOUND);
    struct vault_account bob = fixture_account(f, "bob@example.test");
    assert_int_equal(factors_confirm(f->v, &bob.id, app.id, code_slice(&right), NOW), ERR_NOT_FOUND);
    assert_int_equal(
        factors_confirm(f->v, &alice.id, app.id, code_slice(&late), NOW + LIMIT_FACTOR_PENDING + 1),
        ERR_NOT_FOUND);
    assert_int_equal(factors_confirm(f->v, &alice.id, app.id, code_slice(&right), NOW), OK);
    assert_string_equal(f->told.last_kind, "factor.confirmed");
    assert_int_equal(factors_confirm(f->v, &alice.id, app.id, code_slice(&right), NOW), ERR_NOT_FOUND);
    assert_int_equal(factors_count(f->v, &alice.id, &have), OK);
    assert_int_equal(have.totp, 1);
    /* Two authenticators, no third; either one opens. */
    struct app second = enrol(&alice.id, NOW);
    struct code c = code_at(&second, NOW);
    assert_int_equal(factors_confirm(f->v, &alice.id, second.id, code_slice(&c), NOW), OK);
    assert_int_equal(factors_enrol_totp(f->v, &alice.id, S("third"), S("x"), NOW, &made), ERR_LIMIT);
    assert_int_equal(check_app(&app, NOW + 60, NOW + 60), FACTOR_YES);
    assert_int_equal(check_app(&second, NOW + 60, NOW + 60), FACTOR_YES);
    assert_int_equal(factors_enrol_totp(f->v, &alice.id, S(""), S("x"), NOW, &made), ERR_SYNTAX);
    assert_int_equal(factors_enrol_totp(f->v, &alice.id, S("a\nb"), S("x"), NOW, &made), ERR_SYNTAX);
}

static void typed_codes_are_forgiven(void **state)
{
    struct app app = enrolled(&alice.id);
    struct code c = code_at(&app, NOW);
    char spaced[16];
    snprintf(spaced, sizeof spaced, "%.3s %.3s\n", c.text, c.text + 3);
    assert_int_equal(check(&alice.id, FACTOR_TOTP, slice_str(spaced), NOW), FACTOR_YES);
    c = code_at(&app, NOW + 60);
    struct buf wide CLEANUP_BUF = BUF_INIT(64);
    full_width(c.text, TOTP_DIGITS, &wide);
    assert_int_equal(check(&alice.id, FACTOR_TOTP, buf_slice(&wide), NOW + 60), FACTOR_YES);
}

static void the_last_factor_stays_when_it_must(void **state)
{
    struct recovery_code codes[LIMIT_RECOVERY_CODES];
    char token[DEVICE_TOKEN];
    uint64_t device;
    struct factors_have have;
    struct app app = enrolled(&alice.id);
    assert_int_equal(factors_new_recovery(f->v, &alice.id, NOW, codes), OK);
    assert_int_equal(device_remember(f->v, &alice.id, S("browser"), NOW, token, &device), OK);
    static const char *const demands[] = {"any", "totp", "key"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            vault_policy_set(f->v, S("domain example.test"), S("factor_required"), slice_str(demands[i])),
            OK);
        assert_int_equal(factors_remove(f->v, &alice.id, app.id, true, NOW), ERR_STATE);
        assert_true(vault_problem(f->v).n > 10);
    }
    struct app pending = enrol(&alice.id, NOW);
    assert_int_equal(factors_remove(f->v, &alice.id, app.id, true, NOW), ERR_STATE);
    assert_int_equal(factors_remove(f->v, &alice.id, pending.id, true, NOW), OK);
    struct listed l = list(NOW);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.factors[1].kind, FACTOR_RECOVERY);
    assert_int_equal(l.factors[1].left, LIMIT_RECOVERY_CODES);
    struct vault_account bob = fixture_account(f, "bob@example.test");
    assert_int_equal(factors_remove(f->v, &bob.id, app.id, false, NOW), ERR_NOT_FOUND);
    assert_int_equal(factors_remove(f->v, &alice.id, app.id, false, NOW), OK);
    assert_string_equal(f->told.last_kind, "factor.removed");
    assert_int_equal(notices("factor-changed"), 4); /* added, codes made, and two removed */
    assert_int_equal(factors_count(f->v, &alice.id, &have), OK);
    assert_int_equal(have.totp + have.keys + have.recovery, 0);
    assert_int_equal(device_check(f->v, &alice.id, slice_of(token, sizeof token), NOW, &device), ERR_DENIED);
    /* The set of recovery codes by the id of its first one. */
    app = enrolled(&alice.id);
    assert_int_equal(factors_new_recovery(f->v, &alice.id, NOW, codes), OK);
    l = list(NOW);
    assert_int_equal(factors_remove(f->v, &alice.id, l.factors[1].id, true, NOW), OK);
    assert_int_equal(list(NOW).n, 1);
    /* And everything goes with the account. */
    assert_int_equal(factors_new_recovery(f->v, &alice.id, NOW, codes), OK);
    assert_int_equal(vault_account_remove(f->v, S("alice@example.test")), OK);
    assert_int_equal(list(NOW).n, 0);
}

static void codes_behind_a_password(void **state)
{
    struct slice password, code;
    assert_true(factors_split_code(S("secret 1123456"), &password, &code));
    assert_true(slice_eq(password, S("secret 1")) && slice_eq(code, S("123456")));
    assert_false(factors_split_code(S("123456"), &password, &code));
    assert_false(factors_split_code(S("secret12345"), &password, &code));
    assert_false(factors_split_code(S(""), &password, &code));
    assert_false(factors_split_code(S("secret12345x"), &password, &code));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_code_opens_once),
        TEST(guessing_is_slow),
        TEST(the_wait_doubles_and_ends),
        TEST(the_clock_may_jump),
        TEST(recovery_codes),
        TEST(a_stolen_database_holds_no_factor),
        TEST(enrolling_and_listing),
        TEST(typed_codes_are_forgiven),
        TEST(the_last_factor_stays_when_it_must),
        TEST(codes_behind_a_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "signin_world.h"

#include "vault/mailbox.h"

#include "cases.h"

static void right_secret_is_answered_at_once_after_the_keeper(void **state)
{
    w.keeper_silent = true;
    start(1, VAULT_IMAP, a_name, right());
    assert_int_equal(w.grants, 1);
    assert_int_equal(w.answers, 0); /* INV-S2 */
    struct buf waits CLEANUP_BUF = BUF_INIT(200);
    signins_describe(w.s, &waits);
    assert_string_equal(buf_cstr(&waits), "client=0 hash=0 keeper=1 tick=0 look=0 last=0");
    assert_true(account_id_eq(&w.grant.account, &alice.id));
    assert_int_equal(w.grant.slot, alice.slot);
    assert_int_equal(w.grant.credential, client);
    assert_int_equal(w.grant.version, 1);
    assert_true(w.grant.can_receive && !w.grant.can_send);
    assert_int_equal(w.grant.quota_bytes, alice.quota_bytes);
    w.now += 7;
    signin_granted(w.s, w.granted, true);
    assert_int_equal(w.answers, 1);
    assert_int_equal(w.last.kind, SIGNIN_OK);
    assert_int_equal(w.last.reply, 1001);
    assert_int_equal(w.last.at, 1000010);
    assert_int_equal(w.last.credential, client);
    assert_memory_equal(w.last.ticket, w.grant_ticket, SIGNIN_TICKET_LEN);
    assert_int_equal(signins_count(w.s), 0);
    assert_int_equal(w.hashes, 0);
    signin_granted(w.s, w.granted, true); /* late and doubled answers change nothing */
    assert_int_equal(w.answers, 1);
    expect_why(a_name, "ok");
}

/* T-330: 256 random bits, never twice. */
static void tickets_differ(void **state)
{
    uint8_t first[SIGNIN_TICKET_LEN];
    start(1, VAULT_POP3, a_name, right());
    memcpy(first, w.grant_ticket, sizeof first);
    for (int i = 2; i < 50; i++) {
        start((uint64_t)i, VAULT_POP3, a_name, right());
        assert_memory_not_equal(first, w.grant_ticket, sizeof first);
        unsigned zeros = 0;
        for (int k = 0; k < SIGNIN_TICKET_LEN; k++)
            zeros += w.grant_ticket[k] == 0;
        assert_true(zeros < 8);
    }
}

static void typed_forms_and_other_spellings_work(void **state)
{
    char shown[CLIENTPW_SHOWN];
    clientpw_show(&pw, shown);
    for (size_t i = 0; i < sizeof shown; i++)
        shown[i] = shown[i] == '-' ? ' ' : ascii_upper(shown[i]);
    start(1, VAULT_IMAP, S("Alice@EXAMPLE.Test"), slice_of(shown, sizeof shown));
    assert_int_equal(w.last.kind, SIGNIN_OK);
}

/* INV-S1: one answer, one time, whatever was wrong. */
static void every_wrong_sign_in_looks_the_same(void **state)
{
    struct clientpw revoked, receive_only, elsewhere, slip = pw, bobs;
    uint64_t id = fixture_client(w.f, &alice.id, "", true, true, &revoked);
    assert_int_equal(vault_client_revoke(w.f->v, &alice.id, id), OK);
    fixture_client(w.f, &alice.id, "", true, false, &receive_only);
    fixture_client(w.f, &alice.id, "network=198.51.100.0/24", true, true, &elsewhere);
    fixture_client(w.f, &bob.id, "", true, true, &bobs);
    slip.symbols[5] = slip.symbols[5] == 'x' ? 'y' : 'x';
    const struct {
        struct slice name, secret;
        enum vault_door door;
        const char *reason;
    } rows[] = {
        {a_name, S("wrong"), VAULT_IMAP, "wrong-secret"},
        {a_name, S("correct horse battery"), VAULT_IMAP, "mailbox-password"},
        {a_name, clientpw_slice(&slip), VAULT_IMAP, "slip"},
        {a_name, clientpw_slice(&revoked), VAULT_IMAP, "revoked"},
        {a_name, clientpw_slice(&receive_only), VAULT_SUBMISSION, "receive-only"},
        {a_name, clientpw_slice(&elsewhere), VAULT_POP3, "network"},
        {a_name, clientpw_slice(&bobs), VAULT_POP3, "wrong-secret"},
        {S("nobody@example.test"), S("wrong"), VAULT_IMAP, "unknown-account"},
        {S("nobody@example.test"), clientpw_slice(&pw), VAULT_POP3, "unknown-account"},
        {S("not an address"), S("wrong"), VAULT_SUBMISSION, "unknown-account"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t arrived = w.now += 100000 + 37 * i;
        unsigned before = w.answers;
        start(i, rows[i].door, rows[i].name, rows[i].secret);
        assert_int_equal(w.answers, before);
        assert_int_equal(w.wake, arrived + LIMIT_SIGNIN_TICK);
        w.now = arrived + LIMIT_SIGNIN_TICK - 1;
        signin_tick(w.s);
        assert_int_equal(w.answers, before);
        wake();
        assert_int_equal(w.answers, before + 1);
        assert_int_equal(w.last.kind, SIGNIN_NO);
        assert_int_equal(w.last.at, arrived + LIMIT_SIGNIN_TICK);
        assert_int_equal(w.last.reply, i + 1000);
        /* INV-S3: Argon2 only after the answer. */
        if (w.stored.bytes)
            run_hash();
        expect_why(rows[i].name, rows[i].reason);
        assert_int_equal(signins_count(w.s), 0);
    }
    assert_int_equal(w.grants, 0);
}

static void a_locked_account_looks_the_same_too(void **state)
{
    assert_int_equal(vault_account_set_status(w.f->v, a_name, ACCOUNT_LOCKED), OK);
    start(1, VAULT_IMAP, a_name, right());
    assert_int_equal(w.answers, 0);
    wake();
    assert_int_equal(w.last.kind, SIGNIN_NO);
    assert_int_equal(w.last.at, 1000003 + LIMIT_SIGNIN_TICK);
    expect_why(a_name, "locked");
}

/* T-078 */
static void nobody_becomes_another(void **state)
{
    static const struct {
        struct slice authzid;
        bool fine;
    } rows[] = {
        {{"alice@example.test", 18}, true},
        {{"ALICE@example.TEST", 18}, true},
        {{"bob@example.test", 16}, false},
        {{"nobody@example.test", 19}, false},
        {{"alice", 5}, false},
        {{"bob", 3}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        start_from(i, VAULT_SUBMISSION, a_name, right(), "192.0.2.1", rows[i].authzid);
        if (!rows[i].fine)
            wake();
        assert_int_equal(w.last.kind, rows[i].fine ? SIGNIN_OK : SIGNIN_NO);
        expect_why(a_name, rows[i].fine ? "ok" : "as-someone-else");
    }
}

static void a_guesser_hears_later_and_the_owner_signs_in(void **state)
{
    char guess[16];
    unsigned later = 0;
    for (int i = 0; i < 20; i++) {
        int n = snprintf(guess, sizeof guess, "guess%d", i);
        start_from((uint64_t)i, VAULT_IMAP, a_name, slice_of(guess, (size_t)n), "203.0.113.9", SLICE_EMPTY);
        wake();
        assert_true(w.last.kind == SIGNIN_NO || w.last.kind == SIGNIN_LATER);
        later += w.last.kind == SIGNIN_LATER;
        if (w.stored.bytes)
            run_hash();
    }
    assert_int_equal(later, 15);
    start_from(100, VAULT_IMAP, a_name, right(), "192.0.2.1", SLICE_EMPTY);
    assert_int_equal(w.last.kind, SIGNIN_OK);
    /* Even from the guesser's own network: a client password cannot have been guessed. */
    start_from(101, VAULT_IMAP, a_name, right(), "203.0.113.9", SLICE_EMPTY);
    assert_int_equal(w.last.kind, SIGNIN_OK);
}

static void a_stale_phone_is_answered_no_for_ever(void **state)
{
    for (uint64_t i = 0; i < 500; i++) {
        start(i, VAULT_IMAP, a_name, S("last year's password"));
        wake();
        assert_int_equal(w.last.kind, SIGNIN_NO);
        if (w.stored.bytes)
            run_hash();
        w.now += 1000;
    }
    assert_int_equal(w.hashes, 1); /* looked at once: repeats teach nothing new */
}

static void a_keeper_that_is_away_means_later(void **state)
{
    w.keeper_refuses = true;
    start(1, VAULT_IMAP, a_name, right());
    wake();
    assert_int_equal(w.last.kind, SIGNIN_LATER);
    w.keeper_silent = true;
    uint64_t arrived = w.now;
    start(2, VAULT_IMAP, a_name, right());
    wake();
    wake();
    assert_int_equal(w.last.reply, 1002);
    assert_int_equal(w.last.kind, SIGNIN_LATER);
    assert_true(w.last.at <= arrived + LIMIT_GRANT_WAIT + LIMIT_SIGNIN_TICK);
    signin_granted(w.s, w.granted, true); /* too late: nothing happens */
    assert_int_equal(w.last.kind, SIGNIN_LATER);
    expect_why(a_name, "unavailable");
    /* T-250: not counted as wrong. */
    w.keeper_silent = w.keeper_refuses = false;
    start(3, VAULT_IMAP, a_name, right());
    assert_int_equal(w.last.kind, SIGNIN_OK);
}

static void clients_that_hang_up(void **state)
{
    w.keeper_silent = true;
    start(1, VAULT_IMAP, a_name, right());
    signin_cancel(w.s, GATE, 1);
    signin_granted(w.s, w.granted, true);
    assert_int_equal(w.answers, 0);
    start(2, VAULT_IMAP, a_name, S("wrong"));
    signin_cancel(w.s, GATE, 2);
    expect_why(a_name, "wrong-secret"); /* hanging up hides nothing */
    start(3, VAULT_IMAP, a_name, S("wrong"));
    start(4, VAULT_IMAP, a_name, right());
    signins_drop_gate(w.s, GATE + 1);
    assert_int_equal(signins_count(w.s), 2);
    signins_drop_gate(w.s, GATE);
    assert_int_equal(signins_count(w.s), 0);
    assert_int_equal(w.answers, 0);
    assert_int_equal(w.wake, UINT64_MAX);
    signin_cancel(w.s, GATE, 99);
}

static void login_in_steps(void **state)
{
    struct signin_request r = {
        .gate = GATE,
        .session = 9,
        .reply = 1,
        .door = VAULT_IMAP,
        .mechanism = S("login"),
        .tls = S("TLSv1.3")};
    signin_start(w.s, &r);
    assert_int_equal(w.last.kind, SIGNIN_CHALLENGE);
    assert_string_equal(w.last.data, "Username:");
    signin_start(w.s, &r); /* a second one on the same connection */
    assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
    signin_step(w.s, GATE, 9, 2, a_name);
    assert_string_equal(w.last.data, "Password:");
    w.now += 5000;
    signin_step(w.s, GATE, 9, 3, S("wrong"));
    uint64_t arrived = w.now;
    signin_step(w.s, GATE, 9, 4, S("right?")); /* out of turn */
    assert_int_equal(w.last.reply, 4);
    assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
    wake();
    assert_int_equal(w.last.reply, 3);
    assert_int_equal(
        w.last.at, arrived + LIMIT_SIGNIN_TICK); /* counted from the secret, not from the start */
    signin_step(w.s, GATE, 9, 5, S("x"));
    assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
}

static void malformed_and_abandoned_leave_nothing(void **state)
{
    static const struct slice bad[] = {{"", 0},      {"\0", 1},        {"\0\0", 2},
                                       {"\0a\0", 3}, {"\0a\0b\0c", 6}, {"\0\xff\0b", 4}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct signin_request r = {
            .gate = GATE,
            .session = i,
            .reply = i,
            .door = VAULT_IMAP,
            .mechanism = S("PLAIN"),
            .initial = &bad[i],
            .tls = S("TLSv1.3")};
        signin_start(w.s, &r);
        assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
        r.mechanism = S("CRAM-MD5");
        signin_start(w.s, &r);
        assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
    }
    assert_int_equal(signins_count(w.s), 0);
    struct signin_request r = {
        .gate = GATE,
        .session = 50,
        .reply = 1,
        .door = VAULT_IMAP,
        .mechanism = S("PLAIN"),
        .tls = S("TLSv1.3")};
    signin_start(w.s, &r);
    assert_int_equal(signins_count(w.s), 1);
    wake();
    assert_int_equal(w.now, 1000003 + LIMIT_SIGNIN_TIME);
    assert_int_equal(signins_count(w.s), 0);
}

/* T-254: a gate that asks without end gets its share, and takes nothing of another gate's. */
static void no_more_than_the_limit_at_once(void **state)
{
    struct signin_request r = {
        .gate = GATE, .door = VAULT_IMAP, .mechanism = S("PLAIN"), .tls = S("TLSv1.3")};
    for (uint64_t i = 0; i < LIMIT_SIGNINS_PER_GATE; i++) {
        r.session = r.reply = i;
        signin_start(w.s, &r);
        assert_int_equal(w.last.kind, SIGNIN_CHALLENGE);
    }
    struct cases cases = {.id = "T-254"};
    for (uint64_t i = 0; i < 10000; i++) {
        r.session = r.reply = LIMIT_SIGNINS_PER_GATE + i;
        signin_start(w.s, &r);
        cases_check(&cases, w.last.kind == SIGNIN_LATER, "more than its share");
    }
    cases_end(&cases, 10000);
    assert_int_equal(signins_count(w.s), LIMIT_SIGNINS_PER_GATE);
    w.any_gate = true;
    for (unsigned gate = 10; signins_count(w.s) < LIMIT_SIGNINS; gate++) {
        r.gate = gate;
        for (uint64_t i = 0; i < LIMIT_SIGNINS_PER_GATE; i++) {
            r.session = r.reply = i;
            signin_start(w.s, &r);
            assert_int_equal(w.last.kind, SIGNIN_CHALLENGE);
        }
    }
    r.gate = 50;
    signin_start(w.s, &r);
    assert_int_equal(w.last.kind, SIGNIN_LATER);
    signins_drop_gate(w.s, GATE);
    signin_start(w.s, &r);
    assert_int_equal(w.last.kind, SIGNIN_CHALLENGE);
}

/* Where a door allows the mailbox password, it waits for the pool; elsewhere it never does. */
static void the_mailbox_password_where_it_is_allowed(void **state)
{
    set_policy("allowed");
    start(1, VAULT_IMAP, a_name, S("correct horse battery"));
    assert_int_equal(w.hashes, 1);
    w.now += 100;
    run_hash();
    assert_int_equal(w.last.kind, SIGNIN_OK);
    assert_int_equal(w.grant.credential, VAULT_MAILBOX_CREDENTIAL);
    assert_int_equal(w.grant.version, alice.version);
    uint64_t arrived = w.now;
    start(2, VAULT_IMAP, a_name, S("incorrect horse"));
    w.now += 260;
    run_hash();
    wake();
    assert_int_equal(w.last.kind, SIGNIN_NO);
    assert_int_equal(w.last.at, arrived + LIMIT_SIGNIN_FLOOR);
    arrived = w.now += 1000000;
    start(2, VAULT_IMAP, a_name, S("incorrect horse"));
    w.now += 1240; /* the work took longer: not the tick that is next, it is too near */
    run_hash();
    wake();
    assert_int_equal(w.last.at, arrived + 6 * LIMIT_SIGNIN_TICK);
    start(3, VAULT_IMAP, S("nobody@example.test"), S("incorrect horse"));
    assert_int_equal(w.hashes, 4); /* the same work for nobody */
    run_hash();
    wake();
    assert_int_equal(w.last.kind, SIGNIN_NO);
    w.pool_full = true; /* T-243: later, never wrong */
    start(4, VAULT_IMAP, a_name, S("correct horse battery"));
    wake();
    assert_int_equal(w.last.kind, SIGNIN_LATER);
    w.pool_full = false;
    start(5, VAULT_IMAP, a_name, S("correct horse battery"));
    signin_cancel(w.s, GATE, 5);
    run_hash();
    assert_int_equal(signins_count(w.s), 0);
}

/* T-315, INV-S4: not one of the secrets, nor what was typed as a name, in any line or record. */
static void logs_hold_no_secret(void **state)
{
    static const struct slice canaries[] = {{"canary-Secret-7391", 18}, {"canary-as-Name-1937", 19}};
    log_set_level(LOG_DEBUG);
    start(1, VAULT_IMAP, a_name, canaries[0]);
    wake();
    if (w.stored.bytes)
        run_hash();
    start(2, VAULT_IMAP, canaries[1], canaries[0]);
    wake();
    start(3, VAULT_IMAP, a_name, right());
    log_set_level(LOG_INFO);
    char shown[CLIENTPW_SHOWN];
    clientpw_show(&pw, shown);
    assert_true(log_n > 300);
    struct slice text = slice_of(log_text, log_n);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(slice_search(text, canaries[i]), SLICE_NPOS);
        assert_int_equal(slice_search(slice_str(w.f->told.last_body), canaries[i]), SLICE_NPOS);
    }
    assert_int_equal(slice_search(text, right()), SLICE_NPOS);
    assert_int_equal(slice_search(text, slice_of(shown, sizeof shown)), SLICE_NPOS);
    assert_true(slice_search(text, S("name_hash")) != SLICE_NPOS);
}

struct tested {
    unsigned n;
    enum err e;
    struct decision d;
    uint64_t credential;
};
static void on_tested(void *owner, enum err e, const struct decision *d, uint64_t credential)
{
    struct tested *t = owner;
    t->n++;
    t->e = e;
    t->d = *d;
    t->credential = credential;
}

static struct tested test(struct slice secret)
{
    struct tested t = {.n = 0};
    assert_int_equal(signin_test(w.s, a_name, secret, VAULT_IMAP, on_tested, &t), OK);
    if (w.stored.bytes) {
        assert_int_equal(t.n, 0); /* nothing is hashed on the loop */
        run_hash();
    }
    assert_int_equal(t.n, 1);
    return t;
}

static void testing_a_secret_changes_nothing(void **state)
{
    unsigned audits = w.f->told.audits;
    struct tested t = test(right());
    assert_int_equal(t.d.reason, REASON_FINE);
    assert_int_equal(t.credential, client);
    assert_int_equal(test(S("correct horse battery")).d.reason, REASON_MAILBOX_PASSWORD);
    assert_int_equal(test(S("incorrect")).d.reason, REASON_WRONG_SECRET);
    assert_int_equal(test(S("a\x01b")).d.reason, REASON_WRONG_SECRET);
    assert_int_equal(
        signin_test(w.s, S("nobody@example.test"), S("x"), VAULT_IMAP, on_tested, &t), ERR_NOT_FOUND);
    assert_int_equal(w.f->told.audits, audits);
    w.pool_full = true;
    assert_int_equal(signin_test(w.s, a_name, S("incorrect"), VAULT_IMAP, on_tested, &t), ERR_LIMIT);
    w.pool_full = false;
    t.n = 0; /* one that waits when the process ends is told so */
    assert_int_equal(signin_test(w.s, a_name, S("incorrect"), VAULT_IMAP, on_tested, &t), OK);
    signins_free(&w.s);
    assert_int_equal(t.n, 1);
    assert_int_equal(t.e, ERR_UNAVAILABLE);
}

static void mechanisms_need_tls(void **state)
{
    struct buf names CLEANUP_BUF = BUF_INIT(256);
    signin_mechanisms(w.s, VAULT_IMAP, false, &names);
    assert_int_equal(names.n, 0);
    signin_mechanisms(w.s, VAULT_IMAP, true, &names);
    assert_true(
        slice_eq(buf_slice(&names), S("SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER XOAUTH2 PLAIN LOGIN")));
    struct slice initial = S("\0alice@example.test\0x");
    struct signin_request r = {
        .gate = GATE,
        .session = 1,
        .reply = 1,
        .door = VAULT_IMAP,
        .mechanism = S("PLAIN"),
        .initial = &initial};
    signin_start(w.s, &r);
    wake();
    assert_int_equal(w.last.kind, SIGNIN_NO);
    expect_why(a_name, "no-tls");
}

/* A thief has a client password that opens nothing here (another network, a bait). Hidden among guesses until those must wait, it
 * hears what they hear: not that it is one of ours. */
static void a_limited_secret_hears_what_guesses_hear(void **state)
{
    static const char *const limits[] = {"network=203.0.113.0/24", "canary=alarm"};
    static const char *const reasons[] = {"network", "canary"};
    struct clientpw stolen[2], guess;
    uint64_t session = 1;
    for (int i = 0; i < 2; i++)
        fixture_client(w.f, &alice.id, limits[i], true, true, &stolen[i]);
    for (int i = 0; i < 6; i++) {
        clientpw_make(&guess);
        start(session++, VAULT_IMAP, a_name, clientpw_slice(&guess));
        wake();
    }
    assert_int_equal(w.last.kind, SIGNIN_LATER);
    for (int i = 0; i < 2; i++) {
        uint64_t arrived = w.now;
        start(session++, VAULT_IMAP, a_name, clientpw_slice(&stolen[i]));
        wake();
        assert_int_equal(w.last.kind, SIGNIN_LATER);
        assert_int_equal(w.last.at, arrived + LIMIT_SIGNIN_TICK);
        expect_why(a_name, reasons[i]);
    }
    assert_true(slice_search(slice_of(log_text, log_n), S("alert.canary")) != SLICE_NPOS);
    start(session++, VAULT_IMAP, a_name, right());
    assert_int_equal(w.last.kind, SIGNIN_OK);
}

static void lock_it(void)
{
    assert_int_equal(vault_account_set_status(w.f->v, a_name, ACCOUNT_LOCKED), OK);
}
static void remove_it(void)
{
    assert_int_equal(vault_account_remove(w.f->v, a_name), OK);
}
static void keep_it_out(void)
{
    set_policy("never");
}
static void change_it(void)
{
    struct password_work work;
    struct secret old, new;
    assert_int_equal(secret_copy(w.f->slab, S("correct horse battery"), &old), OK);
    assert_int_equal(secret_copy(w.f->slab, S("wooden lamp 99 Fjord"), &new), OK);
    assert_int_equal(
        vault_password_begin(w.f->v, a_name, PASSWORD_BY_OWNER, &old, &new, now_s(NULL), &work), OK);
    password_work_run(&work);
    assert_int_equal(vault_password_finish(w.f->v, &work, now_s(NULL)), OK);
    password_work_done(&work);
    secret_free(&old);
    secret_free(&new);
}

/* The right mailbox password is being compared while an administrator, or its owner, shuts it out: no session begins. */
static void what_changes_during_the_comparison_counts(void **state)
{
    static void (*const changes[])(void) = {keep_it_out, change_it, lock_it, remove_it};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        assert_int_equal(vault_account_set_status(w.f->v, a_name, ACCOUNT_ACTIVE), OK);
        set_policy("allowed");
        start(i + 1, VAULT_IMAP, a_name, i < 2 ? S("correct horse battery") : S("wooden lamp 99 Fjord"));
        changes[i]();
        w.now += 100;
        run_hash();
        wake();
        assert_true(w.last.kind == SIGNIN_NO || w.last.kind == SIGNIN_LATER);
        assert_int_equal(w.grants, 0);
    }
}

/* Guesses that are compared side by side: no more of them are looked at than of those that come one after the other. */
static void guesses_that_come_together(void **state)
{
    uint64_t hashing[20];
    unsigned later = 0;
    set_policy("allowed");
    for (unsigned i = 0; i < 20; i++) {
        char guess[32];
        snprintf(guess, sizeof guess, "some other guess %u", i);
        start(i + 1, VAULT_IMAP, a_name, i < 19 ? slice_str(guess) : S("correct horse battery"));
        assert_int_equal(w.hashes, i + 1);
        hashing[i] = w.hashing;
        secret_free(&w.stored);
        secret_free(&w.password);
    }
    for (unsigned i = 0; i < 20; i++)
        signin_hashed(w.s, hashing[i], i < 19 ? ERR_DENIED : OK);
    for (unsigned before = w.answers; w.answers < before + 20;) {
        unsigned seen = w.answers;
        wake();
        later += w.answers > seen && w.last.kind == SIGNIN_LATER;
    }
    assert_int_equal(w.grants, 0);
    assert_true(later > 0);
    expect_why(a_name, "too-many-guesses");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_limited_secret_hears_what_guesses_hear),
        TEST(what_changes_during_the_comparison_counts),
        TEST(guesses_that_come_together),
        TEST(right_secret_is_answered_at_once_after_the_keeper),
        TEST(tickets_differ),
        TEST(typed_forms_and_other_spellings_work),
        TEST(every_wrong_sign_in_looks_the_same),
        TEST(a_locked_account_looks_the_same_too),
        TEST(nobody_becomes_another),
        TEST(a_guesser_hears_later_and_the_owner_signs_in),
        TEST(a_stale_phone_is_answered_no_for_ever),
        TEST(a_keeper_that_is_away_means_later),
        TEST(clients_that_hang_up),
        TEST(login_in_steps),
        TEST(malformed_and_abandoned_leave_nothing),
        TEST(no_more_than_the_limit_at_once),
        TEST(the_mailbox_password_where_it_is_allowed),
        TEST(logs_hold_no_secret),
        TEST(testing_a_secret_changes_nothing),
        TEST(mechanisms_need_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

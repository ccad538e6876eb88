/* Every proof that a mechanism can bring, through the engine, with our own client's side at the other end. */
#include "signin_world.h"

#include "factor/totp.h"
#include "sasl/client.h"
#include "vault/factors.h"
#include "vault/known.h"
#include "vault/mailbox.h"
#include "vault/tokens.h"

static const struct slice home = {"192.0.2.1", 9};

struct attempt {
    const char *mechanism;
    struct slice name, secret, authzid;
    struct slice client_exporter, gate_exporter;
    struct slice certificate_hash, certificate_name;
    enum vault_door door;
    const char *from;
};

static uint64_t last_session;
static uint64_t secret_at; /* when the step that is being judged was sent */
static enum err believed;  /* the client's own opinion of the end */

static void let_pool_work(void)
{
    if (w.stored.bytes)
        run_hash();
}

/* Until the step `reply` is answered. */
static void await(uint64_t reply)
{
    for (int i = 0; i < 8 && w.last.reply != reply; i++) {
        let_pool_work();
        if (w.last.reply != reply)
            wake();
    }
    assert_int_equal(w.last.reply, reply);
}

static enum signin_answer_kind attempt(const struct attempt *a)
{
    struct secret secret CLEANUP_SECRET = SECRET_NONE;
    struct buf out = BUF_INIT(12288);
    struct sasl_client *c = NULL;
    bool has_initial = false;
    uint64_t session = ++last_session, reply = session * 100;
    if (a->secret.n)
        assert_int_equal(secret_copy(w.f->slab, a->secret, &secret), OK);
    struct sasl_identity who = {
        .authcid = a->name,
        .authzid = a->authzid,
        .secret = a->secret.n ? &secret : NULL,
        .exporter = a->client_exporter};
    assert_int_equal(sasl_client_new(sasl_find(slice_str(a->mechanism)), &who, &c), OK);
    assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
    struct slice initial = buf_slice(&out);
    struct signin_request r = {
        .gate = GATE,
        .session = session,
        .reply = ++reply,
        .door = a->door,
        .mechanism = slice_str(a->mechanism),
        .initial = has_initial ? &initial : NULL,
        .tls = S("TLSv1.3"),
        .exporter = a->gate_exporter,
        .certificate_hash = a->certificate_hash,
        .certificate_name = a->certificate_name,
        .program = S("Test Program"),
    };
    assert_int_equal(ip_parse(a->from ? slice_str(a->from) : home, &r.client), OK);
    secret_at = w.now;
    signin_start(w.s, &r);
    await(reply);
    for (int turn = 0; turn < 6 && w.last.kind == SIGNIN_CHALLENGE; turn++) {
        buf_clear(&out);
        if (sasl_client_step(c, slice_str(w.last.data), &out) != OK) {
            signin_cancel(w.s, GATE, session);
            believed = ERR_DENIED;
            break;
        }
        signin_step(w.s, GATE, session, ++reply, buf_slice(&out));
        await(reply);
    }
    if (w.last.kind == SIGNIN_OK)
        believed = sasl_client_end(c, NULL);
    let_pool_work();
    sasl_client_free(&c);
    buf_wipe(&out);
    return w.last.kind;
}

static void shown(const struct clientpw *p, char out[CLIENTPW_SHOWN + 1])
{
    clientpw_show(p, out);
    out[CLIENTPW_SHOWN] = '\0';
}

static struct token add_token(const struct account_id *account, const char *limits, uint64_t *ret_id)
{
    struct token token;
    struct vault_client_new n = {
        .label = S("calendar"), .can_receive = true, .can_send = true, .limits = slice_str(limits)};
    assert_int_equal(vault_token_add(w.f->v, account, &n, &token, ret_id), OK);
    return token;
}

/* The client hashes what was typed: as shown, or without separators. The server proves itself before the yes. */
static void scram_in_both_spellings(void **state)
{
    char text[CLIENTPW_SHOWN + 1];
    shown(&pw, text);
    const struct slice spellings[] = {slice_str(text), right()};
    for (size_t i = 0; i < 2; i++) {
        w.grants = 0;
        struct attempt a = {
            .mechanism = "SCRAM-SHA-256", .name = a_name, .secret = spellings[i], .door = VAULT_IMAP};
        uint64_t began = w.now;
        assert_int_equal(attempt(&a), SIGNIN_OK);
        assert_int_equal(believed, OK);
        assert_int_equal(w.now, began); /* a right one waits for nothing */
        assert_int_equal(w.last.credential, client);
        assert_memory_equal(w.last.ticket, w.grant_ticket, SIGNIN_TICKET_LEN);
        assert_int_equal(signins_count(w.s), 0);
        expect_why(a_name, "ok");
    }
    assert_int_equal(w.hashes, 0);
}

static void scram_bound_to_its_channel(void **state)
{
    struct attempt a = {
        .mechanism = "SCRAM-SHA-256-PLUS",
        .name = a_name,
        .secret = right(),
        .client_exporter = S("0123456789abcdef0123456789abcdef"),
        .gate_exporter = S("0123456789abcdef0123456789abcdef"),
        .door = VAULT_SUBMISSION};
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_int_equal(believed, OK);
    /* Somebody stands between: right password, another channel. And a client that believes there is no -PLUS here. */
    a.gate_exporter = S("another channel, another channel");
    w.grants = 0;
    assert_int_equal(attempt(&a), SIGNIN_NO);
    assert_int_equal(w.last.at, secret_at + LIMIT_SIGNIN_TICK);
    expect_why(a_name, "channel-binding");
    a.mechanism = "SCRAM-SHA-256";
    assert_int_equal(attempt(&a), SIGNIN_NO);
    expect_why(a_name, "channel-binding");
    assert_int_equal(w.grants, 0);
}

/* An unknown name is asked with a salt like any other, and refused like any other. */
static void scram_of_nobody(void **state)
{
    static const struct slice names[] = {{"nobody@example.test", 19}, {"not an address", 14}};
    for (size_t i = 0; i < 2; i++) {
        struct attempt a = {
            .mechanism = "SCRAM-SHA-256", .name = names[i], .secret = right(), .door = VAULT_IMAP};
        assert_int_equal(attempt(&a), SIGNIN_NO);
        assert_int_equal(w.last.at, secret_at + LIMIT_SIGNIN_TICK);
        expect_why(names[i], "unknown-account");
    }
}

/* Sixty-four live passwords: the first made is found as well as the last. */
static void scram_tries_all_live_ones(void **state)
{
    struct clientpw last;
    for (unsigned i = 1; i < LIMIT_CLIENTS_PER_ACCOUNT; i++)
        fixture_client(w.f, &alice.id, "", true, true, &last);
    struct attempt a = {.mechanism = "SCRAM-SHA-256", .name = a_name, .secret = right(), .door = VAULT_IMAP};
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_int_equal(w.last.credential, client);
    a.secret = clientpw_slice(&last);
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_int_not_equal(w.last.credential, client);
}

/* A phone that goes on with a revoked password: recognised, named, one strike, and a no for ever, never a wait. */
static void scram_with_a_revoked_password_is_one_strike(void **state)
{
    assert_int_equal(vault_client_revoke(w.f->v, &alice.id, client), OK);
    for (int i = 0; i < 60; i++) {
        struct attempt a = {
            .mechanism = "SCRAM-SHA-256", .name = a_name, .secret = right(), .door = VAULT_IMAP};
        assert_int_equal(attempt(&a), SIGNIN_NO);
        assert_int_equal(w.last.at, secret_at + LIMIT_SIGNIN_TICK);
        expect_why(a_name, "revoked");
        w.now += 1000;
    }
}

/* Guesses by SCRAM make SCRAM wait, and not the person beside who types; a right proof does not wait either. */
static void scram_guesses_hold_up_scram_alone(void **state)
{
    unsigned later = 0;
    for (int i = 0; i < 12; i++) {
        struct attempt a = {
            .mechanism = "SCRAM-SHA-256", .name = a_name, .secret = S("a guess"), .door = VAULT_IMAP};
        enum signin_answer_kind kind = attempt(&a);
        assert_true(kind == SIGNIN_NO || kind == SIGNIN_LATER);
        later += kind == SIGNIN_LATER;
    }
    assert_int_equal(later, 7);
    struct attempt typed = {.mechanism = "PLAIN", .name = a_name, .secret = S("a typo"), .door = VAULT_IMAP};
    assert_int_equal(attempt(&typed), SIGNIN_NO);
    struct attempt a = {.mechanism = "SCRAM-SHA-256", .name = a_name, .secret = right(), .door = VAULT_IMAP};
    assert_int_equal(attempt(&a), SIGNIN_OK);
}

/* After the server's proof the client still has to say its empty word, and has not for ever. */
static void scram_clients_that_stop_at_the_end(void **state)
{
    struct secret secret CLEANUP_SECRET = SECRET_NONE;
    assert_int_equal(secret_copy(w.f->slab, right(), &secret), OK);
    struct sasl_identity who = {.authcid = a_name, .secret = &secret};
    for (int how = 0; how < 3; how++) {
        struct sasl_client *c = NULL;
        struct buf out CLEANUP_BUF = BUF_INIT(4096);
        bool has_initial;
        assert_int_equal(sasl_client_new(sasl_find(S("SCRAM-SHA-256")), &who, &c), OK);
        assert_int_equal(sasl_client_start(c, &out, &has_initial), OK);
        struct slice first = buf_slice(&out);
        struct signin_request r = {
            .gate = GATE,
            .session = 5,
            .reply = 1,
            .door = VAULT_IMAP,
            .mechanism = S("SCRAM-SHA-256"),
            .initial = &first,
            .tls = S("TLSv1.3")};
        signin_start(w.s, &r);
        struct buf next CLEANUP_BUF = BUF_INIT(4096);
        assert_int_equal(sasl_client_step(c, slice_str(w.last.data), &next), OK);
        signin_step(w.s, GATE, 5, 2, buf_slice(&next));
        assert_int_equal(w.last.kind, SIGNIN_CHALLENGE);
        assert_true(slice_starts(slice_str(w.last.data), S("v=")));
        if (how == 0) {
            signin_step(w.s, GATE, 5, 3, S("not empty"));
            assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
        } else if (how == 1) {
            signin_cancel(w.s, GATE, 5);
        } else {
            wake();
            assert_true(w.now <= 1000003 + LIMIT_TICKET_LIFE);
        }
        assert_int_equal(signins_count(w.s), 0);
        expect_why(a_name, how == 0 ? "malformed" : "abandoned");
        sasl_client_free(&c);
    }
}

static void cram_md5_where_it_is_switched_on(void **state)
{
    struct clientpw old;
    uint64_t id;
    struct vault_client_new n = {
        .label = S("old scanner"), .can_receive = true, .can_send = true, .cram_md5 = true};
    assert_int_equal(vault_client_add(w.f->v, &alice.id, &n, &old, &id), OK);
    struct signin_offer offer = signin_offer_default();
    assert_int_equal(signin_offer_add(&offer, S("cram-md5")), OK);
    assert_int_equal(signin_offer_add(&offer, S("KERBEROS_V4")), ERR_NOT_FOUND);
    signins_set_offer(w.s, &offer);
    char text[CLIENTPW_SHOWN + 1];
    shown(&old, text);
    const struct slice spellings[] = {slice_str(text), clientpw_slice(&old)};
    for (size_t i = 0; i < 2; i++) {
        struct attempt a = {
            .mechanism = "CRAM-MD5", .name = a_name, .secret = spellings[i], .door = VAULT_SUBMISSION};
        assert_int_equal(attempt(&a), SIGNIN_OK);
        assert_int_equal(w.last.credential, id);
    }
    /* A password that was not made for it cannot be used with it. */
    struct attempt a = {.mechanism = "CRAM-MD5", .name = a_name, .secret = right(), .door = VAULT_SUBMISSION};
    w.grants = 0;
    assert_int_equal(attempt(&a), SIGNIN_NO);
    assert_int_equal(w.last.at, secret_at + LIMIT_SIGNIN_TICK);
    expect_why(a_name, "wrong-secret");
}

static void tokens_by_every_way(void **state)
{
    uint64_t id;
    struct token token = add_token(&alice.id, "folder=Calendar\n", &id), bobs = add_token(&bob.id, "", &id);
    static const char *const ways[] = {"OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"};
    for (size_t i = 0; i < 4; i++) {
        struct attempt a = {
            .mechanism = ways[i], .name = a_name, .secret = token_slice(&token), .door = VAULT_IMAP};
        assert_int_equal(attempt(&a), SIGNIN_OK);
        assert_string_equal(w.grant_limits, "folder=Calendar\n");
        /* Another account's token is nothing here. */
        a.secret = token_slice(&bobs);
        w.grants = 0;
        assert_int_equal(attempt(&a), SIGNIN_NO);
        expect_why(a_name, "wrong-secret");
    }
    /* OAUTHBEARER needs no name. */
    struct attempt a = {.mechanism = "OAUTHBEARER", .secret = token_slice(&token), .door = VAULT_IMAP};
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_true(account_id_eq(&w.grant.account, &alice.id));
}

/* The error of OAUTHBEARER comes at the tick, the no after the client's word at once. */
static void a_wrong_token_is_told_at_the_tick(void **state)
{
    static const char *const ways[] = {"OAUTHBEARER", "XOAUTH2"};
    for (size_t i = 0; i < 2; i++) {
        struct attempt a = {.mechanism = ways[i], .name = a_name, .secret = S("nothing"), .door = VAULT_IMAP};
        uint64_t began = w.now;
        assert_int_equal(attempt(&a), SIGNIN_NO);
        assert_int_equal(w.now, began + LIMIT_SIGNIN_TICK);
        assert_int_equal(w.last.at, began + LIMIT_SIGNIN_TICK);
        assert_int_equal(signins_count(w.s), 0);
        expect_why(a_name, "wrong-secret");
        w.now += 1000;
    }
    assert_int_equal(w.hashes, 0);
}

static void certificates(void **state)
{
    uint64_t id;
    struct slice hash = S("0123456789abcdef0123456789abcdef"), other = S("fedcba9876543210fedcba9876543210");
    struct vault_client_new n = {.label = S("laptop"), .can_receive = true, .can_send = true};
    assert_int_equal(vault_certificate_add(w.f->v, &alice.id, &n, hash, &id), OK);
    struct slice initial = SLICE_EMPTY;
    struct signin_request r = {
        .gate = GATE,
        .session = 1,
        .reply = 1,
        .door = VAULT_IMAP,
        .mechanism = S("EXTERNAL"),
        .initial = &initial,
        .tls = S("TLSv1.3"),
        .certificate_hash = hash,
        .certificate_name = a_name};
    signin_start(w.s, &r); /* not offered: no certificates are asked for */
    assert_int_equal(w.last.kind, SIGNIN_MALFORMED);
    struct signin_offer offer = signin_offer_default();
    offer.certificates = true;
    signins_set_offer(w.s, &offer);
    struct buf names CLEANUP_BUF = BUF_INIT(256);
    signin_mechanisms(w.s, VAULT_IMAP, true, &names);
    assert_true(slice_search(buf_slice(&names), S("EXTERNAL")) != SLICE_NPOS);
    static const struct {
        const char *authzid, *name;
        bool is_other_certificate;
        const char *reason;
    } rows[] = {
        {"", "alice@example.test", false, "ok"},
        {"ALICE@example.test", "alice@example.test", false, "ok"},
        {"bob@example.test", "alice@example.test", false, "as-someone-else"},
        {"", "alice@example.test", true, "wrong-secret"},
        {"", "bob@example.test", false, "wrong-secret"},
        {"alice@example.test", "bob@example.test", false, "wrong-secret"},
        {"alice@example.test", "", false, "unknown-account"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_fine = strcmp(rows[i].reason, "ok") == 0;
        r.session = r.reply = 10 + i;
        initial = slice_str(rows[i].authzid);
        r.certificate_name = slice_str(rows[i].name);
        r.certificate_hash = rows[i].is_other_certificate ? other : hash;
        uint64_t began = w.now;
        signin_start(w.s, &r);
        if (!is_fine)
            wake();
        assert_int_equal(w.last.kind, is_fine ? SIGNIN_OK : SIGNIN_NO);
        assert_int_equal(w.last.at, began + (is_fine ? 0 : LIMIT_SIGNIN_TICK));
        expect_why(slice_str(rows[i].name), rows[i].reason);
        w.now += 1000;
    }
}

/* ---- a mailbox password with a code behind it ---- */

static struct secret authenticator; /* of alice, raw */

static void base32_read(struct slice text, uint8_t out[TOTP_SECRET])
{
    uint32_t bits = 0, have = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.n && n < TOTP_SECRET; i++) {
        char c = text.p[i];
        bits = bits << 5 | (uint32_t)(c >= 'A' && c <= 'Z' ? c - 'A' : c - '2' + 26);
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    assert_int_equal(n, TOTP_SECRET);
}

static struct slice password_with_code(const char *password, int64_t steps_on, char out[64])
{
    char code[TOTP_DIGITS_MAX];
    totp_code(secret_reveal(&authenticator), (uint64_t)(now_s(NULL) / TOTP_STEP_S + steps_on), 6, code);
    int n = snprintf(out, 64, "%s%.6s", password, code);
    return slice_of(out, (size_t)n);
}

static void enrol(void)
{
    struct factor_totp_new made;
    uint8_t raw[TOTP_SECRET];
    assert_int_equal(
        factors_enrol_totp(w.f->v, &alice.id, S("phone"), S("example.test"), now_s(NULL), &made), OK);
    base32_read(secret_reveal(&made.secret), raw);
    assert_int_equal(secret_copy(w.f->slab, slice_of(raw, sizeof raw), &authenticator), OK);
    char code[TOTP_DIGITS_MAX];
    totp_code(slice_of(raw, sizeof raw), (uint64_t)(now_s(NULL) / TOTP_STEP_S), 6, code);
    assert_int_equal(factors_confirm(w.f->v, &alice.id, made.id, slice_of(code, 6), now_s(NULL)), OK);
    secret_free(&made.secret);
    secret_free(&made.uri);
    w.now += 60000;
}

/* Both must be right, each code once; and nothing tells which of the two was wrong. */
static void a_mailbox_password_with_a_code(void **state)
{
    char text[64];
    enrol();
    set_policy("with-totp");
    struct attempt a = {.mechanism = "PLAIN", .name = a_name, .door = VAULT_IMAP};
    a.secret = password_with_code("correct horse battery", 0, text);
    uint64_t began = w.now;
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_int_equal(w.now, began);
    assert_int_equal(w.grant.credential, VAULT_MAILBOX_CREDENTIAL);
    assert_int_equal(w.grant_limits[0], 0);
    static const struct {
        const char *password;
        int64_t steps_on;
        bool has_code;
        const char *reason;
    } rows[] = {
        {"correct horse battery", 0, true, "wrong-code"},    /* replayed */
        {"correct horse battery", 5000, true, "wrong-code"}, /* of another time */
        {"correct horse battery", 0, false, "no-code"},      {"incorrect horse", 1, true, "wrong-secret"},
        {"incorrect horse", 0, false, "wrong-secret"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        a.secret = rows[i].has_code ? password_with_code(rows[i].password, rows[i].steps_on, text)
                                    : slice_str(rows[i].password);
        a.from = "198.51.100.7";
        w.grants = 0;
        unsigned hashes = w.hashes;
        began = w.now;
        assert_int_equal(attempt(&a), SIGNIN_NO);
        assert_int_equal(w.last.at, began + LIMIT_SIGNIN_FLOOR);
        assert_int_equal(w.hashes, hashes + 1);
        expect_why(a_name, rows[i].reason);
    }
    /* The code that a wrong password stood before is still good. */
    a.from = NULL;
    a.secret = password_with_code("correct horse battery", 1, text);
    assert_int_equal(attempt(&a), SIGNIN_OK);
    secret_free(&authenticator);
}

/* A sentence with digits, and a code behind it, has nearly the form of a client password: it opens what policy says all the
 * same, and a wrong one counts as a guess. Where policy lets none in, it is a slip. */
static void a_mailbox_password_that_looks_like_a_slip(void **state)
{
    struct clientpw read;
    assert_int_equal(clientpw_read(S("quiet narrow lantern bridges 77 78"), &read), CLIENTPW_SLIP);
    assert_int_equal(vault_account_remove(w.f->v, S("alice@example.test")), OK);
    assert_int_equal(vault_resting_release(w.f->v, S("alice@example.test")), OK);
    alice = fixture_account_with(w.f, "alice@example.test", "quiet narrow lantern bridges 77 78");
    struct attempt a = {
        .mechanism = "PLAIN",
        .name = a_name,
        .secret = S("quiet narrow lantern bridges 77 78"),
        .door = VAULT_IMAP};
    assert_int_equal(attempt(&a), SIGNIN_NO);
    expect_why(a_name, "slip");
    set_policy("allowed");
    assert_int_equal(attempt(&a), SIGNIN_OK);
    a.secret = S("quiet narrow lantern bridges 77 79");
    assert_int_equal(attempt(&a), SIGNIN_NO);
    expect_why(a_name, "wrong-secret");
}

/* A password that its owner must change opens no door, whatever the policy; its answer is like all others. */
static void a_mailbox_password_that_must_be_changed(void **state)
{
    set_policy("allowed");
    struct attempt a = {
        .mechanism = "PLAIN", .name = a_name, .secret = S("correct horse battery"), .door = VAULT_IMAP};
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_int_equal(w.grant.expires_s, 0);
    assert_int_equal(vault_policy_set(w.f->v, SLICE_EMPTY, S("password_age"), S("90 d")), OK);
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_true(w.grant.expires_s >= clock_unix_s() + 89 * 86400); /* the session ends with the password */
    assert_int_equal(vault_password_must_change(w.f->v, a_name), OK);
    w.grants = 0;
    for (int i = 0; i < 20; i++)
        assert_int_equal(attempt(&a), SIGNIN_NO); /* no strike: it is the right one */
    expect_why(a_name, "must-change");
    assert_int_equal(w.grants, 0);
}

/* The same work for everybody at a door that anybody's mailbox password may open: known or not, allowed or not. */
static void hashing_tells_nothing(void **state)
{
    assert_int_equal(vault_account_set_group(w.f->v, S("bob@example.test"), S("staff")), OK);
    assert_int_equal(
        vault_policy_set(w.f->v, S("group staff"), S("mailbox_password_imap"), S("allowed")), OK);
    assert_int_equal(vault_account_set_status(w.f->v, S("bob@example.test"), ACCOUNT_LOCKED), OK);
    static const struct slice names[] = {
        {"alice@example.test", 18}, {"bob@example.test", 16}, {"nobody@example.test", 19}, {"x", 1}};
    static const char *const secrets[] = {"correct horse battery", "wrong", "wrong 123456"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t k = 0; k < 3; k++) {
            struct attempt a = {
                .mechanism = "PLAIN", .name = names[i], .secret = slice_str(secrets[k]), .door = VAULT_IMAP};
            unsigned hashes = w.hashes;
            uint64_t began = w.now;
            assert_int_equal(attempt(&a), SIGNIN_NO);
            assert_int_equal(w.last.at, began + LIMIT_SIGNIN_FLOOR);
            assert_int_equal(w.hashes, hashes + 1);
            w.now += 100000000;
        }
    }
    /* Another door: nobody's may, and none is computed before the answer. */
    struct attempt a = {.mechanism = "PLAIN", .name = a_name, .secret = S("wrong"), .door = VAULT_POP3};
    w.pool_full = true;
    assert_int_equal(attempt(&a), SIGNIN_NO);
    /* Nor for a secret of a form that the server makes, at any door: it is revoked, or unknown, at the same speed. */
    w.now += 100000000;
    struct clientpw unknown;
    clientpw_make(&unknown);
    a = (struct attempt){
        .mechanism = "PLAIN", .name = a_name, .secret = clientpw_slice(&unknown), .door = VAULT_IMAP};
    uint64_t began = w.now;
    assert_int_equal(attempt(&a), SIGNIN_NO);
    assert_int_equal(w.last.at, began + LIMIT_SIGNIN_FLOOR);
    /* T-243: an overloaded pool is later, and no strike. */
    for (int i = 0; i < 20; i++) {
        char guess[16];
        int n = snprintf(guess, sizeof guess, "guess %d", i);
        a.secret = slice_of(guess, (size_t)n);
        assert_int_equal(attempt(&a), SIGNIN_LATER);
        expect_why(a_name, "unavailable");
    }
    w.pool_full = false;
    a.secret = S("guess 21");
    assert_int_equal(attempt(&a), SIGNIN_NO);
}

/* A bait opens nothing, sounds once, and is refused like everything else. */
static void a_canary_sounds(void **state)
{
    struct clientpw bait;
    fixture_client(w.f, &alice.id, "canary=alarm\n", true, true, &bait);
    log_n = 0;
    for (int i = 0; i < 3; i++) {
        struct attempt a = {
            .mechanism = "PLAIN", .name = a_name, .secret = clientpw_slice(&bait), .door = VAULT_IMAP};
        w.grants = 0;
        assert_int_equal(attempt(&a), SIGNIN_NO);
        assert_int_equal(w.last.at, secret_at + LIMIT_SIGNIN_TICK);
        expect_why(a_name, "canary");
    }
    assert_int_equal(w.grants, 0);
    struct slice text = slice_of(log_text, log_n);
    size_t at = slice_search(text, S("alert.canary"));
    assert_true(at != SLICE_NPOS);
    assert_int_equal(slice_search(slice_from(text, at + 1), S("alert.canary")), SLICE_NPOS);
}

/* Every sign-in is one record with the same facts, and a program's name begins no line of its own. */
static void every_sign_in_is_a_record(void **state)
{
    struct slice initial = S("\0alice@example.test\0wrong");
    struct signin_request r = {
        .gate = GATE,
        .session = 1,
        .reply = 1,
        .door = VAULT_POP3,
        .mechanism = S("PLAIN"),
        .initial = &initial,
        .tls = S("TLSv1.3 TLS_AES_128_GCM_SHA256"),
        .program = S("evil\nkind=client\ncredential=1")};
    assert_int_equal(ip_parse(home, &r.client), OK);
    signin_start(w.s, &r);
    wake();
    let_pool_work();
    assert_string_equal(w.f->told.last_kind, "signin.refused");
    assert_string_equal(
        w.f->told.last_body,
        "door=pop3\nmechanism=PLAIN\nreason=wrong-secret\nkind=none\ncredential=0\nclient=192.0.2.1\n"
        "program=evil?kind=client?credential=1\ntls=TLSv1.3 TLS_AES_128_GCM_SHA256\n");
    struct attempt a = {.mechanism = "SCRAM-SHA-256", .name = a_name, .secret = right(), .door = VAULT_IMAP};
    unsigned audits = w.f->told.audits;
    assert_int_equal(attempt(&a), SIGNIN_OK);
    assert_int_equal(w.f->told.audits, audits + 1);
    assert_string_equal(w.f->told.last_kind, "signin.ok");
}

/* Known networks are written down, and believed after a restart of the guard. */
static void known_networks_outlive_the_guard(void **state)
{
    struct ip here, there;
    assert_int_equal(ip_parse(home, &here), OK);
    assert_int_equal(ip_parse(S("203.0.113.9"), &there), OK);
    int64_t now = now_s(NULL);
    struct attempt a = {.mechanism = "PLAIN", .name = a_name, .secret = right(), .door = VAULT_IMAP};
    assert_false(vault_is_known(w.f->v, &alice.id, &here, now));
    assert_int_equal(attempt(&a), SIGNIN_OK);
    for (int round = 0; round < 2; round++) {
        assert_true(vault_is_known(w.f->v, &alice.id, &here, now));
        assert_true(vault_is_known(w.f->v, &alice.id, &here, now + LIMIT_GUARD_KNOWN - 10));
        assert_false(vault_is_known(w.f->v, &alice.id, &here, now + LIMIT_GUARD_KNOWN + 10));
        assert_false(vault_is_known(w.f->v, &alice.id, &there, now));
        assert_false(vault_is_known(w.f->v, &bob.id, &here, now));
        assert_int_equal(vault_flush(w.f->v), OK);
    }
    /* Many networks: the oldest are forgotten. */
    for (unsigned i = 0; i < LIMIT_KNOWN_NETWORKS + 20; i++) {
        there.b[15] = (uint8_t)i;
        there.b[14] = (uint8_t)(i >> 8);
        vault_known_note(w.f->v, &alice.id, &there, now + 10 + i);
        if (i % 50 == 0)
            assert_int_equal(vault_flush(w.f->v), OK);
    }
    assert_int_equal(vault_flush(w.f->v), OK);
    assert_false(vault_is_known(w.f->v, &alice.id, &here, now + 1000));
    assert_true(vault_is_known(w.f->v, &alice.id, &there, now + 1000));
    assert_int_equal(vault_clients_remove_all(w.f->v, &alice.id), OK);
    assert_false(vault_is_known(w.f->v, &alice.id, &there, now + 1000));
}

/* After a keeper came back: which sessions may go on? */
static void what_is_live_after_a_restart(void **state)
{
    static const struct {
        const char *limits;
        bool is_live;
    } rows[] = {
        {"", true},
        {"hours=mon-sun 00:00-24:00 +00:00\n", true},
        {"hours=mon 03:00-03:01 +00:00\n", false}, /* now_s begins on a Sunday evening */
        {"rotate=1\n", true},
        {"canary=alarm\n", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t id = 0;
        (void)add_token(&alice.id, rows[i].limits, &id);
        enum err e = vault_client_is_live(w.f->v, &alice.id, id, 1, now_s(NULL));
        assert_int_equal(e, rows[i].is_live ? OK : ERR_DENIED);
        assert_int_equal(vault_client_is_live(w.f->v, &alice.id, id, 2, now_s(NULL)), ERR_DENIED);
        assert_int_equal(vault_client_is_live(w.f->v, &bob.id, id, 1, now_s(NULL)), ERR_DENIED);
        if (strcmp(rows[i].limits, "rotate=1\n") == 0)
            assert_int_equal(
                vault_client_is_live(w.f->v, &alice.id, id, 1, clock_unix_s() + 2 * 86400), ERR_DENIED);
    }
    uint64_t id;
    struct vault_client_new n = {.label = S("laptop"), .can_receive = true, .can_send = true};
    assert_int_equal(
        vault_certificate_add(w.f->v, &alice.id, &n, S("0123456789abcdef0123456789abcdef"), &id), OK);
    assert_int_equal(vault_client_is_live(w.f->v, &alice.id, id, 1, now_s(NULL)), OK);
    assert_int_equal(vault_client_revoke(w.f->v, &alice.id, id), OK);
    assert_int_equal(vault_client_is_live(w.f->v, &alice.id, id, 2, now_s(NULL)), ERR_DENIED);
    assert_int_equal(
        vault_client_is_live(w.f->v, &alice.id, VAULT_MAILBOX_CREDENTIAL, alice.version, now_s(NULL)), OK);
    assert_int_equal(vault_account_set_status(w.f->v, a_name, ACCOUNT_LOCKED), OK);
    assert_int_equal(vault_client_is_live(w.f->v, &alice.id, client, 1, now_s(NULL)), ERR_DENIED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(scram_in_both_spellings),
        TEST(scram_bound_to_its_channel),
        TEST(scram_of_nobody),
        TEST(scram_tries_all_live_ones),
        TEST(scram_with_a_revoked_password_is_one_strike),
        TEST(scram_guesses_hold_up_scram_alone),
        TEST(scram_clients_that_stop_at_the_end),
        TEST(cram_md5_where_it_is_switched_on),
        TEST(tokens_by_every_way),
        TEST(a_wrong_token_is_told_at_the_tick),
        TEST(certificates),
        TEST(a_mailbox_password_with_a_code),
        TEST(a_mailbox_password_that_looks_like_a_slip),
        TEST(a_mailbox_password_that_must_be_changed),
        TEST(hashing_tells_nothing),
        TEST(a_canary_sounds),
        TEST(every_sign_in_is_a_record),
        TEST(known_networks_outlive_the_guard),
        TEST(what_is_live_after_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Security keys in the store: rows T-233, T-236 and T-237. What an answer itself may be wrong about: tests/unit/factor. */
#include "fixture.h"

#include "../cases.h"
#include "../soft_key.h"
#include "factor/ceremony.h"
#include "vault/factors.h"
#include "vault/policy.h"
#include "vault/webauthn.h"

enum { NOW = 1700000000 };
static const char rp_id[] = "mail.example.test";
static const char origin[] = "https://mail.example.test";
static const uint64_t session = 77;

static struct fixture *f;
static struct vault_account alice, bob;
static struct soft_key key;
static struct slice origins[1];
static struct webauthn_site site;

static int setup(void **state)
{
    f = fixture_new();
    factor_init();
    origins[0] = slice_str(origin);
    site = (struct webauthn_site){.rp_id = slice_str(rp_id), .origins = origins, .origin_count = 1};
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account(f, "alice@example.test");
    bob = fixture_account(f, "bob@example.test");
    key = soft_key_new(SOFT_ES256);
    return 0;
}

static int teardown(void **state)
{
    soft_key_free(&key);
    fixture_free(f);
    return 0;
}

/* ---- a browser with its key ---- */

static enum err enrol_as(
    const struct account_id *who, const struct soft_key *k, uint64_t in, const uint8_t challenge[32],
    int64_t now, uint64_t *ret_id)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), made CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    soft_client_data(&client, "webauthn.create", slice_of(challenge, 32), origin, "");
    soft_register(k, rp_id, SOFT_UP | SOFT_UV, "none", buf_slice(&client), &made);
    struct webauthn_registration answer = {buf_slice(&client), buf_slice(&made)};
    return webauthn_register_finish(f->v, who, in, &site, &answer, S("my key"), now, ret_id);
}

static uint64_t enrol(const struct account_id *who, const struct soft_key *k)
{
    struct webauthn_asked asked;
    uint64_t id = 0;
    assert_int_equal(webauthn_register_start(f->v, who, session, NOW, &asked), OK);
    assert_int_equal(enrol_as(who, k, session, asked.challenge, NOW, &id), OK);
    assert_true(id != 0);
    return id;
}

/* -1: no verdict, because no challenge waited. */
static int answer_as(
    const struct account_id *who, const struct soft_key *k, uint64_t in, const uint8_t challenge[32],
    struct slice handle, const char *type, int64_t now)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), data CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct buf sig CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct factor_result r;
    soft_client_data(&client, type, slice_of(challenge, 32), origin, "");
    soft_assert(k, rp_id, SOFT_UP, buf_slice(&client), &data, &sig);
    struct webauthn_assertion answer = {
        .credential_id = slice_of(k->id, SOFT_ID),
        .client_data = buf_slice(&client),
        .authenticator_data = buf_slice(&data),
        .signature = buf_slice(&sig),
        .user_handle = handle,
    };
    enum err e = webauthn_check_finish(f->v, who, in, &site, &answer, now, &r);
    assert_true(e == OK || e == ERR_DENIED);
    return e == OK ? (int)r.verdict : -1;
}

static struct webauthn_asked ask(const struct account_id *who, uint64_t in, int64_t now)
{
    struct webauthn_asked asked;
    assert_int_equal(webauthn_check_start(f->v, who, in, now, &asked), OK);
    return asked;
}

static int sign_in(const struct account_id *who, struct soft_key *k, uint32_t counter)
{
    struct webauthn_asked asked = ask(who, session, NOW);
    k->counter = counter;
    return answer_as(who, k, session, asked.challenge, slice_of(asked.handle, 32), "webauthn.get", NOW);
}

/* ---- T-233 ---- */

static void a_challenge_is_for_one_answer(void **state)
{
    struct cases cases = {.id = "T-233"};
    static const uint8_t own[32] = {9};
    static const uint8_t zero[32] = {0};
    struct webauthn_asked seen[40];
    enrol(&alice.id, &key);
    struct webauthn_asked asked = ask(&alice.id, session, NOW);
    key.counter = 2;
#define ANSWER(who, in, challenge, now)                                                                      \
    answer_as(&(who).id, &key, in, challenge, SLICE_EMPTY, "webauthn.get", now)
    cases_check(&cases, ANSWER(alice, session, own, NOW) == FACTOR_WRONG, "a challenge of one's own");
    cases_check(
        &cases, ANSWER(alice, session, asked.challenge, NOW) == -1, "the right one after a wrong answer");
    asked = ask(&alice.id, session, NOW);
    cases_check(&cases, ANSWER(alice, session, asked.challenge, NOW) == FACTOR_YES, "the right one");
    cases_check(&cases, ANSWER(alice, session, asked.challenge, NOW) == -1, "replayed");
    asked = ask(&alice.id, session, NOW);
    key.counter = 3;
    cases_check(&cases, ANSWER(alice, session + 1, asked.challenge, NOW) == -1, "in another session");
    cases_check(&cases, ANSWER(bob, session, asked.challenge, NOW) == -1, "by another account");
    cases_check(&cases, ANSWER(alice, session, asked.challenge, NOW) == -1, "which has ended it");
    /* Another session's challenge in this session. */
    asked = ask(&alice.id, session, NOW);
    struct webauthn_asked other = ask(&alice.id, session + 1, NOW);
    cases_check(&cases, ANSWER(alice, session, other.challenge, NOW) == FACTOR_WRONG, "another session's");
    /* A later one ends the former. */
    asked = ask(&alice.id, session, NOW);
    other = ask(&alice.id, session, NOW);
    cases_check(&cases, memcmp(asked.challenge, other.challenge, 32) != 0, "a new one is another");
    cases_check(
        &cases, ANSWER(alice, session, asked.challenge, NOW) == FACTOR_WRONG, "the former of a session");
    /* Time. */
    static const struct {
        int64_t later;
        int verdict;
    } times[] = {{-1, -1}, {299, FACTOR_YES}, {300, -1}, {301, -1}, {86400, -1}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        asked = ask(&alice.id, session, NOW);
        key.counter++;
        int verdict = ANSWER(alice, session, asked.challenge, NOW + times[i].later);
        cases_check(&cases, verdict == times[i].verdict, "after some time");
    }
    /* One made for a registration. */
    uint64_t id;
    assert_int_equal(webauthn_register_start(f->v, &alice.id, session, NOW, &asked), OK);
    cases_check(&cases, ANSWER(alice, session, asked.challenge, NOW) == -1, "a registration's challenge");
    struct soft_key second = soft_key_new(SOFT_EDDSA);
    asked = ask(&alice.id, session, NOW);
    cases_check(
        &cases, enrol_as(&alice.id, &second, session, asked.challenge, NOW, &id) == ERR_DENIED,
        "a sign-in's challenge for a registration");
    soft_key_free(&second);
    /* After a restart. */
    asked = ask(&alice.id, session, NOW);
    fixture_reopen(f);
    cases_check(&cases, ANSWER(alice, session, asked.challenge, NOW) == -1, "after a restart");
    /* Fifty at a time: one. */
    asked = ask(&alice.id, session, NOW);
    key.counter++;
    unsigned yes = 0;
    for (int i = 0; i < 50; i++)
        yes += ANSWER(alice, session, asked.challenge, NOW) == FACTOR_YES;
    for (int i = 0; i < 50; i++)
        cases_check(&cases, yes == 1, "one of fifty");
    /* They are random. */
    for (int i = 0; i < 40; i++) {
        seen[i] = ask(&alice.id, session, NOW);
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(seen[i].challenge, seen[k].challenge, 32);
        assert_memory_not_equal(seen[i].challenge, zero, 32);
    }
    cases_end(&cases, 60);
}

static void ceremonies_have_a_ceiling(void **state)
{
    enrol(&alice.id, &key);
    enrol(&bob.id, &(struct soft_key){.algorithm = key.algorithm, .pkey = key.pkey, .id = {1}});
    struct webauthn_asked bobs = ask(&bob.id, 1, NOW), first = ask(&alice.id, 1000, NOW);
    for (uint64_t i = 1; i <= LIMIT_CEREMONIES_PER_ACCOUNT; i++)
        ask(&alice.id, 1000 + i, NOW);
    key.counter = 5;
    assert_int_equal(ANSWER(alice, 1000, first.challenge, NOW), -1); /* alice's own oldest has ended */
    struct soft_key of_bob = key;
    memset(of_bob.id, 0, sizeof of_bob.id);
    of_bob.id[0] = 1;
    assert_int_equal(
        answer_as(&bob.id, &of_bob, 1, bobs.challenge, SLICE_EMPTY, "webauthn.get", NOW), FACTOR_YES);
}

/* ---- T-236 ---- */

static void a_credential_is_its_owners(void **state)
{
    struct cases cases = {.id = "T-236"};
    struct soft_key bobs = soft_key_new(SOFT_ES256), twin = key, fresh = soft_key_new(SOFT_RS256);
    struct webauthn_asked asked, alices;
    uint64_t id = 0;
    uint64_t alices_id = enrol(&alice.id, &key);
    enrol(&bob.id, &bobs);
    /* alice starts, bob's credential answers; and with a handle of either. */
    alices = ask(&alice.id, session + 9, NOW);
    struct webauthn_asked of_bob = ask(&bob.id, session + 8, NOW);
    cases_check(&cases, memcmp(alices.handle, of_bob.handle, 32) != 0, "handles are per account");
    const struct slice handles[] = {
        SLICE_EMPTY,
        slice_of(alices.handle, 32),
        slice_of(of_bob.handle, 32),
        S("alice@example.test"),
        slice_of(alices.handle, 31),
        slice_of(alice.id.b, 16)};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++) {
        bobs.counter++, key.counter++;
        asked = ask(&alice.id, session, NOW);
        cases_check(
            &cases,
            answer_as(&alice.id, &bobs, session, asked.challenge, handles[i], "webauthn.get", NOW) ==
                FACTOR_WRONG,
            "alice starts, bob's credential answers");
        asked = ask(&alice.id, session, NOW);
        int verdict = answer_as(&alice.id, &key, session, asked.challenge, handles[i], "webauthn.get", NOW);
        cases_check(
            &cases, verdict == (i < 2 ? FACTOR_YES : FACTOR_WRONG), "alice's credential with a handle");
    }
    /* bob's signature under alice's credential id. */
    twin.pkey = bobs.pkey;
    twin.counter = 100;
    asked = ask(&alice.id, session, NOW);
    cases_check(
        &cases,
        answer_as(&alice.id, &twin, session, asked.challenge, SLICE_EMPTY, "webauthn.get", NOW) ==
            FACTOR_WRONG,
        "another key under alice's credential id");
    /* The same credential id by two users, and twice by one. */
    assert_int_equal(webauthn_register_start(f->v, &bob.id, session, NOW, &asked), OK);
    cases_check(
        &cases, enrol_as(&bob.id, &key, session, asked.challenge, NOW, &id) == ERR_EXISTS, "by two users");
    assert_int_equal(webauthn_register_start(f->v, &alice.id, session, NOW, &asked), OK);
    cases_check(
        &cases, enrol_as(&alice.id, &key, session, asked.challenge, NOW, &id) == ERR_EXISTS, "twice by one");
    /* An unknown credential, one never registered, an account without keys. */
    asked = ask(&alice.id, session, NOW);
    cases_check(
        &cases,
        answer_as(&alice.id, &fresh, session, asked.challenge, SLICE_EMPTY, "webauthn.get", NOW) ==
            FACTOR_WRONG,
        "an unknown credential");
    struct vault_account carol = fixture_account(f, "carol@example.test");
    asked = ask(&carol.id, session, NOW);
    cases_check(
        &cases,
        answer_as(&carol.id, &key, session, asked.challenge, SLICE_EMPTY, "webauthn.get", NOW) == FACTOR_NONE,
        "an account without keys");
    /* A deleted one; then somebody else may bring it. */
    asked = ask(&alice.id, session, NOW);
    assert_int_equal(factors_remove(f->v, &alice.id, alices_id, false, NOW), OK);
    key.counter++;
    cases_check(
        &cases,
        answer_as(&alice.id, &key, session, asked.challenge, SLICE_EMPTY, "webauthn.get", NOW) == FACTOR_NONE,
        "a deleted credential");
    cases_check(&cases, enrol(&bob.id, &key) != 0, "registered anew by another");
    soft_key_free(&bobs);
    soft_key_free(&fresh);
    cases_end(&cases, 20);
}

/* ---- T-237 ---- */

static void counters_and_the_last_key(void **state)
{
    struct cases cases = {.id = "T-237"};
    struct soft_key silent = soft_key_new(SOFT_EDDSA);
    struct factors_have have;
    uint64_t id = enrol(&alice.id, &key), other;
    cases_check(&cases, sign_in(&alice.id, &key, 10) == FACTOR_YES, "1 to 10");
    cases_check(&cases, sign_in(&alice.id, &key, 9) == FACTOR_ANOTHER, "10 to 9");
    cases_check(&cases, strcmp(f->told.last_kind, "factor.suspect") == 0, "told to the journal");
    cases_check(&cases, sign_in(&alice.id, &key, 11) == FACTOR_ANOTHER, "and 11 afterwards");
    fixture_reopen(f);
    cases_check(&cases, sign_in(&alice.id, &key, 12) == FACTOR_ANOTHER, "also after a restart");
    assert_int_equal(factors_count(f->v, &alice.id, &have), OK);
    cases_check(&cases, have.keys == 0, "a suspect key is no factor");
    /* A key that counts nothing stays good; one that begins to count, too; one that stops does not. */
    silent.counter = 0;
    other = enrol(&alice.id, &silent);
    cases_check(&cases, sign_in(&alice.id, &silent, 0) == FACTOR_YES, "0 to 0");
    cases_check(&cases, sign_in(&alice.id, &silent, 0) == FACTOR_YES, "0 to 0 again");
    /* The last one under policy. */
    assert_int_equal(vault_policy_set(f->v, SLICE_EMPTY, S("factor_required"), S("key")), OK);
    cases_check(&cases, factors_remove(f->v, &alice.id, other, true, NOW) == ERR_STATE, "the last key");
    cases_check(&cases, sign_in(&alice.id, &silent, 0) == FACTOR_YES, "is still there");
    cases_check(&cases, factors_remove(f->v, &alice.id, id, true, NOW) == OK, "a suspect one may go");
    cases_check(
        &cases, factors_remove(f->v, &alice.id, other, true, NOW) == ERR_STATE, "the last key, alone");
    assert_int_equal(vault_policy_set(f->v, SLICE_EMPTY, S("factor_required"), S("none")), OK);
    cases_check(&cases, sign_in(&alice.id, &silent, 7) == FACTOR_YES, "0 to 7");
    cases_check(&cases, sign_in(&alice.id, &silent, 0) == FACTOR_ANOTHER, "7 to 0");
    cases_check(&cases, factors_remove(f->v, &alice.id, other, true, NOW) == OK, "without such a policy");
    soft_key_free(&silent);
    cases_end(&cases, 14);
}

/* ---- the rest ---- */

struct ids {
    unsigned n;
    char first[SOFT_ID];
};
static void take_id(void *owner, struct slice id)
{
    struct ids *ids = owner;
    if (!ids->n++ && id.n == SOFT_ID)
        memcpy(ids->first, id.p, SOFT_ID);
}
static void take_factor(void *owner, const struct factor *factor)
{
    *(struct factor *)owner = *factor;
}

static void keys_are_listed_and_sealed(void **state)
{
    struct ids ids = {.n = 0};
    struct factor factor = {.id = 0};
    struct buf cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    uint64_t id = enrol(&alice.id, &key);
    assert_string_equal(f->told.last_kind, "factor.enrolled");
    assert_int_equal(webauthn_ids(f->v, &alice.id, take_id, &ids), OK);
    assert_int_equal(ids.n, 1);
    assert_memory_equal(ids.first, key.id, SOFT_ID);
    assert_int_equal(sign_in(&alice.id, &key, 4), FACTOR_YES);
    assert_int_equal(factors_list(f->v, &alice.id, NOW, take_factor, &factor), OK);
    assert_int_equal(factor.id, id);
    assert_int_equal(factor.kind, FACTOR_KEY);
    assert_int_equal(factor.last_used_s, NOW);
    assert_string_equal(factor.label, "my key");
    soft_cose(&key, &cose);
    fixture_reopen(f);
    assert_false(fixture_stores(f, slice_of(key.id, SOFT_ID)));
    assert_false(fixture_stores(f, slice_from(buf_slice(&cose), 10)));
    assert_int_equal(sign_in(&alice.id, &key, 5), FACTOR_YES);
}

static void an_account_has_room_for_some(void **state)
{
    struct webauthn_asked asked;
    uint64_t id = 0;
    for (unsigned i = 0; i <= LIMIT_FACTORS_PER_ACCOUNT; i++) {
        key.id[0] = (uint8_t)i;
        assert_int_equal(webauthn_register_start(f->v, &alice.id, session, NOW, &asked), OK);
        enum err e = enrol_as(&alice.id, &key, session, asked.challenge, NOW, &id);
        assert_int_equal(e, i < LIMIT_FACTORS_PER_ACCOUNT ? OK : ERR_LIMIT);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_challenge_is_for_one_answer), TEST(ceremonies_have_a_ceiling),
        TEST(a_credential_is_its_owners),    TEST(counters_and_the_last_key),
        TEST(keys_are_listed_and_sealed),    TEST(an_account_has_room_for_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "visited.h"

#include "base/encode.h"
#include "doctor/steps/reply_note.h"

static void the_secret_is_not_repeated(void **state)
{
    static const struct {
        const char *says, *clean;
    } cases[] = {
        {"500 unknown: PASS Winter \"is\\ coming 2026", "500 unknown: PASS [...]"},
        {"Winter \"is\\ coming 2026 is wrong, Winter \"is\\ coming 2026!", "[...] is wrong, [...]!"},
        {"LOGIN alice \"Winter \\\"is\\\\ coming 2026\"", "LOGIN alice \"[...]\""},
        {"500 unknown: PASS Winter \"is\\ coming 2", "500 unknown: PASS [...]"},
        {"Winter is coming", "Winter is coming"},
        {"", ""},
    };
    struct visited w;
    visited_init(&w, SERVICE_SMTP, NULL, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(slice_eq(
            reply_without_secret(&w.secret, &w.arena, slice_str(cases[i].says)), slice_str(cases[i].clean)));
    assert_slice("as it is", reply_without_secret(NULL, &w.arena, S("as it is")));
    visited_done(&w);
}

/* Whatever stands around the secret moves its base64; the end may be lost, with or without padding. */
static void nor_is_its_base64(void **state)
{
    struct visited w;
    struct buf octets CLEANUP_BUF = BUF_INIT(200), text CLEANUP_BUF = BUF_INIT(400);
    visited_init(&w, SERVICE_SMTP, NULL, 0);
    for (size_t before = 0; before < 7; before++)
        for (size_t behind = 0; behind < 4; behind++)
            for (size_t lost = 0; lost < 3; lost++) {
                buf_clear(&octets);
                buf_put(&octets, slice_sub(S("\0alice\0"), 0, before));
                buf_put(&octets, S(VISITED_SECRET));
                buf_put(&octets, slice_sub(S("\1\1\1"), 0, behind));
                buf_clear(&text);
                buf_put(&text, S("502 unknown command "));
                base64_put(&text, buf_slice(&octets));
                text.n -= behind || lost < 2 ? lost : 0;
                buf_put(&text, S(" (AUTH)"));
                assert_slice(
                    "502 unknown command [...] (AUTH)",
                    reply_without_secret(&w.secret, &w.arena, buf_slice(&text)));
            }
    assert_slice(
        "250 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        reply_without_secret(&w.secret, &w.arena, S("250 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")));
    visited_done(&w);
}

static void short_secrets_stand_in_many_words(void **state)
{
    struct visited w;
    visited_init(&w, SERVICE_SMTP, NULL, 0);
    secret_free(&w.secret);
    assert_ok(secret_copy(w.slab, S("an"), &w.secret));
    assert_slice("banana", reply_without_secret(&w.secret, &w.arena, S("banana")));
    visited_done(&w);
}

static void notes_are_discreet(void **state)
{
    struct visited w;
    visited_init(&w, SERVICE_SMTP, NULL, 0);
    reply_note(&w.visit, TONE_FAULT, S("590 strange: " VISITED_SECRET), OBSERVED_AFTER_SENDER_REFUSED);
    assert_slice("after-sender-refused", visited_diagnosis(&w, 0));
    reply_note(
        &w.visit, TONE_FAULT, S("535 5.7.8 Error: authentication failed: " VISITED_SECRET),
        OBSERVED_AFTER_SENDER_REFUSED);
    assert_int_equal(w.visit.notes->rows[1].diagnosis->cause, CAUSE_WRONG_PASSWORD);
    reply_note_break(&w.visit, ERR_SYNTAX, S("what is " VISITED_SECRET));
    assert_slice("after-nonsense", visited_diagnosis(&w, 2));
    reply_note_break(&w.visit, ERR_TIMEOUT, S(""));
    assert_slice("after-silent", visited_diagnosis(&w, 3));
    /* the proof is cut, and a secret at the cut is still none */
    char text[LIMIT_DOCTOR_PROOF + 100];
    for (size_t at = LIMIT_DOCTOR_PROOF - sizeof VISITED_SECRET; at < LIMIT_DOCTOR_PROOF; at++) {
        memset(text, 'x', sizeof text);
        memcpy(text + at, VISITED_SECRET, sizeof VISITED_SECRET - 1);
        reply_note(&w.visit, TONE_FAULT, slice_of(text, sizeof text), OBSERVED_AFTER_SENDER_REFUSED);
        struct slice proof = w.visit.notes->rows[w.visit.notes->count - 1].proof;
        assert_int_equal(slice_search(proof, S("Wint")), SLICE_NPOS);
    }
    assert_true(visited_is_discreet(&w));
    visited_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_secret_is_not_repeated),
        cmocka_unit_test(nor_is_its_base64),
        cmocka_unit_test(short_secrets_stand_in_many_words),
        cmocka_unit_test(notes_are_discreet),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

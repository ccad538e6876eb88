#include "visited.h"

#include "doctor/steps/reply_note.h"

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
        cmocka_unit_test(notes_are_discreet),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

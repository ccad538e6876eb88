/* What the doctor says by itself is there in every language. */
#include "test.h"

#include <errno.h>

#include "base/utf8.h"
#include "doctor/examination.h"
#include "doctor/grade.h"
#include "doctor/tree.h"
#include "doctor/verdict.h"
#include "doctor_knowledge.h"

/* Is there a Chinese sign, or punctuation of that size? */
static bool is_chinese(const char *text)
{
    struct slice rest = slice_str(text);
    while (rest.n) {
        uint32_t code = 0;
        size_t used = utf8_decode(rest, &code);
        if (lang_columns_of(code) == 2 || code == 0x201c)
            return true;
        rest = slice_from(rest, used ? used : 1);
    }
    return false;
}

static void fail_unless_chinese(const char *en, const char *zh)
{
    if (!en[0] || !is_chinese(zh) || strcmp(en, zh) == 0)
        fail_msg("%s / %s", en, zh);
}

static void every_phrase_is_there_in_both_languages(void **state)
{
    for (int i = 0; i < PHRASE_N; i++) {
        const char *en = phrase_words((enum phrase)i, LANG_EN), *zh = phrase_words((enum phrase)i, LANG_ZH);
        fail_unless_chinese(en, zh);
        for (char place = '1'; place <= '3'; place++) {
            const char name[] = {'{', place, '}', '\0'};
            if (!strstr(en, name) != !strstr(zh, name))
                fail_msg("%s / %s", en, zh);
        }
    }
}

static void known_words_are_told_once(void **state)
{
    struct arena a CLEANUP_ARENA = ARENA_INIT(1000);
    struct lang_text row, other;
    size_t count = 0;
    for (; known_at(count, &row); count++) {
        fail_unless_chinese(row.in[LANG_EN], row.in[LANG_ZH]);
        for (size_t j = 0; j < count && known_at(j, &other); j++)
            assert_string_not_equal(other.in[LANG_EN], row.in[LANG_EN]);
        struct wording w = wording_known(&a, slice_str(row.in[LANG_EN]));
        assert_true(slice_eq(w.in[LANG_ZH], slice_str(row.in[LANG_ZH])));
    }
    assert_true(count > 50);
}

static void foreign_words_are_quoted(void **state)
{
    struct arena a CLEANUP_ARENA = ARENA_INIT(1000);
    struct wording w = wording_known(&a, S("ssl3 something new"));
    assert_slice("ssl3 something new", w.in[LANG_EN]);
    assert_slice("“ssl3 something new”", w.in[LANG_ZH]);
}

static void errors_have_words(void **state)
{
    static const int numbers[] = {
        ECONNREFUSED,  ECONNRESET,   ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EACCES, EPERM,
        EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL,    EMFILE,      ENOBUFS,      ENOMEM,   EPIPE,     -1};
    for (int e = OK; e > ERR_N; e--)
        fail_unless_chinese(lang_error((enum err)e, LANG_EN), lang_error((enum err)e, LANG_ZH));
    assert_string_equal("unknown error", lang_error(ERR_N, LANG_EN));
    fail_unless_chinese("unknown error", lang_error(ERR_N, LANG_ZH));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct arena a CLEANUP_ARENA = ARENA_INIT(1000);
        struct wording w = wording_errno(&a, numbers[i]);
        fail_unless_chinese(arena_cstr(&a, w.in[LANG_EN]), arena_cstr(&a, w.in[LANG_ZH]));
    }
}

static void phrases_are_made_of_parts(void **state)
{
    struct arena a CLEANUP_ARENA = ARENA_INIT(10000);
    struct wording none = wording_same(SLICE_EMPTY);
    struct wording w = wording_fill(
        &a, PHRASE_TRY, wording_same(S("192.0.2.1")), wording_same(S("993")),
        wording_errno(&a, ECONNREFUSED));
    w = wording_fill(&a, PHRASE_PORT_ANSWERS, w, wording_same(S("143")), none);
    assert_slice("192.0.2.1 port 993: Connection refused; port 143 answers", w.in[LANG_EN]);
    assert_slice("192.0.2.1 端口 993：连接被拒绝；端口 143 有应答", w.in[LANG_ZH]);
}

static void a_note_keeps_every_language(void **state)
{
    struct notes n, more;
    struct arena a CLEANUP_ARENA = ARENA_INIT(10000);
    notes_init(&n, k);
    notes_init(&more, k);
    struct wording w = wording_say(&a, PHRASE_SECONDS, S("7.5"), SLICE_EMPTY, SLICE_EMPTY);
    notes_measured(&n, TONE_WARNING, OBSERVED_NET_SLOW_GREETING, PROOF_MEASURED, w);
    notes_observed(&n, TONE_FAULT, OBSERVED_NET_RESET, PROOF_REPLY, S("as it came"));
    arena_clear(&a);
    notes_join(&more, &n);
    notes_done(&n);
    assert_slice("7.5 s", observation_proof(&more.rows[0], LANG_EN));
    assert_slice("7.5 秒", observation_proof(&more.rows[0], LANG_ZH));
    assert_slice("as it came", observation_proof(&more.rows[1], LANG_ZH));
    assert_int_equal(more.rows[1].own.in[LANG_EN].n, 0);
    notes_done(&more);
}

/* What does not fit is cut between signs, not in one. */
static void a_long_proof_is_cut_between_signs(void **state)
{
    struct notes n;
    struct buf text CLEANUP_BUF = BUF_INIT(3 * LIMIT_DOCTOR_PROOF);
    buf_put_char(&text, 'x');
    while (text.n < 2 * LIMIT_DOCTOR_PROOF)
        buf_put_str(&text, "邮");
    notes_init(&n, k);
    struct observation *o = notes_observed(&n, TONE_FAULT, OBSERVED_NET_RESET, PROOF_REPLY, buf_slice(&text));
    assert_true(utf8_is_valid(o->proof) && o->proof.n > LIMIT_DOCTOR_PROOF - 4);
    buf_clear(&text); /* no UTF-8 at all */
    while (text.n < 2 * LIMIT_DOCTOR_PROOF)
        buf_put_char(&text, '\x80');
    o = notes_observed(&n, TONE_FAULT, OBSERVED_NET_RESET, PROOF_REPLY, buf_slice(&text));
    assert_int_equal(o->proof.n, LIMIT_DOCTOR_PROOF);
    notes_done(&n);
}

/* Diagnoses, facts, names of steps, causes: all that an answer is made of. */
static void nothing_is_said_in_english_alone(void **state)
{
    struct arena a CLEANUP_ARENA = ARENA_INIT(1 << 20);
    for (size_t i = 0; i < knowledge_count(k); i++) {
        const struct diagnosis *d = knowledge_at(k, i);
        fail_unless_chinese(arena_cstr(&a, d->says[LANG_EN]), arena_cstr(&a, d->says[LANG_ZH]));
        fail_unless_chinese(arena_cstr(&a, d->remedy[LANG_EN]), arena_cstr(&a, d->remedy[LANG_ZH]));
    }
    for (int i = FACT_NONE + 1; i < FACT_N; i++)
        if (i != FACT_PROVIDER_NOTE) /* the table of providers has it in both */
            fail_unless_chinese(fact_words((enum fact)i, LANG_EN), fact_words((enum fact)i, LANG_ZH));
    for (int i = 0; i < CAUSE_N; i++)
        fail_unless_chinese(cause_words((enum cause)i, LANG_EN), cause_words((enum cause)i, LANG_ZH));
    for (int i = 0; i < STEP_N; i++) {
        fail_unless_chinese(step_words((enum step)i, LANG_EN), step_words((enum step)i, LANG_ZH));
        fail_unless_chinese(tree_words((enum step)i, LANG_EN), tree_words((enum step)i, LANG_ZH));
    }
    for (int i = 0; i < SOURCE_N; i++)
        fail_unless_chinese(source_words((enum source)i, LANG_EN), source_words((enum source)i, LANG_ZH));
    for (int i = PROOF_NONE + 1; i < PROOF_N; i++)
        fail_unless_chinese(
            proof_words((enum proof_kind)i, LANG_EN), proof_words((enum proof_kind)i, LANG_ZH));
    for (int i = SCOPE_WHOLE + 1; i < SCOPE_N; i++)
        fail_unless_chinese(scope_words((enum scope)i, LANG_EN), scope_words((enum scope)i, LANG_ZH));
    for (size_t i = 0; i < knowledge_providers(k); i++) {
        const struct provider *p = knowledge_provider_at(k, i);
        if (p->note[LANG_EN].n)
            fail_unless_chinese(arena_cstr(&a, p->note[LANG_EN]), arena_cstr(&a, p->note[LANG_ZH]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phrase_is_there_in_both_languages),
        cmocka_unit_test(known_words_are_told_once),
        cmocka_unit_test(foreign_words_are_quoted),
        cmocka_unit_test(errors_have_words),
        cmocka_unit_test(phrases_are_made_of_parts),
        cmocka_unit_test(a_note_keeps_every_language),
        cmocka_unit_test(a_long_proof_is_cut_between_signs),
        cmocka_unit_test(nothing_is_said_in_english_alone),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}

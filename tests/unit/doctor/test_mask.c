/* A secret is shown in none of the ways in which somebody may say it back; what was there before it was sent stays. */
#include "test.h"

#include "base/encode.h"
#include "crypto/random.h"
#include "doctor/examination.h"

#define SECRET "Winter \"is\\ coming 2026"

struct masked {
    struct mask *mask;
    struct arena arena;
};

static void masked_init(struct masked *w, struct slice secret)
{
    w->mask = mask_new(secret);
    arena_init(&w->arena, 1 << 20);
    mask_start(w->mask);
}

static void masked_done(struct masked *w)
{
    mask_free(&w->mask);
    assert_null(w->mask);
    arena_done(&w->arena);
}

static void the_secret_is_not_repeated(void **state)
{
    static const struct {
        const char *says, *clean;
    } cases[] = {
        {"500 unknown: PASS Winter \"is\\ coming 2026", "500 unknown: PASS [...]"},
        {"Winter \"is\\ coming 2026 is wrong, Winter \"is\\ coming 2026!", "[...] is wrong, [...]!"},
        {"Winter \"is\\ coming 2026Winter \"is\\ coming 2026.", "[...][...]."},
        {"Winter \"is\\ comiWinter \"is\\ coming 2026.", "[...]."},
        {"LOGIN alice \"Winter \\\"is\\\\ coming 2026\"", "LOGIN alice \"[...]\""},
        {"LOGIN alice \"Winter \\\"is\\\\ com", "LOGIN alice \"[...]"},
        {"500 unknown: PASS Winter \"is\\ coming 2", "500 unknown: PASS [...]"},
        {"wINTER \"IS\\ COMING 2026", "[...]"},
        {"http://a.test/?p=Winter%20%22is%5C%20coming%202026&q=1", "http://a.test/?p=[...]&q=1"},
        {"it is 57696e746572202269735c20636f6d696e672032303236.", "it is [...]."},
        {"it is 57696E746572202269735C20636F6D696E672032303236.", "it is [...]."},
        {"Winter is coming", "Winter is coming"},
        {"Winter \"i", "Winter \"i"},
        {"", ""},
    };
    struct masked w;
    masked_init(&w, S(SECRET));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice says = slice_str(cases[i].says);
        struct slice clean = mask_text(w.mask, &w.arena, says);
        if (!slice_eq(clean, slice_str(cases[i].clean)))
            fail_msg("%s: " SLICE_FMT, cases[i].says, SLICE_ARG(clean));
        assert_int_equal(mask_is_clean(w.mask, says), slice_eq(says, clean));
        assert_true(slice_eq(clean, mask_text(w.mask, &w.arena, clean))); /* what is clean stays */
    }
    assert_slice("as it is", mask_text(NULL, &w.arena, S("as it is")));
    masked_done(&w);
}

/* Each form ends where it ends, though another one begins the same way and is longer. */
static void no_more_than_the_secret_is_hidden(void **state)
{
    struct masked w;
    masked_init(&w, S("correct-Horse\"7\\"));
    assert_slice("[...] it is", mask_text(w.mask, &w.arena, S("correct-Horse\"7\\ it is")));
    assert_slice("[...] it is", mask_text(w.mask, &w.arena, S("correct-Horse\\\"7\\\\ it is")));
    assert_slice("[...] it is", mask_text(w.mask, &w.arena, S("correct-Horse%227%5C it is")));
    masked_done(&w);
}

/* Whatever stands around the secret moves its base64; the end may be lost, with or without padding. */
static void nor_is_its_base64(void **state)
{
    struct masked w;
    struct buf octets CLEANUP_BUF = BUF_INIT(200), text CLEANUP_BUF = BUF_INIT(400);
    masked_init(&w, S(SECRET));
    for (size_t before = 0; before < 7; before++)
        for (size_t behind = 0; behind < 4; behind++)
            for (size_t lost = 0; lost < 3; lost++) {
                buf_clear(&octets);
                buf_put(&octets, slice_sub(S("\0alice\0"), 0, before));
                buf_put(&octets, S(SECRET));
                buf_put(&octets, slice_sub(S("\1\1\1"), 0, behind));
                buf_clear(&text);
                buf_put(&text, S("502 unknown command "));
                base64_put(&text, buf_slice(&octets));
                text.n -= behind || lost < 2 ? lost : 0;
                buf_put(&text, S(" (AUTH)"));
                assert_slice(
                    "502 unknown command [...] (AUTH)", mask_text(w.mask, &w.arena, buf_slice(&text)));
            }
    assert_slice(
        "250 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        mask_text(w.mask, &w.arena, S("250 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==")));
    masked_done(&w);
}

static void short_secrets_stand_in_many_words(void **state)
{
    struct masked w;
    masked_init(&w, S("an"));
    assert_slice("banana", mask_text(w.mask, &w.arena, S("banana")));
    masked_done(&w);
    masked_init(&w, S("anan"));
    assert_slice("b[...]a", mask_text(w.mask, &w.arena, S("banana")));
    masked_done(&w);
}

/* "* OK IMAP4 [...]." would tell what the password is. */
static void what_was_said_before_stays(void **state)
{
    struct masked w;
    w.mask = mask_new(S("ready"));
    arena_init(&w.arena, 1 << 20);
    assert_slice("* OK IMAP4 ready.", mask_text(w.mask, &w.arena, S("* OK IMAP4 ready.")));
    assert_slice("* OK IMAP4.", mask_text(w.mask, &w.arena, S("* OK IMAP4.")));
    mask_start(w.mask);
    assert_slice("* OK IMAP4 ready.", mask_text(w.mask, &w.arena, S("* OK IMAP4 ready.")));
    assert_slice("* OK IMAP4 [...]!", mask_text(w.mask, &w.arena, S("* OK IMAP4 ready!")));
    mask_allow(w.mask, S("ready.example.org"));
    assert_true(mask_is_clean(w.mask, S("ready.example.org")));
    assert_false(mask_is_clean(w.mask, S("ready.example.com")));
    masked_done(&w);
}

static void there_is_an_end_of_what_is_remembered(void **state)
{
    struct masked w;
    char text[32];
    masked_init(&w, S("ready"));
    for (int i = 0; i <= LIMIT_DOCTOR_SAID; i++) {
        snprintf(text, sizeof text, "ready %d", i);
        mask_allow(w.mask, slice_str(text));
        assert_int_equal(mask_is_clean(w.mask, slice_str(text)), i < LIMIT_DOCTOR_SAID);
    }
    masked_done(&w);
}

/* Facts, proofs, the doctor's own words around what was said, and what is joined. */
static void nothing_of_an_examination_holds_it(void **state)
{
    struct masked w;
    struct knowledge *k = knowledge_built_in();
    struct examination x;
    struct notes more;
    char text[LIMIT_DOCTOR_PROOF + 100];
    masked_init(&w, S(SECRET));
    examination_init(&x, k);
    x.general.mask = w.mask;
    notes_fact(&x.general, TONE_GOOD, FACT_GREETING, S("a " SECRET), S("b " SECRET), S("c " SECRET));
    notes_observed(&x.general, TONE_NOTE, OBSERVED_GREETING_REFUSED, PROOF_REPLY, S("d " SECRET));
    notes_measured(
        &x.general, TONE_NOTE, OBSERVED_GREETING_REFUSED, PROOF_MEASURED, wording_same(S("e " SECRET)));
    struct explanation explained = {
        .findings = {{.diagnosis = x.general.rows[1].diagnosis, .proof = S("f " SECRET)}}, .count = 1};
    notes_explained(&x.general, TONE_NOTE, &explained);
    notes_init(&more, k);
    notes_fact(&more, TONE_GOOD, FACT_GREETING, S("g " SECRET), SLICE_EMPTY, SLICE_EMPTY);
    notes_join(&x.general, &more);
    const struct observation *rows = x.general.rows;
    assert_slice("a [...]", rows[0].args[0]);
    assert_slice("b [...]", rows[0].args[1]);
    assert_slice("c [...]", rows[0].args[2]);
    assert_slice("d [...]", rows[1].proof);
    assert_slice("e [...]", rows[2].proof);
    assert_slice("e [...]", rows[2].own.in[LANG_ZH]);
    assert_slice("f [...]", rows[3].proof);
    assert_slice("g [...]", rows[4].args[0]);
    /* a proof is cut behind it */
    for (size_t at = LIMIT_DOCTOR_PROOF - sizeof SECRET; at < LIMIT_DOCTOR_PROOF; at++) {
        memset(text, 'x', sizeof text);
        memcpy(text + at, SECRET, sizeof SECRET - 1);
        struct observation *o = notes_observed(
            &x.general, TONE_NOTE, OBSERVED_GREETING_REFUSED, PROOF_REPLY, slice_of(text, sizeof text));
        assert_int_equal(slice_search(o->proof, S("Wint")), SLICE_NPOS);
    }
    notes_done(&more);
    examination_done(&x);
    knowledge_free(&k);
    masked_done(&w);
}

/* A name that somebody published after the secret was sent; what the person gave, and what was there before, is none of that. */
static void no_server_is_named_after_the_secret(void **state)
{
    struct knowledge *k = knowledge_built_in();
    struct examination x;
    struct mask *mask = mask_new(S("Winter26"));
    struct endpoint e = {
        .service = SERVICE_IMAP, .port = 993, .source = SOURCE_SRV, .host = S("winter26.test")};
    examination_init(&x, k);
    x.general.mask = mask;
    assert_non_null(examination_add(&x, &e));
    mask_start(mask);
    e.port = 143;
    assert_non_null(examination_add(&x, &e));
    e.host = S("mx.winter26.test");
    assert_null(examination_add(&x, &e));
    e.host = S("mx.test");
    e.user = S("V2ludGVyMjY=");
    assert_null(examination_add(&x, &e));
    e.user = S("alice");
    assert_non_null(examination_add(&x, &e));
    e.source = SOURCE_GIVEN;
    e.host = S("winter26.example");
    assert_non_null(examination_add(&x, &e));
    assert_int_equal(x.server_count, 4);
    examination_done(&x);
    mask_free(&mask);
    knowledge_free(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_secret_is_not_repeated),
        cmocka_unit_test(no_more_than_the_secret_is_hidden),
        cmocka_unit_test(nor_is_its_base64),
        cmocka_unit_test(short_secrets_stand_in_many_words),
        cmocka_unit_test(what_was_said_before_stays),
        cmocka_unit_test(there_is_an_end_of_what_is_remembered),
        cmocka_unit_test(nothing_of_an_examination_holds_it),
        cmocka_unit_test(no_server_is_named_after_the_secret),
    };
    crypto_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

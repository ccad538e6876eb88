#include "test.h"

#include "base/utf8.h"
#include "doctor/tree.h"
#include "doctor_knowledge.h"

static struct examination x;
static struct verdict v;
static struct tree t;

static struct checked *begin(bool has_secret, struct standing standing)
{
    examination_init(&x, k);
    x.has_secret = has_secret;
    struct endpoint e = {
        .service = SERVICE_IMAP, .host = S("imap.example.org"), .port = 993, .source = SOURCE_GIVEN};
    struct checked *c = examination_add(&x, &e);
    c->standing = standing;
    return c;
}

static void judge(void)
{
    verdict_init(&v, &x);
    tree_init(&t, &x, &v);
}

static void end(void)
{
    verdict_done(&v);
    examination_done(&x);
}

static const struct standing working = {
    .connected = true,
    .private_ = true,
    .encrypted = true,
    .greeted = true,
    .signed_in = true,
    .tried = true,
    .works = true};

static void the_path_ends_at_the_fault(void **state)
{
    struct checked *c = begin(true, (struct standing){.connected = true});
    c->notes.step = STEP_NETWORK;
    notes_observed(&c->notes, TONE_WARNING, OBSERVED_NET_SLOW, PROOF_MEASURED, S("3 s"));
    c->notes.step = STEP_TLS;
    notes_observed(&c->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_EXPIRED, PROOF_CERTIFICATE, S("2020"));
    judge();
    assert_int_equal(t.stop, STEP_TLS);
    assert_int_equal(t.step, STEP_TLS);
    assert_int_equal(t.cause, CAUSE_CERTIFICATE_EXPIRED);
    assert_int_equal(t.questions[STEP_FIND].answer, TREE_YES);
    assert_int_equal(t.questions[STEP_NETWORK].answer, TREE_UNSURE);
    assert_int_equal(t.questions[STEP_TLS].answer, TREE_NO);
    assert_int_equal(t.questions[STEP_SIGN_IN].answer, TREE_NOT_ASKED);
    end();
}

static void the_path_goes_through_when_all_works(void **state)
{
    begin(true, working);
    judge();
    assert_int_equal(t.stop, STEP_N);
    assert_int_equal(t.cause, CAUSE_N);
    for (int i = 0; i < STEP_N; i++)
        assert_int_equal(t.questions[i].answer, TREE_YES);
    end();
}

static void without_a_password_it_ends_before_the_sign_in(void **state)
{
    begin(false, (struct standing){.connected = true, .encrypted = true, .private_ = true, .greeted = true});
    judge();
    assert_int_equal(t.stop, STEP_SIGN_IN);
    assert_int_equal(t.questions[STEP_PASSWORD].answer, TREE_NOT_ASKED);
    assert_int_equal(t.questions[STEP_GREETING].answer, TREE_YES);
    assert_int_equal(t.questions[STEP_SIGN_IN].answer, TREE_NOT_ASKED);
    end();
}

static void what_was_not_tried_ends_it(void **state)
{
    begin(true, (struct standing){.connected = true, .encrypted = true, .greeted = true});
    judge();
    assert_int_equal(v.kind, VERDICT_UNCLEAR);
    assert_int_equal(t.stop, STEP_SIGN_IN);
    end();
}

static void an_unusual_cause_gets_a_leaf(void **state)
{
    struct checked *c = begin(true, (struct standing){.connected = true});
    size_t before = 0;
    c->notes.step = STEP_TLS;
    notes_observed(&c->notes, TONE_FAULT, OBSERVED_AFTER_QUOTA_FULL, PROOF_REPLY, S("full"));
    judge();
    for (size_t i = 0; i < t.questions[STEP_TLS].cause_count; i++)
        before += t.questions[STEP_TLS].causes[i] == CAUSE_QUOTA;
    assert_int_equal(before, 1);
    assert_int_equal(t.questions[STEP_TLS].causes[t.questions[STEP_TLS].cause_count - 1], CAUSE_QUOTA);
    end();
}

static void every_cause_has_a_leaf(void **state)
{
    bool seen[CAUSE_N] = {false};
    begin(true, working);
    judge();
    for (int i = 0; i < STEP_N; i++)
        for (size_t j = 0; j < t.questions[i].cause_count; j++)
            seen[t.questions[i].causes[j]] = true;
    for (int i = 0; i < CAUSE_N; i++)
        assert_true(seen[i]);
    end();
}

static size_t count_of(struct slice in, const char *what)
{
    size_t n = 0, at;
    for (; (at = slice_search(in, slice_str(what))) != SLICE_NPOS; n++)
        in = slice_from(in, at + 1);
    return n;
}

/* Every element that begins ends, attributes are quoted, and nothing else has the signs of markup. */
static void assert_well_formed(struct slice svg)
{
    size_t depth = 0;
    assert_true(utf8_is_valid(svg));
    while (svg.n) {
        size_t open = slice_find(svg, '<');
        struct slice text = slice_sub(svg, 0, open == SLICE_NPOS ? svg.n : open);
        assert_int_equal(slice_find(text, '>'), SLICE_NPOS);
        if (open == SLICE_NPOS)
            break;
        size_t close = slice_find(svg, '>');
        assert_true(close != SLICE_NPOS);
        struct slice tag = slice_sub(svg, open + 1, close - open - 1);
        assert_int_equal(count_of(tag, "\"") % 2, 0);
        assert_int_equal(count_of(tag, "<"), 0);
        if (tag.p[0] == '/')
            depth--;
        else if (tag.p[tag.n - 1] != '/')
            depth++;
        svg = slice_from(svg, close + 1);
    }
    assert_int_equal(depth, 0);
}

static void drawn_in_both_languages(void **state)
{
    struct checked *c = begin(true, (struct standing){.connected = true});
    c->notes.step = STEP_TLS;
    notes_observed(&c->notes, TONE_FAULT, OBSERVED_TLS_CERTIFICATE_EXPIRED, PROOF_CERTIFICATE, S("<script>"));
    judge();
    for (int l = 0; l < LANG_N; l++) {
        struct buf svg = BUF_INIT(1 << 20), mermaid = BUF_INIT(1 << 20);
        tree_put_svg(&t, (enum lang)l, &svg);
        tree_put_mermaid(&t, (enum lang)l, &mermaid);
        assert_ok(buf_check(&svg));
        assert_ok(buf_check(&mermaid));
        assert_well_formed(buf_slice(&svg));
        assert_int_equal(count_of(buf_slice(&svg), "<script"), 0);
        assert_int_equal(count_of(buf_slice(&svg), "tree-leaf tree-taken"), 1);
        assert_int_equal(count_of(buf_slice(&svg), "tree-question tree-taken"), 4);
        assert_int_equal(count_of(buf_slice(&mermaid), " ==>"), 4);
        assert_true(slice_starts(buf_slice(&mermaid), S("flowchart TD\n")));
        for (int i = 0; i < STEP_N; i++)
            assert_int_equal(count_of(buf_slice(&mermaid), tree_words((enum step)i, (enum lang)l)), 1);
        buf_done(&svg);
        buf_done(&mermaid);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_ends_at_the_fault),
        cmocka_unit_test(the_path_goes_through_when_all_works),
        cmocka_unit_test(without_a_password_it_ends_before_the_sign_in),
        cmocka_unit_test(what_was_not_tried_ends_it),
        cmocka_unit_test(an_unusual_cause_gets_a_leaf),
        cmocka_unit_test(every_cause_has_a_leaf),
        cmocka_unit_test(drawn_in_both_languages),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}

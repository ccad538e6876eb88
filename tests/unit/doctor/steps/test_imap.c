#include "visited.h"

#include "base/encode.h"

#define D (&dialogue_imap)
/* A row that says and waits for nothing. */
#define SAYS(text)                                                                                           \
    {                                                                                                        \
        NULL, text                                                                                           \
    }

static void start(struct visited *w, const struct script_row *rows, size_t count)
{
    visited_init(w, SERVICE_IMAP, rows, count);
}

static void assert_heard(const struct visited *w, const char *expected)
{
    assert_false(w->script.strayed);
    if (!slice_eq(visited_heard(w), slice_str(expected)))
        fail_msg("heard \"%.*s\"", SLICE_ARG(visited_heard(w)));
}

static const struct offer plain_offer = {.asked = true, .login = true, .sasl_ir = true, .auth = true};

/* ------------------------------------------------------------------------------------------- greeting and offer */

static void greetings(void **state)
{
    static const struct {
        const char *says;
        enum err e;
        int kind;
        const char *text;
    } cases[] = {
        {"* OK IMAP4rev2 Service Ready\r\n", OK, REPLY_YES, "* OK IMAP4rev2 Service Ready"},
        {"* PREAUTH IMAP4rev2 server logged in as Smith\r\n", OK, REPLY_YES,
         "* PREAUTH IMAP4rev2 server logged in as Smith"},
        {"* BYE [UNAVAILABLE] overloaded\r\n", OK, REPLY_NO, "* BYE [UNAVAILABLE] overloaded"},
        {"* NO go away\r\n", OK, REPLY_NO, "* NO go away"},
        {"* ok\n", OK, REPLY_YES, "* ok"},
        {"a1 OK a tag\r\n", ERR_SYNTAX, 0, "a1 OK a tag"},
        {"+ hello\r\n", ERR_SYNTAX, 0, "+ hello"},
        {"* CAPABILITY IMAP4rev1\r\n", ERR_SYNTAX, 0, "* CAPABILITY IMAP4rev1"},
        {"+OK POP3\r\n", ERR_SYNTAX, 0, "+OK POP3"},
        {"220 smtp ESMTP\r\n", ERR_SYNTAX, 0, "220 smtp ESMTP"},
        {"\r\n", ERR_SYNTAX, 0, ""},
        {"\x15\x03\x03", ERR_SYNTAX, 0, "\x15\x03\x03"},
        {"* OK never ends", ERR_CLOSED, 0, "* OK never ends"},
        {"", ERR_CLOSED, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 0; step < 2; step++) {
            struct visited w;
            struct script_row rows[] = {SAYS(cases[i].says)};
            struct reply r = {.kind = REPLY_MORE};
            start(&w, ROWS(rows));
            w.script.step = step;
            assert_err(cases[i].e, D->greet(w.talk, &w.arena, &r));
            if (cases[i].e == OK)
                assert_int_equal(r.kind, cases[i].kind);
            assert_true(slice_eq(r.text, slice_str(cases[i].text)));
            assert_heard(&w, "");
            assert_int_equal(talk_bare_lines(w.talk), slice_eq(slice_str(cases[i].says), S("* ok\n")));
            visited_done(&w);
        }
}

static void ask(const char *answer, struct visited *w, struct offer *offer)
{
    struct script_row rows[] = {{"c1 CAPABILITY\r\n", answer}};
    start(w, ROWS(rows));
    assert_ok(D->ask(w->talk, &w->arena, offer));
    assert_heard(w, "c1 CAPABILITY\r\n");
}

static void capabilities(void **state)
{
    struct visited w;
    struct offer o;
    size_t count;
    const struct sasl_mechanism *rows = sasl_mechanisms(&count);
    ask("* CAPABILITY IMAP4rev1 SASL-IR starttls auth=plain AUTH=NTLM AUTH=SCRAM-SHA-256 ID IDLE QUOTA "
        "AUTH=GSSAPI AUTH=NTLM\r\n"
        "c1 OK done\r\n",
        &w, &o);
    assert_true(
        o.asked && o.starttls && o.login && !o.login_disabled && o.auth && o.id && o.idle && o.quota &&
        o.sasl_ir);
    assert_int_equal(
        o.mechanisms, 1 << (sasl_find(S("PLAIN")) - rows) | 1 << (sasl_find(S("SCRAM-SHA-256")) - rows));
    assert_slice("NTLM GSSAPI", o.others);
    assert_true(slice_starts(o.text, S("* CAPABILITY IMAP4rev1 SASL-IR")));
    visited_done(&w);

    ask("c1 OK [CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS] done\r\n", &w, &o);
    assert_true(o.asked && o.login_disabled && !o.login && o.starttls && !o.auth);
    visited_done(&w);

    /* What it says a second time does not count: an answer is one answer. */
    ask("* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nc1 OK\r\n", &w, &o);
    assert_true(o.login_disabled && !o.mechanisms);
    visited_done(&w);

    ask("* NO not now\r\nc1 BAD what?\r\n", &w, &o);
    assert_false(o.asked);
    assert_slice("* NO not now\nc1 BAD what?", o.text);
    visited_done(&w);
}

static void starttls_is_taken_at_its_word(void **state)
{
    static const struct {
        const char *says;
        int kind;
    } cases[] = {{"s1 OK begin\r\n", REPLY_YES}, {"s1 NO not here\r\n", REPLY_NO},
                 {"s1 BAD what\r\n", REPLY_BAD}, {"x9 OK begin\r\n", REPLY_BAD},
                 {"+ OK\r\n", REPLY_BAD},        {"* BYE no\r\n", REPLY_NO},
                 {"220 go\r\n", REPLY_BAD}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        struct reply r;
        struct script_row rows[] = {{"s1 STARTTLS\r\n", cases[i].says}};
        start(&w, ROWS(rows));
        assert_ok(D->start_tls(w.talk, &w.arena, &r));
        assert_int_equal(r.kind, cases[i].kind);
        visited_done(&w);
    }
}

/* --------------------------------------------------------------------------------------------------------- sign-in */

static enum err sign_in(
    struct visited *w, const struct offer *offer, const char *mechanism, struct slice user,
    struct reply *reply, struct slice *why)
{
    struct credentials who = {
        .user = user, .secret = &w->secret, .mechanism = mechanism ? sasl_find(slice_str(mechanism)) : NULL};
    return D->sign_in(w->talk, &w->arena, offer, &who, reply, why);
}

static void login_quotes_what_must_be_quoted(void **state)
{
    struct visited w;
    struct reply r;
    struct slice why;
    struct script_row rows[] = {{"l1 LOGIN", "* CAPABILITY IMAP4rev1\r\nl1 OK in\r\n"}};
    start(&w, ROWS(rows));
    assert_ok(sign_in(&w, &plain_offer, NULL, S("alice@example.org"), &r, &why));
    assert_int_equal(r.kind, REPLY_YES);
    assert_heard(&w, "l1 LOGIN \"alice@example.org\" \"Winter \\\"is\\\\ coming 2026\"\r\n");
    visited_done(&w);
}

static void login_sends_what_cannot_be_quoted_as_literals(void **state)
{
    struct visited w;
    struct reply r;
    struct slice why;
    struct script_row rows[] = {
        {"l1 LOGIN {7}\r\n", "+ go\r\n"}, {"J\xc3\xbcrgen ", "+ go on\r\n"}, {"p\xc3\xa4ss", "l1 OK in\r\n"}};
    start(&w, ROWS(rows));
    struct secret secret = SECRET_NONE;
    assert_ok(secret_copy(w.slab, S("p\xc3\xa4ss"), &secret));
    struct credentials who = {.user = S("J\xc3\xbcrgen"), .secret = &secret};
    assert_ok(D->sign_in(w.talk, &w.arena, &plain_offer, &who, &r, &why));
    assert_int_equal(r.kind, REPLY_YES);
    assert_heard(&w, "l1 LOGIN {7}\r\nJ\xc3\xbcrgen {5}\r\np\xc3\xa4ss\r\n");
    secret_free(&secret);
    visited_done(&w);
}

static void a_refused_literal_ends_the_login(void **state)
{
    struct visited w;
    struct reply r;
    struct slice why;
    struct script_row rows[] = {{"l1 LOGIN {7}\r\n", "l1 NO [LIMIT] no literals\r\n"}};
    start(&w, ROWS(rows));
    assert_ok(sign_in(&w, &plain_offer, NULL, S("J\xc3\xbcrgen"), &r, &why));
    assert_int_equal(r.kind, REPLY_NO);
    assert_heard(&w, "l1 LOGIN {7}\r\n");
    visited_done(&w);
}

/* What the server said before its last word is part of why. */
static void refusals_are_told_with_what_explains_them(void **state)
{
    static const struct {
        const char *says;
        int kind;
        const char *text;
    } cases[] = {
        {"l1 NO [AUTHENTICATIONFAILED] no\r\n", REPLY_NO, "l1 NO [AUTHENTICATIONFAILED] no"},
        {"* NO [WEBALERT https://x] Web login required.\r\n* OK fine\r\n* 1 EXISTS\r\nl1 NO [ALERT] "
         "browser\r\n",
         REPLY_NO, "* NO [WEBALERT https://x] Web login required.\nl1 NO [ALERT] browser"},
        {"* OK [ALERT] read this\r\nl1 BAD no\r\n", REPLY_BAD, "* OK [ALERT] read this\nl1 BAD no"},
        {"* BYE too many\r\n", REPLY_NO, "* BYE too many"},
        {"* BYE too many\r\nl1 NO also\r\n", REPLY_NO, "* BYE too many\nl1 NO also"},
        /* a yes to somebody else, or without being asked, is none */
        {"l2 OK in\r\n", REPLY_BAD, "l2 OK in"},
        {"+ more?\r\n", REPLY_BAD, "+ more?"},
        {"OK in\r\n", REPLY_BAD, "OK in"},
        {"* OK in\r\n* PREAUTH in\r\nl1 NO really\r\n", REPLY_NO, "l1 NO really"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 0; step < 2; step++) {
            struct visited w;
            struct reply r;
            struct slice why;
            struct script_row rows[] = {{"l1 LOGIN", cases[i].says}};
            start(&w, ROWS(rows));
            w.script.step = step;
            assert_ok(sign_in(&w, &plain_offer, NULL, S("a"), &r, &why));
            assert_int_equal(r.kind, cases[i].kind);
            if (!slice_eq(r.text, slice_str(cases[i].text)))
                fail_msg("%.*s", SLICE_ARG(r.text));
            visited_done(&w);
        }
}

static void nothing_is_sent_where_login_is_disabled(void **state)
{
    struct visited w;
    struct reply r;
    struct slice why;
    struct offer disabled = {.asked = true, .login_disabled = true};
    struct script_row rows[] = {{"", "+ {100}\r\n"}};
    start(&w, ROWS(rows));
    assert_err(ERR_UNSUPPORTED, sign_in(&w, &disabled, NULL, S("a"), &r, &why));
    assert_err(ERR_UNSUPPORTED, sign_in(&w, &plain_offer, NULL, slice_of("a\0b", 3), &r, &why));
    assert_err(ERR_UNSUPPORTED, sign_in(&w, &plain_offer, "PLAIN", slice_of("a\0b", 3), &r, &why));
    assert_err(ERR_UNSUPPORTED, sign_in(&w, &plain_offer, "PLAIN", S("\xff"), &r, &why));
    assert_err(ERR_UNSUPPORTED, sign_in(&w, &plain_offer, "SCRAM-SHA-256-PLUS", S("a"), &r, &why));
    assert_heard(&w, "");
    visited_done(&w);
}

/* "\0alice\0SECRET" in base64. */
static void put_plain(struct buf *out)
{
    struct buf octets CLEANUP_BUF = BUF_INIT(200);
    buf_put(&octets, slice_of("\0alice\0", 7));
    buf_put_str(&octets, VISITED_SECRET);
    base64_put(out, buf_slice(&octets));
}

static void plain_goes_with_the_command_where_it_may(void **state)
{
    struct visited w;
    struct reply r;
    struct slice why;
    struct buf expected CLEANUP_BUF = BUF_INIT(400);
    struct script_row at_once[] = {{"a1 AUTHENTICATE PLAIN ", "a1 OK in\r\n"}};
    start(&w, ROWS(at_once));
    assert_ok(sign_in(&w, &plain_offer, "PLAIN", S("alice"), &r, &why));
    assert_int_equal(r.kind, REPLY_YES);
    buf_put_str(&expected, "a1 AUTHENTICATE PLAIN ");
    put_plain(&expected);
    buf_put_str(&expected, "\r\n");
    assert_heard(&w, buf_cstr(&expected));
    visited_done(&w);

    struct offer no_ir = plain_offer;
    no_ir.sasl_ir = false;
    struct script_row later[] = {{"a1 AUTHENTICATE PLAIN\r\n", "+ \r\n"}, {"", "a1 OK in\r\n"}};
    start(&w, ROWS(later));
    assert_ok(sign_in(&w, &no_ir, "PLAIN", S("alice"), &r, &why));
    assert_int_equal(r.kind, REPLY_YES);
    buf_clear(&expected);
    buf_put_str(&expected, "a1 AUTHENTICATE PLAIN\r\n");
    put_plain(&expected);
    buf_put_str(&expected, "\r\n");
    assert_heard(&w, buf_cstr(&expected));
    visited_done(&w);
}

/* A server that goes on asking fishes: it gets a star. */
static void what_a_mechanism_does_not_foresee_is_cancelled(void **state)
{
    static const struct script_row again[] = {
        {"a1 AUTHENTICATE PLAIN ", "+ \r\n"}, {"*\r\n", "a1 BAD cancelled\r\n"}};
    static const struct script_row odd[] = {
        {"a1 AUTHENTICATE LOGIN\r\n", "+ Username:\r\n"}, {"*\r\n", "a1 NO cancelled\r\n"}};
    static const struct script_row third[] = {
        {"a1 AUTHENTICATE LOGIN\r\n", "+ VXNlcm5hbWU6\r\n"},
        {"YQ==\r\n", "+ UGFzc3dvcmQ6\r\n"},
        {"V2ludGVy", "+ QWdhaW46\r\n"},
        {"*\r\n", "a1 BAD cancelled\r\n"}};
    static const struct {
        const struct script_row *rows;
        size_t count;
        const char *mechanism;
    } cases[] = {{ROWS(again), "PLAIN"}, {ROWS(odd), "LOGIN"}, {ROWS(third), "LOGIN"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        struct reply r;
        struct slice why;
        start(&w, cases[i].rows, cases[i].count);
        assert_ok(sign_in(&w, &plain_offer, cases[i].mechanism, S("a"), &r, &why));
        assert_int_equal(r.kind, REPLY_BAD);
        assert_false(w.script.strayed);
        assert_int_equal(w.script.next, w.script.count);
        visited_done(&w);
    }
}

static void a_server_must_prove_itself_where_it_can(void **state)
{
    /* Yes at once; yes after a nonce that is not ours; a challenge without any sense. */
    static const struct script_row at_once[] = {{"a1 AUTHENTICATE SCRAM-SHA-256 ", "a1 OK in\r\n"}};
    static const struct script_row not_ours[] = {
        {"a1 AUTHENTICATE SCRAM-SHA-256 ", "+ cj1mb29iYXIscz1jMkZzZEE9PSxpPTQwOTY=\r\n"},
        {"*\r\n", "a1 OK in\r\n"}};
    static const struct {
        const struct script_row *rows;
        size_t count;
    } cases[] = {{ROWS(at_once)}, {ROWS(not_ours)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        struct reply r;
        struct slice why;
        start(&w, cases[i].rows, cases[i].count);
        assert_err(ERR_DENIED, sign_in(&w, &plain_offer, "SCRAM-SHA-256", S("a"), &r, &why));
        assert_true(slice_starts(r.text, S("a1 OK")));
        assert_false(w.script.strayed);
        visited_done(&w);
    }
}

static void the_mechanisms_own_reason_is_told(void **state)
{
    struct visited w;
    struct reply r;
    struct slice why = SLICE_EMPTY;
    struct script_row scram[] = {
        {"a1 AUTHENTICATE SCRAM-SHA-256 ", "+ ZT11bmtub3duLXVzZXI=\r\n"}, {"*\r\n", "a1 NO no\r\n"}};
    start(&w, ROWS(scram));
    assert_ok(sign_in(&w, &plain_offer, "SCRAM-SHA-256", S("a"), &r, &why));
    assert_slice("unknown-user", why);
    assert_int_equal(r.kind, REPLY_NO);
    visited_done(&w);

    struct script_row bearer[] = {
        {"a1 AUTHENTICATE XOAUTH2 ", "+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"}, {"\r\n", "a1 NO refused\r\n"}};
    start(&w, ROWS(bearer));
    secret_free(&w.secret);
    assert_ok(secret_copy(w.slab, S("ya29.token"), &w.secret));
    assert_ok(sign_in(&w, &plain_offer, "XOAUTH2", S("a@b"), &r, &why));
    assert_int_equal(r.kind, REPLY_NO);
    assert_slice("{\"status\":\"400\"}", why);
    visited_done(&w);
}

static void no_octet_of_the_secret_stays_in_memory(void **state)
{
    visited_skip_without_heap();
    static const char *const mechanisms[] = {NULL, "PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"};
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
        struct visited w;
        struct reply r;
        struct slice why;
        struct script_row rows[] = {
            {"", "+ VXNlcm5hbWU6\r\n"},
            {"", "+ UGFzc3dvcmQ6\r\n"},
            {"", "a1 NO no\r\n"},
            {"", "a1 NO no\r\n"}};
        start(&w, ROWS(rows));
        w.script.deaf = true;
        enum err e = sign_in(&w, &plain_offer, mechanisms[i], S("alice"), &r, &why);
        assert_true(e == OK || e == ERR_DENIED);
        assert_false(visited_heap_has_secret());
        visited_done(&w);
    }
}

/* ---------------------------------------------------------------------------------------------------- after sign-in */

static void use(struct visited *w, const struct script_row *rows, size_t count)
{
    start(w, rows, count);
    D->use(&w->visit, w->talk, &plain_offer);
    assert_true(visited_is_discreet(w));
}

static void a_healthy_mailbox_is_used_to_the_end(void **state)
{
    struct visited w;
    struct script_row rows[] = {
        {"c1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 ID IDLE QUOTA\r\nc1 OK\r\n"},
        {"o1 SELECT INBOX\r\n",
         "* FLAGS (\\Seen)\r\n* 172 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\no1 OK [READ-WRITE] open\r\n"},
        {"i1 ID (\"name\" \"Letterlock doctor\")\r\n", "* ID (\"name\" \"x\")\r\ni1 OK\r\n"},
        {"f1 FETCH 172 (FLAGS RFC822.SIZE)\r\n", "* 172 FETCH (FLAGS () RFC822.SIZE 44827)\r\nf1 OK\r\n"},
        {"q1 GETQUOTAROOT INBOX\r\n",
         "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 2048 1048576)\r\nq1 OK\r\n"},
        {"w1 IDLE\r\n", "+ idling\r\n"},
        {"DONE\r\n", "* 173 EXISTS\r\nw1 OK\r\n"}};
    use(&w, ROWS(rows));
    assert_false(w.script.strayed);
    assert_int_equal(w.script.next, w.script.count);
    assert_true(w.visit.server->standing.works);
    assert_true(visited_has_fact(&w, FACT_INBOX, S("172")));
    assert_true(visited_has_fact(&w, FACT_QUOTA, S("2.0")));
    assert_int_equal(visited_diagnosis(&w, 0).n, 0);
    visited_done(&w);
}

#define CAPABLE(words)                                                                                       \
    {                                                                                                        \
        "c1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 " words "\r\nc1 OK\r\n"                                 \
    }
#define OPENS                                                                                                \
    {                                                                                                        \
        "o1 SELECT INBOX\r\n", "* 0 EXISTS\r\no1 OK [READ-WRITE] open\r\n"                                   \
    }

static void what_is_wrong_after_the_sign_in_is_noted(void **state)
{
    static const struct {
        struct script_row rows[6];
        size_t count;
        bool works;
        const char *first, *second; /* diagnoses; NULL: none */
    } cases[] = {
        {{CAPABLE("IDLE"), {"o1 SELECT", "o1 NO [NONEXISTENT] no such mailbox\r\n"}},
         2,
         false,
         "after-inbox-missing",
         NULL},
        {{CAPABLE("IDLE"), {"o1 SELECT", "o1 NO I would rather not\r\n"}},
         2,
         false,
         "after-inbox-refused",
         NULL},
        {{CAPABLE("ID"),
          {"o1 SELECT", "o1 NO SELECT Unsafe Login. Please contact kefu@188.com for help\r\n"},
          {"i1 ID", "i1 OK\r\n"},
          {"o2 SELECT", "* 0 EXISTS\r\no2 OK\r\n"}},
         4,
         true,
         "after-id-required",
         "after-no-idle"},
        {{CAPABLE("ID"),
          {"o1 SELECT", "o1 NO I would rather not\r\n"},
          {"i1 ID", "i1 OK\r\n"},
          {"o2 SELECT", "o2 NO really\r\n"}},
         4,
         false,
         "after-inbox-refused",
         NULL},
        {{CAPABLE(""), {"o1 SELECT", "* 0 EXISTS\r\no1 OK [READ-ONLY] look, don't touch\r\n"}},
         2,
         true,
         "after-inbox-read-only",
         "after-no-idle"},
        {{CAPABLE("IDLE"), OPENS, {"w1 IDLE", "w1 BAD no\r\n"}}, 3, true, "after-idle-refused", NULL},
        {{CAPABLE("IDLE"),
          {"o1 SELECT", "* 3 EXISTS\r\no1 OK\r\n"},
          {"f1 FETCH 3 ", "f1 OK nothing\r\n"},
          {"w1 IDLE", "+ \r\n"},
          {"DONE", "w1 OK\r\n"}},
         5,
         false,
         "after-fetch-refused",
         NULL},
        {{CAPABLE("IDLE QUOTA"),
          OPENS,
          {"q1 GETQUOTAROOT", "* QUOTA x (STORAGE 512 512)\r\nq1 OK\r\n"},
          {"w1 IDLE", "+ \r\n"},
          {"DONE", "w1 OK\r\n"}},
         5,
         true,
         "after-quota-full",
         NULL},
        {{CAPABLE("IDLE QUOTA"),
          OPENS,
          {"q1 GETQUOTAROOT", "* QUOTA x (STORAGE 470 512)\r\nq1 OK\r\n"},
          {"w1 IDLE", "+ \r\n"},
          {"DONE", "w1 OK\r\n"}},
         5,
         true,
         "after-quota-nearly-full",
         NULL},
        {{CAPABLE("IDLE QUOTA"),
          OPENS,
          {"q1 GETQUOTAROOT", "q1 NO not for you\r\n"},
          {"w1 IDLE", "+ \r\n"},
          {"DONE", "w1 OK\r\n"}},
         5,
         true,
         NULL,
         NULL},
        {{CAPABLE("IDLE")}, 1, false, "after-closed", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        use(&w, cases[i].rows, cases[i].count);
        if (!slice_eq(visited_diagnosis(&w, 0), slice_str(cases[i].first)) ||
            !slice_eq(visited_diagnosis(&w, 1), slice_str(cases[i].second)))
            fail_msg(
                "%zu: %.*s, %.*s", i, SLICE_ARG(visited_diagnosis(&w, 0)),
                SLICE_ARG(visited_diagnosis(&w, 1)));
        assert_false(w.script.strayed);
        assert_int_equal(w.script.next, w.script.count);
        assert_int_equal(w.visit.server->standing.works, cases[i].works);
        visited_done(&w);
    }
}

static void what_a_server_repeats_is_not_repeated(void **state)
{
    struct visited w;
    struct buf says CLEANUP_BUF = BUF_INIT(1000);
    buf_put_str(&says, "o1 NO I know that " VISITED_SECRET " and ");
    put_plain(&says);
    buf_put_str(&says, "\r\n");
    struct script_row rows[] = {CAPABLE("IDLE"), {"o1 SELECT", buf_cstr(&says)}};
    use(&w, ROWS(rows));
    assert_slice("after-inbox-refused", visited_diagnosis(&w, 0));
    assert_true(slice_search(w.visit.notes->rows[0].proof, S("[...] and [...]")) != SLICE_NPOS);
    visited_done(&w);
}

/* ------------------------------------------------------------------------------------------ T-107: hostile servers */

static void flood(struct buf *says, const char *front, const char *piece, size_t n)
{
    buf_put_str(says, front);
    while (says->n < n && !says->failed)
        buf_put_str(says, piece);
}

/* Each is answered within the limits, and no secret is sent to any of them. */
static void hostile_servers_gain_nothing(void **state)
{
    static const struct {
        const char *front, *piece;
        size_t octets;
        bool greets; /* the greeting is taken, the question fails */
        enum err e;
    } cases[] = {
        {"* OK ", "endless banner ", 4000000, false, ERR_LIMIT},
        {"", "* OK again\r\n", 4000000, true, ERR_LIMIT},
        {"* OK hi\r\n* CAPABILITY", " WORD", 4000000, true, ERR_LIMIT},
        {"* OK hi\r\n", "* CAPABILITY AUTH=PLAIN\r\n", 4000000, true, ERR_LIMIT},
        {"* OK hi\r\n* LIST () \"/\" {1099511627776}\r\n", "x", 100000, true, ERR_LIMIT},
        {"* OK hi\r\n* X {200000}\r\n", "x", 100000, true, ERR_CLOSED},
        {"* OK hi\r\n", "* X {1000}\r\n", 4000000, true, ERR_LIMIT},
        {"* OK hi {4294967296}\r\n", "* OK x\r\n", 4000000, true, ERR_LIMIT},
        {"* OK hi\r\n* OK [ALERT] \x1b[2J<script>alert(1)</script>\r\n", "* NO \x1b]0;x\x07\r\n", 4000000,
         true, ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct visited w;
        struct reply r;
        struct offer o;
        start(&w, NULL, 0);
        flood(&w.script.says, cases[i].front, cases[i].piece, cases[i].octets);
        enum err e = D->greet(w.talk, &w.arena, &r);
        assert_int_equal(e == OK, cases[i].greets);
        if (e == OK)
            e = D->ask(w.talk, &w.arena, &o);
        if (e != cases[i].e)
            fail_msg("%zu: %s", i, err_text(e));
        assert_true(w.script.said <= LIMIT_DOCTOR_TALK + 8192);
        assert_true(w.arena.used <= LIMIT_IMAP_RESPONSE + 65536);
        assert_true(slice_search(visited_heard(&w), S("LOGIN")) == SLICE_NPOS);
        visited_done(&w);
    }
    report_threat("T-107", sizeof cases / sizeof *cases);
}

/* Mechanisms without number are counted up to a few. */
static void names_of_mechanisms_are_bounded(void **state)
{
    struct visited w;
    struct offer o;
    struct buf says CLEANUP_BUF = BUF_INIT(300000);
    buf_put_str(&says, "* CAPABILITY");
    for (int i = 0; i < 10000; i++)
        buf_printf(&says, " AUTH=MECHANISM-%d", i);
    buf_put_str(&says, "\r\nc1 OK\r\n");
    ask(buf_cstr(&says), &w, &o);
    assert_true(o.others.n < 4096);
    visited_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_octet_of_the_secret_stays_in_memory),
        cmocka_unit_test(greetings),
        cmocka_unit_test(capabilities),
        cmocka_unit_test(starttls_is_taken_at_its_word),
        cmocka_unit_test(login_quotes_what_must_be_quoted),
        cmocka_unit_test(login_sends_what_cannot_be_quoted_as_literals),
        cmocka_unit_test(a_refused_literal_ends_the_login),
        cmocka_unit_test(refusals_are_told_with_what_explains_them),
        cmocka_unit_test(nothing_is_sent_where_login_is_disabled),
        cmocka_unit_test(plain_goes_with_the_command_where_it_may),
        cmocka_unit_test(what_a_mechanism_does_not_foresee_is_cancelled),
        cmocka_unit_test(a_server_must_prove_itself_where_it_can),
        cmocka_unit_test(the_mechanisms_own_reason_is_told),
        cmocka_unit_test(a_healthy_mailbox_is_used_to_the_end),
        cmocka_unit_test(what_is_wrong_after_the_sign_in_is_noted),
        cmocka_unit_test(what_a_server_repeats_is_not_repeated),
        cmocka_unit_test(hostile_servers_gain_nothing),
        cmocka_unit_test(names_of_mechanisms_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* IMAP commands before sign-in: byte-exact, and those that are too long, too many, wrong or not IMAP at all. */
#include "imap/front/doors.h"

static void test_simple_commands(void **state)
{
    struct client *c = imaps(*state);
    client_send(c, "a1 CAPABILITY\r\n");
    client_expect(
        c, "* CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN\r\n"
           "a1 OK CAPABILITY completed\r\n");
    client_send(c, "a2 noop\r\na3 NOOP\r\n");
    client_expect(c, "a2 OK NOOP completed\r\na3 OK NOOP completed\r\n");
    client_send_slowly(c, "a4 ID (\"name\" \"Mail\x1b\" \"version\" \"9\" \"os\" NIL)\r\n");
    client_expect(c, "* ID (\"name\" \"Letterlock\")\r\na4 OK ID completed\r\n");
    client_send(c, "a5 LOGOUT\r\nx NOOP\r\n");
    client_expect_start(c, "* BYE goodbye\r\na5 OK LOGOUT completed\r\n");
    client_expect_end(c);
    client_free(c);
}

/* T-011, the second half: a browser hears one fixed line. */
static void test_t011_http_request(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "POST / HTTP/1.1\r\nHost: x\r\n\r\n<script>alert(1)</script>",
        "GET /<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\n\r\n",
        "PUT /x HTTP/1.0\r\n\r\na LOGIN alice secret\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct client *c = imaps(w);
        client_send(c, lines[i]);
        client_expect(c, "* BYE this is a mail server\r\n");
        client_expect_end(c);
        client_free(c);
    }
    assert_int_equal(w->starts, 0);
    report_threat("T-011", sizeof lines / sizeof *lines);
}

/* T-152 */
static void test_t152_literals_before_signin(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *line;
        bool too_big, closes;
    } rows[] = {
        {"a LOGIN {2147483647}\r\n", true, false},
        {"a LOGIN {1025}\r\n", true, false},
        {"a LOGIN {4294967296+}\r\n", true, true},
        {"a LOGIN {1025+}\r\n", true, true},
        {"a LOGIN {18446744073709551616}\r\n", true, false},
        {"a LOGIN {99999999999999999999999+}\r\n", true, true},
        {"a LOGIN {-1}\r\n", false, false},
        {"a LOGIN {5\r\n", false, false},
        {"a LOGIN {5}x\r\n", false, false},
        {"a LOGIN {+}\r\n", false, true},
        {"a LOGIN {}\r\n", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client *c = imaps(w);
        client_send(c, rows[i].line);
        client_read(c);
        struct slice got = buf_slice(&c->got);
        if (!slice_starts(got, rows[i].too_big ? S("a BAD [TOOBIG]") : S("a BAD ")))
            fail_msg("%s: %.*s", rows[i].line, SLICE_ARG(got));
        assert_true(slice_search(got, S("+ ")) == SLICE_NPOS);
        if (c->ended != rows[i].closes || (slice_search(got, S("* BYE")) != SLICE_NPOS) != rows[i].closes)
            fail_msg("%s: %.*s", rows[i].line, SLICE_ARG(got));
        client_free(c);
    }
    /* announced, and not sent: nothing is held for it */
    struct client *c = imaps(w);
    client_send(c, "a LOGIN {1024}\r\n");
    client_expect(c, "+ go on\r\n");
    world_pass(w, LIMIT_PREAUTH_TIME + 1000);
    client_expect(c, "* BYE too long without a sign-in\r\n");
    client_expect_end(c);
    client_free(c);
    assert_int_equal(w->starts, 0);
    report_threat("T-152", sizeof rows / sizeof *rows + 1);
}

/* T-153: octets of a refused literal never act. */
static void test_t153_continuations(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "a LOGIN {3000+}\r\nb LOGOUT\r\nc LOGIN alice secret\r\n",
        "a LOGIN {999999999}\r\nx LOGIN alice secret\r\n",
        "a APPEND INBOX {999999999}\r\nx LOGIN alice secret\r\n",
        "a APPEND INBOX {300+}\r\nx LOGIN alice secret\r\n",
        "a APPEND INBOX {3+}\r\nx LOGIN alice secret\r\n",
        "a APPEND INBOX ~{30+}\r\nx LOGIN alice secret\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct client *c = imaps(w);
        client_send(c, lines[i]);
        client_read(c);
        assert_true(c->ended);
        assert_true(slice_search(buf_slice(&c->got), S("x OK")) == SLICE_NPOS);
        assert_true(slice_search(buf_slice(&c->got), S("BYE")) != SLICE_NPOS);
        client_free(c);
    }
    assert_int_equal(w->starts, 0);
    /* one "+" for each literal; the last octet of one may be CR */
    struct client *c = imaps(w);
    client_send_slowly(c, "a LOGIN {5}\r\n");
    client_expect(c, "+ go on\r\n");
    client_send_slowly(c, "alic\r");
    client_expect(c, "");
    client_send_slowly(c, " {1}\r\n");
    client_expect(c, "+ go on\r\n");
    client_send(c, "x\r\n");
    client_expect_start(c, "a NO [AUTHENTICATIONFAILED]");
    /* two lines in one segment as answer to a challenge: the second is a command of its own */
    client_send(c, "b AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "AGFsaWNlAHdyb25n\r\nc NOOP\r\n");
    client_expect(c, "b NO [AUTHENTICATIONFAILED] wrong name or password\r\nc OK NOOP completed\r\n");
    client_free(c);
    report_threat("T-153", sizeof lines / sizeof *lines + 3);
}

/* T-155 before sign-in: brackets cost nothing, and an unfinished line ends by the clock. */
static void test_t155_brackets(void **state)
{
    struct world *w = *state;
    static const char brackets[] = "()[]{}<>";
    char line[4100];
    int cases = 0;
    for (size_t b = 0; b < sizeof brackets - 1; b++) {
        static const char *const heads[] = {"a NOOP ", "a ID ", "a LOGIN ", "a SEARCH "};
        for (size_t h = 0; h < sizeof heads / sizeof *heads; h++, cases++) {
            size_t n = strlen(heads[h]);
            memcpy(line, heads[h], n);
            memset(line + n, brackets[b], 4000);
            memcpy(line + n + 4000, "\r\n", 3);
            struct client *c = imaps(w);
            client_send(c, line);
            client_expect_start(c, "a BAD ");
            client_free(c);
        }
    }
    struct client *c = imaps(w);
    client_send(c, "a NOOP ((((((((((((");
    world_pass(w, LIMIT_PREAUTH_TIME - 5000);
    client_send(c, "((((");
    client_expect(c, "");
    world_pass(w, 6000);
    client_expect(c, "* BYE too long without a sign-in\r\n");
    client_free(c);
    report_threat("T-155", cases + 1);
}

/* T-158: every command in the state before sign-in, in the clear and under TLS. */
static void test_t158_commands_in_the_wrong_state(void **state)
{
    struct world *w = *state;
    static const char *const later[] = {
        "SELECT INBOX",
        "EXAMINE INBOX",
        "CREATE x",
        "DELETE x",
        "RENAME x y",
        "SUBSCRIBE x",
        "UNSUBSCRIBE x",
        "LIST \"\" *",
        "LSUB \"\" *",
        "STATUS INBOX (MESSAGES)",
        "NAMESPACE",
        "ENABLE CONDSTORE",
        "IDLE",
        "CHECK",
        "CLOSE",
        "UNSELECT",
        "EXPUNGE",
        "SEARCH ALL",
        "FETCH 1 FLAGS",
        "STORE 1 FLAGS ()",
        "COPY 1 x",
        "MOVE 1 x",
        "UID FETCH 1 FLAGS",
        "UID STORE 1 FLAGS ()",
        "UID COPY 1 x",
        "UID MOVE 1 x",
        "UID SEARCH ALL",
        "UID EXPUNGE 1",
        "FROBNICATE",
        "X",
        "select",
        "UID",
        "UID NOOP",
        "DONE",
    };
    int cases = 0;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        for (int tls = 0; tls < 2; tls++, cases++) {
            struct client *c = tls ? imaps(w) : imap(w);
            char line[100];
            snprintf(line, sizeof line, "t%zu %s\r\n", i, later[i]);
            client_send(c, line);
            snprintf(line, sizeof line, "t%zu BAD ", i);
            client_expect_start(c, line);
            client_free(c);
        }
    }
    assert_int_equal(w->starts + w->attaches, 0);
    report_threat("T-158", cases);
}

static void test_too_many_errors(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    for (int i = 0; i < LIMIT_IMAP_BAD - 1; i++) {
        client_send(c, "a FOO\r\n");
        client_expect_start(c, "a BAD ");
    }
    client_send(c, "a FOO\r\nb NOOP\r\n");
    client_read(c);
    assert_true(slice_ends(buf_slice(&c->got), S("* BYE too many errors\r\n")));
    assert_true(c->ended);
    client_free(c);
    /* lines without end, without tags, with NUL */
    static const struct slice lines[] = {
        {"\r\n", 2},        {"a\r\n", 3},          {"a NOOP\n", 7},
        {"a \0OOP\r\n", 8}, {"\xff\xfe x\r\n", 6}, {" a NOOP\r\n", 9},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        c = imaps(w);
        client_send_octets(c, lines[i]);
        client_read(c);
        assert_true(slice_search(buf_slice(&c->got), S(" BAD ")) != SLICE_NPOS);
        client_free(c);
    }
    char *endless = mem_alloc(200001);
    memset(endless, 'a', 200000);
    c = imaps(w);
    client_send(c, endless);
    client_read(c);
    client_send(c, endless);
    client_read(c);
    assert_true(c->ended);
    client_free(c);
    free(endless);
}

/* Replies that nobody reads are not made (T-037 for IMAP). */
static void test_pipelined_commands_wait_for_the_reader(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    enum { N = 3000 };
    char *lines = mem_alloc(N * 20);
    size_t n = 0;
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(lines + n, "a%04d CAPABILITY\r\n", i);
    size_t sent = 0;
    while (sent < n) {
        int put = SSL_write(c->t.ssl, lines + sent, (int)(n - sent < 1000 ? n - sent : 1000));
        if (put <= 0)
            break;
        sent += (size_t)put;
        world_turns(w, 1);
    }
    assert_int_equal(w->gate.count, 1);
    while (sent < n ||
           slice_search(slice_from(buf_slice(&c->got), c->got.n > 60 ? c->got.n - 60 : 0), S("a2999 OK")) ==
               SLICE_NPOS) {
        client_read(c);
        assert_false(c->ended);
        int put = sent < n ? SSL_write(c->t.ssl, lines + sent, (int)(n - sent < 1000 ? n - sent : 1000)) : 0;
        sent += put > 0 ? (size_t)put : 0;
    }
    free(lines);
    client_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAP_TEST(test_simple_commands),
        IMAP_TEST(test_t011_http_request),
        IMAP_TEST(test_t152_literals_before_signin),
        IMAP_TEST(test_t153_continuations),
        IMAP_TEST(test_t155_brackets),
        IMAP_TEST(test_t158_commands_in_the_wrong_state),
        IMAP_TEST(test_too_many_errors),
        IMAP_TEST(test_pipelined_commands_wait_for_the_reader),
    };
    return cmocka_run_group_tests(tests, world_libraries, NULL);
}

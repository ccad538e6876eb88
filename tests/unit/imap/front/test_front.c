/* IMAP before sign-in: byte-exact dialogues against a scripted vault and keeper. */
#include "gate_world.h"

#include "imap/front/front.h"

#define CAPS_TLS                                                                                             \
    "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN] mx.test is ready\r\n"
#define CAPS_CLEAR                                                                                           \
    "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE STARTTLS LOGINDISABLED] mx.test is "         \
    "ready\r\n"
#define PEER "192.0.2.1"

static int setup(void **state)
{
    *state = world_new(GATE_IMAP, &imap_front);
    return 0;
}

static int teardown(void **state)
{
    world_free(*state);
    return 0;
}

static struct client *imaps(struct world *w)
{
    struct client *c = client_open(w, DOOR_IMAPS, PEER);
    client_expect(c, CAPS_TLS);
    return c;
}

static struct client *imap(struct world *w)
{
    struct client *c = client_open(w, DOOR_IMAP, PEER);
    client_expect(c, CAPS_CLEAR);
    return c;
}

static void expect_handed_over(struct client *c, const char *hello)
{
    client_expect(c, hello);
    assert_int_equal(c->w->attaches, 1);
    assert_int_equal(c->w->slot_asked, 77);
    assert_slice("0123456789abcdef0123456789abcdef", c->w->ticket_seen);
    char out[100];
    client_send(c, "b SELECT INBOX\r\n");
    assert_slice("b SELECT INBOX\r\n", world_keeper_read(c->w, out, sizeof out));
    assert_int_equal(write(c->w->keeper_fd, "b OK\r\n", 6), 6);
    client_expect(c, "b OK\r\n");
}

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

static void test_login(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    client_send(c, "a ID (\"name\" \"Mail\" \"version\" \"9\")\r\n");
    client_expect_start(c, "* ID");
    client_send(c, "a1 LOGIN alice secret\r\n");
    expect_handed_over(c, "a1 OK from the keeper\r\n");
    assert_string_equal(w->mechanism, "PLAIN");
    assert_int_equal(w->initial.n, 13);
    assert_memory_equal(w->initial.p, "\0alice\0secret", 13);
    assert_string_equal(w->program, "Mail 9");
    assert_int_equal(w->service, SERVICE_IMAP);
    assert_true(w->has_exporter && w->has_end_point);
    assert_true(slice_starts(slice_str(w->tls), S("TLSv1.3 TLS_")));
    assert_true(strlen(strrchr(w->tls, ' ') + 1) == 16); /* and what its hello says of the program */
    char ip[IP_TEXT_MAX];
    assert_string_equal(ip_text(&w->client, ip), PEER);
    assert_int_equal(gate_signed_in(&w->gate), 1);
    client_free(c);
    assert_int_equal(gate_signed_in(&w->gate), 0);
    assert_true(world_log_has(w, "signin.ok"));
    assert_true(world_log_has(w, "alice@ours.test"));
    assert_false(world_log_has(w, "secret"));
}

/* Quoted, as literals of both kinds, octet by octet; pipelined commands go to the keeper. */
static void test_login_in_all_spellings(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "a1 LOGIN alice secret\r\n",
        "a1 login \"alice\" \"secret\"\r\n",
        "a1 LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n",
        "a1 LOGIN \"al\\ice\" secret\r\n",
        "a1 LOGIN alice secret\r\nb SELECT INBOX\r\n",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        for (int slowly = 0; slowly < 2; slowly++) {
            struct world *w = world_new(GATE_IMAP, &imap_front);
            struct client *c = imaps(w);
            (slowly ? client_send_slowly : client_send)(c, spellings[i]);
            if (i == 3) { /* RFC 3501: only " and \ may be escaped */
                client_expect_start(c, "a1 BAD ");
                assert_int_equal(w->starts, 0);
            } else {
                client_expect(c, "a1 OK from the keeper\r\n");
            }
            if (i == 4) {
                char out[100];
                assert_slice("b SELECT INBOX\r\n", world_keeper_read(w, out, sizeof out));
            }
            client_free(c);
            world_free(w);
        }
    }
}

static void test_login_with_synchronising_literals(void **state)
{
    struct client *c = imaps(*state);
    client_send(c, "a1 LOGIN {5}\r\n");
    client_expect(c, "+ go on\r\n");
    client_send(c, "alice {6}\r\n");
    client_expect(c, "+ go on\r\n");
    client_send(c, "secret\r\n");
    expect_handed_over(c, "a1 OK from the keeper\r\n");
    client_free(c);
}

static void test_authenticate(void **state)
{
    (void)state;
    static const struct {
        const char *lines[7]; /* sent and expected by turns */
    } rows[] = {
        {{"a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n"}},
        {{"a AUTHENTICATE plain\r\n", "+ \r\n", "AGFsaWNlAHNlY3JldA==\r\n"}},
        {{"a AUTHENTICATE LOGIN\r\n", "+ VXNlcm5hbWU6\r\n", "YWxpY2U=\r\n", "+ UGFzc3dvcmQ6\r\n",
          "c2VjcmV0\r\n"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new(GATE_IMAP, &imap_front);
        struct client *c = imaps(w);
        for (int at = 0; rows[i].lines[at]; at++) {
            if (at % 2)
                client_expect(c, rows[i].lines[at]);
            else
                client_send(c, rows[i].lines[at]);
        }
        expect_handed_over(c, "a OK from the keeper\r\n");
        client_free(c);
        world_free(w);
    }
}

static void test_failed_signins(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    client_send(c, "a1 LOGIN alice wrong\r\n");
    client_expect(c, "a1 NO [AUTHENTICATIONFAILED] wrong name or password\r\n");
    client_send(c, "a2 LOGIN \"\" \"\"\r\n");
    client_expect(c, "a2 NO [AUTHENTICATIONFAILED] wrong name or password\r\n");
    assert_int_equal(w->starts, 1);
    client_send(c, "a3 AUTHENTICATE CRAM-MD5\r\n");
    client_expect(c, "a3 NO [CANNOT] this way to sign in is not offered\r\n");
    client_send(c, "a4 AUTHENTICATE PLAIN =\r\n");
    client_expect(c, "a4 BAD the sign-in was cancelled or not understood\r\n");
    client_send(c, "a5 AUTHENTICATE PLAIN !!!!\r\n");
    client_expect_start(c, "a5 BAD ");
    client_send(c, "a6 AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "*\r\n");
    client_expect(c, "a6 BAD the sign-in was cancelled or not understood\r\n");
    assert_int_equal(w->cancels, 1);
    client_send(c, "a7 AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "not base64\r\n");
    client_expect(c, "a7 BAD the sign-in was cancelled or not understood\r\n");
    w->vault_mode = VAULT_SAYS_LATER;
    client_send(c, "a8 LOGIN alice secret\r\n");
    client_expect(c, "a8 NO [UNAVAILABLE] signing in is not possible now, try again later\r\n");
    w->vault_mode = VAULT_JUDGES;
    client_send(c, "a9 LOGIN alice Secret\r\n");
    client_expect(c, "a9 NO [AUTHENTICATIONFAILED] wrong name or password\r\n");
    client_send(
        c, "b0 LOGIN alice secreT\r\nb1 LOGIN alice secret\r\n"); /* the third wrong one is the last */
    client_expect(
        c, "b0 NO [AUTHENTICATIONFAILED] wrong name or password\r\n* BYE too many failed sign-ins\r\n");
    client_expect_end(c);
    assert_int_equal(w->attaches, 0);
    client_free(c);
}

static void test_vault_is_away(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    gate_vault_down(&w->gate);
    client_send(c, "a1 LOGIN alice secret\r\n");
    client_expect_start(c, "a1 NO [UNAVAILABLE]");
    gate_vault_up(&w->gate, w->gate_vault);
    w->vault_mode = VAULT_IS_SILENT;
    client_send(c, "a2 LOGIN alice secret\r\na3 NOOP\r\n");
    client_expect(c, ""); /* nothing overtakes the answer */
    world_pass(w, LIMIT_IPC_DEADLINE + 1000);
    client_expect(
        c, "a2 NO [UNAVAILABLE] signing in is not possible now, try again later\r\na3 OK NOOP completed\r\n");
    client_send(c, "a4 AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    gate_vault_down(&w->gate); /* between two steps */
    client_send(c, "AGFsaWNlAHNlY3JldA==\r\n");
    client_expect_start(c, "a4 NO [UNAVAILABLE]");
    client_free(c);
}

static void test_keeper_refuses(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    static const struct {
        enum ipc_attach_outcome outcome;
        const char *reply;
    } rows[] = {
        {ATTACH_OUTCOME_NO, "a NO [UNAVAILABLE] the sign-in came too late, try again\r\n"},
        {ATTACH_OUTCOME_LATER, "a NO [UNAVAILABLE] the mailbox cannot be opened now, try again later\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        w->attach_outcome = rows[i].outcome;
        client_send(c, "a LOGIN alice secret\r\n");
        client_expect(c, rows[i].reply);
    }
    w->keeper_is_away = true;
    client_send(c, "a LOGIN alice secret\r\n");
    client_expect(c, rows[1].reply);
    w->keeper_is_away = false;
    w->keeper_is_silent = true;
    client_send(c, "a LOGIN alice secret\r\n");
    client_expect(c, "");
    world_pass(w, LIMIT_IPC_DEADLINE + 1000);
    client_expect(c, rows[1].reply);
    w->keeper_is_silent = false;
    w->attach_outcome = ATTACH_OUTCOME_OK;
    client_send(c, "z LOGIN alice secret\r\n");
    client_expect(c, "z OK from the keeper\r\n");
    client_free(c);
}

/* The client goes away at every point of a sign-in: nothing is left, and the others are told. */
static void test_client_goes_away_in_between(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    client_send(c, "a AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_free(c);
    assert_int_equal(w->cancels, 1);
    c = imaps(w);
    w->vault_mode = VAULT_IS_SILENT;
    client_send(c, "a LOGIN alice secret\r\n");
    world_turns(w, 4);
    /* the paused stream is not read: its end shows when the answer is sent */
    world_answer(w, w->silent_request, SIGNIN_OUTCOME_NO, "");
    client_free(c);
    w->vault_mode = VAULT_JUDGES;
    w->keeper_is_silent = true;
    c = imaps(w);
    client_send(c, "a LOGIN alice secret\r\n");
    client_read(c);
    client_free(c);
    world_pass(w, LIMIT_IPC_DEADLINE + 1000);
    assert_int_equal(w->gate.count, 0);
}

static void test_sessions_end_with_either_side(void **state)
{
    struct world *w = *state;
    struct client *c = imaps(w);
    client_send(c, "a LOGIN alice secret\r\n");
    client_expect(c, "a OK from the keeper\r\n");
    assert_int_equal(write(w->keeper_fd, "* BYE revoked\r\n", 15), 15);
    close(w->keeper_fd);
    w->keeper_fd = -1;
    client_expect(c, "* BYE revoked\r\n");
    client_expect_end(c);
    assert_int_equal(w->gate.count, 0);
    client_free(c);
    c = imaps(w);
    client_send(c, "a LOGIN alice secret\r\n");
    client_expect(c, "a OK from the keeper\r\n");
    client_free(c);
    char out[10];
    world_turns(w, 4);
    assert_int_equal(read(w->keeper_fd, out, sizeof out), 0);
    assert_int_equal(w->gate.count, 0);
}

/* T-002 */
static void test_t002_injection_behind_starttls(void **state)
{
    (void)state;
    char junk[9000];
    memset(junk, 'J', sizeof junk - 1);
    memcpy(junk, "a1 STARTTLS\r\n", 13);
    junk[sizeof junk - 1] = '\0';
    const char *const lines[] = {
        "a1 STARTTLS\r\nINJ LOGIN evil pw\r\n",
        "a1 STARTTLS\r\nINJ LOGIN {4}\r\n",
        "a1 STARTTLS\r\nINJ LOGIN {4+}\r\nev",
        "a1 STARTTLS\r\nINJ AUTHENTICATE PLAIN\r\n",
        "a1 STARTTLS\r\nINJ AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        "a1 STARTTLS\r\nINJ NOOP",
        "a1 STARTTLS\r\nINJ LOGOUT\r\n",
        junk,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct world *w = world_new(GATE_IMAP, &imap_front);
        struct client *c = imap(w);
        client_send(c, lines[i]);
        client_expect(c, "a1 OK begin TLS now\r\n");
        assert_true(client_handshake(c));
        client_expect(c, "");
        client_send(c, "b1 CAPABILITY\r\n");
        client_expect(
            c, "* CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN\r\n"
               "b1 OK CAPABILITY completed\r\n");
        assert_int_equal(w->starts, 0);
        client_free(c);
        world_free(w);
    }
    report_threat("T-002", sizeof lines / sizeof *lines);
}

/* Octets that come in clear after the reply, before the handshake: no TLS, and so the end. */
static void test_t002_clear_octets_after_the_reply(void **state)
{
    struct world *w = *state;
    struct client *c = imap(w);
    client_send(c, "a1 STARTTLS\r\n");
    client_expect(c, "a1 OK begin TLS now\r\n");
    client_send(c, "INJ LOGIN evil pw\r\n");
    client_read(c);
    assert_true(c->ended);
    assert_int_equal(w->gate.count, 0);
    client_free(c);
}

/* T-004: nothing of before is known after; a half-done sign-in takes no STARTTLS. */
static void test_t004_state_across_starttls(void **state)
{
    struct world *w = *state;
    struct client *c = imap(w);
    client_send(c, "a0 ID (\"name\" \"Clear\")\r\n");
    client_expect_start(c, "* ID");
    client_send(c, "a1 STARTTLS\r\n");
    client_expect(c, "a1 OK begin TLS now\r\n");
    assert_true(client_handshake(c));
    client_send(c, "b1 STARTTLS\r\n");
    client_expect(c, "b1 BAD STARTTLS is not offered now\r\n");
    client_send(c, "b2 AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "b3 STARTTLS\r\n"); /* an answer that is no base64 */
    client_expect_start(c, "b2 BAD ");
    client_send(c, "b4 LOGIN alice secret\r\n");
    client_expect(c, "b4 OK from the keeper\r\n");
    assert_string_equal(w->program, "");
    client_free(c);
    c = imaps(w);
    client_send(c, "a STARTTLS\r\n");
    client_expect(c, "a BAD STARTTLS is not offered now\r\n");
    client_free(c);
    report_threat("T-004", 4);
}

/* T-007 */
static void test_t007_no_secret_in_the_clear(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "a LOGIN alice secret\r\n",
        "a login \"alice\" \"secret\"\r\n",
        "a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n",
        "a AUTHENTICATE PLAIN\r\n",
        "a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        "a AUTHENTICATE LOGIN\r\n",
        "a AUTHENTICATE LOGIN YWxpY2U=\r\n",
        "a AUTHENTICATE SCRAM-SHA-256 bj0=\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct client *c = imap(w);
        client_send(c, lines[i]);
        client_expect(c, "a NO [PRIVACYREQUIRED] use TLS first\r\n");
        client_send(c, "b NOOP\r\n");
        client_expect(c, "b OK NOOP completed\r\n");
        client_free(c);
    }
    assert_int_equal(w->starts, 0);
    assert_false(world_log_has(w, "secret"));
    assert_false(world_log_has(w, "c2VjcmV0"));
    assert_false(world_log_has(w, "AGFsaWNlAHNlY3JldA"));
    report_threat("T-007", sizeof lines / sizeof *lines);
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

static void test_nothing_offered(void **state)
{
    struct world *w = *state;
    world_offer(w, "");
    struct client *c = client_open(w, DOOR_IMAPS, PEER);
    client_expect(
        c, "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE LOGINDISABLED] mx.test is ready\r\n");
    client_send(c, "a LOGIN alice secret\r\n");
    client_expect_start(c, "a NO [CANNOT]");
    client_free(c);
}

/* A mechanism may have the last word before the yes (SCRAM's signature) and before the no (XOAUTH2's reason). */
static void test_words_after_the_proof(void **state)
{
    struct world *w = *state;
    world_offer(w, "SCRAM-SHA-256 XOAUTH2");
    struct client *c = client_open(w, DOOR_IMAPS, PEER);
    client_expect(
        c, "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE LOGINDISABLED AUTH=SCRAM-SHA-256 "
           "AUTH=XOAUTH2] "
           "mx.test is ready\r\n");
    client_send(c, "i ID (\"name\" \"Mail\" \"version\" \"1.2\")\r\n");
    client_expect_start(c, "* ID ");
    client_send(c, "a AUTHENTICATE XOAUTH2 d3Jvbmc=\r\n");
    client_expect(c, "+ e30=\r\n");
    client_send(c, "\r\n");
    client_expect(c, "a NO [AUTHENTICATIONFAILED] wrong name or password\r\n");
    client_send(c, "b AUTHENTICATE XOAUTH2 d3Jvbmc=\r\n");
    client_expect(c, "+ e30=\r\n");
    client_send(c, "*\r\n");
    client_expect_start(c, "b BAD ");
    assert_int_equal(w->cancels, 1);
    client_send(c, "c AUTHENTICATE SCRAM-SHA-256 Zmlyc3Q=\r\n");
    client_expect(c, "+ cj1maXJzdA==\r\n");
    client_send(c, "d3Jvbmc=\r\n");
    client_expect_start(c, "c NO [AUTHENTICATIONFAILED]");
    client_send(c, "d AUTHENTICATE SCRAM-SHA-256\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "Zmlyc3Q=\r\n");
    client_expect(c, "+ cj1maXJzdA==\r\n");
    client_send(c, "cHJvb2Y=\r\n");
    client_expect(c, "+ dj1sYXN0\r\n");
    assert_int_equal(w->attaches, 0);
    client_send_slowly(c, "\r\n");
    assert_string_equal(w->program, "Mail 1.2"); /* known before the sign-in, told with it */
    expect_handed_over(c, "d OK from the keeper\r\n");
    client_free(c);
}

/* LOGIN travels as PLAIN: where that is not offered, there is no LOGIN either. */
static void test_login_without_plain(void **state)
{
    struct world *w = *state;
    world_offer(w, "SCRAM-SHA-256 XPLAIN");
    struct client *c = client_open(w, DOOR_IMAPS, PEER);
    client_expect_start(
        c, "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE LOGINDISABLED AUTH=SCRAM");
    client_send(c, "a LOGIN alice secret\r\n");
    client_expect_start(c, "a NO [CANNOT]");
    assert_int_equal(w->starts, 0);
    client_free(c);
}

/* T-017: EXTERNAL is named where a certificate holds; one that does not is refused in the words of a wrong secret. */
static void test_certificates(void **state)
{
    static const struct {
        const char *san;
        bool by_stranger, named;
        const char *initial, *reply;
    } rows[] = {
        {"email:alice@ours.test", false, true, "=", NULL},
        {"email:alice@ours.test", false, true, "Ym9iQG91cnMudGVzdA==", "a NO [AUTHENTICATIONFAILED]"},
        {"email:bob@ours.test", false, true, "=", "a NO [AUTHENTICATIONFAILED]"},
        {"DNS:ours.test", false, true, "=", "a NO [AUTHENTICATIONFAILED]"},
        {"email:alice@ours.test", true, false, "=", "a NO [AUTHENTICATIONFAILED]"},
        {NULL, false, false, "=", "a NO [AUTHENTICATIONFAILED]"},
    };
    struct world *w = *state;
    world_offer(w, "EXTERNAL PLAIN");
    const struct test_spec root = {.from_days = -1, .to_days = 30, .is_ca = true};
    struct test_issuer ours = test_issue(NULL, &root), others = test_issue(NULL, &root);
    struct buf pem CLEANUP_BUF = BUF_INIT(10000);
    test_issuer_put(&ours, &pem);
    assert_int_equal(tls_set_add_clients(w->gate.tls, buf_slice(&pem)), TLS_FINE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct test_spec spec = {.san = rows[i].san, .from_days = -1, .to_days = 30};
        struct test_issuer who = test_issue(rows[i].by_stranger ? &others : &ours, &spec);
        w->client_shows = rows[i].san ? &who : NULL;
        struct client *c = client_open(w, DOOR_IMAPS, PEER);
        client_read(c);
        assert_int_equal(slice_search(buf_slice(&c->got), S("AUTH=EXTERNAL")) != SLICE_NPOS, rows[i].named);
        assert_int_equal(world_log_has(w, "certificate.refused"), rows[i].by_stranger);
        buf_clear(&c->got);
        buf_clear(&w->log);
        struct buf command CLEANUP_BUF = BUF_INIT(1000);
        buf_printf(&command, "a AUTHENTICATE EXTERNAL %s\r\n", rows[i].initial);
        client_send(c, buf_cstr(&command));
        assert_int_equal(w->has_certificate, rows[i].named);
        if (rows[i].reply)
            client_expect_start(c, rows[i].reply);
        else
            expect_handed_over(c, "a OK from the keeper\r\n");
        client_free(c);
        test_issuer_free(&who);
    }
    w->client_shows = NULL;
    test_issuer_free(&ours);
    test_issuer_free(&others);
}

int main(void)
{
    crypto_init();
    tls_library_start();
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_simple_commands),
        T(test_login),
        T(test_login_in_all_spellings),
        T(test_login_with_synchronising_literals),
        T(test_authenticate),
        T(test_failed_signins),
        T(test_vault_is_away),
        T(test_keeper_refuses),
        T(test_client_goes_away_in_between),
        T(test_sessions_end_with_either_side),
        T(test_t002_injection_behind_starttls),
        T(test_t002_clear_octets_after_the_reply),
        T(test_t004_state_across_starttls),
        T(test_t007_no_secret_in_the_clear),
        T(test_t011_http_request),
        T(test_t152_literals_before_signin),
        T(test_t153_continuations),
        T(test_t155_brackets),
        T(test_t158_commands_in_the_wrong_state),
        T(test_too_many_errors),
        T(test_pipelined_commands_wait_for_the_reader),
        T(test_nothing_offered),
        T(test_words_after_the_proof),
        T(test_login_without_plain),
        T(test_certificates),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}

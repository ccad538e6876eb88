/* IMAP signing in: byte-exact dialogues against a scripted vault and keeper. */
#include "imap/front/doors.h"

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
            struct world *w = world_new(&imap_front);
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
        struct world *w = world_new(&imap_front);
        struct client *c = imaps(w);
        client_converse(c, rows[i].lines);
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
    const struct CMUnitTest tests[] = {
        IMAP_TEST(test_login),
        IMAP_TEST(test_login_in_all_spellings),
        IMAP_TEST(test_login_with_synchronising_literals),
        IMAP_TEST(test_authenticate),
        IMAP_TEST(test_failed_signins),
        IMAP_TEST(test_vault_is_away),
        IMAP_TEST(test_keeper_refuses),
        IMAP_TEST(test_client_goes_away_in_between),
        IMAP_TEST(test_sessions_end_with_either_side),
        IMAP_TEST(test_nothing_offered),
        IMAP_TEST(test_words_after_the_proof),
        IMAP_TEST(test_login_without_plain),
        IMAP_TEST(test_certificates),
    };
    return cmocka_run_group_tests(tests, world_libraries, NULL);
}

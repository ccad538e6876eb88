/* POP3's AUTHORIZATION state: byte-exact dialogues against a scripted vault and keeper. */
#include "gate_world.h"

#include "pop3/front/front.h"

#define HELLO "+OK mx.test is ready\r\n"
#define CAPA_HEAD                                                                                            \
    "+OK here is what we can do\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE "     \
    "NEVER\r\n"
#define CAPA_TAIL "UTF8 USER\r\nIMPLEMENTATION Letterlock\r\n.\r\n"
#define CAPA_TLS CAPA_HEAD "USER\r\nSASL PLAIN LOGIN\r\n" CAPA_TAIL
#define CAPA_CLEAR CAPA_HEAD "STLS\r\n" CAPA_TAIL

static int setup(void **state)
{
    *state = world_new(&pop3_front);
    return 0;
}

static struct client *open_door(struct world *w, enum config_door door)
{
    struct client *c = client_open(w, door, PEER);
    client_expect(c, HELLO);
    return c;
}

static void test_simple_commands(void **state)
{
    struct world *w = *state;
    struct client *c = open_door(w, DOOR_POP3S);
    client_send(c, "CAPA\r\n");
    client_expect(c, CAPA_TLS);
    client_send_slowly(c, "capa\r\n");
    client_expect(c, CAPA_TLS);
    client_send(c, "UTF8\r\n");
    client_expect(c, "+OK UTF-8 it is\r\n");
    client_send(c, "AUTH\r\n");
    client_expect(c, "+OK ways to sign in\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    client_send(c, "QUIT\r\nCAPA\r\n");
    client_expect(c, "+OK goodbye\r\n");
    client_expect_end(c);
    client_free(c);
    c = open_door(w, DOOR_POP3);
    client_send(c, "CAPA\r\n");
    client_expect(c, CAPA_CLEAR);
    client_free(c);
}

static void test_user_and_pass(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "USER alice\r\nPASS secret\r\n",
        "user alice\r\npass secret\r\nSTAT\r\n",
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        for (int slowly = 0; slowly < 2; slowly++) {
            struct world *w = world_new(&pop3_front);
            struct client *c = open_door(w, DOOR_POP3S);
            (slowly ? client_send_slowly : client_send)(c, spellings[i]);
            client_expect(c, "+OK now the password\r\n OK from the keeper\r\n");
            assert_string_equal(w->tag, "");
            assert_string_equal(w->mechanism, "PLAIN");
            assert_int_equal(w->service, SERVICE_POP3);
            assert_memory_equal(w->initial.p, "\0alice\0secret", 13);
            char out[100];
            if (i == 1)
                assert_slice("STAT\r\n", world_keeper_read(w, out, sizeof out));
            assert_false(world_log_has(w, "secret"));
            client_free(c);
            world_free(w);
        }
    }
}

/* A password may hold and begin with blanks: what follows one space counts octet for octet (T-175). */
static void test_passwords_octet_for_octet(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *line;
        const char *plain;
        size_t n;
    } rows[] = {
        {"PASS  lead and trail \r\n", "\0alice\0 lead and trail ", 23},
        {"PASS x\r\n", "\0alice\0x", 8},
        {"PASS \xc3\xa4\xe5\xaf\x86\r\n", "\0alice\0\xc3\xa4\xe5\xaf\x86", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client *c = open_door(w, DOOR_POP3S);
        client_send(c, "USER alice\r\n");
        client_expect_start(c, "+OK");
        client_send(c, rows[i].line);
        client_expect(c, "-ERR [AUTH] wrong name or password\r\n");
        assert_int_equal(w->initial.n, rows[i].n);
        assert_memory_equal(w->initial.p, rows[i].plain, rows[i].n);
        client_free(c);
    }
}

static void test_auth(void **state)
{
    (void)state;
    static const struct {
        const char *lines[6];
    } rows[] = {
        {{"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"}},
        {{"auth plain\r\n", "+ \r\n", "AGFsaWNlAHNlY3JldA==\r\n"}},
        {{"AUTH LOGIN\r\n", "+ VXNlcm5hbWU6\r\n", "YWxpY2U=\r\n", "+ UGFzc3dvcmQ6\r\n", "c2VjcmV0\r\n"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world *w = world_new(&pop3_front);
        struct client *c = open_door(w, DOOR_POP3S);
        client_converse(c, rows[i].lines);
        client_expect(c, " OK from the keeper\r\n");
        client_free(c);
        world_free(w);
    }
}

static void test_failed_signins(void **state)
{
    struct world *w = *state;
    struct client *c = open_door(w, DOOR_POP3S);
    client_send(c, "PASS secret\r\n");
    client_expect(c, "-ERR USER comes first\r\n");
    client_send(c, "USER alice\r\nCAPA\r\nPASS secret\r\n"); /* another command in between forgets the name */
    client_expect(c, "+OK now the password\r\n" CAPA_TLS "-ERR USER comes first\r\n");
    client_send(c, "AUTH PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "*\r\n");
    client_expect(c, "-ERR the sign-in was cancelled or not understood\r\n");
    assert_int_equal(w->cancels, 1);
    client_send(c, "AUTH CRAM-MD5\r\n");
    client_expect(c, "-ERR this way to sign in is not offered\r\n");
    client_send(c, "APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n");
    client_expect(c, "-ERR unknown command\r\n");
    w->vault_mode = VAULT_SAYS_LATER;
    client_send(c, "USER alice\r\nPASS secret\r\n");
    client_expect(
        c, "+OK now the password\r\n-ERR [SYS/TEMP] signing in is not possible now, try again later\r\n");
    w->vault_mode = VAULT_JUDGES;
    for (int i = 0; i < LIMIT_SIGNIN_TRIES; i++) {
        client_send(c, "USER alice\r\nPASS wrong\r\n");
        client_expect(c, "+OK now the password\r\n-ERR [AUTH] wrong name or password\r\n");
    }
    client_expect_end(c);
    assert_int_equal(w->attaches, 0);
    client_free(c);
}

static void test_keeper_refuses(void **state)
{
    struct world *w = *state;
    struct client *c = open_door(w, DOOR_POP3S);
    static const struct {
        enum ipc_attach_outcome outcome;
        const char *reply;
    } rows[] = {
        {ATTACH_OUTCOME_NO, "-ERR [SYS/TEMP] the maildrop cannot be opened now, try again later\r\n"},
        {ATTACH_OUTCOME_LATER, "-ERR [SYS/TEMP] the maildrop cannot be opened now, try again later\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        w->attach_outcome = rows[i].outcome;
        client_send(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n");
        client_expect(c, rows[i].reply);
    }
    w->attach_outcome = ATTACH_OUTCOME_OK;
    client_send(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n");
    client_expect(c, " OK from the keeper\r\n");
    client_free(c);
}

/* T-003 */
static void test_t003_injection_behind_stls(void **state)
{
    (void)state;
    char junk[9000];
    memset(junk, 'J', sizeof junk - 1);
    memcpy(junk, "STLS\r\n", 6);
    junk[sizeof junk - 1] = '\0';
    const char *const lines[] = {
        "STLS\r\nUSER evil\r\nPASS x\r\n",
        "STLS\r\nUSER evil\r\n",
        "STLS\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        "STLS\r\nCAPA",
        "STLS\r\nQUIT\r\n",
        junk,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct world *w = world_new(&pop3_front);
        struct client *c = open_door(w, DOOR_POP3);
        client_send(c, lines[i]);
        client_expect(c, "+OK begin TLS now\r\n");
        assert_true(client_handshake(c));
        client_expect(c, "");
        client_send(c, "CAPA\r\n");
        client_expect(c, CAPA_TLS);
        client_send(c, "PASS x\r\n");
        client_expect(c, "-ERR USER comes first\r\n");
        client_send(c, "STLS\r\n");
        client_expect(c, "-ERR TLS runs already\r\n");
        assert_int_equal(w->starts, 0);
        client_free(c);
        world_free(w);
    }
    report_threat("T-003", sizeof lines / sizeof *lines);
}

/* T-007 */
static void test_t007_no_secret_in_the_clear(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "USER alice\r\n", "PASS secret\r\n", "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        "AUTH LOGIN\r\n", "AUTH\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct client *c = open_door(w, DOOR_POP3);
        client_send(c, lines[i]);
        client_expect(c, "-ERR use TLS first\r\n");
        client_free(c);
    }
    assert_int_equal(w->starts, 0);
    assert_false(world_log_has(w, "secret"));
    assert_false(world_log_has(w, "AGFsaWNlAHNlY3JldA"));
    report_threat("T-007", sizeof lines / sizeof *lines);
}

/* T-175 */
static void test_t175_limits(void **state)
{
    struct world *w = *state;
    char *big = mem_alloc(1000001);
    memset(big, 'u', 1000000);
    memcpy(big, "USER ", 5);
    struct client *c = open_door(w, DOOR_POP3S);
    client_send(c, big);
    client_expect(c, "-ERR the line is too long\r\n");
    client_expect_end(c);
    client_free(c);
    static const size_t lengths[] = {1, LIMIT_POP3_COMMAND, 1024, 1025};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        c = open_door(w, DOOR_POP3S);
        client_send(c, "USER alice\r\n");
        client_expect_start(c, "+OK");
        memcpy(big, "PASS ", 5);
        memset(big + 5, 'p', lengths[i]);
        memcpy(big + 5 + lengths[i], "\r\n", 3);
        client_send(c, big);
        client_expect(
            c,
            lengths[i] <= 1024 ? "-ERR [AUTH] wrong name or password\r\n" : "-ERR the line is too long\r\n");
        client_free(c);
    }
    /* AUTH with its first answer on the line, and other commands no longer than before */
    static const struct {
        const char *verb;
        size_t n;
        const char *answer;
    } longer[] = {
        {"AUTH PLAIN ", 1400, "-ERR [AUTH] wrong name or password\r\n"},
        {"AUTH PLAIN ", LIMIT_SASL_RESPONSE, "-ERR the line is too long\r\n"},
        {"PASSED ", LIMIT_POP3_COMMAND, "-ERR the line is too long\r\n"},
        {"CAPA ", LIMIT_POP3_COMMAND, "-ERR the line is too long\r\n"}};
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        size_t n = strlen(longer[i].verb);
        c = open_door(w, DOOR_POP3S);
        memcpy(big, longer[i].verb, n);
        memset(big + n, 'A', longer[i].n);
        memcpy(big + n + longer[i].n, "\r\n", 3);
        client_send(c, big);
        client_expect(c, longer[i].answer);
        client_free(c);
    }
    free(big);
    /* errors and useless commands are counted */
    c = open_door(w, DOOR_POP3S);
    for (int i = 0; i < LIMIT_POP3_ERRORS - 1; i++) {
        client_send(c, "FOO\r\n");
        client_expect(c, "-ERR unknown command\r\n");
    }
    client_send(c, "FOO\r\nCAPA\r\n");
    client_expect(c, "-ERR too many errors\r\n");
    client_expect_end(c);
    client_free(c);
    c = open_door(w, DOOR_POP3S);
    for (int i = 0; i < LIMIT_POP3_JUNK + LIMIT_POP3_ERRORS; i++)
        client_send(c, "UTF8\r\n");
    client_read(c);
    struct slice last = slice_from(buf_slice(&c->got), c->got.n > 100 ? c->got.n - 100 : 0);
    if (!slice_ends(last, S("-ERR too many errors\r\n")))
        fail_msg("%.*s", SLICE_ARG(last));
    client_free(c);
    /* NUL, bare LF, CR inside */
    static const struct slice lines[] = {
        {"USER a\0b\r\n", 10}, {"CAPA\n", 5}, {"CA\rPA\r\n", 7}, {"\r\n", 2}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        c = open_door(w, DOOR_POP3S);
        client_send_octets(c, lines[i]);
        client_expect_start(c, "-ERR ");
        client_free(c);
    }
    /* time */
    c = open_door(w, DOOR_POP3S);
    world_pass(w, LIMIT_PREAUTH_TIME + 1000);
    client_expect(c, "-ERR too long without a sign-in\r\n");
    client_expect_end(c);
    client_free(c);
    report_threat("T-175", 16);
}

static void test_commands_in_the_wrong_state(void **state)
{
    struct world *w = *state;
    static const char *const later[] = {"STAT", "LIST", "LIST 1",  "RETR 1", "DELE 1",
                                        "NOOP", "RSET", "TOP 1 0", "UIDL"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        for (int tls = 0; tls < 2; tls++) {
            struct client *c = open_door(w, tls ? DOOR_POP3S : DOOR_POP3);
            char line[40];
            snprintf(line, sizeof line, "%s\r\n", later[i]);
            client_send(c, line);
            client_expect(c, "-ERR sign in first\r\n");
            client_free(c);
        }
    }
    struct client *c = open_door(w, DOOR_POP3S);
    client_send(c, "GET /<script> HTTP/1.1\r\nHost: x\r\n\r\n");
    client_expect(c, "-ERR this is a mail server\r\n");
    client_expect_end(c);
    client_free(c);
}

/* A mechanism may have the last word before the yes (SCRAM's signature) and before the no (XOAUTH2's reason). */
static void test_words_after_the_proof(void **state)
{
    struct world *w = *state;
    world_offer(w, "SCRAM-SHA-256 XOAUTH2");
    struct client *c = open_door(w, DOOR_POP3S);
    client_send(c, "CAPA\r\n");
    client_expect(
        c, CAPA_HEAD "SASL SCRAM-SHA-256 XOAUTH2\r\n" CAPA_TAIL); /* USER and PASS travel as PLAIN */
    client_send(c, "USER alice\r\nPASS secret\r\n");
    client_expect(c, "+OK now the password\r\n-ERR this way to sign in is not offered\r\n");
    client_send(c, "AUTH XOAUTH2 d3Jvbmc=\r\n");
    client_expect(c, "+ e30=\r\n");
    client_send(c, "\r\n");
    client_expect(c, "-ERR [AUTH] wrong name or password\r\n");
    client_send(c, "AUTH SCRAM-SHA-256\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "Zmlyc3Q=\r\n");
    client_expect(c, "+ cj1maXJzdA==\r\n");
    client_send(c, "cHJvb2Y=\r\n");
    client_expect(c, "+ dj1sYXN0\r\n");
    assert_int_equal(w->attaches, 0);
    client_send_slowly(c, "\r\n");
    client_expect(c, " OK from the keeper\r\n");
    client_free(c);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, world_end)
    const struct CMUnitTest tests[] = {
        T(test_simple_commands),
        T(test_user_and_pass),
        T(test_passwords_octet_for_octet),
        T(test_auth),
        T(test_failed_signins),
        T(test_words_after_the_proof),
        T(test_keeper_refuses),
        T(test_t003_injection_behind_stls),
        T(test_t007_no_secret_in_the_clear),
        T(test_t175_limits),
        T(test_commands_in_the_wrong_state),
    };
#undef T
    return cmocka_run_group_tests(tests, world_libraries, NULL);
}

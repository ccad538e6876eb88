/* IMAP after sign-in: what a session says first and last, several at once, commands in the wrong state. */
#include "imap/session/dialogue.h"

static void test_first_steps(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a1 CAPABILITY\n"
                "S: * CAPABILITY IMAP4rev1 @\n"
                "S: a1 OK @\n"
                "C: a2 NOOP\n"
                "S: a2 OK @\n"
                "C: a3 NAMESPACE\n"
                "S: * NAMESPACE ((\"\" \"/\")) NIL NIL\n"
                "S: a3 OK @\n"
                "C: a4 ID (\"name\" \"x\")\n"
                "S: * ID (\"name\" \"Letterlock\")\n"
                "S: a4 OK @\n"
                "C: a5 ENABLE CONDSTORE QRESYNC\n"
                "S: * ENABLED CONDSTORE\n"
                "S: a5 OK @\n"
                "C: a6 ENABLE CONDSTORE\n"
                "S: * ENABLED\n"
                "S: a6 OK @\n"
                "C: a7 FETCH 1 FLAGS\n"
                "S: a7 BAD no mailbox is selected\n"
                "C: a8 LOGIN x y\n"
                "S: a8 BAD not after signing in\n"
                "C: a9 WHAT\n"
                "S: a9 BAD unknown command\n"
                "C: \n"
                "S: * BAD @\n"
                "C: b1 LOGOUT\n"
                "S: * BYE @\n"
                "S: b1 OK @\n");
    STEP_UNTIL(world.clients[0].closed, (turn(&world), client_read(&world.clients[0])));
    assert_int_equal(sessions_count(world.env.sessions), 0);
}

static void test_scopes(void **state)
{
    connect_as(&world, 1, &world.account, false);
    assert_true(line_fits(S("x0 OK @"), next_line(&world, &world.clients[0])));
    chat(
        &world, "C: a SELECT INBOX\nS: a NO [NOPERM] @\nC: a LIST \"\" *\nS: a NO [NOPERM] @\nC: a NOOP\nS: "
                "a OK @\n");
}

static void test_revoked(void **state)
{
    sign_in(&world, 1);
    assert_int_equal(sessions_revoke(world.env.sessions, &world.account, 0, 0, END_REVOKED), 1);
    chat(&world, "S: * BYE @\n");
}

/* T-158: every verb in every state answers as the table says, and nothing else happens. */
static void test_t158_wrong_states(void **state)
{
    struct cases_count {
        int n;
    } cases = {0};
    static const char *const selected[] = {
        "CHECK",
        "CLOSE",
        "EXPUNGE",
        "FETCH 1 FLAGS",
        "SEARCH ALL",
        "STORE 1 FLAGS ()",
        "COPY 1 x",
        "MOVE 1 x",
        "UID FETCH 1 FLAGS",
        "UID STORE 1 FLAGS ()",
        "UID COPY 1 x",
        "UID MOVE 1 x",
        "UID SEARCH ALL",
        "UID EXPUNGE 1",
        "UNSELECT"};
    static const char *const outside[] = {"LOGIN a b", "AUTHENTICATE PLAIN", "STARTTLS"};
    sign_in(&world, 1);
    for (size_t i = 0; i < sizeof selected / sizeof *selected; i++, cases.n++) {
        char script[200];
        snprintf(script, sizeof script, "C: a %s\nS: a BAD no mailbox is selected\n", selected[i]);
        chat(&world, script);
    }
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof outside / sizeof *outside; i++, cases.n++) {
            char script[200];
            snprintf(script, sizeof script, "C: a %s\nS: a BAD not after signing in\n", outside[i]);
            chat(&world, script);
        }
        if (!round)
            chat(
                &world, "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 0 EXISTS\nS: * 0 RECENT\nS: * OK "
                        "@\nS: * OK @\n"
                        "S: * OK @\nS: a OK @\n");
    }
    report_threat("T-158", cases.n);
}

static void test_two_sessions(void **state)
{
    sign_in(&world, 1);
    sign_in(&world, 2);
    for (int i = 0; i < 3; i++)
        append(1, "INBOX", "", S(MESSAGE));
    opens("SELECT INBOX", 3, 1);
    chat(
        &world,
        "C2: b SELECT INBOX\nS2: * FLAGS @\nS2: * OK @\nS2: * 3 EXISTS\nS2: * 0 RECENT\nS2: * OK [UNSEEN 1] "
        "@\n"
        "S2: * OK @\nS2: * OK @\nS2: * OK @\nS2: b OK @\n");
    chat(
        &world, "C: a STORE 2 +FLAGS.SILENT (\\Deleted)\n"
                "S: a OK @\n"
                "C2: b NOOP\n"
                "S2: * 2 FETCH (FLAGS (\\Deleted))\n"
                "S2: b OK @\n"
                "C: a EXPUNGE\n"
                "S: * 2 EXPUNGE\n"
                "S: a OK @\n"
                /* no EXPUNGE during FETCH, STORE, SEARCH by sequence number (RFC 3501 7.4.1) */
                "C2: b FETCH 1:3 UID\n"
                "S2: * 1 FETCH (UID 1)\n"
                "S2: * 3 FETCH (UID 3)\n"
                "S2: b OK [EXPUNGEISSUED] @\n"
                "C2: b STORE 3 +FLAGS (\\Flagged)\n"
                "S2: * 3 FETCH (FLAGS (\\Flagged))\n"
                "S2: b OK @\n"
                "C2: b SEARCH ALL\n"
                "S2: * SEARCH 1 3\n"
                "S2: b OK @\n"
                "C2: b NOOP\n"
                "S2: * 2 EXPUNGE\n"
                "S2: b OK @\n"
                "C: a NOOP\n"
                "S: * 2 FETCH (FLAGS (\\Flagged \\Recent))\n"
                "S: a OK @\n");
    append(2, "INBOX", "", S(MESSAGE));
    chat(
        &world, "C: a NOOP\n"
                "S: * 3 EXISTS\n"
                "S: * 2 RECENT\n"
                "S: a OK @\n");
}

static void test_idle(void **state)
{
    sign_in(&world, 1);
    sign_in(&world, 2);
    append(1, "INBOX", "", S(MESSAGE));
    opens("SELECT INBOX", 1, 1);
    chat(&world, "C: i IDLE\nS: + idling\n");
    append(2, "INBOX", "", S(MESSAGE));
    chat(&world, "S: * 2 EXISTS\nS: * 2 RECENT\n");
    chat(
        &world, "C2: b SELECT INBOX\nS2: * FLAGS @\nS2: * OK @\nS2: * 2 EXISTS\nS2: * 0 RECENT\nS2: * OK "
                "[UNSEEN 1] @\n"
                "S2: * OK @\nS2: * OK @\nS2: * OK @\nS2: b OK @\n"
                "C2: b STORE 1 +FLAGS.SILENT (\\Deleted)\n"
                "S2: b OK @\n"
                "S: * 1 FETCH (FLAGS (\\Deleted \\Recent))\n"
                "C2: b EXPUNGE\n"
                "S2: * 1 EXPUNGE\n"
                "S2: b OK @\n"
                "S: * 1 EXPUNGE\n"
                "C: DONE\n"
                "S: i OK @\n"
                "C: j IDLE\n"
                "S: + idling\n"
                "C: NOOP\n"
                "S: j BAD DONE was expected\n"
                "C: k NOOP\n"
                "S: k OK @\n");
}

/* All in one segment (T-153): DONE ends IDLE, and what follows are commands. */
static void test_idle_pipelined(void **state)
{
    sign_in(&world, 1);
    send_octets(&world, &world.clients[0], S("i IDLE\r\nDONE\r\nb NOOP\r\nc IDLE\r\nd NOOP\r\ne NOOP\r\n"));
    chat(&world, "S: + idling\nS: i OK @\nS: b OK @\nS: + idling\nS: c BAD DONE was expected\nS: e OK @\n");
}

static void test_deleted_under_feet(void **state)
{
    sign_in(&world, 1);
    sign_in(&world, 2);
    chat(
        &world,
        "C: a CREATE x\nS: a OK @\nC: a SELECT x\nS: * FLAGS @\nS: * OK @\nS: * 0 EXISTS\nS: * 0 RECENT\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n"
        "C2: b SELECT x\nS2: * FLAGS @\nS2: * OK @\nS2: * 0 EXISTS\nS2: * 0 RECENT\n"
        "S2: * OK @\nS2: * OK @\nS2: * OK @\nS2: b OK @\n"
        "C: a DELETE x\nS: * OK [CLOSED] @\nS: a OK @\nC: a FETCH 1 FLAGS\nS: a BAD @\n"
        "C2: b NOOP\nS2: b OK @\nS2: * BYE the selected mailbox was deleted\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(test_first_steps),    DIALOGUE(test_scopes),
        DIALOGUE(test_revoked),        DIALOGUE(test_t158_wrong_states),
        DIALOGUE(test_two_sessions),   DIALOGUE(test_idle),
        DIALOGUE(test_idle_pipelined), DIALOGUE(test_deleted_under_feet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

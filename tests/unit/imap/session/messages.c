/* IMAP: messages come in (APPEND), change, move and go. */
#include "imap/session/dialogue.h"

static void test_append_and_select(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S(MESSAGE));
    append(1, "INBOX", "(\\Seen $Work) \"17-Jul-1996 02:44:25 -0700\"", S(MESSAGE));
    chat(
        &world, "C: a SELECT INBOX\n"
                "S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)\n"
                "S: * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work \\*)] @\n"
                "S: * 2 EXISTS\n"
                "S: * 2 RECENT\n"
                "S: * OK [UNSEEN 1] @\n"
                "S: * OK [UIDVALIDITY @] @\n"
                "S: * OK [UIDNEXT 3] @\n"
                "S: * OK [HIGHESTMODSEQ @] @\n"
                "S: a OK [READ-WRITE] @\n"
                "C: a FETCH 1:* (FLAGS UID RFC822.SIZE INTERNALDATE)\n"
                "S: * 1 FETCH (UID 1 FLAGS (\\Recent) INTERNALDATE \"@\" RFC822.SIZE 162)\n"
                "S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent $Work) INTERNALDATE \"17-Jul-1996 09:44:25 "
                "+0000\" RFC822.SIZE 162)\n"
                "S: a OK @\n"
                "C: a EXAMINE INBOX\n"
                "S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Work)\n"
                "S: * OK [PERMANENTFLAGS ()] @\n"
                "S: * 2 EXISTS\n"
                "S: * 0 RECENT\n"
                "S: * OK [UNSEEN 1] @\n"
                "S: * OK [UIDVALIDITY @] @\n"
                "S: * OK [UIDNEXT 3] @\n"
                "S: * OK [HIGHESTMODSEQ @] @\n"
                "S: a OK [READ-ONLY] @\n"
                "C: a STORE 1 +FLAGS (\\Seen)\n"
                "S: a NO [READ-ONLY] @\n"
                "C: a EXPUNGE\n"
                "S: a NO [READ-ONLY] @\n"
                "C: a FETCH 1 BODY[TEXT]\n"
                "S: * 1 FETCH (BODY[TEXT] {15}\n"
                "S: Hello, Alice.\n"
                "S: )\n"
                "S: a OK @\n"
                "C: a FETCH 1 FLAGS\n"
                "S: * 1 FETCH (FLAGS ())\n"
                "S: a OK @\n"
                "C: a UNSELECT\n"
                "S: a OK @\n"
                "C: a FETCH 1 FLAGS\n"
                "S: a BAD @\n");
}

static void test_append_refused(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a APPEND nothing {5}\n"
                "S: a NO [TRYCREATE] @\n"
                "C: a APPEND nothing {5+}\n"
                "C: a NOOP\n"
                "S: a BAD @\n");
    chat(&world, "C: a APPEND nothing {5+}\nC: abcde\nS: a NO [TRYCREATE] @\nC: a NOOP\nS: a OK @\n");
    chat(
        &world, "C: a APPEND INBOX {0}\nS: a NO [CANNOT] @\nC: a APPEND INBOX {3+}\nC: abcdef\nS: a BAD "
                "@\nC: a NOOP\nS: a OK @\n");
    chat(&world, "C: a APPEND INBOX (\\Foo) {3}\nS: a BAD @\nC: a NOOP\nS: a OK @\n");
    chat(&world, "C: a APPEND INBOX {999999999}\nS: a NO [TOOBIG] @\nC: a NOOP\nS: a OK @\n");
    chat(&world, "C: a STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 0)\nS: a OK @\n");
    /* a synchronizing literal that does not wait, and is refused: its octets are no commands (T-153) */
    send_octets(&world, &world.clients[0], S("a APPEND INBOX {999999999}\r\nx DELETE Archive\r\n"));
    chat(&world, "S: a NO [TOOBIG] @\nS: * BYE @\n");
    sign_in(&world, 2);
    chat(&world, "C2: b STATUS Archive (MESSAGES)\nS2: * STATUS Archive (MESSAGES 0)\nS2: b OK @\n");
    chat(&world, "C2: b APPEND INBOX {999999999+}\nS2: b NO [TOOBIG] @\nS2: * BYE @\n");
}

static void test_append_line_ends(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S("Subject: x\n\na\nb\r\nc"));
    opens("EXAMINE INBOX", 1, 1);
    chat(
        &world, "C: a FETCH 1 (RFC822.SIZE BODY[])\nS: * 1 FETCH (RFC822.SIZE 21 BODY[] {21}\n"
                "S: Subject: x\nS: \nS: a\nS: b\nS: c)\nS: a OK @\n");
}

/* A cut upload leaves nothing. */
static void test_t165_cut_uploads(void **state)
{
    int cases = 0;
    struct buf CLEANUP_BUF message = BUF_INIT(1 << 20);
    buf_put(&message, S("Subject: x\r\n\r\n"));
    while (message.n < 200000)
        buf_put(&message, S("a line of the body\r\n"));
    sign_in(&world, 1);
    for (size_t cut = 0; cut < message.n; cut += 20011, cases++) {
        char line[100];
        sign_in(&world, 2);
        int n = snprintf(line, sizeof line, "p APPEND INBOX {%zu+}\r\n", message.n);
        send_octets(&world, &world.clients[1], slice_of(line, (size_t)n));
        send_octets(&world, &world.clients[1], slice_sub(buf_slice(&message), 0, cut));
        for (int i = 0; i < 3; i++)
            turn(&world);
        client_close(&world, &world.clients[1]);
    }
    chat(&world, "C: a STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 0)\nS: a OK @\n");
    append(1, "INBOX", "", buf_slice(&message));
    chat(&world, "C: a STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 1)\nS: a OK @\n");
    report_threat("T-165", cases);
}

static void test_store_and_expunge(void **state)
{
    sign_in(&world, 1);
    for (int i = 0; i < 4; i++)
        append(1, "INBOX", "", S(MESSAGE));
    opens("SELECT INBOX", 4, 1);
    chat(
        &world, "C: a STORE 2,4 +FLAGS (\\Deleted)\n"
                "S: * 2 FETCH (FLAGS (\\Deleted \\Recent))\n"
                "S: * 4 FETCH (FLAGS (\\Deleted \\Recent))\n"
                "S: a OK @\n"
                "C: a UID STORE 1 FLAGS.SILENT (\\Seen)\n"
                "S: a OK @\n"
                "C: a UID STORE 1 +FLAGS ($New)\n"
                "S: * FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $New)\n"
                "S: * OK [PERMANENTFLAGS @\n"
                "S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Recent $New))\n"
                "S: a OK @\n"
                "C: a STORE 1 -FLAGS ($NEW \\Seen)\n"
                "S: * 1 FETCH (FLAGS (\\Recent))\n"
                "S: a OK @\n"
                "C: a UID EXPUNGE 1:3\n"
                "S: * 2 EXPUNGE\n"
                "S: a OK @\n"
                "C: a EXPUNGE\n"
                "S: * 3 EXPUNGE\n"
                "S: a OK @\n"
                "C: a UID FETCH 1:* UID\n"
                "S: * 1 FETCH (UID 1)\n"
                "S: * 2 FETCH (UID 3)\n"
                "S: a OK @\n"
                "C: a STORE 1:2 +FLAGS.SILENT (\\Deleted)\n"
                "S: a OK @\n"
                "C: a CLOSE\n"
                "S: a OK @\n"
                "C: a STATUS INBOX (MESSAGES UIDNEXT)\n"
                "S: * STATUS INBOX (MESSAGES 0 UIDNEXT 5)\n"
                "S: a OK @\n");
}

static void test_copy_and_move(void **state)
{
    sign_in(&world, 1);
    for (int i = 0; i < 3; i++)
        append(1, "INBOX", "", S(MESSAGE));
    opens("SELECT INBOX", 3, 1);
    chat(
        &world, "C: a COPY 1:2 Archive\n"
                "S: a OK [COPYUID @ 1:2 1:2] copied\n"
                "C: a COPY 1:2 nothing\n"
                "S: a NO [TRYCREATE] @\n"
                "C: a UID COPY 99 Archive\n"
                "S: a OK @\n"
                "C: a MOVE 1,3 Archive\n"
                "S: * OK [COPYUID @ 1,3 3:4] @\n"
                "S: * 1 EXPUNGE\n"
                "S: * 2 EXPUNGE\n"
                "S: a OK moved\n"
                "C: a UID MOVE 2 Trash\n"
                "S: * OK [COPYUID @ 2 1] @\n"
                "S: * 1 EXPUNGE\n"
                "S: a OK moved\n"
                "C: a STATUS Archive (MESSAGES)\n"
                "S: * STATUS Archive (MESSAGES 4)\n"
                "S: a OK @\n");
}

static void test_condstore(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S(MESSAGE));
    append(1, "INBOX", "", S(MESSAGE));
    opens("SELECT INBOX (CONDSTORE)", 2, 1);
    chat(
        &world, "C: a STORE 1 (UNCHANGEDSINCE 1) +FLAGS (\\Seen)\n"
                "S: a OK [MODIFIED 1] @\n"
                "C: a UID STORE 1:2 (UNCHANGEDSINCE 1000) +FLAGS.SILENT (\\Seen)\n"
                "S: * 1 FETCH (UID 1 MODSEQ (@))\n"
                "S: * 2 FETCH (UID 2 MODSEQ (@))\n"
                "S: a OK stored\n"
                "C: a FETCH 1:* (FLAGS) (CHANGEDSINCE 1)\n"
                "S: * 1 FETCH (FLAGS (\\Seen \\Recent) MODSEQ (@))\n"
                "S: * 2 FETCH (FLAGS (\\Seen \\Recent) MODSEQ (@))\n"
                "S: a OK @\n"
                "C: a FETCH 1:* (FLAGS) (CHANGEDSINCE 100000)\n"
                "S: a OK @\n"
                "C: a SEARCH MODSEQ 1\n"
                "S: * SEARCH 1 2 (MODSEQ @)\n"
                "S: a OK @\n"
                "C: a STATUS INBOX (HIGHESTMODSEQ)\n"
                "S: * STATUS INBOX (HIGHESTMODSEQ @)\n"
                "S: a OK @\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(test_append_and_select), DIALOGUE(test_append_refused),    DIALOGUE(test_append_line_ends),
        DIALOGUE(test_t165_cut_uploads),  DIALOGUE(test_store_and_expunge), DIALOGUE(test_copy_and_move),
        DIALOGUE(test_condstore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

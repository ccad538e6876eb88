/* IMAP after sign-in, as dialogues over a real store. */
#include "imap/session/world.h"

#include "mail/encoding.h"

static struct world world;

static int start(void **state)
{
    world_start(&world);
    return 0;
}

static int stop(void **state)
{
    world_stop(&world);
    return 0;
}

/* A message of the tests' own, appended by the first connection to INBOX. */
#define MESSAGE                                                                                              \
    "From: Bob <bob@example.test>\r\nTo: alice@example.test\r\nSubject: hello\r\n"                           \
    "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nMessage-ID: <1@example.test>\r\n\r\nHello, Alice.\r\n"

static void append(size_t which, const char *mailbox, const char *flags, struct slice message)
{
    struct client *c = &world.clients[which - 1];
    char line[500];
    int n = snprintf(
        line, sizeof line, "p APPEND %s%s%s {%zu+}\r\n", mailbox, *flags ? " " : "", flags, message.n);
    send_octets(&world, c, slice_of(line, (size_t)n));
    send_octets(&world, c, message);
    send_octets(&world, c, S("\r\n"));
    for (;;) {
        struct slice got = next_line(&world, c);
        if (slice_starts(got, S("* ")))
            continue;
        if (!slice_starts(got, S("p OK [APPENDUID ")))
            fail_msg("APPEND: %.*s", SLICE_ARG(got));
        break;
    }
}

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
    for (int i = 0; i < PATIENCE && !world.clients[0].closed; i++) {
        turn(&world);
        client_read(&world.clients[0]);
    }
    assert_true(world.clients[0].closed);
    assert_int_equal(sessions_count(world.env.sessions), 0);
}

static void test_mailboxes(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a LIST \"\" \"\"\n"
                "S: * LIST (\\Noselect) \"/\" \"\"\n"
                "S: a OK @\n"
                "C: a LIST \"\" INBOX\n"
                "S: * LIST (\\HasNoChildren) \"/\" INBOX\n"
                "S: a OK @\n"
                "C: a CREATE one/two/three/\n"
                "S: a OK @\n"
                "C: a CREATE one\n"
                "S: a NO [ALREADYEXISTS] @\n"
                "C: a CREATE Entw&APw-rfe\n"
                "S: a OK @\n"
                "C: a CREATE &Jjo\n"
                "S: a NO [CANNOT] @\n"
                "C: a CREATE a//b\n"
                "S: a NO [CANNOT] @\n"
                "C: a LIST \"\" one/%\n"
                "S: * LIST (\\HasChildren) \"/\" one/two\n"
                "S: a OK @\n"
                "C: a LIST one/ *\n"
                "S: * LIST (\\HasChildren) \"/\" one/two\n"
                "S: * LIST (\\HasNoChildren) \"/\" one/two/three\n"
                "S: a OK @\n"
                "C: a LIST \"\" Entw*\n"
                "S: * LIST (\\HasNoChildren) \"/\" Entw&APw-rfe\n"
                "S: a OK @\n"
                "C: a RENAME one uno\n"
                "S: a OK @\n"
                "C: a LIST \"\" uno*\n"
                "S: * LIST (\\HasChildren) \"/\" uno\n"
                "S: * LIST (\\HasChildren) \"/\" uno/two\n"
                "S: * LIST (\\HasNoChildren) \"/\" uno/two/three\n"
                "S: a OK @\n"
                "C: a DELETE uno/two\n"
                "S: a OK @\n"
                "C: a LIST \"\" uno/*\n"
                "S: * LIST (\\Noselect \\HasChildren) \"/\" uno/two\n"
                "S: * LIST (\\HasNoChildren) \"/\" uno/two/three\n"
                "S: a OK @\n"
                "C: a SELECT uno/two\n"
                "S: a NO [NONEXISTENT] @\n"
                "C: a DELETE nothing\n"
                "S: a NO [NONEXISTENT] @\n"
                "C: a DELETE INBOX\n"
                "S: a NO [CANNOT] @\n"
                "C: a STATUS uno (MESSAGES UIDNEXT UNSEEN RECENT)\n"
                "S: * STATUS uno (MESSAGES 0 RECENT 0 UIDNEXT 1 UNSEEN 0)\n"
                "S: a OK @\n"
                "C: a STATUS nothing (MESSAGES)\n"
                "S: a NO [NONEXISTENT] @\n");
}

static void test_special_use(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a LIST (SPECIAL-USE) \"\" *\n"
                "S: * LIST (\\HasNoChildren \\Archive) \"/\" Archive\n"
                "S: * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\n"
                "S: * LIST (\\HasNoChildren \\Junk) \"/\" Junk\n"
                "S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
                "S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
                "S: a OK @\n"
                "C: a LIST \"\" (Sent Trash) RETURN (SPECIAL-USE STATUS (MESSAGES))\n"
                "S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
                "S: * STATUS Sent (MESSAGES 0)\n"
                "S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
                "S: * STATUS Trash (MESSAGES 0)\n"
                "S: a OK @\n");
}

static void test_subscriptions(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a CREATE foo/bar/baz\nS: a OK @\nC: a SUBSCRIBE foo/bar/baz\nS: a OK @\nC: a SUBSCRIBE "
                "gone\nS: a OK @\n");
    chat(
        &world, "C: a LSUB \"\" foo*\n"
                "S: * LSUB () \"/\" foo/bar/baz\n"
                "S: a OK @\n"
                "C: a LSUB \"\" foo/%\n"
                "S: * LSUB (\\Noselect) \"/\" foo/bar\n"
                "S: a OK @\n"
                "C: a LSUB \"\" gone\n"
                "S: * LSUB (\\Noselect) \"/\" gone\n"
                "S: a OK @\n"
                "C: a LIST (SUBSCRIBED) \"\" (foo* gone)\n"
                "S: * LIST (\\HasNoChildren \\Subscribed) \"/\" foo/bar/baz\n"
                "S: * LIST (\\NonExistent \\Noselect \\HasNoChildren \\Subscribed) \"/\" gone\n"
                "S: a OK @\n"
                "C: a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" foo\n"
                "S: * LIST (\\HasChildren) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
                "S: a OK @\n"
                "C: a UNSUBSCRIBE foo/bar/baz\n"
                "S: a OK @\n"
                "C: a LSUB \"\" foo*\n"
                "S: a OK @\n");
}

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

static void test_fetch_sections(void **state)
{
    sign_in(&world, 1);
    append(
        1, "INBOX", "",
        S("From: a@example.test\r\nSubject: parts\r\nX-Long: one\r\n two\r\nMIME-Version: 1.0\r\n"
          "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n\r\nfirst\r\n--b\r\n"
          "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n--b--\r\n"));
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    chat(
        &world,
        "C: a FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.TEXT] BODY.PEEK[2.HEADER] BODY.PEEK[1.MIME] BODY.PEEK[3])\n"
        "S: * 1 FETCH (BODY[1] {5}\n"
        "S: first BODY[2.TEXT] {10}\n"
        "S: inner body BODY[2.HEADER] {18}\n"
        "S: Subject: inner\n"
        "S: \n"
        "S:  BODY[1.MIME] {43}\n"
        "S: Content-Type: text/plain; charset=utf-8\n"
        "S: \n"
        "S:  BODY[3] NIL)\n"
        "S: a OK @\n"
        "C: a FETCH 1 BODY.PEEK[HEADER.FIELDS (x-LONG subject nothing)]\n"
        "S: * 1 FETCH (BODY[HEADER.FIELDS (x-LONG subject nothing)] {37}\n"
        "S: Subject: parts\n"
        "S: X-Long: one\n"
        "S:  two\n"
        "S: \n"
        "S: )\n"
        "S: a OK @\n"
        "C: a FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (X-Long From MIME-Version Content-Type)]<3.4>\n"
        "S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (X-Long From MIME-Version Content-Type)]<3> {4}\n"
        "S: ject)\n"
        "S: a OK @\n"
        "C: a FETCH 1 (BODY.PEEK[]<5000.10> BODY.PEEK[1]<1.2>)\n"
        "S: * 1 FETCH (BODY[]<5000> \"\" BODY[1]<1> {2}\n"
        "S: ir)\n"
        "S: a OK @\n"
        "C: a FETCH 1 BODYSTRUCTURE\n"
        "S: * 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 0 NIL "
        "NIL NIL NIL)"
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 28 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 0 NIL NIL NIL NIL) 2 NIL NIL NIL "
        "NIL)"
        " \"mixed\" (\"boundary\" \"b\") NIL NIL NIL))\n"
        "S: a OK @\n"
        "C: a FETCH 1 (FLAGS BODY[1])\n"
        "S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[1] {5}\n"
        "S: first)\n"
        "S: a OK @\n"
        "C: a FETCH 1 RFC822.HEADER\n"
        "S: * 1 FETCH (RFC822.HEADER {@}\n"
        "S: From: a@example.test\n"
        "S: Subject: parts\n"
        "S: X-Long: one\n"
        "S:  two\n"
        "S: MIME-Version: 1.0\n"
        "S: Content-Type: multipart/mixed; boundary=\"b\"\n"
        "S: \n"
        "S: )\n"
        "S: a OK @\n");
}

static void test_envelope(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S(MESSAGE));
    chat(
        &world,
        "C: a EXAMINE INBOX\nS: * FLAGS @\nS: * OK @\nS: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    chat(
        &world, "C: a FETCH 1 (ENVELOPE BODY)\n"
                "S: * 1 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"hello\" "
                "((\"Bob\" NIL \"bob\" \"example.test\")) ((\"Bob\" NIL \"bob\" \"example.test\")) "
                "((\"Bob\" NIL \"bob\" \"example.test\")) ((NIL NIL \"alice\" \"example.test\")) NIL NIL NIL "
                "\"<1@example.test>\") BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
                "\"7bit\" 15 1))\n"
                "S: a OK @\n"
                "C: a FETCH 2 FLAGS\n"
                "S: a BAD there is no message of that number\n"
                "C: a UID FETCH 2:9 FLAGS\n"
                "S: a OK @\n"
                "C: a UID FETCH * FLAGS\n"
                "S: * 1 FETCH (UID 1 FLAGS (\\Recent))\n"
                "S: a OK @\n");
}

static void test_store_and_expunge(void **state)
{
    sign_in(&world, 1);
    for (int i = 0; i < 4; i++)
        append(1, "INBOX", "", S(MESSAGE));
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 4 EXISTS\nS: * 4 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
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
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 3 EXISTS\nS: * 3 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
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
    chat(
        &world, "C: a SELECT INBOX (CONDSTORE)\nS: * FLAGS @\nS: * OK @\nS: * 2 EXISTS\nS: * 2 RECENT\n"
                "S: * OK [UNSEEN 1] @\nS: * OK @\nS: * OK @\nS: * OK [HIGHESTMODSEQ @\nS: a OK @\n");
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

static void test_two_sessions(void **state)
{
    sign_in(&world, 1);
    sign_in(&world, 2);
    for (int i = 0; i < 3; i++)
        append(1, "INBOX", "", S(MESSAGE));
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 3 EXISTS\nS: * 3 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n"
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
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\nC: i IDLE\nS: + idling\n");
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

static void test_search(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "(\\Seen)", S(MESSAGE));
    append(
        1, "INBOX", "\"01-Feb-1994 12:00:00 +0000\"",
        S("From: =?utf-8?B?5Y+w5YyX?= <tw@example.test>\r\nSubject: =?gb2312?B?xOO6ww==?=\r\n"
          "Date: Tue, 1 Feb 1994 23:30:00 -0500\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: "
          "base64\r\n\r\nsbG+qbu2063E4w==\r\n"));
    append(
        1, "INBOX", "(\\Flagged $K)",
        S("From: c@example.test\r\nSubject: GROSS Stra\xc3\x9f"
          "e\r\n\r\nsoft =\r\nbreak is no break in 7bit\r\n"));
    chat(
        &world,
        "C: a EXAMINE INBOX\nS: * FLAGS @\nS: * OK @\nS: * 3 EXISTS\nS: * 3 RECENT\nS: * OK [UNSEEN 2] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    chat(
        &world, "C: a SEARCH ALL\nS: * SEARCH 1 2 3\nS: a OK @\n"
                "C: a UID SEARCH UNSEEN\nS: * SEARCH 2 3\nS: a OK @\n"
                "C: a SEARCH NOT FLAGGED 2:*\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH KEYWORD $k\nS: * SEARCH 3\nS: a OK @\n"
                "C: a SEARCH UNKEYWORD nothing UID 1:2\nS: * SEARCH 1 2\nS: a OK @\n"
                "C: a SEARCH FROM BOB\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH SUBJECT \"hello\" TO Alice@\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH HEADER Message-ID \"\"\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH BODY \"hello, alice\"\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH BODY hello TEXT bob\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH TEXT nothing\nS: * SEARCH\nS: a OK @\n"
                "C: a SEARCH OR FROM bob FLAGGED\nS: * SEARCH 1 3\nS: a OK @\n"
                "C: a SEARCH LARGER 100 SMALLER 190\nS: * SEARCH 1@\nS: a OK @\n"
                "C: a SEARCH SINCE 1-Feb-1994 BEFORE 2-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH ON 1-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH SENTON 1-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH SENTBEFORE 2-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 FROM {6+}\n"
                "C: \xe5\x8f\xb0\xe5\x8c\x97\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 SUBJECT {6+}\n"
                "C: \xe4\xbd\xa0\xe5\xa5\xbd\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 BODY {12+}\n"
                "C: \xe5\x8c\x97\xe4\xba\xac\xe6\xac\xa2\xe8\xbf\x8e\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET GB2312 BODY {4+}\n"
                "C: \xb1\xb1\xbe\xa9\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 SUBJECT {8+}\n"
                "C: STRASSE \nS: * SEARCH\nS: a OK @\n"
                "C: a SEARCH SUBJECT STRASSE\nS: * SEARCH 3\nS: a OK @\n"
                "C: a SEARCH CHARSET x-klingon TEXT a\nS: a NO [BADCHARSET (@UTF-8@)] @\n");
}

/* A text is found wherever the slices cut it: in base64, in another charset, across chunks of the store. */
static void test_search_across_slices(void **state)
{
    static const char needle[] = "\xe5\x8c\x97\xe4\xba\xac"; /* Beijing */
    char script[300] = "C: a SEARCH CHARSET UTF-8 BODY {6+}\nC: \xe5\x8c\x97\xe4\xba\xac\nS: * SEARCH";
    sign_in(&world, 1);
    for (unsigned i = 0; i < 12; i++) {
        struct buf CLEANUP_BUF text = BUF_INIT(1 << 20), CLEANUP_BUF message = BUF_INIT(1 << 20);
        /* near the multiples of 16384 coded octets, and of 65536, and far behind the first slice */
        size_t at = (i % 3 == 0 ? 12288 : i % 3 == 1 ? 49152 : 200000) - 8 + i;
        while (text.n < at)
            buf_put_char(&text, (char)('a' + text.n % 26));
        if (i != 5) {
            buf_put(&text, slice_str(needle));
            snprintf(script + strlen(script), 8, " %u", i + 1);
        }
        while (text.n < 230000)
            buf_put_char(&text, 'z');
        buf_put(
            &message,
            S("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
        encoding_put_base64(&message, buf_slice(&text));
        append(1, "INBOX", "", buf_slice(&message));
    }
    chat(
        &world, "C: a EXAMINE INBOX\nS: * FLAGS @\nS: * OK @\nS: * 12 EXISTS\nS: * 12 RECENT\n"
                "S: * OK [UNSEEN 1] @\nS: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    strcat(script, "\nS: a OK @\n");
    chat(&world, script);
}

/* Long lists leave in slices, each name once. */
static void test_long_list(void **state)
{
    enum { NAMES = 450 };
    bool seen[NAMES] = {false};
    sign_in(&world, 1);
    for (unsigned i = 0; i < NAMES; i++) {
        char script[100];
        snprintf(script, sizeof script, "C: a CREATE box%03u\nS: a OK @\n", i);
        chat(&world, script);
    }
    send_octets(&world, &world.clients[0], S("a LIST \"\" box* RETURN (STATUS (MESSAGES))\r\n"));
    unsigned lists = 0, statuses = 0;
    for (;;) {
        struct slice line = next_line(&world, &world.clients[0]);
        if (slice_starts(line, S("a OK")))
            break;
        statuses += slice_starts(line, S("* STATUS box"));
        if (!slice_starts(line, S("* LIST ")))
            continue;
        unsigned long n = strtoul(line.p + line.n - 3, NULL, 10);
        assert_true(n < NAMES && !seen[n]);
        seen[n] = true;
        lists++;
    }
    assert_int_equal(lists, NAMES);
    assert_int_equal(statuses, NAMES);
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
    chat(
        &world,
        "C: a EXAMINE INBOX\nS: * FLAGS @\nS: * OK @\nS: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n"
        "C: a FETCH 1 (RFC822.SIZE BODY[])\nS: * 1 FETCH (RFC822.SIZE 21 BODY[] {21}\n"
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

/* A client that does not read costs no more than its budget, and others run meanwhile. */
static void test_large_bodies_wait_for_the_reader(void **state)
{
    struct buf CLEANUP_BUF message = BUF_INIT(16 << 20);
    buf_put(&message, S("Subject: x\r\n\r\n"));
    while (message.n < (4 << 20))
        buf_put(&message, S("a line of the body that is long enough to count for something\r\n"));
    sign_in(&world, 1);
    append(1, "INBOX", "", buf_slice(&message));
    chat(
        &world,
        "C: a EXAMINE INBOX\nS: * FLAGS @\nS: * OK @\nS: * 1 EXISTS\nS: * 1 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    send_octets(&world, &world.clients[0], S("a FETCH 1 (BODY.PEEK[] BODY.PEEK[])\r\n"));
    sign_in(&world, 2);
    chat_line(&world, S("C2: b NOOP"));
    chat_line(&world, S("S2: b OK @"));
    size_t got = 0;
    struct client *c = &world.clients[0];
    for (int i = 0; i < 100000; i++) {
        turn(&world);
        client_read(c);
        if (slice_ends(buf_slice(&c->in), S("a OK fetched\r\n")))
            break;
    }
    got = c->in.n;
    assert_true(got > 2 * message.n);
    struct slice text = buf_slice(&c->in);
    size_t at = slice_search(text, S("}\r\n"));
    assert_memory_equal(text.p + at + 3, message.p, message.n);
    at += 3 + message.n;
    assert_true(slice_starts(slice_from(text, at), S(" BODY[] {")));
    at += slice_search(slice_from(text, at), S("}\r\n")) + 3;
    assert_memory_equal(text.p + at, message.p, message.n);
    buf_clear(&c->in);
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

static void poison(uint32_t uid)
{
    struct account *a = account_ref(world.store.all, &world.account);
    struct message m;
    assert_ok(store_enter(&world.store, a));
    assert_ok(message_find(a, store_box(a, "INBOX"), (struct uid){uid}, NULL, &m));
    assert_true(poisoned_add(world.poisoned, &world.account, m.email_id));
    account_unref(&a);
}

/* What killed a keeper three times is an opaque blob: nobody looks into it, and its octets are all there. */
static void test_poisoned_messages_are_blobs(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S(MESSAGE));
    append(1, "INBOX", "", S(MESSAGE));
    poison(1);
    assert_true(poisoned_add(world.poisoned, &world.account, poisoned_mark_append(sizeof MESSAGE - 1)));
    append(1, "INBOX", "", S(MESSAGE));
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\nS: * 3 EXISTS\nS: * 3 RECENT\nS: * OK [UNSEEN 1] @\n"
        "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    for (int i = 1; i <= 3; i += 2) {
        char script[900];
        snprintf(
            script, sizeof script,
            "C: a FETCH %d (ENVELOPE BODY BODYSTRUCTURE)\n"
            "S: * %d FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
            "BODY (\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 162) "
            "BODYSTRUCTURE (\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 162 NIL NIL NIL NIL))\n"
            "S: a OK @\n"
            "C: a FETCH %d BODY.PEEK[HEADER.FIELDS (Subject)]\n"
            "S: * %d FETCH (BODY[HEADER.FIELDS (Subject)] {2}\nS: \nS: )\nS: a OK @\n",
            i, i, i, i);
        chat(&world, script);
        snprintf(
            script, sizeof script,
            "C: a FETCH %d BODY.PEEK[]\nS: * %d FETCH (BODY[] {162}\n"
            "S: From: Bob <bob@example.test>\nS: To: alice@example.test\nS: Subject: hello\n"
            "S: Date: @\nS: Message-ID: @\nS: \nS: Hello, Alice.\nS: )\nS: a OK @\n",
            i, i);
        chat(&world, script);
    }
    chat(
        &world, "C: a SEARCH SUBJECT hello\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH BODY Alice\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH TEXT Alice\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH SENTSINCE 1-Jan-2000\nS: * SEARCH 3\nS: a OK @\n"
                "C: a SEARCH ALL\nS: * SEARCH 1 2 3\nS: a OK @\n"
                "C: a FETCH 2 BODY\nS: * 2 FETCH (BODY (\"text\" @\nS: a OK @\n");
}

int main(void)
{
#define DIALOGUE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        DIALOGUE(test_first_steps),
        DIALOGUE(test_mailboxes),
        DIALOGUE(test_special_use),
        DIALOGUE(test_subscriptions),
        DIALOGUE(test_append_and_select),
        DIALOGUE(test_fetch_sections),
        DIALOGUE(test_envelope),
        DIALOGUE(test_store_and_expunge),
        DIALOGUE(test_copy_and_move),
        DIALOGUE(test_condstore),
        DIALOGUE(test_two_sessions),
        DIALOGUE(test_idle),
        DIALOGUE(test_idle_pipelined),
        DIALOGUE(test_deleted_under_feet),
        DIALOGUE(test_search),
        DIALOGUE(test_search_across_slices),
        DIALOGUE(test_long_list),
        DIALOGUE(test_append_refused),
        DIALOGUE(test_append_line_ends),
        DIALOGUE(test_t165_cut_uploads),
        DIALOGUE(test_large_bodies_wait_for_the_reader),
        DIALOGUE(test_scopes),
        DIALOGUE(test_revoked),
        DIALOGUE(test_poisoned_messages_are_blobs),
        DIALOGUE(test_t158_wrong_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

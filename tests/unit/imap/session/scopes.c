/* The limits of a client password, one by one, against the commands of a session: what is out of sight does not exist, what is
 * not allowed is refused, and both say no more than they must. */
#include "imap/session/world.h"

#include "base/clock.h"
#include "imap/wire/write.h"

#define OLD "\"01-Jan-2020 00:00:00 +0000\""

static struct world world;

static const char *const WITH_FILE =
    "Subject: file\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n--m\r\n"
    "Content-Type: application/pdf; name=a.pdf\r\n\r\nSECRET\r\n--m--\r\n";

/* INBOX: old, new, new with a file. Folders, with one message each, the old one first:
 * Work, Work/Deep, Work/Deep/Deeper, Other/Hidden (whose parent exists). */
static void start(void)
{
    static const char *const folders[] = {"Work", "Work/Deep", "Work/Deep/Deeper", "Other/Hidden"};
    world_start(&world);
    sign_in(&world, 4);
    put_message(&world, 4, "INBOX", OLD, S("Subject: old\r\n\r\nOLD\r\n"));
    put_message(&world, 4, "INBOX", "", S("Subject: new\r\n\r\nNEW\r\n"));
    put_message(&world, 4, "INBOX", "", slice_str(WITH_FILE));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char script[200];
        snprintf(script, sizeof script, "C4: a CREATE %s\nS4: a OK @\n", folders[i]);
        chat(&world, script);
        put_message(&world, 4, folders[i], "", S("Subject: x\r\n\r\nX\r\n"));
    }
    chat(
        &world,
        "C4: a DELETE Sent\nS4: a OK @\nC4: a DELETE Drafts\nS4: a OK @\nC4: a DELETE Junk\nS4: a OK @\n"
        "C4: a DELETE Archive\nS4: a OK @\nC4: a SUBSCRIBE Other/Hidden\nS4: a OK @\n"
        "C4: a UNSUBSCRIBE Sent\nS4: a OK @\nC4: a UNSUBSCRIBE Drafts\nS4: a OK @\n"
        "C4: a UNSUBSCRIBE Junk\nS4: a OK @\nC4: a UNSUBSCRIBE Archive\nS4: a OK @\n"
        "C4: a UNSUBSCRIBE Trash\nS4: a OK @\nC4: a UNSUBSCRIBE INBOX\nS4: a OK @\n"
        "C4: a UNSUBSCRIBE INBOX\nS4: a OK @\n");
}

static void limited(const char *limits)
{
    sign_in_limited(&world, 1, &world.account, limits);
}

static void again(const char *limits)
{
    client_close(&world, &world.clients[0]);
    limited(limits);
}

/* Sends a command and looks at nothing but its tagged answer. */
static void answers(const char *command, const char *wanted)
{
    char line[400];
    struct client *c = &world.clients[0];
    snprintf(line, sizeof line, "t %s\r\n", command);
    send_octets(&world, c, slice_str(line));
    world.said = slice_str(command);
    for (;;) {
        struct slice got = next_line(&world, c);
        if (!slice_starts(got, S("t ")))
            continue;
        snprintf(line, sizeof line, "t %s", wanted);
        if (!line_fits(slice_str(line), got))
            fail_msg("%s: wanted \"%s\", got \"%.*s\"", command, line, SLICE_ARG(got));
        return;
    }
}

/* ---- access: the whole table of commands ---- */

enum { FULL, READ_ONLY, APPEND_ONLY, NO_DELETE, ACCESSES };
static const char *const access_limits[ACCESSES] = {
    "", "access=read-only", "access=append-only", "access=no-delete"};
#define NOPERM "NO [NOPERM] @"

static const struct {
    const char *command;
    const char *answer[ACCESSES]; /* NULL: OK @ */
} access_table[] = {
    {"NOOP", {0}},
    {"CAPABILITY", {0}},
    {"NAMESPACE", {0}},
    {"LIST \"\" *", {0}},
    {"LSUB \"\" *", {0}},
    {"LIST \"\" INBOX RETURN (STATUS (MESSAGES))", {[APPEND_ONLY] = NOPERM}},
    {"STATUS INBOX (MESSAGES)", {[APPEND_ONLY] = NOPERM}},
    {"CREATE Made", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = NOPERM, [NO_DELETE] = NOPERM}},
    {"RENAME Work Made2", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = NOPERM, [NO_DELETE] = NOPERM}},
    {"DELETE Trash", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = NOPERM, [NO_DELETE] = NOPERM}},
    {"SUBSCRIBE INBOX", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = NOPERM, [NO_DELETE] = NOPERM}},
    {"UNSUBSCRIBE INBOX", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = NOPERM, [NO_DELETE] = NOPERM}},
    {"APPEND INBOX {12+}\r\nA: b\r\n\r\nbody", {[READ_ONLY] = NOPERM}},
    {"APPEND INBOX (\\Seen) {12+}\r\nA: b\r\n\r\nbody", {[READ_ONLY] = NOPERM}},
    {"APPEND INBOX (\\Deleted) {12+}\r\nA: b\r\n\r\nbody",
     {[READ_ONLY] = NOPERM, [APPEND_ONLY] = NOPERM, [NO_DELETE] = NOPERM}},
    {"APPEND INBOX {12}", {[FULL] = NULL, [READ_ONLY] = NOPERM}},
    {"EXAMINE INBOX", {[FULL] = "OK [READ-ONLY] @", [APPEND_ONLY] = NOPERM}},
    {"SELECT INBOX",
     {[FULL] = "OK [READ-WRITE] @", [READ_ONLY] = "OK [READ-ONLY] @", [APPEND_ONLY] = NOPERM}},
    {"FETCH 1 BODY[]", {[APPEND_ONLY] = "BAD @"}},
    {"SEARCH ALL", {[APPEND_ONLY] = "BAD @"}},
    {"STORE 1 +FLAGS (\\Flagged)", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @"}},
    {"STORE 1 +FLAGS.SILENT (\\Deleted)",
     {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @", [NO_DELETE] = NOPERM}},
    {"UID STORE 1 FLAGS (\\Seen \\Deleted)",
     {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @", [NO_DELETE] = NOPERM}},
    {"STORE 1 -FLAGS (\\Deleted)", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @"}},
    {"COPY 1 Trash", {[FULL] = "NO [TRYCREATE] @", [READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @"}},
    {"COPY 1 nowhere",
     {[FULL] = "NO [TRYCREATE] @",
      [READ_ONLY] = NOPERM,
      [APPEND_ONLY] = "BAD @",
      [NO_DELETE] = "NO [NONEXISTENT] @"}},
    {"MOVE 1 INBOX", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @", [NO_DELETE] = NOPERM}},
    {"UID MOVE 1 INBOX", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @", [NO_DELETE] = NOPERM}},
    {"EXPUNGE", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @", [NO_DELETE] = NOPERM}},
    {"UID EXPUNGE 1:*", {[READ_ONLY] = NOPERM, [APPEND_ONLY] = "BAD @", [NO_DELETE] = NOPERM}},
    {"CHECK", {[APPEND_ONLY] = "BAD @"}},
    {"CLOSE", {[APPEND_ONLY] = "BAD @"}},
    {"IDLE\r\nDONE", {[APPEND_ONLY] = NOPERM}},
};

static void test_access(void **state)
{
    for (unsigned who = 0; who < ACCESSES; who++) {
        start();
        limited(access_limits[who]);
        for (size_t i = 0; i < sizeof access_table / sizeof *access_table; i++) {
            const char *wanted = access_table[i].answer[who];
            const char *command = access_table[i].command;
            /* a literal that was asked for comes when it is wanted */
            if (slice_ends(slice_str(command), S("{12}")) && !wanted)
                continue;
            answers(command, wanted ? wanted : "OK @");
        }
        if (who == APPEND_ONLY) /* DONE was a line of its own */
            answers("NOOP", "OK @");
        world_stop(&world);
    }
}

/* Nothing changes by looking, and nothing goes by closing. */
static void test_read_only(void **state)
{
    start();
    chat(
        &world, "C4: a SELECT INBOX\nS4: * FLAGS @\nS4: * OK @\nS4: * 3 EXISTS\nS4: * 3 RECENT\nS4: * OK @\n"
                "S4: * OK @\nS4: * OK @\nS4: * OK @\nS4: a OK @\n"
                "C4: a STORE 1 +FLAGS.SILENT (\\Deleted)\nS4: a OK @\n");
    limited("access=read-only");
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK [PERMANENTFLAGS ()] @\nS: * 3 EXISTS\nS: * 0 RECENT\n"
        "S: * OK [UNSEEN 1] @\nS: * OK @\nS: * OK @\nS: * OK @\nS: a OK [READ-ONLY] @\n"
        "C: a FETCH 2 BODY[TEXT]\nS: * 2 FETCH (BODY[TEXT] {5}\nS: NEW\nS: )\nS: a OK @\n"
        "C: a CLOSE\nS: a OK @\nC4: a FETCH 1:2 FLAGS\nS4: * 1 FETCH (FLAGS (\\Deleted \\Recent))\n"
        "S4: * 2 FETCH (FLAGS (\\Recent))\nS4: a OK @\n");
    world_stop(&world);
}

/* What others marked stays, and a copy of it is not marked. */
static void test_no_delete(void **state)
{
    start();
    chat(
        &world,
        "C4: a EXAMINE INBOX\nS4: * FLAGS @\nS4: * OK @\nS4: * 3 EXISTS\nS4: * 3 RECENT\nS4: * OK @\n"
        "S4: * OK @\nS4: * OK @\nS4: * OK @\nS4: a OK @\nC4: a SELECT INBOX\nS4: * FLAGS @\nS4: * OK @\n"
        "S4: * 3 EXISTS\nS4: * 3 RECENT\nS4: * OK @\nS4: * OK @\nS4: * OK @\nS4: * OK @\nS4: a OK @\n"
        "C4: a STORE 1 +FLAGS.SILENT (\\Deleted \\Flagged)\nS4: a OK @\n");
    limited("access=no-delete");
    chat(
        &world,
        "C: a SELECT INBOX\nS: * FLAGS @\nS: * OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Draft \\*)] "
        "@\n"
        "S: * 3 EXISTS\nS: * 0 RECENT\nS: * OK @\nS: * OK @\nS: * OK @\nS: * OK @\nS: a OK [READ-WRITE] @\n"
        "C: a COPY 1 Work\nS: a OK [COPYUID @] @\nC: a CLOSE\nS: a OK @\n"
        "C: a SELECT Work\nS: * FLAGS @\nS: * OK @\nS: * 2 EXISTS\nS: * 2 RECENT\nS: * OK @\nS: * OK @\nS: * "
        "OK @\n"
        "S: * OK @\nS: a OK @\nC: a FETCH 2 FLAGS\nS: * 2 FETCH (FLAGS (\\Flagged \\Recent))\nS: a OK @\n"
        "C4: a FETCH 1 FLAGS\nS4: * 1 FETCH (FLAGS (\\Flagged \\Deleted \\Recent))\nS4: a OK @\n");
    world_stop(&world);
}

/* ---- folders ---- */

static const struct {
    const char *command, *answer;
} folder_table[] = {
    {"SELECT Other/Hidden", "NO [NONEXISTENT] @"},
    {"SELECT Other", "NO [NONEXISTENT] @"},
    {"SELECT INBOX", "NO [NONEXISTENT] @"},
    {"EXAMINE Nowhere", "NO [NONEXISTENT] @"},
    {"SELECT Work", "NO [NONEXISTENT] @"},
    {"STATUS Other/Hidden (MESSAGES UIDVALIDITY)", "NO [NONEXISTENT] @"},
    {"STATUS Nowhere (MESSAGES UIDVALIDITY)", "NO [NONEXISTENT] @"},
    {"DELETE Other/Hidden", "NO [NONEXISTENT] @"},
    {"DELETE Nowhere", "NO [NONEXISTENT] @"},
    {"RENAME Other/Hidden Work/New", "NO [NONEXISTENT] @"},
    {"RENAME Nowhere Work/New", "NO [NONEXISTENT] @"},
    {"RENAME Work/Deep Other/New", "NO [NOPERM] @"},
    {"RENAME Work/Deep Other/Hidden", "NO [NOPERM] @"},
    {"RENAME INBOX Work/New", "NO [NONEXISTENT] @"},
    {"SUBSCRIBE Other/Hidden", "NO [NONEXISTENT] @"},
    {"SUBSCRIBE Nowhere", "NO [NONEXISTENT] @"},
    {"UNSUBSCRIBE Other/Hidden", "NO [NONEXISTENT] @"},
    {"CREATE Other/Hidden", "NO [NOPERM] @"},
    {"CREATE Other/New", "NO [NOPERM] @"},
    {"CREATE Work/", "NO [NOPERM] @"},
    {"CREATE inbox", "NO [NOPERM] @"},
    {"APPEND Other/Hidden {12+}\r\nA: b\r\n\r\nbody", "NO [NONEXISTENT] @"},
    {"APPEND Nowhere {12+}\r\nA: b\r\n\r\nbody", "NO [NONEXISTENT] @"},
    {"APPEND Work/Nowhere {12+}\r\nA: b\r\n\r\nbody", "NO [TRYCREATE] @"},
    {"SELECT Work/Deep", "OK [READ-WRITE] @"},
    {"COPY 1 Other/Hidden", "NO [NONEXISTENT] @"},
    {"COPY 1 Nowhere", "NO [NONEXISTENT] @"},
    {"COPY 1 Work/Nowhere", "NO [TRYCREATE] @"},
    {"UID MOVE 1 Other/Hidden", "NO [NONEXISTENT] @"},
    {"COPY 1 Work/Deep", "OK [COPYUID @] @"},
    {"CREATE Work/New", "OK @"},
    {"RENAME Work/New Work/Newer", "OK @"},
    {"SUBSCRIBE Work/Newer", "OK @"},
    {"DELETE Work/Newer", "OK @"},
};

static void test_folders(void **state)
{
    start();
    limited("folder=Work/*");
    for (size_t i = 0; i < sizeof folder_table / sizeof *folder_table; i++)
        answers(folder_table[i].command, folder_table[i].answer);
    world_stop(&world);
}

static void test_lists(void **state)
{
    start();
    limited("folder=Work/Deep/*\nfolder=Trash");
    chat(
        &world,
        "C: a LIST \"\" *\nS: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
        "S: * LIST (\\Noselect \\HasChildren) \"/\" Work\nS: * LIST (\\Noselect \\HasChildren) \"/\" "
        "Work/Deep\n"
        "S: * LIST (\\HasNoChildren) \"/\" Work/Deep/Deeper\nS: a OK @\n"
        "C: a LIST (SUBSCRIBED) \"\" *\nS: a OK @\nC: a LSUB \"\" *\nS: a OK @\nC: a LSUB \"\" %\nS: a OK @\n"
        "C: a LIST (SPECIAL-USE) \"\" *\nS: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\nS: a OK @\n"
        "C: a LIST \"\" % RETURN (STATUS (MESSAGES))\nS: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
        "S: * STATUS Trash (MESSAGES 0)\nS: * LIST (\\NonExistent \\Noselect \\HasChildren) \"/\" Work\nS: a "
        "OK @\n");
    again("folder=INBOX");
    chat(&world, "C: a LIST \"\" *\nS: * LIST (\\HasNoChildren) \"/\" INBOX\nS: a OK @\n");
    world_stop(&world);
}

/* A mailbox with children that are not seen does not take them along. */
static void test_rename_of_what_is_below(void **state)
{
    start();
    limited("folder=Work\nfolder=Free/*\nfolder=Free");
    answers("RENAME Work Free/Work", "NO [NOPERM] @");
    answers("CREATE Free", "OK @");
    answers("RENAME Free Work", "NO [NOPERM] @");
    answers("CREATE Free/One", "OK @");
    answers("RENAME Free/One Free/Two", "OK @");
    world_stop(&world);
}

/* Whoever has it selected when it goes out of sight is told what anybody would be. */
static void test_selected_goes_out_of_sight(void **state)
{
    start();
    limited("folder=Work/*");
    answers("SELECT Work/Deep", "OK @");
    chat(
        &world, "C4: a RENAME Work/Deep Elsewhere\nS4: a OK @\nC: a FETCH 1 BODY.PEEK[]\n"
                "S: * BYE the selected mailbox was deleted\n");
    again("folder=Elsewhere\nfolder=Work/*");
    answers("SELECT Elsewhere", "OK @");
    chat(
        &world, "C: a IDLE\nS: + idling\nC4: a RENAME Elsewhere Gone\nS4: a OK @\n"
                "S: * BYE the selected mailbox was deleted\n");
    world_stop(&world);
}

/* ---- a window of days ---- */

#define SELECT(box, exists, recent)                                                                          \
    "C: a SELECT " box "\nS: * FLAGS @\nS: * OK @\nS: * " exists " EXISTS\nS: * " recent                     \
    " RECENT\nS: * OK @\n"                                                                                   \
    "S: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n"

static void test_window(void **state)
{
    start();
    limited("days=30");
    chat(
        &world, "C: a STATUS INBOX (MESSAGES RECENT UNSEEN)\nS: * STATUS INBOX (MESSAGES 2 RECENT 2 UNSEEN "
                "2)\nS: a OK @\n"
                "C: a LIST \"\" INBOX RETURN (STATUS (MESSAGES))\nS: * LIST (@) \"/\" INBOX\n"
                "S: * STATUS INBOX (MESSAGES 2)\nS: a OK @\n" SELECT("INBOX", "2", "2"));
    chat(
        &world,
        "C: a FETCH 1:* UID\nS: * 1 FETCH (UID 2)\nS: * 2 FETCH (UID 3)\nS: a OK @\n"
        "C: a UID FETCH 1 BODY[]\nS: a OK @\nC: a UID FETCH 1:2 FLAGS\nS: * 1 FETCH (UID 2 FLAGS "
        "(\\Recent))\nS: a OK @\n"
        "C: a FETCH 3 FLAGS\nS: a BAD @\nC: a SEARCH ALL\nS: * SEARCH 1 2\nS: a OK @\n"
        "C: a UID SEARCH UID 1\nS: * SEARCH\nS: a OK @\nC: a SEARCH TEXT OLD\nS: * SEARCH\nS: a OK @\n"
        "C: a UID COPY 1 Trash\nS: a OK no message was there\nC: a UID MOVE 1 Trash\nS: a OK no message was "
        "there\n"
        "C: a UID COPY 1:2 Trash\nS: a OK [COPYUID @ 2 1] copied\n"
        "C: a UID STORE 1:* +FLAGS.SILENT (\\Flagged)\nS: a OK @\n"
        "C: a DELETE Trash\nS: a NO [NOPERM] @\nC: a RENAME INBOX Elsewhere\nS: a NO [NOPERM] @\n"
        "C4: a STATUS INBOX (MESSAGES)\nS4: * STATUS INBOX (MESSAGES 3)\nS4: a OK @\n");
    /* the hidden one is \Deleted by its owner and stays */
    chat(
        &world,
        "C4: a EXAMINE INBOX\nS4: * FLAGS @\nS4: * OK @\nS4: * 3 EXISTS\nS4: * 0 RECENT\nS4: * OK @\nS4: * "
        "OK @\n"
        "S4: * OK @\nS4: * OK @\nS4: a OK @\nC4: a FETCH 1 FLAGS\nS4: * 1 FETCH (FLAGS ())\nS4: a OK @\n"
        "C4: a SELECT INBOX\nS4: * FLAGS @\nS4: * OK @\nS4: * 3 EXISTS\nS4: * 0 RECENT\nS4: * OK @\nS4: * OK "
        "@\n"
        "S4: * OK @\nS4: * OK @\nS4: a OK @\nC4: a STORE 1 +FLAGS.SILENT (\\Deleted)\nS4: a OK @\n"
        "C: a NOOP\nS: a OK @\nC: a EXPUNGE\nS: a OK @\nC: a UID EXPUNGE 1:*\nS: a OK @\n"
        "C: a STORE 1 +FLAGS.SILENT (\\Deleted)\nS: a OK @\nC: a CLOSE\nS: a OK @\n"
        "C4: a NOOP\nS4: * 2 EXPUNGE\nS4: a OK @\n");
    world_stop(&world);
}

/* News of what is not seen is no news; old mail may be put in and is not seen. */
static void test_window_news(void **state)
{
    start();
    limited("days=30");
    chat(&world, SELECT("INBOX", "2", "2"));
    put_message(&world, 4, "INBOX", OLD, S("Subject: old\r\n\r\nOLD\r\n"));
    chat(&world, "C: a NOOP\nS: a OK @\n");
    put_message(&world, 4, "INBOX", "", S("Subject: newer\r\n\r\nNEW\r\n"));
    chat(
        &world, "C: a NOOP\nS: * 3 EXISTS\nS: * 3 RECENT\nS: a OK @\nC: a FETCH 3 UID\nS: * 3 FETCH (UID "
                "5)\nS: a OK @\n"
                "C: a APPEND INBOX " OLD " {12+}\nC: A: b\nC: \nC: body\nS: a OK [APPENDUID @ 6] stored\n"
                "C: a UID STORE 1:6 +FLAGS.SILENT (\\Deleted)\nS: a OK @\n"
                "C: a EXPUNGE\nS: * 1 EXPUNGE\nS: * 1 EXPUNGE\nS: * 1 EXPUNGE\nS: a OK @\n"
                "C4: a STATUS INBOX (MESSAGES)\nS4: * STATUS INBOX (MESSAGES 3)\nS4: a OK @\n");
    world_stop(&world);
}

/* The third message arrived thirty days ago, but for so many seconds; those thirty days are what is seen. */
static void select_at_the_edge(int seconds)
{
    char date[40];
    struct buf CLEANUP_BUF text = BUF_INIT(100);
    imap_put_date_time(&text, clock_unix_s() - 30LL * 86400 + seconds);
    snprintf(date, sizeof date, SLICE_FMT, SLICE_ARG(buf_slice(&text)));
    put_message(&world, 4, "INBOX", date, S("Subject: edge\r\n\r\nEDGE\r\n"));
    limited("days=30");
    chat(&world, SELECT("INBOX", "3", "3"));
}

/* The clock moves on, and a message leaves at the next moment when it may. */
static void test_window_moves_under_a_session(void **state)
{
    start();
    select_at_the_edge(600);
    clock_set_offset(605000);
    chat(
        &world, "C: a FETCH 3 UID\nS: * 3 FETCH (UID 4)\nS: a OK @\nC: a NOOP\nS: * 3 EXPUNGE\nS: a OK @\n"
                "C: a UID STORE 1:* +FLAGS.SILENT (\\Deleted)\nS: a OK @\nC: a EXPUNGE\nS: * 1 EXPUNGE\nS: * "
                "1 EXPUNGE\n"
                "S: a OK @\nC4: a STATUS INBOX (MESSAGES)\nS4: * STATUS INBOX (MESSAGES 2)\nS4: a OK @\n");
    clock_set_offset(0);
    world_stop(&world);
}

static void test_window_moves_while_idling(void **state)
{
    start();
    select_at_the_edge(600);
    chat(&world, "C: a IDLE\nS: + idling\n");
    clock_set_offset(670000);
    chat(&world, "S: * 3 EXPUNGE\nC: DONE\nS: a OK @\n");
    clock_set_offset(0);
    world_stop(&world);
}

/* ---- attachments ---- */

static void test_attachments(void **state)
{
    start();
    limited("attachments=none");
    chat(&world, SELECT("INBOX", "3", "3"));
    chat(
        &world,
        "C: a FETCH 3 (RFC822.SIZE BODY)\n"
        "S: * 3 FETCH (RFC822.SIZE 297 BODY ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" "
        "5 0)"
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 101 0) \"mixed\"))\nS: a OK @\n"
        "C: a FETCH 3 BODY.PEEK[2]\nS: * 3 FETCH (BODY[2] {101}\n"
        "S: [The attachment \"a.pdf\" (application/pdf, 6 B) is left out: this password does not open "
        "attachments.])\nS: a OK @\n"
        "C: a FETCH 3 BODY.PEEK[2.MIME]<0.40>\nS: * 3 FETCH (BODY[2.MIME]<0> {40}\n"
        "S: Content-Type: text/plain; charset=us-asc)\nS: a OK @\n"
        "C: a SEARCH TEXT SECRET\nS: * SEARCH\nS: a OK @\nC: a SEARCH BODY \"left out\"\nS: * SEARCH 3\nS: a "
        "OK @\n"
        "C: a SEARCH LARGER 296 SMALLER 298\nS: * SEARCH 3\nS: a OK @\nC: a FETCH 3 BODY.PEEK[3]\n"
        "S: * 3 FETCH (BODY[3] NIL)\nS: a OK @\nC: a COPY 3 Trash\nS: a OK @\n");
    world_stop(&world);
}

static void unspent(const struct session *s, void *arg)
{
    *(uint64_t *)arg += s->unspent;
}

/* What is fetched of mail counts against the budget of the day; flags do not. */
static void test_octets_count(void **state)
{
    uint64_t before = 0, after = 0;
    start();
    limited("bytes-day=1000000");
    chat(&world, SELECT("INBOX", "3", "3"));
    answers("FETCH 1:* (UID FLAGS RFC822.SIZE)", "OK @");
    sessions_each(world.env.sessions, unspent, &before);
    assert_int_equal(before, 0);
    answers("FETCH 2 BODY.PEEK[]", "OK @");
    answers("FETCH 2 ENVELOPE", "OK @");
    sessions_each(world.env.sessions, unspent, &after);
    assert_true(after > 21 + 40 && after < 300);
    world_stop(&world);
}

/* What cannot be looked into has nothing to show. */
static void test_poisoned(void **state)
{
    start();
    sign_in(&world, 2);
    struct account *a = account_ref(world.store.all, &world.account);
    const struct mailbox *box;
    struct message m;
    assert_ok(store_enter(&world.store, a));
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    assert_ok(message_find(a, box->id, (struct uid){2}, NULL, &m));
    account_unref(&a);
    poisoned_add(world.poisoned, &world.account, m.email_id);
    limited("attachments=none");
    chat(&world, SELECT("INBOX", "3", "3"));
    answers("SEARCH TEXT NEW", "OK @");
    chat(
        &world, "C: a FETCH 2 BODY.PEEK[HEADER.FIELDS (Subject)]\nS: * 2 FETCH (BODY[HEADER.FIELDS "
                "(Subject)] {2}\nS: \nS: )\n"
                "S: a OK @\nC: a FETCH 2 BODY.PEEK[TEXT]\nS: * 2 FETCH (BODY[TEXT] {@}\nS: [The content of "
                "this message "
                "(application/octet-stream, @\nS: )\nS: a OK @\n");
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_no_delete),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_rename_of_what_is_below),
        cmocka_unit_test(test_selected_goes_out_of_sight),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_window_news),
        cmocka_unit_test(test_window_moves_under_a_session),
        cmocka_unit_test(test_window_moves_while_idling),
        cmocka_unit_test(test_attachments),
        cmocka_unit_test(test_octets_count),
        cmocka_unit_test(test_poisoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

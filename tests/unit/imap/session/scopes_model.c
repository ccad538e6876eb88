/* A session with limits must say what a session without any says of an account that holds nothing but what the limits let
 * through. Two accounts, the same commands, chosen by a seed: but for numbers that nobody promised (UIDs, UIDVALIDITY, MODSEQ) the
 * answers are the same, octet for octet. */
#include "../../../fuzz/redact_check.h"

#include "imap/session/world.h"

#include "base/clock.h"
#include "imap/wire/write.h"

enum { ROUNDS = 60, STEPS = 80, LIMITED = 0, MODEL = 1, OWNER = 2 };
#define TAG "zz9 "

static struct world world;
static struct account_id model_account;
static uint32_t seed;
static char limits[1000], recent[64];
static struct arena scope_memory;
static struct scope scope;
static unsigned old_messages[20]; /* by mailbox */

static const char *const mailboxes[] = {"INBOX",  "Work",         "Work/Deep", "Work/Deep/Deeper",
                                        "Other",  "Other/Hidden", "Trash",     "Sent",
                                        "Drafts", "Junk",         "Archive",   "Archive/2020"};
enum { MAILBOXES = sizeof mailboxes / sizeof *mailboxes };

static unsigned roll(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static const char *any_mailbox(void)
{
    return mailboxes[roll(MAILBOXES)];
}

/* ---- talking ---- */

/* Numbers that may differ become '#'. */
static void put_normal(struct buf *out, struct slice line, bool is_uid_search)
{
    static const char *const words[] = {"UIDVALIDITY ", "UIDNEXT ", "HIGHESTMODSEQ ", "UID "};
    static const char *const sets[] = {"[COPYUID ", "[APPENDUID "};
    while (line.n) {
        size_t skip = 0;
        bool is_set = false;
        for (size_t i = 0; i < 4 && !skip; i++)
            skip = slice_starts(line, slice_str(words[i])) ? strlen(words[i]) : 0;
        for (size_t i = 0; i < 2 && !skip; i++)
            is_set = (skip = slice_starts(line, slice_str(sets[i])) ? strlen(sets[i]) : 0) > 0;
        if (skip) {
            buf_put(out, slice_sub(line, 0, skip));
            line = slice_from(line, skip);
            while (line.n && (is_set ? line.p[0] != ']' : ascii_is_digit(line.p[0])))
                line = slice_from(line, 1);
            buf_put_char(out, '#');
        } else if (slice_starts(line, S("[TRYCREATE]"))) {
            buf_put(out, S("[NONEXISTENT]"));
            line = slice_from(line, 11);
        } else if (is_uid_search && ascii_is_digit(line.p[0])) {
            while (line.n && ascii_is_digit(line.p[0]))
                line = slice_from(line, 1);
            buf_put_char(out, '#');
        } else {
            buf_put_char(out, line.p[0]);
            line = slice_from(line, 1);
        }
    }
    buf_put_char(out, '\n');
}

static void ask(size_t who, const char *command, struct buf *answer)
{
    struct client *c = &world.clients[who];
    bool is_uid_search = strncmp(command, "UID SEARCH", 10) == 0;
    buf_clear(answer);
    world.said = slice_str(command);
    send_octets(&world, c, S(TAG));
    send_octets(&world, c, slice_str(command));
    send_octets(&world, c, S("\r\n"));
    for (;;) {
        struct slice line = next_line(&world, c);
        put_normal(answer, line, is_uid_search);
        if (slice_starts(line, S(TAG)))
            return;
    }
}

static void do_as(size_t who, const char *command)
{
    struct buf CLEANUP_BUF answer = BUF_INIT(1 << 20);
    ask(who, command, &answer);
    if (!slice_starts(buf_slice(&answer), S(TAG "OK")))
        fail_msg("%s: %.*s", command, SLICE_ARG(buf_slice(&answer)));
}

static void both(const char *command)
{
    static struct buf limited = {.limit = 64 << 20}, model = {.limit = 64 << 20};
    ask(LIMITED, command, &limited);
    ask(MODEL, command, &model);
    if (!slice_eq(buf_slice(&limited), buf_slice(&model)))
        fail_msg(
            "with\n%s%s\nthe session says\n%.*s\nand the model\n%.*s", limits, command,
            SLICE_ARG(buf_slice(&limited)), SLICE_ARG(buf_slice(&model)));
}

static void both_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void both_of(const char *format, ...)
{
    char command[500];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    both(command);
}

/* ---- what the accounts hold ---- */

static void choose_limits(void)
{
    static const char *const folders[] = {"Work",     "Work/*", "Work/%", "Other/*",
                                          "Archive*", "Tr*",    "*/Deep*"};
    static const char *const attachments[] = {
        "attachments=none\n", "attachment-type=image/*\n", "attachment-size=20\n",
        "attachment-type=application/pdf\nattachment-size=10\n"};
    limits[0] = 0;
    if (roll(3)) {
        strcat(limits, "folder=INBOX\n");
        for (unsigned i = roll(4); i > 0; i--) {
            const char *pattern = folders[roll(7)];
            if (strstr(limits, pattern))
                continue;
            strcat(limits, "folder=");
            strcat(limits, pattern);
            strcat(limits, "\n");
        }
    }
    if (roll(2))
        strcat(limits, "days=30\n");
    if (roll(3))
        strcat(limits, attachments[roll(4)]);
    arena_done(&scope_memory);
    assert_ok(scope_parse(slice_str(limits), &scope_memory, &scope, NULL));
}

static enum redact_why judge(void *owner, struct slice type, uint64_t size)
{
    if (scope_allows_attachment(&scope, type, size))
        return REDACT_SHOW;
    if (scope.no_attachments)
        return REDACT_ANY;
    return scope.attachment_size && size > scope.attachment_size ? REDACT_SIZE : REDACT_TYPE;
}

static void put_leaf(struct buf *out)
{
    static const char *const leaves[] = {
        "Content-Type: text/plain\r\n\r\nhello\r\nthere",
        "Content-Type: text/html\r\n\r\n<p>hello",
        "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nU0VDUkVU",
        "Content-Type: image/png\r\nContent-Disposition: attachment; filename=b.png\r\nContent-ID: "
        "<x@y>\r\n\r\nSECRET "
        "picture of more than twenty octets",
        "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: image/png\r\n\r\nSECRET inside",
        "Content-Type: image/gif\r\n\r\n",
        "Content-Type: text/plain; name=log.txt\r\n\r\nSECRET log",
    };
    buf_put_str(out, leaves[roll(7)]);
}

static void put_body(struct buf *out, int depth)
{
    static const char *const kinds[] = {"mixed", "alternative", "signed", "related"};
    if (depth == 3 || roll(3) == 0) {
        put_leaf(out);
        return;
    }
    buf_printf(out, "Content-Type: multipart/%s; boundary=b%d-\r\n\r\n", kinds[roll(4)], depth);
    for (unsigned i = 1 + roll(3); i > 0; i--) {
        buf_printf(out, "--b%d-\r\n", depth);
        put_body(out, depth + 1);
        buf_put(out, S("\r\n"));
    }
    buf_printf(out, "--b%d---", depth);
}

static void put_redacted(struct client *c, const char *box, const char *date, struct slice message)
{
    struct redact_check check = {.message = message, .judge = judge};
    redact_check(&check);
    put_message(
        &world, (size_t)(c - world.clients) + 1, box, date,
        check.r.is_changed ? buf_slice(&check.octets) : message);
    redact_check_done(&check);
}

static void add_message(size_t which)
{
    const char *box = mailboxes[which];
    struct buf CLEANUP_BUF message = BUF_INIT(1 << 20);
    bool is_old = roll(2);
    const char *date = is_old ? "\"01-Jan-2020 00:00:00 +0000\"" : recent;
    old_messages[which] += is_old;
    buf_printf(&message, "From: a@example.test\r\nSubject: number %u\r\n", roll(100));
    put_body(&message, 0);
    buf_put(&message, S("\r\n"));
    put_message(&world, OWNER + 1, box, date, buf_slice(&message));
    if (scope_allows_folder(&scope, slice_str(box)) && !(is_old && scope.window_days))
        put_redacted(&world.clients[MODEL], box, date, buf_slice(&message));
}

/* The same mailboxes; those that are not seen go from the model. */
static void fill(void)
{
    static const char *const made[] = {
        "CREATE Work/Deep/Deeper", "CREATE Other/Hidden", "CREATE Archive/2020"};
    char command[200];
    for (size_t i = 0; i < 3; i++) {
        do_as(OWNER, made[i]);
        do_as(MODEL, made[i]);
    }
    for (size_t i = 0; i < MAILBOXES; i++) {
        bool is_seen = scope_allows_folder(&scope, slice_str(mailboxes[i]));
        snprintf(command, sizeof command, "%s %s", roll(2) ? "SUBSCRIBE" : "UNSUBSCRIBE", mailboxes[i]);
        do_as(OWNER, command);
        if (!is_seen)
            snprintf(command, sizeof command, "UNSUBSCRIBE %s", mailboxes[i]);
        do_as(MODEL, command);
        snprintf(command, sizeof command, "DELETE %s", mailboxes[i]);
        if (!is_seen)
            do_as(MODEL, command);
        for (unsigned k = roll(5); k > 0; k--)
            add_message(i);
    }
}

/* ---- the commands ---- */

static void about_names(void)
{
    static const char *const lists[] = {
        "LIST \"\" *",
        "LIST \"\" %",
        "LIST \"\" Work/%",
        "LIST (SUBSCRIBED) \"\" *",
        "LIST (SPECIAL-USE) \"\" *",
        "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %",
        "LIST \"\" * RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)",
        "LIST \"\" * RETURN (STATUS (MESSAGES UNSEEN RECENT))",
        "LSUB \"\" *",
        "LSUB \"\" %"};
    switch (roll(4)) {
    case 0:
        both_of("STATUS %s (MESSAGES UNSEEN RECENT UIDNEXT UIDVALIDITY)", any_mailbox());
        break;
    case 1:
        if (!scope.window_days && !roll(4))
            both_of("DELETE %s", any_mailbox());
        break;
    default:
        both(lists[roll(10)]);
    }
}

static void look_at(const char *set, const char *by)
{
    static const char *const items[] = {
        "FLAGS",
        "FAST",
        "FULL",
        "RFC822.SIZE",
        "BODYSTRUCTURE",
        "BODY",
        "ENVELOPE",
        "BODY[]",
        "BODY.PEEK[]",
        "RFC822",
        "RFC822.HEADER",
        "RFC822.TEXT",
        "BODY.PEEK[1]",
        "BODY.PEEK[2]",
        "BODY.PEEK[1.1]",
        "BODY.PEEK[1.2]",
        "BODY.PEEK[2.MIME]",
        "BODY.PEEK[1.1.MIME]",
        "BODY.PEEK[]<10.200>",
        "BODY.PEEK[TEXT]<3.5>",
        "BODY.PEEK[HEADER.FIELDS (Subject Content-Type)]",
        "BODY.PEEK[1.HEADER]",
        "BODY.PEEK[2.TEXT]",
        "(UID INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[1] BODY.PEEK[])"};
    both_of("%sFETCH %s %s", by, set, items[roll(24)]);
}

static void about_messages(void)
{
    static const char *const searches[] = {
        "ALL",
        "UNSEEN",
        "DELETED",
        "TEXT hello",
        "BODY SECRET",
        "TEXT secret",
        "BODY \"left out\"",
        "LARGER 200",
        "SMALLER 300",
        "SUBJECT number",
        "SINCE 1-Jan-2021",
        "BEFORE 1-Jan-2021",
        "1:*",
        "NOT BODY hello LARGER 100",
        "RECENT",
        "HEADER Content-Type pdf"};
    static const char *const flags[] = {
        "+FLAGS (\\Deleted)", "-FLAGS (\\Deleted)", "FLAGS (\\Seen)", "+FLAGS.SILENT (\\Flagged)"};
    const char *set = roll(2) ? "1:*" : roll(2) ? "1" : "*";
    const char *by = roll(2) ? "" : "UID ";
    if (*by)
        set = "1:*";
    switch (roll(10)) {
    case 0:
        both_of("%sSEARCH %s", by, searches[roll(16)]);
        break;
    case 1:
        both_of("SEARCH %s", searches[roll(16)]);
        break;
    case 2:
        both_of("%sSTORE %s %s", by, set, flags[roll(4)]);
        break;
    case 3:
        both_of("%s%s %s %s", by, roll(3) ? "COPY" : "MOVE", set, any_mailbox());
        break;
    case 4:
        both(roll(2) ? "EXPUNGE" : "UID EXPUNGE 1:*");
        break;
    default:
        look_at(set, by);
    }
}

static void step(void)
{
    switch (roll(8)) {
    case 0:
        about_names();
        break;
    case 1:
        both_of("%s %s", roll(4) ? "SELECT" : "EXAMINE", any_mailbox());
        break;
    case 2:
        both(roll(3) ? "NOOP" : roll(2) ? "CLOSE" : "UNSELECT");
        break;
    default:
        about_messages();
    }
}

/* Selecting all and asking for all, at the end. */
static void compare_all(void)
{
    both("LIST \"\" * RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))");
    for (size_t i = 0; i < MAILBOXES; i++) {
        both_of("EXAMINE %s", mailboxes[i]);
        both("FETCH 1:* (FLAGS RFC822.SIZE BODYSTRUCTURE ENVELOPE BODY.PEEK[])");
        both("SEARCH BODY SECRET");
    }
}

/* Whatever the session did, what it did not see is there, as it was. */
static void compare_unseen(void)
{
    char command[100];
    struct buf CLEANUP_BUF answer = BUF_INIT(1 << 20);
    for (size_t i = 0; i < MAILBOXES && scope.window_days; i++) {
        snprintf(command, sizeof command, "EXAMINE %s", mailboxes[i]);
        ask(OWNER, command, &answer);
        ask(OWNER, "SEARCH BEFORE 1-Jan-2021 UNSEEN UNDELETED UNFLAGGED", &answer);
        unsigned found = 0;
        for (size_t k = 0; answer.p[k] != '\n'; k++)
            found += answer.p[k] == ' ';
        assert_int_equal(found - 1, old_messages[i]);
    }
}

static void test_limits_are_a_smaller_account(void **state)
{
    struct buf CLEANUP_BUF date = BUF_INIT(100);
    scope_memory = ARENA_INIT(1 << 20);
    imap_put_date_time(&date, clock_unix_s() - 3600);
    snprintf(recent, sizeof recent, SLICE_FMT, SLICE_ARG(buf_slice(&date)));
    memset(&model_account, 8, sizeof model_account);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        seed = round * 7919;
        memset(old_messages, 0, sizeof old_messages);
        world_start(&world);
        choose_limits();
        sign_in(&world, OWNER + 1);
        sign_in_limited(&world, MODEL + 1, &model_account, "");
        fill();
        sign_in_limited(&world, LIMITED + 1, &world.account, limits);
        for (unsigned i = 0; i < STEPS; i++)
            step();
        compare_all();
        compare_unseen();
        world_stop(&world);
    }
    arena_done(&scope_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits_are_a_smaller_account)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The SMTP dialogue against what strangers try: rows of the threats by their ids. */
#include "smtp/front/talk.h"

/* ---- T-020, T-021 ---- */

static const struct slice seqs[] = {
#define SEQ(s)                                                                                               \
    {                                                                                                        \
        (s), sizeof(s) - 1                                                                                   \
    }
    SEQ("\n.\n"),       SEQ("\n.\r\n"),     SEQ("\r\n.\n"),       SEQ("\r.\r"),         SEQ("\r.\n"),
    SEQ("\n.\r"),       SEQ("\r.\r\n"),     SEQ("\r\n.\r"),       SEQ("\r\n\x00.\r\n"), SEQ("\r\n.\x00\r\n"),
    SEQ("\r\r\n.\r\n"), SEQ("\r\n.\r\r\n"), SEQ("\r\r\n.\r\r\n"), SEQ("\n\n.\r\n"),
};
#define SMUGGLED                                                                                             \
    "MAIL FROM:<ceo@ours.test>\r\nRCPT TO:<bob@ours.test>\r\nDATA\r\nFrom: ceo@ours.test\r\n\r\nhi"

static void t020_smuggling(void **state)
{
    struct cases t = {"T-020"};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        struct buf message CLEANUP_BUF = BUF_INIT(4096);
        buf_put(&message, S("Subject: a\r\n\r\nlo"));
        size_t at = message.n;
        buf_put(&message, seqs[i]);
        buf_put(&message, S(SMUGGLED "\r\n.\r\n"));
        struct slice all = buf_slice(&message);
        /* whole, cut at each octet of the sequence, and octet by octet, each with and without a slow keeper */
        for (size_t cut = 0; cut <= 2 * (seqs[i].n + 2) + 1; cut++) {
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            f.late = f.lag = cut % 2;
            to_data(&f);
            size_t k = cut / 2;
            if (k > seqs[i].n + 1)
                fake_send(&f, all, 1);
            else if (k > seqs[i].n)
                fake_send(&f, all, all.n);
            else {
                fake_send(&f, slice_sub(all, 0, at + k), all.n);
                fake_send(&f, slice_from(all, at + k), all.n);
            }
            const char *want = seqs[i].p[2] == 0 || seqs[i].p[3] == 0 ? "554 5.6.0" : "554 5.5.2";
            bool nul_only = want[6] == '6';
            bool good = strcmp(codes(&f), "220 250 250 250 354 554") == 0 && f.stored_count == 0 &&
                        f.begins == 1 && smtp_dialogue_is_closed(&f.d) &&
                        (said(&f, want) || (nul_only && said(&f, "554 5.5.2")));
            cases_check(&t, good, codes(&f));
            fake_done(&f);
        }
    }
    cases_end(&t, 126);
}

static void t021_smuggling_in_chunks(void **state)
{
    struct cases t = {"T-021"};
    for (size_t i = 0; i <= sizeof seqs / sizeof *seqs; i++)
        for (unsigned chunks = 0; chunks < 3; chunks++) {
            struct slice seq = i == sizeof seqs / sizeof *seqs ? S("\r\n.\r\n") : seqs[i];
            struct buf message CLEANUP_BUF = BUF_INIT(4096), sent CLEANUP_BUF = BUF_INIT(8192);
            buf_put(&message, S("Subject: a\r\n\r\nlo"));
            buf_put(&message, seq);
            buf_put(&message, S(SMUGGLED "\r\n.\r\n"));
            size_t first = chunks == 0 ? 0 : chunks == 1 ? 17 : 17 + seq.n / 2;
            if (first)
                buf_printf(&sent, "BDAT %zu\r\n", first);
            buf_put(&sent, slice_sub(buf_slice(&message), 0, first));
            buf_printf(&sent, "BDAT %zu LAST\r\n", message.n - first);
            buf_put(&sent, slice_from(buf_slice(&message), first));
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            f.lag = chunks == 1;
            line(&f, "EHLO a.test");
            line(&f, "MAIL FROM:<s@their.test>");
            line(&f, "RCPT TO:<bob@ours.test>");
            fake_send(&f, buf_slice(&sent), chunks == 2 ? 1 : sent.n);
            bool whole = seq.n == 5 && memcmp(seq.p, "\r\n.\r\n", 5) == 0;
            const char *want = whole ? (first ? "220 250 250 250 250 250" : "220 250 250 250 250") : "554";
            bool good = whole ? strcmp(codes(&f), want) == 0 && f.stored_count == 1 &&
                                    slice_eq(buf_slice(&f.stored[0].octets), buf_slice(&message))
                              : f.stored_count == 0 && strstr(codes(&f), want) && f.begins == 1;
            cases_check(&t, good, codes(&f));
            fake_done(&f);
        }
    cases_end(&t, 30);
}

/* T-022: what passes on is what came, whatever it looks like. */
static void t022_odd_messages_pass_unchanged(void **state)
{
    struct cases t = {"T-022 (gate)"};
    static const char *const bodies[] = {
        "no header\r\n", ".\r\n", "..\r\n", "\r\n", "a: b\r\n", "a: b", " folded\r\na: b\r\n\r\nx\r\n", ""};
    for (size_t i = 0; i < 8; i++)
        for (unsigned how = 0; how < 3; how++) {
            struct slice body = slice_str(bodies[i]);
            struct buf sent CLEANUP_BUF = BUF_INIT(256), want CLEANUP_BUF = BUF_INIT(256);
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            line(&f, "EHLO a.test");
            line(&f, "MAIL FROM:<s@their.test>");
            line(&f, "RCPT TO:<bob@ours.test>");
            buf_put(&want, body);
            if (how == 2) {
                buf_printf(&sent, "BDAT %zu LAST\r\n", body.n);
                buf_put(&sent, body);
            } else {
                struct smtp_stuffer st = {0};
                line(&f, "DATA");
                smtp_stuffer_feed(&st, body, &sent);
                if (st.inside)
                    buf_put(&want, S("\r\n"));
                smtp_stuffer_end(&st, &sent);
            }
            fake_send(&f, buf_slice(&sent), how == 1 ? 1 : 1000);
            bool good = f.stored_count == 1 && slice_eq(buf_slice(&f.stored[0].octets), buf_slice(&want));
            cases_check(&t, good, bodies[i]);
            fake_done(&f);
        }
    cases_end(&t, 24);
}

/* T-024 */
static void t024_lines_without_end(void **state)
{
    struct cases t = {"T-024"};
    static const struct {
        const char *start;
        char fill;
        size_t n;
    } rows[] = {{"NOOP ", 'A', 2000000}, {"AUTH PLAIN ", 'A', 20000}, {"", '\r', 100000}, {"", '\0', 100000}};
    for (size_t i = 0; i < 8; i++) {
        struct fake f;
        fake_start(&f, i % 2 ? SMTP_DOOR_SUBMISSION : SMTP_DOOR_MX, i % 2);
        struct buf b CLEANUP_BUF = BUF_INIT(1 << 22);
        buf_put_str(&b, rows[i / 2].start);
        memset(buf_reserve(&b, rows[i / 2].n), rows[i / 2].fill, rows[i / 2].n);
        buf_added(&b, rows[i / 2].n);
        line(&f, "EHLO a.test");
        fake_send(&f, buf_slice(&b), 500);
        bool good =
            strcmp(codes(&f), "220 250 500") == 0 && said(&f, "500 5.5.2") && smtp_dialogue_is_closed(&f.d);
        cases_check(&t, good, codes(&f));
        fake_done(&f);
    }
    cases_end(&t, 8);
}

/* T-025: every error of BDAT ends the transaction, and no octet of a chunk becomes a command. */
static void t025_bdat(void **state)
{
    struct cases t = {"T-025"};
    static const struct {
        unsigned before; /* 0: EHLO only, 1: MAIL, 2: MAIL and RCPT refused, 3: RCPT */
        const char *sent, *want;
    } rows[] = {
        {3, "BDAT 18446744073709551616\r\n", "501"},
        {3, "BDAT -1\r\n", "501"},
        {3, "BDAT 4294967297 LAST\r\n", "501"},
        {3, "BDAT 0x10\r\n", "501"},
        {3, "BDAT \r\n", "501"},
        {3, "BDAT 5 FIRST\r\n", "501"},
        {3, "BDAT LAST\r\n", "501"},
        {0, "BDAT 6\r\nNOOP\r\nRCPT TO:<bob@ours.test>\r\n", "503 503"},
        {1, "BDAT 6\r\nNOOP\r\nRCPT TO:<bob@ours.test>\r\n", "503 503"},
        {2, "BDAT 6 LAST\r\nNOOP\r\nRCPT TO:<bob@ours.test>\r\n", "503 503"},
        {2, "BDAT 0\r\nDATA\r\n", "503 503"},
        {3, "BDAT 5\r\na: b\rDATA\r\n", "250 503"},
        {3, "BDAT 6\r\na: b\r\nDATA\r\n", "250 503"},
        {3, "BDAT 6\r\na: b\r\nMAIL FROM:<>\r\n", "250 503"},
        {3, "BDAT 6\r\na: b\r\nRCPT TO:<alice@ours.test>\r\n", "250 503"},
        {3, "BDAT 6\r\na: b\r\nRSET\r\nBDAT 6 LAST\r\nNOOP\r\n", "250 250 503"},
        {3, "BDAT 6 LAST\r\na: b\r\nBDAT 6 LAST\r\nNOOP\r\n", "250 503"},
        {3, "BDAT 3\r\n\r\n.BDAT 3 LAST\r\n.\r\n", "250 250"},
        {3, "BDAT 1\r\n.BDAT 2\r\n\r\nBDAT 0 LAST\r\n", "250 250 250"},
        {3, "BDAT 4\r\na\nb\nBDAT 6 LAST\r\nNOOP\r\n", "554 503"},
        {3, "BDAT 0 LAST\r\n", "250"},
        {3, "BDAT 250000\r\n", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 100; step += 98) {
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            line(&f, "EHLO a.test");
            if (rows[i].before > 0)
                line(&f, "MAIL FROM:<s@their.test>");
            if (rows[i].before > 1)
                line(&f, rows[i].before == 2 ? "RCPT TO:<x@ours.test>" : "RCPT TO:<bob@ours.test>");
            buf_clear(&f.out);
            fake_send(&f, slice_str(rows[i].sent), step);
            cases_check(&t, strcmp(codes(&f), rows[i].want) == 0, rows[i].sent);
            fake_done(&f);
        }
    /* a refused chunk of any size is read up to the limit, then the connection ends */
    struct fake f;
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    line(&f, "BDAT 4000000000");
    struct buf junk CLEANUP_BUF = BUF_INIT(4096);
    for (int i = 0; i < 250; i++)
        buf_put(&junk, S("NOOP\r\n"));
    for (int i = 0; i < 200; i++)
        fake_send(&f, buf_slice(&junk), 4096);
    cases_check(&t, strcmp(codes(&f), "220 250 503") == 0 && smtp_dialogue_is_closed(&f.d), "endless chunk");
    fake_done(&f);
    cases_end(&t, 20);
}

/* T-027 */
static void t027_nothing_is_left_behind(void **state)
{
    struct cases t = {"T-027"};
    static const struct {
        const char *sent, *want;
    } rows[] = {
        {"RCPT TO:<bob@ours.test>", "503"},
        {"DATA", "503"},
        {"MAIL FROM:<s@their.test>|RCPT TO:<bob@ours.test>|VRFY \xc3\xa9@x|DATA|x: y\r\n.",
         "250 250 252 354 250"},
        {"MAIL FROM:<s@their.test>|MAIL FROM:<t@their.test>|RCPT TO:<bob@ours.test>", "250 503 250"},
        {"MAIL FROM:<s@their.test>|MAIL FROM:<t|RCPT TO:<bob@ours.test>", "250 503 250"},
        {"MAIL FROM:<s@their.test> SIZE=x|RCPT TO:<bob@ours.test>", "501 503"},
        {"MAIL FROM:<s@their.test> SIZE=200001|RCPT TO:<bob@ours.test>", "552 503"},
        {"MAIL FROM:<s@their.test>|RSET|RCPT TO:<bob@ours.test>", "250 250 503"},
        {"MAIL FROM:<s@their.test>|EHLO b.test|RCPT TO:<bob@ours.test>", "250 250 503"},
        {"MAIL FROM:<s@their.test>|ETRN x|DATA", "250 502 503"},
        {"MAIL FROM:<s@their.test>|RCPT TO:<no@ours.test>|DATA|RCPT TO:<bob@ours.test>", "250 550 554 250"},
        {"MAIL FROM:<s@their.test>|RCPT TO:<bob@ours.test>|FOO|NOOP|RSET|DATA", "250 250 500 250 250 503"},
        {"MAIL FROM:<\xc3\xa9@their.test> SMTPUTF8|RCPT TO:<bob@ours.test>|RSET|MAIL "
         "FROM:<s@their.test>|RCPT TO:<\xc3\xa9@ours.test>",
         "250 250 250 250 553"},
        {"MAIL FROM:<s@their.test>|RCPT TO:<bob@ours.test>|DATA|a: b\r\n.|RCPT TO:<bob@ours.test>|DATA",
         "250 250 354 250 503 503"},
        {"HELO c.test|MAIL FROM:<s@their.test>|HELO d.test|DATA", "250 250 250 503"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fake f;
        fake_start(&f, SMTP_DOOR_MX, false);
        line(&f, "EHLO a.test");
        buf_clear(&f.out);
        struct slice rest = slice_str(rows[i].sent), part;
        while (slice_cut(&rest, '|', &part)) {
            char text[512];
            snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(part));
            line(&f, text);
        }
        cases_check(&t, strcmp(codes(&f), rows[i].want) == 0, rows[i].sent);
        fake_done(&f);
    }
    /* after each refusal at the end of data the next RCPT and DATA know nothing of the message before */
    static const enum status refusals[] = {STATUS_FAILED, STATUS_NOT_STORED, STATUS_LOOP, STATUS_DISK_FULL};
    for (size_t i = 0; i < 4; i++) {
        struct fake f;
        fake_start(&f, SMTP_DOOR_MX, false);
        f.verdict = refusals[i];
        to_data(&f);
        fake_send(&f, S("a: b\r\n.\r\n"), 100);
        buf_clear(&f.out);
        line(&f, "RCPT TO:<bob@ours.test>");
        line(&f, "DATA");
        cases_check(
            &t, strcmp(codes(&f), "503 503") == 0 && f.d.envelope.target_count == 0, "after a refusal");
        fake_done(&f);
    }
    cases_end(&t, 15);
}

/* T-029 */
static void t029_talking_ahead(void **state)
{
    struct cases t = {"T-029"};
    static const char *const sent[] = {
        "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@ours.test>\r\nDATA\r\n",
        "NOOP\r\nNOOP\r\n",
    };
    struct fake f;
    for (size_t i = 0; i < 2; i++) {
        fake_start(&f, SMTP_DOOR_MX, false);
        fake_send(&f, slice_str(sent[i]), 1000);
        cases_check(
            &t, strcmp(codes(&f), "220 503") == 0 && smtp_dialogue_is_closed(&f.d) && !f.resolves, sent[i]);
        fake_done(&f);
    }
    fake_start(&f, SMTP_DOOR_MX, false);
    buf_clear(&f.said);
    smtp_dialogue_greet(&f.d, true);
    fake_run(&f);
    cases_check(&t, strcmp(codes(&f), "503") == 0 && smtp_dialogue_is_closed(&f.d), "before the banner");
    fake_done(&f);
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "HELO a.test");
    fake_send(&f, S("MAIL FROM:<s@their.test>\r\nRCPT TO:<bob@ours.test>\r\nDATA\r\nx: y\r\n.\r\n"), 1000);
    cases_check(&t, strcmp(codes(&f), "220 250 503") == 0 && !f.resolves, "HELO, then pipelined");
    fake_done(&f);
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    line(&f, "MAIL FROM:<s@their.test>");
    line(&f, "RCPT TO:<bob@ours.test>");
    fake_send(&f, S("DATA\r\nMAIL FROM:<x@y.test>\r\n"), 1000);
    cases_check(&t, strcmp(codes(&f), "220 250 250 250 503") == 0 && !f.begins, "behind DATA");
    fake_done(&f);
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    fake_send(&f, S("STARTTLS\r\nRSET\r\n"), 1000);
    cases_check(&t, strcmp(codes(&f), "220 250 503") == 0 && !f.tls, "behind STARTTLS");
    fake_done(&f);
    cases_end(&t, 6);
}

/* T-030, in content. */
static void t030_nul_in_content(void **state)
{
    struct cases t = {"T-030 (content)"};
    static const struct slice messages[] = {
        {LIT("From: a@evil.test\0b@ours.test\r\n\r\nx\r\n.\r\n")},
        {LIT("a: b\r\n\r\nx\0y\r\n.\r\n")},
        {LIT("\0\r\n.\r\n")},
        {LIT("a\0: b\r\n.\r\n")},
        {LIT("a: b\r\n\r\n\0.\r\n.\r\n")}};
    for (size_t i = 0; i < 10; i++) {
        struct fake f;
        fake_start(&f, SMTP_DOOR_MX, false);
        to_data(&f);
        fake_send(&f, messages[i / 2], i % 2 ? 1 : 100);
        cases_check(&t, ends_with(&f, "554 5.6.0 the message has a NUL octet\r\n") && !f.stored_count, "NUL");
        fake_done(&f);
    }
    cases_end(&t, 10);
}

/* T-034 */
static void t034_many_recipients(void **state)
{
    struct cases t = {"T-034"};
    static const struct {
        const char *format;
        unsigned rcpts, accepted, targets;
    } rows[] = {
        {"RCPT TO:<u%u@ours.test>", 101, 100, 100},
        {"RCPT TO:<bob@ours.test>%.0u", 1000, 100, 1},
        {"RCPT TO:<a%u@ours.test>", 100, 100, 1},
        {"RCPT TO:<team@ours.test>%.0u", 3, 3, 2}};
    for (size_t i = 0; i < 4; i++) {
        struct fake f;
        fake_start(&f, SMTP_DOOR_MX, false);
        line(&f, "EHLO a.test");
        line(&f, "MAIL FROM:<s@their.test>");
        buf_clear(&f.out);
        for (unsigned k = 0; k < rows[i].rcpts; k++) {
            char text[64];
            snprintf(text, sizeof text, rows[i].format, k);
            char *end = strchr(text, '>');
            end[1] = '\0';
            line(&f, text);
        }
        unsigned ok = f.d.envelope.recipients;
        bool over = rows[i].rcpts > rows[i].accepted;
        line(&f, "DATA");
        fake_send(&f, S("a: b\r\n.\r\n"), 100);
        bool good = ok == rows[i].accepted && over == said(&f, "452 4.5.3") && f.stored_count == 1 &&
                    f.stored[0].targets == rows[i].targets;
        cases_check(&t, good, rows[i].format);
        fake_done(&f);
    }
    cases_end(&t, 4);
}

/* T-038 */
static void t038_errors_and_junk(void **state)
{
    struct cases t = {"T-038"};
    static const struct {
        const char *line;
        unsigned fine;
    } rows[] = {{"FOO", 10}, {"NOOP", 100}, {"RSET", 100}, {"VRFY x", 100}, {"HELO a.test", 100}};
    for (size_t i = 0; i < 5; i++) {
        struct fake f;
        fake_start(&f, SMTP_DOOR_MX, false);
        if (i)
            line(&f, "HELO a.test");
        unsigned fine = rows[i].fine - (i == 4);
        f.d.junk = i == 4 ? 1 : 0; /* the greeting itself was one HELO */
        for (unsigned k = 0; k < fine; k++)
            line(&f, rows[i].line);
        bool open = !smtp_dialogue_is_closed(&f.d) && !said(&f, "421");
        line(&f, rows[i].line);
        bool good = open && smtp_dialogue_is_closed(&f.d) && ends_with(&f, "421 4.7.0 too many errors\r\n");
        cases_check(&t, good, rows[i].line);
        fake_done(&f);
    }
    cases_end(&t, 5);
}

/* T-040, the gate's part: nothing that was refused or cut is left with the keeper. */
static void t040_too_big_or_cut(void **state)
{
    struct cases t = {"T-040 (gate)"};
    struct buf body CLEANUP_BUF = BUF_INIT(1 << 20);
    buf_put(&body, S("a: b\r\n\r\n"));
    while (body.n < FAKE_LIMIT + 1000)
        buf_put(&body, S("0123456789012345678901234567890123456789\r\n"));
    struct slice big = buf_slice(&body);
    struct fake f;
    for (int declared = 0; declared < 2; declared++) {
        fake_start(&f, SMTP_DOOR_MX, false);
        line(&f, "EHLO a.test");
        line(&f, declared ? "MAIL FROM:<s@their.test> SIZE=1" : "MAIL FROM:<s@their.test>");
        line(&f, "RCPT TO:<bob@ours.test>");
        line(&f, "DATA");
        fake_send(&f, big, 16384);
        fake_send(&f, S("\r\n.\r\nNOOP\r\n"), 100);
        bool good = ends_with(&f, "552 5.3.4 the message is too big\r\n250 2.0.0 OK\r\n") &&
                    !f.stored_count && f.drops == 1;
        cases_check(&t, good, codes(&f));
        fake_done(&f);
    }
    fake_start(&f, SMTP_DOOR_MX, false);
    line(&f, "EHLO a.test");
    line(&f, "MAIL FROM:<s@their.test> SIZE=200001");
    cases_check(&t, ends_with(&f, "552 5.3.4 the message is too big\r\n"), "declared");
    fake_done(&f);
    fake_start(&f, SMTP_DOOR_MX, false);
    to_data(&f);
    for (int i = 0; i < 3; i++)
        fake_send(&f, big, 16384);
    cases_check(&t, smtp_dialogue_is_closed(&f.d) && said(&f, "552 5.3.4"), "endless");
    fake_done(&f);
    static const size_t parts[] = {1, 50, 99, 100};
    for (size_t i = 0; i < 4; i++) {
        fake_start(&f, SMTP_DOOR_MX, false);
        to_data(&f);
        fake_send(&f, slice_sub(big, 0, FAKE_LIMIT / 100 * parts[i]), 4096);
        bool held = f.holds;
        smtp_dialogue_done(&f.d);
        cases_check(&t, held && !f.holds && f.drops == 1 && !f.stored_count, "cut");
        fake_done(&f);
    }
    cases_end(&t, 8);
}

/* T-041, the gate's part, and T-123: hops and header sizes. */
static void t041_t123_headers(void **state)
{
    struct cases loops = {"T-041 (gate)"}, sizes = {"T-123 (gate)"};
    static const struct {
        const char *lead, *field;
        unsigned count;
        const char *want;
        bool loop;
    } rows[] = {
        {"", "Received: by x\r\n", 51, "554 5.4.6", true},
        {"", "Received: by x\r\n", 50, "250 2.6.0", true},
        {"", "rEcEiVeD \t: by x\r\n y\r\n", 51, "554 5.4.6", true},
        {"", "Received-SPF: pass\r\n", 51, "250 2.6.0", true},
        {"\r\n", "Received: by x\r\n", 51, "250 2.6.0", true},
        {"", "To: a@b\r\n", 10000, "552 5.3.4", false},
        {"", "To: a@b\r\n", 1000, "250 2.6.0", false},
        {"", "To: a@b\r\n", 1001, "552 5.3.4", false},
        {"To: a@b\r\n", " a@b,\r\n", 20000, "552 5.3.4", false},
        {"To:", " a@b,", 25000, "552 5.3.4", false},
        {"", "xxxxxxxxxxxxxxxxxxxxx", 9000, "552 5.3.4", false},
        {"x: y\r\n", "                    \r\n", 8000, "552 5.3.4", false},
        {"\r\n", "To: a@b\r\n", 10000, "250 2.6.0", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t step = 1; step < 8000; step += 7000) {
            struct buf b CLEANUP_BUF = BUF_INIT(1 << 21);
            buf_put_str(&b, rows[i].lead);
            for (unsigned k = 0; k < rows[i].count; k++)
                buf_put_str(&b, rows[i].field);
            buf_put(&b, S("\r\n\r\nbody\r\n.\r\n"));
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            to_data(&f);
            fake_send(&f, buf_slice(&b), step);
            cases_check(rows[i].loop ? &loops : &sizes, said(&f, rows[i].want), rows[i].field);
            fake_done(&f);
        }
    cases_end(&loops, 5);
    cases_end(&sizes, 12);
}

/* T-042, the gate's part: cut behind every octet, nothing is handed on as complete before the last one. */
static void t042_cut_at_every_octet(void **state)
{
    struct cases t = {"T-042 (gate)"};
    struct buf all CLEANUP_BUF = BUF_INIT(8192);
    static const char *const lines[] = {
        "EHLO a.test\r\n", "MAIL FROM:<s@their.test>\r\n", "RCPT TO:<bob@ours.test>\r\n", "DATA\r\n"};
    for (size_t i = 0; i < 4; i++)
        buf_put_str(&all, lines[i]);
    size_t commands = all.n;
    buf_put(&all, S("Subject: x\r\n\r\n"));
    while (all.n < 2040)
        buf_put(&all, S("0123456789\r\n"));
    buf_put(&all, S(".\r\n"));
    for (size_t k = 0; k <= all.n; k++)
        for (int late = 0; late < 2; late++) {
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            f.late = late;
            for (size_t at = 0, i = 0; at < commands && at < k; at += strlen(lines[i++]))
                fake_send(
                    &f, slice_sub(buf_slice(&all), at, k - at < strlen(lines[i]) ? k - at : strlen(lines[i])),
                    100);
            if (k > commands)
                fake_send(&f, slice_sub(buf_slice(&all), commands, k - commands), 512);
            smtp_dialogue_done(&f.d);
            bool whole = k == all.n;
            cases_check(&t, f.stored_count == (whole ? 1 : 0) && !f.holds, "cut");
            fake_done(&f);
        }
    cases_end(&t, 4000);
}

/* T-045 */
static void t045_dangerous_verbs(void **state)
{
    struct cases t = {"T-045"};
    static const char *const verbs[] = {
        "ETRN a'/**/UNION SELECT 1--",
        "TURN",
        "EXPN staff",
        "SOML FROM:<a@b.test>",
        "DEBUG",
        "WIZ",
        "KILL",
        "HELP x",
        "BURL http://127.0.0.1/ LAST",
        "SAML",
        "ATRN",
        "VERB"};
    for (size_t i = 0; i < 12; i++) {
        struct fake f;
        fake_start(&f, SMTP_DOOR_MX, false);
        line(&f, "EHLO a.test");
        line(&f, "MAIL FROM:<s@their.test>");
        line(&f, verbs[i]);
        bool good =
            ends_with(&f, "502 5.5.1 not offered here\r\n") && f.d.state == SMTP_IN_MAIL && !f.resolves;
        cases_check(&t, good, verbs[i]);
        fake_done(&f);
    }
    cases_end(&t, 12);
}

/* T-046 */
static void t046_foreign_protocols(void **state)
{
    struct cases t = {"T-046"};
    static const struct slice first[] = {
        {LIT("GET / HTTP/1.1\r\nHost: mx.test\r\n\r\n")},
        {LIT("POST / HTTP/1.1\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.test>\r\n")},
        {LIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\nEHLO x\r\n")},
        {LIT("SSH-2.0-OpenSSH_9.2\r\n")},
        {LIT("\x16\x03junk\r\nEHLO x\r\n")},
        {LIT("\x03\x00\x00\x2f\x2a\xe0\x00\x00\x00\x00\x00"
             "Cookie: mstshash=a\r\n")},
        {LIT("OPTIONS * HTTP/1.0\r\n\r\n")},
        {LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")}};
    for (size_t i = 0; i < 8; i++)
        for (size_t step = 1; step < 1000; step += 998) {
            struct fake f;
            fake_start(&f, SMTP_DOOR_MX, false);
            fake_send(&f, first[i], step);
            cases_check(
                &t, strcmp(codes(&f), "220") == 0 && smtp_dialogue_is_closed(&f.d) && !f.resolves,
                first[i].p);
            fake_done(&f);
        }
    cases_end(&t, 8);
}

/* T-047: no form of address opens a relay, whoever it is said to come from. */
static void t047_no_open_relay(void **state)
{
    struct cases t = {"T-047 (gate)"};
    static const char *const forms[] = {
        "user%their.test@ours.test",
        "@ours.test:user@their.test",
        "@a.test,@b.test:user@their.test",
        "their.test!user",
        "their.test!user@ours.test",
        "\"user@their.test\"@ours.test",
        "\"user%their.test\"",
        "user@their.test@ours.test",
        "user@ours.test@their.test",
        "user@their.test.",
        "user@[192.0.2.9]",
        "user@mx.test",
        "user@sub.ours.test",
        "user%x@OURS.TEST.",
        "user@ours.test%00",
        "user\xef\xbc\xa0their.test",
        "user@their.test",
        "user@their.test%ours.test",
        "\"@their.test:user\"@ours.test",
        "user@[IPv6:2001:db8::9]"};
    static const char *const senders[] = {"", "postmaster@ours.test", "alice@ours.test", "s@their.test"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (size_t k = 0; k < 4; k++)
            for (int how = 0; how < 2; how++) {
                struct fake f;
                char text[256];
                fake_start(&f, SMTP_DOOR_MX, how);
                line(&f, how ? "EHLO ours.test" : "HELO ours.test");
                snprintf(text, sizeof text, "MAIL FROM:<%s>", senders[k]);
                line(&f, text);
                snprintf(text, sizeof text, "RCPT TO:<%s>", forms[i]);
                buf_clear(&f.out);
                line(&f, text);
                const char *code = codes(&f);
                bool good = (strcmp(code, "501") == 0 || strcmp(code, "553") == 0 ||
                             (strcmp(code, "550") == 0 && (said(&f, "5.7.1") || said(&f, "5.1.3")))) &&
                            f.d.envelope.target_count == 0;
                cases_check(&t, good, text);
                fake_done(&f);
            }
    cases_end(&t, 160);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t020_smuggling),
        cmocka_unit_test(t021_smuggling_in_chunks),
        cmocka_unit_test(t022_odd_messages_pass_unchanged),
        cmocka_unit_test(t024_lines_without_end),
        cmocka_unit_test(t025_bdat),
        cmocka_unit_test(t027_nothing_is_left_behind),
        cmocka_unit_test(t029_talking_ahead),
        cmocka_unit_test(t030_nul_in_content),
        cmocka_unit_test(t034_many_recipients),
        cmocka_unit_test(t038_errors_and_junk),
        cmocka_unit_test(t040_too_big_or_cut),
        cmocka_unit_test(t041_t123_headers),
        cmocka_unit_test(t042_cut_at_every_octet),
        cmocka_unit_test(t045_dangerous_verbs),
        cmocka_unit_test(t046_foreign_protocols),
        cmocka_unit_test(t047_no_open_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

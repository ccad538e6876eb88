/* T-169 in small: several sessions on one mailbox do what comes to a seeded mind, and a model of what each client must
 * believe is kept from the answers alone. At rest all agree with the store: no UID twice, no lost flag, no EXPUNGE during
 * FETCH, STORE or SEARCH by sequence number, UIDs ascending. */
#include "imap/session/world.h"

enum { SESSIONS = 3, STEPS = 3000, KNOWN = 4096 };

/* What a client knows: its list of messages, by sequence number. */
struct belief {
    uint32_t uids[KNOWN]; /* 0: not fetched yet */
    size_t n;
    bool no_expunge; /* a command runs that forbids it */
};

static struct world world;
static struct belief beliefs[SESSIONS];
static uint32_t seed = 1;
static unsigned tags;

static unsigned roll(unsigned below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static uint64_t take_number(struct slice *s)
{
    uint64_t n = 0;
    for (; s->n && ascii_is_digit(s->p[0]); *s = slice_from(*s, 1))
        n = n * 10 + (uint64_t)(s->p[0] - '0');
    return n;
}

static void hear_fetch(struct belief *b, uint64_t sequence, struct slice line)
{
    assert_true(sequence >= 1 && sequence <= b->n);
    size_t at = slice_search(line, S("UID "));
    if (at == SLICE_NPOS)
        return;
    struct slice rest = slice_from(line, at + 4);
    uint32_t uid = (uint32_t)take_number(&rest);
    uint32_t *known = &b->uids[sequence - 1];
    assert_true(*known == 0 || *known == uid);
    *known = uid;
    for (size_t i = 0; i + 1 < sequence; i++)
        assert_true(b->uids[i] == 0 || b->uids[i] < uid);
}

static void hear(struct belief *b, struct slice line)
{
    if (!slice_starts(line, S("* ")) || line.n < 3 || !ascii_is_digit(line.p[2]))
        return;
    struct slice rest = slice_from(line, 2);
    uint64_t n = take_number(&rest);
    if (slice_eq(rest, S(" EXISTS"))) {
        assert_true(n >= b->n && n < KNOWN);
        memset(b->uids + b->n, 0, (n - b->n) * sizeof *b->uids);
        b->n = n;
    } else if (slice_eq(rest, S(" EXPUNGE"))) {
        assert_true(n >= 1 && n <= b->n);
        assert_false(b->no_expunge);
        memmove(b->uids + n - 1, b->uids + n, (b->n - n) * sizeof *b->uids);
        b->n--;
    } else if (slice_starts(rest, S(" FETCH "))) {
        hear_fetch(b, n, rest);
    }
}

/* Runs one command to its tagged answer; returns that. */
static struct slice command(size_t who, bool no_expunge, const char *format, ...)
{
    static char line[1000], tag[16];
    va_list args;
    struct client *c = &world.clients[who];
    snprintf(tag, sizeof tag, "t%u ", ++tags);
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    beliefs[who].no_expunge = no_expunge;
    send_octets(&world, c, slice_str(tag));
    send_octets(&world, c, slice_str(line));
    send_octets(&world, c, S("\r\n"));
    for (;;) {
        struct slice got = next_line(&world, c);
        if (slice_starts(got, slice_str(tag))) {
            beliefs[who].no_expunge = false;
            return slice_from(got, strlen(tag));
        }
        hear(&beliefs[who], got);
    }
}

static void expect_ok(struct slice answer)
{
    if (!slice_starts(answer, S("OK")))
        fail_msg("wanted OK, got %.*s", SLICE_ARG(answer));
}

static void random_step(size_t who)
{
    struct belief *b = &beliefs[who];
    unsigned n = b->n ? 1 + roll((unsigned)b->n) : 0;
    switch (roll(12)) {
    case 0:
    case 1:
    case 2:
        expect_ok(command(who, false, "APPEND INBOX {20+}\r\nSubject: x\r\n\r\nhi\r\n\r\n"));
        break;
    case 3:
        if (n)
            expect_ok(command(who, true, "STORE %u +FLAGS (\\Deleted)", n));
        break;
    case 4:
        if (n)
            expect_ok(command(who, true, "STORE %u:* FLAGS.SILENT (\\Seen $k%u)", n, roll(5)));
        break;
    case 5:
        expect_ok(command(who, false, "EXPUNGE"));
        break;
    case 6:
        if (n)
            expect_ok(command(who, true, "FETCH %u:* (FLAGS UID)", n));
        break;
    case 7:
        expect_ok(command(who, false, "UID FETCH 1:* (FLAGS)"));
        break;
    case 8:
        if (n)
            expect_ok(command(who, false, "MOVE %u Trash", n));
        break;
    case 9:
        if (n)
            expect_ok(command(who, false, "COPY %u INBOX", n));
        break;
    case 10:
        expect_ok(command(who, true, "SEARCH UNDELETED"));
        break;
    default:
        expect_ok(command(who, false, "NOOP"));
    }
}

static void select_inbox(size_t who)
{
    sign_in(&world, who + 1);
    memset(&beliefs[who], 0, sizeof beliefs[who]);
    expect_ok(command(who, false, "SELECT INBOX"));
}

/* All sessions, asked at rest, believe the same. */
static void compare_all(void)
{
    static char first[1 << 20], other[1 << 20];
    for (size_t who = 0; who < SESSIONS; who++) {
        char *into = who ? other : first;
        size_t used = 0;
        expect_ok(command(who, false, "NOOP"));
        send_octets(&world, &world.clients[who], S("z UID FETCH 1:* FLAGS\r\n"));
        for (;;) {
            struct slice line = next_line(&world, &world.clients[who]);
            if (slice_starts(line, S("z ")))
                break;
            hear(&beliefs[who], line);
            /* \Recent is each session's own */
            size_t at = slice_search(line, S("\\Recent"));
            for (size_t i = 0; i < line.n; i++)
                if ((at == SLICE_NPOS || i < at || i >= at + 7) && line.p[i] != ' ')
                    into[used++] = line.p[i];
            into[used++] = '\n';
        }
        into[used] = 0;
        if (who)
            assert_string_equal(first, other);
    }
    for (size_t who = 1; who < SESSIONS; who++) {
        assert_int_equal(beliefs[who].n, beliefs[0].n);
        assert_memory_equal(beliefs[who].uids, beliefs[0].uids, beliefs[0].n * sizeof(uint32_t));
    }
}

static void test_t169_sessions_agree(void **state)
{
    world_start(&world);
    for (size_t who = 0; who < SESSIONS; who++)
        select_inbox(who);
    for (unsigned step = 0; step < STEPS; step++) {
        size_t who = roll(SESSIONS);
        if (roll(200) == 0) {
            client_close(&world, &world.clients[who]);
            select_inbox(who);
        }
        random_step(who);
        if (step % 500 == 499)
            compare_all();
    }
    compare_all();
    world_stop(&world);
    report_threat("T-169", STEPS);
}

/* Runs a command and counts the answers that end so. */
static unsigned count_answers(size_t who, const char *text, const char *ending)
{
    struct client *c = &world.clients[who];
    unsigned n = 0;
    send_octets(&world, c, S("c "));
    send_octets(&world, c, slice_str(text));
    send_octets(&world, c, S("\r\n"));
    for (;;) {
        struct slice line = next_line(&world, c);
        if (slice_starts(line, S("c OK")))
            return n;
        n += slice_ends(line, slice_str(ending));
    }
}

/* Nine thousand changes by one session are told to another in portions, each once. */
static void test_many_changes(void **state)
{
    enum { MESSAGES = 1125, ALL = 8 * MESSAGES };
    world_start(&world);
    select_inbox(0);
    for (int i = 0; i < MESSAGES; i++)
        expect_ok(command(0, false, "APPEND Archive {20+}\r\nSubject: x\r\n\r\nhi\r\n\r\n"));
    expect_ok(command(0, false, "SELECT Archive"));
    beliefs[0].n = MESSAGES;
    for (int i = 0; i < 8; i++)
        expect_ok(command(0, false, "COPY 1:* INBOX"));
    sign_in(&world, 2);
    chat(
        &world,
        "C2: b SELECT INBOX\nS2: * FLAGS @\nS2: * OK @\nS2: * 9000 EXISTS\nS2: * 9000 RECENT\nS2: * OK @\n"
        "S2: * OK @\nS2: * OK @\nS2: * OK @\nS2: b OK @\nC: a SELECT INBOX\nS: * FLAGS @\nS: * OK @\n"
        "S: * 9000 EXISTS\nS: * 0 RECENT\nS: * OK @\nS: * OK @\nS: * OK @\nS: * OK @\nS: a OK @\n");
    assert_int_equal(count_answers(0, "STORE 1:* +FLAGS (\\Seen)", " FETCH (FLAGS (\\Seen))"), ALL);
    assert_int_equal(count_answers(1, "NOOP", " FETCH (FLAGS (\\Seen \\Recent))"), ALL);
    chat(&world, "C: a STORE 1:* +FLAGS.SILENT (\\Deleted)\nS: a OK @\nC: a CLOSE\nS: a OK @\n");
    assert_int_equal(count_answers(1, "SEARCH ALL", " EXPUNGE"), 0);
    assert_int_equal(count_answers(1, "NOOP", "* 1 EXPUNGE"), ALL);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t169_sessions_agree),
        cmocka_unit_test(test_many_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

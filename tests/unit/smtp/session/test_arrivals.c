/* Messages arriving at two keepers over their real stores. */
#include "house.h"

#include "keeper/poisoned.h"
#include "mail/structure.h"

static void messages_are_stored_octet_for_octet(void **state)
{
    struct cases t = {"T-022 (keeper)"};
    struct house *h = house_new();
    struct buf big CLEANUP_BUF = BUF_INIT(1 << 20), header CLEANUP_BUF = BUF_INIT(1 << 20);
    buf_put(&header, S("X: y\r\n"));
    for (int i = 0; i < 900; i++)
        buf_printf(
            &header, "X-Long-%d: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n",
            i);
    const struct slice letters[] = {
        S("a: b\r\n\r\nhi\r\n"),
        S("no header\r\n"),
        S(".\r\n"),
        S("\r\n"),
        S("a: b\r\n"),
        S("a: b"),
        S(" folded\r\na: b\r\n\r\nx\r\n"),
        S(""),
        S("a: b\r\n\r\n\r\n.\r\nMAIL FROM:<x@y>\r\n"),
        S("From x\r\na: b\r\n\r\n"),
        big_message(&big, 500000),
        buf_slice(&header)};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        for (unsigned how = 0; how < 3; how++) {
            struct letter l = {.from = how ? "s@their.test" : "", .first = how == 1, .n = how == 2 ? 4 : 1};
            bool good = post(h, &l, letters[i]) == ARRIVE_OUTCOME_STORED;
            for (unsigned k = 0; k < l.n && good; k++)
                good = newest_is(h, l.first + k, l.from, letters[i]);
            cases_check(&t, good, letters[i].n < 100 ? letters[i].p : "long");
        }
    cases_check(&t, files_in_tmp(h) == 0, "nothing left in tmp/");
    cases_end(&t, 24);
    house_free(h);
}

static void pieces_of_any_size_are_one_message(void **state)
{
    struct house *h = house_new();
    struct letter l = {.from = "s@their.test", .n = 1};
    for (size_t piece = 1; piece < 40; piece += 6) {
        uint32_t end = 0;
        begin(h, &l);
        ask(h); /* the question may come before the octets */
        put(h, S("Subject: x\r\n\r\nbody of the message\r\n"), piece);
        put_all(h, &end, 2);
        turns(h, 3);
        assert_false(h->answered);
        put_all(h, (char *)&end + 2, 2);
        wait_for_answer(h);
        assert_int_equal(h->outcome, ARRIVE_OUTCOME_STORED);
        assert_true(newest_is(h, 0, "s@their.test", S("Subject: x\r\n\r\nbody of the message\r\n")));
    }
    house_free(h);
}

/* T-042, T-040: without the closing frame nothing is stored, and no file stays. */
static void t042_t040_cut_messages_leave_nothing(void **state)
{
    struct cases t = {"T-042 (keeper)"};
    struct house *h = house_new();
    struct buf big CLEANUP_BUF = BUF_INIT(1 << 20), frames CLEANUP_BUF = BUF_INIT(1 << 20);
    struct letter l = {.from = "s@their.test", .n = 2};
    struct slice small = S("Subject: x\r\n\r\nbody\r\n");
    uint32_t length = htole32((uint32_t)small.n), end = 0;
    buf_put(&frames, slice_of(&length, 4));
    buf_put(&frames, small);
    buf_put(&frames, slice_of(&end, 4));
    for (size_t k = 0; k < frames.n; k++)
        for (int how = 0; how < 2; how++) {
            begin(h, &l);
            put_all(h, frames.p, k);
            if (how)
                cancel(h);
            close(TAKE(h->octets, -1));
            turns(h, 4);
            ask(h);
            TURN_UNTIL(h->loop, h->answered);
            cases_check(&t, h->outcome != ARRIVE_OUTCOME_STORED, "cut");
        }
    struct slice whole = big_message(&big, 400000);
    for (unsigned percent = 1; percent < 100; percent += 14) {
        begin(h, &l);
        put(h, slice_sub(whole, 0, whole.n / 100 * percent), 30000);
        turns(h, 3);
        close(TAKE(h->octets, -1));
        TURN_UNTIL(h->loop, files_in_tmp(h) == 0);
        cases_check(&t, true, "no file stays");
    }
    cases_check(&t, copies(h, 0) == 0 && copies(h, 1) == 0, "nothing stored");
    cases_end(&t, 50);
    house_free(h);
}

/* T-041: our own mark, and hops. */
static void t041_loops(void **state)
{
    struct cases t = {"T-041 (keeper)"};
    struct house *h = house_new();
    struct letter one = {.from = "", .n = 1}, both = {.from = "", .n = 2};
    struct buf hops CLEANUP_BUF = BUF_INIT(65536);
    cases_check(
        &t, post(h, &one, S("Delivered-To: u0@ours.test\r\nA: b\r\n\r\n")) == ARRIVE_OUTCOME_LOOP,
        "own mark");
    cases_check(
        &t, post(h, &one, S("delivered-to:\tU0@Ours.Test \r\nA: b\r\n\r\n")) == ARRIVE_OUTCOME_LOOP, "case");
    cases_check(
        &t, post(h, &both, S("Delivered-To: u1@ours.test\r\n\r\n")) == ARRIVE_OUTCOME_LOOP, "of the second");
    cases_check(
        &t, post(h, &one, S("Delivered-To: u1@ours.test\r\n\r\n")) == ARRIVE_OUTCOME_STORED,
        "somebody else's");
    cases_check(
        &t, post(h, &one, S("A: b\r\n\r\nDelivered-To: u0@ours.test\r\n")) == ARRIVE_OUTCOME_STORED,
        "in the body");
    for (int i = 0; i < 50; i++)
        buf_put(&hops, S("Received: by x\r\n"));
    size_t fifty = hops.n;
    buf_put(&hops, S("Received: by x\r\n\r\n"));
    cases_check(&t, post(h, &one, buf_slice(&hops)) == ARRIVE_OUTCOME_LOOP, "51");
    cases_check(&t, post(h, &one, slice_sub(buf_slice(&hops), 0, fifty)) == ARRIVE_OUTCOME_STORED, "50");
    cases_end(&t, 5);
    house_free(h);
}

static void too_big_is_refused(void **state)
{
    struct house *h = house_new();
    struct buf big CLEANUP_BUF = BUF_INIT(4 << 20);
    struct letter l = {.from = "", .n = 1};
    assert_int_equal(post(h, &l, big_message(&big, (1 << 20) + 1)), ARRIVE_OUTCOME_TOO_BIG);
    assert_int_equal(copies(h, 0), 0);
    assert_int_equal(files_in_tmp(h), 0);
    house_free(h);
}

/* ---- submission ---- */

static uint64_t sign_in(struct house *h, int *ret_fd)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    struct session_start start = {
        .id = 77,
        .grant =
            {.account = h->id[0],
             .service = SERVICE_SUBMISSION,
             .can_send = true,
             .credential = 5,
             .version = 1},
        .fd = pair[0]};
    assert_ok(submission_session_start(&h->keeper[0].env, &start));
    *ret_fd = pair[1];
    return 77;
}

/* T-080 */
static void t080_only_own_addresses(void **state)
{
    struct cases t = {"T-080 (keeper)"};
    static const struct {
        const char *from, *header;
        bool fine;
    } rows[] = {
        {"alice@ours.test", "From: alice@ours.test\r\n", true},
        {"alice@ours.test", "From: Alice <alice@ours.test>\r\n", true},
        {"alice@ours.test", "From: \"bob@ours.test\" <alice@ours.test>\r\n", true},
        {"alice@ours.test", "From: a.lias@ours.test\r\n", true},
        {"alice@ours.test", "From: alice@ours.test, a.lias@ours.test\r\nSender: alice@ours.test\r\n", true},
        {"", "From: alice@ours.test\r\n", true},
        {"alice@ours.test", "From: alice@OURS.test\r\n", true},
        {"alice@ours.test", "from\t: alice@ours.test\r\n", true},
        {"alice@ours.test", "From:\r\n alice@ours.test\r\n", true},
        {"alice@ours.test", "From: Us: alice@ours.test;\r\n", true},
        {"bob@ours.test", "From: alice@ours.test\r\n", false},
        {"alice@ours.test", "From: bob@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test, bob@ours.test\r\n", false},
        {"alice@ours.test", "From: bob@ours.test, alice@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test\r\nFrom: bob@ours.test\r\n", false},
        {"alice@ours.test", "From: bob@ours.test\r\nFrom: alice@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test\r\nfrom : bob@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test\r\nSender: bob@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test\r\nSender: alice@ours.test\r\nSender: bob@ours.test\r\n",
         false},
        {"alice@ours.test", "Subject: none\r\n", false},
        {"alice@ours.test", "From:\r\n", false},
        {"alice@ours.test", "From: \r\n", false},
        {"alice@ours.test", "From: alice\r\n", false},
        {"alice@ours.test", "From: <>\r\n", false},
        {"alice@ours.test", "From: ;\r\n", false},
        {"alice@ours.test", "From: Us:;\r\n", false},
        {"alice@ours.test", "From: Us: bob@ours.test;\r\n", false},
        {"alice@ours.test", "From: Us: alice@ours.test;, bob@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@their.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test.evil.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test@evil.test\r\n", false},
        {"alice@ours.test", "From: <alice@ours.test> <bob@ours.test>\r\n", false},
        {"alice@ours.test", "From: <alice@ours.test>bob@ours.test\r\n", false},
        {"alice@ours.test", "From: bob@ours.test <alice@ours.test>\r\n", false},
        {"alice@ours.test", "From: <@evil.test:alice@ours.test>\r\n", false},
        {"alice@ours.test", "From: <bob@ours.test> (alice@ours.test)\r\n", false},
        {"alice@ours.test", "From: \"alice@ours.test\" <bob@ours.test>\r\n", false},
        {"alice@ours.test", "From: \xd0\xb0lice@ours.test\r\n", false},
        {"alice@ours.test", "From: =?utf-8?q?alice=40ours=2Etest?= <bob@ours.test>\r\n", false},
        {"alice@ours.test", "From: =?utf-8?q?alice=40ours=2Etest?=\r\n", false},
        {"alice@ours.test", "From: bob@ours.test (\r\n", false},
        {"alice@ours.test", "From: alice@ours.test (\r\n", false},
        {"alice@ours.test", "From: \"alice@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test,\r\n\tbob@ours.test\r\n", false},
        {"alice@ours.test", "junk without a colon\r\nFrom: alice@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@ours.test\r\njunk without a colon\r\nFrom: bob@ours.test\r\n",
         false},
        {"alice@ours.test", "From: alice@ours.test\r\n: x\r\nSubject: y\r\n", false},
        {"alice@ours.test", " From: bob@ours.test\r\nFrom: alice@ours.test\r\n", false},
        {"alice@ours.test", "From bob\r\nFrom: alice@ours.test\r\n", false},
        {"alice@ours.test", "From: alice@[192.0.2.1]\r\n", false},
    };
    struct house *h = house_new();
    int fd;
    uint64_t session = sign_in(h, &fd);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned many = 1; many < 3; many++) {
            struct buf b CLEANUP_BUF = BUF_INIT(4096);
            buf_put_str(&b, rows[i].header);
            buf_put(&b, S("Subject: x\r\n\r\nbody\r\n"));
            struct letter l = {.from = rows[i].from, .first = 2, .n = many, .session = session};
            unsigned before = copies(h, 2);
            enum ipc_arrive_outcome outcome = post(h, &l, buf_slice(&b));
            bool stored = copies(h, 2) == before + 1;
            bool good =
                rows[i].fine
                    ? outcome == ARRIVE_OUTCOME_STORED && stored
                    : (outcome == ARRIVE_OUTCOME_SENDER || outcome == ARRIVE_OUTCOME_HEADER) && !stored;
            cases_check(&t, good, rows[i].header);
        }
    close(fd);
    cases_end(&t, 80);
    house_free(h);
}

static void submission_mends_what_rfc_6409_allows(void **state)
{
    struct house *h = house_new();
    int fd;
    uint64_t session = sign_in(h, &fd);
    struct letter l = {.from = "alice@ours.test", .first = 2, .n = 2, .session = session};
    assert_int_equal(
        post(
            h, &l,
            S("From: alice@ours.test\r\nBCC : x@y.test,\r\n z@y.test\r\nTo: a@b.test\r\nResent-Bcc: "
              "q@y.test\r\n\r\nBcc: body\r\n")),
        ARRIVE_OUTCOME_STORED);
    for (unsigned i = 2; i < 4; i++) {
        struct slice m = newest(h, i);
        assert_true(slice_search(m, S("Date: ")) != SLICE_NPOS);
        assert_true(slice_search(m, S("Message-ID: <")) != SLICE_NPOS);
        assert_true(slice_search(m, S("@mx.test>\r\n")) != SLICE_NPOS);
        assert_true(slice_search(m, S("y.test")) == SLICE_NPOS);
        assert_true(slice_ends(m, S("From: alice@ours.test\r\nTo: a@b.test\r\n\r\nBcc: body\r\n")));
    }
    struct slice whole =
        S("Date: Mon, 02 Jan 2006 15:04:05 +0000\r\nmessage-id: <a@b>\r\nFrom: alice@ours.test\r\n\r\nx\r\n");
    assert_int_equal(post(h, &l, whole), ARRIVE_OUTCOME_STORED);
    assert_true(slice_eq(newest(h, 2), whole));
    l.session = 0; /* from strangers nothing is changed */
    assert_int_equal(post(h, &l, S("Bcc: x@y.test\r\n\r\n")), ARRIVE_OUTCOME_STORED);
    assert_true(slice_eq(newest(h, 2), S("Bcc: x@y.test\r\n\r\n")));
    close(fd);
    house_free(h);
}

/* T-337 and revocation: without a live session of its own nothing is sent as anybody. */
static void submission_needs_a_live_session(void **state)
{
    struct house *h = house_new();
    int fd;
    struct letter l = {.from = "alice@ours.test", .first = 2, .n = 1, .session = 78};
    struct slice text = S("From: alice@ours.test\r\n\r\n");
    assert_int_equal(post(h, &l, text), ARRIVE_OUTCOME_LATER);
    l.session = sign_in(h, &fd);
    assert_int_equal(post(h, &l, text), ARRIVE_OUTCOME_STORED);
    assert_int_equal(sessions_revoke(h->keeper[0].env.sessions, &h->id[0], 5, 2, END_REVOKED), 1);
    char c;
    TURN_UNTIL(h->loop, read(fd, &c, 1) == 0); /* the gate says 421 */
    assert_int_equal(post(h, &l, text), ARRIVE_OUTCOME_LATER);
    close(fd);
    assert_int_equal(copies(h, 2), 1);
    /* the vault does not answer: later, never yes */
    l.session = sign_in(h, &fd);
    h->vault_silent = true;
    begin(h, &l);
    put(h, text, 100);
    uint32_t end = 0;
    put_all(h, &end, 4);
    ask(h);
    turns(h, 5);
    assert_false(h->answered);
    cancel(h);
    wait_for_answer(h);
    assert_int_equal(h->outcome, ARRIVE_OUTCOME_CANCELLED);
    assert_int_equal(copies(h, 2), 1);
    close(fd);
    house_free(h);
}

/* ---- several owners ---- */

/* No hand-over can be made: a file stands where the folder of arriving files should be. */
static void block_handovers(struct house *h, bool on)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        char path[32];
        snprintf(path, sizeof path, "%02x", slot);
        mkdirat(h->keeper[0].dir.fd, path, 0700);
        snprintf(path, sizeof path, "%02x/tmp", slot);
        int fd = on ? openat(h->keeper[0].dir.fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
        assert_true(!on || fd >= 0);
        if (on)
            close(fd);
        else
            unlinkat(h->keeper[0].dir.fd, path, 0);
    }
}

static bool everybody_has(struct house *h, unsigned n, unsigned want)
{
    for (unsigned i = 0; i < n; i++)
        if (copies(h, i) != want)
            return false;
    return true;
}

static bool soon(struct house *h, unsigned n, unsigned want)
{
    STEP_UNTIL(everybody_has(h, n, want), turns(h, 100));
    return true;
}

/* T-293 */
static void t293_several_owners(void **state)
{
    struct cases t = {"T-293"};
    struct house *h = house_new();
    struct letter all = {.from = "s@their.test", .n = 20};
    cases_check(
        &t, post(h, &all, S("Message-ID: <1@x>\r\n\r\none\r\n")) == ARRIVE_OUTCOME_STORED, "all there");
    cases_check(&t, everybody_has(h, 20, 1), "one copy each");
    /* the same octets again, after a 250, are another message */
    cases_check(&t, post(h, &all, S("Message-ID: <1@x>\r\n\r\none\r\n")) == ARRIVE_OUTCOME_STORED, "again");
    cases_check(&t, everybody_has(h, 20, 2), "two copies each");
    /* the other keeper is away: 250 by transit, and each gets it once it is back */
    part_keepers(h);
    cases_check(
        &t, post(h, &all, S("Message-ID: <2@x>\r\n\r\ntwo\r\n")) == ARRIVE_OUTCOME_STORED, "by transit");
    cases_check(&t, copies(h, 0) == 3 && copies(h, 1) == 2, "half of it");
    turns(h, 50);
    join_keepers(h);
    cases_check(&t, soon(h, 20, 3), "the other half");
    turns(h, 1500);
    cases_check(&t, everybody_has(h, 20, 3), "and no more");
    house_free(h);

    /* nothing of it can be kept: 451, and the next try of the same octets fills the gaps and doubles nothing */
    h = house_new();
    block_handovers(h, true);
    part_keepers(h);
    struct slice text = S("Message-ID: <3@x>\r\n\r\nthree\r\n");
    for (int i = 0; i < 3; i++)
        cases_check(&t, post(h, &all, text) == ARRIVE_OUTCOME_LATER, "451");
    cases_check(&t, copies(h, 0) == 1 && copies(h, 1) == 0, "half of it, once");
    join_keepers(h);
    block_handovers(h, false);
    cases_check(&t, post(h, &all, text) == ARRIVE_OUTCOME_STORED, "the next try");
    cases_check(&t, everybody_has(h, 20, 1), "gaps filled, nothing doubled");
    /* other octets are another message, marks or not */
    cases_check(
        &t, post(h, &all, S("Message-ID: <4@x>\r\n\r\nfour\r\n")) == ARRIVE_OUTCOME_STORED, "another");
    cases_check(&t, everybody_has(h, 20, 2), "two");
    house_free(h);
    cases_end(&t, 14);
}

/* T-293 at random: the other keeper goes and comes, answers come or don't, the sender repeats until 250. */
static void t293_rounds(void **state)
{
    struct cases t = {"T-293 (rounds)"};
    struct house *h = house_new();
    unsigned seed = 20261122;
    bool joined = true;
    unsigned want = 0, rounds = getenv("LETTERLOCK_FULL") ? 1000 : 60;
    struct letter all = {.from = "s@their.test", .n = 8};
    for (unsigned round = 0; round < rounds; round++) {
        char text[64];
        snprintf(text, sizeof text, "Message-ID: <r%u@x>\r\n\r\nround\r\n", round);
        enum ipc_arrive_outcome outcome = ARRIVE_OUTCOME_LATER;
        for (int tries = 0; tries < 5 && outcome != ARRIVE_OUTCOME_STORED; tries++) {
            seed = seed * 1103515245u + 12345u;
            if ((seed >> 16) % 3 == 0) {
                if (joined)
                    part_keepers(h);
                else
                    join_keepers(h);
                joined = !joined;
            }
            begin(h, &all);
            put(h, slice_str(text), 10);
            uint32_t end = 0;
            put_all(h, &end, 4);
            ask(h);
            turns(h, (int)((seed >> 20) % 6));
            if (joined && (seed >> 24) % 4 == 0) { /* it dies while it is being asked */
                part_keepers(h);
                joined = false;
            }
            wait_for_answer(h);
            outcome = h->outcome;
        }
        want++;
        cases_check(&t, outcome == ARRIVE_OUTCOME_STORED, "250 at last");
    }
    if (!joined)
        join_keepers(h);
    cases_check(&t, soon(h, 8, want), "one copy each after the 250");
    turns(h, 1200);
    cases_check(&t, everybody_has(h, 8, want), "and no more");
    cases_end(&t, rounds + 2);
    house_free(h);
}

/* T-338: a descriptor that others could still write is no message, nor is one that says another size. */
static void t338_writable_descriptors(void **state)
{
    struct cases t = {"T-338 (deliver)"};
    struct house *h = house_new();
    static const int modes[] = {O_RDWR, O_WRONLY, O_RDONLY};
    unsigned stored = 0;
    for (size_t i = 0; i < 6; i++) {
        int dir = h->keeper[1].dir.fd;
        int made = openat(dir, "octets", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(write(made, "a: b\r\n\r\n", 8), 8);
        close(made);
        int fd = openat(dir, "octets", modes[i % 3] | O_CLOEXEC);
        struct hash hash = hash_of(NULL, S("a: b\r\n\r\n"));
        hash.b[0] ^= (uint8_t)i;
        struct ipc_msg m = {
            .type = MSG_DELIVER,
            .fd_count = 1,
            .fds = {fd},
            .u.deliver = {
                .delivery = random_delivery_id(),
                .account = h->id[1],
                .slot = slot_of(&h->id[1]),
                .size = i < 3 ? 8 : 9,
                .prefix = S("Return-Path: <>\r\n"),
                .octets_hash = hash_slice(&hash)}};
        bool fine = i == 2;
        h->answered = false;
        assert_ok(channel_request(h->keeper[0].peers[1], &m, 0, on_result, h, NULL));
        TURN_UNTIL(h->loop, h->answered);
        stored += fine;
        cases_check(&t, copies(h, 1) == stored, "mode");
        unlinkat(dir, "octets", 0);
    }
    cases_end(&t, 6);
    house_free(h);
}

/* At most LIMIT_ARRIVAL_DEPOSITS copies of one message are under way, here and at the other keeper. */
static void copies_are_made_a_few_at_a_time(void **state)
{
    struct house *h = house_new();
    struct letter all = {.from = "s@their.test", .n = 48};
    uint32_t end = 0;
    assert_int_equal(post(h, &all, S("a: b\r\n\r\none\r\n")), ARRIVE_OUTCOME_STORED);
    assert_true(everybody_has(h, 48, 1));
    assert_int_equal(h->delivers, 24);
    h->delivers = 0;
    h->peers_silent = true;
    begin(h, &all);
    put(h, S("a: b\r\n\r\ntwo\r\n"), 100);
    put_all(h, &end, sizeof end);
    ask(h);
    TURN_UNTIL(h->loop, h->delivers >= LIMIT_ARRIVAL_DEPOSITS);
    turns(h, 300);
    assert_int_equal(h->delivers, LIMIT_ARRIVAL_DEPOSITS);
    assert_false(h->answered);
    part_keepers(h);
    wait_for_answer(h);
    assert_int_equal(h->outcome, ARRIVE_OUTCOME_STORED); /* by transit */
    h->peers_silent = false;
    join_keepers(h);
    assert_true(soon(h, 48, 2));
    house_free(h);
}

/* What another keeper brought and is not stored yet goes with the arrivals. */
static void freed_while_copies_are_being_made(void **state)
{
    struct house *h = house_new();
    struct keeper *k = &h->keeper[1];
    int made = openat(k->dir.fd, "octets", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(made, "a: b\r\n\r\n", 8), 8);
    close(made);
    struct hash hash = hash_of(NULL, S("a: b\r\n\r\n"));
    struct ipc_msg m = {
        .type = MSG_DELIVER,
        .fd_count = 1,
        .fds = {openat(k->dir.fd, "octets", O_RDONLY | O_CLOEXEC)},
        .u.deliver = {
            .delivery = random_delivery_id(),
            .account = h->id[1],
            .slot = slot_of(&h->id[1]),
            .size = 8,
            .prefix = S("Return-Path: <>\r\n"),
            .octets_hash = hash_slice(&hash)}};
    assert_ok(channel_request(h->keeper[0].peers[1], &m, 0, on_result, h, NULL));
    TURN_UNTIL(h->loop, h->delivers);
    assert_int_equal(h->delivers, 1);
    arrivals_free(&k->arrivals);
    assert_ok(arrivals_new(&k->env, h->pool, k->dir.fd, &k->arrivals));
    turns(h, 100);
    assert_false(h->answered);
    assert_int_equal(copies(h, 1), 0);
    house_free(h);
}

static bool is_blob(struct house *h, unsigned i)
{
    struct account *a = enter(h, i);
    struct arena mem CLEANUP_ARENA = ARENA_INIT(65536);
    struct mailbox_id inbox = store_box(a, "INBOX");
    const struct mailbox *box = NULL;
    struct message m;
    struct structure structure;
    struct structure_section whole;
    assert_ok(mailbox_by_id(a, inbox, &box));
    assert_ok(message_find(a, inbox, (struct uid){box->uidnext - 1}, &mem, &m));
    assert_ok(structure_open(m.structure, &structure));
    assert_ok(structure_check(&structure));
    assert_ok(structure_find_section(&structure, S(""), STRUCTURE_WHOLE, &whole));
    const struct structure_part *root = &whole.part;
    account_unref(&a);
    return root->kind == MIME_BASIC && root->body_start == 0 && root->body_end == m.size &&
           slice_eq(root->subtype, S("octet-stream"));
}

/* A delivery that killed a keeper three times is stored unread when it comes again; its octets are whole. */
static void poisoned_deliveries_are_stored_unread(void **state)
{
    struct house *h = house_new();
    struct buf big CLEANUP_BUF = BUF_INIT(1 << 20);
    const struct slice texts[] = {S("Subject: deadly\r\n\r\nbody\r\n"), big_message(&big, 400000)};
    struct letter both = {.from = "s@their.test", .n = 3};
    struct keeper *k = &h->keeper[0];
    k->env.poisoned = poisoned_new();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct hash hash = hash_of(NULL, texts[i]);
        assert_int_equal(post(h, &both, texts[i]), ARRIVE_OUTCOME_STORED);
        assert_false(is_blob(h, 0));
        assert_true(poisoned_add(k->env.poisoned, &h->id[0], poisoned_mark_delivery(&hash)));
        assert_int_equal(post(h, &both, texts[i]), ARRIVE_OUTCOME_STORED);
        assert_true(is_blob(h, 0));
        assert_false(is_blob(h, 1));
        assert_false(is_blob(h, 2)); /* another account of the same keeper */
        assert_true(newest_is(h, 0, "s@their.test", texts[i]));
    }
    poisoned_free(&k->env.poisoned);
    house_free(h);
}

/* T-026, a part: arrivals that come to nothing cost nothing. */
static void aborted_arrivals_in_parallel(void **state)
{
    struct cases t = {"T-040 (keeper)"};
    struct house *h = house_new();
    struct buf big CLEANUP_BUF = BUF_INIT(1 << 20);
    struct slice whole = big_message(&big, 200000);
    struct letter l = {.from = "", .n = 3};
    int fds[200];
    for (int i = 0; i < 200; i++) {
        begin(h, &l);
        put(h, slice_sub(whole, 0, whole.n * (size_t)i / 200), 60000);
        fds[i] = TAKE(h->octets, -1);
    }
    turns(h, 3);
    for (int i = 0; i < 200; i++)
        close(fds[i]);
    TURN_UNTIL(h->loop, files_in_tmp(h) == 0);
    turns(h, 20);
    cases_check(&t, files_in_tmp(h) == 0, "no file stays");
    cases_check(&t, copies(h, 0) + copies(h, 1) + copies(h, 2) == 0, "nothing stored");
    cases_end(&t, 2);
    house_free(h);
}

static void quiet(enum log_level level, struct slice line, void *arg)
{
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_stored_octet_for_octet),
        cmocka_unit_test(pieces_of_any_size_are_one_message),
        cmocka_unit_test(t042_t040_cut_messages_leave_nothing),
        cmocka_unit_test(t041_loops),
        cmocka_unit_test(too_big_is_refused),
        cmocka_unit_test(t080_only_own_addresses),
        cmocka_unit_test(submission_mends_what_rfc_6409_allows),
        cmocka_unit_test(submission_needs_a_live_session),
        cmocka_unit_test(t293_several_owners),
        cmocka_unit_test(t293_rounds),
        cmocka_unit_test(t338_writable_descriptors),
        cmocka_unit_test(copies_are_made_a_few_at_a_time),
        cmocka_unit_test(freed_while_copies_are_being_made),
        cmocka_unit_test(poisoned_deliveries_are_stored_unread),
        cmocka_unit_test(aborted_arrivals_in_parallel),
    };
    if (!getenv("VERBOSE"))
        log_set_sink(quiet, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What must not happen: answers before the disk, names that are none, a look into another account, cut connections. */
#include "cases.h"
#include "imap/session/dialogue.h"

#include <pthread.h>

#include "base/clock.h"

/* ---- output commit ---- */

static struct gate {
    struct disk_hook hook;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool closed; /* syncs wait */
    bool broken; /* syncs fail */
    unsigned waiting;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static int before_sync(struct disk_hook *h, const struct disk_call *call)
{
    struct gate *g = CONTAINER_OF(h, struct gate, hook);
    if (call->op != DISK_SYNC)
        return 0;
    pthread_mutex_lock(&g->lock);
    g->waiting++;
    while (g->closed)
        pthread_cond_wait(&g->opened, &g->lock);
    g->waiting--;
    int answer = g->broken ? EIO : 0;
    pthread_mutex_unlock(&g->lock);
    return answer;
}

static void after_sync(struct disk_hook *h, const struct disk_call *call)
{
}

static void gate_set(bool closed, bool broken)
{
    pthread_mutex_lock(&gate.lock);
    gate.closed = closed;
    gate.broken = broken;
    pthread_cond_broadcast(&gate.opened);
    pthread_mutex_unlock(&gate.lock);
}

static int start_gated(void **state)
{
    gate.hook = (struct disk_hook){.before = before_sync, .after = after_sync};
    gate_set(false, false);
    disk_set_hook(&gate.hook);
    return dialogue_start(state);
}

static int stop_gated(void **state)
{
    gate_set(false, false);
    int result = dialogue_stop(state);
    disk_set_hook(NULL);
    return result;
}

static void settle_turns(int n)
{
    for (int i = 0; i < n; i++) {
        turn(&world);
        for (size_t k = 0; k < CLIENTS; k++)
            client_read(&world.clients[k]);
    }
}

/* The OK of a change, and what another session reads of it, wait for the disk; pipelined commands run meanwhile. */
static void test_answers_wait_for_the_disk(void **state)
{
    sign_in(&world, 1);
    sign_in(&world, 2);
    settle_turns(20);
    gate_set(true, false);
    send_octets(&world, &world.clients[0], S("a CREATE x\r\nb NOOP\r\n"));
    settle_turns(20);
    send_octets(&world, &world.clients[1], S("c LIST \"\" x\r\n"));
    settle_turns(30);
    assert_int_equal(world.clients[0].in.n, 0);
    assert_int_equal(world.clients[1].in.n, 0);
    gate_set(false, false);
    chat(
        &world, "S: a OK @\n"
                "S: b OK @\n"
                "S2: * LIST (\\HasNoChildren) \"/\" x\n"
                "S2: c OK @\n");
}

static bool signs_in_again(void)
{
    static int64_t later;
    clock_set_offset(later = later < 500000 ? later + 5000 : later); /* the next try to heal it is due */
    client_close(&world, &world.clients[0]);
    connect_as(&world, 1, &world.account, true);
    return slice_starts(next_line(&world, &world.clients[0]), S("x0 OK"));
}

/* A failed sync: no OK is ever said, and the session ends; afterwards the account serves again. */
static void test_a_failed_sync_says_nothing(void **state)
{
    sign_in(&world, 1);
    settle_turns(20);
    gate_set(false, true);
    send_octets(&world, &world.clients[0], S("a CREATE lost\r\n"));
    STEP_UNTIL(world.clients[0].closed, settle_turns(1));
    struct slice got = buf_slice(&world.clients[0].in);
    assert_true(slice_search(got, S("a OK")) == SLICE_NPOS);
    assert_true(slice_starts(got, S("* BYE [UNAVAILABLE]")));
    buf_clear(&world.clients[0].in);
    gate_set(false, false);
    STEP_UNTIL(signs_in_again(), settle_turns(5));
    clock_set_offset(0);
    buf_clear(&world.clients[0].in);
    chat(&world, "C: a NOOP\nS: a OK @\n");
}

/* ---- names (T-160) ---- */

static void check_name(struct cases *cases, const char *name, const char *wanted)
{
    static const char *const commands[] = {"CREATE %s",      "SELECT %s",    "STATUS %s (MESSAGES)",
                                           "RENAME Sent %s", "SUBSCRIBE %s", "APPEND %s {3}"};
    static const bool makes[] = {true, false, false, true, true, false};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char line[3000];
        int n = snprintf(line, sizeof line, commands[i], name);
        send_octets(&world, &world.clients[0], S("a "));
        send_octets(&world, &world.clients[0], slice_of(line, (size_t)n));
        send_octets(&world, &world.clients[0], S("\r\n"));
        struct slice got = next_line(&world, &world.clients[0]);
        bool good =
            slice_starts(got, makes[i] ? slice_str(wanted) : S("a NO [")) || slice_starts(got, S("a BAD"));
        cases_check(cases, good, line);
    }
}

static void test_t160_names(void **state)
{
    static const char *const none[] = {"a//b",         "/a",
                                       "&AAA-",        "&AC8-",
                                       "&Jjo",         "&2AA-",
                                       "{1+}\r\n*",    "{1+}\r\n%",
                                       "\"a*b\"",      "{2+}\r\n\xc3\xa9",
                                       "\"\"",         "a//",
                                       "{3+}\r\na\tb", "&AAk-",
                                       "\"a\x7f\"",    "{3+}\r\na\377b",
                                       "~bob//x",      "//"};
    struct cases cases = {.id = "T-160"};
    char deep[200] = "a", wide[1200];
    sign_in(&world, 1);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        check_name(&cases, none[i], "a NO [CANNOT]");
    for (int i = 0; i < 25; i++)
        strcat(deep, "/a");
    check_name(&cases, deep, "a NO [LIMIT]");
    memset(wide, 'w', sizeof wide);
    wide[sizeof wide - 1] = 0;
    check_name(&cases, wide, "a NO [LIMIT]");
    chat(
        &world, "C: a LIST \"\" *\nS: * LIST @ INBOX\nS: * LIST @\nS: * LIST @\nS: * LIST @\nS: * LIST @\nS: "
                "* LIST @\nS: a OK @\n");
    /* strange but allowed: a name is a key and no path, and it comes back as it was given */
    static const char *const strange[] = {"../bob/INBOX",  "~bob",    "#news",       "&-",
                                          "INBOX/../../x", "\"a b\"", "Entw&APw-rfe"};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        char script[400];
        snprintf(
            script, sizeof script,
            "C: a CREATE %s\nS: a OK @\nC: a LIST \"\" %s\nS: * LIST (@) \"/\" %s\nS: a OK @\n", strange[i],
            strange[i], strange[i]);
        chat(&world, script);
        cases_check(&cases, true, strange[i]);
    }
    /* NFC and NFD are one name; INBOX in any case is INBOX */
    chat(
        &world,
        "C: a CREATE &AOk-\nS: a OK @\nC: a CREATE e&AwE-\nS: a NO [ALREADYEXISTS] @\nC: a CREATE inbox\n"
        "S: a NO [ALREADYEXISTS] @\nC: a STATUS inBox (MESSAGES)\nS: * STATUS INBOX (MESSAGES 0)\nS: a OK "
        "@\n");
    cases_end(&cases, 100);
}

/* ---- another account (T-166) ---- */

static void test_t166_other_accounts(void **state)
{
    static const char *const commands[] = {"SELECT %s", "EXAMINE %s",  "STATUS %s (MESSAGES)",
                                           "DELETE %s", "RENAME %s y", "APPEND %s {3}"};
    static const char *const names[] = {"secret",          "bob/secret",  "../bob/secret",
                                        "user.bob.secret", "~bob/secret", "nothing"};
    struct cases cases = {.id = "T-166"};
    struct account_id bob = {{9, 9, 9}};
    sign_in(&world, 1);
    connect_as(&world, 2, &bob, true);
    assert_true(slice_starts(next_line(&world, &world.clients[1]), S("x0 OK")));
    chat(&world, "C2: b CREATE secret\nS2: b OK @\nC2: b APPEND secret {3+}\nC2: abc\nS2: b OK @\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char first[500] = "";
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            char line[300];
            snprintf(line, sizeof line, commands[i], names[k]);
            send_octets(&world, &world.clients[0], S("a "));
            send_octets(&world, &world.clients[0], slice_str(line));
            send_octets(&world, &world.clients[0], S("\r\n"));
            struct slice got = next_line(&world, &world.clients[0]);
            if (!*first)
                snprintf(first, sizeof first, "%.*s", SLICE_ARG(got));
            cases_check(&cases, slice_starts(got, S("a NO")) && slice_eq(got, slice_str(first)), line);
        }
    }
    chat(
        &world, "C: a LIST \"\" *secret*\nS: a OK @\nC: a LSUB \"\" *secret*\nS: a OK @\n"
                "C2: b STATUS secret (MESSAGES)\nS2: * STATUS secret (MESSAGES 1)\nS2: b OK @\n");
    cases_end(&cases, 36);
}

/* ---- parentheses and endless things after sign-in (T-155, T-154) ---- */

static void test_t155_after_sign_in(void **state)
{
    static const char *const starts[] = {"NOOP ", "SEARCH ", "FETCH 1 ", "STORE 1 FLAGS ", "ID ", "LIST "};
    struct cases cases = {.id = "T-155"};
    sign_in(&world, 1);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        static char line[5000];
        snprintf(line, sizeof line, "a %s", starts[i]);
        size_t n = strlen(line);
        memset(line + n, '(', 4000);
        memcpy(line + n + 4000, "\r\n", 2);
        send_octets(&world, &world.clients[0], slice_of(line, n + 4002));
        cases_check(&cases, slice_starts(next_line(&world, &world.clients[0]), S("a BAD")), starts[i]);
    }
    chat(&world, "C: a NOOP\nS: a OK @\n");
    cases_end(&cases, 6);
}

static void test_endless_line_ends_the_session(void **state)
{
    static char line[70000];
    sign_in(&world, 1);
    memset(line, 'x', sizeof line);
    ssize_t n = write(world.clients[0].fd, line, sizeof line);
    assert_true(n > 0);
    STEP_UNTIL(
        world.clients[0].closed,
        (settle_turns(1), n = send(world.clients[0].fd, line, 4096, MSG_NOSIGNAL | MSG_DONTWAIT)));
    assert_true(slice_starts(buf_slice(&world.clients[0].in), S("* BYE [TOOBIG]")));
    buf_clear(&world.clients[0].in);
}

/* Whatever a session is doing when its client goes: nothing is left of it, and the store stays whole. */
static void test_gone_in_the_middle(void **state)
{
    static const char *const scripts[] = {
        "a SELECT INBOX\r\na FETCH 1:* (BODY[] BODY[] BODY[])\r\n",
        "a SEARCH TEXT x\r\n",
        "a SELECT INBOX\r\na SEARCH BODY nothing\r\n",
        "a SELECT INBOX\r\na IDLE\r\n",
        "a APPEND INBOX {100+}\r\nabc",
        "a LOGOUT\r\n",
        "a FE",
        ""};
    sign_in(&world, 1);
    for (int i = 0; i < 30; i++) {
        struct client *c = &world.clients[0];
        char body[3000];
        memset(body, 'y', sizeof body);
        send_octets(&world, c, S("p APPEND INBOX {3016+}\r\nSubject: hello\r\n"));
        send_octets(&world, c, slice_of(body, sizeof body));
        send_octets(&world, c, S("\r\n"));
        assert_true(slice_starts(next_line(&world, c), S("p OK")));
    }
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        for (int turns = 0; turns < 12; turns += 3) {
            connect_as(&world, 2, &world.account, true);
            send_octets(&world, &world.clients[1], slice_str(scripts[i]));
            for (int k = 0; k < turns; k++)
                turn(&world);
            client_close(&world, &world.clients[1]);
        }
    }
    chat(&world, "C: a STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 30)\nS: a OK @\n");
}

/* ---- MOVE is one transaction (T-174) ---- */

static struct failing {
    struct disk_hook hook;
    int left; /* writes until one fails; negative: none will */
} failing;

static int before_write(struct disk_hook *h, const struct disk_call *call)
{
    struct failing *f = CONTAINER_OF(h, struct failing, hook);
    if (call->op != DISK_WRITE || f->left < 0)
        return 0;
    return f->left-- == 0 ? ENOSPC : 0;
}

/* Runs one command on connection 1; the tagged answer. */
static struct slice ask(const char *text)
{
    struct client *c = &world.clients[0];
    send_octets(&world, c, S("m "));
    send_octets(&world, c, slice_str(text));
    send_octets(&world, c, S("\r\n"));
    for (;;) {
        struct slice line = next_line(&world, c);
        if (slice_starts(line, S("m ")))
            return slice_from(line, 2);
    }
}

static unsigned messages_of(const char *mailbox)
{
    char line[100];
    unsigned n = 0;
    snprintf(line, sizeof line, "s STATUS %s (MESSAGES)\r\n", mailbox);
    send_octets(&world, &world.clients[0], slice_str(line));
    for (;;) {
        struct slice got = next_line(&world, &world.clients[0]);
        size_t at = slice_search(got, S("(MESSAGES "));
        if (slice_starts(got, S("* STATUS ")) && at != SLICE_NPOS)
            n = (unsigned)strtoul(got.p + at + 10, NULL, 10);
        if (slice_starts(got, S("s OK")))
            return n;
    }
}

static void test_t174_move_is_whole(void **state)
{
    enum { MESSAGES = 40 };
    struct cases cases = {.id = "T-174"};
    unsigned failures = 0;
    failing.hook = (struct disk_hook){.before = before_write, .after = after_sync};
    failing.left = -1;
    sign_in(&world, 1);
    for (int i = 0; i < MESSAGES; i++)
        assert_true(slice_starts(ask("APPEND INBOX {14+}\r\nSubject: x\r\n\r\n"), S("OK")));
    for (int point = 0; point < 40; point++) {
        const char *from = messages_of("INBOX") ? "INBOX" : "Archive";
        char move[50], select[50];
        snprintf(select, sizeof select, "SELECT %s", from);
        snprintf(move, sizeof move, "MOVE 1:* %s", strcmp(from, "INBOX") ? "INBOX" : "Archive");
        assert_true(slice_starts(ask(select), S("OK")));
        settle_turns(5);
        failing.left = point;
        bool moved = slice_starts(ask(move), S("OK"));
        failing.left = -1;
        settle_turns(5);
        failures += !moved;
        unsigned inbox = messages_of("INBOX"), archive = messages_of("Archive");
        bool whole = inbox + archive == MESSAGES && (inbox == 0 || archive == 0);
        cases_check(&cases, whole && (messages_of(from) == 0) == moved, move);
    }
    assert_true(failures > 0);
    cases_end(&cases, 40);
}

static int start_failing(void **state)
{
    failing.left = -1;
    failing.hook = (struct disk_hook){.before = before_write, .after = after_sync};
    disk_set_hook(&failing.hook);
    return dialogue_start(state);
}

static int stop_failing(void **state)
{
    int result = dialogue_stop(state);
    disk_set_hook(NULL);
    return result;
}

static void test_expired(void **state)
{
    sign_in(&world, 1);
    struct session *s = sessions_find(world.env.sessions, world.ids);
    s->grant.expires_s = 1;
    chat(&world, "C: a NOOP\nS: * BYE [EXPIRED] @\n");
}

/* The same while nobody says anything. */
static void test_expired_while_idle(void **state)
{
    connect_with(
        &world, 1,
        &(struct grant){
            .account = world.account,
            .service = SERVICE_IMAP,
            .can_receive = true,
            .expires_s = clock_unix_s() + 60,
            .address = "alice@example.test"});
    chat(&world, "S: x0 OK @\nC: a IDLE\nS: + @\n");
    clock_set_offset(61000);
    chat(&world, "S: * BYE [EXPIRED] @\n");
    clock_set_offset(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers_wait_for_the_disk, start_gated, stop_gated),
        cmocka_unit_test_setup_teardown(test_a_failed_sync_says_nothing, start_gated, stop_gated),
        DIALOGUE(test_t160_names),
        DIALOGUE(test_t166_other_accounts),
        DIALOGUE(test_t155_after_sign_in),
        DIALOGUE(test_endless_line_ends_the_session),
        DIALOGUE(test_gone_in_the_middle),
        cmocka_unit_test_setup_teardown(test_t174_move_is_whole, start_failing, stop_failing),
        DIALOGUE(test_expired),
        DIALOGUE(test_expired_while_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

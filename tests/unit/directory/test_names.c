/* The machine's files and the answers of name servers. */
#include "directory/names.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

static void test_hosts(void **state)
{
    struct names n = {.server_count = 0};
    char ip[IP_TEXT_MAX];
    names_read_hosts(
        &n,
        S("127.0.0.1 localhost\n# 10.0.0.9 ldap.ours.test\n10.0.0.1\tLDAP.ours.test ldap # note ldap2\n"
          "2001:db8::1 ldap.ours.test\nnonsense ldap.ours.test\n10.0.0.3 x#ldap.ours.test"),
        S("ldap.ours.test"));
    assert_int_equal(n.fixed_count, 2);
    assert_string_equal(ip_text(&n.fixed[0], ip), "10.0.0.1");
    assert_string_equal(ip_text(&n.fixed[1], ip), "2001:db8::1");
    struct ip found[NAMES_FOUND];
    size_t count = 0;
    assert_ok(names_find(&n, "ldap.ours.test", 0, found, &count));
    assert_int_equal(count, 2);
}

static void test_servers(void **state)
{
    struct names n = {.server_count = 0};
    names_read_servers(
        &n, S("# nameserver 10.9.9.9\nsearch ours.test\nnameserver 10.0.0.53\nnameserver\t2001:db8::53\n"
              "nameserver nonsense\noptions edns0\nnameserver 10.0.0.54\nnameserver 10.0.0.55\n"));
    assert_int_equal(n.server_count, NAMES_SERVERS);
    struct names none = {.server_count = 0};
    struct ip found[NAMES_FOUND];
    size_t count = 7;
    assert_err(ERR_UNAVAILABLE, names_find(&none, "ldap.ours.test", 0, found, &count));
    assert_int_equal(count, 7);
}

static unsigned char question[NAMES_PACKET];

static size_t ask(void)
{
    size_t n = names_question("ldap.ours.test", false, 0x1234, question);
    assert_int_equal(n, 12 + 16 + 4);
    assert_memory_equal(question + 12, "\4ldap\4ours\4test\0\0\1\0\1", 20);
    return n;
}

/* An answer with an alias, an address of it and one of the other family. */
static size_t answer_to(size_t n, unsigned char out[NAMES_PACKET], unsigned char code)
{
    static const unsigned char records[] =
        "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1x\xc0\x11"
        "\xc0\x2c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\7"
        "\xc0\x2c\0\x1c\0\1\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1";
    if (n > 64)
        abort();
    memcpy(out, question, n);
    out[2] = 0x81;
    out[3] = (unsigned char)(0x80 | code);
    out[7] = code ? 0 : 3;
    memcpy(out + n, records, sizeof records - 1);
    return code ? n : n + sizeof records - 1;
}

static void test_answers(void **state)
{
    unsigned char answer[NAMES_PACKET];
    struct ip found[NAMES_FOUND];
    size_t count = 0, n = ask(), full = answer_to(n, answer, 0);
    char ip[IP_TEXT_MAX];
    assert_ok(names_answer(slice_of(question, n), slice_of(answer, full), found, &count));
    assert_int_equal(count, 2);
    assert_string_equal(ip_text(&found[0], ip), "10.0.0.7");
    assert_string_equal(ip_text(&found[1], ip), "2001:db8::1");
    /* Cut anywhere, it is no answer, or one with fewer addresses, and never more than there are. */
    for (size_t cut = 0; cut < full; cut++) {
        count = 0;
        enum err e = names_answer(slice_of(question, n), slice_of(answer, cut), found, &count);
        assert_true(e != OK || count <= 1);
    }
    count = 0;
    assert_err(
        ERR_NOT_FOUND,
        names_answer(slice_of(question, n), slice_of(answer, answer_to(n, answer, 3)), found, &count));
    assert_err(
        ERR_AGAIN,
        names_answer(slice_of(question, n), slice_of(answer, answer_to(n, answer, 2)), found, &count));
    assert_int_equal(count, 0);
}

/* What does not answer this very question is not looked at. */
static void test_forged(void **state)
{
    unsigned char answer[NAMES_PACKET];
    struct ip found[NAMES_FOUND];
    size_t count = 0, n = ask();
    static const size_t places[] = {0, 1, 5, 13, 20, 29, 31};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t full = answer_to(n, answer, 0);
        answer[places[i]] ^= 1;
        assert_err(ERR_PROTOCOL, names_answer(slice_of(question, n), slice_of(answer, full), found, &count));
    }
    size_t full = answer_to(n, answer, 0);
    answer[2] &= 0x7f; /* a question */
    assert_err(ERR_PROTOCOL, names_answer(slice_of(question, n), slice_of(answer, full), found, &count));
    assert_int_equal(count, 0);
}

static void test_many(void **state)
{
    unsigned char answer[NAMES_PACKET];
    struct ip found[NAMES_FOUND];
    size_t count = 0, n = ask(), at = n;
    answer_to(n, answer, 0);
    answer[7] = 20;
    for (unsigned i = 0; i < 20; i++, at += 16)
        memcpy(answer + at, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\7", 16);
    assert_ok(names_answer(slice_of(question, n), slice_of(answer, at), found, &count));
    assert_int_equal(count, NAMES_FOUND);
}

static void test_bad_names(void **state)
{
    char label[70] = "a";
    memset(label, 'a', 64);
    assert_int_equal(names_question("", false, 1, question), 0);
    assert_int_equal(names_question("a..b", false, 1, question), 0);
    assert_int_equal(names_question(label, false, 1, question), 0);
    label[63] = '\0';
    assert_int_equal(names_question(label, true, 1, question), 12 + 65 + 4);
}

/* ---- a name server on a loopback address of its own ---- */

struct server {
    int fd;
    unsigned silent; /* questions that get no answer */
    bool forges;     /* answers with another id first */
};

static void *serve(void *owner)
{
    struct server *s = owner;
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        unsigned char answer[NAMES_PACKET];
        ssize_t n = recvfrom(s->fd, question, sizeof question, 0, (struct sockaddr *)&from, &size);
        if (n <= 16)
            return NULL;
        if (s->silent) {
            s->silent--;
            continue;
        }
        size_t full = answer_to((size_t)n, answer, 0);
        if (s->forges) {
            answer[0] ^= 1;
            sendto(s->fd, answer, full, 0, (struct sockaddr *)&from, size);
            answer[0] ^= 1;
        }
        sendto(s->fd, answer, full, 0, (struct sockaddr *)&from, size);
    }
}

static void test_asking(void **state)
{
    struct server s = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .forges = true};
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(0x7f4d0001)};
    if (bind(s.fd, (struct sockaddr *)&at, sizeof at) != 0) {
        close(s.fd);
        skip(); /* the port is for root */
    }
    pthread_t thread;
    struct names n = {.server_count = 0};
    struct ip found[NAMES_FOUND];
    size_t count = 0;
    names_read_servers(&n, S("nameserver 127.77.0.2\nnameserver 127.77.0.1\n"));
    assert_int_equal(pthread_create(&thread, NULL, serve, &s), 0);
    assert_ok(names_find(&n, "ldap.ours.test", clock_mono_ms() + 60000, found, &count));
    assert_int_equal(count, 4); /* of both questions */
    s.silent = 2;
    uint64_t begun = clock_mono_ms();
    assert_err(ERR_TIMEOUT, names_find(&n, "ldap.ours.test", begun + 200, found, &count));
    assert_true(clock_mono_ms() - begun < 20000); /* the machine may be busy */
    at.sin_port = htons(53);
    int end = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(sendto(end, "", 1, 0, (struct sockaddr *)&at, sizeof at), 1);
    pthread_join(thread, NULL);
    close(end);
    close(s.fd);
}

/* No way to a name server is no word about the name. The last test: the thread stays where there is no network. */
static void test_no_way(void **state)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 && unshare(CLONE_NEWNET) != 0)
        skip();
    struct names n = {.server_count = 0};
    struct ip found[NAMES_FOUND];
    size_t count = 0;
    names_read_servers(&n, S("nameserver 2001:db8::53\nnameserver 192.0.2.53\n"));
    assert_err(ERR_UNAVAILABLE, names_find(&n, "ldap.ours.test", clock_mono_ms() + 60000, found, &count));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),  cmocka_unit_test(test_servers), cmocka_unit_test(test_answers),
        cmocka_unit_test(test_forged), cmocka_unit_test(test_many),    cmocka_unit_test(test_bad_names),
        cmocka_unit_test(test_asking), cmocka_unit_test(test_no_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

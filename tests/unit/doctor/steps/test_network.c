/* From a name to a connection: a scripted name server, and doors of loopback that are open, closed or silent. */
#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "doctor/steps/network.h"
#include "loop/incoming.h"
#include "loop/sockaddr.h"
#include "net/connect.h"

enum { PATIENCE = 30000, SHORT = 1500, BUSY_MACHINE = 20000 };

/* ------------------------------------------------------------------------------------------------ the name server */

static const struct name {
    const char *name, *v4, *v6; /* addresses, joined by blanks */
    int code, code6;            /* response codes; -1: no answer */
    const char *alias;          /* on the wire */
    int delay_ms;               /* before an answer with IPv4 addresses */
} names[] = {
    {"good.example", "127.0.0.1", NULL},
    {"two.example", "127.0.0.1 127.0.0.2", NULL},
    {"both.example", "127.0.0.1", "::1"},
    {"six.example", NULL, "::1"},
    {"only6.example", NULL, "2001:db8::1"},
    {"half.example", "127.0.0.1", NULL, 0, 2},
    {"gone.example", NULL, NULL, 3, 3},
    {"dead.example", NULL, NULL, 3, 3, "\4gone\7example"},
    {"empty.example", NULL, NULL},
    {"fails.example", NULL, NULL, 2, 2},
    {"refused.example", NULL, NULL, 5, 5},
    {"mute.example", NULL, NULL, -1, -1},
    {"slow.example", "127.0.0.1", NULL, .delay_ms = 1050},
    {"fake.example", "198.18.0.5", NULL},
    {"sunk.example", "0.0.0.0", NULL},
    {"imap.gmail.com", "127.0.0.1", NULL},
};

struct packet {
    unsigned char b[1024];
    size_t n;
};

static void put(struct packet *p, const void *octets, size_t n)
{
    memcpy(p->b + p->n, octets, n);
    p->n += n;
}

static void put_addresses(struct packet *p, const char *list, bool v6)
{
    struct slice rest = slice_str(list), word;
    while (list && slice_cut(&rest, ' ', &word)) {
        struct ip ip;
        if (ip_parse(word, &ip) != OK)
            continue;
        put(p, v6 ? "\xc0\x0c\0\x1c\0\1\0\0\0\74\0\20" : "\xc0\x0c\0\1\0\1\0\0\0\74\0\4", 12);
        put(p, v6 ? ip.b : ip.b + 12, v6 ? 16 : 4);
        p->b[7]++;
    }
}

/* False: no answer. */
static bool answer(const unsigned char *q, struct packet *p)
{
    char name[256] = "";
    size_t at = 12;
    for (; q[at]; at += 1 + q[at])
        snprintf(
            name + strlen(name), sizeof name - strlen(name), "%s%.*s", at > 12 ? "." : "", q[at], q + at + 1);
    bool v6 = q[at + 2] == 28;
    p->n = 0;
    put(p, q, 2);
    put(p, "\x81\x80\0\1\0\0\0\0\0\0", 10);
    put(p, q + 12, at + 5 - 12);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].name, name) != 0)
            continue;
        if (names[i].delay_ms && !v6)
            poll(NULL, 0, names[i].delay_ms);
        int code = v6 ? names[i].code6 : names[i].code;
        p->b[3] |= code > 0 ? (unsigned char)code : 0;
        if (names[i].alias) {
            size_t n = strlen(names[i].alias) + 1;
            put(p, "\xc0\x0c\0\5\0\1\0\0\0\74\0", 11);
            put(p, &(unsigned char){(unsigned char)n}, 1);
            put(p, names[i].alias, n);
            p->b[7]++;
        }
        put_addresses(p, v6 ? names[i].v6 : names[i].v4, v6);
        return code >= 0;
    }
    p->b[3] |= 3;
    return true;
}

static struct {
    int fd;
    pthread_t thread;
    char where[32];
    _Atomic bool ends;
} server;
static struct knowledge *knowledge;
static struct dns *dns;

static void *serve(void *owner)
{
    while (!server.ends) {
        struct pollfd p = {.fd = server.fd, .events = POLLIN};
        struct sockaddr_in from;
        socklen_t n = sizeof from;
        unsigned char q[1500] = {0};
        struct packet out;
        if (poll(&p, 1, 20) > 0 &&
            recvfrom(server.fd, q, sizeof q - 1, 0, (struct sockaddr *)&from, &n) > 16 && answer(q, &out))
            assert_true(sendto(server.fd, out.b, out.n, 0, (struct sockaddr *)&from, n) > 0);
    }
    return NULL;
}

static int start(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(server.fd, (struct sockaddr *)&at, n) != 0 ||
        getsockname(server.fd, (struct sockaddr *)&at, &n) != 0)
        return -1;
    snprintf(server.where, sizeof server.where, "127.0.0.1@%u", ntohs(at.sin_port));
    knowledge = knowledge_built_in();
    if (pthread_create(&server.thread, NULL, serve, NULL) != 0)
        return -1;
    return dns_new(&(struct dns_options){.server = slice_str(server.where)}, &dns);
}

static int stop(void **state)
{
    dns_free(&dns);
    server.ends = true;
    pthread_join(server.thread, NULL);
    close(server.fd);
    knowledge_free(&knowledge);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- visits */

struct world {
    struct examination x;
    struct wishes wishes;
    struct visit visit;
};

static void world_visit(struct world *w, const char *host, uint16_t port, uint64_t patience_ms)
{
    examination_init(&w->x, knowledge);
    w->wishes = (struct wishes){.patience_ms = patience_ms};
    struct endpoint e = {.service = SERVICE_IMAP, .host = slice_str(host), .port = port};
    struct checked *c = examination_add(&w->x, &e);
    w->visit =
        (struct visit){.wishes = &w->wishes, .whole = &w->x, .server = c, .notes = &c->notes, .dns = dns};
    c->notes.step = w->x.general.step = STEP_NETWORK;
    network_look(&w->visit);
}

static void world_end(struct world *w)
{
    examination_done(&w->x);
}

/* The one note of the wanted tone or worse, or fails. */
static const struct observation *the_note(const struct notes *n, enum tone least)
{
    const struct observation *found = NULL;
    for (size_t i = 0; i < n->count; i++)
        if (n->rows[i].tone >= least) {
            assert_null(found);
            found = &n->rows[i];
        }
    assert_non_null(found);
    return found;
}

/* A socket at a free port of an address of loopback; backlog -1: nobody listens, so it refuses. */
static int hold(const char *ip_text_, int backlog, uint16_t *port)
{
    struct ip ip;
    struct sockaddr_storage at;
    assert_ok(ip_parse(slice_str(ip_text_), &ip));
    socklen_t n = ip_to_sockaddr(&ip, *port, &at);
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_true(backlog < 0 || listen(fd, backlog) == 0);
    assert_ok(incoming_local(fd, &ip, port));
    return fd;
}

static void it_connects(void **state)
{
    uint16_t port = 0;
    int door = hold("127.0.0.1", 8, &port);
    static const char *const hosts[] = {"good.example", "127.0.0.1"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_visit(&w, hosts[i], port, PATIENCE);
        assert_true(w.visit.server->standing.connected);
        assert_int_equal(w.visit.address_count, 1);
        assert_true(ip_is_loopback(&w.visit.addresses[0]));
        assert_int_equal(notes_worst(w.visit.notes, STEP_NETWORK), TONE_GOOD);
        network_look_around(&w.wishes, dns, &w.x);
        assert_int_equal(w.x.general.count, 0);
        world_end(&w);
    }
    close(door);
}

/* A part of the addresses does not answer: said, but no fault. */
static void a_part_of_it_connects(void **state)
{
    static const struct {
        const char *host, *listens;
        enum observed what;
        const char *proof;
    } rows[] = {
        {"two.example", "127.0.0.1", OBSERVED_NET_ADDRESS_DEAD, "127.0.0.2 port"},
        {"both.example", "127.0.0.1", OBSERVED_NET_IPV6_BROKEN, "::1 port"},
        {"both.example", "::1", OBSERVED_NET_IPV4_BROKEN, "127.0.0.1 port"},
        {"half.example", "127.0.0.1", OBSERVED_DNS_IPV6_FAILS, "AAAA half.example: SERVFAIL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        uint16_t port = 0;
        int door = hold(rows[i].listens, 8, &port);
        world_visit(&w, rows[i].host, port, PATIENCE);
        assert_true(w.visit.server->standing.connected);
        assert_int_equal(w.visit.address_count, 1);
        const struct observation *o = the_note(w.visit.notes, TONE_NOTE);
        assert_int_equal(o->tone, TONE_WARNING);
        if (!notes_have(w.visit.notes, rows[i].what) || !slice_starts(o->proof, slice_str(rows[i].proof)))
            fail_msg("row %zu: %.*s", i, SLICE_ARG(o->proof));
        world_end(&w);
        close(door);
    }
}

static void a_slow_name_server(void **state)
{
    struct world w;
    uint16_t port = 0;
    int door = hold("127.0.0.1", 8, &port);
    world_visit(&w, "slow.example", port, PATIENCE);
    assert_true(w.visit.server->standing.connected);
    assert_int_equal(the_note(w.visit.notes, TONE_NOTE)->tone, TONE_WARNING);
    assert_true(notes_have(w.visit.notes, OBSERVED_DNS_SLOW));
    world_end(&w);
    close(door);
}

static void names_that_lead_nowhere(void **state)
{
    static const struct {
        const char *host;
        enum observed what;
    } rows[] = {
        {"gone.example", OBSERVED_DNS_NO_SUCH_NAME},
        {"dead.example", OBSERVED_DNS_ALIAS_DEAD},
        {"empty.example", OBSERVED_DNS_NO_ADDRESS},
        {"fails.example", OBSERVED_DNS_SERVER_FAILS},
        {"refused.example", OBSERVED_DNS_REFUSED},
        {"mute.example", OBSERVED_DNS_SILENT},
        {"http://imap.example", OBSERVED_DNS_NAME_MALFORMED},
        {"a@b.example", OBSERVED_DNS_NAME_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        uint64_t begin = clock_mono_ms();
        bool waits = rows[i].what == OBSERVED_DNS_SILENT;
        world_visit(&w, rows[i].host, 993, waits ? SHORT : PATIENCE);
        assert_true(clock_mono_ms() - begin < (waits ? SHORT : PATIENCE) + BUSY_MACHINE);
        assert_false(w.visit.server->standing.connected);
        const struct observation *o = the_note(w.visit.notes, TONE_WARNING);
        assert_int_equal(o->tone, TONE_FAULT);
        if (!notes_have(w.visit.notes, rows[i].what))
            fail_msg("%s: %.*s", rows[i].host, SLICE_ARG(o->diagnosis->id));
        assert_true(o->proof.n > 0);
        world_end(&w);
    }
}

static void doors_that_refuse(void **state)
{
    static const struct {
        const char *host;
        enum observed what;
    } rows[] = {
        {"good.example", OBSERVED_NET_REFUSED},  {"127.0.0.1", OBSERVED_NET_LOCAL_REFUSED},
        {"::1", OBSERVED_NET_LOCAL_REFUSED},     {"six.example", OBSERVED_NET_REFUSED},
        {"imap.gmail.com", OBSERVED_DNS_HIJACK}, {"sunk.example", OBSERVED_DNS_HIJACK},
    };
    uint16_t port = 0;
    int door = hold("127.0.0.1", -1, &port);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        world_visit(&w, rows[i].host, port, PATIENCE);
        assert_false(w.visit.server->standing.connected);
        the_note(w.visit.notes, TONE_WARNING);
        /* Where this machine has a mail server of its own, its port is noticed. */
        bool other =
            rows[i].what == OBSERVED_NET_REFUSED && notes_have(w.visit.notes, OBSERVED_NET_PORT_CLOSED);
        if (!other && !notes_have(w.visit.notes, rows[i].what))
            fail_msg("%s", rows[i].host);
        world_end(&w);
    }
    close(door);
}

/* A listener whose queue is full answers nothing; that the machine is there its other ports tell. */
static void doors_that_are_silent(void **state)
{
    uint16_t port = 0;
    int door = hold("127.0.0.1", 0, &port), waiting[3];
    struct ip ip;
    assert_ok(ip_parse(S("127.0.0.1"), &ip));
    for (size_t i = 0; i < 3; i++)
        if (connect_wait(&ip, port, 100, NULL, &waiting[i], NULL) != OK)
            waiting[i] = -1;
    struct world w;
    uint64_t begin = clock_mono_ms();
    world_visit(&w, "good.example", port, SHORT);
    assert_true(clock_mono_ms() - begin < 2 * SHORT + BUSY_MACHINE);
    const struct observation *o = the_note(w.visit.notes, TONE_WARNING);
    assert_true(notes_have(w.visit.notes, OBSERVED_NET_PORT_FILTERED));
    assert_true(slice_search(o->proof, S("Connection timed out")) != SLICE_NPOS);
    world_end(&w);
    for (size_t i = 0; i < 3; i++)
        file_close(&waiting[i]);
    close(door);
}

static void invented_addresses(void **state)
{
    struct world w;
    world_visit(&w, "fake.example", 993, SHORT);
    assert_true(notes_have(w.visit.notes, OBSERVED_SOCKS_FAKE_IP));
    const struct observation *o = the_note(w.visit.notes, TONE_WARNING);
    assert_slice("socks-fake-ip", o->diagnosis->id);
    world_end(&w);
    /* A provider's name that leads here while something answers: said, but the steps behind may go on. */
    uint16_t port = 0;
    int door = hold("127.0.0.1", 8, &port);
    world_visit(&w, "imap.gmail.com", port, PATIENCE);
    assert_true(w.visit.server->standing.connected && notes_have(w.visit.notes, OBSERVED_DNS_HIJACK));
    assert_int_equal(notes_worst(w.visit.notes, STEP_NETWORK), TONE_WARNING);
    world_end(&w);
    close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_connects),        cmocka_unit_test(a_part_of_it_connects),
        cmocka_unit_test(a_slow_name_server), cmocka_unit_test(names_that_lead_nowhere),
        cmocka_unit_test(doors_that_refuse),  cmocka_unit_test(doors_that_are_silent),
        cmocka_unit_test(invented_addresses),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

/* SOCKS5: the octets of RFC 1928, and every way in which a proxy can fail, by proxies in processes of their own. */
#include "test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "doctor/steps/network.h"
#include "doctor/steps/proxy.h"
#include "doctor/steps/socks.h"

#define OCTETS(literal) slice_of(literal, sizeof(literal) - 1)

/* -------------------------------------------------------------------------------------------------------- octets */

static void what_is_said(void **state)
{
    struct buf b CLEANUP_BUF = BUF_INIT(512);
    char longest[256];
    memset(longest, 'a', sizeof longest);
    socks_put_hello(&b);
    assert_true(slice_eq(buf_slice(&b), OCTETS("\5\1\0")));
    buf_clear(&b);
    assert_ok(socks_put_connect(S("imap.example"), 993, &b));
    assert_true(slice_eq(buf_slice(&b), OCTETS("\5\1\0\3\14imap.example\3\341")));
    buf_clear(&b);
    assert_ok(socks_put_connect(S("192.0.2.1"), 25, &b));
    assert_true(slice_eq(buf_slice(&b), OCTETS("\5\1\0\1\300\0\2\1\0\31")));
    buf_clear(&b);
    assert_ok(socks_put_connect(S("2001:db8::1"), 25, &b));
    assert_true(slice_eq(buf_slice(&b), OCTETS("\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\31")));
    buf_clear(&b);
    assert_ok(socks_put_connect(slice_of(longest, 255), 25, &b));
    assert_int_equal(b.n, 4 + 1 + 255 + 2);
    assert_err(ERR_LIMIT, socks_put_connect(slice_of(longest, 256), 25, &b));
    assert_err(ERR_LIMIT, socks_put_connect(SLICE_EMPTY, 25, &b));
}

typedef enum err read_fn(struct slice in, size_t *ret_more, unsigned *ret_value);

/* Whole, and octet by octet: each part wants more, and never more than is to come. */
static void check_read(read_fn *read, struct slice in, enum err wanted, unsigned value)
{
    for (size_t n = 0; n < in.n; n++) {
        size_t more = 0;
        unsigned got = 999;
        enum err e = read(slice_of(in.p, n), &more, &got);
        if (wanted == OK) {
            assert_int_equal(e, ERR_AGAIN);
            assert_int_equal(got, 999);
            assert_true(more >= 1 && more <= in.n - n);
        } else {
            assert_true(e == ERR_AGAIN || e == wanted);
        }
    }
    size_t more = 0;
    unsigned got = 999;
    assert_int_equal(read(in, &more, &got), wanted);
    assert_int_equal(got, wanted == OK ? value : 999);
}

static void what_is_answered(void **state)
{
    char name[4 + 1 + 255 + 2] = "\5\0\0\3\377";
    check_read(socks_read_choice, OCTETS("\5\0"), OK, 0);
    check_read(socks_read_choice, OCTETS("\5\377"), OK, SOCKS_METHOD_REFUSED);
    check_read(socks_read_choice, OCTETS("HTTP"), ERR_SYNTAX, 0);
    check_read(socks_read_choice, OCTETS("\4"), ERR_SYNTAX, 0);
    check_read(socks_read_reply, OCTETS("\5\0\0\1\300\0\2\1\3\341"), OK, 0);
    check_read(socks_read_reply, OCTETS("\5\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\3\341"), OK, 0);
    check_read(socks_read_reply, OCTETS("\5\0\0\3\1a\3\341"), OK, 0);
    check_read(socks_read_reply, OCTETS("\5\0\0\3\0\3\341"), OK, 0);
    check_read(socks_read_reply, slice_of(name, sizeof name), OK, 0);
    check_read(socks_read_reply, OCTETS("\5\0\0\2\1\1\1"), ERR_SYNTAX, 0);
    check_read(socks_read_reply, OCTETS("\5\5"), OK, 5);
    check_read(socks_read_reply, OCTETS("\4\0"), ERR_SYNTAX, 0);
    size_t more;
    unsigned code = 0;
    assert_ok(socks_read_reply(OCTETS("\5\5\0\1\0\0\0\0\0\0"), &more, &code));
    assert_int_equal(code, 5);
    for (unsigned i = 0; i < 256; i++)
        assert_true(socks_code_words(i)[0]);
}

/* ------------------------------------------------------------------------------------------------- scripted proxies */

struct script {
    const char *first; /* said when the hello came; NULL: nothing. */
    size_t first_n;
    const char *second; /* said when the request came */
    size_t second_n;
    bool closes;     /* instead of waiting for the other side to go */
    bool line_first; /* says `first` only when a line end came, as HTTP proxies do */
};

static void serve_one(int fd, const struct script *s)
{
    char in[512];
    ssize_t n = read(fd, in, 3);
    if (s->line_first)
        n = read(fd, in, sizeof in);
    if (s->first && write(fd, s->first, s->first_n) < 0)
        _exit(1);
    if (s->second && (n = read(fd, in, sizeof in)) > 0 && write(fd, s->second, s->second_n) < 0)
        _exit(1);
    if (!s->closes)
        while (n > 0)
            n = read(fd, in, sizeof in);
    close(fd);
}

static struct knowledge *knowledge;

static int learn(void **state)
{
    knowledge = knowledge_built_in();
    return 0;
}

static int forget(void **state)
{
    knowledge_free(&knowledge);
    return 0;
}

struct world {
    pid_t pid;
    int port;
    struct examination x;
    struct wishes wishes;
    struct visit visit;
};

static void world_start(struct world *w, const struct script *s, uint64_t patience_ms)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(
        bind(listener, (struct sockaddr *)&at, n) == 0 &&
        getsockname(listener, (struct sockaddr *)&at, &n) == 0);
    assert_true(!s || listen(listener, 8) == 0);
    w->pid = s ? fork() : 0;
    if (s && w->pid == 0) {
        alarm(120);
        for (;;)
            serve_one(accept(listener, NULL, NULL), s);
    }
    close(listener); /* without a script nothing listens */
    examination_init(&w->x, knowledge);
    w->wishes = (struct wishes){
        .patience_ms = patience_ms, .proxy = {.host = S("127.0.0.1"), .port = ntohs(at.sin_port)}};
    struct endpoint e = {.service = SERVICE_IMAP, .host = S("imap.example"), .port = 993};
    struct checked *c = examination_add(&w->x, &e);
    w->visit = (struct visit){.wishes = &w->wishes, .whole = &w->x, .server = c, .notes = &c->notes};
    c->notes.step = STEP_NETWORK;
}

static void world_end(struct world *w)
{
    if (w->pid > 0) {
        kill(w->pid, SIGKILL);
        assert_int_equal(waitpid(w->pid, NULL, 0), w->pid);
    }
    examination_done(&w->x);
}

#define SAYS(literal) literal, sizeof(literal) - 1

static void connected(void **state)
{
    /* The server's first words come in one packet with the proxy's last ones, and are left for the talk. */
    static const struct script s = {SAYS("\5\0"), SAYS("\5\0\0\1\0\0\0\0\0\0* OK hello\r\n")};
    struct world w;
    struct proxy_outcome o;
    int fd = -1;
    char in[32];
    world_start(&w, &s, 30000);
    assert_ok(proxy_try(&w.visit, clock_mono_ms() + 30000, &fd, &o));
    assert_int_equal(o.trouble, PROXY_FINE);
    assert_int_equal(read(fd, in, sizeof in), 12);
    assert_memory_equal(in, "* OK hello\r\n", 12);
    file_close(&fd);
    network_look(&w.visit);
    assert_true(w.visit.server->standing.connected);
    assert_int_equal(w.visit.address_count, 0);
    assert_int_equal(notes_worst(w.visit.notes, STEP_NETWORK), TONE_GOOD);
    world_end(&w);
}

static const struct {
    struct script script;
    enum proxy_trouble trouble;
    unsigned code;
    enum err e;
    enum observed what;
} troubles[] = {
    {{SAYS("\5\377"), .closes = true}, PROXY_WANTS_AUTH, 0, ERR_DENIED, OBSERVED_SOCKS_NO_METHOD},
    {{SAYS("\5\2")}, PROXY_WANTS_AUTH, 0, ERR_DENIED, OBSERVED_SOCKS_NO_METHOD},
    {{SAYS("\5\0"), SAYS("\5\1\0\1\0\0\0\0\0\0")},
     PROXY_REFUSES,
     1,
     ERR_DENIED,
     OBSERVED_SOCKS_GENERAL_FAILURE},
    {{SAYS("\5\0"), SAYS("\5\2"), .closes = true}, PROXY_REFUSES, 2, ERR_DENIED, OBSERVED_SOCKS_RULESET},
    {{SAYS("\5\0"), SAYS("\5\3\0\1\0\0\0\0\0\0")},
     PROXY_REFUSES,
     3,
     ERR_DENIED,
     OBSERVED_SOCKS_NET_UNREACHABLE},
    {{SAYS("\5\0"), SAYS("\5\4\0\1\0\0\0\0\0\0")},
     PROXY_REFUSES,
     4,
     ERR_DENIED,
     OBSERVED_SOCKS_HOST_UNREACHABLE},
    {{SAYS("\5\0"), SAYS("\5\5\0\1\0\0\0\0\0\0")}, PROXY_REFUSES, 5, ERR_DENIED, OBSERVED_SOCKS_REFUSED},
    {{SAYS("\5\0"), SAYS("\5\6\0\1\0\0\0\0\0\0")}, PROXY_REFUSES, 6, ERR_DENIED, OBSERVED_SOCKS_TTL_EXPIRED},
    {{SAYS("\5\0"), SAYS("\5\7\0\1\0\0\0\0\0\0")},
     PROXY_REFUSES,
     7,
     ERR_DENIED,
     OBSERVED_SOCKS_CMD_UNSUPPORTED},
    {{SAYS("\5\0"), SAYS("\5\10\0\1\0\0\0\0\0\0")},
     PROXY_REFUSES,
     8,
     ERR_DENIED,
     OBSERVED_SOCKS_CMD_UNSUPPORTED},
    {{SAYS("\5\0"), SAYS("\5\377\0\1\0\0\0\0\0\0")},
     PROXY_REFUSES,
     255,
     ERR_DENIED,
     OBSERVED_SOCKS_GENERAL_FAILURE},
    {{SAYS("HTTP/1.1 400 Bad Request\r\n\r\n"), .closes = true},
     PROXY_NOT_SOCKS,
     0,
     ERR_IO,
     OBSERVED_SOCKS_IS_HTTP},
    {{SAYS("HTTP/1.1 400 Bad Request\r\n\r\n"), .line_first = true},
     PROXY_NOT_SOCKS,
     0,
     ERR_TIMEOUT,
     OBSERVED_SOCKS_IS_HTTP},
    {{SAYS("220 mail.example ESMTP\r\n")}, PROXY_NOT_SOCKS, 0, ERR_IO, OBSERVED_PROXY_NOT_SOCKS},
    {{.closes = true}, PROXY_NOT_SOCKS, 0, ERR_CLOSED, OBSERVED_PROXY_NOT_SOCKS},
    {{NULL}, PROXY_SILENT, 0, ERR_TIMEOUT, OBSERVED_PROXY_SILENT},
    {{SAYS("\5\0")}, PROXY_SILENT, 0, ERR_TIMEOUT, OBSERVED_PROXY_SILENT},
    {{SAYS("\5\0"), SAYS("\5\0\0\3\377abc")}, PROXY_SILENT, 0, ERR_TIMEOUT, OBSERVED_PROXY_SILENT},
    {{SAYS("\5\0"), SAYS("\5\0\0\2\1\2\3\4")}, PROXY_NOT_SOCKS, 0, ERR_IO, OBSERVED_PROXY_NOT_SOCKS},
};

static void every_trouble(void **state)
{
    enum { PATIENCE = 120 };
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        bool waits = troubles[i].trouble == PROXY_SILENT || troubles[i].script.line_first;
        uint64_t patience = waits ? PATIENCE : 30000, start = clock_mono_ms();
        struct world w;
        struct proxy_outcome o;
        int fd = -1;
        world_start(&w, &troubles[i].script, patience);
        enum err e = proxy_try(&w.visit, start + patience, &fd, &o);
        if (o.trouble != troubles[i].trouble || e != troubles[i].e || o.code != troubles[i].code)
            fail_msg("row %zu: trouble %d, error %d, code %u", i, o.trouble, e, o.code);
        assert_int_equal(fd, -1);
        assert_true(clock_mono_ms() - start < patience + 20000); /* the machine may be busy */
        network_look(&w.visit);
        assert_false(w.visit.server->standing.connected);
        if (!notes_have(w.visit.notes, troubles[i].what))
            fail_msg("row %zu: another note", i);
        assert_int_equal(w.visit.notes->count, 1);
        world_end(&w);
    }
}

static void nobody_there(void **state)
{
    struct world w;
    struct proxy_outcome o;
    int fd = -1;
    world_start(&w, NULL, 3000);
    assert_err(ERR_DENIED, proxy_try(&w.visit, clock_mono_ms() + 3000, &fd, &o));
    assert_int_equal(o.trouble, PROXY_UNREACHED);
    network_look(&w.visit);
    assert_true(notes_have(w.visit.notes, OBSERVED_PROXY_UNREACHED));
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said),  cmocka_unit_test(what_is_answered), cmocka_unit_test(connected),
        cmocka_unit_test(every_trouble), cmocka_unit_test(nobody_there),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}

#include "test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "doctor/steps/talk.h"

/* A server in a process of its own, which does one thing with one connection. */
struct peer {
    pid_t pid;
    struct knowledge *k;
    struct examination x;
    struct wishes wishes;
    struct visit visit;
};

static void peer_start(struct peer *p, void (*serve)(int fd), uint64_t patience_ms)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0) {
        alarm(120);
        serve(accept(listener, NULL, NULL));
        _exit(0);
    }
    close(listener);
    p->k = knowledge_new();
    examination_init(&p->x, p->k);
    p->wishes = (struct wishes){.patience_ms = patience_ms};
    struct endpoint e = {.service = SERVICE_IMAP, .host = S("127.0.0.1"), .port = ntohs(at.sin_port)};
    struct checked *c = examination_add(&p->x, &e);
    p->visit = (struct visit){.wishes = &p->wishes, .whole = &p->x, .server = c, .notes = &c->notes};
    assert_ok(ip_parse(S("127.0.0.1"), &p->visit.addresses[0]));
    p->visit.address_count = 1;
}

static void peer_end(struct peer *p)
{
    kill(p->pid, SIGKILL);
    assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
    examination_done(&p->x);
    knowledge_free(&p->k);
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        _exit(1);
}

static void serve_lines(int fd)
{
    char heard[8];
    say(fd, "* OK ready\r\nbare\nempt");
    if (read(fd, heard, 6) != 6 || memcmp(heard, "HELLO\n", 6) != 0)
        _exit(1);
    say(fd, "y\r\n\r\n12345rest");
}

static void lines_and_octets(void **state)
{
    struct peer p;
    struct talk *t = NULL;
    struct slice got;
    peer_start(&p, serve_lines, 30000);
    assert_ok(talk_open(&p.visit, &t));
    assert_ok(talk_line(t, &got));
    assert_slice("* OK ready", got);
    assert_int_equal(talk_bare_lines(t), 0);
    assert_ok(talk_line(t, &got));
    assert_slice("bare", got);
    assert_int_equal(talk_bare_lines(t), 1);
    assert_ok(talk_printf(t, "%s\n", "HELLO"));
    assert_ok(talk_line(t, &got));
    assert_slice("empty", got);
    assert_ok(talk_line(t, &got));
    assert_slice("", got);
    assert_ok(talk_octets(t, 5, &got));
    assert_slice("12345", got);
    assert_ok(talk_octets(t, 100, &got)); /* as many as come before the end */
    assert_slice("rest", got);
    assert_err(ERR_STATE, talk_line(t, &got));
    assert_null(talk_transport(t));
    talk_close(&t);
    assert_null(t);
    peer_end(&p);
}

static void serve_nothing(int fd)
{
    char c;
    while (read(fd, &c, 1) > 0)
        ;
    pause();
}

static void serve_drips(int fd)
{
    struct timespec while_ms = {.tv_nsec = 5000000};
    for (;;) {
        say(fd, "x");
        nanosleep(&while_ms, NULL);
    }
}

/* Neither silence nor an octet now and then holds the talk beyond its patience. */
static void patience_is_kept(void **state)
{
    void (*const servers[])(int) = {serve_nothing, serve_drips};
    for (size_t i = 0; i < 2; i++) {
        struct peer p;
        struct talk *t = NULL;
        struct slice got;
        peer_start(&p, servers[i], 300);
        uint64_t began = clock_mono_ms();
        assert_ok(talk_open(&p.visit, &t));
        assert_err(ERR_TIMEOUT, talk_line(t, &got));
        assert_true(clock_mono_ms() - began >= 290);
        assert_err(ERR_STATE, talk_put(t, S("more")));
        talk_close(&t);
        peer_end(&p);
    }
}

static void waiting_takes_nothing(void **state)
{
    struct peer p;
    struct talk *t = NULL;
    struct slice got;
    peer_start(&p, serve_nothing, 30000);
    assert_ok(talk_open(&p.visit, &t));
    assert_err(ERR_TIMEOUT, talk_wait(t, 20));
    assert_ok(talk_put(t, S("still there")));
    talk_close(&t);
    peer_end(&p);
    peer_start(&p, serve_lines, 30000);
    assert_ok(talk_open(&p.visit, &t));
    assert_ok(talk_wait(t, 5000));
    assert_true(talk_input(t).n > 0);
    assert_ok(talk_line(t, &got));
    assert_slice("* OK ready", got);
    talk_close(&t);
    peer_end(&p);
}

static void serve_one_line_for_ever(int fd)
{
    char block[4096];
    memset(block, 'x', sizeof block);
    while (write(fd, block, sizeof block) > 0)
        ;
}

static void serve_lines_for_ever(int fd)
{
    while (write(fd, "* OK still here\r\n", 17) > 0)
        ;
}

static void floods_end(void **state)
{
    struct peer p;
    struct talk *t = NULL;
    struct slice got;
    enum err e = OK;
    signal(SIGPIPE, SIG_IGN);
    peer_start(&p, serve_one_line_for_ever, 60000);
    assert_ok(talk_open(&p.visit, &t));
    assert_err(ERR_LIMIT, talk_line(t, &got));
    talk_close(&t);
    peer_end(&p);
    peer_start(&p, serve_lines_for_ever, 60000);
    assert_ok(talk_open(&p.visit, &t));
    size_t lines = 0;
    while ((e = talk_line(t, &got)) == OK)
        lines++;
    assert_err(ERR_LIMIT, e);
    assert_in_range(lines, LIMIT_DOCTOR_TALK / 17, LIMIT_DOCTOR_TALK / 17 + 1000);
    talk_close(&t);
    peer_end(&p);
}

/* What came in clear behind the answer to STARTTLS is not taken for an answer under TLS. */
static void serve_injection(int fd)
{
    say(fd, "a OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n");
    pause();
}

static void injected_lines_end_it(void **state)
{
    struct peer p;
    struct talk *t = NULL;
    struct slice got;
    peer_start(&p, serve_injection, 30000);
    assert_ok(talk_open(&p.visit, &t));
    assert_ok(talk_line(t, &got));
    assert_ok(talk_wait(t, 5000));
    assert_err(ERR_DENIED, talk_start_tls(t, NULL, S("localhost")));
    assert_slice("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", talk_input(t));
    assert_err(ERR_STATE, talk_put(t, S("a LOGIN")));
    talk_close(&t);
    peer_end(&p);
}

static void secrets_are_wiped_after_sending(void **state)
{
    struct peer p;
    struct talk *t = NULL;
    struct buf line = BUF_INIT(100);
    peer_start(&p, serve_nothing, 30000);
    assert_ok(talk_open(&p.visit, &t));
    buf_put_str(&line, "a LOGIN alice hunter2\r\n");
    assert_ok(talk_put_secret(t, &line));
    assert_int_equal(line.n, 0);
    assert_null(line.p);
    talk_close(&t);
    peer_end(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_octets),      cmocka_unit_test(patience_is_kept),
        cmocka_unit_test(waiting_takes_nothing), cmocka_unit_test(floods_end),
        cmocka_unit_test(injected_lines_end_it), cmocka_unit_test(secrets_are_wiped_after_sending)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

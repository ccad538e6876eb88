/* Questions to a scripted server on loopback: every type and every kind of failure, in time; hostile answers. */
#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "dns/dns.h"
#include "dns/probe.h"

enum { PATIENCE = 30000, MANY = 3000 };

/* ------------------------------------------------------------------------------------------- the scripted server */

struct server {
    int udp, tcp;
    pthread_t thread;
    char where[32];
    _Atomic bool ends;
};

struct packet {
    unsigned char b[65536];
    size_t n;
};

static void put(struct packet *p, const void *octets, size_t n)
{
    memcpy(p->b + p->n, octets, n);
    p->n += n;
}
static void put16(struct packet *p, unsigned v)
{
    unsigned char b[2] = {(unsigned char)(v >> 8), (unsigned char)v};
    put(p, b, 2);
}
/* A record of the name asked for (by a compression pointer) or, with `owner`, of another. */
static void
put_record(struct packet *p, const char *owner, size_t owner_n, unsigned type, const void *data, size_t n)
{
    if (owner)
        put(p, owner, owner_n);
    else
        put16(p, 0xc00c);
    put16(p, type);
    put16(p, 1);
    put16(p, 0);
    put16(p, 60);
    put16(p, (unsigned)n);
    put(p, data, n);
    p->b[7]++;
    p->b[6] += p->b[7] == 0;
}
#define RECORD(p, type, literal) put_record(p, NULL, 0, type, literal, sizeof(literal) - 1)
#define RECORD_OF(p, owner, type, literal)                                                                   \
    put_record(p, owner, sizeof(owner), type, literal, sizeof(literal) - 1)

enum { SILENT = -1, ONLY_CHECKED = -2, WRONG_ID = -3, SHORT = -4, GARBAGE = -5 };

/* Records that the answers hold; a script row returns the response code, or one of the above. */
static int say_a(struct packet *p)
{
    RECORD(p, 1, "\300\0\2\1");
    RECORD(p, 1, "\300\0\2\2");
    return 0;
}
static int say_aaaa(struct packet *p)
{
    RECORD(p, 28, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x19");
    return 0;
}
static int say_mx(struct packet *p)
{
    RECORD(p, 15, "\0\12\4MAIL\xc0\x0c"); /* compressed, capital letters */
    RECORD(p, 15, "\0\0\0");
    RECORD(p, 15, "\0\1\7bad nam\3com\0");
    RECORD(p, 15, "\0\1\3a_b\3com\0");
    RECORD(p, 15, "\0\1\4-ab-\3com\0");
    RECORD(p, 15, "\0\1\3a.b\3com\0");
    return 0;
}
static int say_srv(struct packet *p)
{
    RECORD(p, 33, "\0\1\0\2\3\xe1\4imap\7example\0");
    RECORD(p, 33, "\0\0\0\0\0\0\0");
    return 0;
}
static int say_txt(struct packet *p)
{
    RECORD(p, 16, "\5v=one\4 two");
    RECORD(p, 16, "\0");
    return 0;
}
static int say_alias(struct packet *p)
{
    RECORD(p, 5, "\4host\7EXAMPLE\0");
    RECORD_OF(p, "\4host\7example", 1, "\300\0\2\7");
    return 0;
}
static int say_dead_alias(struct packet *p)
{
    RECORD(p, 5, "\4gone\7example\0");
    return 3;
}
static int say_loop1(struct packet *p)
{
    RECORD(p, 5, "\5loop2\7example\0");
    return 0;
}
static int say_loop2(struct packet *p)
{
    RECORD(p, 5, "\5loop1\7example\0");
    return 0;
}
static int say_many(struct packet *p)
{
    for (unsigned i = 0; i < MANY; i++) {
        unsigned char ip[4] = {10, 0, (unsigned char)(i >> 8), (unsigned char)i};
        put_record(p, NULL, 0, 1, ip, 4);
    }
    return 0;
}
static int say_lie(struct packet *p)
{
    RECORD(p, 1, "\300\0\2"); /* too short for an address */
    return 0;
}
static int say_nothing(struct packet *p)
{
    return 0;
}
static int say_no_name(struct packet *p)
{
    return 3;
}
static int say_failure(struct packet *p)
{
    return 2;
}
static int say_refused(struct packet *p)
{
    return 5;
}
static int say_silent(struct packet *p)
{
    return SILENT;
}
static int say_only_checked(struct packet *p)
{
    return ONLY_CHECKED;
}
static int say_wrong_id(struct packet *p)
{
    return WRONG_ID;
}
static int say_short(struct packet *p)
{
    return SHORT;
}
static int say_garbage(struct packet *p)
{
    return GARBAGE;
}

/* A zone signed once for all (Ed25519), good from 2015 to 2080. */
static const char anchor_line[] = "; made for this test\nsigned.example. 60 IN DNSKEY 257 3 15 "
                                  "k3xzNzm0jKAVMlzHlAIzsGNC28Zz/i84yTO7oX5ux3s=\n";
static const char dnskey[] =
    "\001\001\003\017\223\174\163\067\071\264\214\240\025\062\134\307\224\002\063\260\143\102\333\306"
    "\163\376\057\070\311\063\273\241\176\156\307\173";
static const char dnskey_sig[] =
    "\000\060\017\002\000\000\000\074\316\347\271\200\124\244\216\000\267\304\006\163\151\147\156\145"
    "\144\007\145\170\141\155\160\154\145\000\344\143\070\171\134\277\125\174\343\261\246\037\052\073"
    "\370\326\067\214\131\056\033\302\073\016\145\147\125\273\136\046\051\351\016\260\220\320\335\102"
    "\237\021\016\044\346\037\250\233\077\320\147\372\374\257\052\132\243\144\100\216\251\060\300\032"
    "\130\004";
static const char host_sig[] =
    "\000\001\017\003\000\000\000\074\316\347\271\200\124\244\216\000\267\304\006\163\151\147\156\145"
    "\144\007\145\170\141\155\160\154\145\000\322\125\276\265\371\351\141\055\270\240\032\257\204\040"
    "\016\264\360\116\313\346\261\207\062\176\010\360\366\324\217\360\235\173\302\323\231\347\302\062"
    "\315\227\071\110\030\326\240\261\316\123\367\366\013\101\276\124\343\271\267\355\025\160\350\053"
    "\177\003";
static const char forged_sig[] =
    "\000\001\017\003\000\000\000\074\316\347\271\200\124\244\216\000\267\304\006\163\151\147\156\145"
    "\144\007\145\170\141\155\160\154\145\000\270\042\246\216\003\065\270\123\277\260\215\012\253\001"
    "\305\361\167\137\224\240\116\321\112\020\214\266\277\353\161\121\152\042\362\304\333\015\244\360"
    "\234\363\037\072\371\221\267\373\223\267\262\325\256\014\104\073\173\060\046\374\143\163\161\157"
    "\061\004";
static int say_dnskey(struct packet *p)
{
    put_record(p, NULL, 0, 48, dnskey, sizeof dnskey - 1);
    put_record(p, NULL, 0, 46, dnskey_sig, sizeof dnskey_sig - 1);
    return 0;
}
static int say_signed(struct packet *p)
{
    RECORD(p, 1, "\300\0\2\7");
    put_record(p, NULL, 0, 46, host_sig, sizeof host_sig - 1);
    return 0;
}
static int say_forged(struct packet *p)
{
    RECORD(p, 1, "\300\0\2\7");
    put_record(p, NULL, 0, 46, forged_sig, sizeof forged_sig - 1);
    return 0;
}
static int say_bare(struct packet *p)
{
    RECORD(p, 1, "\300\0\2\7");
    return 0;
}

static const struct row {
    const char *name;
    unsigned type; /* 0: any */
    int (*say)(struct packet *p);
} script[] = {
    {"host.example", 1, say_a},
    {"host.example", 28, say_aaaa},
    {"host.example", 15, say_mx},
    {"_imaps._tcp.example", 33, say_srv},
    {"host.example", 16, say_txt},
    {"alias.example", 0, say_alias},
    {"dead.example", 0, say_dead_alias},
    {"loop1.example", 0, say_loop1},
    {"loop2.example", 0, say_loop2},
    {"many.example", 1, say_many},
    {"lie.example", 0, say_lie},
    {"empty.example", 0, say_nothing},
    {"gone.example", 0, say_no_name},
    {"gone.test", 0, say_no_name},
    {"host.test", 0, say_a},
    {"fails.example", 0, say_failure},
    {"refused.example", 0, say_refused},
    {"mute.example", 0, say_silent},
    {"checked.example", 0, say_only_checked},
    {"wrongid.example", 0, say_wrong_id},
    {"short.example", 0, say_short},
    {"garbage.example", 0, say_garbage},
    {"signed.example", 48, say_dnskey},
    {"host.signed.example", 1, say_signed},
    {"forged.signed.example", 1, say_forged},
    {"bare.signed.example", 1, say_bare},
};

/* The name of a question as text. */
static void name_of(const unsigned char *q, size_t n, char out[256])
{
    size_t o = 0;
    for (size_t at = 12; at < n && q[at] && o + q[at] + 1 < 256; at += 1 + q[at]) {
        memcpy(out + o, q + at + 1, q[at]);
        o += q[at];
        out[o++] = '.';
    }
    out[o ? o - 1 : 0] = '\0';
}

static int say(const unsigned char *q, size_t n, struct packet *p)
{
    char name[256];
    name_of(q, n, name);
    size_t end = 12 + strlen(name) + 2;
    unsigned type = (unsigned)q[end] << 8 | q[end + 1];
    put(p, q, 2);
    put16(p, 0x8180);
    put16(p, 1);
    for (int i = 0; i < 3; i++)
        put16(p, 0);
    put(p, q + 12, end + 4 - 12);
    for (size_t i = 0; i < sizeof script / sizeof *script; i++)
        if (strcasecmp(script[i].name, name) == 0 && (!script[i].type || script[i].type == type))
            return script[i].say(p);
    for (size_t i = 0; i < sizeof script / sizeof *script; i++)
        if (strcasecmp(script[i].name, name) == 0)
            return 0;
    return 3;
}

/* False: no answer. */
static bool answer(const unsigned char *q, size_t n, bool udp, struct packet *p)
{
    p->n = 0;
    int code = say(q, n, p);
    if (code == SILENT)
        return false;
    if (code == ONLY_CHECKED)
        code = q[3] & 0x10 ? 0 : 2;
    if (code == WRONG_ID)
        p->b[0] ^= 0xff;
    if (code == SHORT)
        p->n = 7;
    if (code == GARBAGE)
        memset(p->b + 12, 0xc0, p->n - 12);
    p->b[3] |= code > 0 ? (unsigned char)code : 0;
    if (udp && p->n > 1200) {
        p->b[2] |= 2; /* truncated: by TCP, please */
        p->b[6] = p->b[7] = 0;
        p->n = 12 + n - 12 < 1200 ? p->n : 1200;
        char name[256];
        name_of(q, n, name);
        p->n = 12 + strlen(name) + 2 + 4;
    }
    return true;
}

static void serve_udp(struct server *s)
{
    static struct packet p;
    unsigned char q[1500];
    struct sockaddr_in from;
    socklen_t from_n = sizeof from;
    ssize_t n = recvfrom(s->udp, q, sizeof q, 0, (struct sockaddr *)&from, &from_n);
    if (n > 16 && answer(q, (size_t)n, true, &p))
        assert_true(sendto(s->udp, p.b, p.n, 0, (struct sockaddr *)&from, from_n) >= 0);
}

static bool read_all(int fd, unsigned char *to, size_t n)
{
    for (ssize_t got = 1; n && got > 0; to += got, n -= (size_t)got)
        if ((got = read(fd, to, n)) <= 0)
            return false;
    return true;
}

static void serve_tcp(struct server *s)
{
    static struct packet p;
    unsigned char length[2], q[1500];
    int fd = accept(s->tcp, NULL, NULL);
    if (fd >= 0 && read_all(fd, length, 2) && read_all(fd, q, (size_t)length[0] << 8 | length[1]) &&
        answer(q, (size_t)length[0] << 8 | length[1], false, &p)) {
        unsigned char n[2] = {(unsigned char)(p.n >> 8), (unsigned char)p.n};
        if (write(fd, n, 2) == 2)
            for (size_t at = 0; at < p.n;) {
                ssize_t went = write(fd, p.b + at, p.n - at);
                if (went <= 0)
                    break;
                at += (size_t)went;
            }
    }
    close(fd);
}

static void *serve(void *owner)
{
    struct server *s = owner;
    while (!s->ends) {
        struct pollfd p[2] = {{.fd = s->udp, .events = POLLIN}, {.fd = s->tcp, .events = POLLIN}};
        if (poll(p, 2, 20) <= 0)
            continue;
        if (p[0].revents)
            serve_udp(s);
        if (p[1].revents)
            serve_tcp(s);
    }
    return NULL;
}

/* UDP and TCP at one port. */
static void bind_both(struct server *s)
{
    for (int i = 0; i < 20; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        socklen_t n = sizeof at;
        s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(s->udp, (struct sockaddr *)&at, n), 0);
        assert_int_equal(getsockname(s->udp, (struct sockaddr *)&at, &n), 0);
        if (bind(s->tcp, (struct sockaddr *)&at, n) == 0 && listen(s->tcp, 8) == 0) {
            snprintf(s->where, sizeof s->where, "127.0.0.1@%u", ntohs(at.sin_port));
            return;
        }
        close(s->udp);
        close(s->tcp);
    }
    fail_msg("no port is free for both UDP and TCP");
}

static struct server server;

static int start(void **state)
{
    bind_both(&server);
    return pthread_create(&server.thread, NULL, serve, &server);
}

static int stop(void **state)
{
    server.ends = true;
    pthread_join(server.thread, NULL);
    close(server.udp);
    close(server.tcp);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- helpers */

struct asking {
    struct dns *dns;
    struct arena arena;
    struct dns_answer answer;
};

static struct asking asking_new(const char *anchor)
{
    struct asking a = {.arena = ARENA_INIT(1 << 20)};
    struct dns_options o = {.server = slice_str(server.where), .anchor = slice_str(anchor)};
    assert_ok(dns_new(&o, &a.dns));
    return a;
}

static const struct dns_answer *ask(struct asking *a, const char *name, enum dns_type type)
{
    arena_clear(&a->arena);
    assert_ok(dns_ask(a->dns, slice_str(name), type, PATIENCE, &a->arena, &a->answer));
    return &a->answer;
}

static void asking_done(struct asking *a)
{
    dns_free(&a->dns);
    arena_done(&a->arena);
}

static void assert_ip(const char *wanted, const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    assert_string_equal(ip_text(ip, text), wanted);
}

/* ---------------------------------------------------------------------------------------------------------- tests */

static void every_type(void **state)
{
    struct asking a = asking_new(NULL);
    const struct dns_answer *x = ask(&a, "HOST.Example.", DNS_A);
    assert_int_equal(x->status, DNS_FOUND);
    assert_int_equal(x->proof, DNS_UNPROVED);
    assert_int_equal(x->count, 2);
    assert_slice("host.example", x->canonical);
    assert_true(x->records[0].ip.b[12] == 192 && x->records[0].ip.b[15] + x->records[1].ip.b[15] == 3);
    x = ask(&a, "host.example", DNS_AAAA);
    assert_int_equal(x->count, 1);
    assert_ip("2001:db8::19", &x->records[0].ip);
    x = ask(&a, "_imaps._tcp.example", DNS_SRV);
    assert_int_equal(x->count, 2);
    const struct dns_record *first = x->records[0].port ? &x->records[0] : &x->records[1];
    assert_slice("imap.example", first->host);
    assert_true(first->priority == 1 && first->weight == 2 && first->port == 993);
    x = ask(&a, "host.example", DNS_TXT);
    assert_int_equal(x->count, 2);
    assert_slice("v=one two", x->records[x->records[0].text.n ? 0 : 1].text);
    asking_done(&a);
}

/* What is no host name does not get in; "." does, as nothing. */
static void names_are_looked_at(void **state)
{
    struct asking a = asking_new(NULL);
    const struct dns_answer *x = ask(&a, "host.example", DNS_MX);
    assert_int_equal(x->status, DNS_FOUND);
    assert_int_equal(x->count, 2);
    assert_int_equal(x->left_out, 4);
    size_t named = x->records[0].host.n ? 0 : 1;
    assert_slice("mail.host.example", x->records[named].host);
    assert_int_equal(x->records[named].priority, 10);
    assert_int_equal(x->records[1 - named].host.n, 0);
    asking_done(&a);
}

static void aliases(void **state)
{
    struct asking a = asking_new(NULL);
    const struct dns_answer *x = ask(&a, "alias.example", DNS_A);
    assert_int_equal(x->status, DNS_FOUND);
    assert_slice("host.example", x->canonical);
    x = ask(&a, "alias.example", DNS_CNAME);
    assert_int_equal(x->count, 1);
    assert_slice("host.example", x->records[0].host);
    x = ask(&a, "dead.example", DNS_A);
    assert_int_equal(x->status, DNS_NO_NAME);
    assert_slice("gone.example", x->canonical);
    x = ask(&a, "loop1.example", DNS_A);
    assert_int_equal(x->status, DNS_LOOP);
    assert_true(x->took_ms < PATIENCE);
    asking_done(&a);
}

static void failures(void **state)
{
    struct asking a = asking_new(NULL);
    assert_int_equal(ask(&a, "empty.example", DNS_A)->status, DNS_NO_RECORD);
    assert_int_equal(ask(&a, "host.example", DNS_SRV)->status, DNS_NO_RECORD);
    assert_int_equal(ask(&a, "gone.example", DNS_A)->status, DNS_NO_NAME);
    assert_int_equal(ask(&a, "gone.test", DNS_A)->status, DNS_NO_NAME);
    assert_int_equal(ask(&a, "host.test", DNS_A)->status, DNS_FOUND); /* not by the library itself */
    assert_int_equal(ask(&a, "fails.example", DNS_A)->status, DNS_SERVER_FAIL);
    assert_int_equal(a.answer.proof, DNS_UNPROVED);
    assert_int_equal(ask(&a, "refused.example", DNS_A)->status, DNS_REFUSED);
    assert_int_equal(ask(&a, "checked.example", DNS_A)->status, DNS_SERVER_FAIL);
    assert_int_equal(a.answer.proof, DNS_BOGUS);
    assert_true(a.answer.why.n > 0);
    asking_done(&a);
}

static void silence_ends(void **state)
{
    static const char *const names[] = {
        "mute.example", "wrongid.example", "short.example", "garbage.example"};
    struct asking a = asking_new(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t start = clock_mono_ms();
        assert_ok(dns_ask(a.dns, slice_str(names[i]), DNS_A, 200, &a.arena, &a.answer));
        assert_true(clock_mono_ms() - start < 20000); /* the machine may be busy */
        assert_true(a.answer.status == DNS_SILENT || a.answer.status == DNS_SERVER_FAIL);
        assert_int_equal(a.answer.count, 0);
    }
    assert_int_equal(ask(&a, "host.example", DNS_A)->status, DNS_FOUND); /* it still serves */
    asking_done(&a);
}

/* Thousands of records come by TCP; the first LIMIT_DNS_RECORDS are read, the rest counted. */
static void too_many(void **state)
{
    struct asking a = asking_new(NULL);
    const struct dns_answer *x = ask(&a, "many.example", DNS_A);
    assert_int_equal(x->status, DNS_FOUND);
    assert_int_equal(x->count, LIMIT_DNS_RECORDS);
    assert_int_equal(x->left_out, MANY - LIMIT_DNS_RECORDS);
    x = ask(&a, "lie.example", DNS_A);
    assert_int_equal(x->count, 0);
    asking_done(&a);
}

static void signatures(void **state)
{
    char path[] = "/tmp/letterlock-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, anchor_line, sizeof anchor_line - 1) > 0);
    struct asking a = asking_new(path);
    assert_int_equal(ask(&a, "host.signed.example", DNS_A)->proof, DNS_PROVED);
    assert_int_equal(a.answer.count, 1);
    assert_int_equal(ask(&a, "host.example", DNS_A)->proof, DNS_UNPROVED);
    assert_int_equal(a.answer.count, 2);
    static const char *const bad[] = {"forged.signed.example", "bare.signed.example"};
    for (size_t i = 0; i < 2; i++) {
        const struct dns_answer *x = ask(&a, bad[i], DNS_A);
        assert_int_equal(x->proof, DNS_BOGUS);
        assert_int_equal(x->count, 0);
        assert_true(x->why.n > 0);
    }
    asking_done(&a);
    close(fd);
    unlink(path);
}

/* A network whose servers leave all signatures out is not called forged: nothing can be proved there. */
static void nothing_can_be_proved(void **state)
{
    static const char other[] =
        "example. 60 IN DNSKEY 257 3 15 ZnKzHcFcJBoFCi/7HapUB6DTCasMHXwF6Udy4LVJmpQ=\n";
    char path[] = "/tmp/letterlock-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, other, sizeof other - 1) > 0);
    struct asking a = asking_new(path);
    assert_int_equal(ask(&a, "host.example", DNS_A)->proof, DNS_UNPROVED);
    assert_int_equal(a.answer.count, 2);
    assert_int_equal(ask(&a, "gone.example", DNS_A)->status, DNS_NO_NAME);
    asking_done(&a);
    close(fd);
    unlink(path);
}

struct thread_of_questions {
    pthread_t thread;
    struct dns *dns;
    unsigned good;
};

static void *ask_often(void *owner)
{
    static const char *const names[] = {
        "host.example", "alias.example", "gone.example", "mute.example", "fails.example"};
    static const enum dns_status wanted[] = {DNS_FOUND, DNS_FOUND, DNS_NO_NAME, DNS_SILENT, DNS_SERVER_FAIL};
    struct thread_of_questions *t = owner;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(1 << 20);
    for (unsigned i = 0; i < 15; i++) {
        struct dns_answer x;
        uint64_t patience = i % 5 == 3 ? 50 : PATIENCE;
        if (dns_ask(t->dns, slice_str(names[i % 5]), DNS_A, patience, &arena, &x) == OK &&
            x.status == wanted[i % 5])
            t->good++;
    }
    return NULL;
}

static void several_at_once(void **state)
{
    struct asking a = asking_new(NULL);
    struct thread_of_questions t[8];
    for (size_t i = 0; i < 8; i++) {
        t[i] = (struct thread_of_questions){.dns = a.dns};
        assert_int_equal(pthread_create(&t[i].thread, NULL, ask_often, &t[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(t[i].thread, NULL);
        assert_int_equal(t[i].good, 15);
    }
    asking_done(&a);
}

static void options(void **state)
{
    static const struct {
        const char *server, *anchor;
        enum err e;
    } cases[] = {
        {"127.0.0.1@0", "", ERR_SYNTAX},
        {"127.0.0.1@x", "", ERR_SYNTAX},
        {"localhost", "", ERR_SYNTAX},
        {"127.0.0.1@65536", "", ERR_SYNTAX},
        {"127.0.0.1", "/nonexistent/a", ERR_NOT_FOUND},
        {"127.0.0.1", "/dev/null", ERR_SYNTAX},
        {"127.0.0.1", "/etc/passwd", ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dns *d = NULL;
        struct dns_options o = {slice_str(cases[i].server), slice_str(cases[i].anchor)};
        assert_err(cases[i].e, dns_new(&o, &d));
        assert_null(d);
    }
    struct dns *d = NULL;
    assert_ok(dns_new(&(struct dns_options){.server = S("::1@5353")}, &d));
    dns_free(&d);
    dns_free(&d);
}

/* A closed port is told at once, not waited for. */
static void nothing_listens(void **state)
{
    struct asking a = {.arena = ARENA_INIT(1 << 20)};
    char where[32]; /* at an address of this process: nobody else takes the port meanwhile */
    snprintf(where, sizeof where, "127.77.%d.%d@5353", getpid() >> 8 & 255, getpid() & 255);
    assert_ok(dns_new(&(struct dns_options){.server = slice_str(where)}, &a.dns));
    assert_ok(dns_ask(a.dns, S("host.example"), DNS_A, 400, &a.arena, &a.answer));
    assert_int_equal(a.answer.status, DNS_SILENT);
    asking_done(&a);
}

static void names_as_typed(void **state)
{
    struct asking a = asking_new(NULL);
    char longest[300];
    memset(longest, 'a', sizeof longest);
    for (size_t i = 50; i < 253; i += 51)
        longest[i] = '.';
    assert_ok(dns_ask(a.dns, slice_of(longest, 253), DNS_A, PATIENCE, &a.arena, &a.answer));
    assert_err(ERR_SYNTAX, dns_ask(a.dns, slice_of(longest, 254), DNS_A, PATIENCE, &a.arena, &a.answer));
    static const char *const bad[] = {
        "", ".", "a..b", ".a", "a b", "a\nb", "a..", "\xc3\xa4.example", "a/b.example", "a:25"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(ERR_SYNTAX, dns_ask(a.dns, slice_str(bad[i]), DNS_A, PATIENCE, &a.arena, &a.answer));
    struct arena small CLEANUP_ARENA = ARENA_INIT(4);
    assert_err(ERR_LIMIT, dns_ask(a.dns, S("host.example"), DNS_A, PATIENCE, &small, &a.answer));
    asking_done(&a);
}

static void resolv_conf(void **state)
{
    struct dns_server s[DNS_SERVERS];
    assert_int_equal(dns_servers_read(SLICE_EMPTY, s), 0);
    assert_int_equal(
        dns_servers_read(
            S("# nameserver 1.1.1.1\nsearch example\nnameserver\t192.0.2.1 \r\nnameservers "
              "192.0.2.9\nnameserver\n"
              "nameserver fe80::1%eth0\nnameserver 2001:db8::1\nnameserver 192.0.2.3\nnameserver 192.0.2.4"),
            s),
        3);
    assert_ip("192.0.2.1", &s[0].ip);
    assert_ip("2001:db8::1", &s[1].ip);
    assert_ip("192.0.2.3", &s[2].ip);
    assert_int_equal(s[2].port, 53);
}

static void hosts_file(void **state)
{
    static const char file[] =
        "# 192.0.2.9 a.example\n127.0.0.1 localhost\ngarbage\n192.0.2.8\n300.1.1.1 a.example\n"
        "192.0.2.1\tb.example   A.Example.  # c.example\r\n2001:db8::1 six.example\n"
        "fe80::1%eth0 a.example\n0.0.0.0 bad..name a.example.org\n192.0.2.2 a.example";
    struct ip ips[4];
    size_t n = 99;
    assert_true(dns_hosts_find(slice_str(file), S("a.example"), DNS_A, ips, 4, &n));
    assert_int_equal(n, 2);
    assert_ip("192.0.2.1", &ips[0]);
    assert_ip("192.0.2.2", &ips[1]);
    assert_true(dns_hosts_find(slice_str(file), S("a.example"), DNS_A, ips, 1, &n));
    assert_int_equal(n, 1);
    assert_true(dns_hosts_find(slice_str(file), S("a.example"), DNS_AAAA, ips, 4, &n));
    assert_int_equal(n, 0);
    assert_true(dns_hosts_find(slice_str(file), S("six.example"), DNS_AAAA, ips, 4, &n));
    assert_int_equal(n, 1);
    n = 99;
    static const char *const others[] = {"c.example", "example",      "garbage",
                                         "192.0.2.8", "a.example.or", "xa.example"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(dns_hosts_find(slice_str(file), slice_str(others[i]), DNS_A, ips, 4, &n));
    assert_false(dns_hosts_find(SLICE_EMPTY, S("a.example"), DNS_A, ips, 4, &n));
    assert_int_equal(n, 99);
}

/* The answer to a probe has its id and its question; anything else is not one. */
static void probes(void **state)
{
    struct buf q CLEANUP_BUF = BUF_INIT(512);
    unsigned rcode = 99;
    probe_question(S("a.example"), 1, 0x1234, true, &q);
    assert_ok(buf_check(&q));
    static const char wanted[] = "\x12\x34\1\x10\0\1\0\0\0\0\0\0\1a\7example\0\0\1\0\1";
    assert_true(slice_eq(buf_slice(&q), slice_of(wanted, sizeof wanted - 1)));
    char answer[64];
    size_t n = q.n;
    memcpy(answer, q.p, n);
    assert_err(ERR_SYNTAX, probe_answer(slice_of(answer, n), buf_slice(&q), &rcode)); /* a question */
    answer[2] = (char)0x81;
    answer[3] = (char)0x85;
    assert_ok(probe_answer(slice_of(answer, n), buf_slice(&q), &rcode));
    assert_int_equal(rcode, DNS_RCODE_REFUSED);
    for (size_t cut = 0; cut < n; cut++)
        assert_err(ERR_SYNTAX, probe_answer(slice_of(answer, cut), buf_slice(&q), &rcode));
    answer[13] = 'A'; /* letter case may change on the way */
    assert_ok(probe_answer(slice_of(answer, n), buf_slice(&q), &rcode));
    answer[13] = 'b';
    assert_err(ERR_SYNTAX, probe_answer(slice_of(answer, n), buf_slice(&q), &rcode));
    answer[4] = answer[5] = 0;
    assert_ok(probe_answer(slice_of(answer, 12), buf_slice(&q), &rcode)); /* without the question */
    answer[0] ^= 1;
    assert_err(ERR_SYNTAX, probe_answer(slice_of(answer, 12), buf_slice(&q), &rcode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type),      cmocka_unit_test(names_are_looked_at),
        cmocka_unit_test(aliases),         cmocka_unit_test(failures),
        cmocka_unit_test(silence_ends),    cmocka_unit_test(too_many),
        cmocka_unit_test(signatures),      cmocka_unit_test(nothing_can_be_proved),
        cmocka_unit_test(several_at_once), cmocka_unit_test(options),
        cmocka_unit_test(nothing_listens), cmocka_unit_test(names_as_typed),
        cmocka_unit_test(resolv_conf),     cmocka_unit_test(probes),
        cmocka_unit_test(hosts_file),
    };
    return cmocka_run_group_tests(tests, start, stop);
}

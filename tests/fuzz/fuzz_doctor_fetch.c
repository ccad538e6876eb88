/* Fetching from the web, with libcurl as it is and a web server that the fuzzer plays, TLS and all.
 *
 * Nothing of the product is taken out: the connections of curl are socket pairs (CURLOPT_OPENSOCKETFUNCTION, set where the handle
 * comes from), the server is given its turn where curl would wait, and the name service is a function. The first octet says what is
 * asked for; the rest are answers, parted by RS (30): one octet of manners (enum manner), then what is said to one connection.
 * Whatever comes:
 * - requests are what we write: these lines and no others, no credentials, no cookies, the host that was looked up;
 * - not more than LIMIT_DOCTOR_REDIRECTS redirects, none behind `stay` or a POST;
 * - never from https to http; only ports 80 and 443; to no address that was not looked up a moment ago;
 * - from a public address never to a private one;
 * - what comes back is bounded, has a time that is one, and is authenticated only if each answer came by https. */
#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* a type of the library's, which would hide our error */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "base/clock.h"
#include "crypto/random.h"
#include "doctor/steps/fetch.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The first octet. */
enum { ASK_HTTPS = 1, ASK_POST = 2, ASK_STAY = 4 };
/* The octet in front of each answer: how the name is answered that leads to it, and how it is said. */
enum manner {
    MANNER_NAME = 7,     /* row of `names` below */
    MANNER_SLOW = 8,     /* an octet at a time */
    MANNER_BROKEN = 16,  /* where TLS is expected, the octets come without it */
    MANNER_ENDLESS = 32, /* the last octets again and again */
    MANNER_STRANGER = 64 /* the certificate is by nobody who is trusted */
};
enum {
    RS = 30,
    ENDLESS = 400000,
    AT_ONCE = 8192,
    REPEATED = 1000,
    SLOW_MOST = 500,
    WITHIN_MS = 600000,
    IDLE_MOST = 10
};
static const int64_t year_10000 = 253402300800;

static const struct {
    const char *v4, *v6;
    bool inner; /* one of them is */
} names[8] = {
    {"192.0.2.1", NULL, false},
    {"192.0.2.2", "2001:db8::2", false},
    {"10.1.2.3", NULL, true},
    {"192.0.2.3", "fc00::3", true},
    {NULL, "::1", true},
    {NULL, "2001:db8::4", false},
    {"169.254.169.254", "2001:db8::6", true},
    {NULL, NULL, false},
};

struct answer {
    uint8_t manner;
    struct slice says;
};
static struct world {
    const struct fetch *f;
    struct slice rest; /* answers that are left */
    struct answer now; /* to the connection that was looked up last */
    char host[256];    /* that was looked up last */
    size_t looked_up;  /* hosts */
    bool first_inner;  /* the first one has an inner address */
    size_t connections;
    bool was_https;       /* a connection before was */
    size_t heads, secure; /* requests that were read whole, and of them, by TLS */
} world;

/* -------------------------------------------------------------------------------------------------- certificates */

static SSL_CTX *good_context, *strange_context;
static struct buf ca_pem;

static void add_extension(X509 *x, int nid, const char *text)
{
    X509V3_CTX v;
    X509V3_set_ctx_nodb(&v);
    X509V3_set_ctx(&v, x, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v, nid, text);
    assert(e && X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

/* Vouches for itself, and for every host of ours. */
static SSL_CTX *context_new(bool trusted)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    assert(key && x && ctx);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400L * 3650);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)(trusted ? "good" : "strange"),
        -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(x, NID_subject_alt_name, "DNS:a.example,DNS:b.example,DNS:c.example,DNS:*.d.example");
    assert(X509_sign(x, key, EVP_sha256()) > 0);
    assert(SSL_CTX_use_certificate(ctx, x) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    SSL_CTX_set_num_tickets(ctx, 0);
    if (trusted) {
        BIO *out = BIO_new(BIO_s_mem());
        char *text;
        assert(PEM_write_bio_X509(out, x) == 1);
        long n = BIO_get_mem_data(out, &text);
        buf_init(&ca_pem, 65536);
        buf_put(&ca_pem, slice_of(text, (size_t)n));
        BIO_free(out);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return ctx;
}

/* ---------------------------------------------------------------------------------------------------- the server */

static struct connection {
    int fd; /* -1: none */
    SSL *tls;
    struct answer answer;
    struct buf heard;
    size_t said, again;
    unsigned idle; /* turns in which there was nothing to do */
    bool looked_at;
} server = {.fd = -1};

static void hang_up(void)
{
    if (server.tls && server.said)
        SSL_shutdown(server.tls);
    SSL_free(server.tls);
    if (server.fd >= 0)
        close(server.fd);
    buf_done(&server.heard);
    server = (struct connection){.fd = -1};
}

static bool is_known_line(struct slice line)
{
    static const char *const begins[] = {
        "Host: ", "User-Agent: letterlock-doctor/", "Accept: */*", "Content-Type: text/xml",
        "Content-Length: "};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (slice_starts(line, slice_str(begins[i])))
            return true;
    return false;
}

static void look_at_request(struct slice head)
{
    struct slice line, rest = head;
    bool post = world.f->post.n;
    slice_cut(&rest, '\n', &line);
    line = slice_trim(line);
    assert(slice_starts(line, post ? S("POST /") : S("GET /")));
    assert(slice_eq(slice_from(line, line.n - 9), S(" HTTP/1.1")));
    assert(!slice_has(slice_sub(line, 5, line.n - 14), ' '));
    size_t hosts = 0;
    while (slice_cut(&rest, '\n', &line)) {
        line = slice_trim(line);
        if (!line.n)
            break;
        assert(is_known_line(line));
        if (slice_starts(line, S("Host: "))) {
            assert(slice_eq_nocase(slice_from(line, 6), slice_str(world.host)));
            hosts++;
        }
    }
    assert(hosts == 1);
    world.heads++;
    world.secure += server.tls != NULL;
    assert(world.heads <= 1 + (size_t)LIMIT_DOCTOR_REDIRECTS);
    assert(world.heads == 1 || (!world.f->stay && !post));
}

static ssize_t hear(void *into, size_t n)
{
    int got = server.tls ? SSL_read(server.tls, into, (int)n) : (int)read(server.fd, into, n);
    return got > 0 ? got : 0;
}

static size_t say(struct slice text)
{
    bool clear = !server.tls || server.answer.manner & MANNER_BROKEN;
    if (server.answer.manner & MANNER_SLOW && server.said < SLOW_MOST && !server.again)
        text = slice_sub(text, 0, 1);
    if (!text.n)
        return 0;
    ssize_t went =
        clear ? send(server.fd, text.p, text.n, MSG_NOSIGNAL) : SSL_write(server.tls, text.p, (int)text.n);
    return went > 0 ? (size_t)went : 0;
}

/* Says something more; false: all is said, or it cannot be. */
static bool go_on_saying(void)
{
    struct slice left = slice_from(server.answer.says, server.said);
    size_t went = say(left);
    server.said += went;
    if (left.n || !(server.answer.manner & MANNER_ENDLESS) || server.again > ENDLESS || !server.answer.says.n)
        return went > 0;
    struct buf many CLEANUP_BUF = BUF_INIT(2 * AT_ONCE);
    struct slice end =
        slice_from(server.answer.says, server.answer.says.n > REPEATED ? server.answer.says.n - REPEATED : 0);
    while (many.n < AT_ONCE)
        buf_put(&many, end);
    server.again++; /* from here on not slowly */
    went = say(buf_slice(&many));
    server.again += went;
    return went > 0;
}

/* The server's turn. It leaves when there was nothing to do for some of them: no clock is waited for. */
static void take_turn(void)
{
    char some[4096];
    if (server.fd < 0)
        return;
    bool moved = false;
    if (server.answer.manner & MANNER_BROKEN && server.tls) {
        if (read(server.fd, some, sizeof some) > 0 || server.said)
            moved = go_on_saying();
    } else {
        int before = server.tls ? SSL_get_state(server.tls) : 0;
        bool open = !server.tls || SSL_do_handshake(server.tls) == 1;
        moved = server.tls && before != (int)SSL_get_state(server.tls);
        for (ssize_t n; open && (n = hear(some, sizeof some)) > 0; moved = true)
            buf_put(&server.heard, slice_of(some, (size_t)n));
        size_t end = slice_search(buf_slice(&server.heard), S("\r\n\r\n"));
        if (end != SLICE_NPOS && server.heard.n >= end + 4 + world.f->post.n) {
            if (!server.looked_at)
                look_at_request(slice_sub(buf_slice(&server.heard), 0, end + 4));
            server.looked_at = true;
            moved = go_on_saying();
        }
    }
    server.idle = moved ? 0 : server.idle + 1;
    if (server.idle > IDLE_MOST)
        hang_up();
}

/* ------------------------------------------------------------------------------------------------- names and curl */

static void next_answer(void)
{
    struct slice part = SLICE_EMPTY;
    slice_cut(&world.rest, RS, &part);
    world.now = (struct answer){.manner = part.n ? (uint8_t)part.p[0] : 0, .says = slice_from(part, 1)};
}

/* In the place of the room dns: each host is asked for twice, and each time it may be somebody else. */
fallible dns_ask(
    struct dns *dns, struct slice name, enum dns_type type, uint64_t within_ms, struct arena *arena,
    struct dns_answer *ret_answer)
{
    (void)dns, (void)within_ms;
    assert(type == DNS_A || type == DNS_AAAA);
    if (type == DNS_A) {
        next_answer();
        assert(name.n && name.n < sizeof world.host && slice_has(name, '.'));
        memcpy(world.host, name.p, name.n);
        world.host[name.n] = '\0';
        if (world.looked_up++ == 0)
            world.first_inner = names[world.now.manner & MANNER_NAME].inner;
    }
    const char *text =
        type == DNS_A ? names[world.now.manner & MANNER_NAME].v4 : names[world.now.manner & MANNER_NAME].v6;
    struct dns_record *record = ARENA_NEW(arena, struct dns_record);
    assert(!text || ip_parse(slice_str(text), &record->ip) == OK);
    *ret_answer = (struct dns_answer){
        .status = text ? DNS_FOUND : DNS_NO_RECORD,
        .canonical = name,
        .records = record,
        .count = text ? 1 : 0};
    return OK;
}

static bool is_address(const struct curl_sockaddr *to, const char *text)
{
    unsigned char octets[16];
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)&to->addr;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)&to->addr;
    if (!text || inet_pton(to->family, text, octets) != 1)
        return false;
    return to->family == AF_INET ? memcmp(&four->sin_addr, octets, 4) == 0
                                 : memcmp(&six->sin6_addr, octets, 16) == 0;
}

static curl_socket_t open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *to)
{
    int pair[2];
    (void)owner;
    const struct sockaddr_in *at =
        (const struct sockaddr_in *)(const void *)&to->addr; /* the port is at one place in both */
    unsigned port = ntohs(at->sin_port);
    unsigned row = world.now.manner & MANNER_NAME;
    assert(purpose == CURLSOCKTYPE_IPCXN && (port == 80 || port == 443));
    assert(is_address(to, names[row].v4) || is_address(to, names[row].v6));
    assert(world.looked_up == 1 || world.first_inner || !names[row].inner);
    assert(port == 443 || !world.was_https);
    world.was_https = port == 443;
    world.connections++;
    hang_up();
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return CURL_SOCKET_BAD;
    server = (struct connection){.fd = pair[1], .answer = world.now, .heard = BUF_INIT(1 << 20)};
    if (port == 443) {
        server.tls = SSL_new(world.now.manner & MANNER_STRANGER ? strange_context : good_context);
        assert(server.tls && SSL_set_fd(server.tls, pair[1]) == 1);
        SSL_set_accept_state(server.tls);
    }
    return pair[0];
}

/* The C library's, as libcurl calls it: our sockets are connected from the beginning. (CURL_SOCKOPT_ALREADY_CONNECTED would say so, but
 * libcurl 7.88 does not listen.) */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    (void)fd, (void)to, (void)n;
    return 0;
}

/* Names are ours to look up: libcurl never does. */
__attribute__((visibility("default"))) int getaddrinfo(
    const char *restrict name, const char *restrict port, const struct addrinfo *restrict hints,
    struct addrinfo **restrict ret)
{
    (void)name, (void)port, (void)hints, (void)ret;
    abort();
}

/* In the place of libcurl's own: handles that connect to us. */
CURL *curl_easy_init(void)
{
    CURL *(*real)(void);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_init");
    CURL *c = real();
    assert(c && curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK);
    return c;
}

CURLMcode
curl_multi_poll(CURLM *multi, struct curl_waitfd more[], unsigned count, int within_ms, int *ret_count)
{
    (void)multi, (void)more, (void)count, (void)within_ms, (void)ret_count;
    take_turn();
    return CURLM_OK;
}

/* ----------------------------------------------------------------------------------------------------------- all */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    good_context = context_new(true);
    strange_context = context_new(false);
    return 0;
}

static void look_at_result(const struct fetched *got)
{
    assert(world.heads > 0 && got->status < 1000);
    assert(got->body.n <= LIMIT_DOCTOR_FETCH);
    assert(got->date_s >= 0 && got->date_s < year_10000);
    assert(!got->authenticated || world.secure == world.heads);
    assert(slice_starts(got->url, S("http")) && !slice_has(got->url, '\0') && !slice_has(got->next, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    struct arena arena = ARENA_INIT(LIMIT_DOCTOR_NOTES_MEMORY);
    struct wishes wishes = {.ca_pem = buf_slice(&ca_pem)};
    struct fetch f = {
        .wishes = &wishes,
        .url = data[0] & ASK_HTTPS ? S("https://a.example/mail?x=1") : S("http://a.example/mail"),
        .post = data[0] & ASK_POST ? S("<Autodiscover/>") : SLICE_EMPTY,
        .within_ms = WITHIN_MS,
        .stay = data[0] & ASK_STAY};
    struct fetched got = {.status = 0};
    struct slice why = SLICE_EMPTY;
    world = (struct world){.f = &f, .rest = slice_of(data + 1, n - 1)};
    enum err e = fetch_url(&f, &arena, &got, &why);
    hang_up();
    assert(e != ERR_TIMEOUT);
    if (e == OK)
        look_at_result(&got);
    else
        assert(got.status == 0 && why.n);
    arena_done(&arena);
    return 0;
}

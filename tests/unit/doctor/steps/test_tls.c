/* The step of encryption against small IMAP and SMTP servers, right and wrong ones, each in a process of its own; and what is made
 * of certificates that need no server. */
#include "tls_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "doctor/steps/tls.h"
#include "doctor/steps/tls_clock.h"

static struct test_issuer authority, stranger;
static struct tls_trust *trust;
static struct knowledge *knowledge;

static int setup(void **state)
{
    struct test_spec ca = {.from_days = -90, .to_days = 900, .is_ca = true, .organisation = "Known Ltd"};
    struct buf pem = BUF_INIT(100000);
    crypto_init();
    authority = test_issue(NULL, &ca);
    ca.organisation = "Kaspersky Anti-Virus";
    stranger = test_issue(NULL, &ca);
    test_issuer_put(&authority, &pem);
    assert_ok(tls_trust_new(buf_slice(&pem), &trust));
    buf_done(&pem);
    knowledge = knowledge_built_in();
    return 0;
}

static int teardown(void **state)
{
    knowledge_free(&knowledge);
    tls_trust_free(&trust);
    test_issuer_free(&authority);
    test_issuer_free(&stranger);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- servers */

struct way {
    enum service service;
    bool implicit, silent;
    bool closes;         /* when TLS begins */
    bool floods;         /* with tickets, once TLS is there, in the place of a greeting */
    bool hides;          /* STARTTLS is done, but not offered */
    bool without;        /* no STARTTLS at all */
    const char *clear;   /* said in the place of the greeting, whatever the port is */
    const char *behind;  /* said behind the answer to STARTTLS */
    const char *no;      /* the answer to STARTTLS */
    int newest;          /* TLS version; 0: all */
    const char *ciphers; /* of TLS 1.2 */
    bool wants_certificate;
    struct test_spec spec;
    const struct test_issuer *by;
};

struct line_io {
    int fd;
    SSL *ssl;
};

static void io_say(struct line_io *io, const char *text)
{
    int n = (int)strlen(text);
    if (n && (io->ssl ? SSL_write(io->ssl, text, n) : (int)write(io->fd, text, (size_t)n)) != n)
        _exit(0);
}

static void io_line(struct line_io *io, char *line, size_t size)
{
    size_t n = 0;
    for (;;) {
        char c;
        if ((io->ssl ? SSL_read(io->ssl, &c, 1) : (int)read(io->fd, &c, 1)) != 1)
            _exit(0);
        if (c == '\n')
            break;
        if (n < size - 1 && c != '\r')
            line[n++] = c;
    }
    line[n] = '\0';
}

static int any_certificate(X509_STORE_CTX *ctx, void *arg)
{
    return 1;
}

static SSL_CTX *context_of(const struct way *w, const struct test_issuer *who)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_use_certificate(ctx, who->certificate);
    SSL_CTX_use_PrivateKey(ctx, who->key);
    SSL_CTX_set_dh_auto(ctx, 1);
    if (w->newest)
        SSL_CTX_set_max_proto_version(ctx, w->newest);
    SSL_CTX_set_cipher_list(ctx, w->ciphers ? w->ciphers : "ECDHE+AESGCM");
    SSL_CTX_set_cert_verify_callback(ctx, any_certificate, NULL);
    if (w->wants_certificate)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ctx;
}

static void io_secure(struct line_io *io, const struct way *w, SSL_CTX *ctx)
{
    char octets[512];
    if (w->closes) {
        (void)!read(io->fd, octets, sizeof octets);
        _exit(0);
    }
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, io->fd);
    if (SSL_accept(ssl) != 1)
        _exit(0);
    io->ssl = ssl;
}

/* The tag of a command of IMAP, or nothing. */
static void answer(struct line_io *io, const struct way *w, const char *line, const char *text)
{
    char reply[600];
    if (w->service == SERVICE_IMAP)
        snprintf(reply, sizeof reply, "%.*s %s\r\n", (int)strcspn(line, " "), line, text);
    else
        snprintf(reply, sizeof reply, "%s\r\n", text);
    io_say(io, reply);
}

static void offer(struct line_io *io, const struct way *w, const char *line)
{
    bool shows = !io->ssl && !w->hides && !w->without;
    if (w->service == SERVICE_IMAP) {
        io_say(io, shows ? "* CAPABILITY IMAP4rev1 STARTTLS\r\n" : "* CAPABILITY IMAP4rev1\r\n");
        answer(io, w, line, "OK done");
    } else {
        io_say(
            io,
            shows ? "250-mx.test\r\n250-STARTTLS\r\n250 SIZE 1000\r\n" : "250-mx.test\r\n250 SIZE 1000\r\n");
    }
}

/* True: TLS begins. */
static bool starts_tls(struct line_io *io, const struct way *w, const char *line)
{
    bool imap = w->service == SERVICE_IMAP;
    if (w->no || w->without) {
        answer(io, w, line, w->no ? w->no : imap ? "BAD unknown" : "502 unknown");
        return false;
    }
    char text[300];
    snprintf(
        text, sizeof text, "%s%s%s", imap ? "OK begin" : "220 begin", w->behind ? "\r\n" : "",
        w->behind ? w->behind : "");
    answer(io, w, line, text);
    return true;
}

static void serve(const struct way *w, SSL_CTX *ctx, int fd)
{
    struct line_io io = {.fd = fd};
    char line[600], greeting[200];
    int one = 1;
    alarm(120);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (w->silent)
        for (;;)
            io_line(&io, line, sizeof line);
    if (w->clear) {
        io_say(&io, w->clear);
        for (;;)
            io_line(&io, line, sizeof line);
    }
    if (w->implicit)
        io_secure(&io, w, ctx);
    while (w->floods)
        if (SSL_new_session_ticket(io.ssl) != 1 || SSL_do_handshake(io.ssl) != 1)
            _exit(0);
    time_t now = time(NULL);
    strftime(greeting, sizeof greeting, "220 mx.test ESMTP; %a, %d %b %Y %H:%M:%S +0000\r\n", gmtime(&now));
    io_say(&io, w->service == SERVICE_IMAP ? "* OK IMAP4rev1 ready\r\n" : greeting);
    for (;;) {
        io_line(&io, line, sizeof line);
        if (strcasestr(line, "STARTTLS")) {
            if (starts_tls(&io, w, line))
                io_secure(&io, w, ctx);
        } else if (strcasestr(line, "CAPABILITY") || strncasecmp(line, "EHLO", 4) == 0) {
            offer(&io, w, line);
        } else {
            answer(&io, w, line, w->service == SERVICE_IMAP ? "OK done" : "250 done");
        }
    }
}

/* Accepts for ever, each connection in a process of its own: the doctor may have two at once. */
static void run_server(int listener, const struct way *w, SSL_CTX *ctx)
{
    alarm(300);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            _exit(0);
        if (fork() == 0)
            serve(w, ctx, fd);
        close(fd);
    }
}

static pid_t start_server(const struct way *w, const struct test_issuer *who, uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 50), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    *ret_port = ntohs(at.sin_port);
    SSL_CTX *ctx = context_of(w, who);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setpgid(0, 0);
        run_server(listener, w, ctx);
    }
    setpgid(pid, pid);
    SSL_CTX_free(ctx);
    close(listener);
    return pid;
}

/* ------------------------------------------------------------------------------------------------------- one look */

struct look {
    struct examination x;
    struct wishes wishes;
    struct visit visit;
};

static void look_init(struct look *k, enum service service, uint16_t port, enum security security)
{
    struct endpoint e = {
        .service = service, .host = S("mx.test"), .port = port, .security = security, .source = SOURCE_GIVEN};
    examination_init(&k->x, knowledge);
    k->wishes = (struct wishes){.patience_ms = 60000};
    struct checked *c = examination_add(&k->x, &e);
    c->standing.connected = true;
    c->notes.step = STEP_TLS;
    k->visit = (struct visit){
        .wishes = &k->wishes,
        .whole = &k->x,
        .server = c,
        .notes = &c->notes,
        .trust = trust,
        .address_count = 1};
    assert_ok(ip_parse(S("127.0.0.1"), &k->visit.addresses[0]));
}

static void look_at(struct look *k, const struct way *w, enum security security)
{
    uint16_t port;
    struct test_issuer who = test_issue(w->by, &w->spec);
    pid_t pid = start_server(w, &who, &port);
    look_init(k, w->service, port, security);
    /* Time is waited for only where nothing comes. */
    k->wishes.patience_ms = w->silent || w->floods ? 600 : 60000;
    uint64_t began = clock_mono_ms();
    tls_look(&k->visit);
    uint64_t took = clock_mono_ms() - began;
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    test_issuer_free(&who);
    assert_true(took < 40000); /* the machine may be busy */
}

/* All that is noted with this tone or worse, joined by blanks. */
static struct buf noted(const struct look *k, enum tone from)
{
    struct buf out = BUF_INIT(10000);
    const struct notes *n = k->visit.notes;
    for (size_t i = 0; i < n->count; i++)
        if (n->rows[i].tone >= from && n->rows[i].diagnosis)
            buf_printf(
                &out, "%s" SLICE_FMT "%s" SLICE_FMT, out.n ? " " : "", SLICE_ARG(n->rows[i].diagnosis->id),
                n->rows[i].alternative ? "|" : "",
                SLICE_ARG(n->rows[i].alternative ? n->rows[i].alternative->id : SLICE_EMPTY));
    return out;
}

static void expect_noted(const struct look *k, enum tone from, const char *wanted)
{
    struct buf got CLEANUP_BUF = noted(k, from);
    if (!slice_eq(buf_slice(&got), slice_str(wanted)))
        fail_msg("wanted \"%s\", got \"" SLICE_FMT "\"", wanted, SLICE_ARG(buf_slice(&got)));
}

#define GOOD .by = &authority, .spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 60}

/* ------------------------------------------------------------------------------------------------------ right ones */

static void right_servers_are_right(void **state)
{
    static const struct {
        struct way way;
        enum security asked, found;
    } cases[] = {
        {{.implicit = true, GOOD}, SECURITY_TLS, SECURITY_TLS},
        {{.implicit = true, GOOD}, SECURITY_UNKNOWN, SECURITY_TLS},
        {{GOOD}, SECURITY_STARTTLS, SECURITY_STARTTLS},
        {{GOOD}, SECURITY_UNKNOWN, SECURITY_STARTTLS},
        {{.service = SERVICE_SMTP, .implicit = true, GOOD}, SECURITY_TLS, SECURITY_TLS},
        {{.service = SERVICE_SMTP, GOOD}, SECURITY_STARTTLS, SECURITY_STARTTLS},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct look k;
        look_at(&k, &cases[i].way, cases[i].asked);
        const struct checked *c = k.visit.server;
        expect_noted(&k, TONE_NOTE, "");
        assert_int_equal(c->endpoint.security, cases[i].found);
        assert_true(c->standing.encrypted && c->standing.private_);
        assert_true(c->tls.shaken && c->tls.verified && c->tls.probed && c->tls.forward_secret);
        assert_slice("TLSv1.3", c->tls.version);
        assert_slice("ECDSA P-256", c->tls.key);
        assert_in_range(c->tls.days_left, 59, 60);
        assert_int_equal(c->tls.versions, TLS_HAS_TLS12 | TLS_HAS_TLS13);
        assert_int_equal(c->tls.versions_asked & TLS_HAS_OLD, TLS_HAS_OLD);
        assert_true(c->tls.groups & TLS_GROUP_X25519 && !(c->tls.groups & TLS_GROUP_HYBRID));
        assert_int_equal(c->tls.weak, 0);
        assert_true(c->tls.weak_asked & TLS_WEAK_RC4);
        examination_done(&k.x);
    }
}

/* ------------------------------------------------------------------------------------------------------ wrong ones */

static const char bad_bag[] = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";

static const struct {
    struct way way;
    enum security asked, found;
    const char *noted; /* warnings and faults */
    bool encrypted, private_;
} wrong[] = {
    /* the other kind of encryption */
    {{.implicit = true, GOOD}, SECURITY_STARTTLS, SECURITY_TLS, "tls-port-spoken-plain", true, true},
    {{.implicit = true, GOOD}, SECURITY_NONE, SECURITY_TLS, "tls-port-spoken-plain", true, true},
    {{GOOD}, SECURITY_TLS, SECURITY_STARTTLS, "tls-on-starttls-port", true, true},
    {{.service = SERVICE_SMTP, GOOD}, SECURITY_TLS, SECURITY_STARTTLS, "tls-on-starttls-port", true, true},
    {{.without = true, GOOD}, SECURITY_TLS, SECURITY_NONE, "tls-port-is-plain", false, false},
    {{GOOD}, SECURITY_NONE, SECURITY_NONE, "tls-starttls-available", false, false},
    {{.without = true, GOOD}, SECURITY_NONE, SECURITY_NONE, "tls-none", false, false},
    {{.without = true, GOOD}, SECURITY_UNKNOWN, SECURITY_NONE, "tls-none", false, false},
    /* what other steps tell better */
    {{.clear = "+OK POP3 ready\r\n", GOOD}, SECURITY_TLS, SECURITY_NONE, "", false, false},
    {{.clear = "+OK POP3 ready\r\n", GOOD}, SECURITY_STARTTLS, SECURITY_STARTTLS, "", false, false},
    {{.clear = "220 mx ESMTP\r\n", GOOD}, SECURITY_UNKNOWN, SECURITY_NONE, "", false, false},
    {{.silent = true, GOOD}, SECURITY_UNKNOWN, SECURITY_NONE, "", false, false},
    /* STARTTLS */
    {{.without = true, GOOD},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-starttls-not-offered|tls-starttls-missing",
     false,
     false},
    {{.hides = true, GOOD}, SECURITY_STARTTLS, SECURITY_STARTTLS, "tls-starttls-hidden", true, true},
    {{.behind = "* OK injected", GOOD},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-starttls-injection",
     false,
     false},
    {{.no = "NO not today", GOOD},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-starttls-declined",
     false,
     false},
    {{.service = SERVICE_SMTP, .closes = true, GOOD},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-closed-early",
     false,
     false},
    /* TLS that breaks */
    {{.implicit = true, .closes = true, GOOD}, SECURITY_TLS, SECURITY_TLS, "tls-closed-early", false, false},
    {{.silent = true, GOOD}, SECURITY_TLS, SECURITY_TLS, "tls-silent", false, false},
    {{.implicit = true, .newest = TLS1_1_VERSION, .ciphers = bad_bag, GOOD},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-only-old-versions",
     false,
     false},
    {{.newest = TLS1_VERSION, .ciphers = bad_bag, GOOD},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-only-old-versions",
     false,
     false},
    {{.implicit = true, .newest = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-CAMELLIA128-SHA256", GOOD},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-no-common-suite",
     false,
     false},
    {{.implicit = true, .wants_certificate = true, GOOD},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-client-certificate",
     false,
     false},
    {{.implicit = true, .wants_certificate = true, .newest = TLS1_2_VERSION, GOOD},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-client-certificate",
     false,
     false},
    {{.wants_certificate = true, GOOD},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-client-certificate",
     false,
     false},
    /* certificates */
    {{.implicit = true, .by = &authority, .spec = {.san = "DNS:mx.test", .from_days = -9, .to_days = -1}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-expired|tls-clock-skew",
     true,
     false},
    {{.implicit = true, .by = &authority, .spec = {.san = "DNS:mx.test", .from_days = 2, .to_days = 60}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-not-yet|tls-clock-skew",
     true,
     false},
    /* asked for the time, it says what means nothing, for ever */
    {{.service = SERVICE_SMTP,
      .implicit = true,
      .floods = true,
      .newest = TLS1_3_VERSION,
      .by = &authority,
      .spec = {.san = "DNS:mx.test", .from_days = -9, .to_days = -1}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-expired|tls-clock-skew",
     true,
     false},
    /* the server's own clock says the same as ours */
    {{.service = SERVICE_SMTP,
      .implicit = true,
      .by = &authority,
      .spec = {.san = "DNS:mx.test", .from_days = -9, .to_days = -1}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-expired",
     true,
     false},
    {{.by = &authority, .spec = {.san = "DNS:other.test", .from_days = -1, .to_days = 60}},
     SECURITY_STARTTLS,
     SECURITY_STARTTLS,
     "tls-certificate-name",
     true,
     false},
    {{.implicit = true, .by = &authority, .spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 9}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-expires-soon",
     true,
     true},
    {{.implicit = true, .spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 60}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-self-signed",
     true,
     false},
    {{.implicit = true, .by = &stranger, .spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 60}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-intercepted|tls-certificate-unknown-issuer",
     true,
     false},
    {{.implicit = true,
      .by = &authority,
      .spec = {.san = "DNS:mx.test", .from_days = -1, .to_days = 60, .weak_bits = 1024}},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-certificate-weak",
     true,
     false},
    /* a server of today's session that also takes what is forbidden */
    {{.implicit = true, .ciphers = bad_bag, GOOD},
     SECURITY_TLS,
     SECURITY_TLS,
     "tls-old-versions tls-weak-suites",
     true,
     true},
};

static void wrong_servers_are_told(void **state)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct look k;
        look_at(&k, &wrong[i].way, wrong[i].asked);
        const struct checked *c = k.visit.server;
        expect_noted(&k, TONE_WARNING, wrong[i].noted);
        assert_int_equal(c->endpoint.security, wrong[i].found);
        assert_int_equal(c->standing.encrypted, wrong[i].encrypted);
        assert_int_equal(c->standing.private_, wrong[i].private_);
        examination_done(&k.x);
    }
}

static void weak_servers_have_a_profile(void **state)
{
    static const struct way old = {.implicit = true, .newest = TLS1_2_VERSION, .ciphers = bad_bag, GOOD};
    struct look k;
    look_at(&k, &old, SECURITY_TLS);
    const struct tls_profile *p = &k.visit.server->tls;
    assert_int_equal(p->versions, TLS_HAS_TLS12 | TLS_HAS_TLS11 | TLS_HAS_TLS10);
    assert_true(p->versions_asked & TLS_HAS_TLS13);
    assert_true(p->weak & TLS_WEAK_NULL && p->weak & TLS_WEAK_ANONYMOUS && p->weak & TLS_WEAK_CBC);
    assert_false(p->weak & (TLS_WEAK_RC4 | TLS_WEAK_EXPORT)); /* this library has none */
    assert_true(notes_have(k.visit.notes, OBSERVED_TLS_NO_TLS13));
    examination_done(&k.x);
}

/* Without an offer of encryption: a guessed server was never promised to have any; what was published in a way that cannot be
 * forged was. */
static void what_was_promised_is_missed(void **state)
{
    static const struct {
        enum source source;
        bool trusted;
        const char *noted;
        enum security found;
    } cases[] = {
        {SOURCE_GUESS, false, "tls-starttls-not-offered", SECURITY_NONE},
        {SOURCE_GIVEN, true, "tls-starttls-not-offered|tls-starttls-missing", SECURITY_STARTTLS},
        {SOURCE_SRV, false, "tls-starttls-not-offered|tls-starttls-missing", SECURITY_STARTTLS},
        {SOURCE_SRV, true, "tls-starttls-missing", SECURITY_STARTTLS},
        {SOURCE_PROVIDER, true, "tls-starttls-missing", SECURITY_STARTTLS},
    };
    static const struct way plain = {.without = true, GOOD};
    struct look k;
    uint16_t port;
    struct test_issuer who = test_issue(plain.by, &plain.spec);
    pid_t pid = start_server(&plain, &who, &port);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        look_init(&k, SERVICE_IMAP, port, SECURITY_STARTTLS);
        k.visit.server->endpoint.source = cases[i].source;
        k.visit.server->endpoint.trusted = cases[i].trusted;
        tls_look(&k.visit);
        expect_noted(&k, TONE_WARNING, cases[i].noted);
        assert_int_equal(k.visit.server->endpoint.security, cases[i].found);
        examination_done(&k.x);
    }
    kill(-pid, SIGKILL);
    waitpid(pid, NULL, 0);
    test_issuer_free(&who);
}

static void nothing_is_done_without_a_connection(void **state)
{
    struct look k;
    look_init(&k, SERVICE_IMAP, 1, SECURITY_TLS);
    k.visit.server->standing.connected = false;
    tls_look(&k.visit);
    assert_int_equal(k.visit.notes->count, 0);
    examination_done(&k.x);
}

/* --------------------------------------------------------------------------------------------- without any server */

static const int64_t day = 86400;

static struct tls_seen seen_with(enum tls_verdict verdict, int64_t from_s, int64_t to_s)
{
    struct tls_seen s = {
        .version = "TLSv1.3",
        .cipher = "TLS_AES_128_GCM_SHA256",
        .forward_secret = true,
        .verdict = verdict,
        .verdict_text = "words of the library",
        .chain_n = 1};
    s.chain[0] = (struct tls_certificate){
        .subject = S("mx.test"),
        .issuer = S("R11"),
        .names = S("mx.test"),
        .key = S("RSA 2048"),
        .signature = S("SHA-256"),
        .key_strength = 112,
        .not_before_s = from_s,
        .not_after_s = to_s};
    return s;
}

static void
notes_told(const struct tls_seen *seen, struct told_time told, const char *host, const char *wanted)
{
    struct look k;
    look_init(&k, SERVICE_IMAP, 993, SECURITY_TLS);
    k.visit.server->endpoint.host = slice_str(host);
    tls_note_seen(&k.visit, seen, told);
    expect_noted(&k, TONE_WARNING, wanted);
    examination_done(&k.x);
}

static void notes_of(const struct tls_seen *seen, int64_t told_s, const char *host, const char *wanted)
{
    notes_told(seen, (struct told_time){.unix_s = told_s}, host, wanted);
}

static void certificate_and_clock_are_told_apart(void **state)
{
    int64_t now = clock_unix_s();
    struct tls_seen late = seen_with(TLS_VERDICT_EXPIRED, now - 90 * day, now - day);
    struct tls_seen early = seen_with(TLS_VERDICT_NOT_YET, now + day, now + 90 * day);
    notes_of(&late, 0, "mx.test", "tls-certificate-expired|tls-clock-skew");
    notes_of(&late, now + 10, "mx.test", "tls-certificate-expired");
    notes_of(&late, now - 10 * day, "mx.test", "tls-clock-skew|tls-certificate-expired");
    notes_told(&late, (struct told_time){now - 10 * day, true}, "mx.test", "tls-clock-skew");
    /* Who shows a certificate of old says that it is still then: before this was written it can't be. */
    late.chain[0].not_before_s = 1500000000;
    notes_of(&late, 1600000000, "mx.test", "tls-certificate-expired|tls-clock-skew");
    notes_of(&early, 0, "mx.test", "tls-certificate-not-yet|tls-clock-skew");
    notes_of(&early, now + 10 * day, "mx.test", "tls-clock-skew|tls-certificate-not-yet");
    notes_of(&early, now - 10 * day, "mx.test", "tls-certificate-not-yet"); /* both are wrong */
    assert_true(tls_dates_doubtful(&late) && tls_dates_doubtful(&early));
    /* A clock that says a time before this was written. */
    clock_set_offset(-(now - 1500000000) * 1000);
    notes_of(&early, 0, "mx.test", "tls-clock-skew");
    clock_set_offset(0);
}

static void issuers_are_weighed(void **state)
{
    int64_t now = clock_unix_s();
    struct tls_seen s = seen_with(TLS_VERDICT_UNKNOWN_CA, now - day, now + 90 * day);
    notes_of(&s, 0, "mx.test", "tls-certificate-unknown-issuer|tls-chain-incomplete");
    /* Everybody's provider has an issuer that everybody knows. */
    notes_of(&s, 0, "imap.gmail.com", "tls-issuer-not-public|tls-certificate-unknown-issuer");
    s.chain[0].issuer = S("ESET SSL Filter CA");
    /* That name can be written by anybody, as long as nobody vouches for it. */
    notes_of(&s, 0, "imap.gmail.com", "tls-intercepted|tls-certificate-unknown-issuer");
    s.verdict = TLS_VERDICT_GOOD;
    notes_of(&s, 0, "imap.gmail.com", "tls-intercepted-trusted");
    s.verdict = TLS_VERDICT_NAME;
    notes_of(&s, 0, "mx.test", "tls-intercepted tls-certificate-name");
    s = seen_with(TLS_VERDICT_CHAIN, now - day, now + 90 * day);
    notes_of(&s, 0, "mx.test", "tls-chain-incomplete|tls-certificate-unknown-issuer");
    s = seen_with(TLS_VERDICT_SELF_SIGNED, now - day, now + 90 * day);
    s.also_name = true;
    notes_of(&s, 0, "mx.test", "tls-certificate-self-signed tls-certificate-name");
    s = seen_with(TLS_VERDICT_PURPOSE, now - day, now + 90 * day);
    notes_of(&s, 0, "mx.test", "tls-certificate-purpose");
    s = seen_with(TLS_VERDICT_OTHER, now - day, now + 90 * day);
    s.forward_secret = false;
    notes_of(&s, 0, "mx.test", "tls-no-forward-secrecy tls-certificate-refused");
    s.chain_n = 0;
    notes_of(&s, 0, "mx.test", "tls-no-forward-secrecy tls-certificate-refused");
    s = seen_with(TLS_VERDICT_GOOD, now - 80 * day, now + 13 * day);
    notes_of(&s, 0, "mx.test", "tls-certificate-expires-soon");
    s = seen_with(TLS_VERDICT_GOOD, now - 80 * day, now + 15 * day);
    notes_of(&s, 0, "mx.test", "");
}

/* Of what was stapled, too: it is for a few days, so that a wrong clock shows there first. */
static void what_is_stapled_is_judged(void **state)
{
    int64_t now = clock_unix_s();
    static const struct {
        enum tls_staple kind;
        bool demanded;
        const char *wanted;
    } cases[] = {
        {TLS_STAPLE_NONE, false, ""},
        {TLS_STAPLE_NONE, true, "tls-staple-missing"},
        {TLS_STAPLE_GOOD, true, ""},
        {TLS_STAPLE_UNJUDGED, true, ""},
        {TLS_STAPLE_UNKNOWN, false, "tls-staple-broken"},
        {TLS_STAPLE_REFUSED, false, "tls-staple-broken"},
        {TLS_STAPLE_BROKEN, true, "tls-staple-broken"},
        {TLS_STAPLE_OVER, false, "tls-staple-expired|tls-clock-skew"},
        {TLS_STAPLE_EARLY, false, "tls-staple-expired|tls-clock-skew"},
    };
    struct tls_seen s = seen_with(TLS_VERDICT_GOOD, now - 30 * day, now + 60 * day);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        s.staple = (struct tls_stapled){
            .kind = cases[i].kind,
            .demanded = cases[i].demanded,
            .text = "trylater",
            .from_s = now - 9 * day};
        notes_of(&s, 0, "mx.test", cases[i].wanted);
        s.verdict = TLS_VERDICT_NAME; /* goes first */
        notes_of(&s, 0, "mx.test", "tls-certificate-name");
        s.verdict = TLS_VERDICT_GOOD;
    }
    s.staple.kind = TLS_STAPLE_OVER;
    s.staple.until_s = now - 2 * day;
    assert_true(tls_dates_doubtful(&s));
    notes_of(&s, now, "mx.test", "tls-staple-expired");
    notes_of(&s, now - 3 * day, "mx.test", "tls-clock-skew|tls-staple-expired");
    notes_told(&s, (struct told_time){now - 3 * day, true}, "mx.test", "tls-clock-skew");
    s.verdict = TLS_VERDICT_REVOKED;
    s.staple.kind = TLS_STAPLE_REVOKED;
    s.staple.text = "keyCompromise";
    assert_false(tls_dates_doubtful(&s));
    notes_of(&s, 0, "mx.test", "tls-certificate-revoked");
}

/* Two clocks are five minutes apart, or one cannot be: a fact, once a step. */
static void another_clock_is_compared(void **state)
{
    struct notes n;
    int64_t now = clock_unix_s();
    assert_false(tls_clock_differs(0) || tls_clock_differs(now) || tls_clock_differs(now + 200));
    assert_false(tls_clock_differs(now - 200) || tls_clock_differs(1600000000) || tls_clock_differs(-1));
    assert_true(tls_clock_differs(now + 600) && tls_clock_differs(now - 600));
    notes_init(&n, knowledge);
    n.step = STEP_GREETING;
    tls_clock_note(&n, S("mx.test"), now + 60);
    assert_int_equal(n.count, 0);
    tls_clock_note(&n, S("mx.test"), 1900000000 + 3600);
    tls_clock_note(&n, S("mx.test"), 1900000000);
    assert_int_equal(n.count, 1);
    assert_int_equal(n.rows[0].tone, TONE_NOTE);
    assert_slice("mx.test", n.rows[0].args[0]);
    assert_slice("2030-03-17 18:46 UTC", n.rows[0].args[1]);
    notes_done(&n);
}

static void profiles_count_days(void **state)
{
    int64_t now = clock_unix_s();
    struct tls_profile p = {.shaken = false};
    struct tls_seen s = seen_with(TLS_VERDICT_GOOD, now - day, now + 10 * day + 3600);
    tls_profile_fill(&p, &s);
    assert_true(p.shaken && p.verified && p.forward_secret && !p.weak_signature);
    assert_int_equal(p.days_left, 10);
    assert_int_equal(p.key_strength, 112);
    s = seen_with(TLS_VERDICT_EXPIRED, now - 9 * day, now - day / 2);
    s.chain[0].signature = S("SHA-1");
    tls_profile_fill(&p, &s);
    assert_int_equal(p.days_left, -1);
    assert_true(p.weak_signature && !p.verified);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_servers_are_right),
        cmocka_unit_test(wrong_servers_are_told),
        cmocka_unit_test(weak_servers_have_a_profile),
        cmocka_unit_test(what_was_promised_is_missed),
        cmocka_unit_test(nothing_is_done_without_a_connection),
        cmocka_unit_test(certificate_and_clock_are_told_apart),
        cmocka_unit_test(issuers_are_weighed),
        cmocka_unit_test(what_is_stapled_is_judged),
        cmocka_unit_test(another_clock_is_compared),
        cmocka_unit_test(profiles_count_days),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

/* The order of the doctor's sign-ins at servers that the fuzzer plays: up to three, each asked on as many connections as it takes, in
 * clear, by TLS or by STARTTLS. The connections and TLS itself are functions of this file, so that each connection may show another
 * certificate, or a bad one.
 *
 * The octets choose what each server is, what the person agreed to, and then, reply by reply, what is said: what servers do say, or
 * octets of their own. Whatever comes: never more than LIMIT_DOCTOR_FAILURES tries of a run do not succeed; after a reply that
 * surely means a wrong secret nobody is asked to be signed in any more; neither is a server that is not trusted, or one in clear or
 * with a bad certificate, without a yes; a yes is for one certificate, and who proved himself once has to prove himself again; where
 * others may read along nothing that shows the secret follows what succeeded without; no note holds it. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "crypto/random.h"
#include "doctor/steps/sign_in.h"
#include "doctor/steps/talk.h"
#include "net/connect.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUZZ_SECRET "correct-Horse\"7\\"
enum { SERVERS = 3, SAYS_MAX = 65536 };

static struct knowledge *knowledge;
static struct secret_slab *slab;
static struct secret secret;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    knowledge = knowledge_built_in();
    slab = secret_slab_new(65536);
    assert(secret_copy(slab, S(FUZZ_SECRET), &secret) == OK);
    return 0;
}

/* What the fuzzer has left to say; nothing more is zeros. */
static unsigned next(struct slice *rest)
{
    unsigned octet = rest->n ? (unsigned char)rest->p[0] : 0;
    *rest = slice_from(*rest, 1);
    return octet;
}

/* UNKNOWN: words that nobody knows, which count as a wrong secret unless they answer our own breaking off. */
enum means { OTHER, YES, WRONG, UNKNOWN, CLOSES, OCTETS };
struct answer {
    const char *says; /* "%" stands for the tag */
    enum means means;
};
static const struct answer imap_says[] = {
    {"% OK in\r\n", YES},
    {"% NO [AUTHENTICATIONFAILED] Authentication failed.\r\n", WRONG},
    {"% NO the moon is in the wrong house\r\n", UNKNOWN},
    {"% BAD Unknown command\r\n", OTHER},
    {"% NO Unsupported authentication mechanism\r\n", OTHER},
    {"% NO user alice@example.org not found\r\n", OTHER},
    {"% NO [UNAVAILABLE] Temporary authentication failure\r\n", OTHER},
    {"+ \r\n", OTHER},
    {"+ PDFAYj4=\r\n", OTHER},
    {"+ VXNlcm5hbWU6\r\n", OTHER},
    {"+ ZT1pbnZhbGlkLXByb29m\r\n", OTHER},
    {"+ ZT11bmtub3duLXVzZXI=\r\n", OTHER},
    {"* BYE enough\r\n", CLOSES},
    {"", CLOSES},
    {"", OCTETS},
};
static const struct answer pop3_says[] = {
    {"+OK in\r\n", YES},
    {"-ERR [AUTH] Authentication failed.\r\n", WRONG},
    {"-ERR the moon is in the wrong house\r\n", UNKNOWN},
    {"-ERR Unsupported authentication mechanism\r\n", OTHER},
    {"-ERR [SYS/TEMP] Temporary authentication failure\r\n", OTHER},
    {"+ \r\n", OTHER},
    {"+ PDFAYj4=\r\n", OTHER},
    {"+ ZT11bmtub3duLXVzZXI=\r\n", OTHER},
    {"", CLOSES},
    {"", OCTETS},
};
static const struct answer smtp_says[] = {
    {"235 in\r\n", YES},
    {"535 5.7.8 Error: authentication failed:\r\n", WRONG},
    {"535 the moon is in the wrong house\r\n", UNKNOWN},
    {"504 5.5.4 Unrecognized authentication type\r\n", OTHER},
    {"454 4.7.0 Temporary authentication failure\r\n", OTHER},
    {"334 \r\n", OTHER},
    {"334 PDFAYj4=\r\n", OTHER},
    {"334 VXNlcm5hbWU6\r\n", OTHER},
    {"334 ZT1pbnZhbGlkLXByb29m\r\n", OTHER},
    {"421 4.7.0 try again later\r\n", CLOSES},
    {"", CLOSES},
    {"", OCTETS},
};
static const char *const ways[] = {
    "PLAIN LOGIN",
    "PLAIN",
    "CRAM-MD5 PLAIN LOGIN",
    "SCRAM-SHA-256 PLAIN",
    "SCRAM-SHA-256 CRAM-MD5",
    "SCRAM-SHA-256-PLUS PLAIN",
    "",
    "LOGIN"};

#define ROWS(table) (table), sizeof(table) / sizeof *(table)
static const struct protocol {
    const struct answer *answers;
    size_t count;
    const char *greeting, *good, *start;
} protocols[SERVICE_N] = {
    [SERVICE_IMAP] = {ROWS(imap_says), "* OK ready\r\n", "% OK done\r\n", "% OK go on\r\n"},
    [SERVICE_POP3] = {ROWS(pop3_says), "+OK ready\r\n", "+OK 0 0\r\n", "+OK\r\n"},
    [SERVICE_SMTP] = {ROWS(smtp_says), "220 ready\r\n", "250 ok\r\n", "220 go on\r\n"},
};

struct run {
    struct slice rest; /* what the fuzzer has left to say */
    unsigned begun;    /* sign-ins, at all servers */
    bool over;         /* a reply meant a wrong secret: nobody gets it any more */
};
struct server {
    struct transport transport; /* first: the talk's handle */
    struct run *run;
    enum service service;
    enum security security;
    bool allowed, clear_allowed; /* to be asked to be signed in; without a good certificate */
    struct buf says, line;
    size_t said;
    char tag[16];
    bool of_user;          /* its last word was that it does not know the user */
    bool sasl;             /* the present try is an exchange */
    bool signing, showing; /* a sign-in goes on; by a way that shows the secret */
    bool unproven;         /* by one whose server has to prove itself, which ours cannot */
    bool took_one;         /* it said yes to a sign-in before */
    bool quiet_success;    /* one that shows nothing succeeded */
    bool closed;
    bool starting; /* TLS comes next: the client has to find nothing before it */
    unsigned connections;
    struct shown {
        bool tls, good, leaf;
        uint8_t which; /* leaf */
        bool binds;
    } shown, first; /* by this connection, and by the first one */
};

/* With the tag in its place. */
static void say(struct server *s, const char *text)
{
    for (; *text; text++)
        if (*text == '%')
            buf_put_str(&s->says, s->tag);
        else
            buf_put_char(&s->says, *text);
}

static void say_octets(struct server *s)
{
    unsigned n = next(&s->run->rest) % 64;
    buf_put(&s->says, slice_sub(s->run->rest, 0, n));
    s->run->rest = slice_from(s->run->rest, n);
    buf_put_str(&s->says, "\r\n");
}

static void offer(struct server *s)
{
    const char *words = ways[next(&s->run->rest) % (sizeof ways / sizeof *ways)];
    struct slice rest = slice_str(words), word;
    if (s->service == SERVICE_IMAP) {
        buf_put_str(&s->says, "* CAPABILITY IMAP4rev1 SASL-IR");
        while (slice_cut(&rest, ' ', &word))
            if (word.n)
                buf_printf(&s->says, " AUTH=" SLICE_FMT, SLICE_ARG(word));
        buf_put_str(&s->says, next(&s->run->rest) & 1 ? " LOGINDISABLED\r\n" : "\r\n");
        say(s, "% OK done\r\n");
    } else if (s->service == SERVICE_POP3) {
        buf_printf(&s->says, "+OK\r\n%sSASL %s\r\n.\r\n", next(&s->run->rest) & 1 ? "" : "USER\r\n", words);
    } else {
        buf_printf(&s->says, "250-lab\r\n250 AUTH %s\r\n", words);
    }
}

static void answer(struct server *s, bool broken_off)
{
    const struct protocol *p = &protocols[s->service];
    const struct answer *a = &p->answers[next(&s->run->rest) % p->count];
    say(s, a->says);
    if (a->means == OCTETS)
        say_octets(s);
    s->closed = a->means == CLOSES;
    s->signing = s->sasl && !broken_off &&
                 (slice_starts(slice_str(a->says), S("+ ")) || slice_starts(slice_str(a->says), S("334")));
    /* The mechanism's own word says more than the reply behind it, which it is broken off with. */
    bool wrong = (a->means == WRONG && !(broken_off && s->of_user)) || (a->means == UNKNOWN && !broken_off);
    s->run->over |= wrong && !s->took_one;
    bool yes = a->means == YES && !broken_off;
    s->of_user =
        slice_search(slice_str(a->says), S("ZT11bmtub3duLXVzZXI=")) != SLICE_NPOS; /* e=unknown-user */
    s->run->over |= yes && s->unproven; /* whoever says so without a proof may be anybody */
    s->quiet_success |= yes && !s->showing;
    s->took_one |= yes && !s->unproven;
}

/* Nobody could be in between on this connection, and as far as the person knows it is who it was on the first. */
static bool is_private(const struct shown *shown)
{
    return shown->tls && shown->good;
}

static bool may_be_asked(const struct server *s)
{
    if (s->connections == 1)
        return is_private(&s->first) || s->clear_allowed;
    if (is_private(&s->shown))
        return true;
    return !is_private(&s->first) && (!s->first.leaf || (s->shown.leaf && s->shown.which == s->first.which));
}

static void begin(struct server *s, bool showing)
{
    assert(s->allowed && !s->run->over);
    assert(may_be_asked(s));
    assert(is_private(&s->first) || !s->quiet_success || !showing);
    s->showing = showing;
    s->run->begun++;
}

static bool shows(struct slice mechanism)
{
    struct slice name = slice_sub(mechanism, 0, slice_find(mechanism, ' '));
    const struct sasl_mechanism *m = sasl_find(slice_trim(name));
    assert(m && !(m->flags & (SASL_TAKES_TOKEN | SASL_NEEDS_CERTIFICATE)));
    return m->flags & SASL_SENDS_SECRET;
}

static void hear(struct server *s, struct slice line)
{
    struct slice rest = line, tag;
    if (s->signing) {
        answer(s, slice_eq(line, S("*")));
        return;
    }
    if (s->service == SERVICE_IMAP) {
        slice_cut(&rest, ' ', &tag);
        size_t n = tag.n < sizeof s->tag - 1 ? tag.n : sizeof s->tag - 1;
        memcpy(s->tag, tag.p, n);
        s->tag[n] = '\0';
    }
    bool sasl = slice_starts(rest, S("AUTHENTICATE ")) || slice_starts(rest, S("AUTH "));
    bool own = slice_starts(rest, S("LOGIN ")) || slice_starts(rest, S("USER "));
    if (sasl || own)
        begin(s, own || shows(slice_from(rest, s->service == SERVICE_IMAP ? 13 : 5)));
    s->sasl = sasl;
    s->unproven = sasl && slice_search(rest, S(" SCRAM-")) != SLICE_NPOS;
    if (slice_starts(rest, S("STARTTLS")) || slice_starts(rest, S("STLS"))) {
        say(s, protocols[s->service].start);
        s->starting = true;
        if (next(&s->run->rest) % 8 == 7) /* somebody puts something in between */
            say_octets(s);
        return;
    }
    if (slice_starts(rest, S("CAPA")) || slice_starts(rest, S("EHLO ")) || slice_starts(rest, S("HELO ")))
        offer(s);
    else if (sasl || slice_starts(rest, S("LOGIN ")) || slice_starts(rest, S("PASS ")))
        answer(s, false);
    else if (slice_starts(rest, S("LOGOUT")) || slice_starts(rest, S("QUIT")))
        s->closed = true;
    else
        say(s, protocols[s->service].good);
}

/* ------------------------------------------------------------------------------------------------ the connection */

static ssize_t server_read(struct transport *t, void *into, size_t n, unsigned *want)
{
    struct server *s = (struct server *)t;
    struct slice rest = slice_sub(slice_from(buf_slice(&s->says), s->said), 0, n);
    (void)want;
    if (rest.n)
        memcpy(into, rest.p, rest.n);
    s->said += rest.n;
    return (ssize_t)rest.n;
}

static ssize_t server_write(struct transport *t, const void *from, size_t n, unsigned *want)
{
    struct server *s = (struct server *)t;
    struct slice octets = slice_of(from, n);
    (void)want;
    for (size_t i = 0; i < n && !s->closed; i++) {
        buf_put_char(&s->line, octets.p[i]);
        if (octets.p[i] != '\n')
            continue;
        hear(s, slice_trim(buf_slice(&s->line)));
        buf_clear(&s->line);
    }
    return (ssize_t)n;
}

static void server_free(struct transport *t)
{
    (void)t;
}

static struct server *dialled;

/* In the place of the room net: whoever connects reaches the server whose turn it is. */
fallible connect_wait(
    const struct ip *ip, uint16_t port, uint64_t within_ms, const struct stop *stop, int *ret_fd,
    int *ret_errno)
{
    (void)ip, (void)port, (void)within_ms, (void)stop, (void)ret_errno;
    struct server *s = dialled;
    buf_clear(&s->says);
    buf_clear(&s->line);
    s->said = 0;
    s->signing = s->closed = false;
    s->shown = (struct shown){.tls = false};
    s->connections++;
    s->starting = s->security == SECURITY_TLS;
    if (!s->starting)
        say(s, protocols[s->service].greeting);
    *ret_fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* to be closed */
    return *ret_fd < 0 ? ERR_LIMIT : OK;
}

/* Nothing more comes; and before TLS nothing comes yet. */
fallible connect_ready(int fd, bool write, uint64_t until_ms, const struct stop *stop)
{
    (void)fd, (void)write, (void)until_ms, (void)stop;
    return dialled->starting ? ERR_TIMEOUT : ERR_CLOSED;
}

struct transport *transport_plain_new(int fd)
{
    (void)fd;
    return &dialled->transport;
}

/* In the place of the room tls. */
struct transport *tls_outgoing_new(const struct tls_trust *trust, struct slice host, int fd)
{
    (void)trust, (void)host, (void)fd;
    struct server *s = dialled;
    unsigned how = next(&s->run->rest);
    s->starting = false;
    s->shown = (struct shown){
        .tls = true,
        .good = !(how & 1),
        .leaf = !(how & 2),
        .which = (uint8_t)(how >> 2 & 1),
        .binds = how & 8};
    if (s->connections == 1)
        s->first = s->shown;
    if (s->security == SECURITY_TLS)
        say(s, protocols[s->service].greeting);
    return &s->transport;
}

bool tls_outgoing_is_ready(const struct transport *t)
{
    return ((const struct server *)t)->shown.tls;
}

fallible tls_outgoing_seen(const struct transport *t, struct arena *arena, struct tls_seen *ret_seen)
{
    const struct shown *shown = &((const struct server *)t)->shown;
    (void)arena;
    *ret_seen = (struct tls_seen){
        .verdict = shown->good ? TLS_VERDICT_GOOD : TLS_VERDICT_UNKNOWN_CA, .chain_n = shown->leaf ? 1 : 0};
    memset(ret_seen->chain[0].sha256, shown->which, sizeof ret_seen->chain[0].sha256);
    return OK;
}

enum tls_break tls_outgoing_break(const struct transport *t, const char **ret_text, int *ret_alert)
{
    (void)t, (void)ret_text, (void)ret_alert;
    return TLS_BREAK_NONE;
}

fallible tls_outgoing_exporter(const struct transport *t, uint8_t out[32])
{
    memset(out, 7, 32);
    return ((const struct server *)t)->shown.binds ? OK : ERR_UNSUPPORTED;
}

fallible tls_outgoing_end_point(const struct transport *t, struct buf *out)
{
    buf_put(out, S("a hash of the certificate"));
    return ((const struct server *)t)->shown.binds ? OK : ERR_UNSUPPORTED;
}

/* ------------------------------------------------------------------------------------------------------- the run */

static bool agrees(void *owner, const struct checked *server, const struct diagnosis *about)
{
    (void)server, (void)about;
    return *(const bool *)owner;
}

/* How many of the tries succeeded, as the notes tell; none of them holds the secret. */
static unsigned look_at_notes(const struct notes *n)
{
    unsigned good = 0;
    for (size_t i = 0; i < n->count; i++) {
        assert(slice_search(n->rows[i].proof, S(FUZZ_SECRET)) == SLICE_NPOS);
        good += !n->rows[i].diagnosis && n->rows[i].fact == FACT_SIGNED_IN;
    }
    return good;
}

static void
visit(struct run *run, struct examination *x, struct wishes *wishes, struct attempts *a, unsigned kind)
{
    static const struct transport_ops ops = {
        .name = "fuzzed", .read = server_read, .write = server_write, .free = server_free};
    struct server s = {
        .transport = {.ops = &ops, .fd = -1},
        .run = run,
        .service = (enum service)(kind % SERVICE_N),
        .says = BUF_INIT(SAYS_MAX),
        .line = BUF_INIT(SAYS_MAX)};
    static const enum security securities[] = {SECURITY_NONE, SECURITY_TLS, SECURITY_STARTTLS, SECURITY_TLS};
    bool trusted = kind & 4, agreed = *(const bool *)wishes->owner;
    s.security = securities[kind >> 3 & 3];
    struct endpoint e = {
        .service = s.service,
        .host = S("mail.example.org"),
        .port = (uint16_t)(1000 + x->server_count),
        .security = s.security,
        .trusted = trusted};
    s.allowed = trusted || agreed;
    s.clear_allowed = wishes->clear_allowed || agreed;
    struct checked *c = examination_add(x, &e);
    c->standing.greeted = true;
    struct visit v = {.wishes = wishes, .whole = x, .server = c, .notes = &c->notes, .address_count = 1};
    dialled = &s;
    sign_in_look(&v, a);
    buf_done(&s.says);
    buf_done(&s.line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct run run = {.rest = slice_of(data, n)};
    struct examination x;
    struct attempts attempts;
    unsigned how = next(&run.rest), good = 0;
    bool agreed = how & 1;
    struct wishes wishes = {
        .address = S("alice@example.org"),
        .secret = &secret,
        .patience_ms = 1000,
        .clear_allowed = how & 2,
        .agrees = how & 4 ? agrees : NULL,
        .owner = &agreed,
        .only = how & 8 ? sasl_find(S("PLAIN")) : NULL,
        .only_own = how & 16};
    agreed = agreed && wishes.agrees;
    struct mask *mask = mask_new(S(FUZZ_SECRET));
    examination_init(&x, knowledge);
    x.general.mask = mask;
    x.address = wishes.address;
    x.domain = S("example.org");
    attempts_init(&attempts, false);
    for (size_t i = 0; i < SERVERS; i++)
        visit(&run, &x, &wishes, &attempts, next(&run.rest));
    for (size_t i = 0; i < x.server_count; i++)
        good += look_at_notes(&x.servers[i].notes);
    assert(attempts.failures <= LIMIT_DOCTOR_FAILURES);
    assert(run.begun - good <= LIMIT_DOCTOR_FAILURES);
    examination_done(&x);
    mask_free(&mask);
    return 0;
}

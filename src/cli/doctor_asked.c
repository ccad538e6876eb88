/* doctor_asked.c - the command line of `letterlock doctor` as wishes and servers, and the secret into secret memory. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/ask.h"
#include "cli/doctor.h"
#include "mail/address.h"

enum { SLAB = 65536, PATIENCE_MAX = 600, SOCKS_PORT = 1080 };

/* -------------------------------------------------------------------------------------------------- servers */

/* Without scheme, user and path: "imaps://alice@mail.example.org:993/" is the host and the port. */
static struct slice bare(struct slice text)
{
    text = slice_trim(text);
    size_t scheme = slice_search(text, S("://"));
    if (scheme != SLICE_NPOS)
        text = slice_from(text, scheme + 3);
    text = slice_sub(text, 0, slice_find(text, '/'));
    size_t at = slice_rfind(text, '@');
    return slice_trim(at == SLICE_NPOS ? text : slice_from(text, at + 1));
}

/* "host", "host:993", "[2001:db8::1]:993", "2001:db8::1"; the port's p is NULL when none is there. */
static void cut_port(struct slice text, struct slice *ret_host, struct slice *ret_port)
{
    struct ip ip;
    size_t colon = slice_rfind(text, ':');
    *ret_host = text;
    *ret_port = SLICE_EMPTY;
    if (text.n && text.p[0] == '[') {
        size_t end = slice_find(text, ']');
        struct slice behind = end == SLICE_NPOS ? SLICE_EMPTY : slice_from(text, end + 1);
        bool is_right = end != SLICE_NPOS && (!behind.n || behind.p[0] == ':');
        *ret_host = is_right ? slice_sub(text, 1, end - 1) : text; /* which no host has */
        *ret_port = behind.n ? slice_from(behind, 1) : SLICE_EMPTY;
    } else if (colon != SLICE_NPOS && ip_parse(text, &ip) != OK) {
        *ret_host = slice_sub(text, 0, colon);
        *ret_port = slice_from(text, colon + 1);
    }
}

/* A canonical name, or an address as ip_text writes it. */
static fallible read_host(struct arena *arena, struct slice host, struct slice *ret_host)
{
    struct ip ip;
    struct domain domain;
    char text[IP_TEXT_MAX];
    if (ip_parse(host, &ip) == OK) {
        *ret_host = arena_copy(arena, slice_str(ip_text(&ip, text)));
        return OK;
    }
    TRY(domain_parse(host, &domain));
    *ret_host = arena_copy(arena, domain_text(&domain));
    return OK;
}

static fallible
read_host_port(struct arena *arena, struct slice text, struct slice *ret_host, uint16_t *ret_port)
{
    struct slice host, port;
    uint64_t number = 0;
    cut_port(bare(text), &host, &port);
    if (port.p)
        TRY(slice_to_u64(port, 65535, &number));
    if (port.p && number == 0)
        return ERR_SYNTAX;
    TRY(read_host(arena, host, ret_host));
    *ret_port = (uint16_t)number;
    return OK;
}

fallible doctor_endpoint_parse(
    struct arena *arena, enum service service, struct slice text, struct slice tls,
    struct endpoint *ret_endpoint)
{
    static const struct {
        const char *word;
        enum security security;
    } words[] = {{"implicit", SECURITY_TLS}, {"starttls", SECURITY_STARTTLS}, {"none", SECURITY_NONE}};
    struct endpoint e = {.service = service, .source = SOURCE_GIVEN, .trusted = true};
    bool said = false;
    if (read_host_port(arena, text, &e.host, &e.port) != OK)
        return ERR_SYNTAX;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(tls, slice_str(words[i].word))) {
            e.security = words[i].security;
            said = true;
        }
    if (!e.port)
        e.port = port_of(service, said ? e.security : SECURITY_TLS);
    if (!said)
        e.security = security_of_port(e.port);
    *ret_endpoint = e;
    return OK;
}

static int read_servers(struct cli *c, struct doctor_asked *a)
{
    struct slice tls = args_text(&c->args, "tls");
    for (int s = 0; s < SERVICE_N; s++) {
        const char *flag = service_name((enum service)s);
        if (!args_has(&c->args, flag))
            continue;
        a->given_text[s] = args_text(&c->args, flag);
        struct endpoint *e = &a->given[a->given_count++];
        if (doctor_endpoint_parse(&c->arena, (enum service)s, a->given_text[s], tls, e) != OK)
            return cli_fail(
                c, CLI_USAGE, SAY_DOCTOR_HOST, SAY_DOCTOR_HOST_REMEDY, slice_str(flag),
                slice_sub(a->given_text[s], 0, 100));
        e->user = args_text(&c->args, "user");
    }
    return CLI_OK;
}

/* --------------------------------------------------------------------------------------------------- wishes */

static int read_proxy(struct cli *c, struct doctor_asked *a)
{
    struct slice text = args_text(&c->args, "socks5");
    struct proxy *p = &a->wishes.proxy;
    if (!text.n)
        return CLI_OK;
    if (read_host_port(&c->arena, text, &p->host, &p->port) != OK)
        return cli_fail(
            c, CLI_USAGE, SAY_DOCTOR_HOST, SAY_DOCTOR_HOST_REMEDY, S("socks5"), slice_sub(text, 0, 100));
    p->port = p->port ? p->port : SOCKS_PORT;
    return CLI_OK;
}

static int read_authorities(struct cli *c, struct doctor_asked *a)
{
    struct slice path = args_text(&c->args, "ca");
    buf_init(&a->authorities, LIMIT_EXPLAIN_FILE);
    if (!path.n)
        return CLI_OK;
    enum err e = file_read_path(arena_cstr(&c->arena, path), &a->authorities);
    if (e != OK)
        return cli_fail(
            c, e == ERR_NOT_FOUND ? CLI_NOT_FOUND : CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path,
            cli_error(c, e));
    a->wishes.ca_pem = buf_slice(&a->authorities);
    return CLI_OK;
}

/* The domain behind the last "@", in its canonical form; empty when it is none. */
struct slice doctor_domain_of(struct arena *arena, struct slice address)
{
    struct domain domain;
    struct slice wide = S("＠");
    size_t at = slice_rfind(address, '@');
    for (size_t i = 0; at == SLICE_NPOS && i + wide.n <= address.n; i++)
        if (slice_eq(slice_sub(address, i, wide.n), wide))
            at = i + wide.n - 1;
    if (at == SLICE_NPOS || domain_parse(slice_trim(slice_from(address, at + 1)), &domain) != OK)
        return SLICE_EMPTY;
    return arena_copy(arena, domain_text(&domain));
}

/* An "@" as typed, the full-width one of Chinese keyboards too: what is wrong with it, the first step tells. */
static bool has_at(struct slice text)
{
    return slice_has(text, '@') || slice_search(text, S("＠")) != SLICE_NPOS;
}

static int read_address(struct cli *c, struct doctor_asked *a)
{
    struct wishes *w = &a->wishes;
    w->address = args_text(&c->args, "ADDRESS");
    w->user = args_text(&c->args, "user");
    w->find = w->address.n > 0;
    a->domain = doctor_domain_of(&c->arena, w->address);
    if (w->address.n && (!has_at(w->address) || w->address.n > LIMIT_LOCAL_PART + LIMIT_DOMAIN))
        return cli_fail(
            c, CLI_USAGE, SAY_DOCTOR_ADDRESS, SAY_DOCTOR_ADDRESS_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (!w->address.n && !a->given_count)
        return cli_fail(c, CLI_USAGE, SAY_DOCTOR_WANTED, SAY_DOCTOR_WANTED_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return CLI_OK;
}

int doctor_asked_options(struct cli *c, struct doctor_asked *a)
{
    uint64_t patience = args_number(&c->args, "patience", LIMIT_DOCTOR_PATIENCE / 1000);
    if (patience > PATIENCE_MAX)
        return cli_fail(
            c, CLI_USAGE, SAY_DOCTOR_PATIENCE, SAY_DOCTOR_PATIENCE_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    a->wishes.patience_ms = patience * 1000;
    a->way.dns.server = args_text(&c->args, "dns");
    a->way.dns.anchor = args_text(&c->args, "dns-anchor");
    a->way.at_once = LIMIT_DOCTOR_AT_ONCE;
    int code = read_proxy(c, a);
    return code == CLI_OK ? read_authorities(c, a) : code;
}

/* Two ways to give one secret, or none, say nothing about which is meant. */
static int check_secrets(struct cli *c)
{
    static const char *const flags[] = {"password-file", "token", "no-password"};
    const char *first = NULL;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!args_has(&c->args, flags[i]))
            continue;
        if (first)
            return cli_fail(
                c, CLI_USAGE, SAY_DOCTOR_COMPANY, SAY_DOCTOR_COMPANY_REMEDY, slice_str(first),
                arena_printf(&c->arena, "--%s", flags[i]));
        first = flags[i];
    }
    return CLI_OK;
}

/* The choices of the flag are the names of mechanisms, and one word. */
static void read_mechanism(struct cli *c, struct doctor_asked *a)
{
    struct slice name = args_text(&c->args, "mechanism");
    a->wishes.only = sasl_find(name);
    a->wishes.only_own = slice_eq(name, S("command"));
}

int doctor_asked_read(struct cli *c, struct doctor_asked *ret_asked)
{
    struct doctor_asked *a = ret_asked;
    int code = check_secrets(c);
    if (code == CLI_OK)
        code = doctor_asked_options(c, a);
    if (code == CLI_OK)
        code = read_servers(c, a);
    if (code == CLI_OK)
        code = read_address(c, a);
    read_mechanism(c, a);
    a->wishes.clear_allowed = args_has(&c->args, "allow-clear");
    a->wishes.send_test = args_has(&c->args, "send-test");
    return code;
}

void doctor_forget_secret(struct doctor_asked *a)
{
    a->wishes.secret = NULL;
    secret_free(&a->secret);
}

void doctor_asked_done(struct doctor_asked *a)
{
    doctor_forget_secret(a);
    mask_free(&a->mask);
    secret_slab_free(&a->slab);
    buf_done(&a->authorities);
}

/* -------------------------------------------------------------------------------------------------- the secret */

/* The name to sign in with, as far as it is known: what the question for the password shows. */
static struct slice whose(const struct doctor_asked *a)
{
    return a->wishes.user.n ? a->wishes.user : a->wishes.address;
}

/* Others than the owner may read what is meant to be a secret: told, but no reason to refuse. */
static void warn_of_mode(struct cli *c, int fd, const char *flag)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
        cli_note(c, SAY_DOCTOR_SECRET_OPEN, slice_str(flag), SLICE_EMPTY, SLICE_EMPTY);
}

/* The first line without its end, octet for octet: a blank stays, and step one judges it. ERR_LIMIT: too long. */
static fallible read_line(const struct stop *stop, int fd, struct secret *line)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t n = 0;
    for (;;) {
        if (n == line->n)
            return ERR_LIMIT;
        int ready = stop_poll(stop, &p, 1, -1);
        ssize_t got = ready < 0 ? -1 : read(fd, line->bytes + n, 1);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return err_of_errno(errno);
        if (got == 0 || line->bytes[n] == '\n')
            break;
        n++;
    }
    if (n && line->bytes[n - 1] == '\r')
        n--;
    secret_shorten(line, n);
    return OK;
}

static int secret_from_file(struct cli *c, struct doctor_asked *a, const char *flag)
{
    struct slice path = args_text(&c->args, flag);
    bool input = slice_eq(path, S("-"));
    int opened CLEANUP_FD =
        input ? -1 : open(arena_cstr(&c->arena, path), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int fd = input ? STDIN_FILENO : opened;
    enum err e = fd < 0 ? err_of_errno(errno) : OK;
    if (e == OK && !input)
        warn_of_mode(c, fd, flag);
    if (e == OK)
        e = secret_new(
            a->slab, a->wishes.is_token ? LIMIT_SASL_TOKEN + 2 : LIMIT_PASSWORD_MAX + 2, &a->secret);
    if (e == OK)
        e = read_line(c->stop, fd, &a->secret);
    if (stop_signal(c->stop))
        return CLI_OK;
    if (e == ERR_LIMIT)
        return cli_fail(
            c, CLI_DATA, SAY_DOCTOR_SECRET_LONG, SAY_DOCTOR_SECRET_FILE_REMEDY, slice_str(flag), SLICE_EMPTY);
    if (e != OK)
        return cli_fail(
            c, e == ERR_NOT_FOUND ? CLI_NOT_FOUND : CLI_IO, SAY_DOCTOR_SECRET_FILE,
            SAY_DOCTOR_SECRET_FILE_REMEDY, slice_str(flag), cli_error(c, e));
    if (secret_reveal(&a->secret).n == 0)
        return cli_fail(
            c, CLI_DATA, SAY_DOCTOR_SECRET_EMPTY, SAY_DOCTOR_SECRET_EMPTY_REMEDY, slice_str(flag),
            SLICE_EMPTY);
    return CLI_OK;
}

/* An empty answer is none. */
static int secret_from_person(struct cli *c, struct doctor_asked *a)
{
    if (!ask_is_possible()) {
        cli_note(c, SAY_DOCTOR_NOT_ASKED, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
        return CLI_OK;
    }
    return ask_secret_of(c, a->slab, SAY_PROMPT_DOCTOR, whose(a), &a->secret);
}

/* The slab is left out of cores, and what passes through libraries is not: so there is none. */
static void refuse_cores(void)
{
    const struct rlimit none = {0, 0};
    IGNORE(setrlimit(RLIMIT_CORE, &none) == 0 ? OK : ERR_DENIED, "lowering a limit is always allowed");
}

int doctor_ask_secret(struct cli *c, struct doctor_asked *a)
{
    const char *flag = args_has(&c->args, "token")           ? "token"
                       : args_has(&c->args, "password-file") ? "password-file"
                                                             : NULL;
    if (args_has(&c->args, "no-password") || !whose(a).n)
        return CLI_OK;
    a->wishes.is_token = flag && args_has(&c->args, "token");
    refuse_cores();
    a->slab = secret_slab_new(SLAB);
    int code = flag ? secret_from_file(c, a, flag) : secret_from_person(c, a);
    if (code == CLI_OK && a->secret.bytes && secret_reveal(&a->secret).n) {
        a->wishes.secret = &a->secret;
        a->mask = mask_new(secret_reveal(&a->secret));
    }
    return code;
}

#include "doctor/steps/autoconfig.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "doctor/steps/xml.h"

/* -------------------------------------------------------------------------------------------- words of both files */

static bool take_port(struct slice text, uint16_t *ret_port)
{
    uint64_t port;
    if (slice_to_u64(text, 65535, &port) != OK || port == 0)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* A name to sign in with that can be shown and sent; else empty: the whole address then. */
static struct slice clean_user(struct slice user)
{
    struct slice rest = user;
    while (rest.n) {
        uint32_t code = 0;
        size_t used = utf8_decode(rest, &code);
        if (used == 0 || utf8_is_unsafe(code))
            return SLICE_EMPTY;
        rest = slice_from(rest, used);
    }
    return user.n <= LIMIT_LOCAL_PART + LIMIT_DOMAIN + 1 ? user : SLICE_EMPTY;
}

/* ---------------------------------------------------------------------------------------------------- autoconfig */

/* With the placeholders filled. */
static struct slice filled(struct slice text, const struct autoconfig_who *who, struct arena *arena)
{
    const struct {
        struct slice name, value;
    } places[] = {
        {S("%EMAILADDRESS%"), who->address},
        {S("%EMAILLOCALPART%"), who->local},
        {S("%EMAILDOMAIN%"), who->domain}};
    struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    while (text.n) {
        size_t i = 0, n = sizeof places / sizeof *places;
        while (i < n && !slice_starts(text, places[i].name))
            i++;
        buf_put(&b, i < n ? places[i].value : slice_sub(text, 0, 1));
        text = slice_from(text, i < n ? places[i].name.n : 1);
    }
    return buf_check(&b) == OK ? arena_copy(arena, buf_slice(&b)) : SLICE_EMPTY;
}

/* Of a domain without anybody no name can be made of one's own. */
static struct slice user_of(struct slice text, const struct autoconfig_who *who, struct arena *arena)
{
    bool personal = slice_search(text, S("%EMAILADDRESS%")) != SLICE_NPOS ||
                    slice_search(text, S("%EMAILLOCALPART%")) != SLICE_NPOS;
    return personal && !who->address.n ? SLICE_EMPTY : clean_user(filled(text, who, arena));
}

static enum security socket_type(struct slice word)
{
    static const struct {
        const char *word;
        enum security security;
    } types[] = {{"SSL", SECURITY_TLS}, {"STARTTLS", SECURITY_STARTTLS}, {"plain", SECURITY_NONE}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_eq_nocase(word, slice_str(types[i].word)))
            return types[i].security;
    return SECURITY_UNKNOWN;
}

static unsigned takes_of(const struct xml_node *server)
{
    unsigned takes = 0;
    for (const struct xml_node *a = xml_first(server, "authentication"); a; a = xml_next(a)) {
        if (slice_starts(a->text, S("password-")) || slice_eq(a->text, S("plain")) ||
            slice_eq(a->text, S("secure")))
            takes |= TAKES_PASSWORD;
        if (slice_eq(a->text, S("OAuth2")))
            takes |= TAKES_OAUTH2;
    }
    return takes;
}

static void take_server(
    const struct xml_node *server, enum service service, const struct autoconfig_who *who,
    struct arena *arena, struct candidates *c)
{
    struct endpoint e = {
        .service = service,
        .source = SOURCE_AUTOCONFIG,
        .host = filled(xml_text(server, "hostname"), who, arena),
        .security = socket_type(xml_text(server, "socketType")),
        .user = user_of(xml_text(server, "username"), who, arena),
        .takes = takes_of(server)};
    if (!take_port(xml_text(server, "port"), &e.port)) {
        c->refused++;
        return;
    }
    if (e.security == SECURITY_UNKNOWN)
        e.security = security_of_port(e.port);
    if (slice_eq(e.user, who->address))
        e.user = SLICE_EMPTY;
    candidates_add(c, &e, arena);
}

static void take_servers(
    const struct xml_node *provider, const char *element, enum service service,
    const struct autoconfig_who *who, struct arena *arena, struct candidates *c)
{
    for (const struct xml_node *server = xml_first(provider, element); server; server = xml_next(server))
        if (slice_eq_nocase(xml_attribute_of(server, "type"), slice_str(service_name(service))))
            take_server(server, service, who, arena, c);
}

fallible autoconfig_read(
    struct slice file, const struct autoconfig_who *who, struct arena *arena,
    struct candidates *ret_candidates)
{
    struct candidates c = {.count = 0};
    const struct xml_node *root;
    TRY(xml_parse(file, arena, &root));
    const struct xml_node *provider = xml_first(root, "emailProvider");
    if (!slice_eq(root->name, S("clientConfig")) || !provider)
        return ERR_SYNTAX;
    take_servers(provider, "incomingServer", SERVICE_IMAP, who, arena, &c);
    take_servers(provider, "incomingServer", SERVICE_POP3, who, arena, &c);
    take_servers(provider, "outgoingServer", SERVICE_SMTP, who, arena, &c);
    TRY(arena_check(arena));
    *ret_candidates = c;
    return OK;
}

/* -------------------------------------------------------------------------------------------------- Autodiscover */

static bool is_on(struct slice word)
{
    return slice_eq_nocase(word, S("on"));
}

/* "SSL" says TLS from the first octet unless "Encryption" says more. */
static enum security encryption_of(const struct xml_node *protocol, uint16_t port)
{
    struct slice word = xml_text(protocol, "Encryption");
    enum security by_port = security_of_port(port);
    if (slice_eq_nocase(word, S("SSL")))
        return SECURITY_TLS;
    if (slice_eq_nocase(word, S("TLS")))
        return SECURITY_STARTTLS;
    if (slice_eq_nocase(word, S("None")))
        return SECURITY_NONE;
    if (is_on(xml_text(protocol, "SSL")))
        return by_port == SECURITY_UNKNOWN ? SECURITY_TLS : by_port;
    return by_port == SECURITY_TLS ? SECURITY_TLS : SECURITY_STARTTLS;
}

static void take_protocol(
    const struct xml_node *protocol, const struct autoconfig_who *who, struct arena *arena,
    struct candidates *c)
{
    struct slice type = xml_text(protocol, "Type"), user = clean_user(xml_text(protocol, "LoginName"));
    struct endpoint e = {
        .service = SERVICE_N,
        .source = SOURCE_AUTODISCOVER,
        .host = xml_text(protocol, "Server"),
        .user = user};
    for (int s = 0; s < SERVICE_N; s++)
        if (slice_eq_nocase(type, slice_str(service_name((enum service)s))))
            e.service = (enum service)s;
    if (e.service == SERVICE_N) /* EXCH, EXPR, WEB: for Exchange's own programs */
        return;
    if (!take_port(xml_text(protocol, "Port"), &e.port))
        e.port = port_of(e.service, SECURITY_TLS);
    e.security = encryption_of(protocol, e.port);
    if (slice_eq(e.user, who->address))
        e.user = SLICE_EMPTY;
    candidates_add(c, &e, arena);
}

fallible autodiscover_read(
    struct slice file, const struct autoconfig_who *who, struct arena *arena,
    struct candidates *ret_candidates, struct slice *ret_next)
{
    struct candidates c = {.count = 0};
    const struct xml_node *root;
    TRY(xml_parse(file, arena, &root));
    const struct xml_node *response = xml_first(root, "Response"), *account = xml_first(response, "Account");
    if (!slice_eq(root->name, S("Autodiscover")) || !response)
        return ERR_SYNTAX;
    for (const struct xml_node *p = xml_first(account, "Protocol"); p; p = xml_next(p))
        take_protocol(p, who, arena, &c);
    TRY(arena_check(arena));
    *ret_next = xml_text(account, "RedirectUrl");
    *ret_candidates = c;
    return OK;
}

static struct slice escape_of(char c)
{
    return c == '&' ? S("&amp;") : c == '<' ? S("&lt;") : c == '>' ? S("&gt;") : SLICE_EMPTY;
}

static void put_escaped(struct buf *b, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        struct slice escape = escape_of(text.p[i]);
        buf_put(b, escape.n ? escape : slice_sub(text, i, 1));
    }
}

struct slice autodiscover_question(const struct autoconfig_who *who, struct arena *arena)
{
    struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_LINE);
    buf_put(
        &b, S("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
              "<Autodiscover "
              "xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">"
              "<Request><EMailAddress>"));
    /* whom every domain has (RFC 2142 section 5): of a domain there is nobody else to ask for */
    if (!who->address.n)
        buf_put(&b, S("postmaster@"));
    put_escaped(&b, who->address.n ? who->address : who->domain);
    buf_put(
        &b, S("</EMailAddress><AcceptableResponseSchema>"
              "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
              "</AcceptableResponseSchema></Request></Autodiscover>\n"));
    return buf_check(&b) == OK ? arena_copy(arena, buf_slice(&b)) : SLICE_EMPTY;
}

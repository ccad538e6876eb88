#include "doctor/settings.h"

#include <assert.h>

#include "base/utf8.h"

struct writing {
    const struct examination *x;
    struct program_servers servers;
    struct slice authority;
    enum lang lang;
    struct buf *out;
};

/* ------------------------------------------------------------------------------------------ which servers and names */

/* How much it did. */
static unsigned deeds(const struct checked *s)
{
    const struct standing *d = &s->standing;
    return d->works                    ? 5
           : d->signed_in              ? 4
           : d->greeted && d->private_ ? 3
           : d->greeted                ? 2
           : d->connected              ? 1
                                       : 0;
}

static bool is_better(const struct checked *a, const struct checked *b)
{
    static const unsigned safety[SECURITY_N] = {
        [SECURITY_TLS] = 3, [SECURITY_STARTTLS] = 2, [SECURITY_UNKNOWN] = 1, [SECURITY_NONE] = 0};
    if (!b)
        return true;
    if (deeds(a) != deeds(b))
        return deeds(a) > deeds(b);
    if (a->endpoint.source != b->endpoint.source)
        return a->endpoint.source < b->endpoint.source;
    return safety[a->endpoint.security] > safety[b->endpoint.security];
}

static const struct checked *best_of(const struct examination *x, enum service service)
{
    const struct checked *best = NULL;
    for (size_t i = 0; i < x->server_count; i++)
        if (x->servers[i].endpoint.service == service && is_better(&x->servers[i], best))
            best = &x->servers[i];
    return best;
}

/* The name that was let in, else the one that the source says, else the address. */
static struct slice user_at(const struct examination *x, const struct checked *s)
{
    if (!s)
        return SLICE_EMPTY;
    for (size_t i = 0; i < s->notes.count; i++)
        if (!s->notes.rows[i].diagnosis && s->notes.rows[i].fact == FACT_SIGNED_IN &&
            s->notes.rows[i].args[1].n)
            return s->notes.rows[i].args[1];
    return s->endpoint.user.n ? s->endpoint.user : slice_trim(x->address);
}

void program_servers_of(const struct examination *x, struct program_servers *ret_servers)
{
    const struct checked *imap = best_of(x, SERVICE_IMAP), *pop3 = best_of(x, SERVICE_POP3);
    ret_servers->in = imap && (!pop3 || deeds(imap) >= deeds(pop3)) ? imap : pop3;
    ret_servers->out = best_of(x, SERVICE_SMTP);
    ret_servers->in_user = user_at(x, ret_servers->in);
    ret_servers->out_user = user_at(x, ret_servers->out);
}

/* --------------------------------------------------------------------------------------------------------- texts */

/* Nothing in it means anything to a parser of one of these files, between quotes. */
static bool is_plain(struct slice text)
{
    while (text.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(text, &c);
        if (used == 0 || utf8_is_unsafe(c) || c == '"' || c == '\'' || c == '\\' || c == '`')
            return false;
        text = slice_from(text, used);
    }
    return true;
}

/* For the user part of a URL: what is not unreserved (RFC 3986 2.3) as %XX. */
static void put_url_part(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool plain = ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            buf_put_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned char)c);
    }
}

static void put_url_host(struct buf *out, const struct endpoint *e)
{
    bool v6 = slice_has(e->host, ':');
    buf_printf(
        out, "%s" SLICE_FMT "%s:%u", v6 ? "[" : "", SLICE_ARG(e->host), v6 ? "]" : "", (unsigned)e->port);
}

/* A line of a file in the person's language, behind a "#". */
static void put_comment(struct writing *w, const char *en, const char *zh)
{
    buf_printf(w->out, "# %s\n", LANG_TEXT(en, zh).in[w->lang]);
}

static struct slice account_name(const struct writing *w)
{
    return w->x->domain.n ? w->x->domain : S("mail");
}

static struct slice address_or(const struct writing *w, struct slice user)
{
    return w->x->address.n ? slice_trim(w->x->address) : user;
}

static bool is_clear(const struct checked *s)
{
    return s && s->endpoint.security == SECURITY_NONE;
}

static void put_clear_comment(struct writing *w, const struct checked *s)
{
    if (is_clear(s))
        put_comment(
            w, "Warning: this server does not encrypt; others on the way can read the password and the mail.",
            "警告：该服务器不加密，途中他人可以读到密码和邮件。");
}

static const char *yes_no(bool value)
{
    return value ? "yes" : "no";
}

/* --------------------------------------------------------------------------------------------------------- mbsync */

static fallible put_mbsync(struct writing *w)
{
    static const char *const kinds[SECURITY_N] = {
        [SECURITY_UNKNOWN] = "STARTTLS",
        [SECURITY_TLS] = "IMAPS",
        [SECURITY_STARTTLS] = "STARTTLS",
        [SECURITY_NONE] = "None"};
    const struct checked *in = w->servers.in;
    if (!in || in->endpoint.service != SERVICE_IMAP)
        return ERR_NOT_FOUND;
    struct slice name = account_name(w), address = address_or(w, w->servers.in_user);
    put_comment(w, "For ~/.mbsyncrc. mbsync asks for the password;", "写入 ~/.mbsyncrc。mbsync 会询问密码；");
    put_comment(
        w, "a line PassCmd \"COMMAND\" lets a program give it.", "加一行 PassCmd \"命令\" 可由程序提供。");
    put_clear_comment(w, in);
    buf_printf(
        w->out, "IMAPAccount \"" SLICE_FMT "\"\nHost \"" SLICE_FMT "\"\nPort %u\nUser \"" SLICE_FMT "\"\n",
        SLICE_ARG(name), SLICE_ARG(in->endpoint.host), (unsigned)in->endpoint.port,
        SLICE_ARG(w->servers.in_user));
    buf_printf(w->out, "SSLType %s\n", kinds[in->endpoint.security]);
    if (w->authority.n)
        buf_printf(w->out, "CertificateFile \"" SLICE_FMT "\"\n", SLICE_ARG(w->authority));
    buf_printf(
        w->out, "\nIMAPStore \"" SLICE_FMT "-server\"\nAccount \"" SLICE_FMT "\"\n", SLICE_ARG(name),
        SLICE_ARG(name));
    buf_printf(
        w->out,
        "\nMaildirStore \"" SLICE_FMT "-here\"\nSubFolders Verbatim\nPath \"~/Mail/" SLICE_FMT
        "/\"\nInbox \"~/Mail/" SLICE_FMT "/INBOX\"\n",
        SLICE_ARG(name), SLICE_ARG(address), SLICE_ARG(address));
    buf_printf(
        w->out,
        "\nChannel \"" SLICE_FMT "\"\nFar \":" SLICE_FMT "-server:\"\nNear \":" SLICE_FMT
        "-here:\"\nPatterns *\nCreate Near\nSyncState *\n",
        SLICE_ARG(name), SLICE_ARG(name), SLICE_ARG(name));
    return OK;
}

/* ---------------------------------------------------------------------------------------------------------- msmtp */

static fallible put_msmtp(struct writing *w)
{
    const struct checked *out = w->servers.out;
    if (!out)
        return ERR_NOT_FOUND;
    struct slice name = account_name(w);
    put_comment(w, "For ~/.msmtprc. msmtp asks for the password;", "写入 ~/.msmtprc。msmtp 会询问密码；");
    put_comment(
        w, "a line passwordeval COMMAND lets a program give it.", "加一行 passwordeval 命令 可由程序提供。");
    put_clear_comment(w, out);
    buf_printf(
        w->out, "account " SLICE_FMT "\nhost " SLICE_FMT "\nport %u\n", SLICE_ARG(name),
        SLICE_ARG(out->endpoint.host), (unsigned)out->endpoint.port);
    buf_printf(
        w->out, "tls %s\ntls_starttls %s\n", is_clear(out) ? "off" : "on",
        out->endpoint.security == SECURITY_TLS ? "off" : "on");
    if (w->authority.n)
        buf_printf(w->out, "tls_trust_file \"" SLICE_FMT "\"\n", SLICE_ARG(w->authority));
    buf_printf(
        w->out, "auth %s\nuser \"" SLICE_FMT "\"\nfrom \"" SLICE_FMT "\"\n", is_clear(out) ? "plain" : "on",
        SLICE_ARG(w->servers.out_user), SLICE_ARG(address_or(w, w->servers.out_user)));
    buf_printf(w->out, "\naccount default : " SLICE_FMT "\n", SLICE_ARG(name));
    return OK;
}

/* -------------------------------------------------------------------------------------------------------- neomutt */

/* "imaps://alice%40example.org@imap.example.org:993/" */
static void
put_neomutt_url(struct writing *w, const char *variable, const struct checked *s, struct slice user)
{
    static const char *const schemes[SERVICE_N] = {
        [SERVICE_IMAP] = "imap", [SERVICE_POP3] = "pop", [SERVICE_SMTP] = "smtp"};
    const struct endpoint *e = &s->endpoint;
    buf_printf(
        w->out, "set %s = '%s%s://", variable, schemes[e->service], e->security == SECURITY_TLS ? "s" : "");
    if (user.n) {
        put_url_part(w->out, user);
        buf_put_char(w->out, '@');
    }
    put_url_host(w->out, e);
    buf_put_str(w->out, "/'\n");
}

static bool offers(const struct checked *s, struct slice words)
{
    for (size_t i = 0; i < s->notes.count; i++)
        if (!s->notes.rows[i].diagnosis && s->notes.rows[i].fact == FACT_MECHANISMS &&
            slice_search(s->notes.rows[i].args[0], words) != SLICE_NPOS)
            return true;
    return false;
}

/* neomutt with libgsasl chooses channel binding where it is offered, has none to give, and stops there. */
static void put_neomutt_ways(struct writing *w, const char *variable, const struct checked *s)
{
    bool plain = offers(s, S("PLAIN")), login = offers(s, S("LOGIN"));
    if (is_clear(s) || !offers(s, S("-PLUS")) || (!plain && !login))
        return;
    buf_printf(
        w->out, "set %s = '%s%s%s'\n", variable, plain ? "plain" : "", plain && login ? ":" : "",
        login ? "login" : "");
}

static fallible put_neomutt(struct writing *w)
{
    const struct checked *in = w->servers.in, *out = w->servers.out;
    if (!in)
        return ERR_NOT_FOUND;
    bool clear = is_clear(in) || is_clear(out), imap = in->endpoint.service == SERVICE_IMAP;
    put_comment(
        w, "For ~/.config/neomutt/neomuttrc. neomutt asks for the password;",
        "写入 ~/.config/neomutt/neomuttrc。neomutt 会询问密码；");
    put_comment(
        w, "set imap_pass, pop_pass and smtp_pass to \"`COMMAND`\" to let a program give it.",
        "把 imap_pass、pop_pass、smtp_pass 设为 \"`命令`\" 可由程序提供。");
    put_clear_comment(w, in);
    put_clear_comment(w, is_clear(in) ? NULL : out);
    buf_printf(
        w->out, "set from = '" SLICE_FMT "'\nset ssl_force_tls = %s\nset ssl_starttls = %s\n",
        SLICE_ARG(address_or(w, w->servers.in_user)), yes_no(!clear), yes_no(!clear));
    if (w->authority.n)
        buf_printf(w->out, "set ssl_ca_certificates_file = '" SLICE_FMT "'\n", SLICE_ARG(w->authority));
    if (imap) {
        buf_printf(w->out, "set imap_user = '" SLICE_FMT "'\n", SLICE_ARG(w->servers.in_user));
        put_neomutt_url(w, "folder", in, SLICE_EMPTY);
        buf_put_str(w->out, "set spool_file = '+INBOX'\n");
        put_neomutt_ways(w, "imap_authenticators", in);
    } else {
        put_neomutt_url(w, "pop_host", in, w->servers.in_user);
        buf_put_str(w->out, "set pop_delete = no\n");
        put_neomutt_url(w, "spool_file", in, w->servers.in_user);
        put_neomutt_ways(w, "pop_authenticators", in);
    }
    if (out) {
        put_neomutt_url(w, "smtp_url", out, w->servers.out_user);
        put_neomutt_ways(w, "smtp_authenticators", out);
    }
    return OK;
}

/* ---------------------------------------------------------------------------------------------------- Thunderbird */

enum { LABEL_COLUMNS = 22 };

static void put_pair(struct writing *w, struct lang_text label, struct slice value)
{
    struct slice name = slice_str(label.in[w->lang]);
    buf_put_str(w->out, "  ");
    buf_put(w->out, name);
    for (size_t n = lang_columns(name); n < LABEL_COLUMNS; n++)
        buf_put_char(w->out, ' ');
    utf8_put_safe(w->out, value);
    buf_put_char(w->out, '\n');
}

static void put_number(struct writing *w, struct lang_text label, unsigned number)
{
    struct buf text CLEANUP_BUF = BUF_INIT(16);
    buf_printf(&text, "%u", number);
    put_pair(w, label, buf_slice(&text));
}

static unsigned takes_at(const struct writing *w, const struct checked *s)
{
    unsigned here = s->endpoint.takes;
    return here || !w->x->provider ? here : w->x->provider->takes;
}

/* What the sign-in there takes, as Thunderbird's menu calls it. */
static struct lang_text thunderbird_way(const struct writing *w, const struct checked *s)
{
    unsigned takes = takes_at(w, s);
    if (takes == TAKES_OAUTH2 || w->x->is_token)
        return LANG_TEXT("OAuth2", "OAuth2");
    return LANG_TEXT("Normal password", "普通密码");
}

/* Which secret to type, where the mailbox password is not the one. */
static struct lang_text which_secret(const struct writing *w, const struct checked *s)
{
    unsigned takes = takes_at(w, s);
    if (takes & TAKES_PASSWORD || takes == TAKES_OAUTH2 || !takes)
        return LANG_TEXT(NULL, NULL);
    if (takes & TAKES_AUTHORIZATION_CODE)
        return LANG_TEXT("the authorization code from the web mail", "网页邮箱中生成的授权码");
    return LANG_TEXT("an app password from the web mail", "网页邮箱中生成的应用密码");
}

static void
put_thunderbird_server(struct writing *w, struct lang_text title, const struct checked *s, struct slice user)
{
    static const struct lang_text securities[SECURITY_N] = {
        [SECURITY_UNKNOWN] = {{"Autodetect", "自动检测"}},
        [SECURITY_TLS] = {{"SSL/TLS", "SSL/TLS"}},
        [SECURITY_STARTTLS] = {{"STARTTLS", "STARTTLS"}},
        [SECURITY_NONE] = {{"None (others can read the password)", "无（他人可以读到密码）"}}};
    struct lang_text secret = which_secret(w, s);
    buf_printf(w->out, "%s\n", title.in[w->lang]);
    put_pair(w, LANG_TEXT("Protocol", "协议"), slice_str(service_words(s->endpoint.service)));
    put_pair(w, LANG_TEXT("Hostname", "主机名"), s->endpoint.host);
    put_number(w, LANG_TEXT("Port", "端口"), s->endpoint.port);
    put_pair(
        w, LANG_TEXT("Connection security", "连接安全性"),
        slice_str(securities[s->endpoint.security].in[w->lang]));
    put_pair(
        w, LANG_TEXT("Authentication method", "身份验证方式"), slice_str(thunderbird_way(w, s).in[w->lang]));
    put_pair(w, LANG_TEXT("Username", "用户名"), user);
    if (secret.in[w->lang])
        put_pair(w, LANG_TEXT("Password", "密码"), slice_str(secret.in[w->lang]));
}

static fallible put_thunderbird(struct writing *w)
{
    if (!w->servers.in && !w->servers.out)
        return ERR_NOT_FOUND;
    buf_put_str(
        w->out, LANG_TEXT(
                    "In Thunderbird: New Account, Email, then \"Configure manually\".\n",
                    "在 Thunderbird 中：新建帐户，电子邮件，然后“手动配置”。\n")
                    .in[w->lang]);
    if (w->servers.in)
        put_thunderbird_server(
            w, LANG_TEXT("Incoming server", "收件服务器"), w->servers.in, w->servers.in_user);
    if (w->servers.out)
        put_thunderbird_server(
            w, LANG_TEXT("Outgoing server", "发件服务器"), w->servers.out, w->servers.out_user);
    return OK;
}

/* ------------------------------------------------------------------------------------------------------- programs */

static const struct {
    const char *name;
    enum err (*put)(struct writing *w); /* NULL: made elsewhere */
    bool is_file;                       /* a program parses it */
} programs[PROGRAM_N] = {
    [PROGRAM_THUNDERBIRD] = {"thunderbird", put_thunderbird, false},
    [PROGRAM_NEOMUTT] = {"neomutt", put_neomutt, true},
    [PROGRAM_MBSYNC] = {"mbsync", put_mbsync, true},
    [PROGRAM_MSMTP] = {"msmtp", put_msmtp, true},
    [PROGRAM_APPLE] = {"apple", NULL, true},
};

fallible program_parse(struct slice name, enum program *ret_program)
{
    for (int i = 0; i < PROGRAM_N; i++)
        if (slice_eq(name, slice_str(programs[i].name))) {
            *ret_program = (enum program)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

fallible program_settings_put(
    enum program program, const struct examination *x, struct slice authority, enum lang lang,
    struct buf *out)
{
    struct writing w = {.x = x, .authority = authority, .lang = lang, .out = out};
    assert(programs[program].put);
    program_servers_of(x, &w.servers);
    bool plain = is_plain(w.servers.in_user) && is_plain(w.servers.out_user) && is_plain(x->address) &&
                 is_plain(authority);
    if (programs[program].is_file && !plain)
        return ERR_UNSUPPORTED;
    TRY(programs[program].put(&w));
    return buf_check(out);
}

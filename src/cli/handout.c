#include "cli/handout.h"

#include <assert.h>

#include "base/utf8.h"
#include "crypto/hash.h"

/* Text in XML and HTML: what has a meaning there is written as a reference; what may not stand there is repaired. */
static void put_escaped(struct slice s, struct buf *out)
{
    while (s.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(s, &c);
        bool bad = used == 0 || (c < 0x20 && c != '\t') || c == 0x7f || c == 0xfffe || c == 0xffff;
        if (bad)
            buf_put_str(out, "\xef\xbf\xbd");
        else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
            buf_printf(out, "&#%u;", c);
        else
            buf_put(out, slice_sub(s, 0, used));
        s = slice_from(s, used ? used : 1);
    }
}

static void put_tag(const char *tag, struct slice text, struct buf *out)
{
    buf_printf(out, "<%s>", tag);
    put_escaped(text, out);
    buf_printf(out, "</%s>", tag);
}

/* ------------------------------------------------------------------------------------------------ an Apple profile */

/* A UUID (RFC 9562, version 8) for one part of this credential's profile. */
static void put_uuid(const struct handout *h, const char *part, struct buf *out)
{
    struct hash_state state;
    hash_start(&state, NULL);
    hash_add_piece(&state, S("letterlock profile"));
    hash_add_piece(&state, h->host);
    hash_add_piece(&state, h->address);
    hash_add_piece(&state, slice_of(&h->credential, sizeof h->credential));
    hash_add_piece(&state, slice_str(part));
    struct hash made = hash_end(&state);
    made.b[6] = (uint8_t)(0x80 | (made.b[6] & 0x0f));
    made.b[8] = (uint8_t)(0x80 | (made.b[8] & 0x3f));
    for (size_t i = 0; i < 16; i++)
        buf_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02X" : "%02X", made.b[i]);
}

static void put_key(const char *key, struct slice text, struct buf *out)
{
    buf_printf(out, "<key>%s</key>", key);
    put_tag("string", text, out);
    buf_put_char(out, '\n');
}

static void put_key_number(const char *key, uint64_t number, struct buf *out)
{
    buf_printf(out, "<key>%s</key><integer>%llu</integer>\n", key, (unsigned long long)number);
}

static void put_key_bool(const char *key, bool value, struct buf *out)
{
    buf_printf(out, "<key>%s</key><%s/>\n", key, value ? "true" : "false");
}

/* What every payload has. */
static void put_payload(const struct handout *h, const char *type, const char *part, struct buf *out)
{
    struct buf uuid CLEANUP_BUF = BUF_INIT(64), name CLEANUP_BUF = BUF_INIT(1024);
    put_uuid(h, part, &uuid);
    buf_printf(&name, "%s." SLICE_FMT ".", "letterlock", SLICE_ARG(h->host));
    buf_put(&name, buf_slice(&uuid));
    put_key("PayloadType", slice_str(type), out);
    put_key("PayloadIdentifier", buf_slice(&name), out);
    put_key("PayloadUUID", buf_slice(&uuid), out);
    put_key_number("PayloadVersion", 1, out);
}

static void put_incoming(const struct handout *h, const struct setting *s, bool pop3, struct buf *out)
{
    put_key("EmailAccountType", pop3 ? S("EmailTypePOP") : S("EmailTypeIMAP"), out);
    put_key("IncomingMailServerAuthentication", S("EmailAuthPassword"), out);
    put_key("IncomingMailServerHostName", s->host, out);
    put_key_number("IncomingMailServerPortNumber", s->port, out);
    put_key_bool("IncomingMailServerUseSSL", true, out);
    put_key("IncomingMailServerUsername", h->user.n ? h->user : h->address, out);
    if (h->secret.n)
        put_key("IncomingPassword", h->secret, out);
}

static void put_outgoing(const struct handout *h, const struct setting *s, struct buf *out)
{
    put_key("OutgoingMailServerAuthentication", S("EmailAuthPassword"), out);
    put_key("OutgoingMailServerHostName", s->host, out);
    put_key_number("OutgoingMailServerPortNumber", s->port, out);
    put_key_bool("OutgoingMailServerUseSSL", true, out);
    put_key("OutgoingMailServerUsername", h->user.n ? h->user : h->address, out);
    put_key_bool("OutgoingPasswordSameAsIncomingPassword", true, out);
}

/* The octets of the first certificate, still in base64, as a property list's data. */
static void put_authority(const struct handout *h, struct buf *out)
{
    static const char begins[] = "-----BEGIN CERTIFICATE-----", ends[] = "-----END CERTIFICATE-----";
    size_t from = slice_search(h->authority, slice_str(begins));
    struct slice body = from == SLICE_NPOS ? SLICE_EMPTY : slice_from(h->authority, from + sizeof begins - 1);
    size_t until = slice_search(body, slice_str(ends));
    if (until == SLICE_NPOS)
        return;
    buf_put_str(out, "<dict>\n");
    put_payload(h, "com.apple.security.root", "authority", out);
    put_key("PayloadDisplayName", h->host, out);
    buf_put_str(out, "<key>PayloadContent</key><data>");
    put_escaped(slice_trim(slice_sub(body, 0, until)), out);
    buf_put_str(out, "</data>\n</dict>\n");
}

fallible handout_put_mobileconfig(const struct handout *h, struct buf *out)
{
    const struct setting *in = settings_find(h->settings, h->setting_count, DOOR_IMAPS);
    bool pop3 = !in;
    in = in ? in : settings_find(h->settings, h->setting_count, DOOR_POP3S);
    const struct setting *smtp = settings_find(h->settings, h->setting_count, DOOR_SUBMISSIONS);
    if (!in || !smtp)
        return ERR_UNSUPPORTED;
    buf_put_str(
        out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
             "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
             "<plist version=\"1.0\">\n<dict>\n");
    put_payload(h, "Configuration", "profile", out);
    put_key("PayloadDisplayName", h->address, out);
    put_key("PayloadDescription", h->label, out);
    put_key("PayloadOrganization", h->host, out);
    buf_put_str(out, "<key>PayloadContent</key><array>\n<dict>\n");
    put_payload(h, "com.apple.mail.managed", "mail", out);
    put_key("PayloadDisplayName", h->label, out);
    put_key("EmailAccountDescription", h->address, out);
    put_key("EmailAccountName", h->name.n ? h->name : h->address, out);
    put_key("EmailAddress", h->address, out);
    put_incoming(h, in, pop3, out);
    put_outgoing(h, smtp, out);
    buf_put_str(out, "</dict>\n");
    put_authority(h, out);
    buf_put_str(out, "</array>\n</dict>\n</plist>\n");
    return OK;
}

/* --------------------------------------------------------------------------------------------------- a page to print */

enum sheet_text {
    SHEET_TITLE,
    SHEET_INTRO,
    SHEET_KEEP,
    SHEET_USER,
    SHEET_PASSWORD,
    SHEET_FOR,
    SHEET_SERVER,
    SHEET_PORT,
    SHEET_SECURITY,
    SHEET_OUTLOOK,
    SHEET_OUTLOOK_STEPS,
    SHEET_THUNDERBIRD,
    SHEET_THUNDERBIRD_STEPS,
    SHEET_AUTHORITY,
    SHEET_LOST,
    SHEET_TEXTS
};

static const struct lang_text sheet_texts[] = {
    [SHEET_TITLE] = {{"Mail settings", "邮件设置"}},
    [SHEET_INTRO] =
        {{"This password is for one mail program on one device. It is not your mailbox password, and it can "
          "be "
          "ended alone without touching anything else.",
          "这个密码只供一台设备上的一个邮件程序使用。它不是您的邮箱密码，可以单独停用，不影响其他设备。"}},
    [SHEET_KEEP] =
        {{"Destroy this page when the program is set up: nobody needs the password a second time.",
          "设置完成后请销毁本页：这个密码不会再用到第二次。"}},
    [SHEET_USER] = {{"User name", "用户名"}},
    [SHEET_PASSWORD] = {{"Password", "密码"}},
    [SHEET_FOR] = {{"For", "用途"}},
    [SHEET_SERVER] = {{"Server", "服务器"}},
    [SHEET_PORT] = {{"Port", "端口"}},
    [SHEET_SECURITY] = {{"Security", "安全"}},
    [SHEET_OUTLOOK] = {{"Outlook", "Outlook"}},
    [SHEET_OUTLOOK_STEPS] =
        {{"Choose File, then Add Account. Type the address, open Advanced options, tick \"Let me set up my "
          "account "
          "manually\", and choose IMAP.\n"
          "Fill in servers, ports and security from the table above. Where Outlook offers \"Secure Password "
          "Authentication\", leave it off.\n"
          "When it asks for the password, type the one of this page, once for incoming and once for outgoing "
          "mail.",
          "依次点“文件”“添加帐户”。填写地址，展开“高级选项”，勾选“让我手动设置我的帐户”，然后选 IMAP。\n"
          "按上表填写服务器、端口和安全方式。不要勾选“需要使用安全密码验证（SPA）”。\n"
          "询问密码时，填写本页的密码；收信和发信各填一次。"}},
    [SHEET_THUNDERBIRD] = {{"Thunderbird", "Thunderbird"}},
    [SHEET_THUNDERBIRD_STEPS] =
        {{"Open the menu, choose New Account, then Email. Type your name, the address, and the password of "
          "this "
          "page.\n"
          "If the settings are not found by themselves, choose \"Configure manually\" and fill them in from "
          "the table "
          "above; authentication is \"Normal password\".",
          "打开菜单，依次选“新建帐户”“电子邮件”。填写姓名、地址和本页的密码。\n"
          "如果没有自动找到设置，请选“手动配置”，按上表填写；身份验证方式选“普通密码”。"}},
    [SHEET_AUTHORITY] =
        {{"The server's certificate comes from a private authority. If the program warns of it, ask the "
          "administrator "
          "for the authority's certificate, and do not simply continue.",
          "服务器证书由私有 CA 签发。如果程序提示证书问题，请向管理员索取该 CA 的证书，不要直接忽略。"}},
    [SHEET_LOST] =
        {{"If the device is lost, tell the administrator: this password is then ended, and nothing else.",
          "设备丢失时请告诉管理员：只会停用这个密码，其他不受影响。"}},
};
static_assert(sizeof sheet_texts / sizeof *sheet_texts == SHEET_TEXTS, "a text without words");

static struct slice sheet_text(const struct handout *h, enum sheet_text which)
{
    return slice_str(sheet_texts[which].in[h->lang]);
}

static const char sheet_style[] =
    "body{font:11pt/1.5 sans-serif;color:#000;background:#fff;max-width:44em;margin:2em auto;padding:0 1em}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin:1.5em 0 .3em;page-break-after:avoid}"
    "table{border-collapse:collapse;width:100%;margin:1em 0}"
    "td,th{border:1px solid #888;padding:.35em .6em;text-align:left;vertical-align:top}th{background:#eee}"
    "code{font:bold 1.15em/1.4 monospace;overflow-wrap:anywhere}ol{margin:.3em 0;padding-left:1.5em}"
    "@page{margin:18mm}@media print{body{margin:0;max-width:none}}";

static void put_paragraph(const struct handout *h, enum sheet_text which, struct buf *out)
{
    put_tag("p", sheet_text(h, which), out);
    buf_put_char(out, '\n');
}

static void put_steps(const struct handout *h, enum sheet_text title, enum sheet_text steps, struct buf *out)
{
    struct slice rest = sheet_text(h, steps), line;
    put_tag("h2", sheet_text(h, title), out);
    buf_put_str(out, "\n<ol>\n");
    while (slice_cut(&rest, '\n', &line)) {
        put_tag("li", line, out);
        buf_put_char(out, '\n');
    }
    buf_put_str(out, "</ol>\n");
}

static void put_servers(const struct handout *h, struct buf *out)
{
    static const enum sheet_text titles[] = {SHEET_FOR, SHEET_SERVER, SHEET_PORT, SHEET_SECURITY};
    buf_put_str(out, "<table>\n<tr>");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        put_tag("th", sheet_text(h, titles[i]), out);
    buf_put_str(out, "</tr>\n");
    for (size_t i = 0; i < h->setting_count; i++) {
        const struct setting *s = &h->settings[i];
        if (s->is_second)
            continue;
        buf_put_str(out, "<tr>");
        put_tag("td", slice_str(s->what->in[h->lang]), out);
        put_tag("td", s->host, out);
        buf_printf(out, "<td>%u</td>", s->port);
        put_tag("td", setting_security(s), out);
        buf_put_str(out, "</tr>\n");
    }
    buf_put_str(out, "</table>\n");
}

void handout_put_sheet(const struct handout *h, struct buf *out)
{
    buf_printf(
        out,
        "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" "
        "content=\"no-referrer\">\n",
        h->lang == LANG_ZH ? "zh-CN" : "en");
    buf_put_str(out, "<title>");
    put_escaped(sheet_text(h, SHEET_TITLE), out);
    buf_put_str(out, " - ");
    put_escaped(h->address, out);
    buf_printf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", sheet_style);
    put_escaped(sheet_text(h, SHEET_TITLE), out);
    buf_put_str(out, ": ");
    put_escaped(h->label, out);
    buf_put_str(out, "</h1>\n");
    put_paragraph(h, SHEET_INTRO, out);
    buf_put_str(out, "<table>\n<tr>");
    put_tag("th", sheet_text(h, SHEET_USER), out);
    buf_put_str(out, "<td><code>");
    put_escaped(h->address, out);
    buf_put_str(out, "</code></td></tr>\n<tr>");
    put_tag("th", sheet_text(h, SHEET_PASSWORD), out);
    buf_put_str(out, "<td><code>");
    put_escaped(h->secret, out);
    buf_put_str(out, "</code></td></tr>\n</table>\n");
    put_servers(h, out);
    put_paragraph(h, SHEET_KEEP, out);
    put_steps(h, SHEET_OUTLOOK, SHEET_OUTLOOK_STEPS, out);
    put_steps(h, SHEET_THUNDERBIRD, SHEET_THUNDERBIRD_STEPS, out);
    if (h->authority.n)
        put_paragraph(h, SHEET_AUTHORITY, out);
    put_paragraph(h, SHEET_LOST, out);
    buf_put_str(out, "</body>\n</html>\n");
}

/* ------------------------------------------------------------------------------------------- Thunderbird's settings */

void handout_put_autoconfig(const struct handout *h, struct buf *out)
{
    static const char *const types[DOOR_N] = {
        [DOOR_IMAP] = "imap", [DOOR_IMAPS] = "imap", [DOOR_POP3] = "pop3", [DOOR_POP3S] = "pop3"};
    struct slice domain = slice_from(h->address, slice_rfind(h->address, '@') + 1);
    buf_put_str(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\">\n<emailProvider id=\"");
    put_escaped(domain, out);
    buf_put_str(out, "\">\n");
    put_tag("domain", domain, out);
    put_tag("displayName", domain, out);
    put_tag("displayShortName", domain, out);
    buf_put_char(out, '\n');
    for (size_t i = 0; i < h->setting_count; i++) {
        const struct setting *s = &h->settings[i];
        const char *element = s->sends ? "outgoingServer" : "incomingServer";
        buf_printf(out, "<%s type=\"%s\">", element, s->sends ? "smtp" : types[s->door]);
        put_tag("hostname", s->host, out);
        buf_printf(
            out, "<port>%u</port><socketType>%s</socketType>", s->port, s->tls_first ? "SSL" : "STARTTLS");
        buf_printf(
            out,
            "<username>%%EMAILADDRESS%%</username><authentication>password-cleartext</authentication></%s>\n",
            element);
    }
    buf_put_str(out, "</emailProvider>\n</clientConfig>\n");
}

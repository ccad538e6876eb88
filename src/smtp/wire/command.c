#include "smtp/wire/command.h"

#include <assert.h>

#include "base/utf8.h"

/* A chunk above this is no number we take part in; the message limit is far below (T-025). */
#define CHUNK_MAX UINT32_MAX
#define SIZE_DIGITS 20 /* RFC 1870 5 */

static const struct smtp_row rows[] = {
    {"EHLO", SMTP_EHLO, SMTP_ARGS_DOMAIN, SMTP_IN_ANY & ~SMTP_IN_CHUNKS, SMTP_ENDS_GROUP | SMTP_JUNK,
     "5321 4.1.1.1"},
    {"HELO", SMTP_HELO, SMTP_ARGS_DOMAIN, SMTP_IN_ANY & ~SMTP_IN_CHUNKS, SMTP_ENDS_GROUP | SMTP_JUNK,
     "5321 4.1.1.1"},
    {"STARTTLS", SMTP_STARTTLS, SMTP_ARGS_NONE, SMTP_IN_GREETED | SMTP_IN_MAIL | SMTP_IN_RCPT,
     SMTP_ENDS_GROUP | SMTP_BEFORE_TLS, "3207 4"},
    {"AUTH", SMTP_AUTH, SMTP_ARGS_SASL, SMTP_IN_GREETED,
     SMTP_ENDS_GROUP | SMTP_NEEDS_TLS | SMTP_SUBMISSION | SMTP_SECRET, "4954 4"},
    {"MAIL", SMTP_MAIL, SMTP_ARGS_MAIL, SMTP_IN_GREETED, SMTP_NEEDS_SIGNIN, "5321 4.1.1.2"},
    {"RCPT", SMTP_RCPT, SMTP_ARGS_RCPT, SMTP_IN_MAIL | SMTP_IN_RCPT, SMTP_NEEDS_SIGNIN, "5321 4.1.1.3"},
    {"DATA", SMTP_DATA, SMTP_ARGS_NONE, SMTP_IN_RCPT, SMTP_ENDS_GROUP | SMTP_NEEDS_SIGNIN, "5321 4.1.1.4"},
    {"BDAT", SMTP_BDAT, SMTP_ARGS_BDAT, SMTP_IN_RCPT | SMTP_IN_CHUNKS, SMTP_NEEDS_SIGNIN, "3030 2"},
    {"RSET", SMTP_RSET, SMTP_ARGS_NONE, SMTP_IN_ANY, SMTP_JUNK, "5321 4.1.1.5"},
    {"NOOP", SMTP_NOOP, SMTP_ARGS_ANY, SMTP_IN_ANY, SMTP_JUNK, "5321 4.1.1.9"},
    {"VRFY", SMTP_VRFY, SMTP_ARGS_ANY, SMTP_IN_ANY, SMTP_JUNK, "5321 4.1.1.6"},
    {"QUIT", SMTP_QUIT, SMTP_ARGS_ANY, SMTP_IN_ANY, 0, "5321 4.1.1.10"},
    {"", SMTP_REFUSED, SMTP_ARGS_ANY, SMTP_IN_ANY, SMTP_JUNK, "5321 4.2.4"},
};
static_assert(sizeof rows / sizeof *rows == SMTP_VERBS, "a verb without a row");

/* Known elsewhere, refused here: 502, not 500 (T-045). */
static const char *const refused[] = {"EXPN", "ETRN", "TURN",  "ATRN", "SOML", "SAML", "SEND",
                                      "HELP", "BURL", "DEBUG", "WIZ",  "KILL", "VERB", "SHOWQ"};

static const struct smtp_row *find_row(struct slice name)
{
    for (size_t i = 0; i < SMTP_REFUSED; i++)
        if (slice_eq_nocase(name, slice_str(rows[i].name)))
            return &rows[i];
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (slice_eq_nocase(name, slice_str(refused[i])))
            return &rows[SMTP_REFUSED];
    return NULL;
}

size_t smtp_line_limit(struct slice input)
{
    return slice_starts_nocase(input, S("AUTH ")) ? LIMIT_SASL_RESPONSE : LIMIT_SMTP_COMMAND;
}

static struct slice trim_blanks(struct slice s)
{
    while (s.n && s.p[0] == ' ')
        s = slice_from(s, 1);
    while (s.n && s.p[s.n - 1] == ' ')
        s.n--;
    return s;
}

/* ---- parameters of MAIL and RCPT (RFC 5321 4.1.2) ---- */

static enum status read_size(struct slice value, struct smtp_params *params)
{
    uint64_t size = 0;
    if (value.n > SIZE_DIGITS)
        return STATUS_PARAMETERS;
    enum err e = slice_to_u64(value, UINT64_MAX, &size);
    if (e == ERR_SYNTAX)
        return STATUS_PARAMETERS;
    params->size = e == ERR_LIMIT ? UINT64_MAX : size;
    return STATUS_OK;
}

/* RFC 6152 3. BINARYMIME (RFC 3030) is not offered. */
static enum status read_body(struct slice value, struct smtp_params *params)
{
    if (slice_eq_nocase(value, S("7BIT")))
        params->body = SMTP_BODY_7BIT;
    else if (slice_eq_nocase(value, S("8BITMIME")))
        params->body = SMTP_BODY_8BITMIME;
    else
        return STATUS_PARAMETERS;
    return STATUS_OK;
}

static enum status read_smtputf8(struct slice value, struct smtp_params *params)
{
    params->smtputf8 = true;
    return value.p ? STATUS_PARAMETERS : STATUS_OK; /* RFC 6531 3.4: it takes no value */
}

static int hex_value(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4954 5: <> or a mailbox in xtext (RFC 3461 4). Checked and not used: nobody vouches for others here. A NUL that is
 * spelled +00 is none of a mailbox's octets (T-030). */
static enum status read_auth(struct slice value, struct smtp_params *params)
{
    if (slice_eq(value, S("<>")))
        return STATUS_OK;
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS);
    for (size_t i = 0; i < value.n; i++) {
        int high = value.p[i] == '+' && i + 2 < value.n ? hex_value(value.p[i + 1]) : -1;
        int low = high >= 0 ? hex_value(value.p[i + 2]) : -1;
        if (value.p[i] == '+' && low < 0)
            return STATUS_PARAMETERS;
        buf_put_char(&text, value.p[i] == '+' ? (char)(high * 16 + low) : value.p[i]);
        i += value.p[i] == '+' ? 2 : 0;
    }
    struct address address;
    bool good = buf_check(&text) == OK &&
                address_parse(buf_slice(&text), ADDRESS_ALLOW_UTF8 | ADDRESS_ALLOW_LITERAL, &address) == OK;
    return good ? STATUS_OK : STATUS_PARAMETERS;
}

static const struct {
    const char *name;
    enum smtp_verb verb;
    unsigned with; /* only grammar when this is offered */
    enum status (*read)(struct slice value, struct smtp_params *params);
    const char *rfc;
} param_rows[] = {
    {"SIZE", SMTP_MAIL, 0, read_size, "1870 4"},
    {"BODY", SMTP_MAIL, 0, read_body, "6152 3"},
    {"SMTPUTF8", SMTP_MAIL, 0, read_smtputf8, "6531 3.4"},
    {"AUTH", SMTP_MAIL, SMTP_WITH_AUTH, read_auth, "4954 5"},
};

static bool is_keyword(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && (i == 0 || s.p[i] != '-'))
            return false;
    return s.n > 0;
}

/* esmtp-value: any octet but blanks, controls and "=" (RFC 5321 4.1.2); UTF-8 by RFC 6531 3.3. */
static bool is_value(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '=' || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && utf8_is_valid(s);
}

static enum status
parse_param(struct slice word, enum smtp_verb verb, unsigned with, struct smtp_params *params)
{
    size_t eq = slice_find(word, '=');
    struct slice name = slice_sub(word, 0, eq);
    struct slice value = eq == SLICE_NPOS ? SLICE_EMPTY : slice_from(word, eq + 1);
    if (!is_keyword(name) || (eq != SLICE_NPOS && !is_value(value)))
        return STATUS_PARAMETERS;
    for (size_t i = 0; i < sizeof param_rows / sizeof *param_rows; i++) {
        if (param_rows[i].verb != verb || (param_rows[i].with & ~with) ||
            !slice_eq_nocase(name, slice_str(param_rows[i].name)))
            continue;
        if (params->seen & 1u << i)
            return STATUS_PARAMETERS;
        params->seen |= 1u << i;
        return param_rows[i].read(value, params);
    }
    return STATUS_PARAMETER_UNSUPPORTED;
}

static enum status
parse_params(struct slice rest, enum smtp_verb verb, unsigned with, struct smtp_params *params)
{
    struct slice word;
    while (slice_cut(&rest, ' ', &word)) {
        if (word.n == 0)
            continue;
        if (++params->count > LIMIT_SMTP_PARAMETERS)
            return STATUS_PARAMETERS;
        enum status s = parse_param(word, verb, with, params);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

/* ---- arguments ---- */

/* The path and what follows. UTF-8 is read here and judged by the caller, who knows the parameters. */
static enum status parse_path(
    struct slice *rest, struct slice keyword, unsigned allow, enum status malformed, struct address *ret_path)
{
    if (!slice_starts_nocase(*rest, keyword))
        return STATUS_SYNTAX;
    struct slice more = trim_blanks(slice_from(*rest, keyword.n)); /* a blank behind the colon is forgiven */
    enum err e = address_take_path(&more, allow | ADDRESS_ALLOW_UTF8 | ADDRESS_ALLOW_LITERAL, ret_path);
    if (e != OK)
        return e == ERR_UNSUPPORTED ? STATUS_SOURCE_ROUTE : malformed;
    if (more.n && more.p[0] != ' ')
        return malformed;
    *rest = more;
    return STATUS_OK;
}

static enum status parse_mail(struct slice rest, unsigned with, struct smtp_command *c)
{
    bool plain = ascii_is_all(rest);
    enum status s = parse_path(&rest, S("FROM:"), ADDRESS_ALLOW_NULL, STATUS_SENDER_SYNTAX, &c->path);
    if (s != STATUS_OK) /* where the parameters start is not known then */
        return plain || slice_ends_nocase(trim_blanks(rest), S(" SMTPUTF8")) ? s : STATUS_UTF8_NEEDED;
    s = parse_params(rest, SMTP_MAIL, with, &c->params);
    if (s == STATUS_OK && c->path.is_utf8 && !c->params.smtputf8)
        return STATUS_UTF8_NEEDED;
    return s;
}

static enum status parse_rcpt(struct slice rest, unsigned with, struct smtp_command *c)
{
    bool plain = ascii_is_all(rest) || (with & SMTP_WITH_UTF8);
    enum status s = parse_path(&rest, S("TO:"), ADDRESS_ALLOW_POSTMASTER, STATUS_RECIPIENT_SYNTAX, &c->path);
    if (s != STATUS_OK)
        return plain ? s : STATUS_UTF8_NEEDED;
    if (c->path.is_utf8 && !(with & SMTP_WITH_UTF8))
        return STATUS_UTF8_NEEDED;
    return parse_params(rest, SMTP_RCPT, with, &c->params);
}

/* Shown in the Received field and in logs, scored, never trusted: any word of printable ASCII (T-039). */
static enum status parse_domain(struct slice rest, struct smtp_command *c)
{
    c->text = trim_blanks(rest);
    if (c->text.n == 0 || c->text.n > LIMIT_DOMAIN)
        return STATUS_SYNTAX;
    for (size_t i = 0; i < c->text.n; i++)
        if (c->text.p[i] <= ' ' || c->text.p[i] > '~')
            return STATUS_SYNTAX;
    return STATUS_OK;
}

static enum status parse_bdat(struct slice rest, struct smtp_command *c)
{
    struct slice more = trim_blanks(rest), size;
    if (more.n == 0 || !slice_cut(&more, ' ', &size) || slice_to_u64(size, CHUNK_MAX, &c->chunk) != OK)
        return STATUS_PARAMETERS;
    c->last = more.p != NULL;
    return c->last && !slice_eq_nocase(trim_blanks(more), S("LAST")) ? STATUS_PARAMETERS : STATUS_OK;
}

static enum status parse_sasl(struct slice rest, struct smtp_command *c)
{
    struct slice more = trim_blanks(rest);
    if (more.n == 0 || !slice_cut(&more, ' ', &c->text))
        return STATUS_SYNTAX;
    c->has_initial = more.p != NULL;
    c->initial = more;
    return c->has_initial && (more.n == 0 || slice_has(more, ' ')) ? STATUS_SYNTAX : STATUS_OK;
}

static enum status parse_args(struct slice rest, unsigned with, struct smtp_command *c)
{
    switch (c->row->args) {
    case SMTP_ARGS_NONE:
        return trim_blanks(rest).n ? STATUS_PARAMETERS : STATUS_OK;
    case SMTP_ARGS_ANY:
        c->text = rest;
        return STATUS_OK;
    case SMTP_ARGS_DOMAIN:
        return parse_domain(rest, c);
    case SMTP_ARGS_MAIL:
        return parse_mail(rest, with, c);
    case SMTP_ARGS_RCPT:
        return parse_rcpt(rest, with, c);
    case SMTP_ARGS_BDAT:
        return parse_bdat(rest, c);
    case SMTP_ARGS_SASL:
        return parse_sasl(rest, c);
    }
    return STATUS_SYNTAX;
}

enum status smtp_command_parse(
    const struct line *line, unsigned with, const struct smtp_row **ret_row, struct smtp_command *ret_command)
{
    struct slice rest = line->text, name = SLICE_EMPTY;
    struct smtp_command command = {.row = NULL};
    if (slice_cut(&rest, ' ', &name))
        command.row = find_row(name);
    if (ret_row)
        *ret_row = command.row;
    if (line->bare)
        return STATUS_BARE_LINE_END;
    if (line->dirty)
        return STATUS_SYNTAX;
    if (!command.row)
        return STATUS_UNKNOWN_COMMAND;
    enum status s = parse_args(rest, with, &command);
    if (s == STATUS_OK)
        *ret_command = command;
    return s;
}

bool smtp_is_foreign(struct slice input)
{
    static const struct slice starts[] = {
        {"\x16\x03", 2}, /* a TLS handshake record */
        {"\x03\x00", 2}, /* TPKT: RDP and its cookie */
        {"SSH-", 4},     {"GET ", 4},     {"POST ", 5},  {"HEAD ", 5},  {"PUT ", 4},         {"OPTIONS ", 8},
        {"DELETE ", 7},  {"CONNECT ", 8}, {"PATCH ", 6}, {"TRACE ", 6}, {"PRI * HTTP/", 11},
    };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (slice_starts(input, starts[i]))
            return true;
    return false;
}

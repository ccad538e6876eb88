#include "imap/wire/write.h"

#include <assert.h>

#include "base/limits.h"
#include "imap/wire/literal.h"
#include "imap/wire/mutf7.h"
#include "mail/date.h"

enum { QUOTED_MAX = 1000 /* octets; longer strings go as literals */ };

static const char *const code_names[] = {
    [IMAP_CODE_NONE] = "",
    [IMAP_CODE_ALERT] = "ALERT",
    [IMAP_CODE_ALREADYEXISTS] = "ALREADYEXISTS",
    [IMAP_CODE_AUTHENTICATIONFAILED] = "AUTHENTICATIONFAILED",
    [IMAP_CODE_AUTHORIZATIONFAILED] = "AUTHORIZATIONFAILED",
    [IMAP_CODE_CANNOT] = "CANNOT",
    [IMAP_CODE_CLIENTBUG] = "CLIENTBUG",
    [IMAP_CODE_CLOSED] = "CLOSED",
    [IMAP_CODE_CORRUPTION] = "CORRUPTION",
    [IMAP_CODE_EXPIRED] = "EXPIRED",
    [IMAP_CODE_EXPUNGEISSUED] = "EXPUNGEISSUED",
    [IMAP_CODE_HASCHILDREN] = "HASCHILDREN",
    [IMAP_CODE_LIMIT] = "LIMIT",
    [IMAP_CODE_NOMODSEQ] = "NOMODSEQ",
    [IMAP_CODE_NONEXISTENT] = "NONEXISTENT",
    [IMAP_CODE_NOPERM] = "NOPERM",
    [IMAP_CODE_OVERQUOTA] = "OVERQUOTA",
    [IMAP_CODE_PARSE] = "PARSE",
    [IMAP_CODE_PRIVACYREQUIRED] = "PRIVACYREQUIRED",
    [IMAP_CODE_READ_ONLY] = "READ-ONLY",
    [IMAP_CODE_READ_WRITE] = "READ-WRITE",
    [IMAP_CODE_TOOBIG] = "TOOBIG",
    [IMAP_CODE_TRYCREATE] = "TRYCREATE",
    [IMAP_CODE_UIDNOTSTICKY] = "UIDNOTSTICKY",
    [IMAP_CODE_UNAVAILABLE] = "UNAVAILABLE",
    [IMAP_CODE_UNKNOWN_CTE] = "UNKNOWN-CTE",
    [IMAP_CODE_USEATTR] = "USEATTR",
};
static_assert(sizeof code_names / sizeof *code_names == IMAP_CODE_N, "a response code without a name");

static const char *const status_names[] = {
    [IMAP_OK] = "OK", [IMAP_NO] = "NO", [IMAP_BAD] = "BAD", [IMAP_BYE] = "BYE", [IMAP_PREAUTH] = "PREAUTH"};

static void put_resp(struct buf *out, enum imap_status status, enum imap_code code, const char *text)
{
    buf_put_char(out, ' ');
    buf_put_str(out, status_names[status]);
    if (code != IMAP_CODE_NONE) {
        buf_put(out, S(" ["));
        buf_put_str(out, code_names[code]);
        buf_put_char(out, ']');
    }
    buf_put_char(out, ' ');
    buf_put_str(out, text);
    buf_put(out, S("\r\n"));
}

void imap_put_tagged(
    struct buf *out, struct slice tag, enum imap_status status, enum imap_code code, const char *text)
{
    buf_put(out, tag);
    put_resp(out, status, code, text);
}

void imap_put_untagged(struct buf *out, enum imap_status status, enum imap_code code, const char *text)
{
    buf_put_char(out, '*');
    put_resp(out, status, code, text);
}

void imap_put_continue(struct buf *out, struct slice text)
{
    buf_put(out, S("+ "));
    buf_put(out, text);
    buf_put(out, S("\r\n"));
}

void imap_put_literal_size(struct buf *out, uint64_t n)
{
    buf_put_char(out, '{');
    buf_put_u64(out, n);
    buf_put(out, S("}\r\n"));
}

/* What a quoted string may hold (RFC 3501 9, QUOTED-CHAR), and how many octets need a backslash. */
static bool fits_quoted(struct slice s, size_t *ret_escapes)
{
    size_t escapes = 0;
    if (s.n > QUOTED_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == 0 || c == '\r' || c == '\n' || c >= 0x80)
            return false;
        escapes += c == '"' || c == '\\';
    }
    *ret_escapes = escapes;
    return true;
}

static void put_quoted(struct buf *out, struct slice s, size_t escapes)
{
    char *at = buf_reserve(out, s.n + escapes + 2);
    if (!at)
        return;
    *at++ = '"';
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            *at++ = '\\';
        *at++ = s.p[i];
    }
    *at = '"';
    buf_added(out, s.n + escapes + 2);
}

static void put_literal(struct buf *out, struct slice s)
{
    imap_put_literal_size(out, s.n);
    size_t start = out->n;
    buf_put(out, s);
    /* A literal holds no NUL (CHAR8); 0x80 is what remains of one. */
    for (char *nul; out->n > start && (nul = memchr(out->p + start, 0, out->n - start));)
        *nul = (char)0x80;
}

void imap_put_string(struct buf *out, struct slice s)
{
    size_t escapes;
    if (fits_quoted(s, &escapes))
        put_quoted(out, s, escapes);
    else
        put_literal(out, s);
}

void imap_put_nstring(struct buf *out, struct slice s)
{
    if (s.p)
        imap_put_string(out, s);
    else
        buf_put(out, S("NIL"));
}

static bool is_atom(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!imap_is_astring_char(s.p[i]))
            return false;
    return s.n > 0 && !slice_eq_nocase(s, S("NIL"));
}

void imap_put_astring(struct buf *out, struct slice s)
{
    if (is_atom(s))
        buf_put(out, s);
    else
        imap_put_string(out, s);
}

/* UTF-8 in quotes, where the session enabled it (RFC 6855 3). Names hold no control characters. */
static void put_utf8_name(struct buf *out, struct slice name)
{
    buf_put_char(out, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"' || name.p[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, name.p[i]);
    }
    buf_put_char(out, '"');
}

void imap_put_mailbox(struct buf *out, struct slice utf8, bool as_utf8)
{
    if (is_atom(utf8) && !slice_has(utf8, '&')) {
        buf_put(out, utf8);
    } else if (as_utf8) {
        put_utf8_name(out, utf8);
    } else {
        struct buf name = BUF_INIT(4 * LIMIT_MAILBOX_NAME);
        IGNORE(imap_mutf7_put(&name, utf8), "names are valid UTF-8 and bounded by the store");
        imap_put_astring(out, buf_slice(&name));
        buf_done(&name);
    }
}

void imap_put_date_time(struct buf *out, int64_t unix_seconds)
{
    buf_put_char(out, '"');
    date_put_internal(out, unix_seconds, 0);
    buf_put_char(out, '"');
}

enum { PRE = 1, POST = 2 };
static const struct {
    const char *name;
    unsigned when;
} caps[] = {
#define CAP(name, when, rfc) {name, when},
#include "imap/wire/caps.def"
#undef CAP
};

void imap_put_capabilities(struct buf *out, unsigned which, const struct slice *mechanisms, size_t n)
{
    unsigned when = which & IMAP_CAPS_PREAUTH ? PRE : POST;
    buf_put(out, S("CAPABILITY"));
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        if (!(caps[i].when & when))
            continue;
        buf_put_char(out, ' ');
        buf_put_str(out, caps[i].name);
    }
    if (which & IMAP_CAPS_STARTTLS)
        buf_put(out, S(" STARTTLS"));
    if (which & IMAP_CAPS_NO_LOGIN)
        buf_put(out, S(" LOGINDISABLED"));
    for (size_t i = 0; i < n; i++) {
        buf_put(out, S(" AUTH="));
        buf_put(out, mechanisms[i]);
    }
}

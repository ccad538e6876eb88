#include "pop3/wire/reply.h"

#include <assert.h>

static const char *const code_name[] = {
    [POP3_NO_CODE] = "",
    [POP3_CODE_AUTH] = "[AUTH] ",
    [POP3_CODE_IN_USE] = "[IN-USE] ",
    [POP3_CODE_SYS_TEMP] = "[SYS/TEMP] ",
    [POP3_CODE_SYS_PERM] = "[SYS/PERM] ",
    [POP3_CODE_UTF8] = "[UTF8] ",
};
static_assert(sizeof code_name / sizeof *code_name == POP3_CODES, "a code without a name");

static void put_line(struct buf *out, const char *status, const char *code, struct slice text)
{
    assert(!slice_has(text, '\r') && !slice_has(text, '\n'));
    buf_put_str(out, status);
    buf_put_str(out, code);
    buf_put(out, text);
    buf_put(out, S("\r\n"));
}

void pop3_put_ok(struct buf *out, const char *text)
{
    put_line(out, "+OK ", "", slice_str(text));
}

void pop3_put_err(struct buf *out, enum pop3_code code, const char *text)
{
    assert(code < POP3_CODES);
    put_line(out, "-ERR ", code_name[code], slice_str(text));
}

void pop3_put_challenge(struct buf *out, struct slice base64)
{
    put_line(out, "+ ", "", base64);
}

void pop3_put_end(struct buf *out)
{
    buf_put(out, S(".\r\n"));
}

void pop3_put_capa(struct buf *out, const struct pop3_offer *offer)
{
    pop3_put_ok(out, "here is what we can do");
    buf_put(out, S("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n"));
    if (!offer->signed_in && offer->secrets)
        buf_put(out, S("USER\r\n"));
    if (!offer->signed_in && offer->mechanisms.n)
        put_line(out, "SASL ", "", offer->mechanisms);
    if (!offer->signed_in && offer->stls)
        buf_put(out, S("STLS\r\n"));
    /* RFC 6856 2.1: the USER argument says that names and passwords may be UTF-8. */
    buf_put(out, S("UTF8 USER\r\nIMPLEMENTATION Letterlock\r\n"));
    pop3_put_end(out);
}

void pop3_stuffer_feed(struct pop3_stuffer *st, struct slice content, struct buf *out)
{
    while (content.n) {
        if (st->at == POP3_LINE_START && content.p[0] == '.')
            buf_put_char(out, '.');
        size_t lf = slice_find(content, '\n');
        size_t n = lf == SLICE_NPOS ? content.n : lf + 1;
        buf_put(out, slice_sub(content, 0, n));
        char last = content.p[n - 1];
        bool crlf = last == '\n' && (n > 1 ? content.p[n - 2] == '\r' : st->at == POP3_LINE_CR);
        st->bare_lf = last == '\n' && !crlf;
        st->at = last == '\n' ? POP3_LINE_START : last == '\r' ? POP3_LINE_CR : POP3_LINE_INSIDE;
        content = slice_from(content, n);
    }
}

void pop3_stuffer_end(struct pop3_stuffer *st, struct buf *out)
{
    if (st->at != POP3_LINE_START || st->bare_lf)
        buf_put(out, S("\r\n"));
    pop3_put_end(out);
}

fallible pop3_reply_parse(struct slice line, struct pop3_reply *ret_reply)
{
    static const struct {
        const char *status;
        int kind;
    } kinds[] = {{"+OK", POP3_REPLY_OK}, {"-ERR", POP3_REPLY_ERR}, {"+", POP3_REPLY_CHALLENGE}};
    struct slice rest = line, status;
    if (slice_has(line, '\0') || slice_has(line, '\r') || slice_has(line, '\n') ||
        !slice_cut(&rest, ' ', &status))
        return ERR_SYNTAX;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!slice_eq_nocase(status, slice_str(kinds[i].status)))
            continue;
        struct pop3_reply reply = {.kind = kinds[i].kind, .text = rest};
        size_t close = rest.n && rest.p[0] == '[' ? slice_find(rest, ']') : SLICE_NPOS;
        if (reply.kind != POP3_REPLY_CHALLENGE && close != SLICE_NPOS) {
            reply.code = slice_sub(rest, 1, close - 1);
            reply.text = slice_trim(slice_from(rest, close + 1));
        }
        *ret_reply = reply;
        return OK;
    }
    return ERR_SYNTAX;
}

#include "mail/message.h"

#include "base/encode.h"
#include "base/utf8.h"
#include "mail/date.h"

void message_lines_init(struct message_lines *l)
{
    *l = (struct message_lines){.after_cr = false};
}

/* One octet that is a CR or LF, or the first behind a CR. */
static void lines_octet(struct message_lines *l, char c, struct buf *out)
{
    if (l->after_cr) {
        l->after_cr = false;
        buf_put(out, S("\r\n"));
        if (c == '\n')
            return;
        l->changed = true;
    }
    if (c == '\r')
        l->after_cr = true;
    else if (c == '\n') {
        buf_put(out, S("\r\n"));
        l->changed = true;
    } else
        buf_put_char(out, c);
}

void message_lines_feed(struct message_lines *l, struct slice in, struct buf *out)
{
    for (size_t i = 0; i < in.n;) {
        size_t run = i;
        if (!l->after_cr)
            while (run < in.n && in.p[run] != '\r' && in.p[run] != '\n')
                run++;
        buf_put(out, slice_of(in.p + i, run - i));
        if (run < in.n)
            lines_octet(l, in.p[run++], out);
        i = run;
    }
}

void message_lines_finish(struct message_lines *l, struct buf *out)
{
    if (!l->after_cr)
        return;
    l->after_cr = false;
    l->changed = true;
    buf_put(out, S("\r\n"));
}

/* Text of a peer inside a clause: nothing in it ends a field, a clause or a comment. */
static void put_harmless(struct buf *out, struct slice s)
{
    while (s.n) {
        uint32_t code = 0;
        size_t used = utf8_decode(s, &code);
        bool fine = used && code > ' ' && !(code >= 0x7f && code < 0xa0) && code != '(' && code != ')' &&
                    code != '\\' && code != ';' && code != 0x2028 && code != 0x2029;
        buf_put(out, fine ? slice_sub(s, 0, used) : S("?"));
        s = slice_from(s, used ? used : 1);
    }
}

static void put_clause(struct buf *out, const char *word, struct slice value)
{
    if (value.n == 0)
        return;
    buf_put_str(out, word);
    put_harmless(out, value);
}

/* "TLS1.3 TLS_AES_256_GCM_SHA384" keeps its blank. */
static void put_comment(struct buf *out, struct slice text)
{
    struct slice word;
    buf_put(out, S("\r\n\t("));
    for (bool first = true; slice_cut(&text, ' ', &word); first = false) {
        if (!first)
            buf_put_char(out, ' ');
        put_harmless(out, word);
    }
    buf_put_char(out, ')');
}

void message_put_received(struct buf *out, const struct message_received *r)
{
    buf_put(out, S("Received: from "));
    put_harmless(out, r->helo.n ? r->helo : S("unknown"));
    if (r->name.n || r->address.n) {
        buf_put(out, S(" ("));
        put_harmless(out, r->name);
        if (r->address.n) {
            buf_put(out, r->name.n ? S(" [") : S("["));
            if (slice_has(r->address, ':'))
                buf_put(out, S("IPv6:"));
            put_harmless(out, r->address);
            buf_put_char(out, ']');
        }
        buf_put_char(out, ')');
    }
    if (r->cipher.n)
        put_comment(out, r->cipher);
    put_clause(out, "\r\n\tby ", r->by);
    put_clause(out, " with ", r->protocol);
    put_clause(out, " id ", r->id);
    if (r->for_address.n) {
        buf_put(out, S("\r\n\tfor <"));
        put_harmless(out, r->for_address);
        buf_put_char(out, '>');
    }
    buf_put(out, S(";\r\n\t"));
    date_put(out, r->when_unix_s, 0);
    buf_put(out, S("\r\n"));
}

const char *message_protocol(bool is_esmtp, bool is_utf8, bool is_tls, bool is_signed_in)
{
    static const char *const names[] = {"ESMTP", "ESMTPA", "ESMTPS", "ESMTPSA"};
    static const char *const utf8_names[] = {"UTF8SMTP", "UTF8SMTPA", "UTF8SMTPS", "UTF8SMTPSA"};
    if (!is_esmtp)
        return "SMTP";
    return (is_utf8 ? utf8_names : names)[(is_tls ? 2 : 0) + (is_signed_in ? 1 : 0)];
}

void message_put_date(struct buf *out, int64_t unix_s)
{
    buf_put(out, S("Date: "));
    date_put(out, unix_s, 0);
    buf_put(out, S("\r\n"));
}

void message_put_message_id(struct buf *out, struct slice random, struct slice domain)
{
    buf_put(out, S("Message-ID: <"));
    hex_put(out, random);
    buf_put_char(out, '@');
    put_harmless(out, domain);
    buf_put(out, S(">\r\n"));
}

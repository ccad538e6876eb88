/* redact_note.c - the words in place of an attachment, in the languages of accounts. */
#include <stdio.h>

#include "base/utf8.h"
#include "mail/redact.h"

enum { NAME_MAX_OCTETS = 120, TYPE_MAX_OCTETS = 60, NOTE_MAX = 4096 };

struct words {
    const char *named, *unnamed, *message; /* what is left out */
    const char *because[REDACT_WHYS];
    const char *is_signed;
};
static const struct words words[REDACT_LANGUAGES] = {
    [REDACT_ENGLISH] =
        {.named = "The attachment \"%.*s\" (%.*s, %s) is left out: ",
         .unnamed = "An attachment%.*s (%.*s, %s) is left out: ",
         .message = "The content of this message%.*s (%.*s, %s) is left out: ",
         .because =
             {[REDACT_ANY] = "this password does not open attachments.",
              [REDACT_TYPE] = "this password does not open attachments of this type.",
              [REDACT_SIZE] = "this password does not open attachments of this size.",
              [REDACT_UNCLEAR] = "mail programs may read it differently, and this password does not open all "
                                 "attachments."},
         .is_signed = " The digital signature of the message can therefore not be checked."},
    [REDACT_CHINESE] =
        {.named = "附件“%.*s”（%.*s，%s）未显示：",
         .unnamed = "一个附件%.*s（%.*s，%s）未显示：",
         .message = "此邮件的内容%.*s（%.*s，%s）未显示：",
         .because =
             {[REDACT_ANY] = "此密码不能打开附件。",
              [REDACT_TYPE] = "此密码不能打开此类型的附件。",
              [REDACT_SIZE] = "此密码不能打开这么大的附件。",
              [REDACT_UNCLEAR] = "不同的邮件程序可能有不同的解读，而此密码不能打开所有附件。"},
         .is_signed = "因此无法验证邮件的数字签名。"},
};

/* ---- foreign text ---- */

/* Whole characters of `clean`, as many as fit. */
static void put_short(struct buf *out, struct slice clean, size_t most)
{
    size_t end = out->n + most;
    while (clean.n) {
        uint32_t code;
        size_t n = utf8_decode(clean, &code);
        if (n == 0 || out->n + n > end)
            return;
        if (!utf8_is_unsafe(code)) /* it could make a name look like another */
            buf_put(out, slice_sub(clean, 0, n));
        clean = slice_from(clean, n);
    }
}

/* At most as many parameters as a field may have. */
static void take_params(struct structure_params walk, struct arena *mem, struct header_params *ret_params)
{
    struct header_param *items = arena_array(mem, walk.count + 1, sizeof *items);
    size_t n = 0;
    while (items && structure_param_next(&walk, &items[n]) == OK)
        n++;
    ret_params->items = items;
    ret_params->count = n;
}

static void put_name(struct buf *out, const struct redact_rules *rules, const struct structure_part *part)
{
    struct arena mem CLEANUP_ARENA = ARENA_INIT(4 * LIMIT_MIME_PARAMETERS * sizeof(struct header_param));
    struct buf name CLEANUP_BUF = BUF_INIT(8 * LIMIT_HEADER_FIELD);
    struct buf clean CLEANUP_BUF = BUF_INIT(8 * LIMIT_HEADER_FIELD);
    struct header_params type = {.count = 0}, disposition = {.count = 0};
    take_params(part->params, &mem, &type);
    take_params(part->disposition_params, &mem, &disposition);
    if (mime_put_file_name(rules->charsets, &type, &disposition, &name))
        header_put_clean(&clean, buf_slice(&name));
    put_short(out, slice_trim(buf_slice(&clean)), NAME_MAX_OCTETS);
}

static void put_ascii(struct buf *out, struct slice s, size_t most)
{
    for (size_t i = 0; i < s.n && i < most; i++)
        buf_put_char(out, s.p[i] > ' ' && s.p[i] < 0x7f ? ascii_lower(s.p[i]) : '?');
}

/* ---- the note ---- */

static const char *size_text(uint64_t size, char text[32])
{
    static const char *const units[] = {"KB", "MB", "GB"};
    unsigned unit = 0;
    if (size < 1024) {
        snprintf(text, 32, "%u B", (unsigned)size);
        return text;
    }
    uint64_t tenths = size * 10 / 1024;
    for (; tenths >= 10240 && unit < 2; unit++)
        tenths /= 1024;
    snprintf(text, 32, "%u.%u %s", (unsigned)(tenths / 10), (unsigned)(tenths % 10), units[unit]);
    return text;
}

static void put_words(struct buf *out, const struct redact_rules *rules, const struct redact_note *note)
{
    const struct words *w = &words[rules->language];
    struct buf name CLEANUP_BUF = BUF_INIT(NAME_MAX_OCTETS);
    struct buf type CLEANUP_BUF = BUF_INIT(2 * TYPE_MAX_OCTETS + 1);
    char size[32];
    if (note->why != REDACT_UNCLEAR)
        put_name(&name, rules, note->of);
    put_ascii(&type, note->of->type, TYPE_MAX_OCTETS);
    buf_put_char(&type, '/');
    put_ascii(&type, note->of->subtype, TYPE_MAX_OCTETS);
    const char *what = note->why == REDACT_UNCLEAR ? w->message : name.n ? w->named : w->unnamed;
    buf_put_char(out, '[');
    buf_printf(
        out, what, SLICE_ARG(buf_slice(&name)), SLICE_ARG(buf_slice(&type)), size_text(note->size, size));
    buf_put_str(out, w->because[note->why]);
    if (note->is_signed)
        buf_put_str(out, w->is_signed);
    buf_put_char(out, ']');
}

static const struct header_param charset_ascii = {.name = S("charset"), .value = S("us-ascii")},
                                 charset_utf8 = {.name = S("charset"), .value = S("utf-8")};

static uint64_t count_lines(struct slice s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

void redact_put_note(
    struct buf *out, const struct redact_rules *rules, const struct redact_note *note,
    struct mime_part *ret_part)
{
    struct buf text CLEANUP_BUF = BUF_INIT(NOTE_MAX);
    put_words(&text, rules, note);
    bool is_ascii = ascii_is_all(buf_slice(&text));
    const struct header_param *charset = is_ascii ? &charset_ascii : &charset_utf8;
    struct slice encoding = is_ascii ? S("7bit") : S("base64");
    size_t start = out->n;
    if (note->needs_version)
        buf_put(out, S("MIME-Version: 1.0\r\n"));
    buf_printf(
        out,
        "Content-Type: text/plain; charset=%.*s\r\nContent-Transfer-Encoding: %.*s\r\n"
        "Content-Disposition: inline\r\n\r\n",
        SLICE_ARG(charset->value), SLICE_ARG(encoding));
    size_t body = out->n;
    if (is_ascii) {
        buf_put(out, buf_slice(&text));
        buf_put(out, S("\r\n"));
    } else {
        encoding_put_base64(out, buf_slice(&text));
    }
    if (!note->ends_message && !out->failed)
        out->n -= 2;
    *ret_part = (struct mime_part){
        .kind = MIME_TEXT,
        .encoding = is_ascii ? ENCODING_7BIT : ENCODING_BASE64,
        .body_start = body - start,
        .body_end = out->n - start,
        .body_lines = count_lines(slice_from(buf_slice(out), body)),
        .type = {.type = S("text"), .subtype = S("plain"), .items = charset, .count = 1},
        .transfer_encoding = encoding,
        .disposition = {.type = S("inline")}};
}

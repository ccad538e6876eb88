/* SMTP command lines with every combination of what was negotiated, and reply lines of a peer. */
#include <stdlib.h>

#include "smtp/wire/command.h"
#include "smtp/wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct slice part, struct slice whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

/* What must hold for any line that was taken. */
static void check_command(const struct line *line, unsigned with, const struct smtp_command *c)
{
    if (line->bare || line->dirty || !is_inside(c->text, line->text) || !is_inside(c->initial, line->text))
        abort();
    if (c->path.is_utf8 && c->row->verb == SMTP_MAIL && !c->params.smtputf8)
        abort();
    if (c->path.is_utf8 && c->row->verb == SMTP_RCPT && !(with & SMTP_WITH_UTF8))
        abort();
    if (c->row->verb == SMTP_RCPT && address_is_null(&c->path))
        abort();
    if (c->chunk > UINT32_MAX || c->params.count > LIMIT_SMTP_PARAMETERS)
        abort();
}

static void fuzz_lines(struct slice input, unsigned with)
{
    struct line line;
    while (line_find(input, smtp_line_limit(input), &line) == OK) {
        const struct smtp_row *row;
        struct smtp_command command;
        enum status s = smtp_command_parse(&line, with, &row, &command);
        if (s == STATUS_OK)
            check_command(&line, with, &command);
        else if (status_info(s)->basic < 500)
            abort();
        struct buf out CLEANUP_BUF = BUF_INIT(1024);
        smtp_put_quoted(&out, s, line.text);
        if (out.failed || slice_find(buf_slice(&out), '\r') != out.n - 2)
            abort();
        input = slice_from(input, line.used);
    }
}

static void fuzz_reply(struct slice input)
{
    struct smtp_reply_reader reader;
    smtp_reply_reader_init(&reader);
    struct slice line;
    while (slice_cut(&input, '\n', &line)) {
        enum err e = smtp_reply_reader_feed(&reader, line);
        if (e == ERR_AGAIN)
            continue;
        if (e == OK && (reader.code < 200 || reader.code > 599 || !reader.last))
            abort();
        buf_done(&reader.text);
        smtp_reply_reader_init(&reader);
    }
    buf_done(&reader.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice input = slice_of(data + 1, size - 1);
    fuzz_lines(input, data[0] & 3);
    fuzz_reply(input);
    return 0;
}

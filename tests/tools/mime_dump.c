/* mime_dump.c - prints what mail/ makes of a message, one JSON object a line, for tests/protocol/test_mail_reference.py.
 *
 *   mime_dump FILE STEP       the row is made by feeding STEP octets at a time, and read back
 *   mime_dump --table FILE    a line for each line of FILE: date, address list and header text of its value
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/structure.h"

static void put_string(struct buf *out, struct slice s)
{
    buf_put_char(out, '"');
    hex_put(out, s);
    buf_put_char(out, '"');
}

static void put_named(struct buf *out, const char *name, struct slice s)
{
    buf_printf(out, ",\"%s\":", name);
    if (s.p)
        put_string(out, s);
    else
        buf_put_str(out, "null");
}

static void put_params(struct buf *out, struct charsets *cs, struct structure_params params)
{
    struct header_param param;
    const char *comma = "";
    buf_put_char(out, '[');
    while (structure_param_next(&params, &param) == OK) {
        CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
        header_param_put_text(cs, &param, &text);
        buf_put_str(out, comma);
        buf_put_char(out, '[');
        put_string(out, param.name);
        buf_put_char(out, ',');
        put_string(out, buf_slice(&text));
        buf_put_char(out, ']');
        comma = ",";
    }
    buf_put_char(out, ']');
}

static void put_decoded(struct buf *out, const struct structure_part *part, struct slice message)
{
    CLEANUP_BUF struct buf body = BUF_INIT(LIMIT_MESSAGE);
    struct encoding_decoder d;
    encoding_decoder_init(&d, (enum encoding)part->encoding);
    encoding_decoder_feed(&d, slice_sub(message, part->body_start, part->body_end - part->body_start), &body);
    encoding_decoder_finish(&d, &body);
    buf_printf(out, ",\"odd\":%d", d.ambiguous);
    put_named(out, "decoded", buf_slice(&body));
}

static void
put_part(struct buf *out, struct charsets *cs, const struct structure_part *part, struct slice message)
{
    buf_printf(
        out,
        "{\"depth\":%d,\"kind\":%d,\"flags\":%u,\"children\":%u,\"header\":%llu,\"body\":%llu,\"end\":%llu,"
        "\"lines\":%llu",
        part->depth, part->kind, part->flags, part->children, (unsigned long long)part->header_start,
        (unsigned long long)part->body_start, (unsigned long long)part->body_end,
        (unsigned long long)part->body_lines);
    put_named(out, "type", part->type);
    put_named(out, "subtype", part->subtype);
    put_named(out, "id", part->id);
    put_named(out, "encoding", part->transfer_encoding);
    put_named(out, "disposition", part->disposition);
    buf_put_str(out, ",\"params\":");
    put_params(out, cs, part->params);
    buf_put_str(out, ",\"disposition_params\":");
    put_params(out, cs, part->disposition_params);
    if (part->children == 0)
        put_decoded(out, part, message);
    buf_put_char(out, '}');
}

static void put_items(struct buf *out, struct charsets *cs, struct structure_addresses walk)
{
    struct address_item item;
    const char *comma = "";
    buf_put_char(out, '[');
    while (structure_address_next(&walk, &item) == OK) {
        CLEANUP_BUF struct buf name = BUF_INIT(1 << 20);
        header_decode_text(cs, item.name, &name);
        buf_printf(out, "%s{\"kind\":%d", comma, item.kind);
        put_named(out, "name", buf_slice(&name));
        put_named(out, "local", item.local);
        put_named(out, "domain", item.domain);
        buf_put_char(out, '}');
        comma = ",";
    }
    buf_put_char(out, ']');
}

static fallible put_envelope(struct buf *out, struct charsets *cs, struct slice row)
{
    static const char *const names[] = {"date", "subject", "from", "sender",      "reply-to",
                                        "to",   "cc",      "bcc",  "in-reply-to", "message-id"};
    struct structure_envelope e;
    TRY(structure_envelope_read(row, &e));
    buf_put_str(out, "{\"version\":1");
    for (int i = 0; i < ENVELOPE_FIELDS; i++) {
        if (ENVELOPE_HAS_ADDRESSES(i)) {
            buf_printf(out, ",\"%s\":", names[i]);
            put_items(out, cs, e.addresses[i]);
            continue;
        }
        CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
        header_decode_text(cs, e.raw[i], &text);
        put_named(out, names[i], e.raw[i].p ? buf_slice(&text) : SLICE_EMPTY);
    }
    buf_put_char(out, '}');
    return OK;
}

static fallible dump_message(struct charsets *cs, struct slice message, size_t step, struct buf *out)
{
    CLEANUP_BUF struct buf row = BUF_INIT(LIMIT_MIME_ARENA / 2);
    struct mime_parser *parser = mime_new();
    for (size_t at = 0; at < message.n; at += step)
        mime_feed(parser, slice_sub(message, at, step));
    enum err e = structure_put(&row, mime_finish(parser));
    mime_free(&parser);
    TRY(e);
    struct structure s;
    TRY(structure_open(buf_slice(&row), &s));
    TRY(structure_check(&s));
    buf_printf(out, "{\"size\":%llu,\"flags\":%u,\"envelope\":", (unsigned long long)s.size, s.flags);
    TRY(put_envelope(out, cs, s.envelope));
    buf_put_str(out, ",\"parts\":[");
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    structure_walk_start(&walk, &s);
    for (const char *comma = ""; event != STRUCTURE_END;) {
        TRY(structure_walk_next(&walk, &event, &part));
        if (event != STRUCTURE_ENTER)
            continue;
        buf_put_str(out, comma);
        put_part(out, cs, &part, message);
        comma = ",";
    }
    buf_put_str(out, "]}\n");
    return buf_check(out);
}

static void dump_line(struct charsets *cs, struct slice line, struct buf *out)
{
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    struct address_list list;
    struct mail_date date = {0, 0, false};
    bool is_date = date_parse(line, &date) == OK;
    header_decode_text(cs, line, &text);
    address_list_parse(line, &arena, &list);
    buf_printf(
        out, "{\"date\":%lld,\"is_date\":%d,\"invalid\":%d", (long long)date.unix_s, is_date, list.invalid);
    put_named(out, "text", buf_slice(&text));
    buf_put_str(out, ",\"addresses\":[");
    for (size_t i = 0; i < list.count; i++) {
        buf_printf(out, "%s{\"kind\":%d", i ? "," : "", list.items[i].kind);
        put_named(out, "local", list.items[i].local);
        put_named(out, "domain", list.items[i].domain);
        put_named(out, "name", list.items[i].name);
        buf_put_char(out, '}');
    }
    buf_put_str(out, "]}\n");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 64;
    bool is_table = strcmp(argv[1], "--table") == 0;
    CLEANUP_BUF struct buf in = BUF_INIT(LIMIT_MESSAGE), out = BUF_INIT(1 << 30);
    struct charsets *cs = NULL;
    FILE *file = fopen(is_table ? argv[2] : argv[1], "rb");
    char chunk[65536];
    if (!file || charsets_new(&cs, NULL) != OK)
        return 66;
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;)
        buf_put(&in, slice_of(chunk, n));
    fclose(file);
    enum err e = OK;
    struct slice rest = buf_slice(&in), line;
    size_t step = is_table ? 1 : strtoul(argv[2], NULL, 10);
    if (is_table)
        while (slice_cut(&rest, '\n', &line))
            dump_line(cs, line, &out);
    else
        e = dump_message(cs, buf_slice(&in), step ? step : SIZE_MAX / 2, &out);
    charsets_free(&cs);
    fwrite(out.p, 1, out.n, stdout);
    if (e != OK)
        fprintf(stderr, "%s\n", err_text(e));
    return e == OK ? 0 : 1;
}

/* A POP3 command line, a reply line, and the stuffer against its own undoing. */
#include <stdlib.h>

#include "base/line.h"
#include "pop3/wire/command.h"
#include "pop3/wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_lines(struct slice input)
{
    struct line line;
    while (line_find(input, 512, &line) == OK) {
        const struct pop3_row *row;
        struct pop3_command command = {0};
        enum err e = pop3_command_parse(line.text, &row, &command);
        if (e == OK && (command.row != row || (command.has_number && command.number == 0)))
            abort();
        if (e == OK && line.dirty)
            abort();
        struct pop3_reply reply;
        IGNORE(pop3_reply_parse(line.text, &reply), "any answer is right");
        input = slice_from(input, line.used);
    }
}

/* What a strict client reads back is the content, with CRLF added when it lacked one. */
static void fuzz_stuffer(struct slice content, size_t step)
{
    struct pop3_stuffer st = {0};
    struct buf out CLEANUP_BUF = BUF_INIT(POP3_STUFFED_MAX(content.n) + 16);
    for (size_t at = 0; at < content.n; at += step)
        pop3_stuffer_feed(&st, slice_sub(content, at, step), &out);
    pop3_stuffer_end(&st, &out);
    struct slice rest = buf_slice(&out);
    if (out.failed || !slice_ends(rest, S(".\r\n")))
        abort();
    size_t at = 0;
    bool start = true;
    for (size_t i = 0; i + 3 < rest.n; i++) {
        if (start && rest.p[i] == '.') {
            start = false;
            if (rest.p[i + 1] != '.' && at < content.n && content.p[at] != '.')
                abort();
            continue;
        }
        if (at < content.n && rest.p[i] != content.p[at])
            abort();
        at++;
        start = rest.p[i] == '\n';
    }
    if (at < content.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct slice input = slice_of(data + 1, size - 1);
    fuzz_lines(input);
    fuzz_stuffer(input, 1 + data[0] % 7);
    return 0;
}

#include "cli/doctor_live.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf8.h"
#include "doctor/verdict.h"

enum { LIVE_COLUMNS = 78 };

void doctor_live_start(struct doctor_live *live, struct cli *c)
{
    const char *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;
    *live = (struct doctor_live){.c = c, .on = !c->json && isatty(STDERR_FILENO) && !dumb};
}

void doctor_live_clear(struct doctor_live *live)
{
    if (!live->drawn)
        return;
    IGNORE(file_write_all(STDERR_FILENO, S("\r\033[K")), "only the look");
    live->drawn = false;
}

/* As much of it as a line takes. */
static struct slice cut_to_line(struct slice text)
{
    size_t columns = 0, n = 0, used;
    for (; n < text.n; n += used) {
        uint32_t code = 0;
        used = utf8_decode(slice_from(text, n), &code);
        used = used ? used : 1;
        columns += lang_columns_of(code);
        if (columns > LIVE_COLUMNS)
            break;
    }
    return slice_sub(text, 0, n);
}

void doctor_live_told(void *owner, enum step step, const struct checked *server, size_t done, size_t total)
{
    struct doctor_live *live = owner;
    struct cli *c = live->c;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
    struct buf line CLEANUP_BUF = BUF_INIT(65536), shown CLEANUP_BUF = BUF_INIT(65536);
    if (!live->on)
        return;
    buf_put_str(&line, step_words(step, c->lang));
    if (server) {
        buf_put_str(&line, c->lang == LANG_ZH ? "：" : ": ");
        buf_put(&line, endpoint_label(&arena, &server->endpoint));
    }
    if (total && done)
        buf_printf(&line, " (%zu/%zu)", done, total);
    buf_put_str(&line, " ...");
    utf8_put_safe(&shown, buf_slice(&line));
    buf_clear(&line);
    buf_put_str(&line, "\r\033[K");
    buf_put(&line, cut_to_line(buf_slice(&shown)));
    IGNORE(file_write_all(STDERR_FILENO, buf_slice(&line)), "only the look");
    live->drawn = true;
}

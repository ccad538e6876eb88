#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { CELLS = 40, REDRAW_MS = 100 };

void progress_start(struct progress *p, struct cli *c)
{
    const char *term = getenv("TERM");
    *p = (struct progress){.on = !c->json && isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0)};
}

static void put(const struct buf *line)
{
    IGNORE(file_write_all(STDERR_FILENO, buf_slice(line)), "only the look");
}

void progress_show(struct progress *p, uint64_t done, uint64_t total)
{
    uint64_t now = clock_mono_ms();
    bool is_last = done >= total;
    if (!p->on || total == 0 || (p->drawn && !is_last && now - p->drawn_ms < REDRAW_MS))
        return;
    struct buf line CLEANUP_BUF = BUF_INIT(1024);
    uint64_t filled = is_last ? CELLS : done * CELLS / total;
    buf_put_str(&line, "\r[");
    for (uint64_t i = 0; i < CELLS; i++)
        buf_put_char(&line, i < filled ? '#' : '.');
    buf_printf(&line, "] %llu/%llu ", (unsigned long long)done, (unsigned long long)total);
    put(&line);
    p->drawn = true;
    p->drawn_ms = now;
}

void progress_end(struct progress *p)
{
    struct buf line CLEANUP_BUF = BUF_INIT(64);
    if (!p->drawn)
        return;
    buf_put_str(&line, "\r\033[K");
    put(&line);
    p->drawn = false;
}

/* talk.h - saying lines to the dialogue of world.h and looking at what it answered. */
#ifndef TESTS_SMTP_TALK_H
#define TESTS_SMTP_TALK_H

#include "cases.h"
#include "smtp/front/world.h"

#define LIT(s) (s), sizeof(s) - 1

/* The codes of all replies, last lines only: "220 250 354 554". */
static inline const char *codes(const struct fake *f)
{
    static char text[8192];
    size_t n = 0;
    struct slice rest = buf_slice(&f->out), line;
    text[0] = '\0';
    while (slice_cut(&rest, '\n', &line) && n + 8 < sizeof text)
        if (line.n > 3 && line.p[3] == ' ')
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%.3s", n ? " " : "", line.p);
    return text;
}

static inline bool said(const struct fake *f, const char *text)
{
    return slice_search(buf_slice(&f->out), slice_str(text)) != SLICE_NPOS;
}

static inline bool ends_with(const struct fake *f, const char *text)
{
    return slice_ends(buf_slice(&f->out), slice_str(text));
}

/* A command, alone in its segment. */
static inline void line(struct fake *f, const char *text)
{
    struct buf b CLEANUP_BUF = BUF_INIT(1 << 21);
    buf_put_str(&b, text);
    buf_put(&b, S("\r\n"));
    fake_send(f, buf_slice(&b), b.n);
}

static inline void to_data(struct fake *f)
{
    line(f, "EHLO a.test");
    line(f, "MAIL FROM:<s@their.test>");
    line(f, "RCPT TO:<bob@ours.test>");
    line(f, "DATA");
}

#endif

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"

/* The log sink: one of the two mutable statics of this program. */
static struct {
    const char *who;
    int fd;
    bool json;
    enum log_level least;
    void (*sink)(enum log_level, struct slice, void *);
    void *sink_arg;
} sink = {.who = "letterlock", .fd = 2, .least = LOG_INFO};

static const char *const level_name[] = {"debug", "info", "warning", "error"};
static_assert(sizeof level_name / sizeof *level_name == LOG_LEVELS, "a level without a name");

/* A line is built in place and written with one write(2), so that lines of several processes never mix. */
struct line {
    char text[4000];
    size_t n;
    bool full;
};

static void put(struct line *l, struct slice s)
{
    size_t room = sizeof l->text - 2 - l->n;
    if (s.n > room) {
        s.n = room;
        l->full = true;
    }
    if (s.n)
        memcpy(l->text + l->n, s.p, s.n);
    l->n += s.n;
}

static void put_format(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put_format(struct line *l, const char *format, ...)
{
    char text[128];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0)
        put(l, slice_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

/* Beyond 16 bits JSON wants a pair of surrogates. */
static void put_code(struct line *l, uint32_t c)
{
    if (c <= 0xffff)
        put_format(l, "\\u%04x", c);
    else if (sink.json)
        put_format(l, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
    else
        put_format(l, "\\U%08x", c);
}

static void put_escaped(struct line *l, struct slice s)
{
    bool cut = s.n > LIMIT_LOG_FIELD;
    if (cut)
        s.n = LIMIT_LOG_FIELD;
    while (s.n) {
        uint32_t c;
        size_t used = utf8_decode(s, &c);
        if (used == 0) {
            put_format(l, sink.json ? "\\u00%02x" : "\\x%02x", (unsigned char)s.p[0]);
            used = 1;
        } else if (c == '"' || c == '\\') {
            put_format(l, "\\%c", (char)c);
        } else if (utf8_is_unsafe(c)) {
            put_code(l, c);
        } else {
            put(l, slice_sub(s, 0, used));
        }
        s = slice_from(s, used);
    }
    if (cut)
        put(l, S("..."));
}

static void put_field(struct line *l, const struct log_field *f)
{
    if (sink.json)
        put_format(l, ",\"%s\":", f->key);
    else
        put_format(l, " %s=", f->key);
    if (f->kind == LOG_FIELD_NUM) {
        put_format(l, "%lld", (long long)f->num);
        return;
    }
    bool quoted = sink.json || f->kind == LOG_FIELD_TEXT;
    if (quoted)
        put(l, S("\""));
    if (f->kind == LOG_FIELD_ID)
        put_format(l, "%016llx", (unsigned long long)f->num);
    else
        put_escaped(l, f->text);
    if (quoted)
        put(l, S("\""));
}

static void put_head(struct line *l, enum log_level level, const char *event)
{
    int64_t now = clock_unix_ms();
    struct civil c = civil_of_unix(now / 1000);
    char when[40];
    snprintf(
        when, sizeof when, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour, c.minute,
        c.second, (int)(now % 1000));
    if (sink.json)
        put_format(
            l, "{\"time\":\"%s\",\"level\":\"%s\",\"process\":\"%s\",\"event\":\"%s\"", when,
            level_name[level], sink.who, event);
    else
        put_format(l, "%s %-7s %-10s %s", when, level_name[level], sink.who, event);
}

void log_event_fields(enum log_level level, const char *event, const struct log_field *fields)
{
    if (level < sink.least)
        return;
    int saved = errno;
    struct line l = {.n = 0};
    put_head(&l, level, event);
    for (const struct log_field *f = fields; f->key && !l.full; f++) {
        size_t whole = l.n;
        put_field(&l, f);
        if (l.full) /* no half fields: the line stays one whole record */
            l.n = whole;
    }
    if (sink.json)
        put(&l, S("}"));
    if (sink.sink) {
        sink.sink(level, slice_of(l.text, l.n), sink.sink_arg);
    } else {
        l.text[l.n++] = '\n';
        ssize_t n = write(sink.fd, l.text, l.n);
        (void)n; /* nobody is left to tell */
    }
    errno = saved;
}

void log_init(const char *who, int fd, enum log_form form, enum log_level least)
{
    sink.who = who;
    sink.fd = fd;
    sink.json = form == LOG_FORM_JSON || (form == LOG_FORM_AUTO && !isatty(fd));
    sink.least = least;
}

void log_set_level(enum log_level least)
{
    sink.least = least;
}

void log_set_sink(void (*fn)(enum log_level, struct slice, void *), void *arg)
{
    sink.sink = fn;
    sink.sink_arg = arg;
}

void log_fatal(const char *text)
{
    log_event(LOG_ERROR, "fatal", LOG_STR("reason", text));
    _exit(70);
}

void log_fatal_errno(const char *text)
{
    log_event(LOG_ERROR, "fatal", LOG_STR("reason", text), LOG_ERRNO());
    _exit(70);
}

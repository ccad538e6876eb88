/* script.h - a server that follows a script, in place of a connection: for tests and fuzzers of the doctor's dialogues.
 *
 * Without rows it says all its octets as they are, whatever it hears. With rows it says nothing until it heard what the row
 * wants (NULL: at once), then what the row says; hearing something else makes it stray and fall silent. It has closed when it
 * has nothing left to say. Where `deaf` is set it keeps nothing of what it heard.
 */
#ifndef TESTS_DOCTOR_SCRIPT_H
#define TESTS_DOCTOR_SCRIPT_H

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "loop/loop.h"
#include "loop/stream.h"

struct script_row {
    const char *hears; /* how a line begins; NULL: nothing is waited for */
    const char *says;
};
struct script {
    struct transport transport; /* first: the talk's handle */
    const struct script_row *rows;
    size_t count, next;
    struct buf says;
    size_t said, step; /* at most so many octets are read at once; 0: any number */
    struct buf heard;
    size_t line; /* where the unfinished line begins in `heard` */
    bool deaf, strayed;
};

static inline void script_go_on(struct script *s, bool heard)
{
    while (s->next < s->count && (heard || !s->rows[s->next].hears)) {
        buf_put_str(&s->says, s->rows[s->next++].says);
        heard = false;
    }
}

static inline ssize_t script_read(struct transport *t, void *into, size_t n, unsigned *want)
{
    struct script *s = (struct script *)t;
    struct slice rest = slice_from(buf_slice(&s->says), s->said);
    (void)want;
    rest = slice_sub(rest, 0, n);
    rest = s->step ? slice_sub(rest, 0, s->step) : rest;
    if (rest.n)
        memcpy(into, rest.p, rest.n);
    s->said += rest.n;
    return (ssize_t)rest.n;
}

static inline ssize_t script_write(struct transport *t, const void *from, size_t n, unsigned *want)
{
    struct script *s = (struct script *)t;
    struct slice octets = slice_of(from, n);
    (void)want;
    if (s->deaf) {
        script_go_on(s, n > 0 && octets.p[n - 1] == '\n');
        return (ssize_t)n;
    }
    for (size_t i = 0; i < n; i++) {
        buf_put_char(&s->heard, octets.p[i]);
        if (octets.p[i] != '\n')
            continue;
        struct slice line = slice_from(buf_slice(&s->heard), s->line);
        s->line = s->heard.n;
        if (s->next < s->count && !slice_starts(line, slice_str(s->rows[s->next].hears)))
            s->strayed = true;
        script_go_on(s, !s->strayed);
    }
    return (ssize_t)n;
}

static inline void script_free(struct transport *t)
{
    (void)t; /* it lives where its maker put it */
}

static inline void script_init(struct script *s, const struct script_row *rows, size_t count)
{
    static const struct transport_ops ops = {
        .name = "script", .read = script_read, .write = script_write, .free = script_free};
    *s = (struct script){
        .transport = {.ops = &ops, .fd = -1},
        .rows = rows,
        .count = count,
        .says = BUF_INIT(4 * LIMIT_DOCTOR_TALK),
        .heard = BUF_INIT(4 * LIMIT_DOCTOR_TALK),
    };
    script_go_on(s, false);
}

static inline void script_done(struct script *s)
{
    buf_done(&s->says);
    buf_done(&s->heard);
}

#endif

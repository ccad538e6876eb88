/* redact_check.h - what must hold of every redacted message; used by the fuzz target and by the unit test.
 *
 * The virtual message, parsed anew, has the structure that its row tells, octet for octet, and redacting it again changes
 * nothing. */
#ifndef FUZZ_REDACT_CHECK_H
#define FUZZ_REDACT_CHECK_H

#include <assert.h>

#include "mail/redact.h"

struct redact_check {
    struct slice message;
    enum redact_why (*judge)(void *owner, struct slice type, uint64_t size);
    void *owner;
    enum redact_language language;
    struct buf row, octets, row_again; /* of the original; the virtual message; parsed from that */
    struct redaction r;
};

static inline void redact_check_row(struct slice message, struct buf *row)
{
    struct mime_parser *parser = mime_new();
    mime_feed(parser, message);
    enum err e = structure_put(row, mime_finish(parser));
    assert(e == OK);
    mime_free(&parser);
}

static inline enum err
redact_check_octets(void *owner, uint64_t start, uint64_t end, struct slice *ret_octets)
{
    const struct redact_check *c = owner;
    assert(start <= end && end <= c->message.n && end - start <= LIMIT_HEADER_SECTION);
    *ret_octets = slice_sub(c->message, start, end - start);
    return OK;
}

static inline enum redact_why redact_check_judge(void *owner, struct slice type, uint64_t size)
{
    const struct redact_check *c = owner;
    return c->judge(c->owner, type, size);
}

static inline struct redact_rules redact_check_rules(struct redact_check *c)
{
    return (struct redact_rules){
        .judge = redact_check_judge, .read = redact_check_octets, .owner = c, .language = c->language};
}

/* The virtual message, in pieces of `step` octets. */
static inline void redact_check_read(struct redact_check *c, size_t step)
{
    buf_clear(&c->octets);
    for (uint64_t at = 0; at < c->r.size;) {
        uint64_t skip;
        const struct redact_run *run = redaction_find(&c->r, at, &skip);
        assert(run && skip < run->n);
        size_t n = run->n - skip < step ? (size_t)(run->n - skip) : step;
        struct slice from = run->is_text ? buf_slice(&c->r.text) : c->message;
        assert(run->from + skip + n <= from.n);
        buf_put(&c->octets, slice_sub(from, run->from + skip, n));
        at += n;
    }
    uint64_t skip;
    assert(!redaction_find(&c->r, c->r.size, &skip));
    assert(buf_check(&c->octets) == OK && c->octets.n == c->r.size);
}

static inline void redact_check_part(const struct structure_part *a, const struct structure_part *b)
{
    assert(a->index == b->index && a->depth == b->depth && a->kind == b->kind);
    assert(a->encoding == b->encoding && a->children == b->children);
    assert(a->header_start == b->header_start && a->body_start == b->body_start);
    assert(a->body_end == b->body_end);
    assert(a->kind == MIME_MULTIPART || a->body_lines == b->body_lines);
    assert(slice_eq(a->type, b->type) && slice_eq(a->subtype, b->subtype));
    assert(slice_eq(a->id, b->id) && slice_eq(a->transfer_encoding, b->transfer_encoding));
    assert(slice_eq(a->disposition, b->disposition) && slice_eq(a->envelope, b->envelope));
    assert(slice_eq(a->params.rest, b->params.rest));
    assert(slice_eq(a->disposition_params.rest, b->disposition_params.rest));
}

static inline void redact_check_same(const struct structure *a, const struct structure *b)
{
    struct structure_walk walks[2];
    struct structure_part parts[2];
    enum structure_event events[2] = {STRUCTURE_ENTER, STRUCTURE_ENTER};
    assert(a->size == b->size && a->parts == b->parts && slice_eq(a->envelope, b->envelope));
    structure_walk_start(&walks[0], a);
    structure_walk_start(&walks[1], b);
    while (events[0] != STRUCTURE_END) {
        for (int i = 0; i < 2; i++) {
            enum err e = structure_walk_next(&walks[i], &events[i], &parts[i]);
            assert(e == OK);
        }
        assert(events[0] == events[1]);
        if (events[0] == STRUCTURE_ENTER)
            redact_check_part(&parts[0], &parts[1]);
    }
}

/* Redacts c->message and checks all of it; c->r and c->octets stay for the caller, until redact_check_done. */
static inline void redact_check(struct redact_check *c)
{
    struct structure s, virtual, again;
    struct redact_rules rules = redact_check_rules(c);
    struct slice original = c->message;
    c->row = c->row_again = BUF_INIT(LIMIT_MIME_ARENA / 2);
    c->octets = BUF_INIT(64 << 20);
    redaction_init(&c->r);
    redact_check_row(c->message, &c->row);
    enum err e = structure_open(buf_slice(&c->row), &s);
    assert(e == OK);
    e = redact(&c->r, &s, &rules);
    assert(e == OK);
    if (!c->r.is_changed)
        return;
    e = structure_open(buf_slice(&c->r.row), &virtual);
    assert(e == OK && virtual.size == c->r.size);
    e = structure_check(&virtual);
    assert(e == OK);
    redact_check_read(c, 7);
    redact_check_read(c, SIZE_MAX);
    redact_check_row(buf_slice(&c->octets), &c->row_again);
    e = structure_open(buf_slice(&c->row_again), &again);
    assert(e == OK);
    redact_check_same(&virtual, &again);
    /* what was redacted holds nothing more to redact */
    struct redaction second;
    redaction_init(&second);
    c->message = buf_slice(&c->octets);
    e = redact(&second, &again, &rules);
    assert(e == OK);
    assert(!second.is_changed || again.flags & (MIME_AMBIGUOUS | MIME_TRUNCATED));
    redaction_done(&second);
    c->message = original;
}

static inline void redact_check_done(struct redact_check *c)
{
    redaction_done(&c->r);
    buf_done(&c->row);
    buf_done(&c->octets);
    buf_done(&c->row_again);
}

#endif

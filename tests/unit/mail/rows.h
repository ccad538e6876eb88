/* rows.h - messages to rows and back, for the tests of the MIME parser. */
#ifndef UNIT_MAIL_ROWS_H
#define UNIT_MAIL_ROWS_H

#include "cases.h"
#include "mail/structure.h"
#include "test.h"

/* Feeds `step` octets at a time. */
static inline void row_of(struct slice message, size_t step, struct buf *ret_row)
{
    struct mime_parser *parser = mime_new();
    for (size_t at = 0; at < message.n; at += step)
        mime_feed(parser, slice_sub(message, at, step));
    const struct mime_tree *tree = mime_finish(parser);
    buf_init(ret_row, LIMIT_MIME_ARENA / 2);
    assert_ok(structure_put(ret_row, tree));
    assert_true(mime_memory(parser) <= LIMIT_MIME_ARENA / 2 + 4 * LIMIT_HEADER_FIELD);
    mime_free(&parser);
    assert_null(parser);
}

/* The row of a message, opened and checked; however the message is cut, it is the same. */
static inline bool row_open(struct slice message, struct buf *ret_row, struct structure *ret_structure)
{
    row_of(message, SIZE_MAX / 2, ret_row);
    static const size_t steps[] = {1, 2, 3, 7, 1000};
    bool same = true;
    for (size_t i = 0; message.n < 200000 && i < sizeof steps / sizeof *steps; i++) {
        struct buf again;
        row_of(message, steps[i], &again);
        same &= slice_eq(buf_slice(ret_row), buf_slice(&again));
        buf_done(&again);
    }
    return structure_open(buf_slice(ret_row), ret_structure) == OK && structure_check(ret_structure) == OK &&
           ret_structure->size == message.n && same;
}

/* "multipart/mixed(text/plain message/rfc822(text/html))" */
static inline void shape_put(const struct structure *s, struct buf *out)
{
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    bool after = false;
    for (structure_walk_start(&walk, s); event != STRUCTURE_END;) {
        assert_ok(structure_walk_next(&walk, &event, &part));
        if (event == STRUCTURE_ENTER) {
            buf_printf(
                out, "%s%.*s/%.*s%s", after ? " " : "", SLICE_ARG(part.type), SLICE_ARG(part.subtype),
                part.children ? "(" : "");
            after = part.children == 0;
        } else if (event == STRUCTURE_LEAVE && part.children) {
            buf_put_char(out, ')');
            after = true;
        }
    }
}

static inline enum err part_of(const struct structure *s, struct slice path, struct structure_part *ret_part)
{
    struct structure_section section;
    TRY(structure_find_section(s, path, STRUCTURE_WHOLE, &section));
    *ret_part = section.part;
    return OK;
}

static inline struct slice
section_of(const struct structure *s, struct slice message, struct slice path, enum structure_want want)
{
    struct structure_section section;
    if (structure_find_section(s, path, want, &section) != OK)
        return SLICE_EMPTY;
    return slice_sub(message, section.start, section.end - section.start);
}

#endif

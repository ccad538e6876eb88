/* MIME: any octets give a row that reads back; however they are cut, it is the same row; every part lies in its parent. */
#include <assert.h>

#include "mail/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct slice message, size_t step, struct buf *out)
{
    struct mime_parser *parser = mime_new();
    for (size_t at = 0; at < message.n; at += step)
        mime_feed(parser, slice_sub(message, at, step));
    const struct mime_tree *tree = mime_finish(parser);
    assert(tree->size == message.n && tree->parts <= LIMIT_MIME_PARTS);
    assert(structure_put(out, tree) == OK);
    assert(mime_memory(parser) <= LIMIT_MIME_ARENA);
    mime_free(&parser);
}

/* What the row says must be what the tree says. */
static void compare(struct slice message, const struct structure *s)
{
    struct mime_parser *parser = mime_new();
    mime_feed(parser, message);
    const struct mime_tree *tree = mime_finish(parser);
    const struct mime_part *part = tree->root;
    struct structure_walk walk;
    struct structure_part read;
    enum structure_event event = STRUCTURE_ENTER;
    structure_walk_start(&walk, s);
    while (event != STRUCTURE_END) {
        assert(structure_walk_next(&walk, &event, &read) == OK);
        if (event != STRUCTURE_ENTER)
            continue;
        assert(part && read.index == part->index && read.depth == part->depth && read.kind == part->kind);
        assert(read.header_start == part->header_start && read.body_start == part->body_start);
        assert(
            read.body_end == part->body_end && read.body_lines == part->body_lines &&
            read.flags == part->flags);
        assert(slice_eq(read.type, part->type.type) && slice_eq(read.subtype, part->type.subtype));
        assert(slice_eq(read.id, part->id) && slice_eq(read.description, part->description));
        assert(read.params.count == part->type.count && read.languages.count == part->language_count);
        part = mime_part_next(part);
    }
    assert(!part);
    mime_free(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice_of(data, size);
    CLEANUP_BUF struct buf whole = BUF_INIT(LIMIT_MIME_ARENA / 2), cut = BUF_INIT(LIMIT_MIME_ARENA / 2);
    struct structure s;
    parse(message, SIZE_MAX / 2, &whole);
    parse(message, 1, &cut);
    assert(slice_eq(buf_slice(&whole), buf_slice(&cut)));
    assert(structure_open(buf_slice(&whole), &s) == OK && structure_check(&s) == OK);
    compare(message, &s);
    return 0;
}

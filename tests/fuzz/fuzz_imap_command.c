/* The reader and the parser of commands, as a session uses them: however the input is cut, the same commands are heard;
 * what is heard keeps within its limits. The first octet chooses the size of the pieces and whether UTF-8 is enabled. */
#include <assert.h>

#include "imap/wire/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_keys(const struct imap_search_key *key, size_t depth, size_t *count)
{
    assert(depth <= 2 * (imap_limits_session.nesting + 2));
    for (; key; key = key->next) {
        assert(key->key < IMAP_KEY_N);
        assert(
            (key->key != IMAP_KEY_NOT && key->key != IMAP_KEY_OR && key->key != IMAP_KEY_AND) ||
            key->children);
        ++*count;
        check_keys(key->children, depth + 1, count);
    }
}

static void check_set(struct imap_set set)
{
    imap_set_resolve(&set, 100);
    for (size_t i = 0; i < set.n; i++) {
        assert(set.ranges[i].first >= 1 && set.ranges[i].first <= set.ranges[i].last);
        assert(i == 0 || set.ranges[i - 1].last < set.ranges[i].first - 1);
    }
}

static void check_fetch(const struct imap_fetch *what)
{
    struct buf CLEANUP_BUF out = BUF_INIT(1 << 22);
    for (size_t i = 0; i < what->sections_n; i++)
        imap_put_section(&out, &what->sections[i]);
    assert(!out.failed);
}

/* Returns a mark of what was understood, to compare cuts by. */
static uint64_t check_command(struct slice text, bool utf8)
{
    struct arena CLEANUP_ARENA mem = ARENA_INIT(LIMIT_SESSION_MEMORY);
    struct imap_command c;
    enum err e = imap_command_parse(text, &imap_limits_session, utf8, &mem, &c);
    assert(e == OK || (c.problem && (e == ERR_SYNTAX || e == ERR_LIMIT)));
    assert(c.tag.n >= 1 && c.tag.n <= LIMIT_IMAP_TAG);
    if (e != OK)
        return 1;
    size_t keys = 0;
    switch (c.verb->shape) {
    case IMAP_SHAPE_SEARCH:
        check_keys(c.search.root, 0, &keys);
        assert(keys <= c.search.keys && keys <= imap_limits_session.search_keys);
        break;
    case IMAP_SHAPE_FETCH:
        check_set(c.fetch.set);
        check_fetch(&c.fetch.what);
        break;
    case IMAP_SHAPE_SET:
        check_set(c.set.set);
        break;
    default:
        break;
    }
    return 2 + c.verb->id;
}

static uint64_t hear(struct slice input, size_t step, bool utf8)
{
    struct imap_reader r;
    uint64_t heard = 7;
    imap_reader_init(&r, &imap_limits_session);
    for (size_t at = 0; at < input.n;) {
        size_t taken;
        enum imap_read got = imap_reader_feed(&r, slice_sub(input, at, step), &taken);
        at += taken;
        if (got == IMAP_READ_MORE)
            continue;
        if (got == IMAP_READ_BAD && r.bad.close)
            break;
        if (got != IMAP_READ_BAD)
            heard = heard * 31 + (uint64_t)got;
        if (got == IMAP_READ_MESSAGE) {
            heard = heard * 31 + check_command(imap_reader_text(&r), utf8);
            if (r.message.size > input.n - at)
                break;
            at += r.message.size;
            imap_reader_message_done(&r);
        } else if (got == IMAP_READ_DONE) {
            if (!r.had_message)
                heard = heard * 31 + check_command(imap_reader_text(&r), utf8);
            imap_reader_next(&r);
        } else if (got == IMAP_READ_BAD) {
            /* whether octets behind a refused literal have come depends on the cut: stop there */
            break;
        }
    }
    imap_reader_done(&r);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice input = slice_of(data + 1, size - 1);
    bool utf8 = data[0] & 1;
    uint64_t whole = hear(input, SIZE_MAX, utf8);
    assert(hear(input, 1, utf8) == whole);
    assert(hear(input, 1 + data[0] / 2, utf8) == whole);
    return 0;
}

#include "imap/wire/reader.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "imap/wire/literal.h"

enum { KEPT = 512 /* octets of an empty command's memory that are kept for the next */ };

const struct imap_limits imap_limits_preauth = {
    .line = LIMIT_IMAP_LINE,
    .literal = LIMIT_IMAP_LITERAL_PREAUTH,
    .command = LIMIT_IMAP_LINE + 4 * LIMIT_IMAP_LITERAL_PREAUTH,
    .tag = LIMIT_IMAP_TAG,
    .nesting = LIMIT_IMAP_NESTING,
    .set_ranges = LIMIT_IMAP_SET_RANGES,
    .search_keys = LIMIT_IMAP_SEARCH_KEYS,
    .items = LIMIT_IMAP_ITEMS,
    .literal_plus = true,
};

const struct imap_limits imap_limits_session = {
    .line = LIMIT_IMAP_LINE,
    .literal = LIMIT_IMAP_LITERAL,
    .command = LIMIT_IMAP_COMMAND,
    .tag = LIMIT_IMAP_TAG,
    .nesting = LIMIT_IMAP_NESTING,
    .set_ranges = LIMIT_IMAP_SET_RANGES,
    .search_keys = LIMIT_IMAP_SEARCH_KEYS,
    .items = LIMIT_IMAP_ITEMS,
    .literal_plus = true,
};

void imap_reader_init(struct imap_reader *r, const struct imap_limits *limits)
{
    *r = (struct imap_reader){.limits = limits, .text = BUF_INIT(limits->command)};
}

void imap_reader_done(struct imap_reader *r)
{
    buf_wipe(&r->text);
}

void imap_reader_next(struct imap_reader *r)
{
    if (r->text.cap > KEPT)
        buf_wipe(&r->text);
    else if (r->text.n)
        explicit_bzero(r->text.p, r->text.n);
    buf_clear(&r->text);
    r->text.limit = r->limits->command;
    r->line_start = r->line_octets = r->tag_n = 0;
    r->literal_left = 0;
    r->is_append = r->had_message = false;
    r->state = IMAP_READER_LINE;
}

struct slice imap_reader_text(const struct imap_reader *r)
{
    /* An empty command is empty text, not the absence of text. */
    return r->text.n ? buf_slice(&r->text) : S("");
}

/* Before the first line is complete the tag is looked for in what there is. */
struct slice imap_reader_tag(const struct imap_reader *r)
{
    struct slice tag = slice_of(r->tag, r->tag_n);
    if (!tag.n) {
        struct slice rest = buf_slice(&r->text);
        if (!slice_has(rest, ' ') || !slice_cut(&rest, ' ', &tag))
            return S("*");
    }
    return imap_is_tag(tag, r->limits->tag) ? tag : S("*");
}

void imap_reader_expect_line(struct imap_reader *r, size_t limit)
{
    assert(r->state == IMAP_READER_LINE && r->text.n == 0);
    r->text.limit = limit + 2;
    r->state = IMAP_READER_PLAIN;
}

void imap_reader_message_done(struct imap_reader *r)
{
    assert(r->state == IMAP_READER_MESSAGE);
    buf_clear(&r->text);
    r->line_start = 0;
    r->had_message = true;
    r->state = IMAP_READER_LINE;
}

static enum imap_read reader_bad(struct imap_reader *r, bool close, bool too_big, const char *text)
{
    r->bad = (struct imap_bad){.close = close, .too_big = too_big, .text = text};
    r->state = IMAP_READER_DONE;
    return IMAP_READ_BAD;
}

/* Like buf_put, but what is outgrown is zeroed: the octets may be a password. False at the ceiling. */
static bool reader_keep(struct imap_reader *r, struct slice s)
{
    struct buf *b = &r->text;
    if (s.n > b->limit - b->n)
        return false;
    if (b->n + s.n + 1 > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 128;
        while (cap < b->n + s.n + 1)
            cap *= 2;
        struct buf grown = {.p = mem_alloc(cap), .n = b->n, .cap = cap, .limit = b->limit};
        if (b->n)
            memcpy(grown.p, b->p, b->n);
        buf_wipe(b);
        *b = grown;
    }
    buf_put(b, s);
    return true;
}

/* Line ends are CRLF, and neither of the two nor a NUL occurs elsewhere in a line (T-157). */
static bool line_is_clean(struct slice line)
{
    return slice_ends(line, S("\r\n")) && slice_find(line, '\r') == line.n - 2 && !slice_has(line, '\0');
}

static void reader_note_verb(struct imap_reader *r)
{
    struct slice rest = buf_slice(&r->text), tag, verb;
    if (!slice_cut(&rest, ' ', &tag) || !imap_is_tag(tag, sizeof r->tag))
        return;
    memcpy(r->tag, tag.p, tag.n);
    r->tag_n = tag.n;
    r->is_append = slice_cut(&rest, ' ', &verb) && slice_eq_nocase(verb, S("APPEND"));
}

/* Whether the literal that begins at `at` is an APPEND's message: any but the one in the mailbox's place. */
static bool reader_is_message(const struct imap_reader *r, size_t at)
{
    return r->is_append && (r->had_message || at != r->tag_n + sizeof " APPEND " - 1);
}

static enum imap_read reader_message(struct imap_reader *r, const struct imap_literal *l)
{
    r->message = (struct imap_message){.size = l->size, .sync = !l->plus, .binary = l->binary};
    explicit_bzero(r->text.p + l->at, r->text.n - l->at);
    r->text.n = l->at;
    r->state = IMAP_READER_MESSAGE;
    return IMAP_READ_MESSAGE;
}

/* A literal was announced. `more`: octets came behind the announcement; if it is refused they are nobody's. */
static enum imap_read reader_literal(struct imap_reader *r, const struct imap_literal *l, bool more)
{
    if (reader_is_message(r, l->at))
        return reader_message(r, l);
    bool close = l->plus || more;
    if (l->binary)
        return reader_bad(r, close, false, "binary literal not allowed here");
    if (l->size > r->limits->literal || l->size > r->limits->command - r->text.n)
        return reader_bad(r, close, true, "literal too large");
    if (l->plus && !r->limits->literal_plus && l->size > 4096)
        return reader_bad(r, true, true, "non-synchronizing literal too large");
    r->literal_left = l->size;
    r->state = IMAP_READER_LITERAL;
    return l->plus ? IMAP_READ_MORE : IMAP_READ_CONTINUE;
}

/* A line is complete, its LF included. */
static enum imap_read reader_line(struct imap_reader *r, bool more)
{
    struct slice line = slice_from(buf_slice(&r->text), r->line_start);
    bool plain = r->state == IMAP_READER_PLAIN;
    if (!plain && r->tag_n == 0)
        reader_note_verb(r);
    struct slice words = line_is_clean(line) ? slice_sub(line, 0, line.n - 2) : slice_trim(line);
    struct imap_literal literal = {.kind = IMAP_LITERAL_NONE};
    if (!plain)
        imap_literal_find(words, &literal);
    if (!line_is_clean(line))
        return reader_bad(
            r, literal.kind != IMAP_LITERAL_NONE, false, "lines end with CRLF and hold no CR, LF or NUL");
    if (literal.kind == IMAP_LITERAL_BROKEN && literal.plus)
        return reader_bad(r, true, false, "malformed literal");
    if (literal.kind == IMAP_LITERAL_WHOLE) {
        literal.at += r->line_start;
        return reader_literal(r, &literal, more);
    }
    r->text.n -= 2;
    r->state = IMAP_READER_DONE;
    return IMAP_READ_DONE;
}

static enum imap_read reader_feed_line(struct imap_reader *r, struct slice input, size_t *taken)
{
    size_t lf = slice_find(input, '\n');
    size_t n = lf == SLICE_NPOS ? input.n : lf + 1;
    bool plain = r->state == IMAP_READER_PLAIN;
    *taken += n;
    r->line_octets += n;
    if ((!plain && r->line_octets > r->limits->line) || !reader_keep(r, slice_sub(input, 0, n)))
        return reader_bad(r, true, true, "line too long");
    return lf == SLICE_NPOS ? IMAP_READ_MORE : reader_line(r, n < input.n);
}

static enum imap_read reader_feed_literal(struct imap_reader *r, struct slice input, size_t *taken)
{
    size_t n = input.n < r->literal_left ? input.n : (size_t)r->literal_left;
    *taken += n;
    r->literal_left -= n;
    if (!reader_keep(r, slice_sub(input, 0, n)))
        return reader_bad(r, true, true, "command too large");
    if (r->literal_left == 0) {
        r->line_start = r->text.n;
        r->state = IMAP_READER_LINE;
    }
    return IMAP_READ_MORE;
}

enum imap_read imap_reader_feed(struct imap_reader *r, struct slice input, size_t *ret_taken)
{
    assert(r->state != IMAP_READER_DONE && r->state != IMAP_READER_MESSAGE);
    enum imap_read got = IMAP_READ_MORE;
    *ret_taken = 0;
    while (got == IMAP_READ_MORE &&
           (*ret_taken < input.n || (r->state == IMAP_READER_LITERAL && !r->literal_left))) {
        struct slice rest = slice_from(input, *ret_taken);
        if (r->state == IMAP_READER_LITERAL)
            got = reader_feed_literal(r, rest, ret_taken);
        else
            got = reader_feed_line(r, rest, ret_taken);
    }
    return got;
}

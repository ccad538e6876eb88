/* fuzz_scope - lines of limits, as an administrator or another process wrote them. What parses is written in a form that parses to
 * the same; a scope is within itself; times end where they end. The first line is also asked as mailbox, address and type. */
#include <assert.h>

#include "base/limits.h"
#include "scope/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_times(const struct scope *s, int64_t now)
{
    int64_t end = scope_time_ends(s, now);
    if (end == 0)
        assert(s->hour_count == 0 || scope_allows_time(s, now + 86400));
    else
        assert(end > now && !scope_allows_time(s, end) && scope_allows_time(s, end - 1));
}

static void ask(const struct scope *s, struct slice text)
{
    scope_allows_folder(s, text);
    scope_allows_sender(s, text);
    scope_allows_recipient(s, text);
    scope_allows_attachment(s, text, text.n);
    scope_allows_arrival(s, (int64_t)text.n, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size), rest = text, line = SLICE_EMPTY;
    struct arena arena = ARENA_INIT(1 << 20);
    struct buf once = BUF_INIT(1 << 20), twice = BUF_INIT(1 << 20), problem = BUF_INIT(1024);
    struct scope s, t;
    slice_cut(&rest, '\n', &line);
    if (scope_parse(rest, &arena, &s, &problem) == OK) {
        scope_write(&s, &once);
        assert(!once.failed);
        if (once.n <= LIMIT_SCOPE_TEXT) { /* "1TiB" is longer when it is written in octets */
            enum err e = scope_parse(buf_slice(&once), &arena, &t, NULL);
            assert(e == OK);
            scope_write(&t, &twice);
            assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
            assert(scope_is_within(&s, &t) && scope_is_within(&t, &s));
        }
        check_times(&s, (int64_t)size * 7919);
        ask(&s, slice_sub(line, 0, LIMIT_MAILBOX_NAME));
    } else {
        assert(problem.n > 0);
    }
    buf_done(&once);
    buf_done(&twice);
    buf_done(&problem);
    arena_done(&arena);
    return 0;
}

/* words.c - a value is words between blanks; a word with blanks in it stands in quotation marks. */
#include "base/limits.h"
#include "config/private.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The text up to the next blank, for showing what is wrong there. */
static struct slice shown_from(struct slice text, size_t at)
{
    size_t end = at;
    while (end < text.n && !is_blank(text.p[end]))
        end++;
    return slice_sub(text, at, end - at);
}

/* From behind the opening mark; *at ends behind the closing one, which a blank or the end must follow. */
static enum fault word_quoted(struct slice text, size_t *at, struct arena *arena, struct slice *ret_word)
{
    char *out = arena_alloc(arena, text.n + 1);
    size_t n = 0, i = *at + 1;
    if (!out)
        return FAULT_TOO_MANY;
    for (; i < text.n && text.p[i] != '"'; i++) {
        if (text.p[i] == '\\') {
            i++;
            if (i >= text.n || (text.p[i] != '"' && text.p[i] != '\\'))
                return FAULT_QUOTE;
        }
        out[n++] = text.p[i];
    }
    if (i >= text.n || (i + 1 < text.n && !is_blank(text.p[i + 1])))
        return FAULT_QUOTE;
    out[n] = '\0';
    *at = i + 1;
    *ret_word = slice_of(out, n);
    return FAULT_NONE;
}

static enum fault word_plain(struct slice text, size_t *at, struct slice *ret_word)
{
    struct slice word = shown_from(text, *at);
    if (slice_has(word, '"'))
        return FAULT_QUOTE;
    *at += word.n;
    *ret_word = word;
    return FAULT_NONE;
}

/* No more words than this can be in it. */
static size_t words_most(struct slice text)
{
    size_t most = 1;
    for (size_t i = 0; i < text.n; i++)
        most += is_blank(text.p[i]);
    return most < LIMIT_CONFIG_WORDS ? most : LIMIT_CONFIG_WORDS;
}

enum fault words_split(
    struct slice text, struct arena *arena, struct config_word **ret_words, size_t *ret_count,
    struct slice *ret_at)
{
    size_t most = words_most(text), count = 0, at = 0;
    struct config_word *words = arena_array(arena, most, sizeof *words);
    if (!words)
        return FAULT_TOO_MANY;
    for (;;) {
        while (at < text.n && is_blank(text.p[at]))
            at++;
        if (at >= text.n || text.p[at] == '#')
            break;
        size_t start = at;
        enum fault fault = FAULT_TOO_MANY;
        if (count < most)
            fault = text.p[at] == '"' ? word_quoted(text, &at, arena, &words[count].text)
                                      : word_plain(text, &at, &words[count].text);
        if (fault != FAULT_NONE) {
            *ret_at = shown_from(text, start);
            return fault;
        }
        words[count++].raw = slice_sub(text, start, at - start);
    }
    *ret_words = words;
    *ret_count = count;
    return FAULT_NONE;
}

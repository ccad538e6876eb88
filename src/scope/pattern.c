/* pattern.c - folders by the wildcards of LIST (RFC 3501 6.3.8): '*' is anything, '%' anything without a '/'. */
#include <stdlib.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "scope/private.h"

static bool has_wildcard(struct slice text)
{
    return slice_has(text, '*') || slice_has(text, '%');
}

/* INBOX is INBOX in any case, alone and as the first level. */
static bool starts_with_inbox(struct slice name)
{
    struct slice first = slice_sub(name, 0, slice_find(name, '/'));
    return slice_eq_nocase(first, S("INBOX"));
}

fallible scope_pattern_normal(struct slice value, struct buf *out)
{
    struct buf form CLEANUP_BUF = BUF_INIT(LIMIT_MAILBOX_NAME);
    if (value.n > LIMIT_MAILBOX_NAME)
        return ERR_LIMIT;
    if (ascii_is_all(value))
        buf_put(&form, value);
    else
        TRY(text_nfc_put(&form, value));
    TRY(buf_check(&form));
    struct slice text = buf_slice(&form);
    if (!text.n || text.p[0] == '/' || text.p[text.n - 1] == '/' || slice_search(text, S("//")) != SLICE_NPOS)
        return ERR_SYNTAX;
    if (starts_with_inbox(text)) {
        buf_put_str(out, "INBOX");
        text = slice_from(text, 5);
    }
    buf_put(out, text);
    return OK;
}

/* Which prefixes of the pattern can have matched what was fed so far. Work: text times pattern, both bounded. */
struct match {
    struct slice pattern;
    bool reached[LIMIT_MAILBOX_NAME + 1];
};

/* A wildcard may also match nothing. */
static void pass_wildcards(struct match *m)
{
    for (size_t i = 0; i < m->pattern.n; i++)
        if (m->reached[i] && (m->pattern.p[i] == '*' || m->pattern.p[i] == '%'))
            m->reached[i + 1] = true;
}

static void match_start(struct match *m, struct slice pattern)
{
    m->pattern = slice_sub(pattern, 0, LIMIT_MAILBOX_NAME);
    memset(m->reached, 0, sizeof m->reached);
    m->reached[0] = true;
    pass_wildcards(m);
}

/* From the end, so that a place that is reached by this character is not asked for it again. */
static void match_feed(struct match *m, char c)
{
    m->reached[m->pattern.n] = false;
    for (size_t i = m->pattern.n; i-- > 0;) {
        char p = m->pattern.p[i];
        if (!m->reached[i])
            continue;
        bool stays = p == '*' || (p == '%' && c != '/');
        m->reached[i] = stays;
        if (!stays && p != '%' && p == c)
            m->reached[i + 1] = true;
    }
    pass_wildcards(m);
}

static void match_feed_name(struct match *m, struct slice name)
{
    size_t i = 0;
    if (starts_with_inbox(name))
        for (; i < 5; i++)
            match_feed(m, ascii_upper(name.p[i]));
    for (; i < name.n; i++)
        match_feed(m, name.p[i]);
}

bool scope_pattern_matches(struct slice pattern, struct slice mailbox)
{
    struct match m;
    match_start(&m, pattern);
    match_feed_name(&m, mailbox);
    return m.reached[m.pattern.n];
}

bool scope_pattern_is_within(struct slice narrow, struct slice wide)
{
    if (slice_eq(narrow, wide))
        return true;
    if (!has_wildcard(narrow))
        return scope_pattern_matches(wide, narrow);
    struct slice head = slice_sub(wide, 0, wide.n - 1);
    return slice_ends(wide, S("*")) && !has_wildcard(head) && slice_starts(narrow, head);
}

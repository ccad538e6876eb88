#include "imap/wire/response.h"

#include <assert.h>

#include "base/limits.h"
#include "imap/wire/literal.h"

/* ------------------------------------------------------------------------------------------------------ the reader */

void imap_responses_init(struct imap_responses *r)
{
    *r = (struct imap_responses){.text = BUF_INIT(LIMIT_IMAP_RESPONSE)};
}

void imap_responses_done(struct imap_responses *r)
{
    buf_wipe(&r->text); /* a server may say a secret back */
}

void imap_responses_next(struct imap_responses *r)
{
    assert(r->done);
    buf_clear(&r->text);
    r->line_start = 0;
    r->done = false;
}

struct slice imap_responses_text(const struct imap_responses *r)
{
    assert(r->done);
    return buf_slice(&r->text);
}

static const struct {
    const char *word;
    enum imap_status status;
} statuses[] = {
    {"OK", IMAP_OK}, {"NO", IMAP_NO}, {"BAD", IMAP_BAD}, {"BYE", IMAP_BYE}, {"PREAUTH", IMAP_PREAUTH}};

static bool is_status(struct slice word, enum imap_status *ret_status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (slice_eq_nocase(word, slice_str(statuses[i].word))) {
            *ret_status = statuses[i].status;
            return true;
        }
    return false;
}

bool imap_response_word(struct slice *rest, struct slice *ret_word)
{
    while (rest->n && rest->p[0] == ' ')
        *rest = slice_from(*rest, 1);
    size_t blank = slice_find(*rest, ' ');
    size_t n = blank == SLICE_NPOS ? rest->n : blank;
    if (!n)
        return false;
    *ret_word = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return true;
}

/* Words for people: nothing in them announces a literal. */
static bool is_for_people(struct slice line)
{
    struct slice first, second;
    enum imap_status status;
    if (!imap_response_word(&line, &first))
        return true;
    return first.p[0] == '+' || (imap_response_word(&line, &second) && is_status(second, &status));
}

/* The line that now ends in `text`, without its end: does a literal follow? */
static enum imap_response_read line_done(struct imap_responses *r)
{
    struct slice line = slice_from(buf_slice(&r->text), r->line_start);
    struct imap_literal literal;
    imap_literal_find(line, &literal);
    if (literal.kind != IMAP_LITERAL_WHOLE || is_for_people(buf_slice(&r->text))) {
        r->done = true;
        return IMAP_RESPONSE_DONE;
    }
    if (literal.size > r->text.limit - r->text.n) {
        r->bad = true;
        return IMAP_RESPONSE_BAD;
    }
    buf_put_str(&r->text, "\r\n");
    r->literal_left = literal.size;
    r->line_start = r->text.n + (size_t)literal.size;
    return IMAP_RESPONSE_MORE;
}

/* Octets of the line, up to LF. The CR before it goes with it. */
static size_t take_line(struct imap_responses *r, struct slice input, bool *ret_ended)
{
    size_t lf = slice_find(input, '\n');
    *ret_ended = lf != SLICE_NPOS;
    buf_put(&r->text, slice_sub(input, 0, *ret_ended ? lf : input.n));
    if (!*ret_ended)
        return input.n;
    if (r->text.n > r->line_start && r->text.p[r->text.n - 1] == '\r')
        r->text.n--;
    else
        r->bare++;
    return lf + 1;
}

enum imap_response_read imap_responses_feed(struct imap_responses *r, struct slice input, size_t *ret_taken)
{
    size_t taken = 0;
    enum imap_response_read now = r->bad ? IMAP_RESPONSE_BAD : IMAP_RESPONSE_MORE;
    assert(!r->done);
    while (now == IMAP_RESPONSE_MORE && taken < input.n) {
        struct slice rest = slice_from(input, taken);
        bool ended = false;
        if (r->literal_left) {
            struct slice part = slice_sub(rest, 0, r->literal_left);
            buf_put(&r->text, part);
            r->literal_left -= part.n;
            taken += part.n;
        } else {
            taken += take_line(r, rest, &ended);
        }
        r->bad = buf_check(&r->text) != OK;
        now = r->bad ? IMAP_RESPONSE_BAD : ended ? line_done(r) : IMAP_RESPONSE_MORE;
    }
    *ret_taken = taken;
    return now;
}

/* ------------------------------------------------------------------------------------------------------ one response */

/* "[CODE arguments] text", RFC 9051 7.1. A "]" may stand in the arguments only in a quoted string. */
static void parse_text(struct slice rest, struct imap_response *x)
{
    rest = slice_trim(rest);
    x->text = rest;
    if (!rest.n || rest.p[0] != '[')
        return;
    size_t end = 1;
    for (bool quoted = false; end < rest.n && (quoted || rest.p[end] != ']'); end++) {
        if (quoted && rest.p[end] == '\\')
            end++;
        else if (rest.p[end] == '"')
            quoted = !quoted;
    }
    if (end >= rest.n)
        return; /* never closed: then it is text */
    struct slice inside = slice_sub(rest, 1, end - 1), code;
    if (!imap_response_word(&inside, &code))
        return;
    x->code = code;
    x->args = slice_trim(inside);
    x->text = slice_trim(slice_from(rest, end + 1));
}

/* "* 12 FETCH (...)", "* LIST ...". */
static fallible parse_data(struct slice word, struct slice rest, struct imap_response *x)
{
    uint64_t number;
    x->kind = IMAP_SAYS_DATA;
    if (slice_to_u64(word, UINT32_MAX, &number) == OK) {
        x->has_number = true;
        x->number = (uint32_t)number;
        if (!imap_response_word(&rest, &word))
            return ERR_SYNTAX;
    }
    x->name = word;
    x->rest = slice_trim(rest);
    return OK;
}

fallible imap_response_parse(struct slice text, struct imap_response *ret_response)
{
    struct imap_response x = {.kind = IMAP_SAYS_STATUS};
    struct slice rest = text, word;
    if (rest.n && rest.p[0] == '+') {
        if (rest.n > 1 && rest.p[1] != ' ')
            return ERR_SYNTAX;
        x.kind = IMAP_SAYS_CONTINUE;
        x.text = slice_from(rest, 2);
        *ret_response = x;
        return OK;
    }
    if (!rest.n || rest.p[0] == ' ' || !imap_response_word(&rest, &word))
        return ERR_SYNTAX;
    bool untagged = slice_eq(word, S("*"));
    if (!untagged && !imap_is_tag(word, LIMIT_IMAP_TAG))
        return ERR_SYNTAX;
    x.tag = untagged ? SLICE_EMPTY : word;
    if (!imap_response_word(&rest, &word))
        return ERR_SYNTAX;
    if (is_status(word, &x.status))
        parse_text(rest, &x);
    else if (!untagged)
        return ERR_SYNTAX;
    else
        TRY(parse_data(word, rest, &x));
    *ret_response = x;
    return OK;
}

/* ----------------------------------------------------------------------------------------------------------- values */

static size_t quoted_length(struct slice s)
{
    size_t n = 1;
    for (; n < s.n && s.p[n] != '"'; n++)
        n += s.p[n] == '\\';
    return n < s.n ? n + 1 : 0;
}

/* "{3}", CRLF and three octets; 0: it is none, or not whole. */
static size_t literal_length(struct slice s)
{
    size_t digits = slice_starts(s, S("~")) ? 2 : 1, close = slice_find(slice_sub(s, 0, 24), '}');
    uint64_t size;
    if (close == SLICE_NPOS || close <= digits || s.p[digits - 1] != '{' ||
        slice_to_u64(slice_sub(s, digits, close - digits), s.n, &size) != OK ||
        !slice_starts(slice_from(s, close + 1), S("\r\n")) || size > s.n - close - 3)
        return 0;
    return close + 3 + (size_t)size;
}

/* Octets that one simple value at the front takes: quoted, literal or atom; 0 when there is none. */
static size_t simple_length(struct slice s)
{
    if (slice_starts(s, S("\"")))
        return quoted_length(s);
    size_t n = literal_length(s);
    if (n)
        return n;
    while (n < s.n && !slice_has(S(" ()\r\n"), s.p[n]))
        n++;
    return n;
}

/* A value with all that is in its parentheses. */
static fallible take_value(struct slice *rest, struct slice *ret_value)
{
    size_t at = 0, depth = 0;
    do {
        struct slice here = slice_from(*rest, at);
        if (!here.n)
            return ERR_SYNTAX;
        char c = here.p[0];
        if (c == '(' && ++depth > LIMIT_IMAP_NESTING)
            return ERR_LIMIT;
        if (c == ')' && depth-- == 0)
            return ERR_SYNTAX;
        size_t n = c == '(' || c == ')' || (c == ' ' && depth) ? 1 : simple_length(here);
        if (!n)
            return ERR_SYNTAX;
        at += n;
    } while (depth);
    *ret_value = slice_sub(*rest, 0, at);
    *rest = slice_from(*rest, at);
    return OK;
}

/* The name of a FETCH item: blanks may stand in its brackets. */
static fallible take_item(struct slice *rest, struct slice *ret_name)
{
    size_t n = 0;
    for (bool inside = false; n < rest->n && (inside || (rest->p[n] != ' ' && rest->p[n] != ')')); n++)
        inside = inside ? rest->p[n] != ']' : rest->p[n] == '[';
    if (!n)
        return ERR_SYNTAX;
    *ret_name = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return OK;
}

static void skip_blanks(struct slice *rest)
{
    while (rest->n && rest->p[0] == ' ')
        *rest = slice_from(*rest, 1);
}

/* The inside of the one list that the whole text is. */
static fallible list_inside(struct slice text, struct slice *ret_inside)
{
    struct slice whole;
    text = slice_trim(text);
    if (!text.n || text.p[0] != '(')
        return ERR_SYNTAX;
    TRY(take_value(&text, &whole));
    if (text.n)
        return ERR_SYNTAX;
    *ret_inside = slice_sub(whole, 1, whole.n - 2);
    return OK;
}

static size_t count_words(struct slice rest)
{
    struct slice word;
    size_t n = 0;
    while (imap_response_word(&rest, &word))
        n++;
    return n;
}

static fallible take_fetched(struct slice name, struct slice value, struct imap_fetched *f)
{
    uint64_t number;
    struct slice inside;
    if (slice_eq_nocase(name, S("FLAGS"))) {
        TRY(list_inside(value, &inside));
        f->has_flags = true;
        f->flags = count_words(inside);
    } else if (slice_eq_nocase(name, S("RFC822.SIZE"))) {
        TRY(slice_to_u64(value, INT64_MAX, &f->size));
        f->has_size = true;
    } else if (slice_eq_nocase(name, S("UID"))) {
        TRY(slice_to_u64(value, UINT32_MAX, &number));
        f->has_uid = true;
        f->uid = (uint32_t)number;
    }
    return OK;
}

fallible imap_fetched_parse(struct slice rest, struct imap_fetched *ret_fetched)
{
    struct imap_fetched f = {.flags = 0};
    struct slice name, value;
    TRY(list_inside(rest, &rest));
    for (skip_blanks(&rest); rest.n; skip_blanks(&rest)) {
        TRY(take_item(&rest, &name));
        skip_blanks(&rest);
        TRY(take_value(&rest, &value));
        TRY(take_fetched(name, value, &f));
    }
    *ret_fetched = f;
    return OK;
}

static fallible take_resource(struct slice *rest, struct imap_quota *q)
{
    struct slice name, used, limit;
    if (!imap_response_word(rest, &name) || !imap_response_word(rest, &used) ||
        !imap_response_word(rest, &limit))
        return ERR_SYNTAX;
    struct imap_resource resource = {.is_known = true};
    TRY(slice_to_u64(used, UINT64_MAX, &resource.used));
    TRY(slice_to_u64(limit, UINT64_MAX, &resource.limit));
    if (slice_eq_nocase(name, S("STORAGE")))
        q->storage = resource;
    else if (slice_eq_nocase(name, S("MESSAGE")))
        q->message = resource;
    return OK;
}

fallible imap_quota_parse(struct slice rest, struct imap_quota *ret_quota)
{
    struct imap_quota q = {.root = SLICE_EMPTY};
    TRY(take_value(&rest, &q.root));
    TRY(list_inside(rest, &rest));
    for (rest = slice_trim(rest); rest.n; rest = slice_trim(rest))
        TRY(take_resource(&rest, &q));
    *ret_quota = q;
    return OK;
}

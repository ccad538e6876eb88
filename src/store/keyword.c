/* keyword.c - the keywords of a mailbox: names for bits. */
#include "store/private.h"

/* An atom of RFC 3501 9 (flag-keyword): no controls, blanks, wildcards, quotes, brackets, backslash; ASCII. */
static bool is_keyword(struct slice name)
{
    if (!name.n || name.n > LIMIT_KEYWORD)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] == 0x7f || slice_has(S("(){%*\"\\]"), name.p[i]))
            return false;
    return true;
}

static bool find(const struct box *b, struct slice name, unsigned *ret_bit)
{
    for (unsigned bit = 0; bit < LIMIT_KEYWORDS; bit++)
        if (b->keywords[bit] && slice_eq_nocase(slice_str(b->keywords[bit]), name)) {
            *ret_bit = bit;
            return true;
        }
    return false;
}

/* Inside a transaction; there must be a free bit. */
static fallible make(struct account *a, struct box *b, struct slice name, unsigned *ret_bit)
{
    unsigned bit = (unsigned)__builtin_ctzll(~b->keyword_mask);
    struct stmt *st = db_stmt(a->db, SQL_KEYWORD_ADD);
    stmt_bind(st, "iit", b->pub.id.v, (int64_t)bit, name);
    TRY(stmt_run(st));
    b->keywords[bit] = mem_alloc(name.n + 1);
    memcpy(b->keywords[bit], name.p, name.n);
    b->keyword_mask |= UINT64_C(1) << bit;
    account_changed(a);
    watches_mark(a, b->pub.id);
    *ret_bit = bit;
    return OK;
}

static bool is_full(const struct box *b)
{
    static_assert(LIMIT_KEYWORDS == 64, "keywords are the bits of a uint64_t");
    return b->keyword_mask == UINT64_MAX;
}

fallible
mailbox_keyword(struct account *a, struct mailbox_id id, struct slice name, bool may_make, unsigned *ret_bit)
{
    account_assert_usable(a);
    struct box *b = box_by_id(a, id);
    if (!b)
        return ERR_GONE;
    if (!is_keyword(name))
        return ERR_SYNTAX;
    unsigned bit;
    if (!find(b, name, &bit)) {
        if (!may_make)
            return ERR_NOT_FOUND;
        if (is_full(b))
            return ERR_LIMIT;
        TRY(account_begin(a));
        TRY(account_end(a, make(a, b, name, &bit)));
    }
    *ret_bit = bit;
    return OK;
}

struct slice mailbox_keyword_name(struct account *a, struct mailbox_id id, unsigned bit)
{
    account_assert_usable(a);
    const struct box *b = box_by_id(a, id);
    return b && bit < LIMIT_KEYWORDS ? slice_str(b->keywords[bit]) : SLICE_EMPTY;
}

uint64_t mailbox_keywords(struct account *a, struct mailbox_id id)
{
    account_assert_usable(a);
    const struct box *b = box_by_id(a, id);
    return b ? b->keyword_mask : 0;
}

fallible
keywords_translate(struct account *a, struct box *from, struct box *to, uint64_t mask, uint64_t *ret_mask)
{
    uint64_t out = 0;
    for (uint64_t rest = from == to ? 0 : mask & from->keyword_mask; rest; rest &= rest - 1) {
        struct slice name = slice_str(from->keywords[__builtin_ctzll(rest)]);
        unsigned bit;
        if (!find(to, name, &bit)) {
            if (is_full(to))
                continue;
            TRY(make(a, to, name, &bit));
        }
        out |= UINT64_C(1) << bit;
    }
    *ret_mask = from == to ? mask : out;
    return OK;
}

#include "imap/wire/parse.h"

static bool has_keyword(const struct scan_list *keywords, struct slice name)
{
    const struct slice *have = keywords->items;
    for (size_t i = 0; i < keywords->n; i++)
        if (slice_eq_nocase(have[i], name))
            return true;
    return false;
}

/* flag: a system flag, or a keyword; \Recent and unknown backslash flags are refused: nobody can set them. */
static fallible parse_flag(struct imap_scan *s, unsigned *system, struct scan_list *keywords)
{
    struct slice before = s->rest, name;
    void *item;
    bool backslash = scan_take(s, '\\');
    TRY(scan_atom(s, &name));
    if (backslash) {
        unsigned bit = imap_flag_of(slice_sub(before, 0, name.n + 1));
        if (!(bit & IMAP_FLAG_SYSTEM))
            return scan_bad(s, "no such flag");
        *system |= bit;
        return OK;
    }
    if (has_keyword(keywords, name))
        return OK;
    TRY(scan_list_add(s, keywords, &item));
    *(struct slice *)item = name;
    return OK;
}

/* How many different keywords one command may name: no mailbox has more. */
static struct scan_list keyword_list(void)
{
    return SCAN_LIST(struct slice, LIMIT_KEYWORDS);
}

fallible parse_flag_list(struct imap_scan *s, struct imap_flags *ret_flags)
{
    struct scan_list keywords = keyword_list();
    unsigned system = 0;
    TRY(scan_open(s));
    if (!scan_sees(s, ')')) {
        do {
            TRY(parse_flag(s, &system, &keywords));
        } while (scan_take(s, ' '));
    }
    TRY(scan_close(s));
    *ret_flags = (struct imap_flags){.system = system, .keywords = keywords.items, .keywords_n = keywords.n};
    return OK;
}

/* STORE takes a list, or flags one after the other without parentheses. */
static fallible parse_store_flags(struct imap_scan *s, struct imap_flags *ret_flags)
{
    struct scan_list keywords = keyword_list();
    unsigned system = 0;
    if (scan_sees(s, '('))
        return parse_flag_list(s, ret_flags);
    do {
        TRY(parse_flag(s, &system, &keywords));
    } while (scan_take(s, ' '));
    *ret_flags = (struct imap_flags){.system = system, .keywords = keywords.items, .keywords_n = keywords.n};
    return OK;
}

/* RFC 7162 3.1.3: "(UNCHANGEDSINCE 12345) " in front of the item; zero is allowed there. */
static fallible parse_store_modifiers(struct imap_scan *s, struct imap_command *c)
{
    static const struct parse_word words[] = {{"UNCHANGEDSINCE", 1}};
    unsigned bit = 0;
    TRY(scan_open(s));
    TRY(parse_word(s, words, 1, "unknown modifier", &bit));
    TRY(scan_space(s));
    TRY(parse_modseq(s, true, &c->store.unchanged_since));
    c->store.has_unchanged_since = true;
    TRY(scan_close(s));
    return scan_space(s);
}

fallible parse_store(struct imap_scan *s, struct imap_command *c)
{
    static const struct parse_word words[] = {{"FLAGS", 0}, {"FLAGS.SILENT", 1}};
    unsigned silent;
    TRY(scan_space(s));
    TRY(parse_set(s, &c->store.set));
    TRY(scan_space(s));
    if (scan_sees(s, '('))
        TRY(parse_store_modifiers(s, c));
    c->store.how = scan_take(s, '+')   ? IMAP_STORE_ADD
                   : scan_take(s, '-') ? IMAP_STORE_REMOVE
                                       : IMAP_STORE_SET;
    TRY(parse_word(s, words, 2, "unknown STORE item", &silent));
    c->store.silent = silent != 0;
    TRY(scan_space(s));
    return parse_store_flags(s, &c->store.flags);
}

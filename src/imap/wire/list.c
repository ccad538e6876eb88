#include "base/limits.h"
#include "imap/wire/parse.h"

static const struct parse_word select_words[] = {
    {"SUBSCRIBED", IMAP_LIST_SUBSCRIBED},
    {"REMOTE", IMAP_LIST_REMOTE},
    {"RECURSIVEMATCH", IMAP_LIST_RECURSIVEMATCH},
    {"SPECIAL-USE", IMAP_LIST_SPECIAL_USE},
};
static const struct parse_word give_words[] = {
    {"SUBSCRIBED", IMAP_LIST_SUBSCRIBED},
    {"CHILDREN", IMAP_LIST_CHILDREN},
    {"SPECIAL-USE", IMAP_LIST_SPECIAL_USE},
    {"STATUS", IMAP_LIST_STATUS},
};

/* list-select-opts (RFC 5258 6): RECURSIVEMATCH and REMOTE only modify others. */
static fallible parse_selection(struct imap_scan *s, unsigned *ret_select)
{
    unsigned select = 0, bit = 0;
    TRY(scan_open(s));
    if (!scan_sees(s, ')')) {
        do {
            TRY(parse_word(
                s, select_words, sizeof select_words / sizeof *select_words, "unknown selection option",
                &bit));
            select |= bit;
        } while (scan_take(s, ' '));
    }
    if ((select & IMAP_LIST_RECURSIVEMATCH) && !(select & (IMAP_LIST_SUBSCRIBED | IMAP_LIST_SPECIAL_USE)))
        return scan_bad(s, "RECURSIVEMATCH needs another selection option");
    *ret_select = select;
    return scan_close(s);
}

static fallible parse_return(struct imap_scan *s, struct imap_command *c)
{
    unsigned bit = 0;
    TRY(scan_space(s));
    TRY(scan_open(s));
    if (!scan_sees(s, ')')) {
        do {
            TRY(parse_word(
                s, give_words, sizeof give_words / sizeof *give_words, "unknown return option", &bit));
            c->list.give |= bit;
            if (bit == IMAP_LIST_STATUS) {
                TRY(scan_space(s));
                TRY(parse_status_items(s, &c->list.status_items));
            }
        } while (scan_take(s, ' '));
    }
    return scan_close(s);
}

/* A pattern has few wildcards and a bounded length, or matching would cost too much (T-161). */
static fallible parse_pattern(struct imap_scan *s, struct scan_list *patterns)
{
    struct slice wire;
    void *item;
    size_t wildcards = 0;
    TRY(scan_list_string(s, &wire));
    for (size_t i = 0; i < wire.n; i++)
        wildcards += wire.p[i] == '*' || wire.p[i] == '%';
    if (wire.n > LIMIT_MAILBOX_NAME || wildcards > LIMIT_IMAP_WILDCARDS)
        return scan_limit(s, "pattern too large");
    TRY(scan_list_add(s, patterns, &item));
    return parse_name(s, wire, item);
}

static fallible parse_patterns(struct imap_scan *s, struct imap_command *c, bool many)
{
    struct scan_list patterns = SCAN_LIST(struct imap_mailbox, LIMIT_IMAP_PATTERNS);
    if (many && scan_sees(s, '(')) {
        c->list.extended = true;
        TRY(scan_open(s));
        do {
            TRY(parse_pattern(s, &patterns));
        } while (scan_take(s, ' '));
        TRY(scan_close(s));
    } else {
        TRY(parse_pattern(s, &patterns));
    }
    c->list.patterns = patterns.items;
    c->list.patterns_n = patterns.n;
    return OK;
}

fallible parse_list(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    if (scan_sees(s, '(')) {
        c->list.extended = true;
        TRY(parse_selection(s, &c->list.select));
        TRY(scan_space(s));
    }
    TRY(parse_mailbox(s, &c->list.reference));
    TRY(scan_space(s));
    TRY(parse_patterns(s, c, true));
    if (!scan_take_word(s, " RETURN"))
        return OK;
    c->list.extended = true;
    return parse_return(s, c);
}

fallible parse_lsub(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(parse_mailbox(s, &c->list.reference));
    TRY(scan_space(s));
    return parse_patterns(s, c, false);
}

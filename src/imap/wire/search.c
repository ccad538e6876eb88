#include "imap/wire/search.h"

#include "imap/wire/parse.h"
#include "mail/date.h"

/* What stands behind a key's name. */
enum operand { NOTHING, STRING, FIELD_AND_STRING, DATE, NUMBER, ATOM, SET, MODSEQ, ONE_KEY, TWO_KEYS };

/* The grammar's words, reduced. `negated`: the key stands inside a NOT. Sorted by name. */
static const struct word {
    const char *name;
    enum operand operand;
    enum imap_key key;
    uint64_t number;
    const char *field;
    bool negated;
} words[] = {
    {"ALL", NOTHING, IMAP_KEY_ALL},
    {"ANSWERED", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_ANSWERED},
    {"BCC", STRING, IMAP_KEY_HEADER, .field = "Bcc"},
    {"BEFORE", DATE, IMAP_KEY_BEFORE},
    {"BODY", STRING, IMAP_KEY_BODY},
    {"CC", STRING, IMAP_KEY_HEADER, .field = "Cc"},
    {"DELETED", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_DELETED},
    {"DRAFT", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_DRAFT},
    {"FLAGGED", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_FLAGGED},
    {"FROM", STRING, IMAP_KEY_HEADER, .field = "From"},
    {"HEADER", FIELD_AND_STRING, IMAP_KEY_HEADER},
    {"KEYWORD", ATOM, IMAP_KEY_KEYWORD},
    {"LARGER", NUMBER, IMAP_KEY_LARGER},
    {"MODSEQ", MODSEQ, IMAP_KEY_MODSEQ},
    {"NEW", NOTHING, IMAP_KEY_AND}, /* RECENT UNSEEN: expand_new */
    {"NOT", ONE_KEY, IMAP_KEY_NOT},
    {"OLD", NOTHING, IMAP_KEY_RECENT, .negated = true},
    {"ON", DATE, IMAP_KEY_ON},
    {"OR", TWO_KEYS, IMAP_KEY_OR},
    {"RECENT", NOTHING, IMAP_KEY_RECENT},
    {"SEEN", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_SEEN},
    {"SENTBEFORE", DATE, IMAP_KEY_SENT_BEFORE},
    {"SENTON", DATE, IMAP_KEY_SENT_ON},
    {"SENTSINCE", DATE, IMAP_KEY_SENT_SINCE},
    {"SINCE", DATE, IMAP_KEY_SINCE},
    {"SMALLER", NUMBER, IMAP_KEY_SMALLER},
    {"SUBJECT", STRING, IMAP_KEY_HEADER, .field = "Subject"},
    {"TEXT", STRING, IMAP_KEY_TEXT},
    {"TO", STRING, IMAP_KEY_HEADER, .field = "To"},
    {"UID", SET, IMAP_KEY_UID},
    {"UNANSWERED", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_ANSWERED, .negated = true},
    {"UNDELETED", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_DELETED, .negated = true},
    {"UNDRAFT", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_DRAFT, .negated = true},
    {"UNFLAGGED", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_FLAGGED, .negated = true},
    {"UNKEYWORD", ATOM, IMAP_KEY_KEYWORD, .negated = true},
    {"UNSEEN", NOTHING, IMAP_KEY_FLAG, IMAP_FLAG_SEEN, .negated = true},
};

static fallible parse_key(struct imap_scan *s, struct imap_search *search, struct imap_search_key **ret_key);

static fallible
new_key(struct imap_scan *s, struct imap_search *search, enum imap_key kind, struct imap_search_key **ret_key)
{
    if (search->keys == s->limits->search_keys)
        return scan_limit(s, "too many search keys");
    struct imap_search_key *key = ARENA_NEW(s->arena, struct imap_search_key);
    TRY(scan_memory(s));
    search->keys++;
    key->key = kind;
    *ret_key = key;
    return OK;
}

/* A date stands bare or in quotes. */
static bool is_date_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-';
}

static fallible parse_date(struct imap_scan *s, int64_t *ret_days)
{
    struct slice text;
    if (scan_sees(s, '"'))
        TRY(scan_string(s, &text));
    else
        TRY(scan_run(s, is_date_char, &text));
    return date_parse_day(text, ret_days) == OK ? OK : scan_bad(s, "malformed date");
}

/* RFC 7162 3.1.5: MODSEQ [entry-name entry-type] number. There is one kind of entry, flags, and one MODSEQ for all of
 * them, so that its name changes nothing. */
static fallible parse_modseq_key(struct imap_scan *s, struct imap_search *search, struct imap_search_key *key)
{
    static const struct parse_word types[] = {{"all", 0}, {"priv", 0}, {"shared", 0}};
    if (scan_sees(s, '"')) {
        struct slice entry;
        unsigned bit;
        TRY(scan_string(s, &entry));
        if (!slice_starts_nocase(entry, S("/flags/")))
            return scan_bad(s, "unknown MODSEQ entry");
        TRY(scan_space(s));
        TRY(parse_word(s, types, 3, "unknown MODSEQ entry type", &bit));
        TRY(scan_space(s));
    }
    search->uses_modseq = true;
    return parse_modseq(s, true, &key->number);
}

static fallible
parse_children(struct imap_scan *s, struct imap_search *search, size_t n, struct imap_search_key *key)
{
    struct imap_search_key **at = &key->children;
    TRY(scan_deeper(s));
    for (size_t i = 0; i < n; i++) {
        if (i)
            TRY(scan_space(s));
        TRY(parse_key(s, search, at));
        at = &(*at)->next;
    }
    scan_shallower(s);
    return OK;
}

static fallible parse_operand(
    struct imap_scan *s, struct imap_search *search, enum operand operand, struct imap_search_key *key)
{
    if (operand == NOTHING)
        return OK;
    TRY(scan_space(s));
    switch (operand) {
    case FIELD_AND_STRING:
        TRY(scan_astring(s, &key->field));
        TRY(scan_space(s));
        return scan_astring(s, &key->text);
    case STRING:
        return scan_astring(s, &key->text);
    case DATE:
        return parse_date(s, &key->date);
    case NUMBER:
        return scan_number(s, UINT32_MAX, &key->number);
    case ATOM:
        return scan_atom(s, &key->text);
    case SET:
        return parse_set(s, &key->set);
    case MODSEQ:
        return parse_modseq_key(s, search, key);
    case ONE_KEY:
        return parse_children(s, search, 1, key);
    default:
        return parse_children(s, search, 2, key);
    }
}

/* NEW is RECENT and not \Seen. */
static fallible expand_new(struct imap_scan *s, struct imap_search *search, struct imap_search_key *key)
{
    TRY(new_key(s, search, IMAP_KEY_RECENT, &key->children));
    TRY(new_key(s, search, IMAP_KEY_NOT, &key->children->next));
    struct imap_search_key *not_seen = key->children->next;
    TRY(new_key(s, search, IMAP_KEY_FLAG, &not_seen->children));
    not_seen->children->number = IMAP_FLAG_SEEN;
    return OK;
}

static void note_needs(struct imap_search *search, enum imap_key key)
{
    search->uses_body |= key == IMAP_KEY_BODY || key == IMAP_KEY_TEXT;
    search->uses_header |= key == IMAP_KEY_HEADER || key == IMAP_KEY_TEXT || key == IMAP_KEY_SENT_BEFORE ||
                           key == IMAP_KEY_SENT_ON || key == IMAP_KEY_SENT_SINCE;
}

static fallible parse_word_key(
    struct imap_scan *s, struct imap_search *search, const struct word *word,
    struct imap_search_key **ret_key)
{
    struct imap_search_key *outer = NULL, *key = NULL;
    if (word->negated)
        TRY(new_key(s, search, IMAP_KEY_NOT, &outer));
    TRY(new_key(s, search, word->key, &key));
    key->number = word->number;
    key->field = slice_str(word->field);
    note_needs(search, word->key);
    TRY(parse_operand(s, search, word->operand, key));
    if (word->key == IMAP_KEY_AND)
        TRY(expand_new(s, search, key));
    if (outer)
        outer->children = key;
    *ret_key = outer ? outer : key;
    return OK;
}

/* Keys with spaces between: one key, or AND of them. */
static fallible parse_keys(struct imap_scan *s, struct imap_search *search, struct imap_search_key **ret_key)
{
    struct imap_search_key *all = NULL, **at;
    TRY(new_key(s, search, IMAP_KEY_AND, &all));
    at = &all->children;
    do {
        TRY(parse_key(s, search, at));
        at = &(*at)->next;
    } while (scan_take(s, ' '));
    *ret_key = all->children->next ? all : all->children;
    return OK;
}

static fallible parse_key(struct imap_scan *s, struct imap_search *search, struct imap_search_key **ret_key)
{
    struct slice name;
    if (scan_sees(s, '(')) {
        TRY(scan_open(s));
        TRY(parse_keys(s, search, ret_key));
        return scan_close(s);
    }
    if (s->rest.n && !ascii_is_alpha(s->rest.p[0])) {
        TRY(new_key(s, search, IMAP_KEY_SEQUENCE, ret_key));
        return parse_set(s, &(*ret_key)->set);
    }
    TRY(scan_keyword(s, &name));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq_nocase(name, slice_str(words[i].name)))
            return parse_word_key(s, search, &words[i], ret_key);
    return scan_bad(s, "unknown search key");
}

fallible parse_search(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    if (scan_take_word(s, "CHARSET ")) {
        TRY(scan_astring(s, &c->search.charset));
        TRY(scan_space(s));
    }
    return parse_keys(s, &c->search, &c->search.root);
}

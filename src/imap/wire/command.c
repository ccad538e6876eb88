#include "imap/wire/command.h"

#include <assert.h>

#include "imap/wire/mutf7.h"
#include "imap/wire/parse.h"
#include "mail/date.h"

enum { ID_PAIRS = 30 /* RFC 2971 3.3 */ };

const struct imap_verb imap_verbs[IMAP_VERBS] = {
#define OUT IMAP_STATE_OUT
#define IN IMAP_STATE_IN
#define AUTH IMAP_STATE_AUTH
#define OPEN IMAP_STATE_OPEN
#define ANY IMAP_STATE_ANY
#define CAN_READ IMAP_CAN_READ
#define CAN_FLAG IMAP_CAN_FLAG
#define CAN_APPEND IMAP_CAN_APPEND
#define CAN_DELETE IMAP_CAN_DELETE
#define CAN_MANAGE IMAP_CAN_MANAGE
#define NEEDS_TLS IMAP_VERB_NEEDS_TLS
#define SECRET IMAP_VERB_SECRET
#define USES_SEQ IMAP_VERB_USES_SEQ
#define BY_UID IMAP_VERB_BY_UID
#define BREAKS_SEQ IMAP_VERB_BREAKS_SEQ
#define NO_EXPUNGE IMAP_VERB_NO_EXPUNGE
#define CHANGES IMAP_VERB_CHANGES
#define WRITABLE IMAP_VERB_WRITABLE
#define VERB(id_, name_, shape_, states_, flags_, scope_, rights_, rfc_)                                     \
    {IMAP_VERB_##id_##_ID, name_, IMAP_SHAPE_##shape_, states_, flags_, IMAP_SCOPE_##scope_, rights_, rfc_},
#include "imap/wire/verbs.def"
#undef VERB
};

/* Any case; "UID FETCH" with one space. */
static const struct imap_verb *find_verb(struct slice name)
{
    for (size_t i = 0; i < IMAP_VERBS; i++)
        if (slice_eq_nocase(name, slice_str(imap_verbs[i].name)))
            return &imap_verbs[i];
    return NULL;
}

fallible parse_word(
    struct imap_scan *s, const struct parse_word *words, size_t n, const char *problem, unsigned *ret_bit)
{
    struct slice name;
    TRY(scan_keyword(s, &name));
    for (size_t i = 0; i < n; i++) {
        if (slice_eq_nocase(name, slice_str(words[i].name))) {
            *ret_bit = words[i].bit;
            return OK;
        }
    }
    return scan_bad(s, problem);
}

/* INBOX is the same in any case, alone and as the first level (RFC 3501 5.1). */
static void capitalise_inbox(char *name, size_t n)
{
    struct slice s = slice_of(name, n);
    if (slice_starts_nocase(s, S("INBOX")) && (n == 5 || name[5] == '/'))
        memcpy(name, "INBOX", 5);
}

static fallible keep_name(struct imap_scan *s, struct slice utf8, struct imap_mailbox *ret_mailbox)
{
    char *copy = arena_alloc(s->arena, utf8.n + 1);
    TRY(scan_memory(s));
    if (utf8.n)
        memcpy(copy, utf8.p, utf8.n);
    capitalise_inbox(copy, utf8.n);
    *ret_mailbox = (struct imap_mailbox){.name = slice_of(copy, utf8.n), .valid = true};
    return OK;
}

fallible parse_name(struct imap_scan *s, struct slice wire, struct imap_mailbox *ret_mailbox)
{
    struct buf CLEANUP_BUF utf8 = BUF_INIT(wire.n + 1);
    if (s->utf8)
        return keep_name(s, wire, ret_mailbox);
    if (imap_mutf7_get(wire, &utf8) != OK) {
        *ret_mailbox = (struct imap_mailbox){.name = S(""), .valid = false};
        return OK;
    }
    return keep_name(s, buf_slice(&utf8), ret_mailbox);
}

fallible parse_mailbox(struct imap_scan *s, struct imap_mailbox *ret_mailbox)
{
    struct slice wire;
    TRY(scan_astring(s, &wire));
    return parse_name(s, wire, ret_mailbox);
}

static bool is_set_char(char c)
{
    return ascii_is_digit(c) || c == ':' || c == ',' || c == '*' || c == '$';
}

fallible parse_set(struct imap_scan *s, struct imap_set *ret_set)
{
    struct slice text;
    TRY(scan_run(s, is_set_char, &text));
    enum err e = imap_set_parse(text, s->limits->set_ranges, s->arena, ret_set);
    if (e == ERR_LIMIT)
        return scan_limit(s, "too many ranges in the set");
    if (e == OK && ret_set->saved)
        return scan_bad(s, "no search result is kept"); /* RFC 5182 is not offered */
    return e == OK ? OK : scan_bad(s, "malformed set of messages");
}

/* mod-sequence-value: 63 bits (RFC 7162 9). */
fallible parse_modseq(struct imap_scan *s, bool zero_allowed, uint64_t *ret_modseq)
{
    uint64_t n;
    TRY(scan_number(s, INT64_MAX, &n));
    if (n == 0 && !zero_allowed)
        return scan_bad(s, "MODSEQ out of range");
    *ret_modseq = n;
    return OK;
}

static const struct parse_word status_words[] = {
    {"MESSAGES", IMAP_STATUS_MESSAGES}, {"RECENT", IMAP_STATUS_RECENT},
    {"UIDNEXT", IMAP_STATUS_UIDNEXT},   {"UIDVALIDITY", IMAP_STATUS_UIDVALIDITY},
    {"UNSEEN", IMAP_STATUS_UNSEEN},     {"HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ},
};

fallible parse_status_items(struct imap_scan *s, unsigned *ret_items)
{
    unsigned items = 0, bit = 0;
    TRY(scan_open(s));
    do {
        TRY(parse_word(
            s, status_words, sizeof status_words / sizeof *status_words, "unknown status item", &bit));
        items |= bit;
    } while (scan_take(s, ' '));
    TRY(scan_close(s));
    *ret_items = items;
    return OK;
}

static fallible parse_none(struct imap_scan *s, struct imap_command *c)
{
    return OK; /* nothing may follow: scan_end sees to it */
}

static fallible parse_login(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(scan_astring(s, &c->login.user));
    TRY(scan_space(s));
    return scan_astring(s, &c->login.secret);
}

static bool is_base64_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/' || c == '=';
}

/* RFC 4959: an initial response, "=" for an empty one. */
static fallible parse_authenticate(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(scan_atom(s, &c->authenticate.mechanism));
    if (!scan_take(s, ' '))
        return OK;
    c->authenticate.has_initial = true;
    TRY(scan_run(s, is_base64_char, &c->authenticate.initial));
    if (slice_eq(c->authenticate.initial, S("=")))
        c->authenticate.initial = S("");
    return OK;
}

static fallible parse_one_mailbox(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    return parse_mailbox(s, &c->mailbox);
}

/* select-param of RFC 4466 and 7162: "(CONDSTORE)". */
static fallible parse_select(struct imap_scan *s, struct imap_command *c)
{
    static const struct parse_word words[] = {{"CONDSTORE", 1}};
    unsigned bit = 0;
    TRY(scan_space(s));
    TRY(parse_mailbox(s, &c->select.mailbox));
    if (!scan_take(s, ' '))
        return OK;
    TRY(scan_open(s));
    do {
        TRY(parse_word(s, words, 1, "unknown parameter", &bit));
        c->select.condstore = true;
    } while (scan_take(s, ' '));
    return scan_close(s);
}

static fallible parse_rename(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(parse_mailbox(s, &c->rename.from));
    TRY(scan_space(s));
    return parse_mailbox(s, &c->rename.to);
}

static fallible parse_status(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(parse_mailbox(s, &c->status.mailbox));
    TRY(scan_space(s));
    return parse_status_items(s, &c->status.items);
}

static fallible parse_quoted_date(struct imap_scan *s, int64_t *ret_date)
{
    struct slice text;
    struct mail_date date;
    TRY(scan_string(s, &text));
    if (date_parse_internal(text, &date) != OK)
        return scan_bad(s, "malformed date");
    *ret_date = date.unix_s;
    return OK;
}

/* The text ends with the space in front of the message's literal, which the reader keeps back. */
static fallible parse_append(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(parse_mailbox(s, &c->append.mailbox));
    TRY(scan_space(s));
    if (scan_sees(s, '(')) {
        TRY(parse_flag_list(s, &c->append.flags));
        TRY(scan_space(s));
    }
    if (scan_sees(s, '"')) {
        c->append.has_date = true;
        TRY(parse_quoted_date(s, &c->append.date));
        TRY(scan_space(s));
    }
    return OK;
}

static fallible parse_enable(struct imap_scan *s, struct imap_command *c)
{
    size_t n = 0;
    TRY(scan_space(s));
    do {
        struct slice name;
        TRY(scan_atom(s, &name));
        if (slice_eq_nocase(name, S("CONDSTORE")))
            c->enable.known |= IMAP_ENABLE_CONDSTORE;
        if (++n > s->limits->items)
            return scan_limit(s, "too many items");
    } while (scan_take(s, ' '));
    return OK;
}

/* RFC 2971 4: NIL, or pairs of string and nstring. */
static fallible parse_id(struct imap_scan *s, struct imap_command *c)
{
    struct scan_list pairs = SCAN_LIST(struct imap_pair, ID_PAIRS);
    TRY(scan_space(s));
    if (scan_take_word(s, "NIL"))
        return OK;
    TRY(scan_open(s));
    while (!scan_sees(s, ')')) {
        void *item;
        if (pairs.n)
            TRY(scan_space(s));
        TRY(scan_list_add(s, &pairs, &item));
        struct imap_pair *pair = item;
        TRY(scan_string(s, &pair->field));
        TRY(scan_space(s));
        TRY(scan_nstring(s, &pair->value));
    }
    c->id.pairs = pairs.items;
    c->id.n = pairs.n;
    return scan_close(s);
}

static fallible parse_only_set(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    return parse_set(s, &c->set.set);
}

static fallible parse_copy(struct imap_scan *s, struct imap_command *c)
{
    TRY(scan_space(s));
    TRY(parse_set(s, &c->copy.set));
    TRY(scan_space(s));
    return parse_mailbox(s, &c->copy.mailbox);
}

typedef enum err parse_shape(struct imap_scan *s, struct imap_command *c);
static parse_shape *const shapes[] = {
    [IMAP_SHAPE_NONE] = parse_none,
    [IMAP_SHAPE_APPEND] = parse_append,
    [IMAP_SHAPE_AUTHENTICATE] = parse_authenticate,
    [IMAP_SHAPE_COPY] = parse_copy,
    [IMAP_SHAPE_CREATE] = parse_one_mailbox,
    [IMAP_SHAPE_ENABLE] = parse_enable,
    [IMAP_SHAPE_FETCH] = parse_fetch,
    [IMAP_SHAPE_ID] = parse_id,
    [IMAP_SHAPE_LIST] = parse_list,
    [IMAP_SHAPE_LOGIN] = parse_login,
    [IMAP_SHAPE_LSUB] = parse_lsub,
    [IMAP_SHAPE_MAILBOX] = parse_one_mailbox,
    [IMAP_SHAPE_RENAME] = parse_rename,
    [IMAP_SHAPE_SEARCH] = parse_search,
    [IMAP_SHAPE_SELECT] = parse_select,
    [IMAP_SHAPE_SET] = parse_only_set,
    [IMAP_SHAPE_STATUS] = parse_status,
    [IMAP_SHAPE_STORE] = parse_store,
};
static_assert(sizeof shapes / sizeof *shapes == IMAP_SHAPE_N, "a shape without a parser");

/* "tag SP name", where UID takes the next word into the name. */
static fallible parse_verb(struct imap_scan *s, struct imap_command *c)
{
    struct slice tag, first, second;
    TRY(scan_run(s, imap_is_astring_char, &tag));
    if (!imap_is_tag(tag, s->limits->tag))
        return scan_bad(s, "malformed tag");
    c->tag = tag;
    if (!scan_take(s, ' '))
        return scan_bad(s, "command missing");
    const char *start = s->rest.p;
    TRY(scan_atom(s, &first));
    if (slice_eq_nocase(first, S("UID"))) {
        TRY(scan_space(s));
        TRY(scan_atom(s, &second));
    }
    c->verb = find_verb(slice_of(start, (size_t)(s->rest.p - start)));
    return c->verb ? OK : scan_bad(s, "unknown command");
}

fallible imap_command_parse(
    struct slice text, const struct imap_limits *limits, bool utf8, struct arena *arena,
    struct imap_command *ret_command)
{
    struct imap_scan s = {.rest = text, .limits = limits, .arena = arena, .utf8 = utf8};
    enum err e;
    memset(ret_command, 0, sizeof *ret_command);
    ret_command->tag = S("*");
    e = parse_verb(&s, ret_command);
    if (e == OK)
        e = shapes[ret_command->verb->shape](&s, ret_command);
    if (e == OK)
        e = scan_end(&s);
    if (e != OK)
        ret_command->problem = s.problem ? s.problem : "command too large";
    return e;
}

/* address_list.c - address lists of header fields (RFC 5322 3.4, 4.4): one pass, no recursion, hostile input included. */
#include "mail/address.h"
#include "mail/header.h"

enum token { T_END, T_WORD, T_QUOTED, T_LITERAL, T_COMMENT, T_SPECIAL, T_JUNK };

/* Text built from tokens; `from` is where its first octet stands in the value, so that a run that is there as it is
 * needs no copy. */
struct text {
    struct buf buf;
    size_t from;
    bool any;
};

struct parser {
    struct slice s;
    size_t at;
    struct arena *arena;
    struct address_list *list;
    size_t room; /* items there is space for */
    bool in_group;
    bool angle_done; /* the mailbox now read has had its <...> */
    /* the current token */
    enum token token;
    char special;
    bool blank_before;
    size_t start; /* of its content */
    struct slice content;
    struct buf scratch; /* of content that needed unquoting */
    /* what was read of the current mailbox */
    struct text phrase, local, domain, route, comment;
    size_t phrase_mark; /* of the phrase, before the words that became the local part */
    bool after_dot;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_special(char c)
{
    return c == '<' || c == '>' || c == '@' || c == ',' || c == ';' || c == ':' || c == '.';
}

/* ---- tokens ---- */

/* Content up to an unescaped `close` (nesting `open` where given), backslashes and line ends removed. */
static void take_enclosed(struct parser *p, char open, char close)
{
    size_t depth = 1, plain = 0;
    buf_clear(&p->scratch);
    p->start = ++p->at;
    for (; p->at < p->s.n; p->at++) {
        char c = p->s.p[p->at];
        if (c == '\\' && p->at + 1 < p->s.n) {
            c = p->s.p[++p->at];
        } else if (c == '\r' || c == '\n') {
            if (c == '\n' || (p->at + 1 < p->s.n && p->s.p[p->at + 1] == '\n'))
                continue;
        } else if (c == close) {
            if (--depth == 0)
                break;
        } else if (open && c == open)
            depth++;
        if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
            p->list->invalid = true;
        buf_put_char(&p->scratch, c);
        plain++;
    }
    if (p->at < p->s.n)
        p->at++;
    else
        p->list->invalid = true;
    p->content = plain ? buf_slice(&p->scratch) : slice_of("", 0);
}

static void next_token(struct parser *p)
{
    p->blank_before = false;
    while (p->at < p->s.n && is_blank(p->s.p[p->at])) {
        p->blank_before = true;
        p->at++;
    }
    p->start = p->at;
    if (p->at == p->s.n) {
        p->token = T_END;
        return;
    }
    char c = p->s.p[p->at];
    p->special = c;
    if (c == '"' || c == '[') {
        p->token = c == '"' ? T_QUOTED : T_LITERAL;
        take_enclosed(p, 0, c == '"' ? '"' : ']');
    } else if (c == '(') {
        p->token = T_COMMENT;
        take_enclosed(p, '(', ')');
    } else if (is_special(c)) {
        p->token = T_SPECIAL;
        p->at++;
    } else if (c == ')' || c == ']' || c == '\\') {
        p->token = T_JUNK;
        p->at++;
    } else {
        p->token = T_WORD;
        while (p->at < p->s.n && !is_blank(c = p->s.p[p->at]) && !is_special(c) &&
               !strchr("\"[](\\)", c ? c : 'x')) {
            if ((unsigned char)c < ' ' || c == 0x7f)
                p->list->invalid = true;
            p->at++;
        }
        p->content = slice_of(p->s.p + p->start, p->at - p->start);
    }
}

/* ---- texts ---- */

static void text_put(struct text *t, struct slice s, size_t from)
{
    if (!t->any)
        t->from = from;
    t->any = true;
    buf_put(&t->buf, s);
}

static void text_clear(struct text *t)
{
    buf_clear(&t->buf);
    t->any = false;
}

static struct slice text_slice(struct parser *p, struct text *t)
{
    if (!t->any)
        return SLICE_EMPTY;
    struct slice built = buf_slice(&t->buf);
    struct slice there = slice_sub(p->s, t->from, built.n);
    if (built.n == 0)
        return slice_of(p->s.p + t->from, 0);
    return slice_eq(there, built) ? there : arena_copy(p->arena, built);
}

static void mailbox_clear(struct parser *p)
{
    text_clear(&p->phrase);
    text_clear(&p->local);
    text_clear(&p->domain);
    text_clear(&p->route);
    text_clear(&p->comment);
    p->phrase_mark = 0;
    p->after_dot = false;
    p->angle_done = false;
}

/* ---- items ---- */

static bool item_add(struct parser *p, struct address_item item)
{
    struct address_list *l = p->list;
    if (l->count == LIMIT_ENVELOPE_ADDRESSES) {
        l->truncated = true;
        return false;
    }
    if (l->count == p->room) {
        size_t room = p->room ? p->room * 2 : 4;
        struct address_item *items = arena_array(p->arena, room, sizeof *items);
        if (!items) {
            l->truncated = true;
            return false;
        }
        if (l->count)
            memcpy(items, l->items, l->count * sizeof *items);
        l->items = items;
        p->room = room;
    }
    l->items[l->count++] = item;
    l->mailboxes += item.kind == ADDRESS_MAILBOX;
    return true;
}

/* The last words turned out to be a local part: the name is what stood before them. */
static void phrase_cut(struct parser *p)
{
    while (p->phrase_mark && p->phrase.buf.p[p->phrase_mark - 1] == ' ')
        p->phrase_mark--;
    p->list->invalid |= p->phrase_mark > 0;
    p->phrase.buf.n = p->phrase_mark;
    p->phrase.any = p->phrase_mark > 0;
}

/* The mailbox read so far is complete; nothing when there is none. False: the list is full. */
static bool mailbox_add(struct parser *p)
{
    bool any = p->angle_done || p->local.any || p->domain.any;
    if (!any) {
        mailbox_clear(p);
        return true;
    }
    if (!p->angle_done && !p->domain.any)
        phrase_cut(p);
    struct address_item item = {.kind = ADDRESS_MAILBOX};
    item.local = p->local.any ? text_slice(p, &p->local) : slice_of("", 0);
    item.domain = text_slice(p, &p->domain);
    item.route = text_slice(p, &p->route);
    item.name = text_slice(p, p->phrase.any ? &p->phrase : &p->comment);
    if (item.local.n == 0 || item.domain.n == 0)
        p->list->invalid = true;
    mailbox_clear(p);
    if (p->arena->failed) {
        p->list->truncated = true;
        return false;
    }
    return item_add(p, item);
}

/* ---- the grammar ---- */

/* Outside angle brackets: a word may be of a phrase or of a local part, a later token tells. */
static void on_word(struct parser *p)
{
    if (!p->after_dot) {
        text_clear(&p->local);
        p->phrase_mark = p->phrase.buf.n;
    }
    text_put(&p->local, p->content, p->start);
    if (p->phrase.any && (p->blank_before || !p->after_dot))
        buf_put_char(&p->phrase.buf, ' ');
    text_put(&p->phrase, p->content, p->start);
    p->after_dot = false;
}

static void on_dot(struct parser *p)
{
    if (!p->local.any)
        p->phrase_mark = p->phrase.buf.n;
    if (p->phrase.any && p->blank_before)
        buf_put_char(&p->phrase.buf, ' ');
    text_put(&p->phrase, S("."), p->start);
    text_put(&p->local, S("."), p->start);
    p->after_dot = true;
}

/* Behind '@': atoms and dots, or a literal; stops at the first token of something else. */
static void read_domain(struct parser *p, struct text *into)
{
    bool want_atom = true;
    for (next_token(p);; next_token(p)) {
        bool atom = p->token == T_WORD || p->token == T_LITERAL;
        if (p->token == T_COMMENT) {
            text_clear(&p->comment);
            text_put(&p->comment, p->content, p->start);
            continue;
        }
        if (atom && want_atom) {
            if (p->token == T_LITERAL)
                text_put(into, S("["), p->start - 1);
            text_put(into, p->content, p->start);
            if (p->token == T_LITERAL)
                text_put(into, S("]"), p->at - 1);
            want_atom = false;
        } else if (p->token == T_SPECIAL && p->special == '.') {
            p->list->invalid |= want_atom;
            text_put(into, S("."), p->start);
            want_atom = true;
        } else
            break;
    }
    p->list->invalid |= want_atom;
}

/* "@a,@b:" at the current '@' (RFC 5322 4.4). False: it was no route. */
static void read_route(struct parser *p)
{
    while (p->token == T_SPECIAL && (p->special == '@' || p->special == ',')) {
        text_put(&p->route, p->special == '@' ? S("@") : S(","), p->start);
        if (p->special == '@')
            read_domain(p, &p->route);
        else
            next_token(p);
    }
    if (p->token == T_SPECIAL && p->special == ':')
        next_token(p);
    else
        p->list->invalid = true;
}

/* Words and dots of a local part inside angle brackets; ends at the first other token. */
static void read_angle_local(struct parser *p)
{
    bool after_word = false;
    for (;; next_token(p)) {
        bool word = p->token == T_WORD || p->token == T_QUOTED;
        bool dot = p->token == T_SPECIAL && p->special == '.';
        if (p->token == T_COMMENT)
            continue;
        if (!word && !dot)
            break;
        if (word ? after_word : !after_word)
            p->list->invalid = true;
        if (word && after_word && p->blank_before)
            text_put(&p->local, S(" "), p->start - 1);
        text_put(&p->local, dot ? S(".") : p->content, p->start);
        after_word = word;
    }
    p->list->invalid |= !after_word;
}

/* At '<'. Leaves the token behind '>' current. */
static void read_angle(struct parser *p)
{
    text_clear(&p->local);
    text_clear(&p->domain);
    text_clear(&p->route);
    p->angle_done = true;
    next_token(p);
    while (p->token == T_COMMENT)
        next_token(p);
    if (p->token == T_SPECIAL && p->special == '@')
        read_route(p);
    read_angle_local(p);
    if (p->token == T_SPECIAL && p->special == '@')
        read_domain(p, &p->domain);
    else
        p->list->invalid = true;
    /* junk up to '>', but no further than this address */
    while (p->token != T_END && !(p->token == T_SPECIAL && strchr("<>,;", p->special))) {
        p->list->invalid = true;
        next_token(p);
    }
    if (p->token == T_SPECIAL && p->special == '>')
        next_token(p);
    else
        p->list->invalid = true;
}

/* At '@' outside angle brackets: the last words are the local part, what stood before them a name. */
static void read_bare_domain(struct parser *p)
{
    if (p->domain.any || p->angle_done || !p->local.any || p->after_dot)
        p->list->invalid = true;
    if (p->angle_done || p->domain.any) {
        next_token(p);
        return;
    }
    struct slice local = buf_slice(&p->local.buf);
    if (slice_starts(local, S(".")) || slice_search(local, S("..")) != SLICE_NPOS)
        p->list->invalid = true;
    phrase_cut(p);
    read_domain(p, &p->domain);
}

/* "a@b <c@d>" without quotes: wrong but common; the one who wrote it means c@d. */
static void address_as_name(struct parser *p)
{
    size_t from = p->phrase.any ? p->phrase.from : p->local.any ? p->local.from : p->domain.from;
    struct slice name = slice_trim(slice_of(p->s.p + from, p->start - from));
    text_clear(&p->phrase);
    text_put(&p->phrase, name, from);
    p->list->invalid = true;
}

static bool group_start(struct parser *p)
{
    if (p->in_group || p->domain.any || p->angle_done || !p->phrase.any) {
        p->list->invalid = true;
        mailbox_clear(p);
        return true;
    }
    struct address_item item = {.kind = ADDRESS_GROUP_START, .name = text_slice(p, &p->phrase)};
    mailbox_clear(p);
    p->in_group = true;
    return item_add(p, item);
}

static bool group_end(struct parser *p)
{
    if (!mailbox_add(p))
        return false;
    if (!p->in_group) {
        p->list->invalid = true;
        return true;
    }
    p->in_group = false;
    return item_add(p, (struct address_item){.kind = ADDRESS_GROUP_END});
}

/* One token outside angle brackets; leaves the next one current. False: the list is full. */
static bool on_token(struct parser *p)
{
    if (p->token == T_SPECIAL && p->special == '<') {
        if (p->angle_done) {
            p->list->invalid = true;
            if (!mailbox_add(p))
                return false;
        } else if (p->domain.any)
            address_as_name(p);
        read_angle(p);
        return true;
    }
    if (p->token == T_SPECIAL && p->special == '@') {
        read_bare_domain(p);
        return true;
    }
    bool more = true;
    bool is_word = p->token == T_WORD || p->token == T_QUOTED;
    if (is_word || (p->token == T_SPECIAL && p->special == '.')) {
        if (p->angle_done || p->domain.any) {
            p->list->invalid = true;
            more = mailbox_add(p);
        }
        if (is_word)
            on_word(p);
        else
            on_dot(p);
    } else if (p->token == T_COMMENT) {
        text_clear(&p->comment);
        text_put(&p->comment, p->content, p->start);
    } else if (p->token == T_SPECIAL && p->special == ',')
        more = mailbox_add(p);
    else if (p->token == T_SPECIAL && p->special == ':')
        more = group_start(p);
    else if (p->token == T_SPECIAL && p->special == ';')
        more = group_end(p);
    else
        p->list->invalid = true;
    next_token(p);
    return more;
}

void address_list_parse(struct slice value, struct arena *arena, struct address_list *ret_list)
{
    *ret_list = (struct address_list){.items = NULL};
    struct parser p = {.s = value.p ? value : S(""), .arena = arena, .list = ret_list};
    struct text *texts[] = {&p.phrase, &p.local, &p.domain, &p.route, &p.comment};
    buf_init(&p.scratch, value.n + 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buf_init(&texts[i]->buf, 2 * value.n + 8);
    bool more = true;
    for (next_token(&p); more && p.token != T_END;)
        more = on_token(&p);
    if (more)
        more = mailbox_add(&p);
    if (p.in_group) {
        ret_list->invalid = true;
        if (more)
            (void)item_add(&p, (struct address_item){.kind = ADDRESS_GROUP_END});
    }
    buf_done(&p.scratch);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        buf_done(&texts[i]->buf);
}

#include "imap/session/match.h"

#include "base/limits.h"
#include "mail/date.h"
#include "mail/header.h"

enum { NO_KEYWORD = 64 };

/* ---- preparing ---- */

struct preparing {
    struct matcher *k;
    struct arena *mem;
    const struct charset *charset; /* NULL: none was named */
    unsigned (*keyword)(void *owner, struct slice name);
    void *owner;
    size_t limit; /* needles that there is room for */
};

/* Where the envelope has the field; ENVELOPE_FIELDS when it has not. */
static unsigned envelope_place(struct slice field)
{
    static const struct {
        const char *name;
        unsigned place;
    } table[] = {
        {"Subject", ENVELOPE_SUBJECT},
        {"From", ENVELOPE_FROM},
        {"To", ENVELOPE_TO},
        {"Cc", ENVELOPE_CC},
        {"Bcc", ENVELOPE_BCC},
        {"Message-ID", ENVELOPE_MESSAGE_ID},
        {"Sender", ENVELOPE_SENDER},
        {"Date", ENVELOPE_DATE},
        {"In-Reply-To", ENVELOPE_IN_REPLY_TO},
        {"Reply-To", ENVELOPE_REPLY_TO},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (slice_eq_nocase(field, slice_str(table[i].name)))
            return table[i].place;
    return ENVELOPE_FIELDS;
}

static fallible add_needle(struct preparing *p, struct imap_search_key *key)
{
    struct buf CLEANUP_BUF utf8 = BUF_INIT(4 * LIMIT_IMAP_LITERAL + 16);
    struct buf CLEANUP_BUF folded = BUF_INIT(32 * LIMIT_IMAP_LITERAL);
    struct charset_decoder decoder;
    struct needle *needle = &p->k->needles[p->k->n];
    charset_decoder_init(&decoder, p->charset);
    charset_decoder_feed(&decoder, key->text, &utf8);
    charset_decoder_finish(&decoder, &utf8);
    text_fold_put(&folded, buf_slice(&utf8));
    TRY(buf_check(&folded));
    *needle = (struct needle){
        .key = key->key, .field = key->field, .folded = arena_copy(p->mem, buf_slice(&folded))};
    TRY(arena_check(p->mem));
    if (key->key != IMAP_KEY_HEADER && needle->folded.n > p->k->longest)
        p->k->longest = needle->folded.n;
    p->k->wants_all_fields |= key->key == IMAP_KEY_TEXT;
    p->k->beyond_envelope |= key->key == IMAP_KEY_HEADER && envelope_place(key->field) == ENVELOPE_FIELDS;
    key->slot = (unsigned)p->k->n++;
    return OK;
}

static fallible prepare(struct preparing *p, struct imap_search_key *key)
{
    for (; key; key = key->next) {
        switch (key->key) {
        case IMAP_KEY_SEQUENCE:
            imap_set_resolve(&key->set, (uint32_t)p->k->view->n);
            break;
        case IMAP_KEY_UID:
            imap_set_resolve(&key->set, view_last_uid(p->k->view));
            break;
        case IMAP_KEY_KEYWORD:
            key->slot = p->keyword(p->owner, key->text);
            break;
        case IMAP_KEY_HEADER:
        case IMAP_KEY_BODY:
        case IMAP_KEY_TEXT:
            TRY(add_needle(p, key));
            break;
        default:
            break;
        }
        TRY(prepare(p, key->children));
    }
    return OK;
}

fallible matcher_init(
    struct matcher *k, const struct charsets *charsets, const struct view *view, struct imap_search *search,
    struct arena *mem, unsigned (*keyword)(void *owner, struct slice name), void *owner)
{
    struct preparing p = {.k = k, .mem = mem, .keyword = keyword, .owner = owner};
    *k = (struct matcher){.charsets = charsets, .view = view, .root = search->root};
    buf_init(&k->octets, 2 * BODY_CHUNK);
    buf_init(&k->utf8, 8 * BODY_CHUNK);
    buf_init(&k->window, LIMIT_SESSION_MEMORY);
    if (search->charset.n) {
        p.charset = charset_find(charsets, search->charset);
        if (!p.charset)
            return ERR_UNSUPPORTED;
    }
    k->needles = arena_array(mem, search->keys, sizeof *k->needles);
    TRY(arena_check(mem));
    return prepare(&p, search->root);
}

void matcher_done(struct matcher *k)
{
    buf_done(&k->octets);
    buf_done(&k->utf8);
    buf_done(&k->window);
}

/* ---- judging ---- */

static enum verdict verdict_of(bool yes)
{
    return yes ? VERDICT_YES : VERDICT_NO;
}

static enum verdict judge(const struct matcher *k, const struct imap_search_key *key);

/* AND and OR are one thing with the signs changed: the first `decisive` child decides. */
static enum verdict judge_children(
    const struct matcher *k, const struct imap_search_key *key, enum verdict decisive, enum verdict otherwise)
{
    for (const struct imap_search_key *c = key->children; c; c = c->next) {
        enum verdict v = judge(k, c);
        if (v == decisive)
            return decisive;
        if (v == VERDICT_UNKNOWN)
            otherwise = VERDICT_UNKNOWN;
    }
    return otherwise;
}

static enum verdict judge_needle(const struct matcher *k, const struct imap_search_key *key)
{
    bool known = key->key == IMAP_KEY_HEADER ? k->header_known : k->body_known;
    if (k->needles[key->slot].hit)
        return VERDICT_YES;
    return known ? VERDICT_NO : VERDICT_UNKNOWN;
}

static bool judge_day(enum imap_key key, int64_t day, int64_t wanted)
{
    switch (key) {
    case IMAP_KEY_BEFORE:
    case IMAP_KEY_SENT_BEFORE:
        return day < wanted;
    case IMAP_KEY_ON:
    case IMAP_KEY_SENT_ON:
        return day == wanted;
    default:
        return day >= wanted;
    }
}

static enum verdict judge_row(const struct matcher *k, const struct imap_search_key *key)
{
    const struct message *m = &k->m;
    switch (key->key) {
    case IMAP_KEY_ALL:
        return VERDICT_YES;
    case IMAP_KEY_SEQUENCE:
        return verdict_of(imap_set_has(&key->set, k->sequence));
    case IMAP_KEY_UID:
        return verdict_of(imap_set_has(&key->set, m->uid.v));
    case IMAP_KEY_FLAG:
        return verdict_of(m->flags.system & key->number);
    case IMAP_KEY_KEYWORD:
        return verdict_of(key->slot < NO_KEYWORD && (m->flags.keywords >> key->slot & 1));
    case IMAP_KEY_RECENT:
        return verdict_of(view_is_recent(k->view, m->uid.v));
    case IMAP_KEY_LARGER:
        return verdict_of(m->size > key->number);
    case IMAP_KEY_SMALLER:
        return verdict_of(m->size < key->number);
    case IMAP_KEY_MODSEQ:
        return verdict_of(m->modseq >= key->number);
    case IMAP_KEY_BEFORE:
    case IMAP_KEY_ON:
    case IMAP_KEY_SINCE:
        return verdict_of(judge_day(key->key, date_day(m->internal_date, 0), key->date));
    default:
        return verdict_of(judge_day(key->key, k->sent_day, key->date));
    }
}

/* Recursion is as deep as the parser allowed (LIMIT_IMAP_NESTING). */
static enum verdict judge(const struct matcher *k, const struct imap_search_key *key)
{
    switch (key->key) {
    case IMAP_KEY_AND:
        return judge_children(k, key, VERDICT_NO, VERDICT_YES);
    case IMAP_KEY_OR:
        return judge_children(k, key, VERDICT_YES, VERDICT_NO);
    case IMAP_KEY_NOT: {
        enum verdict v = judge(k, key->children);
        return v == VERDICT_UNKNOWN ? v : verdict_of(v == VERDICT_NO);
    }
    case IMAP_KEY_HEADER:
    case IMAP_KEY_BODY:
    case IMAP_KEY_TEXT:
        return judge_needle(k, key);
    default:
        return judge_row(k, key);
    }
}

/* ---- the row ---- */

/* The day the Date field names, in its own zone (RFC 3501 6.4.4); the internal date's when it cannot be read. */
static int64_t sent_day(const struct matcher *k)
{
    struct structure_envelope envelope;
    struct mail_date date;
    if (k->structure.envelope.p && structure_envelope_read(k->structure.envelope, &envelope) == OK &&
        envelope.raw[ENVELOPE_DATE].p && date_parse(envelope.raw[ENVELOPE_DATE], &date) == OK)
        return date_day(date.unix_s, date.zone);
    return date_day(k->m.sent_date, 0);
}

static void seek_in_field(struct matcher *k, const struct header_field *field);

/* When only fields of the envelope are sought, the row answers, and the message is not opened. */
static void seek_in_envelope(struct matcher *k)
{
    struct structure_envelope envelope;
    if (k->wants_all_fields || k->beyond_envelope || !k->structure.envelope.p ||
        structure_envelope_read(k->structure.envelope, &envelope) != OK)
        return;
    for (size_t i = 0; i < k->n; i++) {
        const struct needle *needle = &k->needles[i];
        struct slice raw =
            needle->key == IMAP_KEY_HEADER ? envelope.raw[envelope_place(needle->field)] : SLICE_EMPTY;
        if (raw.p)
            seek_in_field(k, &(struct header_field){.name = needle->field, .value = raw});
    }
    k->header_known = true;
    structure_walk_start(&k->walk, &k->structure);
}

enum verdict matcher_row(struct matcher *k, const struct message *m, uint32_t sequence)
{
    k->m = *m;
    k->sequence = sequence;
    k->header_known = k->body_known = k->in_part = false;
    k->structure = (struct structure){0};
    for (size_t i = 0; i < k->n; i++)
        k->needles[i].hit = k->needles[i].key == IMAP_KEY_BODY && !k->needles[i].folded.n;
    if (m->structure.p) {
        /* a row that cannot be read has no date, no header and no bodies to find anything in */
        if (structure_open(m->structure, &k->structure) != OK)
            k->header_known = k->body_known = true;
        else
            seek_in_envelope(k);
        k->sent_day = sent_day(k);
    }
    return judge(k, k->root);
}

/* ---- the header ---- */

static bool wants_field(const struct matcher *k, struct slice name)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->needles[i].key == IMAP_KEY_HEADER && slice_eq_nocase(k->needles[i].field, name))
            return true;
    return k->wants_all_fields;
}

static void seek_in_field(struct matcher *k, const struct header_field *field)
{
    struct buf CLEANUP_BUF text = BUF_INIT(4 * LIMIT_HEADER_FIELD),
                           CLEANUP_BUF folded = BUF_INIT(32 * LIMIT_HEADER_FIELD);
    /* for TEXT the name is part of the header's text */
    buf_put(&text, field->name);
    buf_put(&text, S(": "));
    size_t value_at = text.n;
    header_decode_text((struct charsets *)k->charsets, field->value, &text);
    text_fold_put(&folded, slice_sub(buf_slice(&text), 0, value_at));
    size_t folded_at = folded.n;
    text_fold_put(&folded, slice_from(buf_slice(&text), value_at));
    for (size_t i = 0; i < k->n; i++) {
        struct needle *needle = &k->needles[i];
        struct slice where = buf_slice(&folded);
        if (needle->key == IMAP_KEY_HEADER && slice_eq_nocase(needle->field, field->name))
            where = slice_from(where, folded_at);
        else if (needle->key != IMAP_KEY_TEXT)
            continue;
        needle->hit |= !needle->folded.n || slice_search(where, needle->folded) != SLICE_NPOS;
    }
}

enum verdict matcher_header(struct matcher *k, struct slice header)
{
    struct header_field field;
    size_t at = 0;
    while (header_next(header, &at, &field))
        if (wants_field(k, field.name))
            seek_in_field(k, &field);
    k->header_known = true;
    structure_walk_start(&k->walk, &k->structure);
    return judge(k, k->root);
}

fallible matcher_header_range(struct matcher *k, uint64_t *ret_start, uint64_t *ret_end)
{
    struct structure_section found;
    TRY(structure_find_section(&k->structure, S(""), STRUCTURE_HEADER, &found));
    *ret_start = found.start;
    *ret_end = found.end;
    return OK;
}

/* ---- the bodies ---- */

/* What was there before is looked at again only as far back as a needle may have begun in it. */
static void seek_in_window(struct matcher *k)
{
    struct slice window = buf_slice(&k->window);
    for (size_t i = 0; i < k->n; i++) {
        struct needle *needle = &k->needles[i];
        size_t back = needle->folded.n ? needle->folded.n - 1 : 0;
        size_t from = k->kept > back ? k->kept - back : 0;
        if (needle->key != IMAP_KEY_HEADER && !needle->hit)
            needle->hit = slice_search(slice_from(window, from), needle->folded) != SLICE_NPOS;
    }
    size_t keep = k->longest > 1 ? k->longest - 1 : 0;
    if (k->window.n > keep)
        buf_drop_front(&k->window, k->window.n - keep);
    k->kept = k->window.n;
}

/* The charset a part names. US-ASCII is what is said by default, and often not true: then any readable guess is better. */
static const struct charset *charset_of(const struct matcher *k, const struct structure_part *part)
{
    struct structure_params params = part->params;
    struct header_param param;
    while (structure_param_next(&params, &param) == OK)
        if (slice_eq_nocase(param.name, S("charset")))
            return slice_eq_nocase(param.value, S("us-ascii")) ? NULL
                                                               : charset_find(k->charsets, param.value);
    return NULL;
}

static void part_start(struct matcher *k, const struct structure_part *part)
{
    k->in_part = true;
    k->at = part->body_start;
    k->end = part->body_end;
    encoding_decoder_init(&k->encoding, part->encoding);
    charset_decoder_init(&k->charset, charset_of(k, part));
    text_fold_init(&k->fold);
    buf_clear(&k->window);
    k->kept = 0;
}

static void part_end(struct matcher *k)
{
    buf_clear(&k->octets);
    buf_clear(&k->utf8);
    encoding_decoder_finish(&k->encoding, &k->octets);
    charset_decoder_feed(&k->charset, buf_slice(&k->octets), &k->utf8);
    charset_decoder_finish(&k->charset, &k->utf8);
    text_fold_feed(&k->fold, buf_slice(&k->utf8), &k->window);
    text_fold_finish(&k->fold, &k->window);
    seek_in_window(k);
    k->in_part = false;
}

static void part_feed(struct matcher *k, struct slice piece)
{
    buf_clear(&k->octets);
    buf_clear(&k->utf8);
    encoding_decoder_feed(&k->encoding, piece, &k->octets);
    charset_decoder_feed(&k->charset, buf_slice(&k->octets), &k->utf8);
    text_fold_feed(&k->fold, buf_slice(&k->utf8), &k->window);
    seek_in_window(k);
    k->at += piece.n;
}

/* Goes to the next part that holds text; the end makes the bodies known. */
static fallible next_part(struct matcher *k)
{
    while (!k->in_part && !k->body_known) {
        enum structure_event event;
        struct structure_part part;
        TRY(structure_walk_next(&k->walk, &event, &part));
        k->body_known = event == STRUCTURE_END;
        if (event == STRUCTURE_ENTER && part.kind == MIME_TEXT)
            part_start(k, &part);
    }
    return OK;
}

fallible matcher_body(
    struct matcher *k, struct sight *sight, struct body_reader *body, size_t budget,
    enum verdict *ret_verdict)
{
    enum verdict verdict = VERDICT_UNKNOWN;
    while (budget && verdict == VERDICT_UNKNOWN) {
        struct slice piece = S("");
        TRY(next_part(k));
        if (k->in_part && k->at < k->end) {
            uint64_t left = k->end - k->at;
            size_t most = left < BODY_CHUNK / 4 ? (size_t)left : BODY_CHUNK / 4;
            TRY(sight_read(sight, body, k->at, most, &piece));
            if (!piece.n)
                return ERR_CORRUPT;
            part_feed(k, piece);
            budget -= piece.n < budget ? piece.n : budget;
        } else if (k->in_part) {
            part_end(k);
        }
        verdict = judge(k, k->root);
    }
    *ret_verdict = verdict;
    return OK;
}

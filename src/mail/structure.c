/* structure.c - reading the row, without trust. */
#include "mail/structure_row.h"

/* Sticky: once something is wrong, all that follows is empty. */
struct reader {
    const unsigned char *p, *end;
    bool bad;
};

static struct reader reader_of(struct slice s)
{
    const unsigned char *p = (const unsigned char *)(s.p ? s.p : "");
    return (struct reader){p, p + s.n, false};
}

static uint64_t fail(struct reader *r)
{
    r->bad = true;
    r->p = r->end;
    return 0;
}

static uint64_t take_int_long(struct reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (r->p == r->end)
            return fail(r);
        unsigned char c = *r->p++;
        value |= (uint64_t)(c & 0x7f) << shift;
        if (!(c & 0x80))
            return value;
    }
    return fail(r);
}

static inline uint64_t take_int(struct reader *r)
{
    if (r->p < r->end && *r->p < 0x80)
        return *r->p++;
    return take_int_long(r);
}

static inline uint64_t take_int_max(struct reader *r, uint64_t max)
{
    uint64_t value = take_int(r);
    return value <= max ? value : fail(r);
}

static inline struct slice take_octets(struct reader *r, uint64_t n)
{
    if (n > (uint64_t)(r->end - r->p)) {
        fail(r);
        return slice_of(r->p, 0);
    }
    struct slice s = slice_of(r->p, (size_t)n);
    r->p += n;
    return s;
}

static inline struct slice take_text(struct reader *r)
{
    return take_octets(r, take_int(r));
}

static struct slice rest_of(const struct reader *r)
{
    return slice_of(r->p, (size_t)(r->end - r->p));
}

fallible structure_open(struct slice row, struct structure *ret_structure)
{
    struct reader r = reader_of(row);
    if (row.n < 2 || *r.p != STRUCTURE_MAGIC)
        return ERR_CORRUPT;
    if (r.p[1] > STRUCTURE_VERSION)
        return ERR_UNSUPPORTED;
    if (r.p[1] == 0)
        return ERR_CORRUPT;
    r.p += 2;
    struct structure s = {.row = row};
    s.flags = (uint32_t)take_int_max(&r, UINT32_MAX);
    s.size = take_int(&r);
    s.parts = (uint32_t)take_int_max(&r, LIMIT_MIME_PARTS);
    s.envelope = take_text(&r);
    s.records = rest_of(&r);
    if (r.bad || s.parts == 0)
        return ERR_CORRUPT;
    *ret_structure = s;
    return OK;
}

/* ---- envelopes ---- */

fallible structure_envelope_read(struct slice envelope, struct structure_envelope *ret_envelope)
{
    struct reader r = reader_of(envelope);
    struct structure_envelope *e = ret_envelope;
    struct structure_envelope read;
    memset(&read, 0, sizeof read);
    unsigned has = (unsigned)take_int_max(&r, (1u << ENVELOPE_FIELDS) - 1);
    for (unsigned i = 0; i < ENVELOPE_FIELDS; i++) {
        if (!(has >> i & 1))
            continue;
        read.raw[i] = take_text(&r);
        if (!ENVELOPE_HAS_ADDRESSES(i))
            continue;
        struct structure_addresses *a = &read.addresses[i];
        a->value = read.raw[i];
        a->pool = take_text(&r);
        struct reader items = reader_of(take_text(&r));
        uint64_t head = take_int(&items);
        a->invalid = head & 1;
        a->truncated = head & 2;
        a->count = a->left = (size_t)(head >> 2);
        a->rest = rest_of(&items);
        r.bad |= items.bad || a->count > LIMIT_ENVELOPE_ADDRESSES + 1 || a->count > a->rest.n;
    }
    if (r.bad || r.p != r.end)
        return ERR_CORRUPT;
    *e = read;
    return OK;
}

static struct slice take_place(struct reader *r, const struct structure_addresses *walk)
{
    uint64_t offset = take_int(r), n = take_int(r);
    struct slice from = walk->value;
    if (offset > from.n || (offset == from.n && n)) {
        offset -= from.n;
        from = walk->pool;
    }
    if (offset > from.n || n > from.n - offset) {
        fail(r);
        return SLICE_EMPTY;
    }
    return slice_of(from.p + offset, (size_t)n);
}

fallible structure_address_next(struct structure_addresses *walk, struct address_item *ret_item)
{
    if (walk->left == 0)
        return ERR_NOT_FOUND;
    struct reader r = reader_of(walk->rest);
    unsigned has = (unsigned)take_int_max(&r, KIND_MASK | HAS_NAME | HAS_ROUTE | HAS_LOCAL | HAS_DOMAIN);
    struct address_item item = {.kind = (enum address_item_kind)(has & KIND_MASK)};
    if (has & HAS_NAME)
        item.name = take_place(&r, walk);
    if (has & HAS_ROUTE)
        item.route = take_place(&r, walk);
    if (has & HAS_LOCAL)
        item.local = take_place(&r, walk);
    if (has & HAS_DOMAIN)
        item.domain = take_place(&r, walk);
    bool needs_local = item.kind == ADDRESS_MAILBOX; /* without one IMAP would read a group's end */
    if (r.bad || (has & KIND_MASK) > ADDRESS_GROUP_END || (needs_local && !item.local.p))
        return ERR_CORRUPT;
    walk->rest = rest_of(&r);
    walk->left--;
    *ret_item = item;
    return OK;
}

/* ---- parts ---- */

static size_t take_count(struct slice list, size_t most, struct slice *ret_rest, bool *bad)
{
    if (list.n == 0)
        return 0;
    struct reader r = reader_of(list);
    uint64_t count = take_int(&r);
    *ret_rest = rest_of(&r);
    if (r.bad || count > most || count > ret_rest->n)
        *bad = true;
    return (size_t)count;
}

static struct structure_params take_params(struct reader *r)
{
    struct structure_params params = {.count = 0};
    params.count = take_count(take_text(r), 2 * LIMIT_MIME_PARAMETERS, &params.rest, &r->bad);
    return params;
}

fallible structure_param_next(struct structure_params *walk, struct header_param *ret_param)
{
    if (walk->count == 0)
        return ERR_NOT_FOUND;
    struct reader r = reader_of(walk->rest);
    uint64_t head = take_int(&r);
    struct header_param param = {.extended = head & 1};
    param.name = take_octets(&r, head >> 1);
    param.value = take_text(&r);
    if (r.bad)
        return ERR_CORRUPT;
    walk->rest = rest_of(&r);
    walk->count--;
    *ret_param = param;
    return OK;
}

fallible structure_language_next(struct structure_languages *walk, struct slice *ret_language)
{
    if (walk->count == 0)
        return ERR_NOT_FOUND;
    struct reader r = reader_of(walk->rest);
    struct slice language = take_text(&r);
    if (r.bad)
        return ERR_CORRUPT;
    walk->rest = rest_of(&r);
    walk->count--;
    *ret_language = language;
    return OK;
}

static void read_numbers(struct reader *r, uint64_t size, struct structure_part *part)
{
    part->depth = (uint16_t)take_int_max(r, LIMIT_MIME_DEPTH);
    part->kind = (uint8_t)take_int_max(r, MIME_KINDS - 1);
    part->encoding = (uint8_t)take_int_max(r, ENCODING_N - 1);
    part->flags = (uint32_t)take_int_max(r, UINT32_MAX);
    part->children = (uint32_t)take_int_max(r, LIMIT_MIME_PARTS);
    part->header_start = take_int_max(r, size);
    part->body_start = part->header_start + take_int_max(r, size - part->header_start);
    part->body_end = part->body_start + take_int_max(r, size - part->body_start);
    part->body_lines = take_int_max(r, part->body_end - part->body_start);
}

static void read_options(struct reader *r, struct structure_part *part)
{
    unsigned has = (unsigned)take_int_max(r, 2 * HAS_LANGUAGES - 1);
    struct slice *const texts[OPTIONAL_TEXTS] = {
        &part->id, &part->description, &part->transfer_encoding, &part->md5, &part->location};
    for (unsigned i = 0; has && i < OPTIONAL_TEXTS; i++)
        if (has >> i & 1)
            *texts[i] = take_text(r);
    if (has & HAS_DISPOSITION) {
        part->disposition = take_text(r);
        part->disposition_params = take_params(r);
    }
    if (has & HAS_LANGUAGES)
        part->languages.count =
            take_count(take_text(r), LIMIT_MIME_PARAMETERS, &part->languages.rest, &r->bad);
}

/* The record at `at`; *ret_next is where the next one stands. */
static fallible read_part(
    const struct structure *s, size_t at, uint32_t index, struct structure_part *ret_part, size_t *ret_next)
{
    struct reader records = reader_of(slice_from(s->records, at));
    struct reader r = reader_of(take_text(&records));
    struct structure_part part;
    memset(&part, 0, sizeof part);
    part.index = index;
    part.record = at;
    read_numbers(&r, s->size, &part);
    part.type = take_text(&r);
    part.subtype = take_text(&r);
    part.params = take_params(&r);
    read_options(&r, &part);
    if (part.kind == MIME_MESSAGE)
        part.envelope = take_text(&r);
    bool fits =
        part.kind == MIME_MULTIPART ? part.children > 0 : part.children == (part.kind == MIME_MESSAGE);
    if (records.bad || r.bad || r.p != r.end || !fits || part.type.n == 0 || part.subtype.n == 0)
        return ERR_CORRUPT;
    *ret_next = s->records.n - (size_t)(records.end - records.p);
    *ret_part = part;
    return OK;
}

fallible
structure_behind_numbers(const struct structure *s, const struct structure_part *part, struct slice *ret_rest)
{
    struct reader records = reader_of(slice_from(s->records, part->record));
    struct reader r = reader_of(take_text(&records));
    for (size_t i = 0; i < NUMBERS; i++)
        (void)take_int(&r);
    if (records.bad || r.bad)
        return ERR_CORRUPT;
    *ret_rest = rest_of(&r);
    return OK;
}

void structure_walk_start(struct structure_walk *walk, const struct structure *s)
{
    walk->s = s;
    walk->at = 0;
    walk->index = 0;
    walk->open = 0;
    walk->last.record = SIZE_MAX;
}

static fallible walk_enter(struct structure_walk *walk, struct structure_part *ret_part)
{
    size_t next = 0;
    if (walk->index == walk->s->parts)
        return ERR_CORRUPT;
    TRY(read_part(walk->s, walk->at, walk->index, &walk->last, &next));
    if (walk->last.depth != walk->open)
        return ERR_CORRUPT;
    if (walk->open)
        walk->stack[walk->open - 1].left--;
    walk->stack[walk->open].record = walk->at;
    walk->stack[walk->open].index = walk->index++;
    walk->stack[walk->open].left = walk->last.children;
    walk->open++;
    walk->at = next;
    *ret_part = walk->last;
    return OK;
}

fallible structure_walk_next(
    struct structure_walk *walk, enum structure_event *ret_event, struct structure_part *ret_part)
{
    if (walk->index == 0 || (walk->open && walk->stack[walk->open - 1].left)) {
        TRY(walk_enter(walk, ret_part));
        *ret_event = STRUCTURE_ENTER;
        return OK;
    }
    if (walk->open == 0) {
        if (walk->index != walk->s->parts || walk->at != walk->s->records.n)
            return ERR_CORRUPT;
        *ret_event = STRUCTURE_END;
        return OK;
    }
    size_t record = walk->stack[walk->open - 1].record, next = 0;
    if (walk->last.record != record)
        TRY(read_part(walk->s, record, walk->stack[walk->open - 1].index, &walk->last, &next));
    walk->open--;
    *ret_part = walk->last;
    *ret_event = STRUCTURE_LEAVE;
    return OK;
}

/* ---- sections ---- */

/* The depth of a record and where the next one stands: all that is needed to pass it. */
static fallible skim(const struct structure *s, size_t at, uint64_t *ret_depth, size_t *ret_next)
{
    struct reader records = reader_of(slice_from(s->records, at));
    struct reader r = reader_of(take_text(&records));
    uint64_t depth = take_int(&r);
    if (records.bad || r.bad)
        return ERR_CORRUPT;
    *ret_depth = depth;
    *ret_next = s->records.n - (size_t)(records.end - records.p);
    return OK;
}

static fallible nth_child(
    const struct structure *s, const struct structure_part *parent, uint64_t n,
    struct structure_part *ret_part)
{
    size_t at = parent->record, next = 0;
    uint64_t depth = 0;
    TRY(skim(s, at, &depth, &at));
    for (uint32_t index = parent->index + 1; n <= parent->children && at < s->records.n; index++, at = next) {
        TRY(skim(s, at, &depth, &next));
        if (depth <= parent->depth)
            break;
        if (depth == parent->depth + 1u && --n == 0)
            return read_part(s, at, index, ret_part, &next);
    }
    return ERR_NOT_FOUND;
}

/* A number of a part path: 1 and more, without leading zeros. */
static fallible take_number(struct slice *path, uint64_t *ret_number)
{
    struct slice word;
    if (!slice_cut(path, '.', &word) || word.n == 0 || word.p[0] == '0')
        return ERR_SYNTAX;
    return slice_to_u64(word, UINT32_MAX, ret_number) == OK ? OK : ERR_SYNTAX;
}

static fallible find_part(const struct structure *s, struct slice path, struct structure_part *ret_part)
{
    struct structure_part part;
    size_t next = 0;
    TRY(read_part(s, 0, 0, &part, &next));
    bool found = true;
    bool whole_message =
        true; /* `part` is a message's body and not yet numbered: 1 is itself, if no multipart */
    if (path.n == 0)
        path = SLICE_EMPTY;
    while (path.p) {
        uint64_t number = 0;
        TRY(take_number(&path, &number));
        if (!found)
            continue; /* the rest may still be no number */
        if (part.kind == MIME_MULTIPART) {
            struct structure_part child;
            enum err e = nth_child(s, &part, number, &child);
            if (e != OK && e != ERR_NOT_FOUND)
                return e;
            found = e == OK;
            if (found)
                part = child;
        } else
            found = whole_message && number == 1;
        whole_message = false;
        if (found && path.p && part.kind == MIME_MESSAGE) {
            struct structure_part child;
            enum err e = nth_child(s, &part, 1, &child);
            if (e != OK)
                return ERR_CORRUPT;
            part = child;
            whole_message = true;
        }
    }
    if (!found)
        return ERR_NOT_FOUND;
    *ret_part = part;
    return OK;
}

/* The part whose header and body are those of the message: the root, or what a message part holds. */
static fallible message_of(
    const struct structure *s, bool is_root, const struct structure_part *part,
    struct structure_part *ret_body)
{
    if (is_root) {
        *ret_body = *part;
        return OK;
    }
    if (part->kind != MIME_MESSAGE)
        return ERR_NOT_FOUND;
    return nth_child(s, part, 1, ret_body) == OK ? OK : ERR_CORRUPT;
}

fallible structure_find_section(
    const struct structure *s, struct slice path, enum structure_want want,
    struct structure_section *ret_section)
{
    struct structure_section found;
    struct structure_part body;
    bool is_root = path.n == 0;
    TRY(find_part(s, path, &found.part));
    if (want == STRUCTURE_MIME) {
        if (is_root)
            return ERR_NOT_FOUND;
        found.start = found.part.header_start;
        found.end = found.part.body_start;
    } else if (want == STRUCTURE_WHOLE) {
        found.start = is_root ? 0 : found.part.body_start;
        found.end = is_root ? s->size : found.part.body_end;
    } else {
        TRY(message_of(s, is_root, &found.part, &body));
        found.start = want == STRUCTURE_HEADER ? body.header_start : body.body_start;
        found.end = want == STRUCTURE_HEADER ? body.body_start : body.body_end;
    }
    *ret_section = found;
    return OK;
}

/* ---- the whole ---- */

static fallible check_envelope(struct slice text)
{
    struct structure_envelope envelope;
    TRY(structure_envelope_read(text, &envelope));
    for (unsigned i = ENVELOPE_FROM; i <= ENVELOPE_BCC; i++) {
        struct address_item item;
        enum err e;
        while ((e = structure_address_next(&envelope.addresses[i], &item)) == OK)
            continue;
        if (e != ERR_NOT_FOUND || envelope.addresses[i].rest.n)
            return ERR_CORRUPT;
    }
    return OK;
}

static fallible check_lists(const struct structure_part *part)
{
    struct structure_params params[2] = {part->params, part->disposition_params};
    struct structure_languages languages = part->languages;
    struct header_param param;
    struct slice language;
    enum err e;
    for (int i = 0; i < 2; i++) {
        while ((e = structure_param_next(&params[i], &param)) == OK)
            continue;
        if (e != ERR_NOT_FOUND || params[i].rest.n)
            return ERR_CORRUPT;
    }
    while ((e = structure_language_next(&languages, &language)) == OK)
        continue;
    return e == ERR_NOT_FOUND && languages.rest.n == 0 ? OK : ERR_CORRUPT;
}

fallible structure_check(const struct structure *s)
{
    /* of each open part: octets its next child may use */
    uint64_t from[LIMIT_MIME_DEPTH + 2], to[LIMIT_MIME_DEPTH + 2];
    struct structure_walk walk;
    struct structure_part part;
    enum structure_event event = STRUCTURE_ENTER;
    from[0] = 0;
    to[0] = s->size;
    TRY(check_envelope(s->envelope));
    structure_walk_start(&walk, s);
    while (event != STRUCTURE_END) {
        TRY(structure_walk_next(&walk, &event, &part));
        if (event != STRUCTURE_ENTER)
            continue;
        if (part.header_start < from[part.depth] || part.body_end > to[part.depth])
            return ERR_CORRUPT;
        from[part.depth] = part.body_end;
        from[part.depth + 1] = part.body_start;
        to[part.depth + 1] = part.body_end;
        TRY(check_lists(&part));
        if (part.kind == MIME_MESSAGE)
            TRY(check_envelope(part.envelope));
    }
    return OK;
}

/* structure_write.c - writing the row. */
#include "mail/structure_row.h"

struct writer {
    struct buf record, envelope, list, pool; /* each used by one level of nesting */
};

static void put_int(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_put_char(out, (char)(value | 0x80));
        value >>= 7;
    }
    buf_put_char(out, (char)value);
}

static void put_text(struct buf *out, struct slice s)
{
    put_int(out, s.n);
    buf_put(out, s);
}

/* Where a text stands: in the value, or put behind it into the pool. */
static void put_place(struct writer *w, struct slice value, struct slice text)
{
    size_t offset = value.n + w->pool.n;
    uintptr_t start = (uintptr_t)text.p, base = (uintptr_t)value.p;
    if (text.n == 0)
        offset = 0;
    else if (start >= base && start - base <= value.n && text.n <= value.n - (start - base))
        offset = start - base;
    else
        buf_put(&w->pool, text);
    put_int(&w->list, offset);
    put_int(&w->list, text.n);
}

static void put_item(struct writer *w, struct slice value, const struct address_item *item)
{
    const struct slice texts[] = {item->name, item->route, item->local, item->domain};
    unsigned has = item->kind;
    for (unsigned i = 0; i < 4; i++)
        has |= texts[i].p ? (unsigned)HAS_NAME << i : 0;
    put_int(&w->list, has);
    for (unsigned i = 0; i < 4; i++)
        if (texts[i].p)
            put_place(w, value, texts[i]);
}

static void put_addresses(struct writer *w, struct slice value, const struct address_list *list)
{
    buf_clear(&w->list);
    buf_clear(&w->pool);
    put_int(&w->list, (uint64_t)list->count << 2 | (list->truncated ? 2u : 0u) | (list->invalid ? 1u : 0u));
    for (size_t i = 0; i < list->count; i++)
        put_item(w, value, &list->items[i]);
    put_text(&w->envelope, buf_slice(&w->pool));
    put_text(&w->envelope, buf_slice(&w->list));
}

static void put_envelope(struct writer *w, struct buf *out, const struct mime_envelope *envelope)
{
    buf_clear(&w->envelope);
    unsigned has = 0;
    for (unsigned i = 0; i < ENVELOPE_FIELDS; i++)
        has |= envelope->raw[i].p ? 1u << i : 0;
    put_int(&w->envelope, has);
    for (unsigned i = 0; i < ENVELOPE_FIELDS; i++) {
        if (!envelope->raw[i].p)
            continue;
        put_text(&w->envelope, envelope->raw[i]);
        if (ENVELOPE_HAS_ADDRESSES(i))
            put_addresses(w, envelope->raw[i], &envelope->addresses[i]);
    }
    put_text(out, buf_slice(&w->envelope));
}

static void put_params(struct writer *w, const struct header_params *params)
{
    buf_clear(&w->list);
    if (params->count)
        put_int(&w->list, params->count);
    for (size_t i = 0; i < params->count; i++) {
        const struct header_param *param = &params->items[i];
        put_int(&w->list, (uint64_t)param->name.n << 1 | param->extended);
        buf_put(&w->list, param->name);
        put_text(&w->list, param->value);
    }
    put_text(&w->record, buf_slice(&w->list));
}

static void put_languages(struct writer *w, const struct mime_part *part)
{
    buf_clear(&w->list);
    put_int(&w->list, part->language_count);
    for (size_t i = 0; i < part->language_count; i++)
        put_text(&w->list, part->languages[i]);
    put_text(&w->record, buf_slice(&w->list));
}

static void put_numbers(struct buf *out, const uint64_t numbers[NUMBERS])
{
    for (size_t i = 0; i < NUMBERS; i++)
        put_int(out, numbers[i]);
}

static void put_part(struct writer *w, struct buf *out, const struct mime_part *part)
{
    buf_clear(&w->record);
    const uint64_t numbers[NUMBERS] = NUMBERS_OF(part);
    put_numbers(&w->record, numbers);
    put_text(&w->record, part->type.type);
    put_text(&w->record, part->type.subtype);
    put_params(w, &part->type);
    const struct slice texts[OPTIONAL_TEXTS] = {
        part->id, part->description, part->transfer_encoding, part->md5, part->location};
    unsigned has = (part->disposition.type.p ? (unsigned)HAS_DISPOSITION : 0) |
                   (part->language_count ? (unsigned)HAS_LANGUAGES : 0);
    for (unsigned i = 0; i < OPTIONAL_TEXTS; i++)
        has |= texts[i].p ? 1u << i : 0;
    put_int(&w->record, has);
    for (unsigned i = 0; i < OPTIONAL_TEXTS; i++)
        if (texts[i].p)
            put_text(&w->record, texts[i]);
    if (has & HAS_DISPOSITION) {
        put_text(&w->record, part->disposition.type);
        put_params(w, &part->disposition);
    }
    if (has & HAS_LANGUAGES)
        put_languages(w, part);
    if (part->kind == MIME_MESSAGE)
        put_envelope(w, &w->record, part->envelope);
    put_text(out, buf_slice(&w->record));
}

static void writer_init(struct writer *w)
{
    struct buf *const bufs[] = {&w->record, &w->envelope, &w->list, &w->pool};
    for (size_t i = 0; i < 4; i++)
        buf_init(bufs[i], LIMIT_MIME_ARENA / 2);
}

/* What did not fit into one of the writer's buffers is missing in `out`. */
static void writer_done(struct writer *w, struct buf *out)
{
    struct buf *const bufs[] = {&w->record, &w->envelope, &w->list, &w->pool};
    for (size_t i = 0; i < 4; i++) {
        out->failed |= bufs[i]->failed;
        buf_done(bufs[i]);
    }
}

static void put_head(struct buf *out, uint32_t flags, uint64_t size, uint32_t parts)
{
    const uint64_t head[] = {STRUCTURE_MAGIC, STRUCTURE_VERSION};
    for (size_t i = 0; i < 2; i++)
        buf_put_char(out, (char)head[i]);
    put_int(out, flags);
    put_int(out, size);
    put_int(out, parts);
}

void structure_put_head(struct buf *out, uint32_t flags, uint64_t size, uint32_t parts, struct slice envelope)
{
    put_head(out, flags, size, parts);
    put_text(out, envelope);
}

void structure_put_part(struct buf *out, const struct mime_part *part)
{
    struct writer w;
    writer_init(&w);
    put_part(&w, out, part);
    writer_done(&w, out);
}

fallible structure_put(struct buf *out, const struct mime_tree *tree)
{
    struct writer w;
    writer_init(&w);
    put_head(out, tree->flags, tree->size, tree->parts);
    put_envelope(&w, out, tree->envelope);
    for (const struct mime_part *part = tree->root; part; part = mime_part_next(part))
        put_part(&w, out, part);
    writer_done(&w, out);
    return buf_check(out);
}

/* What it holds is not known, so whatever readers must be careful about is said of it. */
fallible structure_put_opaque(struct buf *out, uint64_t size)
{
    const uint32_t flags = MIME_OPAQUE | MIME_TRUNCATED | MIME_8BIT | MIME_NUL;
    struct mime_part part = {
        .kind = MIME_BASIC,
        .encoding = ENCODING_8BIT,
        .flags = flags,
        .body_end = size,
        .type = {.type = S("application"), .subtype = S("octet-stream")},
        .transfer_encoding = S("8bit")};
    struct mime_envelope envelope;
    memset(&envelope, 0, sizeof envelope);
    struct mime_tree tree = {.root = &part, .envelope = &envelope, .size = size, .parts = 1, .flags = flags};
    return structure_put(out, &tree);
}

fallible structure_put_moved(struct buf *out, const struct structure *s, const struct structure_part *part)
{
    struct buf head CLEANUP_BUF = BUF_INIT(16 * NUMBERS);
    const uint64_t numbers[NUMBERS] = NUMBERS_OF(part);
    struct slice rest;
    TRY(structure_behind_numbers(s, part, &rest));
    put_numbers(&head, numbers);
    put_int(out, head.n + rest.n);
    buf_put(out, buf_slice(&head));
    buf_put(out, rest);
    return buf_check(out);
}

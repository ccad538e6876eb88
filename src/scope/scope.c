/* scope.c - lines of limits to a scope and back. */
#include "scope/scope.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/limits.h"
#include "scope/private.h"

enum { LINE_WORDS = 64 };

enum err scope_refuse(struct buf *problem, enum err e, const char *format, ...)
{
    if (problem) {
        va_list args;
        va_start(args, format);
        buf_clear(problem);
        buf_vprintf(problem, format, args);
        va_end(args);
    }
    return e;
}

/* ---- reading ---- */

struct entry {
    const struct scope_kind_row *kind;
    struct slice value; /* canonical, in the arena */
};
struct entries {
    struct entry all[LIMIT_SCOPE_VALUES];
    size_t n;
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return slice_cmp(x->value, y->value);
}

static fallible
take_line(struct slice line, struct arena *arena, struct entries *entries, struct buf *problem)
{
    struct slice value = line, name;
    if (!slice_has(line, '='))
        return scope_refuse(
            problem, ERR_SYNTAX, "a limit is written name=value, not \"" SLICE_FMT "\"",
            SLICE_ARG(slice_sub(line, 0, LINE_WORDS)));
    slice_cut(&value, '=', &name);
    const struct scope_kind_row *kind = scope_kind_by_name(slice_trim(name));
    if (!kind)
        return scope_refuse(
            problem, ERR_UNSUPPORTED, "there is no limit called \"" SLICE_FMT "\"",
            SLICE_ARG(slice_sub(name, 0, LINE_WORDS)));
    if (entries->n == LIMIT_SCOPE_VALUES)
        return scope_refuse(problem, ERR_LIMIT, "at most %d limits", (int)LIMIT_SCOPE_VALUES);
    struct buf normal CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    TRY(scope_value_normal(kind, value, &normal, problem));
    struct slice copy = arena_copy(arena, buf_slice(&normal));
    TRY(arena_check(arena));
    entries->all[entries->n++] = (struct entry){kind, copy};
    return OK;
}

/* In the order of the table, equal ones once. */
static fallible settle_entries(struct entries *entries, struct buf *problem)
{
    size_t kept = 0;
    if (entries->n)
        qsort(entries->all, entries->n, sizeof *entries->all, compare_entries);
    for (size_t i = 0; i < entries->n; i++) {
        const struct entry *e = &entries->all[i];
        bool follows = kept && entries->all[kept - 1].kind == e->kind;
        if (follows && slice_eq(entries->all[kept - 1].value, e->value))
            continue;
        if (follows && !e->kind->repeats)
            return scope_refuse(problem, ERR_SYNTAX, "the limit %s is given twice", e->kind->name);
        entries->all[kept++] = *e;
    }
    entries->n = kept;
    return OK;
}

static const struct slice *texts_of(const struct entry *first, size_t n, struct arena *arena)
{
    struct slice *out = arena_array(arena, n, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        out[i] = first[i].value;
    return out;
}

static const struct ip_net *nets_of(const struct entry *first, size_t n, struct arena *arena)
{
    struct ip_net *out = arena_array(arena, n, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        out[i] = scope_net_of(first[i].value);
    return out;
}

static const struct scope_hours *hours_of(const struct entry *first, size_t n, struct arena *arena)
{
    struct scope_hours *out = arena_array(arena, n, sizeof *out);
    for (size_t i = 0; out && i < n; i++)
        IGNORE(scope_hours_parse(first[i].value, &out[i]), "a canonical value");
    return out;
}

/* All entries of one kind. */
static void take_kind(struct scope *s, const struct entry *first, size_t n, struct arena *arena)
{
    uint64_t number = scope_number_of(first->value);
    switch (first->kind->kind) {
    case SCOPE_NETWORK:
        s->networks = nets_of(first, n, arena);
        s->network_count = n;
        return;
    case SCOPE_ACCESS:
        s->rights = scope_rights_of(first->value);
        return;
    case SCOPE_FOLDER:
        s->folders = texts_of(first, n, arena);
        s->folder_count = n;
        return;
    case SCOPE_WINDOW:
        s->window_days = (uint32_t)number;
        return;
    case SCOPE_ATTACHMENTS:
        s->no_attachments = true;
        return;
    case SCOPE_ATTACHMENT_TYPE:
        s->attachment_types = texts_of(first, n, arena);
        s->attachment_type_count = n;
        return;
    case SCOPE_ATTACHMENT_SIZE:
        s->attachment_size = number;
        return;
    case SCOPE_HOURS:
        s->hours = hours_of(first, n, arena);
        s->hour_count = n;
        return;
    case SCOPE_ROTATE:
        s->rotate_days = (uint32_t)number;
        return;
    case SCOPE_SENDER:
        s->senders = texts_of(first, n, arena);
        s->sender_count = n;
        return;
    case SCOPE_RECIPIENT:
        s->recipients = texts_of(first, n, arena);
        s->recipient_count = n;
        return;
    case SCOPE_MESSAGES_HOUR:
        s->messages_hour = (uint32_t)number;
        return;
    case SCOPE_MESSAGES_DAY:
        s->messages_day = (uint32_t)number;
        return;
    case SCOPE_RECIPIENTS_DAY:
        s->recipients_day = (uint32_t)number;
        return;
    case SCOPE_BYTES_DAY:
        s->bytes_day = number;
        return;
    case SCOPE_CANARY:
        s->is_canary = true;
        return;
    }
}

static fallible take_entries(const struct entries *entries, struct arena *arena, struct scope *ret_scope)
{
    struct scope s = {.rights = SCOPE_ALL};
    for (size_t i = 0, n = 0; i < entries->n; i += n) {
        for (n = 1; i + n < entries->n && entries->all[i + n].kind == entries->all[i].kind; n++)
            ;
        take_kind(&s, &entries->all[i], n, arena);
    }
    TRY(arena_check(arena));
    *ret_scope = s;
    return OK;
}

fallible scope_parse(struct slice lines, struct arena *arena, struct scope *ret_scope, struct buf *problem)
{
    struct entries entries = {.n = 0};
    struct slice line;
    if (lines.n > LIMIT_SCOPE_TEXT)
        return scope_refuse(problem, ERR_LIMIT, "the limits are too long");
    while (slice_cut(&lines, '\n', &line)) {
        line = slice_trim(line);
        if (line.n)
            TRY(take_line(line, arena, &entries, problem));
    }
    TRY(settle_entries(&entries, problem));
    return take_entries(&entries, arena, ret_scope);
}

/* ---- writing ---- */

static void put_name(enum scope_kind kind, struct buf *out)
{
    const struct scope_kind_row *row = scope_kind_by_number((int64_t)kind);
    assert(row);
    buf_put_str(out, row->name);
    buf_put_char(out, '=');
}

static void put_texts(enum scope_kind kind, const struct slice *texts, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        put_name(kind, out);
        buf_put(out, texts[i]);
        buf_put_char(out, '\n');
    }
}

static void put_number(enum scope_kind kind, uint64_t number, struct buf *out)
{
    if (!number)
        return;
    put_name(kind, out);
    buf_put_u64(out, number);
    buf_put_char(out, '\n');
}

static void put_word(enum scope_kind kind, const char *word, struct buf *out)
{
    struct slice text = slice_str(word);
    put_texts(kind, &text, word ? 1 : 0, out);
}

static void put_networks(const struct scope *s, struct buf *out)
{
    for (size_t i = 0; i < s->network_count; i++) {
        put_name(SCOPE_NETWORK, out);
        scope_net_put(&s->networks[i], out);
        buf_put_char(out, '\n');
    }
}

static void put_hours(const struct scope *s, struct buf *out)
{
    for (size_t i = 0; i < s->hour_count; i++) {
        put_name(SCOPE_HOURS, out);
        scope_hours_put(&s->hours[i], out);
        buf_put_char(out, '\n');
    }
}

void scope_write(const struct scope *s, struct buf *out)
{
    put_networks(s, out);
    put_word(SCOPE_ACCESS, scope_rights_word(s->rights), out);
    put_texts(SCOPE_FOLDER, s->folders, s->folder_count, out);
    put_number(SCOPE_WINDOW, s->window_days, out);
    put_word(SCOPE_ATTACHMENTS, s->no_attachments ? "none" : NULL, out);
    put_texts(SCOPE_ATTACHMENT_TYPE, s->attachment_types, s->attachment_type_count, out);
    put_number(SCOPE_ATTACHMENT_SIZE, s->attachment_size, out);
    put_hours(s, out);
    put_number(SCOPE_ROTATE, s->rotate_days, out);
    put_texts(SCOPE_SENDER, s->senders, s->sender_count, out);
    put_texts(SCOPE_RECIPIENT, s->recipients, s->recipient_count, out);
    put_number(SCOPE_MESSAGES_HOUR, s->messages_hour, out);
    put_number(SCOPE_MESSAGES_DAY, s->messages_day, out);
    put_number(SCOPE_RECIPIENTS_DAY, s->recipients_day, out);
    put_number(SCOPE_BYTES_DAY, s->bytes_day, out);
    put_word(SCOPE_CANARY, s->is_canary ? "alarm" : NULL, out);
}

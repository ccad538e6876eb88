/* batch_plan.c - the rows of a batch: columns by name, every value checked, no row done before all are good. */
#include "cli/batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/csv.h"
#include "scope/scope.h"

static const struct {
    const char *name;
    bool makes_secret, needs_label;
} verbs[] = {
#define VERB(id, name, makes_secret, needs_label) {name, makes_secret, needs_label},
    BATCH_VERBS(VERB)
#undef VERB
};

enum column {
    COLUMN_VERB,
    COLUMN_ADDRESS,
    COLUMN_NAME,
    COLUMN_LANGUAGE,
    COLUMN_GROUP,
    COLUMN_QUOTA,
    COLUMN_LABEL,
    COLUMN_DOORS,
    COLUMN_LIMITS,
    COLUMN_EXPIRES,
    COLUMN_N
};
static const char *const columns[COLUMN_N] = {"verb",  "address", "name",  "language", "group",
                                              "quota", "label",   "doors", "limits",   "expires"};
#define NOT_THERE COLUMN_N

const char *batch_verb_name(enum batch_verb verb)
{
    return verbs[verb].name;
}

/* --------------------------------------------------------------------------------------------------------- problems */

void batch_problem(struct cli *c, struct batch_plan *plan, unsigned line, struct slice text)
{
    if (plan->problems++ >= LIMIT_BATCH_PROBLEMS)
        return;
    plan->told[plan->problems - 1] = (struct batch_told){line, arena_copy(&c->arena, text)};
    cli_note(c, SAY_BATCH_LINE, arena_printf(&c->arena, "%u", line), text, SLICE_EMPTY);
}

void batch_put_problems(struct cli *c, const struct batch_plan *plan)
{
    if (!plan->problems || !c->json)
        return;
    json_key(&c->j, "problems");
    json_open(&c->j, '[');
    for (size_t i = 0; i < plan->problems && i < LIMIT_BATCH_PROBLEMS; i++) {
        json_open(&c->j, '{');
        json_key(&c->j, "line");
        json_u64(&c->j, plan->told[i].line);
        json_key(&c->j, "text");
        json_text(&c->j, plan->told[i].text);
        json_close(&c->j, '}');
    }
    json_close(&c->j, ']');
}

struct reading {
    struct cli *c;
    struct batch_plan *plan;
    struct csv csv;
    enum column at[COLUMN_N + 1]; /* which column each field is */
    size_t fields;
    size_t cap;
    int64_t now_s;
};

static bool wrong(struct reading *r, enum say_id says, struct slice one, struct slice two)
{
    struct buf out CLEANUP_BUF = BUF_INIT(8192), safe_one CLEANUP_BUF = BUF_INIT(8192),
                   safe_two CLEANUP_BUF = BUF_INIT(8192);
    utf8_put_safe(&safe_one, slice_sub(one, 0, 100));
    utf8_put_safe(&safe_two, slice_sub(two, 0, 100));
    say_put(
        &out, r->c->json ? LANG_EN : r->c->lang, says, buf_slice(&safe_one), buf_slice(&safe_two),
        SLICE_EMPTY);
    batch_problem(r->c, r->plan, r->csv.row_line, buf_slice(&out));
    return false;
}

/* ----------------------------------------------------------------------------------------------------- the first line */

static bool read_header(struct reading *r)
{
    struct slice fields[COLUMN_N + 1];
    bool seen[COLUMN_N] = {false};
    if (!csv_next(&r->csv, &r->c->arena, fields, COLUMN_N + 1, &r->fields))
        return r->csv.fault == CSV_FINE ? wrong(r, SAY_BATCH_EMPTY, SLICE_EMPTY, SLICE_EMPTY) : false;
    bool good = true;
    for (size_t i = 0; i < r->fields; i++) {
        struct slice name = slice_trim(fields[i]);
        r->at[i] = NOT_THERE;
        for (size_t k = 0; k < COLUMN_N; k++)
            if (slice_eq_nocase(name, slice_str(columns[k])))
                r->at[i] = (enum column)k;
        if (r->at[i] == NOT_THERE)
            good = wrong(r, SAY_BATCH_COLUMN, name, SLICE_EMPTY);
        else if (seen[r->at[i]])
            good = wrong(r, SAY_BATCH_COLUMN_TWICE, name, SLICE_EMPTY);
        else
            seen[r->at[i]] = true;
    }
    if (good && (!seen[COLUMN_VERB] || !seen[COLUMN_ADDRESS]))
        good = wrong(r, SAY_BATCH_NO_COLUMN, SLICE_EMPTY, SLICE_EMPTY);
    return good;
}

/* ------------------------------------------------------------------------------------------------------ values by kind */

static bool read_verb(struct reading *r, struct slice text, struct batch_row *row)
{
    for (size_t i = 0; i < BATCH_VERB_N; i++)
        if (slice_eq_nocase(text, slice_str(verbs[i].name))) {
            row->verb = (enum batch_verb)i;
            return true;
        }
    return wrong(r, SAY_BATCH_VERB, text, SLICE_EMPTY);
}

static bool read_address(struct reading *r, struct slice text, struct batch_row *row)
{
    size_t at = slice_rfind(text, '@');
    row->address = text;
    if (at == SLICE_NPOS || at == 0 || at > LIMIT_LOCAL_PART || text.n > LIMIT_ADDRESS || at + 1 == text.n)
        return wrong(r, SAY_BATCH_ADDRESS, text, SLICE_EMPTY);
    return true;
}

static bool read_text(struct reading *r, enum column column, struct slice text, struct batch_row *row)
{
    static const size_t most[COLUMN_N] = {
        [COLUMN_NAME] = LIMIT_DISPLAY_NAME,
        [COLUMN_GROUP] = LIMIT_GROUP,
        [COLUMN_LABEL] = LIMIT_CLIENT_LABEL};
    struct slice *into = column == COLUMN_NAME    ? &row->name
                         : column == COLUMN_GROUP ? &row->group
                                                  : &row->label;
    bool blank = column == COLUMN_GROUP && slice_has(text, ' ');
    *into = text;
    if (text.n > most[column] || slice_has(text, '\n') || blank)
        return wrong(r, SAY_BATCH_LONG, slice_str(columns[column]), text);
    return true;
}

static bool read_language(struct reading *r, struct slice text, struct batch_row *row)
{
    row->language = text;
    if (text.n && !slice_eq(text, S("en")) && !slice_eq(text, S("zh")))
        return wrong(r, SAY_BATCH_LANGUAGE, text, SLICE_EMPTY);
    return true;
}

static bool read_quota(struct reading *r, struct slice text, struct batch_row *row)
{
    if (text.n && config_measure_parse(CONFIG_TYPE_SIZE, text, &row->quota_bytes) != OK)
        return wrong(r, SAY_BATCH_QUOTA, text, SLICE_EMPTY);
    return true;
}

static bool read_doors(struct reading *r, struct slice text, struct batch_row *row)
{
    static const char *const doors[] = {"imap", "pop3", "smtp", "api"};
    struct slice rest = text, word;
    row->doors = text;
    while (slice_cut(&rest, ' ', &word)) {
        bool known = word.n == 0;
        for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
            known |= slice_eq(word, slice_str(doors[i]));
        if (!known)
            return wrong(r, SAY_BATCH_DOOR, word, SLICE_EMPTY);
    }
    return true;
}

/* "access=read-only; days=30", or one in a line, made canonical. */
static bool read_limits(struct reading *r, struct slice text, struct batch_row *row)
{
    struct buf lines CLEANUP_BUF = BUF_INIT(4 * LIMIT_SCOPE_TEXT);
    struct slice rest = text, line, part;
    while (slice_cut(&rest, '\n', &line))
        while (slice_cut(&line, ';', &part)) {
            struct buf normal CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
            struct slice one = slice_trim(part);
            size_t equals = slice_find(one, '=');
            struct slice name = slice_trim(slice_sub(one, 0, equals == SLICE_NPOS ? one.n : equals));
            const struct scope_kind_row *kind = scope_kind_by_name(name);
            if (!one.n)
                continue;
            if (!kind || equals == SLICE_NPOS)
                return wrong(r, SAY_BATCH_LIMIT, one, SLICE_EMPTY);
            if (scope_value_normal(kind, slice_trim(slice_from(one, equals + 1)), &normal, NULL) != OK)
                return wrong(
                    r, SAY_BATCH_LIMIT_VALUE, one,
                    arena_printf(&r->c->arena, "%s=%s", kind->name, kind->value));
            buf_printf(&lines, "%s=", kind->name);
            buf_put(&lines, buf_slice(&normal));
            buf_put_char(&lines, '\n');
        }
    struct scope scope;
    struct buf problem CLEANUP_BUF = BUF_INIT(1024);
    row->limits = arena_copy(&r->c->arena, buf_slice(&lines));
    if (scope_parse(row->limits, &r->c->arena, &scope, &problem) != OK)
        return wrong(r, SAY_BATCH_LIMITS, buf_slice(&problem), SLICE_EMPTY);
    return true;
}

static bool read_expires(struct reading *r, struct slice text, struct batch_row *row)
{
    if (!text.n)
        return true;
    if (args_moment(text, r->now_s, &row->expires_s) != OK)
        return wrong(r, SAY_BATCH_EXPIRES, text, SLICE_EMPTY);
    return true;
}

static bool read_value(struct reading *r, enum column column, struct slice text, struct batch_row *row)
{
    switch (column) {
    case COLUMN_VERB:
        return read_verb(r, text, row);
    case COLUMN_ADDRESS:
        return read_address(r, text, row);
    case COLUMN_LANGUAGE:
        return read_language(r, text, row);
    case COLUMN_QUOTA:
        return read_quota(r, text, row);
    case COLUMN_DOORS:
        return read_doors(r, text, row);
    case COLUMN_LIMITS:
        return read_limits(r, text, row);
    case COLUMN_EXPIRES:
        return read_expires(r, text, row);
    default:
        return read_text(r, column, text, row);
    }
}

/* --------------------------------------------------------------------------------------------------------------- rows */

/* What a verb does not use must not be there: somebody meant something by it. */
static bool check_row(struct reading *r, const struct batch_row *row)
{
    bool labelled = row->verb == BATCH_CREATE || verbs[row->verb].needs_label;
    bool limited = row->verb == BATCH_CREATE || row->verb == BATCH_CLIENT;
    struct slice name = slice_str(verbs[row->verb].name);
    if (verbs[row->verb].needs_label && !row->label.n)
        return wrong(r, SAY_BATCH_NEEDS_LABEL, name, SLICE_EMPTY);
    if (row->label.n && !labelled)
        return wrong(r, SAY_BATCH_UNUSED, name, S("label"));
    if ((row->doors.n || row->limits.n || row->expires_s) && !(limited && row->label.n))
        return wrong(r, SAY_BATCH_UNUSED, name, S("doors, limits, expires"));
    if ((row->name.n || row->language.n || row->group.n || row->quota_bytes) && row->verb != BATCH_CREATE)
        return wrong(r, SAY_BATCH_UNUSED, name, S("name, language, group, quota"));
    return true;
}

static bool add_row(struct reading *r, const struct batch_row *row)
{
    struct batch_plan *plan = r->plan;
    if (plan->count >= LIMIT_BATCH_ROWS)
        return wrong(r, SAY_BATCH_MANY, SLICE_EMPTY, SLICE_EMPTY);
    if (plan->count == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 256;
        struct batch_row *more = realloc(plan->rows, r->cap * sizeof *more);
        if (!more)
            return wrong(r, SAY_BATCH_MANY, SLICE_EMPTY, SLICE_EMPTY);
        plan->rows = more;
    }
    plan->rows[plan->count++] = *row;
    plan->of_verb[row->verb]++;
    plan->makes_secrets |= verbs[row->verb].makes_secret;
    return true;
}

static void read_rows(struct reading *r)
{
    struct slice fields[COLUMN_N + 1];
    size_t count;
    while (csv_next(&r->csv, &r->c->arena, fields, COLUMN_N + 1, &count)) {
        struct batch_row row = {.line = r->csv.row_line, .text = r->csv.row};
        bool good = true;
        if (count != r->fields) {
            wrong(
                r, SAY_BATCH_FIELDS, arena_printf(&r->c->arena, "%zu", count),
                arena_printf(&r->c->arena, "%zu", r->fields));
            continue;
        }
        for (size_t i = 0; i < count; i++)
            good &= read_value(r, r->at[i], slice_trim(fields[i]), &row);
        if (good && check_row(r, &row) && !add_row(r, &row))
            return;
    }
}

static void tell_fault(struct reading *r)
{
    static const enum say_id says[] = {
        [CSV_NOT_UTF8] = SAY_CSV_NOT_UTF8,       [CSV_QUOTE_INSIDE] = SAY_CSV_QUOTE_INSIDE,
        [CSV_AFTER_QUOTE] = SAY_CSV_AFTER_QUOTE, [CSV_UNCLOSED] = SAY_CSV_UNCLOSED,
        [CSV_TOO_MANY] = SAY_CSV_TOO_MANY,
    };
    if (r->csv.fault != CSV_FINE)
        wrong(r, says[r->csv.fault], SLICE_EMPTY, SLICE_EMPTY);
}

/* ------------------------------------------------------------------------------------------------- rows among themselves */

static int by_address(const void *one, const void *two)
{
    struct batch_row *const *a = one, *const *b = two;
    int order = slice_cmp((*a)->address, (*b)->address);
    return order ? order : ((*a)->line > (*b)->line) - ((*a)->line < (*b)->line);
}

/* The rows in the order of addresses; the caller frees the array. */
static struct batch_row **sorted(const struct batch_plan *plan)
{
    struct batch_row **order = calloc(plan->count + 1, sizeof(struct batch_row *));
    for (size_t i = 0; order && i < plan->count; i++)
        order[i] = &plan->rows[i];
    if (order)
        qsort(order, plan->count, sizeof *order, by_address);
    return order;
}

/* An account is made once, and nothing is asked of it before. */
static void check_order(struct reading *r)
{
    struct batch_row **order = sorted(r->plan);
    for (size_t i = 1; order && i < r->plan->count; i++) {
        struct batch_row *a = order[i - 1], *b = order[i];
        if (!slice_eq(a->address, b->address))
            continue;
        b->created_above = a->created_above || a->verb == BATCH_CREATE;
        if (b->verb != BATCH_CREATE)
            continue;
        r->csv.row_line = b->line;
        wrong(r, SAY_BATCH_CREATE_LATE, b->address, arena_printf(&r->c->arena, "%u", a->line));
    }
    free(order);
}

void batch_plan_done(struct batch_plan *plan)
{
    free(plan->rows);
    *plan = (struct batch_plan){0};
}

int batch_plan_read(struct cli *c, struct slice path, struct batch_plan *ret_plan)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_BATCH_FILE);
    struct reading r = {.c = c, .plan = ret_plan, .now_s = clock_unix_s()};
    *ret_plan = (struct batch_plan){0};
    enum err e = file_read_path(arena_cstr(&c->arena, path), &text);
    if (e == ERR_LIMIT)
        return cli_fail(c, CLI_DATA, SAY_BATCH_FILE_LONG, SAY_BATCH_FILE_LONG_REMEDY, path, SLICE_EMPTY);
    if (e != OK)
        return cli_fail(c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path, cli_error(c, e));
    ret_plan->file = hash_of(NULL, buf_slice(&text));
    csv_start(&r.csv, arena_copy(&c->arena, buf_slice(&text)));
    bool readable = read_header(&r);
    if (readable)
        read_rows(&r);
    tell_fault(&r);
    if (!ret_plan->problems)
        check_order(&r);
    if (arena_check(&c->arena) != OK)
        return cli_fail(c, CLI_DATA, SAY_BATCH_FILE_LONG, SAY_BATCH_FILE_LONG_REMEDY, path, SLICE_EMPTY);
    return CLI_OK;
}

/* run_batch_open.c - `letterlock batch open`: sealed results as CSV, the last record of each row. */
#include <stdlib.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/batch.h"
#include "cli/csv.h"
#include "cli/run.h"
#include "crypto/random.h"

enum { SLAB = 1 << 16, COLUMNS = 9, RESULTS_MAX = 1 << 30 };

static const char *const titles[COLUMNS] = {"row",     "line",       "verb",   "address", "label",
                                            "outcome", "credential", "secret", "text"};

struct opening {
    struct cli *c;
    struct secret_slab *slab;
    struct box_public public;
    struct secret key;
    struct slice *records; /* by row; those that are not there are empty */
    size_t rows, cap;
    size_t damaged;
};

/* Room for row `row` (from 0). */
static bool make_room(struct opening *o, size_t row)
{
    size_t cap = o->cap ? o->cap : 256;
    if (row >= LIMIT_BATCH_ROWS)
        return false;
    while (cap <= row)
        cap *= 2;
    if (cap > o->cap) {
        struct slice *more = realloc(o->records, cap * sizeof *more);
        if (!more)
            return false;
        for (size_t i = o->cap; i < cap; i++)
            more[i] = SLICE_EMPTY;
        o->records = more;
        o->cap = cap;
    }
    o->rows = row + 1 > o->rows ? row + 1 : o->rows;
    return true;
}

static void take_line(struct opening *o, struct slice line)
{
    struct buf box CLEANUP_BUF = BUF_INIT(2 * LIMIT_BATCH_RECORD);
    struct secret plain CLEANUP_SECRET = SECRET_NONE;
    uint64_t row;
    bool good =
        base64_get(line, &box) == OK && box_open(&o->public, &o->key, buf_slice(&box), o->slab, &plain) == OK;
    struct slice record = good ? secret_reveal(&plain) : SLICE_EMPTY;
    good = good &&
           slice_to_u64(slice_sub(record, 0, slice_find(record, ',')), LIMIT_BATCH_ROWS, &row) == OK &&
           row > 0 && make_room(o, row - 1);
    if (good)
        o->records[row - 1] = arena_copy(&o->c->arena, record);
    else
        o->damaged++;
}

static int read_results(struct opening *o, struct slice path)
{
    struct cli *c = o->c;
    struct buf text CLEANUP_BUF = BUF_INIT(RESULTS_MAX);
    struct box_public sealed_for;
    struct slice rest, line;
    enum err e = file_read_path(arena_cstr(&c->arena, path), &text);
    if (e != OK)
        return cli_fail(c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path, cli_error(o->c, e));
    size_t last = slice_rfind(buf_slice(&text), '\n');
    rest = slice_sub(buf_slice(&text), 0, last == SLICE_NPOS ? 0 : last); /* a torn last line is no record */
    if (!slice_cut(&rest, '\n', &line) || !slice_eq(line, S("letterlock-results 1")) ||
        !slice_cut(&rest, '\n', &line) || !slice_starts(line, S("key ")) ||
        batch_key_read(slice_from(line, 4), &sealed_for) != OK)
        return cli_fail(c, CLI_DATA, SAY_BATCH_NO_RESULTS, SAY_BATCH_NO_RESULTS_REMEDY, path, SLICE_EMPTY);
    if (!slice_eq(slice_of(sealed_for.b, BOX_PUBLIC_LEN), slice_of(o->public.b, BOX_PUBLIC_LEN)))
        return cli_fail(
            c, CLI_DENIED, SAY_BATCH_OTHER_KEY, SAY_BATCH_OTHER_KEY_REMEDY, args_text(&c->args, "key"), path);
    while (slice_cut(&rest, '\n', &line))
        take_line(o, line);
    return CLI_OK;
}

static void put_csv(struct opening *o)
{
    struct buf *out = &o->c->out;
    for (size_t i = 0; i < COLUMNS; i++)
        csv_put(out, i == 0, slice_str(titles[i]));
    csv_end_row(out);
    for (size_t i = 0; i < o->rows; i++) {
        if (!o->records[i].n)
            continue;
        buf_put(out, o->records[i]);
        csv_end_row(out);
    }
}

static void put_json(struct opening *o)
{
    struct json *j = &o->c->j;
    json_key(j, "items");
    json_open(j, '[');
    for (size_t i = 0; i < o->rows; i++) {
        struct csv csv;
        struct slice fields[COLUMNS];
        size_t count;
        csv_start(&csv, o->records[i]);
        if (!o->records[i].n || !csv_next(&csv, &o->c->arena, fields, COLUMNS, &count))
            continue;
        json_open(j, '{');
        for (size_t k = 0; k < count; k++) {
            json_key(j, titles[k]);
            json_text(j, fields[k]);
        }
        json_close(j, '}');
    }
    json_close(j, ']');
}

static int open_all(struct opening *o)
{
    struct cli *c = o->c;
    int code = batch_key_secret(c, args_text(&c->args, "key"), o->slab, &o->public, &o->key);
    if (code == CLI_OK)
        code = read_results(o, args_text(&c->args, "RESULTS"));
    if (code != CLI_OK)
        return code;
    if (c->json)
        put_json(o);
    else
        put_csv(o);
    if (o->damaged)
        return cli_fail(
            c, CLI_DATA, SAY_BATCH_DAMAGED, SAY_BATCH_DAMAGED_REMEDY,
            arena_printf(&c->arena, "%zu", o->damaged), args_text(&c->args, "RESULTS"));
    return CLI_OK;
}

int run_batch_open(struct cli *c)
{
    if (!args_has(&c->args, "key"))
        return cli_fail(c, CLI_USAGE, SAY_BATCH_OPEN_KEY, SAY_SEE_COMMAND_HELP, SLICE_EMPTY, S("batch open"));
    struct opening o = {.c = c, .slab = secret_slab_new(SLAB)};
    crypto_init();
    int code = open_all(&o);
    free(o.records);
    secret_free(&o.key);
    secret_slab_free(&o.slab);
    return code;
}

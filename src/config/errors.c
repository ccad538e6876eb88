/* errors.c - the faults of a file, collected, and their words. */
#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/private.h"

static const struct config_fault faults[] = {
#define FAULT(id, name_, en, zh, remedy_en, remedy_zh)                                                       \
    [FAULT_##id] = {.name = name_, .says = {{en, zh}}, .remedy = {{remedy_en, remedy_zh}}},
#include "config/faults.def"
#undef FAULT
};
static_assert(sizeof faults / sizeof *faults == FAULT_N, "a fault without words");

static const struct config_fault *fault_row(enum fault fault)
{
    assert(fault > FAULT_NONE && fault < FAULT_N);
    return &faults[fault];
}

enum { SHOWN = 80 };

struct config_errors {
    struct arena arena;
    struct config_error list[LIMIT_CONFIG_ERRORS];
    size_t count, dropped;
};

struct config_errors *config_errors_new(void)
{
    struct config_errors *errors = NEW(struct config_errors);
    /* each subject is at most SHOWN octets of source, up to 6 written octets each, and an ellipsis */
    arena_init(&errors->arena, (size_t)LIMIT_CONFIG_ERRORS * (SHOWN * 6 + 64));
    return errors;
}

void config_errors_free(struct config_errors **errors)
{
    if (!*errors)
        return;
    arena_done(&(*errors)->arena);
    mem_free(errors);
}

/* Cut between characters, never inside one. */
static struct slice subject_of(struct arena *arena, struct slice s)
{
    struct buf out CLEANUP_BUF = BUF_INIT(SHOWN * 6 + 16);
    size_t taken = 0;
    while (taken < s.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(slice_from(s, taken), &c);
        if (taken + (used ? used : 1) > SHOWN)
            break;
        taken += used ? used : 1;
    }
    utf8_put_safe(&out, slice_sub(s, 0, taken));
    if (taken < s.n)
        buf_put_str(&out, "...");
    return arena_copy(arena, buf_slice(&out));
}

void config_errors_add(
    struct config_errors *errors, unsigned line, unsigned column, enum fault fault, enum config_key key,
    struct slice subject)
{
    if (errors->count >= LIMIT_CONFIG_ERRORS) {
        errors->dropped++;
        return;
    }
    errors->list[errors->count++] = (struct config_error){
        .line = line,
        .column = column,
        .fault = fault_row(fault),
        .key = key,
        .subject = subject_of(&errors->arena, subject),
    };
}

size_t config_error_count(const struct config_errors *errors)
{
    return errors->count;
}

const struct config_error *config_error(const struct config_errors *errors, size_t at)
{
    assert(at < errors->count);
    return &errors->list[at];
}

size_t config_errors_dropped(const struct config_errors *errors)
{
    return errors->dropped;
}

const char *config_error_name(const struct config_error *error)
{
    return error->fault->name;
}

/* Fills {it}, {key} and {wanted} in. */
static void
put_template(const struct config_error *error, const char *template, enum lang lang, struct buf *out)
{
    struct slice rest = slice_str(template);
    while (rest.n) {
        if (slice_starts(rest, S("{it}"))) {
            buf_put(out, error->subject);
            rest = slice_from(rest, 4);
        } else if (slice_starts(rest, S("{key}")) && error->key < CONFIG_KEYS) {
            buf_put_str(out, config_row(error->key)->name);
            rest = slice_from(rest, 5);
        } else if (slice_starts(rest, S("{wanted}")) && error->key < CONFIG_KEYS) {
            config_wanted_put(error->key, lang, out);
            rest = slice_from(rest, 8);
        } else {
            buf_put_char(out, rest.p[0]);
            rest = slice_from(rest, 1);
        }
    }
}

void config_error_put(const struct config_error *error, enum lang lang, struct buf *out)
{
    put_template(error, error->fault->says.in[lang], lang, out);
}

void config_error_put_remedy(const struct config_error *error, enum lang lang, struct buf *out)
{
    put_template(error, error->fault->remedy.in[lang], lang, out);
}

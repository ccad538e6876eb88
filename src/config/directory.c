/* directory.c - what the keys of the directory must be together: nothing of it is half there, and no password travels in
 * the clear. */
#include "base/limits.h"
#include "config/private.h"

/* Brackets in pairs, nothing in braces but {address} and {local}, at least one of them. */
static bool config_filter_is_good(struct slice filter)
{
    size_t depth = 0, places = 0;
    for (size_t i = 0; i < filter.n; i++) {
        struct slice rest = slice_from(filter, i);
        bool place = slice_starts(rest, S("{address}")) || slice_starts(rest, S("{local}"));
        if (i > 0 && depth == 0)
            return false; /* something behind the last bracket */
        if (place)
            i += slice_find(rest, '}');
        else if (filter.p[i] == '{' || filter.p[i] == '}')
            return false;
        else if (filter.p[i] == '(')
            depth++;
        else if (filter.p[i] == ')' && depth-- == 0)
            return false;
        places += place;
    }
    return filter.n > 0 && filter.p[0] == '(' && depth == 0 && places > 0;
}

static void want(const struct config *c, enum config_key key, bool needed, struct config_errors *errors)
{
    if (needed && !config_is_set(c, key))
        config_errors_add(errors, 0, 0, FAULT_MISSING, key, SLICE_EMPTY);
}

static void check_filter(const struct config *c, const unsigned line_of[], struct config_errors *errors)
{
    struct slice filter = config_text(c, CONFIG_DIRECTORY_FILTER);
    if (!config_filter_is_good(filter))
        config_errors_add(
            errors, line_of[CONFIG_DIRECTORY_FILTER], 1, FAULT_FILTER, CONFIG_DIRECTORY_FILTER, filter);
}

static void
check_needed_attributes(const struct config *c, const unsigned line_of[], struct config_errors *errors)
{
    static const enum config_key needed[] = {CONFIG_DIRECTORY_ADDRESS, CONFIG_DIRECTORY_ID};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        size_t count;
        config_words(c, needed[i], 0, &count);
        if (count != 1)
            config_errors_add(errors, line_of[needed[i]], 1, FAULT_WORD_COUNT, needed[i], S("none"));
    }
}

static void check_groups(const struct config *c, const unsigned line_of[], struct config_errors *errors)
{
    for (size_t i = 0; i < config_values(c, CONFIG_DIRECTORY_GROUP); i++) {
        size_t count;
        const struct slice *words = config_words(c, CONFIG_DIRECTORY_GROUP, i, &count);
        if (words[1].n > LIMIT_GROUP)
            config_errors_add(
                errors, line_of[CONFIG_DIRECTORY_GROUP], 1, FAULT_TOO_LARGE, CONFIG_DIRECTORY_GROUP,
                words[1]);
    }
}

void config_directory_check(const struct config *c, const unsigned line_of[], struct config_errors *errors)
{
    const struct config_directory *d = config_directory(c);
    if (!d && line_of[CONFIG_DIRECTORY])
        return; /* it is wrong, and that was said */
    for (int key = CONFIG_DIRECTORY + 1; !d && key <= CONFIG_DIRECTORY_REFRESH; key++)
        if (line_of[key])
            config_errors_add(errors, line_of[key], 1, FAULT_NO_DIRECTORY, (enum config_key)key, SLICE_EMPTY);
    if (!d)
        return;
    bool clear = !d->tls_first && slice_eq(config_text(c, CONFIG_DIRECTORY_TLS), S("none"));
    if (clear && !ip_is_loopback(&d->ip))
        config_errors_add(
            errors, line_of[CONFIG_DIRECTORY_TLS], 1, FAULT_CLEAR, CONFIG_DIRECTORY_TLS, SLICE_EMPTY);
    want(c, CONFIG_DIRECTORY_CA, !clear && !line_of[CONFIG_DIRECTORY_CA], errors);
    want(c, CONFIG_DIRECTORY_BASE, !line_of[CONFIG_DIRECTORY_BASE], errors);
    want(
        c, CONFIG_DIRECTORY_SECRET, line_of[CONFIG_DIRECTORY_BIND] && !line_of[CONFIG_DIRECTORY_SECRET],
        errors);
    want(
        c, CONFIG_DIRECTORY_BIND, line_of[CONFIG_DIRECTORY_SECRET] && !line_of[CONFIG_DIRECTORY_BIND],
        errors);
    check_filter(c, line_of, errors);
    check_groups(c, line_of, errors);
    check_needed_attributes(c, line_of, errors);
}

#include "cli/meant.h"

#include <string.h>

#include "cli/command.h"
#include "config/nearest.h"
#include "scope/scope.h"

/* What other programs call it. */
static const struct {
    const char *word, *ours;
} others[] = {
    {"delete", "remove"},   {"del", "remove"},          {"rm", "remove"},
    {"new", "add"},         {"create", "add"},          {"make", "add"},
    {"ls", "list"},         {"modify", "change"},       {"edit", "change"},
    {"update", "change"},   {"info", "show"},           {"get", "show"},
    {"disable", "lock"},    {"enable", "unlock"},       {"unfreeze", "thaw"},
    {"renew", "rotate"},    {"user", "account"},        {"users", "account"},
    {"mailbox", "account"}, {"app-password", "client"}, {"passwd", "account password"},
    {"start", "serve"},     {"run", "serve"},           {"log", "why"},
};

/* "add" of "client add"; empty for a command of one word. */
static struct slice second_word(const struct command *command)
{
    return slice_from(
        slice_str(command->name), command_first_word(command).n + (strchr(command->name, ' ') != NULL));
}

/* The command of these two words, or empty. */
static struct slice pair(struct slice first, struct slice second)
{
    for (size_t i = 0; second.n && i < command_count(); i++)
        if (slice_eq(command_first_word(command_at(i)), first) &&
            slice_eq(second_word(command_at(i)), second))
            return slice_str(command_at(i)->name);
    return SLICE_EMPTY;
}

static struct slice of_others(struct slice group, struct slice word)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct slice ours = slice_str(others[i].ours);
        if (!slice_eq_nocase(word, slice_str(others[i].word)))
            continue;
        if (group.n)
            return pair(group, ours);
        return command_find(ours) || command_group(ours) ? ours : SLICE_EMPTY;
    }
    return SLICE_EMPTY;
}

static struct slice nearest(struct slice group, struct slice word)
{
    struct slice best = SLICE_EMPTY;
    size_t least = SLICE_NPOS;
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *command = command_at(i);
        struct slice first = command_first_word(command), candidate = group.n ? second_word(command) : first;
        size_t distance = nearest_distance(word, candidate);
        if (!candidate.n || (group.n && !slice_eq(first, group)))
            continue;
        if (distance < least && nearest_is_close(word, candidate)) {
            least = distance;
            best = group.n ? slice_str(command->name) : candidate;
        }
    }
    return best;
}

/* "add client", or "audit" where one group alone has it. */
static struct slice turned(struct slice word, struct slice next)
{
    struct slice found = pair(next, word);
    size_t count = 0;
    if (found.n)
        return found;
    for (size_t i = 0; i < command_count(); i++)
        if (slice_eq(second_word(command_at(i)), word)) {
            found = slice_str(command_at(i)->name);
            count++;
        }
    return count == 1 ? found : SLICE_EMPTY;
}

struct slice meant_command(struct slice group, struct slice word, struct slice next)
{
    struct slice found = of_others(group, word);
    if (!found.n && !group.n)
        found = turned(word, next);
    return found.n ? found : nearest(group, word);
}

/* ------------------------------------------------------------------------------------------------------------ limits */

static void put_limit(const char *name, struct slice value, struct buf *out)
{
    buf_printf(out, "--limit \"%s=" SLICE_FMT "\"", name, SLICE_ARG(value));
}

/* Is it one of "a|b|c"? */
static bool is_choice(struct slice choices, struct slice word)
{
    struct slice one;
    if (!slice_has(choices, '|'))
        return false;
    while (slice_cut(&choices, '|', &one))
        if (slice_eq(one, word))
            return true;
    return false;
}

bool meant_limit(struct slice word, struct buf *out)
{
    size_t count, least = SLICE_NPOS;
    const struct scope_kind_row *kinds = scope_kinds(&count), *best = NULL;
    for (size_t i = 0; i < count; i++) {
        struct slice name = slice_str(kinds[i].name), choices = slice_str(kinds[i].value);
        size_t distance = nearest_distance(word, name);
        if (is_choice(choices, word)) {
            put_limit(kinds[i].name, word, out);
            return true;
        }
        if (distance < least && nearest_is_close(word, name)) {
            least = distance;
            best = &kinds[i];
        }
    }
    if (best)
        put_limit(
            best->name, slice_sub(slice_str(best->value), 0, slice_find(slice_str(best->value), '|')), out);
    return best != NULL;
}

/* jail.c - the first step as a whole, and what people and callers ask about it. */
#include "jail/jail.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "jail/kernel.h"

enum err jail_enter(const struct jail *j, struct jail_state *state, struct jail_failure *failure)
{
    TRY(jail_drop_privileges(&jail_kernel_real, j, state, failure));
    if (j->last_act && j->last_act(j->last_act_owner) != OK)
        return jail_failed(failure, errno, "last act");
    return jail_landlock(j, state, failure);
}

const char *jail_state_text(const struct jail_state *state, char *out, size_t n)
{
    const struct {
        bool missing;
        const char *word;
    } words[] = {
        {!state->own_user, " no-own-user"},
        {!state->own_root, " no-own-root"},
        {!state->no_capabilities, " keeps-capabilities"},
        {state->landlock == 0, " no-landlock"},
        {!state->filter, " no-call-filter"},
        {state->filter_widened, " wide-call-filter"},
    };
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].missing && used < n)
            used += (size_t)snprintf(out + used, n - used, "%s", words[i].word + (used == 0));
    if (used == 0)
        snprintf(out, n, "full");
    return out;
}

enum err jail_close_others(int first, const int *keep, size_t count)
{
    unsigned from = (unsigned)first;
    for (size_t i = 0; i < count; i++) {
        unsigned kept = (unsigned)keep[i];
        if (kept < from)
            continue;
        if (kept > from && close_range(from, kept - 1, 0) != 0)
            return ERR_IO;
        from = kept + 1;
    }
    return close_range(from, ~0u, 0) == 0 ? OK : ERR_IO;
}

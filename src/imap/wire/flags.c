#include "imap/wire/flags.h"

static const struct {
    const char *name;
    unsigned bit;
} system_flags[] = {
    {"\\Seen", IMAP_FLAG_SEEN},       {"\\Answered", IMAP_FLAG_ANSWERED}, {"\\Flagged", IMAP_FLAG_FLAGGED},
    {"\\Deleted", IMAP_FLAG_DELETED}, {"\\Draft", IMAP_FLAG_DRAFT},       {"\\Recent", IMAP_FLAG_RECENT},
};
enum { SYSTEM_FLAGS = sizeof system_flags / sizeof *system_flags };

unsigned imap_flag_of(struct slice name)
{
    for (size_t i = 0; i < SYSTEM_FLAGS; i++)
        if (slice_eq_nocase(name, slice_str(system_flags[i].name)))
            return system_flags[i].bit;
    return 0;
}

bool imap_put_flags(struct buf *out, unsigned system)
{
    bool any = false;
    for (size_t i = 0; i < SYSTEM_FLAGS; i++) {
        if (!(system & system_flags[i].bit))
            continue;
        if (any)
            buf_put_char(out, ' ');
        buf_put_str(out, system_flags[i].name);
        any = true;
    }
    return any;
}

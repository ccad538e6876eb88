#include "base/err.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name, *text;
} err_table[] = {
    [-OK] = {"ok", "no error"},
    [-ERR_AGAIN] = {"again", "not ready yet"},
    [-ERR_LIMIT] = {"limit", "a limit was reached"},
    [-ERR_SYNTAX] = {"syntax", "malformed input"},
    [-ERR_NOT_FOUND] = {"not-found", "no such thing"},
    [-ERR_EXISTS] = {"exists", "exists already"},
    [-ERR_GONE] = {"gone", "was deleted meanwhile"},
    [-ERR_DENIED] = {"denied", "not allowed"},
    [-ERR_STATE] = {"state", "not possible in this state"},
    [-ERR_UNAVAILABLE] = {"unavailable", "not available just now"},
    [-ERR_TIMEOUT] = {"timeout", "took too long"},
    [-ERR_DISK_FULL] = {"disk-full", "the disk is full"},
    [-ERR_QUOTA] = {"quota", "the quota is used up"},
    [-ERR_IO] = {"io", "a system call failed"},
    [-ERR_CORRUPT] = {"corrupt", "stored data is damaged"},
    [-ERR_CLOSED] = {"closed", "the other side has gone"},
    [-ERR_UNSUPPORTED] = {"unsupported", "not supported"},
    [-ERR_PROTOCOL] = {"protocol", "a message between processes broke the rules"},
    [-ERR_BUSY] = {"busy", "in use"},
    [-ERR_MEMORY] = {"memory", "out of memory"},
};
static_assert(sizeof err_table / sizeof *err_table == -ERR_N, "an error without words");

const char *err_text(enum err e)
{
    return e > 0 || e <= ERR_N ? "unknown error" : err_table[-e].text;
}

const char *err_name(enum err e)
{
    return e > 0 || e <= ERR_N ? "unknown" : err_table[-e].name;
}

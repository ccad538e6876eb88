/* table.c - the rows of keys.def and the doors. */
#include <assert.h>

#include "config/private.h"

enum { SUPERVISOR = CONFIG_FOR_SUPERVISOR, GATE = CONFIG_FOR_GATE, VAULT = CONFIG_FOR_VAULT };
enum { KEEPER = CONFIG_FOR_KEEPER, DIRECTORY_ROLE = CONFIG_FOR_DIRECTORY, ALL = CONFIG_FOR_ALL };
enum { NOTHING = 0, REQUIRED = 1, REPEATS = 2 };

static const struct config_row rows[] = {
#define KEY(id, name_, type_, preset_, least_, most_, choices_, roles_, effect_, flags, en, zh)              \
    [CONFIG_##id] = {                                                                                        \
        .name = name_,                                                                                       \
        .type = CONFIG_TYPE_##type_,                                                                         \
        .preset = preset_,                                                                                   \
        .least = least_,                                                                                     \
        .most = most_,                                                                                       \
        .choices = choices_,                                                                                 \
        .roles = roles_,                                                                                     \
        .effect = CONFIG_##effect_,                                                                          \
        .repeats = ((flags)&REPEATS) != 0,                                                                   \
        .required = ((flags)&REQUIRED) != 0,                                                                 \
        .help = {{en, zh}},                                                                                  \
    },
#include "config/keys.def"
#undef KEY
};
static_assert(sizeof rows / sizeof *rows == CONFIG_KEYS, "a key without a row");

const struct config_row *config_row(enum config_key key)
{
    assert(key < CONFIG_KEYS);
    return &rows[key];
}

fallible config_key_find(struct slice name, enum config_key *ret_key)
{
    for (int i = 0; i < CONFIG_KEYS; i++)
        if (slice_eq(name, slice_str(rows[i].name))) {
            *ret_key = (enum config_key)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

static const char *const effects[] = {"live", "new sessions", "restart"};
static_assert(sizeof effects / sizeof *effects == CONFIG_EFFECTS, "an effect without a name");

const char *config_effect_name(enum config_effect effect)
{
    return effects[effect];
}

static const struct {
    const char *name;
    uint16_t port;
    bool tls;
} doors[] = {
    [DOOR_SMTP] = {"smtp", 25, false},
    [DOOR_SUBMISSION] = {"submission", 587, false},
    [DOOR_SUBMISSIONS] = {"submissions", 465, true},
    [DOOR_IMAP] = {"imap", 143, false},
    [DOOR_IMAPS] = {"imaps", 993, true},
    [DOOR_POP3] = {"pop3", 110, false},
    [DOOR_POP3S] = {"pop3s", 995, true},
};
static_assert(sizeof doors / sizeof *doors == DOOR_N, "a door without a row");

const char *config_door_name(enum config_door door)
{
    return doors[door].name;
}

fallible config_door_parse(struct slice name, enum config_door *ret_door)
{
    for (int i = 0; i < DOOR_N; i++)
        if (slice_eq(name, slice_str(doors[i].name))) {
            *ret_door = (enum config_door)i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

uint16_t config_door_port(enum config_door door)
{
    return doors[door].port;
}

bool config_door_is_tls(enum config_door door)
{
    return doors[door].tls;
}

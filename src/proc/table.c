#include "proc/table.h"

#include <assert.h>
#include <stdio.h>

#include "base/limits.h"
#include "proc/calls.h"

/* Descriptors: connections of a process (LIMIT_SESSIONS), channels to every peer, files. */
enum { FEW_DESCRIPTORS = 1024, SESSION_DESCRIPTORS = 65536 };

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

#define BIT(role) (1u << (role))

static const struct jail_tree all_write[] = {{.path = ".", .rights = JAIL_WRITE}};
static const struct jail_tree all_append[] = {{.path = ".", .rights = JAIL_APPEND}};

#define NO_SQLITE "sqlite3_*", "PQ*"
#define NO_TLS "SSL_*", "TLS_*"
/* Names of the C library that make or use connections of one's own. */
#define NO_OUTGOING "connect", "getaddrinfo", "gethostbyname*"
#define NO_LISTENING "bind", "listen"
#define NO_PROCESSES "fork", "vfork", "execve", "execv", "execvp", "posix_spawn", "system", "popen"

static const char *const gate_symbols[] = {NO_SQLITE, NO_OUTGOING, NO_LISTENING, NO_PROCESSES, NULL};
static const char *const vault_symbols[] = {NO_TLS,   NO_OUTGOING, NO_LISTENING, NO_PROCESSES,
                                            "accept", "accept4",   NULL};
static const char *const keeper_symbols[] = {NO_TLS,   NO_OUTGOING, NO_LISTENING, NO_PROCESSES,
                                             "accept", "accept4",   NULL};
static const char *const scan_symbols[] = {NO_SQLITE,    NO_TLS,   NO_OUTGOING, NO_LISTENING,
                                           NO_PROCESSES, "accept", "accept4",   NULL};
static const char *const relay_symbols[] = {NO_SQLITE, NO_LISTENING, NO_PROCESSES, "accept", "accept4", NULL};
static const char *const scribe_symbols[] = {NO_SQLITE,    NO_TLS,      NO_OUTGOING, NO_LISTENING,
                                             NO_PROCESSES, "accept",    "accept4",   "unlink",
                                             "rename",     "ftruncate", "truncate",  NULL};
static const char *const directory_symbols[] = {NO_SQLITE,        NO_TLS,       "getaddrinfo",
                                                "gethostbyname*", NO_LISTENING, NO_PROCESSES,
                                                "accept",         "accept4",    NULL};
static const char *const supervisor_symbols[] = {NO_SQLITE, NO_TLS,  "getaddrinfo", "gethostbyname*",
                                                 "system",  "popen", NULL};

#define ROOMS_OF_PROTOCOLS                                                                                   \
    "imap/front", "pop3/front", "smtp/front", "imap/session", "pop3/session", "smtp/session"
static const char *const gate_rooms[] = {"db",     "factor",       "net",          "store",        "vault",
                                         "keeper", "imap/session", "pop3/session", "smtp/session", NULL};
static const char *const vault_rooms[] = {"net", "tls", "store", "keeper", "gate", ROOMS_OF_PROTOCOLS, NULL};
static const char *const keeper_rooms[] = {"net",  "factor",     "tls",        "vault",      "gate",
                                           "sasl", "imap/front", "pop3/front", "smtp/front", NULL};
static const char *const scan_rooms[] = {
    "db", "net", "tls", "store", "vault", "keeper", "gate", "sasl", ROOMS_OF_PROTOCOLS, NULL};
static const char *const relay_rooms[] = {"db", "store", "vault", "keeper", "gate", ROOMS_OF_PROTOCOLS, NULL};
static const char *const scribe_rooms[] = {
    "db", "net", "tls", "mail", "store", "vault", "keeper", "gate", "sasl", ROOMS_OF_PROTOCOLS, NULL};
static const char *const directory_rooms[] = {
    "db",   "tls",       "store",     "vault",     "keeper",           "gate",
    "sasl", "imap/wire", "pop3/wire", "smtp/wire", ROOMS_OF_PROTOCOLS, NULL};
static const char *const supervisor_rooms[] = {
    "db",   "tls",   "mail",      "store",     "vault",     "keeper",           "gate",
    "sasl", "guard", "imap/wire", "pop3/wire", "smtp/wire", ROOMS_OF_PROTOCOLS, NULL};

static const struct role_row rows[ROLES] = {
    [ROLE_SUPERVISOR] =
        {
            .name = "supervisor",
            .program = "letterlock-supervisor",
            .calls = calls_supervisor,
            .net = JAIL_NET_BIND | JAIL_NET_CONNECT,
            .descriptors = SESSION_DESCRIPTORS,
            .memory = JAIL_UNLIMITED,
            .settings = CONFIG_FOR_SUPERVISOR,
            .no_symbols = supervisor_symbols,
            .no_rooms = supervisor_rooms,
        },
    [ROLE_GATE] =
        {
            .name = "gate",
            .program = "letterlock-gate",
            .number = NUMBER_GATES,
            .user = 1,
            .calls = calls_gate,
            .descriptors = SESSION_DESCRIPTORS,
            .memory = JAIL_UNLIMITED,
            .talks = BIT(ROLE_VAULT) | BIT(ROLE_KEEPER) | BIT(ROLE_SCRIBE),
            .settings = CONFIG_FOR_GATE,
            .no_symbols = gate_symbols,
            .no_rooms = gate_rooms,
        },
    [ROLE_VAULT] =
        {
            .name = "vault",
            .program = "letterlock-vault",
            .user = 2,
            .folder = "vault",
            .closed = true,
            .trees = all_write,
            .tree_count = 1,
            .calls = calls_vault,
            .descriptors = FEW_DESCRIPTORS,
            .memory = JAIL_UNLIMITED,
            .threads = LIMIT_HASH_JOBS,
            .pool_queue = LIMIT_HASH_QUEUE,
            .talks = BIT(ROLE_GATE) | BIT(ROLE_KEEPER) | BIT(ROLE_SCRIBE) | BIT(ROLE_DIRECTORY),
            .settings = CONFIG_FOR_VAULT,
            .no_symbols = vault_symbols,
            .no_rooms = vault_rooms,
        },
    [ROLE_KEEPER] =
        {
            .name = "keeper",
            .program = "letterlock-keeper",
            .number = NUMBER_KEEPERS,
            .user = 3,
            .folder = "accounts",
            .slot_trees = true,
            .calls = calls_keeper,
            .descriptors = SESSION_DESCRIPTORS,
            .memory = JAIL_UNLIMITED,
            .threads = LIMIT_SYNC_THREADS,
            .pool_queue = LIMIT_SYNC_QUEUE,
            .talks = BIT(ROLE_GATE) | BIT(ROLE_VAULT) | BIT(ROLE_KEEPER) | BIT(ROLE_SCRIBE),
            .settings = CONFIG_FOR_KEEPER,
            .no_symbols = keeper_symbols,
            .no_rooms = keeper_rooms,
        },
    [ROLE_SCAN] =
        {
            .name = "scan",
            .program = "letterlock-scan",
            .number = NUMBER_SCANS,
            .user = 4,
            .calls = calls_scan,
            .descriptors = 64,
            .memory = 512 * MIB,
            .talks = BIT(ROLE_SCRIBE),
            .settings = CONFIG_FOR_SCAN,
            .no_symbols = scan_symbols,
            .no_rooms = scan_rooms,
        },
    [ROLE_RELAY] =
        {
            .name = "relay",
            .program = "letterlock-relay",
            .user = 5,
            .folder = "spool",
            .trees = all_write,
            .tree_count = 1,
            .net = JAIL_NET_CONNECT,
            .calls = calls_relay,
            .descriptors = FEW_DESCRIPTORS,
            .memory = JAIL_UNLIMITED,
            .talks = BIT(ROLE_SCRIBE),
            .settings = CONFIG_FOR_RELAY,
            .no_symbols = relay_symbols,
            .no_rooms = relay_rooms,
        },
    [ROLE_SCRIBE] =
        {
            .name = "scribe",
            .program = "letterlock-scribe",
            .user = 6,
            .folder = "audit",
            .trees = all_append,
            .tree_count = 1,
            .calls = calls_scribe,
            .descriptors = FEW_DESCRIPTORS,
            .memory = 1 * GIB,
            .talks = BIT(ROLE_GATE) | BIT(ROLE_VAULT) | BIT(ROLE_KEEPER) | BIT(ROLE_SCAN) | BIT(ROLE_RELAY) |
                     BIT(ROLE_DIRECTORY),
            .settings = CONFIG_FOR_SCRIBE,
            .no_symbols = scribe_symbols,
            .no_rooms = scribe_rooms,
        },
    [ROLE_DIRECTORY] =
        {
            .name = "directory",
            .program = "letterlock-directory",
            .number = NUMBER_DIRECTORY,
            .user = 7,
            .net = JAIL_NET_CONNECT,
            .calls = calls_directory,
            .descriptors = 256,
            .memory = JAIL_UNLIMITED,
            .threads = LIMIT_DIRECTORY_THREADS,
            .pool_queue = LIMIT_DIRECTORY_QUEUE,
            .talks = BIT(ROLE_VAULT) | BIT(ROLE_SCRIBE),
            .settings = CONFIG_FOR_DIRECTORY,
            .no_symbols = directory_symbols,
            .no_rooms = directory_rooms,
        },
};

const struct role_row *role_row(enum ipc_role role)
{
    assert((unsigned)role < ROLES);
    return &rows[role];
}

unsigned role_count(enum ipc_role role, const struct config *config, unsigned cores)
{
    switch (role_row(role)->number) {
    case NUMBER_GATES:
        return config_processes(config, CONFIG_GATES, cores);
    case NUMBER_KEEPERS:
        return config_processes(config, CONFIG_KEEPERS, cores);
    case NUMBER_SCANS:
        return config_processes(config, CONFIG_SCANS, cores);
    case NUMBER_DIRECTORY:
        return config_directory(config) ? 1 : 0;
    default:
        return 1;
    }
}

bool role_talks(enum ipc_role a, enum ipc_role b)
{
    return (role_row(a)->talks & BIT(b)) != 0;
}

void slots_of_keeper(unsigned index, unsigned keepers, unsigned *ret_first, unsigned *ret_count)
{
    assert(keepers && index < keepers);
    *ret_first = slot_first(index, keepers);
    *ret_count = slot_first(index + 1, keepers) - *ret_first;
}

const char *slot_name(unsigned slot)
{
#define NAMES_16(h)                                                                                          \
    h "0", h "1", h "2", h "3", h "4", h "5", h "6", h "7", h "8", h "9", h "a", h "b", h "c", h "d", h "e", \
        h "f"
    static const char *const names[SLOTS] = {
        NAMES_16("0"), NAMES_16("1"), NAMES_16("2"), NAMES_16("3"), NAMES_16("4"), NAMES_16("5"),
        NAMES_16("6"), NAMES_16("7"), NAMES_16("8"), NAMES_16("9"), NAMES_16("a"), NAMES_16("b"),
        NAMES_16("c"), NAMES_16("d"), NAMES_16("e"), NAMES_16("f"),
    };
#undef NAMES_16
    assert(slot < SLOTS);
    return names[slot];
}

void role_process_name(enum ipc_role role, unsigned index, char out[PROC_NAME_MAX])
{
    const struct role_row *row = role_row(role);
    if (row->number == NUMBER_ONE || row->number == NUMBER_DIRECTORY)
        snprintf(out, PROC_NAME_MAX, "%s", row->name);
    else
        snprintf(out, PROC_NAME_MAX, "%s-%u", row->name, index % 1000);
}

static size_t fill_slot_trees(struct role_jail *out, unsigned index, unsigned keepers)
{
    unsigned first, count;
    slots_of_keeper(index, keepers, &first, &count);
    for (unsigned i = 0; i < count; i++)
        out->slot_trees[i] = (struct jail_tree){.path = slot_name(first + i), .rights = JAIL_WRITE};
    return count;
}

void role_jail_init(
    struct role_jail *out, enum ipc_role role, unsigned index, unsigned keepers, int folder_fd, bool as_root,
    uid_t uid, gid_t gid, bool require_landlock)
{
    const struct role_row *row = role_row(role);
    out->jail = (struct jail){
        .folder_fd = folder_fd,
        .change_user = as_root,
        .uid = uid,
        .gid = gid,
        .trees = row->slot_trees ? out->slot_trees : row->trees,
        .tree_count = row->slot_trees ? fill_slot_trees(out, index, keepers) : row->tree_count,
        .net = row->net,
        .require_landlock = require_landlock,
        .descriptors = row->descriptors,
#ifdef SANITIZED
        .memory = JAIL_UNLIMITED, /* shadow memory is larger than any limit */
#else
        .memory = row->memory,
#endif
        .file_size = JAIL_UNLIMITED, /* the log may be a file, whose size is not ours to limit */
        .calls = row->calls,
    };
}

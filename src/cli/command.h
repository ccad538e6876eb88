/* command.h - the one table of commands: names, operands, flags, help, examples, and what runs them.   room: cli
 *                                                                                     runs in: cli
 *
 * Parsing (args.h), --help (help.h), shell completion (complete.h) and the man pages (man.h) are made from this table and
 * from nothing else. A command of two words is a row of its own ("account add"). Secrets have no flag and no operand on
 * purpose: they come from standard input or a prompt (ask.h).
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "config/lang.h"

struct cli;

/* Exit codes, after sysexits(3). Written down in exit_table, which the manual prints. */
enum cli_exit {
    CLI_OK = 0,
    CLI_NO = 1,             /* the answer is no: `client test`, `check` with warnings only never */
    CLI_USAGE = 64,         /* the command line is wrong */
    CLI_DATA = 65,          /* a value is not acceptable */
    CLI_NOT_FOUND = 67,     /* no such account, domain, alias, client */
    CLI_UNAVAILABLE = 69,   /* the server, or a part of it, does not answer */
    CLI_FAILED = 70,        /* something that should not happen */
    CLI_CANNOT_CREATE = 73, /* it is there already, or cannot be made */
    CLI_IO = 74,            /* reading or writing failed, or the disk is full */
    CLI_DENIED = 77,        /* not allowed */
    CLI_CONFIG = 78         /* letterlock.conf or a file that it names is wrong */
};
struct exit_row {
    enum cli_exit code;
    struct lang_text means;
};
const struct exit_row *exit_table(size_t *ret_count);

/* What a value must look like. */
enum value_kind {
    VALUE_NONE,     /* a flag without a value */
    VALUE_TEXT,     /* no control characters */
    VALUE_PASTE,    /* any octets, as they were copied from elsewhere */
    VALUE_ADDRESS,  /* local@domain, international or not; the vault has the last word */
    VALUE_DOMAIN,   /* a mail domain, international or not */
    VALUE_HOSTNAME, /* ASCII form */
    VALUE_NUMBER,   /* 1 to 4,000,000,000 */
    VALUE_SIZE,     /* octets */
    VALUE_MOMENT,   /* "90 d" from now, or 2027-01-31: unix time */
    VALUE_DURATION, /* "1 h": seconds */
    VALUE_LIMIT,    /* "name=value" of scope/scope.h */
    VALUE_PATH,
    VALUE_FOLDER,
    VALUE_NETWORKS, /* CIDR, separated by commas */
    VALUE_CHOICE,
    VALUE_COMMAND, /* a word of a command's name */
    VALUE_KINDS
};

struct flag {
    const char *name; /* without "--"; NULL ends */
    enum value_kind kind;
    const char *choices;    /* of a VALUE_CHOICE, separated by blanks */
    const char *value_name; /* "DIR" in help; NULL for VALUE_NONE */
    bool repeats;
    struct lang_text help;
};
struct operand {
    const char *name; /* "ADDRESS"; NULL ends */
    enum value_kind kind;
    const char *choices;
    bool optional;
    bool many; /* the last one may be given several times */
    struct lang_text help;
};
struct example {
    const char *line; /* NULL ends */
    struct lang_text says;
};

enum command_need {
    NEED_NOTHING, /* no folder */
    NEED_FOLDER,  /* DIR and its letterlock.conf */
    NEED_VAULT,   /* the vault, through the running server or started alone */
    NEED_SERVER   /* a running server */
};

struct command {
    const char *name;
    enum command_need need;
    bool reads_secret; /* from standard input or a prompt */
    struct lang_text summary, about;
    const struct operand *operands;
    const struct flag *flags;
    const struct example *examples;
    int (*run)(struct cli *c); /* returns an exit code */
};

enum { OPERANDS_MAX = 4 };

/* All rows, in the order of the overview; NULL at the end. */
const struct command *command_at(size_t i);
size_t command_count(void);
/* Flags of every command: --dir, --json, --lang, --help. */
extern const struct flag common_flags[];

/* The row of exactly this name, or NULL. */
const struct command *command_find(struct slice name);
/* A group is a first word with several second words ("account"): its summary, or NULL. */
const struct lang_text *command_group(struct slice word);
/* "account" of "account add". */
struct slice command_first_word(const struct command *command);
const struct flag *command_flag(const struct command *command, struct slice name);

#endif

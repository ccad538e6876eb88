/* command.h - a POP3 command line becomes words.            room: pop3/wire   runs in: gate keeper cli
 *
 * One table says for each command its arguments, the states it is legal in, and its flags; front/ and
 * session/ each keep a table of run functions beside it and their dispatchers enforce these columns. Nothing
 * here knows a state or reads a descriptor: find the line with base/line.h (pop3_line_most before sign-in,
 * LIMIT_POP3_COMMAND after it, LIMIT_SASL_RESPONSE for an AUTH answer), refuse it when `bare` or `dirty`, then parse it.
 *
 * Owns: nothing; slices point into the line.
 */
#ifndef POP3_WIRE_COMMAND_H
#define POP3_WIRE_COMMAND_H

#include "base/slice.h"

enum pop3_verb {
    POP3_CAPA,
    POP3_USER,
    POP3_PASS,
    POP3_AUTH,
    POP3_STLS,
    POP3_UTF8,
    POP3_STAT,
    POP3_LIST,
    POP3_RETR,
    POP3_DELE,
    POP3_NOOP,
    POP3_RSET,
    POP3_TOP,
    POP3_UIDL,
    POP3_QUIT,
    POP3_VERBS
};

enum pop3_args {
    POP3_ARGS_NONE,
    POP3_ARGS_REST,   /* all that follows one space, octet for octet: USER, PASS (which may hold blanks) */
    POP3_ARGS_NUMBER, /* a message number */
    POP3_ARGS_MAYBE_NUMBER, /* LIST, UIDL */
    POP3_ARGS_NUMBER_LINES, /* TOP */
    POP3_ARGS_SASL, /* mechanism and perhaps an initial response; or nothing, which asks for the list */
};

/* States. */
enum { POP3_AUTHORIZATION = 1, POP3_TRANSACTION = 2 };
/* Flags. */
enum {
    POP3_NEEDS_TLS = 1,  /* it carries a secret */
    POP3_BEFORE_TLS = 2, /* only on a connection without TLS */
    POP3_ENDS_GROUP =
        4,           /* nothing may be pipelined behind it (RFC 2449 6.6: the answer changes what follows) */
    POP3_SECRET = 8, /* its argument is never logged */
    POP3_JUNK = 16,  /* useless when repeated: counted */
};

/* What the limits of a credential must leave for the command, as bits: those of scope/scope.h, which the session compares. */
enum { POP3_CAN_READ = 1, POP3_CAN_DELETE = 8 };

struct pop3_row {
    const char *name;
    enum pop3_verb verb;
    enum pop3_args args;
    unsigned states;
    unsigned flags;
    unsigned rights; /* POP3_CAN_* */
    const char *rfc;
};

/* The longest line, in octets with its end, that the command at the front of `input` may have before sign-in. RFC 2449 4
 * says 255; what carries a secret may be as long as that (LIMIT_PASSWORD_MAX, LIMIT_SASL_RESPONSE). */
size_t pop3_line_most(struct slice input);

struct pop3_command {
    const struct pop3_row *row;
    struct slice rest; /* POP3_ARGS_REST; POP3_ARGS_SASL: the mechanism as typed, empty when none was named */
    struct slice initial; /* POP3_ARGS_SASL: base64, "=" for the empty response */
    bool has_initial;
    bool has_number;
    uint32_t number; /* 1 or more; what is above any drop's size stays UINT32_MAX, so that nothing wraps */
    uint32_t lines;  /* TOP; clamped to UINT32_MAX */
};

/* ERR_NOT_FOUND: no such command (APOP is none here). ERR_SYNTAX: wrong arguments; *ret_row is set all the
 * same when the command is known, else NULL (it may be NULL itself). */
fallible
pop3_command_parse(struct slice line, const struct pop3_row **ret_row, struct pop3_command *ret_command);

#endif

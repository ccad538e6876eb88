/* command.h - an SMTP command line becomes words.            room: smtp/wire   runs in: gate cli
 *
 * One table says for each verb its arguments, the states it is legal in and its flags; smtp/front keeps the run
 * functions beside it and its dispatcher enforces these columns. Find the line with base/line.h (LIMIT_SMTP_COMMAND, or
 * LIMIT_SASL_RESPONSE for AUTH: smtp_line_limit), then parse it. What is wrong with a line is a status of mail/status.h,
 * ready to be said.
 *
 * Owns: nothing; slices point into the line. Limits: LIMIT_SMTP_PARAMETERS, those of mail/address.h.
 */
#ifndef SMTP_WIRE_COMMAND_H
#define SMTP_WIRE_COMMAND_H

#include "base/line.h"
#include "mail/address.h"
#include "mail/status.h"

enum smtp_verb {
    SMTP_EHLO,
    SMTP_HELO,
    SMTP_STARTTLS,
    SMTP_AUTH,
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA,
    SMTP_BDAT,
    SMTP_RSET,
    SMTP_NOOP,
    SMTP_VRFY,
    SMTP_QUIT,
    SMTP_REFUSED, /* a verb that has a meaning elsewhere and is never offered here (T-045) */
    SMTP_VERBS
};

enum smtp_args {
    SMTP_ARGS_NONE,
    SMTP_ARGS_ANY,    /* ignored */
    SMTP_ARGS_DOMAIN, /* EHLO, HELO */
    SMTP_ARGS_MAIL,
    SMTP_ARGS_RCPT,
    SMTP_ARGS_BDAT,
    SMTP_ARGS_SASL,
};

/* States. A session is in exactly one. */
enum {
    SMTP_IN_START = 1, /* before EHLO or HELO, and again behind STARTTLS */
    SMTP_IN_GREETED = 2,
    SMTP_IN_MAIL = 4,    /* a sender, no recipient yet */
    SMTP_IN_RCPT = 8,    /* at least one recipient */
    SMTP_IN_CHUNKS = 16, /* between two BDAT of one message */
    SMTP_IN_ANY = 31,
};
/* Flags. */
enum {
    SMTP_ENDS_GROUP = 1, /* nothing may be pipelined behind it (RFC 2920 3.1) */
    SMTP_NEEDS_TLS = 2,
    SMTP_BEFORE_TLS = 4,   /* STARTTLS: only in the clear, where TLS is to be had */
    SMTP_NEEDS_SIGNIN = 8, /* on the submission door */
    SMTP_SUBMISSION = 16,  /* not known on the MX door */
    SMTP_JUNK = 32,        /* useless when repeated: counted */
    SMTP_SECRET = 64,      /* its argument is never logged */
};

struct smtp_row {
    const char *name;
    enum smtp_verb verb;
    enum smtp_args args;
    unsigned states;
    unsigned flags;
    const char *rfc;
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME };

/* MAIL and RCPT. */
struct smtp_params {
    unsigned seen; /* bits by row of the parameter table: doubles are refused */
    unsigned count;
    uint64_t size; /* as declared, 0 when not; above any limit it stays UINT64_MAX */
    enum smtp_body body;
    bool smtputf8;
};

struct smtp_command {
    const struct smtp_row *row;
    struct slice text;    /* the EHLO name, the mechanism of AUTH, the argument of others */
    struct slice initial; /* AUTH: base64, "=" for the empty response */
    bool has_initial;
    struct address path;
    struct smtp_params params;
    uint64_t chunk; /* BDAT */
    bool last;
};

/* What was negotiated before, which decides what is grammar now. */
enum {
    SMTP_WITH_UTF8 = 1, /* the transaction has SMTPUTF8: RCPT may hold UTF-8 */
    SMTP_WITH_AUTH = 2, /* AUTH is offered: MAIL may carry AUTH= */
};

/* How long a line that starts like this may be, its end included. */
size_t smtp_line_limit(struct slice input);
/* STATUS_OK, and *ret_command is set; else what to answer. *ret_row (may be NULL) is set even then when the verb is
 * known, else NULL. A line that is bare or dirty is refused here. */
enum status smtp_command_parse(
    const struct line *line, unsigned with, const struct smtp_row **ret_row,
    struct smtp_command *ret_command);

/* What another protocol's first line looks like: TLS, HTTP, SSH, RDP (T-046). */
bool smtp_is_foreign(struct slice input);

#endif

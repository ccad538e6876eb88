/* command.h - from one whole command to its words: the table of commands, and their arguments as trees.
 *                                                                      room: imap/wire   runs in: gate keeper
 *
 * verbs.def says of each command what its arguments look like, in which states it is legal, and what it does
 * to others; the dispatchers of the front and of the session enforce the columns, so that the commands
 * themselves contain no permission code. Parsing is strict: single spaces, no trailing octets, no NUL, no
 * 8-bit outside literals unless UTF-8 was enabled (T-157).
 *
 * Owns: nothing. Results point into the command's text and into the arena, and live as long as both.
 * Fails: ERR_SYNTAX, and ERR_LIMIT for a budget; both are answered with BAD and `problem`. Verb and tag are
 * then set as far as they could be read. Limits: struct imap_limits.
 */
#ifndef IMAP_WIRE_COMMAND_H
#define IMAP_WIRE_COMMAND_H

#include "base/arena.h"
#include "imap/wire/fetch.h"
#include "imap/wire/flags.h"
#include "imap/wire/reader.h"
#include "imap/wire/search.h"
#include "imap/wire/set.h"

enum imap_shape {
    IMAP_SHAPE_NONE,
    IMAP_SHAPE_APPEND,
    IMAP_SHAPE_AUTHENTICATE,
    IMAP_SHAPE_COPY,
    IMAP_SHAPE_CREATE,
    IMAP_SHAPE_ENABLE,
    IMAP_SHAPE_FETCH,
    IMAP_SHAPE_ID,
    IMAP_SHAPE_LIST,
    IMAP_SHAPE_LOGIN,
    IMAP_SHAPE_LSUB,
    IMAP_SHAPE_MAILBOX,
    IMAP_SHAPE_RENAME,
    IMAP_SHAPE_SEARCH,
    IMAP_SHAPE_SELECT,
    IMAP_SHAPE_SET,
    IMAP_SHAPE_STATUS,
    IMAP_SHAPE_STORE,
    IMAP_SHAPE_N
};

/* States of a connection (RFC 3501 3), as bits. */
enum {
    IMAP_STATE_OUT = 1,  /* not authenticated: the front's */
    IMAP_STATE_AUTH = 2, /* signed in, nothing selected */
    IMAP_STATE_OPEN = 4, /* selected */
    IMAP_STATE_IN = IMAP_STATE_AUTH | IMAP_STATE_OPEN,
    IMAP_STATE_ANY = 7
};

/* Flags of a command. */
enum {
    IMAP_VERB_NEEDS_TLS = 1,   /* refused with [PRIVACYREQUIRED] in the clear */
    IMAP_VERB_SECRET = 2,      /* its octets may hold a password: never logged, wiped */
    IMAP_VERB_USES_SEQ = 4,    /* its arguments are sequence numbers */
    IMAP_VERB_BY_UID = 8,      /* its set is of UIDs */
    IMAP_VERB_BREAKS_SEQ = 16, /* sequence numbers may change while it runs */
    IMAP_VERB_NO_EXPUNGE = 32, /* no EXPUNGE may be sent before its tagged answer (RFC 3501 7.4.1) */
    IMAP_VERB_CHANGES = 64,    /* changes the store */
    IMAP_VERB_WRITABLE = 128   /* refused in a mailbox opened with EXAMINE */
};

/* What the limits of a credential must leave for the command, as bits: those of scope/scope.h, which the session compares. */
enum { IMAP_CAN_READ = 1, IMAP_CAN_FLAG = 2, IMAP_CAN_APPEND = 4, IMAP_CAN_DELETE = 8, IMAP_CAN_MANAGE = 16 };

/* What a sign-in must have been granted for the command. */
enum imap_scope { IMAP_SCOPE_NONE, IMAP_SCOPE_RECEIVE };

enum imap_verb_id {
#define VERB(id, name, shape, states, flags, scope, rights, rfc) IMAP_VERB_##id##_ID,
#include "imap/wire/verbs.def"
#undef VERB
    IMAP_VERBS
};

struct imap_verb {
    enum imap_verb_id id;
    const char *name; /* "UID FETCH" */
    enum imap_shape shape;
    unsigned states; /* IMAP_STATE_* where it is legal */
    unsigned flags;  /* IMAP_VERB_* */
    enum imap_scope scope;
    unsigned rights; /* IMAP_CAN_*; arguments may need more (imap/session/run.c) */
    const char *rfc;
};
/* All commands, IMAP_VERBS of them, in the order of their ids. */
extern const struct imap_verb imap_verbs[IMAP_VERBS];

/* A mailbox as the client named it: UTF-8, INBOX in capitals (as the first level too). Not valid: wrong
 * modified UTF-7; such a mailbox does not exist and cannot be made (T-160). Whether the name is allowed at
 * all is the store's matter. */
struct imap_mailbox {
    struct slice name;
    bool valid;
};

enum { /* STATUS items */
       IMAP_STATUS_MESSAGES = 1,
       IMAP_STATUS_RECENT = 2,
       IMAP_STATUS_UIDNEXT = 4,
       IMAP_STATUS_UIDVALIDITY = 8,
       IMAP_STATUS_UNSEEN = 16,
       IMAP_STATUS_HIGHESTMODSEQ = 32
};
enum { /* LIST: selection and return options (RFC 5258, RFC 6154, RFC 5819) */
       IMAP_LIST_SUBSCRIBED = 1,
       IMAP_LIST_REMOTE = 2,
       IMAP_LIST_RECURSIVEMATCH = 4,
       IMAP_LIST_SPECIAL_USE = 8,
       IMAP_LIST_CHILDREN = 16, /* return only */
       IMAP_LIST_STATUS = 32    /* return only: status_items */
};
enum { /* ENABLE */
       IMAP_ENABLE_CONDSTORE = 1
};

struct imap_pair {
    struct slice field, value; /* value.p is NULL for NIL */
};

struct imap_command {
    struct slice tag;
    const struct imap_verb *verb; /* NULL: unknown */
    const char *problem;          /* for BAD, after a failure */
    union {
        struct {
            struct slice user, secret;
        } login;
        struct {
            struct slice mechanism;
            bool has_initial;     /* SASL-IR (RFC 4959) */
            struct slice initial; /* base64 as written; "=" is delivered as has_initial with nothing */
        } authenticate;
        struct imap_mailbox mailbox; /* MAILBOX, CREATE */
        struct {
            struct imap_mailbox mailbox;
            bool condstore; /* SELECT x (CONDSTORE) */
        } select;
        struct {
            struct imap_mailbox from, to;
        } rename;
        struct {
            bool extended;   /* the syntax of RFC 5258 was used */
            unsigned select; /* IMAP_LIST_* */
            unsigned give;
            unsigned status_items;
            struct imap_mailbox reference;
            struct imap_mailbox *patterns; /* with * and %, reference not yet joined */
            size_t patterns_n;
        } list; /* LIST, LSUB */
        struct {
            struct imap_mailbox mailbox;
            unsigned items;
        } status;
        struct {
            struct imap_mailbox mailbox;
            struct imap_flags flags;
            bool has_date;
            int64_t date; /* unix seconds */
        } append;         /* the message follows: reader.h */
        struct {
            unsigned known; /* IMAP_ENABLE_*; unknown names are ignored (RFC 5161 3.1) */
        } enable;
        struct {
            struct imap_pair *pairs; /* at most 30 (RFC 2971 3.3) */
            size_t n;
        } id;
        struct {
            struct imap_set set;
        } set;
        struct {
            struct imap_set set;
            struct imap_mailbox mailbox;
        } copy;
        struct {
            struct imap_set set;
            struct imap_fetch what;
        } fetch;
        struct {
            struct imap_set set;
            enum { IMAP_STORE_SET, IMAP_STORE_ADD, IMAP_STORE_REMOVE } how;
            bool silent;
            bool has_unchanged_since;
            uint64_t unchanged_since;
            struct imap_flags flags;
        } store;
        struct imap_search search;
    };
};

/* `text`: of imap_reader_text after IMAP_READ_DONE, or after IMAP_READ_MESSAGE (an APPEND without its
 * message). `utf8`: UTF-8 was enabled: quoted strings may carry it, and mailbox names are it. */
fallible imap_command_parse(
    struct slice text, const struct imap_limits *limits, bool utf8, struct arena *arena,
    struct imap_command *ret_command);

#endif

/* err.h - the one error enum of the house.                                   room: base   runs in: all
 *
 * Every function that can fail returns `fallible` (0 or a negative `enum err`) and must be checked. Three
 * words for three situations: an *error* is the peer's or the disk's doing and is returned; *fatal* means our
 * environment is unusable (log, exit, let the supervisor decide); a *bug* means we broke our own promise
 * (print, abort). Outputs are named ret_, come last, and are untouched on failure.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    OK = 0,
    ERR_AGAIN = -1,        /* not now: a callback or a later call will say */
    ERR_LIMIT = -2,        /* a ceiling of limits.h was reached */
    ERR_SYNTAX = -3,       /* the input does not follow its grammar */
    ERR_NOT_FOUND = -4,    /* no such thing */
    ERR_EXISTS = -5,       /* it is there already */
    ERR_GONE = -6,         /* it was there, and was deleted meanwhile */
    ERR_DENIED = -7,       /* not allowed */
    ERR_STATE = -8,        /* not in this state */
    ERR_UNAVAILABLE = -9,  /* a part of the server, or the disk, does not serve just now: try later */
    ERR_TIMEOUT = -10,     /* a deadline passed */
    ERR_DISK_FULL = -11,   /* no space, or the reserve would be touched */
    ERR_QUOTA = -12,       /* the account's quota is used up */
    ERR_IO = -13,          /* a system call failed: errno was logged or is still set */
    ERR_CORRUPT = -14,     /* stored data contradicts itself: set aside, never deleted */
    ERR_CLOSED = -15,      /* the other side has gone */
    ERR_UNSUPPORTED = -16, /* known, but not offered here */
    ERR_PROTOCOL = -17,    /* one of our own processes broke the rules of messages.schema */
    ERR_BUSY = -18,        /* somebody else holds it */
    ERR_MEMORY = -19,
    ERR_N = -20
};

/* The return type of everything that can fail. */
#define fallible __attribute__((warn_unused_result)) enum err

/* Hands an error on to the caller. */
#define TRY(expression)                                                                                      \
    do {                                                                                                     \
        enum err try_err_ = (expression);                                                                    \
        if (try_err_ != OK)                                                                                  \
            return try_err_;                                                                                 \
    } while (0)

/* For the rare place that may not care: says so in the code. */
#define IGNORE(expression, why)                                                                              \
    do {                                                                                                     \
        enum err ignored_ = (expression);                                                                    \
        (void)ignored_;                                                                                      \
    } while (0)

/* The error's words, for people reading logs ("no such thing"); never NULL. */
const char *err_text(enum err e);
/* The error's stable name ("not-found"), for fields of logs and --json. */
const char *err_name(enum err e);

#endif

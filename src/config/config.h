/* config.h - letterlock.conf: one table of keys, one strict parser, values by key.   room: config   runs in: all
 *
 * The table is keys.def: name, type, default, least and most, which roles may know the key, when a change takes effect,
 * help for people. The supervisor loads the file (config_load), the roles get their share of it as (key, value) texts in
 * their start message (config_each, config_set_text), and read it by key. Nothing is expanded, included or guessed:
 * every doubled, unknown, empty or zero value is an error with its line, its column and a remedy, and all errors of a
 * file are collected before anybody is told. Zero never means "no limit".
 *
 * Owns: a `struct config` owns its texts (config_free). Fails: as each function says; never logs. Not: files other than
 * letterlock.conf (whether a certificate can be read is for tls/ and for `letterlock check`).
 * Limits: LIMIT_CONFIG_FILE, LIMIT_CONFIG_LINE, LIMIT_CONFIG_WORDS, LIMIT_CONFIG_REPEATS, LIMIT_CONFIG_ERRORS.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/ip.h"
#include "config/lang.h"

/* CONFIG_HOSTNAME, CONFIG_LISTEN, ...: see keys.def, which documents each. */
enum config_key {
#define KEY(id, ...) CONFIG_##id,
#include "config/keys.def"
#undef KEY
    CONFIG_KEYS
};

enum config_type {
    CONFIG_TYPE_HOSTNAME,    /* config_text: a full domain name in its ASCII form, lower case */
    CONFIG_TYPE_COUNT,       /* config_number */
    CONFIG_TYPE_COUNT_AUTO,  /* config_processes: a count, or "auto" */
    CONFIG_TYPE_DURATION,    /* config_number: milliseconds; written with ms, s, min, h or d */
    CONFIG_TYPE_SIZE,        /* config_number: octets; written with B, KiB, MiB, GiB or TiB */
    CONFIG_TYPE_BOOLEAN,     /* config_is: "yes" or "no" */
    CONFIG_TYPE_ENUM,        /* config_number: index into the row's choices; config_text: the word */
    CONFIG_TYPE_NETWORKS,    /* config_networks: networks, or "none" */
    CONFIG_TYPE_LISTEN,      /* config_listener: door and address:port */
    CONFIG_TYPE_CERTIFICATE, /* config_certificate: chain file, key file, names */
    CONFIG_TYPE_TEXT,        /* config_text: one word, in quotation marks when it has blanks */
    CONFIG_TYPE_PATH,        /* config_text: a file */
    CONFIG_TYPE_WORDS,       /* config_words: from `least` to `most` words */
    CONFIG_TYPE_ATTRIBUTE,   /* config_words: names of LDAP attributes, or "none" */
    CONFIG_TYPE_DIRECTORY,   /* config_directory: where an LDAP server is */
    CONFIG_TYPES
};

/* Which roles may know a key. */
enum config_role {
    CONFIG_FOR_SUPERVISOR = 1,
    CONFIG_FOR_GATE = 2,
    CONFIG_FOR_VAULT = 4,
    CONFIG_FOR_KEEPER = 8,
    CONFIG_FOR_SCAN = 16,
    CONFIG_FOR_RELAY = 32,
    CONFIG_FOR_SCRIBE = 64,
    CONFIG_FOR_DIRECTORY = 128,
    CONFIG_FOR_ALL = 255
};

/* When a change of the file takes effect after a reload. */
enum config_effect { CONFIG_LIVE, CONFIG_NEW_SESSIONS, CONFIG_RESTART, CONFIG_EFFECTS };
const char *config_effect_name(enum config_effect effect); /* "live", "new sessions", "restart" */

struct config_row {
    const char *name; /* "message_size" */
    enum config_type type;
    const char *preset;   /* default, as it would be written; NULL: none */
    uint64_t least, most; /* of counts, durations (ms) and sizes (octets) */
    const char *choices;  /* of an enum, separated by blanks; of words, when not any word will do */
    unsigned roles;       /* enum config_role, or-ed */
    enum config_effect effect;
    bool repeats;  /* may stand in the file several times */
    bool required; /* must stand in the file */
    struct lang_text help;
};
const struct config_row *config_row(enum config_key key);
/* ERR_NOT_FOUND. */
fallible config_key_find(struct slice name, enum config_key *ret_key);

/* What a listener speaks. Names in the file: smtp submission submissions imap imaps pop3 pop3s. */
enum config_door {
    DOOR_SMTP,        /* mail from other servers; STARTTLS offered */
    DOOR_SUBMISSION,  /* mail from our people's programs; STARTTLS demanded */
    DOOR_SUBMISSIONS, /* the same with TLS from the first octet (RFC 8314) */
    DOOR_IMAP,
    DOOR_IMAPS,
    DOOR_POP3,
    DOOR_POP3S,
    DOOR_N
};
const char *config_door_name(enum config_door door);
fallible config_door_parse(struct slice name, enum config_door *ret_door);
/* 25, 587, 465, 143, 993, 110, 995. */
uint16_t config_door_port(enum config_door door);
/* TLS from the first octet. */
bool config_door_is_tls(enum config_door door);

struct config_listener {
    enum config_door door;
    struct ip ip;
    uint16_t port; /* never 0 */
    bool
        every; /* written "*": all addresses of both families (ip is all zero; the socket is not IPv6-only) */
};
struct config_certificate {
    struct slice chain, key;   /* paths; relative ones start at the folder of letterlock.conf */
    const struct slice *names; /* names it serves; none: those in the certificate itself */
    size_t name_count;
};
struct config_directory {
    bool tls_first;    /* ldaps:// */
    struct slice host; /* a name in its ASCII form, or the text of `ip` */
    struct ip ip;      /* all zero: host is a name */
    uint16_t port;
};
enum config_policy {
    CONFIG_NEVER,
    CONFIG_WITH_TOTP,
    CONFIG_ALLOWED
}; /* choices of the mailbox_password_* keys */

struct config;
/* All values at their defaults; required ones missing. */
struct config *config_new(void);
void config_free(struct config **c);

/* Values. Asking a key by another type than its row's is a bug and asserts. */
uint64_t config_number(const struct config *c, enum config_key key);
bool config_is(const struct config *c, enum config_key key);
/* Hostnames and the words of enums; the empty slice when missing. With a NUL behind it. */
struct slice config_text(const struct config *c, enum config_key key);
/* Of a COUNT_AUTO key: the number in the file, or what "auto" means on a machine with that many cores. */
unsigned config_processes(const struct config *c, enum config_key key, unsigned cores);
const struct ip_net *config_networks(const struct config *c, enum config_key key, size_t *ret_count);
/* True when one of the key's networks has the address. */
bool config_networks_have(const struct config *c, enum config_key key, const struct ip *ip);
size_t config_listeners(const struct config *c);
const struct config_listener *config_listener(const struct config *c, size_t at);
size_t config_certificates(const struct config *c);
const struct config_certificate *config_certificate(const struct config *c, size_t at);
/* The words of a value; those of ATTRIBUTE "none": none at all. */
const struct slice *config_words(const struct config *c, enum config_key key, size_t at, size_t *ret_count);
/* NULL: accounts come from no directory. */
const struct config_directory *config_directory(const struct config *c);
/* The separator of plus-addressing, or 0 when it is off. */
char config_plus_separator(const struct config *c);

/* Was it said (in the file or by config_set_text), or is it the default? */
bool config_is_set(const struct config *c, enum config_key key);
/* How many values the key has (0 or 1, more for one that repeats), and one of them as it would be written. */
size_t config_values(const struct config *c, enum config_key key);
void config_put_value(const struct config *c, enum config_key key, size_t at, struct buf *out);

/* A role's share: calls `each` for every value of every key that one of `roles` may know, in the order of the table.
 * The texts are good during the call. Feeding them to config_set_text of a new config gives equal values. */
fallible config_each(
    const struct config *c, unsigned roles, enum err (*each)(struct slice key, struct slice value, void *arg),
    void *arg);
/* Sets one value from text (adds one, for a key that repeats; the first replaces the default). ERR_NOT_FOUND: no such
 * key; ERR_EXISTS: doubled; ERR_SYNTAX: not of the key's type or range; ERR_LIMIT: too many. Nothing changes then. For a
 * reload a role makes a new config, sets all pairs, and takes the place of the old one with it. */
fallible config_set_text(struct config *c, struct slice key, struct slice value);

/* A size ("50 MiB") or duration ("15 min") as the file writes it, for the command's flags. Never 0. ERR_SYNTAX; ERR_LIMIT
 * when too large. */
fallible config_measure_parse(enum config_type type, struct slice text, uint64_t *ret_number);
/* Writes one in the largest unit that fits. */
void config_measure_put(enum config_type type, uint64_t number, struct buf *out);
/* Could it be the value of a HOSTNAME key? */
bool config_is_hostname(struct slice name);
/* How a value of the key may look, in words. */
void config_wanted_put(enum config_key key, enum lang lang, struct buf *out);

/* What is wrong with a file. */
struct config_error {
    unsigned line, column; /* from 1; the line is 0 for what is missing; columns count octets */
    const struct config_fault *fault;
    enum config_key
        key; /* the key that it is about (or the one that may have been meant); CONFIG_KEYS: none */
    struct slice
        subject; /* what the file says there, cut to about 80 octets, escaped for terminals and logs */
};
/* The stable name of the fault: "unknown-key", "doubled", "zero"... */
const char *config_error_name(const struct config_error *error);
/* One sentence on what is wrong, and one on what to do. */
void config_error_put(const struct config_error *error, enum lang lang, struct buf *out);
void config_error_put_remedy(const struct config_error *error, enum lang lang, struct buf *out);

struct config_errors; /* in the order of lines; at most LIMIT_CONFIG_ERRORS, the rest are counted */
struct config_errors *config_errors_new(void);
void config_errors_free(struct config_errors **errors);
size_t config_error_count(const struct config_errors *errors);
const struct config_error *config_error(const struct config_errors *errors, size_t at);
/* Errors beyond the ceiling. */
size_t config_errors_dropped(const struct config_errors *errors);

/* The whole text of a file. ERR_SYNTAX when there are errors: then *ret_config is untouched. */
fallible config_parse(struct slice text, struct config_errors *errors, struct config **ret_config);
/* Reads and parses; must be a regular file. Beside config_parse's: ERR_NOT_FOUND, ERR_DENIED, ERR_IO (without lines in
 * `errors`); a file above the ceiling is an error in `errors` and ERR_SYNTAX. */
fallible config_load(const char *path, struct config_errors *errors, struct config **ret_config);

/* What a reload changes. */
struct config_changes {
    bool changed[CONFIG_KEYS];
    size_t count[CONFIG_EFFECTS]; /* changed keys by when they take effect */
};
void config_compare(
    const struct config *before, const struct config *after, struct config_changes *ret_changes);

/* The commented file for people: each key with its help, range, default and effect; keys that are set stand as values,
 * the others behind "#". Parsing it gives an equal config. */
void config_put_file(const struct config *c, enum lang lang, struct buf *out);

#endif

/* private.h - what the files of config/ share.                                   room: config   runs in: all
 *
 * Not for other rooms: config.h is. The texts of values live in the arena of their config.
 */
#ifndef CONFIG_PRIVATE_H
#define CONFIG_PRIVATE_H

#include "base/arena.h"
#include "config/config.h"

enum fault {
    FAULT_NONE,
#define FAULT(id, ...) FAULT_##id,
#include "config/faults.def"
#undef FAULT
    FAULT_N
};
struct config_fault {
    const char *name;
    struct lang_text says, remedy;
};

struct config_value {
    struct slice text; /* of hostnames and choices */
    uint64_t number;   /* counts, ms, octets, index of a choice; 0: "auto" */
    struct ip_net *networks;
    size_t network_count;
    struct config_listener listener;
    struct config_certificate certificate;
    struct slice *words;
    size_t word_count;
    struct config_directory directory;
};

/* A word of a value, with its quotation marks gone; `raw` is where it stands in the file. */
struct config_word {
    struct slice text, raw;
};
/* Splits at blanks, reads quotation marks, stops at a comment. At most LIMIT_CONFIG_WORDS. On a fault *ret_at is the
 * part of `text` to be shown. */
enum fault words_split(
    struct slice text, struct arena *arena, struct config_word **ret_words, size_t *ret_count,
    struct slice *ret_at);

/* Reads a value of the key's type. On a fault nothing but *ret_at is set: the part of the text to be shown. */
enum fault value_parse(
    enum config_key key, struct slice text, struct arena *arena, struct config_value *ret_value,
    struct slice *ret_at);
/* As the file would say it. */
void value_put(enum config_key key, const struct config_value *value, struct buf *out);
/* Adds a value to a config; the slices are those of value_parse. */
enum fault config_put(struct config *c, enum config_key key, struct slice text, struct slice *ret_at);
/* directory.c: what the keys of the directory must be together. `line_of`: the lines where keys stand, 0: nowhere. */
void config_directory_check(const struct config *c, const unsigned line_of[], struct config_errors *errors);

void config_errors_add(
    struct config_errors *errors, unsigned line, unsigned column, enum fault fault, enum config_key key,
    struct slice subject);

#endif

/* wording.h - what the doctor itself says as proof, in every language.                  room: doctor   runs in: cli
 *
 * A proof is what somebody else said (a reply, a record), which stays as it came in every language, or what the doctor found by
 * itself. The latter is a wording: a phrase of phrases.def, made of parts that are wordings too. Parts that nobody can translate,
 * such as names, numbers and what was quoted, are the same in all languages.
 *
 * Owns: nothing; texts are in the arena that was given, or are constants. Pure.
 */
#ifndef DOCTOR_WORDING_H
#define DOCTOR_WORDING_H

#include "base/arena.h"
#include "config/lang.h"

enum phrase {
#define PHRASE(id, en, zh) PHRASE_##id,
#define KNOWN(en, zh)
#include "doctor/phrases.def"
#undef PHRASE
#undef KNOWN
    PHRASE_N
};

struct wording {
    struct slice in[LANG_N];
};

/* The same in every language. */
struct wording wording_same(struct slice text);
/* English words of a library or of another room, by KNOWN of phrases.def; what is not known there is quoted in other languages. */
struct wording wording_known(struct arena *a, struct slice english);
struct wording wording_error(enum err e);
/* The system's own words for an errno. */
struct wording wording_errno(struct arena *a, int number);
/* `words(which, lang)` of a table of the house: source_words, security_words. */
#define wording_of(words_, which_)                                                                           \
    ((struct wording){{slice_str(words_((which_), LANG_EN)), slice_str(words_((which_), LANG_ZH))}})
/* The phrase with these in the place of {1} to {3}; those that it does not have count for nothing. Empty when the arena is
 * full. */
struct wording wording_fill(
    struct arena *a, enum phrase phrase, struct wording one, struct wording two, struct wording three);
/* The same with texts that are the same in every language. */
struct wording
wording_say(struct arena *a, enum phrase phrase, struct slice one, struct slice two, struct slice three);
/* A phrase without places. */
struct wording wording_bare(enum phrase phrase);

/* `words` with args in the place of {1} to {3}; empty when the arena is full. */
struct slice words_fill(struct arena *a, const char *words, const struct slice args[3]);

/* ---- for tests ---- */

const char *phrase_words(enum phrase phrase, enum lang lang);
/* Of the rows of KNOWN; false at the end. */
bool known_at(size_t i, struct lang_text *ret_words);

#endif

/* answers.h - what the vault says about a request, in the person's language.               room: cli   runs in: cli
 *
 * The vault speaks English: its words also stand in logs and results. What it says to people who
 * asked for another language is looked up here, by its whole text or by a pattern. A text that nobody knows stays as it is: an
 * English sentence is better than none.
 */
#ifndef CLI_ANSWERS_H
#define CLI_ANSWERS_H

#include "base/arena.h"
#include "config/lang.h"

/* In the arena, or `text` itself. */
struct slice answer_words(struct arena *arena, enum lang lang, struct slice text);

#endif

/* reasons.h - the vault's reasons in plain words.                                    room: cli   runs in: cli */
#ifndef CLI_REASONS_H
#define CLI_REASONS_H

#include "config/lang.h"

/* What a stable reason ("wrong-secret") means and what to do; the word itself when it is none we know. */
struct slice reason_words(enum lang lang, struct slice reason);
/* The i-th reason that has words; NULL at the end. For tests. */
const char *reason_known(size_t i);

#endif

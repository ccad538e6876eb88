/* reach.h - the stable words of `client audit` as sentences for people.               room: cli   runs in: cli */
#ifndef CLI_REACH_H
#define CLI_REACH_H

#include "base/buf.h"
#include "config/lang.h"

/* Is the word among words separated by blanks? */
bool reach_has(struct slice words, const char *word);
/* What a credential opens, as one sentence; words that we do not know are shown as they are. */
void reach_put(enum lang lang, struct slice words, struct buf *out);
/* What was found, with what to do about it. */
void finding_put(enum lang lang, struct slice words, struct buf *out);
/* One finding as a heading ("never used"). */
void finding_put_short(enum lang lang, struct slice word, struct buf *out);

#endif

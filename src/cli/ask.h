/* ask.h - questions to the person: secrets without echo, names, yes or no.              room: cli   runs in: cli
 *
 * A secret comes from the terminal (typed twice when it is new) or, when standard input is none, from its first line.
 * It lives in secret memory from the first octet and is wiped from everything it passed through. Ctrl-C and the like end every
 * question: the terminal is as it was, then the signal does what it does elsewhere (c->stop).
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/cli.h"
#include "crypto/secret.h"

/* Is somebody there to ask? */
bool ask_is_possible(void);
/* `twice`: a new secret, at least 8 octets. Returns an exit code; troubles are told. */
int ask_secret(
    struct cli *c, struct secret_slab *slab, enum say_id prompt, bool twice, struct secret *ret_secret);
/* A secret that exists already; the question names whose it is. May be empty; is none when c->stop came (CLI_OK). */
int ask_secret_of(
    struct cli *c, struct secret_slab *slab, enum say_id prompt, struct slice one, struct secret *ret_secret);
/* One line; the empty answer gives `preset`. False at the end of input. */
bool ask_line(struct cli *c, enum say_id prompt, struct slice preset, struct slice *ret_text);
/* Yes or no; anything but a clear yes is no. */
bool ask_yes(struct cli *c, enum say_id prompt, struct slice one);

#endif

/* tokens.h - the text of a bearer token: making and reading.                       room: vault   runs in: vault
 *
 * "llt_" and 43 characters of base64url (RFC 4648 section 5, no padding) of 256 random bits: every octet is one that RFC 6750
 * section 2.1 allows. The prefix tells what it is when it turns up in a log or a repository. Programs carry it, people don't
 * type it: nothing is forgiven but white space around it.
 */
#ifndef VAULT_TOKENS_H
#define VAULT_TOKENS_H

#include "base/slice.h"

enum { TOKEN_RANDOM = 32, TOKEN_PREFIX = 4, TOKEN_LEN = TOKEN_PREFIX + 43 };

/* Holds a secret: wipe it. No NUL behind. */
struct token {
    char text[TOKEN_LEN];
};
static inline struct slice token_slice(const struct token *t)
{
    return slice_of(t->text, sizeof t->text);
}

void token_make(struct token *ret_token);
/* False: not the form of a token of ours. The one spelling of 256 bits only. */
bool token_read(struct slice text, struct token *ret_token);

#endif

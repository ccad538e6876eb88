/* explain.h - what an error text means: the diagnosis that fits best, and what else it could be.   room: doctor
 *                                                                                         runs in: cli
 *
 * Every expression of the knowledge is held against the text. The one that demands most of it wins: a code with its sentence
 * before the code alone, the same case before the other, a place within one line before one over several, words that one
 * provider or program uses before anybody's. When the text names a provider's host or domain, that provider's diagnoses go
 * first and those of other providers last. A diagnosis of low confidence is for texts that say little: it comes behind.
 * Lines of other programs (knowledge.h) are not read in a text that was pasted; in a server's own reply there are none.
 *
 * Borrows the knowledge and the text. Never fails: a text of which nothing is known gives no finding.
 */
#ifndef DOCTOR_EXPLAIN_H
#define DOCTOR_EXPLAIN_H

#include "doctor/knowledge.h"

enum { EXPLAIN_FINDINGS = 4 };

struct finding {
    const struct diagnosis *diagnosis;
    struct slice proof; /* of the text, as it was pasted */
    int64_t score;
    enum sure sure; /* the diagnosis' own, lower when another cause fits about as well */
};
struct explanation {
    struct finding findings[EXPLAIN_FINDINGS]; /* best first */
    size_t count;
    const struct provider *provider; /* that the text names; or NULL */
    bool cut;                        /* only the first LIMIT_EXPLAIN_TEXT octets were read */
};
void explain(const struct knowledge *k, struct slice text, struct explanation *ret_explanation);
/* The same for one reply of a server, of which is known where it was said and (may be NULL) who the provider is: texts of that
 * place go before those of anywhere, those of other places and of other providers come last. */
void explain_reply(
    const struct knowledge *k, struct slice text, enum where where, const struct provider *provider,
    struct explanation *ret_explanation);

#endif

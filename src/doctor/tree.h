/* tree.h - the decision tree: the questions, the causes that a "no" leads to, the path taken.  room: doctor   runs in: cli
 *
 * The questions are the steps, in their order; "yes" leads to the next one, "no" to one of the causes below it, and the last "yes"
 * to "everything works". The path of a verdict is marked. Drawn as Mermaid text and as SVG of our own; both are written
 * without foreign text, so nothing of a server's words can get in there.
 *
 * Owns nothing: all texts are constant. Never fails; a full buffer shows in buf_check. Pure.
 */
#ifndef DOCTOR_TREE_H
#define DOCTOR_TREE_H

#include "base/buf.h"
#include "doctor/verdict.h"

enum tree_answer {
    TREE_NOT_ASKED, /* the path ended before, or the step was not taken */
    TREE_YES,
    TREE_UNSURE, /* with warnings */
    TREE_NO,
    TREE_ANSWERS
};
const char *tree_answer_name(enum tree_answer answer);

struct tree_question {
    enum step step;
    enum tree_answer answer;
    enum cause
        causes[CAUSE_N]; /* the leaves, in fixed order; the one of the verdict is added where it is missing */
    size_t cause_count;
};
struct tree {
    struct tree_question questions[STEP_N];
    enum verdict_kind end;
    enum step stop;   /* where the path ends; STEP_N: it goes through */
    enum step step;   /* of the verdict's leaf; STEP_N: nothing is wrong */
    enum cause cause; /* of the verdict; CAUSE_N: nothing is wrong */
};
void tree_init(struct tree *t, const struct examination *x, const struct verdict *v);
/* "Does the server's certificate hold?": what a step asks. */
const char *tree_words(enum step step, enum lang lang);
void tree_put_mermaid(const struct tree *t, enum lang lang, struct buf *out);
/* One <svg> element. Its attributes hold colours of their own, so that it stands alone; its classes (tree-question, tree-panel,
 * tree-leaf, tree-line, tree-text, each with tree-taken on the path) let a page colour it otherwise. */
void tree_put_svg(const struct tree *t, enum lang lang, struct buf *out);

#endif

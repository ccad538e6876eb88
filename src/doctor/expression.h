/* expression.h - what must stand in a text for a diagnosis to be thought of.            room: doctor   runs in: cli
 *
 * An expression is a list of fragments that occur one after the other in a line. It is written so:
 *
 *     535 5.7.139 * basic authentication is disabled
 *
 *     *        any text of the same line; with blanks around it the words beside it are whole words; at the very beginning
 *              or end, glued to a word: that word may go on
 *     {a|b}    one of these; may be empty ({a|}) and may hold further ones
 *     ^  $     the line begins, the line ends here
 *     \        the next sign means itself
 *
 * Letters match in both cases; the same case counts a little more. Blanks match any run of blanks. Where an expression begins
 * or ends with a letter or digit, so does a word of the text: "5.7.1" is not found in "5.7.139". There is no backtracking:
 * the leftmost place of each fragment is right, so matching takes time in proportion to the text.
 *
 * Braces are resolved when an expression is compiled; each way through them is an expression of its own.
 * Owns: everything lies in the arena passed. Fails: ERR_SYNTAX, and ERR_LIMIT for more than LIMIT_EXPLAIN_WAYS.
 */
#ifndef DOCTOR_EXPRESSION_H
#define DOCTOR_EXPRESSION_H

#include "base/arena.h"
#include "doctor/subject.h"

struct fragment {
    struct slice cased, lower;
    bool word_before, word_after; /* a word must begin, or end, there */
};
struct expression {
    const struct fragment *fragments;
    uint16_t count;
    bool at_start, at_end;
    uint32_t weight; /* octets of all fragments: how much it demands */
};
struct expressions {
    struct expression *rows; /* in the arena */
    size_t count;
};
fallible expressions_compile(struct slice written, struct arena *arena, struct expressions *ret_ways);

struct place {
    size_t from, to; /* in the subject */
    bool same_case;
    bool one_line; /* false: only over the end of a line */
};
bool expression_find(const struct expression *e, const struct subject *s, struct place *ret_place);
/* Takes every line that it is found in out of the subject. */
void expression_drop_lines(const struct expression *e, struct subject *s);

#endif

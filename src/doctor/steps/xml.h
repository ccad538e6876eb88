/* xml.h - a small XML file as a tree.                                              room: doctor/steps   runs in: cli
 *
 * The only user of expat. What mail domains publish about their servers is a hundred short elements; anything that is more than
 * that, or that brings a document type of its own (the only way to entities, and so to their expansion), is refused. Names lose
 * their namespace prefix. Owns: nothing; the tree is in the arena. Limits: LIMIT_DOCTOR_FETCH, _XML_DEPTH, _XML_NODES,
 * _XML_ATTRIBUTES, and that of the arena.
 */
#ifndef DOCTOR_STEPS_XML_H
#define DOCTOR_STEPS_XML_H

#include "base/arena.h"

struct xml_attribute {
    struct slice name, value;
};
struct xml_node {
    struct slice name;
    struct slice text; /* of an element without elements in it, without blanks around it; UTF-8 */
    struct xml_attribute *attributes;
    size_t attribute_count;
    struct xml_node *parent, *first, *last, *next; /* first and last within, next beside */
};

/* ERR_SYNTAX: not well-formed, or no XML at all; ERR_LIMIT: too much of it; ERR_DENIED: it has a document type. */
fallible xml_parse(struct slice file, struct arena *arena, const struct xml_node **ret_root);
/* The first element of this name within; the next one beside. Letter case counts. NULL: none. */
const struct xml_node *xml_first(const struct xml_node *n, const char *name);
const struct xml_node *xml_next(const struct xml_node *n);
/* The text of the first element of this name within; empty: none. */
struct slice xml_text(const struct xml_node *n, const char *name);
struct slice xml_attribute_of(const struct xml_node *n, const char *name);

#endif

/* knowledge_parts.h - the knowledge from within: what reading fills and looking up uses.   room: doctor   runs in: cli
 *
 * Private to knowledge.c, which owns and looks up, and knowledge_read.c, which reads files. The maps hold index + 1, because NULL is
 * "not there".
 */
#ifndef DOCTOR_KNOWLEDGE_PARTS_H
#define DOCTOR_KNOWLEDGE_PARTS_H

#include "base/map.h"
#include "doctor/knowledge.h"

struct knowledge {
    struct arena arena;
    struct diagnosis *diagnoses;
    struct provider *providers;
    struct slice *domains; /* as many as by_domain holds */
    size_t count, provider_count, expressions;
    struct other_words *other_words;
    struct map by_id, by_domain, by_mx, by_provider; /* hold index + 1 */
};

/* An index as a map holds it. */
void *knowledge_number(size_t index);
/* SLICE_NPOS: not there. */
size_t knowledge_index(const struct map *m, struct slice key);

#endif

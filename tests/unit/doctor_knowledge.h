/* doctor_knowledge.h - what is compiled in, read once for a whole group of tests: cmocka_run_group_tests(tests, learn, forget). */
#ifndef UNIT_DOCTOR_KNOWLEDGE_H
#define UNIT_DOCTOR_KNOWLEDGE_H

#include "doctor/knowledge.h"

static struct knowledge *k;

static int learn(void **state)
{
    k = knowledge_built_in();
    return 0;
}

static int forget(void **state)
{
    knowledge_free(&k);
    return 0;
}

#endif

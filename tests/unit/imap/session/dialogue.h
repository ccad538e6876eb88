/* dialogue.h - what tests of a signed-in session share: a world for each of them, a message, and a mailbox that is opened.
 */
#ifndef UNIT_IMAP_SESSION_DIALOGUE_H
#define UNIT_IMAP_SESSION_DIALOGUE_H

#include "imap/session/world.h"

/* A message of the tests' own. */
#define MESSAGE                                                                                              \
    "From: Bob <bob@example.test>\r\nTo: alice@example.test\r\nSubject: hello\r\n"                           \
    "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nMessage-ID: <1@example.test>\r\n\r\nHello, Alice.\r\n"

static struct world world;

static inline int dialogue_start(void **state)
{
    world_start(&world);
    return 0;
}

static inline int dialogue_stop(void **state)
{
    world_stop(&world);
    return 0;
}
#define DIALOGUE(name) cmocka_unit_test_setup_teardown(name, dialogue_start, dialogue_stop)

static inline void append(size_t which, const char *mailbox, const char *options, struct slice message)
{
    put_message(&world, which, mailbox, options, message);
}

/* SELECT or EXAMINE by the first connection: the mailbox holds so many messages, all of them recent. */
static inline void opens(const char *command, unsigned messages, unsigned first_unseen)
{
    char script[400];
    snprintf(
        script, sizeof script,
        "C: a %s\nS: * FLAGS @\nS: * OK [PERMANENTFLAGS @\nS: * %u EXISTS\nS: * %u RECENT\n"
        "S: * OK [UNSEEN %u] @\nS: * OK [UIDVALIDITY @\nS: * OK [UIDNEXT @\nS: * OK [HIGHESTMODSEQ @\n"
        "S: a OK @\n",
        command, messages, messages, first_unseen);
    chat(&world, script);
}

#endif

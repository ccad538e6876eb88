/* IMAP: making, naming, listing and subscribing to mailboxes. */
#include "imap/session/dialogue.h"

static void test_mailboxes(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a LIST \"\" \"\"\n"
                "S: * LIST (\\Noselect) \"/\" \"\"\n"
                "S: a OK @\n"
                "C: a LIST \"\" INBOX\n"
                "S: * LIST (\\HasNoChildren) \"/\" INBOX\n"
                "S: a OK @\n"
                "C: a CREATE one/two/three/\n"
                "S: a OK @\n"
                "C: a CREATE one\n"
                "S: a NO [ALREADYEXISTS] @\n"
                "C: a CREATE Entw&APw-rfe\n"
                "S: a OK @\n"
                "C: a CREATE &Jjo\n"
                "S: a NO [CANNOT] @\n"
                "C: a CREATE a//b\n"
                "S: a NO [CANNOT] @\n"
                "C: a LIST \"\" one/%\n"
                "S: * LIST (\\HasChildren) \"/\" one/two\n"
                "S: a OK @\n"
                "C: a LIST one/ *\n"
                "S: * LIST (\\HasChildren) \"/\" one/two\n"
                "S: * LIST (\\HasNoChildren) \"/\" one/two/three\n"
                "S: a OK @\n"
                "C: a LIST \"\" Entw*\n"
                "S: * LIST (\\HasNoChildren) \"/\" Entw&APw-rfe\n"
                "S: a OK @\n"
                "C: a RENAME one uno\n"
                "S: a OK @\n"
                "C: a LIST \"\" uno*\n"
                "S: * LIST (\\HasChildren) \"/\" uno\n"
                "S: * LIST (\\HasChildren) \"/\" uno/two\n"
                "S: * LIST (\\HasNoChildren) \"/\" uno/two/three\n"
                "S: a OK @\n"
                "C: a DELETE uno/two\n"
                "S: a OK @\n"
                "C: a LIST \"\" uno/*\n"
                "S: * LIST (\\Noselect \\HasChildren) \"/\" uno/two\n"
                "S: * LIST (\\HasNoChildren) \"/\" uno/two/three\n"
                "S: a OK @\n"
                "C: a SELECT uno/two\n"
                "S: a NO [NONEXISTENT] @\n"
                "C: a DELETE nothing\n"
                "S: a NO [NONEXISTENT] @\n"
                "C: a DELETE INBOX\n"
                "S: a NO [CANNOT] @\n"
                "C: a STATUS uno (MESSAGES UIDNEXT UNSEEN RECENT)\n"
                "S: * STATUS uno (MESSAGES 0 RECENT 0 UIDNEXT 1 UNSEEN 0)\n"
                "S: a OK @\n"
                "C: a STATUS nothing (MESSAGES)\n"
                "S: a NO [NONEXISTENT] @\n");
}

static void test_special_use(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a LIST (SPECIAL-USE) \"\" *\n"
                "S: * LIST (\\HasNoChildren \\Archive) \"/\" Archive\n"
                "S: * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\n"
                "S: * LIST (\\HasNoChildren \\Junk) \"/\" Junk\n"
                "S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
                "S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
                "S: a OK @\n"
                "C: a LIST \"\" (Sent Trash) RETURN (SPECIAL-USE STATUS (MESSAGES))\n"
                "S: * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
                "S: * STATUS Sent (MESSAGES 0)\n"
                "S: * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
                "S: * STATUS Trash (MESSAGES 0)\n"
                "S: a OK @\n");
}

static void test_subscriptions(void **state)
{
    sign_in(&world, 1);
    chat(
        &world, "C: a CREATE foo/bar/baz\nS: a OK @\nC: a SUBSCRIBE foo/bar/baz\nS: a OK @\nC: a SUBSCRIBE "
                "gone\nS: a OK @\n");
    chat(
        &world, "C: a LSUB \"\" foo*\n"
                "S: * LSUB () \"/\" foo/bar/baz\n"
                "S: a OK @\n"
                "C: a LSUB \"\" foo/%\n"
                "S: * LSUB (\\Noselect) \"/\" foo/bar\n"
                "S: a OK @\n"
                "C: a LSUB \"\" gone\n"
                "S: * LSUB (\\Noselect) \"/\" gone\n"
                "S: a OK @\n"
                "C: a LIST (SUBSCRIBED) \"\" (foo* gone)\n"
                "S: * LIST (\\HasNoChildren \\Subscribed) \"/\" foo/bar/baz\n"
                "S: * LIST (\\NonExistent \\Noselect \\HasNoChildren \\Subscribed) \"/\" gone\n"
                "S: a OK @\n"
                "C: a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" foo\n"
                "S: * LIST (\\HasChildren) \"/\" foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
                "S: a OK @\n"
                "C: a UNSUBSCRIBE foo/bar/baz\n"
                "S: a OK @\n"
                "C: a LSUB \"\" foo*\n"
                "S: a OK @\n");
}

/* Long lists leave in slices, each name once. */
static void test_long_list(void **state)
{
    enum { NAMES = 450 };
    bool seen[NAMES] = {false};
    sign_in(&world, 1);
    for (unsigned i = 0; i < NAMES; i++) {
        char script[100];
        snprintf(script, sizeof script, "C: a CREATE box%03u\nS: a OK @\n", i);
        chat(&world, script);
    }
    send_octets(&world, &world.clients[0], S("a LIST \"\" box* RETURN (STATUS (MESSAGES))\r\n"));
    unsigned lists = 0, statuses = 0;
    for (;;) {
        struct slice line = next_line(&world, &world.clients[0]);
        if (slice_starts(line, S("a OK")))
            break;
        statuses += slice_starts(line, S("* STATUS box"));
        if (!slice_starts(line, S("* LIST ")))
            continue;
        unsigned long n = strtoul(line.p + line.n - 3, NULL, 10);
        assert_true(n < NAMES && !seen[n]);
        seen[n] = true;
        lists++;
    }
    assert_int_equal(lists, NAMES);
    assert_int_equal(statuses, NAMES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(test_mailboxes),
        DIALOGUE(test_special_use),
        DIALOGUE(test_subscriptions),
        DIALOGUE(test_long_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

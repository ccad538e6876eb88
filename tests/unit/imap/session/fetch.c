/* IMAP: FETCH of parts, envelopes and large bodies, and of a message that nobody looks into. */
#include "imap/session/dialogue.h"

static void test_fetch_sections(void **state)
{
    sign_in(&world, 1);
    append(
        1, "INBOX", "",
        S("From: a@example.test\r\nSubject: parts\r\nX-Long: one\r\n two\r\nMIME-Version: 1.0\r\n"
          "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n"
          "Content-Type: text/plain; charset=utf-8\r\n\r\nfirst\r\n--b\r\n"
          "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner body\r\n--b--\r\n"));
    opens("SELECT INBOX", 1, 1);
    chat(
        &world,
        "C: a FETCH 1 (BODY.PEEK[1] BODY.PEEK[2.TEXT] BODY.PEEK[2.HEADER] BODY.PEEK[1.MIME] BODY.PEEK[3])\n"
        "S: * 1 FETCH (BODY[1] {5}\n"
        "S: first BODY[2.TEXT] {10}\n"
        "S: inner body BODY[2.HEADER] {18}\n"
        "S: Subject: inner\n"
        "S: \n"
        "S:  BODY[1.MIME] {43}\n"
        "S: Content-Type: text/plain; charset=utf-8\n"
        "S: \n"
        "S:  BODY[3] NIL)\n"
        "S: a OK @\n"
        "C: a FETCH 1 BODY.PEEK[HEADER.FIELDS (x-LONG subject nothing)]\n"
        "S: * 1 FETCH (BODY[HEADER.FIELDS (x-LONG subject nothing)] {37}\n"
        "S: Subject: parts\n"
        "S: X-Long: one\n"
        "S:  two\n"
        "S: \n"
        "S: )\n"
        "S: a OK @\n"
        "C: a FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (X-Long From MIME-Version Content-Type)]<3.4>\n"
        "S: * 1 FETCH (BODY[HEADER.FIELDS.NOT (X-Long From MIME-Version Content-Type)]<3> {4}\n"
        "S: ject)\n"
        "S: a OK @\n"
        "C: a FETCH 1 (BODY.PEEK[]<5000.10> BODY.PEEK[1]<1.2>)\n"
        "S: * 1 FETCH (BODY[]<5000> \"\" BODY[1]<1> {2}\n"
        "S: ir)\n"
        "S: a OK @\n"
        "C: a FETCH 1 BODYSTRUCTURE\n"
        "S: * 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 5 0 NIL "
        "NIL NIL NIL)"
        "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 28 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 0 NIL NIL NIL NIL) 2 NIL NIL NIL "
        "NIL)"
        " \"mixed\" (\"boundary\" \"b\") NIL NIL NIL))\n"
        "S: a OK @\n"
        "C: a FETCH 1 (FLAGS BODY[1])\n"
        "S: * 1 FETCH (FLAGS (\\Seen \\Recent) BODY[1] {5}\n"
        "S: first)\n"
        "S: a OK @\n"
        "C: a FETCH 1 RFC822.HEADER\n"
        "S: * 1 FETCH (RFC822.HEADER {@}\n"
        "S: From: a@example.test\n"
        "S: Subject: parts\n"
        "S: X-Long: one\n"
        "S:  two\n"
        "S: MIME-Version: 1.0\n"
        "S: Content-Type: multipart/mixed; boundary=\"b\"\n"
        "S: \n"
        "S: )\n"
        "S: a OK @\n");
}

static void test_envelope(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S(MESSAGE));
    opens("EXAMINE INBOX", 1, 1);
    chat(
        &world, "C: a FETCH 1 (ENVELOPE BODY)\n"
                "S: * 1 FETCH (ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"hello\" "
                "((\"Bob\" NIL \"bob\" \"example.test\")) ((\"Bob\" NIL \"bob\" \"example.test\")) "
                "((\"Bob\" NIL \"bob\" \"example.test\")) ((NIL NIL \"alice\" \"example.test\")) NIL NIL NIL "
                "\"<1@example.test>\") BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL "
                "\"7bit\" 15 1))\n"
                "S: a OK @\n"
                "C: a FETCH 2 FLAGS\n"
                "S: a BAD there is no message of that number\n"
                "C: a UID FETCH 2:9 FLAGS\n"
                "S: a OK @\n"
                "C: a UID FETCH * FLAGS\n"
                "S: * 1 FETCH (UID 1 FLAGS (\\Recent))\n"
                "S: a OK @\n");
}

/* A client that does not read costs no more than its budget, and others run meanwhile. */
static void test_large_bodies_wait_for_the_reader(void **state)
{
    struct buf CLEANUP_BUF message = BUF_INIT(16 << 20);
    buf_put(&message, S("Subject: x\r\n\r\n"));
    while (message.n < (4 << 20))
        buf_put(&message, S("a line of the body that is long enough to count for something\r\n"));
    sign_in(&world, 1);
    append(1, "INBOX", "", buf_slice(&message));
    opens("EXAMINE INBOX", 1, 1);
    send_octets(&world, &world.clients[0], S("a FETCH 1 (BODY.PEEK[] BODY.PEEK[])\r\n"));
    sign_in(&world, 2);
    chat_line(&world, S("C2: b NOOP"));
    chat_line(&world, S("S2: b OK @"));
    size_t got = 0;
    struct client *c = &world.clients[0];
    for (int i = 0; i < 100000; i++) {
        turn(&world);
        client_read(c);
        if (slice_ends(buf_slice(&c->in), S("a OK fetched\r\n")))
            break;
    }
    got = c->in.n;
    assert_true(got > 2 * message.n);
    struct slice text = buf_slice(&c->in);
    size_t at = slice_search(text, S("}\r\n"));
    assert_memory_equal(text.p + at + 3, message.p, message.n);
    at += 3 + message.n;
    assert_true(slice_starts(slice_from(text, at), S(" BODY[] {")));
    at += slice_search(slice_from(text, at), S("}\r\n")) + 3;
    assert_memory_equal(text.p + at, message.p, message.n);
    buf_clear(&c->in);
}

static void poison(uint32_t uid)
{
    struct account *a = account_ref(world.store.all, &world.account);
    struct message m;
    assert_ok(store_enter(&world.store, a));
    assert_ok(message_find(a, store_box(a, "INBOX"), (struct uid){uid}, NULL, &m));
    assert_true(poisoned_add(world.poisoned, &world.account, m.email_id));
    account_unref(&a);
}

/* What killed a keeper three times is an opaque blob: nobody looks into it, and its octets are all there. */
static void test_poisoned_messages_are_blobs(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "", S(MESSAGE));
    append(1, "INBOX", "", S(MESSAGE));
    poison(1);
    assert_true(poisoned_add(world.poisoned, &world.account, poisoned_mark_append(sizeof MESSAGE - 1)));
    append(1, "INBOX", "", S(MESSAGE));
    opens("SELECT INBOX", 3, 1);
    for (int i = 1; i <= 3; i += 2) {
        char script[900];
        snprintf(
            script, sizeof script,
            "C: a FETCH %d (ENVELOPE BODY BODYSTRUCTURE)\n"
            "S: * %d FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
            "BODY (\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 162) "
            "BODYSTRUCTURE (\"application\" \"octet-stream\" NIL NIL NIL \"8bit\" 162 NIL NIL NIL NIL))\n"
            "S: a OK @\n"
            "C: a FETCH %d BODY.PEEK[HEADER.FIELDS (Subject)]\n"
            "S: * %d FETCH (BODY[HEADER.FIELDS (Subject)] {2}\nS: \nS: )\nS: a OK @\n",
            i, i, i, i);
        chat(&world, script);
        snprintf(
            script, sizeof script,
            "C: a FETCH %d BODY.PEEK[]\nS: * %d FETCH (BODY[] {162}\n"
            "S: From: Bob <bob@example.test>\nS: To: alice@example.test\nS: Subject: hello\n"
            "S: Date: @\nS: Message-ID: @\nS: \nS: Hello, Alice.\nS: )\nS: a OK @\n",
            i, i);
        chat(&world, script);
    }
    chat(
        &world, "C: a SEARCH SUBJECT hello\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH BODY Alice\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH TEXT Alice\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH SENTSINCE 1-Jan-2000\nS: * SEARCH 3\nS: a OK @\n"
                "C: a SEARCH ALL\nS: * SEARCH 1 2 3\nS: a OK @\n"
                "C: a FETCH 2 BODY\nS: * 2 FETCH (BODY (\"text\" @\nS: a OK @\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(test_fetch_sections),
        DIALOGUE(test_envelope),
        DIALOGUE(test_large_bodies_wait_for_the_reader),
        DIALOGUE(test_poisoned_messages_are_blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* IMAP between the clear and TLS: nothing said before it counts behind it, and no secret is heard before it. */
#include "imap/front/doors.h"

/* T-002 */
static void test_t002_injection_behind_starttls(void **state)
{
    (void)state;
    char junk[9000];
    memset(junk, 'J', sizeof junk - 1);
    memcpy(junk, "a1 STARTTLS\r\n", 13);
    junk[sizeof junk - 1] = '\0';
    const char *const lines[] = {
        "a1 STARTTLS\r\nINJ LOGIN evil pw\r\n",
        "a1 STARTTLS\r\nINJ LOGIN {4}\r\n",
        "a1 STARTTLS\r\nINJ LOGIN {4+}\r\nev",
        "a1 STARTTLS\r\nINJ AUTHENTICATE PLAIN\r\n",
        "a1 STARTTLS\r\nINJ AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        "a1 STARTTLS\r\nINJ NOOP",
        "a1 STARTTLS\r\nINJ LOGOUT\r\n",
        junk,
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct world *w = world_new(&imap_front);
        struct client *c = imap(w);
        client_send(c, lines[i]);
        client_expect(c, "a1 OK begin TLS now\r\n");
        assert_true(client_handshake(c));
        client_expect(c, "");
        client_send(c, "b1 CAPABILITY\r\n");
        client_expect(
            c, "* CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN\r\n"
               "b1 OK CAPABILITY completed\r\n");
        assert_int_equal(w->starts, 0);
        client_free(c);
        world_free(w);
    }
    report_threat("T-002", sizeof lines / sizeof *lines);
}

/* Octets that come in clear after the reply, before the handshake: no TLS, and so the end. */
static void test_t002_clear_octets_after_the_reply(void **state)
{
    struct world *w = *state;
    struct client *c = imap(w);
    client_send(c, "a1 STARTTLS\r\n");
    client_expect(c, "a1 OK begin TLS now\r\n");
    client_send(c, "INJ LOGIN evil pw\r\n");
    client_read(c);
    assert_true(c->ended);
    assert_int_equal(w->gate.count, 0);
    client_free(c);
}

/* T-004: nothing of before is known after; a half-done sign-in takes no STARTTLS. */
static void test_t004_state_across_starttls(void **state)
{
    struct world *w = *state;
    struct client *c = imap(w);
    client_send(c, "a0 ID (\"name\" \"Clear\")\r\n");
    client_expect_start(c, "* ID");
    client_send(c, "a1 STARTTLS\r\n");
    client_expect(c, "a1 OK begin TLS now\r\n");
    assert_true(client_handshake(c));
    client_send(c, "b1 STARTTLS\r\n");
    client_expect(c, "b1 BAD STARTTLS is not offered now\r\n");
    client_send(c, "b2 AUTHENTICATE PLAIN\r\n");
    client_expect(c, "+ \r\n");
    client_send(c, "b3 STARTTLS\r\n"); /* an answer that is no base64 */
    client_expect_start(c, "b2 BAD ");
    client_send(c, "b4 LOGIN alice secret\r\n");
    client_expect(c, "b4 OK from the keeper\r\n");
    assert_string_equal(w->program, "");
    client_free(c);
    c = imaps(w);
    client_send(c, "a STARTTLS\r\n");
    client_expect(c, "a BAD STARTTLS is not offered now\r\n");
    client_free(c);
    report_threat("T-004", 4);
}

/* T-007 */
static void test_t007_no_secret_in_the_clear(void **state)
{
    struct world *w = *state;
    static const char *const lines[] = {
        "a LOGIN alice secret\r\n",
        "a login \"alice\" \"secret\"\r\n",
        "a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\n",
        "a AUTHENTICATE PLAIN\r\n",
        "a AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\n",
        "a AUTHENTICATE LOGIN\r\n",
        "a AUTHENTICATE LOGIN YWxpY2U=\r\n",
        "a AUTHENTICATE SCRAM-SHA-256 bj0=\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct client *c = imap(w);
        client_send(c, lines[i]);
        client_expect(c, "a NO [PRIVACYREQUIRED] use TLS first\r\n");
        client_send(c, "b NOOP\r\n");
        client_expect(c, "b OK NOOP completed\r\n");
        client_free(c);
    }
    assert_int_equal(w->starts, 0);
    assert_false(world_log_has(w, "secret"));
    assert_false(world_log_has(w, "c2VjcmV0"));
    assert_false(world_log_has(w, "AGFsaWNlAHNlY3JldA"));
    report_threat("T-007", sizeof lines / sizeof *lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAP_TEST(test_t002_injection_behind_starttls),
        IMAP_TEST(test_t002_clear_octets_after_the_reply),
        IMAP_TEST(test_t004_state_across_starttls),
        IMAP_TEST(test_t007_no_secret_in_the_clear),
    };
    return cmocka_run_group_tests(tests, world_libraries, NULL);
}

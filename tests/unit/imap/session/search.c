/* IMAP: SEARCH, in every charset and across the slices of a text. */
#include "imap/session/dialogue.h"

#include "mail/encoding.h"

static void test_search(void **state)
{
    sign_in(&world, 1);
    append(1, "INBOX", "(\\Seen)", S(MESSAGE));
    append(
        1, "INBOX", "\"01-Feb-1994 12:00:00 +0000\"",
        S("From: =?utf-8?B?5Y+w5YyX?= <tw@example.test>\r\nSubject: =?gb2312?B?xOO6ww==?=\r\n"
          "Date: Tue, 1 Feb 1994 23:30:00 -0500\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: "
          "base64\r\n\r\nsbG+qbu2063E4w==\r\n"));
    append(
        1, "INBOX", "(\\Flagged $K)",
        S("From: c@example.test\r\nSubject: GROSS Stra\xc3\x9f"
          "e\r\n\r\nsoft =\r\nbreak is no break in 7bit\r\n"));
    opens("EXAMINE INBOX", 3, 2);
    chat(
        &world, "C: a SEARCH ALL\nS: * SEARCH 1 2 3\nS: a OK @\n"
                "C: a UID SEARCH UNSEEN\nS: * SEARCH 2 3\nS: a OK @\n"
                "C: a SEARCH NOT FLAGGED 2:*\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH KEYWORD $k\nS: * SEARCH 3\nS: a OK @\n"
                "C: a SEARCH UNKEYWORD nothing UID 1:2\nS: * SEARCH 1 2\nS: a OK @\n"
                "C: a SEARCH FROM BOB\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH SUBJECT \"hello\" TO Alice@\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH HEADER Message-ID \"\"\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH BODY \"hello, alice\"\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH BODY hello TEXT bob\nS: * SEARCH 1\nS: a OK @\n"
                "C: a SEARCH TEXT nothing\nS: * SEARCH\nS: a OK @\n"
                "C: a SEARCH OR FROM bob FLAGGED\nS: * SEARCH 1 3\nS: a OK @\n"
                "C: a SEARCH LARGER 100 SMALLER 190\nS: * SEARCH 1@\nS: a OK @\n"
                "C: a SEARCH SINCE 1-Feb-1994 BEFORE 2-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH ON 1-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH SENTON 1-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH SENTBEFORE 2-Feb-1994\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 FROM {6+}\n"
                "C: \xe5\x8f\xb0\xe5\x8c\x97\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 SUBJECT {6+}\n"
                "C: \xe4\xbd\xa0\xe5\xa5\xbd\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 BODY {12+}\n"
                "C: \xe5\x8c\x97\xe4\xba\xac\xe6\xac\xa2\xe8\xbf\x8e\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET GB2312 BODY {4+}\n"
                "C: \xb1\xb1\xbe\xa9\nS: * SEARCH 2\nS: a OK @\n"
                "C: a SEARCH CHARSET UTF-8 SUBJECT {8+}\n"
                "C: STRASSE \nS: * SEARCH\nS: a OK @\n"
                "C: a SEARCH SUBJECT STRASSE\nS: * SEARCH 3\nS: a OK @\n"
                "C: a SEARCH CHARSET x-klingon TEXT a\nS: a NO [BADCHARSET (@UTF-8@)] @\n");
}

/* A text is found wherever the slices cut it: in base64, in another charset, across chunks of the store. */
static void test_search_across_slices(void **state)
{
    static const char needle[] = "\xe5\x8c\x97\xe4\xba\xac"; /* Beijing */
    char script[300] = "C: a SEARCH CHARSET UTF-8 BODY {6+}\nC: \xe5\x8c\x97\xe4\xba\xac\nS: * SEARCH";
    sign_in(&world, 1);
    for (unsigned i = 0; i < 12; i++) {
        struct buf CLEANUP_BUF text = BUF_INIT(1 << 20), CLEANUP_BUF message = BUF_INIT(1 << 20);
        /* near the multiples of 16384 coded octets, and of 65536, and far behind the first slice */
        size_t at = (i % 3 == 0 ? 12288 : i % 3 == 1 ? 49152 : 200000) - 8 + i;
        while (text.n < at)
            buf_put_char(&text, (char)('a' + text.n % 26));
        if (i != 5) {
            buf_put(&text, slice_str(needle));
            snprintf(script + strlen(script), 8, " %u", i + 1);
        }
        while (text.n < 230000)
            buf_put_char(&text, 'z');
        buf_put(
            &message,
            S("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
        encoding_put_base64(&message, buf_slice(&text));
        append(1, "INBOX", "", buf_slice(&message));
    }
    opens("EXAMINE INBOX", 12, 1);
    strcat(script, "\nS: a OK @\n");
    chat(&world, script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIALOGUE(test_search),
        DIALOGUE(test_search_across_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The whole SMTP dialogue against a fake vault and keeper: the first octet chooses door, TLS and how the world answers, the
 * second how the input is cut. Whatever comes, a message is stored or dropped, replies are well formed, nothing is taken
 * after the last word, and no stored message holds an octet that may not be in one. */
#include "../unit/smtp/front/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_replies(const struct fake *f)
{
    struct slice rest = buf_slice(&f->out), line;
    while (rest.n) {
        size_t at = slice_search(rest, S("\r\n"));
        if (at == SLICE_NPOS)
            abort();
        line = slice_sub(rest, 0, at);
        bool good =
            line.n >= 4 && line.p[0] >= '2' && line.p[0] <= '5' && (line.p[3] == ' ' || line.p[3] == '-');
        if (!good || slice_has(line, '\r') || slice_has(line, '\n') || slice_has(line, '\0') || line.n > 510)
            abort();
        rest = slice_from(rest, at + 2);
    }
}

static void check_stored(const struct fake *f)
{
    for (unsigned i = 0; i < f->stored_count; i++) {
        struct smtp_content c = {0};
        smtp_content_feed(&c, buf_slice(&f->stored[i].octets));
        if (smtp_content_end(&c) || f->stored[i].targets == 0 || c.octets > FAKE_LIMIT)
            abort();
        if (f->d.options.door == SMTP_DOOR_SUBMISSION && !f->d.signed_in)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 100000)
        return 0;
    struct fake f;
    fake_start(&f, data[0] & 1 ? SMTP_DOOR_SUBMISSION : SMTP_DOOR_MX, data[0] & 2);
    f.late = data[0] & 4;
    f.lag = data[0] & 8;
    f.vault_down = data[0] & 16;
    f.verdict = data[0] & 32 ? STATUS_NOT_STORED : STATUS_STORED;
    f.challenges = data[0] & 64 ? 2 : 1;
    struct slice input = slice_of(data + 2, size - 2), line;
    if (data[1] < 128) { /* a segment a line, as a polite client does */
        while (slice_cut(&input, '\n', &line) && !smtp_dialogue_is_closed(&f.d)) {
            fake_send(&f, line, line.n ? line.n : 1);
            if (input.p)
                fake_send(&f, S("\n"), 1);
        }
    } else {
        fake_send(&f, input, 1 + data[1] % 64 * 7);
    }
    check_replies(&f);
    check_stored(&f);
    smtp_dialogue_done(&f.d);
    fake_done(&f);
    return 0;
}

/* Ceremonies against an independent implementation, python3-fido2 (fido2_peer.py): its keys satisfy our checks, our software key
 * satisfies its server, and of answers that were changed none is taken here that it would refuse. */
#include "../test.h"

#include <unistd.h>

#include "../soft_key.h"
#include "base/encode.h"
#include "factor/ceremony.h"

static const char rp_id[] = "mail.ours.test";
static const char origin[] = "https://mail.ours.test";
static const uint8_t challenge[32] = {0xfb, 0xff, 3, 4};
enum { LINE = 16384 };

static FILE *peer(const char *verb, const char *input)
{
    char command[512], hex[65];
    hex_text(slice_of(challenge, sizeof challenge), hex);
    snprintf(
        command, sizeof command, "/usr/bin/python3 tests/unit/factor/fido2_peer.py %s %s %s %s <%s", verb,
        hex, rp_id, origin, input);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    return out;
}

static struct ceremony expected_for(bool is_registration)
{
    static struct slice origins[1];
    origins[0] = slice_str(origin);
    return (struct ceremony){
        .is_registration = is_registration,
        .challenge = slice_of(challenge, sizeof challenge),
        .rp_id = slice_str(rp_id),
        .origins = origins,
        .origin_count = 1,
    };
}

static struct slice unhex(struct slice word, unsigned char *into)
{
    assert_int_equal(hex_get(word, into, word.n / 2), OK);
    return slice_of(into, word.n / 2);
}

static void its_keys_are_taken(void **state)
{
    char line[LINE];
    unsigned char octets[5][LINE / 2];
    FILE *in = peer("make", "/dev/null");
    int lines = 0;
    for (; fgets(line, sizeof line, in); lines++) {
        struct slice rest = slice_trim(slice_str(line)), word, part[5];
        for (int i = 0; i < 5; i++) {
            assert_true(slice_cut(&rest, ' ', &word));
            part[i] = unhex(word, octets[i]);
        }
        struct ceremony enrol = expected_for(true), sign_in = expected_for(false);
        struct ceremony_credential made;
        struct ceremony_assertion answer = {part[2], part[3], part[4]};
        uint32_t counter = 0;
        assert_int_equal(ceremony_register(&enrol, part[0], part[1], &made), FLAW_NONE);
        assert_true(slice_starts(made.id, S("credential of ")));
        assert_true(made.counter == 5 && made.is_verified && !made.can_be_copied);
        assert_int_equal(ceremony_assert(&sign_in, made.cose, &answer, &counter), FLAW_NONE);
        assert_int_equal(counter, 6);
        octets[4][10] ^= 1;
        assert_int_equal(ceremony_assert(&sign_in, made.cose, &answer, &counter), FLAW_SIGNATURE);
    }
    assert_int_equal(pclose(in), 0);
    assert_int_equal(lines, 6);
}

/* ---- both judge the same answers ---- */

static void put_hex(FILE *out, struct slice s)
{
    fputc(' ', out);
    for (size_t i = 0; i < s.n; i++)
        fprintf(out, "%02x", (unsigned char)s.p[i]);
}

enum { CHANGES = 40, MOST = 3 * 2 * 2 * (CHANGES + 1) };
struct verdicts {
    bool ours[MOST];
    int n;
};

static void change(struct buf *b, int round)
{
    if (round == 0)
        return; /* as it is */
    size_t at = random_below((uint32_t)b->n);
    if (round % 4 == 0)
        b->n = at;
    else
        b->p[at] = (char)(b->p[at] ^ (1 << random_below(8)));
}

static void
put_registration(const struct soft_key *key, const char *format, int round, FILE *out, struct verdicts *v)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), made CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(true);
    struct ceremony_credential credential;
    soft_client_data(&client, "webauthn.create", slice_of(challenge, 32), origin, "");
    soft_register(key, rp_id, SOFT_UP, format, buf_slice(&client), &made);
    change(round % 5 == 4 ? &client : &made, round);
    v->ours[v->n++] =
        ceremony_register(&expected, buf_slice(&client), buf_slice(&made), &credential) == FLAW_NONE;
    fputc('R', out);
    put_hex(out, buf_slice(&client)), put_hex(out, buf_slice(&made));
    fputc('\n', out);
}

static void put_assertion(const struct soft_key *key, int round, FILE *out, struct verdicts *v)
{
    struct buf client CLEANUP_BUF = BUF_INIT(SOFT_MOST), data CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct buf sig CLEANUP_BUF = BUF_INIT(SOFT_MOST), cose CLEANUP_BUF = BUF_INIT(SOFT_MOST);
    struct ceremony expected = expected_for(false);
    uint32_t counter;
    soft_cose(key, &cose);
    soft_client_data(&client, "webauthn.get", slice_of(challenge, 32), origin, "");
    soft_assert(key, rp_id, SOFT_UP, buf_slice(&client), &data, &sig);
    struct buf *parts[] = {&client, &data, &sig, &cose};
    change(parts[round % 4], round);
    struct ceremony_assertion answer = {buf_slice(&client), buf_slice(&data), buf_slice(&sig)};
    v->ours[v->n++] = ceremony_assert(&expected, buf_slice(&cose), &answer, &counter) == FLAW_NONE;
    fputc('A', out);
    put_hex(out, buf_slice(&cose)), put_hex(out, buf_slice(&client));
    put_hex(out, buf_slice(&data)), put_hex(out, buf_slice(&sig));
    fputc('\n', out);
}

static void it_judges_as_we_do(void **state)
{
    static const int algorithms[] = {SOFT_ES256, SOFT_EDDSA, SOFT_RS256};
    char path[] = "/tmp/letterlock-fido2-XXXXXX", said[16];
    struct verdicts v = {.n = 0};
    int fd = mkstemp(path);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(out);
    for (int i = 0; i < 3; i++) {
        struct soft_key key = soft_key_new(algorithms[i]);
        for (int round = 0; round <= CHANGES; round++) {
            put_registration(&key, "none", round, out, &v);
            put_registration(&key, "packed", round, out, &v);
            put_assertion(&key, round, out, &v);
        }
        soft_key_free(&key);
    }
    assert_int_equal(fclose(out), 0);
    FILE *in = peer("judge", path);
    int yes = 0, stricter = 0, n = 0;
    for (; n < v.n && fgets(said, sizeof said, in); n++) {
        bool theirs = strcmp(said, "yes\n") == 0;
        if (v.ours[n])
            assert_true(theirs); /* nothing is taken here that it refuses */
        yes += theirs && v.ours[n];
        stricter += theirs && !v.ours[n];
    }
    assert_int_equal(pclose(in), 0);
    assert_int_equal(n, v.n);
    unlink(path);
    print_message("%d answers: %d taken by both, %d by python3-fido2 alone\n", n, yes, stricter);
    assert_true(yes >= 9); /* each kind and form, unchanged */
}

int main(void)
{
    crypto_init();
    factor_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_keys_are_taken),
        cmocka_unit_test(it_judges_as_we_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

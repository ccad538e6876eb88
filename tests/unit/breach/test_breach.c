#include "test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "breach/build.h"
#include "breach/filter.h"
#include "breach/page.h"
#include "crypto/random.h"
#include "crypto/sha1.h"
#include "scratch.h"

static struct scratch s;

static int setup(void **state)
{
    crypto_init();
    s = scratch_new();
    return 0;
}

static int teardown(void **state)
{
    scratch_free(&s);
    return 0;
}

static struct breach_built build_from(struct slice text, size_t piece, size_t batch)
{
    struct breach_built built;
    struct breach_build *b = breach_build_new(s.fd, batch ? batch : LIMIT_BREACH_BATCH);
    for (size_t i = 0; i < text.n; i += piece)
        assert_ok(breach_build_feed(b, slice_sub(text, i, piece)));
    assert_ok(breach_build_finish(b, BREACH_FILE, 1700000000, NULL, NULL, &built));
    breach_build_free(&b);
    assert_int_equal(faccessat(s.fd, BREACH_FILE ".new", F_OK, 0), -1);
    return built;
}

static struct breach *opened(void)
{
    struct breach *f = NULL;
    struct buf problem CLEANUP_BUF = BUF_INIT(256);
    enum err e = breach_open(s.fd, BREACH_FILE, &f, &problem);
    if (e != OK)
        fail_msg("%s", buf_cstr(&problem));
    return f;
}

static void words_and_sums(void **state)
{
    static const char list[] = "password\r\nhunter2\n\n  two blanks  \n"
                               "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3861493\n" /* password, again */
                               "f7c3bc1d808e04732adf679965ccc34ca7ae3441:23\n"      /* 123456789 */
                               "7C4A8D09CA3762AF61E59520943DC26494F8941B\n"         /* 123456 */
                               "\xef\xbd\x8d\xef\xbd\x89\xef\xbd\x8d\xef\xbd\x89\n" /* full-width mimi */
                               "\xff\xfe no text\n"
                               "last";
    for (size_t piece = 1; piece < sizeof list; piece += piece < 4 ? 1 : 61) {
        struct breach_built built = build_from(slice_of(list, sizeof list - 1), piece, 0);
        assert_int_equal(built.lines, 9);
        assert_int_equal(built.skipped, 0);
        struct breach *f = opened();
        assert_int_equal(breach_count(f), built.count);
        assert_int_equal(breach_built_s(f), 1700000000);
        static const char *const listed[] = {
            "password",
            "hunter2",
            "  two blanks  ",
            "123456789",
            "123456",
            "mimi",
            "\xef\xbd\x8d\xef\xbd\x89\xef\xbd\x8d\xef\xbd\x89",
            "last"};
        for (size_t i = 0; i < sizeof listed / sizeof *listed; i++)
            assert_ok(breach_find(f, slice_str(listed[i])));
        static const char *const others[] = {"Password", "hunter",       "two blanks",
                                             "",         "123456789:23", "lastly"};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            assert_err(ERR_NOT_FOUND, breach_find(f, slice_str(others[i])));
        assert_ok(breach_verify(f));
        breach_close(&f);
    }
}

static void nothing_is_a_list_too(void **state)
{
    struct breach_built built = build_from(S("\n\r\n\n"), 1, 0);
    assert_int_equal(built.count, 0);
    struct breach *f = opened();
    assert_err(ERR_NOT_FOUND, breach_find(f, S("password")));
    assert_ok(breach_verify(f));
    breach_close(&f);
}

static void long_lines_are_left_out(void **state)
{
    struct buf text CLEANUP_BUF = BUF_INIT(65536);
    buf_put_str(&text, "first\n");
    for (int i = 0; i < 5000; i++)
        buf_put_char(&text, 'x');
    buf_put_str(&text, "\nlast\n");
    struct breach_built built = build_from(buf_slice(&text), 97, 0);
    assert_int_equal(built.lines, 3);
    assert_int_equal(built.skipped, 1);
    assert_int_equal(built.count, 2);
}

/* Every listed one is found, of others at most one in a million, whatever the batches were. */
static void many(size_t words, size_t batch)
{
    struct buf text CLEANUP_BUF = BUF_INIT(64 << 20);
    for (size_t i = 0; i < words; i++)
        buf_printf(&text, "word-%zu\n", i * 7919 % words); /* each once, in another order */
    for (size_t i = 0; i < words; i += 3)
        buf_printf(&text, "word-%zu\n", i);
    struct breach_built built = build_from(buf_slice(&text), 65536, batch);
    assert_int_equal(built.count, words);
    struct breach *f = opened();
    char word[32];
    unsigned mistakes = 0;
    for (size_t i = 0; i<words; i += words> 20000 ? 37 : 1) {
        int n = snprintf(word, sizeof word, "word-%zu", i);
        assert_ok(breach_find(f, slice_of(word, (size_t)n)));
    }
    for (size_t i = 0; i < 20000; i++) {
        int n = snprintf(word, sizeof word, "none-%zu", i);
        mistakes += breach_find(f, slice_of(word, (size_t)n)) == OK;
    }
    assert_true(mistakes <= 2); /* 0.02 are to be expected */
    assert_ok(breach_verify(f));
    struct stat st;
    assert_int_equal(fstatat(s.fd, BREACH_FILE, &st, 0), 0);
    assert_int_equal(st.st_size, built.octets);
    if (words > 100000) {
        print_message("%zu passwords: %.2f octets each\n", words, (double)built.octets / (double)words);
        assert_true((double)built.octets / (double)words < 3);
    }
    breach_close(&f);
}

static void lists_of_many_sizes(void **state)
{
    static const struct {
        size_t words, batch;
    } sizes[] = {{1, 0},    {2, 1},      {3, 2},    {1000, 7},      {1023, 1024},
                 {1024, 0}, {1025, 500}, {5000, 0}, {200000, 30000}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        many(sizes[i].words, sizes[i].batch);
}

static void too_many_batches_are_refused(void **state)
{
    struct breach_build *b = breach_build_new(s.fd, 1);
    enum err e = OK;
    for (int i = 0; e == OK && i < 3000; i++) {
        char line[32];
        int n = snprintf(line, sizeof line, "w%d\n", i);
        e = breach_build_feed(b, slice_of(line, (size_t)n));
    }
    assert_int_equal(e, ERR_LIMIT);
    breach_build_free(&b);
}

/* Sums that somebody chose: gaps that no page can hold as a difference. */
static void chosen_sums(void **state)
{
    static const char list[] =
        "0000000000000000000000000000000000000000:1\n0000000000000000FFFFFFFFFFFFFFFFFFFFFFFF:1\n"
        "0000000000100000000000000000000000000000\nFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:9\n";
    struct breach_built built = build_from(slice_str(list), 5, 2);
    assert_true(built.count >= 2);
    struct breach *f = opened();
    assert_ok(breach_verify(f));
    breach_close(&f);
}

/* ---- damage ---- */

static void write_octet(off_t at, uint8_t change)
{
    uint8_t octet;
    int fd = openat(s.fd, BREACH_FILE, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &octet, 1, at), 1);
    octet ^= change;
    assert_int_equal(pwrite(fd, &octet, 1, at), 1);
    close(fd);
}

/* Any flipped bit is noticed: when it is opened, or at the latest when its page is read. */
static void damage_is_noticed(void **state)
{
    struct buf text CLEANUP_BUF = BUF_INIT(1 << 20);
    for (int i = 0; i < 4000; i++)
        buf_printf(&text, "word-%d\n", i);
    struct breach_built built = build_from(buf_slice(&text), 65536, 0);
    unsigned opened_damaged = 0;
    for (off_t at = 0; at < (off_t)built.octets; at += at < 128 ? 1 : 53) {
        if (at >= 128 && at < BREACH_PAGE)
            continue; /* zeros that nobody reads */
        write_octet(at, 0x10);
        struct breach *f = NULL;
        struct buf problem CLEANUP_BUF = BUF_INIT(256);
        enum err e = breach_open(s.fd, BREACH_FILE, &f, &problem);
        if (e == OK) {
            opened_damaged++;
            assert_err(ERR_CORRUPT, breach_verify(f));
            breach_close(&f);
        } else {
            assert_true((e == ERR_CORRUPT || e == ERR_UNSUPPORTED) && problem.n > 10);
        }
        write_octet(at, 0x10);
    }
    assert_true(opened_damaged > 10);
    struct breach *f = opened();
    assert_ok(breach_verify(f));
    breach_close(&f);
}

static void other_lengths_are_refused(void **state)
{
    struct breach_built built = build_from(S("one\ntwo\nthree\n"), 100, 0);
    static const off_t lengths[] = {0, 1, 8, 95, 128, 4095, 4096, 8191, 8192, 8199, 8201, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        int fd = openat(s.fd, BREACH_FILE, O_RDWR | O_CLOEXEC);
        assert_int_equal(ftruncate(fd, lengths[i]), 0);
        close(fd);
        struct breach *f = NULL;
        assert_err(ERR_CORRUPT, breach_open(s.fd, BREACH_FILE, &f, NULL));
        (void)build_from(S("one\ntwo\nthree\n"), 100, 0);
    }
    assert_int_equal(built.octets, 4096 + 4096 + 8);
}

/* The file is cut while it is in use: an error, no signal. */
static void cut_while_open(void **state)
{
    (void)build_from(S("one\ntwo\nthree\n"), 100, 0);
    struct breach *f = opened();
    assert_ok(breach_find(f, S("two")));
    int fd = openat(s.fd, BREACH_FILE, O_RDWR | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 5000), 0);
    close(fd);
    assert_err(ERR_CORRUPT, breach_find(f, S("two")));
    breach_close(&f);
}

static void odd_files(void **state)
{
    struct breach *f = NULL;
    assert_err(ERR_NOT_FOUND, breach_open(s.fd, "nothing", &f, NULL));
    assert_int_equal(mkfifoat(s.fd, "pipe", 0600), 0);
    assert_err(ERR_CORRUPT, breach_open(s.fd, "pipe", &f, NULL));
    assert_int_equal(mkdirat(s.fd, "folder", 0700), 0);
    assert_true(breach_open(s.fd, "folder", &f, NULL) != OK);
    (void)build_from(S("one\n"), 100, 0);
    assert_int_equal(symlinkat(BREACH_FILE, s.fd, "link"), 0);
    assert_true(breach_open(s.fd, "link", &f, NULL) != OK);
    assert_null(f);
}

/* A later version says so. */
static void a_later_version(void **state)
{
    (void)build_from(S("one\n"), 100, 0);
    write_octet(8, 3);
    struct breach *f = NULL;
    struct buf problem CLEANUP_BUF = BUF_INIT(256);
    assert_err(ERR_UNSUPPORTED, breach_open(s.fd, BREACH_FILE, &f, &problem));
    assert_true(slice_search(buf_slice(&problem), S("later release")) != SLICE_NPOS);
}

static void sha1_of_the_standard(void **state)
{
    /* FIPS 180-4's "abc". */
    static const uint8_t wanted[SHA1_LEN] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                             0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    uint8_t got[SHA1_LEN];
    sha1(S("abc"), got);
    assert_memory_equal(got, wanted, sizeof got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha1_of_the_standard),
        cmocka_unit_test(words_and_sums),
        cmocka_unit_test(nothing_is_a_list_too),
        cmocka_unit_test(long_lines_are_left_out),
        cmocka_unit_test(lists_of_many_sizes),
        cmocka_unit_test(too_many_batches_are_refused),
        cmocka_unit_test(chosen_sums),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(cut_while_open),
        cmocka_unit_test(odd_files),
        cmocka_unit_test(a_later_version),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/random.h"
#include "crypto/secret.h"

static void freeing_wipes(void **state)
{
    struct secret_slab *slab = secret_slab_new(4096);
    struct secret s;
    assert_int_equal(secret_copy(slab, S("correct horse battery"), &s), OK);
    unsigned char *at = s.bytes;
    assert_memory_equal(at, "correct", 7);
    secret_free(&s);
    assert_null(s.bytes);
    for (size_t i = 0; i < 21; i++)
        assert_int_equal(at[i], 0);
    secret_free(&s);
    assert_int_equal(secret_slab_used(slab), 0);
    secret_slab_free(&slab);
    secret_slab_free(&slab);
}

static void full_slab_is_a_limit(void **state)
{
    struct secret_slab *slab = secret_slab_new(4096);
    struct secret all[64], more = SECRET_NONE;
    for (int i = 0; i < 64; i++)
        assert_int_equal(secret_new(slab, 1 + (size_t)i, &all[i]), OK);
    assert_int_equal(secret_new(slab, 1, &more), ERR_LIMIT);
    assert_null(more.bytes);
    assert_int_equal(secret_new(slab, SIZE_MAX, &more), ERR_LIMIT);
    secret_free(&all[10]);
    secret_free(&all[12]);
    assert_int_equal(secret_new(slab, 128, &more), ERR_LIMIT);
    secret_free(&all[11]);
    assert_int_equal(secret_new(slab, 192, &more), OK);
    for (int i = 0; i < 64; i++)
        secret_free(&all[i]);
    secret_free(&more);
    assert_int_equal(secret_slab_used(slab), 0);
    secret_slab_free(&slab);
}

static void random_use_keeps_contents_apart(void **state)
{
    struct secret_slab *slab = secret_slab_new(16384);
    enum { N = 40 };
    struct secret s[N] = {{0}};
    for (int round = 0; round < 20000; round++) {
        int i = (int)random_below(N);
        if (s[i].bytes) {
            for (size_t k = 0; k < s[i].n; k++)
                assert_int_equal(s[i].bytes[k], i + 1);
            if (round % 3 == 0) {
                secret_shorten(&s[i], s[i].n / 2);
                continue;
            }
            secret_free(&s[i]);
        } else if (secret_new(slab, random_below(700), &s[i]) == OK) {
            for (size_t k = 0; k < s[i].n; k++)
                assert_int_equal(s[i].bytes[k], 0);
            memset(s[i].bytes, i + 1, s[i].n);
        }
    }
    for (int i = 0; i < N; i++)
        secret_free(&s[i]);
    assert_int_equal(secret_slab_used(slab), 0);
    secret_slab_free(&slab);
}

static void guard_page_stops_an_overrun(void **state)
{
    struct secret_slab *slab = secret_slab_new(4096);
    struct secret s;
    assert_int_equal(secret_new(slab, 4096, &s), OK);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        *(volatile unsigned char *)(s.bytes + 4096) = 1;
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    secret_free(&s);
    secret_slab_free(&slab);
}

static void sameness(void **state)
{
    assert_true(secret_same(S("abc"), S("abc")));
    assert_false(secret_same(S("abc"), S("abd")));
    assert_false(secret_same(S("abc"), S("ab")));
    assert_true(secret_same(SLICE_EMPTY, S("")));
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freeing_wipes),
        cmocka_unit_test(full_slab_is_a_limit),
        cmocka_unit_test(random_use_keeps_contents_apart),
        cmocka_unit_test(guard_page_stops_an_overrun),
        cmocka_unit_test(sameness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

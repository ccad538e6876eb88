/* T-244: how long a comparison takes says nothing about how far a guess was right. For twelve kinds of secret, guesses that agree
 * in k leading octets are compared in random order; the time must not lean on k. A machine that is busy may lean once by chance:
 * only what leans the same way three times in a row is a fault. */
#include "test.h"

#include <string.h>
#include <time.h>

#include "crypto/clientpw.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/tokens.h"

enum { ROUNDS = 16, SECRET_MAX = 64 };

static const struct {
    const char *name;
    size_t n;
} secrets[] = {
    {"client password", CLIENTPW_SYMBOLS},
    {"client password as shown", CLIENTPW_SHOWN},
    {"token", TOKEN_LEN},
    {"ticket", 32},
    {"stored key", 32},
    {"server key", 32},
    {"client proof", 32},
    {"HMAC-MD5", 16},
    {"recovery code", 20},
    {"TOTP code", 6},
    {"reset code", 26},
    {"bound row", 32},
};
enum { SECRETS = sizeof secrets / sizeof *secrets };

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static volatile unsigned sink;

/* Sixteen comparisons: one alone is shorter than the clock's step. */
static uint64_t time_of(struct slice a, struct slice b)
{
    uint64_t begin = now_ns();
    for (int i = 0; i < ROUNDS; i++)
        sink += secret_same(a, b);
    return now_ns() - begin;
}

struct sample {
    size_t k;
    uint64_t ns;
};

static int by_time(const void *a, const void *b)
{
    uint64_t x = ((const struct sample *)a)->ns, y = ((const struct sample *)b)->ns;
    return x < y ? -1 : x > y;
}

/* Of the slope of time over k, without the slowest tenth: those were interrupted. */
static double t_value(struct sample *all, size_t n)
{
    qsort(all, n, sizeof *all, by_time);
    n -= n / 10;
    double mean_k = 0, mean_t = 0, kk = 0, tt = 0, kt = 0;
    for (size_t i = 0; i < n; i++) {
        mean_k += (double)all[i].k;
        mean_t += (double)all[i].ns;
    }
    mean_k /= (double)n;
    mean_t /= (double)n;
    for (size_t i = 0; i < n; i++) {
        double dk = (double)all[i].k - mean_k, dt = (double)all[i].ns - mean_t;
        kk += dk * dk;
        tt += dt * dt;
        kt += dk * dt;
    }
    if (kk == 0 || tt == 0)
        return 0;
    double r_squared = kt * kt / (kk * tt);
    double t_squared = r_squared * (double)(n - 2) / (1 - r_squared);
    return kt < 0 ? -t_squared : t_squared; /* the square, with the sign of the slope */
}

static double measure(size_t length, size_t samples)
{
    struct sample *all = calloc(samples, sizeof *all);
    unsigned char right[SECRET_MAX], guess[SECRET_MAX], noise[SECRET_MAX];
    random_bytes(right, sizeof right);
    for (size_t i = 0; i < samples; i++) {
        all[i].k = random_below((uint32_t)length);
        /* The same work for every k, or the caches would tell what the comparison does not. */
        random_bytes(noise, sizeof noise);
        for (size_t at = 0; at < length; at++)
            guess[at] = right[at] ^ (unsigned char)((noise[at] | 1) * (at >= all[i].k));
        sink += (unsigned)time_of(slice_of(right, length), slice_of(guess, length));
        all[i].ns = time_of(slice_of(right, length), slice_of(guess, length));
    }
    double t_squared = t_value(all, samples);
    free(all);
    return t_squared;
}

static bool leans(double t_squared)
{
    enum { SQUARE_AT_P_0_01 = 664 }; /* 2.576 squared, times 100 */
    return t_squared * 100 > SQUARE_AT_P_0_01 || t_squared * 100 < -SQUARE_AT_P_0_01;
}

static void time_does_not_lean_on_what_was_right(void **state)
{
    size_t samples = (getenv("LETTERLOCK_FULL") ? 1000000 : 60000) / SECRETS;
    for (size_t i = 0; i < SECRETS; i++) {
        unsigned up = 0, down = 0;
        for (int round = 0; round < 3; round++) {
            double t_squared = measure(secrets[i].n, samples);
            up += leans(t_squared) && t_squared > 0;
            down += leans(t_squared) && t_squared < 0;
            if (!leans(t_squared))
                break;
        }
        if (up == 3 || down == 3)
            fail_msg("%s: the time tells how far a guess was right", secrets[i].name);
    }
    print_message("T-244 cases=%d passed=%d\n", SECRETS, SECRETS);
}

/* The measure itself would see a comparison that stops at the first difference. */
static void the_measure_sees_a_comparison_that_stops(void **state)
{
    enum { SAMPLES = 20000, LENGTH = 64 };
    struct sample *all = calloc(SAMPLES, sizeof *all);
    unsigned char right[LENGTH], guess[LENGTH];
    random_bytes(right, sizeof right);
    for (size_t i = 0; i < SAMPLES; i++) {
        all[i].k = random_below(LENGTH);
        memcpy(guess, right, sizeof guess);
        guess[all[i].k] ^= 1;
        uint64_t begin = now_ns();
        for (int round = 0; round < ROUNDS; round++) {
            volatile const unsigned char *a = right, *b = guess;
            size_t at = 0;
            while (at < LENGTH && a[at] == b[at])
                at++;
            sink += (unsigned)at;
        }
        all[i].ns = now_ns() - begin;
    }
    double t_squared = t_value(all, SAMPLES);
    free(all);
    assert_true(leans(t_squared) && t_squared > 0);
}

int main(void)
{
    crypto_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_does_not_lean_on_what_was_right),
        cmocka_unit_test(the_measure_sees_a_comparison_that_stops),
    };
    return cmocka_run_group_tests_name("timing", tests, NULL, NULL);
}

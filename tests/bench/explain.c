/* explain.c - how long `letterlock doctor --explain` takes inside: reading the knowledge, and one look-up. Prints, judges nothing.
 * Started by `./dev bench explain`. */
#include <stdio.h>
#include <time.h>

#include "doctor/explain.h"

enum { ROUNDS = 2000, READINGS = 20 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void look_up(const struct knowledge *k, const char *name, struct slice text)
{
    struct explanation x;
    double worst = 0, start = now_us();
    for (int i = 0; i < ROUNDS; i++) {
        double before = now_us();
        explain(k, text, &x);
        double took = now_us() - before;
        worst = took > worst ? took : worst;
    }
    printf(
        "explain %-12s %6zu octets  %8.1f us a look-up, worst %8.1f us, %zu found\n", name, text.n,
        (now_us() - start) / ROUNDS, worst, x.count);
}

int main(void)
{
    static char filled[LIMIT_EXPLAIN_TEXT];
    double start = now_us();
    for (int i = 0; i < READINGS; i++) {
        struct knowledge *k = knowledge_built_in();
        knowledge_free(&k);
    }
    struct knowledge *k = knowledge_built_in();
    printf(
        "explain knowledge    %6zu diagnoses, %zu expressions  %8.1f us to read and compile\n",
        knowledge_count(k), knowledge_expressions(k), (now_us() - start) / (READINGS + 1));
    look_up(k, "code", S("0x800CCC0E"));
    look_up(
        k, "reply",
        S("535-5.7.8 Username and Password not accepted. For more information, go to\n"
          "535 5.7.8 https://support.google.com/mail/?p=BadCredentials a1b2c3 - gsmtp"));
    look_up(k, "unknown", S("the server is in a good mood today and nothing at all is wrong with it"));
    static const char line[] =
        "Mar  2 09:00:00 host program[123]: connection 4711 from 203.0.113.9 was served in 12 ms\n";
    for (size_t i = 0; i < sizeof filled; i++)
        filled[i] = line[i % (sizeof line - 1)];
    look_up(k, "whole log", slice_of(filled, sizeof filled));
    knowledge_free(&k);
    return 0;
}

/* find_guess.c - common names that have an address and answer. */
#include <unistd.h>

#include "base/clock.h"
#include "doctor/steps/find_parts.h"
#include "doctor/steps/proxy.h"
#include "net/connect.h"

enum { NAMES = 3, ADDRESSES = 4, QUESTION_MS = 3000 };

static const char *const names[SERVICE_N][NAMES] = {
    [SERVICE_IMAP] = {"imap.", "mail.", ""},
    [SERVICE_POP3] = {"pop.", "pop3.", "mail."},
    [SERVICE_SMTP] = {"smtp.", "mail.", ""},
};

static uint64_t at_most(const struct hunt *h, uint64_t ms)
{
    uint64_t left = hunt_left_ms(h);
    return left < ms ? left : ms;
}

static size_t addresses_of(struct hunt *h, struct slice host, struct ip ips[ADDRESSES])
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    size_t count = 0;
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        struct dns_answer answer;
        if (dns_ask(h->dns, host, types[t], at_most(h, QUESTION_MS), &h->notes.arena, &answer) != OK)
            continue;
        for (size_t i = 0; i < answer.count && count < ADDRESSES; i++)
            ips[count++] = answer.records[i].ip;
    }
    return count;
}

/* Behind a proxy it is the proxy that knows. */
static bool answers_by_proxy(struct hunt *h, const struct endpoint *e)
{
    struct checked server = {.endpoint = *e};
    struct visit v = {.wishes = h->wishes, .server = &server, .notes = &h->notes, .dns = h->dns};
    int fd;
    if (proxy_connect(&v, clock_mono_ms() + at_most(h, LIMIT_DOCTOR_GUESS_WAIT), &fd) != OK)
        return false;
    close(fd);
    return true;
}

static bool answers(struct hunt *h, const struct endpoint *e, const struct ip *ips, size_t count)
{
    int fd;
    if (h->wishes->proxy.host.n)
        return answers_by_proxy(h, e);
    for (size_t i = 0; i < count; i++)
        if (connect_wait(&ips[i], e->port, at_most(h, LIMIT_DOCTOR_GUESS_WAIT), h->wishes->stop, &fd, NULL) ==
            OK) {
            close(fd);
            return true;
        }
    return false;
}

/* The certificate proves such a host later, because it lies in the mail domain. */
static bool take_host(struct hunt *h, struct slice host)
{
    static const enum security ways[] = {SECURITY_TLS, SECURITY_STARTTLS};
    struct ip ips[ADDRESSES];
    size_t count = h->wishes->proxy.host.n ? 0 : addresses_of(h, host, ips);
    if (!count && !h->wishes->proxy.host.n)
        return false;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct endpoint e = {
            .service = h->service,
            .host = host,
            .port = port_of(h->service, ways[i]),
            .security = ways[i],
            .source = SOURCE_GUESS,
            .trusted = true};
        if (!answers(h, &e, ips, count))
            continue;
        candidates_add(&h->found, &e, &h->notes.arena);
        return true;
    }
    return false;
}

void find_guess(struct hunt *h)
{
    for (size_t i = 0; i < NAMES && hunt_left_ms(h) > 0; i++)
        if (take_host(
                h, arena_printf(
                       &h->notes.arena, "%s" SLICE_FMT, names[h->service][i], SLICE_ARG(h->who.domain))))
            return;
}

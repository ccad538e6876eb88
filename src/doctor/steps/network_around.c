#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "doctor/steps/network_parts.h"
#include "doctor/steps/portal.h"
#include "net/connect.h"

enum { HTTP_PORT = 80, NAMES_MEMORY = 65536 };

static uint64_t left_ms(uint64_t until_ms)
{
    uint64_t now = clock_mono_ms();
    return until_ms > now ? until_ms - now : 0;
}

/* ---------------------------------------------------------------------------------------------- fetching a page */

static fallible
dial(struct dns *dns, struct slice host, uint64_t until_ms, const struct stop *stop, int *ret_fd)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(NAMES_MEMORY);
    struct dns_answer answer;
    TRY(dns_ask(dns, host, DNS_A, left_ms(until_ms) / 2, &arena, &answer));
    if (answer.count == 0)
        return ERR_NOT_FOUND;
    return connect_wait(&answer.records[0].ip, HTTP_PORT, left_ms(until_ms) / 2, stop, ret_fd, NULL);
}

/* All that comes until the other side closes, time is up or there is enough. */
static void read_page(int fd, struct buf *page, uint64_t until_ms, const struct stop *stop)
{
    while (page->n < PORTAL_ANSWER_MAX && connect_ready(fd, false, until_ms, stop) == OK) {
        char *room = buf_reserve(page, PORTAL_ANSWER_MAX - page->n);
        ssize_t n = room ? recv(fd, room, PORTAL_ANSWER_MAX - page->n, 0) : 0;
        if (n <= 0)
            return;
        buf_added(page, (size_t)n);
    }
}

/* PORTAL_UNCLEAR, too, when nothing could be fetched. The proof is put into `page`'s memory. */
static enum portal fetch(
    struct dns *dns, const struct portal_page *known, uint64_t within_ms, const struct stop *stop,
    struct buf *page, struct slice *ret_proof)
{
    uint64_t until = clock_mono_ms() + within_ms;
    struct buf request CLEANUP_BUF = BUF_INIT(512);
    int fd CLEANUP_FD = -1;
    portal_put_request(known, &request);
    buf_clear(page);
    if (dial(dns, slice_str(known->host), until, stop, &fd) != OK || buf_check(&request) != OK ||
        send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
        return PORTAL_UNCLEAR;
    read_page(fd, page, until, stop);
    return portal_read(known, buf_slice(page), ret_proof);
}

/* --------------------------------------------------------------------------------------------- the whole network */

/* How many servers show one of these. */
static size_t count_having(const struct examination *x, const enum observed *what, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < x->server_count; i++) {
        bool has = false;
        for (size_t j = 0; j < n; j++)
            has |= notes_have(&x->servers[i].notes, what[j]);
        count += has;
    }
    return count;
}

static bool any_connected(const struct examination *x)
{
    for (size_t i = 0; i < x->server_count; i++)
        if (x->servers[i].standing.connected)
            return true;
    return false;
}

/* Every failure is explained by the setting alone: the network has nothing to do with it. */
static bool all_plain(const struct examination *x)
{
    static const enum observed plain[] = {OBSERVED_DNS_NAME_MALFORMED, OBSERVED_DNS_NO_SUCH_NAME,
                                          OBSERVED_DNS_NO_ADDRESS,     OBSERVED_DNS_ALIAS_DEAD,
                                          OBSERVED_DNS_ALIAS_LOOP,     OBSERVED_NET_PORT_CLOSED,
                                          OBSERVED_NET_LOCAL_REFUSED,  OBSERVED_PROTON_BRIDGE_REFUSED};
    return count_having(x, plain, sizeof plain / sizeof *plain) == x->server_count;
}

static void note_clear(struct examination *x, const struct portal_page *page)
{
    static const enum observed silent[] = {
        OBSERVED_NET_TIMEOUT, OBSERVED_NET_PORT_FILTERED, OBSERVED_PORT_25_SUBMISSION};
    notes_fact(&x->general, TONE_GOOD, FACT_WEB_WORKS, slice_str(page->host), SLICE_EMPTY, SLICE_EMPTY);
    size_t count = count_having(x, silent, sizeof silent / sizeof *silent);
    if (count < 2 || count < x->server_count)
        return;
    struct observation *o = notes_observed(
        &x->general, TONE_FAULT, OBSERVED_NET_MAIL_PORTS_BLOCKED, PROOF_MEASURED, slice_str(page->host));
    o->alternative = knowledge_find(x->general.knowledge, S("fail2ban-silent-drop"));
}

/* Nothing can be fetched, and there is no way to any server: this is not about mail. */
static void note_unclear(struct examination *x)
{
    static const enum observed no_way[] = {OBSERVED_NET_UNREACHABLE, OBSERVED_NET_ONLY_IPV6};
    if (count_having(x, no_way, sizeof no_way / sizeof *no_way) == x->server_count)
        notes_observed(&x->general, TONE_FAULT, OBSERVED_NET_OFFLINE, PROOF_NONE, SLICE_EMPTY);
}

void network_look_around(const struct wishes *wishes, struct dns *dns, struct examination *x)
{
    struct buf page CLEANUP_BUF = BUF_INIT(PORTAL_ANSWER_MAX);
    if (x->server_count == 0 || wishes->proxy.host.n || any_connected(x) || all_plain(x))
        return;
    for (size_t i = 0; i < PORTAL_PAGES; i++) {
        struct slice proof = SLICE_EMPTY;
        switch (
            fetch(dns, &portal_pages[i], wishes->patience_ms / PORTAL_PAGES, wishes->stop, &page, &proof)) {
        case PORTAL_CLEAR:
            note_clear(x, &portal_pages[i]);
            return;
        case PORTAL_CAUGHT:
            notes_observed(&x->general, TONE_FAULT, OBSERVED_NET_CAPTIVE_PORTAL, PROOF_REPLY, proof);
            return;
        case PORTAL_UNCLEAR:
            break;
        }
    }
    note_unclear(x);
}

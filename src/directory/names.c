#include "directory/names.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/sockaddr.h"

enum { DNS_PORT = 53, TRY_MS = 1500 };

/* ---- the machine's files ---- */

static bool next_word(struct slice *line, struct slice *ret_word)
{
    size_t n = 0;
    *line = slice_trim(*line);
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t' && line->p[n] != '#')
        n++;
    *ret_word = slice_sub(*line, 0, n);
    *line = slice_from(*line, n);
    return n > 0;
}

void names_read_hosts(struct names *names, struct slice hosts, struct slice host)
{
    struct slice line, word;
    struct ip ip;
    while (slice_cut(&hosts, '\n', &line)) {
        if (!next_word(&line, &word) || ip_parse(word, &ip) != OK)
            continue;
        while (next_word(&line, &word) && names->fixed_count < NAMES_FOUND)
            if (slice_eq_nocase(word, host)) {
                names->fixed[names->fixed_count++] = ip;
                break;
            }
    }
}

void names_read_servers(struct names *names, struct slice resolv_conf)
{
    struct slice line, word;
    while (slice_cut(&resolv_conf, '\n', &line))
        if (next_word(&line, &word) && slice_eq(word, S("nameserver")) && next_word(&line, &word) &&
            names->server_count < NAMES_SERVERS && ip_parse(word, &names->servers[names->server_count]) == OK)
            names->server_count++;
}

/* ---- packets (RFC 1035 section 4) ---- */

size_t names_question(const char *host, bool v6, uint16_t id, unsigned char out[NAMES_PACKET])
{
    struct slice rest = slice_str(host), label;
    size_t n = NS_HFIXEDSZ;
    if (rest.n == 0 || rest.n > 253)
        return 0;
    memset(out, 0, NS_HFIXEDSZ);
    out[0] = (unsigned char)(id >> 8);
    out[1] = (unsigned char)id;
    out[2] = 1; /* recursion desired */
    out[5] = 1; /* one question */
    while (slice_cut(&rest, '.', &label)) {
        if (label.n == 0 || label.n > 63)
            return 0;
        out[n++] = (unsigned char)label.n;
        memcpy(out + n, label.p, label.n);
        n += label.n;
    }
    out[n++] = 0;
    out[n++] = 0;
    out[n++] = v6 ? ns_t_aaaa : ns_t_a;
    out[n++] = 0;
    out[n++] = ns_c_in;
    return n;
}

static bool echoes(struct slice question, struct slice answer)
{
    if (answer.n < question.n || question.n < NS_HFIXEDSZ || answer.p[0] != question.p[0] ||
        answer.p[1] != question.p[1] || !((unsigned char)answer.p[2] & 0x80) || answer.p[4] != 0 ||
        answer.p[5] != 1)
        return false;
    return slice_eq_nocase(
        slice_from(question, NS_HFIXEDSZ), slice_sub(answer, NS_HFIXEDSZ, question.n - NS_HFIXEDSZ));
}

/* Addresses of any owner in the answer section: aliases lead from one name to the next, and the certificate has the last
 * word about who is there. */
static void take_addresses(ns_msg *packet, struct ip found[NAMES_FOUND], size_t *count)
{
    for (int i = 0; i < ns_msg_count(*packet, ns_s_an) && *count < NAMES_FOUND; i++) {
        ns_rr record;
        if (ns_parserr(packet, ns_s_an, i, &record) != 0)
            return;
        struct ip ip = {0};
        if (ns_rr_type(record) == ns_t_a && ns_rr_rdlen(record) == 4) {
            ip.b[10] = ip.b[11] = 0xff;
            memcpy(ip.b + 12, ns_rr_rdata(record), 4);
        } else if (ns_rr_type(record) == ns_t_aaaa && ns_rr_rdlen(record) == 16) {
            memcpy(ip.b, ns_rr_rdata(record), 16);
        } else {
            continue;
        }
        found[(*count)++] = ip;
    }
}

fallible names_answer(struct slice question, struct slice answer, struct ip found[NAMES_FOUND], size_t *count)
{
    ns_msg packet;
    if (!echoes(question, answer) ||
        ns_initparse((const unsigned char *)answer.p, (int)answer.n, &packet) != 0)
        return ERR_PROTOCOL;
    int code = ns_msg_getflag(packet, ns_f_rcode);
    if (code == ns_r_nxdomain)
        return ERR_NOT_FOUND;
    if (code != ns_r_noerror)
        return ERR_AGAIN;
    take_addresses(&packet, found, count);
    return OK;
}

/* ---- asking ---- */

/* From a port that the kernel chooses, connected, so that only that server's answers come in. -1: there is no way to it. */
static int open_to(const struct ip *server)
{
    struct sockaddr_storage to;
    socklen_t n = ip_to_sockaddr(server, DNS_PORT, &to);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, n) != 0)
        file_close(&fd);
    return fd;
}

static fallible
ask(const struct ip *server, const char *host, bool v6, uint64_t until_ms, struct ip found[NAMES_FOUND],
    size_t *count)
{
    unsigned char question[NAMES_PACKET], answer[NAMES_PACKET];
    uint16_t id;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        return ERR_UNAVAILABLE;
    size_t n = names_question(host, v6, id, question);
    int fd CLEANUP_FD = open_to(server);
    if (fd < 0 || n == 0 || send(fd, question, n, MSG_NOSIGNAL) != (ssize_t)n)
        return ERR_UNAVAILABLE;
    for (;;) {
        uint64_t now = clock_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (now >= until_ms || poll(&p, 1, (int)(until_ms - now)) <= 0)
            return ERR_TIMEOUT;
        ssize_t got = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
        if (got < 0)
            return ERR_UNAVAILABLE;
        enum err e = names_answer(slice_of(question, n), slice_of(answer, (size_t)got), found, count);
        if (e != ERR_PROTOCOL)
            return e;
    }
}

fallible names_find(
    const struct names *names, const char *host, uint64_t until_ms, struct ip found[NAMES_FOUND],
    size_t *ret_count)
{
    size_t count = names->fixed_count;
    memcpy(found, names->fixed, count * sizeof *found);
    enum err e = names->server_count ? OK : ERR_UNAVAILABLE;
    for (size_t i = 0; count == 0 && i < names->server_count && clock_mono_ms() < until_ms; i++) {
        uint64_t until = clock_mono_ms() + TRY_MS;
        until = until < until_ms ? until : until_ms;
        enum err v4 = ask(&names->servers[i], host, false, until, found, &count);
        enum err v6 = ask(&names->servers[i], host, true, until, found, &count);
        e = v4 == OK || v6 == OK ? OK : v4;
        if (e == OK || e == ERR_NOT_FOUND)
            break;
    }
    if (count == 0)
        return e == OK ? ERR_NOT_FOUND : e;
    *ret_count = count;
    return OK;
}

#include "dns/probe.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "loop/sockaddr.h"

enum { HEADER = 12, ANSWER_MAX = 4096 };

static void put_u16(struct buf *b, unsigned value)
{
    buf_put_char(b, (char)(value >> 8));
    buf_put_char(b, (char)value);
}

void probe_question(struct slice name, int type, uint16_t id, bool unchecked, struct buf *out)
{
    struct slice label;
    put_u16(out, id);
    put_u16(out, unchecked ? 0x0110 : 0x0100); /* RD, CD */
    put_u16(out, 1);                           /* one question, nothing else */
    for (int i = 0; i < 3; i++)
        put_u16(out, 0);
    for (struct slice rest = name; slice_cut(&rest, '.', &label);) {
        buf_put_char(out, (char)label.n);
        buf_put(out, label);
    }
    buf_put_char(out, '\0');
    put_u16(out, (unsigned)type);
    put_u16(out, 1); /* IN */
}

fallible probe_answer(struct slice answer, struct slice question, unsigned *ret_rcode)
{
    if (answer.n < HEADER || !slice_eq(slice_sub(answer, 0, 2), slice_sub(question, 0, 2)) ||
        !(answer.p[2] & 0x80))
        return ERR_SYNTAX;
    /* A server that refuses may leave the question out. */
    if ((answer.p[4] || answer.p[5]) &&
        !slice_eq_nocase(slice_sub(answer, HEADER, question.n - HEADER), slice_from(question, HEADER)))
        return ERR_SYNTAX;
    *ret_rcode = answer.p[3] & 0x0f;
    return OK;
}

static fallible failure_of(int e)
{
    return e == ECONNREFUSED ? ERR_DENIED : e == ENETUNREACH || e == EHOSTUNREACH ? ERR_NOT_FOUND : ERR_IO;
}

/* Waits for the answer to this question; others are passed over. */
static fallible
await(int fd, struct slice question, uint64_t until_ms, const struct stop *stop, unsigned *ret_rcode)
{
    char room[ANSWER_MAX];
    for (;;) {
        uint64_t now = clock_mono_ms(), left = until_ms > now ? until_ms - now : 0;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = left ? stop_poll(stop, &p, 1, left < INT32_MAX ? (int)left : INT32_MAX) : 0;
        if (ready == 0 || (ready < 0 && errno == ECANCELED))
            return ERR_TIMEOUT;
        if (ready < 0 && errno != EINTR)
            return ERR_IO;
        ssize_t n = ready < 0 ? 0 : recv(fd, room, sizeof room, 0);
        if (n < 0)
            return failure_of(errno);
        if (probe_answer(slice_of(room, (size_t)n), question, ret_rcode) == OK)
            return OK;
    }
}

fallible probe_ask(
    const struct dns_server *server, struct slice name, int type, bool unchecked, uint64_t until_ms,
    const struct stop *stop, unsigned *ret_rcode)
{
    struct buf question CLEANUP_BUF = BUF_INIT(512);
    struct sockaddr_storage to;
    socklen_t n = ip_to_sockaddr(&server->ip, server->port, &to);
    int fd CLEANUP_FD = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint16_t id;
    if (fd < 0 || getrandom(&id, sizeof id, 0) != sizeof id)
        return ERR_IO;
    probe_question(name, type, id, unchecked, &question);
    TRY(buf_check(&question));
    /* Connected, so that only this server's answers arrive, and its ICMP. */
    if (connect(fd, (struct sockaddr *)&to, n) != 0 || send(fd, question.p, question.n, 0) < 0)
        return failure_of(errno);
    return await(fd, buf_slice(&question), until_ms, stop, ret_rcode);
}

#include "directory/link.h"

#include <openldap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "directory/private.h"
#include "net/connect.h"

enum { LOOK_MS = 200 }; /* how soon one who waits sees that the process ends */

/* ---- what happened ---- */

void answer_fail(struct directory_answer *a, const char *reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    snprintf(a->reason, sizeof a->reason, "%s", reason);
    vsnprintf(a->detail, sizeof a->detail, format, args);
    va_end(args);
}

void answer_step(struct directory_answer *a, const char *step, bool good, const char *format, ...)
{
    if (!a->wants_steps || a->step_count == DIRECTORY_STEPS)
        return;
    struct directory_step *s = &a->steps[a->step_count++];
    va_list args;
    va_start(args, format);
    s->name = step;
    s->good = good;
    vsnprintf(s->detail, sizeof s->detail, format, args);
    va_end(args);
}

/* libldap's words for a result code and what the server added. */
static void answer_fail_ldap(struct directory_answer *a, LDAP *ld, const char *reason, int code)
{
    char *said = NULL;
    if (ldap_get_option(ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said) != LDAP_OPT_SUCCESS)
        said = NULL;
    answer_fail(a, reason, "%s%s%.150s", ldap_err2string(code), said && *said ? ": " : "", said ? said : "");
    if (said)
        ldap_memfree(said);
}

/* ---- connecting ---- */

static uint64_t left_ms(const struct link *l)
{
    uint64_t now = clock_mono_ms();
    return now < l->until_ms && !atomic_load(&l->directory->ending) ? l->until_ms - now : 0;
}

/* What is left, or less. */
static struct timeval left_time(const struct link *l, uint64_t most_ms)
{
    uint64_t left = left_ms(l);
    left = left < most_ms ? left : most_ms;
    return (struct timeval){
        .tv_sec = (time_t)(left / 1000), .tv_usec = (suseconds_t)(left % 1000 * 1000 + 1)};
}

static const char *dial_reason(enum err e)
{
    return e == ERR_TIMEOUT ? "timeout" : "unreachable";
}

/* One address after the other; each may use what is left, the first ones half of it. */
static bool dial(struct directory *d, uint64_t until_ms, struct directory_answer *a, int *ret_fd)
{
    struct ip found[NAMES_FOUND] = {d->place.ip};
    struct ip none = {0};
    size_t count = 1;
    enum err e = OK;
    if (memcmp(&d->place.ip, &none, sizeof none) == 0)
        e = names_find(&d->names, d->host, until_ms, found, &count);
    if (e != OK) {
        answer_fail(a, "name", "%s: %s", d->host, e == ERR_UNAVAILABLE ? "no name server" : err_text(e));
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t now = clock_mono_ms(), until = until_ms;
        if (i + 1 < count && now < until_ms)
            until = now + (until_ms - now) / 2;
        char text[IP_TEXT_MAX];
        e = connect_wait(&found[i], d->place.port, now < until ? until - now : 0, NULL, ret_fd, NULL);
        if (e == OK) {
            answer_step(a, "connect", true, "%s port %u", ip_text(&found[i], text), d->place.port);
            return true;
        }
        answer_fail(
            a, dial_reason(e), "%s port %u: %s", ip_text(&found[i], text), d->place.port, err_text(e));
    }
    return false;
}

/* CONNECT_ASYNC is what makes libldap wait in a TLS handshake with poll and by NETWORK_TIMEOUT, and leave the socket
 * non-blocking behind it; without it, it spins on a server that says nothing, for ever. */
static bool set_options(struct link *l, struct directory_answer *a)
{
    static const int version = LDAP_VERSION3, never = LDAP_DEREF_NEVER;
    ber_len_t most = LIMIT_DIRECTORY_PDU;
    Sockbuf *buffer = NULL;
    bool good = ldap_set_option(l->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
                ldap_set_option(l->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
                ldap_set_option(l->ld, LDAP_OPT_RESTART, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
                ldap_set_option(l->ld, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
                ldap_set_option(l->ld, LDAP_OPT_DEREF, &never) == LDAP_OPT_SUCCESS &&
                ldap_get_option(l->ld, LDAP_OPT_SOCKBUF, &buffer) == LDAP_OPT_SUCCESS &&
                ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &most) == 1;
    if (!good)
        answer_fail(a, "library", "libldap takes no options");
    return good;
}

/* The answer with this number, or NULL with the reason told. */
static LDAPMessage *await(struct link *l, int id, struct directory_answer *a)
{
    LDAPMessage *result = NULL;
    int type = 0;
    while (type == 0 && left_ms(l)) {
        struct timeval time = left_time(l, LOOK_MS);
        type = ldap_result(l->ld, id, LDAP_MSG_ALL, &time, &result);
    }
    if (type > 0)
        return result;
    int code = LDAP_SERVER_DOWN;
    if (type == 0)
        answer_fail(a, "timeout", "no answer in time");
    else if (ldap_get_option(l->ld, LDAP_OPT_RESULT_CODE, &code) == LDAP_OPT_SUCCESS)
        answer_fail_ldap(a, l->ld, code == LDAP_SERVER_DOWN ? "unreachable" : "protocol", code);
    return NULL;
}

/* RFC 4511 4.14. What the server says to StartTLS comes in the clear, so success is believed only as far as to begin TLS. */
static bool ask_for_tls(struct link *l, struct directory_answer *a)
{
    int id, code = LDAP_OTHER;
    int sent = ldap_start_tls(l->ld, NULL, NULL, &id);
    LDAPMessage *result = sent == LDAP_SUCCESS ? await(l, id, a) : NULL;
    if (sent != LDAP_SUCCESS)
        answer_fail_ldap(a, l->ld, "tls", sent);
    if (!result)
        return false;
    if (ldap_parse_result(l->ld, result, &code, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS)
        code = LDAP_DECODING_ERROR;
    if (code != LDAP_SUCCESS)
        answer_fail_ldap(a, l->ld, "tls-refused", code);
    return code == LDAP_SUCCESS;
}

static bool secure(struct directory *d, struct link *l, struct directory_answer *a)
{
    if (d->clear)
        return true;
    if (!d->place.tls_first && !ask_for_tls(l, a))
        return false;
    struct timeval time = left_time(l, LIMIT_DIRECTORY_WAIT);
    int code = LDAP_TIMEOUT;
    if (left_ms(l) && ldap_set_option(l->ld, LDAP_OPT_NETWORK_TIMEOUT, &time) == LDAP_OPT_SUCCESS)
        code = ldap_install_tls(l->ld);
    if (code != LDAP_SUCCESS) {
        answer_fail_ldap(a, l->ld, code == LDAP_TIMEOUT || !left_ms(l) ? "timeout" : "tls", code);
        return false;
    }
    if (!ldap_tls_inplace(l->ld)) {
        answer_fail(a, "tls", "the connection is not secured");
        return false;
    }
    return true;
}

static bool open_steps(struct directory *d, struct link *l, struct directory_answer *a)
{
    int fd = -1;
    uint64_t soon = clock_mono_ms() + LIMIT_DIRECTORY_WAIT;
    if (!dial(d, l->until_ms < soon ? l->until_ms : soon, a, &fd)) {
        answer_step(a, "connect", false, "%s", a->detail);
        return false;
    }
    int code = ldap_init_fd(fd, LDAP_PROTO_TCP, d->url, &l->ld);
    if (code != LDAP_SUCCESS) {
        file_close(&fd);
        answer_fail(a, "library", "%s", ldap_err2string(code));
        return false;
    }
    bool good = set_options(l, a) && secure(d, l, a);
    const char *words = d->clear ? "none: a loopback address" : "the certificate is good";
    answer_step(a, "tls", good, "%s", good ? words : a->detail);
    return good;
}

bool link_open(struct directory *d, uint64_t until_ms, struct directory_answer *a, struct link **ret_link)
{
    struct link *l = NEW(struct link);
    list_init(&l->list);
    l->directory = d;
    l->until_ms = until_ms;
    if (!open_steps(d, l, a)) {
        link_close(&l);
        return false;
    }
    *ret_link = l;
    return true;
}

void link_close(struct link **l)
{
    if (!*l)
        return;
    list_drop(&(*l)->list);
    if ((*l)->ld)
        ldap_unbind_ext((*l)->ld, NULL, NULL);
    mem_free(l);
}

/* ---- questions ---- */

enum link_bound link_bind(struct link *l, const char *dn, struct slice password, struct directory_answer *a)
{
    struct berval secret = {.bv_len = password.n, .bv_val = (char *)password.p};
    int id, code = LDAP_OTHER;
    if (!dn || !*dn || password.n == 0) {
        answer_fail(a, "empty", "an empty name or password is not sent");
        return LINK_REFUSED;
    }
    int sent = ldap_sasl_bind(l->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, &id);
    LDAPMessage *result = sent == LDAP_SUCCESS ? await(l, id, a) : NULL;
    if (sent != LDAP_SUCCESS)
        answer_fail_ldap(a, l->ld, "unreachable", sent);
    if (!result)
        return LINK_UNKNOWN;
    bool is_bind = ldap_msgtype(result) == LDAP_RES_BIND;
    if (ldap_parse_result(l->ld, result, &code, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS || !is_bind)
        code = LDAP_DECODING_ERROR;
    if (code == LDAP_SUCCESS)
        return LINK_BOUND;
    bool wrong = code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH;
    answer_fail_ldap(a, l->ld, wrong ? "wrong-password" : "bind", code);
    return wrong ? LINK_REFUSED : LINK_UNKNOWN;
}

static const char *search_reason(int code)
{
    switch (code) {
    case LDAP_REFERRAL:
        return "referral";
    case LDAP_SIZELIMIT_EXCEEDED:
    case LDAP_ADMINLIMIT_EXCEEDED:
        return "size-limit";
    case LDAP_TIMELIMIT_EXCEEDED:
        return "timeout";
    default:
        return "search";
    }
}

bool link_search(
    struct link *l, const struct link_search *s, struct directory_answer *a, LDAPMessage **ret_result,
    LDAPControl ***ret_controls)
{
    int id, code = LDAP_OTHER;
    struct timeval time = left_time(l, LIMIT_DIRECTORY_LIST_WAIT);
    time.tv_sec++; /* the server's own limit is in whole seconds */
    int sent = ldap_search_ext(
        l->ld, s->base, s->scope, s->filter, s->attributes, 0, s->controls, NULL, &time, s->most, &id);
    LDAPMessage *result = sent == LDAP_SUCCESS ? await(l, id, a) : NULL;
    if (sent != LDAP_SUCCESS)
        answer_fail_ldap(a, l->ld, sent == LDAP_FILTER_ERROR ? "filter" : "unreachable", sent);
    if (!result)
        return false;
    if (ldap_parse_result(l->ld, result, &code, NULL, NULL, NULL, ret_controls, 0) != LDAP_SUCCESS)
        code = LDAP_DECODING_ERROR;
    bool cut = code == LDAP_SIZELIMIT_EXCEEDED && s->most && ldap_count_entries(l->ld, result) >= s->most;
    if (code == LDAP_SUCCESS || cut) {
        *ret_result = result;
        return true;
    }
    answer_fail_ldap(a, l->ld, search_reason(code), code);
    ldap_msgfree(result);
    return false;
}

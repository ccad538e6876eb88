#include "doctor/steps/fetch.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "doctor/steps/fetch_head.h"
#include "mail/address.h"

enum { REDIRECT_FIRST = 300, REDIRECT_LAST = 399, ADDRESSES = 8, QUESTION_MS = 3000, LOOK_MS = 1000 };

/* ------------------------------------------------------------------------------------------------------- places */

static void cleanup_url(CURLU **u)
{
    curl_url_cleanup(*u);
}

/* A part of it as a slice in the arena; empty: it has none. */
static struct slice part_of(CURLU *u, CURLUPart what, struct arena *arena)
{
    char *text = NULL;
    if (curl_url_get(u, what, &text, 0) != CURLUE_OK)
        return SLICE_EMPTY;
    struct slice kept = arena_copy(arena, slice_str(text));
    curl_free(text);
    return kept;
}

fallible fetch_place_of(struct slice url, struct arena *arena, struct fetch_place *ret_place)
{
    CURLU *u __attribute__((cleanup(cleanup_url))) = curl_url();
    struct domain host;
    struct ip ip;
    if (!u || slice_has(url, '\0') || curl_url_set(u, CURLUPART_URL, arena_cstr(arena, url), 0) != CURLUE_OK)
        return ERR_SYNTAX;
    struct slice scheme = part_of(u, CURLUPART_SCHEME, arena), port = part_of(u, CURLUPART_PORT, arena);
    struct slice name = part_of(u, CURLUPART_HOST, arena);
    bool https = slice_eq(scheme, S("https"));
    if (!https && !slice_eq(scheme, S("http")))
        return ERR_SYNTAX;
    if ((port.n && !slice_eq(port, https ? S("443") : S("80"))) || part_of(u, CURLUPART_USER, arena).n ||
        part_of(u, CURLUPART_PASSWORD, arena).n)
        return ERR_SYNTAX;
    if (ip_parse(name, &ip) == OK || !ascii_is_alpha(name.n ? name.p[name.n - 1] : '0'))
        return ERR_SYNTAX; /* "127.1" and "0x7f000001" would be addresses to a resolver */
    TRY(domain_parse(name, &host));
    if (!slice_has(domain_text(&host), '.')) /* a machine of the local network */
        return ERR_SYNTAX;
    *ret_place = (struct fetch_place){https, arena_copy(arena, domain_text(&host))};
    return arena_check(arena);
}

bool fetch_is_inner(const struct ip *ip)
{
    static const char *const nets[] = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",  "127.0.0.0/8",
                                       "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",   "192.168.0.0/16",
                                       "224.0.0.0/3",    "::/127",        "64:ff9b:1::/48", "fc00::/7",
                                       "fe80::/10",      "ff00::/8"};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        struct ip_net net;
        if (ip_net_parse(slice_str(nets[i]), &net) == OK && ip_net_has(&net, ip))
            return true;
    }
    return false;
}

/* ----------------------------------------------------------------------------------------------- one connection */

/* One request and what came of it. */
struct going {
    const struct fetch *f;
    struct arena *arena;
    CURL *curl;
    struct curl_slist *resolve, *headers;
    struct buf body;
    char why[CURL_ERROR_SIZE];
    uint64_t until_ms;
    struct fetch_head head; /* of the last answer */
    bool inner;             /* of the addresses of this host, one is of a private network */
    bool outer_only;        /* then it is not asked */
};

static uint64_t left_ms(const struct going *g)
{
    uint64_t now = clock_mono_ms();
    return now < g->until_ms ? g->until_ms - now : 0;
}

static size_t on_body(char *octets, size_t size, size_t n, void *owner)
{
    struct going *g = owner;
    buf_put(&g->body, slice_of(octets, size * n));
    return buf_check(&g->body) == OK ? size * n : 0;
}

static size_t on_header(char *octets, size_t size, size_t n, void *owner)
{
    struct going *g = owner;
    fetch_head_line(&g->head, slice_of(octets, size * n));
    return size * n;
}

static fallible
ask(struct going *g, struct slice host, enum dns_type type, struct ip ips[ADDRESSES], size_t *count)
{
    struct dns_answer answer;
    uint64_t wait = left_ms(g) < QUESTION_MS ? left_ms(g) : QUESTION_MS;
    TRY(dns_ask(g->f->dns, host, type, wait, g->arena, &answer));
    for (size_t i = 0; i < answer.count && *count < ADDRESSES; i++)
        ips[(*count)++] = answer.records[i].ip;
    return OK;
}

/* Gives curl the addresses of a host, so that it asks nobody itself. */
static fallible add_addresses(struct going *g, struct slice host, unsigned port)
{
    struct ip ips[ADDRESSES];
    size_t count = 0;
    struct buf line CLEANUP_BUF = BUF_INIT(2048);
    TRY(ask(g, host, DNS_A, ips, &count));
    TRY(ask(g, host, DNS_AAAA, ips, &count));
    if (!count)
        return ERR_NOT_FOUND;
    g->inner = false;
    buf_printf(&line, SLICE_FMT ":%u:", SLICE_ARG(host), port);
    for (size_t i = 0; i < count; i++) {
        char text[IP_TEXT_MAX];
        g->inner = g->inner || fetch_is_inner(&ips[i]);
        buf_printf(&line, ip_is_v4(&ips[i]) ? "%s%s" : "%s[%s]", i ? "," : "", ip_text(&ips[i], text));
    }
    struct curl_slist *more = curl_slist_append(g->resolve, buf_cstr(&line));
    if (!more)
        return ERR_MEMORY;
    g->resolve = more;
    return OK;
}

static fallible set_addresses(struct going *g, const struct fetch_place *place)
{
    const struct proxy *proxy = &g->f->wishes->proxy;
    struct ip ip;
    if (!proxy->host.n)
        TRY(add_addresses(g, place->host, place->https ? 443 : 80));
    else if (ip_parse(proxy->host, &ip) != OK)
        TRY(add_addresses(g, proxy->host, proxy->port));
    return curl_easy_setopt(g->curl, CURLOPT_RESOLVE, g->resolve) == CURLE_OK ? OK : ERR_MEMORY;
}

/* The options that are the same for every request; each is one that this curl knows, so all succeed or memory is out. */
static bool set_manners(struct going *g)
{
    CURL *c = g->curl;
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROXY, "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "letterlock-doctor/" LETTERLOCK_VERSION) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)LIMIT_DOCTOR_FETCH) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, g) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERDATA, g) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, g->why) == CURLE_OK;
}

/* The system's authorities, and those that were wished. */
static bool set_authorities(struct going *g)
{
    struct slice pem = g->f->wishes->ca_pem;
    struct curl_blob blob = {.data = (void *)(uintptr_t)pem.p, .len = pem.n, .flags = CURL_BLOB_COPY};
    return !pem.n || (curl_easy_setopt(g->curl, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
                      curl_easy_setopt(g->curl, CURLOPT_CAPATH, "/etc/ssl/certs") == CURLE_OK);
}

/* "socks5h": the proxy looks names up. Without one, none of the environment either. */
static bool set_proxy(struct going *g)
{
    const struct proxy *p = &g->f->wishes->proxy;
    struct slice url = SLICE_EMPTY;
    if (p->host.n)
        url = arena_printf(
            g->arena, slice_has(p->host, ':') ? "socks5h://[" SLICE_FMT "]:%u" : "socks5h://" SLICE_FMT ":%u",
            SLICE_ARG(p->host), (unsigned)p->port);
    return curl_easy_setopt(g->curl, CURLOPT_PROXY, arena_cstr(g->arena, url)) == CURLE_OK;
}

static bool set_post(struct going *g)
{
    if (!g->f->post.n)
        return true;
    g->headers = curl_slist_append(NULL, "Content-Type: text/xml");
    return g->headers && curl_easy_setopt(g->curl, CURLOPT_HTTPHEADER, g->headers) == CURLE_OK &&
           curl_easy_setopt(g->curl, CURLOPT_POSTFIELDSIZE, (long)g->f->post.n) == CURLE_OK &&
           curl_easy_setopt(g->curl, CURLOPT_POSTFIELDS, g->f->post.p) == CURLE_OK;
}

static fallible err_of_curl(CURLcode code)
{
    static const struct {
        CURLcode code;
        enum err e;
    } known[] = {
        {CURLE_OK, OK},
        {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT},
        {CURLE_PEER_FAILED_VERIFICATION, ERR_DENIED},
        {CURLE_WRITE_ERROR, ERR_LIMIT},
        {CURLE_FILESIZE_EXCEEDED, ERR_LIMIT},
        {CURLE_COULDNT_CONNECT, ERR_CLOSED},
        {CURLE_GOT_NOTHING, ERR_CLOSED},
        {CURLE_RECV_ERROR, ERR_CLOSED},
        {CURLE_SSL_CONNECT_ERROR, ERR_CLOSED},
        {CURLE_COULDNT_RESOLVE_HOST, ERR_NOT_FOUND},
        {CURLE_WEIRD_SERVER_REPLY, ERR_SYNTAX},
        {CURLE_UNSUPPORTED_PROTOCOL, ERR_SYNTAX},
        {CURLE_OUT_OF_MEMORY, ERR_MEMORY}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == code)
            return known[i].e;
    return ERR_IO;
}

/* What became of the request when nothing of it runs any more. */
static fallible outcome_of(CURLM *multi)
{
    int left;
    const struct CURLMsg *said = curl_multi_info_read(multi, &left);
    return said && said->msg == CURLMSG_DONE ? err_of_curl(said->data.result) : ERR_IO;
}

/* Until the answer is there, or the stop comes. */
static fallible run(CURLM *multi, const struct stop *stop)
{
    struct curl_waitfd woken = {.fd = stop_fd(stop), .events = CURL_WAIT_POLLIN};
    int running = 1;
    for (;;) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return ERR_IO;
        if (!running)
            return outcome_of(multi);
        if (stop_signal(stop))
            return ERR_TIMEOUT;
        if (curl_multi_poll(multi, &woken, stop ? 1 : 0, LOOK_MS, NULL) != CURLM_OK)
            return ERR_IO;
    }
}

static fallible perform(CURL *curl, const struct stop *stop)
{
    CURLM *multi = curl_multi_init();
    enum err e = ERR_MEMORY;
    if (multi && curl_multi_add_handle(multi, curl) == CURLM_OK) {
        e = run(multi, stop);
        curl_multi_remove_handle(multi, curl);
    }
    curl_multi_cleanup(multi);
    return e;
}

/* One request, one answer. */
static fallible go(struct going *g, struct slice url, const struct fetch_place *place, struct fetched *out)
{
    char *next = NULL;
    long status = 0;
    TRY(set_addresses(g, place));
    if (g->outer_only && g->inner)
        return ERR_STATE;
    if (left_ms(g) == 0)
        return ERR_TIMEOUT;
    buf_clear(&g->body);
    g->head = (struct fetch_head){.over = false};
    if (curl_easy_setopt(g->curl, CURLOPT_URL, arena_cstr(g->arena, url)) != CURLE_OK ||
        curl_easy_setopt(g->curl, CURLOPT_TIMEOUT_MS, (long)left_ms(g)) != CURLE_OK)
        return ERR_MEMORY;
    TRY(perform(g->curl, g->f->wishes->stop));
    if (curl_easy_getinfo(g->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
        curl_easy_getinfo(g->curl, CURLINFO_REDIRECT_URL, &next) != CURLE_OK)
        return ERR_IO;
    out->status = (unsigned)status;
    out->next = arena_copy(g->arena, slice_str(next));
    out->url = url;
    out->date_s = g->head.date_s;
    out->authenticated = out->authenticated && place->https;
    return arena_check(g->arena);
}

static bool is_redirect(const struct fetched *out)
{
    return out->status >= REDIRECT_FIRST && out->status <= REDIRECT_LAST && out->next.n;
}

/* Never back to http. */
static bool may_follow(
    const struct going *g, const struct fetch_place *from, struct slice url, struct fetch_place *ret_to)
{
    return !g->f->stay && !g->f->post.n && fetch_place_of(url, g->arena, ret_to) == OK &&
           (ret_to->https || !from->https);
}

static fallible go_on(struct going *g, struct fetched *out)
{
    struct fetch_place place, next;
    TRY(fetch_place_of(g->f->url, g->arena, &place));
    TRY(go(g, g->f->url, &place, out));
    g->outer_only = !g->inner && !g->f->wishes->proxy.host.n;
    for (size_t redirects = 0; is_redirect(out) && may_follow(g, &place, out->next, &next); redirects++) {
        if (redirects == LIMIT_DOCTOR_REDIRECTS)
            return ERR_LIMIT;
        enum err e = go(g, out->next, &next, out);
        if (e == ERR_STATE) /* it would lead into a private network */
            return OK;
        TRY(e);
        place = next;
    }
    return OK;
}

static fallible
fetch(const struct fetch *f, struct arena *arena, struct fetched *ret_fetched, struct slice *ret_why)
{
    struct going g = {
        .f = f,
        .arena = arena,
        .body = BUF_INIT(LIMIT_DOCTOR_FETCH),
        .until_ms = clock_mono_ms() + f->within_ms};
    struct fetched out = {.authenticated = true};
    enum err e = ERR_MEMORY;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return ERR_MEMORY;
    g.curl = curl_easy_init();
    if (g.curl && set_manners(&g) && set_authorities(&g) && set_proxy(&g) && set_post(&g))
        e = go_on(&g, &out);
    if (ret_why)
        *ret_why = arena_copy(arena, slice_str(g.why[0] ? g.why : err_text(e)));
    out.body = arena_copy(arena, buf_slice(&g.body));
    if (e == OK)
        e = arena_check(arena);
    curl_easy_cleanup(g.curl);
    curl_slist_free_all(g.resolve);
    curl_slist_free_all(g.headers);
    curl_global_cleanup();
    buf_done(&g.body);
    if (e == OK)
        *ret_fetched = out;
    return e;
}

/* The TLS below curl writes to connections that may be reset, also when they are closed, and the signal for that would end the
 * command. It is the signal of the thread that writes: held back meanwhile, and taken away. */
fallible
fetch_url(const struct fetch *f, struct arena *arena, struct fetched *ret_fetched, struct slice *ret_why)
{
    static const struct timespec at_once = {0};
    sigset_t pipe_signal, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    if (pthread_sigmask(SIG_BLOCK, &pipe_signal, &before) != 0)
        return ERR_IO;
    enum err e = fetch(f, arena, ret_fetched, ret_why);
    if (!sigismember(&before, SIGPIPE)) {
        while (sigtimedwait(&pipe_signal, NULL, &at_once) > 0)
            continue;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return e;
}

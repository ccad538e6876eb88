#include "dns/dns.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "dns/probe.h"
#include "dns/resolver.h"

enum { DNSKEY = 48, RESOLV_CONF_MAX = 65536, ANCHOR_MAX = 65536, HOSTS_ROOM = 16 };
static const char system_anchor[] = "/usr/share/dns/root.key";

struct dns {
    struct resolver *plain;   /* believes everything */
    struct resolver *proving; /* NULL: without trust anchor */
    const struct stop *stop;
    struct dns_server servers[DNS_SERVERS];
    size_t server_count; /* 0: those of resolv.conf, in a form that only the library reads */
    struct buf hosts;    /* the hosts file as it is; empty without one */
    /* The zone of the trust anchor. A network whose servers leave signatures out makes every name look forged, this one as
     * well: then nothing can be proved there, and that is all. */
    char *anchored;
    atomic_int provable; /* of enum provable */
};
enum provable { PROVABLE_UNKNOWN, PROVABLE_YES, PROVABLE_NO };

/* ---------------------------------------------------------------------------------------------- set up and end */

static fallible servers_find(struct dns *d, struct slice given)
{
    struct buf file CLEANUP_BUF = BUF_INIT(RESOLV_CONF_MAX);
    if (given.n) {
        d->server_count = 1;
        return dns_server_read(given, &d->servers[0]);
    }
    enum err e = file_read_path("/etc/resolv.conf", &file);
    d->server_count = dns_servers_read(buf_slice(&file), d->servers);
    if (e == ERR_NOT_FOUND || slice_search(buf_slice(&file), S("nameserver")) == SLICE_NPOS) {
        d->server_count = 1; /* resolv.conf(5): the one of this machine */
        return dns_server_read(S("127.0.0.1"), &d->servers[0]);
    }
    return e;
}

/* The owner of the first record of a file of anchors: its first word that is no comment. */
static fallible anchored_zone(struct slice file, char **ret_zone)
{
    struct slice line;
    while (slice_cut(&file, '\n', &line)) {
        line = slice_trim(line);
        if (line.n == 0 || line.p[0] == ';')
            continue;
        size_t end = 0;
        while (end < line.n && line.p[end] != ' ' && line.p[end] != '\t')
            end++;
        if (end >= 255 || slice_has(line, '\0'))
            return ERR_SYNTAX;
        *ret_zone = mem_alloc(end + 1);
        memcpy(*ret_zone, line.p, end);
        return OK;
    }
    return ERR_SYNTAX;
}

static fallible proving_new(struct dns *d, const char *anchor)
{
    struct buf file CLEANUP_BUF = BUF_INIT(ANCHOR_MAX);
    TRY(file_read_path(anchor, &file));
    TRY(anchored_zone(buf_slice(&file), &d->anchored));
    return resolver_new(d->servers, d->server_count, anchor, d->stop, &d->proving);
}

static fallible set_up(struct dns *d, const struct dns_options *options)
{
    struct buf path CLEANUP_BUF = BUF_INIT(4096);
    buf_init(&d->hosts, LIMIT_DNS_HOSTS);
    IGNORE(file_read_path("/etc/hosts", &d->hosts), "it need not be there");
    TRY(servers_find(d, options->server));
    TRY(resolver_new(d->servers, d->server_count, NULL, d->stop, &d->plain));
    if (options->anchor.n) {
        buf_put(&path, options->anchor);
        const char *anchor = buf_cstr(&path);
        return anchor ? proving_new(d, anchor) : ERR_SYNTAX;
    }
    return access(system_anchor, R_OK) == 0 ? proving_new(d, system_anchor) : OK;
}

fallible dns_new(const struct dns_options *options, struct dns **ret_dns)
{
    struct dns *d = NEW(struct dns);
    d->stop = options->stop;
    enum err e = set_up(d, options);
    if (e == OK)
        *ret_dns = d;
    else
        dns_free(&d);
    return e;
}

void dns_free(struct dns **d)
{
    if (!*d)
        return;
    resolver_free(&(*d)->proving);
    resolver_free(&(*d)->plain);
    buf_done(&(*d)->hosts);
    mem_free(&(*d)->anchored);
    mem_free(d);
}

/* ------------------------------------------------------------------------------------------ reading the answer */

/* What the library calls the last name, with or without a dot at its end. */
static struct slice canonical_of(const struct ub_result *r, struct slice name, struct arena *arena)
{
    struct slice canonical;
    return dns_name_of(slice_str(r->canonname), arena, &canonical) == OK ? canonical : name;
}

static fallible
records_read(const struct ub_result *r, enum dns_type type, struct arena *arena, struct dns_answer *answer)
{
    size_t count = 0;
    while (r->havedata && r->data[count])
        count++;
    size_t room = count < LIMIT_DNS_RECORDS ? count : LIMIT_DNS_RECORDS;
    struct dns_record *records = arena_array(arena, room ? room : 1, sizeof *records);
    if (!records)
        return ERR_LIMIT;
    for (size_t i = 0; i < room; i++) {
        enum err e =
            dns_record_read(type, slice_of(r->data[i], (size_t)r->len[i]), arena, &records[answer->count]);
        if (e == ERR_LIMIT)
            return e;
        answer->count += e == OK;
    }
    answer->left_out = count - answer->count;
    answer->records = records;
    return OK;
}

static fallible answer_read(
    const struct ub_result *r, struct slice name, enum dns_type type, struct arena *arena,
    struct dns_answer *answer)
{
    answer->proof = r->bogus ? DNS_BOGUS : r->secure ? DNS_PROVED : DNS_UNPROVED;
    answer->canonical = canonical_of(r, name, arena);
    answer->why = arena_copy(arena, slice_str(r->bogus ? r->why_bogus : NULL));
    answer->status = r->nxdomain ? DNS_NO_NAME : r->rcode ? DNS_SERVER_FAIL : DNS_NO_RECORD;
    if (r->havedata && !r->bogus) {
        TRY(records_read(r, type, arena, answer));
        answer->status = answer->count ? DNS_FOUND : DNS_NO_RECORD;
    }
    return arena_check(arena);
}

/* -------------------------------------------------------------------------------------- what a failure may mean */

/* Do the aliases of a name come back to one of them? */
static bool is_loop(struct dns *d, struct slice name, uint64_t until_ms, struct arena *arena)
{
    struct slice seen[LIMIT_DNS_ALIASES];
    for (size_t n = 0; n < LIMIT_DNS_ALIASES; n++) {
        struct ub_result *r = NULL;
        struct dns_record record;
        const char *asked = arena_cstr(arena, name);
        for (size_t i = 0; i < n; i++)
            if (slice_eq(seen[i], name))
                return true;
        seen[n] = name;
        if (!asked || resolver_ask(d->plain, asked, dns_type_number(DNS_CNAME), until_ms, &r) != OK)
            return false;
        enum err e =
            !r->havedata
                ? ERR_NOT_FOUND
                : dns_record_read(DNS_CNAME, slice_of(r->data[0], (size_t)r->len[0]), arena, &record);
        ub_resolve_free(r);
        if (e != OK)
            return false;
        name = record.host;
    }
    return true; /* further than any resolver goes */
}

/* What the server says to a plain question tells what kind of failure it was. */
static void failure_explain(
    struct dns *d, struct slice name, enum dns_type type, uint64_t until_ms, struct arena *arena,
    struct dns_answer *answer)
{
    unsigned rcode = 0, unchecked = 0;
    int number = dns_type_number(type);
    if (d->server_count == 0)
        return;
    enum err e = probe_ask(&d->servers[0], name, number, false, until_ms, d->stop, &rcode);
    if (e != OK) {
        answer->status = DNS_SILENT;
        answer->why =
            e == ERR_DENIED ? S("nothing answers at the name server's port") : slice_str(err_text(e));
    } else if (rcode == DNS_RCODE_REFUSED) {
        answer->status = DNS_REFUSED;
    } else if (is_loop(d, name, until_ms, arena)) {
        answer->status = DNS_LOOP;
    } else if (
        rcode == DNS_RCODE_SERVFAIL &&
        probe_ask(&d->servers[0], name, number, true, until_ms, d->stop, &unchecked) == OK &&
        unchecked == DNS_RCODE_NONE) {
        /* It answers as soon as it need not check: the check is what fails. */
        answer->proof = DNS_BOGUS;
        answer->why = S("the name server refuses the answer as forged or wrongly signed");
    }
}

/* ------------------------------------------------------------------------------------------------------- asking */

/* Can the anchor's own zone be proved here? Asked once a run, and only when something looks forged. */
static bool is_provable(struct dns *d, uint64_t until_ms)
{
    struct ub_result *r = NULL;
    if (atomic_load(&d->provable) == PROVABLE_UNKNOWN &&
        resolver_ask(d->proving, d->anchored, DNSKEY, until_ms, &r) == OK) {
        atomic_store(&d->provable, r->secure ? PROVABLE_YES : PROVABLE_NO);
        ub_resolve_free(r);
    }
    return atomic_load(&d->provable) == PROVABLE_YES;
}

/* The library's answer, proved where that is possible. */
static fallible
ask(struct dns *d, const char *name, int type, uint64_t until_ms, struct ub_result **ret_result)
{
    struct ub_result *r = NULL;
    if (d->proving && atomic_load(&d->provable) != PROVABLE_NO) {
        TRY(resolver_ask(d->proving, name, type, until_ms, &r));
        if (!r->bogus || is_provable(d, until_ms)) {
            *ret_result = r;
            return OK;
        }
        ub_resolve_free(r);
    }
    return resolver_ask(d->plain, name, type, until_ms, ret_result);
}

/* What the hosts file says goes before everything else, for both families (nsswitch.conf(5): "files dns"). */
static bool answer_from_hosts(
    const struct dns *d, struct slice name, enum dns_type type, struct arena *arena,
    struct dns_answer *answer)
{
    struct ip ips[HOSTS_ROOM];
    size_t count = 0;
    if ((type != DNS_A && type != DNS_AAAA) ||
        !dns_hosts_find(buf_slice(&d->hosts), name, type, ips, HOSTS_ROOM, &count))
        return false;
    struct dns_record *records = arena_array(arena, count ? count : 1, sizeof *records);
    for (size_t i = 0; records && i < count; i++)
        records[i].ip = ips[i];
    answer->status = count ? DNS_FOUND : DNS_NO_RECORD;
    answer->records = records;
    answer->count = records ? count : 0;
    return true;
}

fallible dns_ask(
    struct dns *dns, struct slice name, enum dns_type type, uint64_t within_ms, struct arena *arena,
    struct dns_answer *ret_answer)
{
    uint64_t start = clock_mono_ms(), until = start + within_ms;
    struct dns_answer answer = {.status = DNS_SILENT};
    struct ub_result *r = NULL;
    TRY(dns_name_of(name, arena, &name));
    answer.canonical = name;
    const char *text = arena_cstr(arena, name);
    if (!text)
        return ERR_LIMIT;
    if (answer_from_hosts(dns, name, type, arena, &answer)) {
        TRY(arena_check(arena));
        *ret_answer = answer;
        return OK;
    }
    enum err e = ask(dns, text, dns_type_number(type), until, &r);
    if (e != OK && e != ERR_TIMEOUT)
        return e;
    e = r ? answer_read(r, name, type, arena, &answer) : OK;
    ub_resolve_free(r);
    TRY(e);
    if (answer.status == DNS_SERVER_FAIL && answer.proof != DNS_BOGUS)
        failure_explain(dns, name, type, until, arena, &answer);
    answer.took_ms = clock_mono_ms() - start;
    *ret_answer = answer;
    return arena_check(arena);
}

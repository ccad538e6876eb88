#include "directory/server.h"

#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "directory/filter.h"
#include "directory/private.h"

enum { SETTINGS_MEMORY = 1024 * 1024, IDLE_MS = 60000 };

/* ---- the library ---- */

/* What libldap would read of this machine's and its user's settings (ldap.conf, LDAPTLS_...) is not ours: all of it stays
 * unread, and what matters is said here. */
fallible directory_library_init(int ca_fd)
{
    static const int demand = LDAP_OPT_X_TLS_DEMAND, client = 0, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
    char *package = NULL, path[40];
    int version;
    /* At its first call libldap asks for this machine's own name: in the hosts file, and of no name server. */
    if (setenv("LDAPNOINIT", "1", 1) != 0 || __nss_configure_lookup("hosts", "files") != 0 ||
        ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &version) != LDAP_OPT_SUCCESS)
        return ERR_LIMIT;
    if (ca_fd < 0)
        return OK;
    snprintf(path, sizeof path, "/proc/self/fd/%d", ca_fd);
    if (ldap_get_option(NULL, LDAP_OPT_X_TLS_PACKAGE, &package) != LDAP_OPT_SUCCESS)
        return ERR_UNSUPPORTED;
    bool gnutls = strcmp(package, "GnuTLS") == 0;
    ldap_memfree(package);
    int rc = gnutls ? ldap_set_option(
                          NULL, LDAP_OPT_X_TLS_CIPHER_SUITE, "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2")
                    : ldap_set_option(NULL, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least);
    if (rc == LDAP_OPT_SUCCESS)
        rc = ldap_set_option(NULL, LDAP_OPT_X_TLS_CACERTFILE, path);
    if (rc == LDAP_OPT_SUCCESS)
        rc = ldap_set_option(NULL, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    if (rc == LDAP_OPT_SUCCESS)
        rc = ldap_set_option(NULL, LDAP_OPT_X_TLS_NEWCTX, &client);
    return rc == LDAP_OPT_SUCCESS ? OK : ERR_CORRUPT;
}

/* ---- settings ---- */

static const char *text_of(struct directory *d, const struct config *c, enum config_key key)
{
    struct slice text = config_text(c, key);
    return text.n ? arena_cstr(&d->arena, text) : NULL;
}

/* Of a key that names one attribute; NULL: none. */
static const char *attribute_of(struct directory *d, const struct config *c, enum config_key key)
{
    size_t count;
    const struct slice *words = config_words(c, key, 0, &count);
    return count ? arena_cstr(&d->arena, words[0]) : NULL;
}

static void read_attributes(struct directory *d, const struct config *c)
{
    size_t n = 0;
    const struct slice *names = config_words(c, CONFIG_DIRECTORY_NAME, 0, &d->name_count);
    for (size_t i = 0; i < d->name_count; i++)
        d->names_of[i] = arena_cstr(&d->arena, names[i]);
    d->address = attribute_of(d, c, CONFIG_DIRECTORY_ADDRESS);
    d->id = attribute_of(d, c, CONFIG_DIRECTORY_ID);
    d->quota = attribute_of(d, c, CONFIG_DIRECTORY_QUOTA);
    d->groups = attribute_of(d, c, CONFIG_DIRECTORY_GROUPS);
    d->members = attribute_of(d, c, CONFIG_DIRECTORY_MEMBERS);
    const char *single[] = {d->address, d->id, d->quota, d->members ? NULL : d->groups};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        if (single[i])
            d->attributes[n++] = (char *)single[i];
    for (size_t i = 0; i < d->name_count; i++)
        d->attributes[n++] = (char *)d->names_of[i];
}

struct directory *directory_new(const struct config *config, const struct names *names, struct secret *secret)
{
    struct directory *d = NEW(struct directory);
    arena_init(&d->arena, SETTINGS_MEMORY);
    d->place = *config_directory(config);
    bool none = slice_eq(config_text(config, CONFIG_DIRECTORY_TLS), S("none"));
    d->clear = none && !d->place.tls_first && ip_is_loopback(&d->place.ip);
    d->host = arena_cstr(&d->arena, d->place.host);
    bool bracketed = slice_has(d->place.host, ':');
    d->url =
        arena_printf(
            &d->arena, "ldap://%s%s%s:%u", bracketed ? "[" : "", d->host, bracketed ? "]" : "", d->place.port)
            .p;
    d->base = text_of(d, config, CONFIG_DIRECTORY_BASE);
    d->bind_dn = text_of(d, config, CONFIG_DIRECTORY_BIND);
    d->filter = arena_copy(&d->arena, config_text(config, CONFIG_DIRECTORY_FILTER));
    d->names = *names;
    d->secret = *secret;
    *secret = SECRET_NONE;
    read_attributes(d, config);
    groups_read_rules(d, config);
    pthread_mutex_init(&d->lock, NULL);
    list_init(&d->idle);
    return d;
}

void directory_hurry(struct directory *d)
{
    atomic_store(&d->ending, true);
}

void directory_free(struct directory **d)
{
    if (!*d)
        return;
    LIST_EACH (&(*d)->idle, struct link, list, l) {
        struct link *gone = l;
        link_close(&gone);
    }
    pthread_mutex_destroy(&(*d)->lock);
    secret_free(&(*d)->secret);
    arena_done(&(*d)->arena);
    mem_free(d);
}

/* ---- how it goes ---- */

static void note(struct directory *d, enum directory_verdict v, const struct directory_answer *a)
{
    pthread_mutex_lock(&d->lock);
    if (v == DIRECTORY_LATER) {
        d->health.bad_s = clock_unix_s();
        snprintf(d->health.reason, sizeof d->health.reason, "%s", a->reason);
        snprintf(d->health.detail, sizeof d->health.detail, "%s", a->detail);
    } else {
        d->health.good_s = clock_unix_s();
        d->health.bad_s = 0;
    }
    pthread_mutex_unlock(&d->lock);
}

void directory_health(struct directory *d, struct directory_health *ret_health)
{
    pthread_mutex_lock(&d->lock);
    *ret_health = d->health;
    pthread_mutex_unlock(&d->lock);
}

/* ---- links for searching ---- */

static struct link *idle_take(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    struct link *l = LIST_FIRST(&d->idle, struct link, list);
    if (l) {
        list_drop(&l->list);
        d->idle_count--;
    }
    pthread_mutex_unlock(&d->lock);
    return l;
}

static void idle_give(struct directory *d, struct link **l)
{
    pthread_mutex_lock(&d->lock);
    bool room = d->idle_count < LIMIT_DIRECTORY_THREADS;
    if (room) {
        (*l)->used_ms = clock_mono_ms();
        list_add_front(&d->idle, &(*l)->list);
        d->idle_count++;
        *l = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    link_close(l);
}

static bool
search_link_new(struct directory *d, uint64_t until_ms, struct directory_answer *a, struct link **ret_link)
{
    struct link *l = NULL;
    if (!link_open(d, until_ms, a, &l))
        return false;
    bool bound = !d->bind_dn || link_bind(l, d->bind_dn, secret_reveal(&d->secret), a) == LINK_BOUND;
    if (!bound)
        snprintf(a->reason, sizeof a->reason, "bind"); /* ours, not a person's */
    answer_step(a, "bind", bound, "%s", !bound ? a->detail : d->bind_dn ? d->bind_dn : "as nobody");
    if (!bound) {
        link_close(&l);
        return false;
    }
    *ret_link = l;
    return true;
}

/* A kept link that has died meanwhile is told by the next search only; then a new one gets the same question. */
static bool search(
    struct directory *d, const struct link_search *s, uint64_t until_ms, struct directory_answer *a,
    struct link **ret_link, LDAPMessage **ret_result)
{
    struct link *l = NULL;
    while (!a->wants_steps && (l = idle_take(d))) {
        l->until_ms = until_ms;
        if (clock_mono_ms() - l->used_ms < IDLE_MS && link_search(l, s, a, ret_result, NULL)) {
            *ret_link = l;
            return true;
        }
        link_close(&l);
        if (clock_mono_ms() >= until_ms)
            return false;
    }
    if (!search_link_new(d, until_ms, a, &l))
        return false;
    if (link_search(l, s, a, ret_result, NULL)) {
        *ret_link = l;
        return true;
    }
    answer_step(a, "search", false, "%s", a->detail);
    link_close(&l);
    return false;
}

/* ---- one person ---- */

struct found {
    char *dn;
    struct directory_person person;
};

static enum directory_verdict exactly_one(
    struct directory *d, struct link *l, LDAPMessage *result, struct slice id, struct arena *arena,
    struct directory_answer *a, struct found *ret_found)
{
    int count = ldap_count_entries(l->ld, result);
    if (count == 0) {
        answer_fail(a, "not-found", "no entry fits the search");
        return DIRECTORY_NO;
    }
    LDAPMessage *entry = ldap_first_entry(l->ld, result);
    struct found f = {.dn = NULL};
    if (count != 1 || !entry) {
        answer_fail(a, "several", "more than one entry fits the search");
        return DIRECTORY_AMBIGUOUS;
    }
    if (!person_read(d, l->ld, entry, NULL, arena, &f.person)) {
        answer_fail(a, "entry", "the entry has no %s or no %s", d->address, d->id);
        return DIRECTORY_AMBIGUOUS;
    }
    if (id.n && !slice_eq(id, f.person.id)) {
        answer_fail(a, "other-person", "the address belongs to another entry now");
        return DIRECTORY_NO;
    }
    f.dn = ldap_get_dn(l->ld, entry);
    if (!f.dn || !*f.dn) {
        answer_fail(a, "entry", "the entry has no name");
        ldap_memfree(f.dn);
        return DIRECTORY_AMBIGUOUS;
    }
    *ret_found = f;
    return DIRECTORY_YES;
}

static enum directory_verdict find_entry(
    struct directory *d, struct slice address, struct slice id, uint64_t until_ms, struct arena *arena,
    struct directory_answer *a, struct found *ret_found)
{
    struct buf filter CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_LINE * 8);
    struct link *l = NULL;
    LDAPMessage *result = NULL;
    if (directory_filter_put(d->filter, address, &filter) != OK) {
        answer_fail(a, "not-found", "that is no address");
        return DIRECTORY_NO;
    }
    const struct link_search s = {
        .base = d->base,
        .scope = LDAP_SCOPE_SUBTREE,
        .filter = buf_cstr(&filter),
        .attributes = d->attributes,
        .most = 2};
    if (!search(d, &s, until_ms, a, &l, &result))
        return DIRECTORY_LATER;
    enum directory_verdict v = exactly_one(d, l, result, id, arena, a, ret_found);
    answer_step(a, "search", v == DIRECTORY_YES, "%s", v == DIRECTORY_YES ? ret_found->dn : a->detail);
    if (v == DIRECTORY_YES && d->members && a->wants_steps &&
        !groups_of_member(d, l, ret_found->dn, a, &ret_found->person.group))
        v = DIRECTORY_LATER;
    struct slice group = v == DIRECTORY_YES ? ret_found->person.group : SLICE_EMPTY;
    if (v == DIRECTORY_YES)
        answer_step(a, "groups", true, SLICE_FMT, SLICE_ARG(group.n ? group : S("none of directory_group")));
    ldap_msgfree(result);
    if (v == DIRECTORY_LATER)
        link_close(&l);
    else
        idle_give(d, &l);
    return v;
}

static enum directory_verdict bind_as(
    struct directory *d, const char *dn, struct slice password, uint64_t until_ms, struct directory_answer *a)
{
    struct link *l = NULL;
    if (!link_open(d, until_ms, a, &l))
        return DIRECTORY_LATER;
    enum link_bound bound = link_bind(l, dn, password, a);
    link_close(&l);
    return bound == LINK_BOUND ? DIRECTORY_YES : bound == LINK_REFUSED ? DIRECTORY_NO : DIRECTORY_LATER;
}

static enum directory_verdict check(
    struct directory *d, struct slice address, struct slice id, struct slice password, uint64_t until_ms,
    struct directory_answer *a)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(SETTINGS_MEMORY);
    struct found found = {.dn = NULL};
    bool test = a->wants_steps;
    if (password.n == 0 && !test) {
        answer_fail(a, "empty", "an empty password is never asked for");
        return DIRECTORY_NO;
    }
    enum directory_verdict v = find_entry(d, address, id, until_ms, &arena, a, &found);
    if (v == DIRECTORY_YES && password.n) {
        a->wants_steps = false; /* the second connection is told as one step */
        v = bind_as(d, found.dn, password, until_ms, a);
        a->wants_steps = test;
        answer_step(
            a, "password", v == DIRECTORY_YES, "%s",
            v == DIRECTORY_YES ? "the server accepts it" : a->detail);
    }
    if (v == DIRECTORY_YES)
        answer_fail(a, "ok", "%s", "");
    ldap_memfree(found.dn);
    return v;
}

enum directory_verdict directory_check(
    struct directory *d, struct slice address, struct slice id, struct slice password, uint64_t until_ms,
    struct directory_answer *a)
{
    enum directory_verdict v = check(d, address, id, password, until_ms, a);
    note(d, v, a);
    return v;
}

/* ---- everybody ---- */

void directory_people_done(struct directory_people *p)
{
    arena_done(&p->arena);
    mem_free(&p->list);
    p->count = p->room = 0;
}

static bool keep_page(
    struct directory *d, struct link *l, LDAPMessage *result, const struct map *member_of,
    struct directory_people *people, struct directory_answer *a)
{
    for (LDAPMessage *e = ldap_first_entry(l->ld, result); e; e = ldap_next_entry(l->ld, e)) {
        if (people->count == LIMIT_DIRECTORY_ENTRIES) {
            answer_fail(a, "size-limit", "more than %d people", LIMIT_DIRECTORY_ENTRIES);
            return false;
        }
        if (people->count == people->room) {
            people->room = people->room ? people->room * 2 : 256;
            people->list = mem_resize(people->list, people->room * sizeof *people->list);
        }
        if (person_read(d, l->ld, e, member_of, &people->arena, &people->list[people->count]))
            people->count++;
        else
            people->skipped++;
    }
    if (arena_check(&people->arena) == OK)
        return true;
    answer_fail(a, "size-limit", "the list is larger than %d octets", LIMIT_DIRECTORY_MEMORY);
    return false;
}

/* RFC 2696. The cookie of the answer is the next page's; an empty one ends the list. */
static bool next_page(
    struct directory *d, struct link *l, struct link_search *s, struct berval *cookie,
    const struct map *member_of, struct directory_people *people, struct directory_answer *a)
{
    LDAPControl *page = NULL, **answered = NULL;
    LDAPMessage *result = NULL;
    if (ldap_create_page_control(l->ld, LIMIT_DIRECTORY_PAGE, cookie->bv_val ? cookie : NULL, 0, &page) !=
        LDAP_SUCCESS) {
        answer_fail(a, "library", "no paging");
        return false;
    }
    s->controls = (LDAPControl *[]){page, NULL};
    bool good = link_search(l, s, a, &result, &answered) && keep_page(d, l, result, member_of, people, a);
    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){0};
    LDAPControl *said = good ? ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, answered, NULL) : NULL;
    ber_int_t estimate;
    if (said && ldap_parse_pageresponse_control(l->ld, said, &estimate, cookie) != LDAP_SUCCESS) {
        answer_fail(a, "protocol", "a page without an end");
        good = false;
    }
    ldap_control_free(page);
    ldap_controls_free(answered);
    ldap_msgfree(result);
    return good;
}

static bool
all_pages(struct directory *d, struct link *l, struct directory_people *people, struct directory_answer *a)
{
    struct buf filter CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_LINE * 8);
    struct arena members CLEANUP_ARENA = ARENA_INIT(LIMIT_DIRECTORY_MEMORY);
    struct map member_of = MAP_INIT(4 * (size_t)LIMIT_DIRECTORY_ENTRIES);
    struct berval cookie = {0};
    if (directory_filter_all(d->filter, &filter) != OK)
        return false;
    struct link_search s = {
        .base = d->base,
        .scope = LDAP_SCOPE_SUBTREE,
        .filter = buf_cstr(&filter),
        .attributes = d->attributes};
    bool good = groups_load_members(d, l, a, &members, &member_of);
    do {
        good = good && next_page(d, l, &s, &cookie, d->members ? &member_of : NULL, people, a);
    } while (good && cookie.bv_len > 0);
    ber_memfree(cookie.bv_val);
    map_done(&member_of);
    return good;
}

enum directory_verdict directory_list(
    struct directory *d, uint64_t until_ms, struct directory_people *people, struct directory_answer *a)
{
    struct link *l = NULL;
    *people = (struct directory_people){.arena = ARENA_INIT(LIMIT_DIRECTORY_MEMORY)};
    bool good = search_link_new(d, until_ms, a, &l) && all_pages(d, l, people, a);
    link_close(&l);
    enum directory_verdict v = good ? DIRECTORY_YES : DIRECTORY_LATER;
    if (good)
        answer_fail(a, "ok", "%s", "");
    note(d, v, a);
    return v;
}

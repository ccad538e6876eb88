/* fuzz_doctor_autoconfig - the files that a domain publishes for mail programs, and what is made of them. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"
#include "doctor/steps/autoconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Whatever the file says: a host is a name, a port one of mail, a user can be shown. */
static void check(const struct candidates *c)
{
    assert(c->count <= LIMIT_DOCTOR_CANDIDATES);
    for (size_t i = 0; i < c->count; i++) {
        const struct endpoint *e = &c->rows[i];
        assert(e->service < SERVICE_N && e->security < SECURITY_N && !e->trusted);
        assert(e->host.n && e->host.n <= LIMIT_DOMAIN && ascii_is_all(e->host) && slice_has(e->host, '.'));
        assert(!slice_has(e->host, '/') && !slice_has(e->host, ':') && !slice_has(e->host, '\0'));
        assert(candidates_port_is_for_mail(e->port));
        assert(utf8_is_valid(e->user) && !slice_has(e->user, '\n') && !slice_has(e->user, '\0'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct autoconfig_who who = {S("alice@example.org"), S("alice"), S("example.org")};
    struct slice file = slice_of(data, n);
    struct arena arena = ARENA_INIT(LIMIT_DOCTOR_NOTES_MEMORY);
    struct candidates c = {.count = 0}, chosen;
    struct slice next = SLICE_EMPTY;
    const struct endpoint *one, *other;
    if (autoconfig_read(file, &who, &arena, &c) == OK)
        check(&c);
    if (autodiscover_read(file, &who, &arena, &c, &next) == OK)
        check(&c);
    candidates_choose(&c, &chosen);
    assert(chosen.count <= 2 * SERVICE_N);
    if (candidates_differ(&c, &one, &other))
        assert(one->service == other->service && !slice_eq(one->host, other->host));
    arena_done(&arena);
    return 0;
}

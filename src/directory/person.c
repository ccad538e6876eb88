/* person.c - what an entry says of a person. The server is believed about its people, and still nothing of it is used
 * before it has the form that we need. */
#include "base/utf8.h"
#include "directory/private.h"

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return s.n > 0 && utf8_is_valid(s);
}

static bool is_address(struct slice s)
{
    size_t at = slice_rfind(s, '@');
    return is_text(s) && !slice_has(s, ' ') && s.n <= LIMIT_ADDRESS && at != SLICE_NPOS && at > 0 &&
           at + 1 < s.n;
}

struct slice person_id(struct slice value, struct arena *arena)
{
    bool printable = value.n > 0 && value.n <= LIMIT_DIRECTORY_ID;
    for (size_t i = 0; printable && i < value.n; i++)
        printable = value.p[i] > 0x20 && value.p[i] < 0x7f;
    if (printable)
        return arena_copy(arena, value);
    char hex[LIMIT_DIRECTORY_ID + 1];
    if (value.n == 0 || value.n * 2 > LIMIT_DIRECTORY_ID)
        return SLICE_EMPTY;
    for (size_t i = 0; i < value.n; i++) {
        hex[2 * i] = "0123456789abcdef"[(unsigned char)value.p[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[(unsigned char)value.p[i] & 15];
    }
    return arena_copy(arena, slice_of(hex, value.n * 2));
}

uint64_t person_quota(struct slice text)
{
    static const char units[] = "KMGT";
    uint64_t number = 0;
    unsigned shift = 0;
    text = slice_trim(text);
    if (text.n && ascii_upper(text.p[text.n - 1]) == 'B')
        text.n--;
    if (text.n && ascii_lower(text.p[text.n - 1]) == 'i')
        text.n--;
    for (unsigned i = 0; text.n && i < 4; i++)
        if (ascii_upper(text.p[text.n - 1]) == units[i])
            shift = 10 * (i + 1);
    if (shift)
        text = slice_trim(slice_sub(text, 0, text.n - 1));
    if (slice_to_u64(text, (uint64_t)INT64_MAX >> shift, &number) != OK)
        return 0;
    return number << shift;
}

/* The first value of the entry's attribute, in the arena; empty: none, or no text. */
static struct slice person_value(LDAP *ld, LDAPMessage *entry, const char *attribute, struct arena *arena)
{
    struct slice found = SLICE_EMPTY;
    struct berval **values = attribute ? ldap_get_values_len(ld, entry, attribute) : NULL;
    if (values && values[0])
        found = arena_copy(arena, slice_of(values[0]->bv_val, values[0]->bv_len));
    ldap_value_free_len(values);
    return found;
}

/* The first address, and the others in one text. */
static void read_addresses(
    const struct directory *d, LDAP *ld, LDAPMessage *entry, struct arena *arena, struct directory_person *p)
{
    struct buf others CLEANUP_BUF = BUF_INIT(LIMIT_DIRECTORY_ADDRESSES);
    struct berval **values = ldap_get_values_len(ld, entry, d->address);
    for (size_t i = 0; values && values[i]; i++) {
        struct slice value = slice_of(values[i]->bv_val, values[i]->bv_len);
        if (!is_address(value))
            continue;
        if (p->address.n == 0) {
            p->address = arena_copy(arena, value);
        } else if (others.n + value.n + 1 <= LIMIT_DIRECTORY_ADDRESSES) {
            buf_put_str(&others, others.n ? " " : "");
            buf_put(&others, value);
        }
    }
    ldap_value_free_len(values);
    p->others = arena_copy(arena, buf_slice(&others));
}

static struct slice read_name(const struct directory *d, LDAP *ld, LDAPMessage *entry, struct arena *arena)
{
    for (size_t i = 0; i < d->name_count; i++) {
        struct slice name = slice_trim(person_value(ld, entry, d->names_of[i], arena));
        if (is_text(name) && name.n <= LIMIT_DISPLAY_NAME)
            return name;
    }
    return SLICE_EMPTY;
}

static struct slice read_group(
    const struct directory *d, LDAP *ld, LDAPMessage *entry, const struct map *member_of, struct arena *arena)
{
    if (!member_of) {
        struct berval **values = d->groups ? ldap_get_values_len(ld, entry, d->groups) : NULL;
        struct slice group = groups_of_values(d, values);
        ldap_value_free_len(values);
        return group;
    }
    char *dn = ldap_get_dn(ld, entry);
    const char *normal = dn ? groups_normal_dn(slice_str(dn), arena) : NULL;
    const struct group_rule *r = normal ? map_find(member_of, slice_str(normal)) : NULL;
    if (dn)
        ldap_memfree(dn);
    return r ? r->ours : SLICE_EMPTY;
}

bool person_read(
    const struct directory *d, LDAP *ld, LDAPMessage *entry, const struct map *member_of, struct arena *arena,
    struct directory_person *ret_person)
{
    struct directory_person p = {.quota_bytes = 0};
    p.id = person_id(person_value(ld, entry, d->id, arena), arena);
    read_addresses(d, ld, entry, arena, &p);
    p.name = read_name(d, ld, entry, arena);
    p.group = read_group(d, ld, entry, member_of, arena);
    p.quota_bytes = person_quota(person_value(ld, entry, d->quota, arena));
    if (p.id.n == 0 || p.address.n == 0)
        return false;
    *ret_person = p;
    return true;
}

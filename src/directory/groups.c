/* groups.c - groups there become policy groups here: by what a person's entry says, or by what the groups' entries say. */
#include "base/mem.h"
#include "directory/filter.h"
#include "directory/private.h"

const char *groups_normal_dn(struct slice dn, struct arena *arena)
{
    LDAPDN parsed = NULL;
    char *text = NULL;
    struct berval value = {.bv_len = dn.n, .bv_val = (char *)dn.p};
    if (dn.n == 0 || ldap_bv2dn(&value, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        return NULL;
    if (ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        text = NULL;
    ldap_dnfree(parsed);
    if (!text)
        return NULL;
    struct slice copy = arena_copy(arena, slice_str(text));
    ldap_memfree(text);
    for (size_t i = 0; i < copy.n; i++)
        ((char *)copy.p)[i] = ascii_lower(copy.p[i]);
    return copy.n ? copy.p : NULL;
}

/* "staff" of "cn=staff,ou=groups,dc=example". */
static struct slice first_name(struct slice normal_dn)
{
    size_t start = slice_find(normal_dn, '=');
    if (start == SLICE_NPOS)
        return SLICE_EMPTY;
    struct slice rest = slice_from(normal_dn, start + 1);
    size_t end = slice_find(rest, ',');
    return end == SLICE_NPOS ? rest : slice_sub(rest, 0, end);
}

void groups_read_rules(struct directory *d, const struct config *config)
{
    d->rule_count = config_values(config, CONFIG_DIRECTORY_GROUP);
    d->rules = arena_array(&d->arena, d->rule_count ? d->rule_count : 1, sizeof *d->rules);
    for (size_t i = 0; d->rules && i < d->rule_count; i++) {
        size_t count;
        const struct slice *words = config_words(config, CONFIG_DIRECTORY_GROUP, i, &count);
        struct group_rule *r = &d->rules[i];
        r->theirs = slice_has(words[0], '=') ? groups_normal_dn(words[0], &d->arena) : NULL;
        r->dn = r->theirs ? arena_cstr(&d->arena, words[0]) : NULL;
        if (!r->theirs)
            r->theirs = arena_cstr(&d->arena, words[0]);
        r->ours = arena_copy(&d->arena, words[1]);
    }
}

static bool rule_fits(const struct group_rule *r, struct slice normal_dn)
{
    struct slice theirs = slice_str(r->theirs);
    return r->dn ? slice_eq(theirs, normal_dn) : slice_eq_nocase(theirs, first_name(normal_dn));
}

/* The rules' order decides, not the server's. A value that is no DN is a group's bare name. */
struct slice groups_of_values(const struct directory *d, struct berval **values)
{
    size_t best = d->rule_count;
    for (size_t i = 0; values && values[i]; i++) {
        struct arena arena CLEANUP_ARENA = ARENA_INIT(16384);
        struct slice value = slice_of(values[i]->bv_val, values[i]->bv_len);
        const char *normal = groups_normal_dn(value, &arena);
        for (size_t k = 0; k < best; k++) {
            const struct group_rule *r = &d->rules[k];
            if (normal ? rule_fits(r, slice_str(normal)) : slice_eq_nocase(slice_str(r->theirs), value))
                best = k;
        }
    }
    return best < d->rule_count ? d->rules[best].ours : SLICE_EMPTY;
}

/* ---- from the groups' side ---- */

static bool put_members(
    const struct directory *d, struct link *l, LDAPMessage *entry, const struct group_rule *r,
    struct arena *arena, struct map *member_of)
{
    struct berval **values = ldap_get_values_len(l->ld, entry, d->members);
    bool good = true;
    for (size_t i = 0; good && values && values[i]; i++) {
        const char *dn = groups_normal_dn(slice_of(values[i]->bv_val, values[i]->bv_len), arena);
        if (!dn)
            continue;
        enum err e = map_add(member_of, slice_str(dn), (void *)r); /* an earlier rule stays */
        good = e == OK || e == ERR_EXISTS;
    }
    ldap_value_free_len(values);
    return good && arena_check(arena) == OK;
}

bool groups_load_members(
    const struct directory *d, struct link *l, struct directory_answer *a, struct arena *arena,
    struct map *ret_member_of)
{
    char *attributes[] = {(char *)d->members, NULL};
    for (size_t i = 0; d->members && i < d->rule_count; i++) {
        LDAPMessage *result = NULL;
        if (!d->rules[i].dn)
            continue;
        const struct link_search s = {
            .base = d->rules[i].dn,
            .scope = LDAP_SCOPE_BASE,
            .filter = "(objectClass=*)",
            .attributes = attributes};
        if (!link_search(l, &s, a, &result, NULL))
            return false;
        LDAPMessage *entry = ldap_first_entry(l->ld, result);
        bool good = !entry || put_members(d, l, entry, &d->rules[i], arena, ret_member_of);
        ldap_msgfree(result);
        if (!good) {
            answer_fail(a, "size-limit", "%s has too many members", d->rules[i].dn);
            return false;
        }
    }
    return true;
}

bool groups_of_member(
    const struct directory *d, struct link *l, const char *dn, struct directory_answer *a,
    struct slice *ret_group)
{
    char *none[] = {(char *)LDAP_NO_ATTRS, NULL};
    *ret_group = SLICE_EMPTY;
    for (size_t i = 0; ret_group->n == 0 && i < d->rule_count; i++) {
        struct buf filter CLEANUP_BUF = BUF_INIT(16384);
        LDAPMessage *result = NULL;
        if (!d->rules[i].dn)
            continue;
        buf_printf(&filter, "(%s=", d->members);
        directory_escape(slice_str(dn), &filter);
        buf_put_char(&filter, ')');
        const struct link_search s = {
            .base = d->rules[i].dn,
            .scope = LDAP_SCOPE_BASE,
            .filter = buf_cstr(&filter),
            .attributes = none};
        if (!s.filter || !link_search(l, &s, a, &result, NULL))
            return false;
        if (ldap_count_entries(l->ld, result) > 0)
            *ret_group = d->rules[i].ours;
        ldap_msgfree(result);
    }
    return true;
}

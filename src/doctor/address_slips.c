#include "doctor/address_slips.h"

#include "base/utf8.h"
#include "mail/address.h"

enum { WIDE_FIRST = 0xFF01, WIDE_LAST = 0xFF5E, WIDE_SHIFT = 0xFEE0, TYPED_MAX = 2048, NAME_LEAST = 4 };

/* ---------------------------------------------------------------------------------------------- what was typed */

static bool is_dropped(uint32_t c)
{
    return c <= 0x20 || c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200A) || utf8_is_unsafe(c);
}

static bool is_full_stop(uint32_t c)
{
    return c == 0x3002 || c == 0xFF61;
}

/* Each character as the plain one that it looks like; what cannot belong to an address is left out. */
static void put_plain(struct buf *out, struct slice typed)
{
    while (typed.n) {
        uint32_t c = 0;
        char octets[4];
        size_t used = utf8_decode(typed, &c);
        if (used == 0) {
            buf_put_char(out, typed.p[0]);
            typed = slice_from(typed, 1);
            continue;
        }
        typed = slice_from(typed, used);
        if (is_dropped(c))
            continue;
        c = is_full_stop(c) ? '.' : c >= WIDE_FIRST && c <= WIDE_LAST ? c - WIDE_SHIFT : c;
        buf_put(out, slice_of(octets, utf8_encode(c, octets)));
    }
}

/* "Alice <alice@example.org>", "mailto:alice@example.org?subject=x". */
static struct slice unwrap(struct slice typed, bool *ret_wrapped)
{
    size_t from = slice_rfind(typed, '<'), to = slice_rfind(typed, '>');
    struct slice bare = typed;
    if (from != SLICE_NPOS && to != SLICE_NPOS && from < to)
        bare = slice_sub(typed, from + 1, to - from - 1);
    if (slice_starts_nocase(bare, S("mailto:"))) {
        bare = slice_from(bare, 7);
        bare = slice_sub(bare, 0, slice_find(bare, '?'));
    }
    *ret_wrapped = bare.n != typed.n;
    return bare;
}

/* Commas behind the last "@" become dots. */
static bool mend_commas(struct buf *b)
{
    bool any = false;
    size_t at = slice_rfind(buf_slice(b), '@');
    for (size_t i = at == SLICE_NPOS ? b->n : at; i < b->n; i++)
        if (b->p[i] == ',') {
            b->p[i] = '.';
            any = true;
        }
    return any;
}

static void note(struct notes *n, enum tone tone, enum observed what, struct slice typed)
{
    notes_observed(n, tone, what, PROOF_SETTING, typed);
}

/* --------------------------------------------------------------------------------------- well-known domains */

bool slips_are_one(struct slice a, struct slice b, bool *ret_swapped)
{
    size_t same = 0;
    while (same < a.n && same < b.n && a.p[same] == b.p[same])
        same++;
    struct slice x = slice_from(a, same), y = slice_from(b, same);
    bool swapped = x.n == y.n && x.n >= 2 && x.p[0] == y.p[1] && x.p[1] == y.p[0] &&
                   slice_eq(slice_from(x, 2), slice_from(y, 2));
    if (ret_swapped)
        *ret_swapped = swapped;
    if (x.n == y.n)
        return swapped || (x.n && slice_eq(slice_from(x, 1), slice_from(y, 1)));
    if (x.n + 1 == y.n)
        return slice_eq(x, slice_from(y, 1));
    return y.n + 1 == x.n && slice_eq(slice_from(x, 1), y);
}

/* Endings that nobody means. */
static bool is_slip_of_ending(struct slice typed, struct slice meant)
{
    static const struct {
        const char *typed, *meant;
    } slips[] = {
        {"con", "com"},  {"cmo", "com"},  {"ocm", "com"},  {"comm", "com"}, {"coom", "com"}, {"om", "com"},
        {"cm", "com"},   {"co", "com"},   {"xom", "com"},  {"vom", "com"},  {"cpm", "com"},  {"cim", "com"},
        {"coma", "com"}, {"ccom", "com"}, {"conm", "com"}, {"dom", "com"},  {"ner", "net"},  {"nte", "net"},
        {"ent", "net"},  {"met", "net"},  {"bet", "net"},  {"nett", "net"}, {"cnm", "cn"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
        if (slice_eq(typed, slice_str(slips[i].typed)) && slice_eq(meant, slice_str(slips[i].meant)))
            return true;
    return false;
}

bool slips_is_name_of_one(struct slice label)
{
    static const char *const names[] = {"gmail", "googlemail", "qq",     "foxmail", "163",       "126",
                                        "yeah",  "139",        "189",    "sohu",    "aliyun",    "icloud",
                                        "naver", "hanmail",    "yandex", "outlook", "protonmail"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq(label, slice_str(names[i])))
            return true;
    return false;
}

struct name_parts {
    struct slice name, ending;
};
static struct name_parts parts_of(struct slice domain)
{
    size_t dot = slice_find(domain, '.');
    return dot == SLICE_NPOS ? (struct name_parts){domain, SLICE_EMPTY}
                             : (struct name_parts){slice_sub(domain, 0, dot), slice_from(domain, dot + 1)};
}

/* Short names are one letter away from everything: there only the order counts. The first letter is seldom wrong, and a word in
 * the plural is a name of its own. */
static bool is_slip_of_name(struct slice typed, struct slice meant)
{
    bool swapped;
    if (typed.n == 0 || meant.n < 3 || !slips_are_one(typed, meant, &swapped))
        return false;
    bool plural = typed.n == meant.n + 1 && slice_starts(typed, meant) && typed.p[meant.n] == 's';
    return swapped || (meant.n >= 5 && typed.p[0] == meant.p[0] && !plural);
}

static bool is_typo(struct slice typed, struct slice known)
{
    struct name_parts t = parts_of(typed), k = parts_of(known);
    if (!k.ending.n)
        return false;
    if (!t.ending.n) /* "gmail", "gmailcom" */
        return (slips_is_name_of_one(t.name) && slice_eq(t.name, k.name)) ||
               (typed.n + 1 == known.n && slips_are_one(typed, known, NULL));
    if (slice_eq(t.name, k.name))
        return is_slip_of_ending(t.ending, k.ending);
    return slice_eq(t.ending, k.ending) && is_slip_of_name(t.name, k.name);
}

static bool has_wrong_ending(struct slice typed, struct slice known)
{
    struct name_parts t = parts_of(typed), k = parts_of(known);
    return t.ending.n && k.ending.n && slice_eq(t.name, k.name) && slips_is_name_of_one(t.name);
}

static void doubt_domain(const struct knowledge *k, struct address_read *r)
{
    struct slice known;
    const struct provider *p;
    size_t at = 0;
    if (!r->domain.n || knowledge_provider_of(k, r->domain))
        return;
    while (knowledge_domain_next(k, &at, &known, &p)) {
        bool typo = is_typo(r->domain, known);
        if (typo || (!r->meant.n && has_wrong_ending(r->domain, known))) {
            r->meant = known;
            r->doubt = typo ? OBSERVED_INPUT_DOMAIN_TYPO : OBSERVED_INPUT_WRONG_DOMAIN;
        }
        if (typo)
            return;
    }
}

void domain_slips_look(struct slice domain, const struct notes *n, struct address_read *ret_read)
{
    struct address_read r = {.doubt = OBSERVED_INPUT_DOMAIN_TYPO, .domain = domain};
    doubt_domain(n->knowledge, &r);
    *ret_read = r;
}

/* ------------------------------------------------------------------------------------------------- the whole */

void address_slips_look(struct slice typed, struct notes *n, struct address_read *ret_read)
{
    struct address_read r = {.doubt = OBSERVED_INPUT_DOMAIN_TYPO};
    struct buf plain CLEANUP_BUF = BUF_INIT(TYPED_MAX);
    struct address address;
    bool wrapped;
    put_plain(&plain, unwrap(slice_sub(typed, 0, TYPED_MAX / 2), &wrapped));
    if (wrapped)
        note(n, TONE_NOTE, OBSERVED_INPUT_ADDRESS_WRAPPED, typed);
    if (mend_commas(&plain))
        note(n, TONE_WARNING, OBSERVED_INPUT_ADDRESS_COMMA, typed);
    if (address_parse(buf_slice(&plain), ADDRESS_ALLOW_UTF8 | ADDRESS_ALLOW_LITERAL, &address) != OK) {
        note(n, TONE_FAULT, OBSERVED_INPUT_ADDRESS_MALFORMED, typed);
        *ret_read = r;
        return;
    }
    buf_clear(&plain);
    address_put(&plain, &address);
    r.address = arena_copy(&n->arena, buf_slice(&plain));
    if (!address.is_literal)
        r.domain = arena_copy(&n->arena, address_domain(&address));
    doubt_domain(n->knowledge, &r);
    *ret_read = r;
}

/* "alcie" for "alice": one slip away from the address, or from the part of it before the "@". */
static bool is_slip_of_address(struct slice user, struct slice address)
{
    bool whole = slice_has(user, '@');
    struct slice right = whole ? address : slice_sub(address, 0, slice_rfind(address, '@'));
    return right.n >= NAME_LEAST && !slice_eq_nocase(user, right) && slips_are_one(user, right, NULL);
}

void user_slips_look(
    struct slice user, struct slice address, const struct provider *provider, struct notes *n)
{
    if (user.n && address.n && is_slip_of_address(user, address))
        note(
            n, TONE_WARNING, OBSERVED_INPUT_USERNAME_SLIP,
            arena_printf(&n->arena, SLICE_FMT " (" SLICE_FMT ")", SLICE_ARG(user), SLICE_ARG(address)));
    if (!user.n || !provider || !provider->hosted || provider->user_local)
        return;
    size_t at = slice_rfind(user, '@');
    bool icloud = slice_eq(provider->company, S("icloud"));
    if (at == SLICE_NPOS && !icloud)
        note(n, TONE_WARNING, OBSERVED_INPUT_USERNAME_NO_DOMAIN, user);
    if (at != SLICE_NPOS && icloud &&
        knowledge_provider_of(n->knowledge, slice_from(user, at + 1)) != provider)
        note(n, TONE_WARNING, OBSERVED_ICLOUD_THIRD_PARTY_APPLE_ID, user);
}

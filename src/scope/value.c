/* value.c - the canonical form of one value, by kind. */
#include <assert.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "scope/private.h"

enum { VALUE_WORDS = 64, COUNT_MAX = 1000000000, DAYS_MAX = 36500 };

/* ---- networks ---- */

static unsigned v4_prefix(const struct ip_net *net)
{
    return ip_is_v4(&net->ip) && net->bits >= 96 ? 96 : 0;
}

void scope_net_put(const struct ip_net *net, struct buf *out)
{
    char text[IP_TEXT_MAX];
    buf_printf(out, "%s/%u", ip_text(&net->ip, text), net->bits - v4_prefix(net));
}

bool scope_net_is_within(const struct ip_net *narrow, const struct ip_net *wide)
{
    return narrow->bits >= wide->bits && ip_net_has(wide, &narrow->ip);
}

static void clear_host_bits(struct ip_net *net)
{
    for (unsigned i = net->bits; i < 128; i++)
        net->ip.b[i / 8] &= (uint8_t) ~(0x80u >> i % 8);
}

static fallible parse_net(struct slice value, struct ip_net *ret_net)
{
    struct slice rest = value, address;
    bool has_bits = slice_has(value, '/');
    struct ip_net net;
    slice_cut(&rest, '/', &address);
    TRY(ip_parse(address, &net.ip));
    unsigned prefix = ip_is_v4(&net.ip) ? 96 : 0;
    uint64_t bits = 128 - prefix;
    if (has_bits)
        TRY(slice_to_u64(rest, 128 - prefix, &bits));
    net.bits = (uint8_t)(bits + prefix);
    clear_host_bits(&net);
    *ret_net = net;
    return OK;
}

struct ip_net scope_net_of(struct slice normal)
{
    struct ip_net net;
    enum err e = parse_net(normal, &net);
    assert(e == OK); /* scope_value_normal wrote it */
    return net;
}

static fallible normal_network(struct slice value, struct buf *out)
{
    struct ip_net net;
    TRY(parse_net(value, &net));
    scope_net_put(&net, out);
    return OK;
}

/* ---- words and numbers ---- */

static const struct {
    const char *word;
    unsigned rights;
} accesses[] = {
    {"read-only", SCOPE_READ},
    {"append-only", SCOPE_APPEND},
    {"no-delete", SCOPE_READ | SCOPE_FLAG | SCOPE_APPEND},
};

unsigned scope_rights_of(struct slice normal)
{
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++)
        if (slice_eq(normal, slice_str(accesses[i].word)))
            return accesses[i].rights;
    return 0;
}

const char *scope_rights_word(unsigned rights)
{
    for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++)
        if (accesses[i].rights == rights)
            return accesses[i].word;
    return NULL;
}

static fallible normal_access(struct slice value, struct buf *out)
{
    if (!scope_rights_of(value))
        return ERR_SYNTAX;
    buf_put(out, value);
    return OK;
}

static fallible normal_none(struct slice value, struct buf *out)
{
    buf_put_str(out, "none");
    return slice_eq(value, S("none")) ? OK : ERR_SYNTAX;
}

static fallible normal_alarm(struct slice value, struct buf *out)
{
    buf_put_str(out, "alarm");
    return slice_eq(value, S("alarm")) ? OK : ERR_SYNTAX;
}

uint64_t scope_number_of(struct slice normal)
{
    uint64_t number;
    return slice_to_u64(normal, UINT64_MAX, &number) == OK ? number : 0;
}

/* 1 to max; none at all is said by a door or by "access", not by a budget of zero. */
static fallible normal_number(struct slice value, uint64_t max, struct buf *out)
{
    uint64_t number;
    TRY(slice_to_u64(value, max, &number));
    buf_put_u64(out, number);
    return number ? OK : ERR_SYNTAX;
}

static fallible normal_count(struct slice value, struct buf *out)
{
    return normal_number(value, COUNT_MAX, out);
}

static fallible normal_days(struct slice value, struct buf *out)
{
    return normal_number(value, DAYS_MAX, out);
}

/* "1048576", "1024 KiB", "1MiB": the units of letterlock.conf. */
static fallible normal_size(struct slice value, struct buf *out)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
    size_t digits = 0;
    uint64_t number;
    while (digits < value.n && ascii_is_digit(value.p[digits]))
        digits++;
    TRY(slice_to_u64(slice_sub(value, 0, digits), UINT64_C(1) << 53, &number));
    struct slice unit = slice_trim(slice_from(value, digits));
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!slice_eq(unit, slice_str(units[i].name)))
            continue;
        if (!number || number > (UINT64_C(1) << 53) >> units[i].shift)
            return ERR_SYNTAX;
        buf_put_u64(out, number << units[i].shift);
        return OK;
    }
    return ERR_SYNTAX;
}

/* ---- types of attachments ---- */

static bool is_type_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || slice_has(S("!#$&-^_.+"), c); /* RFC 6838 4.2 */
}

bool scope_type_matches(struct slice pattern, struct slice type)
{
    if (slice_ends(pattern, S("/*")))
        return slice_starts(type, slice_sub(pattern, 0, pattern.n - 1));
    return slice_eq(pattern, type);
}

static fallible normal_type(struct slice value, struct buf *out)
{
    enum { NAME_MAX_ = 127 };
    struct slice sub = value, type;
    if (!slice_has(value, '/'))
        return ERR_SYNTAX;
    slice_cut(&sub, '/', &type);
    if (!type.n || !sub.n || type.n > NAME_MAX_ || sub.n > NAME_MAX_)
        return ERR_SYNTAX;
    bool is_any = slice_eq(sub, S("*"));
    for (size_t i = 0; i < value.n; i++) {
        if (i != type.n && !is_type_char(value.p[i]) && !(is_any && i > type.n))
            return ERR_SYNTAX;
        buf_put_char(out, ascii_lower(value.p[i]));
    }
    return OK;
}

static fallible normal_hours(struct slice value, struct buf *out)
{
    struct scope_hours hours;
    TRY(scope_hours_parse(value, &hours));
    scope_hours_put(&hours, out);
    return OK;
}

/* ---- all of them ---- */

typedef enum err normal_fn(struct slice value, struct buf *out);
static normal_fn *const normal[] = {
    [SCOPE_NETWORK] = normal_network,
    [SCOPE_ACCESS] = normal_access,
    [SCOPE_FOLDER] = scope_pattern_normal,
    [SCOPE_WINDOW] = normal_days,
    [SCOPE_ATTACHMENTS] = normal_none,
    [SCOPE_ATTACHMENT_TYPE] = normal_type,
    [SCOPE_ATTACHMENT_SIZE] = normal_size,
    [SCOPE_HOURS] = normal_hours,
    [SCOPE_ROTATE] = normal_days,
    [SCOPE_SENDER] = scope_address_normal,
    [SCOPE_RECIPIENT] = scope_address_normal,
    [SCOPE_MESSAGES_HOUR] = normal_count,
    [SCOPE_MESSAGES_DAY] = normal_count,
    [SCOPE_RECIPIENTS_DAY] = normal_count,
    [SCOPE_BYTES_DAY] = normal_size,
    [SCOPE_CANARY] = normal_alarm,
};

/* A control character would make a second line of it. */
static bool is_clean(struct slice value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return false;
    return utf8_is_valid(value);
}

fallible scope_value_normal(
    const struct scope_kind_row *kind, struct slice value, struct buf *ret_value, struct buf *problem)
{
    assert((size_t)kind->kind < sizeof normal / sizeof *normal && normal[kind->kind]);
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    value = slice_trim(value);
    enum err e = value.n && is_clean(value) ? normal[kind->kind](value, &out) : ERR_SYNTAX;
    if (e == OK)
        e = buf_check(&out);
    if (e != OK) {
        struct buf shown CLEANUP_BUF = BUF_INIT(4 * VALUE_WORDS + 16);
        utf8_put_safe(&shown, slice_sub(value, 0, VALUE_WORDS));
        return scope_refuse(
            problem, e == ERR_LIMIT ? ERR_LIMIT : ERR_SYNTAX,
            "the limit %s is written as \"%s\", not as \"" SLICE_FMT "\"", kind->name, kind->value,
            SLICE_ARG(buf_slice(&shown)));
    }
    buf_put(ret_value, buf_slice(&out));
    return buf_check(ret_value);
}

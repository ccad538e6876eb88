/* value.c - reading values by type: one function a type, in one table. */
#include "base/limits.h"
#include "base/utf8.h"
#include "config/private.h"

#include <assert.h>

/* What a reader gets: the words of the value, and where to say what is wrong. */
struct reading {
    const struct config_row *row;
    struct slice text; /* the whole value */
    struct config_word *words;
    size_t count;
    struct arena *arena;
    struct slice at;
};

static enum fault wrong(struct reading *r, struct slice at, enum fault fault)
{
    r->at = at;
    return fault;
}

/* From the first word to the last. */
static struct slice whole(const struct reading *r)
{
    const char *start = r->words[0].raw.p;
    struct slice last = r->words[r->count - 1].raw;
    return slice_of(start, (size_t)(last.p + last.n - start));
}

/* Digits only; what looks like another notation is told apart, so that the remedy fits. */
static enum fault digits_read(struct slice s, uint64_t *ret_number)
{
    uint64_t number;
    if (s.n == 0)
        return FAULT_NUMBER;
    if (s.p[0] == '-')
        return FAULT_NEGATIVE;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return FAULT_NUMBER;
    if (s.n > 1 && s.p[0] == '0')
        return FAULT_LEADING_ZERO;
    if (slice_to_u64(s, UINT64_MAX, &number) != OK)
        return FAULT_TOO_LARGE;
    *ret_number = number;
    return FAULT_NONE;
}

static enum fault range_check(struct reading *r, struct slice at, uint64_t number)
{
    if (number == 0)
        return wrong(r, at, FAULT_ZERO);
    if (number < r->row->least)
        return wrong(r, at, FAULT_TOO_SMALL);
    if (number > r->row->most)
        return wrong(r, at, FAULT_TOO_LARGE);
    return FAULT_NONE;
}

static enum fault one_word(struct reading *r)
{
    return r->count == 1 ? FAULT_NONE : wrong(r, whole(r), FAULT_WORDS);
}

static enum fault read_count(struct reading *r, struct config_value *v)
{
    enum fault fault = one_word(r);
    if (fault != FAULT_NONE)
        return fault;
    fault = digits_read(r->words[0].text, &v->number);
    if (fault != FAULT_NONE)
        return wrong(r, r->words[0].raw, fault);
    return range_check(r, r->words[0].raw, v->number);
}

static enum fault read_count_auto(struct reading *r, struct config_value *v)
{
    if (r->count == 1 && slice_eq(r->words[0].text, S("auto"))) {
        v->number = 0;
        return FAULT_NONE;
    }
    return read_count(r, v);
}

struct unit {
    const char *name;
    uint64_t factor;
};
static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000},
                                        {"s", 1000},     {"ms", 1},      {NULL, 0}};
static const struct unit sizes[] = {
    {"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}, {NULL, 0}};

static const struct unit *units_of(enum config_type type)
{
    return type == CONFIG_TYPE_DURATION ? durations : type == CONFIG_TYPE_SIZE ? sizes : NULL;
}

/* "50MiB" and "50 MiB" alike. */
static enum fault number_and_unit(struct reading *r, struct slice *ret_digits, struct slice *ret_unit)
{
    struct slice first = r->words[0].text;
    size_t n = 0;
    if (r->count > 2)
        return wrong(r, whole(r), FAULT_WORDS);
    while (n < first.n && (ascii_is_digit(first.p[n]) || first.p[n] == '-'))
        n++;
    *ret_digits = slice_sub(first, 0, n);
    *ret_unit = slice_from(first, n);
    if (r->count == 2 && ret_unit->n == 0)
        *ret_unit = r->words[1].text;
    else if (r->count == 2)
        return wrong(r, whole(r), FAULT_NUMBER);
    return FAULT_NONE;
}

static enum fault read_measure(struct reading *r, struct config_value *v)
{
    struct slice digits, name;
    uint64_t number = 0;
    enum fault fault = number_and_unit(r, &digits, &name);
    if (fault != FAULT_NONE)
        return fault;
    fault = digits_read(digits, &number);
    if (fault != FAULT_NONE)
        return wrong(r, whole(r), fault);
    if (number == 0)
        return wrong(r, whole(r), FAULT_ZERO);
    if (name.n == 0)
        return wrong(r, whole(r), FAULT_NO_UNIT);
    for (const struct unit *u = units_of(r->row->type); u->name; u++)
        if (slice_eq(name, slice_str(u->name))) {
            if (number > UINT64_MAX / u->factor)
                return wrong(r, whole(r), FAULT_TOO_LARGE);
            v->number = number * u->factor;
            return range_check(r, whole(r), v->number);
        }
    /* "1.5 GiB", "1e9": the trouble is the number, not the unit */
    bool odd = slice_has(S(".,eExX_"), name.p[0]) && name.n > 1 && ascii_is_digit(name.p[1]);
    return wrong(r, whole(r), odd ? FAULT_NUMBER : FAULT_UNIT);
}

static enum fault read_boolean(struct reading *r, struct config_value *v)
{
    enum fault fault = one_word(r);
    if (fault != FAULT_NONE)
        return fault;
    v->number = slice_eq(r->words[0].text, S("yes"));
    if (!v->number && !slice_eq(r->words[0].text, S("no")))
        return wrong(r, r->words[0].raw, FAULT_CHOICE);
    return FAULT_NONE;
}

/* Its place among the row's choices, and the choice itself. */
static bool
find_choice(const struct reading *r, struct slice wanted, uint64_t *ret_place, struct slice *ret_word)
{
    struct slice rest = slice_str(r->row->choices), word;
    for (uint64_t place = 0; slice_cut(&rest, ' ', &word); place++) {
        if (!slice_eq(word, wanted))
            continue;
        *ret_place = place;
        *ret_word = word;
        return true;
    }
    return false;
}

static enum fault read_enum(struct reading *r, struct config_value *v)
{
    struct slice word;
    enum fault fault = one_word(r);
    if (fault != FAULT_NONE)
        return fault;
    if (!find_choice(r, r->words[0].text, &v->number, &word))
        return wrong(r, r->words[0].raw, FAULT_CHOICE);
    v->text = arena_copy(r->arena, word);
    return FAULT_NONE;
}

/* RFC 1123 2.1: labels of letters, digits and inner hyphens, 63 octets each, 253 in all; at least two of them, and the
 * last not all digits, so that an address is no name. */
static enum fault hostname_check(struct slice name)
{
    struct slice rest = name, label = SLICE_EMPTY;
    size_t labels = 0;
    bool digits = false;
    if (!ascii_is_all(name))
        return FAULT_IDN;
    if (name.n == 0 || name.n > 253)
        return FAULT_HOSTNAME;
    while (slice_cut(&rest, '.', &label)) {
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return FAULT_HOSTNAME;
        digits = true;
        for (size_t i = 0; i < label.n; i++) {
            if (!ascii_is_digit(label.p[i]))
                digits = false;
            if (!ascii_is_digit(label.p[i]) && !ascii_is_alpha(label.p[i]) && label.p[i] != '-')
                return FAULT_HOSTNAME;
        }
        labels++;
    }
    return labels < 2 || digits ? FAULT_HOSTNAME : FAULT_NONE;
}

static struct slice lower(struct arena *arena, struct slice s)
{
    char *out = arena_alloc(arena, s.n + 1);
    if (!out)
        return SLICE_EMPTY;
    for (size_t i = 0; i < s.n; i++)
        out[i] = ascii_lower(s.p[i]);
    out[s.n] = '\0';
    return slice_of(out, s.n);
}

static enum fault read_hostname(struct reading *r, struct config_value *v)
{
    enum fault fault = one_word(r);
    if (fault != FAULT_NONE)
        return fault;
    fault = hostname_check(r->words[0].text);
    if (fault != FAULT_NONE)
        return wrong(r, r->words[0].raw, fault);
    v->text = lower(r->arena, r->words[0].text);
    return FAULT_NONE;
}

static enum fault read_networks(struct reading *r, struct config_value *v)
{
    if (r->count == 1 && slice_eq(r->words[0].text, S("none")))
        return FAULT_NONE;
    v->networks = arena_array(r->arena, r->count, sizeof *v->networks);
    if (!v->networks)
        return wrong(r, whole(r), FAULT_TOO_MANY);
    for (size_t i = 0; i < r->count; i++) {
        struct slice text = r->words[i].text, bits = slice_from(text, slice_find(text, '/'));
        bool octal = bits.n > 2 && bits.p[1] == '0';
        if (octal || ip_net_parse(text, &v->networks[v->network_count++]) != OK)
            return wrong(r, r->words[i].raw, FAULT_NETWORK);
    }
    return FAULT_NONE;
}

static enum fault port_read(struct slice text, uint16_t *ret_port)
{
    uint64_t port = 0;
    if (digits_read(text, &port) != FAULT_NONE || port == 0 || port > 65535)
        return FAULT_PORT;
    *ret_port = (uint16_t)port;
    return FAULT_NONE;
}

/* "*:25", "192.0.2.1:25", "[2001:db8::1]:25". */
static enum fault address_read(struct slice text, struct config_listener *listener)
{
    size_t colon = slice_rfind(text, ':');
    if (colon == SLICE_NPOS || colon == 0)
        return FAULT_ADDRESS;
    struct slice host = slice_sub(text, 0, colon);
    bool bracketed = host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (slice_eq(host, S("*"))) {
        listener->every = true;
    } else {
        struct slice bare = bracketed ? slice_sub(host, 1, host.n - 2) : host;
        /* brackets belong to IPv6 and to nothing else; "::1:25" could mean two things */
        if (bracketed != slice_has(bare, ':') || ip_parse(bare, &listener->ip) != OK)
            return FAULT_ADDRESS;
    }
    return port_read(slice_from(text, colon + 1), &listener->port);
}

static enum fault read_listen(struct reading *r, struct config_value *v)
{
    if (r->count != 2)
        return wrong(r, whole(r), FAULT_LISTEN);
    if (config_door_parse(r->words[0].text, &v->listener.door) != OK)
        return wrong(r, r->words[0].raw, FAULT_DOOR);
    enum fault fault = address_read(r->words[1].text, &v->listener);
    return fault == FAULT_NONE ? fault : wrong(r, r->words[1].raw, fault);
}

/* Signs that rather separate or quote than name a file want quotation marks around the path. */
static enum fault path_check(const struct config_word *word)
{
    struct slice path = word->text;
    bool quoted = word->raw.p[0] == '"';
    if (path.n == 0 || path.n > LIMIT_CONFIG_PATH)
        return FAULT_PATH;
    if (path.p[0] == '~' || slice_has(path, '$'))
        return FAULT_EXPANSION;
    for (size_t i = 0; i < path.n && !quoted; i++)
        if (slice_has(S(",;'=`*?|<>"), path.p[i]))
            return FAULT_QUOTE;
    return FAULT_NONE;
}

static enum fault read_certificate(struct reading *r, struct config_value *v)
{
    if (r->count < 2)
        return wrong(r, whole(r), FAULT_CERTIFICATE);
    for (size_t i = 0; i < r->count; i++) {
        enum fault fault = i < 2 ? path_check(&r->words[i]) : hostname_check(r->words[i].text);
        if (fault != FAULT_NONE)
            return wrong(r, r->words[i].raw, fault);
    }
    v->certificate.chain = arena_copy(r->arena, r->words[0].text);
    v->certificate.key = arena_copy(r->arena, r->words[1].text);
    if (r->count == 2)
        return FAULT_NONE;
    struct slice *names = arena_array(r->arena, r->count - 2, sizeof *names);
    for (size_t i = 2; names && i < r->count; i++)
        names[i - 2] = lower(r->arena, r->words[i].text);
    v->certificate.names = names;
    v->certificate.name_count = r->count - 2;
    return FAULT_NONE;
}

static enum fault read_text(struct reading *r, struct config_value *v)
{
    enum fault fault = one_word(r);
    if (fault != FAULT_NONE)
        return fault;
    v->text = arena_copy(r->arena, r->words[0].text);
    return FAULT_NONE;
}

static enum fault read_path(struct reading *r, struct config_value *v)
{
    enum fault fault = read_text(r, v);
    if (fault == FAULT_NONE)
        fault = path_check(&r->words[0]);
    return fault == FAULT_NONE ? fault : wrong(r, whole(r), fault);
}

static enum fault keep_words(struct reading *r, struct config_value *v)
{
    v->words = arena_array(r->arena, r->count, sizeof *v->words);
    if (!v->words)
        return wrong(r, whole(r), FAULT_TOO_MANY);
    for (; v->word_count < r->count; v->word_count++) {
        if (r->words[v->word_count].text.n == 0)
            return wrong(r, r->words[v->word_count].raw, FAULT_EMPTY);
        v->words[v->word_count] = arena_copy(r->arena, r->words[v->word_count].text);
    }
    return FAULT_NONE;
}

static enum fault read_words(struct reading *r, struct config_value *v)
{
    if (r->count < r->row->least || r->count > r->row->most)
        return wrong(r, whole(r), FAULT_WORD_COUNT);
    uint64_t place;
    struct slice word;
    for (size_t i = 0; r->row->choices && i < r->count; i++)
        if (!find_choice(r, r->words[i].text, &place, &word))
            return wrong(r, r->words[i].raw, FAULT_CHOICE);
    return keep_words(r, v);
}

/* RFC 4512 1.4: a letter, then letters, digits and hyphens. Options and numeric forms are not for settings. */
static bool is_attribute(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_alpha(s.p[i]) && (i == 0 || (!ascii_is_digit(s.p[i]) && s.p[i] != '-')))
            return false;
    return s.n > 0 && s.n <= LIMIT_DIRECTORY_ATTRIBUTE;
}

static enum fault read_attribute(struct reading *r, struct config_value *v)
{
    if (r->count == 1 && slice_eq(r->words[0].text, S("none")))
        return FAULT_NONE;
    if (r->count > LIMIT_DIRECTORY_ATTRIBUTES)
        return wrong(r, whole(r), FAULT_TOO_MANY);
    for (size_t i = 0; i < r->count; i++)
        if (!is_attribute(r->words[i].text))
            return wrong(r, r->words[i].raw, FAULT_ATTRIBUTE);
    return keep_words(r, v);
}

/* "host", "host:636", "192.0.2.1", "[2001:db8::1]:636"; nothing of a path, a query or a user. */
static enum fault read_directory(struct reading *r, struct config_value *v)
{
    struct config_directory *d = &v->directory;
    enum fault fault = one_word(r);
    if (fault != FAULT_NONE)
        return fault;
    struct slice rest = r->words[0].text;
    d->tls_first = slice_starts(rest, S("ldaps://"));
    if (!d->tls_first && !slice_starts(rest, S("ldap://")))
        return wrong(r, r->words[0].raw, FAULT_DIRECTORY);
    rest = slice_from(rest, d->tls_first ? 8 : 7);
    d->port = d->tls_first ? 636 : 389;
    size_t bracket = slice_starts(rest, S("[")) ? slice_find(rest, ']') : 0;
    size_t colon = bracket == SLICE_NPOS ? SLICE_NPOS : slice_find(slice_from(rest, bracket), ':');
    if (colon != SLICE_NPOS) {
        if (port_read(slice_from(rest, bracket + colon + 1), &d->port) != FAULT_NONE)
            return wrong(r, r->words[0].raw, FAULT_DIRECTORY);
        rest = slice_sub(rest, 0, bracket + colon);
    }
    bool bracketed = rest.n > 2 && bracket != SLICE_NPOS && bracket + 1 == rest.n && rest.p[0] == '[';
    struct slice host = bracketed ? slice_sub(rest, 1, rest.n - 2) : rest;
    bool is_ip = bracketed == slice_has(host, ':') && ip_parse(host, &d->ip) == OK;
    if (!is_ip && (bracketed || hostname_check(host) != FAULT_NONE))
        return wrong(r, r->words[0].raw, FAULT_DIRECTORY);
    d->host = lower(r->arena, host);
    return FAULT_NONE;
}

static enum fault (*const readers[])(struct reading *r, struct config_value *v) = {
    [CONFIG_TYPE_HOSTNAME] = read_hostname,
    [CONFIG_TYPE_COUNT] = read_count,
    [CONFIG_TYPE_COUNT_AUTO] = read_count_auto,
    [CONFIG_TYPE_DURATION] = read_measure,
    [CONFIG_TYPE_SIZE] = read_measure,
    [CONFIG_TYPE_BOOLEAN] = read_boolean,
    [CONFIG_TYPE_ENUM] = read_enum,
    [CONFIG_TYPE_NETWORKS] = read_networks,
    [CONFIG_TYPE_LISTEN] = read_listen,
    [CONFIG_TYPE_CERTIFICATE] = read_certificate,
    [CONFIG_TYPE_TEXT] = read_text,
    [CONFIG_TYPE_PATH] = read_path,
    [CONFIG_TYPE_WORDS] = read_words,
    [CONFIG_TYPE_ATTRIBUTE] = read_attribute,
    [CONFIG_TYPE_DIRECTORY] = read_directory,
};
static_assert(sizeof readers / sizeof *readers == CONFIG_TYPES, "a type that nobody reads");

enum fault value_parse(
    enum config_key key, struct slice text, struct arena *arena, struct config_value *ret_value,
    struct slice *ret_at)
{
    struct reading r = {.row = config_row(key), .text = text, .arena = arena, .at = text};
    struct config_value value = {.number = 0};
    enum fault fault = words_split(text, arena, &r.words, &r.count, &r.at);
    if (fault == FAULT_NONE && r.count == 0)
        fault = FAULT_EMPTY;
    else if (fault == FAULT_NONE && r.count == 1 && r.words[0].text.n == 0)
        fault = wrong(&r, r.words[0].raw, FAULT_EMPTY);
    else if (fault == FAULT_NONE)
        fault = readers[r.row->type](&r, &value);
    if (fault == FAULT_NONE && arena_check(arena) != OK)
        fault = FAULT_TOO_MANY;
    if (fault != FAULT_NONE) {
        *ret_at = r.at;
        return fault;
    }
    *ret_value = value;
    return FAULT_NONE;
}

fallible config_measure_parse(enum config_type type, struct slice text, uint64_t *ret_number)
{
    const struct config_row row = {.type = type, .least = 1, .most = UINT64_MAX};
    struct arena arena CLEANUP_ARENA = ARENA_INIT(65536);
    struct reading r = {.row = &row, .text = text, .arena = &arena};
    struct config_value value = {.number = 0};
    assert(units_of(type));
    if (words_split(text, &arena, &r.words, &r.count, &r.at) != FAULT_NONE || r.count == 0)
        return ERR_SYNTAX;
    enum fault fault = read_measure(&r, &value);
    if (fault != FAULT_NONE)
        return fault == FAULT_TOO_LARGE ? ERR_LIMIT : ERR_SYNTAX;
    *ret_number = value.number;
    return OK;
}

bool config_is_hostname(struct slice name)
{
    return hostname_check(name) == FAULT_NONE;
}

void config_measure_put(enum config_type type, uint64_t number, struct buf *out)
{
    const struct unit *u = units_of(type);
    while (u && number % u->factor != 0)
        u++;
    buf_put_u64(out, u ? number / u->factor : number);
    if (u)
        buf_printf(out, " %s", u->name);
}

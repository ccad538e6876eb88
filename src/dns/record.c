#include "dns/record.h"

enum { NAME_MAX_TEXT = 253, LABEL_MAX = 63 };

static bool label_char(char c, bool host)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || (c == '_' && !host);
}

static bool is_label(struct slice label, bool host)
{
    if (label.n == 0 || label.n > LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.n; i++)
        if (!label_char(label.p[i], host))
            return false;
    return !host || (label.p[0] != '-' && label.p[label.n - 1] != '-');
}

/* In lower case. */
static fallible name_copy(struct slice text, struct arena *arena, struct slice *ret_name)
{
    char *p = arena_alloc(arena, text.n);
    if (!p)
        return ERR_LIMIT;
    for (size_t i = 0; i < text.n; i++)
        p[i] = ascii_lower(text.p[i]);
    *ret_name = slice_of(p, text.n);
    return OK;
}

fallible dns_name_of(struct slice text, struct arena *arena, struct slice *ret_name)
{
    struct slice label;
    if (slice_ends(text, S(".")))
        text.n--;
    if (text.n == 0 || text.n > NAME_MAX_TEXT || slice_ends(text, S(".")))
        return ERR_SYNTAX;
    for (struct slice rest = text; slice_cut(&rest, '.', &label);)
        if (!is_label(label, false))
            return ERR_SYNTAX;
    return name_copy(text, arena, ret_name);
}

/* A name from the wire (RFC 1035 3.1), uncompressed, that fills all of `octets`. "." is the empty slice. `host`: no underscores. */
static fallible dns_name_read(struct slice octets, bool host, struct arena *arena, struct slice *ret_name)
{
    char text[NAME_MAX_TEXT + 1];
    size_t n = 0, at = 0;
    for (;;) {
        if (at >= octets.n)
            return ERR_SYNTAX;
        size_t length = (unsigned char)octets.p[at];
        struct slice label = slice_sub(octets, at + 1, length);
        at += 1 + length;
        if (length == 0)
            break;
        if (label.n != length || !is_label(label, host) || n + length + 1 > sizeof text)
            return ERR_SYNTAX;
        memcpy(text + n, label.p, length);
        n += length;
        text[n++] = '.';
    }
    if (at != octets.n)
        return ERR_SYNTAX;
    if (n == 0) {
        *ret_name = SLICE_EMPTY;
        return OK;
    }
    return name_copy(slice_of(text, n - 1), arena, ret_name);
}

static uint16_t read_u16(struct slice s, size_t at)
{
    return (uint16_t)((unsigned char)s.p[at] << 8 | (unsigned char)s.p[at + 1]);
}

static fallible read_a(struct slice data, struct arena *arena, struct dns_record *r)
{
    if (data.n != 4)
        return ERR_SYNTAX;
    r->ip = (struct ip){.b = {[10] = 0xff, [11] = 0xff}};
    memcpy(r->ip.b + 12, data.p, 4);
    return OK;
}

static fallible read_aaaa(struct slice data, struct arena *arena, struct dns_record *r)
{
    if (data.n != sizeof r->ip.b)
        return ERR_SYNTAX;
    memcpy(r->ip.b, data.p, data.n);
    return OK;
}

static fallible read_mx(struct slice data, struct arena *arena, struct dns_record *r)
{
    if (data.n < 3)
        return ERR_SYNTAX;
    r->priority = read_u16(data, 0);
    return dns_name_read(slice_from(data, 2), true, arena, &r->host);
}

static fallible read_srv(struct slice data, struct arena *arena, struct dns_record *r)
{
    if (data.n < 7)
        return ERR_SYNTAX;
    r->priority = read_u16(data, 0);
    r->weight = read_u16(data, 2);
    r->port = read_u16(data, 4);
    return dns_name_read(slice_from(data, 6), true, arena, &r->host);
}

/* Its strings, one behind the other (RFC 7208 3.3 reads them so, too). */
static fallible read_txt(struct slice data, struct arena *arena, struct dns_record *r)
{
    char *p = arena_alloc(arena, data.n);
    size_t n = 0;
    if (!p)
        return ERR_LIMIT;
    for (size_t at = 0; at < data.n;) {
        size_t length = (unsigned char)data.p[at];
        struct slice part = slice_sub(data, at + 1, length);
        if (part.n != length)
            return ERR_SYNTAX;
        memcpy(p + n, part.p ? part.p : "", length);
        n += length;
        at += 1 + length;
    }
    r->text = slice_of(p, n);
    return OK;
}

static fallible read_cname(struct slice data, struct arena *arena, struct dns_record *r)
{
    return dns_name_read(data, false, arena, &r->host);
}

static const struct {
    int number; /* RFC 1035 3.2.2, RFC 3596, RFC 2782 */
    fallible (*read)(struct slice data, struct arena *arena, struct dns_record *r);
} types[] = {
    [DNS_A] = {1, read_a},      [DNS_AAAA] = {28, read_aaaa}, [DNS_MX] = {15, read_mx},
    [DNS_SRV] = {33, read_srv}, [DNS_TXT] = {16, read_txt},   [DNS_CNAME] = {5, read_cname},
};

int dns_type_number(enum dns_type type)
{
    return types[type].number;
}

fallible
dns_record_read(enum dns_type type, struct slice data, struct arena *arena, struct dns_record *ret_record)
{
    struct dns_record r = {.priority = 0};
    TRY(types[type].read(data, arena, &r));
    *ret_record = r;
    return OK;
}

/* ------------------------------------------------------------------------------------------------------ servers */

fallible dns_server_read(struct slice text, struct dns_server *ret_server)
{
    struct dns_server s = {.port = 53};
    size_t at = slice_find(text, '@');
    uint64_t port;
    TRY(ip_parse(slice_sub(text, 0, at), &s.ip));
    if (at != SLICE_NPOS) {
        if (slice_to_u64(slice_from(text, at + 1), UINT16_MAX, &port) != OK || port == 0)
            return ERR_SYNTAX;
        s.port = (uint16_t)port;
    }
    *ret_server = s;
    return OK;
}

size_t dns_servers_read(struct slice resolv_conf, struct dns_server servers[DNS_SERVERS])
{
    struct slice line;
    size_t n = 0;
    while (n < DNS_SERVERS && slice_cut(&resolv_conf, '\n', &line)) {
        struct slice word = S("nameserver"), value = slice_from(line, word.n);
        struct dns_server s = {.port = 53};
        if (slice_starts(line, word) && slice_trim(value).n < value.n &&
            ip_parse(slice_trim(value), &s.ip) == OK)
            servers[n++] = s;
    }
    return n;
}

/* ------------------------------------------------------------------------------------------------ the hosts file */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line; empty at its end. */
static struct slice word_cut(struct slice *line)
{
    size_t from = 0, to;
    while (from < line->n && is_blank(line->p[from]))
        from++;
    for (to = from; to < line->n && !is_blank(line->p[to]); to++)
        continue;
    struct slice word = slice_sub(*line, from, to - from);
    *line = slice_from(*line, to);
    return word;
}

/* Does the line, behind its address, name this host? */
static bool line_names(struct slice line, struct slice name)
{
    struct slice word;
    while ((word = word_cut(&line)).n) {
        if (slice_ends(word, S(".")))
            word.n--;
        if (slice_eq_nocase(word, name))
            return true;
    }
    return false;
}

bool dns_hosts_find(
    struct slice hosts, struct slice name, enum dns_type type, struct ip *ips, size_t room, size_t *ret_count)
{
    struct slice line;
    bool known = false;
    size_t count = 0;
    while (slice_cut(&hosts, '\n', &line)) {
        struct ip ip;
        line = slice_sub(line, 0, slice_find(line, '#'));
        struct slice address = word_cut(&line);
        if (!line_names(line, name) || ip_parse(address, &ip) != OK)
            continue;
        known = true;
        if (ip_is_v4(&ip) == (type == DNS_A) && count < room)
            ips[count++] = ip;
    }
    if (known)
        *ret_count = count;
    return known;
}

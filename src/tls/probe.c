#include "tls/probe.h"

#include "base/limits.h"

/* ------------------------------------------------------------------------------------------------------ tables */

#define SUITE(id, name, kinds) {id, kinds, #name},
static const struct probe_suite suites[] = {
#include "tls/suites.def"
};
#undef SUITE

const struct probe_suite *probe_suites(size_t *ret_n)
{
    *ret_n = sizeof suites / sizeof *suites;
    return suites;
}

const struct probe_suite *probe_suite(uint16_t id)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i].id == id)
            return &suites[i];
    return NULL;
}

const char *probe_group_name(uint16_t id)
{
    static const struct {
        uint16_t id;
        const char *name;
    } rows[] = {
        {GROUP_P256, "P-256"},
        {GROUP_P384, "P-384"},
        {GROUP_P521, "P-521"},
        {GROUP_X25519, "X25519"},
        {GROUP_X448, "X448"},
        {GROUP_FFDHE2048, "ffdhe2048"},
        {GROUP_FFDHE3072, "ffdhe3072"},
        {GROUP_FFDHE4096, "ffdhe4096"},
        {GROUP_X25519MLKEM768, "X25519MLKEM768"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].id == id)
            return rows[i].name;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------- hello */

enum {
    HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_GROUPS = 10,
    EXTENSION_POINT_FORMATS = 11,
    EXTENSION_SIGNATURES = 13,
    EXTENSION_PADDING = 21,
    EXTENSION_MASTER_SECRET = 23,
    EXTENSION_VERSIONS = 43,
    EXTENSION_PSK_MODES = 45,
    EXTENSION_KEY_SHARE = 51,
    EXTENSION_RENEGOTIATION = 0xff01,
    PAD_FROM = 256, /* RFC 7685: some devices lose hellos of 256 to 511 octets */
    PAD_TO = 512
};

static void put8(struct buf *out, unsigned value)
{
    buf_put_char(out, (char)value);
}

static void put16(struct buf *out, unsigned value)
{
    put8(out, value >> 8 & 0xff);
    put8(out, value & 0xff);
}

/* Room for a length of two octets, filled in by close16. */
static size_t open16(struct buf *out)
{
    put16(out, 0);
    return out->n;
}

static void close16(struct buf *out, size_t from)
{
    if (out->failed)
        return;
    size_t n = out->n - from;
    out->p[from - 2] = (char)(n >> 8);
    out->p[from - 1] = (char)n;
}

static void put_numbers(struct buf *out, const uint16_t *numbers, size_t n)
{
    size_t list = open16(out);
    for (size_t i = 0; i < n; i++)
        put16(out, numbers[i]);
    close16(out, list);
}

static void put_extension(struct buf *out, unsigned type, struct slice body)
{
    put16(out, type);
    put16(out, (unsigned)body.n);
    buf_put(out, body);
}

static void put_server_name(struct buf *out, struct slice host)
{
    put16(out, EXTENSION_SERVER_NAME);
    size_t whole = open16(out), list = open16(out);
    put8(out, 0); /* host_name */
    size_t name = open16(out);
    buf_put(out, host);
    close16(out, name);
    close16(out, list);
    close16(out, whole);
}

static void put_number_extension(struct buf *out, unsigned type, const uint16_t *numbers, size_t n)
{
    put16(out, type);
    size_t body = open16(out);
    put_numbers(out, numbers, n);
    close16(out, body);
}

/* All that anybody may have signed with: what is too weak is for others to say. */
static const uint16_t signatures[] = {0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0808,
                                      0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201};

static void put_extensions(struct buf *out, const struct probe_ask *ask, size_t hello)
{
    size_t all = open16(out);
    if (ask->host.n)
        put_server_name(out, ask->host);
    if (ask->group_n)
        put_number_extension(out, EXTENSION_GROUPS, ask->groups, ask->group_n);
    if (ask->version >= PROBE_TLS12)
        put_number_extension(out, EXTENSION_SIGNATURES, signatures, sizeof signatures / sizeof *signatures);
    if (ask->version == PROBE_TLS13) {
        put_extension(out, EXTENSION_VERSIONS, S("\x02\x03\x04"));
        put_extension(out, EXTENSION_PSK_MODES, S("\x01\x01"));
        put_extension(out, EXTENSION_KEY_SHARE, S("\0\0"));
    } else {
        put_extension(out, EXTENSION_POINT_FORMATS, S("\x01\0"));
        put_extension(out, EXTENSION_MASTER_SECRET, SLICE_EMPTY);
        put_extension(out, EXTENSION_RENEGOTIATION, S("\0"));
    }
    size_t n = out->n - hello + 4; /* with the message's head */
    if (n >= PAD_FROM && n < PAD_TO) {
        put16(out, EXTENSION_PADDING);
        size_t padding = open16(out);
        for (n += 4; n < PAD_TO; n++)
            put8(out, 0);
        close16(out, padding);
    }
    close16(out, all);
}

void probe_put(const struct probe_ask *ask, struct buf *out)
{
    put8(out, HANDSHAKE);
    /* RFC 8446 5.1, appendix E.1 of RFC 5246: the first record says TLS 1.0, or old servers take fright. */
    put16(out, ask->version < PROBE_TLS10 ? ask->version : PROBE_TLS10);
    size_t record = open16(out);
    put8(out, CLIENT_HELLO);
    put8(out, 0); /* the upper octet of a length of three */
    size_t hello = open16(out);
    put16(out, ask->version < PROBE_TLS12 ? ask->version : PROBE_TLS12);
    buf_put(out, slice_of(ask->random, 32));
    put8(out, ask->version == PROBE_TLS13 ? 32 : 0);
    if (ask->version == PROBE_TLS13)
        buf_put(out, slice_of(ask->random + 32, 32));
    put_numbers(out, ask->suites, ask->suite_n);
    buf_put(out, S("\x01\0")); /* no compression */
    if (ask->version > PROBE_SSL30)
        put_extensions(out, ask, hello);
    close16(out, hello);
    close16(out, record);
}

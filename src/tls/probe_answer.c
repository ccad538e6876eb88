/* Reads what a server answers to a probe: records, in them messages, in the first of them the hello. */

#include "base/limits.h"
#include "tls/probe.h"

enum {
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_HEAD = 5,
    RECORD_MAX = 16384 + 2048, /* RFC 5246 6.2.3 */
    MESSAGE_HEAD = 4,
    SERVER_HELLO = 2,
    CERTIFICATE = 11,
    SERVER_KEY_EXCHANGE = 12,
    CERTIFICATE_REQUEST = 13,
    SERVER_HELLO_DONE = 14,
    CERTIFICATE_STATUS = 22,
    ALERT_WARNING = 1,
    ALERT_UNRECOGNIZED_NAME = 112,
    EXTENSION_VERSIONS = 43,
    EXTENSION_KEY_SHARE = 51,
    EXTENSION_RENEGOTIATION = 0xff01,
    NAMED_CURVE = 3
};

/* ------------------------------------------------------------------------------------------------------ octets */

/* Takes octets off the front; when there are too few, `short_` stays set and zeros are given. */
struct reader {
    struct slice rest;
    bool short_;
};

static struct slice take(struct reader *r, size_t n)
{
    if (r->rest.n < n) {
        r->short_ = true;
        r->rest.n = 0;
        return SLICE_EMPTY;
    }
    struct slice taken = slice_sub(r->rest, 0, n);
    r->rest = slice_from(r->rest, n);
    return taken;
}

static unsigned take_number(struct reader *r, size_t octets)
{
    unsigned value = 0;
    struct slice s = take(r, octets);
    for (size_t i = 0; i < s.n; i++)
        value = value << 8 | (unsigned char)s.p[i];
    return value;
}

static struct slice take_vector(struct reader *r, size_t length_octets)
{
    return take(r, take_number(r, length_octets));
}

/* ------------------------------------------------------------------------------------------------ server hello */

/* RFC 8446 4.1.3: the SHA-256 of "HelloRetryRequest" in the place of the random octets. */
static const unsigned char retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static bool read_versions(struct reader body, struct probe_answer *answer)
{
    answer->version = (uint16_t)take_number(&body, 2);
    return !body.short_ && !body.rest.n && answer->version >= PROBE_TLS13;
}

static bool read_key_share(struct reader body, struct probe_answer *answer)
{
    answer->group = (uint16_t)take_number(&body, 2);
    if (answer->kind == PROBE_HELLO)
        (void)take_vector(&body, 2);
    return !body.short_ && !body.rest.n;
}

static bool read_extensions(struct reader *r, struct probe_answer *answer)
{
    bool versions = false, share = false;
    while (r->rest.n) {
        unsigned type = take_number(r, 2);
        struct reader body = {.rest = take_vector(r, 2)};
        if (r->short_)
            return false;
        if (type == EXTENSION_RENEGOTIATION)
            answer->secure_renegotiation = true;
        if (type == EXTENSION_VERSIONS && (versions || !read_versions(body, answer)))
            return false;
        if (type == EXTENSION_KEY_SHARE && (share || !read_key_share(body, answer)))
            return false;
        versions |= type == EXTENSION_VERSIONS;
        share |= type == EXTENSION_KEY_SHARE;
    }
    /* Both belong to TLS 1.3, and a retry to nothing else. */
    return versions || (!share && answer->kind == PROBE_HELLO);
}

static fallible read_hello(struct slice message, struct probe_answer *answer)
{
    struct reader r = {.rest = message};
    answer->version = (uint16_t)take_number(&r, 2);
    struct slice random = take(&r, 32);
    bool retry = slice_eq(random, slice_of(retry_random, sizeof retry_random));
    answer->kind = retry ? PROBE_RETRY : PROBE_HELLO;
    struct slice session = take_vector(&r, 1);
    answer->suite = (uint16_t)take_number(&r, 2);
    answer->compression = take_number(&r, 1) != 0;
    if (r.short_ || session.n > 32 || answer->version < PROBE_SSL30 || answer->version > PROBE_TLS12)
        return ERR_SYNTAX;
    struct reader extensions = {.rest = SLICE_EMPTY};
    if (r.rest.n)
        extensions.rest = take_vector(&r, 2);
    return !r.short_ && !r.rest.n && read_extensions(&extensions, answer) ? OK : ERR_SYNTAX;
}

/* ------------------------------------------------------------------------------------------------ key exchange */

static unsigned bits_of(struct slice number)
{
    while (number.n && number.p[0] == 0)
        number = slice_from(number, 1);
    if (!number.n)
        return 0;
    unsigned bits = (unsigned)(number.n - 1) * 8;
    for (unsigned top = (unsigned char)number.p[0]; top; top >>= 1)
        bits++;
    return bits;
}

/* RFC 5246 7.4.3, RFC 8422 5.4; the signature behind the parameters is not looked at. */
static fallible
read_exchange(struct slice message, const struct probe_suite *suite, struct probe_answer *answer)
{
    struct reader r = {.rest = message};
    if (suite->kinds & SUITE_FINITE) {
        answer->prime_bits = bits_of(take_vector(&r, 2));
    } else if (take_number(&r, 1) == NAMED_CURVE) {
        answer->group = (uint16_t)take_number(&r, 2);
    }
    return r.short_ ? ERR_SYNTAX : OK;
}

/* ---------------------------------------------------------------------------------------- messages and records */

struct walk {
    struct buf messages; /* handshake octets that are not taken yet */
    struct probe_answer answer;
    bool exchange, greeted;
};

static bool has_exchange(const struct probe_answer *answer)
{
    const struct probe_suite *suite = probe_suite(answer->suite);
    return answer->version < PROBE_TLS13 && suite && suite->kinds & (SUITE_FINITE | SUITE_ELLIPTIC);
}

/* OK: the answer is complete. */
static fallible take_message(struct walk *w, unsigned type, struct slice message)
{
    if (!w->greeted) {
        if (type != SERVER_HELLO)
            return ERR_SYNTAX;
        TRY(read_hello(message, &w->answer));
        w->greeted = true;
        return w->exchange && has_exchange(&w->answer) ? ERR_AGAIN : OK;
    }
    if (type == SERVER_KEY_EXCHANGE)
        return read_exchange(message, probe_suite(w->answer.suite), &w->answer);
    if (type == CERTIFICATE || type == CERTIFICATE_STATUS)
        return ERR_AGAIN;
    return type == CERTIFICATE_REQUEST || type == SERVER_HELLO_DONE ? OK : ERR_SYNTAX;
}

static fallible take_messages(struct walk *w)
{
    for (;;) {
        struct reader r = {.rest = buf_slice(&w->messages)};
        unsigned type = take_number(&r, 1), n = take_number(&r, 3);
        if (r.short_)
            return ERR_AGAIN;
        if (n > LIMIT_PROBE_ANSWER)
            return ERR_LIMIT;
        struct slice message = take(&r, n);
        if (r.short_)
            return ERR_AGAIN;
        enum err e = take_message(w, type, message);
        if (e != ERR_AGAIN)
            return e;
        buf_drop_front(&w->messages, MESSAGE_HEAD + n);
    }
}

static fallible take_alert(struct walk *w, struct slice body)
{
    if (body.n != 2)
        return ERR_SYNTAX;
    /* RFC 6066 3: a server that does not know the name may say so, and go on. */
    if (body.p[0] == ALERT_WARNING && (unsigned char)body.p[1] == ALERT_UNRECOGNIZED_NAME)
        return ERR_AGAIN;
    if (w->greeted)
        return OK; /* it agreed before */
    w->answer = (struct probe_answer){.kind = PROBE_ALERT, .alert = (unsigned char)body.p[1]};
    return OK;
}

static fallible take_record(struct walk *w, unsigned type, struct slice body)
{
    if (type == RECORD_ALERT)
        return take_alert(w, body);
    if (type != RECORD_HANDSHAKE || !body.n)
        return ERR_SYNTAX;
    buf_put(&w->messages, body);
    TRY(buf_check(&w->messages));
    return take_messages(w);
}

/* Known by its first two octets: a type of record, and the 3 that all versions begin with. */
static bool is_plain(struct slice octets)
{
    unsigned char first = (unsigned char)octets.p[0];
    return first < 20 || first > 24 || (octets.n > 1 && octets.p[1] != 3);
}

static fallible walk(struct walk *w, struct slice octets)
{
    struct reader r = {.rest = octets};
    for (;;) {
        unsigned type = take_number(&r, 1), version = take_number(&r, 2), n = take_number(&r, 2);
        if (r.short_)
            return ERR_AGAIN;
        if (version >> 8 != 3 || n > RECORD_MAX)
            return ERR_SYNTAX;
        struct slice body = take(&r, n);
        if (r.short_)
            return ERR_AGAIN;
        enum err e = take_record(w, type, body);
        if (e != ERR_AGAIN)
            return e;
    }
}

fallible probe_read(struct slice octets, bool exchange, struct probe_answer *ret_answer)
{
    struct walk w = {.messages = BUF_INIT(LIMIT_PROBE_ANSWER + RECORD_MAX), .exchange = exchange};
    if (octets.n && is_plain(octets)) {
        *ret_answer = (struct probe_answer){.kind = PROBE_PLAIN};
        return OK;
    }
    enum err e = walk(&w, octets);
    if (e == OK)
        *ret_answer = w.answer;
    buf_done(&w.messages);
    return e;
}

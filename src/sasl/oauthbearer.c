/* OAUTHBEARER (RFC 7628): a gs2 header, then pairs of key and value, each ended by 0x01, and one more 0x01. The name in
 * the header is the account that the token must be good for; without one the token alone says who it is. */
#include "base/limits.h"
#include "sasl/bearer.h"
#include "sasl/gs2.h"

enum { END = 0x01 };

struct pairs {
    struct slice auth, host, port;
};

/* RFC 7628 section 3.1: value = *(VCHAR / SP / HTAB / CR / LF). */
static bool is_value(struct slice value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if ((c < 0x20 || c > 0x7e) && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return true;
}

static bool is_key(struct slice key)
{
    for (size_t i = 0; i < key.n; i++)
        if (!ascii_is_alpha(key.p[i]))
            return false;
    return key.n > 0;
}

/* Where the client believes to be (host, port) decides nothing here. What has no meaning for us is ignored, as 3.1
 * wants; a key given twice is not, since two readers could take different ones. */
static bool keep_pair(struct pairs *pairs, struct slice key, struct slice value)
{
    struct {
        struct slice name;
        struct slice *value;
    } known[] = {{S("auth"), &pairs->auth}, {S("host"), &pairs->host}, {S("port"), &pairs->port}};
    if (!is_key(key) || !is_value(value))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!slice_eq(key, known[i].name))
            continue;
        if (known[i].value->p)
            return false;
        *known[i].value = value;
    }
    return true;
}

static bool read_pairs(struct slice rest, struct pairs *pairs)
{
    struct slice pair;
    while (slice_cut(&rest, END, &pair) && pair.n) {
        size_t equals = slice_find(pair, '=');
        if (equals == SLICE_NPOS ||
            !keep_pair(pairs, slice_sub(pair, 0, equals), slice_from(pair, equals + 1)))
            return false;
    }
    return rest.p && rest.n == 0 && pairs->auth.p; /* the empty pair was the last, and its END is there */
}

static bool keep_name(struct sasl_server *s, struct slice escaped)
{
    struct buf name CLEANUP_BUF = BUF_INIT(LIMIT_SASL_NAME);
    return !escaped.n || (sasl_name_unescape(escaped, &name) && sasl_keep_authcid(s, buf_slice(&name)));
}

static enum sasl_outcome server_turn(struct sasl_server *s, const struct slice *message, struct buf *out)
{
    (void)out;
    if (!message)
        return SASL_CHALLENGE;
    struct slice rest = *message, nothing;
    struct sasl_gs2 head;
    struct pairs pairs = {.auth = SLICE_EMPTY};
    if (!sasl_gs2_take(&rest, &head) || head.flag == 'p' || !slice_cut(&rest, END, &nothing) || nothing.n ||
        !rest.p || !read_pairs(rest, &pairs))
        return SASL_BAD;
    return keep_name(s, head.authzid) && bearer_keep(s, pairs.auth) ? SASL_CLAIM : SASL_BAD;
}

static enum sasl_outcome server_judged(struct sasl_server *s, bool is_right, struct buf *out)
{
    (void)s;
    if (is_right)
        return SASL_DONE;
    buf_put_str(out, "{\"status\":\"invalid_token\"}"); /* RFC 7628 section 3.2.2 */
    return SASL_CHALLENGE;
}

static bool is_good(const struct sasl_identity *who)
{
    return bearer_has_token(who) && (!who->authcid.n || sasl_text_is_good(who->authcid, LIMIT_SASL_NAME));
}

static fallible client_initial(struct sasl_client *c, struct buf *out)
{
    struct slice name = c->who->authzid.n ? c->who->authzid : c->who->authcid;
    buf_put_str(out, name.n ? "n,a=" : "n,");
    sasl_name_escape(out, name);
    buf_put_str(
        out, ",\x01"
             "auth=Bearer ");
    buf_put(out, secret_reveal(c->who->secret));
    buf_put_str(out, "\x01\x01");
    return OK;
}

static fallible client_turn(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    return bearer_client_turn(c, challenge, S("\x01"), out); /* RFC 7628 section 3.2.3 */
}

const struct sasl_server_ops sasl_oauthbearer_server = {
    .turn = server_turn, .judged = server_judged, .after = bearer_after};
const struct sasl_client_ops sasl_oauthbearer_client = {
    .is_good = is_good, .initial = client_initial, .turn = client_turn, .least = 1, .most = 2};

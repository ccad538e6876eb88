/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client (RFC 5802, RFC 7677). The server may be hostile: it gets a proof only
 * for a nonce that continues ours and for enough iterations, not for so many that we would stand still; and its yes
 * counts only with a signature that shows that it knows a verifier of our secret. */
#include "base/encode.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "sasl/scram.h"

enum { HEADER_MAX = 3 * LIMIT_SASL_NAME + 64 };

/* The same at both times that it is needed. The caller's buffer holds what `ret_head` points to. */
static void make_header(const struct sasl_client *c, struct buf *header, struct sasl_gs2 *ret_head)
{
    const struct sasl_identity *who = c->who;
    struct slice binding = who->exporter.n ? scram_exporter_name : scram_end_point_name;
    bool can_bind = who->exporter.n || who->end_point.n;
    bool is_plus = c->mechanism->flags & SASL_BINDS_CHANNEL;
    if (is_plus) {
        buf_put_str(header, "p=");
        buf_put(header, binding);
    } else {
        buf_put_char(header, can_bind ? 'y' : 'n');
    }
    buf_put_str(header, who->authzid.n ? ",a=" : ",");
    sasl_name_escape(header, who->authzid);
    buf_put_char(header, ',');
    *ret_head =
        (struct sasl_gs2){.flag = is_plus ? 'p' : 'n', .binding = binding, .header = buf_slice(header)};
}

static fallible client_initial(struct sasl_client *c, struct buf *out)
{
    struct buf header CLEANUP_BUF = BUF_INIT(HEADER_MAX);
    struct sasl_gs2 head;
    make_header(c, &header, &head);
    buf_put_str(&c->message, "n=");
    sasl_name_escape(&c->message, c->who->authcid);
    buf_put_str(&c->message, ",r=");
    buf_put_str(&c->message, c->nonce);
    buf_put(out, buf_slice(&header));
    buf_put(out, buf_slice(&c->message));
    TRY(buf_check(&header));
    return buf_check(&c->message);
}

struct server_first {
    struct slice nonce;
    struct buf *salt;
    uint32_t rounds;
};

static fallible read_server_first(const struct sasl_client *c, struct slice rest, struct server_first *first)
{
    struct slice nonce, salt, count, own = slice_str(c->nonce);
    uint64_t rounds;
    if (!utf8_is_valid(rest) || slice_has(rest, '\0') || !scram_take(&rest, 'r', &nonce) ||
        !scram_take(&rest, 's', &salt) || !scram_take(&rest, 'i', &count) || !scram_only_extensions(rest))
        return ERR_PROTOCOL;
    if (!scram_nonce_is_good(nonce) || base64_get(salt, first->salt) != OK || count.p[0] == '0')
        return ERR_PROTOCOL;
    if (!slice_starts(nonce, own) || nonce.n == own.n || nonce.n > own.n + LIMIT_SASL_NONCE)
        return ERR_DENIED;
    enum err e = slice_to_u64(count, LIMIT_SCRAM_ROUNDS, &rounds);
    if (e != OK)
        return e == ERR_LIMIT ? ERR_LIMIT : ERR_PROTOCOL;
    if (rounds < SCRAM_ROUNDS_LEAST)
        return ERR_DENIED;
    first->nonce = nonce;
    first->rounds = (uint32_t)rounds;
    return OK;
}

/* RFC 5802 section 3. Leaves the signature that the server must show. */
static void prove(struct sasl_client *c, const struct server_first *first, uint8_t proof[SHA256_LEN])
{
    uint8_t salted[SHA256_LEN], key[SHA256_LEN], stored[SHA256_LEN], signature[SHA256_LEN];
    struct slice message = buf_slice(&c->message), salted_slice = slice_of(salted, sizeof salted);
    pbkdf2_sha256(secret_reveal(c->who->secret), buf_slice(first->salt), first->rounds, salted);
    hmac_sha256(salted_slice, S("Client Key"), key);
    sha256_of(slice_of(key, sizeof key), stored);
    hmac_sha256(slice_of(stored, sizeof stored), message, signature);
    for (size_t i = 0; i < sizeof key; i++)
        proof[i] = key[i] ^ signature[i];
    hmac_sha256(salted_slice, S("Server Key"), key);
    hmac_sha256(slice_of(key, sizeof key), message, c->server_signature);
    secret_wipe(salted, sizeof salted);
    secret_wipe(key, sizeof key);
    secret_wipe(stored, sizeof stored);
}

static fallible client_final(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    struct buf header CLEANUP_BUF = BUF_INIT(HEADER_MAX), words CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE),
                      salt CLEANUP_BUF = BUF_INIT(SCRAM_SALT_MAX);
    struct server_first first = {.salt = &salt};
    struct sasl_gs2 head;
    TRY(read_server_first(c, challenge, &first));
    make_header(c, &header, &head);
    buf_put_str(&words, "c=");
    if (!scram_put_binding(&words, &head, c->who->exporter, c->who->end_point))
        return ERR_LIMIT;
    buf_put_str(&words, ",r=");
    buf_put(&words, first.nonce);
    buf_put_char(&c->message, ',');
    buf_put(&c->message, challenge);
    buf_put_char(&c->message, ',');
    buf_put(&c->message, buf_slice(&words));
    TRY(buf_check(&words));
    TRY(buf_check(&c->message));
    uint8_t proof[SHA256_LEN];
    prove(c, &first, proof);
    buf_put(out, buf_slice(&words));
    buf_put_str(out, ",p=");
    base64_put(out, slice_of(proof, sizeof proof));
    return OK;
}

/* v= proves the server; e= tells why it does not want us. */
static fallible verify(struct sasl_client *c, struct slice rest)
{
    struct slice text;
    uint8_t signature[SHA256_LEN];
    if (!scram_take(&rest, 'v', &text) || !scram_only_extensions(rest) ||
        !scram_get_octets(text, signature, sizeof signature))
        return ERR_PROTOCOL;
    if (!secret_same(slice_of(signature, sizeof signature), slice_of(c->server_signature, sizeof signature)))
        return ERR_DENIED;
    c->has_verified = true;
    return OK;
}

static fallible client_turn(struct sasl_client *c, struct slice challenge, struct buf *out)
{
    struct slice rest = challenge, error;
    if (scram_take(&rest, 'e', &error)) {
        buf_put(&c->complaint, error);
        return ERR_DENIED;
    }
    return c->turn == 1 ? client_final(c, challenge, out) : verify(c, challenge);
}

/* The signature came in a challenge of its own, or comes with the yes (RFC 4422 section 3.6); exactly one of both. */
static fallible client_end(struct sasl_client *c, const struct slice *data)
{
    if (!c->has_verified)
        return data ? verify(c, *data) : ERR_DENIED;
    return data && data->n ? ERR_PROTOCOL : OK;
}

const struct sasl_client_ops sasl_scram_client = {
    .is_good = sasl_identity_has_password,
    .initial = client_initial,
    .turn = client_turn,
    .end = client_end,
    .least = 2,
    .most = 3,
};

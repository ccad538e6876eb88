#include "sasl/server.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "sasl/ops.h"

enum { MAGIC = 0x5a51a001 };

struct sasl_server *sasl_server_new(const struct sasl_mechanism *mechanism, const struct sasl_env *env)
{
    struct sasl_server *s = NEW(struct sasl_server);
    *s = (struct sasl_server){
        .magic = MAGIC,
        .mechanism = mechanism,
        .env = *env,
        .authcid = BUF_INIT(LIMIT_SASL_NAME),
        .authzid = BUF_INIT(LIMIT_SASL_NAME),
        .message = BUF_INIT(LIMIT_SASL_RESPONSE),
        .both_nonces = BUF_INIT(LIMIT_SASL_NONCE + SASL_NONCE_LEN),
        .binding = BUF_INIT(LIMIT_SASL_RESPONSE),
    };
    s->claim.secret = &s->secret;
    sasl_nonce(s->nonce);
    return s;
}

void sasl_server_free(struct sasl_server **server)
{
    struct sasl_server *s = *server;
    *server = NULL;
    if (!s)
        return;
    assert(s->magic == MAGIC);
    secret_free(&s->secret);
    buf_wipe(&s->authcid); /* people type their password here */
    buf_wipe(&s->authzid);
    buf_done(&s->message);
    buf_done(&s->both_nonces);
    buf_done(&s->binding);
    secret_wipe(s->server_key, sizeof s->server_key);
    s->magic = 0;
    free(s);
}

const struct sasl_mechanism *sasl_server_mechanism(const struct sasl_server *server)
{
    return server->mechanism;
}

/* The one place where the state changes. */
static enum sasl_outcome moved(struct sasl_server *s, enum sasl_outcome outcome, struct buf *out)
{
    static const enum sasl_state next[] = {
        [SASL_CHALLENGE] = SASL_WAITS, [SASL_CLAIM] = SASL_CLAIMED, [SASL_DONE] = SASL_ENDED,
        [SASL_FAILED] = SASL_ENDED,    [SASL_BAD] = SASL_ENDED,
    };
    bool was_judged = s->state == SASL_CLAIMED;
    if (out->failed)
        outcome = SASL_BAD;
    s->state = outcome == SASL_CHALLENGE && was_judged ? SASL_JUDGED : next[outcome];
    s->has_claim |= outcome == SASL_CLAIM;
    if (s->state == SASL_ENDED)
        secret_free(&s->secret);
    return outcome;
}

enum sasl_outcome sasl_server_start(struct sasl_server *s, const struct slice *initial, struct buf *out)
{
    assert(s->magic == MAGIC);
    if (s->state != SASL_NEW)
        return moved(s, SASL_BAD, out);
    enum sasl_outcome outcome = s->mechanism->server->turn(s, initial, out);
    s->turn += initial != NULL;
    return moved(s, outcome, out);
}

enum sasl_outcome sasl_server_step(struct sasl_server *s, struct slice response, struct buf *out)
{
    assert(s->magic == MAGIC);
    if (s->state != SASL_WAITS && s->state != SASL_JUDGED)
        return moved(s, SASL_BAD, out);
    enum sasl_outcome outcome = s->state == SASL_JUDGED ? s->mechanism->server->after(s, response)
                                                        : s->mechanism->server->turn(s, &response, out);
    s->turn++;
    return moved(s, outcome, out);
}

const struct sasl_claim *sasl_server_claim(const struct sasl_server *s)
{
    assert(s->magic == MAGIC && s->has_claim);
    return &s->claim;
}

void sasl_server_set_server_key(struct sasl_server *s, const uint8_t key[SASL_KEY_LEN])
{
    assert(s->magic == MAGIC);
    memcpy(s->server_key, key, SASL_KEY_LEN);
    s->has_server_key = true;
}

enum sasl_outcome sasl_server_judged(struct sasl_server *s, bool is_right, struct buf *out)
{
    assert(s->magic == MAGIC && s->state == SASL_CLAIMED);
    assert(!is_right || s->claim.flaw == SASL_FLAW_NONE);
    enum sasl_outcome outcome = is_right ? SASL_DONE : SASL_FAILED;
    if (s->mechanism->server->judged)
        outcome = s->mechanism->server->judged(s, is_right, out);
    return moved(s, outcome, out);
}

void sasl_nonce(char out[SASL_NONCE_LEN + 1])
{
    uint8_t octets[SASL_NONCE_LEN / 4 * 3];
    struct buf text CLEANUP_BUF = BUF_INIT(SASL_NONCE_LEN);
    random_bytes(octets, sizeof octets);
    base64_put(&text, slice_of(octets, sizeof octets));
    memcpy(out, text.p, SASL_NONCE_LEN);
    out[SASL_NONCE_LEN] = '\0';
}

void sasl_server_set_nonce(struct sasl_server *s, struct slice nonce)
{
    assert(s->magic == MAGIC && s->state == SASL_NEW && nonce.n <= SASL_NONCE_LEN);
    memcpy(s->nonce, nonce.p, nonce.n);
    s->nonce[nonce.n] = '\0';
}

bool sasl_text_is_good(struct slice text, size_t limit)
{
    return text.n > 0 && text.n <= limit && !slice_has(text, '\0') && utf8_is_valid(text);
}

static bool keep_name(struct buf *kept, struct slice name, struct slice *ret_name)
{
    if (!sasl_text_is_good(name, LIMIT_SASL_NAME))
        return false;
    buf_clear(kept);
    buf_put(kept, name);
    *ret_name = buf_slice(kept);
    return true;
}

bool sasl_keep_authcid(struct sasl_server *s, struct slice name)
{
    return keep_name(&s->authcid, name, &s->claim.authcid);
}

bool sasl_keep_authzid(struct sasl_server *s, struct slice name)
{
    return keep_name(&s->authzid, name, &s->claim.authzid);
}

bool sasl_keep_secret(struct sasl_server *s, struct slice secret)
{
    s->claim.proof = SASL_PROOF_SECRET;
    return sasl_text_is_good(secret, LIMIT_PASSWORD_MAX) &&
           secret_copy(s->env.slab, secret, &s->secret) == OK;
}

bool sasl_token_is_good(struct slice token)
{
    static const struct slice marks = {"-._~+/", 6};
    size_t n = token.n;
    while (n && token.p[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        if (!ascii_is_alpha(token.p[i]) && !ascii_is_digit(token.p[i]) && !slice_has(marks, token.p[i]))
            return false;
    return token.n <= LIMIT_SASL_TOKEN && (n || !token.n);
}

bool sasl_keep_token(struct sasl_server *s, struct slice token)
{
    s->claim.proof = SASL_PROOF_TOKEN;
    return sasl_token_is_good(token) && (!token.n || secret_copy(s->env.slab, token, &s->secret) == OK);
}

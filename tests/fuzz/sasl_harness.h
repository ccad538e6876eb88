/* sasl_harness.h - one mechanism of SASL, either side, against whoever is at the other end.
 *
 * The first octet is flags (enum sasl_fuzz_flag); the rest is what the other side says: messages, each with two octets of
 * length before it. Nonces are fixed, so that a seed can be a whole right exchange and its mutations get far. What must hold:
 * a claim is well-formed, a yes needs a check that agreed, no secret is left in the slab, our client never says its secret
 * twice, and believes no SCRAM server that has not proved itself. Who includes this defines FUZZ_MECHANISM and, where a
 * variant exists that binds the channel, FUZZ_PLUS.
 */
#ifndef FUZZ_SASL_HARNESS_H
#define FUZZ_SASL_HARNESS_H

#include <assert.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "crypto/random.h"
#include "crypto/sha256.h"
#include "sasl/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef FUZZ_PLUS
#define FUZZ_PLUS FUZZ_MECHANISM
#endif

enum sasl_fuzz_flag {
    AS_CLIENT = 1,
    HAS_INITIAL = 2,
    WANTS_YES = 4,
    PLUS = 8,
    OFFERS_PLUS = 16,
    HAS_DATA = 32
};

static const struct slice fuzz_secret = {"q4canary7z", 10}, fuzz_salt = {"0123456789abcdef", 16};
static const char fuzz_binding[] = "0123456789abcdef0123456789abcdef";
static uint8_t fuzz_stored[SASL_KEY_LEN], fuzz_server_key[SASL_KEY_LEN];

static void fuzz_keys(void)
{
    uint8_t salted[32], key[32];
    pbkdf2_sha256(fuzz_secret, fuzz_salt, 4096, salted);
    hmac_sha256(slice_of(salted, 32), S("Client Key"), key);
    sha256_of(slice_of(key, 32), fuzz_stored);
    hmac_sha256(slice_of(salted, 32), S("Server Key"), fuzz_server_key);
}

static fallible fuzz_salt_of(void *owner, struct slice name, struct buf *salt, uint32_t *ret_rounds)
{
    (void)owner;
    if (slice_eq(name, S("later")))
        return ERR_UNAVAILABLE;
    buf_put(salt, fuzz_salt);
    *ret_rounds = 4096;
    return OK;
}

static bool take_message(struct slice *rest, struct slice *ret_message)
{
    if (rest->n < 2)
        return false;
    size_t n = (size_t)(unsigned char)rest->p[0] << 8 | (unsigned char)rest->p[1];
    *ret_message = slice_sub(*rest, 2, n);
    *rest = slice_from(*rest, 2 + n);
    return true;
}

static bool is_text(struct slice text, size_t limit)
{
    return text.n <= limit && utf8_is_valid(text) && !slice_has(text, '\0');
}

/* What the vault relies on: a claim is well-formed whatever the client said. */
static void check_claim(const struct sasl_claim *claim)
{
    struct slice secret = secret_reveal(claim->secret);
    bool may_be_nobody = claim->proof == SASL_PROOF_TOKEN || claim->proof == SASL_PROOF_CERTIFICATE;
    assert(is_text(claim->authcid, LIMIT_SASL_NAME) && (claim->authcid.n || may_be_nobody));
    assert(is_text(claim->authzid, LIMIT_SASL_NAME));
    assert(is_text(secret, claim->proof == SASL_PROOF_TOKEN ? LIMIT_SASL_TOKEN : LIMIT_PASSWORD_MAX));
    assert((claim->proof == SASL_PROOF_SECRET) <= (secret.n > 0));
    assert(claim->proof != SASL_PROOF_SCRAM || (claim->digest.n == SASL_KEY_LEN && claim->message.n));
    assert(claim->proof != SASL_PROOF_CRAM_MD5 || (claim->digest.n == SASL_CRAM_LEN && claim->message.n));
}

static bool judge(struct sasl_server *s, bool wants_yes)
{
    const struct sasl_claim *claim = sasl_server_claim(s);
    check_claim(claim);
    sasl_server_set_server_key(s, fuzz_server_key);
    bool scram = sasl_scram_check(claim, fuzz_stored), cram = sasl_cram_check(claim, fuzz_secret);
    assert(!scram || claim->proof == SASL_PROOF_SCRAM);
    assert(!cram || claim->proof == SASL_PROOF_CRAM_MD5);
    if (claim->proof == SASL_PROOF_SCRAM || claim->proof == SASL_PROOF_CRAM_MD5)
        return scram || cram;
    return wants_yes && claim->flaw == SASL_FLAW_NONE;
}

static void
fuzz_server(const struct sasl_mechanism *m, unsigned flags, struct slice rest, struct secret_slab *slab)
{
    struct slice binding = slice_str(fuzz_binding);
    struct sasl_env env = {
        .slab = slab,
        .exporter = binding,
        .end_point = slice_sub(binding, 0, 20),
        .offers_plus = flags & OFFERS_PLUS,
        .certificate_hash = binding,
        .certificate_name = S("alice@ours.test"),
        .salt = fuzz_salt_of,
    };
    struct sasl_server *s = sasl_server_new(m, &env);
    sasl_server_set_nonce(s, S("server"));
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    struct slice message;
    bool has_initial = (flags & HAS_INITIAL) && take_message(&rest, &message), right = false, judged = false;
    enum sasl_outcome outcome = sasl_server_start(s, has_initial ? &message : NULL, &out);
    for (;;) {
        if (outcome == SASL_CLAIM) {
            assert(!judged);
            judged = true;
            right = judge(s, flags & WANTS_YES);
            outcome = sasl_server_judged(s, right, &out);
        }
        assert(outcome != SASL_DONE || right);
        if (outcome == SASL_DONE || outcome == SASL_FAILED || outcome == SASL_BAD) {
            assert(secret_slab_used(slab) == 0);
            right = false; /* nothing more may come of it */
        }
        buf_clear(&out);
        if (!take_message(&rest, &message))
            break;
        outcome = sasl_server_step(s, message, &out);
    }
    sasl_server_free(&s);
}

static size_t times_in(struct slice text, struct slice word)
{
    size_t times = 0, at;
    while ((at = slice_search(text, word)) != SLICE_NPOS) {
        times++;
        text = slice_from(text, at + word.n);
    }
    return times;
}

/* A server may make us work for LIMIT_SCRAM_ROUNDS; a fuzzer has no time for that. */
static bool is_slow(struct slice message)
{
    size_t at = slice_search(message, S(",i="));
    size_t digits = 0;
    struct slice number = at == SLICE_NPOS ? SLICE_EMPTY : slice_from(message, at + 3);
    while (digits < number.n && ascii_is_digit(number.p[digits]))
        digits++;
    return digits > 4 && digits < 8;
}

static void
fuzz_client(const struct sasl_mechanism *m, unsigned flags, struct slice rest, struct secret_slab *slab)
{
    struct secret secret CLEANUP_SECRET = SECRET_NONE;
    if (secret_copy(slab, fuzz_secret, &secret) != OK)
        abort();
    struct slice binding = slice_str(fuzz_binding);
    struct sasl_identity who = {.authcid = S("alice"), .secret = &secret};
    if (flags & PLUS)
        who.exporter = binding;
    struct sasl_client *c = NULL;
    if (sasl_client_new(m, &who, &c) != OK)
        abort();
    sasl_client_set_nonce(c, S("client"));
    struct buf said CLEANUP_BUF = BUF_INIT(LIMIT_SASL_RESPONSE);
    struct slice message = SLICE_EMPTY;
    bool has_initial;
    enum err e = sasl_client_start(c, &said, &has_initial);
    while (e == OK && take_message(&rest, &message) && !is_slow(message))
        e = sasl_client_step(c, message, &said);
    assert(times_in(buf_slice(&said), fuzz_secret) <= ((m->flags & SASL_SENDS_SECRET) ? 1 : 0));
    e = sasl_client_end(c, flags & HAS_DATA ? &message : NULL);
    bool is_scram = slice_starts(slice_str(m->name), S("SCRAM"));
    assert(e != OK || !is_scram || c->has_verified);
    assert(e != OK || sasl_client_complaint(c).n == 0);
    sasl_client_free(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (size < 1)
        return 0;
    crypto_init();
    if (!ready)
        fuzz_keys();
    ready = true;
    struct secret_slab *slab = secret_slab_new(16384);
    unsigned flags = data[0];
    const struct sasl_mechanism *m = sasl_find(slice_str(flags & PLUS ? FUZZ_PLUS : FUZZ_MECHANISM));
    struct slice rest = slice_of(data + 1, size - 1);
    if (flags & AS_CLIENT)
        fuzz_client(m, flags, rest, slab);
    else
        fuzz_server(m, flags, rest, slab);
    assert(secret_slab_used(slab) == 0);
    secret_slab_free(&slab);
    return 0;
}

#endif

#include "vault/tokens.h"

#include <assert.h>

#include "crypto/random.h"
#include "crypto/secret.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char prefix[] = "llt_";
static_assert(sizeof prefix - 1 == TOKEN_PREFIX, "the prefix has its length");

void token_make(struct token *ret_token)
{
    uint8_t octets[TOKEN_RANDOM];
    unsigned held = 0, bits = 0;
    size_t at = TOKEN_PREFIX;
    random_bytes(octets, sizeof octets);
    memcpy(ret_token->text, prefix, TOKEN_PREFIX);
    for (size_t i = 0; i < sizeof octets; i++) {
        held = held << 8 | octets[i];
        for (bits += 8; bits >= 6; bits -= 6)
            ret_token->text[at++] = alphabet[held >> (bits - 6) & 63];
    }
    ret_token->text[at++] = alphabet[held << (6 - bits) & 63];
    assert(at == TOKEN_LEN);
    secret_wipe(octets, sizeof octets);
}

bool token_read(struct slice text, struct token *ret_token)
{
    text = slice_trim(text);
    if (text.n != TOKEN_LEN || !slice_starts(text, slice_str(prefix)))
        return false;
    for (size_t i = TOKEN_PREFIX; i < TOKEN_LEN; i++) {
        const char *at = memchr(alphabet, text.p[i], sizeof alphabet - 1);
        if (!at)
            return false;
        if (i == TOKEN_LEN - 1 && (at - alphabet) & 3) /* 258 bits of text carry 256: the last two are zero */
            return false;
    }
    memcpy(ret_token->text, text.p, TOKEN_LEN);
    return true;
}

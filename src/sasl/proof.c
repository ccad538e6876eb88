/* The checks of proofs that are no secret: what the vault asks for each candidate. */
#include "crypto/md5.h"
#include "crypto/sha256.h"
#include "sasl/server.h"

/* RFC 5802 section 3: ClientKey := ClientProof XOR ClientSignature, and H(ClientKey) = StoredKey. */
bool sasl_scram_check(const struct sasl_claim *claim, const uint8_t stored_key[SASL_KEY_LEN])
{
    if (claim->proof != SASL_PROOF_SCRAM || claim->flaw != SASL_FLAW_NONE || claim->digest.n != SASL_KEY_LEN)
        return false;
    uint8_t key[SHA256_LEN], hashed[SHA256_LEN];
    hmac_sha256(slice_of(stored_key, SASL_KEY_LEN), claim->message, key);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] ^= (uint8_t)claim->digest.p[i];
    sha256_of(slice_of(key, sizeof key), hashed);
    bool same = secret_same(slice_of(hashed, sizeof hashed), slice_of(stored_key, SASL_KEY_LEN));
    secret_wipe(key, sizeof key);
    return same;
}

/* RFC 2195 section 2. */
bool sasl_cram_check(const struct sasl_claim *claim, struct slice secret)
{
    if (claim->proof != SASL_PROOF_CRAM_MD5 || claim->flaw != SASL_FLAW_NONE || claim->digest.n != MD5_LEN)
        return false;
    uint8_t digest[MD5_LEN];
    hmac_md5(secret, claim->message, digest);
    return secret_same(slice_of(digest, sizeof digest), claim->digest);
}

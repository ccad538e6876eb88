/* scram.h - what clients.c needs of scram.c when a client password is made.            room: vault   runs in: vault */
#ifndef VAULT_SCRAM_H
#define VAULT_SCRAM_H

#include "vault/clients.h"

/* The account's salt and iteration count, made at the first call. Within clients.c's transaction. */
fallible scram_salt_of(
    struct vault *v, const struct account_id *account, uint8_t ret_salt[SCRAM_SALT_LEN],
    uint32_t *ret_rounds);
/* Seals and stores the verifier of one spelling of a client password. */
fallible scram_store(
    struct vault *v, uint64_t id, int64_t spelling, struct slice secret, const uint8_t salt[SCRAM_SALT_LEN],
    uint32_t rounds);

/* Seals and stores the secret of a client password that was made for CRAM-MD5. */
fallible cram_store(struct vault *v, uint64_t id, const struct clientpw *pw);

#endif

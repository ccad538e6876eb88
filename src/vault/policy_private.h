/* policy_private.h - what policy.c (values) and policy_set.c (changes) share.      room: vault   runs in: vault */
#ifndef VAULT_POLICY_PRIVATE_H
#define VAULT_POLICY_PRIVATE_H

#include "vault/policy.h"
#include "vault/private.h"

enum { POLICY_SUBJECT_MAX = LIMIT_DOMAIN + 16 };

/* "password_least is a number from 8 to 128", for a refusal. */
void policy_wanted_put(enum policy_key key, struct buf *out);
/* False: not a mail door's key. */
bool policy_door(enum policy_key key, enum vault_door *ret_door);
int64_t policy_preset(const struct vault *v, enum policy_key key);
/* A stored text as a value (INV-P1). */
int64_t policy_stored(const struct vault *v, enum policy_key key, struct slice text);
/* What is set for just this subject. ERR_NOT_FOUND: nothing. */
fallible policy_get(struct vault *v, struct slice subject, enum policy_key key, int64_t *ret_value);

/* The subjects that hold for somebody; empty ones are left out. */
struct policy_chain {
    struct buf domain, group; /* "domain example.org", "group staff" */
};
void policy_chain_start(struct policy_chain *c, struct slice domain, struct slice group);
void policy_chain_done(struct policy_chain *c);
fallible policy_chain_value(
    struct vault *v, const struct policy_chain *c, enum policy_key key, int64_t *ret_value,
    enum policy_source *ret_source);

#endif

/* Recognising what came. One row for each kind of proof that a mechanism can bring. */
#include <assert.h>
#include <stdio.h>

#include "base/encode.h"
#include "crypto/clientpw.h"
#include "vault/signin_private.h"
#include "vault/tokens.h"

void signin_facts_done(struct signin_facts *f)
{
    if (f->has_client)
        vault_client_done(&f->client);
    secret_wipe(f->server_key, sizeof f->server_key);
    *f = (struct signin_facts){.has_client = false};
}

/* ---- whose ---- */

static fallible find_by_name(struct vault *v, struct slice name, struct signin_facts *f)
{
    f->name = name;
    enum err e = vault_account_find(v, name, &f->account);
    f->has_account = e == OK;
    return e == ERR_NOT_FOUND || e == ERR_SYNTAX ? OK : e;
}

static const struct account_id *account_of(const struct signin_facts *f)
{
    static const struct account_id nobody;
    return f->has_account ? &f->account.id : &nobody;
}

bool signin_is_other(struct vault *v, const struct signin_facts *f, struct slice authzid)
{
    struct vault_account other;
    if (!authzid.n)
        return false;
    return !f->has_account || vault_account_find(v, authzid, &other) != OK ||
           !account_id_eq(&other.id, &f->account.id);
}

/* ---- what ---- */

/* Takes the credential that a look-up found, when it found one. */
static fallible take_client(enum err found, struct signin_facts *f, struct decide_question *q)
{
    f->has_client = found == OK;
    if (found != OK)
        return found == ERR_NOT_FOUND ? OK : found;
    q->kind = vault_client_credential(f->client.kind);
    q->is_revoked = f->client.is_revoked;
    q->scopes = f->client.scopes;
    snprintf(f->recognised, sizeof f->recognised, "credential %llu", (unsigned long long)f->client.id);
    return OK;
}

/* A token is found by itself; it is good under its own account alone. With no name beside it, that one is meant. */
static fallible
find_token(struct vault *v, struct slice text, struct signin_facts *f, struct decide_question *q)
{
    struct token token;
    if (!token_read(text, &token))
        return OK;
    enum err e = vault_token_find(v, &token, &f->client);
    secret_wipe(&token, sizeof token);
    if (e == OK && !f->name.n) {
        e = vault_account_get(v, &f->client.account, &f->account);
        f->has_account = e == OK;
        if (e == OK)
            f->name = slice_str(f->account.address);
    }
    if (e == OK && (!f->has_account || !account_id_eq(&f->client.account, &f->account.id)))
        e = ERR_NOT_FOUND;
    if (e != OK)
        vault_client_done(&f->client);
    return take_client(e, f, q);
}

static fallible recognise_secret(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
    struct decide_question *q)
{
    (void)now_s;
    struct slice typed = secret_reveal(claim->secret);
    struct clientpw pw;
    struct token token;
    TRY(find_by_name(v, claim->authcid, f));
    enum clientpw_look look = clientpw_read(typed, &pw);
    bool is_token = look != CLIENTPW_GOOD && token_read(typed, &token);
    if (look == CLIENTPW_GOOD) {
        enum err e = vault_client_find(v, account_of(f), &pw, &f->client);
        secret_wipe(&pw, sizeof pw);
        return take_client(e, f, q);
    }
    if (is_token) {
        secret_wipe(&token, sizeof token);
        return find_token(v, typed, f, q);
    }
    q->kind = look == CLIENTPW_SLIP ? CREDENTIAL_SLIP : CREDENTIAL_NONE;
    f->may_be_mailbox = true;
    f->is_slip = look == CLIENTPW_SLIP;
    return OK;
}

static fallible recognise_token(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
    struct decide_question *q)
{
    (void)now_s;
    if (claim->authcid.n)
        TRY(find_by_name(v, claim->authcid, f));
    return find_token(v, secret_reveal(claim->secret), f, q);
}

static fallible recognise_certificate(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
    struct decide_question *q)
{
    (void)now_s;
    struct buf hex CLEANUP_BUF = BUF_INIT(2 * CLIENT_CERTIFICATE_HASH_LEN);
    TRY(find_by_name(v, claim->certificate_name, f));
    hex_put(&hex, slice_sub(claim->certificate_hash, 0, CLIENT_CERTIFICATE_HASH_LEN));
    snprintf(f->recognised, sizeof f->recognised, SLICE_FMT, SLICE_ARG(buf_slice(&hex)));
    return take_client(vault_certificate_find(v, account_of(f), claim->certificate_hash, &f->client), f, q);
}

/* All candidates are tried whether or not one has fitted: how many there are behind it does not show. */
struct trying {
    const struct sasl_claim *claim;
    uint64_t fits;
    uint8_t server_key[SASL_KEY_LEN];
};

static bool try_scram(void *owner, uint64_t credential, const struct scram_keys *keys)
{
    struct trying *t = owner;
    if (sasl_scram_check(t->claim, keys->stored_key)) {
        t->fits = credential;
        memcpy(t->server_key, keys->server_key, sizeof t->server_key);
    }
    return false;
}

static bool try_cram(void *owner, uint64_t credential, struct slice secret)
{
    struct trying *t = owner;
    if (sasl_cram_check(t->claim, secret))
        t->fits = credential;
    return false;
}

static fallible
take_fitting(struct vault *v, const struct trying *t, struct signin_facts *f, struct decide_question *q)
{
    memcpy(f->server_key, t->server_key, sizeof f->server_key);
    return take_client(
        t->fits ? vault_client_get(v, account_of(f), t->fits, &f->client) : ERR_NOT_FOUND, f, q);
}

/* A revoked password is recognised, too: so that a phone that goes on with it is one strike, and its owner told which one. */
static fallible recognise_scram(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
    struct decide_question *q)
{
    struct trying t = {.claim = claim};
    uint64_t taken;
    TRY(find_by_name(v, claim->authcid, f));
    enum err e = vault_scram_try(v, account_of(f), now_s, try_scram, &t, &taken);
    if (e == OK && !t.fits)
        e = vault_scram_try_revoked(v, account_of(f), now_s, try_scram, &t, &taken);
    if (e == OK)
        e = take_fitting(v, &t, f, q);
    secret_wipe(&t, sizeof t);
    return e;
}

static fallible recognise_cram(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
    struct decide_question *q)
{
    struct trying t = {.claim = claim};
    uint64_t taken;
    TRY(find_by_name(v, claim->authcid, f));
    TRY(vault_cram_try(v, account_of(f), now_s, try_cram, &t, &taken));
    return take_fitting(v, &t, f, q);
}

static const struct {
    fallible (*recognise)(
        struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
        struct decide_question *q);
    bool is_proof;
} rows[] = {
    [SASL_PROOF_SECRET] = {recognise_secret, false},          [SASL_PROOF_SCRAM] = {recognise_scram, true},
    [SASL_PROOF_CRAM_MD5] = {recognise_cram, true},           [SASL_PROOF_TOKEN] = {recognise_token, false},
    [SASL_PROOF_CERTIFICATE] = {recognise_certificate, true},
};
static_assert(sizeof rows / sizeof *rows == SASL_PROOFS, "a proof without a row");

fallible signin_recognise(
    struct vault *v, const struct sasl_claim *claim, int64_t now_s, struct signin_facts *f,
    struct decide_question *q)
{
    assert((unsigned)claim->proof < SASL_PROOFS);
    f->is_proof = rows[claim->proof].is_proof;
    q->kind = CREDENTIAL_NONE;
    TRY(rows[claim->proof].recognise(v, claim, now_s, f, q));
    q->account = f->has_account ? f->account.status : ACCOUNT_UNKNOWN;
    return OK;
}

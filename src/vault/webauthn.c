#include "vault/webauthn.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/random.h"
#include "factor/ceremony.h"
#include "vault/factors_private.h"

static_assert((int)HASH_LEN == WEBAUTHN_HANDLE, "a handle is a hash");

/* ---- ceremonies ---- */

struct open_ceremony {
    struct list link;
    uint64_t session;
    struct account_id account;
    bool is_registration;
    int64_t started_s;
    uint8_t challenge[WEBAUTHN_CHALLENGE];
};

static void ceremony_drop(struct vault *v, struct open_ceremony *c)
{
    list_drop(&c->link);
    v->ceremony_count--;
    secret_wipe(c, sizeof *c);
    free(c);
}

void vault_forget_ceremonies(struct vault *v)
{
    LIST_EACH (&v->ceremonies, struct open_ceremony, link, c)
        ceremony_drop(v, c);
}

/* A clock that went back ends a ceremony, rather than making it longer. */
static bool is_over(const struct open_ceremony *c, int64_t now_s)
{
    return now_s < c->started_s || now_s - c->started_s >= LIMIT_CEREMONY_TIME;
}

/* What is over, what the session had, and the account's oldest when it has too many. One account cannot push out others. */
static void make_room(struct vault *v, const struct account_id *account, uint64_t session, int64_t now_s)
{
    unsigned of_account = 0;
    LIST_EACH (&v->ceremonies, struct open_ceremony, link, c) {
        if (is_over(c, now_s) || c->session == session)
            ceremony_drop(v, c);
        else
            of_account += account_id_eq(&c->account, account);
    }
    LIST_EACH (&v->ceremonies, struct open_ceremony, link, old) {
        if (of_account < LIMIT_CEREMONIES_PER_ACCOUNT)
            break;
        if (account_id_eq(&old->account, account)) {
            ceremony_drop(v, old);
            of_account--;
        }
    }
}

static struct hash handle_of(struct vault *v, const struct account_id *account)
{
    return factor_lookup(v, "handle", account, SLICE_EMPTY);
}

static fallible start(
    struct vault *v, const struct account_id *account, uint64_t session, bool is_registration, int64_t now_s,
    struct webauthn_asked *ret_asked)
{
    vault_forget_problem(v);
    make_room(v, account, session, now_s);
    if (v->ceremony_count >= LIMIT_CEREMONIES)
        return vault_refuse(v, ERR_LIMIT, "too many security keys are being asked at once: try again");
    struct open_ceremony *c = NEW(struct open_ceremony);
    c->session = session;
    c->account = *account;
    c->is_registration = is_registration;
    c->started_s = now_s;
    random_bytes(c->challenge, sizeof c->challenge);
    list_add(&v->ceremonies, &c->link);
    v->ceremony_count++;
    struct hash handle = handle_of(v, account);
    memcpy(ret_asked->challenge, c->challenge, sizeof c->challenge);
    memcpy(ret_asked->handle, handle.b, sizeof handle.b);
    return OK;
}

/* T-233: whatever the answer is worth, the challenge is gone. */
static fallible take(
    struct vault *v, const struct account_id *account, uint64_t session, bool is_registration, int64_t now_s,
    uint8_t ret_challenge[WEBAUTHN_CHALLENGE])
{
    LIST_EACH (&v->ceremonies, struct open_ceremony, link, c) {
        if (c->session != session)
            continue;
        bool good = account_id_eq(&c->account, account) && c->is_registration == is_registration &&
                    !is_over(c, now_s);
        if (good)
            memcpy(ret_challenge, c->challenge, sizeof c->challenge);
        ceremony_drop(v, c);
        if (good)
            return OK;
        break;
    }
    return vault_refuse(v, ERR_DENIED, "no security key is being asked in this session, or it took too long");
}

static struct ceremony expected_of(
    const struct webauthn_site *site, bool is_registration, const uint8_t challenge[WEBAUTHN_CHALLENGE])
{
    return (struct ceremony){
        .is_registration = is_registration,
        .challenge = slice_of(challenge, WEBAUTHN_CHALLENGE),
        .rp_id = site->rp_id,
        .origins = site->origins,
        .origin_count = site->origin_count,
        .needs_verified = site->needs_verified,
        .needs_bound = site->needs_bound,
    };
}

static enum err refuse_flaw(struct vault *v, enum flaw flaw)
{
    return vault_refuse(v, ERR_DENIED, "the security key's answer does not hold: %s", flaw_name(flaw));
}

/* ---- keys in the store: "1", length of the id in two octets, id, COSE key ---- */

enum { STORED_HEAD = 3, STORED_FORM = '1' };

static void stored_put(struct buf *out, const struct ceremony_credential *c)
{
    buf_put_char(out, STORED_FORM);
    buf_put_char(out, (char)(c->id.n >> 8));
    buf_put_char(out, (char)c->id.n);
    buf_put(out, c->id);
    buf_put(out, c->cose);
}

static fallible stored_read(struct slice stored, struct slice *ret_id, struct slice *ret_cose)
{
    if (stored.n < STORED_HEAD || stored.p[0] != STORED_FORM)
        return ERR_CORRUPT;
    size_t n = (size_t)(unsigned char)stored.p[1] << 8 | (unsigned char)stored.p[2];
    if (stored.n <= STORED_HEAD + n)
        return ERR_CORRUPT;
    *ret_id = slice_sub(stored, STORED_HEAD, n);
    *ret_cose = slice_from(stored, STORED_HEAD + n);
    return OK;
}

static struct hash credential_lookup(struct vault *v, struct slice credential_id)
{
    return factor_lookup(v, "credential", NULL, credential_id);
}

fallible webauthn_ids(struct vault *v, const struct account_id *account, webauthn_id_fn *fn, void *owner)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_LIST);
    stmt_bind(st, "bi", account_slice(account), (int64_t)FACTOR_KEY);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct secret stored CLEANUP_SECRET = SECRET_NONE;
        struct slice id, cose;
        e = factor_unseal(v, (uint64_t)stmt_col_int(st, 0), stmt_col(st, 4), &stored);
        if (e == OK)
            e = stored_read(secret_reveal(&stored), &id, &cose);
        if (e != OK)
            break;
        fn(owner, id);
    }
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

/* ---- registration ---- */

fallible webauthn_register_start(
    struct vault *v, const struct account_id *account, uint64_t session, int64_t now_s,
    struct webauthn_asked *ret_asked)
{
    return start(v, account, session, true, now_s, ret_asked);
}

static fallible add_key(
    struct vault *v, const struct account_id *account, const struct ceremony_credential *made,
    struct slice label, int64_t now_s, uint64_t *ret_id)
{
    struct hash lookup = credential_lookup(v, made->id);
    struct buf stored CLEANUP_BUF = BUF_INIT(FACTOR_SEALED_MAX);
    stored_put(&stored, made);
    TRY(buf_check(&stored));
    struct factor_row row = {
        .kind = FACTOR_KEY,
        .status = FACTOR_LIVE,
        .label = label,
        .secret = buf_slice(&stored),
        .lookup = hash_slice(&lookup),
        .counter = made->counter,
        .now_s = now_s,
    };
    enum err e = factor_row_add(v, account, &row, ret_id);
    if (e == ERR_EXISTS)
        return vault_refuse(v, e, "this security key is registered already");
    TRY(e);
    return factor_tell(v, account, FACTOR_KEY, "added", now_s);
}

fallible webauthn_register_finish(
    struct vault *v, const struct account_id *account, uint64_t session, const struct webauthn_site *site,
    const struct webauthn_registration *answer, struct slice label, int64_t now_s, uint64_t *ret_factor)
{
    uint8_t challenge[WEBAUTHN_CHALLENGE];
    struct ceremony_credential made;
    uint64_t id = 0;
    vault_forget_problem(v);
    TRY(take(v, account, session, true, now_s, challenge));
    TRY(factor_check_new(v, account, FACTOR_KEY, label));
    struct ceremony expected = expected_of(site, true, challenge);
    enum flaw flaw = ceremony_register(&expected, answer->client_data, answer->attestation, &made);
    if (flaw != FLAW_NONE)
        return refuse_flaw(v, flaw);
    enum err e = db_begin(accounts_db(v));
    if (e != OK)
        return vault_failed(v, e);
    TRY(factor_end(v, add_key(v, account, &made, label, now_s, &id)));
    factor_audit(v, "factor.enrolled", account, FACTOR_KEY, id);
    *ret_factor = id;
    return OK;
}

/* ---- assertion ---- */

fallible webauthn_check_start(
    struct vault *v, const struct account_id *account, uint64_t session, int64_t now_s,
    struct webauthn_asked *ret_asked)
{
    return start(v, account, session, false, now_s, ret_asked);
}

struct key {
    uint64_t id;
    uint32_t counter;
    bool is_suspect;
    struct secret stored;
};

/* T-236: among this account's keys only. */
static fallible
find_key(struct vault *v, const struct account_id *account, struct slice credential_id, struct key *ret_key)
{
    struct hash lookup = credential_lookup(v, credential_id);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FACTOR_FIND);
    stmt_bind(st, "bbi", hash_slice(&lookup), account_slice(account), (int64_t)FACTOR_KEY);
    TRY(stmt_step(st));
    struct key key = {
        .id = (uint64_t)stmt_col_int(st, 0),
        .counter = (uint32_t)stmt_col_int(st, 5),
        .is_suspect = stmt_col_int(st, 8) != FACTOR_LIVE,
    };
    enum err e = factor_unseal(v, key.id, stmt_col(st, 4), &key.stored);
    if (e == OK)
        *ret_key = key;
    return e;
}

static bool is_owner(struct vault *v, const struct account_id *account, struct slice handle)
{
    struct hash own = handle_of(v, account);
    return !handle.n || secret_same(handle, hash_slice(&own));
}

/* 7.2 step 21: one that counts must count up. */
static bool went_back(uint32_t stored, uint32_t counter)
{
    return (stored || counter) && counter <= stored;
}

static fallible note_use(
    struct vault *v, const struct account_id *account, const struct key *key, uint32_t counter,
    bool is_suspect, int64_t now_s)
{
    struct stmt *st = db_stmt(accounts_db(v), is_suspect ? A_FACTOR_SUSPECT : A_FACTOR_USED);
    if (is_suspect)
        stmt_bind(st, "i", (int64_t)key->id);
    else
        stmt_bind(st, "iii", (int64_t)key->id, (int64_t)counter, now_s);
    TRY(stmt_run(st));
    return is_suspect ? factor_tell(v, account, FACTOR_KEY, "suspect", now_s) : OK;
}

static fallible judge(
    struct vault *v, const struct account_id *account, const struct key *key, const struct ceremony *expected,
    const struct webauthn_assertion *answer, int64_t now_s, struct factor_result *result)
{
    struct slice id, cose;
    uint32_t counter = 0;
    struct ceremony_assertion given = {
        .client_data = answer->client_data,
        .authenticator_data = answer->authenticator_data,
        .signature = answer->signature,
    };
    TRY(stored_read(secret_reveal(&key->stored), &id, &cose));
    enum flaw flaw = is_owner(v, account, answer->user_handle)
                         ? ceremony_assert(expected, cose, &given, &counter)
                         : FLAW_CREDENTIAL;
    if (flaw != FLAW_NONE) {
        IGNORE(refuse_flaw(v, flaw), "the verdict says it; the words are for the owner");
        return OK;
    }
    result->factor = key->id;
    bool newly = !key->is_suspect && went_back(key->counter, counter);
    result->verdict = key->is_suspect || newly ? FACTOR_ANOTHER : FACTOR_YES;
    if (key->is_suspect)
        return OK;
    enum err e = db_begin(accounts_db(v));
    if (e != OK)
        return vault_failed(v, e);
    TRY(factor_end(v, note_use(v, account, key, counter, newly, now_s)));
    if (newly)
        factor_audit(v, "factor.suspect", account, FACTOR_KEY, key->id);
    return OK;
}

fallible webauthn_check_finish(
    struct vault *v, const struct account_id *account, uint64_t session, const struct webauthn_site *site,
    const struct webauthn_assertion *answer, int64_t now_s, struct factor_result *ret_result)
{
    uint8_t challenge[WEBAUTHN_CHALLENGE];
    struct key key = {.stored = SECRET_NONE};
    struct factors_have have;
    vault_forget_problem(v);
    TRY(take(v, account, session, false, now_s, challenge));
    TRY(factors_count(v, account, &have));
    struct factor_result result = {.verdict = have.keys ? FACTOR_WRONG : FACTOR_NONE};
    enum err e = find_key(v, account, answer->credential_id, &key);
    if (e == OK) {
        struct ceremony expected = expected_of(site, false, challenge);
        result.verdict = FACTOR_WRONG;
        e = judge(v, account, &key, &expected, answer, now_s, &result);
        secret_free(&key.stored);
    } else if (e == ERR_NOT_FOUND) {
        e = OK;
    } else {
        e = vault_failed(v, e);
    }
    if (e == OK)
        *ret_result = result;
    return e;
}

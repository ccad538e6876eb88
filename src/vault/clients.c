/* clients.c - making, changing, rotating and revoking credentials. */
#include "vault/clients.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "vault/accounts.h"
#include "vault/clients_private.h"
#include "vault/scram.h"

enum { SCOPE_MEMORY = 65536, FACTS = LIMIT_NOTICE_FACTS };

/* ---- telling ---- */

void client_facts(struct vault *v, const struct vault_client *c, struct buf *facts)
{
    struct buf doors CLEANUP_BUF = BUF_INIT(64);
    vault_doors_put(c->scopes.doors, &doors);
    notice_fact_int(facts, "credential", (int64_t)c->id);
    notice_fact(facts, "label", slice_str(c->label));
    notice_fact(facts, "kind", slice_str(vault_client_kind_name(c->kind)));
    notice_fact(facts, "doors", buf_slice(&doors));
    notice_fact(facts, "by", buf_slice(&v->actor));
    notice_fact_int(facts, "when_s", clock_unix_s());
}

void client_audit(struct vault *v, const char *kind, const struct vault_client *c, struct slice more)
{
    struct vault_account a;
    struct buf body CLEANUP_BUF = BUF_INIT(FACTS + LIMIT_SCOPE_TEXT);
    if (vault_account_get(v, &c->account, &a) != OK)
        return;
    client_facts(v, c, &body);
    buf_put(&body, more);
    vault_audit(v, kind, slice_str(a.address), &body);
}

void client_tell_revoked(struct vault *v, const struct account_id *account, uint64_t id, uint32_t version)
{
    if (v->events && v->events->revoked)
        v->events->revoked(v->owner, account, id, version);
}

static fallible
notify(struct vault *v, enum notice_kind kind, const struct vault_client *c, struct slice more)
{
    struct buf facts CLEANUP_BUF = BUF_INIT(FACTS);
    client_facts(v, c, &facts);
    buf_put(&facts, more);
    return vault_notice_add(v, VAULT_CLIENTS, &c->account, kind, buf_slice(&facts));
}

/* What a credential is limited to, for the journal. */
static void put_scope_facts(const struct vault_client *c, struct buf *out)
{
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    struct slice line, rest;
    buf_printf(
        out, "receive=%s\nsend=%s\nexpires_s=%lld\n", c->scopes.can_receive ? "yes" : "no",
        c->scopes.can_send ? "yes" : "no", (long long)c->scopes.expires_s);
    scope_write(&c->scopes.limits, &limits);
    rest = buf_slice(&limits);
    while (slice_cut(&rest, '\n', &line))
        if (line.n)
            buf_printf(out, "limit." SLICE_FMT "\n", SLICE_ARG(line));
}

/* ---- work within one transaction ---- */

/* One change: what it needs, and what it leaves. */
struct change {
    struct account_id account;
    struct vault_client client; /* as it is written, or as it was */
    struct slice limits;        /* canonical lines */
    struct slice lookup, bound; /* bound empty: none */
    const struct clientpw *pw;  /* of a password */
    bool cram_md5;
    const struct vault_client *old; /* rotate */
    uint32_t grace_s;
};
typedef enum err change_fn(struct vault *v, struct change *change);

static fallible in_transaction(struct vault *v, struct change *change, change_fn *work)
{
    enum err e = db_begin(clients_db(v));
    if (e == OK) {
        e = work(v, change);
        if (e == OK)
            e = db_commit(clients_db(v));
        else
            db_rollback(clients_db(v));
    }
    return e;
}

static fallible insert_limits(struct vault *v, uint64_t id, struct slice lines)
{
    struct slice line;
    while (slice_cut(&lines, '\n', &line)) {
        struct slice name;
        if (!line.n)
            continue;
        slice_cut(&line, '=', &name);
        const struct scope_kind_row *kind = scope_kind_by_name(name);
        assert(kind); /* scope_write wrote it */
        struct stmt *st = db_stmt(clients_db(v), C_LIMIT_ADD);
        stmt_bind(st, "iit", (int64_t)id, (int64_t)kind->kind, line);
        TRY(stmt_run(st));
    }
    return OK;
}

static fallible
insert_verifiers(struct vault *v, const struct account_id *account, uint64_t id, const struct clientpw *pw)
{
    uint8_t salt[SCRAM_SALT_LEN];
    uint32_t rounds;
    TRY(scram_salt_of(v, account, salt, &rounds));
    char shown[CLIENTPW_SHOWN];
    clientpw_show(pw, shown);
    enum err e = scram_store(v, id, STORED_AS_SHOWN, slice_of(shown, sizeof shown), salt, rounds);
    secret_wipe(shown, sizeof shown);
    TRY(e);
    return scram_store(v, id, STORED_WITHOUT_SEPARATORS, clientpw_slice(pw), salt, rounds);
}

static fallible insert_row(struct vault *v, const struct change *change)
{
    const struct vault_client *c = &change->client;
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_ADD);
    stmt_blob(st, 1, id_slice(&change->account));
    stmt_int(st, 2, (int64_t)c->kind);
    stmt_text(st, 3, slice_str(c->label));
    stmt_blob(st, 4, change->lookup);
    if (change->bound.n)
        stmt_blob(st, 5, change->bound);
    else
        stmt_null(st, 5);
    stmt_int(st, 6, (int64_t)c->scopes.doors);
    stmt_int(st, 7, c->scopes.can_receive);
    stmt_int(st, 8, c->scopes.can_send);
    stmt_int(st, 9, c->scopes.expires_s);
    stmt_int(st, 10, c->created_s);
    stmt_text(st, 11, buf_slice(&v->actor));
    return stmt_run(st);
}

static fallible insert_credential(struct vault *v, struct change *change)
{
    struct vault_client *c = &change->client;
    TRY(insert_row(v, change));
    c->id = (uint64_t)db_last_id(clients_db(v));
    TRY(insert_limits(v, c->id, change->limits));
    if (change->pw)
        TRY(insert_verifiers(v, &change->account, c->id, change->pw));
    return change->pw && change->cram_md5 ? cram_store(v, c->id, change->pw) : OK;
}

static fallible add_in_transaction(struct vault *v, struct change *change)
{
    TRY(insert_credential(v, change));
    return notify(v, NOTICE_CLIENT_ADDED, &change->client, SLICE_EMPTY);
}

/* ---- making ---- */

static fallible check_room(struct vault *v, const struct account_id *account)
{
    uint32_t live = 0;
    enum err e = vault_client_count(v, account, &live);
    if (e != OK)
        return vault_failed(v, e);
    if (live >= LIMIT_CLIENTS_PER_ACCOUNT)
        return vault_refuse(
            v, ERR_LIMIT, "the account has %d live client passwords already: revoke one that is not used",
            (int)LIMIT_CLIENTS_PER_ACCOUNT);
    return OK;
}

/* Label, expiry, directions, doors and limits, for a new one and for a change. */
static fallible check_wanted(struct vault *v, const struct vault_client_new *n)
{
    if (!n->can_receive && !n->can_send)
        return vault_refuse(v, ERR_SYNTAX, "a client password must be allowed to receive, to send, or both");
    if (!n->label.n || !vault_text_is_good(n->label, LIMIT_CLIENT_LABEL))
        return vault_refuse(v, ERR_SYNTAX, "a label is UTF-8 text without control characters, not empty");
    if (n->expires_s < 0 || (n->expires_s && n->expires_s <= clock_unix_s()))
        return vault_refuse(v, ERR_SYNTAX, "the expiry is in the past");
    if (n->doors & ~(unsigned)VAULT_DOORS_ALL)
        return vault_refuse(v, ERR_SYNTAX, "there is no such door");
    return OK;
}

/* Limits to their canonical text, which lies in `text`, and to the scope in the client's arena. */
static fallible take_limits(struct vault *v, struct slice lines, struct vault_client *c, struct buf *text)
{
    struct buf problem CLEANUP_BUF = BUF_INIT(512);
    enum err e = scope_parse(lines, &c->arena, &c->scopes.limits, &problem);
    if (e == OK) {
        scope_write(&c->scopes.limits, text);
        e = buf_check(text);
    }
    if (e != OK)
        return vault_refuse(v, e == ERR_LIMIT ? e : ERR_SYNTAX, SLICE_FMT, SLICE_ARG(buf_slice(&problem)));
    return OK;
}

static void take_wanted(const struct vault_client_new *n, struct vault_client *c)
{
    c->scopes.doors = n->doors ? n->doors : (unsigned)VAULT_DOORS_MAIL;
    c->scopes.can_receive = n->can_receive;
    c->scopes.can_send = n->can_send;
    c->scopes.expires_s = n->expires_s;
    vault_copy_text(c->label, sizeof c->label, n->label);
}

static void tell_added(struct vault *v, const struct vault_client *c)
{
    struct buf more CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT * 2);
    put_scope_facts(c, &more);
    client_audit(v, "client.added", c, buf_slice(&more));
}

/* All kinds: checked, written, told. */
static fallible add_credential(
    struct vault *v, struct change *change, const struct vault_client_new *n, enum vault_client_kind kind,
    uint64_t *ret_id)
{
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    struct vault_client *c = &change->client;
    *c = (struct vault_client){
        .kind = kind, .account = change->account, .version = 1, .arena = ARENA_INIT(SCOPE_MEMORY)};
    enum err e = check_wanted(v, n);
    if (e == OK)
        e = take_limits(v, n->limits, c, &limits);
    if (e == OK)
        e = check_room(v, &change->account);
    if (e == OK) {
        take_wanted(n, c);
        c->created_s = c->scopes.created_s = clock_unix_s();
        change->limits = buf_slice(&limits);
        change->cram_md5 = n->cram_md5;
        e = in_transaction(v, change, add_in_transaction);
        if (e == ERR_EXISTS)
            e = vault_refuse(v, e, "this certificate stands under the account already");
        else if (e != OK)
            e = vault_failed(v, e);
    }
    if (e == OK) {
        *ret_id = c->id;
        tell_added(v, c);
    }
    vault_client_done(c);
    return e;
}

fallible vault_client_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *n,
    struct clientpw *ret_pw, uint64_t *ret_id)
{
    struct clientpw pw;
    clientpw_make(&pw);
    struct hash lookup = client_lookup_password(v, account, &pw);
    struct change change = {.account = *account, .lookup = hash_slice(&lookup), .pw = &pw};
    enum err e = add_credential(v, &change, n, CLIENT_PASSWORD, ret_id);
    if (e == OK)
        *ret_pw = pw;
    secret_wipe(&pw, sizeof pw);
    return e;
}

fallible vault_token_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *n,
    struct token *ret_token, uint64_t *ret_id)
{
    struct token token;
    token_make(&token);
    struct hash lookup = client_lookup_token(v, &token), bound = client_bound(v, account, &lookup);
    struct change change = {.account = *account, .lookup = hash_slice(&lookup), .bound = hash_slice(&bound)};
    enum err e = add_credential(v, &change, n, CLIENT_TOKEN, ret_id);
    if (e == OK)
        *ret_token = token;
    secret_wipe(&token, sizeof token);
    return e;
}

fallible vault_certificate_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *n, struct slice hash,
    uint64_t *ret_id)
{
    if (hash.n != CLIENT_CERTIFICATE_HASH_LEN)
        return vault_refuse(v, ERR_SYNTAX, "a certificate is named by the 64 hex digits of its SHA-256");
    struct hash lookup = client_lookup_certificate(v, account, hash);
    struct change change = {.account = *account, .lookup = hash_slice(&lookup)};
    return add_credential(v, &change, n, CLIENT_CERTIFICATE, ret_id);
}

/* ---- changing ---- */

static fallible
get_unrevoked(struct vault *v, const struct account_id *account, uint64_t id, struct vault_client *ret_client)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    TRY(vault_client_get(v, account, id, &c));
    if (c.is_revoked)
        return vault_refuse(v, ERR_STATE, "this client password was revoked: make a new one");
    *ret_client = c;
    c.arena = ARENA_INIT(0);
    return OK;
}

static fallible remove_limits(struct vault *v, uint64_t id)
{
    struct stmt *st = db_stmt(clients_db(v), C_LIMIT_REMOVE);
    stmt_bind(st, "i", (int64_t)id);
    return stmt_run(st);
}

static fallible change_in_transaction(struct vault *v, struct change *change)
{
    const struct vault_client *c = &change->client;
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_CHANGE);
    stmt_bind(
        st, "ibtiiii", (int64_t)c->id, id_slice(&c->account), slice_str(c->label), (int64_t)c->scopes.doors,
        (int64_t)c->scopes.can_receive, (int64_t)c->scopes.can_send, c->scopes.expires_s);
    TRY(stmt_run(st));
    TRY(remove_limits(v, c->id));
    TRY(insert_limits(v, c->id, change->limits));
    return notify(v, NOTICE_CLIENT_CHANGED, c, SLICE_EMPTY);
}

fallible vault_client_change(
    struct vault *v, const struct account_id *account, uint64_t id, const struct vault_client_change *wanted)
{
    struct vault_client old CLEANUP_CLIENT = {.id = 0};
    TRY(get_unrevoked(v, account, id, &old));
    struct vault_client_new n = {
        .label = wanted->label.n ? wanted->label : slice_str(old.label),
        .doors = wanted->doors,
        .can_receive = wanted->can_receive,
        .can_send = wanted->can_send,
        .expires_s = wanted->expires_s,
    };
    TRY(check_wanted(v, &n));
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT),
                      more CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT * 2);
    struct change change = {.account = *account, .client = old};
    struct vault_client *c = &change.client;
    c->arena = ARENA_INIT(SCOPE_MEMORY);
    enum err e = take_limits(v, wanted->limits, c, &limits);
    if (e == OK) {
        take_wanted(&n, c);
        change.limits = buf_slice(&limits);
        e = in_transaction(v, &change, change_in_transaction);
        if (e != OK)
            e = vault_failed(v, e);
    }
    if (e == OK) {
        bool is_narrower =
            !old.scopes.has_unknown_limit && scope_is_within(&c->scopes.limits, &old.scopes.limits);
        buf_printf(&more, "narrower=%s\n", is_narrower ? "yes" : "no");
        put_scope_facts(c, &more);
        client_tell_revoked(v, account, id, old.version + 1);
        client_audit(v, "client.changed", c, buf_slice(&more));
    }
    vault_client_done(c);
    return e;
}

/* ---- rotating ---- */

static fallible revoke_row(struct vault *v, const struct vault_client *c)
{
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_REVOKE);
    stmt_bind(st, "ibi", (int64_t)c->id, id_slice(&c->account), clock_unix_s());
    return stmt_run(st);
}

static fallible rotate_in_transaction(struct vault *v, struct change *change)
{
    const struct vault_client *old = change->old;
    int64_t ends_s = clock_unix_s() + change->grace_s;
    if (old->scopes.expires_s && old->scopes.expires_s < ends_s)
        ends_s = old->scopes.expires_s;
    TRY(insert_credential(v, change));
    TRY(budget_copy(v, old->id, change->client.id));
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_REPLACE);
    stmt_bind(st, "iii", (int64_t)old->id, (int64_t)change->client.id, ends_s);
    TRY(stmt_run(st));
    if (!change->grace_s)
        TRY(revoke_row(v, old));
    char more[64];
    int n = snprintf(
        more, sizeof more, "replaces=%llu\nends_s=%lld\n", (unsigned long long)old->id, (long long)ends_s);
    return notify(v, NOTICE_CLIENT_ROTATED, &change->client, slice_of(more, (size_t)n));
}

/* The new one as the old one was, in its own arena. */
static fallible copy_credential(
    struct vault *v, const struct vault_client *old, struct vault_client *ret_new, struct buf *limits)
{
    struct vault_client c = *old;
    struct buf lines CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    c.arena = ARENA_INIT(SCOPE_MEMORY);
    c.created_s = c.scopes.created_s = clock_unix_s();
    c.version = 1;
    c.scopes.is_frozen = false;
    scope_write(&old->scopes.limits, &lines);
    enum err e = take_limits(v, buf_slice(&lines), &c, limits);
    if (e != OK)
        vault_client_done(&c);
    else
        *ret_new = c;
    return e;
}

static fallible check_rotation(struct vault *v, const struct vault_client *old, uint32_t grace_s)
{
    if (old->kind == CLIENT_CERTIFICATE)
        return vault_refuse(
            v, ERR_UNSUPPORTED, "a certificate is renewed outside: add the new one, revoke the old one");
    if (old->scopes.has_unknown_limit)
        return vault_refuse(v, ERR_STATE, "it has a limit that this release does not know: make a new one");
    if (old->scopes.is_frozen)
        return vault_refuse(v, ERR_STATE, "it is frozen: look at it and thaw it first");
    if (old->rotated_to)
        return vault_refuse(
            v, ERR_STATE, "it was rotated already, to %llu", (unsigned long long)old->rotated_to);
    if (old->scopes.expires_s && old->scopes.expires_s <= clock_unix_s())
        return vault_refuse(v, ERR_STATE, "it has expired: change its expiry first, or make a new one");
    return grace_s ? check_room(v, &old->account) : OK;
}

static fallible
rotate_to(struct vault *v, const struct vault_client *old, struct change *change, uint32_t grace_s)
{
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    change->account = old->account;
    change->old = old;
    change->grace_s = grace_s;
    change->cram_md5 = old->has_cram_md5;
    TRY(copy_credential(v, old, &change->client, &limits));
    change->limits = buf_slice(&limits);
    enum err e = in_transaction(v, change, rotate_in_transaction);
    if (e == OK) {
        char more[64];
        int n =
            snprintf(more, sizeof more, "replaces=%llu\ngrace_s=%u\n", (unsigned long long)old->id, grace_s);
        client_tell_revoked(v, &old->account, old->id, old->version + (grace_s ? 1 : 2));
        client_audit(v, "client.rotated", &change->client, slice_of(more, (size_t)n));
    }
    vault_client_done(&change->client);
    return e == OK ? OK : vault_failed(v, e);
}

static fallible rotate_password(
    struct vault *v, const struct vault_client *old, uint32_t grace_s, struct vault_shown *ret_shown,
    uint64_t *ret_id)
{
    struct clientpw pw;
    clientpw_make(&pw);
    struct hash lookup = client_lookup_password(v, &old->account, &pw);
    struct change change = {.lookup = hash_slice(&lookup), .pw = &pw};
    enum err e = rotate_to(v, old, &change, grace_s);
    if (e == OK) {
        static_assert(sizeof ret_shown->text >= CLIENTPW_SHOWN, "room for a password");
        clientpw_show(&pw, ret_shown->text);
        ret_shown->n = CLIENTPW_SHOWN;
        *ret_id = change.client.id;
    }
    secret_wipe(&pw, sizeof pw);
    return e;
}

static fallible rotate_token(
    struct vault *v, const struct vault_client *old, uint32_t grace_s, struct vault_shown *ret_shown,
    uint64_t *ret_id)
{
    struct token token;
    token_make(&token);
    struct hash lookup = client_lookup_token(v, &token), bound = client_bound(v, &old->account, &lookup);
    struct change change = {.lookup = hash_slice(&lookup), .bound = hash_slice(&bound)};
    enum err e = rotate_to(v, old, &change, grace_s);
    if (e == OK) {
        static_assert(sizeof ret_shown->text >= TOKEN_LEN, "room for a token");
        memcpy(ret_shown->text, token.text, TOKEN_LEN);
        ret_shown->n = TOKEN_LEN;
        *ret_id = change.client.id;
    }
    secret_wipe(&token, sizeof token);
    return e;
}

fallible vault_client_rotate(
    struct vault *v, const struct account_id *account, uint64_t id, uint32_t grace_s,
    struct vault_shown *ret_shown, uint64_t *ret_id)
{
    struct vault_client old CLEANUP_CLIENT = {.id = 0};
    TRY(get_unrevoked(v, account, id, &old));
    TRY(check_rotation(v, &old, grace_s));
    return old.kind == CLIENT_TOKEN ? rotate_token(v, &old, grace_s, ret_shown, ret_id)
                                    : rotate_password(v, &old, grace_s, ret_shown, ret_id);
}

/* ---- thawing, revoking, removing ---- */

static fallible thaw_in_transaction(struct vault *v, struct change *change)
{
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_THAW);
    stmt_bind(st, "i", (int64_t)change->client.id);
    TRY(stmt_run(st));
    return budget_reset(v, change->client.id);
}

fallible vault_client_thaw(struct vault *v, const struct account_id *account, uint64_t id)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    TRY(get_unrevoked(v, account, id, &c));
    if (!c.scopes.is_frozen)
        return OK;
    struct change change = {.account = *account, .client = c};
    enum err e = in_transaction(v, &change, thaw_in_transaction);
    if (e != OK)
        return vault_failed(v, e);
    client_tell_revoked(v, account, id, c.version + 1);
    client_audit(v, "client.thawed", &c, SLICE_EMPTY);
    return OK;
}

static fallible revoke_in_transaction(struct vault *v, struct change *change)
{
    TRY(revoke_row(v, &change->client));
    return notify(v, NOTICE_CLIENT_REVOKED, &change->client, SLICE_EMPTY);
}

fallible vault_client_revoke(struct vault *v, const struct account_id *account, uint64_t id)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    TRY(vault_client_get(v, account, id, &c));
    if (c.is_revoked)
        return OK;
    struct change change = {.account = *account, .client = c};
    enum err e = in_transaction(v, &change, revoke_in_transaction);
    if (e != OK)
        return vault_failed(v, e);
    client_tell_revoked(v, account, id, c.version + 1);
    client_audit(v, "client.revoked", &c, SLICE_EMPTY);
    return OK;
}

static fallible remove_in_transaction(struct vault *v, struct change *change)
{
    static const unsigned parts[] = {C_LIMIT_REMOVE, C_VERIFIER_REMOVE, C_CRAM_REMOVE};
    const struct vault_client *c = &change->client;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct stmt *st = db_stmt(clients_db(v), parts[i]);
        stmt_bind(st, "i", (int64_t)c->id);
        TRY(stmt_run(st));
    }
    TRY(budget_reset(v, c->id));
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_REMOVE);
    stmt_bind(st, "ib", (int64_t)c->id, id_slice(&c->account));
    TRY(stmt_run(st));
    return c->is_revoked ? OK : notify(v, NOTICE_CLIENT_REVOKED, c, SLICE_EMPTY);
}

fallible vault_client_remove(struct vault *v, const struct account_id *account, uint64_t id)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    TRY(vault_client_get(v, account, id, &c));
    struct change change = {.account = *account, .client = c};
    enum err e = in_transaction(v, &change, remove_in_transaction);
    if (e != OK)
        return vault_failed(v, e);
    client_tell_revoked(v, account, id, UINT32_MAX);
    client_audit(v, "client.removed", &c, SLICE_EMPTY);
    return OK;
}

static fallible remove_all_in_transaction(struct vault *v, struct change *change)
{
    static const unsigned parts[] = {
        C_LIMIT_REMOVE_OF_ACCOUNT,
        C_VERIFIER_REMOVE_OF_ACCOUNT,
        C_CRAM_REMOVE_OF_ACCOUNT,
        C_SPENT_REMOVE_OF_ACCOUNT,
        C_RECIPIENT_REMOVE_OF_ACCOUNT,
        C_CREDENTIAL_REMOVE_OF_ACCOUNT,
        C_SCRAM_REMOVE,
        C_DECISION_REMOVE_OF_ACCOUNT,
        C_KNOWN_REMOVE_OF_ACCOUNT,
        C_NOTICE_REMOVE_OF_ACCOUNT};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct stmt *st = db_stmt(clients_db(v), parts[i]);
        stmt_bind(st, "b", id_slice(&change->account));
        TRY(stmt_run(st));
    }
    return OK;
}

fallible vault_clients_remove_all(struct vault *v, const struct account_id *account)
{
    struct change change = {.account = *account};
    enum err e = in_transaction(v, &change, remove_all_in_transaction);
    if (e != OK)
        return vault_failed(v, e);
    budget_forget_account(v, account);
    return OK;
}

#include "vault/clients.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "vault/accounts.h"
#include "vault/private.h"
#include "vault/scram.h"

static struct slice id_slice(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

/* INV-V1, INV-V2: keyed, and bound to the account. */
static struct hash lookup_of(struct vault *v, const struct account_id *account, const struct clientpw *pw)
{
    struct hash_state s;
    hash_start(&s, &v->lookup);
    hash_add_piece(&s, id_slice(account));
    hash_add_piece(&s, clientpw_slice(pw));
    return hash_end(&s);
}

/* ---- reading ---- */

static fallible read_limits(struct vault *v, struct vault_client *c)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_LIMIT_LIST);
    stmt_bind(st, "i", (int64_t)c->id);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        bool known =
            stmt_col_int(st, 0) == STORED_LIMIT_NETWORK && c->scopes.network_count < LIMIT_CLIENT_NETWORKS;
        if (known && ip_net_parse(stmt_col(st, 1), &c->networks[c->scopes.network_count]) == OK)
            c->scopes.network_count++;
        else
            c->scopes.has_unknown_limit = true;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible read_row(struct stmt *st, struct vault_client *c)
{
    if (stmt_col(st, 1).n != sizeof c->account || stmt_col(st, 3).n > LIMIT_CLIENT_LABEL ||
        stmt_col(st, 12).n > LIMIT_PROGRAM_NAME)
        return ERR_CORRUPT;
    *c = (struct vault_client){
        .id = (uint64_t)stmt_col_int(st, 0),
        .version = (uint32_t)stmt_col_int(st, 2),
        .scopes =
            {
                .doors = (unsigned)stmt_col_int(st, 4),
                .can_receive = stmt_col_int(st, 5) != 0,
                .can_send = stmt_col_int(st, 6) != 0,
                .expires_s = stmt_col_int(st, 7),
                .networks = c->networks,
            },
        .is_revoked = stmt_col_int(st, 8) != STORED_LIVE,
        .created_s = stmt_col_int(st, 9),
        .last_used_s = stmt_col_int(st, 10),
    };
    memcpy(c->account.b, stmt_col(st, 1).p, sizeof c->account);
    vault_copy_text(c->label, sizeof c->label, stmt_col(st, 3));
    if (stmt_col(st, 11).n == sizeof c->last_from)
        memcpy(c->last_from.b, stmt_col(st, 11).p, sizeof c->last_from);
    vault_copy_text(c->last_program, sizeof c->last_program, stmt_col(st, 12));
    return OK;
}

/* One row of a statement that is bound; with its limits, in place. */
static fallible read_one(struct vault *v, struct stmt *st, struct vault_client *ret_client)
{
    TRY(stmt_step(st));
    TRY(read_row(st, ret_client));
    return read_limits(v, ret_client);
}

fallible vault_client_find(
    struct vault *v, const struct account_id *account, const struct clientpw *pw,
    struct vault_client *ret_client)
{
    struct hash lookup = lookup_of(v, account, pw);
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_FIND);
    stmt_bind(st, "bb", hash_slice(&lookup), id_slice(account));
    return read_one(v, st, ret_client);
}

fallible vault_client_get(
    struct vault *v, const struct account_id *account, uint64_t id, struct vault_client *ret_client)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_GET);
    stmt_bind(st, "ib", (int64_t)id, id_slice(account));
    enum err e = read_one(v, st, ret_client);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "the account has no client password of this number");
    return e == OK ? OK : vault_failed(v, e);
}

fallible
vault_client_list(struct vault *v, const struct account_id *account, vault_client_fn *fn, void *owner)
{
    IGNORE(vault_flush(v), "last uses may then be a few seconds old");
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_LIST);
    stmt_bind(st, "b", id_slice(account));
    struct vault_client c;
    enum err e;
    while ((e = read_one(v, st, &c)) == OK)
        fn(owner, &c);
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

fallible vault_client_count(struct vault *v, const struct account_id *account, uint32_t *ret_count)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_COUNT);
    stmt_bind(st, "bi", id_slice(account), clock_unix_s());
    TRY(stmt_step(st));
    *ret_count = (uint32_t)stmt_col_int(st, 0);
    return OK;
}

fallible vault_client_is_live(
    struct vault *v, const struct account_id *account, uint64_t id, uint32_t version, int64_t now_s)
{
    struct vault_account a;
    enum err e = vault_account_get(v, account, &a);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(e);
    if (a.status != ACCOUNT_ACTIVE)
        return ERR_DENIED;
    if (id == VAULT_MAILBOX_CREDENTIAL)
        return a.version == version ? OK : ERR_DENIED;
    struct vault_client c;
    e = vault_client_get(v, account, id, &c);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(e);
    bool expired = c.scopes.expires_s && now_s >= c.scopes.expires_s;
    return c.is_revoked || expired || c.version != version ? ERR_DENIED : OK;
}

/* ---- making ---- */

struct networks {
    struct slice text[LIMIT_CLIENT_NETWORKS];
    size_t n;
};

static fallible split_networks(struct vault *v, struct slice list, struct networks *ret_networks)
{
    struct networks out = {.n = 0};
    while (list.n) {
        size_t at = 0;
        while (at < list.n && list.p[at] != ' ' && list.p[at] != ',')
            at++;
        struct slice word = slice_sub(list, 0, at);
        list = slice_from(list, at + 1);
        struct ip_net net;
        if (!word.n)
            continue;
        if (ip_net_parse(word, &net) != OK)
            return vault_refuse(
                v, ERR_SYNTAX, "\"" SLICE_FMT "\" is not a network as 192.0.2.0/24 or 2001:db8::/32",
                SLICE_ARG(slice_sub(word, 0, 64)));
        if (out.n == LIMIT_CLIENT_NETWORKS)
            return vault_refuse(v, ERR_LIMIT, "at most %d networks", (int)LIMIT_CLIENT_NETWORKS);
        out.text[out.n++] = word;
    }
    *ret_networks = out;
    return OK;
}

static fallible check_new(
    struct vault *v, const struct account_id *account, const struct vault_client_new *n,
    struct networks *networks)
{
    uint32_t live = 0;
    if (!n->can_receive && !n->can_send)
        return vault_refuse(v, ERR_SYNTAX, "a client password must be allowed to receive, to send, or both");
    if (!n->label.n || !vault_text_is_good(n->label, LIMIT_CLIENT_LABEL))
        return vault_refuse(v, ERR_SYNTAX, "a label is UTF-8 text without control characters, not empty");
    if (n->expires_s < 0 || (n->expires_s && n->expires_s <= clock_unix_s()))
        return vault_refuse(v, ERR_SYNTAX, "the expiry is in the past");
    if (n->doors & ~(unsigned)VAULT_DOORS_ALL)
        return vault_refuse(v, ERR_SYNTAX, "there is no such door");
    TRY(split_networks(v, n->networks, networks));
    enum err e = vault_client_count(v, account, &live);
    if (e != OK)
        return vault_failed(v, e);
    if (live >= LIMIT_CLIENTS_PER_ACCOUNT)
        return vault_refuse(
            v, ERR_LIMIT, "the account has %d live client passwords already: revoke one that is not used",
            (int)LIMIT_CLIENTS_PER_ACCOUNT);
    return OK;
}

static fallible insert_limits(struct vault *v, uint64_t id, const struct networks *networks)
{
    for (size_t i = 0; i < networks->n; i++) {
        struct stmt *st = db_stmt(clients_db(v), C_LIMIT_ADD);
        stmt_bind(st, "iit", (int64_t)id, (int64_t)STORED_LIMIT_NETWORK, networks->text[i]);
        enum err e = stmt_run(st);
        if (e != OK && e != ERR_EXISTS)
            return e;
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

static fallible insert_all(
    struct vault *v, const struct account_id *account, const struct vault_client_new *n,
    const struct networks *networks, const struct clientpw *pw, uint64_t *ret_id)
{
    struct hash lookup = lookup_of(v, account, pw);
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_ADD);
    stmt_bind(
        st, "btbiiiiit", id_slice(account), n->label, hash_slice(&lookup),
        (int64_t)(n->doors ? n->doors : (unsigned)VAULT_DOORS_ALL), (int64_t)n->can_receive,
        (int64_t)n->can_send, n->expires_s, clock_unix_s(), buf_slice(&v->actor));
    TRY(stmt_run(st));
    uint64_t id = (uint64_t)db_last_id(clients_db(v));
    TRY(insert_limits(v, id, networks));
    TRY(insert_verifiers(v, account, id, pw));
    *ret_id = id;
    return OK;
}

static void audit_client(
    struct vault *v, const char *kind, const struct account_id *account, uint64_t id, struct slice label)
{
    struct vault_account a;
    if (vault_account_get(v, account, &a) != OK)
        return;
    struct buf body CLEANUP_BUF = BUF_INIT(512);
    buf_printf(&body, "credential=%llu\n", (unsigned long long)id);
    if (label.n)
        buf_printf(&body, "label=" SLICE_FMT "\n", SLICE_ARG(label));
    vault_audit(v, kind, slice_str(a.address), &body);
}

fallible vault_client_add(
    struct vault *v, const struct account_id *account, const struct vault_client_new *n,
    struct clientpw *ret_pw, uint64_t *ret_id)
{
    struct networks networks = {.n = 0};
    TRY(check_new(v, account, n, &networks));
    struct clientpw pw;
    uint64_t id = 0;
    clientpw_make(&pw);
    enum err e = db_begin(clients_db(v));
    if (e == OK) {
        e = insert_all(v, account, n, &networks, &pw, &id);
        if (e != OK)
            db_rollback(clients_db(v));
        else
            e = db_commit(clients_db(v));
    }
    if (e == OK) {
        *ret_pw = pw;
        *ret_id = id;
        audit_client(v, "client.added", account, id, n->label);
    }
    secret_wipe(&pw, sizeof pw);
    return e == OK ? OK : vault_failed(v, e);
}

/* ---- revoking ---- */

static void tell_revoked(struct vault *v, const struct account_id *account, uint64_t id, uint32_t version)
{
    if (v->events && v->events->revoked)
        v->events->revoked(v->owner, account, id, version);
}

fallible vault_client_revoke(struct vault *v, const struct account_id *account, uint64_t id)
{
    struct vault_client c;
    TRY(vault_client_get(v, account, id, &c));
    if (c.is_revoked)
        return OK;
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_REVOKE);
    stmt_bind(st, "ibi", (int64_t)id, id_slice(account), clock_unix_s());
    enum err e = stmt_run(st);
    if (e != OK)
        return vault_failed(v, e);
    tell_revoked(v, account, id, c.version + 1);
    audit_client(v, "client.revoked", account, id, slice_str(c.label));
    return OK;
}

static fallible delete_one(struct vault *v, const struct account_id *account, uint64_t id)
{
    static const unsigned parts[] = {C_LIMIT_REMOVE, C_VERIFIER_REMOVE};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct stmt *st = db_stmt(clients_db(v), parts[i]);
        stmt_bind(st, "i", (int64_t)id);
        TRY(stmt_run(st));
    }
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_REMOVE);
    stmt_bind(st, "ib", (int64_t)id, id_slice(account));
    return stmt_run(st);
}

static fallible delete_of_account(struct vault *v, const struct account_id *account, uint64_t unused)
{
    (void)unused;
    static const unsigned parts[] = {
        C_LIMIT_REMOVE_OF_ACCOUNT, C_VERIFIER_REMOVE_OF_ACCOUNT, C_CREDENTIAL_REMOVE_OF_ACCOUNT,
        C_SCRAM_REMOVE, C_DECISION_REMOVE_OF_ACCOUNT};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct stmt *st = db_stmt(clients_db(v), parts[i]);
        stmt_bind(st, "b", id_slice(account));
        TRY(stmt_run(st));
    }
    return OK;
}

static fallible delete_in_transaction(
    struct vault *v, const struct account_id *account, uint64_t id,
    enum err (*work)(struct vault *, const struct account_id *, uint64_t))
{
    TRY(db_begin(clients_db(v)));
    enum err e = work(v, account, id);
    if (e == OK)
        return db_commit(clients_db(v));
    db_rollback(clients_db(v));
    return e;
}

fallible vault_client_remove(struct vault *v, const struct account_id *account, uint64_t id)
{
    struct vault_client c;
    TRY(vault_client_get(v, account, id, &c));
    enum err e = delete_in_transaction(v, account, id, delete_one);
    if (e != OK)
        return vault_failed(v, e);
    tell_revoked(v, account, id, UINT32_MAX);
    audit_client(v, "client.removed", account, id, slice_str(c.label));
    return OK;
}

fallible vault_clients_remove_all(struct vault *v, const struct account_id *account)
{
    enum err e = delete_in_transaction(v, account, 0, delete_of_account);
    return e == OK ? OK : vault_failed(v, e);
}

/* ---- last use ---- */

/* By id; the key is the id inside the value. */
struct pending_use {
    uint64_t id;
    int64_t when_s;
    struct ip from;
    char program[LIMIT_PROGRAM_NAME + 1];
};

void vault_client_used(
    struct vault *v, uint64_t id, int64_t now_s, const struct ip *from, struct slice program)
{
    struct pending_use *use = map_find(&v->uses, map_id(&id));
    if (!use) {
        use = NEW(struct pending_use);
        use->id = id;
        if (map_add(&v->uses, map_id(&use->id), use) != OK) {
            free(use); /* as many as there may be wait already: this last use is not told */
            return;
        }
    }
    use->when_s = now_s;
    use->from = *from;
    vault_copy_text(
        use->program, sizeof use->program,
        vault_text_is_good(program, LIMIT_PROGRAM_NAME) ? program : SLICE_EMPTY);
}

fallible vault_flush_uses(struct vault *v)
{
    size_t at = 0;
    void *value;
    while (map_next(&v->uses, &at, &value)) {
        const struct pending_use *use = value;
        struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_USED);
        stmt_bind(
            st, "iibt", (int64_t)use->id, use->when_s, slice_of(use->from.b, sizeof use->from.b),
            slice_str(use->program));
        TRY(stmt_run(st));
    }
    return OK;
}

void vault_forget_uses(struct vault *v)
{
    size_t at = 0;
    void *value;
    while (map_next(&v->uses, &at, &value))
        free(value);
    map_done(&v->uses);
}

#include "vault/known.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/private.h"

/* By account and network; the key lies inside the value. */
struct pending_known {
    struct {
        struct account_id account;
        struct ip network;
    } key;
    int64_t when_s;
};

static struct pending_known at(const struct account_id *account, const struct ip *client)
{
    return (struct pending_known){.key = {.account = *account, .network = ip_limit_net(client)}};
}

static struct slice key_slice(const struct pending_known *k)
{
    return slice_of(&k->key, sizeof k->key);
}

static struct slice account_slice(const struct pending_known *k)
{
    return slice_of(k->key.account.b, sizeof k->key.account.b);
}

static struct slice network_slice(const struct pending_known *k)
{
    return slice_of(k->key.network.b, sizeof k->key.network.b);
}

/* When it was last noted; 0: never. */
static int64_t last_of(struct vault *v, const struct pending_known *wanted)
{
    const struct pending_known *pending = map_find(&v->known, key_slice(wanted));
    if (pending)
        return pending->when_s;
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_KNOWN_FIND);
    stmt_bind(st, "bb", account_slice(wanted), network_slice(wanted));
    return stmt_step(st) == OK ? stmt_col_int(st, 0) : 0;
}

bool vault_is_known(struct vault *v, const struct account_id *account, const struct ip *client, int64_t now_s)
{
    struct pending_known wanted = at(account, client);
    int64_t last = last_of(v, &wanted);
    return last && now_s - last < LIMIT_GUARD_KNOWN;
}

void vault_known_note(
    struct vault *v, const struct account_id *account, const struct ip *client, int64_t now_s)
{
    struct pending_known wanted = at(account, client);
    int64_t last = last_of(v, &wanted);
    if (last && now_s >= last && now_s - last < LIMIT_KNOWN_AGAIN)
        return;
    struct pending_known *k = map_find(&v->known, key_slice(&wanted));
    if (!k) {
        k = NEW(struct pending_known);
        *k = wanted;
        if (map_add(&v->known, key_slice(k), k) != OK) {
            free(k); /* as many as there may be wait already: it is noted at its next sign-in */
            return;
        }
    }
    k->when_s = now_s;
}

static fallible write_one(struct vault *v, const struct pending_known *k)
{
    struct stmt *st = db_stmt(clients_db(v), C_KNOWN_PUT);
    stmt_bind(st, "bbi", account_slice(k), network_slice(k), k->when_s);
    TRY(stmt_run(st));
    st = db_stmt(clients_db(v), C_KNOWN_TRIM);
    stmt_bind(st, "bii", account_slice(k), k->when_s - LIMIT_GUARD_KNOWN, (int64_t)LIMIT_KNOWN_NETWORKS);
    return stmt_run(st);
}

fallible vault_flush_known(struct vault *v)
{
    size_t position = 0;
    void *value;
    while (map_next(&v->known, &position, &value))
        TRY(write_one(v, value));
    return OK;
}

void vault_forget_known(struct vault *v)
{
    size_t position = 0;
    void *value;
    while (map_next(&v->known, &position, &value))
        free(value);
    map_done(&v->known);
}

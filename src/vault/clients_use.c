/* clients_use.c - when a credential was used, from where, by which program; and a bait that was taken. */
#include <stdlib.h>

#include "base/mem.h"
#include "vault/accounts.h"
#include "vault/clients_private.h"

/* By id; the key is the id inside the value. */
struct pending_use {
    uint64_t id;
    int64_t when_s;
    struct ip from;
    char program[LIMIT_PROGRAM_NAME + 1];
    char tls[LIMIT_CLIENT_TLS + 1];
};

static struct pending_use *pending_use(struct vault *v, uint64_t id)
{
    struct pending_use *use = map_find(&v->uses, map_id(&id));
    if (use)
        return use;
    use = NEW(struct pending_use);
    use->id = id;
    if (map_add(&v->uses, map_id(&use->id), use) == OK)
        return use;
    free(use); /* as many as there may be wait already: this last use is not told */
    return NULL;
}

static void copy_foreign(char *out, size_t room, struct slice text)
{
    vault_copy_text(out, room, vault_text_is_good(text, room - 1) ? text : SLICE_EMPTY);
}

void vault_client_used(
    struct vault *v, uint64_t id, int64_t now_s, const struct ip *from, struct slice program,
    struct slice tls)
{
    struct pending_use *use = pending_use(v, id);
    if (!use)
        return;
    use->when_s = now_s;
    use->from = *from;
    copy_foreign(use->program, sizeof use->program, program);
    copy_foreign(use->tls, sizeof use->tls, tls);
}

void vault_client_program(struct vault *v, const struct vault_client *c, struct slice program)
{
    struct pending_use *use = map_find(&v->uses, map_id(&c->id));
    if (use)
        copy_foreign(use->program, sizeof use->program, program);
    else
        vault_client_used(v, c->id, c->last_used_s, &c->last_from, program, slice_str(c->last_tls));
}

fallible vault_flush_uses(struct vault *v)
{
    size_t at = 0;
    void *value;
    while (map_next(&v->uses, &at, &value)) {
        const struct pending_use *use = value;
        struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_USED);
        stmt_bind(
            st, "iibtt", (int64_t)use->id, use->when_s, slice_of(use->from.b, sizeof use->from.b),
            slice_str(use->program), slice_str(use->tls));
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

/* ---- canaries ---- */

static void canary_facts(
    struct vault *v, const struct vault_client *c, enum vault_door door, const struct ip *from,
    struct slice program, int64_t now_s, struct buf *out)
{
    char ip[IP_TEXT_MAX];
    struct vault_account a;
    if (vault_account_get(v, &c->account, &a) == OK)
        notice_fact(out, "account", slice_str(a.address));
    notice_fact_int(out, "credential", (int64_t)c->id);
    notice_fact(out, "label", slice_str(c->label));
    notice_fact(out, "door", slice_str(vault_door_name(door)));
    notice_fact(out, "from", slice_str(ip_text(from, ip)));
    notice_fact(out, "program", vault_text_is_good(program, LIMIT_PROGRAM_NAME) ? program : SLICE_EMPTY);
    notice_fact_int(out, "when_s", now_s);
}

static fallible write_canary(
    struct vault *v, const struct vault_client *c, const struct ip *from, struct slice facts, int64_t now_s)
{
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_USED);
    stmt_bind(st, "iibtt", (int64_t)c->id, now_s, slice_of(from->b, sizeof from->b), S(""), S(""));
    TRY(stmt_run(st));
    TRY(vault_notice_add(v, VAULT_CLIENTS, &c->account, NOTICE_CANARY, facts));
    return vault_notice_administrator(v, &c->account, NOTICE_CANARY, facts);
}

fallible vault_canary_used(
    struct vault *v, const struct vault_client *c, enum vault_door door, const struct ip *from,
    struct slice program, int64_t now_s)
{
    enum { AGAIN_S = 86400 };
    if (c->last_used_s && now_s >= c->last_used_s && now_s < c->last_used_s + AGAIN_S)
        return ERR_EXISTS; /* an alarm that lies in the future was another clock's: it silences none */
    struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS);
    canary_facts(v, c, door, from, program, now_s, &facts);
    enum err e = db_begin(clients_db(v));
    if (e == OK) {
        e = write_canary(v, c, from, buf_slice(&facts), now_s);
        if (e == OK)
            e = db_commit(clients_db(v));
        else
            db_rollback(clients_db(v));
    }
    struct slice rest = buf_slice(&facts), line;
    if (slice_cut(&rest, '\n', &line) && slice_starts(line, S("account=")))
        vault_audit(v, "client.canary", slice_from(line, 8), &facts);
    return e == OK ? OK : vault_failed(v, e);
}

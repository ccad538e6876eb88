#include "vault/notices.h"

#include "base/clock.h"
#include "crypto/random.h"
#include "mail/address.h"
#include "vault/accounts.h"
#include "vault/clients_private.h"

static const char *const kind_names[] = {
#define NOTICE(name, text) [NOTICE_##name] = text,
    NOTICES(NOTICE)
#undef NOTICE
};

/* "client-added"; never NULL. */
static const char *notice_kind_name(enum notice_kind kind)
{
    return (unsigned)kind < NOTICE_KINDS ? kind_names[kind] : "unknown";
}

/* ---- writing ---- */

void notice_fact(struct buf *facts, const char *key, struct slice value)
{
    buf_printf(facts, "%s=", key);
    for (size_t i = 0; i < value.n; i++)
        buf_put_char(facts, (unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f ? ' ' : value.p[i]);
    buf_put_char(facts, '\n');
}

void notice_fact_int(struct buf *facts, const char *key, int64_t value)
{
    buf_printf(facts, "%s=%lld\n", key, (long long)value);
}

/* The statements over the outbox of either container. */
static const struct {
    unsigned add, count, after, remove;
} sql[] = {
    [VAULT_ACCOUNTS] = {A_NOTICE_ADD, A_NOTICE_COUNT, A_NOTICE_AFTER, A_NOTICE_REMOVE},
    [VAULT_CLIENTS] = {C_NOTICE_ADD, C_NOTICE_COUNT, C_NOTICE_AFTER, C_NOTICE_REMOVE},
};

static fallible
count_of(struct vault *v, enum vault_container c, const struct account_id *account, int64_t *ret_count)
{
    struct stmt *st CLEANUP_STMT = db_stmt(v->db[c], sql[c].count);
    stmt_bind(st, "b", id_slice(account));
    TRY(stmt_step(st));
    *ret_count = stmt_col_int(st, 0);
    return OK;
}

fallible vault_notice_add(
    struct vault *v, enum vault_container c, const struct account_id *account, enum notice_kind kind,
    struct slice facts)
{
    struct delivery_id delivery = random_delivery_id();
    int64_t waiting = 0;
    if (!v->settings.notices && kind != NOTICE_CANARY)
        return OK;
    TRY(count_of(v, c, account, &waiting));
    if (waiting >= LIMIT_NOTICES_PER_ACCOUNT)
        return OK; /* the journal has it; a mailbox full of notices helps nobody */
    struct stmt *st = db_stmt(v->db[c], sql[c].add);
    stmt_bind(
        st, "bbtti", id_slice(account), slice_of(delivery.b, sizeof delivery.b),
        slice_str(notice_kind_name(kind)), slice_sub(facts, 0, LIMIT_NOTICE_FACTS), clock_unix_s());
    return stmt_run(st);
}

/* ERR_NOT_FOUND: the domain has no account that could be told. */
static fallible administrator_of(struct vault *v, const struct account_id *about, struct account_id *ret_id)
{
    struct vault_account a;
    struct address address;
    struct address_key key;
    int64_t row;
    TRY(vault_account_get(v, about, &a));
    TRY(vault_name(v, slice_str(a.address), &address, &key));
    TRY(vault_domain_row(v, address_domain(&address), &row));
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DOMAIN_ADMINISTRATOR);
    stmt_bind(st, "i", row);
    TRY(stmt_step(st));
    if (stmt_col(st, 0).n != sizeof ret_id->b)
        return ERR_NOT_FOUND;
    memcpy(ret_id->b, stmt_col(st, 0).p, sizeof ret_id->b);
    return OK;
}

fallible vault_notice_administrator(
    struct vault *v, const struct account_id *about, enum notice_kind kind, struct slice facts)
{
    struct account_id administrator;
    enum err e = administrator_of(v, about, &administrator);
    if (e == ERR_NOT_FOUND || (e == OK && account_id_eq(&administrator, about)))
        return OK;
    TRY(e);
    return vault_notice_add(v, VAULT_CLIENTS, &administrator, kind, facts);
}

/* ---- sending ---- */

/* A notice's number: its row's and its container's in one, so that both outboxes are walked as one list. */
static uint64_t number_of(int64_t row, enum vault_container c)
{
    return (uint64_t)row * VAULT_CONTAINERS + c;
}

static fallible
first_after(struct vault *v, enum vault_container c, uint64_t after, struct notice *ret_notice)
{
    /* The greatest row whose number is at most `after`; rows begin at 1. */
    int64_t row = after >= (uint64_t)c ? (int64_t)((after - c) / VAULT_CONTAINERS) : 0;
    struct stmt *st CLEANUP_STMT = db_stmt(v->db[c], sql[c].after);
    stmt_bind(st, "i", row);
    TRY(stmt_step(st));
    struct notice n = {.id = number_of(stmt_col_int(st, 0), c), .created_s = stmt_col_int(st, 5)};
    if (stmt_col(st, 1).n != sizeof n.account.b || stmt_col(st, 2).n != sizeof n.delivery.b ||
        stmt_col(st, 3).n >= sizeof n.kind || stmt_col(st, 4).n >= sizeof n.facts)
        return ERR_CORRUPT;
    memcpy(n.account.b, stmt_col(st, 1).p, sizeof n.account.b);
    memcpy(n.delivery.b, stmt_col(st, 2).p, sizeof n.delivery.b);
    vault_copy_text(n.kind, sizeof n.kind, stmt_col(st, 3));
    vault_copy_text(n.facts, sizeof n.facts, stmt_col(st, 4));
    *ret_notice = n;
    return OK;
}

fallible vault_notice_next(struct vault *v, uint64_t after, struct notice *ret_notice)
{
    struct notice found[VAULT_CONTAINERS];
    bool has[VAULT_CONTAINERS];
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        enum err e = first_after(v, (enum vault_container)c, after, &found[c]);
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
        has[c] = e == OK;
    }
    if (!has[VAULT_ACCOUNTS] && !has[VAULT_CLIENTS])
        return ERR_NOT_FOUND;
    bool is_clients =
        has[VAULT_CLIENTS] && (!has[VAULT_ACCOUNTS] || found[VAULT_CLIENTS].id < found[VAULT_ACCOUNTS].id);
    *ret_notice = found[is_clients ? VAULT_CLIENTS : VAULT_ACCOUNTS];
    return OK;
}

fallible vault_notice_done(struct vault *v, uint64_t id)
{
    enum vault_container c = (enum vault_container)(id % VAULT_CONTAINERS);
    struct stmt *st = db_stmt(v->db[c], sql[c].remove);
    stmt_bind(st, "i", (int64_t)(id / VAULT_CONTAINERS));
    return stmt_run(st);
}

/* ---- what comes to its end ---- */

enum { DAY_S = 86400 };
/* credential.told: stored, so the numbers stay. */
static const struct {
    unsigned bit;
    int64_t before_s;
    enum notice_kind kind;
} looks[] = {
    /* the nearer one first: it makes the farther one needless */
    {1, DAY_S, NOTICE_CLIENT_EXPIRING},
    {2, 7 * DAY_S, NOTICE_CLIENT_EXPIRING},
    {4, DAY_S, NOTICE_CLIENT_ROTATE_DUE},
    {8, 7 * DAY_S, NOTICE_CLIENT_ROTATE_DUE},
};

static int64_t due_of(const struct vault_client *c, enum notice_kind kind)
{
    const struct scopes *s = &c->scopes;
    if (kind == NOTICE_CLIENT_EXPIRING)
        return s->expires_s;
    return s->limits.rotate_days ? s->created_s + (int64_t)s->limits.rotate_days * DAY_S : 0;
}

/* Which notices are due now and were not told; what they make needless counts as told. */
static fallible tell_ends(struct vault *v, const struct vault_client *c, int64_t now_s)
{
    unsigned told = c->told;
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        int64_t due_s = due_of(c, looks[i].kind);
        bool is_near = due_s && now_s < due_s && now_s >= due_s - looks[i].before_s;
        if (!is_near || told & looks[i].bit)
            continue;
        bool needless = i > 0 && looks[i - 1].kind == looks[i].kind && told & looks[i - 1].bit;
        told |= looks[i].bit;
        if (needless)
            continue;
        struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS);
        client_facts(v, c, &facts);
        notice_fact_int(&facts, "due_s", due_s);
        TRY(vault_notice_add(v, VAULT_CLIENTS, &c->account, looks[i].kind, buf_slice(&facts)));
    }
    if (told == c->told)
        return OK;
    struct stmt *st = db_stmt(clients_db(v), C_CREDENTIAL_TOLD);
    stmt_bind(st, "ii", (int64_t)c->id, (int64_t)told);
    return stmt_run(st);
}

static fallible next_ending(struct vault *v, uint64_t after, int64_t now_s, struct vault_client *ret_client)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_ENDING_AFTER);
    stmt_bind(st, "iii", (int64_t)after, now_s, now_s + 7 * DAY_S);
    return client_read_one(v, st, ret_client);
}

static fallible look_at_all(struct vault *v, int64_t now_s)
{
    uint64_t after = 0;
    for (;;) {
        struct vault_client c CLEANUP_CLIENT = {.id = 0};
        enum err e = next_ending(v, after, now_s, &c);
        if (e == ERR_NOT_FOUND)
            return OK;
        TRY(e);
        TRY(tell_ends(v, &c, now_s));
        after = c.id;
    }
}

fallible vault_expiring(struct vault *v, int64_t now_s)
{
    TRY(db_begin(clients_db(v)));
    enum err e = look_at_all(v, now_s);
    if (e == OK)
        return db_commit(clients_db(v));
    db_rollback(clients_db(v));
    return e;
}

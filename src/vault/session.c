#include "vault/session.h"

#include <assert.h>

#include "crypto/random.h"
#include "vault/private.h"

enum { TOUCH_S = 60 }; /* how exactly it is known when a session was used last */

static struct slice id_of(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

static struct hash lookup_of(struct vault *v, struct slice token)
{
    struct hash_state s;
    hash_start(&s, &v->factors);
    hash_add_piece(&s, S("session"));
    hash_add_piece(&s, token);
    return hash_end(&s);
}

static fallible trim(struct vault *v, const struct account_id *account, int64_t now_s)
{
    struct stmt *st = db_stmt(accounts_db(v), A_SESSION_TRIM);
    stmt_bind(
        st, "biii", id_of(account), now_s - LIMIT_SESSION_IDLE, now_s - LIMIT_SESSION_LIFE,
        (int64_t)LIMIT_SESSIONS_PER_ACCOUNT);
    return stmt_run(st);
}

static fallible
add(struct vault *v, const struct vault_account *a, const struct hash *lookup, const struct ip *client,
    struct slice program, int64_t now_s)
{
    struct stmt *st = db_stmt(accounts_db(v), A_SESSION_ADD);
    stmt_bind(
        st, "bbiiiibt", id_of(&a->id), hash_slice(lookup), (int64_t)a->version, now_s, now_s, now_s,
        slice_of(client, sizeof *client),
        vault_text_is_good(program, LIMIT_PROGRAM_NAME) ? program : SLICE_EMPTY);
    TRY(stmt_run(st));
    return trim(v, &a->id, now_s);
}

fallible session_begin(
    struct vault *v, const struct vault_account *account, const struct ip *client, struct slice program,
    int64_t now_s, uint8_t ret_token[SESSION_TOKEN_LEN])
{
    uint8_t token[SESSION_TOKEN_LEN];
    random_bytes(token, sizeof token);
    struct hash lookup = lookup_of(v, slice_of(token, sizeof token));
    enum err e = db_begin(accounts_db(v));
    if (e == OK) {
        e = add(v, account, &lookup, client, program, now_s);
        if (e == OK)
            e = db_commit(accounts_db(v));
        else
            db_rollback(accounts_db(v));
    }
    if (e == OK) {
        memcpy(ret_token, token, sizeof token);
        vault_audit(v, "session.begun", slice_str(account->address), NULL);
    }
    secret_wipe(token, sizeof token);
    return e == OK ? OK : vault_failed(v, e);
}

/* ERR_NOT_FOUND. */
static fallible
read_session(struct vault *v, struct slice token, struct session *ret_session, uint32_t *ret_version)
{
    struct hash lookup = lookup_of(v, token);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_SESSION_FIND);
    stmt_bind(st, "b", hash_slice(&lookup));
    TRY(stmt_step(st));
    struct slice account = stmt_col(st, 1);
    if (account.n != sizeof ret_session->account.b)
        return ERR_CORRUPT;
    *ret_session = (struct session){
        .id = (uint64_t)stmt_col_int(st, 0),
        .created_s = stmt_col_int(st, 3),
        .used_s = stmt_col_int(st, 4),
        .proof_s = stmt_col_int(st, 5),
    };
    memcpy(ret_session->account.b, account.p, account.n);
    *ret_version = (uint32_t)stmt_col_int(st, 2);
    return OK;
}

/* A clock that goes back makes no session longer: what lies in the future has ended. */
static bool is_over(const struct session *s, int64_t now_s)
{
    return now_s < s->created_s || now_s - s->created_s >= LIMIT_SESSION_LIFE ||
           (now_s >= s->used_s && now_s - s->used_s >= LIMIT_SESSION_IDLE);
}

static fallible run_with_time(struct vault *v, unsigned sql, uint64_t id, int64_t now_s)
{
    struct stmt *st = db_stmt(accounts_db(v), sql);
    stmt_bind(st, "ii", (int64_t)id, now_s);
    enum err e = stmt_run(st);
    return e == OK ? OK : vault_failed(v, e);
}

fallible session_find(struct vault *v, struct slice token, int64_t now_s, struct session *ret_session)
{
    struct session s;
    struct vault_account a;
    uint32_t version;
    if (token.n != SESSION_TOKEN_LEN)
        return ERR_DENIED;
    enum err e = read_session(v, token, &s, &version);
    if (e == OK)
        e = vault_account_get(v, &s.account, &a);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    if (e != OK)
        return e;
    if (is_over(&s, now_s) || a.version != version || a.status != ACCOUNT_ACTIVE)
        return ERR_DENIED;
    if (now_s - s.used_s >= TOUCH_S)
        TRY(run_with_time(v, A_SESSION_USED, s.id, now_s));
    *ret_session = s;
    return OK;
}

fallible session_proved(struct vault *v, uint64_t id, int64_t now_s)
{
    TRY(run_with_time(v, A_SESSION_PROVED, id, now_s));
    return db_changes(accounts_db(v)) == 1 ? OK : ERR_NOT_FOUND;
}

fallible session_end(struct vault *v, struct slice token, int64_t now_s)
{
    struct session s;
    struct vault_account a;
    TRY(session_find(v, token, now_s, &s));
    struct stmt *st = db_stmt(accounts_db(v), A_SESSION_REMOVE);
    stmt_bind(st, "i", (int64_t)s.id);
    enum err e = stmt_run(st);
    if (e != OK)
        return vault_failed(v, e);
    if (vault_account_get(v, &s.account, &a) == OK)
        vault_audit(v, "session.ended", slice_str(a.address), NULL);
    return OK;
}

/* ---- what it may do ---- */

static const struct {
    const char *name;
    bool needs_proof;
} actions[] = {
#define ACTION(id, name, fresh) [SESSION_##id] = {name, fresh},
    SESSION_ACTIONS(ACTION)
#undef ACTION
};

const char *session_action_name(enum session_action action)
{
    return (unsigned)action < SESSION_ACTION_N ? actions[action].name : "unknown";
}

bool session_needs_proof(enum session_action action)
{
    return (unsigned)action >= SESSION_ACTION_N || actions[action].needs_proof;
}

fallible session_may(
    struct vault *v, struct slice token, enum session_action action, int64_t now_s,
    struct session *ret_session)
{
    struct session s;
    TRY(session_find(v, token, now_s, &s));
    bool is_fresh = now_s >= s.proof_s && now_s - s.proof_s <= LIMIT_SESSION_FRESH;
    if (session_needs_proof(action) && !is_fresh)
        return ERR_AGAIN;
    *ret_session = s;
    return OK;
}

/* mailbox_age.c - judging a new mailbox password, and passwords that grow old. */
#include <assert.h>

#include "breach/filter.h"
#include "crypto/clientpw.h"
#include "vault/clients.h"
#include "vault/directory.h"
#include "vault/mailbox.h"
#include "vault/notices.h"
#include "vault/policy.h"
#include "vault/private.h"

/* ---- the filter ---- */

fallible vault_breach_load(struct vault *v, int dirfd, struct buf *problem)
{
    struct breach *filter = NULL;
    enum err e = breach_open(dirfd, BREACH_FILE, &filter, problem);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    breach_close(&v->breach);
    v->breach = filter;
    return e;
}

uint64_t vault_breach_count(const struct vault *v)
{
    return v->breach ? breach_count(v->breach) : 0;
}

/* A filter that cannot be read keeps nobody from changing a password; the journal hears of it. */
static bool is_breached(struct vault *v, struct slice normal)
{
    enum err e = v->breach ? breach_find(v->breach, normal) : ERR_NOT_FOUND;
    if (e != OK && e != ERR_NOT_FOUND) {
        struct buf body CLEANUP_BUF = BUF_INIT(128);
        buf_printf(&body, "problem=%s\n", err_text(e));
        vault_audit(v, "breach.unusable", S(BREACH_FILE), &body);
    }
    return e == OK;
}

/* ---- judging ---- */

static fallible
number_of(struct vault *v, const struct vault_account *a, enum policy_key key, int64_t *ret_number)
{
    return vault_policy_value(v, a, SLICE_EMPTY, key, ret_number, NULL);
}

/* What is wrong with it whatever its strength. FINE: nothing. */
static fallible
judge_shape(struct vault *v, const struct vault_account *a, struct slice normal, struct password_judgement *j)
{
    int64_t least, kinds;
    struct clientpw pw;
    TRY(number_of(v, a, POLICY_PASSWORD_LEAST, &least));
    TRY(number_of(v, a, POLICY_PASSWORD_CLASSES, &kinds));
    enum clientpw_look look = clientpw_read(normal, &pw);
    secret_wipe(&pw, sizeof pw);
    j->reason = PASSWORD_FINE;
    if (password_characters(normal) < (size_t)least) {
        j->reason = PASSWORD_SHORT;
        j->number = least;
    } else if (password_kinds(normal) < (unsigned)kinds) {
        j->reason = PASSWORD_KINDS;
        j->number = kinds;
    } else if (look != CLIENTPW_OTHER) {
        j->reason = PASSWORD_CLIENT; /* no door would take it for a mailbox password */
    } else if (is_breached(v, normal)) {
        j->reason = PASSWORD_BREACHED;
    }
    return OK;
}

static fallible judge_normal(
    struct vault *v, const struct vault_account *a, struct slice normal, struct password_judgement *j)
{
    int64_t worst;
    TRY(judge_shape(v, a, normal, j));
    TRY(number_of(v, a, POLICY_PASSWORD_STRENGTH, &worst));
    static_assert(
        (int)POLICY_RED == (int)STRENGTH_RED && (int)POLICY_GREEN == (int)STRENGTH_GREEN, "one order");
    const struct slice about[] = {slice_str(a->address), slice_str(a->name)};
    struct strength s = strength_of(normal, about, sizeof about / sizeof *about);
    if (j->reason != PASSWORD_FINE) {
        j->colour = STRENGTH_RED;
        return OK;
    }
    j->colour = s.colour;
    j->reason = s.reason;
    j->is_allowed = (int64_t)s.colour <= worst;
    return OK;
}

fallible vault_password_judge(
    struct vault *v, const struct vault_account *account, const struct secret *typed,
    struct password_judgement *ret_judgement)
{
    struct secret normal CLEANUP_SECRET = SECRET_NONE;
    struct password_judgement j = {.colour = STRENGTH_RED, .reason = PASSWORD_FORM};
    enum err e = vault_password_normal(v, typed, &normal);
    if (e == OK)
        TRY(judge_normal(v, account, secret_reveal(&normal), &j));
    else if (e != ERR_SYNTAX && e != ERR_LIMIT)
        return vault_failed(v, e);
    *ret_judgement = j;
    return OK;
}

/* ---- growing old ---- */

fallible vault_password_ends(struct vault *v, const struct vault_account *a, int64_t *ret_ends_s)
{
    int64_t age, ends = 0;
    if (a->has_password) {
        TRY(number_of(v, a, POLICY_PASSWORD_AGE, &age));
        ends = a->must_change ? 1 : age ? a->password_s + age : 0;
    }
    *ret_ends_s = ends;
    return OK;
}

fallible vault_password_must_change(struct vault *v, struct slice address)
{
    struct vault_account a;
    TRY(vault_account_find(v, address, &a));
    TRY(vault_directory_refuse(v, &a.id));
    if (!a.has_password)
        return vault_refuse(v, ERR_STATE, "the account has no mailbox password");
    if (a.must_change)
        return OK;
    struct stmt *st = db_stmt(accounts_db(v), A_PASSWORD_MUST_CHANGE);
    stmt_bind(st, "b", slice_of(a.id.b, sizeof a.id.b));
    enum err e = stmt_run(st);
    if (e != OK)
        return vault_failed(v, e);
    if (v->events && v->events->revoked)
        v->events->revoked(v->owner, &a.id, VAULT_MAILBOX_CREDENTIAL, a.version + 1);
    vault_audit(v, "account.must-change", slice_str(a.address), NULL);
    return OK;
}

static fallible warn(struct vault *v, const struct vault_account *a, int64_t ends_s, int64_t now_s)
{
    struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS);
    notice_fact(&facts, "account", slice_str(a->address));
    notice_fact_int(&facts, "due_s", ends_s);
    TRY(vault_notice_add(v, VAULT_ACCOUNTS, &a->id, NOTICE_MAILBOX_EXPIRING, buf_slice(&facts)));
    struct stmt *st = db_stmt(accounts_db(v), A_PASSWORD_WARNED);
    stmt_bind(st, "bi", slice_of(a->id.b, sizeof a->id.b), now_s);
    return stmt_run(st);
}

static fallible warn_if_due(struct vault *v, const struct account_id *id, int64_t now_s)
{
    struct vault_account a;
    int64_t ends, before;
    TRY(vault_account_get(v, id, &a));
    TRY(vault_password_ends(v, &a, &ends));
    TRY(number_of(v, &a, POLICY_PASSWORD_WARN, &before));
    if (ends <= 1 || !before || now_s < ends - before || a.status == ACCOUNT_LOCKED)
        return OK;
    TRY(db_begin(accounts_db(v)));
    enum err e = warn(v, &a, ends, now_s);
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return e;
}

/* Accounts with a password and not yet warned of it. */
static fallible next_unwarned(struct vault *v, int64_t *cursor, struct account_id *ret_id)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_PASSWORD_UNWARNED);
    stmt_bind(st, "i", *cursor);
    TRY(stmt_step(st));
    if (stmt_col(st, 1).n != sizeof ret_id->b)
        return ERR_CORRUPT;
    *cursor = stmt_col_int(st, 0);
    memcpy(ret_id->b, stmt_col(st, 1).p, sizeof ret_id->b);
    return OK;
}

fallible vault_passwords_warn(struct vault *v, int64_t now_s, unsigned most, int64_t *cursor)
{
    struct account_id id;
    for (unsigned i = 0; i < most; i++) {
        enum err e = next_unwarned(v, cursor, &id);
        if (e == ERR_NOT_FOUND) {
            *cursor = 0;
            return OK;
        }
        if (e == OK)
            e = warn_if_due(v, &id, now_s);
        if (e != OK)
            return vault_failed(v, e);
    }
    return OK;
}

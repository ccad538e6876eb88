/* mailbox.c - changing a mailbox password: begin, work, finish. */
#include "vault/mailbox.h"

#include <assert.h>

#include "vault/clients.h"
#include "vault/directory.h"
#include "vault/notices.h"
#include "vault/policy.h"
#include "vault/private.h"
#include "vault/reset.h"

enum { SEALED = PASSHASH_TEXT_MAX * 2 };

static struct slice id_of(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

static struct vault_place place_of(const struct account_id *id, bool is_former)
{
    return (struct vault_place){
        VAULT_ACCOUNTS, is_former ? "password_old" : "account", "password", id_of(id)};
}

static const struct {
    const char *name; /* for the journal */
    bool replaces;    /* a present one may be there */
    bool must_change; /* afterwards */
    bool tells_owner;
} ways[] = {
    [PASSWORD_INITIAL] = {"initial", false, false, false},
    [PASSWORD_BY_ADMIN] = {"administrator", false, true, true},
    [PASSWORD_BY_OWNER] = {"owner", true, false, true},
    [PASSWORD_BY_RESET] = {"reset", true, false, true},
    [PASSWORD_BY_ENTRY] = {"sign-in", true, false, true},
};
static_assert(sizeof ways / sizeof *ways == PASSWORD_BY_N, "a way without a row");

/* ---- begin ---- */

static fallible check_who(
    struct vault *v, const struct vault_account *a, enum password_by by, const struct secret *proof,
    int64_t now_s, struct password_work *w)
{
    TRY(vault_directory_refuse(v, &a->id));
    if (a->status == ACCOUNT_LOCKED)
        return vault_refuse(v, ERR_DENIED, "the account is locked");
    if (a->has_password && !ways[by].replaces) /* INV-M4 */
        return vault_refuse(
            v, ERR_DENIED,
            "this account has a mailbox password: its owner changes it, or `letterlock account reset` makes "
            "a code");
    if (by == PASSWORD_BY_OWNER && !a->has_password)
        return vault_refuse(v, ERR_DENIED, "the old mailbox password is wrong");
    if (by != PASSWORD_BY_RESET)
        return OK;
    enum err e = vault_reset_check(v, &a->id, secret_reveal(proof), now_s, &w->reset);
    if (e == ERR_DENIED)
        return vault_refuse(v, e, "this code is wrong, was used, or is too old");
    return e == OK ? OK : vault_failed(v, e);
}

static fallible
refuse_weak(struct vault *v, const struct vault_account *a, const struct password_judgement *j)
{
    struct buf words CLEANUP_BUF = BUF_INIT(512);
    password_refusal_put(j->reason, slice_str(a->language), j->number, &words);
    return vault_refuse(v, ERR_SYNTAX, "%.*s", (int)words.n, words.p);
}

static fallible unseal_former(struct vault *v, struct password_work *w)
{
    struct vault_place place = place_of(&w->account, true);
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_FORMER_LIST);
    stmt_bind(st, "bi", id_of(&w->account), (int64_t)LIMIT_PASSWORD_HISTORY);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        assert(w->former_count < sizeof w->former / sizeof *w->former);
        TRY(vault_unseal(v, &place, stmt_col(st, 0), &w->former[w->former_count]));
        w->former_count++;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible collect(struct vault *v, const struct vault_account *a, struct password_work *w)
{
    int64_t history;
    TRY(vault_policy_value(v, a, SLICE_EMPTY, POLICY_PASSWORD_HISTORY, &history, NULL));
    if (a->has_password) {
        TRY(vault_account_password(v, &a->id, &w->former[0]));
        w->former_count = 1;
        w->has_present = true;
    }
    enum err e = unseal_former(v, w);
    if (e != OK)
        return vault_failed(v, e);
    w->compared = w->former_count < (size_t)history ? w->former_count : (size_t)history;
    return OK;
}

static fallible begin(
    struct vault *v, struct slice address, const struct secret *proof, const struct secret *typed,
    int64_t now_s, struct password_work *w)
{
    struct vault_account a;
    struct password_judgement j;
    TRY(vault_account_find(v, address, &a));
    w->account = a.id;
    w->version = a.version;
    TRY(check_who(v, &a, w->by, proof, now_s, w));
    TRY(vault_password_judge(v, &a, typed, &j));
    if (!j.is_allowed)
        return refuse_weak(v, &a, &j);
    TRY(vault_password_normal(v, typed, &w->password));
    if (w->by == PASSWORD_BY_OWNER && vault_password_normal(v, proof, &w->old) != OK)
        return vault_refuse(v, ERR_DENIED, "the old mailbox password is wrong");
    return collect(v, &a, w);
}

fallible vault_password_begin(
    struct vault *v, struct slice address, enum password_by by, const struct secret *proof,
    const struct secret *typed, int64_t now_s, struct password_work *ret_work)
{
    struct password_work w = {.by = by, .cost = v->settings.cost, .result = ERR_STATE};
    assert((unsigned)by < PASSWORD_BY_N);
    assert((by == PASSWORD_BY_OWNER || by == PASSWORD_BY_RESET) == (proof != NULL));
    enum err e = begin(v, address, proof, typed, now_s, &w);
    if (e != OK) {
        password_work_done(&w);
        return e;
    }
    *ret_work = w;
    return OK;
}

void password_work_done(struct password_work *w)
{
    secret_free(&w->password);
    secret_free(&w->old);
    for (size_t i = 0; i < sizeof w->former / sizeof *w->former; i++)
        secret_free(&w->former[i]);
    secret_wipe(w->hash, sizeof w->hash);
    w->former_count = 0;
}

/* ---- work ---- */

static enum err compare_all(const struct password_work *w)
{
    if (w->by == PASSWORD_BY_OWNER)
        TRY(passhash_check(secret_reveal(&w->former[0]), secret_reveal(&w->old)));
    for (size_t i = 0; i < w->compared; i++) {
        enum err e = passhash_check(secret_reveal(&w->former[i]), secret_reveal(&w->password));
        if (e != ERR_DENIED)
            return e == OK ? ERR_EXISTS : e;
    }
    return OK;
}

void password_work_run(struct password_work *w)
{
    w->result = compare_all(w);
    if (w->result == OK)
        w->result = passhash_make(secret_reveal(&w->password), w->cost, w->hash);
}

/* ---- finish ---- */

static fallible
seal_hash(struct vault *v, const struct account_id *id, bool is_former, struct slice hash, struct buf *out)
{
    struct vault_place place = place_of(id, is_former);
    vault_seal(v, &place, hash, out);
    return buf_check(out);
}

/* The present one becomes a former one; of those, as many stay as the policy compares beside the new one. */
static fallible
keep_former(struct vault *v, const struct vault_account *a, const struct password_work *w, int64_t now_s)
{
    int64_t history;
    if (w->has_present) {
        struct buf sealed CLEANUP_BUF = BUF_INIT(SEALED);
        TRY(seal_hash(v, &a->id, true, secret_reveal(&w->former[0]), &sealed));
        struct stmt *st = db_stmt(accounts_db(v), A_FORMER_ADD);
        stmt_bind(st, "bbi", id_of(&a->id), buf_slice(&sealed), now_s);
        TRY(stmt_run(st));
    }
    TRY(vault_policy_value(v, a, SLICE_EMPTY, POLICY_PASSWORD_HISTORY, &history, NULL));
    struct stmt *st = db_stmt(accounts_db(v), A_FORMER_TRIM);
    stmt_bind(st, "bi", id_of(&a->id), history > 0 ? history - 1 : 0);
    return stmt_run(st);
}

static fallible put_hash(struct vault *v, const struct password_work *w, int64_t now_s)
{
    struct buf sealed CLEANUP_BUF = BUF_INIT(SEALED);
    TRY(seal_hash(v, &w->account, false, slice_str(w->hash), &sealed));
    struct stmt *st = db_stmt(accounts_db(v), A_PASSWORD_CHANGE);
    stmt_bind(
        st, "bbiii", id_of(&w->account), buf_slice(&sealed), now_s, (int64_t)ways[w->by].must_change,
        (int64_t)w->version);
    TRY(stmt_run(st));
    return db_changes(accounts_db(v)) == 1 ? OK : ERR_BUSY; /* INV-M3 */
}

static fallible forget_trust(struct vault *v, const struct account_id *id)
{
    static const unsigned by_account[] = {A_DEVICE_REMOVE_ALL, A_SESSION_REMOVE_OF_ACCOUNT, A_RESET_REMOVE};
    for (size_t i = 0; i < sizeof by_account / sizeof *by_account; i++) {
        struct stmt *st = db_stmt(accounts_db(v), by_account[i]);
        stmt_bind(st, "b", id_of(id));
        TRY(stmt_run(st));
    }
    return OK;
}

static fallible
tell_owner(struct vault *v, const struct vault_account *a, const struct password_work *w, int64_t now_s)
{
    if (!ways[w->by].tells_owner)
        return OK;
    struct buf facts CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE_FACTS);
    notice_fact(&facts, "account", slice_str(a->address));
    notice_fact(
        &facts, "by", w->by == PASSWORD_BY_ADMIN ? buf_slice(&v->actor) : slice_str(ways[w->by].name));
    notice_fact_int(&facts, "when_s", now_s);
    return vault_notice_add(v, VAULT_ACCOUNTS, &a->id, NOTICE_MAILBOX_CHANGED, buf_slice(&facts));
}

static fallible
change(struct vault *v, const struct vault_account *a, const struct password_work *w, int64_t now_s)
{
    TRY(put_hash(v, w, now_s));
    if (w->by == PASSWORD_BY_RESET)
        TRY(vault_reset_use(v, &a->id, &w->reset, now_s));
    TRY(keep_former(v, a, w, now_s));
    TRY(forget_trust(v, &a->id));
    return tell_owner(v, a, w, now_s);
}

static fallible
in_transaction(struct vault *v, const struct vault_account *a, const struct password_work *w, int64_t now_s)
{
    TRY(db_begin(accounts_db(v)));
    enum err e = change(v, a, w, now_s);
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return e;
}

static void
tell_journal(struct vault *v, const struct vault_account *a, const struct password_work *w, const char *kind)
{
    struct buf body CLEANUP_BUF = BUF_INIT(128);
    buf_printf(&body, "by=%s\n", ways[w->by].name);
    vault_audit(v, kind, slice_str(a->address), &body);
}

static enum err refuse_work(struct vault *v, const struct vault_account *a, const struct password_work *w)
{
    enum err e = w->result;
    tell_journal(v, a, w, "account.password-refused");
    if (e == ERR_DENIED)
        return vault_refuse(v, e, "the old mailbox password is wrong");
    if (e == ERR_EXISTS)
        return vault_refuse(v, ERR_SYNTAX, "this mailbox password was used for this mailbox before");
    return vault_refuse(v, e, "the password could not be hashed: %s", err_text(e));
}

fallible vault_password_finish(struct vault *v, const struct password_work *w, int64_t now_s)
{
    struct vault_account a;
    TRY(vault_account_get(v, &w->account, &a));
    if (w->result != OK)
        return refuse_work(v, &a, w);
    enum err e = in_transaction(v, &a, w, now_s);
    if (e == ERR_BUSY)
        return vault_refuse(v, e, "the account was changed at the same moment: look at it, then try again");
    if (e == ERR_DENIED)
        return vault_refuse(v, e, "this code is wrong, was used, or is too old");
    if (e != OK)
        return vault_failed(v, e);
    if (v->events && v->events->revoked)
        v->events->revoked(v->owner, &a.id, VAULT_MAILBOX_CREDENTIAL, w->version + 1);
    tell_journal(v, &a, w, "account.password");
    return OK;
}

/* ---- comparing at a sign-in ---- */

fallible vault_password_stored(struct vault *v, const struct account_id *account, struct secret *ret_text)
{
    enum err e = account ? vault_account_password(v, account, ret_text) : ERR_NOT_FOUND;
    if (e != ERR_NOT_FOUND)
        return e;
    struct buf text CLEANUP_BUF = BUF_INIT(PASSHASH_TEXT_MAX);
    buf_printf(
        &text,
        "$argon2id$v=19$m=%u,t=%u,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        v->settings.cost.memory_kib, v->settings.cost.passes);
    return secret_copy(v->slab, buf_slice(&text), ret_text);
}

bool vault_password_is_stale(const struct vault *v, struct slice stored)
{
    return passhash_needs_rehash(stored, v->settings.cost);
}

static fallible replace_hash(
    struct vault *v, const struct account_id *id, struct slice stored, struct slice hash, bool *ret_replaced)
{
    struct secret present CLEANUP_SECRET = SECRET_NONE;
    struct buf sealed CLEANUP_BUF = BUF_INIT(SEALED);
    TRY(vault_account_password(v, id, &present));
    *ret_replaced = secret_same(secret_reveal(&present), stored);
    if (!*ret_replaced)
        return OK; /* it was changed meanwhile, or another sign-in was quicker */
    TRY(seal_hash(v, id, false, hash, &sealed));
    struct stmt *st = db_stmt(accounts_db(v), A_PASSWORD_REHASH);
    stmt_bind(st, "bb", id_of(id), buf_slice(&sealed));
    return stmt_run(st);
}

fallible vault_password_rehash(
    struct vault *v, const struct account_id *account, struct slice stored, struct slice hash)
{
    struct vault_account a;
    TRY(vault_account_get(v, account, &a));
    bool replaced = false;
    enum err e = replace_hash(v, account, stored, hash, &replaced);
    if (e != OK)
        return vault_failed(v, e);
    if (replaced)
        vault_audit(v, "account.password-rehashed", slice_str(a.address), NULL);
    return OK;
}

/* vault_mailbox.c - mailbox passwords of `letterlock` commands: everything that hashes goes through the pool, a full queue is
 * "try later"; the filter of breached passwords; warnings before a password ends.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "breach/filter.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/mailbox.h"
#include "vault/reset.h"

enum { JOB_MEMORY = 4096, WARN_AT_ONCE = 500 };

static fallible submit(struct vault_process *vp, struct job *job)
{
    struct pool *pool = vp->proc->pool;
    return pool ? pool_submit(pool, job) : ERR_UNAVAILABLE;
}

/* The queue is full: nobody's mistake, and over in a moment. */
static enum err unsent(struct asked *a, enum err e, struct slice what)
{
    if (e != ERR_LIMIT && e != ERR_UNAVAILABLE)
        return e;
    asked_done(a, ERR_UNAVAILABLE, what, S("too many passwords are being hashed: try again in a moment"));
    return ERR_AGAIN;
}

/* ---- a new account with a password ---- */

/* Texts are copies. */
struct adding {
    struct asker_wait wait;
    struct job job;
    struct arena arena;
    struct vault_account_new account;
    struct secret password;
    struct passhash_cost cost;
    char hash[PASSHASH_TEXT_MAX];
    char actor[VAULT_ACTOR];
    enum err result;
};

static enum err add_account(struct asked *a, const struct vault_account_new *n)
{
    struct vault_account made;
    TRY(vault_account_add(a->vp->vault, n, &made));
    vault_put_account(a, &made);
    return OK;
}

static void adding_free(struct adding *d)
{
    secret_free(&d->password);
    arena_done(&d->arena);
    secret_wipe(d->hash, sizeof d->hash);
    free(d);
}

static void hash_new(struct job *j)
{
    struct adding *d = CONTAINER_OF(j, struct adding, job);
    d->result = passhash_make(secret_reveal(&d->password), d->cost, d->hash);
}

static void new_hashed(struct job *j)
{
    struct adding *d = CONTAINER_OF(j, struct adding, job);
    struct asked *a = &d->wait.asked;
    asker_wait_drop(&d->wait);
    if (d->result == OK) {
        d->account.password_hash = slice_str(d->hash);
        vault_forget_problem(a->vp->vault);
        vault_set_actor(a->vp->vault, slice_str(d->actor));
        asked_done(a, add_account(a, &d->account), d->account.address, SLICE_EMPTY);
        vault_set_actor(a->vp->vault, SLICE_EMPTY);
    } else {
        asked_done(
            a, d->result, d->account.address, S("the password could not be hashed: too little memory?"));
    }
    adding_free(d);
}

static enum err add_later(struct asked *a, const struct vault_account_new *n, struct secret *normal)
{
    struct adding *d = NEW(struct adding);
    d->wait.asked = *a;
    d->job = (struct job){.work = hash_new, .done = new_hashed};
    arena_init(&d->arena, JOB_MEMORY);
    d->account = (struct vault_account_new){
        .address = arena_copy(&d->arena, n->address),
        .name = arena_copy(&d->arena, n->name),
        .language = arena_copy(&d->arena, n->language),
        .quota_bytes = n->quota_bytes,
    };
    d->cost = vault_settings_of(a->vp->vault)->cost;
    snprintf(d->actor, sizeof d->actor, "%s", vault_actor_of(a));
    d->password = *normal;
    *normal = SECRET_NONE;
    enum err e = arena_check(&d->arena);
    if (e == OK)
        e = submit(a->vp, &d->job);
    if (e != OK) {
        adding_free(d);
        return unsent(a, e, n->address);
    }
    asker_wait_add(a->vp, &d->wait);
    return ERR_AGAIN;
}

/* What the policy says of it before there is an account. */
static fallible judge_new(struct asked *a, const struct vault_account_new *n, const struct secret *typed)
{
    struct vault_account account = {.id = {{0}}};
    struct password_judgement j;
    snprintf(
        account.address, sizeof account.address, SLICE_FMT,
        SLICE_ARG(slice_sub(n->address, 0, LIMIT_ADDRESS)));
    snprintf(
        account.name, sizeof account.name, SLICE_FMT, SLICE_ARG(slice_sub(n->name, 0, LIMIT_DISPLAY_NAME)));
    TRY(vault_password_judge(a->vp->vault, &account, typed, &j));
    if (j.is_allowed)
        return OK;
    struct buf words CLEANUP_BUF = BUF_INIT(512);
    password_refusal_put(j.reason, n->language, j.number, &words);
    asked_done(a, ERR_SYNTAX, n->address, buf_slice(&words));
    return ERR_AGAIN;
}

enum err vault_do_account_add(struct asked *a, struct ipc_msg *m)
{
    const struct msg_account_add *s = &m->u.account_add;
    struct vault_account_new n = {
        .address = s->address, .name = s->name, .language = s->language, .quota_bytes = s->quota_bytes};
    if (!s->password.n)
        return add_account(a, &n);
    struct secret typed CLEANUP_SECRET = SECRET_NONE, normal CLEANUP_SECRET = SECRET_NONE;
    TRY(secret_copy(a->vp->slab, s->password, &typed));
    TRY(judge_new(a, &n, &typed));
    TRY(vault_password_normal(a->vp->vault, &typed, &normal));
    return add_later(a, &n, &normal);
}

/* ---- another password ---- */

struct changing {
    struct asker_wait wait;
    struct job job;
    struct password_work work;
    char address[LIMIT_ADDRESS + 1], actor[VAULT_ACTOR];
};

static void change_work(struct job *j)
{
    password_work_run(&CONTAINER_OF(j, struct changing, job)->work);
}

static void changing_free(struct changing *c)
{
    password_work_done(&c->work);
    free(c);
}

static void change_worked(struct job *j)
{
    struct changing *c = CONTAINER_OF(j, struct changing, job);
    struct asked *a = &c->wait.asked;
    asker_wait_drop(&c->wait);
    vault_forget_problem(a->vp->vault);
    vault_set_actor(a->vp->vault, slice_str(c->actor));
    enum err e = vault_password_finish(a->vp->vault, &c->work, clock_unix_s());
    asked_done(a, e, slice_str(c->address), SLICE_EMPTY);
    vault_set_actor(a->vp->vault, SLICE_EMPTY);
    changing_free(c);
}

/* `proof` empty: none is asked for. */
static enum err
change(struct asked *a, struct slice address, enum password_by by, struct slice proof, struct slice password)
{
    struct secret old CLEANUP_SECRET = SECRET_NONE, typed CLEANUP_SECRET = SECRET_NONE;
    bool has_proof = by == PASSWORD_BY_OWNER || by == PASSWORD_BY_RESET;
    struct password_work work;
    TRY(secret_copy(a->vp->slab, proof, &old));
    TRY(secret_copy(a->vp->slab, password, &typed));
    TRY(vault_password_begin(
        a->vp->vault, address, by, has_proof ? &old : NULL, &typed, clock_unix_s(), &work));
    struct changing *c = NEW(struct changing);
    c->wait.asked = *a;
    c->job = (struct job){.work = change_work, .done = change_worked};
    c->work = work;
    secret_wipe(&work, sizeof work);
    snprintf(c->address, sizeof c->address, SLICE_FMT, SLICE_ARG(slice_sub(address, 0, LIMIT_ADDRESS)));
    snprintf(c->actor, sizeof c->actor, "%s", vault_actor_of(a));
    enum err e = submit(a->vp, &c->job);
    if (e != OK) {
        changing_free(c);
        return unsent(a, e, address);
    }
    asker_wait_add(a->vp, &c->wait);
    return ERR_AGAIN;
}

enum err vault_do_account_set_password(struct asked *a, struct ipc_msg *m)
{
    const struct msg_account_set_password *s = &m->u.account_set_password;
    return change(a, s->address, PASSWORD_BY_ADMIN, SLICE_EMPTY, s->password);
}

enum err vault_do_account_change_password(struct asked *a, struct ipc_msg *m)
{
    const struct msg_account_change_password *s = &m->u.account_change_password;
    return change(a, s->address, PASSWORD_BY_OWNER, s->old, s->password);
}

enum err vault_do_account_use_reset(struct asked *a, struct ipc_msg *m)
{
    const struct msg_account_use_reset *s = &m->u.account_use_reset;
    return change(a, s->address, PASSWORD_BY_RESET, s->code, s->password);
}

/* ---- codes ---- */

/* INV-S4: the code leaves once, in this message, and is wiped. */
enum err vault_do_account_reset(struct asked *a, struct ipc_msg *m)
{
    struct clientpw code;
    char shown[CLIENTPW_SHOWN];
    int64_t expires_s;
    TRY(vault_reset_make(
        a->vp->vault, m->u.account_reset.address, m->u.account_reset.life_s, clock_unix_s(), &code,
        &expires_s));
    clientpw_show(&code, shown);
    struct ipc_msg item = {.type = MSG_RESET_CODE};
    item.u.reset_code =
        (struct msg_reset_code){.code = slice_of(shown, sizeof shown), .expires_s = expires_s};
    asked_item(a, &item);
    secret_wipe(shown, sizeof shown);
    secret_wipe(&code, sizeof code);
    return OK;
}

/* ---- judging ---- */

enum err vault_do_password_check(struct asked *a, struct ipc_msg *m)
{
    const struct msg_password_check *s = &m->u.password_check;
    struct secret typed CLEANUP_SECRET = SECRET_NONE;
    struct buf words CLEANUP_BUF = BUF_INIT(512);
    struct vault_account account;
    struct password_judgement j;
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    TRY(secret_copy(a->vp->slab, s->password, &typed));
    TRY(vault_password_judge(a->vp->vault, &account, &typed, &j));
    password_reason_put(j.reason, slice_str(account.language), j.number, &words);
    struct ipc_msg item = {.type = MSG_PASSWORD_REPORT};
    item.u.password_report = (struct msg_password_report){
        .colour = slice_str(strength_colour_name(j.colour)),
        .reason = slice_str(password_reason_name(j.reason)),
        .words = buf_slice(&words),
    };
    asked_item(a, &item);
    return OK;
}

/* ---- the filter ---- */

void vault_load_breach(struct vault_process *vp)
{
    struct buf problem CLEANUP_BUF = BUF_INIT(256);
    enum err e = vault_breach_load(vp->vault, vp->folder, &problem);
    if (e == OK)
        log_event(LOG_INFO, "breach.filter", LOG_NUM("passwords", vault_breach_count(vp->vault)));
    else if (e != ERR_NOT_FOUND)
        log_event(
            LOG_ERROR, "breach.filter", LOG_ERR(e), LOG_STR("file", "vault/" BREACH_FILE),
            LOG_TEXT("reason", buf_slice(&problem)));
}

/* ---- warnings ---- */

static void warn_some(struct timer *t)
{
    struct vault_process *vp = t->owner;
    enum err e = vault_passwords_warn(vp->vault, clock_unix_s(), WARN_AT_ONCE, &vp->mailbox.cursor);
    if (e != OK) {
        vp->mailbox.cursor = 0;
        log_event(LOG_ERROR, "password.warn", LOG_ERR(e));
    }
    timer_start(t, vp->mailbox.cursor ? LIMIT_PASSWORD_LOOK_STEP : LIMIT_PASSWORD_LOOK);
}

void vault_mailbox_start(struct vault_process *vp)
{
    vault_load_breach(vp);
    timer_init(&vp->mailbox.warn, vp->proc->loop, warn_some, vp);
    timer_start(&vp->mailbox.warn, LIMIT_PASSWORD_LOOK_STEP);
}

void vault_mailbox_stop(struct vault_process *vp)
{
    timer_stop(&vp->mailbox.warn);
}

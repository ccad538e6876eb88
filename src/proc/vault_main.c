/* vault_main.c - the vault: accounts, credentials, policy, sign-in (see vault.h and src/vault). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "db/db.h"
#include "factor/ceremony.h"
#include "proc/vault.h"
#include "vault/policy.h"

static const struct {
    enum ipc_type type;
    vault_handler *run;
} handlers[] = {
    {MSG_SIGNIN_START, vault_on_signin_start},
    {MSG_SIGNIN_STEP, vault_on_signin_step},
    {MSG_SIGNIN_CANCEL, vault_on_signin_cancel},
    {MSG_MECHANISMS, vault_on_mechanisms},
    {MSG_RESOLVE, vault_on_resolve},
    {MSG_OWNS, vault_on_owns},
    {MSG_REFUSAL, vault_on_refusal},
    {MSG_CREDENTIAL_CHECK, vault_on_credential_check},
    {MSG_SPEND, vault_on_spend},
    {MSG_CLIENT_PROGRAM, vault_on_client_program},
    {MSG_CONTROL, vault_on_control},
};

/* Made by the first message or by prepare, whichever comes first: keys come before the jail. */
static struct vault_process *process_of(struct proc *p)
{
    struct vault_process *vp = p->owner;
    if (vp)
        return vp;
    vp = NEW(struct vault_process);
    vp->proc = p;
    vp->folder = vp->key_fds[VAULT_ACCOUNTS] = vp->key_fds[VAULT_CLIENTS] = -1;
    p->owner = vp;
    return vp;
}

/* Before the vault opens; later ones are of no use. */
static void take_key(struct vault_process *vp, struct ipc_msg *m)
{
    int fd CLEANUP_FD = TAKE(m->fds[MSG_VAULT_KEY_FD_CONTENTS], -1);
    for (unsigned c = 0; c < VAULT_CONTAINERS && !vp->vault; c++) {
        if (!slice_eq(m->u.vault_key.container, slice_str(vault_container_name((enum vault_container)c))))
            continue;
        file_close(&vp->key_fds[c]);
        vp->key_fds[c] = TAKE(fd, -1);
    }
}

static void on_message(struct proc *p, struct channel *from, struct ipc_msg *m)
{
    struct vault_process *vp = process_of(p);
    if (m->type == MSG_VAULT_KEY) {
        take_key(vp, m);
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (handlers[i].type == m->type) {
            handlers[i].run(vp, from, m);
            return;
        }
    }
    if (!vault_admin_message(vp, from, m))
        log_event(LOG_WARN, "message.unknown", LOG_NUM("type", m->type));
}

static void on_peer_up(struct proc *p, enum ipc_role role, unsigned index, struct channel *channel)
{
    if (role == ROLE_KEEPER)
        vault_greet_keeper(p->owner, channel, index);
    if (role == ROLE_DIRECTORY)
        vault_directory_up(p->owner);
    if (role == ROLE_GATE) /* it may have missed changes */
        vault_tell_recipients(p->owner);
}

static void on_peer_down(struct proc *p, enum ipc_role role, unsigned index, enum err why)
{
    struct vault_process *vp = p->owner;
    (void)why;
    if (role == ROLE_GATE && vp->signins)
        signins_drop_gate(vp->signins, index);
}

/* ---- what the vault tells ---- */

/* Records of changes after which mail to some address goes another way, or with another quota. */
static bool moves_mail(struct slice kind)
{
    static const char *const kinds[] = {"account.added",   "account.removed", "account.moved",
                                        "account.changed", "alias.added",     "alias.removed",
                                        "domain.added",    "domain.removed"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_eq(kind, slice_str(kinds[i])))
            return true;
    return false;
}

static void on_moved(struct task *t)
{
    vault_tell_recipients(t->owner);
}

static void
on_audit(void *owner, struct slice kind, struct slice actor, struct slice subject, struct slice body)
{
    struct vault_process *vp = owner;
    if (moves_mail(kind))
        loop_defer(vp->proc->loop, &vp->moved);
    (void)proc_audit(vp->proc, kind, actor, subject, body); /* what is dropped is counted there */
}

static void on_revoked(void *owner, const struct account_id *account, uint64_t credential, uint32_t version)
{
    vault_send_revoke(owner, account, credential, version);
}

static void on_account_removed(void *owner, const struct account_id *account)
{
    vault_send_removed(owner, account);
}

static const struct vault_events events = {
    .audit = on_audit, .revoked = on_revoked, .account_removed = on_account_removed};

/* ---- settings ---- */

static struct vault_settings settings_of(const struct config *c)
{
    struct vault_settings s = vault_settings_default;
    s.plus_separator = config_plus_separator(c);
    s.quota_default = config_number(c, CONFIG_QUOTA_DEFAULT);
    s.notices = config_is(c, CONFIG_NOTICES);
    s.why_retention_s = config_number(c, CONFIG_WHY_RETENTION) / 1000;
    s.address_rest_s = config_number(c, CONFIG_ADDRESS_REST) / 1000;
    s.cost.memory_kib = (uint32_t)(config_number(c, CONFIG_PASSWORD_MEMORY) / 1024);
    s.cost.passes = (uint32_t)config_number(c, CONFIG_PASSWORD_PASSES);
    static const enum config_key presets[] = {
        [VAULT_SUBMISSION] = CONFIG_MAILBOX_PASSWORD_SUBMISSION,
        [VAULT_IMAP] = CONFIG_MAILBOX_PASSWORD_IMAP,
        [VAULT_POP3] = CONFIG_MAILBOX_PASSWORD_POP3,
    };
    static_assert((int)CONFIG_ALLOWED == (int)MAILBOX_ALLOWED, "the same words");
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        s.mailbox_password[i] = (enum mailbox_policy)config_number(c, presets[i]);
    return s;
}

static struct guard_limits limits_of(const struct config *c)
{
    return (struct guard_limits){
        .strikes = (unsigned)config_number(c, CONFIG_FAILURES_FREE),
        .window_ms = config_number(c, CONFIG_FAILURES_WINDOW),
        .pause_max_ms = config_number(c, CONFIG_FAILURES_DELAY),
        .day = (unsigned)config_number(c, CONFIG_FAILURES_DAY),
        .spray = (unsigned)config_number(c, CONFIG_SPRAY_ACCOUNTS),
    };
}

static void reload(struct proc *p, const struct config *before, struct buf *problem)
{
    struct vault_process *vp = p->owner;
    (void)before;
    struct vault_settings settings = settings_of(p->config);
    struct guard_limits limits = limits_of(p->config);
    enum err e = vault_policy_set_presets(vp->vault, settings.mailbox_password);
    if (e != OK) {
        buf_put(problem, vault_problem(vp->vault));
        return;
    }
    vault_set(vp->vault, &settings);
    vault_load_breach(vp);
    guard_set_limits(vp->guard, &limits);
    vault_set_offer(vp);
    vault_tell_offer(vp);
    vault_tell_recipients(vp); /* the separator of tags, the quota */
}

/* ---- timers ---- */

static void on_tick(struct timer *t)
{
    struct vault_process *vp = t->owner;
    signin_tick(vp->signins);
}

static void on_flush(struct timer *t)
{
    struct vault_process *vp = t->owner;
    guard_tidy(vp->guard, clock_mono_ms());
    enum err e = vault_flush(vp->vault);
    if (e != OK)
        log_event(LOG_ERROR, "vault.flush", LOG_ERR(e));
    timer_start(t, LIMIT_VAULT_FLUSH);
}

/* ---- from start to end ---- */

static fallible prepare(struct proc *p)
{
    struct vault_process *vp = process_of(p);
    list_init(&vp->controls);
    list_init(&vp->waits);
    task_init(&vp->moved, on_moved, vp);
    list_init(&vp->revoking.waiting);
    crypto_init();
    db_init();
    factor_init();
    vp->slab = secret_slab_new(LIMIT_VAULT_SECRETS);
    if (!secret_slab_is_locked(vp->slab))
        log_event(
            LOG_WARN, "memory.unlocked",
            LOG_STR("remedy", "let the server lock 8 MiB of memory (ulimit -l, LimitMEMLOCK)"));
    return secret_random(vp->slab, 32, &vp->guard_key);
}

/* A vault is made only for a command (`letterlock init`): a server whose vault is gone must not begin with an empty one. */
static fallible open_vault(struct vault_process *vp, struct buf *problem)
{
    struct proc *p = vp->proc;
    vp->folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (vp->folder < 0)
        return err_of_errno(errno);
    const struct vault_options options = {
        .dirfd = vp->folder,
        .key_fds = vp->key_fds[VAULT_ACCOUNTS] >= 0 ? vp->key_fds : NULL,
        .slab = vp->slab,
        .settings = settings_of(p->config),
        .events = &events,
        .owner = vp,
    };
    if (p->offline && vault_is_absent(vp->folder))
        TRY(vault_create(&options, problem));
    return vault_open(&options, &vp->vault, problem);
}

static fallible start(struct proc *p)
{
    struct vault_process *vp = p->owner;
    struct buf problem CLEANUP_BUF = BUF_INIT(1024);
    enum err e = open_vault(vp, &problem);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        file_close(&vp->key_fds[c]);
    if (e != OK) {
        log_event(LOG_ERROR, "vault.unusable", LOG_ERR(e), LOG_TEXT("reason", buf_slice(&problem)));
        return e;
    }
    struct guard_limits limits = limits_of(p->config);
    vp->guard = guard_new(&vp->guard_key, &limits);
    timer_init(&vp->tick, p->loop, on_tick, vp);
    vault_revoking_start(vp);
    timer_init(&vp->flush, p->loop, on_flush, vp);
    vp->signins = signins_new(vp->vault, vp->guard, &vault_signin_ops, vp);
    vault_set_offer(vp);
    timer_start(&vp->flush, LIMIT_VAULT_FLUSH);
    vault_notices_start(vp);
    vault_mailbox_start(vp);
    vault_directory_start(vp);
    return OK;
}

static void status(struct proc *p, struct proc_status *out)
{
    struct vault_process *vp = p->owner;
    struct buf text CLEANUP_BUF = BUF_INIT(256);
    buf_printf(&text, "waiting for ");
    signins_describe(vp->signins, &text);
    buf_printf(
        &text, ", %zu octets of secrets%s", secret_slab_used(vp->slab),
        secret_slab_is_locked(vp->slab) ? "" : ", memory not locked");
    proc_status_put(out, "sign-in", 0, "ok", 0, buf_slice(&text));
}

static void stop(struct proc *p, uint64_t within_ms)
{
    struct vault_process *vp = p->owner;
    (void)within_ms;
    if (vp->vault) {
        enum err e = vault_flush(vp->vault);
        if (e != OK)
            log_event(LOG_ERROR, "vault.flush", LOG_ERR(e));
    }
    proc_end(p);
}

static void vault_end(struct proc *p)
{
    struct vault_process *vp = p->owner;
    pool_free(&p->pool); /* before what its jobs hold */
    if (vp->vault)
        vault_directory_stop(vp);
    vault_controls_close(vp);
    signins_free(&vp->signins);
    timer_stop(&vp->tick);
    vault_revoking_stop(vp);
    timer_stop(&vp->flush);
    task_stop(&vp->moved);
    vault_notices_stop(vp);
    vault_mailbox_stop(vp);
    guard_free(&vp->guard);
    enum err e = vault_close(&vp->vault);
    if (e != OK)
        log_event(LOG_ERROR, "vault.close", LOG_ERR(e));
    secret_free(&vp->guard_key);
    file_close(&vp->folder);
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        file_close(&vp->key_fds[c]);
    mem_free(&p->owner);
}

int main(int argc, char **argv)
{
    static const struct child_ops ops = {
        .role = ROLE_VAULT,
        .prepare = prepare,
        .start = start,
        .message = on_message,
        .peer_up = on_peer_up,
        .peer_down = on_peer_down,
        .reload = reload,
        .stop = stop,
        .end = vault_end,
        .status = status,
    };
    return child_main(&ops, argc, argv);
}

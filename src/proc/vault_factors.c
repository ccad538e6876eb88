/* vault_factors.c - `letterlock factor`: second factors of a mailbox password. */
#include "base/clock.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/factors.h"

/* What an authenticator shows above the address. */
static struct slice issuer_of(const struct vault_account *account)
{
    struct slice address = slice_str(account->address);
    size_t at = slice_rfind(address, '@');
    return at == SLICE_NPOS ? address : slice_from(address, at + 1);
}

/* INV-S4: the secret leaves once, in this message, and is wiped. */
enum err vault_do_factor_enrol_totp(struct asked *a, struct ipc_msg *m)
{
    const struct msg_factor_enrol_totp *s = &m->u.factor_enrol_totp;
    struct vault_account account;
    struct factor_totp_new made;
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    TRY(factors_enrol_totp(a->vp->vault, &account.id, s->label, issuer_of(&account), clock_unix_s(), &made));
    struct ipc_msg item = {.type = MSG_FACTOR_SECRET};
    item.u.factor_secret = (struct msg_factor_secret){
        .factor = made.id, .uri = secret_reveal(&made.uri), .secret = secret_reveal(&made.secret)};
    asked_item(a, &item);
    secret_free(&made.uri);
    secret_free(&made.secret);
    return OK;
}

enum err vault_do_factor_confirm(struct asked *a, struct ipc_msg *m)
{
    const struct msg_factor_confirm *s = &m->u.factor_confirm;
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    return factors_confirm(a->vp->vault, &account.id, s->factor, s->code, clock_unix_s());
}

static void put_factor(void *owner, const struct factor *f)
{
    struct ipc_msg item = {.type = MSG_FACTOR_ITEM};
    item.u.factor_item = (struct msg_factor_item){
        .factor = f->id,
        .kind = slice_str(factor_kind_name(f->kind)),
        .label = slice_str(f->label),
        .status = slice_str(factor_status_name(f->status)),
        .created_s = f->created_s,
        .last_used_s = f->last_used_s,
        .left = f->left,
    };
    asked_item(owner, &item);
}

enum err vault_do_factor_list(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, m->u.factor_list.address, &account));
    return factors_list(a->vp->vault, &account.id, clock_unix_s(), put_factor, a);
}

/* Policy holds for administrators as well: who lost the only factor gets recovery codes, signs in, and adds another. */
enum err vault_do_factor_remove(struct asked *a, struct ipc_msg *m)
{
    const struct msg_factor_remove *s = &m->u.factor_remove;
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    return factors_remove(a->vp->vault, &account.id, s->factor, true, clock_unix_s());
}

enum err vault_do_factor_recovery(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    struct recovery_code codes[LIMIT_RECOVERY_CODES];
    TRY(vault_account_find(a->vp->vault, m->u.factor_recovery.address, &account));
    TRY(factors_new_recovery(a->vp->vault, &account.id, clock_unix_s(), codes));
    for (size_t i = 0; i < LIMIT_RECOVERY_CODES; i++) {
        char shown[RECOVERY_SHOWN];
        struct ipc_msg item = {.type = MSG_RECOVERY_CODE};
        recovery_show(&codes[i], shown);
        item.u.recovery_code.code = slice_of(shown, sizeof shown);
        asked_item(a, &item);
        secret_wipe(shown, sizeof shown);
    }
    secret_wipe(codes, sizeof codes);
    return OK;
}

/* vault_budget.c - keepers ask before a credential with a budget uses it. */
#include "vault/budget.h"

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "proc/vault.h"

static enum ipc_spend_outcome outcome_of(enum err e, enum spend_verdict verdict)
{
    if (e != OK)
        return SPEND_OUTCOME_LATER;
    return verdict == SPEND_OK ? SPEND_OUTCOME_OK : SPEND_OUTCOME_FROZEN;
}

void vault_on_spend(struct vault_process *vp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_spend *s = &m->u.spend;
    struct vault_spending spending = {
        .messages = s->messages, .recipients = s->recipients, .octets = s->octets};
    enum spend_verdict verdict = SPEND_FROZEN;
    /* A keeper in the wrong hands freezes nobody's passwords but those of its own accounts. */
    bool is_its_own = proc_keeper_of(vp->proc, slot_of(&s->account)) == from;
    enum err e =
        !is_its_own ? ERR_DENIED
                    : vault_spend(vp->vault, &s->account, s->credential, &spending, clock_unix_s(), &verdict);
    if (e != OK)
        log_event(LOG_ERROR, "budget.unwritten", LOG_ERR(e), LOG_NUM("credential", s->credential));
    else if (verdict == SPEND_FROZEN)
        log_event(LOG_WARN, "budget.frozen", LOG_NUM("credential", s->credential));
    struct ipc_msg answer = {.type = MSG_SPEND_RESULT, .u.spend_result.outcome = outcome_of(e, verdict)};
    IGNORE(channel_answer(from, m->id, &answer), "a keeper that is gone sends nothing");
}

#include "smtp/front/lookup.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"

/* One account, and its keeper's word. */
struct lookup_check {
    struct list link;
    struct lookup *lookup;
    struct smtp_target target;
    struct channel *asked;
    uint64_t request;
    enum ipc_recipient_outcome outcome;
};

static void on_late(struct task *t);

void lookup_init(struct lookup *l, struct gate *gate, const struct lookup_events *events, void *owner)
{
    *l = (struct lookup){
        .gate = gate, .events = events, .owner = owner, .memory = ARENA_INIT(LIMIT_SMTP_ENVELOPE)};
    list_init(&l->found);
    task_init(&l->late, on_late, l);
}

static void forget_found(struct lookup *l)
{
    LIST_EACH (&l->found, struct lookup_check, link, check) {
        channel_forget(check->asked, check->request);
        list_drop(&check->link);
    }
    l->waiting = 0;
    l->asking_keepers = false;
    l->key = SLICE_EMPTY;
    arena_done(&l->memory);
}

void lookup_done(struct lookup *l)
{
    channel_forget(l->asked, l->request);
    l->asked = NULL;
    l->request = 0;
    task_stop(&l->late);
    forget_found(l);
}

static void start(struct lookup *l)
{
    assert(l->request == 0);
    forget_found(l);
}

static void answer_late(struct lookup *l, bool owned, enum status verdict)
{
    l->late_owned = owned;
    l->late_verdict = verdict;
    loop_defer(l->gate->loop, &l->late);
}

/* ---- the keepers' words ---- */

static enum status verdict_of_outcomes(const struct lookup *l, size_t *ret_usable)
{
    unsigned seen[RECIPIENT_OUTCOME_N] = {0};
    LIST_EACH (&l->found, struct lookup_check, link, check) {
        seen[check->outcome]++;
    }
    *ret_usable = seen[RECIPIENT_OUTCOME_OK] + seen[RECIPIENT_OUTCOME_FULL] + seen[RECIPIENT_OUTCOME_LATER];
    if (seen[RECIPIENT_OUTCOME_OK])
        return STATUS_RECIPIENT_OK;
    if (seen[RECIPIENT_OUTCOME_LATER])
        return STATUS_UNAVAILABLE;
    return seen[RECIPIENT_OUTCOME_FULL] ? STATUS_MAILBOX_FULL : STATUS_NO_SUCH_MAILBOX;
}

static void tell_resolved(struct lookup *l)
{
    size_t usable = 0, n = 0;
    enum status verdict = verdict_of_outcomes(l, &usable);
    struct smtp_target *targets = NULL;
    if (verdict == STATUS_RECIPIENT_OK) {
        targets = arena_array(&l->memory, usable, sizeof *targets);
        if (!targets)
            verdict = STATUS_TOO_MANY_RECIPIENTS;
    }
    LIST_EACH (&l->found, struct lookup_check, link, check) {
        if (targets && check->outcome != RECIPIENT_OUTCOME_GONE)
            targets[n++] = check->target;
    }
    l->asking_keepers = false;
    l->events->resolved(l, verdict, targets, n);
}

static void on_checked(void *owner, enum err why, struct ipc_msg *m)
{
    struct lookup_check *check = owner;
    struct lookup *l = check->lookup;
    check->request = 0;
    check->outcome = why == OK ? m->u.recipient_check_result.outcome : RECIPIENT_OUTCOME_LATER;
    if (--l->waiting == 0 && l->asking_keepers)
        tell_resolved(l);
}

static void ask_keeper(struct lookup *l, struct lookup_check *check)
{
    struct smtp_target *t = &check->target;
    struct ipc_msg m = {
        .type = MSG_RECIPIENT_CHECK,
        .u.recipient_check = {
            .account = t->account, .slot = t->slot, .size = l->size, .quota_bytes = t->quota_bytes}};
    check->outcome = RECIPIENT_OUTCOME_LATER;
    check->asked = l->gate->keeper_of(t->slot, l->gate->keeper_arg);
    if (check->asked && channel_request(check->asked, &m, 0, on_checked, check, &check->request) == OK)
        l->waiting++;
}

static void ask_keepers(struct lookup *l)
{
    LIST_EACH (&l->found, struct lookup_check, link, check) {
        ask_keeper(l, check);
    }
    if (l->waiting)
        l->asking_keepers = true;
    else
        tell_resolved(l);
}

/* ---- the vault's words ---- */

static fallible add_target(struct lookup *l, const struct recipient_target *target)
{
    struct lookup_check *check = ARENA_NEW(&l->memory, struct lookup_check);
    if (!check)
        return ERR_LIMIT;
    check->lookup = l;
    check->target = (struct smtp_target){
        .account = target->account,
        .slot = target->slot,
        .quota_bytes = target->quota_bytes,
        .address = arena_copy(&l->memory, target->address)};
    list_add(&l->found, &check->link);
    return arena_check(&l->memory);
}

static enum status verdict_of_vault(const struct lookup *l, enum ipc_resolve_outcome outcome)
{
    static const enum status verdicts[] = {
        [RESOLVE_OUTCOME_KNOWN] = STATUS_RECIPIENT_OK,
        [RESOLVE_OUTCOME_UNKNOWN] = STATUS_NO_SUCH_MAILBOX,
        [RESOLVE_OUTCOME_FOREIGN] = STATUS_RELAY_DENIED,
        [RESOLVE_OUTCOME_LATER] = STATUS_UNAVAILABLE,
        [RESOLVE_OUTCOME_REFUSED] = STATUS_TOO_MANY_LOOKUPS,
        [RESOLVE_OUTCOME_LIMITED] = STATUS_RECIPIENT_NOT_ALLOWED,
    };
    static_assert(sizeof verdicts / sizeof *verdicts == RESOLVE_OUTCOME_N, "an outcome without a status");
    if (outcome == RESOLVE_OUTCOME_KNOWN && list_is_empty(&l->found))
        return STATUS_NO_SUCH_MAILBOX;
    return l->memory.failed ? STATUS_TOO_MANY_RECIPIENTS : verdicts[outcome];
}

static void keep_found(struct lookup *l)
{
    size_t count = 0, n = 0;
    LIST_EACH (&l->found, struct lookup_check, link, check)
        count++;
    struct recipient_target *targets = mem_alloc(count * sizeof *targets);
    LIST_EACH (&l->found, struct lookup_check, link, check) {
        const struct smtp_target *t = &check->target;
        targets[n++] = (struct recipient_target){t->account, t->slot, t->quota_bytes, t->address};
    }
    recipients_keep(&l->gate->recipients, l->key, targets, count);
    free(targets);
}

/* For when the vault is away. */
static void remember(struct lookup *l, enum status verdict)
{
    if (!l->key.n)
        return;
    if (verdict == STATUS_RECIPIENT_OK)
        keep_found(l);
    else if (verdict == STATUS_NO_SUCH_MAILBOX || verdict == STATUS_RELAY_DENIED)
        recipients_drop(&l->gate->recipients, l->key);
}

/* What the vault would say if it could, or "later". */
static enum status recall(struct lookup *l)
{
    size_t count = 0;
    const struct recipient_target *targets = recipients_find(&l->gate->recipients, l->key, &count);
    forget_found(l);
    for (size_t i = 0; targets && i < count; i++)
        IGNORE(add_target(l, &targets[i]), "the arena remembers that it is full");
    return list_is_empty(&l->found) || l->memory.failed ? STATUS_UNAVAILABLE : STATUS_RECIPIENT_OK;
}

static void on_resolved(void *owner, enum err why, struct ipc_msg *m)
{
    struct lookup *l = owner;
    if (why == OK && m->type == MSG_RESOLVE_TARGET) {
        const struct msg_resolve_target *t = &m->u.resolve_target;
        const struct recipient_target target = {t->account, t->slot, t->quota_bytes, t->address};
        IGNORE(add_target(l, &target), "the arena remembers that it is full");
        return;
    }
    l->request = 0;
    l->asked = NULL;
    enum status verdict = STATUS_UNAVAILABLE;
    if (why == OK) {
        verdict = verdict_of_vault(l, m->u.resolve_result.outcome);
        remember(l, verdict);
    } else if (why == ERR_CLOSED) {
        verdict = recall(l);
    }
    if (verdict == STATUS_RECIPIENT_OK)
        ask_keepers(l);
    else
        l->events->resolved(l, verdict, NULL, 0);
}

/* Empty: an address that has none (postmaster alone). */
static struct slice key_of(struct lookup *l, const struct address *recipient)
{
    struct address_key key;
    return address_key(recipient, &key) == OK ? arena_copy(&l->memory, address_key_text(&key)) : SLICE_EMPTY;
}

void lookup_recipient(
    struct lookup *l, const struct lookup_who *who, const struct address *recipient, uint64_t size)
{
    start(l);
    l->size = size;
    l->key = who->service == SERVICE_MX ? key_of(l, recipient) : SLICE_EMPTY;
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    address_put(&text, recipient);
    struct ipc_msg m = {
        .type = MSG_RESOLVE,
        .u.resolve = {
            .session = who->session,
            .client = who->client,
            .service = who->service,
            .account = who->account,
            .credential = who->credential,
            .recipient = buf_slice(&text)}};
    l->asked = l->gate->vault;
    bool asked = l->asked && channel_request(l->asked, &m, 0, on_resolved, l, &l->request) == OK;
    if (!asked)
        answer_late(l, false, recall(l));
}

static void on_owned(void *owner, enum err why, struct ipc_msg *m)
{
    struct lookup *l = owner;
    l->request = 0;
    l->asked = NULL;
    enum ipc_owns_outcome outcome = why == OK ? m->u.owns_result.outcome : OWNS_OUTCOME_LATER;
    l->events->owned(
        l, outcome == OWNS_OUTCOME_YES       ? STATUS_SENDER_OK
           : outcome == OWNS_OUTCOME_NO      ? STATUS_SENDER_NOT_YOURS
           : outcome == OWNS_OUTCOME_LIMITED ? STATUS_SENDER_NOT_ALLOWED
                                             : STATUS_UNAVAILABLE);
}

void lookup_sender(struct lookup *l, const struct lookup_who *who, const struct address *sender)
{
    start(l);
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    address_put(&text, sender);
    struct ipc_msg m = {
        .type = MSG_OWNS,
        .u.owns = {.account = who->account, .credential = who->credential, .address = buf_slice(&text)}};
    l->asked = l->gate->vault;
    bool asked = l->asked && channel_request(l->asked, &m, 0, on_owned, l, &l->request) == OK;
    if (!asked)
        answer_late(l, true, STATUS_UNAVAILABLE);
}

static void on_late(struct task *t)
{
    struct lookup *l = t->owner;
    if (l->late_owned)
        l->events->owned(l, l->late_verdict);
    else if (l->late_verdict == STATUS_RECIPIENT_OK)
        ask_keepers(l);
    else
        l->events->resolved(l, l->late_verdict, NULL, 0);
}

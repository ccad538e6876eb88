/* What is told of a decision, and to whom: the owner (`why`), the journal, the log. Never the gate. */
#include <stdio.h>

#include "base/log.h"
#include "vault/signin_private.h"
#include "vault/why.h"

static const char *outcome_name(enum verdict verdict)
{
    static const char *const names[] = {
        [VERDICT_NO] = "refused", [VERDICT_LATER] = "later", [VERDICT_YES] = "ok"};
    return names[verdict];
}

static const char *kind_name(enum credential_kind kind)
{
    static const char *const names[] = {
        [CREDENTIAL_NONE] = "none",
        [CREDENTIAL_SLIP] = "slip",
        [CREDENTIAL_MAILBOX] = "mailbox",
        [CREDENTIAL_MAILBOX_WITH_CODE] = "mailbox-with-code",
        [CREDENTIAL_MAILBOX_BAD_CODE] = "mailbox-bad-code",
        [CREDENTIAL_CLIENT] = "client",
        [CREDENTIAL_TOKEN] = "token",
        [CREDENTIAL_CERTIFICATE] = "certificate",
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

/* One line of the record: what is foreign in it cannot begin another. */
static void put_fact(struct buf *body, const char *key, struct slice value)
{
    buf_printf(body, "%s=", key);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        buf_put_char(body, c < ' ' || c == 0x7f ? '?' : (char)c);
    }
    buf_put_char(body, '\n');
}

static void put_number(struct buf *body, const char *key, uint64_t value)
{
    buf_printf(body, "%s=%llu\n", key, (unsigned long long)value);
}

/* Every sign-in, right or wrong, is one record of the same shape. */
static void tell_journal(struct signins *s, const struct exchange *x, struct slice who, const char *ip)
{
    struct buf body CLEANUP_BUF = BUF_INIT(2048);
    char kind[32];
    snprintf(kind, sizeof kind, "signin.%s", outcome_name(x->decision.verdict));
    put_fact(&body, "door", slice_str(vault_door_name(x->door)));
    put_fact(&body, "mechanism", slice_str(sasl_server_mechanism(x->sasl)->name));
    put_fact(&body, "reason", slice_str(reason_name(x->decision.reason)));
    put_fact(&body, "kind", slice_str(kind_name(x->question.kind)));
    put_number(&body, "credential", x->facts.client.id);
    put_fact(&body, "client", slice_str(ip));
    put_fact(&body, "program", buf_slice(&x->program));
    put_fact(&body, "tls", buf_slice(&x->tls));
    vault_audit(s->vault, kind, who, &body);
}

static void tell_why(struct signins *s, const struct exchange *x)
{
    const struct signin_facts *f = &x->facts;
    struct buf detail CLEANUP_BUF = BUF_INIT(LIMIT_WHY_DETAIL);
    buf_printf(&detail, "%s", sasl_server_mechanism(x->sasl)->name);
    if (x->tls.n)
        buf_printf(&detail, ", " SLICE_FMT, SLICE_ARG(buf_slice(&x->tls)));
    struct why_row row = {
        .time_s = s->ops->now_s(s->owner),
        .name = f->has_account ? slice_str(f->account.address) : f->name,
        .account = f->has_account ? &f->account.id : NULL,
        .door = slice_str(vault_door_name(x->door)),
        .outcome = slice_str(outcome_name(x->decision.verdict)),
        .reason = slice_str(reason_name(x->decision.reason)),
        .credential = f->client.id,
        .client = x->client,
        .program = buf_slice(&x->program),
        .detail = buf_slice(&detail),
    };
    vault_why_add(s->vault, &row);
}

/* A bait was used: more than a refusal. */
static void sound_alarm(struct signins *s, struct exchange *x, const char *ip)
{
    const struct signin_facts *f = &x->facts;
    enum err e = vault_canary_used(
        s->vault, &f->client, x->door, &x->client, buf_slice(&x->program), s->ops->now_s(s->owner));
    if (e == ERR_EXISTS)
        return;
    log_event(
        LOG_WARN, "alert.canary", LOG_TEXT("account", slice_str(f->account.address)),
        LOG_NUM("credential", f->client.id), LOG_TEXT("label", slice_str(f->client.label)),
        LOG_STR("door", vault_door_name(x->door)), LOG_STR("client", ip),
        LOG_STR("told", e == OK ? "yes" : err_text(e)));
}

/* INV-S4: what was typed as a name is told in clear only when it is an account's. */
void signin_tell(struct signins *s, struct exchange *x)
{
    const struct signin_facts *f = &x->facts;
    const struct decision *d = &x->decision;
    char ip[IP_TEXT_MAX], alias[WHY_ALIAS_LEN + 1];
    vault_name_alias(s->vault, f->name, alias);
    ip_text(&x->client, ip);
    struct slice who = f->has_account ? slice_str(f->account.address) : slice_str(alias);
    log_event(
        d->verdict == VERDICT_YES ? LOG_INFO : LOG_WARN, "signin", LOG_ID(x->key.session),
        LOG_STR("door", vault_door_name(x->door)), LOG_STR("outcome", outcome_name(d->verdict)),
        LOG_STR("reason", reason_name(d->reason)), LOG_TEXT(f->has_account ? "account" : "name_hash", who),
        LOG_STR("mechanism", sasl_server_mechanism(x->sasl)->name), LOG_NUM("credential", f->client.id),
        LOG_STR("client", ip), LOG_TEXT("program", buf_slice(&x->program)));
    tell_why(s, x);
    tell_journal(s, x, who, ip);
    if (d->reason == REASON_CANARY && f->has_client)
        sound_alarm(s, x, ip);
}

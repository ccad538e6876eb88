#include <assert.h>

#include "doctor/judging.h"

/* Sets of causes. */
#define OF(cause) (UINT64_C(1) << CAUSE_##cause)
static_assert(CAUSE_N <= 64, "a bit for each cause");

static bool is_of(uint64_t causes, const struct diagnosis *d)
{
    return causes >> d->cause & 1;
}

/* What a reply comes to when the server does not tell what is wrong with name or password. */
#define REFUSED (OF(WRONG_PASSWORD) | OF(USER_UNKNOWN) | OF(NAME_FORM))
/* ... or could not even read them. */
#define UNREAD (REFUSED | OF(PROTOCOL_FAULT))
#define UNREACHED (OF(DNS) | OF(NETWORK) | OF(PROXY))
#define ENCRYPTION                                                                                           \
    (OF(TLS_REQUIRED) | OF(TLS_MODE) | OF(TLS_VERSIONS) | OF(TLS_BROKEN) | OF(WRONG_PORT) |                  \
     OF(PROTOCOL_FAULT))
#define CERTIFICATE (OF(CERTIFICATE_NAME) | OF(CERTIFICATE_UNTRUSTED) | OF(CERTIFICATE_EXPIRED))

/* What was seen before and explains a later fault better than the fault does itself. By the beginning of the id: families of
 * conditions share it. */
static const struct {
    struct slice id;
    bool whole; /* the id as a whole, not its beginning */
    uint64_t explains;
    bool of_secret; /* not where the secret was accepted elsewhere */
} hints[] = {
    {S("input-password-as-token"), true, UNREAD | OF(TOKEN), true},
    {S("input-token-"), false, UNREAD | OF(TOKEN) | OF(MECHANISM), true},
    {S("input-username-no-domain"), true, REFUSED, false},
    {S("input-username-slip"), true, REFUSED, false},
    {S("input-domain-typo"), true, REFUSED | UNREACHED | OF(RECIPIENT) | OF(SENDER), false},
    {S("input-wrong-domain"), true, REFUSED | UNREACHED | OF(RECIPIENT) | OF(SENDER), false},
    {S("input-address-"), false, REFUSED | UNREACHED | OF(SENDER), false},
    {S("input-full-width-at"), true, UNREAD | UNREACHED | OF(SENDER), false},
    {S("input-name-"), false, UNREAD | UNREACHED | OF(SENDER), false},
    {S("input-display-name"), true, UNREAD, false},
    {S("icloud-third-party-apple-id"), true, REFUSED, false},
    {S("input-percent-dollar"), true, 0, true}, /* the doctor itself sent them as they are */
    {S("input-backslash-quote"), true, OF(PROTOCOL_FAULT), true},
    {S("input-"), false, UNREAD, true},
    {S("port-"), false, UNREACHED | ENCRYPTION, false},
    {S("host-"), false, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("exmail-wrong-host"), true, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("gmx-com-vs-net"), true, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("zoho-custom-domain-host"), true, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("verizon-moved-to-aol"), true, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("icloud-no-pop"), true, UNREACHED | ENCRYPTION | CERTIFICATE, false},
    {S("find-not-offered"), true, UNREACHED | ENCRYPTION | OF(PROTOCOL_OFF), false},
    {S("find-dns-"), false, UNREACHED | CERTIFICATE, false},
    {S("find-domain-takes-no-mail"), true, UNREACHED, false},
    {S("find-no-domain"), true, UNREACHED, false},
    {S("find-mail-moved"), true, UNREACHED | CERTIFICATE | REFUSED, false},
    {S("provider-without-imap"), true, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("proton-no-direct-imap"), true, UNREACHED | ENCRYPTION | CERTIFICATE | REFUSED, false},
    {S("net-captive-portal"), true, UNREACHED | ENCRYPTION | CERTIFICATE | OF(INTERCEPTED), false},
    {S("net-offline"), true, UNREACHED, false},
    {S("net-mail-ports-blocked"), true, UNREACHED, false},
    {S("net-local-refused"), true, UNREACHED, false},
    {S("socks-"), false, UNREACHED | ENCRYPTION, false},
    {S("dns-bogus"), true, UNREACHED | CERTIFICATE, false},
    {S("dns-hijack"), true, UNREACHED | ENCRYPTION | CERTIFICATE, false},
    {S("tls-clock-skew"), true, CERTIFICATE, false},
};

static uint64_t explained_by(const struct judging *j, const struct diagnosis *d)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (hints[i].whole ? slice_eq(d->id, hints[i].id) : slice_starts(d->id, hints[i].id))
            return hints[i].of_secret && j->signed_in ? 0 : hints[i].explains;
    return 0;
}

/* Is it about the same: this server, or no single one? */
static bool is_about(const struct entry *hint, const struct entry *fault)
{
    return hint != fault && hint->note->diagnosis && (!hint->server || hint->server == fault->server) &&
           hint->note->step <= fault->note->step;
}

/* The words of a server that say more than "no". */
static bool is_specific(const struct entry *e)
{
    const struct observation *o = e->note;
    return e->weight == WEIGHT_FAULT && o->diagnosis && o->step == STEP_SIGN_IN && !o->diagnosis->observed &&
           o->sure > SURE_LOW && !is_of(REFUSED, o->diagnosis);
}

static const struct entry *
hint_for(const struct judging *j, const struct entry *first, const struct entry **ret_possible)
{
    *ret_possible = NULL;
    for (size_t i = 0; i < j->count; i++) {
        const struct entry *e = &j->entries[i];
        if (!is_about(e, first) || !is_of(explained_by(j, e->note->diagnosis), first->note->diagnosis))
            continue;
        if (e->note->sure > SURE_LOW)
            return e;
        if (!*ret_possible)
            *ret_possible = e;
    }
    return NULL;
}

/* Where no slip was seen: a provider whose mail programs need a code of their own says "wrong password" to the other one, and so
 * does one that has not let mail programs in yet. */
static const struct diagnosis *habit_of_provider(const struct judging *j)
{
    const struct provider *p = j->x->provider;
    const struct knowledge *k = j->x->general.knowledge;
    if (!p || j->x->is_token || j->signed_in)
        return NULL;
    if (!(p->takes & TAKES_PASSWORD) && p->takes & (TAKES_APP_PASSWORD | TAKES_AUTHORIZATION_CODE))
        return knowledge_find(k, S("input-web-password-for-code"));
    return p->access == ACCESS_SWITCHED ? knowledge_find(k, S("provider-access-switched")) : NULL;
}

const struct entry *
rules_explain(const struct judging *j, const struct entry *first, const struct diagnosis **ret_alternative)
{
    const struct entry *possible;
    const struct diagnosis *said = first->note->diagnosis;
    bool refused = first->note->step == STEP_SIGN_IN && is_of(REFUSED, said);
    for (size_t i = 0; refused && i < j->count; i++)
        if (is_specific(&j->entries[i]))
            return &j->entries[i];
    const struct entry *hint = hint_for(j, first, &possible);
    if (hint) {
        /* That the server has never heard of somebody is no second cause beside a wrong domain; a wrong password is. */
        *ret_alternative = is_of(OF(WRONG_PASSWORD), said) ? said : NULL;
        return hint;
    }
    if (!first->note->alternative && possible)
        *ret_alternative = possible->note->diagnosis;
    else if (!first->note->alternative && refused && is_of(OF(WRONG_PASSWORD), said))
        *ret_alternative = habit_of_provider(j);
    return first;
}

/* --------------------------------------------------------------------------------------------- what the whole shows */

/* The same secret was taken at the incoming server, and only the outgoing one refuses it. */
static bool is_separate_password(const struct judging *j, const struct entry *first)
{
    if (first->note->step != STEP_SIGN_IN || !is_of(OF(WRONG_PASSWORD), first->note->diagnosis) ||
        !first->server || first->server->endpoint.service != SERVICE_SMTP)
        return false;
    for (size_t i = 0; i < j->x->server_count; i++) {
        const struct checked *s = &j->x->servers[i];
        if (s->endpoint.service != SERVICE_SMTP && s->standing.signed_in)
            return true;
    }
    return false;
}

/* One of ours opens mail only to what has the form of its client passwords, unless its administrator wants it otherwise. */
static bool is_mailbox_password(const struct judging *j, const struct entry *first)
{
    return first->note->step == STEP_SIGN_IN && is_of(OF(WRONG_PASSWORD), first->note->diagnosis) &&
           first->server && first->server->standing.letterlock && !j->signed_in && !j->x->is_token &&
           !j->x->is_client_password;
}

/* A server of a well-known provider is there; who denies its name is the network that was asked. */
static bool is_known_name_denied(const struct judging *j, const struct entry *first)
{
    if (!slice_eq(first->note->diagnosis->id, S("dns-no-such-name")) || !first->server)
        return false;
    struct slice host = first->server->endpoint.host;
    const struct provider *p = knowledge_provider_of(j->x->general.knowledge, host);
    for (size_t i = 0; p && i < p->host_count; i++)
        if (slice_eq(p->hosts[i].host, host))
            return !p->hosts[i].unsure;
    return false;
}

static const struct {
    struct slice id;
    bool (*is_so)(const struct judging *j, const struct entry *first);
    bool instead; /* what the server showed cannot be the cause besides */
} conclusions[] = {
    {S("client-separate-smtp-password"), is_separate_password, false},
    {S("letterlock-mailbox-password"), is_mailbox_password, false},
    {S("dns-hijack"), is_known_name_denied, true},
};

const struct diagnosis *
rules_conclude(const struct judging *j, const struct entry *first, const struct diagnosis **ret_alternative)
{
    for (size_t i = 0; i < sizeof conclusions / sizeof *conclusions; i++)
        if (conclusions[i].is_so(j, first)) {
            *ret_alternative = conclusions[i].instead ? NULL : first->note->diagnosis;
            return knowledge_find(j->x->general.knowledge, conclusions[i].id);
        }
    return NULL;
}

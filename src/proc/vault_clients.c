/* vault_clients.c - `letterlock client` and `letterlock why`. */
#include <stdlib.h>

#include "base/clock.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/why.h"

enum { NETWORKS_TEXT = 1024 };

static void put_networks(struct buf *out, const struct scopes *s)
{
    for (size_t i = 0; i < s->network_count; i++) {
        char text[IP_TEXT_MAX];
        const struct ip_net *net = &s->networks[i];
        bool v4 = ip_is_v4(&net->ip) && net->bits >= 96;
        buf_printf(out, "network=%s/%u\n", ip_text(&net->ip, text), v4 ? net->bits - 96u : net->bits);
    }
}

static struct slice status_of(const struct vault_client *c)
{
    if (c->is_revoked)
        return S("revoked");
    return c->scopes.expires_s && clock_unix_s() >= c->scopes.expires_s ? S("expired") : S("live");
}

void vault_put_client(struct asked *a, const struct vault_client *c, struct slice address)
{
    struct buf networks CLEANUP_BUF = BUF_INIT(NETWORKS_TEXT);
    char from[IP_TEXT_MAX] = "";
    put_networks(&networks, &c->scopes);
    if (c->last_used_s)
        ip_text(&c->last_from, from);
    struct ipc_msg item = {.type = MSG_CLIENT_ITEM};
    item.u.client_item = (struct msg_client_item){
        .credential = c->id,
        .address = address,
        .label = slice_str(c->label),
        .can_receive = c->scopes.can_receive,
        .can_send = c->scopes.can_send,
        .status = status_of(c),
        .created_s = c->created_s,
        .expires_s = c->scopes.expires_s,
        .last_used_s = c->last_used_s,
        .last_from = slice_str(from),
        .last_program = slice_str(c->last_program),
        .limits = buf_slice(&networks),
    };
    asked_item(a, &item);
}

/* "network=A" lines to "A B". */
static fallible networks_of(struct slice limits, struct buf *out)
{
    struct slice line;
    while (slice_cut(&limits, '\n', &line)) {
        if (!line.n)
            continue;
        if (!slice_starts(line, S("network=")))
            return ERR_SYNTAX;
        buf_put_str(out, out->n ? " " : "");
        buf_put(out, slice_from(line, 8));
    }
    return buf_check(out);
}

/* INV-S4: the secret leaves once, in this message, and is wiped. */
enum err vault_do_client_add(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_add *s = &m->u.client_add;
    struct vault_account account;
    struct buf networks CLEANUP_BUF = BUF_INIT(NETWORKS_TEXT);
    TRY(networks_of(s->limits, &networks));
    struct vault_client_new n = {
        .label = s->label,
        .can_receive = s->can_receive,
        .can_send = s->can_send,
        .expires_s = s->expires_s,
        .networks = buf_slice(&networks),
    };
    struct clientpw pw;
    uint64_t id;
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    TRY(vault_client_add(a->vp->vault, &account.id, &n, &pw, &id));
    char shown[CLIENTPW_SHOWN];
    clientpw_show(&pw, shown);
    struct ipc_msg item = {.type = MSG_CLIENT_SECRET};
    item.u.client_secret =
        (struct msg_client_secret){.credential = id, .secret = slice_of(shown, sizeof shown)};
    asked_item(a, &item);
    secret_wipe(shown, sizeof shown);
    secret_wipe(&pw, sizeof pw);
    return OK;
}

struct listing {
    struct asked *asked;
    struct slice address;
};

static void put_listed(void *owner, const struct vault_client *c)
{
    struct listing *l = owner;
    vault_put_client(l->asked, c, l->address);
}

enum err vault_do_client_list(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, m->u.client_list.address, &account));
    struct listing l = {a, slice_str(account.address)};
    return vault_client_list(a->vp->vault, &account.id, put_listed, &l);
}

enum err vault_do_client_show(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    struct vault_client c;
    IGNORE(vault_flush(a->vp->vault), "the last use may then be a few seconds old");
    TRY(vault_account_find(a->vp->vault, m->u.client_show.address, &account));
    TRY(vault_client_get(a->vp->vault, &account.id, m->u.client_show.credential, &c));
    vault_put_client(a, &c, slice_str(account.address));
    return OK;
}

enum err vault_do_client_revoke(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, m->u.client_revoke.address, &account));
    return vault_client_revoke(a->vp->vault, &account.id, m->u.client_revoke.credential);
}

enum err vault_do_client_remove(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, m->u.client_remove.address, &account));
    return vault_client_remove(a->vp->vault, &account.id, m->u.client_remove.credential);
}

enum err vault_do_client_test(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_test *s = &m->u.client_test;
    enum vault_door door;
    if (vault_door_of(s->service, &door) != OK)
        return ERR_SYNTAX;
    struct secret secret CLEANUP_SECRET = SECRET_NONE;
    struct decision d;
    uint64_t credential;
    TRY(secret_copy(a->vp->slab, s->secret, &secret));
    TRY(signin_test(a->vp->vault, s->address, &secret, door, vault_policy_of(a->vp, door), &d, &credential));
    struct ipc_msg item = {.type = MSG_WHY_ITEM};
    item.u.why_item = (struct msg_why_item){
        .time_s = clock_unix_s(),
        .service = slice_sub(slice_str(vault_door_name(door)), 0, 16),
        .outcome = d.verdict == VERDICT_YES ? S("ok") : S("refused"),
        .reason = slice_str(reason_name(d.reason)),
        .credential = credential,
    };
    asked_item(a, &item);
    return OK;
}

static void put_why(void *owner, const struct why_row *row)
{
    static const struct ip none;
    char client[IP_TEXT_MAX] = "";
    if (memcmp(&row->client, &none, sizeof none) != 0)
        ip_text(&row->client, client);
    struct ipc_msg item = {.type = MSG_WHY_ITEM};
    item.u.why_item = (struct msg_why_item){
        .time_s = row->time_s,
        .service = slice_sub(row->door, 0, 16),
        .outcome = slice_sub(row->outcome, 0, 16),
        .reason = slice_sub(row->reason, 0, 64),
        .credential = row->credential,
        .client = slice_str(client),
        .program = row->program,
        .subject = row->detail,
    };
    asked_item(owner, &item);
}

enum err vault_do_why(struct asked *a, struct ipc_msg *m)
{
    enum { MOST = 1000 };
    uint32_t most = m->u.why.most && m->u.why.most < MOST ? m->u.why.most : MOST;
    return vault_why_list(a->vp->vault, m->u.why.address, most, put_why, a);
}

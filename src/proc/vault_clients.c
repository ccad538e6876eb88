/* vault_clients.c - `letterlock client` and `letterlock why`. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/clients_audit.h"
#include "vault/why.h"

void vault_put_client(struct asked *a, const struct vault_client *c, struct slice address)
{
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT), doors CLEANUP_BUF = BUF_INIT(64);
    char from[IP_TEXT_MAX] = "";
    scope_write(&c->scopes.limits, &limits);
    vault_doors_put(c->scopes.doors, &doors);
    if (c->last_used_s)
        ip_text(&c->last_from, from);
    struct ipc_msg item = {.type = MSG_CLIENT_ITEM};
    item.u.client_item = (struct msg_client_item){
        .credential = c->id,
        .address = address,
        .label = slice_str(c->label),
        .kind = slice_str(vault_client_kind_name(c->kind)),
        .doors = buf_slice(&doors),
        .can_receive = c->scopes.can_receive,
        .can_send = c->scopes.can_send,
        .status = slice_str(vault_client_status(c, clock_unix_s())),
        .created_s = c->created_s,
        .created_by = slice_str(c->created_by),
        .expires_s = c->scopes.expires_s,
        .last_used_s = c->last_used_s,
        .last_from = slice_str(from),
        .last_program = slice_str(c->last_program),
        .last_tls = slice_str(c->last_tls),
        .limits = buf_slice(&limits),
    };
    asked_item(a, &item);
}

/* INV-S4: the secret leaves once, in this message; the caller wipes it. */
static void put_secret(struct asked *a, uint64_t id, struct slice secret)
{
    struct ipc_msg item = {.type = MSG_CLIENT_SECRET};
    item.u.client_secret = (struct msg_client_secret){.credential = id, .secret = secret};
    asked_item(a, &item);
}

static enum err
add_password(struct asked *a, const struct account_id *account, const struct vault_client_new *n)
{
    struct clientpw pw;
    uint64_t id;
    TRY(vault_client_add(a->vp->vault, account, n, &pw, &id));
    char shown[CLIENTPW_SHOWN];
    clientpw_show(&pw, shown);
    put_secret(a, id, slice_of(shown, sizeof shown));
    secret_wipe(shown, sizeof shown);
    secret_wipe(&pw, sizeof pw);
    return OK;
}

static enum err add_token(struct asked *a, const struct account_id *account, const struct vault_client_new *n)
{
    struct token token;
    uint64_t id;
    TRY(vault_token_add(a->vp->vault, account, n, &token, &id));
    put_secret(a, id, token_slice(&token));
    secret_wipe(&token, sizeof token);
    return OK;
}

enum err vault_do_client_add(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_add *s = &m->u.client_add;
    struct vault_account account;
    enum vault_client_kind kind;
    struct vault_client_new n = {
        .label = s->label,
        .can_receive = s->can_receive,
        .can_send = s->can_send,
        .expires_s = s->expires_s,
        .limits = s->limits,
        .cram_md5 = s->cram_md5,
    };
    uint64_t id;
    TRY(vault_client_kind_parse(s->kind, &kind));
    TRY(vault_doors_parse(a->vp->vault, s->doors, &n.doors));
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    if (kind == CLIENT_PASSWORD)
        return add_password(a, &account.id, &n);
    if (kind == CLIENT_TOKEN)
        return add_token(a, &account.id, &n);
    TRY(vault_certificate_add(a->vp->vault, &account.id, &n, s->certificate_hash, &id));
    put_secret(a, id, SLICE_EMPTY);
    return OK;
}

enum err vault_do_client_change(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_change *s = &m->u.client_change;
    struct vault_account account;
    struct vault_client_change change = {
        .label = s->label,
        .can_receive = s->can_receive,
        .can_send = s->can_send,
        .expires_s = s->expires_s,
        .limits = s->limits,
    };
    TRY(vault_doors_parse(a->vp->vault, s->doors, &change.doors));
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    return vault_client_change(a->vp->vault, &account.id, s->credential, &change);
}

enum err vault_do_client_rotate(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_rotate *s = &m->u.client_rotate;
    struct vault_account account;
    struct vault_shown shown;
    uint64_t id;
    TRY(vault_account_find(a->vp->vault, s->address, &account));
    TRY(vault_client_rotate(a->vp->vault, &account.id, s->credential, s->grace_s, &shown, &id));
    put_secret(a, id, slice_of(shown.text, shown.n));
    secret_wipe(&shown, sizeof shown);
    return OK;
}

enum err vault_do_client_thaw(struct asked *a, struct ipc_msg *m)
{
    struct vault_account account;
    TRY(vault_account_find(a->vp->vault, m->u.client_thaw.address, &account));
    return vault_client_thaw(a->vp->vault, &account.id, m->u.client_thaw.credential);
}

static void put_audited(void *owner, const struct client_audit *found)
{
    struct asked *a = owner;
    struct ipc_msg item = {.type = MSG_CLIENT_AUDIT_ITEM};
    item.u.client_audit_item = (struct msg_client_audit_item){
        .credential = found->client->id,
        .address = found->address,
        .label = slice_str(found->client->label),
        .kind = slice_str(vault_client_kind_name(found->client->kind)),
        .risk = found->risk,
        .reach = found->reach,
        .findings = found->findings,
        .created_s = found->client->created_s,
        .last_used_s = found->client->last_used_s,
    };
    asked_item(a, &item);
}

enum err vault_do_client_audit(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_audit *s = &m->u.client_audit;
    IGNORE(vault_flush(a->vp->vault), "last uses may then be a few seconds old");
    return vault_clients_audit(a->vp->vault, s->domain, s->account, clock_unix_s(), put_audited, a);
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
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
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

/* A command that waits for the hash pool. */
struct client_test {
    struct asker_wait wait;
    enum vault_door door;
};

static void on_tested(void *owner, enum err e, const struct decision *d, uint64_t credential)
{
    struct client_test *t = owner;
    struct ipc_msg item = {.type = MSG_WHY_ITEM};
    item.u.why_item = (struct msg_why_item){
        .time_s = clock_unix_s(),
        .service = slice_sub(slice_str(vault_door_name(t->door)), 0, 16),
        .outcome = d->verdict == VERDICT_YES ? S("ok") : S("refused"),
        .reason = slice_str(reason_name(d->reason)),
        .credential = credential,
    };
    if (e == OK)
        asked_item(&t->wait.asked, &item);
    asked_done(&t->wait.asked, e, SLICE_EMPTY, e == OK ? SLICE_EMPTY : slice_str(err_text(e)));
    asker_wait_drop(&t->wait);
    free(t);
}

enum err vault_do_client_test(struct asked *a, struct ipc_msg *m)
{
    const struct msg_client_test *s = &m->u.client_test;
    enum vault_door door;
    if (vault_door_of(s->service, &door) != OK)
        return ERR_SYNTAX;
    struct client_test *t = NEW(struct client_test);
    *t = (struct client_test){.wait = {.asked = *a}, .door = door};
    asker_wait_add(a->vp, &t->wait);
    enum err e = signin_test(a->vp->signins, s->address, s->secret, door, on_tested, t);
    if (e == OK)
        return ERR_AGAIN;
    asker_wait_drop(&t->wait);
    free(t);
    return e;
}

static void put_why(void *owner, const struct why_row *row)
{
    static const struct ip none;
    char client[IP_TEXT_MAX] = "";
    if (memcmp(&row->client, &none, sizeof none) != 0)
        ip_text(&row->client, client);
    enum reason reason;
    bool is_signin = reason_parse(row->reason, &reason) == OK; /* else what refused a mail */
    struct ipc_msg item = {.type = MSG_WHY_ITEM};
    item.u.why_item = (struct msg_why_item){
        .time_s = row->time_s,
        .service = slice_sub(row->door, 0, 16),
        .outcome = slice_sub(row->outcome, 0, 16),
        .reason = slice_sub(row->reason, 0, 64),
        .credential = row->credential == VAULT_MAILBOX_CREDENTIAL ? 0 : row->credential,
        .client = slice_str(client),
        .program = row->program,
        .how = is_signin ? row->detail : SLICE_EMPTY,
        .subject = is_signin ? SLICE_EMPTY : row->detail,
    };
    asked_item(owner, &item);
}

enum err vault_do_why(struct asked *a, struct ipc_msg *m)
{
    enum { MOST = 1000 };
    uint32_t most = m->u.why.most && m->u.why.most < MOST ? m->u.why.most : MOST;
    return vault_why_list(a->vp->vault, m->u.why.address, most, put_why, a);
}

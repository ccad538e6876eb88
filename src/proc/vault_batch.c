/* vault_batch.c - rows of `letterlock batch`: each is done once, however often it is asked for.
 *
 * INV-O1  An operation is done at most once; asked for again it replaces the secret that it made.
 *
 * A row's operation id is noted in the transaction of the change (vault/operations.h). A row that is asked for again is not
 * done again; but where it made a secret, that secret may be lost: it was never seen, or only half written. Then the
 * credential gets a new secret in place of that one, and there is still one credential.
 *
 * Making an account and its client password changes both containers, one after the other, under the same id: between the two
 * the account stands without the password, and the row, asked for again, goes on from there.
 */
#include <string.h>

#include "base/clock.h"
#include "proc/vault.h"
#include "vault/accounts.h"
#include "vault/clients.h"
#include "vault/operations.h"
#include "vault/policy.h"
#include "vault/reset.h"

enum { CHAIN_MAX = 64, FOUND_MAX = 2 * LIMIT_CLIENTS_PER_ACCOUNT, TRIM_S = 86400 };

/* One row while it is done. */
struct batch {
    struct asked *asked;
    struct vault *vault;
    const struct msg_batch_row *row;
    struct vault_account account; /* of the rows that need one */
    bool repeated;
    uint64_t credential;
    char secret[64]; /* wiped behind the answer */
    size_t secret_n;
    const char *text; /* what the secret is, a stable word */
};

static fallible refuse(struct batch *b, enum err e, const char *words)
{
    asked_done(b->asked, e, b->row->address, slice_str(words));
    return ERR_AGAIN;
}

/* ------------------------------------------------------------------------------------------------- doing things once */

/* What the note of the operation says: a credential, or 0. ERR_NOT_FOUND: not done yet. */
static fallible find_done(struct batch *b, enum vault_container c, uint64_t *ret_credential)
{
    struct secret noted CLEANUP_SECRET = SECRET_NONE;
    uint64_t credential = 0;
    TRY(vault_operation_find(b->vault, c, b->row->operation, &noted));
    struct slice octets = secret_reveal(&noted);
    if (octets.n == sizeof credential)
        memcpy(&credential, octets.p, sizeof credential);
    *ret_credential = credential;
    return OK;
}

typedef fallible step(struct batch *b);

/* The change and its note, or neither. `credential` is what the change left in b->credential. */
static fallible do_once(struct batch *b, enum vault_container c, step *change)
{
    uint64_t done;
    enum err e = find_done(b, c, &done);
    if (e == OK) {
        b->repeated = true;
        b->credential = done;
        return OK;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    TRY(vault_begin(b->vault, c));
    e = change(b);
    if (e == OK)
        e = vault_operation_put(
            b->vault, c, b->row->operation,
            slice_of(&b->credential, b->credential ? sizeof b->credential : 0), clock_unix_s());
    if (e == OK)
        return vault_commit(b->vault, c);
    vault_rollback(b->vault, c);
    return e;
}

/* ------------------------------------------------------------------------------------------------------------ secrets */

static void keep_secret(struct batch *b, struct slice secret, const char *text)
{
    b->secret_n = secret.n < sizeof b->secret ? secret.n : sizeof b->secret;
    memcpy(b->secret, secret.p, b->secret_n);
    b->text = text;
}

static fallible rotate(struct batch *b, uint64_t credential)
{
    struct vault_shown shown;
    uint64_t id;
    TRY(vault_client_rotate(b->vault, &b->account.id, credential, 0, &shown, &id));
    keep_secret(b, slice_of(shown.text, shown.n), "client-password");
    secret_wipe(&shown, sizeof shown);
    b->credential = id;
    return OK;
}

/* The secret that the row made may be lost: the newest credential in its place gets another. */
static fallible replace_secret(struct batch *b)
{
    uint64_t id = b->credential;
    for (int i = 0; i < CHAIN_MAX; i++) {
        struct vault_client c CLEANUP_CLIENT = {.id = 0};
        TRY(vault_client_get(b->vault, &b->account.id, id, &c));
        if (!c.rotated_to)
            return rotate(b, id);
        id = c.rotated_to;
    }
    return ERR_LIMIT;
}

static fallible add_client(struct batch *b)
{
    const struct msg_batch_row *row = b->row;
    struct vault_client_new n = {.label = row->label, .expires_s = row->expires_s, .limits = row->limits};
    struct clientpw pw;
    char shown[CLIENTPW_SHOWN];
    unsigned receiving = VAULT_DOOR_BIT(VAULT_IMAP) | VAULT_DOOR_BIT(VAULT_POP3) | VAULT_DOOR_BIT(VAULT_API);
    unsigned sending = VAULT_DOOR_BIT(VAULT_SUBMISSION) | VAULT_DOOR_BIT(VAULT_API);
    TRY(vault_doors_parse(b->vault, row->doors, &n.doors));
    n.can_receive = !n.doors || n.doors & receiving;
    n.can_send = !n.doors || n.doors & sending;
    TRY(vault_client_add(b->vault, &b->account.id, &n, &pw, &b->credential));
    clientpw_show(&pw, shown);
    keep_secret(b, slice_of(shown, sizeof shown), "client-password");
    secret_wipe(shown, sizeof shown);
    secret_wipe(&pw, sizeof pw);
    return OK;
}

/* A step that makes a client password; asked for again, a new secret for it. */
static fallible make_secret(struct batch *b, step *change)
{
    TRY(do_once(b, VAULT_CLIENTS, change));
    return b->secret_n ? OK : replace_secret(b);
}

static fallible make_reset(struct batch *b)
{
    struct clientpw code;
    char shown[CLIENTPW_SHOWN];
    int64_t expires_s;
    TRY(vault_reset_make(b->vault, b->row->address, 0, clock_unix_s(), &code, &expires_s));
    clientpw_show(&code, shown);
    keep_secret(b, slice_of(shown, sizeof shown), "reset-code");
    secret_wipe(shown, sizeof shown);
    secret_wipe(&code, sizeof code);
    return OK;
}

/* ------------------------------------------------------------------------------------------------------------- the verbs */

static struct vault_account_new new_account(const struct msg_batch_row *row)
{
    return (struct vault_account_new){
        .address = row->address,
        .name = row->name,
        .language = row->language,
        .quota_bytes = row->quota_bytes};
}

static fallible add_account(struct batch *b)
{
    const struct msg_batch_row *row = b->row;
    const struct vault_account_new n = new_account(row);
    TRY(vault_account_add(b->vault, &n, &b->account));
    return row->group.n ? vault_account_set_group(b->vault, row->address, row->group) : OK;
}

/* With a label: a client password beside it; else a reset code, with which its owner chooses a mailbox password. */
static fallible do_create(struct batch *b)
{
    TRY(do_once(b, VAULT_ACCOUNTS, add_account));
    TRY(vault_account_find(b->vault, b->row->address, &b->account));
    return b->row->label.n ? make_secret(b, add_client) : make_reset(b);
}

static fallible do_reset(struct batch *b)
{
    TRY(do_once(b, VAULT_ACCOUNTS, make_reset));
    return b->secret_n ? OK : make_reset(b);
}

static fallible do_client(struct batch *b)
{
    return make_secret(b, add_client);
}

/* Live credentials of the label; "*" stands for every label. */
struct search {
    struct slice label;
    uint64_t ids[FOUND_MAX];
    size_t count;
    bool secrets_only; /* no certificates */
    bool overflow;
};

static void take_found(void *owner, const struct vault_client *c)
{
    struct search *s = owner;
    bool named = slice_eq(s->label, S("*")) || slice_eq(s->label, slice_str(c->label));
    if (!named || c->is_revoked || (s->secrets_only && c->kind == CLIENT_CERTIFICATE))
        return;
    if (s->count < FOUND_MAX)
        s->ids[s->count++] = c->id;
    else
        s->overflow = true;
}

static fallible find_labelled(struct batch *b, bool secrets_only, struct search *ret_found)
{
    *ret_found = (struct search){.label = b->row->label, .secrets_only = secrets_only};
    TRY(vault_client_list(b->vault, &b->account.id, take_found, ret_found));
    if (ret_found->overflow)
        return ERR_LIMIT;
    if (ret_found->count == 0)
        return refuse(b, ERR_NOT_FOUND, "no client password of this label is left");
    return OK;
}

static fallible find_one(struct batch *b, uint64_t *ret_id)
{
    struct search found;
    TRY(find_labelled(b, true, &found));
    if (found.count > 1)
        return refuse(
            b, ERR_STATE, "several client passwords have this label: use its number (client rotate)");
    *ret_id = found.ids[0];
    return OK;
}

static fallible rotate_labelled(struct batch *b)
{
    uint64_t id;
    TRY(find_one(b, &id));
    return rotate(b, id);
}

static fallible do_rotate(struct batch *b)
{
    return make_secret(b, rotate_labelled);
}

static fallible revoke_labelled(struct batch *b)
{
    struct search found;
    TRY(find_labelled(b, false, &found));
    for (size_t i = 0; i < found.count; i++)
        TRY(vault_client_revoke(b->vault, &b->account.id, found.ids[i]));
    return OK;
}

static fallible do_revoke(struct batch *b)
{
    return do_once(b, VAULT_CLIENTS, revoke_labelled);
}

static fallible lock(struct batch *b)
{
    return vault_account_set_status(b->vault, b->row->address, ACCOUNT_LOCKED);
}

static fallible unlock(struct batch *b)
{
    return vault_account_set_status(b->vault, b->row->address, ACCOUNT_ACTIVE);
}

static fallible do_lock(struct batch *b)
{
    return do_once(b, VAULT_ACCOUNTS, lock);
}

static fallible do_unlock(struct batch *b)
{
    return do_once(b, VAULT_ACCOUNTS, unlock);
}

/* -------------------------------------------------------------------------------------------------------------- dry runs */

static fallible check_limits(struct batch *b)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_SCOPE_MEMORY);
    struct buf problem CLEANUP_BUF = BUF_INIT(1024);
    struct scope scope;
    unsigned doors;
    TRY(vault_doors_parse(b->vault, b->row->doors, &doors));
    if (scope_parse(b->row->limits, &arena, &scope, &problem) == OK)
        return OK;
    asked_done(b->asked, ERR_SYNTAX, b->row->address, buf_slice(&problem));
    return ERR_AGAIN;
}

static fallible check_create(struct batch *b)
{
    uint64_t done;
    if (find_done(b, VAULT_ACCOUNTS, &done) == OK)
        return OK;
    const struct vault_account_new n = new_account(b->row);
    enum err e = vault_account_may_add(b->vault, &n);
    if (e == ERR_NOT_FOUND)
        return refuse(b, ERR_STATE, "its domain is not one of ours: domain add");
    TRY(e);
    return check_limits(b);
}

static fallible check_client(struct batch *b)
{
    uint32_t live;
    uint64_t done;
    if (find_done(b, VAULT_CLIENTS, &done) == OK)
        return OK;
    TRY(vault_client_count(b->vault, &b->account.id, &live));
    if (live >= LIMIT_CLIENTS_PER_ACCOUNT)
        return refuse(b, ERR_LIMIT, "the account has as many client passwords as it may have");
    return check_limits(b);
}

static fallible check_rotate(struct batch *b)
{
    uint64_t id;
    return find_done(b, VAULT_CLIENTS, &id) == OK ? OK : find_one(b, &id);
}

static fallible check_revoke(struct batch *b)
{
    struct search found;
    uint64_t done;
    return find_done(b, VAULT_CLIENTS, &done) == OK ? OK : find_labelled(b, false, &found);
}

static fallible check_account(struct batch *b)
{
    (void)b; /* it was found */
    return OK;
}

/* ----------------------------------------------------------------------------------------------------------- the message */

static const struct {
    const char *name;
    bool needs_account;
    step *check, *run;
} verbs[] = {
    {"create", false, check_create, do_create}, {"reset", true, check_account, do_reset},
    {"client", true, check_client, do_client},  {"revoke", true, check_revoke, do_revoke},
    {"rotate", true, check_rotate, do_rotate},  {"lock", true, check_account, do_lock},
    {"unlock", true, check_account, do_unlock},
};

static void put_result(struct batch *b)
{
    struct ipc_msg item = {.type = MSG_BATCH_RESULT};
    item.u.batch_result = (struct msg_batch_result){
        .repeated = b->repeated,
        .credential = b->credential,
        .secret = slice_of(b->secret, b->secret_n),
        .text = slice_str(b->text),
    };
    asked_item(b->asked, &item);
    secret_wipe(b->secret, sizeof b->secret);
}

/* Old notes go once a day on which there are batches. */
static void trim(struct vault_process *vp)
{
    int64_t now_s = clock_unix_s();
    if (now_s < vp->operations_trimmed_s + TRIM_S)
        return;
    vp->operations_trimmed_s = now_s;
    IGNORE(vault_operations_trim(vp->vault, now_s), "they are trimmed tomorrow");
}

enum err vault_do_batch_row(struct asked *a, struct ipc_msg *m)
{
    struct batch b = {.asked = a, .vault = a->vp->vault, .row = &m->u.batch_row};
    if (b.row->operation.n != OPERATION_ID_LEN)
        return ERR_SYNTAX;
    trim(a->vp);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!slice_eq(b.row->verb, slice_str(verbs[i].name)))
            continue;
        if (verbs[i].needs_account)
            TRY(vault_account_find(b.vault, b.row->address, &b.account));
        enum err e = b.row->dry_run ? verbs[i].check(&b) : verbs[i].run(&b);
        if (e == OK)
            put_result(&b);
        secret_wipe(b.secret, sizeof b.secret);
        return e;
    }
    return ERR_SYNTAX;
}

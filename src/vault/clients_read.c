/* clients_read.c - credentials as they are stored, and how they are found. */
#include "base/clock.h"
#include "vault/accounts.h"
#include "vault/clients_private.h"

enum { LIMITS_MEMORY = 65536 };

static const struct {
    const char *name;
    enum credential_kind credential;
} kinds[] = {
    [CLIENT_PASSWORD] = {"password", CREDENTIAL_CLIENT},
    [CLIENT_TOKEN] = {"token", CREDENTIAL_TOKEN},
    [CLIENT_CERTIFICATE] = {"certificate", CREDENTIAL_CERTIFICATE},
};

const char *vault_client_kind_name(enum vault_client_kind kind)
{
    bool is_known = (size_t)kind < sizeof kinds / sizeof *kinds && kinds[kind].name;
    return is_known ? kinds[kind].name : "unknown";
}

fallible vault_client_kind_parse(struct slice name, enum vault_client_kind *ret_kind)
{
    if (!name.n)
        name = S("password");
    for (size_t i = CLIENT_PASSWORD; i < sizeof kinds / sizeof *kinds; i++) {
        if (slice_eq(name, slice_str(kinds[i].name))) {
            *ret_kind = (enum vault_client_kind)i;
            return OK;
        }
    }
    return ERR_SYNTAX;
}

enum credential_kind vault_client_credential(enum vault_client_kind kind)
{
    return (size_t)kind < sizeof kinds / sizeof *kinds ? kinds[kind].credential : CREDENTIAL_NONE;
}

void vault_client_done(struct vault_client *c)
{
    arena_done(&c->arena);
}

const char *vault_client_status(const struct vault_client *c, int64_t now_s)
{
    const struct scopes *s = &c->scopes;
    int64_t due = s->created_s + (int64_t)s->limits.rotate_days * 86400;
    if (c->is_revoked)
        return "revoked";
    if (s->expires_s && now_s >= s->expires_s)
        return "expired";
    if (s->is_frozen)
        return "frozen";
    return s->limits.rotate_days && now_s >= due ? "rotate" : "live";
}

/* ---- doors ---- */

static const struct {
    const char *name;
    unsigned bit;
} doors[] = {
    {"imap", VAULT_DOOR_BIT(VAULT_IMAP)},
    {"pop3", VAULT_DOOR_BIT(VAULT_POP3)},
    {"smtp", VAULT_DOOR_BIT(VAULT_SUBMISSION)},
    {"api", VAULT_DOOR_BIT(VAULT_API)},
};

void vault_doors_put(unsigned bits, struct buf *out)
{
    const char *blank = "";
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        if (bits & doors[i].bit) {
            buf_printf(out, "%s%s", blank, doors[i].name);
            blank = " ";
        }
    }
}

fallible vault_doors_parse(struct vault *v, struct slice text, unsigned *ret_doors)
{
    unsigned bits = 0;
    struct slice word;
    while (slice_cut(&text, ' ', &word)) {
        size_t i = 0;
        while (i < sizeof doors / sizeof *doors && !slice_eq(word, slice_str(doors[i].name)))
            i++;
        if (word.n && i == sizeof doors / sizeof *doors)
            return vault_refuse(
                v, ERR_SYNTAX, "there is no door called \"" SLICE_FMT "\": imap, pop3, smtp or api",
                SLICE_ARG(slice_sub(word, 0, 32)));
        if (word.n)
            bits |= doors[i].bit;
    }
    *ret_doors = bits;
    return OK;
}

/* ---- look-ups ---- */

/* INV-V1, INV-V2: keyed, and bound to the account. As version 1 wrote it. */
struct hash
client_lookup_password(struct vault *v, const struct account_id *account, const struct clientpw *pw)
{
    struct hash_state s;
    hash_start(&s, &v->lookup);
    hash_add_piece(&s, id_slice(account));
    hash_add_piece(&s, clientpw_slice(pw));
    return hash_end(&s);
}

/* Three pieces where a password has two: no kind of secret has the look-up of another. */
static struct hash lookup_of(struct vault *v, struct slice what, struct slice whose, struct slice secret)
{
    struct hash_state s;
    hash_start(&s, &v->lookup);
    hash_add_piece(&s, what);
    hash_add_piece(&s, whose);
    hash_add_piece(&s, secret);
    return hash_end(&s);
}

struct hash client_lookup_token(struct vault *v, const struct token *token)
{
    return lookup_of(v, S("token"), SLICE_EMPTY, token_slice(token));
}

struct hash client_lookup_certificate(struct vault *v, const struct account_id *account, struct slice hash)
{
    return lookup_of(v, S("certificate"), id_slice(account), hash);
}

struct hash client_bound(struct vault *v, const struct account_id *account, const struct hash *lookup)
{
    return lookup_of(v, S("bound"), id_slice(account), hash_slice(lookup));
}

/* ---- reading ---- */

/* Kinds that we know and can read go to the text; any other makes the credential useless (INV-V3). */
static fallible read_limits(struct vault *v, struct vault_client *c)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_LIMIT_LIST);
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    stmt_bind(st, "i", (int64_t)c->id);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        const struct scope_kind_row *kind = scope_kind_by_number(stmt_col_int(st, 0));
        if (!kind) {
            c->scopes.has_unknown_limit = true;
            continue;
        }
        buf_printf(&text, "%s=", kind->name);
        buf_put(&text, stmt_col(st, 1));
        buf_put_char(&text, '\n');
    }
    if (e != ERR_NOT_FOUND)
        return e;
    if (buf_check(&text) != OK || scope_parse(buf_slice(&text), &c->arena, &c->scopes.limits, NULL) != OK)
        c->scopes.has_unknown_limit = true;
    return OK;
}

enum column {
    ID,
    ACCOUNT,
    VERSION,
    LABEL,
    DOORS,
    CAN_RECEIVE,
    CAN_SEND,
    EXPIRES,
    STATUS,
    CREATED,
    LAST_USED,
    LAST_FROM,
    LAST_PROGRAM,
    KIND,
    CREATED_BY,
    FROZEN,
    FROZEN_WHY,
    ROTATED_TO,
    LAST_TLS,
    TOLD,
    BOUND,
    HAS_CRAM,
};

static bool row_fits(struct stmt *st)
{
    return stmt_col(st, ACCOUNT).n == sizeof(struct account_id) &&
           stmt_col(st, LABEL).n <= LIMIT_CLIENT_LABEL &&
           stmt_col(st, LAST_PROGRAM).n <= LIMIT_PROGRAM_NAME &&
           stmt_col(st, FROZEN_WHY).n <= CLIENT_FROZEN_WHY && stmt_col(st, LAST_TLS).n <= LIMIT_CLIENT_TLS;
}

static void read_scopes(struct stmt *st, struct scopes *s)
{
    *s = (struct scopes){
        .doors = (unsigned)stmt_col_int(st, DOORS),
        .can_receive = stmt_col_int(st, CAN_RECEIVE) != 0,
        .can_send = stmt_col_int(st, CAN_SEND) != 0,
        .is_frozen = !stmt_col_is_null(st, FROZEN),
        .expires_s = stmt_col_int(st, EXPIRES),
        .created_s = stmt_col_int(st, CREATED),
    };
}

static fallible read_row(struct stmt *st, struct vault_client *c)
{
    if (!row_fits(st))
        return ERR_CORRUPT;
    *c = (struct vault_client){
        .id = (uint64_t)stmt_col_int(st, ID),
        .version = (uint32_t)stmt_col_int(st, VERSION),
        .kind = (enum vault_client_kind)stmt_col_int(st, KIND),
        .is_revoked = stmt_col_int(st, STATUS) != STORED_LIVE,
        .has_cram_md5 = stmt_col_int(st, HAS_CRAM) != 0,
        .arena = ARENA_INIT(LIMITS_MEMORY),
        .frozen_s = stmt_col_int(st, FROZEN),
        .rotated_to = (uint64_t)stmt_col_int(st, ROTATED_TO),
        .created_s = stmt_col_int(st, CREATED),
        .last_used_s = stmt_col_int(st, LAST_USED),
        .told = (unsigned)stmt_col_int(st, TOLD),
    };
    memcpy(c->account.b, stmt_col(st, ACCOUNT).p, sizeof c->account);
    if (stmt_col(st, LAST_FROM).n == sizeof c->last_from)
        memcpy(c->last_from.b, stmt_col(st, LAST_FROM).p, sizeof c->last_from);
    read_scopes(st, &c->scopes);
    vault_copy_text(c->label, sizeof c->label, stmt_col(st, LABEL));
    vault_copy_text(c->frozen_why, sizeof c->frozen_why, stmt_col(st, FROZEN_WHY));
    vault_copy_text(
        c->created_by, sizeof c->created_by, slice_sub(stmt_col(st, CREATED_BY), 0, LIMIT_ADDRESS));
    vault_copy_text(c->last_program, sizeof c->last_program, stmt_col(st, LAST_PROGRAM));
    vault_copy_text(c->last_tls, sizeof c->last_tls, stmt_col(st, LAST_TLS));
    return OK;
}

fallible client_read_one(struct vault *v, struct stmt *st, struct vault_client *ret_client)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    TRY(stmt_step(st));
    TRY(read_row(st, &c));
    TRY(read_limits(v, &c));
    *ret_client = c;
    c.arena = ARENA_INIT(0);
    return OK;
}

static fallible find(
    struct vault *v, const struct account_id *account, const struct hash *lookup, int64_t kind,
    struct vault_client *ret_client)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_FIND);
    stmt_bind(st, "bbi", hash_slice(lookup), id_slice(account), kind);
    return client_read_one(v, st, ret_client);
}

fallible vault_client_find(
    struct vault *v, const struct account_id *account, const struct clientpw *pw,
    struct vault_client *ret_client)
{
    struct hash lookup = client_lookup_password(v, account, pw);
    return find(v, account, &lookup, STORED_CLIENT_PASSWORD, ret_client);
}

fallible vault_certificate_find(
    struct vault *v, const struct account_id *account, struct slice hash, struct vault_client *ret_client)
{
    struct hash lookup = client_lookup_certificate(v, account, hash);
    return find(v, account, &lookup, STORED_CERTIFICATE, ret_client);
}

fallible vault_token_find(struct vault *v, const struct token *token, struct vault_client *ret_client)
{
    struct hash lookup = client_lookup_token(v, token);
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_FIND_TOKEN);
    stmt_bind(st, "b", hash_slice(&lookup));
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    TRY(client_read_one(v, st, &c));
    struct hash bound = client_bound(v, &c.account, &lookup);
    if (!secret_same(stmt_col(st, BOUND), hash_slice(&bound)))
        return ERR_CORRUPT; /* a row that was moved to another account */
    *ret_client = c;
    c.arena = ARENA_INIT(0);
    return OK;
}

fallible vault_client_get(
    struct vault *v, const struct account_id *account, uint64_t id, struct vault_client *ret_client)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_GET);
    stmt_bind(st, "ib", (int64_t)id, id_slice(account));
    enum err e = client_read_one(v, st, ret_client);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "the account has no client password of this number");
    return e == OK ? OK : vault_failed(v, e);
}

fallible
vault_client_list(struct vault *v, const struct account_id *account, vault_client_fn *fn, void *owner)
{
    IGNORE(vault_flush(v), "last uses may then be a few seconds old");
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_LIST);
    stmt_bind(st, "b", id_slice(account));
    enum err e;
    do {
        struct vault_client c CLEANUP_CLIENT = {.id = 0};
        e = client_read_one(v, st, &c);
        if (e == OK)
            fn(owner, &c);
    } while (e == OK);
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

fallible vault_client_count(struct vault *v, const struct account_id *account, uint32_t *ret_count)
{
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_CREDENTIAL_COUNT);
    stmt_bind(st, "bi", id_slice(account), clock_unix_s());
    TRY(stmt_step(st));
    *ret_count = (uint32_t)stmt_col_int(st, 0);
    return OK;
}

fallible vault_client_is_live(
    struct vault *v, const struct account_id *account, uint64_t id, uint32_t version, int64_t now_s)
{
    struct vault_account a;
    enum err e = vault_account_get(v, account, &a);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(e);
    if (a.status != ACCOUNT_ACTIVE)
        return ERR_DENIED;
    if (id == VAULT_MAILBOX_CREDENTIAL)
        return a.version == version ? OK : ERR_DENIED;
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    e = vault_client_get(v, account, id, &c);
    if (e == ERR_NOT_FOUND)
        return ERR_DENIED;
    TRY(e);
    bool is_good = !c.is_revoked && c.version == version && decide_goes_on(&c.scopes, now_s);
    return is_good ? OK : ERR_DENIED;
}

#include "vault/why.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "vault/accounts.h"
#include "vault/private.h"

enum { WORD = 64, WHO = 16 };

struct pending_decision {
    struct list link;
    int64_t time_s;
    uint8_t who[WHO];
    bool has_account;
    struct account_id account;
    uint64_t credential;
    struct ip client;
    char door[WORD], outcome[WORD], reason[WORD];
    char program[LIMIT_PROGRAM_NAME + 1], detail[LIMIT_WHY_DETAIL + 1];
};

/* What kind of name it is goes into the hash, so that no address's hash is another text's. */
static void hash_name(struct vault *v, struct slice name, uint8_t out[WHO])
{
    struct address a;
    struct address_key key;
    bool is_address = address_parse(name, ADDRESS_ALLOW_UTF8, &a) == OK && address_key(&a, &key) == OK;
    struct hash_state s;
    hash_start(&s, &v->names);
    hash_add_piece(&s, is_address ? S("address") : S("text"));
    hash_add_piece(&s, is_address ? address_key_text(&key) : name);
    struct hash h = hash_end(&s);
    memcpy(out, h.b, WHO);
}

void vault_name_alias(struct vault *v, struct slice name, char out[WHY_ALIAS_LEN + 1])
{
    uint8_t who[WHO];
    hash_name(v, name, who);
    hex_text(slice_of(who, WHY_ALIAS_LEN / 2), out);
}

/* Repaired to UTF-8 and cut between characters. */
static void put_text(char *out, size_t room, struct slice text)
{
    struct buf repaired CLEANUP_BUF = BUF_INIT(room * 3);
    utf8_put_repaired(&repaired, slice_sub(text, 0, room - 1));
    size_t n = repaired.n < room - 1 ? repaired.n : room - 1;
    while (n && n < repaired.n && ((unsigned char)repaired.p[n] & 0xc0) == 0x80)
        n--;
    vault_copy_text(out, room, slice_sub(buf_slice(&repaired), 0, n));
}

void vault_why_add(struct vault *v, const struct why_row *row)
{
    struct pending_decision *d = NEW(struct pending_decision);
    d->time_s = row->time_s;
    hash_name(v, row->name, d->who);
    d->has_account = row->account != NULL;
    if (row->account)
        d->account = *row->account;
    d->credential = row->credential;
    d->client = row->client;
    put_text(d->door, sizeof d->door, row->door);
    put_text(d->outcome, sizeof d->outcome, row->outcome);
    put_text(d->reason, sizeof d->reason, row->reason);
    put_text(d->program, sizeof d->program, row->program);
    put_text(d->detail, sizeof d->detail, row->detail);
    list_add(&v->decisions, &d->link);
    if (++v->decision_count > LIMIT_VAULT_PENDING) {
        struct pending_decision *oldest = LIST_FIRST(&v->decisions, struct pending_decision, link);
        list_drop(&oldest->link);
        free(oldest);
        v->decision_count--;
    }
}

static fallible insert(struct vault *v, const struct pending_decision *d)
{
    struct stmt *st = db_stmt(clients_db(v), C_DECISION_ADD);
    stmt_int(st, 1, d->time_s);
    stmt_blob(st, 2, slice_of(d->who, sizeof d->who));
    if (d->has_account)
        stmt_blob(st, 3, slice_of(d->account.b, sizeof d->account.b));
    else
        stmt_null(st, 3);
    stmt_text(st, 4, slice_str(d->door));
    stmt_text(st, 5, slice_str(d->outcome));
    stmt_text(st, 6, slice_str(d->reason));
    stmt_int(st, 7, (int64_t)d->credential);
    stmt_blob(st, 8, slice_of(d->client.b, sizeof d->client.b));
    stmt_text(st, 9, slice_str(d->program));
    stmt_text(st, 10, slice_str(d->detail));
    return stmt_run(st);
}

static fallible trim(struct vault *v, unsigned sql, int64_t value)
{
    struct stmt *st = db_stmt(clients_db(v), sql);
    stmt_int(st, 1, value);
    return stmt_run(st);
}

fallible vault_flush_decisions(struct vault *v)
{
    if (!v->decision_count)
        return OK;
    LIST_EACH (&v->decisions, struct pending_decision, link, d)
        TRY(insert(v, d));
    TRY(trim(v, C_DECISION_TRIM_COUNT, LIMIT_WHY_ROWS));
    return trim(v, C_DECISION_TRIM_AGE, clock_unix_s() - (int64_t)v->settings.why_retention_s);
}

void vault_forget_pending(struct vault *v)
{
    vault_forget_uses(v);
    vault_forget_known(v);
    LIST_EACH (&v->decisions, struct pending_decision, link, d) {
        list_drop(&d->link);
        free(d);
    }
    v->decision_count = 0;
}

static void read_row(struct stmt *st, struct why_row *ret_row)
{
    *ret_row = (struct why_row){
        .time_s = stmt_col_int(st, 0),
        .door = stmt_col(st, 1),
        .outcome = stmt_col(st, 2),
        .reason = stmt_col(st, 3),
        .credential = (uint64_t)stmt_col_int(st, 4),
        .program = stmt_col(st, 6),
        .detail = stmt_col(st, 7),
    };
    if (stmt_col(st, 5).n == sizeof ret_row->client)
        memcpy(ret_row->client.b, stmt_col(st, 5).p, sizeof ret_row->client);
}

fallible vault_why_list(struct vault *v, struct slice name, uint32_t most, vault_why_fn *fn, void *owner)
{
    IGNORE(vault_flush(v), "what cannot be written is not shown");
    uint8_t who[WHO];
    hash_name(v, name, who);
    struct vault_account a;
    bool is_account = vault_account_find(v, name, &a) == OK;
    struct stmt *st CLEANUP_STMT = db_stmt(clients_db(v), C_DECISION_LIST);
    stmt_blob(st, 1, slice_of(who, sizeof who));
    if (is_account)
        stmt_blob(st, 2, slice_of(a.id.b, sizeof a.id.b));
    else
        stmt_null(st, 2);
    stmt_int(st, 3, most);
    stmt_int(st, 4, is_account ? a.created_s : 0);
    struct why_row row;
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        read_row(st, &row);
        fn(owner, &row);
    }
    return e == ERR_NOT_FOUND ? OK : vault_failed(v, e);
}

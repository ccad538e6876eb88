#include "vault/operations.h"

#include "base/encode.h"
#include "base/limits.h"
#include "vault/private.h"

enum { ROW_LEN = 2 * OPERATION_ID_LEN };

static const struct {
    unsigned find, put, trim;
} sql[] = {
    [VAULT_ACCOUNTS] = {A_OPERATION_FIND, A_OPERATION_PUT, A_OPERATION_TRIM},
    [VAULT_CLIENTS] = {C_OPERATION_FIND, C_OPERATION_PUT, C_OPERATION_TRIM},
};

fallible vault_begin(struct vault *v, enum vault_container c)
{
    enum err e = db_begin(v->db[c]);
    return e == OK ? OK : vault_failed(v, e);
}

fallible vault_commit(struct vault *v, enum vault_container c)
{
    enum err e = db_commit(v->db[c]);
    return e == OK ? OK : vault_failed(v, e);
}

void vault_rollback(struct vault *v, enum vault_container c)
{
    db_rollback(v->db[c]);
}

static struct vault_place place_of(enum vault_container c, struct slice id, char row[ROW_LEN + 1])
{
    hex_text(id, row);
    return (struct vault_place){c, "operation", "result", slice_of(row, ROW_LEN)};
}

fallible
vault_operation_find(struct vault *v, enum vault_container c, struct slice id, struct secret *ret_result)
{
    char row[ROW_LEN + 1];
    if (id.n != OPERATION_ID_LEN)
        return vault_refuse(v, ERR_SYNTAX, "an operation's id has %d octets", (int)OPERATION_ID_LEN);
    struct stmt *st CLEANUP_STMT = db_stmt(v->db[c], sql[c].find);
    stmt_bind(st, "b", id);
    TRY(stmt_step(st));
    struct vault_place place = place_of(c, id, row);
    return vault_unseal(v, &place, stmt_col(st, 0), ret_result);
}

fallible vault_operation_put(
    struct vault *v, enum vault_container c, struct slice id, struct slice result, int64_t now_s)
{
    enum { RESULT_MAX = 4096 };
    char row[ROW_LEN + 1];
    if (id.n != OPERATION_ID_LEN || result.n > RESULT_MAX)
        return vault_refuse(v, ERR_SYNTAX, "an operation's id or result is too long");
    struct buf sealed CLEANUP_BUF = BUF_INIT(RESULT_MAX + 128);
    struct vault_place place = place_of(c, id, row);
    vault_seal(v, &place, result, &sealed);
    struct stmt *st = db_stmt(v->db[c], sql[c].put);
    stmt_bind(st, "bbi", id, buf_slice(&sealed), now_s);
    enum err e = stmt_run(st);
    return e == OK ? OK : vault_failed(v, e);
}

fallible vault_operations_trim(struct vault *v, int64_t now_s)
{
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        struct stmt *st = db_stmt(v->db[c], sql[c].trim);
        stmt_bind(st, "i", now_s - (int64_t)LIMIT_OPERATION_KEPT);
        TRY(stmt_run(st));
    }
    return OK;
}

#include "store/check.h"

#include <inttypes.h>

#include "store/body_format.h"
#include "store/private.h"

struct checking {
    struct account *a;
    struct buf *lines;
    bool broken;
};

static void complain(struct checking *c, const char *invariant, const char *what, int64_t which)
{
    c->broken = true;
    buf_printf(c->lines, "%s: %s (%" PRId64 ")\n", invariant, what, which);
}

/* Each query selects what must not be: its first column goes into the complaint. */
static const struct {
    const char *invariant, *what, *sql;
} rules[] = {
    {"INV-14", "a UIDVALIDITY twice, or not given yet",
     "SELECT min(id) FROM mailbox GROUP BY uidvalidity HAVING count(*) > 1 UNION ALL"
     " SELECT id FROM mailbox WHERE uidvalidity < 1 OR uidvalidity >= (SELECT next_uidvalidity FROM "
     "account)"},
    {"INV-14", "a mailbox id not given yet",
     "SELECT id FROM mailbox WHERE id >= (SELECT next_mailbox FROM account)"},
    {"INV-15", "a uid at or above UIDNEXT",
     "SELECT m.uid FROM message m JOIN mailbox b ON b.id = m.mailbox WHERE m.uid >= b.uidnext OR m.uid < 1"},
    {"INV-15", "a message in no mailbox",
     "SELECT uid FROM message WHERE mailbox NOT IN (SELECT id FROM mailbox UNION ALL SELECT mailbox FROM "
     "grave)"},
    {"INV-16", "a modseq above its mailbox's",
     "SELECT m.uid FROM message m JOIN mailbox b ON b.id = m.mailbox WHERE m.modseq > b.modseq OR m.modseq < "
     "1"},
    {"INV-17", "counts that do not match the rows",
     "SELECT b.id FROM mailbox b LEFT JOIN (SELECT mailbox, count(*) AS n, sum(size) AS bytes,"
     " sum(flags & 1 = 0) AS unseen, sum(flags & 8 != 0) AS deleted FROM message GROUP BY mailbox) s ON "
     "s.mailbox = b.id"
     " WHERE b.messages != ifnull(s.n, 0) OR b.bytes != ifnull(s.bytes, 0) OR b.unseen != ifnull(s.unseen, 0)"
     " OR b.deleted != ifnull(s.deleted, 0)"},
    {"INV-20", "an expunged uid with a message",
     "SELECT m.uid FROM expunged x JOIN message m ON m.mailbox = x.mailbox AND m.uid BETWEEN x.first AND "
     "x.last"},
    {"INV-21", "a file without its body, or a body without its file",
     "SELECT f.name FROM file f LEFT JOIN body b ON b.id = f.body AND b.format = 2 AND b.data = f.name WHERE "
     "b.id IS NULL"
     " UNION ALL SELECT b.id FROM body b LEFT JOIN file f ON f.name = b.data WHERE b.format = 2 AND f.name "
     "IS NULL"},
    {"INV-22", "a body whose references are not its messages",
     "SELECT b.id FROM body b LEFT JOIN (SELECT body, count(*) AS n FROM message GROUP BY body) s ON s.body "
     "= b.id"
     " WHERE b.refs != ifnull(s.n, 0)"},
    {"INV-22", "a message without its body, or of another size",
     "SELECT m.uid FROM message m LEFT JOIN body b ON b.id = m.body WHERE b.id IS NULL OR b.size != m.size"},
    {"INV-22", "octets that no body names, or a body without octets",
     "SELECT id FROM body_data WHERE id NOT IN (SELECT data FROM body WHERE format < 2) UNION ALL"
     " SELECT id FROM body WHERE format < 2 AND data NOT IN (SELECT id FROM body_data)"},
    {"INV-24", "an unconfirmed mark without its delivery",
     "SELECT u.at FROM unconfirmed u LEFT JOIN delivery d ON d.id = u.delivery WHERE d.octets IS NOT "
     "u.octets"},
};

static fallible run_rules(struct checking *c)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        int64_t which = 0;
        enum err e = db_query_int(c->a->db, rules[i].sql, &which);
        if (e == OK)
            complain(c, rules[i].invariant, rules[i].what, which);
        else if (e != ERR_NOT_FOUND)
            return e;
    }
    return OK;
}

/* Memory against rows: what a reload would change. */
static fallible check_mirror(struct checking *c)
{
    struct stmt *st CLEANUP_STMT = db_stmt(c->a->db, SQL_BOX_LOAD);
    size_t count = 0;
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        const struct box *b = box_by_id(c->a, (struct mailbox_id){stmt_col_int(st, 0)});
        count++;
        if (!b || !slice_eq(b->pub.name, stmt_col(st, 1)) ||
            b->pub.uidnext != (uint32_t)stmt_col_int(st, 5) ||
            b->pub.modseq != (uint64_t)stmt_col_int(st, 6) ||
            b->pub.messages != (uint32_t)stmt_col_int(st, 7) ||
            b->pub.bytes != (uint64_t)stmt_col_int(st, 10))
            complain(c, "INV-17", "a mailbox in memory is not its row", stmt_col_int(st, 0));
    }
    if (e == ERR_NOT_FOUND && count != c->a->by_id.count)
        complain(c, "INV-17", "mailboxes in memory without rows", (int64_t)c->a->by_id.count);
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible read_body(struct account *a, struct body_id id)
{
    struct body_reader *r;
    TRY(body_open(a, id, &r));
    enum err e = OK;
    uint64_t at = 0;
    struct slice octets = {"", 1};
    while (e == OK && octets.n) {
        e = body_read(r, at, SIZE_MAX, &octets);
        at += e == OK ? octets.n : 0;
    }
    if (e == OK && at != body_size(r))
        e = ERR_CORRUPT;
    body_close(&r);
    return e;
}

static fallible check_bodies(struct checking *c)
{
    struct stmt *st = db_prepare(c->a->db, "SELECT id FROM body");
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct body_id id = {stmt_col_int(st, 0)};
        e = read_body(c->a, id);
        if (e == ERR_CORRUPT)
            complain(c, "INV-21", "a body that cannot be read whole", id.v);
        else if (e != OK)
            break;
    }
    stmt_free(&st);
    return e == ERR_NOT_FOUND ? OK : e;
}

fallible store_check(struct account *a, bool deep, struct buf *ret_lines)
{
    account_assert_usable(a);
    struct checking c = {.a = a, .lines = ret_lines};
    TRY(db_check(a->db, ret_lines));
    TRY(run_rules(&c));
    TRY(check_mirror(&c));
    if (deep)
        TRY(check_bodies(&c));
    return c.broken ? ERR_CORRUPT : OK;
}

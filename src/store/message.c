/* message.c - rows of messages: reading them, adding one, counting. */
#include "store/message.h"

#include "crypto/random.h"
#include "store/private.h"
#include "store/quota.h"

void message_read_row(struct stmt *st, struct message *ret_message)
{
    *ret_message = (struct message){
        .uid = {(uint32_t)stmt_col_int(st, 0)},
        .modseq = (uint64_t)stmt_col_int(st, 1),
        .flags =
            {.system = (uint32_t)stmt_col_int(st, 2) & FLAGS_SYSTEM,
             .keywords = (uint64_t)stmt_col_int(st, 3)},
        .internal_date = stmt_col_int(st, 4),
        .sent_date = stmt_col_int(st, 5),
        .size = (uint64_t)stmt_col_int(st, 6),
        .body = {stmt_col_int(st, 7)},
        .email_id = (uint64_t)stmt_col_int(st, 8),
        .thread_id = (uint64_t)stmt_col_int(st, 9),
    };
}

/* The kept statement, or one of our own when another iterator has it. */
static struct stmt *take_statement(struct account *a, unsigned index, bool *ret_own)
{
    *ret_own = db_stmt_is_busy(a->db, index);
    return *ret_own ? db_prepare(a->db, store_schema.statements[index]) : db_stmt(a->db, index);
}

fallible message_iter_start(
    struct message_iter *it, struct account *a, struct mailbox_id box, struct uid_range range,
    enum message_what what)
{
    account_assert_usable(a);
    if (!box_by_id(a, box))
        return ERR_GONE;
    unsigned index = what == MESSAGE_STRUCTURE ? SQL_MESSAGE_ROWS_STRUCTURE : SQL_MESSAGE_ROWS;
    *it = (struct message_iter){.account = a, .what = what};
    it->st = take_statement(a, index, &it->own);
    stmt_bind(it->st, "iii", box.v, (int64_t)range.first, (int64_t)range.last);
    a->iters++;
    return OK;
}

fallible message_iter_next(struct message_iter *it, struct message *ret_message)
{
    TRY(stmt_step(it->st));
    message_read_row(it->st, ret_message);
    if (it->what == MESSAGE_STRUCTURE)
        ret_message->structure = stmt_col(it->st, 10);
    return OK;
}

void message_iter_stop(struct message_iter *it)
{
    if (!it->st)
        return;
    it->account->iters--;
    if (it->own)
        stmt_free(&it->st);
    else
        stmt_reset(it->st);
    it->st = NULL;
}

fallible message_find(
    struct account *a, struct mailbox_id box, struct uid uid, struct arena *mem, struct message *ret_message)
{
    struct message_iter it;
    struct message m;
    TRY(message_iter_start(
        &it, a, box, (struct uid_range){uid.v, uid.v}, mem ? MESSAGE_STRUCTURE : MESSAGE_ROW));
    enum err e = message_iter_next(&it, &m);
    if (e == OK && mem) {
        m.structure = arena_copy(mem, m.structure);
        e = m.structure.p ? OK : ERR_LIMIT;
    }
    message_iter_stop(&it);
    if (e == OK)
        *ret_message = m;
    return e;
}

/* ------------------------------------------------------------------------------------------------------- adding */

void box_count(struct box *b, const struct message *m, int sign)
{
    b->pub.messages += (uint32_t)sign;
    b->pub.unseen += m->flags.system & FLAG_SEEN ? 0 : (uint32_t)sign;
    b->pub.deleted += m->flags.system & FLAG_DELETED ? (uint32_t)sign : 0;
    b->pub.bytes += m->size * (uint64_t)(int64_t)sign;
}

fallible message_insert(struct account *a, struct box *b, struct message *m)
{
    box_touch(a, b);
    m->uid.v = b->pub.uidnext++;
    m->modseq = account_modseq(a);
    struct stmt *st = db_stmt(a->db, SQL_MESSAGE_ADD);
    stmt_bind(
        st, "iiiiiiiiiii", b->pub.id.v, (int64_t)m->uid.v, (int64_t)m->modseq, (int64_t)m->flags.system,
        (int64_t)m->flags.keywords, m->internal_date, m->sent_date, (int64_t)m->size, m->body.v,
        (int64_t)m->email_id, (int64_t)m->thread_id);
    TRY(stmt_run(st));
    box_count(b, m, 1);
    a->bytes += m->size;
    a->messages++;
    return OK;
}

static fallible append(struct account *a, struct box *b, const struct append *what, struct message *m)
{
    /* Never used again in this account: mailbox ids and uids are not (INV-15). */
    m->body.v = b->pub.id.v << 32 | b->pub.uidnext;
    TRY(body_insert(a, what->body, m->body));
    return message_insert(a, b, m);
}

static fallible check_box_room(const struct box *b)
{
    /* The last uid is kept back, so that UIDNEXT can always be said (T-274). */
    return b->pub.uidnext >= UINT32_MAX - 1 || b->pub.messages >= LIMIT_MESSAGES_PER_MAILBOX ? ERR_LIMIT : OK;
}

fallible
message_append(struct account *a, struct mailbox_id box, const struct append *what, struct uid *ret_uid)
{
    account_assert_usable(a);
    struct box *b = box_by_id(a, box);
    if (!b)
        return ERR_GONE;
    TRY(check_box_room(b));
    struct message m = {
        .flags = {what->flags.system & FLAGS_SYSTEM, what->flags.keywords & b->keyword_mask},
        .internal_date = what->internal_date,
        .sent_date = body_writer_sent_date(what->body, what->internal_date),
        .size = body_writer_size(what->body),
        .email_id = random_id64() >> 1,
        .thread_id = random_id64() >> 1,
    };
    if (!what->beyond_quota)
        TRY(quota_check(a, m.size, 1));
    TRY(account_begin(a));
    enum err e = account_end(a, append(a, b, what, &m));
    if (e != OK) {
        body_writer_rolled_back(what->body);
        return e;
    }
    *ret_uid = m.uid;
    return OK;
}

/* Bodies: inline and chunked, ranges, compression, damage, disk full, sweeping (T-042, T-296 store side). */
#include "harness.h"

#include <dirent.h>
#include <errno.h>

#include "store/body_format.h"
#include "store/xxh64.h"

enum { BIG = 700000 };

static char *octets_new(size_t n, bool compressible)
{
    char *p = mem_alloc(n + 1);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        p[i] = compressible ? "abcdefgh\r\n"[x % 10] : (char)x;
    }
    memcpy(p, "A: b\r\n\r\n", n < 8 ? n : 8);
    return p;
}

static size_t files_in_large(struct store *s)
{
    char path[64] = "";
    DIR *slots = fdopendir(dup(s->dir.fd));
    struct dirent *e;
    size_t count = 0;
    rewinddir(slots);
    while ((e = readdir(slots)))
        if (strlen(e->d_name) == 2 && e->d_name[0] != '.')
            snprintf(path, sizeof path, "%.2s/00000000000000000000000000000000/large", e->d_name);
    closedir(slots);
    memcpy(path + 3, "01010203", 8);
    int fd = openat(s->dir.fd, path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    DIR *d = fdopendir(fd);
    while ((e = readdir(d)))
        count += e->d_name[0] != '.';
    closedir(d);
    return count;
}

static void sizes_around_every_edge(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    static const size_t sizes[] = {0, 1, 8191, 8192, 65536, 131071, 131072, 131073, 196608, 196609, BIG};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int compressible = 0; compressible < 2; compressible++) {
            char *p = octets_new(sizes[i], compressible);
            struct uid uid;
            assert_ok(store_append(s, a, inbox, slice_of(p, sizes[i]), 0, &uid));
            store_assert_body(a, inbox, uid, slice_of(p, sizes[i]));
            free(p);
        }
    assert_int_equal(files_in_large(s), 8);
    store_check_now(s, a);
    account_unref(&a);
}

static void any_range_is_read(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    char *p = octets_new(BIG, true);
    struct uid uid;
    struct message m;
    struct body_reader *r;
    struct slice got;
    assert_ok(store_append(s, a, inbox, slice_of(p, BIG), 0, &uid));
    assert_ok(message_find(a, inbox, uid, NULL, &m));
    assert_ok(body_open(a, m.body, &r));
    for (size_t at = 0; at < BIG + 10; at += 4099) {
        assert_ok(body_read(r, at, 1000, &got));
        assert_true(at < BIG ? got.n > 0 : got.n == 0);
        assert_memory_equal(got.p, p + (at < BIG ? at : 0), got.n);
    }
    /* A reader outlives the message (IMAP: an expunge by another session while a FETCH is under way). */
    assert_ok(message_expunge(a, inbox, &(struct uid_range){1, 1}, 1, false, NULL, NULL));
    assert_ok(store_sync(s, a));
    assert_ok(body_read(r, BIG - 5, 100, &got));
    assert_int_equal(got.n, 5);
    body_close(&r);
    free(p);
    account_unref(&a);
}

/* INV-21: after the sync, not before. */
static void the_file_goes_after_the_sync(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    char *p = octets_new(BIG, false);
    struct uid uid;
    assert_ok(store_append(s, a, inbox, slice_of(p, BIG), 0, &uid));
    assert_ok(message_copy(a, inbox, &(struct uid_range){1, 1}, 1, store_box(a, "Trash"), false, NULL, NULL));
    assert_ok(message_expunge(a, inbox, &(struct uid_range){1, 1}, 1, false, NULL, NULL));
    assert_ok(store_sync(s, a));
    assert_ok(store_append(s, a, inbox, S("x: y\r\n\r\n"), 0, &uid));
    assert_ok(store_sync(s, a));
    assert_int_equal(files_in_large(s), 1);
    assert_ok(message_expunge(a, store_box(a, "Trash"), &(struct uid_range){1, 1}, 1, false, NULL, NULL));
    assert_int_equal(files_in_large(s), 1);
    assert_ok(store_sync(s, a));
    account_unref(&a);
    store_stop(s);
    assert_int_equal(files_in_large(s), 0);
    store_start(s);
    a = store_account(s, 1);
    store_check_now(s, a);
    free(p);
    account_unref(&a);
}

/* T-042, store side: what is cut before its end leaves nothing. */
static void what_is_not_appended_leaves_nothing(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    char *p = octets_new(BIG, false);
    const struct mailbox *box;
    static const size_t cuts[] = {0, 1, 100, 131072, 131073, 400000, BIG};
    uint64_t committed = account_committed(a);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct body_writer *w = NULL;
        assert_ok(body_writer_new(a, BIG, &w));
        assert_ok(body_feed(w, slice_of(p, cuts[i])));
        body_writer_free(&w);
        assert_null(w);
    }
    /* Also while the pool syncs it. */
    struct body_writer *w = NULL;
    enum err unused = OK;
    assert_ok(body_writer_new(a, BIG, &w));
    assert_ok(body_feed(w, slice_of(p, BIG)));
    assert_err(ERR_AGAIN, body_finish(w, store_finished, &unused));
    body_writer_free(&w);
    TURN_UNTIL(s->loop, files_in_large(s) == 0);
    for (int i = 0; i < 20; i++)
        loop_turn(s->loop, 1);
    assert_int_equal(unused, OK);
    assert_ok(store_enter(s, a));
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    assert_true(box->messages == 0 && account_committed(a) == committed);
    free(p);
    account_unref(&a);
}

static void files_without_rows_are_swept(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    char *p = octets_new(BIG, true);
    struct uid uid;
    assert_ok(store_append(s, a, inbox, slice_of(p, BIG), 0, &uid));
    /* An outer transaction that fails leaves the file; the opening after it does not. */
    struct body_writer *w = NULL;
    assert_ok(store_body(s, a, slice_of(p, BIG), &w));
    assert_ok(store_enter(s, a));
    assert_ok(account_begin(a));
    struct append what = {.body = w};
    assert_ok(message_append(a, inbox, &what, &uid));
    account_rollback(a);
    body_writer_free(&w);
    assert_int_equal(files_in_large(s), 2);
    account_unref(&a);
    store_stop(s);
    store_start(s);
    a = store_account(s, 1);
    assert_int_equal(files_in_large(s), 1);
    store_assert_body(a, store_box(a, "INBOX"), (struct uid){1}, slice_of(p, BIG));
    free(p);
    account_unref(&a);
}

static void too_much_is_refused(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct body_writer *w = NULL;
    assert_err(ERR_LIMIT, body_writer_new(a, (uint64_t)LIMIT_MESSAGE * 2, &w));
    assert_ok(body_writer_new(a, 0, &w));
    char *p = octets_new(1 << 20, true);
    enum err e = OK;
    for (int i = 0; i < 60 && e == OK; i++)
        e = body_feed(w, slice_of(p, 1 << 20));
    assert_int_equal(e, ERR_LIMIT);
    assert_err(ERR_LIMIT, body_finish(w, NULL, NULL));
    body_writer_free(&w);
    assert_int_equal(files_in_large(s), 0);
    free(p);
    account_unref(&a);
}

/* ------------------------------------------------------------------------------------------------- the format */

static struct buf file_of(struct body_tail *tail, size_t n)
{
    struct buf file = BUF_INIT(1 << 20), index = BUF_INIT(1 << 16);
    body_put_head(&file);
    tail->chunk = 100;
    tail->size = n;
    for (size_t at = 0; at < n; at += 100, tail->count++) {
        char plain[100];
        size_t here = n - at < 100 ? n - at : 100;
        memset(plain, 'a' + (int)tail->count, here);
        buf_put(&file, slice_of(plain, here));
        body_put_entry(&index, (uint32_t)here, false, xxh64(slice_of(plain, here)));
    }
    body_put_tail(&index, tail);
    buf_put(&file, buf_slice(&index));
    buf_done(&index);
    return file;
}

static enum err read_file(struct slice file)
{
    struct body_tail tail;
    struct body_index index = {0};
    if (file.n < BODY_TAIL)
        return ERR_CORRUPT;
    TRY(body_tail_read(slice_from(file, file.n - BODY_TAIL), file.n, &tail));
    size_t n = (size_t)tail.count * BODY_ENTRY;
    enum err e =
        body_index_read(slice_sub(file, file.n - BODY_TAIL - n, n + BODY_SUMS), &tail, file.n, &index);
    body_index_done(&index);
    return e;
}

static void a_damaged_index_is_refused(void **state)
{
    (void)state;
    struct body_tail tail = {0};
    struct buf file CLEANUP_BUF = file_of(&tail, 950);
    assert_ok(read_file(buf_slice(&file)));
    for (size_t cut = 0; cut < file.n; cut++)
        assert_err(ERR_CORRUPT, read_file(slice_sub(buf_slice(&file), 0, cut)));
    /* Each octet of index and tail; the head and chunks have hashes of their own. */
    for (size_t i = file.n - BODY_TAIL - BODY_ENTRY * tail.count; i < file.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            file.p[i] ^= (char)(1 << bit);
            assert_err(ERR_CORRUPT, read_file(buf_slice(&file)));
            file.p[i] ^= (char)(1 << bit);
        }
}

static void the_hash_is_xxh64(void **state)
{
    (void)state;
    /* The published vectors: empty, "a", "abc", and a text of more than 32 octets. */
    assert_true(xxh64(S("")) == UINT64_C(0xEF46DB3751D8E999));
    assert_true(xxh64(S("a")) == UINT64_C(0xD24EC4F1A98C6E5B));
    assert_true(xxh64(S("abc")) == UINT64_C(0x44BC2CF5AD770999));
    assert_true(xxh64(S("Nobody inspects the spammish repetition")) == UINT64_C(0xFBCEA83C8A378BF1));
}

/* A stored octet that flips is never served. */
static void damage_is_found(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    char *p = octets_new(BIG, true), path[128];
    struct uid uid;
    struct message m;
    struct body_reader *r = NULL;
    struct slice got;
    assert_ok(store_append(s, a, inbox, slice_of(p, BIG), 0, &uid));
    assert_ok(message_find(a, inbox, uid, NULL, &m));
    DIR *slots = opendir(s->dir.path);
    struct dirent *e;
    while ((e = readdir(slots)))
        if (strlen(e->d_name) == 2 && e->d_name[0] != '.')
            snprintf(path, sizeof path, "%.2s/01010203000000000000000000000000/large", e->d_name);
    closedir(slots);
    int dir = openat(s->dir.fd, path, O_RDONLY | O_DIRECTORY);
    DIR *d = fdopendir(dup(dir));
    while ((e = readdir(d)) && e->d_name[0] == '.')
        ;
    int fd = openat(dir, e->d_name, O_RDWR);
    char c;
    assert_int_equal(pread(fd, &c, 1, 1000), 1);
    c ^= 4;
    assert_int_equal(pwrite(fd, &c, 1, 1000), 1);
    assert_ok(body_open(a, m.body, &r));
    assert_err(ERR_CORRUPT, body_read(r, 0, 10, &got));
    assert_ok(body_read(r, 200000, 10, &got));
    body_close(&r);
    assert_int_equal(ftruncate(fd, 3000), 0);
    assert_err(ERR_CORRUPT, body_open(a, m.body, &r));
    struct buf lines CLEANUP_BUF = BUF_INIT(4096);
    assert_err(ERR_CORRUPT, store_check(a, true, &lines));
    assert_true(slice_search(buf_slice(&lines), S("INV-21")) != SLICE_NPOS);
    closedir(d);
    close(fd);
    close(dir);
    free(p);
    account_unref(&a);
}

/* ---------------------------------------------------------------------------------------------------- disk full */

struct full {
    struct disk_hook hook;
    bool on;
    int refused_writes;
};
static int before(struct disk_hook *h, const struct disk_call *call)
{
    struct full *f = (struct full *)h;
    bool grows = call->op == DISK_ROOM || (call->op == DISK_WRITE && call->fd >= 0) ||
                 (call->op == DISK_OPEN && call->made);
    /* What is in a file already can be written again without room. */
    uint64_t size = 0;
    if (f->on && call->op == DISK_WRITE && disk_size(call->fd, &size) == OK &&
        call->offset + call->data.n <= size)
        return 0;
    f->refused_writes += f->on && call->op == DISK_WRITE;
    return f->on && grows ? ENOSPC : 0;
}
static void after(struct disk_hook *h, const struct disk_call *call)
{
    (void)h;
    (void)call;
}

/* T-296: with nothing left at all, reading goes on, writing says so, and all is well when there is room again. */
static void a_full_disk_is_said_and_survived(void **state)
{
    struct store *s = *state;
    struct account *a = store_account(s, 1);
    struct mailbox_id inbox = store_box(a, "INBOX");
    char *p = octets_new(BIG, false);
    struct uid uid;
    struct full full = {.hook = {.before = before, .after = after}};
    struct flags_change c = {.how = FLAGS_ADD, .flags = {FLAG_SEEN, 0}, .unchanged_since = MODSEQ_ANY};
    for (int i = 0; i < 19; i++)
        assert_ok(
            store_append(s, a, inbox, slice_of(p, 60000), 0, &uid)); /* the file must grow to take them */
    assert_ok(store_append(s, a, inbox, S("A: b\r\n\r\nbody"), 0, &uid));
    struct body_writer *early = NULL, *w = NULL;
    assert_ok(body_writer_new(a, 0, &early));
    assert_ok(body_feed(early, slice_of(p, 1000)));
    assert_ok(body_finish(early, NULL, NULL));
    disk_set_hook(&full.hook);
    full.on = true;
    assert_err(ERR_DISK_FULL, body_writer_new(a, 5, &w));
    struct append what = {.body = early};
    assert_err(ERR_DISK_FULL, message_append(a, inbox, &what, &uid));
    assert_err(ERR_DISK_FULL, message_store_flags(a, inbox, &(struct uid_range){1, 9}, 1, &c, NULL, NULL));
    assert_err(ERR_DISK_FULL, mailbox_delete(a, S("Trash")));
    store_assert_body(a, inbox, (struct uid){7}, slice_of(p, 60000));
    const struct mailbox *box;
    assert_ok(mailbox_find(a, S("INBOX"), &box));
    assert_true(box->messages == 20 && box->unseen == 20 && box->uidnext == 21);
    /* Closed and opened again it still reads, though no checkpoint has room. */
    account_unref(&a);
    body_writer_free(&early);
    full.refused_writes = 0;
    store_stop(s);
    assert_true(full.refused_writes > 0);
    store_start(s);
    a = store_account(s, 1);
    inbox = store_box(a, "INBOX");
    store_assert_body(a, inbox, (struct uid){20}, S("A: b\r\n\r\nbody"));
    full.on = false;
    assert_ok(store_body(s, a, slice_of(p, 1000), &early));
    full.on = true;
    what.body = early;
    assert_ok(store_enter(s, a));
    assert_err(ERR_DISK_FULL, message_append(a, inbox, &what, &uid));
    full.on = false;
    assert_ok(message_append(a, inbox, &what, &uid)); /* the same body, now that there is room */
    assert_int_equal(uid.v, 21);
    body_writer_free(&early);
    assert_ok(message_expunge(a, inbox, &(struct uid_range){1, 10}, 1, false, NULL, NULL));
    assert_ok(store_sync(s, a));
    store_check_now(s, a);
    disk_set_hook(NULL);
    free(p);
    account_unref(&a);
    report_threat("T-296", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(sizes_around_every_edge),
        STORE_TEST(any_range_is_read),
        STORE_TEST(the_file_goes_after_the_sync),
        STORE_TEST(what_is_not_appended_leaves_nothing),
        STORE_TEST(files_without_rows_are_swept),
        STORE_TEST(too_much_is_refused),
        cmocka_unit_test(a_damaged_index_is_refused),
        cmocka_unit_test(the_hash_is_xxh64),
        STORE_TEST(damage_is_found),
        STORE_TEST(a_full_disk_is_said_and_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

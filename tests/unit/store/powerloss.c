/* Power cuts (T-292, T-265, T-266, T-174, T-176): lives of a store under random load, each cut at random moments.
 *
 * After every commit the whole visible state of the account is written down as a text. After a cut and a restart the state
 * must be one of those, letter for letter, and not older than the last one that was called synced: nothing acknowledged
 * is lost, nothing shown comes back as something else, nothing is half. One of the cuts of a life is the next one's start, so
 * recoveries are cut too.
 *
 * LETTERLOCK_SEED chooses another run, LETTERLOCK_FULL=1 ten times the cuts.
 */
#include "harness.h"

#include "crashdisk.h"

#include "crypto/hash.h"

enum { LIVES = 40, CUTS = 26, STEPS = 40, ACCOUNTS = 2, STEP_MARK = 100000 };

/* What was so after each commit. */
struct version {
    char *text;
    size_t deliveries; /* this many had been made */
};
struct model {
    struct version *versions;
    int count;
    struct delivery_id *deliveries;
    size_t delivery_count;
    int acked;  /* the highest version called synced, in this life */
    int offset; /* version of committed 0 in this life */
};

struct life {
    struct store store;
    struct crash_disk *disk;
    uint64_t seed;
    struct model models[ACCOUNTS];
    struct account *accounts[ACCOUNTS];
    unsigned operations;
};

/* ------------------------------------------------------------------------------------------------------ the text */

static void put_body(struct buf *out, struct account *a, struct body_id id)
{
    struct body_reader *r = NULL;
    struct slice piece = {"", 1};
    struct hash_state h;
    assert_ok(body_open(a, id, &r));
    hash_start(&h, NULL);
    for (uint64_t at = 0; piece.n; at += piece.n) {
        assert_ok(body_read(r, at, SIZE_MAX, &piece));
        hash_add(&h, piece);
    }
    struct hash sum = hash_end(&h);
    body_close(&r);
    buf_printf(out, " %02x%02x%02x%02x%02x%02x", sum.b[0], sum.b[1], sum.b[2], sum.b[3], sum.b[4], sum.b[5]);
}

static void meet_gone(void *owner, struct uid_range gone, uint64_t modseq)
{
    buf_printf(owner, " gone %u-%u at %llu\n", gone.first, gone.last, (unsigned long long)modseq);
}

static void put_box(struct buf *out, struct account *a, const struct mailbox_entry *e)
{
    const struct mailbox *b = e->box;
    struct message_iter it;
    struct message m;
    buf_printf(
        out, "%.*s %lld %u next %u modseq %llu has %u %u %u %llu use %u keywords", SLICE_ARG(b->name),
        (long long)b->id.v, b->uidvalidity, b->uidnext, (unsigned long long)b->modseq, b->messages, b->unseen,
        b->deleted, (unsigned long long)b->bytes, b->use);
    for (unsigned bit = 0; bit < 64; bit++)
        buf_printf(out, " %.*s", SLICE_ARG(mailbox_keyword_name(a, b->id, bit)));
    buf_put_char(out, '\n');
    struct change_visitor v = {.expunged = meet_gone, .owner = out};
    assert_ok(changes_since(a, b->id, 0, (struct uid_range){1, UINT32_MAX}, &v));
    assert_ok(message_iter_start(&it, a, b->id, (struct uid_range){1, UINT32_MAX}, MESSAGE_STRUCTURE));
    while (message_iter_next(&it, &m) == OK) {
        buf_printf(
            out, " %u modseq %llu flags %x %llx dates %lld %lld size %llu id %llx structure %zu", m.uid.v,
            (unsigned long long)m.modseq, m.flags.system, (unsigned long long)m.flags.keywords,
            (long long)m.internal_date, (long long)m.sent_date, (unsigned long long)m.size,
            (unsigned long long)m.email_id, m.structure.n);
        put_body(out, a, m.body);
        buf_put_char(out, '\n');
    }
    message_iter_stop(&it);
}

static char *state_text(struct account *a)
{
    struct buf out = BUF_INIT(1 << 22);
    struct arena mem CLEANUP_ARENA = ARENA_INIT(1 << 22);
    struct mailbox_entry *entries;
    size_t count;
    assert_ok(mailbox_list(a, &mem, &entries, &count));
    for (size_t i = 0; i < count; i++)
        if (entries[i].box)
            put_box(&out, a, &entries[i]);
    for (size_t i = 0; i < count; i++)
        if (entries[i].subscribed)
            buf_printf(&out, "subscribed %.*s\n", SLICE_ARG(entries[i].name));
    struct quota q = quota_of(a);
    buf_printf(&out, "quota %llu %llu\n", (unsigned long long)q.bytes, (unsigned long long)q.messages);
    assert_ok(buf_check(&out));
    buf_put_char(&out, '\0');
    return out.p;
}

/* ------------------------------------------------------------------------------------------------------ the model */

static void model_forget_after(struct model *m, int version)
{
    for (int i = version + 1; i < m->count; i++)
        free(m->versions[i].text);
    if (version + 1 < m->count)
        m->count = version + 1;
    m->delivery_count = version >= 0 ? m->versions[version].deliveries : 0;
}

static void model_add(struct model *m, char *text)
{
    m->versions = mem_resize(m->versions, (size_t)(m->count + 1) * sizeof *m->versions);
    m->versions[m->count++] = (struct version){.text = text, .deliveries = m->delivery_count};
}

struct acknowledgement {
    struct synced_wait wait;
    struct life *life;
    int account, version;
};

static void acknowledged(struct synced_wait *w, enum err e)
{
    struct acknowledgement *k = w->owner;
    assert_int_equal(e, OK);
    crash_mark(k->life->disk, k->account * STEP_MARK + k->version);
    if (k->version > k->life->models[k->account].acked)
        k->life->models[k->account].acked = k->version;
    free(k);
}

/* After an operation: if it committed, write down what is so now, and acknowledge it when it is synced. */
static void note(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    struct model *m = &l->models[which];
    int version = m->offset + (int)account_committed(a);
    if (version < m->count)
        return;
    assert_int_equal(version, m->count);
    model_add(m, state_text(a));
    struct acknowledgement *k = NEW(struct acknowledgement);
    *k = (struct acknowledgement){.life = l, .account = which, .version = version};
    k->wait = (struct synced_wait){.synced = acknowledged, .owner = k};
    synced_wait_start(&k->wait, a, account_committed(a));
}

/* -------------------------------------------------------------------------------------------------- operations */

static unsigned below(struct life *l, unsigned bound)
{
    return crash_below(&l->seed, bound);
}

static char *random_octets(struct life *l, size_t n)
{
    char *p = mem_alloc(n + 64);
    int head = snprintf(
        p, 64, "Subject: %llx\r\nDate: Fri, 21 Nov 1997 09:55:06 -0600\r\n\r\n",
        (unsigned long long)crash_random(&l->seed) & 0xffff);
    bool text = below(l, 2);
    for (size_t i = (size_t)head; i < n; i++)
        p[i] = text ? "eta oin\r\n"[below(l, 9)] : (char)crash_random(&l->seed);
    return p;
}

static struct mailbox_id random_box(struct life *l, struct account *a)
{
    struct arena mem CLEANUP_ARENA = ARENA_INIT(1 << 20);
    struct mailbox_entry *entries;
    size_t count;
    assert_ok(mailbox_list(a, &mem, &entries, &count));
    if (below(l, 2))
        return entries[0].box->id;
    for (;;) {
        size_t i = below(l, (unsigned)count);
        if (entries[i].box)
            return entries[i].box->id;
    }
}

static struct uid_range random_range(struct life *l, struct account *a, struct mailbox_id id)
{
    const struct mailbox *b = NULL;
    assert_ok(mailbox_by_id(a, id, &b));
    uint32_t first = 1 + below(l, b->uidnext);
    return (struct uid_range){first, first + below(l, 6)};
}

static struct body_writer *random_body(struct life *l, struct account *a)
{
    static const size_t sizes[] = {80, 300, 2000, 3900, 9000, 70000, 150000};
    size_t most = sizes[below(l, 10) ? below(l, 5) : below(l, 7)], n = 80 + below(l, (unsigned)most);
    struct body_writer *w = NULL;
    char *p = random_octets(l, n);
    assert_ok(store_body(&l->store, a, slice_of(p, n), &w));
    free(p);
    assert_ok(store_enter(&l->store, a));
    return w;
}

static void do_append(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    struct body_writer *w = random_body(l, a);
    struct append what = {
        .body = w,
        .flags = {below(l, 32), crash_random(&l->seed)},
        .internal_date = 1000000 + below(l, 1000)};
    struct uid uid;
    assert_ok(message_append(a, random_box(l, a), &what, &uid));
    body_writer_free(&w);
}

static void do_deliver(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    struct model *m = &l->models[which];
    struct body_writer *w = random_body(l, a);
    struct append what = {.body = w, .internal_date = 7, .beyond_quota = true};
    struct delivery d = {.unconfirmed = below(l, 2)};
    uint64_t id[2] = {crash_random(&l->seed), crash_random(&l->seed)};
    memcpy(d.id.b, id, 16);
    memcpy(d.octets.b, id, 16);
    struct uid uid;
    m->deliveries = mem_resize(m->deliveries, (m->delivery_count + 1) * sizeof *m->deliveries);
    m->deliveries[m->delivery_count++] = d.id;
    assert_ok(delivery_store(a, &d, store_box(a, "INBOX"), &what, &uid));
    body_writer_free(&w);
    note(l, which);
    if (below(l, 2))
        assert_ok(delivery_confirm(a, &d.id));
}

static void do_flags(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    struct mailbox_id box = random_box(l, a);
    struct uid_range range = random_range(l, a, box);
    struct flags_change c = {
        .how = (enum flags_how)below(l, 3),
        .flags = {below(l, 32), crash_random(&l->seed)},
        .unchanged_since = MODSEQ_ANY};
    assert_ok(message_store_flags(a, box, &range, 1, &c, NULL, NULL));
}

static void do_expunge(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    struct mailbox_id box = random_box(l, a);
    struct uid_range range = random_range(l, a, box);
    assert_ok(message_expunge(a, box, &range, 1, below(l, 2), NULL, NULL));
}

static void do_copy(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    struct mailbox_id from = random_box(l, a), to = random_box(l, a);
    struct uid_range range = random_range(l, a, from);
    assert_ok(message_copy(a, from, &range, 1, to, below(l, 2), NULL, NULL));
}

static void do_mailbox(struct life *l, int which)
{
    static const char *const names[] = {"a", "a/b", "c", "c/d/e", "a/b/f", "Trash", "INBOX", "\xc3\xa9"};
    struct account *a = l->accounts[which];
    struct slice name = slice_str(names[below(l, 8)]), other = slice_str(names[below(l, 8)]);
    struct mailbox_id id;
    unsigned bit;
    enum err e = OK;
    switch (below(l, 6)) {
    case 0:
    case 1:
        e = mailbox_create(a, name, 0, &id);
        break;
    case 2:
        e = mailbox_delete(a, name);
        break;
    case 3:
        e = mailbox_rename(a, name, other);
        break;
    case 4:
        e = mailbox_subscribe(a, name, below(l, 2));
        break;
    default:
        e = mailbox_keyword(a, random_box(l, a), name.n < 3 ? S("$x") : S("$y"), true, &bit);
    }
    assert_true(e == OK || e == ERR_EXISTS || e == ERR_NOT_FOUND || e == ERR_DENIED);
}

/* Several changes as one: all or none of them after a cut. */
static void do_several(struct life *l, int which)
{
    struct account *a = l->accounts[which];
    assert_ok(account_begin(a));
    do_flags(l, which);
    do_copy(l, which);
    do_expunge(l, which);
    if (below(l, 4))
        assert_ok(account_commit(a));
    else
        account_rollback(a);
}

static void (*const operations[])(struct life *l, int which) = {
    do_append, do_append,  do_append, do_deliver, do_deliver, do_flags,
    do_flags,  do_expunge, do_copy,   do_mailbox, do_several,
};

static void do_something(struct life *l)
{
    int which = (int)below(l, ACCOUNTS);
    assert_ok(store_enter(&l->store, l->accounts[which]));
    operations[below(l, sizeof operations / sizeof *operations)](l, which);
    note(l, which);
    l->operations++;
    /* Sometimes the disk is asked at once, sometimes several commits go together. */
    for (unsigned turns = below(l, 4) ? 0 : 1 + below(l, 3); turns; turns--)
        loop_turn(l->store.loop, 1);
}

/* -------------------------------------------------------------------------------------------------------- lives */

static void store_on(struct store *s, const struct crash_image *image)
{
    s->dir = scratch_new();
    crash_image_write(image, s->dir.fd);
    /* Small, so that a short life sees large bodies, many checkpoints, and accounts that make room for each other. */
    s->options = (struct accounts_options){
        .inline_max = 3000, .checkpoint_size = 150000, .open_max = 1, .idle_ms = 20};
    store_start(s);
}

static void begin_accounts(struct life *l)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        struct model *m = &l->models[i];
        l->accounts[i] = store_account(&l->store, (uint8_t)(i + 1));
        if (m->count == 0)
            model_add(m, state_text(l->accounts[i]));
        m->offset = m->count - 1;
        m->acked = m->offset;
        crash_mark(l->disk, i * STEP_MARK + m->offset);
    }
}

static void live(struct life *l, const struct crash_image *image)
{
    l->disk = crash_start(image);
    store_on(&l->store, image);
    begin_accounts(l);
    for (int step = 0; step < STEPS; step++)
        do_something(l);
    for (int i = 0; i < 20; i++) /* some end in quiet, with everything synced */
        loop_turn(l->store.loop, below(l, 2));
    crash_stop();
    for (int i = 0; i < ACCOUNTS; i++)
        account_unref(&l->accounts[i]);
}

static void end_life(struct life *l)
{
    /* What the ending store still writes and says belongs to no life. */
    int acked[ACCOUNTS];
    for (int i = 0; i < ACCOUNTS; i++)
        acked[i] = l->models[i].acked;
    store_stop(&l->store);
    scratch_free(&l->store.dir);
    for (int i = 0; i < ACCOUNTS; i++)
        l->models[i].acked = acked[i];
}

/* Marks before the cut, for each account: what had been promised. -1: not even that it exists. */
static int promised(const struct crash_disk *d, int at, int account)
{
    int best = -1;
    for (int k = 0; k < at; k++)
        if (d->ops[k].kind == CRASH_MARK && d->ops[k].covers / STEP_MARK == account &&
            d->ops[k].covers % STEP_MARK > best)
            best = d->ops[k].covers % STEP_MARK;
    return best;
}

static void check_deliveries(struct store *s, struct account *a, const struct model *m, int version)
{
    for (size_t i = 0; i < m->delivery_count; i++) {
        struct delivery d = {.id = m->deliveries[i], .octets = {{255}}};
        bool stored = false;
        assert_ok(store_enter(s, a));
        assert_ok(delivery_find(a, &d, &stored));
        assert_int_equal(stored, i < m->versions[version].deliveries);
    }
}

/* Which version is it? Fails the test when it is none, or an older one than was promised. */
static int identify(struct store *s, struct account *a, const struct model *m, int least)
{
    char *text = state_text(a);
    int found = -1;
    for (int i = m->count - 1; i >= 0 && found < 0; i--)
        if (strcmp(text, m->versions[i].text) == 0)
            found = i;
    if (least >= 0 && found < least) {
        print_message(
            "found %d, promised %d of %d; it is now:\n%s\npromised was:\n%s\n", found, least, m->count, text,
            m->versions[least].text);
        fail_msg("a promise was broken");
    }
    free(text);
    if (found >= 0)
        check_deliveries(s, a, m, found);
    return found;
}

static void restart_and_look(
    struct life *l, const struct crash_image *image, struct crash_cut cut, int ret_versions[ACCOUNTS])
{
    struct store s = {0};
    store_on(&s, image);
    for (int i = 0; i < ACCOUNTS; i++) {
        struct account *a = store_account(&s, (uint8_t)(i + 1));
        store_check_now(&s, a);
        ret_versions[i] = identify(&s, a, &l->models[i], promised(l->disk, cut.at, i));
        account_unref(&a);
    }
    assert_int_equal(s.damaged + s.poisoned, 0);
    store_stop(&s);
    scratch_free(&s.dir);
}

/* The next life starts from this cut: what was not found there never happened. */
static void rewind_models(struct life *l, const int versions[ACCOUNTS])
{
    for (int i = 0; i < ACCOUNTS; i++)
        model_forget_after(&l->models[i], versions[i]);
}

static void cut_often(struct life *l, struct crash_image *image, int cuts)
{
    struct crash_image left = {0};
    int versions[ACCOUNTS], mark;
    for (int i = 0; i < cuts; i++) {
        crash_image_done(&left);
        struct crash_cut cut = crash_cut_random(l->disk, &l->seed);
        left = crash_make(l->disk, cut, &mark);
        restart_and_look(l, &left, cut, versions);
    }
    crash_image_done(image);
    *image = left;
    rewind_models(l, versions);
    crash_free(&l->disk);
}

static unsigned long long setting(const char *name, unsigned long long otherwise)
{
    const char *value = getenv(name);
    return value && *value ? strtoull(value, NULL, 0) : otherwise;
}

static void nothing_promised_is_lost(void **state)
{
    (void)state;
    unsigned long long seed = setting("LETTERLOCK_SEED", 20261122);
    int lives = LIVES * (setting("LETTERLOCK_FULL", 0) ? 10 : 1);
    print_message("seed %llu\n", seed);
    struct life l = {.seed = seed};
    struct crash_image image = crash_image_new();
    for (int i = 0; i < lives; i++) {
        live(&l, &image);
        end_life(&l);
        cut_often(&l, &image, CUTS);
    }
    for (int i = 0; i < ACCOUNTS; i++) {
        model_forget_after(&l.models[i], -1);
        free(l.models[i].versions);
        free(l.models[i].deliveries);
    }
    crash_image_done(&image);
    print_message("%d cuts of %d lives, %u operations\n", lives * CUTS, lives, l.operations);
    report_threat("T-292", lives * CUTS);
    report_threat("T-266", lives * CUTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_promised_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

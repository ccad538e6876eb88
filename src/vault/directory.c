#include "vault/directory.h"

#include "base/clock.h"
#include "vault/policy.h"
#include "vault/private.h"
#include "vault/resolve.h"

enum { RUN_MEMORY = 32 * 1024 * 1024, WORDS = 512 };
#define STORED_MARK S("$directory$")

/* An account as it stands here beside the person that it belongs to. */
struct bound {
    struct vault_account account;
    char group[LIMIT_GROUP + 1];
    bool locked; /* by a run */
};

static struct slice id_slice(const struct account_id *id)
{
    return slice_of(id->b, sizeof id->b);
}

static void
tell(struct vault_directory_run *run, const char *action, struct slice address, struct slice detail)
{
    run->changes++;
    run->tell(run->owner, action, address, detail);
}

/* ---- who is bound to whom ---- */

fallible
vault_directory_id(struct vault *v, const struct account_id *account, char ret_id[LIMIT_DIRECTORY_ID + 1])
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DIRECTORY_GET);
    stmt_bind(st, "b", id_slice(account));
    TRY(stmt_step(st));
    if (stmt_col(st, 0).n > LIMIT_DIRECTORY_ID)
        return ERR_CORRUPT;
    vault_copy_text(ret_id, LIMIT_DIRECTORY_ID + 1, stmt_col(st, 0));
    return OK;
}

fallible vault_directory_refuse(struct vault *v, const struct account_id *account)
{
    char id[LIMIT_DIRECTORY_ID + 1];
    enum err e = vault_directory_id(v, account, id);
    if (e == ERR_NOT_FOUND)
        return OK;
    if (e != OK)
        return vault_failed(v, e);
    return vault_refuse(
        v, ERR_UNSUPPORTED,
        "this account comes from the directory (LDAP), and so does its mailbox password: it is set there");
}

fallible vault_directory_stored(struct vault *v, const struct account_id *account, struct secret *ret_text)
{
    char id[LIMIT_DIRECTORY_ID + 1];
    struct vault_account a;
    TRY(vault_directory_id(v, account, id));
    TRY(vault_account_get(v, account, &a));
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_DIRECTORY_ID + LIMIT_ADDRESS + 16);
    buf_put(&text, STORED_MARK);
    buf_put_str(&text, id);
    buf_put_char(&text, '$');
    buf_put_str(&text, a.address);
    TRY(buf_check(&text));
    return secret_copy(v->slab, buf_slice(&text), ret_text);
}

bool vault_directory_read_stored(struct slice stored, struct slice *ret_id, struct slice *ret_address)
{
    if (!slice_starts(stored, STORED_MARK))
        return false;
    struct slice rest = slice_from(stored, STORED_MARK.n);
    return slice_cut(&rest, '$', ret_id) && (*ret_address = rest).n > 0;
}

static fallible find_bound(struct vault *v, struct slice id, struct bound *ret_bound)
{
    struct account_id account;
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_DIRECTORY_FIND);
    stmt_bind(st, "t", id);
    TRY(stmt_step(st));
    if (stmt_col(st, 0).n != sizeof account.b || stmt_col(st, 1).n > LIMIT_GROUP)
        return ERR_CORRUPT;
    memcpy(account.b, stmt_col(st, 0).p, sizeof account.b);
    vault_copy_text(ret_bound->group, sizeof ret_bound->group, stmt_col(st, 1));
    ret_bound->locked = stmt_col_int(st, 2) != 0;
    return vault_account_get(v, &account, &ret_bound->account);
}

static fallible set_bound(struct vault *v, const struct account_id *account, struct slice group, bool locked)
{
    struct stmt *st = db_stmt(accounts_db(v), A_DIRECTORY_SET);
    stmt_bind(st, "bti", id_slice(account), group, (int64_t)locked);
    return stmt_run(st);
}

/* ---- addresses ---- */

struct place {
    struct address address;
    struct address_key key;
    struct buf shown;
    int64_t domain;
};

static bool domain_counts(const struct vault_directory_run *run, struct slice domain)
{
    for (size_t i = 0; i < run->domain_count; i++) {
        struct domain d;
        if (domain_parse(run->domains[i], &d) == OK && slice_eq(domain_text(&d), domain))
            return true;
    }
    return run->domain_count == 0;
}

/* An address that an account here can have: well formed, in a domain of ours that the directory answers for, no tag. */
static bool place_read(struct vault_directory_run *run, struct slice typed, struct place *p)
{
    struct slice base, tag;
    char separator = run->v->settings.plus_separator;
    buf_clear(&p->shown);
    if (vault_name(run->v, typed, &p->address, &p->key) != OK ||
        !domain_counts(run, address_key_domain(&p->key)) ||
        vault_domain_row(run->v, address_key_domain(&p->key), &p->domain) != OK ||
        (separator && address_split_tag(address_key_local(&p->key), separator, &base, &tag)))
        return false;
    address_put(&p->shown, &p->address);
    return buf_check(&p->shown) == OK;
}

static bool same_place(struct vault *v, struct slice text, const struct place *p)
{
    struct address address;
    struct address_key key;
    return vault_name(v, text, &address, &key) == OK &&
           slice_eq(address_key_text(&key), address_key_text(&p->key));
}

/* The address for this person: the one that the account has already, if the server still names it; else the first that can
 * be one. */
static bool choose_place(
    struct vault_directory_run *run, const struct vault_directory_person *person, struct slice present,
    struct place *p)
{
    struct slice rest = person->others, next = person->address, best = SLICE_EMPTY;
    do {
        if (!place_read(run, next, p))
            continue;
        if (!best.n)
            best = next;
        if (present.n && same_place(run->v, present, p))
            return true;
    } while (slice_cut(&rest, ' ', &next) && next.n);
    return best.n && place_read(run, best, p);
}

/* ---- making and moving ---- */

static fallible insert_person(
    struct vault *v, const struct vault_account_new *n, struct slice id, struct vault_account *ret_account)
{
    TRY(vault_account_add(v, n, ret_account));
    struct stmt *st = db_stmt(accounts_db(v), A_DIRECTORY_ADD);
    stmt_bind(st, "bt", id_slice(&ret_account->id), id);
    return stmt_run(st);
}

/* The end of a transaction: what was begun is kept when e is OK. */
static fallible settle(struct vault *v, enum err e)
{
    if (e == OK)
        return db_commit(accounts_db(v));
    db_rollback(accounts_db(v));
    return e;
}

static bool is_refusal(enum err e)
{
    return e == ERR_EXISTS || e == ERR_SYNTAX || e == ERR_NOT_FOUND || e == ERR_LIMIT || e == ERR_GONE;
}

static fallible make(
    struct vault_directory_run *run, const struct vault_directory_person *person, const struct place *p,
    struct bound *ret_bound)
{
    struct vault *v = run->v;
    const struct vault_account_new n = {
        .address = buf_slice(&p->shown), .name = person->name, .quota_bytes = person->quota_bytes};
    struct stmt *st = db_stmt(accounts_db(v), A_ADDRESS_FIND);
    stmt_bind(st, "t", address_key_text(&p->key));
    enum err e = stmt_step(st);
    stmt_reset(st);
    if (e == OK) {
        tell(
            run, "conflict", n.address,
            S("the address is in use here, by an account or an alias that is not from the directory or "
              "belongs to another person there"));
        return ERR_EXISTS;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    e = vault_account_may_add(v, &n);
    if (e == ERR_EXISTS || e == ERR_GONE) {
        tell(run, "conflict", n.address, vault_problem(v));
        return ERR_EXISTS;
    }
    TRY(e);
    if (!run->dry_run) {
        TRY(db_begin(accounts_db(v)));
        TRY(settle(v, insert_person(v, &n, person->id, &ret_bound->account)));
    }
    tell(run, "made", n.address, person->name);
    return run->dry_run ? ERR_EXISTS : OK;
}

/* True: nothing leads there but what this account left behind when it moved before. */
static bool is_own_alias(struct vault *v, const struct place *to, const struct place *from)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_TARGET_LIST);
    stmt_bind(st, "t", address_key_text(&to->key));
    return stmt_step(st) == OK && same_place(v, stmt_col(st, 0), from) && stmt_step(st) == ERR_NOT_FOUND;
}

static fallible run_on_key(struct vault *v, unsigned sql, const struct address_key *key)
{
    struct stmt *st = db_stmt(accounts_db(v), sql);
    stmt_bind(st, "t", address_key_text(key));
    return stmt_run(st);
}

/* Its own address of before is no reason against one that looks like it. */
static fallible
claim_place(struct vault *v, const struct account_id *id, const struct place *from, const struct place *to)
{
    struct buf old CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 4), new CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 4);
    struct vault_target self = {.account = *id};
    vault_name_skeleton(&from->key, &old);
    vault_name_skeleton(&to->key, &new);
    if (!slice_eq(buf_slice(&old), buf_slice(&new)))
        TRY(vault_name_claim(v, &to->key));
    return vault_resting_check(v, &to->key, &self, 1);
}

static fallible
move_rows(struct vault *v, const struct account_id *id, const struct place *from, const struct place *to)
{
    TRY(claim_place(v, id, from, to));
    if (is_own_alias(v, to, from)) {
        TRY(run_on_key(v, A_TARGET_REMOVE_ALL, &to->key));
        TRY(run_on_key(v, A_ADDRESS_REMOVE, &to->key));
    }
    TRY(run_on_key(v, A_ADDRESS_MAKE_ALIAS, &from->key));
    struct stmt *st = db_stmt(accounts_db(v), A_ADDRESS_ADD);
    stmt_bind(
        st, "ttibi", address_key_text(&to->key), buf_slice(&to->shown), to->domain, id_slice(id),
        clock_unix_s());
    TRY(stmt_run(st));
    TRY(vault_name_keep(v, &to->key));
    TRY(vault_resting_forget(v, &to->key));
    st = db_stmt(accounts_db(v), A_TARGET_ADD);
    stmt_bind(st, "ttt", address_key_text(&from->key), address_key_text(&to->key), buf_slice(&to->shown));
    TRY(stmt_run(st));
    st = db_stmt(accounts_db(v), A_DIRECTORY_MOVE);
    stmt_bind(st, "bti", id_slice(id), buf_slice(&to->shown), to->domain);
    return stmt_run(st);
}

/* Sessions end: they carry the old address. */
static fallible move(struct vault_directory_run *run, struct bound *b, const struct place *to)
{
    struct vault *v = run->v;
    struct place from = {.shown = BUF_INIT(LIMIT_ADDRESS)};
    struct slice old = slice_str(b->account.address);
    if (run->dry_run) {
        tell(run, "moved", old, buf_slice(&to->shown));
        return OK;
    }
    TRY(vault_name(v, old, &from.address, &from.key));
    TRY(db_begin(accounts_db(v)));
    enum err e = settle(v, move_rows(v, &b->account.id, &from, to));
    if (e == ERR_EXISTS || e == ERR_GONE) {
        struct slice why = vault_problem(v);
        tell(run, "conflict", buf_slice(&to->shown), why.n ? why : S("the new address is in use already"));
        return OK;
    }
    TRY(e);
    if (v->events && v->events->revoked)
        v->events->revoked(v->owner, &b->account.id, 0, UINT32_MAX);
    struct buf body CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS + 16);
    buf_printf(&body, "from=" SLICE_FMT "\n", SLICE_ARG(old));
    vault_audit(v, "account.moved", buf_slice(&to->shown), &body);
    tell(run, "moved", old, buf_slice(&to->shown));
    return vault_account_get(v, &b->account.id, &b->account);
}

/* ---- what else may change ---- */

static fallible
rename_person(struct vault_directory_run *run, const struct vault_directory_person *person, struct bound *b)
{
    struct vault *v = run->v;
    struct vault_account *a = &b->account;
    uint64_t quota = person->quota_bytes ? person->quota_bytes : a->quota_bytes;
    bool name = person->name.n && vault_text_is_good(person->name, LIMIT_DISPLAY_NAME) &&
                !slice_eq(person->name, slice_str(a->name));
    if (!name && quota == a->quota_bytes)
        return OK;
    struct slice new_name = name ? person->name : slice_str(a->name);
    if (!run->dry_run) {
        struct stmt *st = db_stmt(accounts_db(v), A_DIRECTORY_NAME);
        stmt_bind(st, "bti", id_slice(&a->id), new_name, (int64_t)person->quota_bytes);
        TRY(stmt_run(st));
        vault_audit(v, "account.changed", slice_str(a->address), NULL);
    }
    if (name)
        tell(run, "renamed", slice_str(a->address), new_name);
    if (quota != a->quota_bytes) {
        struct buf text CLEANUP_BUF = BUF_INIT(32);
        buf_put_u64(&text, quota);
        tell(run, "quota", slice_str(a->address), buf_slice(&text));
    }
    return OK;
}

/* A group changes when the directory's word changes: one that an administrator gave stays until then. */
static fallible
regroup(struct vault_directory_run *run, const struct vault_directory_person *person, struct bound *b)
{
    struct vault *v = run->v;
    struct slice address = slice_str(b->account.address);
    if (slice_eq(person->group, slice_str(b->group)) || person->group.n > LIMIT_GROUP)
        return OK;
    if (!run->dry_run) {
        enum err e = vault_account_set_group(v, address, person->group);
        if (e == ERR_SYNTAX) {
            tell(run, "conflict", address, S("the policy group of directory_group is no name of a group"));
            return OK;
        }
        TRY(e);
        TRY(set_bound(v, &b->account.id, person->group, b->locked));
        vault_copy_text(b->group, sizeof b->group, person->group);
    }
    tell(run, "group", address, person->group.n ? person->group : S("none"));
    return OK;
}

static fallible unlock(struct vault_directory_run *run, struct bound *b)
{
    struct vault *v = run->v;
    struct slice address = slice_str(b->account.address);
    if (!b->locked)
        return OK;
    if (!run->dry_run) {
        TRY(vault_account_set_status(v, address, ACCOUNT_ACTIVE));
        TRY(set_bound(v, &b->account.id, slice_str(b->group), false));
    }
    tell(run, "unlocked", address, SLICE_EMPTY);
    return OK;
}

/* ---- a run ---- */

void vault_directory_begin(struct vault_directory_run *run)
{
    map_init(&run->seen, LIMIT_DIRECTORY_ENTRIES);
    arena_init(&run->arena, RUN_MEMORY);
}

void vault_directory_end(struct vault_directory_run *run)
{
    map_done(&run->seen);
    arena_done(&run->arena);
}

static fallible bring_up_to_date(
    struct vault_directory_run *run, const struct vault_directory_person *person, struct place *p)
{
    struct bound b = {.locked = false};
    enum err e = find_bound(run->v, person->id, &b);
    if (e != OK && e != ERR_NOT_FOUND)
        return e;
    bool is_new = e == ERR_NOT_FOUND;
    if (!choose_place(run, person, is_new ? SLICE_EMPTY : slice_str(b.account.address), p)) {
        tell(run, "skipped", person->address, S("no address of this person is in a domain of ours"));
        return OK;
    }
    /* Kept in the run's memory: the map holds the key by reference. */
    struct slice id = arena_copy(&run->arena, person->id);
    e = arena_check(&run->arena) == OK ? map_add(&run->seen, id, run) : ERR_LIMIT;
    if (e == ERR_EXISTS)
        tell(run, "conflict", person->address, S("another entry of the directory has the same id"));
    TRY(e);
    if (is_new) {
        e = make(run, person, p, &b);
        if (e == ERR_EXISTS)
            return OK;
        TRY(e);
    } else if (!same_place(run->v, slice_str(b.account.address), p)) {
        TRY(move(run, &b, p));
    }
    TRY(rename_person(run, person, &b));
    TRY(regroup(run, person, &b));
    return unlock(run, &b);
}

fallible vault_directory_take(struct vault_directory_run *run, const struct vault_directory_person *person)
{
    struct place p = {.shown = BUF_INIT(LIMIT_ADDRESS)};
    run->people++;
    vault_forget_problem(run->v);
    enum err e = person->id.n == 0 || person->id.n > LIMIT_DIRECTORY_ID ? ERR_SYNTAX
                                                                        : bring_up_to_date(run, person, &p);
    buf_done(&p.shown);
    if (!is_refusal(e))
        return e;
    /* Refused for what the server said, not for what we have: the others go on. */
    if (e != ERR_EXISTS)
        tell(
            run, "conflict", person->address,
            vault_problem(run->v).n ? vault_problem(run->v) : slice_str(err_text(e)));
    return OK;
}

struct missing {
    struct account_id *list;
    size_t count, all;
};

static fallible find_missing(struct vault_directory_run *run, struct missing *m)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(run->v), A_DIRECTORY_LIST);
    enum err e;
    m->list = arena_array(&run->arena, LIMIT_DIRECTORY_ENTRIES, sizeof *m->list);
    if (!m->list)
        return ERR_LIMIT;
    while ((e = stmt_step(st)) == OK) {
        m->all++;
        if (map_find(&run->seen, stmt_col(st, 1)))
            continue;
        if (stmt_col(st, 0).n != sizeof m->list->b || m->count == LIMIT_DIRECTORY_ENTRIES)
            return ERR_CORRUPT;
        memcpy(m->list[m->count++].b, stmt_col(st, 0).p, sizeof m->list->b);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible lock(struct vault_directory_run *run, const struct account_id *id)
{
    struct vault *v = run->v;
    struct vault_account a;
    char person[LIMIT_DIRECTORY_ID + 1];
    TRY(vault_account_get(v, id, &a));
    TRY(vault_directory_id(v, id, person));
    struct bound b;
    TRY(find_bound(v, slice_str(person), &b));
    if (a.status != ACCOUNT_ACTIVE)
        return OK;
    if (!run->dry_run) {
        /* The mark first: after a crash in between the next run locks, and only what it locked is unlocked again. */
        TRY(set_bound(v, id, slice_str(b.group), true));
        TRY(vault_account_set_status(v, slice_str(a.address), ACCOUNT_LOCKED));
    }
    tell(run, "locked", slice_str(a.address), S("the directory does not know this person any more"));
    return OK;
}

fallible vault_directory_finish(struct vault_directory_run *run, bool force)
{
    struct missing m = {.count = 0};
    enum err e = find_missing(run, &m);
    if (e != OK)
        return vault_failed(run->v, e);
    if (!force && m.count > LIMIT_DIRECTORY_LOCKS && m.count * 2 > m.all)
        return vault_refuse(
            run->v, ERR_DENIED,
            "%zu of %zu people are missing in the directory: nobody was locked, because that looks like a "
            "wrong "
            "setting; letterlock directory sync --force locks them",
            m.count, m.all);
    for (size_t i = 0; e == OK && i < m.count; i++)
        e = lock(run, &m.list[i]);
    return e;
}

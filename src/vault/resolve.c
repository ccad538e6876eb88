#include "vault/resolve.h"

#include "base/map.h"
#include "crypto/hash.h"
#include "vault/accounts.h"
#include "vault/private.h"

/* One walk from a recipient to its accounts. Aliases seen once are not entered again, which ends every cycle and bounds
 * the work by the number of aliases. */
struct walk {
    struct vault *v;
    struct arena *arena;
    struct map seen; /* aliases by key; account ids by their octets */
    struct vault_target *targets;
    size_t count, room;
};

struct pending {
    struct pending *next;
    struct slice shown;
    unsigned depth;
};

static fallible mark_seen(struct walk *w, struct slice key)
{
    struct slice kept = arena_copy(w->arena, key);
    TRY(arena_check(w->arena));
    return map_add(&w->seen, kept, w);
}

static fallible make_room(struct walk *w)
{
    if (w->count < w->room)
        return OK;
    size_t room = w->room ? w->room * 2 : 2;
    struct vault_target *more = arena_array(w->arena, room, sizeof *more);
    TRY(arena_check(w->arena));
    if (w->count)
        memcpy(more, w->targets, w->count * sizeof *more);
    w->targets = more;
    w->room = room;
    return OK;
}

static fallible add_target(struct walk *w, const struct account_id *id)
{
    enum err e = mark_seen(w, slice_of(id->b, sizeof id->b));
    if (e == ERR_EXISTS)
        return OK;
    TRY(e);
    if (w->count >= LIMIT_ALIAS_TARGETS)
        return ERR_LIMIT;
    struct vault_account a;
    TRY(vault_account_get(w->v, id, &a));
    TRY(make_room(w));
    struct vault_target *t = &w->targets[w->count++];
    *t = (struct vault_target){.account = a.id, .slot = a.slot, .quota_bytes = a.quota_bytes};
    memcpy(t->address, a.address, sizeof t->address);
    return OK;
}

/* OK: *ret_id is the account, or all zero for an alias. */
static fallible look_up(struct vault *v, struct slice key, struct account_id *ret_id)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_ADDRESS_FIND);
    stmt_bind(st, "t", key);
    TRY(stmt_step(st));
    struct slice id = stmt_col(st, 0);
    *ret_id = (struct account_id){{0}};
    if (id.n == sizeof ret_id->b)
        memcpy(ret_id->b, id.p, id.n);
    else if (id.n)
        return ERR_CORRUPT;
    return OK;
}

static fallible queue_targets(struct walk *w, struct slice alias, unsigned depth, struct pending **queue)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(w->v), A_TARGET_LIST);
    stmt_bind(st, "t", alias);
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct pending *p = ARENA_NEW(w->arena, struct pending);
        struct slice shown = arena_copy(w->arena, stmt_col(st, 0));
        TRY(arena_check(w->arena));
        *p = (struct pending){.next = *queue, .shown = shown, .depth = depth};
        *queue = p;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible oldest_account(struct vault *v, int64_t domain, struct account_id *ret_id)
{
    for (int of_all = 0; of_all < 2; of_all++) {
        struct stmt *st CLEANUP_STMT =
            db_stmt(accounts_db(v), of_all ? A_ACCOUNT_OLDEST : A_DOMAIN_ADMINISTRATOR);
        if (!of_all)
            stmt_int(st, 1, domain);
        enum err e = stmt_step(st);
        if (e == OK && stmt_col(st, 0).n == sizeof ret_id->b) {
            memcpy(ret_id->b, stmt_col(st, 0).p, sizeof ret_id->b);
            return OK;
        }
        if (e != OK && e != ERR_NOT_FOUND)
            return e;
    }
    return ERR_NOT_FOUND;
}

static bool is_duty(struct slice local)
{
    return slice_eq_nocase(local, S("postmaster")) || slice_eq_nocase(local, S("abuse"));
}

/* Exact, then without its tag, then as a duty every domain has. *ret_key becomes the key that was found. */
static fallible find(struct vault *v, struct address_key *key, struct account_id *ret_id)
{
    enum err e = look_up(v, address_key_text(key), ret_id);
    if (e != ERR_NOT_FOUND)
        return e;
    int64_t domain;
    e = vault_domain_row(v, address_key_domain(key), &domain);
    if (e != OK)
        return e == ERR_NOT_FOUND ? ERR_UNSUPPORTED : e;
    struct slice base, tag;
    char separator = v->settings.plus_separator;
    if (separator && address_split_tag(address_key_local(key), separator, &base, &tag)) {
        size_t cut = key->local_n - base.n;
        memmove(key->text + base.n, key->text + key->local_n, (size_t)(key->n - key->local_n) + 1);
        key->n = (uint16_t)(key->n - cut);
        key->local_n = (uint16_t)base.n;
        e = look_up(v, address_key_text(key), ret_id);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return is_duty(address_key_local(key)) ? oldest_account(v, domain, ret_id) : ERR_NOT_FOUND;
}

static fallible key_of(struct slice recipient, struct address_key *ret_key)
{
    struct address a;
    if (address_parse(recipient, ADDRESS_ALLOW_UTF8, &a) != OK || address_is_null(&a) || a.is_literal)
        return ERR_SYNTAX;
    return address_key(&a, ret_key) == OK ? OK : ERR_SYNTAX;
}

/* One address of the walk: an account is a target, an alias queues its own targets. */
static fallible visit(struct walk *w, struct slice shown, unsigned depth, struct pending **queue)
{
    static const struct account_id none;
    struct address_key key;
    struct account_id id;
    TRY(key_of(shown, &key));
    TRY(find(w->v, &key, &id));
    if (!account_id_eq(&id, &none))
        return add_target(w, &id);
    if (depth >= LIMIT_ALIAS_DEPTH)
        return ERR_LIMIT;
    enum err e = mark_seen(w, address_key_text(&key));
    if (e == ERR_EXISTS)
        return OK;
    TRY(e);
    return queue_targets(w, address_key_text(&key), depth + 1, queue);
}

static fallible walk_all(struct walk *w, struct slice recipient)
{
    struct pending *queue = NULL;
    TRY(visit(w, recipient, 0, &queue));
    while (queue) {
        struct pending *p = queue;
        queue = p->next;
        enum err e = visit(w, p->shown, p->depth, &queue);
        /* A target that is gone meanwhile is no reason to refuse the others. */
        if (e != OK && e != ERR_NOT_FOUND && e != ERR_UNSUPPORTED && e != ERR_SYNTAX)
            return e;
    }
    return w->count ? OK : ERR_NOT_FOUND;
}

/* RFC 5321 4.5.1: "postmaster" without a domain is the oldest account's business. */
static fallible resolve_bare(struct walk *w)
{
    struct account_id id;
    TRY(oldest_account(w->v, 0, &id));
    return add_target(w, &id);
}

fallible vault_resolve(
    struct vault *v, struct slice recipient, struct arena *arena, const struct vault_target **ret_targets,
    size_t *ret_count)
{
    struct walk w = {.v = v, .arena = arena, .seen = MAP_INIT(2 * LIMIT_ALIAS_TARGETS)};
    enum err e = slice_eq_nocase(recipient, S("postmaster")) ? resolve_bare(&w) : walk_all(&w, recipient);
    map_done(&w.seen);
    if (e != OK)
        return e;
    *ret_targets = w.targets;
    *ret_count = w.count;
    return OK;
}

fallible vault_owns(struct vault *v, const struct account_id *account, struct slice address)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(4 * 1024 * 1024);
    const struct vault_target *targets;
    size_t count;
    enum err e = vault_resolve(v, address, &arena, &targets, &count);
    if (e == ERR_NOT_FOUND || e == ERR_UNSUPPORTED || e == ERR_SYNTAX)
        return ERR_DENIED;
    TRY(e);
    return count == 1 && account_id_eq(&targets[0].account, account) ? OK : ERR_DENIED;
}

/* policy_set.c - setting and showing policies, groups of accounts, and what ends when a mail door narrows (INV-P2). */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "mail/precis.h"
#include "vault/clients.h"
#include "vault/policy_private.h"

/* ---- what a change narrows ---- */

/* One mail door of every account, before and after a change, in the order of their numbers. */
struct reach {
    struct account_id account;
    uint32_t version;
    uint8_t before;
    bool is_narrower;
};
struct narrowing {
    enum policy_key key;
    struct reach *all;
    size_t count, room;
};

static int64_t effective(struct vault *v, enum policy_key key, struct stmt *st)
{
    return stmt_col_is_null(st, 2) ? policy_preset(v, key) : policy_stored(v, key, stmt_col(st, 2));
}

static struct reach *reach_add(struct narrowing *n)
{
    if (n->count == n->room) {
        n->room = n->room ? n->room * 2 : 64;
        n->all = mem_resize(n->all, n->room * sizeof *n->all);
    }
    n->all[n->count] = (struct reach){.before = 0};
    return &n->all[n->count++];
}

static fallible narrowing_begin(struct vault *v, enum policy_key key, struct narrowing *n)
{
    *n = (struct narrowing){.key = key};
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_POLICY_EFFECTIVE);
    stmt_bind(st, "t", slice_str(policy_row(key)->name));
    enum err e;
    while ((e = stmt_step(st)) == OK) {
        struct slice id = stmt_col(st, 0);
        if (id.n != sizeof(struct account_id))
            return ERR_CORRUPT;
        struct reach *r = reach_add(n);
        memcpy(r->account.b, id.p, id.n);
        r->version = (uint32_t)stmt_col_int(st, 1);
        r->before = (uint8_t)effective(v, key, st);
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

/* Within the same transaction: the same accounts in the same order. */
static fallible narrowing_compare(struct vault *v, struct narrowing *n)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_POLICY_EFFECTIVE);
    stmt_bind(st, "t", slice_str(policy_row(n->key)->name));
    enum err e;
    for (size_t i = 0; (e = stmt_step(st)) == OK; i++) {
        assert(i < n->count);
        n->all[i].is_narrower = effective(v, n->key, st) < n->all[i].before;
    }
    return e == ERR_NOT_FOUND ? OK : e;
}

static fallible narrowing_raise(struct vault *v, struct narrowing *n)
{
    TRY(narrowing_compare(v, n));
    for (size_t i = 0; i < n->count; i++) {
        if (!n->all[i].is_narrower)
            continue;
        struct stmt *st = db_stmt(accounts_db(v), A_ACCOUNT_RAISE);
        stmt_bind(st, "b", slice_of(n->all[i].account.b, sizeof n->all[i].account.b));
        TRY(stmt_run(st));
    }
    return OK;
}

static void narrowing_tell(struct vault *v, const struct narrowing *n)
{
    if (!v->events || !v->events->revoked)
        return;
    for (size_t i = 0; i < n->count; i++)
        if (n->all[i].is_narrower)
            v->events->revoked(v->owner, &n->all[i].account, VAULT_MAILBOX_CREDENTIAL, n->all[i].version + 1);
}

static void narrowing_done(struct narrowing *n)
{
    mem_free(&n->all);
}

/* ---- subjects ---- */

struct subject {
    enum policy_source source;
    struct buf text;   /* as stored: "", "domain example.org", "group staff" */
    struct buf domain; /* of a domain, or of an account */
    struct buf group;
};

static void subject_init(struct subject *s)
{
    s->source = POLICY_OF_EVERYBODY;
    buf_init(&s->text, POLICY_SUBJECT_MAX);
    buf_init(&s->domain, POLICY_SUBJECT_MAX);
    buf_init(&s->group, POLICY_SUBJECT_MAX);
}

static void subject_done(struct subject *s)
{
    buf_done(&s->text);
    buf_done(&s->domain);
    buf_done(&s->group);
}

/* One spelling for one group. */
static fallible group_normal(struct vault *v, struct slice typed, struct buf *out)
{
    bool is_good = typed.n && vault_text_is_good(typed, LIMIT_GROUP) && !slice_has(typed, ' ') &&
                   precis_opaque(typed, out) == OK && out->n <= LIMIT_GROUP &&
                   !slice_has(buf_slice(out), ' ');
    if (!is_good)
        return vault_refuse(
            v, ERR_SYNTAX, "the name of a group has at most %d octets and no blanks", LIMIT_GROUP);
    for (size_t i = 0; i < out->n; i++)
        out->p[i] = ascii_lower(out->p[i]);
    return OK;
}

static fallible read_domain(struct vault *v, struct slice name, struct subject *s)
{
    struct domain d;
    int64_t row;
    if (domain_parse(name, &d) != OK)
        return vault_refuse(v, ERR_NOT_FOUND, "there is no such domain");
    enum err e = vault_domain_row(v, domain_text(&d), &row);
    if (e == ERR_NOT_FOUND)
        return vault_refuse(v, e, "there is no such domain");
    if (e != OK)
        return vault_failed(v, e);
    s->source = POLICY_OF_DOMAIN;
    buf_put(&s->domain, domain_text(&d));
    buf_put_str(&s->text, "domain ");
    buf_put(&s->text, domain_text(&d));
    return OK;
}

static fallible read_subject(struct vault *v, struct slice text, struct subject *s)
{
    text = slice_trim(text);
    if (!text.n)
        return OK;
    if (slice_starts(text, S("domain ")))
        return read_domain(v, slice_trim(slice_from(text, 7)), s);
    if (!slice_starts(text, S("group ")))
        return vault_refuse(
            v, ERR_SYNTAX, "a policy is for everybody (empty), \"domain example.org\" or \"group staff\"");
    s->source = POLICY_OF_GROUP;
    TRY(group_normal(v, slice_trim(slice_from(text, 6)), &s->group));
    buf_put_str(&s->text, "group ");
    buf_put(&s->text, buf_slice(&s->group));
    return OK;
}

static struct slice subject_shown(const struct subject *s)
{
    return s->source == POLICY_OF_EVERYBODY ? S("everybody") : buf_slice(&s->text);
}

/* ---- setting ---- */

static fallible check_room(struct vault *v)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_POLICY_COUNT);
    TRY(stmt_step(st));
    return stmt_col_int(st, 0) < LIMIT_POLICY_ROWS ? OK : ERR_LIMIT;
}

static fallible
put_row(struct vault *v, const struct subject *s, enum policy_key key, const struct buf *value)
{
    if (!value->n) {
        struct stmt *st = db_stmt(accounts_db(v), A_POLICY_REMOVE);
        stmt_bind(st, "tt", buf_slice(&s->text), slice_str(policy_row(key)->name));
        return stmt_run(st);
    }
    TRY(check_room(v));
    struct stmt *st = db_stmt(accounts_db(v), A_POLICY_PUT);
    stmt_bind(st, "ttt", buf_slice(&s->text), slice_str(policy_row(key)->name), buf_slice(value));
    return stmt_run(st);
}

static fallible
set_in_transaction(struct vault *v, const struct subject *s, struct narrowing *n, const struct buf *value)
{
    enum vault_door door;
    bool is_door = policy_door(n->key, &door);
    if (is_door)
        TRY(narrowing_begin(v, n->key, n));
    TRY(put_row(v, s, n->key, value));
    return is_door ? narrowing_raise(v, n) : OK;
}

static fallible store(struct vault *v, const struct subject *s, struct narrowing *n, const struct buf *value)
{
    enum err e = db_begin(accounts_db(v));
    if (e == OK) {
        e = set_in_transaction(v, s, n, value);
        if (e == OK)
            e = db_commit(accounts_db(v));
        else
            db_rollback(accounts_db(v));
    }
    if (e == ERR_LIMIT)
        return vault_refuse(v, e, "more than %d policies cannot be set", LIMIT_POLICY_ROWS);
    return e == OK ? OK : vault_failed(v, e);
}

static void tell_change(
    struct vault *v, const struct subject *s, enum policy_key key, struct slice before, struct slice after)
{
    struct buf body CLEANUP_BUF = BUF_INIT(512);
    buf_printf(&body, "key=%s\nfrom=", policy_row(key)->name);
    buf_put(&body, before.n ? before : S("inherited"));
    buf_put_str(&body, "\nto=");
    buf_put(&body, after.n ? after : S("inherited"));
    buf_put_char(&body, '\n');
    vault_audit(v, "policy.changed", subject_shown(s), &body);
}

static fallible
set_value(struct vault *v, const struct subject *s, enum policy_key key, const struct buf *value)
{
    struct buf before CLEANUP_BUF = BUF_INIT(LIMIT_POLICY_VALUE);
    int64_t old;
    enum err e = policy_get(v, buf_slice(&s->text), key, &old);
    if (e == OK)
        policy_value_put(key, old, &before);
    else if (e != ERR_NOT_FOUND)
        return vault_failed(v, e);
    if (slice_eq(buf_slice(&before), buf_slice(value)))
        return OK;
    struct narrowing n = {.key = key};
    e = store(v, s, &n, value);
    if (e == OK) {
        narrowing_tell(v, &n);
        tell_change(v, s, key, buf_slice(&before), buf_slice(value));
    }
    narrowing_done(&n);
    return e;
}

static fallible read_key(struct vault *v, struct slice name, enum policy_key *ret_key)
{
    if (policy_key_find(name, ret_key) == OK)
        return OK;
    return vault_refuse(v, ERR_NOT_FOUND, "there is no such policy: `letterlock policy show` lists them");
}

static fallible read_value(struct vault *v, enum policy_key key, struct slice text, struct buf *ret_text)
{
    int64_t value;
    if (!text.n)
        return OK;
    if (policy_value_read(key, text, &value) != OK) {
        struct buf wanted CLEANUP_BUF = BUF_INIT(256);
        policy_wanted_put(key, &wanted);
        return vault_refuse(v, ERR_SYNTAX, "%.*s", (int)wanted.n, wanted.p);
    }
    policy_value_put(key, value, ret_text);
    return buf_check(ret_text);
}

fallible vault_policy_set(struct vault *v, struct slice subject, struct slice name, struct slice value)
{
    enum policy_key key;
    struct subject s;
    TRY(read_key(v, name, &key));
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_POLICY_VALUE);
    TRY(read_value(v, key, slice_trim(value), &text));
    subject_init(&s);
    enum err e = read_subject(v, subject, &s);
    if (e == OK)
        e = set_value(v, &s, key, &text);
    subject_done(&s);
    return e;
}

static fallible presets_in_transaction(
    struct vault *v, const enum mailbox_policy presets[VAULT_DOORS], struct narrowing all[VAULT_DOORS])
{
    static const enum policy_key keys[] = {
        POLICY_MAILBOX_PASSWORD_IMAP, POLICY_MAILBOX_PASSWORD_POP3, POLICY_MAILBOX_PASSWORD_SUBMISSION};
    enum { KEYS = sizeof keys / sizeof *keys };
    static_assert((int)KEYS <= (int)VAULT_DOORS, "a place for each");
    for (size_t i = 0; i < KEYS; i++)
        TRY(narrowing_begin(v, keys[i], &all[i]));
    memcpy(v->settings.mailbox_password, presets, sizeof v->settings.mailbox_password);
    for (size_t i = 0; i < KEYS; i++)
        TRY(narrowing_raise(v, &all[i]));
    return OK;
}

fallible vault_policy_set_presets(struct vault *v, const enum mailbox_policy presets[VAULT_DOORS])
{
    struct narrowing all[VAULT_DOORS] = {{.count = 0}};
    enum mailbox_policy before[VAULT_DOORS];
    static_assert(sizeof before == sizeof v->settings.mailbox_password, "one a door");
    memcpy(before, v->settings.mailbox_password, sizeof before);
    if (memcmp(before, presets, sizeof before) == 0)
        return OK;
    enum err e = db_begin(accounts_db(v));
    if (e == OK) {
        e = presets_in_transaction(v, presets, all);
        if (e == OK)
            e = db_commit(accounts_db(v));
        else
            db_rollback(accounts_db(v));
    }
    for (size_t i = 0; i < VAULT_DOORS; i++) {
        if (e == OK)
            narrowing_tell(v, &all[i]);
        narrowing_done(&all[i]);
    }
    if (e == OK)
        return OK;
    memcpy(v->settings.mailbox_password, before, sizeof before);
    return vault_failed(v, e);
}

/* ---- showing ---- */

static fallible read_shown(struct vault *v, struct slice text, struct subject *s)
{
    text = slice_trim(text);
    if (!slice_has(text, '@') || slice_has(text, ' '))
        return read_subject(v, text, s);
    struct vault_account a;
    struct address address;
    struct address_key key;
    TRY(vault_account_find(v, text, &a));
    TRY(vault_name(v, slice_str(a.address), &address, &key));
    buf_put(&s->domain, address_key_domain(&key));
    buf_put_str(&s->group, a.group);
    return OK;
}

static void show_source(const struct policy_chain *c, enum policy_source source, struct buf *out)
{
    if (source == POLICY_OF_DOMAIN)
        buf_put(out, buf_slice(&c->domain));
    else if (source == POLICY_OF_GROUP)
        buf_put(out, buf_slice(&c->group));
    else
        buf_put_str(out, policy_source_name(source));
}

static fallible show_all(struct vault *v, const struct policy_chain *c, vault_policy_fn *fn, void *owner)
{
    for (unsigned i = 0; i < POLICY_N; i++) {
        struct buf value CLEANUP_BUF = BUF_INIT(LIMIT_POLICY_VALUE);
        struct buf from CLEANUP_BUF = BUF_INIT(POLICY_SUBJECT_MAX);
        int64_t number;
        enum policy_source source;
        TRY(policy_chain_value(v, c, (enum policy_key)i, &number, &source));
        policy_value_put((enum policy_key)i, number, &value);
        show_source(c, source, &from);
        struct policy_item item = {(enum policy_key)i, buf_slice(&value), buf_slice(&from)};
        fn(owner, &item);
    }
    return OK;
}

fallible vault_policy_show(struct vault *v, struct slice subject, vault_policy_fn *fn, void *owner)
{
    struct subject s;
    subject_init(&s);
    enum err e = read_shown(v, subject, &s);
    if (e == OK) {
        struct policy_chain c;
        policy_chain_start(&c, buf_slice(&s.domain), buf_slice(&s.group));
        e = show_all(v, &c, fn, owner);
        policy_chain_done(&c);
    }
    subject_done(&s);
    return e;
}

/* ---- groups ---- */

static const enum vault_door mail_doors[] = {VAULT_IMAP, VAULT_POP3, VAULT_SUBMISSION};
enum { MAIL_DOORS = sizeof mail_doors / sizeof *mail_doors };

static fallible is_narrower_in(
    struct vault *v, const struct vault_account *before, const struct vault_account *after, bool *ret_is)
{
    bool is = false;
    for (size_t i = 0; i < MAIL_DOORS; i++) {
        enum mailbox_policy was, will;
        TRY(vault_policy_mailbox(v, before, SLICE_EMPTY, mail_doors[i], &was));
        TRY(vault_policy_mailbox(v, after, SLICE_EMPTY, mail_doors[i], &will));
        is = is || will < was;
    }
    *ret_is = is;
    return OK;
}

static fallible
group_in_transaction(struct vault *v, const struct vault_account *a, struct slice group, bool raise)
{
    struct slice id = slice_of(a->id.b, sizeof a->id.b);
    struct stmt *st = db_stmt(accounts_db(v), A_ACCOUNT_SET_GROUP);
    stmt_bind(st, "bt", id, group);
    TRY(stmt_run(st));
    if (!raise)
        return OK;
    st = db_stmt(accounts_db(v), A_ACCOUNT_RAISE);
    stmt_bind(st, "b", id);
    return stmt_run(st);
}

static fallible move_account(struct vault *v, const struct vault_account *a, struct slice group)
{
    struct vault_account after = *a;
    bool narrower;
    vault_copy_text(after.group, sizeof after.group, group);
    TRY(is_narrower_in(v, a, &after, &narrower));
    enum err e = db_begin(accounts_db(v));
    if (e == OK) {
        e = group_in_transaction(v, a, group, narrower);
        if (e == OK)
            e = db_commit(accounts_db(v));
        else
            db_rollback(accounts_db(v));
    }
    if (e != OK)
        return vault_failed(v, e);
    if (narrower && v->events && v->events->revoked)
        v->events->revoked(v->owner, &a->id, VAULT_MAILBOX_CREDENTIAL, a->version + 1);
    struct buf body CLEANUP_BUF = BUF_INIT(512);
    buf_printf(&body, "from=%s\nto=%s\n", a->group, after.group);
    vault_audit(v, "account.group", slice_str(a->address), &body);
    return OK;
}

fallible vault_account_set_group(struct vault *v, struct slice address, struct slice group)
{
    struct vault_account a;
    struct buf name CLEANUP_BUF = BUF_INIT(2 * LIMIT_GROUP);
    TRY(vault_account_find(v, address, &a));
    if (group.n)
        TRY(group_normal(v, group, &name));
    if (slice_eq(buf_slice(&name), slice_str(a.group)))
        return OK;
    return move_account(v, &a, buf_slice(&name));
}

/* policy.c - the table of policies, their values, and which one holds. */
#include "vault/policy.h"

#include <assert.h>

#include "config/config.h"
#include "vault/policy_private.h"

static const struct policy_row rows[] = {
#define POLICY(id, name, type, preset, least, most, choices, en, zh)                                         \
    [POLICY_##id] = {name, POLICY_##type, preset, least, most, choices, {en, zh}},
#include "vault/policy.def"
#undef POLICY
};

const struct policy_row *policy_row(enum policy_key key)
{
    assert((unsigned)key < POLICY_N);
    return &rows[key];
}

fallible policy_key_find(struct slice name, enum policy_key *ret_key)
{
    for (unsigned i = 0; i < POLICY_N; i++) {
        if (slice_eq(name, slice_str(rows[i].name))) {
            *ret_key = (enum policy_key)i;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* ---- values ---- */

static fallible read_choice(const struct policy_row *row, struct slice text, int64_t *ret_value)
{
    struct slice rest = slice_str(row->choices), word;
    for (int64_t i = 0; slice_cut(&rest, ' ', &word); i++) {
        if (slice_eq(word, text)) {
            *ret_value = i;
            return OK;
        }
    }
    return ERR_SYNTAX;
}

static fallible read_number(const struct policy_row *row, struct slice text, int64_t *ret_value)
{
    uint64_t number;
    if ((text.n > 1 && text.p[0] == '0') || slice_to_u64(text, (uint64_t)row->most, &number) != OK)
        return ERR_SYNTAX;
    if ((int64_t)number < row->least)
        return ERR_SYNTAX;
    *ret_value = (int64_t)number;
    return OK;
}

static fallible read_duration(const struct policy_row *row, struct slice text, int64_t *ret_value)
{
    enum { DAY_MS = 86400000, DAYS_MOST = 36500 };
    uint64_t ms;
    if (row->type == POLICY_DURATION && (slice_eq(text, S("never")) || slice_eq(text, S("0")))) {
        *ret_value = 0;
        return OK;
    }
    if (slice_to_u64(text, DAYS_MOST, &ms) == OK)
        ms *= DAY_MS;
    else if (config_measure_parse(CONFIG_TYPE_DURATION, text, &ms) != OK)
        return ERR_SYNTAX;
    if (ms % 1000 || ms / 1000 < (uint64_t)row->least || ms / 1000 > (uint64_t)row->most)
        return ERR_SYNTAX;
    *ret_value = (int64_t)(ms / 1000);
    return OK;
}

fallible policy_value_read(enum policy_key key, struct slice text, int64_t *ret_value)
{
    const struct policy_row *row = policy_row(key);
    switch (row->type) {
    case POLICY_COUNT:
        return read_number(row, text, ret_value);
    case POLICY_DURATION:
    case POLICY_LIFE:
        return read_duration(row, text, ret_value);
    case POLICY_CHOICE:
        break;
    }
    return read_choice(row, text, ret_value);
}

static struct slice nth_word(const char *words, int64_t at)
{
    struct slice rest = slice_str(words), word = SLICE_EMPTY;
    for (int64_t i = 0; i <= at; i++) {
        bool is_there = slice_cut(&rest, ' ', &word);
        assert(is_there);
    }
    return word;
}

void policy_value_put(enum policy_key key, int64_t value, struct buf *out)
{
    const struct policy_row *row = policy_row(key);
    if (row->type == POLICY_CHOICE)
        buf_put(out, nth_word(row->choices, value));
    else if (row->type == POLICY_COUNT)
        buf_put_u64(out, (uint64_t)value);
    else if (value == 0)
        buf_put_str(out, "never");
    else
        config_measure_put(CONFIG_TYPE_DURATION, (uint64_t)value * 1000, out);
}

void policy_wanted_put(enum policy_key key, struct buf *out)
{
    const struct policy_row *row = policy_row(key);
    if (row->type == POLICY_CHOICE) {
        buf_printf(out, "%s is one of: %s", row->name, row->choices);
        return;
    }
    buf_printf(out, "%s is ", row->name);
    if (row->type == POLICY_COUNT)
        buf_put_str(out, "a number from ");
    else
        buf_put_str(out, row->type == POLICY_DURATION ? "\"never\", or from " : "from ");
    if (row->least)
        policy_value_put(key, row->least, out);
    else
        buf_put_char(out, '0');
    buf_put_str(out, " to ");
    policy_value_put(key, row->most, out);
}

const char *policy_source_name(enum policy_source source)
{
    static const char *const names[] = {
        [POLICY_OF_PRESET] = "preset",
        [POLICY_OF_EVERYBODY] = "everybody",
        [POLICY_OF_DOMAIN] = "domain",
        [POLICY_OF_GROUP] = "group",
    };
    return names[source];
}

/* ---- what holds ---- */

bool policy_door(enum policy_key key, enum vault_door *ret_door)
{
    static const struct {
        enum policy_key key;
        enum vault_door door;
    } doors[] = {
        {POLICY_MAILBOX_PASSWORD_IMAP, VAULT_IMAP},
        {POLICY_MAILBOX_PASSWORD_POP3, VAULT_POP3},
        {POLICY_MAILBOX_PASSWORD_SUBMISSION, VAULT_SUBMISSION},
    };
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        if (doors[i].key == key) {
            *ret_door = doors[i].door;
            return true;
        }
    }
    return false;
}

int64_t policy_preset(const struct vault *v, enum policy_key key)
{
    enum vault_door door;
    int64_t value = 0;
    if (policy_door(key, &door))
        return (int64_t)v->settings.mailbox_password[door];
    enum err e = policy_value_read(key, slice_str(rows[key].preset), &value);
    assert(e == OK);
    return value;
}

int64_t policy_stored(const struct vault *v, enum policy_key key, struct slice text)
{
    int64_t value;
    if (policy_value_read(key, text, &value) == OK)
        return value;
    return rows[key].type == POLICY_CHOICE ? 0 : policy_preset(v, key); /* INV-P1 */
}

fallible policy_get(struct vault *v, struct slice subject, enum policy_key key, int64_t *ret_value)
{
    struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_POLICY_GET);
    stmt_bind(st, "tt", subject, slice_str(rows[key].name));
    TRY(stmt_step(st));
    *ret_value = policy_stored(v, key, stmt_col(st, 0));
    return OK;
}

void policy_chain_start(struct policy_chain *c, struct slice domain, struct slice group)
{
    static_assert(LIMIT_GROUP <= LIMIT_DOMAIN, "both subjects fit");
    c->domain = BUF_INIT(POLICY_SUBJECT_MAX);
    c->group = BUF_INIT(POLICY_SUBJECT_MAX);
    if (domain.n) {
        buf_put_str(&c->domain, "domain ");
        buf_put(&c->domain, domain);
    }
    if (group.n) {
        buf_put_str(&c->group, "group ");
        buf_put(&c->group, group);
    }
}

void policy_chain_done(struct policy_chain *c)
{
    buf_done(&c->domain);
    buf_done(&c->group);
}

fallible policy_chain_value(
    struct vault *v, const struct policy_chain *c, enum policy_key key, int64_t *ret_value,
    enum policy_source *ret_source)
{
    const struct slice subjects[] = {
        [POLICY_OF_EVERYBODY] = SLICE_EMPTY,
        [POLICY_OF_DOMAIN] = buf_slice(&c->domain),
        [POLICY_OF_GROUP] = buf_slice(&c->group),
    };
    for (unsigned i = POLICY_OF_GROUP; i >= POLICY_OF_EVERYBODY; i--) {
        if (i != POLICY_OF_EVERYBODY && !subjects[i].n)
            continue;
        enum err e = policy_get(v, subjects[i], key, ret_value);
        if (e == ERR_NOT_FOUND)
            continue;
        if (e == OK)
            *ret_source = (enum policy_source)i;
        return e == OK ? OK : vault_failed(v, e);
    }
    *ret_value = policy_preset(v, key);
    *ret_source = POLICY_OF_PRESET;
    return OK;
}

fallible vault_policy_value(
    struct vault *v, const struct vault_account *account, struct slice name, enum policy_key key,
    int64_t *ret_value, enum policy_source *ret_source)
{
    struct address address;
    struct address_key of;
    struct slice domain = SLICE_EMPTY;
    struct slice who = account ? slice_str(account->address) : name;
    if (address_parse(who, ADDRESS_ALLOW_UTF8, &address) == OK && !address.is_literal &&
        address_key(&address, &of) == OK)
        domain = address_key_domain(&of);
    struct policy_chain chain;
    policy_chain_start(&chain, domain, account ? slice_str(account->group) : SLICE_EMPTY);
    int64_t value = 0;
    enum policy_source source = POLICY_OF_PRESET;
    enum err e = policy_chain_value(v, &chain, key, &value, &source);
    policy_chain_done(&chain);
    TRY(e);
    *ret_value = value;
    if (ret_source)
        *ret_source = source;
    return OK;
}

static const enum policy_key door_keys[] = {
    [VAULT_SUBMISSION] = POLICY_MAILBOX_PASSWORD_SUBMISSION,
    [VAULT_IMAP] = POLICY_MAILBOX_PASSWORD_IMAP,
    [VAULT_POP3] = POLICY_MAILBOX_PASSWORD_POP3,
};

fallible vault_policy_mailbox(
    struct vault *v, const struct vault_account *account, struct slice name, enum vault_door door,
    enum mailbox_policy *ret_policy)
{
    int64_t value = MAILBOX_NEVER;
    if ((size_t)door < sizeof door_keys / sizeof *door_keys)
        TRY(vault_policy_value(v, account, name, door_keys[door], &value, NULL));
    *ret_policy = (enum mailbox_policy)value;
    return OK;
}

fallible vault_policy_mailbox_widest(struct vault *v, enum vault_door door, enum mailbox_policy *ret_policy)
{
    int64_t widest = MAILBOX_NEVER;
    if ((size_t)door < sizeof door_keys / sizeof *door_keys) {
        enum policy_key key = door_keys[door];
        widest = policy_preset(v, key);
        struct stmt *st CLEANUP_STMT = db_stmt(accounts_db(v), A_POLICY_VALUES);
        stmt_bind(st, "t", slice_str(rows[key].name));
        enum err e;
        while ((e = stmt_step(st)) == OK) {
            int64_t value = policy_stored(v, key, stmt_col(st, 0));
            widest = value > widest ? value : widest;
        }
        if (e != ERR_NOT_FOUND)
            return vault_failed(v, e);
    }
    *ret_policy = (enum mailbox_policy)widest;
    return OK;
}

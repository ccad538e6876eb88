/* mailbox_world.h - alice and her mailbox password, in a vault that is made for each test.        room: tests */
#ifndef TESTS_VAULT_MAILBOX_WORLD_H
#define TESTS_VAULT_MAILBOX_WORLD_H

#include "fixture.h"

#include "../cases.h"
#include "factor/ceremony.h"
#include "vault/mailbox.h"
#include "vault/policy.h"

#define FIRST "grey gravel otter 77"
enum { NOW = 1700000000, DAY = 86400 };

static struct fixture *f;
static struct vault_account alice;

static inline int mailbox_start(void **state)
{
    f = fixture_new();
    factor_init();
    assert_ok(vault_domain_add(f->v, S("example.test")));
    alice = fixture_account_with(f, "alice@example.test", FIRST);
    memset(&f->told, 0, sizeof f->told);
    return 0;
}

static inline int mailbox_stop(void **state)
{
    fixture_free(f);
    return 0;
}

/* Is this the mailbox password of that account? */
static inline bool opens_in(struct vault *v, const struct account_id *id, struct slice password)
{
    struct secret typed CLEANUP_SECRET = SECRET_NONE, normal CLEANUP_SECRET = SECRET_NONE;
    struct secret stored CLEANUP_SECRET = SECRET_NONE;
    assert_ok(secret_copy(vault_slab(v), password, &typed));
    if (vault_password_normal(v, &typed, &normal) != OK)
        return false;
    assert_ok(vault_password_stored(v, id, &stored));
    return passhash_check(secret_reveal(&stored), secret_reveal(&normal)) == OK;
}

static inline bool opens(const char *password)
{
    return opens_in(f->v, &alice.id, slice_str(password));
}

/* The first half of a change, before its hash is computed; `proof` is what the way of changing asks for. */
static inline enum err begin(
    enum password_by by, const char *address, struct slice proof, struct slice password, int64_t now,
    struct password_work *work)
{
    struct secret old CLEANUP_SECRET = SECRET_NONE, typed CLEANUP_SECRET = SECRET_NONE;
    bool has_proof = by == PASSWORD_BY_OWNER || by == PASSWORD_BY_RESET;
    assert_ok(secret_copy(f->slab, proof, &old));
    assert_ok(secret_copy(f->slab, password, &typed));
    return vault_password_begin(f->v, slice_str(address), by, has_proof ? &old : NULL, &typed, now, work);
}

static inline enum err
change_as(enum password_by by, const char *address, struct slice proof, struct slice password, int64_t now)
{
    struct password_work work;
    TRY(begin(by, address, proof, password, now, &work));
    password_work_run(&work);
    enum err e = vault_password_finish(f->v, &work, now);
    password_work_done(&work);
    return e;
}

static inline enum err change(const char *old, const char *password)
{
    return change_as(PASSWORD_BY_OWNER, "alice@example.test", slice_str(old), slice_str(password), NOW);
}

static inline struct vault_account alice_now(void)
{
    struct vault_account a;
    assert_ok(vault_account_get(f->v, &alice.id, &a));
    return a;
}

static inline void policy(const char *subject, const char *key, const char *value)
{
    assert_ok(vault_policy_set(f->v, slice_str(subject), slice_str(key), slice_str(value)));
}

/* What holds for alice. */
static inline int64_t value_of(enum policy_key key)
{
    struct vault_account a = alice_now();
    int64_t value;
    assert_ok(vault_policy_value(f->v, &a, SLICE_EMPTY, key, &value, NULL));
    return value;
}

static inline struct password_judgement judge(struct slice password)
{
    struct vault_account a = alice_now();
    struct secret typed CLEANUP_SECRET = SECRET_NONE;
    struct password_judgement j;
    assert_ok(secret_copy(f->slab, password, &typed));
    assert_ok(vault_password_judge(f->v, &a, &typed, &j));
    return j;
}

/* One of many good passwords; good until the next call. */
static inline const char *nth(int i)
{
    static char text[64];
    snprintf(text, sizeof text, "violet kettle Ohm no. %d!", i);
    return text;
}

#define MAILBOX_TEST(name) cmocka_unit_test_setup_teardown(name, mailbox_start, mailbox_stop)

#endif

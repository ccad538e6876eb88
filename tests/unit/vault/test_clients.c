#include "fixture.h"

#include "crypto/sha256.h"

static struct fixture *f;
static struct vault_account alice, bob;

static int setup(void **state)
{
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    alice = fixture_account(f, "alice@example.test");
    bob = fixture_account(f, "bob@example.test");
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static void found_by_its_account_alone(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    vault_set_actor(f->v, S("uid 0"));
    uint64_t id =
        fixture_client(f, &alice.id, "network=192.0.2.0/24\nnetwork=2001:db8::/32", true, false, &pw);
    assert_string_equal(f->told.last_kind, "client.added");
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_int_equal(c.id, id);
    assert_int_equal(c.version, 1);
    assert_string_equal(c.label, "phone");
    assert_true(c.scopes.can_receive && !c.scopes.can_send && !c.is_revoked);
    assert_int_equal(c.kind, CLIENT_PASSWORD);
    assert_int_equal(c.scopes.doors, VAULT_DOORS_MAIL);
    assert_int_equal(c.scopes.limits.network_count, 2);
    assert_int_equal(c.scopes.limits.rights, SCOPE_ALL);
    assert_string_equal(c.created_by, "uid 0");
    assert_false(c.scopes.has_unknown_limit || c.scopes.is_frozen || c.has_cram_md5);
    vault_client_done(&c);
    assert_int_equal(vault_client_find(f->v, &bob.id, &pw, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_client_get(f->v, &bob.id, id, &c), ERR_NOT_FOUND);
    pw.symbols[0] = pw.symbols[0] == 'a' ? 'b' : 'a';
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), ERR_NOT_FOUND);
}

static void revoking_is_told_and_stays(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    uint64_t id = fixture_client(f, &alice.id, "", true, true, &pw);
    int64_t now = clock_unix_s();
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now), OK);
    assert_int_equal(vault_client_revoke(f->v, &bob.id, id), ERR_NOT_FOUND);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(f->told.revokes, 1);
    assert_int_equal(f->told.credential, id);
    assert_int_equal(f->told.version, 2);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(f->told.revokes, 1);
    fixture_reopen(f);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_true(c.is_revoked);
    vault_client_done(&c);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, now), ERR_DENIED);
    assert_int_equal(vault_client_remove(f->v, &alice.id, id), OK);
    assert_int_equal(f->told.version, UINT32_MAX);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, now), ERR_DENIED);
    /* A number is never used again. */
    assert_true(fixture_client(f, &alice.id, "", true, true, &pw) > id);
}

static void liveness_follows_account_version_and_expiry(void **state)
{
    struct clientpw pw;
    uint64_t id;
    int64_t now = clock_unix_s();
    struct vault_client_new n = {.label = S("x"), .can_send = true, .expires_s = now + 100};
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &pw, &id), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now + 99), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now + 100), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, now), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &bob.id, id, 1, now), ERR_DENIED);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, VAULT_MAILBOX_CREDENTIAL, 1, now), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, VAULT_MAILBOX_CREDENTIAL, 2, now), ERR_DENIED);
    assert_int_equal(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_LOCKED), OK);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 1, now), ERR_DENIED);
}

static void what_may_not_be_made(void **state)
{
    struct clientpw pw;
    uint64_t id;
    const struct vault_client_new bad[] = {
        {.label = S("x")},
        {.label = SLICE_EMPTY, .can_send = true},
        {.label = S("a\nb"), .can_send = true},
        {.label = S("\xff"), .can_send = true},
        {.label = S("x"), .can_send = true, .expires_s = 1000},
        {.label = S("x"), .can_send = true, .expires_s = -1},
        {.label = S("x"), .can_send = true, .limits = S("network=nonsense")},
        {.label = S("x"), .can_send = true, .limits = S("colour=blue")},
        {.label = S("x"), .can_send = true, .limits = S("days=1\ndays=2")},
        {.label = S("x"), .can_send = true, .doors = 1u << 31},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vault_client_add(f->v, &alice.id, &bad[i], &pw, &id), ERR_SYNTAX);
    for (int i = 0; i < LIMIT_CLIENTS_PER_ACCOUNT; i++)
        id = fixture_client(f, &alice.id, "", true, true, &pw);
    const struct vault_client_new one_more = {.label = S("x"), .can_send = true};
    assert_int_equal(vault_client_add(f->v, &alice.id, &one_more, &pw, &id), ERR_LIMIT);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(vault_client_add(f->v, &alice.id, &one_more, &pw, &id), OK);
}

static void take_last(void *owner, const struct vault_client *c)
{
    *(struct vault_client *)owner = *c; /* its limits end with the call */
    ((struct vault_client *)owner)->arena = ARENA_INIT(0);
}

static void last_use_is_written_later(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    struct ip from;
    assert_int_equal(ip_parse(S("198.51.100.4"), &from), OK);
    uint64_t id = fixture_client(f, &alice.id, "", true, true, &pw);
    vault_client_used(f->v, id, 1000, &from, S("Thunderbird"), S(""));
    vault_client_used(f->v, id, 2000, &from, S("K-9 \xe2\x9c\x89"), S("TLSv1.3 TLS_AES_256_GCM_SHA384"));
    assert_int_equal(vault_client_list(f->v, &alice.id, take_last, &c), OK);
    assert_int_equal(c.last_used_s, 2000);
    assert_string_equal(c.last_program, "K-9 \xe2\x9c\x89");
    assert_string_equal(c.last_tls, "TLSv1.3 TLS_AES_256_GCM_SHA384");
    assert_memory_equal(&c.last_from, &from, sizeof from);
    vault_client_used(f->v, id, 3000, &from, S("bad\nname"), S(""));
    fixture_reopen(f);
    assert_int_equal(vault_client_get(f->v, &alice.id, id, &c), OK);
    assert_int_equal(c.last_used_s, 3000);
    assert_string_equal(c.last_program, "");
}

/* INV-V3: a limit that another release has written. */
static void an_unknown_limit_opens_nothing(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    fixture_client(f, &alice.id, "", true, true, &pw);
    assert_int_equal(
        db_exec(
            vault_container_db(f->v, VAULT_CLIENTS),
            "INSERT INTO credential_limit SELECT id, 99, 'x' FROM credential"),
        OK);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_true(c.scopes.has_unknown_limit);
    vault_client_done(&c);
    /* A value of a kind that we know, but cannot read: just as useless. */
    assert_int_equal(
        db_exec(vault_container_db(f->v, VAULT_CLIENTS), "UPDATE credential_limit SET kind = 8, value = 'x'"),
        OK);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_true(c.scopes.has_unknown_limit);
    vault_client_done(&c);
}

/* ---- limits ---- */

static void expect_limits(uint64_t id, const char *expected)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    assert_int_equal(vault_client_get(f->v, &alice.id, id, &c), OK);
    scope_write(&c.scopes.limits, &text);
    assert_string_equal(text.n ? buf_cstr(&text) : "", expected);
}

static void limits_are_kept_in_one_form(void **state)
{
    struct clientpw pw;
    uint64_t id;
    const struct vault_client_new n = {
        .label = S("x"),
        .can_receive = true,
        .doors = VAULT_DOOR_BIT(VAULT_IMAP),
        .limits =
            S("folder=Projects/*\naccess=read-only\nfolder=inbox\nbytes-day=1 MiB\nnetwork=10.1.2.3/8")};
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &pw, &id), OK);
    fixture_reopen(f);
    expect_limits(
        id, "network=10.0.0.0/8\naccess=read-only\nfolder=INBOX\nfolder=Projects/*\nbytes-day=1048576\n");
}

static void a_change_replaces_and_ends_sessions(void **state)
{
    struct clientpw pw;
    struct vault_client c;
    int64_t now = clock_unix_s();
    uint64_t id = fixture_client(f, &alice.id, "network=192.0.2.0/24", true, true, &pw);
    struct vault_client_change change = {
        .can_receive = true, .expires_s = now + 100, .limits = S("access=no-delete")};
    assert_int_equal(vault_client_change(f->v, &bob.id, id, &change), ERR_NOT_FOUND);
    assert_int_equal(vault_client_change(f->v, &alice.id, id, &change), OK);
    assert_int_equal(f->told.revokes, 1);
    assert_int_equal(f->told.version, 2);
    assert_string_equal(f->told.last_kind, "client.changed");
    assert_non_null(strstr(f->told.last_body, "narrower=no\n"));
    assert_non_null(strstr(f->told.last_body, "limit.access=no-delete\n"));
    fixture_reopen(f);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_string_equal(c.label, "phone");
    assert_true(c.version == 2 && c.scopes.can_receive && !c.scopes.can_send);
    assert_int_equal(c.scopes.expires_s, now + 100);
    vault_client_done(&c);
    expect_limits(id, "access=no-delete\n");
    change.label = S("tablet");
    change.limits = S("access=read-only");
    assert_int_equal(vault_client_change(f->v, &alice.id, id, &change), OK);
    assert_non_null(strstr(f->told.last_body, "narrower=yes\n"));
    assert_non_null(strstr(f->told.last_body, "label=tablet\n"));
    const struct vault_client_change bad[] = {
        {.limits = S("")},
        {.can_send = true, .expires_s = 5},
        {.can_send = true, .limits = S("access=everything")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(vault_client_change(f->v, &alice.id, id, &bad[i]), ERR_SYNTAX);
    expect_limits(id, "access=read-only\n");
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(vault_client_change(f->v, &alice.id, id, &change), ERR_STATE);
}

/* The journal's process takes so much and no more: what is longer is cut at a line, and says so. */
static size_t longest;
static bool ends_well;
static void
measure_audit(void *owner, struct slice kind, struct slice actor, struct slice subject, struct slice body)
{
    longest = body.n;
    ends_well = slice_ends(body, S("\ncut=yes\n"));
}

static void a_long_record_is_cut_not_lost(void **state)
{
    static const struct vault_events events = {.audit = measure_audit};
    struct buf limits CLEANUP_BUF = BUF_INIT(LIMIT_SCOPE_TEXT);
    struct clientpw pw;
    for (int i = 0; i < 250; i++)
        buf_printf(&limits, "folder=a folder with a name %03d\n", i);
    assert_int_equal(buf_check(&limits), OK);
    f->options.events = &events;
    fixture_reopen(f);
    fixture_client(f, &alice.id, buf_cstr(&limits), true, true, &pw);
    assert_true(longest > LIMIT_AUDIT_BODY - 64 && longest <= LIMIT_AUDIT_BODY && ends_well);
}

/* ---- rotation of one credential ---- */

static void a_new_secret_under_the_same_limits(void **state)
{
    struct clientpw pw, fresh;
    struct vault_client c;
    struct vault_shown shown;
    uint64_t next, id = fixture_client(f, &alice.id, "network=192.0.2.0/24", true, false, &pw);
    assert_int_equal(vault_client_rotate(f->v, &bob.id, id, 60, &shown, &next), ERR_NOT_FOUND);
    assert_int_equal(vault_client_rotate(f->v, &alice.id, id, 60, &shown, &next), OK);
    assert_int_equal(f->told.credential, id);
    assert_int_equal(f->told.version, 2);
    assert_string_equal(f->told.last_kind, "client.rotated");
    assert_true(next > id);
    assert_int_equal(clientpw_read(slice_of(shown.text, shown.n), &fresh), CLIENTPW_GOOD);
    fixture_reopen(f);
    assert_int_equal(vault_client_find(f->v, &alice.id, &fresh, &c), OK);
    assert_true(c.id == next && c.version == 1 && c.scopes.can_receive && !c.scopes.can_send);
    assert_int_equal(c.scopes.limits.network_count, 1);
    assert_int_equal(c.scopes.expires_s, 0);
    vault_client_done(&c);
    /* The old one lives until the end of its grace. */
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_true(!c.is_revoked && c.rotated_to == next);
    int64_t left = c.scopes.expires_s - clock_unix_s();
    assert_true(left > 0 && left <= 60);
    vault_client_done(&c);
    assert_int_equal(vault_client_rotate(f->v, &alice.id, id, 60, &shown, &next), ERR_STATE);
    uint64_t old = next;
    assert_int_equal(vault_client_rotate(f->v, &alice.id, old, 0, &shown, &next), OK);
    assert_int_equal(f->told.version, 3);
    assert_int_equal(vault_client_find(f->v, &alice.id, &fresh, &c), OK);
    assert_true(c.is_revoked);
    vault_client_done(&c);
}

/* ---- tokens and certificates ---- */

static void tokens_are_found_without_a_name(void **state)
{
    struct token token, other;
    struct vault_client c;
    uint64_t id;
    const struct vault_client_new n = {.label = S("script"), .can_send = true, .limits = S("messages-day=5")};
    assert_int_equal(vault_token_add(f->v, &alice.id, &n, &token, &id), OK);
    fixture_reopen(f);
    assert_true(slice_starts(token_slice(&token), S("llt_")));
    assert_int_equal(vault_token_find(f->v, &token, &c), OK);
    assert_true(c.id == id && c.kind == CLIENT_TOKEN && account_id_eq(&c.account, &alice.id));
    assert_int_equal(c.scopes.limits.messages_day, 5);
    vault_client_done(&c);
    other = token;
    other.text[10] = other.text[10] == 'A' ? 'B' : 'A';
    assert_int_equal(vault_token_find(f->v, &other, &c), ERR_NOT_FOUND);
    /* INV-V2: the row on another account opens nothing. */
    struct stmt *st =
        db_prepare(vault_container_db(f->v, VAULT_CLIENTS), "UPDATE credential SET account = ?");
    stmt_bind(st, "b", slice_of(bob.id.b, sizeof bob.id.b));
    assert_int_equal(stmt_run(st), OK);
    assert_int_equal(vault_token_find(f->v, &token, &c), ERR_CORRUPT);
    stmt_bind(st, "b", slice_of(alice.id.b, sizeof alice.id.b));
    assert_int_equal(stmt_run(st), OK);
    stmt_free(&st);
    struct vault_shown shown;
    uint64_t next;
    assert_int_equal(vault_client_rotate(f->v, &alice.id, id, 0, &shown, &next), OK);
    assert_true(token_read(slice_of(shown.text, shown.n), &other));
    assert_int_equal(vault_token_find(f->v, &other, &c), OK);
    assert_true(c.id == next && c.scopes.limits.messages_day == 5);
    vault_client_done(&c);
    assert_int_equal(vault_token_find(f->v, &token, &c), OK);
    assert_true(c.is_revoked);
    vault_client_done(&c);
}

static void the_form_of_a_token(void **state)
{
    struct token token, read;
    unsigned seen[256] = {0};
    for (int i = 0; i < 2000; i++) {
        token_make(&token);
        assert_true(token_read(token_slice(&token), &read));
        assert_memory_equal(&token, &read, sizeof token);
        seen[(unsigned char)token.text[20]]++;
    }
    unsigned used = 0;
    for (int i = 0; i < 256; i++)
        used += seen[i] != 0;
    assert_int_equal(used, 64);
    char text[TOKEN_LEN + 3] = " ";
    memcpy(text + 1, token.text, TOKEN_LEN);
    text[TOKEN_LEN + 1] = '\n';
    assert_true(token_read(slice_of(text, TOKEN_LEN + 2), &read));
    assert_false(token_read(slice_of(token.text, TOKEN_LEN - 1), &read));
    for (size_t i = 0; i < TOKEN_LEN; i++) {
        struct token bad = token;
        bad.text[i] = '!';
        assert_false(token_read(token_slice(&bad), &read));
    }
    struct token odd = token; /* the same 256 bits may have one spelling only */
    odd.text[TOKEN_LEN - 1] = 'B';
    assert_false(token_read(token_slice(&odd), &read));
    assert_false(token_read(SLICE_EMPTY, &read));
}

static void certificates_stand_under_one_account(void **state)
{
    uint8_t hash[CLIENT_CERTIFICATE_HASH_LEN];
    struct vault_client c;
    struct vault_shown shown;
    uint64_t id, next;
    const struct vault_client_new n = {.label = S("laptop"), .can_receive = true};
    memset(hash, 7, sizeof hash);
    struct slice h = slice_of(hash, sizeof hash);
    assert_int_equal(vault_certificate_add(f->v, &alice.id, &n, slice_of(hash, 31), &id), ERR_SYNTAX);
    assert_int_equal(vault_certificate_add(f->v, &alice.id, &n, h, &id), OK);
    assert_int_equal(vault_certificate_add(f->v, &alice.id, &n, h, &next), ERR_EXISTS);
    assert_int_equal(vault_certificate_find(f->v, &alice.id, h, &c), OK);
    assert_true(c.id == id && c.kind == CLIENT_CERTIFICATE);
    vault_client_done(&c);
    assert_int_equal(vault_certificate_find(f->v, &bob.id, h, &c), ERR_NOT_FOUND);
    assert_int_equal(vault_certificate_add(f->v, &bob.id, &n, h, &next), OK);
    assert_int_equal(vault_client_rotate(f->v, &alice.id, id, 0, &shown, &next), ERR_UNSUPPORTED);
    hash[31] ^= 1;
    assert_int_equal(vault_certificate_find(f->v, &alice.id, h, &c), ERR_NOT_FOUND);
}

/* T-226 at this level: thirty secrets of an account that is locked, and then removed and made anew under its old name. */
enum { SAVED = 10 };
struct saved {
    struct clientpw pw[SAVED];
    struct token token[SAVED];
    uint8_t hash[SAVED][CLIENT_CERTIFICATE_HASH_LEN];
};

static void save_all(struct saved *s)
{
    uint64_t id;
    const struct vault_client_new n = {.label = S("x"), .can_send = true, .can_receive = true};
    for (int i = 0; i < SAVED; i++) {
        memset(s->hash[i], i + 1, sizeof s->hash[i]);
        fixture_client(f, &alice.id, "", true, true, &s->pw[i]);
        assert_int_equal(vault_token_add(f->v, &alice.id, &n, &s->token[i], &id), OK);
        assert_int_equal(
            vault_certificate_add(f->v, &alice.id, &n, slice_of(s->hash[i], sizeof s->hash[i]), &id), OK);
    }
}

static enum err find_saved(const struct saved *s, int i, int kind, struct vault_client *ret_client)
{
    if (kind == 0)
        return vault_client_find(f->v, &alice.id, &s->pw[i], ret_client);
    if (kind == 1)
        return vault_token_find(f->v, &s->token[i], ret_client);
    return vault_certificate_find(f->v, &alice.id, slice_of(s->hash[i], sizeof s->hash[i]), ret_client);
}

static enum reason judged(const struct vault_client *c, enum vault_door door)
{
    struct vault_account a;
    assert_int_equal(vault_account_get(f->v, &c->account, &a), OK);
    const struct decide_question q = {
        .door = door,
        .has_tls = true,
        .account = a.status,
        .kind = vault_client_credential(c->kind),
        .is_revoked = c->is_revoked,
        .scopes = c->scopes,
        .now_s = clock_unix_s()};
    return decide(&q).reason;
}

static unsigned expect_all_saved(const struct saved *s, enum reason reason)
{
    unsigned cases = 0;
    for (int i = 0; i < SAVED; i++) {
        for (int kind = 0; kind < 3; kind++) {
            struct vault_client c CLEANUP_CLIENT = {.id = 0};
            assert_int_equal(find_saved(s, i, kind, &c), OK);
            for (unsigned door = 0; door < VAULT_API; door++, cases++)
                assert_int_equal(judged(&c, (enum vault_door)door), reason);
        }
    }
    return cases;
}

static void dead_and_reborn_accounts(void **state)
{
    struct saved s;
    struct vault_client c;
    unsigned cases;
    save_all(&s);
    expect_all_saved(&s, REASON_FINE);
    assert_int_equal(vault_account_set_status(f->v, S("alice@example.test"), ACCOUNT_LOCKED), OK);
    cases = expect_all_saved(&s, REASON_LOCKED);
    assert_int_equal(vault_account_remove(f->v, S("alice@example.test")), OK);
    assert_int_equal(vault_resting_release(f->v, S("alice@example.test")), OK);
    struct account_id old = alice.id;
    alice = fixture_account(f, "alice@example.test");
    assert_false(account_id_eq(&old, &alice.id));
    for (int i = 0; i < SAVED; i++)
        for (int kind = 0; kind < 3; kind++, cases++)
            assert_int_equal(find_saved(&s, i, kind, &c), ERR_NOT_FOUND);
    assert_true(cases >= 60);
    print_message("T-226 cases=%u passed=%u\n", cases, cases);
}

/* T-245: nothing is remembered of a success. A secret holds for its own account, door, network and version, each time anew. */
static void nothing_is_remembered_of_a_success(void **state)
{
    enum { PEOPLE = 40, SECRETS = 3, PAIRS = 100000 };
    static struct account_id people[PEOPLE];
    static struct clientpw pws[PEOPLE][SECRETS];
    struct vault_client c;
    for (int i = 0; i < PEOPLE; i++) {
        char address[64]; /* the same names in two domains */
        snprintf(address, sizeof address, "p%d@%s.test", i / 2, i % 2 ? "example" : "other");
        if (i == 0)
            assert_int_equal(vault_domain_add(f->v, S("other.test")), OK);
        people[i] = fixture_account(f, address).id;
        for (int k = 0; k < SECRETS; k++)
            fixture_client(f, &people[i], k == 2 ? "network=192.0.2.0/24" : "", true, true, &pws[i][k]);
    }
    for (int n = 0; n < PAIRS; n++) {
        uint32_t i = random_below(PEOPLE), j = n % 2 ? i : random_below(PEOPLE), k = random_below(SECRETS);
        enum err e = vault_client_find(f->v, &people[i], &pws[j][k], &c);
        assert_int_equal(e, i == j ? OK : ERR_NOT_FOUND);
        if (e != OK)
            continue;
        struct ip from;
        bool is_near = random_below(2);
        assert_int_equal(ip_parse(is_near ? S("192.0.2.1") : S("198.51.100.1"), &from), OK);
        assert_int_equal(scope_allows_network(&c.scopes.limits, &from), k != 2 || is_near);
        vault_client_done(&c);
    }
    /* What changed after a success holds at once. */
    struct vault_client_change change = {.can_receive = true, .doors = VAULT_DOOR_BIT(VAULT_IMAP)};
    struct vault_shown shown;
    uint64_t id;
    assert_int_equal(vault_client_find(f->v, &people[0], &pws[0][0], &c), OK);
    id = c.id;
    vault_client_done(&c);
    assert_int_equal(vault_client_change(f->v, &people[0], id, &change), OK);
    assert_int_equal(vault_client_find(f->v, &people[0], &pws[0][0], &c), OK);
    assert_int_equal(judged(&c, VAULT_IMAP), REASON_FINE);
    assert_int_equal(judged(&c, VAULT_SUBMISSION), REASON_DOOR);
    assert_int_equal(judged(&c, VAULT_POP3), REASON_DOOR);
    vault_client_done(&c);
    assert_int_equal(vault_client_rotate(f->v, &people[0], id, 0, &shown, &id), OK);
    assert_int_equal(vault_client_find(f->v, &people[0], &pws[0][0], &c), OK);
    assert_int_equal(judged(&c, VAULT_IMAP), REASON_REVOKED);
    vault_client_done(&c);
    print_message("T-245 cases=%d passed=%d\n", PAIRS + 4, PAIRS + 4);
}

/* ---- SCRAM ---- */

/* RFC 5802 section 3: does this proof show knowledge of the secret? And the server's signature. */
static bool proves(
    const struct scram_keys *keys, struct slice message, const uint8_t proof[32], uint8_t ret_signature[32])
{
    uint8_t signature[32], client_key[32], stored[32];
    hmac_sha256(slice_of(keys->stored_key, 32), message, signature);
    for (int i = 0; i < 32; i++)
        client_key[i] = signature[i] ^ proof[i];
    sha256_of(slice_of(client_key, 32), stored);
    hmac_sha256(slice_of(keys->server_key, 32), message, ret_signature);
    return memcmp(stored, keys->stored_key, 32) == 0;
}

static void unbase64(const char *text, void *out, size_t n)
{
    struct buf b CLEANUP_BUF = BUF_INIT(100);
    assert_int_equal(base64_get(slice_str(text), &b), OK);
    assert_int_equal(b.n, n);
    memcpy(out, b.p, n);
}

static void scram_rfc7677_example(void **state)
{
    uint8_t salt[16], proof[32], expected[32], signature[32];
    unbase64("W22ZaJ0SNY7soEsUEjb6gQ==", salt, 16);
    unbase64("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", proof, 32);
    unbase64("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", expected, 32);
    struct slice message =
        S("n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    struct scram_keys keys = scram_make(S("pencil"), slice_of(salt, 16), 4096);
    assert_true(proves(&keys, message, proof, signature));
    assert_memory_equal(signature, expected, 32);
    keys = scram_make(S("Pencil"), slice_of(salt, 16), 4096);
    assert_false(proves(&keys, message, proof, signature));
}

static void verifiers_are_made_with_the_password(void **state)
{
    struct clientpw pw, second;
    struct fixture_verifiers got, other;
    uint8_t salt[SCRAM_SALT_LEN], salt_before[SCRAM_SALT_LEN], salt_bob[SCRAM_SALT_LEN];
    uint32_t rounds, rounds_before;
    char shown[CLIENTPW_SHOWN];
    assert_int_equal(vault_scram_salt(f->v, S("alice@example.test"), salt_before, &rounds_before), OK);
    uint64_t id = fixture_client(f, &alice.id, "", true, true, &pw);
    uint64_t id2 = fixture_client(f, &alice.id, "", true, true, &second);
    fixture_reopen(f);
    assert_int_equal(vault_scram_salt(f->v, S("ALICE@example.test"), salt, &rounds), OK);
    /* The first client password changes nothing that a stranger can see. */
    assert_memory_equal(salt, salt_before, sizeof salt);
    assert_int_equal(rounds, rounds_before);
    assert_true(rounds >= 4096);
    assert_int_equal(fixture_read_verifiers(f, &alice.id, id, &got), OK);
    assert_int_equal(fixture_read_verifiers(f, &alice.id, id2, &other), OK);
    assert_int_equal(got.count, 2);
    clientpw_show(&pw, shown);
    struct scram_keys as_shown =
        scram_make(slice_of(shown, sizeof shown), slice_of(salt, sizeof salt), rounds);
    struct scram_keys bare = scram_make(clientpw_slice(&pw), slice_of(salt, sizeof salt), rounds);
    assert_memory_equal(&got.keys[0], &as_shown, sizeof as_shown);
    assert_memory_equal(&got.keys[1], &bare, sizeof bare);
    assert_memory_not_equal(&got.keys[1], &other.keys[1], sizeof bare);
    assert_int_equal(vault_scram_salt(f->v, S("bob@example.test"), salt_bob, &rounds), OK);
    assert_memory_not_equal(salt, salt_bob, sizeof salt);
}

struct tries {
    struct scram_keys wanted;
    struct slice secret;
    unsigned n;
};
static bool try_scram(void *owner, uint64_t credential, const struct scram_keys *keys)
{
    struct tries *t = owner;
    t->n++;
    return memcmp(keys, &t->wanted, sizeof *keys) == 0;
}
static bool try_cram(void *owner, uint64_t credential, struct slice secret)
{
    struct tries *t = owner;
    t->n++;
    return slice_eq(secret, t->secret);
}

static void every_live_password_is_tried(void **state)
{
    struct clientpw pw[5];
    uint64_t id[5], found;
    uint8_t salt[SCRAM_SALT_LEN];
    uint32_t rounds;
    int64_t now = clock_unix_s();
    struct tries t = {.n = 0};
    for (int i = 0; i < 5; i++)
        id[i] = fixture_client(f, &alice.id, "", true, true, &pw[i]);
    assert_int_equal(vault_scram_salt(f->v, S("alice@example.test"), salt, &rounds), OK);
    for (int i = 0; i < 5; i++) {
        t.wanted = scram_make(clientpw_slice(&pw[i]), slice_of(salt, sizeof salt), rounds);
        assert_int_equal(vault_scram_try(f->v, &alice.id, now, try_scram, &t, &found), OK);
        assert_int_equal(found, id[i]);
    }
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id[4]), OK);
    t.n = 0;
    assert_int_equal(vault_scram_try(f->v, &alice.id, now, try_scram, &t, &found), OK);
    assert_int_equal(found, 0);
    assert_int_equal(t.n, 8); /* four passwords in two spellings */
    t.n = 0;
    assert_int_equal(vault_scram_try(f->v, &bob.id, now, try_scram, &t, &found), OK);
    assert_true(found == 0 && t.n == 0);
}

static void cram_md5_only_where_it_was_asked_for(void **state)
{
    struct clientpw plain, asked;
    struct vault_client c;
    uint64_t id, found, next;
    int64_t now = clock_unix_s();
    char shown[CLIENTPW_SHOWN];
    const struct vault_client_new n = {.label = S("old scanner"), .can_send = true, .cram_md5 = true};
    fixture_client(f, &alice.id, "", true, true, &plain);
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &asked, &id), OK);
    fixture_reopen(f);
    assert_int_equal(vault_client_get(f->v, &alice.id, id, &c), OK);
    assert_true(c.has_cram_md5);
    vault_client_done(&c);
    clientpw_show(&asked, shown);
    struct tries t = {.secret = slice_of(shown, sizeof shown)};
    assert_int_equal(vault_cram_try(f->v, &alice.id, now, try_cram, &t, &found), OK);
    assert_int_equal(found, id);
    t.secret = clientpw_slice(&asked);
    assert_int_equal(vault_cram_try(f->v, &alice.id, now, try_cram, &t, &found), OK);
    assert_int_equal(found, id);
    t = (struct tries){.secret = clientpw_slice(&plain)};
    assert_int_equal(vault_cram_try(f->v, &alice.id, now, try_cram, &t, &found), OK);
    assert_int_equal(found, 0);
    assert_int_equal(t.n, 2);
    struct vault_shown fresh;
    assert_int_equal(vault_client_rotate(f->v, &alice.id, id, 0, &fresh, &next), OK);
    t.secret = slice_of(fresh.text, fresh.n);
    assert_int_equal(vault_cram_try(f->v, &alice.id, now, try_cram, &t, &found), OK);
    assert_int_equal(found, next);
    assert_int_equal(vault_client_remove(f->v, &alice.id, next), OK);
    assert_int_equal(vault_cram_try(f->v, &alice.id, now, try_cram, &t, &found), OK);
    assert_int_equal(found, 0);
}

/* T-252: unknown users get a stable invented salt, and so do names that are no addresses. */
static void unknown_names_have_stable_salts(void **state)
{
    static const struct slice names[] = {
        {"nobody@example.test", 19}, {"x@y.test", 8}, {"not an address", 14}, {"\xff", 1}};
    uint8_t first[SCRAM_SALT_LEN], again[SCRAM_SALT_LEN], last[SCRAM_SALT_LEN] = {0};
    uint32_t rounds;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(vault_scram_salt(f->v, names[i], first, &rounds), OK);
        fixture_reopen(f);
        assert_int_equal(vault_scram_salt(f->v, names[i], again, &rounds), OK);
        assert_memory_equal(first, again, sizeof first);
        assert_memory_not_equal(first, last, sizeof first);
        memcpy(last, first, sizeof last);
        assert_int_equal(rounds, 4096);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(found_by_its_account_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(revoking_is_told_and_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(liveness_follows_account_version_and_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(what_may_not_be_made, setup, teardown),
        cmocka_unit_test_setup_teardown(last_use_is_written_later, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_limit_opens_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_kept_in_one_form, setup, teardown),
        cmocka_unit_test_setup_teardown(a_change_replaces_and_ends_sessions, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_record_is_cut_not_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_secret_under_the_same_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens_are_found_without_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(the_form_of_a_token, setup, teardown),
        cmocka_unit_test_setup_teardown(certificates_stand_under_one_account, setup, teardown),
        cmocka_unit_test_setup_teardown(dead_and_reborn_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_remembered_of_a_success, setup, teardown),
        cmocka_unit_test_setup_teardown(every_live_password_is_tried, setup, teardown),
        cmocka_unit_test_setup_teardown(cram_md5_only_where_it_was_asked_for, setup, teardown),
        cmocka_unit_test(scram_rfc7677_example),
        cmocka_unit_test_setup_teardown(verifiers_are_made_with_the_password, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_names_have_stable_salts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

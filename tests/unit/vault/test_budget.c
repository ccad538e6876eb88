#include "fixture.h"

#include "vault/budget.h"
#include "vault/clients_audit.h"
#include "vault/notices.h"

static struct fixture *f;
static struct vault_account alice, boss;
static struct clientpw pw;

enum { NOW = 1900065600, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static int setup(void **state)
{
    f = fixture_new();
    assert_int_equal(vault_domain_add(f->v, S("example.test")), OK);
    boss = fixture_account(f, "boss@example.test"); /* the oldest: the domain's administrator */
    alice = fixture_account(f, "alice@example.test");
    return 0;
}

static int teardown(void **state)
{
    fixture_free(f);
    return 0;
}

static enum spend_verdict
spend(uint64_t id, uint32_t messages, const char *recipients, uint64_t octets, int64_t now)
{
    char hashes[64 * LIMIT_SPEND_RECIPIENT];
    struct slice rest = slice_str(recipients), name;
    enum spend_verdict verdict;
    size_t n = 0;
    while (slice_cut(&rest, ' ', &name)) {
        if (!name.n)
            continue;
        struct hash h = hash_of(NULL, name);
        memcpy(hashes + n, h.b, LIMIT_SPEND_RECIPIENT);
        n += LIMIT_SPEND_RECIPIENT;
    }
    const struct vault_spending s = {
        .messages = messages, .recipients = slice_of(hashes, n), .octets = octets};
    assert_int_equal(vault_spend(f->v, &alice.id, id, &s, now, &verdict), OK);
    return verdict;
}

static struct vault_spent used(uint64_t id, int64_t now)
{
    struct vault_spent s;
    assert_int_equal(vault_spent(f->v, id, now, &s), OK);
    return s;
}

static bool is_frozen(uint64_t id, char why[64])
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    assert_int_equal(vault_client_get(f->v, &alice.id, id, &c), OK);
    snprintf(why, 64, "%s", c.frozen_why);
    assert_int_equal(c.scopes.is_frozen, c.frozen_s != 0);
    return c.scopes.is_frozen;
}

static void messages_of_an_hour_and_a_day(void **state)
{
    char why[64];
    uint64_t id = fixture_client(f, &alice.id, "messages-hour=5\nmessages-day=12", true, true, &pw);
    uint64_t other = fixture_client(f, &alice.id, "messages-hour=5", true, true, &pw);
    for (int i = 0; i < 5; i++)
        assert_int_equal(spend(id, 1, "", 0, NOW + i), SPEND_OK);
    /* The window slides: within any hour no more than five. */
    assert_int_equal(used(id, NOW + HOUR - 1).messages_hour, 5);
    assert_int_equal(used(id, NOW + HOUR + 5 * MINUTE).messages_hour, 0);
    assert_int_equal(spend(id, 5, "", 0, NOW + 2 * HOUR), SPEND_OK);
    assert_int_equal(spend(id, 2, "", 0, NOW + 4 * HOUR), SPEND_OK);
    unsigned revokes = f->told.revokes;
    assert_int_equal(spend(id, 1, "", 0, NOW + 6 * HOUR), SPEND_FROZEN);
    assert_true(is_frozen(id, why));
    assert_string_equal(why, "messages-day");
    assert_int_equal(f->told.revokes, revokes + 1);
    assert_int_equal(f->told.credential, id);
    assert_int_equal(f->told.version, 2);
    assert_string_equal(f->told.last_kind, "client.frozen");
    assert_non_null(strstr(f->told.last_body, "limit=messages-day\n"));
    /* That one alone; and it stays frozen, whatever time it is, also after a restart. */
    assert_int_equal(spend(other, 5, "", 0, NOW), SPEND_OK);
    assert_int_equal(spend(id, 1, "", 0, NOW + 9 * DAY), SPEND_FROZEN);
    fixture_reopen(f);
    assert_int_equal(spend(id, 1, "", 0, NOW + 9 * DAY), SPEND_FROZEN);
    assert_int_equal(vault_client_is_live(f->v, &alice.id, id, 2, NOW), ERR_DENIED);
    assert_int_equal(vault_client_thaw(f->v, &alice.id, id), OK);
    assert_string_equal(f->told.last_kind, "client.thawed");
    assert_false(is_frozen(id, why));
    assert_int_equal(spend(id, 5, "", 0, NOW + 6 * HOUR), SPEND_OK);
    assert_int_equal(spend(id, 1, "", 0, NOW + 6 * HOUR), SPEND_FROZEN);
    assert_true(is_frozen(id, why));
    assert_string_equal(why, "messages-hour");
}

static void what_was_used_outlives_a_restart(void **state)
{
    uint64_t id = fixture_client(f, &alice.id, "messages-day=10\nbytes-day=1000", true, true, &pw);
    assert_int_equal(spend(id, 4, "", 600, NOW), SPEND_OK);
    assert_int_equal(vault_flush(f->v), OK);
    assert_int_equal(spend(id, 3, "", 300, NOW + HOUR), SPEND_OK);
    fixture_reopen(f);
    struct vault_spent s = used(id, NOW + 2 * HOUR);
    assert_true(s.messages_day == 7 && s.octets_day == 900 && s.recipients_day == 0);
    assert_int_equal(spend(id, 0, "", 101, NOW + 2 * HOUR), SPEND_FROZEN);
}

static void octets_slide_out_of_the_day(void **state)
{
    uint64_t id = fixture_client(f, &alice.id, "bytes-day=1000", true, true, &pw);
    assert_int_equal(spend(id, 0, "", 1000, NOW), SPEND_OK);
    assert_int_equal(spend(id, 0, "", 0, NOW), SPEND_OK);
    assert_int_equal(used(id, NOW + DAY - 1).octets_day, 1000);
    assert_int_equal(spend(id, 0, "", 1000, NOW + DAY + HOUR), SPEND_OK);
    /* A clock that goes back gives nothing back. */
    assert_int_equal(used(id, NOW).octets_day, 1000);
    assert_int_equal(spend(id, 0, "", 1, NOW - 30 * DAY), SPEND_FROZEN);
    uint64_t huge = fixture_client(f, &alice.id, "bytes-day=1000", true, true, &pw);
    assert_int_equal(spend(huge, 0, "", UINT64_MAX, NOW), SPEND_FROZEN);
}

/* Every second of more than a day, against a list of what was done when. */
static void never_more_than_the_limit_in_any_window(void **state)
{
    enum { LIMIT_HOUR = 20, LIMIT_DAY = 100, STEPS = 3000 };
    static int64_t when[STEPS];
    uint64_t id = fixture_client(f, &alice.id, "messages-hour=20\nmessages-day=100", true, true, &pw);
    size_t done = 0;
    int64_t now = NOW;
    for (int i = 0; i < STEPS; i++) {
        now += random_below(120);
        struct vault_spent s = used(id, now);
        if (s.messages_hour >= LIMIT_HOUR || s.messages_day >= LIMIT_DAY)
            continue; /* it would freeze */
        assert_int_equal(spend(id, 1, "", 0, now), SPEND_OK);
        when[done++] = now;
    }
    assert_true(done > LIMIT_DAY);
    for (size_t i = 0; i < done; i++) {
        unsigned in_hour = 0, in_day = 0;
        for (size_t j = i; j < done && when[j] < when[i] + DAY; j++) {
            in_hour += when[j] < when[i] + HOUR;
            in_day++;
        }
        assert_true(in_hour <= LIMIT_HOUR && in_day <= LIMIT_DAY);
    }
}

static void new_recipients(void **state)
{
    char why[64];
    uint64_t id = fixture_client(f, &alice.id, "new-recipients-day=3", true, true, &pw);
    uint64_t free_one = fixture_client(f, &alice.id, "messages-day=1000", true, true, &pw);
    assert_int_equal(spend(free_one, 1, "old1 old2", 0, NOW), SPEND_OK);
    assert_int_equal(spend(id, 1, "a old1 a a", 0, NOW), SPEND_OK);
    assert_int_equal(used(id, NOW).recipients_day, 1);
    fixture_reopen(f);
    assert_int_equal(spend(id, 1, "a b old2", 0, NOW + HOUR), SPEND_OK);
    assert_int_equal(used(id, NOW + HOUR).recipients_day, 2);
    assert_int_equal(spend(id, 1, "a b old1 old2", 0, NOW + HOUR), SPEND_OK);
    assert_int_equal(spend(id, 1, "c d", 0, NOW + HOUR), SPEND_FROZEN);
    assert_true(is_frozen(id, why));
    assert_string_equal(why, "new-recipients-day");
    /* What was refused made nobody known; what is long ago is forgotten. */
    assert_int_equal(vault_client_thaw(f->v, &alice.id, id), OK);
    assert_int_equal(spend(id, 1, "c d", 0, NOW + HOUR), SPEND_OK);
    assert_int_equal(used(id, NOW + HOUR).recipients_day, 2);
    int64_t later = NOW + 2 * HOUR + LIMIT_RECIPIENT_KNOWN;
    assert_int_equal(spend(id, 1, "c", 0, later), SPEND_OK);
    assert_int_equal(used(id, later).recipients_day, 1);
}

/* INV-V1: the file tells nobody whom she writes to. */
static void recipients_are_kept_under_a_key(void **state)
{
    uint64_t id = fixture_client(f, &alice.id, "messages-day=10", true, true, &pw);
    assert_int_equal(spend(id, 1, "bob@example.org", 0, NOW), SPEND_OK);
    fixture_reopen(f);
    struct hash h = hash_of(NULL, S("bob@example.org"));
    struct buf text CLEANUP_BUF = BUF_INIT(16 << 20);
    int fd CLEANUP_FD = openat(f->dirfd, "clients.db", O_RDONLY | O_CLOEXEC);
    assert_int_equal(file_read_all(fd, &text), OK);
    assert_int_equal(slice_search(buf_slice(&text), slice_of(h.b, 16)), SLICE_NPOS);
    assert_int_equal(slice_search(buf_slice(&text), S("bob@example.org")), SLICE_NPOS);
}

static void who_may_not_spend(void **state)
{
    enum spend_verdict verdict;
    const struct vault_spending one = {.messages = 1}, odd = {.recipients = S("abc")};
    uint64_t id = fixture_client(f, &alice.id, "messages-day=10", true, true, &pw);
    assert_int_equal(vault_spend(f->v, &boss.id, id, &one, NOW, &verdict), OK);
    assert_int_equal(verdict, SPEND_FROZEN);
    assert_int_equal(vault_spend(f->v, &alice.id, id + 99, &one, NOW, &verdict), OK);
    assert_int_equal(verdict, SPEND_FROZEN);
    assert_int_equal(vault_spend(f->v, &alice.id, VAULT_MAILBOX_CREDENTIAL, &one, NOW, &verdict), OK);
    assert_int_equal(verdict, SPEND_OK);
    assert_int_equal(vault_spend(f->v, &alice.id, id, &odd, NOW, &verdict), ERR_SYNTAX);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(spend(id, 1, "", 0, NOW), SPEND_FROZEN);
}

static void a_new_secret_takes_its_budget_along(void **state)
{
    struct vault_shown shown;
    uint64_t next, id = fixture_client(f, &alice.id, "messages-day=10", true, true, &pw);
    assert_int_equal(spend(id, 9, "", 0, NOW), SPEND_OK);
    assert_int_equal(vault_client_rotate(f->v, &alice.id, id, 60, &shown, &next), OK);
    assert_int_equal(used(next, NOW).messages_day, 9);
    assert_int_equal(spend(next, 2, "", 0, NOW), SPEND_FROZEN);
}

/* ---- notices ---- */

static unsigned take_notices(const struct account_id *account, const char *kind, struct notice *last)
{
    struct notice n;
    uint64_t at = 0;
    unsigned count = 0;
    while (vault_notice_next(f->v, at, &n) == OK) {
        assert_true(n.id > at);
        at = n.id;
        if (account_id_eq(&n.account, account) && strcmp(n.kind, kind) == 0) {
            *last = n;
            count++;
        }
        assert_int_equal(vault_notice_done(f->v, n.id), OK);
    }
    assert_int_equal(vault_notice_next(f->v, 0, &n), ERR_NOT_FOUND);
    return count;
}

static void notices_come_with_their_change(void **state)
{
    struct notice n;
    vault_set_actor(f->v, S("uid 0"));
    uint64_t id = fixture_client(f, &alice.id, "messages-day=1", true, true, &pw);
    fixture_reopen(f);
    assert_int_equal(take_notices(&alice.id, "client-added", &n), 1);
    assert_non_null(strstr(n.facts, "label=phone\n"));
    assert_non_null(strstr(n.facts, "doors=imap pop3 smtp\n"));
    assert_non_null(strstr(n.facts, "by=uid 0\n"));
    assert_int_equal(spend(id, 2, "", 0, NOW), SPEND_FROZEN);
    assert_int_equal(take_notices(&alice.id, "client-frozen", &n), 1);
    assert_non_null(strstr(n.facts, "limit=messages-day\n"));
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    assert_int_equal(take_notices(&alice.id, "client-revoked", &n), 1);
    assert_int_equal(vault_client_remove(f->v, &alice.id, id), OK);
    assert_int_equal(take_notices(&alice.id, "client-revoked", &n), 0);
}

static void both_outboxes_are_one_list(void **state)
{
    struct notice n;
    struct buf facts CLEANUP_BUF = BUF_INIT(1000);
    notice_fact(&facts, "label", S("two\nlines"));
    notice_fact_int(&facts, "when_s", -5);
    assert_string_equal(buf_cstr(&facts), "label=two lines\nwhen_s=-5\n");
    for (int i = 0; i < 4; i++)
        for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
            assert_int_equal(
                vault_notice_add(
                    f->v, (enum vault_container)c, &alice.id, NOTICE_FACTOR_CHANGED, buf_slice(&facts)),
                OK);
    assert_int_equal(take_notices(&alice.id, "factor-changed", &n), 8);
    for (int i = 0; i < LIMIT_NOTICES_PER_ACCOUNT + 5; i++)
        assert_int_equal(vault_notice_add(f->v, VAULT_ACCOUNTS, &alice.id, NOTICE_MAILBOX_RESET, S("")), OK);
    assert_int_equal(vault_notice_add(f->v, VAULT_ACCOUNTS, &boss.id, NOTICE_MAILBOX_RESET, S("")), OK);
    assert_int_equal(take_notices(&alice.id, "mailbox-reset", &n), LIMIT_NOTICES_PER_ACCOUNT);
    assert_int_equal(vault_notice_add(f->v, VAULT_ACCOUNTS, &alice.id, NOTICE_MAILBOX_RESET, S("")), OK);
    assert_int_equal(vault_notice_add(f->v, VAULT_CLIENTS, &alice.id, NOTICE_FACTOR_CHANGED, S("")), OK);
    assert_int_equal(vault_account_remove(f->v, slice_str(alice.address)), OK);
    assert_int_equal(vault_notice_next(f->v, 0, &n), ERR_NOT_FOUND);
}

static void ends_are_told_once_each(void **state)
{
    struct notice n;
    uint64_t id;
    int64_t now = clock_unix_s(), end = now + 30 * DAY;
    const struct vault_client_new expires = {.label = S("x"), .can_send = true, .expires_s = end};
    const struct vault_client_new rotates = {.label = S("y"), .can_send = true, .limits = S("rotate=30")};
    assert_int_equal(vault_client_add(f->v, &alice.id, &expires, &pw, &id), OK);
    assert_int_equal(vault_client_add(f->v, &alice.id, &rotates, &pw, &id), OK);
    take_notices(&alice.id, "client-added", &n);
    static const struct {
        int64_t before_s;
        unsigned told;
    } rows[] = {{10 * DAY, 0}, {7 * DAY + 60, 0}, {6 * DAY, 1}, {5 * DAY, 0},
                {DAY - 60, 1}, {HOUR, 0},         {-DAY, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int again = 0; again < 2; again++) {
            assert_int_equal(vault_expiring(f->v, end - rows[i].before_s), OK);
            unsigned told = again ? 0 : rows[i].told;
            struct notice rotate;
            unsigned both[2] = {0, 0};
            uint64_t at = 0;
            while (vault_notice_next(f->v, at, &rotate) == OK) {
                at = rotate.id;
                both[strcmp(rotate.kind, "client-rotate-due") == 0]++;
                assert_non_null(strstr(rotate.facts, "due_s="));
                assert_int_equal(vault_notice_done(f->v, rotate.id), OK);
            }
            assert_int_equal(both[0], told);
            assert_int_equal(both[1], told);
        }
    }
    /* The nearer one makes the farther one needless. */
    assert_int_equal(vault_client_add(f->v, &alice.id, &expires, &pw, &id), OK);
    take_notices(&alice.id, "client-added", &n);
    assert_int_equal(vault_expiring(f->v, end - HOUR), OK);
    assert_int_equal(take_notices(&alice.id, "client-expiring", &n), 1);
    assert_int_equal(vault_expiring(f->v, end - HOUR), OK);
    assert_int_equal(take_notices(&alice.id, "client-expiring", &n), 0);
}

/* A bait that sounded while the clock was ahead is not silent until it gets there. */
static void a_bait_after_a_clock_that_was_ahead(void **state)
{
    struct vault_client c;
    struct ip from;
    int64_t now = clock_unix_s();
    fixture_client(f, &alice.id, "canary=alarm", true, true, &pw);
    assert_int_equal(ip_parse(S("203.0.113.9"), &from), OK);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_int_equal(vault_canary_used(f->v, &c, VAULT_IMAP, &from, S(""), now + 400 * DAY), OK);
    vault_client_done(&c);
    assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
    assert_int_equal(vault_canary_used(f->v, &c, VAULT_IMAP, &from, S(""), now), OK);
    vault_client_done(&c);
}

/* What stands in the file is not taken for a place in memory, whatever it is. */
static void a_damaged_budget_is_refused(void **state)
{
    static const char *const starts[] = {
        "0100000000000000000000000000000000", "01FFFFFFFFFFFFFFFF0000000000000000",
        "010000000000000000FFFFFFFFFFFFFFFF", "01FFFFFFFFFFFFFF7F0000000000000000",
        "010000000000000000FFFFFFFFFFFFFF7F"};
    enum spend_verdict verdict;
    const struct vault_spending one = {.messages = 1};
    uint64_t id = fixture_client(f, &alice.id, "messages-day=10", true, true, &pw);
    assert_int_equal(spend(id, 1, "", 0, NOW), SPEND_OK);
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        char sql[256];
        fixture_reopen(f);
        snprintf(
            sql, sizeof sql, "UPDATE spent SET state = CAST(x'%s' || substr(state, 18) AS BLOB)", starts[i]);
        assert_int_equal(db_exec(vault_container_db(f->v, VAULT_CLIENTS), sql), OK);
        assert_int_equal(vault_spend(f->v, &alice.id, id, &one, NOW, &verdict), i ? ERR_CORRUPT : OK);
    }
}

static void a_bait_that_is_taken(void **state)
{
    struct vault_client c CLEANUP_CLIENT = {.id = 0};
    struct notice n;
    struct ip from;
    int64_t now = clock_unix_s();
    fixture_client(f, &alice.id, "canary=alarm", true, true, &pw);
    take_notices(&alice.id, "client-added", &n);
    assert_int_equal(ip_parse(S("203.0.113.9"), &from), OK);
    for (int day = 0; day < 2; day++) {
        assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
        assert_true(c.scopes.limits.is_canary);
        assert_int_equal(vault_canary_used(f->v, &c, VAULT_IMAP, &from, S("evil\n"), now + day * DAY), OK);
        assert_string_equal(f->told.last_kind, "client.canary");
        vault_client_done(&c);
        assert_int_equal(vault_client_find(f->v, &alice.id, &pw, &c), OK);
        assert_int_equal(
            vault_canary_used(f->v, &c, VAULT_IMAP, &from, S(""), now + day * DAY + HOUR), ERR_EXISTS);
        vault_client_done(&c);
        uint64_t at = 0;
        unsigned owner = 0, administrator = 0;
        while (vault_notice_next(f->v, at, &n) == OK) {
            at = n.id;
            assert_string_equal(n.kind, "canary");
            assert_non_null(strstr(n.facts, "account=alice@example.test\n"));
            assert_non_null(strstr(n.facts, "from=203.0.113.9\n"));
            assert_non_null(strstr(n.facts, "door=imap\n"));
            owner += account_id_eq(&n.account, &alice.id);
            administrator += account_id_eq(&n.account, &boss.id);
            assert_int_equal(vault_notice_done(f->v, n.id), OK);
        }
        assert_true(owner == 1 && administrator == 1);
    }
}

/* ---- audit ---- */

struct audited {
    unsigned n, risk;
    char reach[512], findings[256];
};
static void take_audited(void *owner, const struct client_audit *found)
{
    struct audited *a = owner;
    a->n++;
    a->risk = found->risk;
    fixture_text(a->reach, sizeof a->reach, found->reach);
    fixture_text(a->findings, sizeof a->findings, found->findings);
}

static struct audited audit_of(struct vault_client_new n, int64_t later)
{
    struct audited a = {.n = 0};
    uint64_t id;
    n.label = S("x");
    assert_int_equal(vault_client_add(f->v, &alice.id, &n, &pw, &id), OK);
    assert_int_equal(
        vault_clients_audit(
            f->v, SLICE_EMPTY, S("alice@example.test"), clock_unix_s() + later, take_audited, &a),
        OK);
    assert_int_equal(a.n, 1);
    assert_int_equal(vault_client_revoke(f->v, &alice.id, id), OK);
    return a;
}

static void what_each_could_do_if_it_leaked(void **state)
{
    struct audited a = audit_of((struct vault_client_new){.can_receive = true, .can_send = true}, 0);
    assert_int_equal(a.risk, 100);
    assert_string_equal(
        a.reach,
        "imap-read pop3-read whole-mailbox attachments imap-write delete send send-as-any send-anywhere "
        "unlimited-messages from-anywhere for-ever");
    assert_string_equal(a.findings, "wide");
    a = audit_of(
        (struct vault_client_new){
            .can_receive = true,
            .doors = VAULT_DOOR_BIT(VAULT_IMAP),
            .expires_s = clock_unix_s() + 20 * DAY,
            .limits = S("access=read-only\nfolder=INBOX\nattachments=none\nnetwork=10.0.0.0/8")},
        0);
    assert_int_equal(a.risk, 10);
    assert_string_equal(a.reach, "imap-read");
    assert_string_equal(a.findings, "");
    a = audit_of(
        (struct vault_client_new){
            .can_send = true,
            .limits = S("sender=a@example.test\nrecipient=@example.test\nmessages-day=5\nrotate=90")},
        0);
    assert_string_equal(a.reach, "send from-anywhere");
    a = audit_of((struct vault_client_new){.can_receive = true, .limits = S("access=append-only")}, 31 * DAY);
    assert_string_equal(a.reach, "imap-write from-anywhere for-ever");
    assert_string_equal(a.findings, "never-used");
    a = audit_of((struct vault_client_new){.can_receive = true, .limits = S("canary=alarm")}, 400 * DAY);
    assert_true(a.risk == 0 && a.reach[0] == '\0');
    assert_string_equal(a.findings, "canary");
    a = audit_of(
        (struct vault_client_new){.can_send = true, .limits = S("rotate=30\nmessages-day=1")}, 31 * DAY);
    assert_string_equal(a.findings, "never-used over-age");
    a = audit_of((struct vault_client_new){.can_send = true, .expires_s = clock_unix_s() + 6 * DAY}, 0);
    assert_string_equal(a.findings, "expiring");
    /* Revoked and expired ones are not told of; a whole domain is. */
    struct audited none = {.n = 0};
    assert_int_equal(
        vault_clients_audit(f->v, S("example.test"), SLICE_EMPTY, clock_unix_s(), take_audited, &none), OK);
    assert_int_equal(none.n, 0);
    assert_int_equal(
        vault_clients_audit(f->v, SLICE_EMPTY, S("nobody@example.test"), 0, take_audited, &none),
        ERR_NOT_FOUND);
}

static void weights_are_a_hundred(void **state)
{
    unsigned sum = 0, pop3 = 0;
#define REACH(word, weight, text)                                                                            \
    sum += weight;                                                                                           \
    pop3 += strcmp(word, "pop3-read") == 0 ? weight : 0;
    CLIENT_REACHES(REACH)
#undef REACH
    assert_int_equal(sum - pop3, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_of_an_hour_and_a_day, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_used_outlives_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(octets_slide_out_of_the_day, setup, teardown),
        cmocka_unit_test_setup_teardown(never_more_than_the_limit_in_any_window, setup, teardown),
        cmocka_unit_test_setup_teardown(new_recipients, setup, teardown),
        cmocka_unit_test_setup_teardown(recipients_are_kept_under_a_key, setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_not_spend, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_secret_takes_its_budget_along, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_come_with_their_change, setup, teardown),
        cmocka_unit_test_setup_teardown(both_outboxes_are_one_list, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_are_told_once_each, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bait_that_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bait_after_a_clock_that_was_ahead, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_budget_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_each_could_do_if_it_leaked, setup, teardown),
        cmocka_unit_test(weights_are_a_hundred),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}

/* T-330: a ticket is good once, for its service, for LIMIT_TICKET_LIFE, and not after its credential was revoked. */
#include "test.h"

#include "base/clock.h"
#include "base/limits.h"
#include "keeper/grants.h"

static struct msg_grant grant_of(const char ticket[TICKET_OCTETS], uint64_t credential, uint32_t version)
{
    return (struct msg_grant){
        .ticket = slice_of(ticket, TICKET_OCTETS),
        .account.b = {1, 2, 3},
        .credential = credential,
        .version = version,
        .service = SERVICE_IMAP,
        .address = S("alice@ours.test"),
    };
}

static int cases;

static void one_use(void **unused)
{
    (void)unused;
    struct loop *loop = loop_new();
    struct grants *g = grants_new(loop);
    char ticket[TICKET_OCTETS] = "0123456789abcdef0123456789abcde", other[TICKET_OCTETS];
    struct msg_grant m = grant_of(ticket, 5, 1);
    struct grant got;
    assert_ok(grants_add(g, &m));
    assert_err(ERR_EXISTS, grants_add(g, &m));
    for (size_t bit = 0; bit < TICKET_OCTETS * 8; bit++, cases++) {
        memcpy(other, ticket, sizeof other);
        other[bit / 8] ^= (char)(1 << bit % 8);
        assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(other, sizeof other), SERVICE_IMAP, &got));
    }
    assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(ticket, 31), SERVICE_IMAP, &got));
    assert_err(ERR_NOT_FOUND, grants_take(g, SLICE_EMPTY, SERVICE_IMAP, &got));
    assert_ok(grants_take(g, slice_of(ticket, 32), SERVICE_IMAP, &got));
    assert_string_equal("alice@ours.test", got.address);
    assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(ticket, 32), SERVICE_IMAP, &got));
    cases += 4;
    grants_free(&g);
    loop_free(&loop);
}

static void wrong_service_uses_it_up(void **unused)
{
    (void)unused;
    struct loop *loop = loop_new();
    struct grants *g = grants_new(loop);
    char ticket[TICKET_OCTETS] = "service";
    struct msg_grant m = grant_of(ticket, 5, 1);
    struct grant got;
    assert_ok(grants_add(g, &m));
    assert_err(ERR_DENIED, grants_take(g, slice_of(ticket, 32), SERVICE_SUBMISSION, &got));
    assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(ticket, 32), SERVICE_IMAP, &got));
    cases += 2;
    grants_free(&g);
    loop_free(&loop);
}

/* INV-V3: a limit that this keeper does not know opens nothing; one that it knows stays as long as anybody acts on it. */
static void limits_come_along(void **unused)
{
    (void)unused;
    static const struct {
        const char *limits;
        enum err e;
    } bad[] = {{"colour=red", ERR_UNSUPPORTED}, {"days=many", ERR_SYNTAX}, {"folder", ERR_SYNTAX}};
    struct loop *loop = loop_new();
    struct grants *g = grants_new(loop);
    char ticket[TICKET_OCTETS] = "limits";
    struct msg_grant m = grant_of(ticket, 5, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++, cases++) {
        m.limits = slice_str(bad[i].limits);
        assert_err(bad[i].e, grants_add(g, &m));
    }
    struct grant got, second;
    m.limits = S("access=read-only\ndays=30\n");
    assert_ok(grants_add(g, &m));
    assert_ok(grants_take(g, slice_of(ticket, 32), SERVICE_IMAP, &got));
    second = grant_ref(&got);
    grant_done(&got);
    assert_int_equal(SCOPE_READ, grant_scope(&second)->rights);
    assert_int_equal(30, grant_scope(&second)->window_days);
    grant_done(&second);
    assert_int_equal(SCOPE_ALL, grant_scope(&second)->rights);
    grants_free(&g);
    loop_free(&loop);
}

static void too_late(void **unused)
{
    (void)unused;
    struct loop *loop = loop_new();
    struct grants *g = grants_new(loop);
    char ticket[TICKET_OCTETS] = "late";
    struct msg_grant m = grant_of(ticket, 5, 1);
    struct grant got;
    assert_ok(grants_add(g, &m));
    clock_set_offset(LIMIT_TICKET_LIFE + 1000);
    loop_turn(loop, 5);
    assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(ticket, 32), SERVICE_IMAP, &got));
    clock_set_offset(0);
    cases++;
    grants_free(&g);
    loop_free(&loop);
}

static void revoked_before_use(void **unused)
{
    (void)unused;
    struct loop *loop = loop_new();
    struct grants *g = grants_new(loop);
    char narrowed[TICKET_OCTETS] = "narrowed", kept[TICKET_OCTETS] = "kept", third[TICKET_OCTETS] = "third";
    struct msg_grant a = grant_of(narrowed, 5, 1), b = grant_of(kept, 5, 2), c = grant_of(third, 6, 1);
    struct grant got;
    assert_ok(grants_add(g, &a));
    assert_ok(grants_add(g, &b));
    assert_ok(grants_add(g, &c));
    grants_revoke(g, &a.account, 5, 2);
    assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(narrowed, 32), SERVICE_IMAP, &got));
    assert_ok(grants_take(g, slice_of(kept, 32), SERVICE_IMAP, &got));
    grants_revoke(g, &a.account, 0, 0);
    assert_err(ERR_NOT_FOUND, grants_take(g, slice_of(third, 32), SERVICE_IMAP, &got));
    cases += 3;
    report_threat("T-330", cases);
    grants_free(&g);
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_use),
        cmocka_unit_test(wrong_service_uses_it_up),
        cmocka_unit_test(limits_come_along),
        cmocka_unit_test(too_late),
        cmocka_unit_test(revoked_before_use),
    };
    return cmocka_run_group_tests_name("keeper/grants", tests, NULL, NULL);
}

/* Every message of the schema makes the round trip; every cut, every stray octet and every wrong value is
 * refused. */
#include "test.h"

#include "ipc/message.h"

static uint64_t state = 42;
static uint64_t next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 16;
}

static char text[LIMIT_IPC_MESSAGE];

/* Fills every field by its kind. Texts share the frame, so each gets a small part of its limit. */
static void fill(struct ipc_msg *m, const struct ipc_shape *shape)
{
    for (unsigned i = 0; i < shape->field_count; i++) {
        const struct ipc_field *f = &shape->fields[i];
        char *at = (char *)&m->u + f->offset;
        uint64_t r = next_random();
        if (f->kind >= IPC_TEXT) {
            *(struct slice *)at = slice_of(text, r % ((f->limit < 2000 ? f->limit : 2000) + 1));
        } else if (f->kind == IPC_ENUM) {
            *(int *)at = (int)(r % f->name_count);
        } else if (f->kind == IPC_BOOL) {
            *(bool *)at = r & 1;
        } else {
            static const size_t size[] = {[IPC_U8] = 1,  [IPC_U16] = 2,    [IPC_U32] = 4, [IPC_U64] = 8,
                                          [IPC_I64] = 8, [IPC_ID128] = 16, [IPC_IP] = 16};
            for (size_t k = 0; k < size[f->kind]; k++)
                at[k] = (char)next_random();
        }
    }
}

static void encode_random(enum ipc_type type, struct buf *out)
{
    struct ipc_msg m = {.type = type, .id = next_random(), .fd_count = ipc_shape_of(type)->descriptors};
    fill(&m, ipc_shape_of(type));
    assert_ok(ipc_encode(&m, out));
}

static void round_trip(void **unused)
{
    (void)unused;
    for (unsigned type = MSG_NONE + 1; type < MSG_N; type++) {
        for (int turn = 0; turn < 20; turn++) {
            struct buf first = BUF_INIT(LIMIT_IPC_MESSAGE), second = BUF_INIT(LIMIT_IPC_MESSAGE);
            encode_random((enum ipc_type)type, &first);
            struct ipc_msg back;
            assert_ok(ipc_decode(buf_slice(&first), &back));
            assert_int_equal(back.type, type);
            back.fd_count = ipc_shape_of(type)->descriptors;
            assert_ok(ipc_encode(&back, &second));
            assert_true(slice_eq(buf_slice(&first), buf_slice(&second)));
            buf_done(&first);
            buf_done(&second);
        }
    }
}

static void exact_end(void **unused)
{
    (void)unused;
    int cases = 0;
    for (unsigned type = MSG_NONE + 1; type < MSG_N; type++) {
        struct buf frame = BUF_INIT(LIMIT_IPC_MESSAGE + 1);
        encode_random((enum ipc_type)type, &frame);
        struct ipc_msg back;
        for (size_t n = 0; n < frame.n; n++, cases++)
            assert_err(ERR_PROTOCOL, ipc_decode(slice_of(frame.p, n), &back));
        buf_put_char(&frame, 'x');
        assert_err(ERR_PROTOCOL, ipc_decode(buf_slice(&frame), &back));
        frame.p[4]++; /* the length now covers the stray octet */
        if (frame.p[4])
            assert_err(ERR_PROTOCOL, ipc_decode(buf_slice(&frame), &back));
        cases += 2;
        buf_done(&frame);
    }
    report_threat("T-329", cases);
}

static void mutated_frames(void **unused)
{
    (void)unused;
    int turns = getenv("LETTERLOCK_FULL") ? 8000000 : 200000; /* a million for each pair of roles that talk */
    for (int turn = 0; turn < turns; turn++) {
        struct buf frame = BUF_INIT(LIMIT_IPC_MESSAGE);
        encode_random((enum ipc_type)(1 + next_random() % (MSG_N - 1)), &frame);
        for (uint64_t k = next_random() % 4 + 1; k; k--)
            frame.p[next_random() % frame.n] = (char)next_random();
        struct ipc_msg back;
        enum err e = ipc_decode(buf_slice(&frame), &back);
        assert_true(e == OK || e == ERR_PROTOCOL);
        buf_done(&frame);
    }
    report_threat("T-329", turns);
}

static void wrong_values(void **unused)
{
    (void)unused;
    struct buf frame = BUF_INIT(1000);
    struct ipc_msg m = {.type = MSG_OWNS_RESULT, .u.owns_result = {.outcome = OWNS_OUTCOME_LATER}}, back;
    assert_ok(ipc_encode(&m, &frame));
    assert_ok(ipc_decode(buf_slice(&frame), &back));
    frame.p[16] = OWNS_OUTCOME_N; /* no such value */
    assert_err(ERR_PROTOCOL, ipc_decode(buf_slice(&frame), &back));
    buf_clear(&frame);
    m = (struct ipc_msg){.type = MSG_CREDENTIAL_CHECK_RESULT, .u.credential_check_result = {.live = true}};
    assert_ok(ipc_encode(&m, &frame));
    frame.p[16] = 2; /* neither yes nor no */
    assert_err(ERR_PROTOCOL, ipc_decode(buf_slice(&frame), &back));
    buf_clear(&frame);
    m = (struct ipc_msg){.type = MSG_DOMAIN_ADD, .u.domain_add = {.name = slice_of(text, 256)}};
    assert_err(ERR_LIMIT, ipc_encode(&m, &frame));
    buf_done(&frame);
}

static void secrets_are_dots(void **unused)
{
    (void)unused;
    struct ipc_msg m = {
        .type = MSG_SIGNIN_STEP, .u.signin_step = {.session = 7, .response = S("alice\0secret-canary")}};
    struct buf out = BUF_INIT(1000);
    ipc_print(&m, &out);
    assert_slice("signin_step session=7 response=....", buf_slice(&out));
    buf_done(&out);
}

static void permits(void **unused)
{
    (void)unused;
    assert_true(ipc_may_send(MSG_GRANT, ROLE_VAULT, ROLE_KEEPER));
    assert_false(ipc_may_send(MSG_GRANT, ROLE_GATE, ROLE_KEEPER));
    assert_false(ipc_may_send(MSG_GRANT, ROLE_KEEPER, ROLE_VAULT));
    assert_true(ipc_may_send(MSG_ATTACH, ROLE_GATE, ROLE_KEEPER));
    assert_false(ipc_may_send(MSG_CLIENT_ADD, ROLE_GATE, ROLE_VAULT));
    assert_null(ipc_shape_of(MSG_N));
    assert_null(ipc_shape_of(65535));
    /* the gate may ask the vault for nothing but sign-in, mechanisms, recipients and senders */
    for (unsigned type = 1; type < MSG_N; type++) {
        if (!ipc_may_send((enum ipc_type)type, ROLE_GATE, ROLE_VAULT) || ipc_shape_of(type)->reply)
            continue;
        const char *name = ipc_shape_of(type)->name;
        static const char *const allowed[] = {"signin_start", "signin_step", "signin_cancel", "mechanisms",
                                              "resolve",      "owns",        "refusal"};
        bool found = false;
        for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
            found |= strcmp(name, allowed[i]) == 0;
        if (!found)
            fail_msg("the gate may send %s to the vault", name);
    }
}

int main(void)
{
    memset(text, 'x', sizeof text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),   cmocka_unit_test(exact_end),        cmocka_unit_test(mutated_frames),
        cmocka_unit_test(wrong_values), cmocka_unit_test(secrets_are_dots), cmocka_unit_test(permits),
    };
    return cmocka_run_group_tests_name("ipc/message", tests, NULL, NULL);
}

/* The SMTP front behind a real gate: a client on a socket, a vault and a keeper at the other ends of real channels. */
#include "gate_world.h"

#include <endian.h>
#include <errno.h>

#include "cases.h"
#include "smtp/front/front.h"

/* What this test's vault and keeper know and saw, beside what struct world does. */
static struct {
    struct world *w;
    int fd; /* of the arriving octets */
    struct buf octets;
    bool whole, cut, paused, silent, vault_silent;
    uint64_t arrival, asked; /* asked: the request for the result */
    unsigned begins, rcpts, cancels, checks;
    struct msg_arrive_begin begin;
    char from[400], trace[4096], to[400];
    enum ipc_arrive_outcome outcome;
    enum ipc_recipient_outcome room;
    size_t frame_left;
    struct buf raw;
    struct buf refusals; /* "service address reason detail" lines */
} s;

static void answer_end(void)
{
    struct ipc_msg m = {
        .type = MSG_ARRIVE_RESULT, .u.arrive_result = {.outcome = s.outcome, .message_id = S("abcdef")}};
    assert_ok(channel_answer(s.w->keeper, s.asked, &m));
    s.asked = 0;
}

static void read_octets(void)
{
    char some[65536];
    if (s.fd < 0 || s.paused)
        return;
    for (ssize_t n; (n = read(s.fd, some, sizeof some)) >= 0;) {
        if (n == 0) {
            s.cut = !s.whole;
            close(TAKE(s.fd, -1));
            break;
        }
        buf_put(&s.raw, slice_of(some, (size_t)n));
    }
    while (!s.whole) {
        uint32_t length;
        if (s.frame_left) {
            size_t n = s.frame_left < s.raw.n ? s.frame_left : s.raw.n;
            buf_put(&s.octets, slice_sub(buf_slice(&s.raw), 0, n));
            buf_drop_front(&s.raw, n);
            s.frame_left -= n;
            if (s.frame_left)
                break;
        }
        if (s.raw.n < sizeof length)
            break;
        memcpy(&length, s.raw.p, sizeof length);
        buf_drop_front(&s.raw, sizeof length);
        s.frame_left = le32toh(length);
        s.whole = s.frame_left == 0;
    }
    if (s.whole && s.asked && !s.silent)
        answer_end();
}

static void on_keeper(struct channel *ch, struct ipc_msg *m, void *owner)
{
    if (m->type == MSG_RECIPIENT_CHECK) {
        struct ipc_msg answer = {
            .type = MSG_RECIPIENT_CHECK_RESULT,
            .u.recipient_check_result.outcome =
                m->u.recipient_check.account.b[0] == 9 ? RECIPIENT_OUTCOME_FULL : s.room};
        s.checks++;
        assert_ok(channel_answer(ch, m->id, &answer));
    } else if (m->type == MSG_ARRIVE_BEGIN) {
        s.begins++;
        s.begin = m->u.arrive_begin;
        s.arrival = s.begin.arrival;
        snprintf(s.from, sizeof s.from, SLICE_FMT, SLICE_ARG(s.begin.reverse_path));
        snprintf(s.trace, sizeof s.trace, SLICE_FMT, SLICE_ARG(s.begin.trace));
        s.fd = TAKE(m->fds[0], -1);
        fcntl(s.fd, F_SETFL, O_NONBLOCK);
        s.whole = s.cut = false;
        s.frame_left = 0;
        buf_clear(&s.octets);
        buf_clear(&s.raw);
    } else if (m->type == MSG_ARRIVE_RCPT) {
        s.rcpts++;
        snprintf(s.to, sizeof s.to, SLICE_FMT, SLICE_ARG(m->u.arrive_rcpt.recipient));
    } else if (m->type == MSG_ARRIVE_END) {
        s.asked = m->id;
    } else if (m->type == MSG_ARRIVE_CANCEL) {
        s.cancels++;
    } else {
        world_on_keeper(ch, m, owner);
    }
}

static void give_target(struct channel *ch, uint64_t id, uint8_t account)
{
    struct ipc_msg item = {
        .type = MSG_RESOLVE_TARGET,
        .u.resolve_target = {
            .account = {{account}}, .slot = account, .address = S("box@ours.test"), .quota_bytes = 100}};
    assert_ok(channel_answer(ch, id, &item));
}

static void on_vault(struct channel *ch, struct ipc_msg *m, void *owner)
{
    if (m->type == MSG_RESOLVE && !s.vault_silent) {
        struct slice r = m->u.resolve.recipient;
        struct ipc_msg end = {.type = MSG_RESOLVE_RESULT};
        enum ipc_resolve_outcome outcome = RESOLVE_OUTCOME_KNOWN;
        if (slice_starts(r, S("bob@ours.test")) || slice_eq_nocase(r, S("postmaster")))
            give_target(ch, m->id, 2);
        else if (slice_starts(r, S("full@ours.test")))
            give_target(ch, m->id, 9);
        else if (slice_starts(r, S("team@ours.test"))) {
            give_target(ch, m->id, 9);
            give_target(ch, m->id, 2);
            give_target(ch, m->id, 3);
        } else if (slice_eq(r, S("not-to@ours.test")))
            outcome = RESOLVE_OUTCOME_LIMITED;
        else
            outcome = slice_ends(r, S("@ours.test"))   ? RESOLVE_OUTCOME_UNKNOWN
                      : slice_ends(r, S("@many.test")) ? RESOLVE_OUTCOME_REFUSED
                                                       : RESOLVE_OUTCOME_FOREIGN;
        end.u.resolve_result.outcome = outcome;
        assert_ok(channel_answer(ch, m->id, &end));
    } else if (m->type == MSG_OWNS) {
        struct ipc_msg answer = {
            .type = MSG_OWNS_RESULT,
            .u.owns_result.outcome = slice_eq(m->u.owns.address, S("alice@ours.test")) ? OWNS_OUTCOME_YES
                                     : slice_eq(m->u.owns.address, S("not-as@ours.test"))
                                         ? OWNS_OUTCOME_LIMITED
                                         : OWNS_OUTCOME_NO};
        assert_ok(channel_answer(ch, m->id, &answer));
    } else if (m->type == MSG_REFUSAL) {
        const struct msg_refusal *r = &m->u.refusal;
        char ip[IP_TEXT_MAX];
        assert_string_equal(ip_text(&r->client, ip), "192.0.2.7");
        assert_true(r->time_s > 1700000000);
        buf_printf(
            &s.refusals, "%s " SLICE_FMT " " SLICE_FMT " " SLICE_FMT "\n", ipc_service_name(r->service),
            SLICE_ARG(r->address), SLICE_ARG(r->reason), SLICE_ARG(r->detail));
    } else {
        world_on_vault(ch, m, owner);
    }
}

static struct world *start(void)
{
    struct world *w = world_new(&smtp_front);
    gate_vault_down(&w->gate);
    channel_close(&w->gate_vault);
    channel_close(&w->vault);
    channel_close(&w->gate_keeper);
    channel_close(&w->keeper);
    world_channels(w, ROLE_VAULT, on_vault, &w->gate_vault, &w->vault);
    world_channels(w, ROLE_KEEPER, on_keeper, &w->gate_keeper, &w->keeper);
    gate_vault_up(&w->gate, w->gate_vault);
    world_turns(w, 4);
    memset(&s, 0, sizeof s);
    s.w = w;
    s.fd = -1;
    s.octets = BUF_INIT(64 << 20);
    s.raw = BUF_INIT(64 << 20);
    s.refusals = BUF_INIT(1 << 20);
    return w;
}

static void stop(struct world *w)
{
    world_free(w);
    if (s.fd >= 0)
        close(s.fd);
    buf_done(&s.octets);
    buf_done(&s.raw);
    buf_done(&s.refusals);
}

/* Sends, lets things happen, and the last reply line must start with `want`. */
static void say(struct client *c, const char *text, const char *want)
{
    buf_clear(&c->got);
    struct slice rest = slice_str(text);
    for (int tries = 0; rest.n && tries < 1000; tries++) {
        ssize_t n = c->tls ? SSL_write(c->t.ssl, rest.p, (int)rest.n) : write(c->fd, rest.p, rest.n);
        if (n > 0)
            rest = slice_from(rest, (size_t)n);
        world_turns(c->w, 1);
        read_octets();
    }
    for (int i = 0; i < 4; i++) {
        client_read(c);
        read_octets();
    }
    struct slice got = buf_slice(&c->got);
    size_t end = got.n > 2 ? slice_rfind(slice_sub(got, 0, got.n - 2), '\n') : SLICE_NPOS;
    struct slice last = end == SLICE_NPOS ? got : slice_from(got, end + 1);
    if (want && !slice_starts(last, slice_str(want)))
        fail_msg("%s: '%.*s' instead of %s", text, SLICE_ARG(got), want);
}

static void to_data(struct client *c)
{
    say(c, "EHLO client.test\r\n", "250 ");
    say(c, "MAIL FROM:<s@their.test>\r\n", "250 2.1.0");
    say(c, "RCPT TO:<bob@ours.test>\r\n", "250 2.1.5");
    say(c, "DATA\r\n", "354");
}

static void a_stranger_brings_a_message(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    say(c, "", "220 mx.test ESMTP");
    to_data(c);
    say(c, "Subject: x\r\n\r\n..dot\r\n.\r\n", "250 2.6.0 message stored (abcdef)");
    assert_int_equal(s.begins, 1);
    assert_int_equal(s.rcpts, 1);
    assert_string_equal(s.from, "s@their.test");
    assert_string_equal(s.to, "bob@ours.test");
    assert_true(slice_eq(buf_slice(&s.octets), S("Subject: x\r\n\r\n.dot\r\n")));
    assert_int_equal(s.begin.session, 0);
    assert_non_null(strstr(s.trace, "client.test"));
    assert_non_null(strstr(s.trace, "192.0.2.7"));
    assert_non_null(strstr(s.trace, "ESMTP"));
    assert_non_null(strstr(s.trace, "for <bob@ours.test>"));
    assert_true(slice_ends(slice_str(s.trace), S("\r\n")));
    /* a second one on the same connection; two recipients stand in no trace */
    say(c, "MAIL FROM:<>\r\nRCPT TO:<bob@ours.test>\r\nRCPT TO:<Postmaster>\r\n", "250 2.1.5");
    say(c, "BDAT 6 LAST\r\na: b\r\n", "250 2.6.0");
    assert_null(strstr(s.trace, "for <"));
    say(c, "QUIT\r\n", "221");
    assert_true(c->ended);
    client_free(c);
    stop(w);
}

static void recipients_are_judged(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    say(c, "EHLO client.test\r\n", "250 ");
    say(c, "MAIL FROM:<s@their.test>\r\n", "250");
    say(c, "RCPT TO:<nobody@ours.test>\r\n", "550 5.1.1");
    say(c, "RCPT TO:<x@their.test>\r\n", "550 5.7.1 relaying");
    say(c, "RCPT TO:<x@many.test>\r\n", "450 4.7.1");
    say(c, "RCPT TO:<full@ours.test>\r\n", "452 4.2.2");
    say(c, "RCPT TO:<team@ours.test>\r\n", "250 2.1.5");
    assert_int_equal(s.checks, 4);
    s.room = RECIPIENT_OUTCOME_LATER;
    say(c, "RCPT TO:<bob@ours.test>\r\n", "451 4.3.0");
    s.room = RECIPIENT_OUTCOME_GONE;
    say(c, "RCPT TO:<bob@ours.test>\r\n", "550 5.1.1");
    s.room = RECIPIENT_OUTCOME_OK;
    w->keeper_is_away = true;
    say(c, "RCPT TO:<bob@ours.test>\r\n", "451 4.3.0");
    say(c, "DATA\r\n", "451 4.3.0");
    w->keeper_is_away = false;
    say(c, "MAIL FROM:<s@their.test>\r\nRCPT TO:<team@ours.test>\r\n", "250");
    say(c, "DATA\r\n", "354");
    assert_int_equal(s.begin.recipients, 3);
    say(c, "a: b\r\n.\r\n", "250");
    s.vault_silent = true;
    say(c, "MAIL FROM:<s@their.test>\r\nRCPT TO:<new@ours.test>\r\n", "250 2.1.0");
    world_pass(w, LIMIT_IPC_DEADLINE + 1000);
    say(c, "", "451 4.3.0");
    gate_vault_down(&w->gate);
    say(c, "RCPT TO:<new@ours.test>\r\n", "451 4.3.0");
    client_free(c);
    stop(w);
}

/* The channel's end, as the process sees it. */
static void close_vault(struct world *w)
{
    channel_close(&w->gate_vault);
    gate_vault_down(&w->gate);
}

/* T-255: to recipients that the vault told of before it went away; the keepers have their say as ever. */
static void mail_goes_on_without_the_vault(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    say(c, "EHLO client.test\r\n", "250 ");
    say(c, "MAIL FROM:<s@their.test>\r\n", "250 2.1.0");
    say(c, "RCPT TO:<bob@ours.test>\r\nRCPT TO:<team@ours.test>\r\nRCPT TO:<Postmaster>\r\n", "250 2.1.5");
    say(c, "RCPT TO:<nobody@ours.test>\r\n", "550 5.1.1");
    say(c, "RSET\r\nMAIL FROM:<s@their.test>\r\n", "250 2.1.0");
    s.vault_silent = true;
    say(c, "RCPT TO:<bob@ours.test>\r\n", NULL);
    assert_int_equal(c->got.n, 0);
    world_pass(w, LIMIT_IPC_DEADLINE + 1000); /* it may know of changes */
    say(c, "", "451 4.3.0");
    say(c, "RCPT TO:<Bob@OURS.test>\r\n", NULL);
    assert_int_equal(c->got.n, 0);
    close_vault(w); /* while it was asked */
    say(c, "", "250 2.1.5");
    say(c, "RCPT TO:<team@ours.test>\r\n", "250 2.1.5");
    say(c, "RCPT TO:<nobody@ours.test>\r\n", "451 4.3.0");
    say(c, "RCPT TO:<Postmaster>\r\n", "451 4.3.0");
    s.room = RECIPIENT_OUTCOME_FULL;
    say(c, "RCPT TO:<bob@ours.test>\r\n", "452 4.2.2");
    s.room = RECIPIENT_OUTCOME_GONE;
    say(c, "RCPT TO:<bob@ours.test>\r\n", "550 5.1.1");
    say(c, "DATA\r\n", "354");
    assert_int_equal(s.begin.recipients, 3);
    say(c, "a: b\r\n.\r\n", "250 2.6.0");
    s.room = RECIPIENT_OUTCOME_OK;
    say(c, "MAIL FROM:<s@their.test>\r\nRCPT TO:<bob@ours.test>\r\n", "250 2.1.5");
    recipients_forget(&w->gate.recipients);
    say(c, "RCPT TO:<team@ours.test>\r\n", "451 4.3.0");
    client_free(c);
    stop(w);
}

/* What a credential may send where is the vault's alone to know. */
static void submission_waits_for_the_vault(void **state)
{
    struct world *w = start();
    struct client *mx = client_open(w, DOOR_SMTP, "192.0.2.7");
    to_data(mx);
    struct client *c = client_open(w, DOOR_SUBMISSIONS, "192.0.2.7");
    say(c, "EHLO phone.test\r\n", "250 AUTH PLAIN LOGIN");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235 2.7.0");
    say(c, "MAIL FROM:<alice@ours.test>\r\nRCPT TO:<bob@ours.test>\r\n", "250 2.1.5");
    gate_vault_down(&w->gate);
    say(c, "RCPT TO:<bob@ours.test>\r\n", "451 4.3.0");
    client_free(c);
    client_free(mx);
    stop(w);
}

static void each_outcome_has_its_words(void **state)
{
    static const struct {
        enum ipc_arrive_outcome outcome;
        const char *want;
    } rows[] = {{ARRIVE_OUTCOME_STORED, "250 2.6.0"},    {ARRIVE_OUTCOME_LATER, "451 4.3.0"},
                {ARRIVE_OUTCOME_DISK_FULL, "452 4.3.1"}, {ARRIVE_OUTCOME_QUOTA, "452 4.2.2"},
                {ARRIVE_OUTCOME_TOO_BIG, "552 5.3.4"},   {ARRIVE_OUTCOME_LOOP, "554 5.4.6"},
                {ARRIVE_OUTCOME_SENDER, "553 5.7.1"},    {ARRIVE_OUTCOME_HEADER, "552 5.3.4"},
                {ARRIVE_OUTCOME_MALFORMED, "554 5."},    {ARRIVE_OUTCOME_CANCELLED, "451 4.3.0"}};
    struct world *w = start();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
        s.outcome = rows[i].outcome;
        to_data(c);
        say(c, "a: b\r\n.\r\n", rows[i].want);
        say(c, "DATA\r\n", "503"); /* T-027 */
        client_free(c);
    }
    stop(w);
}

/* T-042, T-040: a client that goes leaves nothing complete behind. */
static void a_client_goes_in_the_middle(void **state)
{
    struct world *w = start();
    for (int how = 0; how < 3; how++) {
        struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
        to_data(c);
        say(c, how == 2 ? "a: b\r\n\r\nx\r\n." : "a: b\r\n", NULL);
        if (how == 1)
            say(c, "x\n\r\n.\r\n", "554 5.5.2"); /* refused: cancelled at once */
        client_free(c);
        world_turns(w, 4);
        read_octets();
        assert_true(s.cut && !s.whole);
        assert_int_equal(s.cancels, how + 1);
    }
    stop(w);
}

/* T-043: no answer in 30 s is 451, and the keeper hears that nobody was told 250 (T-293). */
static void t043_no_answer_is_later(void **state)
{
    struct cases t = {"T-043 (gate)"};
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    s.silent = true;
    to_data(c);
    say(c, "a: b\r\n.\r\n", NULL);
    cases_check(&t, c->got.n == 0 && s.whole, "waits");
    world_pass(w, LIMIT_IPC_DEADLINE - 2000);
    say(c, "", NULL);
    cases_check(&t, c->got.n == 0, "still");
    world_pass(w, 4000);
    say(c, "", "451 4.3.0");
    cases_check(&t, s.cancels == 1, "the keeper knows");
    s.asked = 0;
    s.silent = false;
    say(c, "MAIL FROM:<s@their.test>\r\nRCPT TO:<bob@ours.test>\r\n", "250");
    say(c, "DATA\r\n", "354");
    say(c, "a: b\r\n.\r\n", "250");
    cases_check(&t, s.begins == 2, "goes on");
    s.silent = true; /* the client goes while the answer is under way: what is complete goes on (RFC 1047) */
    say(c, "MAIL FROM:<s@their.test>\r\nRCPT TO:<bob@ours.test>\r\n", "250");
    say(c, "DATA\r\n", "354");
    say(c, "a: b\r\n.\r\n", NULL);
    unsigned cancels = s.cancels;
    client_free(c);
    read_octets();
    cases_check(&t, s.whole && s.cancels == cancels, "not cancelled");
    w->keeper_is_away = true;
    cases_check(&t, s.begins == 3, "three messages");
    cases_end(&t, 6);
    stop(w);
}

/* Octets that the keeper does not take stop the client, and no more than a little waits here. */
static void a_slow_keeper_slows_the_client(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    struct buf body CLEANUP_BUF = BUF_INIT(8 << 20);
    buf_put(&body, S("a: b\r\n\r\n"));
    while (body.n < 4 << 20)
        buf_put(&body, S("a line of a message that is not small, again and again and again\r\n"));
    buf_put(&body, S(".\r\n"));
    to_data(c);
    s.paused = true;
    size_t sent = 0;
    for (int i = 0; i < 3000; i++) {
        ssize_t n = write(c->fd, body.p + sent, body.n - sent);
        sent += n > 0 ? (size_t)n : 0;
        world_turns(w, 1);
    }
    assert_true(sent < 2 << 20);
    world_pass(w, 200000); /* our waiting is not the client's slowness */
    s.paused = false;
    for (int i = 0; i < 5000 && sent < body.n; i++) {
        ssize_t n = write(c->fd, body.p + sent, body.n - sent);
        sent += n > 0 ? (size_t)n : 0;
        world_turns(w, 1);
        read_octets();
    }
    assert_int_equal(sent, body.n);
    say(c, "", "250 2.6.0");
    assert_int_equal(s.octets.n, body.n - 3);
    client_free(c);
    stop(w);
}

/* T-035 */
static void t035_slow_bodies(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    to_data(c);
    for (int i = 0; i < 12 && !c->ended; i++) {
        say(c, "x", NULL);
        world_pass(w, 10000);
    }
    client_read(c);
    assert_true(c->ended);
    assert_true(slice_search(buf_slice(&c->got), S("421 4.4.2")) != SLICE_NPOS);
    read_octets();
    assert_true(s.cut && s.cancels == 1);
    client_free(c);
    stop(w);
}

static void submission_from_sign_in_to_revocation(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SUBMISSIONS, "192.0.2.7");
    assert_false(c->ended);
    say(c, "EHLO phone.test\r\n", "250 AUTH PLAIN LOGIN");
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "530 5.7.0");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235 2.7.0");
    assert_int_equal(w->attaches, 1);
    assert_string_equal(w->program, "phone.test");
    say(c, "MAIL FROM:<bob@ours.test>\r\n", "553 5.7.1");
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "250");
    say(c, "RCPT TO:<x@their.test>\r\n", "550 5.7.1 this server does not send");
    say(c, "RCPT TO:<bob@ours.test>\r\n", "250");
    say(c, "DATA\r\n", "354");
    assert_int_not_equal(s.begin.session, 0);
    assert_int_equal(s.begin.service, SERVICE_SUBMISSION);
    assert_int_equal(w->slot_asked, 77);
    assert_null(strstr(s.trace, "192.0.2.7")); /* hide_client_address */
    assert_non_null(strstr(s.trace, "ESMTPSA"));
    say(c, "From: alice@ours.test\r\n\r\n.\r\n", "250 2.6.0");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "503");
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "250");
    close(TAKE(w->keeper_fd, -1)); /* revoked */
    say(c, "", "421 4.7.0 the sign-in was withdrawn");
    assert_true(c->ended);
    client_free(c);
    stop(w);
}

/* A message of many octets on a slow line: who has signed in is under no deadline but that of the protocol, and makes no room for
 * strangers. */
static void who_has_signed_in_is_no_stranger(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SUBMISSIONS, "192.0.2.7");
    say(c, "EHLO phone.test\r\n", "250 AUTH PLAIN LOGIN");
    assert_int_equal(w->gate.waiting_count[GATE_SMTP], 1);
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235 2.7.0");
    assert_int_equal(w->gate.waiting_count[GATE_SMTP], 0);
    assert_int_equal(gate_signed_in(&w->gate), 1);
    world_pass(w, LIMIT_PREAUTH_TIME + 1000);
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "250");
    world_pass(w, LIMIT_COMMAND_WAIT - 1000);
    say(c, "RCPT TO:<bob@ours.test>\r\n", "250");
    world_pass(w, LIMIT_COMMAND_WAIT + 1000);
    say(c, "", "421 4.4.2");
    assert_true(c->ended);
    assert_int_equal(gate_signed_in(&w->gate), 0);
    client_free(c);
    stop(w);
}

static void sign_ins_that_fail(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SUBMISSION, "192.0.2.7");
    say(c, "EHLO phone.test\r\n", "250 STARTTLS");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "538 5.7.11");
    say(c, "STARTTLS\r\n", "220 2.0.0");
    assert_true(client_handshake(c));
    say(c, "EHLO phone.test\r\n", "250 AUTH PLAIN LOGIN");
    say(c, "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6");
    say(c, "*\r\n", "501 5.7.0");
    say(c, "AUTH FOO\r\n", "504");
    w->attach_outcome = ATTACH_OUTCOME_LATER;
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "454 4.7.0");
    w->vault_mode = VAULT_SAYS_LATER;
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "454 4.7.0");
    w->vault_mode = VAULT_JUDGES;
    w->attach_outcome = ATTACH_OUTCOME_OK;
    for (int i = 0; i < 2; i++)
        say(c, "AUTH PLAIN AGFsaWNlAHdyb25n\r\n", "535 5.7.8");
    say(c, "AUTH PLAIN AGFsaWNlAHdyb25n\r\n", "421 4.7.0");
    assert_true(c->ended);
    client_free(c);
    stop(w);
}

static void expect_told(struct world *w, const char *want)
{
    world_turns(w, 4);
    if (!slice_eq(buf_slice(&s.refusals), slice_str(want)))
        fail_msg("told '%.*s' instead of '%s'", SLICE_ARG(buf_slice(&s.refusals)), want);
    buf_clear(&s.refusals);
}

/* What was refused is told to the vault for `letterlock why`: under the people it concerns, and never for a guess. */
static void refusals_are_told(void **state)
{
    struct world *w = start();
    struct client *c = client_open(w, DOOR_SMTP, "192.0.2.7");
    say(c, "EHLO client.test\r\n", "250 ");
    say(c, "MAIL FROM:<s@their.test> SIZE=99999999999\r\n", "552");
    say(c, "MAIL FROM:<s@their.test>\r\n", "250");
    say(c, "RCPT TO:<nobody@ours.test>\r\n", "550 5.1.1");
    say(c, "RCPT TO:<x@their.test>\r\n", "550 5.7.1 relaying");
    expect_told(w, "");
    say(c, "RCPT TO:<full@ours.test>\r\n", "452 4.2.2");
    expect_told(w, "mx full@ours.test quota s@their.test\n");
    say(c, "RCPT TO:<bob@ours.test>\r\nDATA\r\n", "354");
    s.outcome = ARRIVE_OUTCOME_LOOP;
    say(c, "a: b\r\n.\r\n", "554 5.4.6");
    expect_told(w, "mx box@ours.test loop s@their.test\n");
    say(c, "MAIL FROM:<>\r\nRCPT TO:<team@ours.test>\r\nDATA\r\n", "354");
    say(c, "a: b\n\r\n.\r\n", "554 5.5.2");
    expect_told(
        w, "mx box@ours.test smuggling <>\nmx box@ours.test smuggling <>\nmx box@ours.test smuggling <>\n");
    client_free(c);
    c = client_open(w, DOOR_SMTP, "192.0.2.7");
    to_data(c);
    s.outcome = ARRIVE_OUTCOME_STORED;
    say(c, "a: b\r\n.\r\n", "250");
    expect_told(w, "");
    say(c, "MAIL FROM:<s@their.test>\r\n", "250");
    for (int i = 0; i < 2 * LIMIT_REFUSALS_TOLD; i++)
        say(c, "RCPT TO:<full@ours.test>\r\n", "452");
    world_turns(w, 4);
    size_t lines = 0;
    for (size_t i = 0; i < s.refusals.n; i++)
        lines += s.refusals.p[i] == '\n';
    assert_int_equal(lines, LIMIT_REFUSALS_TOLD);
    buf_clear(&s.refusals);
    client_free(c);
    /* submission: before sign-in under the sender it names, then under the account */
    c = client_open(w, DOOR_SUBMISSIONS, "192.0.2.7");
    say(c, "EHLO client.test\r\n", "250 ");
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "530");
    expect_told(w, "submission alice@ours.test needs-sign-in alice@ours.test\n");
    say(c, "MAIL FROM:<bob@ours.test>\r\n", "530");
    expect_told(w, "");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235");
    say(c, "MAIL FROM:<bob@ours.test>\r\n", "553");
    expect_told(w, "submission alice@ours.test sender bob@ours.test\n");
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "250");
    say(c, "RCPT TO:<x@their.test>\r\n", "550 5.7.1");
    say(c, "RCPT TO:<nobody@ours.test>\r\n", "550 5.1.1");
    expect_told(
        w, "submission alice@ours.test foreign x@their.test\n"
           "submission alice@ours.test unknown-recipient nobody@ours.test\n");
    client_free(c);
    stop(w);
}

/* Signed in as alice. */
static struct client *alice_sends(struct world *w)
{
    struct client *c = client_open(w, DOOR_SUBMISSIONS, "192.0.2.7");
    say(c, "EHLO client.test\r\n", "250 ");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235");
    return c;
}

/* The keeper comes to this for a message of `from` to bob. */
static void send_to_bob(struct client *c, const char *from, enum ipc_arrive_outcome outcome, const char *want)
{
    char mail[256];
    snprintf(mail, sizeof mail, "MAIL FROM:<%s>\r\nRCPT TO:<bob@ours.test>\r\nDATA\r\n", from);
    say(c, mail, "354");
    s.outcome = outcome;
    say(c, "From: x@ours.test\r\n\r\nx\r\n.\r\n", want);
}

/* A header with a wrong sender is told with the sender of MAIL, never with a recipient, who has nothing to do with it. */
static void a_wrong_from_is_told_with_the_sender(void **state)
{
    struct world *w = start();
    struct client *c = alice_sends(w);
    send_to_bob(c, "alice@ours.test", ARRIVE_OUTCOME_SENDER, "553 5.7.1");
    expect_told(w, "submission alice@ours.test from alice@ours.test\n");
    send_to_bob(c, "", ARRIVE_OUTCOME_SENDER, "553 5.7.1");
    expect_told(w, "submission alice@ours.test from <>\n");
    client_free(c);
    stop(w);
}

/* What the limits of a client password refuse (T-247) is told like what the account may not do. */
static void limits_of_a_password_are_told(void **state)
{
    struct world *w = start();
    struct client *c = alice_sends(w);
    say(c, "MAIL FROM:<not-as@ours.test>\r\n", "553 5.7.1");
    expect_told(w, "submission alice@ours.test sender-limit not-as@ours.test\n");
    say(c, "MAIL FROM:<alice@ours.test>\r\n", "250");
    say(c, "RCPT TO:<not-to@ours.test>\r\n", "550 5.7.1");
    expect_told(w, "submission alice@ours.test recipient-limit not-to@ours.test\n");
    say(c, "RSET\r\n", "250");
    send_to_bob(c, "alice@ours.test", ARRIVE_OUTCOME_SENDER_LIMIT, "553 5.7.1");
    expect_told(w, "submission alice@ours.test from-limit alice@ours.test\n");
    send_to_bob(c, "alice@ours.test", ARRIVE_OUTCOME_RECIPIENT, "550 5.7.1");
    expect_told(w, "submission alice@ours.test recipient-limit bob@ours.test\n");
    send_to_bob(c, "alice@ours.test", ARRIVE_OUTCOME_BUDGET, "550 5.7.1");
    expect_told(w, "submission alice@ours.test budget bob@ours.test\n");
    client_free(c);
    stop(w);
}

static void the_gate_stops(void **state)
{
    struct world *w = start();
    struct client *idle = client_open(w, DOOR_SMTP, "192.0.2.7"),
                  *busy = client_open(w, DOOR_SMTP, "192.0.2.8");
    to_data(busy);
    say(busy, "a: b\r\n", NULL);
    gate_stop(&w->gate);
    world_turns(w, 4);
    client_read(idle);
    client_read(busy);
    assert_true(slice_search(buf_slice(&idle->got), S("421 4.3.2")) != SLICE_NPOS);
    assert_true(slice_search(buf_slice(&busy->got), S("421 4.3.2")) != SLICE_NPOS);
    read_octets();
    assert_true(s.cut);
    client_free(idle);
    client_free(busy);
    stop(w);
}

/* A mechanism may have the last word before the yes (SCRAM's signature) and before the no (XOAUTH2's reason). */
static void words_after_the_proof(void **state)
{
    struct world *w = start();
    world_offer(w, "SCRAM-SHA-256 XOAUTH2");
    struct client *c = client_open(w, DOOR_SUBMISSIONS, "192.0.2.7");
    say(c, "EHLO phone.test\r\n", "250 AUTH SCRAM-SHA-256 XOAUTH2");
    say(c, "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "504 5.5.4");
    say(c, "AUTH XOAUTH2 d3Jvbmc=\r\n", "334 e30=");
    say(c, "\r\n", "535 5.7.8");
    say(c, "AUTH XOAUTH2 d3Jvbmc=\r\n", "334 e30=");
    say(c, "*\r\n", "501 5.7.0");
    say(c, "AUTH SCRAM-SHA-256\r\n", "334 ");
    say(c, "Zmlyc3Q=\r\n", "334 cj1maXJzdA==");
    say(c, "cHJvb2Y=\r\n", "334 dj1sYXN0");
    assert_int_equal(w->attaches, 0);
    say(c, "\r\n", "235 2.7.0");
    assert_string_equal(w->program, "phone.test");
    client_free(c);
    stop(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_brings_a_message),
        cmocka_unit_test(recipients_are_judged),
        cmocka_unit_test(each_outcome_has_its_words),
        cmocka_unit_test(a_client_goes_in_the_middle),
        cmocka_unit_test(t043_no_answer_is_later),
        cmocka_unit_test(a_slow_keeper_slows_the_client),
        cmocka_unit_test(t035_slow_bodies),
        cmocka_unit_test(mail_goes_on_without_the_vault),
        cmocka_unit_test(submission_waits_for_the_vault),
        cmocka_unit_test(submission_from_sign_in_to_revocation),
        cmocka_unit_test(who_has_signed_in_is_no_stranger),
        cmocka_unit_test(sign_ins_that_fail),
        cmocka_unit_test(words_after_the_proof),
        cmocka_unit_test(refusals_are_told),
        cmocka_unit_test(a_wrong_from_is_told_with_the_sender),
        cmocka_unit_test(limits_of_a_password_are_told),
        cmocka_unit_test(the_gate_stops),
    };
    return cmocka_run_group_tests(tests, world_libraries, NULL);
}

#include "test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/random.h"
#include "doctor/steps/sign_in.h"

/* A server in a process of its own, which expects exactly these lines in exactly these connections. */
enum { LINES_MAX = 12, CONNECTIONS_MAX = 6 };
struct exchange {
    const char *hears; /* how the line begins; NULL: none */
    const char *says;  /* NULL: it closes */
};
struct play {
    struct exchange connections[CONNECTIONS_MAX][LINES_MAX];
    size_t count;
};
#define GREETS                                                                                               \
    {                                                                                                        \
        NULL, "* OK ready\r\n"                                                                               \
    }
#define OFFERS(words)                                                                                        \
    {                                                                                                        \
        "c1 CAPABILITY", "* CAPABILITY IMAP4rev1 " words "\r\nc1 OK\r\n"                                     \
    }
/* What follows the first success. */
#define USED                                                                                                 \
    {"c1 CAPABILITY", "* CAPABILITY IMAP4rev1\r\nc1 OK\r\n"}, {"o1 SELECT", "* 0 EXISTS\r\no1 OK\r\n"}, LEAVES
#define LEAVES                                                                                               \
    {                                                                                                        \
        "z1 LOGOUT", "* BYE\r\nz1 OK\r\n"                                                                    \
    }

/* A row that hears this says nothing more, and waits for the other side to close. */
static const char until_end[] = "(until the end)";

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        _exit(4);
}

static bool hear(FILE *in, const char *begin)
{
    char line[1000];
    return fgets(line, sizeof line, in) && strncmp(line, begin, strlen(begin)) == 0;
}

static void serve(int listener, const struct play *p)
{
    for (size_t c = 0; c < p->count; c++) {
        int fd = accept(listener, NULL, NULL);
        FILE *in = fdopen(fd, "r+");
        if (!in)
            _exit(5);
        for (const struct exchange *e = p->connections[c]; e->hears || e->says; e++) {
            if (e->hears == until_end) {
                while (fgetc(in) != EOF)
                    ;
                break;
            }
            if (e->hears && !hear(in, e->hears))
                _exit(6);
            if (!e->says)
                break;
            say(fd, e->says);
        }
        fclose(in);
    }
    if (accept(listener, NULL, NULL) >= 0)
        _exit(7); /* nobody is expected any more */
}

static struct knowledge *k;
static struct secret_slab *slab;

struct scene {
    pid_t pid;
    struct examination x;
    struct wishes wishes;
    struct secret secret;
    struct mask *mask;
    struct checked *server;
    struct visit visit;
    struct attempts attempts;
};

static void scene_init(struct scene *s, const struct play *play, const char *secret)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &n), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        alarm(300);
        serve(listener, play);
        _exit(0);
    }
    close(listener);
    examination_init(&s->x, k);
    s->x.general.mask = s->mask = mask_new(slice_str(secret));
    s->x.address = S("alice@example.org");
    s->x.domain = S("example.org");
    assert_ok(secret_copy(slab, slice_str(secret), &s->secret));
    s->wishes = (struct wishes){
        .address = s->x.address, .secret = &s->secret, .patience_ms = 20000, .clear_allowed = true};
    struct endpoint e = {
        .service = SERVICE_IMAP,
        .host = S("127.0.0.1"),
        .port = ntohs(at.sin_port),
        .security = SECURITY_NONE,
        .trusted = true};
    s->server = examination_add(&s->x, &e);
    s->server->standing.greeted = true;
    s->visit = (struct visit){
        .wishes = &s->wishes,
        .whole = &s->x,
        .server = s->server,
        .notes = &s->server->notes,
        .address_count = 1};
    assert_ok(ip_parse(S("127.0.0.1"), &s->visit.addresses[0]));
    attempts_init(&s->attempts, false);
}

static void scene_done(struct scene *s)
{
    int status = 0;
    kill(s->pid, SIGTERM);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    const struct notes *n = s->visit.notes;
    for (size_t i = 0; i < n->count; i++)
        assert_true(slice_search(n->rows[i].proof, secret_reveal(&s->secret)) == SLICE_NPOS);
    examination_done(&s->x);
    mask_free(&s->mask);
    secret_free(&s->secret);
}

/* "fault signin-refused; good signed-in" of the sign-in's notes, in order. */
static void assert_notes(const struct scene *s, const char *expected)
{
    char said[1000] = "";
    const struct notes *n = s->visit.notes;
    for (size_t i = 0; i < n->count; i++) {
        const struct observation *o = &n->rows[i];
        size_t at = strlen(said);
        if (o->step != STEP_SIGN_IN)
            continue;
        struct slice id = o->diagnosis ? o->diagnosis->id : slice_str(fact_name(o->fact));
        snprintf(said + at, sizeof said - at, "%s%s %.*s", at ? "; " : "", tone_name(o->tone), SLICE_ARG(id));
    }
    assert_string_equal(said, expected);
}

static void look(struct scene *s)
{
    sign_in_look(&s->visit, &s->attempts);
}

/* --------------------------------------------------------------------------------------------------------- successes */

static void all_ways_are_tried_while_they_succeed(void **state)
{
    static const struct play play = {
        {{GREETS,
          OFFERS("AUTH=PLAIN AUTH=LOGIN AUTH=EXTERNAL SASL-IR"),
          {"a1 AUTHENTICATE PLAIN ", "a1 OK\r\n"},
          USED},
         {GREETS,
          OFFERS("AUTH=PLAIN AUTH=LOGIN SASL-IR"),
          {"a1 AUTHENTICATE LOGIN", "+ VXNlcm5hbWU6\r\n"},
          {"YWxpY2VAZXhhbXBsZS5vcmc=", "+ UGFzc3dvcmQ6\r\n"},
          {"aHVudGVyMg==", "a1 OK\r\n"},
          LEAVES},
         {GREETS, OFFERS("AUTH=PLAIN"), {"l1 LOGIN \"alice@example.org\" \"hunter2\"", "l1 OK\r\n"}, LEAVES}},
        3};
    struct scene s;
    scene_init(&s, &play, "hunter2");
    look(&s);
    assert_notes(&s, "good signed-in; good signed-in; good signed-in");
    assert_slice("LOGIN (IMAP)", s.visit.notes->rows[s.visit.notes->count - 1].args[0]);
    assert_true(s.server->standing.signed_in && s.server->standing.works && s.server->standing.tried);
    assert_int_equal(s.attempts.failures, 0);
    scene_done(&s);
}

static void a_way_that_does_not_work_is_a_warning_where_another_does(void **state)
{
    static const struct play before = {
        {{GREETS,
          OFFERS("AUTH=PLAIN SASL-IR"),
          {"a1 AUTHENTICATE PLAIN ", "a1 BAD not supported after all\r\n"},
          LEAVES},
         {GREETS, OFFERS("AUTH=PLAIN"), {"l1 LOGIN ", "l1 OK\r\n"}, USED}},
        2};
    static const struct play after = {
        {{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", "a1 OK\r\n"}, USED},
         {GREETS, OFFERS("AUTH=PLAIN"), {"l1 LOGIN ", "l1 NO [AUTHENTICATIONFAILED] no\r\n"}, LEAVES}},
        2};
    struct scene s;
    scene_init(&s, &before, "hunter2");
    look(&s);
    assert_notes(&s, "warning signin-refused; good signed-in");
    assert_int_equal(s.attempts.failures, 1);
    assert_false(s.attempts.ended);
    scene_done(&s);
    scene_init(&s, &after, "hunter2");
    look(&s);
    assert_notes(&s, "good signed-in; warning signin-way-refused");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_WAY_REFUSED));
    assert_false(s.attempts.ended);
    scene_done(&s);
    scene_init(&s, &after, "hunter\"2");
    look(&s);
    assert_notes(&s, "good signed-in; warning signin-login-quoting");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_LOGIN_QUOTING));
    scene_done(&s);
}

static void the_other_form_of_a_name_is_tried_when_the_name_is_refused(void **state)
{
    static const struct play whole_first = {
        {{GREETS,
          OFFERS(""),
          {"l1 LOGIN \"alice@example.org\" ", "l1 NO user alice@example.org not found\r\n"},
          LEAVES},
         {GREETS, OFFERS(""), {"l1 LOGIN \"alice\" ", "l1 OK\r\n"}, USED}},
        2};
    static const struct play local_first = {
        {{GREETS,
          OFFERS(""),
          {"l1 LOGIN \"alice\" ", "l1 NO Please use full email address as user name\r\n"},
          LEAVES},
         {GREETS, OFFERS(""), {"l1 LOGIN \"alice@example.org\" ", "l1 OK\r\n"}, USED}},
        2};
    struct scene s;
    scene_init(&s, &whole_first, "hunter2");
    look(&s);
    assert_notes(
        &s, "warning proton-bridge-user-not-found; good signed-in; warning input-username-with-domain");
    assert_true(notes_have(s.visit.notes, OBSERVED_INPUT_USERNAME_WITH_DOMAIN));
    scene_done(&s);
    scene_init(&s, &local_first, "hunter2");
    s.wishes.user = S("alice");
    look(&s);
    assert_notes(&s, "warning hmailserver-full-address; good signed-in; fault signin-name-without-domain");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_NAME_WITHOUT_DOMAIN));
    scene_done(&s);
}

/* ---------------------------------------------------------------------------------------------------------- refusals */

static void a_wrong_password_ends_everything(void **state)
{
    static const struct play play = {
        {{GREETS,
          OFFERS("AUTH=PLAIN AUTH=LOGIN SASL-IR"),
          {"a1 AUTHENTICATE PLAIN ", "a1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"},
          LEAVES}},
        1};
    struct scene s;
    scene_init(&s, &play, "hunter2");
    look(&s);
    assert_int_equal(notes_worst(s.visit.notes, STEP_SIGN_IN), TONE_FAULT);
    assert_int_equal(s.visit.notes->rows[0].diagnosis->cause, CAUSE_WRONG_PASSWORD);
    assert_slice("a1 NO [AUTHENTICATIONFAILED] Authentication failed.", s.visit.notes->rows[0].proof);
    assert_true(s.attempts.ended);
    assert_false(s.server->standing.signed_in);
    /* Nowhere again: the server would fail the test if anybody came. */
    s.visit.notes->count = 0;
    look(&s);
    assert_notes(&s, "note not-tried");
    scene_done(&s);
}

static void a_refusal_repeats_no_secret(void **state)
{
    static const struct play play = {
        {{GREETS,
          OFFERS("AUTH=PLAIN SASL-IR"),
          {"a1 AUTHENTICATE PLAIN ", "a1 NO not with hunter2-hunter2\r\n"},
          LEAVES}},
        1};
    struct scene s;
    scene_init(&s, &play, "hunter2-hunter2");
    look(&s);
    assert_notes(&s, "fault signin-refused");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_REFUSED));
    assert_slice("a1 NO not with [...]", s.visit.notes->rows[0].proof);
    assert_true(s.attempts.ended);
    scene_done(&s);
}

static void scram_tells_its_own_reasons(void **state)
{
    static const struct {
        const char *says;
        enum observed what;
        bool ends_all;
    } cases[] = {
        {"+ ZT1pbnZhbGlkLXByb29m\r\n", OBSERVED_SIGNIN_SCRAM_PROOF, true}, /* invalid-proof */
        {"+ ZT11bmtub3duLXVzZXI=\r\n", OBSERVED_SIGNIN_SCRAM_USER, false}, /* unknown-user */
        {"+ ZT1pbnZhbGlkLXVzZXJuYW1lLWVuY29kaW5n\r\n", OBSERVED_SIGNIN_SCRAM_NAME,
         false}, /* invalid-username-encoding */
        {"+ ZT1jaGFubmVsLWJpbmRpbmdzLWRvbnQtbWF0Y2g=\r\n", OBSERVED_SIGNIN_CHANNEL_DIFFERS,
         false}, /* channel-bindings-dont-match */
        {"+ ZT1jaGFubmVsLWJpbmRpbmctbm90LXN1cHBvcnRlZA==\r\n", OBSERVED_SIGNIN_CHANNEL_UNSUPPORTED,
         false}, /* channel-binding-not-supported */
        {"+ ZT1uby1yZXNvdXJjZXM=\r\n", OBSERVED_SIGNIN_SCRAM_RESOURCES, false}, /* no-resources */
        {"+ ZT1zb21ldGhpbmctZWxzZQ==\r\n", OBSERVED_SIGNIN_REFUSED, true},      /* something-else */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        const struct play play = {
            {{GREETS,
              OFFERS("LOGINDISABLED AUTH=SCRAM-SHA-256 SASL-IR"),
              {"a1 AUTHENTICATE SCRAM-SHA-256 ", cases[i].says},
              {"*", "a1 NO it is as it is\r\n"},
              LEAVES},
             {{NULL, "* BYE enough\r\n"}}},
            2};
        scene_init(&s, &play, "hunter2");
        look(&s);
        assert_true(notes_have(s.visit.notes, cases[i].what));
        assert_int_equal(s.attempts.failures, 1);
        assert_int_equal(s.attempts.ended, cases[i].ends_all);
        /* What is said as well where nothing is kept of the account for SCRAM. */
        const struct diagnosis *other = s.visit.notes->rows[0].alternative;
        assert_int_equal(
            other && slice_eq(other->id, S("signin-verifier-missing")),
            cases[i].what == OBSERVED_SIGNIN_SCRAM_PROOF || cases[i].what == OBSERVED_SIGNIN_SCRAM_USER ||
                cases[i].what == OBSERVED_SIGNIN_REFUSED);
        scene_done(&s);
    }
}

static void a_server_without_proof_is_not_believed(void **state)
{
    static const struct play unproven = {
        {{GREETS,
          OFFERS("AUTH=SCRAM-SHA-256 AUTH=PLAIN SASL-IR"),
          {"a1 AUTHENTICATE SCRAM-SHA-256 ", "a1 OK welcome\r\n"},
          LEAVES}},
        1};
    struct scene s;
    scene_init(&s, &unproven, "hunter2");
    look(&s);
    assert_notes(&s, "fault signin-server-unproven");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_SERVER_UNPROVEN));
    assert_false(s.server->standing.signed_in);
    assert_true(s.attempts.ended); /* the next server may be of the same kind */
    scene_done(&s);
}

static void a_way_that_was_chosen_is_tried_alone(void **state)
{
    static const struct play plain = {
        {{GREETS,
          OFFERS("AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN SASL-IR"),
          {"a1 AUTHENTICATE PLAIN ", "a1 OK\r\n"},
          USED}},
        1};
    static const struct play own = {
        {{GREETS, OFFERS("AUTH=SCRAM-SHA-256 AUTH=PLAIN"), {"l1 LOGIN ", "l1 OK\r\n"}, USED}}, 1};
    static const struct play missing = {{{GREETS, OFFERS("AUTH=PLAIN"), LEAVES}}, 1};
    struct scene s;
    scene_init(&s, &plain, "hunter2");
    s.wishes.only = sasl_find(S("PLAIN"));
    look(&s);
    assert_notes(&s, "good signed-in");
    scene_done(&s);
    scene_init(&s, &own, "hunter2");
    s.wishes.only_own = true;
    look(&s);
    assert_notes(&s, "good signed-in");
    scene_done(&s);
    scene_init(&s, &missing, "hunter2");
    s.wishes.only = sasl_find(S("SCRAM-SHA-256"));
    look(&s);
    assert_notes(&s, "fault signin-chosen-missing");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_CHOSEN_MISSING));
    assert_false(s.server->standing.tried);
    scene_done(&s);
}

/* PLAIN behind it would tell others on the way what CRAM-MD5 did not. */
static void what_shows_the_secret_in_clear_is_not_tried_for_completeness(void **state)
{
    static const struct play play = {
        {{GREETS,
          OFFERS("AUTH=CRAM-MD5 AUTH=PLAIN AUTH=LOGIN"),
          {"a1 AUTHENTICATE CRAM-MD5", "+ PDFAYj4=\r\n"},
          {"", "a1 OK\r\n"},
          USED}},
        1};
    struct scene s;
    scene_init(&s, &play, "hunter2");
    look(&s);
    assert_notes(&s, "good signed-in");
    scene_done(&s);
}

static void what_only_another_try_could_tell_is_said_as_possible(void **state)
{
    static const struct {
        struct play play;
        const char *user, *alternative;
    } cases[] = {
        {{{{GREETS,
            OFFERS("AUTH=CRAM-MD5 AUTH=PLAIN"),
            {"a1 AUTHENTICATE CRAM-MD5", "+ PDFAYj4=\r\n"},
            {"", "a1 NO [AUTHENTICATIONFAILED] no\r\n"},
            LEAVES}},
          1},
         "",
         "signin-verifier-missing"},
        {{{{GREETS,
            OFFERS("AUTH=PLAIN SASL-IR"),
            {"a1 AUTHENTICATE PLAIN ", "a1 NO [AUTHENTICATIONFAILED] no\r\n"},
            LEAVES}},
          1},
         "alice",
         "input-username-no-domain"},
        {{{{{NULL, "* OK The Microsoft Exchange IMAP4 service is ready.\r\n"},
            OFFERS("AUTH=PLAIN SASL-IR"),
            {"a1 AUTHENTICATE PLAIN ", "a1 NO [AUTHENTICATIONFAILED] no\r\n"},
            LEAVES}},
          1},
         "",
         "exchange-onprem-domain-user"},
        {{{{GREETS,
            OFFERS("AUTH=PLAIN SASL-IR"),
            {"a1 AUTHENTICATE PLAIN ", "a1 NO [AUTHENTICATIONFAILED] no\r\n"},
            LEAVES}},
          1},
         "",
         ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        scene_init(&s, &cases[i].play, "hunter2");
        s.wishes.user = slice_str(cases[i].user);
        look(&s);
        const struct diagnosis *other = s.visit.notes->rows[0].alternative;
        struct slice id = other ? other->id : SLICE_EMPTY;
        if (!slice_eq(id, slice_str(cases[i].alternative)))
            fail_msg("%zu: %.*s", i, SLICE_ARG(id));
        assert_true(s.attempts.ended);
        scene_done(&s);
    }
}

static void a_refused_token_is_no_wrong_password(void **state)
{
    static const struct play play = {
        {{GREETS,
          OFFERS("AUTH=XOAUTH2 AUTH=PLAIN SASL-IR"),
          {"a1 AUTHENTICATE XOAUTH2 ", "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n"},
          {"\r\n", "a1 NO it does not please\r\n"},
          LEAVES}},
        1};
    struct scene s;
    scene_init(&s, &play, "ya29.token");
    s.wishes.is_token = true;
    look(&s);
    assert_notes(&s, "fault signin-token-refused");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_TOKEN_REFUSED));
    assert_true(slice_search(s.visit.notes->rows[0].proof, S("{\"status\":\"401\"}")) != SLICE_NPOS);
    scene_done(&s);
}

static void a_connection_that_breaks_is_told_as_what_it_is(void **state)
{
    static const struct play closed = {
        {{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", NULL}}}, 1};
    static const struct play busy = {
        {{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", "a1 OK\r\n"}, USED},
         {{NULL, "* BYE mind the queue\r\n"}}},
        2};
    struct scene s;
    scene_init(&s, &closed, "hunter2");
    look(&s);
    assert_notes(&s, "fault signin-closed");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_CLOSED));
    assert_int_equal(s.attempts.failures, 1);
    scene_done(&s);
    scene_init(&s, &busy, "hunter2");
    look(&s);
    assert_notes(&s, "good signed-in; note signin-no-connection");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_NO_CONNECTION));
    assert_int_equal(s.attempts.failures, 0);
    scene_done(&s);
}

static void answers_that_are_none_are_told_as_what_they_are(void **state)
{
    static const struct play nonsense = {
        {{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", "* X {99999999999}\r\n"}, LEAVES}},
        1};
    static const struct play silent = {
        {{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", ""}, {until_end, NULL}}}, 1};
    struct scene s;
    scene_init(&s, &nonsense, "hunter2");
    look(&s);
    assert_notes(&s, "fault signin-nonsense");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_NONSENSE));
    scene_done(&s);
    scene_init(&s, &silent, "hunter2");
    s.wishes.patience_ms = 1500;
    look(&s);
    assert_notes(&s, "fault signin-silent");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_SILENT));
    scene_done(&s);
}

static void what_cannot_be_sent_is_told(void **state)
{
    static const struct play passwords = {{{GREETS, OFFERS("AUTH=PLAIN"), LEAVES}}, 1};
    static const struct play strict = {{{GREETS, OFFERS("LOGINDISABLED AUTH=PLAIN"), LEAVES}}, 1};
    struct scene s;
    scene_init(&s, &passwords, "ya29.token");
    s.wishes.is_token = true;
    look(&s);
    assert_notes(&s, "fault signin-nothing-fits");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_NOTHING_FITS));
    scene_done(&s);
    scene_init(&s, &strict, "hunter2");
    s.wishes.user = S("\xff\xfe@example.org");
    look(&s);
    assert_notes(&s, "fault signin-not-carried");
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_NOT_CARRIED));
    assert_false(s.server->standing.tried);
    assert_int_equal(s.attempts.failures, 0);
    scene_done(&s);
}

static void icloud_may_mean_its_way_and_not_the_password(void **state)
{
    static const struct play play = {
        {{GREETS,
          OFFERS("AUTH=PLAIN SASL-IR"),
          {"a1 AUTHENTICATE PLAIN ", "a1 NO [AUTHENTICATIONFAILED] no\r\n"},
          LEAVES}},
        1};
    struct scene s;
    scene_init(&s, &play, "hunter2");
    s.x.provider = knowledge_provider(k, S("icloud"));
    assert_non_null(s.x.provider);
    look(&s);
    assert_true(
        slice_eq(s.visit.notes->rows[0].alternative->id, slice_str("icloud-plain-rejected-login-ok")));
    scene_done(&s);
}

/* ------------------------------------------------------------------------------------------------------------ safety */

static bool says_no(void *owner, const struct checked *server, const struct diagnosis *about)
{
    (*(int *)owner)++;
    return false;
}

static bool says_yes(void *owner, const struct checked *server, const struct diagnosis *about)
{
    (*(int *)owner)++;
    return true;
}

static void no_secret_goes_where_it_must_not(void **state)
{
    static const struct play untouched = {{{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), LEAVES}}, 1};
    static const struct play used = {
        {{GREETS, OFFERS("LOGINDISABLED AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", "a1 OK\r\n"}, USED}},
        1};
    static const struct {
        bool clear_allowed, trusted, unverified_allowed;
        bool (*agrees)(void *, const struct checked *, const struct diagnosis *);
        int asked;
        const char *notes;
        bool signs_in;
    } cases[] = {
        {false, true, false, NULL, 0, "warning signin-not-private", false},
        {false, true, false, says_no, 1, "warning signin-not-private", false},
        {false, true, false, says_yes, 1, "note signin-not-private; good signed-in", true},
        {true, false, false, NULL, 0, "warning signin-host-unverified", false},
        {true, false, false, says_no, 1, "warning signin-host-unverified", false},
        {true, false, false, says_yes, 1, "note signin-host-unverified; good signed-in", true},
        {true, false, true, says_no, 0, "good signed-in", true},
        {false, false, false, says_yes, 2,
         "note signin-host-unverified; note signin-not-private; good signed-in", true},
        {true, true, false, says_no, 0, "good signed-in", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        int asked = 0;
        scene_init(&s, cases[i].signs_in ? &used : &untouched, "hunter2");
        s.wishes.clear_allowed = cases[i].clear_allowed;
        s.wishes.unverified_allowed = cases[i].unverified_allowed;
        s.wishes.agrees = cases[i].agrees;
        s.wishes.owner = &asked;
        s.server->endpoint.trusted = cases[i].trusted;
        look(&s);
        assert_notes(&s, cases[i].notes);
        assert_int_equal(asked, cases[i].asked);
        assert_int_equal(s.server->standing.tried, cases[i].signs_in);
        assert_int_equal(notes_have(s.visit.notes, OBSERVED_SIGNIN_NOT_PRIVATE), !cases[i].clear_allowed);
        assert_int_equal(
            notes_have(s.visit.notes, OBSERVED_SIGNIN_HOST_UNVERIFIED),
            !cases[i].trusted && !cases[i].unverified_allowed);
        scene_done(&s);
    }
}

/* The certificate would be good: it is the name that is false. */
static void a_name_that_looks_like_another_gets_no_secret_unasked(void **state)
{
    static const struct play untouched = {{{GREETS, OFFERS("AUTH=PLAIN SASL-IR"), LEAVES}}, 1};
    static const struct play used = {
        {{GREETS, OFFERS("LOGINDISABLED AUTH=PLAIN SASL-IR"), {"a1 AUTHENTICATE PLAIN ", "a1 OK\r\n"}, USED}},
        1};
    static const struct {
        const char *host;
        bool (*agrees)(void *, const struct checked *, const struct diagnosis *);
        const char *notes;
    } cases[] = {
        {"imap.xn--gmil-63d.com", NULL, "warning signin-host-look-alike"}, /* a Cyrillic a */
        {"imap.xn--gmil-63d.com", says_no, "warning signin-host-look-alike"},
        {"imap.xn--gmil-63d.com", says_yes, "note signin-host-look-alike; good signed-in"},
        {"imap.xn--bcher-kva.example", says_no, "good signed-in"},   /* buecher, with an umlaut */
        {"imap.xn--80a1acny.xn--p1ai", says_no, "good signed-in"},   /* Russian as it is written */
        {"imap.xn--fsqu00a.xn--0zwm56d", says_no, "good signed-in"}, /* Chinese */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s;
        int asked = 0;
        bool signs_in = strstr(cases[i].notes, "signed-in") != NULL;
        scene_init(&s, signs_in ? &used : &untouched, "hunter2");
        s.wishes.agrees = cases[i].agrees;
        s.wishes.owner = &asked;
        s.server->endpoint.host = slice_str(cases[i].host);
        look(&s);
        assert_notes(&s, cases[i].notes);
        assert_int_equal(s.server->standing.tried, signs_in);
        assert_int_equal(
            notes_have(s.visit.notes, OBSERVED_SIGNIN_HOST_LOOK_ALIKE),
            strstr(cases[i].notes, "alike") != NULL);
        scene_done(&s);
    }
}

static void preauth_gets_no_secret(void **state)
{
    static const struct play play = {
        {{{NULL, "* PREAUTH welcome, whoever you are\r\n"}, OFFERS("AUTH=PLAIN"), LEAVES}}, 1};
    struct scene s;
    scene_init(&s, &play, "hunter2");
    look(&s);
    assert_false(s.server->standing.tried || s.server->standing.signed_in);
    scene_done(&s);
}

static void nothing_is_done_without_a_secret_a_server_or_a_name(void **state)
{
    static const struct play nobody = {.count = 0};
    struct scene s;
    scene_init(&s, &nobody, "hunter2");
    s.server->standing.greeted = false;
    look(&s);
    s.server->standing.greeted = true;
    s.wishes.secret = NULL;
    look(&s);
    assert_int_equal(s.visit.notes->count, 0);
    s.wishes.secret = &s.secret;
    s.wishes.address = SLICE_EMPTY;
    look(&s);
    assert_true(notes_have(s.visit.notes, OBSERVED_SIGNIN_NO_NAME));
    assert_false(s.server->standing.tried);
    scene_done(&s);
}

static int begin(void **state)
{
    k = knowledge_built_in();
    slab = secret_slab_new(65536);
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    return 0;
}

static int end(void **state)
{
    knowledge_free(&k);
    secret_slab_free(&slab);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_ways_are_tried_while_they_succeed),
        cmocka_unit_test(a_way_that_does_not_work_is_a_warning_where_another_does),
        cmocka_unit_test(the_other_form_of_a_name_is_tried_when_the_name_is_refused),
        cmocka_unit_test(a_wrong_password_ends_everything),
        cmocka_unit_test(a_refusal_repeats_no_secret),
        cmocka_unit_test(scram_tells_its_own_reasons),
        cmocka_unit_test(a_server_without_proof_is_not_believed),
        cmocka_unit_test(a_way_that_was_chosen_is_tried_alone),
        cmocka_unit_test(what_shows_the_secret_in_clear_is_not_tried_for_completeness),
        cmocka_unit_test(answers_that_are_none_are_told_as_what_they_are),
        cmocka_unit_test(what_cannot_be_sent_is_told),
        cmocka_unit_test(icloud_may_mean_its_way_and_not_the_password),
        cmocka_unit_test(what_only_another_try_could_tell_is_said_as_possible),
        cmocka_unit_test(a_refused_token_is_no_wrong_password),
        cmocka_unit_test(a_connection_that_breaks_is_told_as_what_it_is),
        cmocka_unit_test(no_secret_goes_where_it_must_not),
        cmocka_unit_test(a_name_that_looks_like_another_gets_no_secret_unasked),
        cmocka_unit_test(preauth_gets_no_secret),
        cmocka_unit_test(nothing_is_done_without_a_secret_a_server_or_a_name),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

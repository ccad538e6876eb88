#include "test.h"

#include "doctor/verdict.h"
#include "doctor_knowledge.h"

/* ------------------------------------------------------------------------------------ examinations made by hand */

static struct examination x;
static struct verdict v;

static void begin(bool has_secret)
{
    examination_init(&x, k);
    x.has_secret = has_secret;
}

static void end(void)
{
    verdict_done(&v);
    examination_done(&x);
}

enum reached { NOTHING, CONNECTED, ENCRYPTED, GREETED, TRIED, SIGNED_IN, WORKS };

static struct checked *
server(enum service service, const char *host, enum source source, enum reached reached)
{
    struct endpoint e = {
        .service = service,
        .host = slice_str(host),
        .port = port_of(service, SECURITY_TLS),
        .security = SECURITY_TLS,
        .source = source};
    struct checked *c = examination_add(&x, &e);
    assert_non_null(c);
    c->standing = (struct standing){
        .connected = reached >= CONNECTED,
        .encrypted = reached >= ENCRYPTED,
        .private_ = reached >= ENCRYPTED,
        .greeted = reached >= GREETED,
        .tried = reached >= TRIED,
        .signed_in = reached >= SIGNED_IN,
        .works = reached >= WORKS};
    return c;
}

static struct notes *notes_of(struct checked *c)
{
    return c ? &c->notes : &x.general;
}

/* A condition at a server, or (NULL) in general. */
static struct observation *sees(struct checked *c, enum step step, enum tone tone, const char *id)
{
    for (int i = 0; i < OBSERVED_N; i++) {
        static const char *const ids[] = {OBSERVED_IDS};
        if (strcmp(ids[i], id) != 0)
            continue;
        notes_of(c)->step = step;
        return notes_observed(notes_of(c), tone, (enum observed)i, PROOF_MEASURED, S("seen"));
    }
    fail_msg("no condition %s", id);
    return NULL;
}

/* A reply, as the knowledge explains it. */
static struct observation *hears(struct checked *c, enum step step, const char *text)
{
    struct explanation e;
    explain_reply(k, slice_str(text), service_where(c->endpoint.service), x.provider, &e);
    assert_true(e.count > 0);
    c->notes.step = step;
    return notes_explained(&c->notes, TONE_FAULT, &e);
}

static void wants(enum verdict_kind kind, const char *id, const char *alternative)
{
    verdict_init(&v, &x);
    assert_int_equal(v.kind, kind);
    struct slice got = v.diagnosis ? v.diagnosis->id : SLICE_EMPTY;
    struct slice other = v.alternative ? v.alternative->id : SLICE_EMPTY;
    if (!slice_eq(got, slice_str(id)) || !slice_eq(other, slice_str(alternative)))
        fail_msg(
            "wanted %s (or %s), got %.*s (or %.*s)", id ? id : "-", alternative ? alternative : "-",
            SLICE_ARG(got), SLICE_ARG(other));
    for (int l = 0; l < LANG_N; l++)
        assert_true(v.says[l].n && v.remedy[l].n);
    assert_int_equal(verdict_exit_code(&v), kind == VERDICT_HEALTHY || kind == VERDICT_NO_PASSWORD ? 0 : 1);
    if (kind == VERDICT_TROUBLE) {
        assert_true(v.finding_count >= 1 && v.findings[0].note->diagnosis);
        assert_string_equal(v.cause_name, cause_name(v.diagnosis->cause));
        assert_true(v.step < STEP_N);
        assert_true(!v.alternative || v.sure < SURE_HIGH);
    } else {
        assert_string_equal(v.cause_name, "none");
        assert_int_equal(v.step, STEP_N);
    }
}

#define WRONG "a1 NO [AUTHENTICATIONFAILED] Authentication failed."
#define WRONG_ID wrong_id()
static const char *wrong_id(void)
{
    static char id[80];
    struct explanation e;
    explain_reply(k, S(WRONG), WHERE_IMAP, NULL, &e);
    assert_true(e.count > 0);
    assert_int_equal(e.findings[0].diagnosis->cause, CAUSE_WRONG_PASSWORD);
    snprintf(id, sizeof id, "%.*s", SLICE_ARG(e.findings[0].diagnosis->id));
    return id;
}

/* --------------------------------------------------------------------------------------------- nothing is wrong */

static void all_works(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, WORKS);
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_slice("Everything works: a mail program can sign in, read mail and send it.", v.says[LANG_EN]);
    assert_int_equal(v.finding_count, 0);
    assert_int_equal(v.scope, SCOPE_WHOLE);
    end();
}

static void only_reading_was_asked_for(void **state)
{
    begin(true);
    server(SERVICE_POP3, "pop.example.org", SOURCE_GIVEN, WORKS);
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_slice("Everything works: a mail program can sign in and read mail.", v.says[LANG_EN]);
    end();
}

static void all_works_with_warnings(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    sees(c, STEP_AFTER, TONE_WARNING, "after-quota-nearly-full");
    sees(NULL, STEP_PASSWORD, TONE_NOTE, "input-percent-dollar");
    wants(VERDICT_HEALTHY, NULL, NULL);
    size_t n;
    const struct judged *noticed = verdict_noticed(&v, &n);
    assert_int_equal(n, 2);
    assert_slice("after-quota-nearly-full", noticed[0].note->diagnosis->id);
    assert_slice("input-percent-dollar", noticed[1].note->diagnosis->id);
    end();
}

static void without_a_password_all_but_the_sign_in(void **state)
{
    begin(false);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, GREETED);
    server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, GREETED);
    wants(VERDICT_NO_PASSWORD, NULL, NULL);
    end();
}

static void without_a_password_a_fault_is_one(void **state)
{
    begin(false);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, GREETED);
    struct checked *c = server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, ENCRYPTED);
    sees(c, STEP_GREETING, TONE_FAULT, "greeting-other-protocol");
    wants(VERDICT_TROUBLE, "greeting-other-protocol", NULL);
    assert_int_equal(v.scope, SCOPE_SENDING);
    end();
}

static void nothing_was_there(void **state)
{
    begin(true);
    wants(VERDICT_UNCLEAR, NULL, NULL);
    end();
}

static void not_everything_was_tried(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, GREETED);
    wants(VERDICT_UNCLEAR, NULL, NULL);
    end();
}

static void a_warning_is_the_reason_when_nothing_else_is(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, GREETED);
    sees(c, STEP_AFTER, TONE_WARNING, "after-silent");
    wants(VERDICT_TROUBLE, "after-silent", NULL);
    end();
}

/* ---------------------------------------------------------------------------------------------- order of faults */

static void the_earlier_step_goes_first(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, TRIED);
    hears(c, STEP_SIGN_IN, WRONG);
    sees(c, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    wants(VERDICT_TROUBLE, "tls-certificate-expired", NULL);
    assert_int_equal(v.step, STEP_TLS);
    size_t n;
    verdict_noticed(&v, &n);
    assert_int_equal(n, 1);
    end();
}

static void faults_go_before_warnings_of_earlier_steps(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, GREETED);
    sees(c, STEP_NETWORK, TONE_WARNING, "net-slow");
    sees(c, STEP_GREETING, TONE_FAULT, "greeting-other-protocol");
    wants(VERDICT_TROUBLE, "greeting-other-protocol", NULL);
    end();
}

static void the_servers_words_go_before_conditions(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, TRIED);
    sees(c, STEP_SIGN_IN, TONE_FAULT, "signin-refused");
    hears(
        c, STEP_SIGN_IN,
        "a NO [PRIVACYREQUIRED] Plaintext authentication disallowed on non-secure connections.");
    verdict_init(&v, &x);
    assert_false(v.diagnosis->observed);
    assert_int_equal(v.diagnosis->cause, CAUSE_TLS_REQUIRED);
    end();
}

static void a_specific_reply_goes_before_a_general_one(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.gmail.com", SOURCE_GIVEN, TRIED);
    hears(c, STEP_SIGN_IN, WRONG);
    hears(
        c, STEP_SIGN_IN,
        "NO [ALERT] Application-specific password required: "
        "https://support.google.com/accounts/answer/185833 (Failure)");
    verdict_init(&v, &x);
    assert_int_equal(v.diagnosis->cause, CAUSE_APP_PASSWORD);
    end();
}

static void a_specific_reply_of_another_server_explains_a_general_one(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "outlook.office365.com", SOURCE_PROVIDER, TRIED);
    struct checked *b = server(SERVICE_SMTP, "smtp.office365.com", SOURCE_PROVIDER, TRIED);
    hears(a, STEP_SIGN_IN, WRONG);
    hears(b, STEP_SIGN_IN, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.");
    verdict_init(&v, &x);
    assert_int_equal(v.diagnosis->cause, CAUSE_BASIC_AUTH_WITHDRAWN);
    assert_ptr_equal(v.server, b);
    assert_int_equal(v.evidence_count, 2);
    end();
}

static void what_the_person_named_goes_before_what_was_found(void **state)
{
    begin(true);
    struct checked *found = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, ENCRYPTED);
    struct checked *given = server(SERVICE_SMTP, "smtp.example.org", SOURCE_GIVEN, NOTHING);
    sees(found, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    sees(given, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_TROUBLE, "dns-no-such-name", NULL);
    end();
}

static void receiving_goes_before_sending(void **state)
{
    begin(true);
    struct checked *out = server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, NOTHING);
    struct checked *in = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, ENCRYPTED);
    sees(out, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    sees(in, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    wants(VERDICT_TROUBLE, "tls-certificate-expired", NULL);
    end();
}

static void of_several_servers_the_one_that_got_furthest(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap1.example.org", SOURCE_SRV, NOTHING);
    struct checked *b = server(SERVICE_IMAP, "imap2.example.org", SOURCE_SRV, TRIED);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    hears(b, STEP_SIGN_IN, WRONG);
    wants(VERDICT_TROUBLE, WRONG_ID, NULL);
    assert_ptr_equal(v.server, b);
    end();
}

static void a_guess_counts_little(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, WORKS);
    struct checked *guess = server(SERVICE_POP3, "pop.example.org", SOURCE_GUESS, NOTHING);
    sees(guess, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_int_equal(v.finding_count, 1);
    assert_true(v.findings[0].aside);
    end();
}

static void a_guess_counts_when_there_is_nothing_else(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap.example.org", SOURCE_GUESS, NOTHING);
    struct checked *b = server(SERVICE_IMAP, "mail.example.org", SOURCE_GUESS, TRIED);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    hears(b, STEP_SIGN_IN, WRONG);
    wants(VERDICT_TROUBLE, WRONG_ID, NULL);
    end();
}

static void another_server_of_the_service_is_enough(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap1.example.org", SOURCE_SRV, NOTHING);
    server(SERVICE_IMAP, "imap2.example.org", SOURCE_SRV, WORKS);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_true(v.findings[0].aside);
    end();
}

static void a_server_of_the_person_must_work_itself(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap1.example.org", SOURCE_GIVEN, NOTHING);
    struct checked *b = server(SERVICE_IMAP, "imap2.example.org", SOURCE_SRV, WORKS);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_TROUBLE, "dns-no-such-name", NULL);
    assert_ptr_equal(v.server, a);
    assert_ptr_equal(v.instead, b);
    end();
}

static void pop3_is_not_missed_where_imap_works(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_PROVIDER, WORKS);
    struct checked *pop = server(SERVICE_POP3, "pop.example.org", SOURCE_PROVIDER, TRIED);
    hears(
        pop, STEP_SIGN_IN,
        "-ERR [SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail settings page "
        "and enable your account for POP access.");
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_true(v.findings[0].aside);
    end();
}

static void imap_is_missed_where_pop3_works(void **state)
{
    begin(true);
    server(SERVICE_POP3, "pop.example.org", SOURCE_PROVIDER, WORKS);
    struct checked *imap = server(SERVICE_IMAP, "imap.example.org", SOURCE_PROVIDER, ENCRYPTED);
    sees(imap, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    wants(VERDICT_TROUBLE, "tls-certificate-expired", NULL);
    end();
}

static void the_same_fault_is_said_once(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, ENCRYPTED);
    struct checked *b = server(SERVICE_IMAP, "imap2.example.org", SOURCE_SRV, ENCRYPTED);
    struct checked *c = server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, ENCRYPTED);
    sees(a, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    sees(b, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    sees(c, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    wants(VERDICT_TROUBLE, "tls-certificate-expired", NULL);
    assert_int_equal(v.finding_count, 1);
    assert_int_equal(v.findings[0].servers, 7);
    assert_int_equal(v.evidence_count, 3);
    assert_ptr_equal(v.server, a);
    end();
}

static void somebody_in_between_goes_before_everything(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, TRIED);
    struct checked *b = server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, CONNECTED);
    hears(a, STEP_SIGN_IN, WRONG);
    sees(b, STEP_NETWORK, TONE_FAULT, "dns-hijack");
    wants(VERDICT_TROUBLE, "dns-hijack", NULL);
    end();
}

static void a_fault_of_the_network_goes_before_those_of_servers(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, NOTHING);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    sees(NULL, STEP_NETWORK, TONE_FAULT, "net-captive-portal");
    wants(VERDICT_TROUBLE, "net-captive-portal", NULL);
    end();
}

static void the_domain_goes_before_guesses(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap.example.org", SOURCE_GUESS, NOTHING);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    sees(NULL, STEP_FIND, TONE_FAULT, "find-no-domain");
    wants(VERDICT_TROUBLE, "find-no-domain", NULL);
    end();
}

static void finding_trouble_does_not_matter_when_all_works(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, WORKS);
    sees(NULL, STEP_FIND, TONE_FAULT, "find-dns-silent");
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_true(v.findings[0].aside);
    end();
}

static void receiving_works_but_sending_does_not(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    struct checked *c = server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, SIGNED_IN);
    sees(c, STEP_AFTER, TONE_FAULT, "after-sender-refused");
    wants(VERDICT_TROUBLE, "after-sender-refused", NULL);
    assert_int_equal(v.scope, SCOPE_SENDING);
    assert_string_equal(
        scope_words(v.scope, LANG_EN), "Receiving mail is not concerned; this is about sending it.");
    end();
}

static void sending_works_but_receiving_does_not(void **state)
{
    begin(true);
    server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, WORKS);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, SIGNED_IN);
    sees(c, STEP_AFTER, TONE_FAULT, "after-inbox-refused");
    wants(VERDICT_TROUBLE, "after-inbox-refused", NULL);
    assert_int_equal(v.scope, SCOPE_RECEIVING);
    end();
}

static void only_sending_refuses_the_same_password(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    struct checked *c = server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, TRIED);
    struct observation *o = hears(c, STEP_SIGN_IN, "535 5.7.8 Error: authentication failed: ");
    sees(NULL, STEP_PASSWORD, TONE_NOTE, "input-caps-lock");
    char id[80];
    snprintf(id, sizeof id, "%.*s", SLICE_ARG(o->diagnosis->id));
    wants(VERDICT_TROUBLE, "client-separate-smtp-password", id);
    assert_int_equal(v.scope, SCOPE_SENDING);
    size_t noticed;
    assert_slice("input-caps-lock", verdict_noticed(&v, &noticed)[0].note->diagnosis->id);
    assert_int_equal(noticed, 1);
    end();
}

/* One of ours refuses: what has not the form of a client password is the mailbox password, most likely. */
static void a_letterlock_wants_a_client_password(void **state)
{
    for (int client = 0; client < 2; client++) {
        begin(true);
        struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, TRIED);
        struct observation *o = hears(c, STEP_SIGN_IN, "a1 NO [AUTHENTICATIONFAILED] sign-in failed");
        char id[80];
        snprintf(id, sizeof id, "%.*s", SLICE_ARG(o->diagnosis->id));
        c->standing.letterlock = true;
        x.is_client_password = client;
        wants(VERDICT_TROUBLE, client ? id : "letterlock-mailbox-password", client ? NULL : id);
        end();
    }
}

static void a_well_known_name_is_not_misspelt(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.gmail.com", SOURCE_PROVIDER, NOTHING);
    sees(c, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_TROUBLE, "dns-hijack", NULL);
    end();
    begin(true);
    c = server(SERVICE_IMAP, "imap.gmial.com", SOURCE_GIVEN, NOTHING);
    sees(c, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_TROUBLE, "dns-no-such-name", NULL);
    end();
}

/* ----------------------------------------------------------------------------------------------- explanations */

/* One refused sign-in with a slip that was noticed before. */
static void refused_with(enum tone tone, const char *slip)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, TRIED);
    sees(NULL, STEP_PASSWORD, tone, slip);
    hears(c, STEP_SIGN_IN, WRONG);
}

static void a_slip_explains_a_general_refusal(void **state)
{
    static const char *const slips[] = {
        "input-leading-trailing-space",
        "input-pasted-newline",
        "input-full-width",
        "input-zero-width",
        "input-control-character",
        "input-not-utf8",
        "input-homoglyph",
        "input-smart-quotes",
        "input-decomposed-letters",
        "input-caps-lock",
        "input-totp-as-password",
        "input-web-password-for-code",
        "input-client-password-slip",
        "input-token-as-password",
        "input-password-as-token",
        "input-token-prefix",
        "input-name-blank",
        "input-name-hidden-sign",
        "input-name-homoglyph",
        "input-display-name",
        "input-username-no-domain"};
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        refused_with(TONE_NOTE, slips[i]);
        wants(VERDICT_TROUBLE, slips[i], WRONG_ID);
        assert_int_equal(v.step, STEP_PASSWORD);
        assert_true(v.evidence_count >= 1);
        bool reply = false;
        for (size_t j = 0; j < v.evidence_count; j++)
            reply |= v.evidence[j].note->proof_kind == PROOF_REPLY && v.evidence[j].server == &x.servers[0];
        assert_true(reply);
        assert_ptr_equal(v.server, &x.servers[0]);
        end();
    }
}

static void a_vague_hint_is_only_the_alternative(void **state)
{
    static const char *const hints[] = {
        "input-non-ascii-password", "input-first-letter-capital", "input-very-long-password",
        "input-app-password-spaces"};
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        refused_with(TONE_NOTE, hints[i]);
        wants(VERDICT_TROUBLE, WRONG_ID, hints[i]);
        end();
    }
}

static void signs_that_scripts_change_explain_nothing_here(void **state)
{
    refused_with(TONE_NOTE, "input-percent-dollar");
    wants(VERDICT_TROUBLE, WRONG_ID, NULL);
    end();
}

static void a_specific_reply_wins_over_a_slip(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.gmail.com", SOURCE_PROVIDER, TRIED);
    sees(NULL, STEP_PASSWORD, TONE_WARNING, "input-leading-trailing-space");
    hears(
        c, STEP_SIGN_IN,
        "NO [ALERT] Application-specific password required: "
        "https://support.google.com/accounts/answer/185833 (Failure)");
    verdict_init(&v, &x);
    assert_int_equal(v.diagnosis->cause, CAUSE_APP_PASSWORD);
    end();
}

static void a_slip_explains_no_fault_of_the_network(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, NOTHING);
    sees(NULL, STEP_PASSWORD, TONE_WARNING, "input-leading-trailing-space");
    sees(c, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    wants(VERDICT_TROUBLE, "dns-no-such-name", NULL);
    end();
}

static void a_slip_is_none_where_the_password_was_accepted(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    server(SERVICE_SMTP, "smtp.example.org", SOURCE_SRV, WORKS);
    sees(NULL, STEP_PASSWORD, TONE_WARNING, "input-leading-trailing-space");
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_int_equal(v.finding_count, 1);
    end();
}

static void an_empty_password_is_the_verdict(void **state)
{
    begin(true);
    server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, GREETED);
    sees(NULL, STEP_PASSWORD, TONE_WARNING, "input-empty-password");
    wants(VERDICT_TROUBLE, "input-empty-password", NULL);
    end();
}

static void the_surer_slip_is_told(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, TRIED);
    sees(NULL, STEP_PASSWORD, TONE_NOTE, "input-caps-lock");
    sees(NULL, STEP_PASSWORD, TONE_WARNING, "input-pasted-newline");
    hears(c, STEP_SIGN_IN, WRONG);
    wants(VERDICT_TROUBLE, "input-pasted-newline", WRONG_ID);
    end();
}

static void a_wrong_setting_explains_what_it_leads_to(void **state)
{
    static const struct {
        const char *setting, *fault;
        enum step step;
    } cases[] = {
        {"host-wrong-suffix", "dns-no-such-name", STEP_NETWORK},
        {"host-typo", "dns-no-such-name", STEP_NETWORK},
        {"host-is-webmail", "greeting-other-protocol", STEP_GREETING},
        {"host-mixed-up", "greeting-other-protocol", STEP_GREETING},
        {"port-of-other-service", "greeting-other-protocol", STEP_GREETING},
        {"port-993-starttls", "greeting-other-protocol", STEP_GREETING},
        {"port-25-submission", "net-port-filtered", STEP_NETWORK},
        {"exmail-wrong-host", "signin-refused", STEP_SIGN_IN},
        {"provider-without-imap", "dns-no-such-name", STEP_NETWORK},
        {"input-domain-typo", "dns-no-such-name", STEP_NETWORK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int general = 0; general < 2; general++) {
            begin(true);
            struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, CONNECTED);
            sees(c, cases[i].step, TONE_FAULT, cases[i].fault);
            sees(general ? NULL : c, STEP_FIND, TONE_WARNING, cases[i].setting);
            bool refused = cases[i].step == STEP_SIGN_IN;
            wants(VERDICT_TROUBLE, cases[i].setting, refused ? cases[i].fault : NULL);
            assert_ptr_equal(v.server, c);
            end();
        }
}

static void a_wrong_setting_of_another_server_explains_nothing(void **state)
{
    begin(true);
    struct checked *a = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, NOTHING);
    struct checked *b = server(SERVICE_SMTP, "smtp.example.org", SOURCE_GIVEN, WORKS);
    sees(a, STEP_NETWORK, TONE_FAULT, "dns-no-such-name");
    sees(b, STEP_FIND, TONE_WARNING, "host-typo");
    wants(VERDICT_TROUBLE, "dns-no-such-name", NULL);
    end();
}

static void the_provider_may_want_a_code(void **state)
{
    begin(true);
    x.provider = knowledge_provider(k, S("qq"));
    assert_non_null(x.provider);
    struct checked *c = server(SERVICE_IMAP, "imap.qq.com", SOURCE_PROVIDER, TRIED);
    hears(c, STEP_SIGN_IN, WRONG);
    wants(VERDICT_TROUBLE, WRONG_ID, "input-web-password-for-code");
    end();
}

static void an_alternative_of_the_note_is_kept(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_GIVEN, NOTHING);
    struct observation *o = sees(c, STEP_NETWORK, TONE_FAULT, "net-port-filtered");
    o->alternative = knowledge_find(k, S("fail2ban-silent-drop"));
    wants(VERDICT_TROUBLE, "net-port-filtered", "fail2ban-silent-drop");
    end();
}

static void facts_of_warning_are_listed(void **state)
{
    begin(true);
    struct checked *c = server(SERVICE_IMAP, "imap.example.org", SOURCE_SRV, WORKS);
    c->notes.step = STEP_NETWORK;
    notes_fact(&c->notes, TONE_WARNING, FACT_CONNECTED, S("192.0.2.1"), S("900"), SLICE_EMPTY);
    notes_fact(&c->notes, TONE_GOOD, FACT_CONNECTED, S("192.0.2.1"), S("9"), SLICE_EMPTY);
    wants(VERDICT_HEALTHY, NULL, NULL);
    assert_int_equal(v.finding_count, 1);
    assert_slice("192.0.2.1 answers after 900 ms", observation_words(&v.arena, v.findings[0].note, LANG_EN));
    end();
}

static void labels_name_a_server(void **state)
{
    struct arena a = ARENA_INIT(4096);
    struct endpoint e = {.host = S("imap.example.org"), .port = 993};
    assert_slice("imap.example.org:993", endpoint_label(&a, &e));
    e.host = S("2001:db8::1");
    assert_slice("[2001:db8::1]:993", endpoint_label(&a, &e));
    arena_done(&a);
}

static void many_notes_of_many_servers(void **state)
{
    begin(true);
    for (int i = 0; i < LIMIT_DOCTOR_SERVERS; i++) {
        char host[40];
        snprintf(host, sizeof host, "imap%d.example.org", i);
        struct checked *c = server(SERVICE_IMAP, host, SOURCE_SRV, TRIED);
        for (int j = 0; j < LIMIT_DOCTOR_NOTES + 1; j++)
            sees(c, STEP_TLS, TONE_FAULT, "tls-certificate-expired");
    }
    wants(VERDICT_TROUBLE, "tls-certificate-expired", NULL);
    assert_int_equal(v.finding_count, 1);
    assert_true(v.findings[0].servers == UINT64_MAX);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_works),
        cmocka_unit_test(only_reading_was_asked_for),
        cmocka_unit_test(all_works_with_warnings),
        cmocka_unit_test(without_a_password_all_but_the_sign_in),
        cmocka_unit_test(without_a_password_a_fault_is_one),
        cmocka_unit_test(nothing_was_there),
        cmocka_unit_test(not_everything_was_tried),
        cmocka_unit_test(a_warning_is_the_reason_when_nothing_else_is),
        cmocka_unit_test(the_earlier_step_goes_first),
        cmocka_unit_test(faults_go_before_warnings_of_earlier_steps),
        cmocka_unit_test(the_servers_words_go_before_conditions),
        cmocka_unit_test(a_specific_reply_goes_before_a_general_one),
        cmocka_unit_test(a_specific_reply_of_another_server_explains_a_general_one),
        cmocka_unit_test(what_the_person_named_goes_before_what_was_found),
        cmocka_unit_test(receiving_goes_before_sending),
        cmocka_unit_test(of_several_servers_the_one_that_got_furthest),
        cmocka_unit_test(a_guess_counts_little),
        cmocka_unit_test(a_guess_counts_when_there_is_nothing_else),
        cmocka_unit_test(another_server_of_the_service_is_enough),
        cmocka_unit_test(a_server_of_the_person_must_work_itself),
        cmocka_unit_test(pop3_is_not_missed_where_imap_works),
        cmocka_unit_test(imap_is_missed_where_pop3_works),
        cmocka_unit_test(the_same_fault_is_said_once),
        cmocka_unit_test(somebody_in_between_goes_before_everything),
        cmocka_unit_test(a_fault_of_the_network_goes_before_those_of_servers),
        cmocka_unit_test(the_domain_goes_before_guesses),
        cmocka_unit_test(finding_trouble_does_not_matter_when_all_works),
        cmocka_unit_test(receiving_works_but_sending_does_not),
        cmocka_unit_test(sending_works_but_receiving_does_not),
        cmocka_unit_test(only_sending_refuses_the_same_password),
        cmocka_unit_test(a_letterlock_wants_a_client_password),
        cmocka_unit_test(a_well_known_name_is_not_misspelt),
        cmocka_unit_test(a_slip_explains_a_general_refusal),
        cmocka_unit_test(a_vague_hint_is_only_the_alternative),
        cmocka_unit_test(signs_that_scripts_change_explain_nothing_here),
        cmocka_unit_test(a_specific_reply_wins_over_a_slip),
        cmocka_unit_test(a_slip_explains_no_fault_of_the_network),
        cmocka_unit_test(a_slip_is_none_where_the_password_was_accepted),
        cmocka_unit_test(an_empty_password_is_the_verdict),
        cmocka_unit_test(the_surer_slip_is_told),
        cmocka_unit_test(a_wrong_setting_explains_what_it_leads_to),
        cmocka_unit_test(a_wrong_setting_of_another_server_explains_nothing),
        cmocka_unit_test(the_provider_may_want_a_code),
        cmocka_unit_test(an_alternative_of_the_note_is_kept),
        cmocka_unit_test(facts_of_warning_are_listed),
        cmocka_unit_test(labels_name_a_server),
        cmocka_unit_test(many_notes_of_many_servers),
    };
    return cmocka_run_group_tests(tests, learn, forget);
}

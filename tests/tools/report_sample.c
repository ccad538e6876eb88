/* report_sample.c - writes the doctor's HTML report of a made-up examination to standard output: report_sample LANG KIND, for
 * tests/browser. KIND is trouble, healthy, or hostile (texts as a malicious server may choose them). */
#include <stdio.h>

#include "doctor/report.h"

enum { DAY = 86400 };

static struct checked *
add(struct examination *x, enum service service, const char *host, uint16_t port, enum security security,
    enum source source)
{
    struct endpoint e = {
        .service = service,
        .host = slice_str(host),
        .port = port,
        .security = security,
        .source = source,
        .trusted = true};
    return examination_add(x, &e);
}

static void encrypt(struct checked *c)
{
    c->notes.step = STEP_NETWORK;
    notes_fact(&c->notes, TONE_GOOD, FACT_ADDRESS, c->endpoint.host, S("192.0.2.25"), SLICE_EMPTY);
    notes_fact(&c->notes, TONE_GOOD, FACT_CONNECTED, S("192.0.2.25"), S("23"), SLICE_EMPTY);
    c->notes.step = STEP_TLS;
    notes_fact(
        &c->notes, TONE_GOOD, FACT_TLS_SESSION, S("TLSv1.3"), S("TLS_AES_256_GCM_SHA384"), SLICE_EMPTY);
    notes_fact(&c->notes, TONE_GOOD, FACT_CERTIFICATE_GOOD, c->endpoint.host, S("R11"), S("2027-01-30"));
    c->notes.step = STEP_GREETING;
    notes_fact(
        &c->notes, TONE_GOOD, FACT_GREETING,
        S("* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN AUTH=LOGIN] "
          "Dovecot ready."),
        SLICE_EMPTY, SLICE_EMPTY);
    notes_fact(&c->notes, TONE_GOOD, FACT_MECHANISMS, S("PLAIN LOGIN"), SLICE_EMPTY, SLICE_EMPTY);
    c->standing = (struct standing){.connected = true, .encrypted = true, .private_ = true, .greeted = true};
    c->tls = (struct tls_profile){
        .shaken = true,
        .probed = true,
        .version = S("TLSv1.3"),
        .suite = S("TLS_AES_256_GCM_SHA384"),
        .group = S("X25519"),
        .forward_secret = true,
        .verified = true,
        .key = S("RSA 2048"),
        .signature = S("SHA-256"),
        .issuer = S("R11"),
        .key_strength = 112,
        .not_before_s = 1700000000,
        .not_after_s = 1700000000 + 90 * DAY,
        .days_left = 69,
        .versions_asked = 31,
        .versions = TLS_HAS_TLS10 | TLS_HAS_TLS12 | TLS_HAS_TLS13,
        .weak_asked = 255,
        .weak = TLS_WEAK_CBC | TLS_WEAK_STATIC,
        .groups_asked = 63,
        .groups = TLS_GROUP_X25519 | TLS_GROUP_P256};
}

static void work(struct checked *c)
{
    c->notes.step = STEP_SIGN_IN;
    notes_fact(&c->notes, TONE_GOOD, FACT_SIGNED_IN, S("PLAIN"), S("alice@example.org"), SLICE_EMPTY);
    c->notes.step = STEP_AFTER;
    notes_fact(&c->notes, TONE_GOOD, FACT_INBOX, S("1204"), SLICE_EMPTY, SLICE_EMPTY);
    c->standing.tried = c->standing.signed_in = c->standing.works = true;
}

static void make_healthy(struct examination *x)
{
    struct checked *in = add(x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS, SOURCE_SRV);
    struct checked *out = add(x, SERVICE_SMTP, "smtp.example.org", 587, SECURITY_STARTTLS, SOURCE_SRV);
    encrypt(in);
    encrypt(out);
    work(in);
    work(out);
}

static void make_trouble(struct examination *x)
{
    x->general.step = STEP_PASSWORD;
    notes_observed(&x->general, TONE_WARNING, OBSERVED_INPUT_LEADING_TRAILING_SPACE, PROOF_NONE, SLICE_EMPTY);
    x->general.step = STEP_FIND;
    notes_fact(&x->general, TONE_GOOD, FACT_SERVER, S("IMAP"), S("imap.example.org:993"), S("SRV"));
    struct checked *in = add(x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS, SOURCE_SRV);
    struct checked *out = add(x, SERVICE_SMTP, "smtp.example.org", 465, SECURITY_TLS, SOURCE_SRV);
    struct checked *old =
        add(x, SERVICE_POP3, "pop.a-very-long-name-of-a-mail-server-in-a-department.example.org", 995,
            SECURITY_TLS, SOURCE_GUESS);
    encrypt(in);
    encrypt(out);
    in->standing.tried = true;
    in->notes.step = STEP_SIGN_IN;
    notes_observed(
        &in->notes, TONE_FAULT, OBSERVED_SIGNIN_REFUSED, PROOF_REPLY,
        S("o2 NO [AUTHENTICATIONFAILED] Authentication failed."));
    out->notes.step = STEP_NETWORK;
    notes_measured(
        &out->notes, TONE_WARNING, OBSERVED_NET_SLOW, PROOF_MEASURED,
        wording_say(&out->notes.arena, PHRASE_MILLISECONDS, S("1840"), SLICE_EMPTY, SLICE_EMPTY));
    out->notes.step = STEP_GREETING;
    notes_observed(
        &out->notes, TONE_NOTE, OBSERVED_GREETING_BARE_LINES, PROOF_REPLY,
        S("220 smtp.example.org ESMTP\r\n250-smtp.example.org\r\n250-PIPELINING\r\n250 SIZE 52428800"));
    old->notes.step = STEP_NETWORK;
    notes_observed(
        &old->notes, TONE_FAULT, OBSERVED_DNS_NO_SUCH_NAME, PROOF_RECORD,
        S("pop.a-very-long-name-of-a-mail-server-in-a-department.example.org: NXDOMAIN"));
}

static void make_hostile(struct examination *x)
{
    static const struct slice evil = S("</pre><script>document.title='taken'</script><img src=x "
                                       "onerror=\"document.title='taken'\">\xe2\x80\xae\x1b[31m");
    char wide[LIMIT_DOCTOR_PROOF];
    memset(wide, 'W', sizeof wide);
    x->address = evil;
    struct checked *in = add(x, SERVICE_IMAP, "imap.example.org", 993, SECURITY_TLS, SOURCE_GIVEN);
    encrypt(in);
    in->tls.issuer = in->tls.key = evil;
    in->notes.step = STEP_GREETING;
    notes_fact(&in->notes, TONE_GOOD, FACT_GREETING, evil, SLICE_EMPTY, SLICE_EMPTY);
    notes_observed(&in->notes, TONE_FAULT, OBSERVED_GREETING_OTHER_PROTOCOL, PROOF_REPLY, evil);
    notes_observed(
        &in->notes, TONE_WARNING, OBSERVED_GREETING_BARE_LINES, PROOF_REPLY, slice_of(wide, sizeof wide));
}

static const struct {
    const char *name;
    void (*make)(struct examination *x);
} kinds[] = {{"healthy", make_healthy}, {"trouble", make_trouble}, {"hostile", make_hostile}};

static int write_report(struct examination *x, enum lang lang)
{
    struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_DOCTOR_REPORT);
    struct verdict v;
    struct grading g;
    verdict_init(&v, x);
    grading_init(&g, x);
    const struct report r = {
        .examination = x,
        .verdict = &v,
        .grading = &g,
        .lang = lang,
        .when = S("2026-11-22 20:00 UTC"),
        .program = S("Letterlock")};
    report_put(&r, &out);
    bool written = buf_check(&out) == OK && fwrite(out.p, 1, out.n, stdout) == out.n;
    grading_done(&g);
    verdict_done(&v);
    return written ? 0 : 1;
}

int main(int argc, char **argv)
{
    enum lang lang;
    if (argc != 3 || lang_parse(slice_str(argv[1]), &lang) != OK)
        return 64;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, argv[2]) != 0)
            continue;
        static struct examination x;
        struct knowledge *k = knowledge_built_in();
        examination_init(&x, k);
        x.address = S("alice@example.org");
        x.has_secret = true;
        kinds[i].make(&x);
        int code = write_report(&x, lang);
        examination_done(&x);
        knowledge_free(&k);
        return code;
    }
    return 64;
}

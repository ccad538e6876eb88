/* commands.c - what each SMTP command does once the dispatcher let it through. */
#include "smtp/front/dialogue.h"

#include <assert.h>

#include "base/limits.h"

/* ---- greeting ---- */

static bool may_starttls(const struct smtp_dialogue *d)
{
    return d->options.tls_possible && !d->options.tls;
}

static bool may_auth(const struct smtp_dialogue *d)
{
    return d->options.door == SMTP_DOOR_SUBMISSION && d->options.tls && !d->signed_in;
}

static void greet(struct smtp_dialogue *d, struct slice name)
{
    memcpy(d->helo, name.p, name.n);
    d->helo[name.n] = '\0';
    smtp_forget(d); /* RFC 5321 4.1.4 */
    d->state = SMTP_IN_GREETED;
}

static void run_helo(struct smtp_dialogue *d, const struct smtp_command *c)
{
    greet(d, c->text);
    d->esmtp = false;
    smtp_put_text(d->out, STATUS_HELO, d->options.hostname);
}

static void run_ehlo(struct smtp_dialogue *d, const struct smtp_command *c)
{
    greet(d, c->text);
    d->esmtp = true;
    struct buf text CLEANUP_BUF = BUF_INIT(2048);
    buf_put(&text, d->options.hostname);
    buf_put(&text, S("\nPIPELINING\nSIZE "));
    buf_put_u64(&text, d->options.message_limit);
    buf_put(&text, S("\n8BITMIME\nSMTPUTF8\nCHUNKING\nENHANCEDSTATUSCODES"));
    if (may_starttls(d))
        buf_put(&text, S("\nSTARTTLS"));
    struct slice mechanisms = may_auth(d) ? d->world->mechanisms(d->owner) : SLICE_EMPTY;
    if (mechanisms.n) {
        buf_put(&text, S("\nAUTH "));
        buf_put(&text, mechanisms);
    }
    smtp_put_text(d->out, STATUS_HELO, buf_slice(&text));
}

static void run_starttls(struct smtp_dialogue *d, const struct smtp_command *c)
{
    smtp_say(d, STATUS_TLS_START);
    d->wait = SMTP_WAIT_TLS;
    d->world->tls_start(d->owner);
}

/* RFC 3207 4.2: all that was learnt in the clear is forgotten. */
void smtp_dialogue_tls_on(struct smtp_dialogue *d)
{
    assert(d->wait == SMTP_WAIT_TLS);
    d->wait = SMTP_WAIT_INPUT;
    d->options.tls = true;
    smtp_forget(d);
    d->state = SMTP_IN_START;
    d->esmtp = false;
    d->helo[0] = '\0';
}

/* ---- the envelope ---- */

static void begin_transaction(struct smtp_dialogue *d)
{
    d->envelope.from = d->asked;
    d->envelope.smtputf8 = d->params.smtputf8;
    d->envelope.body = d->params.body;
    d->envelope.size = d->params.size;
    d->state = SMTP_IN_MAIL;
    smtp_say(d, STATUS_SENDER_OK);
}

static void run_mail(struct smtp_dialogue *d, const struct smtp_command *c)
{
    if (c->params.size > d->options.message_limit) {
        d->world->refused(d->owner, STATUS_TOO_BIG, &c->path);
        smtp_refuse(d, STATUS_TOO_BIG);
        return;
    }
    d->asked = c->path;
    d->params = c->params;
    if (d->options.door == SMTP_DOOR_MX || address_is_null(&c->path)) {
        begin_transaction(d);
        return;
    }
    d->wait = SMTP_WAIT_OWNS;
    d->world->owns(d->owner, &d->asked);
}

void smtp_dialogue_owned(struct smtp_dialogue *d, enum status verdict)
{
    assert(d->wait == SMTP_WAIT_OWNS);
    d->wait = SMTP_WAIT_INPUT;
    if (verdict == STATUS_SENDER_OK) {
        begin_transaction(d);
    } else {
        d->world->refused(d->owner, verdict, &d->asked);
        smtp_say(d, verdict);
    }
}

static enum status foreign(const struct smtp_dialogue *d)
{
    return d->options.door == SMTP_DOOR_MX ? STATUS_RELAY_DENIED : STATUS_RELAY_MISSING;
}

static void refuse_recipient(struct smtp_dialogue *d, const struct address *recipient, enum status verdict)
{
    d->envelope.refused++;
    d->world->refused(d->owner, verdict, recipient);
    smtp_say(d, verdict);
}

static void run_rcpt(struct smtp_dialogue *d, const struct smtp_command *c)
{
    if (d->envelope.recipients >= d->options.recipients) {
        refuse_recipient(d, &c->path, STATUS_TOO_MANY_RECIPIENTS);
        return;
    }
    if (c->path.is_literal) { /* no domain of ours is an address literal */
        refuse_recipient(d, &c->path, foreign(d));
        return;
    }
    d->asked = c->path;
    d->wait = SMTP_WAIT_RESOLVE;
    d->world->resolve(d->owner, &d->asked);
}

/* A local part that elsewhere would route on to another host is no spelling mistake of a local user (T-047). */
static bool looks_like_routing(const struct address *a)
{
    struct slice local = address_local(a);
    return slice_has(local, '%') || slice_has(local, '!') || slice_has(local, '@');
}

void smtp_dialogue_resolved(
    struct smtp_dialogue *d, enum status verdict, const struct smtp_target *targets, size_t count)
{
    assert(d->wait == SMTP_WAIT_RESOLVE);
    d->wait = SMTP_WAIT_INPUT;
    bool routing = verdict == STATUS_NO_SUCH_MAILBOX && looks_like_routing(&d->asked);
    if (routing || verdict == STATUS_RELAY_DENIED)
        verdict = foreign(d);
    for (size_t i = 0; i < count && verdict == STATUS_RECIPIENT_OK; i++)
        if (smtp_envelope_add(&d->envelope, &targets[i]) != OK)
            verdict = STATUS_TOO_MANY_RECIPIENTS;
    if (verdict != STATUS_RECIPIENT_OK) {
        refuse_recipient(d, &d->asked, verdict);
        return;
    }
    d->envelope.recipients++;
    d->state = SMTP_IN_RCPT;
    smtp_say(d, verdict);
}

/* ---- content ---- */

static enum status begin_message(struct smtp_dialogue *d)
{
    enum status s = d->world->begin(d->owner, &d->envelope);
    if (s == STATUS_OK) {
        d->begun = true;
        smtp_intake_init(&d->intake, d->options.message_limit);
    }
    return s;
}

static void run_data(struct smtp_dialogue *d, const struct smtp_command *c)
{
    enum status s = begin_message(d);
    if (s != STATUS_OK) {
        d->world->refused(d->owner, s, NULL);
        smtp_say(d, s);
        smtp_forget(d);
        return;
    }
    smtp_say(d, STATUS_DATA_START);
    d->mode = SMTP_MODE_DATA;
}

static void run_bdat(struct smtp_dialogue *d, const struct smtp_command *c)
{
    enum status s = d->state == SMTP_IN_CHUNKS ? STATUS_OK : begin_message(d);
    if (s != STATUS_OK) {
        d->world->refused(d->owner, s, NULL);
        smtp_discard_chunk(d, c->chunk, s);
        return;
    }
    d->intake.chunk.left = c->chunk;
    d->last = c->last;
    d->mode = SMTP_MODE_CHUNK;
}

/* ---- small ones ---- */

static void run_rset(struct smtp_dialogue *d, const struct smtp_command *c)
{
    smtp_forget(d);
    smtp_say(d, STATUS_OK);
}

static void run_noop(struct smtp_dialogue *d, const struct smtp_command *c)
{
    smtp_say(d, STATUS_OK);
}

static void run_vrfy(struct smtp_dialogue *d, const struct smtp_command *c)
{
    smtp_say(d, STATUS_CANNOT_VERIFY);
}

static void run_quit(struct smtp_dialogue *d, const struct smtp_command *c)
{
    smtp_close(d, STATUS_BYE);
}

static void run_refused(struct smtp_dialogue *d, const struct smtp_command *c)
{
    smtp_refuse(d, STATUS_NO_SUCH_FEATURE);
}

smtp_run_fn *const smtp_runs[SMTP_VERBS] = {
    [SMTP_EHLO] = run_ehlo,       [SMTP_HELO] = run_helo, [SMTP_STARTTLS] = run_starttls,
    [SMTP_AUTH] = smtp_run_auth,  [SMTP_MAIL] = run_mail, [SMTP_RCPT] = run_rcpt,
    [SMTP_DATA] = run_data,       [SMTP_BDAT] = run_bdat, [SMTP_RSET] = run_rset,
    [SMTP_NOOP] = run_noop,       [SMTP_VRFY] = run_vrfy, [SMTP_QUIT] = run_quit,
    [SMTP_REFUSED] = run_refused,
};

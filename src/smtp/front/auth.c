/* auth.c - AUTH (RFC 4954): the gate carries opaque octets between the client and the vault. */
#include "smtp/front/dialogue.h"

#include <assert.h>

#include "base/encode.h"
#include "base/limits.h"

/* "=" stands for the empty response, and only as initial one (RFC 4954 4). */
static fallible decode(struct slice text, bool initial, struct buf *out)
{
    return initial && slice_eq(text, S("=")) ? OK : base64_get(text, out);
}

void smtp_run_auth(struct smtp_dialogue *d, const struct smtp_command *c)
{
    if (d->signed_in) {
        smtp_refuse(d, STATUS_SIGNED_IN_ALREADY);
        return;
    }
    struct buf initial = BUF_INIT(LIMIT_SASL_RESPONSE);
    if (c->has_initial && decode(c->initial, true, &initial) != OK) {
        smtp_refuse(d, STATUS_AUTH_SYNTAX);
    } else {
        d->wait = SMTP_WAIT_AUTH;
        d->world->auth_start(d->owner, c->text, c->has_initial, buf_slice(&initial));
    }
    buf_wipe(&initial);
}

void smtp_auth_response(struct smtp_dialogue *d, const struct line *line)
{
    d->mode = SMTP_MODE_COMMAND;
    struct buf response = BUF_INIT(LIMIT_SASL_RESPONSE);
    bool cancelled = slice_eq(line->text, S("*"));
    if (cancelled || line->bare || line->dirty || decode(line->text, false, &response) != OK) {
        d->world->auth_cancel(d->owner);
        smtp_refuse(d, cancelled ? STATUS_AUTH_CANCELLED : STATUS_AUTH_SYNTAX);
    } else {
        d->wait = SMTP_WAIT_AUTH;
        d->world->auth_step(d->owner, buf_slice(&response));
    }
    buf_wipe(&response);
}

static void challenge_client(struct smtp_dialogue *d, struct slice challenge)
{
    struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_SASL_RESPONSE);
    base64_put(&text, challenge);
    smtp_put_challenge(d->out, buf_slice(&text));
    d->mode = SMTP_MODE_RESPONSE;
}

void smtp_dialogue_auth(struct smtp_dialogue *d, enum smtp_auth outcome, struct slice challenge)
{
    assert(d->wait == SMTP_WAIT_AUTH);
    d->wait = SMTP_WAIT_INPUT;
    switch (outcome) {
    case SMTP_AUTH_CHALLENGE:
        challenge_client(d, challenge);
        break;
    case SMTP_AUTH_OK:
        d->signed_in = true;
        d->junk = d->errors = 0;
        smtp_say(d, STATUS_SIGNED_IN);
        break;
    case SMTP_AUTH_NO:
        smtp_say(d, STATUS_SIGNIN_FAILED); /* counted by whoever answered */
        break;
    case SMTP_AUTH_NO_MORE:
        smtp_say(d, STATUS_SIGNIN_FAILED);
        smtp_close(d, STATUS_TOO_MANY_ERRORS);
        break;
    case SMTP_AUTH_LATER:
        smtp_say(d, STATUS_SIGNIN_UNAVAILABLE);
        break;
    case SMTP_AUTH_MALFORMED:
        smtp_refuse(d, STATUS_AUTH_SYNTAX);
        break;
    case SMTP_AUTH_UNKNOWN:
        smtp_refuse(d, STATUS_MECHANISM_UNKNOWN);
        break;
    }
}

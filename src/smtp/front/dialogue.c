#include "smtp/front/dialogue.h"

#include <assert.h>

#include "base/limits.h"

static const char *const wait_name[] = {"input", "recipient", "sender", "sign-in", "tls", "keeper", "stored"};
static_assert(sizeof wait_name / sizeof *wait_name == SMTP_WAITS, "a wait without a name");

const char *smtp_wait_name(enum smtp_wait wait)
{
    return wait_name[wait];
}

void smtp_dialogue_init(
    struct smtp_dialogue *d, const struct smtp_options *options, const struct smtp_world *world, void *owner,
    struct buf *out)
{
    *d = (struct smtp_dialogue){
        .options = *options, .world = world, .owner = owner, .out = out, .state = SMTP_IN_START};
    smtp_envelope_init(&d->envelope);
}

void smtp_dialogue_done(struct smtp_dialogue *d)
{
    smtp_forget(d);
    d->mode = SMTP_MODE_CLOSED;
}

bool smtp_dialogue_is_receiving(const struct smtp_dialogue *d)
{
    return d->mode == SMTP_MODE_DATA || d->mode == SMTP_MODE_CHUNK || d->state == SMTP_IN_CHUNKS;
}

/* ---- saying ---- */

void smtp_say(struct smtp_dialogue *d, enum status status)
{
    smtp_put(d->out, status);
}

void smtp_close(struct smtp_dialogue *d, enum status farewell)
{
    smtp_say(d, farewell);
    smtp_forget(d);
    d->mode = SMTP_MODE_CLOSED;
}

void smtp_refuse(struct smtp_dialogue *d, enum status status)
{
    if (status_is_permanent(status) && ++d->errors > LIMIT_SMTP_ERRORS)
        smtp_close(d, STATUS_TOO_MANY_ERRORS);
    else
        smtp_say(d, status);
}

void smtp_forget(struct smtp_dialogue *d)
{
    if (d->begun)
        d->world->drop(d->owner);
    d->begun = false;
    smtp_envelope_reset(&d->envelope);
    if (d->state != SMTP_IN_START)
        d->state = SMTP_IN_GREETED;
}

void smtp_dialogue_greet(struct smtp_dialogue *d, bool talked)
{
    if (talked) {
        smtp_close(d, STATUS_WRONG_ORDER);
        return;
    }
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_DOMAIN + 64);
    buf_put(&text, d->options.hostname);
    buf_put(&text, S(" ESMTP Letterlock"));
    smtp_put_text(d->out, STATUS_GREETING, buf_slice(&text));
}

void smtp_dialogue_end(struct smtp_dialogue *d, enum status farewell)
{
    if (d->mode == SMTP_MODE_CLOSED)
        return;
    if (d->wait == SMTP_WAIT_STORE) /* the world goes on with it; the sender will ask again (RFC 1047) */
        d->begun = false;
    else if (d->begun)
        d->world->refused(d->owner, farewell, NULL);
    d->wait = SMTP_WAIT_INPUT;
    smtp_close(d, farewell);
}

/* ---- the dispatcher: each column of a row, in this order ---- */

static enum status check_state(const struct smtp_dialogue *d, const struct smtp_row *row)
{
    if (row->states & d->state)
        return STATUS_OK;
    if (d->state == SMTP_IN_START)
        return STATUS_NEED_HELO;
    if (row->states == (SMTP_IN_MAIL | SMTP_IN_RCPT) && d->state == SMTP_IN_GREETED)
        return STATUS_NEED_SENDER;
    bool content = row->verb == SMTP_DATA || row->verb == SMTP_BDAT;
    if (content && d->state == SMTP_IN_GREETED)
        return STATUS_NEED_SENDER;
    if (content && d->state == SMTP_IN_MAIL)
        return row->verb == SMTP_DATA && d->envelope.refused ? STATUS_NO_VALID_RECIPIENT
                                                             : STATUS_NEED_RECIPIENT;
    return STATUS_WRONG_ORDER;
}

static enum status check_row(const struct smtp_dialogue *d, const struct smtp_row *row)
{
    bool submission = d->options.door == SMTP_DOOR_SUBMISSION;
    if ((row->flags & SMTP_SUBMISSION) && !submission)
        return STATUS_NO_SUCH_FEATURE;
    if ((row->flags & SMTP_BEFORE_TLS) && d->options.tls)
        return STATUS_TLS_ALREADY;
    if ((row->flags & SMTP_BEFORE_TLS) && !d->options.tls_possible)
        return STATUS_NO_SUCH_FEATURE;
    if ((row->flags & SMTP_NEEDS_TLS) && !d->options.tls)
        return STATUS_SIGNIN_NEEDS_TLS;
    if ((row->flags & SMTP_NEEDS_SIGNIN) && submission && !d->signed_in && d->state != SMTP_IN_START)
        return d->options.tls ? STATUS_NEED_SIGNIN : STATUS_NEED_TLS;
    return check_state(d, row);
}

/* Nothing may stand behind a command that ends a group, nor behind any command of a client that did not say EHLO. Whatever
 * it is, it was sent without knowing our answer: it is never read as a command (T-029). */
static bool is_talking_ahead(const struct smtp_dialogue *d, const struct smtp_row *row, size_t behind)
{
    return behind > 0 && (!d->esmtp || (row && (row->flags & SMTP_ENDS_GROUP)));
}

/* A chunk that will not be taken still comes: its octets must not become commands. Any error of BDAT ends the transaction
 * (RFC 3030 4.2; T-025). */
void smtp_discard_chunk(struct smtp_dialogue *d, uint64_t chunk, enum status refusal)
{
    smtp_forget(d);
    d->refusal = refusal;
    d->discard = chunk;
    d->discarded = 0;
    d->mode = SMTP_MODE_DISCARD;
}

static void refuse_command(
    struct smtp_dialogue *d, const struct smtp_row *row, enum status parsed, const struct smtp_command *c,
    enum status why)
{
    if (row && row->verb == SMTP_MAIL && parsed == STATUS_OK)
        d->world->refused(d->owner, why, &c->path);
    if (!row || row->verb != SMTP_BDAT)
        smtp_refuse(d, why);
    else if (parsed == STATUS_OK)
        smtp_discard_chunk(d, c->chunk, why);
    else
        smtp_close(d, why); /* how many octets follow cannot be known */
}

static void dispatch(struct smtp_dialogue *d, const struct line *line, size_t behind)
{
    const struct smtp_row *row;
    struct smtp_command c = {0};
    unsigned with = (d->envelope.smtputf8 ? SMTP_WITH_UTF8 : 0) | (d->signed_in ? SMTP_WITH_AUTH : 0);
    enum status parsed = smtp_command_parse(line, with, &row, &c);
    enum status allowed = row ? check_row(d, row) : STATUS_OK;
    if (is_talking_ahead(d, row, behind)) {
        smtp_close(d, STATUS_WRONG_ORDER);
    } else if (line->bare || allowed == STATUS_OK) {
        if (parsed != STATUS_OK) {
            refuse_command(d, row, parsed, &c, parsed);
        } else if ((row->flags & SMTP_JUNK) && ++d->junk > LIMIT_SMTP_JUNK) {
            smtp_close(d, STATUS_TOO_MANY_ERRORS);
        } else {
            smtp_runs[row->verb](d, &c);
        }
    } else {
        refuse_command(d, row, parsed, &c, allowed);
    }
}

/* ---- modes: each takes what it can; false when it needs more ---- */

static bool mode_command(struct smtp_dialogue *d, struct slice *input)
{
    if (d->state == SMTP_IN_START && smtp_is_foreign(*input)) {
        d->mode = SMTP_MODE_CLOSED; /* another protocol: no word of ours means anything there (T-046) */
        return true;
    }
    struct line line;
    enum err e = line_find(*input, smtp_line_limit(*input), &line);
    if (e == ERR_AGAIN)
        return false;
    if (e == ERR_LIMIT) {
        smtp_close(d, STATUS_LINE_TOO_LONG);
        return true;
    }
    dispatch(d, &line, input->n - line.used);
    *input = slice_from(*input, line.used);
    return true;
}

static bool mode_response(struct smtp_dialogue *d, struct slice *input)
{
    struct line line;
    enum err e = line_find(*input, LIMIT_SASL_RESPONSE, &line);
    if (e == ERR_AGAIN)
        return false;
    if (e == ERR_LIMIT) {
        d->world->auth_cancel(d->owner);
        smtp_close(d, STATUS_SIGNIN_TOO_LONG);
        return true;
    }
    smtp_auth_response(d, &line);
    *input = slice_from(*input, line.used);
    return true;
}

static void take_piece(struct smtp_dialogue *d, struct slice piece)
{
    if (smtp_intake_take(&d->intake, piece)) {
        d->world->put(d->owner, piece);
    } else if (d->begun) {
        d->world->drop(d->owner);
        d->begun = false;
    }
}

/* The message in the envelope is refused; the transaction is over. */
static void refuse_message(struct smtp_dialogue *d, enum status why, bool close)
{
    d->world->refused(d->owner, why, NULL);
    if (close) {
        smtp_close(d, why);
    } else {
        smtp_say(d, why);
        smtp_forget(d);
    }
}

/* Someone who sends far more than was refused already is not listened to for ever. */
static bool is_endless(const struct smtp_dialogue *d)
{
    return d->intake.content.octets > 2 * d->options.message_limit;
}

static bool wait_for_room(struct smtp_dialogue *d)
{
    if (!d->begun || !d->world->is_full(d->owner))
        return false;
    d->wait = SMTP_WAIT_ROOM;
    return true;
}

/* The verdict on the message in `intake` is final. */
static void finish_message(struct smtp_dialogue *d)
{
    enum status verdict = smtp_intake_end(&d->intake);
    if (verdict == STATUS_OK) {
        d->wait = SMTP_WAIT_STORE;
        d->world->end(d->owner);
    } else {
        refuse_message(d, verdict, smtp_intake_is_smuggling(verdict));
    }
}

static bool mode_data(struct smtp_dialogue *d, struct slice *input)
{
    struct slice piece;
    if (input->n == 0 || wait_for_room(d))
        return false;
    while (smtp_data_feed(&d->intake.data, input, &piece))
        take_piece(d, piece);
    if (smtp_data_is_done(&d->intake.data)) {
        d->mode = SMTP_MODE_COMMAND;
        finish_message(d);
    } else if (is_endless(d)) {
        refuse_message(d, d->intake.verdict, true);
    }
    return true;
}

static void finish_chunk(struct smtp_dialogue *d)
{
    d->mode = SMTP_MODE_COMMAND;
    d->state = SMTP_IN_CHUNKS;
    if (d->last) {
        finish_message(d);
    } else if (d->intake.verdict != STATUS_OK) {
        refuse_message(d, d->intake.verdict, false);
    } else {
        smtp_say(d, STATUS_CHUNK_OK);
    }
}

static bool mode_chunk(struct smtp_dialogue *d, struct slice *input)
{
    struct slice piece;
    if (d->intake.chunk.left && (input->n == 0 || wait_for_room(d)))
        return false;
    while (smtp_bdat_feed(&d->intake.chunk, input, &piece))
        take_piece(d, piece);
    if (d->intake.chunk.left == 0)
        finish_chunk(d);
    else if (is_endless(d))
        refuse_message(d, d->intake.verdict, true);
    return true;
}

static bool mode_discard(struct smtp_dialogue *d, struct slice *input)
{
    if (d->discard && input->n == 0)
        return false;
    size_t n = d->discard < input->n ? (size_t)d->discard : input->n;
    *input = slice_from(*input, n);
    d->discard -= n;
    d->discarded += n;
    if (d->discard && d->discarded > d->options.message_limit) {
        smtp_close(d, d->refusal);
    } else if (d->discard == 0) {
        d->mode = SMTP_MODE_COMMAND;
        smtp_refuse(d, d->refusal);
    }
    return true;
}

static bool mode_closed(struct smtp_dialogue *d, struct slice *input)
{
    *input = slice_from(*input, input->n);
    return false;
}

static bool (*const modes[SMTP_MODES])(struct smtp_dialogue *d, struct slice *input) = {
    [SMTP_MODE_COMMAND] = mode_command, [SMTP_MODE_RESPONSE] = mode_response,
    [SMTP_MODE_DATA] = mode_data,       [SMTP_MODE_CHUNK] = mode_chunk,
    [SMTP_MODE_DISCARD] = mode_discard, [SMTP_MODE_CLOSED] = mode_closed,
};

void smtp_dialogue_feed(struct smtp_dialogue *d, struct slice *input)
{
    bool more = true;
    while (more && d->wait == SMTP_WAIT_INPUT && d->out->n <= LIMIT_SESSION_OUTPUT)
        more = modes[d->mode](d, input);
}

void smtp_dialogue_room(struct smtp_dialogue *d)
{
    if (d->wait == SMTP_WAIT_ROOM)
        d->wait = SMTP_WAIT_INPUT;
}

void smtp_dialogue_stored(struct smtp_dialogue *d, enum status verdict, struct slice id)
{
    assert(d->wait == SMTP_WAIT_STORE);
    d->wait = SMTP_WAIT_INPUT;
    d->begun = false;
    if (id.n)
        smtp_put_quoted(d->out, verdict, id);
    else
        smtp_say(d, verdict);
    if (verdict == STATUS_STORED) {
        d->messages++;
        d->junk = 0;
    } else {
        d->world->refused(d->owner, verdict, NULL);
    }
    smtp_forget(d);
}

#include "smtp/front/refusals.h"

#include "base/clock.h"
#include "base/limits.h"

/* cli/reasons.c has the words. What is missing here concerns the conversation, not a mail. */
static const char *const reasons[STATUS_N] = {
    [STATUS_UNAVAILABLE] = "unavailable",
    [STATUS_NOT_STORED] = "unavailable",
    [STATUS_TOO_SLOW] = "too-slow",
    [STATUS_MAILBOX_BUSY] = "unavailable",
    [STATUS_MAILBOX_FULL] = "quota",
    [STATUS_DISK_FULL] = "disk-full",
    [STATUS_TOO_MANY_RECIPIENTS] = "too-many-recipients",
    [STATUS_NEED_TLS] = "needs-tls",
    [STATUS_NEED_SIGNIN] = "needs-sign-in",
    [STATUS_NO_SUCH_MAILBOX] = "unknown-recipient",
    [STATUS_RELAY_MISSING] = "foreign",
    [STATUS_SENDER_NOT_YOURS] = "sender",
    [STATUS_FROM_NOT_YOURS] = "from",
    [STATUS_SENDER_NOT_ALLOWED] = "sender-limit",
    [STATUS_RECIPIENT_NOT_ALLOWED] = "recipient-limit",
    [STATUS_BUDGET_USED] = "budget",
    [STATUS_UTF8_MESSAGE] = "utf8",
    [STATUS_TOO_BIG] = "too-big",
    [STATUS_HEADER_TOO_BIG] = "header",
    [STATUS_BODY_LINE_TOO_LONG] = "long-line",
    [STATUS_BARE_LINE_END_IN_MESSAGE] = "smuggling",
    [STATUS_NUL_IN_MESSAGE] = "nul",
    [STATUS_LOOP] = "loop",
    [STATUS_FAILED] = "malformed-message",
};

/* A wrong sender in the header, which only the keeper has read. */
static bool is_of_header(const struct refusal *what)
{
    return what->why == STATUS_FROM_NOT_YOURS || (what->why == STATUS_SENDER_NOT_ALLOWED && !what->about);
}

/* The stable word for `letterlock why`; NULL for what is not told. */
static const char *refusal_reason(const struct refusal *what)
{
    if (what->why == STATUS_SENDER_NOT_ALLOWED && is_of_header(what))
        return "from-limit";
    return (unsigned)what->why < STATUS_N ? reasons[what->why] : NULL;
}

static void tell(struct refusals *r, const struct refusal *what, struct slice under, struct slice detail)
{
    if (r->told >= LIMIT_REFUSALS_TOLD || !r->gate->vault || !under.n || under.n > LIMIT_ADDRESS)
        return;
    r->told++;
    struct ipc_msg m = {
        .type = MSG_REFUSAL,
        .u.refusal = {
            .time_s = clock_unix_s(),
            .service = what->service,
            .address = under,
            .reason = slice_str(refusal_reason(what)),
            .client = what->client,
            .detail = slice_sub(detail, 0, LIMIT_WHY_DETAIL)}};
    IGNORE(channel_send(r->gate->vault, &m), "it is lost, as said above");
}

static void put_sender(const struct smtp_envelope *envelope, struct buf *out)
{
    address_put(out, &envelope->from);
    if (!out->n)
        buf_put(out, S("<>"));
}

/* Port 25: under each recipient, with the sender as the detail. */
static void tell_recipients(struct refusals *r, const struct refusal *what)
{
    struct buf from CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2), to CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    put_sender(what->envelope, &from);
    if (what->about) {
        address_put(&to, what->about);
        tell(r, what, buf_slice(&to), buf_slice(&from));
        return;
    }
    LIST_EACH (&what->envelope->targets, struct smtp_target, link, t) {
        tell(r, what, t->address, buf_slice(&from));
    }
}

/* What was refused; of a message its first recipient, and where its header names a wrong sender the sender in MAIL. */
static void put_about(const struct refusal *what, struct buf *out)
{
    const struct smtp_target *first = LIST_FIRST(&what->envelope->targets, struct smtp_target, link);
    if (what->about)
        address_put(out, what->about);
    else if (is_of_header(what))
        put_sender(what->envelope, out);
    else if (first)
        buf_put(out, first->recipient);
}

/* Submission: under the account. Who has not signed in is known by the sender it names, which anybody can say: once a
 * connection. */
static void tell_sender(struct refusals *r, const struct refusal *what)
{
    struct buf about CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS * 2);
    put_about(what, &about);
    if (what->account.n)
        tell(r, what, what->account, buf_slice(&about));
    else if (r->told == 0)
        tell(r, what, buf_slice(&about), buf_slice(&about));
}

void refusals_tell(struct refusals *r, const struct refusal *what)
{
    bool unknown = what->why == STATUS_NO_SUCH_MAILBOX;
    if (!refusal_reason(what) || (unknown && what->service == SERVICE_MX))
        return;
    if (what->service == SERVICE_MX)
        tell_recipients(r, what);
    else
        tell_sender(r, what);
}

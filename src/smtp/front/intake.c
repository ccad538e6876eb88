#include "smtp/front/intake.h"

void smtp_intake_init(struct smtp_intake *in, uint64_t limit)
{
    in->data = (struct smtp_data){0};
    in->chunk = (struct smtp_bdat){0};
    in->content = (struct smtp_content){0};
    header_watch_init(&in->header);
    in->limit = limit;
    in->verdict = STATUS_OK;
}

/* Worst first: a message with a bare line end is refused for that, whatever else is wrong with it. */
static enum status of_flags(const struct smtp_intake *in)
{
    unsigned flags = in->content.flags;
    if (flags & (SMTP_BARE_CR | SMTP_BARE_LF))
        return STATUS_BARE_LINE_END_IN_MESSAGE;
    if (flags & SMTP_NUL)
        return STATUS_NUL_IN_MESSAGE;
    if (flags & SMTP_LINE_LONG)
        return in->header.in_body ? STATUS_BODY_LINE_TOO_LONG : STATUS_HEADER_TOO_BIG;
    return STATUS_OK;
}

static void judge(struct smtp_intake *in)
{
    enum status wrong = of_flags(in);
    if (smtp_intake_is_smuggling(wrong) || (in->verdict == STATUS_OK && wrong != STATUS_OK))
        in->verdict = wrong;
}

bool smtp_intake_take(struct smtp_intake *in, struct slice piece)
{
    smtp_content_feed(&in->content, piece);
    if (in->verdict == STATUS_OK)
        in->verdict = header_watch_feed(&in->header, piece);
    if (in->verdict == STATUS_OK && in->content.octets > in->limit)
        in->verdict = STATUS_TOO_BIG;
    judge(in);
    return in->verdict == STATUS_OK;
}

enum status smtp_intake_end(struct smtp_intake *in)
{
    smtp_content_end(&in->content);
    judge(in);
    return in->verdict;
}

bool smtp_intake_is_smuggling(enum status verdict)
{
    return verdict == STATUS_BARE_LINE_END_IN_MESSAGE || verdict == STATUS_NUL_IN_MESSAGE;
}

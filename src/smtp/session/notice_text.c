#include "smtp/session/notice_text.h"

#include "base/clock.h"
#include "base/limits.h"
#include "mail/encoding.h"
#include "mail/header.h"
#include "mail/message.h"

#define LAST_SECOND UINT64_C(253402300799) /* of the year 9999 */

enum language { ENGLISH, CHINESE, LANGUAGES };

static const struct {
    const char *kind;
    const char *subject[LANGUAGES], *text[LANGUAGES];
} notices[] = {
#define NOTICE(kind, subject_en, subject_zh, text_en, text_zh)                                               \
    {kind, {subject_en, subject_zh}, {text_en, text_zh}},
#include "smtp/session/notices.def"
#undef NOTICE
};
enum { NOTICES = sizeof notices / sizeof *notices };

/* The facts that are listed, in this order. */
static const struct {
    const char *name, *words[LANGUAGES];
} facts[] = {
    {"account", {"Mailbox", "邮箱"}},     {"label", {"Password for", "客户端密码"}},
    {"credential", {"Number", "编号"}},   {"what", {"What", "内容"}},
    {"doors", {"Opens", "可用于"}},       {"limits", {"Limits", "限制"}},
    {"limit", {"Budget", "限额"}},        {"when_s", {"When", "时间"}},
    {"expires_s", {"Until", "截止时间"}}, {"due_s", {"At", "时限"}},
    {"by", {"Done by", "操作者"}},        {"door", {"Protocol", "协议"}},
    {"from", {"From", "来源地址"}},       {"program", {"Program", "程序"}},
    {"reason", {"Reason", "原因"}},
};

static struct slice fact_of(const struct notice *n, struct slice name)
{
    struct slice rest = n->facts, line;
    while (slice_cut(&rest, '\n', &line))
        if (line.n > name.n && slice_starts(line, name) && line.p[name.n] == '=')
            return slice_from(line, name.n + 1);
    return slice_eq(name, S("account")) ? n->address : SLICE_EMPTY;
}

static void put_value(struct buf *out, struct slice name, struct slice value)
{
    uint64_t seconds;
    bool is_time = name.n > 2 && slice_eq(slice_from(name, name.n - 2), S("_s"));
    if (!is_time || slice_to_u64(value, LAST_SECOND, &seconds) != OK) {
        buf_put(out, value);
        return;
    }
    struct civil c = civil_of_unix((int64_t)seconds);
    buf_printf(out, "%04d-%02d-%02d %02d:%02d UTC", c.year, c.month, c.day, c.hour, c.minute);
}

/* {name} becomes the fact; anything else stays. */
static void put_template(struct buf *out, const struct notice *n, const char *text)
{
    struct slice rest = slice_str(text), piece, name;
    while (rest.n) {
        bool more = slice_cut(&rest, '{', &piece) && rest.n;
        buf_put(out, piece);
        if (more && slice_cut(&rest, '}', &name))
            put_value(out, name, fact_of(n, name));
    }
}

static void put_facts(struct buf *out, const struct notice *n, enum language language)
{
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct slice name = slice_str(facts[i].name), value = fact_of(n, name);
        if (!value.n)
            continue;
        buf_printf(out, "%s: ", facts[i].words[language]);
        put_value(out, name, value);
        buf_put_char(out, '\n');
    }
}

static void put_body(struct buf *out, const struct notice *n, unsigned which, enum language language)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE);
    put_template(&text, n, notices[which].text[language]);
    buf_put_str(&text, "\n\n");
    put_facts(&text, n, language);
    struct buf lines CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE);
    struct message_lines l;
    message_lines_init(&l);
    message_lines_feed(&l, buf_slice(&text), &lines);
    message_lines_finish(&l, &lines);
    encoding_put_base64(out, buf_slice(&lines));
}

static unsigned find(struct slice kind)
{
    unsigned i = 0;
    while (i < NOTICES - 1 && !slice_eq(kind, slice_str(notices[i].kind)))
        i++;
    return i; /* the last one is for every other kind */
}

fallible notice_write(const struct notice *n, struct buf *out)
{
    enum language language = slice_starts(n->language, S("zh")) ? CHINESE : ENGLISH;
    unsigned which = find(n->kind);
    struct buf subject CLEANUP_BUF = BUF_INIT(LIMIT_NOTICE);
    struct buf from CLEANUP_BUF = BUF_INIT(LIMIT_ADDRESS + 64);
    put_template(&subject, n, notices[which].subject[language]);
    buf_printf(&from, "Letterlock <postmaster@" SLICE_FMT ">", SLICE_ARG(n->hostname));
    message_put_date(out, n->now_s);
    header_put_field(out, S("From"), buf_slice(&from));
    header_put_field(out, S("To"), n->address);
    header_put_text_field(out, S("Subject"), buf_slice(&subject));
    message_put_message_id(out, n->random, n->hostname);
    header_put_field(out, S("Auto-Submitted"), S("auto-generated"));
    header_put_field(out, S("MIME-Version"), S("1.0"));
    header_put_field(out, S("Content-Type"), S("text/plain; charset=utf-8"));
    header_put_field(out, S("Content-Transfer-Encoding"), S("base64"));
    buf_put_str(out, "\r\n");
    put_body(out, n, which, language);
    return buf_check(out);
}

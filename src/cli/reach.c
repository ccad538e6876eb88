#include "cli/reach.h"

#include "base/utf8.h"

static const struct {
    const char *word;
    struct lang_text says;
} reaches[] = {
    {"imap-read", {{"reads mail by IMAP", "以 IMAP 读取邮件"}}},
    {"pop3-read", {{"reads mail by POP3", "以 POP3 读取邮件"}}},
    {"whole-mailbox", {{"the whole mailbox", "整个邮箱"}}},
    {"attachments", {{"with attachments", "包括附件"}}},
    {"imap-write", {{"stores mail and changes flags", "存入邮件、更改标记"}}},
    {"delete", {{"deletes mail for good", "彻底删除邮件"}}},
    {"send", {{"sends mail in the owner's name", "以本人名义发信"}}},
    {"send-as-any", {{"as every address of the account", "可用账户的任何地址"}}},
    {"send-anywhere", {{"to everybody", "发给任何人"}}},
    {"unlimited-messages", {{"as many messages as it likes", "数量不限"}}},
    {"from-anywhere", {{"from every network", "来自任何网络"}}},
    {"for-ever", {{"for ever", "永久有效"}}},
};

static const struct {
    const char *word;
    struct lang_text brief, says;
} found[] = {
    {"wide",
     {{"wide", "过宽"}},
     {{"It may do nearly everything: narrow it, or let it expire (client change).",
       "几乎不受限制：请缩小权限或设定有效期（client change）。"}}},
    {"stale",
     {{"stale", "久未使用"}},
     {{"It was not used for a long time: revoke it (client revoke).",
       "很久没有使用：请吊销（client revoke）。"}}},
    {"never-used",
     {{"never used", "从未使用"}},
     {{"It was never used: revoke it (client revoke).", "从未使用：请吊销（client revoke）。"}}},
    {"over-age",
     {{"over age", "超龄"}},
     {{"It is older than it should be: give it a new secret (client rotate).",
       "已超过应有的使用年限：请更换（client rotate）。"}}},
    {"expiring", {{"expiring", "即将到期"}}, {{"It expires soon.", "即将到期。"}}},
    {"canary", {{"canary", "诱饵"}}, {{"A bait: it opens nothing.", "诱饵：不能登录。"}}},
    {"frozen",
     {{"frozen", "已冻结"}},
     {{"It was frozen because it used more than its budget: see why, then thaw or revoke it.",
       "因超出限额而被冻结：请查明原因，再解冻或吊销。"}}},
};

bool reach_has(struct slice words, const char *word)
{
    struct slice one;
    while (slice_cut(&words, ' ', &one))
        if (slice_eq(one, slice_str(word)))
            return true;
    return false;
}

void reach_put(enum lang lang, struct slice words, struct buf *out)
{
    struct slice one;
    bool any = false;
    while (slice_cut(&words, ' ', &one)) {
        const char *says = NULL;
        if (!one.n)
            continue;
        buf_put_str(out, any ? (lang == LANG_ZH ? "，" : ", ") : "");
        any = true;
        for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++)
            if (slice_eq(one, slice_str(reaches[i].word)))
                says = reaches[i].says.in[lang];
        if (says)
            buf_put_str(out, says);
        else
            utf8_put_safe(out, one);
    }
    if (!any)
        buf_put_str(out, lang == LANG_ZH ? "不能打开任何内容" : "opens nothing");
}

void finding_put(enum lang lang, struct slice words, struct buf *out)
{
    struct slice one;
    while (slice_cut(&words, ' ', &one))
        for (size_t i = 0; i < sizeof found / sizeof *found; i++)
            if (slice_eq(one, slice_str(found[i].word))) {
                buf_put_str(out, out->n && lang == LANG_EN ? " " : "");
                buf_put_str(out, found[i].says.in[lang]);
            }
}

void finding_put_short(enum lang lang, struct slice word, struct buf *out)
{
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        if (slice_eq(word, slice_str(found[i].word)))
            buf_put_str(out, found[i].brief.in[lang]);
}

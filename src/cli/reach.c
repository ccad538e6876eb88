#include "cli/reach.h"

#include "base/utf8.h"

static const struct {
    const char *word;
    struct lang_text says;
} reaches[] = {
    {"nothing", {{"opens nothing", "不能打开任何内容"}}},
    {"read", {{"reads mail", "读取邮件"}}},
    {"read-all", {{"reads all mail", "读取全部邮件"}}},
    {"read-folders", {{"reads some folders", "读取部分文件夹"}}},
    {"read-window", {{"reads recent mail only", "只读取近期邮件"}}},
    {"no-attachments", {{"sees no attachments", "看不到附件"}}},
    {"some-attachments", {{"sees some attachments only", "只能看到部分附件"}}},
    {"append", {{"adds mail", "存入邮件"}}},
    {"flag", {{"changes flags", "更改标记"}}},
    {"manage", {{"makes and removes folders", "创建和删除文件夹"}}},
    {"delete", {{"deletes mail", "删除邮件"}}},
    {"send", {{"sends mail", "发送邮件"}}},
    {"send-all", {{"sends mail to everybody", "可以给任何人发信"}}},
    {"send-some", {{"sends to some recipients only", "只能给部分收件人发信"}}},
    {"send-as-some", {{"sends as some addresses only", "只能以部分地址发信"}}},
    {"budget", {{"within a budget", "用量受限"}}},
    {"anywhere", {{"from anywhere", "可以从任何地方使用"}}},
    {"networks", {{"from some networks only", "只能从部分网段使用"}}},
    {"always", {{"at any time", "任何时间"}}},
    {"hours", {{"at some hours only", "只在部分时间"}}},
    {"for-ever", {{"for ever", "永久有效"}}},
    {"expires", {{"until it expires", "到期前有效"}}},
    {"rotates", {{"until it has to be rotated", "须定期更换"}}},
    {"cram-md5", {{"CRAM-MD5 material is kept", "保存有 CRAM-MD5 所需内容"}}},
    {"imap", {{"IMAP", "IMAP"}}},
    {"pop3", {{"POP3", "POP3"}}},
    {"smtp", {{"SMTP", "SMTP"}}},
    {"api", {{"API", "API"}}},
};

static const struct {
    const char *word;
    struct lang_text brief, says;
} found[] = {
    {"wide",
     {{"wide", "过宽"}},
     {{"It may do more than a mail program needs: narrow it (client change).",
       "权限超出邮件程序的需要：请缩小（client change）。"}}},
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

const char *reach_known(size_t i)
{
    size_t n = sizeof reaches / sizeof *reaches;
    return i < n ? reaches[i].word : i < n + sizeof found / sizeof *found ? found[i - n].word : NULL;
}

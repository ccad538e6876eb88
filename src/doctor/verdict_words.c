#include "doctor/judging.h"

const char *verdict_kind_name(enum verdict_kind kind)
{
    static const char *const names[VERDICT_N] = {"healthy", "no-password", "unclear", "trouble"};
    return names[kind];
}

static const struct {
    const char *name;
    struct lang_text says;
} scopes[SCOPE_N] = {
    [SCOPE_WHOLE] = {"whole", {{"", ""}}},
    [SCOPE_RECEIVING] =
        {"receiving",
         {{"Sending mail is not concerned; this is about receiving it.", "发信不受影响；问题只在收信。"}}},
    [SCOPE_SENDING] =
        {"sending",
         {{"Receiving mail is not concerned; this is about sending it.", "收信不受影响；问题只在发信。"}}},
};

const char *scope_name(enum scope scope)
{
    return scopes[scope].name;
}

const char *scope_words(enum scope scope, enum lang lang)
{
    return scopes[scope].says.in[lang];
}

/* What is said when no diagnosis is. By what was there to check: nothing, receiving, sending, both. */
static const struct {
    struct lang_text says[4], remedy;
} wholes[VERDICT_N] = {
    [VERDICT_HEALTHY] =
        {{{{"Everything works.", "一切正常。"}},
          {{"Everything works: a mail program can sign in and read mail.",
            "一切正常：邮件程序可以登录并收取邮件。"}},
          {{"Everything works: a mail program can sign in and send mail.",
            "一切正常：邮件程序可以登录并发送邮件。"}},
          {{"Everything works: a mail program can sign in, read mail and send it.",
            "一切正常：邮件程序可以登录、收信和发信。"}}},
         {{"Nothing needs to be done. If a program fails nevertheless, compare its settings with the ones "
           "that worked here.",
           "无需处理。若某个程序仍然失败，请把它的设置与此处可用的设置对照。"}}},
    [VERDICT_NO_PASSWORD] =
        {{{{"Everything up to the sign-in works; without a password the sign-in itself was not tried.",
            "登录之前的各步都正常；没有提供密码，因此未尝试登录。"}},
          {{"The servers for reading mail work up to the sign-in; without a password that was not tried.",
            "收信服务器在登录之前的各步都正常；没有提供密码，因此未尝试登录。"}},
          {{"The servers for sending mail work up to the sign-in; without a password that was not tried.",
            "发信服务器在登录之前的各步都正常；没有提供密码，因此未尝试登录。"}},
          {{"The servers for reading and sending mail work up to the sign-in; without a password that was "
            "not tried.",
            "收信和发信服务器在登录之前的各步都正常；没有提供密码，因此未尝试登录。"}}},
         {{"Run it again and give the password, so that the sign-in is tried as well.",
           "再运行一次并提供密码，即可一并检查登录。"}}},
    [VERDICT_UNCLEAR] =
        {{{{"No server was there to check.", "没有可检查的服务器。"}},
          {{"Nothing wrong was seen, but not everything could be tried.",
            "未发现故障，但有些项目没能检查。"}},
          {{"Nothing wrong was seen, but not everything could be tried.",
            "未发现故障，但有些项目没能检查。"}},
          {{"Nothing wrong was seen, but not everything could be tried.",
            "未发现故障，但有些项目没能检查。"}}},
         {{"Look at the steps for what was left out and why; name the servers if the right ones are not "
           "among them.",
           "查看各步骤中哪些被略过及其原因；若缺少正确的服务器，请指定它们。"}}},
};

void verdict_say(struct verdict *v, const struct judging *j)
{
    const struct service_state *s = j->services;
    bool receives = s[SERVICE_IMAP].wanted || s[SERVICE_POP3].wanted;
    size_t which = (receives ? 1u : 0u) + (s[SERVICE_SMTP].wanted ? 2u : 0u);
    for (int l = 0; l < LANG_N; l++) {
        v->says[l] = slice_str(wholes[v->kind].says[which].in[l]);
        v->remedy[l] = slice_str(wholes[v->kind].remedy.in[l]);
    }
}

struct slice endpoint_label(struct arena *a, const struct endpoint *e)
{
    bool six = slice_has(e->host, ':');
    return arena_printf(
        a, "%s" SLICE_FMT "%s:%u", six ? "[" : "", SLICE_ARG(e->host), six ? "]" : "", e->port);
}

struct slice observation_words(struct arena *a, const struct observation *o, enum lang lang)
{
    if (o->diagnosis)
        return o->diagnosis->says[lang];
    return words_fill(a, fact_words(o->fact, lang), o->args);
}

struct slice observation_proof(const struct observation *o, enum lang lang)
{
    return o->own.in[lang].n ? o->own.in[lang] : o->proof;
}

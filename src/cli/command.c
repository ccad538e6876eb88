/* command.c - looking things up in the table. */
#include "cli/command.h"

#include <stddef.h>

static const struct exit_row exits[] = {
    {CLI_OK, {{"done", "完成"}}},
    {CLI_NO, {{"the answer is no", "答案是否定的"}}},
    {CLI_USAGE, {{"the command line is wrong", "命令行有误"}}},
    {CLI_DATA, {{"a value is not acceptable", "某个值不可接受"}}},
    {CLI_NOT_FOUND, {{"no such domain, account, alias or client", "没有这个域名、账户、别名或客户端"}}},
    {CLI_UNAVAILABLE, {{"the server, or a part of it, does not answer", "服务器或其一部分没有应答"}}},
    {CLI_FAILED, {{"something failed that should not", "发生了不该发生的错误"}}},
    {CLI_CANNOT_CREATE, {{"it exists already, or cannot be made", "已经存在，或无法创建"}}},
    {CLI_IO, {{"reading or writing failed, or the disk is full", "读写失败，或磁盘已满"}}},
    {CLI_DENIED, {{"not allowed", "没有权限"}}},
    {CLI_CONFIG, {{"the configuration, or a file it names, is wrong", "配置或其中所写的文件有误"}}},
};

const struct exit_row *exit_table(size_t *ret_count)
{
    *ret_count = sizeof exits / sizeof *exits;
    return exits;
}

const struct command *command_find(struct slice name)
{
    for (size_t i = 0; i < command_count(); i++)
        if (slice_eq(slice_str(command_at(i)->name), name))
            return command_at(i);
    return NULL;
}

static const struct {
    const char *word;
    struct lang_text summary;
} groups[] = {
    {"domain", {{"the mail domains of this server", "本服务器的邮件域名"}}},
    {"account", {{"people and their mailboxes", "用户及其邮箱"}}},
    {"alias", {{"addresses that lead to others", "指向其他地址的别名"}}},
    {"address", {{"addresses that were given up and rest", "停用期内的地址"}}},
    {"token",
     {{"tokens: client passwords for OAUTHBEARER and XOAUTH2", "令牌：用于 OAUTHBEARER 和 XOAUTH2"}}},
    {"password", {{"mailbox passwords", "邮箱密码"}}},
    {"policy", {{"rules for passwords and second factors", "密码和第二因素的规则"}}},
    {"factor", {{"second factors of the mailbox password", "邮箱密码的第二因素"}}},
    {"vault", {{"the keys of the vault", "保险库的密钥"}}},
    {"directory", {{"accounts from an LDAP server", "来自 LDAP 服务器的账户"}}},
    {"breach", {{"passwords that stand in stolen lists", "已泄露的密码清单"}}},
    {"batch", {{"many changes from a file", "按文件批量操作"}}},
    {"client", {{"client passwords: one for each mail program", "客户端密码：每个邮件程序一个"}}},
};

const struct lang_text *command_group(struct slice word)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (slice_eq(word, slice_str(groups[i].word)))
            return &groups[i].summary;
    return NULL;
}

struct slice command_first_word(const struct command *command)
{
    struct slice name = slice_str(command->name);
    return slice_sub(name, 0, slice_find(name, ' '));
}

const struct flag *command_flag(const struct command *command, struct slice name)
{
    const struct flag *tables[] = {command->flags, common_flags};
    for (size_t t = 0; t < 2; t++)
        for (const struct flag *f = tables[t]; f && f->name; f++)
            if (slice_eq(name, slice_str(f->name)))
                return f;
    return NULL;
}

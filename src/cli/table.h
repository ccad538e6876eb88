/* table.h - the parts of the one table of commands, and what their rows share.            room: cli   runs in: cli
 *
 * The rows of a group ("client ...") stand side by side in one part. command_at (command.h) walks the parts in order.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/command.h"

struct command_part {
    const struct command *rows;
    size_t count;
};
extern const struct command_part command_account_part, command_client_part, command_credential_part,
    command_directory_part, command_breach_part, command_doctor_part;

/* A text in both languages. */
#define SAYS(en, zh)                                                                                         \
    {                                                                                                        \
        {                                                                                                    \
            en, zh                                                                                           \
        }                                                                                                    \
    }
#define FLAG(name, en, zh)                                                                                   \
    {                                                                                                        \
        name, VALUE_NONE, NULL, NULL, false, SAYS(en, zh)                                                    \
    }
#define FLAG_YES FLAG("yes", "ask nothing", "不再询问")
#define FLAG_NO_PASSWORD FLAG("no-password", "set no mailbox password now", "暂不设置邮箱密码")
#define OPERAND(name, kind, en, zh)                                                                          \
    {                                                                                                        \
        name, kind, NULL, false, false, SAYS(en, zh)                                                         \
    }
#define OPERAND_ADDRESS(en, zh) OPERAND("ADDRESS", VALUE_ADDRESS, en, zh)
#define EXAMPLE(line, en, zh)                                                                                \
    {                                                                                                        \
        line, SAYS(en, zh)                                                                                   \
    }
#define EXAMPLE_PLAIN(line) EXAMPLE(line, "", "")

#endif

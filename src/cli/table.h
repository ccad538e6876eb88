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
extern const struct command_part command_account_part, command_client_part;

#define FLAG_YES                                                                                             \
    {                                                                                                        \
        "yes", VALUE_NONE, NULL, NULL, false,                                                                \
        {                                                                                                    \
            {                                                                                                \
                "ask nothing", "不再询问"                                                                \
            }                                                                                                \
        }                                                                                                    \
    }
#define FLAG_NO_PASSWORD                                                                                     \
    {                                                                                                        \
        "no-password", VALUE_NONE, NULL, NULL, false,                                                        \
        {                                                                                                    \
            {                                                                                                \
                "set no mailbox password now", "暂不设置邮箱密码"                                    \
            }                                                                                                \
        }                                                                                                    \
    }
#define OPERAND_ADDRESS(says_en, says_zh)                                                                    \
    {                                                                                                        \
        "ADDRESS", VALUE_ADDRESS, NULL, false, false,                                                        \
        {                                                                                                    \
            {                                                                                                \
                says_en, says_zh                                                                             \
            }                                                                                                \
        }                                                                                                    \
    }
#define OPERAND_ID                                                                                           \
    {                                                                                                        \
        "ID", VALUE_NUMBER, NULL, false, false,                                                              \
        {                                                                                                    \
            {                                                                                                \
                "its number in \"client list\"", "它在“client list”中的编号"                       \
            }                                                                                                \
        }                                                                                                    \
    }

#endif

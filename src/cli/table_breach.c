/* table_breach.c - the rows of the filter of breached passwords. */
#include "cli/run.h"
#include "cli/table.h"

static const struct operand build_operands[] = {
    {"FILE", VALUE_PATH, NULL, false, true,
     SAYS(
         "a list: words, or SHA-1 sums as HASH:COUNT; - is standard input",
         "清单：每行一个密码，或形如 HASH:COUNT 的 SHA-1 值；“-”为标准输入")},
    {NULL}};
static const struct example build_examples[] = {
    EXAMPLE(
        "letterlock breach build rockyou.txt", "refuses these as mailbox passwords",
        "拒绝把这些密码用作邮箱密码"),
    EXAMPLE(
        "xz -dc pwned-passwords-sha1.txt.xz | letterlock breach build -", "a list of many millions",
        "数以百万计的清单"),
    {NULL}};
static const struct flag check_flags[] = {
    FLAG(
        "password", "ask for a password, and tell whether it is listed (exit code 1)",
        "询问一个密码，判断其是否在清单中（在则退出码为 1）"),
    {NULL}};
static const struct example check_examples[] = {
    EXAMPLE("letterlock breach check", "reads the whole filter", "读取并核对整个过滤文件"),
    EXAMPLE("letterlock breach check --password", "asks without echo", "无回显地询问"),
    {NULL}};

static const struct command rows[] = {
    {"breach build", NEED_FOLDER, false,
     SAYS("make the filter of breached passwords from lists", "用清单制作已泄露密码的过滤文件"),
     SAYS(
         "Makes DIR/vault/breached.filter, which takes less than three octets a password, and takes the "
         "place of a "
         "former one. A password that is not listed is taken for a listed one once in a million times. "
         "Memory stays "
         "below 96 MiB however long the lists are; the folder needs room for 8 octets a line meanwhile. The "
         "server "
         "looks at it when it starts and at each reload. Nobody outside is asked about any password.",
         "生成 "
         "DIR/vault/"
         "breached.filter（每个密码不到三字节），并取代原有的。不在清单中的密码被误判的概率为百万分之一。"
         "无论清单多长，内存占用都低于 96 MiB；期间该目录需要为每行预留 8 "
         "字节。服务器在启动和重新加载时读取它。"
         "不会向外界查询任何密码。"),
     build_operands, NULL, build_examples, run_breach_build},
    {"breach check", NEED_FOLDER, true,
     SAYS("read the whole filter, or look up a password", "核对过滤文件，或查询一个密码"),
     SAYS(
         "Needs no server. The password comes from a prompt, or from the first line of standard input.",
         "不需要服务器运行。密码来自提示输入，或标准输入的第一行。"),
     NULL, check_flags, check_examples, run_breach_check},
};

const struct command_part command_breach_part = {rows, sizeof rows / sizeof *rows};

/* table_doctor.c - the row of `letterlock doctor`. */
#include "cli/run.h"
#include "cli/table.h"

static const struct flag doctor_flags[] = {
    {"explain", VALUE_PASTE, NULL, "TEXT", false,
     SAYS(
         "what this error text or error number of a mail server or program means; - reads standard input",
         "解释邮件服务器或邮件程序的这段报错或错误代码；“-”从标准输入读取")},
    {"knowledge", VALUE_PATH, NULL, "FILE", true,
     SAYS("further diagnoses, as docs/doctor.md describes them", "补充的诊断资料，格式见 docs/doctor.md")},
    {NULL}};
static const struct example doctor_examples[] = {
    EXAMPLE(
        "letterlock doctor --explain \"535 5.7.8 Username and Password not accepted\"",
        "what the mail program showed", "邮件程序显示的内容"),
    EXAMPLE("letterlock doctor --explain 0x800CCC0E", "an error number of Outlook", "Outlook 的错误代码"),
    EXAMPLE("letterlock doctor --explain - < error.txt", "from a file", "来自文件"),
    {NULL}};

static const struct command rows[] = {
    {"doctor", NEED_NOTHING, false,
     SAYS("explain an error text of any mail server or program", "解释任何邮件服务器或程序的报错"),
     SAYS(
         "Tells in one sentence what went wrong, the cause, the words of the text that prove it, the remedy, "
         "what else it "
         "could be, and how sure that is. Needs no server, contacts nobody and keeps nothing. Ends with 0 "
         "when the text "
         "is explained, with 1 when nothing is known about it. Do not paste passwords.",
         "用一句话说明出了什么问题，并给出原因、原文中的依据、解决办法、其他可能以及把握程度。不需要服务器，"
         "不"
         "联系任何人，"
         "也不保存任何内容。能解释时退出码为 0，没有资料时为 1。请勿粘贴密码。"),
     NULL, doctor_flags, doctor_examples, run_doctor},
};

const struct command_part command_doctor_part = {rows, sizeof rows / sizeof *rows};

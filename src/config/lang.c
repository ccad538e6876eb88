#include "config/lang.h"

#include <assert.h>
#include <stdlib.h>

#include "base/utf8.h"

static const char *const names[] = {"en", "zh"};
static_assert(sizeof names / sizeof *names == LANG_N, "a language without a name");

fallible lang_parse(struct slice name, enum lang *ret_lang)
{
    for (int i = 0; i < LANG_N; i++) {
        struct slice tail = slice_from(name, 2);
        if (!slice_starts_nocase(name, slice_str(names[i])))
            continue;
        if (tail.n && !slice_has(slice_of("-_.@", 4), tail.p[0]))
            continue;
        *ret_lang = (enum lang)i;
        return OK;
    }
    return ERR_NOT_FOUND;
}

enum lang lang_of_environment(void)
{
    static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    enum lang lang = LANG_EN;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        struct slice value = slice_str(getenv(variables[i]));
        if (value.n) {
            IGNORE(lang_parse(value, &lang), "a language that we do not speak: English");
            break;
        }
    }
    return lang;
}

const char *lang_name(enum lang lang)
{
    return names[lang];
}

static const char *const errors_zh[] = {
    [-OK] = "没有错误",
    [-ERR_AGAIN] = "尚未就绪",
    [-ERR_LIMIT] = "达到上限",
    [-ERR_SYNTAX] = "格式错误",
    [-ERR_NOT_FOUND] = "不存在",
    [-ERR_EXISTS] = "已经存在",
    [-ERR_GONE] = "已被删除",
    [-ERR_DENIED] = "没有权限",
    [-ERR_STATE] = "当前状态下无法进行",
    [-ERR_UNAVAILABLE] = "暂时不可用",
    [-ERR_TIMEOUT] = "等待超时",
    [-ERR_DISK_FULL] = "磁盘已满",
    [-ERR_QUOTA] = "配额已用完",
    [-ERR_IO] = "系统调用失败",
    [-ERR_CORRUPT] = "存储的数据已损坏",
    [-ERR_CLOSED] = "对方已断开",
    [-ERR_UNSUPPORTED] = "不支持",
    [-ERR_PROTOCOL] = "进程间消息不合规则",
    [-ERR_BUSY] = "正在使用中",
    [-ERR_MEMORY] = "内存不足",
};
static_assert(sizeof errors_zh / sizeof *errors_zh == -ERR_N, "an error without Chinese words");

const char *lang_error(enum err e, enum lang lang)
{
    if (lang == LANG_EN)
        return err_text(e);
    return e > 0 || e <= ERR_N ? "未知错误" : errors_zh[-e];
}

unsigned lang_columns_of(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xfe30, 0xfe4f},
                {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i].first && c <= wide[i].last)
            return 2;
    return 1;
}

size_t lang_columns(struct slice text)
{
    size_t columns = 0;
    while (text.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(text, &c);
        columns += used ? lang_columns_of(c) : 1;
        text = slice_from(text, used ? used : 1);
    }
    return columns;
}

/* commented.c - the commented letterlock.conf, from the table. */
#include "base/utf8.h"
#include "config/private.h"

enum { WIDTH = 100 };

/* The next piece that a line break may not cut: a word with its blank, or one wide character with the closing
 * punctuation behind it. */
static struct slice piece_next(struct slice text, unsigned *ret_columns)
{
    struct slice rest = text;
    unsigned columns = 0;
    bool wide = false;
    while (rest.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(rest, &c);
        bool closing = c == 0x3002 || c == 0xff0c || c == 0x3001 || c == 0xff1b || c == 0xff1a ||
                       c == 0x201d || c == 0xff09 || c == 0xff1f;
        if (columns && lang_columns_of(c) == 2 && !closing)
            break;
        if (wide && !closing && c != ' ')
            break;
        wide |= lang_columns_of(c) == 2;
        columns += lang_columns_of(c);
        rest = slice_from(rest, used ? used : 1);
        if (c == ' ')
            break;
    }
    *ret_columns = columns;
    return slice_sub(text, 0, text.n - rest.n);
}

static void put_wrapped(const char *text, struct buf *out)
{
    struct slice rest = slice_str(text);
    unsigned column = 2;
    buf_put_str(out, "# ");
    while (rest.n) {
        unsigned columns;
        struct slice piece = piece_next(rest, &columns);
        if (column + columns > WIDTH && column > 2) {
            buf_put_str(out, "\n# ");
            column = 2;
        }
        rest = slice_from(rest, piece.n);
        /* no blank at the end of a line */
        unsigned next = 0;
        if (rest.n)
            piece_next(rest, &next);
        bool last = !rest.n || column + columns + next > WIDTH;
        buf_put(out, last ? slice_trim(piece) : piece);
        column += columns;
    }
    buf_put_char(out, '\n');
}

static const struct lang_text file_head = {
    {"letterlock.conf: the whole configuration of this server. \"letterlock check\" tests it; a running "
     "server reads it "
     "anew on SIGHUP and refuses it whole when anything is wrong. Lines are \"key = value\"; lines with # in "
     "front are "
     "comments and show the defaults. Nothing is included or expanded. 0 or nothing never means \"no "
     "limit\".",
     "letterlock.conf：本服务器的全部配置。用“letterlock check”检查；运行中的服务器收到 SIGHUP "
     "会重新读取，有任何错误则整体拒绝。"
     "每行写作“键 = 值”；以 # 开头的行是注释，其中给出默认值。不引用其他文件，不做任何展开。0 "
     "或空值从不表示“不限”。"}};
static const struct lang_text effect_text[] = {
    [CONFIG_LIVE] = {{"A change takes effect at once after a reload.", "修改后重新加载即生效。"}},
    [CONFIG_NEW_SESSIONS] =
        {{"A change takes effect for new sessions after a reload.", "修改后重新加载，对新会话生效。"}},
    [CONFIG_RESTART] = {{"A change takes effect after a restart.", "修改后重启才生效。"}},
};

static void put_key(const struct config *c, enum config_key key, enum lang lang, struct buf *out)
{
    const struct config_row *row = config_row(key);
    struct buf range CLEANUP_BUF = BUF_INIT(4096);
    buf_put_str(&range, lang == LANG_ZH ? "取值：" : "Value: ");
    config_wanted_put(key, lang, &range);
    buf_put_str(&range, lang == LANG_ZH ? "。" : ". ");
    buf_put_str(&range, effect_text[row->effect].in[lang]);
    buf_put_char(out, '\n');
    put_wrapped(row->help.in[lang], out);
    put_wrapped(buf_cstr(&range), out);
    for (size_t at = 0; at < config_values(c, key); at++) {
        buf_printf(out, "%s%s = ", config_is_set(c, key) ? "" : "#", row->name);
        config_put_value(c, key, at, out);
        buf_put_char(out, '\n');
    }
    if (config_values(c, key) == 0)
        buf_printf(out, "#%s =\n", row->name);
}

static void put_section(const char *title, struct buf *out)
{
    buf_printf(out, "\n## %s\n", title);
}

void config_put_file(const struct config *c, enum lang lang, struct buf *out)
{
    put_wrapped(file_head.in[lang], out);
#define SECTION(en, zh) put_section(((struct lang_text){{en, zh}}).in[lang], out);
#define KEY(id, ...) put_key(c, CONFIG_##id, lang, out);
#include "config/keys.def"
#undef KEY
}

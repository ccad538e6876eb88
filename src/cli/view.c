#include "cli/view.h"

#include <assert.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/ids.h"
#include "base/utf8.h"
#include "cli/help.h"

enum { RECORD_WIDTH = 80 };

static const struct {
    const char *field;
    struct lang_text heading;
    bool is_ours; /* its texts are words of ours (below); others stay as their writer left them */
} headings[] = {
    {"name", {{"Name", "名称"}}},
    {"accounts", {{"Accounts", "账户"}}},
    {"aliases", {{"Aliases", "别名"}}},
    {"address", {{"Address", "地址"}}},
    {"target", {{"Leads to", "指向"}}},
    {"language", {{"Language", "语言"}}},
    {"status", {{"State", "状态"}}, true},
    {"quota_bytes", {{"Quota", "配额"}}},
    {"clients", {{"Clients", "客户端"}}},
    {"has_password", {{"Mailbox password", "邮箱密码"}}},
    {"created_s", {{"Made (UTC)", "创建（UTC）"}}},
    {"credential", {{"ID", "编号"}}},
    {"label", {{"Label", "名称"}}},
    {"can_receive", {{"Receives", "可收"}}},
    {"can_send", {{"Sends", "可发"}}},
    {"expires_s", {{"Expires", "有效期至"}}},
    {"last_used_s", {{"Last used (UTC)", "最近使用（UTC）"}}},
    {"last_from", {{"From", "来自"}}},
    {"last_program", {{"Program", "程序"}}},
    {"limits", {{"Limits", "限制"}}},
    {"process", {{"Process", "进程"}}, true},
    {"subject", {{"What", "对象"}}, true},
    {"id", {{"ID", "编号"}}},
    {"state", {{"State", "状态"}}, true},
    {"since_s", {{"Since (UTC)", "自（UTC）"}}},
    {"detail", {{"Detail", "详情"}}},
    {"kind", {{"Kind", "种类"}}, true},
    {"doors", {{"Protocols", "协议"}}},
    {"created_by", {{"Made by", "创建者"}}},
    {"last_tls", {{"Encryption", "加密"}}},
    {"key", {{"Rule", "规则"}}},
    {"value", {{"Value", "值"}}},
    {"source", {{"Comes from", "来自"}}, true},
    {"factor", {{"ID", "编号"}}},
    {"left", {{"Left", "剩余"}}},
    {"left_s", {{"Given up (UTC)", "停用于（UTC）"}}},
    {"until_s", {{"Rests until (UTC)", "停用至（UTC）"}}},
    {"group", {{"Group", "组"}}},
    {"action", {{"Change", "改动"}}, true},
};

static const struct {
    const char *word;
    const char *zh;
} words[] = {
    {"active", "正常"},
    {"locked", "已锁定"},
    {"live", "有效"},
    {"revoked", "已吊销"},
    {"expired", "已过期"},
    {"yes", "是"},
    {"no", "否"},
    {"later", "稍后再试"},
    {"ready", "就绪"},
    {"serving", "服务中"},
    {"stopping", "停止中"},
    {"starting", "启动中"},
    {"session", "会话"},
    {"listener", "监听"},
    {"process", "进程"},
    {"sandbox", "沙箱"},
    {"refused", "被拒"},
    {"accepting", "接收连接"},
    {"store", "存储"},
    {"journal", "日志"},
    {"sign-in", "登录"},
    {"written", "已写入"},
    {"ok", "正常"},
    {"password", "密码"},
    {"token", "令牌"},
    {"certificate", "证书"},
    {"frozen", "已冻结"},
    {"canary", "诱饵"},
    {"rotate", "须更换"},
    {"pending", "待确认"},
    {"totp", "验证器"},
    {"key", "安全密钥"},
    {"recovery", "恢复码"},
    {"preset", "预设"},
    {"everybody", "所有人"},
    {"never", "从不"},
    {"made", "新建"},
    {"renamed", "改名"},
    {"moved", "改地址"},
    {"group", "换组"},
    {"quota", "改配额"},
    {"unlocked", "解锁"},
    {"conflict", "冲突"},
    {"skipped", "跳过"},
    {"connect", "连接"},
    {"tls", "加密"},
    {"bind", "登录"},
    {"search", "查找"},
    {"groups", "组"},
    {"unavailable", "不可用"},
    {"ldap", "目录"},
};

struct slice view_word(enum lang lang, struct slice word)
{
    for (size_t i = 0; lang == LANG_ZH && i < sizeof words / sizeof *words; i++)
        if (slice_eq(word, slice_str(words[i].word)))
            return slice_str(words[i].zh);
    return word;
}

/* "domain example.org", "group staff": whose rule it is. */
static struct slice subject_word(struct cli *c, struct slice text)
{
    static const struct {
        const char *before, *zh;
    } subjects[] = {{"domain ", "域名 "}, {"group ", "组 "}};
    for (size_t i = 0; c->lang == LANG_ZH && i < sizeof subjects / sizeof *subjects; i++)
        if (slice_starts(text, slice_str(subjects[i].before)))
            return arena_printf(
                &c->arena, "%s" SLICE_FMT, subjects[i].zh,
                SLICE_ARG(slice_from(text, strlen(subjects[i].before))));
    return view_word(c->lang, text);
}

/* A text for people: in their language where the word is ours. */
static struct slice word_of(struct cli *c, const char *field, struct slice text)
{
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
        if (headings[i].is_ours && strcmp(headings[i].field, field) == 0)
            return subject_word(c, text);
    return text;
}

static struct slice heading_of(enum lang lang, const char *field)
{
    for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
        if (strcmp(headings[i].field, field) == 0)
            return slice_str(headings[i].heading.in[lang]);
    return slice_str(field);
}

struct slice view_time(struct arena *arena, int64_t unix_s)
{
    if (unix_s == 0)
        return S("-");
    struct civil t = civil_of_unix(unix_s);
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d", t.year, t.month, t.day, t.hour, t.minute);
}

static bool ends_with(const char *name, const char *tail)
{
    return slice_ends(slice_str(name), slice_str(tail));
}

static uint64_t number_of(const struct ipc_msg *m, const struct ipc_field *f)
{
    const void *p = ipc_field_value(m, f);
    switch (f->kind) {
    case IPC_U8:
        return *(const uint8_t *)p;
    case IPC_U16:
        return *(const uint16_t *)p;
    case IPC_U32:
        return *(const uint32_t *)p;
    case IPC_I64:
        return (uint64_t) * (const int64_t *)p;
    case IPC_BOOL:
        return *(const bool *)p;
    case IPC_ENUM:
        return *(const unsigned *)p;
    default:
        return *(const uint64_t *)p;
    }
}

static struct slice text_of(const struct ipc_msg *m, const struct ipc_field *f)
{
    return *(const struct slice *)ipc_field_value(m, f);
}

/* Octets as a size, in the unit that leaves up to four digits. */
static struct slice size_text(struct arena *arena, uint64_t octets)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    double value = (double)octets;
    for (; value >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1024;
    bool whole = value == (double)(uint64_t)value || value >= 100;
    return arena_printf(arena, whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

static struct slice id_text(struct arena *arena, const struct ipc_msg *m, const struct ipc_field *f)
{
    struct buf hex CLEANUP_BUF = BUF_INIT(64);
    hex_put(&hex, slice_of(ipc_field_value(m, f), sizeof(struct account_id)));
    return arena_copy(arena, buf_slice(&hex));
}

/* Lines, as limits are, stand one behind the other. */
static struct slice safe_text(struct arena *arena, struct slice s)
{
    struct buf out CLEANUP_BUF = BUF_INIT(65536);
    struct slice line;
    while (s.n && slice_cut(&s, '\n', &line)) {
        if (out.n && line.n)
            buf_put_str(&out, "; ");
        utf8_put_safe(&out, line);
    }
    return out.n ? arena_copy(arena, buf_slice(&out)) : S("-");
}

/* How many are left is said of what is used up: of the factors, the recovery codes alone. */
static bool is_pointless(const struct ipc_msg *m, const struct ipc_field *f)
{
    return m->type == MSG_FACTOR_ITEM && strcmp(f->name, "left") == 0 &&
           !slice_eq(m->u.factor_item.kind, S("recovery"));
}

/* A field for people. */
static struct slice cell_of(struct cli *c, const struct ipc_msg *m, const struct ipc_field *f)
{
    if (is_pointless(m, f))
        return S("-");
    switch (f->kind) {
    case IPC_TEXT:
    case IPC_BYTES:
        return safe_text(&c->arena, word_of(c, f->name, text_of(m, f)));
    case IPC_HIDDEN:
        return S("....");
    case IPC_BOOL:
        return view_word(c->lang, number_of(m, f) ? S("yes") : S("no"));
    case IPC_ENUM:
        return view_word(c->lang, slice_str(f->names[number_of(m, f)]));
    case IPC_ID128:
        return id_text(&c->arena, m, f);
    case IPC_IP: {
        char text[IP_TEXT_MAX];
        return arena_copy(&c->arena, slice_str(ip_text(ipc_field_value(m, f), text)));
    }
    default:
        if (ends_with(f->name, "_s"))
            return view_time(&c->arena, (int64_t)number_of(m, f));
        if (ends_with(f->name, "_bytes"))
            return number_of(m, f) ? size_text(&c->arena, number_of(m, f)) : S("-");
        return arena_printf(&c->arena, "%llu", (unsigned long long)number_of(m, f));
    }
}

static void json_field(struct json *j, const struct ipc_msg *m, const struct ipc_field *f)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(4096);
    json_key(j, f->name);
    if (f->kind == IPC_TEXT || f->kind == IPC_BYTES)
        json_text(j, text_of(m, f));
    else if (f->kind == IPC_BOOL)
        json_bool(j, number_of(m, f) != 0);
    else if (f->kind == IPC_ENUM)
        json_text(j, slice_str(f->names[number_of(m, f)]));
    else if (f->kind == IPC_ID128)
        json_text(j, id_text(&arena, m, f));
    else if (f->kind == IPC_IP) {
        char text[IP_TEXT_MAX];
        json_text(j, slice_str(ip_text(ipc_field_value(m, f), text)));
    } else if (f->kind == IPC_I64)
        json_i64(j, (int64_t)number_of(m, f));
    else
        json_u64(j, number_of(m, f));
}

void view_json_members(struct json *j, const struct ipc_msg *m)
{
    const struct ipc_shape *shape = ipc_shape_of(m->type);
    for (unsigned i = 0; i < shape->field_count; i++)
        if (shape->fields[i].kind != IPC_HIDDEN)
            json_field(j, m, &shape->fields[i]);
}

static size_t find_columns(enum ipc_type type, const char *names, const struct ipc_field **out)
{
    const struct ipc_shape *shape = ipc_shape_of(type);
    struct slice rest = slice_str(names), name;
    size_t n = 0;
    while (slice_cut(&rest, ' ', &name)) {
        const struct ipc_field *found = NULL;
        for (unsigned i = 0; i < shape->field_count; i++)
            if (slice_eq(slice_str(shape->fields[i].name), name))
                found = &shape->fields[i];
        assert(found && n < VIEW_COLUMNS_MAX);
        out[n++] = found;
    }
    return n;
}

void view_start(struct view *v, struct cli *c, enum ipc_type type, const char *key, const char *columns)
{
    *v = (struct view){.c = c, .type = type};
    v->column_count = find_columns(type, columns, v->columns);
    if (c->json) {
        json_key(&c->j, key);
        json_open(&c->j, '[');
    }
}

void view_add(struct view *v, const struct ipc_msg *m)
{
    struct cli *c = v->c;
    assert(m->type == v->type);
    if (c->json) {
        json_open(&c->j, '{');
        view_json_members(&c->j, m);
        json_close(&c->j, '}');
        return;
    }
    if (v->rows == v->cap) {
        size_t cap = v->cap ? v->cap * 2 : 64;
        struct slice *more = arena_array(&c->arena, cap * v->column_count, sizeof *more);
        if (!more)
            return; /* the arena remembers, and view_end tells */
        if (v->rows)
            memcpy(more, v->cells, v->rows * v->column_count * sizeof *more);
        v->cells = more;
        v->cap = cap;
    }
    for (size_t i = 0; i < v->column_count; i++)
        v->cells[v->rows * v->column_count + i] = cell_of(c, m, v->columns[i]);
    v->rows++;
}

static void
put_row(struct cli *c, const struct slice *cells, const size_t *widths, size_t columns, const char *style)
{
    if (style)
        cli_style(c, style);
    for (size_t i = 0; i < columns; i++) {
        buf_put(&c->out, cells[i]);
        for (size_t n = lang_columns(cells[i]); i + 1 < columns && n < widths[i] + 2; n++)
            buf_put_char(&c->out, ' ');
    }
    if (style)
        cli_style_end(c);
    buf_put_char(&c->out, '\n');
}

void view_table(
    struct cli *c, const struct slice *titles, size_t columns, const struct slice *cells, size_t rows)
{
    size_t widths[VIEW_COLUMNS_MAX] = {0};
    assert(columns <= VIEW_COLUMNS_MAX);
    for (size_t i = 0; i < columns; i++) {
        widths[i] = lang_columns(titles[i]);
        for (size_t r = 0; r < rows; r++) {
            size_t n = lang_columns(cells[r * columns + i]);
            widths[i] = n > widths[i] ? n : widths[i];
        }
    }
    put_row(c, titles, widths, columns, "1");
    for (size_t r = 0; r < rows; r++)
        put_row(c, &cells[r * columns], widths, columns, NULL);
}

void view_end(struct view *v)
{
    struct cli *c = v->c;
    if (c->json) {
        json_close(&c->j, ']');
        return;
    }
    if (arena_check(&c->arena) != OK)
        cli_note(c, SAY_TOO_LONG_LIST, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    if (v->rows == 0) {
        cli_say(c, SAY_NONE, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
        return;
    }
    struct slice titles[VIEW_COLUMNS_MAX];
    for (size_t i = 0; i < v->column_count; i++)
        titles[i] = heading_of(c->lang, v->columns[i]->name);
    view_table(c, titles, v->column_count, v->cells, v->rows);
}

void view_record(struct cli *c, const struct ipc_msg *m, const char *names)
{
    const struct ipc_field *columns[VIEW_COLUMNS_MAX];
    size_t count = find_columns(m->type, names, columns), width = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = lang_columns(heading_of(c->lang, columns[i]->name));
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < count; i++) {
        struct slice title = heading_of(c->lang, columns[i]->name);
        cli_style(c, "1");
        buf_put(&c->out, title);
        cli_style_end(c);
        for (size_t n = lang_columns(title); n < width + 2; n++)
            buf_put_char(&c->out, ' ');
        help_put_wrapped(cell_of(c, m, columns[i]), width + 2, RECORD_WIDTH, &c->out);
        buf_put_char(&c->out, '\n');
    }
}

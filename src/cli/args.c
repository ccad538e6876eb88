#include "cli/args.h"

#include <assert.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/meant.h"
#include "cli/say.h"
#include "config/config.h"
#include "config/nearest.h"
#include "scope/scope.h"

struct parse {
    struct args args;
    struct arena *arena;
    struct args_trouble *trouble;
    enum lang lang;
    int64_t now_s;
    size_t operands; /* given so far */
};

/* The three texts are for both sentences. */
static fallible refuse_three(
    struct parse *p, enum say_id says, enum say_id remedy, struct slice one, struct slice two,
    struct slice three)
{
    buf_clear(&p->trouble->says);
    buf_clear(&p->trouble->remedy);
    say_put(&p->trouble->says, p->lang, says, one, two, three);
    say_put(&p->trouble->remedy, p->lang, remedy, one, two, three);
    return ERR_SYNTAX;
}

static fallible
refuse(struct parse *p, enum say_id says, enum say_id remedy, struct slice one, struct slice two)
{
    return refuse_three(p, says, remedy, one, two, SLICE_EMPTY);
}

/* ----------------------------------------------------------------------------------------------- values by kind */

static bool has_control(struct slice s)
{
    while (s.n) {
        uint32_t c = 0;
        size_t used = utf8_decode(s, &c);
        if (used == 0 || utf8_is_unsafe(c))
            return true;
        s = slice_from(s, used);
    }
    return false;
}

static fallible read_text(struct parse *p, struct value *v)
{
    return v->text.n == 0 || has_control(v->text) ? ERR_SYNTAX : OK;
}

/* Whoever shows it makes it safe. */
static fallible read_paste(struct parse *p, struct value *v)
{
    return v->text.n ? OK : ERR_SYNTAX;
}

/* A first look, so that a mistyped address is told before anything is asked; mail/ and the vault decide. */
static fallible read_domain(struct parse *p, struct value *v)
{
    struct slice s = v->text;
    bool dotted = slice_has(s, '.') && s.p[0] != '.' && s.p[s.n - 1] != '.';
    if (s.n == 0 || s.n > LIMIT_DOMAIN || has_control(s) || slice_has(s, ' ') || slice_has(s, '@') || !dotted)
        return ERR_SYNTAX;
    return OK;
}

static fallible read_address(struct parse *p, struct value *v)
{
    size_t at = slice_rfind(v->text, '@');
    if (at == SLICE_NPOS || at == 0 || at > LIMIT_LOCAL_PART || has_control(v->text))
        return ERR_SYNTAX;
    struct value domain = {.text = slice_from(v->text, at + 1)};
    return read_domain(p, &domain);
}

static fallible read_hostname(struct parse *p, struct value *v)
{
    return config_is_hostname(v->text) ? OK : ERR_SYNTAX;
}

static fallible read_number(struct parse *p, struct value *v)
{
    bool padded = v->text.n > 1 && v->text.p[0] == '0';
    if (padded || slice_to_u64(v->text, 4000000000u, &v->number) != OK || v->number == 0)
        return ERR_SYNTAX;
    return OK;
}

static fallible read_size(struct parse *p, struct value *v)
{
    return config_measure_parse(CONFIG_TYPE_SIZE, v->text, &v->number);
}

/* "2027-01-31": its first second, UTC. */
static fallible read_date(struct slice s, int64_t *ret_s)
{
    uint64_t year, month, day;
    if (s.n != 10 || s.p[4] != '-' || s.p[7] != '-')
        return ERR_SYNTAX;
    TRY(slice_to_u64(slice_sub(s, 0, 4), 9999, &year));
    TRY(slice_to_u64(slice_sub(s, 5, 2), 12, &month));
    TRY(slice_to_u64(slice_sub(s, 8, 2), 31, &day));
    struct civil c = {.year = (int)year, .month = (int)month, .day = (int)day};
    int64_t seconds = civil_to_unix(&c);
    struct civil back = civil_of_unix(seconds);
    if (month == 0 || back.month != c.month || back.day != c.day)
        return ERR_SYNTAX;
    *ret_s = seconds;
    return OK;
}

fallible args_moment(struct slice text, int64_t now_s, int64_t *ret_s)
{
    uint64_t ms = 0;
    int64_t at = 0;
    if (read_date(text, &at) != OK) {
        if (config_measure_parse(CONFIG_TYPE_DURATION, text, &ms) != OK || ms / 1000 > 3155760000u)
            return ERR_SYNTAX;
        at = now_s + (int64_t)(ms / 1000);
    }
    if (at <= now_s)
        return ERR_SYNTAX;
    *ret_s = at;
    return OK;
}

static fallible read_moment(struct parse *p, struct value *v)
{
    int64_t at = 0;
    TRY(args_moment(v->text, p->now_s, &at));
    v->number = (uint64_t)at;
    return OK;
}

static fallible read_duration(struct parse *p, struct value *v)
{
    uint64_t ms = 0;
    TRY(config_measure_parse(CONFIG_TYPE_DURATION, v->text, &ms));
    v->number = ms / 1000;
    return v->number ? OK : ERR_SYNTAX;
}

/* The name must be one of the table's; what the value must look like, the command tells (limits.h). */
static fallible read_limit(struct parse *p, struct value *v)
{
    size_t equals = slice_find(v->text, '=');
    if (equals == SLICE_NPOS || has_control(v->text))
        return ERR_SYNTAX;
    return scope_kind_by_name(slice_sub(v->text, 0, equals)) ? OK : ERR_SYNTAX;
}

static fallible read_path(struct parse *p, struct value *v)
{
    return v->text.n && v->text.n <= LIMIT_CONFIG_PATH && !has_control(v->text) ? OK : ERR_SYNTAX;
}

static fallible read_networks(struct parse *p, struct value *v)
{
    struct slice rest = v->text, word;
    struct ip_net net;
    if (v->text.n == 0)
        return ERR_SYNTAX;
    while (slice_cut(&rest, ',', &word))
        TRY(ip_net_parse(slice_trim(word), &net));
    return OK;
}

static fallible read_choice(struct parse *p, struct value *v)
{
    struct slice rest = slice_str(v->flag ? v->flag->choices : v->operand->choices), word;
    while (slice_cut(&rest, ' ', &word))
        if (slice_eq(word, v->text))
            return OK;
    return ERR_SYNTAX;
}

static enum err (*const readers[])(struct parse *p, struct value *v) = {
    [VALUE_NONE] = NULL,          [VALUE_TEXT] = read_text,
    [VALUE_PASTE] = read_paste,   [VALUE_ADDRESS] = read_address,
    [VALUE_DOMAIN] = read_domain, [VALUE_HOSTNAME] = read_hostname,
    [VALUE_NUMBER] = read_number, [VALUE_SIZE] = read_size,
    [VALUE_MOMENT] = read_moment, [VALUE_PATH] = read_path,
    [VALUE_FOLDER] = read_path,   [VALUE_NETWORKS] = read_networks,
    [VALUE_CHOICE] = read_choice, [VALUE_DURATION] = read_duration,
    [VALUE_LIMIT] = read_limit,   [VALUE_COMMAND] = read_text,
};
static_assert(sizeof readers / sizeof *readers == VALUE_KINDS, "a kind that nobody reads");

static const struct lang_text wanted[] = {
    [VALUE_NONE] = {{"nothing", "不带值"}},
    [VALUE_TEXT] = {{"a text without control characters", "不含控制字符的文字"}},
    [VALUE_PASTE] = {{"a text", "一段文字"}},
    [VALUE_ADDRESS] = {{"a mail address such as alice@example.org", "邮件地址，例如 alice@example.org"}},
    [VALUE_DOMAIN] = {{"a mail domain such as example.org", "邮件域名，例如 example.org"}},
    [VALUE_HOSTNAME] =
        {{"a full domain name in ASCII form, such as mail.example.org",
          "ASCII 形式的完整域名，例如 mail.example.org"}},
    [VALUE_NUMBER] = {{"a whole number from 1 on", "从 1 起的整数"}},
    [VALUE_SIZE] = {{"a size such as \"5 GiB\"", "大小，例如“5 GiB”"}},
    [VALUE_MOMENT] =
        {{"a time from now such as \"90 d\", or a date to come such as 2030-01-31",
          "从现在起的时长（如“90 d”），或将来的日期（如 2030-01-31）"}},
    [VALUE_DURATION] = {{"a time such as \"24 h\"", "时长，例如“24 h”"}},
    [VALUE_LIMIT] = {{"name=value, with one of these names:", "“名称=值”，名称为其中之一："}},
    [VALUE_PATH] = {{"a path", "路径"}},
    [VALUE_FOLDER] = {{"the path of a folder", "目录的路径"}},
    [VALUE_NETWORKS] =
        {{"networks such as 192.0.2.0/24,2001:db8::/32", "网段，例如 192.0.2.0/24,2001:db8::/32"}},
    [VALUE_CHOICE] = {{"one of ", "其中之一："}},
    [VALUE_COMMAND] = {{"a command", "命令"}},
};
static_assert(sizeof wanted / sizeof *wanted == VALUE_KINDS, "a kind without words");

void args_put_wanted(enum value_kind kind, const char *choices, enum lang lang, struct buf *out)
{
    buf_put_str(out, wanted[kind].in[lang]);
    if (kind == VALUE_CHOICE)
        buf_put_str(out, choices);
    size_t count;
    const struct scope_kind_row *kinds = scope_kinds(&count);
    for (size_t i = 0; kind == VALUE_LIMIT && i < count; i++)
        buf_printf(out, " %s", kinds[i].name);
}

/* What to write for an operand, and what it is: "a whole number from 1 on: its number in the list". A form that says nothing, as
 * that of a text, is left out. */
static void put_operand_form(struct parse *p, const struct operand *o, struct buf *out)
{
    bool plain = o->kind == VALUE_TEXT || o->kind == VALUE_PATH || o->kind == VALUE_FOLDER;
    if (!plain) {
        args_put_wanted(o->kind, o->choices, p->lang, out);
        buf_put_str(out, p->lang == LANG_ZH ? "：" : ": ");
    }
    buf_put_str(out, o->help.in[p->lang]);
}

static fallible bad_value(struct parse *p, const struct value *v)
{
    struct buf form CLEANUP_BUF = BUF_INIT(1000), shown CLEANUP_BUF = BUF_INIT(4096);
    const char *name = v->flag ? v->flag->name : v->operand->name;
    utf8_put_safe(&shown, slice_sub(v->text, 0, 100));
    buf_put_str(&shown, v->text.n > 100 ? "..." : "");
    if (v->flag && v->flag->kind == VALUE_LIMIT &&
        meant_limit(slice_sub(v->text, 0, slice_find(v->text, '=')), &form))
        return refuse_three(
            p, SAY_BAD_FLAG_VALUE, SAY_LIKE_THIS, slice_str(name), buf_slice(&shown), buf_slice(&form));
    if (v->flag)
        args_put_wanted(v->flag->kind, v->flag->choices, p->lang, &form);
    else if (v->operand->kind == VALUE_TEXT)
        args_put_wanted(VALUE_TEXT, NULL, p->lang, &form);
    else
        put_operand_form(p, v->operand, &form);
    return refuse_three(
        p, v->flag ? SAY_BAD_FLAG_VALUE : SAY_BAD_OPERAND, SAY_GIVE_FORM, slice_str(name), buf_slice(&shown),
        buf_slice(&form));
}

/* Adds a value that its kind's reader takes. */
static fallible add_value(struct parse *p, struct value v)
{
    enum value_kind kind = v.flag ? v.flag->kind : v.operand->kind;
    if (readers[kind] && readers[kind](p, &v) != OK)
        return bad_value(p, &v);
    if (p->args.count >= VALUES_MAX)
        return refuse(p, SAY_TOO_MANY_WORDS, SAY_SEE_HELP, SLICE_EMPTY, SLICE_EMPTY);
    p->args.values[p->args.count++] = v;
    return OK;
}

/* ---------------------------------------------------------------------------------------------------- the words */

/* Names under which people would try to pass a secret. */
static bool sounds_secret(struct slice name)
{
    static const char *const parts[] = {"passw", "secret", "passphrase", "passcode", "token", "pwd"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (slice_search_nocase(name, slice_str(parts[i])) != SLICE_NPOS)
            return true;
    return slice_eq_nocase(name, S("pass")) || slice_eq_nocase(name, S("pw"));
}

static fallible unknown_flag(struct parse *p, struct slice name)
{
    if (sounds_secret(name))
        return refuse(p, SAY_SECRET_FLAG, SAY_SECRET_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    const struct flag *tables[] = {p->args.command->flags, common_flags};
    struct slice best = SLICE_EMPTY;
    size_t least = SLICE_NPOS;
    for (size_t t = 0; t < 2; t++)
        for (const struct flag *f = tables[t]; f && f->name; f++) {
            size_t distance = nearest_distance(name, slice_str(f->name));
            if (distance < least && nearest_is_close(name, slice_str(f->name))) {
                least = distance;
                best = slice_str(f->name);
            }
        }
    struct buf shown CLEANUP_BUF = BUF_INIT(1024);
    utf8_put_safe(&shown, slice_sub(name, 0, 60));
    if (best.n)
        return refuse(p, SAY_UNKNOWN_FLAG, SAY_MEANT_FLAG, buf_slice(&shown), best);
    bool named = p->args.command->name[0] != '\0';
    struct buf limit CLEANUP_BUF = BUF_INIT(400);
    if (command_flag(p->args.command, S("limit")) && meant_limit(name, &limit))
        return refuse(p, SAY_UNKNOWN_FLAG, SAY_BAD_LIMIT_REMEDY, buf_slice(&shown), buf_slice(&limit));
    return refuse(
        p, SAY_UNKNOWN_FLAG, named ? SAY_SEE_COMMAND_HELP : SAY_SEE_HELP, buf_slice(&shown),
        slice_str(p->args.command->name));
}

static fallible take_flag(struct parse *p, struct slice word, int *at, int count, char *const *words)
{
    size_t equals = slice_find(word, '=');
    struct slice name = slice_sub(word, 2, equals == SLICE_NPOS ? word.n : equals - 2);
    const struct flag *flag = command_flag(p->args.command, name);
    if (!flag)
        return unknown_flag(p, name);
    struct value v = {.flag = flag};
    if (flag->kind == VALUE_NONE) {
        if (equals != SLICE_NPOS)
            return refuse(p, SAY_FLAG_TAKES_NONE, SAY_SEE_HELP, name, SLICE_EMPTY);
    } else if (equals != SLICE_NPOS) {
        v.text = slice_from(word, equals + 1);
    } else if (*at + 1 < count) {
        v.text = slice_str(words[++*at]);
    } else {
        struct buf form CLEANUP_BUF = BUF_INIT(1000);
        args_put_wanted(flag->kind, flag->choices, p->lang, &form);
        return refuse_three(p, SAY_FLAG_WANTS_VALUE, SAY_GIVE_FORM, name, SLICE_EMPTY, buf_slice(&form));
    }
    if (!flag->repeats && args_has(&p->args, flag->name))
        return refuse(p, SAY_FLAG_TWICE, SAY_FLAG_TWICE_REMEDY, name, SLICE_EMPTY);
    return add_value(p, v);
}

static fallible extra_word(struct parse *p, struct slice word)
{
    struct buf shown CLEANUP_BUF = BUF_INIT(1024);
    utf8_put_safe(&shown, slice_sub(word, 0, 60));
    return refuse(
        p, SAY_EXTRA_WORD, SAY_SEE_COMMAND_HELP, buf_slice(&shown), slice_str(p->args.command->name));
}

static fallible take_operand(struct parse *p, struct slice word)
{
    const struct command *command = p->args.command;
    const struct operand *o = command->operands;
    for (size_t i = 0; o && o->name && i < p->operands; i++)
        if (!o->many)
            o++;
    if (!o || !o->name)
        return command->reads_secret
                   ? refuse(p, SAY_EXTRA_SECRET, SAY_SECRET_REMEDY, SLICE_EMPTY, SLICE_EMPTY)
                   : extra_word(p, word);
    p->operands++;
    return add_value(p, (struct value){.operand = o, .text = word});
}

static fallible operands_check(struct parse *p)
{
    for (const struct operand *o = p->args.command->operands; o && o->name; o++) {
        if (o->optional || args_has(&p->args, o->name))
            continue;
        struct buf form CLEANUP_BUF = BUF_INIT(1000);
        put_operand_form(p, o, &form);
        return refuse_three(
            p, SAY_OPERAND_MISSING, SAY_GIVE_FORM, slice_str(o->name), SLICE_EMPTY, buf_slice(&form));
    }
    return OK;
}

/* The language first, so that whatever else is wrong is said in it. */
static void find_language(struct parse *p, int count, char *const *words)
{
    for (int i = 0; i < count; i++) {
        struct slice word = slice_str(words[i]);
        struct slice value = slice_starts(word, S("--lang="))               ? slice_from(word, 7)
                             : slice_eq(word, S("--lang")) && i + 1 < count ? slice_str(words[i + 1])
                                                                            : SLICE_EMPTY;
        if (slice_eq(word, S("--")))
            break;
        if (value.n)
            IGNORE(lang_parse(value, &p->lang), "its value is refused in its turn");
    }
}

static fallible unknown_command(struct parse *p, struct slice word, struct slice group, const char *next)
{
    struct slice best = meant_command(group, word, slice_str(next));
    struct buf shown CLEANUP_BUF = BUF_INIT(1024);
    if (group.n)
        buf_printf(&shown, SLICE_FMT " ", SLICE_ARG(group));
    utf8_put_safe(&shown, slice_sub(word, 0, 60));
    if (best.n)
        return refuse(p, SAY_UNKNOWN_COMMAND, SAY_MEANT_COMMAND, buf_slice(&shown), best);
    return refuse(
        p, SAY_UNKNOWN_COMMAND, group.n ? SAY_SEE_COMMAND_LIST : SAY_SEE_HELP, buf_slice(&shown), group);
}

/* Takes one or two words as the command's name; *at is at the next word afterwards. Flags of all commands may stand in
 * front of it. */
static fallible find_command(struct parse *p, int *at, int count, char *const *words)
{
    static const struct command none = {.name = "", .flags = NULL};
    p->args.command = &none;
    while (*at < count && words[*at][0] == '-') {
        struct slice word = slice_str(words[*at]);
        p->args.help |= slice_eq(word, S("--help")) || slice_eq(word, S("-h"));
        p->args.version |= slice_eq(word, S("--version"));
        if (!p->args.help && !p->args.version)
            TRY(take_flag(p, word, at, count, words));
        ++*at;
    }
    p->args.command = NULL;
    if (*at >= count)
        return OK;
    struct slice first = slice_str(words[(*at)++]);
    if (!command_group(first)) {
        p->args.command = command_find(first);
        return p->args.command ? OK : unknown_command(p, first, SLICE_EMPTY, *at < count ? words[*at] : NULL);
    }
    p->args.group = first;
    if (*at >= count || words[*at][0] == '-') {
        p->args.command = command_find(first);
        return OK;
    }
    struct slice second = slice_str(words[*at]);
    struct slice name = arena_printf(p->arena, SLICE_FMT " " SLICE_FMT, SLICE_ARG(first), SLICE_ARG(second));
    p->args.command = command_find(name);
    /* "batch FILE": a group whose first word alone is a command, too */
    if (!p->args.command && command_find(first)) {
        p->args.command = command_find(first);
        return OK;
    }
    ++*at;
    return p->args.command ? OK : unknown_command(p, second, first, NULL);
}

static bool asks_for_help(int at, int count, char *const *words)
{
    for (; at < count && strcmp(words[at], "--") != 0; at++)
        if (strcmp(words[at], "--help") == 0 || strcmp(words[at], "-h") == 0)
            return true;
    return false;
}

static fallible parse_words(struct parse *p, int count, char *const *words)
{
    int at = 0;
    bool flags = true;
    find_language(p, count, words);
    TRY(find_command(p, &at, count, words));
    p->args.help |= asks_for_help(at, count, words);
    if (p->args.help || p->args.version || !p->args.command)
        return OK;
    for (; at < count; at++) {
        struct slice word = slice_str(words[at]);
        if (flags && slice_eq(word, S("--")))
            flags = false;
        else if (flags && slice_starts(word, S("--")))
            TRY(take_flag(p, word, &at, count, words));
        else if (flags && word.n > 1 && word.p[0] == '-')
            TRY(unknown_flag(p, slice_from(word, 1)));
        else
            TRY(take_operand(p, word));
    }
    return operands_check(p);
}

fallible args_parse(
    int count, char *const *words, enum lang lang, int64_t now_s, struct arena *arena, struct args *ret_args,
    enum lang *ret_lang, struct args_trouble *trouble)
{
    struct parse p = {.arena = arena, .lang = lang, .now_s = now_s, .trouble = trouble};
    enum err e = parse_words(&p, count, words);
    *ret_lang = p.lang;
    if (e == OK)
        *ret_args = p.args;
    return e;
}

/* ------------------------------------------------------------------------------------------------ for commands */

static const char *name_of(const struct value *v)
{
    return v->flag ? v->flag->name : v->operand->name;
}

static const struct value *find_value(const struct args *a, const char *name, size_t i)
{
    for (size_t v = 0; v < a->count; v++)
        if (strcmp(name_of(&a->values[v]), name) == 0 && i-- == 0)
            return &a->values[v];
    return NULL;
}

bool args_has(const struct args *a, const char *name)
{
    return find_value(a, name, 0) != NULL;
}

struct slice args_text(const struct args *a, const char *name)
{
    const struct value *v = find_value(a, name, 0);
    return v ? v->text : SLICE_EMPTY;
}

uint64_t args_number(const struct args *a, const char *name, uint64_t preset)
{
    const struct value *v = find_value(a, name, 0);
    return v ? v->number : preset;
}

bool args_next(const struct args *a, const char *name, size_t i, struct slice *ret_text)
{
    const struct value *v = find_value(a, name, i);
    if (v)
        *ret_text = v->text;
    return v != NULL;
}

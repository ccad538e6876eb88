#include "doctor/report.h"

#include "base/encode.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "doctor/report_style.h"
#include "doctor/tree.h"

/* What the parts of the report are written with. */
struct page {
    const struct report *r;
    const struct examination *x;
    const struct verdict *v;
    const struct grading *g;
    enum lang lang;
    struct arena arena; /* labels and words; emptied after each item of a list */
    struct buf *out;
};

/* ----------------------------------------------------------------------------------------------------------- texts */

/* Markup of our own: the only way by which "<" gets into the report, besides the drawing of the tree. */
static void markup(struct page *p, const char *html)
{
    buf_put_str(p->out, html);
}

static void put_escaped(struct buf *out, struct slice text)
{
    static const struct {
        char c;
        const char *as;
    } signs[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    for (size_t i = 0; i < text.n; i++) {
        const char *as = NULL;
        for (size_t j = 0; j < sizeof signs / sizeof *signs; j++)
            if (text.p[i] == signs[j].c)
                as = signs[j].as;
        if (as)
            buf_put_str(out, as);
        else
            buf_put_char(out, text.p[i]);
    }
}

/* Any text, foreign or not. */
static void put(struct page *p, struct slice text)
{
    enum { WORST = 10 }; /* "\U000E0001" for what may be one octet */
    struct buf safe CLEANUP_BUF = BUF_INIT(WORST * text.n + 1);
    utf8_put_safe(&safe, text);
    put_escaped(p->out, buf_slice(&safe));
}

/* The same with its line ends kept, as in a reply of several lines. */
static void put_lines(struct page *p, struct slice text)
{
    bool more = false;
    struct slice line;
    while (slice_cut(&text, '\n', &line)) {
        if (more)
            buf_put_char(p->out, '\n');
        more = true;
        put(p, slice_ends(line, S("\r")) ? slice_sub(line, 0, line.n - 1) : line);
    }
}

static void say(struct page *p, const char *en, const char *zh)
{
    put(p, slice_str(p->lang == LANG_ZH ? zh : en));
}

static struct slice label_of(struct page *p, const struct checked *s)
{
    return endpoint_label(&p->arena, &s->endpoint);
}

static void put_colon(struct page *p)
{
    say(p, ": ", "：");
}

/* ----------------------------------------------------------------------------------------------------- small parts */

static void put_row(struct page *p, const char *en, const char *zh, struct slice value)
{
    markup(p, "<dt>");
    say(p, en, zh);
    markup(p, "</dt><dd>");
    put(p, value);
    markup(p, "</dd>\n");
}

static void put_proof(struct page *p, const struct observation *o, const struct checked *s)
{
    markup(p, "<figure><figcaption>");
    put(p, slice_str(proof_words(o->proof_kind, p->lang)));
    if (s) {
        say(p, " (", "（");
        put(p, label_of(p, s));
        say(p, ")", "）");
    }
    markup(p, "</figcaption><pre>");
    put_lines(p, observation_proof(o, p->lang));
    markup(p, "</pre></figure>\n");
}

static void put_mark(struct page *p, enum tone tone)
{
    static const struct lang_text words[TONE_N] = {
        [TONE_GOOD] = {{"ok", "正常"}},
        [TONE_NOTE] = {{"note", "提示"}},
        [TONE_WARNING] = {{"attention", "注意"}},
        [TONE_FAULT] = {{"fault", "故障"}}};
    markup(p, "<span class=\"mark ");
    markup(p, tone_name(tone));
    markup(p, "\">");
    put(p, slice_str(words[tone].in[p->lang]));
    markup(p, "</span>");
}

/* "IMAP, TLS, as you gave it" */
static void put_kind(struct page *p, const struct endpoint *e)
{
    put(p, slice_str(service_words(e->service)));
    say(p, ", ", "，");
    put(p, slice_str(security_words(e->security, p->lang)));
    say(p, ", ", "，");
    put(p, slice_str(source_words(e->source, p->lang)));
}

static void put_grade_mark(struct page *p, enum grade grade)
{
    static const char *const tones[GRADE_N] = {"good", "good", "note", "warning", "warning", "fault", "note"};
    markup(p, "<span class=\"mark ");
    markup(p, tones[grade]);
    markup(p, "\">");
    put(p, slice_str(grade_name(grade)));
    markup(p, "</span>");
}

static void begin_section(struct page *p, const char *en, const char *zh)
{
    markup(p, "<section>\n<h2>");
    say(p, en, zh);
    markup(p, "</h2>\n");
}

/* --------------------------------------------------------------------------------------------------------- verdict */

static void put_place(struct page *p)
{
    const struct verdict *v = p->v;
    if (v->step >= STEP_N)
        return;
    markup(p, "<dt>");
    say(p, "Where", "位置");
    markup(p, "</dt><dd>");
    if (v->server) {
        put(p, label_of(p, v->server));
        say(p, ", ", "，");
    }
    put(p, slice_str(step_words(v->step, p->lang)));
    markup(p, "</dd>\n");
}

static void put_details(struct page *p)
{
    const struct verdict *v = p->v;
    if (v->kind != VERDICT_TROUBLE)
        return;
    markup(p, "<dl>\n");
    put_row(p, "Cause", "原因", slice_str(cause_words(v->diagnosis->cause, p->lang)));
    put_place(p);
    put_row(p, "Confidence", "把握", slice_str(sure_words(v->sure, p->lang)));
    if (v->alternative) {
        put_row(p, "Could also be", "也可能是", v->alternative->says[p->lang]);
        put_row(p, "In that case", "若是如此", v->alternative->remedy[p->lang]);
    }
    if (v->instead)
        put_row(p, "Works instead", "可改用", label_of(p, v->instead));
    put_row(p, "Diagnosis", "诊断编号", v->diagnosis->id);
    markup(p, "</dl>\n");
}

static void put_verdict(struct page *p)
{
    const struct verdict *v = p->v;
    markup(p, "<section class=\"verdict ");
    markup(p, verdict_kind_name(v->kind));
    markup(p, "\">\n<p class=\"says\">");
    put(p, v->says[p->lang]);
    markup(p, "</p>\n");
    if (v->scope != SCOPE_WHOLE) {
        markup(p, "<p>");
        put(p, slice_str(scope_words(v->scope, p->lang)));
        markup(p, "</p>\n");
    }
    markup(p, "<p class=\"remedy\"><b>");
    say(p, "What to do", "怎么办");
    markup(p, "</b>");
    put(p, v->remedy[p->lang]);
    markup(p, "</p>\n");
    put_details(p);
    for (size_t i = 0; i < v->evidence_count; i++)
        if (v->evidence[i].note->proof.n)
            put_proof(p, v->evidence[i].note, v->evidence[i].server);
    markup(p, "</section>\n");
}

/* ---------------------------------------------------------------------------------------------------- also noticed */

static void put_servers_of(struct page *p, const struct judged *j)
{
    if (!j->server)
        return;
    unsigned others = (unsigned)__builtin_popcountll(j->servers) - 1;
    markup(p, "<p class=\"soft\">");
    put(p, label_of(p, j->server));
    if (others)
        put(p, arena_printf(&p->arena, p->lang == LANG_ZH ? "，另有 %u 台服务器" : " and %u more", others));
    if (j->aside)
        say(p, "; not needed, others do the same", "；可不理会，另有服务器可用");
    markup(p, "</p>\n");
}

static void put_noticed(struct page *p)
{
    size_t count, told = 0;
    const struct judged *rows = verdict_noticed(p->v, &count);
    for (size_t i = 0; i < count; i++) {
        const struct diagnosis *d = rows[i].note->diagnosis;
        if (!d)
            continue; /* a fact: it stands in its server's list, and has no remedy */
        if (!told++) {
            begin_section(p, "Also noticed", "其他发现");
            markup(p, "<ul class=\"notes\">\n");
        }
        markup(p, "<li>");
        put_mark(p, rows[i].note->tone);
        markup(p, "<div><p>");
        put(p, d->says[p->lang]);
        markup(p, "</p><p class=\"soft\">");
        put(p, d->remedy[p->lang]);
        markup(p, "</p>\n");
        put_servers_of(p, &rows[i]);
        markup(p, "</div></li>\n");
        arena_clear(&p->arena);
    }
    if (told)
        markup(p, "</ul>\n</section>\n");
}

/* ------------------------------------------------------------------------------------------------------------ steps */

static void put_note(struct page *p, const struct observation *o)
{
    markup(p, "<li>");
    put_mark(p, o->tone);
    markup(p, "<div><p>");
    put(p, observation_words(&p->arena, o, p->lang));
    markup(p, "</p>");
    if (o->proof.n)
        put_proof(p, o, NULL);
    markup(p, "</div></li>\n");
    arena_clear(&p->arena);
}

static void put_step(struct page *p, const struct notes *n, enum step step)
{
    bool named = false;
    for (size_t i = 0; i < n->count; i++) {
        if (n->rows[i].step != step)
            continue;
        if (!named) {
            markup(p, "<h4>");
            put(p, slice_str(step_words(step, p->lang)));
            markup(p, "</h4>\n<ul class=\"notes\">\n");
        }
        named = true;
        put_note(p, &n->rows[i]);
    }
    if (named)
        markup(p, "</ul>\n");
}

static void put_notes(struct page *p, const struct notes *n)
{
    for (int step = 0; step < STEP_N; step++)
        put_step(p, n, (enum step)step);
    if (n->full) {
        markup(p, "<p class=\"soft\">");
        say(p, "More was seen than is shown here.", "其余从略。");
        markup(p, "</p>\n");
    }
}

static void put_server(struct page *p, size_t i)
{
    const struct checked *s = &p->x->servers[i];
    markup(p, "<div class=\"server\"><h3>");
    put(p, label_of(p, s));
    markup(p, "</h3>\n<p class=\"soft\">");
    put_kind(p, &s->endpoint);
    markup(p, "</p>\n");
    put_notes(p, &s->notes);
    markup(p, "</div>\n");
    arena_clear(&p->arena);
}

static void put_steps(struct page *p)
{
    begin_section(p, "Step by step", "各步骤");
    if (p->x->general.count) {
        markup(p, "<div class=\"server\">\n");
        put_notes(p, &p->x->general);
        markup(p, "</div>\n");
    }
    for (size_t i = 0; i < p->x->server_count; i++)
        put_server(p, i);
    if (!p->x->server_count) {
        markup(p, "<p>");
        say(p, "No server was looked at.", "没有检查任何服务器。");
        markup(p, "</p>\n");
    }
    markup(p, "</section>\n");
}

/* ------------------------------------------------------------------------------------------------------------- tree */

static void put_tree(struct page *p)
{
    enum { MERMAID_MAX = 65536 };
    struct buf mermaid CLEANUP_BUF = BUF_INIT(MERMAID_MAX);
    struct tree t;
    tree_init(&t, p->x, p->v);
    begin_section(p, "The way to the verdict", "判断过程");
    markup(p, t.cause == CAUSE_N ? "<div class=\"drawing leads-well\">\n" : "<div class=\"drawing\">\n");
    tree_put_svg(&t, p->lang, p->out);
    markup(p, "</div>\n<details><summary>");
    say(p, "The same as Mermaid text", "Mermaid 源文本");
    markup(p, "</summary><pre>");
    tree_put_mermaid(&t, p->lang, &mermaid);
    put_lines(p, buf_slice(&mermaid));
    markup(p, "</pre></details>\n</section>\n");
}

/* ------------------------------------------------------------------------------------------------------------ grade */

static void put_point(struct page *p, const struct grade_point *point)
{
    markup(p, "<li>");
    if (point->cap == GRADE_A_PLUS)
        put_mark(p, TONE_GOOD);
    else
        put_grade_mark(p, point->cap);
    markup(p, "<div><p>");
    put(p, point->reason[p->lang]);
    markup(p, "</p>");
    if (point->better[p->lang].n) {
        markup(p, "<p class=\"soft\">");
        say(p, "Better", "更好的设置");
        put_colon(p);
        put(p, point->better[p->lang]);
        markup(p, "</p>");
    }
    markup(p, "</div></li>\n");
}

static void put_points_of(struct page *p, size_t i)
{
    const struct checked *s = &p->x->servers[i];
    if (p->g->servers[i] == GRADE_NONE)
        return;
    markup(p, "<div class=\"server\"><h3>");
    put(p, label_of(p, s));
    markup(p, " ");
    put_grade_mark(p, p->g->servers[i]);
    markup(p, "</h3>\n<ul class=\"notes\">\n");
    for (size_t j = 0; j < p->g->point_count; j++)
        if (p->g->points[j].server == s)
            put_point(p, &p->g->points[j]);
    markup(p, "</ul></div>\n");
    arena_clear(&p->arena);
}

static void put_grade(struct page *p)
{
    static const char *const tones[GRADE_N] = {"good", "good", "note", "warning", "warning", "fault", "note"};
    if (p->g->whole == GRADE_NONE)
        return;
    begin_section(p, "How safe the settings are", "设置的安全性");
    markup(p, "<p class=\"whole\"><span class=\"grade ");
    markup(p, tones[p->g->whole]);
    markup(p, "\">");
    put(p, slice_str(grade_name(p->g->whole)));
    markup(p, "</span> <span>");
    say(p,
        "Encryption, certificate and ways of signing in, apart from whether the sign-in works. The mark is "
        "that of the worst "
        "server in use; most of it only the operator of the server can change.",
        "评估加密、证书和登录方式，与能否登录无关。取所用服务器中最差的一个；多数项目只有服务器管理者能更改"
        "。");
    markup(p, "</span></p>\n");
    for (size_t i = 0; i < p->x->server_count; i++)
        put_points_of(p, i);
    markup(p, "</section>\n");
}

/* ---------------------------------------------------------------------------------------------- done and not done */

static void put_item(struct page *p, const char *en, const char *zh, struct slice what)
{
    markup(p, "<li>");
    say(p, en, zh);
    if (what.n) {
        put_colon(p);
        put(p, what);
    }
    markup(p, "</li>\n");
}

/* The labels of the servers where it is so, joined by commas. */
static struct slice list_servers(struct page *p, bool (*is_so)(const struct checked *s))
{
    struct slice list = SLICE_EMPTY;
    for (size_t i = 0; i < p->x->server_count; i++)
        if (is_so(&p->x->servers[i]))
            list = arena_printf(
                &p->arena, SLICE_FMT "%s" SLICE_FMT, SLICE_ARG(list), list.n ? ", " : "",
                SLICE_ARG(label_of(p, &p->x->servers[i])));
    return list;
}
static bool was_tried(const struct checked *s)
{
    return s->standing.tried;
}
static bool was_only_looked_at(const struct checked *s)
{
    return s->standing.connected && !s->standing.tried;
}
static bool was_not_reached(const struct checked *s)
{
    return !s->standing.connected;
}

static bool was_test_sent(const struct examination *x)
{
    for (size_t i = 0; i < x->server_count; i++)
        for (size_t j = 0; j < x->servers[i].notes.count; j++)
            if (x->servers[i].notes.rows[j].fact == FACT_TEST_SENT)
                return true;
    return false;
}

static void put_done(struct page *p)
{
    struct slice tried = list_servers(p, was_tried), looked = list_servers(p, was_only_looked_at);
    struct slice missed = list_servers(p, was_not_reached);
    begin_section(p, "What was done, and what was not", "做了什么，没做什么");
    markup(p, "<ul class=\"done\">\n");
    if (tried.n && p->x->is_token)
        put_item(p, "The sign-in token was sent to", "登录令牌已发送到", tried);
    else if (tried.n)
        put_item(p, "A sign-in was tried, by the ways named above, at", "曾以上述方式尝试登录", tried);
    else
        put_item(
            p, "No password or token was sent to any server.", "没有向任何服务器发送密码或令牌。",
            SLICE_EMPTY);
    if (looked.n)
        put_item(p, "Looked at without signing in", "只查看、未登录", looked);
    if (missed.n)
        put_item(p, "Not reached", "未能连接", missed);
    if (was_test_sent(p->x))
        put_item(
            p, "One test message was sent, to the address itself.", "向该地址自身发送了一封测试邮件。",
            SLICE_EMPTY);
    else
        put_item(p, "No message was sent.", "没有发送邮件。", SLICE_EMPTY);
    put_item(
        p, "No message was changed, moved or deleted, and no setting of the account.",
        "没有更改、移动或删除任何邮件，也没有更改账号设置。", SLICE_EMPTY);
    put_item(
        p, "This file holds neither the password nor any part of it.", "本文件不含密码或其任何部分。",
        SLICE_EMPTY);
    markup(p, "</ul>\n</section>\n");
}

/* ------------------------------------------------------------------------------------------------------- the whole */

/* By this an older report is known again. */
static const char report_mark[] = "<meta name=\"generator\" content=\"letterlock doctor\">\n";

bool report_is_one(struct slice head)
{
    return slice_search(head, slice_str(report_mark)) != SLICE_NPOS;
}

static void put_head(struct page *p)
{
    struct slice style = slice_str(report_style);
    uint8_t digest[SHA256_LEN];
    sha256_of(style, digest);
    markup(p, "<!DOCTYPE html>\n<html lang=\"");
    markup(p, p->lang == LANG_ZH ? "zh-CN" : "en");
    markup(p, "\">\n<head>\n<meta charset=\"utf-8\">\n");
    markup(p, report_mark);
    markup(
        p, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-");
    base64_put(p->out, slice_of(digest, sizeof digest));
    markup(p, "'; base-uri 'none'; form-action 'none'\">\n");
    markup(p, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    markup(p, "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    say(p, "Why a mail program cannot sign in", "邮件程序为何无法登录");
    if (p->x->address.n) {
        put_colon(p);
        put(p, p->x->address);
    }
    markup(p, "</title>\n<style>");
    markup(p, report_style);
    markup(p, "</style>\n</head>\n");
}

static void put_title(struct page *p)
{
    markup(p, "<header>\n<h1>");
    say(p, "Letterlock doctor", "Letterlock 诊断报告");
    if (p->x->address.n) {
        put_colon(p);
        put(p, p->x->address);
    }
    markup(p, "</h1>\n<p>");
    put(p, p->r->when);
    if (p->x->provider) {
        say(p, p->r->when.n ? ", the mail is kept by " : "The mail is kept by ",
            p->r->when.n ? "，邮件由以下服务商托管：" : "邮件由以下服务商托管：");
        put(p, p->x->provider->name[p->lang]);
    }
    markup(p, "</p>\n</header>\n");
}

void report_put(const struct report *r, struct buf *out)
{
    struct page p = {
        .r = r, .x = r->examination, .v = r->verdict, .g = r->grading, .lang = r->lang, .out = out};
    arena_init(&p.arena, LIMIT_DOCTOR_NOTES_MEMORY);
    put_head(&p);
    markup(&p, "<body>\n");
    put_title(&p);
    markup(&p, "<main>\n");
    put_verdict(&p);
    put_noticed(&p);
    put_steps(&p);
    put_tree(&p);
    put_grade(&p);
    put_done(&p);
    markup(&p, "</main>\n<footer><p>");
    put(&p, r->program);
    markup(&p, "</p></footer>\n</body>\n</html>\n");
    arena_done(&p.arena);
}

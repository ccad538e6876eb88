#include "doctor/tree.h"

#include <assert.h>

/* ------------------------------------------------------------------------------------------------------------ data */

const char *tree_answer_name(enum tree_answer answer)
{
    static const char *const names[TREE_ANSWERS] = {"not-asked", "yes", "unsure", "no"};
    return names[answer];
}

enum { LEAVES = 16 };
static const struct {
    struct lang_text asks;
    enum cause causes[LEAVES];
    size_t count;
} questions[STEP_N] = {
    [STEP_PASSWORD] =
        {{{"Are name and password typed without a slip?", "用户名和密码是否输入无误？"}},
         {CAUSE_NAME_FORM, CAUSE_APP_PASSWORD, CAUSE_TOKEN},
         3},
    [STEP_FIND] =
        {{{"Are the right servers known?", "是否知道正确的服务器？"}},
         {CAUSE_DNS, CAUSE_PROGRAM, CAUSE_POLICY},
         3},
    [STEP_NETWORK] =
        {{{"Does the server answer?", "服务器是否应答？"}},
         {CAUSE_DNS, CAUSE_NETWORK, CAUSE_PROXY, CAUSE_WRONG_PORT, CAUSE_INTERCEPTED},
         5},
    [STEP_TLS] =
        {{{"Does encryption begin, and is it really this server?", "加密是否建立，且确为该服务器？"}},
         {CAUSE_TLS_MODE, CAUSE_TLS_VERSIONS, CAUSE_TLS_BROKEN, CAUSE_CERTIFICATE_EXPIRED,
          CAUSE_CERTIFICATE_NAME, CAUSE_CERTIFICATE_UNTRUSTED, CAUSE_CERTIFICATE_REVOKED,
          CAUSE_CERTIFICATE_CLIENT, CAUSE_CLOCK, CAUSE_INTERCEPTED},
         10},
    [STEP_GREETING] =
        {{{"Does a mail server of the right kind greet?", "应答的是否为正确类型的邮件服务器？"}},
         {CAUSE_WRONG_PORT, CAUSE_TLS_REQUIRED, CAUSE_MECHANISM, CAUSE_IP_NOT_ALLOWED,
          CAUSE_TOO_MANY_CONNECTIONS, CAUSE_PROTOCOL_FAULT, CAUSE_SERVER_TROUBLE, CAUSE_INTERCEPTED},
         8},
    [STEP_SIGN_IN] =
        {{{"Does it accept name and password?", "是否接受用户名和密码？"}},
         {CAUSE_WRONG_PASSWORD, CAUSE_APP_PASSWORD, CAUSE_PROTOCOL_OFF, CAUSE_BASIC_AUTH_WITHDRAWN,
          CAUSE_SECOND_FACTOR, CAUSE_TOKEN, CAUSE_NAME_FORM, CAUSE_USER_UNKNOWN, CAUSE_PASSWORD_EXPIRED,
          CAUSE_ACCOUNT_LOCKED, CAUSE_ACCOUNT_ENDED, CAUSE_TOO_MANY_TRIES, CAUSE_MECHANISM, CAUSE_POLICY},
         14},
    [STEP_AFTER] =
        {{{"Can mail be read and sent?", "能否收信和发信？"}},
         {CAUSE_ID_REQUIRED, CAUSE_QUOTA, CAUSE_SENDER, CAUSE_RECIPIENT, CAUSE_SEND_LIMIT, CAUSE_CONTENT,
          CAUSE_REPUTATION, CAUSE_NOT_SIGNED_IN, CAUSE_POLICY, CAUSE_SERVER_TROUBLE},
         10},
};
static_assert((int)LEAVES < (int)CAUSE_N, "room for the one of the verdict");

const char *tree_words(enum step step, enum lang lang)
{
    return questions[step].asks.in[lang];
}

/* ------------------------------------------------------------------------------------------------------------ path */

/* The first step that the server furthest from working did not take. */
static enum step step_not_taken(const struct examination *x)
{
    enum step first = x->server_count ? STEP_AFTER : STEP_FIND;
    for (size_t i = 0; i < x->server_count; i++) {
        const struct standing *s = &x->servers[i].standing;
        enum step step = !s->connected   ? STEP_NETWORK
                         : !s->greeted   ? STEP_GREETING
                         : !s->signed_in ? STEP_SIGN_IN
                                         : STEP_AFTER;
        if (!s->works && step < first)
            first = step;
    }
    return first;
}

static enum step stop_of(const struct examination *x, const struct verdict *v)
{
    if (v->kind == VERDICT_HEALTHY)
        return STEP_N;
    if (v->kind == VERDICT_TROUBLE)
        return v->step;
    return v->kind == VERDICT_NO_PASSWORD ? STEP_SIGN_IN : step_not_taken(x);
}

/* What the notes say of a step that the path goes through: those of no server, and of the verdict's or all servers. */
static enum tree_answer answer_of(const struct examination *x, const struct verdict *v, enum step step)
{
    enum tone worst = notes_worst(&x->general, step);
    for (size_t i = 0; i < x->server_count; i++) {
        const struct checked *s = &x->servers[i];
        enum tone tone = notes_worst(&s->notes, step);
        if ((!v->server || v->server == s) && tone > worst)
            worst = tone;
    }
    return worst >= TONE_WARNING ? TREE_UNSURE : TREE_YES;
}

static void add_leaf(struct tree_question *q, enum cause cause)
{
    for (size_t i = 0; i < q->cause_count; i++)
        if (q->causes[i] == cause)
            return;
    q->causes[q->cause_count++] = cause;
}

void tree_init(struct tree *t, const struct examination *x, const struct verdict *v)
{
    *t = (struct tree){.end = v->kind, .stop = stop_of(x, v), .step = v->step, .cause = CAUSE_N};
    for (int i = 0; i < STEP_N; i++) {
        struct tree_question *q = &t->questions[i];
        q->step = (enum step)i;
        for (size_t j = 0; j < questions[i].count; j++)
            add_leaf(q, questions[i].causes[j]);
        bool asked = q->step < t->stop && (q->step != STEP_PASSWORD || x->has_secret);
        q->answer = asked ? answer_of(x, v, q->step) : TREE_NOT_ASKED;
    }
    if (v->kind == VERDICT_TROUBLE) {
        t->cause = v->diagnosis->cause;
        t->questions[v->step].answer = TREE_NO;
        add_leaf(&t->questions[v->step], t->cause);
    }
}

/* --------------------------------------------------------------------------------------------------------- Mermaid */

static const struct lang_text yes = {{"yes", "是"}}, no = {{"no", "否"}},
                              all_well = {{"Everything works", "一切正常"}};

static void put_leaf(const struct tree *t, int at, enum cause cause, enum lang lang, struct buf *out)
{
    bool taken = t->step == (enum step)at && t->cause == cause;
    buf_printf(
        out, "    q%d %s|\"%s\"| c%d_%d[\"%s\"]\n", at, taken ? "==>" : "-->", no.in[lang], at, (int)cause,
        cause_words(cause, lang));
}

/* The ids on the path, joined by commas, for one "class" line. */
static void put_path(const struct tree *t, struct buf *out)
{
    buf_put_str(out, "    classDef taken stroke-width:4px,font-weight:bold\n    class ");
    for (int i = 0; i < STEP_N && i <= (int)t->stop; i++)
        buf_printf(out, "%sq%d", i ? "," : "", i);
    if (t->stop == STEP_N)
        buf_put_str(out, ",well");
    else if (t->cause < CAUSE_N)
        buf_printf(out, ",c%d_%d", (int)t->step, (int)t->cause);
    buf_put_str(out, " taken\n");
}

void tree_put_mermaid(const struct tree *t, enum lang lang, struct buf *out)
{
    buf_put_str(out, "flowchart TD\n");
    for (int i = 0; i < STEP_N; i++)
        buf_printf(out, "    q%d{\"%s\"}\n", i, tree_words((enum step)i, lang));
    buf_printf(out, "    well([\"%s\"])\n", all_well.in[lang]);
    for (int i = 0; i < STEP_N; i++) {
        const struct tree_question *q = &t->questions[i];
        const char *arrow = i < (int)t->stop ? "==>" : "-->";
        if (i + 1 < STEP_N)
            buf_printf(out, "    q%d %s|\"%s\"| q%d\n", i, arrow, yes.in[lang], i + 1);
        else
            buf_printf(out, "    q%d %s|\"%s\"| well\n", i, arrow, yes.in[lang]);
        for (size_t j = 0; j < q->cause_count; j++)
            put_leaf(t, i, q->causes[j], lang, out);
    }
    put_path(t, out);
}

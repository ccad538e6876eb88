#include "doctor/examination.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------- words */

struct word {
    const char *name;
    struct lang_text says;
};

static const struct word steps[STEP_N] = {
    [STEP_PASSWORD] = {"password", {{"Password as typed", "输入的密码"}}},
    [STEP_FIND] = {"find", {{"Finding the servers", "查找服务器"}}},
    [STEP_NETWORK] = {"network", {{"Network", "网络"}}},
    [STEP_TLS] = {"tls", {{"Encryption", "加密"}}},
    [STEP_GREETING] = {"greeting", {{"Greeting", "问候"}}},
    [STEP_SIGN_IN] = {"sign-in", {{"Sign-in", "登录"}}},
    [STEP_AFTER] = {"after", {{"After sign-in", "登录之后"}}},
};

const char *step_name(enum step step)
{
    return steps[step].name;
}

const char *step_words(enum step step, enum lang lang)
{
    return steps[step].says.in[lang];
}

static const struct {
    const char *name, *words;
    enum where where;
    uint16_t ports[SECURITY_N];
} services[SERVICE_N] = {
    [SERVICE_IMAP] = {"imap", "IMAP", WHERE_IMAP, {993, 993, 143, 143}},
    [SERVICE_POP3] = {"pop3", "POP3", WHERE_POP3, {995, 995, 110, 110}},
    [SERVICE_SMTP] = {"smtp", "SMTP", WHERE_SMTP, {465, 465, 587, 587}},
};

const char *service_name(enum service service)
{
    return services[service].name;
}

const char *service_words(enum service service)
{
    return services[service].words;
}

enum where service_where(enum service service)
{
    return services[service].where;
}

uint16_t port_of(enum service service, enum security security)
{
    return services[service].ports[security];
}

static const struct word securities[SECURITY_N] = {
    [SECURITY_UNKNOWN] = {"unknown", {{"not known", "未知"}}},
    [SECURITY_TLS] = {"tls", {{"TLS", "TLS"}}},
    [SECURITY_STARTTLS] = {"starttls", {{"STARTTLS", "STARTTLS"}}},
    [SECURITY_NONE] = {"none", {{"no encryption", "无加密"}}},
};

const char *security_name(enum security security)
{
    return securities[security].name;
}

const char *security_words(enum security security, enum lang lang)
{
    return securities[security].says.in[lang];
}

enum security security_of_port(uint16_t port)
{
    static const uint16_t tls[] = {993, 995, 465, 994}, starttls[] = {143, 110, 587, 25, 2525};
    for (size_t i = 0; i < sizeof tls / sizeof *tls; i++)
        if (tls[i] == port)
            return SECURITY_TLS;
    for (size_t i = 0; i < sizeof starttls / sizeof *starttls; i++)
        if (starttls[i] == port)
            return SECURITY_STARTTLS;
    return SECURITY_UNKNOWN;
}

static const struct word sources[SOURCE_N] = {
    [SOURCE_GIVEN] = {"given", {{"as you gave it", "由您指定"}}},
    [SOURCE_PROVIDER] = {"provider", {{"from the table of providers", "来自服务商表"}}},
    [SOURCE_AUTOCONFIG] =
        {"autoconfig", {{"from the domain's autoconfig file", "来自域名的 autoconfig 文件"}}},
    [SOURCE_SRV] = {"srv", {{"from the domain's SRV record", "来自域名的 SRV 记录"}}},
    [SOURCE_AUTODISCOVER] = {"autodiscover", {{"from the domain's Autodiscover", "来自域名的 Autodiscover"}}},
    [SOURCE_MX] = {"mx", {{"from the provider that the MX record names", "来自 MX 记录所指的服务商"}}},
    [SOURCE_GUESS] = {"guess", {{"a common name", "常用名称"}}},
};

const char *source_name(enum source source)
{
    return sources[source].name;
}

const char *source_words(enum source source, enum lang lang)
{
    return sources[source].says.in[lang];
}

static const struct word facts[FACT_N] = {
    [FACT_NONE] = {"", {{"", ""}}},
#define FACT(id, name, en, zh) [FACT_##id] = {name, {{en, zh}}},
#include "doctor/facts.def"
#undef FACT
};

const char *fact_name(enum fact fact)
{
    return facts[fact].name;
}

const char *fact_words(enum fact fact, enum lang lang)
{
    return facts[fact].says.in[lang];
}

const char *tone_name(enum tone tone)
{
    static const char *const names[TONE_N] = {"good", "note", "warning", "fault"};
    return names[tone];
}

static const struct word proofs[PROOF_N] = {
    [PROOF_NONE] = {"none", {{"", ""}}},
    [PROOF_REPLY] = {"reply", {{"the server said", "服务器应答"}}},
    [PROOF_CERTIFICATE] = {"certificate", {{"the certificate says", "证书内容"}}},
    [PROOF_RECORD] = {"record", {{"published", "公布的记录"}}},
    [PROOF_MEASURED] = {"measured", {{"measured", "测得"}}},
    [PROOF_SETTING] = {"setting", {{"you gave", "您提供的"}}},
};

const char *proof_name(enum proof_kind kind)
{
    return proofs[kind].name;
}

const char *proof_words(enum proof_kind kind, enum lang lang)
{
    return proofs[kind].says.in[lang];
}

/* ------------------------------------------------------------------------------------------------------- notes */

void notes_init(struct notes *n, const struct knowledge *k)
{
    *n = (struct notes){.knowledge = k};
    arena_init(&n->arena, LIMIT_DOCTOR_NOTES_MEMORY);
}

void notes_done(struct notes *n)
{
    arena_done(&n->arena);
    *n = (struct notes){.count = 0};
}

/* Room for one more. The last row is given again and again when there is none: its writers never meet NULL. */
static struct observation *add(struct notes *n, struct observation o)
{
    if (n->count == n->capacity && n->capacity < LIMIT_DOCTOR_NOTES) {
        size_t capacity = n->capacity ? 2 * n->capacity : 16;
        capacity = capacity < LIMIT_DOCTOR_NOTES ? capacity : LIMIT_DOCTOR_NOTES;
        struct observation *rows = arena_array(&n->arena, capacity, sizeof *rows);
        assert(rows || n->count);
        if (rows) {
            if (n->count)
                memcpy(rows, n->rows, n->count * sizeof *rows);
            n->rows = rows;
            n->capacity = capacity;
        }
    }
    n->full = n->count == n->capacity;
    if (!n->full)
        n->count++;
    o.step = n->step;
    n->rows[n->count - 1] = o;
    return &n->rows[n->count - 1];
}

/* A copy that may be shown. */
static struct slice keep(struct notes *n, struct slice text)
{
    return arena_copy(&n->arena, mask_text(n->mask, &n->arena, text));
}

struct observation *notes_fact(
    struct notes *n, enum tone tone, enum fact fact, struct slice one, struct slice two, struct slice three)
{
    return add(
        n, (struct observation){
               .tone = tone,
               .fact = fact,
               .args = {keep(n, one), keep(n, two), keep(n, three)},
               .sure = SURE_HIGH});
}

static const char *const observed_ids[OBSERVED_N] = {OBSERVED_IDS};

/* Cut between signs of UTF-8, if that is what it is. */
static struct slice keep_proof(struct notes *n, struct slice proof)
{
    enum { SIGN_MAX = 4 };
    proof = mask_text(n->mask, &n->arena, proof); /* before it is cut: half of a secret is one, too */
    size_t end = proof.n < LIMIT_DOCTOR_PROOF ? proof.n : LIMIT_DOCTOR_PROOF, back = 0;
    while (end < proof.n && back < SIGN_MAX && ((unsigned char)proof.p[end - back] & 0xc0) == 0x80)
        back++;
    return arena_copy(&n->arena, slice_sub(proof, 0, back < SIGN_MAX ? end - back : end));
}

static struct wording keep_own(struct notes *n, struct wording own)
{
    for (int l = 0; l < LANG_N; l++)
        own.in[l] = keep_proof(n, own.in[l]);
    return own;
}

struct observation *
notes_observed(struct notes *n, enum tone tone, enum observed what, enum proof_kind kind, struct slice proof)
{
    const struct diagnosis *d = knowledge_find(n->knowledge, slice_str(observed_ids[what]));
    assert(d); /* compiled in; a file can take its place, but not take it away */
    return add(
        n, (struct observation){
               .tone = tone,
               .diagnosis = d,
               .proof_kind = kind,
               .proof = keep_proof(n, proof),
               .sure = d->sure});
}

struct observation *notes_measured(
    struct notes *n, enum tone tone, enum observed what, enum proof_kind kind, struct wording proof)
{
    struct observation *o = notes_observed(n, tone, what, kind, SLICE_EMPTY);
    o->own = keep_own(n, proof);
    o->proof = o->own.in[LANG_EN];
    return o;
}

struct observation *notes_explained(struct notes *n, enum tone tone, const struct explanation *x)
{
    assert(x->count);
    const struct finding *best = &x->findings[0];
    struct observation o = {
        .tone = tone,
        .diagnosis = best->diagnosis,
        .proof_kind = PROOF_REPLY,
        .proof = keep_proof(n, best->proof),
        .sure = best->sure};
    for (size_t i = 1; i < x->count && !o.alternative; i++)
        if (x->findings[i].diagnosis->cause != best->diagnosis->cause &&
            x->findings[i].score * 10 >= best->score * 9)
            o.alternative = x->findings[i].diagnosis;
    return add(n, o);
}

void notes_join(struct notes *n, const struct notes *more)
{
    enum step step = n->step;
    for (size_t i = 0; i < more->count; i++) {
        struct observation o = more->rows[i];
        for (size_t a = 0; a < sizeof o.args / sizeof *o.args; a++)
            o.args[a] = keep(n, o.args[a]);
        o.proof = keep_proof(n, o.proof);
        o.own = keep_own(n, o.own);
        n->step = o.step;
        add(n, o);
    }
    n->step = step;
}

bool notes_have(const struct notes *n, enum observed what)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->rows[i].diagnosis && slice_eq(n->rows[i].diagnosis->id, slice_str(observed_ids[what])))
            return true;
    return false;
}

enum tone notes_worst(const struct notes *n, enum step step)
{
    enum tone worst = TONE_GOOD;
    for (size_t i = 0; i < n->count; i++)
        if (n->rows[i].step == step && n->rows[i].tone > worst)
            worst = n->rows[i].tone;
    return worst;
}

/* -------------------------------------------------------------------------------------------------- the whole */

void examination_init(struct examination *x, const struct knowledge *k)
{
    *x = (struct examination){.server_count = 0};
    notes_init(&x->general, k);
}

void examination_done(struct examination *x)
{
    for (size_t i = 0; i < x->server_count; i++)
        notes_done(&x->servers[i].notes);
    notes_done(&x->general);
    *x = (struct examination){.server_count = 0};
}

/* What the person gave, or was found before anybody knew the secret, is shown ever after. */
static bool may_be_shown(struct mask *mask, const struct endpoint *e)
{
    if (mask_is_clean(mask, e->host) && mask_is_clean(mask, e->user)) {
        mask_allow(mask, e->host);
        mask_allow(mask, e->user);
        return true;
    }
    return e->source == SOURCE_GIVEN;
}

struct checked *examination_add(struct examination *x, const struct endpoint *e)
{
    for (size_t i = 0; i < x->server_count; i++) {
        const struct endpoint *there = &x->servers[i].endpoint;
        if (there->service == e->service && there->port == e->port && slice_eq(there->host, e->host))
            return NULL;
    }
    if (x->server_count == LIMIT_DOCTOR_SERVERS || !may_be_shown(x->general.mask, e))
        return NULL;
    struct checked *c = &x->servers[x->server_count++];
    *c = (struct checked){.endpoint = *e};
    notes_init(&c->notes, x->general.knowledge);
    c->notes.mask = x->general.mask;
    c->endpoint.host = arena_copy(&c->notes.arena, e->host);
    c->endpoint.user = arena_copy(&c->notes.arena, e->user);
    return c;
}

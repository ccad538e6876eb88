/* Files of knowledge: blocks of keys and values, line by line, each key with what takes it. */
#include "doctor/knowledge_parts.h"

#include "base/utf8.h"

/* ------------------------------------------------------------------------------------------------- the three kinds */

enum block { BLOCK_NONE, BLOCK_DIAGNOSIS, BLOCK_PROVIDER, BLOCK_OTHER };

struct reading {
    struct knowledge *k;
    struct knowledge_trouble *trouble;
    unsigned line, began; /* this one; the block's first */
    size_t earlier;       /* diagnoses there before this file */
    enum block block;
    unsigned seen; /* bit i: key i of the block's kind */
};

static fallible wrong(struct reading *r, struct lang_text says)
{
    *r->trouble = (struct knowledge_trouble){r->line, says};
    return ERR_SYNTAX;
}

static fallible full(struct reading *r)
{
    IGNORE(wrong(r, LANG_TEXT("there is too much of this", "内容过多")), "it is ERR_LIMIT");
    return ERR_LIMIT;
}

/* Lower-case letters, digits, hyphens and dots. */
static bool is_id(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'z') && s.p[i] != '-' && s.p[i] != '.')
            return false;
    return s.n > 0 && s.n <= LIMIT_EXPLAIN_ID;
}

static fallible keep(struct reading *r, struct slice value, struct slice *ret_kept)
{
    *ret_kept = arena_copy(&r->k->arena, value);
    return arena_check(&r->k->arena) == OK ? OK : full(r);
}

static fallible keep_sentence(struct reading *r, struct slice value, struct slice *ret_kept)
{
    if (value.n > LIMIT_EXPLAIN_SENTENCE)
        return wrong(r, LANG_TEXT("the sentence is too long", "句子太长"));
    return keep(r, value, ret_kept);
}

/* ---- diagnoses ---- */

static struct diagnosis *current(struct reading *r)
{
    return &r->k->diagnoses[r->k->count - 1];
}

static fallible begin_diagnosis(struct reading *r, struct slice id)
{
    struct knowledge *k = r->k;
    if (!is_id(id))
        return wrong(r, LANG_TEXT("this is no id", "这不是有效的标识"));
    size_t former = knowledge_index(&k->by_id, id);
    if (former != SLICE_NPOS && former >= r->earlier)
        return wrong(r, LANG_TEXT("this id is there twice", "标识重复"));
    if (k->count == LIMIT_EXPLAIN_DIAGNOSES)
        return full(r);
    if (former != SLICE_NPOS) {
        k->diagnoses[former].replaced = true;
        map_drop(&k->by_id, id);
    }
    struct diagnosis *d = &k->diagnoses[k->count];
    *d = (struct diagnosis){.cause = CAUSE_N, .sure = SURE_MEDIUM, .line = r->line};
    TRY(keep(r, id, &d->id));
    k->count++;
    return map_add(&k->by_id, d->id, knowledge_number(k->count - 1)) == OK ? OK : full(r);
}

static fallible take_where(struct reading *r, struct slice value)
{
    return where_parse(value, &current(r)->where) == OK
               ? OK
               : wrong(
                     r, LANG_TEXT(
                            "where is one of: any imap pop3 smtp tls program",
                            "where 只能是：any imap pop3 smtp tls program"));
}

static fallible take_cause(struct reading *r, struct slice value)
{
    return cause_parse(value, &current(r)->cause) == OK
               ? OK
               : wrong(r, LANG_TEXT("there is no such cause", "没有这种原因"));
}

static fallible take_sure(struct reading *r, struct slice value)
{
    return sure_parse(value, &current(r)->sure) == OK
               ? OK
               : wrong(r, LANG_TEXT("sure is one of: low medium high", "sure 只能是：low medium high"));
}

static fallible take_provider(struct reading *r, struct slice value)
{
    if (!is_id(value))
        return wrong(r, LANG_TEXT("this is no id", "这不是有效的标识"));
    return keep(r, value, &current(r)->provider);
}

static fallible compile(struct reading *r, struct slice value, struct expressions *ret_ways)
{
    enum err e = expressions_compile(value, &r->k->arena, ret_ways);
    if (e == ERR_LIMIT)
        return full(r);
    if (e != OK)
        return wrong(r, LANG_TEXT("this cannot be matched", "无法用作匹配表达式"));
    r->k->expressions += ret_ways->count;
    return OK;
}

static fallible take_match(struct reading *r, struct slice value)
{
    struct diagnosis *d = current(r);
    if (d->match_count == LIMIT_EXPLAIN_MATCHES)
        return full(r);
    TRY(compile(r, value, &d->matches[d->match_count]));
    d->match_count++;
    return OK;
}

static fallible take_observed(struct reading *r, struct slice value)
{
    current(r)->observed = true;
    return is_id(value) ? OK : wrong(r, LANG_TEXT("this is no step", "这不是步骤名"));
}

static fallible take_only(struct reading *r, struct slice value)
{
    current(r)->at_provider = true;
    return slice_eq(value, S("at-provider"))
               ? OK
               : wrong(r, LANG_TEXT("only is at-provider", "only 只能是 at-provider"));
}

static fallible take_says_en(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current(r)->says[LANG_EN]);
}

static fallible take_says_zh(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current(r)->says[LANG_ZH]);
}

static fallible take_remedy_en(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current(r)->remedy[LANG_EN]);
}

static fallible take_remedy_zh(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current(r)->remedy[LANG_ZH]);
}

static fallible end_diagnosis(struct reading *r)
{
    struct diagnosis *d = current(r);
    r->line = r->began;
    if (d->cause == CAUSE_N || (d->match_count == 0 && !d->observed))
        return wrong(r, LANG_TEXT("a diagnosis needs cause and match", "诊断需要 cause 和 match"));
    if (d->at_provider && !d->provider.n)
        return wrong(r, LANG_TEXT("at-provider needs a provider", "at-provider 需要 provider"));
    for (int l = 0; l < LANG_N; l++)
        if ((d->says[l].n == 0) != (d->remedy[l].n == 0))
            return wrong(r, LANG_TEXT("says and remedy belong together", "says 和 remedy 必须成对出现"));
    if (d->says[LANG_EN].n == 0 && d->says[LANG_ZH].n == 0)
        return wrong(r, LANG_TEXT("a diagnosis needs says and remedy", "诊断需要 says 和 remedy"));
    for (int l = 0; l < LANG_N; l++)
        if (d->says[l].n == 0) {
            d->says[l] = d->says[LANG_N - 1 - l];
            d->remedy[l] = d->remedy[LANG_N - 1 - l];
        }
    return OK;
}

/* ---- providers ---- */

static struct provider *current_provider(struct reading *r)
{
    return &r->k->providers[r->k->provider_count - 1];
}

static fallible begin_provider(struct reading *r, struct slice id)
{
    struct knowledge *k = r->k;
    if (!is_id(id))
        return wrong(r, LANG_TEXT("this is no id", "这不是有效的标识"));
    if (map_find(&k->by_provider, id))
        return wrong(r, LANG_TEXT("this id is there twice", "标识重复"));
    if (k->provider_count == LIMIT_EXPLAIN_PROVIDERS)
        return full(r);
    struct provider *p = &k->providers[k->provider_count];
    *p = (struct provider){.takes = 0};
    TRY(keep(r, id, &p->id));
    p->company = p->id;
    k->provider_count++;
    return map_add(&k->by_provider, p->id, knowledge_number(k->provider_count - 1)) == OK ? OK : full(r);
}

static fallible take_name_en(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current_provider(r)->name[LANG_EN]);
}

static fallible take_name_zh(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current_provider(r)->name[LANG_ZH]);
}

static fallible take_names(struct reading *r, struct slice value, struct map *m)
{
    struct slice word, kept;
    current_provider(r)->hosted = true;
    while (slice_cut(&value, ' ', &word)) {
        if (!is_id(word))
            return wrong(r, LANG_TEXT("this is no domain", "这不是域名"));
        TRY(keep(r, word, &kept));
        size_t at = m->count;
        enum err e = map_add(m, kept, knowledge_number(r->k->provider_count - 1));
        if (e == OK && m == &r->k->by_domain)
            r->k->domains[at] = kept;
        if (e == ERR_LIMIT)
            return full(r);
        if (e != OK)
            return wrong(r, LANG_TEXT("this domain is there twice", "域名重复"));
    }
    return OK;
}

static fallible take_domains(struct reading *r, struct slice value)
{
    return take_names(r, value, &r->k->by_domain);
}

static fallible take_mx(struct reading *r, struct slice value)
{
    return take_names(r, value, &r->k->by_mx);
}

static fallible take_part_of(struct reading *r, struct slice value)
{
    size_t at = knowledge_index(&r->k->by_provider, value);
    if (at == SLICE_NPOS)
        return wrong(r, LANG_TEXT("there is no such provider before", "前面没有这个服务商"));
    current_provider(r)->company = r->k->providers[at].company;
    return OK;
}

static fallible take_note_en(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current_provider(r)->note[LANG_EN]);
}

static fallible take_note_zh(struct reading *r, struct slice value)
{
    return keep_sentence(r, value, &current_provider(r)->note[LANG_ZH]);
}

static fallible take_access(struct reading *r, struct slice value)
{
    static const char *const names[ACCESS_N] = {"open", "switched", "bridge", "none"};
    for (int i = 0; i < ACCESS_N; i++)
        if (slice_eq(value, slice_str(names[i]))) {
            current_provider(r)->access = (enum access)i;
            return OK;
        }
    return wrong(
        r,
        LANG_TEXT("access is one of: open switched bridge none", "access 只能是：open switched bridge none"));
}

static fallible take_wants(struct reading *r, struct slice value)
{
    current_provider(r)->wants_id = true;
    return slice_eq(value, S("imap-id")) ? OK
                                         : wrong(r, LANG_TEXT("wants is imap-id", "wants 只能是 imap-id"));
}

static fallible take_user(struct reading *r, struct slice value)
{
    current_provider(r)->user_local = true;
    return slice_eq(value, S("local")) ? OK : wrong(r, LANG_TEXT("user is local", "user 只能是 local"));
}

/* A host name, where "%d" may stand for labels. */
static bool is_host(struct slice s)
{
    size_t percent = slice_find(s, '%');
    if (percent == SLICE_NPOS)
        return is_id(s);
    return slice_starts(slice_from(s, percent), S("%d")) && is_id(slice_sub(s, 0, percent)) &&
           (percent + 2 == s.n || is_id(slice_from(s, percent + 2)));
}

static fallible take_host(struct reading *r, struct slice value, enum where where)
{
    struct provider *p = current_provider(r);
    struct slice host = SLICE_EMPTY, port = SLICE_EMPTY, security = SLICE_EMPTY, word = SLICE_EMPTY;
    struct provider_host h = {.where = where};
    uint64_t port_number = 0;
    slice_cut(&value, ' ', &host);
    slice_cut(&value, ' ', &port);
    slice_cut(&value, ' ', &security);
    slice_cut(&value, ' ', &word);
    h.unsure = slice_eq(word, S("unsure"));
    h.starttls = slice_eq(security, S("starttls"));
    if (!is_host(host) || slice_to_u64(port, 65535, &port_number) != OK || port_number == 0 ||
        (!h.starttls && !slice_eq(security, S("tls"))) || (word.n && !h.unsure) || value.n)
        return wrong(
            r, LANG_TEXT(
                   "a server is: host port tls|starttls [unsure]",
                   "服务器应写作：主机 端口 tls|starttls [unsure]"));
    if (p->host_count == LIMIT_EXPLAIN_HOSTS)
        return full(r);
    h.port = (uint16_t)port_number;
    TRY(keep(r, host, &h.host));
    p->hosts[p->host_count++] = h;
    return OK;
}

static fallible take_imap(struct reading *r, struct slice value)
{
    return take_host(r, value, WHERE_IMAP);
}

static fallible take_pop3(struct reading *r, struct slice value)
{
    return take_host(r, value, WHERE_POP3);
}

static fallible take_smtp(struct reading *r, struct slice value)
{
    return take_host(r, value, WHERE_SMTP);
}

static fallible take_takes(struct reading *r, struct slice value)
{
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {
        {"password", TAKES_PASSWORD},
        {"app-password", TAKES_APP_PASSWORD},
        {"authorization-code", TAKES_AUTHORIZATION_CODE},
        {"oauth2", TAKES_OAUTH2}};
    struct slice word;
    while (slice_cut(&value, ' ', &word)) {
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (slice_eq(word, slice_str(names[i].name)))
                bit = names[i].bit;
        if (!bit)
            return wrong(
                r, LANG_TEXT(
                       "takes are of: password app-password authorization-code oauth2",
                       "takes 只能取：password app-password authorization-code oauth2"));
        current_provider(r)->takes |= bit;
    }
    return OK;
}

static fallible end_provider(struct reading *r)
{
    struct provider *p = current_provider(r);
    r->line = r->began;
    if (p->name[LANG_EN].n == 0 && p->name[LANG_ZH].n == 0)
        return wrong(r, LANG_TEXT("a provider needs a name", "服务商需要名称"));
    for (int l = 0; l < LANG_N; l++)
        if (p->name[l].n == 0)
            p->name[l] = p->name[LANG_N - 1 - l];
    for (int l = 0; l < LANG_N; l++)
        if (p->note[l].n == 0)
            p->note[l] = p->note[LANG_N - 1 - l];
    return OK;
}

/* ---- other programs ---- */

static fallible begin_other(struct reading *r, struct slice id)
{
    return is_id(id) ? OK : wrong(r, LANG_TEXT("this is no id", "这不是有效的标识"));
}

static fallible take_other_match(struct reading *r, struct slice value)
{
    struct other_words *words = arena_alloc(&r->k->arena, sizeof *words);
    if (!words)
        return full(r);
    TRY(compile(r, value, &words->ways));
    words->next = r->k->other_words;
    r->k->other_words = words;
    return OK;
}

static fallible end_other(struct reading *r)
{
    r->line = r->began;
    return r->seen ? OK : wrong(r, LANG_TEXT("another program needs match", "other-program 需要 match"));
}

/* ---------------------------------------------------------------------------------------------------- the lines */

struct key {
    const char *name;
    enum block block;
    bool repeats;
    enum err (*take)(struct reading *r, struct slice value);
};
static const struct key keys[] = {
    {"where", BLOCK_DIAGNOSIS, false, take_where},
    {"provider", BLOCK_DIAGNOSIS, false, take_provider},
    {"cause", BLOCK_DIAGNOSIS, false, take_cause},
    {"sure", BLOCK_DIAGNOSIS, false, take_sure},
    {"match", BLOCK_DIAGNOSIS, true, take_match},
    {"observed", BLOCK_DIAGNOSIS, false, take_observed},
    {"only", BLOCK_DIAGNOSIS, false, take_only},
    {"says-en", BLOCK_DIAGNOSIS, false, take_says_en},
    {"remedy-en", BLOCK_DIAGNOSIS, false, take_remedy_en},
    {"says-zh", BLOCK_DIAGNOSIS, false, take_says_zh},
    {"remedy-zh", BLOCK_DIAGNOSIS, false, take_remedy_zh},
    {"match", BLOCK_OTHER, true, take_other_match},
    {"name-en", BLOCK_PROVIDER, false, take_name_en},
    {"name-zh", BLOCK_PROVIDER, false, take_name_zh},
    {"domain", BLOCK_PROVIDER, true, take_domains},
    {"takes", BLOCK_PROVIDER, false, take_takes},
    {"mx", BLOCK_PROVIDER, true, take_mx},
    {"part-of", BLOCK_PROVIDER, false, take_part_of},
    {"imap", BLOCK_PROVIDER, true, take_imap},
    {"pop3", BLOCK_PROVIDER, true, take_pop3},
    {"smtp", BLOCK_PROVIDER, true, take_smtp},
    {"access", BLOCK_PROVIDER, false, take_access},
    {"wants", BLOCK_PROVIDER, false, take_wants},
    {"user", BLOCK_PROVIDER, false, take_user},
    {"note-en", BLOCK_PROVIDER, false, take_note_en},
    {"note-zh", BLOCK_PROVIDER, false, take_note_zh},
};

static fallible begin_block(struct reading *r, struct slice key, struct slice value)
{
    r->began = r->line;
    r->seen = 0;
    if (slice_eq(key, S("diagnosis"))) {
        r->block = BLOCK_DIAGNOSIS;
        return begin_diagnosis(r, value);
    }
    if (slice_eq(key, S("provider"))) {
        r->block = BLOCK_PROVIDER;
        return begin_provider(r, value);
    }
    if (slice_eq(key, S("other-program"))) {
        r->block = BLOCK_OTHER;
        return begin_other(r, value);
    }
    return wrong(
        r, LANG_TEXT(
               "a block begins with diagnosis, provider or other-program",
               "每段须以 diagnosis、provider 或 other-program 开头"));
}

static fallible end_block(struct reading *r)
{
    unsigned line = r->line;
    enum err e = r->block == BLOCK_DIAGNOSIS  ? end_diagnosis(r)
                 : r->block == BLOCK_PROVIDER ? end_provider(r)
                 : r->block == BLOCK_OTHER    ? end_other(r)
                                              : OK;
    r->line = line;
    r->block = BLOCK_NONE;
    return e;
}

static fallible read_pair(struct reading *r, struct slice key, struct slice value)
{
    if (r->block == BLOCK_NONE)
        return begin_block(r, key, value);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (keys[i].block != r->block || !slice_eq(key, slice_str(keys[i].name)))
            continue;
        if (!keys[i].repeats && r->seen & 1u << i)
            return wrong(r, LANG_TEXT("this key is there twice", "该键重复"));
        r->seen |= 1u << i;
        return keys[i].take(r, value);
    }
    return wrong(r, LANG_TEXT("there is no such key here", "此处没有这个键"));
}

static bool is_plain(struct slice line)
{
    while (line.n) {
        uint32_t code = 0;
        size_t used = utf8_decode(line, &code);
        if (used == 0 || utf8_is_unsafe(code))
            return false;
        line = slice_from(line, used);
    }
    return true;
}

static fallible read_line(struct reading *r, struct slice line)
{
    struct slice key;
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n > LIMIT_EXPLAIN_LINE)
        return wrong(r, LANG_TEXT("the line is too long", "该行太长"));
    if (!is_plain(line))
        return wrong(
            r, LANG_TEXT(
                   "the line is not UTF-8, or holds control characters", "该行不是 UTF-8，或含有控制字符"));
    if (line.n == 0)
        return end_block(r);
    if (line.p[0] == '#')
        return OK;
    struct slice value = line;
    slice_cut(&value, ' ', &key);
    value = slice_trim(value);
    if (value.n == 0)
        return wrong(r, LANG_TEXT("a key and its value are wanted", "应为一个键及其值"));
    return read_pair(r, key, value);
}

fallible knowledge_read(struct knowledge *k, struct slice file, struct knowledge_trouble *ret_trouble)
{
    struct knowledge_trouble trouble = {0};
    struct reading r = {.k = k, .trouble = &trouble, .earlier = k->count};
    struct slice line;
    enum err e = OK;
    if (file.n > LIMIT_EXPLAIN_FILE)
        e = full(&r);
    while (e == OK && slice_cut(&file, '\n', &line)) {
        r.line++;
        e = read_line(&r, line);
    }
    if (e == OK)
        e = end_block(&r);
    if (e != OK)
        *ret_trouble = trouble;
    return e;
}

#include "doctor/cause.h"

#include <assert.h>

struct word {
    const char *name;
    struct lang_text says;
};

static const struct word causes[] = {
#define CAUSE(id, name, en, zh) [CAUSE_##id] = {name, {{en, zh}}},
#include "doctor/cause.def"
#undef CAUSE
};
static const struct word wheres[] = {
    [WHERE_ANY] = {"any", {{"any protocol", "任何协议"}}},
    [WHERE_IMAP] = {"imap", {{"IMAP", "IMAP"}}},
    [WHERE_POP3] = {"pop3", {{"POP3", "POP3"}}},
    [WHERE_SMTP] = {"smtp", {{"SMTP", "SMTP"}}},
    [WHERE_TLS] = {"tls", {{"TLS", "TLS"}}},
    [WHERE_PROGRAM] = {"program", {{"a mail program", "邮件程序"}}},
};
static const struct word sures[] = {
    [SURE_LOW] = {"low", {{"low", "低"}}},
    [SURE_MEDIUM] = {"medium", {{"medium", "中"}}},
    [SURE_HIGH] = {"high", {{"high", "高"}}},
};
static_assert(sizeof causes / sizeof *causes == CAUSE_N, "a cause without words");
static_assert(sizeof wheres / sizeof *wheres == WHERE_N, "a place without words");
static_assert(sizeof sures / sizeof *sures == SURE_N, "a confidence without words");

static fallible word_find(const struct word *words, size_t count, struct slice name, size_t *ret_at)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(name, slice_str(words[i].name))) {
            *ret_at = i;
            return OK;
        }
    return ERR_NOT_FOUND;
}

const char *cause_name(enum cause cause)
{
    assert(cause < CAUSE_N);
    return causes[cause].name;
}

const char *cause_words(enum cause cause, enum lang lang)
{
    assert(cause < CAUSE_N);
    return causes[cause].says.in[lang];
}

fallible cause_parse(struct slice name, enum cause *ret_cause)
{
    size_t at = 0;
    TRY(word_find(causes, CAUSE_N, name, &at));
    *ret_cause = (enum cause)at;
    return OK;
}

const char *where_name(enum where where)
{
    assert(where < WHERE_N);
    return wheres[where].name;
}

const char *where_words(enum where where, enum lang lang)
{
    assert(where < WHERE_N);
    return wheres[where].says.in[lang];
}

fallible where_parse(struct slice name, enum where *ret_where)
{
    size_t at = 0;
    TRY(word_find(wheres, WHERE_N, name, &at));
    *ret_where = (enum where)at;
    return OK;
}

const char *sure_name(enum sure sure)
{
    assert(sure < SURE_N);
    return sures[sure].name;
}

const char *sure_words(enum sure sure, enum lang lang)
{
    assert(sure < SURE_N);
    return sures[sure].says.in[lang];
}

fallible sure_parse(struct slice name, enum sure *ret_sure)
{
    size_t at = 0;
    TRY(word_find(sures, SURE_N, name, &at));
    *ret_sure = (enum sure)at;
    return OK;
}

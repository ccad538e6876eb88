#include "pop3/wire/answer.h"

fallible pop3_lines_feed(struct pop3_lines *l, struct slice line, struct slice *ret_line)
{
    if (slice_eq(line, S(".")))
        return OK;
    struct slice content = slice_from(line, line.n && line.p[0] == '.' ? 1 : 0);
    if (l->lines >= l->most_lines || content.n > l->most_octets - l->octets)
        return ERR_LIMIT;
    l->lines++;
    l->octets += content.n;
    *ret_line = content;
    return ERR_AGAIN;
}

/* --------------------------------------------------------------------------------------------- capabilities */

/* The next word of blanks or tabs; false when there is none. */
static bool next_word(struct slice *rest, struct slice *ret_word)
{
    *rest = slice_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *ret_word = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

static void read_capability(struct slice line, struct pop3_capa *capa)
{
    const struct {
        const char *name;
        bool *there;
        struct slice *rest;
    } rows[] = {
        {"USER", &capa->user, NULL},
        {"STLS", &capa->stls, NULL},
        {"TOP", &capa->top, NULL},
        {"UIDL", &capa->uidl, NULL},
        {"PIPELINING", &capa->pipelining, NULL},
        {"RESP-CODES", &capa->resp_codes, NULL},
        {"AUTH-RESP-CODE", &capa->auth_resp_code, NULL},
        {"UTF8", &capa->utf8, NULL},
        {"SASL", &capa->sasl, NULL},
        {"IMPLEMENTATION", NULL, &capa->implementation},
        {"EXPIRE", NULL, &capa->expire},
    };
    struct slice name, word;
    if (!next_word(&line, &name))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!slice_eq_nocase(name, slice_str(rows[i].name)))
            continue;
        if (rows[i].there)
            *rows[i].there = true;
        if (rows[i].rest)
            *rows[i].rest = slice_trim(line);
        while (rows[i].there == &capa->sasl && capa->word_n < POP3_CAPA_WORDS && next_word(&line, &word))
            capa->words[capa->word_n++] = word;
        return;
    }
}

void pop3_capa_read(struct slice lines, struct pop3_capa *ret_capa)
{
    struct pop3_capa capa = {.user = false};
    struct slice line;
    while (slice_cut(&lines, '\n', &line))
        read_capability(line, &capa);
    *ret_capa = capa;
}

/* -------------------------------------------------------------------------------------------------- numbers */

static fallible take_number(struct slice *rest, uint64_t max, uint64_t *ret_number)
{
    struct slice word;
    uint64_t number = max;
    if (!next_word(rest, &word))
        return ERR_SYNTAX;
    enum err e = slice_to_u64(word, max, &number);
    if (e != OK && e != ERR_LIMIT)
        return e;
    *ret_number = e == OK ? number : max;
    return OK;
}

fallible pop3_listing_parse(struct slice line, uint32_t *ret_number, struct slice *ret_word)
{
    uint64_t number;
    struct slice word;
    TRY(take_number(&line, UINT32_MAX, &number));
    if (number == 0 || !next_word(&line, &word))
        return ERR_SYNTAX;
    *ret_number = (uint32_t)number;
    *ret_word = word;
    return OK;
}

fallible pop3_stat_parse(struct slice text, uint32_t *ret_count, uint64_t *ret_octets)
{
    uint64_t count, octets;
    TRY(take_number(&text, UINT32_MAX, &count));
    TRY(take_number(&text, UINT64_MAX, &octets));
    *ret_count = (uint32_t)count;
    *ret_octets = octets;
    return OK;
}

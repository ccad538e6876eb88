#include "smtp/wire/offer.h"

enum { STARS = 4, CROSSES = 3 };

/* The next word up to a blank, a tab, or (of keywords) "="; false when there is none. */
static bool next_word(struct slice *rest, bool keyword, struct slice *ret_word)
{
    *rest = slice_trim(*rest);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && !(keyword && rest->p[n] == '='))
        n++;
    *ret_word = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

static bool is_crossed(struct slice word)
{
    size_t n = 0;
    while (n < word.n && word.p[n] == 'X')
        n++;
    return n >= CROSSES && n + 1 >= word.n && (n == word.n || ascii_is_alpha(word.p[n]));
}

bool smtp_is_masked(struct slice text)
{
    struct slice word;
    size_t stars = 0;
    for (size_t i = 0; i < text.n; i++) {
        stars = text.p[i] == '*' ? stars + 1 : 0;
        if (stars == STARS)
            return true;
    }
    while (text.n && next_word(&text, false, &word))
        if (is_crossed(word))
            return true;
    return false;
}

static void read_mechanisms(struct slice rest, struct smtp_offer *offer)
{
    struct slice word;
    offer->auth = true;
    if (rest.n && rest.p[0] == '=') {
        offer->auth_old = true;
        rest = slice_from(rest, 1);
    }
    while (offer->word_n < SMTP_OFFER_WORDS && next_word(&rest, false, &word))
        offer->words[offer->word_n++] = word;
}

static void read_size(struct slice rest, struct smtp_offer *offer)
{
    struct slice word;
    uint64_t size = UINT64_MAX;
    offer->size_said = true;
    rest = slice_from(rest, rest.n && rest.p[0] == '=' ? 1 : 0);
    if (!next_word(&rest, false, &word))
        return;
    enum err e = slice_to_u64(word, UINT64_MAX, &size);
    offer->size = e == OK || e == ERR_LIMIT ? size : 0;
}

static void read_keyword(struct slice line, struct smtp_offer *offer)
{
    const struct {
        const char *name;
        bool *there;
    } rows[] = {
        {"STARTTLS", &offer->starttls}, {"PIPELINING", &offer->pipelining},
        {"8BITMIME", &offer->eightbit}, {"SMTPUTF8", &offer->utf8},
        {"CHUNKING", &offer->chunking}, {"ENHANCEDSTATUSCODES", &offer->statuses},
        {"DSN", &offer->dsn},
    };
    struct slice name;
    if (!next_word(&line, true, &name))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_eq_nocase(name, slice_str(rows[i].name)))
            *rows[i].there = true;
    if (slice_eq_nocase(name, S("AUTH")))
        read_mechanisms(line, offer);
    else if (slice_eq_nocase(name, S("SIZE")))
        read_size(line, offer);
    else if (smtp_is_masked(name))
        offer->masked = true;
}

void smtp_offer_read(struct slice text, struct smtp_offer *ret_offer)
{
    struct smtp_offer offer = {.auth = false};
    struct slice line;
    if (slice_cut(&text, '\n', &line) && !next_word(&line, false, &offer.name))
        offer.name = SLICE_EMPTY;
    while (slice_cut(&text, '\n', &line))
        read_keyword(line, &offer);
    *ret_offer = offer;
}

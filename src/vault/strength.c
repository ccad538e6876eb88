#include "vault/strength.h"

#include <string.h>
#include <zxcvbn.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "crypto/secret.h"

static const struct {
    const char *name, *words[2];
} reasons[] = {
#define REASON(id, stable, en, zh) [PASSWORD_##id] = {stable, {en, zh}},
    PASSWORD_REASONS(REASON)
#undef REASON
};

const char *strength_colour_name(enum strength_colour colour)
{
    static const char *const names[] = {
        [STRENGTH_GREEN] = "green", [STRENGTH_YELLOW] = "yellow", [STRENGTH_RED] = "red"};
    return names[colour];
}

const char *password_reason_name(enum password_reason reason)
{
    return (unsigned)reason < PASSWORD_REASON_N ? reasons[reason].name : "unknown";
}

void password_reason_put(enum password_reason reason, struct slice language, int64_t number, struct buf *out)
{
    struct slice words = slice_str(reasons[reason].words[slice_starts_nocase(language, S("zh")) ? 1 : 0]);
    size_t at = slice_search(words, S("{n}"));
    if (at == SLICE_NPOS) {
        buf_put(out, words);
        return;
    }
    buf_put(out, slice_sub(words, 0, at));
    buf_put_u64(out, (uint64_t)number);
    buf_put(out, slice_from(words, at + 3));
}

void password_refusal_put(enum password_reason reason, struct slice language, int64_t number, struct buf *out)
{
    bool is_chinese = slice_starts_nocase(language, S("zh"));
    buf_put_str(out, is_chinese ? "这个邮箱密码不够好。" : "this mailbox password is not good enough. ");
    password_reason_put(reason, language, number, out);
}

/* ---- shape ---- */

size_t password_characters(struct slice password)
{
    size_t n = 0;
    uint32_t c;
    for (size_t used; password.n && (used = utf8_decode(password, &c)); n++)
        password = slice_from(password, used);
    return n;
}

unsigned password_kinds(struct slice password)
{
    enum { SMALL = 1, CAPITAL = 2, DIGIT = 4, OTHER = 8 };
    unsigned seen = 0, kinds = 0;
    for (size_t i = 0; i < password.n; i++) {
        char c = password.p[i];
        seen |= ascii_is_digit(c)     ? DIGIT
                : !ascii_is_alpha(c)  ? OTHER
                : ascii_lower(c) == c ? SMALL
                                      : CAPITAL;
    }
    for (; seen; seen &= seen - 1)
        kinds++;
    return kinds;
}

/* ---- guessing ---- */

/* Letters and digits of ASCII, and whatever is beyond it. */
static bool is_of_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80;
}

struct words {
    char text[STRENGTH_WORDS][STRENGTH_WORD];
    const char *list[STRENGTH_WORDS + 1];
    size_t n;
};

/* Shorter than three letters it would be found everywhere. */
static void add_word(struct words *w, struct slice word)
{
    enum { LEAST = 3 };
    if (word.n < LEAST || word.n >= STRENGTH_WORD || w->n == STRENGTH_WORDS)
        return;
    for (size_t i = 0; i < word.n; i++)
        w->text[w->n][i] = ascii_lower(word.p[i]);
    w->text[w->n][word.n] = '\0';
    w->list[w->n] = w->text[w->n];
    w->n++;
}

static void add_words(struct words *w, struct slice about)
{
    size_t from = 0;
    for (size_t i = 0; i <= about.n; i++) {
        if (i < about.n && is_of_word(about.p[i]))
            continue;
        add_word(w, slice_sub(about, from, i - from));
        from = i + 1;
    }
}

static enum password_reason reason_of(ZxcTypeMatch_t type)
{
    static const enum password_reason by_type[] = {
        [NON_MATCH] = PASSWORD_GUESSABLE,     [BRUTE_MATCH] = PASSWORD_GUESSABLE,
        [DICTIONARY_MATCH] = PASSWORD_COMMON, [DICT_LEET_MATCH] = PASSWORD_COMMON,
        [USER_MATCH] = PASSWORD_PERSONAL,     [USER_LEET_MATCH] = PASSWORD_PERSONAL,
        [REPEATS_MATCH] = PASSWORD_REPEATS,   [SEQUENCE_MATCH] = PASSWORD_SEQUENCE,
        [SPATIAL_MATCH] = PASSWORD_KEYBOARD,  [DATE_MATCH] = PASSWORD_DATE,
        [YEAR_MATCH] = PASSWORD_DATE,         [LONG_PWD_MATCH] = PASSWORD_GUESSABLE,
    };
    if (type & MULTIPLE_MATCH)
        return PASSWORD_REPEATS;
    return (size_t)type < sizeof by_type / sizeof *by_type ? by_type[type] : PASSWORD_GUESSABLE;
}

/* Of the part that is easiest for its length; what tells the owner most comes first. */
static enum password_reason worst(const ZxcMatch_t *part)
{
    enum password_reason reason = PASSWORD_GUESSABLE;
    double least = 0;
    for (; part; part = part->Next) {
        enum password_reason of = reason_of(part->Type);
        if (of == PASSWORD_PERSONAL)
            return of;
        double each = part->Length > 0 ? part->MltEnpy / part->Length : 0;
        if (of != PASSWORD_GUESSABLE && (reason == PASSWORD_GUESSABLE || each < least)) {
            reason = of;
            least = each;
        }
    }
    return reason;
}

struct strength strength_of(struct slice password, const struct slice *about, size_t count)
{
    static const double green_bits = 39.86, yellow_bits = 26.58; /* log2 of 10^12 and 10^8 */
    char text[STRENGTH_LOOKED + 1];
    struct words w = {.n = 0};
    struct slice looked = slice_sub(password, 0, STRENGTH_LOOKED);
    for (size_t i = 0; i < count; i++)
        add_words(&w, about[i]);
    if (looked.n)
        memcpy(text, looked.p, looked.n);
    text[looked.n] = '\0';
    ZxcMatch_t *parts = NULL;
    struct strength s = {.bits = looked.n ? ZxcvbnMatch(text, w.list, &parts) : 0};
    s.colour = s.bits >= green_bits ? STRENGTH_GREEN : s.bits >= yellow_bits ? STRENGTH_YELLOW : STRENGTH_RED;
    s.reason = s.colour == STRENGTH_GREEN ? PASSWORD_FINE : worst(parts);
    ZxcvbnFreeInfo(parts);
    secret_wipe(text, sizeof text);
    return s;
}

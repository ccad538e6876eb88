#include "doctor/wording.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"

static const struct lang_text phrases[PHRASE_N] = {
#define PHRASE(id, en, zh) [PHRASE_##id] = {{en, zh}},
#define KNOWN(en, zh)
#include "doctor/phrases.def"
#undef PHRASE
#undef KNOWN
};

static const struct lang_text known[] = {
#define PHRASE(id, en, zh)
#define KNOWN(en, zh) {{en, zh}},
#include "doctor/phrases.def"
#undef PHRASE
#undef KNOWN
};

const char *phrase_words(enum phrase phrase, enum lang lang)
{
    return phrases[phrase].in[lang];
}

bool known_at(size_t i, struct lang_text *ret_words)
{
    if (i >= sizeof known / sizeof *known)
        return false;
    *ret_words = known[i];
    return true;
}

struct wording wording_same(struct slice text)
{
    struct wording w;
    for (int l = 0; l < LANG_N; l++)
        w.in[l] = text;
    return w;
}

static struct wording wording_of_text(const struct lang_text *text)
{
    struct wording w;
    for (int l = 0; l < LANG_N; l++)
        w.in[l] = slice_str(text->in[l]);
    return w;
}

struct wording wording_known(struct arena *a, struct slice english)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_eq(english, slice_str(known[i].in[LANG_EN])))
            return wording_of_text(&known[i]);
    return wording_say(a, PHRASE_QUOTED, english, SLICE_EMPTY, SLICE_EMPTY);
}

struct wording wording_error(enum err e)
{
    return wording_of(lang_error, e);
}

struct wording wording_errno(struct arena *a, int number)
{
    const char *words = strerrordesc_np(number);
    return words ? wording_known(a, slice_str(words)) : wording_error(ERR_IO);
}

struct slice words_fill(struct arena *a, const char *template, const struct slice args[3])
{
    struct slice words = slice_str(template);
    CLEANUP_BUF struct buf out = BUF_INIT(LIMIT_DOCTOR_NOTES_MEMORY);
    for (size_t i = 0; i < words.n; i++) {
        bool place = words.n - i >= 3 && words.p[i] == '{' && words.p[i + 2] == '}' &&
                     words.p[i + 1] >= '1' && words.p[i + 1] <= '3';
        if (!place) {
            buf_put_char(&out, words.p[i]);
            continue;
        }
        buf_put(&out, args[words.p[i + 1] - '1']);
        i += 2;
    }
    return arena_copy(a, buf_slice(&out));
}

struct wording wording_fill(
    struct arena *a, enum phrase phrase, struct wording one, struct wording two, struct wording three)
{
    struct wording w;
    for (int l = 0; l < LANG_N; l++) {
        const struct slice args[] = {one.in[l], two.in[l], three.in[l]};
        w.in[l] = words_fill(a, phrases[phrase].in[l], args);
    }
    return w;
}

struct wording
wording_say(struct arena *a, enum phrase phrase, struct slice one, struct slice two, struct slice three)
{
    return wording_fill(a, phrase, wording_same(one), wording_same(two), wording_same(three));
}

struct wording wording_bare(enum phrase phrase)
{
    return wording_of_text(&phrases[phrase]);
}

#include "doctor/steps/reply_note.h"

#include <assert.h>

#include "base/encode.h"

/* Three shifts of base64, the secret itself, and with backslashes. */
enum { SHIFTS = 3, FORMS = SHIFTS + 2, SECRET_LEAST = 4 };
/* Parts of it that count for all: octets, and signs of base64. */
enum { PART_LEAST = 6, PART_BASE64 = 8 };

static bool is_base64(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/' || c == '=';
}

/* The part of the base64 of (`shift` octets, secret, whatever) that does not depend on what stands around the secret. */
static void put_core(struct buf *out, struct slice secret, size_t shift)
{
    static const size_t front[SHIFTS] = {0, 2, 3}, back[SHIFTS] = {0, 3, 2};
    struct buf octets = BUF_INIT(secret.n + SHIFTS), whole = BUF_INIT(2 * secret.n + 8);
    /* room at once: a buffer that grows leaves copies behind */
    IGNORE(buf_reserve(&octets, secret.n + SHIFTS - 1) ? OK : ERR_LIMIT, "it fits");
    IGNORE(buf_reserve(&whole, 2 * secret.n + 7) ? OK : ERR_LIMIT, "it fits");
    buf_put(&octets, slice_sub(S("\0\0"), 0, shift));
    buf_put(&octets, secret);
    base64_put(&whole, buf_slice(&octets));
    buf_put(out, slice_sub(buf_slice(&whole), front[shift], whole.n - front[shift] - back[octets.n % 3]));
    buf_wipe(&octets);
    buf_wipe(&whole);
}

static void put_escaped(struct buf *out, struct slice secret)
{
    for (size_t i = 0; i < secret.n; i++) {
        if (secret.p[i] == '"' || secret.p[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, secret.p[i]);
    }
}

static void make_forms(struct buf forms[FORMS], struct slice secret)
{
    for (size_t i = 0; i < FORMS; i++) {
        buf_init(&forms[i], 2 * secret.n + 8);
        assert(buf_reserve(&forms[i], 2 * secret.n + 7));
        if (i < SHIFTS)
            put_core(&forms[i], secret, i);
    }
    put_escaped(&forms[SHIFTS], secret);
    buf_put(&forms[SHIFTS + 1], secret);
}

/* How far the text begins like the secret, if that is more than half of it: a server may cut what it repeats. */
static size_t begins_like(struct slice text, struct slice form)
{
    size_t n = 0;
    while (n < text.n && n < form.n && text.p[n] == form.p[n])
        n++;
    return n == form.n || (n >= PART_LEAST && 2 * n > form.n) ? n : 0;
}

/* Octets at the front of `text` that must not be shown. `fresh`: what is before it is no part of a base64 run. */
static size_t hidden_front(const struct buf forms[FORMS], struct slice text, bool fresh)
{
    size_t run = 0, hidden = 0;
    for (size_t i = SHIFTS; i < FORMS && !hidden; i++)
        hidden = begins_like(text, buf_slice(&forms[i]));
    while (!hidden && fresh && run < text.n && is_base64(text.p[run]))
        run++;
    for (size_t i = 0; i < SHIFTS && run && !hidden; i++) {
        struct slice part = slice_sub(buf_slice(&forms[i]), 0, PART_BASE64);
        if (part.n && slice_search(slice_sub(text, 0, run), part) != SLICE_NPOS)
            hidden = run;
    }
    return hidden;
}

struct slice reply_without_secret(const struct secret *secret, struct arena *arena, struct slice text)
{
    struct slice s = secret ? secret_reveal(secret) : SLICE_EMPTY;
    struct buf forms[FORMS], clean CLEANUP_BUF = BUF_INIT(2 * text.n + 8);
    bool fresh = true;
    if (s.n < SECRET_LEAST)
        return text;
    make_forms(forms, s);
    while (text.n) {
        size_t hidden = hidden_front(forms, text, fresh);
        if (hidden)
            buf_put(&clean, S("[...]"));
        else
            buf_put_char(&clean, text.p[0]);
        fresh = hidden || !is_base64(text.p[0]);
        text = slice_from(text, hidden ? hidden : 1);
    }
    for (size_t i = 0; i < FORMS; i++)
        buf_wipe(&forms[i]);
    return arena_copy(arena, buf_slice(&clean));
}

struct observation *
reply_note(const struct visit *v, enum tone tone, struct slice text, enum observed otherwise)
{
    struct explanation x;
    struct notes *n = v->notes;
    const struct secret *secret = v->wishes->secret;
    explain_reply(
        n->knowledge, text, service_where(v->server->endpoint.service), v->whole ? v->whole->provider : NULL,
        &x);
    if (!x.count || x.findings[0].sure == SURE_LOW)
        return notes_observed(n, tone, otherwise, PROOF_REPLY, reply_without_secret(secret, &n->arena, text));
    x.findings[0].proof = reply_without_secret(secret, &n->arena, x.findings[0].proof);
    return notes_explained(n, tone, &x);
}

void reply_note_break(const struct visit *v, enum err e, struct slice last)
{
    static const struct {
        enum err e;
        enum observed what;
    } rows[] = {
        {ERR_TIMEOUT, OBSERVED_AFTER_SILENT},
        {ERR_CLOSED, OBSERVED_AFTER_CLOSED},
        {ERR_LIMIT, OBSERVED_AFTER_FLOOD},
    };
    enum observed what = OBSERVED_AFTER_NONSENSE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].e == e)
            what = rows[i].what;
    if (last.n && e != ERR_TIMEOUT && e != ERR_LIMIT)
        reply_note(v, TONE_FAULT, last, what);
    else
        notes_measured(v->notes, TONE_FAULT, what, PROOF_MEASURED, wording_error(e));
}

#include "doctor/mask.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/random.h"

/* Of the secret: so many octets are worth hiding. Of a form: so many of its first octets give it away, if they are more than half of
 * it; and so many signs of a run of base64. */
enum { SECRET_LEAST = 4, PART_LEAST = 6, PART_BASE64 = 8, SHIFTS = 3, FORMS_MAX = 4 + SHIFTS };
/* The most octets that one octet of a form is made of, and what base64 adds. */
enum { WIDEST = 3, PADDING = 8, GLANCE = 4 };

/* One way to write the secret. */
struct form {
    uint16_t glance;         /* of the first GLANCE octets: most texts need no hash */
    size_t part, whole;      /* octets that give it away, and of all of it */
    struct hash begins, all; /* of both */
    bool base64;             /* stands somewhere in a run of it, all of which is hidden */
};
struct mask {
    struct form forms[FORMS_MAX];
    size_t count;
    uint8_t key[HASH_LEN];
    uint64_t odd; /* the glance's own key */
    bool started;
    pthread_mutex_t lock; /* for `said` */
    uint64_t said[LIMIT_DOCTOR_SAID];
    size_t said_count;
};

/* ------------------------------------------------------------------------------------------------------- looking */

static void fold(const char *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = ascii_lower(p[i]);
}

static uint16_t glance_at(const struct mask *m, const char *p)
{
    char folded[GLANCE];
    uint32_t word;
    fold(p, GLANCE, folded);
    memcpy(&word, folded, sizeof word);
    return (uint16_t)((word * m->odd) >> 48);
}

static struct hash hash_folded(const struct mask *m, const char *p, size_t n)
{
    const struct secret key = {.bytes = (unsigned char *)(uintptr_t)m->key, .n = sizeof m->key};
    struct hash_state state;
    char some[64];
    hash_start(&state, &key);
    for (size_t done = 0, now; done < n; done += now) {
        now = n - done < sizeof some ? n - done : sizeof some;
        fold(p + done, now, some);
        hash_add(&state, slice_of(some, now));
    }
    secret_wipe(some, sizeof some);
    return hash_end(&state);
}

static bool begins_with(const struct mask *m, struct slice text, size_t n, const struct hash *like)
{
    if (text.n < n)
        return false;
    struct hash hash = hash_folded(m, text.p, n);
    return memcmp(hash.b, like->b, sizeof hash.b) == 0;
}

/* Octets at the front of the text that are the secret, if it begins there; else 0. Where it was cut, nobody knows how far it goes. */
static size_t hidden_front(const struct mask *m, struct slice text, bool base64)
{
    size_t all = 0, cut = 0;
    uint16_t glance = text.n < GLANCE ? 0 : glance_at(m, text.p);
    for (size_t i = 0; i < m->count && text.n >= GLANCE; i++) {
        const struct form *f = &m->forms[i];
        if (f->base64 != base64 || f->glance != glance || !begins_with(m, text, f->part, &f->begins))
            continue;
        if (begins_with(m, text, f->whole, &f->all))
            all = f->whole > all ? f->whole : all;
        else
            cut = f->whole > cut ? f->whole : cut;
    }
    size_t hidden = all ? all : cut;
    return hidden < text.n ? hidden : text.n;
}

static bool is_base64(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/' || c == '=';
}

/* The length of the run of base64 at the front of the text, if it holds the secret; else 0. */
static size_t hidden_run(const struct mask *m, struct slice text)
{
    size_t run = 0;
    while (run < text.n && is_base64(text.p[run]))
        run++;
    for (size_t i = 0; i < run; i++)
        if (hidden_front(m, slice_sub(text, i, run - i), true))
            return run;
    return 0;
}

/* Where the next hole in the text is, from `from` on; false: there is none. */
static bool find_hole(const struct mask *m, struct slice text, size_t from, size_t *ret_at, size_t *ret_end)
{
    size_t end = 0;
    for (size_t i = from; i < text.n && (!end || i < end); i++) {
        struct slice rest = slice_from(text, i);
        bool fresh = i == 0 || !is_base64(text.p[i - 1]);
        size_t hidden = hidden_front(m, rest, false), run = fresh ? hidden_run(m, rest) : 0;
        hidden = run > hidden ? run : hidden;
        if (!hidden)
            continue;
        if (!end)
            *ret_at = i;
        end = i + hidden > end ? i + hidden : end;
    }
    *ret_end = end;
    return end;
}

/* ----------------------------------------------------------------------------------------------------- the forms */

static void add_form(struct mask *m, struct slice form, bool base64)
{
    size_t half = form.n / 2 + 1;
    size_t part = base64 ? PART_BASE64 : half < PART_LEAST ? PART_LEAST : half;
    part = part < form.n ? part : form.n;
    struct form f = {
        .glance = glance_at(m, form.p),
        .part = part,
        .whole = form.n,
        .begins = hash_folded(m, form.p, part),
        .all = hash_folded(m, form.p, form.n),
        .base64 = base64};
    for (size_t i = 0; i < m->count; i++)
        if (m->forms[i].base64 == base64 && memcmp(m->forms[i].all.b, f.all.b, sizeof f.all.b) == 0)
            return;
    assert(m->count < FORMS_MAX);
    m->forms[m->count++] = f;
}

static void put_plain(struct buf *out, struct slice secret)
{
    buf_put(out, secret);
}

static void put_quoted(struct buf *out, struct slice secret)
{
    for (size_t i = 0; i < secret.n; i++) {
        if (secret.p[i] == '"' || secret.p[i] == '\\')
            buf_put_char(out, '\\');
        buf_put_char(out, secret.p[i]);
    }
}

/* RFC 3986 section 2.3. */
static void put_percent(struct buf *out, struct slice secret)
{
    for (size_t i = 0; i < secret.n; i++)
        if (ascii_is_alpha(secret.p[i]) || ascii_is_digit(secret.p[i]) || slice_has(S("-._~"), secret.p[i])) {
            buf_put_char(out, secret.p[i]);
        } else {
            buf_put_char(out, '%');
            hex_put(out, slice_sub(secret, i, 1));
        }
}

/* The part of the base64 of (`shift` octets, secret, whatever) that does not depend on what stands around the secret. */
static struct slice put_core(struct buf *out, struct slice secret, size_t shift)
{
    static const size_t front[SHIFTS] = {0, 2, 3}, back[SHIFTS] = {0, 3, 2};
    struct buf octets = BUF_INIT(secret.n + SHIFTS);
    assert(buf_reserve(&octets, secret.n + SHIFTS - 1));
    buf_put(&octets, slice_sub(S("\0\0"), 0, shift));
    buf_put(&octets, secret);
    base64_put(out, buf_slice(&octets));
    size_t behind = back[octets.n % 3];
    buf_wipe(&octets);
    return slice_sub(buf_slice(out), front[shift], out->n - front[shift] - behind);
}

/* Each form for a moment, in a buffer that does not grow: one that grows leaves copies behind. */
static void add_forms(struct mask *m, struct slice secret)
{
    static void (*const puts[])(struct buf * out, struct slice secret) = {
        put_plain, put_quoted, put_percent, hex_put};
    struct buf form = BUF_INIT(WIDEST * secret.n + PADDING);
    assert(buf_reserve(&form, WIDEST * secret.n + PADDING - 1));
    for (size_t i = 0; i < sizeof puts / sizeof *puts; i++) {
        buf_clear(&form);
        puts[i](&form, secret);
        add_form(m, buf_slice(&form), false);
    }
    for (size_t shift = 0; shift < SHIFTS; shift++) {
        buf_clear(&form);
        add_form(m, put_core(&form, secret, shift), true);
    }
    assert(buf_check(&form) == OK);
    buf_wipe(&form);
}

struct mask *mask_new(struct slice secret)
{
    struct mask *m = NEW(struct mask);
    random_bytes(m->key, sizeof m->key);
    m->odd = random_id64() | 1;
    assert(pthread_mutex_init(&m->lock, NULL) == 0);
    if (secret.n >= SECRET_LEAST)
        add_forms(m, secret);
    return m;
}

void mask_free(struct mask **m)
{
    if (!*m)
        return;
    pthread_mutex_destroy(&(*m)->lock);
    secret_wipe(*m, sizeof **m);
    mem_free(m);
}

/* ---------------------------------------------------------------------------------------------- what was said before */

static uint64_t name_of(const struct mask *m, struct slice text)
{
    const struct secret key = {.bytes = (unsigned char *)(uintptr_t)m->key, .n = sizeof m->key};
    struct hash hash = hash_of(&key, text);
    uint64_t name;
    memcpy(&name, hash.b, sizeof name);
    return name;
}

static bool was_said(struct mask *m, struct slice text)
{
    uint64_t name = name_of(m, text);
    bool found = false;
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->said_count && !found; i++)
        found = m->said[i] == name;
    pthread_mutex_unlock(&m->lock);
    return found;
}

void mask_start(struct mask *m)
{
    if (m)
        m->started = true;
}

/* Only a text that would be hidden is worth remembering. */
void mask_allow(struct mask *m, struct slice text)
{
    size_t at, end;
    if (!m || !find_hole(m, text, 0, &at, &end) || was_said(m, text))
        return;
    pthread_mutex_lock(&m->lock);
    if (m->said_count < LIMIT_DOCTOR_SAID)
        m->said[m->said_count++] = name_of(m, text);
    pthread_mutex_unlock(&m->lock);
}

bool mask_is_clean(struct mask *m, struct slice text)
{
    size_t at, end;
    return !m || !m->started || !find_hole(m, text, 0, &at, &end) || was_said(m, text);
}

struct slice mask_text(struct mask *m, struct arena *arena, struct slice text)
{
    struct buf clean CLEANUP_BUF = BUF_INIT(2 * text.n + PADDING);
    size_t from = 0, at, end;
    if (m && !m->started)
        mask_allow(m, text);
    if (mask_is_clean(m, text))
        return text;
    while (find_hole(m, text, from, &at, &end)) {
        buf_put(&clean, slice_sub(text, from, at - from));
        buf_put(&clean, S("[...]"));
        from = end;
    }
    buf_put(&clean, slice_from(text, from));
    return arena_copy(arena, buf_slice(&clean));
}

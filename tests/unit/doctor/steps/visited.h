/* visited.h - a visit to a server that follows a script (script.h), with a secret: for tests of the doctor's dialogues. */
#ifndef TESTS_DOCTOR_VISITED_H
#define TESTS_DOCTOR_VISITED_H

#include "script.h"
#include "test.h"

#include "crypto/random.h"
#include "doctor/steps/dialogue.h"

/* The octets of the secret stand in the program's read-only data and in the slab, nowhere else. */
#define VISITED_SECRET "Winter \"is\\ coming 2026"

struct visited {
    struct knowledge *k;
    struct secret_slab *slab;
    struct secret secret;
    struct mask *mask;
    struct examination x;
    struct wishes wishes;
    struct visit visit;
    struct script script;
    struct talk *talk;
    struct arena arena;
};

/* An array of rows, as visited_init takes it. */
#define ROWS(rows) (rows), sizeof(rows) / sizeof *(rows)

static inline void
visited_init(struct visited *w, enum service service, const struct script_row *rows, size_t count)
{
    struct endpoint e = {.service = service, .host = S("mail.test"), .port = 1, .security = SECURITY_TLS};
    w->k = knowledge_built_in();
    w->slab = secret_slab_new(65536);
    assert_ok(secret_copy(w->slab, S(VISITED_SECRET), &w->secret));
    examination_init(&w->x, w->k);
    w->x.general.mask = w->mask = mask_new(S(VISITED_SECRET));
    mask_start(w->mask);
    w->wishes = (struct wishes){.address = S("alice@example.org"), .secret = &w->secret, .patience_ms = 1000};
    struct checked *c = examination_add(&w->x, &e);
    c->notes.step = STEP_AFTER;
    w->visit = (struct visit){.wishes = &w->wishes, .whole = &w->x, .server = c, .notes = &c->notes};
    script_init(&w->script, rows, count);
    w->talk = talk_over(&w->script.transport);
    arena_init(&w->arena, 2 * LIMIT_DOCTOR_TALK);
}

static inline void visited_done(struct visited *w)
{
    talk_close(&w->talk);
    script_done(&w->script);
    arena_done(&w->arena);
    examination_done(&w->x);
    mask_free(&w->mask);
    secret_free(&w->secret);
    secret_slab_free(&w->slab);
    knowledge_free(&w->k);
}

static inline struct slice visited_heard(const struct visited *w)
{
    return buf_slice(&w->script.heard);
}

/* The id of the i-th diagnosis that was noted; empty when there are fewer. */
static inline struct slice visited_diagnosis(const struct visited *w, size_t i)
{
    const struct notes *n = w->visit.notes;
    for (size_t row = 0; row < n->count; row++)
        if (n->rows[row].diagnosis && i-- == 0)
            return n->rows[row].diagnosis->id;
    return SLICE_EMPTY;
}

static inline bool visited_has_fact(const struct visited *w, enum fact fact, struct slice first)
{
    const struct notes *n = w->visit.notes;
    for (size_t row = 0; row < n->count; row++)
        if (!n->rows[row].diagnosis && n->rows[row].fact == fact && slice_eq(n->rows[row].args[0], first))
            return true;
    return false;
}

/* No text of any note holds the secret. */
static inline bool visited_is_discreet(const struct visited *w)
{
    const struct notes *n = w->visit.notes;
    for (size_t row = 0; row < n->count; row++) {
        if (slice_search(n->rows[row].proof, S(VISITED_SECRET)) != SLICE_NPOS)
            return false;
        for (int a = 0; a < 3; a++)
            if (slice_search(n->rows[row].args[a], S(VISITED_SECRET)) != SLICE_NPOS)
                return false;
    }
    return true;
}

/* Sanitizers keep a heap of another kind, in which nothing is found: such a run proves nothing. A test that looks at the heap stands
 * first in its group: what a scripted server has heard is not wiped. */
static inline void visited_skip_without_heap(void)
{
#ifdef SANITIZED
    skip();
#endif
}

/* Does the program's heap hold these octets anywhere, in use or freed? */
static inline bool visited_heap_has(const char *octets)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512], *from = NULL, *to = NULL;
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "[heap]"))
            assert_int_equal(sscanf(line, "%p-%p", (void **)&from, (void **)&to), 2);
    fclose(maps);
    assert_non_null(from);
    return memmem(from, (size_t)(to - from), octets, strlen(octets)) != NULL;
}

/* The secret as it is, as a quoted string of IMAP, and in the base64 of LOGIN and (as alice) of PLAIN. Literals: none of these
 * may be made here, where they would be found. */
static inline bool visited_heap_has_secret(void)
{
    return visited_heap_has(VISITED_SECRET) || visited_heap_has("Winter \\\"is\\\\ coming 2026") ||
           visited_heap_has("V2ludGVyICJpc1wgY29taW5nIDIwMjY=") ||
           visited_heap_has("AGFsaWNlAFdpbnRlciAiaXNcIGNvbWluZyAyMDI2");
}

#endif

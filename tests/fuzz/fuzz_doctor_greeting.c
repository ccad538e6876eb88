/* The step of the greeting, what a greeting tells by its words, and what the mask leaves of a reply: whatever the server says. */
#include <assert.h>
#include <stdint.h>

#include "../unit/doctor/steps/script.h"
#include "crypto/random.h"
#include "doctor/steps/greeting.h"
#include "doctor/steps/greeting_words.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct knowledge *knowledge;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    knowledge = knowledge_built_in();
    return 0;
}

/* The secret is the front of the octets, so that the fuzzer can make the reply hold it. */
static void fuzz_mask(struct slice input)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    struct slice secret = slice_sub(input, 0, 24), text = slice_from(input, secret.n);
    if (secret.n < 4)
        return;
    struct mask *mask = mask_new(secret);
    assert(slice_eq(mask_text(mask, &arena, slice_sub(text, 0, text.n / 2)), slice_sub(text, 0, text.n / 2)));
    mask_start(mask);
    struct slice clean = mask_text(mask, &arena, text);
    assert(mask_is_clean(mask, text) == (clean.p == text.p));
    /* "[...]" beside what is left could spell a secret that is made of its signs; all others are gone */
    if (!slice_has(secret, '.') && !slice_has(secret, '[') && !slice_has(secret, ']'))
        assert(slice_search(clean, secret) == SLICE_NPOS);
    mask_free(&mask);
}

/* As far as the server lets it come. */
static enum err open_over(const struct dialogue *d, struct opening *o, struct arena *arena)
{
    o->at = OPENING_GREETING;
    TRY(d->greet(o->talk, arena, &o->greeting));
    if (o->greeting.kind != REPLY_YES)
        return ERR_DENIED;
    o->at = OPENING_QUESTION;
    TRY(d->ask(o->talk, arena, &o->offer));
    o->at = OPENING_DONE;
    return OK;
}

static void fuzz_step(enum service service, struct slice input)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(2 * LIMIT_DOCTOR_TALK);
    struct wishes wishes = {.patience_ms = 1000};
    struct checked c = {.endpoint = {.service = service, .security = SECURITY_TLS}};
    struct visit v = {.wishes = &wishes, .server = &c, .notes = &c.notes};
    struct script script;
    notes_init(&c.notes, knowledge);
    script_init(&script, NULL, 0);
    buf_put(&script.says, input);
    struct opening o = {
        .talk = talk_over(&script.transport), .first = slice_sub(input, 0, LIMIT_DOCTOR_PROOF)};
    enum err e = open_over(dialogue_of(service), &o, &arena);
    greeting_note(&v, &o, e);
    assert(c.notes.count > 0 && (e == OK || !c.standing.greeted));
    talk_close(&o.talk);
    script_done(&script);
    notes_done(&c.notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct slice input = slice_of(data, n);
    int64_t at;
    enum greets greets = greets_of(input);
    assert(greets < GREETS_N && (greets == GREETS_NOTHING) == (n == 0));
    assert(greets_observed(greets) < OBSERVED_N);
    IGNORE(greeting_time(input, &at), "any answer is right");
    greeting_software(input);
    if (n)
        fuzz_step((enum service)(data[0] % SERVICE_N), slice_from(input, 1));
    fuzz_mask(slice_sub(input, 0, LIMIT_DOCTOR_LINE));
    return 0;
}

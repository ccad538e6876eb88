/* The step of the greeting, what a greeting tells by its words, and a reply without the secret: whatever the server says. */
#include <assert.h>
#include <stdint.h>

#include "../unit/doctor/steps/script.h"
#include "crypto/random.h"
#include "doctor/steps/greeting.h"
#include "doctor/steps/greeting_words.h"
#include "doctor/steps/reply_note.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct secret_slab *slab;
static struct knowledge *knowledge;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    slab = secret_slab_new(65536);
    knowledge = knowledge_built_in();
    return 0;
}

/* The secret is the front of the octets, so that the fuzzer can make the reply hold it. */
static void fuzz_secret(struct slice input)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(LIMIT_DOCTOR_TALK);
    struct secret secret;
    size_t n = input.n < 24 ? input.n : 24;
    if (n < 4 || secret_copy(slab, slice_sub(input, 0, n), &secret) != OK)
        return;
    struct slice clean = reply_without_secret(&secret, &arena, slice_from(input, n));
    /* "[...]" beside what is left could spell a secret that is made of its signs; all others are gone */
    if (!slice_has(slice_sub(input, 0, n), '.') && !slice_has(slice_sub(input, 0, n), '[') &&
        !slice_has(slice_sub(input, 0, n), ']'))
        assert(slice_search(clean, secret_reveal(&secret)) == SLICE_NPOS);
    secret_free(&secret);
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
    fuzz_secret(slice_sub(input, 0, LIMIT_DOCTOR_LINE));
    return 0;
}

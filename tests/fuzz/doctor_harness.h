/* doctor_harness.h - a whole dialogue of the doctor with a server that says the fuzzer's octets.
 *
 * The first octet chooses how the octets are cut and whether STARTTLS is asked for, the second the mechanism, the rest is what the server
 * says. However it ends: what was sent is well-formed lines without anything that the server could have put there, and the
 * secret stands in no note. Who includes this calls doctor_fuzz with its service.
 */
#ifndef FUZZ_DOCTOR_HARNESS_H
#define FUZZ_DOCTOR_HARNESS_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "../unit/doctor/steps/script.h"
#include "crypto/random.h"
#include "doctor/steps/dialogue.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HARNESS_SECRET "correct-Horse\"7\\"
enum { HARNESS_SLOW = 1, HARNESS_STARTTLS = 2, HARNESS_SEND_TEST = 4 };

static struct knowledge *harness_knowledge;
static struct secret_slab *harness_slab;
static struct secret harness_secret;
static struct mask *harness_mask;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    crypto_init();
    harness_knowledge = knowledge_built_in();
    harness_slab = secret_slab_new(65536);
    assert(secret_copy(harness_slab, S(HARNESS_SECRET), &harness_secret) == OK);
    harness_mask = mask_new(S(HARNESS_SECRET));
    mask_start(harness_mask);
    return 0;
}

/* Everything that a dialogue has, in its order, as far as the server lets it. */
static void harness_speak(struct visit *v, struct talk *t, unsigned mode, unsigned which, struct arena *arena)
{
    const struct dialogue *d = dialogue_of(v->server->endpoint.service);
    struct reply reply;
    struct offer offer = {.asked = false};
    struct slice why = SLICE_EMPTY;
    size_t count;
    const struct sasl_mechanism *rows = sasl_mechanisms(&count);
    struct credentials who = {
        .user = S("alice@example.org"),
        .secret = &harness_secret,
        .mechanism = which < count ? &rows[which] : NULL,
        .exporter = S("0123456789abcdef0123456789abcdef")};
    if (d->greet(t, arena, &reply) != OK || d->ask(t, arena, &offer) != OK)
        return;
    if (mode & HARNESS_STARTTLS && (d->start_tls(t, arena, &reply) != OK || reply.kind == REPLY_YES))
        return;
    if (who.mechanism && who.mechanism->flags & SASL_NEEDS_CERTIFICATE)
        return;
    enum err e = d->sign_in(t, arena, &offer, &who, &reply, &why);
    if (e == OK && reply.kind == REPLY_YES) {
        assert(
            !who.mechanism || !strstr(who.mechanism->name, "SCRAM")); /* the octets cannot know our nonce */
        d->use(v, t, &offer);
    }
    d->leave(t);
}

static void harness_check_notes(const struct notes *n)
{
    struct slice secret = S(HARNESS_SECRET);
    for (size_t i = 0; i < n->count; i++) {
        assert(n->rows[i].proof.n <= LIMIT_DOCTOR_PROOF);
        assert(slice_search(n->rows[i].proof, secret) == SLICE_NPOS);
        for (int a = 0; a < 3; a++)
            assert(slice_search(n->rows[i].args[a], secret) == SLICE_NPOS);
    }
}

/* CR and LF only as the ends of lines. */
static void harness_check_lines(struct slice heard)
{
    for (size_t i = 0; i < heard.n; i++)
        if (heard.p[i] == '\r')
            assert(i + 1 == heard.n || heard.p[i + 1] == '\n');
        else if (heard.p[i] == '\n')
            assert(i > 0 && heard.p[i - 1] == '\r');
}

static int doctor_fuzz(enum service service, const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    struct script script;
    struct arena arena CLEANUP_ARENA = ARENA_INIT(2 * LIMIT_DOCTOR_TALK);
    struct examination x;
    struct wishes wishes = {
        .address = S("alice@example.org"),
        .secret = &harness_secret,
        .patience_ms = 1000,
        .send_test = data[0] & HARNESS_SEND_TEST};
    struct endpoint e = {.service = service, .host = S("mail.example.org"), .port = 993};
    examination_init(&x, harness_knowledge);
    x.general.mask = harness_mask;
    x.address = wishes.address;
    x.domain = S("example.org");
    struct checked *c = examination_add(&x, &e);
    struct visit v = {.wishes = &wishes, .whole = &x, .server = c, .notes = &c->notes};
    c->notes.step = STEP_AFTER;
    script_init(&script, NULL, 0);
    script.step = data[0] & HARNESS_SLOW ? 1 : 0;
    buf_put(&script.says, slice_of(data + 2, n - 2));
    struct talk *t = talk_over(&script.transport);
    harness_speak(&v, t, data[0], data[1] % 9, &arena);
    talk_close(&t);
    harness_check_notes(&c->notes);
    harness_check_lines(buf_slice(&script.heard));
    script_done(&script);
    examination_done(&x);
    return 0;
}

#endif

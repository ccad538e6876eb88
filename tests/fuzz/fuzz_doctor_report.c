/* Whatever strangers said, the report is plain HTML that we wrote. The octets are parted at NULs; the parts become host, address,
 * facts, proofs and fields of a certificate of an examination, the first octet says which tones and conditions they have. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "../unit/html_scan.h"
#include "doctor/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice next(struct slice *rest)
{
    struct slice part = SLICE_EMPTY;
    slice_cut(rest, '\0', &part);
    return part;
}

static void fill(struct examination *x, uint8_t kind, struct slice rest)
{
    x->address = next(&rest);
    x->has_secret = kind & 1;
    for (int i = 0; i < 3; i++) {
        struct endpoint e = {
            .service = (enum service)(i % SERVICE_N),
            .host = next(&rest),
            .port = (uint16_t)(kind + i),
            .source = (enum source)(kind % SOURCE_N)};
        struct checked *c = examination_add(x, &e);
        if (!c)
            continue;
        c->standing = (struct standing){
            .connected = true, .encrypted = kind & 2, .greeted = kind & 4, .tried = kind & 8};
        c->tls.shaken = kind & 16;
        c->tls.issuer = c->tls.key = next(&rest);
        c->tls.suite = c->tls.signature = next(&rest);
        for (int step = 0; step < STEP_N; step++) {
            c->notes.step = (enum step)step;
            struct slice one = next(&rest), two = next(&rest);
            notes_fact(&c->notes, (enum tone)((kind + step) % TONE_N), FACT_GREETING, one, two, one);
            notes_fact(&c->notes, TONE_GOOD, FACT_MECHANISMS, two, one, two);
            notes_observed(
                &c->notes, (enum tone)((kind + i + step) % TONE_N),
                (enum observed)(((size_t)kind * 7 + (size_t)step) % OBSERVED_N),
                (enum proof_kind)(step % PROOF_N), one);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct knowledge *built_in;
    static struct examination x;
    if (size < 1 || size > 20000)
        return 0;
    if (!built_in)
        built_in = knowledge_built_in();
    examination_init(&x, built_in);
    fill(&x, data[0], slice_of(data + 1, size - 1));
    struct verdict v;
    struct grading g;
    verdict_init(&v, &x);
    grading_init(&g, &x);
    struct buf out = BUF_INIT(LIMIT_DOCTOR_REPORT);
    const struct report r = {
        .examination = &x,
        .verdict = &v,
        .grading = &g,
        .lang = data[0] & 32 ? LANG_ZH : LANG_EN,
        .when = x.address,
        .program = x.address};
    report_put(&r, &out);
    assert(buf_check(&out) == OK && html_is_strict(buf_slice(&out)));
    buf_done(&out);
    grading_done(&g);
    verdict_done(&v);
    examination_done(&x);
    return 0;
}

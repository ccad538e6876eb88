/* An error text, and a file of knowledge, of strangers: up to the first NUL the file, behind it the text. Whatever they hold
 * ends in findings whose proof lies in the text, or in a fault at a line. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "doctor/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct explanation *x, struct slice text)
{
    assert(x->count <= EXPLAIN_FINDINGS);
    for (size_t i = 0; i < x->count; i++) {
        const struct finding *f = &x->findings[i];
        assert(f->proof.p >= text.p && f->proof.p + f->proof.n <= text.p + text.n);
        assert(i == 0 || f->score <= x->findings[i - 1].score);
        assert(!f->diagnosis->replaced && f->sure <= f->diagnosis->sure);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct knowledge *built_in;
    struct slice text = slice_of(data, size), file;
    struct knowledge_trouble trouble = {0};
    struct explanation x;
    if (size > 20000)
        return 0;
    if (!built_in)
        built_in = knowledge_built_in();
    slice_cut(&text, '\0', &file);
    explain(built_in, file, &x);
    check(&x, file);
    if (!text.p)
        return 0;
    explain(built_in, text, &x);
    check(&x, text);
    struct knowledge *k = knowledge_new();
    if (knowledge_read(k, file, &trouble) == OK) {
        explain(k, text, &x);
        check(&x, text);
    } else {
        assert(trouble.line <= file.n + 1 && trouble.says.in[LANG_EN]);
    }
    knowledge_free(&k);
    return 0;
}

/* What a POP3 server says: replies, lists up to their ceilings, capabilities, numbers. Everything shown points into what came. */
#include <stdlib.h>

#include "base/line.h"
#include "pop3/wire/answer.h"
#include "pop3/wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct slice part, struct slice whole)
{
    if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
        abort();
}

static void fuzz_lines(struct slice input)
{
    struct pop3_lines l = {.most_lines = 20, .most_octets = 200};
    struct line line;
    while (line_find(input, 512, &line) == OK) {
        struct slice content, word;
        uint32_t number = 0;
        uint64_t octets;
        enum err e = pop3_lines_feed(&l, line.text, &content);
        if (e != ERR_AGAIN)
            break;
        inside(content, line.text);
        if (l.lines > 20 || l.octets > 200)
            abort();
        if (pop3_listing_parse(content, &number, &word) == OK && (number == 0 || word.n == 0))
            abort();
        IGNORE(pop3_stat_parse(content, &number, &octets), "any answer is right");
        input = slice_from(input, line.used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of(data, size);
    struct pop3_capa capa;
    pop3_capa_read(input, &capa);
    for (size_t i = 0; i < capa.word_n; i++) {
        inside(capa.words[i], input);
        if (capa.words[i].n == 0 || slice_has(capa.words[i], ' ') || slice_has(capa.words[i], '\n'))
            abort();
    }
    inside(capa.implementation, input);
    inside(capa.expire, input);
    fuzz_lines(input);
    return 0;
}

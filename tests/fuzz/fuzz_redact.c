/* Any message under any rules: the first two octets choose what may be seen and the language. Then the same rules over a row
 * that somebody damaged: an error, or a virtual message inside the original. */
#include <stdlib.h>

#include "redact_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum redact_why judge(void *owner, struct slice type, uint64_t size)
{
    uint8_t rules = *(const uint8_t *)owner;
    if (rules & 1 && size > rules)
        return REDACT_SIZE;
    if (rules & 2 && !slice_starts(type, S("image/")))
        return REDACT_TYPE;
    return rules & 3 ? REDACT_SHOW : REDACT_ANY;
}

static void damaged_row(struct slice row, uint8_t *rules)
{
    struct redact_check c = {.judge = judge, .owner = rules, .octets = BUF_INIT(64 << 20)};
    struct redact_rules r = redact_check_rules(&c);
    struct structure s;
    char *message = NULL;
    redaction_init(&c.r);
    if (structure_open(row, &s) == OK && s.size < 65536) {
        message = calloc(1, s.size + 1);
        c.message = slice_of(message, s.size);
        if (redact(&c.r, &s, &r) == OK && c.r.is_changed)
            redact_check_read(&c, 100);
    }
    free(message);
    redact_check_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t rules[2];
    if (size < 2)
        return 0;
    memcpy(rules, data, 2);
    struct slice input = slice_of(data + 2, size - 2);
    struct redact_check c = {
        .message = input,
        .judge = judge,
        .owner = rules,
        .language = rules[1] & 1 ? REDACT_CHINESE : REDACT_ENGLISH};
    redact_check(&c);
    redact_check_done(&c);
    damaged_row(input, rules);
    return 0;
}

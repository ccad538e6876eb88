/* Rows that somebody damaged: an error or an answer, never an octet outside the row or an offset outside the message. */
#include <assert.h>

#include "mail/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct slice row, struct slice s)
{
    return s.n == 0 || (s.p >= row.p && s.p + s.n <= row.p + row.n);
}

static void envelope(struct slice row, struct slice text)
{
    struct structure_envelope e;
    if (structure_envelope_read(text, &e) != OK)
        return;
    for (int i = 0; i < ENVELOPE_FIELDS; i++) {
        assert(inside(row, e.raw[i]));
        struct address_item item;
        while (ENVELOPE_HAS_ADDRESSES(i) && structure_address_next(&e.addresses[i], &item) == OK) {
            assert(item.kind != ADDRESS_MAILBOX || item.local.p);
            assert(
                inside(row, item.name) && inside(row, item.route) && inside(row, item.local) &&
                inside(row, item.domain));
        }
    }
}

static void part(const struct structure *s, struct structure_part *p)
{
    assert(p->header_start <= p->body_start && p->body_start <= p->body_end && p->body_end <= s->size);
    assert(inside(s->row, p->type) && inside(s->row, p->id) && inside(s->row, p->disposition) && p->type.n);
    struct header_param param;
    struct slice language;
    while (structure_param_next(&p->params, &param) == OK)
        assert(inside(s->row, param.name) && inside(s->row, param.value));
    while (structure_param_next(&p->disposition_params, &param) == OK)
        assert(inside(s->row, param.name) && inside(s->row, param.value));
    while (structure_language_next(&p->languages, &language) == OK)
        assert(inside(s->row, language));
    if (p->kind == MIME_MESSAGE)
        envelope(s->row, p->envelope);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct structure s;
    if (structure_open(slice_of(data, size), &s) != OK)
        return 0;
    envelope(s.row, s.envelope);
    struct structure_walk walk;
    struct structure_part p;
    enum structure_event event = STRUCTURE_ENTER;
    unsigned entered = 0, left = 0;
    enum err e = OK;
    structure_walk_start(&walk, &s);
    while (event != STRUCTURE_END && (e = structure_walk_next(&walk, &event, &p)) == OK) {
        entered += event == STRUCTURE_ENTER;
        left += event == STRUCTURE_LEAVE;
        assert(left <= entered && entered <= s.parts);
        if (event == STRUCTURE_ENTER)
            part(&s, &p);
    }
    if (e == OK)
        assert(entered == left && entered == s.parts);
    if (structure_check(&s) == OK)
        assert(e == OK);
    static const struct slice paths[] = {S(""), S("1"), S("2"), S("1.1"), S("2.1.1"), S("1.2.3.4.5.6.7.8.9")};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int want = 0; want < STRUCTURE_WANTS; want++) {
            struct structure_section section;
            if (structure_find_section(&s, paths[i], (enum structure_want)want, &section) == OK)
                assert(section.start <= section.end && section.end <= s.size);
        }
    return 0;
}

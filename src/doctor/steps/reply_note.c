#include "doctor/steps/reply_note.h"

struct observation *
reply_note(const struct visit *v, enum tone tone, struct slice text, enum observed otherwise)
{
    struct explanation x;
    struct notes *n = v->notes;
    explain_reply(
        n->knowledge, text, service_where(v->server->endpoint.service), v->whole ? v->whole->provider : NULL,
        &x);
    if (!x.count || x.findings[0].sure == SURE_LOW)
        return notes_observed(n, tone, otherwise, PROOF_REPLY, text);
    return notes_explained(n, tone, &x);
}

void reply_note_break(const struct visit *v, enum err e, struct slice last)
{
    static const struct {
        enum err e;
        enum observed what;
    } rows[] = {
        {ERR_TIMEOUT, OBSERVED_AFTER_SILENT},
        {ERR_CLOSED, OBSERVED_AFTER_CLOSED},
        {ERR_LIMIT, OBSERVED_AFTER_FLOOD},
    };
    enum observed what = OBSERVED_AFTER_NONSENSE;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].e == e)
            what = rows[i].what;
    if (last.n && e != ERR_TIMEOUT && e != ERR_LIMIT)
        reply_note(v, TONE_FAULT, last, what);
    else
        notes_measured(v->notes, TONE_FAULT, what, PROOF_MEASURED, wording_error(e));
}

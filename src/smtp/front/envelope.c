#include "smtp/front/envelope.h"

void smtp_envelope_init(struct smtp_envelope *e)
{
    *e = (struct smtp_envelope){.memory = ARENA_INIT(LIMIT_SMTP_ENVELOPE)};
    list_init(&e->targets);
}

void smtp_envelope_reset(struct smtp_envelope *e)
{
    arena_done(&e->memory);
    smtp_envelope_init(e);
}

fallible smtp_envelope_add(struct smtp_envelope *e, const struct smtp_target *target)
{
    LIST_EACH (&e->targets, struct smtp_target, link, known) {
        if (account_id_eq(&known->account, &target->account))
            return OK;
    }
    if (e->target_count >= LIMIT_RECIPIENTS)
        return ERR_LIMIT;
    struct smtp_target *t = ARENA_NEW(&e->memory, struct smtp_target);
    if (!t)
        return ERR_LIMIT;
    *t = *target;
    t->address = arena_copy(&e->memory, target->address);
    t->recipient = arena_copy(&e->memory, target->recipient);
    TRY(arena_check(&e->memory));
    list_add(&e->targets, &t->link);
    e->target_count++;
    return OK;
}

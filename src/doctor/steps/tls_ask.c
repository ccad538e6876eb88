/* Probes on connections of their own: what else would the server agree to? */

#include "base/clock.h"
#include "doctor/steps/tls.h"
#include "doctor/steps/tls_parts.h"
#include "doctor/steps/tls_probes.h"

/* To where the next octet is TLS. */
static fallible open_for_probe(struct looking *l, struct talk **ret_talk)
{
    uint64_t most = looking_least(l->v->wishes->patience_ms / 4, LIMIT_DOCTOR_PROBE_WAIT);
    struct reply answer = {.kind = REPLY_YES};
    struct talk *t = NULL;
    TRY(looking_open(l, looking_least(most, looking_left(l->probes_until_ms)), &t));
    enum err e = OK;
    if (looking_endpoint(l)->security == SECURITY_STARTTLS) {
        e = looking_ask_in_clear(l, t);
        if (e == OK)
            e = l->dialogue->start_tls(t, &l->arena, &answer);
    }
    if (e == OK && answer.kind == REPLY_YES)
        *ret_talk = t;
    else
        talk_close(&t);
    return e == OK && answer.kind != REPLY_YES ? ERR_DENIED : e;
}

static fallible read_answer(struct talk *t, bool exchange, struct buf *got, struct probe_answer *ret_answer)
{
    for (;;) {
        struct slice octets;
        enum err e = probe_read(buf_slice(got), exchange, ret_answer);
        if (e != ERR_AGAIN)
            return e;
        TRY(talk_wait(t, talk_left_ms(t)));
        TRY(talk_octets(t, talk_input(t).n, &octets));
        buf_put(got, octets);
        TRY(buf_check(got));
    }
}

static fallible
on_question(void *owner, const struct probe_ask *ask, bool exchange, struct probe_answer *ret_answer)
{
    struct looking *l = owner;
    struct buf hello CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_HELLO),
                     got CLEANUP_BUF = BUF_INIT(LIMIT_PROBE_ANSWER);
    struct talk *t = NULL;
    if (!looking_left(l->probes_until_ms))
        return ERR_TIMEOUT;
    probe_put(ask, &hello);
    TRY(buf_check(&hello));
    enum err e = open_for_probe(l, &t);
    if (e != OK)
        return e == ERR_CLOSED ? ERR_UNAVAILABLE : e; /* before the hello it says nothing of it */
    e = talk_put(t, buf_slice(&hello));
    if (e == OK)
        e = read_answer(t, exchange, &got, ret_answer);
    /* It agreed, but what should follow did not come. */
    if (e != OK && exchange && probe_read(buf_slice(&got), false, ret_answer) == OK)
        e = OK;
    talk_close(&t);
    return e == ERR_IO ? ERR_CLOSED : e;
}

void looking_probe(struct looking *l, bool works)
{
    struct ip ip;
    struct slice host = looking_endpoint(l)->host;
    l->probes_until_ms =
        clock_mono_ms() + looking_least(l->v->wishes->patience_ms / 2, looking_left(l->until_ms));
    tls_probes_run(&l->v->server->tls, ip_parse(host, &ip) == OK ? SLICE_EMPTY : host, on_question, l);
    tls_note_probes(l->v, works);
}

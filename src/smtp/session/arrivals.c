#include "smtp/session/arrivals.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "smtp/session/notice.h"
#include "smtp/session/private.h"

/* ---- from gates ---- */

static struct arrival *find(const struct arrivals *a, const struct channel *gate, uint64_t id)
{
    LIST_EACH ((struct list *)&a->arriving, struct arrival, link, arrival) {
        if (arrival->gate == gate && arrival->id == id)
            return arrival;
    }
    return NULL;
}

static void answer_unknown(struct channel *from, uint64_t request)
{
    struct ipc_msg no = {.type = MSG_ARRIVE_RESULT, .u.arrive_result = {.outcome = ARRIVE_OUTCOME_LATER}};
    IGNORE(channel_answer(from, request, &no), "a gate that is gone tells its client nothing");
}

static void on_begin(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    const struct msg_arrive_begin *b = &m->u.arrive_begin;
    bool fine = !a->env->stopping && (b->service == SERVICE_MX || b->service == SERVICE_SUBMISSION) &&
                b->recipients <= LIMIT_RECIPIENTS && !find(a, from, b->arrival) &&
                file_is_stream_socket(m->fds[MSG_ARRIVE_BEGIN_FD_OCTETS]);
    if (fine)
        arrival_new(a, from, m);
    else
        log_event(LOG_WARN, "arrival.refused", LOG_NUM("gate", channel_peer_index(from)));
}

static void on_rcpt(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    struct arrival *arrival = find(a, from, m->u.arrive_rcpt.arrival);
    if (arrival && arrival->state == ARRIVAL_RECEIVING &&
        arrival_add_target(arrival, &m->u.arrive_rcpt) != OK)
        arrival_refuse(arrival, ARRIVE_OUTCOME_LATER, "too many recipients");
}

static void on_end(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    struct arrival *arrival = find(a, from, m->u.arrive_end.arrival);
    if (arrival && !arrival->request)
        arrival_asked(arrival, m->id);
    else
        answer_unknown(from, m->id);
}

static void on_cancel(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    struct arrival *arrival = find(a, from, m->u.arrive_cancel.arrival);
    if (arrival && !arrival->in_transit)
        arrival_end(arrival, ARRIVE_OUTCOME_CANCELLED, "the client went away");
    else if (arrival)
        arrival->gate = NULL;
}

/* ---- from other keepers ---- */

struct inbound {
    struct list link;
    struct channel *keeper; /* NULL once it has gone */
    unsigned index;
    uint64_t request;
    struct deposit *deposit;
};

static void answer_deliver(struct channel *keeper, uint64_t request, enum ipc_deliver_outcome outcome)
{
    struct ipc_msg answer = {.type = MSG_DELIVER_RESULT, .u.deliver_result = {.outcome = outcome}};
    IGNORE(channel_answer(keeper, request, &answer), "the coordinator that died tries again by the same id");
}

static void on_deposited(void *owner, enum ipc_deliver_outcome outcome)
{
    struct inbound *in = owner;
    if (in->keeper)
        answer_deliver(in->keeper, in->request, outcome);
    list_drop(&in->link);
    free(in);
}

static void on_deliver(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    const struct msg_deliver *d = &m->u.deliver;
    struct octets *octets = NULL;
    enum err e =
        keeper_owns(a->env, d->slot) && d->octets_hash.n == HASH_LEN && !a->env->stopping ? OK : ERR_DENIED;
    if (e == OK)
        e = octets_of_fd(TAKE(m->fds[MSG_DELIVER_FD_OCTETS], -1), d->size, &octets);
    if (e != OK) {
        log_event(LOG_WARN, "deliver.refused", LOG_ERR(e), LOG_NUM("keeper", channel_peer_index(from)));
        answer_deliver(from, m->id, DELIVER_OUTCOME_LATER);
        return;
    }
    struct deposit_what what = {
        .account = d->account,
        .delivery = {.id = d->delivery, .unconfirmed = d->unconfirmed},
        .octets = octets,
        .prefix = d->prefix,
        .received_ms = d->received_ms,
        .quota_bytes = d->quota_bytes,
    };
    memcpy(what.delivery.octets.b, d->octets_hash.p, HASH_LEN);
    struct inbound *in = NEW(struct inbound);
    *in = (struct inbound){.keeper = from, .index = channel_peer_index(from), .request = m->id};
    list_add(&a->inbound, &in->link);
    in->deposit = deposit_start(a->env, &what, on_deposited, in);
    octets_unref(&octets);
}

static void on_confirm(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    (void)from;
    const struct msg_deliver_confirm *c = &m->u.deliver_confirm;
    if (keeper_owns(a->env, c->slot))
        deposit_confirm(a->env, &c->account, &c->delivery);
}

/* ---- all ---- */

void arrivals_message(struct arrivals *a, struct channel *from, struct ipc_msg *m)
{
    static const struct {
        enum ipc_type type;
        void (*run)(struct arrivals *a, struct channel *from, struct ipc_msg *m);
    } table[] = {
        {MSG_ARRIVE_BEGIN, on_begin},   {MSG_ARRIVE_RCPT, on_rcpt}, {MSG_ARRIVE_END, on_end},
        {MSG_ARRIVE_CANCEL, on_cancel}, {MSG_DELIVER, on_deliver},  {MSG_DELIVER_CONFIRM, on_confirm},
        {MSG_NOTICE, notice_take},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].type == m->type) {
            table[i].run(a, from, m);
            return;
        }
    }
    log_event(LOG_WARN, "message.unknown", LOG_STR("type", ipc_shape_of(m->type)->name));
}

static void gate_gone(struct arrivals *a, unsigned index)
{
    LIST_EACH (&a->arriving, struct arrival, link, arrival) {
        if (arrival->gate && arrival->gate_index == index) {
            arrival->gate = NULL;
            if (arrival->state == ARRIVAL_RECEIVING)
                arrival_end(arrival, ARRIVE_OUTCOME_CANCELLED, "the gate went away");
        }
    }
}

void arrivals_peer_down(struct arrivals *a, enum ipc_role role, unsigned index)
{
    if (!a)
        return;
    if (role == ROLE_GATE)
        gate_gone(a, index);
    if (role == ROLE_VAULT) {
        notices_vault_down(a);
        LIST_EACH (&a->arriving, struct arrival, link, arrival) {
            arrival->ask_count = 0; /* those requests have been failed already */
        }
    }
    if (role != ROLE_KEEPER)
        return;
    LIST_EACH (&a->arriving, struct arrival, link, arrival) {
        arrival_keeper_gone(arrival, index);
    }
    LIST_EACH (&a->inbound, struct inbound, link, in) {
        if (in->index == index)
            in->keeper = NULL;
    }
    handover_keeper_gone(a, index);
}

fallible arrivals_new(struct keeper_env *env, struct pool *pool, int root, struct arrivals **ret_arrivals)
{
    struct arrivals *a = NEW(struct arrivals);
    a->env = env;
    a->pool = pool;
    a->root = root;
    list_init(&a->arriving);
    list_init(&a->inbound);
    list_init(&a->notices);
    for (unsigned slot = 0; slot < SLOTS; slot++)
        if (keeper_owns(env, (uint8_t)slot))
            octets_sweep(root, (uint8_t)slot);
    handover_start(a);
    *ret_arrivals = a;
    return OK;
}

void arrivals_stop(struct arrivals *a)
{
    LIST_EACH (&a->arriving, struct arrival, link, arrival) {
        if (arrival->state == ARRIVAL_RECEIVING)
            arrival_end(arrival, ARRIVE_OUTCOME_LATER, "the server is stopping");
    }
}

void arrivals_free(struct arrivals **a_ptr)
{
    struct arrivals *a = *a_ptr;
    *a_ptr = NULL;
    if (!a)
        return;
    LIST_EACH (&a->arriving, struct arrival, link, arrival) {
        arrival_free(arrival);
    }
    LIST_EACH (&a->inbound, struct inbound, link, in) {
        deposit_cancel(&in->deposit);
        list_drop(&in->link);
        free(in);
    }
    notices_drop(a);
    handover_stop(a);
    free(a);
}

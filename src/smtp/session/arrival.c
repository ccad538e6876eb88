#include "smtp/session/arrival.h"
#include "keeper/spending.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "keeper/spending.h"
#include "mail/address.h"
#include "mail/message.h"
#include "smtp/session/private.h"

static void receive(struct arrival *a);

/* ---- ending ---- */

void arrival_free(struct arrival *a)
{
    list_drop(&a->link);
    submission_forget(a);
    arrival_forget_targets(a);
    stream_close(&a->stream);
    header_reader_done(&a->head);
    octets_unref(&a->octets);
    grant_done(&a->grant);
    buf_done(&a->recipients);
    arena_done(&a->memory);
    free(a->hashing);
    free(a);
}

static void log_outcome(const struct arrival *a)
{
    char id[ID_HEX_LEN + 1];
    hex_text(slice_of(a->delivery.b, sizeof a->delivery.b), id);
    bool stored = a->outcome == ARRIVE_OUTCOME_STORED;
    log_event(
        stored || a->outcome == ARRIVE_OUTCOME_CANCELLED ? LOG_INFO : LOG_WARN,
        stored ? "message.stored" : "message.refused", LOG_STR("message", id),
        LOG_TEXT("from", a->reverse_path), LOG_NUM("recipients", a->target_count),
        LOG_NUM("size", a->received), LOG_STR("outcome", ipc_arrive_outcome_name(a->outcome)),
        LOG_STR("detail", a->detail));
}

void arrival_end(struct arrival *a, enum ipc_arrive_outcome outcome, const char *detail)
{
    a->outcome = outcome;
    a->detail = detail;
    log_outcome(a);
    if (a->gate && a->request) {
        char id[17];
        hex_text(slice_of(a->delivery.b, 8), id);
        struct ipc_msg answer = {
            .type = MSG_ARRIVE_RESULT,
            .u.arrive_result = {
                .outcome = outcome, .message_id = slice_str(id), .detail = slice_str(detail)}};
        IGNORE(channel_answer(a->gate, a->request, &answer), "a gate that is gone tells its client nothing");
    }
    arrival_free(a);
}

void arrival_refuse(struct arrival *a, enum ipc_arrive_outcome outcome, const char *detail)
{
    if (a->refused)
        return;
    a->refused = true;
    a->outcome = outcome;
    a->detail = detail;
    octets_unref(&a->octets);
}

static void refuse_for(struct arrival *a, enum err e)
{
    arrival_refuse(a, e == ERR_DISK_FULL ? ARRIVE_OUTCOME_DISK_FULL : ARRIVE_OUTCOME_LATER, err_text(e));
}

/* ---- octets ---- */

static void write_head(struct arrival *a)
{
    a->head_written = true;
    enum err e = submission_put_header(a, header_reader_section(&a->head), a->octets);
    if (e == OK)
        e = octets_put(a->octets, header_reader_rest(&a->head));
    if (e != OK)
        refuse_for(a, e);
}

static void take_octets(struct arrival *a, struct slice s)
{
    a->received += s.n;
    if (a->refused)
        return;
    if (a->received > a->all->env->message_limit) {
        arrival_refuse(a, ARRIVE_OUTCOME_TOO_BIG, "larger than message_size");
        return;
    }
    hash_add(a->hashing, s);
    if (!a->head_written) {
        size_t used;
        if (header_reader_feed(&a->head, s, &used) != OK) {
            arrival_refuse(a, ARRIVE_OUTCOME_HEADER, "header over its limits");
            return;
        }
        s = slice_from(s, used);
        if (a->head.done)
            write_head(a);
    }
    enum err e = s.n && !a->refused ? octets_put(a->octets, s) : OK;
    if (e != OK)
        refuse_for(a, e);
}

/* The message names an address of one of its own recipients in Delivered-To: it was here before. */
static bool is_looping(const struct arrival *a, struct slice section)
{
    struct header_field field;
    for (size_t at = 0; header_next(section, &at, &field);) {
        if (!slice_eq_nocase(field.name, S("Delivered-To")))
            continue;
        for (unsigned i = 0; i < a->target_count; i++)
            if (slice_eq_nocase(slice_trim(field.value), a->targets[i].address))
                return true;
    }
    return false;
}

static void finish(struct arrival *a)
{
    if (!a->head_written && !a->refused) {
        header_reader_finish(&a->head);
        write_head(a);
    }
    if (a->named != a->target_limit)
        arrival_refuse(a, ARRIVE_OUTCOME_LATER, "other recipients than announced");
    struct slice section = a->refused ? SLICE_EMPTY : header_reader_section(&a->head);
    if (!a->refused && header_count(section, S("Received")) > LIMIT_RECEIVED_HOPS)
        arrival_refuse(a, ARRIVE_OUTCOME_LOOP, "too many Received fields");
    if (!a->refused && is_looping(a, section))
        arrival_refuse(a, ARRIVE_OUTCOME_LOOP, "Delivered-To names a recipient");
    enum err e = a->refused ? OK : octets_seal(a->octets);
    if (e != OK)
        refuse_for(a, e);
    if (a->refused) {
        arrival_end(a, a->outcome, a->detail);
        return;
    }
    a->hash = hash_end(a->hashing);
    if (a->is_submission)
        submission_check(a);
    else
        arrival_deliver(a);
}

/* Both the last octet and the question for the result must have come. */
static void try_finish(struct arrival *a)
{
    if (a->state != ARRIVAL_RECEIVING || !a->request || !(a->complete || (a->refused && !a->stream)))
        return;
    a->state = ARRIVAL_CHECKING;
    stream_close(&a->stream);
    finish(a);
}

/* Frames: u32 length, octets; length 0 completes. */
static void receive(struct arrival *a)
{
    while (!a->complete) {
        struct slice in = stream_input(a->stream);
        if (a->frame_left) {
            struct slice piece = slice_sub(in, 0, a->frame_left);
            if (!piece.n)
                return;
            take_octets(a, piece);
            a->frame_left -= (uint32_t)piece.n;
            stream_take(a->stream, piece.n);
            continue;
        }
        uint32_t length;
        if (in.n < sizeof length)
            return;
        memcpy(&length, in.p, sizeof length);
        a->frame_left = le32toh(length);
        stream_take(a->stream, sizeof length);
        a->complete = a->frame_left == 0;
    }
    try_finish(a);
}

static void on_input(struct stream *s, void *owner)
{
    (void)s;
    receive(owner);
}

/* Cut before the closing frame: nothing is stored (T-042). */
static void on_closed(struct stream *s, enum err why, void *owner)
{
    (void)s;
    (void)why;
    struct arrival *a = owner;
    stream_close(&a->stream);
    if (!a->complete)
        arrival_end(a, ARRIVE_OUTCOME_CANCELLED, "cut before its end");
}

/* ---- beginning ---- */

/* Any slot of ours serves for the file; spread, so that no folder is hotter than others. */
static uint8_t own_slot(const struct keeper_env *env, uint64_t seed)
{
    unsigned first = slot_first(env->index, env->keepers), behind = slot_first(env->index + 1, env->keepers);
    return (uint8_t)(first + seed % (behind - first));
}

static bool take_grant(struct arrival *a, const struct msg_arrive_begin *m)
{
    struct session *s = sessions_find(a->all->env->sessions, m->session);
    if (!s || s->grant.service != SERVICE_SUBMISSION || !s->grant.can_send)
        return false;
    a->grant = grant_ref(&s->grant);
    return true;
}

struct arrival *arrival_new(struct arrivals *all, struct channel *gate, struct ipc_msg *m)
{
    static const struct stream_events events = {.input = on_input, .closed = on_closed};
    static const struct stream_limits limits = {.input = 65536, .output_high = 1, .output_max = 1};
    const struct msg_arrive_begin *b = &m->u.arrive_begin;
    struct arrival *a = NEW(struct arrival);
    a->all = all;
    a->gate = gate;
    a->gate_index = channel_peer_index(gate);
    a->id = b->arrival;
    a->service = b->service;
    a->is_submission = b->service == SERVICE_SUBMISSION;
    a->received_ms = clock_unix_ms();
    a->delivery = random_delivery_id();
    arena_init(&a->memory, LIMIT_ARRIVAL_MEMORY);
    buf_init(&a->recipients, (size_t)b->recipients * LIMIT_SPEND_RECIPIENT);
    header_reader_init(&a->head);
    a->hashing = aligned_alloc(_Alignof(struct hash_state), sizeof *a->hashing);
    assert(a->hashing);
    hash_start(a->hashing, NULL);
    a->reverse_path = arena_copy(&a->memory, b->reverse_path);
    a->trace = arena_copy(&a->memory, b->trace);
    a->target_limit = b->recipients;
    a->targets = arena_array(&a->memory, a->target_limit, sizeof *a->targets);
    list_add(&all->arriving, &a->link);
    a->slot = own_slot(all->env, a->id);
    a->octets = octets_new(all->root, a->slot);
    if (a->is_submission && !take_grant(a, b))
        arrival_refuse(a, ARRIVE_OUTCOME_LATER, "no such submission session");
    enum err e = a->refused ? OK : octets_put(a->octets, a->trace);
    if (e != OK)
        refuse_for(a, e);
    a->stream = stream_new(all->env->loop, TAKE(m->fds[MSG_ARRIVE_BEGIN_FD_OCTETS], -1), &limits, &events, a);
    return a;
}

/* What the credential may send to (T-247): refused when the message is complete, like all that is decided here. */
static fallible check_recipient(struct arrival *a, struct slice recipient)
{
    const struct scope *scope = grant_scope(&a->grant);
    if (!scope_allows_recipient(scope, recipient))
        arrival_refuse(a, ARRIVE_OUTCOME_RECIPIENT, "a recipient that this credential may not send to");
    return scope_has_budget(scope) ? spending_recipient(recipient, &a->recipients) : OK;
}

fallible arrival_add_target(struct arrival *a, const struct msg_arrive_rcpt *m)
{
    a->named++;
    if (a->is_submission)
        TRY(check_recipient(a, m->recipient));
    for (unsigned i = 0; i < a->target_count; i++)
        if (account_id_eq(&a->targets[i].account, &m->account))
            return OK;
    if (!a->targets || a->target_count >= a->target_limit)
        return ERR_LIMIT;
    struct slice address = arena_copy(&a->memory, m->address);
    a->targets[a->target_count++] = (struct target){
        .arrival = a,
        .account = m->account,
        .slot = m->slot,
        .address = address,
        .prefix = arrival_prefix(a, address),
        .quota_bytes = m->quota_bytes,
    };
    return arena_check(&a->memory);
}

void arrival_asked(struct arrival *a, uint64_t request)
{
    a->request = request;
    try_finish(a);
}

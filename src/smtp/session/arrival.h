/* arrival.h - one message on its way in: receiving, checking, handing to its owners.     room: smtp/session   runs in: keeper
 *
 *   RECEIVING --all octets here, arrive_end asked--> CHECKING (submission: may it send as that?) --> DELIVERING
 *      --every owner answered--> stored: answer; some missing: TRANSIT --synced--> answer
 *   any --cancelled or refused--> answered and freed
 *
 * INV-50  250 is answered only when every recipient's copy is synced, or what is missing is synced in transit.db.
 * INV-51  The octets are written by this keeper alone; others get a read-only descriptor (octets.h).
 * INV-52  One account gets one copy, however many of its addresses were named.
 */
#ifndef SMTP_SESSION_ARRIVAL_H
#define SMTP_SESSION_ARRIVAL_H

#include "base/arena.h"
#include "crypto/hash.h"
#include "keeper/session.h"
#include "loop/stream.h"
#include "mail/header.h"
#include "smtp/session/arrivals.h"
#include "smtp/session/deposit.h"

struct arrival;

/* One account that gets a copy. */
struct target {
    struct arrival *arrival;
    struct account_id account;
    uint8_t slot;
    struct slice address; /* primary; in the arrival's arena */
    struct slice prefix;  /* Return-Path and Delivered-To */
    uint64_t quota_bytes;
    bool answered;
    enum ipc_deliver_outcome outcome;
    struct deposit *deposit; /* ours, under way */
    struct channel *keeper;  /* another keeper's, under way */
    uint64_t request;
};

enum arrival_state { ARRIVAL_RECEIVING, ARRIVAL_CHECKING, ARRIVAL_DELIVERING, ARRIVAL_TRANSIT };

struct arrival {
    struct list link;
    struct arrivals *all;
    enum arrival_state state;
    struct channel *gate; /* NULL once it has gone */
    unsigned gate_index;
    uint8_t slot;         /* of ours: whose tmp/ and transit.db serve */
    uint64_t id, request; /* request 0: arrive_end has not come */
    enum ipc_service service;
    bool is_submission;
    struct grant grant; /* of the submission session */
    int64_t received_ms;
    struct arena memory;
    struct slice reverse_path, trace;
    struct target *targets;
    unsigned target_count, target_limit;
    unsigned named;        /* recipients that were named, those of one account each */
    struct buf recipients; /* submission: what stands for each of them in a budget (keeper/spending.h) */

    struct stream *stream;
    uint32_t frame_left;
    bool complete; /* the closing frame came */
    struct header_reader head;
    bool head_written;
    struct hash_state *hashing; /* on its own: it wants more alignment than the heap gives a struct */
    struct hash hash;
    struct octets *octets;
    uint64_t received;
    bool refused; /* outcome stands already; what still comes is thrown away */
    enum ipc_arrive_outcome outcome;
    const char *detail; /* for the log; ours */

    struct delivery_id delivery;
    unsigned waiting; /* answers under way */
    unsigned asked;   /* targets whose owners were asked, the first ones */
    uint64_t asks[LIMIT_SENDER_ADDRESSES];
    unsigned ask_count;
    bool in_transit; /* transit_put is under way: its callback frees */
};

/* ---- arrival.c: octets in ---- */

/* arrive_begin; takes the descriptor. NULL: refused, the gate finds its stream closed and its arrive_end unanswered. */
struct arrival *arrival_new(struct arrivals *all, struct channel *gate, struct ipc_msg *m);
fallible arrival_add_target(struct arrival *a, const struct msg_arrive_rcpt *m);
void arrival_asked(struct arrival *a, uint64_t request);
/* Answers if there is anybody to answer, and frees. */
void arrival_end(struct arrival *a, enum ipc_arrive_outcome outcome, const char *detail);
void arrival_free(struct arrival *a);
/* From here on the octets are read to their end and thrown away; the answer is this. */
void arrival_refuse(struct arrival *a, enum ipc_arrive_outcome outcome, const char *detail);

/* ---- submission_check.c: what RFC 6409 mends, and whose addresses a message names ---- */

/* Writes the header as it is stored: for a submission without Bcc, with Date and Message-ID. */
fallible submission_put_header(struct arrival *a, struct slice section, struct octets *into);
/* Holds senders and recipients against the credential's limits, asks the vault about every sender address and, where there is
 * a budget, for leave to send; ends in arrival_deliver or arrival_end. */
void submission_check(struct arrival *a);
void submission_forget(struct arrival *a);

/* ---- arrival_deliver.c: to the owners ---- */

void arrival_deliver(struct arrival *a);
/* Another keeper has gone: what it was asked counts as "later". */
void arrival_keeper_gone(struct arrival *a, unsigned index);
void arrival_forget_targets(struct arrival *a);
/* Return-Path and Delivered-To into the arrival's arena. */
struct slice arrival_prefix(struct arrival *a, struct slice address);

#endif

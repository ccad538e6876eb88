#include <stdlib.h>

#include "base/clock.h"
#include "crypto/random.h"
#include "keeper/spending.h"
#include "mail/address.h"
#include "mail/message.h"
#include "smtp/session/arrival.h"
#include "smtp/session/private.h"

/* RFC 6409 8: what a submission server may add and must remove. */
fallible submission_put_header(struct arrival *a, struct slice section, struct octets *into)
{
    if (!a->is_submission)
        return octets_put(into, section);
    struct buf added = BUF_INIT(1024);
    if (!header_count(section, S("Date")))
        message_put_date(&added, a->received_ms / 1000);
    if (!header_count(section, S("Message-ID"))) {
        char random[16];
        random_bytes(random, sizeof random);
        message_put_message_id(&added, slice_of(random, sizeof random), a->all->env->hostname);
    }
    enum err e = octets_put(into, buf_slice(&added));
    buf_done(&added);
    /* Octets between fields (junk lines, the empty line) are kept as they are: only the field itself goes. */
    size_t at = 0, kept = 0;
    struct header_field field;
    while (e == OK && header_next(section, &at, &field)) {
        if (!slice_eq_nocase(field.name, S("Bcc")) && !slice_eq_nocase(field.name, S("Resent-Bcc")))
            continue;
        size_t start = (size_t)(field.raw.p - section.p);
        e = octets_put(into, slice_sub(section, kept, start - kept));
        kept = start + field.raw.n;
    }
    return e == OK ? octets_put(into, slice_from(section, kept)) : e;
}

/* ---- whose addresses the message names (T-080) ---- */

struct senders {
    struct arrival *a;
    struct slice text[LIMIT_SENDER_ADDRESSES];
    unsigned count;
};

static fallible add_sender(struct senders *all, struct slice text)
{
    for (unsigned i = 0; i < all->count; i++)
        if (slice_eq(all->text[i], text))
            return OK;
    if (all->count == LIMIT_SENDER_ADDRESSES)
        return ERR_LIMIT;
    all->text[all->count++] = text;
    return OK;
}

/* Every mailbox of the field, groups included; a list that readers could read in two ways is none. */
static fallible add_field(struct senders *all, struct slice value)
{
    struct address_list list;
    address_list_parse(value, &all->a->memory, &list);
    if (list.invalid || list.truncated || list.mailboxes == 0)
        return ERR_SYNTAX;
    for (size_t i = 0; i < list.count; i++) {
        const struct address_item *item = &list.items[i];
        if (item->kind != ADDRESS_MAILBOX)
            continue;
        struct address address;
        if (item->route.n)
            return ERR_SYNTAX;
        TRY(address_make(item->local, item->domain, ADDRESS_ALLOW_UTF8, &address));
        struct buf text = BUF_INIT(LIMIT_ADDRESS + 16);
        address_put(&text, &address);
        struct slice kept = arena_copy(&all->a->memory, buf_slice(&text));
        buf_done(&text);
        TRY(add_sender(all, kept));
    }
    return arena_check(&all->a->memory);
}

static fallible collect(struct senders *all, const char **ret_why)
{
    struct slice section = header_reader_section(&all->a->head);
    *ret_why = "a header that readers would end or read differently";
    if (all->a->head.unclean)
        return ERR_SYNTAX;
    *ret_why = "not exactly one From field, or more than one Sender";
    if (header_count(section, S("From")) != 1 || header_count(section, S("Sender")) > 1)
        return ERR_SYNTAX;
    *ret_why = "From or Sender is no clear list of addresses";
    struct header_field field;
    for (size_t at = 0; header_next(section, &at, &field);)
        if (slice_eq_nocase(field.name, S("From")) || slice_eq_nocase(field.name, S("Sender")))
            TRY(add_field(all, field.value));
    return all->a->reverse_path.n ? add_sender(all, all->a->reverse_path) : OK;
}

/* ---- the credential's limits ---- */

static bool may_send_as(const struct senders *all)
{
    for (unsigned i = 0; i < all->count; i++)
        if (!scope_allows_sender(grant_scope(&all->a->grant), all->text[i]))
            return false;
    return true;
}

static void on_spent(void *owner, enum err why, struct ipc_msg *m)
{
    struct arrival *a = owner;
    enum ipc_spend_outcome outcome = why == OK ? m->u.spend_result.outcome : SPEND_OUTCOME_LATER;
    a->waiting--;
    if (outcome == SPEND_OUTCOME_OK)
        arrival_deliver(a);
    else if (outcome == SPEND_OUTCOME_FROZEN)
        arrival_end(a, ARRIVE_OUTCOME_BUDGET, "the credential's budget is used");
    else
        arrival_end(a, ARRIVE_OUTCOME_LATER, "the vault does not answer");
}

/* The senders are right: is there a budget left? */
static void ask_budget(struct arrival *a)
{
    struct keeper_env *env = a->all->env;
    a->ask_count = 0; /* those were answered */
    if (!scope_has_budget(grant_scope(&a->grant))) {
        arrival_deliver(a);
        return;
    }
    if (spending_ask(env, &a->grant, buf_slice(&a->recipients), on_spent, a, &a->asks[0]) != OK) {
        arrival_end(a, ARRIVE_OUTCOME_LATER, "the vault is away");
        return;
    }
    a->ask_count = 1;
    a->waiting = 1;
}

static void on_owns(void *owner, enum err why, struct ipc_msg *m)
{
    struct arrival *a = owner;
    a->waiting--;
    enum ipc_owns_outcome outcome = why == OK ? m->u.owns_result.outcome : OWNS_OUTCOME_LATER;
    if (outcome == OWNS_OUTCOME_YES && a->waiting)
        return;
    if (outcome == OWNS_OUTCOME_YES)
        ask_budget(a);
    else if (outcome == OWNS_OUTCOME_NO)
        arrival_end(a, ARRIVE_OUTCOME_SENDER, "an address of From, Sender or MAIL is not the account's");
    else
        arrival_end(a, ARRIVE_OUTCOME_LATER, "the vault does not answer");
}

void submission_forget(struct arrival *a)
{
    for (unsigned i = 0; i < a->ask_count; i++)
        channel_forget(a->all->env->vault, a->asks[i]);
    a->ask_count = 0;
}

void submission_check(struct arrival *a)
{
    struct senders all = {.a = a};
    const char *why;
    if (collect(&all, &why) != OK) {
        arrival_end(a, ARRIVE_OUTCOME_SENDER, why);
        return;
    }
    if (!may_send_as(&all)) {
        arrival_end(a, ARRIVE_OUTCOME_SENDER_LIMIT, "an address that this credential may not send as");
        return;
    }
    struct channel *vault = a->all->env->vault;
    for (unsigned i = 0; i < all.count; i++) {
        struct ipc_msg ask = {
            .type = MSG_OWNS, .u.owns = {.account = a->grant.account, .address = all.text[i]}};
        if (!vault || channel_request(vault, &ask, 0, on_owns, a, &a->asks[a->ask_count]) != OK) {
            arrival_end(a, ARRIVE_OUTCOME_LATER, "the vault is away");
            return;
        }
        a->ask_count++;
        a->waiting++;
    }
}

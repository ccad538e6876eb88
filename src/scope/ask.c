/* ask.c - the questions that the vault and the keeper put to a scope. */
#include "scope/private.h"

enum { DAY_S = 86400, WEEK_MINUTES = 10080 };

bool scope_allows_network(const struct scope *s, const struct ip *client)
{
    for (size_t i = 0; i < s->network_count; i++)
        if (ip_net_has(&s->networks[i], client))
            return true;
    return s->network_count == 0;
}

bool scope_allows_folder(const struct scope *s, struct slice mailbox)
{
    for (size_t i = 0; i < s->folder_count; i++)
        if (scope_pattern_matches(s->folders[i], mailbox))
            return true;
    return s->folder_count == 0;
}

bool scope_allows_arrival(const struct scope *s, int64_t arrived_s, int64_t now_s)
{
    return s->window_days == 0 || arrived_s > now_s - (int64_t)s->window_days * DAY_S;
}

bool scope_limits_attachments(const struct scope *s)
{
    return s->no_attachments || s->attachment_type_count || s->attachment_size;
}

static bool allows_type(const struct scope *s, struct slice type)
{
    for (size_t i = 0; i < s->attachment_type_count; i++)
        if (scope_type_matches(s->attachment_types[i], type))
            return true;
    return s->attachment_type_count == 0;
}

bool scope_allows_attachment(const struct scope *s, struct slice type, uint64_t size)
{
    return !s->no_attachments && (!s->attachment_size || size <= s->attachment_size) && allows_type(s, type);
}

static bool covers(const struct slice *list, size_t n, struct slice address)
{
    for (size_t i = 0; i < n; i++)
        if (scope_address_covers(list[i], address))
            return true;
    return n == 0;
}

bool scope_allows_sender(const struct scope *s, struct slice address)
{
    return covers(s->senders, s->sender_count, address);
}

bool scope_allows_recipient(const struct scope *s, struct slice address)
{
    return covers(s->recipients, s->recipient_count, address);
}

bool scope_has_budget(const struct scope *s)
{
    return s->messages_hour || s->messages_day || s->recipients_day || s->bytes_day;
}

/* ---- is it narrower? ---- */

static bool number_is_within(uint64_t narrow, uint64_t wide)
{
    return wide == 0 || (narrow != 0 && narrow <= wide);
}

static bool networks_are_within(const struct scope *narrow, const struct scope *wide)
{
    if (wide->network_count == 0)
        return true;
    for (size_t i = 0; i < narrow->network_count; i++) {
        bool found = false;
        for (size_t j = 0; j < wide->network_count && !found; j++)
            found = scope_net_is_within(&narrow->networks[i], &wide->networks[j]);
        if (!found)
            return false;
    }
    return narrow->network_count != 0;
}

static bool texts_are_within(
    const struct slice *narrow, size_t narrow_n, const struct slice *wide, size_t wide_n,
    bool (*is_within)(struct slice narrow, struct slice wide))
{
    if (wide_n == 0)
        return true;
    for (size_t i = 0; i < narrow_n; i++) {
        bool found = false;
        for (size_t j = 0; j < wide_n && !found; j++)
            found = is_within(narrow[i], wide[j]);
        if (!found)
            return false;
    }
    return narrow_n != 0;
}

static bool type_is_within(struct slice narrow, struct slice wide)
{
    return slice_eq(narrow, wide) || scope_type_matches(wide, narrow);
}

static bool address_is_within(struct slice narrow, struct slice wide)
{
    return scope_address_covers(wide, narrow);
}

static bool attachments_are_within(const struct scope *narrow, const struct scope *wide)
{
    if (narrow->no_attachments)
        return true;
    return !wide->no_attachments && number_is_within(narrow->attachment_size, wide->attachment_size) &&
           texts_are_within(
               narrow->attachment_types, narrow->attachment_type_count, wide->attachment_types,
               wide->attachment_type_count, type_is_within);
}

/* Minute by minute of a week: times begin and end at whole minutes. */
static bool hours_are_within(const struct scope *narrow, const struct scope *wide)
{
    if (wide->hour_count == 0)
        return true;
    for (int64_t minute = 0; minute < WEEK_MINUTES; minute++)
        if (scope_allows_time(narrow, minute * 60) && !scope_allows_time(wide, minute * 60))
            return false;
    return true;
}

bool scope_is_within(const struct scope *narrow, const struct scope *wide)
{
    if (narrow->is_canary || wide->is_canary)
        return narrow->is_canary;
    return (narrow->rights & ~wide->rights) == 0 && networks_are_within(narrow, wide) &&
           texts_are_within(
               narrow->folders, narrow->folder_count, wide->folders, wide->folder_count,
               scope_pattern_is_within) &&
           number_is_within(narrow->window_days, wide->window_days) && attachments_are_within(narrow, wide) &&
           hours_are_within(narrow, wide) && number_is_within(narrow->rotate_days, wide->rotate_days) &&
           texts_are_within(
               narrow->senders, narrow->sender_count, wide->senders, wide->sender_count, address_is_within) &&
           texts_are_within(
               narrow->recipients, narrow->recipient_count, wide->recipients, wide->recipient_count,
               address_is_within) &&
           number_is_within(narrow->messages_hour, wide->messages_hour) &&
           number_is_within(narrow->messages_day, wide->messages_day) &&
           number_is_within(narrow->recipients_day, wide->recipients_day) &&
           number_is_within(narrow->bytes_day, wide->bytes_day);
}

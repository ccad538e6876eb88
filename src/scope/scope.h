/* scope.h - what one credential may do: the limits of client passwords, tokens and certificates.
 *                                                                     room: scope   runs in: vault keeper cli
 *
 * One table of kinds of limit. A limit is written "name=value" (the same in `letterlock client add --limit`, in the messages
 * between processes and in exports) and stored as (number of the kind, value). The vault asks a scope whether a door may be
 * opened at all (vault/decide.h); the keeper asks it what the session may see and do. Whoever meets a kind that it does not
 * know must treat the credential as opening nothing (INV-V3): scope_parse refuses it, and the vault notes it as
 * `has_unknown_limit`.
 *
 * Pure: no clock, no store. Memory: everything a scope points to lies in the arena it was parsed into, and is good as long
 * as that. Limits: LIMIT_SCOPE_TEXT octets of text in all, LIMIT_SCOPE_VALUES values. Fails: ERR_SYNTAX, ERR_LIMIT, ERR_UNSUPPORTED
 * (an unknown kind); the words for people go to `problem`.
 */
#ifndef SCOPE_SCOPE_H
#define SCOPE_SCOPE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/ip.h"

/* SCOPE_KIND(NUMBER, NAME, "name", repeats, "value for the help", English, Chinese). Numbers are stored: they never change.
 */
#define SCOPE_KINDS(KIND)                                                                                    \
    KIND(1, NETWORK, "network", true, "192.0.2.0/24", "only from this network", "仅限此网段")                \
    KIND(                                                                                                    \
        2, ACCESS, "access", false, "read-only|append-only|no-delete", "what may be changed",                \
        "可以更改什么")                                                                                      \
    KIND(                                                                                                    \
        3, FOLDER, "folder", true, "Projects/*", "only these folders; * and % as in LIST", "仅限这些文件夹") \
    KIND(                                                                                                    \
        4, WINDOW, "days", false, "30", "only mail that arrived within this many days",                      \
        "仅限最近若干天的邮件")                                                                              \
    KIND(                                                                                                    \
        5, ATTACHMENTS, "attachments", false, "none", "attachments are replaced by a note",                  \
        "附件以说明代替")                                                                                    \
    KIND(                                                                                                    \
        6, ATTACHMENT_TYPE, "attachment-type", true, "image/*", "only attachments of these types",           \
        "仅限这些类型的附件")                                                                                \
    KIND(                                                                                                    \
        7, ATTACHMENT_SIZE, "attachment-size", false, "1 MiB", "only attachments up to this size",           \
        "仅限不超过此大小的附件")                                                                            \
    KIND(8, HOURS, "hours", true, "mon-fri 08:00-18:00 +08:00", "only at these times", "仅限这些时间")       \
    KIND(9, ROTATE, "rotate", false, "90", "after this many days a new secret is needed", "若干天后须更换")  \
    KIND(                                                                                                    \
        10, SENDER, "sender", true, "info@example.org", "may send only as these addresses",                  \
        "只能以这些地址发信")                                                                                \
    KIND(                                                                                                    \
        11, RECIPIENT, "recipient", true, "@example.org", "may send only to these addresses or domains",     \
        "只能发给这些地址或域名")                                                                            \
    KIND(12, MESSAGES_HOUR, "messages-hour", false, "50", "messages sent in an hour", "每小时发信数")        \
    KIND(13, MESSAGES_DAY, "messages-day", false, "200", "messages sent in a day", "每天发信数")             \
    KIND(                                                                                                    \
        14, RECIPIENTS_DAY, "new-recipients-day", false, "20",                                               \
        "recipients never written to before, in a day", "每天新收件人数")                                    \
    KIND(15, BYTES_DAY, "bytes-day", false, "1 GiB", "octets fetched in a day", "每天读取的字节数")          \
    KIND(                                                                                                    \
        16, CANARY, "canary", false, "alarm", "a bait: opens nothing, raises an alarm",                      \
        "诱饵：不能登录，一用即报警")

enum scope_kind {
#define KIND(number, id, name, repeats, value, en, zh) SCOPE_##id = number,
    SCOPE_KINDS(KIND)
#undef KIND
};

struct scope_kind_row {
    enum scope_kind kind;
    const char *name, *value;
    bool repeats;
    const char *help[2]; /* English, Chinese */
};
/* All kinds, in the order of the table. */
const struct scope_kind_row *scope_kinds(size_t *ret_count);
/* NULL when there is none. */
const struct scope_kind_row *scope_kind_by_name(struct slice name);
const struct scope_kind_row *scope_kind_by_number(int64_t number);

/* What may be done with the mail that is in sight. Without an "access" limit all of it; a zeroed scope: nothing. "no-delete"
 * leaves SCOPE_MANAGE out too, because whoever may rename or delete a mailbox may lose mail. */
enum scope_right {
    SCOPE_READ = 1,    /* list, select, fetch, search */
    SCOPE_FLAG = 2,    /* change flags and keywords except \Deleted; implicit \Seen */
    SCOPE_APPEND = 4,  /* append, and copy into */
    SCOPE_DELETE = 8,  /* \Deleted, expunge, move away, POP3 DELE */
    SCOPE_MANAGE = 16, /* create, rename, delete mailboxes; subscriptions */
    SCOPE_ALL = 31,
};

struct scope_hours {      /* "mon-fri 08:00-18:00 +08:00"; without an offset: UTC */
    uint8_t days;         /* bit 0: Monday; of the beginning */
    uint16_t from, until; /* minutes of the day, until at most 1440; until may be smaller: over midnight */
    int16_t offset;       /* of local time, minutes east of UTC */
};

struct scope {
    unsigned rights; /* enum scope_right */
    const struct ip_net *networks;
    size_t network_count; /* 0: from anywhere */
    const struct slice *folders;
    size_t folder_count;  /* 0: all */
    uint32_t window_days; /* 0: no window */
    bool no_attachments;
    const struct slice *attachment_types;
    size_t attachment_type_count; /* 0: any type */
    uint64_t attachment_size;     /* 0: any size */
    const struct scope_hours *hours;
    size_t hour_count;    /* 0: always */
    uint32_t rotate_days; /* 0: never */
    const struct slice *senders;
    size_t sender_count; /* 0: every address of the account */
    const struct slice *recipients;
    size_t recipient_count;                               /* 0: everybody */
    uint32_t messages_hour, messages_day, recipients_day; /* 0: no budget */
    uint64_t bytes_day;
    bool is_canary;
};

/* One value checked and brought into its canonical form ("1MiB" to "1048576", a network's host bits cleared, ...). */
fallible scope_value_normal(
    const struct scope_kind_row *kind, struct slice value, struct buf *ret_value, struct buf *problem);
/* Lines "name=value", separated by newlines; empty: no limits. Canonical or not. `problem` may be NULL. */
fallible scope_parse(struct slice lines, struct arena *arena, struct scope *ret_scope, struct buf *problem);
/* The canonical lines, in the order of the table. */
void scope_write(const struct scope *scope, struct buf *out);

/* ---- questions ---- */

bool scope_allows_network(const struct scope *s, const struct ip *client);
bool scope_allows_time(const struct scope *s, int64_t now_s);
/* The next moment after now_s at which scope_allows_time changes its answer to no; 0: never. A session ends then. */
int64_t scope_time_ends(const struct scope *s, int64_t now_s);
/* A mailbox by its full name (UTF-8, "/" between levels). INBOX in any case. */
bool scope_allows_folder(const struct scope *s, struct slice mailbox);
/* Mail that arrived at this time. */
bool scope_allows_arrival(const struct scope *s, int64_t arrived_s, int64_t now_s);
bool scope_limits_attachments(const struct scope *s);
/* An attachment of this type ("image/png", lower case) and decoded or encoded size as stored. */
bool scope_allows_attachment(const struct scope *s, struct slice type, uint64_t size);
/* Addresses are compared by their keys (mail/address.h); "@example.org" stands for a domain, not for those below it. What is no
 * address is allowed only where nothing is limited. */
bool scope_allows_sender(const struct scope *s, struct slice address);
bool scope_allows_recipient(const struct scope *s, struct slice address);
bool scope_has_budget(const struct scope *s);
/* Is every session that `narrow` allows allowed by `wide` as well? Used to tell a narrowing from a widening; false when it is not
 * certain. */
bool scope_is_within(const struct scope *narrow, const struct scope *wide);

#endif

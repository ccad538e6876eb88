/* What a mail program does after the sign-in by IMAP: it opens the inbox, fetches a little, asks for the quota, and waits. */
#include "doctor/steps/imap.h"
#include "doctor/steps/reply_note.h"

enum { PERCENT_FULL = 100, PERCENT_NEARLY = 90, KIB_IN_MIB = 1024 };

struct using
{
    struct visit *visit;
    struct talk *talk;
    struct arena *arena;
    struct offer offer;
    uint32_t exists;
    bool has_exists, fetched, has_quota;
    struct imap_resource storage;
    struct slice quota_text;
};

static void hear(void *owner, const struct imap_response *x, struct slice text)
{
    struct using *u = owner;
    struct imap_fetched f;
    struct imap_quota q;
    if (x->kind != IMAP_SAYS_DATA)
        return;
    if (x->has_number && slice_eq_nocase(x->name, S("EXISTS"))) {
        u->exists = x->number;
        u->has_exists = true;
    } else if (x->has_number && slice_eq_nocase(x->name, S("FETCH"))) {
        u->fetched |= imap_fetched_parse(x->rest, &f) == OK && f.has_flags && f.has_size;
    } else if (slice_eq_nocase(x->name, S("QUOTA")) && !u->has_quota) {
        u->has_quota = imap_quota_parse(x->rest, &q) == OK && q.storage.is_known;
        if (u->has_quota) {
            u->storage = q.storage;
            u->quota_text = arena_copy(u->arena, text);
        }
    }
}

static fallible
command(struct using *u, const char *tag, const char *words, struct reply *ret_reply, struct slice *ret_code)
{
    struct imap_waiting w = {.tag = tag, .hear = hear, .owner = u};
    return imap_command(u->talk, u->arena, &w, words, ret_reply, ret_code);
}

static void note(struct using *u, enum tone tone, enum observed what, struct slice said)
{
    notes_observed(u->visit->notes, tone, what, PROOF_REPLY, said);
}

/* ---------------------------------------------------------------------------------------------------------- inbox */

/* RFC 2971. Which program asks is said to those who want to know; what the server says of itself is of no use here. */
static fallible introduce(struct using *u, struct reply *ret_reply)
{
    return command(u, "i1", "ID (\"name\" \"Letterlock doctor\")", ret_reply, NULL);
}

/* SELECT. Some servers open nothing for a program that did not introduce itself: then it is said that this is so. Where it is
 * known beforehand, the server is not put to that test. */
static fallible open_inbox(struct using *u, struct reply *ret_reply, struct slice *code)
{
    struct reply first, id;
    const struct provider *p = u->visit->whole->provider;
    bool known = u->offer.id && p && p->wants_id;
    if (known)
        TRY(introduce(u, &id));
    TRY(command(u, "o1", "SELECT INBOX", &first, code));
    *ret_reply = first;
    if (!u->offer.id || known)
        return OK;
    TRY(introduce(u, &id));
    if (first.kind == REPLY_YES || id.kind != REPLY_YES)
        return OK;
    TRY(command(u, "o2", "SELECT INBOX", ret_reply, code));
    if (ret_reply->kind == REPLY_YES)
        note(u, TONE_WARNING, OBSERVED_AFTER_ID_REQUIRED, first.text);
    return OK;
}

static void note_inbox_refused(struct using *u, const struct reply *reply, struct slice code)
{
    if (slice_eq_nocase(code, S("NONEXISTENT")) || slice_eq_nocase(code, S("TRYCREATE")))
        note(u, TONE_FAULT, OBSERVED_AFTER_INBOX_MISSING, reply->text);
    else
        reply_note(u->visit, TONE_FAULT, reply->text, OBSERVED_AFTER_INBOX_REFUSED);
}

static void note_inbox(struct using *u, const struct reply *reply, struct slice code)
{
    struct notes *n = u->visit->notes;
    notes_fact(n, TONE_GOOD, FACT_INBOX, arena_printf(u->arena, "%u", u->exists), SLICE_EMPTY, SLICE_EMPTY);
    if (slice_eq_nocase(code, S("READ-ONLY")))
        note(u, TONE_WARNING, OBSERVED_AFTER_INBOX_READ_ONLY, reply->text);
}

/* The newest message's flags and size: no octet of a message is looked at. */
static fallible fetch_little(struct using *u, bool *ret_good)
{
    struct reply reply;
    if (!u->exists) {
        *ret_good = true;
        return OK;
    }
    struct slice words = arena_printf(u->arena, "FETCH %u (FLAGS RFC822.SIZE)", u->exists);
    TRY(arena_check(u->arena));
    TRY(command(u, "f1", words.p, &reply, NULL));
    bool good = reply.kind == REPLY_YES && u->fetched;
    if (!good)
        reply_note(u->visit, TONE_FAULT, reply.text, OBSERVED_AFTER_FETCH_REFUSED);
    *ret_good = good;
    return OK;
}

/* ------------------------------------------------------------------------------------------------- quota and waiting */

static struct slice mebibytes(struct using *u, uint64_t kib)
{
    return arena_printf(u->arena, "%.1f", (double)kib / KIB_IN_MIB);
}

static void note_quota(struct using *u)
{
    const struct imap_resource *s = &u->storage;
    struct notes *n = u->visit->notes;
    unsigned percent = !s->limit             ? 0
                       : s->used >= s->limit ? PERCENT_FULL
                                             : (unsigned)((double)s->used / (double)s->limit * 100);
    notes_fact(n, TONE_GOOD, FACT_QUOTA, mebibytes(u, s->used), mebibytes(u, s->limit), SLICE_EMPTY);
    if (percent >= PERCENT_FULL)
        note(u, TONE_FAULT, OBSERVED_AFTER_QUOTA_FULL, u->quota_text);
    else if (percent >= PERCENT_NEARLY)
        note(u, TONE_WARNING, OBSERVED_AFTER_QUOTA_NEARLY_FULL, u->quota_text);
}

/* RFC 9208. A server that refuses is none that a mail program cannot use. */
static fallible ask_quota(struct using *u)
{
    struct reply reply;
    if (!u->offer.quota)
        return OK;
    TRY(command(u, "q1", "GETQUOTAROOT INBOX", &reply, NULL));
    if (reply.kind == REPLY_YES && u->has_quota)
        note_quota(u);
    return OK;
}

/* RFC 2177: in and out again at once. */
static fallible idle(struct using *u)
{
    struct reply reply;
    struct imap_waiting w = {.tag = "w1", .hear = hear, .owner = u};
    if (!u->offer.idle) {
        note(u, TONE_NOTE, OBSERVED_AFTER_NO_IDLE, u->offer.text);
        return OK;
    }
    TRY(talk_put(u->talk, S("w1 IDLE\r\n")));
    TRY(imap_hear(u->talk, u->arena, &w, &reply, NULL, NULL));
    if (reply.kind == REPLY_MORE) {
        TRY(talk_put(u->talk, S("DONE\r\n")));
        TRY(imap_hear(u->talk, u->arena, &w, &reply, NULL, NULL));
    }
    if (reply.kind != REPLY_YES)
        note(u, TONE_WARNING, OBSERVED_AFTER_IDLE_REFUSED, reply.text);
    return OK;
}

/* ---------------------------------------------------------------------------------------------------------- the whole */

static fallible use_inbox(struct using *u, struct reply *reply)
{
    struct slice code = SLICE_EMPTY;
    bool good = false;
    TRY(imap_ask(u->talk, u->arena, &u->offer));
    TRY(open_inbox(u, reply, &code));
    if (reply->kind != REPLY_YES) {
        note_inbox_refused(u, reply, code);
        return OK;
    }
    note_inbox(u, reply, code);
    TRY(fetch_little(u, &good));
    u->visit->server->standing.works = good;
    TRY(ask_quota(u));
    return idle(u);
}

void imap_use(struct visit *v, struct talk *t, const struct offer *offer)
{
    struct arena arena CLEANUP_ARENA = ARENA_INIT(2 * LIMIT_DOCTOR_TALK);
    struct using u = {.visit = v, .talk = t, .arena = &arena, .offer = *offer};
    struct reply reply = {.kind = REPLY_BAD};
    enum err e = use_inbox(&u, &reply);
    if (e != OK)
        reply_note_break(v, e, SLICE_EMPTY);
}

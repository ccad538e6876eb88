#include "keeper/sight.h"

#include "base/clock.h"
#include "base/limits.h"
#include "ipc/poison.h"
#include "keeper/poisoned.h"

void sight_init(struct sight *v, struct keeper_env *env, const struct grant *grant)
{
    bool is_chinese = slice_starts_nocase(slice_str(grant->language), S("zh"));
    *v = (struct sight){
        .env = env,
        .grant = grant,
        .scope = grant_scope(grant),
        .language = is_chinese ? REDACT_CHINESE : REDACT_ENGLISH,
        .octets = BUF_INIT(LIMIT_HEADER_SECTION),
        .opaque = BUF_INIT(256)};
    v->redacts = scope_limits_attachments(v->scope);
    redaction_init(&v->redaction);
    sight_tick(v);
}

void sight_done(struct sight *v)
{
    sight_forget(v);
    buf_done(&v->opaque);
}

void sight_forget(struct sight *v)
{
    if (!v->redacts)
        return;
    redaction_done(&v->redaction);
    buf_done(&v->octets);
}

void sight_tick(struct sight *v)
{
    if (sight_has_window(v))
        v->now_s = clock_unix_s();
}

/* Names that only wildcards can match stand for all names: U+FFFD is in nobody's pattern, and in no name but by damage. */
bool sight_has_all_below(const struct sight *v, struct slice name)
{
    static const char *const probes[] = {"/\uFFFD", "/\uFFFD/\uFFFD"};
    char text[LIMIT_MAILBOX_NAME + 16];
    if (sight_has_all_folders(v))
        return true;
    if (name.n > LIMIT_MAILBOX_NAME)
        return false;
    memcpy(text, name.p, name.n);
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        size_t n = strlen(probes[i]);
        memcpy(text + name.n, probes[i], n);
        if (!scope_allows_folder(v->scope, slice_of(text, name.n + n)))
            return false;
    }
    return true;
}

/* ---- attachments ---- */

struct looking {
    struct sight *v;
    struct account *account;
    struct body_id body;
};

static enum redact_why judge(void *owner, struct slice type, uint64_t size)
{
    const struct scope *s = ((struct looking *)owner)->v->scope;
    if (scope_allows_attachment(s, type, size))
        return REDACT_SHOW;
    if (s->no_attachments)
        return REDACT_ANY;
    return s->attachment_size && size > s->attachment_size ? REDACT_SIZE : REDACT_TYPE;
}

static fallible read_range(struct body_reader *r, uint64_t start, uint64_t end, struct buf *into)
{
    buf_clear(into);
    while (start < end) {
        struct slice piece;
        TRY(body_read(r, start, (size_t)(end - start), &piece));
        if (!piece.n)
            return ERR_CORRUPT;
        buf_put(into, piece);
        start += piece.n;
    }
    return buf_check(into);
}

static fallible read_original(void *owner, uint64_t start, uint64_t end, struct slice *ret_octets)
{
    struct looking *l = owner;
    struct body_reader *r = NULL;
    TRY(body_open(l->account, l->body, &r));
    enum err e = read_range(r, start, end, &l->v->octets);
    body_close(&r);
    if (e == OK)
        *ret_octets = buf_slice(&l->v->octets);
    return e;
}

static fallible look(struct looking *l, struct slice row)
{
    struct structure s;
    const struct redact_rules rules = {
        .judge = judge,
        .read = read_original,
        .owner = l,
        .language = l->v->language,
        .charsets = (struct charsets *)l->v->env->charsets};
    TRY(structure_open(row, &s));
    return redact(&l->v->redaction, &s, &rules);
}

static void redact_seen(struct sight *v, struct account *a, struct message *m)
{
    struct looking l = {.v = v, .account = a, .body = m->body};
    v->is_blind = look(&l, m->structure) != OK;
    if (v->is_blind) {
        redaction_clear(&v->redaction);
        m->structure = S("");
        m->size = 0;
    } else if (v->redaction.is_changed) {
        m->structure = buf_slice(&v->redaction.row);
        m->size = v->redaction.size;
    }
}

static void make_opaque(struct sight *v, struct message *m)
{
    buf_clear(&v->opaque);
    IGNORE(
        structure_put_opaque(&v->opaque, m->size),
        "a row that is cut short cannot be read, which is seen there");
    m->structure = buf_slice(&v->opaque);
}

void sight_look(struct sight *v, struct account *a, struct message *m)
{
    if (!m->structure.p && !v->redacts)
        return;
    if (poisoned_has(v->env->poisoned, &v->grant->account, m->email_id))
        make_opaque(v, m);
    if (!v->redacts)
        return;
    poison_enter(v->env->poison, &v->grant->account, m->email_id, "look");
    redact_seen(v, a, m);
    poison_leave(v->env->poison);
}

fallible
sight_read(struct sight *v, struct body_reader *r, uint64_t offset, size_t n, struct slice *ret_octets)
{
    if (!v->redacts)
        return body_read(r, offset, n, ret_octets);
    if (v->is_blind)
        return ERR_CORRUPT;
    if (!v->redaction.is_changed)
        return body_read(r, offset, n, ret_octets);
    uint64_t skip;
    const struct redact_run *run = redaction_find(&v->redaction, offset, &skip);
    if (!run) {
        *ret_octets = S("");
        return OK;
    }
    if (n > run->n - skip)
        n = (size_t)(run->n - skip);
    if (!run->is_text)
        return body_read(r, run->from + skip, n, ret_octets);
    *ret_octets = slice_sub(buf_slice(&v->redaction.text), (size_t)(run->from + skip), n);
    return OK;
}

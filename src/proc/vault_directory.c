/* vault_directory.c - what the vault asks the directory: passwords of people that come from an LDAP server, and who is there.
 *
 * One comparison of everybody at a time (src/vault/directory.h): at the start, every directory_refresh, and when a command
 * asks. People come some at a time, and the loop serves others in between. A list that is not whole changes what it has
 * named and locks nobody.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "proc/vault.h"
#include "vault/directory.h"

enum { SOON_MS = 1000, AGAIN_MS = 60000, GRACE_MS = 1000 };

static struct channel *directory_of(const struct vault_process *vp)
{
    return proc_peer(vp->proc, ROLE_DIRECTORY, 0);
}

/* ---- passwords ---- */

/* A sign-in, or a command, that waits for an answer. */
struct directory_question {
    struct list link;
    struct vault_process *vp;
    uint64_t request;
    uint64_t exchange;
    struct asker_wait *wait; /* of a command */
};

static void question_free(struct directory_question *q)
{
    list_drop(&q->link);
    if (q->wait) {
        asker_wait_drop(q->wait);
        free(q->wait);
    }
    free(q);
}

/* Takes `wait` only when it succeeds. */
static fallible question_send(
    struct vault_process *vp, struct ipc_msg *m, channel_answer_fn *fn, uint64_t exchange,
    struct asker_wait *wait)
{
    struct channel *directory = directory_of(vp);
    if (!directory)
        return ERR_UNAVAILABLE;
    struct directory_question *q = NEW(struct directory_question);
    q->vp = vp;
    q->exchange = exchange;
    list_add(&vp->directory.questions, &q->link);
    enum err e = channel_request(directory, m, LIMIT_DIRECTORY_WAIT + GRACE_MS, fn, q, &q->request);
    if (e == OK)
        q->wait = wait;
    else
        question_free(q);
    return e;
}

static enum err result_of(enum err why, const struct ipc_msg *m)
{
    static const enum err results[] = {
        [DIRECTORY_OUTCOME_OK] = OK,
        [DIRECTORY_OUTCOME_NO] = ERR_DENIED,
        [DIRECTORY_OUTCOME_AMBIGUOUS] = ERR_UNAVAILABLE,
        [DIRECTORY_OUTCOME_LATER] = ERR_UNAVAILABLE,
    };
    if (why != OK || m->type != MSG_DIRECTORY_BIND_RESULT)
        return ERR_UNAVAILABLE;
    return results[m->u.directory_bind_result.outcome];
}

static void on_bound(void *owner, enum err why, struct ipc_msg *m)
{
    struct directory_question *q = owner;
    struct signins *signins = q->vp->signins;
    uint64_t exchange = q->exchange;
    question_free(q);
    signin_hashed(signins, exchange, result_of(why, m));
}

fallible vault_directory_ask(
    struct vault_process *vp, uint64_t exchange, struct slice id, struct slice address,
    const struct secret *password)
{
    struct ipc_msg m = {.type = MSG_DIRECTORY_BIND};
    m.u.directory_bind = (struct msg_directory_bind){
        .address = address, .directory_id = id, .password = secret_reveal(password)};
    return question_send(vp, &m, on_bound, exchange, NULL);
}

/* ---- comparing ---- */

struct vault_sync {
    struct list link; /* of those that wait for their turn */
    struct vault_process *vp;
    struct asker_wait *wait; /* the command that asked; NULL: it was time */
    struct vault_directory_run run;
    enum err failed;
    uint64_t request;
    bool force;
};

static void on_change(void *owner, const char *action, struct slice address, struct slice detail)
{
    struct vault_sync *s = owner;
    log_event(
        LOG_INFO, s->run.dry_run ? "directory.would" : "directory.change", LOG_STR("action", action),
        LOG_TEXT("account", address), LOG_TEXT("detail", detail));
    if (!s->wait)
        return;
    struct ipc_msg item = {.type = MSG_DIRECTORY_CHANGE};
    item.u.directory_change = (struct msg_directory_change){
        .action = slice_str(action),
        .address = slice_sub(address, 0, 320),
        .detail = slice_sub(detail, 0, 512)};
    asked_item(&s->wait->asked, &item);
}

static void sync_next(struct vault_process *vp);

static void sync_free(struct vault_sync *s)
{
    if (s->wait) {
        asker_wait_drop(s->wait);
        free(s->wait);
    }
    vault_directory_end(&s->run);
    list_drop(&s->link);
    free(s);
}

static void sync_end(struct vault_sync *s, enum err e, struct slice text)
{
    struct vault_process *vp = s->vp;
    log_event(
        e == OK ? LOG_INFO : LOG_WARN, e == OK ? "directory.synced" : "directory.not-synced",
        LOG_NUM("people", s->run.people), LOG_NUM("changes", s->run.changes), LOG_TEXT("reason", text));
    if (s->wait)
        asked_done(&s->wait->asked, e, SLICE_EMPTY, text);
    uint64_t refresh = config_number(vp->proc->config, CONFIG_DIRECTORY_REFRESH);
    timer_start(&vp->directory.refresh, e == OK || refresh < AGAIN_MS ? refresh : AGAIN_MS);
    vp->directory.sync = NULL;
    sync_free(s);
    sync_next(vp);
}

static void sync_done(struct vault_sync *s)
{
    struct vault *v = s->vp->vault;
    vault_set_actor(v, S("directory"));
    enum err e = vault_directory_finish(&s->run, s->force);
    vault_set_actor(v, SLICE_EMPTY);
    sync_end(s, e, e == OK ? SLICE_EMPTY : vault_problem(v).n ? vault_problem(v) : slice_str(err_text(e)));
}

static void on_listed(void *owner, enum err why, struct ipc_msg *m);

static enum err sync_ask(struct vault_sync *s, uint64_t list, uint32_t next)
{
    struct channel *directory = directory_of(s->vp);
    struct ipc_msg m = {.type = MSG_DIRECTORY_LIST};
    m.u.directory_list = (struct msg_directory_list){.list = list, .next = next};
    if (!directory)
        return ERR_UNAVAILABLE;
    return channel_request(directory, &m, LIMIT_DIRECTORY_LIST_WAIT + GRACE_MS, on_listed, s, &s->request);
}

static void take_person(struct vault_sync *s, const struct msg_directory_person *m)
{
    struct vault *v = s->vp->vault;
    const struct vault_directory_person person = {
        .id = m->directory_id,
        .address = m->address,
        .others = m->others,
        .name = m->name,
        .group = m->group,
        .quota_bytes = m->quota_bytes,
    };
    if (s->failed != OK)
        return;
    vault_set_actor(v, S("directory"));
    s->failed = vault_directory_take(&s->run, &person);
    vault_set_actor(v, SLICE_EMPTY);
}

static void on_listed(void *owner, enum err why, struct ipc_msg *m)
{
    struct vault_sync *s = owner;
    if (why == OK && m->type == MSG_DIRECTORY_PERSON) {
        take_person(s, &m->u.directory_person);
        return;
    }
    const struct msg_directory_list_result *r = why == OK ? &m->u.directory_list_result : NULL;
    char text[128];
    if (s->failed != OK) {
        sync_end(s, s->failed, vault_problem(s->vp->vault));
    } else if (!r || r->outcome != DIRECTORY_OUTCOME_OK) {
        int n = snprintf(
            text, sizeof text, "the directory gave no whole list: " SLICE_FMT,
            SLICE_ARG(r ? r->reason : slice_str(err_text(why))));
        sync_end(s, ERR_UNAVAILABLE, slice_of(text, (size_t)n));
    } else if (r->next) {
        enum err e = sync_ask(s, r->list, r->next);
        if (e != OK)
            sync_end(s, e, S("the directory has gone"));
    } else {
        sync_done(s);
    }
}

/* The texts of the domains are the configuration's, which lives as long as the process. */
static void read_domains(struct vault_sync *s)
{
    size_t count;
    const struct slice *words = config_words(s->vp->proc->config, CONFIG_DIRECTORY_DOMAINS, 0, &count);
    if (count == 1 && slice_eq(words[0], S("all")))
        return;
    for (size_t i = 0; i < count && i < LIMIT_DIRECTORY_DOMAINS; i++)
        s->run.domains[s->run.domain_count++] = words[i];
}

static struct vault_sync *sync_new(struct vault_process *vp, bool dry_run, bool force)
{
    struct vault_sync *s = NEW(struct vault_sync);
    s->vp = vp;
    s->force = force;
    s->run = (struct vault_directory_run){.v = vp->vault, .dry_run = dry_run, .tell = on_change, .owner = s};
    read_domains(s);
    vault_directory_begin(&s->run);
    list_add(&vp->directory.waiting, &s->link);
    return s;
}

static void sync_next(struct vault_process *vp)
{
    struct vault_sync *s = LIST_FIRST(&vp->directory.waiting, struct vault_sync, link);
    if (vp->directory.sync || !s)
        return;
    list_drop(&s->link);
    vp->directory.sync = s;
    enum err e = sync_ask(s, 0, 0);
    if (e != OK)
        sync_end(s, e, S("the directory is not there"));
}

static void on_refresh(struct timer *t)
{
    struct vault_process *vp = t->owner;
    if (!vp->directory.sync && list_is_empty(&vp->directory.waiting))
        (void)sync_new(vp, false, false);
    sync_next(vp);
}

void vault_directory_start(struct vault_process *vp)
{
    list_init(&vp->directory.waiting);
    list_init(&vp->directory.questions);
    timer_init(&vp->directory.refresh, vp->proc->loop, on_refresh, vp);
}

void vault_directory_up(struct vault_process *vp)
{
    timer_start(&vp->directory.refresh, SOON_MS);
}

/* Nobody may be called back any more. */
void vault_directory_stop(struct vault_process *vp)
{
    struct channel *directory = directory_of(vp);
    timer_stop(&vp->directory.refresh);
    LIST_EACH (&vp->directory.questions, struct directory_question, link, q) {
        channel_forget(directory, q->request);
        question_free(q);
    }
    if (vp->directory.sync) {
        channel_forget(directory, vp->directory.sync->request);
        sync_free(vp->directory.sync);
        vp->directory.sync = NULL;
    }
    LIST_EACH (&vp->directory.waiting, struct vault_sync, link, s)
        sync_free(s);
}

/* ---- commands ---- */

static bool has_directory(struct asked *a)
{
    if (config_directory(a->vp->proc->config) && !a->vp->proc->offline)
        return true;
    asked_done(
        a, ERR_UNSUPPORTED, SLICE_EMPTY,
        S("this server asks no directory: set directory in letterlock.conf, and start it (letterlock "
          "serve)"));
    return false;
}

static struct asker_wait *wait_new(struct asked *a)
{
    struct asker_wait *w = NEW(struct asker_wait);
    w->asked = *a;
    asker_wait_add(a->vp, w);
    return w;
}

enum err vault_do_directory_sync(struct asked *a, struct ipc_msg *m)
{
    const struct msg_directory_sync *d = &m->u.directory_sync;
    if (!has_directory(a))
        return ERR_AGAIN;
    struct vault_sync *s = sync_new(a->vp, d->dry_run, d->force);
    s->wait = wait_new(a);
    sync_next(a->vp);
    return ERR_AGAIN;
}

static void on_probed(void *owner, enum err why, struct ipc_msg *m)
{
    struct directory_question *q = owner;
    if (why == OK && m->type == MSG_DIRECTORY_STEP) {
        asked_item(&q->wait->asked, m);
        return;
    }
    static const enum err results[] = {
        [DIRECTORY_OUTCOME_OK] = OK,
        [DIRECTORY_OUTCOME_NO] = ERR_DENIED,
        [DIRECTORY_OUTCOME_AMBIGUOUS] = ERR_STATE,
        [DIRECTORY_OUTCOME_LATER] = ERR_UNAVAILABLE,
    };
    enum err e = why == OK ? results[m->u.directory_bind_result.outcome] : ERR_UNAVAILABLE;
    struct slice reason = why == OK ? m->u.directory_bind_result.reason : slice_str(err_text(why));
    asked_done(&q->wait->asked, e, SLICE_EMPTY, e == OK ? SLICE_EMPTY : reason);
    question_free(q);
}

enum err vault_do_directory_test(struct asked *a, struct ipc_msg *m)
{
    struct ipc_msg ask = {.type = MSG_DIRECTORY_PROBE};
    ask.u.directory_probe = (struct msg_directory_probe){
        .address = m->u.directory_test.address, .password = m->u.directory_test.password};
    if (!has_directory(a))
        return ERR_AGAIN;
    struct asker_wait *w = wait_new(a);
    enum err e = question_send(a->vp, &ask, on_probed, 0, w);
    if (e == OK)
        return ERR_AGAIN;
    asker_wait_drop(w);
    free(w);
    return e;
}

/* directory_main.c - the process that asks the LDAP server, for the vault alone. See src/directory/server.h.
 *
 * Questions wait on pool threads: libldap makes TLS by waiting, whatever one asks of it, so a loop would stand still with a
 * server that hangs. The threads and their queue are few; who finds them all taken is told "later" at once. New settings and
 * files are taken by ending: the supervisor starts this process again with them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "directory/server.h"
#include "proc/child.h"

enum { SLAB = 262144, LIST_KEPT_MS = 120000 };

struct kept_list {
    uint64_t id; /* 0: none */
    struct directory_people people;
    struct timer forget;
};

struct directory_process {
    struct proc *proc;
    struct secret_slab *slab;
    struct secret secret;
    int ca; /* -1: none came */
    struct names names;
    struct directory *directory;
    struct kept_list list;
    uint64_t last_list;
    unsigned asking; /* questions that wait or run */
    struct list questions;
};

/* One question on its way through the pool. It owns the password; the vault may be gone when it is answered. */
struct question {
    struct job job;
    struct list link;
    struct directory_process *dp;
    struct channel *from; /* NULL: the vault has gone */
    uint64_t id;
    enum ipc_type type;
    uint64_t until_ms;
    struct buf address, person;
    struct secret password;
    enum directory_verdict verdict;
    struct directory_answer answer;
    struct directory_people people;
};

/* ---- before the jail ---- */

/* Files come before the role has started: what they fill lies here until then. */
static struct directory_process *process_of(struct proc *p)
{
    struct directory_process *dp = p->owner;
    if (dp)
        return dp;
    p->owner = dp = NEW(struct directory_process);
    dp->proc = p;
    dp->ca = -1;
    dp->secret = SECRET_NONE;
    list_init(&dp->questions);
    crypto_init();
    dp->slab = secret_slab_new(SLAB);
    return dp;
}

static fallible take_secret(struct directory_process *dp, int fd)
{
    struct buf text __attribute__((cleanup(buf_wipe))) = BUF_INIT(LIMIT_DIRECTORY_SECRET);
    TRY(file_read_all(fd, &text));
    struct slice secret = buf_slice(&text);
    while (secret.n && (secret.p[secret.n - 1] == '\n' || secret.p[secret.n - 1] == '\r'))
        secret.n--;
    if (secret.n == 0)
        return ERR_SYNTAX;
    secret_free(&dp->secret);
    return secret_copy(dp->slab, secret, &dp->secret);
}

static void take_file(struct directory_process *dp, struct ipc_msg *m)
{
    int fd CLEANUP_FD = TAKE(m->fds[MSG_DIRECTORY_FILE_FD_CONTENTS], -1);
    if (dp->directory)
        return; /* a reload: the next process gets them */
    if (m->u.directory_file.kind == DIRECTORY_FILE_KIND_CA) {
        file_close(&dp->ca);
        dp->ca = TAKE(fd, -1);
        return;
    }
    enum err e = take_secret(dp, fd);
    if (e != OK)
        log_event(
            LOG_ERROR, "directory.secret", LOG_ERR(e),
            LOG_STR("remedy", "put the password into directory_secret"));
}

static void read_machine(struct directory_process *dp)
{
    struct buf hosts CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE), servers CLEANUP_BUF = BUF_INIT(65536);
    const struct config_directory *place = config_directory(dp->proc->config);
    if (file_read_path("/etc/hosts", &hosts) == OK)
        names_read_hosts(&dp->names, buf_slice(&hosts), place->host);
    if (file_read_path("/etc/resolv.conf", &servers) == OK)
        names_read_servers(&dp->names, buf_slice(&servers));
}

static fallible prepare(struct proc *p)
{
    struct directory_process *dp = process_of(p);
    if (!config_directory(p->config))
        return ERR_STATE;
    read_machine(dp);
    enum err e = directory_library_init(dp->ca);
    if (e == ERR_CORRUPT)
        log_event(
            LOG_ERROR, "directory.ca", LOG_ERR(e),
            LOG_STR("remedy", "directory_ca must be a file of certificates (PEM)"));
    file_close(&dp->ca);
    TRY(e);
    dp->directory = directory_new(p->config, &dp->names, &dp->secret);
    return OK;
}

/* ---- questions ---- */

static void question_free(struct question *q)
{
    list_drop(&q->link);
    q->dp->asking--;
    secret_free(&q->password);
    buf_done(&q->address);
    buf_done(&q->person);
    directory_people_done(&q->people);
    free(q);
}

static void work(struct job *j)
{
    struct question *q = CONTAINER_OF(j, struct question, job);
    if (clock_mono_ms() >= q->until_ms) {
        q->verdict = DIRECTORY_LATER;
        snprintf(q->answer.reason, sizeof q->answer.reason, "busy");
        return;
    }
    struct directory *d = q->dp->directory;
    if (q->type == MSG_DIRECTORY_LIST)
        q->verdict = directory_list(d, q->until_ms, &q->people, &q->answer);
    else
        q->verdict = directory_check(
            d, buf_slice(&q->address), buf_slice(&q->person), secret_reveal(&q->password), q->until_ms,
            &q->answer);
}

static enum ipc_directory_outcome outcome_of(enum directory_verdict v)
{
    static const enum ipc_directory_outcome outcomes[] = {
        [DIRECTORY_YES] = DIRECTORY_OUTCOME_OK,
        [DIRECTORY_NO] = DIRECTORY_OUTCOME_NO,
        [DIRECTORY_AMBIGUOUS] = DIRECTORY_OUTCOME_AMBIGUOUS,
        [DIRECTORY_LATER] = DIRECTORY_OUTCOME_LATER,
    };
    return outcomes[v];
}

static void answer_plain(
    struct channel *to, uint64_t id, enum ipc_type type, enum directory_verdict v, const char *reason)
{
    struct ipc_msg m = {
        .type = type == MSG_DIRECTORY_LIST ? MSG_DIRECTORY_LIST_RESULT : MSG_DIRECTORY_BIND_RESULT};
    if (type == MSG_DIRECTORY_LIST) {
        m.u.directory_list_result.outcome = outcome_of(v);
        m.u.directory_list_result.reason = slice_str(reason);
    } else {
        m.u.directory_bind_result.outcome = outcome_of(v);
        m.u.directory_bind_result.reason = slice_str(reason);
    }
    if (to)
        IGNORE(channel_answer(to, id, &m), "a vault that is gone asks again");
}

/* ---- the list, some at a time ---- */

static void list_forget(struct directory_process *dp)
{
    dp->list.id = 0;
    timer_stop(&dp->list.forget);
    directory_people_done(&dp->list.people);
}

static void on_forget(struct timer *t)
{
    list_forget(t->owner);
}

static void list_send(struct directory_process *dp, struct channel *to, uint64_t id, size_t from)
{
    const struct directory_people *people = &dp->list.people;
    size_t end = from + LIMIT_DIRECTORY_BATCH < people->count ? from + LIMIT_DIRECTORY_BATCH : people->count;
    for (size_t i = from; i < end; i++) {
        const struct directory_person *p = &people->list[i];
        struct ipc_msg item = {.type = MSG_DIRECTORY_PERSON};
        item.u.directory_person = (struct msg_directory_person){
            .directory_id = p->id,
            .address = p->address,
            .others = p->others,
            .name = p->name,
            .group = p->group,
            .quota_bytes = p->quota_bytes,
        };
        if (channel_answer(to, id, &item) != OK) {
            answer_plain(to, id, MSG_DIRECTORY_LIST, DIRECTORY_LATER, "busy");
            return;
        }
    }
    struct ipc_msg m = {.type = MSG_DIRECTORY_LIST_RESULT};
    m.u.directory_list_result = (struct msg_directory_list_result){
        .outcome = DIRECTORY_OUTCOME_OK,
        .reason = S("ok"),
        .list = dp->list.id,
        .next = end < people->count ? (uint32_t)end : 0,
        .total = (uint32_t)people->count,
    };
    IGNORE(channel_answer(to, id, &m), "a vault that is gone asks again");
    if (end == people->count)
        list_forget(dp);
    else
        timer_start(&dp->list.forget, LIST_KEPT_MS);
}

static void list_keep(struct question *q)
{
    struct directory_process *dp = q->dp;
    list_forget(dp);
    dp->list.id = ++dp->last_list;
    dp->list.people = q->people;
    q->people = (struct directory_people){.count = 0};
    if (dp->list.people.skipped)
        log_event(
            LOG_WARN, "directory.skipped", LOG_NUM("entries", dp->list.people.skipped),
            LOG_STR("effect", "they have no address or no id"));
    if (q->from)
        list_send(dp, q->from, q->id, 0);
}

/* ---- answers ---- */

static void tell(const struct question *q)
{
    bool list = q->type == MSG_DIRECTORY_LIST;
    bool odd = q->verdict == DIRECTORY_LATER || q->verdict == DIRECTORY_AMBIGUOUS;
    log_event(
        odd ? LOG_WARN : LOG_INFO, list ? "directory.list" : "directory.bind",
        LOG_TEXT("account", buf_slice(&q->address)), LOG_STR("reason", q->answer.reason),
        LOG_STR("detail", q->answer.detail));
}

static void put_steps(const struct question *q)
{
    for (size_t i = 0; q->from && i < q->answer.step_count; i++) {
        const struct directory_step *s = &q->answer.steps[i];
        struct ipc_msg item = {.type = MSG_DIRECTORY_STEP};
        item.u.directory_step = (struct msg_directory_step){
            .step = slice_str(s->name), .good = s->good, .detail = slice_str(s->detail)};
        IGNORE(channel_answer(q->from, q->id, &item), "the result says it too");
    }
}

static void done(struct job *j)
{
    struct question *q = CONTAINER_OF(j, struct question, job);
    tell(q);
    put_steps(q);
    if (q->type == MSG_DIRECTORY_LIST && q->verdict == DIRECTORY_YES)
        list_keep(q);
    else
        answer_plain(q->from, q->id, q->type, q->verdict, q->answer.reason);
    question_free(q);
}

static void
ask(struct directory_process *dp, struct channel *from, struct ipc_msg *m, struct slice address,
    struct slice person, struct slice password)
{
    struct question *q = NEW(struct question);
    uint64_t within = m->type == MSG_DIRECTORY_LIST ? LIMIT_DIRECTORY_LIST_WAIT : LIMIT_DIRECTORY_WAIT;
    q->job = (struct job){.work = work, .done = done};
    q->dp = dp;
    q->from = from;
    q->id = m->id;
    q->type = m->type;
    q->until_ms = clock_mono_ms() + within;
    q->answer.wants_steps = m->type == MSG_DIRECTORY_PROBE;
    buf_init(&q->address, LIMIT_ADDRESS);
    buf_init(&q->person, LIMIT_DIRECTORY_ID);
    buf_put(&q->address, address);
    buf_put(&q->person, person);
    list_add(&dp->questions, &q->link);
    dp->asking++;
    enum err e = password.n ? secret_copy(dp->slab, password, &q->password) : OK;
    if (e == OK)
        e = buf_check(&q->address) == OK ? buf_check(&q->person) : ERR_LIMIT;
    if (e == OK)
        e = pool_submit(dp->proc->pool, &q->job);
    if (e == OK)
        return;
    log_event(LOG_WARN, "directory.busy", LOG_ERR(e), LOG_NUM("asking", dp->asking));
    answer_plain(from, m->id, m->type, DIRECTORY_LATER, "busy");
    question_free(q);
}

static void on_list(struct directory_process *dp, struct channel *from, struct ipc_msg *m)
{
    const struct msg_directory_list *l = &m->u.directory_list;
    if (l->list == 0)
        ask(dp, from, m, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY);
    else if (l->list == dp->list.id && l->next < dp->list.people.count)
        list_send(dp, from, m->id, l->next);
    else
        answer_plain(from, m->id, m->type, DIRECTORY_LATER, "forgotten");
}

static void on_message(struct proc *p, struct channel *from, struct ipc_msg *m)
{
    struct directory_process *dp = process_of(p);
    switch (m->type) {
    case MSG_DIRECTORY_FILE:
        take_file(dp, m);
        break;
    case MSG_DIRECTORY_LIST:
        on_list(dp, from, m);
        break;
    case MSG_DIRECTORY_BIND:
        ask(dp, from, m, m->u.directory_bind.address, m->u.directory_bind.directory_id,
            m->u.directory_bind.password);
        break;
    case MSG_DIRECTORY_PROBE:
        ask(dp, from, m, m->u.directory_probe.address, SLICE_EMPTY, m->u.directory_probe.password);
        break;
    default:
        log_event(LOG_WARN, "message.unknown", LOG_NUM("type", m->type));
    }
}

/* ---- from start to end ---- */

static fallible start(struct proc *p)
{
    struct directory_process *dp = p->owner;
    timer_init(&dp->list.forget, p->loop, on_forget, dp);
    return OK;
}

static void on_peer_down(struct proc *p, enum ipc_role role, unsigned index, enum err why)
{
    struct directory_process *dp = p->owner;
    if (role == ROLE_VAULT && dp)
        LIST_EACH (&dp->questions, struct question, link, q)
            q->from = NULL;
}

static void on_reload(struct proc *p, const struct config *before, struct buf *problem)
{
    log_event(LOG_INFO, "directory.renewed", LOG_STR("effect", "starts again with new settings and files"));
    proc_end(p);
}

static void status(struct proc *p, struct proc_status *out)
{
    struct directory_process *dp = p->owner;
    struct directory_health h;
    struct buf text CLEANUP_BUF = BUF_INIT(512);
    directory_health(dp->directory, &h);
    config_put_value(p->config, CONFIG_DIRECTORY, 0, &text);
    buf_printf(&text, ", %u questions", dp->asking);
    if (h.bad_s)
        buf_printf(&text, ", %s: %s", h.reason, h.detail);
    const char *state = h.bad_s ? "unavailable" : h.good_s ? "ok" : "not asked yet";
    proc_status_put(out, "ldap", 0, state, h.bad_s ? h.bad_s : h.good_s, buf_slice(&text));
}

static void directory_end(struct proc *p)
{
    struct directory_process *dp = p->owner;
    if (!dp)
        return;
    if (dp->directory)
        directory_hurry(dp->directory);
    pool_free(&p->pool); /* before what its jobs hold */
    LIST_EACH (&dp->questions, struct question, link, q)
        question_free(q);
    list_forget(dp);
    directory_free(&dp->directory);
    secret_free(&dp->secret);
    secret_slab_free(&dp->slab);
    file_close(&dp->ca);
    mem_free(&p->owner);
}

int main(int argc, char **argv)
{
    static const struct child_ops ops = {
        .role = ROLE_DIRECTORY,
        .prepare = prepare,
        .start = start,
        .message = on_message,
        .peer_down = on_peer_down,
        .reload = on_reload,
        .end = directory_end,
        .status = status,
    };
    return child_main(&ops, argc, argv);
}

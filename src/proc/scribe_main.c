/* scribe_main.c - the journal's only writer. It takes records from everybody, gives them their place in the hash chain,
 * and appends them to the segment of the day.
 *
 * Nobody can make it rewrite: no message says so, its files are open for appending alone, and its jail lets it neither
 * cut, rename nor remove (proc/calls.c, JAIL_APPEND). Senders never wait: what the disk does not take waits here up to
 * LIMIT_AUDIT_PENDING, and what comes then is dropped and counted.
 *
 * A line that a power failure cut short is moved to DAY.torn before the jail closes; nothing is deleted.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/journal.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "proc/child.h"

enum { SYNC_EVERY_MS = 1000 };
#define SUFFIX ".journal"

struct scribe {
    struct proc *p;
    struct audit_chain chain;
    char segment[AUDIT_NAME_LEN + 1]; /* the name of the open one; empty: none */
    int fd;
    struct buf pending; /* encoded, not written yet */
    struct task write;  /* at the end of the turn */
    struct timer sync;
    bool unsynced, failing;
    uint64_t written, dropped;
};

/* ------------------------------------------------------------------------------------------------ what is there already */

static bool is_segment(const char *name)
{
    return strlen(name) == AUDIT_NAME_LEN && strcmp(name + AUDIT_NAME_LEN - strlen(SUFFIX), SUFFIX) == 0;
}

/* The latest segment before the one named `before` (empty: of all); names sort by day. False when there is none. */
static bool latest_segment(const char *before, char ret_name[AUDIT_NAME_LEN + 1])
{
    char best[AUDIT_NAME_LEN + 1] = "";
    DIR *dir = opendir(".");
    if (!dir)
        return false;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (is_segment(entry->d_name) && (!*before || strcmp(entry->d_name, before) < 0) &&
            strcmp(entry->d_name, best) > 0)
            memcpy(best, entry->d_name, sizeof best);
    closedir(dir);
    if (*best)
        memcpy(ret_name, best, sizeof best);
    return *best;
}

/* The last LIMIT_AUDIT_TAIL octets of a file; *ret_from is where they begin. */
static fallible read_tail(int fd, struct buf *out, off_t *ret_from)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_of_errno(errno);
    off_t from = st.st_size > LIMIT_AUDIT_TAIL ? st.st_size - LIMIT_AUDIT_TAIL : 0;
    if (lseek(fd, from, SEEK_SET) < 0)
        return err_of_errno(errno);
    TRY(file_read_all(fd, out));
    *ret_from = from;
    return OK;
}

/* Puts octets behind what DAY.torn has already, and the disk has them before the journal loses them. */
static fallible keep_torn(const char *segment, struct slice torn)
{
    char name[AUDIT_NAME_LEN + 1];
    snprintf(name, sizeof name, "%.10s.torn", segment);
    int fd CLEANUP_FD = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_of_errno(errno);
    TRY(file_write_all(fd, torn));
    TRY(file_write_all(fd, S("\n")));
    return fsync(fd) == 0 ? OK : err_of_errno(errno);
}

static fallible set_torn_aside(struct proc *p)
{
    char segment[AUDIT_NAME_LEN + 1];
    if (!latest_segment("", segment))
        return OK;
    int fd CLEANUP_FD = open(segment, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_of_errno(errno);
    struct buf tail CLEANUP_BUF = BUF_INIT(LIMIT_AUDIT_TAIL);
    off_t from;
    TRY(read_tail(fd, &tail, &from));
    size_t whole = audit_whole_lines(buf_slice(&tail));
    if (whole == tail.n)
        return OK;
    TRY(keep_torn(segment, slice_from(buf_slice(&tail), whole)));
    if (ftruncate(fd, from + (off_t)whole) != 0 || fsync(fd) != 0)
        return err_of_errno(errno);
    log_event(
        LOG_WARN, "journal.torn-line", LOG_STR("segment", segment), LOG_NUM("octets", tail.n - whole),
        LOG_STR("effect", "set aside in the file of that day that ends in .torn"));
    return OK;
}

/* The chain goes on behind the last line of the latest segment that has one. */
static fallible resume_chain(struct scribe *s)
{
    char name[AUDIT_NAME_LEN + 1], before[AUDIT_NAME_LEN + 1] = "";
    s->chain = AUDIT_CHAIN_START;
    while (latest_segment(before, name)) {
        int fd CLEANUP_FD = open(name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return err_of_errno(errno);
        struct buf tail CLEANUP_BUF = BUF_INIT(LIMIT_AUDIT_TAIL);
        off_t from;
        TRY(read_tail(fd, &tail, &from));
        struct slice line = audit_last_line(buf_slice(&tail));
        if (line.n && audit_resume(line, &s->chain) == OK)
            return OK;
        if (line.n)
            log_event(
                LOG_ERROR, "alert.journal-damaged", LOG_STR("segment", name),
                LOG_STR("effect", "the chain goes on behind the segment before it"));
        memcpy(before, name, sizeof before);
    }
    return OK;
}

/* ----------------------------------------------------------------------------------------------------------- writing */

static void sync_now(struct scribe *s)
{
    if (s->fd >= 0 && s->unsynced && fdatasync(s->fd) != 0)
        log_event(LOG_ERROR, "journal.sync-failed", LOG_STR("segment", s->segment), LOG_ERRNO());
    s->unsynced = false;
}

/* The folder's entry is synced with the new file, or a power failure could lose both. */
static fallible open_segment(struct scribe *s, const char *name)
{
    sync_now(s);
    file_close(&s->fd);
    int fd CLEANUP_FD = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int folder CLEANUP_FD = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || folder < 0 || fsync(folder) != 0)
        return err_of_errno(errno);
    s->fd = TAKE(fd, -1);
    memcpy(s->segment, name, sizeof s->segment);
    return OK;
}

/* The segment of today. A clock that goes back goes on in the later one: segments stay in the order of the chain. */
static fallible choose_segment(struct scribe *s)
{
    char name[AUDIT_NAME_LEN + 1];
    audit_segment_name(clock_unix_ms(), name);
    if (s->fd >= 0 && strcmp(name, s->segment) <= 0)
        return OK;
    return open_segment(s, strcmp(name, s->segment) > 0 ? name : s->segment);
}

static fallible write_pending(struct scribe *s)
{
    TRY(choose_segment(s));
    while (s->pending.n) {
        ssize_t n = write(s->fd, s->pending.p, s->pending.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_of_errno(errno);
        buf_drop_front(&s->pending, (size_t)n);
        s->unsynced = true;
    }
    buf_release(&s->pending);
    return OK;
}

static void write_and_tell(struct scribe *s)
{
    enum err e = s->pending.n ? write_pending(s) : OK;
    if (e != OK && !s->failing)
        log_event(
            LOG_ERROR, "alert.journal-not-written", LOG_STR("segment", s->segment), LOG_ERR(e), LOG_ERRNO(),
            LOG_NUM("waiting_octets", s->pending.n));
    if (e == OK && s->failing)
        log_event(LOG_INFO, "journal.written-again", LOG_NUM("dropped", s->dropped));
    s->failing = e != OK;
}

static void on_write(struct task *t)
{
    write_and_tell(t->owner);
}

static void on_sync(struct timer *t)
{
    struct scribe *s = t->owner;
    if (s->failing)
        write_and_tell(s);
    sync_now(s);
    timer_start(t, SYNC_EVERY_MS);
}

/* --------------------------------------------------------------------------------------------------------- the process */

static void take_record(struct proc *p, struct channel *from, struct ipc_msg *m)
{
    struct scribe *s = p->owner;
    char process[PROC_NAME_MAX];
    if (m->type != MSG_AUDIT)
        return;
    role_process_name(channel_peer(from), channel_peer_index(from), process);
    const struct audit_record record = {
        .time_ms = m->u.audit.time_ms,
        .kind = m->u.audit.kind,
        .process = slice_str(process),
        .actor = m->u.audit.actor,
        .subject = m->u.audit.subject,
        .body = m->u.audit.body,
    };
    enum err e = audit_encode(&s->chain, &record, &s->pending);
    if (e == OK) {
        s->written++;
    } else {
        s->pending.failed = false; /* nothing was appended, and what is there is whole */
        s->dropped++;
    }
    if (!s->failing)
        loop_defer(p->loop, &s->write);
}

static enum err scribe_prepare(struct proc *p)
{
    crypto_init();
    struct scribe *s = NEW(struct scribe);
    *s = (struct scribe){.p = p, .fd = -1, .pending = BUF_INIT(LIMIT_AUDIT_PENDING)};
    p->owner = s;
    return OK;
}

static enum err scribe_start(struct proc *p)
{
    struct scribe *s = p->owner;
    task_init(&s->write, on_write, s);
    timer_init(&s->sync, p->loop, on_sync, s);
    if (latest_segment("", s->segment))
        TRY(resume_chain(s));
    else
        s->chain = AUDIT_CHAIN_START;
    timer_start(&s->sync, SYNC_EVERY_MS);
    return OK;
}

static void scribe_stop(struct proc *p, uint64_t within_ms)
{
    struct scribe *s = p->owner;
    write_and_tell(s);
    sync_now(s);
    proc_end(p);
}

static void scribe_status(struct proc *p, struct proc_status *out)
{
    const struct scribe *s = p->owner;
    char detail[160];
    int n = snprintf(
        detail, sizeof detail, "segment=%s records=%llu dropped=%llu next=%llu", s->segment,
        (unsigned long long)s->written, (unsigned long long)s->dropped, (unsigned long long)s->chain.next);
    proc_status_put(
        out, "journal", 0, s->failing ? "not-written" : "written", p->started_s, slice_of(detail, (size_t)n));
}

static void scribe_end(struct proc *p)
{
    struct scribe *s = p->owner;
    if (!s)
        return;
    task_stop(&s->write);
    timer_stop(&s->sync);
    file_close(&s->fd);
    buf_done(&s->pending);
    free(s);
}

int main(int argc, char **argv)
{
    static const struct child_ops ops = {
        .role = ROLE_SCRIBE,
        .prepare = scribe_prepare,
        .last_act = set_torn_aside,
        .start = scribe_start,
        .message = take_record,
        .stop = scribe_stop,
        .status = scribe_status,
        .end = scribe_end,
    };
    return child_main(&ops, argc, argv);
}

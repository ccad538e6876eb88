/* vault_collect.c - commands that the vault answers with the help of other processes: status and backup. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"
#include "proc/vault.h"

enum { COPY_PAGES = 1 << 20 };

static struct asker_wait *wait_new(const struct asked *a)
{
    struct asker_wait *w = NEW(struct asker_wait);
    w->asked = *a;
    asker_wait_add(a->vp, w);
    return w;
}

static void wait_free(struct asker_wait *w)
{
    asker_wait_drop(w);
    free(w);
}

/* ---- status: everybody's lines, by way of the supervisor ---- */

static void end_status(struct asked *a)
{
    struct ipc_msg m = {.type = MSG_STATUS_END};
    if (a->from)
        IGNORE(channel_answer(a->from, a->id, &m), "a command that is gone needs no answer");
}

static void on_status(void *owner, enum err why, struct ipc_msg *m)
{
    struct asker_wait *w = owner;
    if (why == OK && m->type == MSG_STATUS_LINE) {
        asked_item(&w->asked, m);
        return;
    }
    end_status(&w->asked);
    wait_free(w);
}

enum err vault_do_status(struct asked *a, struct ipc_msg *m)
{
    (void)m;
    struct proc *p = a->vp->proc;
    struct ipc_msg ask = {.type = MSG_STATUS_COLLECT};
    struct asker_wait *w = wait_new(a);
    enum err e = p->offline || !p->supervisor ? ERR_UNAVAILABLE
                                              : channel_request(p->supervisor, &ask, 0, on_status, w, NULL);
    if (e != OK) {
        end_status(a);
        wait_free(w);
    }
    return ERR_AGAIN;
}

/* ---- backup of an account, or of what waits in a slot: the keeper's files pass through ---- */

static void on_snapshot(void *owner, enum err why, struct ipc_msg *m)
{
    struct asker_wait *w = owner;
    if (why == OK && m->type == MSG_SNAPSHOT_FILE) {
        struct ipc_msg item = {.type = MSG_BACKUP_FILE, .fd_count = 1};
        item.u.backup_file =
            (struct msg_backup_file){.name = m->u.snapshot_file.name, .size = m->u.snapshot_file.size};
        item.fds[0] = TAKE(m->fds[0], -1);
        if (w->asked.from)
            asked_item(&w->asked, &item);
        else
            file_close(&item.fds[0]);
        return;
    }
    static const enum err results[] = {
        [RECIPIENT_OUTCOME_OK] = OK,
        [RECIPIENT_OUTCOME_FULL] = ERR_DISK_FULL,
        [RECIPIENT_OUTCOME_LATER] = ERR_UNAVAILABLE,
        [RECIPIENT_OUTCOME_GONE] = ERR_NOT_FOUND,
    };
    enum err e = why == OK ? results[m->u.snapshot_result.outcome] : why;
    asked_done(&w->asked, e, SLICE_EMPTY, e == OK ? SLICE_EMPTY : slice_str(err_text(e)));
    wait_free(w);
}

static enum err ask_keeper(struct asked *a, uint8_t slot, struct ipc_msg *ask)
{
    struct channel *keeper = proc_keeper_of(a->vp->proc, slot);
    if (!keeper) {
        asked_done(
            a, ERR_UNAVAILABLE, SLICE_EMPTY, S("mail is backed up by the running server: letterlock serve"));
        return ERR_AGAIN;
    }
    struct asker_wait *w = wait_new(a);
    enum err e = channel_request(keeper, ask, 0, on_snapshot, w, NULL);
    if (e != OK)
        wait_free(w);
    return e == OK ? ERR_AGAIN : e;
}

enum err vault_do_backup_account(struct asked *a, struct ipc_msg *m)
{
    const struct msg_backup_account *b = &m->u.backup_account;
    struct ipc_msg ask = {.type = MSG_SNAPSHOT};
    ask.u.snapshot = (struct msg_snapshot){.account = b->account, .slot = b->slot};
    return ask_keeper(a, b->slot, &ask);
}

enum err vault_do_backup_transit(struct asked *a, struct ipc_msg *m)
{
    uint8_t slot = m->u.backup_transit.slot;
    struct ipc_msg ask = {.type = MSG_SNAPSHOT_TRANSIT, .u.snapshot_transit.slot = slot};
    return ask_keeper(a, slot, &ask);
}

/* ---- backup of the vault: both containers as of one moment, because nothing else runs meanwhile ---- */

static fallible copy_container(struct vault_process *vp, enum vault_container c, const char *path)
{
    struct db_copy *copy = NULL;
    TRY(db_copy_new(vault_container_db(vp->vault, c), vp->folder, path, &copy));
    enum err e;
    do
        e = db_copy_step(copy, COPY_PAGES);
    while (e == ERR_AGAIN);
    db_copy_free(&copy);
    return e;
}

static fallible send_container(struct asked *a, enum vault_container c)
{
    char path[64], name[64];
    snprintf(path, sizeof path, "backup-%s", vault_container_file(c));
    snprintf(name, sizeof name, "vault/%s", vault_container_file(c));
    unlinkat(a->vp->folder, path, 0); /* what a crash left */
    enum err e = copy_container(a->vp, c, path);
    int fd CLEANUP_FD = e == OK ? openat(a->vp->folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
    unlinkat(a->vp->folder, path, 0);
    TRY(e);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_of_errno(errno);
    struct ipc_msg item = {.type = MSG_BACKUP_FILE, .fd_count = 1};
    item.u.backup_file = (struct msg_backup_file){.name = slice_str(name), .size = (uint64_t)st.st_size};
    item.fds[0] = TAKE(fd, -1);
    asked_item(a, &item);
    return OK;
}

enum err vault_do_backup_vault(struct asked *a, struct ipc_msg *m)
{
    (void)m;
    TRY(vault_flush(a->vp->vault));
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++)
        TRY(send_container(a, (enum vault_container)c));
    return OK;
}

/* supervisor_poison.c - which message killed a keeper, how often, and what is done about it. See ipc/poison.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/supervisor.h"

/* Its size is sealed, so that a keeper gone mad cannot cut it under our feet. */
fallible poison_page_new(struct process *keeper)
{
    keeper->poison_fd = -1;
    int fd CLEANUP_FD = memfd_create(keeper->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, sizeof(struct poison_page)) != 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
        return err_of_errno(errno);
    void *page = mmap(NULL, sizeof(struct poison_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED)
        return err_of_errno(errno);
    keeper->poison = page;
    keeper->poison_fd = TAKE(fd, -1);
    return OK;
}

void poison_page_free(struct process *keeper)
{
    if (keeper->poison)
        munmap(keeper->poison, sizeof(struct poison_page));
    keeper->poison = NULL;
    file_close(&keeper->poison_fd);
}

static fallible send_poisoned(struct process *keeper, const struct poisoned *which)
{
    struct ipc_msg m = {.type = MSG_POISONED};
    m.u.poisoned.account = which->entry.account;
    m.u.poisoned.message = which->entry.message;
    return channel_send(keeper->channel, &m);
}

fallible poison_introduce(struct process *keeper)
{
    struct supervisor *s = keeper->s;
    struct ipc_msg m = {.type = MSG_POISON_PAGE, .fd_count = 1};
    m.fds[0] = fcntl(keeper->poison_fd, F_DUPFD_CLOEXEC, 3);
    if (m.fds[0] < 0)
        return err_of_errno(errno);
    TRY(channel_send(keeper->channel, &m));
    for (size_t i = 0; i < s->poisoned_count; i++)
        if (s->poisoned[i].keeper == keeper->index && s->poisoned[i].deaths >= LIMIT_POISON_DEATHS)
            TRY(send_poisoned(keeper, &s->poisoned[i]));
    return OK;
}

/* The entry of this message; when the table is full, the place of one with the fewest deaths. */
static struct poisoned *poisoned_of(struct supervisor *s, unsigned keeper, const struct poison_entry *entry)
{
    struct poisoned *least = NULL;
    for (size_t i = 0; i < s->poisoned_count; i++) {
        struct poisoned *p = &s->poisoned[i];
        if (p->keeper == keeper && p->entry.message == entry->message &&
            account_id_eq(&p->entry.account, &entry->account))
            return p;
        if (!least || p->deaths < least->deaths)
            least = p;
    }
    struct poisoned *p = s->poisoned_count < LIMIT_POISON_ENTRIES ? &s->poisoned[s->poisoned_count++] : least;
    *p = (struct poisoned){.keeper = keeper, .entry = *entry};
    return p;
}

static void tell(struct supervisor *s, const struct process *keeper, const struct poisoned *p)
{
    char account[ID_HEX_LEN + 1];
    struct buf hex = BUF_INIT(ID_HEX_LEN), body = BUF_INIT(256);
    hex_put(&hex, slice_of(p->entry.account.b, sizeof p->entry.account.b));
    snprintf(account, sizeof account, "%.*s", SLICE_ARG(buf_slice(&hex)));
    bool deadly = p->deaths >= LIMIT_POISON_DEATHS;
    size_t n = strnlen(p->entry.operation, sizeof p->entry.operation);
    log_event(
        deadly ? LOG_ERROR : LOG_WARN, deadly ? "alert.poison" : "process.died-on-message",
        LOG_STR("died", keeper->name), LOG_STR("account", account), LOG_NUM("message", p->entry.message),
        LOG_TEXT("operation", slice_of(p->entry.operation, n)), LOG_NUM("deaths", p->deaths));
    buf_printf(&body, "message=%llu\ndeaths=%u\n", (unsigned long long)p->entry.message, p->deaths);
    if (deadly)
        supervisor_audit(s, "message.poisoned", slice_str(account), buf_slice(&body));
    buf_done(&hex);
    buf_done(&body);
}

void poison_look(struct process *keeper)
{
    struct supervisor *s = keeper->s;
    struct poison_page *page = keeper->poison;
    if (!page || atomic_load(&page->depth) == 0)
        return;
    struct poison_entry entry = page->entry;
    *page = (struct poison_page){0};
    struct poisoned *p = poisoned_of(s, keeper->index, &entry);
    p->entry = entry;
    p->deaths++;
    tell(s, keeper, p);
}

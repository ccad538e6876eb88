/* vault_rotate.c - `letterlock vault rotate`. */
#include "vault/rotate.h"

#include "base/log.h"
#include "proc/vault.h"

static void put_progress(void *owner, uint64_t done, uint64_t total)
{
    struct ipc_msg item = {.type = MSG_PROGRESS, .u.progress = {.done = done, .total = total}};
    asked_item(owner, &item);
}

static enum err rotate(struct asked *a, enum vault_container c)
{
    enum err e = vault_rotate(a->vp->vault, c, put_progress, a);
    log_event(
        e == OK                ? LOG_INFO
        : e == ERR_UNSUPPORTED ? LOG_WARN
                               : LOG_ERROR,
        "vault.rotate", LOG_STR("container", vault_container_name(c)), LOG_ERR(e));
    return e;
}

/* Nothing else is served meanwhile: some seconds for a hundred thousand credentials. */
enum err vault_do_rotate(struct asked *a, struct ipc_msg *m)
{
    struct slice wanted = m->u.vault_rotate.container;
    bool any = false;
    for (unsigned c = 0; c < VAULT_CONTAINERS; c++) {
        struct slice name = slice_str(vault_container_name((enum vault_container)c));
        if (wanted.n && !slice_eq(wanted, name))
            continue;
        TRY(rotate(a, (enum vault_container)c));
        any = true;
    }
    return any ? OK : ERR_SYNTAX;
}

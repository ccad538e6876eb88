/* supervisor_stop.c - stopping in order: who takes work in ends first, who is needed to finish it ends last. */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "proc/supervisor.h"

enum { STAGES = 3, PATIENCE_MS = 1000 };
#define BIT(role) (1u << (role))

static const unsigned stage_roles[STAGES] = {
    /* Together: a gate waits for its signed-in sessions, to whom only their keepers can say goodbye. */
    BIT(ROLE_GATE) | BIT(ROLE_KEEPER) | BIT(ROLE_SCAN) | BIT(ROLE_RELAY),
    BIT(ROLE_VAULT) | BIT(ROLE_DIRECTORY),
    BIT(ROLE_SCRIBE),
};

static void on_patience_over(struct timer *t)
{
    struct process *p = t->owner;
    log_event(LOG_WARN, "process.stop-timeout", LOG_STR("name", p->name), LOG_NUM("pid", p->run.pid));
    syscall(SYS_pidfd_send_signal, p->run.pidfd, SIGKILL, NULL, 0);
}

static void process_stop(struct process *p)
{
    timer_stop(&p->timer);
    if (!process_is_alive(p)) {
        process_set_state(p, PROCESS_DOWN);
        return;
    }
    process_set_state(p, PROCESS_STOPPING);
    struct ipc_msg m = {.type = MSG_STOP};
    m.u.stop.within_ms = LIMIT_STOP_TIME;
    enum err e = p->channel ? channel_send(p->channel, &m) : ERR_CLOSED;
    timer_init(&p->timer, p->s->loop, on_patience_over, p);
    timer_start(&p->timer, e == OK ? LIMIT_STOP_TIME + PATIENCE_MS : 1);
}

static void stage_begin(struct supervisor *s)
{
    for (unsigned i = 0; i < s->process_count; i++)
        if (stage_roles[s->stop_stage] & BIT(s->processes[i].role))
            process_stop(&s->processes[i]);
}

static bool stage_is_over(const struct supervisor *s)
{
    for (unsigned i = 0; i < s->process_count; i++)
        if ((stage_roles[s->stop_stage] & BIT(s->processes[i].role)) && process_is_alive(&s->processes[i]))
            return false;
    return true;
}

void stop_advance(struct supervisor *s)
{
    while (s->stop_stage < STAGES && stage_is_over(s))
        if (++s->stop_stage < STAGES)
            stage_begin(s);
    if (s->stop_stage == STAGES)
        loop_stop(s->loop);
}

void supervisor_stop(struct supervisor *s, const char *why)
{
    if (s->stopping)
        return;
    s->stopping = true;
    log_event(LOG_INFO, "server.stopping", LOG_STR("reason", why));
    supervisor_audit(s, "server.stopping", slice_str(why), SLICE_EMPTY);
    notify_send(&s->notify, "STOPPING=1", "Finishing what is going on");
    control_close(s);
    doors_close(s);
    stage_begin(s);
    stop_advance(s);
}

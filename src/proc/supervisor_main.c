/* supervisor_main.c - `letterlock serve`: the order of the supervisor's start, and its end. See supervisor.h.
 *
 * Usage: letterlock-supervisor DIR. Exit status: 0 after a stop, 78 when the configuration or a file it names cannot be
 * used, 69 when a port or folder is taken, 70 when the environment is unusable. Every failure is a log line with what to
 * do about it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/supervisor.h"

enum { EXIT_USAGE = 64, EXIT_TAKEN = 69, EXIT_CONFIG = 78, RETRY_MS = 100 };

static _Noreturn void give_up(int status, const char *event, const struct launch_problem *problem)
{
    log_event(LOG_ERROR, event, LOG_STR("problem", problem->text), LOG_STR("remedy", problem->remedy));
    exit(status);
}

void supervisor_audit(struct supervisor *s, const char *kind, struct slice subject, struct slice body)
{
    for (unsigned i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->role != ROLE_SCRIBE || !p->channel)
            continue;
        struct ipc_msg m = {.type = MSG_AUDIT};
        m.u.audit = (struct msg_audit){
            .time_ms = clock_unix_ms(), .kind = slice_str(kind), .subject = subject, .body = body};
        if (channel_send(p->channel, &m) != OK)
            log_event(LOG_WARN, "audit.lost", LOG_STR("kind", kind));
        return;
    }
}

static void start_log(const struct supervisor *s)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR};
    static const enum log_form forms[] = {LOG_FORM_AUTO, LOG_FORM_TEXT, LOG_FORM_JSON};
    log_init(
        "supervisor", 2, forms[config_number(s->config, CONFIG_LOG_FORM)],
        levels[config_number(s->config, CONFIG_LOG_LEVEL)]);
}

/* What a shell or a service manager may have left us. */
static void settle_environment(void)
{
    umask(077);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || fcntl(1, F_GETFD) < 0 || fcntl(2, F_GETFD) < 0)
        log_fatal_errno("standard input, output and error must be open");
    if (null > 0)
        close(null);
    static const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

static void find_programs(struct supervisor *s)
{
    for (unsigned role = ROLE_GATE; role < ROLES; role++)
        if (role_count((enum ipc_role)role, s->config, s->cores) &&
            launch_program_path((enum ipc_role)role, s->programs[role]) != OK) {
            struct launch_problem problem = {"", "Install the package again: its programs belong together."};
            snprintf(
                problem.text, sizeof problem.text, "the program %s is missing",
                role_row((enum ipc_role)role)->program);
            give_up(70, "start.failed", &problem);
        }
}

void supervisor_pause(void)
{
    poll(NULL, 0, RETRY_MS); /* woken early, it only tries early */
}

/* Processes of a server that was killed finish what they had within LIMIT_STOP_TIME and hold their folders' locks until
 * then: so long we wait. */
static void open_folders(struct supervisor *s)
{
    uint64_t deadline = clock_mono_ms() + LIMIT_STOP_TIME + 1000;
    for (unsigned r = ROLE_GATE; r < ROLES; r++) {
        enum ipc_role role = (enum ipc_role)r;
        struct launch_problem problem = {"", ""};
        if (role_count(role, s->config, s->cores) == 0)
            continue;
        uid_t uid = launch_user(role, s->as_root, s->config);
        enum err e = launch_folder(s->dir_fd, role, s->as_root, uid, &problem, &s->folders[role]);
        if (e == ERR_BUSY)
            log_event(
                LOG_WARN, "folder.busy", LOG_STR("folder", role_row(role)->folder),
                LOG_STR("effect", "waiting"));
        for (; e == ERR_BUSY && clock_mono_ms() < deadline; supervisor_pause())
            e = launch_folder(s->dir_fd, role, s->as_root, uid, &problem, &s->folders[role]);
        if (e != OK)
            give_up(e == ERR_BUSY ? EXIT_TAKEN : EXIT_CONFIG, "start.failed", &problem);
    }
}

static void on_signal(int signal, void *owner)
{
    if (signal == SIGHUP)
        supervisor_reload(owner);
    else
        supervisor_stop(owner, signal == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_watchdog(struct timer *t)
{
    struct supervisor *s = t->owner;
    notify_send(&s->notify, "WATCHDOG=1", NULL);
    timer_start(t, s->notify.watchdog_ms / 2 + 1);
}

static void open_loop(struct supervisor *s)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    s->loop = loop_new();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (loop_on_signal(s->loop, signals[i], on_signal, s) != OK)
            log_fatal_errno("signals");
    timer_init(&s->watchdog, s->loop, on_watchdog, s);
    if (s->notify.watchdog_ms)
        timer_start(&s->watchdog, s->notify.watchdog_ms / 2 + 1);
}

/* What the processes need to start they need from us: programs and libraries to run, DIR to write to. Everything else is
 * read-only for the whole family. */
static void enter_jail(struct supervisor *s)
{
    static const struct jail_tree trees[] = {
        {.path = "/", .rights = JAIL_READ | JAIL_RUN},
        {.path = ".", .rights = JAIL_WRITE | JAIL_SOCKET},
        {.path = "/dev/null", .rights = JAIL_WRITE},
    };
    const struct role_row *row = role_row(ROLE_SUPERVISOR);
    const struct jail jail = {
        .folder_fd = s->dir_fd,
        .trees = trees,
        .tree_count = sizeof trees / sizeof *trees,
        .net = row->net,
        .free_signals = true,
        .capabilities =
            s->as_root ? JAIL_CAP_BIND | JAIL_CAP_CHROOT | JAIL_CAP_SETUID | JAIL_CAP_SETGID | JAIL_CAP_KILL
                       : 0,
        .descriptors = row->descriptors,
        .memory = row->memory,
        .file_size = JAIL_UNLIMITED,
        .may_start_processes = true,
        .calls = row->calls,
    };
    struct jail_failure failure = {0};
    if (jail_enter(&jail, &s->sandbox, &failure) == OK && jail_seal(&jail, &s->sandbox, &failure) == OK)
        return;
    log_event(
        LOG_ERROR, "sandbox.failed", LOG_STR("step", failure.step),
        LOG_STR("errno", failure.error ? strerror(failure.error) : "the kernel did not do it"));
    exit(70);
}

static void supervisor_open(struct supervisor *s)
{
    struct launch_problem problem = {"", ""};
    if (check_dir(s, &problem) != OK)
        give_up(EXIT_CONFIG, "start.failed", &problem);
    if (fchdir(s->dir_fd) != 0)
        log_fatal_errno("enter DIR");
    if (reload_load(s, &s->config) != OK)
        exit(EXIT_CONFIG);
    start_log(s);
    log_event(LOG_INFO, "server.start", LOG_STR("dir", s->dir), LOG_STR("as", s->as_root ? "root" : "user"));
    find_programs(s);
    open_folders(s);
    if (doors_open(s) != OK)
        exit(EXIT_TAKEN);
    if (control_open(s, &problem) != OK)
        give_up(EXIT_TAKEN, "start.failed", &problem);
}

static void supervisor_close(struct supervisor *s)
{
    control_close(s);
    doors_close(s);
    family_done(s);
    timer_stop(&s->watchdog);
    for (unsigned role = 0; role < ROLES; role++)
        file_close(&s->folders[role]);
    config_free(&s->config);
    loop_free(&s->loop);
    notify_done(&s->notify);
    file_close(&s->dir_fd);
}

static struct supervisor *supervisor_new(const char *dir)
{
    struct supervisor *s = NEW(struct supervisor);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *s = (struct supervisor){
        .dir = dir,
        .dir_fd = -1,
        .control_fd = -1,
        .as_root = geteuid() == 0,
        .started_s = clock_unix_s(),
        .cores = cores > 0 ? (unsigned)cores : 1,
    };
    for (unsigned role = 0; role < ROLES; role++)
        s->folders[role] = -1;
    return s;
}

int main(int argc, char **argv)
{
    log_init("supervisor", 2, LOG_FORM_AUTO, LOG_INFO);
    if (argc != 2) {
        fputs("usage: letterlock-supervisor DIR (started by `letterlock serve`)\n", stderr);
        return EXIT_USAGE;
    }
    struct supervisor *s = supervisor_new(argv[1]);
    doors_adopt(s);
    notify_init(&s->notify);
    settle_environment();
    supervisor_open(s);
    open_loop(s);
    enter_jail(s);
    family_init(s);
    control_start(s);
    family_start(s);
    enum err e = loop_run(s->loop);
    log_event(LOG_INFO, "server.stopped");
    supervisor_close(s);
    free(s);
    return e == OK ? 0 : 70;
}

#ifdef SANITIZED
/* The descendants of a jailed process cannot be looked through for leaks; the unit tests look for them. */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

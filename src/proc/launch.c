#include "proc/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

uid_t launch_user(enum ipc_role role, bool as_root, const struct config *config)
{
    return as_root ? (uid_t)config_number(config, CONFIG_UID_BASE) + role_row(role)->user : geteuid();
}

/* Outputs of the server go where ours go; nothing else is taken along. Runs between fork and exec. */
static _Noreturn void become(const char *path, const char *name, int channel)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(channel, 3) < 0)
        _exit(71);
    if (channel == 3)
        fcntl(3, F_SETFD, 0);
    const int keep[] = {3};
    if (jail_close_others(3, keep, 1) != OK)
        _exit(71);
    char *argv[] = {(char *)path, (char *)name, NULL};
    char *env[3] = {NULL};
#ifdef SANITIZED
    static const char *const passed[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS"};
    char texts[2][256];
    for (size_t i = 0, n = 0; i < 2; i++)
        if (getenv(passed[i]) &&
            snprintf(texts[i], sizeof texts[i], "%s=%s", passed[i], getenv(passed[i])) > 0)
            env[n++] = texts[i];
#endif
    execve(path, argv, env);
    _exit(71);
}

fallible launch_program(const char *path, const char *name, struct launched *ret_run)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_of_errno(errno);
    int ours CLEANUP_FD = pair[0], theirs CLEANUP_FD = pair[1];
    pid_t pid = fork();
    if (pid < 0)
        return err_of_errno(errno);
    if (pid == 0)
        become(path, name, theirs);
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int e = errno;
        kill(pid, SIGKILL);
        return err_of_errno(e);
    }
    *ret_run = (struct launched){.pid = pid, .pidfd = pidfd, .channel = TAKE(ours, -1)};
    return OK;
}

fallible launch_program_path(enum ipc_role role, char ret_path[LAUNCH_PATH_MAX])
{
    static const char *const places[] = {"", "../libexec/letterlock/"};
    char self[LAUNCH_PATH_MAX / 2];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return ERR_NOT_FOUND;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (!slash)
        return ERR_NOT_FOUND;
    slash[1] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[LAUNCH_PATH_MAX];
        int used = snprintf(path, sizeof path, "%s%s%s", self, places[i], role_row(role)->program);
        if (used > 0 && (size_t)used < sizeof path && access(path, X_OK) == 0) {
            memcpy(ret_path, path, (size_t)used + 1);
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

/* ------------------------------------------------------------------------------------------------------ introduction */

struct sending {
    struct channel *channel;
};

static enum err send_setting(struct slice key, struct slice value, void *arg)
{
    struct sending *to = arg;
    struct ipc_msg m = {.type = MSG_SETTING};
    m.u.setting.key = key;
    m.u.setting.value = value;
    return channel_send(to->channel, &m);
}

fallible launch_settings(struct channel *channel, enum ipc_role role, const struct config *config)
{
    struct sending to = {channel};
    return config_each(config, role_row(role)->settings, send_setting, &to);
}

fallible launch_introduce(struct channel *channel, const struct launch_who *who)
{
    int folder = fcntl(who->folder_fd, F_DUPFD_CLOEXEC, 3);
    if (folder < 0)
        return err_of_errno(errno);
    struct ipc_msg m = {.type = MSG_START, .fd_count = 1, .fds = {folder}};
    m.u.start = (struct msg_start){
        .role = who->role,
        .index = (uint16_t)who->index,
        .gates = (uint16_t)who->gates,
        .keepers = (uint16_t)who->keepers,
        .as_root = who->as_root,
        .uid = who->uid,
        .gid = who->uid,
        .offline = who->offline,
    };
    TRY(channel_send(channel, &m));
    return launch_settings(channel, who->role, who->config);
}

static fallible
send_key(struct channel *channel, int folder, const char *container, struct launch_problem *problem)
{
    char name[64];
    snprintf(name, sizeof name, "%s.key", container);
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        enum err e = err_of_errno(errno);
        snprintf(problem->text, sizeof problem->text, "%s in the folder vault_keys: %s", name, err_text(e));
        snprintf(
            problem->remedy, sizeof problem->remedy,
            "Let the service manager put it there, or take vault_keys out of the configuration.");
        return e;
    }
    struct ipc_msg m = {.type = MSG_VAULT_KEY, .fd_count = 1};
    m.fds[MSG_VAULT_KEY_FD_CONTENTS] = fd;
    m.u.vault_key.container = slice_str(container);
    return channel_send(channel, &m);
}

fallible
launch_keys(struct channel *channel, int dir_fd, const struct config *config, struct launch_problem *problem)
{
    struct slice path = config_text(config, CONFIG_VAULT_KEYS);
    struct buf name CLEANUP_BUF = BUF_INIT(LAUNCH_PATH_MAX);
    if (!path.n)
        return OK;
    buf_put(&name, path);
    TRY(buf_check(&name));
    int folder CLEANUP_FD = openat(dir_fd, buf_cstr(&name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        enum err e = err_of_errno(errno);
        snprintf(
            problem->text, sizeof problem->text, "vault_keys: " SLICE_FMT ": %s", SLICE_ARG(path),
            err_text(e));
        snprintf(
            problem->remedy, sizeof problem->remedy,
            "Start the server by the service manager that makes this folder.");
        return e;
    }
    TRY(send_key(channel, folder, "accounts", problem));
    return send_key(channel, folder, "clients", problem);
}

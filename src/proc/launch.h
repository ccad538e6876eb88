/* launch.h - starting one process of the table: its folder, its program, its first messages.        room: proc
 *                                                                     runs in: supervisor, and the command (offline)
 *
 * The supervisor starts every role with this. An offline command starts a vault alone: launch_folder (whose lock tells
 * whether a server is running), launch_program with LAUNCH_OFFLINE, a channel_new of ROLE_CLI to ROLE_VAULT on
 * launched.channel, launch_introduce, and a MSG_GO request, which MSG_READY answers.
 *
 * Folders: made when missing (0700). They must belong to the role's user and be open to nobody else; as root, one that
 * belongs to root is handed to the role, with what is in it (that is how `letterlock init` leaves it). The descriptor
 * holds a lock that all processes of the role share: as long as one of them lives, no second server starts.
 */
#ifndef PROC_LAUNCH_H
#define PROC_LAUNCH_H

#include <sys/types.h>

#include "config/config.h"
#include "ipc/channel.h"
#include "proc/table.h"

/* Why something cannot be used, and what to do about it: for a log line. */
struct launch_problem {
    char text[400];
    char remedy[400];
};

/* The user of a role when started as root, else our own. The group has the same number. */
uid_t launch_user(enum ipc_role role, bool as_root, const struct config *config);

/* Opens (makes, hands over) and locks the role's folder below dir_fd; for a role without one an empty folder that has
 * no name any more. ERR_BUSY: another server or command holds it; ERR_DENIED: wrong owner or mode; ERR_IO... */
fallible launch_folder(
    int dir_fd, enum ipc_role role, bool as_root, uid_t uid, struct launch_problem *problem, int *ret_fd);

/* The path of a role's program: beside this executable, or in ../libexec/letterlock of its folder. ERR_NOT_FOUND. */
#define LAUNCH_PATH_MAX 4096
fallible launch_program_path(enum ipc_role role, char ret_path[LAUNCH_PATH_MAX]);

struct launched {
    pid_t pid;
    int pidfd;   /* readable when the process has ended */
    int channel; /* our end of its descriptor 3 */
};
#define LAUNCH_OFFLINE "offline"
/* Starts a program with an empty environment, standard input from /dev/null, our outputs, and the channel; `name` is its
 * argument. The caller waits for it (waitid on pidfd). */
fallible launch_program(const char *path, const char *name, struct launched *ret_run);

struct launch_who {
    enum ipc_role role;
    unsigned index, gates, keepers;
    bool as_root, offline;
    uid_t uid;
    int folder_fd; /* stays the caller's */
    const struct config *config;
};
/* The start message and the role's settings. */
fallible launch_introduce(struct channel *channel, const struct launch_who *who);
/* Where vault_keys is set: the vault's keys, as descriptors. Paths begin at dir_fd. ERR_NOT_FOUND, ERR_DENIED with words. */
fallible
launch_keys(struct channel *channel, int dir_fd, const struct config *config, struct launch_problem *problem);
/* The settings alone: for a reload. */
fallible launch_settings(struct channel *channel, enum ipc_role role, const struct config *config);

#endif

/* supervisor.h - what the parts of the supervisor share.                         room: proc   runs in: supervisor
 *
 * The supervisor reads letterlock.conf, opens doors and folders while it still may, gives up what it does not need, and
 * then only starts, connects, watches, restarts, reloads and stops the processes of the table. It never reads an octet
 * of the network and links no parser of mail.
 *
 *   supervisor_main.c     the order of its start, and its end
 *   supervisor_family.c   processes: start, connect, watch, restart
 *   supervisor_stop.c     stopping them in order
 *   supervisor_reload.c   a new configuration and new certificates, without a restart
 *   supervisor_control.c  the control socket, and what `letterlock status` shows
 *   supervisor_poison.c   messages that kill keepers
 *   supervisor_check.c    owners and modes of files
 *   supervisor_doors.c    listening sockets
 *
 * A process's states, and the functions that change them (process_set_state is the only writer):
 *
 *   DOWN -> OPENING            process_start
 *   OPENING -> READY           on_ready
 *   OPENING, READY -> WAITING  on_death (a restart is due at once or after a back-off)
 *   WAITING -> OPENING         process_start
 *   OPENING, READY -> STOPPING process_stop
 *   STOPPING, WAITING -> DOWN  on_death, process_stop
 */
#ifndef PROC_SUPERVISOR_H
#define PROC_SUPERVISOR_H

#include "base/limits.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "ipc/poison.h"
#include "proc/launch.h"
#include "proc/notify.h"
#include "proc/table.h"

enum process_state {
    PROCESS_DOWN,
    PROCESS_OPENING,
    PROCESS_READY,
    PROCESS_WAITING,
    PROCESS_STOPPING,
    PROCESS_STATES
};

struct supervisor;
struct process {
    struct supervisor *s;
    enum ipc_role role;
    unsigned index;
    char name[PROC_NAME_MAX];
    enum process_state state;
    int64_t since_s; /* in this state */
    struct launched run;
    struct channel *channel;
    struct watch watch; /* of run.pidfd */
    struct timer timer; /* back-off, or the end of patience */
    uint64_t ready_at;  /* monotonic, 0: not yet */
    bool settled;       /* has been ready, or died once: the start waits for it no more */
    bool reload_due;    /* the configuration changed while it was opening */
    unsigned restarts;
    unsigned early_deaths;               /* in a row */
    uint64_t deaths[LIMIT_ALERT_DEATHS]; /* monotonic, a ring */
    unsigned death_count;
    uint64_t quiet_until; /* the crash loop was told */
    char sandbox[256];
    struct poison_page *poison; /* of a keeper; survives it */
    int poison_fd;
};

struct door {
    int fd;
    enum ipc_service service;
    enum ipc_tls_mode mode;
    char address[80]; /* for people: "[::]:993" */
};

/* Sockets that a service manager opened for us (LISTEN_FDS), until a door takes them. */
enum { DOORS_GIVEN_MAX = 64 };
struct doors_given {
    int fds[DOORS_GIVEN_MAX];
    size_t count;
};

struct poisoned {
    unsigned keeper;
    struct poison_entry entry;
    unsigned deaths;
};

struct supervisor {
    struct loop *loop;
    const char *dir; /* as given, for people */
    int dir_fd;
    bool as_root;
    uid_t owner; /* of DIR: may command us */
    unsigned cores;
    struct config *config;
    struct notify notify;
    struct timer watchdog;
    struct jail_state sandbox;
    int64_t started_s;
    int folders[ROLES];
    char programs[ROLES][LAUNCH_PATH_MAX];
    struct door doors[LIMIT_CONFIG_REPEATS];
    size_t door_count;
    struct doors_given given;
    struct process *processes;
    unsigned process_count;
    unsigned gates, keepers; /* as at start: changing them is for a restart */
    uint32_t epoch;          /* of the latest channel pair */
    bool gates_started, announced;
    bool stopping;
    unsigned stop_stage;
    bool reload_again;
    unsigned reloads_pending;
    struct watch control_watch;
    int control_fd;
    struct poisoned poisoned[LIMIT_POISON_ENTRIES];
    size_t poisoned_count;
    int status;
};

/* supervisor_family.c */
void family_init(struct supervisor *s);
/* Everybody but the gates; these follow when all others have settled. */
void family_start(struct supervisor *s);
void family_done(struct supervisor *s);
void process_set_state(struct process *p, enum process_state state);
bool process_is_alive(const struct process *p);
const char *process_state_name(enum process_state state);

/* supervisor_stop.c */
void supervisor_stop(struct supervisor *s, const char *why);
/* A process has gone while stopping. */
void stop_advance(struct supervisor *s);

/* supervisor_reload.c */
void supervisor_reload(struct supervisor *s);
/* The certificates of a configuration, opened now, to one gate. ERR_DENIED and others: `problem` says which file. */
fallible reload_send_certificates(
    struct supervisor *s, const struct config *config, struct channel *gate, struct launch_problem *problem);
/* The files of the directory, to its process; without one it is only checked that they could be sent. */
fallible reload_send_directory(
    struct supervisor *s, const struct config *config, struct channel *directory,
    struct launch_problem *problem);
/* Sends this process its settings and waits for its answer. */
void reload_process(struct process *p);
/* Reads and checks letterlock.conf and the files it names; errors are logged. */
fallible reload_load(struct supervisor *s, struct config **ret_config);

/* supervisor_control.c */
fallible control_open(struct supervisor *s, struct launch_problem *problem);
void control_start(struct supervisor *s);
void control_close(struct supervisor *s);
/* MSG_STATUS_COLLECT of the vault. */
void control_collect_status(struct process *vault, uint64_t id);

/* supervisor_poison.c */
fallible poison_page_new(struct process *keeper);
void poison_page_free(struct process *keeper);
/* The page's descriptor and what is known to be deadly, before `go`. */
fallible poison_introduce(struct process *keeper);
/* The keeper has died: counts, and clears the page. */
void poison_look(struct process *keeper);

/* supervisor_check.c */
fallible check_dir(struct supervisor *s, struct launch_problem *problem);
/* Opens a file for reading when it is a regular file of ours (or root's) that nobody else may write, and, if `secret`,
 * read. Relative paths start at DIR. */
fallible check_open(
    const struct supervisor *s, struct slice path, bool secret, struct launch_problem *problem, int *ret_fd);

/* supervisor_doors.c */
/* Before anything else is opened: notes what a service manager gave us, and closes all other descriptors. */
void doors_adopt(struct supervisor *s);
/* Opens all listeners that were not given. Errors are logged. */
fallible doors_open(struct supervisor *s);
void doors_close(struct supervisor *s);

/* supervisor_main.c */
/* A moment's wait between two tries at something a predecessor still holds: only while the loop does not run yet, so
 * that SIGTERM still ends the start at once. */
void supervisor_pause(void);
void supervisor_audit(struct supervisor *s, const char *kind, struct slice subject, struct slice body);

#endif

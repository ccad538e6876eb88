/* child.h - what the tests of the sandbox share: a jail that asks for little, and bodies that run in a child. */
#ifndef UNIT_JAIL_CHILD_H
#define UNIT_JAIL_CHILD_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/jail.h"

#define TEST_UID 65123

/* Enough to run a test's child and to leave. */
#define BASE_CALLS                                                                                           \
    "read", "write", "close", "exit", "exit_group", "rt_sigprocmask", "rt_sigreturn", "brk", "munmap",       \
        "mmap", "mprotect", "futex", "newfstatat:fd", "fstat", "clock_nanosleep", "madvise"
static const char *const base_calls[] = {BASE_CALLS, NULL};

static inline struct jail plain_jail(void)
{
    return (struct jail){
        .folder_fd = -1,
        .descriptors = 64,
        .memory = JAIL_UNLIMITED,
        .file_size = JAIL_UNLIMITED,
        .calls = base_calls,
    };
}

enum { DIED = 1000 };
/* Runs `body` in a child: its exit status, or DIED plus the signal. */
static inline int in_child(int (*body)(void *), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body(arg));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : DIED + WTERMSIG(status);
}

#endif

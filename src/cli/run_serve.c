/* run_serve.c - makes room for the supervisor: this process becomes it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/run.h"
#include "proc/launch.h"

int run_serve(struct cli *c)
{
    char path[LAUNCH_PATH_MAX];
    if (launch_program_path(ROLE_SUPERVISOR, path) != OK)
        return cli_fail(
            c, CLI_FAILED, SAY_NO_PROGRAM, SAY_NO_PROGRAM_REMEDY,
            slice_str(role_row(ROLE_SUPERVISOR)->program), SLICE_EMPTY);
    char *argv[] = {path, (char *)c->dir, NULL};
    execv(path, argv);
    return cli_fail(
        c, CLI_FAILED, SAY_NO_EXEC, SAY_NO_PROGRAM_REMEDY, slice_str(path), slice_str(strerror(errno)));
}

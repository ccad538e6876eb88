#include "keeper/program.h"

#include "base/limits.h"
#include "ipc/channel.h"

void session_tell_program(struct keeper_env *env, const struct session *s, struct slice program)
{
    struct ipc_msg m = {.type = MSG_CLIENT_PROGRAM};
    m.u.client_program = (struct msg_client_program){
        .account = s->grant.account,
        .credential = s->grant.credential,
        .program = slice_sub(program, 0, LIMIT_PROGRAM_NAME),
    };
    if (env->vault && program.n)
        IGNORE(channel_send(env->vault, &m), "the next session says it again");
}

/* relay_main.c - the only process that will open outbound connections. Today mail leaves to nobody: it starts, is jailed
 * in its spool, and answers status. */
#include "proc/child.h"

int main(int argc, char **argv)
{
    static const struct child_ops ops = {.role = ROLE_RELAY};
    return child_main(&ops, argc, argv);
}

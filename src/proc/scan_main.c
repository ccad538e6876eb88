/* scan_main.c - the process that will judge hostile content. Today it judges nothing: it starts, is jailed as strictly as
 * it will be then, and answers status. */
#include "proc/child.h"

int main(int argc, char **argv)
{
    static const struct child_ops ops = {.role = ROLE_SCAN};
    return child_main(&ops, argc, argv);
}

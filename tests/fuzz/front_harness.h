/* front_harness.h - a whole conversation with a front through the gate, TLS included, for fuzzers.
 *
 * The first octet chooses the door and how the octets are cut, the rest is what the client says. The vault knows alice, and
 * nobody else may reach the keeper; when the client has gone nothing of it is left, neither in the gate nor in secret memory.
 * Who includes this defines FUZZ_FRONT, FUZZ_DOOR (with STARTTLS) and FUZZ_DOOR_TLS.
 */
#ifndef FUZZ_FRONT_HARNESS_H
#define FUZZ_FRONT_HARNESS_H

#include "../unit/gate_world.h"

#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The helpers' asserts, without their framework: a failed one ends the process. */
#define STOP __attribute__((noreturn))
STOP static void stop(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what ? what : "failed");
    abort();
}
void _assert_true(
    const LargestIntegralType result, const char *const expression, const char *const file, const int line)
{
    if (!result)
        stop(expression, file, line);
}
void _assert_int_equal(
    const LargestIntegralType a, const LargestIntegralType b, const char *const file, const int line)
{
    if (a != b)
        stop("not equal", file, line);
}
void _fail(const char *const file, const int line)
{
    stop(NULL, file, line);
}
void print_error(const char *const format, ...)
{
    (void)format;
}
void print_message(const char *const format, ...)
{
    (void)format;
}

enum { MODE_IMPLICIT = 2, MODE_SLOW = 4, MODE_HANDSHAKE = 8, MODE_TIME = 16, MODE_LATER = 32 };

static struct world *world;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    world_libraries(NULL);
    world = world_new(&FUZZ_FRONT);
    log_set_level(LOG_ERROR);
    return 0;
}

static bool wants_handshake(void)
{
    for (int p = 0; p < GATE_PROTOCOLS; p++)
        LIST_EACH (&world->gate.waiting[p], struct connection, link, c)
            return c->state == CONNECTION_HANDSHAKE;
    return false;
}

static void talk(struct client *c, unsigned mode, struct slice rest)
{
    while (rest.n && !c->ended) {
        size_t n = mode & MODE_SLOW ? 1 + (unsigned char)rest.p[0] % 3 : rest.n;
        /* A switch to TLS is followed only where the line ends: what is behind it in the piece is injected. */
        size_t line = slice_find(rest, '\n');
        if (mode & MODE_HANDSHAKE && line != SLICE_NPOS && line + 1 < n)
            n = line + 1;
        client_send_octets(c, slice_sub(rest, 0, n));
        rest = slice_from(rest, n);
        if (!c->tls && wants_handshake() && mode & MODE_HANDSHAKE && !client_handshake(c))
            break;
        if (mode & MODE_TIME)
            world_pass(world, 500);
    }
    client_read(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    unsigned mode = data[0];
    enum config_door door = mode & MODE_IMPLICIT ? FUZZ_DOOR_TLS : FUZZ_DOOR;
    world->vault_mode = mode & MODE_LATER ? VAULT_SAYS_LATER : VAULT_JUDGES;
    world->attaches = world->right = 0;
    struct client *c = client_open(world, door, "192.0.2.1");
    talk(c, mode, slice_of(data + 1, n - 1));
    assert_int_equal(world->attaches, world->right); /* no one came by without the right secret */
    client_free(c);
    if (world->keeper_fd >= 0)
        file_close(&world->keeper_fd);
    world_turns(world, 8);
    world_pass(world, 60000);
    assert_int_equal(world->gate.count, 0);
    assert_int_equal(secret_slab_used(world->slab), 0);
    return 0;
}

#endif

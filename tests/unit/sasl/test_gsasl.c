/* Our client against somebody else's server: the program gsasl on two pipes, a line of base64 each way. (Our server against its
 * client: clients/test_mechanisms.py.) Skipped where the program is not installed. */
#include "peer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sasl/client.h"

static struct secret_slab *slab;

struct program {
    pid_t pid;
    FILE *in, *out; /* its input and output */
};

static struct program start_program(const char *mechanism)
{
    int to[2], from[2];
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    struct program p = {.pid = fork()};
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp(
            "gsasl", "gsasl", "--server", "--quiet", "--mechanism", mechanism, "--authentication-id", "user",
            "--password", "pencil", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p.in = fdopen(to[1], "w");
    p.out = fdopen(from[0], "r");
    return p;
}

static void close_input(struct program *p)
{
    if (p->in)
        fclose(p->in);
    p->in = NULL;
}

/* Its exit status. */
static int end_program(struct program *p)
{
    int status = 0;
    char rest[4096];
    close_input(p);
    while (fgets(rest, sizeof rest, p->out))
        continue;
    fclose(p->out);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool read_line(struct program *p, struct buf *octets)
{
    char line[4096];
    if (!fgets(line, sizeof line, p->out))
        return false;
    buf_clear(octets);
    assert_int_equal(base64_get(slice_sub(slice_str(line), 0, strcspn(line, "\r\n")), octets), OK);
    return true;
}

static void write_line(struct program *p, struct slice octets)
{
    struct buf text CLEANUP_BUF = BUF_INIT(20000);
    base64_put(&text, octets);
    buf_put_char(&text, '\n');
    fwrite(text.p, 1, text.n, p->in);
    fflush(p->in);
}

/* True when both sides are content. */
static bool talk(const char *mechanism, struct slice password)
{
    struct secret secret CLEANUP_SECRET = SECRET_NONE;
    struct buf said CLEANUP_BUF = BUF_INIT(5000), answer CLEANUP_BUF = BUF_INIT(5000);
    char name[100];
    bool has_initial = false;
    assert_int_equal(secret_copy(slab, password, &secret), OK);
    struct sasl_identity who = {.authcid = S("user"), .secret = &secret};
    struct sasl_client *c = NULL;
    assert_int_equal(sasl_client_new(sasl_find(slice_str(mechanism)), &who, &c), OK);
    assert_int_equal(sasl_client_start(c, &answer, &has_initial), OK);
    struct program p = start_program(mechanism);
    assert_non_null(fgets(name, sizeof name, p.out));
    enum err e = OK;
    bool is_first = true;
    while (e == OK && p.in && read_line(&p, &said)) {
        /* The initial response answers the empty challenge (RFC 4422 section 3). */
        if (!is_first || !has_initial) {
            buf_clear(&answer);
            e = sasl_client_step(c, buf_slice(&said), &answer);
        }
        is_first = false;
        if (e == OK)
            write_line(&p, buf_slice(&answer));
        if (e != OK || c->turn == c->mechanism->client->most) {
            write_line(&p, SLICE_EMPTY); /* it has a last word, maybe an empty one, and wants it answered */
            close_input(&p);             /* and would wait for what is said behind the sign-in */
        }
    }
    bool theirs = end_program(&p) == 0;
    bool ours = sasl_client_end(c, NULL) == OK;
    sasl_client_free(&c);
    return theirs && ours;
}

static void our_client_against_their_server(void **state)
{
    static const char *const mechanisms[] = {"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"};
    if (system("command -v gsasl >/dev/null") != 0)
        skip();
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++) {
        print_message("%s\n", mechanisms[i]);
        assert_true(talk(mechanisms[i], S("pencil")));
        assert_false(talk(mechanisms[i], S("pencils")));
    }
}

int main(void)
{
    crypto_init();
    signal(SIGPIPE, SIG_IGN);
    slab = secret_slab_new(65536);
    const struct CMUnitTest tests[] = {cmocka_unit_test(our_client_against_their_server)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    secret_slab_free(&slab);
    return failed;
}

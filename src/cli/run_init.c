/* run_init.c - the folder of a new server. Makes what is missing, changes nothing that is there, may be run again. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/ask.h"
#include "cli/files.h"
#include "cli/link.h"
#include "cli/run.h"
#include "proc/launch.h"
#include "tls/inspect.h"
#include "tls/selfsign.h"

enum { SLAB = 65536, AUTHORITY_DAYS = 3650, SERVER_DAYS = 825, HIGH_PORTS = 2000, HIGHEST_PORT = 995 };

struct init {
    struct cli *c;
    bool asks; /* a person is there and has not said --yes */
    struct slice hostname, domain, admin;
    unsigned port_base;
    struct slice chain, key; /* as letterlock.conf names them */
    bool made_authority;
    char fingerprint[SELFSIGN_FINGERPRINT_LEN * 3];
    struct secret_slab *slab;
    struct secret password;
};

static int io_trouble(struct cli *c, enum err e, struct slice path)
{
    enum cli_exit code = e == ERR_DENIED ? CLI_DENIED : CLI_IO;
    return cli_fail(c, code, SAY_CANNOT_MAKE, SAY_CANNOT_MAKE_REMEDY, path, cli_error(c, e));
}

/* What was made, as it comes. */
static void tell_made(struct init *in, enum say_id what, struct slice path)
{
    cli_say(in->c, what, path, SLICE_EMPTY, SLICE_EMPTY);
}

static struct slice in_dir(struct cli *c, const char *name)
{
    return arena_printf(&c->arena, "%s/%s", c->dir, name);
}

/* -------------------------------------------------------------------------------------------------- what is wanted */

/* This machine's name, when it is a full one. */
static struct slice machine_name(struct cli *c)
{
    char name[256] = "";
    if (gethostname(name, sizeof name - 1) != 0 || !config_is_hostname(slice_str(name)))
        return SLICE_EMPTY;
    return arena_copy(&c->arena, slice_str(name));
}

static int want_hostname(struct init *in)
{
    struct cli *c = in->c;
    struct slice preset = machine_name(c);
    in->hostname = args_text(&c->args, "hostname");
    while (!in->hostname.n && in->asks) {
        struct slice answer = SLICE_EMPTY;
        if (!ask_line(c, SAY_ASK_HOSTNAME, preset, &answer))
            break;
        if (config_is_hostname(answer))
            in->hostname = answer;
        else
            cli_note(c, SAY_BAD_HOSTNAME, answer, SLICE_EMPTY, SLICE_EMPTY);
    }
    if (!in->hostname.n)
        return cli_fail(c, CLI_USAGE, SAY_NO_HOSTNAME, SAY_NO_HOSTNAME_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return CLI_OK;
}

/* "example.org" of "mail.example.org"; a name of two parts is a mail domain itself. */
static struct slice likely_domain(struct slice hostname)
{
    struct slice rest = slice_from(hostname, slice_find(hostname, '.') + 1);
    return slice_has(rest, '.') ? rest : hostname;
}

static int want_domain_and_admin(struct init *in)
{
    struct cli *c = in->c;
    in->domain = args_text(&c->args, "domain");
    in->admin = args_text(&c->args, "admin");
    if (!in->domain.n && in->admin.n)
        in->domain = slice_from(in->admin, slice_rfind(in->admin, '@') + 1);
    if (!in->domain.n && in->asks)
        IGNORE(
            ask_line(c, SAY_ASK_DOMAIN, likely_domain(in->hostname), &in->domain) ? OK : ERR_CLOSED,
            "none now: it can be added later");
    if (!in->admin.n && in->asks)
        IGNORE(
            ask_line(c, SAY_ASK_ADMIN, SLICE_EMPTY, &in->admin) ? OK : ERR_CLOSED, "none now: added later");
    if (in->admin.n && !slice_has(in->admin, '@') && in->domain.n)
        in->admin =
            arena_printf(&c->arena, SLICE_FMT "@" SLICE_FMT, SLICE_ARG(in->admin), SLICE_ARG(in->domain));
    return CLI_OK;
}

static int want_ports(struct init *in)
{
    struct cli *c = in->c;
    struct slice ports = args_text(&c->args, "ports");
    uint64_t base = 0;
    in->port_base = geteuid() == 0 ? 0 : HIGH_PORTS;
    if (!ports.n)
        return CLI_OK;
    if (slice_eq(ports, S("standard")))
        in->port_base = 0;
    else if (slice_eq(ports, S("high")))
        in->port_base = HIGH_PORTS;
    else if (slice_to_u64(ports, 65535 - HIGHEST_PORT, &base) == OK && base > 0)
        in->port_base = (unsigned)base;
    else
        return cli_fail(c, CLI_USAGE, SAY_BAD_PORTS, SAY_BAD_PORTS_REMEDY, ports, SLICE_EMPTY);
    return CLI_OK;
}

/* A certificate of one's own is looked at before anything is made. */
static int want_certificate(struct init *in)
{
    struct cli *c = in->c;
    struct slice chain = args_text(&c->args, "certificate"), key = args_text(&c->args, "key");
    in->chain = S("tls/server.pem");
    in->key = S("tls/server.key");
    if (!chain.n && !key.n)
        return CLI_OK;
    if (!chain.n || !key.n)
        return cli_fail(c, CLI_USAGE, SAY_HALF_PAIR, SAY_HALF_PAIR_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    struct buf chain_pem CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE);
    struct buf key_pem __attribute__((cleanup(buf_wipe))) = BUF_INIT(LIMIT_CONFIG_FILE);
    struct inspect_facts facts;
    char *paths[2] = {
        realpath(arena_cstr(&c->arena, chain), NULL), realpath(arena_cstr(&c->arena, key), NULL)};
    in->chain = arena_copy(&c->arena, slice_str(paths[0]));
    in->key = arena_copy(&c->arena, slice_str(paths[1]));
    bool both = paths[0] && paths[1] && file_read_path(paths[0], &chain_pem) == OK &&
                file_read_path(paths[1], &key_pem) == OK;
    free(paths[0]);
    free(paths[1]);
    if (!both)
        return cli_fail(c, CLI_DATA, SAY_PAIR_UNREADABLE, SAY_PAIR_REMEDY, chain, key);
    if (inspect_pair(buf_slice(&chain_pem), buf_slice(&key_pem), &c->arena, &facts) != INSPECT_FINE)
        return cli_fail(c, CLI_DATA, SAY_PAIR_WRONG, SAY_PAIR_REMEDY, chain, key);
    return CLI_OK;
}

static int want_password(struct init *in)
{
    if (!in->admin.n || args_has(&in->c->args, "no-password"))
        return CLI_OK;
    cli_note(in->c, SAY_ADMIN_PASSWORD, in->admin, SLICE_EMPTY, SLICE_EMPTY);
    return ask_secret(in->c, in->slab, SAY_PROMPT_PASSWORD, true, &in->password);
}

/* --------------------------------------------------------------------------------------------------- what is made */

static int make_folder(struct init *in)
{
    struct cli *c = in->c;
    bool new = mkdir(c->dir, 0700) == 0;
    if (!new &&errno != EEXIST)
        return io_trouble(c, err_of_errno(errno), slice_str(c->dir));
    if (new)
        tell_made(in, SAY_MADE, slice_str(c->dir));
    file_close(&c->dir_fd);
    return cli_folder(c);
}

static size_t put_names(struct init *in, struct slice names[SELFSIGN_NAMES_MAX])
{
    struct slice more;
    size_t count = 0;
    names[count++] = in->hostname;
    for (size_t i = 0; count < SELFSIGN_NAMES_MAX && args_next(&in->c->args, "name", i, &more); i++)
        names[count++] = more;
    return count;
}

static fallible write_pair(struct init *in, const struct selfsign *made)
{
    int dir = in->c->dir_fd;
    TRY(files_folder(dir, "tls", 0700));
    TRY(files_create(dir, "tls/ca.key", 0600, buf_slice(&made->authority_key)));
    TRY(files_create(dir, "tls/ca.pem", 0644, buf_slice(&made->authority)));
    TRY(files_create(dir, "tls/server.key", 0600, buf_slice(&made->key)));
    return files_create(dir, "tls/server.pem", 0644, buf_slice(&made->chain));
}

static void keep_fingerprint(struct init *in, const struct selfsign *made)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < SELFSIGN_FINGERPRINT_LEN; i++) {
        in->fingerprint[3 * i] = digits[made->fingerprint[i] >> 4];
        in->fingerprint[3 * i + 1] = digits[made->fingerprint[i] & 15];
        in->fingerprint[3 * i + 2] = i + 1 < SELFSIGN_FINGERPRINT_LEN ? ':' : '\0';
    }
    in->made_authority = true;
}

static int make_certificate(struct init *in)
{
    static const char *const parts[] = {"tls/server.pem", "tls/server.key", "tls/ca.pem", "tls/ca.key"};
    struct cli *c = in->c;
    if (!slice_eq(in->chain, S("tls/server.pem")))
        return CLI_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (files_has(c->dir_fd, parts[i])) {
            tell_made(in, SAY_KEPT, in_dir(c, "tls"));
            return CLI_OK;
        }
    struct slice names[SELFSIGN_NAMES_MAX];
    struct selfsign made __attribute__((cleanup(selfsign_done))) = {0};
    struct selfsign_order order = {
        .title = arena_printf(&c->arena, "Letterlock " SLICE_FMT, SLICE_ARG(in->hostname)),
        .names = names,
        .now_s = clock_unix_s(),
        .authority_days = AUTHORITY_DAYS,
        .server_days = SERVER_DAYS};
    order.name_count = put_names(in, names);
    enum err e = selfsign_make(&order, &made);
    if (e == OK)
        e = write_pair(in, &made);
    if (e != OK)
        return io_trouble(c, e, in_dir(c, "tls"));
    keep_fingerprint(in, &made);
    tell_made(in, SAY_MADE, in_dir(c, "tls/server.pem"));
    return CLI_OK;
}

static fallible config_of(struct init *in, struct config *config)
{
    TRY(config_set_text(config, S("hostname"), in->hostname));
    for (int door = 0; door < DOOR_N; door++) {
        char text[64];
        struct buf out CLEANUP_BUF = BUF_INIT(sizeof text);
        buf_printf(
            &out, "%s *:%u", config_door_name((enum config_door)door),
            config_door_port((enum config_door)door) + in->port_base);
        TRY(config_set_text(config, S("listen"), buf_slice(&out)));
    }
    struct slice pair = arena_printf(
        &in->c->arena, "\"" SLICE_FMT "\" \"" SLICE_FMT "\"", SLICE_ARG(in->chain), SLICE_ARG(in->key));
    return config_set_text(config, S("certificate"), pair);
}

static int make_config(struct init *in)
{
    struct cli *c = in->c;
    if (files_has(c->dir_fd, "letterlock.conf")) {
        tell_made(in, SAY_KEPT, in_dir(c, "letterlock.conf"));
        return CLI_OK;
    }
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE);
    struct config *config = config_new();
    enum err e = config_of(in, config);
    if (e == OK)
        config_put_file(config, c->lang, &text);
    config_free(&config);
    if (e == OK)
        e = buf_check(&text);
    if (e == OK)
        e = files_create(c->dir_fd, "letterlock.conf", 0644, buf_slice(&text));
    if (e != OK)
        return io_trouble(c, e, in_dir(c, "letterlock.conf"));
    tell_made(in, SAY_MADE, in_dir(c, "letterlock.conf"));
    return CLI_OK;
}

/* The folders of the roles, with their owners. One that a running server holds is there already. */
static int make_role_folders(struct init *in)
{
    struct cli *c = in->c;
    bool as_root = geteuid() == 0;
    for (int role = ROLE_SUPERVISOR; role < ROLES; role++) {
        struct launch_problem problem = {{0}, {0}};
        int fd CLEANUP_FD = -1;
        if (!role_row((enum ipc_role)role)->folder)
            continue;
        uid_t uid = launch_user((enum ipc_role)role, as_root, c->config);
        enum err e = launch_folder(c->dir_fd, (enum ipc_role)role, as_root, uid, &problem, &fd);
        if (e != OK && e != ERR_BUSY)
            return cli_fail_text(
                c, e == ERR_DENIED ? CLI_DENIED : CLI_IO, err_name(e), slice_str(problem.text),
                slice_str(problem.remedy));
    }
    return CLI_OK;
}

/* What is there already is as good as made. */
static int add(struct init *in, struct link *link, struct ipc_msg *m, enum say_id said, struct slice name)
{
    struct link_answer answer;
    int code = link_ask(link, m, NULL, NULL, &answer);
    if (code == CLI_OK && answer.outcome == ADMIN_OUTCOME_EXISTS) {
        tell_made(in, SAY_KEPT, name);
        return CLI_OK;
    }
    if (code == CLI_OK)
        code = link_outcome(&answer);
    if (code == CLI_OK)
        tell_made(in, said, name);
    return code;
}

/* Starting the vault makes its containers and keys. */
static int make_vault(struct init *in)
{
    struct link *link = NULL;
    int code = link_open(in->c, false, &link);
    if (code == CLI_OK && in->domain.n) {
        struct ipc_msg m = {.type = MSG_DOMAIN_ADD};
        m.u.domain_add.name = in->domain;
        code = add(in, link, &m, SAY_DOMAIN_ADDED, in->domain);
    }
    if (code == CLI_OK && in->admin.n) {
        struct ipc_msg m = {.type = MSG_ACCOUNT_ADD};
        m.u.account_add = (struct msg_account_add){
            .address = in->admin,
            .language = slice_str(lang_name(in->c->lang)),
            .password = secret_reveal(&in->password)};
        code = add(in, link, &m, SAY_ACCOUNT_ADDED, in->admin);
    }
    link_close(&link);
    return code;
}

static void tell_end(struct init *in)
{
    struct cli *c = in->c;
    struct slice dir = slice_str(c->dir), authority = in_dir(c, "tls/ca.pem");
    if (c->json) {
        json_key(&c->j, "dir");
        json_text(&c->j, dir);
        if (in->made_authority) {
            json_key(&c->j, "authority");
            json_text(&c->j, authority);
            json_key(&c->j, "authority_sha256");
            json_text(&c->j, slice_str(in->fingerprint));
        }
        return;
    }
    if (in->made_authority)
        cli_say(c, SAY_IMPORT_AUTHORITY, authority, slice_str(in->fingerprint), SLICE_EMPTY);
    if (in->domain.n && !in->admin.n)
        cli_say(c, SAY_INIT_ACCOUNT, in->domain, SLICE_EMPTY, SLICE_EMPTY);
    cli_say(c, SAY_INIT_DONE, dir, SLICE_EMPTY, SLICE_EMPTY);
}

static int load_config(struct init *in)
{
    file_close(&in->c->dir_fd);
    return cli_config(in->c);
}

int run_init(struct cli *c)
{
    static int (*const steps[])(struct init *) = {
        want_ports,       want_certificate, want_hostname, want_domain_and_admin, want_password, make_folder,
        make_certificate, make_config,      load_config,   make_role_folders,     make_vault};
    struct init in = {.c = c, .slab = secret_slab_new(SLAB), .password = SECRET_NONE};
    in.asks = ask_is_possible() && !args_has(&c->args, "yes");
    c->dir = cli_dir_path(c);
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && i < sizeof steps / sizeof *steps; i++)
        code = steps[i](&in);
    if (code == CLI_OK)
        tell_end(&in);
    secret_free(&in.password);
    secret_slab_free(&in.slab);
    return code;
}

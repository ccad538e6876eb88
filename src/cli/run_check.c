/* run_check.c - everything that could keep the server from serving, each with its place and its remedy. Changes nothing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "cli/run.h"
#include "net/listen.h"
#include "proc/launch.h"
#include "tls/inspect.h"

enum { EXPIRES_SOON_S = 30 * 86400, PASSWD_MAX = 4 << 20 };

struct check {
    struct cli *c;
    size_t errors, warnings;
    bool running; /* a server holds the ports */
};

/* ---------------------------------------------------------------------------------------------------- telling */

static void problem_text(
    struct check *k, bool error, const char *code, struct slice file, struct slice says, struct slice remedy)
{
    struct cli *c = k->c;
    struct buf lines CLEANUP_BUF = BUF_INIT(65536);
    const struct lang_text warning = {{"warning: ", "警告："}}, do_this = {{"Remedy:", "解决办法："}};
    k->errors += error;
    k->warnings += !error;
    utf8_put_safe(&lines, file);
    buf_printf(&lines, "%s%s", file.n ? ": " : "", error ? "" : warning.in[c->lang]);
    buf_put(&lines, says);
    buf_printf(&lines, "\n  %s " SLICE_FMT "\n", do_this.in[c->lang], SLICE_ARG(remedy));
    IGNORE(file_write_all(STDERR_FILENO, buf_slice(&lines)), "nobody is left to tell");
    if (!c->json)
        return;
    json_open(&c->j, '{');
    json_key(&c->j, "level");
    json_text(&c->j, error ? S("error") : S("warning"));
    json_key(&c->j, "code");
    json_text(&c->j, slice_str(code));
    json_key(&c->j, "file");
    json_text(&c->j, file);
    json_key(&c->j, "text");
    json_text(&c->j, says);
    json_key(&c->j, "remedy");
    json_text(&c->j, remedy);
    json_close(&c->j, '}');
}

static void problem(
    struct check *k, bool error, const char *code, struct slice file, enum say_id says, enum say_id remedy,
    struct slice one, struct slice two)
{
    struct buf first CLEANUP_BUF = BUF_INIT(8192), second CLEANUP_BUF = BUF_INIT(8192),
                     safe CLEANUP_BUF = BUF_INIT(4096);
    utf8_put_safe(&safe, one);
    say_put(&first, k->c->lang, says, buf_slice(&safe), two, file);
    say_put(&second, k->c->lang, remedy, buf_slice(&safe), two, file);
    problem_text(k, error, code, file, buf_slice(&first), buf_slice(&second));
}

static struct slice number_text(struct check *k, uint64_t n)
{
    return arena_printf(&k->c->arena, "%llu", (unsigned long long)n);
}

static struct slice mode_text(struct check *k, mode_t mode)
{
    return arena_printf(&k->c->arena, "%04o", mode & 07777);
}

static struct slice path_text(struct check *k, struct slice name)
{
    if (name.n && name.p[0] == '/')
        return name;
    return arena_printf(&k->c->arena, "%s/" SLICE_FMT, k->c->dir, SLICE_ARG(name));
}

/* --------------------------------------------------------------------------------------- the folder and the file */

/* Root's and the server's user are trusted; as root also the folder's owner, who is meant to command this server. */
static bool is_trusted(struct check *k, uid_t uid)
{
    struct stat st;
    bool owner = geteuid() == 0 && fstat(k->c->dir_fd, &st) == 0 && st.st_uid == uid;
    return uid == 0 || uid == geteuid() || owner;
}

static void check_modes(struct check *k, struct slice path, const struct stat *st, bool secret)
{
    if (!is_trusted(k, st->st_uid))
        problem(
            k, true, "owner", path, SAY_CHECK_OWNER, SAY_CHECK_OWNER_REMEDY, number_text(k, st->st_uid),
            number_text(k, geteuid()));
    if (st->st_mode & 022)
        problem(
            k, true, "mode", path, SAY_CHECK_WRITABLE, SAY_CHECK_WRITABLE_REMEDY, mode_text(k, st->st_mode),
            SLICE_EMPTY);
    else if (secret && (st->st_mode & 077))
        problem(
            k, true, "mode", path, SAY_CHECK_READABLE, SAY_CHECK_READABLE_REMEDY, mode_text(k, st->st_mode),
            SLICE_EMPTY);
}

static void check_folder(struct check *k)
{
    struct stat st;
    if (fstat(k->c->dir_fd, &st) == 0)
        check_modes(k, slice_str(k->c->dir), &st, false);
    if (fstatat(k->c->dir_fd, "letterlock.conf", &st, 0) == 0)
        check_modes(k, path_text(k, S("letterlock.conf")), &st, false);
}

/* False when there is no configuration to go on with. */
static bool check_config(struct check *k)
{
    struct cli *c = k->c;
    struct config_errors *errors = config_errors_new();
    struct slice shown = path_text(k, S("letterlock.conf"));
    struct slice path = arena_printf(&c->arena, "/proc/self/fd/%d/letterlock.conf", c->dir_fd);
    enum err e = config_load(arena_cstr(&c->arena, path), errors, &c->config);
    cli_config_errors(c, errors, shown);
    k->errors += config_error_count(errors) + config_errors_dropped(errors);
    if (e == ERR_NOT_FOUND)
        problem(
            k, true, "no-config", shown, SAY_CHECK_NO_CONFIG, SAY_NO_CONFIG_REMEDY, SLICE_EMPTY,
            slice_str(c->dir));
    else if (e != OK && config_error_count(errors) == 0)
        problem(
            k, true, "unreadable", shown, SAY_CHECK_UNREADABLE, SAY_FOLDER_DENIED_REMEDY, cli_error(k->c, e),
            SLICE_EMPTY);
    config_errors_free(&errors);
    return e == OK;
}

/* ---------------------------------------------------------------------------------------------------- certificates */

static bool read_named(struct check *k, struct slice name, bool secret, struct buf *out)
{
    struct slice path = path_text(k, name);
    struct stat st;
    int fd CLEANUP_FD =
        openat(k->c->dir_fd, arena_cstr(&k->c->arena, name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        problem(
            k, true, "unreadable", path, SAY_CHECK_UNREADABLE, SAY_CHECK_FILE_REMEDY,
            slice_str(strerror(errno)), SLICE_EMPTY);
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        problem(
            k, true, "not-a-file", path, SAY_CHECK_NOT_FILE, SAY_CHECK_FILE_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
        return false;
    }
    check_modes(k, path, &st, secret);
    return file_read_all(fd, out) == OK;
}

static const struct {
    const char *code;
    enum say_id says, remedy;
    bool key; /* it is the key file's fault */
} troubles[] = {
    [INSPECT_CHAIN_UNREADABLE] = {"bad-certificate", SAY_CHECK_NO_CHAIN, SAY_PAIR_REMEDY, false},
    [INSPECT_CHAIN_BROKEN] = {"bad-chain", SAY_CHECK_CHAIN_ORDER, SAY_CHECK_CHAIN_ORDER_REMEDY, false},
    [INSPECT_KEY_UNREADABLE] = {"bad-key", SAY_CHECK_NO_KEY, SAY_PAIR_REMEDY, true},
    [INSPECT_KEY_ENCRYPTED] = {"encrypted-key", SAY_CHECK_KEY_PASSPHRASE, SAY_PAIR_REMEDY, true},
    [INSPECT_KEY_MISMATCH] = {"key-mismatch", SAY_CHECK_KEY_OTHER, SAY_CHECK_KEY_OTHER_REMEDY, true},
    [INSPECT_KEY_WEAK] = {"weak-key", SAY_CHECK_KEY_WEAK, SAY_CHECK_KEY_WEAK_REMEDY, true},
};

static void check_dates(struct check *k, struct slice path, const struct inspect_facts *facts)
{
    int64_t now = clock_unix_s();
    struct civil end = civil_of_unix(facts->not_after_s);
    struct slice day = arena_printf(&k->c->arena, "%04d-%02d-%02d", end.year, end.month, end.day);
    if (facts->not_after_s <= now)
        problem(k, true, "expired", path, SAY_CHECK_EXPIRED, SAY_CHECK_EXPIRED_REMEDY, day, SLICE_EMPTY);
    else if (facts->not_after_s <= now + EXPIRES_SOON_S)
        problem(
            k, false, "expires-soon", path, SAY_CHECK_EXPIRES, SAY_CHECK_EXPIRED_REMEDY, day, SLICE_EMPTY);
    if (facts->not_before_s > now)
        problem(
            k, true, "not-yet-valid", path, SAY_CHECK_NOT_YET, SAY_CHECK_NOT_YET_REMEDY, SLICE_EMPTY,
            SLICE_EMPTY);
}

/* True when it is good for the server's own name. */
static bool check_certificate(struct check *k, const struct config_certificate *cert)
{
    struct buf chain CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE);
    struct buf key __attribute__((cleanup(buf_wipe))) = BUF_INIT(LIMIT_CONFIG_FILE);
    struct inspect_facts facts = {.certificates = 0};
    struct slice path = path_text(k, cert->chain);
    bool both = read_named(k, cert->chain, false, &chain);
    both = read_named(k, cert->key, true, &key) && both;
    if (!both)
        return true; /* told; the name is not the trouble */
    enum inspect_trouble t = inspect_pair(buf_slice(&chain), buf_slice(&key), &k->c->arena, &facts);
    if (t != INSPECT_FINE)
        problem(
            k, true, troubles[t].code, troubles[t].key ? path_text(k, cert->key) : path, troubles[t].says,
            troubles[t].remedy, path, SLICE_EMPTY);
    if (t == INSPECT_CHAIN_UNREADABLE)
        return true;
    check_dates(k, path, &facts);
    for (size_t i = 0; i < cert->name_count; i++)
        if (!inspect_covers(&facts, cert->names[i]))
            problem(
                k, true, "name", path, SAY_CHECK_NAME, SAY_CHECK_NAME_REMEDY, cert->names[i], SLICE_EMPTY);
    return inspect_covers(&facts, config_text(k->c->config, CONFIG_HOSTNAME));
}

static void check_certificates(struct check *k)
{
    const struct config *config = k->c->config;
    bool covered = false;
    for (size_t i = 0; i < config_certificates(config); i++)
        covered |= check_certificate(k, config_certificate(config, i));
    if (!covered)
        problem(
            k, false, "name", path_text(k, S("letterlock.conf")), SAY_CHECK_NAME, SAY_CHECK_NAME_REMEDY,
            config_text(config, CONFIG_HOSTNAME), SLICE_EMPTY);
}

/* The files only: whether the server answers is for `letterlock directory test`. */
static void check_directory(struct check *k)
{
    const struct config *config = k->c->config;
    static const enum config_key keys[] = {CONFIG_DIRECTORY_CA, CONFIG_DIRECTORY_SECRET};
    for (size_t i = 0; config_directory(config) && i < sizeof keys / sizeof *keys; i++) {
        bool secret = keys[i] == CONFIG_DIRECTORY_SECRET;
        struct buf text __attribute__((cleanup(buf_wipe))) =
            BUF_INIT(secret ? LIMIT_DIRECTORY_SECRET : LIMIT_DIRECTORY_CA);
        struct slice path = config_text(config, keys[i]);
        if (path.n == 0 || !read_named(k, path, secret, &text))
            continue;
        if (secret ? slice_trim(buf_slice(&text)).n == 0
                   : slice_search(buf_slice(&text), S("-----BEGIN CERTIFICATE-----")) == SLICE_NPOS)
            problem(
                k, true, secret ? "empty-secret" : "bad-ca", path_text(k, path),
                secret ? SAY_CHECK_EMPTY_SECRET : SAY_CHECK_BAD_CA,
                secret ? SAY_CHECK_EMPTY_SECRET_REMEDY : SAY_CHECK_BAD_CA_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    }
}

static void check_client_authorities(struct check *k)
{
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_PEM_FILE);
    struct slice path = config_text(k->c->config, CONFIG_CLIENT_CERTIFICATES);
    if (path.n && read_named(k, path, false, &text) && !inspect_authorities(buf_slice(&text)))
        problem(
            k, true, "bad-ca", path_text(k, path), SAY_CHECK_BAD_CLIENT_CA, SAY_CHECK_BAD_CLIENT_CA_REMEDY,
            SLICE_EMPTY, SLICE_EMPTY);
}

/* ---------------------------------------------------------------------------------------------- what the roles keep */

static void check_role_folder(struct check *k, enum ipc_role role)
{
    struct stat st;
    bool as_root = geteuid() == 0;
    const char *name = role_row(role)->folder;
    if (!name || fstatat(k->c->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return; /* made at the start */
    struct slice path = path_text(k, slice_str(name));
    uid_t uid = launch_user(role, as_root, k->c->config);
    if (!S_ISDIR(st.st_mode)) {
        problem(
            k, true, "not-a-folder", path, SAY_CHECK_NOT_FOLDER, SAY_CHECK_NOT_FOLDER_REMEDY, SLICE_EMPTY,
            SLICE_EMPTY);
        return;
    }
    /* root's own are handed to the role at the start */
    if (st.st_uid != uid && !(as_root && st.st_uid == 0))
        problem(
            k, true, "owner", path, SAY_CHECK_OWNER, SAY_CHECK_CHOWN_REMEDY, number_text(k, st.st_uid),
            number_text(k, uid));
    if (st.st_mode & 077)
        problem(
            k, true, "mode", path, SAY_CHECK_OPEN_FOLDER, SAY_CHECK_OPEN_FOLDER_REMEDY,
            mode_text(k, st.st_mode), SLICE_EMPTY);
}

enum { KEY_FILE_MOST = 256, KEY_DIGITS = 64 };

/* "letterlock-key 1 clients " and 64 hex digits (vault/keys.c). Whether it fits only the vault can tell. */
static bool is_key(int fd, const char *container)
{
    char text[KEY_FILE_MOST];
    struct buf head CLEANUP_BUF = BUF_INIT(sizeof text);
    buf_printf(&head, "letterlock-key 1 %s ", container);
    ssize_t n = read(fd, text, sizeof text);
    struct slice key = slice_trim(slice_of(text, n < 0 ? 0 : (size_t)n));
    bool good = slice_starts(key, buf_slice(&head)) && key.n == head.n + KEY_DIGITS;
    explicit_bzero(text, sizeof text);
    return good;
}

/* A container without its key opens for nobody, and no empty one is made in its place. */
static void check_container_key(struct check *k, const char *container)
{
    struct slice path = arena_printf(&k->c->arena, "vault/keys/%s.key", container);
    struct stat st;
    if (config_text(k->c->config, CONFIG_VAULT_KEYS).n ||
        fstatat(
            k->c->dir_fd, arena_cstr(&k->c->arena, arena_printf(&k->c->arena, "vault/%s.db", container)), &st,
            AT_SYMLINK_NOFOLLOW) != 0)
        return;
    int fd CLEANUP_FD =
        openat(k->c->dir_fd, arena_cstr(&k->c->arena, path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if ((fd < 0 && errno == ENOENT) || (fd >= 0 && !is_key(fd, container)))
        problem(
            k, true, "vault-key", path_text(k, path), SAY_CHECK_NO_VAULT_KEY, SAY_CHECK_NO_VAULT_KEY_REMEDY,
            SLICE_EMPTY, SLICE_EMPTY);
}

static void check_keys(struct check *k)
{
    static const char *const containers[] = {"accounts", "clients"};
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        check_container_key(k, containers[i]);
    struct stat st;
    int fd = openat(k->c->dir_fd, "vault/keys", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir)
        return;
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (st.st_mode & 077))
            problem(
                k, true, "mode", path_text(k, arena_printf(&k->c->arena, "vault/keys/%s", entry->d_name)),
                SAY_CHECK_READABLE, SAY_CHECK_READABLE_REMEDY, mode_text(k, st.st_mode), SLICE_EMPTY);
    closedir(dir);
}

static void check_roles(struct check *k)
{
    for (int role = ROLE_SUPERVISOR; role < ROLES; role++) {
        char path[LAUNCH_PATH_MAX];
        check_role_folder(k, (enum ipc_role)role);
        if (launch_program_path((enum ipc_role)role, path) != OK)
            problem(
                k, true, "no-program", SLICE_EMPTY, SAY_NO_PROGRAM, SAY_NO_PROGRAM_REMEDY,
                slice_str(role_row((enum ipc_role)role)->program), SLICE_EMPTY);
    }
    check_keys(k);
}

/* -------------------------------------------------------------------------------------------------- the machine */

static void look_for_server(struct check *k)
{
    char path[64];
    struct buf out CLEANUP_BUF = BUF_INIT(sizeof path);
    int fd CLEANUP_FD = -1;
    buf_printf(&out, "/proc/self/fd/%d/control", k->c->dir_fd);
    k->running = buf_check(&out) == OK && net_connect_unix(buf_cstr(&out), &fd) == OK;
}

/* Opens each port for a moment. A running server has them, and would not have started otherwise. */
static void check_ports(struct check *k)
{
    for (size_t i = 0; !k->running && i < config_listeners(k->c->config); i++) {
        const struct config_listener *l = config_listener(k->c->config, i);
        struct buf text CLEANUP_BUF = BUF_INIT(200);
        int fd CLEANUP_FD = -1;
        enum err e = net_listen_tcp(&l->ip, l->every, l->port, &fd);
        if (e == OK)
            continue;
        buf_put_str(&text, "listen = ");
        config_put_value(k->c->config, CONFIG_LISTEN, i, &text);
        buf_printf(&text, ": %s", lang_error(e, k->c->lang));
        problem_text(
            k, true, "port", path_text(k, S("letterlock.conf")), buf_slice(&text),
            slice_str(net_listen_advice(e)));
    }
}

static void check_space(struct check *k)
{
    struct statvfs fs;
    char path[32];
    struct buf at CLEANUP_BUF = BUF_INIT(sizeof path);
    buf_printf(&at, "/proc/self/fd/%d", k->c->dir_fd);
    if (buf_check(&at) != OK || statvfs(buf_cstr(&at), &fs) != 0)
        return;
    uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize, reserve = LIMIT_DISK_RESERVE;
    struct slice mib = number_text(k, left >> 20), dir = slice_str(k->c->dir);
    if (left < reserve)
        problem(k, true, "disk-full", dir, SAY_CHECK_FULL, SAY_CHECK_FULL_REMEDY, mib, SLICE_EMPTY);
    else if (left < 4 * reserve)
        problem(k, false, "disk-low", dir, SAY_CHECK_LOW, SAY_CHECK_FULL_REMEDY, mib, SLICE_EMPTY);
}

/* "name:x:1000:1000:...": a name for one of our user ids means that somebody else uses it. The file is read as text: the
 * name services of this machine may ask the network. */
static void check_user_ids(struct check *k)
{
    struct buf text CLEANUP_BUF = BUF_INIT(PASSWD_MAX);
    uint64_t base = config_number(k->c->config, CONFIG_UID_BASE), uid;
    if (geteuid() != 0 || file_read_path("/etc/passwd", &text) != OK)
        return;
    struct slice rest = buf_slice(&text), line, name, skipped, number;
    while (slice_cut(&rest, '\n', &line)) {
        if (!slice_cut(&line, ':', &name) || !slice_cut(&line, ':', &skipped) ||
            !slice_cut(&line, ':', &number))
            continue;
        if (slice_to_u64(number, UINT32_MAX, &uid) == OK && uid >= base && uid < base + ROLES)
            problem(
                k, true, "user-id", path_text(k, S("letterlock.conf")), SAY_CHECK_UID, SAY_CHECK_UID_REMEDY,
                name, number);
    }
}

/* ---------------------------------------------------------------------------------------------------------- check */

static int finish(struct check *k)
{
    struct cli *c = k->c;
    struct slice errors = number_text(k, k->errors), warnings = number_text(k, k->warnings);
    if (c->json) {
        json_close(&c->j, ']');
        json_key(&c->j, "errors");
        json_u64(&c->j, k->errors);
        json_key(&c->j, "warnings");
        json_u64(&c->j, k->warnings);
        if (k->errors) {
            json_key(&c->j, "ok");
            json_bool(&c->j, false);
        }
    }
    cli_say(c, k->errors ? SAY_CHECK_BAD : SAY_CHECK_GOOD, errors, warnings, SLICE_EMPTY);
    return k->errors ? CLI_CONFIG : CLI_OK;
}

int run_check(struct cli *c)
{
    static void (*const checks[])(struct check *) = {
        check_certificates, check_client_authorities, check_directory, check_roles, check_ports, check_space,
        check_user_ids};
    struct check k = {.c = c};
    int code = cli_folder(c);
    if (code != CLI_OK)
        return code;
    if (c->json) {
        json_key(&c->j, "problems");
        json_open(&c->j, '[');
    }
    look_for_server(&k);
    check_folder(&k);
    if (check_config(&k))
        for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
            checks[i](&k);
    return finish(&k);
}

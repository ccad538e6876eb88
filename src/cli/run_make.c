/* run_make.c - client passwords and tokens that are made: asked for, shown once with the settings of a mail program, as a QR
 * code, and in files for the person (handout.h). */
#include <fcntl.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/files.h"
#include "cli/handout.h"
#include "cli/limits_given.h"
#include "cli/link.h"
#include "cli/qr.h"
#include "cli/run.h"
#include "cli/view.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

enum { SLAB = 65536, PEM_MAX = 65536, HANDOUT_MAX = 262144 };

/* One secret on its way to the person. */
struct made {
    struct cli *c;
    struct secret_slab *slab;
    struct secret secret;
    uint64_t credential;
    bool any; /* the vault has made it */
    bool is_token;
    bool is_bait; /* a canary */
    struct may may;
    struct slice address, label;
    struct slice name, language; /* of the account */
};

/* --------------------------------------------------------------------------------------------------- files to write */

static const struct {
    const char *flag;
    bool holds_secret;
} file_flags[] = {{"mobileconfig", true}, {"sheet", true}, {"autoconfig", false}};

static bool asks_for_files(struct cli *c)
{
    bool any = false;
    for (size_t i = 0; i < sizeof file_flags / sizeof *file_flags; i++)
        any |= command_flag(c->args.command, slice_str(file_flags[i].flag)) &&
               args_has(&c->args, file_flags[i].flag);
    return any;
}

/* Before anything is made: no file is in the way, and a profile can be written at all. */
static int check_files(struct cli *c, struct may may)
{
    for (size_t i = 0; i < sizeof file_flags / sizeof *file_flags; i++) {
        if (!command_flag(c->args.command, slice_str(file_flags[i].flag)) ||
            !args_has(&c->args, file_flags[i].flag))
            continue;
        struct slice path = args_text(&c->args, file_flags[i].flag);
        if (files_has(AT_FDCWD, arena_cstr(&c->arena, path)))
            return cli_fail(c, CLI_CANNOT_CREATE, SAY_FILE_EXISTS, SAY_FILE_EXISTS_REMEDY, path, SLICE_EMPTY);
    }
    bool profile = command_flag(c->args.command, S("mobileconfig")) && args_has(&c->args, "mobileconfig");
    if (profile && !(may.smtp && (may.imap || may.pop3)))
        return cli_fail(c, CLI_USAGE, SAY_PROFILE_HALF, SAY_PROFILE_HALF_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return CLI_OK;
}

/* Is the certificate that the private authority made the one that is shown? */
static bool has_own_certificate(const struct config *config)
{
    for (size_t i = 0; i < config_certificates(config); i++)
        if (slice_ends(config_certificate(config, i)->chain, S("tls/server.pem")))
            return true;
    return false;
}

/* The private authority of `letterlock init`, unless the configuration names other certificates. */
static struct slice authority_of(struct cli *c)
{
    struct buf pem CLEANUP_BUF = BUF_INIT(PEM_MAX);
    int fd CLEANUP_FD = openat(c->dir_fd, "tls/ca.pem", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !has_own_certificate(c->config) || !files_has(c->dir_fd, "tls/ca.key") ||
        file_read_all(fd, &pem) != OK)
        return SLICE_EMPTY;
    return arena_copy(&c->arena, buf_slice(&pem));
}

static int write_one(struct cli *c, const char *flag, const struct handout *h)
{
    struct buf out CLEANUP_BUF = BUF_INIT(HANDOUT_MAX);
    struct slice path = args_text(&c->args, flag);
    enum err e = OK;
    if (slice_eq(slice_str(flag), S("mobileconfig")))
        e = handout_put_mobileconfig(h, &out);
    else if (slice_eq(slice_str(flag), S("sheet")))
        handout_put_sheet(h, &out);
    else
        handout_put_autoconfig(h, &out);
    if (e == OK)
        e = buf_check(&out);
    if (e == OK)
        e = files_create(AT_FDCWD, arena_cstr(&c->arena, path), 0600, buf_slice(&out));
    buf_wipe(&out);
    if (e == ERR_UNSUPPORTED)
        return cli_fail(c, CLI_CONFIG, SAY_PROFILE_DOORS, SAY_PROFILE_DOORS_REMEDY, path, SLICE_EMPTY);
    if (e != OK)
        return cli_fail(
            c, e == ERR_EXISTS ? CLI_CANNOT_CREATE : CLI_IO, SAY_FILE_UNWRITTEN, SAY_FILE_UNWRITTEN_REMEDY,
            path, cli_error(c, e));
    cli_note(c, SAY_FILE_WRITTEN, path, SLICE_EMPTY, SLICE_EMPTY);
    return CLI_OK;
}

static int write_files(struct made *made, const struct setting *settings, size_t count)
{
    struct cli *c = made->c;
    enum lang lang = c->lang;
    int code = CLI_OK;
    if (!asks_for_files(c))
        return CLI_OK;
    IGNORE(lang_parse(made->language, &lang), "an account in another language: the command's own");
    struct handout h = {
        .lang = lang,
        .address = made->address,
        .name = made->name,
        .label = made->label,
        .host = config_text(c->config, CONFIG_HOSTNAME),
        .secret = secret_reveal(&made->secret),
        .authority = authority_of(c),
        .credential = made->credential,
        .settings = settings,
        .setting_count = count,
    };
    for (size_t i = 0; code == CLI_OK && i < sizeof file_flags / sizeof *file_flags; i++)
        if (args_has(&c->args, file_flags[i].flag))
            code = write_one(c, file_flags[i].flag, &h);
    return code;
}

/* --------------------------------------------------------------------------------------------------------- showing */

static void json_settings(struct made *made, const struct setting *settings, size_t count)
{
    struct json *j = &made->c->j;
    json_key(j, "user_name");
    json_text(j, made->address);
    json_key(j, "server");
    json_text(j, config_text(made->c->config, CONFIG_HOSTNAME));
    json_key(j, "settings");
    json_open(j, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(j, '{');
        json_key(j, "door");
        json_text(j, slice_str(config_door_name(settings[i].door)));
        json_key(j, "port");
        json_u64(j, settings[i].port);
        json_key(j, "security");
        json_text(j, setting_security(&settings[i]));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_settings(struct cli *c, const struct setting *settings, size_t count)
{
    struct slice cells[4 * SETTINGS_MAX];
    struct slice titles[4] = {
        slice_str(say_text(c->lang, SAY_COLUMN_FOR)), slice_str(say_text(c->lang, SAY_COLUMN_SERVER)),
        slice_str(say_text(c->lang, SAY_COLUMN_PORT)), slice_str(say_text(c->lang, SAY_COLUMN_SECURITY))};
    size_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        const struct setting *s = &settings[i];
        if (s->is_second)
            continue;
        struct slice *row = &cells[4 * rows++];
        row[0] = slice_str(s->what->in[c->lang]);
        row[1] = s->host;
        row[2] = arena_printf(&c->arena, "%u", s->port);
        row[3] = setting_security(s);
    }
    view_table(c, titles, 4, cells, rows);
}

static void json_made(struct made *made, const struct setting *settings, size_t count)
{
    struct json *j = &made->c->j;
    json_key(j, "credential");
    json_u64(j, made->credential);
    if (made->secret.bytes) {
        json_key(j, "secret");
        json_text(j, secret_reveal(&made->secret));
    }
    json_settings(made, settings, count);
}

static int show_secret(struct made *made)
{
    struct cli *c = made->c;
    struct slice secret = secret_reveal(&made->secret);
    cli_say(c, SAY_CLIENT_USER, made->address, SLICE_EMPTY, SLICE_EMPTY);
    buf_put_str(&c->out, say_text(c->lang, made->is_token ? SAY_CLIENT_TOKEN : SAY_CLIENT_PASSWORD));
    cli_style(c, "1");
    buf_put(&c->out, secret);
    cli_style_end(c);
    buf_put_str(&c->out, "\n\n");
    if (!args_has(&c->args, "qr"))
        return CLI_OK;
    int code = qr_show(c, secret);
    buf_put_char(&c->out, '\n');
    return code;
}

/* "client" or "token": whose commands end it. */
static struct slice group_of(struct cli *c)
{
    return command_first_word(c->args.command);
}

static int show_made(struct made *made, enum say_id says, enum say_id advice)
{
    struct cli *c = made->c;
    struct setting settings[SETTINGS_MAX];
    size_t count = settings_of(c->config, made->may, settings);
    struct slice id = arena_printf(&c->arena, "%llu", (unsigned long long)made->credential);
    int code = CLI_OK;
    if (c->json) {
        json_made(made, settings, count);
        return write_files(made, settings, count);
    }
    cli_say(c, says, made->label, made->address, id);
    buf_put_char(&c->out, '\n');
    if (made->secret.bytes)
        code = show_secret(made);
    if (count) {
        put_settings(c, settings, count);
        buf_put_char(&c->out, '\n');
    }
    cli_say(c, made->is_bait ? SAY_CANARY_ADVICE : advice, id, made->address, group_of(c));
    int written = write_files(made, settings, count);
    return code == CLI_OK ? written : code;
}

/* ------------------------------------------------------------------------------------------------------------ asking */

static void take_secret(struct ipc_msg *m, void *owner)
{
    struct made *made = owner;
    if (m->type != MSG_CLIENT_SECRET || made->any)
        return;
    made->any = true;
    made->credential = m->u.client_secret.credential;
    if (m->u.client_secret.secret.n) {
        IGNORE(secret_copy(made->slab, m->u.client_secret.secret, &made->secret), "missing: told below");
        secret_wipe((void *)m->u.client_secret.secret.p, m->u.client_secret.secret.n);
    }
}

static void take_account(struct ipc_msg *m, void *owner)
{
    struct made *made = owner;
    if (m->type != MSG_ACCOUNT_ITEM)
        return;
    made->name = arena_copy(&made->c->arena, m->u.account_item.name);
    made->language = arena_copy(&made->c->arena, m->u.account_item.language);
}

/* The name and the language that files for the person need. */
static int ask_account(struct made *made, struct link *link)
{
    struct ipc_msg m = {.type = MSG_ACCOUNT_SHOW};
    if (!asks_for_files(made->c))
        return CLI_OK;
    m.u.account_show.address = made->address;
    return link_do(link, &m, take_account, made);
}

static int ask_made(struct made *made, struct link *link, struct ipc_msg *request)
{
    struct cli *c = made->c;
    int code = link_do(link, request, take_secret, made);
    if (code == CLI_OK && !made->any)
        return cli_fail(c, CLI_FAILED, SAY_NO_CLIENT_SECRET, SAY_SERVER_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    return code;
}

/* The SHA-256 of the certificate's octets, which is how the vault knows it again. */
static int certificate_hash(struct cli *c, struct slice *ret_hash)
{
    static const char begins[] = "-----BEGIN CERTIFICATE-----", ends[] = "-----END CERTIFICATE-----";
    struct slice path = args_text(&c->args, "certificate"), line;
    struct buf pem CLEANUP_BUF = BUF_INIT(PEM_MAX), text CLEANUP_BUF = BUF_INIT(PEM_MAX),
                   der CLEANUP_BUF = BUF_INIT(PEM_MAX);
    uint8_t hash[SHA256_LEN];
    if (!path.n)
        return CLI_OK;
    enum err e = file_read_path(arena_cstr(&c->arena, path), &pem);
    if (e != OK)
        return cli_fail(c, CLI_IO, SAY_FILE_UNREAD, SAY_FILE_UNREAD_REMEDY, path, cli_error(c, e));
    size_t from = slice_search(buf_slice(&pem), slice_str(begins));
    struct slice rest =
        from == SLICE_NPOS ? SLICE_EMPTY : slice_from(buf_slice(&pem), from + sizeof begins - 1);
    rest = slice_sub(rest, 0, slice_search(rest, slice_str(ends)));
    while (slice_cut(&rest, '\n', &line))
        buf_put(&text, slice_trim(line));
    if (text.n == 0 || base64_get(buf_slice(&text), &der) != OK || der.n < 64)
        return cli_fail(c, CLI_DATA, SAY_NO_CERTIFICATE, SAY_NO_CERTIFICATE_REMEDY, path, SLICE_EMPTY);
    sha256_of(buf_slice(&der), hash);
    *ret_hash = arena_copy(&c->arena, slice_of(hash, sizeof hash));
    return CLI_OK;
}

static int
make(struct cli *c, const char *kind, struct msg_client_add add, enum say_id says, enum say_id advice)
{
    struct made made = {
        .c = c,
        .slab = secret_slab_new(SLAB),
        .may = may_of(add.can_receive, add.can_send, add.doors),
        .is_token = slice_eq(slice_str(kind), S("token")),
        .is_bait = args_has(&c->args, "canary"),
        .address = add.address,
        .label = add.label};
    struct link *link = NULL;
    struct ipc_msg m = {.type = MSG_CLIENT_ADD};
    add.kind = slice_str(kind);
    m.u.client_add = add;
    int code = check_files(c, made.may);
    if (code == CLI_OK)
        code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = ask_account(&made, link);
    if (code == CLI_OK)
        code = ask_made(&made, link, &m);
    link_close(&link);
    if (code == CLI_OK)
        code = show_made(&made, says, advice);
    secret_free(&made.secret);
    secret_slab_free(&made.slab);
    return code;
}

/* What --receive, --send and the rest say; `kind` and the certificate are left. */
static int read_add(struct cli *c, struct msg_client_add *add)
{
    bool both = !args_has(&c->args, "receive") && !args_has(&c->args, "send");
    *add = (struct msg_client_add){
        .address = args_text(&c->args, "ADDRESS"),
        .label = args_text(&c->args, "LABEL"),
        .can_receive = both || args_has(&c->args, "receive"),
        .can_send = both || args_has(&c->args, "send"),
        .expires_s = (int64_t)args_number(&c->args, "expires", 0),
        .doors = doors_given(c),
    };
    int code = doors_check(c, add->can_receive, add->can_send, add->doors);
    return code == CLI_OK ? limits_given(c, &add->limits) : code;
}

int run_client_add(struct cli *c)
{
    struct msg_client_add add;
    bool certificate = args_has(&c->args, "certificate");
    int code = read_add(c, &add);
    if (code == CLI_OK && certificate && (args_has(&c->args, "cram-md5") || asks_for_files(c)))
        code = cli_fail(
            c, CLI_USAGE, SAY_CERTIFICATE_ALONE, SAY_CERTIFICATE_ALONE_REMEDY, SLICE_EMPTY, SLICE_EMPTY);
    if (code == CLI_OK)
        code = certificate_hash(c, &add.certificate_hash);
    if (code != CLI_OK)
        return code;
    add.cram_md5 = args_has(&c->args, "cram-md5");
    return certificate ? make(c, "certificate", add, SAY_CERTIFICATE_MADE, SAY_CERTIFICATE_ADVICE)
                       : make(c, "password", add, SAY_CLIENT_MADE, SAY_CLIENT_ADVICE);
}

int run_token_add(struct cli *c)
{
    struct msg_client_add add;
    int code = read_add(c, &add);
    return code == CLI_OK ? make(c, "token", add, SAY_TOKEN_MADE, SAY_TOKEN_ADVICE) : code;
}

/* ----------------------------------------------------------------------------------------------------------- rotating */

static void take_client(struct ipc_msg *m, void *owner)
{
    struct made *made = owner;
    const struct msg_client_item *item = &m->u.client_item;
    if (m->type != MSG_CLIENT_ITEM)
        return;
    made->address = arena_copy(&made->c->arena, item->address);
    made->label = arena_copy(&made->c->arena, item->label);
    made->may = may_of(item->can_receive, item->can_send, item->doors);
    made->is_token = slice_eq(item->kind, S("token"));
}

static int rotate(struct made *made, struct link *link)
{
    struct cli *c = made->c;
    struct ipc_msg show = {.type = MSG_CLIENT_SHOW}, m = {.type = MSG_CLIENT_ROTATE};
    show.u.client_show.address = args_text(&c->args, "ADDRESS");
    show.u.client_show.credential = args_number(&c->args, "ID", 0);
    m.u.client_rotate = (struct msg_client_rotate){
        .address = show.u.client_show.address,
        .credential = show.u.client_show.credential,
        .grace_s = (uint32_t)args_number(&c->args, "grace", 0)};
    int code = link_do(link, &show, take_client, made);
    if (code == CLI_OK)
        code = check_files(c, made->may);
    if (code == CLI_OK)
        code = ask_account(made, link);
    if (code == CLI_OK)
        code = ask_made(made, link, &m);
    return code;
}

int run_client_rotate(struct cli *c)
{
    struct made made = {.c = c, .slab = secret_slab_new(SLAB)};
    struct link *link = NULL;
    if (args_number(&c->args, "grace", 0) > UINT32_MAX) {
        secret_slab_free(&made.slab);
        return cli_fail(c, CLI_USAGE, SAY_VALUE_LONG, SAY_SEE_HELP, SLICE_EMPTY, SLICE_EMPTY);
    }
    int code = link_open(c, false, &link);
    if (code == CLI_OK)
        code = rotate(&made, link);
    link_close(&link);
    if (code == CLI_OK)
        code = show_made(&made, SAY_CLIENT_ROTATED, made.is_token ? SAY_TOKEN_ADVICE : SAY_CLIENT_ADVICE);
    secret_free(&made.secret);
    secret_slab_free(&made.slab);
    return code;
}

/* supervisor_reload.c - letterlock.conf: read and checked as a whole at the start and at SIGHUP; refused whole if wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/supervisor.h"

#define CONFIG_FILE "letterlock.conf"

/* ---------------------------------------------------------------------------------------------------- certificates */

/* The names a certificate serves, separated by blanks; empty: those in the certificate itself. */
static fallible put_names(const struct config_certificate *c, struct buf *out)
{
    for (size_t i = 0; i < c->name_count; i++) {
        if (i)
            buf_put_char(out, ' ');
        buf_put(out, c->names[i]);
    }
    return buf_check(out);
}

static fallible send_certificate(
    struct supervisor *s, const struct config_certificate *c, struct channel *gate,
    struct launch_problem *problem)
{
    int chain CLEANUP_FD = -1, key CLEANUP_FD = -1;
    TRY(check_open(s, c->chain, false, problem, &chain));
    TRY(check_open(s, c->key, true, problem, &key));
    struct buf names CLEANUP_BUF = BUF_INIT(512);
    if (put_names(c, &names) != OK) {
        snprintf(problem->text, sizeof problem->text, SLICE_FMT ": too many names", SLICE_ARG(c->chain));
        snprintf(
            problem->remedy, sizeof problem->remedy,
            "Leave the names out: those in the certificate count then.");
        return ERR_LIMIT;
    }
    if (!gate)
        return OK;
    struct ipc_msg m = {.type = MSG_CERTIFICATE, .fd_count = 2};
    m.fds[MSG_CERTIFICATE_FD_CHAIN] = TAKE(chain, -1);
    m.fds[MSG_CERTIFICATE_FD_KEY] = TAKE(key, -1);
    m.u.certificate.name = buf_slice(&names);
    return channel_send(gate, &m);
}

/* After the certificates: it becomes part of what they make. */
static fallible send_client_authority(
    struct supervisor *s, struct slice path, struct channel *gate, struct launch_problem *problem)
{
    if (path.n == 0)
        return OK;
    struct ipc_msg m = {.type = MSG_CLIENT_AUTHORITY, .fd_count = 1};
    int fd CLEANUP_FD = -1;
    TRY(check_open(s, path, false, problem, &fd));
    if (!gate)
        return OK;
    m.fds[MSG_CLIENT_AUTHORITY_FD_CONTENTS] = TAKE(fd, -1);
    return channel_send(gate, &m);
}

/* Without a gate: only checks that all could be sent. */
fallible reload_send_certificates(
    struct supervisor *s, const struct config *config, struct channel *gate, struct launch_problem *problem)
{
    *problem = (struct launch_problem){"a process did not take a message", ""};
    for (size_t i = 0; i < config_certificates(config); i++)
        TRY(send_certificate(s, config_certificate(config, i), gate, problem));
    return send_client_authority(s, config_text(config, CONFIG_CLIENT_CERTIFICATES), gate, problem);
}

static fallible send_directory_file(
    struct supervisor *s, const struct config *config, enum config_key key, enum ipc_directory_file_kind kind,
    struct channel *directory, struct launch_problem *problem)
{
    struct slice path = config_text(config, key);
    if (path.n == 0)
        return OK;
    struct ipc_msg m = {.type = MSG_DIRECTORY_FILE, .fd_count = 1};
    m.u.directory_file.kind = kind;
    int fd CLEANUP_FD = -1;
    TRY(check_open(s, path, kind == DIRECTORY_FILE_KIND_SECRET, problem, &fd));
    if (!directory)
        return OK;
    m.fds[MSG_DIRECTORY_FILE_FD_CONTENTS] = TAKE(fd, -1);
    return channel_send(directory, &m);
}

fallible reload_send_directory(
    struct supervisor *s, const struct config *config, struct channel *directory,
    struct launch_problem *problem)
{
    *problem = (struct launch_problem){"a process did not take a message", ""};
    if (!config_directory(config))
        return OK;
    TRY(send_directory_file(s, config, CONFIG_DIRECTORY_CA, DIRECTORY_FILE_KIND_CA, directory, problem));
    return send_directory_file(
        s, config, CONFIG_DIRECTORY_SECRET, DIRECTORY_FILE_KIND_SECRET, directory, problem);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static void log_errors(const struct config_errors *errors)
{
    for (size_t i = 0; i < config_error_count(errors); i++) {
        const struct config_error *e = config_error(errors, i);
        struct buf text CLEANUP_BUF = BUF_INIT(2000);
        struct buf remedy CLEANUP_BUF = BUF_INIT(2000);
        config_error_put(e, LANG_EN, &text);
        config_error_put_remedy(e, LANG_EN, &remedy);
        log_event(
            LOG_ERROR, "config.error", LOG_STR("file", CONFIG_FILE), LOG_NUM("line", e->line),
            LOG_NUM("column", e->column), LOG_STR("name", config_error_name(e)),
            LOG_TEXT("problem", buf_slice(&text)), LOG_TEXT("remedy", buf_slice(&remedy)));
    }
    if (config_errors_dropped(errors))
        log_event(LOG_ERROR, "config.more-errors", LOG_NUM("count", config_errors_dropped(errors)));
}

static fallible read_file(struct supervisor *s, struct config **ret_config)
{
    struct launch_problem problem = {"", ""};
    int fd CLEANUP_FD = -1;
    enum err e = check_open(s, S(CONFIG_FILE), false, &problem, &fd);
    if (e != OK) {
        log_event(
            LOG_ERROR, "config.unusable", LOG_STR("problem", problem.text),
            LOG_STR("remedy", problem.remedy));
        return e;
    }
    /* One octet more than a file may have, so that the parser sees that it is too long. */
    struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_CONFIG_FILE + 1);
    e = file_read_all(fd, &text);
    if (e != OK && e != ERR_LIMIT) {
        log_event(LOG_ERROR, "config.unusable", LOG_STR("problem", "cannot be read"), LOG_ERR(e));
        return e;
    }
    struct config_errors *errors = config_errors_new();
    e = config_parse(buf_slice(&text), errors, ret_config);
    if (e != OK)
        log_errors(errors);
    config_errors_free(&errors);
    return e;
}

fallible reload_load(struct supervisor *s, struct config **ret_config)
{
    struct config *config = NULL;
    TRY(read_file(s, &config));
    struct launch_problem problem;
    enum err e = reload_send_certificates(s, config, NULL, &problem);
    const char *what = e == OK ? "directory.unusable" : "certificate.unusable";
    if (e == OK)
        e = reload_send_directory(s, config, NULL, &problem);
    if (e != OK) {
        log_event(LOG_ERROR, what, LOG_STR("problem", problem.text), LOG_STR("remedy", problem.remedy));
        config_free(&config);
        return e;
    }
    *ret_config = config;
    return OK;
}

/* --------------------------------------------------------------------------------------------------------- reloading */

static void reload_finished(struct supervisor *s)
{
    log_event(LOG_INFO, "reload.done");
    notify_send(&s->notify, "READY=1", "Serving mail");
    if (TAKE(s->reload_again, false))
        supervisor_reload(s);
}

static void on_reloaded(void *owner, enum err why, struct ipc_msg *answer)
{
    struct process *p = owner;
    struct slice problem = why == OK ? answer->u.reloaded.problem : slice_str(err_text(why));
    if (problem.n && why != ERR_CLOSED) /* one that died gets the new settings when it is started again */
        log_event(LOG_WARN, "reload.problem", LOG_STR("name", p->name), LOG_TEXT("problem", problem));
    if (--p->s->reloads_pending == 0 && !p->s->stopping)
        reload_finished(p->s);
}

static fallible send_reload(struct process *p)
{
    struct supervisor *s = p->s;
    struct launch_problem problem;
    TRY(launch_settings(p->channel, p->role, s->config));
    if (p->role == ROLE_GATE)
        TRY(reload_send_certificates(s, s->config, p->channel, &problem));
    struct ipc_msg m = {.type = MSG_RELOAD};
    return channel_request(p->channel, &m, 0, on_reloaded, p, NULL);
}

void reload_process(struct process *p)
{
    p->s->reloads_pending++;
    enum err e = send_reload(p);
    if (e == OK)
        return;
    p->s->reloads_pending--;
    log_event(LOG_ERROR, "reload.not-sent", LOG_STR("name", p->name), LOG_ERR(e));
}

/* Says which changed keys take effect now, and which wait for what. */
static void log_changes(const struct config *before, const struct config *after)
{
    struct config_changes changes;
    config_compare(before, after, &changes);
    for (unsigned key = 0; key < CONFIG_KEYS; key++) {
        const struct config_row *row = config_row((enum config_key)key);
        if (changes.changed[key])
            log_event(
                row->effect == CONFIG_RESTART ? LOG_WARN : LOG_INFO,
                row->effect == CONFIG_RESTART ? "reload.waits" : "reload.key", LOG_STR("key", row->name),
                LOG_STR("effect", config_effect_name(row->effect)));
    }
}

static void take_config(struct supervisor *s, struct config *config)
{
    log_changes(s->config, config);
    config_free(&s->config);
    s->config = config;
    supervisor_audit(s, "server.reloaded", S(CONFIG_FILE), SLICE_EMPTY);
    s->reloads_pending++; /* held until all were sent */
    for (unsigned i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->state == PROCESS_READY && p->channel)
            reload_process(p);
        else
            p->reload_due = p->state == PROCESS_OPENING;
    }
    if (--s->reloads_pending == 0)
        reload_finished(s);
}

void supervisor_reload(struct supervisor *s)
{
    if (s->stopping)
        return;
    if (s->reloads_pending) {
        s->reload_again = true;
        return;
    }
    notify_reloading(&s->notify);
    struct config *config = NULL;
    enum err e = reload_load(s, &config);
    if (e == OK) {
        take_config(s, config);
        return;
    }
    log_event(LOG_ERROR, "reload.refused", LOG_ERR(e), LOG_STR("effect", "nothing has changed"));
    notify_send(&s->notify, "READY=1", "Serving mail; the changed letterlock.conf was refused");
}
